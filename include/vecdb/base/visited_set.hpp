/* SPDX-License-Identifier: PostgreSQL
 * A set of 32-bit ids: open addressing, linear probing, power-of-two size, grows at half full.
 *
 * Regime: core template; plain data over a Memory handle. The id 0xFFFFFFFF must not be added.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "vecdb/base/memory.hpp"

namespace vecdb::core
{

struct VisitedSet
{
	std::uint32_t *slots;
	std::uint32_t mask;
	std::uint32_t used;
	Memory memory;

	/* capacity_hint: ids expected. False: no memory. */
	bool
	init(Memory mem, std::uint32_t capacity_hint) noexcept
	{
		memory = mem;
		used = 0;
		std::uint32_t size = 1024;
		while (size < capacity_hint * 2 && size < (1u << 30))
			size *= 2;
		slots = memory.array<std::uint32_t>(size);
		if (slots == nullptr)
			return false;
		mask = size - 1;
		std::memset(slots, 0xff, size * sizeof *slots);
		return true;
	}

	/* Empties the set, and makes it no larger than for twice what it held: clearing must not cost more than its use. */
	void
	clear() noexcept
	{
		std::size_t size = 1024;
		while (size <= mask && size < static_cast<std::size_t>(used) * 4)
			size *= 2;
		mask = size <= mask ? static_cast<std::uint32_t>(size - 1) : mask;
		std::memset(slots, 0xff, (static_cast<std::size_t>(mask) + 1) * sizeof *slots);
		used = 0;
	}

	static std::uint32_t
	hash(std::uint32_t id) noexcept
	{
		/* The upper half of the product depends on all bits of id; ids of one index often share their lowest. */
		return static_cast<std::uint32_t>(id * std::uint64_t{0x9E3779B97F4A7C15} >> 32);
	}

	/* 1: id is new; 0: seen before; -1: no memory. */
	int
	add(std::uint32_t id) noexcept
	{
		std::uint32_t p = hash(id) & mask;
		while (slots[p] != 0xFFFFFFFFu)
		{
			if (slots[p] == id)
				return 0;
			p = (p + 1) & mask;
		}
		slots[p] = id;
		if (++used * 2 > mask)
			return grow() ? 1 : -1;
		return 1;
	}

	bool
	contains(std::uint32_t id) const noexcept
	{
		std::uint32_t p = hash(id) & mask;
		while (slots[p] != 0xFFFFFFFFu)
		{
			if (slots[p] == id)
				return true;
			p = (p + 1) & mask;
		}
		return false;
	}

	bool
	grow() noexcept
	{
		std::size_t size = (static_cast<std::size_t>(mask) + 1) * 2;
		std::uint32_t *bigger = memory.array<std::uint32_t>(size);
		if (bigger == nullptr)
			return false;
		std::memset(bigger, 0xff, size * sizeof *bigger);
		std::uint32_t new_mask = static_cast<std::uint32_t>(size - 1);
		for (std::size_t i = 0; i <= mask; i++)
		{
			if (slots[i] == 0xFFFFFFFFu)
				continue;
			std::uint32_t p = hash(slots[i]) & new_mask;
			while (bigger[p] != 0xFFFFFFFFu)
				p = (p + 1) & new_mask;
			bigger[p] = slots[i];
		}
		memory.release(slots);
		slots = bigger;
		mask = new_mask;
		return true;
	}

	void
	destroy() noexcept
	{
		memory.release(slots);
		slots = nullptr;
	}
};

}  // namespace vecdb::core
