/* SPDX-License-Identifier: PostgreSQL
 * Turn a core Status into a PostgreSQL error, keeping its meaning.
 *
 * Regime: shell.
 */
#include "pg/report.hpp"

namespace vecdb::pg
{

static int
sqlstate(core::Code code)
{
	switch (code)
	{
		case core::Code::out_of_memory: return ERRCODE_OUT_OF_MEMORY;
		case core::Code::cancelled: return ERRCODE_QUERY_CANCELED;
		case core::Code::invalid_text: return ERRCODE_INVALID_TEXT_REPRESENTATION;
		case core::Code::out_of_range: return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
		case core::Code::invalid_data: return ERRCODE_DATA_EXCEPTION;
		case core::Code::limit_exceeded: return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
		case core::Code::corrupt: return ERRCODE_INDEX_CORRUPTED;
		case core::Code::ok:
		case core::Code::internal: break;
	}
	return ERRCODE_INTERNAL_ERROR;
}

void
report(const core::Status &status)
{
	if (status.ok())
		return;
	ereport(ERROR, (errcode(sqlstate(status.code)), errmsg("%s", status.message),
					status.detail[0] != '\0' ? errdetail("%s", status.detail) : 0));
}

void
report_corrupt(Relation index, BlockNumber blkno, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
					errmsg("index \"%s\" is corrupted at block %u: %s", RelationGetRelationName(index), blkno, what),
					errhint("Rebuild the index with REINDEX.")));
	pg_unreachable();
}

}  // namespace vecdb::pg
