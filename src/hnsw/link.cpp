/* SPDX-License-Identifier: PostgreSQL
 * Links of the HNSW graph.
 *
 * Regime: shell.
 * Locks:  reads copy one share-locked page at a time; a change locks one page exclusively, checks that the node is
 *         still as it was read, and writes one WAL record.
 * Keeps:  lanes name slots of the node's own layer; a live node never gets a lane to a slot that was dead when the
 *         inserter took the graph lock. A lane is given up only where two hops lead to the same node, so that whatever
 *         a search could reach it can reach still.
 */
#include "hnsw/link.hpp"
#include "hnsw/descend.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pg/context.hpp"
#include "pg/report.hpp"
#include "storage/wal.hpp"
#include "vecdb/graph/select_neighbors.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;
using core::graph::BeamSearch;
using core::graph::code_distance;
using core::graph::Scored;
using storage::PageChange;

/* Layout fused: entries in the pool of a search for so many candidates. */
constexpr uint32 kPoolWidth = 3;

static void
out_of_memory()
{
	pg::report(core::Status::out_of_memory());
}

Linker *
make_linker(Relation index, IndexState *state)
{
	auto *linker = static_cast<Linker *>(palloc(sizeof(Linker)));
	linker->index = index;
	linker->state = state;
	linker->store = open_store(index, state, nullptr);
	linker->context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw links", ALLOCSET_DEFAULT_SIZES);
	linker->search = static_cast<BeamSearch *>(palloc(sizeof(BeamSearch)));
	if (!linker->search->init(pg::context_memory(CurrentMemoryContext), state->meta.ef_construction))
		out_of_memory();
	linker->image = make_lane_image(state);
	linker->slot_copy = static_cast<NodeHeader *>(palloc(state->shape.slot_bytes));
	linker->pruner = make_slot_pruner(state);
	linker->own.id = kInvalidId;
	allocate_code(state->shape, CurrentMemoryContext, linker->other);
	linker->other.lanes = nullptr;
	linker->page_copy = static_cast<char *>(palloc(BLCKSZ));
	linker->page_before = static_cast<char *>(palloc(BLCKSZ));
	uint32 n = state->shape.lanes + 1;
	linker->copies = static_cast<NodeCopy *>(palloc(n * sizeof(NodeCopy)));
	for (uint32 i = 0; i < n; i++)
	{
		allocate_code(state->shape, CurrentMemoryContext, linker->copies[i]);
		linker->copies[i].lanes = static_cast<uint32 *>(palloc(state->shape.lanes * sizeof(uint32)));
	}
	return linker;
}

uint32
slot_below(PageStore &store, uint32 id)
{
	const HnswShape &shape = store.state->shape;
	BlockNumber blkno = shape.block_of(id);
	Buffer buffer = store.visit(blkno);
	Page page = BufferGetPage(buffer);
	const NodeHeader *node = slot_header(page, shape, id);
	bool good =
		page_is(page, PageKind::node) && node->level == store.layer && node->level > 0 &&
		(node->state == static_cast<uint8>(NodeState::live) || node->state == static_cast<uint8>(NodeState::dead));
	uint32 below = node->link;
	UnlockReleaseBuffer(buffer);
	if (!good)
		return kInvalidId;
	store.check_id(below, blkno);
	store.layer--;
	return below;
}

/* Vacuum can take a slot away from under a scan between two visits; this often in a row, the graph must be damaged. */
constexpr int kDescents = 32;

uint32
entry_slot(PageStore &store, uint32 level)
{
	for (int attempt = 0; attempt < kDescents; attempt++)
	{
		HnswMeta meta;
		read_meta(store.index, meta);
		uint32 id = meta.entry_id;
		if (id == kInvalidId || meta.entry_level < level)
		{
			store.layer = level;
			return kInvalidId;
		}
		store.layer = meta.entry_level;
		while (store.layer > level && id != kInvalidId)
			id = slot_below(store, id);
		if (id != kInvalidId)
			return id;
	}
	pg::report_corrupt(store.index, 0, "the entry point does not lead to the base layer");
}

