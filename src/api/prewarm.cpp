/* SPDX-License-Identifier: PostgreSQL
 * vecdb.prewarm(): pages into shared buffers before the first query asks for them.
 *
 * Regime: shell.
 * The indexes first, then the rows' vectors (TOAST), then the rows: what scans touch most. No more pages than there are buffers: later
 * ones would drive out earlier ones.
 */
#include "pg/postgres.hpp"

extern "C" {
#include "commands/defrem.h"
}

#include <algorithm>

namespace vecdb::api
{

static int64
read_pages(Relation relation, int64 most)
{
	constexpr BlockNumber kAhead = 32;
	auto blocks = static_cast<BlockNumber>(std::min<int64>(RelationGetNumberOfBlocks(relation), most));
	for (BlockNumber blkno = 0; blkno < blocks; blkno++)
	{
		CHECK_FOR_INTERRUPTS();
		if (blkno % kAhead == 0)
			for (BlockNumber next = blkno; next < blkno + kAhead && next < blocks; next++)
				PrefetchBuffer(relation, MAIN_FORKNUM, next);
		ReleaseBuffer(ReadBufferExtended(relation, MAIN_FORKNUM, blkno, RBM_NORMAL, nullptr));
	}
	return blocks;
}

static bool
is_own_method(Oid am)
{
	return am == get_am_oid("hnsw", true) || am == get_am_oid("ivf", true) || am == get_am_oid("ivfflat", true);
}

/* An index, if it is of vecdb, or a TOAST table. */
static int64
read_part(Oid relid, int64 most)
{
	Relation relation = relation_open(relid, AccessShareLock);
	bool wanted = relation->rd_rel->relkind != RELKIND_INDEX || is_own_method(relation->rd_rel->relam);
	int64 pages = wanted ? read_pages(relation, most) : 0;
	relation_close(relation, AccessShareLock);
	return pages;
}

static int64
read_table(Relation table, int64 most)
{
	int64 pages = 0;
	List *indexes = RelationGetIndexList(table);
	ListCell *cell;
	foreach (cell, indexes)
		pages += read_part(lfirst_oid(cell), most - pages);
	list_free(indexes);
	if (OidIsValid(table->rd_rel->reltoastrelid))
		pages += read_part(table->rd_rel->reltoastrelid, most - pages);
	return pages + read_pages(table, most - pages);
}

static void
check_readable(Relation relation)
{
	/* Of an index: its table's. */
	Oid table = relation->rd_rel->relkind == RELKIND_INDEX ? IndexGetRelation(RelationGetRelid(relation), false)
														   : RelationGetRelid(relation);
	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(table)), get_rel_name(table));
}

}  // namespace vecdb::api

using namespace vecdb;

VECDB_FUNCTION(vecdb_prewarm)
{
	Oid relid = PG_GETARG_OID(0);
	Relation relation = try_relation_open(relid, AccessShareLock);
	if (relation == nullptr)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relid)));
	api::check_readable(relation);
	int64 most = NBuffers, pages = 0;
	switch (relation->rd_rel->relkind)
	{
		case RELKIND_INDEX: pages = api::read_pages(relation, most); break;
		case RELKIND_RELATION:
		case RELKIND_MATVIEW: pages = api::read_table(relation, most); break;
		default:
			ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
							errmsg("\"%s\" is neither a table nor an index", RelationGetRelationName(relation)),
							errhint("Name partitions one by one.")));
	}
	relation_close(relation, AccessShareLock);
	PG_RETURN_INT64(pages);
}
