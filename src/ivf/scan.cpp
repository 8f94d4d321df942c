/* SPDX-License-Identifier: PostgreSQL
 * Return heap TIDs from an ivf index, nearest first, for as long as the executor asks.
 *
 * Regime: shell.
 * Locks:  one share-locked page at a time. No pin is held between calls.
 * Memory: so->context, reset on rescan; what one pass needs in so->pass_context.
 * Keeps:  rows leave in exact order (exact_order.hpp). A pass looks into the nearest lists and keeps the rows that may be among the
 *         `look_ahead` nearest there; when more are asked for, the next pass looks for more, in more lists. A TID leaves once.
 * A pass works on one state of the directory. On the primary the pages of its lists stay as they are while a snapshot of
 * that time is there; a standby replays what the primary does with them, so there a pass after which the directory is
 * another one is made again.
 */
#include "ivf/scan.hpp"

#include "ivf/handler.hpp"
#include "ivf/insert.hpp"
#include "ivf/module.hpp"

#include <cmath>
#include <limits>

#include "pg/context.hpp"
#include "pg/report.hpp"
#include "storage/row_limit.hpp"
#include "types/indexed.hpp"

namespace vecdb::ivf
{

void
out_of_memory()
{
	pg::report(core::Status::out_of_memory());
}

/* First block of what a scan keeps: the query in its forms. */
constexpr Size kScanBytes = 32 * 1024;

IndexScanDesc
ivf_begin_scan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc scan = RelationGetIndexScan(index, nkeys, norderbys);
	auto *so = static_cast<ScanOpaque *>(palloc0(sizeof(ScanOpaque)));
	so->context = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf scan", ALLOCSET_SMALL_MINSIZE, kScanBytes,
										ALLOCSET_DEFAULT_MAXSIZE);
	if (norderbys > 0)
	{
		scan->xs_orderbyvals = static_cast<Datum *>(palloc0(sizeof(Datum) * static_cast<Size>(norderbys)));
		scan->xs_orderbynulls = static_cast<bool *>(palloc(sizeof(bool) * static_cast<Size>(norderbys)));
		memset(scan->xs_orderbynulls, true, sizeof(bool) * static_cast<Size>(norderbys));
	}
	scan->opaque = so;
	return scan;
}

static void
close_heaps(ScanOpaque *so)
{
	if (so->heap != nullptr)
		close_heap_vectors(so->heap);
	if (so->arbiter != nullptr)
		close_heap_vectors(so->arbiter);
	so->heap = so->arbiter = nullptr;
}

static void
reset_scan(ScanOpaque *so)
{
	close_heaps(so);
	so->started = false;
	MemoryContextReset(so->context);
	so->pass_context = nullptr;
}

void
ivf_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	reset_scan(static_cast<ScanOpaque *>(scan->opaque));
	if (keys != nullptr && nkeys > 0)
		memmove(scan->keyData, keys, static_cast<Size>(scan->numberOfKeys) * sizeof(ScanKeyData));
	if (orderbys != nullptr && norderbys > 0)
		memmove(scan->orderByData, orderbys, static_cast<Size>(scan->numberOfOrderBys) * sizeof(ScanKeyData));
}

void
ivf_end_scan(IndexScanDesc scan)
{
	auto *so = static_cast<ScanOpaque *>(scan->opaque);
	close_heaps(so);
	MemoryContextDelete(so->context);
	pfree(so);
	scan->opaque = nullptr;
}

/*
 * The memory that the next scan of this backend can have: given back to the system after each query it would cost a page
 * fault for each of its pages.
 */
static MemoryContext spare_context;
static bool spare_taken;

/* What stays with the backend, and what is not kept. */
constexpr Size kSpareBytes = 256 * 1024, kMostSpareBytes = 4 * 1024 * 1024;

/* Runs when the scan's context is reset or goes, also on ERROR. */
static void
give_back(void *)
{
	if (MemoryContextMemAllocated(spare_context, true) > kMostSpareBytes)
	{
		MemoryContextDelete(spare_context);
		spare_context = nullptr;
	}
	else
		MemoryContextReset(spare_context);
	spare_taken = false;
}

static MemoryContext
take_pass_context(MemoryContext parent)
{
	if (spare_taken)
		return AllocSetContextCreate(parent, "vecdb ivf pass", ALLOCSET_DEFAULT_SIZES);
	if (spare_context == nullptr)
		spare_context = AllocSetContextCreate(TopMemoryContext, "vecdb ivf pass", kSpareBytes, kSpareBytes,
											  ALLOCSET_DEFAULT_MAXSIZE);
	auto *callback = static_cast<MemoryContextCallback *>(MemoryContextAlloc(parent, sizeof(MemoryContextCallback)));
	callback->func = give_back;
	callback->arg = nullptr;
	spare_taken = true;
	MemoryContextRegisterResetCallback(parent, callback);
	return spare_context;
}

