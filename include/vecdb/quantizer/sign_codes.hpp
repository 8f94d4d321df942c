/* SPDX-License-Identifier: PostgreSQL
 * One-bit codes of a node's neighbours, and the table with which a query scans 32 of them at once.
 *
 * Regime: core.
 * On disk: a block holds 32 lanes. Every four dimensions are a segment of 16 bytes; byte k holds lane k in its
 *         low nibble and lane 16 + k in the high one; bit j of a nibble is 1 where dimension 4 * segment + j of
 *         the neighbour is not below that of the node.
 * Keeps:  any bytes are a valid block, so a damaged page gives wrong estimates and nothing worse.
 * Source: RaBitQ (Gao, Long 2024) for the estimate, relative to the node as in SymphonyQG (Gou et al. 2025);
 *         the scan is that of Quick(er) ADC (André, Kermarrec, Le Scouarnec 2015, 2019).
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/distance/metric.hpp"

namespace vecdb::core::quantizer
{

/* Lanes of a block: neighbours are coded 32 at a time. Everywhere here dims is a multiple of 16. */
constexpr std::uint32_t kBlockLanes = 32;

inline std::size_t
sign_block_bytes(std::size_t dims) noexcept
{
	return dims / 4 * 16;
}

/* Estimate of the graph distance of query q to the neighbour = add + g + mul * e, where e is the scan's result
 * and g the graph distance of q to the node: squared L2 (also for cosine), or the negative inner product. */
struct SignFactors
{
	float add;
	float mul;
};

/*
 * Codes neighbour v relative to node u (both decoded and rotated, n floats, n a multiple of 16 and >= dims) into
 * a lane of the block at codes, and leaves the other lanes alone. With r = v - u, L = |r|, s_i = sign(r_i) and
 * i < dims: A = sum |r_i|, rho = L^2 / A, tau = sum s_i u_i,
 *   squared L2:     add = L^2 + 2 rho tau,      mul = -2 rho
 *   inner product:  add = rho tau - <r, u>,     mul = -rho
 * Where the codes say nothing (A = 0) mul is 0 and add the best guess without them: L^2 and -<r, u>. Always
 * finite: what would be beyond 3e38 is so far for L2, and as near as the node for inner products.
 */
SignFactors encode_lane(distance::Metric metric, const float *u, const float *v, std::size_t n, std::size_t dims,
						std::uint8_t *codes, std::uint32_t lane) noexcept;

/* All bits of a lane to 0. */
void clear_lane(std::uint8_t *codes, std::size_t dims, std::uint32_t lane) noexcept;

/* Copies lane `from` of one block to lane `to` of another, or of the same. */
void copy_lane(const std::uint8_t *source, std::uint32_t from, std::uint8_t *target, std::uint32_t to,
			   std::size_t dims) noexcept;

inline void
move_lane(std::uint8_t *codes, std::size_t dims, std::uint32_t from, std::uint32_t to) noexcept
{
	copy_lane(codes, from, codes, to, dims);
}

/* A query as Kernels::fast_scan wants it: sum s_i q_i ~ step * (sum of one table entry a segment) + bias. */
struct SignQuery
{
	const std::uint8_t *lut;
	float step;
	float bias;
	std::size_t segments;
};

inline std::size_t
sign_lut_bytes(std::size_t dims) noexcept
{
	return dims / 4 * 16 + 64;
}

/*
 * q: rotated query, dims floats used, dims <= 65536. lut: sign_lut_bytes(dims), any alignment. Keeps what fast_scan asks for: no
 * entry above 127, and one entry a segment sums to less than 65000. step and bias are finite; where sum |q_i| is
 * not, they and the table are 0. scratch is not used and may be null.
 */
SignQuery sign_query(const float *q, std::size_t dims, std::uint8_t *lut, float *scratch = nullptr) noexcept;

}  // namespace vecdb::core::quantizer
