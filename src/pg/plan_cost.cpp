/* SPDX-License-Identifier: PostgreSQL
 * What an ordered scan competes with, and how much of it a query wants.
 *
 * Regime: shell.
 */
#include "pg/plan_cost.hpp"

#include <algorithm>
#include <cmath>

namespace vecdb::pg
{

/* What a sequential scan of cached pages, or a simple operator, takes for a cost of 1: microseconds. */
constexpr double kOperator = 0.0075;

/*
 * Of the rows of rel, the least share that a condition leaves for another index to fetch; 1: there is no such index. It is
 * known by its first column.
 */
static double
rival_share(PlannerInfo *root, RelOptInfo *rel)
{
	double share = 1;
	ListCell *i, *r;
	foreach (i, rel->indexlist)
	{
		auto *other = static_cast<IndexOptInfo *>(lfirst(i));
		if (other->nkeycolumns < 1 || other->indexkeys[0] == 0 || !(other->amhasgettuple || other->amhasgetbitmap))
			continue;
		foreach (r, rel->baserestrictinfo)
		{
			auto *rinfo = static_cast<RestrictInfo *>(lfirst(r));
			Oid op;
			List *args;
			if (IsA(rinfo->clause, OpExpr))
			{
				op = reinterpret_cast<OpExpr *>(rinfo->clause)->opno;
				args = reinterpret_cast<OpExpr *>(rinfo->clause)->args;
			}
			else if (IsA(rinfo->clause, ScalarArrayOpExpr))
			{
				op = reinterpret_cast<ScalarArrayOpExpr *>(rinfo->clause)->opno;
				args = reinterpret_cast<ScalarArrayOpExpr *>(rinfo->clause)->args;
			}
			else
				continue;
			bool matches = false;
			ListCell *a;
			foreach (a, args)
			{
				auto *var = static_cast<Var *>(lfirst(a));
				matches = matches || (IsA(var, Var) && static_cast<Index>(var->varno) == rel->relid &&
									  var->varlevelsup == 0 && var->varattno == other->indexkeys[0]);
			}
			if (matches && op_in_opfamily(op, other->opfamily[0]))
				share =
					std::min(share, clause_selectivity(root, reinterpret_cast<Node *>(rinfo), 0, JOIN_INNER, nullptr));
		}
	}
	return share;
}

double
exchange_rate(PlannerInfo *root, RelOptInfo *rel, Cost distance, double random_page_cost, double sequential_page_cost)
{
	double in_sequence = cpu_operator_cost / kOperator;
	double share = rival_share(root, rel);
	if (share >= 1)
		return in_sequence;
	/* A bitmap scan, as the planner sees it and as it is. */
	double table = std::max(static_cast<double>(rel->pages), 1.0);
	double tuples = std::max(1.0, share * rel->tuples);
	double fetched = std::min(table, index_pages_fetched(tuples, rel->pages, 0, root));
	double page = random_page_cost - (random_page_cost - sequential_page_cost) * std::sqrt(fetched / table);
	double row = cpu_tuple_cost + distance;
	return std::max(in_sequence, (fetched * page + tuples * row) / (tuples * (kHeapRow + row / in_sequence)));
}

double
wanted_rows(const PlannerInfo *root, double passing)
{
	double wanted = passing;
	if (root->limit_tuples >= 0)
		wanted = root->limit_tuples;
	else if (root->tuple_fraction >= 1)
		wanted = root->tuple_fraction;
	else if (root->tuple_fraction > 0)
		wanted = root->tuple_fraction * passing;
	return std::min(std::max(wanted, 1.0), passing);
}

}  // namespace vecdb::pg
