/* SPDX-License-Identifier: PostgreSQL
 * Answers of the form (id, distance, score, rank): the nearest rows of a target, in order of a distance and then of the
 * key.
 *
 * Regime: shell.
 */
#pragma once

#include "api/ids.hpp"
#include "api/statement.hpp"
#include "api/target.hpp"
#include "vecdb/query/score.hpp"

namespace vecdb::api
{

/* The arguments k, skip, filter, score_threshold, params of most functions, in this order; NULL is the default. */
struct PageRequest
{
	int32 k = 10;
	int32 skip = 0;
	Jsonb *filter = nullptr;  // null: none
	bool has_threshold = false;
	double threshold = 0;
	SearchParams params;
};

/* first: the number of the argument k. Checks k and skip. */
PageRequest read_page(FunctionCallInfo fcinfo, int first);

struct Ranking
{
	/* The value that orders, already in values (add_value): of the column's type, or of type vecdb.query. */
	int query;
	bool scored;                         // by <*> and a vecdb.query: score = -distance; else by the metric's distance
	const char *condition;               // a further condition on t, as text in parentheses; null: none
	bool condition_leaves_most = false;  // it does not decide the plan, which may be kept
	const core::query::Formula
		*formula;  // of a query by examples: what a score is, scored or not; null: of the distance
};

/*
 * Runs "ORDER BY distance, key" over the target and puts up to page.k rows into result: id, distance, score, rank, the
 * rows whose score is at least the threshold, without those that have no distance. Between SPI_connect and SPI_finish.
 */
void put_ranked_rows(ReturnSetInfo *result, const Target &target, const PageRequest &page, const Ranking &ranking,
					 Values &values);

/*
 * Appends the statement: columns of the id, then the distance. distance: an expression over t; condition: over t, "" for
 * none.
 */
IdMaker append_ranked_select(StringInfo sql, const Target &target, const char *distance, const char *condition, int64 k,
							 int64 skip);

/* Starts a set-returning function with a tuplestore of the result type that the caller expects. */
ReturnSetInfo *begin_rows(FunctionCallInfo fcinfo);

/* The type of an argument after the call was resolved; 42804 where it is not known. */
Oid argument_type(FunctionCallInfo fcinfo, int argument, const char *name);

/* Arguments that must not be NULL (22004 with the name). */
Datum required_argument(FunctionCallInfo fcinfo, int argument, const char *name);

}  // namespace vecdb::api
