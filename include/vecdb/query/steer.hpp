/* SPDX-License-Identifier: PostgreSQL
 * Where a search goes that looks for the best scores: distances as a graph search wants them, of many rows at once.
 *
 * Regime: core.
 * Keeps:  of two rows the one with the smaller distance has the greater score, up to the rounding of float32. The numbers are not
 *         scores: similarities are squashed by a scale of their own (a score of squared distances about 10^5 would have no digits
 *         left), and rows that meet all pairs of context, whose scores are equal, get different ones (a search ends where
 *         nothing nearer is found, so on a plateau it would not end).
 */
#pragma once

#include <cstddef>

#include "vecdb/query/score.hpp"

namespace vecdb::core::query
{

/*
 * How much estimated similarities may be off: on row r, the difference of two of them by margins[i] * noise[r], where i is the pair
 * (discover, context), or 0 (best_score: positive and negative ones). Whatever may be so well within it is taken to be so.
 */
struct Doubt
{
	const float *margins;
	const float *noise;
};

/*
 * similarities[i * stride + row]: to example i. scale > 0: what similarities usually are, in size. doubt: null where similarities are
 * exact. out: n. NaN may come out.
 */
void steer(const Formula &formula, float scale, const float *similarities, std::size_t stride, std::size_t n,
		   const Doubt *doubt, float *out) noexcept;

/* Of n distances in a graph: squared L2 (of unit vectors for cosine), minus the inner product, or L1. In place. */
void graph_similarities(distance::Metric metric, float *distances, std::size_t n) noexcept;

}  // namespace vecdb::core::query
