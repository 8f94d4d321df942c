/* SPDX-License-Identifier: PostgreSQL
 * Closing the gaps that deleted nodes leave in the graph.
 *
 * Regime: shell.
 */
#pragma once

#include "hnsw/bitmap.hpp"
#include "hnsw/lanes.hpp"
#include "hnsw/link.hpp"

namespace vecdb::hnsw
{

/* Room for the neighbourhood of one node; made once a vacuum. */
struct Repairer
{
	Linker *linker;
	const Bitmap *dead;
	core::VisitedSet seen;
	NodeCopy node;
	/* The node as a query; where codes are exact in a context of its own. */
	MemoryContext query_context;
	core::graph::CodeQuery query;
	float *query_floats;
	int16 *query_codes;
	uint8 *lut;
	core::graph::Scored *far;  // behind its dead neighbours
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
	/* Live lanes that went, and the lane kept that leads to each. */
	uint32 dropped_count;
	uint32 dropped[core::graph::BeamSearch::kMaxLanes];
	uint32 through[core::graph::BeamSearch::kMaxLanes];
};

/* In the current context. */
Repairer *make_repairer(Linker *linker, const Bitmap *dead);

/*
 * Chooses the lanes of a node anew, from those that live and from the live lanes of those that died. When it returns,
 * no lane of id is in the dead set, and what a live lane led to is still one or two hops away. lanes (room for BeamSearch::kMaxLanes) receives what the node has now; returns
 * their number. was: how many it had before.
 */
uint32 repair_node(Repairer *repairer, uint32 id, uint32 *lanes, uint32 &was);

}  // namespace vecdb::hnsw