/* One descent; false: a slot on the way was taken away. */
static bool
try_descend(PageStore &store, const HnswMeta &meta, uint32 level, uint32 &best)
{
	uint32 lanes[BeamSearch::kMaxLanes];
	Scored found[BeamSearch::kMaxLanes];
	best = meta.entry_id;
	store.check_id(best, 0);
	store.layer = meta.entry_level;
	Scored here;
	store.score(&best, 1, &here);
	while (store.layer > level)
	{
		for (bool moved = true; moved;)
		{
			moved = false;
			store.poll();
			unsigned n = store.neighbors(best, lanes);
			store.score(lanes, n, found);
			for (unsigned i = 0; i < n; i++)
				if (found[i].distance < here.distance)  // false for NaN: a slot that is no node any more
				{
					here = found[i];
					best = found[i].id;
					moved = true;
				}
		}
		best = slot_below(store, best);
		if (best == kInvalidId)
			return false;
	}
	return true;
}

uint32
descend(PageStore &store, const HnswMeta &meta, uint32 level)
{
	HnswMeta now = meta;
	for (int attempt = 0; attempt < kDescents; attempt++)
	{
		uint32 best;
		if (now.entry_id == kInvalidId)
		{
			store.layer = level;
			return kInvalidId;
		}
		if (try_descend(store, now, level, best))
			return best;
		read_meta(store.index, now);
	}
	pg::report_corrupt(store.index, 0, "the entry point does not lead to the base layer");
}

void
set_query(Linker *linker, const core::graph::CodeQuery *query)
{
	linker->store.query = query;
	if (query != nullptr && linker->state->shape.blocks != 0)
		prepare_signs(linker->store);
}

/* The ef nearest of those found. */
static Candidates
nearest_of(Linker *linker, Scored *found, uint32 n, uint32 ef)
{
	std::sort(found, found + n, [](const Scored &a, const Scored &b) noexcept {
		return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
	});
	Candidates c;
	c.count = n < ef ? n : ef;
	c.ids = static_cast<uint32 *>(MemoryContextAlloc(linker->context, (c.count + 1) * sizeof(uint32)));
	c.distances = static_cast<float *>(MemoryContextAlloc(linker->context, (c.count + 1) * sizeof(float)));
	for (uint32 i = 0; i < c.count; i++)
	{
		c.ids[i] = found[i].id;
		c.distances[i] = found[i].distance;
	}
	return c;
}

/* Layout fused: nodes that have been seen keep their places in the pool, so that it is wider than what comes out. */
static uint32
pool_of(uint32 ef)
{
	return kPoolWidth * ef;
}

Candidates
find_candidates_from(Linker *linker, const Scored *entries, uint32 count, uint32 ef, Scored *nearest, uint32 &found)
{
	BeamSearch *search = linker->search;
	search->reset_near(pool_of(ef));
	bool good = true;
	for (uint32 i = 0; i < count && good; i++)
		good = search->add_known_entry(entries[i].id, entries[i].distance);
	if (!good || !search->run_estimates(linker->store))
		out_of_memory();
	auto *all = static_cast<Scored *>(
		MemoryContextAllocHuge(linker->context, (static_cast<Size>(search->result_count) + 1) * sizeof(Scored)));
	uint32 n = 0;
	for (uint32 i = 0; i < search->result_count; i++)
		all[n++] = search->results[i];
	found = n < kEntries ? n : kEntries;
	std::partial_sort_copy(all, all + n, nearest, nearest + found, [](const Scored &a, const Scored &b) noexcept {
		return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
	});
	n = 0;
	for (uint32 i = 0; i < search->result_count; i++)
		if (all[i].error >= 0)
			all[n++] = all[i];
	return nearest_of(linker, all, n, ef);
}

Candidates
find_candidates(Linker *linker, uint32 entry, uint32 ef, uint32 &nearest)
{
	BeamSearch *search = linker->search;
	if (linker->state->shape.blocks != 0)
	{
		Scored start, best[kEntries];
		uint32 found;
		linker->store.score(&entry, 1, &start);
		Candidates c = find_candidates_from(linker, &start, std::isnan(start.distance) ? 0 : 1, ef, best, found);
		nearest = found > 0 ? best[0].id : entry;
		return c;
	}
	search->reset(ef);
	if (!search->add_entry(linker->store, entry) || !search->run(linker->store))
		out_of_memory();
	nearest = entry;
	float best = std::numeric_limits<float>::infinity();
	for (uint32 i = 0; i < search->count; i++)
		if (search->entries[i].distance < best)
		{
			best = search->entries[i].distance;
			nearest = search->entries[i].id;
		}
	auto *found = static_cast<Scored *>(
		MemoryContextAllocHuge(linker->context, (static_cast<Size>(search->take_bound()) + 1) * sizeof(Scored)));
	uint32 n = search->take(found);
	return nearest_of(linker, found, n, ef);
}

