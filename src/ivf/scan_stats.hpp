/* SPDX-License-Identifier: PostgreSQL
 * What the last ivf scan of this backend did.
 *
 * Regime: shell. Plain data, collected from counters that a scan keeps anyway.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::ivf
{

struct ScanStats
{
	Oid index;         // InvalidOid: no scan yet
	uint32 probes;     // lists of the first pass
	uint64 rows;       // handed to the executor
	uint64 lists;      // looked into, all passes
	uint64 pages;      // page visits, without the directory's
	uint64 codes;      // rows looked at in these lists, by their codes where there are some
	uint64 slots;      // rows compared by their slots
	uint64 refined;    // rows whose distance was worked out as exactly as what is stored allows
	uint64 heap_rows;  // and by the row in the heap (rerank = heap)
	uint64 rechecked;  // rows handed to the executor for it to compute the distance
	uint64 passes;
	uint64 widenings;
};

/* The scan that handed out a row, or its end, last; false: there was none in this backend. */
bool last_scan_stats(ScanStats &out);

}  // namespace vecdb::ivf
