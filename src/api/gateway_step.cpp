/* SPDX-License-Identifier: PostgreSQL
 * One request or prefetch of the gateway, from JSON to the statement that it comes down to.
 *
 * Regime: shell.
 */
#include "api/gateway_step.hpp"

extern "C" {
#include "utils/varlena.h"
}

#include <algorithm>

#include "api/filter.hpp"
#include "api/names.hpp"

namespace vecdb::api
{

/* --- reading --- */

SearchParams
step_params(const Gateway &gateway, const JsonNode *node)
{
	static const char *const kKeys[] = {"hnsw_ef", "exact",      "indexed_only",   "metric", "ef_search",
										"probes",  "key_column", "payload_column", nullptr};
	SearchParams params{};
	params.ef_search = params.probes = -1;
	params.key_column = gateway.params.key_column;
	params.payload_column = gateway.params.payload_column;
	params.has_metric = gateway.params.has_metric;
	params.metric = gateway.params.metric;
	const JsonNode *given = json_field(node, "params");
	if (given == nullptr)
		return params;
	check_json_keys(given, kKeys, kUnsupported);
	if (const JsonNode *metric = json_field(given, "metric"); metric != nullptr)
	{
		params.has_metric = true;
		params.metric = parse_metric(json_string(metric));
	}
	if (const JsonNode *exact = json_field(given, "exact"); exact != nullptr)
		params.exact = json_boolean(exact);
	if (const JsonNode *indexed = json_field(given, "indexed_only"); indexed != nullptr && json_boolean(indexed))
		report_json(indexed, "indexed_only is not supported", kUnsupported);
	for (const char *key : {"hnsw_ef", "ef_search"})
		if (const JsonNode *ef = json_field(given, key); ef != nullptr)
			params.ef_search = static_cast<int>(json_integer(ef, 1, PG_INT32_MAX));
	if (const JsonNode *probes = json_field(given, "probes"); probes != nullptr)
		params.probes = static_cast<int>(json_integer(probes, 1, PG_INT32_MAX));
	return params;
}

Gateway
open_gateway(Oid relid, const JsonNode *request)
{
	check_json_kind(request, JsonKind::object);
	Gateway gateway{};
	gateway.relid = relid;
	if (const JsonNode *params = json_field(request, "params"); params != nullptr)
	{
		check_json_kind(params, JsonKind::object);
		if (const JsonNode *column = json_field(params, "key_column"); column != nullptr)
			gateway.params.key_column = json_string(column);
		if (const JsonNode *column = json_field(params, "payload_column"); column != nullptr)
			gateway.params.payload_column = json_string(column);
	}
	gateway.params.ef_search = gateway.params.probes = -1;
	/* The row type stands for any key. */
	gateway.witness = get_rel_type_id(relid);
	if (!OidIsValid(gateway.witness))
		open_target(relid, nullptr, InvalidOid, gateway.params);
	gateway.target = open_target(relid, nullptr, gateway.witness, gateway.params);
	if (gateway.target.key.count == 1)
	{
		gateway.witness = gateway.target.key.column_types[0];
		gateway.target = open_target(relid, nullptr, gateway.witness, gateway.params);
	}
	gateway.comparer = key_comparer(gateway.target);
	return gateway;
}

/* The vector column: using; else the only dense one, as Qdrant's vector without a name is; else the only sparse one. */
static const char *
vector_column(const Step &step, const JsonNode *named)
{
	if (named != nullptr)
		return json_string(named);
	Relation relation = relation_open(step.gateway->relid, NoLock);
	TupleDesc columns = RelationGetDescr(relation);
	const char *dense = nullptr, *sparse = nullptr;
	int dense_count = 0, sparse_count = 0;
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		ElementType element;
		if (column->attisdropped || !element_type_of(extension_names(), getBaseType(column->atttypid), element))
			continue;
		bool is_sparse = element == ElementType::sparse;
		(is_sparse ? sparse : dense) = pstrdup(NameStr(column->attname));
		(is_sparse ? sparse_count : dense_count)++;
	}
	relation_close(relation, NoLock);
	if (dense_count + sparse_count == 0)
		report_json(step.node, "the relation has no vector column", ERRCODE_UNDEFINED_COLUMN);
	if (dense_count > 1 || (dense_count == 0 && sparse_count > 1))
		report_json(step.node, "the relation has several vector columns: name one by \"using\"");
	return dense_count == 1 ? dense : sparse;
}

Target
open_vector(const Step &step)
{
	const char *column = vector_column(step, json_field(step.node, "using"));
	Target target = open_target(step.gateway->relid, column, step.gateway->witness, step.params);
	/* The one metric of sparse vectors, as in Qdrant. */
	if (target.element == ElementType::sparse && !step.params.has_metric)
	{
		SearchParams params = step.params;
		params.has_metric = true;
		params.metric = Metric::inner_product;
		target = open_target(step.gateway->relid, column, step.gateway->witness, params);
	}
	return target;
}

