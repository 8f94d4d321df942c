/* SPDX-License-Identifier: PostgreSQL
 * The code of a sparse row: its non-zeros in blocks, and what is computed on these.
 *
 * Regime: core. No allocation: memory of the caller.
 * On disk: a block is 16 uint32 indices (0-based, ascending through all blocks), then their 16 float32 values. The last block
 *         is filled up with index 0xFFFFFFFF and value 0, so any whole number of blocks can be scored as a part.
 * Keeps:  any bytes are safe to score, whatever their indices: a damaged page gives wrong distances and nothing worse.
 *         Code may lie at any address that is a multiple of four.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::quantizer
{

constexpr std::uint32_t kSparseEntries = 16;  // of a block
constexpr std::uint32_t kNoIndex = 0xFFFFFFFFu;

struct SparseBlock
{
	std::uint32_t index[kSparseEntries];
	float value[kSparseEntries];
};
constexpr std::uint32_t kSparseBlockBytes = 128;
static_assert(sizeof(SparseBlock) == kSparseBlockBytes);

/* Blocks of so many non-zeros: none has none. */
inline std::uint32_t
sparse_blocks(std::size_t count) noexcept
{
	return static_cast<std::uint32_t>((count + kSparseEntries - 1) / kSparseEntries);
}

inline const SparseBlock *
as_blocks(const std::uint8_t *code) noexcept
{
	return reinterpret_cast<const SparseBlock *>(code);
}

/* Indices ascending, any alignment of both. code: sparse_blocks(count) blocks, of values[i] / length (1: as they are). */
void sparse_encode(const std::int32_t *indices, const float *values, std::size_t count, double length,
				   std::uint8_t *code) noexcept;

/* Room for 16 of each a block. Returns how many there are. */
std::size_t sparse_decode(const std::uint8_t *code, std::size_t blocks, std::int32_t *indices, float *values) noexcept;

/* Entries that are no padding. */
std::size_t sparse_count(const std::uint8_t *code, std::size_t blocks) noexcept;

double sparse_norm2(const std::uint8_t *code, std::size_t blocks) noexcept;

/* Are these bytes a code of a row of so many dimensions: ascending, in range, padded at the end alone, values finite? */
bool sparse_valid(const std::uint8_t *code, std::size_t blocks, std::uint32_t dims) noexcept;

/* --- two codes --- */

/* Sums over the elements, in double: exact but for 2^-53 a term. (In float32: Kernels::block_inner_product, block_l1.) */
struct SparseSums
{
	double dot;                // a b
	double squares;            // (a - b)^2
	double absolute;           // |a - b|
	std::size_t either, both;  // elements of one at least, and of both
};

SparseSums sparse_sums(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b,
					   std::size_t b_blocks) noexcept;

/* --- a query against codes --- */

/*
 * A query's values by index: a table of all dimensions where these are few, else a hash table behind a filter of bits that
 * turns most other indices away.
 */
struct SparseQuery
{
	const std::uint8_t *code;  // of the query itself
	std::uint32_t blocks;
	std::uint32_t count;  // non-zeros
	std::uint32_t dims;
	double norm2, l1;    // of the query
	const float *table;  // dims + 1 floats, the last is 0; null: hashed
	/* Sizes are powers of two; a slot is (index, value), kNoIndex where empty. */
	const std::uint64_t *filter;
	const std::uint32_t *keys;
	const float *values;
	std::uint32_t filter_shift, slot_shift;
};

/* Bytes that sparse_query wants. */
std::size_t sparse_query_bytes(std::uint32_t blocks, std::uint32_t dims) noexcept;

/* code: outlives the query, indices below dims. memory: sparse_query_bytes, 8-byte aligned. */
SparseQuery sparse_query(const std::uint8_t *code, std::uint32_t blocks, std::uint32_t dims, void *memory) noexcept;

/* The same for another code in the memory that q has; q's own must still be there. memory: as of the longer of both. */
void change_sparse_query(SparseQuery &q, const std::uint8_t *code, std::uint32_t blocks, void *memory) noexcept;

/* Sum of v_i q_i over the entries of the blocks. */
float sparse_dot(const SparseQuery &q, const std::uint8_t *code, std::size_t blocks) noexcept;

/* Sum of |v_i - q_i| - |q_i| over the entries of the blocks: what they add to the L1 norm of q. */
float sparse_l1(const SparseQuery &q, const std::uint8_t *code, std::size_t blocks) noexcept;

}  // namespace vecdb::core::quantizer
