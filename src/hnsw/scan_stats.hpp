/* SPDX-License-Identifier: PostgreSQL
 * What the last HNSW scan of this backend did.
 *
 * Regime: shell. Plain data, collected from counters that a scan keeps anyway.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::hnsw
{

enum class StopReason : uint8
{
	running,          // the executor may still ask for rows
	executor,         // it has stopped asking: LIMIT reached, or the plan has ended
	exhausted,        // every row that can be reached has left
	max_scan_tuples,  // hnsw.max_scan_tuples of an iterative scan
	memory,           // hnsw.scan_mem_multiplier of an iterative scan
	time,             // vecdb.time_budget_ms
};

struct ScanStats
{
	Oid index;  // InvalidOid: no scan yet
	int ef_search;
	uint64 rows;         // handed to the executor
	uint64 hops;         // nodes of the base layer whose links were followed
	uint64 pages;        // page visits, all layers
	uint64 upper_pages;  // those above the base layer
	uint64 lookups;      // visits that had to ask the buffer manager; the others went by hint
	uint64 codes;        // nodes compared with the query by their 8-bit code
	uint64 estimates;    // and by the 1-bit code of a neighbour (layout fused)
	uint64 refined;      // rows whose distance was worked out with the residual
	uint64 rechecked;    // rows handed to the executor for it to compute the distance
	uint64 widenings;    // of the search, beyond the first ef_search
	uint64 memory_bytes;
	bool timed;  // track_io_timing was on when the scan began
	double milliseconds;
	StopReason stop;
};

/* The scan that began last; false: there was none in this backend. */
bool last_scan_stats(ScanStats &out);

}  // namespace vecdb::hnsw
