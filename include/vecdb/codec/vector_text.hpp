/* SPDX-License-Identifier: PostgreSQL
 * The text form of a vector, "[1,2,3]": bytes <-> floats.
 *
 * Regime: core. Parsing is total: any bytes give floats or a Status, and nothing past the span is read.
 * Keeps:  one rounding (to nearest, ties to even), whatever the length of a number; the grammar is strtof's in the
 *         C locale, hexadecimal included. Underflow gives a denormal or a signed zero, overflow is an error.
 */
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "vecdb/base/status.hpp"

namespace vecdb::core::codec
{

constexpr int kMaxVectorElements = 16000;

/* The SQL type whose text is read: its name in messages, and the magnitude from which its elements overflow. */
struct TextType
{
	const char *name;
	float overflow;
};
constexpr TextType kVectorText = {"vector", std::numeric_limits<float>::infinity()};
constexpr TextType kHalfvecText = {"halfvec", 65520.0f};  // what rounds to a half that is infinite

struct ParsedVector
{
	int dims;
	/* On error: the part of the text that the message quotes. The Status may have cut it, this has all of it. */
	std::string_view quoted;
};

/*
 * Parse text into out. Errors: invalid_text (quotes the whole text), out_of_range (quotes the number),
 * invalid_data (NaN, infinity, no element), limit_exceeded.
 */
Status parse_vector_text(std::span<const char> text, std::span<float, kMaxVectorElements> out, ParsedVector &parsed,
						 const TextType &type = kVectorText) noexcept;

/* invalid_data when an element is NaN or infinite; the first one decides the message. type: as the message names it. */
Status check_finite(std::span<const float> x, const char *type = "vector") noexcept;

/* True when every element is finite. Branch-free, so that it vectorises. */
inline bool
all_finite(std::span<const float> x) noexcept
{
	constexpr std::uint32_t kExponent = 0x7f800000u;
	std::uint32_t special = 0;
	for (float value : x)
		special |= (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1u : 0u;
	return special == 0;
}

/* Bytes that hold any vector of dims elements as text, with the terminating zero: "-1.17549435e-38," is the longest. */
constexpr std::size_t
vector_text_bound(int dims) noexcept
{
	return static_cast<std::size_t>(dims) * 16 + 3;
}

/*
 * Print x to out (vector_text_bound bytes), zero-terminated; returns the length. print_float(value, out) writes at
 * most 15 bytes and returns how many: the shell passes PostgreSQL's shortest printer, whose choice between fixed and
 * scientific form std::to_chars does not share.
 */
template <class PrintFloat>
std::size_t
print_vector_text(std::span<const float> x, char *out, PrintFloat print_float)
{
	char *p = out;
	*p++ = '[';
	for (std::size_t i = 0; i < x.size(); i++)
	{
		if (i > 0)
			*p++ = ',';
		p += print_float(x[i], p);
	}
	*p++ = ']';
	*p = '\0';
	return static_cast<std::size_t>(p - out);
}

}  // namespace vecdb::core::codec
