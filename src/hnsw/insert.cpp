/* SPDX-License-Identifier: PostgreSQL
 * aminsert: one row into the graph.
 *
 * Regime: shell.
 * Locks:  graph lock in share mode from reading the entry point to the last back-link (vacuum's barrier); the
 *         entry lock where the graph is empty or the node is higher than it. Pages as in link.cpp and pages.cpp.
 * Order:  the node's own slots first, base layer up, then the links to it, last the entry point: a crash at any
 *         point leaves a valid graph, at worst with a node that nothing reaches and whose row is dead.
 */
#include "hnsw/insert.hpp"

#include <algorithm>
#include <cmath>

#include "hnsw/descend.hpp"
#include "hnsw/handler.hpp"
#include "hnsw/pending.hpp"
#include "pg/report.hpp"
#include "storage/wal.hpp"
#include "types/indexed.hpp"
#include "vecdb/base/random.hpp"
#include "vecdb/graph/levels.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;
using core::graph::BeamSearch;
using core::graph::CodeQuery;
using core::graph::Scored;
using storage::PageChange;

/* Equal vectors are looked for among this many nearest nodes. */
constexpr uint32 kDuplicateCandidates = 4;
/* A lost node looks at least at this many for one with room. */
constexpr uint32 kReconnectEf = 64;
/* And, where none of those will do, at eight times as many, and so on until this. */
constexpr uint32 kReconnectMost = 4096;

const float *
indexable_vector(const IndexState *state, Datum value, bool isnull)
{
	if (isnull)
		return nullptr;
	IndexedValue v = indexed_value(value, state->shape.element_type);
	check_indexed_dimensions(v, state->shape.dimensions);
	if (state->metric == Metric::cosine && indexed_is_zero(v))
		return nullptr;
	return state->shape.sparse() ? make_sparse_row(state, sparse_view(value)) : indexed_row_in_place(v);
}

Inserter *
make_inserter(Relation index, IndexState *state)
{
	auto *inserter = static_cast<Inserter *>(palloc0(sizeof(Inserter)));
	inserter->context = CurrentMemoryContext;
	inserter->file = state->file;
	inserter->build_id = state->meta.build_id;
	inserter->linker = make_linker(index, state);
	if (!is_exact(state->shape.element_type))
		inserter->scratch = static_cast<float *>(palloc(state->shape.code_dims * sizeof(float)));
	allocate_coded(state, inserter->coded);
	return inserter;
}

static bool
equal_codes(Linker *linker, uint32 id, const CodedVector &coded)
{
	const HnswShape &shape = linker->state->shape;
	NodeCopy &copy = linker->copies[0];
	if (!linker->store.load(id, copy) || copy.header.state != static_cast<uint8>(NodeState::live))
		return false;
	if (shape.sparse())
		return copy.sum == coded.sum && memcmp(copy.code, coded.code, shape.code_bytes(copy.header)) == 0;
	if (copy.header.scale != coded.sq8.scale || copy.header.bias != coded.sq8.bias ||
		copy.header.refined_error != coded.sq8.refined_error || memcmp(copy.code, coded.code, shape.code_dims) != 0)
		return false;
	return shape.residual_dims == 0 || same_residual(linker->store, copy.header, coded.residual);
}

uint32
equal_node(Linker *linker, const Candidates &candidates, const CodedVector &coded)
{
	for (uint32 i = 0; i < candidates.count && i < kDuplicateCandidates; i++)
		if (equal_codes(linker, candidates.ids[i], coded))
			return candidates.ids[i];
	return kInvalidId;
}

