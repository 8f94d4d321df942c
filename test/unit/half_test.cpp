/* SPDX-License-Identifier: PostgreSQL
 * Half floats: every one of the 65536, every midpoint between two of them, and each instruction set bit for bit
 * like the scalar form.
 */
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "vecdb/base/half.hpp"
#include "vecdb/distance/kernels.hpp"

namespace
{

using namespace vecdb::core;

std::uint16_t
half(unsigned bits)
{
	return static_cast<std::uint16_t>(bits);
}

/* What a finite half stands for, from the definition. */
double
value(unsigned bits)
{
	int exponent = static_cast<int>(bits >> 10 & 31), mantissa = static_cast<int>(bits & 1023);
	double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
	return bits >> 15 != 0 ? -magnitude : magnitude;
}

TEST(HalfTest, EveryHalfIsExactAndComesBack)
{
	for (unsigned bits = 0; bits < 0x10000; bits++)
	{
		float x = half_to_float(half(bits));
		if ((bits & 0x7fff) < kHalfInfinity)
		{
			ASSERT_EQ(static_cast<double>(x), value(bits)) << bits;
			ASSERT_EQ(std::signbit(x), bits >> 15 != 0) << bits;
			ASSERT_EQ(half_from_float(x), bits);
		}
		else if ((bits & 0x7fff) == kHalfInfinity)
			ASSERT_EQ(x, bits >> 15 != 0 ? -INFINITY : INFINITY);
		else
		{
			ASSERT_TRUE(std::isnan(x)) << bits;
			ASSERT_EQ(half_from_float(x), bits | 0x200) << bits;
		}
	}
}

TEST(HalfTest, RoundsToTheNearestAndTiesToEven)
{
	for (unsigned bits = 0; bits < 0x7bff; bits++)
	{
		float middle = static_cast<float>((value(bits) + value(bits + 1)) / 2);  // exact: one bit more
		ASSERT_EQ(half_from_float(middle), bits % 2 == 0 ? bits : bits + 1) << bits;
		ASSERT_EQ(half_from_float(std::nextafter(middle, 0.0f)), bits) << bits;
		ASSERT_EQ(half_from_float(std::nextafter(middle, 1e9f)), bits + 1) << bits;
		ASSERT_EQ(half_from_float(-middle), 0x8000 | (bits % 2 == 0 ? bits : bits + 1)) << bits;
	}
}

TEST(HalfTest, SaturatesAndKeepsNan)
{
	for (float x : {65504.0f, 65504.1f, 65520.0f, 1e6f, 3.4e38f, INFINITY})
	{
		EXPECT_EQ(half_to_float(half_from_float(x)), kGreatestHalf);
		EXPECT_EQ(half_to_float(half_from_float(-x)), -kGreatestHalf);
	}
	EXPECT_TRUE(std::isnan(half_to_float(half_from_float(NAN))));
	EXPECT_EQ(half_from_float(1e-45f), 0);
	EXPECT_EQ(half_from_float(-1e-45f), 0x8000);
}

TEST(HalfTest, EveryInstructionSetAgreesToTheLastBit)
{
	const distance::Kernels *tables[8];
	const std::size_t count = distance::available_kernels(tables);
	std::vector<float> in;
	for (unsigned bits = 0; bits < 0x10000; bits++)
	{
		float x = half_to_float(half(bits)), y = half_to_float(half(bits ^ 1));
		in.push_back(x);
		in.push_back((x + y) / 2);
	}
	std::mt19937 random(7);
	for (int i = 0; i < 100000; i++)
		in.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
	std::vector<std::uint16_t> want(in.size()), all(0x10000);
	for (std::size_t i = 0; i < in.size(); i++)
		want[i] = half_from_float(in[i]);
	for (unsigned bits = 0; bits < 0x10000; bits++)
		all[bits] = half(bits);
	for (std::size_t t = 0; t < count; t++)
	{
		const distance::Kernels &k = *tables[t];
		std::vector<std::uint16_t> got(in.size());
		k.f32_to_f16(in.data(), got.data(), in.size());
		ASSERT_EQ(got, want) << k.isa;
		std::vector<float> wide(all.size());
		k.f16_to_f32(all.data(), wide.data(), all.size());
		for (unsigned bits = 0; bits < 0x10000; bits++)
			ASSERT_EQ(std::bit_cast<std::uint32_t>(wide[bits]), std::bit_cast<std::uint32_t>(half_to_float(half(bits))))
				<< k.isa << ' ' << bits;
		/* Short and odd lengths, and nothing written behind them. */
		for (std::size_t n = 0; n < 40; n++)
		{
			std::vector<std::uint16_t> part(n + 1, 0xabcd);
			k.f32_to_f16(in.data() + 1000, part.data(), n);
			for (std::size_t i = 0; i < n; i++)
				ASSERT_EQ(part[i], want[1000 + i]) << k.isa << ' ' << n;
			ASSERT_EQ(part[n], 0xabcd) << k.isa << ' ' << n;
			std::vector<float> wide_part(n + 1, -1.5f);
			k.f16_to_f32(all.data() + 1000, wide_part.data(), n);
			for (std::size_t i = 0; i < n; i++)
				ASSERT_EQ(wide_part[i], half_to_float(all[1000 + i])) << k.isa << ' ' << n;
			ASSERT_EQ(wide_part[n], -1.5f) << k.isa << ' ' << n;
		}
	}
}

}  // namespace
