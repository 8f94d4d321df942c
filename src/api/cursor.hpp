/* SPDX-License-Identifier: PostgreSQL
 * Values of a row as text and back, and the cursor made of them: what a walk over a table (vecdb.scroll) hands out.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

#include "vecdb/codec/cursor_token.hpp"

namespace vecdb::api
{

/* Writing and reading of one column's values. */
struct CursorColumn
{
	Oid type;
	FmgrInfo output;
	FmgrInfo input;
	Oid input_param;
};

/* Functions live in the current memory context. Columns of a domain are written and read as its base type. */
CursorColumn cursor_column(Oid type);

/* Values are written and read alike whatever a session has set, until end_cursor_text(). An ERROR ends it too. */
int begin_cursor_text();
void end_cursor_text(int nest_level);

/* The cursor of a row as text. columns and values without the order value where it is null. 54000 where it is too long. */
Datum write_cursor(uint64 scope, bool among_nulls, CursorColumn *columns, const Datum *values, int count);

/*
 * Reads a cursor of `with_order` values, or one less where it stands among rows without an order value. 22023 for all that
 * write_cursor did not write for the same scope and columns. The values live in the current memory context.
 */
bool read_cursor(text *cursor, uint64 scope, CursorColumn *columns, int count, bool ordered, Datum *values);

}  // namespace vecdb::api
