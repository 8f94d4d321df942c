/* SPDX-License-Identifier: PostgreSQL
 * ExactOrder: rows leave in the order of their true distances, given intervals that hold them; checked through a model of
 * the executor's reorder queue (IndexNextWithReorder), which raises "index returned tuples in wrong order".
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "vecdb/graph/exact_order.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::graph;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Node
{
	double truth;
	Interval refined;
	bool gone = false;
};

struct Refiner
{
	const std::vector<Node> *nodes;
	Metric order_metric;
	std::vector<std::uint32_t> *calls;

	bool
	refine(std::uint32_t id, Interval &out, std::uint64_t &payload)
	{
		calls->push_back(id);
		const Node &n = (*nodes)[id];
		out = n.refined;
		payload = 1000 + id;
		return !n.gone;
	}
	Metric
	metric() const
	{
		return order_metric;
	}
};

/* The inner product is the metric whose coarse intervals are given as they are: distance +- error. */
struct OrderTest
{
	ExactOrder order;
	CodeQuery query = {};
	std::vector<Node> nodes;
	std::vector<std::uint32_t> calls;

	OrderTest()
	{
		order.init(malloc_memory());
		query.metric = Metric::inner_product;
	}
	~OrderTest()
	{
		order.memory.release(order.pending);
		order.memory.release(order.refined);
		order.memory.release(order.late);
	}

	/* coarse_error: the coarse interval lies somewhere around the truth, of this half width. */
	Scored
	make(std::mt19937_64 &random, double truth, double refined_error, double coarse_error)
	{
		std::uniform_real_distribution<double> unit(-0.99, 0.99);
		double middle = truth + refined_error * unit(random);
		nodes.push_back(Node{truth, Interval{middle - refined_error, middle, middle + refined_error}});
		auto coarse = static_cast<float>(truth + coarse_error * unit(random));
		/* Some room, as the middle was rounded to float. */
		auto error = static_cast<float>(coarse_error * 1.001 + 1e-6 * std::fabs(truth));
		return Scored{coarse, error, static_cast<std::uint32_t>(nodes.size() - 1), 0};
	}

	bool
	next(OrderedNode &out)
	{
		Refiner refiner{&nodes, Metric::inner_product, &calls};
		bool no_memory;
		bool found = order.next(refiner, out, no_memory);
		EXPECT_FALSE(no_memory);
		if (found)
		{
			EXPECT_EQ(out.payload, 1000 + out.id);
			EXPECT_FALSE(nodes[out.id].gone);
		}
		return found;
	}

	std::vector<OrderedNode>
	rest()
	{
		std::vector<OrderedNode> all;
		OrderedNode n;
		while (next(n))
			all.push_back(n);
		while (order.next_late(n))
			all.push_back(n);
		return all;
	}
};

double
value_of(const OrderedNode &n)
{
	return n.certain ? n.interval.middle : n.interval.lower;
}

/* What the executor makes of the rows; false: it would raise an error. */
bool
executor_order(const std::vector<OrderedNode> &rows, const std::vector<Node> &nodes, std::vector<std::uint32_t> &out)
{
	using Entry = std::pair<double, std::uint32_t>;
	std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> queue;
	for (const OrderedNode &row : rows)
	{
		double value = value_of(row), exact = row.certain ? value : nodes[row.id].truth;
		while (!queue.empty() && queue.top().first <= value)
		{
			out.push_back(queue.top().second);
			queue.pop();
		}
		if (exact < value)
			return false;
		if (exact != value || (!queue.empty() && exact > queue.top().first))
			queue.emplace(exact, row.id);
		else
			out.push_back(row.id);
	}
	for (; !queue.empty(); queue.pop())
		out.push_back(queue.top().second);
	return true;
}

