/* SPDX-License-Identifier: PostgreSQL
 * Product quantization: codebooks, one for each run of dimensions.
 *
 * Regime: core.
 * Source: Jégou, Douze, Schmid, "Product quantization for nearest neighbor search", TPAMI 2011.
 */
#pragma once

#include <cstddef>
#include <cstdint>

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

}  // namespace vecdb::core::quantizer
