/* SPDX-License-Identifier: PostgreSQL
 * The neighbourhood rule over the lanes of a slot.
 *
 * Regime: shell.
 * With r_i = v_i - u for the vector v_i of lane i and u of the node: the angle of r_i and r_j is pi times the share of signs in
 * which they differ. Squared L2: |v_i - v_j|^2 = |r_i|^2 + |r_j|^2 - 2 <r_i, r_j>; inner product: -<v_i, v_j> = d_i + d_j + |u|^2 - <r_i, r_j>.
 */
#include "hnsw/slot_prune.hpp"

#include <algorithm>
#include <cmath>

namespace vecdb::hnsw
{

using core::graph::CodeView;
using core::quantizer::kBlockLanes;

static constexpr float kFar = 3e38f;
/* Factors of f16 outside of this would lose their precision: all are packed anew then. */
static constexpr float kMostFactor = 65000.0f;
static constexpr float kLeastFactor = 0.0625f;

SlotPruner *
make_slot_pruner(const IndexState *state)
{
	const HnswShape &shape = state->shape;
	if (shape.blocks == 0)
		return nullptr;
	auto *p = static_cast<SlotPruner *>(palloc0(sizeof(SlotPruner)));
	uint32 lanes = shape.blocks * kBlockLanes + 1;
	p->words = (shape.sign_dims + 63) / 64;
	p->rows = static_cast<uint64 *>(palloc0(static_cast<Size>(lanes + kBlockLanes) * p->words * sizeof(uint64)));
	p->cosines = static_cast<float *>(palloc((shape.sign_dims + 1) * sizeof(float)));
	for (uint32 i = 0; i <= shape.sign_dims; i++)
		p->cosines[i] = static_cast<float>(std::cos(M_PI * i / shape.sign_dims));
	p->node = static_cast<float *>(palloc(2 * shape.code_dims * sizeof(float)));
	p->signs = static_cast<uint8 *>(palloc0(shape.block_bytes));
	p->lane = static_cast<uint32 *>(palloc(lanes * sizeof(uint32)));
	p->distance = static_cast<float *>(palloc(lanes * sizeof(float)));
	p->length = static_cast<float *>(palloc(lanes * sizeof(float)));
	p->stays = static_cast<bool *>(palloc(lanes * sizeof(bool)));
	p->shadow = static_cast<uint32 *>(palloc(lanes * sizeof(uint32)));
	return p;
}

static uint8 *
block_of_lane(NodeHeader *slot, const HnswShape &shape, uint32 lane)
{
	return reinterpret_cast<uint8 *>(slot) + shape.block_offset + lane / kBlockLanes * shape.block_bytes;
}

static void
decode(const IndexState *state, const CodeView &view, float *out)
{
	core::quantizer::Sq8 sq8{view.scale, view.bias, view.norm2, 0, 0};
	core::quantizer::sq8_decode(sq8, view.code, nullptr, state->shape.code_dims, out);
}

/* The signs of the 32 lanes of a block as rows. */
static void
read_rows(const uint8 *codes, uint32 segments, uint32 words, uint64 *rows)
{
	for (uint32 word = 0; word < words; word++)
	{
		uint64 sums[kBlockLanes] = {};
		uint32 end = segments - word * 16 < 16 ? segments - word * 16 : 16;
		for (uint32 s = 0; s < end; s++)
		{
			const uint8 *segment = codes + (word * 16 + s) * 16;
			for (uint32 k = 0; k < 16; k++)
			{
				sums[k] |= static_cast<uint64>(segment[k] & 15u) << 4 * s;
				sums[16 + k] |= static_cast<uint64>(segment[k] >> 4) << 4 * s;
			}
		}
		for (uint32 k = 0; k < kBlockLanes; k++)
			rows[k * words + word] = sums[k];
	}
}

/* How many bits each of the rows differs from one in. */
__attribute__((target_clones("popcnt", "default"))) static void
differing(const uint64 *rows, uint32 words, const uint32 *which, uint32 n, const uint64 *one, uint32 *out)
{
	for (uint32 i = 0; i < n; i++)
	{
		const uint64 *row = rows + which[i] * words;
		int sum = 0;
		for (uint32 w = 0; w < words; w++)
			sum += __builtin_popcountll(row[w] ^ one[w]);
		out[i] = static_cast<uint32>(sum);
	}
}

/* Squared distances (inner product: the negative product) of the slot's lanes to the node, and the lengths of r. */
static void
read_lengths(const IndexState *state, NodeHeader *slot, const float *node, float norm2, float *distance, float *length)
{
	const HnswShape &shape = state->shape;
	const core::distance::Kernels &k = core::distance::kernels();
	bool inner_product = state->metric == Metric::inner_product;
	uint8 lut[4 * core::layout::kPageBytes];
	core::quantizer::SignQuery self = core::quantizer::sign_query(node, shape.sign_dims, lut);
	float add_scale = factor_scale(slot->add_exponent), mul_scale = factor_scale(slot->mul_exponent);
	/* The sum of |r| over the signs is about this many times |r|. */
	float share = std::sqrt(2 / static_cast<float>(M_PI)) * static_cast<float>(shape.sign_dims) /
				  std::sqrt(static_cast<float>(shape.dimensions));
	for (uint32 first = 0; first < slot->lane_count; first += kBlockLanes)
	{
		const uint8 *block = block_of_lane(slot, shape, first);
		const auto *factors = reinterpret_cast<const uint16 *>(block);
		k.fast_scan(block + 4 * kBlockLanes, self.lut, self.segments, factors, factors + kBlockLanes, add_scale,
					mul_scale, inner_product ? -norm2 : 0, self.step, self.bias, kFar, distance + first);
		if (inner_product)
		{
			float mul[kBlockLanes];
			k.f16_to_f32(factors + kBlockLanes, mul, kBlockLanes);
			for (uint32 i = 0; i < kBlockLanes; i++)
				length[first + i] = std::fabs(mul[i]) * mul_scale * share;
		}
		else
			for (uint32 i = 0; i < kBlockLanes; i++)
				length[first + i] = std::sqrt(distance[first + i] > 0 ? distance[first + i] : 0);
	}
}

void
prune_slot(const IndexState *state, SlotPruner *p, NodeHeader *slot, const CodeView &view, const LaneTarget &target,
		   uint32 limit, float alpha)
{
	const HnswShape &shape = state->shape;
	const core::distance::Kernels &k = core::distance::kernels();
	bool inner_product = state->metric == Metric::inner_product;
	uint32 lanes = slot->lane_count, n = lanes + 1, words = p->words;
	float distance[8 * kBlockLanes + 1], length[8 * kBlockLanes + 1];
	decode(state, view, p->node);
	read_lengths(state, slot, p->node, view.norm2, distance, length);
	for (uint32 first = 0; first < lanes; first += kBlockLanes)
		read_rows(block_of_lane(slot, shape, first) + 4 * kBlockLanes, shape.sign_dims / 4, words,
				  p->rows + first * words);
	/* The target as one more lane. */
	float *neighbor = p->node + shape.code_dims;
	decode(state, target.code, neighbor);
	core::quantizer::encode_lane(state->metric, p->node, neighbor, shape.code_dims, shape.sign_dims, p->signs, 0);
	uint64 row[kBlockLanes * ((core::layout::kPageBytes + 63) / 64)];
	read_rows(p->signs, shape.sign_dims / 4, words, row);
	memcpy(p->rows + lanes * words, row, words * sizeof(uint64));
	distance[lanes] = core::graph::code_distance(k, state->metric, view, target.code, shape.code_dims);
	float squares = 0;
	for (uint32 i = 0; i < shape.code_dims; i++)
		squares += (neighbor[i] - p->node[i]) * (neighbor[i] - p->node[i]);
	length[lanes] = std::sqrt(squares);
	float to_target[8 * kBlockLanes];
	if (target.signs != nullptr)
	{
		float add_scale = factor_scale(slot->add_exponent), mul_scale = factor_scale(slot->mul_exponent);
		for (uint32 first = 0; first < lanes; first += kBlockLanes)
		{
			const uint8 *block = block_of_lane(slot, shape, first);
			const auto *factors = reinterpret_cast<const uint16 *>(block);
			k.fast_scan(block + 4 * kBlockLanes, target.signs->lut, target.signs->segments, factors,
						factors + kBlockLanes, add_scale, mul_scale, distance[lanes], target.signs->step,
						target.signs->bias, kFar, to_target + first);
		}
	}

	for (uint32 i = 0; i < n; i++)
	{
		if (!(std::fabs(distance[i]) < kFar))  // damaged factors must not upset the sort
			distance[i] = kFar;
		if (!(length[i] < 1e19f))
			length[i] = 1e19f;
		p->lane[i] = i;
		p->stays[i] = true;
		p->shadow[i] = n;
	}
	std::sort(p->lane, p->lane + n, [&](uint32 a, uint32 b) noexcept {
		return distance[a] != distance[b] ? distance[a] < distance[b] : a < b;
	});
	for (uint32 i = 0; i < n; i++)
	{
		p->distance[i] = distance[p->lane[i]];
		p->length[i] = length[p->lane[i]];
	}
	p->count = n;
	uint32 kept = 0;
	uint32 differ[8 * kBlockLanes + 1];
	for (uint32 i = 0; i < n; i++)
	{
		if (!p->stays[i])
			continue;
		if (kept == limit)
		{
			p->stays[i] = false;
			continue;
		}
		kept++;
		uint32 a = p->lane[i];
		differing(p->rows, words, p->lane + i + 1, n - i - 1, p->rows + a * words, differ);
		for (uint32 j = i + 1; j < n; j++)
		{
			if (!p->stays[j])
				continue;
			uint32 b = p->lane[j];
			float between;
			if (target.signs != nullptr && (a == lanes || b == lanes))
				between = to_target[a == lanes ? b : a];
			else
			{
				float product = p->length[i] * p->length[j] * p->cosines[differ[j - i - 1]];
				between = inner_product ? p->distance[i] + p->distance[j] + view.norm2 - product
										: p->distance[i] + p->distance[j] - 2 * product;
			}
			if (alpha * between < p->distance[j])
			{
				p->stays[j] = false;
				p->shadow[j] = i;
			}
		}
	}
}

/* All factors of a kind anew, with the power of two that suits them. */
static int8
repack(const HnswShape &shape, NodeHeader *slot, uint32 count, uint32 kind, int8 exponent, uint32 lane, float value)
{
	const core::distance::Kernels &k = core::distance::kernels();
	float values[8 * kBlockLanes];
	float scale = factor_scale(exponent), most = 0;
	for (uint32 first = 0; first < count; first += kBlockLanes)
		k.f16_to_f32(reinterpret_cast<uint16 *>(block_of_lane(slot, shape, first)) + kind * kBlockLanes, values + first,
					 kBlockLanes);
	for (uint32 i = 0; i < count; i++)
	{
		values[i] = i == lane ? value : values[i] * scale;
		most = std::fmax(most, std::fabs(values[i]));
	}
	exponent = factor_exponent(most);
	scale = 1 / factor_scale(exponent);
	for (uint32 i = 0; i < count; i++)
		values[i] *= scale;
	for (uint32 first = 0; first < count; first += kBlockLanes)
		k.f32_to_f16(values + first, reinterpret_cast<uint16 *>(block_of_lane(slot, shape, first)) + kind * kBlockLanes,
					 count - first < kBlockLanes ? count - first : kBlockLanes);
	return exponent;
}

static int8
put_factor(const HnswShape &shape, NodeHeader *slot, uint32 kind, int8 exponent, uint32 lane, float value)
{
	float scaled = value / factor_scale(exponent);
	if (slot->lane_count <= 1 || !(std::fabs(scaled) < kMostFactor) ||
		(value != 0 && !(std::fabs(scaled) > kLeastFactor)))
		return repack(shape, slot, slot->lane_count, kind, exponent, lane, value);
	core::distance::kernels().f32_to_f16(
		&scaled, reinterpret_cast<uint16 *>(block_of_lane(slot, shape, lane)) + kind * kBlockLanes + lane % kBlockLanes,
		1);
	return exponent;
}

void
put_lane(const IndexState *state, SlotPruner *p, NodeHeader *slot, const CodeView &node, uint32 lane,
		 const LaneTarget &target)
{
	const HnswShape &shape = state->shape;
	decode(state, node, p->node);
	float *neighbor = p->node + shape.code_dims;
	decode(state, target.code, neighbor);
	core::quantizer::SignFactors factors =
		core::quantizer::encode_lane(state->metric, p->node, neighbor, shape.code_dims, shape.sign_dims,
									 block_of_lane(slot, shape, lane) + 4 * kBlockLanes, lane % kBlockLanes);
	slot_lanes(slot, shape)[lane] = target.id;
	if (lane >= slot->lane_count)
		slot->lane_count = static_cast<uint8>(lane + 1);
	slot->add_exponent = put_factor(shape, slot, 0, slot->add_exponent, lane, factors.add);
	slot->mul_exponent = put_factor(shape, slot, 1, slot->mul_exponent, lane, factors.mul);
}

static void
move_slot_lane(const HnswShape &shape, NodeHeader *slot, uint32 from, uint32 to)
{
	uint32 *ids = slot_lanes(slot, shape);
	ids[to] = ids[from];
	uint8 *source = block_of_lane(slot, shape, from), *goal = block_of_lane(slot, shape, to);
	for (uint32 kind = 0; kind < 2; kind++)
		reinterpret_cast<uint16 *>(goal)[kind * kBlockLanes + to % kBlockLanes] =
			reinterpret_cast<uint16 *>(source)[kind * kBlockLanes + from % kBlockLanes];
	core::quantizer::copy_lane(source + 4 * kBlockLanes, from % kBlockLanes, goal + 4 * kBlockLanes, to % kBlockLanes,
							   shape.sign_dims);
}

void
replace_lanes(const IndexState *state, SlotPruner *p, NodeHeader *slot, const CodeView &node, const bool *gone,
			  const LaneTarget *target)
{
	const HnswShape &shape = state->shape;
	uint32 end = slot->lane_count, place = end;
	for (uint32 lane = 0; lane < end; lane++)
	{
		if (!gone[lane])
			continue;
		if (target != nullptr && place >= end)
		{
			place = lane;
			continue;
		}
		while (end > lane + 1 && gone[end - 1])
			end--;
		if (--end > lane)
			move_slot_lane(shape, slot, end, lane);
	}
	slot->lane_count = static_cast<uint8>(end);
	if (target != nullptr)
		put_lane(state, p, slot, node, place < end ? place : end, *target);
}

}  // namespace vecdb::hnsw
