/* SPDX-License-Identifier: PostgreSQL
 * Tells ordered scans of ours the LIMIT of their statement.
 *
 * Regime: shell.
 */
#pragma once

namespace vecdb::search
{

/* Installs the hook. Call once from _PG_init. */
void row_limit_init();

}  // namespace vecdb::search
