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
 * v: dimensions floats, finite (not zero for cosine). Takes the graph lock itself.
 */
void insert_vector(Inserter *inserter, Relation index, const float *v, ItemPointer tid);

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

/* The vector of an index tuple in float form, or null when the row is not indexed (NULL, zero under cosine). */
const float *indexable_vector(const IndexState *state, Datum value, bool isnull);

}  // namespace vecdb::hnsw
