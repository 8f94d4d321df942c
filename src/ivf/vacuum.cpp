/* SPDX-License-Identifier: PostgreSQL
 * ambulkdelete and amvacuumcleanup: take dead rows out of the lists, give pages back, then have the lists tidied.
 *
 * Regime: shell.
 * Steps:  1 pass     all pages in block order but slot pages that a list page before them names; dead rows lose their live bit,
 *                    one record a page
 *         2 settle   insert_block back to the first page with room; pages of gone lists and pages without an owner
 *                    become free (vacuum_pages.cpp)
 *         3 tidy     lists that are too small, too large or have drifted are made anew (split.cpp); at the end of a VACUUM
 * Work:   step 2 uses what step 1 has noted, so a VACUUM reads the index once: in its last ambulkdelete, or where nothing died
 *         in amvacuumcleanup.
 * Locks:  the reorganisation lock over steps 1 and 2, so that no row moves from a page to come to one that has passed; inserts and
 *         scans go on. Nothing but that lock is held at a delay point.
 * Crash:  every change is one page and one record, after each of which all that lives is found.
 * Scans:  are not waited for. A TID that they have copied is of a row that their snapshot does not see, since the heap lets go of
 *         it only after this. Lanes of gone lists are cleared too: a TID in the index must be one of the heap.
 * Memory: 36 bytes for each list page, 8 for slot pages that lie before theirs, a bit a block.
 */
#include "ivf/vacuum.hpp"

#include "ivf/handler.hpp"
#include "ivf/split.hpp"
#include "pg/report.hpp"
#include "storage/wal.hpp"

