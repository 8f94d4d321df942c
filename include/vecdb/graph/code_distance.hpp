/* SPDX-License-Identifier: PostgreSQL
 * Distances on codes: query to node, and node to node; and hard bounds in the operator's units.
 *
 * Regime: core. Three kinds of rows:
 *   sq8:    SQ8 codes, one byte an element.
 *   bits:   the bytes of a bit string, padded with 0 to a multiple of 16; norm2 = bits set; scale, bias, errors 0.
 *   sparse: blocks of quantizer/sparse_code.hpp; sum = blocks; norm2 of the values; error = refined_error = entries of
 *           the code, from which the rounding of sums follows; scale, bias 0.
 * Sizes n are those of a code in bytes where all codes of an index have the same; of sparse ones n is 0, and CodeView::sum
 * counts. A graph distance is what the search compares: squared L2 (also for cosine, on unit
 * vectors), the negative inner product, L1, bits that differ, or the Jaccard distance. The bounds turn it and the stored error norms into an interval
 * that holds the value the SQL operator computes, its float32 rounding included:
 *   |d(q, v) - d(q, decoded v)| <= ||v - decoded v||           (triangle inequality; L2 and L1)
 *   |q.v - q.decoded v|         <= ||q|| * ||v - decoded v||   (Cauchy-Schwarz; inner product)
 */
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "vecdb/distance/kernels.hpp"
#include "vecdb/distance/metric.hpp"
#include "vecdb/quantizer/scalar.hpp"
#include "vecdb/quantizer/sparse_code.hpp"

