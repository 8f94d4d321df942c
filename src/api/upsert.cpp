/* SPDX-License-Identifier: PostgreSQL
 * vecdb.upsert(): rows by key, vector and payload, from arrays; what is there already is updated.
 *
 * Regime: shell.
 * Keeps:  one statement INSERT ... ON CONFLICT DO UPDATE of the caller, so privileges, policies, triggers, defaults and generated columns
 *         do as they do there. Of equal keys in a call the last one counts. Rows are written in order of the key, so that calls at
 *         the same time wait for each other, but do not deadlock.
 */
#include "api/rows.hpp"

extern "C" {
#include "catalog/pg_collation.h"
}

#include "api/names.hpp"

namespace vecdb::api
{

enum UpsertArgument
{
	kRel,
	kVec,
	kIds,
	kVectors,
	kPayloads,
	kPayloadColumn,
};

/* Elements of an array, in one row whatever its shape. */
struct Elements
{
	Oid type;
	int count;
	Datum *values;
	bool *nulls;
};

static Elements
take_elements(Datum datum)
{
	ArrayType *array = DatumGetArrayTypeP(datum);
	Elements elements{};
	elements.type = ARR_ELEMTYPE(array);
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(elements.type, &length, &by_value, &align);
	deconstruct_array(array, elements.type, length, by_value, align, &elements.values, &elements.nulls,
					  &elements.count);
	return elements;
}

static Datum
make_array(const Elements &elements)
{
	int dimensions[1] = {elements.count}, lower[1] = {1};
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(elements.type, &length, &by_value, &align);
	return PointerGetDatum(construct_md_array(elements.values, elements.nulls, 1, dimensions, lower, elements.type,
											  length, by_value, align));
}

static void
check_elements(const Elements &elements, const char *name, int expected)
{
	if (elements.count != expected)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("argument \"%s\" has %d elements, but \"ids\" has %d", name, elements.count, expected)));
}

static void
check_no_nulls(const Elements &elements, const char *name)
{
	for (int i = 0; i < elements.count; i++)
		if (elements.nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" must not contain nulls", name),
					 errdetail("Element %d is null.", i + 1)));
}

static void
tell_element(void *arg)
{
	errcontext("element %d of argument \"vectors\"", *static_cast<int *>(arg) + 1);
}

/* To the column's type and dimensions; what is wrong with one tells which it is. */
static void
convert_vectors(const Target &target, Elements &vectors)
{
	for (int i = 0; i < vectors.count; i++)
	{
		int given = indexed_dimensions(vectors.values[i], ElementType::float32);
		if (target.vec_typmod >= 0 && given != target.vec_typmod)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("expected %d dimensions, not %d", target.vec_typmod, given),
					 errdetail("Element %d of argument \"vectors\" has another number of dimensions than the column.",
							   i + 1)));
		ErrorContextCallback context{error_context_stack, tell_element, &i};
		error_context_stack = &context;
		vectors.values[i] = query_for_column(target, vectors.values[i]);
		error_context_stack = context.previous;
	}
	vectors.type = target.vec_type;
}

/* The column named; else "payload"; else the only one of type jsonb. */
static const char *
payload_column(const Target &target, const char *named)
{
	Relation relation = table_open(target.relid, AccessShareLock);
	TupleDesc columns = RelationGetDescr(relation);
	const char *wanted = named != nullptr ? named : "payload";
	const char *found = nullptr, *only = nullptr;
	int count = 0;
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		if (column->attisdropped)
			continue;
		bool is_jsonb = getBaseType(column->atttypid) == JSONBOID;
		bool is_wanted = strcmp(NameStr(column->attname), wanted) == 0;
		if (named != nullptr && is_wanted && !is_jsonb)
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("payload column \"%s\" is of type %s, not jsonb",
																	   named, format_type_be(column->atttypid))));
		if (!is_jsonb)
			continue;
		count++;
		only = pstrdup(NameStr(column->attname));
		if (is_wanted)
			found = only;
	}
	if (found == nullptr && named != nullptr)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("column \"%s\" of relation \"%s\" does not exist",
																  named, RelationGetRelationName(relation))));
	if (found == nullptr && count != 1)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("relation \"%s\" has no column that payloads obviously belong to",
							   RelationGetRelationName(relation)),
						errhint("Name one by argument \"payload_column\".")));
	table_close(relation, NoLock);
	return found != nullptr ? found : only;
}

static void
check_target(const Target &target)
{
	if (target.relkind != RELKIND_RELATION && target.relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", get_rel_name(target.relid))));
	if (target.key.shape == KeyShape::row)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("whole rows are no ids to upsert"),
						errhint("Use vecdb.upsert_rows.")));
}

/* " COLLATE s.c" where the column compares by another collation than its type does, so that both find the same keys equal. */
static const char *
key_collation(const Target &target, int i)
{
	Oid type, collation;
	int32 typmod;
	get_atttypetypmodcoll(target.relid, target.key.attnos[i], &type, &typmod, &collation);
	if (!OidIsValid(collation) || collation == get_typcollation(type))
		return "";
	HeapTuple tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	auto form = reinterpret_cast<Form_pg_collation>(GETSTRUCT(tuple));
	const char *name = psprintf(
		" COLLATE %s", quote_qualified_identifier(get_namespace_name(form->collnamespace), NameStr(form->collname)));
	ReleaseSysCache(tuple);
	return name;
}

