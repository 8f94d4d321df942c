/* SPDX-License-Identifier: PostgreSQL
 * vecdb.search_groups(): the nearest rows of the groups that have the nearest rows.
 *
 * Regime: shell.
 * Rows are read in the order of their distance: the first `groups` keys that come along are the best groups, and the first
 * `group_size` rows of each its best. Reading ends when all are full, or with the rows.
 * Keeps:  an index alone could be read to its end for a group that has few rows. So once the groups are known, their rows are
 *         asked for by their keys, if the planner finds that cheaper; and of an ordered index scan at most hnsw.max_scan_tuples
 *         rows are read: what is found by then is the answer. Other plans have all rows at hand: no limit.
 * Memory: ids of hits in the function's context, keys of rows in one that is reset with each batch.
 */
#include "pg/postgres.hpp"

#include <algorithm>
#include <cmath>

extern "C" {
#include "utils/datum.h"
#include "utils/json.h"
}

#include "api/filter.hpp"
#include "api/nearest.hpp"

namespace vecdb::api
{

namespace groups
{

enum Argument : int
{
	kRel,
	kVec,
	kKey,
	kQuery,
	kGroupBy,
	kGroups,
	kGroupSize,
	kFilter,
	kParams,
};

}  // namespace groups

struct Hit
{
	Datum id;
	double distance;
	bool no_id;  // the key of a view may be NULL
};

struct Group
{
	Jsonb *key;
	uint32 hash;
	int32 count, capacity;
	int64 last_row;  // that was put into it: a row is in a group once
	Hit *hits;
};

struct Grouping
{
	int32 wanted, group_size;
	int32 count, full;
	Group *groups;  // best first
	int32 *slots;   // by hash: number of a group, or -1
	uint32 slot_mask;
	MemoryContext context;  // of the answer
	int16 id_length;
	bool id_by_value;
};

static int32
at_least_one(FunctionCallInfo fcinfo, int argument, const char *name, int32 otherwise)
{
	int32 value = PG_ARGISNULL(argument) ? otherwise : PG_GETARG_INT32(argument);
	if (value < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be at least 1, not %d", name, value)));
	return value;
}

/* As before the first row. */
static void
forget_groups(Grouping &all)
{
	all.count = all.full = 0;
	std::fill_n(all.slots, all.slot_mask + 1, -1);
}

static Grouping
new_grouping(int32 wanted, int32 group_size, Oid id_type)
{
	Grouping all{};
	all.wanted = wanted;
	all.group_size = group_size;
	all.context = CurrentMemoryContext;
	all.groups = static_cast<Group *>(palloc(static_cast<Size>(wanted) * sizeof(Group)));
	uint32 slots = 16;
	while (slots / 2 < static_cast<uint32>(wanted))
		slots *= 2;
	all.slot_mask = slots - 1;
	all.slots = static_cast<int32 *>(palloc(slots * sizeof(int32)));
	forget_groups(all);
	get_typlenbyval(id_type, &all.id_length, &all.id_by_value);
	return all;
}

/* Null where there is no such group and no room for one more. */
static Group *
find_group(Grouping &all, Jsonb *key)
{
	auto hash = static_cast<uint32>(DatumGetInt32(DirectFunctionCall1(jsonb_hash, JsonbPGetDatum(key))));
	uint32 at = hash & all.slot_mask;
	for (; all.slots[at] >= 0; at = (at + 1) & all.slot_mask)
	{
		Group &group = all.groups[all.slots[at]];
		if (group.hash == hash && compareJsonbContainers(&group.key->root, &key->root) == 0)
			return &group;
	}
	if (all.count == all.wanted)
		return nullptr;
	all.slots[at] = all.count;
	Group &group = all.groups[all.count++];
	group = Group{};
	group.key = static_cast<Jsonb *>(MemoryContextAlloc(all.context, VARSIZE(key)));
	memcpy(group.key, key, VARSIZE(key));
	group.hash = hash;
	group.last_row = -1;
	return &group;
}

/* Where the id of a row comes from, should it be wanted. */
struct Source
{
	const IdMaker *ids;
	HeapTuple tuple;
	TupleDesc columns;
};

static void
add_hit(Grouping &all, Group &group, const Source &source, double distance)
{
	constexpr int32 kFirst = 4;
	bool no_id;
	Datum id = make_id(*source.ids, source.tuple, source.columns, 1, &no_id);
	MemoryContext old = MemoryContextSwitchTo(all.context);
	if (group.count == group.capacity)
	{
		group.capacity = std::min(all.group_size, group.capacity == 0 ? kFirst : group.capacity * 2);
		Size size_bytes = static_cast<Size>(group.capacity) * sizeof(Hit);
		group.hits = static_cast<Hit *>(group.hits == nullptr ? palloc(size_bytes) : repalloc(group.hits, size_bytes));
	}
	group.hits[group.count++] = Hit{no_id ? Datum{0} : datumCopy(id, all.id_by_value, all.id_length), distance, no_id};
	all.full += group.count == all.group_size ? 1 : 0;
	MemoryContextSwitchTo(old);
}

/* A string, number or boolean names a group, an array that of each of its elements. Others, and null, none. */
static void
add_row(Grouping &all, Jsonb *field, int64 row, const Source &source, double distance)
{
	JsonbValue element;
	JsonbIterator *iterator = JsonbIteratorInit(&field->root);
	if (JsonbIteratorNext(&iterator, &element, true) != WJB_BEGIN_ARRAY)
		return;
	while (JsonbIteratorNext(&iterator, &element, true) == WJB_ELEM)
	{
		if (element.type != jbvString && element.type != jbvNumeric && element.type != jbvBool)
			continue;
		Group *group = find_group(all, JsonbValueToJsonb(&element));
		if (group == nullptr || group->last_row == row || group->count == all.group_size)
			continue;
		group->last_row = row;
		add_hit(all, *group, source, distance);
	}
}

/* Whether rows come one by one from an index in its order. A sort would have read them all before the first. */
static bool
reads_ordered_index(const Plan *plan)
{
	const List *parts = NIL;
	if (plan == nullptr || IsA(plan, Sort))
		return false;
	if (IsA(plan, IndexScan))
		return reinterpret_cast<const IndexScan *>(plan)->indexorderby != NIL;
	if (IsA(plan, SubqueryScan))
		return reads_ordered_index(reinterpret_cast<const SubqueryScan *>(plan)->subplan);
	if (IsA(plan, Append))
		parts = reinterpret_cast<const Append *>(plan)->appendplans;
	if (IsA(plan, MergeAppend))
		parts = reinterpret_cast<const MergeAppend *>(plan)->mergeplans;
	ListCell *cell;
	foreach (cell, parts)
	{
		if (reads_ordered_index(static_cast<const Plan *>(lfirst(cell))))
			return true;
	}
	return reads_ordered_index(plan->lefttree);
}

/* Rows that are being read. */
struct Stream
{
	Portal portal;
	const Plan *plan;
	int64 limit;  // of rows
	int64 row;    // read so far
	bool ended;
};

static Stream
open_stream(const char *sql, const Values &values, const StatementOptions &options)
{
	Stream stream{};
	stream.portal = open_statement(sql, values, options);
	stream.plan = linitial_node(PlannedStmt, stream.portal->stmts)->planTree;
	stream.limit = reads_ordered_index(stream.plan)
					   ? pg_strtoint32(GetConfigOption("hnsw.max_scan_tuples", false, false))
					   : PG_INT64_MAX;
	return stream;
}

static bool
done(const Grouping &all, const Stream &stream)
{
	return all.full == all.wanted || stream.ended || stream.row >= stream.limit;
}

static void
add_batch(Grouping &all, Stream &stream, const IdMaker &ids, SPITupleTable *rows, uint64 count)
{
	for (uint64 i = 0; i < count && !stream.ended && all.full < all.wanted; i++, stream.row++)
	{
		bool no_distance, no_field;
		Datum distance = heap_getattr(rows->vals[i], ids.count + 1, rows->tupdesc, &no_distance);
		Datum field = heap_getattr(rows->vals[i], ids.count + 2, rows->tupdesc, &no_field);
		stream.ended = no_distance || std::isnan(DatumGetFloat8(distance));
		if (!stream.ended && !no_field)
			add_row(all, DatumGetJsonbP(field), stream.row, Source{&ids, rows->vals[i], rows->tupdesc},
					DatumGetFloat8(distance));
	}
}

/* Reads until it is done. */
static void
read_rows(Grouping &all, Stream &stream, const IdMaker &ids)
{
	constexpr int64 kFirstBatch = 32, kLargestBatch = 512;
	MemoryContext batch_context =
		AllocSetContextCreate(CurrentMemoryContext, "vecdb groups batch", ALLOCSET_DEFAULT_SIZES);
	int64 batch = kFirstBatch;
	while (!done(all, stream))
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(stream.portal, true, std::min(batch, stream.limit - stream.row));
		SPITupleTable *rows = SPI_tuptable;
		stream.ended = SPI_processed == 0;
		MemoryContext old = MemoryContextSwitchTo(batch_context);
		add_batch(all, stream, ids, rows, SPI_processed);
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch_context);
		SPI_freetuptable(rows);
		batch = std::min(2 * batch, kLargestBatch);
	}
	MemoryContextDelete(batch_context);
}

