/* SPDX-License-Identifier: PostgreSQL
 * Every kernel of every instruction set this machine has, against plain sums in long double.
 *
 * Small integers give exact answers, so those are compared for equality; random data are held to the
 * bound that kernels promise: (n / 16 + 16) * 2^-24 * sum |terms|.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "vecdb/base/half.hpp"
#include "vecdb/distance/kernels.hpp"

namespace
{

using vecdb::core::distance::available_kernels;
using vecdb::core::distance::Kernels;
using vecdb::core::distance::kernels;

constexpr std::size_t kLengths[] = {0,   1,   3,   7,   8,    15,   16,   17,   31,   32,   33,   47,
									63,  64,  65,  96,  100,  112,  127,  128,  129,  160,  240,  255,
									256, 400, 768, 784, 1023, 1024, 1025, 1536, 2000, 4096, 16000};
constexpr long double kUnit = 0x1p-24L;

std::vector<const Kernels *>
all_tables()
{
	const Kernels *tables[8];
	std::size_t count = available_kernels(tables);
	return {tables, tables + count};
}

/* n elements of T that start off any alignment, with nothing readable to trip over behind them under ASan. */
template <class T>
class Unaligned
{
public:
	explicit Unaligned(std::size_t n) : bytes_(new char[n * sizeof(T) + kShift])
	{
	}
	~Unaligned()
	{
		delete[] bytes_;
	}
	Unaligned(const Unaligned &) = delete;
	Unaligned &operator=(const Unaligned &) = delete;

	T *
	data()
	{
		return reinterpret_cast<T *>(bytes_ + kShift);
	}

	T
	get(std::size_t i) const
	{
		T x;
		std::memcpy(&x, bytes_ + kShift + i * sizeof(T), sizeof x);
		return x;
	}

	void
	set(std::size_t i, T x)
	{
		std::memcpy(bytes_ + kShift + i * sizeof(T), &x, sizeof x);
	}

	template <class Generator>
	void
	fill(std::size_t n, Generator generate)
	{
		for (std::size_t i = 0; i < n; i++)
			set(i, static_cast<T>(generate()));
	}

private:
	static constexpr std::size_t kShift = 1;
	char *bytes_;
};

/* A sum and the sum of its terms' magnitudes. */
struct Reference
{
	long double sum = 0, magnitude = 0;

	void
	add(long double term)
	{
		sum += term;
		magnitude += std::fabs(term);
	}

	long double
	tolerance(std::size_t n) const
	{
		return (static_cast<long double>(n) / 16 + 16) * kUnit * magnitude;
	}
};

void
expect_within(const Reference &r, float got, std::size_t n, const char *what)
{
	EXPECT_LE(std::fabs(r.sum - static_cast<long double>(got)), r.tolerance(n))
		<< what << " n=" << n << " want " << static_cast<double>(r.sum) << " got " << got;
}

class KernelsTest : public testing::TestWithParam<const Kernels *>
{
protected:
	const Kernels &k = *GetParam();
	std::mt19937_64 random{20240611};
};

TEST_P(KernelsTest, Float32ExactOnSmallIntegers)
{
	std::uniform_int_distribution<int> value(-7, 7);
	for (std::size_t n : kLengths)
	{
		Unaligned<float> a(n), b(n);
		a.fill(n, [&] { return value(random); });
		b.fill(n, [&] { return value(random); });
		long l2 = 0, ip = 0, l1 = 0, aa = 0, bb = 0;
		for (std::size_t i = 0; i < n; i++)
		{
			long x = static_cast<long>(a.get(i)), y = static_cast<long>(b.get(i));
			l2 += (x - y) * (x - y);
			ip += x * y;
			l1 += std::labs(x - y);
			aa += x * x;
			bb += y * y;
		}
		EXPECT_EQ(k.l2_squared(a.data(), b.data(), n), static_cast<float>(l2)) << n;
		EXPECT_EQ(k.inner_product(a.data(), b.data(), n), static_cast<float>(ip)) << n;
		EXPECT_EQ(k.l1(a.data(), b.data(), n), static_cast<float>(l1)) << n;
		float parts[3];
		k.cosine_parts(a.data(), b.data(), n, parts);
		EXPECT_EQ(parts[0], static_cast<float>(ip)) << n;
		EXPECT_EQ(parts[1], static_cast<float>(aa)) << n;
		EXPECT_EQ(parts[2], static_cast<float>(bb)) << n;
		vecdb::core::distance::FourFloats sums = k.cosine_sums(a.data(), b.data(), n);
		for (int i = 0; i < 3; i++)
			EXPECT_EQ(sums[i], parts[i]) << n;
	}
}

