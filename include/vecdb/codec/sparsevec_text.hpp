/* SPDX-License-Identifier: PostgreSQL
 * The text form of a sparse vector, "{1:1.5,3:2}/5": bytes <-> elements. Positions count from 1 in text, from 0 here.
 *
 * Regime: core. Parsing is total: any bytes give elements or a Status, and nothing past the span is read.
 * Keeps:  numbers are read as in vector_text.hpp, save that underflow to 0 is an error. Elements may come in any order,
 *         and those that are 0 are left out.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vecdb/base/status.hpp"
#include "vecdb/codec/float_text.hpp"
#include "vecdb/codec/vector_text.hpp"

namespace vecdb::core::codec
{

constexpr int kMaxSparseElements = 16000;
constexpr std::int32_t kMaxSparseDimensions = 1000000000;

struct SparseElement
{
	std::int32_t index;
	float value;
};

struct ParsedSparsevec
{
	std::int32_t dims;
	int count;
	/* On error: the part of the text that the message quotes. The Status may have cut it, this has all of it. */
	std::string_view quoted;
};

/*
 * Parse text into out, in ascending order. expected_dims: -1 accepts any. Errors: invalid_text (quotes the whole text),
 * out_of_range (quotes the number), invalid_data, limit_exceeded.
 */
Status parse_sparsevec_text(std::span<const char> text, std::int32_t expected_dims,
							std::span<SparseElement, kMaxSparseElements> out, ParsedSparsevec &parsed) noexcept;

/* invalid_data below 1, limit_exceeded above kMaxSparseDimensions. */
Status check_sparse_dimensions(std::int32_t dims) noexcept;

/* invalid_data unless index is within dims and above previous (-1 before the first). */
Status check_sparse_index(std::int32_t index, std::int32_t previous, std::int32_t dims) noexcept;

/* Bytes that hold any sparse vector of count elements as text, with the terminating zero, and what printing sets behind. */
constexpr std::size_t
sparsevec_text_bound(int count) noexcept
{
	constexpr std::size_t kElement = sizeof "2147483648:-1.17549435e-38,", kFrame = sizeof "{}/-2147483648";
	return static_cast<std::size_t>(count) * kElement + kFrame + kFloatTextRoom;
}

/* Print n in decimal; returns the position after it. out: room for 11 bytes, of which those past the text mean nothing. */
char *print_integer(std::int32_t n, char *out) noexcept;

/* Print elements, each with a comma behind it; returns the position after them. */
char *print_sparse_elements(std::span<const std::int32_t> indices, std::span<const float> values, char *out) noexcept;

/*
 * Print a sparse vector to out (sparsevec_text_bound bytes), zero-terminated; returns the length. print_float: as of
 * print_vector_text; it prints where there is no faster way.
 */
template <class PrintFloat>
std::size_t
print_sparsevec_text(std::int32_t dims, std::span<const std::int32_t> indices, std::span<const float> values, char *out,
					 PrintFloat print_float)
{
	char *p = out;
	*p++ = '{';
	if (float_digits_are_fast() && all_finite(values))
		p = print_sparse_elements(indices, values, p);
	else
		for (std::size_t i = 0; i < indices.size(); i++)
		{
			p = print_integer(indices[i] + 1, p);
			*p++ = ':';
			p += print_float(values[i], p);
			*p++ = ',';
		}
	p -= indices.empty() ? 0 : 1;
	*p++ = '}';
	*p++ = '/';
	p = print_integer(dims, p);
	*p = '\0';
	return static_cast<std::size_t>(p - out);
}

}  // namespace vecdb::core::codec
