/* SPDX-License-Identifier: PostgreSQL
 * Bounds from codes and distances from slots, for one query and one list after the other.
 *
 * Regime: core.
 * Coarse distances of sq8 and sq4 slots come from integer products. Where the list's centre lies no farther out than its rows need, one
 * integer query serves all lists: <q - c, r> = <q, r> - <c, r>, the last kept in the slot. Else (kListOwnTable, L1) q - c is
 * coded for the list.
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

bool
is_product(Metric metric) noexcept
{
	return metric == Metric::inner_product;
}

/* Can the codes be scanned? Product codes of an index that began empty cannot: there are no codebooks. */
bool
has_table(const ListCodec &codec) noexcept
{
	Codes codes = codec.shape.codes;
	return codes == Codes::sign || (codes != Codes::none && codec.books.vectors != nullptr);
}

bool
has_integer_form(Slots slots) noexcept
{
	return slots == Slots::sq8 || slots == Slots::sq4;
}

/*
 * Rotation and centring round relative to |x| and |c|, which may be far more than the difference: mean_norm is what
 * operator_interval adds 3e-7 of.
 */
void
set_rounding(ListQuery &q, graph::CodeQuery &code) noexcept
{
	code.mean_norm = q.codec->space.mean_norm + 7 * (q.x_norm + q.view.centre_norm);
	if (q.metric == Metric::l1)
		code.norm += q.x_norm + q.view.centre_norm;
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

/* The integer form that rows of the view are compared with. */
const graph::CodeQuery &
code_query(ListQuery &q) noexcept
{
	if (!q.view.own_form)
	{
		set_rounding(q, q.code);
		return q.code;
	}
	if (!q.own_code_ready)
	{
		std::size_t n = q.codec->space.code_dims;
		q.own_code = graph::make_code_query(q.metric, quantizer::sq8_query(q.view.diff, n, q.own_integers),
											q.codec->space.dimensions, q.norm, 0);
		set_rounding(q, q.own_code);
		q.own_code_ready = true;
	}
	return q.own_code;
}

/* How far a row may be from what its 4 bits say, in standard deviations. */
constexpr float kSq4Deviations = 3;

/* |v| in code space, at most: what the rounding of products goes with. */
double
code_norm(const ListQuery &q, float norm2) noexcept
{
	double norm = std::sqrt(static_cast<double>(norm2));
	return is_product(q.metric) ? norm + q.view.centre_norm : norm;
}

/* Distance in float precision to a residual decoded to q.decoded. */
float
decoded_distance(const ListQuery &q, const float *residual) noexcept
{
	const std::size_t n = q.codec->space.code_dims;
	if (q.metric == Metric::l1)
		return q.kernels->l1(q.view.diff, residual, n);
	if (is_product(q.metric))
		return q.view.offset - q.kernels->inner_product(q.x, residual, n);
	return q.kernels->l2_squared(q.view.diff, residual, n);
}

graph::CodeQuery
float_query(const ListQuery &q) noexcept
{
	graph::CodeQuery code{};
	code.metric = q.metric;
	code.n = q.codec->space.code_dims;
	code.q = q.view.diff;
	code.norm = std::sqrt(static_cast<double>(q.kernels->inner_product(q.view.diff, q.view.diff, code.n)));
	code.operand_norm = q.norm;
	code.mean_norm = q.codec->space.mean_norm + 7 * (q.x_norm + q.view.centre_norm);
	if (q.metric == Metric::l1)
		code.norm += q.x_norm + q.view.centre_norm;
	code.operator_slack = (static_cast<double>(q.codec->space.dimensions) / 16 + 32) * 0x1p-24;
	return code;
}

quantizer::SignQuery
make_table(const ListQuery &q, const float *of, std::uint8_t *lut, float *floats) noexcept
{
	quantizer::SignQuery table{};
	table.segments = q.codec->shape.segments;
	switch (q.codec->shape.codes)
	{
		case Codes::none: break;
		case Codes::sign: table = quantizer::sign_query(of, q.codec->shape.sign_dims, lut); break;
		case Codes::pq4: table = quantizer::product_query(q.codec->books, of, lut, floats); break;
		case Codes::pq8: quantizer::product_table(q.codec->books, of, floats); break;
	}
	return table;
}

std::size_t
lut_bytes(const ListCodec &codec) noexcept
{
	return codec.shape.codes == Codes::sign  ? quantizer::sign_lut_bytes(codec.shape.sign_dims)
		   : codec.shape.codes == Codes::pq4 ? quantizer::product_lut_bytes(codec.books)
											 : 0;
}

std::size_t
table_floats(const ListCodec &codec) noexcept
{
	bool product = codec.shape.codes == Codes::pq4 || codec.shape.codes == Codes::pq8;
	return product ? quantizer::product_table_floats(codec.books) : 0;
}

}  // namespace

