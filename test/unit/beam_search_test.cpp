/* SPDX-License-Identifier: PostgreSQL
 * BeamSearch: the bucket queue against a plain oracle, and searches against brute force and hnswlib.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

#include "vecdb/graph/beam_search.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::graph;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Memory
plain_memory()
{
	return malloc_memory();
}

/* A BeamSearch that gives its memory back. */
struct Search
{
	std::unique_ptr<BeamSearch> beam = std::make_unique<BeamSearch>();

	explicit Search(std::uint32_t ef)
	{
		EXPECT_TRUE(beam->init(plain_memory(), ef));
		beam->reset(ef);
	}
	~Search()
	{
		beam->memory.release(beam->entries);
		beam->visited.destroy();
	}
	BeamSearch *
	operator->()
	{
		return beam.get();
	}
};

/* --- the queue alone --- */

/* All that was inserted, the slow way. Ids are places in `nodes`. */
struct Oracle
{
	struct Node
	{
		float distance;
		bool live, popped = false, taken = false;
	};
	std::vector<Node> nodes;
	std::uint32_t ef;

	/* Distance of the ef-th best live node; infinity while there are fewer. */
	float
	threshold() const
	{
		std::vector<float> live;
		for (const Node &n : nodes)
			if (n.live)
				live.push_back(n.distance);
		if (live.size() < ef)
			return kInfinity;
		std::nth_element(live.begin(), live.begin() + ef - 1, live.end());
		return live[ef - 1];
	}

	/* Of the unpopped; infinity: none. */
	float
	nearest() const
	{
		float best = kInfinity;
		for (const Node &n : nodes)
			if (!n.popped)
				best = std::min(best, n.distance);
		return best;
	}
};

struct QueueTest
{
	Search search;
	Oracle oracle;

	explicit QueueTest(std::uint32_t ef) : search(ef)
	{
		oracle.ef = ef;
	}

	void
	insert(float distance, bool live = true)
	{
		Scored s{distance, live ? 0.0f : -1.0f, static_cast<std::uint32_t>(oracle.nodes.size()), 0};
		ASSERT_TRUE(search->insert(s));
		oracle.nodes.push_back(Oracle::Node{std::clamp(distance, -BeamSearch::kFarthest, BeamSearch::kFarthest), live});
	}

	bool
	pop()
	{
		std::uint32_t id, ahead = 0;
		float least = oracle.nearest();
		bool peeked = search->peek(ahead);
		if (!search->pop(id))
		{
			EXPECT_FALSE(peeked);
			/* Nothing within the ef-th best is left behind. */
			if (least < kInfinity)
				EXPECT_GE(least, oracle.threshold());
			return false;
		}
		EXPECT_TRUE(peeked);
		EXPECT_EQ(ahead, id);
		Oracle::Node &n = oracle.nodes.at(id);
		EXPECT_FALSE(n.popped) << "twice: " << id;
		n.popped = true;
		/* In the order of buckets. */
		EXPECT_EQ(search->bucket(n.distance), search->bucket(least)) << n.distance << " before " << least;
		check_threshold();
		return true;
	}

	void
	check_threshold()
	{
		float exact = oracle.threshold();
		EXPECT_EQ(exact < kInfinity, search->full());
		if (exact < kInfinity)
			EXPECT_GE(search->threshold(), exact);
	}

	void
	widen(std::uint32_t ef)
	{
		search->widen(ef);
		oracle.ef = std::max(ef, oracle.ef);
		check_threshold();
	}

	/* Everything popped that is live and within the threshold, and nothing twice. */
	void
	take()
	{
		std::vector<Scored> out(search->take_bound());
		std::uint32_t n = search->take(out.data());
		for (std::uint32_t i = 0; i < n; i++)
		{
			Oracle::Node &node = oracle.nodes.at(out[i].id);
			EXPECT_TRUE(node.popped && node.live);
			EXPECT_FALSE(node.taken);
			EXPECT_EQ(node.distance, out[i].distance);
			node.taken = true;
		}
		float limit = oracle.threshold();
		bool left = false;
		for (Oracle::Node &node : oracle.nodes)
		{
			if (node.popped && node.live && !node.taken)
				EXPECT_GE(node.distance, limit);
			left |= !node.popped || (node.live && !node.taken);
		}
		EXPECT_EQ(search->exhausted(), !left);
	}

	void
	drain()
	{
		while (pop() && !testing::Test::HasFailure())
			;
	}

