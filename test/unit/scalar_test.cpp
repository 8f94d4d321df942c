/* SPDX-License-Identifier: PostgreSQL
 * SQ8: the error bound holds on everything finite, ideal decoding and float decoding alike.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "vecdb/distance/kernels.hpp"
#include "vecdb/quantizer/scalar.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::quantizer;
using distance::Kernels;

struct Input
{
	std::string name;
	std::vector<float> v;
};

std::vector<Input>
inputs()
{
	std::vector<Input> all;
	std::mt19937_64 random(77);
	std::normal_distribution<float> normal;
	std::uniform_real_distribution<float> unit(-1.0f, 1.0f);
	std::uniform_int_distribution<int> exponent(-149, 127);
	for (std::size_t n : {16u, 32u, 112u, 128u, 240u, 784u, 1536u, 16000u})
	{
		auto add = [&](const char *name, const std::function<float(std::size_t)> &element) {
			Input input{std::string(name).append(" ").append(std::to_string(n)), std::vector<float>(n)};
			for (std::size_t i = 0; i < n; i++)
				input.v[i] = element(i);
			all.push_back(input);
		};
		for (int repeat = 0; repeat < 20; repeat++)
		{
			float scale = std::ldexp(1.0f, exponent(random) / 2);
			float offset = std::ldexp(unit(random), exponent(random) / 2);
			add("normal", [&](std::size_t) { return normal(random); });
			add("scaled and shifted", [&](std::size_t) { return unit(random) * scale + offset; });
		}
		add("zero", [](std::size_t) { return 0.0f; });
		add("negative zero", [](std::size_t i) { return i % 2 ? 0.0f : -0.0f; });
		add("constant", [](std::size_t) { return 0.1f; });
		add("constant negative", [](std::size_t) { return -1234.567f; });
		add("constant huge", [](std::size_t) { return FLT_MAX; });
		add("one outlier", [&](std::size_t i) { return i == 7 ? 1e6f : normal(random); });
		add("huge outlier", [&](std::size_t i) { return i == 7 ? 1e38f : normal(random); });
		add("outlier last", [&](std::size_t i) { return i == n - 1 ? -1e20f : normal(random); });
		add("denormals", [&](std::size_t) { return unit(random) * 1e-39f; });
		add("least denormal", [](std::size_t i) { return i % 3 ? FLT_TRUE_MIN : 0.0f; });
		add("tiny", [&](std::size_t) { return unit(random) * 1e-29f; });
		add("tiny on one", [&](std::size_t) { return 1.0f + unit(random) * 3e-7f; });
		add("neighbors of a million", [&](std::size_t i) { return 1e6f + static_cast<float>(i % 5) * 0.0625f; });
		add("1e38", [&](std::size_t) { return unit(random) * 1e38f; });
		add("3e38", [&](std::size_t) { return unit(random) * 3.4e38f; });
		add("extremes", [](std::size_t i) { return i % 2 ? FLT_MAX : -FLT_MAX; });
		add("extremes and zero", [](std::size_t i) { return i % 3 == 0 ? 0.0f : i % 3 == 1 ? FLT_MAX : -FLT_MAX; });
		add("whole steps", [](std::size_t i) { return static_cast<float>(i % 256); });
		add("half steps", [](std::size_t i) { return static_cast<float>(i % 511) * 0.5f; });
		add("positive", [&](std::size_t) { return std::exp(normal(random)); });
		add("exponents", [&](std::size_t) { return std::ldexp(unit(random), exponent(random)); });
	}
	return all;
}

long double
ideal8(const Sq8 &s, int code)
{
	return static_cast<long double>(s.bias) + static_cast<long double>(s.scale) * code;
}

long double
ideal16(const Sq8 &s, int code, int residual)
{
	return s.bias + static_cast<long double>(s.scale) * (code + (residual - 127.5L) / 255);
}

long double
norm_of(const std::vector<float> &v, ErrorNorm norm, const std::function<long double(std::size_t)> &decoded)
{
	long double sum = 0;
	for (std::size_t i = 0; i < v.size(); i++)
	{
		long double e = v[i] - decoded(i);
		sum += norm == ErrorNorm::absolute_sum ? std::fabs(e) : e * e;
	}
	return norm == ErrorNorm::absolute_sum ? sum : std::sqrt(sum);
}

class ScalarTest : public testing::TestWithParam<ErrorNorm>
{};

TEST_P(ScalarTest, ErrorIsAHardBoundForIdealAndFloatDecoding)
{
	const Kernels *tables[8];
	std::size_t count = distance::available_kernels(tables);
	for (const Input &input : inputs())
	{
		SCOPED_TRACE(input.name);
		const std::vector<float> &v = input.v;
		std::size_t n = v.size();
		std::vector<std::uint8_t> code(n), residual(n);
		Sq8 s = sq8_encode(v.data(), n, GetParam(), code.data(), residual.data());
		ASSERT_TRUE(std::isfinite(s.scale) && std::isfinite(s.bias));
		ASSERT_GE(s.scale, 1e-30f);
		ASSERT_GE(s.error, 0.0f);
		ASSERT_GE(s.refined_error, 0.0f);

		EXPECT_LE(norm_of(v, GetParam(), [&](std::size_t i) { return ideal8(s, code[i]); }), s.error);
		EXPECT_LE(norm_of(v, GetParam(), [&](std::size_t i) { return ideal16(s, code[i], residual[i]); }),
				  s.refined_error);
		for (std::size_t t = 0; t < count; t++)
		{
			SCOPED_TRACE(tables[t]->isa);
			std::vector<float> out(n);
			tables[t]->decode(code.data(), nullptr, s.scale, s.bias, n, out.data());
			EXPECT_LE(norm_of(v, GetParam(), [&](std::size_t i) { return out[i]; }), s.error);
			tables[t]->decode(code.data(), residual.data(), s.scale, s.bias, n, out.data());
			EXPECT_LE(norm_of(v, GetParam(), [&](std::size_t i) { return out[i]; }), s.refined_error);
		}
	}
}

/* A bound that is sound but loose would cost heap fetches. */
TEST_P(ScalarTest, BoundIsTightOnOrdinaryVectors)
{
	std::mt19937_64 random(5);
	std::normal_distribution<float> normal;
	for (std::size_t n : {112u, 784u})
		for (float offset : {0.0f, 3.0f})
		{
			std::vector<float> v(n);
			for (float &x : v)
				x = normal(random) + offset;
			std::vector<std::uint8_t> code(n), residual(n);
			Sq8 s = sq8_encode(v.data(), n, GetParam(), code.data(), residual.data());
			long double e8 = norm_of(v, GetParam(), [&](std::size_t i) { return ideal8(s, code[i]); });
			long double e16 = norm_of(v, GetParam(), [&](std::size_t i) { return ideal16(s, code[i], residual[i]); });
			EXPECT_LE(s.error, e8 * 1.001L);
			EXPECT_LE(s.refined_error, e16 * 1.2L);
			EXPECT_LE(s.refined_error, s.error / 200);
			/* Nearest codes: no element is off by more than half a step (and a rounding). */
			for (std::size_t i = 0; i < n; i++)
				EXPECT_LE(std::fabs(v[i] - ideal8(s, code[i])), 0.5001L * s.scale);
		}
}

