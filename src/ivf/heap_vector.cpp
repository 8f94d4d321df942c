/* SPDX-License-Identifier: PostgreSQL
 * Fetching indexed values from the table.
 *
 * Regime: shell.
 * Locks:  the heap page's, for the moment; call with no buffer lock held. Index expressions are run as whoever runs the statement:
 *         VACUUM has switched to the table's owner.
 */
#include "ivf/heap_vector.hpp"

namespace vecdb::ivf
{

using core::layout::RowTid;
using core::layout::tid_block;

HeapVectors *
open_heap_vectors(Relation index, Relation heap, Snapshot snapshot)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf heap rows", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *vectors = static_cast<HeapVectors *>(palloc0(sizeof(HeapVectors)));
	vectors->context = context;
	vectors->row = AllocSetContextCreate(context, "vecdb ivf heap row", ALLOCSET_SMALL_SIZES);
	vectors->own_heap = heap == nullptr;
	vectors->heap = vectors->own_heap ? table_open(index->rd_index->indrelid, AccessShareLock) : heap;
	/* Not the executor's: the expressions' states belong to an EState. */
	vectors->info = BuildIndexInfo(index);
	vectors->slot = table_slot_create(vectors->heap, nullptr);
	if (vectors->info->ii_Expressions != NIL)
	{
		vectors->estate = CreateExecutorState();
		GetPerTupleExprContext(vectors->estate)->ecxt_scantuple = vectors->slot;
	}
	vectors->fetch = table_index_fetch_begin(vectors->heap);
	vectors->snapshot = snapshot;
	if (snapshot == nullptr)
	{
		InitNonVacuumableSnapshot(vectors->not_dead, GlobalVisTestFor(vectors->heap));
		vectors->snapshot = &vectors->not_dead;
	}
	MemoryContextSwitchTo(old);
	return vectors;
}

bool
fetch_heap_value(HeapVectors *vectors, const RowTid &tid, Datum *value)
{
	ItemPointerData pointer;
	pointer.ip_blkid.bi_hi = tid.block_hi;
	pointer.ip_blkid.bi_lo = tid.block_lo;
	pointer.ip_posid = tid.offset;
	MemoryContextReset(vectors->row);
	if (vectors->estate != nullptr)
		ResetPerTupleExprContext(vectors->estate);
	/* The index is emptied of rows before the table is cut. */
	if (tid_block(tid) >= vectors->blocks &&
		tid_block(tid) >= (vectors->blocks = RelationGetNumberOfBlocks(vectors->heap)))
		ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
						errmsg("index on table \"%s\" names a row of block %u, which has %u blocks",
							   RelationGetRelationName(vectors->heap), tid_block(tid), vectors->blocks),
						errhint("Rebuild the index with REINDEX.")));
	if (!ItemPointerIsValid(&pointer))
		return false;
	/*
	 * Not of an MVCC snapshot, each version of a HOT chain comes that is not dead to all. The last is what the index stands for:
	 * others may hold another value where the index is younger than they are.
	 */
	bool found = false, again = false;
	do
	{
		if (!table_index_fetch_tuple(vectors->fetch, &pointer, vectors->snapshot, vectors->slot, &again, nullptr))
			break;
		Datum values[INDEX_MAX_KEYS];
		bool nulls[INDEX_MAX_KEYS];
		MemoryContext old = MemoryContextSwitchTo(vectors->row);
		FormIndexDatum(vectors->info, vectors->slot, vectors->estate, values, nulls);
		MemoryContextSwitchTo(old);
		*value = values[0];
		found = !nulls[0];
	} while (again);
	return found;
}

void
close_heap_vectors(HeapVectors *vectors)
{
	table_index_fetch_end(vectors->fetch);
	ExecDropSingleTupleTableSlot(vectors->slot);
	if (vectors->estate != nullptr)
		FreeExecutorState(vectors->estate);
	if (vectors->own_heap)
		table_close(vectors->heap, NoLock);
	MemoryContextDelete(vectors->context);
}

}  // namespace vecdb::ivf
