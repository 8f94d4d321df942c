/* SPDX-License-Identifier: PostgreSQL
 * Kernels in plain C++: the baseline of every architecture and the oracle of the unit tests.
 *
 * Regime: core.
 * Sixteen independent sums a loop, so that the compiler can use whatever the baseline has (SSE2 on
 * x86-64) and the rounding error stays below (n/16 + 16) * 2^-24 * sum |terms|.
 * A decoded element is taken about the middle of its range, mid + scale * (code - 127.5): without a
 * fused multiply-add, scale * code alone could overflow.
 */
#include <cstring>

#include "sparse_scalar.hpp"
#include "tables.hpp"
#include "vecdb/base/half.hpp"

namespace vecdb::core::distance
{
namespace
{

using std::int16_t;
using std::int32_t;
using std::int8_t;
using std::size_t;
using std::uint16_t;
using std::uint32_t;
using std::uint64_t;
using std::uint8_t;

constexpr size_t kLanes = 16;
constexpr float kHalfRange = 127.5f;        // middle of 0..255
constexpr float kHalfFineRange = 32640.0f;  // middle of 0..65280, the 16-bit codes
constexpr float kFineSteps = 255.0f;        // residual steps inside one code step

float
at(const float *p, size_t i) noexcept
{
	float x;
	std::memcpy(&x, p + i, sizeof x);  // any alignment
	return x;
}

int32_t
at(const int16_t *p, size_t i) noexcept
{
	int16_t x;
	std::memcpy(&x, p + i, sizeof x);
	return x;
}

uint16_t
at(const uint16_t *p, size_t i) noexcept
{
	uint16_t x;
	std::memcpy(&x, p + i, sizeof x);
	return x;
}

uint32_t
at(const uint32_t *p, size_t i) noexcept
{
	uint32_t x;
	std::memcpy(&x, p + i, sizeof x);
	return x;
}

void
put(float *p, size_t i, float x) noexcept
{
	std::memcpy(p + i, &x, sizeof x);
}

float
magnitude(float x) noexcept
{
	return __builtin_fabsf(x);
}

template <class T>
T
total(T *sum) noexcept
{
	for (size_t width = kLanes / 2; width > 0; width /= 2)
		for (size_t j = 0; j < width; j++)
			sum[j] += sum[j + width];
	return sum[0];
}

/* Sum of term(i) for i < n. */
template <class Term>
inline float
sum_of(size_t n, Term term) noexcept
{
	float sum[kLanes] = {};
	size_t i = 0;
	for (; i + kLanes <= n; i += kLanes)
		for (size_t j = 0; j < kLanes; j++)
			sum[j] += term(i + j);
	for (size_t j = 0; i + j < n; j++)
		sum[j] += term(i + j);
	return total(sum);
}

/* --- float32 --- */

float
l2_squared(const float *a, const float *b, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept {
		float d = at(a, i) - at(b, i);
		return d * d;
	});
}

float
inner_product(const float *a, const float *b, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept { return at(a, i) * at(b, i); });
}

float
l1(const float *a, const float *b, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept { return magnitude(at(a, i) - at(b, i)); });
}

void
cosine_parts(const float *a, const float *b, size_t n, float out[3]) noexcept
{
	out[0] = inner_product(a, b, n);
	out[1] = inner_product(a, a, n);
	out[2] = inner_product(b, b, n);
}

FourFloats
cosine_sums(const float *a, const float *b, size_t n) noexcept
{
	return FourFloats{inner_product(a, b, n), inner_product(a, a, n), inner_product(b, b, n), 0.0f};
}

float
l2_squared_f16(const uint16_t *a, const uint16_t *b, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept {
		float d = half_to_float(at(a, i)) - half_to_float(at(b, i));
		return d * d;
	});
}

float
inner_product_f16(const uint16_t *a, const uint16_t *b, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept { return half_to_float(at(a, i)) * half_to_float(at(b, i)); });
}

float
l1_f16(const uint16_t *a, const uint16_t *b, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept { return magnitude(half_to_float(at(a, i)) - half_to_float(at(b, i))); });
}

