/* SPDX-License-Identifier: PostgreSQL
 * Lists that split, move and merge as rows come and go.
 *
 * Regime: shell.
 */
#pragma once

#include "ivf/state.hpp"

namespace vecdb::ivf
{

/* The list at head has grown by a block: splits it where it is too large, unless somebody is reorganising the index just now. The
 * caller holds no lock of it. */
void split_if_large(Relation index, IndexState *state, Relation heap, BlockNumber head);

/*
 * Brings lists back to what a build would have made of them: those that are too large are split, small ones merged into their
 * neighbours, those whose rows have moved away from their centre get a new one. Of lists that have changed by a quarter since
 * they were looked at last. Takes the reorganisation lock list by list.
 */
void ivf_tidy(Relation index);

}  // namespace vecdb::ivf
