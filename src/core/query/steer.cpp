/* SPDX-License-Identifier: PostgreSQL
 * Distances by which a graph search looks for the best scores.
 *
 * Regime: core.
 */
#include "vecdb/query/steer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vecdb::core::query
{

namespace
{

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kMargin = 0x1p-23f;  // of context

/* Rows at a time. */
constexpr std::size_t kRows = 32;

/* How much rows on the plateau of context may differ: less than any that are off it by a rounding of their similarities. */
constexpr float kPlateau = 1e-3f;

float
squashed(float x, float scale) noexcept
{
	return x / (scale + std::fabs(x));
}

/* In (0, 1). */
float
sigmoid(float x, float scale) noexcept
{
	return 0.5f * (squashed(x, scale) + 1);
}

void
steer_rows(const Formula &f, float scale, const float *s, std::size_t stride, std::size_t n, const float *margins,
		   const float *noise, float *out) noexcept
{
	float first[kRows], second[kRows];
	auto margin = [margins](std::uint32_t i) noexcept { return margins != nullptr ? margins[i] : 0; };
	switch (f.kind)
	{
		case Kind::average:
			for (std::size_t i = 0; i < n; i++)
				out[i] = -s[i];
			return;
		case Kind::best_score:
			std::fill(first, first + n, -kInfinity);
			std::fill(second, second + n, -kInfinity);
			for (std::uint32_t e = 0; e < f.positives + f.negatives; e++)
			{
				float *best = e < f.positives ? first : second;
				for (std::size_t i = 0; i < n; i++)
					best[i] = s[e * stride + i] > best[i] ? s[e * stride + i] : best[i];
			}
			for (std::size_t i = 0; i < n; i++)
				out[i] = first[i] > second[i] - margin(0) * noise[i] ? -sigmoid(first[i], scale)
																	 : sigmoid(second[i], scale);
			return;
		case Kind::sum_scores:
			std::fill(out, out + n, 0.0f);
			for (std::uint32_t e = 0; e < f.positives + f.negatives; e++)
			{
				float sign = e < f.positives ? -1 : 1;
				for (std::size_t i = 0; i < n; i++)
					out[i] += sign * s[e * stride + i];
			}
			return;
		case Kind::discover:
			for (std::size_t i = 0; i < n; i++)
				out[i] = -sigmoid(s[i], scale);
			for (std::uint32_t e = 0; e < f.positives; e++)
			{
				const float *positive = s + (1 + 2 * e) * stride, *negative = positive + stride;
				for (std::size_t i = 0; i < n; i++)
				{
					float difference = positive[i] - negative[i] + margin(e) * noise[i];
					out[i] -= (difference > 0 ? 1.0f : 0.0f) - (difference < 0 ? 1.0f : 0.0f);
				}
			}
			return;
		case Kind::context:
			std::fill(out, out + n, 0.0f);
			std::fill(first, first + n, kInfinity);
			for (std::uint32_t e = 0; e < f.positives; e++)
			{
				const float *positive = s + 2 * e * stride, *negative = positive + stride;
				for (std::size_t i = 0; i < n; i++)
				{
					float difference = positive[i] - negative[i] - kMargin + margin(e) * noise[i];
					first[i] = difference < first[i] ? difference : first[i];
					out[i] -= difference < 0 ? squashed(difference, 1) : 0;
				}
			}
			for (std::size_t i = 0; i < n; i++)
				out[i] -= first[i] >= 0 ? kPlateau * squashed(first[i], scale) : 0;
			return;
	}
}

}  // namespace

void
steer(const Formula &formula, float scale, const float *similarities, std::size_t stride, std::size_t n,
	  const Doubt *doubt, float *out) noexcept
{
	static constexpr float kNone[kRows] = {};
	for (std::size_t first = 0; first < n; first += kRows)
		steer_rows(formula, scale, similarities + first, stride, std::min(kRows, n - first),
				   doubt != nullptr ? doubt->margins : nullptr, doubt != nullptr ? doubt->noise + first : kNone,
				   out + first);
}

void
graph_similarities(distance::Metric metric, float *distances, std::size_t n) noexcept
{
	/* Distances beyond it, and what is no number, count as this far: differences of them are numbers. */
	constexpr float kFarthest = 1e37f;
	float scale = metric == distance::Metric::cosine ? 0.5f : 1.0f,
		  at_zero = metric == distance::Metric::cosine ? 1.0f : 0.0f;
	for (std::size_t i = 0; i < n; i++)
	{
		float d = distances[i] < kFarthest ? distances[i] : kFarthest;
		d = d > -kFarthest ? d : -kFarthest;
		distances[i] = at_zero - scale * d;
	}
}

}  // namespace vecdb::core::query
