/* SPDX-License-Identifier: PostgreSQL
 * Rows of one statement that wait to be linked together.
 *
 * Regime: shell.
 * Who needs to see a queued row is in this transaction, as nobody else sees it before the commit. So it is linked when
 * the queue is full, when this backend reads the index, before parallel workers start (they share the snapshot and do
 * not know the queue), and before commit and prepare.
 * Memory: in TopTransactionContext, at most maintenance_work_mem for all indexes; nothing to do at abort but to forget it.
 * Subtransactions: a row belongs to the one that inserted it and is dropped with it, since vacuum may give its TID away as soon
 *         as that has aborted. Numbers of subtransactions grow, so all from the aborted one's on are its own or its
 *         children's. A row inserted speculatively can die alone and is not queued.
 * Files:  a queue is for one file of an index. TRUNCATE, REINDEX, DROP and rewrites make or leave another; the queue is
 *         kept, as a subtransaction may bring the file back, and what finds no file at the commit is dropped. The one
 *         way to empty a file in place (made in the same subtransaction) ends in ambuild, which forgets the queue. SET
 *         TABLESPACE copies the file: all is linked before an ALTER.
 * Errors: a row leaves the queue only with its whole batch. An error in between that a subtransaction catches would leave some
 *         rows in the index and in the queue; such a transaction cannot commit. So a cancel waits for the end of the batch
 *         where it would leave rows of an outer transaction so.
 */
#include "hnsw/pending.hpp"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/utility.h"
}

#include "hnsw/batch.hpp"
#include "pg/compat.hpp"

namespace vecdb::hnsw
{

bool guc_queue_inserts = true;

struct PendingRow
{
	ItemPointerData tid;
	SubTransactionId owner;
};

struct Queue
{
	Queue *next;
	Oid index;
	pg::RelFileKey file;
	uint32 dimensions;
	uint32 count, capacity, limit;
	bool broken;  // an error has left some of the rows in the index
	PendingRow *rows;
	float *vectors;
	MemoryContext context;
};

static Queue *queues = nullptr;
static ExecutorStart_hook_type previous_start = nullptr;
static ProcessUtility_hook_type previous_utility = nullptr;

static bool
same_file(const Queue *q, Relation index)
{
	pg::RelFileKey file = pg::relation_file(index);
	return q->index == RelationGetRelid(index) && memcmp(&q->file, &file, sizeof file) == 0;
}

static Queue *
queue_of(Relation index)
{
	for (Queue *q = queues; q != nullptr; q = q->next)
		if (same_file(q, index))
			return q;
	return nullptr;
}

/* Would rows stay in the queue if this subtransaction were rolled back? */
static bool
outlives_subtransaction(const Queue *q)
{
	SubTransactionId own = GetCurrentSubTransactionId();
	for (uint32 i = 0; i < q->count; i++)
		if (q->rows[i].owner < own)
			return true;
	return false;
}

static void
flush_queue(Queue *q, Relation index)
{
	if (q->count == 0)
		return;
	if (q->broken)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("rows inserted into index \"%s\" before an error could not be linked",
							   RelationGetRelationName(index)),
						errhint("Roll the transaction back.")));
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw flush", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *tids = static_cast<ItemPointerData *>(MemoryContextAllocHuge(context, q->count * sizeof(ItemPointerData)));
	for (uint32 i = 0; i < q->count; i++)
		tids[i] = q->rows[i].tid;
	bool hold = outlives_subtransaction(q);
	q->broken = true;
	if (hold)
		HOLD_INTERRUPTS();  // an error gives them free again
	insert_rows(index, q->vectors, tids, q->count);
	if (hold)
		RESUME_INTERRUPTS();
	q->broken = false;
	q->count = q->capacity = 0;
	pfree(q->rows);
	pfree(q->vectors);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
flush_pending(Relation index)
{
	Queue *q = queues == nullptr ? nullptr : queue_of(index);
	if (q != nullptr)
		flush_queue(q, index);
}

static void
flush_all()
{
	for (Queue *q = queues; q != nullptr; q = q->next)
	{
		if (q->count == 0)
			continue;
		Relation index = try_relation_open(q->index, RowExclusiveLock);
		if (index == nullptr)
			continue;
		if (same_file(q, index))
			flush_queue(q, index);
		relation_close(index, NoLock);
	}
}

void
forget_pending(Relation index)
{
	Queue *q = queues == nullptr ? nullptr : queue_of(index);
	if (q == nullptr)
		return;
	q->count = 0;
	q->broken = false;
}

static Queue *
make_queue(Relation index, const IndexState *state)
{
	MemoryContext context =
		AllocSetContextCreate(TopTransactionContext, "vecdb hnsw pending rows", ALLOCSET_DEFAULT_SIZES);
	auto *q = static_cast<Queue *>(MemoryContextAllocZero(context, sizeof(Queue)));
	q->context = context;
	q->index = RelationGetRelid(index);
	q->file = pg::relation_file(index);
	q->dimensions = state->shape.dimensions;
	q->limit = batch_rows(state, static_cast<Size>(maintenance_work_mem) * 1024 / 2);
	q->next = queues;
	queues = q;
	return q;
}

