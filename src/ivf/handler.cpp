/* SPDX-License-Identifier: PostgreSQL
 * The access methods `ivf` and `ivfflat`: their handlers and the information functions of their operator classes.
 * They differ in what the option quantizer means when it is not given, and are told apart by amoptions.
 *
 * Regime: shell.
 */
#include "ivf/handler.hpp"

#include "ivf/state.hpp"
#include "pg/report.hpp"

namespace vecdb::ivf
{

const OpclassInfo *
opclass_info(Relation index)
{
	if (!OidIsValid(index_getprocid(index, 1, kInfoProc)))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("type not supported for ivfflat index")));
	FmgrInfo *function = index_getprocinfo(index, 1, kInfoProc);
	return reinterpret_cast<const OpclassInfo *>(DatumGetPointer(FunctionCall1(function, PointerGetDatum(nullptr))));
}

static Datum
info(Metric metric)
{
	static const OpclassInfo table[] = {
		{static_cast<uint8>(Metric::l2), static_cast<uint8>(core::layout::ElementType::float32)},
		{static_cast<uint8>(Metric::inner_product), static_cast<uint8>(core::layout::ElementType::float32)},
		{static_cast<uint8>(Metric::cosine), static_cast<uint8>(core::layout::ElementType::float32)},
		{static_cast<uint8>(Metric::l1), static_cast<uint8>(core::layout::ElementType::float32)},
		{static_cast<uint8>(Metric::hamming), static_cast<uint8>(core::layout::ElementType::bit)},
		{static_cast<uint8>(Metric::jaccard), static_cast<uint8>(core::layout::ElementType::bit)},
	};
	return PointerGetDatum(&table[static_cast<int>(metric) - 1]);
}

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

static IndexAmRoutine *
handler(amoptions_function options)
{
	IndexAmRoutine *am = makeNode(IndexAmRoutine);
	am->amstrategies = 0;
	am->amsupport = 5;
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

	am->ambuild = ivf_build;
	am->ambuildempty = ivf_build_empty;
	am->aminsert = ivf_insert;
	am->ambulkdelete = ivf_bulk_delete;
	am->amvacuumcleanup = ivf_vacuum_cleanup;
	am->amcanreturn = nullptr;
	am->amcostestimate = ivf_cost_estimate;
	am->amoptions = options;
	am->amproperty = property;
	am->ambuildphasename = ivf_build_phase_name;
	am->amvalidate = ivf_validate;
	am->ambeginscan = ivf_begin_scan;
	am->amrescan = ivf_rescan;
	am->amgettuple = ivf_get_tuple;
	am->amgetbitmap = nullptr;
	am->amendscan = ivf_end_scan;
	am->ammarkpos = nullptr;
	am->amrestrpos = nullptr;
	return am;
}

}  // namespace vecdb::ivf

using namespace vecdb;

VECDB_FUNCTION(vecdb_ivf_vector_l2_support)
{
	(void) fcinfo;
	return ivf::info(ivf::Metric::l2);
}

VECDB_FUNCTION(vecdb_ivf_vector_ip_support)
{
	(void) fcinfo;
	return ivf::info(ivf::Metric::inner_product);
}

VECDB_FUNCTION(vecdb_ivf_vector_cosine_support)
{
	(void) fcinfo;
	return ivf::info(ivf::Metric::cosine);
}

VECDB_FUNCTION(vecdb_ivf_vector_l1_support)
{
	(void) fcinfo;
	return ivf::info(ivf::Metric::l1);
}

VECDB_FUNCTION(vecdb_ivf_bit_hamming_support)
{
	(void) fcinfo;
	return ivf::info(ivf::Metric::hamming);
}

VECDB_FUNCTION(vecdb_ivf_bit_jaccard_support)
{
	(void) fcinfo;
	return ivf::info(ivf::Metric::jaccard);
}

VECDB_FUNCTION(vecdb_ivfhandler)
{
	(void) fcinfo;
	PG_RETURN_POINTER(ivf::handler(ivf::ivf_options));
}

VECDB_FUNCTION(vecdb_ivfflathandler)
{
	(void) fcinfo;
	PG_RETURN_POINTER(ivf::handler(ivf::ivfflat_options));
}
