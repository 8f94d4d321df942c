/* SPDX-License-Identifier: PostgreSQL
 * Distances on bit strings and sparse rows. Those on SQ8 codes are inline: include/vecdb/graph/code_distance.hpp.
 *
 * Regime: core.
 */
#include "vecdb/graph/code_distance.hpp"

#include <algorithm>
#include <cstring>

namespace vecdb::core::graph
{
namespace
{

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnit = 0x1p-24;  // rounding of a float32
constexpr double kGreatest = 1e38;
/* Terms below the least normal float lose up to 2^-150 each. */
constexpr double kLost = 0x1p-149;

/* From the bits set in each and those that differ: less is to be counted so. Numbers that do not go together give 1. */
float
jaccard(float a, float b, float differ) noexcept
{
	float both = (a + b - differ) / 2;
	return both > 0 ? 1.0f - both / (both + differ) : 1.0f;
}

std::uint64_t
bits_set(const distance::Kernels &k, const std::uint8_t *code, std::size_t n) noexcept
{
	std::uint64_t parts[2];
	k.jaccard_parts(code, code, n, parts);
	return parts[0];
}

/* float32 sums of the operator over so many terms, in whatever order, relative to the sum of magnitudes. */
double
sum_slack(double terms) noexcept
{
	return (terms + 32) * kUnit;
}

/* Of the sums over blocks here: 16 lanes, some parts. */
double
block_slack(double entries) noexcept
{
	return (entries / 8 + 128) * kUnit;
}

Interval
around(double middle, double slack) noexcept
{
	return {middle - slack, middle, middle + slack};
}

}  // namespace

quantizer::Sq8
encode_bits(const std::uint8_t *bytes, std::size_t bits, std::uint8_t *code) noexcept
{
	const std::size_t n = bit_code_bytes(bits), given = (bits + 7) / 8;
	std::memcpy(code, bytes, given);
	std::memset(code + given, 0, n - given);
	quantizer::Sq8 s{};
	s.norm2 = static_cast<float>(bits_set(distance::kernels(), code, n));
	return s;
}

quantizer::Sq8
encode_sparse(const std::int32_t *indices, const float *values, std::size_t count, double length,
			  std::uint8_t *code) noexcept
{
	quantizer::sparse_encode(indices, values, count, length, code);
	quantizer::Sq8 s{};
	s.norm2 = static_cast<float>(std::min(quantizer::sparse_norm2(code, quantizer::sparse_blocks(count)), 3e38));
	s.error = s.refined_error = static_cast<float>(count);
	return s;
}

float
other_code_distance(const distance::Kernels &k, Metric metric, const CodeView &a, const CodeView &b,
					std::size_t n) noexcept
{
	if (distance::of_bits(metric))
	{
		auto differ = static_cast<float>(k.hamming(a.code, b.code, n));
		return metric == Metric::hamming ? differ : jaccard(a.norm2, b.norm2, differ);
	}
	const auto a_blocks = static_cast<std::size_t>(a.sum), b_blocks = static_cast<std::size_t>(b.sum);
	if (metric == Metric::l1)
		return k.block_l1(a.code, a_blocks, b.code, b_blocks);
	float dot = k.block_inner_product(a.code, a_blocks, b.code, b_blocks);
	if (metric == Metric::inner_product)
		return -dot;
	float d = a.norm2 + b.norm2 - 2 * dot;
	return d > 0 ? d : 0;
}

CodeQuery
make_bit_query(const distance::Kernels &k, Metric metric, const std::uint8_t *code, std::size_t n) noexcept
{
	CodeQuery q{};
	q.metric = metric;
	q.kind = RowKind::bits;
	q.n = n;
	q.bits = code;
	q.code_norm2 = static_cast<float>(bits_set(k, code, n));
	q.norm = q.operand_norm = std::sqrt(static_cast<double>(q.code_norm2));
	return q;
}

CodeQuery
make_sparse_query(Metric metric, const quantizer::SparseQuery &sparse, double operand_norm) noexcept
{
	CodeQuery q{};
	q.metric = metric;
	q.kind = RowKind::sparse;
	q.sparse = sparse;
	q.code_norm2 = static_cast<float>(std::min(sparse.norm2, 3e38));
	q.norm = std::sqrt(sparse.norm2);
	q.operand_norm = operand_norm;
	return q;
}

void
add_other_part(const distance::Kernels &k, const CodeQuery &q, const std::uint8_t *code, std::size_t first,
			   std::size_t n, PartialScore &sum) noexcept
{
	if (q.kind == RowKind::sparse)
	{
		const std::size_t blocks = n / quantizer::kSparseBlockBytes;
		sum.sum += q.metric == Metric::l1 ? quantizer::sparse_l1(q.sparse, code, blocks)
										  : quantizer::sparse_dot(q.sparse, code, blocks);
	}
	else
		sum.dot += static_cast<std::int32_t>(k.hamming(code, q.bits + first, n));
}

float
other_distance_of(const CodeQuery &q, const PartialScore &sum, float norm2) noexcept
{
	switch (q.metric)
	{
		case Metric::hamming: return static_cast<float>(sum.dot);
		case Metric::jaccard: return jaccard(q.code_norm2, norm2, static_cast<float>(sum.dot));
		case Metric::inner_product: return -sum.sum;
		case Metric::l1:
		{
			float d = static_cast<float>(q.sparse.l1) + sum.sum;
			return d > 0 ? d : 0;
		}
		case Metric::l2:
		case Metric::cosine: break;
	}
	float d = q.code_norm2 + norm2 - 2 * sum.sum;
	return d > 0 ? d : 0;
}

/* Not less than the Euclidean norm of entries whose squares sum up to norm2 as a float, in which those below 1e-38 are lost. */
static double
norm_bound(float norm2, double entries) noexcept
{
	return std::sqrt(static_cast<double>(norm2)) * (1 + 1e-6) + 1.2e-19 * std::sqrt(entries);
}

float
sparse_error(const CodeQuery &q, float distance, float norm2, float entries) noexcept
{
	const double d = std::fabs(static_cast<double>(distance)), n = static_cast<double>(entries);
	const double terms = n + q.sparse.count, own = block_slack(n);
	double error;
	if (q.metric == Metric::l1)
		/* |v - q| - |q| of the entries: |v| + 2 |q| together at most, and |v| <= |q| + d. */
		error = own * (3 * q.sparse.l1 + d) + sum_slack(terms) * d + kLost * terms;
	else
	{
		const double product = q.norm * norm_bound(norm2, n);
		const double lost = kLost * terms;
		if (q.metric == Metric::inner_product)
			error = product < kGreatest ? (own + sum_slack(terms)) * product + lost : kInfinity;
		else
		{
			error = 2 * own * product + 8 * kUnit * (q.norm * q.norm + static_cast<double>(norm2)) + lost;
			if (q.metric == Metric::l2)
				error += sum_slack(terms) * (d + error);
			else
				/* The operator divides sums, each off by as much; rounding unit vectors shifts each by 2^-24. */
				error += 4 * sum_slack(terms) + 16 * kUnit;
		}
	}
	return static_cast<float>(std::min(error * 1.000001, 3e38));
}

Interval
other_interval(const CodeQuery &q, double graph_distance, double error, double) noexcept
{
	double low = graph_distance - error, high = graph_distance + error;
	Interval r{low, graph_distance, high};
	switch (q.metric)
	{
		case Metric::hamming: return {graph_distance, graph_distance, graph_distance};
		case Metric::jaccard:
			/* Quotient and difference of float32. */
			r = around(graph_distance, 2 * kUnit);
			r.upper = std::min(r.upper, 1.0);
			r.middle = std::min(r.middle, r.upper);
			break;
		case Metric::inner_product:
			if (!(high < kGreatest && low > -kGreatest))
				r = {-kInfinity, graph_distance, kInfinity};
			return r;
		case Metric::l1:
			if (!(high < kGreatest))
				r.upper = kInfinity;
			break;
		case Metric::l2:
			r = {std::sqrt(std::max(low, 0.0)), std::sqrt(graph_distance),
				 high < kGreatest ? std::sqrt(high) : kInfinity};
			return r;
		case Metric::cosine: r = {low / 2, graph_distance / 2, high / 2}; break;
	}
	r.lower = std::max(r.lower, 0.0);
	return r;
}

Interval
exact_interval(const distance::Kernels &k, const CodeQuery &q, const CodeView &v) noexcept
{
	if (q.kind == RowKind::bits)
	{
		double d;
		if (q.metric == Metric::hamming)
			d = static_cast<double>(k.hamming(v.code, q.bits, q.n));
		else
		{
			std::uint64_t parts[2];
			k.jaccard_parts(v.code, q.bits, q.n, parts);
			d = parts[0] == 0 ? 1.0 : 1.0 - static_cast<double>(parts[0]) / static_cast<double>(parts[1]);
		}
		return {d, d, d};
	}
	const quantizer::SparseSums s =
		quantizer::sparse_sums(v.code, static_cast<std::size_t>(v.sum), q.sparse.code, q.sparse.blocks);
	const double either = static_cast<double>(s.either), both = static_cast<double>(s.both);
	switch (q.metric)
	{
		case Metric::inner_product:
		{
			const double product = q.norm * norm_bound(v.norm2, 16.0 * v.sum);
			if (!(product < kGreatest))
				return {-kInfinity, -s.dot, kInfinity};
			return around(-s.dot, sum_slack(both) * product + kLost * both);
		}
		case Metric::l1:
		{
			Interval r = around(s.absolute, sum_slack(either) * s.absolute);
			if (!(r.upper < kGreatest))
				r.upper = kInfinity;
			return r;
		}
		case Metric::cosine:
		{
			const double slack = sum_slack(both) +
								 sum_slack(static_cast<double>(std::max(v.sum, 1) * 16 + q.sparse.count));
			Interval r = around(s.squares / 2, slack + 8 * kUnit);
			r.lower = std::max(r.lower, 0.0);
			return r;
		}
		case Metric::l2:
		case Metric::hamming:
		case Metric::jaccard: break;
	}
	const double slack = sum_slack(either) * s.squares + kLost * either;
	Interval r{std::sqrt(std::max(s.squares - slack, 0.0)), std::sqrt(s.squares), std::sqrt(s.squares + slack)};
	if (!(s.squares + slack < kGreatest))
		r.upper = kInfinity;
	return r;
}

}  // namespace vecdb::core::graph
