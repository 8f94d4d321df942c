/* SPDX-License-Identifier: PostgreSQL
 * The text form of an int8vec, "[1,-2,127]", and its binary wire form: the header of vector_wire.hpp, then a byte an
 * element.
 *
 * Regime: core. Parsing is total: any bytes give elements or a Status, and nothing past the span is read.
 * Keeps:  an element is an optional sign and decimal digits, -128 to 127; "1.0" and "1e1" are no integers.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vecdb/base/status.hpp"
#include "vecdb/codec/vector_text.hpp"

namespace vecdb::core::codec
{

/* Parse text into out. Errors as parse_vector_text, which see for parsed. */
Status parse_int8vec_text(std::span<const char> text, std::span<std::int8_t, kMaxVectorElements> out,
						  ParsedVector &parsed) noexcept;

/* Bytes that hold any int8vec of dims elements as text, with the terminating zero: "-128," is the longest. */
constexpr std::size_t
int8vec_text_bound(int dims) noexcept
{
	return static_cast<std::size_t>(dims) * 5 + 3;
}

/* Print x to out (int8vec_text_bound bytes), zero-terminated; returns the length. */
std::size_t print_int8vec_text(std::span<const std::int8_t> x, char *out) noexcept;

/* bytes holds out.size() elements or more. */
Status decode_int8vec_wire_elements(std::span<const std::uint8_t> bytes, std::span<std::int8_t> out) noexcept;

/* out holds kVectorWireHeaderBytes + x.size() bytes. */
void encode_int8vec_wire(std::span<const std::int8_t> x, std::uint16_t unused, std::span<std::uint8_t> out) noexcept;

}  // namespace vecdb::core::codec
