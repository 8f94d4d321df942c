/* SPDX-License-Identifier: PostgreSQL
 * The digits of many numbers at once.
 *
 * Regime: core.
 * How:    R. Giulietti, "The Schubfach way to render doubles" (2020), here for floats: the interval of numbers that round to
 *         the value, scaled by a power of ten so that it holds two to twenty integers, from three products of 32 by 64
 *         bits, each rounded to odd. The bounds never count as inside, whether the mantissa is even or not.
 * Speed:  not a branch, and 32-bit words throughout, so that the compiler makes the loops run on wide registers. Hence the
 *         choices written as numbers 0 and 1: a bool in a register makes GCC 12 give up.
 */
#include "vecdb/codec/float_text.hpp"

#include <array>

/* With it the two loops are compiled for AVX2 wherever the rest may run; float_digits_are_fast() asks the machine. */
#if defined(__x86_64__)
#define VECDB_WIDE [[gnu::target("avx2")]]
#else
#define VECDB_WIDE
#endif

namespace vecdb::core::codec
{

namespace
{

/* --- powers of ten, 64 bits of each, rounded up --- */

constexpr int kLeastPower = -31, kGreatestPower = 45;

constexpr std::int32_t
floor_log2_of_power(std::int32_t e) noexcept
{
	return (e * 1741647) >> 19;
}

/* Little-endian words; 10^45 * 2^64 and 2^167 fit. */
struct Wide
{
	std::uint32_t word[8] = {};

	constexpr void
	multiply(std::uint32_t by) noexcept
	{
		std::uint64_t carry = 0;
		for (std::uint32_t &x : word)
		{
			carry += static_cast<std::uint64_t>(x) * by;
			x = static_cast<std::uint32_t>(carry);
			carry >>= 32;
		}
	}

