/* SPDX-License-Identifier: PostgreSQL
 * Scores of rows against several examples: recommend, discover, context.
 *
 * Regime: core.
 * Source: the formulas of Qdrant 1.19 (docs/recommend.md, docs/discover.md give them); sg(x) = (x / (1 + |x|) + 1) / 2.
 * A similarity s grows the nearer two vectors are: the inner product, the cosine, minus the squared L2 distance, minus the L1 distance.
 */
#pragma once

#include <cstdint>

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

}  // namespace vecdb::core::query
