/* SPDX-License-Identifier: PostgreSQL
 * What one call of a distance function (of vectors or bit strings) costs the planner: its elements, and above all fetching stored vectors that lie out
 * of line. PostgreSQL counts no page of the TOAST table for a scan, so it takes a sort over such a table to be up to a
 * hundred times cheaper than it is.
 *
 * Regime: shell.
 * Keeps:  the estimate looks at columns and statistics only, never at the other operand's value: prepared statements
 *         may settle on a generic plan.
 */
#include "types/vector.hpp"

extern "C" {
#include "access/heaptoast.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "utils/syscache.h"
}

using namespace vecdb;

namespace
{

/*
 * Measured, in calls of a simple operator (cpu_operator_cost, 7.5 ns: what a sequential scan of cached pages takes for a
 * cost of 1 is about 3 us): 100 elements in line about 15 ns more than none; a detoasted value 2.3 us at 768 elements, 2.9 us at
 * 1536.
 */
constexpr double kPerElement = 0.01;
constexpr double kDetoast = 230;
constexpr double kDetoastPerElement = 0.1;

constexpr double kHeaderBytes = 8;         // of a vector value
constexpr double kToastPointerBytes = 18;  // as ANALYZE counts a value out of line
constexpr double kUnknownElements = 100;

constexpr double kBytesPerFloat = sizeof(float);
constexpr double kBytesPerHalf = 2;
constexpr double kBytesPerBit = 0.125;

/* What reading v costs beyond the comparison with another vector, and how many elements it has. */
double
fetch_operations(PlannerInfo *root, Node *node, double element_bytes, double &elements)
{
	while (IsA(node, RelabelType))
		node = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
	if (!IsA(node, Var))
		return 0;
	auto *var = reinterpret_cast<Var *>(node);
	if (var->vartypmod > 0)
		elements = var->vartypmod;
	if (root == nullptr || var->varlevelsup != 0 || IS_SPECIAL_VARNO(var->varno) || var->varattno <= 0 ||
		var->varno >= root->simple_rel_array_size)
		return 0;
	RangeTblEntry *rte = root->simple_rte_array[var->varno];
	if (rte == nullptr || rte->rtekind != RTE_RELATION)
		return 0;
	double full = kHeaderBytes + elements * element_bytes;
	double stored = get_attavgwidth(rte->relid, var->varattno);
	double outside;
	if (stored > 0)
		/* ANALYZE averages over pointers and values in line. */
		outside = (full - stored) / (full - kToastPointerBytes);
	else
		outside = full > TOAST_TUPLE_THRESHOLD ? 1 : 0;
	if (full <= 2 * kToastPointerBytes || outside < 0.01)
		return 0;
	return (outside < 1 ? outside : 1) * (kDetoast + kDetoastPerElement * elements * (element_bytes / kBytesPerFloat));
}

/* Our own types are known by name, whatever schema the extension is in. */
double
element_bytes_of(Oid type)
{
	if (type == BITOID || type == VARBITOID)
		return kBytesPerBit;
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return kBytesPerFloat;
	bool half = strcmp(NameStr(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname), "halfvec") == 0;
	ReleaseSysCache(tuple);
	return half ? kBytesPerHalf : kBytesPerFloat;
}

}  // namespace

VECDB_FUNCTION(vecdb_distance_cost)
{
	Node *request = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
	if (!IsA(request, SupportRequestCost))
		PG_RETURN_POINTER(nullptr);
	auto *cost = reinterpret_cast<SupportRequestCost *>(request);
	List *args = NIL;
	if (cost->node != nullptr && IsA(cost->node, OpExpr))
		args = reinterpret_cast<OpExpr *>(cost->node)->args;
	else if (cost->node != nullptr && IsA(cost->node, FuncExpr))
		args = reinterpret_cast<FuncExpr *>(cost->node)->args;
	if (list_length(args) != 2)
		PG_RETURN_POINTER(nullptr);
	Oid type = exprType(static_cast<Node *>(linitial(args)));
	double element_bytes = element_bytes_of(type);
	double elements = kUnknownElements;
	double operations = 1;
	ListCell *cell;
	foreach (cell, args)
		operations += fetch_operations(cost->root, static_cast<Node *>(lfirst(cell)), element_bytes, elements);
	cost->startup = 0;
	cost->per_tuple = (operations + kPerElement * elements * (element_bytes / kBytesPerFloat)) * cpu_operator_cost;
	PG_RETURN_POINTER(cost);
}
