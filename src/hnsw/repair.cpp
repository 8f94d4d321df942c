/* SPDX-License-Identifier: PostgreSQL
 * The two-hop re-prune of a node that has lost neighbours.
 *
 * Regime: shell.
 * Locks:  reads copy one share-locked page at a time; the result is written under one exclusive lock, if the lanes
 *         are still those that were read, in one WAL record. Inserters may add back-links at any time.
 * Source: FreshDiskANN (Singh et al. 2021), delete consolidation. Measured against replacing single lanes, which
 *         drifts by 10-30% of the hops over five rounds of deletes, and clearing them, which drifts more.
 */
#include "hnsw/repair.hpp"

#include <algorithm>
#include <cmath>

#include "pg/context.hpp"
#include "pg/report.hpp"
#include "storage/wal.hpp"
#include "vecdb/graph/select_neighbors.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;
using core::graph::BeamSearch;
using core::graph::code_distance;
using storage::PageChange;

/* The nearest of the candidates take part in the choice: farther ones are shadowed by them. */
constexpr uint32 kMaxNear = 384;

/* Distances that are no number (a damaged page) sort last. */
constexpr float kFarthest = 3e38f;

/* Rewriting is tried again this often where inserters keep changing the lanes, then they are made to wait. */
constexpr int kAttempts = 8;

static NodeCopy
make_copy(const HnswShape &shape)
{
	NodeCopy copy;
	memset(static_cast<void *>(&copy), 0, sizeof copy);
	copy.code = static_cast<uint8 *>(palloc(shape.code_dims));
	copy.lanes = static_cast<uint32 *>(palloc(shape.lanes * sizeof(uint32)));
	return copy;
}

Repairer *
make_repairer(Linker *linker, const Bitmap *dead)
{
	const HnswShape &shape = linker->state->shape;
	auto *r = static_cast<Repairer *>(palloc0(sizeof(Repairer)));
	r->linker = linker;
	r->dead = dead;
	if (!r->seen.init(pg::context_memory(CurrentMemoryContext), 1024))
		pg::report(core::Status::out_of_memory());
	r->node = make_copy(shape);
	r->way = make_copy(shape);
	r->near = static_cast<Repairer::Near *>(palloc(kMaxNear * sizeof(Repairer::Near)));
	r->copies = static_cast<NodeCopy *>(palloc((kMaxNear + 1) * sizeof(NodeCopy)));
	for (uint32 i = 0; i <= kMaxNear; i++)
		r->copies[i] = make_copy(shape);
	r->image = make_lane_image(linker->state);
	/* Keep a little more than the rule of the insert: the same on a scale of distances, not of their squares. */
	switch (linker->state->metric)
	{
		case Metric::inner_product: r->alpha = 1.0f; break;
		case Metric::l1: r->alpha = 1.0954451f; break;
		case Metric::l2:
		case Metric::cosine: r->alpha = 1.2f; break;
	}
	return r;
}

static bool
nearer(const Repairer::Near &a, const Repairer::Near &b) noexcept
{
	return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
}

/* Takes id into the near ones, unless it was seen or is too far. False: not a live node of the layer, or seen. */
static bool
consider(Repairer *r, uint32 self, uint32 id)
{
	if (id == self || r->dead->test(id))
		return false;
	int fresh = r->seen.add(id);
	if (fresh < 0)
		pg::report(core::Status::out_of_memory());
	if (fresh == 0)
		return false;
	const IndexState *state = r->linker->state;
	/* The spare copy is the one that no entry of `near` owns. */
	uint32 spare = r->count < kMaxNear ? r->count : kMaxNear;
	NodeCopy &copy = r->copies[spare];
	if (!r->linker->store.load(id, copy) || copy.header.state != static_cast<uint8>(NodeState::live) ||
		copy.header.level != r->node.header.level)
		return false;
	float distance =
		code_distance(*r->linker->store.kernels, state->metric, r->node.view(), copy.view(), state->shape.code_dims);
	if (!(std::fabs(distance) < kFarthest))
		distance = kFarthest;
	Repairer::Near entry{distance, id, spare};
	if (r->count < kMaxNear)
	{
		r->near[r->count++] = entry;
		std::push_heap(r->near, r->near + r->count, nearer);
		return true;
	}
	if (!nearer(entry, r->near[0]))
		return true;
	/* The farthest gives way, and its copy becomes the spare one. */
	std::pop_heap(r->near, r->near + r->count, nearer);
	Repairer::Near &last = r->near[r->count - 1];
	std::swap(r->copies[last.copy], r->copies[spare]);
	entry.copy = last.copy;
	last = entry;
	std::push_heap(r->near, r->near + r->count, nearer);
	return true;
}

