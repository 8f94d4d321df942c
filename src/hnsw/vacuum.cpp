/* SPDX-License-Identifier: PostgreSQL
 * ambulkdelete and amvacuumcleanup: take dead rows out, mend the graph around them, give their slots back.
 *
 * Regime: shell.
 * Steps:  1 mark      block order: dead TIDs go; base nodes without rows become DEAD (still way points)
 *         2 chains    emptied `duplicate` slots are unhooked and freed; nodes whose chain has emptied become DEAD
 *         3 uppers    the slots of dead nodes on upper layers become DEAD, layer by layer
 *           barrier   inserts that may still link to what is now DEAD are waited for; later ones see DEAD
 *         4 connect   what cannot be reached from the new entry point over live nodes alone is linked from what can
 *         5 entry     the entry point moves to a live node
 *         6 mend      live nodes with a lane to a dead one get new lanes; a live lane goes only where one that stays
 *                     leads to the same node, so that after step 4 nothing depends on the dead any more
 *         7 relink    nodes that lost their last in-link, or most lanes, are searched for and linked again; not before
 *                     step 6 has ended, which would prune the new links away
 *         8 connect   once more, for what inserts did meanwhile: one that found nothing but dead nodes where it looked has
 *                     made its node the entry point, which does not lead to all yet
 *           barrier   inserts that may have seen a dead way point are waited for
 *         9 free      DEAD -> FREE
 * Work:   every page once in step 1; where that finds nothing dead, no more. Else steps 4 and 8 read each node page once
 *         or twice, and all else follows the dead: pages of nodes with a lane to one, and one search for each node that
 *         nothing leads to.
 * Crash:  every change is one page and one record, and after each of them every live node can be reached. Marks outlive
 *         a crash or a cancel: the next vacuum takes DEAD slots into its dead set. A slot is freed only when no live
 *         node, chain or entry point leads to it.
 * Locks:  pages one at a time. The graph lock, exclusive: for a moment at the barriers, and for a few page visits at a
 *         time over chain surgery, which so has no inserter beside it. Nothing is locked at a delay point.
 * Scans:  are not waited for. They check each slot they come to; a TID they have copied is of a row that their snapshot
 *         does not see, since the heap lets go of it only after this vacuum.
 * Memory: six bits a slot, 8 bytes for each upper slot (one of m nodes has them), 8 for each emptied slot of
 *         duplicates: 1.3 bytes a row, whatever maintenance_work_mem is.
 * Parallel workers of VACUUM may do all this: a worker has the index to itself, and page locks conflict within a group.
 */
#include "hnsw/handler.hpp"
#include "hnsw/vacuum.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;

/* A live slot of the highest layer that has one. False: nothing lives. Caller holds the entry lock. */
static bool
choose_entry(Vacuum *v, uint32 &id, uint32 &level)
{
	const HnswShape &shape = v->state->shape;
	for (level = kMaxLevel; level > 0; level--)
		for (Size i = 0; i < v->uppers[level].count; i++)
		{
			id = v->uppers[level].items[i].id;
			if (v->dead.test(id))
				continue;
			NodeHeader slot = read_header(v, id);
			if (is_state(&slot, NodeState::live) && slot.level == level)
				return true;
		}
	BlockNumber blocks = RelationGetNumberOfBlocks(v->index);
	for (BlockNumber blkno = 1; blkno < blocks; blkno++)
	{
		if (blkno < v->blocks && !v->node_pages.test(blkno))
			continue;
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		bool found = false;
		for (uint32 i = 0; i < shape.slots_per_page && !found && page_is(page, PageKind::node); i++)
		{
			id = blkno * shape.slots_per_page + i;
			const NodeHeader *slot = slot_header(page, shape, id);
			found = is_state(slot, NodeState::live) && slot->level == 0;
		}
		UnlockReleaseBuffer(buffer);
		if (found)
			return true;
	}
	return false;
}