void
cosine_parts_f16(const uint16_t *a, const uint16_t *b, size_t n, float out[3]) noexcept
{
	out[0] = inner_product_f16(a, b, n);
	out[1] = inner_product_f16(a, a, n);
	out[2] = inner_product_f16(b, b, n);
}

/* --- signed bytes --- */

int32_t
l2_squared_i8(const int8_t *a, const int8_t *b, size_t n) noexcept
{
	int32_t sum = 0;
	for (size_t i = 0; i < n; i++)
	{
		int32_t d = a[i] - b[i];
		sum += d * d;
	}
	return sum;
}

int32_t
inner_product_i8(const int8_t *a, const int8_t *b, size_t n) noexcept
{
	int32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

int32_t
l1_i8(const int8_t *a, const int8_t *b, size_t n) noexcept
{
	int32_t sum = 0;
	for (size_t i = 0; i < n; i++)
	{
		int32_t d = a[i] - b[i];
		sum += d < 0 ? -d : d;
	}
	return sum;
}

void
cosine_parts_i8(const int8_t *a, const int8_t *b, size_t n, int32_t out[3]) noexcept
{
	out[0] = inner_product_i8(a, b, n);
	out[1] = inner_product_i8(a, a, n);
	out[2] = inner_product_i8(b, b, n);
}

void
i8_to_f32(const int8_t *in, float *out, size_t n) noexcept
{
	for (size_t i = 0; i < n; i++)
	{
		float x = static_cast<float>(in[i]);
		std::memcpy(out + i, &x, sizeof x);
	}
}

/* --- codes --- */

/* Decoders: the element that a code stands for. */
struct Decoder8
{
	const uint8_t *code;
	float scale, middle;

	Decoder8(const uint8_t *code_, float scale_, float bias_) noexcept
		: code(code_), scale(scale_), middle(static_cast<float>(bias_ + 127.5 * scale_))
	{
	}

	float
	operator()(size_t i) const noexcept
	{
		return middle + scale * (static_cast<float>(code[i]) - kHalfRange);
	}
};

struct Decoder16
{
	const uint8_t *code, *residual;
	float step, middle;

	Decoder16(const uint8_t *code_, const uint8_t *residual_, float scale_, float bias_) noexcept
		: code(code_), residual(residual_), step(scale_ / kFineSteps),
		  middle(static_cast<float>(bias_ + 127.5 * scale_))
	{
	}

	float
	operator()(size_t i) const noexcept
	{
		return middle + step * (static_cast<float>(code[i] * 255 + residual[i]) - kHalfFineRange);
	}
};

template <class Decoder>
float
l2_squared_coded(Decoder decode, const float *query, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept {
		float d = at(query, i) - decode(i);
		return d * d;
	});
}

template <class Decoder>
float
inner_product_coded(Decoder decode, const float *query, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept { return at(query, i) * decode(i); });
}

template <class Decoder>
float
l1_coded(Decoder decode, const float *query, size_t n) noexcept
{
	return sum_of(n, [=](size_t i) noexcept { return magnitude(at(query, i) - decode(i)); });
}

int32_t
dot_u8_i16(const uint8_t *code, const int16_t *query, size_t n) noexcept
{
	int32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += code[i] * at(query, i);
	return sum;
}

