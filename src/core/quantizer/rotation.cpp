/* SPDX-License-Identifier: PostgreSQL
 * Expand the sign words of a rotation from its seed.
 *
 * Regime: core.
 * Keeps:  the words are part of the on-disk meaning of an index (only the seed is stored): bit b of
 *         splitmix64(seed + k) is the sign of element 64 * k + b of the 4 * n. Never change this.
 */
#include "vecdb/quantizer/rotation.hpp"

#include <bit>

#include "vecdb/base/random.hpp"

namespace vecdb::core::quantizer
{

Rotation
rotation_init(std::size_t n, std::uint64_t seed, std::uint32_t *signs) noexcept
{
	std::uint64_t bits = 0;
	for (std::size_t i = 0; i < 4 * n; i++)
	{
		if (i % 64 == 0)
			bits = splitmix64(seed + i / 64);
		signs[i] = static_cast<std::uint32_t>(bits & 1) << 31;
		bits >>= 1;
	}
	return Rotation{n, std::bit_floor(n), signs};
}

}  // namespace vecdb::core::quantizer
