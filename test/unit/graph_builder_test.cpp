/* SPDX-License-Identifier: PostgreSQL
 * GraphBuilder: the finished graph is sound whatever went in, the same for the same seed with any number of threads, finds
 * what hnswlib's graph finds, and a build ends on stop and without memory.
 */
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <queue>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "unit/hnswlib_oracle.hpp"
#include "vecdb/graph/code_distance.hpp"
#include "vecdb/graph/graph_builder.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::graph;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

using Element = std::function<float(std::mt19937_64 &, std::size_t row, std::size_t i)>;

float
normal(std::mt19937_64 &random, std::size_t, std::size_t)
{
	return std::normal_distribution<float>()(random);
}

struct Build
{
	BuilderOptions options{distance::Metric::l2, 16, 8, 32, 1, 42, 0, false};
	std::size_t rows = 1000;
	Element element = normal;
	unsigned data_seed = 7;

	std::uint32_t page_slots = 8;
	int file = -1;  // not negative: all memory comes from there

	std::vector<float> values;        // of all rows
	std::vector<std::uint8_t> codes;  // of all rows
	GraphBuilder builder;

	GraphBuilder::Source
	memory(std::size_t bytes)
	{
		static std::uint64_t end = 0;
		std::uint64_t offset = end;
		if (file < 0)
			return {-1, 0};
		end += (bytes + 65535) / 65536 * 65536;
		EXPECT_EQ(ftruncate(file, static_cast<off_t>(end)), 0);
		return {file, offset};
	}

	Status
	make_room()
	{
		if (builder.has_room())
			return Status::success();
		GraphBuilder::Source room = memory(builder.room_bytes());
		return builder.add_room(room, memory(builder.extra_room_bytes()));
	}

	/* Hands the rows over as the leader does, and waits for the graph. */
	Status
	feed()
	{
		std::mt19937_64 random(data_seed);
		std::size_t n = options.code_dims;
		values.resize(rows * n);
		codes.resize(rows * n);
		std::vector<std::uint8_t> extra(options.extra_bytes);
		for (std::size_t row = 0; row < rows; row++)
		{
			float *v = values.data() + row * n;
			for (std::size_t i = 0; i < n; i++)
				v[i] = element(random, row, i);
			std::uint8_t *code = codes.data() + row * n;
			quantizer::Sq8 sq8 = quantizer::sq8_encode(v, n, quantizer::ErrorNorm::euclidean, code, nullptr);
			if (Status s = make_room(); !s.ok())
				return s;
			for (std::size_t i = 0; i < extra.size(); i++)
				extra[i] = static_cast<std::uint8_t>(row * 7 + i);
			EXPECT_EQ(builder.append(sq8, code_sum(code, n), code, extra.data()), row);
			EXPECT_EQ(builder.appended(static_cast<std::uint32_t>(row)).norm2, sq8.norm2);
		}
		EXPECT_EQ(builder.rows(), rows);
		if (Status s = builder.link(memory(builder.list_bytes(rows)), page_slots); !s.ok())
			return s;
		wait();
		return builder.status();
	}

	void
	wait()
	{
		while (!builder.wait_idle(20))
			;
	}

	void
	run()
	{
		ASSERT_TRUE(builder.start(options).ok());
		Status s = feed();
		ASSERT_TRUE(s.ok()) << s.message;
		EXPECT_EQ(builder.done(), rows);
	}

	std::vector<std::uint32_t>
	links(std::uint32_t node, std::uint32_t layer) const
	{
		std::vector<std::uint32_t> out(2 * static_cast<std::size_t>(options.m) + 1, 0xABABABABu);
		std::uint32_t n = builder.links(node, layer, out.data());
		EXPECT_LE(n, static_cast<std::uint32_t>(layer == 0 ? 2 * options.m : options.m));
		EXPECT_EQ(out.back(), 0xABABABABu);
		out.resize(n);
		return out;
	}