float
link_alpha(const IndexState *state)
{
	switch (state->metric)
	{
		case Metric::inner_product: return 1.0f;
		case Metric::l1: return 1.0954451f;
		case Metric::l2:
		case Metric::cosine:
		case Metric::hamming:
		case Metric::jaccard: break;
	}
	return 1.2f;
}

uint32
choose_neighbors(Linker *linker, const Candidates &candidates, uint32 limit, float alpha, uint32 *out)
{
	const IndexState *state = linker->state;
	auto *copies =
		static_cast<NodeCopy *>(MemoryContextAllocZero(linker->context, (candidates.count + 1) * sizeof(NodeCopy)));
	auto *kept = static_cast<uint32 *>(MemoryContextAlloc(linker->context, (limit + 1) * sizeof(uint32)));
	if (state->metric == Metric::inner_product)
		alpha = 1;
	/* Codes are loaded when first compared: the rule looks at a part of the candidates only. */
	auto copy_of = [&](uint32 i) -> NodeCopy & {
		NodeCopy &copy = copies[i];
		if (copy.code == nullptr)
		{
			allocate_code(state->shape, linker->context, copy);
			if (!linker->store.load(candidates.ids[i], copy))
				memset(copy.code, 0, copy.room);
		}
		return copy;
	};
	uint32 n = core::graph::select_neighbors(
		candidates.distances, candidates.count, limit, alpha,
		[&](uint32 i, uint32 j) {
			return code_distance(*linker->store.kernels, state->metric, copy_of(i).view(), copy_of(j).view(),
								 state->shape.distance_bytes());
		},
		kept);
	for (uint32 i = 0; i < n; i++)
		out[i] = candidates.ids[kept[i]];
	return n;
}

/* The lanes of a full node after pruning. */
struct Pruned
{
	uint32 count;
	uint32 ids[BeamSearch::kMaxLanes];
	/* What was given up, and a node kept that links to it. */
	uint32 dropped_count;
	uint32 dropped[BeamSearch::kMaxLanes];
	uint32 through[BeamSearch::kMaxLanes];
};

static bool
has_lane(const NodeCopy &copy, uint32 id)
{
	/* Without a way out, so that it is vectorised. */
	uint32 found = 0;
	for (uint32 i = 0; i < copy.header.lane_count; i++)
		found |= copy.lanes[i] == id;
	return found != 0;
}

/* linker->image = the lanes of a node as they are now + target. False: the node is not as it was copied. */
static bool
image_with(Linker *linker, uint32 id, const NodeCopy &copy, uint32 target)
{
	const HnswShape &shape = linker->state->shape;
	Buffer buffer = linker->store.visit(shape.block_of(id));
	memcpy(static_cast<void *>(linker->slot_copy), slot_header(BufferGetPage(buffer), shape, id), shape.slot_bytes);
	UnlockReleaseBuffer(buffer);
	if (linker->slot_copy->generation != copy.header.generation ||
		linker->slot_copy->lane_count != copy.header.lane_count || copy.header.lane_count >= shape.lanes)
		return false;
	append_image(linker->store, linker->slot_copy, copy.view(), target, linker->image);
	return true;
}

/* Appends target to the lanes of a node as it was copied; keeps the copy up to date. False: it has no room any more. */
static bool
append_lane(Linker *linker, uint32 id, NodeCopy &copy, uint32 target)
{
	const HnswShape &shape = linker->state->shape;
	if (!image_with(linker, id, copy, target))
		return false;
	Buffer buffer = ReadBuffer(linker->index, shape.block_of(id));
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	const NodeHeader *now = slot_header(BufferGetPage(buffer), shape, id);
	bool room = now->state == static_cast<uint8>(NodeState::live) && now->generation == copy.header.generation &&
				now->lane_count == copy.header.lane_count && now->lane_count < lane_limit(linker->state, now->level) &&
				memcmp(slot_lanes(now, shape), copy.lanes, now->lane_count * sizeof(uint32)) == 0;
	if (room)
	{
		PageChange change = PageChange::begin(linker->index);
		NodeHeader *slot = slot_header(change.page(buffer), shape, id);
		put_lanes(slot, shape, linker->image);
		change.finish();
		copy.lanes[copy.header.lane_count++] = target;
	}
	UnlockReleaseBuffer(buffer);
	return room;
}

