/* SPDX-License-Identifier: PostgreSQL
 * The legs of a hybrid search: read from JSON, run as statements.
 *
 * Regime: shell.
 * Keeps:  a leg is "ORDER BY distance, key LIMIT depth" over the relation alone, the form that an index serves.
 */
#include "api/legs.hpp"

extern "C" {
#include "catalog/pg_ts_config.h"
#include "tsearch/ts_cache.h"
#include "utils/varlena.h"
}

#include <algorithm>

#include "api/bm25.hpp"
#include "api/filter.hpp"
#include "api/key.hpp"
#include "api/names.hpp"

namespace vecdb::api
{

constexpr int64 kMostRows = PG_INT32_MAX;

/* --- reading --- */

static LegType
leg_type(const JsonNode *leg)
{
	static const char *const kNames[] = {"dense", "sparse", "bm25", "fts"};
	const JsonNode *type = json_field(leg, "type");
	if (type == nullptr)
		report_json(leg, "a leg needs a type: dense, sparse, bm25 or fts");
	const char *name = json_string(type);
	for (int i = 0; i < static_cast<int>(lengthof(kNames)); i++)
		if (strcmp(name, kNames[i]) == 0)
			return static_cast<LegType>(i);
	report_json(type, psprintf("there is no type of leg \"%s\": it is dense, sparse, bm25 or fts", name));
}

/* The leg's own params before those of the call. */
static SearchParams
leg_params(const JsonNode *node, const LegContext &context)
{
	SearchParams params = context.params;
	if (node == nullptr)
		return params;
	check_json_kind(node, JsonKind::object);
	SearchParams own = read_params(json_value(node));
	if (own.key_column != nullptr || own.payload_column != nullptr)
		report_json(node, "key_column and payload_column are of the whole search, not of a leg");
	if (own.has_metric)
	{
		params.has_metric = true;
		params.metric = own.metric;
	}
	params.exact = json_field(node, "exact") != nullptr ? own.exact : params.exact;
	params.ef_search = own.ef_search >= 0 ? own.ef_search : params.ef_search;
	params.probes = own.probes >= 0 ? own.probes : params.probes;
	return params;
}

Leg
read_leg(const JsonNode *node, const LegContext &context)
{
	static const char *const kKeys[] = {"type", "column", "query",           "k",    "weight", "filter", "config",
										"idf",  "params", "score_threshold", nullptr};
	check_json_keys(node, kKeys);
	Leg leg{};
	leg.at = node;
	leg.type = leg_type(node);
	const JsonNode *column = json_field(node, "column");
	if (column == nullptr)
		report_json(node, "a leg needs a column");
	leg.column = json_string(column);
	leg.query = json_field_or_null(node, "query");
	if (leg.query == nullptr)
		report_json(node, "a leg needs a query");
	if (leg.query->kind == JsonKind::null)
		report_json(leg.query, "the query must not be null", ERRCODE_NULL_VALUE_NOT_ALLOWED);
	leg.depth = context.depth;
	if (const JsonNode *k = json_field(node, "k"); k != nullptr)
	{
		leg.depth = json_integer(k, 1, kMostRows);
		check_page(leg.depth, 0);
	}
	if (const JsonNode *weight = json_field(node, "weight"); weight != nullptr)
	{
		leg.has_weight = true;
		leg.weight = json_double(weight);
		if (leg.weight < 0)
			report_json(weight, "a weight must be at least 0");
	}
	if (const JsonNode *filter = json_field(node, "filter"); filter != nullptr)
		leg.filter = json_value(filter);
	bool text = leg.type == LegType::bm25 || leg.type == LegType::fts;
	if (const JsonNode *config = json_field(node, "config"); config != nullptr)
	{
		if (!text)
			report_json(config, "config is of legs of type bm25 and fts");
		leg.config = json_string(config);
	}
	if (const JsonNode *idf = json_field(node, "idf"); idf != nullptr)
	{
		leg.idf = json_boolean(idf);
		if (leg.type != LegType::bm25 && leg.type != LegType::sparse)
			report_json(idf, "idf is of legs of type bm25 and sparse");
	}
	if (const JsonNode *threshold = json_field(node, "score_threshold"); threshold != nullptr)
	{
		leg.has_threshold = true;
		leg.threshold = json_double(threshold);
	}
	leg.params = leg_params(json_field(node, "params"), context);
	if (leg.type == LegType::sparse || leg.type == LegType::bm25)
	{
		const JsonNode *params = json_field(node, "params");
		if (params != nullptr && json_field(params, "metric") != nullptr && leg.params.metric != Metric::inner_product)
			report_json(params, "a sparse leg is scored by the inner product");
		leg.params.has_metric = true;
		leg.params.metric = Metric::inner_product;
	}
	return leg;
}

/* --- queries --- */

static Datum
text_as(const char *text, Oid type, int32 typmod)
{
	Oid input, element;
	getTypeInputInfo(type, &input, &element);
	return OidInputFunctionCall(input, const_cast<char *>(text), element, typmod);
}

/* {"indices": [0, 7], "values": [.5, 1]}: indices from 0, as Qdrant has them; dimensions as of the column, if it says. */
static const char *
sparse_text(const JsonNode *node, const Target &target)
{
	static const char *const kKeys[] = {"indices", "values", "dimensions", nullptr};
	check_json_keys(node, kKeys);
	const JsonNode *indices = json_field(node, "indices"), *values = json_field(node, "values");
	if (indices == nullptr || values == nullptr)
		report_json(node, "a sparse vector needs indices and values");
	check_json_kind(indices, JsonKind::array);
	check_json_kind(values, JsonKind::array);
	if (indices->count != values->count)
		report_json(values, "indices and values differ in number");
	int64 dimensions = target.vec_typmod >= 0 ? target.vec_typmod : kMaxSparseDimensions;
	if (const JsonNode *own = json_field(node, "dimensions"); own != nullptr)
		dimensions = json_integer(own, 1, kMaxSparseDimensions);
	StringInfoData text;
	initStringInfo(&text);
	appendStringInfoChar(&text, '{');
	for (int i = 0; i < indices->count; i++)
	{
		check_json_kind(&values->children[i], JsonKind::number);
		appendStringInfo(&text, "%s" INT64_FORMAT ":%s", i == 0 ? "" : ",",
						 json_integer(&indices->children[i], 0, dimensions - 1) + 1,
						 json_scalar_text(&values->children[i]));
	}
	appendStringInfo(&text, "}/" INT64_FORMAT, dimensions);
	return text.data;
}

Datum
vector_of_json(const JsonNode *node)
{
	if (node->kind != JsonKind::array && node->kind != JsonKind::string)
		report_json(node, "a vector, as [1,2] or \"[1,2]\", is wanted");
	const char *text = node->kind == JsonKind::array ? json_numbers_text(node) : node->text;
	return text_as(text, extension_names().elements[static_cast<int>(ElementType::float32)].type, -1);
}

Datum
query_of_json(const JsonNode *node, const Target &target)
{
	if (target.element == ElementType::sparse && node->kind == JsonKind::object)
		return text_as(sparse_text(node, target), target.vec_type, target.vec_typmod);
	if (target.element == ElementType::sparse && node->kind == JsonKind::string && strchr(node->text, '{') != nullptr)
		return text_as(node->text, target.vec_type, target.vec_typmod);
	if (target.element == ElementType::sparse && node->kind != JsonKind::array && node->kind != JsonKind::string)
		report_json(node, "a sparse vector, as {\"indices\": [], \"values\": []} or \"{1:0.5}/3\", is wanted");
	return query_for_column(target, vector_of_json(node));
}

static Oid
leg_config(const Leg &leg)
{
	if (leg.config == nullptr)
		return getTSCurrentConfig(true);
	List *names = textToQualifiedNameList(cstring_to_text(leg.config));
	return get_ts_config_oid(names, false);
}

/* --- running --- */

/*
 * A list is wanted to its depth: a search that was told of fewer rows widens step by step on its way there, at several times the cost.
 * Some rows more: those that settle the last tie.
 */
static SearchParams
params_for_depth(const SearchParams &params, int64 depth)
{
	constexpr int64 kTies = 16, kMostEf = 1000;
	SearchParams deep = params;
	const char *set = GetConfigOption("hnsw.ef_search", true, false);
	int64 wanted = std::min(depth + kTies, kMostEf);
	if (params.ef_search < 0 && set != nullptr && wanted > pg_strtoint32(set))
		deep.ef_search = static_cast<int>(wanted);
	return deep;
}

RankedList
run_list(const Target &target, const ListStatement &statement, const ListEnd &end, const SearchParams &params,
		 Values &values)
{
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_list_columns(&sql, target);
	appendStringInfo(&sql, ", %s FROM %s AS t", statement.order, target.relation);
	StatementOptions options;
	if (statement.conditions[0] != '\0')
	{
		appendStringInfo(&sql, " WHERE %s", statement.conditions);
		options.plan = PlanChoice::custom;
	}
	appendStringInfo(&sql, " ORDER BY %s%s, %s LIMIT " INT64_FORMAT, statement.order,
					 statement.descending ? " DESC" : "", target.key.order, statement.depth);
	bool by_vector = end.score_of != ScoreOf::itself;
	int settings = begin_settings(by_vector ? params_for_depth(params, statement.depth) : params);
	run_statement(sql.data, values, options);
	end_settings(settings);
	return read_list(target, end);
}

static void
append_and(StringInfo conditions)
{
	if (conditions->len > 0)
		appendStringInfoString(conditions, " AND ");
}

static void
append_leg_filters(StringInfo conditions, const Leg &leg, const LegContext &context, const Target &target,
				   Values &values)
{
	for (Jsonb *filter : {context.filter, leg.filter})
	{
		StringInfoData condition;
		initStringInfo(&condition);
		if (filter == nullptr || !append_filter(&condition, target, filter, values))
			continue;
		append_and(conditions);
		appendStringInfoString(conditions, condition.data);
	}
}

/* How rare the query's terms are among all rows that the caller may see: one pass over the column. */
static Datum
with_idf(Datum query, const Target &target)
{
	Values values;
	init_values(values);
	add_value(values, target.vec_type, query);
	run_statement(psprintf("SELECT vecdb.bm25_idf(%s, $1) FROM %s AS t", target.vec, target.relation), values, {});
	bool is_null;
	Datum weighted = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	return is_null ? query : weighted;
}

static RankedList
run_vector_leg(const Leg &leg, const LegContext &context)
{
	Target target = open_target(context.relid, leg.column, context.witness, leg.params);
	bool sparse = leg.type != LegType::dense;
	if ((target.element == ElementType::sparse) != sparse)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" is of type %s", leg.column, format_type_be(target.vec_type)),
						errdetail("At %s.", json_path(leg.at)),
						errhint("Legs of type dense search columns of type vector, halfvec and int8vec; sparse and "
								"bm25 those of type sparsevec.")));
	Datum query = leg.type == LegType::bm25
					  ? bm25_query_of_text(CStringGetTextDatum(json_string(leg.query)), leg_config(leg))
					  : query_of_json(leg.query, target);
	if (sparse)
		check_same_sparse_dimensions(target.vec_typmod >= 0 ? target.vec_typmod : sparse_view(query).dim,
									 sparse_view(query).dim);
	if (leg.idf)
		query = with_idf(query, target);
	if (sparse && sparse_view(query).nnz == 0)
		return RankedList{nullptr, 0};
	Values values;
	init_values(values);
	StringInfoData distance, conditions;
	initStringInfo(&distance);
	append_distance(&distance, target, add_value(values, target.vec_type, query));
	initStringInfo(&conditions);
	append_leg_filters(&conditions, leg, context, target, values);
	ListStatement statement{distance.data, false, conditions.data, leg.depth};
	ListEnd end{ScoreOf::metric, leg.has_threshold, leg.threshold, sparse};
	return run_list(target, statement, end, leg.params, values);
}