/* What groups, as an expression of type jsonb. */
struct Field
{
	const char *path;
	const char *expression;
	const char *column;  // where it is a plain one
	Oid type;            // of that, without domains
};

/* Types whose values can be made of their JSON form, and compared by pg_catalog.=. */
static bool
has_literal_keys(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case TEXTOID:
		case VARCHAROID:
		case UUIDOID:
		case DATEOID: return true;
		default: return false;
	}
}

static JsonbValue
scalar_of(const Jsonb *key)
{
	JsonbValue value;
	JsonbExtractScalar(const_cast<JsonbContainer *>(&key->root), &value);
	return value;
}

static const char *
text_of_scalar(const JsonbValue &value)
{
	if (value.type == jbvBool)
		return value.val.boolean ? "true" : "false";
	if (value.type == jbvNumeric)
		return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/* "t.column = ANY (the keys of groups that are not full)". */
static void
append_column_condition(StringInfo sql, const Field &field, const Grouping &all, Values &values)
{
	Oid function, parameter;
	int16 length;
	bool by_value;
	char align;
	getTypeInputInfo(field.type, &function, &parameter);
	get_typlenbyvalalign(field.type, &length, &by_value, &align);
	auto *keys = static_cast<Datum *>(palloc(static_cast<Size>(all.count) * sizeof(Datum)));
	int count = 0;
	for (int32 g = 0; g < all.count; g++)
	{
		if (all.groups[g].count == all.group_size)
			continue;
		const char *text = text_of_scalar(scalar_of(all.groups[g].key));
		keys[count++] = OidInputFunctionCall(function, const_cast<char *>(text), parameter, -1);
	}
	ArrayType *array = construct_array(keys, count, field.type, length, by_value, align);
	int n = add_value(values, get_array_type(field.type), PointerGetDatum(array));
	appendStringInfo(sql, "%s OPERATOR(pg_catalog.=) ANY ($%d)", field.column, n);
}

/* The same as a filter over the payload; false where keys are neither all strings nor all integers. */
static bool
append_payload_condition(StringInfo sql, const Target &target, const Field &field, const Grouping &all, Values &values)
{
	StringInfoData json;
	initStringInfo(&json);
	appendStringInfoString(&json, "{\"must\": [{\"key\": ");
	escape_json(&json, field.path);
	appendStringInfoString(&json, ", \"match\": {\"any\": [");
	bool first = true, strings = false;
	for (int32 g = 0; g < all.count; g++)
	{
		if (all.groups[g].count == all.group_size)
			continue;
		JsonbValue key = scalar_of(all.groups[g].key);
		const char *text = text_of_scalar(key);
		bool string = key.type == jbvString;
		if (key.type == jbvBool || (!string && strspn(text, "-0123456789") != strlen(text)) ||
			(!first && string != strings))
			return false;
		strings = string;
		appendStringInfoString(&json, first ? "" : ", ");
		if (string)
			escape_json(&json, text);
		else
			appendStringInfoString(&json, text);
		first = false;
	}
	appendStringInfoString(&json, "]}}]}");
	Datum filter = DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
	return append_filter(sql, target, DatumGetJsonbP(filter), values);
}

/* What all is found with. */
struct Question
{
	const Target &target;
	const PageRequest &page;
	Datum query;
	Field field;
	Values &values;
};

/*
 * Opens the rows of groups that are not full, by their keys, if that costs less than to read on in the stream. Groups, but for those that
 * are full, begin anew: the rows come in the same order.
 */
static bool
open_by_keys(Grouping &all, const Stream &stream, const Question &question, IdMaker &ids, Stream &filling)
{
	const Field &field = question.field;
	StringInfoData condition, sql;
	initStringInfo(&condition);
	initStringInfo(&sql);
	if (field.column != nullptr && has_literal_keys(field.type))
		append_column_condition(&condition, field, all, question.values);
	else if (field.column != nullptr ||
			 !append_payload_condition(&condition, question.target, field, all, question.values))
		return false;
	StatementOptions options;
	ids = append_nearest_select(&sql, question.target, question.page, question.query, field.expression, condition.data,
								question.values, options);
	filling = open_stream(sql.data, question.values, options);
	double cost = stream.plan->total_cost, rows = std::max(stream.plan->plan_rows, 1.0);
	if (stream.limit != PG_INT64_MAX && static_cast<double>(stream.limit) < rows)
		cost *= static_cast<double>(stream.limit) / rows;
	if (filling.plan->total_cost >= cost)
	{
		SPI_cursor_close(filling.portal);
		return false;
	}
	for (int32 g = 0; g < all.count; g++)
		if (all.groups[g].count < all.group_size)
			all.groups[g].count = 0;
	/* Numbers of rows that no group has seen. */
	filling.row = stream.row;
	if (filling.limit != PG_INT64_MAX)
		filling.limit += stream.row;
	return true;
}

/* All that the first rows leave open. at_limit: no more of them may be read. */
static void
find_rest(Grouping &all, const Question &question, int64 rows_read, bool at_limit)
{
	StringInfoData sql;
	initStringInfo(&sql);
	StatementOptions options;
	options.fast_start = true;
	IdMaker ids = append_nearest_select(&sql, question.target, question.page, question.query, question.field.expression,
										nullptr, question.values, options);
	Stream stream = open_stream(sql.data, question.values, options), filling{};
	stream.row = rows_read;
	IdMaker filling_ids{};
	if (all.count == all.wanted && open_by_keys(all, stream, question, filling_ids, filling))
	{
		read_rows(all, filling, filling_ids);
		SPI_cursor_close(filling.portal);
	}
	else if (!at_limit)
	{
		/* From the beginning: a plan without a limit may go another way. */
		forget_groups(all);
		stream.row = 0;
		read_rows(all, stream, ids);
	}
	SPI_cursor_close(stream.portal);
}

/* Few rows, which an index has at once, do for groups that fill up on the way. */
static void
find_groups(Grouping &all, const Question &question)
{
	StringInfoData sql;
	initStringInfo(&sql);
	StatementOptions options;
	IdMaker ids = append_nearest_select(&sql, question.target, question.page, question.query, question.field.expression,
										nullptr, question.values, options);
	int64 first_rows = 4 * static_cast<int64>(all.wanted) * all.group_size + 100;
	appendStringInfo(&sql, " LIMIT " INT64_FORMAT, first_rows);
	Stream stream = open_stream(sql.data, question.values, options);
	read_rows(all, stream, ids);
	SPI_cursor_close(stream.portal);
	if (all.full < all.wanted && stream.row >= std::min(first_rows, stream.limit))
		find_rest(all, question, stream.row, stream.row >= stream.limit);
}

static void
put_groups(ReturnSetInfo *result, const Target &target, const Grouping &all)
{
	for (int32 g = 0; g < all.count; g++)
	{
		const Group &group = all.groups[g];
		for (int32 i = 0; i < group.count; i++)
		{
			const Hit &hit = group.hits[i];
			bool nulls[6] = {false, false, hit.no_id};
			Datum values[6] = {JsonbPGetDatum(group.key),
							   Int64GetDatum(g + 1),
							   hit.id,
							   Float8GetDatum(hit.distance),
							   Float8GetDatum(score_of_distance(target.metric, hit.distance)),
							   Int64GetDatum(i + 1)};
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	}
}

static Field
read_field(const Target &target, const char *group_by, Values &values)
{
	StringInfoData text;
	initStringInfo(&text);
	Oid type;
	if (append_field(&text, target, group_by, values, &type))
		return Field{group_by, text.data, nullptr, InvalidOid};
	type = getBaseType(type);
	if (get_typtype(type) == TYPTYPE_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot group by \"%s\", which is of composite type %s", group_by, format_type_be(type))));
	return Field{group_by, psprintf("pg_catalog.to_jsonb(%s)", text.data), text.data, type};
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_search_groups)
{
	using namespace vecdb::api::groups;
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, kVec, "vec")));
	Datum query = required_argument(fcinfo, kQuery, "query");
	const char *group_by = text_to_cstring(DatumGetTextPP(required_argument(fcinfo, kGroupBy, "group_by")));
	int32 wanted = at_least_one(fcinfo, kGroups, "groups", 10);
	int32 group_size = at_least_one(fcinfo, kGroupSize, "group_size", 3);
	check_page(static_cast<int64>(wanted) * group_size, 0);
	PageRequest page;
	if (!PG_ARGISNULL(kFilter))
		page.filter = PG_GETARG_JSONB_P(kFilter);
	page.params = read_params(PG_ARGISNULL(kParams) ? nullptr : PG_GETARG_JSONB_P(kParams));
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, vec, argument_type(fcinfo, kKey, "key"), page.params);
	Values values;
	init_values(values);
	Field field = read_field(target, group_by, values);
	Grouping all = new_grouping(wanted, group_size, target.key.type);
	int settings = begin_settings(page.params);
	find_groups(all, Question{target, page, query, field, values});
	end_settings(settings);
	put_groups(result, target, all);
	SPI_finish();
	return Datum{0};
}