	/* Widening without end yields every node once. */
	void
	finish()
	{
		for (int i = 0; i < 40 && !testing::Test::HasFailure(); i++)
		{
			drain();
			take();
			if (search->exhausted())
				break;
			widen(oracle.ef * 2);
		}
		for (std::size_t i = 0; i < oracle.nodes.size(); i++)
		{
			EXPECT_TRUE(oracle.nodes[i].popped) << i << " at " << oracle.nodes[i].distance;
			EXPECT_EQ(oracle.nodes[i].taken, oracle.nodes[i].live) << i << " at " << oracle.nodes[i].distance;
		}
		EXPECT_TRUE(search->exhausted());
	}
};

struct Shape
{
	const char *name;
	std::function<float(std::mt19937_64 &, int)> distance;
};

std::vector<Shape>
shapes()
{
	auto unit = [](std::mt19937_64 &r) { return std::uniform_real_distribution<float>(0, 1)(r); };
	return {
		{"uniform", [=](auto &r, int) { return unit(r); }},
		{"negative: inner products", [=](auto &r, int) { return -100 * unit(r); }},
		{"both signs", [=](auto &r, int) { return 2 * unit(r) - 1; }},
		{"far from zero", [=](auto &r, int) { return 1e6f + unit(r); }},
		{"minus, far from zero", [=](auto &r, int) { return -1e6f + unit(r); }},
		{"all equal", [](auto &, int) { return 7.25f; }},
		{"all equal, negative", [](auto &, int) { return -0.1f; }},
		{"all zero", [](auto &, int) { return 0.0f; }},
		{"few values", [](auto &r, int) { return static_cast<float>(r() % 4); }},
		{"huge outlier first", [=](auto &r, int i) { return i == 0 ? 1e30f : unit(r); }},
		{"negative outlier first", [=](auto &r, int i) { return i == 0 ? -1e30f : unit(r); }},
		{"entry is the answer", [=](auto &r, int i) { return i == 0 ? 0.0f : 1 + unit(r); }},
		{"entry is nearly the answer", [=](auto &r, int i) { return i == 0 ? 1e-20f : 1 + unit(r); }},
		{"growing by 1e30",
		 [=](auto &r, int i) { return std::pow(10.0f, static_cast<float>(i % 60) - 30) * (1 + unit(r)); }},
		{"shrinking by 1e30",
		 [=](auto &r, int i) { return std::pow(10.0f, 30 - static_cast<float>(i % 60)) * (1 + unit(r)); }},
		{"growing, negative", [](auto &, int i) { return -std::pow(10.0f, static_cast<float>(i % 60) - 30); }},
		{"ascending", [](auto &, int i) { return static_cast<float>(i); }},
		{"descending", [](auto &, int i) { return 1e5f - static_cast<float>(i); }},
		{"descending through zero", [](auto &, int i) { return 300.0f - static_cast<float>(i); }},
		{"a few ulp apart", [](auto &r, int) { return 1.0f + static_cast<float>(r() % 64) * 0x1p-23f; }},
		{"denormal", [=](auto &r, int) { return unit(r) * 1e-39f; }},
		{"at the end of float",
		 [=](auto &r, int i) { return i % 3 == 0   ? 3.4e38f
									  : i % 3 == 1 ? -3.4e38f * unit(r)
												   : unit(r); }},
		{"infinities", [=](auto &r, int i) { return i % 5 == 0   ? kInfinity
													: i % 7 == 1 ? -kInfinity
																 : unit(r); }},
		{"only infinity", [](auto &, int) { return kInfinity; }},
		{"normal exponents", [](auto &r, int) { return std::exp(20 * std::normal_distribution<float>()(r)); }},
	};
}

TEST(BeamSearchQueue, AgreesWithTheOracleUnderRandomOperations)
{
	for (const Shape &shape : shapes())
		for (std::uint32_t ef : {1u, 2u, 10u, 100u})
			for (unsigned seed = 1; seed <= 4; seed++)
			{
				SCOPED_TRACE(std::string(shape.name)
								 .append(", ef ")
								 .append(std::to_string(ef))
								 .append(", seed ")
								 .append(std::to_string(seed)));
				std::mt19937_64 random(seed);
				QueueTest t(ef);
				int dead_percent = seed % 2 ? 0 : 30;
				for (int i = 0; i < 400; i++)
				{
					t.insert(shape.distance(random, i), static_cast<int>(random() % 100) >= dead_percent);
					if (random() % 3 == 0)
						t.pop();
					if (random() % 150 == 0)
						t.widen(t.oracle.ef + static_cast<std::uint32_t>(random() % 20));
					if (random() % 50 == 0)
						t.take();
					ASSERT_FALSE(HasFailure()) << "after " << i;
				}
				t.finish();
				if (HasFailure())
					return;
			}
}

