/* SPDX-License-Identifier: PostgreSQL
 * vecdb.scroll(): the rows of a relation page by page, in order of the key or of a field and then the key.
 *
 * Regime: shell.
 * Keeps:  a page begins strictly behind its cursor, by a comparison of rows that a btree index on the columns of the order serves: it
 *         costs the same wherever it lies. Rows without an order value come last, by a second statement, as no comparison reaches them.
 *         A row that is there and unchanged for the whole walk is returned exactly once.
 */
#include "api/rows.hpp"

#include "api/cursor.hpp"
#include "api/filter.hpp"

namespace vecdb::api
{

enum ScrollArgument
{
	kRel,
	kKey,
	kK,
	kAfter,
	kFilter,
	kOrderBy,
	kDescending,
	kParams,
};

/* A column of the order: that of order_by first, then those of the key. */
struct WalkColumn
{
	const char *expression;
	const char *beyond;      // "OPERATOR(pg_catalog.>)", or < in a walk that descends
	const char *not_before;  // >=, or <=
};

struct Walk
{
	Target target;
	Values values;
	int32 k;
	bool ordered, descending;
	int count;  // columns
	WalkColumn *columns;
	CursorColumn *cursors;
	const char *selected;   // what a statement selects
	const char *condition;  // of the filter; "" for none
	bool custom;            // values of the filter or the order decide on the plan
	uint64 scope;
	bool continues, among_nulls;  // behind `place`
	Datum *place;
	text *after;  // null: from the start
};

static WalkColumn
walk_column(const char *expression, Oid type, bool descending)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY | TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	Oid beyond = descending ? entry->lt_opr : entry->gt_opr;
	if (!OidIsValid(beyond))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("values of type %s have no order", format_type_be(type))));
	Oid not_before = get_opfamily_member(entry->btree_opf, entry->btree_opintype, entry->btree_opintype,
										 descending ? BTLessEqualStrategyNumber : BTGreaterEqualStrategyNumber);
	return WalkColumn{expression, spell_operator(beyond), spell_operator(not_before)};
}

/* Whether the column may be NULL in rows that are there: a key of a view or a materialised view. */
static bool
keys_may_be_null(const Target &target)
{
	return target.relkind != RELKIND_RELATION && target.relkind != RELKIND_PARTITIONED_TABLE;
}

static void
append_column(Walk &walk, StringInfo selected, const char *expression, Oid type)
{
	if (walk.count == core::codec::kMaxCursorValues)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("the key has too many columns for a cursor")));
	walk.columns[walk.count] = walk_column(expression, type, walk.descending);
	walk.cursors[walk.count] = cursor_column(type);
	walk.count++;
	appendStringInfo(selected, ", %s", expression);
}

/* Values of the column that are equal in its order may be two keys: the unique index may compare by another collation. */
static bool
may_be_ambiguous(const Walk &walk, AttrNumber attno)
{
	Oid type, collation;
	int32 typmod;
	get_atttypetypmodcoll(walk.target.relid, attno, &type, &typmod, &collation);
	return OidIsValid(collation) && !get_collation_isdeterministic(collation);
}

static void
take_columns(Walk &walk, const char *order_by)
{
	constexpr Size kMost = core::codec::kMaxCursorValues;
	const Key &key = walk.target.key;
	walk.ordered = order_by != nullptr;
	walk.columns = static_cast<WalkColumn *>(palloc(kMost * sizeof(WalkColumn)));
	walk.cursors = static_cast<CursorColumn *>(palloc(kMost * sizeof(CursorColumn)));
	walk.place = static_cast<Datum *>(palloc0(kMost * sizeof(Datum)));
	StringInfoData selected;
	initStringInfo(&selected);
	appendStringInfoString(&selected, key.select);
	if (walk.ordered)
	{
		StringInfoData expression;
		initStringInfo(&expression);
		Oid type = JSONBOID;
		/* A path is a value: only as a constant is the expression that of an index. */
		walk.custom = append_field(&expression, walk.target, order_by, walk.values, &type);
		appendStringInfo(&selected, ", pg_catalog.to_jsonb(%s)", expression.data);
		append_column(walk, &selected, expression.data, type);
	}
	for (int i = 0; i < key.count; i++)
		append_column(walk, &selected, key.columns[i], key.column_types[i]);
	for (int i = 0; i < key.count; i++)
		if (may_be_ambiguous(walk, key.attnos[i]))
			append_column(walk, &selected, psprintf("(%s COLLATE pg_catalog.\"C\")", key.columns[i]),
						  key.column_types[i]);
	walk.selected = selected.data;
}

