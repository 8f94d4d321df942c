/* SPDX-License-Identifier: PostgreSQL
 * The SQL type vecdb.query: what rows are scored by, made of examples. Operator <*> is minus the score.
 *
 * Regime: shell.
 * Memory: new values live in the current memory context.
 */
#pragma once

#include "types/indexed.hpp"
#include "vecdb/distance/metric.hpp"
#include "vecdb/query/score.hpp"

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

/* Score of one value, the oracle of all indexes; NaN where it has none (a zero vector under cosine). */
double query_score(Datum query, const IndexedValue &value);

}  // namespace types
}  // namespace vecdb
