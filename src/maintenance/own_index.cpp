/* SPDX-License-Identifier: PostgreSQL
 * Opening an index for the functions that look into it: kind, privileges, locks, whose code may run.
 *
 * Regime: shell.
 * Locks:  table before index, as everybody. Kept to the end of the transaction.
 */
#include "maintenance/own_index.hpp"

#include "hnsw/handler.hpp"
#include "hnsw/pending.hpp"
#include "ivf/handler.hpp"
#include "ivf/module.hpp"

namespace vecdb::maintenance
{

const char *
method_name(Relation index, Method &method)
{
	if (index->rd_indam->ambuild == hnsw::hnsw_build)
	{
		method = Method::hnsw;
		return "hnsw";
	}
	if (index->rd_indam->ambuild != ivf::ivf_build)
		return nullptr;
	method = ivf::is_flat(index) ? Method::ivfflat : Method::ivf;
	return method == Method::ivf ? "ivf" : "ivfflat";
}

static bool
may_look(Oid heap, Viewer viewer)
{
	return pg::owns_relation(heap) ||
		   (viewer == Viewer::monitor && has_privs_of_role(GetUserId(), ROLE_PG_STAT_SCAN_TABLES));
}

OwnIndex
open_own_index(Oid index, LOCKMODE mode, Viewer viewer)
{
	char kind = get_rel_relkind(index);
	const char *name = get_rel_name(index);
	if (name == nullptr)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", index)));
	if (kind != RELKIND_INDEX)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not an index", name),
						kind == RELKIND_PARTITIONED_INDEX
							? errhint("A partitioned index has no contents; name the index of a partition.")
							: 0));
	/* The privilege comes before the lock, so that nobody can hold up a table that is not theirs. */
	Oid heap = IndexGetRelation(index, false);
	if (!may_look(heap, viewer))
		aclcheck_error(viewer == Viewer::owner ? ACLCHECK_NOT_OWNER : ACLCHECK_NO_PRIV, OBJECT_INDEX, name);

	OwnIndex own{};
	own.mode = mode;
	own.heap = table_open(heap, mode);
	GetUserIdAndSecContext(&own.user, &own.security_context);
	SetUserIdAndSecContext(own.heap->rd_rel->relowner, own.security_context | SECURITY_RESTRICTED_OPERATION);
	own.guc_level = NewGUCNestLevel();
	pg::restrict_search_path();

	own.index = index_open(index, mode);
	if (IndexGetRelation(index, true) != heap)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("could not open parent table of index \"%s\"", RelationGetRelationName(own.index))));
	if (method_name(own.index, own.method) == nullptr)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("index \"%s\" is not an hnsw, ivf or ivfflat index of vecdb",
							   RelationGetRelationName(own.index))));
	if (RELATION_IS_OTHER_TEMP(own.index))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot access temporary indexes of other sessions")));
	if (!own.index->rd_index->indisvalid)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("index \"%s\" is not valid", RelationGetRelationName(own.index)),
						errhint("Rebuild the index with REINDEX.")));
	if (own.method == Method::hnsw)
		hnsw::flush_pending(own.index);
	return own;
}

void
close_own_index(const OwnIndex &own)
{
	AtEOXact_GUC(false, own.guc_level);
	SetUserIdAndSecContext(own.user, own.security_context);
	index_close(own.index, NoLock);
	table_close(own.heap, NoLock);
}

void
scan_indexed_rows(const OwnIndex &own, IndexInfo *info, Snapshot snapshot, IndexBuildCallback callback, void *state)
{
	TableScanDesc scan = table_beginscan_strat(own.heap, snapshot, 0, nullptr, true, true);
	/* As for a concurrent build: rows that the snapshot does not see are nobody's business here. */
	info->ii_Concurrent = true;
	(void) table_index_build_scan(own.heap, own.index, info, true, false, callback, state, scan);
}

}  // namespace vecdb::maintenance