/* The executor compares distances of the same row that was read at two places: bits, not digits, must agree. */
TEST_P(KernelsTest, SumsDoNotDependOnWhereVectorsLie)
{
	std::normal_distribution<float> normal;
	for (std::size_t n : kLengths)
	{
		std::vector<float> a(n + 16), b(n + 16), x(n), y(n);
		std::generate(x.begin(), x.end(), [&] { return normal(random); });
		std::generate(y.begin(), y.end(), [&] { return normal(random); });
		float first[4];
		vecdb::core::distance::FourFloats first_sums = {};
		for (std::size_t i = 0; i < 16; i++)
			for (std::size_t j : {std::size_t{0}, i, 15 - i})
			{
				std::copy(x.begin(), x.end(), a.begin() + static_cast<std::ptrdiff_t>(i));
				std::copy(y.begin(), y.end(), b.begin() + static_cast<std::ptrdiff_t>(j));
				const float *p = a.data() + i, *q = b.data() + j;
				float got[4] = {k.l2_squared(p, q, n), k.inner_product(p, q, n), k.l1(p, q, n),
								k.inner_product(q, p, n)};
				vecdb::core::distance::FourFloats sums = k.cosine_sums(p, q, n);
				if (i == 0)
				{
					std::copy(got, got + 4, first);
					first_sums = sums;
				}
				ASSERT_EQ(std::memcmp(got, first, sizeof got), 0) << n << ' ' << i << ' ' << j;
				ASSERT_EQ(first[1], first[3]);
				float parts[3];
				k.cosine_parts(p, q, n, parts);
				for (int m = 0; m < 3; m++)
				{
					ASSERT_EQ(sums[m], first_sums[m]) << n << ' ' << i << ' ' << j;
					ASSERT_EQ(parts[m], first_sums[m]) << n << ' ' << i << ' ' << j;
				}
			}
	}
}

TEST_P(KernelsTest, Float32WithinTheErrorBound)
{
	std::normal_distribution<float> normal;
	std::uniform_real_distribution<float> positive(1.0f, 2.0f);
	for (int kind = 0; kind < 3; kind++)
		for (std::size_t n : kLengths)
		{
			Unaligned<float> a(n), b(n);
			auto generate = [&] {
				return kind == 0 ? normal(random) : kind == 1 ? positive(random) : normal(random) * 1e-18f;
			};
			a.fill(n, generate);
			b.fill(n, generate);
			Reference l2, ip, l1, aa, bb;
			for (std::size_t i = 0; i < n; i++)
			{
				long double x = a.get(i), y = b.get(i);
				l2.add((x - y) * (x - y));
				ip.add(x * y);
				l1.add(std::fabs(x - y));
				aa.add(x * x);
				bb.add(y * y);
			}
			expect_within(l2, k.l2_squared(a.data(), b.data(), n), n, "l2_squared");
			expect_within(ip, k.inner_product(a.data(), b.data(), n), n, "inner_product");
			expect_within(l1, k.l1(a.data(), b.data(), n), n, "l1");
			float parts[3];
			k.cosine_parts(a.data(), b.data(), n, parts);
			expect_within(ip, parts[0], n, "cosine a.b");
			expect_within(aa, parts[1], n, "cosine a.a");
			expect_within(bb, parts[2], n, "cosine b.b");
		}
}

/* A value at one place only, so that an element read twice or left out shows up whatever n is. */
TEST_P(KernelsTest, Float32EveryElementCountsOnce)
{
	for (std::size_t n = 1; n <= 150; n++)
		for (std::size_t i = 0; i < n; i++)
		{
			std::vector<float> a(n, 0.0f), b(n, 0.0f);
			a[i] = 3.0f;
			b[i] = -2.0f;
			ASSERT_EQ(k.l2_squared(a.data(), b.data(), n), 25.0f) << n << ' ' << i;
			ASSERT_EQ(k.inner_product(a.data(), b.data(), n), -6.0f) << n << ' ' << i;
			ASSERT_EQ(k.l1(a.data(), b.data(), n), 5.0f) << n << ' ' << i;
		}
}

TEST_P(KernelsTest, Float32PassesInfinityAndNanThrough)
{
	for (std::size_t n : {1u, 5u, 8u, 100u, 128u})
		for (std::size_t i : {std::size_t{0}, n / 2, std::size_t{n - 1}})
		{
			std::vector<float> a(n, 1.0f), b(n, 2.0f);
			a[i] = INFINITY;
			EXPECT_EQ(k.l2_squared(a.data(), b.data(), n), INFINITY);
			EXPECT_EQ(k.inner_product(a.data(), b.data(), n), INFINITY);
			EXPECT_EQ(k.l1(a.data(), b.data(), n), INFINITY);
			a[i] = NAN;
			EXPECT_TRUE(std::isnan(k.l2_squared(a.data(), b.data(), n)));
			EXPECT_TRUE(std::isnan(k.inner_product(a.data(), b.data(), n)));
			EXPECT_TRUE(std::isnan(k.l1(a.data(), b.data(), n)));
			std::fill(a.begin(), a.end(), 3e38f);
			std::fill(b.begin(), b.end(), -3e38f);
			EXPECT_EQ(k.l2_squared(a.data(), b.data(), n), INFINITY);
		}
}