/* The operator's own function, so that the order is the operator's. */
static void
begin_by_operator(IndexScanDesc scan, ScanOpaque *so)
{
	Oid type = so->index->rd_opcintype[0];
	Oid operator_oid = get_opfamily_member(so->index->rd_opfamily[0], type, type, 1);
	if (!OidIsValid(operator_oid))
		elog(ERROR, "missing ordering operator of index \"%s\"", RelationGetRelationName(so->index));
	fmgr_info_cxt(get_opcode(operator_oid), &so->distance, so->context);
	so->value = PointerGetDatum(PG_DETOAST_DATUM(scan->orderByData[0].sk_argument));
}

/* The query vector, or zeros where none can be: then so->without_order says why. */
static const float *
query_vector(IndexScanDesc scan, ScanOpaque *so)
{
	ScanKey key = &scan->orderByData[0];
	uint32 dimensions = so->state->meta.dimensions;
	so->without_order = so->null_order = (key->sk_flags & SK_ISNULL) != 0;
	if (so->null_order)
		return static_cast<float *>(palloc0(row_dimensions(so->state->meta) * sizeof(float)));
	IndexedValue v = indexed_value(key->sk_argument, static_cast<ElementType>(so->state->meta.element_type));
	check_same_indexed_dimensions(static_cast<int>(dimensions), v.dimensions, v.type);
	so->without_order = so->state->metric == Metric::cosine && indexed_is_zero(v);
	return coded_form(v, row_dimensions(so->state->meta), nullptr);
}

/*
 * The slot of a candidate, its page pinned and share-locked in buffer; null: it is not the row's any more, which is dead to everybody then.
 * A page that holds no slots of the list page is damage on the primary; on a standby the pass begins again.
 */
static const uint8 *
visit_slot(ScanOpaque *so, const Candidate &c, Buffer &buffer)
{
	const IvfShape &shape = shape_of(so);
	const uint8 *slot;
	bool good = true;
	so->stats.pages++;
	if (shape.pages_per_slot > 1)
	{
		slot = slot_at(so->index, so->state, shape, c.list_block, c.lane, buffer, so->scratch);
		so->stats.pages += shape.pages_per_slot;
	}
	else
	{
		buffer = so->state->hints.visit(so->index, c.slot_block);
		Page page = BufferGetPage(buffer);
		good = page_is(page, IvfPageKind::slots) && page_trailer(page)->owner == c.list_block;
		slot = good ? reinterpret_cast<const uint8 *>(page) + shape.slot_offset(c.lane) : nullptr;
	}
	if (slot != nullptr && reinterpret_cast<const SlotHeader *>(slot)->tid == c.tid)
		return slot;
	UnlockReleaseBuffer(buffer);
	if (!good && !RecoveryInProgress())
		pg::report_corrupt(so->index, c.slot_block, "not a slot page of the list page that names it");
	so->again |= !good;
	return nullptr;
}

static inline void
score_row(ScanOpaque *so, Candidate &c, const uint8 *slot)
{
	double upper;
	so->stats.slots++;
	if (so->examples != nullptr)
	{
		c.value = coarse_value(so, slot);
		c.lower = c.value.lower;
		upper = c.value.upper;
	}
	else
	{
		c.score = core::lists::score_slot(*so->queries, slot);
		float bound = core::lists::upper_bound(*so->queries, c.score);
		/* What upper_bound adds, taken off: no row of that score is nearer. Only compared with the threshold. */
		c.lower = c.score.distance - (bound - c.score.distance);
		upper = bound;
	}
	if (is_beyond(so, c.lower))
	{
		so->left_out = true;
		return;
	}
	if (has_left(so, c.tid))
		return;
	*add_candidate(so->found) = c;
	count_upper(so, upper);
}

/* Compares the rows of a batch by their slots. */
static void
score_batch(ScanOpaque *so, Candidates &batch)
{
	const IvfShape &shape = shape_of(so);
	reserve_found(so, batch.count);
	uint32 i = 0;
	while (i < batch.count)
	{
		Candidate &c = batch.rows[i];
		if (is_beyond(so, c.lower))
		{
			so->left_out = true;
			i++;
			continue;
		}
		use_view(so, c.view);
		Buffer buffer;
		const uint8 *slot = visit_slot(so, c, buffer);
		BlockNumber blkno = c.slot_block;
		if (slot == nullptr)
		{
			i++;
			continue;
		}
		score_row(so, c, slot);
		i++;
		/* More of them on this page. */
		if (shape.pages_per_slot == 1)
			for (; i < batch.count && batch.rows[i].slot_block == blkno && batch.rows[i].view == so->open_view; i++)
			{
				Candidate &next = batch.rows[i];
				const uint8 *other = reinterpret_cast<const uint8 *>(BufferGetPage(buffer)) +
									 shape.slot_offset(next.lane);
				if (is_beyond(so, next.lower))
					so->left_out = true;
				else if (reinterpret_cast<const SlotHeader *>(other)->tid == next.tid)
					score_row(so, next, other);
			}
		UnlockReleaseBuffer(buffer);
	}
	batch.count = 0;
}

