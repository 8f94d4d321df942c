/* SPDX-License-Identifier: PostgreSQL
 * Slots and pages of the HNSW index: find, extend, write.
 *
 * Regime: shell.
 * Locks:  see pages.hpp. No lock is held over a search or a heap access.
 * WAL:    a node and its detail (of several parts: the first, after the others) go into one record, so that a live node
 *         always has all of it. A page that was added but not initialised before a crash is all zero: its slots read as
 *         free and it is used later. A detail page is taken when its `used` says so, in the record of the node; parts
 *         behind the first that a crash leaves without one (three at most) are lost until REINDEX.
 */
#include "hnsw/pages.hpp"
#include "hnsw/chains.hpp"

#include "pg/report.hpp"
#include "storage/wal.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;
using storage::PageChange;

void
set_tid(NodeHeader *node, ItemPointer tid)
{
	node->tid_block_hi = tid == nullptr ? 0 : tid->ip_blkid.bi_hi;
	node->tid_block_lo = tid == nullptr ? 0 : tid->ip_blkid.bi_lo;
	node->tid_offset = tid == nullptr ? 0 : tid->ip_posid;
}

void
make_free(NodeHeader *slot)
{
	bool base = slot->state != static_cast<uint8>(NodeState::duplicate) && slot->level == 0;
	if (!base)
		slot->link = bound_detail(*slot) != 0 ? bound_detail(*slot) : kInvalidId;
	slot->state = static_cast<uint8>(NodeState::free);
	slot->level = 0;
	slot->lane_count = 0;
	slot->duplicates = kInvalidId;
}

static Buffer
lock_meta(Relation index)
{
	Buffer buffer = ReadBuffer(index, 0);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (!page_is(BufferGetPage(buffer), PageKind::meta))
		pg::report_corrupt(index, 0, "not a metapage of a vecdb hnsw index");
	return buffer;
}

void
set_entry(Relation index, uint32 id, uint32 level)
{
	Buffer buffer = lock_meta(index);
	PageChange change = PageChange::begin(index);
	HnswMeta *meta = page_meta(change.page(buffer));
	meta->entry_id = id;
	meta->entry_level = level;
	seal_meta(meta);
	change.finish();
	UnlockReleaseBuffer(buffer);
}

void
set_mean(Relation index, const float *mean, uint32 n)
{
	constexpr uint32 per_page = kPageBodyBytes / sizeof(float);
	uint32 pages = (n + per_page - 1) / per_page;
	Buffer buffers[(kMaxDimensions + per_page - 1) / per_page];
	uint64 build_id;
	if (!pg_strong_random(&build_id, sizeof build_id))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	/* The pages mean nothing before the metapage names them. */
	Buffer meta_buffer = lock_meta(index);
	pg::extend_relation_by(index, static_cast<int>(pages), buffers);
	BlockNumber first = BufferGetBlockNumber(buffers[0]);
	for (uint32 i = 0; i < pages; i++)
	{
		PageChange change = PageChange::begin(index);
		Page page = change.page(buffers[i], true);
		init_page(page, PageKind::mean);
		uint32 done = i * per_page;
		memcpy(PageGetContents(page), mean + done, (n - done < per_page ? n - done : per_page) * sizeof(float));
		page_trailer(page)->crc = body_crc(page);
		change.finish();
		UnlockReleaseBuffer(buffers[i]);
	}
	PageChange change = PageChange::begin(index);
	HnswMeta *meta = page_meta(change.page(meta_buffer));
	meta->mean_block = first;
	meta->mean_pages = static_cast<uint16>(pages);
	meta->build_id = build_id;
	seal_meta(meta);
	change.finish();
	UnlockReleaseBuffer(meta_buffer);
}

static int
free_slot(Page page, const HnswShape &shape)
{
	for (uint32 i = 0; i < shape.slots_per_page; i++)
		if (slot_header(page, shape, i)->state == static_cast<uint8>(NodeState::free))
			return static_cast<int>(i);
	return -1;
}

