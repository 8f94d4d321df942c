/* SPDX-License-Identifier: PostgreSQL
 * vecdb.sample(): rows picked at random.
 *
 * Regime: shell.
 * Keeps:  each set of k rows is as likely as any other, to the quality of the hash functions of the key's types: the k smallest by a hash
 *         of key and seed are taken. So the pick of a seed depends on the keys alone, not on where rows lie or how they are read.
 * Cost:   one pass over the rows that the filter lets through, and memory for k of them.
 */
#include "api/rows.hpp"

extern "C" {
#include "common/pg_prng.h"
}

#include <bit>
#include <cmath>

namespace vecdb::api
{

enum SampleArgument
{
	kRel,
	kKey,
	kK,
	kFilter,
	kSeed,
	kParams,
};

static int64
read_seed(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(kSeed))
		return static_cast<int64>(pg_prng_uint64(&pg_global_prng_state));
	double seed = PG_GETARG_FLOAT8(kSeed);
	if (!std::isfinite(seed))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("seed must be a finite number")));
	/* Minus zero is zero. A golden-ratio step keeps the seed 0 from meaning "no seed" to the hash functions. */
	return static_cast<int64>(std::bit_cast<uint64>(seed + 0.0) + 0x9e3779b97f4a7c15U);
}

/*
 * A hash of the key and $n. Of keys that differ by little, one round makes hashes whose order still shows it: some pairs of rows would
 * be picked together more often than others (test rows_api).
 */
static void
append_hash(StringInfo sql, const Key &key, int n)
{
	StringInfoData row;
	initStringInfo(&row);
	bool hashable = true;
	for (int i = 0; i < key.count; i++)
	{
		appendStringInfo(&row, "%s%s", i == 0 ? "" : ", ", key.columns[i]);
		hashable = hashable &&
				   OidIsValid(lookup_type_cache(key.column_types[i], TYPECACHE_HASH_EXTENDED_PROC)->hash_extended_proc);
	}
	if (hashable)
		appendStringInfo(sql, "pg_catalog.hashint8extended(pg_catalog.hash_record_extended(ROW(%s), $%d), $%d)",
						 row.data, n, n);
	else
		appendStringInfo(sql,
						 "pg_catalog.hashint8extended(pg_catalog.hashtextextended(ROW(%s)::pg_catalog.text, $%d), $%d)",
						 row.data, n, n);
}

/* One column of a row type is, for SQL, the columns of that type. */
static void
put_id(ReturnSetInfo *result, Datum id, bool isnull, bool is_row)
{
	if (!is_row || isnull)
	{
		tuplestore_putvalues(result->setResult, result->setDesc, &id, &isnull);
		return;
	}
	HeapTupleHeader header = DatumGetHeapTupleHeader(id);
	HeapTupleData tuple{};
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	ItemPointerSetInvalid(&tuple.t_self);
	tuplestore_puttuple(result->setResult, &tuple);
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_sample)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	int32 k = PG_ARGISNULL(kK) ? 10 : PG_GETARG_INT32(kK);
	check_page(k, 0);
	int64 seed = read_seed(fcinfo);
	SearchParams params = read_params(jsonb_argument(fcinfo, kParams));
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, nullptr, argument_type(fcinfo, kKey, "key"), params);
	Values values;
	init_values(values);
	int n = add_value(values, INT8OID, Int64GetDatum(seed));
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s FROM %s AS t", target.key.select, target.relation);
	StatementOptions options;
	if (append_where(&sql, target, jsonb_argument(fcinfo, kFilter), nullptr, values))
		options.plan = PlanChoice::custom;
	appendStringInfoString(&sql, " ORDER BY ");
	append_hash(&sql, target.key, n);
	appendStringInfo(&sql, ", %s LIMIT %d", target.key.order, k);
	run_statement(sql.data, values, options);
	bool is_row = type_is_rowtype(target.key.type);
	for (uint64 i = 0; i < SPI_tuptable->numvals; i++)
	{
		bool isnull = false;
		Datum id = heap_getattr(SPI_tuptable->vals[i], 1, SPI_tuptable->tupdesc, &isnull);
		put_id(result, id, isnull, is_row);
	}
	SPI_finish();
	return Datum{0};
}