/* One queue holds half of maintenance_work_mem at most; many of them (partitions) share all of it. */
static void
keep_to_memory(Size wanted)
{
	for (const Queue *q = queues; q != nullptr; q = q->next)
		wanted += q->capacity * (q->dimensions * sizeof(float) + sizeof(PendingRow));
	if (wanted > static_cast<Size>(maintenance_work_mem) * 1024)
		flush_all();
}

static void
grow(Queue *q)
{
	Size row = q->dimensions * sizeof(float);
	keep_to_memory((q->capacity + 64) * (row + sizeof(PendingRow)));
	uint32 capacity = q->capacity == 0 ? 64 : q->capacity * 2;
	capacity = capacity < q->limit ? capacity : q->limit;
	auto *rows = static_cast<PendingRow *>(MemoryContextAllocHuge(q->context, capacity * sizeof(PendingRow)));
	auto *vectors = static_cast<float *>(MemoryContextAllocHuge(q->context, capacity * row));
	if (q->capacity > 0)
	{
		memcpy(rows, q->rows, q->count * sizeof(PendingRow));
		memcpy(vectors, q->vectors, q->count * row);
		pfree(q->rows);
		pfree(q->vectors);
	}
	q->rows = rows;
	q->vectors = vectors;
	q->capacity = capacity;
}

/* A row of INSERT ... ON CONFLICT can be taken back without an abort of the subtransaction. */
static bool
is_speculative(Relation heap, ItemPointer tid)
{
	Buffer buffer = ReadBuffer(heap, ItemPointerGetBlockNumber(tid));
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool speculative = true;
	if (ItemPointerGetOffsetNumber(tid) <= PageGetMaxOffsetNumber(page))
	{
		ItemId item = PageGetItemId(page, ItemPointerGetOffsetNumber(tid));
		if (ItemIdIsNormal(item))
			speculative = HeapTupleHeaderIsSpeculative(reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item)));
	}
	UnlockReleaseBuffer(buffer);
	return speculative;
}

bool
queue_row(Relation index, const IndexState *state, Relation heap, const float *v, ItemPointer tid)
{
	if (!guc_queue_inserts || !takes_batches(state) || heap->rd_tableam != GetHeapamTableAmRoutine() ||
		is_speculative(heap, tid))
		return false;
	Queue *q = queue_of(index);
	if (q == nullptr)
		q = make_queue(index, state);
	if (q->broken || q->dimensions != state->shape.dimensions)
		return false;
	if (q->count == q->limit)
		flush_queue(q, index);
	if (q->count == q->capacity)
		grow(q);
	memcpy(q->vectors + static_cast<Size>(q->count) * q->dimensions, v, q->dimensions * sizeof(float));
	q->rows[q->count].tid = *tid;
	q->rows[q->count++].owner = GetCurrentSubTransactionId();
	return true;
}

static void
at_transaction(XactEvent event, void *)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (queues != nullptr)
				flush_all();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE: queues = nullptr; break;
		default: break;
	}
}

static void
at_subtransaction(SubXactEvent event, SubTransactionId own, SubTransactionId, void *)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	for (Queue *q = queues; q != nullptr; q = q->next)
	{
		uint32 n = 0;
		for (uint32 i = 0; i < q->count; i++)
		{
			if (q->rows[i].owner >= own)
				continue;
			if (n != i)
			{
				q->rows[n] = q->rows[i];
				memcpy(q->vectors + static_cast<Size>(n) * q->dimensions,
					   q->vectors + static_cast<Size>(i) * q->dimensions, q->dimensions * sizeof(float));
			}
			n++;
		}
		q->count = n;
		q->broken = q->broken && n > 0;
	}
}

static void
flush_before_workers(QueryDesc *query, int flags)
{
	if (queues != nullptr && query->plannedstmt->parallelModeNeeded)
		flush_all();
	if (previous_start != nullptr)
		previous_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

/* SET TABLESPACE copies the files of indexes: to the new one nothing of the queue would ever come. */
static void
flush_before_alter(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context,
				   ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
				   QueryCompletion *completion)
{
	const Node *node = statement->utilityStmt;
	if (queues != nullptr && (IsA(node, AlterTableStmt) || IsA(node, AlterTableMoveAllStmt)))
		flush_all();
	if (previous_utility != nullptr)
		previous_utility(statement, text, read_only, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, text, read_only, context, params, environment, receiver, completion);
}

void
pending_init()
{
	RegisterXactCallback(at_transaction, nullptr);
	RegisterSubXactCallback(at_subtransaction, nullptr);
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = flush_before_workers;
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = flush_before_alter;
}

}  // namespace vecdb::hnsw
