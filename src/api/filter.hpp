/* SPDX-License-Identifier: PostgreSQL
 * Filters: Qdrant's JSON grammar (docs/filters.md) compiled to a SQL condition, and judged on a document.
 *
 * Regime: shell.
 * The first part of a key names a column of the relation; where there is none, a field of the payload column: the one that
 * params.payload_column names, else the column `payload`, else the only jsonb column.
 */
#pragma once

#include "api/statement.hpp"
#include "api/target.hpp"

namespace vecdb::api
{

/*
 * Appends a condition on the row t, in parentheses, or nothing where the filter is null or asks nothing; returns whether it did.
 * Every literal of the filter becomes a value. Raises 22023 with the path of the bad node in DETAIL, 54000 beyond the limits, 42703, 0A000.
 */
bool append_filter(StringInfo sql, const Target &target, Jsonb *filter, Values &values);

/* A field (key path of the same grammar) as an expression of type jsonb: for grouping, facets and ordering. False: it is a plain column,
 * and the expression is that column itself, of type `type`. */
bool append_field(StringInfo sql, const Target &target, const char *path, Values &values, Oid *type);

}  // namespace vecdb::api
