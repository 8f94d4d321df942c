/* SPDX-License-Identifier: PostgreSQL
 * Codes of sparse rows and of bit strings: codes come back as they went in, distances are the sums they should be, in one piece
 * or in parts, and the intervals hold what the SQL operators compute.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "vecdb/graph/code_distance.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::graph;
using quantizer::kNoIndex;
using quantizer::kSparseBlockBytes;

using Random = std::mt19937_64;
using Values = std::map<std::int32_t, float>;

const std::vector<Metric> kSparseMetrics{Metric::l2, Metric::inner_product, Metric::cosine, Metric::l1};

struct Sparse
{
	Values values;
	std::vector<std::uint8_t> code;
	quantizer::Sq8 factors;
	std::uint32_t blocks;

	explicit Sparse(const Values &v, double length = 1) : values(v)
	{
		std::vector<std::int32_t> indices;
		std::vector<float> floats;
		for (auto [i, x] : v)
		{
			indices.push_back(i);
			floats.push_back(x);
		}
		blocks = quantizer::sparse_blocks(indices.size());
		code.resize(blocks * kSparseBlockBytes);
		factors = encode_sparse(indices.data(), floats.data(), indices.size(), length, code.data());
	}
	CodeView
	view() const
	{
		return CodeView{code.data(), 0, 0, factors.norm2, static_cast<std::int32_t>(blocks)};
	}
};

double
length_of(const Values &v)
{
	double sum = 0;
	for (auto [i, x] : v)
		sum += static_cast<double>(x) * x;
	return std::sqrt(sum);
}

struct Query
{
	std::vector<std::uint64_t> memory;
	CodeQuery query;

	Query(const Sparse &s, Metric metric, std::uint32_t dims)
		: memory(quantizer::sparse_query_bytes(s.blocks, dims) / 8 + 1),
		  query(make_sparse_query(metric, quantizer::sparse_query(s.code.data(), s.blocks, dims, memory.data()),
								  length_of(s.values)))
	{
	}
};

Values
random_values(Random &random, std::size_t n, std::uint32_t dims, double spread = 1)
{
	Values v;
	while (v.size() < n)
	{
		double x = std::exp(spread * std::normal_distribution<>()(random)) * (random() % 2 == 0 ? 1 : -1);
		v[static_cast<std::int32_t>(random() % dims)] = static_cast<float>(x);
	}
	return v;
}

/* Terms of both, by index. */
template <class F>
void
for_each(const Values &a, const Values &b, F f)
{
	std::map<std::int32_t, std::pair<float, float>> all;
	for (auto [i, x] : a)
		all[i].first = x;
	for (auto [i, x] : b)
		all[i].second = x;
	for (auto &[i, xy] : all)
		f(xy.first, xy.second);
}

double
exact(Metric metric, const Values &a, const Values &b)
{
	double sum = 0;
	for_each(a, b, [&](double x, double y) {
		sum += metric == Metric::inner_product ? -x * y : metric == Metric::l1 ? std::fabs(x - y) : (x - y) * (x - y);
	});
	return sum;
}

/* What an operator makes of float32 sums in some order. */
double
operator_value(Metric metric, const Values &a, const Values &b, Random &random)
{
	std::vector<std::pair<float, float>> terms;
	for_each(a, b, [&](float x, float y) { terms.emplace_back(x, y); });
	switch (random() % 3)
	{
		case 0: std::shuffle(terms.begin(), terms.end(), random); break;
		case 1: std::reverse(terms.begin(), terms.end()); break;
		default: break;
	}
	std::size_t lanes = std::size_t{1} << random() % 4;
	std::vector<float> sums(lanes), aa(lanes), bb(lanes);
	auto all = [](const std::vector<float> &v) {
		float sum = 0;
		for (float x : v)
			sum += x;
		return sum;
	};
	for (std::size_t i = 0; i < terms.size(); i++)
	{
		auto [x, y] = terms[i];
		float d = x - y, &sum = sums[i % lanes];
		sum += metric == Metric::l1 ? std::fabs(d) : metric == Metric::l2 ? d * d : x * y;
		aa[i % lanes] += x * x;
		bb[i % lanes] += y * y;
	}
	auto sum = static_cast<double>(all(sums));
	switch (metric)
	{
		case Metric::l2: return std::sqrt(sum);
		case Metric::inner_product: return -sum;
		case Metric::cosine:
			return 1 -
				   std::clamp(sum / std::sqrt(static_cast<double>(all(aa)) * static_cast<double>(all(bb))), -1.0, 1.0);
		default: return sum;
	}
}