/* The entry point, or a live slot to take its place. False: nothing lives. */
static bool
new_entry(Vacuum *v, uint32 &id, uint32 &level)
{
	HnswMeta meta;
	read_meta(v->index, meta);
	id = meta.entry_id;
	level = meta.entry_level;
	return id != kInvalidId && (!v->dead.test(id) || choose_entry(v, id, level));
}

/* found: id and level are what new_entry has found, and all is linked from there. */
static void
move_entry(Vacuum *v, bool found, uint32 id, uint32 level)
{
	HnswMeta meta;
	read_meta(v->index, meta);
	if (meta.entry_id == kInvalidId || !v->dead.test(meta.entry_id))
		return;
	lock_entry(v->index);
	read_meta(v->index, meta);
	if (meta.entry_id != kInvalidId && v->dead.test(meta.entry_id))
	{
		/*
		 * Where nothing lives, an inserter that has met dead nodes only waits for the entry lock, and then makes its own
		 * node the entry point.
		 */
		if (found || choose_entry(v, id, level))
			set_entry(v->index, id, level);
		else
			set_entry(v->index, kInvalidId, 0);
	}
	unlock_entry(v->index);
}

/* Waits for the inserts under way. */
static void
barrier(Vacuum *v)
{
	lock_graph(v->index, ExclusiveLock);
	unlock_graph(v->index, ExclusiveLock);
}

static void
bulk_delete(Vacuum *v)
{
	HnswMeta meta;
	v->state = index_state(v->index, meta);
	v->blocks = RelationGetNumberOfBlocks(v->index);
	uint64 slots = static_cast<uint64>(v->blocks) * v->state->shape.slots_per_page;
	v->dead.init(slots);
	v->node_pages.init(v->blocks);

	for (BlockNumber blkno = 1; blkno < v->blocks; blkno++)
	{
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		mark_page(v, blkno);
	}
	clean_chains(v);
	for (uint32 level = 1; level <= kMaxLevel; level++)
		mark_upper_layer(v, level);
	if (v->dead_count == 0)
		return;
	barrier(v);

	Linker *linker = make_linker(v->index, v->state);
	Repairer *repairer = make_repairer(linker, &v->dead);
	prepare_collect(v);
	uint32 entry_id, entry_level;
	bool found = new_entry(v, entry_id, entry_level);
	if (found)
		connect_graph(v, linker, entry_id, entry_level, true);
	move_entry(v, found, entry_id, entry_level);
	SlotPairs weak{};
	mend_graph(v, repairer, weak);
	relink_nodes(v, linker, weak);
	if (new_entry(v, entry_id, entry_level))
		connect_graph(v, linker, entry_id, entry_level, false);
	barrier(v);
	free_dead_slots(v);
}

IndexBulkDeleteResult *
hnsw_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
				 void *callback_state)
{
	if (stats == nullptr)
		stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
	/* Counted anew in every round of a vacuum; what was removed adds up. */
	stats->num_index_tuples = 0;
	stats->pages_free = 0;
	stats->estimated_count = false;

	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw vacuum", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *v = static_cast<Vacuum *>(palloc0(sizeof(Vacuum)));
	v->info = info;
	v->stats = stats;
	v->callback = callback;
	v->callback_state = callback_state;
	v->index = info->index;
	bulk_delete(v);
	FreeSpaceMapVacuum(info->index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	return stats;
}

IndexBulkDeleteResult *
hnsw_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	/* Nothing was deleted, so nothing was counted: the planner's estimate from the heap is as good. */
	if (info->analyze_only || stats == nullptr)
		return stats;
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	/* Rows that came or went behind the counting pass can show as more rows than the heap has. */
	if (!info->estimated_count && stats->num_index_tuples > info->num_heap_tuples)
		stats->num_index_tuples = info->num_heap_tuples;
	return stats;
}

}  // namespace vecdb::hnsw
