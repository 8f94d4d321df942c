/* SPDX-License-Identifier: PostgreSQL
 * Reads the vectors of examples, and ranks rows by a query that was made of them.
 *
 * Regime: shell.
 * Keeps:  a row that the caller may not see is reported as one that is not there: both come from the same statement.
 */
#include "api/examples.hpp"

#include <algorithm>

#include "api/filter.hpp"

namespace vecdb::api
{

ExampleSource
open_example_source(FunctionCallInfo fcinfo, int lookup_rel, const Target &target, const char *vec,
					const SearchParams &params)
{
	int lookup_vec = lookup_rel + 1;
	ExampleSource source{target, true};
	if (PG_ARGISNULL(lookup_rel) && PG_ARGISNULL(lookup_vec))
		return source;
	Oid relid = PG_ARGISNULL(lookup_rel) ? target.relid : PG_GETARG_OID(lookup_rel);
	const char *column = PG_ARGISNULL(lookup_vec) ? vec : NameStr(*PG_GETARG_NAME(lookup_vec));
	SearchParams lookup = params;
	/* Its indexes have no say in how rows are compared. */
	lookup.has_metric = true;
	lookup.metric = target.metric;
	source.excluded = relid == target.relid;
	/* key_column names a column of rel; another table has a primary key, and a view can only be named by the same column. */
	char kind = get_rel_relkind(relid);
	if (!source.excluded && kind != RELKIND_VIEW && kind != RELKIND_FOREIGN_TABLE)
		lookup.key_column = nullptr;
	source.target = open_target(relid, column, target.key.type, lookup);
	if ((source.target.element == ElementType::sparse) != (target.element == ElementType::sparse))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("vectors of type %s cannot be examples for a column of type %s",
							   format_type_be(source.target.vec_type), format_type_be(target.vec_type))));
	return source;
}

Elements
elements_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	ArrayType *array = DatumGetArrayTypeP(required_argument(fcinfo, argument, name));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" must not contain nulls", name)));
	int16 length;
	bool by_value;
	char align;
	Elements elements;
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &elements.values, nullptr, &elements.count);
	return elements;
}

Elements
pairs_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	ArrayType *array = DatumGetArrayTypeP(required_argument(fcinfo, argument, name));
	bool empty = ARR_NDIM(array) == 0;
	if (!empty && (ARR_NDIM(array) != 2 || ARR_DIMS(array)[1] != 2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("argument \"%s\" must be an array of pairs", name),
				 errhint("Write it as ARRAY[[better, worse], ...].")));
	return elements_argument(fcinfo, argument, name);
}

static const char *
text_of_key(Oid type, Datum id)
{
	Oid function;
	bool is_varlena;
	getTypeOutputInfo(type, &function, &is_varlena);
	return OidOutputFunctionCall(function, id);
}

static ArrayType *
array_of_keys(Oid type, Datum *values, int count)
{
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(type, &length, &by_value, &align);
	return construct_array(values, count, type, length, by_value, align);
}

/* 0 where no such row is to be seen, or its vector is NULL. */
static Datum
read_example(const Target &target, Datum id)
{
	Values values;
	init_values(values);
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s FROM %s AS t WHERE ", target.vec, target.relation);
	append_key_in(&sql, target, PointerGetDatum(array_of_keys(target.key.type, &id, 1)), false, values);
	run_statement(sql.data, values, StatementOptions{});
	Datum vector = 0;
	if (SPI_processed > 0)
	{
		bool is_null;
		Datum found = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
		if (!is_null)
			vector = PointerGetDatum(PG_DETOAST_DATUM_COPY(found));
	}
	SPI_freetuptable(SPI_tuptable);
	return vector;
}

Datum *
read_examples(const ExampleSource &source, const Elements &ids)
{
	auto *vectors = static_cast<Datum *>(palloc(static_cast<Size>(ids.count + 1) * sizeof(Datum)));
	for (int i = 0; i < ids.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		vectors[i] = read_example(source.target, ids.values[i]);
		if (vectors[i] == 0)
			ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND), errmsg("example not found"),
							errdetail("Relation %s has no row with key %s, or its vector is null.",
									  source.target.relation, text_of_key(source.target.key.type, ids.values[i]))));
	}
	return vectors;
}

