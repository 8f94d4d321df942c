/* SPDX-License-Identifier: PostgreSQL
 * Drop the ORDER BY distance from finished plans where nothing reads it.
 *
 * SELECT id FROM t ORDER BY v <-> $1 LIMIT 10 plans as Limit -> Index Scan, and both compute "v <-> $1" as a hidden
 * (resjunk) column: the executor fetches and detoasts v of every returned row for a value that nobody looks at, since
 * the index already gives the order. A planner hook takes the column out of the finished plan.
 *
 * Regime: shell.
 * Keeps:  a column goes only from the end of a target list, so that no other column changes its number;
 *         it goes only where every reader is known: the root of a query level skips what is resjunk, and of other
 *         nodes all expressions and column numbers are searched (see reads);
 *         nodes that return their input's rows as they are lose it together with the input;
 *         the scan's own lists (indexorderby, indexorderbyorig) stay, so the recheck of an inexact order is as before.
 * Note:   a statement whose own planning loads this library (no vector constant or parameter in it, the first of its
 *         session, nothing preloaded) is planned without the hook, and is as correct.
 */
#include "search/hidden_distance.hpp"

#include "hnsw/handler.hpp"
#include "ivf/handler.hpp"
#include "pg/compat.hpp"
#include "search/own_scan.hpp"

namespace vecdb::search
{

static bool guc_strip_hidden_distance = true;
static planner_hook_type previous_planner;

bool
is_own_index(Oid indexid)
{
	/* Of a plan that is run again only the tables are locked so far. */
	Relation index = index_open(indexid, AccessShareLock);
	bool ours = index->rd_indam->amgettuple == hnsw::hnsw_get_tuple ||
				index->rd_indam->amgettuple == ivf::ivf_get_tuple;
	index_close(index, AccessShareLock);
	return ours;
}

/* b is the distance a, or the same with the operands exchanged, as the planner does where the column stands right. */
static bool
same_distance(Node *a, Node *b)
{
	if (equal(a, b))
		return true;
	if (!IsA(a, OpExpr) || !IsA(b, OpExpr))
		return false;
	auto *left = reinterpret_cast<OpExpr *>(a);
	auto *right = reinterpret_cast<OpExpr *>(b);
	return list_length(left->args) == 2 && list_length(right->args) == 2 && left->opresulttype == right->opresulttype &&
		   left->inputcollid == right->inputcollid && equal(linitial(left->args), lsecond(right->args)) &&
		   equal(lsecond(left->args), linitial(right->args)) && get_commutator(left->opno) == right->opno;
}

/* Where rows come to plan from. */
static Plan *
subquery_of(Plan *plan)
{
	return IsA(plan, SubqueryScan) ? reinterpret_cast<SubqueryScan *>(plan)->subplan : nullptr;
}

static List *
branches_of(Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Append: return reinterpret_cast<Append *>(plan)->appendplans;
		case T_MergeAppend: return reinterpret_cast<MergeAppend *>(plan)->mergeplans;
		case T_CustomScan: return reinterpret_cast<CustomScan *>(plan)->custom_plans;
		default: return NIL;
	}
}

/*
 * Whether distance, the expression of a column of plan, orders a scan of ours below; null asks for any ordered scan of
 * ours. Columns of different scans never look alike: range table indexes are those of the whole statement.
 */
static bool
is_order_of_scan(Plan *plan, Node *distance)
{
	check_stack_depth();
	if (plan == nullptr)
		return false;
	ListCell *cell;
	if (IsA(plan, IndexScan))
	{
		auto *scan = reinterpret_cast<IndexScan *>(plan);
		foreach (cell, scan->indexorderbyorig)
		{
			if (distance == nullptr || same_distance(distance, static_cast<Node *>(lfirst(cell))))
				return is_own_index(scan->indexid);
		}
		return false;
	}
	foreach (cell, branches_of(plan))
	{
		if (is_order_of_scan(static_cast<Plan *>(lfirst(cell)), distance))
			return true;
	}
	return is_order_of_scan(outerPlan(plan), distance) || is_order_of_scan(innerPlan(plan), distance) ||
		   is_order_of_scan(subquery_of(plan), distance);
}

