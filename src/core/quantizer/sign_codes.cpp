/* SPDX-License-Identifier: PostgreSQL
 * Sign codes: factors, lanes and the query's table. The loops over elements are kernels (distance/).
 *
 * Regime: core.
 * The query is rounded to integers d_i (q_i ~ step / 2 * d_i) and the table holds their exact sums, so that every
 * instruction set makes the same one. Entries of 7 bits let the scan add two in 8 bits: 10% faster than 8, 5%
 * slower than 6. Their rounding adds about 0.035% (|q| / |q - node|)^2 to the spread of the estimates, four
 * times less than that of 6 bits.
 */
#include "vecdb/quantizer/sign_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::quantizer
{
namespace
{

constexpr std::size_t kChunk = 2048;  // dimensions at a time: bounds the stack and the rounding of float sums
constexpr double kGreatest = 3e38;

/* The sums that factors are made of; see encode_lane. */
struct LaneSums
{
	double squares = 0;     // L^2
	double product = 0;     // <r, u>
	double magnitudes = 0;  // A
	double signed_sum = 0;  // tau
};

/* Where a lane lives inside each segment. */
struct Column
{
	std::size_t byte;
	unsigned shift;

	explicit Column(std::uint32_t lane) noexcept : byte(lane % 16), shift(lane / 16 % 2 * 4)
	{
	}

	unsigned
	get(const std::uint8_t *segment) const noexcept
	{
		return segment[byte] >> shift & 15u;
	}

	void
	put(std::uint8_t *segment, unsigned nibble) const noexcept
	{
		segment[byte] = static_cast<std::uint8_t>((segment[byte] & ~(15u << shift)) | nibble << shift);
	}
};

SignFactors
factors(distance::Metric metric, const LaneSums &s) noexcept
{
	const bool inner_product = metric == distance::Metric::inner_product;
	double add = inner_product ? -s.product : s.squares;
	double mul = 0;
	if (s.magnitudes > 0)
	{
		double rho = s.squares / s.magnitudes;
		double coded_add = inner_product ? rho * s.signed_sum - s.product : s.squares + 2 * rho * s.signed_sum;
		double coded_mul = inner_product ? -rho : -2 * rho;
		if (std::fabs(coded_add) <= kGreatest && std::fabs(coded_mul) <= kGreatest)
		{
			add = coded_add;
			mul = coded_mul;
		}
	}
	if (!(std::fabs(add) <= kGreatest))
		add = inner_product ? 0 : kGreatest;
	return {static_cast<float>(add), static_cast<float>(mul)};
}

}  // namespace

SignFactors
encode_lane(distance::Metric metric, const float *u, const float *v, std::size_t n, std::size_t dims,
			std::uint8_t *codes, std::uint32_t lane) noexcept
{
	const distance::Kernels &k = distance::kernels();
	const Column column(lane);
	LaneSums s;
	std::uint8_t signs[kChunk / 8];
	float sums[4];
	for (std::size_t i = 0, length = 0; i < n; i += length)
	{
		const bool coded = i < dims;
		length = std::min(kChunk, (coded ? dims : n) - i);
		k.sign_code(u + i, v + i, length, signs, sums);
		s.squares += sums[0];
		s.product += sums[1];
		if (!coded)
			continue;
		s.magnitudes += sums[2];
		s.signed_sum += sums[3];
		std::uint8_t *segment = codes + i * 4;
		for (std::size_t j = 0; j < length / 8; j++, segment += 32)
		{
			column.put(segment, signs[j] & 15u);
			column.put(segment + 16, signs[j] >> 4);
		}
	}
	return factors(metric, s);
}

void
clear_lane(std::uint8_t *codes, std::size_t dims, std::uint32_t lane) noexcept
{
	const Column column(lane);
	for (std::size_t i = 0; i < sign_block_bytes(dims); i += 16)
		column.put(codes + i, 0);
}

void
copy_lane(const std::uint8_t *source, std::uint32_t from, std::uint8_t *target, std::uint32_t to,
		  std::size_t dims) noexcept
{
	const Column source_column(from), target_column(to);
	for (std::size_t i = 0; i < sign_block_bytes(dims); i += 16)
		target_column.put(target + i, source_column.get(source + i));
}

SignQuery
sign_query(const float *q, std::size_t dims, std::uint8_t *lut, [[maybe_unused]] float *scratch) noexcept
{
	/* Four roundings add at most 2 to an entry, dims of them dims / 2 to the sum. */
	constexpr double kMostEntry = 127 - 2;
	constexpr double kMostSum = 64900;
	constexpr double kLeastStep = 1e-30;  // its reciprocal times any q that is summed is finite

	const distance::Kernels &k = distance::kernels();
	float sums[2];  // the greatest of a segment, all
	k.quad_sums(q, dims, sums);
	SignQuery query = {};
	query.lut = lut;
	query.segments = dims / 4;
	if (!(static_cast<double>(sums[1]) <= kGreatest))
	{
		std::memset(lut, 0, query.segments * 16);
		return query;
	}
	double step = 2.0 * std::max(sums[0] / kMostEntry, sums[1] / (kMostSum - static_cast<double>(dims) / 2));
	query.step = static_cast<float>(std::max(step * (1 + 1e-5), kLeastStep));
	std::uint32_t total = k.sign_lut(q, dims, 2 / query.step, lut);
	query.bias = -0.5f * query.step * static_cast<float>(total);
	return query;
}

}  // namespace vecdb::core::quantizer
