/* SPDX-License-Identifier: PostgreSQL
 * Rows as lanes and slots. The loops over elements are kernels (distance/) where they count.
 *
 * Regime: core.
 * Keeps:  whatever finite floats come in, factors are finite and a slot's error bounds what the slot lost: sums are in float,
 *         and done again in double where float has overflowed or lost its digits.
 */
#include "vecdb/lists/list_codec.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "vecdb/base/half.hpp"
#include "vecdb/distance/kernels.hpp"
#include "vecdb/quantizer/scalar.hpp"

namespace vecdb::core::lists
{

using layout::BlockHeader;
using layout::Codes;
using layout::kLanes;
using layout::SlotHeader;
using layout::Slots;

namespace
{

constexpr std::size_t kChunk = 2048;  // dimensions at a time: bounds the stack and the rounding of float sums
constexpr double kGreatest = 3e38;
/* Float sums of squares within these have lost nothing that matters. */
constexpr double kLeastSquares = 1e-30, kMostSquares = 1e37;

float
round_up(double x) noexcept
{
	if (!(x <= static_cast<double>(std::numeric_limits<float>::max())))
		return std::numeric_limits<float>::infinity();
	auto f = static_cast<float>(x);
	return static_cast<double>(f) < x ? std::nextafter(f, std::numeric_limits<float>::infinity()) : f;
}

/* Of residual r, direction y and origin u: L^2, <r, u>, <y, r>, <y, u>. */
struct Sums
{
	double squares = 0;
	double product = 0;
	double agreement = 0;
	double offset = 0;
};

/* add and mul of list_codec.hpp. Where the codes say nothing mul is 0, and add the best guess without them. */
void
set_factors(Metric metric, const Sums &s, CodedRow &out) noexcept
{
	const bool inner_product = metric == Metric::inner_product;
	double add = inner_product ? -s.product : s.squares;
	double mul = 0;
	if (s.agreement > 0)
	{
		double rho = s.squares / s.agreement;
		double coded_add = inner_product ? rho * s.offset - s.product : s.squares + 2 * rho * s.offset;
		double coded_mul = inner_product ? -rho : -2 * rho;
		if (std::fabs(coded_add) <= kGreatest && std::fabs(coded_mul) <= kGreatest)
		{
			add = coded_add;
			mul = coded_mul;
		}
	}
	if (!(std::fabs(add) <= kGreatest))
		add = inner_product ? 0 : kGreatest;
	out.add = static_cast<float>(add);
	out.mul = static_cast<float>(mul);
}

bool
trustworthy(double squares) noexcept
{
	return squares == 0 || (squares >= kLeastSquares && squares <= kMostSquares);
}

/* r: n floats; centre null: u = 0. Sign bits of the first dims to codes, a nibble a segment. */
Sums
sign_sums(const float *r, const float *centre, std::size_t n, std::size_t dims, std::uint8_t *codes) noexcept
{
	Sums s;
	for (std::size_t i = 0; i < n; i++)
	{
		double x = r[i], u = centre != nullptr ? static_cast<double>(centre[i]) : 0.0;
		s.squares += x * x;
		s.product += x * u;
		if (i >= dims)
			continue;
		s.agreement += std::fabs(x);
		s.offset += std::signbit(r[i]) ? -u : u;
		if (i % 4 == 0)
			codes[i / 4] = 0;
		codes[i / 4] = static_cast<std::uint8_t>(codes[i / 4] | (std::signbit(r[i]) ? 0 : 1) << i % 4);
	}
	return s;
}

/* The same by kernels, which take centre and vector; `from_zero`: u = 0 though the residual is to the centre. */
Sums
sign_sums_fast(const float *centre, const float *x, std::size_t n, std::size_t dims, bool from_zero,
			   std::uint8_t *codes) noexcept
{
	const distance::Kernels &k = distance::kernels();
	Sums s;
	std::uint8_t signs[kChunk / 8];
	float sums[4];
	for (std::size_t i = 0, length = 0; i < n; i += length)
	{
		const bool coded = i < dims;
		length = std::min(kChunk, (coded ? dims : n) - i);
		k.sign_code(centre + i, x + i, length, signs, sums);
		s.squares += sums[0];
		s.product += sums[1];
		if (!coded)
			continue;
		s.agreement += sums[2];
		s.offset += sums[3];
		std::uint8_t *segment = codes + i / 4;
		for (std::size_t j = 0; j < length / 8; j++)
		{
			segment[2 * j] = signs[j] & 15u;
			segment[2 * j + 1] = static_cast<std::uint8_t>(signs[j] >> 4);
		}
	}
	if (from_zero)
		s.product = s.offset = 0;
	return s;
}

/* What the slot's header says of r - decoded, decoded = scale * code. */
void
measure(const float *r, const float *decoded, std::size_t n, bool absolute, SlotHeader &slot) noexcept
{
	double norm2 = 0, squares = 0, magnitudes = 0;
	for (std::size_t i = 0; i < n; i++)
	{
		double d = decoded[i], e = r[i] - d;
		norm2 += d * d;
		squares += e * e;
		magnitudes += std::fabs(e);
	}
	slot.norm2 = static_cast<float>(std::min(norm2, kGreatest));
	slot.error = round_up((absolute ? magnitudes : std::sqrt(squares)) * (1 + 1e-9));
}

/* Halves want elements of 2^-14 to 65504: longer or shorter residuals are scaled by a power of two, which costs nothing. */
float
half_scale(const float *r, std::size_t n) noexcept
{
	float ends[2];
	distance::kernels().min_max(r, n, ends);
	float most = std::max(std::fabs(ends[0]), std::fabs(ends[1]));
	int exponent = 0;
	if (most == 0 || (most >= 0x1p-6f && most < 0x1p15f))
		return 1;
	std::frexp(most, &exponent);
	return std::ldexp(1.0f, std::max(exponent - 8, -126));
}

void
encode_halves(const float *r, std::size_t n, bool absolute, float *decoded, SlotHeader &slot,
			  std::uint8_t *payload) noexcept
{
	const distance::Kernels &k = distance::kernels();
	std::uint16_t halves[kChunk];
	slot.scale = half_scale(r, n);
	for (std::size_t i = 0; i < n; i += kChunk)
	{
		const std::size_t length = std::min(kChunk, n - i);
		for (std::size_t j = 0; j < length; j++)
			decoded[i + j] = r[i + j] / slot.scale;
		k.f32_to_f16(decoded + i, halves, length);
		k.f16_to_f32(halves, decoded + i, length);
		for (std::size_t j = 0; j < length; j++)
			decoded[i + j] *= slot.scale;
		std::memcpy(payload + 2 * i, halves, 2 * length);
	}
	measure(r, decoded, n, absolute, slot);
}

/* Two further bits of each element cut its step in four: value = bias + scale * (code + (bits - 1.5) / 4). */
constexpr float kPart[4] = {-0.375f, -0.125f, 0.125f, 0.375f};

/* decoded: receives what the 8 bits stand for. Returns the norm of the error of all ten. */
double
encode_sq8(const float *r, std::size_t n, bool absolute, float *decoded, SlotHeader &slot,
		   std::uint8_t *payload) noexcept
{
	quantizer::Sq8 s = quantizer::sq8_encode(
		r, n, absolute ? quantizer::ErrorNorm::absolute_sum : quantizer::ErrorNorm::euclidean, payload, nullptr);
	slot.scale = s.scale;
	slot.bias = s.bias;
	slot.norm2 = s.norm2;
	slot.error = s.error;
	distance::kernels().decode(payload, nullptr, s.scale, s.bias, n, decoded);
	std::uint8_t *bits = payload + n;
	const float inverse = 4 / s.scale;
	double error = 0;
	for (std::size_t i = 0; i < n; i += 16)
	{
		double part = 0;
		std::uint8_t level[16];
		for (std::size_t j = 0; j < 16; j++)
		{
			float rest = r[i + j] - decoded[i + j];
			float at = rest * inverse + 2;
			auto whole = static_cast<int>(at < 0 ? 0 : at > 3 ? 3 : at);
			level[j] = static_cast<std::uint8_t>(whole);
			double e = static_cast<double>(rest - s.scale * (0.25f * static_cast<float>(whole) - 0.375f));
			part += absolute ? std::fabs(e) : e * e;
		}
		error += part;
		for (std::size_t j = 0; j < 4; j++)
			bits[i / 4 + j] = static_cast<std::uint8_t>(level[4 * j] | level[4 * j + 1] << 2 | level[4 * j + 2] << 4 |
														level[4 * j + 3] << 6);
	}
	/* Rounding of the float32 steps above: some units in the last place of the decoded values. */
	double size = std::fabs(static_cast<double>(s.bias)) + 256 * static_cast<double>(s.scale);
	double rounding = 0x1p-22 * size * (absolute ? static_cast<double>(n) : std::sqrt(static_cast<double>(n)));
	return (absolute ? error : std::sqrt(error)) * (1 + 1e-5) + rounding;
}

/* Trials of a lattice's step: a coarse series, and a search between the neighbours of the best. */
constexpr int kCoarseTrials = 12, kCoarseTrialsOfFew = 32, kFineTrials = 5;
constexpr std::size_t kFewElements = 64;

/* The inverse step with which the lattice's vector is nearest in direction to v. most: greatest |v|, > 0. */
float
lattice_inverse(const float *v, std::size_t n, double most, double squares) noexcept
{
	const distance::Kernels &k = distance::kernels();
	auto score = [&](double step) {
		float of[2];
		k.lattice_u4(v, n, static_cast<float>(1 / step), nullptr, of);
		return static_cast<double>(of[0]) * of[0] / of[1];
	};
	/* No step is too small for the greatest element to be clipped; for normal elements 0.34 deviations are best. */
	const double high = most / 7.4;
	const double low = std::min(0.2 * std::sqrt(squares / static_cast<double>(n)), high / 2);
	const int trials = n <= kFewElements ? kCoarseTrialsOfFew : kCoarseTrials;
	const double ratio = std::pow(high / low, 1.0 / (trials - 1));
	double best = high, best_score = score(high), step = low;
	for (int i = 0; i < trials - 1; i++, step *= ratio)
		if (double s = score(step); s > best_score)
		{
			best = step;
			best_score = s;
		}
	double reach = std::sqrt(ratio);
	for (int i = 0; i < kFineTrials; i++, reach = std::sqrt(reach))
		for (double trial : {best / reach, best * reach})
			if (double s = score(trial); s > best_score)
			{
				best = trial;
				best_score = s;
				break;
			}
	return static_cast<float>(1 / best);
}

/* Decoded = rho * y with <r - decoded, r> = 0: so the estimates that come from it are not biased (ivf_page.hpp). */
void
encode_sq4(const float *r, std::size_t n, float *scratch, SlotHeader &slot, std::uint8_t *payload) noexcept
{
	const distance::Kernels &k = distance::kernels();
	double of[4];
	k.summarize(r, n, of);
	std::memset(payload, 0, n / 2);
	slot.scale = slot.bias = 0;
	if (of[0] == 0)
		return;
	/* Kernels sum in float. */
	const float *v = r;
	double unit = 1;
	if (of[0] < 1e-12 || of[0] > 1e12)
	{
		unit = of[0];
		for (std::size_t i = 0; i < n; i++)
			scratch[i] = static_cast<float>(r[i] / unit);
		v = scratch;
	}
	float sums[2];
	k.lattice_u4(v, n, lattice_inverse(v, n, of[0] / unit, of[3] / unit / unit), payload, sums);
	double agreement = 0;
	for (std::size_t i = 0; i < n; i++)
		agreement += static_cast<double>(v[i]) * ((payload[i / 2] >> i % 2 * 4 & 15) - 7.5);
	double rho = of[3] / unit / agreement;  // |r|^2 / <y, r>
	slot.scale = static_cast<float>(std::clamp(rho, 1e-37, kGreatest / 8));
	slot.bias = -7.5f * slot.scale;
	double norm2 = 0, squares = 0;
	for (std::size_t i = 0; i < n; i++)
	{
		double d = slot.bias + static_cast<double>(slot.scale) * (payload[i / 2] >> i % 2 * 4 & 15), e = r[i] - d;
		norm2 += d * d;
		squares += e * e;
	}
	/* Whichever kernel decodes rounds an element by four units of 7.5 scale at most. */
	double rounding = 4 * 0x1p-24 * 8 * static_cast<double>(slot.scale) + 6e-45;
	slot.norm2 = static_cast<float>(std::min(norm2, kGreatest));
	slot.error = round_up(std::sqrt(squares) * (1 + 1e-9) + std::sqrt(static_cast<double>(n)) * rounding);
}

/* The norm that counts of r, in double. */
double
size_of(const float *r, std::size_t n, bool absolute) noexcept
{
	double of[4];
	distance::kernels().summarize(r, n, of);
	return absolute ? of[2] : std::sqrt(of[3]);
}

/* Payload of floats as they are. */
void
encode_floats(const float *v, std::size_t n, SlotHeader &slot, std::uint8_t *payload) noexcept
{
	double norm2 = 0;
	for (std::size_t i = 0; i < n; i++)
		norm2 += static_cast<double>(v[i]) * v[i];
	slot.norm2 = static_cast<float>(std::min(norm2, kGreatest));
	std::memcpy(payload, v, n * sizeof(float));
}

void
finish_slot(const IvfShape &shape, SlotHeader &header, std::uint8_t *slot) noexcept
{
	header.crc = 0;
	std::memcpy(slot, &header, sizeof header);
	header.crc = slot_crc(shape, slot);
	std::memcpy(slot + offsetof(SlotHeader, crc), &header.crc, sizeof header.crc);
}

/* r = x - centre, cut to what a float holds. True: nothing was cut. */
bool
subtract(const float *x, const float *centre, std::size_t n, float *r) noexcept
{
	for (std::size_t i = 0; i < n; i++)
		r[i] = x[i] - centre[i];
	float ends[2];
	distance::kernels().min_max(r, n, ends);
	const auto most = static_cast<float>(kGreatest);
	if (ends[0] >= -most && ends[1] <= most)
		return true;
	for (std::size_t i = 0; i < n; i++)
		r[i] = std::clamp(r[i], -most, most);
	return false;
}

/* 0 or 1 a bit, the highest of a byte first. */
void
unpack_bits(const std::uint8_t *bytes, std::size_t n, float *out) noexcept
{
	std::size_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (std::size_t j = 0; j < 8; j++)
			out[i + j] = static_cast<float>(bytes[i / 8] >> (7 - j) & 1);
	for (; i < n; i++)
		out[i] = static_cast<float>(bytes[i / 8] >> (7 - i % 8) & 1);
}

}  // namespace

void
to_code_space(const CodeSpace &space, const float *v, float *out, double *norm) noexcept
{
	const std::size_t n = space.dimensions;
	if (distance::of_bits(space.metric))
	{
		unpack_bits(row_bytes(v), n, out);
		v = out;
	}
	const bool cosine = space.metric == Metric::cosine || space.metric == Metric::jaccard;
	if (cosine || norm != nullptr)
	{
		double norm2 = 0;
		for (std::size_t i = 0; i < n; i++)
			norm2 += static_cast<double>(v[i]) * v[i];
		double length = std::sqrt(norm2);
		if (norm != nullptr)
			*norm = length;
		if (cosine)
		{
			for (std::size_t i = 0; i < n; i++)
				out[i] = length > 0 ? static_cast<float>(v[i] / length) : 0.0f;
			v = out;
		}
	}
	if (space.mean != nullptr)
		for (std::size_t i = 0; i < n; i++)
			out[i] = v[i] - space.mean[i];
	else if (v != out)
		std::memcpy(out, v, n * sizeof(float));
	for (std::size_t i = n; i < space.code_dims; i++)
		out[i] = 0;
	if (space.rotation.signs != nullptr)
		quantizer::rotate(space.rotation, out);
}

void
encode_row(const ListCodec &codec, const float *centre, bool own_table, const float *v, const float *x, RowTid tid,
		   CodedRow &out, float *scratch) noexcept
{
	const IvfShape &shape = codec.shape;
	const std::size_t n = shape.code_dims;
	const bool absolute = codec.space.metric == Metric::l1;
	float *r = scratch, *decoded = scratch + n;
	out.add = out.mul = 0;
	const bool relative = shape.codes != Codes::none || (shape.slots >= Slots::sq4 && shape.slots <= Slots::half);
	const bool exact = !relative || subtract(x, centre, n, r);

	if (shape.codes == Codes::sign)
	{
		Sums s = sign_sums_fast(centre, x, n, shape.sign_dims, own_table, out.codes);
		if (!trustworthy(s.squares) || !std::isfinite(s.product) || !std::isfinite(s.offset))
			s = sign_sums(r, own_table ? nullptr : centre, n, shape.sign_dims, out.codes);
		set_factors(codec.space.metric, s, out);
	}

	else if (shape.codes != Codes::none)
	{
		Sums s;
		for (std::size_t i = 0; i < n; i++)
		{
			s.squares += static_cast<double>(r[i]) * r[i];
			s.product += own_table ? 0.0 : static_cast<double>(r[i]) * centre[i];
		}
		if (codec.books.vectors != nullptr)
		{
			double of[3];
			quantizer::product_encode(codec.books, r, out.codes);
			quantizer::product_sums(codec.books, out.codes, r, own_table ? nullptr : centre, of);
			s.agreement = of[0];
			s.offset = of[1];
		}
		else  // an index that has no codebooks yet
			std::memset(out.codes, 0, shape.segments);
		set_factors(codec.space.metric, s, out);
	}

	if (shape.slots == Slots::none)
		return;
	SlotHeader slot = {};
	slot.scale = 1;
	slot.tid = tid;
	std::uint8_t *payload = out.slot + sizeof slot;
	/* What is left between payload and end counts in the checksum. */
	std::memset(out.slot + shape.slot_bytes - 4, 0, 4);
	double refined = 0;
	switch (shape.slots)
	{
		case Slots::none: break;
		case Slots::sq4: encode_sq4(r, n, decoded, slot, payload); break;
		case Slots::sq8: refined = encode_sq8(r, n, absolute, decoded, slot, payload); break;
		case Slots::half: encode_halves(r, n, absolute, decoded, slot, payload); break;
		case Slots::float32: encode_floats(v, shape.dimensions, slot, payload); break;
		case Slots::bits:
			std::memset(payload, 0, shape.slot_bytes - sizeof slot);
			std::memcpy(payload, v, (shape.dimensions + 7) / 8);
			break;
	}
	if (relative)
	{
		/* r is rounded, half a unit an element. */
		double rounded = 0x1.01p-24 * size_of(r, n, absolute) + static_cast<double>(n) * 1e-45;
		/* Of a constant residual the further bits tell nothing and cost a little. */
		slot.error = exact ? round_up(std::max(static_cast<double>(slot.error), refined) + rounded)
						   : std::numeric_limits<float>::infinity();
		double share = std::ceil((refined + rounded) / static_cast<double>(slot.error) * 65535);
		slot.refined = share < 65535 ? static_cast<std::uint16_t>(share) : std::uint16_t{65535};
	}
	if (shape.slots == Slots::sq4 || shape.slots == Slots::sq8 || shape.slots == Slots::half)
	{
		const distance::Kernels &k = distance::kernels();
		if (shape.slots == Slots::sq4)
		{
			std::memcpy(out.slot, &slot, sizeof slot);
			decode_slot(shape, out.slot, decoded);
		}
		/* Where this overflows, so does whatever it is used for. */
		slot.centre_product = k.inner_product(centre, decoded, n);
	}
	finish_slot(shape, slot, out.slot);
}

void
encode_centre(const IvfShape &directory, const float *centre, RowTid head, CodedRow &out, float *scratch) noexcept
{
	const std::size_t n = directory.code_dims;
	std::fill_n(scratch, n, 0.0f);
	Sums s = sign_sums_fast(scratch, centre, n, directory.sign_dims, true, out.codes);
	if (!trustworthy(s.squares))
		s = sign_sums(centre, nullptr, n, directory.sign_dims, out.codes);
	set_factors(Metric::l2, s, out);
	SlotHeader slot = {};
	slot.scale = 1;
	slot.tid = head;
	std::memset(out.slot + directory.slot_bytes - 4, 0, 4);
	encode_floats(centre, n, slot, out.slot + sizeof slot);
	finish_slot(directory, slot, out.slot);
}

namespace
{

/* The factors of a block's lanes and their scale. */
struct FactorPlane
{
	float &scale;
	std::uint16_t *halves;

