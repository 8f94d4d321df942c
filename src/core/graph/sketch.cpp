/* SPDX-License-Identifier: PostgreSQL
 * Sketches: src/core/graph/sketch.hpp.
 *
 * Regime: core.
 */
#include "sketch.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "vecdb/base/random.hpp"
#include "vecdb/quantizer/sparse_sketch.hpp"

namespace vecdb::core::graph
{

namespace
{

constexpr std::size_t kSketchDims = 512;

/* The bits of a byte as bytes of a word, the lowest first: eight counts are added at a time. */
constexpr auto kUnpacked = [] {
	std::array<std::uint64_t, 256> table{};
	for (std::size_t byte = 0; byte < 256; byte++)
		for (std::size_t bit = 0; bit < 8; bit++)
			table[byte] |= static_cast<std::uint64_t>(byte >> bit & 1) << 8 * bit;
	return table;
}();
constexpr std::size_t kMostCounts = 255;  // before a byte of a word overflows

}  // namespace

Sketch::Sketch(RowKind kind, Metric metric, std::size_t code_bytes, std::uint32_t dimensions, std::uint64_t seed)
	: kind_(kind), metric_(metric), folded_(dimensions > kSketchDims), code_bytes_(code_bytes),
	  dims_(std::min<std::size_t>(kSketchDims, (std::max(dimensions, 1u) + 15) / 16 * 16)), seed_(splitmix64(seed))
{
	signs_.resize(4 * dims_);
	rotation_ = quantizer::rotation_init(dims_, seed_, signs_.data());
	if (kind != RowKind::bits)
		return;
	/* A whole number of sketches, so that byte i goes to elements 8 i and on, as often as it takes. */
	flips_.resize(code_bytes);
	offsets_.resize(dims_);
	for (std::size_t i = 0; i < code_bytes && folded_; i++)
		flips_[i] = static_cast<std::uint8_t>(splitmix64(seed_ + 1 + i));
	for (std::size_t i = 0; i < code_bytes; i++)
		for (std::size_t bit = 0; bit < 8; bit++)
			if ((flips_[i] >> bit & 1) != 0)
				offsets_[(8 * i + bit) % dims_] -= 1;
}

void
Sketch::load(const CodeView &row, float unit, float *out) const noexcept
{
	if (kind_ == RowKind::bits)
		load_bits(row, out);
	else
		load_sparse(row, unit, out);
	quantizer::rotate(rotation_, out);
}

void
Sketch::load_bits(const CodeView &row, float *out) const noexcept
{
	std::memcpy(out, offsets_.data(), dims_ * sizeof *out);
	/* Padding of the code lies beyond the sketch only where it is not folded, and is 0. */
	const std::size_t stride = dims_ / 8, bytes = folded_ ? code_bytes_ : std::min(code_bytes_, stride);
	std::uint64_t counts[kSketchDims / 8];
	for (std::size_t first = 0; first < bytes;)
	{
		std::memset(counts, 0, stride * sizeof *counts);
		for (std::size_t added = 0; added < kMostCounts && first < bytes; added++, first += stride)
		{
			const std::uint8_t *code = row.code + first, *flips = flips_.data() + first;
			const std::size_t n = std::min(bytes - first, stride);
			for (std::size_t i = 0; i < n; i++)
				counts[i] += kUnpacked[code[i] ^ flips[i]];
		}
		for (std::size_t i = 0; i < dims_; i++)
			out[i] += static_cast<float>(counts[i / 8] >> i % 8 * 8 & 0xff);
	}
	if (metric_ == Metric::jaccard && row.norm2 > 0)
	{
		const float scale = 1 / std::sqrt(row.norm2);
		for (std::size_t i = 0; i < dims_; i++)
			out[i] *= scale;
	}
}

void
Sketch::load_sparse(const CodeView &row, float unit, float *out) const noexcept
{
	std::fill(out, out + dims_, 0.0f);
	const auto *block = quantizer::as_blocks(row.code);
	for (std::int32_t b = 0; b < row.sum; b++, block++)
		for (std::uint32_t i = 0; i < quantizer::kSparseEntries; i++)
		{
			float x = block->value[i] * unit;
			if (metric_ == Metric::l1 && folded_)
				x = std::copysign(std::sqrt(std::fabs(x)), x);
			if (!folded_)
			{
				if (block->index[i] < dims_)
					out[block->index[i]] = x;
				continue;
			}
			const quantizer::SketchPlace place = quantizer::sketch_place(seed_, block->index[i], kSketchDims);
			out[place.at] += place.negative ? -x : x;
		}
}

}  // namespace vecdb::core::graph