namespace vecdb::ivf
{

using namespace core::layout;
using core::lists::block_header;
using core::lists::block_tids;
using storage::PageChange;

/* Blocks of a page are 64 at most (finish_shape). */
constexpr uint32 kMaxBlocks = 64;

/* --- 1 pass --- */

/* Asks about each row of a page, once only: CREATE INDEX CONCURRENTLY takes down what it is asked about. Returns how many are
 * dead; their lanes in dead[], a word a block. */
static uint32
ask_page(Vacuum *v, Page page, const IvfShape &shape, uint32 *dead, uint32 &live)
{
	uint32 count = 0;
	live = 0;
	for (uint32 b = 0; b < list_header(page)->blocks; b++)
	{
		uint8 *block = list_block(page, shape, b);
		const RowTid *tids = block_tids(shape, block);
		uint32 lanes = block_header(block)->live;
		dead[b] = 0;
		for (uint32 left = lanes; left != 0 && v->callback != nullptr; left &= left - 1)
		{
			uint32 lane = static_cast<uint32>(__builtin_ctz(left));
			ItemPointerData tid;
			memcpy(&tid, &tids[lane], sizeof tid);
			if (v->callback(&tid, v->callback_state))
				dead[b] |= 1u << lane;
		}
		count += static_cast<uint32>(__builtin_popcount(dead[b]));
		live += static_cast<uint32>(__builtin_popcount(lanes & ~dead[b]));
	}
	return count;
}

/* Inserts may have added rows since the page was asked about; nobody takes any away but us. */
static void
clear_lanes(Vacuum *v, Buffer buffer, const IvfShape &shape, const uint32 *dead, uint32 blocks)
{
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	PageChange change = PageChange::begin(v->index);
	Page page = change.page(buffer);
	for (uint32 b = 0; b < blocks; b++)
		block_header(list_block(page, shape, b))->live &= ~dead[b];
	change.finish();
}

static void
pass_list_page(Vacuum *v, Buffer buffer, BlockNumber blkno)
{
	Page page = BufferGetPage(buffer);
	const ListHeader *header = list_header(page);
	const IvfShape &shape = shape_of(v, header->flags);
	const char *fault = check_list_header(*header, shape);
	if (fault != nullptr)
		pg::report_corrupt(v->index, blkno, fault);
	for (uint32 i = 0; i < shape.slot_pages; i++)
		if (slot_blocks(page)[i] < v->blocks)
			set_named(v, slot_blocks(page)[i]);
	PageNote note{blkno, header->head, header->next, header->list_id, 0, 0, header->flags, false, false};
	if ((header->flags & kListDirectory) == 0)
	{
		uint32 dead[kMaxBlocks];
		uint32 blocks = header->blocks;
		note.removed = ask_page(v, page, shape, dead, note.live);
		if (note.removed > 0)
			clear_lanes(v, buffer, shape, dead, blocks);
	}
	else
		for (uint32 b = 0; b < header->blocks; b++)
			note.live += static_cast<uint32>(__builtin_popcount(block_header(list_block(page, shape, b))->live));
	v->pages.push(note);
}

static void
pass_page(Vacuum *v, BlockNumber blkno)
{
	Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	/* Who adds a page keeps it locked until it has an owner, so an empty one is nobody's. */
	bool empty = PageIsNew(page) || page_is(page, IvfPageKind::free);
	bool known = empty || page_is(page, IvfPageKind::vector);
	if (!empty && page_is(page, IvfPageKind::slots))
	{
		known = true;
		v->unnamed.push(SlotNote{blkno, page_trailer(page)->owner});
	}
	else if (!empty && page_is(page, IvfPageKind::list))
	{
		known = true;
		pass_list_page(v, buffer, blkno);
	}
	UnlockReleaseBuffer(buffer);
	if (!known)
		pg::report_corrupt(v->index, blkno, "not a page of a vecdb ivf index");
	if (empty)
	{
		/* The map is not WAL-logged: also pages freed long ago are made known again. */
		RecordFreeIndexPage(v->index, blkno);
		v->free_pages++;
	}
}

static void
count_pages(Vacuum *v)
{
	IndexBulkDeleteResult *stats = v->stats;
	/* Counted anew in every pass of a vacuum; what was removed adds up. */
	stats->num_index_tuples = 0;
	stats->pages_deleted = v->free_pages;
	stats->pages_free = v->free_pages;
	stats->estimated_count = false;
	for (Size i = 0; i < v->pages.count; i++)
	{
		const PageNote &note = v->pages.items[i];
		if (note.freed || (note.flags & kListDirectory) != 0)
			continue;
		/* Rows of gone lists are in others as well. */
		if ((note.flags & kListGone) != 0)
			stats->pages_deleted++;
		else
		{
			stats->num_index_tuples += note.live;
			stats->tuples_removed += note.removed;
		}
	}
}

static void
pass(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback, void *callback_state)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf vacuum", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *v = static_cast<Vacuum *>(palloc0(sizeof(Vacuum)));
	v->info = info;
	v->stats = stats;
	v->callback = callback;
	v->callback_state = callback_state;
	v->index = info->index;

	lock_reorganisation(v->index);
	IvfMeta meta;
	v->state = index_state(v->index, meta);
	v->directory = meta.directory;
	v->blocks = RelationGetNumberOfBlocks(v->index);
	v->named = static_cast<uint8 *>(palloc0(v->blocks / 8 + 1));
	for (BlockNumber blkno = 1; blkno < v->blocks; blkno++)
	{
		if (is_named(v, blkno))
			continue;
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		pass_page(v, blkno);
	}
	settle_pages(v);
	unlock_reorganisation(v->index);

	count_pages(v);
	IndexFreeSpaceMapVacuum(v->index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
}

IndexBulkDeleteResult *
ivf_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
				void *callback_state)
{
	if (stats == nullptr)
		stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
	pass(info, stats, callback, callback_state);
	return stats;
}

IndexBulkDeleteResult *
ivf_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only)
		return stats;
	/* Nothing has died: for the pages of gone lists, and to know what there is. */
	if (stats == nullptr)
	{
		stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
		pass(info, stats, nullptr, nullptr);
	}
	/* Rows that came or went behind the pass, or are in two lists after a crash, can show as more than the heap has. */
	if (!info->estimated_count && stats->num_index_tuples > info->num_heap_tuples)
		stats->num_index_tuples = info->num_heap_tuples;
	ivf_tidy(info->index);
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	return stats;
}

}  // namespace vecdb::ivf
