/* SPDX-License-Identifier: PostgreSQL
 * The AVX-512 primitives with integer dot products by vpdpwssd and vpdpbusd (VNNI), shared by kernels_avx512vnni.cpp
 * and kernels_avx512vpopcnt.cpp.
 *
 * Regime: core. Private to these two files.
 * Keeps:  anonymous namespace on purpose: each of them has its own copy under its own flags (simd.hpp).
 */
#pragma once

#include "avx512.hpp"

namespace vecdb::core::distance
{
namespace
{

struct Avx512Vnni : Avx512
{
	static __m512i
	add_dot32(__m512i sum, const std::uint8_t *code, const std::int16_t *query) noexcept
	{
		return _mm512_dpwssd_epi32(sum, _mm512_cvtepu8_epi16(load256(code)), load512(query));
	}

	static std::int32_t
	dot_u8_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		__m512i s0 = _mm512_setzero_si512();
		__m512i s1 = s0, s2 = s0, s3 = s0;
		std::size_t i = 0;
		for (; i + 128 <= n; i += 128)
		{
			s0 = add_dot32(s0, code + i, query + i);
			s1 = add_dot32(s1, code + i + 32, query + i + 32);
			s2 = add_dot32(s2, code + i + 64, query + i + 64);
			s3 = add_dot32(s3, code + i + 96, query + i + 96);
		}
		if (i + 64 <= n)
		{
			s0 = add_dot32(s0, code + i, query + i);
			s1 = add_dot32(s1, code + i + 32, query + i + 32);
			i += 64;
		}
		if (i + 32 <= n)
		{
			s2 = add_dot32(s2, code + i, query + i);
			i += 32;
		}
		if (i < n)
		{
			__m512i last_code = _mm512_zextsi256_si512(_mm256_cvtepu8_epi16(load128(code + i)));
			__m512i last_query = _mm512_zextsi256_si512(load256(query + i));
			s3 = _mm512_dpwssd_epi32(s3, last_code, last_query);
		}
		return _mm512_reduce_add_epi32(_mm512_add_epi32(_mm512_add_epi32(s0, s1), _mm512_add_epi32(s2, s3)));
	}

	static std::int32_t
	dot_u4_i16(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept
	{
		__m512i s0 = _mm512_setzero_si512();
		__m512i s1 = s0;
		std::size_t i = 0;
		for (; i + 64 <= n; i += 64)
		{
			s0 = _mm512_dpwssd_epi32(s0, nibble_words(code + i / 2), load512(query + i));
			s1 = _mm512_dpwssd_epi32(s1, nibble_words(code + i / 2 + 16), load512(query + i + 32));
		}
		if (i + 32 <= n)
		{
			s0 = _mm512_dpwssd_epi32(s0, nibble_words(code + i / 2), load512(query + i));
			i += 32;
		}
		if (i < n)
			s1 = _mm512_add_epi32(s1, _mm512_zextsi256_si512(dot_last(code + i / 2, query + i)));
		return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
	}

	/* vpdpbusd wants one signed side: a.b = a.(b - 128) + 128 * sum a, and b - 128 is b with its top bit
	 * flipped. Both parts stay within int32 for n <= 32768. */
	struct ShiftedSums
	{
		__m512i dot = _mm512_setzero_si512();
		__m512i sum = _mm512_setzero_si512();

		void
		add(__m512i a, __m512i b) noexcept
		{
			dot = _mm512_dpbusd_epi32(dot, a, _mm512_xor_si512(b, _mm512_set1_epi8(-128)));
			sum = _mm512_dpbusd_epi32(sum, a, _mm512_set1_epi8(1));
		}
	};

	static std::int32_t
	dot_u8_u8(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept
	{
		ShiftedSums s0, s1;
		std::size_t i = 0;
		for (; i + 128 <= n; i += 128)
		{
			s0.add(load512(a + i), load512(b + i));
			s1.add(load512(a + i + 64), load512(b + i + 64));
		}
		if (i + 64 <= n)
		{
			s0.add(load512(a + i), load512(b + i));
			i += 64;
		}
		if (i < n)
		{
			/* Zero bytes of a add nothing to either sum. */
			__mmask64 part = (static_cast<__mmask64>(1) << (n - i)) - 1;
			s1.add(_mm512_maskz_loadu_epi8(part, a + i), _mm512_maskz_loadu_epi8(part, b + i));
		}
		__m512i dot = _mm512_add_epi32(s0.dot, s1.dot);
		__m512i sum = _mm512_add_epi32(s0.sum, s1.sum);
		return _mm512_reduce_add_epi32(_mm512_add_epi32(dot, _mm512_slli_epi32(sum, 7)));
	}

	/* --- signed bytes. vpdpbusd's unsigned side is a + 128 (its top bit flipped): a.b = (a + 128).b - 128 * sum b. Zero bytes
	 * of b add nothing. Sums wrap at 32 bits, what comes out fits. --- */

	static __m512i
	raised(__m512i a) noexcept
	{
		return _mm512_xor_si512(a, _mm512_set1_epi8(-128));
	}

	static __m512i
	plus_sum(__m512i sum, __m512i b) noexcept
	{
		return _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), b);
	}