void
check_batch(OrderTest &t, const std::vector<OrderedNode> &rows)
{
	std::size_t alive =
		static_cast<std::size_t>(std::count_if(t.nodes.begin(), t.nodes.end(), [](const Node &n) { return !n.gone; }));
	EXPECT_EQ(rows.size(), alive);
	double last = -kInfinity;
	for (std::size_t i = 0; i < rows.size(); i++)
	{
		const OrderedNode &row = rows[i];
		EXPECT_FALSE(row.late);
		EXPECT_GE(value_of(row), last);
		last = value_of(row);
		EXPECT_LE(row.interval.lower, t.nodes[row.id].truth);
		if (row.certain)
			for (std::size_t j = 0; j < rows.size(); j++)
				if (i != j)
					EXPECT_TRUE(i < j ? row.interval.upper <= rows[j].interval.lower
									  : rows[j].interval.upper <= row.interval.lower)
						<< "certain, but meets another";
	}
	std::vector<std::uint32_t> out;
	ASSERT_TRUE(executor_order(rows, t.nodes, out));
	ASSERT_EQ(out.size(), alive);
	for (std::size_t i = 1; i < out.size(); i++)
		EXPECT_LE(t.nodes[out[i - 1]].truth, t.nodes[out[i]].truth);
}

TEST(ExactOrder, OneBatchLeavesInTrueOrder)
{
	std::mt19937_64 random(1);
	std::uniform_real_distribution<double> unit(0, 1);
	for (int repeat = 0; repeat < 300; repeat++)
	{
		SCOPED_TRACE(repeat);
		OrderTest t;
		std::vector<Scored> found;
		std::size_t n = 1 + random() % 60;
		double coarse = std::pow(10, -3 * unit(random)), refined = coarse * std::pow(10, -3 * unit(random));
		bool ties = random() % 4 == 0;
		for (std::size_t i = 0; i < n; i++)
		{
			double truth = ties ? static_cast<double>(random() % 5) : 10 * unit(random) - 5;
			double size = random() % 10 == 0 ? 100 * unit(random) : 1;
			found.push_back(t.make(random, truth, refined * size, coarse * std::max(size, 1.0)));
			t.nodes.back().gone = random() % 20 == 0;
		}
		ASSERT_TRUE(t.order.add(t.query, found.data(), static_cast<std::uint32_t>(n)));
		check_batch(t, t.rest());
		EXPECT_EQ(t.calls.size(), n);
		EXPECT_EQ(t.order.refinements, n);
		if (HasFailure())
			return;
	}
}

/* Refining reads a second page: the first rows must not cost more than the candidates that could be among them. */
TEST(ExactOrder, FewAreRefinedForTheFirstRows)
{
	std::mt19937_64 random(2);
	OrderTest t;
	std::vector<Scored> found;
	constexpr int kNodes = 1000;
	for (int i = 0; i < kNodes; i++)
		found.push_back(t.make(random, 0.01 * static_cast<double>((i * 7919) % kNodes), 1e-5, 0.02));
	ASSERT_TRUE(t.order.add(t.query, found.data(), kNodes));
	OrderedNode row;
	for (std::uint32_t i = 0; i < 10; i++)
	{
		ASSERT_TRUE(t.next(row));
		EXPECT_TRUE(row.certain);
		EXPECT_NEAR(t.nodes[row.id].truth, 0.01 * i, 1e-9);
		EXPECT_FALSE(t.nodes[row.id].gone);
	}
	/* Coarse intervals reach 0.04 beyond the truth: 5 neighbours, refined once each. */
	EXPECT_LE(t.calls.size(), 10u + 6u);
	std::sort(t.calls.begin(), t.calls.end());
	EXPECT_EQ(std::unique(t.calls.begin(), t.calls.end()), t.calls.end()) << "refined twice";
}

