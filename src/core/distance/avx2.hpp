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
		out[1] = _mm256_cvtepi32_ps(
			_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(code + 8))));
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

	static void
	sum_three(const V &a, const V &b, const V &c, float out[3]) noexcept
	{
		__m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, c));  // a b c c in both halves
		__m128 sums = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
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
};

}  // namespace
}  // namespace vecdb::core::distance