TEST_P(ScalarTest, EveryInstructionSetMeasuresTheSame)
{
	const Kernels *tables[8];
	std::size_t count = distance::available_kernels(tables);
	bool absolute = GetParam() == ErrorNorm::absolute_sum;
	for (const Input &input : inputs())
	{
		const std::vector<float> &v = input.v;
		std::size_t n = v.size();
		std::vector<std::uint8_t> code(n), residual(n);
		Sq8 s = sq8_encode(v.data(), n, GetParam(), code.data(), nullptr);
		for (std::size_t t = 0; t < count; t++)
		{
			SCOPED_TRACE(input.name + " " + tables[t]->isa);
			double sums[3];
			tables[t]->encode(v.data(), n, s.scale, s.bias, absolute, code.data(), residual.data(), sums);
			long double want[3] = {};
			for (std::size_t i = 0; i < n; i++)
			{
				long double d = ideal8(s, code[i]), e = v[i] - d, f = v[i] - ideal16(s, code[i], residual[i]);
				want[0] += d * d;
				want[1] += absolute ? std::fabs(e) : e * e;
				want[2] += absolute ? std::fabs(f) : f * f;
			}
			/* Each measured element is off by some 2^-51 of the values. */
			long double size = std::max(std::fabs(static_cast<long double>(s.bias)), ideal8(s, 256)) + 256.0L * s.scale;
			long double slack = 0x1p-50L * size * n;
			EXPECT_LE(std::fabs(sums[0] - want[0]), 1e-9L * want[0] + slack * slack);
			if (absolute)
			{
				EXPECT_LE(std::fabs(sums[1] - want[1]), slack + 1e-9L * want[1]);
				EXPECT_LE(std::fabs(sums[2] - want[2]), slack + 1e-9L * want[2]);
			}
			else
			{
				EXPECT_LE(std::fabs(std::sqrt(static_cast<long double>(sums[1])) - std::sqrt(want[1])),
						  slack + 1e-9L * std::sqrt(want[1]));
				EXPECT_LE(std::fabs(std::sqrt(static_cast<long double>(sums[2])) - std::sqrt(want[2])),
						  slack + 1e-9L * std::sqrt(want[2]));
			}
		}
	}
}

