/* SPDX-License-Identifier: PostgreSQL
 * Opening an index for the functions that look into it.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/compat.hpp"

namespace vecdb::maintenance
{

struct OwnIndex
{
	Relation heap;
	Relation index;
	Oid user;  // to go back to
	int security_context;
	int guc_level;
	LOCKMODE mode;
};

/*
 * Locks table and index, which must be a valid hnsw index of vecdb (42809) and belong to the current user (42501).
 * Until close_own_index, code of the index's expressions and predicate runs as the table's owner, restricted as in
 * maintenance commands.
 */
OwnIndex open_own_index(Oid index, LOCKMODE mode);
void close_own_index(const OwnIndex &own);

/*
 * Calls callback for each row of the table that snapshot sees and the index's predicate admits, with the index's
 * columns and the TID that the index knows the row by.
 */
void scan_indexed_rows(const OwnIndex &own, IndexInfo *info, Snapshot snapshot, IndexBuildCallback callback,
					   void *state);

}  // namespace vecdb::maintenance
