/* SPDX-License-Identifier: PostgreSQL
 * Visiting a page by the buffer in which it was last seen: without the lookup in the buffer table.
 *
 * Regime: shell.
 * A hint may be stale at any time: nothing but a prefetch looks at it without the pin.
 */
#pragma once

#include "pg/compat.hpp"

namespace vecdb::storage
{

struct BlockHints
{
	int32 *buffers;  // block -> Buffer, 0: not known
	BlockNumber blocks;

	/* Room for an index that long, in context; what is known stays. Huge arrays are zeroed by the system when touched. */
	void
	grow(MemoryContext context, BlockNumber length)
	{
		if (length <= blocks && buffers != nullptr)
			return;
		BlockNumber more = length + length / 2 + 64;
		auto *bigger = static_cast<int32 *>(MemoryContextAllocExtended(context, static_cast<Size>(more) * sizeof(int32),
																	   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
		if (buffers != nullptr)
		{
			memcpy(bigger, buffers, static_cast<Size>(blocks) * sizeof(int32));
			pfree(buffers);
		}
		buffers = bigger;
		blocks = more;
	}

	/* The page of block blkno, pinned and locked. */
	Buffer
	visit(Relation index, BlockNumber blkno, int lock = BUFFER_LOCK_SHARE)
	{
		Buffer buffer = blkno < blocks ? buffers[blkno] : 0;
		if (!(buffer > 0 && buffer <= NBuffers && !pg::buffer_looks_cold(buffer) &&
			  pg::read_recent_buffer(index, blkno, buffer)))
		{
			buffer = ReadBuffer(index, blkno);
			if (blkno < blocks)
				buffers[blkno] = buffer;
		}
		LockBuffer(buffer, lock);
		return buffer;
	}

	/*
	 * Where a page probably lies; null without a hint. Not to be trusted without the pin. Begins to bring in the
	 * buffer's descriptor.
	 */
	const char *
	guess(BlockNumber blkno) const
	{
		int32 hint = blkno < blocks ? buffers[blkno] : 0;
		if (hint <= 0 || hint > NBuffers)
			return nullptr;
		/* Read without a lock: a wrong answer costs a prefetch. */
		BlockNumber holds = *static_cast<const volatile BlockNumber *>(&GetBufferDescriptor(hint - 1)->tag.blockNum);
		return holds == blkno ? BufferBlocks + static_cast<Size>(hint - 1) * BLCKSZ : nullptr;
	}

	/* For a page without a good hint: renews it, or, where the page is not in shared buffers, begins to read it from disk. */
	void
	begin_read(Relation index, BlockNumber blkno)
	{
		PrefetchBufferResult result = PrefetchBuffer(index, MAIN_FORKNUM, blkno);
		if (BufferIsValid(result.recent_buffer) && blkno < blocks)
			buffers[blkno] = result.recent_buffer;
	}
};

}  // namespace vecdb::storage
