/* SPDX-License-Identifier: PostgreSQL
 * Layout fused: the neighbourhood rule over the lanes of a slot from the slot alone, and changing single lanes of it.
 *
 * Regime: shell. No page is read here: the caller has the slot, locked or as a copy.
 * Source: measured in a prototype (design/insert-churn.md): replacing one lane of a full node by its estimate makes twice the
 * hops of a search; pruning all of them by the rule, with distances from their 1-bit codes, is as good as exact ones.
 */
#pragma once

#include "hnsw/lanes.hpp"

namespace vecdb::hnsw
{

/* A node that is to become a neighbour. */
struct LaneTarget
{
	uint32 id;
	core::graph::CodeView code;
	const core::quantizer::SignQuery *signs;  // of its vector, or null: its distances to lanes are coarser then
};

/* Scratch, and what prune_slot() decided. Room for one lane more than a slot has: the target. */
struct SlotPruner
{
	uint32 words;    // of a row
	uint64 *rows;    // signs of a lane, a bit a dimension
	float *cosines;  // of the angle that differing in so many signs means
	float *node;     // code_dims, decoded
	uint8 *signs;    // a block for the target's signs
	/* Sorted by distance to the node; the lane lanes_of(slot) is the target. */
	uint32 count;
	uint32 *lane;
	float *distance;
	float *length;
	bool *stays;
	uint32 *shadow;  // of what does not stay: the number (in this order) of a lane that stays and is nearer to it
};

SlotPruner *make_slot_pruner(const IndexState *state);

/* Decides which lanes of the slot and target stay, at most limit. slot: full. */
void prune_slot(const IndexState *state, SlotPruner *pruner, NodeHeader *slot, const core::graph::CodeView &node,
				const LaneTarget &target, uint32 limit, float alpha);

/* Writes a lane (at most lane_count, which grows then). pruner: for scratch. */
void put_lane(const IndexState *state, SlotPruner *pruner, NodeHeader *slot, const core::graph::CodeView &node,
			  uint32 lane, const LaneTarget &target);

/* Takes away the lanes with gone[lane], target (unless null) gets the first free place. */
void replace_lanes(const IndexState *state, SlotPruner *pruner, NodeHeader *slot, const core::graph::CodeView &node,
				   const bool *gone, const LaneTarget *target);

}  // namespace vecdb::hnsw
