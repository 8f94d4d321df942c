/* SPDX-License-Identifier: PostgreSQL
 * vecdb.search_batch(): many searches in one statement.
 *
 * Regime: shell.
 * Queries with the same filter are one statement, which scans the index anew for each: what it takes to start a
 * statement, and a client's round trip, is paid once.
 * Keeps:  one snapshot; the rows of a query are those of vecdb.search with the same arguments, in the same order.
 */
#include "api/ranked.hpp"

#include <cmath>

#include "api/filter.hpp"

namespace vecdb::api
{

/* Rows of an answer that are in memory at a time, or those of one query. */
constexpr int64 kSliceRows = 50000;

struct Batch
{
	const Target *target;
	int32 k, skip;
	int count;
	Datum *queries;   // of the column's type
	Jsonb **filters;  // one a query; null: none
	SearchParams params;
};

/* A row that a statement returned. */
struct BatchRow
{
	int query;
	SPITupleTable *table;
	uint64 index;
};

struct BatchRows
{
	IdMaker ids;
	uint64 count, capacity;
	BatchRow *rows;
};

static bool
same_filter(const Jsonb *a, const Jsonb *b)
{
	if (a == nullptr || b == nullptr)
		return a == b;
	return VARSIZE_ANY(a) == VARSIZE_ANY(b) && memcmp(a, b, VARSIZE_ANY(a)) == 0;
}

/* $1: the queries of one filter. Columns: the number of the query, id, distance. */
static IdMaker
append_batch_select(StringInfo sql, const Batch &batch, Jsonb *filter, Values &values)
{
	StringInfoData distance, condition;
	initStringInfo(&distance);
	initStringInfo(&condition);
	append_distance(&distance, *batch.target, "q.v");
	if (filter != nullptr)
		append_filter(&condition, *batch.target, filter, values);
	appendStringInfoString(sql, "SELECT q.n, r.* FROM pg_catalog.unnest($1) WITH ORDINALITY AS q (v, n) "
								"CROSS JOIN LATERAL (");
	IdMaker ids = append_ranked_select(sql, *batch.target, distance.data, condition.data, batch.k, batch.skip);
	appendStringInfoString(sql, ") AS r");
	return ids;
}

/* Runs the queries places[0..count) of the batch, which have one filter. */
static void
run_group(BatchRows &rows, const Batch &batch, const int *places, int count, int16 length, char align)
{
	const Target &target = *batch.target;
	auto *vectors = static_cast<Datum *>(palloc(static_cast<Size>(count) * sizeof(Datum)));
	for (int i = 0; i < count; i++)
		vectors[i] = batch.queries[places[i]];
	ArrayType *array = construct_array(vectors, count, target.vec_type, length, false, align);
	Values values;
	init_values(values);
	add_value(values, get_array_type(target.vec_type), PointerGetDatum(array));
	StringInfoData sql;
	initStringInfo(&sql);
	Jsonb *filter = batch.filters[places[0]];
	rows.ids = append_batch_select(&sql, batch, filter, values);
	StatementOptions options;
	options.variant = settings_variant(batch.params);
	if (filter != nullptr)
		options.plan = PlanChoice::custom;
	run_statement(sql.data, values, options);
	if (rows.count + SPI_processed > rows.capacity)
	{
		rows.capacity = 2 * (rows.count + SPI_processed);
		Size bytes = rows.capacity * sizeof(BatchRow);
		rows.rows = static_cast<BatchRow *>(rows.rows == nullptr ? MemoryContextAllocHuge(CurrentMemoryContext, bytes)
																 : repalloc_huge(rows.rows, bytes));
	}
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool is_null;
		int64 n = DatumGetInt64(heap_getattr(SPI_tuptable->vals[i], 1, SPI_tuptable->tupdesc, &is_null));
		rows.rows[rows.count++] = {places[n - 1], SPI_tuptable, i};
	}
}

/*
 * The rows by query; those of one in the order in which its statement returned them, which is that of its ORDER BY. (The
 * order of queries is the join's, and not promised.)
 */
static BatchRow *
by_query(const BatchRows &rows, int first, int last)
{
	auto *starts = static_cast<uint64 *>(palloc0(static_cast<Size>(last - first + 1) * sizeof(uint64)));
	for (uint64 i = 0; i < rows.count; i++)
		starts[rows.rows[i].query - first + 1]++;
	for (int q = first; q < last; q++)
		starts[q - first + 1] += starts[q - first];
	auto *sorted =
		static_cast<BatchRow *>(MemoryContextAllocHuge(CurrentMemoryContext, (rows.count + 1) * sizeof(BatchRow)));
	for (uint64 i = 0; i < rows.count; i++)
		sorted[starts[rows.rows[i].query - first]++] = rows.rows[i];
	return sorted;
}