bool
add_duplicate(Linker *linker, uint32 owner, ItemPointer tid)
{
	Relation index = linker->index;
	const HnswShape &shape = linker->state->shape;
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		NodeCopy &node = linker->copies[0];
		if (!linker->store.load(owner, node) || node.header.state != static_cast<uint8>(NodeState::live))
			return false;
		uint32 head = node.header.duplicates, height = 1;
		if (head != kInvalidId)
		{
			linker->store.check_id(head, shape.block_of(owner));
			Buffer buffer = ReadBuffer(index, shape.block_of(head));
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			NodeHeader *slot = slot_header(BufferGetPage(buffer), shape, head);
			bool room = page_is(BufferGetPage(buffer), PageKind::node) &&
						slot->state == static_cast<uint8>(NodeState::duplicate) && slot->link == owner &&
						slot->lane_count < shape.duplicates_per_slot();
			height = chain_height(*slot) + 1;
			if (room)
			{
				PageChange change = PageChange::begin(index);
				slot = slot_header(change.page(buffer), shape, head);
				slot_duplicates(slot)[slot->lane_count++] = *tid;
				seal(slot, shape, head);
				change.finish();
			}
			UnlockReleaseBuffer(buffer);
			if (room)
				return true;
		}
		NewNode fresh{};
		fresh.state = static_cast<uint8>(NodeState::duplicate);
		fresh.tid = tid;
		fresh.duplicates = head;
		fresh.link = owner;
		fresh.height = height;
		uint32 id = write_new_node(index, linker->state, fresh);

		/* Hook it in; another inserter may have been faster, then the slot is given back. */
		Buffer buffer = ReadBuffer(index, shape.block_of(owner));
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		NodeHeader *slot = slot_header(BufferGetPage(buffer), shape, owner);
		bool hooked = slot->state == static_cast<uint8>(NodeState::live) &&
					  slot->generation == node.header.generation && slot->duplicates == head;
		if (hooked)
		{
			PageChange change = PageChange::begin(index);
			slot = slot_header(change.page(buffer), shape, owner);
			slot->duplicates = id;
			seal(slot, shape, owner);
			change.finish();
		}
		UnlockReleaseBuffer(buffer);
		if (hooked)
			return true;
		buffer = ReadBuffer(index, shape.block_of(id));
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		PageChange change = PageChange::begin(index);
		slot = slot_header(change.page(buffer), shape, id);
		make_free(slot);
		change.finish();
		UnlockReleaseBuffer(buffer);
	}
}

uint32
random_level(const IndexState *state)
{
	uint64 bits;
	if (!pg_strong_random(&bits, sizeof bits))
		bits = core::splitmix64(static_cast<uint64>(GetCurrentTimestamp()));
	return core::graph::level_of(bits, state->meta.m);
}

/* Back-links from every neighbour chosen. False: none of them could take one without losing another its last way. */
static bool
add_backlinks(Linker *linker, const uint32 *neighbors, uint32 count, uint32 target)
{
	bool linked = false;
	for (uint32 i = 0; i < count; i++)
		linked |= add_backlink(linker, neighbors[i], target, LinkForce::offered);
	for (uint32 i = 0; i < count && !linked; i++)
		linked = add_backlink(linker, neighbors[i], target, LinkForce::wanted);
	return linked;
}

/* The base slot of the entry point, or kInvalidId where that is dead or there is none. Vacuum marks base slots first. */
static uint32
live_entry(Linker *linker)
{
	uint32 entry = entry_slot(linker->store, 0);
	NodeCopy &copy = linker->copies[0];
	bool live = entry != kInvalidId && linker->store.load(entry, copy) &&
				copy.header.state == static_cast<uint8>(NodeState::live);
	return live ? entry : kInvalidId;
}

/* From a base node that is to be the entry point to that of now, which leads to every node. */
static void
link_to_entry(Linker *linker, uint32 id)
{
	uint32 entry = live_entry(linker);
	if (entry != kInvalidId)
		add_backlink(linker, id, entry, LinkForce::wanted);
}

/* Where a new node goes: its level and, on each layer, its neighbours. */
struct Place
{
	HnswMeta meta;  // as the search saw it
	uint32 level;
	bool alone;      // nothing live was found: the node will be the entry point
	bool duplicate;  // the row has gone to a node with an equal vector
	uint32 *lanes[kMaxLevel + 1];
	uint32 counts[kMaxLevel + 1];
};

Candidates
search_base(Linker *linker, uint32 ef)
{
	HnswMeta meta;
	read_meta(linker->index, meta);
	Scored entries[kEntries], near[kEntries];
	uint32 count = descend_by_estimates(linker->store, *linker->search, meta, 0, entries);
	if (count == 0)
	{
		uint32 entry = descend(linker->store, meta, 0);
		if (entry != kInvalidId)
		{
			linker->store.score(&entry, 1, entries);
			count = std::isnan(entries[0].distance) ? 0 : 1;
		}
	}
	return find_candidates_from(linker, entries, count, ef, near, count);
}

