/* SPDX-License-Identifier: PostgreSQL
 * Sets of slots or blocks, for vacuum.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::hnsw
{

/* One bit for each slot (or block) below a number set when it is made; all others read as 0 and are not kept. */
struct Bitmap
{
	uint64 *words;
	uint64 bits;

	void
	init(uint64 n)
	{
		bits = n;
		words = static_cast<uint64 *>(MemoryContextAllocExtended(CurrentMemoryContext, (n / 64 + 1) * sizeof(uint64),
																 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	}
	bool
	test(uint64 i) const
	{
		return i < bits && (words[i / 64] >> (i % 64) & 1) != 0;
	}
	void
	set(uint64 i)
	{
		if (i < bits)
			words[i / 64] |= uint64{1} << (i % 64);
	}
	void
	clear(uint64 i)
	{
		if (i < bits)
			words[i / 64] &= ~(uint64{1} << (i % 64));
	}
};

}  // namespace vecdb::hnsw
