/* SPDX-License-Identifier: PostgreSQL
 * splitmix64: seeds, levels, sign masks. Deterministic on every platform.
 *
 * Regime: core. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014, section 5 (the mixing function is their MurmurHash3 variant 13).
 */
#pragma once

#include <cstdint>

namespace vecdb::core
{

inline std::uint64_t
splitmix64(std::uint64_t x) noexcept
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Uniform in (0, 1]: never 0, so that its logarithm is finite. */
inline double
unit_open(std::uint64_t bits) noexcept
{
	return (static_cast<double>(bits >> 11) + 1.0) * 0x1.0p-53;
}

}  // namespace vecdb::core