/*
 * node, an expression of the plan node `context`, with references to its inputs' columns replaced by what those
 * compute, down to columns of tables. What cannot be followed stays, and then equals no expression of a scan.
 */
static Node *
resolve(Node *node, void *context)
{
	auto *plan = static_cast<Plan *>(context);
	if (node == nullptr)
		return nullptr;
	if (!IsA(node, Var))
		return pg::mutate_expression(node, resolve, context);
	auto *var = reinterpret_cast<Var *>(node);
	Plan *input = nullptr;
	if (var->varno == OUTER_VAR)
		input = outerPlan(plan);
	else if (var->varno == INNER_VAR)
		input = innerPlan(plan);
	else if (IsA(plan, SubqueryScan) && static_cast<Index>(var->varno) == reinterpret_cast<Scan *>(plan)->scanrelid)
		input = subquery_of(plan);
	TargetEntry *source = input == nullptr ? nullptr : get_tle_by_resno(input->targetlist, var->varattno);
	return source == nullptr ? node : resolve(reinterpret_cast<Node *>(source->expr), input);
}

/* A column of an input, as expressions of the node above name it. */
struct Column
{
	int varno;
	AttrNumber attno;
};

/* Whether node reads the Column *context; a whole row reads every column. */
static bool
mentions(Node *node, void *context)
{
	auto *column = static_cast<const Column *>(context);
	if (node == nullptr)
		return false;
	if (!IsA(node, Var))
		return pg::walk_expression(node, mentions, context);
	auto *var = reinterpret_cast<Var *>(node);
	return static_cast<int>(var->varno) == column->varno &&
		   (var->varattno == column->attno || var->varattno == InvalidAttrNumber);
}

static bool
mentions(List *expressions, Column column)
{
	return mentions(reinterpret_cast<Node *>(expressions), &column);
}

/* Whether plan reads a column of its input; true of all nodes but those whose every use of a column is known here. */
static bool
reads(Plan *plan, Column column)
{
	if (mentions(plan->targetlist, column) || mentions(plan->qual, column))
		return true;
	ListCell *cell;
	switch (nodeTag(plan))
	{
		case T_SubqueryScan:
		case T_Gather: return false;
		case T_Result: return mentions(reinterpret_cast<Result *>(plan)->resconstantqual, &column);
		case T_NestLoop:
			foreach (cell, reinterpret_cast<NestLoop *>(plan)->nestParams)
			{
				if (mentions(reinterpret_cast<Node *>(lfirst_node(NestLoopParam, cell)->paramval), &column))
					return true;
			}
			return mentions(reinterpret_cast<Join *>(plan)->joinqual, column);
		case T_HashJoin:
		{
			auto *join = reinterpret_cast<HashJoin *>(plan);
			return mentions(join->join.joinqual, column) || mentions(join->hashclauses, column) ||
				   mentions(join->hashkeys, column);
		}
		case T_Agg:
		{
			auto *agg = reinterpret_cast<Agg *>(plan);
			for (int i = 0; i < agg->numCols; i++)
			{
				if (agg->grpColIdx[i] == column.attno)
					return true;
			}
			return agg->chain != NIL;
		}
		default: return true;
	}
}

static bool remove_last_column(Plan *plan);

/* For nodes whose rows leave as they came: the input loses the same column. */
static bool
remove_through(Plan *plan)
{
	Plan *input = outerPlan(plan);
	int width = list_length(plan->targetlist);
	if (input == nullptr || list_length(input->targetlist) != width)
		return false;
	Expr *expr = llast_node(TargetEntry, plan->targetlist)->expr;
	auto *var = reinterpret_cast<Var *>(expr);
	return IsA(expr, Var) && var->varno == OUTER_VAR && var->varattno == width && remove_last_column(input);
}

/*
 * Remove plan's last column, which its parent is known not to read, where it is the distance that orders a scan of
 * ours. False: nothing was changed, here or below.
 *
 * Not through nodes that look at columns themselves: Sort, Merge Append, Unique, Limit WITH TIES and the like compare
 * them; LockRows and ModifyTable find their own hidden columns by number; branches of Append must stay alike.
 */
