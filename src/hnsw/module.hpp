/* SPDX-License-Identifier: PostgreSQL
 * What _PG_init needs of the HNSW access method, and its settings.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

#include "vecdb/layout/hnsw_page.hpp"

namespace vecdb::hnsw
{

/* Defines GUCs and reloptions, registers callbacks. Call once from _PG_init. */
void module_init();

enum IterativeScan : int
{
	kIterativeOff,
	kIterativeRelaxed,
	kIterativeStrict,
};

extern int guc_ef_search;
extern int guc_iterative_scan;
extern int guc_max_scan_tuples;
extern double guc_scan_mem_multiplier;

/* Reloptions as the relcache keeps them. */
struct HnswOptions
{
	int32 vl_len_;
	int m;
	int ef_construction;
	int layout;     // core::layout::Layout, 0 = auto
	int precision;  // 8 or 16, 0 = auto; in force, 0: codes are exact
	int code_dims;  // layout fused: dimensions of the neighbour codes, 0 = as many as pay
};

/* The options of index in force, defaults where nothing is set. */
HnswOptions effective_options(Relation index);

inline core::layout::ShapeOptions
shape_options(const HnswOptions &options, core::layout::ElementType type)
{
	return core::layout::ShapeOptions{options.m, options.precision, static_cast<core::layout::Layout>(options.layout),
									  static_cast<uint32>(options.code_dims), type};
}

}  // namespace vecdb::hnsw
