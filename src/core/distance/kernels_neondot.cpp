/* SPDX-License-Identifier: PostgreSQL
 * Kernels for 64-bit ARM with the dot product instructions of Armv8.2 (FEAT_DotProd); exports kernels_neondot only.
 *
 * Regime: core.
 */
#if defined(__aarch64__)

#if !defined(__ARM_FEATURE_DOTPROD)
#error "compile this file with -march=armv8.2-a+dotprod"
#endif

#include "neon.hpp"

namespace vecdb::core::distance
{
namespace
{

struct NeonDot : Neon
{
	static std::int32_t
	dot_u8_u8(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept
	{
		uint32x4_t s0 = vdupq_n_u32(0);
		uint32x4_t s1 = s0;
		std::size_t i = 0;
		for (; i + 32 <= n; i += 32)
		{
			s0 = vdotq_u32(s0, vld1q_u8(a + i), vld1q_u8(b + i));
			s1 = vdotq_u32(s1, vld1q_u8(a + i + 16), vld1q_u8(b + i + 16));
		}
		if (i < n)
			s0 = vdotq_u32(s0, vld1q_u8(a + i), vld1q_u8(b + i));
		return static_cast<std::int32_t>(vaddvq_u32(vaddq_u32(s0, s1)));
	}

	struct SquaredDifferences8 : Neon::SquaredDifferences8
	{
		void
		add(int8x16_t a, int8x16_t b) noexcept
		{
			uint8x16_t d = difference(a, b);
			sum = vdotq_u32(sum, d, d);
		}
	};

	struct Products8 : Neon::Products8
	{
		void
		add(int8x16_t a, int8x16_t b) noexcept
		{
			sum = vdotq_s32(sum, a, b);
		}
	};

	struct AbsoluteDifferences8 : Neon::AbsoluteDifferences8
	{
		void
		add(int8x16_t a, int8x16_t b) noexcept
		{
			sum = vdotq_u32(sum, difference(a, b), vdupq_n_u8(1));
		}
	};

	using CosineSums8 = CosineSumsOf<Products8>;
};

}  // namespace

constinit const Kernels kernels_neondot = simd::make_table<NeonDot>("neondot");

}  // namespace vecdb::core::distance

#endif