/* Lines of a slot that are brought in ahead: as many as a core has on the way at once. */
constexpr uint32 kLinesAhead = 16;

static inline void
prefetch_lines(const char *p, uint32 bytes)
{
	uint32 lines = bytes / 64 + 1;
	for (uint32 i = 0; i < lines && i < kLinesAhead; i++)
		__builtin_prefetch(p + i * 64);
}

/* Begins to bring in a page: from disk where it is not in shared buffers. */
static inline void
bring_page(ScanOpaque *so, BlockNumber blkno, uint32 offset, uint32 bytes)
{
	const char *page = so->state->hints.guess(blkno);
	if (page != nullptr)
		prefetch_lines(page + offset, bytes);
	else
		so->state->hints.begin_read(so->index, blkno);
}

/* Also looks whether the blocks that the list page names exist. */
static void
bring_slots(ScanOpaque *so, const Candidates &batch)
{
	const IvfShape &shape = shape_of(so);
	if (shape.pages_per_slot > 1)
		return;
	BlockNumber last = kNoBlock;
	const char *page = nullptr;
	for (uint32 i = 0; i < batch.count; i++)
	{
		const Candidate &c = batch.rows[i];
		if (c.slot_block != last)
		{
			last = c.slot_block;
			if (last >= so->length)
				so->length = RelationGetNumberOfBlocks(so->index);
			if (last == 0 || last >= so->length)
			{
				if (!RecoveryInProgress())
					pg::report_corrupt(so->index, c.list_block, "invalid address of a slot page");
				so->again = true;
				return;
			}
			page = so->state->hints.guess(last);
			if (page == nullptr)
				so->state->hints.begin_read(so->index, last);
		}
		if (page != nullptr)
			prefetch_lines(page + shape.slot_offset(c.lane), shape.slot_bytes);
	}
}

/* What keep_view needs for the next list: before its pages are locked. */
static void
reserve_view(ScanOpaque *so)
{
	if (so->view_count + so->query_count > so->view_capacity)
	{
		uint32 more = std::max(so->view_capacity == 0 ? 64 : 2 * so->view_capacity, so->view_count + so->query_count);
		so->views = static_cast<ListView *>(so->views == nullptr
												? palloc(static_cast<Size>(more) * sizeof(ListView))
												: repalloc_huge(so->views, static_cast<Size>(more) * sizeof(ListView)));
		so->view_capacity = more;
	}
	if (!so->diff_kept)
		return;
	for (uint32 e = 0; e < so->query_count; e++)
		so->queries[e].diff = static_cast<float *>(palloc(shape_of(so).code_dims * sizeof(float)));
	so->diff_kept = false;
}

/* Keeps what the rows of the open list are compared with. */
static uint32
keep_view(ScanOpaque *so)
{
	uint32 view = so->view_count;
	for (uint32 e = 0; e < so->query_count; e++)
	{
		so->views[view + e] = so->queries[e].list_view;
		so->diff_kept |= so->views[view + e].diff == so->queries[e].diff;
	}
	so->view_count += so->query_count;
	return view;
}

/* Rows of a list without codes are read slot by slot; with codes, those whose bound is below the threshold. */
static void
scan_page(ScanOpaque *so, BlockNumber blkno, Page page, uint32 &view)
{
	const IvfShape &shape = shape_of(so);
	const ListHeader *header = list_header(page);
	const uint32 *slots = slot_blocks(page);
	Candidates &batch = so->batch[1];
	for (uint32 b = 0; b < header->blocks; b++)
	{
		const uint8 *block = list_block(page, shape, b);
		uint32 live = core::lists::block_header(block)->live;
		if (live == 0)
			continue;
		so->lanes += static_cast<uint32>(__builtin_popcount(live));
		float lower[kLanes];
		Interval values[kLanes];
		uint32 near = live;
		if (so->examples == nullptr)
			near &= core::lists::scan_block(*so->queries, block, static_cast<float>(so->threshold), lower);
		else
			near &= bound_block(so, block, live, values);
		if (so->nearest_count < so->look_ahead)
			near = live;
		if (near != live)
			so->left_out = true;
		if (near == 0)
			continue;
		if (view == kNoBlock)
			view = keep_view(so);
		const RowTid *tids = core::lists::block_tids(shape, block);
		for (; near != 0; near &= near - 1)
		{
			auto lane = static_cast<uint32>(__builtin_ctz(near));
			Candidate *c = add_candidate(batch);
			c->tid = tids[lane];
			c->view = view;
			c->list_block = blkno;
			c->lane = b * kLanes + lane;
			c->slot_block = shape.pages_per_slot == 1 ? slots[shape.slot_page_of(c->lane)] : 0;
			if (so->examples != nullptr)
			{
				c->value = values[lane];
				c->lower = c->value.lower;
				continue;
			}
			c->lower = lower[lane];
			/* Codes that could not be scanned tell nothing. */
			if (shape.slots == Slots::none && !std::isfinite(lower[lane]))
				c->score = Score{std::numeric_limits<float>::infinity(), 0, 0};
			else if (shape.slots == Slots::none)
			{
				const BlockHeader *h = core::lists::block_header(block);
				float mul;
				so->queries->kernels->f16_to_f32(h->mul + lane, &mul, 1);
				core::lists::Estimate e = core::lists::lane_estimate(*so->queries, lower[lane], h->mul_scale * mul);
				c->lower = e.lower;
				c->score = Score{e.distance, e.error, 0};
			}
		}
	}
}

