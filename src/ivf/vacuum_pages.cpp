/* SPDX-License-Identifier: PostgreSQL
 * Whose is each page? After the pass of a vacuum: pages that are nobody's become free.
 *
 * Regime: shell.
 * Locks:  the caller has the reorganisation lock, so no list is made, dissolved or freed beside us. A live list can still get pages
 *         from inserts: before a page is taken from it, its lock is taken exclusively and its chain looked at again.
 * Order:  of a gone list the last page first and the head last, so that what a crash leaves is found from the head again. A list
 *         page before its slot pages: a scan on a standby that finds a slot gone looks whether the list page is still there. What
 *         a crash leaves between the two are slot pages whose owner does not name them.
 */
#include "ivf/vacuum.hpp"

#include <algorithm>

#include "pg/report.hpp"
#include "storage/wal.hpp"

namespace vecdb::ivf
{

using namespace core::layout;
using core::lists::block_header;
using core::lists::block_tids;
using storage::PageChange;

static PageNote *
note_of(Vacuum *v, BlockNumber blkno)
{
	PageNote *end = v->pages.items + v->pages.count;
	PageNote *note = std::lower_bound(v->pages.items, end, blkno,
									  [](const PageNote &a, BlockNumber b) noexcept { return a.block < b; });
	return note != end && note->block == blkno ? note : nullptr;
}

/* --- the directory --- */

/* Blocks of the heads that its lanes name. */
static void
read_heads(Vacuum *v)
{
	const IvfShape &shape = v->state->directory;
	BlockNumber met = 0;
	for (BlockNumber blkno = v->directory; blkno != kNoBlock;)
	{
		CHECK_FOR_INTERRUPTS();
		/* The length now: the directory may have grown beside an earlier pass of this vacuum. */
		if (blkno == 0 || blkno >= RelationGetNumberOfBlocks(v->index) || met++ > v->blocks)
			pg::report_corrupt(v->index, blkno, "the directory leads out of the index or into itself");
		Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		const ListHeader *header = list_header(page);
		bool good = page_is(page, IvfPageKind::list) && (header->flags & kListDirectory) != 0 &&
					header->head == v->directory && check_list_header(*header, shape) == nullptr;
		BlockNumber next = header->next;
		for (uint32 b = 0; good && b < header->blocks; b++)
		{
			uint8 *block = list_block(page, shape, b);
			for (uint32 left = block_header(block)->live; left != 0; left &= left - 1)
				v->heads.push(tid_block(block_tids(shape, block)[__builtin_ctz(left)]));
		}
		UnlockReleaseBuffer(buffer);
		if (!good)
			pg::report_corrupt(v->index, blkno, "not a page of the directory");
		blkno = next;
	}
	if (v->heads.count > 0)
		std::sort(v->heads.items, v->heads.items + v->heads.count);
}

/* --- chains --- */

/* Is blkno a page of the list now, and what does it lead to? */
static bool
read_link(Vacuum *v, BlockNumber blkno, const PageNote &head, BlockNumber &next)
{
	if (blkno == 0 || blkno >= RelationGetNumberOfBlocks(v->index))
		return false;
	Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	const ListHeader *header = list_header(page);
	bool good = page_is(page, IvfPageKind::list) && header->head == head.block && header->list_id == head.list_id;
	next = header->next;
	UnlockReleaseBuffer(buffer);
	return good;
}

/* Marks the pages of a list as reached. Of live ones all must be there; of gone ones the last may be free by now. */
static void
follow(Vacuum *v, PageNote *head, Notes<BlockNumber> *chain)
{
	bool live = (head->flags & kListGone) == 0;
	for (BlockNumber blkno = head->block; blkno != kNoBlock;)
	{
		PageNote *note = note_of(v, blkno);
		if (note == nullptr)
		{
			BlockNumber next;
			/* Added since the pass was there; but a list page that was passed over is a row that was not asked about. */
			if (live && ((blkno < v->blocks && is_named(v, blkno)) || !read_link(v, blkno, *head, next)))
				pg::report_corrupt(v->index, head->block, "the chain of a list leads to a page that is not of it");
			return;
		}
		bool ours = note->head == head->block && note->list_id == head->list_id;
		if (!ours && !live)
			return;
		if (!ours || note->reached)
			pg::report_corrupt(v->index, blkno, "the chain of a list leads to a page of another or into itself");
		note->reached = true;
		if (!live)
			note->flags |= kListGone;
		if (chain != nullptr)
			chain->push(blkno);
		blkno = note->next;
	}
}

/* Inserts look from the first page with a free lane on. */
static void
reset_insert_block(Vacuum *v, PageNote *head)
{
	const IvfShape &shape = shape_of(v, head->flags);
	BlockNumber wanted = head->block;
	for (const PageNote *note = head; note != nullptr; note = note_of(v, note->next))
	{
		wanted = note->block;
		if (note->live < shape.lanes_per_page || note->next == kNoBlock)
			break;
	}
	Buffer buffer = read_block(v, head->block, BUFFER_LOCK_SHARE);
	if (list_header(BufferGetPage(buffer))->insert_block != wanted)
	{
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		PageChange change = PageChange::begin(v->index);
		list_header(change.page(buffer))->insert_block = wanted;
		change.finish();
	}
	UnlockReleaseBuffer(buffer);
}

/* --- freeing --- */

static void
make_free(Vacuum *v, Buffer buffer)
{
	PageChange change = PageChange::begin(v->index);
	PageTrailer *trailer = page_trailer(change.page(buffer));
	trailer->kind = static_cast<uint16>(IvfPageKind::free);
	trailer->owner = 0;
	change.finish();
}

/* A slot page that the list page `owner`, which is no more or does not name it, has left. */
static void
free_slot_page(Vacuum *v, BlockNumber blkno, BlockNumber owner)
{
	if (blkno == 0 || blkno >= RelationGetNumberOfBlocks(v->index))
		return;
	Buffer buffer = read_block(v, blkno, BUFFER_LOCK_EXCLUSIVE);
	Page page = BufferGetPage(buffer);
	bool ours = !PageIsNew(page) && page_is(page, IvfPageKind::slots) && page_trailer(page)->owner == owner;
	if (ours)
		make_free(v, buffer);
	UnlockReleaseBuffer(buffer);
	if (!ours)
		return;
	RecordFreeIndexPage(v->index, blkno);
	v->free_pages++;
}

static void
free_list_page(Vacuum *v, PageNote *note)
{
	const IvfShape &shape = shape_of(v, note->flags);
	note->freed = true;
	Buffer buffer = read_block(v, note->block, BUFFER_LOCK_EXCLUSIVE);
	Page page = BufferGetPage(buffer);
	uint32 slots[kPageBytes / sizeof(uint32)];
	memcpy(slots, slot_blocks(page), shape.slot_pages * sizeof(uint32));
	bool ours = page_is(page, IvfPageKind::list) && list_header(page)->head == note->head &&
				list_header(page)->list_id == note->list_id;
	if (ours)
		make_free(v, buffer);
	UnlockReleaseBuffer(buffer);
	if (!ours)
		return;
	RecordFreeIndexPage(v->index, note->block);
	v->free_pages++;
	for (uint32 i = 0; i < shape.slot_pages; i++)
		free_slot_page(v, slots[i], note->block);
}

static bool
gone_for_all(Vacuum *v, BlockNumber head)
{
	Buffer buffer = read_block(v, head, BUFFER_LOCK_SHARE);
	FullTransactionId xid = FullTransactionIdFromU64(list_header(BufferGetPage(buffer))->gone_xid);
	UnlockReleaseBuffer(buffer);
	return GlobalVisCheckRemovableFullXid(nullptr, xid);
}

static void
free_gone_list(Vacuum *v, PageNote *head)
{
	Notes<BlockNumber> chain{};
	follow(v, head, &chain);
	if (!gone_for_all(v, head->block))
		return;
	for (Size i = chain.count; i > 0; i--)
	{
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		free_list_page(v, note_of(v, chain.items[i - 1]));
	}
}

/* --- what nobody names --- */

/* Does the chain at head lead to blkno? Caller holds the list's lock. */
static bool
chain_has(Vacuum *v, BlockNumber blkno, const PageNote &head)
{
	BlockNumber steps = 0, next;
	for (BlockNumber at = head.block; at != kNoBlock && read_link(v, at, head, next); at = next)
		if (at == blkno)
			return true;
		else if (++steps > RelationGetNumberOfBlocks(v->index))
			pg::report_corrupt(v->index, head.block, "the chain of a list leads into itself");
	return false;
}

/* A list page that no chain has led to. */
static void
settle_stray_page(Vacuum *v, PageNote *note)
{
	const PageNote *head = note_of(v, note->head);
	bool live = head != nullptr && head->block == head->head && head->list_id == note->list_id && head->reached &&
				(head->flags & kListGone) == 0;
	if (live)
	{
		lock_list(v->index, head->block, ExclusiveLock);
		note->reached = chain_has(v, note->block, *head);
	}
	if (!note->reached)
		free_list_page(v, note);
	if (live)
		unlock_list(v->index, head->block, ExclusiveLock);
}

/* Does the list page `owner` name the slot page? head: of its list; false, kNoBlock: there is no such list page. */
static bool
names_slot_page(Vacuum *v, BlockNumber owner, BlockNumber blkno, BlockNumber &head)
{
	head = kNoBlock;
	if (owner == 0 || owner >= RelationGetNumberOfBlocks(v->index))
		return false;
	Buffer buffer = read_block(v, owner, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool found = false;
	if (!PageIsNew(page) && page_is(page, IvfPageKind::list))
	{
		const ListHeader *header = list_header(page);
		head = header->head;
		const uint32 *slots = slot_blocks(page);
		found = std::find(slots, slots + shape_of(v, header->flags).slot_pages, blkno) !=
				slots + shape_of(v, header->flags).slot_pages;
	}
	UnlockReleaseBuffer(buffer);
	return found;
}

static void
settle_slot_page(Vacuum *v, const SlotNote &note)
{
	BlockNumber head;
	if (is_named(v, note.block) || names_slot_page(v, note.owner, note.block, head))
		return;
	if (head != kNoBlock)
		lock_list(v->index, head, ExclusiveLock);
	BlockNumber again;
	if (!names_slot_page(v, note.owner, note.block, again) && again == head)
		free_slot_page(v, note.block, note.owner);
	if (head != kNoBlock)
		unlock_list(v->index, head, ExclusiveLock);
}

void
settle_pages(Vacuum *v)
{
	read_heads(v);
	PageNote *directory = note_of(v, v->directory);
	if (directory == nullptr)
		pg::report_corrupt(v->index, v->directory, "not a page of the directory");
	follow(v, directory, nullptr);
	for (Size i = 0; i < v->heads.count; i++)
	{
		PageNote *head = note_of(v, v->heads.items[i]);
		if (head == nullptr || head->head != head->block || (head->flags & kListDirectory) != 0 || head->reached)
			pg::report_corrupt(v->index, v->heads.items[i], "not the one head of a list that the directory names");
		follow(v, head, nullptr);
		reset_insert_block(v, head);
	}
	reset_insert_block(v, directory);
	for (Size i = 0; i < v->pages.count; i++)
	{
		PageNote *note = &v->pages.items[i];
		if (!note->reached && note->head == note->block && (note->flags & kListGone) != 0)
			free_gone_list(v, note);
	}
	/* Lists that a crash kept from the directory, and ends of chains that it kept from their lists. */
	for (Size i = 0; i < v->pages.count; i++)
		if (!v->pages.items[i].reached)
			settle_stray_page(v, &v->pages.items[i]);
	for (Size i = 0; i < v->unnamed.count; i++)
		settle_slot_page(v, v->unnamed.items[i]);
}

}  // namespace vecdb::ivf
