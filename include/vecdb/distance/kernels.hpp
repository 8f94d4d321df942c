/* SPDX-License-Identifier: PostgreSQL
 * The table of distance kernels: one function pointer a kernel, filled for one instruction set.
 *
 * Regime: core. kernels() is chosen once (first call, or select_kernels in _PG_init) by CPUID and
 * XGETBV; never changes after. All pointers may be unaligned. n may be 0 unless said otherwise.
 * float32 kernels take any n; code kernels (u8, u4) take n that is a multiple of 16.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vecdb::core::distance
{

/* A sparse vector: n elements, by ascending index; indices and values may be unaligned. */
struct SparseRow
{
	const std::int32_t *indices;  // from 0 to below INT32_MAX - 1, none twice
	const float *values;
	std::size_t n;
};

/* Four floats that are returned in one register. */
using FourFloats = float __attribute__((vector_size(16)));

struct Kernels
{
	const char *isa;  // "scalar", "avx2", "avx512", "avx512vnni", "avx512vpopcnt", "neon", "neondot"

	/* --- float32, length n --- */
	float (*l2_squared)(const float *a, const float *b, std::size_t n) noexcept;
	float (*inner_product)(const float *a, const float *b, std::size_t n) noexcept;
	float (*l1)(const float *a, const float *b, std::size_t n) noexcept;
	/* out[0] = a.b, out[1] = a.a, out[2] = b.b, in one pass. */
	void (*cosine_parts)(const float *a, const float *b, std::size_t n, float out[3]) noexcept;
	/* The same sums, a.b, a.a, b.b, any: without the way through memory, which costs 128 dimensions a tenth. */
	FourFloats (*cosine_sums)(const float *a, const float *b, std::size_t n) noexcept;

