/* SPDX-License-Identifier: PostgreSQL
 * Statements that give the rows nearest to a vector, with something more of each, to functions that choose among them.
 *
 * Regime: shell.
 */
#pragma once

#include "api/ranked.hpp"

namespace vecdb::api
{

/*
 * Appends "SELECT columns of the id, distance, more FROM t WHERE filter ORDER BY distance, key" for a query of type vector. more: an
 * expression over t; of the rows, it is column ids.count + 2. condition: a further one, or null. Sets the plan in options.
 */
IdMaker append_nearest_select(StringInfo sql, const Target &target, const PageRequest &page, Datum query,
							  const char *more, const char *condition, Values &values, StatementOptions &options);

}  // namespace vecdb::api
