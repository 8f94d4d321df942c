/* SPDX-License-Identifier: PostgreSQL
 * Return heap TIDs from an HNSW index, nearest first, for as long as the executor asks.
 *
 * Regime: shell.
 * Locks:  one share-locked page at a time (store.cpp). No pin is held between calls.
 * Memory: all state of one scan key in so->context, reset on rescan.
 * Keeps:  distances leave in exact order (exact_order.hpp). The search looks ahead: before row n leaves, at least
 *         2n candidates (and ef_search at the first) have been found, so there is no limit on the number of rows.
 *         Rows found too late come after all others, or as hnsw.iterative_scan says.
 * A TID copied from a slot stays good for an MVCC snapshot: it can be given to another row only after its own is
 * dead to every snapshot. Other snapshots are refused.
 */
#include "hnsw/descend.hpp"
#include "hnsw/handler.hpp"
#include "hnsw/link.hpp"
#include "hnsw/module.hpp"
#include "hnsw/pending.hpp"
#include "hnsw/scan_stats.hpp"
#include "hnsw/scorer.hpp"

#include <algorithm>
#include <cmath>

#include "pg/context.hpp"
#include "pg/report.hpp"
#include "storage/access_method.hpp"
#include "storage/time_budget.hpp"
#include "storage/row_limit.hpp"
#include "types/indexed.hpp"
#include "types/query_value.hpp"
#include "vecdb/graph/exact_order.hpp"

namespace vecdb::hnsw
{

using core::graph::BeamSearch;
using core::graph::ExactOrder;
using core::graph::LateRows;
using core::graph::OrderedNode;
using core::graph::Scored;

struct ScanOpaque
{
	MemoryContext context;
	bool started;
	bool without_order;  // the query is NULL, or zero under cosine: any order is right
	bool null_order;
	IndexState *state;
	PageStore store;
	BeamSearch *search;
	ExactOrder order;
	uint64 returned;        // nodes
	uint32 look_ahead;      // candidates found before the first row leaves; grows
	uint32 ef_search;       // as set, or more where LIMIT is
	bool widened_to_entry;  // the entry point's base node has been added as a second start
	bool whole;             // all slots have been read: the graph was not asked
	bool drained;           // exhausted(), which looks at all candidates, after the last run
	bool ended;
	/* The rows of a node with duplicates that are still to be returned. */
	uint32 chain;  // next duplicate slot
	uint32 chain_owner;
	uint32 chain_generation;  // of the owner
	uint32 chain_height;      // of the last slot read
	OrderedNode chain_node;
	ItemPointerData *tids;
	uint32 tid_count, tid_next;
	bool mapped;                   // by <*>, but a search for the nearest: distances become scores as they leave
	core::query::Formula formula;  // where mapped
	Scorer *scorer;                // by <*> else
	storage::TimeBudget budget;
	StopReason limit;  // why widen() looked no further
	ScanStats stats;   // rows, rechecked, widenings, stop are counted here; summary() fills in the rest
};

IndexScanDesc
hnsw_begin_scan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);
	auto *so = static_cast<ScanOpaque *>(palloc0(sizeof(ScanOpaque)));
	so->context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw scan", ALLOCSET_DEFAULT_SIZES);
	if (norderbys > 0)
	{
		scan->xs_orderbyvals = static_cast<Datum *>(palloc0(sizeof(Datum) * static_cast<Size>(norderbys)));
		scan->xs_orderbynulls = static_cast<bool *>(palloc(sizeof(bool) * static_cast<Size>(norderbys)));
		memset(scan->xs_orderbynulls, true, sizeof(bool) * static_cast<Size>(norderbys));
	}
	scan->opaque = so;
	return scan;
}

void
hnsw_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	auto *so = static_cast<ScanOpaque *>(scan->opaque);
	so->started = false;
	MemoryContextReset(so->context);
	if (keys != nullptr && nkeys > 0)
		memmove(scan->keyData, keys, static_cast<Size>(scan->numberOfKeys) * sizeof(ScanKeyData));
	if (orderbys != nullptr && norderbys > 0)
		memmove(scan->orderByData, orderbys, static_cast<Size>(scan->numberOfOrderBys) * sizeof(ScanKeyData));
}

