/* SPDX-License-Identifier: PostgreSQL
 * The access methods `ivf` and `ivfflat`: their handlers and the information functions of their operator classes.
 * They differ in what the option quantizer means when it is not given, and are told apart by amoptions.
 *
 * Regime: shell.
 */
#include "ivf/handler.hpp"

namespace vecdb::ivf
{

using storage::Support;

static constexpr Support kSupports[] = {Support::distance, Support::norm, Support::distance, Support::norm,
										Support::info};
static_assert(kSupports[kDistanceProc - 1] == Support::distance && kSupports[kNormProc - 1] == Support::norm &&
			  kSupports[kKmeansDistanceProc - 1] == Support::distance &&
			  kSupports[kKmeansNormProc - 1] == Support::norm && kSupports[kInfoProc - 1] == Support::info);

const storage::OpclassInfo *
opclass_info(Relation index)
{
	return storage::opclass_info(index, kInfoProc, "ivfflat");
}

static bool
validate(Oid opclass)
{
	return storage::validate_opclass(opclass, kSupports, lengthof(kSupports));
}

static IndexAmRoutine *
handler(amoptions_function options)
{
	IndexAmRoutine *am = storage::ordering_routine(lengthof(kSupports));
	am->ambuild = ivf_build;
	am->ambuildempty = ivf_build_empty;
	am->aminsert = ivf_insert;
	am->ambulkdelete = ivf_bulk_delete;
	am->amvacuumcleanup = ivf_vacuum_cleanup;
	am->amcostestimate = ivf_cost_estimate;
	am->amoptions = options;
	am->ambuildphasename = ivf_build_phase_name;
	am->amvalidate = validate;
	am->ambeginscan = ivf_begin_scan;
	am->amrescan = ivf_rescan;
	am->amgettuple = ivf_get_tuple;
	am->amendscan = ivf_end_scan;
	return am;
}

}  // namespace vecdb::ivf

VECDB_OPCLASS_INFO(vecdb_ivf_vector_l2_support, l2, float32);
VECDB_OPCLASS_INFO(vecdb_ivf_vector_ip_support, inner_product, float32);
VECDB_OPCLASS_INFO(vecdb_ivf_vector_cosine_support, cosine, float32);
VECDB_OPCLASS_INFO(vecdb_ivf_vector_l1_support, l1, float32);
VECDB_OPCLASS_INFO(vecdb_ivf_halfvec_l2_support, l2, half);
VECDB_OPCLASS_INFO(vecdb_ivf_halfvec_ip_support, inner_product, half);
VECDB_OPCLASS_INFO(vecdb_ivf_halfvec_cosine_support, cosine, half);
VECDB_OPCLASS_INFO(vecdb_ivf_halfvec_l1_support, l1, half);
VECDB_OPCLASS_INFO(vecdb_ivf_int8vec_l2_support, l2, int8);
VECDB_OPCLASS_INFO(vecdb_ivf_int8vec_ip_support, inner_product, int8);
VECDB_OPCLASS_INFO(vecdb_ivf_int8vec_cosine_support, cosine, int8);
VECDB_OPCLASS_INFO(vecdb_ivf_int8vec_l1_support, l1, int8);
VECDB_OPCLASS_INFO(vecdb_ivf_sparsevec_l2_support, l2, sparse);
VECDB_OPCLASS_INFO(vecdb_ivf_sparsevec_ip_support, inner_product, sparse);
VECDB_OPCLASS_INFO(vecdb_ivf_sparsevec_cosine_support, cosine, sparse);
VECDB_OPCLASS_INFO(vecdb_ivf_bit_hamming_support, hamming, bit);
VECDB_OPCLASS_INFO(vecdb_ivf_bit_jaccard_support, jaccard, bit);

VECDB_FUNCTION(vecdb_ivfhandler)
{
	(void) fcinfo;
	PG_RETURN_POINTER(vecdb::ivf::handler(vecdb::ivf::ivf_options));
}

VECDB_FUNCTION(vecdb_ivfflathandler)
{
	(void) fcinfo;
	PG_RETURN_POINTER(vecdb::ivf::handler(vecdb::ivf::ivfflat_options));
}