	/* True when nothing is left over. */
	constexpr bool
	divide(std::uint32_t by) noexcept
	{
		std::uint64_t rest = 0;
		for (int i = 7; i >= 0; i--)
		{
			rest = rest << 32 | word[i];
			word[i] = static_cast<std::uint32_t>(rest / by);
			rest %= by;
		}
		return rest == 0;
	}
};

/* 10^e / 2^(floor(log2 10^e) - 63), rounded up. */
constexpr std::uint64_t
scaled_power(int e) noexcept
{
	Wide x;
	int shift = 63 - floor_log2_of_power(e);
	bool exact = true;
	x.word[shift >= 0 ? shift / 32 : 0] = std::uint32_t{1} << (shift >= 0 ? shift % 32 : 0);
	for (int i = 0; i < e; i++)
		x.multiply(10);
	for (int i = 0; i < -e; i++)
		exact = x.divide(10) && exact;
	for (int i = 0; i < -shift; i++)
		exact = x.divide(2) && exact;
	return (static_cast<std::uint64_t>(x.word[1]) << 32 | x.word[0]) + (exact ? 0 : 1);
}

struct Powers
{
	std::uint32_t high[kGreatestPower - kLeastPower + 1], low[kGreatestPower - kLeastPower + 1];
};

constexpr Powers kPowers = [] {
	Powers powers{};
	for (int e = kLeastPower; e <= kGreatestPower; e++)
	{
		powers.high[e - kLeastPower] = static_cast<std::uint32_t>(scaled_power(e) >> 32);
		powers.low[e - kLeastPower] = static_cast<std::uint32_t>(scaled_power(e));
	}
	return powers;
}();
static_assert(kPowers.high[-kLeastPower] == 0x80000000u && kPowers.low[-kLeastPower] == 0);

/* --- words --- */

inline std::uint32_t
multiply_high(std::uint32_t a, std::uint32_t b) noexcept
{
	return static_cast<std::uint32_t>(static_cast<std::uint64_t>(a) * b >> 32);
}

/* power * x / 2^64, the last bit set where bits were lost (one unit too many in power is not a loss). */
inline std::uint32_t
multiply_to_odd(std::uint32_t power_high, std::uint32_t power_low, std::uint32_t x) noexcept
{
	std::uint32_t low = power_high * x;
	std::uint32_t middle = low + multiply_high(power_low, x);
	std::uint32_t high = multiply_high(power_high, x) + (middle < low ? 1u : 0u);
	return high | (middle > 1 ? 1u : 0u);
}

/* n < 10^4 as four digits of a byte each, the first in the lowest byte. */
inline std::uint32_t
four_digits(std::uint32_t n) noexcept
{
	std::uint32_t hundreds = n * 5243 >> 19;
	std::uint32_t twos = hundreds | (n - 100 * hundreds) << 16;
	std::uint32_t tens = (twos * 103 >> 10) & 0x000f000fu;
	return tens | (twos - 10 * tens) << 8;
}

}  // namespace

bool
float_digits_are_fast() noexcept
{
#if defined(__x86_64__)
	static const bool fast = __builtin_cpu_supports("avx2");
	return fast;
#else
	return false;
#endif
}

VECDB_WIDE void
float_digits(const float *x, FloatDigits &out) noexcept
{
	std::uint32_t bits[kTextBlock];
	std::memcpy(bits, x, sizeof bits);
	for (std::size_t i = 0; i < kTextBlock; i++)
	{
		std::uint32_t fraction = bits[i] & 0x7fffffu;
		auto biased_exponent = static_cast<std::int32_t>(bits[i] >> 23 & 0xff);
		std::uint32_t c = fraction | (biased_exponent != 0 ? 0x800000u : 0u);
		std::int32_t q = (biased_exponent > 1 ? biased_exponent : 1) - 150;

		/* Quarters of a unit: the value, and half-way to its neighbours; below a power of two the neighbour is nearer. */
		std::uint32_t near_below = (fraction == 0 ? 1u : 0u) & (biased_exponent > 1 ? 1u : 0u);
		std::uint32_t middle = 4 * c, below = middle - 2 + near_below, above = middle + 2;
		/* floor of log10 of the interval's width */
		std::int32_t k = (q * 1262611 - static_cast<std::int32_t>(near_below) * 524031) >> 22;
		std::int32_t shift = q + floor_log2_of_power(-k) + 1;
		std::uint32_t power_high = kPowers.high[-k - kLeastPower], power_low = kPowers.low[-k - kLeastPower];
		std::uint32_t least = multiply_to_odd(power_high, power_low, below << shift) + 1;
		std::uint32_t scaled = multiply_to_odd(power_high, power_low, middle << shift);
		std::uint32_t greatest = multiply_to_odd(power_high, power_low, above << shift) - 1;

		/* One digit fewer if that is inside, else the nearer of the two neighbours that are. */
		std::uint32_t s = scaled / 4, tens = s / 10, half = 4 * s + 2;
		std::uint32_t tens_down = least <= 40 * tens ? 1u : 0u, tens_up = 40 * tens + 40 <= greatest ? 1u : 0u;
		std::uint32_t down = least <= 4 * s ? 1u : 0u, up = 4 * s + 4 <= greatest ? 1u : 0u;
		std::uint32_t nearer_up = (scaled > half ? 1u : 0u) | ((scaled == half ? 1u : 0u) & s);
		std::uint32_t one_inside = 0 - (down ^ up);
		std::uint32_t digits = s + ((one_inside & up) | (~one_inside & nearer_up));
		std::uint32_t fewer = 10 * (tens + tens_up);
		std::uint32_t mask = 0 - ((tens_down ^ tens_up) & (s >= 10 ? 1u : 0u));
		std::uint32_t nine = (fewer & mask) | (digits & ~mask);

		/* Zeros behind, up to nine digits. */
		std::int32_t exponent = k + 8;
		exponent = nine < 10u ? exponent - 8 : exponent;
		nine = nine < 10u ? nine * 100000000u : nine;
		exponent = nine < 100000u ? exponent - 4 : exponent;
		nine = nine < 100000u ? nine * 10000u : nine;
		exponent = nine < 10000000u ? exponent - 2 : exponent;
		nine = nine < 10000000u ? nine * 100u : nine;
		exponent = nine < 100000000u ? exponent - 1 : exponent;
		nine = nine < 100000000u ? nine * 10u : nine;

		std::uint32_t first = nine / 100000000;
		std::uint32_t eight = nine - first * 100000000;
		std::uint32_t left = eight / 10000;
		out.first[i] = static_cast<std::int32_t>(first);
		out.left[i] = four_digits(left);
		out.right[i] = four_digits(eight - left * 10000);
		out.exponent[i] = exponent;
	}
}

VECDB_WIDE void
successor_digits(const std::int32_t *n, IntegerDigits &out) noexcept
{
	std::uint32_t numbers[kTextBlock];
	std::memcpy(numbers, n, sizeof numbers);
	for (std::size_t i = 0; i < kTextBlock; i++)
	{
		std::uint32_t number = numbers[i] + 1;
		std::uint32_t top = number / 100000000;
		std::uint32_t eight = number - top * 100000000;
		std::uint32_t left = eight / 10000;
		out.top[i] = top;
		out.left[i] = four_digits(left);
		out.right[i] = four_digits(eight - left * 10000);
	}
}

}  // namespace vecdb::core::codec
