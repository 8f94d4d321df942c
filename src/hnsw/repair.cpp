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
using core::graph::Scored;
using storage::PageChange;

/* Two hops away there can be thousands: so many are looked at, and the nearest of them by estimate are read. */
constexpr uint32 kMaxFar = 2048;
constexpr uint32 kMaxNew = 160;
constexpr uint32 kNewAtLeast = 12;
constexpr uint32 kNewForLane = 8;
constexpr uint32 kMaxNear = BeamSearch::kMaxLanes + kMaxNew;

/* Distances that are no number (a damaged page) sort last. */
constexpr float kFarthest = 3e38f;

/* Nodes scored in one go: as many as PageStore::score looks ahead. */
constexpr uint32 kScoreBatch = 128;

/* Rewriting is tried again this often where inserters keep changing the lanes, then they are made to wait. */
constexpr int kAttempts = 8;

static NodeCopy
make_copy(const HnswShape &shape)
{
	NodeCopy copy;
	memset(static_cast<void *>(&copy), 0, sizeof copy);
	allocate_code(shape, CurrentMemoryContext, copy);
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
	if (!is_exact(shape.element_type))
	{
		r->query_floats = static_cast<float *>(palloc(shape.code_dims * sizeof(float)));
		r->query_codes = static_cast<int16 *>(palloc(shape.code_dims * sizeof(int16)));
	}
	r->query_context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw repair query", ALLOCSET_DEFAULT_SIZES);
	r->lut = static_cast<uint8 *>(palloc(core::quantizer::sign_lut_bytes(shape.sign_dims)));
	r->far = static_cast<Scored *>(palloc(kMaxFar * sizeof(Scored)));
	r->near = static_cast<Repairer::Near *>(palloc(kMaxNear * sizeof(Repairer::Near)));
	r->copies = static_cast<NodeCopy *>(palloc(kMaxNear * sizeof(NodeCopy)));
	for (uint32 i = 0; i < kMaxNear; i++)
		r->copies[i] = make_copy(shape);
	r->image = make_lane_image(linker->state);
	/*
	 * Layout compact keeps a little more than the rule of the insert does: the same on a scale of distances, not of their
	 * squares. Layout fused fills up what the strict rule leaves free, which makes the better graph.
	 */
	switch (linker->state->metric)
	{
		case Metric::inner_product: r->alpha = 1.0f; break;
		case Metric::l1: r->alpha = 1.0954451f; break;
		case Metric::l2:
		case Metric::cosine:
		case Metric::hamming:
		case Metric::jaccard: r->alpha = shape.blocks != 0 ? 1.0f : 1.2f; break;
	}
	return r;
}

static bool
nearer(const Repairer::Near &a, const Repairer::Near &b) noexcept
{
	return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
}

/* False: seen before, the node itself, or one that goes. */
static bool
is_fresh(Repairer *r, uint32 self, uint32 id)
{
	if (id == self || r->dead->test(id))
		return false;
	int fresh = r->seen.add(id);
	if (fresh < 0)
		pg::report(core::Status::out_of_memory());
	return fresh != 0;
}

/* Reads id into the near ones. False: not a live node of the layer. */
static bool
read_near(Repairer *r, uint32 id)
{
	const IndexState *state = r->linker->state;
	NodeCopy &copy = r->copies[r->count];
	if (!r->linker->store.load(id, copy) || copy.header.state != static_cast<uint8>(NodeState::live) ||
		copy.header.level != r->node.header.level)
		return false;
	float distance = code_distance(*r->linker->store.kernels, state->metric, r->node.view(), copy.view(),
								   state->shape.distance_bytes());
	if (!(std::fabs(distance) < kFarthest))
		distance = kFarthest;
	r->near[r->count] = Repairer::Near{distance, id, r->count};
	r->count++;
	return true;
}

/* r->node's decoded code as the query of the store. */
static void
ask_for_node(Repairer *r, uint32 self)
{
	const IndexState *state = r->linker->state;
	uint32 n = state->shape.code_dims;
	PageStore &store = r->linker->store;
	store.layer = r->node.header.level;
	if (is_exact(state->shape.element_type))
	{
		MemoryContextReset(r->query_context);
		MemoryContext old = MemoryContextSwitchTo(r->query_context);
		store.query = exact_node_query(r->linker->index, state, self, r->node);
		MemoryContextSwitchTo(old);
		return;
	}
	core::quantizer::Sq8 sq8{r->node.header.scale, r->node.header.bias, r->node.header.norm2, 0, 0};
	core::quantizer::sq8_decode(sq8, r->node.code, nullptr, n, r->query_floats);
	r->query = core::graph::make_code_query(
		state->metric, core::quantizer::sq8_query(r->query_floats, n, r->query_codes), state->shape.dimensions, 0, 0);
	store.query = &r->query;
	if (state->shape.blocks != 0)
		store.signs = core::quantizer::sign_query(r->query_floats, state->shape.sign_dims, r->lut);
}

/*
 * The far ones: what the dead neighbours lead to, with distances that are estimates where their slots hold the codes
 * for it: one visit a dead node then, and none of what it leads to.
 */
