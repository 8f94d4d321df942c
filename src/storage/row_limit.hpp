/* SPDX-License-Identifier: PostgreSQL
 * How many rows a statement will take from an ordered scan of an index, where its LIMIT tells.
 *
 * Regime: shell.
 * A guess for speed alone: set when a statement starts (search/row_limit.cpp), read when its scan starts. A wrong one
 * (statements nested in each other, over the same index) costs a pass more or a wider one, never a row.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::storage
{

void set_row_limit(Oid index, uint64 rows);

/* What the statement before has told says nothing of the next one, whose plan may hold scans where none of its limits is seen. */
void forget_row_limits();

/* 0: not known. */
uint64 row_limit(Oid index);

}  // namespace vecdb::storage
