/* SPDX-License-Identifier: PostgreSQL
 * amcostestimate: what the planner is told about an HNSW scan.
 *
 * Regime: shell.
 * The model: a scan first scores about S nodes (its startup), then yields rows in order, looking ahead twice as far as
 * it has returned. S follows the graph search: ef_search expansions of about 1.3 m new nodes each, and m on each
 * upper layer, never more than the rows there are. Each scored node is one page visit. The estimate depends on nothing
 * but the index and the settings, so that a prepared statement settles on a generic plan.
 */
#include "hnsw/handler.hpp"
#include "hnsw/module.hpp"
#include "hnsw/state.hpp"

#include <algorithm>
#include <cmath>

namespace vecdb::hnsw
{

void
hnsw_cost_estimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost, Cost *total_cost,
				   Selectivity *selectivity, double *correlation, double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	*correlation = 0;
	*pages = info->pages;
	*selectivity = 1;
	if (path->indexorderbys == NIL)
	{
		/* Cannot run without an order: never choose it. */
		*startup_cost = *total_cost = get_float8_infinity();
		return;
	}

	Relation index = index_open(info->indexoid, NoLock);
	HnswOptions options = effective_options(index);
	index_close(index, NoLock);

	double rows = std::max(info->tuples, 1.0);
	double m = options.m;
	double layers = std::log(rows) / std::log(m);
	double scored = std::min(rows, guc_ef_search * 1.3 * m + std::max(0.0, layers - 1) * m * 2);

	double random_page_cost, sequential_page_cost;
	get_tablespace_page_costs(info->reltablespace, &random_page_cost, &sequential_page_cost);
	double pages_total = std::max(static_cast<double>(info->pages), 1.0);

	/* The share of the index that is not expected in memory is paid at random_page_cost, the rest as CPU. */
	double cached = std::min(1.0, effective_cache_size / pages_total);
	double pages_visited = std::min(scored, pages_total);
	double io = (1 - cached) * pages_visited * random_page_cost;
	double per_node = cpu_index_tuple_cost + 2 * cpu_operator_cost;

	*startup_cost = io + scored * per_node;

	/* All rows in order: every node scored once, read at random, sorted; plus the executor's own work a row. */
	double rest = std::max(0.0, rows - scored);
	double rest_io = std::max(0.0, pages_total - pages_visited) * ((1 - cached) * random_page_cost + cached * 0.25);
	double sorting = 2 * cpu_operator_cost * rows * std::log2(rows + 1);
	*total_cost = *startup_cost + rest * per_node + rest_io + sorting + rows * cpu_index_tuple_cost;

	QualCost order_cost;
	cost_qual_eval(&order_cost, path->indexorderbys, root);
	*startup_cost += order_cost.startup;
	*total_cost += order_cost.startup;
	(void) loop_count;
}

}  // namespace vecdb::hnsw
