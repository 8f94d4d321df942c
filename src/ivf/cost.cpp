/* SPDX-License-Identifier: PostgreSQL
 * amcostestimate: what the planner is told about an ivf scan.
 *
 * Regime: shell.
 */
#include "ivf/handler.hpp"

namespace vecdb::ivf
{

void
ivf_cost_estimate(PlannerInfo *, IndexPath *path, double, Cost *startup_cost, Cost *total_cost,
				  Selectivity *selectivity, double *correlation, double *pages)
{
	*correlation = 0;
	*pages = path->indexinfo->pages;
	*selectivity = 1;
	*startup_cost = *total_cost = get_float8_infinity();
	if (path->indexorderbys != NIL)
	{
		*startup_cost = 1;
		*total_cost = 2 + path->indexinfo->tuples * 0.01;
	}
}

}  // namespace vecdb::ivf
