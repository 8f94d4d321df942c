/* SPDX-License-Identifier: PostgreSQL
 * The SQL type vecdb.query: what rows are scored by, made of examples. Operator <*> is minus the score.
 *
 * Regime: shell.
 * Memory: new values live in the current memory context. A QueryValue points into the datum it was made from, or its detoasted copy.
 */
#pragma once

#include "types/indexed.hpp"
#include "vecdb/distance/metric.hpp"
#include "vecdb/query/score.hpp"
#include "vecdb/query/value.hpp"

namespace vecdb
{

inline namespace types
{

/* Values of one element type, none NULL. 22000 where dimensions differ; under cosine 22023 for a zero vector. */
struct Examples
{
	const Datum *values;
	int count;
};

/* strategy average: 22023 without a positive example, and under cosine where the average is zero. */
Datum make_recommend_query(core::query::Kind strategy, core::distance::Metric metric, ElementType type,
						   Examples positive, Examples negative);

/* A target and pairs: positive[i] is to be nearer than negative[i]. */
Datum make_discover_query(core::distance::Metric metric, ElementType type, Datum target, Examples positive,
						  Examples negative);
Datum make_context_query(core::distance::Metric metric, ElementType type, Examples positive, Examples negative);

/* average_vector, best_score, sum_scores; else 22023. */
core::query::Kind parse_strategy(const char *name);

/* cosine; dot, ip, inner_product; l2, euclid, euclidean; l1, manhattan; in any case. Else 22023. */
core::distance::Metric parse_metric(const char *name);

/*
 * A query to be read. Examples of all dense types are float32 elements: the query made of values of one of them fits columns of any
 * other. sum_scores by inner product or cosine has become one example, the weighted sum, with a scale.
 */
struct QueryValue
{
	const core::query::QueryHead *head;
	core::query::Formula formula;
	core::distance::Metric metric;
	bool sparse;
	int dimensions;
	uint32 count;          // of examples, in the order of the formula
	const char *examples;  // the first
};

QueryValue query_value(Datum query);

/* The example at `at`, as a value of type float32 or sparse; moves on to the next. Aligned. */
IndexedValue next_example(const QueryValue &query, const char *&at);

/* 42804 where values of that type cannot be compared with the examples. */
void check_query_type(const QueryValue &query, ElementType type);

/* Score of one value, the oracle of all indexes; NaN where it has none (a zero vector under cosine). 42804, 22000. */
double query_score(const QueryValue &query, const IndexedValue &value);
double query_score(Datum query, const IndexedValue &value);

}  // namespace types
}  // namespace vecdb
