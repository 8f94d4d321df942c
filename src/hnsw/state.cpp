/* SPDX-License-Identifier: PostgreSQL
 * Metapage reading and the per-backend state of an index.
 *
 * Regime: shell.
 * Locks:  share lock on block 0 or one mean page at a time, for a copy.
 */
#include "hnsw/state.hpp"

#include <cmath>

extern "C" {
#include "port/pg_crc32c.h"
}

#include "pg/report.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;

static_assert(kPageBytes == BLCKSZ, "vecdb index pages are made for 8 kB blocks");
static_assert(kPageHeaderBytes == MAXALIGN(SizeOfPageHeaderData));
static_assert(kTidBytes == sizeof(ItemPointerData));

/* More cached indexes than this are trimmed at the end of a transaction. */
constexpr long kMaxCached = 512;

static HTAB *state_table = nullptr;
static bool any_stale = false;

void
init_page(Page page, PageKind kind)
{
	PageInit(page, BLCKSZ, kPageTrailerBytes);
	PageTrailer *trailer = page_trailer(page);
	trailer->kind = static_cast<uint16>(kind);
	trailer->page_id = kHnswPageId;
	use_page(page, reinterpret_cast<PageHeader>(page)->pd_upper);
}

void
init_unused_page(Page page, PageKind kind)
{
	init_page(page, kind);
	reinterpret_cast<PageHeader>(page)->pd_lower = kPageHeaderBytes;
}

static uint32
crc_of(const void *bytes, Size n)
{
	pg_crc32c crc;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes, n);
	FIN_CRC32C(crc);
	return crc;
}

void
seal_meta(HnswMeta *meta)
{
	meta->crc = crc_of(meta, offsetof(HnswMeta, crc));
}

bool
meta_is_sealed(const HnswMeta &meta)
{
	return meta.crc == crc_of(&meta, offsetof(HnswMeta, crc));
}

uint32
body_crc(Page page)
{
	return crc_of(PageGetContents(page), kPageBodyBytes);
}

void
read_meta(Relation index, HnswMeta &meta)
{
	if (RelationGetNumberOfBlocks(index) == 0)
		pg::report_corrupt(index, 0, "the file is empty");
	Buffer buffer = ReadBuffer(index, 0);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool good = page_is(page, PageKind::meta);
	meta = *page_meta(page);
	UnlockReleaseBuffer(buffer);
	if (!good)
		pg::report_corrupt(index, 0, "not a metapage of a vecdb hnsw index");
	if (!meta_is_sealed(meta))
		pg::report_corrupt(index, 0, "checksum of the metapage does not match");
	HnswShape shape;
	/* The length after the copy: the metapage may name a block that was added a moment ago. */
	core::Status status = check_meta(meta, RelationGetNumberOfBlocks(index), shape);
	if (status.code == core::Code::corrupt)
		pg::report_corrupt(index, 0, status.message);
	pg::report(status);
}

static void
load_mean(Relation index, IndexState *state)
{
	const HnswMeta &meta = state->meta;
	state->mean = nullptr;
	state->mean_norm = 0;
	if (meta.mean_pages == 0)
		return;
	auto *mean = static_cast<float *>(MemoryContextAlloc(state->context, meta.dimensions * sizeof(float)));
	uint32 done = 0;
	for (uint32 i = 0; i < meta.mean_pages; i++)
	{
		BlockNumber blkno = meta.mean_block + i;
		Buffer buffer = ReadBuffer(index, blkno);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		bool good = page_is(page, PageKind::mean);
		bool sound = page_trailer(page)->crc == body_crc(page);
		uint32 n = meta.dimensions - done;
		if (n > kPageBodyBytes / sizeof(float))
			n = kPageBodyBytes / sizeof(float);
		memcpy(mean + done, PageGetContents(page), n * sizeof(float));
		UnlockReleaseBuffer(buffer);
		if (!good)
			pg::report_corrupt(index, blkno, "not a page of the mean vector");
		if (!sound)
			pg::report_corrupt(index, blkno, "checksum of the mean vector does not match");
		done += n;
	}
	double norm2 = 0;
	for (uint32 i = 0; i < meta.dimensions; i++)
	{
		if (!std::isfinite(mean[i]))
			pg::report_corrupt(index, meta.mean_block, "the mean vector is not finite");
		norm2 += static_cast<double>(mean[i]) * mean[i];
	}
	state->mean = mean;
	state->mean_norm = std::sqrt(norm2);
}

