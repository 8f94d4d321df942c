/* SPDX-License-Identifier: PostgreSQL
 * A random orthogonal map in O(n log n): four rounds of sign flips, a Hadamard transform on a
 * power-of-two part (first part in even rounds, last part in odd ones) and, where the length is no
 * power of two, 45-degree Givens butterflies between the halves.
 *
 * Regime: core. State is only (n, seed), so that an index stores 8 bytes; the sign words are
 * expanded into memory of the caller.
 * Source: the fast Johnson-Lindenstrauss construction (Ailon, Chazelle 2009) with Kac-walk rounds, as in
 * the RaBitQ library's description.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::quantizer
{

/* Dimensions as stored in codes: rounded up to a multiple of 16. */
inline std::size_t
padded_dimensions(std::size_t dimensions) noexcept
{
	return (dimensions + 15) / 16 * 16;
}

struct Rotation
{
	std::size_t n;               // padded dimensions, a multiple of 16
	std::size_t w;               // largest power of two <= n
	const std::uint32_t *signs;  // 4 * n words, each 0 or 0x80000000
};

/* signs must hold 4 * n words and outlive the Rotation. n: a multiple of 16, at least 16. */
Rotation rotation_init(std::size_t n, std::uint64_t seed, std::uint32_t *signs) noexcept;

/* In place; x has r.n elements, those past the vector's own dimensions 0. Keeps the norm to 1e-6. */
inline void
rotate(const Rotation &r, float *x) noexcept
{
	distance::kernels().rotate(x, r.n, r.w, r.signs);
}

}  // namespace vecdb::core::quantizer