/* The column as an expression of type tsvector. */
static const char *
text_expression(const Leg &leg, const Target &target, Oid config, Values &values)
{
	Relation relation = relation_open(target.relid, NoLock);
	AttrNumber attno = find_column(relation, leg.column);
	Oid type = getBaseType(TupleDescAttr(RelationGetDescr(relation), attno - 1)->atttypid);
	relation_close(relation, NoLock);
	const char *column = column_reference(leg.column);
	if (type == TSVECTOROID)
		return column;
	if (type == TEXTOID || type == VARCHAROID || type == BPCHAROID)
		return psprintf("pg_catalog.to_tsvector($%d, %s)", add_value(values, REGCONFIGOID, ObjectIdGetDatum(config)),
						column);
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("column \"%s\" is of type %s, not tsvector or text", leg.column, format_type_be(type)),
					errdetail("At %s.", json_path(leg.at))));
	pg_unreachable();
}

static RankedList
run_text_leg(const Leg &leg, const LegContext &context)
{
	Target target = open_target(context.relid, nullptr, context.witness, leg.params);
	Oid config = leg_config(leg);
	Values values;
	init_values(values);
	const char *document = text_expression(leg, target, config, values);
	Datum query = DirectFunctionCall2(websearch_to_tsquery_byid, ObjectIdGetDatum(config),
									  CStringGetTextDatum(json_string(leg.query)));
	int n = add_value(values, TSQUERYOID, query);
	StringInfoData conditions;
	initStringInfo(&conditions);
	appendStringInfo(&conditions, "(%s OPERATOR(pg_catalog.@@) $%d)", document, n);
	append_leg_filters(&conditions, leg, context, target, values);
	const char *score = psprintf("pg_catalog.ts_rank_cd(%s, $%d)::pg_catalog.float8", document, n);
	ListStatement statement{score, true, conditions.data, leg.depth};
	ListEnd end{ScoreOf::itself, leg.has_threshold, leg.threshold, false};
	return run_list(target, statement, end, leg.params, values);
}

static void
add_leg_context(void *leg)
{
	errcontext("leg %s", json_path(static_cast<const Leg *>(leg)->at));
}

RankedList
run_leg(const Leg &leg, const LegContext &context)
{
	ErrorContextCallback callback{error_context_stack, add_leg_context, const_cast<Leg *>(&leg)};
	error_context_stack = &callback;
	RankedList list = leg.type == LegType::fts ? run_text_leg(leg, context) : run_vector_leg(leg, context);
	error_context_stack = callback.previous;
	return list;
}

}  // namespace vecdb::api