/*
 * Distances that differ little: the buckets must narrow until they tell the ef-th best from the rest (a search would else
 * expand everything), and stop at the resolution of float (else there would be a rebuild an insert).
 */
TEST(BeamSearchQueue, BucketsFitNearlyEqualDistances)
{
	for (float base : {1000.0f, -1000.0f})
		for (std::uint32_t ef : {10u, 1000u})
			for (float spread : {1.0f, 1e-1f, 1e-2f, 1e-3f, 3e-4f, 1e-4f, 3e-5f, 1e-5f, 1e-6f, 1e-7f})
			{
				SCOPED_TRACE(std::to_string(base)
								 .append(" ef ")
								 .append(std::to_string(ef))
								 .append(" spread ")
								 .append(std::to_string(spread)));
				Search search(ef);
				std::mt19937_64 random(5);
				std::uniform_real_distribution<float> unit(0, 1);
				/* A rebuild clears the count of the last bucket, which nothing reads once the threshold lies below it. */
				constexpr std::uint32_t kMark = 0xABCDEF;
				constexpr int kLast = BeamSearch::kBuckets - 1;
				int rebuilds = 0;
				std::vector<float> all;
				for (std::uint32_t i = 0; i < 20000; i++)
				{
					bool marked = search->last < kLast;
					if (marked)
						search->live[kLast] = kMark;
					all.push_back(base * (1.0f + spread * unit(random)));
					ASSERT_TRUE(search->insert(Scored{all.back(), 0, i, 0}));
					rebuilds += marked && search->live[kLast] != kMark;
				}
				EXPECT_LT(rebuilds, 200);
				std::sort(all.begin(), all.end());
				float limit = all[ef - 1] + 8 * 1e-7f * std::fabs(base);
				auto near = static_cast<std::uint32_t>(std::upper_bound(all.begin(), all.end(), limit) - all.begin());
				std::uint32_t id, popped = 0;
				while (search->pop(id))
					popped++;
				EXPECT_LE(popped, std::max(near, 2 * ef + 20));
			}
}

/* Two ends of the same thing: a run of the real clock where a rebuild an insert would take minutes. */
TEST(BeamSearchQueue, ManyEqualDistances)
{
	Search search(40);
	for (std::uint32_t i = 0; i < 200000; i++)
		ASSERT_TRUE(search->insert(Scored{i % 2 == 0 ? 12345.678f : 12345.679f, 0, i, 0}));
	std::uint32_t id, popped = 0;
	while (search->pop(id))
		popped++;
	EXPECT_GE(popped, 40u);
}

/* A search of its caller's lies in memory that was something else before. */
TEST(BeamSearchQueue, InitLeavesNothingOfWhatTheMemoryHeld)
{
	const float lo = -1, hi = 1, step = std::numeric_limits<float>::denorm_min();
	auto beam = std::make_unique<BeamSearch>();
	std::memset(static_cast<void *>(beam.get()), 0xfe, sizeof *beam);
	beam->lo = lo;
	beam->hi = hi;
	beam->inverse_step = step;
	ASSERT_TRUE(beam->init(plain_memory(), 4));
	beam->reset_near(4);
	for (std::uint32_t i = 0; i < 100; i++)
		ASSERT_TRUE(beam->insert(Scored{static_cast<float>(i % 10) / 10 - 0.5f, 0, i, 0}));
	EXPECT_LT(beam->threshold(), 0);
	for (int i = 0; i < 10; i++)
	{
		std::uint32_t id;
		ASSERT_TRUE(beam->pop(id));
		EXPECT_EQ(id % 10, 0u);
	}
	beam->memory.release(beam->entries);
	beam->visited.destroy();
}

