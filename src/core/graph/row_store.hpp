/* SPDX-License-Identifier: PostgreSQL
 * The rows of a build: codes with their factors, in chunks of memory or of a mapped file. Sparse codes, which have no one
 * length, lie in chunks of their own.
 *
 * Regime: core. Private to src/core/graph.
 * Keeps:  distances are taken in a unit in which the largest element is near 1, so that no sum of squares overflows or
 *         vanishes, whatever the rows hold. What leaves (sq8) is as it came.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "sketch.hpp"
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
	static constexpr std::size_t kCodeChunkBytes = 8u << 20;

	/* code_bytes: 0 of sparse rows. seed: of the sketches. */
	RowStore(RowKind kind, distance::Metric metric, std::size_t code_bytes, std::uint32_t dimensions,
			 std::uint64_t seed)
		: kind_(kind), metric_(metric), dimensions_(dimensions), code_bytes_(code_bytes), dims_(code_bytes),
		  stride_(sizeof(RowHead) + (kind == RowKind::sparse ? sizeof(Place) : code_bytes)),
		  kernels_(distance::kernels())
	{
		if (kind == RowKind::sq8)
			return;
		sketch_ = std::make_unique<Sketch>(kind, metric, code_bytes, dimensions, seed);
		dims_ = sketch_->dims();
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
	/* Of what load() gives. */
	std::size_t
	dims() const noexcept
	{
		return dims_;
	}
	RowKind
	kind() const noexcept
	{
		return kind_;
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
	bool
	has_code_room(std::size_t bytes) const noexcept
	{
		return kind_ != RowKind::sparse || (!code_chunks_.empty() && kCodeChunkBytes - code_end_ >= bytes);
	}
	void
	add_code_chunk(Mapping &&chunk)
	{
		code_chunks_.push_back(std::move(chunk));
		code_end_ = 0;
	}

	std::uint32_t
	append(const quantizer::Sq8 &sq8, std::int32_t sum, const std::uint8_t *code) noexcept
	{
		RowHead head{sq8, sum, count_, 0};
		char *p = record(count_);
		std::memcpy(p, &head, sizeof head);
		p += sizeof head;
		if (kind_ == RowKind::sparse)
		{
			const Place place{static_cast<std::uint32_t>(code_chunks_.size() - 1),
							  static_cast<std::uint32_t>(code_end_)};
			std::memcpy(p, &place, sizeof place);
			const std::size_t bytes = static_cast<std::size_t>(sum) * quantizer::kSparseBlockBytes;
			if (bytes > 0)
				std::memcpy(code_at(place), code, bytes);
			code_end_ += bytes;
		}
		else
			std::memcpy(p, code, code_bytes_);
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
		return code_of(record(row));
	}

	/* --- in units, after set_unit and set_norm --- */

	void
	set_unit(float unit) noexcept
	{
		unit_ = unit;
	}
	/* The greatest magnitude of an element of a sparse row. */
	float
	largest(std::uint32_t row) const noexcept
	{
		const std::uint8_t *p = code(row);
		float most = 0;
		for (std::int32_t b = 0; b < head(row).sum; b++)
			for (float x : quantizer::as_blocks(p)[b].value)
				most = std::fmax(most, std::fabs(x));
		return most;
	}
	void
	set_norm(std::uint32_t row) const noexcept
	{
		RowHead &h = head(row);
		if (kind_ != RowKind::sq8)
		{
			/* Distances of sparse codes are brought into units by between(). */
			h.norm2 = h.sq8.norm2;
			return;
		}
		const std::uint8_t *c = code(row);
		double scale = static_cast<double>(h.sq8.scale) * unit_, bias = static_cast<double>(h.sq8.bias) * unit_;
		double squares = metric_ == Metric::l1 ? 0 : kernels_.dot_u8_u8(c, c, code_bytes_);
		h.norm2 = static_cast<float>(static_cast<double>(code_bytes_) * bias * bias + 2 * bias * scale * h.sum +
									 scale * scale * squares);
	}
	CodeView
	view(std::uint32_t row) const noexcept
	{
		const char *p = record(row);
		const RowHead &h = *reinterpret_cast<const RowHead *>(p);
		return CodeView{code_of(p), h.sq8.scale * unit_, h.sq8.bias * unit_, h.norm2, h.sum};
	}
	float
	between(Metric metric, const CodeView &a, const CodeView &b) const noexcept
	{
		if (kind_ == RowKind::sparse) [[unlikely]]
			return between_sparse(metric, a, b);
		return code_distance(kernels_, metric, a, b, code_bytes_);
	}
	float
	between(Metric metric, const CodeView &a, std::uint32_t b) const noexcept
	{
		return between(metric, a, view(b));
	}
	void
	prefetch(std::uint32_t row) const noexcept
	{
		constexpr std::size_t kMost = 1024;
		const char *p = record(row);
		std::size_t bytes = stride_;
		if (kind_ == RowKind::sparse)
		{
			bytes = static_cast<std::size_t>(head(row).sum) * quantizer::kSparseBlockBytes;
			p = reinterpret_cast<const char *>(code_of(p));
		}
		for (std::size_t i = 0; i < bytes && i < kMost; i += 64)
			__builtin_prefetch(p + i);
	}
	/* The row as floats: decoded, or its sketch. */
	void
	load(std::uint32_t row, float *out) const noexcept
	{
		CodeView v = view(row);
		if (kind_ != RowKind::sq8)
			sketch_->load(v, unit_, out);
		else
			kernels_.decode(v.code, nullptr, v.scale, v.bias, dims_, out);
	}
	/* Squared norm of what load() gives. */
	float
	loaded_norm2(std::uint32_t row, const float *loaded) const noexcept
	{
		return kind_ == RowKind::sq8 ? head(row).norm2 : kernels_.inner_product(loaded, loaded, dims_);
	}

private:
	/* Where a sparse code lies. */
	struct Place
	{
		std::uint32_t chunk, offset;
	};

	std::uint8_t *
	code_at(const Place &place) const noexcept
	{
		return static_cast<std::uint8_t *>(code_chunks_[place.chunk].get()) + place.offset;
	}
	const std::uint8_t *
	code_of(const char *record) const noexcept
	{
		const char *p = record + sizeof(RowHead);
		if (kind_ != RowKind::sparse) [[likely]]
			return reinterpret_cast<const std::uint8_t *>(p);
		Place place;
		std::memcpy(&place, p, sizeof place);
		return code_at(place);
	}

	float
	between_sparse(Metric metric, const CodeView &a, const CodeView &b) const noexcept
	{
		return in_units(metric, code_distance(kernels_, metric, a, b, 0), a, b);
	}
	/* What float32 sums of the values as they are cannot hold is summed up in double. */
	float
	in_units(Metric metric, float distance, const CodeView &a, const CodeView &b) const noexcept
	{
		constexpr double kLeast = 1e-30, kMost = 1e30;
		const double unit = metric == Metric::l1 ? unit_ : static_cast<double>(unit_) * unit_;
		auto d = static_cast<double>(distance);
		if (!(std::fabs(d) < kMost && (std::fabs(d) > kLeast || d == 0)))
			d = wide_distance(metric, a, b);
		return static_cast<float>(d * unit);
	}
	static double
	wide_distance(Metric metric, const CodeView &a, const CodeView &b) noexcept
	{
		quantizer::SparseSums s =
			quantizer::sparse_sums(a.code, static_cast<std::size_t>(a.sum), b.code, static_cast<std::size_t>(b.sum));
		return metric == Metric::inner_product ? -s.dot : metric == Metric::l1 ? s.absolute : s.squares;
	}

	friend class RowComparer;

	RowKind kind_;
	distance::Metric metric_;
	std::uint32_t dimensions_;
	std::size_t code_bytes_, dims_, stride_;
	const distance::Kernels &kernels_;
	std::unique_ptr<Sketch> sketch_;  // of bits and sparse rows
	std::vector<Mapping> chunks_;
	std::vector<Mapping> code_chunks_;
	std::size_t code_end_ = 0;  // of the last one
	std::uint32_t count_ = 0;
	float unit_ = 1;
};

/* One row against many. Of sparse rows it keeps the one spread out, which is several times faster than to merge two. */
class RowComparer
{
public:
	explicit RowComparer(const RowStore &store) noexcept : store_(store)
	{
	}

	void
	set(const CodeView &row)
	{
		row_ = row;
		if (store_.kind_ != RowKind::sparse)
			return;
		const auto blocks = static_cast<std::uint32_t>(row.sum);
		const std::size_t words = quantizer::sparse_query_bytes(blocks, store_.dimensions_) / 8 + 1;
		if (words > memory_.size())
		{
			memory_.resize(words);
			query_ = quantizer::sparse_query(row.code, blocks, store_.dimensions_, memory_.data());
		}
		else
			quantizer::change_sparse_query(query_, row.code, blocks, memory_.data());
	}
	float
	to(Metric metric, const CodeView &other) const noexcept
	{
		if (store_.kind_ != RowKind::sparse)
			return store_.between(metric, row_, other);
		const auto blocks = static_cast<std::size_t>(other.sum);
		float d;
		if (metric == Metric::l1)
			d = static_cast<float>(query_.l1) + quantizer::sparse_l1(query_, other.code, blocks);
		else
		{
			d = quantizer::sparse_dot(query_, other.code, blocks);
			d = metric == Metric::inner_product ? -d : row_.norm2 + other.norm2 - 2 * d;
		}
		if (metric != Metric::inner_product && d < 0)
			d = 0;
		return store_.in_units(metric, d, row_, other);
	}

private:
	const RowStore &store_;
	CodeView row_{};
	quantizer::SparseQuery query_{};
	std::vector<std::uint64_t> memory_;
};

}  // namespace vecdb::core::graph