static void
take_filter(Walk &walk, Jsonb *filter)
{
	StringInfoData condition;
	initStringInfo(&condition);
	if (filter != nullptr && append_filter(&condition, walk.target, filter, walk.values))
		walk.custom = true;
	if (keys_may_be_null(walk.target))
		for (int i = 0; i < walk.target.key.count; i++)
			appendStringInfo(&condition, "%s%s IS NOT NULL", condition.len > 0 ? " AND " : "",
							 walk.target.key.columns[i]);
	walk.condition = condition.data;
}

static uint64
hash_text(uint64 hash, const char *text)
{
	/* With the zero at its end, so that "a", "bc" is not "ab", "c". */
	return core::codec::cursor_hash(hash,
									{reinterpret_cast<const uint8 *>(text), text == nullptr ? 0 : strlen(text) + 1});
}

template <class T>
static uint64
hash_value(uint64 hash, const T &value)
{
	return core::codec::cursor_hash(hash, {reinterpret_cast<const uint8 *>(&value), sizeof value});
}

/* Of all that decides which rows follow one another, in any session of this database. */
static uint64
walk_scope(const Walk &walk, Jsonb *filter, const char *order_by)
{
	uint64 hash = hash_value(0, MyDatabaseId);
	hash = hash_value(hash, walk.target.relid);
	for (int i = 0; i < walk.target.key.count; i++)
		hash = hash_value(hash, walk.target.key.attnos[i]);
	for (int i = 0; i < walk.count; i++)
		hash = hash_value(hash, walk.cursors[i].type);
	hash = hash_value(hash, static_cast<uint8>(walk.descending));
	hash = hash_value(hash, static_cast<uint8>(walk.ordered));
	hash = hash_text(hash, order_by);
	hash = hash_text(hash, walk.target.payload_column);
	if (filter != nullptr)
		hash = hash_value(hash, DirectFunctionCall2(jsonb_hash_extended, JsonbPGetDatum(filter), Int64GetDatum(1)));
	return hash;
}

/* Conditions that place a row behind values n, n + 1, ... by the columns from first on. */
static void
append_beyond(StringInfo sql, const Walk &walk, int first, int n)
{
	int count = walk.count - first;
	const WalkColumn *columns = walk.columns + first;
	bool alike = true;
	for (int i = 1; i < count; i++)
		alike = alike && strcmp(columns[i].beyond, columns[0].beyond) == 0;
	if (alike)
	{
		for (int i = 0; i < count; i++)
			appendStringInfo(sql, "%s%s", i == 0 ? "(" : ", ", columns[i].expression);
		appendStringInfo(sql, ") %s ", columns[0].beyond);
		for (int i = 0; i < count; i++)
			appendStringInfo(sql, "%s$%d", i == 0 ? "(" : ", ", n + i);
		appendStringInfoChar(sql, ')');
		return;
	}
	/* Operators of several schemas have no comparison of rows in common; an index serves the first column alone here. */
	for (int i = 0; i < count; i++)
	{
		if (i < count - 1)
			appendStringInfo(sql, "(%s %s $%d AND (", columns[i].expression, columns[i].not_before, n + i);
		appendStringInfo(sql, "%s %s $%d", columns[i].expression, columns[i].beyond, n + i);
		if (i < count - 1)
			appendStringInfoString(sql, " OR ");
	}
	for (int i = 0; i < count - 1; i++)
		appendStringInfoString(sql, "))");
}

static void
append_order(StringInfo sql, const Walk &walk)
{
	for (int i = 0; i < walk.count; i++)
		appendStringInfo(sql, "%s%s%s", i == 0 ? " ORDER BY " : ", ", walk.columns[i].expression,
						 walk.descending ? " DESC" : "");
}

