/* SPDX-License-Identifier: PostgreSQL
 * Closing the gaps that deleted nodes leave in the graph.
 *
 * Regime: shell.
 */
#pragma once

#include "hnsw/lanes.hpp"
#include "hnsw/link.hpp"

namespace vecdb::hnsw
{

/* One bit for each slot (or block) that existed when vacuum began; all others read as 0 and are not kept. */
struct Bitmap
{
	uint64 *words;
	uint64 bits;

	void
	init(uint64 n)
	{
		bits = n;
		words = static_cast<uint64 *>(MemoryContextAllocExtended(CurrentMemoryContext, (n / 64 + 1) * sizeof(uint64),
																 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	}
	bool
	test(uint64 i) const
	{
		return i < bits && (words[i / 64] >> (i % 64) & 1) != 0;
	}
	void
	set(uint64 i)
	{
		if (i < bits)
			words[i / 64] |= uint64{1} << (i % 64);
	}
	void
	clear(uint64 i)
	{
		if (i < bits)
			words[i / 64] &= ~(uint64{1} << (i % 64));
	}
};

/* Room for the neighbourhood of one node; made once a vacuum. */
struct Repairer
{
	Linker *linker;
	const Bitmap *dead;
	core::VisitedSet seen;
	NodeCopy node;
	NodeCopy way;  // a dead neighbour
	struct Near
	{
		float distance;
		uint32 id;
		uint32 copy;
	} * near;
	NodeCopy *copies;
	LaneImage *image;  // the lanes chosen
	uint32 count;
	float alpha;
};

/* In the current context. */
Repairer *make_repairer(Linker *linker, const Bitmap *dead);

/*
 * Chooses the lanes of a node anew, from those that live and from the live lanes of those that died. When it returns,
 * no lane of id is in the dead set. lanes (room for BeamSearch::kMaxLanes) receives what the node has now; returns
 * their number. was: how many it had before.
 */
uint32 repair_node(Repairer *repairer, uint32 id, uint32 *lanes, uint32 &was);

}  // namespace vecdb::hnsw
