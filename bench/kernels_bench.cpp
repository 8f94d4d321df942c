/* SPDX-License-Identifier: PostgreSQL
 * Kernels of this machine, and beside the float32 ones a hand-tuned loop of intrinsics as the yardstick
 * (hand_avx2, hand_avx512). The aim is 90% of its speed.
 *
 *   build-core/kernels_bench --benchmark_filter='f32/.*' --benchmark_min_time=0.05
 *
 * Everything stays in the L1 cache: one query against as many vectors as fill 8 KB, in turn. Function attributes carry the ISA here, so that the
 * file needs no flags.
 */
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "vecdb/distance/kernels.hpp"
#include "vecdb/quantizer/rotation.hpp"
#include "vecdb/quantizer/scalar.hpp"
#include "vecdb/quantizer/sign_codes.hpp"

#if defined(__x86_64__)
/* GCC 12 takes _mm512_undefined_ps() inside its own intrinsics for a read of garbage (its bug 105593). */
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#define HAND_AVX2 __attribute__((target("avx2,fma")))
#define HAND_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#endif

namespace
{

using namespace vecdb::core;
using distance::Kernels;

/* Vectors of so many bytes that fit 8 KB. */
std::size_t
vectors_in_cache(std::size_t bytes)
{
	return std::max<std::size_t>(1, 8192 / bytes);
}

std::vector<float>
random_floats(std::size_t n, unsigned seed)
{
	std::mt19937 random(seed);
	std::normal_distribution<float> normal;
	std::vector<float> v(n);
	for (float &x : v)
		x = normal(random);
	return v;
}

std::vector<std::uint8_t>
random_bytes(std::size_t n, unsigned seed)
{
	std::mt19937 random(seed);
	std::vector<std::uint8_t> v(n);
	for (std::uint8_t &x : v)
		x = static_cast<std::uint8_t>(random());
	return v;
}

#if defined(__x86_64__)

/* --- the yardsticks: four accumulators, whole registers, then one masked step --- */

HAND_AVX2 float
total(__m256 v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

HAND_AVX2 __m256i
tail_mask(std::size_t k)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(k)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#define HAND_LOOP_AVX2(STEP) \
	__m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0; \
	std::size_t i = 0; \
	for (; i + 32 <= n; i += 32) \
	{ \
		STEP(s0, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)); \
		STEP(s1, _mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8)); \
		STEP(s2, _mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16)); \
		STEP(s3, _mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24)); \
	} \
	for (; i + 8 <= n; i += 8) \
	{ \
		STEP(s0, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)); \
	} \
	if (i < n) \
	{ \
		__m256i m = tail_mask(n - i); \
		STEP(s1, _mm256_maskload_ps(a + i, m), _mm256_maskload_ps(b + i, m)); \
	} \
	return total(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));

#define STEP_L2_AVX2(s, x, y) \
	do \
	{ \
		__m256 d = _mm256_sub_ps(x, y); \
		s = _mm256_fmadd_ps(d, d, s); \
	} while (0)
#define STEP_IP_AVX2(s, x, y) s = _mm256_fmadd_ps(x, y, s)
#define STEP_L1_AVX2(s, x, y) s = _mm256_add_ps(s, _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(x, y)))

HAND_AVX2 float
hand_l2_avx2(const float *a, const float *b, std::size_t n) noexcept {HAND_LOOP_AVX2(STEP_L2_AVX2)}

HAND_AVX2 float hand_ip_avx2(const float *a, const float *b, std::size_t n) noexcept {HAND_LOOP_AVX2(STEP_IP_AVX2)}

HAND_AVX2 float hand_l1_avx2(const float *a, const float *b, std::size_t n) noexcept {HAND_LOOP_AVX2(STEP_L1_AVX2)}