int32_t
dot_u8_u8(const uint8_t *a, const uint8_t *b, size_t n) noexcept
{
	int32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

float
l1_u8_f32(const uint8_t *code, float scale, float bias, const float *query, size_t n) noexcept
{
	return l1_coded(Decoder8(code, scale, bias), query, n);
}

float
l1_u8_u8(const uint8_t *a, float scale_a, float bias_a, const uint8_t *b, float scale_b, float bias_b,
		 size_t n) noexcept
{
	Decoder8 da(a, scale_a, bias_a);
	Decoder8 db(b, scale_b, bias_b);
	return sum_of(n, [=](size_t i) noexcept { return magnitude(da(i) - db(i)); });
}

float
l2_squared_u16_f32(const uint8_t *code, const uint8_t *residual, float scale, float bias, const float *query,
				   size_t n) noexcept
{
	return l2_squared_coded(Decoder16(code, residual, scale, bias), query, n);
}

float
inner_product_u16_f32(const uint8_t *code, const uint8_t *residual, float scale, float bias, const float *query,
					  size_t n) noexcept
{
	return inner_product_coded(Decoder16(code, residual, scale, bias), query, n);
}

float
l1_u16_f32(const uint8_t *code, const uint8_t *residual, float scale, float bias, const float *query, size_t n) noexcept
{
	return l1_coded(Decoder16(code, residual, scale, bias), query, n);
}

float
l2_squared_u8_f32(const uint8_t *code, float scale, float bias, const float *query, size_t n) noexcept
{
	return l2_squared_coded(Decoder8(code, scale, bias), query, n);
}

float
inner_product_u8_f32(const uint8_t *code, float scale, float bias, const float *query, size_t n) noexcept
{
	return inner_product_coded(Decoder8(code, scale, bias), query, n);
}

/* --- 4-bit codes --- */

uint32_t
nibble(const uint8_t *code, size_t i) noexcept
{
	return code[i / 2] >> i % 2 * 4 & 15u;
}

struct Decoder4
{
	const uint8_t *code;
	float scale, middle;

	Decoder4(const uint8_t *code_, float scale_, float bias_) noexcept
		: code(code_), scale(scale_), middle(static_cast<float>(bias_ + 7.5 * scale_))
	{
	}

	float
	operator()(size_t i) const noexcept
	{
		return middle + scale * (static_cast<float>(nibble(code, i)) - 7.5f);
	}
};

int32_t
dot_u4_i16(const uint8_t *code, const int16_t *query, size_t n) noexcept
{
	int32_t sum = 0;
	for (size_t i = 0; i < n; i += 2)
		sum += (code[i / 2] & 15) * at(query, i) + (code[i / 2] >> 4) * at(query, i + 1);
	return sum;
}

float
l2_squared_u4_f32(const uint8_t *code, float scale, float bias, const float *query, size_t n) noexcept
{
	return l2_squared_coded(Decoder4(code, scale, bias), query, n);
}

float
inner_product_u4_f32(const uint8_t *code, float scale, float bias, const float *query, size_t n) noexcept
{
	return inner_product_coded(Decoder4(code, scale, bias), query, n);
}

void
lattice_u4(const float *v, size_t n, float inverse, uint8_t *code, float out[2]) noexcept
{
	float products[kLanes] = {}, squares[kLanes] = {};
	for (size_t i = 0; i < n; i += kLanes)
	{
		uint32_t u[kLanes];
		for (size_t j = 0; j < kLanes; j++)
		{
			float x = at(v, i + j), scaled = x * inverse + 8.0f;
			scaled = scaled > 0.0f ? scaled : 0.0f;
			scaled = scaled < 15.0f ? scaled : 15.0f;
			u[j] = static_cast<uint32_t>(scaled);
			float y = static_cast<float>(u[j]) - 7.5f;
			products[j] += x * y;
			squares[j] += y * y;
		}
		if (code != nullptr)
			for (size_t j = 0; j < kLanes; j += 2)
				code[(i + j) / 2] = static_cast<uint8_t>(u[j] | u[j + 1] << 4);
	}
	out[0] = total(products);
	out[1] = total(squares);
}

/* --- halves --- */

struct DecoderHalf
{
	const uint16_t *code;
	float scale;

	float
	operator()(size_t i) const noexcept
	{
		return scale * half_to_float(at(code, i));
	}
};

float
l2_squared_f16_f32(const uint16_t *code, float scale, const float *query, size_t n) noexcept
{
	return l2_squared_coded(DecoderHalf{code, scale}, query, n);
}

float
inner_product_f16_f32(const uint16_t *code, float scale, const float *query, size_t n) noexcept
{
	return inner_product_coded(DecoderHalf{code, scale}, query, n);
}

float
l1_f16_f32(const uint16_t *code, float scale, const float *query, size_t n) noexcept
{
	return l1_coded(DecoderHalf{code, scale}, query, n);
}

/* --- rotation --- */

void
hadamard(float *p, size_t w) noexcept
{
	for (size_t h = 1; h < w; h *= 2)
		for (size_t i = 0; i < w; i += 2 * h)
			for (size_t j = i; j < i + h; j++)
			{
				float x = at(p, j);
				float y = at(p, j + h);
				put(p, j, x + y);
				put(p, j + h, x - y);
			}
}

void
rotate(float *x, size_t n, size_t w, const uint32_t *signs) noexcept
{
	const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(w));
	for (unsigned round = 0; round < 4; round++)
	{
		for (size_t i = 0; i < n; i++)
		{
			uint32_t bits;
			std::memcpy(&bits, x + i, sizeof bits);
			bits ^= at(signs, round * n + i);
			std::memcpy(x + i, &bits, sizeof bits);
		}
		float *part = round % 2 == 0 ? x : x + (n - w);
		for (size_t i = 0; i < w; i++)
			put(part, i, at(part, i) * scale);  // before the sums, so that these cannot overflow
		hadamard(part, w);
		if (w != n)
		{
			for (size_t i = 0, half = n / 2; i < half; i++)
			{
				float a = at(x, i);
				float b = at(x, i + half);
				put(x, i, (a + b) * 0x1.6a09e6p-1f);
				put(x, i + half, (a - b) * 0x1.6a09e6p-1f);
			}
		}
	}
}