	/* Everything that the page writer relies on. */
	void
	check() const
	{
		ASSERT_EQ(builder.count(), rows);
		std::vector<int> seen(rows);
		std::uint32_t top = 0;
		for (std::uint32_t node = 0; node < rows; node++)
		{
			std::uint32_t ordinal = builder.ordinal(node);
			ASSERT_LT(ordinal, rows);
			EXPECT_EQ(++seen[ordinal], 1);
			EXPECT_TRUE(std::equal(codes.begin() + static_cast<std::ptrdiff_t>(ordinal * options.code_dims),
								   codes.begin() + static_cast<std::ptrdiff_t>((ordinal + 1) * options.code_dims),
								   builder.code(node)));
			for (std::uint32_t i = 0; i < options.extra_bytes; i++)
				ASSERT_EQ(builder.extra(node)[i], static_cast<std::uint8_t>(ordinal * 7 + i));
			top = std::max(top, builder.level(node));
		}
		if (rows == 0)
			return;
		EXPECT_EQ(builder.level(builder.entry()), top);
		for (std::uint32_t layer = 0; layer <= top; layer++)
		{
			SCOPED_TRACE(layer);
			std::vector<bool> reached(rows);
			std::vector<std::uint32_t> queue{builder.entry()};
			reached[builder.entry()] = true;
			for (std::size_t i = 0; i < queue.size(); i++)
			{
				std::vector<std::uint32_t> l = links(queue[i], layer);
				for (std::uint32_t to : l)
				{
					ASSERT_LT(to, rows);
					EXPECT_NE(to, queue[i]) << "a link to itself";
					EXPECT_GE(builder.level(to), layer) << "a link to a node that is not on the layer";
					if (!reached[to])
					{
						reached[to] = true;
						queue.push_back(to);
					}
				}
				std::sort(l.begin(), l.end());
				EXPECT_EQ(std::unique(l.begin(), l.end()), l.end()) << "a link twice";
			}
			for (std::uint32_t node = 0; node < rows; node++)
				if (builder.level(node) >= layer)
					EXPECT_TRUE(reached[node]) << node;
			if (testing::Test::HasFailure())
				return;
		}
	}

	/* The graph in terms of ordinals. */
	std::vector<std::vector<std::uint32_t>>
	picture() const
	{
		std::vector<std::vector<std::uint32_t>> all(rows);
		for (std::uint32_t node = 0; node < rows; node++)
			for (std::uint32_t layer = 0; layer <= builder.level(node); layer++)
			{
				all[builder.ordinal(node)].push_back(0xFFFF0000u + layer);
				for (std::uint32_t to : links(node, layer))
					all[builder.ordinal(node)].push_back(builder.ordinal(to));
			}
		return all;
	}

	std::vector<std::uint32_t>
	levels() const
	{
		std::vector<std::uint32_t> all(rows);
		for (std::uint32_t node = 0; node < rows; node++)
			all[builder.ordinal(node)] = builder.level(node);
		return all;
	}
};

TEST(GraphBuilder, GraphIsSoundForAllKindsOfData)
{
	const std::pair<const char *, Element> kinds[] = {
		{"normal", normal},
		{"all equal", [](auto &, auto, auto) { return 1.5f; }},
		{"three places", [](auto &, auto row, auto i) { return row % 3 == i % 3 ? 1.0f : 0.0f; }},
		{"a line", [](auto &, auto row, auto) { return static_cast<float>(row); }},
		{"islands", [](auto &r, auto row, auto i) { return static_cast<float>(row % 5) * 1000 + normal(r, row, i); }},
		{"huge", [](auto &r, auto row, auto i) { return 1e38f * normal(r, row, i) / 8; }},
		{"huge and small",
		 [](auto &r, auto row, auto i) { return (row % 2 ? 3e38f : 1.0f) * std::tanh(normal(r, row, i)); }},
		{"tiny", [](auto &r, auto row, auto i) { return 1e-38f * normal(r, row, i); }},
	};
	for (unsigned threads : {1u, 2u})
		for (auto metric : {distance::Metric::l2, distance::Metric::inner_product, distance::Metric::l1})
			for (int m : {2, 8})
				for (const auto &[name, element] : kinds)
				{
					SCOPED_TRACE(std::string(name)
									 .append(", ")
									 .append(distance::metric_name(metric))
									 .append(", m ")
									 .append(std::to_string(m))
									 .append(", threads ")
									 .append(std::to_string(threads)));
					Build b;
					b.options.threads = threads;
					b.options.metric = metric;
					b.options.m = m;
					b.options.ef_construction = 16;
					b.element = element;
					b.rows = kSanitized ? 300 : 700;
					b.run();
					b.check();
					if (HasFailure())
						return;
				}
}

