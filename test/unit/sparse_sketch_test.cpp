/* SPDX-License-Identifier: PostgreSQL
 * Sketches of sparse vectors: what they promise of products and distances, and the exact meter of what is near.
 *
 * Regime: core.
 */
#include "vecdb/quantizer/sparse_sketch.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "vecdb/lists/sparse_meter.hpp"

namespace
{

using namespace vecdb::core;
using distance::SparseRow;
using quantizer::sparse_sketch;

struct Sparse
{
	std::vector<std::int32_t> indices;
	std::vector<float> values;

	SparseRow
	row() const
	{
		return SparseRow{indices.data(), values.data(), indices.size()};
	}
};

Sparse
random_sparse(std::mt19937 &rng, std::uint32_t dimensions, std::size_t n)
{
	std::map<std::int32_t, float> elements;
	std::exponential_distribution<float> value(1);
	while (elements.size() < n)
		elements[static_cast<std::int32_t>(rng() % dimensions)] = value(rng) * (rng() % 4 == 0 ? -1.0f : 1.0f);
	Sparse s;
	for (auto [index, x] : elements)
	{
		s.indices.push_back(index);
		s.values.push_back(x);
	}
	return s;
}

double
product(const std::vector<float> &a, const std::vector<float> &b)
{
	return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEST(SparseSketch, FewDimensionsAreKeptAsTheyAre)
{
	std::mt19937 rng(1);
	for (std::uint32_t dims : {1u, 7u, 512u})
	{
		Sparse s = random_sparse(rng, dims, std::min<std::size_t>(dims, 5));
		std::vector<float> out(dims, 9), expected(dims, 0);
		for (std::size_t i = 0; i < s.indices.size(); i++)
			expected[static_cast<std::size_t>(s.indices[i])] = s.values[i];
		sparse_sketch(s.row(), dims, dims, out.data());
		EXPECT_EQ(out, expected);
	}
}

/* Over many pairs: no bias, and the deviation that bounds are made of. */
TEST(SparseSketch, ProductsAndDistancesAreRightOnAverage)
{
	constexpr std::uint32_t kDims = 512, kPairs = 2000;
	std::mt19937 rng(2);
	double product_error = 0, product_squares = 0, distance_error = 0, distance_squares = 0;
	for (std::uint32_t i = 0; i < kPairs; i++)
	{
		Sparse a = random_sparse(rng, 30000, 100), b = random_sparse(rng, 30000, 60);
		/* Half of b is of a. */
		for (std::size_t j = 0; j < b.indices.size(); j += 2)
			b.indices[j] = a.indices[j];
		std::vector<float> x(kDims), y(kDims);
		sparse_sketch(a.row(), 30000, kDims, x.data());
		sparse_sketch(b.row(), 30000, kDims, y.data());
		std::map<std::int32_t, double> difference;
		double ab = 0, aa = 0, bb = 0;
		std::map<std::int32_t, double> of_a, of_b;
		for (std::size_t j = 0; j < a.indices.size(); j++)
			of_a[a.indices[j]] += static_cast<double>(a.values[j]);
		for (std::size_t j = 0; j < b.indices.size(); j++)
			of_b[b.indices[j]] += static_cast<double>(b.values[j]);
		for (auto [index, v] : of_a)
		{
			aa += v * v;
			difference[index] += v;
			if (of_b.count(index) != 0)
				ab += v * of_b[index];
		}
		for (auto [index, v] : of_b)
		{
			bb += v * v;
			difference[index] -= v;
		}
		double d2 = 0, estimate = 0;
		for (auto [index, v] : difference)
			d2 += v * v;
		for (std::uint32_t j = 0; j < kDims; j++)
			estimate += (static_cast<double>(x[j]) - y[j]) * (static_cast<double>(x[j]) - y[j]);
		double off = (product(x, y) - ab) / std::sqrt(aa * bb) * std::sqrt(static_cast<double>(kDims));
		product_error += off;
		product_squares += off * off;
		off = (estimate - d2) / d2 * std::sqrt(static_cast<double>(kDims) / 2);
		distance_error += off;
		distance_squares += off * off;
	}
	EXPECT_NEAR(product_error / kPairs, 0, 0.1);
	EXPECT_LT(std::sqrt(product_squares / kPairs), 1.15);
	EXPECT_GT(std::sqrt(product_squares / kPairs), 0.7);
	EXPECT_NEAR(distance_error / kPairs, 0, 0.1);
	EXPECT_LT(std::sqrt(distance_squares / kPairs), 1.1);
	EXPECT_GT(std::sqrt(distance_squares / kPairs), 0.6);
}

TEST(SparseSketch, HugeValuesStayFiniteAndWrongIndicesAreLeftOut)
{
	Sparse s;
	for (int i = 0; i < 5000; i++)
	{
		s.indices.push_back(i);
		s.values.push_back(3.4e38f);
	}
	s.indices.push_back(70000);
	s.values.push_back(1);
	std::vector<float> out(512);
	sparse_sketch(s.row(), 60000, 512, out.data());
	for (float x : out)
		EXPECT_TRUE(std::isfinite(x));
	s.indices = {3, 600};
	s.values = {1, 2};
	std::vector<float> small(100);
	sparse_sketch(s.row(), 100, 100, small.data());
	EXPECT_EQ(small[3], 1.0f);
	EXPECT_EQ(std::accumulate(small.begin(), small.end(), 0.0f), 1.0f);
}

/* What the meter finds is what a comparison of all with all finds; rows lie unaligned. */
TEST(SparseMeter, FindsTheNearest)
{
	for (distance::Metric metric : {distance::Metric::l2, distance::Metric::inner_product, distance::Metric::cosine})
	{
		std::mt19937 rng(3);
		std::vector<Sparse> rows;
		for (int i = 0; i < 700; i++)
			rows.push_back(random_sparse(rng, 300, 5 + rng() % 40));
		lists::SparseMeter meter;
		ASSERT_TRUE(meter.start(metric, 5).ok());
		auto name = [](std::size_t i) { return layout::make_tid(static_cast<std::uint32_t>(i), 1); };
		for (std::size_t i = 0; i < 100; i++)
			ASSERT_TRUE(meter.offer(name(i), rows[i].row(), static_cast<std::uint32_t>(i)).ok());
		meter.forget();
		for (std::size_t i = 0; i < rows.size(); i++)
			ASSERT_TRUE(meter.offer(name(i), rows[i].row(), static_cast<std::uint32_t>(i)).ok());
		ASSERT_TRUE(meter.begin().ok());
		ASSERT_EQ(meter.queries(), lists::SparseMeter::kQueries);
		std::vector<char> bytes;
		for (std::size_t i = 0; i < rows.size(); i++)
		{
			const std::size_t n = rows[i].indices.size();
			bytes.assign(1 + 8 * n, 0);
			std::memcpy(bytes.data() + 1, rows[i].indices.data(), 4 * n);
			std::memcpy(bytes.data() + 1 + 4 * n, rows[i].values.data(), 4 * n);
			meter.look(name(i), SparseRow{reinterpret_cast<const std::int32_t *>(bytes.data() + 1),
										  reinterpret_cast<const float *>(bytes.data() + 1 + 4 * n), n});
		}
		const layout::RowTid *near = meter.nearest();
		auto distance = [&](const Sparse &a, const Sparse &b) {
			std::vector<float> x(300), y(300);
			sparse_sketch(a.row(), 300, 300, x.data());
			sparse_sketch(b.row(), 300, 300, y.data());
			double ab = product(x, y);
			return metric == distance::Metric::l2              ? product(x, x) + product(y, y) - 2 * ab
				   : metric == distance::Metric::inner_product ? -ab
															   : -ab / std::sqrt(product(x, x) * product(y, y));
		};
		for (std::uint32_t q = 0; q < meter.queries(); q++)
		{
			std::vector<double> all;
			for (std::size_t i = 0; i < rows.size(); i++)
				if (i != meter.numbers()[q])
					all.push_back(distance(rows[i], rows[meter.numbers()[q]]));
			std::sort(all.begin(), all.end());
			for (std::uint32_t j = 0; j < lists::SparseMeter::kNear; j++)
			{
				const auto found = layout::tid_block(near[q * lists::SparseMeter::kNear + j]);
				ASSERT_NE(found, meter.numbers()[q]);
				EXPECT_NEAR(distance(rows[found], rows[meter.numbers()[q]]), all[j], 1e-4) << q << " " << j;
			}
		}
	}
}

TEST(SparseMeter, LongRowsAreFewerQueries)
{
	lists::SparseMeter meter;
	ASSERT_TRUE(meter.start(distance::Metric::l2, 1).ok());
	std::vector<std::int32_t> indices(16000);
	std::vector<float> values(16000, 1);
	for (std::uint32_t i = 0; i < 96; i++)
	{
		for (std::size_t j = 0; j < indices.size(); j++)
			indices[j] = static_cast<std::int32_t>(i * 16000 + j);
		ASSERT_TRUE(meter.offer(layout::make_tid(i, 1), SparseRow{indices.data(), values.data(), 16000}, i).ok());
	}
	ASSERT_TRUE(meter.begin().ok());
	EXPECT_GE(meter.queries(), 8u);
	EXPECT_LT(meter.queries(), 96u);
	meter.look(layout::make_tid(7, 1), SparseRow{indices.data(), values.data(), 16000});
}

}  // namespace
