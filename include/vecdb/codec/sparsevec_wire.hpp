/* SPDX-License-Identifier: PostgreSQL
 * The binary wire form of a sparse vector: int32 dimensions, int32 count, int32 unused (0), then all int32 indices (from 0),
 * then all float32 values; big-endian.
 *
 * Regime: core. Decoding is total: any bytes give elements or a Status, and nothing past the span is read.
 * Keeps:  strict: ascending indices, no value that is 0.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vecdb/base/status.hpp"

namespace vecdb::core::codec
{

constexpr std::size_t kSparsevecWireHeaderBytes = 12;

/* expected_dims: -1 accepts any. Sets dims and count on success. */
Status decode_sparsevec_wire_header(std::span<const std::uint8_t> bytes, std::int32_t expected_dims, std::int32_t &dims,
									int &count) noexcept;

/* bytes holds 4 bytes or more for each of out. */
Status decode_sparsevec_wire_indices(std::span<const std::uint8_t> bytes, std::int32_t dims,
									 std::span<std::int32_t> out) noexcept;
Status decode_sparsevec_wire_values(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept;

/* out holds kSparsevecWireHeaderBytes + 8 * indices.size() bytes. */
void encode_sparsevec_wire(std::int32_t dims, std::int32_t unused, std::span<const std::int32_t> indices,
						   std::span<const float> values, std::span<std::uint8_t> out) noexcept;

/* As check_finite. */
Status check_sparse_values(std::span<const float> values) noexcept;

}  // namespace vecdb::core::codec
