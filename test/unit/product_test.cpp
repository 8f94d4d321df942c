/* SPDX-License-Identifier: PostgreSQL
 * Product quantization: codebooks of any sample, codes that are the nearest, tables that keep what the scans ask for.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "vecdb/base/workers.hpp"
#include "vecdb/quantizer/product.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::quantizer;

using Floats = std::vector<float>;
using Bytes = std::vector<std::uint8_t>;

Floats
normals(std::mt19937_64 &random, std::size_t n, float scale = 1.0f)
{
	std::normal_distribution<float> normal;
	Floats v(n);
	for (float &x : v)
		x = scale * normal(random);
	return v;
}

struct Trained
{
	Codebooks books;
	Floats vectors;
	float deviation = -1;

	Trained(std::uint32_t dims, std::uint32_t segments, std::uint32_t bits) : books{segments, bits, nullptr, dims}
	{
		vectors.assign(books.floats(), NAN);
		books.vectors = vectors.data();
	}

	void
	train(const Floats &rows, unsigned threads = 1)
	{
		std::vector<const float *> pointers;
		for (std::size_t i = 0; i < rows.size(); i += books.code_dims)
			pointers.push_back(rows.data() + i);
		struct Job
		{
			Workers workers;
			ProductTraining training;
			Trained *self;
		} job;
		job.training = {pointers.data(), static_cast<std::uint32_t>(pointers.size()), 3};
		job.self = this;
		ASSERT_TRUE(job.workers.start(threads).ok());
		auto work = [](void *argument) {
			auto *j = static_cast<Job *>(argument);
			check(product_train(j->workers, j->training, j->self->books, j->self->vectors.data(), &j->self->deviation));
		};
		ASSERT_TRUE(job.workers.run(work, &job).ok());
		while (!job.workers.wait_idle(100))
			;
		ASSERT_TRUE(job.workers.status().ok());
		job.workers.stop();
	}

	float
	element(std::uint32_t s, std::uint32_t code, std::uint32_t j) const
	{
		return books.segment(s)[books.place(s, code, j)];
	}

	double
	distance(const float *r, std::uint32_t s, std::uint32_t code) const
	{
		double sum = 0;
		for (std::uint32_t j = 0; j < books.length(s); j++)
			sum += std::pow(static_cast<double>(r[books.first(s) + j]) - element(s, code, j), 2);
		return sum;
	}
};

TEST(Product, SegmentsCoverAllDimensions)
{
	for (std::uint32_t dims : {16u, 112u, 784u, 16000u})
		for (std::uint32_t segments : {1u, 3u, 4u, 16u, 100u, 448u})
		{
			if (segments > dims)
				continue;
			Codebooks books{segments, 4, nullptr, dims};
			std::uint32_t at = 0;
			for (std::uint32_t s = 0; s < segments; s++)
			{
				EXPECT_EQ(books.first(s), at);
				EXPECT_GE(books.length(s), dims / segments);
				EXPECT_LE(books.length(s), dims / segments + 1);
				at += books.length(s);
			}
			EXPECT_EQ(at, dims);
			EXPECT_EQ(books.floats(), (static_cast<std::size_t>(dims) + segments) * 16);
		}
}

TEST(Product, CodesAreTheNearest)
{
	std::mt19937_64 random(1);
	for (std::uint32_t bits : {4u, 8u})
		for (std::uint32_t segments : {4u, 28u, 32u})
		{
			Trained t(112, segments, bits);
			t.train(normals(random, 112 * 1000));
			for (std::uint32_t s = 0; s < segments; s++)
				for (std::uint32_t code = 0; code < t.books.codes(); code++)
				{
					double norm2 = 0;
					for (std::uint32_t j = 0; j < t.books.length(s); j++)
						norm2 += std::pow(static_cast<double>(t.element(s, code, j)), 2);
					ASSERT_NEAR(t.books.half_norms(s)[code], norm2 / 2, 1e-5 * norm2);
				}
			Bytes codes(segments);
			for (int i = 0; i < 50; i++)
			{
				Floats r = normals(random, 112), y(112), u = normals(random, 112);
				product_encode(t.books, r.data(), codes.data());
				product_decode(t.books, codes.data(), y.data());
				double want[3] = {};
				for (std::uint32_t s = 0; s < segments; s++)
				{
					double least = INFINITY;
					for (std::uint32_t code = 0; code < t.books.codes(); code++)
						least = std::min(least, t.distance(r.data(), s, code));
					ASSERT_LE(t.distance(r.data(), s, codes[s]), least + 1e-4);
					for (std::uint32_t j = 0; j < t.books.length(s); j++)
						ASSERT_EQ(y[t.books.first(s) + j], t.element(s, codes[s], j));
				}
				for (std::size_t j = 0; j < 112; j++)
				{
					want[0] += static_cast<double>(y[j]) * r[j];
					want[1] += static_cast<double>(y[j]) * u[j];
					want[2] += static_cast<double>(y[j]) * y[j];
				}
				double of[3];
				product_sums(t.books, codes.data(), r.data(), u.data(), of);
				for (int j = 0; j < 3; j++)
					EXPECT_NEAR(of[j], want[j], 1e-9 * std::fabs(want[2]));
				product_sums(t.books, codes.data(), r.data(), nullptr, of);
				EXPECT_EQ(of[1], 0);
			}
		}
}

/* Clusters in each segment are found; what has 16 of them is coded without loss. */
TEST(Product, TrainingFindsClusters)
{
	std::mt19937_64 random(2);
	constexpr std::uint32_t kDims = 32, kSegments = 8;
	Floats points = normals(random, 8 * kDims, 10);
	Floats rows;
	for (int i = 0; i < 2000; i++)
		for (std::uint32_t s = 0; s < kSegments; s++)
		{
			std::size_t which = random() % 8;
			for (std::uint32_t j = 0; j < 4; j++)
				rows.push_back(points[which * kDims + s * 4 + j] + 0.01f * normals(random, 1)[0]);
		}
	Trained t(kDims, kSegments, 4);
	t.train(rows);
	Bytes codes(kSegments);
	Floats y(kDims);
	double error = 0, all = 0;
	for (std::size_t i = 0; i < rows.size(); i += kDims)
	{
		product_encode(t.books, rows.data() + i, codes.data());
		product_decode(t.books, codes.data(), y.data());
		for (std::size_t j = 0; j < kDims; j++)
		{
			error += std::pow(static_cast<double>(rows[i + j]) - y[j], 2);
			all += std::pow(static_cast<double>(rows[i + j]), 2);
		}
	}
	EXPECT_LT(error / all, 0.03);
}

