/* SPDX-License-Identifier: PostgreSQL
 * What the files on collections share.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::api
{

/* The schema of the extension's types, operators and operator classes, quoted. */
const char *own_schema();

}  // namespace vecdb::api
