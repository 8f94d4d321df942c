/* SPDX-License-Identifier: PostgreSQL
 * The indexed value of a row, from the table: exact, whatever the index keeps.
 *
 * Regime: shell.
 * Memory: a value lives until the next one is fetched.
 */
#pragma once

#include "ivf/state.hpp"

namespace vecdb::ivf
{

struct HeapVectors
{
	Relation heap;
	BlockNumber blocks;  // of it, when last asked
	bool own_heap;       // opened here
	IndexInfo *info;
	EState *estate;
	TupleTableSlot *slot;
	IndexFetchTableData *fetch;
	Snapshot snapshot;
	SnapshotData not_dead;
	MemoryContext context;
	MemoryContext row;  // of one value
};

/*
 * heap: the index's table, or null to open it (the caller's statement has locked it). snapshot: rows visible to it; null: every row
 * that is not dead to everybody, so also of transactions under way. A dead row's value may be gone from the TOAST table.
 */
HeapVectors *open_heap_vectors(Relation index, Relation heap, Snapshot snapshot);

/* The value of the row (index expressions too), not detoasted. False: there is no such row, or its value is null. XX002: of a row
 * beyond the end of the table. */
bool fetch_heap_value(HeapVectors *vectors, const core::layout::RowTid &tid, Datum *value);

/* After an error the resource owner and the contexts do the same. */
void close_heap_vectors(HeapVectors *vectors);

}  // namespace vecdb::ivf