TEST(BeamSearchQueue, ReportsMissingMemory)
{
	static int left;
	Memory scarce{
		[](void *, std::size_t bytes) noexcept -> void * { return left-- > 0 ? std::malloc(bytes) : nullptr; },
		[](void *, void *p) noexcept { std::free(p); }, nullptr};
	auto beam = std::make_unique<BeamSearch>();
	left = 0;
	EXPECT_FALSE(beam->init(scarce, 10));
	left = 2;
	ASSERT_TRUE(beam->init(scarce, 10));
	beam->reset(10);
	std::uint32_t i = 0;
	while (i < 10000 && beam->insert(Scored{static_cast<float>(i), 0, i, 0}))
		i++;
	EXPECT_EQ(i, 4096u);
	beam->memory.release(beam->entries);
	beam->visited.destroy();
}

/* --- searches --- */

/* A graph in memory; node i is at distance(i) from the query. */
struct MemoryStore
{
	const std::vector<std::vector<std::uint32_t>> *links;
	const float *distances;
	const std::uint8_t *dead;  // or null
	std::uint32_t *polls;

	unsigned
	neighbors(std::uint32_t id, std::uint32_t *out)
	{
		const auto &l = (*links)[id];
		std::copy(l.begin(), l.end(), out);
		return static_cast<unsigned>(l.size());
	}
	void
	score(const std::uint32_t *ids, unsigned n, Scored *out)
	{
		for (unsigned i = n; i-- > 0;)  // any order is allowed
			out[n - 1 - i] = Scored{distances[ids[i]], dead != nullptr && dead[ids[i]] ? -1.0f : 0.0f, ids[i], 0};
	}
	void
	prefetch(std::uint32_t)
	{
	}
	void
	poll()
	{
		(*polls)++;
	}
};

/* hnswlib's graph, base layer and the way down copied. */
struct Fixture
{
	std::size_t n, dims;
	std::vector<float> data;
	std::unique_ptr<hnswlib::L2Space> l2;
	std::unique_ptr<hnswlib::InnerProductSpace> ip;
	std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
	std::vector<std::vector<std::uint32_t>> links;

	Fixture(std::size_t n_, std::size_t dims_, bool inner_product, unsigned seed) : n(n_), dims(dims_), data(n_ * dims_)
	{
		std::mt19937_64 random(seed);
		std::normal_distribution<float> normal;
		std::vector<float> centres(50 * dims);
		for (float &x : centres)
			x = normal(random);
		for (std::size_t i = 0; i < n; i++)
		{
			std::size_t c = random() % 50;
			for (std::size_t j = 0; j < dims; j++)
				data[i * dims + j] = centres[c * dims + j] + 0.5f * normal(random);
		}
		hnswlib::SpaceInterface<float> *space;
		if (inner_product)
			space = (ip = std::make_unique<hnswlib::InnerProductSpace>(dims)).get();
		else
			space = (l2 = std::make_unique<hnswlib::L2Space>(dims)).get();
		graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(space, n, 16, 64, seed);
		for (std::size_t i = 0; i < n; i++)
			graph->addPoint(data.data() + i * dims, i);
		links.resize(n);
		for (std::size_t i = 0; i < n; i++)
		{
			auto *l = graph->get_linklist0(static_cast<unsigned>(i));
			links[i].assign(l + 1, l + 1 + graph->getListCount(l));
		}
	}

	std::vector<float>
	distances(const float *query) const
	{
		std::vector<float> d(n);
		for (std::size_t i = 0; i < n; i++)
			d[i] = graph->fstdistfunc_(query, graph->getDataByInternalId(static_cast<unsigned>(i)),
									   graph->dist_func_param_);
		return d;
	}

	std::uint32_t
	descend(const std::vector<float> &d) const
	{
		unsigned best = graph->enterpoint_node_;
		for (int level = graph->maxlevel_; level > 0; level--)
			for (bool moved = true; moved;)
			{
				moved = false;
				auto *l = graph->get_linklist(best, level);
				unsigned count = graph->getListCount(l);
				for (unsigned i = 1; i <= count; i++)
					if (d[l[i]] < d[best])
					{
						best = l[i];
						moved = true;
					}
			}
		return best;
	}
};

std::vector<std::uint32_t>
true_neighbours(const std::vector<float> &d, std::size_t k, const std::vector<std::uint8_t> &dead = {})
{
	std::vector<std::uint32_t> ids;
	for (std::uint32_t i = 0; i < d.size(); i++)
		if (dead.empty() || !dead[i])
			ids.push_back(i);
	std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(k), ids.end(),
					  [&](auto a, auto b) { return d[a] < d[b]; });
	ids.resize(k);
	return ids;
}

