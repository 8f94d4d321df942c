/* SPDX-License-Identifier: PostgreSQL
 * Module entry: magic block and _PG_init. Nothing else.
 *
 * Regime: shell.
 */
#include "pg/postgres.hpp"

#include "api/module.hpp"
#include "hnsw/module.hpp"
#include "ivf/module.hpp"
#include "search/hidden_distance.hpp"
#include "search/partial_order.hpp"
#include "search/row_limit.hpp"

extern "C" {
PG_MODULE_MAGIC;
}

extern "C" PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	vecdb::hnsw::module_init();
	vecdb::ivf::module_init();
	vecdb::search::hidden_distance_init();
	vecdb::search::partial_order_init();
	vecdb::search::row_limit_init();
	vecdb::api::module_init();
	/* Last: from here on, a setting of that prefix which is not defined is a mistake. */
	MarkGUCPrefixReserved("vecdb");
}