/* Gives the lane to candidate `loser` to the nearest candidate that stays and has room: its rank, or n. */
static uint32
hand_over(Linker *linker, const uint32 *ids, const uint32 *order, const bool *stays, uint32 n, uint32 limit,
		  uint32 loser)
{
	const IndexState *state = linker->state;
	NodeCopy *copies = linker->copies;
	uint32 best = n;
	float nearest = 0;
	for (uint32 i = 0; i < n; i++)
	{
		const NodeCopy &copy = copies[order[i]];
		if (!stays[i] || copy.header.state != static_cast<uint8>(NodeState::live) || copy.header.lane_count >= limit)
			continue;
		float d = code_distance(*linker->store.kernels, state->metric, copy.view(), copies[order[loser]].view(),
								state->shape.distance_bytes());
		if (best == n || d < nearest)
		{
			best = i;
			nearest = d;
		}
	}
	if (best < n && !append_lane(linker, ids[order[best]], copies[order[best]], ids[order[loser]]))
		best = n;
	return best;
}

/*
 * lanes of a full node + target, pruned by the rule to at most limit. What no kept node links to is handed over to one
 * with room; where there is none, and with a dead one, it stays. False: there is no room for all that has to stay (with LinkForce::forced the farthest has to go then).
 */
static bool
prune_lanes(Linker *linker, const NodeCopy &node, uint32 target, uint32 limit, LinkForce force, Pruned &out)
{
	const IndexState *state = linker->state;
	NodeCopy *copies = linker->copies;
	uint32 ids[BeamSearch::kMaxLanes];
	float distances[BeamSearch::kMaxLanes];
	uint32 order[BeamSearch::kMaxLanes];
	uint32 selected[BeamSearch::kMaxLanes];
	bool stays[BeamSearch::kMaxLanes];
	uint32 n = 0;
	for (uint32 i = 0; i <= node.header.lane_count; i++)
	{
		uint32 id = i < node.header.lane_count ? node.lanes[i] : target;
		if (!linker->store.load(id, copies[n]))
			continue;
		ids[n] = id;
		distances[n] = code_distance(*linker->store.kernels, state->metric, node.view(), copies[n].view(),
									 state->shape.distance_bytes());
		/* Damaged factors must not upset the sort. */
		if (std::isnan(distances[n]))
			distances[n] = std::numeric_limits<float>::infinity();
		order[n] = n;
		n++;
	}
	/* Dead ones last: the rule does not see them. */
	auto dead = [&](uint32 i) noexcept { return copies[i].header.state != static_cast<uint8>(NodeState::live); };
	std::sort(order, order + n, [&](uint32 a, uint32 b) noexcept {
		if (dead(a) != dead(b))
			return dead(b);
		return distances[a] != distances[b] ? distances[a] < distances[b] : a < b;
	});
	float sorted[BeamSearch::kMaxLanes];
	uint32 live = 0;
	for (; live < n && !dead(order[live]); live++)
		sorted[live] = distances[order[live]];
	uint32 count = core::graph::select_neighbors(
		sorted, live, limit, 1.0f,
		[&](uint32 i, uint32 j) {
			return code_distance(*linker->store.kernels, state->metric, copies[order[i]].view(),
								 copies[order[j]].view(), state->shape.distance_bytes());
		},
		selected);
	memset(stays, 0, sizeof stays);
	for (uint32 i = 0; i < count; i++)
		stays[selected[i]] = true;
	uint32 target_rank = 0;
	while (target_rank < live && ids[order[target_rank]] != target)
		target_rank++;
	if (force != LinkForce::offered && target_rank < live && !stays[target_rank])
	{
		if (count == limit)
			stays[selected[--count]] = false;  // the farthest
		stays[target_rank] = true;
		count++;
	}

	bool room = true;
	out.dropped_count = 0;
	for (uint32 i = 0; i < n; i++)
	{
		if (stays[i] || ids[order[i]] == target)
			continue;
		uint32 witness = 0;
		while (witness < n && !(stays[witness] && has_lane(copies[order[witness]], ids[order[i]])))
			witness++;
		if (witness == n && !dead(order[i]))
			witness = hand_over(linker, ids, order, stays, n, limit, i);
		if (witness < n)
		{
			out.dropped[out.dropped_count] = ids[order[i]];
			out.through[out.dropped_count++] = ids[order[witness]];
		}
		else if (count < limit)
		{
			stays[i] = true;
			count++;
		}
		else
			room = false;
	}
	out.count = 0;
	for (uint32 i = 0; i < n; i++)
		if (stays[i])
			out.ids[out.count++] = ids[order[i]];
	return room || force == LinkForce::forced;
}

