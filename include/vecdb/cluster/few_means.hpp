/* SPDX-License-Identifier: PostgreSQL
 * A few centres for the rows of one list.
 *
 * Regime: core. On one thread, for some hundreds of rows; memory of the caller.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/base/memory.hpp"

namespace vecdb::core::cluster
{

/*
 * Finds `wanted` centres at most (wanted * dims floats) for n rows of dims floats, one after the other. Returns how many: each is the nearest of some
 * row. Less than two: the rows are equal or as good as, and centres hold nothing; -1: no memory. Distances are squared L2, or L1 where absolute. Of several
 * starts the one with the least sum of distances. What is taken from memory is given back.
 */
int few_means(const float *rows, std::size_t n, std::size_t dims, int wanted, bool absolute, std::uint64_t seed,
			  float *centres, Memory memory) noexcept;

}  // namespace vecdb::core::cluster
