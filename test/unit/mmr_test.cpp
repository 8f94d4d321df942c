/* SPDX-License-Identifier: PostgreSQL
 * Maximal marginal relevance: the golden orders of Qdrant, ties, and agreement with the rule written out over a matrix.
 */
#include "vecdb/query/mmr.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vecdb::core::query
{
namespace
{

using Rows = std::vector<std::vector<double>>;

double
cosine(const std::vector<double> &a, const std::vector<double> &b)
{
	double ab = 0, aa = 0, bb = 0;
	for (std::size_t i = 0; i < a.size(); i++)
	{
		ab += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
	}
	return ab / std::sqrt(aa * bb);
}

std::vector<int>
choose(const std::vector<double> &relevance, const Rows &similar, double lambda, std::size_t wanted)
{
	std::vector<double> likeness(relevance.size());
	std::vector<int> order;
	MmrChoice choice(static_cast<int>(relevance.size()), relevance.data(), likeness.data(), lambda);
	while (order.size() < wanted)
	{
		int next = choice.next();
		if (next < 0)
			break;
		order.push_back(next);
		for (std::size_t i = 0; i < relevance.size(); i++)
			if (!choice.chosen(static_cast<int>(i)))
				choice.note(static_cast<int>(i), similar[i][static_cast<std::size_t>(next)]);
	}
	return order;
}

TEST(Mmr, GoldenOrders)
{
	const Rows points = {{1, .1}, {.98, .2}, {.7, .7}, {.1, 1}, {.95, -.3}};  // p q r s t
	const std::vector<double> query = {1, 0};
	std::vector<double> relevance;
	Rows similar;
	for (const auto &a : points)
	{
		relevance.push_back(cosine(a, query));
		similar.emplace_back();
		for (const auto &b : points)
			similar.back().push_back(cosine(a, b));
	}
	auto named = [&](double lambda) {
		std::string names;
		for (int i : choose(relevance, similar, lambda, 5))
			names += "pqrst"[i];
		return names;
	};
	EXPECT_EQ(named(1), "pqtrs");
	EXPECT_EQ(named(.7), "ptqrs");
	EXPECT_EQ(named(.5), "ptqrs");
	EXPECT_EQ(named(.2), "psrtq");
	EXPECT_EQ(named(0), "psrtq");
}

/* The rule as it is written, with no state between choices. */
std::vector<int>
by_the_rule(const std::vector<double> &relevance, const Rows &similar, double lambda, std::size_t wanted)
{
	std::vector<int> order;
	while (order.size() < std::min(wanted, relevance.size()))
	{
		int best = -1;
		double best_gain = 0;
		for (int i = 0; i < static_cast<int>(relevance.size()); i++)
		{
			if (std::find(order.begin(), order.end(), i) != order.end())
				continue;
			double most = -std::numeric_limits<double>::infinity();
			for (int j : order)
				most = std::max(most, similar[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)]);
			double gain = relevance[static_cast<std::size_t>(i)];
			if (!order.empty())
				gain = lambda * gain - (1 - lambda) * most;
			if (best < 0 || gain > best_gain)
			{
				best = i;
				best_gain = gain;
			}
		}
		order.push_back(best);
	}
	return order;
}

TEST(Mmr, AgreesWithTheRule)
{
	std::mt19937 random(5);
	for (int trial = 0; trial < 300; trial++)
	{
		/* Small whole numbers: ties everywhere, and sums without rounding. */
		std::uniform_int_distribution<int> number(-3, 3);
		std::size_t n = trial % 13;
		std::vector<double> relevance;
		Rows similar(n, std::vector<double>(n));
		for (std::size_t i = 0; i < n; i++)
		{
			relevance.push_back(number(random));
			for (std::size_t j = 0; j <= i; j++)
				similar[i][j] = similar[j][i] = number(random);
		}
		for (double lambda : {0., .25, .5, 1.})
			for (std::size_t wanted : {1u, 5u, 20u})
				ASSERT_EQ(choose(relevance, similar, lambda, wanted), by_the_rule(relevance, similar, lambda, wanted))
					<< trial << " " << lambda;
	}
}

TEST(Mmr, EqualsKeepTheirOrder)
{
	const Rows same(4, std::vector<double>(4, 1.0));
	EXPECT_EQ(choose({2, 2, 2, 2}, same, .5, 4), (std::vector<int>{0, 1, 2, 3}));
	EXPECT_EQ(choose({}, {}, .5, 4), std::vector<int>());
}

TEST(Mmr, OverflownSimilaritiesStop)
{
	const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
	EXPECT_EQ(choose({1, -inf, -inf}, Rows(3, std::vector<double>(3, -inf)), .5, 9).size(), 3u);
	EXPECT_EQ(choose({1, 0, -1}, Rows(3, std::vector<double>(3, nan)), .5, 9), (std::vector<int>{0, 1, 2}));
	EXPECT_EQ(choose({inf, 1, 0}, Rows(3, std::vector<double>(3, inf)), 0, 9).size(), 3u);
}

}  // namespace
}  // namespace vecdb::core::query