	static __m512i
	without_raise(__m512i dot, __m512i sum) noexcept
	{
		return _mm512_sub_epi32(dot, _mm512_slli_epi32(sum, 7));
	}

	struct Products8 : Whole
	{
		__m512i dot = _mm512_setzero_si512();
		__m512i sum = _mm512_setzero_si512();

		void
		add(__m512i a, __m512i b) noexcept
		{
			dot = _mm512_dpbusd_epi32(dot, raised(a), b);
			sum = plus_sum(sum, b);
		}

		void
		join(const Products8 &other) noexcept
		{
			dot = _mm512_add_epi32(dot, other.dot);
			sum = _mm512_add_epi32(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return _mm512_reduce_add_epi32(without_raise(dot, sum));
		}
	};

	/* The difference is an unsigned byte d, and d - 128 a signed one: d.d = d.(d - 128) + 128 * sum d. */
	struct SquaredDifferences8 : Whole
	{
		__m512i dot = _mm512_setzero_si512();
		__m512i sum = _mm512_setzero_si512();

		void
		add(__m512i a, __m512i b) noexcept
		{
			__m512i d = _mm512_sub_epi8(_mm512_max_epi8(a, b), _mm512_min_epi8(a, b));
			dot = _mm512_dpbusd_epi32(dot, d, raised(d));
			sum = _mm512_add_epi64(sum, _mm512_sad_epu8(d, _mm512_setzero_si512()));
		}

		void
		join(const SquaredDifferences8 &other) noexcept
		{
			dot = _mm512_add_epi32(dot, other.dot);
			sum = _mm512_add_epi64(sum, other.sum);
		}

		std::int32_t
		total() const noexcept
		{
			return _mm512_reduce_add_epi32(_mm512_add_epi32(dot, _mm512_slli_epi64(sum, 7)));
		}
	};

	struct CosineSums8 : Whole
	{
		__m512i ab = _mm512_setzero_si512(), aa = ab, bb = ab, a_sum = ab, b_sum = ab;

		void
		add(__m512i a, __m512i b) noexcept
		{
			__m512i raised_a = raised(a);
			ab = _mm512_dpbusd_epi32(ab, raised_a, b);
			aa = _mm512_dpbusd_epi32(aa, raised_a, a);
			bb = _mm512_dpbusd_epi32(bb, raised(b), b);
			a_sum = plus_sum(a_sum, a);
			b_sum = plus_sum(b_sum, b);
		}

		void
		join(const CosineSums8 &other) noexcept
		{
			ab = _mm512_add_epi32(ab, other.ab);
			aa = _mm512_add_epi32(aa, other.aa);
			bb = _mm512_add_epi32(bb, other.bb);
			a_sum = _mm512_add_epi32(a_sum, other.a_sum);
			b_sum = _mm512_add_epi32(b_sum, other.b_sum);
		}

		void
		totals(std::int32_t out[3]) const noexcept
		{
			out[0] = _mm512_reduce_add_epi32(without_raise(ab, b_sum));
			out[1] = _mm512_reduce_add_epi32(without_raise(aa, a_sum));
			out[2] = _mm512_reduce_add_epi32(without_raise(bb, b_sum));
		}
	};
};

}  // namespace
}  // namespace vecdb::core::distance