/* Lanes being chosen. */
struct Choice
{
	uint32 count;
	uint32 ids[BeamSearch::kMaxLanes];
	const NodeCopy *copies[BeamSearch::kMaxLanes];  // null: not at hand
};

static bool
contains(const uint32 *ids, uint32 n, uint32 id)
{
	return std::find(ids, ids + n, id) != ids + n;
}

/* The number of the chosen lane whose node links to id, or count. */
static uint32
way_to(const Choice &c, uint32 id)
{
	uint32 i = 0;
	while (i < c.count && !(c.copies[i] != nullptr && contains(c.copies[i]->lanes, c.copies[i]->header.lane_count, id)))
		i++;
	return i;
}

/*
 * Every live lane that the node had (had[]) has to stay, or a lane that stays leads to the same node: then nobody
 * loses the last way to it. New lanes give way for that, the farthest first.
 */
static void
keep_had(Repairer *r, const uint32 *had, uint32 had_count, uint32 limit, Choice &c)
{
	uint32 lost[BeamSearch::kMaxLanes];
	bool serves[BeamSearch::kMaxLanes] = {};
	uint32 lost_count = 0;
	for (uint32 i = 0; i < had_count; i++)
	{
		if (contains(c.ids, c.count, had[i]))
			continue;
		uint32 way = way_to(c, had[i]);
		if (way == c.count)
			lost[lost_count++] = had[i];
		else
			serves[way] = true;
	}
	for (uint32 i = c.count; i-- > 0 && c.count + lost_count > limit;)
	{
		if (serves[i] || contains(had, had_count, c.ids[i]))
			continue;
		c.count--;
		for (uint32 k = i; k < c.count; k++)
		{
			c.ids[k] = c.ids[k + 1];
			c.copies[k] = c.copies[k + 1];
			serves[k] = serves[k + 1];
		}
	}
	if (c.count + lost_count > limit)
	{
		/* They are never more than the limit. */
		lost_count = had_count;
		memcpy(lost, had, had_count * sizeof(uint32));
		c.count = 0;
	}
	for (uint32 i = 0; i < lost_count; i++)
	{
		c.copies[c.count] = nullptr;
		for (uint32 k = 0; k < r->count && c.copies[c.count] == nullptr; k++)
			if (r->near[k].id == lost[i])
				c.copies[c.count] = &r->copies[r->near[k].copy];
		c.ids[c.count++] = lost[i];
	}
	r->dropped_count = 0;
	for (uint32 i = 0; i < had_count; i++)
	{
		if (contains(c.ids, c.count, had[i]))
			continue;
		r->dropped[r->dropped_count] = had[i];
		r->through[r->dropped_count++] = c.ids[way_to(c, had[i])];
	}
}

