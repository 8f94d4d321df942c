/* SPDX-License-Identifier: PostgreSQL
 * Status -> ereport, and the errors that many files raise.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

#include "vecdb/base/status.hpp"

namespace vecdb::pg
{

/* Raises status as an ERROR with its SQLSTATE, message and detail. Does nothing when it is ok. */
void report(const core::Status &status);

/* SQLSTATE XX002: "index "i" is corrupted at block b: what", with a HINT to REINDEX. */
[[noreturn]] void report_corrupt(Relation index, BlockNumber blkno, const char *what);

}  // namespace vecdb::pg