/* An exclusively locked node page with a free slot, or InvalidBuffer where blkno has none. */
static Buffer
try_node_page(Relation index, const HnswShape &shape, BlockNumber blkno, int &slot)
{
	Buffer buffer = ReadBuffer(index, blkno);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	Page page = BufferGetPage(buffer);
	if (PageIsNew(page))
	{
		slot = 0;
		return buffer;
	}
	slot = page_is(page, PageKind::node) ? free_slot(page, shape) : -1;
	if (slot >= 0)
		return buffer;
	UnlockReleaseBuffer(buffer);
	return InvalidBuffer;
}

/* A locked node page (it may be all zero) with a free slot. */
static Buffer
find_slot(Relation index, const IndexState *state, int &slot)
{
	const HnswShape &shape = state->shape;
	HnswMeta meta;
	read_meta(index, meta);
	if (meta.open_node_block != 0)
	{
		Buffer buffer = try_node_page(index, shape, meta.open_node_block, slot);
		if (BufferIsValid(buffer))
			return buffer;
	}
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	BlockNumber blkno = GetPageWithFreeSpace(index, kFsmWanted);
	while (blkno != InvalidBlockNumber)
	{
		CHECK_FOR_INTERRUPTS();
		/* The map is a hint that is not WAL-logged: it may name any block, or one past the end after a crash. */
		if (blkno != 0 && blkno < blocks)
		{
			Buffer buffer = try_node_page(index, shape, blkno, slot);
			if (BufferIsValid(buffer))
				return buffer;
		}
		blkno = RecordAndGetPageWithFreeSpace(index, blkno, 0, kFsmWanted);
	}
	/*
	 * Extend, and make the page known as the one to try first. The metapage comes first in lock order; the page is
	 * initialised under the same record.
	 */
	Buffer meta_buffer = lock_meta(index);
	BlockNumber open = page_meta(BufferGetPage(meta_buffer))->open_node_block;
	if (open != meta.open_node_block)
	{
		/* Another backend has just extended: use its page. */
		UnlockReleaseBuffer(meta_buffer);
		return find_slot(index, state, slot);
	}
	Buffer buffer = pg::extend_relation(index);
	PageChange change = PageChange::begin(index);
	HnswMeta *changed = page_meta(change.page(meta_buffer));
	changed->open_node_block = BufferGetBlockNumber(buffer);
	seal_meta(changed);
	init_unused_page(change.page(buffer, true), PageKind::node);
	change.finish();
	UnlockReleaseBuffer(meta_buffer);
	slot = 0;
	return buffer;
}

BlockNumber
open_detail_page(Relation index, const HnswShape &shape)
{
	HnswMeta meta;
	read_meta(index, meta);
	if (meta.open_detail_block != 0)
	{
		Buffer buffer = ReadBuffer(index, meta.open_detail_block);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		bool room = page_is(page, PageKind::detail) && page_trailer(page)->used < shape.details_per_page;
		UnlockReleaseBuffer(buffer);
		if (room)
			return meta.open_detail_block;
	}
	Buffer meta_buffer = lock_meta(index);
	BlockNumber open = page_meta(BufferGetPage(meta_buffer))->open_detail_block;
	if (open != meta.open_detail_block)
	{
		UnlockReleaseBuffer(meta_buffer);
		return open;
	}
	Buffer buffers[kMaxDetailPages];
	pg::extend_relation_by(index, static_cast<int>(shape.detail_pages), buffers);
	for (uint32 part = 1; part < shape.detail_pages; part++)
	{
		PageChange change = PageChange::begin(index);
		init_unused_page(change.page(buffers[part], true), PageKind::detail);
		change.finish();
		UnlockReleaseBuffer(buffers[part]);
	}
	PageChange change = PageChange::begin(index);
	HnswMeta *changed = page_meta(change.page(meta_buffer));
	changed->open_detail_block = BufferGetBlockNumber(buffers[0]);
	seal_meta(changed);
	init_unused_page(change.page(buffers[0], true), PageKind::detail);
	change.finish();
	BlockNumber blkno = BufferGetBlockNumber(buffers[0]);
	UnlockReleaseBuffer(buffers[0]);
	UnlockReleaseBuffer(meta_buffer);
	return blkno;
}

