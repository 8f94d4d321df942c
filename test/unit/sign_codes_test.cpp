/* SPDX-License-Identifier: PostgreSQL
 * Sign codes: every kernel of every instruction set against the definition, the lanes of a block, the promises of
 * the query's table, and what the estimates are worth against true distances.
 *
 * Integers (codes, tables, sums) are compared for equality, float estimates to a few units of their terms.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "vecdb/base/half.hpp"
#include "vecdb/distance/kernels.hpp"
#include "vecdb/quantizer/rotation.hpp"
#include "vecdb/quantizer/sign_codes.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::quantizer;
using distance::Kernels;
using distance::Metric;

using Bytes = std::vector<std::uint8_t>;
using Floats = std::vector<float>;

std::vector<const Kernels *>
all_tables()
{
	const Kernels *tables[8];
	std::size_t count = distance::available_kernels(tables);
	return {tables, tables + count};
}

/* All multiples of 16 up to 1600, and some long ones: 1024 is where 8-bit tables would overflow 16-bit sums. */
std::vector<std::size_t>
all_dims()
{
	std::vector<std::size_t> dims;
	for (std::size_t n = 16; n <= 1600; n += 16)
		dims.push_back(n);
	for (std::size_t n : {2048u, 4096u, 4112u, 16000u})
		dims.push_back(n);
	return dims;
}

/* The four bits of a lane in one segment, from the format's definition. */
unsigned
nibble(const Bytes &codes, std::size_t segment, std::uint32_t lane)
{
	unsigned byte = codes[segment * 16 + lane % 16];
	return lane < 16 ? byte & 15 : byte >> 4;
}

bool
bit(const Bytes &codes, std::size_t i, std::uint32_t lane)
{
	return (nibble(codes, i / 4, lane) >> i % 4 & 1) != 0;
}

Bytes
random_bytes(std::mt19937_64 &random, std::size_t n)
{
	Bytes b(n);
	for (std::uint8_t &x : b)
		x = static_cast<std::uint8_t>(random());
	return b;
}

Floats
random_floats(std::mt19937_64 &random, std::size_t n, float scale = 1.0f)
{
	std::normal_distribution<float> normal;
	Floats v(n);
	for (float &x : v)
		x = scale * normal(random);
	return v;
}

/* A block as fast_scan reads it, off any alignment and at the very end of its memory. */
struct Block
{
	static constexpr std::size_t kShift = 1;
	std::size_t segments;
	Bytes codes_memory, lut_memory, factors_memory;
	Bytes codes, lut;  // the same, to be indexed
	std::uint16_t add[32] = {}, mul[32] = {};

	explicit Block(std::size_t dims) : segments(dims / 4), codes(segments * 16), lut(segments * 16)
	{
	}

	std::uint32_t
	scan(const Kernels &k, float add_scale, float mul_scale, float g, float step, float bias, float threshold,
		 float *est)
	{
		codes_memory.assign(kShift, 0);
		codes_memory.insert(codes_memory.end(), codes.begin(), codes.end());
		lut_memory.assign(kShift, 0);
		lut_memory.insert(lut_memory.end(), lut.begin(), lut.end());
		codes_memory.shrink_to_fit();
		lut_memory.shrink_to_fit();
		factors_memory.resize(kShift + 128);
		std::memcpy(factors_memory.data() + kShift, add, 64);
		std::memcpy(factors_memory.data() + kShift + 64, mul, 64);
		const std::uint8_t *factors = factors_memory.data() + kShift;
		return k.fast_scan(codes_memory.data() + kShift, lut_memory.data() + kShift, segments,
						   reinterpret_cast<const std::uint16_t *>(factors),
						   reinterpret_cast<const std::uint16_t *>(factors + 64), add_scale, mul_scale, g, step, bias,
						   threshold, est);
	}

	unsigned
	sum(std::uint32_t lane) const
	{
		unsigned acc = 0;
		for (std::size_t m = 0; m < segments; m++)
			acc += lut[m * 16 + nibble(codes, m, lane)];
		return acc;
	}
};