void
hnsw_end_scan(IndexScanDesc scan)
{
	auto *so = static_cast<ScanOpaque *>(scan->opaque);
	MemoryContextDelete(so->context);
	pfree(so);
	scan->opaque = nullptr;
}

static void
out_of_memory()
{
	pg::report(core::Status::out_of_memory());
}

/*
 * The search state that the next scan of this backend can have: its arrays are large enough that giving them back to the
 * system after each query would cost a page fault for each of their pages.
 */
struct Spare
{
	BeamSearch search;
	MemoryContext context;
	bool taken;
};

static Spare spare;

/* What is larger than this is not kept. */
constexpr Size kSpareBytes = 4 * 1024 * 1024;

/* Runs when the scan's context goes, at its end or on ERROR. Neither throws nor allocates. */
static void
give_back(void *)
{
	if (MemoryContextMemAllocated(spare.context, false) > kSpareBytes)
	{
		MemoryContextDelete(spare.context);
		spare.context = nullptr;
	}
	spare.taken = false;
}

/*
 * What the scan has taken of its budget. Of the spare arrays only the used part counts: how large they are depends on the
 * queries before this one.
 */
static Size
memory_used(const ScanOpaque *so)
{
	Size bytes = MemoryContextMemAllocated(so->context, false);
	const BeamSearch *search = so->search;
	if (search == &spare.search)
		bytes += (static_cast<Size>(search->count) + search->result_count) * sizeof(Scored) +
				 static_cast<Size>(search->visited.used) * 2 * sizeof(uint32);
	return bytes;
}

/* Of the last scan; while it runs, what it keeps itself counts. */
static ScanStats last_stats;
static ScanOpaque *running;

static ScanStats
summary(const ScanOpaque *so)
{
	ScanStats s = so->stats;
	s.pages = so->store.counters.visits;
	s.lookups = so->store.counters.hint_misses;
	s.estimates = so->store.counters.estimates;
	s.refined = so->order.refinements;
	if (so->search != nullptr)
	{
		s.hops = so->search->expansions;
		s.codes = so->search->scored;
	}
	s.memory_bytes = memory_used(so);
	return s;
}

bool
last_scan_stats(ScanStats &out)
{
	out = running != nullptr ? summary(running) : last_stats;
	return OidIsValid(out.index);
}

/* Runs when the scan's context is reset or goes, also on ERROR; what it was allocated beside is still there. */
static void
end_stats(void *arg)
{
	auto *so = static_cast<ScanOpaque *>(arg);
	if (running != so)
		return;
	last_stats = summary(so);
	if (last_stats.stop == StopReason::running)
		last_stats.stop = StopReason::executor;
	running = nullptr;
}

/* Call when store and order are ready. */
static void
begin_stats(ScanOpaque *so)
{
	auto *callback =
		static_cast<MemoryContextCallback *>(MemoryContextAlloc(so->context, sizeof(MemoryContextCallback)));
	callback->func = end_stats;
	callback->arg = so;
	so->stats = ScanStats{};
	so->stats.index = RelationGetRelid(so->store.index);
	so->stats.ef_search = guc_ef_search;
	so->stats.timed = track_io_timing;
	running = so;
	MemoryContextRegisterResetCallback(so->context, callback);
}

/* A search with room for so many candidates to begin with, good until context is reset. */
static BeamSearch *
take_search(MemoryContext context, uint32 look_ahead)
{
	BeamSearch *search;
	if (spare.taken)
	{
		search = static_cast<BeamSearch *>(MemoryContextAlloc(context, sizeof(BeamSearch)));
		if (!search->init(pg::context_memory(context), look_ahead))
			out_of_memory();
	}
	else
	{
		auto *callback =
			static_cast<MemoryContextCallback *>(MemoryContextAlloc(context, sizeof(MemoryContextCallback)));
		search = &spare.search;
		if (spare.context == nullptr)
		{
			MemoryContext own = AllocSetContextCreate(TopMemoryContext, "vecdb hnsw search", ALLOCSET_DEFAULT_SIZES);
			if (!search->init(pg::context_memory(own), look_ahead))
			{
				MemoryContextDelete(own);
				out_of_memory();
			}
			spare.context = own;
		}
		spare.taken = true;
		callback->func = give_back;
		callback->arg = nullptr;
		MemoryContextRegisterResetCallback(context, callback);
	}
	search->reset(look_ahead);
	return search;
}