TEST(SparseCode, ComesBackAsItWent)
{
	Random random(1);
	for (std::size_t n : {0u, 1u, 15u, 16u, 17u, 100u, 16000u})
	{
		Sparse s(random_values(random, n, 1000000000));
		EXPECT_EQ(s.code.size() % kSparseBlockBytes, 0u);
		EXPECT_EQ(quantizer::sparse_count(s.code.data(), s.blocks), n);
		EXPECT_TRUE(quantizer::sparse_valid(s.code.data(), s.blocks, 1000000000));
		std::vector<std::int32_t> indices(s.blocks * 16);
		std::vector<float> values(s.blocks * 16);
		ASSERT_EQ(quantizer::sparse_decode(s.code.data(), s.blocks, indices.data(), values.data()), n);
		std::size_t i = 0;
		for (auto [index, x] : s.values)
		{
			ASSERT_EQ(indices[i], index);
			ASSERT_EQ(values[i++], x);
		}
		EXPECT_NEAR(s.factors.norm2, length_of(s.values) * length_of(s.values), 1e-5 * s.factors.norm2);
		EXPECT_EQ(s.factors.error, static_cast<float>(n));
	}
	/* Unit length. */
	Values v{{1, 3.0f}, {5, 4.0f}};
	EXPECT_NEAR(Sparse(v, 5).factors.norm2, 1, 1e-6);
}

TEST(SparseCode, DamageIsSeen)
{
	Random random(2);
	const Sparse good(random_values(random, 40, 1000));
	auto damaged = [&](auto change) {
		Sparse s = good;
		auto *blocks = reinterpret_cast<quantizer::SparseBlock *>(s.code.data());
		change(blocks);
		return !quantizer::sparse_valid(s.code.data(), s.blocks, 1000);
	};
	EXPECT_FALSE(damaged([](auto *) {}));
	EXPECT_TRUE(damaged([](auto *b) { b[1].index[3] = b[1].index[2]; }));
	EXPECT_TRUE(damaged([](auto *b) { std::swap(b[0].index[0], b[0].index[1]); }));
	EXPECT_TRUE(damaged([](auto *b) { b[0].index[15] = b[1].index[0]; }));
	EXPECT_TRUE(damaged([](auto *b) { b[2].index[7] = 1000; }));
	EXPECT_TRUE(damaged([](auto *b) { b[0].index[15] = kNoIndex; }));
	EXPECT_TRUE(damaged([](auto *b) { b[2].index[4] = kNoIndex; }));
	EXPECT_TRUE(damaged([](auto *b) { b[2].value[15] = 1; }));
	EXPECT_TRUE(damaged([](auto *b) { b[2].index[15] = 999; }));
	EXPECT_TRUE(damaged([](auto *b) { b[0].value[0] = NAN; }));
	EXPECT_TRUE(damaged([](auto *b) { b[0].value[0] = INFINITY; }));
}