TEST_P(KernelsTest, IntegerDotProductsAreExact)
{
	std::uniform_int_distribution<int> byte(0, 255);
	for (std::size_t n : kLengths)
	{
		if (n % 16 != 0)
			continue;
		/* 255 * sum |query| < 2^31 */
		int most = n == 0 ? 0 : static_cast<int>(std::min<std::size_t>(16383, 2147483647u / 255u / n));
		std::uniform_int_distribution<int> word(-most, most);
		for (int kind = 0; kind < 5; kind++)
		{
			Unaligned<std::uint8_t> a(n), b(n);
			Unaligned<std::int16_t> q(n);
			a.fill(n, [&] { return kind == 0 ? byte(random) : kind == 4 ? (byte(random) & 1) * 255 : 255; });
			b.fill(n, [&] { return kind == 0 || kind == 2 ? byte(random) : 255; });
			q.fill(n, [&] {
				return kind == 0          ? word(random)
					   : kind == 1        ? most
					   : kind == 2        ? -most
					   : word(random) < 0 ? -most
										  : most;
			});
			long dot = 0, dot_query = 0;
			for (std::size_t i = 0; i < n; i++)
			{
				dot += static_cast<long>(a.get(i)) * b.get(i);
				dot_query += static_cast<long>(a.get(i)) * q.get(i);
			}
			EXPECT_EQ(k.dot_u8_u8(a.data(), b.data(), n), dot) << n;
			EXPECT_EQ(k.dot_u8_i16(a.data(), q.data(), n), dot_query) << n;
		}
	}
	std::vector<std::uint8_t> longest(32768, 255);
	EXPECT_EQ(k.dot_u8_u8(longest.data(), longest.data(), longest.size()), 255L * 255 * 32768);
	std::vector<std::int16_t> extreme(512, 16383);
	EXPECT_EQ(k.dot_u8_i16(longest.data(), extreme.data(), extreme.size()), 255L * 16383 * 512);
}

struct Coded
{
	std::size_t n;
	Unaligned<std::uint8_t> code, residual;
	Unaligned<float> query;
	float scale, bias;

	explicit Coded(std::size_t n_) : n(n_), code(n_), residual(n_), query(n_), scale(0), bias(0)
	{
	}

	long double
	decoded8(std::size_t i) const
	{
		return static_cast<long double>(bias) + static_cast<long double>(scale) * code.get(i);
	}

	long double
	decoded16(std::size_t i) const
	{
		return bias + static_cast<long double>(scale) * (code.get(i) + (residual.get(i) - 127.5L) / 255);
	}
};

/* The sum's own bound plus what the rounding of each decoded element, at most 4 units of its size, moves. */
template <class Term>
void
expect_coded(float got, const Coded &c, bool wide, Term term, const char *what)
{
	Reference r;
	long double slack = 0;
	for (std::size_t i = 0; i < c.n; i++)
	{
		long double x = wide ? c.decoded16(i) : c.decoded8(i);
		long double moved = 4 * kUnit * (std::fabs(static_cast<long double>(c.bias)) + 257.0L * c.scale);
		long double q = c.query.get(i);
		r.add(term(q, x));
		slack += std::max(std::fabs(term(q, x + moved) - term(q, x)), std::fabs(term(q, x - moved) - term(q, x)));
	}
	EXPECT_LE(std::fabs(r.sum - static_cast<long double>(got)), r.tolerance(c.n) + slack)
		<< what << " n=" << c.n << " scale=" << c.scale << " bias=" << c.bias;
}

TEST_P(KernelsTest, FloatsAgainstCodes)
{
	std::uniform_int_distribution<int> byte(0, 255);
	std::normal_distribution<float> normal;
	const float shapes[][2] = {{1.0f / 64, -2.0f}, {0.013f, -1.3f}, {1e-30f, 5.0f}, {3e-3f, 1000.0f}, {7.5f, -900.0f}};
	for (std::size_t n : kLengths)
	{
		if (n % 16 != 0)
			continue;
		for (const auto &shape : shapes)
		{
			Coded c(n);
			c.scale = shape[0];
			c.bias = shape[1];
			c.code.fill(n, [&] { return byte(random); });
			c.residual.fill(n, [&] { return byte(random); });
			c.query.fill(n, [&] { return c.bias + c.scale * 127 + normal(random); });
			auto l2 = [](long double q, long double x) { return (q - x) * (q - x); };
			auto ip = [](long double q, long double x) { return q * x; };
			auto l1 = [](long double q, long double x) { return std::fabs(q - x); };
			const std::uint8_t *p = c.code.data(), *r = c.residual.data();
			const float *q = c.query.data();
			expect_coded(k.l2_squared_u8_f32(p, c.scale, c.bias, q, n), c, false, l2, "l2_squared_u8_f32");
			expect_coded(k.inner_product_u8_f32(p, c.scale, c.bias, q, n), c, false, ip, "inner_product_u8_f32");
			expect_coded(k.l1_u8_f32(p, c.scale, c.bias, q, n), c, false, l1, "l1_u8_f32");
			expect_coded(k.l2_squared_u16_f32(p, r, c.scale, c.bias, q, n), c, true, l2, "l2_squared_u16_f32");
			expect_coded(k.inner_product_u16_f32(p, r, c.scale, c.bias, q, n), c, true, ip, "inner_product_u16_f32");
			expect_coded(k.l1_u16_f32(p, r, c.scale, c.bias, q, n), c, true, l1, "l1_u16_f32");

			Coded other(n);
			other.scale = c.scale * 1.5f;
			other.bias = c.bias - c.scale;
			other.code.fill(n, [&] { return byte(random); });
			Reference want;
			for (std::size_t i = 0; i < n; i++)
				want.add(std::fabs(c.decoded8(i) - other.decoded8(i)));
			long double moved = 8 * kUnit * (std::fabs(static_cast<long double>(c.bias)) + 400.0L * c.scale) * n;
			float got = k.l1_u8_u8(p, c.scale, c.bias, other.code.data(), other.scale, other.bias, n);
			EXPECT_LE(std::fabs(want.sum - static_cast<long double>(got)), want.tolerance(n) + moved) << n;
		}
	}
}

