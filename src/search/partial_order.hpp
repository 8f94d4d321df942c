/* SPDX-License-Identifier: PostgreSQL
 * Lets ordered scans of ours serve ORDER BY distance, something else.
 *
 * Regime: shell.
 */
#pragma once

namespace vecdb::search
{

/* Installs the hook. Call once from _PG_init. */
void partial_order_init();

}  // namespace vecdb::search
