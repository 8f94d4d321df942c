/* SPDX-License-Identifier: PostgreSQL
 * Ordered scans of ours for ORDER BY distance, something else: ties by a key, as the query API has them.
 *
 * Up to PostgreSQL 16 an index that orders by an operator is considered only where it serves all sort keys, though an
 * Incremental Sort would put the rows of one distance in order. Here the planner looks at the indexes once more with
 * the first key alone; whether such a path pays is left to its costs. As the planner itself, it leaves samples and
 * relations without rows alone.
 *
 * Regime: shell.
 */
#include "search/partial_order.hpp"

#include "pg/compat.hpp"

extern "C" {
#include "optimizer/paths.h"
}

#include "hnsw/handler.hpp"
#include "ivf/handler.hpp"

namespace vecdb::search
{

static set_rel_pathlist_hook_type previous_hook;

static bool
has_own_index(const RelOptInfo *rel)
{
	ListCell *cell;
	foreach (cell, rel->indexlist)
	{
		auto estimate = static_cast<const IndexOptInfo *>(lfirst(cell))->amcostestimate;
		if (estimate == reinterpret_cast<decltype(estimate)>(hnsw::hnsw_cost_estimate) ||
			estimate == reinterpret_cast<decltype(estimate)>(ivf::ivf_cost_estimate))
			return true;
	}
	return false;
}

/* Whether the first sort key is an operator's value, as a distance is. All other orders are none that our indexes have. */
static bool
begins_with_operator(const List *pathkeys)
{
	auto key = static_cast<const PathKey *>(linitial(pathkeys));
	ListCell *cell;
	foreach (cell, key->pk_eclass->ec_members)
	{
		if (IsA(static_cast<const EquivalenceMember *>(lfirst(cell))->em_expr, OpExpr))
			return true;
	}
	return false;
}

static void
add_partly_ordered_paths(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	if (previous_hook != nullptr)
		previous_hook(root, rel, rti, rte);
	if (list_length(root->query_pathkeys) < 2 || !enable_incremental_sort || rte->rtekind != RTE_RELATION || rte->inh ||
		rte->tablesample != nullptr || IS_DUMMY_REL(rel) || !begins_with_operator(root->query_pathkeys) ||
		!has_own_index(rel))
		return;
	/* Paths that are there already are found again at the same cost, and dropped. */
	List *keys = root->query_pathkeys;
	root->query_pathkeys = list_make1(linitial(keys));
	create_index_paths(root, rel);
	root->query_pathkeys = keys;
}

void
partial_order_init()
{
	if (pg::kOrdersByFirstKeys)
		return;
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = add_partly_ordered_paths;
}

}  // namespace vecdb::search
