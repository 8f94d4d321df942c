/* SPDX-License-Identifier: PostgreSQL
 * vecdb.mmr_search(): rows near a query and unlike one another, by maximal marginal relevance.
 *
 * Regime: shell.
 * Keeps:  rows are compared by the operator of the metric, so that SQL that does the same has the same answer.
 * Cost:   candidates * k distances, with a check for interrupts at each choice.
 */
#include "vecdb/query/mmr.hpp"

#include <cmath>

#include "api/names.hpp"
#include "api/nearest.hpp"

namespace vecdb::api
{

namespace mmr
{

enum Argument : int
{
	kRel,
	kVec,
	kKey,
	kQuery,
	kK,
	kDiversity,
	kCandidates,
	kFilter,
	kParams,
};

}  // namespace mmr

constexpr int32 kMaxCandidates = 16384;

struct Candidate
{
	HeapTuple tuple;  // key columns, distance, vector
	double distance;
	Datum vector;
};

struct Candidates
{
	int count;
	Candidate *rows;    // nearest first
	double *relevance;  // their scores
};

/* As many as are to be looked at for k rows: enough that there is a choice. */
static int32
candidates_argument(FunctionCallInfo fcinfo, int32 k)
{
	constexpr int32 kLeast = 100, kTimes = 4;
	bool given = !PG_ARGISNULL(mmr::kCandidates);
	int32 candidates = given                         ? PG_GETARG_INT32(mmr::kCandidates)
					   : k > kMaxCandidates / kTimes ? (k > kMaxCandidates ? k : kMaxCandidates)
													 : (k * kTimes > kLeast ? k * kTimes : kLeast);
	if (candidates < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("candidates must be at least 1, not %d", candidates)));
	if (candidates > kMaxCandidates)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%s must not be above %d, but is %d", given ? "candidates" : "k of mmr_search",
							   kMaxCandidates, candidates)));
	return candidates;
}

static double
diversity_argument(FunctionCallInfo fcinfo)
{
	constexpr double kUsual = 0.5;
	double diversity = PG_ARGISNULL(mmr::kDiversity) ? kUsual : PG_GETARG_FLOAT8(mmr::kDiversity);
	if (!(diversity >= 0 && diversity <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("diversity must be between 0 and 1, not %g", diversity)));
	return diversity;
}

/* The rows of the last statement, up to the first that has no distance. */
static Candidates
take_candidates(const Target &target, const IdMaker &ids)
{
	Candidates all{};
	all.rows = static_cast<Candidate *>(palloc((SPI_processed + 1) * sizeof(Candidate)));
	all.relevance = static_cast<double *>(palloc((SPI_processed + 1) * sizeof(double)));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool is_null;
		Candidate &row = all.rows[all.count];
		row.tuple = SPI_tuptable->vals[i];
		Datum distance = heap_getattr(row.tuple, ids.count + 1, SPI_tuptable->tupdesc, &is_null);
		if (is_null || std::isnan(DatumGetFloat8(distance)))
			break;
		row.distance = DatumGetFloat8(distance);
		row.vector =
			PointerGetDatum(PG_DETOAST_DATUM(heap_getattr(row.tuple, ids.count + 2, SPI_tuptable->tupdesc, &is_null)));
		all.relevance[all.count++] = score_of_distance(target.metric, row.distance);
	}
	return all;
}

static void
put_row(ReturnSetInfo *result, const IdMaker &ids, const Candidate &row, double score, int64 rank)
{
	bool nulls[4] = {};
	Datum values[4] = {make_id(ids, row.tuple, SPI_tuptable->tupdesc, 1, &nulls[0]), Float8GetDatum(row.distance),
					   Float8GetDatum(score), Int64GetDatum(rank)};
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
choose_rows(ReturnSetInfo *result, const Target &target, const IdMaker &ids, const Candidates &all, int32 k,
			double lambda)
{
	FmgrInfo distance;
	const TypeNames &type = extension_names().elements[static_cast<int>(target.element)];
	fmgr_info(get_opcode(type.distances[static_cast<int>(target.metric)]), &distance);
	auto *likeness = static_cast<double *>(palloc(static_cast<Size>(all.count + 1) * sizeof(double)));
	core::query::MmrChoice choice(all.count, all.relevance, likeness, lambda);
	for (int32 rank = 1; rank <= k; rank++)
	{
		CHECK_FOR_INTERRUPTS();
		int chosen = choice.next();
		if (chosen < 0)
			break;
		put_row(result, ids, all.rows[chosen], all.relevance[chosen], rank);
		/* Neither the last choice nor one by relevance alone is compared with the others. */
		for (int i = 0; i < all.count && rank < k && lambda < 1; i++)
		{
			if (choice.chosen(i))
				continue;
			Datum apart = FunctionCall2Coll(&distance, InvalidOid, all.rows[i].vector, all.rows[chosen].vector);
			choice.note(i, score_of_distance(target.metric, DatumGetFloat8(apart)));
		}
	}
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_mmr_search)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, mmr::kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, mmr::kVec, "vec")));
	Datum query = required_argument(fcinfo, mmr::kQuery, "query");
	PageRequest page;
	if (!PG_ARGISNULL(mmr::kK))
		page.k = PG_GETARG_INT32(mmr::kK);
	check_page(page.k, page.skip);
	double diversity = diversity_argument(fcinfo);
	int32 candidates = candidates_argument(fcinfo, page.k);
	if (!PG_ARGISNULL(mmr::kFilter))
		page.filter = PG_GETARG_JSONB_P(mmr::kFilter);
	page.params = read_params(PG_ARGISNULL(mmr::kParams) ? nullptr : PG_GETARG_JSONB_P(mmr::kParams));
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, vec, argument_type(fcinfo, mmr::kKey, "key"), page.params);
	Values values;
	init_values(values);
	StringInfoData sql;
	initStringInfo(&sql);
	StatementOptions options;
	IdMaker ids = append_nearest_select(&sql, target, page, query, target.vec, nullptr, values, options);
	appendStringInfo(&sql, " LIMIT %d", candidates);
	int settings = begin_settings(page.params);
	run_statement(sql.data, values, options);
	end_settings(settings);
	choose_rows(result, target, ids, take_candidates(target, ids), page.k, 1 - diversity);
	SPI_finish();
	return Datum{0};
}