static void
find_place(Inserter *inserter, ItemPointer tid, uint32 level, Place &place)
{
	Linker *linker = inserter->linker;
	const IndexState *state = linker->state;
	const HnswMeta &meta = place.meta;
	memset(place.counts, 0, sizeof place.counts);
	place.duplicate = false;
	/* At most one layer above the rest, as higher ones would be empty but for this node. */
	uint32 highest = meta.entry_id == kInvalidId ? 1 : meta.entry_level + 1;
	place.level = level < highest ? level : highest;

	uint32 top = meta.entry_id == kInvalidId ? 0 : meta.entry_level < level ? meta.entry_level : level;
	bool fused = state->shape.blocks != 0;
	Scored entries[kEntries];
	uint32 count = fused ? descend_by_estimates(linker->store, *linker->search, meta, top, entries) : 0;
	uint32 entry = kInvalidId;
	if (count == 0)
	{
		entry = descend(linker->store, meta, top);
		if (fused && entry != kInvalidId)
		{
			linker->store.score(&entry, 1, entries);
			count = std::isnan(entries[0].distance) ? 0 : 1;
		}
	}
	place.alone = count == 0 && entry == kInvalidId;
	for (uint32 layer = top + 1; !place.alone && layer-- > 0;)
	{
		uint32 nearest;
		Candidates candidates;
		Scored near[kEntries];
		uint32 near_count = 0;
		if (fused)
			candidates = find_candidates_from(linker, entries, count, state->meta.ef_construction, near, near_count);
		else
			candidates = find_candidates(linker, entry, state->meta.ef_construction, nearest);
		if (layer == 0)
		{
			uint32 same = equal_node(linker, candidates, inserter->coded);
			place.duplicate = same != kInvalidId && add_duplicate(linker, same, tid);
			if (place.duplicate)
				return;
			/* Nothing but dead nodes in reach: begin a graph of its own, vacuum clears the rest away. */
			place.alone = candidates.count == 0;
		}
		place.lanes[layer] =
			static_cast<uint32 *>(MemoryContextAlloc(linker->context, (state->meta.m + 1) * sizeof(uint32)));
		place.counts[layer] =
			choose_neighbors(linker, candidates, state->meta.m, fused ? link_alpha(state) : 1.0f, place.lanes[layer]);
		if (layer > 0 && fused)
		{
			count = 0;
			for (uint32 i = 0; i < near_count; i++)
			{
				linker->store.layer = layer;
				uint32 below = slot_below(linker->store, near[i].id);
				if (below == kInvalidId)
					pg::report_corrupt(linker->index, state->shape.block_of(near[i].id),
									   "an upper node is on another layer");
				entries[count].id = below;
				entries[count++].distance = near[i].distance;
			}
		}
		else if (layer > 0)
		{
			entry = slot_below(linker->store, nearest);
			if (entry == kInvalidId)
				pg::report_corrupt(linker->index, state->shape.block_of(nearest), "an upper node is on another layer");
		}
	}
}

