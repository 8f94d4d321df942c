/* SPDX-License-Identifier: PostgreSQL
 * Distances on SQ8 codes: query to node, and node to node; and hard bounds in the operator's units.
 *
 * Regime: core. A graph distance is what the search compares: squared L2 (also for cosine, on unit
 * vectors), the negative inner product, or L1. The bounds turn it and the stored error norms into an interval
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

namespace vecdb::core::graph
{

using distance::Metric;

/* A node's code in memory of the caller. */
struct CodeView
{
	const std::uint8_t *code;
	float scale;
	float bias;
	float norm2;
	std::int32_t sum;  // of the code bytes
};

inline std::int32_t
code_sum(const std::uint8_t *code, std::size_t n) noexcept
{
	std::int32_t sum = 0;
	for (std::size_t i = 0; i < n; i++)
		sum += code[i];
	return sum;
}

/* Graph distance between two codes of n elements. */
inline float
code_distance(const distance::Kernels &k, Metric metric, const CodeView &a, const CodeView &b, std::size_t n) noexcept
{
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

/* A query prepared for one scan. All vectors are in code space: centred, rotated, padded to n. */
struct CodeQuery
{
	Metric metric;
	std::size_t n;
	const float *q;
	const std::int16_t *codes;  // not for L1
	float step;
	float code_sum;         // sum of step * codes
	float code_norm2;       // norm of the integer form: makes d2 below an exact square for it
	float code_error;       // || q - step * codes ||
	double norm;            // || q ||
	double operand_norm;    // || q || as the operator sees it, before centring
	double mean_norm;       // of the vector that was subtracted from both sides
	double operator_slack;  // rounding of the operator, relative to |a| |b| (ip, cosine) or to the distance (L2, L1)
};

inline CodeQuery
make_code_query(Metric metric, const quantizer::Sq8Query &sq, std::size_t dimensions, double operand_norm,
				double mean_norm) noexcept
{
	CodeQuery c;
	c.metric = metric;
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

/* What is summed up over the elements of an 8-bit code, which may come in parts. */
struct PartialScore
{
	std::int32_t dot;
	float l1;
};

/* Elements [first, first + n) of the code; first and n are multiples of 16. */
inline void
add_part(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, std::size_t first, std::size_t n,
		 float scale, float bias, PartialScore &sum) noexcept
{
	if (q.metric == Metric::l1)
		sum.l1 += k.l1_u8_f32(code, scale, bias, q.q + first, n);
	else
		sum.dot += k.dot_u8_i16(code, q.codes + first, n);
}

inline float
distance_of(const CodeQuery &q, const PartialScore &sum, float scale, float bias, float norm2) noexcept
{
	if (q.metric == Metric::l1)
		return sum.l1;
	float dot = bias * q.code_sum + scale * q.step * static_cast<float>(sum.dot);
	if (q.metric == Metric::inner_product)
		return -dot;
	float d = q.code_norm2 + norm2 - 2 * dot;
	return d > 0 ? d : 0;
}

/* Graph distance to an 8-bit code. */
inline float
query_distance(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, float scale, float bias,
			   float norm2) noexcept
{
	PartialScore sum{};
	add_part(k, q, code, 0, q.n, scale, bias, sum);
	return distance_of(q, sum, scale, bias, norm2);
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
		case Metric::jaccard: break;  // bits have no such codes
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

/*
 * What a search keeps of a node at graph distance d: that, always finite, and the error that goes with it: the norm for
 * L2, cosine and L1; for the inner product the half width of the interval, which depends on the node's norm.
 */
inline void
finish_score(const CodeQuery &q, float d, float norm2, float error, float &out_distance, float &out_error) noexcept
{
	if (q.metric == Metric::inner_product)
	{
		Interval i = operator_interval(q, static_cast<double>(d), static_cast<double>(error),
									   std::sqrt(static_cast<double>(norm2)), true);
		error = static_cast<float>((i.upper - i.middle) * 1.000001);
	}
	if (!(std::fabs(d) < kFarthest))
	{
		/* What has been cut, or is no number, bounds nothing. */
		d = d < 0 ? -kFarthest : kFarthest;
		error = std::numeric_limits<float>::infinity();
	}
	out_distance = d;
	out_error = error >= 0 ? error : std::numeric_limits<float>::infinity();
}

inline void
score_code(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, float scale, float bias,
		   float norm2, float error, float &out_distance, float &out_error) noexcept
{
	finish_score(q, query_distance(k, q, code, scale, bias, norm2), norm2, error, out_distance, out_error);
}

}  // namespace vecdb::core::graph
