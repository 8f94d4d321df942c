/* SPDX-License-Identifier: PostgreSQL
 * The AVX-512 (F, BW, DQ, VL) primitives, shared by kernels_avx512.cpp and kernels_avx512vnni.cpp.
 *
 * Regime: core. Private to these two files.
 * Keeps:  anonymous namespace on purpose: each of them has its own copy under its own flags (simd.hpp).
 */
#pragma once

/* GCC 12 takes _mm512_undefined_ps() inside its own intrinsics for a read of garbage (its bug 105593). */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#include "avx2.hpp"
#include "simd.hpp"

namespace vecdb::core::distance
{
namespace
{

struct Avx512
{
	using Narrow = Avx2;
	using Arch = xsimd::avx512f;
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

	static __m512i
	load512(const void *p) noexcept
	{
		return _mm512_loadu_si512(p);
	}

	static V
	fma(const V &a, const V &b, const V &c) noexcept
	{
		return _mm512_fmadd_ps(a, b, c);
	}

	static D
	fma(const D &a, const D &b, const D &c) noexcept
	{
		return _mm512_fmadd_pd(a, b, c);
	}

	static V
	load_part(const float *p, std::size_t k) noexcept
	{
		return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << k) - 1), p);
	}

	static V
	flip(const V &v, const std::uint32_t *signs) noexcept
	{
		return _mm512_xor_ps(v, _mm512_castsi512_ps(load512(signs)));
	}

	/* Each stage: partner + (+-1) * own, the sign picking the sum in the lower lane of a pair. */
	static V
	butterfly(const V &v) noexcept
	{
		const __m512 by1 = _mm512_setr_ps(1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1);
		const __m512 by2 = _mm512_setr_ps(1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1);
		const __m512 by4 = _mm512_setr_ps(1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1);
		const __m512 by8 = _mm512_setr_ps(1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1);
		__m512 x = v;
		x = _mm512_fmadd_ps(x, by1, _mm512_permute_ps(x, 0xb1));
		x = _mm512_fmadd_ps(x, by2, _mm512_permute_ps(x, 0x4e));
		x = _mm512_fmadd_ps(x, by4, _mm512_shuffle_f32x4(x, x, 0xb1));
		x = _mm512_fmadd_ps(x, by8, _mm512_shuffle_f32x4(x, x, 0x4e));
		return x;
	}

	static void
	codes(const std::uint8_t *code, V out[1]) noexcept
	{
		out[0] = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(load128(code)));
	}

	static void
	codes(const std::uint8_t *code, const std::uint8_t *residual, V out[1]) noexcept
	{
		/* 255 * code + residual fits 16 unsigned bits. */
		__m256i c = _mm256_cvtepu8_epi16(load128(code));
		__m256i r = _mm256_cvtepu8_epi16(load128(residual));
		__m256i fine = _mm256_add_epi16(_mm256_mullo_epi16(c, _mm256_set1_epi16(255)), r);
		out[0] = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(fine));
	}

	static void
	put_codes(std::uint8_t *out, const V in[1]) noexcept
	{
		_mm_storeu_si128(reinterpret_cast<__m128i *>(out), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(in[0])));
	}

	static void
	widen(const V &v, D &low, D &high) noexcept
	{
		low = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
		high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
	}

	static void
	put_words(std::int16_t *out, const V in[1]) noexcept
	{
		_mm256_storeu_si256(reinterpret_cast<__m256i *>(out), _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(in[0])));
	}

	static __m256
	fold(const V &v) noexcept
	{
		return _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
	}

	static float
	sum(const V &v) noexcept
	{
		return Avx2::sum(fold(v));
	}

	static void
	sum_three(const V &a, const V &b, const V &c, float out[3]) noexcept
	{
		Avx2::sum_three(fold(a), fold(b), fold(c), out);
	}

	static __m512i
	dot32(const std::uint8_t *code, const std::int16_t *query) noexcept
	{
		return _mm512_madd_epi16(_mm512_cvtepu8_epi16(load256(code)), load512(query));
	}

	static std::int32_t
	dot_u8_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		__m512i s0 = _mm512_setzero_si512();
		__m512i s1 = s0;
		std::size_t i = 0;
		for (; i + 64 <= n; i += 64)
		{
			s0 = _mm512_add_epi32(s0, dot32(code + i, query + i));
			s1 = _mm512_add_epi32(s1, dot32(code + i + 32, query + i + 32));
		}
		if (i + 32 <= n)
		{
			s0 = _mm512_add_epi32(s0, dot32(code + i, query + i));
			i += 32;
		}
		if (i < n)
		{
			__m256i last = _mm256_madd_epi16(_mm256_cvtepu8_epi16(load128(code + i)), load256(query + i));
			s1 = _mm512_add_epi32(s1, _mm512_zextsi256_si512(last));
		}
		return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
	}

	static __m512i
	dot32(const std::uint8_t *a, const std::uint8_t *b) noexcept
	{
		return _mm512_madd_epi16(_mm512_cvtepu8_epi16(load256(a)), _mm512_cvtepu8_epi16(load256(b)));
	}

	static std::int32_t
	dot_u8_u8(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept
	{
		__m512i s0 = _mm512_setzero_si512();
		__m512i s1 = s0;
		std::size_t i = 0;
		for (; i + 64 <= n; i += 64)
		{
			s0 = _mm512_add_epi32(s0, dot32(a + i, b + i));
			s1 = _mm512_add_epi32(s1, dot32(a + i + 32, b + i + 32));
		}
		if (i + 32 <= n)
		{
			s0 = _mm512_add_epi32(s0, dot32(a + i, b + i));
			i += 32;
		}
		if (i < n)
		{
			__m256i last =
				_mm256_madd_epi16(_mm256_cvtepu8_epi16(load128(a + i)), _mm256_cvtepu8_epi16(load128(b + i)));
			s1 = _mm512_add_epi32(s1, _mm512_zextsi256_si512(last));
		}
		return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
	}
};

}  // namespace
}  // namespace vecdb::core::distance