/* A table and a hash table of the query; all at once and in parts. */
TEST(SparseDistance, IsTheSum)
{
	Random random(3);
	const distance::Kernels *tables[8];
	const std::size_t table_count = distance::available_kernels(tables);
	for (std::uint32_t dims : {40u, 3000u, 131072u, 131073u, 1000000000u})
		for (std::size_t n : {0u, 1u, 16u, 40u, 300u, 2000u})
			for (std::size_t m : {0u, 1u, 7u, 33u, 400u})
			{
				SCOPED_TRACE(std::to_string(dims) + " " + std::to_string(n) + " " + std::to_string(m));
				const Sparse a(random_values(random, std::min<std::size_t>(n, dims), dims));
				Values near = random_values(random, std::min<std::size_t>(m, dims), dims);
				for (auto [i, x] : a.values)
					if (random() % 2 == 0)
						near[i] = random() % 2 == 0 ? x : -x;
				const Sparse b(near);
				const double size = length_of(a.values) + length_of(b.values);
				for (Metric metric : kSparseMetrics)
				{
					const Query q(a, metric, dims);
					double l1 = 0;
					for_each(a.values, b.values, [&](double x, double y) { l1 += std::fabs(x) + std::fabs(y); });
					const double expected = exact(metric, a.values, b.values);
					const double tolerance = 1e-5 * (metric == Metric::l1 ? l1 : size * size);
					for (std::size_t t = 0; t < table_count; t++)
					{
						const distance::Kernels &k = *tables[t];
						float d = query_distance(k, q.query, b.view());
						ASSERT_NEAR(d, expected, tolerance);
						ASSERT_NEAR(code_distance(k, metric, a.view(), b.view(), 0), expected, tolerance);
						ASSERT_NEAR(code_distance(k, metric, b.view(), a.view(), 0), expected, tolerance);
						PartialScore sum{};
						for (std::size_t at = 0; at < b.code.size();)
						{
							std::size_t part =
								std::min<std::size_t>((1 + random() % 7) * kSparseBlockBytes, b.code.size() - at);
							add_part(k, q.query, b.code.data() + at, at, part, 0, 0, sum);
							at += part;
						}
						ASSERT_NEAR(distance_of(q.query, sum, 0, 0, b.factors.norm2), expected, tolerance);
					}
				}
			}
}

/* A query's memory taken over by another one. */
TEST(SparseDistance, ChangedQueryForgetsTheFirst)
{
	Random random(4);
	for (std::uint32_t dims : {500u, 1000000u})
	{
		const Sparse first(random_values(random, 400, dims)), row(random_values(random, 450, dims));
		std::vector<std::uint64_t> memory(quantizer::sparse_query_bytes(first.blocks, dims) / 8 + 1);
		quantizer::SparseQuery q = quantizer::sparse_query(first.code.data(), first.blocks, dims, memory.data());
		std::deque<Sparse> others;
		for (std::size_t n : {3u, 200u, 0u, 399u})
		{
			const Sparse &next = others.emplace_back(random_values(random, n, dims));
			quantizer::change_sparse_query(q, next.code.data(), next.blocks, memory.data());
			EXPECT_NEAR(quantizer::sparse_dot(q, row.code.data(), row.blocks),
						-exact(Metric::inner_product, next.values, row.values), 1e-3);
			std::vector<std::uint64_t> fresh(quantizer::sparse_query_bytes(next.blocks, dims) / 8 + 1);
			quantizer::SparseQuery same = quantizer::sparse_query(next.code.data(), next.blocks, dims, fresh.data());
			EXPECT_EQ(quantizer::sparse_dot(q, row.code.data(), row.blocks),
					  quantizer::sparse_dot(same, row.code.data(), row.blocks));
			EXPECT_EQ(q.l1, same.l1);
			EXPECT_EQ(q.norm2, same.norm2);
		}
	}
}