static const char *
column_name(const Target &target, AttrNumber attno)
{
	return quote_identifier(get_attname(target.relid, attno, false));
}

/*
 * Whether a row that was written is new. A row that was there has been locked by this transaction to be updated, which its successor
 * still shows. Rows of partitions have no system columns there: they are looked up in the snapshot of the statement, where a row that
 * another transaction has added meanwhile looks new.
 */
static const char *
is_new(const Target &target)
{
	if (target.relkind == RELKIND_RELATION)
		return "t.xmax OPERATOR(pg_catalog.=) 0";
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfo(&sql, "NOT EXISTS (SELECT 1 FROM %s AS o WHERE ", target.relation);
	for (int i = 0; i < target.key.count; i++)
	{
		Oid equals = lookup_type_cache(target.key.column_types[i], TYPECACHE_EQ_OPR)->eq_opr;
		appendStringInfo(&sql, "%so.%s %s %s", i == 0 ? "" : " AND ", column_name(target, target.key.attnos[i]),
						 spell_operator(equals), target.key.columns[i]);
	}
	appendStringInfoChar(&sql, ')');
	return sql.data;
}

/* Ids are $1, vectors $2, payloads $3. */
static const char *
statement(const Target &target, const char *payload)
{
	const Key &key = target.key;
	const char *vec = column_name(target, target.vec_attno);
	StringInfoData columns, names, keys, sql;
	initStringInfo(&columns);
	initStringInfo(&names);
	initStringInfo(&keys);
	initStringInfo(&sql);
	for (int i = 0; i < key.count; i++)
	{
		const char *separator = i == 0 ? "" : ", ";
		appendStringInfo(&columns, "%s%s", separator, column_name(target, key.attnos[i]));
		appendStringInfo(&names, "%sk%d", separator, i);
		appendStringInfo(&keys, "%su.k%d%s", separator, i, key_collation(target, i));
	}
	appendStringInfo(&sql, "INSERT INTO %s AS t (%s, %s", target.relation, columns.data, vec);
	if (payload != nullptr)
		appendStringInfo(&sql, ", %s", payload);
	appendStringInfo(
		&sql,
		") OVERRIDING SYSTEM VALUE SELECT DISTINCT ON (%s) %s, u.v%s FROM ROWS FROM (pg_catalog.unnest($1), "
		"pg_catalog.unnest($2)%s) WITH ORDINALITY",
		keys.data, names.data, payload != nullptr ? ", u.p" : "", payload != nullptr ? ", pg_catalog.unnest($3)" : "");
	appendStringInfo(&sql, " AS u(%s, v%s, n) ORDER BY %s, u.n DESC", names.data, payload != nullptr ? ", p" : "",
					 keys.data);
	appendStringInfo(&sql, " ON CONFLICT (%s) DO UPDATE SET %s = EXCLUDED.%s", columns.data, vec, vec);
	if (payload != nullptr)
		appendStringInfo(&sql, ", %s = EXCLUDED.%s", payload, payload);
	appendStringInfo(&sql, " RETURNING %s, %s", key.select, is_new(target));
	return sql.data;
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_upsert)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, kVec, "vec")));
	Elements ids = take_elements(required_argument(fcinfo, kIds, "ids"));
	Elements vectors = take_elements(required_argument(fcinfo, kVectors, "vectors"));
	Elements payloads{};
	bool has_payloads = !PG_ARGISNULL(kPayloads);
	check_elements(vectors, "vectors", ids.count);
	if (has_payloads)
	{
		payloads = take_elements(PG_GETARG_DATUM(kPayloads));
		check_elements(payloads, "payloads", ids.count);
	}
	check_no_nulls(ids, "ids");
	check_no_nulls(vectors, "vectors");
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	SearchParams params = read_params(nullptr);
	/* An empty array says nothing of the key: '{}' is one of text. */
	Target target = open_target(relid, vec, ids.count == 0 ? InvalidOid : ids.type, params);
	check_target(target);
	const char *named = PG_ARGISNULL(kPayloadColumn) ? nullptr : NameStr(*PG_GETARG_NAME(kPayloadColumn));
	const char *payload = has_payloads ? quote_identifier(payload_column(target, named)) : nullptr;
	if (ids.count > 0)
	{
		convert_vectors(target, vectors);
		Values values;
		init_values(values);
		(void) add_value(values, get_array_type(ids.type), make_array(ids));
		(void) add_value(values, get_array_type(vectors.type), make_array(vectors));
		if (has_payloads)
			(void) add_value(values, get_array_type(JSONBOID), make_array(payloads));
		StatementOptions options;
		options.read_only = false;
		run_statement(statement(target, payload), values, options);
		for (uint64 i = 0; i < SPI_tuptable->numvals; i++)
		{
			Datum row[2];
			bool nulls[2];
			heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, row, nulls);
			tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
		}
	}
	SPI_finish();
	return Datum{0};
}
