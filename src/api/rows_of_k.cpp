/* SPDX-License-Identifier: PostgreSQL
 * vecdb.rows_of_k(): tells the planner how many rows a function of the query API returns: its k.
 *
 * Regime: shell.
 * For any function with arguments of these names: k (or groups and group_size), times the elements of queries.
 */
#include "pg/postgres.hpp"

extern "C" {
#include "catalog/pg_proc.h"
#include "nodes/supportnodes.h"
}

namespace vecdb::api
{

/* An argument as far as the planner knows it; null where it does not. */
static Const *
known_argument(const SupportRequestRows *request, const FuncExpr *call, char **names, int count, const char *name)
{
	for (int i = 0; i < count && i < list_length(call->args); i++)
	{
		if (names[i] == nullptr || strcmp(names[i], name) != 0)
			continue;
		Node *value = estimate_expression_value(request->root, static_cast<Node *>(list_nth(call->args, i)));
		if (IsA(value, Const) && !reinterpret_cast<Const *>(value)->constisnull)
			return reinterpret_cast<Const *>(value);
	}
	return nullptr;
}

static bool
has_argument(const FuncExpr *call, char **names, int count, const char *name)
{
	for (int i = 0; i < count && i < list_length(call->args); i++)
	{
		if (names[i] != nullptr && strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static double
known_int(const Const *value, double otherwise)
{
	return value != nullptr && value->consttype == INT4OID ? DatumGetInt32(value->constvalue) : otherwise;
}

static double
rows_of_call(const SupportRequestRows *request, const FuncExpr *call, char **names, int count)
{
	auto argument = [&](const char *name) { return known_argument(request, call, names, count, name); };
	double rows = 10;
	if (has_argument(call, names, count, "groups"))
		rows = known_int(argument("groups"), 10) * known_int(argument("group_size"), 3);
	else
		rows = known_int(argument("k"), rows);
	if (has_argument(call, names, count, "queries"))
	{
		constexpr double kUsualBatch = 100;
		Const *queries = argument("queries");
		double batch = kUsualBatch;
		if (queries != nullptr && OidIsValid(get_element_type(queries->consttype)))
		{
			ArrayType *array = DatumGetArrayTypeP(queries->constvalue);
			batch = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		}
		rows *= batch;
	}
	return rows < 1 ? 1 : rows;
}

}  // namespace vecdb::api

using namespace vecdb;

VECDB_FUNCTION(vecdb_rows_of_k)
{
	auto *node = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
	if (!IsA(node, SupportRequestRows))
		PG_RETURN_POINTER(nullptr);
	auto *request = reinterpret_cast<SupportRequestRows *>(node);
	if (request->node == nullptr || !IsA(request->node, FuncExpr))
		PG_RETURN_POINTER(nullptr);
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(request->funcid));
	if (!HeapTupleIsValid(tuple))
		PG_RETURN_POINTER(nullptr);
	Oid *types;
	char **names = nullptr;
	char *modes;
	int count = get_func_arg_info(tuple, &types, &names, &modes);
	ReleaseSysCache(tuple);
	if (names == nullptr)
		PG_RETURN_POINTER(nullptr);
	request->rows = api::rows_of_call(request, reinterpret_cast<FuncExpr *>(request->node), names, count);
	PG_RETURN_POINTER(request);
}