/* Rows without slots: the estimate is all there is to go by. */
static void
keep_estimates(ScanOpaque *so, Candidates &batch)
{
	reserve_found(so, batch.count);
	for (uint32 i = 0; i < batch.count; i++)
	{
		Candidate &c = batch.rows[i];
		if (has_left(so, c.tid))
			continue;
		if (is_beyond(so, c.lower))
		{
			so->left_out = true;
			continue;
		}
		*add_candidate(so->found) = c;
		if (so->examples != nullptr)
			count_upper(so, so->heap != nullptr ? c.value.upper : c.value.middle);
		else
			count_upper(so, c.score.distance + (so->heap != nullptr ? c.score.error : 0));
	}
	batch.count = 0;
}

static void
finish_batch(ScanOpaque *so, Candidates &batch)
{
	if (batch.count == 0)
		return;
	if (shape_of(so).slots == Slots::none)
		keep_estimates(so, batch);
	else
		score_batch(so, batch);
}

/* Pages of a list that are asked for ahead where they are not in memory: a build writes them one after the other. */
static void
bring_list(ScanOpaque *so, BlockNumber head)
{
	bring_page(so, head, 0, 64 * kLinesAhead);
}

/* Looks into one list. */
static void
scan_list(ScanOpaque *so, const NearList &list, float *centre)
{
	if (!read_centre(so->index, so->state, list, centre))
	{
		/* Dissolved since the directory was read, and its place given to another list. */
		so->again = true;
		return;
	}
	const IvfShape &shape = shape_of(so);
	uint32 view = kNoBlock;
	BlockNumber blkno = list.head;
	so->stats.lists++;
	reserve_view(so);
	for (uint32 pages = 0; blkno != kNoBlock; pages++)
	{
		CHECK_FOR_INTERRUPTS();
		if (blkno >= so->length)
			so->length = RelationGetNumberOfBlocks(so->index);
		if (blkno == 0 || blkno >= so->length || pages > so->length)
			pg::report_corrupt(so->index, blkno, "the chain of a list leads astray");
		reserve(so->batch[1], shape.lanes_per_page);
		Buffer buffer = so->state->hints.visit(so->index, blkno);
		so->stats.pages++;
		Page page = BufferGetPage(buffer);
		const ListHeader *header = list_header(page);
		bool good = page_is(page, IvfPageKind::list) && header->head == list.head &&
					(header->flags & kListDirectory) == 0 && header->blocks <= shape.blocks_per_page;
		BlockNumber next = kNoBlock;
		if (good)
		{
			if (pages == 0)
			{
				for (uint32 e = 0; e < so->query_count; e++)
					core::lists::open_list(so->queries[e], centre, (header->flags & kListOwnTable) != 0);
				so->open_view = kNoBlock;
			}
			next = header->next;
			if (next != kNoBlock && next < so->length)
				bring_page(so, next, 0, 64 * kLinesAhead);
			scan_page(so, blkno, page, view);
		}
		UnlockReleaseBuffer(buffer);
		if (!good)
		{
			if (RecoveryInProgress())
			{
				so->again = true;  // replayed from under us
				return;
			}
			pg::report_corrupt(so->index, blkno, "not a page of the list that leads there");
		}
		Candidates *batch = so->batch;
		if (shape.slots == Slots::none)
			finish_batch(so, batch[1]);
		else
		{
			/* The slots of this page come in while those of the page before are compared. */
			bring_slots(so, batch[1]);
			if (so->again)
				return;
			finish_batch(so, batch[0]);
			std::swap(batch[0], batch[1]);
		}
		blkno = next;
	}
}