static bool
links_to(PageStore &store, uint32 id, uint32 target)
{
	const HnswShape &shape = store.state->shape;
	Buffer buffer = store.visit(shape.block_of(id));
	const NodeHeader *node = slot_header(BufferGetPage(buffer), shape, id);
	bool found = false;
	if (page_is(BufferGetPage(buffer), PageKind::node) && node->lane_count <= shape.lanes)
		for (uint32 i = 0; i < node->lane_count && !found; i++)
			found = slot_lanes(const_cast<NodeHeader *>(node), shape)[i] == target;
	UnlockReleaseBuffer(buffer);
	return found;
}

static bool
link_to(Linker *linker, uint32 node_id, uint32 target, LinkForce force, Pruned &pruned)
{
	const HnswShape &shape = linker->state->shape;
	BlockNumber blkno = shape.block_of(node_id);
	uint32 lanes[BeamSearch::kMaxLanes];
	NodeCopy node;
	allocate_code(shape, linker->context, node);
	node.lanes = lanes;

	pruned.dropped_count = 0;
	/* Prune outside the lock, write only if the lanes are still those that were read. */
	for (int attempt = 0; attempt < 16; attempt++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!linker->store.load(node_id, node) || node.header.state != static_cast<uint8>(NodeState::live))
			return false;
		for (uint32 i = 0; i < node.header.lane_count; i++)
			if (lanes[i] == target)
				return true;
		uint32 limit = lane_limit(linker->state, node.header.level);
		bool append = node.header.lane_count < limit;
		bool linked = append;
		if (!append)
		{
			if (!prune_lanes(linker, node, target, limit, force, pruned))
			{
				pruned.dropped_count = 0;
				return false;
			}
			for (uint32 i = 0; i < pruned.count; i++)
				linked |= pruned.ids[i] == target;
			fill_image(linker->store, node.view(), pruned.ids, pruned.count, linker->image);
		}
		else if (!image_with(linker, node_id, node, target))
			continue;

		Buffer buffer = ReadBuffer(linker->index, blkno);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		NodeHeader *now = slot_header(BufferGetPage(buffer), shape, node_id);
		bool same = now->state == node.header.state && now->generation == node.header.generation &&
					now->lane_count == node.header.lane_count &&
					memcmp(slot_lanes(now, shape), lanes, node.header.lane_count * sizeof(uint32)) == 0;
		if (!same)
		{
			UnlockReleaseBuffer(buffer);
			continue;
		}
		PageChange change = PageChange::begin(linker->index);
		put_lanes(slot_header(change.page(buffer), shape, node_id), shape, linker->image);
		change.finish();
		UnlockReleaseBuffer(buffer);
		return linked;
	}
	pruned.dropped_count = 0;
	return false;
}

/* The target by its id: the node being inserted, or loaded. False: it is gone. */
static bool
lane_target(Linker *linker, uint32 id, LaneTarget &target)
{
	if (id == linker->own.id)
	{
		target = linker->own;
		return true;
	}
	if (!linker->store.load(id, linker->other))
		return false;
	target = LaneTarget{id, linker->other.view(), nullptr};
	return true;
}

/* Copies the lanes of a live node of the layer; 0 lanes for what is none. */
static uint32
live_lanes(Linker *linker, uint32 id, uint32 level, uint32 *out)
{
	const HnswShape &shape = linker->state->shape;
	Buffer buffer = linker->store.visit(shape.block_of(id));
	const NodeHeader *node = slot_header(BufferGetPage(buffer), shape, id);
	uint32 n = 0;
	if (page_is(BufferGetPage(buffer), PageKind::node) && node->state == static_cast<uint8>(NodeState::live) &&
		node->level == level && node->lane_count <= shape.lanes)
	{
		n = node->lane_count;
		memcpy(out, slot_lanes(node, shape), n * sizeof(uint32));
	}
	UnlockReleaseBuffer(buffer);
	return n;
}