	static constexpr float kLeastNormal = 0x1p-14f;
	/* The greatest magnitude is put here: halves reach 2^6 times higher, and 2^23 times lower before they lose digits. */
	static constexpr int kExponent = 10;

	float
	get(std::uint32_t lane) const noexcept
	{
		return scale * half_to_float(halves[lane]);
	}

	/* x into a lane; live: mask of the others. */
	void
	put(std::uint32_t lane, std::uint32_t live, float x) const noexcept
	{
		float magnitude = std::fabs(x);
		bool fits = scale > 0 && magnitude <= kGreatestHalf * scale;
		if (live == 0 || !fits || magnitude < kLeastNormal * scale)
		{
			float most = magnitude;
			for (std::uint32_t rest = live; rest != 0; rest &= rest - 1)
				most = std::max(most, std::fabs(get(static_cast<std::uint32_t>(__builtin_ctz(rest)))));
			/* Small ones among greater: another scale would not help the sum that they are added to. */
			if (live == 0 || !fits || most < 0x1p4f * scale)
				rescale(live, most);
		}
		halves[lane] = half_from_float(x / scale);
	}

	void
	rescale(std::uint32_t live, float most) const noexcept
	{
		int exponent = 0;
		if (!(most <= static_cast<float>(kGreatest)))
			most = static_cast<float>(kGreatest);  // of a damaged page
		std::frexp(most, &exponent);
		float wanted = most > 0 ? std::ldexp(1.0f, std::clamp(exponent - kExponent, -126, 118)) : 1.0f;
		if (wanted == scale)
			return;
		for (std::uint32_t rest = live; rest != 0; rest &= rest - 1)
		{
			auto lane = static_cast<std::uint32_t>(__builtin_ctz(rest));
			halves[lane] = half_from_float(get(lane) / wanted);
		}
		scale = wanted;
	}
};

}  // namespace

void
put_lane(const IvfShape &shape, std::uint8_t *block, std::uint32_t lane, const CodedRow &row, RowTid tid) noexcept
{
	BlockHeader *header = block_header(block);
	const std::uint32_t bit = 1u << lane, others = header->live & ~bit;
	std::memcpy(block + shape.tids_offset + lane * sizeof tid, &tid, sizeof tid);
	if (shape.codes != Codes::none)
	{
		FactorPlane{header->add_scale, header->add}.put(lane, others, row.add);
		FactorPlane{header->mul_scale, header->mul}.put(lane, others, row.mul);
		std::uint8_t *codes = block + shape.codes_offset;
		if (shape.codes == Codes::pq8)
			for (std::uint32_t s = 0; s < shape.segments; s++)
				codes[s * kLanes + lane] = row.codes[s];
		else
		{
			const unsigned shift = lane / 16 * 4;
			codes += lane % 16;
			for (std::uint32_t s = 0; s < shape.segments; s++, codes += 16)
				*codes = static_cast<std::uint8_t>((*codes & ~(15u << shift)) | (row.codes[s] & 15u) << shift);
		}
	}
	header->live = others | bit;
}

std::uint32_t
slot_crc(const IvfShape &shape, const std::uint8_t *slot) noexcept
{
	constexpr std::size_t kAt = offsetof(SlotHeader, crc), kBehind = kAt + sizeof(SlotHeader::crc);
	constexpr std::uint8_t kZeros[sizeof(SlotHeader::crc)] = {};
	const distance::Kernels &k = distance::kernels();
	std::uint32_t crc = k.crc32c(0xffffffffu, slot, kAt);
	crc = k.crc32c(crc, kZeros, sizeof kZeros);
	return ~k.crc32c(crc, slot + kBehind, shape.slot_bytes - kBehind);
}

void
decode_slot(const IvfShape &shape, const std::uint8_t *slot, float *residual) noexcept
{
	const distance::Kernels &k = distance::kernels();
	SlotHeader header;
	std::memcpy(&header, slot, sizeof header);
	const std::uint8_t *payload = slot + sizeof header;
	const std::size_t n = shape.code_dims;
	if (shape.slots == Slots::sq8)
	{
		k.decode(payload, nullptr, header.scale, header.bias, n, residual);
		const std::uint8_t *bits = payload + n;
		for (std::size_t i = 0; i < n; i += 4)
			for (std::size_t j = 0; j < 4; j++)
				residual[i + j] += header.scale * kPart[bits[i / 4] >> 2 * j & 3];
	}
	else if (shape.slots == Slots::half)
	{
		k.f16_to_f32(reinterpret_cast<const std::uint16_t *>(payload), residual, n);
		for (std::size_t i = 0; i < n; i++)
			residual[i] *= header.scale;
	}
	else if (shape.slots == Slots::sq4)
	{
		/* About the middle: without a fused multiply-add scale * code alone could overflow. */
		const auto middle = static_cast<float>(header.bias + 7.5 * header.scale);
		for (std::size_t i = 0; i < n; i++)
			residual[i] = middle + header.scale * (static_cast<float>(payload[i / 2] >> i % 2 * 4 & 15) - 7.5f);
	}
	else
		std::fill_n(residual, n, 0.0f);
}

float
decoded_error(const IvfShape &shape, const std::uint8_t *slot) noexcept
{
	SlotHeader header;
	std::memcpy(&header, slot, sizeof header);
	if (shape.slots != Slots::sq8)
		return header.error;
	return round_up(static_cast<double>(header.error) * header.refined / 65535);
}

}  // namespace vecdb::core::lists