static Interval
value_in_table(const ScanOpaque *so, const HeapVectors *heap, Datum value)
{
	MemoryContext old = MemoryContextSwitchTo(heap->row);
	double v = 0.0 -
			   query_score(so->asked, indexed_value(value, static_cast<ElementType>(so->state->meta.element_type)));
	MemoryContextSwitchTo(old);
	if (std::isnan(v))
		v = std::numeric_limits<double>::infinity();
	return Interval{v, v, v};
}

/*
 * A score that jumps where two examples are as near as each other: a row so close to that place that its slot does not tell on which side it
 * is would have bounds that meet those of all others. The table tells.
 */
static bool
settle_jump(ScanOpaque *so, const RowTid &tid, Interval &value)
{
	constexpr double kJump = 0.25;
	const core::query::Kind kind = so->asked.formula.kind;
	if (value.upper - value.lower < kJump ||
		(kind != core::query::Kind::best_score && kind != core::query::Kind::discover))
		return true;
	if (so->arbiter == nullptr)
	{
		MemoryContext old = MemoryContextSwitchTo(so->context);
		so->arbiter = open_heap_vectors(so->index, so->table, so->snapshot);
		MemoryContextSwitchTo(old);
	}
	so->stats.heap_rows++;
	Datum row;
	if (!fetch_heap_value(so->arbiter, tid, &row))
		return false;
	value = value_in_table(so, so->arbiter, row);
	return true;
}

/* The distance to the row in the table; false: our snapshot does not see it. */
static bool
heap_interval(ScanOpaque *so, const RowTid &tid, Interval &out)
{
	Datum value;
	if (!fetch_heap_value(so->heap, tid, &value))
		return false;
	if (so->by_score)
	{
		out = value_in_table(so, so->heap, value);
		return true;
	}
	if (so->by_operator)
	{
		if (so->null_order)
		{
			out = Interval{0, 0, 0};
			return true;
		}
		MemoryContext old = MemoryContextSwitchTo(so->heap->row);
		double d = DatumGetFloat8(FunctionCall2(&so->distance, so->value, value));
		MemoryContextSwitchTo(old);
		if (std::isnan(d))
			d = std::numeric_limits<double>::infinity();
		out = Interval{d, d, d};
		return true;
	}
	IndexedValue v = indexed_value(value, ElementType::float32);
	const core::distance::Kernels &k = *so->queries->kernels;
	const auto n = static_cast<Size>(v.dimensions);
	if (n != so->state->meta.dimensions)
		return false;
	const float *row = indexed_row_in_place(v, so->heap_row);
	float d = 0;
	switch (so->state->metric)
	{
		case Metric::l2: d = k.l2_squared(so->v, row, n); break;
		case Metric::inner_product: d = -k.inner_product(so->v, row, n); break;
		case Metric::l1: d = k.l1(so->v, row, n); break;
		case Metric::cosine:
		{
			float parts[3];
			k.cosine_parts(so->v, row, n, parts);
			double norms = std::sqrt(static_cast<double>(parts[1]) * static_cast<double>(parts[2]));
			d = norms > 0 ? static_cast<float>(2 - 2 * static_cast<double>(parts[0]) / norms) : 0;
			break;
		}
		case Metric::hamming:
		case Metric::jaccard: break;
	}
	out = core::lists::exact_interval(*so->queries, core::lists::Score{d, 0, 0});
	return true;
}

/* Minus a score has any sign, as an inner product has. */
static Metric
order_metric(const ScanOpaque *so)
{
	return so->by_score ? Metric::inner_product : so->state->metric;
}

struct Refiner
{
	ScanOpaque *so;

	Metric
	metric() const
	{
		return order_metric(so);
	}

	/* The distance as exactly as what is stored allows; false: the row is gone. */
	bool
	refine(uint32 id, Interval &out, uint64 &payload)
	{
		const Candidate &c = so->found.rows[id];
		payload = core::lists::row_key(c.tid);
		so->stats.refined++;
		if (so->heap != nullptr)
		{
			so->stats.heap_rows++;
			return heap_interval(so, c.tid, out);
		}
		const IvfShape &shape = shape_of(so);
		if (core::lists::only_estimates(shape))
			return true;  // out is the estimate
		use_view(so, c.view);
		Buffer buffer;
		const uint8 *slot = visit_slot(so, c, buffer);
		if (slot == nullptr)
		{
			/* On a standby its place may have been given away meanwhile. */
			so->again |= RecoveryInProgress();
			return false;
		}
		bool sound = core::lists::slot_crc(shape, slot) == reinterpret_cast<const SlotHeader *>(slot)->crc;
		out = so->examples != nullptr ? fine_value(so, slot)
									  : value_of_distance(so, core::lists::slot_interval(*so->queries, slot));
		UnlockReleaseBuffer(buffer);
		if (!sound)
			pg::report_corrupt(so->index, shape.pages_per_slot == 1 ? c.slot_block : c.list_block,
							   "checksum of a row's slot does not match");
		return so->examples == nullptr || settle_jump(so, c.tid, out);
	}
};

