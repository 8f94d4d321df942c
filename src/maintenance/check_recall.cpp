/* SPDX-License-Identifier: PostgreSQL
 * vecdb.check_recall(): how many of the true nearest rows does an index return, at the settings in force?
 *
 * Regime: shell.
 * Rows of the table serve as queries; a row is no neighbour of itself. Which rows depends on nothing but where they lie,
 * so that two runs over the same table agree. The exact answer comes from one pass over the table for all queries.
 * A returned row at the distance of the k-th true neighbour counts, whatever its identity: ties are no misses.
 * Locks:  AccessShareLock on table and index.
 */
#include "maintenance/own_index.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

extern "C" {
#include "portability/instr_time.h"
}

#include "hnsw/state.hpp"
#include "ivf/state.hpp"
#include "storage/row_limit.hpp"
#include "types/indexed.hpp"
#include "vecdb/base/random.hpp"

namespace vecdb::maintenance
{

constexpr int32 kMaxSamples = 10000;
constexpr int32 kMaxNeighbors = 1000;

struct Sample
{
	uint64 hash;
	uint64 tid;
	struct varlena *v;
	double *nearest;  // exact distances: a heap, the farthest first
	uint32 count;
};

struct Recall
{
	OwnIndex own;
	uint32 dimensions;
	hnsw::Metric metric;
	ElementType type;
	IndexInfo *info;
	Snapshot snapshot;
	FmgrInfo distance;  // the ordering operator's function
	Sample *samples;    // while they are chosen: a heap, the greatest hash first
	uint32 sample_count, wanted, k;
	MemoryContext context;
	MemoryContext row_context;
};

static uint64
tid_number(ItemPointer tid)
{
	return static_cast<uint64>(ItemPointerGetBlockNumber(tid)) << 16 | ItemPointerGetOffsetNumber(tid);
}

static bool
by_hash(const Sample &a, const Sample &b) noexcept
{
	return a.hash < b.hash;
}

/* The value of a row in the current context, or null where the row is not indexed. */
static struct varlena *
row_value(const Recall *r, Datum value, bool isnull)
{
	if (isnull)
		return nullptr;
	struct varlena *plain = PG_DETOAST_DATUM(value);
	IndexedValue v = indexed_value(PointerGetDatum(plain), r->type);
	check_indexed_dimensions(v, r->dimensions);
	return r->metric == hnsw::Metric::cosine && indexed_is_zero(v) ? nullptr : plain;
}

static double
distance(Recall *r, const struct varlena *a, const struct varlena *b)
{
	double d = DatumGetFloat8(
		FunctionCall2Coll(&r->distance, r->own.index->rd_indcollation[0], PointerGetDatum(a), PointerGetDatum(b)));
	return std::isnan(d) ? get_float8_infinity() : d;
}

/* Keeps the rows with the smallest hashes of their addresses. */
static void
choose_sample(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	(void) index;
	(void) alive;
	auto *r = static_cast<Recall *>(arg);
	uint64 number = tid_number(tid);
	uint64 hash = core::splitmix64(number);
	bool full = r->sample_count == r->wanted;
	if (full && hash >= r->samples[0].hash)
		return;
	MemoryContext old = MemoryContextSwitchTo(r->row_context);
	struct varlena *v = row_value(r, values[0], isnull[0]);
	if (v != nullptr)
	{
		Sample *end = r->samples + r->sample_count;
		if (full)
			std::pop_heap(r->samples, end--, by_hash);
		else
			r->sample_count++;
		end->hash = hash;
		end->tid = number;
		/* Values can be of any length. */
		if (end->v != nullptr && VARSIZE(end->v) < VARSIZE(v))
		{
			pfree(end->v);
			end->v = nullptr;
		}
		if (end->v == nullptr)
			end->v = static_cast<struct varlena *>(MemoryContextAlloc(r->context, VARSIZE(v)));
		memcpy(end->v, v, VARSIZE(v));
		std::push_heap(r->samples, r->samples + r->sample_count, by_hash);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(r->row_context);
}

static void
compare_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	(void) index;
	(void) alive;
	auto *r = static_cast<Recall *>(arg);
	uint64 number = tid_number(tid);
	MemoryContext old = MemoryContextSwitchTo(r->row_context);
	const struct varlena *v = row_value(r, values[0], isnull[0]);
	for (uint32 i = 0; v != nullptr && i < r->sample_count; i++)
	{
		Sample &sample = r->samples[i];
		if (sample.tid == number)
			continue;
		double d = distance(r, v, sample.v);
		if (sample.count < r->k)
		{
			sample.nearest[sample.count++] = d;
			std::push_heap(sample.nearest, sample.nearest + sample.count);
		}
		else if (d < sample.nearest[0])
		{
			std::pop_heap(sample.nearest, sample.nearest + r->k);
			sample.nearest[r->k - 1] = d;
			std::push_heap(sample.nearest, sample.nearest + r->k);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(r->row_context);
}

/* The distance of the row in slot to the sample. */
static double
slot_distance(Recall *r, TupleTableSlot *slot, EState *estate, const Sample &sample)
{
	ExprContext *econtext = GetPerTupleExprContext(estate);
	econtext->ecxt_scantuple = slot;
	ResetExprContext(econtext);
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];
	FormIndexDatum(r->info, slot, estate, values, nulls);
	MemoryContext old = MemoryContextSwitchTo(econtext->ecxt_per_tuple_memory);
	const struct varlena *v = row_value(r, values[0], nulls[0]);
	double d = v == nullptr ? get_float8_infinity() : distance(r, v, sample.v);
	MemoryContextSwitchTo(old);
	return d;
}

/* Rows fetched from the index that may yet have to wait for nearer ones: a heap, the nearest first. */
struct Waiting
{
	double *distances;
	uint32 count, capacity;
};

/* Takes the waiting rows up to bound as returned, no more than `room`; adds to hits those up to limit. */
static uint32
take_waiting(Waiting &waiting, double bound, uint32 room, double limit, uint64 &hits)
{
	uint32 taken = 0;
	for (; taken < room && waiting.count > 0 && waiting.distances[0] <= bound; taken++)
	{
		std::pop_heap(waiting.distances, waiting.distances + waiting.count, std::greater<double>());
		hits += waiting.distances[--waiting.count] <= limit ? 1 : 0;
	}
	return taken;
}

/*
 * One query through the index; returns how many of its first k rows are as near as the true ones. As in the executor, a
 * row counts as returned when the index promises that no nearer one follows.
 */
static uint64
count_hits(Recall *r, IndexScanDesc scan, TupleTableSlot *slot, EState *estate, const Sample &sample)
{
	if (sample.count == 0)
		return 0;
	double limit = sample.nearest[0];
	ScanKeyData key;
	ScanKeyEntryInitialize(&key, SK_ORDER_BY, 1, 1, InvalidOid, r->own.index->rd_indcollation[0], r->distance.fn_oid,
						   PointerGetDatum(sample.v));
	index_rescan(scan, nullptr, 0, &key, 1);
	Waiting waiting{static_cast<double *>(palloc(64 * sizeof(double))), 0, 64};
	uint32 returned = 0;
	uint64 hits = 0;
	while (returned < r->k)
	{
		CHECK_FOR_INTERRUPTS();
		ItemPointer tid = index_getnext_tid(scan, ForwardScanDirection);
		if (tid == nullptr)
		{
			take_waiting(waiting, get_float8_infinity(), r->k - returned, limit, hits);
			break;
		}
		/* The address as the index has it: the fetch moves it along the row's versions. */
		bool itself = tid_number(tid) == sample.tid;
		if (!index_fetch_heap(scan, slot) || itself)
			continue;
		if (waiting.count == waiting.capacity)
			waiting.distances = static_cast<double *>(
				repalloc_huge(waiting.distances, static_cast<Size>(waiting.capacity *= 2) * sizeof(double)));
		waiting.distances[waiting.count++] = slot_distance(r, slot, estate, sample);
		std::push_heap(waiting.distances, waiting.distances + waiting.count, std::greater<double>());
		double bound = scan->xs_orderbynulls[0] ? get_float8_infinity() : DatumGetFloat8(scan->xs_orderbyvals[0]);
		returned += take_waiting(waiting, bound, r->k - returned, limit, hits);
	}
	pfree(waiting.distances);
	return hits;
}

static double
milliseconds_since(instr_time start)
{
	instr_time now;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return INSTR_TIME_GET_MILLISEC(now);
}

static void
prepare(Recall *r)
{
	Relation index = r->own.index;
	if (r->own.method == Method::hnsw)
	{
		hnsw::HnswMeta meta;
		hnsw::read_meta(index, meta);
		r->dimensions = meta.dimensions;
		r->metric = static_cast<hnsw::Metric>(meta.metric);
		r->type = static_cast<ElementType>(meta.element_type);
	}
	else
	{
		ivf::IvfMeta meta;
		ivf::read_meta(index, meta);
		r->dimensions = meta.dimensions;
		r->metric = static_cast<ivf::Metric>(meta.metric);
		r->type = static_cast<ElementType>(meta.element_type);
	}
	r->info = BuildIndexInfo(index);
	r->row_context = AllocSetContextCreate(r->context, "vecdb check recall row", ALLOCSET_DEFAULT_SIZES);
	Oid type = index->rd_opcintype[0];
	Oid operator_oid = get_opfamily_member(index->rd_opfamily[0], type, type, 1);
	if (!OidIsValid(operator_oid))
		elog(ERROR, "missing ordering operator of index \"%s\"", RelationGetRelationName(index));
	fmgr_info(get_opcode(operator_oid), &r->distance);
	r->samples = static_cast<Sample *>(palloc0(r->wanted * sizeof(Sample)));
}

/* values: samples, k, recall, mean_index_ms, mean_exact_ms. */
static void
measure(Recall *r, Datum *values, bool *nulls)
{
	prepare(r);
	scan_indexed_rows(r->own, r->info, r->snapshot, choose_sample, r);
	for (uint32 i = 0; i < r->sample_count; i++)
		r->samples[i].nearest = static_cast<double *>(palloc(r->k * sizeof(double)));
	instr_time start;
	INSTR_TIME_SET_CURRENT(start);
	if (r->sample_count > 0)
		scan_indexed_rows(r->own, r->info, r->snapshot, compare_row, r);
	double exact_ms = milliseconds_since(start);

	EState *estate = CreateExecutorState();
	TupleTableSlot *slot = table_slot_create(r->own.heap, nullptr);
	IndexScanDesc scan = pg::index_beginscan_compat(r->own.heap, r->own.index, r->snapshot, 0, 1);
	uint64 hits = 0, all = 0;
	/* As a statement with LIMIT k tells; the sample itself comes on top. */
	storage::set_row_limit(RelationGetRelid(r->own.index), r->k + 1);
	INSTR_TIME_SET_CURRENT(start);
	for (uint32 i = 0; i < r->sample_count; i++)
	{
		hits += count_hits(r, scan, slot, estate, r->samples[i]);
		all += r->samples[i].count;
	}
	double index_ms = milliseconds_since(start);
	storage::set_row_limit(RelationGetRelid(r->own.index), 0);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);

	values[0] = Int32GetDatum(static_cast<int32>(r->sample_count));
	values[1] = Int32GetDatum(static_cast<int32>(r->k));
	nulls[2] = all == 0;
	values[2] = Float8GetDatum(all == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(all));
	nulls[3] = nulls[4] = r->sample_count == 0;
	values[3] = Float8GetDatum(nulls[3] ? 0.0 : index_ms / r->sample_count);
	values[4] = Float8GetDatum(nulls[4] ? 0.0 : exact_ms / r->sample_count);
}

static uint32
positive(const char *name, int32 value, int32 most)
{
	if (value < 1 || value > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be between 1 and %d, not %d", name, most, value)));
	return static_cast<uint32>(value);
}

}  // namespace vecdb::maintenance

using namespace vecdb;

VECDB_FUNCTION(vecdb_check_recall)
{
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb check recall", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *r = static_cast<maintenance::Recall *>(palloc0(sizeof(maintenance::Recall)));
	r->context = context;
	r->wanted = maintenance::positive("samples", PG_GETARG_INT32(1), maintenance::kMaxSamples);
	r->k = maintenance::positive("k", PG_GETARG_INT32(2), maintenance::kMaxNeighbors);
	r->own = maintenance::open_own_index(PG_GETARG_OID(0), AccessShareLock);
	r->snapshot = RegisterSnapshot(GetLatestSnapshot());
	Datum values[5];
	bool nulls[5] = {false, false, false, false, false};
	maintenance::measure(r, values, nulls);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	UnregisterSnapshot(r->snapshot);
	maintenance::close_own_index(r->own);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return Datum{0};
}
