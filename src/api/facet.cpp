/* SPDX-License-Identifier: PostgreSQL
 * vecdb.facet(): how often each value of a field is there.
 *
 * Regime: shell.
 * Rows are grouped by the whole field first; then arrays, of which there are fewer than rows, are taken apart into their distinct
 * elements. NULL, a missing field and JSON null count nowhere.
 */
#include "api/rows.hpp"

#include <cmath>

#include "api/filter.hpp"

namespace vecdb::api
{

enum FacetArgument
{
	kRel,
	kField,
	kK,
	kFilter,
	kExact,
	kParams,
};

/* How a field is taken apart. */
enum class FacetShape
{
	scalar,
	array,
	json,
};

struct Facet
{
	const char *expression;
	FacetShape shape;
};

/* Values can be grouped and put in order as they are. */
static bool
can_be_grouped(Oid type)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_LT_OPR);
	return OidIsValid(entry->eq_opr) && OidIsValid(entry->lt_opr);
}

static Facet
resolve_field(const Target &target, const char *field, Values &values)
{
	StringInfoData expression;
	initStringInfo(&expression);
	Oid type = JSONBOID;
	if (append_field(&expression, target, field, values, &type))
		return Facet{expression.data, FacetShape::json};
	type = getBaseType(type);
	Oid element = get_element_type(type);
	if (type == JSONBOID)
		return Facet{expression.data, FacetShape::json};
	if (!can_be_grouped(OidIsValid(element) ? element : type))
		return Facet{psprintf("pg_catalog.to_jsonb(%s)", expression.data), FacetShape::json};
	return Facet{expression.data, OidIsValid(element) ? FacetShape::array : FacetShape::scalar};
}

/* Enough of a large table for shares of one in a hundred to be told to a tenth; "" where it is not large. */
static const char *
sampling(const Target &target, double &share)
{
	constexpr double kSampledRows = 100000;
	share = 1;
	if (!is_stored(target))
		return "";
	Values none;
	init_values(none);
	double rows = estimate_rows(target, "", none);
	if (rows <= 2 * kSampledRows)
		return "";
	share = kSampledRows / rows;
	/* The same pages in each call: an answer does not change by itself. */
	return psprintf(" TABLESAMPLE pg_catalog.system (%.17g) REPEATABLE (0)", share * 100);
}

/* Columns "v" and "n" of the values. */
static const char *
elements_of(const Facet &facet)
{
	if (facet.shape == FacetShape::scalar)
		return "";
	if (facet.shape == FacetShape::array)
		return " CROSS JOIN LATERAL (SELECT DISTINCT u.e FROM pg_catalog.unnest(g.v) AS u(e) WHERE u.e IS NOT NULL) AS "
			   "d(v)";
	return " CROSS JOIN LATERAL (SELECT DISTINCT u.e FROM pg_catalog.jsonb_array_elements(CASE WHEN "
		   "pg_catalog.jsonb_typeof(g.v) "
		   "OPERATOR(pg_catalog.=) 'array' THEN g.v ELSE pg_catalog.jsonb_build_array(g.v) END) AS u(e) "
		   "WHERE u.e OPERATOR(pg_catalog.<>) 'null'::pg_catalog.jsonb) AS d(v)";
}

static void
append_statement(StringInfo sql, const Target &target, const Facet &facet, const char *sample, const char *where,
				 int32 k)
{
	const char *value = facet.shape == FacetShape::scalar ? "g.v" : "d.v";
	const char *count = facet.shape == FacetShape::scalar ? "g.n" : "pg_catalog.sum(g.n)::pg_catalog.int8";
	appendStringInfo(sql,
					 "SELECT pg_catalog.to_jsonb(%s), %s FROM (SELECT %s AS v, pg_catalog.count(*) AS n FROM %s AS "
					 "t%s%s GROUP BY 1) AS g%s",
					 value, count, facet.expression, target.relation, sample, where, elements_of(facet));
	if (facet.shape != FacetShape::scalar)
		appendStringInfo(sql, " GROUP BY %s", value);
	appendStringInfo(sql, " ORDER BY 2 DESC, %s LIMIT %d", value, k);
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_facet)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *field = TextDatumGetCString(required_argument(fcinfo, kField, "field"));
	int32 k = PG_ARGISNULL(kK) ? 10 : PG_GETARG_INT32(kK);
	check_page(k, 0);
	bool exact = PG_ARGISNULL(kExact) || PG_GETARG_BOOL(kExact);
	SearchParams params = read_params(jsonb_argument(fcinfo, kParams));
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, nullptr, InvalidOid, params);
	Values values;
	init_values(values);
	Facet facet = resolve_field(target, field, values);
	StringInfoData where, sql;
	initStringInfo(&where);
	append_where(&where, target, jsonb_argument(fcinfo, kFilter), psprintf("(%s) IS NOT NULL", facet.expression),
				 values);
	double share = 1;
	const char *sample = exact ? "" : sampling(target, share);
	initStringInfo(&sql);
	append_statement(&sql, target, facet, sample, where.data, k);
	StatementOptions options;
	options.plan = PlanChoice::custom;
	run_statement(sql.data, values, options);
	for (uint64 i = 0; i < SPI_tuptable->numvals; i++)
	{
		Datum row[2];
		bool nulls[2];
		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, row, nulls);
		if (share < 1)
			row[1] = Int64GetDatum(std::llround(static_cast<double>(DatumGetInt64(row[1])) / share));
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	}
	SPI_finish();
	return Datum{0};
}