/*
 * Estimates in the pool of layout fused for that look-ahead. Nodes that have been seen keep their places in it, about every
 * other one, and 1-bit estimates are off by some percent, the more the fewer dimensions are coded: this many are meant to
 * find what pgvector finds at the same ef_search, or more.
 */
static uint32
pool_width(const HnswShape &shape, uint32 look_ahead)
{
	constexpr uint64 kMost = 1u << 31;
	uint64 width = 8 * static_cast<uint64>(look_ahead) + 48;
	if (shape.sign_dims < 96)
		width = shape.sign_dims > 24 ? width * 96 / shape.sign_dims : 4 * width;
	return static_cast<uint32>(width < kMost ? width : kMost);
}

static bool
is_fused(const ScanOpaque *so)
{
	return so->state->shape.blocks != 0;
}

/*
 * How much wider than for a vector a search must be to find as much. The best rows of a sum lie far from all of its examples, and so in no
 * dense part of the graph; those of pairs to the other side of their boundaries; and what is least like negatives alone anywhere.
 */
static uint32
wider_for(const core::query::Formula &formula)
{
	switch (formula.kind)
	{
		case core::query::Kind::average: break;
		case core::query::Kind::best_score: return formula.positives > 0 ? 2 : 12;
		case core::query::Kind::sum_scores:
		case core::query::Kind::context: return 4;
		case core::query::Kind::discover: return 6;
	}
	return 1;
}

/* ef of the search. Of compact nodes the number of candidates, but that sparse rows have more hubs and more equal parts. */
static uint32
search_width(const ScanOpaque *so)
{
	uint32 ahead = so->look_ahead;
	if (so->scorer != nullptr || so->mapped)
		ahead *= wider_for(so->formula);
	if (is_fused(so))
		return pool_width(so->state->shape, ahead);
	return so->store.query->kind == core::graph::RowKind::sparse || so->scorer != nullptr ? 2 * ahead : ahead;
}

static bool exhausted(const ScanOpaque *so);

/* Rows that a short query takes, for which memory is asked before the first of them is read. */
constexpr uint32 kRowsAhead = 12;

/* To the exact order, of nodes found by their scores. */
static void
add_by_bounds(ScanOpaque *so, const Scored *found, uint32 n)
{
	auto *bounds = static_cast<core::graph::Interval *>(
		MemoryContextAllocHuge(so->context, (static_cast<Size>(n) + 1) * sizeof(core::graph::Interval)));
	auto *ids = static_cast<uint32 *>(MemoryContextAllocHuge(so->context, (static_cast<Size>(n) + 1) * sizeof(uint32)));
	uint32 count = 0;
	for (uint32 i = 0; i < n; i++)
	{
		so->store.poll();
		ids[count] = found[i].id;
		if (bounds_by_examples(so->store, ids[count], bounds[count]))
			count++;
	}
	if (!so->order.add_intervals(so->store.metric(), bounds, ids, count))
		out_of_memory();
	pfree(bounds);
	pfree(ids);
}

/* Hands what the last run of the search has found to the exact order. */
static void
collect(ScanOpaque *so)
{
	bool results = so->whole || is_fused(so);
	uint32 bound = results ? so->search->result_count : so->search->take_bound();
	auto *found =
		static_cast<Scored *>(MemoryContextAllocHuge(so->context, (static_cast<Size>(bound) + 1) * sizeof(Scored)));
	uint32 n = results ? so->search->take_results(found, so->returned == 0 ? so->look_ahead : 0)
					   : so->search->take(found);
	if (so->scorer != nullptr)
		add_by_bounds(so, found, n);
	else if (!so->order.add(*so->store.query, found, n))
		out_of_memory();
	pfree(found);
	uint32 next[kRowsAhead];
	n = so->order.nearest_pending(next, kRowsAhead);
	so->store.bring_details(next, n);
	so->drained = exhausted(so);
}

