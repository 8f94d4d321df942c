/* SPDX-License-Identifier: PostgreSQL
 * The code of a sparse row.
 *
 * Regime: core.
 */
#include "vecdb/quantizer/sparse_code.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace vecdb::core::quantizer
{
namespace
{

/* Beyond this a table is larger than the second cache, and clearing it takes longer than a short search. */
constexpr std::uint32_t kMostTableDims = 1u << 17;
/* Bits of the filter and slots of the hash table for each non-zero, at least. */
constexpr std::uint32_t kFilterBits = 32, kSlots = 2;
constexpr std::uint32_t kHashFactor = 0x9E3779B1u;

struct HashShape
{
	std::uint32_t filter_bits, slots;

	explicit HashShape(std::uint32_t blocks) noexcept
		: filter_bits(std::bit_ceil(std::max(blocks, 1u) * kSparseEntries * kFilterBits)),
		  slots(std::bit_ceil(std::max(blocks, 1u) * kSparseEntries * kSlots))
	{
	}
	std::size_t
	filter_bytes() const noexcept
	{
		return filter_bits / 8;
	}
	std::size_t
	slot_bytes() const noexcept
	{
		return static_cast<std::size_t>(slots) * sizeof(std::uint32_t);
	}
};

/* One entry after the other. */
struct Entries
{
	const SparseBlock *block;
	std::size_t left;  // blocks
	std::uint32_t at = 0;

	Entries(const std::uint8_t *code, std::size_t blocks) noexcept : block(as_blocks(code)), left(blocks)
	{
	}
	/* kNoIndex at the end. */
	std::uint32_t
	index() const noexcept
	{
		return left > 0 ? block->index[at] : kNoIndex;
	}
	float
	value() const noexcept
	{
		return block->value[at];
	}
	void
	step() noexcept
	{
		if (++at == kSparseEntries)
		{
			at = 0;
			block++;
			left--;
		}
	}
	bool
	done() const noexcept
	{
		return left == 0;
	}
};

/* both(x, y) for each index of both, one(x) for those of a alone, other(y) of b alone. Damaged codes end too: each step takes one. */
template <class Both, class One, class Other>
inline void
merge(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b, std::size_t b_blocks, Both &&both, One &&one,
	  Other &&other) noexcept
{
	Entries x(a, a_blocks), y(b, b_blocks);
	while (!x.done() && !y.done())
	{
		const std::uint32_t i = x.index(), j = y.index();
		if (i == j)
		{
			both(x.value(), y.value());
			x.step();
			y.step();
		}
		else if (i < j)
		{
			one(x.value());
			x.step();
		}
		else
		{
			other(y.value());
			y.step();
		}
	}
	for (; !x.done(); x.step())
		one(x.value());
	for (; !y.done(); y.step())
		other(y.value());
}

/* The query's value at an index; any index will do. */
inline float
look_up(const SparseQuery &q, std::uint32_t index) noexcept
{
	if (q.table != nullptr)
		return q.table[std::min(index, q.dims)];
	const std::uint32_t hash = index * kHashFactor;
	const std::uint32_t bit = hash >> q.filter_shift;
	if ((q.filter[bit / 64] >> bit % 64 & 1) == 0)
		return 0;
	const std::uint32_t mask = (2u << (31 - q.slot_shift)) - 1;
	for (std::uint32_t slot = hash >> q.slot_shift;; slot = (slot + 1) & mask)
	{
		if (q.keys[slot] == index)
			return q.values[slot];
		if (q.keys[slot] == kNoIndex)
			return 0;
	}
}

}  // namespace

void
sparse_encode(const std::int32_t *indices, const float *values, std::size_t count, double length,
			  std::uint8_t *code) noexcept
{
	for (std::size_t first = 0; first < count; first += kSparseEntries, code += kSparseBlockBytes)
	{
		SparseBlock block;
		const std::size_t n = std::min<std::size_t>(count - first, kSparseEntries);
		std::memcpy(block.index, indices + first, n * sizeof *indices);
		std::memcpy(block.value, values + first, n * sizeof *values);
		if (length != 1)
			for (std::size_t i = 0; i < n; i++)
				block.value[i] = static_cast<float>(block.value[i] / length);
		for (std::size_t i = n; i < kSparseEntries; i++)
		{
			block.index[i] = kNoIndex;
			block.value[i] = 0;
		}
		std::memcpy(code, &block, sizeof block);
	}
}

std::size_t
sparse_decode(const std::uint8_t *code, std::size_t blocks, std::int32_t *indices, float *values) noexcept
{
	std::size_t n = 0;
	for (Entries e(code, blocks); !e.done(); e.step())
		if (e.index() != kNoIndex)
		{
			indices[n] = static_cast<std::int32_t>(e.index());
			values[n++] = e.value();
		}
	return n;
}

std::size_t
sparse_count(const std::uint8_t *code, std::size_t blocks) noexcept
{
	if (blocks == 0)
		return 0;
	const SparseBlock &last = as_blocks(code)[blocks - 1];
	std::size_t n = 0;
	for (std::uint32_t index : last.index)
		n += index != kNoIndex;
	return (blocks - 1) * kSparseEntries + n;
}

double
sparse_norm2(const std::uint8_t *code, std::size_t blocks) noexcept
{
	double sum = 0;
	for (std::size_t b = 0; b < blocks; b++)
		for (float x : as_blocks(code)[b].value)
			sum += static_cast<double>(x) * x;
	return sum;
}

bool
sparse_valid(const std::uint8_t *code, std::size_t blocks, std::uint32_t dims) noexcept
{
	std::int64_t before = -1;
	for (Entries e(code, blocks); !e.done(); e.step())
	{
		if (e.index() == kNoIndex)
		{
			/* Padding, all that is left of the last block. */
			if (e.left != 1)
				return false;
			for (; !e.done(); e.step())
				if (e.index() != kNoIndex || e.value() != 0)
					return false;
			return true;
		}
		if (e.index() >= dims || static_cast<std::int64_t>(e.index()) <= before || !std::isfinite(e.value()))
			return false;
		before = e.index();
	}
	return true;
}

SparseSums
sparse_sums(const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b, std::size_t b_blocks) noexcept
{
	SparseSums s{0, 0, 0, 0, 0};
	auto alone = [&](float x) noexcept {
		s.squares += static_cast<double>(x) * x;
		s.absolute += std::fabs(static_cast<double>(x));
		s.either++;
	};
	merge(
		a, a_blocks, b, b_blocks,
		[&](float x, float y) noexcept {
			double d = static_cast<double>(x) - y;
			s.dot += static_cast<double>(x) * y;
			s.squares += d * d;
			s.absolute += std::fabs(d);
			s.either++;
			s.both++;
		},
		alone, alone);
	return s;
}

float
sparse_dot_codes(const distance::Kernels &, const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b,
				 std::size_t b_blocks) noexcept
{
	float sum = 0;
	auto nothing = [](float) noexcept {};
	merge(
		a, a_blocks, b, b_blocks, [&](float x, float y) noexcept { sum += x * y; }, nothing, nothing);
	return sum;
}

float
sparse_l1_codes(const distance::Kernels &, const std::uint8_t *a, std::size_t a_blocks, const std::uint8_t *b,
				std::size_t b_blocks) noexcept
{
	float sum = 0;
	auto alone = [&](float x) noexcept { sum += std::fabs(x); };
	merge(
		a, a_blocks, b, b_blocks, [&](float x, float y) noexcept { sum += std::fabs(x - y); }, alone, alone);
	return sum;
}

std::size_t
sparse_query_bytes(std::uint32_t blocks, std::uint32_t dims) noexcept
{
	if (dims <= kMostTableDims)
		return (static_cast<std::size_t>(dims) + 1) * sizeof(float);
	HashShape shape(blocks);
	return shape.filter_bytes() + 2 * shape.slot_bytes();
}

SparseQuery
sparse_query(const std::uint8_t *code, std::uint32_t blocks, std::uint32_t dims, void *memory) noexcept
{
	SparseQuery q{};
	q.code = code;
	q.blocks = blocks;
	q.count = static_cast<std::uint32_t>(sparse_count(code, blocks));
	q.dims = dims;
	q.norm2 = sparse_norm2(code, blocks);
	for (Entries e(code, blocks); !e.done(); e.step())
		q.l1 += std::fabs(static_cast<double>(e.value()));
	std::memset(memory, 0, sparse_query_bytes(blocks, dims));
	if (dims <= kMostTableDims)
	{
		auto *table = static_cast<float *>(memory);
		for (Entries e(code, blocks); !e.done(); e.step())
			if (e.index() < dims)
				table[e.index()] = e.value();
		q.table = table;
		return q;
	}
	const HashShape shape(blocks);
	auto *filter = static_cast<std::uint64_t *>(memory);
	auto *keys = reinterpret_cast<std::uint32_t *>(static_cast<char *>(memory) + shape.filter_bytes());
	auto *values = reinterpret_cast<float *>(keys + shape.slots);
	std::memset(keys, 0xff, shape.slot_bytes());
	q.filter_shift = 32u - static_cast<std::uint32_t>(std::countr_zero(shape.filter_bits));
	q.slot_shift = 32u - static_cast<std::uint32_t>(std::countr_zero(shape.slots));
	for (Entries e(code, blocks); !e.done(); e.step())
	{
		if (e.index() == kNoIndex)
			continue;
		const std::uint32_t hash = e.index() * kHashFactor, bit = hash >> q.filter_shift;
		filter[bit / 64] |= std::uint64_t{1} << bit % 64;
		std::uint32_t slot = hash >> q.slot_shift;
		while (keys[slot] != kNoIndex && keys[slot] != e.index())
			slot = (slot + 1) & (shape.slots - 1);
		keys[slot] = e.index();
		values[slot] = e.value();
	}
	q.filter = filter;
	q.keys = keys;
	q.values = values;
	return q;
}

float
sparse_dot(const distance::Kernels &, const SparseQuery &q, const std::uint8_t *code, std::size_t blocks) noexcept
{
	float sum[4] = {};
	for (std::size_t b = 0; b < blocks; b++)
	{
		const SparseBlock &block = as_blocks(code)[b];
		for (std::uint32_t i = 0; i < kSparseEntries; i++)
			sum[i % 4] += block.value[i] * look_up(q, block.index[i]);
	}
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

float
sparse_l1(const distance::Kernels &, const SparseQuery &q, const std::uint8_t *code, std::size_t blocks) noexcept
{
	float sum[4] = {};
	for (std::size_t b = 0; b < blocks; b++)
	{
		const SparseBlock &block = as_blocks(code)[b];
		for (std::uint32_t i = 0; i < kSparseEntries; i++)
		{
			float x = look_up(q, block.index[i]);
			sum[i % 4] += std::fabs(block.value[i] - x) - std::fabs(x);
		}
	}
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace vecdb::core::quantizer
