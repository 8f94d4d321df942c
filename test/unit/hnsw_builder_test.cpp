/* SPDX-License-Identifier: PostgreSQL
 * HnswBuilder: the finished graph is sound whatever went in, the same for the same seed, and a build ends on stop and
 * without memory.
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
#include <random>
#include <string>
#include <vector>

#include "vecdb/graph/code_distance.hpp"
#include "vecdb/graph/hnsw_builder.hpp"

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
	BuilderOptions options{distance::Metric::l2, 16, 8, 32, 1, 42, 100};
	std::size_t rows = 1000;
	Element element = normal;
	unsigned data_seed = 7;

	std::vector<std::uint8_t> codes;  // of all rows
	HnswBuilder builder;

	/* Hands the rows over as the leader does. */
	Status
	feed()
	{
		std::mt19937_64 random(data_seed);
		std::size_t n = options.code_dims;
		std::vector<float> v(n);
		codes.resize(rows * n);
		for (std::size_t row = 0; row < rows; row++)
		{
			for (std::size_t i = 0; i < n; i++)
				v[i] = element(random, row, i);
			std::uint8_t *code = codes.data() + row * n;
			quantizer::Sq8 sq8 = quantizer::sq8_encode(v.data(), n, quantizer::ErrorNorm::euclidean, code, nullptr);
			EXPECT_EQ(builder.append(sq8, code_sum(code, n), code), row);
			if (builder.batch_full())
			{
				wait();
				if (Status s = builder.submit(); !s.ok())
					return s;
			}
		}
		wait();
		Status s = builder.submit();
		wait();
		return s.ok() ? builder.status() : s;
	}

	void
	wait()
	{
		while (!builder.wait_idle(20))
			;
	}

	void
	run(std::uint32_t page_slots = 8)
	{
		ASSERT_TRUE(builder.start(options).ok());
		Status s = feed();
		ASSERT_TRUE(s.ok()) << s.message;
		EXPECT_EQ(builder.done(), rows);
		s = builder.finish(page_slots);
		ASSERT_TRUE(s.ok()) << s.message;
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

TEST(HnswBuilder, GraphIsSoundForAllKindsOfData)
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

/* More than one batch (4096 rows), and more than rows_hint. */
TEST(HnswBuilder, ManyBatchesAndFillingLanes)
{
	for (unsigned threads : {1u, 2u})
		for (int fill = 0; fill < 3; fill++)
		{
			SCOPED_TRACE(std::to_string(threads).append(" threads, fill ").append(std::to_string(fill)));
			Build b;
			b.options.threads = threads;
			b.options.rows_hint = 0;
			b.rows = 9000;
			ASSERT_TRUE(b.builder.start(b.options).ok());
			ASSERT_TRUE(b.feed().ok());
			if (fill > 0)
			{
				ASSERT_TRUE(b.builder.fill_lanes(fill == 2).ok());
				b.wait();
				ASSERT_TRUE(b.builder.status().ok());
			}
			ASSERT_TRUE(b.builder.finish(8).ok());
			b.check();
			double total = 0, same_page = 0;
			for (std::uint32_t node = 0; node < b.rows; node++)
				for (std::uint32_t to : b.links(node, 0))
				{
					total++;
					same_page += to / 8 == node / 8;
				}
			/* By chance 0.1% would be; more lanes reach farther. */
			EXPECT_GT(same_page / total, 0.05);
			double mean = total / static_cast<double>(b.rows);
			EXPECT_GT(mean, fill == 2 ? 15.0 : 5.0);
			EXPECT_LE(mean, 16.0);
			EXPECT_GT(b.builder.bytes_per_node(), b.options.code_dims + 4 * 16);
			if (HasFailure())
				return;
		}
}

TEST(HnswBuilder, FewRows)
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

TEST(HnswBuilder, SameSeedSameLevelsAndWithOneThreadTheSameGraph)
{
	Build a, b, other, two;
	other.options.seed = 43;
	two.options.threads = 2;
	for (Build *build : {&a, &b, &other, &two})
		build->run();
	EXPECT_EQ(a.levels(), b.levels());
	EXPECT_EQ(a.levels(), two.levels());
	EXPECT_NE(a.levels(), other.levels());
	EXPECT_EQ(a.picture(), b.picture());
	/* And the same order on the pages. */
	for (std::uint32_t node = 0; node < a.rows; node++)
		ASSERT_EQ(a.builder.ordinal(node), b.builder.ordinal(node));
}

/* A share of 1 / m of a layer is on the next one: 1000 +- 5 standard deviations of 8000 at m = 8. */
TEST(HnswBuilder, LevelsThinOutByM)
{
	Build b;
	b.rows = 8000;
	b.options.ef_construction = 8;
	b.run();
	std::size_t above[3] = {};
	for (std::uint32_t level : b.levels())
		for (std::uint32_t i = 0; i < 3; i++)
			above[i] += level > i;
	EXPECT_NEAR(static_cast<double>(above[0]), 1000, 150);
	EXPECT_NEAR(static_cast<double>(above[1]), 125, 56);
	EXPECT_LT(above[2], 40u);
}

TEST(HnswBuilder, StopEndsABuildAtOnce)
{
	for (int when = 0; when < 4; when++)
	{
		SCOPED_TRACE(when);
		auto b = std::make_unique<Build>();
		b->options.threads = 2;
		b->options.ef_construction = 1000;
		b->options.code_dims = 512;
		b->rows = 3000;
		ASSERT_TRUE(b->builder.start(b->options).ok());
		if (when == 0)
			continue;  // started, nothing given: the destructor joins
		std::vector<std::uint8_t> code(512, 3);
		std::mt19937_64 random(1);
		for (std::size_t i = 0; i < b->rows; i++)
		{
			for (auto &x : code)
				x = static_cast<std::uint8_t>(random());
			b->builder.append(quantizer::Sq8{1, 0, 1e6f, 0, 0}, code_sum(code.data(), 512), code.data());
		}
		if (when == 1)
			continue;
		ASSERT_TRUE(b->builder.submit().ok());
		if (when == 2)
			continue;  // destroyed in the middle
		while (b->builder.done() < 10)
			;
		auto start = std::chrono::steady_clock::now();
		b->builder.stop();
		EXPECT_LT(b->builder.done(), b->rows);
		b->builder.stop();  // again
		EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
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

TEST(HnswBuilder, MissingMemoryIsAStatus)
{
	if (kSanitized)
		GTEST_SKIP() << "sanitizers reserve address space";
	/* At the start, at the threads, in the middle. */
	EXPECT_EQ(child_status([] {
				  limit_address_space(64u << 20);
				  Build b;
				  b.options.rows_hint = 100u << 20;
				  return b.builder.start(b.options).code == Code::out_of_memory ? 0 : 1;
			  }),
			  0);
	EXPECT_EQ(child_status([] {
				  limit_address_space(64u << 20);
				  Build b;
				  b.options.threads = 1000;
				  return b.builder.start(b.options).code == Code::out_of_memory ? 0 : 1;
			  }),
			  0);
	EXPECT_EQ(child_status([] {
				  limit_address_space(300u << 20);
				  Build b;
				  b.options.code_dims = 4096;
				  b.options.m = 2;
				  b.options.ef_construction = 4;
				  b.options.threads = 2;
				  b.options.rows_hint = 0;
				  if (!b.builder.start(b.options).ok())
					  return 1;
				  std::vector<std::uint8_t> code(4096);
				  for (std::uint32_t row = 0; row < 100000; row++)
				  {
					  std::fill(code.begin(), code.end(), static_cast<std::uint8_t>(row % 251));
					  b.builder.append(quantizer::Sq8{1, 0, 1, 0, 0}, code_sum(code.data(), 4096), code.data());
					  if (!b.builder.batch_full())
						  continue;
					  b.wait();
					  Status s = b.builder.submit();
					  if (s.ok())
						  s = b.builder.status();
					  if (!s.ok())
						  return s.code == Code::out_of_memory ? 0 : 2;
				  }
				  return 3;
			  }),
			  0);
}

}  // namespace