/* More than one chunk of rows, several clusters, both ways to fill lanes. */
TEST(GraphBuilder, ManyClustersAndFilledLanes)
{
	for (unsigned threads : {1u, 2u})
		for (bool brim : {false, true})
		{
			SCOPED_TRACE(std::to_string(threads).append(brim ? " threads, to the brim" : " threads"));
			Build b;
			b.options.threads = threads;
			b.options.to_the_brim = brim;
			b.options.extra_bytes = 5;
			b.page_slots = brim ? 0 : 8;
			b.rows = kSanitized ? 5000 : 20000;
			b.run();
			b.check();
			double total = 0, same_page = 0;
			for (std::uint32_t node = 0; node < b.rows; node++)
				for (std::uint32_t to : b.links(node, 0))
				{
					total++;
					same_page += to / 8 == node / 8;
				}
			/* By chance 0.04% would be; more lanes reach farther. */
			EXPECT_GT(same_page / total, brim ? 0.003 : 0.05);
			double mean = total / static_cast<double>(b.rows);
			EXPECT_GT(mean, brim ? 15.9 : 5.0);
			EXPECT_LE(mean, 16.0);
			if (HasFailure())
				return;
		}
}

TEST(GraphBuilder, FewRows)
{
	for (std::size_t rows : {0u, 1u, 2u, 3u, 10u})
		for (unsigned threads : {1u, 4u})
		{
			SCOPED_TRACE(rows);
			Build b;
			b.options.threads = threads;
			b.rows = rows;
			b.run();
			b.check();
		}
}

TEST(GraphBuilder, SameSeedSameGraphWithAnyThreadsAndAnyMemory)
{
	std::FILE *file = std::tmpfile();
	ASSERT_NE(file, nullptr);
	Build a, b, other, two, mapped;
	other.options.seed = 43;
	two.options.threads = 3;
	mapped.file = fileno(file);
	mapped.options.extra_bytes = 16;
	for (Build *build : {&a, &b, &other, &two, &mapped})
	{
		build->rows = 6000;
		build->run();
		build->check();
	}
	EXPECT_NE(a.levels(), other.levels());
	EXPECT_EQ(a.picture(), b.picture());
	EXPECT_EQ(a.picture(), two.picture());
	EXPECT_EQ(a.picture(), mapped.picture());
	/* And the same order on the pages. */
	for (std::uint32_t node = 0; node < a.rows; node++)
		ASSERT_EQ(a.builder.ordinal(node), two.builder.ordinal(node));
	std::fclose(file);
}

/* A share of 1 / 4m of a layer is on the next one: 500 +- 5 standard deviations of 16000 at m = 8. */
TEST(GraphBuilder, LevelsThinOutByM)
{
	Build b;
	b.rows = 16000;
	b.options.ef_construction = 16;
	b.run();
	std::size_t above[3] = {};
	for (std::uint32_t level : b.levels())
		for (std::uint32_t i = 0; i < 3; i++)
			above[i] += level > i;
	EXPECT_NEAR(static_cast<double>(above[0]), 500, 110);
	EXPECT_NEAR(static_cast<double>(above[1]), 16, 16);
	EXPECT_LT(above[2], 5u);
}

/* Whatever it is at. */
TEST(GraphBuilder, StopEndsABuildAtOnce)
{
	for (int when = 0; when < 12; when++)
	{
		SCOPED_TRACE(when);
		auto b = std::make_unique<Build>();
		b->options.threads = 2;
		b->options.ef_construction = 1000;
		b->options.code_dims = 512;
		b->rows = 9000;
		ASSERT_TRUE(b->builder.start(b->options).ok());
		if (when == 0)
			continue;  // started, nothing given: the destructor joins
		std::vector<std::uint8_t> code(512, 3);
		std::mt19937_64 random(1);
		for (std::size_t i = 0; i < b->rows; i++)
		{
			for (auto &x : code)
				x = static_cast<std::uint8_t>(random());
			ASSERT_TRUE(b->make_room().ok());
			b->builder.append(quantizer::Sq8{1, 0, 1e6f, 0, 0}, code_sum(code.data(), 512), code.data(), nullptr);
		}
		if (when == 1)
			continue;
		ASSERT_TRUE(b->builder.link({-1, 0}, 8).ok());
		if (when == 2)
			continue;  // destroyed in the middle
		std::this_thread::sleep_for(std::chrono::milliseconds(when * when * 3));
		auto start = std::chrono::steady_clock::now();
		b->builder.stop();
		EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(kSanitized ? 3000 : 1000));
		b->builder.stop();  // again
		if (b->builder.count() == 0)
			EXPECT_EQ(b->builder.status().code, Code::cancelled);
	}
}