static void
fill_state(Relation index, IndexState *state, const HnswMeta &meta, MemoryContext context)
{
	state->context = context;
	state->meta = meta;
	state->metric = static_cast<Metric>(meta.metric);
	hnsw_shape(meta.dimensions, core::layout::shape_options(meta), state->shape);
	state->rotation = core::quantizer::Rotation{};
	if (meta.rotation_seed != 0)
	{
		auto *signs = static_cast<uint32 *>(MemoryContextAlloc(context, 4 * state->shape.code_dims * sizeof(uint32)));
		state->rotation = core::quantizer::rotation_init(state->shape.code_dims, meta.rotation_seed, signs);
	}
	load_mean(index, state);
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	state->hint_blocks = blocks + blocks / 2 + 64;
	state->hints = static_cast<int32 *>(MemoryContextAllocExtended(
		context, static_cast<Size>(state->hint_blocks) * sizeof(int32), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	state->stale = false;
}

IndexState *
index_state(Relation index, HnswMeta &meta)
{
	read_meta(index, meta);
	if (state_table == nullptr)
	{
		HASHCTL control;
		memset(&control, 0, sizeof control);
		control.keysize = sizeof(pg::RelFileKey);
		control.entrysize = sizeof(IndexState);
		state_table = hash_create("vecdb hnsw indexes", 32, &control, HASH_ELEM | HASH_BLOBS);
	}
	pg::RelFileKey file = pg::relation_file(index);
	bool found;
	auto *state = static_cast<IndexState *>(hash_search(state_table, &file, HASH_FIND, &found));
	if (found && state->meta.build_id == meta.build_id)
	{
		BlockNumber blocks = RelationGetNumberOfBlocks(index);
		if (blocks > state->hint_blocks)
		{
			BlockNumber more = blocks + blocks / 2 + 64;
			auto *hints = static_cast<int32 *>(MemoryContextAllocExtended(
				state->context, static_cast<Size>(more) * sizeof(int32), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
			memcpy(hints, state->hints, static_cast<Size>(state->hint_blocks) * sizeof(int32));
			pfree(state->hints);
			state->hints = hints;
			state->hint_blocks = more;
		}
		return state;
	}
	if (found)
	{
		/*
		 * The file number was used again within one transaction, or the index was empty and has got its mean: no scan of the old
		 * contents has anything left to look for, but it may still hold them.
		 */
		MemoryContext old = state->context;
		hash_search(state_table, &file, HASH_REMOVE, nullptr);
		MemoryContextSetParent(old, TopTransactionContext);
	}
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "vecdb hnsw index", ALLOCSET_SMALL_SIZES);
	IndexState fresh;
	memset(static_cast<void *>(&fresh), 0, sizeof fresh);
	PG_TRY();
	{
		fill_state(index, &fresh, meta, context);
		state = static_cast<IndexState *>(hash_search(state_table, &file, HASH_ENTER, &found));
	}
	PG_CATCH();
	{
		MemoryContextDelete(context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	fresh.file = file;
	memcpy(static_cast<void *>(state), &fresh, sizeof fresh);
	if (hash_get_num_entries(state_table) > kMaxCached)
		any_stale = true;
	return state;
}

/* No scan outlives its transaction, so entries can go now. Neither throws nor allocates. */
static void
forget_stale(XactEvent event, void *)
{
	if (!any_stale || state_table == nullptr || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT))
		return;
	bool all = hash_get_num_entries(state_table) > kMaxCached;
	HASH_SEQ_STATUS scan;
	hash_seq_init(&scan, state_table);
	while (auto *state = static_cast<IndexState *>(hash_seq_search(&scan)))
	{
		if (!all && !state->stale)
			continue;
		MemoryContext context = state->context;
		pg::RelFileKey file = state->file;
		hash_search(state_table, &file, HASH_REMOVE, nullptr);
		MemoryContextDelete(context);
	}
	any_stale = false;
}

void
state_init()
{
	RegisterXactCallback(forget_stale, nullptr);
}

}  // namespace vecdb::hnsw
