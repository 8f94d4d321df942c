/* SPDX-License-Identifier: PostgreSQL
 * Many rows into the graph at once.
 *
 * Regime: shell.
 */
#pragma once

#include "hnsw/insert.hpp"

namespace vecdb::hnsw
{

/* Can rows be linked together in this index? (Layout fused, whole codes in the slots.) */
inline bool
takes_batches(const IndexState *state)
{
	return state->shape.blocks != 0 && state->shape.tail_bytes == 0;
}

/* Rows that are linked together, at most, with what a queue of them and insert_batch() take in that many bytes. */
uint32 batch_rows(const IndexState *state, Size memory);

/* Links rows; vectors: dimensions floats a row, as for insert_vector(). Memory in the current context. Takes the graph lock. */
void insert_rows(Relation index, const float *vectors, const ItemPointerData *tids, uint32 count);

}  // namespace vecdb::hnsw
