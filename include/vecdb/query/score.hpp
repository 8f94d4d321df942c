/* SPDX-License-Identifier: PostgreSQL
 * Scores of rows against several examples: recommend, discover, context.
 *
 * Regime: core.
 * Source: the formulas of Qdrant 1.19 (docs/query-operator.md gives them); sg(x) = (x / (1 + |x|) + 1) / 2.
 * A similarity s grows the nearer two vectors are: the inner product, the cosine, minus the squared L2 distance, minus the L1 distance.
 * Keeps:  a score never falls when an example that raises() comes nearer, nor when another goes farther: so bounds of the
 *         similarities bound the score.
 */
#pragma once

#include <cstdint>

#include "vecdb/distance/metric.hpp"

namespace vecdb::core::query
{

/* Values are stored in data (type vecdb.query): never renumber. */
enum class Kind : std::uint8_t
{
	average = 1,     // one vector: the average of positives, led away from that of negatives
	best_score = 2,  // examples: positives, then negatives
	sum_scores = 3,
	discover = 4,  // examples: the target, then pairs (positive, negative)
	context = 5,   // examples: pairs
};

/* What a score is worked out by. The similarities it takes are in the order of the examples. */
struct Formula
{
	Kind kind;
	std::uint32_t positives;  // of pairs both counts are equal; average: 1
	std::uint32_t negatives;
	double scale;  // above 0: of sum_scores, the factor of each similarity; else 1
};

struct ScoreInterval
{
	double lower;
	double upper;
};

/* How many there are. */
inline std::uint32_t
example_count(const Formula &formula) noexcept
{
	return formula.positives + formula.negatives + (formula.kind == Kind::discover ? 1 : 0);
}

/* Does the score rise with the similarity to example i? Else it falls. */
inline bool
raises(const Formula &formula, std::uint32_t i) noexcept
{
	switch (formula.kind)
	{
		case Kind::average:
		case Kind::best_score:
		case Kind::sum_scores: break;
		case Kind::discover: return i == 0 || i % 2 == 1;
		case Kind::context: return i % 2 == 0;
	}
	return i < formula.positives;
}

/* Whether rows are in the order of their similarity to one vector, the only example. */
inline bool
is_nearest_search(const Formula &formula) noexcept
{
	return example_count(formula) == 1 && raises(formula, 0);
}

/*
 * Whether the best rows are those farthest from examples, by a distance that has no bound: outliers, which lie apart from each other, so that no
 * index of near rows leads to them.
 */
bool is_farthest_first(const Formula &formula, distance::Metric metric) noexcept;

/* NaN where a similarity is NaN. */
double score(const Formula &formula, const double *similarities) noexcept;

/*
 * Holds what score() gives for any similarities within these bounds, its rounding included. A bound that is NaN is none.
 */
ScoreInterval score_interval(const Formula &formula, const ScoreInterval *similarities) noexcept;

/* Of a distance as the operator of the metric (one of floats) gives it: cosine 1 - d, inner product -d, L2 -d^2, L1 -d. */
double similarity_of(distance::Metric metric, double distance) noexcept;

/* Of bounds of a distance. */
ScoreInterval similarity_bounds(distance::Metric metric, double lower, double upper) noexcept;

}  // namespace vecdb::core::query
