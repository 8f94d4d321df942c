/* SPDX-License-Identifier: PostgreSQL
 * amvalidate: is an operator class of the access methods ivf and ivfflat complete and consistent?
 *
 * Regime: shell.
 */
#include "ivf/handler.hpp"

extern "C" {
#include "access/amvalidate.h"
#include "commands/defrem.h"
#include "utils/regproc.h"
}

namespace vecdb::ivf
{

bool
ivf_validate(Oid opclass)
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
		bool fits = true;
		switch (proc->amprocnum)
		{
			case kDistanceProc:
				fits = check_amproc_signature(proc->amproc, FLOAT8OID, true, 2, 2, proc->amproclefttype,
											  proc->amprocrighttype);
				has_distance |= proc->amproclefttype == type && proc->amprocrighttype == type;
				break;
			case kKmeansDistanceProc:
				fits = check_amproc_signature(proc->amproc, FLOAT8OID, true, 2, 2, proc->amproclefttype,
											  proc->amprocrighttype);
				break;
			case kNormProc:
			case kKmeansNormProc:
				fits = check_amproc_signature(proc->amproc, FLOAT8OID, true, 1, 1, proc->amproclefttype);
				break;
			case kInfoProc:
				fits = check_amproc_signature(proc->amproc, INTERNALOID, true, 1, 1, INTERNALOID);
				has_info |= proc->amproclefttype == type;
				break;
			default:
				ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
							   errmsg("operator class \"%s\" of access method %s contains function %s with invalid "
									  "support number %d",
									  name, method, format_procedure(proc->amproc), proc->amprocnum)));
				good = false;
				continue;
		}
		if (!fits)
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
		if (op->amopstrategy != 1 || op->amoppurpose != AMOP_ORDER ||
			!check_amop_signature(op->amopopr, FLOAT8OID, op->amoplefttype, op->amoprighttype))
		{
			ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
						   errmsg("operator class \"%s\" of access method %s contains operator %s that it cannot use",
								  name, method, format_operator(op->amopopr))));
			good = false;
			continue;
		}
		has_order |= op->amoplefttype == type;
	}
	ReleaseCatCacheList(operators);
	ReleaseCatCacheList(procs);
	if (!has_distance || !has_info || !has_order)
	{
		ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					   errmsg("operator class \"%s\" of access method %s is missing %s", name, method,
							  !has_order      ? "an ordering operator"
							  : !has_distance ? "support function 1"
											  : "support function 5")));
		good = false;
	}
	return good;
}

}  // namespace vecdb::ivf