static uint32
look_through_dead(Repairer *r, uint32 self)
{
	PageStore &store = r->linker->store;
	bool fused = store.state->shape.blocks != 0;
	uint32 count = 0;
	for (uint32 i = 0; i < r->node.header.lane_count; i++)
	{
		uint32 way = r->node.lanes[i];
		if (!r->dead->test(way))
			continue;
		CHECK_FOR_INTERRUPTS();
		Scored own, found[BeamSearch::kMaxLanes];
		unsigned n = 0;
		if (fused)
			store.expand(way, kFarthest, own, found, n);
		else
		{
			uint32 lanes[BeamSearch::kMaxLanes];
			n = store.neighbors(way, lanes);
			for (unsigned k = 0; k < n; k++)
				found[k].id = lanes[k];
		}
		for (unsigned k = 0; k < n && count < kMaxFar; k++)
			if (is_fresh(r, self, found[k].id))
				r->far[count++] = found[k];
	}
	if (!fused && count > kNewAtLeast)
	{
		uint32 ids[kScoreBatch];
		for (uint32 first = 0; first < count; first += kScoreBatch)
		{
			uint32 n = count - first < kScoreBatch ? count - first : kScoreBatch;
			for (uint32 k = 0; k < n; k++)
				ids[k] = r->far[first + k].id;
			store.score(ids, n, r->far + first);
		}
	}
	return count;
}

/* r->near: the live lanes of r->node, which are had[] too, and the nearest of what lies behind its dead ones. */
static uint32
gather(Repairer *r, uint32 self, uint32 *had)
{
	uint32 had_count = 0;
	r->seen.clear();
	r->count = 0;
	for (uint32 i = 0; i < r->node.header.lane_count; i++)
		if (is_fresh(r, self, r->node.lanes[i]) && read_near(r, r->node.lanes[i]))
			had[had_count++] = r->node.lanes[i];
	ask_for_node(r, self);
	uint32 far = look_through_dead(r, self);
	r->linker->store.query = nullptr;
	/* The rule takes from the nearest mostly: a few for each lane to be replaced. */
	uint32 most = kNewAtLeast + kNewForLane * (r->node.header.lane_count - had_count);
	if (most > kMaxNew)
		most = kMaxNew;
	if (far > most)
	{
		/* Distances that are no number: slots that are no node of the layer any more. */
		std::nth_element(r->far, r->far + most, r->far + far, [](const Scored &a, const Scored &b) noexcept {
			if (std::isnan(a.distance) || std::isnan(b.distance))
				return !std::isnan(a.distance) && std::isnan(b.distance);
			return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
		});
		far = most;
	}
	for (uint32 i = 0; i < far; i++)
		read_near(r, r->far[i].id);
	std::sort(r->near, r->near + r->count, nearer);
	return had_count;
}

/* Lanes being chosen. */
struct Choice
{
	uint32 count;
	uint32 ids[BeamSearch::kMaxLanes];
	const NodeCopy *copies[BeamSearch::kMaxLanes];
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
	while (i < c.count && !contains(c.copies[i]->lanes, c.copies[i]->header.lane_count, id))
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
		for (uint32 k = 0; k < r->count; k++)
			if (r->near[k].id == lost[i])
				c.copies[c.count] = &r->copies[r->near[k].copy];
		c.ids[c.count++] = lost[i];
	}
}

/* What a live lane led to, and the lane that leads there now. */
static void
note_dropped(Repairer *r, const uint32 *had, uint32 had_count, const Choice &c)
{
	r->dropped_count = 0;
	for (uint32 i = 0; i < had_count; i++)
	{
		if (contains(c.ids, c.count, had[i]))
			continue;
		r->dropped[r->dropped_count] = had[i];
		r->through[r->dropped_count++] = c.ids[way_to(c, had[i])];
	}
}

/*
 * Layout fused: a lane costs its bytes whether it is used or not, so the node gets as many as it had. Lanes of before go
 * first: among them may be the long ones of a build.
 */
static void
fill_up(Repairer *r, const uint32 *had, uint32 had_count, uint32 limit, Choice &c)
{
	for (bool old : {true, false})
		for (uint32 i = 0; i < r->count && c.count < limit; i++)
		{
			uint32 id = r->near[i].id;
			if (contains(had, had_count, id) != old || contains(c.ids, c.count, id))
				continue;
			c.copies[c.count] = &r->copies[r->near[i].copy];
			c.ids[c.count++] = id;
		}
}

/* The new lanes of r->node, which has the id self. */
static uint32
choose_lanes(Repairer *r, uint32 self, uint32 *out)
{
	const IndexState *state = r->linker->state;
	const NodeCopy &node = r->node;
	uint32 had[BeamSearch::kMaxLanes];
	uint32 had_count = gather(r, self, had);
	uint32 limit = lane_limit(state, node.header.level);
	float distances[kMaxNear];
	for (uint32 i = 0; i < r->count; i++)
		distances[i] = r->near[i].distance;
	uint32 kept[BeamSearch::kMaxLanes];
	uint32 n = core::graph::select_neighbors(
		distances, r->count, limit, r->alpha,
		[&](uint32 i, uint32 j) {
			return code_distance(*r->linker->store.kernels, state->metric, r->copies[r->near[i].copy].view(),
								 r->copies[r->near[j].copy].view(), state->shape.distance_bytes());
		},
		kept);
	Choice c;
	c.count = n;
	for (uint32 i = 0; i < n; i++)
	{
		c.ids[i] = r->near[kept[i]].id;
		c.copies[i] = &r->copies[r->near[kept[i]].copy];
	}
	keep_had(r, had, had_count, limit, c);
	if (state->shape.blocks != 0)
		fill_up(r, had, had_count, node.header.lane_count < limit ? node.header.lane_count : limit, c);
	note_dropped(r, had, had_count, c);
	core::graph::CodeView codes[BeamSearch::kMaxLanes];
	for (uint32 i = 0; i < c.count; i++)
	{
		out[i] = c.ids[i];
		codes[i] = c.copies[i]->view();
	}
	fill_image_from(state, node.view(), out, codes, c.count, r->image);
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