class SignKernelsTest : public testing::TestWithParam<const Kernels *>
{
protected:
	const Kernels &k = *GetParam();
	std::mt19937_64 random{20240611};
};

INSTANTIATE_TEST_SUITE_P(Isa, SignKernelsTest, testing::ValuesIn(all_tables()),
						 [](const auto &table) { return std::string(table.param->isa); });

/* mul = 1, step = 1: the estimate is the sum itself. */
TEST_P(SignKernelsTest, ScanSumsAreExact)
{
	for (std::size_t dims : all_dims())
		for (int kind = 0; kind < 3; kind++)
		{
			/* Random entries, all at their most, and one lane of each half apart from the rest. */
			const unsigned most = static_cast<unsigned>(std::min<std::size_t>(127, 65535 / (dims / 4)));
			Block b(dims);
			b.codes = random_bytes(random, b.codes.size());
			for (std::uint8_t &x : b.lut)
				x = static_cast<std::uint8_t>(kind == 1 ? most : random() % (most + 1));
			if (kind == 2)
				for (std::size_t m = 0; m < b.segments; m++)
				{
					std::fill_n(b.codes.begin() + static_cast<long>(m * 16), 16, std::uint8_t{0});
					b.lut[m * 16] = 0;
					b.codes[m * 16 + m % 16] = 0xff;
				}
			std::fill_n(b.mul, 32, half_from_float(1.0f));
			float est[33];
			est[32] = -7;
			const float middle = static_cast<float>(b.sum(5));
			std::uint32_t near = b.scan(k, 1, 1, 0, 1, 0, middle, est);
			for (std::uint32_t l = 0; l < 32; l++)
			{
				ASSERT_EQ(est[l], static_cast<float>(b.sum(l))) << dims << ' ' << kind << ' ' << l;
				ASSERT_EQ(near >> l & 1, est[l] < middle) << dims << ' ' << kind << ' ' << l;
			}
			ASSERT_EQ(est[32], -7.0f);
		}
}

TEST_P(SignKernelsTest, ScanEstimates)
{
	std::normal_distribution<float> normal;
	for (std::size_t dims : {16u, 112u, 240u, 1600u})
		for (int round = 0; round < 20; round++)
		{
			Block b(dims);
			b.codes = random_bytes(random, b.codes.size());
			for (std::uint8_t &x : b.lut)
				x = random() % 128;
			for (std::size_t l = 0; l < 32; l++)
			{
				b.add[l] = half_from_float(normal(random) * 100);
				b.mul[l] = half_from_float(normal(random) * 10);
			}
			const float g = normal(random) * 50, step = 0.02f, bias = normal(random) * 20;
			const float add_scale = 0.25f, mul_scale = 0.5f;
			float est[32], again[32];
			std::uint32_t near = b.scan(k, add_scale, mul_scale, g, step, bias, g, est);
			for (std::uint32_t l = 0; l < 32; l++)
			{
				double add = add_scale * half_to_float(b.add[l]), mul = mul_scale * half_to_float(b.mul[l]);
				double e = static_cast<double>(step) * b.sum(l) + bias;
				double terms = std::fabs(add) + std::fabs(g) +
							   std::fabs(mul) * (step * static_cast<double>(b.sum(l)) + std::fabs(bias));
				ASSERT_NEAR(est[l], add + g + mul * e, 6 * 0x1p-24 * terms) << dims << ' ' << l;
				ASSERT_EQ(near >> l & 1, est[l] < g);
			}
			/* The threshold is exclusive, and changes nothing else. */
			for (std::uint32_t l = 0; l < 32; l += 5)
			{
				ASSERT_EQ(b.scan(k, add_scale, mul_scale, g, step, bias, est[l], again) >> l & 1, 0u);
				ASSERT_EQ(std::memcmp(est, again, sizeof est), 0);
				float above = std::nextafter(est[l], INFINITY);
				ASSERT_EQ(b.scan(k, add_scale, mul_scale, g, step, bias, above, again) >> l & 1, 1u);
			}
		}
}

