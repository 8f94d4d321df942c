/* SPDX-License-Identifier: PostgreSQL
 * The access method `hnsw`: its handler and the information functions of its operator classes.
 *
 * Regime: shell.
 */
#include "hnsw/handler.hpp"

namespace vecdb::hnsw
{

using storage::Support;

static constexpr Support kSupports[] = {Support::distance, Support::norm, Support::info};
static_assert(kSupports[kDistanceProc - 1] == Support::distance && kSupports[kNormProc - 1] == Support::norm &&
			  kSupports[kInfoProc - 1] == Support::info);

const storage::OpclassInfo *
opclass_info(Relation index)
{
	return storage::opclass_info(index, kInfoProc, "hnsw");
}

static bool
validate(Oid opclass)
{
	return storage::validate_opclass(opclass, kSupports, lengthof(kSupports));
}

static IndexAmRoutine *
handler()
{
	IndexAmRoutine *am = storage::ordering_routine(lengthof(kSupports));
	am->ambuild = hnsw_build;
	am->ambuildempty = hnsw_build_empty;
	am->aminsert = hnsw_insert;
	am->ambulkdelete = hnsw_bulk_delete;
	am->amvacuumcleanup = hnsw_vacuum_cleanup;
	am->amcostestimate = hnsw_cost_estimate;
	am->amoptions = hnsw_options;
	am->ambuildphasename = hnsw_build_phase_name;
	am->amvalidate = validate;
	am->ambeginscan = hnsw_begin_scan;
	am->amrescan = hnsw_rescan;
	am->amgettuple = hnsw_get_tuple;
	am->amendscan = hnsw_end_scan;
	return am;
}

}  // namespace vecdb::hnsw

VECDB_OPCLASS_INFO(vecdb_hnsw_vector_l2_support, l2, float32);
VECDB_OPCLASS_INFO(vecdb_hnsw_vector_ip_support, inner_product, float32);
VECDB_OPCLASS_INFO(vecdb_hnsw_vector_cosine_support, cosine, float32);
VECDB_OPCLASS_INFO(vecdb_hnsw_vector_l1_support, l1, float32);
VECDB_OPCLASS_INFO(vecdb_hnsw_halfvec_l2_support, l2, half);
VECDB_OPCLASS_INFO(vecdb_hnsw_halfvec_ip_support, inner_product, half);
VECDB_OPCLASS_INFO(vecdb_hnsw_halfvec_cosine_support, cosine, half);
VECDB_OPCLASS_INFO(vecdb_hnsw_halfvec_l1_support, l1, half);
VECDB_OPCLASS_INFO(vecdb_hnsw_int8vec_l2_support, l2, int8);
VECDB_OPCLASS_INFO(vecdb_hnsw_int8vec_ip_support, inner_product, int8);
VECDB_OPCLASS_INFO(vecdb_hnsw_int8vec_cosine_support, cosine, int8);
VECDB_OPCLASS_INFO(vecdb_hnsw_int8vec_l1_support, l1, int8);
VECDB_OPCLASS_INFO(vecdb_hnsw_sparsevec_l2_support, l2, sparse);
VECDB_OPCLASS_INFO(vecdb_hnsw_sparsevec_ip_support, inner_product, sparse);
VECDB_OPCLASS_INFO(vecdb_hnsw_sparsevec_cosine_support, cosine, sparse);
VECDB_OPCLASS_INFO(vecdb_hnsw_sparsevec_l1_support, l1, sparse);
VECDB_OPCLASS_INFO(vecdb_hnsw_bit_hamming_support, hamming, bit);
VECDB_OPCLASS_INFO(vecdb_hnsw_bit_jaccard_support, jaccard, bit);

VECDB_FUNCTION(vecdb_hnswhandler)
{
	(void) fcinfo;
	PG_RETURN_POINTER(vecdb::hnsw::handler());
}