/*
 * Turns the pruner's decision into one that cuts nobody off: what goes must be linked from a node that stays, else it
 * stays itself. False: there is no room for all that.
 */
static bool
keep_reachable(Linker *linker, const NodeHeader *slot, uint32 limit, Pruned &out)
{
	SlotPruner *p = linker->pruner;
	NodeCopy *copies = linker->copies;
	const HnswShape &shape = linker->state->shape;
	const uint32 *ids = slot_lanes(slot, shape);
	uint32 kept = 0;
	bool loaded[BeamSearch::kMaxLanes + 1] = {};
	for (uint32 i = 0; i < p->count; i++)
		kept += p->stays[i] ? 1 : 0;
	out.dropped_count = 0;
	auto leads = [&](uint32 rank, uint32 id) {
		if (!p->stays[rank] || p->lane[rank] == slot->lane_count)
			return false;
		if (!loaded[rank])
		{
			copies[rank].header.lane_count =
				static_cast<uint8>(live_lanes(linker, ids[p->lane[rank]], slot->level, copies[rank].lanes));
			loaded[rank] = true;
		}
		return has_lane(copies[rank], id);
	};
	for (uint32 i = 0; i < p->count; i++)
	{
		if (p->stays[i] || p->lane[i] == slot->lane_count)
			continue;
		uint32 id = ids[p->lane[i]], witness = p->shadow[i];
		if (witness == p->count || !leads(witness, id))
			for (witness = 0; witness < p->count && !leads(witness, id);)
				witness++;
		if (witness < p->count)
		{
			out.dropped[out.dropped_count] = id;
			out.through[out.dropped_count++] = ids[p->lane[witness]];
		}
		else if (kept == limit)
			return false;
		else
		{
			p->stays[i] = true;
			kept++;
		}
	}
	return true;
}

enum class SlotLink
{
	no,
	yes,
	full,  // every lane is needed
};

/* gone[]: the lanes of a full slot (a copy) that go for target. Other than yes: nothing is to be done. */
static SlotLink
prune_for(Linker *linker, BlockNumber blkno, NodeHeader *copy, const LaneTarget &target, uint32 limit, LinkForce force,
		  bool *gone, Pruned &pruned)
{
	const IndexState *state = linker->state;
	const HnswShape &shape = state->shape;
	SlotPruner *p = linker->pruner;
	pruned.dropped_count = 0;
	core::graph::CodeView view{slot_code(copy), copy->scale, copy->bias, copy->norm2,
							   core::graph::code_sum(slot_code(copy), shape.code_dims)};
	for (uint32 i = 0; i < copy->lane_count; i++)
		linker->store.check_id(slot_lanes(copy, shape)[i], blkno);
	prune_slot(state, p, copy, view, target, limit, link_alpha(state));
	uint32 rank = 0, kept = 0, last = p->count;
	for (uint32 i = 0; i < p->count; i++)
	{
		kept += p->stays[i] ? 1 : 0;
		if (p->lane[i] == copy->lane_count)
			rank = i;
		else if (p->stays[i])
			last = i;
	}
	if (!p->stays[rank])
	{
		if (force == LinkForce::offered)
			return SlotLink::no;
		p->stays[rank] = true;
		if (kept == limit && last < p->count)
			p->stays[last] = false;
	}
	if (!keep_reachable(linker, copy, limit, pruned))
	{
		pruned.dropped_count = 0;
		return SlotLink::full;
	}
	memset(gone, 0, BeamSearch::kMaxLanes + 1);
	for (uint32 i = 0; i < p->count; i++)
		gone[p->lane[i]] = !p->stays[i];
	return SlotLink::yes;
}