TEST_P(SignKernelsTest, ScanOfInfinityAndNan)
{
	Block b(48);
	b.codes = random_bytes(random, b.codes.size());
	std::fill(b.lut.begin(), b.lut.end(), std::uint8_t{1});
	float est[32];
	for (std::uint32_t l = 0; l < 32; l++)
		b.add[l] = l % 3 == 0 ? kHalfInfinity : l % 3 == 1 ? std::uint16_t{0x7e01} : half_from_float(2);
	std::uint32_t near = b.scan(k, 1, 1, 0, 1, 0, 1e30f, est);
	for (std::uint32_t l = 0; l < 32; l++)
		EXPECT_EQ(near >> l & 1, l % 3 == 2) << l;
	EXPECT_EQ(b.scan(k, 1, 1, 0, 1, 0, INFINITY, est), near);
	EXPECT_EQ(b.scan(k, 1, 1, 0, 1, 0, NAN, est), 0u);
	EXPECT_EQ(b.scan(k, 1, 1, NAN, 1, 0, INFINITY, est), 0u);
	EXPECT_EQ(b.scan(k, 1, 1, 0, 1, 0, -INFINITY, est), 0u);
}

/* Factors and codes of a damaged page: any bytes, no crash, the same on every instruction set. */
TEST_P(SignKernelsTest, ScanOfAnyBytes)
{
	for (int round = 0; round < 200; round++)
	{
		Block b(16 * (1 + random() % 40));
		b.codes = random_bytes(random, b.codes.size());
		for (std::uint8_t &x : b.lut)
			x = random() % 128;
		for (std::size_t l = 0; l < 32; l++)
		{
			b.add[l] = static_cast<std::uint16_t>(random());
			b.mul[l] = static_cast<std::uint16_t>(random());
		}
		float est[32], want[32];
		std::uint32_t near = b.scan(k, 1e-3f, 1e-3f, 0, 0.01f, -1, 0, est);
		b.scan(*all_tables()[0], 1e-3f, 1e-3f, 0, 0.01f, -1, 0, want);
		for (std::uint32_t l = 0; l < 32; l++)
		{
			ASSERT_EQ(std::isnan(est[l]), std::isnan(want[l]));
			ASSERT_EQ(std::isinf(est[l]), std::isinf(want[l]));
			ASSERT_EQ(near >> l & 1, est[l] < 0);
		}
	}
}

TEST_P(SignKernelsTest, SignsAndSums)
{
	std::uniform_int_distribution<int> small(-9, 9);
	for (std::size_t n : all_dims())
	{
		/* Whole numbers, so that every sum is exact; equal elements and both zeros among them. */
		Floats u(n), v(n);
		for (std::size_t i = 0; i < n; i++)
		{
			u[i] = static_cast<float>(small(random));
			v[i] = i % 7 == 0 ? u[i] : static_cast<float>(small(random));
		}
		u[3] = 0.0f;
		v[3] = -0.0f;
		u[4] = -0.0f;
		v[4] = 0.0f;
		float squares = 0, product = 0, magnitudes = 0, flipped = 0;
		Bytes signs(n / 8 + 1, 0xa5);
		float out[4];
		k.sign_code(u.data(), v.data(), n, signs.data(), out);
		for (std::size_t i = 0; i < n; i++)
		{
			float r = v[i] - u[i];
			squares += r * r;
			product += r * u[i];
			magnitudes += std::fabs(r);
			flipped += std::signbit(r) ? -u[i] : u[i];
			ASSERT_EQ(signs[i / 8] >> i % 8 & 1, !std::signbit(r)) << n << ' ' << i;
		}
		ASSERT_EQ(signs[n / 8], 0xa5);
		EXPECT_EQ(out[0], squares) << n;
		EXPECT_EQ(out[1], product) << n;
		EXPECT_EQ(out[2], magnitudes) << n;
		EXPECT_EQ(out[3], flipped) << n;
	}
}