/* The rows with an order value or, in a walk by the key, all; or those without one. */
static void
run_part(Walk &walk, bool among_nulls, uint64 most_rows)
{
	Values values = walk.values;
	StringInfoData sql;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s FROM %s AS t", walk.selected, walk.target.relation);
	const char *word = " WHERE ";
	auto begin_condition = [&]() {
		appendStringInfoString(&sql, word);
		word = " AND ";
	};
	if (walk.condition[0] != '\0')
	{
		begin_condition();
		appendStringInfoString(&sql, walk.condition);
	}
	/* Behind a place with an order value there is no NULL: no comparison with it holds. */
	bool behind = walk.continues && among_nulls == walk.among_nulls;
	if (walk.ordered && (among_nulls || !behind))
	{
		begin_condition();
		appendStringInfo(&sql, "%s IS %sNULL", walk.columns[0].expression, among_nulls ? "" : "NOT ");
	}
	if (behind)
	{
		begin_condition();
		int first = among_nulls ? 1 : 0;
		int n = values.count + 1;
		for (int i = first; i < walk.count; i++)
			(void) add_value(values, walk.cursors[i].type, walk.place[i]);
		append_beyond(&sql, walk, first, n);
	}
	append_order(&sql, walk);
	appendStringInfo(&sql, " LIMIT %d", walk.k);
	StatementOptions options;
	options.plan = walk.custom ? PlanChoice::custom : PlanChoice::reusable;
	options.most_rows = most_rows < static_cast<uint64>(walk.k) ? most_rows : 0;
	run_statement(sql.data, values, options);
}

static void
put_rows(Walk &walk, ReturnSetInfo *result, bool among_nulls)
{
	SPITupleTable *rows = SPI_tuptable;
	auto *fields = static_cast<Datum *>(palloc(static_cast<Size>(walk.count + 2) * sizeof(Datum)));
	auto *is_null = static_cast<bool *>(palloc(static_cast<Size>(walk.count + 2) * sizeof(bool)));
	int first = walk.ordered ? 2 : 1;  // of the fields: the first of the order
	int skipped = among_nulls ? 1 : 0;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "row of scroll", ALLOCSET_SMALL_SIZES);
	int level = begin_cursor_text();
	for (uint64 i = 0; i < rows->numvals; i++)
	{
		CHECK_FOR_INTERRUPTS();
		heap_deform_tuple(rows->vals[i], rows->tupdesc, fields, is_null);
		MemoryContext before = MemoryContextSwitchTo(row_context);
		Datum row[3] = {fields[0], walk.ordered ? fields[1] : Datum{0}, Datum{0}};
		bool nulls[3] = {is_null[0], !walk.ordered || is_null[1], false};
		row[2] = write_cursor(walk.scope, among_nulls, walk.cursors + skipped, fields + first + skipped,
							  walk.count - skipped);
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
		MemoryContextSwitchTo(before);
		MemoryContextReset(row_context);
	}
	end_cursor_text(level);
	MemoryContextDelete(row_context);
}

static void
scroll(Walk &walk, ReturnSetInfo *result)
{
	if (walk.after != nullptr)
	{
		int level = begin_cursor_text();
		walk.continues = true;
		walk.among_nulls = read_cursor(walk.after, walk.scope, walk.cursors, walk.count, walk.ordered, walk.place);
		end_cursor_text(level);
	}
	uint64 wanted = static_cast<uint64>(walk.k);
	if (!walk.among_nulls)
	{
		run_part(walk, false, wanted);
		wanted -= SPI_tuptable->numvals;
		put_rows(walk, result, false);
		SPI_freetuptable(SPI_tuptable);
	}
	if (walk.ordered && wanted > 0)
	{
		run_part(walk, true, wanted);
		put_rows(walk, result, true);
	}
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_scroll)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	Walk walk{};
	walk.k = PG_ARGISNULL(kK) ? 100 : PG_GETARG_INT32(kK);
	check_page(walk.k, 0);
	walk.after = PG_ARGISNULL(kAfter) ? nullptr : PG_GETARG_TEXT_PP(kAfter);
	Jsonb *filter = jsonb_argument(fcinfo, kFilter);
	const char *order_by = text_argument(fcinfo, kOrderBy);
	walk.descending = !PG_ARGISNULL(kDescending) && PG_GETARG_BOOL(kDescending);
	SearchParams params = read_params(jsonb_argument(fcinfo, kParams));
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	walk.target = open_target(relid, nullptr, argument_type(fcinfo, kKey, "key"), params);
	init_values(walk.values);
	take_columns(walk, order_by);
	take_filter(walk, filter);
	walk.scope = walk_scope(walk, filter, order_by);
	scroll(walk, result);
	SPI_finish();
	return Datum{0};
}
