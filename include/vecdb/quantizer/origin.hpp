/* SPDX-License-Identifier: PostgreSQL
 * The origin of codes: per dimension the mean of the middle 7/8 of a sample, so that no wild row takes it along, and with it
 * the precision of all codes.
 *
 * Regime: core.
 */
#pragma once

#include <cstdint>

namespace vecdb::core::quantizer
{

/*
 * rows: count of them, at least one, n floats each, finite; of unit length for the mean where unit_length (and not zero). scratch: 2 *
 * count. False: values are so large that a difference could overflow, they stay where they are.
 */
bool trimmed_mean(const float *const *rows, std::uint32_t count, std::uint32_t n, bool unit_length, double *scratch,
				  float *mean, double *norm) noexcept;

}  // namespace vecdb::core::quantizer
