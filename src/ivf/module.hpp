/* SPDX-License-Identifier: PostgreSQL
 * What _PG_init needs of the access methods ivf and ivfflat, and their settings.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

#include "vecdb/layout/ivf_page.hpp"

namespace vecdb::ivf
{

/* Defines GUCs and reloptions, registers callbacks. Call once from _PG_init. */
void module_init();

enum IterativeScan : int
{
	kIterativeOff,
	kIterativeRelaxed,
};

extern int guc_probes;          // ivfflat.probes; counts only where somebody has set it: see wanted_probes
extern int guc_vecdb_probes;    // vecdb.ivf_probes, 0: as the index says
extern int guc_iterative_scan;  // ivfflat.iterative_scan
extern int guc_max_probes;      // ivfflat.max_probes

/* Lists to look into first: vecdb.ivf_probes, else ivfflat.probes if it was set by anybody (its default is 1, which pgvector
 * users know to change), else what the build has measured, scaled to the number of lists there are now. At least 1, at most lists.
 * examples: of a vecdb.query; they take more. */
uint32 wanted_probes(const core::layout::IvfMeta &meta, uint32 examples = 0);
/* Lists that an iterative scan looks into at most: ivfflat.max_probes. */
uint32 max_probes(const core::layout::IvfMeta &meta);

/* Reloptions as the relcache keeps them. */
struct IvfRelOptions
{
	int32 vl_len_;
	int lists;        // 0: from the number of rows
	int quantizer;    // core::layout::Quantizer
	int rerank;       // core::layout::Rerank
	int pq_segments;  // 0: chosen
	int pq_bits;      // 4 or 8
};

/* The options of index as given, defaults where nothing is set. */
IvfRelOptions given_options(Relation index);

/* The same with nothing left to choose: ereport 22023 where options do not go together. */
core::layout::IvfOptions effective_options(Relation index, core::distance::Metric metric, uint32 code_dims,
										   bool sparse);

/* Is index of access method ivfflat (not ivf)? */
bool is_flat(Relation index);

}  // namespace vecdb::ivf