/* Codes at their extremes with a scale and bias that are exact: the answer is exact too. */
TEST_P(KernelsTest, FloatsAgainstCodesExact)
{
	for (std::size_t n : {16u, 112u, 128u, 784u})
		for (int value : {0, 1, 254, 255})
		{
			std::vector<std::uint8_t> code(n, static_cast<std::uint8_t>(value)), zero(n, 0);
			std::vector<float> q(n, 3.0f);
			float count = static_cast<float>(n), x = -4.0f + 0.5f * static_cast<float>(value);
			EXPECT_EQ(k.l2_squared_u8_f32(code.data(), 0.5f, -4.0f, q.data(), n), count * (3 - x) * (3 - x));
			EXPECT_EQ(k.inner_product_u8_f32(code.data(), 0.5f, -4.0f, q.data(), n), count * 3 * x);
			EXPECT_EQ(k.l1_u8_f32(code.data(), 0.5f, -4.0f, q.data(), n), count * std::fabs(3 - x));
			EXPECT_EQ(k.l1_u8_u8(code.data(), 0.5f, -4.0f, zero.data(), 0.25f, 1.0f, n), count * std::fabs(x - 1));
			/* scale 255 * 2^-4, so that one residual step is 2^-4; bias such that the middle is whole */
			float fine = -8.0f + 255.0f / 16 * static_cast<float>(value) + (static_cast<float>(value) - 127.5f) / 16;
			EXPECT_EQ(k.l1_u16_f32(code.data(), code.data(), 255.0f / 16, -8.0f, q.data(), n),
					  count * std::fabs(3 - fine));
		}
}

/* Only the scalar form could overflow in scale * code, but all must survive it. */
TEST_P(KernelsTest, CodesOfHugeValuesStayFinite)
{
	const std::size_t n = 32;
	std::vector<std::uint8_t> code(n), residual(n, 127);
	std::vector<float> q(n, 0.0f), out(n);
	for (std::size_t i = 0; i < n; i++)
		code[i] = i % 2 == 0 ? 0 : 255;
	const float scale = 6e36f / 2.55f, bias = -3e38f;
	k.decode(code.data(), nullptr, scale, bias, n, out.data());
	for (float x : out)
		EXPECT_NEAR(std::fabs(x), 3e38f, 1e33f);
	k.decode(code.data(), residual.data(), scale, bias, n, out.data());
	for (float x : out)
		EXPECT_NEAR(std::fabs(x), 3e38f, 1e36f);
	q[0] = 1e-30f;
	EXPECT_NEAR(k.inner_product_u8_f32(code.data(), scale, bias, q.data(), n), -3e8f, 1e3f);
}

unsigned
nibble(const Unaligned<std::uint8_t> &code, std::size_t i)
{
	return code.get(i / 2) >> i % 2 * 4 & 15u;
}

TEST_P(KernelsTest, IntegerDotProductsOfNibblesAreExact)
{
	std::uniform_int_distribution<int> byte(0, 255);
	for (std::size_t n : kLengths)
	{
		if (n % 16 != 0)
			continue;
		int most = n == 0 ? 0 : static_cast<int>(std::min<std::size_t>(16383, 2147483647u / 15u / n));
		std::uniform_int_distribution<int> word(-most, most);
		for (int kind = 0; kind < 3; kind++)
		{
			Unaligned<std::uint8_t> code(n / 2);
			Unaligned<std::int16_t> q(n);
			code.fill(n / 2, [&] { return kind == 0 ? byte(random) : 255; });
			q.fill(n, [&] { return kind == 0 ? word(random) : kind == 1 ? most : -most; });
			long want = 0;
			for (std::size_t i = 0; i < n; i++)
				want += static_cast<long>(nibble(code, i)) * q.get(i);
			EXPECT_EQ(k.dot_u4_i16(code.data(), q.data(), n), want) << n;
		}
	}
	/* Each element on its own. */
	for (std::size_t n = 16; n <= 160; n += 16)
		for (std::size_t i = 0; i < n; i++)
		{
			std::vector<std::uint8_t> code(n / 2, 0);
			std::vector<std::int16_t> q(n);
			for (std::size_t j = 0; j < n; j++)
				q[j] = static_cast<std::int16_t>(j + 1);
			code[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? 3 : 3 << 4);
			ASSERT_EQ(k.dot_u4_i16(code.data(), q.data(), n), 3 * static_cast<int>(i + 1)) << n << ' ' << i;
		}
}

