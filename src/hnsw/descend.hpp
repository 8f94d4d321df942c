/* SPDX-License-Identifier: PostgreSQL
 * From the entry point down the upper layers by estimates (layout fused).
 *
 * Regime: shell.
 */
#pragma once

#include "hnsw/store.hpp"

namespace vecdb::hnsw
{

/* Starts of a search on the base layer, at most. One lies in the wrong cluster often enough to cost recall. */
constexpr uint32 kEntries = 8;

/*
 * Nodes of `level` to begin a search there with, nearest first, with their distances (exact on codes); a level
 * not below meta.entry_level gives the entry point. store.layer becomes level. Needs store.signs. The number of them; 0: a
 * slot on the way was taken away (or the graph is empty), use descend().
 */
uint32 descend_by_estimates(PageStore &store, core::graph::BeamSearch &search, const HnswMeta &meta, uint32 level,
							core::graph::Scored *entries);

}  // namespace vecdb::hnsw
