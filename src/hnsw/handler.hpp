/* SPDX-License-Identifier: PostgreSQL
 * The access method's entry points: one function a verb, one file each.
 *
 * Regime: shell.
 */
#pragma once

#include "storage/access_method.hpp"

namespace vecdb::hnsw
{

IndexBuildResult *hnsw_build(Relation heap, Relation index, IndexInfo *info);
void hnsw_build_empty(Relation index);
bool hnsw_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap,
				 IndexUniqueCheck check_unique, bool unchanged, IndexInfo *info);
IndexBulkDeleteResult *hnsw_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
										IndexBulkDeleteCallback callback, void *callback_state);
IndexBulkDeleteResult *hnsw_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats);
void hnsw_cost_estimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost, Cost *total_cost,
						Selectivity *selectivity, double *correlation, double *pages);
bytea *hnsw_options(Datum reloptions, bool validate);
char *hnsw_build_phase_name(int64 phase);

IndexScanDesc hnsw_begin_scan(Relation index, int nkeys, int norderbys);
void hnsw_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys);
bool hnsw_get_tuple(IndexScanDesc scan, ScanDirection direction);
void hnsw_end_scan(IndexScanDesc scan);

/* Support functions of an operator class. */
constexpr uint16 kDistanceProc = 1;  // the distance that orders, float8 of two values
constexpr uint16 kNormProc = 2;      // cosine: rows of norm 0 are not indexed
constexpr uint16 kInfoProc = 3;      // storage::OpclassInfo of the class

const storage::OpclassInfo *opclass_info(Relation index);

/* Phases of pg_stat_progress_create_index beyond PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE (1). */
constexpr int64 kPhaseLoading = 2;
constexpr int64 kPhaseClustering = 3;
constexpr int64 kPhaseLinking = 4;
constexpr int64 kPhaseWriting = 5;

}  // namespace vecdb::hnsw