/* Sums over decoded elements, whose own rounding is `unit` each. */
template <class Decoded, class Term>
void
expect_decoded(float got, std::size_t n, Decoded decoded, const Unaligned<float> &query, long double unit, Term term,
			   const char *what)
{
	Reference r;
	long double slack = 0;
	for (std::size_t i = 0; i < n; i++)
	{
		long double x = decoded(i), q = query.get(i);
		r.add(term(q, x));
		slack += std::max(std::fabs(term(q, x + unit) - term(q, x)), std::fabs(term(q, x - unit) - term(q, x)));
	}
	EXPECT_LE(std::fabs(r.sum - static_cast<long double>(got)), r.tolerance(n) + slack) << what << " n=" << n;
}

TEST_P(KernelsTest, FloatsAgainstNibblesAndHalves)
{
	std::uniform_int_distribution<int> byte(0, 255);
	std::normal_distribution<float> normal;
	auto l2 = [](long double q, long double x) { return (q - x) * (q - x); };
	auto ip = [](long double q, long double x) { return q * x; };
	auto l1 = [](long double q, long double x) { return std::fabs(q - x); };
	for (std::size_t n : kLengths)
		for (float scale : {1.0f, 0.013f, 250.0f})
		{
			if (n % 16 != 0)
				continue;
			const float bias = -7.5f * scale;
			Unaligned<std::uint8_t> code(n / 2);
			Unaligned<std::uint16_t> halves(n);
			Unaligned<float> q(n);
			code.fill(n / 2, [&] { return byte(random); });
			halves.fill(n, [&] { return vecdb::core::half_from_float(normal(random)); });
			q.fill(n, [&] { return scale * normal(random); });
			auto of_nibble = [&](std::size_t i) { return bias + static_cast<long double>(scale) * nibble(code, i); };
			auto of_half = [&](std::size_t i) {
				return static_cast<long double>(scale) * vecdb::core::half_to_float(halves.get(i));
			};
			const std::uint8_t *c = code.data();
			const std::uint16_t *h = halves.data();
			const long double unit = 4 * kUnit * 8 * scale;
			expect_decoded(k.l2_squared_u4_f32(c, scale, bias, q.data(), n), n, of_nibble, q, unit, l2, "l2 u4");
			expect_decoded(k.inner_product_u4_f32(c, scale, bias, q.data(), n), n, of_nibble, q, unit, ip, "ip u4");
			expect_decoded(k.l2_squared_f16_f32(h, scale, q.data(), n), n, of_half, q, unit, l2, "l2 f16");
			expect_decoded(k.inner_product_f16_f32(h, scale, q.data(), n), n, of_half, q, unit, ip, "ip f16");
			expect_decoded(k.l1_f16_f32(h, scale, q.data(), n), n, of_half, q, unit, l1, "l1 f16");
		}
}

/* Small numbers: exact, and each element counts once. */
TEST_P(KernelsTest, NibblesAndHalvesExact)
{
	for (std::size_t n = 16; n <= 160; n += 16)
		for (std::size_t i = 0; i < n; i++)
		{
			std::vector<float> q(n, 0.0f);
			std::vector<std::uint8_t> code(n / 2, 0x88);
			std::vector<std::uint16_t> halves(n, 0);
			code[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? 0x8b : 0xb8);  // 3 more
			halves[i] = vecdb::core::half_from_float(3);
			q[i] = 5;
			/* Elements are 2 * (code - 8). */
			ASSERT_EQ(k.inner_product_u4_f32(code.data(), 2, -16, q.data(), n), 30) << n << ' ' << i;
			ASSERT_EQ(k.l2_squared_u4_f32(code.data(), 2, -16, q.data(), n), 1) << n << ' ' << i;
			ASSERT_EQ(k.inner_product_f16_f32(halves.data(), 2, q.data(), n), 30) << n << ' ' << i;
			ASSERT_EQ(k.l2_squared_f16_f32(halves.data(), 2, q.data(), n), 1) << n << ' ' << i;
			ASSERT_EQ(k.l1_f16_f32(halves.data(), 2, q.data(), n), 1) << n << ' ' << i;
		}
}

TEST_P(KernelsTest, LatticeIsTheNearestOfSixteen)
{
	std::normal_distribution<float> normal;
	for (std::size_t n : kLengths)
		for (float inverse : {1.0f, 3.0f, 1e-3f, 1e6f})
		{
			if (n % 16 != 0)
				continue;
			Unaligned<float> v(n);
			v.fill(n, [&] { return normal(random); });
			Unaligned<std::uint8_t> code(n / 2);
			float out[2], without[2];
			k.lattice_u4(v.data(), n, inverse, code.data(), out);
			k.lattice_u4(v.data(), n, inverse, nullptr, without);
			EXPECT_EQ(out[0], without[0]);
			EXPECT_EQ(out[1], without[1]);
			Reference product, square;
			for (std::size_t i = 0; i < n; i++)
			{
				double y = nibble(code, i) - 7.5, x = static_cast<double>(v.get(i)) * inverse;
				product.add(y * v.get(i));
				square.add(y * y);
				ASSERT_LE(std::fabs(y - std::clamp(x, -7.5, 7.5)), 0.501) << n << ' ' << i;
			}
			expect_within(product, out[0], n, "lattice product");
			expect_within(square, out[1], n, "lattice square");
		}
	/* Infinite products are cut too. */
	std::vector<float> huge(16, 3e38f);
	std::vector<std::uint8_t> code(8);
	float out[2];
	k.lattice_u4(huge.data(), 16, 1e30f, code.data(), out);
	EXPECT_EQ(code, std::vector<std::uint8_t>(8, 0xff));
}

