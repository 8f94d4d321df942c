/* SPDX-License-Identifier: PostgreSQL
 * vecdb.delete_points(): rows deleted by key.
 *
 * Regime: shell.
 */
#include "api/rows.hpp"

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_delete_points)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, 0, "rel"));
	ArrayType *ids = DatumGetArrayTypeP(required_argument(fcinfo, 1, "ids"));
	bool empty = ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids)) == 0;
	SPI_connect();
	SearchParams params = read_params(nullptr);
	/* An empty array says nothing of the key: '{}' is one of text. */
	Target target = open_target(relid, nullptr, empty ? InvalidOid : ARR_ELEMTYPE(ids), params);
	int64 deleted = 0;
	if (!empty)
	{
		Values values;
		init_values(values);
		StringInfoData sql;
		initStringInfo(&sql);
		appendStringInfo(&sql, "DELETE FROM %s AS t WHERE ", target.relation);
		append_key_in(&sql, target, PointerGetDatum(ids), false, values);
		StatementOptions options;
		options.read_only = false;
		run_statement(sql.data, values, options);
		deleted = static_cast<int64>(SPI_processed);
	}
	SPI_finish();
	PG_RETURN_INT64(deleted);
}