/* --- encoding --- */

void
min_max(const float *v, size_t n, float out[2]) noexcept
{
	float low = at(v, 0);
	float high = low;
	for (size_t i = 1; i < n; i++)
	{
		float x = at(v, i);
		low = x < low ? x : low;
		high = x > high ? x : high;
	}
	out[0] = low;
	out[1] = high;
}

/* x rounded to the nearest integer of 0..255. */
float
to_code(float x) noexcept
{
	x = x > 0.0f ? x : 0.0f;
	x = x < 255.0f ? x : 255.0f;
	return static_cast<float>(static_cast<int32_t>(x + 0.5f));
}

template <bool absolute>
void
encode_as(const float *v, size_t n, float scale, float bias, uint8_t *code, uint8_t *residual, double out[3]) noexcept
{
	/* Halved, so that the difference of two finite floats stays finite. */
	const float half_bias = 0.5f * bias;
	const float twice_inverse = 2.0f / scale;
	const double wide_scale = scale;
	const double step = wide_scale / 255.0;
	const double fine_bias = bias - 0.5 * wide_scale;
	double norm2[kLanes] = {};
	double error[kLanes] = {};
	double refined[kLanes] = {};
	for (size_t i = 0; i < n; i += kLanes)
		for (size_t j = 0; j < kLanes; j++)
		{
			float x = (0.5f * at(v, i + j) - half_bias) * twice_inverse;
			float c = to_code(x);
			code[i + j] = static_cast<uint8_t>(c);
			double value = at(v, i + j);
			double decoded = bias + wide_scale * c;
			double e = value - decoded;
			norm2[j] += decoded * decoded;
			error[j] += absolute ? __builtin_fabs(e) : e * e;
			if (residual != nullptr)
			{
				float r = to_code((x - c) * kFineSteps + kHalfRange);
				residual[i + j] = static_cast<uint8_t>(r);
				e = value - (fine_bias + step * (c * kFineSteps + r));
				refined[j] += absolute ? __builtin_fabs(e) : e * e;
			}
		}
	out[0] = total(norm2);
	out[1] = total(error);
	out[2] = total(refined);
}

void
encode(const float *v, size_t n, float scale, float bias, bool absolute, uint8_t *code, uint8_t *residual,
	   double out[3]) noexcept
{
	if (absolute)
		encode_as<true>(v, n, scale, bias, code, residual, out);
	else
		encode_as<false>(v, n, scale, bias, code, residual, out);
}

void
summarize(const float *q, size_t n, double out[4]) noexcept
{
	float most = 0;
	double sum[kLanes] = {};
	double magnitudes[kLanes] = {};
	double squares[kLanes] = {};
	for (size_t i = 0; i < n; i += kLanes)
		for (size_t j = 0; j < kLanes; j++)
		{
			double x = at(q, i + j);
			most = magnitude(at(q, i + j)) > most ? magnitude(at(q, i + j)) : most;
			sum[j] += x;
			magnitudes[j] += __builtin_fabs(x);
			squares[j] += x * x;
		}
	out[0] = most;
	out[1] = total(sum);
	out[2] = total(magnitudes);
	out[3] = total(squares);
}

