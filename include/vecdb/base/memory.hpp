/* SPDX-License-Identifier: PostgreSQL
 * Where the pure core gets memory from: a handle that the caller owns.
 *
 * Regime: core. The shell's version allocates from a memory context and returns null where there
 * is no memory (MCXT_ALLOC_NO_OOM), so nothing jumps; tests use malloc_memory().
 */
#pragma once

#include <cstddef>
#include <cstdlib>

namespace vecdb::core
{

struct Memory
{
	void *(*alloc)(void *self, std::size_t bytes) noexcept;  // null = no memory; 16-byte aligned not promised
	void (*free)(void *self, void *pointer) noexcept;
	void *self;

	template <class T>
	T *
	array(std::size_t count) noexcept
	{
		if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T))
			return nullptr;
		return static_cast<T *>(alloc(self, count * sizeof(T)));
	}

	void
	release(void *pointer) noexcept
	{
		if (pointer != nullptr)
			free(self, pointer);
	}
};

inline Memory
malloc_memory() noexcept
{
	return Memory{[](void *, std::size_t bytes) noexcept -> void * { return std::malloc(bytes == 0 ? 1 : bytes); },
				  [](void *, void *pointer) noexcept { std::free(pointer); }, nullptr};
}

}  // namespace vecdb::core
