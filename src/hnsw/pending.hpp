/* SPDX-License-Identifier: PostgreSQL
 * Rows of one statement that wait to be linked together.
 *
 * Regime: shell.
 */
#pragma once

#include "hnsw/state.hpp"

namespace vecdb::hnsw
{

extern bool guc_queue_inserts;

/* Queues a row (v: its indexable vector). False: it has to be inserted now. */
bool queue_row(Relation index, const IndexState *state, Relation heap, const float *v, ItemPointer tid);

/* Links what waits for this file of this index, so that the caller sees it. */
void flush_pending(Relation index);

/* Forgets what waits for this file: it has just been emptied. */
void forget_pending(Relation index);

/* Hooks and callbacks; call once from module_init(). */
void pending_init();

}  // namespace vecdb::hnsw