/* A graph distance in the operator's units. */
static double
operator_distance(Metric metric, float d)
{
	double x = static_cast<double>(d);
	switch (metric)
	{
		case Metric::l2: return x > 0 ? std::sqrt(x) : 0;
		case Metric::cosine: return x / 2;
		default: return x;
	}
}

constexpr float kMostWidth = 3.2f;
/* Of sketches: their deviation is a bound itself, and each row that it lets through is fetched from the table. */
constexpr float kMostOfSketch = 2.2f;

/* How far estimates may be off before a row is overlooked, in standard deviations: the more lists, the more rows there are to be unlucky. */
static float
bound_width_for(uint32 probes, uint32 lists)
{
	float share = lists == 0 ? 1.0f : static_cast<float>(probes) / static_cast<float>(lists);
	float eps = 1.6f + 3.0f * share;
	return eps < kMostWidth ? eps : kMostWidth;
}

/* On a standby: passes that find what does not fit together while nothing changes. That is damage. */
constexpr uint32 kVainPasses = 100;

static uint32
standby_version(const ScanOpaque *so)
{
	IvfMeta meta;
	if (!RecoveryInProgress())
		return 0;
	read_meta(so->index, meta);
	return meta.directory_version;
}

/* Looks for the look_ahead nearest rows in the nearest `probes` lists. */
static void
pass(ScanOpaque *so)
{
	uint32 vain = 0;
	do
	{
		uint32 version = standby_version(so);
		so->again = false;
		MemoryContextReset(so->pass_context);
		MemoryContext old = MemoryContextSwitchTo(so->pass_context);
		so->order.forget_pending();
		so->found = so->batch[0] = so->batch[1] = Candidates{};
		so->views = nullptr;
		so->view_count = so->view_capacity = 0;
		so->open_view = kNoBlock;
		so->diff_kept = true;
		so->nearest_capacity = 256;
		so->nearest = static_cast<double *>(palloc(so->nearest_capacity * sizeof(double)));
		so->nearest_count = 0;
		so->threshold = std::numeric_limits<double>::infinity();
		so->left_out = false;
		so->lanes = 0;
		so->stats.passes++;
		if (shape_of(so).slots != Slots::none)
			so->scratch = static_cast<uint8 *>(palloc(shape_of(so).slot_bytes));

		const Metric metric = so->state->metric;
		NearList *lists = nullptr;
		uint32 probes;
		if (so->examples != nullptr)
			probes = lists_of_examples(so, so->probes, &lists, so->lists);
		else
		{
			so->lists =
				near_lists(so->index, so->state, so->queries->x, metric == Metric::inner_product, so->probes, &lists);
			probes = so->probes < so->lists ? so->probes : so->lists;
		}
		for (uint32 e = 0; e < so->query_count; e++)
			so->queries[e].eps =
				std::min(bound_width_for(probes, so->lists), so->state->codec.folding > 0 ? kMostOfSketch : kMostWidth);
		auto *centre = static_cast<float *>(palloc(shape_of(so).code_dims * sizeof(float)));
		constexpr uint32 kListsAhead = 8;
		for (uint32 i = 0; i < probes && i < kListsAhead; i++)
			bring_list(so, lists[i].head);
		for (uint32 i = 0; i < probes && !so->again; i++)
		{
			if (i + kListsAhead < probes)
				bring_list(so, lists[i + kListsAhead].head);
			scan_list(so, lists[i], centre);
			if (storage::time_is_up(so->budget))
			{
				so->left_out |= i + 1 < probes;
				break;
			}
		}
		if (!so->again)
			finish_batch(so, so->batch[0]);

		/* What may be among the look_ahead nearest goes into the exact order. */
		uint32 n = 0;
		auto *intervals = static_cast<Interval *>(
			MemoryContextAllocHuge(CurrentMemoryContext, (static_cast<Size>(so->found.count) + 1) * sizeof(Interval)));
		auto *ids = static_cast<uint32 *>(
			MemoryContextAllocHuge(CurrentMemoryContext, (static_cast<Size>(so->found.count) + 1) * sizeof(uint32)));
		for (uint32 i = 0; i < so->found.count; i++)
		{
			const Candidate &c = so->found.rows[i];
			if (c.lower > so->threshold)
			{
				so->left_out = true;
				continue;
			}
			ids[n] = i;
			if (so->examples != nullptr)
			{
				bool bounds = so->heap != nullptr || !core::lists::only_estimates(shape_of(so));
				intervals[n++] = bounds ? c.value : Interval{c.value.middle, c.value.middle, c.value.middle};
			}
			else if (core::lists::only_estimates(shape_of(so)))
			{
				double middle = operator_distance(metric, c.score.distance);
				double lower = so->heap != nullptr ? operator_distance(metric, static_cast<float>(c.lower)) : middle;
				double upper = so->heap != nullptr ? operator_distance(metric, c.score.distance + c.score.error)
												   : middle;
				intervals[n++] = value_of_distance(so, Interval{lower, middle, upper});
			}
			else
			{
				use_view(so, c.view);
				intervals[n++] = value_of_distance(so, core::lists::score_interval(*so->queries, c.score));
			}
		}
		if (!so->order.add_intervals(order_metric(so), intervals, ids, n))
			out_of_memory();
		so->complete = !so->left_out;
		so->stats.codes += so->lanes;
		so->horizon = so->threshold;
		if (so->examples == nullptr)
		{
			double d = operator_distance(metric, static_cast<float>(so->threshold));
			so->horizon = value_of_distance(so, Interval{d, d, d}).lower;
		}
		MemoryContextSwitchTo(old);
		if (standby_version(so) != version)
			so->again = true;
		else if (so->again && ++vain > kVainPasses)
			pg::report_corrupt(so->index, so->state->meta.directory, "a list does not hold together");
	} while (so->again);
}