std::size_t
common(std::vector<std::uint32_t> a, std::vector<std::uint32_t> b)
{
	std::sort(a.begin(), a.end());
	std::sort(b.begin(), b.end());
	std::vector<std::uint32_t> both;
	std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
	return both.size();
}

std::vector<std::uint32_t>
nearest_taken(Search &search, std::size_t k)
{
	std::vector<Scored> out(search->take_bound());
	out.resize(search->take(out.data()));
	std::sort(out.begin(), out.end(), [](const Scored &a, const Scored &b) { return a.distance < b.distance; });
	std::vector<std::uint32_t> ids;
	for (std::size_t i = 0; i < k && i < out.size(); i++)
		ids.push_back(out[i].id);
	return ids;
}

/* Data: 4000 vectors of 24 dimensions in 50 clusters, seeds as given; 100 queries; m = 16, ef_construction = 64. */
TEST(BeamSearchRecall, NotBelowHnswlibAtTheSameEf)
{
	for (bool inner_product : {false, true})
	{
		Fixture f(4000, 24, inner_product, 17);
		std::mt19937_64 random(23);
		std::normal_distribution<float> normal;
		for (std::size_t ef : {10u, 40u, 100u})
		{
			double ours = 0, theirs = 0;
			constexpr int kQueries = 100;
			for (int qi = 0; qi < kQueries; qi++)
			{
				std::vector<float> q(f.dims);
				const float *near = f.data.data() + (random() % f.n) * f.dims;
				q.assign(near, near + f.dims);
				for (float &x : q)
					x += 0.3f * normal(random);
				std::vector<float> d = f.distances(q.data());
				std::vector<std::uint32_t> truth = true_neighbours(d, 10);
				std::uint32_t polls = 0;
				MemoryStore store{&f.links, d.data(), nullptr, &polls};
				Search search(static_cast<std::uint32_t>(ef));
				ASSERT_TRUE(search->add_entry(store, f.descend(d)) && search->run(store));
				EXPECT_GT(polls, 0u);
				ours += static_cast<double>(common(nearest_taken(search, 10), truth)) / (10.0 * kQueries);
				f.graph->setEf(ef);
				auto found = f.graph->searchKnn(q.data(), 10);
				std::vector<std::uint32_t> ids;
				for (; !found.empty(); found.pop())
					ids.push_back(static_cast<std::uint32_t>(found.top().second));
				theirs += static_cast<double>(common(ids, truth)) / (10.0 * kQueries);
			}
			EXPECT_GE(ours, theirs - 0.01) << "inner product " << inner_product << " ef " << ef;
			double floor = inner_product ? (ef == 10   ? 0.4
											: ef == 40 ? 0.75
													   : 0.85)
						   : ef == 10    ? 0.75
						   : ef == 40    ? 0.95
										 : 0.98;
			EXPECT_GE(ours, floor) << "inner product " << inner_product << " ef " << ef;
			std::printf("inner product %d, ef %zu: recall %.3f, hnswlib %.3f\n", inner_product, ef, ours, theirs);
		}
	}
}

/* With an ef of all nodes the search is exhaustive on the component that the entry reaches. */
TEST(BeamSearchRecall, WideningFromTenToAllYieldsEveryNodeOnce)
{
	Fixture f(1500, 8, false, 3);
	/* What the base layer reaches from the entry. */
	std::vector<float> d = f.distances(f.data.data());
	std::uint32_t entry = f.descend(d);
	std::vector<std::uint8_t> reached(f.n);
	std::vector<std::uint32_t> queue{entry};
	reached[entry] = 1;
	for (std::size_t i = 0; i < queue.size(); i++)
		for (std::uint32_t l : f.links[queue[i]])
			if (!reached[l])
			{
				reached[l] = 1;
				queue.push_back(l);
			}
	std::uint32_t polls = 0;
	MemoryStore store{&f.links, d.data(), nullptr, &polls};
	Search search(10);
	ASSERT_TRUE(search->add_entry(store, entry) && search->run(store));
	std::vector<int> seen(f.n);
	float farthest_before = -kInfinity;
	for (std::uint32_t ef = 10;; ef *= 2)
	{
		std::vector<Scored> out(search->take_bound());
		out.resize(search->take(out.data()));
		for (const Scored &s : out)
		{
			EXPECT_EQ(++seen[s.id], 1);
			EXPECT_EQ(s.distance, d[s.id]);
		}
		farthest_before = std::max(farthest_before, search->threshold());
		if (search->exhausted())
			break;
		ASSERT_LT(ef, 100000u);
		search->widen(ef * 2);
		ASSERT_TRUE(search->run(store));
	}
	for (std::size_t i = 0; i < f.n; i++)
		EXPECT_EQ(seen[i], reached[i]) << i;
}

