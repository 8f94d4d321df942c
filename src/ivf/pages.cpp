/* SPDX-License-Identifier: PostgreSQL
 * Pages of lists: allocate, chain, add rows; lists into the directory and out of it.
 *
 * Regime: shell.
 * Locks:  see pages.hpp and README.md. No buffer lock is held from one page of a chain to a look at the next.
 * WAL:    rows, the slots that belong to them and new slot pages go into one record with their list page, so that a live lane
 *         always has its slot. A list comes into being, and goes, with one record for its head, its row of the directory and the
 *         metapage. Pages end at pd_lower: what lies behind is zero and left out of WAL.
 *         A crash may lose pages that were just taken: parts behind the first of a slot longer than a page. They name their
 *         owner, which does not name them.
 */
#include "ivf/pages.hpp"

#include "pg/report.hpp"
#include "storage/wal.hpp"

namespace vecdb::ivf
{

using namespace core::layout;
using core::lists::block_header;
using core::lists::block_tids;
using core::lists::CodedRow;
using storage::PageChange;

/* A WAL record takes four buffers: the list page and these. */
constexpr uint32 kSlotPagesPerRecord = 3;

void
lock_reorganisation(Relation index)
{
	LockPage(index, 0, ShareUpdateExclusiveLock);
}

bool
try_lock_reorganisation(Relation index)
{
	return ConditionalLockPage(index, 0, ShareUpdateExclusiveLock);
}

void
unlock_reorganisation(Relation index)
{
	UnlockPage(index, 0, ShareUpdateExclusiveLock);
}

Buffer
new_page(Relation index)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	for (;;)
	{
		BlockNumber blkno = GetFreeIndexPage(index);
		if (blkno == InvalidBlockNumber)
			break;
		/* The map is a hint that is not WAL-logged: it may name any block. */
		if (blkno == 0 || blkno >= blocks)
			continue;
		Buffer buffer = ReadBuffer(index, blkno);
		/* Who has it locked may wait for a page of ours. */
		if (ConditionalLockBuffer(buffer))
		{
			Page page = BufferGetPage(buffer);
			if (PageIsNew(page) || page_is(page, IvfPageKind::free))
				return buffer;
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		ReleaseBuffer(buffer);
	}
	return pg::extend_relation(index);
}

Buffer
lock_meta(Relation index)
{
	Buffer buffer = ReadBuffer(index, 0);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (!page_is(BufferGetPage(buffer), IvfPageKind::meta))
		pg::report_corrupt(index, 0, "not a metapage of a vecdb ivf index");
	return buffer;
}

/* An empty page of which WAL keeps only what is in front of byte `end`. */
static void
init_short_page(Page page, IvfPageKind kind, uint32 end)
{
	init_page(page, kind);
	reinterpret_cast<PageHeader>(page)->pd_lower = static_cast<LocationIndex>(end);
}

/* Call before something is written in front of byte `end` of the page. */
static void
use_page(Page page, uint32 end)
{
	if (reinterpret_cast<PageHeader>(page)->pd_lower < end)
		reinterpret_cast<PageHeader>(page)->pd_lower = static_cast<LocationIndex>(end);
}

static ListHeader *
init_list_page(Page page, const IvfShape &shape)
{
	init_short_page(page, IvfPageKind::list, shape.first_block);
	ListHeader *header = list_header(page);
	header->next = kNoBlock;
	header->insert_block = kNoBlock;
	return header;
}

const ListHeader *
list_page_of(Page page, const IvfShape &shape, BlockNumber head)
{
	if (!page_is(page, IvfPageKind::list))
		return nullptr;
	const ListHeader *header = list_header(page);
	return header->head == head && check_list_header(*header, shape) == nullptr ? header : nullptr;
}

bool
open_list(Relation index, IndexState *state, BlockNumber block, bool &own_table)
{
	own_table = false;
	if (block == 0 || block >= RelationGetNumberOfBlocks(index))
		return false;
	Buffer buffer = state->hints.visit(index, block);
	const ListHeader *header = list_page_of(BufferGetPage(buffer), state->codec.shape, block);
	bool open = header != nullptr && (header->flags & (kListHead | kListDirectory | kListGone)) == kListHead;
	own_table = open && (header->flags & kListOwnTable) != 0;
	UnlockReleaseBuffer(buffer);
	return open;
}

/* The entry-th slot page of a locked list page, exclusively locked; one that is not there yet is taken and is to be initialised. */
static Buffer
open_slot_page(Relation index, IndexState *state, Buffer list_page, uint32 entry, bool &fresh)
{
	BlockNumber owner = BufferGetBlockNumber(list_page);
	BlockNumber blkno = slot_blocks(BufferGetPage(list_page))[entry];
	fresh = blkno == 0;
	if (fresh)
		return new_page(index);
	if (blkno >= RelationGetNumberOfBlocks(index))
		pg::report_corrupt(index, owner, "a list page names a slot page past the end of the index");
	/* We have it locked already. */
	if (blkno == owner)
		pg::report_corrupt(index, owner, "a list page names itself as a slot page");
	Buffer buffer = state->hints.visit(index, blkno, BUFFER_LOCK_EXCLUSIVE);
	Page page = BufferGetPage(buffer);
	if (!page_is(page, IvfPageKind::slots) || page_trailer(page)->owner != owner)
		pg::report_corrupt(index, blkno, "not a slot page of the list page that names it");
	return buffer;
}

static void
init_slot_page(Page page, BlockNumber owner)
{
	init_short_page(page, IvfPageKind::slots, kPageHeaderBytes);
	page_trailer(page)->owner = owner;
}

/* Part `part` of a slot that is longer than a page, or all of one that is not. */
static void
put_slot(Page page, const IvfShape &shape, uint32 lane, const uint8 *slot, uint32 part)
{
	uint32 done = part * kSlotPartBytes;
	uint32 bytes = shape.slot_bytes - done < kSlotPartBytes ? shape.slot_bytes - done : kSlotPartBytes;
	uint32 offset = shape.slot_offset(lane);
	use_page(page, offset + bytes);
	memcpy(page + offset, slot + done, bytes);
}

/* Where a long slot's parts behind the first are; the first is written with the lane. */
struct LongSlot
{
	BlockNumber blocks[kMaxSlotParts];
};

static void
write_other_parts(Relation index, IndexState *state, const IvfShape &shape, Buffer list_page, uint32 lane,
				  const uint8 *slot, LongSlot &parts)
{
	BlockNumber owner = BufferGetBlockNumber(list_page);
	for (uint32 part = 1; part < shape.pages_per_slot; part++)
	{
		bool fresh;
		Buffer buffer = open_slot_page(index, state, list_page, shape.slot_page_of(lane) + part, fresh);
		PageChange change = PageChange::begin(index);
		Page page = change.page(buffer, fresh);
		if (fresh)
			init_slot_page(page, owner);
		put_slot(page, shape, lane, slot, part);
		change.finish();
		parts.blocks[part] = BufferGetBlockNumber(buffer);
		UnlockReleaseBuffer(buffer);
	}
}

/* Lanes of one list page, and the slot pages that they need, that one WAL record can fill. */
struct Room
{
	uint32 lanes[1024];
	uint32 count;
	uint32 entries[kSlotPagesPerRecord];
	uint32 entry_count;
};

/* Free lanes of a locked list page, at most `wanted`, over at most `entries` slot pages. */
static void
find_lanes(Page page, const IvfShape &shape, uint32 wanted, uint32 entries, Room &room)
{
	const ListHeader *header = list_header(page);
	room.count = room.entry_count = 0;
	if (wanted > lengthof(room.lanes))
		wanted = lengthof(room.lanes);
	for (uint32 b = 0; b < shape.blocks_per_page && room.count < wanted; b++)
	{
		uint32 free = b < header->blocks ? ~block_header(list_block(page, shape, b))->live : 0xFFFFFFFFu;
		for (; free != 0 && room.count < wanted; free &= free - 1)
		{
			uint32 lane = b * kLanes + static_cast<uint32>(__builtin_ctz(free));
			if (shape.slots != Slots::none)
			{
				uint32 entry = shape.slot_page_of(lane);
				if (room.entry_count == 0 || room.entries[room.entry_count - 1] != entry)
				{
					if (room.entry_count == entries)
						return;
					room.entries[room.entry_count++] = entry;
				}
			}
			room.lanes[room.count++] = lane;
		}
	}
}

/* Puts rows[i] into room.lanes[i] under one record, together with what else `change` holds. Returns blocks begun. */
static uint32
fill_lanes(Relation index, IndexState *state, const IvfShape &shape, PageChange &change, Buffer list_page,
		   const Room &room, const CodedRow *rows, const RowTid *tids, const LongSlot *parts,
		   Buffer (&slot_buffers)[kSlotPagesPerRecord])
{
	BlockNumber owner = BufferGetBlockNumber(list_page);
	bool fresh[kSlotPagesPerRecord];
	const uint32 *named = slot_blocks(BufferGetPage(list_page));
	for (uint32 i = 0; i < room.entry_count; i++)
	{
		for (uint32 j = 0; j < i; j++)
			if (named[room.entries[i]] != 0 && named[room.entries[i]] == named[room.entries[j]])
				pg::report_corrupt(index, owner, "a list page names a slot page twice");
		slot_buffers[i] = open_slot_page(index, state, list_page, room.entries[i], fresh[i]);
	}
	Page page = change.page(list_page);
	ListHeader *header = list_header(page);
	uint32 before = header->blocks;
	for (uint32 i = 0; i < room.count; i++)
	{
		uint32 b = room.lanes[i] / kLanes;
		if (b >= header->blocks)
		{
			header->blocks = static_cast<uint16>(b + 1);
			use_page(page, shape.block_offset(b + 1));
		}
		core::lists::put_lane(shape, list_block(page, shape, b), room.lanes[i] % kLanes, rows[i], tids[i]);
	}
	for (uint32 i = 0; i < room.entry_count; i++)
	{
		uint32 *blocks = slot_blocks(page) + room.entries[i];
		blocks[0] = BufferGetBlockNumber(slot_buffers[i]);
		for (uint32 part = 1; part < shape.pages_per_slot; part++)
			blocks[part] = parts->blocks[part];
		Page slot_page = change.page(slot_buffers[i], fresh[i]);
		if (fresh[i])
			init_slot_page(slot_page, owner);
		for (uint32 k = 0; k < room.count; k++)
			if (shape.slot_page_of(room.lanes[k]) == room.entries[i])
				put_slot(slot_page, shape, room.lanes[k], rows[k].slot, 0);
	}
	return header->blocks - before;
}

/* As many of the rows as this locked list page has room for. */
static uint32
add_to_page(Relation index, IndexState *state, const IvfShape &shape, Buffer list_page, const CodedRow *rows,
			const RowTid *tids, uint32 n, uint32 &begun)
{
	uint32 done = 0;
	bool is_long = shape.pages_per_slot > 1;
	while (done < n)
	{
		Room room;
		find_lanes(BufferGetPage(list_page), shape, is_long ? 1 : n - done, kSlotPagesPerRecord, room);
		if (room.count == 0)
			break;
		LongSlot parts;
		if (is_long)
			write_other_parts(index, state, shape, list_page, room.lanes[0], rows[done].slot, parts);
		Buffer slot_buffers[kSlotPagesPerRecord];
		PageChange change = PageChange::begin(index);
		begun +=
			fill_lanes(index, state, shape, change, list_page, room, rows + done, tids + done, &parts, slot_buffers);
		change.finish();
		for (uint32 i = 0; i < room.entry_count; i++)
			UnlockReleaseBuffer(slot_buffers[i]);
		done += room.count;
	}
	return done;
}

/* The page behind this locked last page of a chain; it stays unlocked. */
static BlockNumber
append_page(Relation index, const IvfShape &shape, Buffer last)
{
	Buffer buffer = new_page(index);
	BlockNumber blkno = BufferGetBlockNumber(buffer);
	PageChange change = PageChange::begin(index);
	ListHeader *before = list_header(change.page(last));
	before->next = blkno;
	ListHeader *header = init_list_page(change.page(buffer, true), shape);
	header->list_id = before->list_id;
	header->head = before->head;
	header->flags = before->flags & (kListDirectory | kListOwnTable);
	change.finish();
	UnlockReleaseBuffer(buffer);
	return blkno;
}

/* Where to begin to look for a free lane: what the head says, or the head. */
static BlockNumber
insert_block(Relation index, IndexState *state, const IvfShape &shape, BlockNumber head)
{
	if (head == 0 || head >= RelationGetNumberOfBlocks(index))
		pg::report_corrupt(index, 0, "a list begins past the end of the index");
	Buffer buffer = state->hints.visit(index, head);
	const ListHeader *header = list_page_of(BufferGetPage(buffer), shape, head);
	BlockNumber blkno = header == nullptr ? kNoBlock : header->insert_block;
	UnlockReleaseBuffer(buffer);
	if (header == nullptr)
		pg::report_corrupt(index, head, "not the head of a list");
	return blkno != 0 && blkno < RelationGetNumberOfBlocks(index) ? blkno : head;
}

/* `full` has no lane left: inserts begin at next from now on, unless somebody has found a better place. */
static void
move_insert_block(Relation index, IndexState *state, const IvfShape &shape, BlockNumber head, BlockNumber full,
				  BlockNumber next)
{
	Buffer buffer = state->hints.visit(index, head, BUFFER_LOCK_EXCLUSIVE);
	const ListHeader *header = list_page_of(BufferGetPage(buffer), shape, head);
	if (header != nullptr && (header->insert_block == full || (header->insert_block == kNoBlock && full == head)))
	{
		PageChange change = PageChange::begin(index);
		list_header(change.page(buffer))->insert_block = next;
		change.finish();
	}
	UnlockReleaseBuffer(buffer);
}

/* From the locked page, which has no lane left, to the next of the chain, which is made where there is none. Unlocks. */
static BlockNumber
leave_full_page(Relation index, IndexState *state, const IvfShape &shape, BlockNumber head, Buffer buffer)
{
	BlockNumber blkno = BufferGetBlockNumber(buffer);
	BlockNumber next = list_header(BufferGetPage(buffer))->next;
	if (next == kNoBlock)
		next = append_page(index, shape, buffer);
	UnlockReleaseBuffer(buffer);
	if (next == 0 || next == blkno || next >= RelationGetNumberOfBlocks(index))
		pg::report_corrupt(index, blkno, "a list goes on past the end of the index");
	move_insert_block(index, state, shape, head, blkno, next);
	return next;
}

/* A page of the chain at head, exclusively locked; false (and not locked) where it is none. */
static bool
lock_list_page(Relation index, IndexState *state, const IvfShape &shape, BlockNumber head, BlockNumber blkno,
			   Buffer &buffer)
{
	buffer = state->hints.visit(index, blkno, BUFFER_LOCK_EXCLUSIVE);
	if (list_page_of(BufferGetPage(buffer), shape, head) != nullptr)
		return true;
	UnlockReleaseBuffer(buffer);
	return false;
}

/* The first page from blkno on with room for a row of the list, locked exclusively, and a lane of it. */
static Buffer
lock_page_with_room(Relation index, IndexState *state, const IvfShape &shape, BlockNumber head, BlockNumber blkno,
					Room &room)
{
	for (BlockNumber walked = 0;; walked++)
	{
		CHECK_FOR_INTERRUPTS();
		Buffer buffer;
		if (!lock_list_page(index, state, shape, head, blkno, buffer))
		{
			if (walked > 0 || blkno == head)
				pg::report_corrupt(index, blkno, "not a page of the list that leads to it");
			blkno = head;
			continue;
		}
		find_lanes(BufferGetPage(buffer), shape, 1, 1, room);
		if (room.count > 0)
			return buffer;
		if (walked > RelationGetNumberOfBlocks(index))
			pg::report_corrupt(index, blkno, "the pages of a list form a ring");
		blkno = leave_full_page(index, state, shape, head, buffer);
	}
}

uint32
add_rows(Relation index, IndexState *state, const IvfShape &shape, BlockNumber head, const CodedRow *rows,
		 const RowTid *tids, uint32 n)
{
	uint32 begun = 0;
	for (uint32 done = 0; done < n;)
	{
		Room room;
		Buffer buffer = lock_page_with_room(index, state, shape, head, insert_block(index, state, shape, head), room);
		done += add_to_page(index, state, shape, buffer, rows + done, tids + done, n - done, begun);
		UnlockReleaseBuffer(buffer);
	}
	return begun;
}

BlockNumber
make_empty_list(Relation index, IndexState *state, const float *centre, bool own_table, float residual2,
				uint32 expected)
{
	const IvfShape &shape = state->directory;
	IvfMeta now;
	read_meta(index, now);
	CodedRow row{};
	auto *scratch = static_cast<float *>(palloc(2 * shape.code_dims * sizeof(float)));
	row.codes = static_cast<uint8 *>(palloc0(shape.segments));
	row.slot = static_cast<uint8 *>(palloc0(shape.slot_bytes));

	/* From the head on, as the directory is short and lanes of it come free anywhere. */
	Room room;
	Buffer list_page = lock_page_with_room(index, state, shape, now.directory, now.directory, room);
	Buffer head_buffer = new_page(index);
	BlockNumber head = BufferGetBlockNumber(head_buffer);
	RowTid place = make_tid(head, 1);
	core::lists::encode_centre(shape, centre, place, row, scratch);
	LongSlot parts;
	if (shape.pages_per_slot > 1)
		write_other_parts(index, state, shape, list_page, room.lanes[0], row.slot, parts);

	Buffer slot_buffers[kSlotPagesPerRecord];
	PageChange change = PageChange::begin(index);
	fill_lanes(index, state, shape, change, list_page, room, &row, &place, &parts, slot_buffers);
	Buffer meta_buffer = lock_meta(index);
	IvfMeta *meta = page_meta(change.page(meta_buffer));
	ListHeader *header = init_list_page(change.page(head_buffer, true), state->codec.shape);
	header->list_id = meta->next_list_id++;
	header->head = header->insert_block = head;
	header->flags = static_cast<uint16>(kListHead | (own_table ? kListOwnTable : 0));
	header->residual2 = residual2;
	header->rows = expected;
	meta->list_count++;
	meta->directory_version++;
	seal_meta(meta);
	change.finish();
	UnlockReleaseBuffer(meta_buffer);
	UnlockReleaseBuffer(head_buffer);
	for (uint32 i = 0; i < room.entry_count; i++)
		UnlockReleaseBuffer(slot_buffers[i]);
	UnlockReleaseBuffer(list_page);
	pfree(row.slot);
	pfree(row.codes);
	pfree(scratch);
	return head;
}

BlockNumber
make_list(Relation index, IndexState *state, const float *centre, bool own_table, float residual2, const CodedRow *rows,
		  const RowTid *tids, uint32 n)
{
	BlockNumber head = make_empty_list(index, state, centre, own_table, residual2, n);
	lock_list(index, head, ShareLock);
	add_rows(index, state, state->codec.shape, head, rows, tids, n);
	unlock_list(index, head, ShareLock);
	return head;
}

/* The lane of a locked directory page that stands for the list at head, or -1. */
static int
lane_of_list(Page page, const IvfShape &shape, BlockNumber head)
{
	RowTid wanted = make_tid(head, 1);
	for (uint32 b = 0; b < list_header(page)->blocks; b++)
	{
		const uint8 *block = list_block(page, shape, b);
		const RowTid *tids = block_tids(shape, block);
		for (uint32 live = block_header(block)->live; live != 0; live &= live - 1)
		{
			uint32 lane = static_cast<uint32>(__builtin_ctz(live));
			if (tids[lane] == wanted)
				return static_cast<int>(b * kLanes + lane);
		}
	}
	return -1;
}

bool
find_list(Relation index, IndexState *state, BlockNumber head, NearList &place)
{
	const IvfShape &shape = state->directory;
	IvfMeta now;
	read_meta(index, now);
	BlockNumber blkno = now.directory;
	for (BlockNumber walked = 0; blkno != kNoBlock; walked++)
	{
		CHECK_FOR_INTERRUPTS();
		BlockNumber blocks = RelationGetNumberOfBlocks(index);
		if (walked > blocks || blkno >= blocks)
			pg::report_corrupt(index, now.directory, "the directory does not hold together");
		Buffer buffer = state->hints.visit(index, blkno);
		Page page = BufferGetPage(buffer);
		const ListHeader *header = list_page_of(page, shape, now.directory);
		int lane = header == nullptr ? -1 : lane_of_list(page, shape, head);
		BlockNumber next = header == nullptr ? kNoBlock : header->next;
		if (lane >= 0)
		{
			place.head = head;
			place.lane = static_cast<uint32>(lane);
			place.block = blkno;
			place.slot_block = slot_blocks(page)[shape.slot_page_of(place.lane)];
			place.exact = false;
		}
		UnlockReleaseBuffer(buffer);
		if (header == nullptr)
			pg::report_corrupt(index, blkno, "not a page of the directory");
		if (lane >= 0)
			return true;
		blkno = next;
	}
	return false;
}

void
drop_list(Relation index, IndexState *state, BlockNumber head)
{
	const IvfShape &shape = state->directory;
	NearList place;
	if (!find_list(index, state, head, place))
		pg::report_corrupt(index, head, "a list is not in the directory");
	Buffer buffer = state->hints.visit(index, place.block, BUFFER_LOCK_EXCLUSIVE);
	Buffer meta_buffer = lock_meta(index);
	Buffer head_buffer = state->hints.visit(index, head, BUFFER_LOCK_EXCLUSIVE);
	if (list_page_of(BufferGetPage(head_buffer), state->codec.shape, head) == nullptr)
		pg::report_corrupt(index, head, "not the head of a list");
	PageChange change = PageChange::begin(index);
	Page page = change.page(buffer);
	block_header(list_block(page, shape, place.lane / kLanes))->live &= ~(1u << place.lane % kLanes);
	IvfMeta *meta = page_meta(change.page(meta_buffer));
	meta->list_count--;
	meta->directory_version++;
	meta->splits++;
	seal_meta(meta);
	ListHeader *header = list_header(change.page(head_buffer));
	header->flags |= kListGone;
	/* Who may still read the list has a snapshot older than this. */
	header->gone_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
	change.finish();
	UnlockReleaseBuffer(head_buffer);
	UnlockReleaseBuffer(meta_buffer);
	UnlockReleaseBuffer(buffer);
}

bool
list_extent(Relation index, IndexState *state, BlockNumber head, ListExtent &extent, RowTid **tids)
{
	const IvfShape &shape = state->codec.shape;
	extent = ListExtent{};
	uint32 capacity = 0;
	if (tids != nullptr)
		*tids = nullptr;
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	for (BlockNumber blkno = head; blkno != kNoBlock;)
	{
		CHECK_FOR_INTERRUPTS();
		if (blkno >= blocks)
			blocks = RelationGetNumberOfBlocks(index);
		if (blkno == 0 || blkno >= blocks || extent.pages > blocks)
			pg::report_corrupt(index, head, "a list's chain leads astray");
		if (tids != nullptr && extent.rows + shape.lanes_per_page > capacity)
		{
			capacity = 2 * capacity + shape.lanes_per_page;
			*tids = static_cast<RowTid *>(*tids == nullptr ? palloc(capacity * sizeof(RowTid))
														   : repalloc_huge(*tids, capacity * sizeof(RowTid)));
		}
		Buffer buffer = state->hints.visit(index, blkno);
		Page page = BufferGetPage(buffer);
		const ListHeader *header = list_page_of(page, shape, head);
		bool good = header != nullptr;
		if (good && blkno == head)
		{
			extent.made = header->rows;
			extent.own_table = (header->flags & kListOwnTable) != 0;
			if ((header->flags & (kListHead | kListDirectory | kListGone)) != kListHead)
			{
				UnlockReleaseBuffer(buffer);
				return false;
			}
		}
		for (uint32 b = 0; good && b < header->blocks; b++)
		{
			const uint8 *block = list_block(page, shape, b);
			const RowTid *lanes = block_tids(shape, block);
			uint32 live = block_header(block)->live;
			for (; tids != nullptr && live != 0; live &= live - 1)
				(*tids)[extent.rows++] = lanes[__builtin_ctz(live)];
			extent.rows += static_cast<uint32>(__builtin_popcount(live));
		}
		extent.pages++;
		BlockNumber next = good ? header->next : kNoBlock;
		UnlockReleaseBuffer(buffer);
		if (!good && blkno == head)
			return false;
		if (!good)
			pg::report_corrupt(index, blkno, "not a page of the list that leads to it");
		blkno = next;
	}
	return true;
}

void
set_made(Relation index, IndexState *state, BlockNumber head, uint32 rows)
{
	Buffer buffer = state->hints.visit(index, head, BUFFER_LOCK_EXCLUSIVE);
	if (list_page_of(BufferGetPage(buffer), state->codec.shape, head) != nullptr)
	{
		PageChange change = PageChange::begin(index);
		list_header(change.page(buffer))->rows = rows;
		change.finish();
	}
	UnlockReleaseBuffer(buffer);
}

}  // namespace vecdb::ivf