TEST_P(KernelsTest, TableScan)
{
	std::normal_distribution<float> normal;
	for (std::size_t segments : {0u, 1u, 2u, 3u, 16u, 96u, 224u})
		for (int round = 0; round < 5; round++)
		{
			Unaligned<std::uint8_t> codes(32 * segments);
			Unaligned<float> table(256 * segments), est(32);
			Unaligned<std::uint16_t> add(32), mul(32);
			codes.fill(32 * segments, [&] { return static_cast<std::uint8_t>(random()); });
			table.fill(256 * segments, [&] { return normal(random); });
			add.fill(32, [&] { return vecdb::core::half_from_float(normal(random)); });
			mul.fill(32, [&] { return vecdb::core::half_from_float(normal(random)); });
			const float g = normal(random), bias = normal(random), add_scale = 8, mul_scale = 0.25f;
			std::uint32_t near = k.table_scan(codes.data(), table.data(), segments, add.data(), mul.data(), add_scale,
											  mul_scale, g, bias, g, est.data());
			for (std::size_t l = 0; l < 32; l++)
			{
				Reference e;
				e.add(bias);
				for (std::size_t s = 0; s < segments; s++)
					e.add(table.get(256 * s + codes.get(32 * s + l)));
				long double a = add_scale * vecdb::core::half_to_float(add.get(l));
				long double m = mul_scale * vecdb::core::half_to_float(mul.get(l));
				long double most = std::fabs(a) + std::fabs(static_cast<long double>(g)) + std::fabs(m) * e.magnitude;
				ASSERT_LE(std::fabs(a + g + m * e.sum - est.get(l)),
						  (static_cast<long double>(segments) + 8) * kUnit * most);
				ASSERT_EQ(near >> l & 1, est.get(l) < g);
			}
			EXPECT_EQ(k.table_scan(codes.data(), table.data(), segments, add.data(), mul.data(), add_scale, mul_scale,
								   g, bias, NAN, est.data()),
					  0u);
		}
}

TEST_P(KernelsTest, Checksum)
{
	auto crc = [&](const void *bytes, std::size_t n) { return ~k.crc32c(0xffffffffu, bytes, n); };
	EXPECT_EQ(crc("123456789", 9), 0xe3069283u);  // the check value of CRC-32C
	EXPECT_EQ(crc("", 0), 0u);
	for (std::size_t n = 0; n < 300; n++)
	{
		Unaligned<std::uint8_t> bytes(n);
		bytes.fill(n, [&] { return static_cast<std::uint8_t>(random()); });
		std::uint32_t want = 0xffffffffu;
		for (std::size_t i = 0; i < n; i++)
		{
			want ^= bytes.get(i);
			for (int bit = 0; bit < 8; bit++)
				want = (want >> 1) ^ (want & 1 ? 0x82f63b78u : 0);
		}
		ASSERT_EQ(k.crc32c(0xffffffffu, bytes.data(), n), want) << n;
		/* In two parts. */
		std::uint32_t half = k.crc32c(0xffffffffu, bytes.data(), n / 3);
		ASSERT_EQ(k.crc32c(half, bytes.data() + n / 3, n - n / 3), want) << n;
	}
}

TEST_P(KernelsTest, MinMax)
{
	std::normal_distribution<float> normal;
	for (std::size_t n : kLengths)
	{
		if (n % 16 != 0 || n == 0)
			continue;
		Unaligned<float> v(n);
		v.fill(n, [&] { return normal(random); });
		for (std::size_t where : {std::size_t{0}, n / 2, n - 1})
		{
			v.set(where, 100.0f);
			v.set(n - 1 - where, -200.0f);
			float low = v.get(0), high = v.get(0), out[2];
			for (std::size_t i = 1; i < n; i++)
			{
				low = std::min(low, v.get(i));
				high = std::max(high, v.get(i));
			}
			k.min_max(v.data(), n, out);
			EXPECT_EQ(out[0], low);
			EXPECT_EQ(out[1], high);
		}
	}
}