/* Of a query by <*>: makes so->scorer unless a search for the nearest does, and returns the first example as a row. */
static const float *
example_row(ScanOpaque *so, const QueryValue &query)
{
	const HnswShape &shape = so->state->shape;
	check_query_type(query, shape.element_type);
	check_same_indexed_dimensions(static_cast<int>(shape.dimensions), query.dimensions, shape.element_type);
	so->mapped = core::query::is_nearest_search(query.formula) && query.metric == so->state->metric;
	so->formula = query.formula;
	if (!so->mapped)
		so->scorer = make_scorer(so->state, query);
	const char *at = query.examples;
	IndexedValue v = next_example(query, at);
	const auto *indices = static_cast<const int32 *>(v.elements);
	return query.sparse ? make_sparse_row(so->state, SparseView{v.dimensions, v.count, indices,
																reinterpret_cast<const float *>(indices + v.count)})
						: static_cast<const float *>(v.elements);
}

/* The query vector, or null where none can be: then so->without_order says why. */
static const float *
query_vector(IndexScanDesc scan, ScanOpaque *so)
{
	ScanKey key = &scan->orderByData[0];
	uint32 dimensions = so->state->shape.dimensions;
	so->without_order = so->null_order = (key->sk_flags & SK_ISNULL) != 0;
	bool sparse = so->state->shape.sparse();
	if (so->null_order && sparse)
		return make_sparse_row(so->state, SparseView{static_cast<int32>(dimensions), 0, nullptr, nullptr});
	if (so->null_order)
		return static_cast<float *>(palloc0(dimensions * sizeof(float)));
	if (key->sk_strategy == storage::kQueryStrategy)
		return example_row(so, query_value(key->sk_argument));
	IndexedValue v = indexed_value(key->sk_argument, so->state->shape.element_type);
	/* The query first, as pgvector's hnsw has it. */
	check_same_indexed_dimensions(v.dimensions, static_cast<int>(dimensions), v.type);
	so->without_order = so->state->metric == Metric::cosine && indexed_is_zero(v);
	return sparse ? make_sparse_row(so->state, sparse_view(key->sk_argument)) : indexed_row_in_place(v);
}

/* The first search finds twice the rows of a usual LIMIT: fewer would be hardly cheaper, and the next search is not free. */
constexpr uint32 kLeastAhead = 20;

/* Slots up to which an index is read whole: exact, in less time than a search by the graph. */
constexpr uint32 kReadWhole = 1024;

/*
 * The base slots below the nodes of layer 1 that are nearest to the query; returns their number, 0 where the graph is empty. One
 * start, as greedy descent gives, lies in the wrong cluster often enough to cost recall where clusters are tight.
 */
static uint32
base_entries(ScanOpaque *so, const HnswMeta &meta, uint32 *entries)
{
	PageStore &store = so->store;
	uint32 count = 0;
	if (meta.entry_level > 0)
	{
		BeamSearch *search = so->search;
		uint32 top = descend(store, meta, 1);
		search->reset(kEntries);
		if (top != kInvalidId && store.layer == 1 && (!search->add_entry(store, top) || !search->run(store)))
			out_of_memory();
		/* The live nodes within the threshold, nearest first. */
		uint32 near[kEntries];
		uint32 found = search->nearest_entries(kEntries, near);
		for (uint32 i = 0; i < found; i++)
		{
			store.layer = 1;
			uint32 below = slot_below(store, near[i]);
			if (below != kInvalidId)
				entries[count++] = below;
		}
		store.layer = 0;
	}
	if (count == 0)
	{
		uint32 entry = descend(store, meta, 0);
		if (entry != kInvalidId)
			entries[count++] = entry;
	}
	return count;
}

/* Examples that a search by <*> starts at too, at most. */
constexpr uint32 kMostStarts = 64;

/*
 * A search by <*>: base nodes near the examples that rows are to be near to. A score has as many summits as there are such examples,
 * and planes between them on which no step leads up.
 */
