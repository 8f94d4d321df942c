/* SPDX-License-Identifier: PostgreSQL
 * Giving out node slots and detail slots, and writing whole nodes.
 *
 * Regime: shell.
 * Locks:  node page, then detail page, never the other way round; the metapage alone or before a new page.
 */
#pragma once

#include "hnsw/details.hpp"
#include "hnsw/lanes.hpp"

namespace vecdb::hnsw
{

/* What a new slot is to hold. */
struct NewNode
{
	uint8 state;  // live or duplicate
	uint8 level;
	ItemPointer tid;           // level 0 and duplicate: the row; else null
	uint32 duplicates;         // level 0 and duplicate
	uint32 link;               // upper level: slot one layer below; duplicate: owner; level 0: ignored
	uint32 height;             // duplicate: chain_height, one more than of the slot that it is hooked before
	const CodedVector *coded;  // not for duplicates
	const LaneImage *lanes;    // not for duplicates
};

/*
 * Finds a free slot, writes the node there (what has no room into its detail), returns its id. One WAL record makes the
 * slot a node; those parts of its detail that it does not take along have one each before it.
 * Takes pages with free slots from the free space map before it extends the file.
 */
uint32 write_new_node(Relation index, IndexState *state, const NewNode &node);

/* Makes sure that the open detail page has room, returns its block. Locks the metapage. */
BlockNumber open_detail_page(Relation index, const HnswShape &shape);

/* Sets the entry point. Caller holds the entry lock (lock_entry). */
void set_entry(Relation index, uint32 id, uint32 level);

/* An empty index gets a mean vector of n floats and a new build_id. Caller holds the graph lock exclusively. */
void set_mean(Relation index, const float *mean, uint32 n);

/* The row's TID in the header. */
void set_tid(NodeHeader *node, ItemPointer tid);

/* Gives a slot back; its detail slot, if it ever had one, stays bound to it. */
void make_free(NodeHeader *slot);

/* Recomputes the checksum; call after every change other than to lanes. */
inline void
seal(NodeHeader *node, const HnswShape &shape, uint32 id)
{
	node->crc = node_crc(node, shape, id);
}

/*
 * Heavyweight locks on page numbers of the index, as vacuum's barrier and the entry point's guard:
 * inserters hold `graph` in share mode from reading the entry point to their last backlink.
 */
inline void
lock_graph(Relation index, LOCKMODE mode)
{
	LockPage(index, 0, mode);
}
inline void
unlock_graph(Relation index, LOCKMODE mode)
{
	UnlockPage(index, 0, mode);
}
inline void
lock_entry(Relation index)
{
	LockPage(index, 1, ExclusiveLock);
}
inline void
unlock_entry(Relation index)
{
	UnlockPage(index, 1, ExclusiveLock);
}

/* Free space map categories: pages with free slots are found again by inserts. */
constexpr Size kFsmHasSlots = BLCKSZ / 2;
constexpr Size kFsmWanted = BLCKSZ / 4;

}  // namespace vecdb::hnsw
