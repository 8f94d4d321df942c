/* SPDX-License-Identifier: PostgreSQL
 * From the entry point down the upper layers by estimates (layout fused).
 *
 * Regime: shell.
 * Locks:  one share-locked page at a time.
 * A layer costs some ten visits; scoring each neighbour of each step costs ten times that, which is more than the
 * search of the base layer at small ef_search.
 */
#include "hnsw/descend.hpp"
#include "hnsw/link.hpp"

#include <cmath>

#include "pg/report.hpp"

namespace vecdb::hnsw
{

using core::graph::BeamSearch;
using core::graph::Scored;

/* Estimates in the pool: on the layer that the caller goes on from, and on those above it, which only show the direction. */
constexpr uint32 kLastWidth = 64;
constexpr uint32 kUpperWidth = 16;
constexpr uint32 kUpperEntries = 2;

uint32
descend_by_estimates(PageStore &store, BeamSearch &search, const HnswMeta &meta, uint32 level, Scored *entries)
{
	if (meta.entry_id == kInvalidId)
		return 0;
	store.check_id(meta.entry_id, 0);
	store.layer = meta.entry_level;
	store.score(&meta.entry_id, 1, entries);
	if (std::isnan(entries[0].distance))
		return 0;
	uint32 count = 1;
	while (store.layer > level)
	{
		uint32 layer = store.layer;
		uint32 width = layer == level + 1 ? kLastWidth : kUpperWidth;
		if (layer == meta.entry_level)
			search.reset(width);
		else
			search.reset_near(width);
		bool good = true;
		for (uint32 i = 0; i < count && good; i++)
			good = search.add_known_entry(entries[i].id, entries[i].distance);
		if (!good || !search.run_estimates(store))
			pg::report(core::Status::out_of_memory());
		uint32 found = search.nearest_results(layer == level + 1 ? kEntries : kUpperEntries, entries);
		count = 0;
		for (uint32 i = 0; i < found; i++)
		{
			store.layer = layer;
			uint32 below = slot_below(store, entries[i].id);
			if (below == kInvalidId)
				continue;
			entries[count].id = below;
			entries[count++].distance = entries[i].distance;
		}
		store.layer = layer - 1;
		if (count == 0)
			return 0;
	}
	return count;
}

}  // namespace vecdb::hnsw