TEST_P(SignKernelsTest, QuadSums)
{
	for (std::size_t n : all_dims())
		for (std::size_t where : {std::size_t{0}, n / 2, n - 1})
		{
			Floats q(n);
			float total = 0, most = 0;
			for (std::size_t i = 0; i < n; i++)
				q[i] = static_cast<float>(static_cast<int>(random() % 15) - 7);
			q[where] = -29;
			for (std::size_t i = 0; i < n; i += 4)
			{
				float four = std::fabs(q[i]) + std::fabs(q[i + 1]) + std::fabs(q[i + 2]) + std::fabs(q[i + 3]);
				most = std::max(most, four);
				total += four;
			}
			float out[2];
			k.quad_sums(q.data(), n, out);
			ASSERT_EQ(out[0], most) << n;
			ASSERT_EQ(out[1], total) << n;
		}
}

TEST_P(SignKernelsTest, TableEntriesAreSubsetSums)
{
	for (std::size_t n : all_dims())
		for (int kind = 0; kind < 3; kind++)
		{
			Floats q = random_floats(random, n, 10);
			if (kind == 1)  // halves: every element is a tie
				for (float &x : q)
					x = static_cast<float>(static_cast<int>(random() % 121) - 60) / 2;
			if (kind == 2)  // all of a segment in one element, as much as a byte holds
				for (std::size_t i = 0; i < n; i++)
					q[i] = i % 4 != (i / 4) % 4 ? 0.0f : random() % 2 == 0 ? -255.0f : 255.0f;
			Bytes lut(n * 4 + 1, 0xa5);
			std::uint32_t total = k.sign_lut(q.data(), n, 1.0f, lut.data());
			long want_total = 0;
			for (std::size_t i = 0; i < n; i += 4)
				for (unsigned entry = 0; entry < 16; entry++)
				{
					long want = 0;
					for (unsigned j = 0; j < 4; j++)
					{
						long d = std::lrint(q[i + j]);
						if ((entry >> j & 1) == (d > 0 ? 1u : 0u))
							want += std::labs(d);
						if (entry == 0)
							want_total += std::labs(d);
					}
					ASSERT_EQ(lut[i * 4 + entry], want) << n << ' ' << kind << ' ' << i << ' ' << entry;
				}
			ASSERT_EQ(static_cast<long>(total), want_total) << n;
			ASSERT_EQ(lut[n * 4], 0xa5);
		}
}

/* --- lanes --- */

TEST(SignLanesTest, EncodeWritesTheSignsIntoItsLaneOnly)
{
	std::mt19937_64 random(1);
	for (std::size_t dims : {16u, 112u, 240u, 1040u, 4112u})
		for (std::size_t n : {dims, dims + 16, dims * 2, std::size_t{16000}})
		{
			Floats u = random_floats(random, n), v = random_floats(random, n);
			for (std::uint32_t lane : {0u, 1u, 15u, 16u, 17u, 31u})
			{
				const Bytes before = random_bytes(random, sign_block_bytes(dims));
				Bytes codes = before;
				encode_lane(Metric::l2, u.data(), v.data(), n, dims, codes.data(), lane);
				for (std::size_t i = 0; i < dims; i++)
					for (std::uint32_t l = 0; l < 32; l++)
						ASSERT_EQ(bit(codes, i, l), l == lane ? v[i] >= u[i] : bit(before, i, l)) << dims << ' ' << l;
			}
		}
}