HAND_AVX2 void hand_cosine_avx2(const float *a, const float *b, std::size_t n, float out[3]) noexcept
{
	__m256 ab0 = _mm256_setzero_ps(), ab1 = ab0, aa0 = ab0, aa1 = ab0, bb0 = ab0, bb1 = ab0;
	std::size_t i = 0;
	for (; i + 16 <= n; i += 16)
	{
		__m256 x = _mm256_loadu_ps(a + i), y = _mm256_loadu_ps(b + i);
		ab0 = _mm256_fmadd_ps(x, y, ab0);
		aa0 = _mm256_fmadd_ps(x, x, aa0);
		bb0 = _mm256_fmadd_ps(y, y, bb0);
		x = _mm256_loadu_ps(a + i + 8), y = _mm256_loadu_ps(b + i + 8);
		ab1 = _mm256_fmadd_ps(x, y, ab1);
		aa1 = _mm256_fmadd_ps(x, x, aa1);
		bb1 = _mm256_fmadd_ps(y, y, bb1);
	}
	for (; i < n; i += 8)
	{
		__m256i m = tail_mask(n - i);
		__m256 x = _mm256_maskload_ps(a + i, m), y = _mm256_maskload_ps(b + i, m);
		ab0 = _mm256_fmadd_ps(x, y, ab0);
		aa0 = _mm256_fmadd_ps(x, x, aa0);
		bb0 = _mm256_fmadd_ps(y, y, bb0);
	}
	out[0] = total(_mm256_add_ps(ab0, ab1));
	out[1] = total(_mm256_add_ps(aa0, aa1));
	out[2] = total(_mm256_add_ps(bb0, bb1));
}

#define HAND_LOOP_AVX512(STEP) \
	__m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0; \
	std::size_t i = 0; \
	for (; i + 64 <= n; i += 64) \
	{ \
		STEP(s0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)); \
		STEP(s1, _mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16)); \
		STEP(s2, _mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32)); \
		STEP(s3, _mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48)); \
	} \
	for (; i + 16 <= n; i += 16) \
	{ \
		STEP(s0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i)); \
	} \
	if (i < n) \
	{ \
		__mmask16 m = static_cast<__mmask16>((1u << (n - i)) - 1); \
		STEP(s1, _mm512_maskz_loadu_ps(m, a + i), _mm512_maskz_loadu_ps(m, b + i)); \
	} \
	return total512(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));

#define STEP_L2_AVX512(s, x, y) \
	do \
	{ \
		__m512 d = _mm512_sub_ps(x, y); \
		s = _mm512_fmadd_ps(d, d, s); \
	} while (0)
#define STEP_IP_AVX512(s, x, y) s = _mm512_fmadd_ps(x, y, s)
#define STEP_L1_AVX512(s, x, y) \
	s = _mm512_add_ps(s, _mm512_castsi512_ps(_mm512_and_si512(_mm512_set1_epi32(0x7fffffff), \
															  _mm512_castps_si512(_mm512_sub_ps(x, y)))))

