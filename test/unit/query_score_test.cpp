/* SPDX-License-Identifier: PostgreSQL
 * Scores against examples: the golden values of docs/query-operator.md, and intervals that hold them.
 */
#include "vecdb/query/score.hpp"
#include "vecdb/query/steer.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

using namespace vecdb::core::query;
using vecdb::core::distance::Metric;

namespace
{

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Point
{
	double x, y;
};

constexpr Point a{1, 0}, b{.8, .6}, c{.6, .8}, d{0, 1}, e{-1, 0};

double
similarity(Metric metric, Point p, Point q)
{
	switch (metric)
	{
		case Metric::cosine: return (p.x * q.x + p.y * q.y) / (std::hypot(p.x, p.y) * std::hypot(q.x, q.y));
		case Metric::inner_product: return p.x * q.x + p.y * q.y;
		case Metric::l1: return -(std::fabs(p.x - q.x) + std::fabs(p.y - q.y));
		default: return -((p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y));
	}
}

double
score_of(const Formula &formula, Metric metric, const std::vector<Point> &examples, Point row)
{
	std::vector<double> s;
	for (Point example : examples)
		s.push_back(similarity(metric, example, row));
	return score(formula, s.data());
}

constexpr Formula kBest{Kind::best_score, 2, 1, 1}, kBestNegative{Kind::best_score, 0, 1, 1},
	kSum{Kind::sum_scores, 2, 1, 1}, kDiscover{Kind::discover, 1, 1, 1}, kContext{Kind::context, 1, 1, 1},
	kAverage{Kind::average, 1, 0, 1};

}  // namespace

TEST(QueryScore, GoldenValues)
{
	struct Row
	{
		Formula formula;
		std::vector<Point> examples;
		Point row;
		double cosine, dot, l2;
	};
	const Point q{1.8, -0.4};
	const Row rows[] = {
		{kAverage, {q}, c, .412168, .76, -2.88},
		{kAverage, {q}, e, -.976187, -1.8, -8},
		{kBest, {a, b, d}, c, .744898, .744898, .462963},
		{kBest, {a, b, d}, e, -.5, -.5, -.166667},
		{kBestNegative, {d}, a, -.5, -.5, -.166667},
		{kBestNegative, {d}, b, -.6875, -.6875, -.277778},
		{kBestNegative, {d}, c, -.722222, -.722222, -.357143},
		{kBestNegative, {d}, e, -.5, -.5, -.166667},
		{kSum, {a, b, d}, c, .76, .76, -.48},
		{kSum, {a, b, d}, e, -1.8, -1.8, -5.6},
		{kDiscover, {b, a, d}, c, -.255102, -.255102, -.537037},
		{kDiscover, {b, a, d}, e, -.722222, -.722222, -.891304},
		{kContext, {a, d}, b, 0, 0, 0},
		{kContext, {a, d}, c, -.166667, -.166667, -.285714},
		{kContext, {a, d}, e, -.5, -.5, -.666667},
	};
	for (const Row &r : rows)
	{
		EXPECT_NEAR(score_of(r.formula, Metric::cosine, r.examples, r.row), r.cosine, 1e-6);
		EXPECT_NEAR(score_of(r.formula, Metric::inner_product, r.examples, r.row), r.dot, 1e-6);
		EXPECT_NEAR(score_of(r.formula, Metric::l2, r.examples, r.row), r.l2, 1e-6);
	}
}

TEST(QueryScore, EqualityGoesToTheNegative)
{
	const double equal[] = {.5, .5};
	EXPECT_DOUBLE_EQ(score(Formula{Kind::best_score, 1, 1, 1}, equal), -(0.5 * (.5 / 1.5 + 1)));
}

TEST(QueryScore, TiesOfPairsAddNothing)
{
	const double tied[] = {0, .3, .3, .9, .9};
	EXPECT_DOUBLE_EQ(score(Formula{Kind::discover, 2, 2, 1}, tied), .5);
	const double pair[] = {.3, .3};
	EXPECT_NEAR(score(Formula{Kind::context, 1, 1, 1}, pair), -0x1p-23, 1e-12);
}

TEST(QueryScore, OneExampleIsANearestSearch)
{
	EXPECT_TRUE(is_nearest_search(kAverage));
	EXPECT_TRUE(is_nearest_search(Formula{Kind::best_score, 1, 0, 1}));
	EXPECT_TRUE(is_nearest_search(Formula{Kind::discover, 0, 0, 1}));
	EXPECT_FALSE(is_nearest_search(kBestNegative));
	EXPECT_FALSE(is_nearest_search(kBest));
}

TEST(QueryScore, InfinitiesGiveNumbers)
{
	const double far[] = {-kInfinity, -kInfinity, -kInfinity, -kInfinity, -kInfinity};
	EXPECT_EQ(score(Formula{Kind::best_score, 2, 0, 1}, far), 0);
	EXPECT_EQ(score(Formula{Kind::discover, 2, 2, 1}, far), 0);
	EXPECT_NEAR(score(Formula{Kind::context, 2, 2, 1}, far), -2 * 0x1p-23, 1e-12);
	const double nan[] = {std::numeric_limits<double>::quiet_NaN(), 1, 1};
	EXPECT_TRUE(std::isnan(score(kBest, nan)));
	EXPECT_TRUE(std::isnan(score(kContext, nan)));
}

