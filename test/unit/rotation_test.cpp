/* SPDX-License-Identifier: PostgreSQL
 * The rotation is orthogonal, invertible, mixing, and the same on every instruction set to the last bit.
 */
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "vecdb/quantizer/rotation.hpp"

namespace
{

using namespace vecdb::core;
using distance::Kernels;
using quantizer::Rotation;

constexpr std::size_t kLengths[] = {16,  32,  48,  64,  80,  96,  112,  128,  144,  208,  240,
									256, 400, 512, 528, 768, 784, 1024, 1536, 2000, 4096, 16000};

std::vector<float>
random_vector(std::size_t n, unsigned seed)
{
	std::mt19937_64 random(seed);
	std::normal_distribution<float> normal;
	std::vector<float> v(n);
	for (float &x : v)
		x = normal(random);
	return v;
}

double
dot(const std::vector<float> &a, const std::vector<float> &b)
{
	double sum = 0;
	for (std::size_t i = 0; i < a.size(); i++)
		sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
	return sum;
}

/* The rounds undone in long double: plain loops, last step first. */
std::vector<long double>
unrotate(const Rotation &r, const std::vector<float> &rotated)
{
	std::vector<long double> x(rotated.begin(), rotated.end());
	for (std::size_t round = 4; round-- > 0;)
	{
		if (r.w != r.n)
			for (std::size_t i = 0; i < r.n / 2; i++)
			{
				long double a = x[i], b = x[i + r.n / 2];
				x[i] = (a + b) / std::sqrt(2.0L);
				x[i + r.n / 2] = (a - b) / std::sqrt(2.0L);
			}
		long double *part = x.data() + (round % 2 == 0 ? 0 : r.n - r.w);
		for (std::size_t h = 1; h < r.w; h *= 2)
			for (std::size_t i = 0; i < r.w; i += 2 * h)
				for (std::size_t j = i; j < i + h; j++)
				{
					long double a = part[j], b = part[j + h];
					part[j] = a + b;
					part[j + h] = a - b;
				}
		for (std::size_t i = 0; i < r.w; i++)
			part[i] /= std::sqrt(static_cast<long double>(r.w));
		for (std::size_t i = 0; i < r.n; i++)
			if (r.signs[round * r.n + i] != 0)
				x[i] = -x[i];
	}
	return x;
}

TEST(RotationTest, SignsAreDeterministicAndBalanced)
{
	for (std::size_t n : kLengths)
	{
		std::vector<std::uint32_t> signs(4 * n), again(4 * n), other(4 * n);
		Rotation r = quantizer::rotation_init(n, 42, signs.data());
		quantizer::rotation_init(n, 42, again.data());
		quantizer::rotation_init(n, 43, other.data());
		EXPECT_EQ(r.n, n);
		EXPECT_LE(r.w, n);
		EXPECT_GT(2 * r.w, n);
		EXPECT_EQ(r.w & (r.w - 1), 0u);
		EXPECT_EQ(signs, again);
		EXPECT_NE(signs, other);
		double negative = 0;
		for (std::uint32_t s : signs)
		{
			EXPECT_TRUE(s == 0 || s == 0x80000000u);
			negative += s != 0;
		}
		double expected = 2.0 * static_cast<double>(n);
		EXPECT_NEAR(negative, expected, 5 * std::sqrt(static_cast<double>(n)));
	}
}

/* The seed is on disk: these words may never change. */
TEST(RotationTest, SignsOfSeedOneAreFrozen)
{
	std::vector<std::uint32_t> signs(64);
	quantizer::rotation_init(16, 1, signs.data());
	std::uint64_t bits = 0;
	for (std::size_t i = 0; i < 64; i++)
		bits |= static_cast<std::uint64_t>(signs[i] >> 31) << i;
	EXPECT_EQ(bits, 0x910a2dec89025cc1u);  // splitmix64(1)
}

TEST(RotationTest, KeepsNormsAndInnerProducts)
{
	for (std::size_t n : kLengths)
	{
		std::vector<std::uint32_t> signs(4 * n);
		Rotation r = quantizer::rotation_init(n, 7, signs.data());
		std::vector<float> a = random_vector(n, 1), b = random_vector(n, 2);
		double aa = dot(a, a), bb = dot(b, b), ab = dot(a, b);
		quantizer::rotate(r, a.data());
		quantizer::rotate(r, b.data());
		EXPECT_NEAR(dot(a, a) / aa, 1.0, 2e-6) << n;
		EXPECT_NEAR(dot(a, b), ab, 2e-6 * std::sqrt(aa * bb)) << n;
	}
}

TEST(RotationTest, CanBeUndone)
{
	for (std::size_t n : kLengths)
	{
		std::vector<std::uint32_t> signs(4 * n);
		Rotation r = quantizer::rotation_init(n, 99, signs.data());
		std::vector<float> v = random_vector(n, 3), rotated = v;
		quantizer::rotate(r, rotated.data());
		std::vector<long double> back = unrotate(r, rotated);
		for (std::size_t i = 0; i < n; i++)
			ASSERT_NEAR(static_cast<double>(back[i]), static_cast<double>(v[i]), 1e-5) << n << ' ' << i;
	}
}

/* One coordinate spreads over all: otherwise codes of sparse input would be poor. */
TEST(RotationTest, SpreadsASingleCoordinate)
{
	for (std::size_t n : {112u, 128u, 768u, 784u, 1536u})
		for (std::size_t i : {std::size_t{0}, n / 2, n - 1})
		{
			std::vector<std::uint32_t> signs(4 * n);
			Rotation r = quantizer::rotation_init(n, 5, signs.data());
			std::vector<float> v(n, 0.0f);
			v[i] = 1.0f;
			quantizer::rotate(r, v.data());
			float most = 0;
			for (float x : v)
				most = std::max(most, std::fabs(x));
			EXPECT_LT(most, 6.0f / std::sqrt(static_cast<float>(n))) << n << ' ' << i;
		}
}

/* An index may be built on one machine and searched on another. */
TEST(RotationTest, EveryInstructionSetGivesTheSameBits)
{
	const Kernels *tables[8];
	std::size_t count = distance::available_kernels(tables);
	for (std::size_t n : kLengths)
	{
		std::vector<std::uint32_t> signs(4 * n);
		Rotation r = quantizer::rotation_init(n, 11, signs.data());
		for (float size : {1.0f, 1e-38f, 1e37f})
		{
			std::vector<float> v = random_vector(n, 4);
			for (float &x : v)
				x *= size;
			std::vector<float> want = v;
			tables[0]->rotate(want.data(), r.n, r.w, r.signs);
			for (std::size_t t = 1; t < count; t++)
			{
				std::vector<float> got(n + 1);  // off any alignment but that of a float
				std::memcpy(got.data() + 1, v.data(), n * sizeof(float));
				tables[t]->rotate(got.data() + 1, r.n, r.w, r.signs);
				EXPECT_EQ(std::memcmp(got.data() + 1, want.data(), n * sizeof(float)), 0) << tables[t]->isa << ' ' << n;
			}
		}
	}
}

}  // namespace