	/* --- 8-bit codes: element i decodes to bias + scale * code[i] --- */
	/* sum code[i] * query[i]. The caller keeps 255 * sum |query[i]| below 2^31. */
	std::int32_t (*dot_u8_i16)(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept;
	/* sum a[i] * b[i]; fits for n <= 32768. */
	std::int32_t (*dot_u8_u8)(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept;
	/* sum |query[i] - (bias + scale * code[i])| */
	float (*l1_u8_f32)(const std::uint8_t *code, float scale, float bias, const float *query, std::size_t n) noexcept;
	/* sum |decode(a)[i] - decode(b)[i]| */
	float (*l1_u8_u8)(const std::uint8_t *a, float scale_a, float bias_a, const std::uint8_t *b, float scale_b,
					  float bias_b, std::size_t n) noexcept;

	/* --- 16-bit codes in two planes: bias + scale * (code[i] + (residual[i] - 127.5) / 255) --- */
	float (*l2_squared_u16_f32)(const std::uint8_t *code, const std::uint8_t *residual, float scale, float bias,
								const float *query, std::size_t n) noexcept;
	float (*inner_product_u16_f32)(const std::uint8_t *code, const std::uint8_t *residual, float scale, float bias,
								   const float *query, std::size_t n) noexcept;
	float (*l1_u16_f32)(const std::uint8_t *code, const std::uint8_t *residual, float scale, float bias,
						const float *query, std::size_t n) noexcept;
	/* The same three on 8-bit codes alone (no residual plane), full float precision. */
	float (*l2_squared_u8_f32)(const std::uint8_t *code, float scale, float bias, const float *query,
							   std::size_t n) noexcept;
	float (*inner_product_u8_f32)(const std::uint8_t *code, float scale, float bias, const float *query,
								  std::size_t n) noexcept;

	/* --- 4-bit codes: element i decodes to bias + scale * code[i]; element 2 i in the low nibble of byte i --- */
	/* sum code[i] * query[i]. The caller keeps 15 * sum |query[i]| below 2^31. */
	std::int32_t (*dot_u4_i16)(const std::uint8_t *code, const std::int16_t *query, std::size_t n) noexcept;
	float (*l2_squared_u4_f32)(const std::uint8_t *code, float scale, float bias, const float *query,
							   std::size_t n) noexcept;
	float (*inner_product_u4_f32)(const std::uint8_t *code, float scale, float bias, const float *query,
								  std::size_t n) noexcept;
	/* y[i] = u[i] - 7.5, u[i] = the nearest integer of v[i] * inverse + 7.5 in 0..15. out[0] = sum y v, out[1] = sum y y;
	 * code: u, or null. */
	void (*lattice_u4)(const float *v, std::size_t n, float inverse, std::uint8_t *code, float out[2]) noexcept;

	/* --- halves: element i decodes to scale * f16(code[i]); n a multiple of 16 --- */
	float (*l2_squared_f16_f32)(const std::uint16_t *code, float scale, const float *query, std::size_t n) noexcept;
	float (*inner_product_f16_f32)(const std::uint16_t *code, float scale, const float *query, std::size_t n) noexcept;
	float (*l1_f16_f32)(const std::uint16_t *code, float scale, const float *query, std::size_t n) noexcept;

	/* --- rotation: x[i] ^= mask (sign bit), then the Hadamard/Givens round; see quantizer/rotation.hpp --- */
	void (*rotate)(float *x, std::size_t n, std::size_t w, const std::uint32_t *signs) noexcept;

	/* --- encoding (n a multiple of 16, at least 16): the loops of quantizer/scalar.cpp --- */
	/* out[0] = least, out[1] = greatest of v. */
	void (*min_max)(const float *v, std::size_t n, float out[2]) noexcept;
	/* Nearest codes of v, residual plane too unless null. Sums over the elements, in double, of the ideal
	 * decoded values: out[0] = squares of the 8-bit values, out[1] = errors of the 8-bit values, out[2] =
	 * errors of the 16-bit values (0 without residual); errors count |e| where absolute, else e * e. */
	void (*encode)(const float *v, std::size_t n, float scale, float bias, bool absolute, std::uint8_t *code,
				   std::uint8_t *residual, double out[3]) noexcept;
	/* out[i] = decoded element i; residual may be null. */
	void (*decode)(const std::uint8_t *code, const std::uint8_t *residual, float scale, float bias, std::size_t n,
				   float *out) noexcept;
	/* out[0] = greatest |q[i]|, out[1] = sum of q, out[2] = of |q|, out[3] = of squares, in double. */
	void (*summarize)(const float *q, std::size_t n, double out[4]) noexcept;
	/* codes[i] = nearest integer of q[i] * inverse, cut to +-16383. */
	void (*quantize_i16)(const float *q, std::size_t n, float inverse, std::int16_t *codes) noexcept;

	/* --- sign codes (quantizer/sign_codes.hpp); n a multiple of 16 --- */
	/* Scores a block of 32 lanes: acc = sum over segments of lut[16 * segment + nibble of the lane],
	 *   est = add_scale * f16(f_add) + g + mul_scale * f16(f_mul) * (step * acc + bias).
	 * Writes 32 estimates; returns the mask of lanes with est < threshold (NaN is not). codes and lut: segments *
	 * 16 bytes, segments a multiple of 4. The caller keeps every lut byte <= 127 (two are added in 8 bits) and the
	 * sum of the greatest byte of each segment < 65536 (sums are held in 16); codes may be any bytes. */
	std::uint32_t (*fast_scan)(const std::uint8_t *codes, const std::uint8_t *lut, std::size_t segments,
							   const std::uint16_t *f_add, const std::uint16_t *f_mul, float add_scale, float mul_scale,
							   float g, float step, float bias, float threshold, float *est) noexcept;
	/* As fast_scan, with e = bias + sum over segments of table[256 * segment + code of the lane]; codes: 32 bytes a
	 * segment, one a lane. Any number of segments. */
	std::uint32_t (*table_scan)(const std::uint8_t *codes, const float *table, std::size_t segments,
								const std::uint16_t *f_add, const std::uint16_t *f_mul, float add_scale,
								float mul_scale, float g, float bias, float threshold, float *est) noexcept;
	/* Nearest halves, ties to even; beyond the range (infinity too) +-65504; NaN stays NaN. Any n. */
	void (*f32_to_f16)(const float *in, std::uint16_t *out, std::size_t n) noexcept;
	/* Exact. Any n. */
	void (*f16_to_f32)(const std::uint16_t *in, float *out, std::size_t n) noexcept;
	/* With r = v - u: bit i % 8 of signs[i / 8] = the sign bit of r[i] is clear; out[0] = sum r^2,
	 * out[1] = sum r * u, out[2] = sum |r|, out[3] = sum of u[i] with the sign flipped where r[i]'s is set. */
	void (*sign_code)(const float *u, const float *v, std::size_t n, std::uint8_t *signs, float out[4]) noexcept;
	/* out[0] = the greatest sum |q[i]| of four elements (from a multiple of four on), out[1] = sum |q[i]|. */
	void (*quad_sums)(const float *q, std::size_t n, float out[2]) noexcept;
	/* The table of fast_scan. With d[i] = nearest integer of q[i] * inverse (ties to even), byte k of segment m is
	 * the sum over j < 4 of |d[4 m + j]| where bit j of k agrees with the sign of d (set: positive). Returns
	 * sum |d|. The caller keeps sum |d| of four <= 255. */
	std::uint32_t (*sign_lut)(const float *q, std::size_t n, float inverse, std::uint8_t *lut) noexcept;

	/* --- many inner products at once (cluster/kmeans.hpp) --- */
	/* panel holds 16 vectors of n floats, element j of vector k at panel[16 * j + k]. out[r * stride + k] = rows[r] .
	 * vector k, for count rows. */
	void (*dot_panel)(const float *const *rows, std::size_t count, const float *panel, std::size_t n, float *out,
					  std::size_t stride) noexcept;

	/* --- checksums --- */
	/* CRC-32C (Castagnoli, reflected) of n more bytes: begin with 0xFFFFFFFF, and invert what is left at the end. */
	std::uint32_t (*crc32c)(std::uint32_t crc, const void *bytes, std::size_t n) noexcept;

	/* --- bit strings of n bytes, any n --- */
	/* Bits that differ. */
	std::uint64_t (*hamming)(const std::uint8_t *a, const std::uint8_t *b, std::size_t n) noexcept;
	/* out[0] = bits set in both, out[1] = bits set in one or both. */
	void (*jaccard_parts)(const std::uint8_t *a, const std::uint8_t *b, std::size_t n, std::uint64_t out[2]) noexcept;

	/* --- halves (IEEE binary16), length n; sums in float32, so that of finite ones none overflows --- */
	float (*l2_squared_f16)(const std::uint16_t *a, const std::uint16_t *b, std::size_t n) noexcept;
	float (*inner_product_f16)(const std::uint16_t *a, const std::uint16_t *b, std::size_t n) noexcept;
	float (*l1_f16)(const std::uint16_t *a, const std::uint16_t *b, std::size_t n) noexcept;
	/* As cosine_parts. */
	void (*cosine_parts_f16)(const std::uint16_t *a, const std::uint16_t *b, std::size_t n, float out[3]) noexcept;

	/* --- sparse vectors --- */
	/* Over all elements that one or both have. */
	float (*sparse_l2_squared)(const SparseRow &a, const SparseRow &b) noexcept;
	/* Over those that both have. */
	float (*sparse_inner_product)(const SparseRow &a, const SparseRow &b) noexcept;
	float (*sparse_l1)(const SparseRow &a, const SparseRow &b) noexcept;

	/* --- signed bytes, length n <= 32768: every sum fits, and is exact --- */
	std::int32_t (*l2_squared_i8)(const std::int8_t *a, const std::int8_t *b, std::size_t n) noexcept;
	std::int32_t (*inner_product_i8)(const std::int8_t *a, const std::int8_t *b, std::size_t n) noexcept;
	std::int32_t (*l1_i8)(const std::int8_t *a, const std::int8_t *b, std::size_t n) noexcept;
	/* As cosine_parts. */
	void (*cosine_parts_i8)(const std::int8_t *a, const std::int8_t *b, std::size_t n, std::int32_t out[3]) noexcept;
	/* out[i] = in[i]. Any n. */
	void (*i8_to_f32)(const std::int8_t *in, float *out, std::size_t n) noexcept;

	/* --- two sparse codes (quantizer/sparse_code.hpp), as so many blocks: any bytes at all --- */
	float (*block_inner_product)(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b,
								 std::size_t b_blocks) noexcept;
	float (*block_l1)(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b,
					  std::size_t b_blocks) noexcept;
};

/* What kernels() has chosen; null before its first call. */
extern std::atomic<const Kernels *> chosen_kernels;

/* Chooses. */
const Kernels &choose_kernels() noexcept;

/* The table for this machine. Thread-safe, never null. Inline, since one call of a distance function is over in some 10 ns. */
inline const Kernels &
kernels() noexcept
{
	/* Threads that race for the first call store the same address of a constant, so no order is needed. */
	const Kernels *table = chosen_kernels.load(std::memory_order_relaxed);
	if (__builtin_expect(table == nullptr, 0))
		return choose_kernels();
	return *table;
}

/* Every table that this machine can run, scalar first: for tests and benchmarks. Returns the count (<= 8). */
std::size_t available_kernels(const Kernels *tables[8]) noexcept;

}  // namespace vecdb::core::distance
