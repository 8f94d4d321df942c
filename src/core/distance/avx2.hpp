/* SPDX-License-Identifier: PostgreSQL
 * The AVX2 (with FMA) primitives, for kernels_avx2.cpp and the AVX-512 files.
 *
 * Regime: core. Private to these files.
 * Keeps:  anonymous namespace on purpose: each file has its own copy under its own flags (simd.hpp).
 */
#pragma once

#include <immintrin.h>

#include "simd.hpp"

namespace vecdb::core::distance
{
namespace
{

struct Avx2
{
	using Arch = xsimd::fma3<xsimd::avx2>;
	using V = xsimd::batch<float, Arch>;
	using D = xsimd::batch<double, Arch>;

	static __m128i
	load128(const void *p) noexcept
	{
		return _mm_loadu_si128(static_cast<const __m128i *>(p));
	}

	static __m256i
	load256(const void *p) noexcept
	{
		return _mm256_loadu_si256(static_cast<const __m256i *>(p));
	}

	static V
	fma(const V &a, const V &b, const V &c) noexcept
	{
		return _mm256_fmadd_ps(a, b, c);
	}

	static D
	fma(const D &a, const D &b, const D &c) noexcept
	{
		return _mm256_fmadd_pd(a, b, c);
	}

	static V
	load_part(const std::uint16_t *p, std::size_t k) noexcept
	{
		std::uint16_t x[8] = {};
		__builtin_memcpy(x, p, k * sizeof *p);
		return halves(x);
	}