HAND_AVX512 float
total512(__m512 v)
{
	__m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

HAND_AVX512 float
hand_l2_avx512(const float *a, const float *b, std::size_t n) noexcept {HAND_LOOP_AVX512(STEP_L2_AVX512)}

HAND_AVX512
	float hand_ip_avx512(const float *a, const float *b, std::size_t n) noexcept {HAND_LOOP_AVX512(STEP_IP_AVX512)}

HAND_AVX512
	float hand_l1_avx512(const float *a, const float *b, std::size_t n) noexcept {HAND_LOOP_AVX512(STEP_L1_AVX512)}

HAND_AVX512 void hand_cosine_avx512(const float *a, const float *b, std::size_t n, float out[3]) noexcept
{
	__m512 ab0 = _mm512_setzero_ps(), ab1 = ab0, aa0 = ab0, aa1 = ab0, bb0 = ab0, bb1 = ab0;
	std::size_t i = 0;
	for (; i + 32 <= n; i += 32)
	{
		__m512 x = _mm512_loadu_ps(a + i), y = _mm512_loadu_ps(b + i);
		ab0 = _mm512_fmadd_ps(x, y, ab0);
		aa0 = _mm512_fmadd_ps(x, x, aa0);
		bb0 = _mm512_fmadd_ps(y, y, bb0);
		x = _mm512_loadu_ps(a + i + 16), y = _mm512_loadu_ps(b + i + 16);
		ab1 = _mm512_fmadd_ps(x, y, ab1);
		aa1 = _mm512_fmadd_ps(x, x, aa1);
		bb1 = _mm512_fmadd_ps(y, y, bb1);
	}
	for (; i < n; i += 16)
	{
		__mmask16 m = static_cast<__mmask16>(n - i >= 16 ? 0xffff : (1u << (n - i)) - 1);
		__m512 x = _mm512_maskz_loadu_ps(m, a + i), y = _mm512_maskz_loadu_ps(m, b + i);
		ab0 = _mm512_fmadd_ps(x, y, ab0);
		aa0 = _mm512_fmadd_ps(x, x, aa0);
		bb0 = _mm512_fmadd_ps(y, y, bb0);
	}
	out[0] = total512(_mm512_add_ps(ab0, ab1));
	out[1] = total512(_mm512_add_ps(aa0, aa1));
	out[2] = total512(_mm512_add_ps(bb0, bb1));
}

#endif

/* --- runners --- */

using Pairwise = float (*)(const float *, const float *, std::size_t) noexcept;
using Parts = void (*)(const float *, const float *, std::size_t, float *) noexcept;

void
run_pairwise(benchmark::State &state, Pairwise f, std::size_t n)
{
	const std::size_t count = vectors_in_cache(4 * n);
	std::vector<float> a = random_floats(n * count, 1), b = random_floats(n, 2);
	std::size_t i = 0;
	for (auto _ : state)
	{
		benchmark::DoNotOptimize(f(a.data() + i * n, b.data(), n));
		i = i + 1 < count ? i + 1 : 0;
	}
}

void
run_parts(benchmark::State &state, Parts f, std::size_t n)
{
	const std::size_t count = vectors_in_cache(4 * n);
	std::vector<float> a = random_floats(n * count, 1), b = random_floats(n, 2);
	std::size_t i = 0;
	float out[3];
	for (auto _ : state)
	{
		f(a.data() + i * n, b.data(), n, out);
		benchmark::DoNotOptimize(out);
		i = i + 1 < count ? i + 1 : 0;
	}
}

template <class F>
void
add(const std::string &name, F run)
{
	benchmark::RegisterBenchmark(name.c_str(), run);
}

/* The yardsticks of one instruction set; null where the machine lacks it. */
struct Hand
{
	const char *name;
	const char *isa;
	Pairwise l2, ip, l1;
	Parts cosine;
};

std::vector<Hand>
hand_tuned(const std::vector<const Kernels *> &tables)
{
	std::vector<Hand> hands;
#if defined(__x86_64__)
	const Hand known[] = {
		{"hand_avx2", "avx2", hand_l2_avx2, hand_ip_avx2, hand_l1_avx2, hand_cosine_avx2},
		{"hand_avx512", "avx512", hand_l2_avx512, hand_ip_avx512, hand_l1_avx512, hand_cosine_avx512},
	};
	for (const Hand &h : known)
		for (const Kernels *k : tables)
			if (std::string(k->isa) == h.isa)
				hands.push_back(h);
#endif
	return hands;
}

void
register_f32(const std::vector<const Kernels *> &tables)
{
	struct
	{
		const char *name;
		Pairwise Kernels::*ours;
		Pairwise Hand::*hand;
	} const pairwise[] = {
		{"l2", &Kernels::l2_squared, &Hand::l2},
		{"ip", &Kernels::inner_product, &Hand::ip},
		{"l1", &Kernels::l1, &Hand::l1},
	};
	const std::vector<Hand> hands = hand_tuned(tables);
	for (std::size_t n : {100u, 128u, 768u, 784u, 1536u})
	{
		std::string suffix = "/" + std::to_string(n) + "/";
		for (const auto &entry : pairwise)
		{
			std::string stem = std::string("f32/") + entry.name + suffix;
			for (const Hand &h : hands)
				add(stem + h.name, [f = h.*entry.hand, n](benchmark::State &s) { run_pairwise(s, f, n); });
			for (const Kernels *k : tables)
				add(stem + k->isa, [f = k->*entry.ours, n](benchmark::State &s) { run_pairwise(s, f, n); });
		}
		std::string stem = "f32/cosine" + suffix;
		for (const Hand &h : hands)
			add(stem + h.name, [f = h.cosine, n](benchmark::State &s) { run_parts(s, f, n); });
		for (const Kernels *k : tables)
			add(stem + k->isa, [f = k->cosine_parts, n](benchmark::State &s) { run_parts(s, f, n); });
	}
}

void
register_codes(const Kernels *k)
{
	for (std::size_t n : {112u, 128u, 768u, 784u, 1536u})
	{
		auto stem = [&](const char *name) {
			return std::string("codes/").append(name).append("/").append(std::to_string(n)).append("/").append(k->isa);
		};
		add(stem("dot_u8_i16"), [k, n](benchmark::State &state) {
			const std::size_t count = vectors_in_cache(n);
			std::vector<std::uint8_t> code = random_bytes(n * count, 3);
			std::vector<std::int16_t> query(n, 77);
			std::size_t i = 0;
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(k->dot_u8_i16(code.data() + i * n, query.data(), n));
				i = i + 1 < count ? i + 1 : 0;
			}
		});
		add(stem("dot_u8_u8"), [k, n](benchmark::State &state) {
			const std::size_t count = vectors_in_cache(n);
			std::vector<std::uint8_t> a = random_bytes(n * count, 3), b = random_bytes(n, 4);
			std::size_t i = 0;
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(k->dot_u8_u8(a.data() + i * n, b.data(), n));
				i = i + 1 < count ? i + 1 : 0;
			}
		});
		add(stem("l2_squared_u16_f32"), [k, n](benchmark::State &state) {
			const std::size_t count = vectors_in_cache(2 * n);
			std::vector<std::uint8_t> code = random_bytes(n * count, 3), residual = random_bytes(n * count, 4);
			std::vector<float> q = random_floats(n, 5);
			std::size_t i = 0;
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(
					k->l2_squared_u16_f32(code.data() + i * n, residual.data() + i * n, 0.01f, -1.2f, q.data(), n));
				i = i + 1 < count ? i + 1 : 0;
			}
		});
		add(stem("l2_squared_u8_f32"), [k, n](benchmark::State &state) {
			const std::size_t count = vectors_in_cache(n);
			std::vector<std::uint8_t> code = random_bytes(n * count, 3);
			std::vector<float> q = random_floats(n, 5);
			std::size_t i = 0;
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(k->l2_squared_u8_f32(code.data() + i * n, 0.01f, -1.2f, q.data(), n));
				i = i + 1 < count ? i + 1 : 0;
			}
		});
		add(stem("l1_u8_f32"), [k, n](benchmark::State &state) {
			const std::size_t count = vectors_in_cache(n);
			std::vector<std::uint8_t> code = random_bytes(n * count, 3);
			std::vector<float> q = random_floats(n, 5);
			std::size_t i = 0;
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(k->l1_u8_f32(code.data() + i * n, 0.01f, -1.2f, q.data(), n));
				i = i + 1 < count ? i + 1 : 0;
			}
		});
		add(stem("l1_u8_u8"), [k, n](benchmark::State &state) {
			const std::size_t count = vectors_in_cache(n);
			std::vector<std::uint8_t> a = random_bytes(n * count, 3), b = random_bytes(n, 4);
			std::size_t i = 0;
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(k->l1_u8_u8(a.data() + i * n, 0.01f, -1.2f, b.data(), 0.011f, -1.1f, n));
				i = i + 1 < count ? i + 1 : 0;
			}
		});
		add(stem("encode"), [k, n](benchmark::State &state) {
			std::vector<float> v = random_floats(n, 5);
			std::vector<std::uint8_t> code(n), residual(n);
			double sums[3];
			float ends[2];
			for (auto _ : state)
			{
				k->min_max(v.data(), n, ends);
				k->encode(v.data(), n, (ends[1] - ends[0]) / 255.0f, ends[0], false, code.data(), residual.data(),
						  sums);
				benchmark::DoNotOptimize(sums);
			}
		});
		add(stem("rotate"), [k, n](benchmark::State &state) {
			std::vector<float> v = random_floats(n, 6);
			std::vector<std::uint32_t> signs(4 * n);
			quantizer::Rotation r = quantizer::rotation_init(n, 1, signs.data());
			for (auto _ : state)
			{
				k->rotate(v.data(), r.n, r.w, r.signs);
				benchmark::ClobberMemory();
			}
		});
	}
}

