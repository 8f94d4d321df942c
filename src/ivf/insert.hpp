/* SPDX-License-Identifier: PostgreSQL
 * Values into rows of an ivf index.
 *
 * Regime: shell.
 */
#pragma once

#include "ivf/state.hpp"

namespace vecdb::ivf
{

/*
 * The row that the index keeps of a value: d floats, unit length for cosine; of a bit string its bytes. False: the row is not indexed (null, or zero for cosine).
 * 22000 for a wrong number of dimensions. May allocate in the current context (detoasting).
 */
bool indexable_row(const IndexState *state, Datum value, bool isnull, float *v);

/* Memory for one coded row, in the current context. */
core::lists::CodedRow new_coded_row(const IvfShape &shape);

inline core::layout::RowTid
row_tid(const ItemPointerData &tid)
{
	return core::layout::make_tid(ItemPointerGetBlockNumberNoCheck(&tid), ItemPointerGetOffsetNumberNoCheck(&tid));
}

}  // namespace vecdb::ivf
