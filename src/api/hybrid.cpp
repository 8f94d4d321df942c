/* SPDX-License-Identifier: PostgreSQL
 * vecdb.hybrid_search(): several searches of one relation, their answers fused.
 *
 * Regime: shell.
 */
#include "api/hybrid.hpp"

#include <algorithm>

#include "api/json_tree.hpp"
#include "api/legs.hpp"
#include "api/ranked.hpp"

namespace vecdb::api
{

using core::query::FusionMethod;
using core::query::FusionOptions;
using core::query::WeightMode;

enum Argument : int
{
	kRel,
	kKey,
	kLegs,
	kFusion,
	kK,
	kSkip,
	kFilter,
	kFusionParams,
	kParams,
};

constexpr int kMaxLegs = 64;

int64
list_depth(int64 k, int64 skip)
{
	return std::min<int64>(std::max<int64>(100, 4 * (k + skip)), PG_INT32_MAX);
}

/* Only of the method that it means something to. */
static const JsonNode *
method_param(const JsonNode *params, const char *key, bool known)
{
	const JsonNode *field = params == nullptr ? nullptr : json_field(params, key);
	if (field != nullptr && !known)
		report_json(field, psprintf("%s means nothing to this fusion", key));
	return field;
}

static FusionOptions
fusion_options(FusionMethod method, const JsonNode *params)
{
	static const char *const kKeys[] = {"k", "weights", "weight_mode", "alpha", "normalize", nullptr};
	if (params != nullptr)
		check_json_keys(params, kKeys);
	FusionOptions options;
	options.method = method;
	if (const JsonNode *k = method_param(params, "k", method == FusionMethod::rrf); k != nullptr)
	{
		options.k = json_double(k);
		if (options.k < 0)
			report_json(k, "k must be at least 0");
	}
	if (const JsonNode *mode = method_param(params, "weight_mode", method == FusionMethod::rrf); mode != nullptr)
	{
		const char *name = json_string(mode);
		if (strcmp(name, "qdrant") == 0)
			options.weight_mode = WeightMode::qdrant;
		else if (strcmp(name, "linear") != 0)
			report_json(mode, "weight_mode is linear or qdrant");
	}
	if (const JsonNode *normalize = method_param(params, "normalize", method == FusionMethod::product);
		normalize != nullptr)
		options.normalize = json_boolean(normalize);
	return options;
}

/* weights of fusion_params, else the legs' own, else alpha and 1 - alpha, else equal ones. */
static double *
leg_weights(const Leg *legs, int count, FusionMethod method, const JsonNode *params)
{
	auto *weights = static_cast<double *>(palloc(static_cast<Size>(count) * sizeof(double)));
	const JsonNode *given = method_param(params, "weights", method != FusionMethod::product);
	const JsonNode *alpha = method_param(params, "alpha", method == FusionMethod::relative_score);
	const Leg *weighted = std::find_if(legs, legs + count, [](const Leg &leg) { return leg.has_weight; });
	bool legs_weigh = weighted != legs + count;
	if (legs_weigh && method == FusionMethod::product)
		report_json(weighted->at, "a product has no weights");
	if ((given != nullptr) + (alpha != nullptr) + legs_weigh > 1)
		report_json(given != nullptr ? given : alpha, "weights are given twice");
	if (given != nullptr)
		check_json_kind(given, JsonKind::array);
	if (given != nullptr && given->count != count)
		report_json(given, psprintf("there are %d legs, but %d weights", count, given->count));
	if (alpha != nullptr && count != 2)
		report_json(alpha, psprintf("alpha is of two legs, not %d", count));
	for (int i = 0; i < count; i++)
	{
		weights[i] = method == FusionMethod::relative_score && !legs_weigh ? 1.0 / count : 1;
		if (given != nullptr)
			weights[i] = json_double(&given->children[i]);
		else if (legs_weigh)
			weights[i] = legs[i].has_weight ? legs[i].weight : 1;
		if (weights[i] < 0)
			report_json(&given->children[i], "a weight must be at least 0");
	}
	if (method == FusionMethod::relative_score && count == 2 && given == nullptr && !legs_weigh)
	{
		double share = alpha == nullptr ? 0.7 : json_double(alpha);
		if (share < 0 || share > 1)
			report_json(alpha, "alpha must be between 0 and 1");
		/* The dense leg's share, wherever it stands. */
		int dense = legs[0].type != LegType::dense && legs[1].type == LegType::dense ? 1 : 0;
		weights[dense] = share;
		weights[1 - dense] = 1 - share;
	}
	return weights;
}

static FusionMethod
fusion_method(Datum name)
{
	char *spelled = TextDatumGetCString(name);
	FusionMethod method;
	if (!core::query::parse_fusion_method(spelled, method))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no fusion \"%s\"", spelled),
						errhint("Fusions are rrf, relative_score, dbsf and product.")));
	return method;
}