TEST(SignLanesTest, ClearMoveAndCopy)
{
	std::mt19937_64 random(2);
	for (std::size_t dims : {16u, 112u, 240u})
		for (std::uint32_t from = 0; from < 32; from++)
			for (std::uint32_t to = 0; to < 32; to++)
			{
				const Bytes before = random_bytes(random, sign_block_bytes(dims));
				const Bytes other = random_bytes(random, sign_block_bytes(dims));
				Bytes moved = before, copied = before, cleared = before;
				move_lane(moved.data(), dims, from, to);
				copy_lane(other.data(), from, copied.data(), to, dims);
				clear_lane(cleared.data(), dims, to);
				for (std::size_t m = 0; m < dims / 4; m++)
					for (std::uint32_t l = 0; l < 32; l++)
					{
						unsigned own = nibble(before, m, l);
						ASSERT_EQ(nibble(moved, m, l), l == to ? nibble(before, m, from) : own);
						ASSERT_EQ(nibble(copied, m, l), l == to ? nibble(other, m, from) : own);
						ASSERT_EQ(nibble(cleared, m, l), l == to ? 0 : own);
					}
			}
}

TEST(SignLanesTest, FactorsAreThoseOfTheDefinition)
{
	std::mt19937_64 random(3);
	for (std::size_t dims : {16u, 112u, 2064u})
		for (std::size_t n : {dims, dims + 48, dims * 3})
		{
			Floats u = random_floats(random, n), v = random_floats(random, n);
			double squares = 0, product = 0, magnitudes = 0, tau = 0;
			for (std::size_t i = 0; i < n; i++)
			{
				double r = static_cast<double>(v[i]) - u[i];
				squares += r * r;
				product += r * u[i];
				if (i < dims)
				{
					magnitudes += std::fabs(r);
					tau += r < 0 ? -u[i] : u[i];
				}
			}
			double rho = squares / magnitudes;
			Bytes codes(sign_block_bytes(dims));
			for (Metric metric : {Metric::l2, Metric::cosine})
			{
				SignFactors f = encode_lane(metric, u.data(), v.data(), n, dims, codes.data(), 9);
				EXPECT_NEAR(f.add, squares + 2 * rho * tau, 1e-5 * squares);
				EXPECT_NEAR(f.mul, -2 * rho, 1e-5 * rho);
			}
			SignFactors f = encode_lane(Metric::inner_product, u.data(), v.data(), n, dims, codes.data(), 9);
			EXPECT_NEAR(f.add, rho * tau - product, 1e-5 * squares);
			EXPECT_NEAR(f.mul, -rho, 1e-5 * rho);
		}
}

TEST(SignLanesTest, DegenerateVectorsHaveFiniteFactors)
{
	const std::size_t n = 64;
	const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, 1e-45f, 1e-38f, 1e-20f, 1e10f, 1e18f, 1e20f, 3.4e38f, -3.4e38f};
	for (std::size_t dims : {std::size_t{16}, n})
		for (float x : values)
			for (float y : values)
				for (std::size_t differ : {std::size_t{0}, std::size_t{20}, n - 1})  // from this element on
					for (Metric metric : {Metric::l2, Metric::inner_product, Metric::cosine})
					{
						Floats u(n, x), v(n, x);
						std::fill(v.begin() + static_cast<long>(differ), v.end(), y);
						Bytes codes(sign_block_bytes(dims));
						SignFactors f = encode_lane(metric, u.data(), v.data(), n, dims, codes.data(), 0);
						ASSERT_TRUE(std::isfinite(f.add)) << x << ' ' << y;
						ASSERT_TRUE(std::isfinite(f.mul)) << x << ' ' << y;
					}
	/* Equal vectors: the estimate is the node's own distance. */
	std::mt19937_64 random(4);
	Floats u = random_floats(random, n);
	Bytes codes(sign_block_bytes(n));
	for (Metric metric : {Metric::l2, Metric::inner_product, Metric::cosine})
	{
		SignFactors f = encode_lane(metric, u.data(), u.data(), n, n, codes.data(), 31);
		EXPECT_EQ(f.add, 0.0f);
		EXPECT_EQ(f.mul, 0.0f);
	}
	/* A difference that the codes do not cover: the mean over all queries. */
	Floats v = u;
	v[n - 1] += 2;
	SignFactors f = encode_lane(Metric::l2, u.data(), v.data(), n, 16, codes.data(), 0);
	EXPECT_NEAR(f.add, 4.0f, 1e-5f);
	EXPECT_EQ(f.mul, 0.0f);
}

