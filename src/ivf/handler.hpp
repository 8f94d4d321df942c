/* SPDX-License-Identifier: PostgreSQL
 * The access methods' entry points: one function a verb, one file each.
 *
 * Regime: shell.
 */
#pragma once

#include "storage/access_method.hpp"

namespace vecdb::ivf
{

IndexBuildResult *ivf_build(Relation heap, Relation index, IndexInfo *info);
void ivf_build_empty(Relation index);
bool ivf_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap,
				IndexUniqueCheck check_unique, bool unchanged, IndexInfo *info);
IndexBulkDeleteResult *ivf_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
									   IndexBulkDeleteCallback callback, void *callback_state);
IndexBulkDeleteResult *ivf_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats);
void ivf_cost_estimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost, Cost *total_cost,
					   Selectivity *selectivity, double *correlation, double *pages);
bytea *ivf_options(Datum reloptions, bool validate);
bytea *ivfflat_options(Datum reloptions, bool validate);
char *ivf_build_phase_name(int64 phase);

IndexScanDesc ivf_begin_scan(Relation index, int nkeys, int norderbys);
void ivf_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys);
bool ivf_get_tuple(IndexScanDesc scan, ScanDirection direction);
void ivf_end_scan(IndexScanDesc scan);

/* Support functions of an operator class; the numbers of pgvector's ivfflat. */
constexpr uint16 kDistanceProc = 1;        // the distance that orders, float8 of two values
constexpr uint16 kNormProc = 2;            // cosine: rows of norm 0 are not indexed
constexpr uint16 kKmeansDistanceProc = 3;  // accepted for pgvector's classes, not called
constexpr uint16 kKmeansNormProc = 4;      // the same
constexpr uint16 kInfoProc = 5;            // storage::OpclassInfo of the class

/* Phases of pg_stat_progress_create_index beyond PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE (1), pgvector's. */
constexpr int64 kPhaseKmeans = 2;
constexpr int64 kPhaseAssign = 3;
constexpr int64 kPhaseLoad = 4;

/* ereport 0A000 where the class has none. */
const storage::OpclassInfo *opclass_info(Relation index);

}  // namespace vecdb::ivf