/* --- ids --- */

Datum
value_of_scalar(const JsonNode *node, Oid type)
{
	Oid input, element;
	getTypeInputInfo(type, &input, &element);
	return OidInputFunctionCall(input, const_cast<char *>(json_scalar_text(node)), element, -1);
}

const char *
key_name(const Target &target, int column)
{
	return get_attname(target.relid, target.key.attnos[column], false);
}

bool
is_composite_id(const Gateway &gateway, const JsonNode *node)
{
	const Key &key = gateway.target.key;
	if (key.count < 2 || node->kind != JsonKind::object || node->count != key.count)
		return false;
	for (int i = 0; i < key.count; i++)
		if (json_field_or_null(node, key_name(gateway.target, i)) == nullptr)
			return false;
	return true;
}

bool
is_id(const Gateway &gateway, const JsonNode *node)
{
	return node->kind == JsonKind::number || node->kind == JsonKind::string || is_composite_id(gateway, node);
}

/* A value of the witness type with these key columns. */
static Datum
id_of_key(const Gateway &gateway, const Datum *key)
{
	const Target &target = gateway.target;
	if (target.key.shape == KeyShape::scalar)
		return key[0];
	Relation relation = relation_open(gateway.relid, NoLock);
	TupleDesc columns = RelationGetDescr(relation);
	auto *values = static_cast<Datum *>(palloc0(static_cast<Size>(columns->natts) * sizeof(Datum)));
	auto *nulls = static_cast<bool *>(palloc(static_cast<Size>(columns->natts)));
	std::fill(nulls, nulls + columns->natts, true);
	for (int i = 0; i < target.key.count; i++)
	{
		values[target.key.attnos[i] - 1] = key[i];
		nulls[target.key.attnos[i] - 1] = false;
	}
	Datum id = heap_copy_tuple_as_datum(heap_form_tuple(columns, values, nulls), columns);
	relation_close(relation, NoLock);
	return id;
}

static Datum
id_of_json(const Gateway &gateway, const JsonNode *node)
{
	const Target &target = gateway.target;
	if (target.key.shape == KeyShape::scalar)
		return value_of_scalar(node, target.key.column_types[0]);
	if (!is_composite_id(gateway, node))
		report_json(node, "an object with the columns of the key is wanted");
	auto *key = static_cast<Datum *>(palloc(static_cast<Size>(target.key.count) * sizeof(Datum)));
	for (int i = 0; i < target.key.count; i++)
		key[i] = value_of_scalar(json_field_or_null(node, key_name(target, i)), target.key.column_types[i]);
	return id_of_key(gateway, key);
}

static Datum
array_of_ids(const Gateway &gateway, Datum *ids, int count)
{
	int16 length;
	bool by_value;
	char align;
	Oid type = gateway.target.key.type;
	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(ids, count, type, length, by_value, align));
}

Datum
ids_of_rows(const Gateway &gateway, const ListRow *rows, int count)
{
	auto *ids = static_cast<Datum *>(palloc(static_cast<Size>(count + 1) * sizeof(Datum)));
	for (int i = 0; i < count; i++)
		ids[i] = id_of_key(gateway, rows[i].key);
	return array_of_ids(gateway, ids, count);
}

/* --- conditions --- */

static void
append_condition(StringInfo conditions, const char *condition)
{
	if (condition != nullptr && condition[0] != '\0')
		appendStringInfo(conditions, "%s%s", conditions->len > 0 ? " AND " : "", condition);
}

/* Filters, candidates, and `more`. */
const char *
step_conditions(const Step &step, const Target &target, const char *more, Values &values)
{
	StringInfoData conditions;
	initStringInfo(&conditions);
	for (const FilterChain *chain = &step.filters; chain != nullptr; chain = chain->outer)
	{
		StringInfoData condition;
		initStringInfo(&condition);
		if (chain->filter != nullptr && append_filter(&condition, target, chain->filter, values))
			append_condition(&conditions, condition.data);
	}
	if (step.has_candidates)
	{
		auto *ids = static_cast<Datum *>(palloc(static_cast<Size>(step.candidate_count + 1) * sizeof(Datum)));
		for (int i = 0; i < step.candidate_count; i++)
			ids[i] = id_of_key(*step.gateway, step.candidates[i].key);
		StringInfoData condition;
		initStringInfo(&condition);
		append_key_in(&condition, target, array_of_ids(*step.gateway, ids, step.candidate_count), false, values);
		append_condition(&conditions, condition.data);
	}
	append_condition(&conditions, more);
	return conditions.data;
}