void
register_quantizer()
{
	for (std::size_t n : {112u, 128u, 768u, 784u, 1536u})
	{
		add("sq8/encode/" + std::to_string(n), [n](benchmark::State &state) {
			std::vector<float> v = random_floats(n, 5);
			std::vector<std::uint8_t> code(n), residual(n);
			for (auto _ : state)
				benchmark::DoNotOptimize(
					quantizer::sq8_encode(v.data(), n, quantizer::ErrorNorm::euclidean, code.data(), residual.data()));
		});
		add("sq8/query/" + std::to_string(n), [n](benchmark::State &state) {
			std::vector<float> q = random_floats(n, 5);
			std::vector<std::int16_t> codes(n);
			for (auto _ : state)
				benchmark::DoNotOptimize(quantizer::sq8_query(q.data(), n, codes.data()));
		});
	}
}

/* Sign codes: a block of 32 lanes with its factors and the compare, the query's table, the codes of one lane. */
void
register_sign_kernels(const Kernels *k)
{
	for (std::size_t dims : {112u, 128u, 240u, 400u, 768u, 1536u})
	{
		auto stem = [&](const char *name) {
			return std::string("signs/").append(name).append("/") + std::to_string(dims) + "/" + k->isa;
		};
		add(stem("fast_scan"), [k, dims](benchmark::State &state) {
			const std::size_t bytes = quantizer::sign_block_bytes(dims), count = vectors_in_cache(bytes);
			std::vector<std::uint8_t> codes = random_bytes(bytes * count, 3), lut = random_bytes(bytes, 4);
			for (std::uint8_t &x : lut)
				x &= 31;  // the sums stay in 16 bits
			std::vector<std::uint16_t> factors(64, 0x3c00);
			float est[32];
			std::size_t i = 0;
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(k->fast_scan(codes.data() + i * bytes, lut.data(), dims / 4, factors.data(),
													  factors.data() + 32, 0.5f, 0.25f, 1.0f, 0.01f, -1.0f, 100.0f,
													  est));
				benchmark::DoNotOptimize(est);
				i = i + 1 < count ? i + 1 : 0;
			}
		});
		add(stem("query"), [k, dims](benchmark::State &state) {
			std::vector<float> q = random_floats(dims, 5);
			std::vector<std::uint8_t> lut(quantizer::sign_lut_bytes(dims));
			float sums[2];
			for (auto _ : state)
			{
				k->quad_sums(q.data(), dims, sums);
				benchmark::DoNotOptimize(k->sign_lut(q.data(), dims, 50.0f / sums[0], lut.data()));
				benchmark::ClobberMemory();
			}
		});
		add(stem("sign_code"), [k, dims](benchmark::State &state) {
			std::vector<float> u = random_floats(dims, 5), v = random_floats(dims, 6);
			std::vector<std::uint8_t> signs(dims / 8);
			float sums[4];
			for (auto _ : state)
			{
				k->sign_code(u.data(), v.data(), dims, signs.data(), sums);
				benchmark::DoNotOptimize(sums);
			}
		});
	}
}

