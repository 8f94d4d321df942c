/* SPDX-License-Identifier: PostgreSQL
 * Kernels on sparse vectors, of every instruction set this machine has, against a merge in long double.
 *
 * Small integers give exact answers, so those are compared for equality; random data are held to the bound that a sum of n
 * floats in one chain keeps, n * 2^-24 * sum |terms|.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "vecdb/distance/kernels.hpp"

namespace
{

using vecdb::core::distance::available_kernels;
using vecdb::core::distance::Kernels;
using vecdb::core::distance::SparseRow;

std::vector<const Kernels *>
all_tables()
{
	const Kernels *tables[8];
	std::size_t count = available_kernels(tables);
	return {tables, tables + count};
}

/* A sparse vector off any alignment, in one allocation of the exact size as in a datum: values behind the indices. */
class Sparse
{
public:
	explicit Sparse(const std::map<std::int32_t, float> &elements)
		: elements_(elements), bytes_(new char[elements.size() * 8 + 1])
	{
		std::size_t i = 0;
		for (const auto &[index, value] : elements)
		{
			std::memcpy(bytes_.get() + 1 + i * 4, &index, 4);
			std::memcpy(bytes_.get() + 1 + (elements.size() + i) * 4, &value, 4);
			i++;
		}
	}

	SparseRow
	row() const
	{
		const char *start = bytes_.get() + 1;
		return SparseRow{reinterpret_cast<const std::int32_t *>(start),
						 reinterpret_cast<const float *>(start + elements_.size() * 4), elements_.size()};
	}

	const std::map<std::int32_t, float> &
	elements() const
	{
		return elements_;
	}

private:
	std::map<std::int32_t, float> elements_;
	std::unique_ptr<char[]> bytes_;
};

struct Sums
{
	long double l2 = 0, ip = 0, l1 = 0, ip_magnitude = 0;
	std::size_t terms = 0;
};

Sums
reference(const Sparse &a, const Sparse &b)
{
	std::map<std::int32_t, std::pair<long double, long double>> both;
	for (const auto &[index, value] : a.elements())
		both[index].first = value;
	for (const auto &[index, value] : b.elements())
		both[index].second = value;
	Sums sums;
	for (const auto &[index, pair] : both)
	{
		long double d = pair.first - pair.second, product = pair.first * pair.second;
		sums.l2 += d * d;
		sums.l1 += std::fabs(d);
		sums.ip += product;
		sums.ip_magnitude += std::fabs(product);
		sums.terms++;
	}
	return sums;
}

template <class Value>
Sparse
random_sparse(std::mt19937_64 &random, std::size_t n, std::int32_t dims, Value value)
{
	std::map<std::int32_t, float> elements;
	std::uniform_int_distribution<std::int32_t> index(0, dims - 1);
	while (elements.size() < n)
		elements.emplace(index(random), static_cast<float>(value()));
	return Sparse(elements);
}

class SparseKernelsTest : public testing::TestWithParam<const Kernels *>
{
protected:
	const Kernels &k = *GetParam();
	std::mt19937_64 random{20240611};

	void
	expect_exact(const Sparse &a, const Sparse &b)
	{
		Sums want = reference(a, b);
		std::string what = std::to_string(a.row().n) + " x " + std::to_string(b.row().n);
		EXPECT_EQ(k.sparse_l2_squared(a.row(), b.row()), static_cast<float>(want.l2)) << what;
		EXPECT_EQ(k.sparse_inner_product(a.row(), b.row()), static_cast<float>(want.ip)) << what;
		EXPECT_EQ(k.sparse_l1(a.row(), b.row()), static_cast<float>(want.l1)) << what;
	}
};

constexpr std::size_t kLengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 64, 100, 127, 300};

/* From rows that share nearly everything to rows that share nearly nothing, of all lengths, both ways round. */
TEST_P(SparseKernelsTest, ExactOnSmallIntegers)
{
	std::uniform_int_distribution<int> value(1, 7);
	for (std::size_t n : kLengths)
		for (std::size_t m : kLengths)
			for (std::int32_t spread : {1, 2, 20, 100000})
			{
				auto dims = static_cast<std::int32_t>(std::max(n, m)) * spread + 1;
				Sparse a = random_sparse(random, n, dims, [&] { return value(random); });
				Sparse b = random_sparse(random, m, dims, [&] { return -value(random); });
				expect_exact(a, b);
			}
}

/* Lengths so unequal that the short row is searched for in the long one. */
TEST_P(SparseKernelsTest, ExactOnVeryUnequalLengths)
{
	std::uniform_int_distribution<int> value(1, 7);
	for (std::size_t n : {0, 1, 2, 5, 17, 120})
		for (std::size_t m : {130, 1000, 3000, 16000})
			for (std::int32_t dims : {16001, 40000, 1000000000})
			{
				Sparse a = random_sparse(random, n, dims, [&] { return value(random); });
				Sparse b = random_sparse(random, m, dims, [&] { return value(random); });
				expect_exact(a, b);
				expect_exact(b, a);
			}
}