bool
init_query(ListQuery &q, const ListCodec &codec, const float *v, float eps, Memory memory) noexcept
{
	const std::size_t d = codec.space.dimensions, n = codec.space.code_dims;
	q = ListQuery{};
	q.codec = &codec;
	q.kernels = &distance::kernels();
	q.metric = codec.space.metric;
	q.eps = eps;
	float *x = memory.array<float>(n);
	q.diff = memory.array<float>(n);
	q.decoded = memory.array<float>(n);
	if (x == nullptr || q.diff == nullptr || q.decoded == nullptr)
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
	if (has_integer_form(codec.shape.slots))
	{
		std::int16_t *integers = memory.array<std::int16_t>(n);
		q.own_integers = memory.array<std::int16_t>(n);
		if (integers == nullptr || q.own_integers == nullptr)
			return false;
		q.code =
			graph::make_code_query(q.metric, quantizer::sq8_query(x, n, integers), codec.space.dimensions, q.norm, 0);
	}
	if (std::size_t bytes = lut_bytes(codec); bytes > 0)
	{
		q.lut = memory.array<std::uint8_t>(bytes);
		q.own_lut = memory.array<std::uint8_t>(bytes);
		if (q.lut == nullptr || q.own_lut == nullptr)
			return false;
	}
	if (std::size_t floats = table_floats(codec); floats > 0)
	{
		q.floats = memory.array<float>(floats);
		q.own_floats = memory.array<float>(floats);
		if (q.floats == nullptr || q.own_floats == nullptr)
			return false;
	}
	if (has_table(codec))
		q.table = make_table(q, x, q.lut, q.floats);
	return true;
}

void
open_list(ListQuery &q, const float *centre, bool own_table) noexcept
{
	const std::size_t n = q.codec->space.code_dims;
	q.own_code_ready = false;
	for (std::size_t i = 0; i < n; i++)
		q.diff[i] = q.x[i] - centre[i];
	const bool product = is_product(q.metric);
	ListView &view = q.list_view;
	view.distance = q.kernels->inner_product(q.diff, q.diff, n);
	view.centre_norm = std::sqrt(static_cast<double>(q.kernels->inner_product(centre, centre, n)));
	view.offset = product ? -q.kernels->inner_product(q.x, centre, n) : 0;
	view.diff = product ? q.x : q.diff;
	view.own_form = !product && (own_table || q.metric == Metric::l1);
	q.view = view;
	q.g = product ? view.offset : view.distance;
	double towards = product && own_table ? q.x_norm : std::sqrt(static_cast<double>(view.distance));
	q.list_table = q.table;
	q.list_floats = q.floats;
	q.bound_bias = 0;
	if (!has_table(*q.codec))
		return;
	if (own_table && !product)
	{
		q.list_table = make_table(q, q.diff, q.own_lut, q.own_floats);
		q.list_floats = q.own_floats;
	}
	float deviation =
		deviation_of_e(q.codec->deviation, static_cast<float>(towards), q.list_table.step, q.list_table.segments);
	q.shift = 0;
	if (q.codec->folding > 0 && product)
	{
		/*
		 * A sketch's product is off by |q| |v| folding. With |v|^2 = |c|^2 + |r|^2, about, and |r| = |mul| sqrt(2 D / pi), about (the mean of
		 * what list_codec.hpp calls <y, r>): a part that all rows have, and one that grows with mul.
		 */
		constexpr float kTwoOverPi = 0.63661977f;
		const float norm = static_cast<float>(q.x_norm) * q.codec->folding;
		q.shift = q.eps * norm * static_cast<float>(view.centre_norm);
		q.g -= q.shift;
		deviation =
			std::sqrt(deviation * deviation + norm * norm * kTwoOverPi * static_cast<float>(q.codec->shape.sign_dims));
	}
	q.bound_bias = q.eps * deviation;
}