void
register_sign_codes()
{
	for (std::size_t dims : {112u, 128u, 240u, 400u, 768u, 1536u})
	{
		add("signs/encode_lane/" + std::to_string(dims), [dims](benchmark::State &state) {
			std::vector<float> u = random_floats(dims, 5), v = random_floats(dims, 6);
			std::vector<std::uint8_t> codes(quantizer::sign_block_bytes(dims));
			std::uint32_t lane = 0;
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(
					quantizer::encode_lane(distance::Metric::l2, u.data(), v.data(), dims, dims, codes.data(), lane));
				lane = (lane + 1) % quantizer::kBlockLanes;
			}
		});
		add("signs/sign_query/" + std::to_string(dims), [dims](benchmark::State &state) {
			std::vector<float> q = random_floats(dims, 5);
			std::vector<std::uint8_t> lut(quantizer::sign_lut_bytes(dims));
			for (auto _ : state)
			{
				benchmark::DoNotOptimize(quantizer::sign_query(q.data(), dims, lut.data()));
				benchmark::ClobberMemory();
			}
		});
	}
}

#if defined(__x86_64__)

/* As pgvector 0.8 counts: 64 bytes a step by vpopcntq, what is left by words and bytes; without AVX-512 popcnt alone. */
__attribute__((target("popcnt"))) std::uint64_t
hand_hamming_popcnt(const std::uint8_t *a, const std::uint8_t *b, std::size_t n, std::uint64_t sum)
{
	for (; n >= 8; n -= 8, a += 8, b += 8)
	{
		std::uint64_t x, y;
		__builtin_memcpy(&x, a, 8);
		__builtin_memcpy(&y, b, 8);
		sum += static_cast<std::uint64_t>(__builtin_popcountll(x ^ y));
	}
	for (; n > 0; n--)
		sum += static_cast<std::uint64_t>(__builtin_popcount(static_cast<unsigned>(*a++ ^ *b++)));
	return sum;
}

