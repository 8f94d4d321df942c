/* SPDX-License-Identifier: PostgreSQL
 * Fusion of ranked lists, decays and term weights against the golden values of docs/hybrid.md.
 *
 * Regime: test.
 */
#include "vecdb/query/fusion.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

using namespace vecdb::core::query;

namespace
{

/* Rows of the golden lists: D = x .9, y .8, z .4 and S = y 12, w 6, x 3. */
enum Row : std::uint32_t
{
	x,
	y,
	z,
	w,
	row_count
};

struct Fused
{
	std::array<double, row_count> score;
	std::array<std::uint32_t, row_count> found;
	bool ok;
};

Fused
fuse_golden(const FusionOptions &options, double first_weight = 1, double second_weight = 1)
{
	static const std::uint32_t kDense[] = {x, y, z}, kSparse[] = {y, w, x};
	static const double kDenseScores[] = {.9, .8, .4}, kSparseScores[] = {12, 6, 3};
	const FusionList lists[] = {{kDense, kDenseScores, first_weight}, {kSparse, kSparseScores, second_weight}};
	Fused fused;
	std::size_t list = 0, place = 0;
	fused.ok = fuse(lists, options, fused.score, fused.found, list, place);
	return fused;
}

void
expect_scores(const Fused &fused, double of_x, double of_y, double of_z, double of_w)
{
	EXPECT_TRUE(fused.ok);
	EXPECT_NEAR(fused.score[x], of_x, 1e-6);
	EXPECT_NEAR(fused.score[y], of_y, 1e-6);
	EXPECT_NEAR(fused.score[z], of_z, 1e-6);
	EXPECT_NEAR(fused.score[w], of_w, 1e-6);
}

}  // namespace

TEST(Fusion, ReciprocalRanks)
{
	FusionOptions options;
	expect_scores(fuse_golden(options), .0322664585, .0325224749, .015873016, .016129032);
	options.k = 1;  // Qdrant's 2, which counts from 0
	expect_scores(fuse_golden(options), .75, .833333333, .25, .333333333);
}

TEST(Fusion, ReciprocalRanksWeighted)
{
	FusionOptions options;
	expect_scores(fuse_golden(options, .7, .3), .016237314, .016208356, .011111111, .004838710);
	options.k = 1;
	options.weight_mode = WeightMode::qdrant;
	expect_scores(fuse_golden(options, 3, 1), 1.0, 1.1, .5, .333333333);
}

TEST(Fusion, WeightOfZeroKeepsTheRow)
{
	for (WeightMode mode : {WeightMode::linear, WeightMode::qdrant})
	{
		FusionOptions options;
		options.weight_mode = mode;
		Fused fused = fuse_golden(options, 1, 0);
		EXPECT_EQ(fused.score[w], 0);
		EXPECT_EQ(fused.found[w], 1u);
	}
}

TEST(Fusion, RelativeScores)
{
	FusionOptions options;
	options.method = FusionMethod::relative_score;
	expect_scores(fuse_golden(options, .7, .3), .7, .86, 0, .1);
}

TEST(Fusion, DistributionBased)
{
	FusionOptions options;
	options.method = FusionMethod::dbsf;
	expect_scores(fuse_golden(options), .980510, 1.244842, .311018, .463630);
}

TEST(Fusion, Product)
{
	FusionOptions options;
	options.method = FusionMethod::product;
	Fused fused = fuse_golden(options);
	EXPECT_NEAR(fused.score[x], 0, 1e-12);
	EXPECT_NEAR(fused.score[y], .8, 1e-12);
	EXPECT_EQ(fused.found[x], 2u);
	EXPECT_EQ(fused.found[z], 1u);
	options.normalize = false;
	fused = fuse_golden(options);
	EXPECT_NEAR(fused.score[x], 2.7, 1e-12);
	EXPECT_NEAR(fused.score[y], 9.6, 1e-12);
}

TEST(Fusion, RawProductRefusesNegatives)
{
	const std::uint32_t rows[] = {0, 1};
	const double good[] = {1, 0}, bad[] = {1, -1e-300};
	const FusionList lists[] = {{rows, good, 1}, {rows, bad, 1}};
	FusionOptions options;
	options.method = FusionMethod::product;
	options.normalize = false;
	double fused[2];
	std::uint32_t found[2];
	std::size_t list = 9, place = 9;
	EXPECT_FALSE(fuse(lists, options, fused, found, list, place));
	EXPECT_EQ(list, 1u);
	EXPECT_EQ(place, 1u);
}

TEST(Fusion, EmptyLists)
{
	const FusionList lists[] = {{{}, {}, 1}, {{}, {}, 1}};
	std::size_t list, place;
	for (FusionMethod method :
		 {FusionMethod::rrf, FusionMethod::relative_score, FusionMethod::dbsf, FusionMethod::product})
	{
		FusionOptions options;
		options.method = method;
		EXPECT_TRUE(fuse(lists, options, {}, {}, list, place));
		EXPECT_TRUE(fuse({}, options, {}, {}, list, place));
	}
}

