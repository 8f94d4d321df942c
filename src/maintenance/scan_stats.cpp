/* SPDX-License-Identifier: PostgreSQL
 * vecdb.last_scan_stats(), last_ivf_scan_stats(): what the last scan of this backend did, of an hnsw index and of an ivf one.
 *
 * Regime: shell.
 */
#include "hnsw/scan_stats.hpp"
#include "ivf/scan_stats.hpp"

using namespace vecdb;

static const char *
reason(hnsw::StopReason stop)
{
	switch (stop)
	{
		case hnsw::StopReason::running: return "running";
		case hnsw::StopReason::executor: return "executor stopped";
		case hnsw::StopReason::exhausted: return "exhausted";
		case hnsw::StopReason::max_scan_tuples: return "max_scan_tuples";
		case hnsw::StopReason::memory: return "scan_mem_multiplier";
		case hnsw::StopReason::time: return "time_budget_ms";
	}
	return "";
}

VECDB_FUNCTION(vecdb_last_scan_stats)
{
	constexpr int kColumns = 15;
	TupleDesc desc;
	if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE || desc->natts != kColumns)
		elog(ERROR, "return type of last_scan_stats is not the one it was created with");
	hnsw::ScanStats s;
	if (!hnsw::last_scan_stats(s))
		PG_RETURN_NULL();
	const uint64 counts[] = {s.rows,      s.hops,    s.pages,     s.upper_pages, s.lookups,     s.codes,
							 s.estimates, s.refined, s.rechecked, s.widenings,   s.memory_bytes};
	Datum values[kColumns];
	bool nulls[kColumns] = {};
	int n = 0;
	values[n++] = ObjectIdGetDatum(s.index);
	values[n++] = Int32GetDatum(s.ef_search);
	for (uint64 count : counts)
		values[n++] = Int64GetDatum(static_cast<int64>(count));
	values[n++] = CStringGetTextDatum(reason(s.stop));
	nulls[n] = !s.timed;
	values[n++] = Float8GetDatum(s.milliseconds);
	Assert(n == kColumns);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

VECDB_FUNCTION(vecdb_last_ivf_scan_stats)
{
	constexpr int kColumns = 11;
	TupleDesc desc;
	if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE || desc->natts != kColumns)
		elog(ERROR, "return type of last_ivf_scan_stats is not the one it was created with");
	ivf::ScanStats s;
	if (!ivf::last_scan_stats(s))
		PG_RETURN_NULL();
	const uint64 counts[] = {s.rows, s.lists, s.pages, s.codes, s.slots, s.refined, s.heap_rows, s.rechecked, s.passes};
	Datum values[kColumns];
	bool nulls[kColumns] = {};
	int n = 0;
	values[n++] = ObjectIdGetDatum(s.index);
	values[n++] = Int32GetDatum(static_cast<int32>(s.probes));
	for (uint64 count : counts)
		values[n++] = Int64GetDatum(static_cast<int64>(count));
	Assert(n == kColumns);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
