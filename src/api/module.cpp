/* SPDX-License-Identifier: PostgreSQL
 * Settings and callbacks of the query API.
 *
 * Regime: shell.
 */
#include "api/module.hpp"

#include "api/statement.hpp"
#include "api/target.hpp"

namespace vecdb::api
{

void
module_init()
{
	statement_init();
	target_init();
}

}  // namespace vecdb::api