/* Later batches: whatever was not passed yet is ordered in; the rest is late, as the mode says. */
TEST(ExactOrder, RowsFoundLaterAreLateOrInOrderButNeverLostOrWrong)
{
	std::mt19937_64 random(3);
	std::uniform_real_distribution<double> unit(0, 1);
	for (LateRows mode : {LateRows::last, LateRows::now, LateRows::never})
		for (int repeat = 0; repeat < 100; repeat++)
		{
			SCOPED_TRACE(std::to_string(static_cast<int>(mode)).append(" ").append(std::to_string(repeat)));
			OrderTest t;
			t.order.late_rows = mode;
			std::vector<OrderedNode> rows;
			double passed = -kInfinity;
			std::size_t must_be_late = 0;
			for (int batch = 0; batch < 4; batch++)
			{
				std::vector<Scored> found;
				for (int i = 0; i < 30; i++)
				{
					found.push_back(t.make(random, 10 * unit(random), 1e-4, 0.05));
					must_be_late += t.nodes.back().refined.upper < passed;
				}
				ASSERT_TRUE(t.order.add(t.query, found.data(), 30));
				OrderedNode row;
				for (int i = 0; i < 15 && t.next(row); i++)
				{
					rows.push_back(row);
					if (!row.late)
						passed = std::max(passed, value_of(row));
				}
			}
			std::size_t in_stream = 0;
			OrderedNode row;
			while (t.next(row))
				rows.push_back(row);
			in_stream = rows.size();
			while (t.order.next_late(row))
				rows.push_back(row);
			EXPECT_FALSE(t.order.next_late(row));

			std::vector<int> seen(t.nodes.size());
			std::size_t late = 0;
			double last_value = -kInfinity, last_upper = -kInfinity;
			for (std::size_t i = 0; i < rows.size(); i++)
			{
				const OrderedNode &r = rows[i];
				EXPECT_EQ(++seen[r.id], 1);
				EXPECT_LE(r.interval.lower, t.nodes[r.id].truth);
				late += r.late;
				if (r.late)
				{
					EXPECT_TRUE(r.certain) << "a recheck of a row out of order would raise an error";
					EXPECT_TRUE(mode == LateRows::now || i >= in_stream);
					continue;
				}
				/* A later row whose interval reaches back to the last value may be a little lower, then it is rechecked. */
				if (value_of(r) < last_value)
					EXPECT_TRUE(!r.certain && r.interval.upper >= last_value);
				last_value = std::max(last_value, value_of(r));
				if (r.certain)
					EXPECT_GE(r.interval.lower, last_upper);
				last_upper = std::max(last_upper, r.interval.upper);
			}
			if (mode == LateRows::never)
				EXPECT_EQ(late, 0u);
			else
			{
				EXPECT_EQ(rows.size(), t.nodes.size());
				EXPECT_GE(late, must_be_late);
			}
			if (mode != LateRows::now)
			{
				std::vector<OrderedNode> stream(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(in_stream));
				std::vector<std::uint32_t> out;
				ASSERT_TRUE(executor_order(stream, t.nodes, out));
				/* To the width of an interval. */
				for (std::size_t i = 1; i < out.size(); i++)
					EXPECT_LE(t.nodes[out[i - 1]].truth, t.nodes[out[i]].truth + 4e-4);
			}
			if (HasFailure())
				return;
		}
}

TEST(ExactOrder, IntervalsThatSayNothingAreRechecked)
{
	std::mt19937_64 random(4);
	const Interval odd[] = {
		{-kInfinity, 0, kInfinity},
		{kNaN, kNaN, kNaN},
		{kNaN, 1, 2},
		{0, kNaN, 1},
		{0, 1, kNaN},
		{2, 1, 0},
		{-kInfinity, -kInfinity, -kInfinity},
		{kInfinity, kInfinity, kInfinity},
		{-kInfinity, 3, 4},
		{3, 3, kInfinity},
	};
	for (int repeat = 0; repeat < 200; repeat++)
	{
		SCOPED_TRACE(repeat);
		OrderTest t;
		std::vector<Scored> found;
		for (int i = 0; i < 20; i++)
		{
			found.push_back(t.make(random, static_cast<double>(random() % 100) / 10, 1e-4, 0.05));
			if (random() % 3 == 0)
			{
				Node &n = t.nodes.back();
				n.refined = odd[random() % std::size(odd)];
				/* Those that claim something must claim the truth. */
				Interval sane = ExactOrder::sane(n.refined, Metric::inner_product);
				if (n.truth < sane.lower)
					n.truth = sane.lower;
				if (n.truth > sane.upper)
					n.truth = sane.upper;
				found.back().error = random() % 2 == 0 ? std::numeric_limits<float>::infinity() : 1e9f;
				if (std::isinf(n.truth))
					found.back() = Scored{0, std::numeric_limits<float>::infinity(), found.back().id, 0};
				if (random() % 5 == 0)
					found.back().distance = std::numeric_limits<float>::quiet_NaN();
			}
		}
		ASSERT_TRUE(t.order.add(t.query, found.data(), 20));
		check_batch(t, t.rest());
		if (HasFailure())
			return;
	}
	/* Distances of the other metrics are not negative. */
	EXPECT_EQ(ExactOrder::sane(Interval{kNaN, kNaN, kNaN}, Metric::l2).lower, 0);
	EXPECT_EQ(ExactOrder::sane(Interval{kNaN, kNaN, kNaN}, Metric::l2).upper, kInfinity);
	EXPECT_EQ(ExactOrder::sane(Interval{1, 5, 3}, Metric::cosine).middle, 5);
}

