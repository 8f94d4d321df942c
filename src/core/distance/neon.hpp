/* SPDX-License-Identifier: PostgreSQL
 * The primitives of 64-bit ARM's baseline, for kernels_neon.cpp and kernels_neondot.cpp.
 *
 * Regime: core. Private to these files.
 * Keeps:  anonymous namespace on purpose: each file has its own copy under its own flags (simd.hpp).
 */
#pragma once

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
	load_part(const std::uint16_t *p, std::size_t k) noexcept
	{
		std::uint16_t x[4] = {};
		__builtin_memcpy(x, p, k * sizeof *p);
		return halves(x);
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

	/* Sixteen nibbles of eight bytes, the low one first. */
	static uint8x16_t
	nibble_bytes(const std::uint8_t *code) noexcept
	{
		uint8x8_t c = vld1_u8(code);
		uint8x8_t low = vand_u8(c, vdup_n_u8(15)), high = vshr_n_u8(c, 4);
		return vcombine_u8(vzip1_u8(low, high), vzip2_u8(low, high));
	}

	static void
	nibbles(const std::uint8_t *code, V out[4]) noexcept
	{
		uint8x16_t c = nibble_bytes(code);
		to_floats(vmovl_u8(vget_low_u8(c)), vmovl_high_u8(c), out);
	}

	static void
	sixteen_halves(const std::uint16_t *p, V out[4]) noexcept
	{
		for (int k = 0; k < 4; k++)
			out[k] = halves(p + 4 * k);
	}

	static void
	put_codes(std::uint8_t *out, const V in[4]) noexcept
	{
		uint16x8_t low = vcombine_u16(vmovn_u32(vcvtnq_u32_f32(in[0])), vmovn_u32(vcvtnq_u32_f32(in[1])));
		uint16x8_t high = vcombine_u16(vmovn_u32(vcvtnq_u32_f32(in[2])), vmovn_u32(vcvtnq_u32_f32(in[3])));
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

	static FourFloats
	sums_of_three(const V &a, const V &b, const V &c) noexcept
	{
		return FourFloats{vaddvq_f32(a), vaddvq_f32(b), vaddvq_f32(c), 0.0f};
	}

	static void
	sum_three(const V &a, const V &b, const V &c, float out[3]) noexcept
	{
		out[0] = vaddvq_f32(a);
		out[1] = vaddvq_f32(b);
		out[2] = vaddvq_f32(c);
	}

	/* bytes(i): codes i .. i + 15. */
	template <class Bytes>
	static std::int32_t
	dot_i16(Bytes bytes, const std::int16_t *query, std::size_t n) noexcept
	{
		int32x4_t s0 = vdupq_n_s32(0);
		int32x4_t s1 = s0, s2 = s0, s3 = s0;
		for (std::size_t i = 0; i < n; i += 16)
		{
			uint8x16_t c = bytes(i);
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
	dot_u8_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		return dot_i16([code](std::size_t i) noexcept { return vld1q_u8(code + i); }, query, n);
	}

	static std::int32_t
	dot_u4_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		return dot_i16([code](std::size_t i) noexcept { return nibble_bytes(code + i / 2); }, query, n);
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

	/* --- sign codes --- */

	static V
	quads(const V &v) noexcept
	{
		return vdupq_n_f32(vaddvq_f32(v));
	}

	static void
	put_signs(std::uint8_t *out, const V in[4]) noexcept
	{
		const uint32x4_t low = {1, 2, 4, 8}, high = {16, 32, 64, 128};
		for (int k = 0; k < 2; k++)
		{
			/* A shift by the sign spreads it over the lane. */
			int32x4_t a = vshrq_n_s32(vreinterpretq_s32_f32(in[2 * k]), 31);
			int32x4_t b = vshrq_n_s32(vreinterpretq_s32_f32(in[2 * k + 1]), 31);
			uint32x4_t clear =
				vorrq_u32(vbicq_u32(low, vreinterpretq_u32_s32(a)), vbicq_u32(high, vreinterpretq_u32_s32(b)));
			out[k] = static_cast<std::uint8_t>(vaddvq_u32(clear));
		}
	}

	/* Lanes 0-7, 8-15, 16-23, 24-31. */
	struct WordSums
	{
		uint16x8_t part[4];

		void
		add(uint8x16_t low, uint8x16_t high) noexcept
		{
			part[0] = vaddw_u8(part[0], vget_low_u8(low));
			part[1] = vaddw_high_u8(part[1], low);
			part[2] = vaddw_u8(part[2], vget_low_u8(high));
			part[3] = vaddw_high_u8(part[3], high);
		}
	};

	static std::uint32_t
	fast_scan(const std::uint8_t *codes, const std::uint8_t *lut, std::size_t segments, const std::uint16_t *f_add,
			  const std::uint16_t *f_mul, float add_scale, float mul_scale, float g, float step, float bias,
			  float threshold, float *est) noexcept
	{
		WordSums sums;
		for (uint16x8_t &s : sums.part)
			s = vdupq_n_u16(0);
		const uint8x16_t nibble = vdupq_n_u8(15);
		for (std::size_t i = 0; i < segments * 16; i += 32)
		{
			uint8x16_t c0 = vld1q_u8(codes + i), c1 = vld1q_u8(codes + i + 16);
			uint8x16_t t0 = vld1q_u8(lut + i), t1 = vld1q_u8(lut + i + 16);
			sums.add(vaddq_u8(vqtbl1q_u8(t0, vandq_u8(c0, nibble)), vqtbl1q_u8(t1, vandq_u8(c1, nibble))),
					 vaddq_u8(vqtbl1q_u8(t0, vshrq_n_u8(c0, 4)), vqtbl1q_u8(t1, vshrq_n_u8(c1, 4))));
		}

		const float32x4_t scaled_step = vdupq_n_f32(step * mul_scale), scaled_bias = vdupq_n_f32(bias * mul_scale);
		const float32x4_t base = vdupq_n_f32(g), scale = vdupq_n_f32(add_scale), limit = vdupq_n_f32(threshold);
		const uint32x4_t bits = {1, 2, 4, 8};
		std::uint32_t near = 0;
		for (int k = 0; k < 8; k++)
		{
			uint16x8_t s = sums.part[k / 2];
			uint32x4_t acc = k % 2 == 0 ? vmovl_u16(vget_low_u16(s)) : vmovl_high_u16(s);
			float32x4_t e = vfmaq_f32(scaled_bias, vcvtq_f32_u32(acc), scaled_step);
			float32x4_t x = vfmaq_f32(vfmaq_f32(base, halves(f_add + 4 * k), scale), halves(f_mul + 4 * k), e);
			vst1q_f32(est + 4 * k, x);
			near |= vaddvq_u32(vandq_u32(vcltq_f32(x, limit), bits)) << (4 * k);
		}
		return near;
	}

	static std::uint32_t
	table_scan(const std::uint8_t *codes, const float *table, std::size_t segments, const std::uint16_t *f_add,
			   const std::uint16_t *f_mul, float add_scale, float mul_scale, float g, float bias, float threshold,
			   float *est) noexcept
	{
		float32x4_t sums[8];
		for (float32x4_t &s : sums)
			s = vdupq_n_f32(bias);
		for (std::size_t m = 0; m < segments; m++, codes += 32, table += 256)
			for (int k = 0; k < 8; k++)
			{
				const std::uint8_t *c = codes + 4 * k;
				const float four[4] = {table[c[0]], table[c[1]], table[c[2]], table[c[3]]};
				sums[k] = vaddq_f32(sums[k], vld1q_f32(four));
			}
		const float32x4_t base = vdupq_n_f32(g), scale = vdupq_n_f32(add_scale), limit = vdupq_n_f32(threshold);
		const uint32x4_t bits = {1, 2, 4, 8};
		std::uint32_t near = 0;
		for (int k = 0; k < 8; k++)
		{
			float32x4_t e = vmulq_n_f32(sums[k], mul_scale);
			float32x4_t x = vfmaq_f32(vfmaq_f32(base, halves(f_add + 4 * k), scale), halves(f_mul + 4 * k), e);
			vst1q_f32(est + 4 * k, x);
			near |= vaddvq_u32(vandq_u32(vcltq_f32(x, limit), bits)) << (4 * k);
		}
		return near;
	}

	static float32x4_t
	halves(const std::uint16_t *p) noexcept
	{
		return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
	}

	static uint16x4_t
	to_halves(float32x4_t v) noexcept
	{
		/* min and max pass NaN on. */
		float32x4_t cut = vmaxq_f32(vminq_f32(v, vdupq_n_f32(65504.0f)), vdupq_n_f32(-65504.0f));
		return vreinterpret_u16_f16(vcvt_f16_f32(cut));
	}

	static void
	f32_to_f16(const float *in, std::uint16_t *out, std::size_t n) noexcept
	{
		std::size_t i = 0;
		for (; i + 4 <= n; i += 4)
			vst1_u16(out + i, to_halves(vld1q_f32(in + i)));
		if (i < n)
		{
			std::uint16_t last[4];
			vst1_u16(last, to_halves(load_part(in + i, n - i)));
			__builtin_memcpy(out + i, last, (n - i) * sizeof *out);
		}
	}

	static void
	f16_to_f32(const std::uint16_t *in, float *out, std::size_t n) noexcept
	{
		std::size_t i = 0;
		for (; i + 4 <= n; i += 4)
			vst1q_f32(out + i, halves(in + i));
		if (i < n)
		{
			std::uint16_t last[4] = {};
			float wide[4];
			__builtin_memcpy(last, in + i, (n - i) * sizeof *in);
			vst1q_f32(wide, halves(last));
			__builtin_memcpy(out + i, wide, (n - i) * sizeof *out);
		}
	}

	static std::uint32_t
	sign_lut(const float *q, std::size_t n, float inverse, std::uint8_t *lut) noexcept
	{
		const uint8x16_t k = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
		uint8x16_t pattern[4];  // byte k: element j of the positive side (at 8) where bit j of k is set
		for (int j = 0; j < 4; j++)
		{
			uint8x16_t bit = vandq_u8(vshlq_u8(k, vdupq_n_s8(static_cast<std::int8_t>(-j))), vdupq_n_u8(1));
			pattern[j] = vaddq_u8(vshlq_n_u8(bit, 3), vdupq_n_u8(static_cast<std::uint8_t>(j)));
		}
		const uint8x16_t next = vdupq_n_u8(4);
		std::uint32_t sum = 0;
		for (std::size_t i = 0; i < n; i += 8, lut += 32)
		{
			int32x4_t a = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(q + i), inverse));
			int32x4_t b = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(q + i + 4), inverse));
			int16x8_t d = vcombine_s16(vqmovn_s32(a), vqmovn_s32(b));
			uint8x16_t sides = vcombine_u8(vqmovun_s16(vqnegq_s16(d)), vqmovun_s16(d));
			sum += vaddlvq_u8(sides);
			uint8x16_t first = vdupq_n_u8(0), second = first;
			for (const uint8x16_t &p : pattern)
			{
				first = vaddq_u8(first, vqtbl1q_u8(sides, p));
				second = vaddq_u8(second, vqtbl1q_u8(sides, vaddq_u8(p, next)));
			}
			vst1q_u8(lut, first);
			vst1q_u8(lut + 16, second);
		}
		return sum;
	}

	/* The instruction is no part of the baseline that this file is compiled for. */
	static std::uint32_t
	crc32c(std::uint32_t crc, const void *bytes, std::size_t n) noexcept
	{
		return kernels_scalar.crc32c(crc, bytes, n);
	}

	/* --- signed bytes --- */

	struct Whole
	{
		static constexpr std::size_t kBytes = 16;

		static int8x16_t
		load(const std::int8_t *p) noexcept
		{
			return vld1q_s8(p);
		}

		static int8x16_t
		load_part(const std::int8_t *p, std::size_t k) noexcept
		{
			std::int8_t x[kBytes] = {};
			__builtin_memcpy(x, p, k);
			return vld1q_s8(x);
		}
	};

	/* An unsigned byte holds any difference of two signed ones. */
	static uint8x16_t
	difference(int8x16_t a, int8x16_t b) noexcept
	{
		return vreinterpretq_u8_s8(vabdq_s8(a, b));
	}

	struct SquaredDifferences8 : Whole
	{
		uint32x4_t sum = vdupq_n_u32(0);

		void
		add(int8x16_t a, int8x16_t b) noexcept
		{
			uint8x16_t d = difference(a, b);
			sum = vpadalq_u16(sum, vmull_u8(vget_low_u8(d), vget_low_u8(d)));
			sum = vpadalq_u16(sum, vmull_high_u8(d, d));
		}

		void
		join(const SquaredDifferences8 &other) noexcept
		{
			sum = vaddq_u32(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return static_cast<std::int32_t>(vaddvq_u32(sum));
		}
	};

	struct Products8 : Whole
	{
		int32x4_t sum = vdupq_n_s32(0);

		void
		add(int8x16_t a, int8x16_t b) noexcept
		{
			sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
			sum = vpadalq_s16(sum, vmull_high_s8(a, b));
		}

		void
		join(const Products8 &other) noexcept
		{
			sum = vaddq_s32(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return vaddvq_s32(sum);
		}
	};

	struct AbsoluteDifferences8 : Whole
	{
		uint32x4_t sum = vdupq_n_u32(0);

		void
		add(int8x16_t a, int8x16_t b) noexcept
		{
			sum = vpadalq_u16(sum, vpaddlq_u8(difference(a, b)));
		}

		void
		join(const AbsoluteDifferences8 &other) noexcept
		{
			sum = vaddq_u32(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return static_cast<std::int32_t>(vaddvq_u32(sum));
		}
	};

	template <class Products>
	struct CosineSumsOf : Whole
	{
		Products ab, aa, bb;

		void
		add(int8x16_t a, int8x16_t b) noexcept
		{
			ab.add(a, b);
			aa.add(a, a);
			bb.add(b, b);
		}

		void
		join(const CosineSumsOf &other) noexcept
		{
			ab.join(other.ab);
			aa.join(other.aa);
			bb.join(other.bb);
		}

		void
		totals(std::int32_t out[3]) const noexcept
		{
			out[0] = ab.total();
			out[1] = aa.total();
			out[2] = bb.total();
		}
	};
	using CosineSums8 = CosineSumsOf<Products8>;

	static void
	i8_to_f32(const std::int8_t *in, float *out, std::size_t n) noexcept
	{
		std::size_t i = 0;
		for (; i + 8 <= n; i += 8)
		{
			int16x8_t words = vmovl_s8(vld1_s8(in + i));
			vst1q_f32(out + i, vcvtq_f32_s32(vmovl_s16(vget_low_s16(words))));
			vst1q_f32(out + i + 4, vcvtq_f32_s32(vmovl_high_s16(words)));
		}
		for (; i < n; i++)
		{
			float x = static_cast<float>(in[i]);
			__builtin_memcpy(out + i, &x, sizeof x);
		}
	}

	/* --- bit strings --- */

	/* Counts of bytes are added in 8 bits for up to kMostAdds registers. */
	struct BitSum
	{
		static constexpr std::size_t kMostAdds = 31;  // 8 bits each, below 256

		uint8x16_t bytes = vdupq_n_u8(0);
		std::uint64_t total = 0;

		void
		add(uint8x16_t x) noexcept
		{
			bytes = vaddq_u8(bytes, vcntq_u8(x));
		}

		void
		flush() noexcept
		{
			total += vaddlvq_u8(bytes);
			bytes = vdupq_n_u8(0);
		}
	};

	/* The first `bytes` at p, zeros behind. */
	static uint8x16_t
	part(const std::uint8_t *p, std::size_t bytes) noexcept
	{
		std::uint8_t x[16] = {};
		__builtin_memcpy(x, p, bytes);
		return vld1q_u8(x);
	}

	static std::uint64_t
	hamming(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept
	{
		BitSum sum;
		std::size_t i = 0;
		while (i + 16 <= n)
		{
			std::size_t left = (n - i) / 16;
			for (std::size_t k = left < BitSum::kMostAdds ? left : BitSum::kMostAdds; k > 0; k--, i += 16)
				sum.add(veorq_u8(vld1q_u8(a + i), vld1q_u8(b + i)));
			sum.flush();
		}
		if (i < n)
		{
			sum.add(veorq_u8(part(a + i, n - i), part(b + i, n - i)));
			sum.flush();
		}
		return sum.total;
	}

	static void
	jaccard_parts(const std::uint8_t *a, const std::uint8_t *b, std::size_t n, std::uint64_t out[2]) noexcept
	{
		BitSum both, either;
		std::size_t i = 0;
		while (i + 16 <= n)
		{
			std::size_t left = (n - i) / 16;
			for (std::size_t k = left < BitSum::kMostAdds ? left : BitSum::kMostAdds; k > 0; k--, i += 16)
			{
				uint8x16_t x = vld1q_u8(a + i), y = vld1q_u8(b + i);
				both.add(vandq_u8(x, y));
				either.add(vorrq_u8(x, y));
			}
			both.flush();
			either.flush();
		}
		if (i < n)
		{
			uint8x16_t x = part(a + i, n - i), y = part(b + i, n - i);
			both.add(vandq_u8(x, y));
			either.add(vorrq_u8(x, y));
			both.flush();
			either.flush();
		}
		out[0] = both.total;
		out[1] = either.total;
	}

	/* --- sparse vectors --- */

	static int32x4_t
	load_indices(const std::int32_t *p) noexcept
	{
		return vreinterpretq_s32_u8(vld1q_u8(reinterpret_cast<const std::uint8_t *>(p)));
	}

	static unsigned
	among(const std::int32_t *a, const std::int32_t *b) noexcept
	{
		int32x4_t x = load_indices(a), y = load_indices(b);
		uint32x4_t m0 = vorrq_u32(vceqq_s32(x, y), vceqq_s32(x, vextq_s32(y, y, 1)));
		uint32x4_t m1 = vorrq_u32(vceqq_s32(x, vextq_s32(y, y, 2)), vceqq_s32(x, vextq_s32(y, y, 3)));
		const uint32x4_t bit = {1, 2, 4, 8};
		return vaddvq_u32(vandq_u32(vorrq_u32(m0, m1), bit));
	}

	static uint32x4_t
	lanes(unsigned mask) noexcept
	{
		const uint32x4_t bit = {1, 2, 4, 8};
		return vtstq_u32(vdupq_n_u32(mask), bit);
	}

	static V
	compress(const float *p, unsigned mask) noexcept
	{
		float x[4], out[4] = {};
		__builtin_memcpy(x, p, sizeof x);
		for (unsigned count = 0; mask != 0; mask &= mask - 1)
			out[count++] = x[__builtin_ctz(mask)];
		return vld1q_f32(out);
	}

	static V
	keep(const float *p, unsigned mask) noexcept
	{
		uint32x4_t x = vreinterpretq_u32_u8(vld1q_u8(reinterpret_cast<const std::uint8_t *>(p)));
		return vreinterpretq_f32_u32(vandq_u32(x, lanes(mask)));
	}

	static void
	pad(const std::int32_t *indices, const float *values, std::size_t k, std::int32_t filler, std::int32_t *to_indices,
		float *to_values) noexcept
	{
		for (std::size_t i = 0; i < 4; i++)
		{
			to_indices[i] = filler;
			to_values[i] = 0.0f;
		}
		__builtin_memcpy(to_indices, indices, k * sizeof *indices);
		__builtin_memcpy(to_values, values, k * sizeof *values);
	}
};

}  // namespace
}  // namespace vecdb::core::distance
