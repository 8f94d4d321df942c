/* SPDX-License-Identifier: PostgreSQL
 * Values into rows of an ivf index.
 *
 * Regime: shell.
 */
#pragma once

#include "ivf/state.hpp"
#include "types/indexed.hpp"

namespace vecdb::ivf
{

/*
 * The row that the index keeps of a value: d floats, unit length for cosine; of a bit string its bytes. False: the row is not indexed (null, or zero for cosine).
 * 22000 for a wrong number of dimensions. May allocate in the current context (detoasting).
 */
bool indexable_row(const IndexState *state, Datum value, bool isnull, float *v);

/* A value as lists code it: of a sparse vector its sketch; else as indexed_row_in_place. row_dims: row_dimensions of the index; buffer: so
 * many floats, or null to allocate them. */
const float *coded_form(const IndexedValue &value, uint32 row_dims, float *buffer);

/* Of a sparse value. */
inline core::distance::SparseRow
sparse_row(const IndexedValue &value)
{
	const auto *indices = static_cast<const int32 *>(value.elements);
	return core::distance::SparseRow{indices, reinterpret_cast<const float *>(indices + value.count),
									 static_cast<Size>(value.count)};
}

/* Memory for one coded row, in the current context. */
core::lists::CodedRow new_coded_row(const IvfShape &shape);

inline core::layout::RowTid
row_tid(const ItemPointerData &tid)
{
	return core::layout::make_tid(ItemPointerGetBlockNumberNoCheck(&tid), ItemPointerGetOffsetNumberNoCheck(&tid));
}

}  // namespace vecdb::ivf
