/* SPDX-License-Identifier: PostgreSQL
 * vecdb.upsert_rows(): rows as JSON objects, by the table's primary key.
 *
 * Regime: shell.
 * Keeps:  the outcome is that of one upsert after another, in order. Rows in a row that name the same columns go in one statement, where
 *         of equal keys the last one counts; a column that an object does not name gets its default or stays as it is.
 */
#include "api/rows.hpp"

namespace vecdb::api
{

/* The rows as they came. */
struct Rows
{
	Jsonb *array;
	int count;
};

/* The columns that a row names, in the order of its keys, which jsonb keeps the same for the same keys. */
struct RowColumns
{
	int count;
	AttrNumber *attnos;
};

[[noreturn]] static void
report_bad_rows(int row, const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rows must be a JSON array of objects"),
					row < 0 ? 0 : errdetail("Row %d %s.", row + 1, what)));
	pg_unreachable();
}

static Rows
take_rows(Jsonb *json)
{
	if (JB_ROOT_IS_ARRAY(json) && !JB_ROOT_IS_SCALAR(json))
		return Rows{json, static_cast<int>(JB_ROOT_COUNT(json))};
	if (!JB_ROOT_IS_OBJECT(json))
		report_bad_rows(-1, "");
	JsonbParseState *state = nullptr;
	JsonbValue object;
	object.type = jbvBinary;
	object.val.binary.data = &json->root;
	object.val.binary.len = static_cast<int>(VARSIZE_ANY_EXHDR(json));
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
	pushJsonbValue(&state, WJB_ELEM, &object);
	return Rows{JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, nullptr)), 1};
}

static RowColumns
columns_of(Oid relid, const Rows &rows, int row)
{
	JsonbValue *value = getIthJsonbValueFromContainer(&rows.array->root, static_cast<uint32>(row));
	if (value == nullptr || value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		report_bad_rows(row, "is not an object");
	RowColumns columns{};
	int most = static_cast<int>(JsonContainerSize(value->val.binary.data));
	if (most == 0)
		report_bad_rows(row, "names no column");
	columns.attnos = static_cast<AttrNumber *>(palloc(static_cast<Size>(most) * sizeof(AttrNumber)));
	JsonbIterator *it = JsonbIteratorInit(value->val.binary.data);
	JsonbValue key;
	JsonbIteratorToken token;
	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		const char *name = pnstrdup(key.val.string.val, key.val.string.len);
		AttrNumber attno = get_attnum(relid, name);
		if (attno <= 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("column \"%s\" of relation \"%s\" does not exist", name, get_rel_name(relid)),
							errdetail("Row %d names it.", row + 1)));
		columns.attnos[columns.count++] = attno;
	}
	return columns;
}

static bool
same_columns(const RowColumns &a, const RowColumns &b)
{
	return a.count == b.count && memcmp(a.attnos, b.attnos, static_cast<Size>(a.count) * sizeof(AttrNumber)) == 0;
}

static bool
has_column(const RowColumns &columns, AttrNumber attno)
{
	for (int i = 0; i < columns.count; i++)
		if (columns.attnos[i] == attno)
			return true;
	return false;
}

static Jsonb *
slice_rows(const Rows &rows, int begin, int end)
{
	if (begin == 0 && end == rows.count)
		return rows.array;
	JsonbParseState *state = nullptr;
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
	for (int i = begin; i < end; i++)
		pushJsonbValue(&state, WJB_ELEM, getIthJsonbValueFromContainer(&rows.array->root, static_cast<uint32>(i)));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, nullptr));
}

/* "c1, c2, n": for the columns of the table's row type as a function returns them, then the place of the row. */
static void
append_aliases(StringInfo sql, Oid relid)
{
	Relation relation = table_open(relid, AccessShareLock);
	TupleDesc desc = RelationGetDescr(relation);
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			appendStringInfo(sql, "c%d, ", i + 1);
	appendStringInfoChar(sql, 'n');
	table_close(relation, NoLock);
}

/* Of rows that name these columns; the rows are $1. */
static const char *
statement(const Target &target, const RowColumns &columns)
{
	const Key &key = target.key;
	StringInfoData names, selected, keys, key_names, updated, sql;
	initStringInfo(&names);
	initStringInfo(&selected);
	initStringInfo(&keys);
	initStringInfo(&key_names);
	initStringInfo(&updated);
	initStringInfo(&sql);
	bool has_key = true;
	for (int i = 0; i < key.count; i++)
	{
		has_key = has_key && has_column(columns, key.attnos[i]);
		appendStringInfo(&keys, "%su.c%d", i == 0 ? "" : ", ", key.attnos[i]);
		appendStringInfo(&key_names, "%s%s", i == 0 ? "" : ", ",
						 quote_identifier(get_attname(target.relid, key.attnos[i], false)));
	}
	RowColumns key_columns{key.count, key.attnos};
	for (int i = 0; i < columns.count; i++)
	{
		const char *name = quote_identifier(get_attname(target.relid, columns.attnos[i], false));
		appendStringInfo(&names, "%s%s", i == 0 ? "" : ", ", name);
		appendStringInfo(&selected, "%su.c%d", i == 0 ? "" : ", ", columns.attnos[i]);
		if (!has_column(key_columns, columns.attnos[i]))
			appendStringInfo(&updated, "%s%s = EXCLUDED.%s", updated.len == 0 ? "" : ", ", name, name);
	}
	appendStringInfo(&sql, "INSERT INTO %s AS t (%s) OVERRIDING SYSTEM VALUE SELECT ", target.relation, names.data);
	if (has_key)
		appendStringInfo(&sql, "DISTINCT ON (%s) ", keys.data);
	appendStringInfo(&sql,
					 "%s FROM ROWS FROM (pg_catalog.jsonb_populate_recordset(NULL::%s, $1)) WITH ORDINALITY AS u(",
					 selected.data, target.relation);
	append_aliases(&sql, target.relid);
	appendStringInfoString(&sql, ") ORDER BY ");
	/* Without its key a row is new: what it may meet is not it. */
	if (!has_key)
		appendStringInfoString(&sql, "u.n");
	else
		appendStringInfo(&sql, "%s, u.n DESC ON CONFLICT (%s) DO %s%s", keys.data, key_names.data,
						 updated.len > 0 ? "UPDATE SET " : "NOTHING", updated.data);
	return sql.data;
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_upsert_rows)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, 0, "rel"));
	Rows rows = take_rows(DatumGetJsonbP(required_argument(fcinfo, 1, "rows")));
	SPI_connect();
	/* The row type as witness: the primary key. */
	Target target = open_target(relid, nullptr, get_rel_type_id(relid), read_params(nullptr));
	if (target.relkind != RELKIND_RELATION && target.relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", get_rel_name(relid))));
	StatementOptions options;
	options.read_only = false;
	int64 written = 0;
	MemoryContext run_context =
		AllocSetContextCreate(CurrentMemoryContext, "rows of upsert_rows", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(run_context);
	for (int begin = 0, end; begin < rows.count; begin = end)
	{
		CHECK_FOR_INTERRUPTS();
		RowColumns columns = columns_of(relid, rows, begin);
		for (end = begin + 1; end < rows.count && same_columns(columns, columns_of(relid, rows, end));)
			end++;
		Values values;
		init_values(values);
		(void) add_value(values, JSONBOID, JsonbPGetDatum(slice_rows(rows, begin, end)));
		run_statement(statement(target, columns), values, options);
		written += static_cast<int64>(SPI_processed);
		MemoryContextReset(run_context);
	}
	MemoryContextSwitchTo(before);
	SPI_finish();
	PG_RETURN_INT64(written);
}
