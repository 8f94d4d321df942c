/* SPDX-License-Identifier: PostgreSQL
 * Scores of rows against several examples.
 *
 * Regime: core.
 */
#include "vecdb/query/score.hpp"

#include <cmath>
#include <limits>

namespace vecdb::core::query
{

namespace
{

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/* How far the positive of a pair of context must be ahead: float32's epsilon. */
constexpr double kMargin = 0x1p-23;

/* x / (1 + |x|), in (-1, 1). */
double
squashed(double x) noexcept
{
	return std::isinf(x) ? std::copysign(1.0, x) : x / (1 + std::fabs(x));
}

double
sigmoid(double x) noexcept
{
	return 0.5 * (squashed(x) + 1);
}

/* Similarities that are given one by one: exact values, or the ends of intervals that make the score least or greatest. */
template <class At>
double
best_score(const Formula &f, At at) noexcept
{
	double positive = -kInfinity, negative = -kInfinity;
	for (std::uint32_t i = 0; i < f.positives; i++)
		positive = std::fmax(positive, at(i));
	for (std::uint32_t i = 0; i < f.negatives; i++)
		negative = std::fmax(negative, at(f.positives + i));
	return positive > negative ? sigmoid(positive) : -sigmoid(negative);
}

/* magnitude: of the terms summed up, for their rounding. */
template <class At>
double
sum_scores(const Formula &f, At at, double &magnitude) noexcept
{
	double sum = 0;
	magnitude = 0;
	for (std::uint32_t i = 0; i < f.positives + f.negatives; i++)
	{
		double s = at(i);
		magnitude += std::fabs(s);
		sum += i < f.positives ? s : -s;
	}
	magnitude *= f.scale;
	return sum * f.scale;
}

template <class At>
double
discover(const Formula &f, At at) noexcept
{
	double zone = 0;
	for (std::uint32_t i = 0; i < f.positives; i++)
	{
		double positive = at(1 + 2 * i), negative = at(2 + 2 * i);
		zone += (positive > negative ? 1 : 0) - (positive < negative ? 1 : 0);
	}
	return zone + sigmoid(at(0));
}

template <class At>
double
context(const Formula &f, At at) noexcept
{
	double sum = 0;
	for (std::uint32_t i = 0; i < f.positives; i++)
	{
		double difference = at(2 * i) - at(2 * i + 1) - kMargin;
		/* Two infinities: as far from one as from the other. */
		if (std::isnan(difference))
			difference = -kMargin;
		if (difference < 0)
			sum += squashed(difference);
	}
	return sum;
}

template <class At>
double
score_of(const Formula &f, At at, double &magnitude) noexcept
{
	magnitude = 0;
	switch (f.kind)
	{
		case Kind::best_score: return best_score(f, at);
		case Kind::sum_scores: return sum_scores(f, at, magnitude);
		case Kind::discover: return discover(f, at);
		case Kind::context: return context(f, at);
		case Kind::average: break;
	}
	return at(0);
}

}  // namespace

bool
is_farthest_first(const Formula &formula, distance::Metric metric) noexcept
{
	if (metric != distance::Metric::l2 && metric != distance::Metric::l1)
		return false;
	return (formula.kind == Kind::best_score && formula.positives == 0) ||
		   (formula.kind == Kind::sum_scores && formula.positives < formula.negatives);
}

double
score(const Formula &formula, const double *similarities) noexcept
{
	std::uint32_t n = example_count(formula);
	for (std::uint32_t i = 0; i < n; i++)
		if (std::isnan(similarities[i]))
			return similarities[i];
	double magnitude;
	return score_of(
		formula, [similarities](std::uint32_t i) noexcept { return similarities[i]; }, magnitude);
}

ScoreInterval
score_interval(const Formula &formula, const ScoreInterval *similarities) noexcept
{
	/* The score is least where what raises it is farthest, and what lowers it nearest. */
	auto low = [&](std::uint32_t i) noexcept {
		double s = raises(formula, i) ? similarities[i].lower : similarities[i].upper;
		return std::isnan(s) ? (raises(formula, i) ? -kInfinity : kInfinity) : s;
	};
	auto high = [&](std::uint32_t i) noexcept {
		double s = raises(formula, i) ? similarities[i].upper : similarities[i].lower;
		return std::isnan(s) ? (raises(formula, i) ? kInfinity : -kInfinity) : s;
	};
	double low_magnitude, high_magnitude;
	ScoreInterval r;
	r.lower = score_of(formula, low, low_magnitude);
	r.upper = score_of(formula, high, high_magnitude);
	/*
	 * Rounding: sums may come out a little different with other terms. Zones are whole numbers, and what is 0 in context is 0
	 * whatever the terms: no margin there, so that rows on a plateau are known to be on it.
	 */
	double n = example_count(formula) + 4.0;
	switch (formula.kind)
	{
		case Kind::average: return r;
		case Kind::sum_scores:
			r.lower -= low_magnitude * n * 0x1p-52;
			r.upper += high_magnitude * n * 0x1p-52;
			break;
		case Kind::best_score:
		case Kind::discover:
			r.lower -= (1 + std::fabs(r.lower)) * 0x1p-50;
			r.upper += (1 + std::fabs(r.upper)) * 0x1p-50;
			break;
		case Kind::context:
			r.lower *= 1 + n * 0x1p-51;
			r.upper *= 1 - n * 0x1p-51;
			break;
	}
	if (std::isnan(r.lower))
		r.lower = -kInfinity;
	if (std::isnan(r.upper))
		r.upper = kInfinity;
	return r;
}

double
similarity_of(distance::Metric metric, double distance) noexcept
{
	switch (metric)
	{
		case distance::Metric::cosine: return 1 - distance;
		case distance::Metric::l2: return -distance * distance;
		case distance::Metric::inner_product:
		case distance::Metric::l1:
		case distance::Metric::hamming:
		case distance::Metric::jaccard: break;  // bits have no queries by example
	}
	return -distance;
}

ScoreInterval
similarity_bounds(distance::Metric metric, double lower, double upper) noexcept
{
	ScoreInterval r{similarity_of(metric, upper), similarity_of(metric, lower)};
	/* A root and a square, or a difference, each rounded. */
	if (metric == distance::Metric::l2)
	{
		r.lower *= 1 + 0x1p-50;
		r.upper *= 1 - 0x1p-50;
	}
	else if (metric == distance::Metric::cosine)
	{
		r.lower -= 0x1p-51;
		r.upper += 0x1p-51;
	}
	return r;
}

}  // namespace vecdb::core::query