namespace vecdb::core::graph
{

using distance::Metric;

enum class RowKind : std::uint8_t
{
	sq8,
	bits,
	sparse,
};

/* A node's code in memory of the caller. */
struct CodeView
{
	const std::uint8_t *code;
	float scale;
	float bias;
	float norm2;
	std::int32_t sum;  // of the code bytes; sparse: blocks
};

/* Bytes of the code of a bit string. */
constexpr std::size_t
bit_code_bytes(std::size_t bits) noexcept
{
	return (bits + 127) / 128 * 16;
}

/* bytes: (bits + 7) / 8 of them, unused bits of the last one 0. code: bit_code_bytes(bits). The factors go with the code. */
quantizer::Sq8 encode_bits(const std::uint8_t *bytes, std::size_t bits, std::uint8_t *code) noexcept;

/* quantizer::sparse_encode with the factors that go with the code; CodeView::sum is sparse_blocks(count). */
quantizer::Sq8 encode_sparse(const std::int32_t *indices, const float *values, std::size_t count, double length,
							 std::uint8_t *code) noexcept;

/* Of bit strings or sparse rows. */
float other_code_distance(const distance::Kernels &k, Metric metric, const CodeView &a, const CodeView &b,
						  std::size_t n) noexcept;

inline std::int32_t
code_sum(const std::uint8_t *code, std::size_t n) noexcept
{
	std::int32_t sum = 0;
	for (std::size_t i = 0; i < n; i++)
		sum += code[i];
	return sum;
}

/* Graph distance between two codes of n bytes; n = 0: sparse. */
inline float
code_distance(const distance::Kernels &k, Metric metric, const CodeView &a, const CodeView &b, std::size_t n) noexcept
{
	if (n == 0 || distance::of_bits(metric)) [[unlikely]]
		return other_code_distance(k, metric, a, b, n);
	if (metric == Metric::l1)
		return k.l1_u8_u8(a.code, a.scale, a.bias, b.code, b.scale, b.bias, n);
	float dot = static_cast<float>(n) * a.bias * b.bias + a.bias * b.scale * static_cast<float>(b.sum) +
				b.bias * a.scale * static_cast<float>(a.sum) +
				a.scale * b.scale * static_cast<float>(k.dot_u8_u8(a.code, b.code, n));
	if (metric == Metric::inner_product)
		return -dot;
	float d = a.norm2 + b.norm2 - 2 * dot;
	return d > 0 ? d : 0;
}

/* A query prepared for one scan. SQ8: all vectors are in code space: centred, rotated, padded to n. */
struct CodeQuery
{
	Metric metric;
	RowKind kind;
	std::size_t n;  // bytes of a code; 0: sparse
	const float *q;
	const std::int16_t *codes;  // not for L1
	float step;
	float code_sum;            // sum of step * codes
	float code_norm2;          // norm of the integer form: makes d2 below an exact square for it
	float code_error;          // || q - step * codes ||
	double norm;               // || q ||
	double operand_norm;       // || q || as the operator sees it, before centring
	double mean_norm;          // of the vector that was subtracted from both sides
	double operator_slack;     // rounding of the operator, relative to |a| |b| (ip, cosine) or to the distance (L2, L1)
	const std::uint8_t *bits;  // kind bits: the query's code
	quantizer::SparseQuery sparse;  // kind sparse
};

inline CodeQuery
make_code_query(Metric metric, const quantizer::Sq8Query &sq, std::size_t dimensions, double operand_norm,
				double mean_norm) noexcept
{
	CodeQuery c{};
	c.metric = metric;
	c.kind = RowKind::sq8;
	c.n = sq.n;
	c.q = sq.q;
	c.codes = sq.codes;
	c.step = sq.step;
	double code_norm2 = 0, error2 = 0, sum = 0, norm2 = 0;
	for (std::size_t i = 0; i < sq.n; i++)
	{
		double x = static_cast<double>(sq.step) * sq.codes[i], e = x - sq.q[i];
		code_norm2 += x * x;
		error2 += e * e;
		sum += x;
		norm2 += static_cast<double>(sq.q[i]) * sq.q[i];
	}
	c.code_sum = static_cast<float>(sum);
	c.code_norm2 = static_cast<float>(code_norm2);
	c.code_error = static_cast<float>(std::sqrt(error2) * 1.000001);
	c.norm = std::sqrt(norm2);
	c.operand_norm = operand_norm;
	c.mean_norm = mean_norm;
	/* Every kernel sums in 16 lanes or more: at most (n/16 + 16) ulp. Twice the constant, for terms and conversions. */
	c.operator_slack = (static_cast<double>(dimensions) / 16 + 32) * 0x1p-24;
	return c;
}

/* code: encode_bits, n bytes, outlives the query. */
CodeQuery make_bit_query(const distance::Kernels &k, Metric metric, const std::uint8_t *code, std::size_t n) noexcept;

/*
 * sparse: of a code by encode_sparse, of unit length for cosine. operand_norm: Euclidean norm of the query as the operator
 * sees it.
 */
CodeQuery make_sparse_query(Metric metric, const quantizer::SparseQuery &sparse, double operand_norm) noexcept;

/* What is summed up over the elements of a code, which may come in parts. */
struct PartialScore
{
	std::int32_t dot;  // SQ8; bits: those that differ
	float sum;         // L1; sparse
};

void add_other_part(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, std::size_t first,
					std::size_t n, PartialScore &sum) noexcept;
float other_distance_of(const CodeQuery &q, const PartialScore &sum, float norm2) noexcept;

/* Bytes [first, first + n) of the code; first and n are multiples of 16, of 128 for sparse codes. */
inline void
add_part(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, std::size_t first, std::size_t n,
		 float scale, float bias, PartialScore &sum) noexcept
{
	if (q.kind != RowKind::sq8) [[unlikely]]
		add_other_part(k, q, code, first, n, sum);
	else if (q.metric == Metric::l1)
		sum.sum += k.l1_u8_f32(code, scale, bias, q.q + first, n);
	else
		sum.dot += k.dot_u8_i16(code, q.codes + first, n);
}

/* Of SQ8 alone. */
inline float
sq8_distance_of(const CodeQuery &q, const PartialScore &sum, float scale, float bias, float norm2) noexcept
{
	if (q.metric == Metric::l1)
		return sum.sum;
	float dot = bias * q.code_sum + scale * q.step * static_cast<float>(sum.dot);
	if (q.metric == Metric::inner_product)
		return -dot;
	float d = q.code_norm2 + norm2 - 2 * dot;
	return d > 0 ? d : 0;
}

inline float
distance_of(const CodeQuery &q, const PartialScore &sum, float scale, float bias, float norm2) noexcept
{
	if (q.kind != RowKind::sq8) [[unlikely]]
		return other_distance_of(q, sum, norm2);
	return sq8_distance_of(q, sum, scale, bias, norm2);
}

/* Of SQ8 alone. */
inline float
sq8_distance(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, float scale, float bias,
			 float norm2) noexcept
{
	PartialScore sum{};
	if (q.metric == Metric::l1)
		sum.sum = k.l1_u8_f32(code, scale, bias, q.q, q.n);
	else
		sum.dot = k.dot_u8_i16(code, q.codes, q.n);
	return sq8_distance_of(q, sum, scale, bias, norm2);
}

/* Graph distance to an 8-bit code or a bit string. */
inline float
query_distance(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, float scale, float bias,
			   float norm2) noexcept
{
	if (q.kind == RowKind::sq8) [[likely]]
		return sq8_distance(k, q, code, scale, bias, norm2);
	PartialScore sum{};
	add_other_part(k, q, code, 0, q.n, sum);
	return other_distance_of(q, sum, norm2);
}

/* Graph distance to a code of any kind. */
inline float
query_distance(const distance::Kernels &k, const CodeQuery &q, const CodeView &v) noexcept
{
	PartialScore sum{};
	std::size_t n = q.n != 0 ? q.n : static_cast<std::size_t>(v.sum) * quantizer::kSparseBlockBytes;
	add_part(k, q, v.code, 0, n, v.scale, v.bias, sum);
	return distance_of(q, sum, v.scale, v.bias, v.norm2);
}

/* Graph distance to a 16-bit code (residual == null: 8-bit code in full float precision). */
inline float
refined_distance(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, const std::uint8_t *residual,
				 float scale, float bias) noexcept
{
	switch (q.metric)
	{
		case Metric::l1:
			return residual != nullptr ? k.l1_u16_f32(code, residual, scale, bias, q.q, q.n)
									   : k.l1_u8_f32(code, scale, bias, q.q, q.n);
		case Metric::inner_product:
			return residual != nullptr ? -k.inner_product_u16_f32(code, residual, scale, bias, q.q, q.n)
									   : -k.inner_product_u8_f32(code, scale, bias, q.q, q.n);
		case Metric::l2:
		case Metric::cosine:
		case Metric::hamming:
		case Metric::jaccard: break;  // bits have no such codes
	}
	return residual != nullptr ? k.l2_squared_u16_f32(code, residual, scale, bias, q.q, q.n)
							   : k.l2_squared_u8_f32(code, scale, bias, q.q, q.n);
}

/* In the units of the SQL operator: lower <= what the operator computes <= upper. */
struct Interval
{
	double lower;
	double middle;
	double upper;
};

/* Of bit strings and sparse rows, as exact as can be: of bit strings the very number that the operator computes. */
Interval exact_interval(const distance::Kernels &k, const CodeQuery &q, const CodeView &v) noexcept;

/* operator_interval for them. */
Interval other_interval(const CodeQuery &q, double graph_distance, double error, double code_norm) noexcept;

/*
 * graph_distance: of query_distance (coarse = true) or refined_distance; error: the node's error norm for that
 * code; code_norm: bounds the Euclidean norm of the decoded code; squared_error: of a coarse squared distance, besides.
 *
 * Float32 at its ends: sums of squares below 1e-38 lose up to 2^-150 a term, which is 2^-75 sqrt(n) of a distance, here
 * and in the operator; beyond 3e38 the operator gives infinity or, for products, NaN. An interval that reaches
 * such values is open on that side.
 */
inline Interval
operator_interval(const CodeQuery &q, double graph_distance, double error, double code_norm, bool coarse,
				  double squared_error = 0) noexcept
{
	constexpr double kInfinity = std::numeric_limits<double>::infinity();
	if (q.kind != RowKind::sq8) [[unlikely]]
		return other_interval(q, graph_distance, error, code_norm);
	double n = static_cast<double>(q.n);
	double norm = code_norm + error;  // bounds || v || in code space
	double size = q.norm + norm;
	double query_error = coarse ? static_cast<double>(q.code_error) : 0.0;
	double rotation_slack = 2e-6 * size + 3e-7 * q.mean_norm;  // float32 rotation and centring of both sides
	Interval r;
	switch (q.metric)
	{
		case Metric::inner_product:
		{
			/* Both sides sum products of at most |q| |v| together; the coarse form adds parts that cancel. Not centred. */
			double product = (q.norm + q.operand_norm) * norm;
			double slack = q.norm * error + query_error * norm + (2e-6 + q.operator_slack) * product +
						   (coarse ? 8e-6 * product + 1e-35 : n * 1e-44);
			r.middle = graph_distance;
			r.lower = product < 1e38 ? graph_distance - slack : -kInfinity;
			r.upper = product < 1e38 ? graph_distance + slack : kInfinity;
			return r;
		}
		case Metric::l1:
		{
			/* Decoding rounds each element: sum |v_i| <= sqrt(n) ||v||_2 <= sqrt(n) (||q||_2 + d). */
			double slack = error + 2 * q.operator_slack * std::fabs(graph_distance) +
						   1.2e-7 * std::sqrt(n) * (2 * q.norm + std::fabs(graph_distance));
			r.middle = graph_distance;
			r.lower = graph_distance - slack > 0 ? graph_distance - slack : 0;
			r.upper = graph_distance + slack < 3e38 ? graph_distance + slack : kInfinity;
			return r;
		}
		case Metric::l2:
		case Metric::cosine:
		case Metric::hamming:
		case Metric::jaccard: break;  // other_interval
	}
	/* d2 of the coarse form cancels |q|^2 + |v|^2 - 2 q.v: absolute error; the refined form sums squares. */
	double d2_slack = (coarse ? 4e-6 * size * size + 1e-35 : q.operator_slack * graph_distance) + squared_error;
	double d_error = error + query_error + rotation_slack + 6e-23 * std::sqrt(n);
	double high = std::sqrt(graph_distance + d2_slack) + d_error;
	double low2 = graph_distance - d2_slack;
	double low = (low2 > 0 ? std::sqrt(low2) : 0.0) - d_error;
	if (!(low > 0))
		low = 0;
	if (q.metric == Metric::l2)
	{
		/* A relative error of the sum is half of it after the root: that leaves room for the root's own rounding. */
		r.middle = std::sqrt(graph_distance);
		r.lower = low * (1 - q.operator_slack);
		r.upper = high < 1.7e19 ? high * (1 + q.operator_slack) : kInfinity;
		return r;
	}
	/* Unit vectors: 1 - cos = d2 / 2; the operator's rounding (of the product and of the norms) is absolute there. */
	double slack = 2 * q.operator_slack + 1e-7;
	r.middle = graph_distance / 2;
	r.lower = low * low / 2 - slack;
	r.upper = high * high / 2 + slack;
	if (r.lower < 0)
		r.lower = 0;
	return r;
}

/* Distances beyond this (overflow) all count as equally far. */
constexpr float kFarthest = 1e37f;

/* Half width of what the graph distance d to a sparse row may be in exact arithmetic. */
float sparse_error(const CodeQuery &q, float d, float norm2, float entries) noexcept;

inline void
keep_score(float d, float error, float &out_distance, float &out_error) noexcept
{
	if (!(std::fabs(d) < kFarthest))
	{
		/* What has been cut, or is no number, bounds nothing. */
		d = d < 0 ? -kFarthest : kFarthest;
		error = std::numeric_limits<float>::infinity();
	}
	out_distance = d;
	out_error = error >= 0 ? error : std::numeric_limits<float>::infinity();
}

/* Not of sparse rows. */
inline void
finish_plain_score(const CodeQuery &q, float d, float norm2, float error, float &out_distance,
				   float &out_error) noexcept
{
	if (q.metric == Metric::inner_product)
	{
		Interval i = operator_interval(q, static_cast<double>(d), static_cast<double>(error),
									   std::sqrt(static_cast<double>(norm2)), true);
		error = static_cast<float>((i.upper - i.middle) * 1.000001);
	}
	keep_score(d, error, out_distance, out_error);
}

/*
 * What a search keeps of a node at graph distance d: that, always finite, and the error that goes with it: the norm for
 * L2, cosine and L1; for the inner product the half width of the interval, which depends on the node's norm; for sparse rows
 * sparse_error.
 */
inline void
finish_score(const CodeQuery &q, float d, float norm2, float error, float &out_distance, float &out_error) noexcept
{
	if (q.kind == RowKind::sparse) [[unlikely]]
		keep_score(d, sparse_error(q, d, norm2, error), out_distance, out_error);
	else
		finish_plain_score(q, d, norm2, error, out_distance, out_error);
}

/* Of an 8-bit code or a bit string. */
inline void
score_code(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, float scale, float bias,
		   float norm2, float error, float &out_distance, float &out_error) noexcept
{
	finish_plain_score(q, query_distance(k, q, code, scale, bias, norm2), norm2, error, out_distance, out_error);
}

/* Of a code of any kind. */
inline void
score_code(const distance::Kernels &k, const CodeQuery &q, const CodeView &v, float error, float &out_distance,
		   float &out_error) noexcept
{
	finish_score(q, query_distance(k, q, v), v.norm2, error, out_distance, out_error);
}

}  // namespace vecdb::core::graph
