/* SPDX-License-Identifier: PostgreSQL
 * Which columns a witness type names, and whether they identify a row.
 *
 * Regime: shell.
 */
#pragma once

#include "api/target.hpp"

namespace vecdb::api
{

/* Of an open relation. key_column: params.key_column or null. Errors as of open_target. */
Key resolve_key(Relation relation, Oid witness, const char *key_column);

/* A column by name; 42703 unless the relation has it. */
AttrNumber find_column(Relation relation, const char *name);

/* column, of a type, as a value of another one. */
const char *column_as(const char *column, Oid type, Oid wanted);

/* "t.name", quoted. */
const char *column_reference(const char *name);

}  // namespace vecdb::api
