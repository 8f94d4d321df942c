/* SPDX-License-Identifier: PostgreSQL
 * Cursors of walks: between rows and vecdb/codec/cursor_token.hpp.
 *
 * Regime: shell.
 * Safety: a cursor comes from the client and may say anything. Its values go through the input functions of the columns' types and
 *         become parameters; a value that these refuse is a wrong cursor, as is one of another walk.
 */
#include "api/cursor.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace vecdb::api
{

using namespace core::codec;

/* Names of tables, types and the like are written by search_path; their numbers are not. */
static Oid
written_type(Oid type)
{
	switch (type)
	{
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGTYPEOID:
		case REGROLEOID:
		case REGNAMESPACEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
		case REGCOLLATIONOID: return OIDOID;
		default: return type;
	}
}

CursorColumn
cursor_column(Oid type)
{
	CursorColumn column{};
	column.type = getBaseType(type);
	Oid written = written_type(column.type), function;
	bool varlena;
	getTypeOutputInfo(written, &function, &varlena);
	fmgr_info(function, &column.output);
	getTypeInputInfo(written, &function, &column.input_param);
	fmgr_info(function, &column.input);
	return column;
}

static void
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

int
begin_cursor_text()
{
	int level = NewGUCNestLevel();
	if (DateStyle != USE_ISO_DATES)
		set_locally("datestyle", "ISO");
	if (IntervalStyle != INTSTYLE_POSTGRES)
		set_locally("intervalstyle", "postgres");
	if (extra_float_digits < 1)
		set_locally("extra_float_digits", "1");
	return level;
}

void
end_cursor_text(int nest_level)
{
	AtEOXact_GUC(true, nest_level);
}

Datum
write_cursor(uint64 scope, bool among_nulls, CursorColumn *columns, const Datum *values, int count)
{
	CursorToken token;
	token.scope = scope;
	token.among_nulls = among_nulls;
	token.count = count;
	for (int i = 0; i < count; i++)
		token.values[i] = OutputFunctionCall(&columns[i].output, values[i]);
	Size bytes = cursor_token_bytes(token);
	if (bytes == 0)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("values of the key and of order_by are too long for a cursor"),
						errdetail("One may have %zu bytes as text.", kMaxCursorValueBytes)));
	auto *result = static_cast<text *>(palloc(VARHDRSZ + bytes));
	SET_VARSIZE(result, VARHDRSZ + bytes);
	print_cursor_token(token, std::span<char>(VARDATA(result), bytes));
	return PointerGetDatum(result);
}

[[noreturn]] static void
report_wrong_cursor(const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid cursor"), errdetail("%s", detail),
					errhint("Pass on the cursor of a row of the page before, with the same arguments.")));
	pg_unreachable();
}

/* What input functions raise of a value that they do not take. */
static bool
is_about_the_value(int sqlstate)
{
	int category = ERRCODE_TO_CATEGORY(sqlstate);
	return category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ||
		   category == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION || sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
		   sqlstate == ERRCODE_UNTRANSLATABLE_CHARACTER || sqlstate == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
}

static Datum
read_value(CursorColumn &column, std::string_view written)
{
	if (!pg_verify_mbstr(GetDatabaseEncoding(), written.data(), static_cast<int>(written.size()), true))
		report_wrong_cursor("A value in it is not text.");
	char *copy = pnstrdup(written.data(), written.size());
	MemoryContext context = CurrentMemoryContext;
	volatile Datum value = Datum{0};
	volatile bool refused = false;
	PG_TRY();
	{
		value = InputFunctionCall(&column.input, copy, column.input_param, -1);
	}
	PG_CATCH();
	{
		/* Only to say it in other words: an ERROR follows in any case. */
		MemoryContextSwitchTo(context);
		if (!is_about_the_value(geterrcode()))
			PG_RE_THROW();
		FlushErrorState();
		refused = true;
	}
	PG_END_TRY();
	if (refused)
		report_wrong_cursor(psprintf("A value in it is not of type %s.", format_type_be(column.type)));
	return value;
}

bool
read_cursor(text *cursor, uint64 scope, CursorColumn *columns, int count, bool ordered, Datum *values)
{
	Size bytes = VARSIZE_ANY_EXHDR(cursor);
	auto *buffer = static_cast<char *>(palloc(bytes + 1));
	CursorToken token;
	if (!parse_cursor_token(std::span<const char>(VARDATA_ANY(cursor), bytes), std::span<char>(buffer, bytes), token))
		report_wrong_cursor("It is not one that scroll returned.");
	if (token.scope != scope)
		report_wrong_cursor(
			"It belongs to a walk over another relation, or by another key, order, direction or filter.");
	int first = token.among_nulls ? 1 : 0;
	if ((token.among_nulls && !ordered) || token.count != count - first)
		report_wrong_cursor("It is not one that scroll returned.");
	for (int i = 0; i < token.count; i++)
		values[first + i] = read_value(columns[first + i], token.values[i]);
	return token.among_nulls;
}

}  // namespace vecdb::api