static bool
remove_last_column(Plan *plan)
{
	check_stack_depth();
	if (plan->targetlist == NIL)
		return false;
	auto *last = reinterpret_cast<Node *>(llast_node(TargetEntry, plan->targetlist)->expr);
	bool removable = false;
	switch (nodeTag(plan))
	{
		case T_Limit:
			removable = reinterpret_cast<Limit *>(plan)->limitOption == LIMIT_OPTION_COUNT && remove_through(plan);
			break;
		case T_Hash:
		{
			Column column = {OUTER_VAR, static_cast<AttrNumber>(list_length(plan->targetlist))};
			removable = !mentions(reinterpret_cast<Hash *>(plan)->hashkeys, column) && remove_through(plan);
			break;
		}
		case T_Material:
		case T_Memoize: removable = remove_through(plan); break;
		case T_IndexScan: removable = is_order_of_scan(plan, last); break;
		case T_SubqueryScan:
		case T_Result:
		case T_Gather:
		case T_NestLoop:
		case T_HashJoin:
			/* They compute each column on its own. An input's column that is unread now goes when it is the turn. */
			removable = is_order_of_scan(plan, resolve(last, plan));
			break;
		default: break;
	}
	if (removable)
	{
		/* A copy: the planner may share lists between nodes. */
		plan->targetlist = list_truncate(list_copy(plan->targetlist), list_length(plan->targetlist) - 1);
	}
	return removable;
}

/* Remove from the end of input's target list what plan, to which it is known by varno, does not read. */
static void
strip_input(Plan *plan, Plan *input, int varno)
{
	while (input != nullptr && !reads(plan, {varno, static_cast<AttrNumber>(list_length(input->targetlist))}) &&
		   remove_last_column(input))
		;
}

/* From the top down, since a column becomes unread when the one above goes. */
static void
strip_below(Plan *plan)
{
	check_stack_depth();
	if (plan == nullptr)
		return;
	strip_input(plan, outerPlan(plan), OUTER_VAR);
	strip_input(plan, innerPlan(plan), INNER_VAR);
	if (IsA(plan, SubqueryScan))
		strip_input(plan, subquery_of(plan), static_cast<int>(reinterpret_cast<Scan *>(plan)->scanrelid));

	strip_below(outerPlan(plan));
	strip_below(innerPlan(plan));
	strip_below(subquery_of(plan));
	ListCell *cell;
	foreach (cell, branches_of(plan))
		strip_below(static_cast<Plan *>(lfirst(cell)));
}

/*
 * plan is the root of the statement, a CTE or a sublink. Whoever takes its rows knows columns by the numbers of the
 * visible ones, which come first, and skips the hidden ones. A subquery is no such root: the planner may let the node
 * above copy its hidden columns too.
 */
static void
strip_root(Plan *root)
{
	while (root->targetlist != NIL && llast_node(TargetEntry, root->targetlist)->resjunk && remove_last_column(root))
		;
}

static void
strip_statement(PlannedStmt *statement)
{
	if (is_order_of_scan(statement->planTree, nullptr))
	{
		if (statement->commandType == CMD_SELECT && statement->rowMarks == NIL)
			strip_root(statement->planTree);
		strip_below(statement->planTree);
	}
	ListCell *cell;
	foreach (cell, statement->subplans)
	{
		auto *subplan = static_cast<Plan *>(lfirst(cell));
		if (is_order_of_scan(subplan, nullptr))
		{
			strip_root(subplan);
			strip_below(subplan);
		}
	}
}

/* The hook; a template, since its parameters, all handed on, differ between releases. */
template <class... Parameters>
static PlannedStmt *
plan_without_hidden_distance(Parameters... parameters)
{
	PlannedStmt *statement = previous_planner != nullptr ? previous_planner(parameters...)
														 : standard_planner(parameters...);
	if (guc_strip_hidden_distance && statement != nullptr && statement->planTree != nullptr)
		strip_statement(statement);
	return statement;
}

void
hidden_distance_init()
{
	DefineCustomBoolVariable("vecdb.strip_hidden_distance",
							 "Does not compute the distance of ORDER BY for rows where nothing reads it.",
							 "Takes effect when a statement is planned: plans made before keep what they have.",
							 &guc_strip_hidden_distance, true, PGC_USERSET, GUC_EXPLAIN, nullptr, nullptr, nullptr);
	previous_planner = planner_hook;
	planner_hook = plan_without_hidden_distance;
}

}  // namespace vecdb::search
