/* SPDX-License-Identifier: PostgreSQL
 * SQ8: one scale and bias a vector, 8 bits an element, and an optional second plane of 8 bits that
 * codes the residual of the first (255 steps inside one step).
 *
 * Regime: core. Errors are measured on the vector given, in double, and rounded up, so that
 * |distance(q, v) - distance(q, decoded v)| <= error holds as a hard triangle bound for L2 (Euclidean
 * norm of the error) and L1 (sum of absolute errors).
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace vecdb::core::quantizer
{

enum class ErrorNorm : std::uint8_t
{
	euclidean,
	absolute_sum,
};

struct Sq8
{
	float scale;          // > 0 (1e-30 for a constant vector)
	float bias;           // decoded element = bias + scale * code
	float norm2;          // squared Euclidean norm of the decoded 8-bit vector
	float error;          // norm of v - decoded 8-bit vector, rounded up
	float refined_error;  // norm of v - decoded 16-bit vector, rounded up; equals error without residual
};

/* code: n bytes. residual: n bytes, or null to leave the second plane out. n: a multiple of 16. v: finite. */
Sq8 sq8_encode(const float *v, std::size_t n, ErrorNorm norm, std::uint8_t *code, std::uint8_t *residual) noexcept;

/* out: n floats. residual may be null. */
void sq8_decode(const Sq8 &s, const std::uint8_t *code, const std::uint8_t *residual, std::size_t n,
				float *out) noexcept;

/* A query as the integer kernels want it. */
struct Sq8Query
{
	const float *q;       // n floats, rotated
	std::int16_t *codes;  // n, storage of the caller
	float step;           // q[i] ~ step * codes[i]
	float sum;            // sum q[i]
	float norm2;          // sum q[i]^2
	std::size_t n;
};

/* codes must hold n int16. Keeps |codes| <= 16383 and 255 * sum |codes| < 2^31. */
Sq8Query sq8_query(const float *q, std::size_t n, std::int16_t *codes) noexcept;

}  // namespace vecdb::core::quantizer