void
quantize_i16(const float *q, size_t n, float inverse, int16_t *codes) noexcept
{
	for (size_t i = 0; i < n; i++)
	{
		float x = at(q, i) * inverse;
		x = x < 16383.0f ? x : 16383.0f;
		x = x > -16383.0f ? x : -16383.0f;
		int16_t code = static_cast<int16_t>(x < 0.0f ? x - 0.5f : x + 0.5f);
		std::memcpy(codes + i, &code, sizeof code);
	}
}

template <class Decoder>
void
decode_as(Decoder decoder, size_t n, float *out) noexcept
{
	for (size_t i = 0; i < n; i++)
		put(out, i, decoder(i));
}

void
decode(const uint8_t *code, const uint8_t *residual, float scale, float bias, size_t n, float *out) noexcept
{
	if (residual != nullptr)
		decode_as(Decoder16(code, residual, scale, bias), n, out);
	else
		decode_as(Decoder8(code, scale, bias), n, out);
}

/* --- sign codes --- */

uint32_t
fast_scan(const uint8_t *codes, const uint8_t *lut, size_t segments, const uint16_t *f_add, const uint16_t *f_mul,
		  float add_scale, float mul_scale, float g, float step, float bias, float threshold, float *est) noexcept
{
	uint32_t acc[32] = {};
	for (size_t m = 0; m < segments; m++, codes += 16, lut += 16)
		for (size_t k = 0; k < 16; k++)
		{
			acc[k] += lut[codes[k] & 15];
			acc[16 + k] += lut[codes[k] >> 4];
		}
	step *= mul_scale;
	bias *= mul_scale;
	uint32_t near = 0;
	for (size_t l = 0; l < 32; l++)
	{
		float e = step * static_cast<float>(acc[l]) + bias;
		float x = half_to_float(at(f_add, l)) * add_scale + g + half_to_float(at(f_mul, l)) * e;
		put(est, l, x);
		near |= static_cast<uint32_t>(x < threshold) << l;
	}
	return near;
}

uint32_t
table_scan(const uint8_t *codes, const float *table, size_t segments, const uint16_t *f_add, const uint16_t *f_mul,
		   float add_scale, float mul_scale, float g, float bias, float threshold, float *est) noexcept
{
	float sums[32];
	for (float &s : sums)
		s = bias;
	for (size_t m = 0; m < segments; m++, codes += 32, table += 256)
		for (size_t l = 0; l < 32; l++)
			sums[l] += at(table, codes[l]);
	uint32_t near = 0;
	for (size_t l = 0; l < 32; l++)
	{
		float x = half_to_float(at(f_add, l)) * add_scale + g + half_to_float(at(f_mul, l)) * (sums[l] * mul_scale);
		put(est, l, x);
		near |= static_cast<uint32_t>(x < threshold) << l;
	}
	return near;
}

void
f32_to_f16(const float *in, uint16_t *out, size_t n) noexcept
{
	for (size_t i = 0; i < n; i++)
	{
		uint16_t half = half_from_float(at(in, i));
		std::memcpy(out + i, &half, sizeof half);
	}
}

void
f16_to_f32(const uint16_t *in, float *out, size_t n) noexcept
{
	for (size_t i = 0; i < n; i++)
		put(out, i, half_to_float(at(in, i)));
}

void
sign_code(const float *u, const float *v, size_t n, uint8_t *signs, float out[4]) noexcept
{
	float squares[kLanes] = {}, products[kLanes] = {}, magnitudes[kLanes] = {}, flipped[kLanes] = {};
	for (size_t i = 0; i < n; i += kLanes)
	{
		uint32_t set = 0;
		for (size_t j = 0; j < kLanes; j++)
		{
			float x = at(u, i + j);
			float r = at(v, i + j) - x;
			bool negative = __builtin_signbitf(r) != 0;
			squares[j] += r * r;
			products[j] += r * x;
			magnitudes[j] += magnitude(r);
			flipped[j] += negative ? -x : x;
			set |= static_cast<uint32_t>(!negative) << j;
		}
		signs[i / 8] = static_cast<uint8_t>(set);
		signs[i / 8 + 1] = static_cast<uint8_t>(set >> 8);
	}
	out[0] = total(squares);
	out[1] = total(products);
	out[2] = total(magnitudes);
	out[3] = total(flipped);
}