static uint32
starts_at_examples(ScanOpaque *so, const HnswMeta &meta, uint32 *starts)
{
	Scorer *scorer = so->scorer;
	PageStore &store = so->store;
	uint32 count = 0, examples = 0;
	if (scorer == nullptr)
		return 0;
	BeamSearch &search = *so->search;
	const core::graph::CodeQuery *query = store.query;
	core::quantizer::SignQuery signs = store.signs;
	store.scorer = nullptr;
	for (uint32 i = 0; i < scorer->count && examples < kMostStarts; i++)
	{
		if (!core::query::raises(scorer->formula, i))
			continue;
		examples++;
		store.query = scorer->queries[i];
		if (is_fused(so))
		{
			Scored near[kEntries];
			store.signs = scorer->signs[i];
			uint32 n = descend_by_estimates(store, search, meta, 0, near);
			search.reset_near(pool_width(so->state->shape, so->look_ahead));
			bool good = true;
			for (uint32 k = 0; k < n && good; k++)
				good = search.add_known_entry(near[k].id, near[k].distance);
			if (!good || !search.run_estimates(store))
				out_of_memory();
			n = search.nearest_results(kEntries, near);
			for (uint32 k = 0; k < n; k++)
				starts[count++] = near[k].id;
		}
		else
		{
			uint32 entries[kEntries];
			uint32 n = base_entries(so, meta, entries);
			search.reset(so->look_ahead);
			bool good = true;
			for (uint32 k = 0; k < n && good; k++)
				good = search.add_entry(store, entries[k]);
			if (!good || !search.run(store))
				out_of_memory();
			count += search.nearest_entries(kEntries, starts + count);
		}
		store.layer = 0;
	}
	store.query = query;
	store.signs = signs;
	store.scorer = scorer;
	return count;
}

/* About how many node slots an index of that length has: pages of details are no nodes. */
static uint32
node_slots(const HnswShape &shape, BlockNumber blocks)
{
	/* Most sparse rows have no chain. */
	bool plain = shape.details_per_page == 0 || shape.sparse();
	double page_of_rows =
		1 + (plain ? 0.0 : static_cast<double>(shape.slots_per_page) * shape.detail_pages / shape.details_per_page);
	return static_cast<uint32>(std::fmin((blocks - 1) / page_of_rows * shape.slots_per_page, 1e9));
}

/* Scores all nodes of the base layer; returns their number. */
static uint32
read_whole(ScanOpaque *so)
{
	Scored *found = static_cast<Scored *>(palloc(so->state->shape.slots_per_page * sizeof(Scored)));
	for (BlockNumber blkno = 1; blkno < so->store.blocks; blkno++)
	{
		so->store.poll();
		if (so->store.halted())
			break;
		unsigned n = so->store.score_page(blkno, found);
		for (unsigned i = 0; i < n; i++)
			if (!so->search->keep_result(found[i]))
				out_of_memory();
	}
	pfree(found);
	return so->search->result_count;
}

/* A LIMIT up to which the first search looks for all of its rows; many more may not be read to their end. */
constexpr uint64 kMostKnownRows = 10000;

/*
 * hnsw.ef_search, raised where LIMIT is known: to find as many by widening a short search takes twice as long and more. Twice the
 * rows, as rows leave only while as many again have been found.
 */
static uint32
wanted_ef(Relation index)
{
	uint64 limit = guc_iterative_scan == kIterativeOff ? storage::row_limit(RelationGetRelid(index)) : 0;
	return static_cast<uint32>(
		std::max<uint64>(static_cast<uint64>(guc_ef_search), 2 * std::min(limit, kMostKnownRows)));
}