/* False: the state is not that of the index any more. */
static bool
insert_coded(Inserter *inserter, Relation index, const CodeQuery *query, ItemPointer tid, uint32 wanted)
{
	Linker *linker = inserter->linker;
	IndexState *state = linker->state;
	linker->index = index;
	linker->store.index = index;
	set_query(linker, query);
	linker->own.id = kInvalidId;

	Place place;
	read_meta(index, place.meta);
	if (place.meta.build_id != inserter->build_id)
		return false;
	bool entry_locked = false;
	for (;;)
	{
		if (!entry_locked && (place.meta.entry_id == kInvalidId || wanted > place.meta.entry_level))
		{
			lock_entry(index);
			entry_locked = true;
			read_meta(index, place.meta);
		}
		/*
		 * Nothing goes above a dead entry point: vacuum makes sure that all can be reached without it, and from then on
		 * only what it has put in its place leads to all.
		 */
		if (place.meta.entry_id != kInvalidId && wanted > place.meta.entry_level && live_entry(linker) == kInvalidId)
			wanted = place.meta.entry_level;
		find_place(inserter, tid, wanted, place);
		if (!place.alone || entry_locked || place.duplicate)
			break;
		/* Another insert may have found itself alone too, and have made its node the entry point: then look again. */
		uint32 seen = place.meta.entry_id;
		lock_entry(index);
		entry_locked = true;
		read_meta(index, place.meta);
		if (place.meta.entry_id == seen)
			break;
	}
	if (place.duplicate)
	{
		if (entry_locked)
			unlock_entry(index);
		return true;
	}

	uint32 ids[kMaxLevel + 1];
	const CodedVector &coded = inserter->coded;
	core::graph::CodeView own{coded.code, coded.sq8.scale, coded.sq8.bias, coded.sq8.norm2, coded.sum};
	for (uint32 layer = 0; layer <= place.level; layer++)
	{
		NewNode node{};
		node.state = static_cast<uint8>(NodeState::live);
		node.level = static_cast<uint8>(layer);
		node.tid = layer == 0 ? tid : nullptr;
		node.duplicates = kInvalidId;
		node.link = layer == 0 ? kInvalidId : ids[layer - 1];
		node.coded = &inserter->coded;
		fill_image(linker->store, own, place.lanes[layer], place.counts[layer], linker->image);
		node.lanes = linker->image;
		ids[layer] = write_new_node(index, state, node);
	}
	bool lonely[kMaxLevel + 1] = {};
	for (uint32 layer = 0; layer <= place.level; layer++)
		if (place.counts[layer] > 0)
		{
			linker->own = LaneTarget{ids[layer], own, &linker->store.signs};
			lonely[layer] = !add_backlinks(linker, place.lanes[layer], place.counts[layer], ids[layer]);
		}
	linker->own.id = kInvalidId;

	if (place.alone || place.level > place.meta.entry_level)
	{
		if (!place.alone)
			link_to_entry(linker, ids[0]);
		set_entry(index, ids[place.level], place.level);
	}
	if (entry_locked)
		unlock_entry(index);
	/* Frees place. */
	for (uint32 layer = 0; layer <= place.level; layer++)
		if (lonely[layer])
			reconnect_node(linker, ids[layer], nullptr);
	return true;
}

bool
insert_vector(Inserter *inserter, Relation index, const float *v, ItemPointer tid)
{
	return insert_leveled(inserter, index, v, tid, random_level(inserter->linker->state));
}

bool
insert_leveled(Inserter *inserter, Relation index, const float *v, ItemPointer tid, uint32 level)
{
	Linker *linker = inserter->linker;
	MemoryContext old = MemoryContextSwitchTo(linker->context);
	encode_vector(linker->state, v, inserter->scratch, inserter->coded);
	CodeQuery *query = make_query(linker->state, v);
	lock_graph(index, ShareLock);
	bool current = insert_coded(inserter, index, query, tid, level);
	unlock_graph(index, ShareLock);
	MemoryContextSwitchTo(old);
	MemoryContextReset(linker->context);
	return current;
}

/* The node's decoded code as a query: near enough to find its neighbourhood. Sets level; null: no live node. */
static const CodeQuery *
node_query(Linker *linker, uint32 id, NodeHeader &header)
{
	const IndexState *state = linker->state;
	const HnswShape &shape = state->shape;
	NodeCopy node;
	allocate_code(shape, CurrentMemoryContext, node);
	node.lanes = nullptr;
	if (!linker->store.load(id, node) || node.header.state != static_cast<uint8>(NodeState::live))
		return nullptr;
	header = node.header;
	if (is_exact(shape.element_type))
		return exact_node_query(linker->index, state, id, node);
	auto *q = static_cast<float *>(palloc(shape.code_dims * sizeof(float)));
	auto *codes = static_cast<int16 *>(palloc(shape.code_dims * sizeof(int16)));
	core::quantizer::Sq8 sq8{header.scale, header.bias, header.norm2, 0, 0};
	core::quantizer::sq8_decode(sq8, node.code, nullptr, shape.code_dims, q);
	auto *query = static_cast<CodeQuery *>(palloc(sizeof(CodeQuery)));
	*query = core::graph::make_code_query(state->metric, core::quantizer::sq8_query(q, shape.code_dims, codes),
										  shape.dimensions, 0, 0);
	return query;
}

