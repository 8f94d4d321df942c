/* SPDX-License-Identifier: PostgreSQL
 * vecdb.search_groups(): the nearest rows of the groups that have the nearest rows.
 *
 * Regime: shell.
 * Rows are read in the order of their distance: the first `groups` keys that come along are the best groups, and the first
 * `group_size` rows of each its best. Reading ends when all are full, or with the rows.
 * Keeps:  an index alone could be read to its end for a group that has few rows. So of an ordered index scan at most
 *         hnsw.max_scan_tuples rows are read; what is found by then is the answer. Other plans have all rows at hand: no limit.
 * Memory: ids of hits in the function's context, keys of rows in one that is reset with each batch.
 */
#include "pg/postgres.hpp"

#include <algorithm>
#include <cmath>

extern "C" {
#include "utils/datum.h"
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
	std::fill_n(all.slots, slots, -1);
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

static int64
most_rows(Portal portal)
{
	const auto *statement = linitial_node(PlannedStmt, portal->stmts);
	if (!reads_ordered_index(statement->planTree))
		return PG_INT64_MAX;
	return pg_strtoint32(GetConfigOption("hnsw.max_scan_tuples", false, false));
}

/* Reads until the groups are full, the rows at an end, or the limit is reached. */
static void
read_groups(Grouping &all, Portal portal, const IdMaker &ids)
{
	constexpr int64 kFirstBatch = 32, kLargestBatch = 512;
	MemoryContext batch_context =
		AllocSetContextCreate(CurrentMemoryContext, "vecdb groups batch", ALLOCSET_DEFAULT_SIZES);
	int64 limit = most_rows(portal), row = 0;
	for (int64 batch = kFirstBatch; all.full < all.wanted && row < limit; batch = std::min(2 * batch, kLargestBatch))
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, std::min(batch, limit - row));
		SPITupleTable *rows = SPI_tuptable;
		uint64 count = SPI_processed;
		bool ended = count == 0;
		MemoryContext old = MemoryContextSwitchTo(batch_context);
		for (uint64 i = 0; i < count && !ended && all.full < all.wanted; i++, row++)
		{
			bool no_distance, no_field;
			Datum distance = heap_getattr(rows->vals[i], ids.count + 1, rows->tupdesc, &no_distance);
			Datum field = heap_getattr(rows->vals[i], ids.count + 2, rows->tupdesc, &no_field);
			ended = no_distance || std::isnan(DatumGetFloat8(distance));
			if (!ended && !no_field)
				add_row(all, DatumGetJsonbP(field), row, Source{&ids, rows->vals[i], rows->tupdesc},
						DatumGetFloat8(distance));
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch_context);
		SPI_freetuptable(rows);
		if (ended)
			break;
	}
	MemoryContextDelete(batch_context);
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

/* The field that groups, as an expression of type jsonb. */
static const char *
group_expression(const Target &target, const char *group_by, Values &values)
{
	StringInfoData field;
	initStringInfo(&field);
	Oid type;
	if (append_field(&field, target, group_by, values, &type))
		return field.data;
	if (get_typtype(getBaseType(type)) == TYPTYPE_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot group by \"%s\", which is of composite type %s", group_by, format_type_be(type))));
	return psprintf("pg_catalog.to_jsonb(%s)", field.data);
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
	const char *field = group_expression(target, group_by, values);
	StringInfoData sql;
	initStringInfo(&sql);
	StatementOptions options;
	options.fast_start = true;
	IdMaker ids = append_nearest_select(&sql, target, page, query, field, values, options);
	Grouping all = new_grouping(wanted, group_size, target.key.type);
	int settings = begin_settings(page.params);
	Portal portal = open_statement(sql.data, values, options);
	read_groups(all, portal, ids);
	SPI_cursor_close(portal);
	end_settings(settings);
	put_groups(result, target, all);
	SPI_finish();
	return Datum{0};
}