/* --- the query's table --- */

void
expect_promises(const SignQuery &s, const Floats &q, std::size_t dims, const std::string &what)
{
	ASSERT_EQ(s.segments, dims / 4);
	ASSERT_TRUE(std::isfinite(s.step) && std::isfinite(s.bias)) << what;
	unsigned greatest_sum = 0;
	double total = 0, greatest_quad = 0;
	for (std::size_t m = 0; m < s.segments; m++)
	{
		unsigned greatest = *std::max_element(s.lut + m * 16, s.lut + m * 16 + 16);
		ASSERT_LE(greatest, 127u) << what;
		greatest_sum += greatest;
		double quad = 0;
		for (std::size_t j = 0; j < 4; j++)
			quad += std::fabs(static_cast<double>(q[m * 4 + j]));
		total += quad;
		greatest_quad = std::max(greatest_quad, quad);
	}
	ASSERT_LT(greatest_sum, 65000u) << what;
	/* As fine as the two limits allow, and each element off by half a unit of step / 2. */
	double room = 64900 - static_cast<double>(dims) / 2;
	ASSERT_LE(s.step, 1.0001 * 2 * std::max(greatest_quad / 125, total / room) + 2e-30) << what;
	for (std::size_t i = 0; i < dims; i++)
	{
		const std::uint8_t *segment = s.lut + i / 4 * 16;
		double half_step = static_cast<double>(s.step) / 2;
		double coded = half_step * (segment[1u << i % 4] - segment[0]);
		ASSERT_NEAR(coded, q[i], half_step * 0.5001 + 1e-6 * std::fabs(static_cast<double>(q[i]))) << what << ' ' << i;
	}
}

TEST(SignQueryTest, KeepsItsPromises)
{
	std::mt19937_64 random(5);
	for (std::size_t dims : all_dims())
		for (float scale : {1.0f, 1e-12f, 1e12f, 1e31f})
			for (int kind = 0; kind < 4; kind++)
			{
				Floats q = random_floats(random, dims, scale);
				if (kind == 1)
					std::fill(q.begin(), q.end(), scale);
				if (kind == 2)
				{
					std::fill(q.begin(), q.end(), 0.0f);
					q[dims - 3] = -scale;
				}
				if (kind == 3)  // ties at the greatest step
					for (std::size_t i = 0; i < dims; i++)
						q[i] = scale * (i % 2 == 0 ? 31.25f : -31.25f);
				Bytes lut(sign_lut_bytes(dims));
				SignQuery s = sign_query(q.data(), dims, lut.data());
				expect_promises(s, q, dims, std::to_string(dims) + " " + std::to_string(kind));
			}
}

TEST(SignQueryTest, TheSumIsTheSignedSumOfTheQuery)
{
	std::mt19937_64 random(6);
	for (std::size_t dims : all_dims())
	{
		Floats q = random_floats(random, dims);
		Bytes lut(sign_lut_bytes(dims));
		SignQuery s = sign_query(q.data(), dims, lut.data());
		Block b(dims);
		b.codes = random_bytes(random, b.codes.size());
		b.lut.assign(lut.begin(), lut.begin() + static_cast<long>(dims * 4));
		double norm2 = 0;
		for (std::size_t i = 0; i < dims; i++)
			norm2 += static_cast<double>(q[i]) * q[i];
		const double spread = s.step / 2 * std::sqrt(static_cast<double>(dims) / 12);
		for (std::uint32_t l = 0; l < 32; l++)
		{
			double e = 0;
			for (std::size_t i = 0; i < dims; i++)
				e += bit(b.codes, i, l) ? q[i] : -q[i];
			/* A uniform rounding of each element: 5.5 standard deviations. */
			EXPECT_NEAR(s.step * static_cast<double>(b.sum(l)) + s.bias, e, 5.5 * spread + 1e-4) << dims;
		}
		/* Small against the spread that the code itself has, 0.6 |q|. */
		EXPECT_LT(spread, (dims > 4112 ? 0.08 : 0.02) * std::sqrt(norm2)) << dims;
	}
}

