/* SPDX-License-Identifier: PostgreSQL
 * Kernels for 64-bit ARM. NEON is part of its baseline, so no flags; exports kernels_neon only.
 *
 * Regime: core.
 */
#if defined(__aarch64__)

#include <arm_neon.h>

#include "simd.hpp"

namespace vecdb::core::distance
{
namespace
{

struct Neon
{
	using Arch = xsimd::neon64;
	using V = xsimd::batch<float, Arch>;
	using D = xsimd::batch<double, Arch>;

	static V
	fma(const V &a, const V &b, const V &c) noexcept
	{
		return vfmaq_f32(c, a, b);
	}

	static D
	fma(const D &a, const D &b, const D &c) noexcept
	{
		return vfmaq_f64(c, a, b);
	}

	static V
	load_part(const float *p, std::size_t k) noexcept
	{
		float x[4] = {k > 0 ? p[0] : 0.0f, k > 1 ? p[1] : 0.0f, k > 2 ? p[2] : 0.0f, 0.0f};
		return vld1q_f32(x);
	}

	static V
	flip(const V &v, const std::uint32_t *signs) noexcept
	{
		return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(v), vld1q_u32(signs)));
	}

	/* Each stage: partner + (+-1) * own, the sign picking the sum in the lower lane of a pair. */
	static V
	butterfly(const V &v) noexcept
	{
		const float32x4_t by1 = {1, -1, 1, -1};
		const float32x4_t by2 = {1, 1, -1, -1};
		float32x4_t x = v;
		x = vfmaq_f32(vrev64q_f32(x), x, by1);
		x = vfmaq_f32(vextq_f32(x, x, 2), x, by2);
		return x;
	}

	static void
	to_floats(uint16x8_t low, uint16x8_t high, V out[4]) noexcept
	{
		out[0] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(low)));
		out[1] = vcvtq_f32_u32(vmovl_high_u16(low));
		out[2] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(high)));
		out[3] = vcvtq_f32_u32(vmovl_high_u16(high));
	}

	static void
	codes(const std::uint8_t *code, V out[4]) noexcept
	{
		uint8x16_t c = vld1q_u8(code);
		to_floats(vmovl_u8(vget_low_u8(c)), vmovl_high_u8(c), out);
	}

	static void
	codes(const std::uint8_t *code, const std::uint8_t *residual, V out[4]) noexcept
	{
		const uint8x16_t weight = vdupq_n_u8(255);
		uint8x16_t c = vld1q_u8(code);
		uint8x16_t r = vld1q_u8(residual);
		uint16x8_t low = vmlal_u8(vmovl_u8(vget_low_u8(r)), vget_low_u8(c), vget_low_u8(weight));
		uint16x8_t high = vmlal_high_u8(vmovl_high_u8(r), c, weight);
		to_floats(low, high, out);
	}

	static void
	put_codes(std::uint8_t *out, const V in[4]) noexcept
	{
		uint16x8_t low =
			vcombine_u16(vmovn_u32(vcvtnq_u32_f32(in[0])), vmovn_u32(vcvtnq_u32_f32(in[1])));
		uint16x8_t high =
			vcombine_u16(vmovn_u32(vcvtnq_u32_f32(in[2])), vmovn_u32(vcvtnq_u32_f32(in[3])));
		vst1q_u8(out, vcombine_u8(vmovn_u16(low), vmovn_u16(high)));
	}

	static void
	widen(const V &v, D &low, D &high) noexcept
	{
		float32x4_t x = v;
		low = vcvt_f64_f32(vget_low_f32(x));
		high = vcvt_high_f64_f32(x);
	}

	static void
	put_words(std::int16_t *out, const V in[4]) noexcept
	{
		vst1q_s16(out, vcombine_s16(vmovn_s32(vcvtnq_s32_f32(in[0])), vmovn_s32(vcvtnq_s32_f32(in[1]))));
		vst1q_s16(out + 8, vcombine_s16(vmovn_s32(vcvtnq_s32_f32(in[2])), vmovn_s32(vcvtnq_s32_f32(in[3]))));
	}

	static float
	sum(const V &v) noexcept
	{
		return vaddvq_f32(v);
	}

	static void
	sum_three(const V &a, const V &b, const V &c, float out[3]) noexcept
	{
		out[0] = vaddvq_f32(a);
		out[1] = vaddvq_f32(b);
		out[2] = vaddvq_f32(c);
	}

	static std::int32_t
	dot_u8_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		int32x4_t s0 = vdupq_n_s32(0);
		int32x4_t s1 = s0, s2 = s0, s3 = s0;
		for (std::size_t i = 0; i < n; i += 16)
		{
			uint8x16_t c = vld1q_u8(code + i);
			int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(c)));
			int16x8_t high = vreinterpretq_s16_u16(vmovl_high_u8(c));
			int16x8_t q0 = vld1q_s16(query + i);
			int16x8_t q1 = vld1q_s16(query + i + 8);
			s0 = vmlal_s16(s0, vget_low_s16(low), vget_low_s16(q0));
			s1 = vmlal_high_s16(s1, low, q0);
			s2 = vmlal_s16(s2, vget_low_s16(high), vget_low_s16(q1));
			s3 = vmlal_high_s16(s3, high, q1);
		}
		return vaddvq_s32(vaddq_s32(vaddq_s32(s0, s1), vaddq_s32(s2, s3)));
	}

	static std::int32_t
	dot_u8_u8(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept
	{
		uint32x4_t s0 = vdupq_n_u32(0);
		uint32x4_t s1 = s0;
		for (std::size_t i = 0; i < n; i += 16)
		{
			uint8x16_t x = vld1q_u8(a + i);
			uint8x16_t y = vld1q_u8(b + i);
			s0 = vpadalq_u16(s0, vmull_u8(vget_low_u8(x), vget_low_u8(y)));
			s1 = vpadalq_u16(s1, vmull_high_u8(x, y));
		}
		return static_cast<std::int32_t>(vaddvq_u32(vaddq_u32(s0, s1)));
	}
};

}  // namespace

constinit const Kernels kernels_neon = simd::make_table<Neon>("neon");

}  // namespace vecdb::core::distance

#endif
