/* SPDX-License-Identifier: PostgreSQL
 * Adding one row to the graph.
 *
 * Regime: shell.
 */
#pragma once

#include "hnsw/bitmap.hpp"
#include "hnsw/link.hpp"

namespace vecdb::hnsw
{

/* What stays between the rows of one statement (or of the tail of a build). */
struct Inserter
{
	MemoryContext context;  // owns it; its child linker->context is reset after every row
	pg::RelFileKey file;
	uint64 build_id;
	Linker *linker;
	float *scratch;
	CodedVector coded;
};

Inserter *make_inserter(Relation index, IndexState *state);

/*
 * v: dimensions floats, finite (not zero for cosine). Takes the graph lock itself. False: nothing done, the index has another
 * mean than the inserter's state (only while it is empty).
 */
bool insert_vector(Inserter *inserter, Relation index, const float *v, ItemPointer tid);

/* The same with a level that is known. */
bool insert_leveled(Inserter *inserter, Relation index, const float *v, ItemPointer tid, uint32 level);

uint32 random_level(const IndexState *state);

/*
 * An index without rows and without a mean gets that of these (L2 and cosine), so that a common offset does no harm. The
 * state as it is then; the old one must not be used any more.
 */
IndexState *centre_empty_index(Relation index, IndexState *state, const float *vectors, uint32 count);

/* Layout fused: candidates on the base layer for store.query and store.signs. None: no live node. */
Candidates search_base(Linker *linker, uint32 ef);

/* The node with the very vector among the nearest candidates, or kInvalidId. */
uint32 equal_node(Linker *linker, const Candidates &candidates, const CodedVector &coded);

/* Appends tid to the chain of a node with an equal vector. False: the node is no longer there. */
bool add_duplicate(Linker *linker, uint32 owner, ItemPointer tid);

/*
 * Links a node that lies in the index already but that nothing may point to: searches around its code and adds
 * back-links from its nearest nodes (at least one). Caller holds the graph lock (share). For vacuum.
 */
void relink_node(Linker *linker, uint32 id);

/*
 * Adds a link to the node from a near one that can be reached from the entry point's slot on the same layer, of those
 * in `among` (null: of all). Caller holds the graph lock (share). For what has no link to it, or is cut off.
 */
void reconnect_node(Linker *linker, uint32 id, const Bitmap *among);

/* The value of an index tuple as a row, or null when the row is not indexed (NULL, zero under cosine). May allocate in the current
 * context. */
const float *indexable_vector(const IndexState *state, Datum value, bool isnull);

}  // namespace vecdb::hnsw