/* link_to() for layout fused: a full node is pruned from its slot alone. */
static SlotLink
link_in_slot(Linker *linker, uint32 node_id, const LaneTarget &target, LinkForce force, Pruned &pruned)
{
	const IndexState *state = linker->state;
	const HnswShape &shape = state->shape;
	SlotPruner *p = linker->pruner;
	BlockNumber blkno = shape.block_of(node_id);
	NodeHeader *copy = linker->slot_copy;
	for (int attempt = 0; attempt < 16; attempt++)
	{
		CHECK_FOR_INTERRUPTS();
		pruned.dropped_count = 0;
		Buffer buffer = linker->store.visit(blkno, BUFFER_LOCK_EXCLUSIVE);
		NodeHeader *now = slot_header(BufferGetPage(buffer), shape, node_id);
		const char *fault = page_is(BufferGetPage(buffer), PageKind::node) ? check_node(*now, shape)
																		   : "not a node page";
		if (fault != nullptr)
		{
			UnlockReleaseBuffer(buffer);
			pg::report_corrupt(linker->index, blkno, fault);
		}
		bool live = now->state == static_cast<uint8>(NodeState::live);
		const uint32 *ids = slot_lanes(now, shape);
		bool has = live && std::find(ids, ids + now->lane_count, target.id) != ids + now->lane_count;
		uint32 limit = lane_limit(state, now->level);
		bool append = live && !has && now->lane_count < limit;
		if (append)
		{
			PageChange change = PageChange::begin(linker->index);
			NodeHeader *slot = slot_header(change.page(buffer), shape, node_id);
			core::graph::CodeView view{slot_code(slot), slot->scale, slot->bias, slot->norm2, 0};
			put_lane(state, p, slot, view, slot->lane_count, target);
			change.finish();
		}
		else if (live && !has)
			memcpy(static_cast<void *>(copy), now, shape.slot_bytes);
		UnlockReleaseBuffer(buffer);
		if (!live)
			return SlotLink::no;
		if (has || append)
			return SlotLink::yes;

		bool gone[BeamSearch::kMaxLanes + 1];
		SlotLink decided = prune_for(linker, blkno, copy, target, limit, force, gone, pruned);
		if (decided != SlotLink::yes)
			return decided;
		core::graph::CodeView view{slot_code(copy), copy->scale, copy->bias, copy->norm2, 0};
		buffer = linker->store.visit(blkno, BUFFER_LOCK_EXCLUSIVE);
		now = slot_header(BufferGetPage(buffer), shape, node_id);
		bool same = now->state == copy->state && now->generation == copy->generation &&
					now->lane_count == copy->lane_count &&
					memcmp(slot_lanes(now, shape), slot_lanes(copy, shape), copy->lane_count * sizeof(uint32)) == 0;
		if (same)
		{
			PageChange change = PageChange::begin(linker->index);
			NodeHeader *slot = slot_header(change.page(buffer), shape, node_id);
			replace_lanes(state, p, slot, view, gone, &target);
			change.finish();
		}
		UnlockReleaseBuffer(buffer);
		if (same)
			return SlotLink::yes;
	}
	pruned.dropped_count = 0;
	return SlotLink::no;
}

/* A way that is kept can cost another, and so on; in a sound graph some inserts beside this one at most. */
constexpr int kMaxWays = 3;

static bool add_link(Linker *linker, uint32 node_id, uint32 target, LinkForce force, int depth);

static void
keep_ways_at(Linker *linker, uint32 node, const uint32 *dropped, const uint32 *through, uint32 count, int depth)
{
	/* On damaged pages it would never end; check_index tells what is lost there. */
	if (depth == kMaxWays)
		return;
	for (uint32 i = 0; i < count; i++)
	{
		/* Where the node has died meanwhile its lanes stand still, and the second hop gets the link back. */
		if (!links_to(linker->store, through[i], dropped[i]) &&
			!add_link(linker, node, dropped[i], LinkForce::wanted, depth + 1) &&
			!add_link(linker, through[i], dropped[i], LinkForce::wanted, depth + 1))
			add_link(linker, node, dropped[i], LinkForce::forced, depth + 1);
	}
}

void
keep_ways(Linker *linker, uint32 node, const uint32 *dropped, const uint32 *through, uint32 count)
{
	keep_ways_at(linker, node, dropped, through, count, 0);
}

/* Has the slot the lanes that it was copied with? */
static bool
same_lanes(const NodeHeader *now, const NodeHeader *before, const HnswShape &shape)
{
	return now->state == before->state && now->generation == before->generation &&
		   now->lane_count == before->lane_count &&
		   memcmp(slot_lanes(now, shape), slot_lanes(before, shape), before->lane_count * sizeof(uint32)) == 0;
}