void
open_view(ListQuery &q, const ListView &view) noexcept
{
	q.view = view;
	q.own_code_ready = false;
}

/* Of squared distances of sketches: the deviation is that of a sum of squares (L2), of a cosine of two sketches. */
static float
folding_error(const ListQuery &q, float distance) noexcept
{
	const float d = distance > 0 ? distance : 0;
	if (q.metric == Metric::cosine)
		return q.codec->folding * d * std::fabs(2 - d / 2);
	return q.metric == Metric::l2 ? q.codec->folding * 1.4142136f * d : 0;
}

/* No row whose folded bound is below the threshold has a greater one before. */
static float
unfolded(const ListQuery &q, float threshold) noexcept
{
	const float factor = q.metric == Metric::cosine ? 2.0f : q.metric == Metric::l2 ? 1.4142136f : 0.0f;
	const float part = 1 - factor * q.eps * q.codec->folding;
	if (!(threshold > 0) || factor == 0)
		return threshold;
	return part > 0 ? threshold / part : INFINITY;
}

std::uint32_t
scan_block(ListQuery &q, const std::uint8_t *block, float threshold, float *lower) noexcept
{
	if (q.codec->folding > 0)
		threshold = unfolded(q, threshold);
	const IvfShape &shape = q.codec->shape;
	const layout::BlockHeader &h = *block_header(block);
	const std::uint8_t *codes = block + shape.codes_offset;
	const Codes kind = has_table(*q.codec) ? shape.codes : Codes::none;
	/* mul is negative, so a larger e means nearer. */
	switch (kind)
	{
		case Codes::sign:
		case Codes::pq4:
			return q.kernels->fast_scan(codes, q.list_table.lut, q.list_table.segments, h.add, h.mul, h.add_scale,
										h.mul_scale, q.g, q.list_table.step, q.list_table.bias + q.bound_bias,
										threshold, lower);
		case Codes::pq8:
			return q.kernels->table_scan(codes, q.list_floats, shape.segments, h.add, h.mul, h.add_scale, h.mul_scale,
										 q.g, q.bound_bias, threshold, lower);
		case Codes::none: break;
	}
	for (std::uint32_t i = 0; i < layout::kLanes; i++)
		lower[i] = -INFINITY;
	return 0xFFFFFFFFu;
}

Estimate
lane_estimate(const ListQuery &q, float lower, float mul) noexcept
{
	const float width = std::fabs(mul) * q.bound_bias + q.shift;
	Estimate e{lower, lower + width, width};
	if (q.codec->folding > 0 && !is_product(q.metric))
	{
		e.lower -= q.eps * folding_error(q, lower);
		const float off = q.eps * folding_error(q, e.distance);
		e.error = std::sqrt(width * width + off * off);
	}
	return e;
}

/* What a kernel's sum may be off by, relative to the sum of its terms' magnitudes. */
static double
sum_slack(const ListQuery &q) noexcept
{
	return (static_cast<double>(q.codec->space.dimensions) / 16 + 32) * 0x1p-24;
}

