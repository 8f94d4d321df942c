/* SPDX-License-Identifier: PostgreSQL
 * SQ8: scale, codes and hard error bounds. The loops over elements are kernels (distance/).
 *
 * Regime: core.
 * Keeps:  error and refined_error cover three things: the distance from v to the ideal decoded values
 *         (measured in double), the rounding of that measurement, and the float arithmetic with which any
 *         kernel decodes. What a distance kernel rounds while summing is the caller's.
 */
#include "vecdb/quantizer/scalar.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::quantizer
{
namespace
{

constexpr float kLeastScale = 1e-30f;  // its reciprocal and its 255th part are normal floats

/* Decoded values stay inside, with room for half a step below and the rounding of any kernel: none can decode
 * to infinity. What is cut off counts as error like everything else. */
constexpr float kGreatestValue = 3.3e38f;

float
round_up(double x) noexcept
{
	float f = static_cast<float>(x);
	return static_cast<double>(f) < x ? std::nextafter(f, std::numeric_limits<float>::infinity()) : f;
}

/* Bound of |float decode - ideal decode| of one element, whichever kernel decodes. With u = 2^-24, largest
 * |decoded value| m and range r, the worst form (16 bits, no fused multiply-add) rounds the middle (u m), the
 * step and the product (u r / 2 each) and the sum (u m); with fused multiply-add the bias (u (m + scale)),
 * the step (u r) and the sum (u m). One least float stands for results below the normal range. */
double
decode_rounding(double scale, double bias) noexcept
{
	double range = 256.0 * scale;
	double largest = std::max(std::fabs(bias), std::fabs(bias + range)) + scale;
	return 0x1p-24 * 1.01 * (2.0 * largest + range) +
		   4.0 * static_cast<double>(std::numeric_limits<float>::denorm_min());
}

/* The norm from the kernel's sum, with the margins. */
float
error_bound(double sum, std::size_t n, double rounding, ErrorNorm norm) noexcept
{
	/* 1e-9: n roundings of 2^-53 relative, n <= 2^20. The absolute error of each measured element, 2^-51 m, is
	 * far below the slack of decode_rounding. */
	double count = static_cast<double>(n);
	if (norm == ErrorNorm::absolute_sum)
		return round_up(sum * (1.0 + 1e-9) + count * rounding);
	return round_up(std::sqrt(sum) * (1.0 + 1e-9) + std::sqrt(count) * rounding);
}

}  // namespace

Sq8
sq8_encode(const float *v, std::size_t n, ErrorNorm norm, std::uint8_t *code, std::uint8_t *residual) noexcept
{
	const distance::Kernels &k = distance::kernels();
	float ends[2];
	k.min_max(v, n, ends);

	Sq8 s = {};
	s.bias = std::clamp(ends[0], -kGreatestValue, kGreatestValue);
	/* In double: the range may exceed the greatest float. */
	double range = static_cast<double>(std::clamp(ends[1], -kGreatestValue, kGreatestValue)) - s.bias;
	s.scale = std::max(static_cast<float>(range / 255.0), kLeastScale);

	double sums[3];
	k.encode(v, n, s.scale, s.bias, norm == ErrorNorm::absolute_sum, code, residual, sums);
	double rounding = decode_rounding(s.scale, s.bias);
	s.norm2 = static_cast<float>(sums[0]);
	s.error = error_bound(sums[1], n, rounding, norm);
	s.refined_error = residual != nullptr ? error_bound(sums[2], n, rounding, norm) : s.error;
	return s;
}

void
sq8_decode(const Sq8 &s, const std::uint8_t *code, const std::uint8_t *residual, std::size_t n, float *out) noexcept
{
	distance::kernels().decode(code, residual, s.scale, s.bias, n, out);
}

Sq8Query
sq8_query(const float *q, std::size_t n, std::int16_t *codes) noexcept
{
	constexpr float kMostCode = 16383.0f;
	constexpr float kLeastStep = 1e-37f;  // its reciprocal and 16383 times that are finite
	/* 255 * sum |codes| < 2^31; rounding adds at most 1/2 a code, the arithmetic far less than 1e-4 of it. */
	constexpr double kMostSum = 2147483647.0 / 255.0;

	const distance::Kernels &k = distance::kernels();
	double of[4];  // greatest magnitude, sum, sum of magnitudes, sum of squares
	k.summarize(q, n, of);

	double room = (kMostSum - static_cast<double>(n)) * (1.0 - 1e-4);
	Sq8Query query = {};
	query.q = q;
	query.codes = codes;
	query.step = std::max({static_cast<float>(of[0]) / kMostCode, static_cast<float>(of[2] / room), kLeastStep});
	query.sum = static_cast<float>(of[1]);
	query.norm2 = static_cast<float>(of[3]);
	query.n = n;
	k.quantize_i16(q, n, 1.0f / query.step, codes);
	return query;
}

}  // namespace vecdb::core::quantizer