/* --- what a search finds --- */

/* The distance of a row's code to a query. */
struct Searcher
{
	const Build &b;

	float
	distance(const float *q, std::uint32_t node) const
	{
		const quantizer::Sq8 &s = b.builder.sq8(node);
		const std::size_t n = b.options.code_dims;
		const distance::Kernels &k = distance::kernels();
		return b.options.metric == distance::Metric::inner_product
				   ? -k.inner_product_u8_f32(b.builder.code(node), s.scale, s.bias, q, n)
			   : b.options.metric == distance::Metric::l1
				   ? k.l1_u8_f32(b.builder.code(node), s.scale, s.bias, q, n)
				   : k.l2_squared_u8_f32(b.builder.code(node), s.scale, s.bias, q, n);
	}

	/* As the paper has it; the ef nearest of the base layer. */
	std::vector<std::pair<float, std::uint32_t>>
	search(const float *q, std::size_t ef) const
	{
		std::uint32_t current = b.builder.entry();
		float best = distance(q, current);
		for (std::uint32_t layer = b.builder.level(current); layer > 0; layer--)
			for (bool moved = true; moved;)
			{
				moved = false;
				for (std::uint32_t to : b.links(current, layer))
					if (float d = distance(q, to); d < best)
					{
						best = d;
						current = to;
						moved = true;
					}
			}
		using Near = std::pair<float, std::uint32_t>;
		std::vector<bool> seen(b.rows);
		std::priority_queue<Near> found;
		std::priority_queue<Near, std::vector<Near>, std::greater<>> open;
		found.emplace(best, current);
		open.emplace(best, current);
		seen[current] = true;
		while (!open.empty() && (found.size() < ef || open.top().first <= found.top().first))
		{
			std::uint32_t node = open.top().second;
			open.pop();
			for (std::uint32_t to : b.links(node, 0))
			{
				if (seen[to])
					continue;
				seen[to] = true;
				float d = distance(q, to);
				if (found.size() < ef || d < found.top().first)
				{
					open.emplace(d, to);
					found.emplace(d, to);
					if (found.size() > ef)
						found.pop();
				}
			}
		}
		std::vector<Near> all;
		for (; !found.empty(); found.pop())
			all.push_back(found.top());
		std::reverse(all.begin(), all.end());
		return all;
	}
};

/* Recall@10 of the graph, and of hnswlib's at the same settings, against a comparison with all rows. */
struct Recall
{
	double ours = 0, hnswlib = 0;
};

Recall
recall_of(const Build &b, const std::vector<float> &queries, std::size_t ef)
{
	const std::size_t n = b.options.code_dims, count = queries.size() / n;
	constexpr std::size_t k = 10;
	Searcher searcher{b};
	Oracle oracle(b.options.metric == distance::Metric::inner_product, n, b.rows, static_cast<std::size_t>(b.options.m),
				  static_cast<std::size_t>(b.options.ef_construction));
	for (std::size_t row = 0; row < b.rows; row++)
		oracle.add(b.values.data() + row * n, row);
	Recall r;
	for (std::size_t i = 0; i < count; i++)
	{
		const float *q = queries.data() + i * n;
		std::vector<std::pair<float, std::uint32_t>> all;
		for (std::uint32_t node = 0; node < b.rows; node++)
			all.emplace_back(searcher.distance(q, node), b.builder.ordinal(node));
		std::nth_element(all.begin(), all.begin() + k - 1, all.end());
		std::vector<std::uint32_t> exact;
		for (std::size_t j = 0; j < k; j++)
			exact.push_back(all[j].second);
		auto hits = [&](std::uint32_t ordinal) { return std::count(exact.begin(), exact.end(), ordinal); };
		auto found = searcher.search(q, ef);
		for (std::size_t j = 0; j < std::min(k, found.size()); j++)
			r.ours += static_cast<double>(hits(b.builder.ordinal(found[j].second)));
		for (std::size_t ordinal : oracle.search(q, k, ef))
			r.hnswlib += static_cast<double>(hits(static_cast<std::uint32_t>(ordinal)));
	}
	r.ours /= static_cast<double>(count * k);
	r.hnswlib /= static_cast<double>(count * k);
	return r;
}

/*
 * Data that break graphs of near neighbours alone: clusters smaller and larger than a row's candidates, queries from elsewhere,
 * near-duplicates. Recall at .99 and above is where a bad graph shows.
 */
