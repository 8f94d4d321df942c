/* SPDX-License-Identifier: PostgreSQL
 * Kernels for AVX-512 with VNNI and VPOPCNTDQ: bits are counted by vpopcntq. Compiled with these flags, exports
 * kernels_avx512vpopcnt only.
 *
 * Regime: core.
 */
#if defined(__x86_64__)

#if !defined(__AVX512VPOPCNTDQ__) || !defined(__AVX512VNNI__)
#error "compile this file with the flags of kernels_avx512vnni.cpp and -mavx512vpopcntdq"
#endif

#include "avx512vnni.hpp"

namespace vecdb::core::distance
{
namespace
{

struct Avx512Vpopcnt : Avx512Vnni
{
	/* Bits of operation(a, b) as counts of 64-bit words; two sums hide the latency of the counting. */
	template <class Operation>
	static std::uint64_t
	count(const std::uint8_t *a, const std::uint8_t *b, std::size_t n, Operation operation) noexcept
	{
		__m512i s0 = _mm512_setzero_si512();
		__m512i s1 = s0;
		std::size_t i = 0;
		if (n >= kAlignFrom)
		{
			i = before_line(a);
			s1 = _mm512_popcnt_epi64(
				operation(_mm512_maskz_loadu_epi8(first(i), a), _mm512_maskz_loadu_epi8(first(i), b)));
		}
		for (; i + 128 <= n; i += 128)
		{
			s0 = _mm512_add_epi64(s0, _mm512_popcnt_epi64(operation(load512(a + i), load512(b + i))));
			s1 = _mm512_add_epi64(s1, _mm512_popcnt_epi64(operation(load512(a + i + 64), load512(b + i + 64))));
		}
		if (i + 64 <= n)
		{
			s0 = _mm512_add_epi64(s0, _mm512_popcnt_epi64(operation(load512(a + i), load512(b + i))));
			i += 64;
		}
		if (i < n)
		{
			__mmask64 part = first(n - i);
			s1 = _mm512_add_epi64(s1, _mm512_popcnt_epi64(operation(_mm512_maskz_loadu_epi8(part, a + i),
																	_mm512_maskz_loadu_epi8(part, b + i))));
		}
		return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(s0, s1)));
	}

	/* From so many bytes on it pays to begin with a part, after which the registers of one side are those of cache lines: values of
	 * the server lie at multiples of 8 bytes, and a register that crosses a line is two loads. (Counts do not depend on the order of
	 * adding. Sums of floats would: their kernels do not do this, since equal vectors must have equal distances wherever they lie.) */
	static constexpr std::size_t kAlignFrom = 1024;

	/* Bytes before the next cache line. */
	static std::size_t
	before_line(const std::uint8_t *p) noexcept
	{
		return (64 - reinterpret_cast<std::uintptr_t>(p) % 64) % 64;
	}

	static __mmask64
	first(std::size_t bytes) noexcept
	{
		return (static_cast<__mmask64>(1) << bytes) - 1;
	}

	static std::uint64_t
	hamming(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept
	{
		return count(a, b, n, [](__m512i x, __m512i y) noexcept { return _mm512_xor_si512(x, y); });
	}

	static void
	jaccard_parts(const std::uint8_t *a, const std::uint8_t *b, std::size_t n, std::uint64_t out[2]) noexcept
	{
		__m512i both = _mm512_setzero_si512();
		__m512i either = both;
		std::size_t i = 0;
		if (n >= kAlignFrom)
		{
			i = before_line(a);
			__m512i x = _mm512_maskz_loadu_epi8(first(i), a), y = _mm512_maskz_loadu_epi8(first(i), b);
			both = _mm512_popcnt_epi64(_mm512_and_si512(x, y));
			either = _mm512_popcnt_epi64(_mm512_or_si512(x, y));
		}
		__m512i both1 = _mm512_setzero_si512(), either1 = both1;
		for (; i + 128 <= n; i += 128)
		{
			__m512i x = load512(a + i), y = load512(b + i), x1 = load512(a + i + 64), y1 = load512(b + i + 64);
			both = _mm512_add_epi64(both, _mm512_popcnt_epi64(_mm512_and_si512(x, y)));
			either = _mm512_add_epi64(either, _mm512_popcnt_epi64(_mm512_or_si512(x, y)));
			both1 = _mm512_add_epi64(both1, _mm512_popcnt_epi64(_mm512_and_si512(x1, y1)));
			either1 = _mm512_add_epi64(either1, _mm512_popcnt_epi64(_mm512_or_si512(x1, y1)));
		}
		for (; i < n; i += 64)
		{
			__mmask64 part = n - i < 64 ? first(n - i) : ~static_cast<__mmask64>(0);
			__m512i x = _mm512_maskz_loadu_epi8(part, a + i);
			__m512i y = _mm512_maskz_loadu_epi8(part, b + i);
			both = _mm512_add_epi64(both, _mm512_popcnt_epi64(_mm512_and_si512(x, y)));
			either = _mm512_add_epi64(either, _mm512_popcnt_epi64(_mm512_or_si512(x, y)));
		}
		out[0] = static_cast<std::uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(both, both1)));
		out[1] = static_cast<std::uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(either, either1)));
	}
};

}  // namespace

constinit const Kernels kernels_avx512vpopcnt = simd::make_table<Avx512Vpopcnt>("avx512vpopcnt");

}  // namespace vecdb::core::distance

#endif