/* Nodes near store.query from the slot `entry` on, without id itself. */
static Candidates
other_candidates(Linker *linker, uint32 entry, uint32 id, uint32 ef)
{
	uint32 nearest;
	Candidates candidates = find_candidates(linker, entry, ef, nearest);
	uint32 n = 0;
	for (uint32 i = 0; i < candidates.count; i++)
		if (candidates.ids[i] != id)
		{
			candidates.ids[n] = candidates.ids[i];
			candidates.distances[n++] = candidates.distances[i];
		}
	candidates.count = n;
	return candidates;
}

void
relink_node(Linker *linker, uint32 id)
{
	MemoryContext old = MemoryContextSwitchTo(linker->context);
	NodeHeader header;
	HnswMeta meta;
	linker->own.id = kInvalidId;
	set_query(linker, node_query(linker, id, header));
	read_meta(linker->index, meta);
	if (linker->store.query != nullptr && meta.entry_id != kInvalidId && meta.entry_level >= header.level)
	{
		uint32 m = linker->state->meta.m;
		uint32 entry = descend(linker->store, meta, header.level);
		Candidates candidates = other_candidates(linker, entry, id, linker->state->meta.ef_construction);
		auto *lanes = static_cast<uint32 *>(palloc((m + 1) * sizeof(uint32)));
		uint32 count = choose_neighbors(linker, candidates, m, 1.0f, lanes);
		bool linked = add_backlinks(linker, lanes, count, id);
		/* And out-links, where it has too few to lead anywhere. */
		for (uint32 i = 0; i < count && header.lane_count < m / 2; i++)
			add_backlink(linker, id, lanes[i], LinkForce::offered);
		if (!linked)
			reconnect_node(linker, id, nullptr);
	}
	linker->store.query = nullptr;
	MemoryContextSwitchTo(old);
	MemoryContextReset(linker->context);
}

/* A link to id from one of these, of the force. Rather a farther node with room than one that has to give up another link. */
static bool
link_from_any(Linker *linker, const Candidates &candidates, uint32 id, uint32 limit, LinkForce force)
{
	bool linked = false;
	for (uint32 i = 0; i < candidates.count && !linked; i++)
		if (linker->store.load(candidates.ids[i], linker->copies[0]) && linker->copies[0].header.lane_count < limit)
			linked = add_backlink(linker, candidates.ids[i], id, force);
	for (uint32 i = 0; i < candidates.count && !linked; i++)
		linked = add_backlink(linker, candidates.ids[i], id, force);
	return linked;
}

void
reconnect_node(Linker *linker, uint32 id, const Bitmap *among)
{
	MemoryContext old = MemoryContextSwitchTo(linker->context);
	NodeHeader header;
	linker->own.id = kInvalidId;
	set_query(linker, node_query(linker, id, header));
	uint32 entry = linker->store.query == nullptr ? kInvalidId : entry_slot(linker->store, header.level);
	bool linked = entry == kInvalidId || entry == id;
	uint32 ef = std::max<uint32>(linker->state->meta.ef_construction, kReconnectEf);
	for (; !linked; ef *= 8)
	{
		Candidates candidates = other_candidates(linker, entry, id, ef);
		uint32 n = 0;
		for (uint32 i = 0; i < candidates.count; i++)
			if (among == nullptr || among->test(candidates.ids[i]))
				candidates.ids[n++] = candidates.ids[i];
		candidates.count = n;
		uint32 limit = lane_limit(linker->state, header.level);
		linked = link_from_any(linker, candidates, id, limit, LinkForce::wanted);
		if (linked || ef < kReconnectMost)
			continue;
		for (uint32 i = 0; i < candidates.count && !linked; i++)
			linked = add_backlink(linker, candidates.ids[i], id, LinkForce::forced);
		if (!linked)
			add_backlink(linker, entry, id, LinkForce::forced);
		linked = true;
	}
	linker->store.query = nullptr;
	MemoryContextSwitchTo(old);
	MemoryContextReset(linker->context);
}

/* Rows of one statement that are inserted at once: few are not worth a queue. */
constexpr uint32 kRowsAtOnce = 8;

/* Rows that decide about the origin of an index that was empty. */
constexpr uint32 kOriginRows = 255;

/*
 * The middle of the rows in out, as the origin of their codes: the median of each element, as one wild row must not push the
 * mean away from all others. False: there is none, or it would be too large.
 */
