/* SPDX-License-Identifier: PostgreSQL
 * Core memory over a memory context, and C++ objects owned by one.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

#include <new>
#include <type_traits>
#include <utility>

#include "vecdb/base/memory.hpp"

namespace vecdb::pg
{

/* Allocates in context, returns null where there is no memory. The context must outlive its use. */
core::Memory context_memory(MemoryContext context);

/*
 * Construct a T (noexcept constructor) that context owns: the destructor runs when the context is reset or
 * deleted, also on ERROR. Memory and the callback record are taken before T is constructed, so whatever
 * raises leaves nothing half-owned.
 */
template <class T, class... Args>
T *
own_in_context(MemoryContext context, Args &&...args)
{
	static_assert(std::is_nothrow_constructible_v<T, Args...>);
	auto *callback =
		static_cast<MemoryContextCallback *>(MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
	void *storage = MemoryContextAllocExtended(context, sizeof(T) + alignof(T), 0);
	void *aligned = reinterpret_cast<void *>(TYPEALIGN(alignof(T), reinterpret_cast<uintptr_t>(storage)));
	T *object = new (aligned) T(std::forward<Args>(args)...);
	callback->func = [](void *arg) { static_cast<T *>(arg)->~T(); };
	callback->arg = object;
	MemoryContextRegisterResetCallback(context, callback);
	return object;
}

}  // namespace vecdb::pg
