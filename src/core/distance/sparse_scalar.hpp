/* SPDX-License-Identifier: PostgreSQL
 * Sums over two sparse vectors in plain C++, for kernels_scalar.cpp: one merge without a branch on the data.
 *
 * Regime: core. Private to src/core/distance.
 */
#pragma once

#include <bit>
#include <cstring>

#include "tables.hpp"

namespace vecdb::core::distance
{
namespace
{

template <class T>
T
sparse_at(const T *p, std::size_t i) noexcept
{
	T x;
	std::memcpy(&x, p + i, sizeof x);
	return x;
}

/* Sum of term(a, b) over all indices, where the one that an element lacks is 0. */
template <class Term>
float
sparse_sum(const SparseRow &a, const SparseRow &b, Term term) noexcept
{
	float sum = 0.0f, rest[2] = {};
	std::size_t i = 0, j = 0;
	while (i < a.n && j < b.n)
	{
		std::int32_t ai = sparse_at(a.indices, i), bi = sparse_at(b.indices, j);
		std::uint32_t take_a = ai <= bi ? 1 : 0, take_b = bi <= ai ? 1 : 0;
		/* By masks: compilers turn a choice into a branch, which no machine foresees. */
		std::uint32_t x = sparse_at(reinterpret_cast<const std::uint32_t *>(a.values), i) & (0 - take_a);
		std::uint32_t y = sparse_at(reinterpret_cast<const std::uint32_t *>(b.values), j) & (0 - take_b);
		sum += term(std::bit_cast<float>(x), std::bit_cast<float>(y));
		i += take_a;
		j += take_b;
	}
	for (; i < a.n; i++)
		rest[0] += term(sparse_at(a.values, i), 0.0f);
	for (; j < b.n; j++)
		rest[1] += term(0.0f, sparse_at(b.values, j));
	return sum + (rest[0] + rest[1]);
}

float
sparse_l2_squared(const SparseRow &a, const SparseRow &b) noexcept
{
	return sparse_sum(a, b, [](float x, float y) noexcept { return (x - y) * (x - y); });
}

float
sparse_inner_product(const SparseRow &a, const SparseRow &b) noexcept
{
	return sparse_sum(a, b, [](float x, float y) noexcept { return x * y; });
}

float
sparse_l1(const SparseRow &a, const SparseRow &b) noexcept
{
	return sparse_sum(a, b, [](float x, float y) noexcept { return __builtin_fabsf(x - y); });
}

/* Element i of a code: blocks of 16 indices and 16 values. */
std::uint32_t
code_word(const std::uint8_t *code, std::size_t i, std::size_t of_values) noexcept
{
	std::uint32_t x;
	std::memcpy(&x, code + i / 16 * 128 + of_values * 64 + i % 16 * 4, sizeof x);
	return x;
}

template <class Term>
float
code_sum(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b, std::size_t b_blocks, Term term) noexcept
{
	const std::size_t n = a_blocks * 16, m = b_blocks * 16;
	float sum = 0.0f, rest[2] = {};
	std::size_t i = 0, j = 0;
	while (i < n && j < m)
	{
		std::uint32_t ai = code_word(a, i, 0), bi = code_word(b, j, 0);
		std::uint32_t take_a = ai <= bi ? 1 : 0, take_b = bi <= ai ? 1 : 0;
		std::uint32_t x = code_word(a, i, 1) & (0 - take_a), y = code_word(b, j, 1) & (0 - take_b);
		sum += term(std::bit_cast<float>(x), std::bit_cast<float>(y));
		i += take_a;
		j += take_b;
	}
	for (; i < n; i++)
		rest[0] += term(std::bit_cast<float>(code_word(a, i, 1)), 0.0f);
	for (; j < m; j++)
		rest[1] += term(0.0f, std::bit_cast<float>(code_word(b, j, 1)));
	return sum + (rest[0] + rest[1]);
}

float
block_inner_product(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b, std::size_t b_blocks) noexcept
{
	return code_sum(a, a_blocks, b, b_blocks, [](float x, float y) noexcept { return x * y; });
}

float
block_l1(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b, std::size_t b_blocks) noexcept
{
	return code_sum(a, a_blocks, b, b_blocks, [](float x, float y) noexcept { return __builtin_fabsf(x - y); });
}

}  // namespace
}  // namespace vecdb::core::distance
