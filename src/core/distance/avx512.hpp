/* SPDX-License-Identifier: PostgreSQL
 * The AVX-512 (F, BW, DQ, VL) primitives, shared by the AVX-512 files.
 *
 * Regime: core. Private to these files.
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
	halves(const std::uint16_t *p) noexcept
	{
		return _mm512_cvtph_ps(load256(p));
	}

	static V
	load_part(const std::uint16_t *p, std::size_t k) noexcept
	{
		return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << k) - 1), p));
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
	nibbles(const std::uint8_t *code, V out[1]) noexcept
	{
		const __m512i shifts = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
		const __m512i halves = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
		__m128i c = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(code));
		__m512i spread = _mm512_permutexvar_epi32(halves, _mm512_castsi128_si512(c));
		__m512i nibble = _mm512_and_si512(_mm512_srlv_epi32(spread, shifts), _mm512_set1_epi32(15));
		out[0] = _mm512_cvtepi32_ps(nibble);
	}

	static void
	sixteen_halves(const std::uint16_t *p, V out[1]) noexcept
	{
		out[0] = _mm512_cvtph_ps(load256(p));
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

	static __m128
	sums_of_three(const V &a, const V &b, const V &c) noexcept
	{
		return Avx2::sums_of_three(fold(a), fold(b), fold(c));
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

	/* As Avx2::nibble_words, of sixteen bytes. */
	static __m512i
	nibble_words(const std::uint8_t *code) noexcept
	{
		__m512i c = _mm512_cvtepu8_epi32(load128(code));
		return _mm512_and_si512(_mm512_or_si512(c, _mm512_slli_epi32(c, 12)), _mm512_set1_epi32(0x000f000f));
	}

	static __m256i
	dot_last(const std::uint8_t *code, const std::int16_t *query) noexcept
	{
		return _mm256_madd_epi16(Avx2::nibble_words(code), load256(query));
	}

	static std::int32_t
	dot_u4_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		__m512i s0 = _mm512_setzero_si512();
		__m512i s1 = s0;
		std::size_t i = 0;
		for (; i + 64 <= n; i += 64)
		{
			s0 = _mm512_add_epi32(s0, _mm512_madd_epi16(nibble_words(code + i / 2), load512(query + i)));
			s1 = _mm512_add_epi32(s1, _mm512_madd_epi16(nibble_words(code + i / 2 + 16), load512(query + i + 32)));
		}
		if (i + 32 <= n)
		{
			s0 = _mm512_add_epi32(s0, _mm512_madd_epi16(nibble_words(code + i / 2), load512(query + i)));
			i += 32;
		}
		if (i < n)
			s1 = _mm512_add_epi32(s1, _mm512_zextsi256_si512(dot_last(code + i / 2, query + i)));
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

	/* --- sign codes --- */

	static V
	quads(const V &v) noexcept
	{
		__m512 x = _mm512_add_ps(v, _mm512_permute_ps(v, 0xb1));
		return _mm512_add_ps(x, _mm512_permute_ps(x, 0x4e));
	}

	static void
	put_signs(std::uint8_t *out, const V in[1]) noexcept
	{
		auto signs = static_cast<std::uint16_t>(~_mm512_movepi32_mask(_mm512_castps_si512(in[0])));
		__builtin_memcpy(out, &signs, sizeof signs);
	}

	/* As Avx2::WordSums. */
	struct WordSums
	{
		__m512i all = _mm512_setzero_si512();
		__m512i odd = _mm512_setzero_si512();

		void
		add(__m512i bytes) noexcept
		{
			all = _mm512_add_epi16(all, bytes);
			odd = _mm512_add_epi16(odd, _mm512_srli_epi16(bytes, 8));
		}

		/* Lanes 0-7 and 8-15, with four parts of the sum each; folded once, into two parts of both. */
		__m512i
		in_order() const noexcept
		{
			__m512i even = _mm512_sub_epi16(all, _mm512_slli_epi16(odd, 8));
			__m512i low = _mm512_unpacklo_epi16(even, odd);
			__m512i high = _mm512_unpackhi_epi16(even, odd);
			return _mm512_add_epi16(_mm512_shuffle_i64x2(low, high, 0x44), _mm512_shuffle_i64x2(low, high, 0xee));
		}
	};

	/* Four segments: what lanes 0-15 and 16-31 pick from the table. */
	static void
	pick(const std::uint8_t *codes, const std::uint8_t *lut, __m512i &low, __m512i &high) noexcept
	{
		const __m512i nibble = _mm512_set1_epi8(15);
		__m512i c = load512(codes);
		__m512i t = load512(lut);
		low = _mm512_shuffle_epi8(t, _mm512_and_si512(c, nibble));
		high = _mm512_shuffle_epi8(t, _mm512_and_si512(_mm512_srli_epi16(c, 4), nibble));
	}

	static std::uint32_t
	fast_scan(const std::uint8_t *codes, const std::uint8_t *lut, std::size_t segments, const std::uint16_t *f_add,
			  const std::uint16_t *f_mul, float add_scale, float mul_scale, float g, float step, float bias,
			  float threshold, float *est) noexcept
	{
		WordSums low, high;
		std::size_t i = 0;
		const std::size_t end = segments * 16;
		__m512i l0, h0, l1, h1;
		for (; i + 128 <= end; i += 128)
		{
			pick(codes + i, lut + i, l0, h0);
			pick(codes + i + 64, lut + i + 64, l1, h1);
			low.add(_mm512_add_epi8(l0, l1));
			high.add(_mm512_add_epi8(h0, h1));
		}
		if (i < end)
		{
			pick(codes + i, lut + i, l0, h0);
			low.add(l0);
			high.add(h0);
		}
		l0 = low.in_order();
		h0 = high.in_order();
		__m512i sums = _mm512_add_epi16(_mm512_shuffle_i64x2(l0, h0, 0x88), _mm512_shuffle_i64x2(l0, h0, 0xdd));

		const __m512 scaled_step = _mm512_set1_ps(step * mul_scale), scaled_bias = _mm512_set1_ps(bias * mul_scale);
		const __m512 base = _mm512_set1_ps(g), scale = _mm512_set1_ps(add_scale), limit = _mm512_set1_ps(threshold);
		std::uint32_t near = 0;
		for (int k = 0; k < 2; k++)
		{
			__m256i acc = k == 0 ? _mm512_castsi512_si256(sums) : _mm512_extracti64x4_epi64(sums, 1);
			__m512 add = _mm512_cvtph_ps(load256(f_add + 16 * k)), mul = _mm512_cvtph_ps(load256(f_mul + 16 * k));
			__m512 e = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(acc)), scaled_step, scaled_bias);
			__m512 x = _mm512_fmadd_ps(mul, e, _mm512_fmadd_ps(add, scale, base));
			_mm512_storeu_ps(est + 16 * k, x);
			near |= static_cast<std::uint32_t>(_mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ)) << (16 * k);
		}
		return near;
	}

	static std::uint32_t
	table_scan(const std::uint8_t *codes, const float *table, std::size_t segments, const std::uint16_t *f_add,
			   const std::uint16_t *f_mul, float add_scale, float mul_scale, float g, float bias, float threshold,
			   float *est) noexcept
	{
		alignas(64) float sums[32];
		Avx2::sum_table(codes, table, segments, bias, sums);
		const __m512 base = _mm512_set1_ps(g), scale = _mm512_set1_ps(add_scale), limit = _mm512_set1_ps(threshold);
		const __m512 factor = _mm512_set1_ps(mul_scale);
		std::uint32_t near = 0;
		for (int k = 0; k < 2; k++)
		{
			__m512 add = _mm512_cvtph_ps(load256(f_add + 16 * k)), mul = _mm512_cvtph_ps(load256(f_mul + 16 * k));
			__m512 x = _mm512_fmadd_ps(mul, _mm512_mul_ps(_mm512_load_ps(sums + 16 * k), factor),
									   _mm512_fmadd_ps(add, scale, base));
			_mm512_storeu_ps(est + 16 * k, x);
			near |= static_cast<std::uint32_t>(_mm512_cmp_ps_mask(x, limit, _CMP_LT_OQ)) << (16 * k);
		}
		return near;
	}

	/* --- signed bytes: as Avx2, twice as wide --- */

	struct Words
	{
		static constexpr std::size_t kBytes = 32;

		static __m512i
		load(const std::int8_t *p) noexcept
		{
			return _mm512_cvtepi8_epi16(load256(p));
		}

		static __m512i
		load_part(const std::int8_t *p, std::size_t k) noexcept
		{
			return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8((static_cast<__mmask32>(1) << k) - 1, p));
		}
	};

	struct SquaredDifferences8 : Words
	{
		__m512i sum = _mm512_setzero_si512();

		void
		add(__m512i a, __m512i b) noexcept
		{
			__m512i d = _mm512_sub_epi16(a, b);
			sum = _mm512_add_epi32(sum, _mm512_madd_epi16(d, d));
		}

		void
		join(const SquaredDifferences8 &other) noexcept
		{
			sum = _mm512_add_epi32(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return _mm512_reduce_add_epi32(sum);
		}
	};

	struct Products8 : Words
	{
		__m512i sum = _mm512_setzero_si512();

		void
		add(__m512i a, __m512i b) noexcept
		{
			sum = _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
		}

		void
		join(const Products8 &other) noexcept
		{
			sum = _mm512_add_epi32(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return _mm512_reduce_add_epi32(sum);
		}
	};

	/* 64 elements as they are. */
	struct Whole
	{
		static constexpr std::size_t kBytes = 64;

		static __m512i
		load(const std::int8_t *p) noexcept
		{
			return load512(p);
		}

		static __m512i
		load_part(const std::int8_t *p, std::size_t k) noexcept
		{
			return _mm512_maskz_loadu_epi8((static_cast<__mmask64>(1) << k) - 1, p);
		}
	};

	struct AbsoluteDifferences8 : Whole
	{
		__m512i sum = _mm512_setzero_si512();

		void
		add(__m512i a, __m512i b) noexcept
		{
			const __m512i top = _mm512_set1_epi8(-128);
			sum = _mm512_add_epi64(sum, _mm512_sad_epu8(_mm512_xor_si512(a, top), _mm512_xor_si512(b, top)));
		}

		void
		join(const AbsoluteDifferences8 &other) noexcept
		{
			sum = _mm512_add_epi64(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return static_cast<std::int32_t>(_mm512_reduce_add_epi64(sum));
		}
	};

	struct CosineSums8 : Words
	{
		Products8 ab, aa, bb;

		void
		add(__m512i a, __m512i b) noexcept
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

	/* Short loops, for which 256 bits do. */
	static constexpr auto i8_to_f32 = Avx2::i8_to_f32;
	static constexpr auto f32_to_f16 = Avx2::f32_to_f16;
	static constexpr auto f16_to_f32 = Avx2::f16_to_f32;
	static constexpr auto sign_lut = Avx2::sign_lut;
	static constexpr auto crc32c = Avx2::crc32c;
	/* Without VPOPCNTDQ, 512 bits gain too little to lower the clock for. */
	static constexpr auto hamming = Avx2::hamming;
	static constexpr auto jaccard_parts = Avx2::jaccard_parts;

	/* --- sparse vectors --- */

	static __mmask16
	still_apart(__mmask16 apart, __m512i a, const std::int32_t *b) noexcept
	{
		std::int32_t index;
		__builtin_memcpy(&index, b, sizeof index);
		return _mm512_mask_cmpneq_epi32_mask(apart, a, _mm512_set1_epi32(index));
	}

	/* Four chains of four. */
	static unsigned
	among(const std::int32_t *a, const std::int32_t *b) noexcept
	{
		__m512i x = load512(a);
		__mmask16 apart[4];
		for (int k = 0; k < 4; k++)
		{
			apart[k] = still_apart(static_cast<__mmask16>(0xffff), x, b + k);
			for (int j = 4; j < 16; j += 4)
				apart[k] = still_apart(apart[k], x, b + j + k);
		}
		return 0xffffu & ~static_cast<unsigned>(apart[0] & apart[1] & apart[2] & apart[3]);
	}

	static V
	compress(const float *p, unsigned mask) noexcept
	{
		return _mm512_maskz_compress_ps(static_cast<__mmask16>(mask), _mm512_loadu_ps(p));
	}

	static V
	keep(const float *p, unsigned mask) noexcept
	{
		return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p);
	}

	static void
	pad(const std::int32_t *indices, const float *values, std::size_t k, std::int32_t filler, std::int32_t *to_indices,
		float *to_values) noexcept
	{
		auto part = static_cast<__mmask16>((1u << k) - 1);
		_mm512_store_si512(to_indices, _mm512_mask_loadu_epi32(_mm512_set1_epi32(filler), part, indices));
		_mm512_store_ps(to_values, _mm512_maskz_loadu_ps(part, values));
	}
};

}  // namespace
}  // namespace vecdb::core::distance
