/* SPDX-License-Identifier: PostgreSQL
 * What _PG_init needs of the query API.
 *
 * Regime: shell.
 */
#pragma once

namespace vecdb::api
{

/* Defines settings, registers callbacks. Call once from _PG_init. */
void module_init();

}  // namespace vecdb::api