void
add_page_links(Linker *linker, BlockNumber blkno, const PageLink *links, uint32 count, bool *linked)
{
	const IndexState *state = linker->state;
	const HnswShape &shape = state->shape;
	Page copy = linker->page_copy, before = linker->page_before;
	Buffer buffer = linker->store.visit(blkno);
	memcpy(before, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	memcpy(copy, before, BLCKSZ);
	bool is_node_page = page_is(before, PageKind::node);
	for (uint32 i = 0; i < shape.slots_per_page && is_node_page; i++)
		is_node_page = check_node(*slot_header(before, shape, i), shape) == nullptr;
	if (!is_node_page)
		pg::report_corrupt(linker->index, blkno, "not a sound node page");

	/* What the changes of one page have given up, to be looked at after it is written. */
	Pruned pruned[kPageLinks];
	bool changed[kPageLinks] = {};
	for (uint32 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		linked[i] = false;
		pruned[i].dropped_count = 0;
		NodeHeader *slot = slot_header(copy, shape, links[i].node);
		if (slot->state != static_cast<uint8>(NodeState::live) || slot->level != 0)
			continue;
		core::graph::CodeView view{slot_code(slot), slot->scale, slot->bias, slot->norm2, 0};
		const uint32 *ids = slot_lanes(slot, shape);
		if (std::find(ids, ids + slot->lane_count, links[i].target.id) != ids + slot->lane_count)
		{
			linked[i] = true;
			continue;
		}
		if (slot->lane_count < shape.lanes)
			put_lane(state, linker->pruner, slot, view, slot->lane_count, links[i].target);
		else
		{
			bool gone[BeamSearch::kMaxLanes + 1];
			if (prune_for(linker, blkno, slot, links[i].target, shape.lanes, LinkForce::offered, gone, pruned[i]) !=
				SlotLink::yes)
				continue;
			replace_lanes(state, linker->pruner, slot, view, gone, &links[i].target);
		}
		linked[i] = changed[i] = true;
	}

	buffer = linker->store.visit(blkno, BUFFER_LOCK_EXCLUSIVE);
	PageChange change{};
	Page page = nullptr;
	bool lost[kPageLinks] = {};
	for (uint32 i = 0; i < count; i++)
	{
		if (!changed[i])
			continue;
		const NodeHeader *old = slot_header(before, shape, links[i].node);
		NodeHeader *slot = slot_header(copy, shape, links[i].node);
		/* Links of the same node have been made in one copy of its slot, which is then put in place more than once. */
		lost[i] = !same_lanes(slot_header(BufferGetPage(buffer), shape, links[i].node), old, shape);
		if (lost[i])
			continue;
		if (page == nullptr)
		{
			change = PageChange::begin(linker->index);
			page = change.page(buffer);
		}
		NodeHeader *now = slot_header(page, shape, links[i].node);
		memcpy(slot_lanes(now, shape), slot_lanes(slot, shape), shape.lanes_bytes);
		now->lane_count = slot->lane_count;
		now->add_exponent = slot->add_exponent;
		now->mul_exponent = slot->mul_exponent;
	}
	if (page != nullptr)
		change.finish();
	UnlockReleaseBuffer(buffer);

	for (uint32 i = 0; i < count; i++)
	{
		if (!changed[i])
			continue;
		if (lost[i])
		{
			/* Somebody else has changed the node meanwhile. */
			linker->own = links[i].target;
			linked[i] = add_backlink(linker, links[i].node, links[i].target.id, LinkForce::offered);
			linker->own.id = kInvalidId;
		}
		else
			keep_ways(linker, links[i].node, pruned[i].dropped, pruned[i].through, pruned[i].dropped_count);
	}
}

static bool
add_link(Linker *linker, uint32 node_id, uint32 target, LinkForce force, int depth)
{
	Pruned pruned;
	const HnswShape &shape = linker->state->shape;
	SlotLink in_slot = SlotLink::full;
	LaneTarget lane;
	if (shape.blocks != 0 && shape.tail_bytes == 0)
	{
		if (!lane_target(linker, target, lane))
			return false;
		in_slot = link_in_slot(linker, node_id, lane, force, pruned);
		if (in_slot == SlotLink::full && force == LinkForce::offered)
			return false;
	}
	bool linked = in_slot == SlotLink::full ? link_to(linker, node_id, target, force, pruned)
											: in_slot == SlotLink::yes;
	/* Another insert may have given up the second hop at the same time, counting on this lane: one of the two sees it. */
	keep_ways_at(linker, node_id, pruned.dropped, pruned.through, pruned.dropped_count, depth);
	return linked;
}

bool
add_backlink(Linker *linker, uint32 node_id, uint32 target, LinkForce force)
{
	return add_link(linker, node_id, target, force, 0);
}

}  // namespace vecdb::hnsw
