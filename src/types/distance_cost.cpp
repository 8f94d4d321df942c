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
constexpr double kBytesPerInt8 = 1;
constexpr double kBytesPerEntry = 8;  // of a sparse vector: what its elements are here
constexpr double kBytesPerBit = 0.125;

/* Bytes an element, 0 for types that are not vectors. Our own are known by name, whatever schema the extension is in. */
double
element_bytes_of(Oid type)
{
	if (type == BITOID || type == VARBITOID)
		return kBytesPerBit;
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return 0;
	static const struct
	{
		const char *name;
		double element_bytes;
	} types[] = {{"vector", kBytesPerFloat},
				 {"halfvec", kBytesPerHalf},
				 {"int8vec", kBytesPerInt8},
				 {"sparsevec", kBytesPerEntry}};
	double bytes = 0;
	for (const auto &t : types)
		if (strcmp(NameStr(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname), t.name) == 0)
			bytes = t.element_bytes;
	ReleaseSysCache(tuple);
	return bytes;
}

/* What reading a column costs beyond the comparison with another vector. elements: of its values, where that can be known. */
double
fetch_operations(PlannerInfo *root, const Var *var, double &elements)
{
	double element_bytes = element_bytes_of(var->vartype);
	if (element_bytes == 0)
		return 0;
	bool sparse = element_bytes == kBytesPerEntry;
	if (var->vartypmod > 0 && !sparse)
		elements = var->vartypmod;
	if (root == nullptr || var->varlevelsup != 0 || IS_SPECIAL_VARNO(var->varno) || var->varattno <= 0 ||
		var->varno >= root->simple_rel_array_size)
		return 0;
	RangeTblEntry *rte = root->simple_rte_array[var->varno];
	if (rte == nullptr || rte->rtekind != RTE_RELATION)
		return 0;
	double stored = get_attavgwidth(rte->relid, var->varattno);
	if (sparse && stored > 2 * kToastPointerBytes)
		elements = (stored - 2 * kHeaderBytes) / element_bytes;
	double full = kHeaderBytes + elements * element_bytes;
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

/*
 * The same of an operand. What is computed from columns (embedding::halfvec(n), subvector, binary_quantize) reads them whole,
 * and goes through their elements once more.
 */
double
operand_operations(PlannerInfo *root, Node *node, double &elements)
{
	while (IsA(node, RelabelType))
		node = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
	if (IsA(node, Var))
		return fetch_operations(root, reinterpret_cast<Var *>(node), elements);
	if (!IsA(node, FuncExpr) && !IsA(node, OpExpr))
		return 0;
	double operations = 0, read = 0;
	List *vars = pull_var_clause(node, PVC_RECURSE_AGGREGATES | PVC_RECURSE_WINDOWFUNCS | PVC_INCLUDE_PLACEHOLDERS);
	ListCell *cell;
	foreach (cell, vars)
	{
		if (!IsA(lfirst(cell), Var))
			continue;
		const auto *var = static_cast<Var *>(lfirst(cell));
		double all = kUnknownElements;
		operations += fetch_operations(root, var, all);
		double bytes = element_bytes_of(var->vartype);
		operations += kPerElement * all * (bytes / kBytesPerFloat);
		if (bytes != 0 && bytes != kBytesPerEntry)
			read = all;
	}
	list_free(vars);
	int32 typmod = exprTypmod(node);
	if (typmod > 0 && element_bytes_of(exprType(node)) != kBytesPerEntry)
		elements = typmod;
	else if (read > 0)
		elements = read;
	return operations;
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
	if (element_bytes == 0)
		element_bytes = kBytesPerFloat;
	double elements = kUnknownElements;
	double operations = 1;
	ListCell *cell;
	foreach (cell, args)
		operations += operand_operations(cost->root, static_cast<Node *>(lfirst(cell)), elements);
	cost->startup = 0;
	cost->per_tuple = (operations + kPerElement * elements * (element_bytes / kBytesPerFloat)) * cpu_operator_cost;
	PG_RETURN_POINTER(cost);
}