TEST(SignQueryTest, DegenerateQueries)
{
	const std::size_t dims = 48;
	for (float x : {0.0f, -0.0f, 1e-45f, 1e-38f, 1e-31f, 1e-30f, 1e36f, 3.4e38f, INFINITY, NAN})
	{
		Floats q(dims, x);
		Bytes lut(sign_lut_bytes(dims), 0xff);
		SignQuery s = sign_query(q.data(), dims, lut.data());
		EXPECT_TRUE(std::isfinite(s.step) && std::isfinite(s.bias)) << x;
		EXPECT_EQ(s.lut, lut.data());
		for (std::size_t i = 0; i < dims * 4; i++)
			ASSERT_LE(lut[i], 127) << x;
		/* All lanes on the other side: minus the sum, or 0 where that is out of range or below the least step. */
		double most = s.step * static_cast<double>(lut[0]) * static_cast<double>(dims) / 4 + s.bias;
		double sum = static_cast<double>(dims) * x;
		EXPECT_NEAR(most, sum < 3e38 && x >= 1e-30f ? -sum : 0, 1e-29 + (sum < 3e38 ? 0.04 * sum : 0)) << x;
	}
}

/* --- what estimates are worth --- */

/* Of estimates against true distances. */
struct Errors
{
	double count = 0;
	double sum = 0;         // of errors
	double truth = 0;       // of true distances
	double normalised = 0;  // of squares of errors over the deviation that theory gives
};

struct Data
{
	const char *name;
	float centre, spread, noise;  // of the node's cluster from the origin, of the members, of queries' own
};

void
normalise(Floats &v)
{
	double norm2 = 0;
	for (float x : v)
		norm2 += static_cast<double>(x) * x;
	for (float &x : v)
		x = static_cast<float>(x / std::sqrt(norm2));
}

double
dot(const Floats &a, const Floats &b)
{
	double sum = 0;
	for (std::size_t i = 0; i < a.size(); i++)
		sum += static_cast<double>(a[i]) * b[i];
	return sum;
}

double
squared_distance(const Floats &a, const Floats &b)
{
	double sum = 0;
	for (std::size_t i = 0; i < a.size(); i++)
		sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
	return sum;
}

double
graph_distance(Metric metric, const Floats &a, const Floats &b)
{
	return metric == Metric::inner_product ? -dot(a, b) : squared_distance(a, b);
}

/* The power of two that brings the greatest of 32 into the middle of the range of f16, and the halves. */
float
pack(const float *values, std::uint16_t *halves)
{
	float most = 0;
	for (std::size_t i = 0; i < 32; i++)
		most = std::max(most, std::fabs(values[i]));
	float scale = std::ldexp(1.0f, std::ilogb(most) - 10);
	for (std::size_t i = 0; i < 32; i++)
		halves[i] = half_from_float(values[i] / scale);
	return scale;
}

/* 32 pairs of node and neighbour and some queries, all new, in one rotated space. Each lane has its own node, unlike
 * in an index: neighbours of one node share most of their error, and the mean would need many more of them. */
