/* SPDX-License-Identifier: PostgreSQL
 * Measuring again how many lists a scan needs, as a build does.
 *
 * Regime: shell.
 */
#pragma once

#include "ivf/heap_vector.hpp"
#include "ivf/state.hpp"

namespace vecdb::ivf
{

/* Nearest rows that are counted for a query, as the build does. */
constexpr uint32 kMeasuredRows = 10;

/*
 * The ranks, by distance of their centres to the row `self`, of the lists that hold the rows nearest to it: of at most kMeasuredRows, as
 * far as they are in the nearest `probes` lists. value: of that row. Returns how many. heap: of the index's table. In scan.cpp, as it is a scan.
 */
uint32 rank_nearest(Relation index, IndexState *state, HeapVectors *heap, Datum value, const core::layout::RowTid &self,
					uint32 probes, uint32 *ranks);

/*
 * Writes probes[] anew where lists have changed much since they were measured. heap: any row that is not dead to everybody. Caller
 * holds no lock.
 */
void measure_again(Relation index, IndexState *state, HeapVectors *heap);

}  // namespace vecdb::ivf