__attribute__((target("avx512f,avx512vpopcntdq"))) std::uint64_t
hand_hamming_vpopcnt(const std::uint8_t *a, const std::uint8_t *b, std::size_t n)
{
	__m512i sum = _mm512_setzero_si512();
	for (; n >= 64; n -= 64, a += 64, b += 64)
		sum =
			_mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(a), _mm512_loadu_si512(b))));
	return hand_hamming_popcnt(a, b, n, static_cast<std::uint64_t>(_mm512_reduce_add_epi64(sum)));
}

#endif

void
register_bits(const std::vector<const Kernels *> &tables)
{
	using Count = std::uint64_t (*)(const std::uint8_t *, const std::uint8_t *, std::size_t);
	auto run = [](benchmark::State &state, Count f, std::size_t bytes) {
		const std::size_t count = vectors_in_cache(bytes);
		std::vector<std::uint8_t> a = random_bytes(bytes, 1), b = random_bytes(bytes * count, 2);
		std::size_t i = 0;
		for (auto _ : state)
		{
			benchmark::DoNotOptimize(f(a.data(), b.data() + i * bytes, bytes));
			i = i + 1 < count ? i + 1 : 0;
		}
	};
	for (std::size_t bits : {64u, 128u, 768u, 1000u, 1536u, 3072u, 64000u})
	{
		const std::size_t bytes = bits / 8;
		std::string stem = "bits/hamming/" + std::to_string(bits) + "/";
#if defined(__x86_64__)
		add(stem + "hand_popcnt", [run, bytes](benchmark::State &s) {
			run(
				s,
				[](const std::uint8_t *a, const std::uint8_t *b, std::size_t n) {
					return hand_hamming_popcnt(a, b, n, 0);
				},
				bytes);
		});
		if (std::string(tables.back()->isa) == "avx512vpopcnt")
			add(stem + "hand_vpopcnt", [run, bytes](benchmark::State &s) { run(s, hand_hamming_vpopcnt, bytes); });
#endif
		for (const Kernels *k : tables)
			add(stem + k->isa, [run, k, bytes](benchmark::State &s) { run(s, k->hamming, bytes); });
		for (const Kernels *k : tables)
			add("bits/jaccard/" + std::to_string(bits) + "/" + k->isa, [k, bytes](benchmark::State &state) {
				std::vector<std::uint8_t> a = random_bytes(bytes, 1), b = random_bytes(bytes, 2);
				std::uint64_t parts[2];
				for (auto _ : state)
				{
					k->jaccard_parts(a.data(), b.data(), bytes, parts);
					benchmark::DoNotOptimize(parts);
				}
			});
	}
}

}  // namespace

int
main(int argc, char **argv)
{
	const Kernels *found[8];
	std::size_t count = distance::available_kernels(found);
	std::vector<const Kernels *> tables(found, found + count);
	register_f32(tables);
	for (const Kernels *k : tables)
	{
		register_codes(k);
		register_sign_kernels(k);
	}
	register_quantizer();
	register_sign_codes();
	register_bits(tables);
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 1;
	benchmark::RunSpecifiedBenchmarks();
	benchmark::Shutdown();
	return 0;
}