/* Rows that leave before the second pass: a usual LIMIT. */
constexpr uint32 kFirstRows = 20;

static uint32
most_probes(const ScanOpaque *so)
{
	if (guc_iterative_scan == kIterativeOff || so->every_row)
		return so->lists;
	return std::min(so->max_probes, so->lists);
}

/* The next pass: more rows, and more lists where these have few. False: there is nothing more. */
static bool
widen(ScanOpaque *so)
{
	if ((so->complete && so->probes >= most_probes(so)) || storage::time_is_up(so->budget))
		return false;
	so->stats.widenings++;
	/* Who wants more of a plateau than it was looked for wants all of it: for a second order. */
	bool plateau = so->examples != nullptr && so->nearest_count > 0 && !so->complete &&
				   so->threshold == *std::min_element(so->nearest, so->nearest + so->nearest_count);
	if (plateau && so->look_ahead < so->lanes)
		so->look_ahead = static_cast<uint32>(std::min<uint64>(so->lanes, 1u << 27));
	else if (!so->complete)
		so->look_ahead = so->look_ahead < (1u << 27) ? so->look_ahead * 5 : 1u << 29;
	if (so->complete || static_cast<uint64>(so->look_ahead) * 4 > so->lanes)
	{
		uint32 most = most_probes(so);
		so->probes = so->probes < most / 2 ? so->probes * 2 : std::max(most, so->probes);
		if (so->complete && so->look_ahead < so->returned + kFirstRows)
			so->look_ahead = static_cast<uint32>(std::min<uint64>(so->returned * 2 + kFirstRows, 1u << 29));
	}
	pass(so);
	return true;
}

void
begin_vector(ScanOpaque *so, const float *v)
{
	so->v = v;
	so->query_count = 1;
	so->queries = static_cast<ListQuery *>(palloc(sizeof(ListQuery)));
	if (!core::lists::init_query(*so->queries, so->state->codec, v, 0, pg::context_memory(so->context)))
		out_of_memory();
}