TEST_P(KernelsTest, QuerySummaryAndCodes)
{
	std::normal_distribution<float> normal;
	for (std::size_t n : kLengths)
	{
		if (n % 16 != 0)
			continue;
		Unaligned<float> q(n);
		Unaligned<std::int16_t> codes(n);
		q.fill(n, [&] { return normal(random) * 9000.0f; });  // some beyond +-16383
		Reference sum, squares;
		float most = 0;
		for (std::size_t i = 0; i < n; i++)
		{
			long double x = q.get(i);
			sum.add(x);
			squares.add(x * x);
			most = std::max(most, std::fabs(q.get(i)));
		}
		double out[4];
		k.summarize(q.data(), n, out);
		EXPECT_EQ(out[0], static_cast<double>(most));
		EXPECT_LE(std::fabs(sum.sum - out[1]), 1e-12L * sum.magnitude);
		EXPECT_LE(std::fabs(sum.magnitude - out[2]), 1e-12L * sum.magnitude);
		EXPECT_LE(std::fabs(squares.sum - out[3]), 1e-12L * squares.sum);
		k.quantize_i16(q.data(), n, 0.75f, codes.data());
		for (std::size_t i = 0; i < n; i++)
		{
			double want = std::clamp(0.75 * static_cast<double>(q.get(i)), -16383.0, 16383.0);
			ASSERT_NEAR(codes.get(i), want, 0.501) << n << ' ' << i;
		}
	}
}

/* Small integers, so exact; any number of rows, an output wider than the panel. */
TEST_P(KernelsTest, ManyInnerProductsAtOnce)
{
	std::uniform_int_distribution<int> small(-8, 8);
	for (std::size_t n : {0u, 1u, 15u, 16u, 100u, 784u})
		for (std::size_t count : {0u, 1u, 5u, 6u, 12u, 13u, 31u})
		{
			constexpr std::size_t kStride = 21;
			std::vector<float> panel(16 * n), x(count * n), out(count * kStride, 7.0f);
			std::vector<const float *> rows(count);
			for (float &p : panel)
				p = static_cast<float>(small(random));
			for (float &p : x)
				p = static_cast<float>(small(random));
			for (std::size_t r = 0; r < count; r++)
				rows[r] = x.data() + r * n;
			k.dot_panel(rows.data(), count, panel.data(), n, out.data(), kStride);
			for (std::size_t r = 0; r < count; r++)
				for (std::size_t c = 0; c < kStride; c++)
				{
					float want = c < 16 ? 0.0f : 7.0f;
					for (std::size_t j = 0; c < 16 && j < n; j++)
						want += rows[r][j] * panel[16 * j + c];
					ASSERT_EQ(out[r * kStride + c], want) << n << ' ' << r << ' ' << c;
				}
		}
}

/* Against counting bit by bit: each length up to 300 bytes, and those where sums of bytes are taken down. */
TEST_P(KernelsTest, BitStrings)
{
	std::vector<std::size_t> lengths;
	for (std::size_t n = 0; n <= 300; n++)
		lengths.push_back(n);
	for (std::size_t n : {496u, 512u, 991u, 992u, 993u, 1024u, 1984u, 1999u, 2048u, 8000u, 100000u})
		lengths.push_back(n);
	for (std::size_t n : lengths)
	{
		Unaligned<std::uint8_t> a(n), b(n);
		a.fill(n, [&] { return random(); });
		b.fill(n, [&] { return random() & random(); });
		std::uint64_t different = 0, both = 0, either = 0;
		for (std::size_t i = 0; i < 8 * n; i++)
		{
			unsigned x = a.get(i / 8) >> i % 8 & 1u, y = b.get(i / 8) >> i % 8 & 1u;
			different += x ^ y;
			both += x & y;
			either += x | y;
		}
		std::uint64_t parts[2];
		EXPECT_EQ(k.hamming(a.data(), b.data(), n), different) << n;
		k.jaccard_parts(a.data(), b.data(), n, parts);
		EXPECT_EQ(parts[0], both) << n;
		EXPECT_EQ(parts[1], either) << n;

		/* Every bit differs, every bit is set: the largest sums. */
		a.fill(n, [] { return 255; });
		b.fill(n, [] { return 0; });
		EXPECT_EQ(k.hamming(a.data(), b.data(), n), 8 * n) << n;
		k.jaccard_parts(a.data(), a.data(), n, parts);
		EXPECT_EQ(parts[0], 8 * n) << n;
		EXPECT_EQ(parts[1], 8 * n) << n;
	}
}

/* Against the float32 kernels of the same values, which are exact on small integers; and within the bound on others. */
TEST_P(KernelsTest, Halves)
{
	std::uniform_int_distribution<int> small(-7, 7);
	std::normal_distribution<float> normal;
	for (std::size_t n : kLengths)
		for (bool integers : {true, false})
		{
			Unaligned<std::uint16_t> a(n), b(n);
			std::vector<float> x(n), y(n);
			for (std::size_t i = 0; i < n; i++)
			{
				a.set(i, vecdb::core::half_from_float(integers ? static_cast<float>(small(random)) : normal(random)));
				b.set(i, vecdb::core::half_from_float(integers ? static_cast<float>(small(random)) : normal(random)));
				x[i] = vecdb::core::half_to_float(a.get(i));
				y[i] = vecdb::core::half_to_float(b.get(i));
			}
			Reference l2, ip, l1, aa, bb;
			for (std::size_t i = 0; i < n; i++)
			{
				auto p = static_cast<long double>(x[i]), q = static_cast<long double>(y[i]);
				l2.add((p - q) * (p - q));
				ip.add(p * q);
				l1.add(std::fabs(p - q));
				aa.add(p * p);
				bb.add(q * q);
			}
			float parts[3];
			k.cosine_parts_f16(a.data(), b.data(), n, parts);
			if (integers)
			{
				EXPECT_EQ(k.l2_squared_f16(a.data(), b.data(), n), static_cast<float>(l2.sum)) << n;
				EXPECT_EQ(k.inner_product_f16(a.data(), b.data(), n), static_cast<float>(ip.sum)) << n;
				EXPECT_EQ(k.l1_f16(a.data(), b.data(), n), static_cast<float>(l1.sum)) << n;
				EXPECT_EQ(parts[0], static_cast<float>(ip.sum)) << n;
				EXPECT_EQ(parts[1], static_cast<float>(aa.sum)) << n;
				EXPECT_EQ(parts[2], static_cast<float>(bb.sum)) << n;
				continue;
			}
			expect_within(l2, k.l2_squared_f16(a.data(), b.data(), n), n, "l2");
			expect_within(ip, k.inner_product_f16(a.data(), b.data(), n), n, "ip");
			expect_within(l1, k.l1_f16(a.data(), b.data(), n), n, "l1");
			expect_within(ip, parts[0], n, "ab");
			expect_within(aa, parts[1], n, "aa");
			expect_within(bb, parts[2], n, "bb");
		}
}

