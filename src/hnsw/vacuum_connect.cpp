/* SPDX-License-Identifier: PostgreSQL
 * Steps 4 and 8 of a vacuum: every node can be reached over live ones.
 *
 * Regime: shell.
 */
#include "hnsw/vacuum.hpp"

#include "hnsw/insert.hpp"
#include "pg/report.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;

void
prepare_collect(Vacuum *v)
{
	v->reach = RelationGetNumberOfBlocks(v->index);
	uint64 slots = static_cast<uint64>(v->reach) * v->state->shape.slots_per_page;
	v->live.init(slots);
	v->linked.init(slots);
	v->hurt.init(v->reach);
}

/* Notes the live slots of a page, whom they link to, and whether one has to be mended. */
static void
collect_page(Vacuum *v, Page page, BlockNumber blkno)
{
	const HnswShape &shape = v->state->shape;
	for (uint32 i = 0; i < shape.slots_per_page; i++)
	{
		uint32 id = blkno * shape.slots_per_page + i;
		const NodeHeader *node = slot_header(page, shape, id);
		const char *fault = check_node(*node, shape);
		if (fault != nullptr)
			pg::report_corrupt(v->index, blkno, fault);
		if (!is_state(node, NodeState::live))
			continue;
		v->live.set(id);
		const uint32 *lanes = slot_lanes(node, shape);
		if (is_hurt(v, node))
			v->hurt.set(blkno);
		else
			for (uint32 k = 0; k < node->lane_count; k++)
				v->linked.set(lanes[k]);
	}
}

/* Follows the links of the pending slots of one page, again and again while they stay on it. */
static void
spread_page(Vacuum *v, BlockNumber blkno, Bitmap &reached, Bitmap &pending, bool collect)
{
	const HnswShape &shape = v->state->shape;
	uint64 first = static_cast<uint64>(blkno) * shape.slots_per_page;
	Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool good = page_is(page, PageKind::node);
	if (collect && good)
		collect_page(v, page, blkno);
	while (any_bit(pending, first, shape.slots_per_page))
		for (uint32 i = 0; i < shape.slots_per_page; i++)
		{
			if (!pending.test(first + i))
				continue;
			pending.clear(first + i);
			NodeHeader *node = slot_header(page, shape, static_cast<uint32>(first + i));
			if (!good || !is_state(node, NodeState::live) || check_node(*node, shape) != nullptr)
				continue;
			const uint32 *lanes = slot_lanes(node, shape);
			for (uint32 k = 0; k < node->lane_count; k++)
				if (!reached.test(lanes[k]))
				{
					reached.set(lanes[k]);
					pending.set(lanes[k]);
				}
		}
	UnlockReleaseBuffer(buffer);
}

/*
 * Sweeps over the pages in block order, round and round from `start`, until nothing new is reached: one or two do,
 * mostly. The first one visits every page of nodes where it is to collect.
 */
static void
spread(Vacuum *v, BlockNumber start, Bitmap &reached, Bitmap &pending, bool collect)
{
	uint32 slots = v->state->shape.slots_per_page;
	for (bool more = true; more; collect = false)
	{
		more = false;
		for (BlockNumber i = 1; i < v->reach; i++)
		{
			BlockNumber blkno = start + i <= v->reach ? start + i - 1 : start + i - v->reach;
			bool all = collect && (blkno >= v->blocks || v->node_pages.test(blkno));
			if (!all && !any_bit(pending, static_cast<uint64>(blkno) * slots, slots))
				continue;
			pg::vacuum_delay_point_compat();
			CHECK_FOR_INTERRUPTS();
			spread_page(v, blkno, reached, pending, all);
			more = true;
		}
	}
}

/* The same from one slot on, page by page as the links lead. */
static void
spread_from(Vacuum *v, uint32 id, Bitmap &reached, SlotPairs &stack)
{
	const HnswShape &shape = v->state->shape;
	reached.set(id);
	stack.push(SlotPair{id, 0});
	while (stack.count > 0)
	{
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		uint32 here = stack.items[--stack.count].id;
		Buffer buffer = ReadBuffer(v->index, shape.block_of(here));
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		NodeHeader *node = slot_header(BufferGetPage(buffer), shape, here);
		uint32 lanes[BeamSearch::kMaxLanes];
		uint32 count = is_state(node, NodeState::live) && check_node(*node, shape) == nullptr ? node->lane_count : 0;
		memcpy(lanes, slot_lanes(node, shape), count * sizeof(uint32));
		UnlockReleaseBuffer(buffer);
		for (uint32 k = 0; k < count; k++)
			if (lanes[k] < reached.bits && !reached.test(lanes[k]))
			{
				reached.set(lanes[k]);
				stack.push(SlotPair{lanes[k], 0});
			}
	}
}

void
connect_graph(Vacuum *v, Linker *linker, uint32 entry_id, uint32 entry_level, bool collect)
{
	Bitmap reached, pending;
	reached.init(v->live.bits);
	pending.init(v->live.bits);
	linker->store.layer = entry_level;
	for (uint32 id = entry_id; id != kInvalidId;)
	{
		reached.set(id);
		pending.set(id);
		/* Inserted meanwhile, so that it has no bit: begin with its neighbours. */
		if (id >= reached.bits)
		{
			SlotPairs stack{};
			spread_from(v, id, reached, stack);
		}
		id = linker->store.layer == 0 ? kInvalidId : slot_below(linker->store, id);
	}
	BlockNumber start = v->state->shape.block_of(entry_id);
	spread(v, start < v->reach ? start : 1, reached, pending, collect);
	pfree(pending.words);
	SlotPairs stack{};
	for (uint64 word = 0; word <= v->live.bits / 64; word++)
		for (;;)
		{
			uint64 lost = v->live.words[word] & ~reached.words[word];
			if (lost == 0)
				break;
			auto id = static_cast<uint32>(word * 64 + static_cast<uint64>(__builtin_ctzll(lost)));
			pg::vacuum_delay_point_compat();
			CHECK_FOR_INTERRUPTS();
			lock_graph(v->index, ShareLock);
			reconnect_node(linker, id, &reached);
			unlock_graph(v->index, ShareLock);
			spread_from(v, id, reached, stack);
		}
	pfree(reached.words);
}

}  // namespace vecdb::hnsw
