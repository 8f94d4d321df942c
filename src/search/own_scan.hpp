/* SPDX-License-Identifier: PostgreSQL
 * Which scans of a plan are ours.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::search
{

/* Is indexid an index of one of our access methods? Only of plans that have just been made or are about to run. */
bool is_own_index(Oid indexid);

}  // namespace vecdb::search
