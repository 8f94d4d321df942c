/* SPDX-License-Identifier: PostgreSQL
 * The access method `hnsw`: its handler and the information functions of its operator classes.
 *
 * Regime: shell.
 */
#include "hnsw/handler.hpp"

#include "hnsw/state.hpp"
#include "pg/report.hpp"

namespace vecdb::hnsw
{

using core::layout::ElementType;

const OpclassInfo *
opclass_info(Relation index)
{
	if (!OidIsValid(index_getprocid(index, 1, kInfoProc)))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("type not supported for hnsw index")));
	FmgrInfo *function = index_getprocinfo(index, 1, kInfoProc);
	return reinterpret_cast<const OpclassInfo *>(DatumGetPointer(FunctionCall1(function, PointerGetDatum(nullptr))));
}

static Datum
info(Metric metric, ElementType type = ElementType::float32)
{
	static OpclassInfo table[7][6];
	OpclassInfo &entry = table[static_cast<int>(metric)][static_cast<int>(type)];
	entry = OpclassInfo{static_cast<uint8>(metric), static_cast<uint8>(type)};
	return PointerGetDatum(&entry);
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

}  // namespace vecdb::hnsw

using namespace vecdb;

VECDB_FUNCTION(vecdb_hnsw_vector_l2_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::l2);
}

VECDB_FUNCTION(vecdb_hnsw_vector_ip_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::inner_product);
}

VECDB_FUNCTION(vecdb_hnsw_vector_cosine_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::cosine);
}

VECDB_FUNCTION(vecdb_hnsw_vector_l1_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::l1);
}

VECDB_FUNCTION(vecdb_hnsw_bit_hamming_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::hamming, hnsw::ElementType::bit);
}

VECDB_FUNCTION(vecdb_hnsw_bit_jaccard_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::jaccard, hnsw::ElementType::bit);
}

VECDB_FUNCTION(vecdb_hnsw_sparsevec_l2_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::l2, hnsw::ElementType::sparse);
}

VECDB_FUNCTION(vecdb_hnsw_sparsevec_ip_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::inner_product, hnsw::ElementType::sparse);
}

VECDB_FUNCTION(vecdb_hnsw_sparsevec_cosine_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::cosine, hnsw::ElementType::sparse);
}

VECDB_FUNCTION(vecdb_hnsw_sparsevec_l1_support)
{
	(void) fcinfo;
	return hnsw::info(hnsw::Metric::l1, hnsw::ElementType::sparse);
}

VECDB_FUNCTION(vecdb_hnswhandler)
{
	(void) fcinfo;
	IndexAmRoutine *am = makeNode(IndexAmRoutine);
	am->amstrategies = 0;
	am->amsupport = 3;
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

	am->ambuild = hnsw::hnsw_build;
	am->ambuildempty = hnsw::hnsw_build_empty;
	am->aminsert = hnsw::hnsw_insert;
	am->ambulkdelete = hnsw::hnsw_bulk_delete;
	am->amvacuumcleanup = hnsw::hnsw_vacuum_cleanup;
	am->amcanreturn = nullptr;
	am->amcostestimate = hnsw::hnsw_cost_estimate;
	am->amoptions = hnsw::hnsw_options;
	am->amproperty = hnsw::property;
	am->ambuildphasename = hnsw::hnsw_build_phase_name;
	am->amvalidate = hnsw::hnsw_validate;
	am->ambeginscan = hnsw::hnsw_begin_scan;
	am->amrescan = hnsw::hnsw_rescan;
	am->amgettuple = hnsw::hnsw_get_tuple;
	am->amgetbitmap = nullptr;
	am->amendscan = hnsw::hnsw_end_scan;
	am->ammarkpos = nullptr;
	am->amrestrpos = nullptr;
	PG_RETURN_POINTER(am);
}