static void
start(IndexScanDesc scan, ScanOpaque *so)
{
	if (scan->numberOfOrderBys == 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("cannot scan hnsw index without order")));
	if (!IsMVCCSnapshot(scan->xs_snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("non-MVCC snapshots are not supported with hnsw")));
	pgstat_count_index_scan(scan->indexRelation);

	Relation index = scan->indexRelation;
	flush_pending(index);
	HnswMeta meta;
	so->state = index_state(index, meta);
	so->started = true;
	so->ended = meta.entry_id == kInvalidId;
	so->returned = 0;
	so->widened_to_entry = false;
	so->chain = kInvalidId;
	so->tid_count = so->tid_next = 0;
	so->tids = nullptr;
	so->mapped = false;
	so->scorer = nullptr;
	const float *v = query_vector(scan, so);
	so->store = open_store(index, so->state, make_query(so->state, v));
	so->store.scorer = so->scorer;
	storage::begin_time_budget(so->budget);
	so->store.budget = &so->budget;
	so->order.init(pg::context_memory(so->context));
	so->order.late_rows = guc_iterative_scan == kIterativeRelaxed  ? LateRows::now
						  : guc_iterative_scan == kIterativeStrict ? LateRows::never
																   : LateRows::last;
	so->search = nullptr;
	so->limit = StopReason::exhausted;
	begin_stats(so);
	if (so->ended)
		return;
	so->ef_search = wanted_ef(index);
	so->look_ahead = std::max(so->ef_search, kLeastAhead);
	uint32 ef = search_width(so);
	so->search = take_search(so->context, so->look_ahead);
	uint32 count;
	bool good = true;
	so->whole = guc_iterative_scan == kIterativeOff && node_slots(so->state->shape, so->store.blocks) <= kReadWhole;
	so->whole = so->whole || (so->scorer != nullptr &&
							  (so->scorer->foreign || core::query::is_farthest_first(so->formula, so->state->metric)));
	if (so->whole)
	{
		so->look_ahead = kReadWhole;
		count = read_whole(so);
	}
	else if (is_fused(so))
	{
		prepare_signs(so->store);
		Scored entries[kEntries];
		uint32 starts[kMostStarts * kEntries];
		uint32 more = starts_at_examples(so, meta, starts);
		count = descend_by_estimates(so->store, *so->search, meta, 0, entries);
		so->stats.upper_pages = so->store.counters.visits;
		so->search->reset_near(ef);
		for (uint32 i = 0; i < count && good; i++)
			good = so->search->add_known_entry(entries[i].id, entries[i].distance);
		for (uint32 i = 0; i < more && good; i++)
			good = so->search->expand_entry(so->store, starts[i]);
		count += more;
		if (count == 0)
		{
			uint32 entry = descend(so->store, meta, 0);
			count = entry != kInvalidId;
			good = count == 0 || so->search->add_estimate_entry(so->store, entry);
		}
		good = good && so->search->run_estimates(so->store);
	}
	else
	{
		uint32 entries[(1 + kMostStarts) * kEntries];
		uint32 more = starts_at_examples(so, meta, entries);
		count = more + base_entries(so, meta, entries + more);
		so->stats.upper_pages = so->store.counters.visits;
		so->search->reset(ef);
		for (uint32 i = 0; i < count && good; i++)
			good = i < more ? so->search->expand_scored_entry(so->store, entries[i])
							: so->search->add_entry(so->store, entries[i]);
		good = good && so->search->run(so->store);
	}
	if (!good)
		out_of_memory();
	so->ended = count == 0;
	collect(so);
}

static bool
exhausted(const ScanOpaque *so)
{
	return so->whole || (is_fused(so) ? so->search->exhausted_estimates() : so->search->exhausted());
}

/*
 * hnsw.scan_mem_multiplier is set for pgvector, whose scan keeps about so many bytes for a tuple that it has seen. This one keeps some
 * five times that (neighbours that it has only estimated, and their order), and must not give fewer rows for the same setting: what
 * counts is how many pgvector would have room for.
 */
constexpr double kPeerTupleBytes = 56;

/* Rows of a scan under iterative_scan: at least what its first search finds. */
static uint32
most_rows(StopReason &limit)
{
	if (guc_iterative_scan == kIterativeOff)
		return UINT32_MAX;
	double fit = guc_scan_mem_multiplier * work_mem * 1024.0 / kPeerTupleBytes;
	limit = fit < guc_max_scan_tuples ? StopReason::memory : StopReason::max_scan_tuples;
	double most = std::max<double>(std::min<double>(fit, guc_max_scan_tuples), guc_ef_search);
	return static_cast<uint32>(std::min(most, 4e9));
}

/*
 * Look further. False: there is nothing more, or the limits of an iterative scan are reached.
 */
