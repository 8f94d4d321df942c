/* SPDX-License-Identifier: PostgreSQL
 * What functions on the rows of a relation share: their arguments, conditions, how many rows there are about.
 *
 * Regime: shell.
 */
#pragma once

#include "api/ranked.hpp"

namespace vecdb::api
{

/* Null where the argument is NULL. */
Jsonb *jsonb_argument(FunctionCallInfo fcinfo, int argument);
const char *text_argument(FunctionCallInfo fcinfo, int argument);

/* "OPERATOR(schema.name)". */
const char *spell_operator(Oid oid);

/* " WHERE ..." of the filter and, in parentheses, of more conditions (null: none); nothing where there is none. True: of a filter. */
bool append_where(StringInfo sql, const Target &target, Jsonb *filter, const char *condition, Values &values);

/* Of tables, partitioned tables and materialised views: what TABLESAMPLE and estimates work on. */
bool is_stored(const Target &target);

/* Rows that the planner expects of the condition (as append_where makes it; "" for all). At least 1. */
double estimate_rows(const Target &target, const char *where, const Values &values);

}  // namespace vecdb::api
