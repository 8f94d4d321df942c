/* SPDX-License-Identifier: PostgreSQL
 * A sparse vector as a short dense one: feature hashing (Weinberger et al. 2009).
 *
 * Regime: core.
 * Each element is added, with a random sign, to one element of the sketch. With S z the sketch of z, of D' elements:
 *   <S a, S b> is <a, b> on average, with variance <= (|a|^2 |b|^2 + <a, b>^2) / D'
 *   |S z|^2 is |z|^2 on average, with variance <= 2 |z|^4 / D'; and S a - S b is S (a - b)
 * A vector with no more dimensions than the sketch is its own.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/base/random.hpp"
#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::quantizer
{

struct SketchPlace
{
	std::uint32_t at;
	bool negative;
};

inline SketchPlace
sketch_place(std::uint64_t seed, std::uint32_t index, std::uint32_t sketch_dims) noexcept
{
	const std::uint64_t hash = splitmix64(seed ^ index);
	return SketchPlace{static_cast<std::uint32_t>(hash % sketch_dims), (hash >> 63) != 0};
}

/* Part of the format of ivf indexes. */
constexpr std::uint64_t kSketchSeed = 0x7665636462737031;

/* out: sketch_dims floats, all finite where the row's are. dimensions: of the row, whose indices lie below. */
void sparse_sketch(const distance::SparseRow &row, std::uint32_t dimensions, std::uint32_t sketch_dims,
				   float *out) noexcept;

}  // namespace vecdb::core::quantizer
