/* SPDX-License-Identifier: PostgreSQL
 * Module entry: magic block and _PG_init. Nothing else.
 *
 * Regime: shell.
 */
#include "pg/postgres.hpp"

#include "hnsw/module.hpp"

extern "C" {
PG_MODULE_MAGIC;
}

extern "C" PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	vecdb::hnsw::module_init();
}
