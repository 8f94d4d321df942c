/* SPDX-License-Identifier: PostgreSQL
 * vecdb.count(): rows that a filter lets through, counted or estimated.
 *
 * Regime: shell.
 */
#include "api/rows.hpp"

#include <cmath>

#include "api/filter.hpp"

namespace vecdb::api
{

Jsonb *
jsonb_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? nullptr : PG_GETARG_JSONB_P(argument);
}

const char *
text_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

const char *
spell_operator(Oid oid)
{
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", oid);
	auto form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
	const char *spelled =
		psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return spelled;
}

bool
append_where(StringInfo sql, const Target &target, Jsonb *filter, const char *condition, Values &values)
{
	StringInfoData filtered;
	initStringInfo(&filtered);
	bool has_filter = filter != nullptr && append_filter(&filtered, target, filter, values);
	if (has_filter)
		appendStringInfo(sql, " WHERE %s", filtered.data);
	if (condition != nullptr)
		appendStringInfo(sql, "%s%s", has_filter ? " AND " : " WHERE ", condition);
	return has_filter;
}

bool
is_stored(const Target &target)
{
	return target.relkind == RELKIND_RELATION || target.relkind == RELKIND_MATVIEW ||
		   target.relkind == RELKIND_PARTITIONED_TABLE;
}

double
estimate_rows(const Target &target, const char *where, const Values &values)
{
	StatementOptions options;
	options.plan = PlanChoice::custom;
	options.read_only = false;  // EXPLAIN counts as writing, whatever it explains
	run_statement(psprintf("EXPLAIN (FORMAT JSON) SELECT 1 FROM %s AS t%s", target.relation, where), values, options);
	const char *plan = SPI_processed > 0 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : nullptr;
	/* The first one is that of the topmost node. */
	static constexpr char kField[] = "\"Plan Rows\": ";
	const char *field = plan != nullptr ? strstr(plan, kField) : nullptr;
	if (field == nullptr)
		elog(ERROR, "EXPLAIN did not tell a number of rows");
	return strtod(field + strlen(kField), nullptr);
}

/* So few pages that to count them costs no more than to estimate; estimates of tables that small are far off, too. */
static bool
is_tiny(const Target &target)
{
	constexpr BlockNumber kTiny = 10;
	if (target.relkind != RELKIND_RELATION && target.relkind != RELKIND_MATVIEW)
		return false;
	Relation relation = table_open(target.relid, AccessShareLock);
	BlockNumber blocks = RelationGetNumberOfBlocks(relation);
	table_close(relation, NoLock);
	return blocks <= kTiny;
}

static int64
count_exactly(const Target &target, const char *where, const Values &values, bool custom)
{
	StatementOptions options;
	options.plan = custom ? PlanChoice::custom : PlanChoice::reusable;
	run_statement(psprintf("SELECT pg_catalog.count(*) FROM %s AS t%s", target.relation, where), values, options);
	bool isnull;
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

enum CountArgument
{
	kRel,
	kFilter,
	kExact,
	kParams,
};

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_count)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	bool exact = PG_ARGISNULL(kExact) || PG_GETARG_BOOL(kExact);
	SearchParams params = read_params(jsonb_argument(fcinfo, kParams));
	SPI_connect();
	Target target = open_target(relid, nullptr, InvalidOid, params);
	Values values;
	init_values(values);
	StringInfoData where;
	initStringInfo(&where);
	bool filtered = append_where(&where, target, jsonb_argument(fcinfo, kFilter), nullptr, values);
	if (!exact && !is_stored(target))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("rows of a view or a foreign table cannot be estimated"), errhint("Use exact => true.")));
	int64 count = exact || is_tiny(target)
					  ? count_exactly(target, where.data, values, filtered)
					  : static_cast<int64>(std::llround(estimate_rows(target, where.data, values)));
	SPI_finish();
	PG_RETURN_INT64(count);
}
