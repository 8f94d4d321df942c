/* SPDX-License-Identifier: PostgreSQL
 * What vecdb.check_index() is made of: one part a kind of index.
 *
 * Regime: shell.
 */
#pragma once

#include "maintenance/own_index.hpp"

namespace vecdb::maintenance
{

/* More rows of one check are counted, not shown. */
constexpr uint32 kMaxRows = 100;

/* A row of the answer; blkno < 0: of no block. */
inline void
put_problem(ReturnSetInfo *result, const char *check, int64 blkno, const char *text)
{
	Datum values[3] = {CStringGetTextDatum(check), Int64GetDatum(blkno), CStringGetTextDatum(text)};
	bool nulls[3] = {false, blkno < 0, false};
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* check_ivf.cpp; allocates in the current context. */
void check_ivf(const OwnIndex &own, ReturnSetInfo *result, bool heap_rows);

}  // namespace vecdb::maintenance
