/* SPDX-License-Identifier: PostgreSQL
 * Bounds from codes and distances from slots, for one query and one list after the other.
 *
 * Regime: core.
 */
#include "vecdb/lists/list_query.hpp"

#include <cmath>
#include <cstring>

#include "vecdb/quantizer/scalar.hpp"

namespace vecdb::core::lists
{

using layout::Codes;
using layout::SlotHeader;
using layout::Slots;

namespace
{

const SlotHeader &
header_of(const std::uint8_t *slot) noexcept
{
	return *reinterpret_cast<const SlotHeader *>(slot);
}

const std::uint8_t *
payload_of(const std::uint8_t *slot) noexcept
{
	return slot + sizeof(SlotHeader);
}

/* Standard deviation of an estimate over |q - c| |mul|: what the code leaves of the residual points anywhere (RaBitQ, section 3.2). */
float
sign_error(const IvfShape &shape) noexcept
{
	double n = shape.code_dims, coded = shape.sign_dims;
	return static_cast<float>(std::sqrt(coded * (1 - 2 / 3.14159265358979 * coded / n) / (n - 1)));
}

bool
is_product(Metric metric) noexcept
{
	return metric == Metric::inner_product;
}

/* What the operator computes, to the last bit. */
double
bit_distance(const ListQuery &q, const std::uint8_t *row) noexcept
{
	const std::size_t bytes = (q.codec->space.dimensions + 7) / 8;
	if (q.metric == Metric::hamming)
		return static_cast<double>(q.kernels->hamming(row_bytes(q.v), row, bytes));
	std::uint64_t parts[2];
	q.kernels->jaccard_parts(row_bytes(q.v), row, bytes, parts);
	return parts[0] == 0 ? 1.0 : 1.0 - static_cast<double>(parts[0]) / static_cast<double>(parts[1]);
}

/* The integer form of view.diff, made when the first slot of a list asks for it. */
const graph::CodeQuery &
code_query(ListQuery &q) noexcept
{
	if (!q.code_ready)
	{
		std::size_t n = q.codec->space.code_dims;
		/*
		 * Rotation and centring round relative to |x| and |c|, which may be far more than the difference: mean_norm is what
		 * operator_interval adds 3e-7 of.
		 */
		double far = q.codec->space.mean_norm + 7 * (q.x_norm + q.view.centre_norm);
		q.code = graph::make_code_query(q.metric, quantizer::sq8_query(q.view.diff, n, q.integers),
										q.codec->space.dimensions, q.norm, far);
		if (q.metric == Metric::l1)
			q.code.norm += q.x_norm + q.view.centre_norm;
		q.code_ready = true;
	}
	return q.code;
}

/* |v| in code space, at most: what the rounding of products goes with. */
double
code_norm(const ListQuery &q, float norm2) noexcept
{
	double norm = std::sqrt(static_cast<double>(norm2));
	return is_product(q.metric) ? norm + q.view.centre_norm : norm;
}

}  // namespace

bool
init_query(ListQuery &q, const ListCodec &codec, const float *v, float eps, Memory memory) noexcept
{
	const std::size_t d = codec.space.dimensions, n = codec.space.code_dims;
	q.codec = &codec;
	q.kernels = &distance::kernels();
	q.metric = codec.space.metric;
	q.eps = eps;
	q.code_ready = false;
	float *x = memory.array<float>(n);
	q.diff = memory.array<float>(n);
	q.integers = memory.array<std::int16_t>(n);
	if (x == nullptr || q.diff == nullptr || q.integers == nullptr)
		return false;
	to_code_space(codec.space, v, x, &q.norm);
	q.x = x;
	q.x_norm = std::sqrt(static_cast<double>(q.kernels->inner_product(x, x, n)));
	q.v = v;
	if (codec.shape.slots == Slots::float32 && q.metric == Metric::cosine && q.norm > 0)
	{
		float *unit = memory.array<float>(d);
		if (unit == nullptr)
			return false;
		for (std::size_t i = 0; i < d; i++)
			unit[i] = static_cast<float>(static_cast<double>(v[i]) / q.norm);
		q.v = unit;
	}
	q.own_lut = nullptr;
	q.error = 0;
	q.table = quantizer::SignQuery{};
	if (codec.shape.codes == Codes::sign)
	{
		std::uint8_t *lut = memory.array<std::uint8_t>(quantizer::sign_lut_bytes(codec.shape.sign_dims));
		q.own_lut = memory.array<std::uint8_t>(quantizer::sign_lut_bytes(codec.shape.sign_dims));
		if (lut == nullptr || q.own_lut == nullptr)
			return false;
		q.table = quantizer::sign_query(x, codec.shape.sign_dims, lut);
		q.error = sign_error(codec.shape);
	}
	return true;
}

void
open_list(ListQuery &q, const float *centre, bool own_table) noexcept
{
	const std::size_t n = q.codec->space.code_dims;
	q.code_ready = false;
	for (std::size_t i = 0; i < n; i++)
		q.diff[i] = q.x[i] - centre[i];
	const bool product = is_product(q.metric);
	ListView &view = q.list_view;
	view.distance = q.kernels->inner_product(q.diff, q.diff, n);
	view.centre_norm = std::sqrt(static_cast<double>(q.kernels->inner_product(centre, centre, n)));
	view.offset = product ? -q.kernels->inner_product(q.x, centre, n) : 0;
	view.diff = product ? q.x : q.diff;
	q.view = view;
	q.g = product ? view.offset : view.distance;
	double towards = product && own_table ? q.x_norm : std::sqrt(static_cast<double>(view.distance));
	q.list_table = q.table;
	if (q.codec->shape.codes == Codes::sign && own_table && !product)
		q.list_table = quantizer::sign_query(q.diff, q.codec->shape.sign_dims, q.own_lut);
	q.bound_bias = q.eps * static_cast<float>(towards) * q.error;
}

void
open_view(ListQuery &q, const ListView &view) noexcept
{
	q.view = view;
	q.code_ready = false;
}

std::uint32_t
scan_block(ListQuery &q, const std::uint8_t *block, float threshold, float *lower) noexcept
{
	const IvfShape &shape = q.codec->shape;
	if (shape.codes == Codes::none)
	{
		for (std::uint32_t i = 0; i < layout::kLanes; i++)
			lower[i] = -INFINITY;
		return 0xFFFFFFFFu;
	}
	const layout::BlockHeader &h = *block_header(block);
	/* mul is negative, so a larger e means nearer. */
	return q.kernels->fast_scan(block + shape.codes_offset, q.list_table.lut, q.list_table.segments, h.add, h.mul,
								h.add_scale, h.mul_scale, q.g, q.list_table.step, q.list_table.bias + q.bound_bias,
								threshold, lower);
}

float
bound_width(const ListQuery &q, float mul) noexcept
{
	return std::fabs(mul) * q.bound_bias;
}

Score
score_slot(ListQuery &q, const std::uint8_t *slot) noexcept
{
	const IvfShape &shape = q.codec->shape;
	const SlotHeader &h = header_of(slot);
	const std::uint8_t *code = payload_of(slot);
	Score s{};
	switch (shape.slots)
	{
		case Slots::sq8:
		{
			const graph::CodeQuery &cq = code_query(q);
			float d = graph::query_distance(*q.kernels, cq, code, h.scale, h.bias, h.norm2) + q.view.offset;
			float norm = static_cast<float>(code_norm(q, h.norm2));
			graph::finish_score(cq, d, norm * norm, h.error, s.distance, s.error);
			break;
		}
		case Slots::float32:
		{
			const std::size_t d = shape.dimensions;
			const auto *v = reinterpret_cast<const float *>(code);
			s.distance = q.metric == Metric::l1 ? q.kernels->l1(q.v, v, d)
						 : is_product(q.metric) ? -q.kernels->inner_product(q.v, v, d)
												: q.kernels->l2_squared(q.v, v, d);
			s.error = 0;
			break;
		}
		case Slots::bits:
			s.distance = static_cast<float>(bit_distance(q, code));
			s.error = 0;
			break;
		default: s.error = INFINITY; break;
	}
	return s;
}

float
upper_bound(const ListQuery &q, const Score &s) noexcept
{
	if (is_product(q.metric) || q.metric == Metric::l1 || distance::of_bits(q.metric))
		return s.distance + s.error;
	float root = std::sqrt(s.distance > 0 ? s.distance : 0) + s.error;
	if (q.codec->shape.slots == Slots::sq8)
		root += q.code.code_error;
	return root * root;
}

graph::Interval
exact_interval(const ListQuery &q, float graph_distance) noexcept
{
	/* Worked out by the operator's own kernel: only the scaling to unit length and the root may round otherwise. */
	double d = static_cast<double>(graph_distance);
	double slack = static_cast<double>(q.codec->space.dimensions) / 16 * 0x1p-24 + 32 * 0x1p-24;
	graph::Interval i{};
	switch (q.metric)
	{
		case Metric::cosine:
			i.middle = d / 2;
			i.lower = d / 2 - 2 * slack - 2e-7 > 0 ? d / 2 - 2 * slack - 2e-7 : 0;
			i.upper = d / 2 + 2 * slack + 2e-7;
			return i;
		case Metric::l2: i.middle = std::sqrt(d); break;
		case Metric::hamming: return graph::Interval{d, d, d};
		case Metric::inner_product:
		case Metric::l1:
		case Metric::jaccard: i.middle = d; break;
		default: break;
	}
	double width = 0x1p-22 * std::fabs(i.middle) + 1e-44;
	i.lower = i.middle - width;
	i.upper = i.middle + width;
	return i;
}

graph::Interval
score_interval(const ListQuery &query, const Score &s) noexcept
{
	if (query.codec->shape.slots == Slots::float32 || query.codec->shape.slots == Slots::bits)
		return exact_interval(query, s.distance);
	double d = static_cast<double>(s.distance), error = static_cast<double>(s.error);
	if (is_product(query.metric))
		return graph::Interval{d - error, d, d + error};
	/* The code's own norm is not at hand, but |r| <= |q - c| + d. */
	return graph::operator_interval(query.code, d, error, query.code.norm + std::sqrt(std::fabs(d)), true);
}

graph::Interval
slot_interval(ListQuery &q, const std::uint8_t *slot) noexcept
{
	const IvfShape &shape = q.codec->shape;
	const SlotHeader &h = header_of(slot);
	if (shape.slots == Slots::float32)
		return exact_interval(q, score_slot(q, slot).distance);
	if (shape.slots == Slots::bits)
	{
		double d = bit_distance(q, payload_of(slot));
		return graph::Interval{d, d, d};
	}
	const graph::CodeQuery &cq = code_query(q);
	double d = static_cast<double>(graph::refined_distance(*q.kernels, cq, payload_of(slot), nullptr, h.scale, h.bias) +
								   q.view.offset);
	return graph::operator_interval(cq, d, static_cast<double>(h.error), code_norm(q, h.norm2), false);
}

}  // namespace vecdb::core::lists
