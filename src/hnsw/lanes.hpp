/* SPDX-License-Identifier: PostgreSQL
 * The lanes of a node as they lie in its slot: neighbour ids and, in layout fused, the neighbours' codes.
 *
 * Regime: shell.
 * An image is made in memory with no lock held (codes of neighbours are read from other pages) and put into the slot
 * under the lock, by a copy.
 */
#pragma once

#include "hnsw/store.hpp"

namespace vecdb::hnsw
{

struct LaneImage
{
	uint32 count;
	int8 add_exponent, mul_exponent;
	uint8 *bytes;  // shape.lanes_bytes, as at shape.lanes_offset of a slot
	/* Scratch of layout fused. */
	float *node, *neighbor;  // code_dims each, decoded
	float *add, *mul;        // factors of all lanes, unscaled
	NodeCopy copy;
};

/* In the current context. */
LaneImage *make_lane_image(const IndexState *state);

/* No lanes. */
void clear_image(const IndexState *state, LaneImage *image);

/* The lanes ids[0..count) of a node with that code; loads the neighbours' codes where the layout wants them. */
void fill_image(PageStore &store, const core::graph::CodeView &node, const uint32 *ids, uint32 count, LaneImage *image);

/* The same from codes at hand: codes[i] belongs to ids[i]. */
void fill_image_from(const IndexState *state, const core::graph::CodeView &node, const uint32 *ids,
					 const core::graph::CodeView *codes, uint32 count, LaneImage *image);

/* One more lane on those that slot (locked or a copy) holds; node: its code. */
void append_image(PageStore &store, NodeHeader *slot, const core::graph::CodeView &node, uint32 id, LaneImage *image);

/* Copies the image into a slot. */
void put_lanes(NodeHeader *slot, const HnswShape &shape, const LaneImage *image);

/* The least power of two that brings values up to this into the range of f16 with room to spare. */
int8 factor_exponent(float most);

/* The factors of one block of a slot as floats' scales: 2^exponent. */
inline float
factor_scale(int8 exponent)
{
	return exponent < -126 ? 0.0f : __builtin_ldexpf(1.0f, exponent);
}

}  // namespace vecdb::hnsw
