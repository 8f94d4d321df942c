/* SPDX-License-Identifier: PostgreSQL
 * Opening an index for the functions that look into it.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/compat.hpp"

namespace vecdb::maintenance
{

enum class Method
{
	hnsw,
	ivf,
	ivfflat,
};

/* Who may look. */
enum class Viewer
{
	owner,    // of the table: code of the index's expressions runs
	monitor,  // and members of pg_stat_scan_tables: nothing runs
};

struct OwnIndex
{
	Method method;
	Relation heap;
	Relation index;
	Oid user;  // to go back to
	int security_context;
	int guc_level;
	LOCKMODE mode;
};

/* Of an index of ours; null for others. */
const char *method_name(Relation index, Method &method);

/*
 * Locks table and index, which must be a valid index of vecdb (42809) that the current user may look into (42501). Until
 * close_own_index, code of the index's expressions and predicate runs as the table's owner, restricted as in maintenance
 * commands.
 */
OwnIndex open_own_index(Oid index, LOCKMODE mode, Viewer viewer = Viewer::owner);
void close_own_index(const OwnIndex &own);

/*
 * Calls callback for each row of the table that snapshot sees and the index's predicate admits, with the index's
 * columns and the TID that the index knows the row by.
 */
void scan_indexed_rows(const OwnIndex &own, IndexInfo *info, Snapshot snapshot, IndexBuildCallback callback,
					   void *state);

}  // namespace vecdb::maintenance