void
quad_sums(const float *q, size_t n, float out[2]) noexcept
{
	float most = 0, sum = 0;
	for (size_t i = 0; i < n; i += 4)
	{
		float four = magnitude(at(q, i)) + magnitude(at(q, i + 1)) +
					 (magnitude(at(q, i + 2)) + magnitude(at(q, i + 3)));
		most = four > most ? four : most;
		sum += four;
	}
	out[0] = most;
	out[1] = sum;
}

/* Nearest integer of -255..255, ties to even: adding 1.5 * 2^23 leaves it in the low bits. */
int32_t
to_small_integer(float x) noexcept
{
	x = x < 255.0f ? x : 255.0f;
	x = x > -255.0f ? x : -255.0f;
	float shifted = x + 0x1.8p23f;
	int32_t bits;
	std::memcpy(&bits, &shifted, sizeof bits);
	return bits - 0x4b400000;
}

uint32_t
sign_lut(const float *q, size_t n, float inverse, uint8_t *lut) noexcept
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i += 4, lut += 16)
	{
		uint32_t d[4], base = 0;
		for (size_t j = 0; j < 4; j++)
		{
			int32_t x = to_small_integer(at(q, i + j) * inverse);
			d[j] = static_cast<uint32_t>(x);
			base += x < 0 ? 0 - d[j] : 0;
			sum += x < 0 ? 0 - d[j] : d[j];
		}
		/* Subset sums, each from the one without its highest bit. */
		lut[0] = static_cast<uint8_t>(base);
		for (size_t j = 0; j < 4; j++)
			for (size_t k = 0; k < size_t{1} << j; k++)
				lut[k + (size_t{1} << j)] = static_cast<uint8_t>(lut[k] + d[j]);
	}
	return sum;
}

void
dot_panel(const float *const *rows, size_t count, const float *panel, size_t n, float *out, size_t stride) noexcept
{
	constexpr size_t kColumns = 16;
	for (size_t r = 0; r < count; r++)
	{
		float sum[kColumns] = {};
		for (size_t j = 0; j < n; j++)
			for (size_t k = 0; k < kColumns; k++)
				sum[k] += at(rows[r], j) * at(panel, kColumns * j + k);
		std::memcpy(out + r * stride, sum, sizeof sum);
	}
}

/* --- checksums --- */

constexpr uint32_t kCastagnoli = 0x82f63b78;  // reflected

/* of[k][b]: what byte b does to the checksum of k bytes later; eight bytes are looked up side by side. */
struct CrcTables
{
	uint32_t of[8][256];

	constexpr CrcTables() noexcept : of()
	{
		for (uint32_t b = 0; b < 256; b++)
		{
			uint32_t crc = b;
			for (int bit = 0; bit < 8; bit++)
				crc = (crc >> 1) ^ (crc & 1 ? kCastagnoli : 0);
			of[0][b] = crc;
		}
		for (uint32_t b = 0; b < 256; b++)
			for (size_t k = 1; k < 8; k++)
				of[k][b] = (of[k - 1][b] >> 8) ^ of[0][of[k - 1][b] & 255];
	}
};

constexpr CrcTables kCrc;

uint32_t
crc32c(uint32_t crc, const void *bytes, size_t n) noexcept
{
	const auto *p = static_cast<const uint8_t *>(bytes);
	for (; n >= 8; n -= 8, p += 8)
		crc = kCrc.of[7][(crc ^ p[0]) & 255] ^ kCrc.of[6][(crc >> 8 ^ p[1]) & 255] ^
			  kCrc.of[5][(crc >> 16 ^ p[2]) & 255] ^ kCrc.of[4][crc >> 24 ^ p[3]] ^ kCrc.of[3][p[4]] ^
			  kCrc.of[2][p[5]] ^ kCrc.of[1][p[6]] ^ kCrc.of[0][p[7]];
	for (; n > 0; n--)
		crc = (crc >> 8) ^ kCrc.of[0][(crc ^ *p++) & 255];
	return crc;
}

