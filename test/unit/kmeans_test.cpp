/* SPDX-License-Identifier: PostgreSQL
 * Clusters: near rows share one, none is too large, and the result does not depend on the number of threads; Workers: errors and
 * stops end a job.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "vecdb/base/workers.hpp"
#include "vecdb/cluster/kmeans.hpp"

namespace
{

using namespace vecdb::core;
using cluster::Clusters;
using cluster::KmeansOptions;
using cluster::RowSource;

struct Rows
{
	std::size_t dims;
	std::vector<float> values;

	RowSource
	source() const
	{
		return RowSource{[](const void *self, std::uint32_t row, float *out) noexcept {
							 const Rows &rows = *static_cast<const Rows *>(self);
							 const float *v = rows.values.data() + row * rows.dims;
							 return out == nullptr ? v : std::copy_n(v, rows.dims, out) - rows.dims;
						 },
						 this, static_cast<std::uint32_t>(values.size() / dims), dims};
	}
};

/* Runs f as a job and waits. */
template <class F>
Status
run(Workers &workers, F f)
{
	Status s = workers.run([](void *argument) { (*static_cast<F *>(argument))(); }, &f);
	while (!workers.wait_idle(10))
		;
	return s.ok() ? workers.status() : s;
}

struct Result
{
	std::vector<std::uint32_t> assignment, near;
	std::uint32_t count = 0;
	std::vector<float> centroids;
};

Result
cluster_rows(const Rows &rows, KmeansOptions options, unsigned threads)
{
	Workers workers;
	EXPECT_TRUE(workers.start(threads).ok());
	Result result;
	result.assignment.assign(rows.values.size() / rows.dims, 0xFFFFFFFFu);
	Status s = run(workers, [&] {
		Clusters clusters;
		check(clusters.build(workers, rows.source(), options, result.assignment.data()));
		result.count = clusters.count();
		result.centroids.assign(clusters.centroids(), clusters.centroids() + clusters.count() * rows.dims);
		std::uint32_t most = std::min(clusters.count(), 10u);
		result.near.resize(clusters.count() * static_cast<std::size_t>(most));
		check(clusters.nearest(workers, false, most, result.near.data()));
	});
	EXPECT_TRUE(s.ok()) << s.message;
	return result;
}

Rows
around_centers(std::size_t n, std::size_t dims, std::size_t centers, float spread)
{
	std::mt19937_64 random(3);
	std::normal_distribution<float> normal;
	std::vector<float> center(centers * dims);
	for (float &x : center)
		x = normal(random);
	Rows rows{dims, std::vector<float>(n * dims)};
	for (std::size_t i = 0; i < n * dims; i++)
		rows.values[i] = center[i / dims % centers * dims + i % dims] + spread * normal(random);
	return rows;
}

TEST(Kmeans, RowsAreNearTheirCentroid)
{
	for (std::size_t n : {1u, 5u, 300u, 3000u, 40000u})
	{
		SCOPED_TRACE(n);
		Rows rows = around_centers(n, 24, 50, 0.1f);
		Result r = cluster_rows(rows, KmeansOptions{256, 1024, 1}, 2);
		ASSERT_GE(r.count, 1u);
		std::vector<std::uint32_t> size(r.count);
		double own = 0, best = 0;
		for (std::size_t i = 0; i < n; i++)
		{
			ASSERT_LT(r.assignment[i], r.count);
			size[r.assignment[i]]++;
			double nearest = INFINITY;
			for (std::uint32_t c = 0; c < r.count; c++)
			{
				double d = 0;
				for (std::size_t j = 0; j < rows.dims; j++)
					d += std::pow(static_cast<double>(rows.values[i * rows.dims + j] - r.centroids[c * rows.dims + j]),
								  2);
				nearest = std::min(nearest, d);
				own += c == r.assignment[i] ? d : 0;
			}
			best += nearest;
		}
		EXPECT_LE(own, best * 1.05 + 1e-3);
		EXPECT_LE(*std::max_element(size.begin(), size.end()), 1024u);
		for (std::uint32_t c = 0; c < r.count; c++)
			EXPECT_EQ(r.near[c * std::min(r.count, 10u)], c);
	}
}

TEST(Kmeans, TheSameWithAnyNumberOfThreads)
{
	Rows rows = around_centers(30000, 16, 300, 0.3f);
	Result one = cluster_rows(rows, KmeansOptions{128, 512, 9}, 1),
		   three = cluster_rows(rows, KmeansOptions{128, 512, 9}, 3);
	EXPECT_EQ(one.assignment, three.assignment);
	EXPECT_EQ(one.near, three.near);
	EXPECT_EQ(one.centroids, three.centroids);
}

/* Rows that cannot be told apart are cut by number. */
TEST(Kmeans, NoClusterIsTooLarge)
{
	Rows rows = around_centers(20000, 16, 1, 0.0f);
	for (std::size_t i = 0; i < 4000 * 16; i++)
		rows.values[i] += static_cast<float>(i % 977);
	Result r = cluster_rows(rows, KmeansOptions{256, 768, 1}, 2);
	std::vector<std::uint32_t> size(r.count);
	for (std::uint32_t c : r.assignment)
		size[c]++;
	EXPECT_LE(*std::max_element(size.begin(), size.end()), 768u);
	EXPECT_LT(r.count, 200u);
}

TEST(Workers, AnErrorOnAnyThreadEndsTheJob)
{
	Workers workers;
	ASSERT_TRUE(workers.start(3).ok());
	std::atomic<std::size_t> sum{0};
	Status s = run(workers, [&] {
		workers.parallel(1000, 7, [&](std::size_t begin, std::size_t end, unsigned worker) {
			EXPECT_LT(worker, 3u);
			for (std::size_t i = begin; i < end; i++)
				sum += i;
		});
	});
	EXPECT_TRUE(s.ok());
	EXPECT_EQ(sum.load(), 999u * 1000 / 2);
	bool after = false;
	s = run(workers, [&] {
		workers.parallel(1000, 1, [&](std::size_t begin, std::size_t, unsigned) {
			if (begin == 500)
				throw std::runtime_error("no");
		});
		after = true;
	});
	EXPECT_EQ(s.code, Code::internal);
	EXPECT_FALSE(after);
	/* And no other job begins. */
	EXPECT_EQ(run(workers, [&] { after = true; }).code, Code::internal);
	EXPECT_FALSE(after);
}

TEST(Workers, StopIsCancelled)
{
	Workers workers;
	ASSERT_TRUE(workers.start(2).ok());
	auto job = [&] {
		for (;;)
			workers.parallel(1000, 1, [](std::size_t, std::size_t, unsigned) {});
	};
	ASSERT_TRUE(workers.run([](void *argument) { (*static_cast<decltype(job) *>(argument))(); }, &job).ok());
	EXPECT_FALSE(workers.wait_idle(5));
	workers.stop();
	EXPECT_EQ(workers.status().code, Code::cancelled);
	EXPECT_TRUE(workers.wait_idle(0));
}

}  // namespace
