/* SPDX-License-Identifier: PostgreSQL
 * When a statement starts, finds LIMIT over an ordered scan of ours and leaves its number for the scan.
 *
 * Regime: shell.
 * Only nodes that pass on each row as it comes are followed, and a scan with conditions of its own is left alone: it may
 * have to find more rows than leave it. (An index scan cannot be told its bound by the executor.)
 */
#include "search/row_limit.hpp"

#include "pg/compat.hpp"
#include "search/own_scan.hpp"
#include "storage/row_limit.hpp"

namespace vecdb::search
{

static ExecutorStart_hook_type previous_start;

/* The value of a count or offset, -1 where it is not known before the statement runs. */
static int64
known_count(Node *node, ParamListInfo params)
{
	if (node == nullptr)
		return 0;
	if (IsA(node, Const))
	{
		auto *constant = reinterpret_cast<Const *>(node);
		return constant->constisnull ? -1 : DatumGetInt64(constant->constvalue);
	}
	if (!IsA(node, Param) || params == nullptr)
		return -1;
	auto *param = reinterpret_cast<Param *>(node);
	if (param->paramkind != PARAM_EXTERN || param->paramid <= 0 || param->paramid > params->numParams)
		return -1;
	ParamExternData space;
	ParamExternData *value = params->paramFetch != nullptr ? params->paramFetch(params, param->paramid, true, &space)
														   : &params->params[param->paramid - 1];
	return value->isnull || value->ptype != INT8OID ? -1 : DatumGetInt64(value->value);
}

/*
 * The ordered scan of ours whose rows reach plan one for one. ahead: rows beyond those that plan gives up, which have to
 * be seen first: an Incremental Sort reads until the distance changes.
 */
static const IndexScan *
scan_below(Plan *plan, int64 &ahead)
{
	while (plan != nullptr)
	{
		check_stack_depth();
		switch (nodeTag(plan))
		{
			case T_IndexScan:
			{
				auto *scan = reinterpret_cast<IndexScan *>(plan);
				bool plain = scan->indexorderby != NIL && scan->scan.plan.qual == NIL;
				return plain && is_own_index(scan->indexid) ? scan : nullptr;
			}
			case T_SubqueryScan:
				if (plan->qual != NIL)
					return nullptr;
				plan = reinterpret_cast<SubqueryScan *>(plan)->subplan;
				break;
			case T_IncrementalSort:
				ahead++;
				plan = outerPlan(plan);
				break;
			case T_Result:
			case T_LockRows:
				if (plan->qual != NIL)
					return nullptr;
				plan = outerPlan(plan);
				break;
			default: return nullptr;
		}
	}
	return nullptr;
}

static void
note_limits(Plan *plan, ParamListInfo params)
{
	check_stack_depth();
	if (plan == nullptr)
		return;
	if (IsA(plan, Limit))
	{
		auto *limit = reinterpret_cast<Limit *>(plan);
		int64 ahead = 0;
		const IndexScan *scan = scan_below(outerPlan(plan), ahead);
		if (scan != nullptr)
		{
			int64 count = limit->limitCount == nullptr ? -1 : known_count(limit->limitCount, params);
			int64 offset = known_count(limit->limitOffset, params);
			bool known = count >= 0 && offset >= 0 && count < PG_INT32_MAX && offset < PG_INT32_MAX;
			storage::set_row_limit(scan->indexid, known ? static_cast<uint64>(count + offset + ahead) : 0);
			return;
		}
	}
	if (IsA(plan, IndexScan))
	{
		auto *scan = reinterpret_cast<IndexScan *>(plan);
		if (scan->indexorderby != NIL && storage::row_limit(scan->indexid) != 0)
			storage::set_row_limit(scan->indexid, 0);
		return;
	}
	if (IsA(plan, SubqueryScan))
		note_limits(reinterpret_cast<SubqueryScan *>(plan)->subplan, params);
	note_limits(outerPlan(plan), params);
	note_limits(innerPlan(plan), params);
}

static void
start_with_limits(QueryDesc *query, int flags)
{
	if (query->plannedstmt->commandType != CMD_UTILITY && (flags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
	{
		storage::forget_row_limits();
		note_limits(query->plannedstmt->planTree, query->params);
		ListCell *cell;
		foreach (cell, query->plannedstmt->subplans)
			note_limits(static_cast<Plan *>(lfirst(cell)), query->params);
	}
	if (previous_start != nullptr)
		previous_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
}

void
row_limit_init()
{
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = start_with_limits;
}

}  // namespace vecdb::search