RankedList
run_ordered(const Step &step, Target target, const char *order, bool descending, const char *more, ScoreOf score_of,
			Values &values)
{
	target.key.select = "NULL::pg_catalog.int4";
	const char *conditions = step_conditions(step, target, more, values);
	bool without_zero = target.vec != nullptr && target.element == ElementType::sparse && score_of == ScoreOf::metric &&
						target.metric == Metric::inner_product;
	return run_list(target, ListStatement{order, descending, conditions, step.depth},
					ListEnd{score_of, step.has_threshold, step.threshold, without_zero}, step.params, values);
}

/* --- vectors: as such, or of rows --- */

/* Where rows are that ids name: the relation, or lookup_from. */
static ExampleSource
example_source(const Step &step, const Target &target)
{
	static const char *const kKeys[] = {"collection", "vector", nullptr};
	ExampleSource source{target, true};
	const JsonNode *lookup = json_field(step.node, "lookup_from");
	if (lookup == nullptr)
		return source;
	check_json_keys(lookup, kKeys, kUnsupported);
	const JsonNode *collection = json_field(lookup, "collection"), *vector = json_field(lookup, "vector");
	if (collection == nullptr)
		report_json(lookup, "a collection is wanted");
	List *names = textToQualifiedNameList(cstring_to_text(json_string(collection)));
	Oid relid = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, false);
	SearchParams params = step.params;
	params.has_metric = true;
	params.metric = target.metric;
	params.key_column = nullptr;
	const char *column = vector != nullptr ? json_string(vector) : vector_column(step, json_field(step.node, "using"));
	source.target = open_target(relid, column, step.gateway->witness, params);
	source.excluded = relid == step.gateway->relid;
	return source;
}

static void
check_vector_input(const Gateway &gateway, const JsonNode *node)
{
	if (node->kind == JsonKind::array && node->count > 0 && node->children[0].kind == JsonKind::array)
		report_json(node, "multivectors are not supported", kUnsupported);
	if (node->kind == JsonKind::object && json_field_or_null(node, "indices") == nullptr &&
		!is_composite_id(gateway, node))
		report_json(node, "a vector or an id is wanted: texts and images are not turned to vectors here", kUnsupported);
	if (node->kind == JsonKind::boolean || node->kind == JsonKind::null)
		report_json(node, "a vector or an id is wanted");
}

/* Where rows are among the inputs, all become values of their column's type; else of type vector, or sparsevec. */
QueryVectors
query_vectors(const Step &step, const Target &target, const JsonNode *const *inputs, int count)
{
	QueryVectors vectors{};
	vectors.ids.values = static_cast<Datum *>(palloc(static_cast<Size>(count + 1) * sizeof(Datum)));
	for (int i = 0; i < count; i++)
	{
		check_vector_input(*step.gateway, inputs[i]);
		if (is_id(*step.gateway, inputs[i]))
			vectors.ids.values[vectors.ids.count++] = id_of_json(*step.gateway, inputs[i]);
	}
	vectors.any_id = vectors.ids.count > 0;
	vectors.source = vectors.any_id ? example_source(step, target) : ExampleSource{target, false};
	vectors.element = vectors.any_id ? vectors.source.target.element : example_type(target);
	if ((vectors.element == ElementType::sparse) != (target.element == ElementType::sparse))
		report_json(step.node, "sparse and dense vectors are not compared", ERRCODE_DATATYPE_MISMATCH);
	return vectors;
}

Datum
read_vector(const Step &step, QueryVectors &vectors, const JsonNode *input)
{
	if (!is_id(*step.gateway, input))
		return vectors.element == ElementType::float32 ? vector_of_json(input)
													   : query_of_json(input, vectors.source.target);
	Datum id = id_of_json(*step.gateway, input);
	return read_examples(vectors.source, Elements{&id, 1})[0];
}

const char *
exclude_ids(const Target &target, const QueryVectors &vectors, Values &values)
{
	return exclude_examples(vectors.source, target, &vectors.ids, 1, values);
}
Datum
vector_of_value(ElementType element, Datum value)
{
	IndexedValue row = indexed_value(value, element);
	Vector *vector = new_vector_uninitialized(row.dimensions);
	indexed_row(row, vector->x);
	return PointerGetDatum(vector);
}

Datum
value_for_column(const Target &target, ElementType element, Datum value)
{
	if (element == target.element && element != ElementType::float32)
		return value;
	return query_for_column(target, vector_of_value(element, value));
}

int
append_inputs(const JsonNode **inputs, const JsonNode *list)
{
	if (list == nullptr)
		return 0;
	check_json_kind(list, JsonKind::array);
	for (int i = 0; i < list->count; i++)
		inputs[i] = &list->children[i];
	return list->count;
}

Datum *
read_vectors(const Step &step, QueryVectors &vectors, const JsonNode *const *inputs, int count)
{
	auto *values = static_cast<Datum *>(palloc(static_cast<Size>(count + 1) * sizeof(Datum)));
	for (int i = 0; i < count; i++)
		values[i] = read_vector(step, vectors, inputs[i]);
	return values;
}

}  // namespace vecdb::api
