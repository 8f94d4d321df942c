/* SPDX-License-Identifier: PostgreSQL
 * Core memory over a memory context.
 *
 * Regime: shell.
 */
#include "pg/context.hpp"

namespace vecdb::pg
{

/*
 * Called with these flags and on valid chunks neither raises, so calls through types that say so need no landing pads
 * (and the object stays free of exception tables).
 */
using AllocNoThrow = void *(*) (MemoryContext, Size, int) noexcept;
using FreeNoThrow = void (*)(void *) noexcept;

static void *
alloc_or_null(void *self, std::size_t bytes) noexcept
{
	auto alloc = reinterpret_cast<AllocNoThrow>(MemoryContextAllocExtended);
	if (!AllocHugeSizeIsValid(bytes))
		return nullptr;
	return alloc(static_cast<MemoryContext>(self), bytes == 0 ? 1 : bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
}

static void
free_chunk(void *, void *pointer) noexcept
{
	reinterpret_cast<FreeNoThrow>(pfree)(pointer);
}

core::Memory
context_memory(MemoryContext context)
{
	return core::Memory{alloc_or_null, free_chunk, context};
}

}  // namespace vecdb::pg