const char *
exclude_examples(const ExampleSource &source, const Target &target, const Elements *lists, int list_count,
				 Values &values)
{
	int count = 0;
	for (int i = 0; i < list_count; i++)
		count += lists[i].count;
	if (!source.excluded || count == 0)
		return nullptr;
	auto *ids = static_cast<Datum *>(palloc(static_cast<Size>(count) * sizeof(Datum)));
	int next = 0;
	for (int i = 0; i < list_count; i++)
		for (int j = 0; j < lists[i].count; j++)
			ids[next++] = lists[i].values[j];
	StringInfoData condition;
	initStringInfo(&condition);
	append_key_in(&condition, target, PointerGetDatum(array_of_keys(target.key.type, ids, count)), true, values);
	return condition.data;
}

ElementType
example_type(const Target &target)
{
	return target.element == ElementType::sparse ? ElementType::sparse : ElementType::float32;
}

Datum *
example_vectors(const Target &target, const Elements &vectors)
{
	if (target.element == ElementType::sparse)
		for (int i = 0; i < vectors.count; i++)
			vectors.values[i] = query_for_column(target, vectors.values[i]);
	return vectors.values;
}

/* The only example of a query, as a value of type vector. */
static Datum
vector_of_query(const QueryValue &query)
{
	const char *at = query.examples;
	IndexedValue example = next_example(query, at);
	Vector *vector = new_vector_uninitialized(example.dimensions);
	memcpy(vector->x, example.elements, static_cast<Size>(example.dimensions) * sizeof(float));
	return PointerGetDatum(vector);
}

/*
 * Context scores have a greatest value, 0, that any part of the table may share, of which the answer is those with the smallest keys. An
 * index on distances would have to deliver all of them to be sorted. Where they are no rarity, they are found much sooner in the order of
 * the key. Puts the page, if the first rows by key fill it; else nothing: false.
 */
static bool
put_rows_at_zero(ReturnSetInfo *result, const Target &target, const PageRequest &page, int query, const char *condition,
				 Values &values)
{
	/* A row costs a twentieth of what it costs to have it from an index. */
	constexpr int64 kLookedAt = 20000, kTimes = 10;
	int64 wanted = static_cast<int64>(page.k) + page.skip;
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT * FROM (SELECT ");
	IdMaker ids = append_id_columns(&sql, target);
	append_scored_distance(&sql, target, query);
	appendStringInfo(&sql, " AS vecdb_distance FROM %s AS t WHERE %s AND ", target.relation,
					 condition == nullptr ? "true" : condition);
	if (page.filter == nullptr || !append_filter(&sql, target, page.filter, values))
		appendStringInfoString(&sql, "true");
	appendStringInfo(&sql,
					 " ORDER BY %s LIMIT " INT64_FORMAT
					 ") AS t WHERE t.vecdb_distance OPERATOR(pg_catalog.<=) 0::pg_catalog.float8 LIMIT %d OFFSET %d",
					 target.key.order, std::max(kLookedAt, kTimes * wanted), page.k, page.skip);
	StatementOptions options;
	options.plan = PlanChoice::custom;
	run_statement(sql.data, values, options);
	if (SPI_processed < static_cast<uint64>(page.k))
		return false;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool nulls[4] = {};
		Datum row[4] = {make_id(ids, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &nulls[0]), Float8GetDatum(0),
						Float8GetDatum(0), Int64GetDatum(static_cast<int64>(i) + page.skip + 1)};
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	}
	return true;
}

/* Whether rows can be had in the order of the key without sorting them: there is a unique index, and no view in between. */
static bool
has_ordered_keys(const Target &target)
{
	return target.relkind == RELKIND_RELATION || target.relkind == RELKIND_MATVIEW;
}

void
put_scored_rows(ReturnSetInfo *result, const Target &target, const PageRequest &page, Datum query,
				const char *condition, Values &values)
{
	QueryValue value = query_value(query);
	/* A column of such dimensions has no other rows; without them each row tells for itself. */
	if (target.vec_typmod > 0)
		check_same_indexed_dimensions(target.vec_typmod, value.dimensions, target.element);
	Ranking ranking{};
	ranking.condition = condition;
	ranking.condition_leaves_most = true;
	ranking.formula = &value.formula;
	/* What comes down to one vector costs what a search costs. */
	ranking.scored = target.element != ElementType::float32 || !core::query::is_nearest_search(value.formula);
	ranking.query = ranking.scored ? add_value(values, target.query_type, query)
								   : add_value(values, target.vec_type, vector_of_query(value));
	if (value.formula.kind == core::query::Kind::context && !target.exact && has_ordered_keys(target) &&
		!(page.has_threshold && !(page.threshold <= 0)) &&
		put_rows_at_zero(result, target, page, ranking.query, condition, values))
		return;
	put_ranked_rows(result, target, page, ranking, values);
}

}  // namespace vecdb::api
