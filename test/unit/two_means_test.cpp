/* SPDX-License-Identifier: PostgreSQL
 * Two centres for the rows of a list: apart where the rows are, one where they are equal, always finite.
 */
#include "vecdb/cluster/two_means.hpp"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace vecdb::core::cluster
{
namespace
{

Separation
separate(const std::vector<float> &rows, std::size_t dims, std::vector<float> &centres, bool absolute = false)
{
	centres.assign(2 * dims, 0);
	return two_means(rows.data(), rows.size() / dims, dims, absolute, 7, centres.data(), malloc_memory());
}

TEST(TwoMeans, FindsTwoGroups)
{
	constexpr std::size_t kDims = 19, kRows = 500;
	std::mt19937 random(1);
	std::normal_distribution<float> noise(0, 1);
	for (bool absolute : {false, true})
	{
		std::vector<float> rows, centres;
		for (std::size_t i = 0; i < kRows; i++)
			for (std::size_t k = 0; k < kDims; k++)
				rows.push_back((i % 5 < 2 ? 20.0f : -20.0f) + noise(random));
		ASSERT_EQ(separate(rows, kDims, centres, absolute), Separation::two);
		float sign = centres[0] > 0 ? 1 : -1;
		for (std::size_t k = 0; k < kDims; k++)
		{
			EXPECT_NEAR(sign * centres[k], 20, 0.5);
			EXPECT_NEAR(sign * centres[kDims + k], -20, 0.5);
		}
	}
}

TEST(TwoMeans, EqualRowsAreOne)
{
	std::vector<float> centres;
	EXPECT_EQ(separate(std::vector<float>(400 * 8, 3.5f), 8, centres), Separation::one);
	EXPECT_EQ(separate(std::vector<float>(8, 3.5f), 8, centres), Separation::one);
	EXPECT_EQ(separate({}, 8, centres), Separation::one);
}

TEST(TwoMeans, OneRowApartFromManyEqual)
{
	std::vector<float> rows(400 * 4, 1.0f), centres;
	rows[1200] = 50;
	ASSERT_EQ(separate(rows, 4, centres), Separation::two);
	for (float c : centres)
		EXPECT_TRUE(std::isfinite(c));
}

TEST(TwoMeans, TwoRows)
{
	std::vector<float> centres;
	ASSERT_EQ(separate({0, 0, 1, 1}, 2, centres), Separation::two);
	EXPECT_EQ(centres[0] + centres[2], 1);
}

TEST(TwoMeans, HugeRowsDoNotHang)
{
	std::vector<float> rows, centres;
	for (int i = 0; i < 300; i++)
		rows.insert(rows.end(), {i % 2 == 0 ? 3e38f : -3e38f, i % 3 == 0 ? 3e38f : 1.0f, 0.0f});
	separate(rows, 3, centres);  // distances overflow: whatever it says, it comes back
	separate(rows, 3, centres, true);
}

TEST(TwoMeans, NoMemory)
{
	std::vector<float> centres(4);
	const float rows[] = {0, 0, 1, 1};
	Memory none{[](void *, std::size_t) noexcept -> void * { return nullptr; }, [](void *, void *) noexcept {},
				nullptr};
	EXPECT_EQ(two_means(rows, 2, 2, false, 7, centres.data(), none), Separation::no_memory);
}

}  // namespace
}  // namespace vecdb::core::cluster