TEST(Product, ErrorOfNormalRowsIsAsTheoryHasIt)
{
	/* 1 bit a dimension in segments of 4: the best quantizer loses about a third of the variance. */
	std::mt19937_64 random(3);
	Trained t(64, 16, 4);
	t.train(normals(random, 64 * 1024));
	EXPECT_NEAR(t.deviation, 0.48, 0.04);
	Bytes codes(16);
	Floats y(64);
	double error = 0;
	for (int i = 0; i < 500; i++)
	{
		Floats r = normals(random, 64);
		product_encode(t.books, r.data(), codes.data());
		product_decode(t.books, codes.data(), y.data());
		for (std::size_t j = 0; j < 64; j++)
			error += std::pow(static_cast<double>(r[j]) - y[j], 2) / (500 * 64);
	}
	EXPECT_LT(error, 0.39);
}

TEST(Product, AnySampleTrains)
{
	std::mt19937_64 random(4);
	for (std::uint32_t bits : {4u, 8u})
		for (std::size_t count : {0u, 1u, 2u, 15u, 16u, 17u, 33u, 300u})
			for (int kind = 0; kind < 4; kind++)
			{
				Floats rows = normals(random, count * 32, kind == 2 ? 1e18f : kind == 3 ? 1e-25f : 1.0f);
				if (kind == 1)
					std::fill(rows.begin(), rows.end(), 0.25f);
				Trained t(32, 8, bits);
				t.train(rows);
				for (float x : t.vectors)
					ASSERT_TRUE(std::isfinite(x)) << count << ' ' << kind;
				ASSERT_TRUE(std::isfinite(t.deviation) && t.deviation >= 0) << count << ' ' << kind;
				/* No more rows than codes: they are coded without loss. */
				Bytes codes(8);
				Floats y(32);
				if (count <= t.books.codes() && kind < 2)
					for (std::size_t i = 0; i < count; i++)
					{
						product_encode(t.books, rows.data() + 32 * i, codes.data());
						product_decode(t.books, codes.data(), y.data());
						for (std::size_t j = 0; j < 32; j++)
							ASSERT_NEAR(y[j], rows[32 * i + j], 1e-6);
					}
			}
}

