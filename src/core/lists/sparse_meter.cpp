/* SPDX-License-Identifier: PostgreSQL
 * The queries as columns of a table with a row for each index that one of them has: a sparse row is multiplied with all queries at once.
 *
 * Regime: core. No exception leaves.
 */
#include "vecdb/lists/sparse_meter.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

#include "vecdb/base/random.hpp"

namespace vecdb::core::lists
{

using distance::Metric;
using distance::SparseRow;
using layout::RowTid;

namespace
{

constexpr std::size_t kTableBytes = 32u << 20;
constexpr std::uint32_t kNoSlot = 0xFFFFFFFFu;

struct Query
{
	RowTid name;
	std::uint32_t number;
	std::vector<std::int32_t> indices;
	std::vector<float> values;
};

struct Near
{
	float distance;
	RowTid name;
};

std::size_t
padded(std::size_t n)
{
	return (n + 15) / 16 * 16;
}

}  // namespace

struct SparseMeter::Impl
{
	Metric metric;
	std::uint64_t seed;
	std::uint64_t offered = 0;
	std::vector<Query> queries;
	std::vector<std::uint32_t> numbers;
	/* --- after begin() --- */
	std::size_t stride = 0;
	std::vector<std::uint32_t> keys, slots;  // open addressing: index -> row of table
	std::vector<float> table;
	std::vector<float> products;
	std::vector<Near> near;
	std::vector<RowTid> names;

	std::size_t
	place(std::uint32_t key) const
	{
		std::size_t mask = keys.size() - 1;
		std::size_t i = static_cast<std::size_t>(key * 0x9E3779B97F4A7C15ull >> 32) & mask;
		while (slots[i] != kNoSlot && keys[i] != key)
			i = (i + 1) & mask;
		return i;
	}
	void make_table();
};

SparseMeter::~SparseMeter()
{
	delete impl_;
}

Status
SparseMeter::start(Metric metric, std::uint64_t seed) noexcept
{
	impl_ = new (std::nothrow) Impl{};
	if (impl_ == nullptr)
		return Status::out_of_memory();
	impl_->metric = metric;
	impl_->seed = seed;
	return Status::success();
}

Status
SparseMeter::offer(RowTid name, const SparseRow &row, std::uint32_t number) noexcept
{
	try
	{
		/* Reservoir: each row is kept with the same chance. */
		const std::uint64_t n = impl_->offered++;
		std::uint64_t at = n < kQueries ? n : splitmix64(impl_->seed + n) % (n + 1);
		if (at >= kQueries)
			return Status::success();
		Query query{name, number, std::vector<std::int32_t>(row.n), std::vector<float>(row.n)};
		if (row.n > 0)
		{
			std::memcpy(query.indices.data(), row.indices, row.n * sizeof(std::int32_t));
			std::memcpy(query.values.data(), row.values, row.n * sizeof(float));
		}
		if (at == impl_->queries.size())
			impl_->queries.push_back(std::move(query));
		else
			impl_->queries[at] = std::move(query);
		return Status::success();
	}
	catch (const std::bad_alloc &)
	{
		return Status::out_of_memory();
	}
}

void
SparseMeter::forget() noexcept
{
	impl_->queries.clear();
	impl_->offered = 0;
}

void
SparseMeter::Impl::make_table()
{
	std::size_t elements = 0;
	for (const Query &query : queries)
		elements += query.indices.size();
	while (queries.size() > 1 && elements * padded(queries.size()) * sizeof(float) > kTableBytes)
	{
		elements -= queries.back().indices.size();
		queries.pop_back();
	}
	stride = padded(queries.size());
	std::size_t size = 64;
	while (size < 2 * elements)
		size *= 2;
	keys.assign(size, 0);
	slots.assign(size, kNoSlot);
	std::uint32_t used = 0;
	for (const Query &query : queries)
		for (std::int32_t index : query.indices)
			if (std::size_t i = place(static_cast<std::uint32_t>(index)); slots[i] == kNoSlot)
			{
				keys[i] = static_cast<std::uint32_t>(index);
				slots[i] = used++;
			}
	table.assign(used * stride, 0);
	for (std::size_t q = 0; q < queries.size(); q++)
		for (std::size_t i = 0; i < queries[q].indices.size(); i++)
			table[slots[place(static_cast<std::uint32_t>(queries[q].indices[i]))] * stride + q] = queries[q].values[i];
	products.assign(stride, 0);
	near.assign(queries.size() * kNear, Near{std::numeric_limits<float>::infinity(), RowTid{}});
	for (std::size_t q = 0; q < queries.size(); q++)
	{
		numbers.push_back(queries[q].number);
		for (std::size_t j = 0; j < kNear; j++)
			near[q * kNear + j].name = queries[q].name;
	}
}

Status
SparseMeter::begin() noexcept
{
	try
	{
		impl_->make_table();
		impl_->names.resize(impl_->near.size());
		return Status::success();
	}
	catch (const std::bad_alloc &)
	{
		return Status::out_of_memory();
	}
}

std::uint32_t
SparseMeter::queries() const noexcept
{
	return static_cast<std::uint32_t>(impl_->numbers.size());
}

const std::uint32_t *
SparseMeter::numbers() const noexcept
{
	return impl_->numbers.data();
}

void
SparseMeter::look(RowTid name, const SparseRow &row) noexcept
{
	Impl &m = *impl_;
	if (m.numbers.empty())
		return;
	std::fill(m.products.begin(), m.products.end(), 0.0f);
	float norm2 = 0;
	for (std::size_t i = 0; i < row.n; i++)
	{
		std::uint32_t index;
		float x;
		std::memcpy(&index, reinterpret_cast<const char *>(row.indices) + i * sizeof index, sizeof index);
		std::memcpy(&x, reinterpret_cast<const char *>(row.values) + i * sizeof x, sizeof x);
		norm2 += x * x;
		const std::uint32_t slot = m.slots[m.place(index)];
		if (slot == kNoSlot)
			continue;
		const float *values = m.table.data() + slot * m.stride;
		float *products = m.products.data();
		for (std::size_t q = 0; q < m.stride; q++)
			products[q] += x * values[q];
	}
	const float inverse = m.metric == Metric::cosine && norm2 > 0 ? 1 / std::sqrt(norm2) : 1;
	for (std::size_t q = 0; q < m.numbers.size(); q++)
	{
		/* What orders rows for a query. */
		const float distance = m.metric == Metric::l2 ? norm2 - 2 * m.products[q] : -m.products[q] * inverse;
		Near *list = m.near.data() + q * kNear;
		if (!(distance < list[kNear - 1].distance) || name == m.queries[q].name)
			continue;
		std::size_t j = kNear - 1;
		for (; j > 0 && distance < list[j - 1].distance; j--)
			list[j] = list[j - 1];
		list[j] = Near{distance, name};
	}
}

const RowTid *
SparseMeter::nearest() const noexcept
{
	for (std::size_t i = 0; i < impl_->near.size(); i++)
		impl_->names[i] = impl_->near[i].name;
	return impl_->names.data();
}

}  // namespace vecdb::core::lists