/* Two kernels, of rows of the same values, differ by no more. norm: of the row. */
static void
add_rounding(const ListQuery &q, double norm, Score &s) noexcept
{
	double slack = 2 * sum_slack(q);
	if (is_product(q.metric))
		s.error = static_cast<float>(slack * q.norm * norm * 1.000001);
	else if (q.metric == Metric::l1)
		s.error = static_cast<float>(slack * static_cast<double>(s.distance) * 1.000001);
	else
		s.squared_error = static_cast<float>(slack * static_cast<double>(s.distance) * 1.000001);
}

Score
score_slot(ListQuery &q, const std::uint8_t *slot) noexcept
{
	const IvfShape &shape = q.codec->shape;
	const SlotHeader &h = header_of(slot);
	const std::uint8_t *payload = payload_of(slot);
	const std::size_t n = shape.code_dims;
	Score s{};
	switch (shape.slots)
	{
		case Slots::sq8:
		case Slots::sq4:
		{
			const graph::CodeQuery &code = code_query(q);
			float d;
			if (q.metric == Metric::l1)
				d = q.kernels->l1_u8_f32(payload, h.scale, h.bias, q.view.diff, n);
			else
			{
				std::int32_t whole = shape.slots == Slots::sq8 ? q.kernels->dot_u8_i16(payload, code.codes, n)
															   : q.kernels->dot_u4_i16(payload, code.codes, n);
				float dot = h.bias * code.code_sum + h.scale * code.step * static_cast<float>(whole);
				if (is_product(q.metric))
					d = q.view.offset - dot;
				else if (q.view.own_form)
					d = code.code_norm2 + h.norm2 - 2 * dot;
				else
				{
					d = q.view.distance + h.norm2 - 2 * (dot - h.centre_product);
					/* <x, r> with x as integers; sums of terms that cancel. */
					float r = std::sqrt(h.norm2);
					float size = static_cast<float>(q.x_norm + q.view.centre_norm) + r;
					s.squared_error = 2 * code.code_error * r + 4e-6f * size * size;
				}
				if (!is_product(q.metric) && d < 0)
					d = 0;
			}
			if (shape.slots == Slots::sq4)
			{
				/* An estimate: what the residual is off by points anywhere, so its hard bound would say little (RaBitQ, section 3.2). */
				float off = kSq4Deviations * h.error / std::sqrt(static_cast<float>(n));
				float towards = is_product(q.metric) ? static_cast<float>(q.x_norm) : std::sqrt(q.view.distance);
				graph::finish_score(code, d, h.norm2, 0, s.distance, s.error);
				s.squared_error = 0;
				s.error = (is_product(q.metric) ? 1 : 2) * towards * off;
				break;
			}
			float norm = static_cast<float>(code_norm(q, h.norm2));
			graph::finish_score(code, d, norm * norm, h.error, s.distance, s.error);
			break;
		}
		case Slots::half:
		{
			const auto *halves = reinterpret_cast<const std::uint16_t *>(payload);
			s.distance = q.metric == Metric::l1 ? q.kernels->l1_f16_f32(halves, h.scale, q.view.diff, n)
						 : is_product(q.metric)
							 ? q.view.offset - q.kernels->inner_product_f16_f32(halves, h.scale, q.x, n)
							 : q.kernels->l2_squared_f16_f32(halves, h.scale, q.view.diff, n);
			s.error = h.error;
			if (is_product(q.metric))
			{
				float norm = static_cast<float>(code_norm(q, h.norm2));
				graph::finish_score(float_query(q), s.distance, norm * norm, h.error, s.distance, s.error);
			}
			break;
		}
		case Slots::float32:
		{
			const std::size_t d = shape.dimensions;
			const auto *v = reinterpret_cast<const float *>(payload);
			s.distance = q.metric == Metric::l1 ? q.kernels->l1(q.v, v, d)
						 : is_product(q.metric) ? -q.kernels->inner_product(q.v, v, d)
												: q.kernels->l2_squared(q.v, v, d);
			if (q.other_rounding)
				add_rounding(q, std::sqrt(static_cast<double>(h.norm2)), s);
			break;
		}
		case Slots::bits: s.distance = static_cast<float>(bit_distance(q, payload)); break;
		case Slots::none: s.error = INFINITY; break;
	}
	return s;
}