static bool
middle_of(const IndexState *state, const float *vectors, uint32 count, float *out)
{
	uint32 n = state->shape.dimensions;
	uint32 used = count < kOriginRows ? count : kOriginRows;
	auto *scales = static_cast<float *>(palloc(used * sizeof(float)));
	auto *values = static_cast<float *>(palloc(used * sizeof(float)));
	auto row = [&](uint32 i) noexcept {
		return vectors + static_cast<Size>(static_cast<uint64>(i) * count / used) * n;
	};
	for (uint32 i = 0; i < used; i++)
	{
		double norm2 = 0;
		for (uint32 k = 0; k < n; k++)
			norm2 += static_cast<double>(row(i)[k]) * row(i)[k];
		scales[i] = state->metric == Metric::cosine ? static_cast<float>(1 / std::sqrt(norm2)) : 1.0f;
	}
	bool good = true;
	for (uint32 k = 0; k < n; k++)
	{
		for (uint32 i = 0; i < used; i++)
			values[i] = scales[i] * row(i)[k];
		std::nth_element(values, values + used / 2, values + used);
		out[k] = values[used / 2];
		good = good && std::isfinite(out[k]) && std::fabs(out[k]) < 1e30f;
	}
	pfree(values);
	pfree(scales);
	return good;
}

IndexState *
centre_empty_index(Relation index, IndexState *state, const float *vectors, uint32 count)
{
	if (state->meta.mean_pages != 0 || !is_centred(state))
		return state;
	auto *mean = static_cast<float *>(palloc(state->shape.dimensions * sizeof(float)));
	if (!middle_of(state, vectors, count, mean))
		return state;
	/* Nobody may have coded a row for the origin of before and go on to write it: inserters look at build_id under this lock. */
	lock_graph(index, ExclusiveLock);
	HnswMeta meta;
	read_meta(index, meta);
	if (meta.entry_id == kInvalidId && meta.mean_pages == 0)
		set_mean(index, mean, state->shape.dimensions);
	unlock_graph(index, ExclusiveLock);
	pfree(mean);
	return index_state(index, meta);
}

/* What a backend inserts into again and again: made anew for each statement it would cost as much as the row. */
constexpr uint32 kSpares = 4;
static Inserter *spares[kSpares];
static uint32 next_spare;

static Inserter *
spare_inserter(Relation index, IndexState *state)
{
	for (Inserter *inserter : spares)
		if (inserter != nullptr && inserter->linker->state == state && inserter->build_id == state->meta.build_id &&
			memcmp(&inserter->file, &state->file, sizeof state->file) == 0)
		{
			/* An error may have left something there. */
			MemoryContextReset(inserter->linker->context);
			return inserter;
		}
	uint32 place = next_spare++ % kSpares;
	if (spares[place] != nullptr)
	{
		MemoryContext gone = spares[place]->context;
		spares[place] = nullptr;
		MemoryContextDelete(gone);
	}
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw insert", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Inserter *inserter = make_inserter(index, state);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, TopMemoryContext);
	spares[place] = inserter;
	return inserter;
}

/* Rows that a statement has inserted, by its IndexInfo. */
static uint64
count_row(IndexInfo *info)
{
	if (info->ii_AmCache == nullptr)
		info->ii_AmCache = MemoryContextAllocZero(info->ii_Context, sizeof(uint64));
	return (*static_cast<uint64 *>(info->ii_AmCache))++;
}

bool
hnsw_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap, IndexUniqueCheck, bool,
			IndexInfo *info)
{
	HnswMeta meta;
	IndexState *state = index_state(index, meta);
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw row", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row);
	const float *v = indexable_vector(state, values[0], isnull[0]);
	if (v != nullptr)
	{
		/* The first rows of all decide about the origin together. */
		bool at_once = count_row(info) < kRowsAtOnce && meta.entry_id != kInvalidId;
		if (at_once || !queue_row(index, state, heap, v, tid))
		{
			if (meta.entry_id == kInvalidId)
				state = centre_empty_index(index, state, v, 1);
			/* False: the index has got its mean meanwhile. */
			while (!insert_vector(spare_inserter(index, state), index, v, tid))
				state = index_state(index, meta);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row);
	return false;
}

}  // namespace vecdb::hnsw
