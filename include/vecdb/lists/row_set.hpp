/* SPDX-License-Identifier: PostgreSQL
 * The rows that have left a scan: a set of TIDs, open addressing, grows at half full.
 *
 * Regime: core template; plain data over a Memory handle.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "vecdb/base/memory.hpp"
#include "vecdb/layout/ivf_page.hpp"

namespace vecdb::core::lists
{

inline std::uint64_t
row_key(const layout::RowTid &tid) noexcept
{
	return static_cast<std::uint64_t>(layout::tid_block(tid)) << 16 | tid.offset;
}

struct RowSet
{
	static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // no TID: those have 48 bits

	std::uint64_t *slots;
	std::size_t mask;
	std::size_t used;
	Memory memory;

	bool
	init(Memory mem) noexcept
	{
		memory = mem;
		used = 0;
		return allocate(64);
	}

	bool
	allocate(std::size_t size) noexcept
	{
		slots = memory.array<std::uint64_t>(size);
		if (slots == nullptr)
			return false;
		mask = size - 1;
		std::memset(slots, 0xff, size * sizeof *slots);
		return true;
	}

	std::size_t
	place(std::uint64_t key) const noexcept
	{
		std::size_t i = static_cast<std::size_t>(key * 0x9E3779B97F4A7C15ull >> 20) & mask;
		while (slots[i] != kEmpty && slots[i] != key)
			i = (i + 1) & mask;
		return i;
	}

	bool
	contains(std::uint64_t key) const noexcept
	{
		return slots[place(key)] == key;
	}

	/* 1: key is new; 0: it was there; -1: no memory. */
	int
	add(std::uint64_t key) noexcept
	{
		std::size_t i = place(key);
		if (slots[i] == key)
			return 0;
		slots[i] = key;
		if (++used * 2 <= mask)
			return 1;
		std::uint64_t *old = slots;
		std::size_t old_size = mask + 1;
		if (!allocate(2 * old_size))
		{
			slots = old;
			return -1;
		}
		for (std::size_t j = 0; j < old_size; j++)
			if (old[j] != kEmpty)
				slots[place(old[j])] = old[j];
		memory.release(old);
		return 1;
	}
};

}  // namespace vecdb::core::lists