/* One row at the ends of the other, before it, behind it, and between two of its elements. */
TEST_P(SparseKernelsTest, ExactAtTheEdges)
{
	constexpr std::int32_t kLast = 999999999;
	for (std::int32_t n : {1, 8, 16, 17, 40, 700})
	{
		std::map<std::int32_t, float> low, high, odd, ends;
		for (std::int32_t i = 0; i < n; i++)
		{
			low[i] = 2.0f;
			high[kLast - i] = 3.0f;
			odd[2 * i + 1] = 5.0f;
		}
		ends[0] = 7.0f;
		ends[kLast] = -7.0f;
		Sparse none({});
		std::vector<Sparse> rows;
		for (const auto &elements : {low, high, odd, ends})
			rows.emplace_back(elements);
		for (const Sparse &a : rows)
		{
			expect_exact(a, none);
			expect_exact(none, a);
			for (const Sparse &b : rows)
				expect_exact(a, b);
		}
	}
}

TEST_P(SparseKernelsTest, WithinTheErrorBound)
{
	std::normal_distribution<float> normal;
	for (std::size_t n : kLengths)
		for (std::size_t m : {std::size_t{30}, n, 40 * n + 1})
			for (std::int32_t spread : {2, 50})
			{
				auto dims = static_cast<std::int32_t>(std::max(n, m)) * spread + 1;
				Sparse a = random_sparse(random, n, dims, [&] { return normal(random); });
				Sparse b = random_sparse(random, m, dims, [&] { return normal(random); });
				Sums want = reference(a, b);
				long double unit = 0x1p-24L * static_cast<long double>(want.terms + 8);
				auto off = [](long double want_sum, float got) {
					return std::fabs(want_sum - static_cast<long double>(got));
				};
				EXPECT_LE(off(want.l2, k.sparse_l2_squared(a.row(), b.row())), unit * want.l2);
				EXPECT_LE(off(want.l1, k.sparse_l1(a.row(), b.row())), unit * want.l1);
				EXPECT_LE(off(want.ip, k.sparse_inner_product(a.row(), b.row())), unit * want.ip_magnitude);
			}
}

/* Nearly equal rows: what both have is subtracted first, so that no digit of the distance is lost. */
TEST_P(SparseKernelsTest, EqualRowsAreAtDistanceZero)
{
	std::normal_distribution<float> normal;
	for (std::size_t n : kLengths)
	{
		Sparse a = random_sparse(random, n, 100000, [&] { return normal(random) * 1e10f; });
		EXPECT_EQ(k.sparse_l2_squared(a.row(), a.row()), 0.0f);
		EXPECT_EQ(k.sparse_l1(a.row(), a.row()), 0.0f);
		if (n == 0)
			continue;
		std::map<std::int32_t, float> moved = a.elements();
		float &value = std::next(moved.begin(), static_cast<std::ptrdiff_t>(n / 2))->second;
		float before = value;
		value = std::nextafterf(value, INFINITY);
		float step = value - before;
		Sparse b(moved);
		EXPECT_EQ(k.sparse_l2_squared(a.row(), b.row()), step * step);
		EXPECT_EQ(k.sparse_l1(a.row(), b.row()), step);
	}
}

/* A value at one place only, so that an element read twice, left out or paired wrongly shows up. */
TEST_P(SparseKernelsTest, EveryElementCountsOnce)
{
	for (std::int32_t n : {1, 2, 7, 16, 33, 50})
		for (std::int32_t i = 0; i < n; i++)
		{
			std::map<std::int32_t, float> a, b;
			for (std::int32_t j = 0; j < n; j++)
			{
				a[3 * j] = static_cast<float>(j + 1);
				b[3 * j + 1] = static_cast<float>(j + 1);
			}
			b.erase(3 * i + 1);
			b[3 * i] = -1000.0f;
			ASSERT_EQ(k.sparse_inner_product(Sparse(a).row(), Sparse(b).row()), -1000.0f * static_cast<float>(i + 1))
				<< n << ' ' << i;
			expect_exact(Sparse(a), Sparse(b));
		}
}

TEST_P(SparseKernelsTest, OverflowGivesInfinity)
{
	for (std::int32_t n : {1, 9, 40})
	{
		std::map<std::int32_t, float> a, b, c;
		for (std::int32_t i = 0; i < n; i++)
		{
			a[2 * i] = 3e38f;
			b[2 * i] = -3e38f;
			c[2 * i + 1] = 3e38f;
		}
		Sparse x(a), y(b), z(c);
		EXPECT_EQ(k.sparse_l2_squared(x.row(), y.row()), INFINITY);
		EXPECT_EQ(k.sparse_l2_squared(x.row(), z.row()), INFINITY);
		EXPECT_EQ(k.sparse_inner_product(x.row(), y.row()), -INFINITY);
		EXPECT_EQ(k.sparse_inner_product(x.row(), x.row()), INFINITY);
		EXPECT_EQ(k.sparse_inner_product(x.row(), z.row()), 0.0f);
		EXPECT_EQ(k.sparse_l1(x.row(), y.row()), INFINITY);
	}
}

INSTANTIATE_TEST_SUITE_P(Isa, SparseKernelsTest, testing::ValuesIn(all_tables()),
						 [](const testing::TestParamInfo<const Kernels *> &table) { return table.param->isa; });

}  // namespace
