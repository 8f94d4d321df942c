/* SPDX-License-Identifier: PostgreSQL
 * What a function of the query API works on: a relation, its vector column with a metric, its key.
 *
 * Regime: shell.
 * In statements the relation has the alias t. All text here is quoted and qualified, so the caller's search_path cannot bend it.
 */
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/jsonb.h"
}

#include "types/indexed.hpp"
#include "vecdb/distance/metric.hpp"

namespace vecdb::api
{

using core::distance::Metric;

/* How the caller names rows; the type of the argument `key` (or of the ids) is a witness of it (docs/query-api.md). */
enum class KeyShape : uint8
{
	scalar,     // one column: the primary key's, or params.key_column
	composite,  // attributes of the witness type name the key columns
	row,        // the relation's own row type: whole rows come back
};

struct Key
{
	Oid type;  // of the witness: what ids are and what is returned
	KeyShape shape;
	int count;  // columns
	AttrNumber *attnos;
	Oid *column_types;
	Oid *id_types;         // of the values in an id: as column_types, but for integers, domains and varchar
	const char **columns;  // "t.a"
	const char *select;    // an expression of type `type`
	const char *order;     // "t.a, t.b": ties are broken by it
};

/* Of params jsonb. A key that is not known: 22023. */
struct SearchParams
{
	bool has_metric;
	Metric metric;
	const char *key_column;      // null: the primary key
	const char *payload_column;  // null: see filter.hpp
	bool exact;                  // no approximate index
	int ef_search, probes;       // -1: as set
};

SearchParams read_params(Jsonb *params);  // of null: the defaults

/* Sets ef_search and probes until end_settings(); nothing to do where neither is given. An ERROR takes them back too. */
int begin_settings(const SearchParams &params);
void end_settings(int nest_level);

/* For StatementOptions: plans made under such settings are kept apart. */
uint32 settings_variant(const SearchParams &params);

struct Target
{
	Oid relid;
	char relkind;
	const char *relation;  // "public.items"
	const char *payload_column;
	/* --- only with a vector column --- */
	AttrNumber vec_attno;
	const char *vec;  // "t.embedding"
	Oid vec_type;
	int32 vec_typmod;  // dimensions, or -1
	ElementType element;
	Metric metric;                // params.metric; else of the column's indexes (two that differ: 22023); else cosine
	const char *distance;         // "OPERATOR(public.<=>)"
	const char *scored_distance;  // "OPERATOR(public.<*>)"; null where the column's type has none
	Oid query_type;               // vecdb.query; InvalidOid where there is none
	bool exact;
	/* --- only with a witness --- */
	Key key;
};

/*
 * relid: 42P01 if there is none, 42501 without SELECT on it. vec: null where no vector is needed; 42703 unknown, 42804 not a vector type.
 * witness: InvalidOid where no key is needed; 42830 without a usable unique key, 42804 for another type of key.
 */
Target open_target(Oid relid, const char *vec, Oid witness, const SearchParams &params);

/*
 * Appends a condition on t, in parentheses, that is true for rows whose key is in ids (an array of key.type of any
 * shape, no NULLs: 22004). negate: for rows whose key is in none. An id that the column cannot hold is in no row.
 */
void append_key_in(StringInfo sql, const Target &target, Datum ids, bool negate, struct Values &values);

/* "t.embedding OPERATOR(public.<=>) $n", with target.exact such that no index serves it. The value is of target.vec_type. */
void append_distance(StringInfo sql, const Target &target, int n);

/* The same with an expression of that type. */
void append_distance(StringInfo sql, const Target &target, const char *query);

/* The same for "t.embedding OPERATOR(public.<*>) $n"; the value is of target.query_type. */
void append_scored_distance(StringInfo sql, const Target &target, int n);

/* A distance of the metric (operator's value) as score: larger is better. cosine 1 - d, inner product -d, L2 -d^2, L1 -d, else -d. */
double score_of_distance(Metric metric, double distance);

/* The inverse; NaN where there is none. */
double distance_of_score(Metric metric, double score);

/* A query of one of our types as a value of the column's; 22000 where dimensions differ. */
Datum query_for_column(const Target &target, Datum query, ElementType type = ElementType::float32);

/* k >= 1 (22023) and not above vecdb.max_k (54000); skip >= 0 (22023). */
void check_page(int64 k, int64 skip);

/* 22004: a required argument is NULL. */
[[noreturn]] void report_null_argument(const char *name);

/* Defines vecdb.max_k, registers for invalidation. */
void target_init();

}  // namespace vecdb::api
