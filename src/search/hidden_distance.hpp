/* SPDX-License-Identifier: PostgreSQL
 * Plans without the hidden sort distance: set-up.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::search
{

/* Defines vecdb.strip_hidden_distance and installs the planner hook. Call once from _PG_init. */
void hidden_distance_init();

}  // namespace vecdb::search