TEST(Fusion, EqualScores)
{
	const double equal[] = {.1, .1, .1}, one[] = {-7};
	EXPECT_EQ(minmax_normalized(.1, minmax_spread(equal)), 1);
	EXPECT_EQ(dbsf_normalized(.1, dbsf_spread(equal)), .5);
	EXPECT_EQ(minmax_normalized(-7, minmax_spread(one)), 1);
	EXPECT_EQ(dbsf_normalized(-7, dbsf_spread(one)), .5);
}

TEST(Fusion, ScoresOfAnySize)
{
	constexpr double kMost = std::numeric_limits<double>::max(), kLeast = std::numeric_limits<double>::denorm_min();
	for (const auto &scores : {std::vector<double>{kMost, 0, -kMost}, std::vector<double>{kLeast, 0},
							   std::vector<double>{kMost, kMost / 2, 1}, std::vector<double>{1e-310, 5e-311, 0}})
	{
		Spread minmax = minmax_spread(scores), dbsf = dbsf_spread(scores);
		EXPECT_EQ(minmax_normalized(scores.front(), minmax), 1);
		EXPECT_EQ(minmax_normalized(scores.back(), minmax), 0);
		for (double score : scores)
		{
			EXPECT_TRUE(std::isfinite(minmax_normalized(score, minmax)));
			EXPECT_TRUE(std::isfinite(dbsf_normalized(score, dbsf)));
		}
	}
}

TEST(Fusion, NamesOfMethods)
{
	auto method = [](const char *name) {
		FusionMethod found;
		return parse_fusion_method(name, found) ? static_cast<int>(found) : -1;
	};
	for (const char *name : {"rrf", "RRF", "ReciprocalRankFusion", "reciprocal_rank_fusion", "rankedFusion"})
		EXPECT_EQ(method(name), static_cast<int>(FusionMethod::rrf)) << name;
	for (const char *name : {"relative_score", "relative score", "RelativeScore", "RelativeScoreFusion"})
		EXPECT_EQ(method(name), static_cast<int>(FusionMethod::relative_score)) << name;
	for (const char *name : {"dbsf", "DBSF", "distribution_based_score_fusion"})
		EXPECT_EQ(method(name), static_cast<int>(FusionMethod::dbsf)) << name;
	for (const char *name : {"product", "distribution-based", "DistributionBased"})
		EXPECT_EQ(method(name), static_cast<int>(FusionMethod::product)) << name;
	for (const char *name : {"", "rr", "rrff", "sum", "rrf;", "distribution-based-score-fusion-of-an-endless-name-"})
		EXPECT_EQ(method(name), -1) << name;
}

TEST(Decay, Values)
{
	EXPECT_NEAR(exp_decay(0, 0, 1, .5), 1, 1e-12);
	EXPECT_NEAR(exp_decay(10, 0, 10, .5), .5, 1e-12);
	EXPECT_NEAR(exp_decay(-20, 0, 10, .5), .25, 1e-12);
	EXPECT_NEAR(gauss_decay(13, 3, 10, .25), .25, 1e-12);
	EXPECT_NEAR(gauss_decay(20, 0, 10, .5), .0625, 1e-12);
	EXPECT_NEAR(linear_decay(5, 0, 10, .5), .75, 1e-12);
	EXPECT_NEAR(linear_decay(10, 0, 10, .2), .2, 1e-12);
	EXPECT_EQ(linear_decay(30, 0, 10, .5), 0);
	const double infinity = std::numeric_limits<double>::infinity();
	EXPECT_EQ(exp_decay(infinity, 0, 1, .5), 0);
	EXPECT_EQ(gauss_decay(-infinity, 0, 1, .5), 0);
	EXPECT_EQ(linear_decay(infinity, 0, 1, .5), 0);
	EXPECT_TRUE(std::isnan(linear_decay(std::nan(""), 0, 1, .5)));
}

TEST(Terms, Murmur)
{
	EXPECT_EQ(murmur3_32("", 0), 0u);
	EXPECT_EQ(murmur3_32("", 1), 0x514e28b7u);
	EXPECT_EQ(murmur3_32("a", 0x9747b28cu), 0x7fa09ea6u);
	EXPECT_EQ(murmur3_32("aa", 0x9747b28cu), 0x5d211726u);
	EXPECT_EQ(murmur3_32("aaa", 0x9747b28cu), 0x283e0130u);
	EXPECT_EQ(murmur3_32("test", 0), 0xba6bd213u);
	EXPECT_EQ(murmur3_32("Hello, world!", 0), 0xc0363e43u);
	EXPECT_EQ(murmur3_32("The quick brown fox jumps over the lazy dog", 0), 0x2e4ff723u);
}

TEST(Terms, Dimensions)
{
	/* 0xba6bd213 as a signed number is -1167338989. */
	EXPECT_EQ(term_dimension("test"), 167338989);
	EXPECT_EQ(term_dimension(""), 0);
}

TEST(Terms, Weights)
{
	Bm25 constants;
	constants.average_length = 5;
	EXPECT_NEAR(bm25_weight(2, 5, constants), 1.375, 1e-12);
	EXPECT_NEAR(bm25_idf(1000, 10), 4.55738, 1e-5);
	EXPECT_NEAR(bm25_idf(1000, 0), 7.601902, 1e-6);
	EXPECT_NEAR(bm25_idf(1000, 1000), .0005, 1e-6);
}
