/* SPDX-License-Identifier: PostgreSQL
 * A query against lists: the table that scans blocks, bounds for 32 rows at a time, the distance to a slot.
 *
 * Regime: core. Plain data in memory of the caller, so that it may lie in frames that PostgreSQL jumps over.
 * Distances are graph distances (graph/code_distance.hpp): squared L2 (also for cosine, on unit vectors), the
 * negative inner product, or L1.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/base/memory.hpp"
#include "vecdb/graph/code_distance.hpp"
#include "vecdb/lists/list_codec.hpp"
#include "vecdb/quantizer/product.hpp"
#include "vecdb/quantizer/sign_codes.hpp"

namespace vecdb::core::lists
{

/* What a list's rows are compared with; diff is shared by all of them. */
struct ListView
{
	const float *diff;  // D floats: x - centre (inner product: x)
	float distance;     // of x to the centre: squared L2 or L1; for the inner product |x - centre|^2 too
	float offset;       // inner product: -<x, centre>; else 0
	double centre_norm;
	bool own_form;  // rows are compared with diff, not with x
};

struct Score
{
	float distance;
	float
		error;  // Euclidean (L2, cosine), of the product (inner product), of L1: half width of what the distance may be
	float squared_error;  // L2, cosine: of the distance as it stands here, besides
};

struct ListQuery
{
	const ListCodec *codec;
	const distance::Kernels *kernels;
	Metric metric;
	const float *v;  // d floats; unit length for cosine
	const float *x;  // code space, D floats
	double norm;     // of the operand, as the operator sees it
	double x_norm;
	quantizer::SignQuery table;  // of x
	std::uint8_t *lut;
	float *floats;          // the same for pq8
	graph::CodeQuery code;  // of x; slots of sq8 and sq4
	float eps;
	float *decoded;  // D floats
	bool
		other_rounding;  // the operator computes otherwise than the kernels of float32 (halves, integers); the caller's to set
	/* --- of the list that was opened last --- */
	ListView list_view;  // its diff is q.diff or x: keep a copy of the floats to come back to it
	quantizer::SignQuery list_table;
	const float *list_floats;
	float *diff;  // D floats
	std::uint8_t *own_lut;
	float *own_floats;
	float g;
	float bound_bias;  // added to the table's bias: estimates become lower bounds
	float shift;       // taken from g for the same end (inner products of sketches)
	/* --- what slots are compared with: list_view, or one that was kept --- */
	ListView view;
	std::int16_t *own_integers;
	graph::CodeQuery own_code;  // of view.diff, where view.own_form
	bool own_code_ready;
};

/* Bytes that init takes from memory are freed with the caller's context. v: d floats, any length. False: no memory. eps: width
 * of the bounds in standard deviations of the estimate. */
bool init_query(ListQuery &query, const ListCodec &codec, const float *v, float eps, Memory memory) noexcept;

/* Opens a list: centre D floats. */
void open_list(ListQuery &query, const float *centre, bool own_table) noexcept;

/* Goes back to a list that was open before, with its view: for score_slot and slot_interval, not for scan_block. */
void open_view(ListQuery &query, const ListView &view) noexcept;

/* lower[lane]: a bound (right with the probability that eps gives) of the graph distance of each lane; returns the lanes where it is below threshold.
 * Lanes that are not live may be among them. */
std::uint32_t scan_block(ListQuery &query, const std::uint8_t *block, float threshold, float *lower) noexcept;

/* What the codes of a row tell of its distance. */
struct Estimate
{
	float lower;
	float distance;
	float error;  // half width of what the distance may be
};

/*
 * Of a lane that scan_block gave that lower bound; mul: its factor. Of sketches the lower bound is less than scan_block's: what sketches lose
 * grows with the distance (quantizer/sparse_sketch.hpp), which the scan does not know yet.
 */
Estimate lane_estimate(const ListQuery &query, float lower, float mul) noexcept;

/* Graph distance to the row of a slot, integers where that is faster. slot: slot_bytes, sound or not. */
Score score_slot(ListQuery &query, const std::uint8_t *slot) noexcept;

/* Do the slots hold no more than estimates? Then neither a score nor an order by it is certain. */
inline bool
only_estimates(const IvfShape &shape) noexcept
{
	return shape.slots == layout::Slots::none || shape.slots == layout::Slots::sq4;
}

/* The interval that a score stands for, in the operator's units; not of estimates. */
graph::Interval score_interval(ListQuery &query, const Score &score) noexcept;

/* The same as tight as the slot allows. */
graph::Interval slot_interval(ListQuery &query, const std::uint8_t *slot) noexcept;

/* The greatest graph distance that a score stands for. */
float upper_bound(const ListQuery &query, const Score &score) noexcept;

/* Interval of a score of float32 elements: what the operator's kernel, or one that rounds otherwise, makes of it. */
graph::Interval exact_interval(const ListQuery &query, const Score &score) noexcept;

}  // namespace vecdb::core::lists