void
measure(Metric metric, const Data &data, std::size_t n, std::size_t dims, std::uint64_t seed, Errors &errors)
{
	const Kernels &k = distance::kernels();
	std::mt19937_64 random(seed);
	std::vector<std::uint32_t> signs(4 * n);
	Rotation rotation = rotation_init(n, seed, signs.data());
	const Floats centre = random_floats(random, n, data.centre);
	auto make = [&](float spread) {
		Floats v = random_floats(random, n, spread);
		/* Uneven dimensions, as real vectors have; the rotation levels them. */
		for (std::size_t i = 0; i < n; i++)
			v[i] = (centre[i] + v[i]) * (i < n / 4 ? 2.0f : 0.5f);
		if (metric == Metric::cosine)
			normalise(v);
		rotate(rotation, v.data());
		return v;
	};
	std::vector<Floats> u, v;
	Block b(dims);
	float add[32], mul[32];
	double kappa[32], length2[32];
	for (std::uint32_t l = 0; l < 32; l++)
	{
		u.push_back(make(data.spread));
		v.push_back(make(data.spread));
		SignFactors f = encode_lane(metric, u[l].data(), v[l].data(), n, dims, b.codes.data(), l);
		add[l] = f.add;
		mul[l] = f.mul;
		double magnitudes = 0;
		for (std::size_t i = 0; i < dims; i++)
			magnitudes += std::fabs(static_cast<double>(v[l][i]) - u[l][i]);
		length2[l] = squared_distance(u[l], v[l]);
		double c = magnitudes / std::sqrt(length2[l] * static_cast<double>(dims));
		kappa[l] = std::sqrt((1 / (c * c) - 1) / static_cast<double>(n - 1));
	}
	const float add_scale = pack(add, b.add), mul_scale = pack(mul, b.mul);
	const double factor = metric == Metric::inner_product ? 1 : 2;
	for (int round = 0; round < 4; round++)
	{
		const Floats q = make(data.noise);
		Bytes lut(sign_lut_bytes(dims));
		SignQuery s = sign_query(q.data(), dims, lut.data());
		b.lut.assign(lut.begin(), lut.begin() + static_cast<long>(dims * 4));
		float est[32];
		b.scan(k, add_scale, mul_scale, 0, s.step, s.bias, 0, est);
		for (std::uint32_t l = 0; l < 32; l++)
		{
			/* <r, p> = (L^2 + |p|^2 - |q - v|^2) / 2 */
			const double p2 = squared_distance(q, u[l]), d2 = squared_distance(q, v[l]);
			const double product = (length2[l] + p2 - d2) / 2;
			const double sine2 = std::max(0.0, 1 - product * product / (length2[l] * p2));
			const double error = est[l] + graph_distance(metric, q, u[l]) - graph_distance(metric, q, v[l]);
			const double deviation2 = factor * factor * length2[l] * p2 * kappa[l] * kappa[l] * sine2;
			errors.count++;
			errors.sum += error;
			errors.truth += d2 * factor / 2;
			errors.normalised += error * error / deviation2;
		}
	}
}

/* Unbiased to 0.2% of the mean distance (inner product: of half the mean squared distance, its scale whatever
 * the origin), and as spread as kappa = sqrt(1 / c^2 - 1) / sqrt(n - 1), c = A / (L sqrt(dims)), says. */
TEST(EstimateTest, UnbiasedAndAsSpreadAsTheorySays)
{
	const Data kinds[] = {{"random", 0, 1, 1}, {"clustered", 3, 0.5f, 0.5f}, {"queries from afar", 1, 0.5f, 2}};
	const std::size_t shapes[][2] = {{112, 112}, {128, 128}, {256, 128}};
	for (const Data &data : kinds)
		for (const auto &shape : shapes)
			for (Metric metric : {Metric::l2, Metric::inner_product, Metric::cosine})
			{
				Errors errors;
				for (std::uint64_t seed = 1; seed <= 600; seed++)
					measure(metric, data, shape[0], shape[1], seed, errors);
				const double bias = errors.sum / errors.truth, spread = std::sqrt(errors.normalised / errors.count);
				const std::string what = std::string(data.name) + ", " + std::to_string(shape[1]) + " of " +
										 std::to_string(shape[0]) + ", " + distance::metric_name(metric);
				EXPECT_LT(std::fabs(bias), 0.002) << what;
				EXPECT_NEAR(spread, 1.0, 0.1) << what;
				if (std::getenv("VECDB_TEST_VERBOSE") != nullptr)
					std::printf("%-50s bias %+.3f%%, spread %.3f\n", what.c_str(), 100 * bias, spread);
			}
}

}  // namespace