/* The new lanes of r->node, which has the id self. */
static uint32
choose_lanes(Repairer *r, uint32 self, uint32 *out)
{
	const IndexState *state = r->linker->state;
	r->seen.clear();
	r->count = 0;
	const NodeCopy &node = r->node;
	uint32 had[BeamSearch::kMaxLanes];
	uint32 had_count = 0;
	for (uint32 i = 0; i < node.header.lane_count; i++)
		if (consider(r, self, node.lanes[i]))
			had[had_count++] = node.lanes[i];
	for (uint32 i = 0; i < node.header.lane_count; i++)
	{
		if (!r->dead->test(node.lanes[i]))
			continue;
		CHECK_FOR_INTERRUPTS();
		if (!r->linker->store.load(node.lanes[i], r->way) || r->way.header.level != node.header.level)
			continue;
		for (uint32 j = 0; j < r->way.header.lane_count; j++)
			consider(r, self, r->way.lanes[j]);
	}
	std::sort_heap(r->near, r->near + r->count, nearer);
	float distances[kMaxNear];
	for (uint32 i = 0; i < r->count; i++)
		distances[i] = r->near[i].distance;
	uint32 kept[BeamSearch::kMaxLanes];
	uint32 n = core::graph::select_neighbors(
		distances, r->count, lane_limit(state, node.header.level), r->alpha,
		[&](uint32 i, uint32 j) {
			return code_distance(*r->linker->store.kernels, state->metric, r->copies[r->near[i].copy].view(),
								 r->copies[r->near[j].copy].view(), state->shape.code_dims);
		},
		kept);
	Choice c;
	c.count = n;
	for (uint32 i = 0; i < n; i++)
	{
		c.ids[i] = r->near[kept[i]].id;
		c.copies[i] = &r->copies[r->near[kept[i]].copy];
	}
	keep_had(r, had, had_count, lane_limit(state, node.header.level), c);
	core::graph::CodeView codes[BeamSearch::kMaxLanes];
	bool at_hand = true;
	for (uint32 i = 0; i < c.count; i++)
	{
		out[i] = c.ids[i];
		at_hand = at_hand && c.copies[i] != nullptr;
		if (c.copies[i] != nullptr)
			codes[i] = c.copies[i]->view();
	}
	if (at_hand)
		fill_image_from(state, node.view(), out, codes, c.count, r->image);
	else
		fill_image(r->linker->store, node.view(), out, c.count, r->image);
	return c.count;
}

/* One try; false: the lanes were changed in between. */
static bool
try_repair(Repairer *r, uint32 id, uint32 *lanes, uint32 &count, uint32 &was)
{
	Linker *linker = r->linker;
	const HnswShape &shape = linker->state->shape;
	count = was = 0;
	r->dropped_count = 0;
	if (!linker->store.load(id, r->node) || r->node.header.state != static_cast<uint8>(NodeState::live))
		return true;
	count = choose_lanes(r, id, lanes);
	was = r->node.header.lane_count;

	Buffer buffer = ReadBuffer(linker->index, shape.block_of(id));
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	NodeHeader *now = slot_header(BufferGetPage(buffer), shape, id);
	bool same = now->state == r->node.header.state && now->generation == r->node.header.generation &&
				now->lane_count == was && memcmp(slot_lanes(now, shape), r->node.lanes, was * sizeof(uint32)) == 0;
	if (same)
	{
		PageChange change = PageChange::begin(linker->index);
		put_lanes(slot_header(change.page(buffer), shape, id), shape, r->image);
		change.finish();
	}
	UnlockReleaseBuffer(buffer);
	if (same)
		keep_ways(linker, id, r->dropped, r->through, r->dropped_count);
	return same;
}

uint32
repair_node(Repairer *r, uint32 id, uint32 *lanes, uint32 &was)
{
	uint32 count;
	for (int attempt = 0; attempt < kAttempts; attempt++)
	{
		CHECK_FOR_INTERRUPTS();
		if (try_repair(r, id, lanes, count, was))
			return count;
	}
	/* Nobody but inserters changes lanes. */
	lock_graph(r->linker->index, ExclusiveLock);
	if (!try_repair(r, id, lanes, count, was))
		pg::report_corrupt(r->linker->index, r->linker->state->shape.block_of(id),
						   "a node changes while nobody writes");
	unlock_graph(r->linker->index, ExclusiveLock);
	return count;
}

}  // namespace vecdb::hnsw