TEST(SparseDistance, IntervalsHoldTheOperatorsValue)
{
	Random random(5);
	const distance::Kernels &k = distance::kernels();
	for (int round = 0; round < 3000; round++)
	{
		const std::uint32_t dims = round % 2 == 0 ? 2000 : 5000000;
		const std::size_t n = round % 50 == 0 ? 1500 : 1 + random() % 100;
		double spread = static_cast<double>(round % 4) * 2;
		const Values a = random_values(random, n, dims, spread);
		/* Some equal, some nearly equal, some with nothing in common. */
		Values b = random_values(random, 1 + random() % 100, dims, spread);
		if (round % 3 != 0)
			b = a;
		if (round % 3 == 2)
			for (auto &[i, x] : b)
				x *= 1 + 1e-4f * std::normal_distribution<float>()(random);
		for (Metric metric : kSparseMetrics)
		{
			SCOPED_TRACE(std::to_string(round) + " " + distance::metric_name(metric));
			const bool unit = metric == Metric::cosine;
			const Sparse query(a, unit ? length_of(a) : 1), row(b, unit ? length_of(b) : 1);
			const Query q(query, metric, dims);
			const double value = operator_value(metric, a, b, random);
			Interval fine = exact_interval(k, q.query, row.view());
			ASSERT_LE(fine.lower, value);
			ASSERT_GE(fine.upper, value);
			ASSERT_LE(fine.lower, fine.middle);
			ASSERT_LE(fine.middle, fine.upper);

			float d, error;
			score_code(k, q.query, row.view(), row.factors.error, d, error);
			auto wide = static_cast<double>(d), half = static_cast<double>(error);
			/* As ExactOrder::add has it. */
			Interval coarse = metric == Metric::inner_product ? Interval{wide - half, wide, wide + half}
															  : operator_interval(q.query, wide, half, 0, true);
			ASSERT_LE(coarse.lower, value);
			ASSERT_GE(coarse.upper, value);
			/* And tells something. */
			const double size = length_of(a) + length_of(b);
			if (metric == Metric::l2)
			{
				ASSERT_LT(fine.upper - fine.lower, 2e-4 * size);
			}
			if (metric == Metric::inner_product)
			{
				ASSERT_LT(coarse.upper - coarse.lower, 1e-3 * size * size);
			}
		}
	}
}

TEST(SparseDistance, OverflowIsFarthestAndOpen)
{
	const distance::Kernels &k = distance::kernels();
	Values a{{1, 3e38f}, {2, -3e38f}, {7, 1e30f}}, b{{1, -3e38f}, {3, 3e38f}};
	for (Metric metric : kSparseMetrics)
	{
		if (metric == Metric::cosine)
			continue;
		const Sparse query(a), row(b);
		const Query q(query, metric, 100);
		float d, error;
		score_code(k, q.query, row.view(), row.factors.error, d, error);
		EXPECT_TRUE(std::isfinite(d));
		EXPECT_GE(error, 0);
		Interval i = exact_interval(k, q.query, row.view());
		EXPECT_EQ(i.upper, INFINITY);
		/* The row itself is no farther than that. */
		score_code(k, q.query, query.view(), query.factors.error, d, error);
		EXPECT_TRUE(std::isfinite(d));
		if (metric == Metric::l2)
			EXPECT_EQ(exact_interval(k, q.query, query.view()).lower, 0);
	}
}

/* Any bytes are safe to score: the sanitizers look on. */
TEST(SparseDistance, DamagedBytesDoNoHarm)
{
	Random random(6);
	const distance::Kernels &k = distance::kernels();
	for (std::uint32_t dims : {100u, 1000000u})
	{
		const Sparse query(random_values(random, 50, dims));
		for (Metric metric : kSparseMetrics)
		{
			const Query q(query, metric, dims);
			for (int round = 0; round < 200; round++)
			{
				std::vector<std::uint8_t> bytes(4 * kSparseBlockBytes);
				for (auto &x : bytes)
					x = static_cast<std::uint8_t>(random() % (round % 2 == 0 ? 256 : 2) * 255);
				CodeView v{bytes.data(), 0, 0, std::numeric_limits<float>::quiet_NaN(), 4};
				float d, error;
				score_code(k, q.query, v, 64, d, error);
				EXPECT_TRUE(std::isfinite(d));
				EXPECT_GE(error, 0);
				exact_interval(k, q.query, v);
				code_distance(k, metric, v, query.view(), 0);
				quantizer::sparse_valid(bytes.data(), 4, dims);
			}
		}
	}
}

