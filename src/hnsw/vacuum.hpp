/* SPDX-License-Identifier: PostgreSQL
 * What the steps of a vacuum share. vacuum.cpp tells the whole; nobody else includes this.
 *
 * Regime: shell.
 */
#pragma once

#include "hnsw/repair.hpp"

#include "storage/wal.hpp"

namespace vecdb::hnsw
{

using core::graph::BeamSearch;
using storage::PageChange;

struct SlotPair
{
	uint32 id;
	uint32 to;  // upper slot: the slot below; emptied duplicate slot: its owner
};

struct SlotPairs
{
	SlotPair *items;
	Size count, capacity;

	void
	push(const SlotPair &pair)
	{
		if (count == capacity)
		{
			capacity = capacity == 0 ? 256 : capacity * 2;
			items = static_cast<SlotPair *>(items == nullptr ? palloc(capacity * sizeof(SlotPair))
															 : repalloc_huge(items, capacity * sizeof(SlotPair)));
		}
		items[count++] = pair;
	}
};

struct Vacuum
{
	IndexVacuumInfo *info;
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void *callback_state;
	Relation index;
	IndexState *state;
	BlockNumber blocks;  // when it began
	Bitmap dead;         // slots to be freed
	BlockNumber reach;   // blocks at the barrier: those of live, linked and hurt
	Bitmap live;         // slots seen live after the barrier
	Bitmap linked;       // slots that a live one links to
	Bitmap hurt;         // blocks with a live node that has lanes to choose again
	Bitmap node_pages;   // blocks
	uint64 dead_count;
	/* The page being marked: TIDs of dead rows in the order of their places, and how many of them have been met again. */
	ItemPointerData *gone;
	uint32 gone_count, gone_met, gone_capacity;
	bool leftover;  // an earlier vacuum was interrupted
	SlotPairs uppers[core::layout::kMaxLevel + 1];
	SlotPairs emptied;
	int chain_steps;
};

constexpr uint8
raw(NodeState state)
{
	return static_cast<uint8>(state);
}

inline bool
is_state(const NodeHeader *node, NodeState state)
{
	return node->state == raw(state);
}

inline void
set_dead(Vacuum *v, uint32 id)
{
	if (!v->dead.test(id))
		v->dead_count++;
	v->dead.set(id);
}

/* A page in block order, with vacuum's ring of buffers. */
inline Buffer
read_block(Vacuum *v, BlockNumber blkno, int mode)
{
	Buffer buffer = ReadBufferExtended(v->index, MAIN_FORKNUM, blkno, RBM_NORMAL, v->info->strategy);
	LockBuffer(buffer, mode);
	return buffer;
}

/* One page being changed: the record begins with the first change. */
struct Editor
{
	Relation index;
	Buffer buffer;
	PageChange change;
	Page copy;

	NodeHeader *
	slot(const HnswShape &shape, uint32 id)
	{
		if (copy == nullptr)
		{
			change = PageChange::begin(index);
			copy = change.page(buffer);
		}
		return slot_header(copy, shape, id);
	}
	void
	finish()
	{
		if (copy != nullptr)
			change.finish();
		UnlockReleaseBuffer(buffer);
	}
};

inline Editor
edit(Relation index, Buffer buffer)
{
	return Editor{index, buffer, PageChange{nullptr}, nullptr};
}

inline Editor
edit_slot(Vacuum *v, uint32 id)
{
	Buffer buffer = ReadBuffer(v->index, v->state->shape.block_of(id));
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	return edit(v->index, buffer);
}

inline NodeHeader
read_header(Vacuum *v, uint32 id)
{
	const HnswShape &shape = v->state->shape;
	Buffer buffer = ReadBuffer(v->index, shape.block_of(id));
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	NodeHeader header;
	memset(static_cast<void *>(&header), 0, sizeof header);
	if (page_is(page, PageKind::node))
		header = *slot_header(page, shape, id);
	UnlockReleaseBuffer(buffer);
	return header;
}

inline bool
any_bit(const Bitmap &bits, uint64 first, uint32 n)
{
	bool any = false;
	for (uint32 i = 0; i < n && !any; i++)
		any = bits.test(first + i);
	return any;
}

/* Has a live node to choose its lanes again? Upper nodes mended by a vacuum that was interrupted show it by their number. */
inline bool
is_hurt(Vacuum *v, const NodeHeader *node)
{
	const uint32 *lanes = slot_lanes(node, v->state->shape);
	bool hurt = v->leftover && node->level > 0 && node->lane_count < v->state->meta.m / 2u;
	for (uint32 k = 0; k < node->lane_count && !hurt; k++)
		hurt = v->dead.test(lanes[k]);
	return hurt;
}

/* --- vacuum_mark.cpp: steps 1 to 3 --- */

void mark_page(Vacuum *v, BlockNumber blkno);
void clean_chains(Vacuum *v);
void mark_upper_layer(Vacuum *v, uint32 level);

/* --- vacuum_connect.cpp: steps 4 and 8 --- */

/* Room for what collecting finds: call it after the barrier. */
void prepare_collect(Vacuum *v);

/*
 * On each layer, every node is to be reached over live ones from the slot of entry_id: links alone, however many, can
 * form islands when rows come and go in clusters. Paths through nodes inserted meanwhile are not seen; that costs a link
 * too many. collect: fill live, linked and hurt from the pages that are visited anyway.
 */
void connect_graph(Vacuum *v, Linker *linker, uint32 entry_id, uint32 entry_level, bool collect);

/* --- vacuum_mend.cpp: steps 6, 7 and 9 --- */

void mend_graph(Vacuum *v, Repairer *repairer, SlotPairs &weak);
void relink_nodes(Vacuum *v, Linker *linker, const SlotPairs &weak);
void free_dead_slots(Vacuum *v);

}  // namespace vecdb::hnsw