/* The detail that the code of an upper slot over `below` goes on in. */
static CodeDetail
shared_detail(Relation index, const HnswShape &shape, uint32 below)
{
	Buffer buffer = ReadBuffer(index, shape.block_of(below));
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	CodeDetail detail = code_detail(*slot_header(BufferGetPage(buffer), shape, below));
	UnlockReleaseBuffer(buffer);
	return detail;
}

/* All parts of a detail but the first, on which the caller has the lock. False: one is no detail page. */
static bool
write_other_parts(Relation index, const HnswShape &shape, CodeDetail detail, const CodedVector &coded)
{
	for (uint32 part = 1; part < shape.detail_pages; part++)
	{
		Buffer buffer = ReadBuffer(index, shape.detail_block_of(detail.id) + part);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		bool good = page_is(BufferGetPage(buffer), PageKind::detail);
		if (good)
		{
			PageChange change = PageChange::begin(index);
			put_part(change.page(buffer), shape, detail, part, coded.code, coded.residual);
			change.finish();
		}
		UnlockReleaseBuffer(buffer);
		if (!good)
			return false;
	}
	return true;
}

/*
 * The links of a sparse code, in the chain `bound` of the slot (0: it has none yet) and those reserved behind it. False: they are too
 * few. The caller holds the page of the slot, which is free. head: the first one, kInvalidId where there is none.
 */
static bool
fill_chain(Relation index, const HnswShape &shape, uint32 bound, uint32 generation, const CodedVector &coded,
		   Chain &reserved, uint32 &head)
{
	uint32 bytes = static_cast<uint32>(coded.sum) * kSparseBlockBytes, wanted = shape.chain_links(bytes);
	head = bound != 0 ? bound : kInvalidId;
	if (wanted == 0 && reserved.count == 0)
		return true;
	Chain chain;
	find_chain(index, shape, head, chain);
	uint32 sound = chain.count;
	if (sound + reserved.count < wanted)
		return false;
	for (uint32 i = 0; i < reserved.count && chain.count < kMaxChainLinks; i++)
		chain.ids[chain.count++] = reserved.ids[i];
	reserved.count = 0;
	write_chain(index, shape, chain, sound, generation, coded.code, bytes);
	head = chain.ids[0];
	return true;
}

/* More links, as many as a code lacks beyond the chain of the slot that it was to lie in. */
static void
reserve_more(Relation index, const HnswShape &shape, uint32 bound, const CodedVector &coded, Chain &reserved)
{
	Chain chain;
	find_chain(index, shape, bound != 0 ? bound : kInvalidId, chain);
	uint32 wanted = shape.chain_links(static_cast<uint32>(coded.sum) * kSparseBlockBytes);
	uint32 have = chain.count + reserved.count;
	if (have < wanted)
		reserve_links(index, shape, wanted - have, reserved);
}

static void
fill_slot(NodeHeader *slot, const HnswShape &shape, const NewNode &node, uint32 link, CodeDetail shared)
{
	uint32 generation = slot->generation + 1;
	uint32 bound = generation == 1 || slot->link == kInvalidId ? 0 : slot->link;
	memset(static_cast<void *>(slot), 0, shape.slot_bytes);
	slot->state = node.state;
	slot->level = node.level;
	slot->generation = generation;
	slot->duplicates = node.duplicates;
	slot->link = link;
	if (node.state == static_cast<uint8>(NodeState::duplicate))
	{
		slot_duplicates(slot)[0] = *node.tid;
		slot->lane_count = 1;
		set_chain_height(*slot, node.height);
		set_bound_detail(*slot, bound);
		return;
	}
	set_tid(slot, node.tid);
	slot->scale = node.coded->sq8.scale;
	slot->bias = node.coded->sq8.bias;
	slot->norm2 = node.coded->sq8.norm2;
	slot->error = node.coded->sq8.error;
	slot->refined_error = node.coded->sq8.refined_error;
	if (node.level > 0)
	{
		set_upper_detail(*slot, shared);
		set_bound_detail(*slot, bound);
	}
	if (shape.sparse())
		set_code_blocks(*slot, static_cast<uint32>(node.coded->sum));
	memcpy(slot_code(slot), node.coded->code, shape.slot_code_bytes(*slot));
	put_lanes(slot, shape, node.lanes);
}