float
upper_bound(const ListQuery &q, const Score &s) noexcept
{
	if (is_product(q.metric) || q.metric == Metric::l1 || distance::of_bits(q.metric) ||
		q.codec->shape.slots == Slots::sq4)
		return s.distance + s.error;
	float root = std::sqrt((s.distance > 0 ? s.distance : 0) + s.squared_error) + s.error;
	if (q.view.own_form && has_integer_form(q.codec->shape.slots))
		root += q.own_code.code_error;
	return root * root;
}

graph::Interval
exact_interval(const ListQuery &query, const Score &s) noexcept
{
	double d = static_cast<double>(s.distance);
	graph::Interval i{};
	if (query.metric == Metric::cosine)
	{
		/* The scaling to unit length rounds too. */
		double slack = (query.other_rounding ? 4 : 2) * sum_slack(query) + 2e-7;
		i.middle = d / 2;
		i.lower = d / 2 - slack > 0 ? d / 2 - slack : 0;
		i.upper = d / 2 + slack;
		return i;
	}
	if (query.metric == Metric::hamming)
		return graph::Interval{d, d, d};
	double low = d - static_cast<double>(s.error), high = d + static_cast<double>(s.error);
	i.middle = d;
	if (query.metric == Metric::l2)
	{
		double squared_error = static_cast<double>(s.squared_error);
		i.middle = std::sqrt(d);
		low = std::sqrt(d > squared_error ? d - squared_error : 0);
		high = std::sqrt(d + squared_error);
	}
	/* The same kernel: only the root may round otherwise. */
	double width = 0x1p-22 * std::fabs(i.middle) + 1e-44;
	i.lower = low - width;
	i.upper = high + width;
	return i;
}

graph::Interval
score_interval(ListQuery &query, const Score &s) noexcept
{
	double d = static_cast<double>(s.distance), error = static_cast<double>(s.error);
	if (query.codec->shape.slots == Slots::float32 || query.codec->shape.slots == Slots::bits)
		return exact_interval(query, s);
	if (is_product(query.metric))
		return graph::Interval{d - error, d, d + error};
	if (query.codec->shape.slots == Slots::half)
	{
		graph::CodeQuery code = float_query(query);
		return graph::operator_interval(code, d, error, code.norm + std::sqrt(std::fabs(d)), false);
	}
	const graph::CodeQuery &code = code_query(query);
	graph::CodeQuery bounded = code;
	/* Of the shared form the integers' error is in squared_error. */
	if (!query.view.own_form)
		bounded.code_error = 0;
	/* The code's own norm is not at hand, but |r| <= |q - c| + d. */
	return graph::operator_interval(bounded, d, error, code.norm + std::sqrt(std::fabs(d)), true,
									static_cast<double>(s.squared_error));
}

graph::Interval
slot_interval(ListQuery &q, const std::uint8_t *slot) noexcept
{
	const IvfShape &shape = q.codec->shape;
	const SlotHeader &h = header_of(slot);
	if (shape.slots == Slots::float32)
		return exact_interval(q, score_slot(q, slot));
	if (shape.slots == Slots::bits)
	{
		double d = bit_distance(q, payload_of(slot));
		return graph::Interval{d, d, d};
	}
	decode_slot(shape, slot, q.decoded);
	double d = static_cast<double>(decoded_distance(q, q.decoded));
	double error = static_cast<double>(decoded_error(shape, slot));
	return graph::operator_interval(float_query(q), d, error, code_norm(q, h.norm2) + error, false);
}

}  // namespace vecdb::core::lists
