/* SPDX-License-Identifier: PostgreSQL
 * Choosing and writing links: candidates by search, the neighbourhood rule, back-links, repair after deletes.
 *
 * Regime: shell. All memory comes from `context`, which the caller resets between rows.
 */
#pragma once

#include "hnsw/lanes.hpp"
#include "hnsw/pages.hpp"
#include "hnsw/slot_prune.hpp"

namespace vecdb::hnsw
{

struct Linker
{
	Relation index;
	IndexState *state;
	PageStore store;
	MemoryContext context;  // reset by the caller between rows
	core::graph::BeamSearch *search;
	NodeCopy *copies;       // lanes + 1 copies, for pruning a full node
	LaneImage *image;       // lanes about to be written
	NodeHeader *slot_copy;  // a whole slot, for appending to its lanes
	SlotPruner *pruner;     // layout fused
	LaneTarget own;         // the node being inserted, as a target; kInvalidId: none
	NodeCopy other;         // any other target
	char *page_copy;        // a whole page, for several links at once
	char *page_before;
};

/* In the current context, for many rows. */
Linker *make_linker(Relation index, IndexState *state);

/* Ids with their graph distances to one node, ascending, all live. */
struct Candidates
{
	uint32 *ids;
	float *distances;
	uint32 count;
};

/*
 * Greedy descent from the entry point (meta) down to the layer above `level`; returns the slot id from which the
 * search on layer `level` starts, or kInvalidId where the graph is empty. store.query is the target; store.layer is
 * set to level.
 */
uint32 descend(PageStore &store, const HnswMeta &meta, uint32 level);

/*
 * From a slot on store.layer to the node's slot one layer below; sets store.layer. kInvalidId: the slot is no node of
 * the layer any more (not while the graph lock is held).
 */
uint32 slot_below(PageStore &store, uint32 id);

/* The entry point's slot on a layer, or kInvalidId where the graph does not reach it. Sets store.layer to level. */
uint32 entry_slot(PageStore &store, uint32 level);

/*
 * Nodes near store.query on store.layer, with ef, starting from the slot `entry`; nearest: the id to go down from,
 * live or not.
 */
Candidates find_candidates(Linker *linker, uint32 entry, uint32 ef, uint32 &nearest);

/*
 * Layout fused: the same from several starts whose distances are known; nearest: up to kEntries (descend.hpp) ids to go down from,
 * nearest first, live or not.
 */
Candidates find_candidates_from(Linker *linker, const core::graph::Scored *entries, uint32 count, uint32 ef,
								core::graph::Scored *nearest, uint32 &found);

/* Sets store.query and what the search needs beside it. */
void set_query(Linker *linker, const core::graph::CodeQuery *query);

/* The neighbours to link, at most limit, nearest first. alpha: see select_neighbors. */
uint32 choose_neighbors(Linker *linker, const Candidates &candidates, uint32 limit, float alpha, uint32 *out);

enum class LinkForce
{
	offered,  // the rule decides, and no node loses the last way to it
	wanted,   // whatever the rule says, but no node loses the last way to it
	forced,   // in any case
};

/* Adds target to the lanes of node: appends, or prunes lanes + target. True: node links to target now. */
bool add_backlink(Linker *linker, uint32 node, uint32 target, LinkForce force);

/* Layout fused: a link from node to target. */
struct PageLink
{
	uint32 node;
	LaneTarget target;
};

constexpr uint32 kPageLinks = 64;

/* The same for at most kPageLinks links (offered) from nodes of one page, sorted by node, in one change of it. */
void add_page_links(Linker *linker, BlockNumber blkno, const PageLink *links, uint32 count, bool *linked);

/*
 * Call after the lanes dropped[] of node have gone, each because node links to through[] and that to dropped[]: looks
 * whether it still does, as another writer may have counted on node's lane in the same way, and links it again else.
 */
void keep_ways(Linker *linker, uint32 node, const uint32 *dropped, const uint32 *through, uint32 count);

/* How much nearer a neighbour must be to another than to the node, to be left out. */
float link_alpha(const IndexState *state);

/* Lanes that a layer may use. */
inline uint32
lane_limit(const IndexState *state, uint32 level)
{
	return level == 0 ? state->shape.lanes : state->meta.m;
}

}  // namespace vecdb::hnsw
