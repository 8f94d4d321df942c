/* SPDX-License-Identifier: PostgreSQL
 * What our access methods have in common.
 *
 * Regime: shell.
 */
#include "storage/access_method.hpp"

extern "C" {
#include "access/amvalidate.h"
#include "commands/defrem.h"
#include "utils/regproc.h"
}

namespace vecdb::storage
{

/* Every operator class orders by distance; all else is as the server works it out. */
static bool
property(Oid, int attno, IndexAMProperty which, const char *, bool *result, bool *isnull)
{
	if (which != AMPROP_DISTANCE_ORDERABLE || attno == 0)
		return false;
	*result = true;
	*isnull = false;
	return true;
}

IndexAmRoutine *
ordering_routine(uint16 supports)
{
	IndexAmRoutine *am = makeNode(IndexAmRoutine);
	am->amstrategies = 0;
	am->amsupport = supports;
	am->amoptsprocnum = 0;
	am->amcanorder = false;
	am->amcanorderbyop = true;
	am->amcanbackward = false;
	am->amcanunique = false;
	am->amcanmulticol = false;
	am->amoptionalkey = true;
	am->amsearcharray = false;
	am->amsearchnulls = false;
	am->amstorage = false;
	am->amclusterable = false;
	am->ampredlocks = false;
	am->amcanparallel = false;
	am->amcaninclude = false;
	am->amusemaintenanceworkmem = false;
	am->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL | VACUUM_OPTION_PARALLEL_COND_CLEANUP;
	am->amkeytype = InvalidOid;
	am->amproperty = property;
	return am;
}

StrategyNumber
order_strategy(Oid operator_oid, Oid family)
{
	HeapTuple tuple =
		SearchSysCache3(AMOPOPID, ObjectIdGetDatum(operator_oid), CharGetDatum(AMOP_ORDER), ObjectIdGetDatum(family));
	if (!HeapTupleIsValid(tuple))
		return 0;
	auto strategy = static_cast<StrategyNumber>(reinterpret_cast<Form_pg_amop>(GETSTRUCT(tuple))->amopstrategy);
	ReleaseSysCache(tuple);
	return strategy;
}

static bool
has_signature(const FormData_pg_amproc &proc, Support kind)
{
	switch (kind)
	{
		case Support::distance:
			return check_amproc_signature(proc.amproc, FLOAT8OID, true, 2, 2, proc.amproclefttype,
										  proc.amprocrighttype);
		case Support::norm: return check_amproc_signature(proc.amproc, FLOAT8OID, true, 1, 1, proc.amproclefttype);
		case Support::info: break;
	}
	return check_amproc_signature(proc.amproc, INTERNALOID, true, 1, 1, INTERNALOID);
}

bool
validate_opclass(Oid opclass, const Support *kinds, uint16 supports)
{
	HeapTuple class_tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	if (!HeapTupleIsValid(class_tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	auto *form = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(class_tuple));
	Oid family = form->opcfamily;
	Oid type = form->opcintype;
	char *name = pstrdup(NameStr(form->opcname));
	char *method = get_am_name(form->opcmethod);
	ReleaseSysCache(class_tuple);

	bool good = true;
	CatCList *operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
	CatCList *procs = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(family));
	bool has_distance = false, has_info = false, has_order = false;
	for (int i = 0; i < procs->n_members; i++)
	{
		auto *proc = reinterpret_cast<Form_pg_amproc>(GETSTRUCT(&procs->members[i]->tuple));
		if (proc->amprocnum < 1 || proc->amprocnum > supports)
		{
			ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
						   errmsg("operator class \"%s\" of access method %s contains function %s with invalid "
								  "support number %d",
								  name, method, format_procedure(proc->amproc), proc->amprocnum)));
			good = false;
			continue;
		}
		bool own = proc->amproclefttype == type && proc->amprocrighttype == type;
		has_distance |= own && proc->amprocnum == 1;
		has_info |= own && kinds[proc->amprocnum - 1] == Support::info;
		if (!has_signature(*proc, kinds[proc->amprocnum - 1]))
		{
			ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
						   errmsg("operator class \"%s\" of access method %s contains function %s with wrong signature "
								  "for support number %d",
								  name, method, format_procedure(proc->amproc), proc->amprocnum)));
			good = false;
		}
	}
	for (int i = 0; i < operators->n_members; i++)
	{
		auto *op = reinterpret_cast<Form_pg_amop>(GETSTRUCT(&operators->members[i]->tuple));
		bool known = op->amopstrategy == kDistanceStrategy ||
					 (op->amopstrategy == kQueryStrategy && op->amoprighttype != op->amoplefttype);
		if (!known || op->amoppurpose != AMOP_ORDER ||
			!check_amop_signature(op->amopopr, FLOAT8OID, op->amoplefttype, op->amoprighttype))
		{
			ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
						   errmsg("operator class \"%s\" of access method %s contains operator %s that it cannot use",
								  name, method, format_operator(op->amopopr))));
			good = false;
			continue;
		}
		has_order |= op->amoplefttype == type && op->amopstrategy == kDistanceStrategy;
	}
	ReleaseCatCacheList(operators);
	ReleaseCatCacheList(procs);
	if (!has_distance || !has_info || !has_order)
	{
		const char *missing = "an ordering operator";
		if (has_order)
		{
			int number = 1;
			while (has_distance && kinds[number - 1] != Support::info)
				number++;
			missing = psprintf("support function %d", number);
		}
		ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					   errmsg("operator class \"%s\" of access method %s is missing %s", name, method, missing)));
		good = false;
	}
	return good;
}

const OpclassInfo *
opclass_info(Relation index, uint16 support, const char *method)
{
	if (!OidIsValid(index_getprocid(index, 1, support)))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("type not supported for %s index", method)));
	FmgrInfo *function = index_getprocinfo(index, 1, support);
	return reinterpret_cast<const OpclassInfo *>(DatumGetPointer(FunctionCall1(function, PointerGetDatum(nullptr))));
}

Datum
opclass_info_value(core::distance::Metric metric, core::layout::ElementType type)
{
	static OpclassInfo table[7][6];
	OpclassInfo &entry = table[static_cast<int>(metric)][static_cast<int>(type)];
	entry = OpclassInfo{static_cast<uint8>(metric), static_cast<uint8>(type)};
	return PointerGetDatum(&entry);
}

}  // namespace vecdb::storage