TEST(QueryScore, DistancesBecomeSimilarities)
{
	EXPECT_DOUBLE_EQ(similarity_of(Metric::cosine, .25), .75);
	EXPECT_DOUBLE_EQ(similarity_of(Metric::inner_product, -3), 3);
	EXPECT_DOUBLE_EQ(similarity_of(Metric::l2, 3), -9);
	EXPECT_DOUBLE_EQ(similarity_of(Metric::l1, 3), -3);
	ScoreInterval open = similarity_bounds(Metric::l2, 0, kInfinity);
	EXPECT_EQ(open.lower, -kInfinity);
	EXPECT_EQ(open.upper, 0);
}

/* Random formulas, bounds and values within them; magnitudes from tiny to huge, ends hit exactly, some open. */
TEST(QueryScore, IntervalsHoldTheScore)
{
	std::mt19937 random(7);
	auto uniform = [&](double low, double high) { return std::uniform_real_distribution(low, high)(random); };
	for (int round = 0; round < 200000; round++)
	{
		auto kind = static_cast<Kind>(1 + random() % 5);
		Formula f{kind, 1 + static_cast<std::uint32_t>(random() % 6), static_cast<std::uint32_t>(random() % 6), 1};
		if (kind == Kind::average)
			f.positives = 1, f.negatives = 0;
		if (kind == Kind::discover || kind == Kind::context)
			f.negatives = f.positives;
		if (kind == Kind::sum_scores && random() % 2 == 0)
			f.scale = uniform(0.01, 100);
		std::uint32_t n = example_count(f);
		double size = std::pow(10, uniform(-9, 9)),
			   width = size * (random() % 4 == 0 ? 0 : std::pow(10, uniform(-9, 0)));
		std::vector<ScoreInterval> bounds;
		std::vector<double> s;
		for (std::uint32_t i = 0; i < n; i++)
		{
			double value = uniform(-size, size);
			if (i > 0 && random() % 4 == 0)
				value = s[random() % s.size()];
			ScoreInterval bound{value - (random() % 3 == 0 ? 0 : width * uniform(0, 1)),
								value + (random() % 3 == 0 ? 0 : width * uniform(0, 1))};
			if (random() % 50 == 0)
				bound.lower = -kInfinity;
			if (random() % 50 == 0)
				bound.upper = kInfinity;
			if (random() % 100 == 0)
				bound.upper = std::numeric_limits<double>::quiet_NaN();
			bounds.push_back(bound);
			s.push_back(value);
		}
		double exact = score(f, s.data());
		ScoreInterval held = score_interval(f, bounds.data());
		ASSERT_LE(held.lower, exact) << "kind " << static_cast<int>(kind) << " round " << round;
		ASSERT_GE(held.upper, exact) << "kind " << static_cast<int>(kind) << " round " << round;
	}
}

/* Points give points, or nearly: else every row would be rechecked. */
TEST(QueryScore, IntervalsOfPointsAreNarrow)
{
	const ScoreInterval s[] = {{.9, .9}, {.2, .2}, {.5, .5}};
	for (const Formula &f : {kBest, kSum, kDiscover})
	{
		ScoreInterval held = score_interval(f, s);
		EXPECT_LT(held.upper - held.lower, 1e-13);
	}
	ScoreInterval plateau = score_interval(kContext, s);
	EXPECT_EQ(plateau.lower, 0);
	EXPECT_EQ(plateau.upper, 0);
}

/* What a search is steered by is in the order of minus the score, whatever the scale. */
TEST(QueryScore, SteeringFollowsTheScore)
{
	std::mt19937 random(11);
	auto uniform = [&](double low, double high) { return std::uniform_real_distribution(low, high)(random); };
	for (int round = 0; round < 20000; round++)
	{
		auto kind = static_cast<Kind>(1 + random() % 5);
		Formula f{kind, 1 + static_cast<std::uint32_t>(random() % 4), static_cast<std::uint32_t>(random() % 4), 1};
		if (kind == Kind::average)
			f.positives = 1, f.negatives = 0;
		if (kind == Kind::discover || kind == Kind::context)
			f.negatives = f.positives;
		std::uint32_t n = example_count(f);
		float size = static_cast<float>(std::pow(10, uniform(-2, 4)));
		std::vector<float> similarities(n * 2);
		std::vector<double> a(n), b(n);
		for (std::uint32_t i = 0; i < n; i++)
		{
			similarities[2 * i] = static_cast<float>(uniform(-1, 1)) * size;
			similarities[2 * i + 1] = static_cast<float>(uniform(-1, 1)) * size;
			a[i] = static_cast<double>(similarities[2 * i]);
			b[i] = static_cast<double>(similarities[2 * i + 1]);
		}
		float out[2];
		steer(f, size, similarities.data(), 2, 2, nullptr, out);
		double difference = score(f, a.data()) - score(f, b.data());
		/* Rounding; and of equal scores (a plateau) nothing is asked. */
		if (std::fabs(difference) < 1e-5 * (1 + std::fabs(score(f, a.data()))))
			continue;
		ASSERT_EQ(difference > 0, out[0] < out[1]) << "kind " << static_cast<int>(kind) << " round " << round;
	}
}

TEST(QueryScore, DoubtTakesWhatMayBe)
{
	const float similarities[] = {.5f, .30f, .35f}, noise[] = {1}, none[] = {0}, margins[] = {.1f};
	Formula f{Kind::discover, 1, 1, 1};
	Doubt doubt{margins, noise}, no_doubt{margins, none};
	float with, without;
	steer(f, 1, similarities, 1, 1, &doubt, &with);
	steer(f, 1, similarities, 1, 1, &no_doubt, &without);
	EXPECT_LT(with, -1);
	EXPECT_GT(without, 0);
}
