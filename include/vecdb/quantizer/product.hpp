/* SPDX-License-Identifier: PostgreSQL
 * Product quantization: codebooks, one for each run of dimensions.
 *
 * Regime: core.
 * Source: Jégou, Douze, Schmid, "Product quantization for nearest neighbor search", TPAMI 2011.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/base/status.hpp"
#include "vecdb/base/workers.hpp"
#include "vecdb/quantizer/sign_codes.hpp"

namespace vecdb::core::quantizer
{

/*
 * Codebooks in code space, of residuals. The vectors of a segment lie in panels of 16 codes, as Kernels::dot_panel wants
 * them: element j of code k of segment s is vectors[(first(s) << bits) + (k / 16 * length(s) + j) * 16 + k % 16].
 * Behind them, at code_dims << bits, half the squared norm of each code: [(s << bits) + k].
 */
struct Codebooks
{
	std::uint32_t segments;
	std::uint32_t bits;    // 4 or 8
	const float *vectors;  // floats() of them: what an index keeps
	std::uint32_t code_dims;

	/* Segments are runs of dimensions, nearly equal: segment s begins at s * D / segments. */
	std::uint32_t
	first(std::uint32_t s) const noexcept
	{
		return static_cast<std::uint32_t>(static_cast<std::uint64_t>(s) * code_dims / segments);
	}
	std::uint32_t
	length(std::uint32_t s) const noexcept
	{
		return first(s + 1) - first(s);
	}
	std::uint32_t
	codes() const noexcept
	{
		return 1u << bits;
	}
	std::size_t
	floats() const noexcept
	{
		return (static_cast<std::size_t>(code_dims) + segments) << bits;
	}
	/* The panels of segment s. */
	const float *
	segment(std::uint32_t s) const noexcept
	{
		return vectors + (static_cast<std::size_t>(first(s)) << bits);
	}
	/* Half squared norms of the codes of segment s. */
	const float *
	half_norms(std::uint32_t s) const noexcept
	{
		return vectors + ((static_cast<std::size_t>(code_dims) + s) << bits);
	}
	/* Of what segment(s) gives. */
	std::size_t
	place(std::uint32_t s, std::uint32_t code, std::uint32_t j) const noexcept
	{
		return (static_cast<std::size_t>(code / 16) * length(s) + j) * 16 + code % 16;
	}
};

/* Rows of a sample that are worth training with: more hardly better the codebooks. */
constexpr std::uint32_t kSampleRowsPerCode = 32;

struct ProductTraining
{
	const float *const *rows;  // residuals in code space, code_dims floats each
	std::uint32_t count;       // any number, 0 too
	std::uint64_t seed;
};

/*
 * Trains codebooks: k-means for each segment, a segment a thread. In a job of Workers; the same with any number of threads.
 * books: with its vectors; vectors: the same memory, books.floats() floats. deviation: see estimate_error
 * (lists/list_codec.hpp), measured on rows that were left out of the training where there are enough.
 */
Status product_train(Workers &workers, const ProductTraining &training, const Codebooks &books, float *vectors,
					 float *deviation) noexcept;

/* codes: the nearest code of each segment of r, a byte each. r: code_dims floats. */
void product_encode(const Codebooks &books, const float *r, std::uint8_t *codes) noexcept;

/* The residual that codes stand for. */
void product_decode(const Codebooks &books, const std::uint8_t *codes, float *y) noexcept;

/* For direction y of these codes: out[0] = <y, r>, out[1] = <y, u>, out[2] = |y|^2. u null: 0. */
void product_sums(const Codebooks &books, const std::uint8_t *codes, const float *r, const float *u,
				  double out[3]) noexcept;

/* A query's table for Kernels::table_scan (bits 8): segments * 256 floats, the product of q's segment with each code. */
inline std::size_t
product_table_floats(const Codebooks &books) noexcept
{
	return static_cast<std::size_t>(books.segments) << books.bits;
}
void product_table(const Codebooks &books, const float *q, float *table) noexcept;

/*
 * The same for Kernels::fast_scan (bits 4), rounded to bytes as sign_query does: no entry above 127, one a segment sums to less
 * than 65000. lut: product_lut_bytes(books), any alignment; scratch: product_table_floats(books).
 */
inline std::size_t
product_lut_bytes(const Codebooks &books) noexcept
{
	return static_cast<std::size_t>(books.segments) * 16 + 64;
}
SignQuery product_query(const Codebooks &books, const float *q, std::uint8_t *lut, float *scratch) noexcept;

}  // namespace vecdb::core::quantizer