	static V
	load_part(const float *p, std::size_t k) noexcept
	{
		const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
		return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(k)), lane));
	}

	static V
	flip(const V &v, const std::uint32_t *signs) noexcept
	{
		return _mm256_xor_ps(v, _mm256_castsi256_ps(load256(signs)));
	}

	/* Each stage: partner + (+-1) * own, the sign picking the sum in the lower lane of a pair. */
	static V
	butterfly(const V &v) noexcept
	{
		const __m256 by1 = _mm256_setr_ps(1, -1, 1, -1, 1, -1, 1, -1);
		const __m256 by2 = _mm256_setr_ps(1, 1, -1, -1, 1, 1, -1, -1);
		const __m256 by4 = _mm256_setr_ps(1, 1, 1, 1, -1, -1, -1, -1);
		__m256 x = v;
		x = _mm256_fmadd_ps(x, by1, _mm256_permute_ps(x, 0xb1));
		x = _mm256_fmadd_ps(x, by2, _mm256_permute_ps(x, 0x4e));
		x = _mm256_fmadd_ps(x, by4, _mm256_permute2f128_ps(x, x, 0x01));
		return x;
	}

	static void
	codes(const std::uint8_t *code, V out[2]) noexcept
	{
		out[0] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(code))));
		out[1] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(code + 8))));
	}

	static void
	codes(const std::uint8_t *code, const std::uint8_t *residual, V out[2]) noexcept
	{
		const __m256i weight = _mm256_set1_epi32(1 << 16 | 255);  // pairs (code, residual)
		__m128i c = load128(code);
		__m128i r = load128(residual);
		__m256i low = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(c, r));
		__m256i high = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(c, r));
		out[0] = _mm256_cvtepi32_ps(_mm256_madd_epi16(low, weight));
		out[1] = _mm256_cvtepi32_ps(_mm256_madd_epi16(high, weight));
	}

	static void
	nibbles(const std::uint8_t *code, V out[2]) noexcept
	{
		const __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28), nibble = _mm256_set1_epi32(15);
		for (int k = 0; k < 2; k++)
		{
			int eight;
			__builtin_memcpy(&eight, code + 4 * k, sizeof eight);
			__m256i c = _mm256_srlv_epi32(_mm256_set1_epi32(eight), shifts);
			out[k] = _mm256_cvtepi32_ps(_mm256_and_si256(c, nibble));
		}
	}

	static void
	sixteen_halves(const std::uint16_t *p, V out[2]) noexcept
	{
		out[0] = halves(p);
		out[1] = halves(p + 8);
	}

	static void
	put_codes(std::uint8_t *out, const V in[2]) noexcept
	{
		/* Packing works inside 128-bit lanes: permute the quarters back into order. */
		__m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(in[0]), _mm256_cvtps_epi32(in[1]));
		words = _mm256_permute4x64_epi64(words, 0xd8);
		__m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
		_mm_storeu_si128(reinterpret_cast<__m128i *>(out), bytes);
	}

	static void
	widen(const V &v, D &low, D &high) noexcept
	{
		low = _mm256_cvtps_pd(_mm256_castps256_ps128(v));
		high = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
	}

	static void
	put_words(std::int16_t *out, const V in[2]) noexcept
	{
		__m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(in[0]), _mm256_cvtps_epi32(in[1]));
		_mm256_storeu_si256(reinterpret_cast<__m256i *>(out), _mm256_permute4x64_epi64(words, 0xd8));
	}

	static float
	sum(const V &v) noexcept
	{
		__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
		s = _mm_add_ps(s, _mm_movehl_ps(s, s));
		return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
	}

	static __m128
	sums_of_three(const V &a, const V &b, const V &c) noexcept
	{
		/* Halves and pairs are added before anything is transposed: vhaddps would take three steps for each add. */
		__m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
		__m128 y = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
		__m128 z = _mm_add_ps(_mm256_castps256_ps128(c), _mm256_extractf128_ps(c, 1));
		__m128 xy = _mm_add_ps(_mm_unpacklo_ps(x, y), _mm_unpackhi_ps(x, y));  // x y x y
		z = _mm_add_ps(z, _mm_movehl_ps(z, z));
		return _mm_movelh_ps(_mm_add_ps(xy, _mm_movehl_ps(xy, xy)), _mm_add_ps(z, _mm_movehdup_ps(z)));
	}

	static void
	sum_three(const V &a, const V &b, const V &c, float out[3]) noexcept
	{
		__m128 sums = sums_of_three(a, b, c);
		_mm_storel_pi(reinterpret_cast<__m64 *>(out), sums);
		_mm_store_ss(out + 2, _mm_movehl_ps(sums, sums));
	}

	static std::int32_t
	sum_int32(__m256i v) noexcept
	{
		__m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
		s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
		return _mm_cvtsi128_si32(s);
	}

	static __m256i
	dot16(const std::uint8_t *code, const std::int16_t *query) noexcept
	{
		return _mm256_madd_epi16(_mm256_cvtepu8_epi16(load128(code)), load256(query));
	}

	static std::int32_t
	dot_u8_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		__m256i s0 = _mm256_setzero_si256();
		__m256i s1 = s0;
		std::size_t i = 0;
		for (; i + 32 <= n; i += 32)
		{
			s0 = _mm256_add_epi32(s0, dot16(code + i, query + i));
			s1 = _mm256_add_epi32(s1, dot16(code + i + 16, query + i + 16));
		}
		if (i < n)
			s0 = _mm256_add_epi32(s0, dot16(code + i, query + i));
		return sum_int32(_mm256_add_epi32(s0, s1));
	}

	static __m256i
	dot16(const std::uint8_t *a, const std::uint8_t *b) noexcept
	{
		return _mm256_madd_epi16(_mm256_cvtepu8_epi16(load128(a)), _mm256_cvtepu8_epi16(load128(b)));
	}

	static std::int32_t
	dot_u8_u8(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept
	{
		__m256i s0 = _mm256_setzero_si256();
		__m256i s1 = s0;
		std::size_t i = 0;
		for (; i + 32 <= n; i += 32)
		{
			s0 = _mm256_add_epi32(s0, dot16(a + i, b + i));
			s1 = _mm256_add_epi32(s1, dot16(a + i + 16, b + i + 16));
		}
		if (i < n)
			s0 = _mm256_add_epi32(s0, dot16(a + i, b + i));
		return sum_int32(_mm256_add_epi32(s0, s1));
	}

	/* Eight bytes of nibbles as sixteen words: a byte in 32 bits, its high nibble moved to the upper word. */
	static __m256i
	nibble_words(const std::uint8_t *code) noexcept
	{
		__m256i c = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(code)));
		return _mm256_and_si256(_mm256_or_si256(c, _mm256_slli_epi32(c, 12)), _mm256_set1_epi32(0x000f000f));
	}

	static std::int32_t
	dot_u4_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		__m256i s0 = _mm256_setzero_si256();
		__m256i s1 = s0;
		std::size_t i = 0;
		for (; i + 32 <= n; i += 32)
		{
			s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(nibble_words(code + i / 2), load256(query + i)));
			s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(nibble_words(code + i / 2 + 8), load256(query + i + 16)));
		}
		if (i < n)
			s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(nibble_words(code + i / 2), load256(query + i)));
		return sum_int32(_mm256_add_epi32(s0, s1));
	}

	/* --- sign codes --- */

	static V
	quads(const V &v) noexcept
	{
		__m256 x = _mm256_add_ps(v, _mm256_permute_ps(v, 0xb1));
		return _mm256_add_ps(x, _mm256_permute_ps(x, 0x4e));
	}

	static void
	put_signs(std::uint8_t *out, const V in[2]) noexcept
	{
		out[0] = static_cast<std::uint8_t>(~_mm256_movemask_ps(in[0]));
		out[1] = static_cast<std::uint8_t>(~_mm256_movemask_ps(in[1]));
	}

	/* Sums of bytes in 16 bits. `all` adds whole words, so that its low byte's sum is found by taking the high
	 * bytes' out again: one shift less a step. Everything is mod 2^16. */
	struct WordSums
	{
		__m256i all = _mm256_setzero_si256();
		__m256i odd = _mm256_setzero_si256();

		void
		add(__m256i bytes) noexcept
		{
			all = _mm256_add_epi16(all, bytes);
			odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
		}

		/* Lanes 0-7 and 8-15, in both halves. */
		void
		in_order(__m256i &low, __m256i &high) const noexcept
		{
			__m256i even = _mm256_sub_epi16(all, _mm256_slli_epi16(odd, 8));
			low = _mm256_unpacklo_epi16(even, odd);
			high = _mm256_unpackhi_epi16(even, odd);
		}
	};

	/* The sum of a's halves below that of b's. */
	static __m256i
	fold(__m256i a, __m256i b) noexcept
	{
		return _mm256_add_epi16(_mm256_blend_epi32(a, b, 0xf0), _mm256_permute2x128_si256(a, b, 0x21));
	}

	/* Two segments: what lanes 0-15 and 16-31 pick from the table. */
	static void
	pick(const std::uint8_t *codes, const std::uint8_t *lut, __m256i &low, __m256i &high) noexcept
	{
		const __m256i nibble = _mm256_set1_epi8(15);
		__m256i c = load256(codes);
		__m256i t = load256(lut);
		low = _mm256_shuffle_epi8(t, _mm256_and_si256(c, nibble));
		high = _mm256_shuffle_epi8(t, _mm256_and_si256(_mm256_srli_epi16(c, 4), nibble));
	}

	static __m256
	halves(const std::uint16_t *p) noexcept
	{
		return _mm256_cvtph_ps(load128(p));
	}

	static std::uint32_t
	fast_scan(const std::uint8_t *codes, const std::uint8_t *lut, std::size_t segments, const std::uint16_t *f_add,
			  const std::uint16_t *f_mul, float add_scale, float mul_scale, float g, float step, float bias,
			  float threshold, float *est) noexcept
	{
		WordSums low, high;
		__m256i l0, h0, l1, h1;
		for (std::size_t i = 0; i < segments * 16; i += 64)
		{
			pick(codes + i, lut + i, l0, h0);
			pick(codes + i + 32, lut + i + 32, l1, h1);
			low.add(_mm256_add_epi8(l0, l1));
			high.add(_mm256_add_epi8(h0, h1));
		}
		low.in_order(l0, l1);
		high.in_order(h0, h1);
		__m256i sixteen[2] = {fold(l0, l1), fold(h0, h1)};

		const __m256 scaled_step = _mm256_set1_ps(step * mul_scale), scaled_bias = _mm256_set1_ps(bias * mul_scale);
		const __m256 base = _mm256_set1_ps(g), scale = _mm256_set1_ps(add_scale), limit = _mm256_set1_ps(threshold);
		std::uint32_t near = 0;
		for (int k = 0; k < 4; k++)
		{
			__m256i s = sixteen[k / 2];
			__m128i acc = k % 2 == 0 ? _mm256_castsi256_si128(s) : _mm256_extracti128_si256(s, 1);
			__m256 e = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(acc)), scaled_step, scaled_bias);
			__m256 x = _mm256_fmadd_ps(halves(f_mul + 8 * k), e, _mm256_fmadd_ps(halves(f_add + 8 * k), scale, base));
			_mm256_storeu_ps(est + 8 * k, x);
			near |= static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, limit, _CMP_LT_OQ))) << (8 * k);
		}
		return near;
	}

	/* One by one: gather instructions take longer than these loads, on some machines far longer. Eight lanes at a time
	 * keep the adders busy; as many segments that the table of theirs stays in the nearest cache. */
	static void
	sum_table(const std::uint8_t *codes, const float *table, std::size_t segments, float bias, float *sums) noexcept
	{
		constexpr std::size_t kAtOnce = 8, kSegments = 16;
		for (std::size_t l = 0; l < 32; l++)
			sums[l] = bias;
		for (std::size_t begin = 0; begin < segments; begin += kSegments)
		{
			const std::size_t end = begin + kSegments < segments ? begin + kSegments : segments;
			for (std::size_t first = 0; first < 32; first += kAtOnce)
			{
				float sum[kAtOnce];
				__builtin_memcpy(sum, sums + first, sizeof sum);
				for (std::size_t m = begin; m < end; m++)
				{
					std::uint64_t eight;
					__builtin_memcpy(&eight, codes + 32 * m + first, sizeof eight);
					for (std::size_t k = 0; k < kAtOnce; k++)
					{
						float x;
						__builtin_memcpy(&x, table + 256 * m + (eight >> 8 * k & 255), sizeof x);
						sum[k] += x;
					}
				}
				__builtin_memcpy(sums + first, sum, sizeof sum);
			}
		}
	}

	static std::uint32_t
	table_scan(const std::uint8_t *codes, const float *table, std::size_t segments, const std::uint16_t *f_add,
			   const std::uint16_t *f_mul, float add_scale, float mul_scale, float g, float bias, float threshold,
			   float *est) noexcept
	{
		alignas(32) float sums[32];
		sum_table(codes, table, segments, bias, sums);
		const __m256 base = _mm256_set1_ps(g), scale = _mm256_set1_ps(add_scale), limit = _mm256_set1_ps(threshold);
		const __m256 factor = _mm256_set1_ps(mul_scale);
		std::uint32_t near = 0;
		for (int k = 0; k < 4; k++)
		{
			__m256 x = _mm256_fmadd_ps(halves(f_mul + 8 * k), _mm256_mul_ps(_mm256_load_ps(sums + 8 * k), factor),
									   _mm256_fmadd_ps(halves(f_add + 8 * k), scale, base));
			_mm256_storeu_ps(est + 8 * k, x);
			near |= static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(x, limit, _CMP_LT_OQ))) << (8 * k);
		}
		return near;
	}

	static __m128i
	to_halves(const V &v) noexcept
	{
		/* min and max return their second operand where one is NaN. */
		const __m256 most = _mm256_set1_ps(65504.0f), least = _mm256_set1_ps(-65504.0f);
		return _mm256_cvtps_ph(_mm256_max_ps(least, _mm256_min_ps(most, v)), _MM_FROUND_TO_NEAREST_INT);
	}

	static void
	f32_to_f16(const float *in, std::uint16_t *out, std::size_t n) noexcept
	{
		std::size_t i = 0;
		for (; i + 8 <= n; i += 8)
			_mm_storeu_si128(reinterpret_cast<__m128i *>(out + i), to_halves(_mm256_loadu_ps(in + i)));
		if (i < n)
		{
			std::uint16_t last[8];
			_mm_storeu_si128(reinterpret_cast<__m128i *>(last), to_halves(load_part(in + i, n - i)));
			__builtin_memcpy(out + i, last, (n - i) * sizeof *out);
		}
	}

	static void
	f16_to_f32(const std::uint16_t *in, float *out, std::size_t n) noexcept
	{
		std::size_t i = 0;
		for (; i + 8 <= n; i += 8)
			_mm256_storeu_ps(out + i, halves(in + i));
		if (i < n)
		{
			std::uint16_t last[8] = {};
			float wide[8];
			__builtin_memcpy(last, in + i, (n - i) * sizeof *in);
			_mm256_storeu_ps(wide, halves(last));
			__builtin_memcpy(out + i, wide, (n - i) * sizeof *out);
		}
	}

	/* Element j of segment h in a half of eight magnitudes of negative and eight of positive elements: byte k
	 * picks from the positive ones where bit j of k is set. */
	static __m256i
	subset_pattern(int j) noexcept
	{
		const __m256i k =
			_mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
		const __m256i element =
			_mm256_setr_m128i(_mm_set1_epi8(static_cast<char>(j)), _mm_set1_epi8(static_cast<char>(4 + j)));
		__m256i bit = _mm256_and_si256(_mm256_srli_epi16(k, j), _mm256_set1_epi8(1));
		return _mm256_add_epi8(element, _mm256_slli_epi16(bit, 3));
	}

	static std::uint32_t
	sign_lut(const float *q, std::size_t n, float inverse, std::uint8_t *lut) noexcept
	{
		const __m256 factor = _mm256_set1_ps(inverse);
		const __m256i p0 = subset_pattern(0), p1 = subset_pattern(1), p2 = subset_pattern(2), p3 = subset_pattern(3);
		__m256i sum = _mm256_setzero_si256();
		for (std::size_t i = 0; i < n; i += 16, lut += 64)
		{
			__m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(q + i), factor));
			__m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(q + i + 8), factor));
			__m256i d = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
			/* A half: max(-d, 0) of eight elements, then max(d, 0). */
			__m256i sides = _mm256_packus_epi16(_mm256_sub_epi16(_mm256_setzero_si256(), d), d);
			sum = _mm256_add_epi64(sum, _mm256_sad_epu8(sides, _mm256_setzero_si256()));
			for (int half = 0; half < 2; half++)
			{
				__m256i s = half == 0 ? _mm256_permute2x128_si256(sides, sides, 0x00)
									  : _mm256_permute2x128_si256(sides, sides, 0x11);
				__m256i t = _mm256_add_epi8(_mm256_add_epi8(_mm256_shuffle_epi8(s, p0), _mm256_shuffle_epi8(s, p1)),
											_mm256_add_epi8(_mm256_shuffle_epi8(s, p2), _mm256_shuffle_epi8(s, p3)));
				_mm256_storeu_si256(reinterpret_cast<__m256i *>(lut + 32 * half), t);
			}
		}
		return static_cast<std::uint32_t>(sum_int32(sum));
	}

	/* The instruction is part of SSE4.2, which AVX2 implies. */
	static std::uint32_t
	crc32c(std::uint32_t crc, const void *bytes, std::size_t n) noexcept
	{
		const auto *p = static_cast<const std::uint8_t *>(bytes);
		std::uint64_t sum = crc;
		for (; n >= 8; n -= 8, p += 8)
		{
			std::uint64_t word;
			__builtin_memcpy(&word, p, sizeof word);
			sum = _mm_crc32_u64(sum, word);
		}
		auto rest = static_cast<std::uint32_t>(sum);
		for (; n > 0; n--)
			rest = _mm_crc32_u8(rest, *p++);
		return rest;
	}

	/* --- signed bytes --- */

	/* Sixteen elements, widened to 16 bits: pairs of products are added in 32 bits by one instruction. */
	struct Words
	{
		static constexpr std::size_t kBytes = 16;

		static __m256i
		load(const std::int8_t *p) noexcept
		{
			return _mm256_cvtepi8_epi16(load128(p));
		}

		static __m256i
		load_part(const std::int8_t *p, std::size_t k) noexcept
		{
			std::int8_t x[kBytes] = {};
			__builtin_memcpy(x, p, k);
			return load(x);
		}
	};

	struct SquaredDifferences8 : Words
	{
		__m256i sum = _mm256_setzero_si256();

		void
		add(__m256i a, __m256i b) noexcept
		{
			__m256i d = _mm256_sub_epi16(a, b);
			sum = _mm256_add_epi32(sum, _mm256_madd_epi16(d, d));
		}

		void
		join(const SquaredDifferences8 &other) noexcept
		{
			sum = _mm256_add_epi32(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return sum_int32(sum);
		}
	};

	struct Products8 : Words
	{
		__m256i sum = _mm256_setzero_si256();

		void
		add(__m256i a, __m256i b) noexcept
		{
			sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
		}

		void
		join(const Products8 &other) noexcept
		{
			sum = _mm256_add_epi32(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return sum_int32(sum);
		}
	};

	struct AbsoluteDifferences8
	{
		static constexpr std::size_t kBytes = 32;
		__m256i sum = _mm256_setzero_si256();

		/* With the top bit flipped, order and differences are those of unsigned bytes. */
		static __m256i
		load(const std::int8_t *p) noexcept
		{
			return _mm256_xor_si256(load256(p), _mm256_set1_epi8(-128));
		}

		static __m256i
		load_part(const std::int8_t *p, std::size_t k) noexcept
		{
			std::int8_t x[kBytes] = {};
			__builtin_memcpy(x, p, k);
			return load(x);
		}

		void
		add(__m256i a, __m256i b) noexcept
		{
			sum = _mm256_add_epi64(sum, _mm256_sad_epu8(a, b));
		}

		void
		join(const AbsoluteDifferences8 &other) noexcept
		{
			sum = _mm256_add_epi64(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return sum_int32(sum);
		}
	};

	struct CosineSums8 : Words
	{
		Products8 ab, aa, bb;

		void
		add(__m256i a, __m256i b) noexcept
		{
			ab.add(a, b);
			aa.add(a, a);
			bb.add(b, b);
		}

		void
		join(const CosineSums8 &other) noexcept
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

	static void
	i8_to_f32(const std::int8_t *in, float *out, std::size_t n) noexcept
	{
		std::size_t i = 0;
		for (; i + 8 <= n; i += 8)
		{
			__m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(in + i));
			_mm256_storeu_ps(out + i, _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(eight)));
		}
		for (; i < n; i++)
		{
			float x = static_cast<float>(in[i]);
			__builtin_memcpy(out + i, &x, sizeof x);
		}
	}

	/* --- bit strings --- */

	/* Sums of four 64-bit words of bits. Counts of bytes are added in 8 bits for up to kMostAdds vectors. */
	struct BitSum
	{
		static constexpr std::size_t kMostAdds = 31;  // 8 bits each, below 256

		__m256i bytes = _mm256_setzero_si256();
		__m256i words = _mm256_setzero_si256();

		void
		add(__m256i x) noexcept
		{
			const __m256i nibble = _mm256_set1_epi8(15);
			const __m256i ones =
				_mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
			bytes = _mm256_add_epi8(bytes, _mm256_shuffle_epi8(ones, _mm256_and_si256(x, nibble)));
			bytes =
				_mm256_add_epi8(bytes, _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble)));
		}

		void
		flush() noexcept
		{
			words = _mm256_add_epi64(words, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
			bytes = _mm256_setzero_si256();
		}

		std::uint64_t
		sum() const noexcept
		{
			__m128i s = _mm_add_epi64(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
			return static_cast<std::uint64_t>(_mm_cvtsi128_si64(s)) +
				   static_cast<std::uint64_t>(_mm_extract_epi64(s, 1));
		}
	};

	static std::uint64_t
	word(const std::uint8_t *p) noexcept
	{
		std::uint64_t x;
		__builtin_memcpy(&x, p, sizeof x);
		return x;
	}

	/* 1 to 7 bytes, zeros behind: by loads that overlap. */
	static std::uint64_t
	part_word(const std::uint8_t *p, std::size_t bytes) noexcept
	{
		if (bytes >= 4)
		{
			std::uint32_t low, high;
			__builtin_memcpy(&low, p, sizeof low);
			__builtin_memcpy(&high, p + bytes - 4, sizeof high);
			return low | static_cast<std::uint64_t>(high) << 8 * (bytes - 4);
		}
		return p[0] | static_cast<std::uint64_t>(p[bytes / 2]) << 8 * (bytes / 2) |
			   static_cast<std::uint64_t>(p[bytes - 1]) << 8 * (bytes - 1);
	}

	static std::uint64_t
	ones(std::uint64_t x) noexcept
	{
		return static_cast<std::uint64_t>(_mm_popcnt_u64(x));
	}

	/* Below this many bytes popcnt is done before the vectors are summed. */
	static constexpr std::size_t kFewBytes = 96;

	static std::uint64_t
	hamming(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept
	{
		std::uint64_t rest = 0;
		std::size_t i = 0;
		if (n >= kFewBytes)
		{
			BitSum sum;
			while (i + 32 <= n)
			{
				std::size_t left = (n - i) / 32;
				for (std::size_t k = left < BitSum::kMostAdds ? left : BitSum::kMostAdds; k > 0; k--, i += 32)
					sum.add(_mm256_xor_si256(load256(a + i), load256(b + i)));
				sum.flush();
			}
			rest = sum.sum();
		}
		for (; i + 8 <= n; i += 8)
			rest += ones(word(a + i) ^ word(b + i));
		if (i < n)
			rest += ones(part_word(a + i, n - i) ^ part_word(b + i, n - i));
		return rest;
	}

	static void
	jaccard_parts(const std::uint8_t *a, const std::uint8_t *b, std::size_t n, std::uint64_t out[2]) noexcept
	{
		out[0] = out[1] = 0;
		std::size_t i = 0;
		if (n >= kFewBytes)
		{
			BitSum both, either;
			while (i + 32 <= n)
			{
				std::size_t left = (n - i) / 32;
				for (std::size_t k = left < BitSum::kMostAdds ? left : BitSum::kMostAdds; k > 0; k--, i += 32)
				{
					__m256i x = load256(a + i), y = load256(b + i);
					both.add(_mm256_and_si256(x, y));
					either.add(_mm256_or_si256(x, y));
				}
				both.flush();
				either.flush();
			}
			out[0] = both.sum();
			out[1] = either.sum();
		}
		for (; i + 8 <= n; i += 8)
		{
			out[0] += ones(word(a + i) & word(b + i));
			out[1] += ones(word(a + i) | word(b + i));
		}
		if (i < n)
		{
			std::uint64_t x = part_word(a + i, n - i), y = part_word(b + i, n - i);
			out[0] += ones(x & y);
			out[1] += ones(x | y);
		}
	}

	/* --- sparse vectors --- */

	static __m256i
	met(__m256i a, const std::int32_t *b) noexcept
	{
		std::int32_t index;
		__builtin_memcpy(&index, b, sizeof index);
		return _mm256_cmpeq_epi32(a, _mm256_set1_epi32(index));
	}

	static unsigned
	among(const std::int32_t *a, const std::int32_t *b) noexcept
	{
		__m256i x = load256(a);
		__m256i m0 = _mm256_or_si256(met(x, b), met(x, b + 1)), m1 = _mm256_or_si256(met(x, b + 2), met(x, b + 3));
		__m256i m2 = _mm256_or_si256(met(x, b + 4), met(x, b + 5)), m3 = _mm256_or_si256(met(x, b + 6), met(x, b + 7));
		__m256i m = _mm256_or_si256(_mm256_or_si256(m0, m1), _mm256_or_si256(m2, m3));
		return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(m)));
	}

	/* All ones where the bit of mask is set. */
	static __m256i
	lanes(unsigned mask) noexcept
	{
		const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
		return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(mask)), bit), bit);
	}

	/* Row m: the places of the bits set in m, a byte each. */
	struct Places
	{
		std::uint64_t of[256];

		constexpr Places() : of()
		{
			for (unsigned m = 0; m < 256; m++)
				for (unsigned bit = 0, count = 0; bit < 8; bit++)
					if ((m >> bit & 1) != 0)
						of[m] |= static_cast<std::uint64_t>(bit) << (8 * count++);
		}
	};
	static const Places places;

	static V
	compress(const float *p, unsigned mask) noexcept
	{
		__m128i bytes = _mm_cvtsi64_si128(static_cast<long long>(places.of[mask]));
		__m256 x = _mm256_permutevar8x32_ps(_mm256_loadu_ps(p), _mm256_cvtepu8_epi32(bytes));
		__m256i count = lanes((1u << __builtin_popcount(mask)) - 1);
		return _mm256_and_ps(x, _mm256_castsi256_ps(count));
	}

	static V
	keep(const float *p, unsigned mask) noexcept
	{
		return _mm256_and_ps(_mm256_loadu_ps(p), _mm256_castsi256_ps(lanes(mask)));
	}

	static void
	pad(const std::int32_t *indices, const float *values, std::size_t k, std::int32_t filler, std::int32_t *to_indices,
		float *to_values) noexcept
	{
		__m256i part = lanes((1u << k) - 1);
		__m256i x = _mm256_maskload_epi32(indices, part);
		_mm256_store_si256(reinterpret_cast<__m256i *>(to_indices),
						   _mm256_blendv_epi8(_mm256_set1_epi32(filler), x, part));
		_mm256_store_ps(to_values, _mm256_maskload_ps(values, part));
	}
};

constexpr Avx2::Places Avx2::places{};

}  // namespace
}  // namespace vecdb::core::distance
