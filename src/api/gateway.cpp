/* SPDX-License-Identifier: PostgreSQL
 * vecdb.query(rel, request): a request in Qdrant's JSON, answered with ids and payloads as JSON.
 *
 * Regime: shell.
 * A page's ids and payloads are read by one statement at the end, for the rows of the page alone.
 */
#include "api/gateway.hpp"

#include <algorithm>

#include "api/names.hpp"
#include "api/ranked.hpp"
#include "types/query_value.hpp"

namespace vecdb::api
{

constexpr int kUnsupported = ERRCODE_FEATURE_NOT_SUPPORTED;

/* Which fields of the payload are wanted: names of the first level. */
struct PayloadChoice
{
	bool wanted;
	const JsonNode *include;  // an array of strings; null: all
	const JsonNode *exclude;  // null: none
};

static const JsonNode *
field_names(const JsonNode *node)
{
	check_json_kind(node, JsonKind::array);
	for (int i = 0; i < node->count; i++)
		if (strpbrk(json_string(&node->children[i]), ".[]\"") != nullptr)
			report_json(&node->children[i], "only fields of the first level can be chosen", kUnsupported);
	return node;
}

static PayloadChoice
payload_choice(const JsonNode *request)
{
	static const char *const kKeys[] = {"include", "exclude", nullptr};
	PayloadChoice choice{};
	for (const char *key : {"with_vector", "with_vectors"})
		if (const JsonNode *vectors = json_field(request, key);
			vectors != nullptr && (vectors->kind != JsonKind::boolean || vectors->value.val.boolean))
			report_json(vectors, "vectors in the answer are not supported: select the column by id", kUnsupported);
	const JsonNode *payload = json_field(request, "with_payload");
	if (payload == nullptr)
		return choice;
	if (payload->kind == JsonKind::array)
		choice.include = field_names(payload);
	else if (payload->kind == JsonKind::object)
	{
		check_json_keys(payload, kKeys, kUnsupported);
		if (const JsonNode *include = json_field(payload, "include"); include != nullptr)
			choice.include = field_names(include);
		if (const JsonNode *exclude = json_field(payload, "exclude"); exclude != nullptr)
			choice.exclude = field_names(exclude);
	}
	else
	{
		choice.wanted = json_boolean(payload);
		return choice;
	}
	choice.wanted = true;
	return choice;
}

static bool
names_field(const JsonNode *names, const char *name)
{
	for (int i = 0; i < names->count; i++)
		if (strcmp(names->children[i].text, name) == 0)
			return true;
	return false;
}

static bool
is_chosen(const PayloadChoice &choice, const char *name)
{
	return (choice.include == nullptr || names_field(choice.include, name)) &&
		   (choice.exclude == nullptr || !names_field(choice.exclude, name));
}

static bool
is_key_column(const Key &key, AttrNumber attno)
{
	return std::find(key.attnos, key.attnos + key.count, attno) != key.attnos + key.count;
}

/* Vectors, and what full text makes of a text, are no payload. */
static bool
is_payload_type(Oid type)
{
	ElementType element;
	type = getBaseType(type);
	return type != TSVECTOROID && !element_type_of(extension_names(), type, element);
}

/* The column whose fields are the payload's: as filters have it (api/filter.hpp). 0: none. */
static AttrNumber
payload_column(const Gateway &gateway, TupleDesc columns)
{
	AttrNumber only = 0;
	int count = 0;
	const char *named = gateway.params.payload_column;
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		if (column->attisdropped)
			continue;
		bool json = getBaseType(column->atttypid) == JSONBOID;
		if (strcmp(NameStr(column->attname), named != nullptr ? named : "payload") == 0 && json)
			return column->attnum;
		count += json ? 1 : 0;
		only = json ? column->attnum : only;
	}
	return named == nullptr && count == 1 ? only : AttrNumber{0};
}

