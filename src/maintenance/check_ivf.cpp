/* SPDX-License-Identifier: PostgreSQL
 * vecdb.check_index() of an ivf index: pages, owners, the directory, the chains of lists.
 *
 * Regime: shell.
 * Locks:  the caller's ShareLock on table and index: reads go on, writes and vacuum wait.
 * Memory: 6 bytes a page, 48 for each list page, 16 a row.
 * What is sound: pages of gone lists, and pages that nobody names (a crash left them; vacuum takes them). Rows that are in two lists, as
 * after a reorganisation that did not end: a NOTICE says how many, and the next reorganisation of one of the two mends it.
 */
#include "maintenance/check_ivf.hpp"

#include <algorithm>
#include <cmath>

namespace vecdb::maintenance
{

using namespace core::layout;
using core::lists::block_header;
using core::lists::block_tids;
using ivf::list_header;
using ivf::page_is;
using ivf::page_trailer;

static const char *const check_names[kIvfChecks] = {"metapage",    "page",         "owner",     "directory",
													"list",        "slot",         "checksum",  "code",
													"missing_row", "repeated_row", "extra_row", "wrong_vector"};

void
ivf_problem(IvfCheck *c, IvfCheckName name, int64 blkno, const char *format, ...)
{
	if (c->counts[name]++ >= kMaxRows)
		return;
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	put_problem(c->result, check_names[name], blkno, text);
}

void
copy_ivf_page(IvfCheck *c, BlockNumber blkno)
{
	CHECK_FOR_INTERRUPTS();
	Buffer buffer = ReadBufferExtended(c->index, MAIN_FORKNUM, blkno, RBM_NORMAL, c->strategy);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(c->page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
}

ListNote *
list_note(const IvfCheck *c, BlockNumber blkno)
{
	ListNote *note = std::lower_bound(c->pages.begin(), c->pages.end(), blkno,
									  [](const ListNote &a, BlockNumber b) noexcept { return a.block < b; });
	return note != c->pages.end() && note->block == blkno ? note : nullptr;
}

static void *
huge(Size bytes)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* --- metapage and pages --- */

static bool
check_metapage(IvfCheck *c)
{
	c->blocks = RelationGetNumberOfBlocks(c->index);
	if (c->blocks == 0)
	{
		ivf_problem(c, kIvfMetapage, 0, "the file is empty");
		return false;
	}
	copy_ivf_page(c, 0);
	if (!page_is(c->page, IvfPageKind::meta))
	{
		ivf_problem(c, kIvfMetapage, 0, "not a metapage of a vecdb ivf index");
		return false;
	}
	c->meta = *ivf::page_meta(c->page);
	if (!ivf::meta_is_sealed(c->meta))
	{
		ivf_problem(c, kIvfMetapage, 0, "checksum of the metapage does not match");
		return false;
	}
	core::Status status = check_meta(c->meta, c->blocks, c->shape);
	if (!status.ok())
	{
		ivf_problem(c, kIvfMetapage, 0, "%s", status.message);
		return false;
	}
	c->directory = directory_shape(c->shape.code_dims);
	if (c->meta.metric == static_cast<uint8>(ivf::Metric::l1) && c->meta.rotation_seed != 0)
		ivf_problem(c, kIvfMetapage, 0, "rotation does not fit the metric");
	return true;
}

/* Vector pages that the metapage names: mean and codebooks. */
static bool
is_vector_block(const IvfCheck *c, BlockNumber blkno)
{
	constexpr uint32 kPerPage = kPageBodyBytes / sizeof(float);
	const IvfMeta &meta = c->meta;
	BlockNumber mean = (row_dimensions(meta) + kPerPage - 1) / kPerPage;
	core::lists::Codebooks codebooks{c->shape.segments, meta.pq_bits, nullptr, c->shape.code_dims};
	auto books = static_cast<BlockNumber>((codebooks.floats() + kPerPage - 1) / kPerPage);
	return (meta.mean_block != kNoBlock && blkno >= meta.mean_block && blkno - meta.mean_block < mean) ||
		   (meta.codebook_block != kNoBlock && blkno >= meta.codebook_block && blkno - meta.codebook_block < books);
}

static void
note_list_page(IvfCheck *c, BlockNumber blkno)
{
	const ListHeader *header = list_header(c->page);
	const char *fault = check_list_header(*header, (header->flags & kListDirectory) != 0 ? c->directory : c->shape);
	if (fault != nullptr)
	{
		ivf_problem(c, kIvfPage, blkno, "%s", fault);
		return;
	}
	c->kinds[blkno] = static_cast<uint8>(IvfPageKind::list);
	c->pages.push(ListNote{blkno, *header, kNoList});
}

static void
check_page(IvfCheck *c, BlockNumber blkno)
{
	bool vector = is_vector_block(c, blkno);
	if (PageIsNew(c->page))
	{
		if (vector)
			ivf_problem(c, kIvfPage, blkno, "a page of the mean or the codebooks is empty");
		return;
	}
	auto header = reinterpret_cast<PageHeader>(c->page);
	if (header->pd_special != BLCKSZ - kPageTrailerBytes || header->pd_upper != header->pd_special ||
		header->pd_lower < kPageHeaderBytes || header->pd_lower > header->pd_upper)
		ivf_problem(c, kIvfPage, blkno, "invalid page header");
	else if (std::any_of(c->page + header->pd_lower, c->page + header->pd_upper,
						 [](char b) noexcept { return b != 0; }))
		ivf_problem(c, kIvfPage, blkno, "data where the page should be empty");
	const PageTrailer *trailer = page_trailer(c->page);
	if (vector != page_is(c->page, IvfPageKind::vector))
		ivf_problem(c, kIvfPage, blkno, "unexpected kind of page: %u", trailer->kind);
	else if (vector)
	{
		if (trailer->crc != ivf::body_crc(c->page))
			ivf_problem(c, kIvfChecksum, blkno, "checksum of the mean or the codebooks does not match");
	}
	else if (page_is(c->page, IvfPageKind::list))
		note_list_page(c, blkno);
	else if (page_is(c->page, IvfPageKind::slots))
	{
		c->kinds[blkno] = static_cast<uint8>(IvfPageKind::slots);
		c->owner[blkno] = trailer->owner;
	}
	else if (!page_is(c->page, IvfPageKind::free))
		ivf_problem(c, kIvfPage, blkno, "unexpected kind of page: %u", trailer->kind);
}

static void
check_pages(IvfCheck *c)
{
	c->kinds = static_cast<uint8 *>(huge(c->blocks));
	c->owner = static_cast<BlockNumber *>(huge(static_cast<Size>(c->blocks) * sizeof(BlockNumber)));
	c->named = static_cast<uint8 *>(huge(c->blocks / 8 + 1));
	for (BlockNumber blkno = 1; blkno < c->blocks; blkno++)
	{
		copy_ivf_page(c, blkno);
		check_page(c, blkno);
	}
}

/* --- chains and owners --- */

/* The slot pages that a page of a list or of the directory names. */
static void
check_slot_pages(IvfCheck *c, BlockNumber blkno, const IvfShape &shape)
{
	if (shape.slot_pages == 0)
		return;
	copy_ivf_page(c, blkno);
	const uint32 *slots = ivf::slot_blocks(c->page);
	for (uint32 i = 0; i < shape.slot_pages; i++)
	{
		BlockNumber slot = slots[i];
		if (slot == 0)
			continue;
		if (slot >= c->blocks || c->kinds[slot] != static_cast<uint8>(IvfPageKind::slots))
			ivf_problem(c, kIvfOwner, blkno, "names block %u as a slot page, which is none", slot);
		else if (c->owner[slot] != blkno)
			ivf_problem(c, kIvfOwner, slot, "a slot page of block %u, named by block %u", c->owner[slot], blkno);
		else if ((c->named[slot / 8] >> (slot % 8) & 1) != 0)
			ivf_problem(c, kIvfOwner, slot, "block %u names this slot page twice", blkno);
		else
			c->named[slot / 8] = static_cast<uint8>(c->named[slot / 8] | 1 << (slot % 8));
	}
}

/* list: index in c->lists, or its number for the directory, of which gone lists are told by their head's flag. */
static void
check_chain(IvfCheck *c, BlockNumber head, uint32 list, uint16 flags, const IvfShape &shape)
{
	const ListNote *first = list_note(c, head);
	for (BlockNumber blkno = head; blkno != kNoBlock;)
	{
		ListNote *note = list_note(c, blkno);
		bool ours = note != nullptr && note->header.head == head && note->header.list_id == first->header.list_id;
		/* Vacuum frees a gone list from its end. */
		if (!ours && (flags & kListGone) != 0)
			return;
		if (!ours)
		{
			ivf_problem(c, kIvfList, head, "the list leads to block %u, which is not one of its pages", blkno);
			return;
		}
		if (note->list != kNoList)
		{
			ivf_problem(c, kIvfList, head, "the list leads to block %u for the second time", blkno);
			return;
		}
		constexpr uint16 kKind = kListDirectory | kListOwnTable;
		if ((note->header.flags & kKind) != (flags & kKind) ||
			((note->header.flags & kListHead) != 0) != (blkno == head))
			ivf_problem(c, kIvfList, blkno, "flags %u do not fit the list", note->header.flags);
		note->list = list;
		if (list < c->lists.count)
			c->chain.push(blkno);
		check_slot_pages(c, blkno, shape);
		blkno = note->header.next;
	}
}

/* One row of the directory. */
static void
check_entry(IvfCheck *c, BlockNumber page, uint32 lane, RowTid tid)
{
	BlockNumber head = tid_block(tid);
	const ListNote *note = head < c->blocks ? list_note(c, head) : nullptr;
	if (tid.offset != 1 || note == nullptr || note->header.head != head ||
		(note->header.flags & (kListHead | kListDirectory | kListGone)) != kListHead)
	{
		ivf_problem(c, kIvfDirectory, page, "lane %u: block %u is not the head of a list", lane, head);
		return;
	}
	if (note->header.list_id >= c->meta.next_list_id)
		ivf_problem(c, kIvfDirectory, head, "list %u was never made", note->header.list_id);
	if (!(note->header.residual2 >= 0))
		ivf_problem(c, kIvfList, head, "invalid mean square distance");
	c->lists.push(ListEntry{head, page, lane, note->header.list_id});
	if (!read_slot(c, c->directory, page, lane, tid))
		return;
	const auto *centre = reinterpret_cast<const float *>(c->slot + sizeof(SlotHeader));
	for (uint32 i = 0; i < c->shape.code_dims; i++)
		if (!std::isfinite(centre[i]))
		{
			ivf_problem(c, kIvfDirectory, page, "lane %u: the centre is not finite", lane);
			return;
		}
}

static void
check_directory(IvfCheck *c)
{
	const ListNote *directory = list_note(c, c->meta.directory);
	if (directory == nullptr || directory->header.head != directory->block ||
		(directory->header.flags & kListDirectory) == 0)
	{
		ivf_problem(c, kIvfDirectory, c->meta.directory, "not the head of the directory");
		return;
	}
	check_chain(c, c->meta.directory, kNoList - 1, directory->header.flags, c->directory);
	for (Size i = 0; i < c->pages.count; i++)
	{
		if (c->pages.items[i].list != kNoList - 1)
			continue;
		BlockNumber blkno = c->pages.items[i].block;
		copy_ivf_page(c, blkno);
		for (uint32 b = 0; b < c->pages.items[i].header.blocks; b++)
		{
			const uint8 *block = ivf::list_block(c->page, c->directory, b);
			for (uint32 live = block_header(block)->live; live != 0; live &= live - 1)
			{
				uint32 lane = static_cast<uint32>(__builtin_ctz(live));
				check_entry(c, blkno, b * kLanes + lane, block_tids(c->directory, block)[lane]);
			}
		}
	}
	if (c->lists.count != c->meta.list_count && c->counts[kIvfDirectory] == 0)
		ivf_problem(c, kIvfMetapage, 0, "%u lists, %zu in the directory", c->meta.list_count, c->lists.count);
}

static void
check_lists(IvfCheck *c)
{
	for (uint32 i = 0; i < c->lists.count; i++)
		check_chain(c, c->lists.items[i].head, i, list_note(c, c->lists.items[i].head)->header.flags, c->shape);
	for (Size i = 0; i < c->pages.count; i++)
	{
		const ListNote &note = c->pages.items[i];
		if ((note.header.flags & kListGone) != 0 && note.header.head == note.block && note.list == kNoList)
			check_chain(c, note.block, kNoList - 2, note.header.flags, c->shape);
	}
	auto *ids = static_cast<uint32 *>(huge((c->lists.count + 1) * sizeof(uint32)));
	for (Size i = 0; i < c->lists.count; i++)
		ids[i] = c->lists.items[i].list_id;
	std::sort(ids, ids + c->lists.count);
	for (Size i = 1; i < c->lists.count; i++)
		if (ids[i] == ids[i - 1])
			ivf_problem(c, kIvfDirectory, -1, "two lists are number %u", ids[i]);
	pfree(ids);
}

static void
open_state(IvfCheck *c)
{
	ivf::IvfMeta meta;
	c->state = ivf::index_state(c->index, meta);
	const IvfShape &shape = c->state->codec.shape;
	/* Bits are read as floats are: room for both. */
	Size bytes = (shape.code_dims + 16) * sizeof(float);
	c->x = static_cast<float *>(palloc0(bytes));
	c->v = static_cast<float *>(palloc0(bytes));
	c->residual = static_cast<float *>(palloc0(bytes));
	c->scratch = static_cast<float *>(palloc0(2 * bytes));
	c->expected.codes = static_cast<uint8 *>(palloc0(shape.segments + 1));
	c->expected.slot = static_cast<uint8 *>(palloc0(shape.slot_bytes + 1));
}

static void
run(IvfCheck *c)
{
	c->page = static_cast<char *>(palloc(BLCKSZ));
	c->strategy = GetAccessStrategy(BAS_BULKREAD);
	if (!check_metapage(c))
		return;
	c->slot = static_cast<uint8 *>(palloc(std::max(c->shape.slot_bytes, c->directory.slot_bytes) + kPageBytes));
	c->centre = static_cast<float *>(palloc0((c->shape.code_dims + 16) * sizeof(float)));
	check_pages(c);
	check_directory(c);
	check_lists(c);
	/* Only a sound mean, and centres that are there, tell anything of codes. */
	if (c->counts[kIvfPage] + c->counts[kIvfChecksum] + c->counts[kIvfDirectory] + c->counts[kIvfSlot] == 0)
		open_state(c);
	check_lanes(c);
	check_ivf_rows(c);
	for (int i = 0; i < kIvfChecks; i++)
	{
		uint32 hidden = c->counts[i] > kMaxRows ? c->counts[i] - kMaxRows : 0;
		if (hidden == 0)
			continue;
		c->counts[i] = 0;
		ivf_problem(c, static_cast<IvfCheckName>(i), -1, "and %u more", hidden);
	}
}

void
check_ivf(const OwnIndex &own, ReturnSetInfo *result, bool heap_rows)
{
	auto *c = static_cast<IvfCheck *>(palloc0(sizeof(IvfCheck)));
	c->own = own;
	c->index = own.index;
	c->result = result;
	c->heap_rows = heap_rows;
	run(c);
}

}  // namespace vecdb::maintenance
