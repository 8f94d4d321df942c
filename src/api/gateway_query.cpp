/* SPDX-License-Identifier: PostgreSQL
 * A request of the gateway as lists of rows: each of its queries is one statement, lists are fused or rescored.
 *
 * Regime: shell.
 * Keeps:  a query's own filter and those of the requests around it hold for every list; ids that a query names are not in its answer.
 * Source: the behaviour of Qdrant 1.19 (docs/gateway.md says where this differs).
 */
#include "api/gateway_step.hpp"

extern "C" {
#include "utils/json.h"
}

#include <algorithm>

#include "api/filter.hpp"
#include "api/names.hpp"

namespace vecdb::api
{

using core::query::FusionMethod;
using core::query::FusionOptions;
using core::query::WeightMode;

constexpr int64 kDefaultLimit = 10;
constexpr int kMaxPrefetchDepth = 64;
constexpr int kMaxPrefetches = 64;  // beside each other

static RankedList run_step(const Gateway &gateway, const JsonNode *node, const FilterChain *outer, int64 depth,
						   int level);

/* --- the queries --- */

/* The candidates' ids, as has_id takes them. */
static const char *
json_of_candidates(const Step &step)
{
	const Gateway &gateway = *step.gateway;
	auto *rows = static_cast<ListRow *>(palloc(static_cast<Size>(step.candidate_count + 1) * sizeof(ListRow)));
	for (int i = 0; i < step.candidate_count; i++)
		rows[i].key = step.candidates[i].key;
	Values values;
	init_values(values);
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT pg_catalog.jsonb_agg(");
	append_json_id(&sql, gateway.target);
	appendStringInfo(&sql, ") FROM %s AS t WHERE ", gateway.target.relation);
	append_key_in(&sql, gateway.target, ids_of_rows(gateway, rows, step.candidate_count), false, values);
	run_statement(sql.data, values, {});
	const char *ids = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	return ids == nullptr ? "[]" : ids;
}

/* All filters of a step, and its candidates, as one; without a row, if one is named. */
static Datum
json_of_filters(const Step &step, const JsonNode *without)
{
	StringInfoData filter;
	initStringInfo(&filter);
	appendStringInfoString(&filter, "{\"must\": [");
	const char *comma = "";
	for (const FilterChain *chain = &step.filters; chain != nullptr; chain = chain->outer)
	{
		if (chain->filter == nullptr)
			continue;
		appendStringInfo(&filter, "%s%s", comma,
						 JsonbToCString(nullptr, &chain->filter->root, static_cast<int>(VARSIZE(chain->filter))));
		comma = ", ";
	}
	if (step.has_candidates)
		appendStringInfo(&filter, "%s{\"has_id\": %s}", comma, json_of_candidates(step));
	appendStringInfoChar(&filter, ']');
	if (without != nullptr)
	{
		Jsonb *id = json_value(without);
		appendStringInfo(&filter, ", \"must_not\": [{\"has_id\": [%s]}]",
						 JsonbToCString(nullptr, &id->root, static_cast<int>(VARSIZE(id))));
	}
	appendStringInfoChar(&filter, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(filter.data));
}

static void
append_name(StringInfo json, const char *key, const char *name)
{
	if (name == nullptr)
		return;
	appendStringInfo(json, ", \"%s\": ", key);
	escape_json(json, name);
}

static Datum
json_of_params(const SearchParams &params, Metric metric)
{
	StringInfoData json;
	initStringInfo(&json);
	appendStringInfo(&json, "{\"metric\": \"%s\", \"exact\": %s", core::distance::metric_name(metric),
					 params.exact ? "true" : "false");
	if (params.ef_search >= 0)
		appendStringInfo(&json, ", \"ef_search\": %d", params.ef_search);
	if (params.probes >= 0)
		appendStringInfo(&json, ", \"probes\": %d", params.probes);
	append_name(&json, "key_column", params.key_column);
	append_name(&json, "payload_column", params.payload_column);
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

static RankedList
run_mmr(const Step &step, const Target &target, const JsonNode *mmr, const JsonNode *input)
{
	static const char *const kKeys[] = {"diversity", "candidates_limit", nullptr};
	check_json_keys(mmr, kKeys, kUnsupported);
	if (target.element == ElementType::sparse)
		report_json(mmr, "mmr of sparse vectors is not supported", kUnsupported);
	QueryVectors vectors = query_vectors(step, target, &input, 1);
	Datum vector = vector_of_value(vectors.element, read_vector(step, vectors, input));
	bool excluded = vectors.any_id && vectors.source.excluded;
	const JsonNode *diversity = json_field(mmr, "diversity"), *candidates = json_field(mmr, "candidates_limit");
	const Key &key = step.gateway->target.key;
	Values values;
	init_values(values);
	add_value(values, REGCLASSOID, ObjectIdGetDatum(step.gateway->relid));
	add_value(values, NAMEOID,
			  DirectFunctionCall1(namein, CStringGetDatum(get_attname(target.relid, target.vec_attno, false))));
	add_value(values, key.type, Datum{0}, true);
	add_value(values, extension_names().elements[static_cast<int>(ElementType::float32)].type, vector);
	add_value(values, INT4OID, Int32GetDatum(static_cast<int32>(std::min<int64>(step.depth, PG_INT32_MAX))));
	add_value(values, FLOAT8OID, diversity == nullptr ? Datum{0} : Float8GetDatum(json_double(diversity)),
			  diversity == nullptr);
	/* Qdrant looks at as many as are wanted. */
	add_value(values, INT4OID,
			  Int32GetDatum(
				  static_cast<int32>(candidates == nullptr ? step.depth : json_integer(candidates, 1, PG_INT32_MAX))));
	add_value(values, JSONBOID, json_of_filters(step, excluded ? input : nullptr));
	add_value(values, JSONBOID, json_of_params(step.params, target.metric));
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT NULL::pg_catalog.int4");
	for (int i = 0; i < key.count; i++)
	{
		if (key.shape == KeyShape::scalar)
			appendStringInfoString(&sql, ", m.id");
		else
			appendStringInfo(&sql, ", (m.id).%s", quote_identifier(key_name(step.gateway->target, i)));
	}
	appendStringInfoString(&sql,
						   ", m.score FROM vecdb.mmr_search($1, $2, $3, $4, $5, $6, $7, $8, $9) AS m ORDER BY m.rank");
	run_statement(sql.data, values, {});
	return read_list(target, ListEnd{ScoreOf::itself, step.has_threshold, step.threshold, false});
}

static RankedList
run_nearest(const Step &step, const JsonNode *input, const JsonNode *mmr)
{
	Target target = open_vector(step);
	if (mmr != nullptr)
		return run_mmr(step, target, mmr, input);
	target.exact = target.exact || step.has_candidates;
	QueryVectors vectors = query_vectors(step, target, &input, 1);
	Datum query = value_for_column(target, vectors.element, read_vector(step, vectors, input));
	Values values;
	init_values(values);
	StringInfoData distance;
	initStringInfo(&distance);
	append_distance(&distance, target, add_value(values, target.vec_type, query));
	return run_ordered(step, target, distance.data, false, exclude_ids(target, vectors, values), ScoreOf::metric,
					   values);
}

/* By a value of type vecdb.query. */
static RankedList
run_scored(const Step &step, Target target, Datum query, const QueryVectors &vectors)
{
	if (target.vec_typmod > 0)
		check_same_indexed_dimensions(target.vec_typmod, query_value(query).dimensions, target.element);
	target.exact = target.exact || step.has_candidates;
	Values values;
	init_values(values);
	StringInfoData distance;
	initStringInfo(&distance);
	append_scored_distance(&distance, target, add_value(values, target.query_type, query));
	return run_ordered(step, target, distance.data, false, exclude_ids(target, vectors, values), ScoreOf::minus,
					   values);
}

static RankedList
run_recommend(const Step &step, const JsonNode *query)
{
	static const char *const kKeys[] = {"positive", "negative", "strategy", nullptr};
	check_json_keys(query, kKeys, kUnsupported);
	const JsonNode *positive = json_field(query, "positive"), *negative = json_field(query, "negative");
	const JsonNode *strategy = json_field(query, "strategy");
	int most = (positive == nullptr ? 0 : positive->count) + (negative == nullptr ? 0 : negative->count);
	auto **inputs = static_cast<const JsonNode **>(palloc(static_cast<Size>(most + 1) * sizeof(JsonNode *)));
	int positives = append_inputs(inputs, positive), negatives = append_inputs(inputs + positives, negative);
	core::query::Kind kind = strategy == nullptr ? core::query::Kind::average : parse_strategy(json_string(strategy));
	if (positives == 0 && (negatives == 0 || kind == core::query::Kind::average))
		report_json(query, negatives == 0 ? "at least one example is wanted"
										  : "strategy average_vector needs at least one positive example");
	Target target = open_vector(step);
	QueryVectors vectors = query_vectors(step, target, inputs, positives + negatives);
	Datum *values = read_vectors(step, vectors, inputs, positives + negatives);
	Datum value = make_recommend_query(kind, target.metric, vectors.element, Examples{values, positives},
									   Examples{values + positives, negatives});
	return run_scored(step, target, value, vectors);
}

/* Pairs, one or an array of them, behind an optional target. */
static RankedList
run_discover(const Step &step, const JsonNode *wanted, const JsonNode *pairs)
{
	static const char *const kKeys[] = {"positive", "negative", nullptr};
	bool single = pairs != nullptr && pairs->kind == JsonKind::object;
	if (pairs != nullptr && !single)
		check_json_kind(pairs, JsonKind::array);
	int count = pairs == nullptr ? 0 : single ? 1 : pairs->count;
	auto **inputs = static_cast<const JsonNode **>(palloc(static_cast<Size>(2 * count + 1) * sizeof(JsonNode *)));
	for (int i = 0; i < count; i++)
	{
		const JsonNode *pair = single ? pairs : &pairs->children[i];
		check_json_keys(pair, kKeys, kUnsupported);
		inputs[i] = json_field(pair, "positive");
		inputs[count + i] = json_field(pair, "negative");
		if (inputs[i] == nullptr || inputs[count + i] == nullptr)
			report_json(pair, "a pair needs positive and negative");
	}
	if (wanted == nullptr && count == 0)
		report_json(step.node, "context needs at least one pair");
	int all = 2 * count;
	if (wanted != nullptr)
		inputs[all++] = wanted;
	Target target = open_vector(step);
	QueryVectors vectors = query_vectors(step, target, inputs, all);
	Datum *values = read_vectors(step, vectors, inputs, all);
	Examples positive{values, count}, negative{values + count, count};
	Datum value = wanted == nullptr
					  ? make_context_query(target.metric, vectors.element, positive, negative)
					  : make_discover_query(target.metric, vectors.element, values[2 * count], positive, negative);
	return run_scored(step, target, value, vectors);
}

static RankedList
run_order_by(const Step &step, const JsonNode *order)
{
	static const char *const kKeys[] = {"key", "direction", "start_from", nullptr};
	const JsonNode *key = order, *direction = nullptr, *start = nullptr;
	if (order->kind == JsonKind::object)
	{
		check_json_keys(order, kKeys, kUnsupported);
		key = json_field(order, "key");
		direction = json_field(order, "direction");
		start = json_field(order, "start_from");
		if (key == nullptr)
			report_json(order, "order_by needs a key");
	}
	bool descending = false;
	if (direction != nullptr)
	{
		const char *name = json_string(direction);
		descending = strcmp(name, "desc") == 0;
		if (!descending && strcmp(name, "asc") != 0)
			report_json(direction, "direction is asc or desc");
	}
	const Target &target = step.gateway->target;
	Values values;
	init_values(values);
	StringInfoData field, condition;
	initStringInfo(&field);
	Oid type;
	bool json = append_field(&field, target, json_string(key), values, &type);
	initStringInfo(&condition);
	/* Rows without the value are left out. */
	if (json)
		appendStringInfo(
			&condition,
			"(pg_catalog.jsonb_typeof(%s) OPERATOR(pg_catalog.=) ANY ('{number,string,boolean}'::pg_catalog.text[]))",
			field.data);
	else
		appendStringInfo(&condition, "(%s IS NOT NULL)", field.data);
	if (start != nullptr)
	{
		int n = json ? add_value(values, JSONBOID, JsonbPGetDatum(json_value(start)))
					 : add_value(values, getBaseType(type), value_of_scalar(start, getBaseType(type)));
		appendStringInfo(&condition, " AND (%s OPERATOR(pg_catalog.%s) $%d)", field.data, descending ? "<=" : ">=", n);
	}
	/* The list's last column is a number: the order itself stands before the keys. */
	Target ordered = target;
	ordered.key.order = psprintf("%s%s, %s", field.data, descending ? " DESC" : "", target.key.order);
	return run_ordered(step, ordered, "1::pg_catalog.float8", false, condition.data, ScoreOf::itself, values);
}

static RankedList
run_by_key(const Step &step, bool random)
{
	Target target = step.gateway->target;
	if (random)
		target.key.order = "pg_catalog.random()";
	Values values;
	init_values(values);
	return run_ordered(step, target, "1::pg_catalog.float8", false, nullptr, ScoreOf::itself, values);
}

/* --- prefetches --- */

struct Lists
{
	RankedList *lists;
	int count;
};

static Lists
run_prefetches(const Step &step, const JsonNode *prefetch, int level)
{
	bool single = prefetch->kind == JsonKind::object;
	if (!single)
		check_json_kind(prefetch, JsonKind::array);
	Lists all{nullptr, single ? 1 : prefetch->count};
	if (all.count > kMaxPrefetches)
		report_json(prefetch, psprintf("there cannot be more than %d prefetches", kMaxPrefetches),
					ERRCODE_PROGRAM_LIMIT_EXCEEDED);
	all.lists = static_cast<RankedList *>(palloc(static_cast<Size>(all.count + 1) * sizeof(RankedList)));
	for (int i = 0; i < all.count; i++)
		all.lists[i] =
			run_step(*step.gateway, single ? prefetch : &prefetch->children[i], &step.filters, -1, level + 1);
	return all;
}

static RankedList
list_of_fused(const Step &step, const FusedRow *rows, int count)
{
	RankedList list{static_cast<ListRow *>(
						MemoryContextAllocHuge(CurrentMemoryContext, static_cast<Size>(count + 1) * sizeof(ListRow))),
					0};
	for (int i = 0; i < count && list.count < step.depth; i++)
	{
		if (step.has_threshold && !(rows[i].score >= step.threshold))
			break;
		list.rows[list.count++] = ListRow{rows[i].id, rows[i].key, rows[i].score};
	}
	return list;
}

/* rrf: Qdrant's constants and its way with weights. */
static RankedList
run_fusion(const Step &step, const Lists &lists, FusionMethod method, const JsonNode *rrf)
{
	static const char *const kKeys[] = {"k", "weights", nullptr};
	FusionOptions options;
	options.method = method;
	options.weight_mode = WeightMode::qdrant;
	options.k = 1;  // Qdrant's 2, which counts ranks from 0
	auto *weights = static_cast<double *>(palloc(static_cast<Size>(lists.count + 1) * sizeof(double)));
	std::fill(weights, weights + lists.count, 1.0);
	if (rrf != nullptr)
	{
		check_json_keys(rrf, kKeys, kUnsupported);
		if (const JsonNode *k = json_field(rrf, "k"); k != nullptr)
			options.k = static_cast<double>(json_integer(k, 1, PG_INT32_MAX)) - 1;
		if (const JsonNode *given = json_field(rrf, "weights"); given != nullptr)
		{
			check_json_kind(given, JsonKind::array);
			if (given->count != lists.count)
				report_json(given, psprintf("there are %d prefetches, but %d weights", lists.count, given->count));
			for (int i = 0; i < lists.count; i++)
				weights[i] = json_double(&given->children[i]);
		}
	}
	int count;
	FusedRow *rows = fuse_lists(step.gateway->comparer, lists.lists, weights, lists.count, options, &count);
	return list_of_fused(step, rows, count);
}

/* All rows of all lists, once: what the query rescores. */
static void
take_candidates(Step &step, const Lists &lists)
{
	auto *weights = static_cast<double *>(palloc0(static_cast<Size>(lists.count + 1) * sizeof(double)));
	step.candidates =
		fuse_lists(step.gateway->comparer, lists.lists, weights, lists.count, FusionOptions{}, &step.candidate_count);
	step.has_candidates = true;
}

/* --- one request or prefetch --- */

static const JsonNode *
only_key(const JsonNode *query, const char *key, const char *second = nullptr)
{
	const JsonNode *field = json_field_or_null(query, key);
	const char *keys[] = {key, second, nullptr};
	if (field != nullptr)
		check_json_keys(query, keys, kUnsupported);
	return field;
}

static RankedList
run_query(Step &step, const JsonNode *query, int level)
{
	const JsonNode *prefetch = json_field(step.node, "prefetch");
	bool fetches = prefetch != nullptr && !(prefetch->kind == JsonKind::array && prefetch->count == 0);
	Lists lists{nullptr, 0};
	if (fetches)
		lists = run_prefetches(step, prefetch, level);
	bool composite = query != nullptr && is_composite_id(*step.gateway, query);
	if (query != nullptr && query->kind == JsonKind::object && !composite)
	{
		const JsonNode *fusion = only_key(query, "fusion"), *rrf = only_key(query, "rrf");
		if ((fusion != nullptr || rrf != nullptr) && !fetches)
			report_json(query, "a fusion needs a prefetch");
		if ((fusion != nullptr || rrf != nullptr) && json_field(step.node, "using") != nullptr)
			report_json(json_field(step.node, "using"), "a fusion uses no vector");
		if (rrf != nullptr)
			return run_fusion(step, lists, FusionMethod::rrf, rrf);
		if (fusion != nullptr)
		{
			bool dbsf = strcmp(json_string(fusion), "dbsf") == 0;
			if (!dbsf && strcmp(fusion->text, "rrf") != 0)
				report_json(fusion, "fusion is rrf or dbsf");
			return run_fusion(step, lists, dbsf ? FusionMethod::dbsf : FusionMethod::rrf, nullptr);
		}
	}
	if (fetches && query == nullptr)
		report_json(step.node, "a prefetch needs a query: a fusion, or one that scores its rows anew");
	if (fetches)
		take_candidates(step, lists);
	if (query == nullptr)
		return run_by_key(step, false);
	if (query->kind != JsonKind::object || composite || json_field_or_null(query, "indices") != nullptr)
		return run_nearest(step, query, nullptr);
	if (const JsonNode *nearest = only_key(query, "nearest", "mmr"); nearest != nullptr)
		return run_nearest(step, nearest, json_field(query, "mmr"));
	if (const JsonNode *recommend = only_key(query, "recommend"); recommend != nullptr)
		return run_recommend(step, recommend);
	if (const JsonNode *discover = only_key(query, "discover"); discover != nullptr)
	{
		static const char *const kKeys[] = {"target", "context", nullptr};
		check_json_keys(discover, kKeys, kUnsupported);
		const JsonNode *wanted = json_field(discover, "target");
		if (wanted == nullptr)
			report_json(discover, "discover needs a target");
		return run_discover(step, wanted, json_field(discover, "context"));
	}
	if (const JsonNode *context = only_key(query, "context"); context != nullptr)
		return run_discover(step, nullptr, context);
	if (const JsonNode *order = only_key(query, "order_by"); order != nullptr)
		return run_order_by(step, order);
	if (const JsonNode *sample = only_key(query, "sample"); sample != nullptr)
	{
		if (strcmp(json_string(sample), "random") != 0)
			report_json(sample, "sample is random");
		return run_by_key(step, true);
	}
	if (query->count == 0)
		report_json(query, "a query is wanted");
	report_json(query, "this query is not supported", kUnsupported);
}

/* depth -1: the prefetch's own limit. */
static RankedList
run_step(const Gateway &gateway, const JsonNode *node, const FilterChain *outer, int64 depth, int level)
{
	static const char *const kKeys[] = {"prefetch",        "query", "using",       "filter", "params",
										"score_threshold", "limit", "lookup_from", nullptr};
	if (level > kMaxPrefetchDepth)
		report_json(node, psprintf("prefetches are nested more than %d deep", kMaxPrefetchDepth),
					ERRCODE_PROGRAM_LIMIT_EXCEEDED);
	if (level > 0)
		check_json_keys(node, kKeys, kUnsupported);
	Step step{};
	step.gateway = &gateway;
	step.node = node;
	step.filters.outer = outer;
	if (const JsonNode *filter = json_field(node, "filter"); filter != nullptr)
		step.filters.filter = json_value(filter);
	step.params = step_params(gateway, node);
	step.depth = depth;
	if (depth < 0)
	{
		const JsonNode *limit = json_field(node, "limit");
		step.depth = limit == nullptr ? kDefaultLimit : json_integer(limit, 1, PG_INT32_MAX);
		check_page(step.depth, 0);
	}
	if (const JsonNode *threshold = json_field(node, "score_threshold"); threshold != nullptr)
	{
		step.has_threshold = true;
		step.threshold = json_double(threshold);
	}
	return run_query(step, json_field(node, "query"), level);
}

GatewayPage
run_request(const Gateway &gateway, const JsonNode *request)
{
	static const char *const kKeys[] = {"prefetch",        "query",       "using",  "filter",       "params",
										"score_threshold", "limit",       "offset", "with_payload", "with_vector",
										"with_vectors",    "lookup_from", nullptr};
	check_json_keys(request, kKeys, kUnsupported);
	const JsonNode *limit = json_field(request, "limit"), *offset = json_field(request, "offset");
	GatewayPage page{};
	page.limit = limit == nullptr ? kDefaultLimit : json_integer(limit, 1, PG_INT32_MAX);
	page.offset = offset == nullptr ? 0 : json_integer(offset, 0, PG_INT32_MAX);
	check_page(page.limit, page.offset);
	page.list = run_step(gateway, request, nullptr, page.limit + page.offset, 0);
	return page;
}

}  // namespace vecdb::api