/* Exactly, with the greatest and the least element well represented: the longest sums are the largest that can be. */
TEST_P(KernelsTest, SignedBytes)
{
	std::uniform_int_distribution<int> any(-128, 127);
	enum class Data
	{
		uniform,
		opposite,  // 127 against -128: the greatest differences
		least,     // -128 against -128: the greatest products
		extremes,
	};
	std::vector<std::size_t> lengths(std::begin(kLengths), std::end(kLengths));
	for (std::size_t n = 0; n < 200; n++)
		lengths.push_back(n);
	lengths.push_back(32768);
	for (std::size_t n : lengths)
		for (Data data : {Data::uniform, Data::opposite, Data::least, Data::extremes})
		{
			Unaligned<std::int8_t> a(n), b(n);
			a.fill(n, [&] {
				switch (data)
				{
					case Data::uniform: return any(random);
					case Data::opposite: return 127;
					case Data::least: return -128;
					case Data::extremes: break;
				}
				return random() % 2 == 0 ? -128 : 127;
			});
			b.fill(n, [&] {
				switch (data)
				{
					case Data::uniform: return any(random);
					case Data::opposite:
					case Data::least: return -128;
					case Data::extremes: break;
				}
				return random() % 2 == 0 ? -128 : 127;
			});
			long l2 = 0, ip = 0, l1 = 0, aa = 0, bb = 0;
			for (std::size_t i = 0; i < n; i++)
			{
				int x = a.get(i), y = b.get(i);
				l2 += (x - y) * (x - y);
				ip += x * y;
				l1 += std::abs(x - y);
				aa += x * x;
				bb += y * y;
			}
			ASSERT_EQ(k.l2_squared_i8(a.data(), b.data(), n), l2) << n;
			ASSERT_EQ(k.l2_squared_i8(b.data(), a.data(), n), l2) << n;
			ASSERT_EQ(k.inner_product_i8(a.data(), b.data(), n), ip) << n;
			ASSERT_EQ(k.inner_product_i8(b.data(), a.data(), n), ip) << n;
			ASSERT_EQ(k.l1_i8(a.data(), b.data(), n), l1) << n;
			ASSERT_EQ(k.l1_i8(b.data(), a.data(), n), l1) << n;
			std::int32_t parts[3];
			k.cosine_parts_i8(a.data(), b.data(), n, parts);
			ASSERT_EQ(parts[0], ip) << n;
			ASSERT_EQ(parts[1], aa) << n;
			ASSERT_EQ(parts[2], bb) << n;
			Unaligned<float> wide(n);
			k.i8_to_f32(a.data(), wide.data(), n);
			for (std::size_t i = 0; i < n; i++)
				ASSERT_EQ(wide.get(i), static_cast<float>(a.get(i))) << n << ' ' << i;
		}
}

INSTANTIATE_TEST_SUITE_P(Isa, KernelsTest, testing::ValuesIn(all_tables()),
						 [](const auto &table) { return std::string(table.param->isa); });

TEST(DispatchTest, ChoosesTheLastAvailableTableOnEveryThread)
{
	std::vector<const Kernels *> tables = all_tables();
	ASSERT_GE(tables.size(), 1u);
	EXPECT_STREQ(tables[0]->isa, "scalar");
	const Kernels *seen[4] = {};
	std::vector<std::thread> threads;
	for (const Kernels *&slot : seen)
		threads.emplace_back([&slot] { slot = &kernels(); });
	for (std::thread &t : threads)
		t.join();
	for (const Kernels *slot : seen)
		EXPECT_EQ(slot, tables.back());
}

TEST(DispatchTest, NoTableHasAHole)
{
	static_assert(sizeof(Kernels) % sizeof(void *) == 0);
	for (const Kernels *table : all_tables())
	{
		const void *slots[sizeof(Kernels) / sizeof(void *)];
		std::memcpy(slots, table, sizeof slots);
		for (const void *slot : slots)
			EXPECT_NE(slot, nullptr) << table->isa;
	}
}

}  // namespace
