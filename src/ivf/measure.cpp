/* SPDX-License-Identifier: PostgreSQL
 * The measurement of probes[] on an index that has changed, by scans of its own.
 *
 * Regime: shell.
 * Work:   some rows as queries, each with a scan of four times the lists that would be looked into now: what lies beyond is found by the
 *         next measurement, since the number then is greater.
 * Locks:  none but those of scans; the metapage's at the end.
 */
#include "ivf/measure.hpp"

#include <algorithm>
#include <cmath>

extern "C" {
#include "utils/datum.h"
}

#include "ivf/directory.hpp"
#include "ivf/module.hpp"
#include "ivf/pages.hpp"
#include "pg/compat.hpp"
#include "storage/wal.hpp"
#include "vecdb/base/random.hpp"

namespace vecdb::ivf
{

using namespace core::layout;

/* Rows that are queries, and those that must be left of them. */
constexpr uint32 kQueries = 64, kFewQueries = 16;
/* Dissolved lists against all, since the last measurement. */
constexpr double kChanged = 0.25;
/* Below, all lists are looked into (options.cpp), and nothing is to be measured. */
constexpr uint32 kLeastLists = 17;

/* A row of a list that is drawn by chance. False: it has none. */
static bool
draw_row(Relation index, IndexState *state, const NearList *lists, uint32 n, uint64 chance, RowTid &tid)
{
	ListExtent extent;
	RowTid *tids;
	if (!list_extent(index, state, lists[chance % n].head, extent, &tids) || extent.rows == 0)
		return false;
	tid = tids[(chance >> 32) % extent.rows];
	pfree(tids);
	return true;
}

static uint32
sample_ranks(Relation index, IndexState *state, HeapVectors *heap, uint32 probes, uint32 *ranks)
{
	auto *origin = static_cast<float *>(palloc0(state->codec.shape.code_dims * sizeof(float)));
	NearList *lists;
	uint32 n = near_lists(index, state, origin, false, 1, &lists);
	uint32 count = 0, queries = 0;
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf measure", ALLOCSET_DEFAULT_SIZES);
	for (uint32 i = 0; i < 2 * kQueries && queries < kQueries && n > 0; i++)
	{
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		MemoryContext old = MemoryContextSwitchTo(row);
		RowTid tid;
		Datum value;
		if (draw_row(index, state, lists, n, core::splitmix64(state->meta.build_id + i), tid) &&
			fetch_heap_value(heap, tid, &value))
		{
			/* The next fetch takes the memory of this one. */
			value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
			count += rank_nearest(index, state, heap, value, tid, probes, ranks + count);
			queries++;
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
	}
	MemoryContextDelete(row);
	return queries < kFewQueries ? 0 : count;
}

void
measure_again(Relation index, IndexState *state, HeapVectors *heap)
{
	IvfMeta meta;
	read_meta(index, meta);
	if (meta.list_count < kLeastLists ||
		(meta.trained_lists != 0 && meta.splits - meta.measured_splits < kChanged * meta.list_count))
		return;
	uint32 probes = std::min(meta.list_count, 4 * measured_probes(meta) + 16);
	auto *ranks = static_cast<uint32 *>(palloc(kQueries * kMeasuredRows * sizeof(uint32)));
	uint32 count = sample_ranks(index, state, heap, probes, ranks);
	if (count == 0)
		return;
	std::sort(ranks, ranks + count);
	Buffer buffer = lock_meta(index);
	storage::PageChange change = storage::PageChange::begin(index);
	IvfMeta *now = page_meta(change.page(buffer));
	for (int i = 0; i < 4; i++)
	{
		double share = static_cast<double>(kProbeRecalls[i]) * count;
		now->probes[i] = ranks[std::min(static_cast<uint32>(std::ceil(share)) - 1, count - 1)] + 1;
	}
	now->trained_lists = meta.list_count;
	now->measured_splits = meta.splits;
	seal_meta(now);
	change.finish();
	UnlockReleaseBuffer(buffer);
}

}  // namespace vecdb::ivf
