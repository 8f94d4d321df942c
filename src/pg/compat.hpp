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

/* The same for n new pages in consecutive blocks. */
inline void
extend_relation_by(Relation rel, int n, Buffer *buffers)
{
	bool shared = !RELATION_IS_LOCAL(rel);
	if (shared)
		LockRelationForExtension(rel, ExclusiveLock);
	for (int i = 0; i < n; i++)
#if PG_VERSION_NUM >= 160000
		buffers[i] = ExtendBufferedRel(BMR_REL(rel), MAIN_FORKNUM, nullptr, EB_LOCK_FIRST | EB_SKIP_EXTENSION_LOCK);
#else
		/* remove when 16 is the oldest supported */
		buffers[i] = ReadBufferExtended(rel, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, nullptr);
#endif
	if (shared)
		UnlockRelationForExtension(rel, ExclusiveLock);
}

/* Whether the planner has an ordering operator's index serve the first of several sort keys. Remove when 17 is the oldest. */
#if PG_VERSION_NUM >= 170000
constexpr bool kOrdersByFirstKeys = true;
#else
constexpr bool kOrdersByFirstKeys = false;
#endif

inline void
vacuum_delay_point_compat()
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(false);
#else
	vacuum_delay_point();                                             // remove when 18 is the oldest supported
#endif
}

/* What the current user may do with a schema. */
inline AclResult
schema_privilege(Oid schema, AclMode mode)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, GetUserId(), mode);
#else
	return pg_namespace_aclcheck(schema, GetUserId(), mode);          // remove when 16 is the oldest supported
#endif
}

/* Does the current user own the table or index? Superusers own all. */
inline bool
owns_relation(Oid relation)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relation, GetUserId());
#else
	return pg_class_ownercheck(relation, GetUserId());                // remove when 16 is the oldest supported
#endif
}

/* Maintenance commands run the code of index expressions with a safe search_path since 17; before, with the caller's. */
inline void
restrict_search_path()
{
#if PG_VERSION_NUM >= 170000
	RestrictSearchPath();
#endif
}

inline IndexScanDesc
index_beginscan_compat(Relation heap, Relation index, Snapshot snapshot, int nkeys, int norderbys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(heap, index, snapshot, nullptr, nkeys, norderbys);
#else
	return index_beginscan(heap, index, snapshot, nkeys, norderbys);  // remove when 18 is the oldest supported
#endif
}

/* Memory for the extra of a setting's check hook, which the server frees; null where there is none. */
inline void *
allocate_guc_extra(size_t bytes)
{
#if PG_VERSION_NUM >= 160000
	return guc_malloc(LOG, bytes);
#else
	return malloc(bytes);                                             // remove when 16 is the oldest supported
#endif
}

/* Up to 15 the callbacks of the expression walkers are declared without parameters: in C++ another type. */
using WalkCallback = bool (*)(Node *, void *);
using MutateCallback = Node *(*) (Node *, void *);

inline bool
walk_expression(Node *node, WalkCallback callback, void *context)
{
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, callback, context);
#else
	/* remove when 16 is the oldest supported */
	return expression_tree_walker(node, reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(callback)), context);
#endif
}

inline Node *
mutate_expression(Node *node, MutateCallback callback, void *context)
{
#if PG_VERSION_NUM >= 160000
	return expression_tree_mutator(node, callback, context);
#else
	/* remove when 16 is the oldest supported */
	return expression_tree_mutator(node, reinterpret_cast<Node *(*) ()>(reinterpret_cast<void (*)()>(callback)),
								   context);
#endif
}

}  // namespace vecdb::pg
