/* SPDX-License-Identifier: PostgreSQL
 * Core memory over a memory context.
 *
 * Regime: shell.
 */
#include "pg/context.hpp"

namespace vecdb::pg
{

core::Memory
context_memory(MemoryContext context)
{
	return core::Memory{
		[](void *self, std::size_t bytes) noexcept -> void * {
			if (!AllocHugeSizeIsValid(bytes))
				return nullptr;
			return MemoryContextAllocExtended(static_cast<MemoryContext>(self), bytes == 0 ? 1 : bytes,
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
		},
		[](void *, void *pointer) noexcept { pfree(pointer); }, context};
}

}  // namespace vecdb::pg