uint32
write_new_node(Relation index, IndexState *state, const NewNode &node)
{
	const HnswShape &shape = state->shape;
	bool is_node = node.state == static_cast<uint8>(NodeState::live);
	bool wants_chain = shape.sparse() && is_node && node.level == 0;
	bool wants_detail = shape.detail_bytes != 0 && is_node && node.level == 0 && !wants_chain;
	Chain reserved;
	reserved.count = 0;
	CodeDetail shared{kInvalidId, 0};
	if (shape.tail_bytes != 0 && is_node && node.level > 0)
		shared = shared_detail(index, shape, node.link);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		BlockNumber open_detail = wants_detail ? open_detail_page(index, shape) : 0;
		int slot_number;
		Buffer buffer = find_slot(index, state, slot_number);
		BlockNumber blkno = BufferGetBlockNumber(buffer);
		uint32 id = blkno * shape.slots_per_page + static_cast<uint32>(slot_number);
		bool fresh = PageIsNew(BufferGetPage(buffer));
		uint32 bound = fresh ? 0 : slot_header(BufferGetPage(buffer), shape, id)->link;

		/* A slot used before keeps its detail slot for life: nobody else writes there. */
		Buffer detail_buffer = InvalidBuffer;
		uint32 detail = kInvalidId;
		if (wants_detail)
		{
			bool has_bound = bound != 0 && valid_detail(bound, shape, RelationGetNumberOfBlocks(index));
			BlockNumber detail_blkno = has_bound ? shape.detail_block_of(bound) : open_detail;
			detail_buffer = ReadBuffer(index, detail_blkno);
			LockBuffer(detail_buffer, BUFFER_LOCK_EXCLUSIVE);
			Page detail_page = BufferGetPage(detail_buffer);
			bool good = page_is(detail_page, PageKind::detail);
			if (has_bound && good)
				detail = bound;
			else if (good && page_trailer(detail_page)->used < shape.details_per_page)
				detail = detail_blkno * shape.details_per_page + page_trailer(detail_page)->used;
			else
			{
				UnlockReleaseBuffer(detail_buffer);
				UnlockReleaseBuffer(buffer);
				if (!good)
					pg::report_corrupt(index, detail_blkno, "not a detail page");
				continue;  // filled up meanwhile
			}
			/* Nobody reads them before the slot is a node. */
			uint32 generation = fresh ? 1 : slot_header(BufferGetPage(buffer), shape, id)->generation + 1;
			if (!write_other_parts(index, shape, CodeDetail{detail, generation}, *node.coded))
				pg::report_corrupt(index, detail_blkno, "a detail does not go on in the next page");
		}

		if (wants_chain)
		{
			uint32 generation = fresh ? 1 : slot_header(BufferGetPage(buffer), shape, id)->generation + 1;
			uint32 chained = bound != kInvalidId ? bound : 0;
			if (!fill_chain(index, shape, chained, generation, *node.coded, reserved, detail))
			{
				UnlockReleaseBuffer(buffer);
				reserve_more(index, shape, chained, *node.coded, reserved);
				continue;
			}
		}

		PageChange change = PageChange::begin(index);
		Page page = change.page(buffer, fresh);
		if (fresh)
			init_unused_page(page, PageKind::node);
		use_page(page, shape.slot_offset(id) + shape.slot_bytes);
		NodeHeader *slot = slot_header(page, shape, id);
		uint32 link = node.link;
		if (is_node && node.level == 0)
			link = detail;
		fill_slot(slot, shape, node, link, shared);
		if (wants_detail)
			put_part(change.page(detail_buffer), shape, code_detail(*slot), 0, node.coded->code, node.coded->residual);
		seal(slot, shape, id);
		change.finish();
		if (wants_detail)
			UnlockReleaseBuffer(detail_buffer);
		UnlockReleaseBuffer(buffer);
		return id;
	}
}

}  // namespace vecdb::hnsw