/* --- bit strings --- */

uint64_t
word_at(const uint8_t *p) noexcept
{
	uint64_t x;
	std::memcpy(&x, p, sizeof x);
	return x;
}

/* Fewer than eight bytes. */
uint64_t
part_word_at(const uint8_t *p, size_t bytes) noexcept
{
	uint64_t x = 0;
	for (size_t i = 0; i < bytes; i++)
		x |= static_cast<uint64_t>(p[i]) << 8 * i;
	return x;
}

/* In registers by halves: the baseline of x86-64 has no instruction for it. */
uint64_t
count_bits(uint64_t x) noexcept
{
	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return x * 0x0101010101010101 >> 56;
}

uint64_t
hamming(const uint8_t *a, const uint8_t *b, size_t n) noexcept
{
	uint64_t sum = 0;
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
		sum += count_bits(word_at(a + i) ^ word_at(b + i));
	return sum + count_bits(part_word_at(a + i, n - i) ^ part_word_at(b + i, n - i));
}

void
jaccard_parts(const uint8_t *a, const uint8_t *b, size_t n, uint64_t out[2]) noexcept
{
	uint64_t both = 0, either = 0;
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
	{
		uint64_t x = word_at(a + i), y = word_at(b + i);
		both += count_bits(x & y);
		either += count_bits(x | y);
	}
	uint64_t x = part_word_at(a + i, n - i), y = part_word_at(b + i, n - i);
	both += count_bits(x & y);
	either += count_bits(x | y);
	out[0] = both;
	out[1] = either;
}

}  // namespace

constinit const Kernels kernels_scalar = {
	.isa = "scalar",
	.l2_squared = l2_squared,
	.inner_product = inner_product,
	.l1 = l1,
	.cosine_parts = cosine_parts,
	.cosine_sums = cosine_sums,
	.dot_u8_i16 = dot_u8_i16,
	.dot_u8_u8 = dot_u8_u8,
	.l1_u8_f32 = l1_u8_f32,
	.l1_u8_u8 = l1_u8_u8,
	.l2_squared_u16_f32 = l2_squared_u16_f32,
	.inner_product_u16_f32 = inner_product_u16_f32,
	.l1_u16_f32 = l1_u16_f32,
	.l2_squared_u8_f32 = l2_squared_u8_f32,
	.inner_product_u8_f32 = inner_product_u8_f32,
	.dot_u4_i16 = dot_u4_i16,
	.l2_squared_u4_f32 = l2_squared_u4_f32,
	.inner_product_u4_f32 = inner_product_u4_f32,
	.lattice_u4 = lattice_u4,
	.l2_squared_f16_f32 = l2_squared_f16_f32,
	.inner_product_f16_f32 = inner_product_f16_f32,
	.l1_f16_f32 = l1_f16_f32,
	.rotate = rotate,
	.min_max = min_max,
	.encode = encode,
	.decode = decode,
	.summarize = summarize,
	.quantize_i16 = quantize_i16,
	.fast_scan = fast_scan,
	.table_scan = table_scan,
	.f32_to_f16 = f32_to_f16,
	.f16_to_f32 = f16_to_f32,
	.sign_code = sign_code,
	.quad_sums = quad_sums,
	.sign_lut = sign_lut,
	.dot_panel = dot_panel,
	.crc32c = crc32c,
	.hamming = hamming,
	.jaccard_parts = jaccard_parts,
	.l2_squared_f16 = l2_squared_f16,
	.inner_product_f16 = inner_product_f16,
	.l1_f16 = l1_f16,
	.cosine_parts_f16 = cosine_parts_f16,
	.sparse_l2_squared = sparse_l2_squared,
	.sparse_inner_product = sparse_inner_product,
	.sparse_l1 = sparse_l1,
	.l2_squared_i8 = l2_squared_i8,
	.inner_product_i8 = inner_product_i8,
	.l1_i8 = l1_i8,
	.cosine_parts_i8 = cosine_parts_i8,
	.i8_to_f32 = i8_to_f32,
	.block_inner_product = block_inner_product,
	.block_l1 = block_l1,
};

}  // namespace vecdb::core::distance