TEST(GraphBuilder, FindsWhatHnswlibFinds)
{
	if (kSanitized)
		GTEST_SKIP() << "too slow";
	constexpr std::size_t n = 32;
	struct Case
	{
		const char *name;
		std::size_t rows, clusters;
		float spread;        // of a cluster, centres being 1 apart and more
		float query_spread;  // 0: queries as rows are
		distance::Metric metric = distance::Metric::l2;
	};
	const Case cases[] = {
		{"normal", 6000, 1, 1.0f, 0},
		{"350 clusters of 23", 8050, 350, 0.02f, 0},
		{"100 clusters of 60", 6000, 100, 0.02f, 0},
		{"10 clusters of 600", 6000, 10, 0.02f, 0},
		{"queries from elsewhere", 6000, 50, 0.1f, 2.0f},
		{"near-duplicates", 6000, 600, 0.0005f, 0},
		{"inner product", 6000, 50, 0.5f, 0, distance::Metric::inner_product},
	};
	for (const Case &c : cases)
		for (bool brim : {false, true})
		{
			SCOPED_TRACE(std::string(c.name).append(brim ? ", to the brim" : ""));
			std::mt19937_64 random(11);
			std::vector<float> centers(c.clusters * n);
			for (float &x : centers)
				x = std::normal_distribution<float>()(random);
			Build b;
			b.options = BuilderOptions{c.metric, n, 16, 128, 2, 42, 0, brim};
			b.rows = c.rows;
			b.element = [&](std::mt19937_64 &r, std::size_t row, std::size_t i) {
				return centers[row % c.clusters * n + i] + c.spread * std::normal_distribution<float>()(r);
			};
			b.run();
			std::vector<float> queries(100 * n);
			for (std::size_t i = 0; i < queries.size(); i++)
				queries[i] = c.query_spread > 0 ? c.query_spread * std::normal_distribution<float>()(random)
												: b.element(random, i / n, i % n);
			for (std::size_t ef : {40u, 200u})
			{
				Recall r = recall_of(b, queries, ef);
				EXPECT_GE(r.ours, r.hnswlib - (c.query_spread > 0 ? 0.03 : 0.01)) << "ef " << ef;
				if (ef == 200 && c.query_spread == 0)
					EXPECT_GE(r.ours, 0.985);
			}
		}
}

/* In a child with little address space. Exit code: 0 as expected, else where it went wrong. */
int
child_status(const std::function<int()> &body)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(body());
	int status = 0;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void
limit_address_space(std::size_t more)
{
	std::size_t pages = 0;
	std::ifstream("/proc/self/statm") >> pages;
	std::size_t limit = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + more;
	rlimit r{limit, limit};
	setrlimit(RLIMIT_AS, &r);
}

TEST(GraphBuilder, MissingMemoryIsAStatus)
{
	if (kSanitized)
		GTEST_SKIP() << "sanitizers reserve address space";
	EXPECT_EQ(child_status([] {
				  limit_address_space(64u << 20);
				  Build b;
				  b.options.threads = 1000;
				  return b.builder.start(b.options).code == Code::out_of_memory ? 0 : 1;
			  }),
			  0);
	for (std::size_t megabytes : {16u, 24u, 32u, 40u, 48u, 56u, 64u, 80u})
		EXPECT_EQ(
			child_status([megabytes] {
				limit_address_space(megabytes << 20);
				Build b;
				b.options.code_dims = 512;
				b.options.threads = 2;
				if (Status s = b.builder.start(b.options); !s.ok())
					return s.code == Code::out_of_memory ? 0 : 1;
				std::vector<std::uint8_t> code(512);
				for (std::uint32_t row = 0; row < 20000; row++)
				{
					std::fill(code.begin(), code.end(), static_cast<std::uint8_t>(row % 251));
					code[row % 512] = 255;
					if (Status s = b.make_room(); !s.ok())
						return s.code == Code::out_of_memory ? 0 : 2;
					b.builder.append(quantizer::Sq8{1, 0, 1, 0, 0}, code_sum(code.data(), 512), code.data(), nullptr);
				}
				Status s = b.builder.link({-1, 0}, 8);
				b.wait();
				if (s.ok())
					s = b.builder.status();
				return s.ok() || s.code == Code::out_of_memory ? 0 : 3;
			}),
			0);
}

}  // namespace
