/* SPDX-License-Identifier: PostgreSQL
 * Where PostgreSQL releases differ: the only file that looks at PG_VERSION_NUM.
 *
 * Regime: shell. Each item says when it can go.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::pg
{

#if PG_VERSION_NUM >= 160000
using RelFileKey = RelFileLocator;
#else
using RelFileKey = RelFileNode;  // remove when 16 is the oldest supported
#endif

inline RelFileKey
relation_file(Relation rel)
{
#if PG_VERSION_NUM >= 160000
	return rel->rd_locator;
#else
	return rel->rd_node;
#endif
}

/* Pin a buffer by hint; false when it no longer holds the block. */
inline bool
read_recent_buffer(Relation rel, BlockNumber blkno, Buffer hint)
{
	return ReadRecentBuffer(relation_file(rel), MAIN_FORKNUM, blkno, hint);
}

/*
 * Up to 17 (at least), ReadRecentBuffer leaves usage_count alone, so a page read only that way is evicted as if cold.
 * True: read it the ordinary way this time.
 */
inline bool
buffer_looks_cold(Buffer buffer)
{
	uint32 state = pg_atomic_read_u32(&GetBufferDescriptor(buffer - 1)->state);
	return BUF_STATE_GET_USAGECOUNT(state) < 2;
}

/* The new last page of rel, exclusively locked, not initialised. */
inline Buffer
extend_relation(Relation rel)
{
#if PG_VERSION_NUM >= 160000
	return ExtendBufferedRel(BMR_REL(rel), MAIN_FORKNUM, nullptr, EB_LOCK_FIRST);
#else
	/* remove when 16 is the oldest supported */
	bool shared = !RELATION_IS_LOCAL(rel);
	if (shared)
		LockRelationForExtension(rel, ExclusiveLock);
	Buffer buffer = ReadBufferExtended(rel, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, nullptr);
	if (shared)
		UnlockRelationForExtension(rel, ExclusiveLock);
	return buffer;
#endif
}

inline void
vacuum_delay_point_compat()
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(false);
#else
	vacuum_delay_point();  // remove when 18 is the oldest supported
#endif
}

}  // namespace vecdb::pg