TEST(Product, TheSameWithAnyNumberOfThreads)
{
	std::mt19937_64 random(5);
	Floats rows = normals(random, 48 * 700);
	Trained one(48, 12, 4), three(48, 12, 4);
	one.train(rows, 1);
	three.train(rows, 3);
	EXPECT_EQ(one.vectors, three.vectors);
	EXPECT_EQ(one.deviation, three.deviation);
}

TEST(Product, TableHasTheProducts)
{
	std::mt19937_64 random(6);
	for (std::uint32_t bits : {4u, 8u})
	{
		Trained t(112, 28, bits);
		t.train(normals(random, 112 * 600));
		Floats q = normals(random, 112), table(product_table_floats(t.books));
		product_table(t.books, q.data(), table.data());
		for (std::uint32_t s = 0; s < 28; s++)
			for (std::uint32_t code = 0; code < t.books.codes(); code++)
			{
				double want = 0;
				for (std::uint32_t j = 0; j < t.books.length(s); j++)
					want += static_cast<double>(q[t.books.first(s) + j]) * t.element(s, code, j);
				ASSERT_NEAR(table[(s << bits) + code], want, 1e-5);
			}
	}
}

TEST(Product, BytesOfATableKeepTheScansLimits)
{
	std::mt19937_64 random(7);
	for (std::uint32_t segments : {4u, 32u, 192u, 448u})
		for (int kind = 0; kind < 7; kind++)
		{
			const std::uint32_t dims = 4 * segments;
			Trained t(dims, segments, 4);
			t.train(normals(random, dims * 64, kind == 3 ? 1e15f : kind == 4 ? 1e-20f : 1.0f));
			Floats q = normals(random, dims, kind == 3 ? 1e15f : kind == 4 ? 1e-20f : kind == 5 ? 1e38f : 1.0f);
			if (kind == 1)
				std::fill(q.begin(), q.end(), 0.0f);
			if (kind == 2)
				std::fill(q.begin() + 4, q.end(), 0.0f);
			if (kind == 6)
				std::fill(q.begin(), q.end(), 3e38f);
			Bytes lut(product_lut_bytes(t.books));
			Floats scratch(product_table_floats(t.books)), table(scratch.size());
			SignQuery s = product_query(t.books, q.data(), lut.data(), scratch.data());
			product_table(t.books, q.data(), table.data());
			EXPECT_EQ(s.segments, segments);
			ASSERT_TRUE(std::isfinite(s.step) && std::isfinite(s.bias));
			unsigned sum = 0;
			for (std::uint32_t m = 0; m < segments; m++)
			{
				unsigned most = *std::max_element(lut.begin() + 16 * m, lut.begin() + 16 * m + 16);
				ASSERT_LE(most, 127u);
				sum += most;
			}
			ASSERT_LT(sum, 65000u);
			if (kind >= 4)
				continue;
			/* Any code: half a step a segment. */
			for (int i = 0; i < 100; i++)
			{
				double exact = 0, magnitude = 0;
				unsigned acc = 0;
				for (std::uint32_t m = 0; m < segments; m++)
				{
					std::size_t entry = 16 * m + random() % 16;
					exact += static_cast<double>(table[entry]);
					magnitude += std::fabs(static_cast<double>(table[entry]));
					acc += lut[entry];
				}
				ASSERT_NEAR(s.step * static_cast<double>(acc) + s.bias, exact,
							0.501 * s.step * segments + 1e-5 * magnitude);
			}
		}
}

}  // namespace