INSTANTIATE_TEST_SUITE_P(Norm, ScalarTest, testing::Values(ErrorNorm::euclidean, ErrorNorm::absolute_sum),
						 [](const auto &norm) {
							 return norm.param == ErrorNorm::euclidean ? "euclidean" : "absolute_sum";
						 });

TEST(ScalarTest, WithoutResidualTheErrorsAreEqual)
{
	std::vector<float> v(64, 0.0f);
	for (std::size_t i = 0; i < v.size(); i++)
		v[i] = std::sin(static_cast<float>(i));
	std::vector<std::uint8_t> code(64), again(64), residual(64);
	Sq8 s = sq8_encode(v.data(), v.size(), ErrorNorm::euclidean, code.data(), nullptr);
	Sq8 both = sq8_encode(v.data(), v.size(), ErrorNorm::euclidean, again.data(), residual.data());
	EXPECT_EQ(s.error, s.refined_error);
	EXPECT_EQ(s.error, both.error);
	EXPECT_LT(both.refined_error, both.error);
	EXPECT_EQ(code, again);
}

TEST(ScalarTest, EndsOfTheRangeDecodeToTheEnds)
{
	std::vector<float> v(16, 0.25f), out(16);
	v[3] = -1.0f;
	v[9] = 4.1f;
	std::vector<std::uint8_t> code(16);
	Sq8 s = sq8_encode(v.data(), 16, ErrorNorm::euclidean, code.data(), nullptr);
	EXPECT_EQ(code[3], 0);
	EXPECT_EQ(code[9], 255);
	sq8_decode(s, code.data(), nullptr, 16, out.data());
	EXPECT_FLOAT_EQ(out[3], -1.0f);
	EXPECT_FLOAT_EQ(out[9], 4.1f);
	EXPECT_FLOAT_EQ(s.norm2, distance::kernels().inner_product(out.data(), out.data(), 16));
}

TEST(ScalarQueryTest, CodesFitTheKernelAndSumsAreRight)
{
	for (const Input &input : inputs())
	{
		SCOPED_TRACE(input.name);
		const std::vector<float> &q = input.v;
		std::size_t n = q.size();
		std::vector<std::int16_t> codes(n);
		Sq8Query query = sq8_query(q.data(), n, codes.data());
		EXPECT_EQ(query.q, q.data());
		EXPECT_EQ(query.codes, codes.data());
		EXPECT_EQ(query.n, n);
		EXPECT_GT(query.step, 0.0f);
		ASSERT_TRUE(std::isfinite(query.step));
		long long total = 0;
		long double sum = 0, norm2 = 0, magnitude = 0;
		for (std::size_t i = 0; i < n; i++)
		{
			total += std::abs(codes[i]);
			ASSERT_LE(std::abs(codes[i]), 16383);
			long double x = q[i];
			/* Half a step, and the rounding of a quotient as large as 16383. */
			ASSERT_LE(std::fabs(x - static_cast<long double>(query.step) * codes[i]), 0.502L * query.step);
			sum += x;
			norm2 += x * x;
			magnitude += std::fabs(x);
		}
		EXPECT_LT(255 * total, 1LL << 31);
		/* Beyond the greatest float they are infinite, never NaN. */
		if (std::isinf(query.sum))
			EXPECT_GT(std::fabs(sum), 0.999999L * FLT_MAX);
		else
			EXPECT_LE(std::fabs(sum - query.sum), 1e-7L * std::fabs(sum) + 1e-13L * magnitude + FLT_TRUE_MIN);
		if (std::isinf(query.norm2))
			EXPECT_GT(norm2, 0.999999L * FLT_MAX);
		else
			EXPECT_LE(std::fabs(norm2 - query.norm2), 1e-7L * norm2 + FLT_TRUE_MIN);
	}
}

/* Small vectors use the whole 14 bits. */
TEST(ScalarQueryTest, UsesTheWholeRange)
{
	std::vector<float> q(128, 0.5f);
	q[5] = -2.0f;
	std::vector<std::int16_t> codes(128);
	Sq8Query query = sq8_query(q.data(), q.size(), codes.data());
	EXPECT_EQ(codes[5], -16383);
	EXPECT_FLOAT_EQ(query.step, 2.0f / 16383);
}

}  // namespace
