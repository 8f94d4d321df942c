/* SPDX-License-Identifier: PostgreSQL
 * VisitedSet against std::unordered_set, and without memory.
 */
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <unordered_set>

#include "vecdb/base/visited_set.hpp"

namespace
{

using namespace vecdb::core;

TEST(VisitedSet, AgreesWithAnOracle)
{
	std::mt19937_64 random(9);
	const std::function<std::uint32_t(std::uint32_t)> ids[] = {
		[&](std::uint32_t) { return static_cast<std::uint32_t>(random() % 0xFFFFFFFFu); },
		[&](std::uint32_t) { return static_cast<std::uint32_t>(random() % 1000); },
		[](std::uint32_t i) { return i; },
		[](std::uint32_t i) { return i * 8; },  // first slots of pages
		[](std::uint32_t i) { return i << 16; },
		[](std::uint32_t i) { return 0xFFFFFFFEu - i; },
	};
	for (const auto &id : ids)
		for (std::uint32_t hint : {0u, 1u, 1000u, 100000u})
		{
			VisitedSet set;
			ASSERT_TRUE(set.init(malloc_memory(), hint));
			for (int round = 0; round < 2; round++)
			{
				std::unordered_set<std::uint32_t> oracle;
				for (std::uint32_t i = 0; i < 4000; i++)
				{
					std::uint32_t x = id(i);
					ASSERT_EQ(set.contains(x), oracle.count(x) != 0);
					ASSERT_EQ(set.add(x), oracle.insert(x).second ? 1 : 0);
					ASSERT_TRUE(set.contains(x));
				}
				EXPECT_EQ(set.used, oracle.size());
				/* Never more than half full: a probe ends. */
				EXPECT_LE(set.used * 2, set.mask + 1);
				for (std::uint32_t x : oracle)
					ASSERT_EQ(set.add(x), 0);
				set.clear();
				for (std::uint32_t x : oracle)
					ASSERT_FALSE(set.contains(x));
			}
			set.destroy();
		}
}

TEST(VisitedSet, WithoutMemoryForGrowthItSaysSoAndKeepsWhatItHas)
{
	static int left;
	Memory scarce{
		[](void *, std::size_t bytes) noexcept -> void * { return left-- > 0 ? std::malloc(bytes) : nullptr; },
		[](void *, void *p) noexcept { std::free(p); }, nullptr};
	VisitedSet set;
	left = 0;
	EXPECT_FALSE(set.init(scarce, 10));
	left = 1;
	ASSERT_TRUE(set.init(scarce, 10));
	std::uint32_t added = 0;
	while (added < 100000 && set.add(added) == 1)
		added++;
	EXPECT_EQ(added, 511u);
	for (std::uint32_t i = 0; i < added; i++)
		EXPECT_TRUE(set.contains(i));
	set.destroy();
}

}  // namespace