static Datum
text_array(const JsonNode *names)
{
	auto *texts = static_cast<Datum *>(palloc(static_cast<Size>(names->count + 1) * sizeof(Datum)));
	for (int i = 0; i < names->count; i++)
		texts[i] = CStringGetTextDatum(names->children[i].text);
	return PointerGetDatum(construct_array(texts, names->count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* The row as a JSON object: its columns, over the fields of the payload column. */
static void
append_payload(StringInfo sql, const Gateway &gateway, const PayloadChoice &choice, Values &values)
{
	constexpr int kAtOnce = 40;  // a function has 100 arguments at most
	Relation relation = relation_open(gateway.relid, NoLock);
	TupleDesc columns = RelationGetDescr(relation);
	AttrNumber payload = payload_column(gateway, columns);
	appendStringInfoString(sql, "'{}'::pg_catalog.jsonb");
	bool fields = payload != 0;
	/* Where only columns are asked for, the payload column is not touched. */
	if (fields && choice.include != nullptr)
	{
		fields = false;
		for (int i = 0; i < choice.include->count; i++)
			fields = fields || get_attnum(gateway.relid, choice.include->children[i].text) == InvalidAttrNumber;
	}
	if (fields)
	{
		const char *column = quote_identifier(NameStr(TupleDescAttr(columns, payload - 1)->attname));
		const char *object = psprintf(
			"(CASE WHEN pg_catalog.jsonb_typeof(t.%s) OPERATOR(pg_catalog.=) 'object' THEN t.%s ELSE '{}' END)", column,
			column);
		if (choice.include != nullptr)
			object = psprintf(
				"COALESCE((SELECT pg_catalog.jsonb_object_agg(f.key, f.value) FROM pg_catalog.jsonb_each(%s) AS f "
				"WHERE f.key OPERATOR(pg_catalog.=) ANY ($%d)), '{}')",
				object, add_value(values, TEXTARRAYOID, text_array(choice.include)));
		if (choice.exclude != nullptr)
			object = psprintf("(%s OPERATOR(pg_catalog.-) $%d)", object,
							  add_value(values, TEXTARRAYOID, text_array(choice.exclude)));
		appendStringInfo(sql, " OPERATOR(pg_catalog.||) %s", object);
	}
	int count = 0;
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		const char *name = NameStr(column->attname);
		if (column->attisdropped || column->attnum == payload || is_key_column(gateway.target.key, column->attnum) ||
			!is_payload_type(column->atttypid) || !is_chosen(choice, name))
			continue;
		appendStringInfo(sql, "%s%s, t.%s",
						 count % kAtOnce == 0
							 ? (count == 0 ? " OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object("
										   : ") OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(")
							 : ", ",
						 quote_literal_cstr(name), quote_identifier(name));
		count++;
	}
	if (count > 0)
		appendStringInfoChar(sql, ')');
	relation_close(relation, NoLock);
}

void
append_json_id(StringInfo sql, const Target &target)
{
	const Key &key = target.key;
	if (key.count == 1)
	{
		appendStringInfo(sql, "pg_catalog.to_jsonb(%s)", key.columns[0]);
		return;
	}
	appendStringInfoString(sql, "pg_catalog.jsonb_build_object(");
	for (int i = 0; i < key.count; i++)
		appendStringInfo(sql, "%s%s, %s", i == 0 ? "" : ", ",
						 quote_literal_cstr(get_attname(target.relid, key.attnos[i], false)), key.columns[i]);
	appendStringInfoChar(sql, ')');
}

/* Rows of the page with id and payload, in whatever order; the key columns and a number come before. */
static void
read_page_rows(const Gateway &gateway, const PayloadChoice &choice, const ListRow *rows, int count)
{
	Values values;
	init_values(values);
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < gateway.target.key.count; i++)
		appendStringInfo(&sql, "%s, ", gateway.target.key.columns[i]);
	append_json_id(&sql, gateway.target);
	appendStringInfoString(&sql, ", ");
	if (choice.wanted)
		append_payload(&sql, gateway, choice, values);
	else
		appendStringInfoString(&sql, "NULL::pg_catalog.jsonb");
	appendStringInfo(&sql, " FROM %s AS t WHERE ", gateway.target.relation);
	append_key_in(&sql, gateway.target, ids_of_rows(gateway, rows, count), false, values);
	run_statement(sql.data, values, {});
}

struct PageRow
{
	Datum *key;
	HeapTuple tuple;
};

static int
by_key(const void *a, const void *b, void *comparer)
{
	return compare_keys(*static_cast<const KeyComparer *>(comparer), static_cast<const PageRow *>(a)->key,
						static_cast<const PageRow *>(b)->key);
}

/* The rows that were read, in order of keys. */
static PageRow *
sort_page_rows(const Gateway &gateway, int *count)
{
	int keys = gateway.target.key.count;
	auto *rows = static_cast<PageRow *>(palloc((SPI_processed + 1) * sizeof(PageRow)));
	*count = static_cast<int>(SPI_processed);
	for (int i = 0; i < *count; i++)
	{
		bool is_null;
		rows[i] = PageRow{static_cast<Datum *>(palloc(static_cast<Size>(keys) * sizeof(Datum))), SPI_tuptable->vals[i]};
		for (int column = 0; column < keys; column++)
			rows[i].key[column] = heap_getattr(rows[i].tuple, column + 1, SPI_tuptable->tupdesc, &is_null);
	}
	qsort_arg(rows, static_cast<size_t>(*count), sizeof(PageRow), by_key, const_cast<KeyComparer *>(&gateway.comparer));
	return rows;
}

static void
put_page(ReturnSetInfo *result, const Gateway &gateway, const GatewayPage &page, const PayloadChoice &choice)
{
	int64 skip = std::min<int64>(page.offset, page.list.count);
	const ListRow *rows = page.list.rows + skip;
	int count = static_cast<int>(std::min<int64>(page.limit, page.list.count - skip));
	if (count == 0)
		return;
	read_page_rows(gateway, choice, rows, count);
	int found_count, keys = gateway.target.key.count;
	PageRow *found = sort_page_rows(gateway, &found_count);
	for (int i = 0; i < count; i++)
	{
		PageRow wanted{rows[i].key, nullptr};
		/* A volatile view can have lost the row since. */
		PageRow *row =
			std::lower_bound(found, found + found_count, wanted, [&gateway](const PageRow &a, const PageRow &b) {
				return compare_keys(gateway.comparer, a.key, b.key) < 0;
			});
		if (row == found + found_count || compare_keys(gateway.comparer, row->key, wanted.key) != 0)
			continue;
		Datum values[4];
		bool nulls[4] = {};
		values[0] = heap_getattr(row->tuple, keys + 1, SPI_tuptable->tupdesc, &nulls[0]);
		values[1] = Float8GetDatum(rows[i].score);
		values[2] = Int64GetDatum(skip + i + 1);
		values[3] = heap_getattr(row->tuple, keys + 2, SPI_tuptable->tupdesc, &nulls[3]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_query)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, 0, "rel"));
	const JsonNode *request = read_json(DatumGetJsonbP(required_argument(fcinfo, 1, "request")), "request");
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Gateway gateway = open_gateway(relid, request);
	PayloadChoice choice = payload_choice(request);
	put_page(result, gateway, run_request(gateway, request), choice);
	SPI_finish();
	return Datum{0};
}