TEST(BeamSearchRecall, DeadNodesLeadTheWayButAreNotFound)
{
	Fixture f(3000, 12, false, 29);
	std::mt19937_64 random(31);
	std::vector<std::uint8_t> dead(f.n);
	for (auto &x : dead)
		x = random() % 100 < 70;
	double recall = 0;
	for (int qi = 0; qi < 50; qi++)
	{
		const float *q = f.data.data() + (random() % f.n) * f.dims;
		std::vector<float> d = f.distances(q);
		std::uint32_t polls = 0;
		MemoryStore store{&f.links, d.data(), dead.data(), &polls};
		Search search(40);
		ASSERT_TRUE(search->add_entry(store, f.descend(d)) && search->run(store));
		auto ids = nearest_taken(search, 10);
		for (std::uint32_t id : ids)
			EXPECT_FALSE(dead[id]);
		recall += static_cast<double>(common(ids, true_neighbours(d, 10, dead))) / 500;
	}
	EXPECT_GE(recall, 0.97);
}

/* A chain that ends at the query: all nodes but the last few are expanded on the way and lie beyond the threshold. */
TEST(BeamSearchRecall, NodesPassedOnTheWayAreNotLost)
{
	constexpr std::uint32_t kNodes = 1000;
	std::vector<std::vector<std::uint32_t>> links(kNodes);
	std::vector<float> d(kNodes);
	for (std::uint32_t i = 0; i < kNodes; i++)
	{
		d[i] = static_cast<float>(kNodes - i);
		if (i + 1 < kNodes)
			links[i].push_back(i + 1);
	}
	std::uint32_t polls = 0;
	MemoryStore store{&links, d.data(), nullptr, &polls};
	Search search(10);
	ASSERT_TRUE(search->add_entry(store, 0) && search->run(store));
	std::size_t found = 0;
	for (std::uint32_t ef = 10; ef < 10000; ef *= 2)
	{
		std::vector<Scored> out(search->take_bound());
		found += search->take(out.data());
		if (search->exhausted())
			break;
		search->widen(ef * 2);
		ASSERT_TRUE(search->run(store));
	}
	EXPECT_EQ(found, kNodes);
}

TEST(BeamSearchRecall, DistanceNaNIsNoNode)
{
	std::vector<std::vector<std::uint32_t>> links{{1, 2, 3}, {0, 4}, {0, 4}, {2}, {0}};
	std::vector<float> d{3, kNaN, 1, 2, 0.5f};
	std::uint32_t polls = 0;
	MemoryStore store{&links, d.data(), nullptr, &polls};
	Search search(10);
	ASSERT_TRUE(search->add_entry(store, 0) && search->run(store));
	EXPECT_EQ(nearest_taken(search, 10), (std::vector<std::uint32_t>{4, 2, 3, 0}));
	EXPECT_TRUE(search->exhausted());

	Search none(10);
	ASSERT_TRUE(none->add_entry(store, 1) && none->run(store));
	EXPECT_EQ(nearest_taken(none, 10).size(), 0u);
	EXPECT_TRUE(none->exhausted());
	/* The same entry twice is one node. */
	ASSERT_TRUE(none->add_entry(store, 4) && none->add_entry(store, 4));
	EXPECT_EQ(none->count, 1u);
}

TEST(BeamSearchRecall, AResetSearchKnowsNothingOfTheLastOne)
{
	Fixture f(1000, 8, false, 41);
	Search used(20);
	for (int qi = 0; qi < 10; qi++)
	{
		std::vector<float> d = f.distances(f.data.data() + static_cast<std::size_t>(qi) * 37 * f.dims);
		std::uint32_t polls = 0, entry = f.descend(d);
		MemoryStore store{&f.links, d.data(), nullptr, &polls};
		used->reset(20);
		Search fresh(20);
		ASSERT_TRUE(used->add_entry(store, entry) && used->run(store));
		ASSERT_TRUE(fresh->add_entry(store, entry) && fresh->run(store));
		EXPECT_EQ(used->expansions, fresh->expansions);
		EXPECT_EQ(nearest_taken(used, 20), nearest_taken(fresh, 20));
	}
}

}  // namespace