/* --- bits --- */

TEST(BitDistance, IsTheOperatorsNumber)
{
	Random random(7);
	const distance::Kernels *tables[8];
	const std::size_t table_count = distance::available_kernels(tables);
	for (std::size_t bits : {1u, 8u, 64u, 100u, 128u, 1000u, 64000u})
		for (int round = 0; round < 20; round++)
		{
			auto draw = [&] {
				std::vector<std::uint8_t> bytes((bits + 7) / 8);
				std::uint64_t mask = round % 4 == 0 ? 0 : round % 4 == 1 ? random() & random() & random() : ~0ull;
				for (auto &x : bytes)
					x = static_cast<std::uint8_t>(random() & mask);
				if (bits % 8 != 0)
					bytes.back() = static_cast<std::uint8_t>(bytes.back() & 0xff00 >> bits % 8);
				return bytes;
			};
			const auto a = draw(), b = draw();
			std::uint64_t differ = 0, both = 0, either = 0, set = 0;
			for (std::size_t i = 0; i < a.size(); i++)
			{
				differ += static_cast<std::uint64_t>(__builtin_popcount(a[i] ^ b[i]));
				both += static_cast<std::uint64_t>(__builtin_popcount(a[i] & b[i]));
				either += static_cast<std::uint64_t>(__builtin_popcount(a[i] | b[i]));
				set += static_cast<std::uint64_t>(__builtin_popcount(b[i]));
			}
			const std::size_t n = bit_code_bytes(bits);
			std::vector<std::uint8_t> code_a(n), code_b(n);
			const quantizer::Sq8 factors_a = encode_bits(a.data(), bits, code_a.data());
			const quantizer::Sq8 factors_b = encode_bits(b.data(), bits, code_b.data());
			ASSERT_EQ(factors_b.norm2, static_cast<float>(set));
			const CodeView va{code_a.data(), 0, 0, factors_a.norm2, 0}, vb{code_b.data(), 0, 0, factors_b.norm2, 0};
			for (std::size_t t = 0; t < table_count; t++)
				for (Metric metric : {Metric::hamming, Metric::jaccard})
				{
					const distance::Kernels &k = *tables[t];
					/* As src/types/bit.cpp has it, to the last bit. */
					const double value = metric == Metric::hamming ? static_cast<double>(differ)
										 : both == 0               ? 1.0
													 : 1.0 - static_cast<double>(both) / static_cast<double>(either);
					const CodeQuery q = make_bit_query(k, metric, code_a.data(), n);
					const Interval i = exact_interval(k, q, vb);
					ASSERT_EQ(i.lower, value);
					ASSERT_EQ(i.middle, value);
					ASSERT_EQ(i.upper, value);
					float d, error;
					score_code(k, q, code_b.data(), 0, 0, factors_b.norm2, factors_b.error, d, error);
					ASSERT_EQ(error, 0);
					ASSERT_NEAR(d, value, 1e-6);
					const Interval coarse = operator_interval(q, static_cast<double>(d), 0, 0, true);
					ASSERT_LE(coarse.lower, value);
					ASSERT_GE(coarse.upper, value);
					if (metric == Metric::hamming)
					{
						ASSERT_EQ(coarse.lower, coarse.upper);
					}
					ASSERT_EQ(code_distance(k, metric, va, vb, n), d);
					ASSERT_EQ(code_distance(k, metric, vb, va, n), d);
					PartialScore sum{};
					for (std::size_t at = 0; at < n;)
					{
						std::size_t part = std::min<std::size_t>((1 + random() % 20) * 16, n - at);
						add_part(k, q, code_b.data() + at, at, part, 0, 0, sum);
						at += part;
					}
					ASSERT_EQ(distance_of(q, sum, 0, 0, factors_b.norm2), d);
				}
		}
}

}  // namespace
