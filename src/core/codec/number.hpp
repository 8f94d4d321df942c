/* SPDX-License-Identifier: PostgreSQL
 * Numbers in text: one float after strtof's grammar in the C locale, one integer after strtol's.
 *
 * Regime: core. Private to src/core/codec.
 * Why two paths: nearly every number has at most 19 digits and a small exponent. Its double, computed in one multiply
 * or divide, is off by at most a few units in the last place; unless it lies that near to the midpoint of two floats,
 * rounding it to float equals rounding the text. The rest (long, near a midpoint, denormal, hexadecimal) goes to
 * std::from_chars or to parse_hexadecimal.
 * Keeps:  nothing past end is read. Anonymous namespace: each codec inlines its own copy.
 */
#pragma once

#include <algorithm>
#include <bit>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vecdb::core::codec
{
namespace
{

enum class NumberKind : std::uint8_t
{
	finite,
	none,      // no number here
	overflow,  // end is past its last character
	nan,
	infinite,
};

struct Number
{
	NumberKind kind;
	bool underflow;  // finite, and 0 only by rounding
	float value;
	const char *end;
};

/* Each correctly rounded; exact up to 1e22. */
constexpr double kPowersOfTen[] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31,
	1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40, 1e41, 1e42, 1e43, 1e44, 1e45, 1e46, 1e47,
	1e48, 1e49, 1e50, 1e51, 1e52, 1e53, 1e54, 1e55, 1e56, 1e57, 1e58, 1e59, 1e60, 1e61, 1e62, 1e63,
};
constexpr int kMaxPowerOfTen = 63;

/* Exponents in the text saturate here: far out of any float's range, far inside int. */
constexpr int kExponentCap = 1000000;

constexpr bool
is_space(char c) noexcept
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

constexpr unsigned
digit(char c) noexcept
{
	return static_cast<unsigned>(static_cast<unsigned char>(c)) - '0';
}

constexpr int
hexadecimal_digit(char c) noexcept
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Eight characters at once: true when all are digits, and then value holds them (Lemire, "Number parsing at a
 * gigabyte per second", Software: Practice and Experience 51, 2021, section 7). Little-endian only.
 */
bool
eight_digits(const char *p, std::uint32_t &value) noexcept
{
	std::uint64_t chars;
	std::memcpy(&chars, p, sizeof chars);
	std::uint64_t digits = chars - 0x3030303030303030u;
	if (((chars + 0x4646464646464646u) | digits) & 0x8080808080808080u)
		return false;
	digits = digits * 10 + (digits >> 8);
	digits = ((digits & 0x000000ff000000ffu) * 0x000f424000000064u +
			  ((digits >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u) >>
			 32;
	value = static_cast<std::uint32_t>(digits);
	return true;
}

/* Appends the digits from p on to mantissa (modulo 2^64); returns the position after them. */
const char *
parse_digits(const char *p, const char *end, std::uint64_t &mantissa) noexcept
{
	if constexpr (std::endian::native == std::endian::little)
	{
		std::uint32_t eight;
		while (end - p >= 8 && eight_digits(p, eight))
		{
			mantissa = mantissa * 100000000 + eight;
			p += 8;
		}
	}
	for (; p != end && digit(*p) <= 9; p++)
		mantissa = mantissa * 10 + digit(*p);
	return p;
}

const char *
skip_spaces(const char *p, const char *end) noexcept
{
	while (p != end && is_space(*p))
		p++;
	return p;
}

/* word: lower case. */
bool
starts_with_word(const char *p, const char *end, const char *word) noexcept
{
	for (; *word != '\0'; p++, word++)
	{
		if (p == end || (*p | 0x20) != *word)
			return false;
	}
	return true;
}

/*
 * The exponent after its letter, at p: sets exponent and returns the position after it, or returns letter (and
 * exponent 0) when there is no digit, since then the letter does not belong to the number.
 */
const char *
parse_exponent(const char *letter, const char *end, int &exponent) noexcept
{
	exponent = 0;
	const char *p = letter + 1;
	bool negative = false;
	if (p != end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	if (p == end || digit(*p) > 9)
		return letter;
	for (; p != end && digit(*p) <= 9; p++)
		exponent = std::min(exponent * 10 + static_cast<int>(digit(*p)), kExponentCap);
	if (negative)
		exponent = -exponent;
	return p;
}

/* mantissa * 2^exponent (any bits below were dropped when sticky), rounded once. Infinite where it overflows. */
float
round_binary(std::uint64_t mantissa, long exponent, bool sticky) noexcept
{
	if (mantissa == 0)
		return 0.0f;
	int shift = std::countl_zero(mantissa);
	mantissa <<= shift;
	exponent -= shift;
	long lowest = std::max(exponent + 40, -149L);  // exponent of the float's last bit: 24 bits, fewer for denormals
	long drop = lowest - exponent;                 // 40 or more
	if (lowest > 127 - 23)
		return INFINITY;
	if (drop > 64)
		return 0.0f;
	std::uint64_t kept = drop == 64 ? 0 : mantissa >> drop;
	std::uint64_t half = std::uint64_t{1} << (drop - 1);
	std::uint64_t rest = mantissa & (half | (half - 1));
	if (rest > half || (rest == half && (sticky || (kept & 1) != 0)))
		kept++;
	return std::ldexp(static_cast<float>(kept), static_cast<int>(lowest));
}

/* p: after "0x". Kind none when no hexadecimal digit follows. */
Number
parse_hexadecimal(const char *p, const char *end, bool negative) noexcept
{
	std::uint64_t mantissa = 0;
	long exponent = 0;
	bool sticky = false;
	bool any = false;
	bool point = false;
	for (; p != end; p++)
	{
		if (*p == '.' && !point)
		{
			point = true;
			continue;
		}
		int value = hexadecimal_digit(*p);
		if (value < 0)
			break;
		any = true;
		if (mantissa >> 60 == 0)
		{
			mantissa = mantissa * 16 + static_cast<unsigned>(value);
			exponent -= point ? 4 : 0;
		}
		else
		{
			sticky = sticky || value != 0;
			exponent += point ? 0 : 4;
		}
	}
	if (!any)
		return Number{NumberKind::none, false, 0.0f, p};
	if (p != end && (*p | 0x20) == 'p')
	{
		int binary_exponent;
		p = parse_exponent(p, end, binary_exponent);
		exponent += binary_exponent;
	}
	float value = round_binary(mantissa, exponent, sticky);
	if (std::isinf(value))
		return Number{NumberKind::overflow, false, value, p};
	return Number{NumberKind::finite, value == 0.0f && mantissa != 0, negative ? -value : value, p};
}

/* p: at the first digit or point of a decimal number other than 0 that is well-formed up to end_of_number. */
Number
parse_decimal_exactly(const char *p, const char *end_of_number, bool negative, bool above_one) noexcept
{
	float value = 0.0f;
	std::from_chars_result result = std::from_chars(p, end_of_number, value);
	if (result.ec == std::errc::result_out_of_range)
	{
		if (above_one)
			return Number{NumberKind::overflow, false, value, end_of_number};
		value = 0.0f;
	}
	else if (std::isinf(value))
		return Number{NumberKind::overflow, false, value, end_of_number};
	return Number{NumberKind::finite, value == 0.0f, negative ? -value : value, end_of_number};
}

Number
parse_special(const char *p, const char *end) noexcept
{
	if (starts_with_word(p, end, "inf"))
		return Number{NumberKind::infinite, false, 0.0f, p};
	if (starts_with_word(p, end, "nan"))
		return Number{NumberKind::nan, false, 0.0f, p};
	return Number{NumberKind::none, false, 0.0f, p};
}

Number
parse_number(const char *p, const char *end) noexcept
{
	bool negative = false;
	if (p != end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	const char *start = p;

	std::uint64_t mantissa = 0;
	for (; p != end && digit(*p) <= 9; p++)
		mantissa = mantissa * 10 + digit(*p);
	std::ptrdiff_t integer_digits = p - start;
	std::ptrdiff_t fraction_digits = 0;
	if (p != end && *p == '.')
	{
		const char *fraction = ++p;
		p = parse_digits(p, end, mantissa);
		fraction_digits = p - fraction;
	}
	if (integer_digits + fraction_digits == 0)
		return parse_special(start, end);

	int exponent = 0;
	if (p != end)
	{
		char next = static_cast<char>(*p | 0x20);
		if (next == 'e')
			p = parse_exponent(p, end, exponent);
		else if (next == 'x' && p == start + 1 && *start == '0')
		{
			Number number = parse_hexadecimal(p + 1, end, negative);
			if (number.kind != NumberKind::none)
				return number;
		}
	}

	/* 19 digits always fit 64 bits; zeros in front do not count. */
	std::ptrdiff_t power = exponent - fraction_digits;
	std::ptrdiff_t digits = integer_digits + fraction_digits;
	std::ptrdiff_t leading = integer_digits;  // where the first digit that is not 0 stands, seen from the point
	if (digits > 19)
	{
		for (const char *q = start; q != p && (*q == '0' || *q == '.'); q++)
			leading -= *q == '0' ? 1 : 0;
		digits -= integer_digits - leading;
	}
	if (digits <= 19)
	{
		if (mantissa == 0)
			return Number{NumberKind::finite, false, negative ? -0.0f : 0.0f, p};
		if (power >= -kMaxPowerOfTen && power <= kMaxPowerOfTen)
		{
			double value = static_cast<double>(mantissa);
			value = power < 0 ? value / kPowersOfTen[-power] : value * kPowersOfTen[power];
			/* Three roundings: under 4 units. The 29 bits that a float drops must keep clear of their half. */
			std::uint32_t dropped = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(value) & 0x1fffffffu);
			if (value >= static_cast<double>(FLT_MIN) && value <= static_cast<double>(FLT_MAX) &&
				dropped - (0x10000000u - 8) > 16)
				return Number{NumberKind::finite, false, static_cast<float>(negative ? -value : value), p};
		}
	}

	return parse_decimal_exactly(start, p, negative, leading + exponent > 0);
}

/*
 * A whole number, strtol's grammar at base 10, cut to the range of an int. Returns p where there is none, else the
 * position after it.
 */
inline const char *
parse_integer(const char *p, const char *end, std::int32_t &value) noexcept
{
	const char *start = p;
	bool negative = false;
	if (p != end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	if (p == end || digit(*p) > 9)
		return start;
	std::int64_t magnitude = 0;
	for (; p != end && digit(*p) <= 9; p++)
		magnitude = std::min<std::int64_t>(magnitude * 10 + static_cast<std::int64_t>(digit(*p)), INT64_C(1) << 32);
	constexpr std::int64_t kLeast = INT32_MIN, kGreatest = INT32_MAX;
	value = static_cast<std::int32_t>(std::clamp(negative ? -magnitude : magnitude, kLeast, kGreatest));
	return p;
}

}  // namespace
}  // namespace vecdb::core::codec
