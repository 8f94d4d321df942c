/* SPDX-License-Identifier: PostgreSQL
 * The binary wire form of a vector: int16 dimensions, int16 unused (0), then float32 elements (halfvec: halves), all big-endian.
 *
 * Regime: core. Decoding is total: any bytes give floats or a Status, and nothing past the span is read.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vecdb/base/status.hpp"

namespace vecdb::core::codec
{

constexpr std::size_t kVectorWireHeaderBytes = 4;

/* expected_dims: -1 accepts any. Sets dims (1 .. kMaxVectorElements) on success. type: as messages name it. */
Status decode_vector_wire_header(std::span<const std::uint8_t> bytes, int expected_dims, int &dims,
								 const char *type = "vector") noexcept;

/* out holds kVectorWireHeaderBytes or more. */
void encode_vector_wire_header(std::size_t dims, std::uint16_t unused, std::span<std::uint8_t> out) noexcept;

/* bytes holds out.size() elements or more. Refuses NaN and infinity. */
Status decode_vector_wire_elements(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept;

/* out holds kVectorWireHeaderBytes + 4 * x.size() bytes. */
void encode_vector_wire(std::span<const float> x, std::uint16_t unused, std::span<std::uint8_t> out) noexcept;

/* The same for type halfvec, whose elements are halves. */
Status decode_halfvec_wire_elements(std::span<const std::uint8_t> bytes, std::span<std::uint16_t> out) noexcept;
void encode_halfvec_wire(std::span<const std::uint16_t> x, std::uint16_t unused, std::span<std::uint8_t> out) noexcept;

/* As check_finite. */
Status check_finite_halves(std::span<const std::uint16_t> x) noexcept;

}  // namespace vecdb::core::codec