static void
put_fused_rows(ReturnSetInfo *result, const FusedRow *rows, int row_count, const RankedList *lists, int list_count,
			   int64 k, int64 skip)
{
	auto *values = static_cast<Datum *>(palloc(static_cast<Size>(list_count) * sizeof(Datum)));
	auto *nulls = static_cast<bool *>(palloc(static_cast<Size>(list_count)));
	int dimensions[1] = {list_count}, bounds[1] = {1};
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "vecdb fused row", ALLOCSET_SMALL_SIZES);
	for (int64 i = skip; i < row_count && i - skip < k; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);
		const FusedRow &row = rows[i];
		Datum columns[5];
		bool column_nulls[5] = {};
		columns[0] = row.id;
		columns[1] = Float8GetDatum(row.score);
		columns[2] = Int64GetDatum(i + 1);
		for (int list = 0; list < list_count; list++)
		{
			nulls[list] = row.ranks[list] == 0;
			values[list] = Int32GetDatum(row.ranks[list]);
		}
		columns[3] = PointerGetDatum(
			construct_md_array(values, nulls, 1, dimensions, bounds, INT4OID, sizeof(int32), true, TYPALIGN_INT));
		for (int list = 0; list < list_count; list++)
			values[list] = nulls[list] ? Datum{0} : Float8GetDatum(lists[list].rows[row.ranks[list] - 1].score);
		columns[4] = PointerGetDatum(construct_md_array(values, nulls, 1, dimensions, bounds, FLOAT8OID, sizeof(float8),
														FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
		MemoryContextSwitchTo(old);
		tuplestore_putvalues(result->setResult, result->setDesc, columns, column_nulls);
		MemoryContextReset(row_context);
	}
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_hybrid_search)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	Jsonb *legs_json = DatumGetJsonbP(required_argument(fcinfo, kLegs, "legs"));
	FusionMethod method = PG_ARGISNULL(kFusion) ? FusionMethod::rrf : fusion_method(PG_GETARG_DATUM(kFusion));
	int64 k = PG_ARGISNULL(kK) ? 10 : PG_GETARG_INT32(kK), skip = PG_ARGISNULL(kSkip) ? 0 : PG_GETARG_INT32(kSkip);
	check_page(k, skip);
	LegContext context{relid, argument_type(fcinfo, kKey, "key"), nullptr, {}, list_depth(k, skip)};
	if (!PG_ARGISNULL(kFilter))
		context.filter = PG_GETARG_JSONB_P(kFilter);
	context.params = read_params(PG_ARGISNULL(kParams) ? nullptr : PG_GETARG_JSONB_P(kParams));
	const JsonNode *params = PG_ARGISNULL(kFusionParams) ? nullptr
														 : read_json(PG_GETARG_JSONB_P(kFusionParams), "fusion_params");

	const JsonNode *nodes = read_json(legs_json, "legs");
	check_json_kind(nodes, JsonKind::array);
	if (nodes->count == 0)
		report_json(nodes, "at least one leg is wanted");
	if (nodes->count > kMaxLegs)
		report_json(nodes, psprintf("there cannot be more than %d legs", kMaxLegs), ERRCODE_PROGRAM_LIMIT_EXCEEDED);
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	int count = nodes->count;
	auto *legs = static_cast<Leg *>(palloc(static_cast<Size>(count) * sizeof(Leg)));
	for (int i = 0; i < count; i++)
		legs[i] = read_leg(&nodes->children[i], context);
	FusionOptions options = fusion_options(method, params);
	double *weights = leg_weights(legs, count, method, params);
	KeyComparer comparer = key_comparer(open_target(relid, nullptr, context.witness, context.params));
	auto *lists = static_cast<RankedList *>(palloc(static_cast<Size>(count) * sizeof(RankedList)));
	for (int i = 0; i < count; i++)
		lists[i] = run_leg(legs[i], context);
	int row_count;
	FusedRow *rows = fuse_lists(comparer, lists, weights, count, options, &row_count);
	put_fused_rows(result, rows, row_count, lists, count, k, skip);
	SPI_finish();
	return Datum{0};
}
