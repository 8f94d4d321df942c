/* SPDX-License-Identifier: PostgreSQL
 * Half-precision floats (IEEE 754 binary16), one value at a time. Many values: Kernels::f32_to_f16, f16_to_f32.
 *
 * Regime: core. Not for files built with ISA flags (inline functions; see src/core/distance/simd.hpp).
 */
#pragma once

#include <cstdint>
#include <cstring>

namespace vecdb::core
{

constexpr float kGreatestHalf = 65504.0f;
constexpr std::uint16_t kHalfInfinity = 0x7c00;

/* Nearest half, ties to even. Beyond the range, infinity included: +-kGreatestHalf. NaN stays NaN, quiet. */
inline std::uint16_t
half_from_float(float x) noexcept
{
	std::uint32_t bits;
	std::memcpy(&bits, &x, sizeof bits);
	const std::uint32_t sign = bits >> 16 & 0x8000;
	std::uint32_t magnitude = bits & 0x7fffffff;
	std::uint32_t half;
	if (magnitude > 0x7f800000)
		half = 0x7e00 | (magnitude >> 13 & 0x3ff);
	else if (magnitude >= 0x477fe000)  // 65504
		half = 0x7bff;
	else if (magnitude < 0x38800000)  // 2^-14: a multiple of 2^-24, which is the unit in the last place of 1/2
	{
		float shifted;
		std::memcpy(&shifted, &magnitude, sizeof shifted);
		shifted += 0.5f;
		std::memcpy(&half, &shifted, sizeof half);
		half -= 0x3f000000;
	}
	else
	{
		magnitude -= 112u << 23;  // the exponent's bias, 127 to 15
		half = (magnitude + 0xfff + (magnitude >> 13 & 1)) >> 13;
	}
	return static_cast<std::uint16_t>(sign | half);
}

inline float
half_to_float(std::uint16_t half) noexcept
{
	const std::uint32_t sign = (half & 0x8000u) << 16;
	const std::uint32_t magnitude = half & 0x7fffu;
	std::uint32_t bits;
	if (magnitude >= 0x7c00)
		bits = 0x7f800000 | (magnitude & 0x3ff) << 13 | (magnitude > 0x7c00 ? 0x400000u : 0u);
	else if (magnitude >= 0x0400)
		bits = (magnitude << 13) + (112u << 23);
	else
	{
		float tiny = static_cast<float>(magnitude) * 0x1p-24f;
		std::memcpy(&bits, &tiny, sizeof bits);
	}
	bits |= sign;
	float x;
	std::memcpy(&x, &bits, sizeof x);
	return x;
}

}  // namespace vecdb::core