static void
start(IndexScanDesc scan, ScanOpaque *so)
{
	if (scan->numberOfOrderBys == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot scan %s index without order", is_flat(scan->indexRelation) ? "ivfflat" : "ivf")));
	if (!IsMVCCSnapshot(scan->xs_snapshot))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("non-MVCC snapshots are not supported with %s",
																is_flat(scan->indexRelation) ? "ivfflat" : "ivf")));
	pgstat_count_index_scan(scan->indexRelation);

	IvfMeta meta;
	so->index = scan->indexRelation;
	so->state = index_state(so->index, meta);
	so->started = true;
	so->pass_context = take_pass_context(so->context);
	so->returned = 0;
	so->length = RelationGetNumberOfBlocks(so->index);
	so->stats = ScanStats{};
	so->stats.index = RelationGetRelid(so->index);
	so->lists = meta.list_count;
	so->ended = meta.list_count == 0;
	so->heap = so->arbiter = nullptr;
	so->table = scan->heapRelation;
	so->snapshot = scan->xs_snapshot;
	so->order.init(pg::context_memory(so->context));
	so->order.late_rows = guc_iterative_scan == kIterativeRelaxed ? LateRows::now : LateRows::last;
	so->order.estimates = core::lists::only_estimates(shape_of(so));
	so->examples = nullptr;
	so->every_row = false;
	so->by_score = scan->orderByData[0].sk_strategy == storage::kQueryStrategy &&
				   (scan->orderByData[0].sk_flags & SK_ISNULL) == 0;
	if (so->by_score)
		begin_query(scan, so);
	else
	{
		begin_vector(so, query_vector(scan, so));
		so->queries->other_rounding = so->state->meta.element_type != static_cast<uint8>(ElementType::float32);
	}
	if (so->ended)
		return;
	if (!so->left.init(pg::context_memory(so->context)))
		out_of_memory();
	if (static_cast<Rerank>(so->state->meta.rerank) == Rerank::heap && !so->every_row)
	{
		so->heap = open_heap_vectors(so->index, scan->heapRelation, scan->xs_snapshot);
		so->by_operator = so->state->meta.element_type != static_cast<uint8>(ElementType::float32);
		if (so->by_operator && !so->null_order && !so->by_score)
			begin_by_operator(scan, so);
		else
			so->heap_row = static_cast<float *>(palloc(row_dimensions(so->state->meta) * sizeof(float)));
	}
	/* Rows that our snapshot does not see do not count for LIMIT: a few more than it asks for. */
	uint64 limit = storage::row_limit(RelationGetRelid(so->index));
	so->look_ahead = limit == 0 ? kFirstRows : static_cast<uint32>(std::min<uint64>(limit + limit / 8 + 2, 1u << 27));
	so->probes = wanted_probes(meta, so->by_score ? so->query_count : 0);
	so->max_probes = max_probes(meta);
	if (guc_iterative_scan != kIterativeOff)
		so->probes = std::min(so->probes, so->max_probes);
	if (so->every_row)
	{
		so->probes = so->lists;
		so->look_ahead = 1u << 29;
	}
	storage::begin_time_budget(so->budget);
	so->stats.probes = so->probes;
	pass(so);
}

/* The next row in order, or false: the stream has ended. */
static bool
next_row(ScanOpaque *so, OrderedNode &node)
{
	while (!so->ended)
	{
		if (so->returned >= so->look_ahead && !so->complete && !so->budget.used_up)
		{
			if (!widen(so))
				so->ended = true;
			continue;
		}
		double last_value = so->order.last_value, last_upper = so->order.last_upper;
		Refiner refiner{so};
		bool no_memory;
		bool found = so->order.next(refiner, node, no_memory);
		if (so->again)
		{
			so->order.last_value = last_value;
			so->order.last_upper = last_upper;
			pass(so);
			continue;
		}
		if (found)
		{
			/* What was left out may be nearer than this one. Of estimates nothing is certain, and another pass would be as unsure. */
			bool certain = !core::lists::only_estimates(shape_of(so));
			if (certain && !so->complete && node.interval.upper > so->horizon && !node.late)
			{
				so->order.last_value = last_value;
				so->order.last_upper = last_upper;
				if (widen(so))
					continue;
			}
			int fresh = so->left.add(node.payload);
			if (fresh < 0)
				out_of_memory();
			if (fresh == 0)
				continue;
			so->returned++;
			return true;
		}
		if (no_memory)
			out_of_memory();
		if (!widen(so))
			so->ended = true;
	}
	while (so->order.next_late(node))
		if (so->left.add(node.payload) != 0)
			return true;
	return false;
}

static ScanStats last_stats;

bool
last_scan_stats(ScanStats &out)
{
	out = last_stats;
	return OidIsValid(out.index);
}

bool
ivf_get_tuple(IndexScanDesc scan, ScanDirection direction)
{
	auto *so = static_cast<ScanOpaque *>(scan->opaque);
	Assert(ScanDirectionIsForward(direction));
	(void) direction;
	MemoryContext old = MemoryContextSwitchTo(so->context);
	if (!so->started)
		start(scan, so);
	OrderedNode node;
	bool found = next_row(so, node);
	if (found)
	{
		scan->xs_heaptid.ip_blkid.bi_hi = static_cast<uint16>(node.payload >> 32);
		scan->xs_heaptid.ip_blkid.bi_lo = static_cast<uint16>(node.payload >> 16);
		scan->xs_heaptid.ip_posid = static_cast<OffsetNumber>(node.payload & 0xffff);
		scan->xs_recheck = false;
		bool estimate = so->heap == nullptr && core::lists::only_estimates(shape_of(so));
		scan->xs_recheckorderby = (!node.certain && !so->without_order && !estimate) || so->every_row;
		so->stats.rows++;
		so->stats.rechecked += scan->xs_recheckorderby;
		double value = node.certain || estimate ? node.interval.middle : node.interval.lower;
		if (so->every_row)
			value = -get_float8_infinity();
		else if (so->without_order)
			value = get_float8_nan();
		scan->xs_orderbynulls[0] = so->null_order;
		scan->xs_orderbyvals[0] = so->null_order ? Datum{0} : Float8GetDatum(value);
	}
	MemoryContextSwitchTo(old);
	last_stats = so->stats;
	return found;
}

}  // namespace vecdb::ivf
