/* SPDX-License-Identifier: PostgreSQL
 * The shortest text of floats, many at once, in the very form that PostgreSQL prints them in.
 *
 * Regime: core.
 * Keeps:  equal to PostgreSQL's float_to_shortest_decimal for every finite float: the shortest digits strictly inside the
 *         interval that rounds to the value, of those the nearest; fixed from 1e-4 to below 1e6, else scientific.
 */
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vecdb::core::codec
{

/* Numbers that are turned into digits at a time. */
constexpr std::size_t kTextBlock = 16;

/* What a number may write to, text and what comes after it that means nothing. */
constexpr std::size_t kFloatTextRoom = 24;

/* Nine digits of each: the first, then two words of four, a byte a digit, the first in the lowest byte; zeros behind. */
struct FloatDigits
{
	std::uint32_t left[kTextBlock], right[kTextBlock];
	std::int32_t first[kTextBlock], exponent[kTextBlock];  // exponent: of the first digit
};

/* Ten digits of each: the number that the first two are, then two words as above. */
struct IntegerDigits
{
	std::uint32_t top[kTextBlock], left[kTextBlock], right[kTextBlock];
};

/* True where float_digits takes less time than printing one by one: where the compiler had wide registers for it. */
bool float_digits_are_fast() noexcept;

/* Of kTextBlock floats, at any alignment. Those that are 0, infinite or NaN get digits without meaning. */
void float_digits(const float *x, FloatDigits &out) noexcept;

/* Of kTextBlock numbers plus 1, none below -1. */
void successor_digits(const std::int32_t *n, IntegerDigits &out) noexcept;

constexpr std::uint64_t kEightZeros = UINT64_C(0x3030303030303030);

/* The characters in the bytes of chars, lowest first. */
inline void
put_eight(char *out, std::uint64_t chars) noexcept
{
	if constexpr (std::endian::native == std::endian::big)
		chars = __builtin_bswap64(chars);
	std::memcpy(out, &chars, sizeof chars);
}

/* The i-th of d, which is finite; returns the position after it. */
inline char *
put_float(char *out, float x, const FloatDigits &d, std::size_t i) noexcept
{
	*out = '-';
	out += std::bit_cast<std::uint32_t>(x) >> 31;
	if (x == 0.0f)
	{
		*out++ = '0';
		return out;
	}
	std::uint64_t rest = static_cast<std::uint64_t>(d.right[i]) << 32 | d.left[i];
	int digits = 9 - std::countl_zero(rest) / 8;
	int exponent = d.exponent[i];
	char first = static_cast<char>('0' + d.first[i]);
	rest += kEightZeros;
	if (exponent >= -4 && exponent < 6)
	{
		/* Zeros in front where it is below 1; the point stands behind the first `whole`; what follows is set once more,
		 * one place on. Without asking which of the two it is: that varies from element to element. */
		int small = exponent >> 31;
		int zeros = -exponent & small, past = exponent & ~small;
		int start = zeros - small, whole = 1 + past;
		put_eight(out, UINT64_C(0x3030303030303030));
		out[start] = first;
		put_eight(out + start + 1, rest);
		digits += zeros;
		out[whole] = digits > whole ? '.' : '0';
		put_eight(out + 2 + zeros + past, rest >> (8 * past));
		return out + (digits > whole ? digits + 1 : whole);
	}
	out[0] = first;
	out[1] = '.';
	put_eight(out + 2, rest);
	out += digits == 1 ? 1 : digits + 1;
	int magnitude = exponent < 0 ? -exponent : exponent;
	out[0] = 'e';
	out[1] = exponent < 0 ? '-' : '+';
	out[2] = static_cast<char>('0' + magnitude / 10);
	out[3] = static_cast<char>('0' + magnitude % 10);
	return out + 4;
}

/* The i-th of d. */
inline char *
put_integer(char *out, const IntegerDigits &d, std::size_t i) noexcept
{
	std::uint64_t digits = static_cast<std::uint64_t>(d.right[i]) << 32 | d.left[i];
	int leading = 0;
	if (d.top[i] == 0)
		leading = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;
	else
	{
		if (d.top[i] >= 10)
			*out++ = static_cast<char>('0' + d.top[i] / 10);
		*out++ = static_cast<char>('0' + d.top[i] % 10);
	}
	put_eight(out, (digits + kEightZeros) >> (8 * leading));
	return out + (8 - leading);
}

}  // namespace vecdb::core::codec
