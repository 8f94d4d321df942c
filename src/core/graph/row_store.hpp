/* SPDX-License-Identifier: PostgreSQL
 * The rows of a build: codes with their factors, in chunks of memory or of a mapped file.
 *
 * Regime: core. Private to src/core/graph.
 * Keeps:  distances are taken in a unit in which the largest element is near 1, so that no sum of squares overflows or
 *         vanishes, whatever the rows hold. What leaves (sq8) is as it came.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "vecdb/base/mapping.hpp"
#include "vecdb/graph/code_distance.hpp"
#include "vecdb/quantizer/scalar.hpp"

namespace vecdb::core::graph
{

struct RowHead
{
	quantizer::Sq8 sq8;
	std::int32_t sum;
	std::uint32_t ordinal;
	float norm2;  // of the decoded code, in units
};

class RowStore
{
public:
	static constexpr std::uint32_t kChunkRows = 4096;

	RowStore(distance::Metric metric, std::size_t dims) noexcept
		: metric_(metric), dims_(dims), stride_(sizeof(RowHead) + dims), kernels_(distance::kernels())
	{
	}

	std::size_t
	chunk_bytes() const noexcept
	{
		return kChunkRows * stride_;
	}
	std::size_t
	stride() const noexcept
	{
		return stride_;
	}
	std::size_t
	dims() const noexcept
	{
		return dims_;
	}
	distance::Metric
	metric() const noexcept
	{
		return metric_;
	}
	std::uint32_t
	count() const noexcept
	{
		return count_;
	}
	bool
	has_room() const noexcept
	{
		return count_ < chunks_.size() * kChunkRows;
	}
	void
	add_chunk(Mapping &&chunk)
	{
		chunks_.push_back(std::move(chunk));
	}

	std::uint32_t
	append(const quantizer::Sq8 &sq8, std::int32_t sum, const std::uint8_t *code) noexcept
	{
		RowHead head{sq8, sum, count_, 0};
		char *p = record(count_);
		std::memcpy(p, &head, sizeof head);
		std::memcpy(p + sizeof head, code, dims_);
		return count_++;
	}

	char *
	record(std::uint32_t row) const noexcept
	{
		return static_cast<char *>(chunks_[row / kChunkRows].get()) + (row % kChunkRows) * stride_;
	}
	RowHead &
	head(std::uint32_t row) const noexcept
	{
		return *reinterpret_cast<RowHead *>(record(row));
	}
	const std::uint8_t *
	code(std::uint32_t row) const noexcept
	{
		return reinterpret_cast<const std::uint8_t *>(record(row)) + sizeof(RowHead);
	}

	/* --- in units, after set_unit and set_norm --- */

	void
	set_unit(float unit) noexcept
	{
		unit_ = unit;
	}
	void
	set_norm(std::uint32_t row) const noexcept
	{
		RowHead &h = head(row);
		const std::uint8_t *c = code(row);
		double scale = static_cast<double>(h.sq8.scale) * unit_, bias = static_cast<double>(h.sq8.bias) * unit_;
		double squares = metric_ == Metric::l1 ? 0 : kernels_.dot_u8_u8(c, c, dims_);
		h.norm2 = static_cast<float>(static_cast<double>(dims_) * bias * bias + 2 * bias * scale * h.sum +
									 scale * scale * squares);
	}
	CodeView
	view(std::uint32_t row) const noexcept
	{
		const char *p = record(row);
		const RowHead &h = *reinterpret_cast<const RowHead *>(p);
		return CodeView{reinterpret_cast<const std::uint8_t *>(p) + sizeof h, h.sq8.scale * unit_, h.sq8.bias * unit_,
						h.norm2, h.sum};
	}
	float
	between(Metric metric, const CodeView &a, std::uint32_t b) const noexcept
	{
		return code_distance(kernels_, metric, a, view(b), dims_);
	}
	void
	prefetch(std::uint32_t row) const noexcept
	{
		const char *p = record(row);
		for (std::size_t i = 0; i < stride_ && i < 1024; i += 64)
			__builtin_prefetch(p + i);
	}
	/* The decoded row. */
	void
	load(std::uint32_t row, float *out) const noexcept
	{
		CodeView v = view(row);
		kernels_.decode(v.code, nullptr, v.scale, v.bias, dims_, out);
	}

private:
	distance::Metric metric_;
	std::size_t dims_, stride_;
	const distance::Kernels &kernels_;
	std::vector<Mapping> chunks_;
	std::uint32_t count_ = 0;
	float unit_ = 1;
};

}  // namespace vecdb::core::graph
