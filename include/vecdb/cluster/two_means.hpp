/* SPDX-License-Identifier: PostgreSQL
 * Two centres for the rows of one list.
 *
 * Regime: core. On one thread, for some hundreds of rows; memory of the caller.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/base/memory.hpp"

namespace vecdb::core::cluster
{

enum class Separation : std::uint8_t
{
	two,  // centres has both
	one,  // the rows are equal, or as good as
	no_memory,
};

/*
 * rows: n rows of dims floats, one after the other; centres: 2 * dims floats. Distances are squared L2, or L1 where absolute. Of several starts the
 * one with the least sum of distances; neither centre stands for less than an eighth of the rows when it is computed. What
 * is taken from memory is given back.
 */
Separation two_means(const float *rows, std::size_t n, std::size_t dims, bool absolute, std::uint64_t seed,
					 float *centres, Memory memory) noexcept;

}  // namespace vecdb::core::cluster
