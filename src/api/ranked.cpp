/* SPDX-License-Identifier: PostgreSQL
 * The nearest rows of a target, as rows of a set-returning function.
 *
 * Regime: shell.
 * Keeps:  what ends an answer early (a distance that is NULL or NaN, a score under the threshold) sorts after all that
 *         does not, so the statement's first k + skip rows hold the page.
 */
#include "api/ranked.hpp"

#include <cmath>

#include "api/filter.hpp"
#include "api/ids.hpp"

namespace vecdb::api
{

static int32
int_argument(FunctionCallInfo fcinfo, int argument, int32 otherwise)
{
	return PG_ARGISNULL(argument) ? otherwise : PG_GETARG_INT32(argument);
}

PageRequest
read_page(FunctionCallInfo fcinfo, int first)
{
	PageRequest page;
	page.k = int_argument(fcinfo, first, page.k);
	page.skip = int_argument(fcinfo, first + 1, page.skip);
	check_page(page.k, page.skip);
	if (!PG_ARGISNULL(first + 2))
		page.filter = PG_GETARG_JSONB_P(first + 2);
	if (!PG_ARGISNULL(first + 3))
	{
		page.has_threshold = true;
		page.threshold = PG_GETARG_FLOAT8(first + 3);
	}
	page.params = read_params(PG_ARGISNULL(first + 4) ? nullptr : PG_GETARG_JSONB_P(first + 4));
	return page;
}

ReturnSetInfo *
begin_rows(FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
}

Oid
argument_type(FunctionCallInfo fcinfo, int argument, const char *name)
{
	Oid type = get_fn_expr_argtype(fcinfo->flinfo, argument);
	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("could not determine the type of argument \"%s\"", name)));
	return type;
}

Datum
required_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		report_null_argument(name);
	return PG_GETARG_DATUM(argument);
}

/* The filter and the further condition, of which values decide how selective they are. */
static void
append_conditions(StringInfo sql, const Target &target, const PageRequest &page, const Ranking &ranking, Values &values)
{
	bool filtered = page.filter != nullptr && append_filter(sql, target, page.filter, values);
	if (ranking.condition != nullptr)
		appendStringInfo(sql, "%s%s", filtered ? " AND " : "", ranking.condition);
}

IdMaker
append_ranked_select(StringInfo sql, const Target &target, const char *distance, const char *condition, int64 k,
					 int64 skip)
{
	appendStringInfoString(sql, "SELECT ");
	IdMaker ids = append_id_columns(sql, target);
	appendStringInfo(sql, "%s FROM %s AS t", distance, target.relation);
	if (condition[0] != '\0')
		appendStringInfo(sql, " WHERE %s", condition);
	appendStringInfo(sql, " ORDER BY %s, %s LIMIT " INT64_FORMAT, distance, target.key.order, k);
	if (skip > 0)
		appendStringInfo(sql, " OFFSET " INT64_FORMAT, skip);
	return ids;
}

struct Placed
{
	double distance, score;
};

/* Of the value that rows are ordered by. 0 minus: no score or distance is minus zero. */
static Placed
placed(const Target &target, const Ranking &ranking, double value)
{
	double similarity = ranking.scored ? 0 - value : score_of_distance(target.metric, value);
	if (ranking.formula == nullptr)
		return Placed{value, similarity};
	if (ranking.formula->kind == core::query::Kind::average)
		return Placed{ranking.scored ? distance_of_score(target.metric, similarity) : value, similarity};
	double score = ranking.scored ? similarity : core::query::score(*ranking.formula, &similarity);
	return Placed{0 - score, score};
}

void
put_ranked_rows(ReturnSetInfo *result, const Target &target, const PageRequest &page, const Ranking &ranking,
				Values &values)
{
	StringInfoData distance, condition, sql;
	initStringInfo(&distance);
	initStringInfo(&condition);
	initStringInfo(&sql);
	if (ranking.scored)
		append_scored_distance(&distance, target, ranking.query);
	else
		append_distance(&distance, target, ranking.query);
	append_conditions(&condition, target, page, ranking, values);
	IdMaker ids = append_ranked_select(&sql, target, distance.data, condition.data, page.k, page.skip);
	StatementOptions options;
	options.variant = settings_variant(page.params);
	/* A generic plan cannot tell whether an index is of the metric of a query by examples. */
	if (page.filter != nullptr || ranking.scored || (ranking.condition != nullptr && !ranking.condition_leaves_most))
		options.plan = PlanChoice::custom;
	int settings = begin_settings(page.params);
	run_statement(sql.data, values, options);
	end_settings(settings);

	TupleDesc columns = SPI_tuptable->tupdesc;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum row[4];
		bool nulls[4] = {};
		HeapTuple tuple = SPI_tuptable->vals[i];
		row[1] = heap_getattr(tuple, ids.count + 1, columns, &nulls[1]);
		if (nulls[1] || std::isnan(DatumGetFloat8(row[1])))
			break;
		Placed place = placed(target, ranking, DatumGetFloat8(row[1]));
		/* A threshold that is NaN is above all scores, as float8 orders. */
		if (page.has_threshold && !(place.score >= page.threshold))
			break;
		row[0] = make_id(ids, tuple, columns, 1, &nulls[0]);
		row[1] = Float8GetDatum(place.distance);
		row[2] = Float8GetDatum(place.score);
		row[3] = Int64GetDatum(static_cast<int64>(i) + page.skip + 1);
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	}
}

}  // namespace vecdb::api