TEST(ExactOrder, AllMeetingAllAreAllRechecked)
{
	std::mt19937_64 random(5);
	OrderTest t;
	std::vector<Scored> found;
	for (int i = 0; i < 50; i++)
		found.push_back(t.make(random, i, 1000, 2000));
	ASSERT_TRUE(t.order.add(t.query, found.data(), 50));
	std::vector<OrderedNode> rows = t.rest();
	for (const OrderedNode &r : rows)
		EXPECT_FALSE(r.certain);
	check_batch(t, rows);
}

TEST(ExactOrder, GoneNodesAndEmptyBatches)
{
	std::mt19937_64 random(6);
	OrderTest t;
	OrderedNode row;
	EXPECT_FALSE(t.next(row));
	ASSERT_TRUE(t.order.add(t.query, nullptr, 0));
	EXPECT_FALSE(t.next(row));
	std::vector<Scored> found;
	for (int i = 0; i < 10; i++)
	{
		found.push_back(t.make(random, i, 0.1, 0.2));
		t.nodes.back().gone = true;
	}
	ASSERT_TRUE(t.order.add(t.query, found.data(), 10));
	EXPECT_FALSE(t.next(row));
	EXPECT_EQ(t.calls.size(), 10u);
	/* A reset forgets the order so far. */
	t.nodes.clear();
	Scored far = t.make(random, 100, 0.1, 0.2), near = t.make(random, 1, 0.1, 0.2);
	ASSERT_TRUE(t.order.add(t.query, &far, 1) && t.next(row));
	t.order.reset();
	ASSERT_TRUE(t.order.add(t.query, &near, 1) && t.next(row));
	EXPECT_FALSE(row.late);
}

TEST(ExactOrder, ReportsMissingMemory)
{
	static int left;
	Memory scarce{
		[](void *, std::size_t bytes) noexcept -> void * { return left-- > 0 ? std::malloc(bytes) : nullptr; },
		[](void *, void *p) noexcept { std::free(p); }, nullptr};
	std::mt19937_64 random(7);
	for (int allowed = 0; allowed < 3; allowed++)
	{
		OrderTest t;
		t.order.init(scarce);
		left = allowed;
		Scored far = t.make(random, 5, 0.1, 0.2), near = t.make(random, 1, 0.1, 0.2);
		Refiner refiner{&t.nodes, Metric::inner_product, &t.calls};
		OrderedNode row;
		bool no_memory = false;
		ASSERT_EQ(t.order.add(t.query, &far, 1), allowed > 0);
		if (allowed == 0)
			continue;
		ASSERT_EQ(t.order.next(refiner, row, no_memory), allowed > 1);
		ASSERT_EQ(no_memory, allowed == 1);
		if (no_memory)
		{
			/* The row is still there. */
			left = 1;
			ASSERT_TRUE(t.order.next(refiner, row, no_memory));
			EXPECT_EQ(row.id, 0u);
			continue;
		}
		ASSERT_TRUE(t.order.add(t.query, &near, 1));
		EXPECT_FALSE(t.order.next(refiner, row, no_memory));
		EXPECT_TRUE(no_memory) << "the late row needs room";
	}
}

}  // namespace