static bool
widen(ScanOpaque *so)
{
	BeamSearch &search = *so->search;
	StopReason limit = StopReason::exhausted;
	uint32 most = most_rows(limit);
	if (so->look_ahead >= most)
	{
		so->limit = limit;
		return false;
	}
	uint32 id = kInvalidId;
	if (so->drained)
	{
		/*
		 * Every node can be reached from the entry point's base node, but the descent may have led to one from which
		 * some cannot.
		 */
		if (so->widened_to_entry || so->whole)
			return false;
		so->widened_to_entry = true;
		id = entry_slot(so->store, 0);
		if (id == kInvalidId)
			return false;
	}
	if (storage::time_is_up(so->budget))
	{
		so->limit = StopReason::time;
		return false;
	}
	so->stats.widenings++;
	/* A stream that goes on once may be a short one. */
	uint32 growth = so->returned < so->ef_search ? 2 : 4;
	so->look_ahead = so->look_ahead < (1u << 26) ? so->look_ahead * growth : 1u << 28;
	so->look_ahead = std::min(so->look_ahead, most);
	bool good;
	if (is_fused(so))
		good = search.widen_estimates(so->store, search_width(so)) &&
			   (id == kInvalidId || search.add_estimate_entry(so->store, id)) && search.run_estimates(so->store);
	else
	{
		good = id == kInvalidId || search.add_entry(so->store, id);
		search.widen(search_width(so));
		good = good && search.run(so->store);
	}
	if (!good)
		out_of_memory();
	collect(so);
	return true;
}

/* The next node in order, or false: the stream has ended. */
static bool
next_node(ScanOpaque *so, OrderedNode &node)
{
	while (!so->ended)
	{
		StopReason limit = so->limit;
		if (so->returned >= most_rows(limit))
		{
			so->limit = limit;
			so->ended = true;
			break;
		}
		if (so->returned * 2 >= so->look_ahead && !so->drained && widen(so))
			continue;
		bool no_memory;
		if (so->order.next(so->store, node, no_memory))
		{
			so->returned++;
			return true;
		}
		if (no_memory)
			out_of_memory();
		if (!widen(so))
			so->ended = true;
	}
	return so->order.next_late(node);
}

/* A scan begins a chain again this often when vacuum takes slots out of it; more, and it must be damaged. */
constexpr int kChainRestarts = 100;

/* Loads the next TIDs of a chain into so->tids; false at its end. */
static bool
next_chain_slot(ScanOpaque *so)
{
	const HnswShape &shape = so->state->shape;
	int restarts = 0;
	uint32 above = so->chain_height;  // slots get lower on the way, so a walk ends
	while (so->chain != kInvalidId)
	{
		so->store.poll();
		uint32 id = so->chain;
		BlockNumber blkno = shape.block_of(id);
		so->store.check_id(id, blkno);
		Buffer buffer = so->store.visit(blkno);
		Page page = BufferGetPage(buffer);
		NodeHeader *slot = slot_header(page, shape, id);
		bool good = page_is(page, PageKind::node) && slot->state == static_cast<uint8>(NodeState::duplicate) &&
					slot->link == so->chain_owner && slot->lane_count <= shape.duplicates_per_slot();
		bool sound = !good || slot->crc == node_crc(slot, shape, id);
		uint32 height = core::layout::chain_height(*slot);
		good = good && height < above;
		so->tid_count = so->tid_next = 0;
		if (good)
		{
			so->chain = slot->duplicates;
			above = height;
			/* After a new start: what is not lower than the last slot read has been read, or was hooked in later. */
			if (height < so->chain_height)
			{
				so->tid_count = slot->lane_count;
				memcpy(so->tids, slot_duplicates(slot), so->tid_count * sizeof(ItemPointerData));
				so->chain_height = height;
			}
		}
		UnlockReleaseBuffer(buffer);
		if (!sound || restarts > kChainRestarts)
			pg::report_corrupt(so->store.index, blkno,
							   sound ? "a chain of duplicates leads astray"
									 : "checksum of a slot of duplicates does not match");
		/* Vacuum has emptied the slot and given it away; the chain goes on behind it. */
		if (!good)
		{
			restarts++;
			above = UINT32_MAX;
			so->chain = so->store.duplicates_of(so->chain_owner, so->chain_generation);
		}
		if (so->tid_count > 0)
			return true;
	}
	return false;
}

