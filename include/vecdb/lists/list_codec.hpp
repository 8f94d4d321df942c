/* SPDX-License-Identifier: PostgreSQL
 * How a row becomes a lane of a block and a slot: code space, residual to the list's centre, codes, factors.
 *
 * Regime: core. No allocation: memory of the caller. Layout of blocks and slots: layout/ivf_page.hpp.
 * Code space: v scaled to unit length (cosine), less the mean, padded with zeros to D, rotated (not for L1). A bit string is
 * a vector of 0 and 1 (the first bit is the highest of the first byte), so that the Hamming distance is the squared L2
 * distance; for Jaccard it is scaled to unit length, since <a, b> then grows with what the two have in common.
 * A code stands for a direction y of the residual r = v - c (sign: y_i = +-1 of the first sign_dims; pq: the codebooks'
 * vectors), and with u = c (u = 0 where the list has kListOwnTable), L = |r|, rho = L^2 / <y, r>, tau = <y, u>:
 *   squared L2, cosine:  add = L^2 + 2 rho tau,    mul = -2 rho,   estimate of |q - v|^2 = add + |q - c|^2 + mul e
 *   inner product:       add = rho tau - <r, u>,   mul = -rho,     estimate of -<q, v>   = add - <q, c> + mul e
 * where e = <y, q - (c - u)> is what the scan computes (own table: of q - c for L2 and cosine, of q for inner product).
 * Source: RaBitQ (Gao, Long 2024) for the estimate; the same correction serves product codes.
 */
#pragma once

#include <cmath>
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

/* v: d floats; out: D floats, may be v's own memory if that has D. norm: Euclidean norm of v, or null.
 * Here and wherever else a row is handed over as it came: metrics of bits have its bytes at v, as_row(bytes). */
void to_code_space(const CodeSpace &space, const float *v, float *out, double *norm) noexcept;

inline const float *
as_row(const std::uint8_t *bytes) noexcept
{
	return reinterpret_cast<const float *>(bytes);
}

inline const std::uint8_t *
row_bytes(const float *v) noexcept
{
	return reinterpret_cast<const std::uint8_t *>(v);
}

struct ListCodec
{
	CodeSpace space;
	IvfShape shape;
	Codebooks books;  // Codes::pq4, pq8
	float deviation;  // C of deviation_of_e
	/* Of sketches that stand for longer rows: 1 / sqrt(D'), the deviation of products, relative to both norms; 0 else. */
	float folding;
};

/*
 * Is a list to have a table of its own? Where its centre is farther out than twice the spread of its rows (mean square distances), so that the
 * steps of the common table would be coarse for them.
 */
inline bool
wants_own_table(const IvfShape &shape, double centre_norm2, double residual2) noexcept
{
	constexpr double kFarOut = 2;
	return shape.codes != layout::Codes::none && centre_norm2 > kFarOut * kFarOut * residual2;
}

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

/*
 * How far estimates are off. With p the vector that e is taken of (q - (c - u): q - c with u = c, and with a table of the list's own for
 * L2 and cosine; q with such a table for the inner product), an estimate has no bias and the standard deviation
 *   |mul| * deviation_of_e(C, |p|, step and segments of the table),
 * so that estimate - 1.9 times that is a lower bound of what 97% of rows have. As mul <= 0 for every row, fast_scan and table_scan give these
 * lower bounds themselves when 1.9 deviation_of_e is added to their bias.
 * C: of sign codes sign_deviation(); of product codes what product_train has measured.
 * Derivation: e' = <y, p> - <y, r> <r, p> / L^2 is the product of the parts of y and p that are perpendicular to r. The rotation makes
 * their directions independent: mean 0, variance |y'|^2 |p'|^2 / (D - 1), |y'|^2 = |y|^2 - <y, r>^2 / L^2. For sign codes |y|^2 = D' (the dimensions
 * coded) and <y, r> / L is D' sqrt(2 / (pi D)) on average. |p'| <= |p|.
 */
inline float
sign_deviation(std::uint32_t sign_dims, std::uint32_t code_dims) noexcept
{
	constexpr double kTwoOverPi = 0.6366197723675814;
	double coded = sign_dims, all = code_dims;
	return static_cast<float>(std::sqrt(coded * (1 - kTwoOverPi * coded / all) / (all - 1)));
}

/* step, segments: of the table (SignQuery), whose rounding is one more error; step 0 for pq8. */
inline float
deviation_of_e(float deviation, float p_norm, float step, std::size_t segments) noexcept
{
	float drawn = deviation * p_norm;
	return std::sqrt(drawn * drawn + step * step * static_cast<float>(segments) / 12);
}

/* Standard deviation of the estimate of a row with that mul. */
inline float
estimate_error(float deviation_of_its_e, float mul) noexcept
{
	return deviation_of_its_e * std::fabs(mul);
}

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

/* The residual that a slot stands for, as exactly as it holds it: D floats (not Slots::float32, bits). */
void decode_slot(const IvfShape &shape, const std::uint8_t *slot, float *residual) noexcept;

/* Bounds the norm of what decode_slot's residual is off by. */
float decoded_error(const IvfShape &shape, const std::uint8_t *slot) noexcept;

}  // namespace vecdb::core::lists
