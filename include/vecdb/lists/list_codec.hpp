/* SPDX-License-Identifier: PostgreSQL
 * How a row becomes a lane of a block and a slot: code space, residual to the list's centre, codes, factors.
 *
 * Regime: core. No allocation: memory of the caller. Layout of blocks and slots: layout/ivf_page.hpp.
 * Code space: v scaled to unit length (cosine), less the mean, padded with zeros to D, rotated (not for L1 and bits).
 * A code stands for a direction y of the residual r = v - c (sign: y_i = +-1 of the first sign_dims; pq: the codebooks'
 * vectors), and with u = c (u = 0 where the list has kListOwnTable), L = |r|, rho = L^2 / <y, r>, tau = <y, u>:
 *   squared L2, cosine:  add = L^2 + 2 rho tau,    mul = -2 rho,   estimate of |q - v|^2 = add + |q - c|^2 + mul e
 *   inner product:       add = rho tau - <r, u>,   mul = -rho,     estimate of -<q, v>   = add - <q, c> + mul e
 * where e = <y, q - (c - u)> is what the scan computes (own table: of q - c for L2 and cosine, of q for inner product).
 * Source: RaBitQ (Gao, Long 2024) for the estimate; the same correction serves product codes.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/distance/metric.hpp"
#include "vecdb/layout/ivf_page.hpp"
#include "vecdb/quantizer/product.hpp"
#include "vecdb/quantizer/rotation.hpp"

namespace vecdb::core::lists
{

using distance::Metric;
using layout::IvfShape;
using layout::RowTid;
using quantizer::Codebooks;

struct CodeSpace
{
	Metric metric;
	std::uint32_t dimensions;      // d
	std::uint32_t code_dims;       // D
	quantizer::Rotation rotation;  // signs == null: not rotated
	const float *mean;             // d floats, or null: zero
	double mean_norm;
};

/* v: d floats; out: D floats, may be v's own memory if that has D. norm: Euclidean norm of v, or null. */
void to_code_space(const CodeSpace &space, const float *v, float *out, double *norm) noexcept;

struct ListCodec
{
	CodeSpace space;
	IvfShape shape;
	Codebooks books;  // Codes::pq4, pq8
};

/* A row coded for one list: what put_lane writes. */
struct CodedRow
{
	float add, mul;       // 0 without codes
	std::uint8_t *codes;  // shape.segments bytes: a nibble or a byte a segment
	std::uint8_t *slot;   // shape.slot_bytes: SlotHeader (tid set, crc set) and payload
};

/*
 * Codes a row for the list with that centre (D floats, code space). v: the row, d floats, unit length for cosine (used by
 * Slots::float32 alone; may be null else); x: the row in code space, D floats. scratch: 2 D floats.
 * The slot's error is a hard bound in double, rounded up. Any finite input gives finite factors.
 */
void encode_row(const ListCodec &codec, const float *centre, bool own_table, const float *v, const float *x, RowTid tid,
				CodedRow &out, float *scratch) noexcept;

/* Writes a lane's TID, factors and codes, and sets its live bit. Factors that the block's scales cannot hold make it rescale
 * all its lanes. block: the first byte of a block. Lanes that are not live do not count. */
void put_lane(const IvfShape &shape, std::uint8_t *block, std::uint32_t lane, const CodedRow &row, RowTid tid) noexcept;

/* The same for the directory: a centre (D floats) as a row of it. */
void encode_centre(const IvfShape &directory, const float *centre, RowTid head, CodedRow &out, float *scratch) noexcept;

inline layout::BlockHeader *
block_header(std::uint8_t *block) noexcept
{
	return reinterpret_cast<layout::BlockHeader *>(block);
}

inline const layout::BlockHeader *
block_header(const std::uint8_t *block) noexcept
{
	return reinterpret_cast<const layout::BlockHeader *>(block);
}

inline const RowTid *
block_tids(const IvfShape &shape, const std::uint8_t *block) noexcept
{
	return reinterpret_cast<const RowTid *>(block + shape.tids_offset);
}

/* CRC-32C of a slot, its own field taken as 0. */
std::uint32_t slot_crc(const IvfShape &shape, const std::uint8_t *slot) noexcept;

/* The residual that a slot stands for, D floats (not Slots::float32, bits). */
void decode_slot(const IvfShape &shape, const std::uint8_t *slot, float *residual) noexcept;

}  // namespace vecdb::core::lists
