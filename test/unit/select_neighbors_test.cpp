/* SPDX-License-Identifier: PostgreSQL
 * The neighbourhood rule: its definition, its limits, and that it loads no more than it needs.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "vecdb/graph/select_neighbors.hpp"

namespace
{

using vecdb::core::graph::select_neighbors;

struct Points
{
	std::vector<std::vector<float>> at;  // the node is at the origin
	std::vector<float> distances;
	bool inner_product = false;

	float
	between(std::uint32_t i, std::uint32_t j) const
	{
		float d = 0;
		for (std::size_t k = 0; k < at[i].size(); k++)
			d += inner_product ? -at[i][k] * at[j][k] : (at[i][k] - at[j][k]) * (at[i][k] - at[j][k]);
		return d;
	}
};

Points
random_points(std::mt19937_64 &random, std::size_t n, std::size_t dims)
{
	std::normal_distribution<float> normal;
	Points p;
	p.at.assign(n, std::vector<float>(dims));
	for (auto &v : p.at)
		for (float &x : v)
			x = normal(random);
	auto size = [](const std::vector<float> &v) { return std::inner_product(v.begin(), v.end(), v.begin(), 0.0f); };
	std::sort(p.at.begin(), p.at.end(), [&](const auto &a, const auto &b) { return size(a) < size(b); });
	for (const auto &v : p.at)
		p.distances.push_back(size(v));
	return p;
}

TEST(SelectNeighbors, KeepsExactlyTheCandidatesThatNoKeptOneShadows)
{
	std::mt19937_64 random(12);
	for (int repeat = 0; repeat < 200; repeat++)
	{
		Points p = random_points(random, 1 + random() % 80, 1 + random() % 6);
		auto n = static_cast<std::uint32_t>(p.at.size());
		std::uint32_t limit = 1 + static_cast<std::uint32_t>(random() % 40);
		float alpha = repeat % 2 ? 1.0f : 1.2f;
		std::vector<std::uint32_t> kept(limit + 1, 0xABABABABu);
		std::uint32_t count = select_neighbors(
			p.distances.data(), n, limit, alpha, [&](std::uint32_t i, std::uint32_t j) { return p.between(i, j); },
			kept.data());
		ASSERT_LE(count, std::min(limit, n));
		ASSERT_GE(count, 1u);
		EXPECT_EQ(kept[0], 0u) << "the nearest is always kept";
		EXPECT_EQ(kept[count], 0xABABABABu);
		std::uint32_t next = 0;
		for (std::uint32_t i = 0; i < n; i++)
		{
			bool shadowed = false;
			for (std::uint32_t k = 0; k < next; k++)
				shadowed |= alpha * p.between(i, kept[k]) < p.distances[i];
			bool is_kept = next < count && kept[next] == i;
			if (count == limit && next == limit)
				break;  // full: the rest is not looked at
			EXPECT_EQ(is_kept, !shadowed);
			next += is_kept;
		}
		EXPECT_EQ(next, count);
	}
}

TEST(SelectNeighbors, EqualPointsShadowEachOther)
{
	/* All in one place away from the node: one link leads there. */
	std::vector<float> distances(10, 4.0f);
	std::vector<std::uint32_t> kept(10);
	EXPECT_EQ(select_neighbors(
				  distances.data(), 10, 10, 1.0f, [](auto, auto) { return 0.0f; }, kept.data()),
			  1u);
	/* All at the node itself: nothing is nearer than 0, so all are kept. */
	std::fill(distances.begin(), distances.end(), 0.0f);
	EXPECT_EQ(select_neighbors(
				  distances.data(), 10, 10, 1.0f, [](auto, auto) { return 0.0f; }, kept.data()),
			  10u);
}

TEST(SelectNeighbors, LargerAlphaKeepsMore)
{
	std::mt19937_64 random(13);
	std::uint32_t total[3] = {};
	const float alphas[3] = {1.0f, 1.2f, 1.5f};
	for (int repeat = 0; repeat < 50; repeat++)
	{
		Points p = random_points(random, 60, 4);
		std::vector<std::uint32_t> kept(60);
		for (int a = 0; a < 3; a++)
			total[a] += select_neighbors(
				p.distances.data(), 60, 60, alphas[a],
				[&](std::uint32_t i, std::uint32_t j) { return p.between(i, j); }, kept.data());
	}
	EXPECT_LT(total[0], total[1]);
	EXPECT_LT(total[1], total[2]);
}

TEST(SelectNeighbors, LimitsAndOddDistances)
{
	float distances[3] = {1, 2, 3};
	std::uint32_t kept[3];
	int calls = 0;
	auto far = [&](auto, auto) {
		calls++;
		return 100.0f;
	};
	EXPECT_EQ(select_neighbors(distances, 0, 3, 1.0f, far, kept), 0u);
	EXPECT_EQ(select_neighbors(distances, 3, 0, 1.0f, far, kept), 0u);
	EXPECT_EQ(calls, 0);
	/* Once full it asks for nothing more: each question may load a page. */
	EXPECT_EQ(select_neighbors(distances, 3, 1, 1.0f, far, kept), 1u);
	EXPECT_EQ(calls, 0);
	EXPECT_EQ(select_neighbors(distances, 3, 3, 1.0f, far, kept), 3u);
	EXPECT_EQ(calls, 3);
	/* Negative distances (inner product): nearer is less. */
	float products[3] = {-9, -5, -1};
	auto with = [](std::uint32_t i, std::uint32_t) { return i == 1 ? -6.0f : 0.0f; };
	EXPECT_EQ(select_neighbors(products, 3, 3, 1.0f, with, kept), 2u);
	EXPECT_EQ(kept[1], 2u);
	/* NaN shadows nothing. */
	EXPECT_EQ(select_neighbors(
				  distances, 3, 3, 1.0f, [](auto, auto) { return std::nanf(""); }, kept),
			  3u);
}

}  // namespace
