/* SPDX-License-Identifier: PostgreSQL
 * Making the bytes of a node's lanes.
 *
 * Regime: shell.
 * Locks:  none held here; neighbours are copied one share-locked page at a time.
 * A neighbour's code is relative to the decoded code of the node that holds the lane, so it depends on nothing but the two codes.
 * A neighbour that is gone gets a code of zeros: its estimate is the node's own distance, and a visit finds it gone.
 */
#include "hnsw/lanes.hpp"

#include <cmath>

#include "vecdb/quantizer/scalar.hpp"
#include "vecdb/quantizer/sign_codes.hpp"

namespace vecdb::hnsw
{

using core::graph::CodeView;
using core::quantizer::kBlockLanes;

LaneImage *
make_lane_image(const IndexState *state)
{
	const HnswShape &shape = state->shape;
	auto *image = static_cast<LaneImage *>(palloc0(sizeof(LaneImage)));
	image->bytes = static_cast<uint8 *>(palloc0(shape.lanes_bytes));
	if (shape.blocks == 0)
		return image;
	image->node = static_cast<float *>(palloc(shape.code_dims * sizeof(float)));
	image->neighbor = static_cast<float *>(palloc(shape.code_dims * sizeof(float)));
	image->add = static_cast<float *>(palloc0(shape.blocks * kBlockLanes * sizeof(float)));
	image->mul = static_cast<float *>(palloc0(shape.blocks * kBlockLanes * sizeof(float)));
	allocate_code(shape, CurrentMemoryContext, image->copy);
	image->copy.lanes = nullptr;
	return image;
}

static uint8 *
image_block(const HnswShape &shape, LaneImage *image, uint32 block)
{
	return image->bytes + (shape.block_offset - shape.lanes_offset) + block * shape.block_bytes;
}

void
clear_image(const IndexState *state, LaneImage *image)
{
	const HnswShape &shape = state->shape;
	image->count = 0;
	image->add_exponent = image->mul_exponent = 0;
	memset(image->bytes, 0, shape.lanes_bytes);
	if (shape.blocks == 0)
		return;
	memset(image->add, 0, shape.blocks * kBlockLanes * sizeof(float));
	memset(image->mul, 0, shape.blocks * kBlockLanes * sizeof(float));
}

static void
decode(const IndexState *state, const CodeView &view, float *out)
{
	core::quantizer::Sq8 sq8{view.scale, view.bias, view.norm2, 0, 0};
	core::quantizer::sq8_decode(sq8, view.code, nullptr, state->shape.code_dims, out);
}

/* Lane image->count; image->node must hold the node decoded. */
static void
add_lane(const IndexState *state, uint32 id, const CodeView *code, LaneImage *image)
{
	const HnswShape &shape = state->shape;
	uint32 lane = image->count++;
	memcpy(image->bytes + lane * sizeof(uint32), &id, sizeof id);
	if (shape.blocks == 0)
		return;
	const float *neighbor = image->node;
	if (code != nullptr)
	{
		decode(state, *code, image->neighbor);
		neighbor = image->neighbor;
	}
	uint8 *codes = image_block(shape, image, lane / kBlockLanes) + 4 * kBlockLanes;
	core::quantizer::SignFactors factors = core::quantizer::encode_lane(
		state->metric, image->node, neighbor, shape.code_dims, shape.sign_dims, codes, lane % kBlockLanes);
	image->add[lane] = factors.add;
	image->mul[lane] = factors.mul;
}

int8
factor_exponent(float most)
{
	if (!(most > 0))
		return 0;
	int exponent = std::ilogb(most) - 14;
	return static_cast<int8>(exponent < -100 ? -100 : exponent > 112 ? 112 : exponent);
}

static int8
common_exponent(const float *values, uint32 n)
{
	float most = 0;
	for (uint32 i = 0; i < n; i++)
		most = std::fmax(most, std::fabs(values[i]));
	return factor_exponent(most);
}

/* Factors as f16 with one power of two for all. */
static void
pack_factors(const IndexState *state, LaneImage *image)
{
	const HnswShape &shape = state->shape;
	if (shape.blocks == 0)
		return;
	uint32 n = shape.blocks * kBlockLanes;
	image->add_exponent = common_exponent(image->add, image->count);
	image->mul_exponent = common_exponent(image->mul, image->count);
	float add_scale = 1 / factor_scale(image->add_exponent), mul_scale = 1 / factor_scale(image->mul_exponent);
	const core::distance::Kernels &k = core::distance::kernels();
	for (uint32 first = 0; first < n; first += kBlockLanes)
	{
		float add[kBlockLanes], mul[kBlockLanes];
		for (uint32 i = 0; i < kBlockLanes; i++)
		{
			add[i] = image->add[first + i] * add_scale;
			mul[i] = image->mul[first + i] * mul_scale;
		}
		auto *factors = reinterpret_cast<uint16 *>(image_block(shape, image, first / kBlockLanes));
		k.f32_to_f16(add, factors, kBlockLanes);
		k.f32_to_f16(mul, factors + kBlockLanes, kBlockLanes);
	}
}

void
fill_image(PageStore &store, const CodeView &node, const uint32 *ids, uint32 count, LaneImage *image)
{
	const IndexState *state = store.state;
	clear_image(state, image);
	if (state->shape.blocks != 0)
		decode(state, node, image->node);
	for (uint32 i = 0; i < count; i++)
	{
		if (state->shape.blocks == 0 || !store.load(ids[i], image->copy))
			add_lane(state, ids[i], nullptr, image);
		else
		{
			CodeView view = image->copy.view();
			add_lane(state, ids[i], &view, image);
		}
	}
	pack_factors(state, image);
}

void
fill_image_from(const IndexState *state, const CodeView &node, const uint32 *ids, const CodeView *codes, uint32 count,
				LaneImage *image)
{
	clear_image(state, image);
	if (state->shape.blocks != 0)
		decode(state, node, image->node);
	for (uint32 i = 0; i < count; i++)
		add_lane(state, ids[i], &codes[i], image);
	pack_factors(state, image);
}

void
append_image(PageStore &store, NodeHeader *slot, const CodeView &node, uint32 id, LaneImage *image)
{
	const IndexState *state = store.state;
	const HnswShape &shape = state->shape;
	image->count = slot->lane_count;
	memcpy(image->bytes, slot_lanes(slot, shape), shape.lanes_bytes);
	if (shape.blocks != 0)
	{
		float add_scale = factor_scale(slot->add_exponent), mul_scale = factor_scale(slot->mul_exponent);
		const core::distance::Kernels &k = core::distance::kernels();
		for (uint32 first = 0; first < shape.blocks * kBlockLanes; first += kBlockLanes)
		{
			auto *factors = reinterpret_cast<uint16 *>(image_block(shape, image, first / kBlockLanes));
			k.f16_to_f32(factors, image->add + first, kBlockLanes);
			k.f16_to_f32(factors + kBlockLanes, image->mul + first, kBlockLanes);
			for (uint32 i = first; i < first + kBlockLanes; i++)
			{
				image->add[i] *= add_scale;
				image->mul[i] *= mul_scale;
			}
		}
		decode(state, node, image->node);
		if (store.load(id, image->copy))
		{
			CodeView neighbor = image->copy.view();
			add_lane(state, id, &neighbor, image);
		}
		else
			add_lane(state, id, nullptr, image);
	}
	else
		add_lane(state, id, nullptr, image);
	pack_factors(state, image);
}

void
put_lanes(NodeHeader *slot, const HnswShape &shape, const LaneImage *image)
{
	memcpy(slot_lanes(slot, shape), image->bytes, shape.lanes_bytes);
	slot->lane_count = static_cast<uint8>(image->count);
	slot->add_exponent = image->add_exponent;
	slot->mul_exponent = image->mul_exponent;
}

}  // namespace vecdb::hnsw