static void
put_rows(ReturnSetInfo *result, const Batch &batch, const BatchRows &rows, const BatchRow *sorted)
{
	int64 rank = 0;
	for (uint64 i = 0; i < rows.count; i++)
	{
		rank = i == 0 || sorted[i].query != sorted[i - 1].query ? batch.skip + 1 : rank + 1;
		HeapTuple tuple = sorted[i].table->vals[sorted[i].index];
		TupleDesc columns = sorted[i].table->tupdesc;
		Datum row[5];
		bool nulls[5] = {};
		row[2] = heap_getattr(tuple, rows.ids.count + 2, columns, &nulls[2]);
		if (nulls[2] || std::isnan(DatumGetFloat8(row[2])))
			continue;
		row[0] = Int32GetDatum(sorted[i].query + 1);
		row[1] = make_id(rows.ids, tuple, columns, 2, &nulls[1]);
		row[3] = Float8GetDatum(score_of_distance(batch.target->metric, DatumGetFloat8(row[2])));
		row[4] = Int64GetDatum(rank);
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	}
}

/* The queries [first, last): a statement for each filter among them. */
static void
run_slice(ReturnSetInfo *result, const Batch &batch, int first, int last)
{
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(batch.target->vec_type, &length, &by_value, &align);
	BatchRows rows{};
	auto *places = static_cast<int *>(palloc(static_cast<Size>(last - first) * sizeof(int)));
	auto *done = static_cast<bool *>(palloc0(static_cast<Size>(last - first)));
	for (int i = first; i < last; i++)
	{
		if (done[i - first])
			continue;
		int count = 0;
		for (int j = i; j < last; j++)
		{
			if (done[j - first] || !same_filter(batch.filters[i], batch.filters[j]))
				continue;
			done[j - first] = true;
			places[count++] = j;
		}
		run_group(rows, batch, places, count, length, align);
	}
	put_rows(result, batch, rows, by_query(rows, first, last));
}

static void
run_batch(ReturnSetInfo *result, const Batch &batch)
{
	int step = static_cast<int>(kSliceRows / batch.k) + 1;
	int settings = begin_settings(batch.params);
	for (int first = 0; first < batch.count; first += step)
	{
		/* Between SPI_connect and SPI_finish, what a slice needed is freed. */
		SPI_connect();
		run_slice(result, batch, first, batch.count - first < step ? batch.count : first + step);
		SPI_finish();
	}
	end_settings(settings);
}

/* The queries of an array of vectors as values of the column's type. */
static void
take_queries(Batch &batch, const Target &target, Datum queries)
{
	ArrayType *array = DatumGetArrayTypeP(queries);
	bool *nulls;
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &batch.queries, &nulls, &batch.count);
	for (int i = 0; i < batch.count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array of queries must not contain nulls")));
		batch.queries[i] = query_for_column(target, batch.queries[i]);
	}
}

/* One for all, or one each; a NULL is none. */
static void
take_filters(Batch &batch, FunctionCallInfo fcinfo, int argument)
{
	batch.filters = static_cast<Jsonb **>(palloc0(static_cast<Size>(batch.count + 1) * sizeof(Jsonb *)));
	if (PG_ARGISNULL(argument))
		return;
	Datum *elements;
	bool *nulls;
	int count;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), JSONBOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (count != 1 && count != batch.count)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_ELEMENT_ERROR),
						errmsg("array of filters has %d elements, but that of queries %d", count, batch.count),
						errhint("Give one filter for all queries, or one for each.")));
	for (int i = 0; i < batch.count; i++)
	{
		int place = count == 1 ? 0 : i;
		if (!nulls[place])
			batch.filters[i] = DatumGetJsonbP(elements[place]);
	}
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_search_batch)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, 0, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, 1, "vec")));
	Datum queries = required_argument(fcinfo, 3, "queries");
	Batch batch{};
	batch.k = PG_ARGISNULL(4) ? 10 : PG_GETARG_INT32(4);
	batch.skip = PG_ARGISNULL(5) ? 0 : PG_GETARG_INT32(5);
	check_page(batch.k, batch.skip);
	batch.params = read_params(PG_ARGISNULL(7) ? nullptr : PG_GETARG_JSONB_P(7));
	ReturnSetInfo *result = begin_rows(fcinfo);
	Target target = open_target(relid, vec, argument_type(fcinfo, 2, "key"), batch.params);
	batch.target = &target;
	take_queries(batch, target, queries);
	take_filters(batch, fcinfo, 6);
	run_batch(result, batch);
	return Datum{0};
}
