/* SPDX-License-Identifier: PostgreSQL
 * Parse the text form of a vector.
 *
 * Regime: core.
 * Why two paths: nearly every number has at most 19 digits and a small exponent. Its double, computed in one multiply
 * or divide, is off by at most a few units in the last place; unless it lies that near to the midpoint of two floats,
 * rounding it to float equals rounding the text. The rest (long, near a midpoint, denormal, hexadecimal) goes to
 * std::from_chars or to parse_hexadecimal.
 */
#include "vecdb/codec/vector_text.hpp"

#include <algorithm>
#include <cfloat>
#include <charconv>
#include <cmath>
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
		return Number{NumberKind::none, 0.0f, p};
	if (p != end && (*p | 0x20) == 'p')
	{
		int binary_exponent;
		p = parse_exponent(p, end, binary_exponent);
		exponent += binary_exponent;
	}
	float value = round_binary(mantissa, exponent, sticky);
	if (std::isinf(value))
		return Number{NumberKind::overflow, value, p};
	return Number{NumberKind::finite, negative ? -value : value, p};
}

/* p: at the first digit or point of a decimal number that is well-formed up to end_of_number. */
Number
parse_decimal_exactly(const char *p, const char *end_of_number, bool negative, bool above_one) noexcept
{
	float value = 0.0f;
	std::from_chars_result result = std::from_chars(p, end_of_number, value);
	if (result.ec == std::errc::result_out_of_range)
	{
		if (above_one)
			return Number{NumberKind::overflow, value, end_of_number};
		value = 0.0f;
	}
	else if (std::isinf(value))
		return Number{NumberKind::overflow, value, end_of_number};
	return Number{NumberKind::finite, negative ? -value : value, end_of_number};
}

Number
parse_special(const char *p, const char *end) noexcept
{
	if (starts_with_word(p, end, "inf"))
		return Number{NumberKind::infinite, 0.0f, p};
	if (starts_with_word(p, end, "nan"))
		return Number{NumberKind::nan, 0.0f, p};
	return Number{NumberKind::none, 0.0f, p};
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
			return Number{NumberKind::finite, negative ? -0.0f : 0.0f, p};
		if (power >= -kMaxPowerOfTen && power <= kMaxPowerOfTen)
		{
			double value = static_cast<double>(mantissa);
			value = power < 0 ? value / kPowersOfTen[-power] : value * kPowersOfTen[power];
			/* Three roundings: under 4 units. The 29 bits that a float drops must keep clear of their half. */
			std::uint32_t dropped = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(value) & 0x1fffffffu);
			if (value >= static_cast<double>(FLT_MIN) && value <= static_cast<double>(FLT_MAX) &&
				dropped - (0x10000000u - 8) > 16)
				return Number{NumberKind::finite, static_cast<float>(negative ? -value : value), p};
		}
	}

	return parse_decimal_exactly(start, p, negative, leading + exponent > 0);
}

Status
syntax_error(std::span<const char> text, ParsedVector &parsed, const TextType &type) noexcept
{
	parsed.quoted = std::string_view(text.data(), text.size());
	return Status::error(Code::invalid_text, "invalid input syntax for type %s: \"%.*s\"", type.name,
						 static_cast<int>(std::min<std::size_t>(text.size(), sizeof(Status::message))), text.data());
}

Status
number_error(NumberKind kind, std::span<const char> text, const char *begin, const char *end, ParsedVector &parsed,
			 const TextType &type) noexcept
{
	switch (kind)
	{
		case NumberKind::overflow:
			parsed.quoted = std::string_view(begin, static_cast<std::size_t>(end - begin));
			return Status::error(Code::out_of_range, "\"%.*s\" is out of range for type %s",
								 static_cast<int>(std::min<std::size_t>(parsed.quoted.size(), sizeof(Status::message))),
								 begin, type.name);
		case NumberKind::nan: return Status::error(Code::invalid_data, "NaN not allowed in %s", type.name);
		case NumberKind::infinite:
			return Status::error(Code::invalid_data, "infinite value not allowed in %s", type.name);
		case NumberKind::finite:
		case NumberKind::none: break;
	}
	return syntax_error(text, parsed, type);
}

}  // namespace

Status
parse_vector_text(std::span<const char> text, std::span<float, kMaxVectorElements> out, ParsedVector &parsed,
				  const TextType &type) noexcept
{
	parsed = ParsedVector{0, {}};
	const char *end = text.data() + text.size();
	const char *p = skip_spaces(text.data(), end);
	if (p == end || *p != '[')
		return syntax_error(text, parsed, type).with_detail("Vector contents must start with \"[\".");
	p = skip_spaces(p + 1, end);
	if (p != end && *p == ']')
		return Status::error(Code::invalid_data, "%s must have at least 1 dimension", type.name);

	float *x = out.data();
	int dims = 0;
	for (;;)
	{
		if (dims == kMaxVectorElements)
			return Status::error(Code::limit_exceeded, "%s cannot have more than %d dimensions", type.name,
								 kMaxVectorElements);
		p = skip_spaces(p, end);
		Number number = parse_number(p, end);
		if (std::fabs(number.value) >= type.overflow && number.kind == NumberKind::finite)
			number.kind = NumberKind::overflow;
		if (number.kind != NumberKind::finite)
			return number_error(number.kind, text, p, number.end, parsed, type);
		x[dims++] = number.value;
		p = number.end;
		if (p != end && *p == ',')
		{
			p++;
			continue;
		}
		p = skip_spaces(p, end);
		if (p == end || (*p != ',' && *p != ']'))
			return syntax_error(text, parsed, type);
		if (*p++ == ']')
			break;
	}
	if (skip_spaces(p, end) != end)
		return syntax_error(text, parsed, type).with_detail("Junk after closing right brace.");
	parsed.dims = dims;
	return Status::success();
}

Status
check_finite(std::span<const float> x, const char *type) noexcept
{
	if (all_finite(x))
		return Status::success();
	for (float value : x)
	{
		if (std::isnan(value))
			return Status::error(Code::invalid_data, "NaN not allowed in %s", type);
		if (std::isinf(value))
			break;
	}
	return Status::error(Code::invalid_data, "infinite value not allowed in %s", type);
}

}  // namespace vecdb::core::codec