/* By <*>, of a distance of the metric. */
static double
mapped_distance(const ScanOpaque *so, const core::graph::Interval &distance, bool certain)
{
	if (certain)
	{
		double s = core::query::similarity_of(so->state->metric, distance.middle);
		return 0.0 - core::query::score(so->formula, &s);
	}
	core::query::ScoreInterval s = core::query::similarity_bounds(so->state->metric, distance.lower, distance.upper);
	return 0.0 - core::query::score_interval(so->formula, &s).upper;
}

static void
emit(IndexScanDesc scan, ScanOpaque *so, const OrderedNode &node, const ItemPointerData &tid, bool certain)
{
	scan->xs_heaptid = tid;
	scan->xs_recheck = false;
	scan->xs_recheckorderby = !certain && !so->without_order;
	so->stats.rows++;
	so->stats.rechecked += scan->xs_recheckorderby;
	double value = certain ? node.interval.middle : node.interval.lower;
	if (so->mapped)
		value = mapped_distance(so, node.interval, certain);
	if (so->without_order)
		value = get_float8_nan();
	scan->xs_orderbynulls[0] = so->null_order;
	scan->xs_orderbyvals[0] = so->null_order ? Datum{0} : Float8GetDatum(value);
}

/* Rows of a node with duplicates have one distance if its interval is narrower than this share of it. */
constexpr double kSameDistance = 0.01;

bool
hnsw_get_tuple(IndexScanDesc scan, ScanDirection direction)
{
	auto *so = static_cast<ScanOpaque *>(scan->opaque);
	Assert(ScanDirectionIsForward(direction));
	(void) direction;
	MemoryContext old = MemoryContextSwitchTo(so->context);
	instr_time begun;
	if (track_io_timing)
		INSTR_TIME_SET_CURRENT(begun);
	else
		INSTR_TIME_SET_ZERO(begun);
	if (!so->started)
		start(scan, so);

	bool found = false;
	while (!found)
	{
		if (so->tid_next < so->tid_count || next_chain_slot(so))
		{
			emit(scan, so, so->chain_node, so->tids[so->tid_next++], so->chain_node.certain);
			found = true;
			break;
		}
		OrderedNode node;
		if (!next_node(so, node))
			break;
		if ((node.payload & kHasDuplicates) == 0)
		{
			emit(scan, so, node, unpack_tid(node.payload), node.certain);
			found = true;
			break;
		}
		/*
		 * Rows share a node only when their codes and error norms are equal to the last bit: one order value for all. Unless the codes
		 * tell little, as far from the origin: rows that differ may have the same.
		 */
		node.certain = node.certain &&
					   node.interval.upper - node.interval.lower <= kSameDistance * std::fabs(node.interval.middle);
		/* Unit vectors are equal where the values are multiples of each other, and round each in its own way. */
		if (so->state->shape.sparse() && so->state->metric == Metric::cosine)
			node.certain = false;
		/* The bounds of a score say nothing of how alike the rows are. */
		if (so->scorer != nullptr)
			node.certain = false;
		if (so->tids == nullptr)
			so->tids = static_cast<ItemPointerData *>(
				palloc(so->state->shape.duplicates_per_slot() * sizeof(ItemPointerData)));
		so->chain_node = node;
		so->chain_owner = node.id;
		so->tid_next = so->tid_count = 0;
		so->chain_generation = 0;
		so->chain_height = UINT32_MAX;
		so->chain = so->store.duplicates_of(node.id, so->chain_generation);
		ItemPointerData own = unpack_tid(node.payload);
		if (own.ip_posid != 0)
		{
			emit(scan, so, node, own, node.certain);
			found = true;
		}
	}
	if (!found && so->stats.stop == StopReason::running)
		so->stats.stop = so->limit;
	if (so->stats.timed && !INSTR_TIME_IS_ZERO(begun))
	{
		instr_time now;
		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, begun);
		so->stats.milliseconds += INSTR_TIME_GET_MILLISEC(now);
	}
	MemoryContextSwitchTo(old);
	return found;
}

}  // namespace vecdb::hnsw
