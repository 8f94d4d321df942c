/* SPDX-License-Identifier: PostgreSQL
 * What hybrid search shares with the gateway.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::api
{

/* How far into a list fusion looks where nobody says. */
int64 list_depth(int64 k, int64 skip);

}  // namespace vecdb::api
