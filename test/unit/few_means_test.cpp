/* SPDX-License-Identifier: PostgreSQL
 * A few centres for the rows of a list: apart where the rows are, none where they are equal, each with rows.
 */
#include "vecdb/cluster/few_means.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace vecdb::core::cluster
{
namespace
{

int
separate(const std::vector<float> &rows, std::size_t dims, int wanted, std::vector<float> &centres,
		 bool absolute = false)
{
	centres.assign(static_cast<std::size_t>(wanted) * dims, 0);
	return few_means(rows.data(), rows.size() / dims, dims, wanted, absolute, 7, centres.data(), malloc_memory());
}

TEST(FewMeans, FindsGroups)
{
	constexpr std::size_t kDims = 19, kRows = 500;
	for (int groups : {2, 3, 5})
		for (bool absolute : {false, true})
		{
			std::mt19937 random(1);
			std::normal_distribution<float> noise(0, 1);
			std::vector<float> rows, centres;
			for (std::size_t i = 0; i < kRows; i++)
				for (std::size_t k = 0; k < kDims; k++)
					rows.push_back(static_cast<float>(i % static_cast<std::size_t>(groups)) * 20 + noise(random));
			ASSERT_EQ(separate(rows, kDims, groups, centres, absolute), groups);
			std::vector<float> first;
			for (int g = 0; g < groups; g++)
				first.push_back(centres[static_cast<std::size_t>(g) * kDims]);
			std::sort(first.begin(), first.end());
			for (int g = 0; g < groups; g++)
				EXPECT_NEAR(first[static_cast<std::size_t>(g)], 20 * g, 0.6);
		}
}

TEST(FewMeans, EqualRowsAreNotSeparated)
{
	std::vector<float> centres;
	EXPECT_LT(separate(std::vector<float>(400 * 8, 3.5f), 8, 3, centres), 2);
	EXPECT_LT(separate(std::vector<float>(8, 3.5f), 8, 3, centres), 2);
	EXPECT_LT(separate({}, 8, 2, centres), 2);
}

TEST(FewMeans, TwoKindsOfRowsGiveTwo)
{
	std::vector<float> rows(400 * 4, 1.0f), centres;
	rows[1200] = 50;
	ASSERT_EQ(separate(rows, 4, 3, centres), 2);
	for (float c : centres)
		EXPECT_TRUE(std::isfinite(c));
	ASSERT_EQ(separate({0, 0, 1, 1}, 2, 3, centres), 2);
	EXPECT_EQ(centres[0] + centres[2], 1);
}

TEST(FewMeans, HugeRowsDoNotHang)
{
	std::vector<float> rows, centres;
	for (int i = 0; i < 300; i++)
		rows.insert(rows.end(), {i % 2 == 0 ? 3e38f : -3e38f, i % 3 == 0 ? 3e38f : 1.0f, 0.0f});
	/* Distances overflow: whatever it says, it comes back, and a centre has rows. */
	EXPECT_LE(separate(rows, 3, 3, centres), 3);
	EXPECT_LE(separate(rows, 3, 3, centres, true), 3);
}

TEST(FewMeans, NoMemory)
{
	std::vector<float> centres(4);
	const float rows[] = {0, 0, 1, 1};
	Memory none{[](void *, std::size_t) noexcept -> void * { return nullptr; }, [](void *, void *) noexcept {},
				nullptr};
	EXPECT_EQ(few_means(rows, 2, 2, 2, false, 7, centres.data(), none), -1);
}

}  // namespace
}  // namespace vecdb::core::cluster
