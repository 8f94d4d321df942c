/* SPDX-License-Identifier: PostgreSQL
 * Steps 6, 7 and 9 of a vacuum: new lanes for who has lost some, and the slots of the dead given back.
 *
 * Regime: shell.
 */
#include "hnsw/vacuum.hpp"

#include "hnsw/insert.hpp"
#include "pg/report.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;

static void
relink(Vacuum *v, Linker *linker, uint32 id)
{
	pg::vacuum_delay_point_compat();
	CHECK_FOR_INTERRUPTS();
	lock_graph(v->index, ShareLock);
	relink_node(linker, id);
	unlock_graph(v->index, ShareLock);
}

static void
mend_slots(Vacuum *v, Repairer *repairer, Page page, BlockNumber blkno, SlotPairs &weak)
{
	const HnswShape &shape = v->state->shape;
	for (uint32 i = 0; i < shape.slots_per_page; i++)
	{
		uint32 id = blkno * shape.slots_per_page + i;
		NodeHeader *node = slot_header(page, shape, id);
		const char *fault = check_node(*node, shape);
		if (fault != nullptr)
			pg::report_corrupt(v->index, blkno, fault);
		if (!is_state(node, NodeState::live) || !is_hurt(v, node))
			continue;
		pg::vacuum_delay_point_compat();
		uint32 lanes[BeamSearch::kMaxLanes];
		uint32 was;
		uint32 count = repair_node(repairer, id, lanes, was);
		if (count < v->state->meta.m / 2u && (count < was || v->leftover))
			weak.push(SlotPair{id, 0});
		for (uint32 k = 0; k < count; k++)
			v->linked.set(lanes[k]);
	}
}

void
mend_graph(Vacuum *v, Repairer *repairer, SlotPairs &weak)
{
	char *page = static_cast<char *>(palloc(BLCKSZ));
	for (BlockNumber blkno = 1; blkno < v->reach; blkno++)
	{
		if (!v->hurt.test(blkno))
			continue;
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
		memcpy(page, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		if (page_is(page, PageKind::node))
			mend_slots(v, repairer, page, blkno, weak);
	}
	pfree(page);
}

void
relink_nodes(Vacuum *v, Linker *linker, const SlotPairs &weak)
{
	for (Size i = 0; i < weak.count; i++)
	{
		relink(v, linker, weak.items[i].id);
		v->linked.set(weak.items[i].id);
	}
	HnswMeta meta;
	read_meta(v->index, meta);
	for (uint64 word = 0; word <= v->live.bits / 64; word++)
	{
		uint64 lonely = v->live.words[word] & ~v->linked.words[word];
		for (; lonely != 0; lonely &= lonely - 1)
		{
			auto id = static_cast<uint32>(word * 64 + static_cast<uint64>(__builtin_ctzll(lonely)));
			if (id != meta.entry_id)
				relink(v, linker, id);
		}
	}
}

/* --- 9 free --- */

void
free_dead_slots(Vacuum *v)
{
	const HnswShape &shape = v->state->shape;
	for (BlockNumber blkno = 1; blkno < v->blocks; blkno++)
	{
		uint64 first = static_cast<uint64>(blkno) * shape.slots_per_page;
		if (!any_bit(v->dead, first, shape.slots_per_page))
			continue;
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = read_block(v, blkno, BUFFER_LOCK_EXCLUSIVE);
		Page page = BufferGetPage(buffer);
		Editor editor = edit(v->index, buffer);
		uint32 used = 0;
		for (uint32 i = 0; i < shape.slots_per_page; i++)
		{
			auto id = static_cast<uint32>(first + i);
			const NodeHeader *now = slot_header(page, shape, id);
			if (v->dead.test(id) && is_state(now, NodeState::dead))
				make_free(editor.slot(shape, id));
			else
				used += is_state(now, NodeState::free) ? 0 : 1;
		}
		editor.finish();
		RecordPageWithFreeSpace(v->index, blkno, kFsmHasSlots);
		if (used == 0)
			v->stats->pages_free++;
	}
}

}  // namespace vecdb::hnsw
