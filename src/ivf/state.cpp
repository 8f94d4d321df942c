/* SPDX-License-Identifier: PostgreSQL
 * Metapage reading and the per-backend state of an index.
 *
 * Regime: shell.
 * Locks:  share lock on block 0 or one vector page at a time, for a copy.
 */
#include "ivf/state.hpp"

#include <bit>
#include <cmath>

extern "C" {
#include "port/pg_crc32c.h"
}

#include "pg/report.hpp"

namespace vecdb::ivf
{

using namespace core::layout;

static_assert(kPageBytes == BLCKSZ, "vecdb index pages are made for 8 kB blocks");
static_assert(kPageHeaderBytes == MAXALIGN(SizeOfPageHeaderData));
static_assert(sizeof(RowTid) == sizeof(ItemPointerData));

/* More cached indexes than this are trimmed at the end of a transaction. */
constexpr long kMaxCached = 512;

static HTAB *state_table = nullptr;
static bool too_many = false;

void
init_page(Page page, IvfPageKind kind)
{
	PageInit(page, BLCKSZ, kPageTrailerBytes);
	PageTrailer *trailer = page_trailer(page);
	trailer->kind = static_cast<uint16>(kind);
	trailer->page_id = kIvfPageId;
	/* What lies between pd_lower and pd_upper is left out of WAL. */
	reinterpret_cast<PageHeader>(page)->pd_lower = reinterpret_cast<PageHeader>(page)->pd_upper;
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
seal_meta(IvfMeta *meta)
{
	meta->crc = crc_of(meta, offsetof(IvfMeta, crc));
}

bool
meta_is_sealed(const IvfMeta &meta)
{
	return meta.crc == crc_of(&meta, offsetof(IvfMeta, crc));
}

uint32
body_crc(Page page)
{
	return crc_of(PageGetContents(page), kPageBodyBytes);
}

void
read_meta(Relation index, IvfMeta &meta)
{
	if (RelationGetNumberOfBlocks(index) == 0)
		pg::report_corrupt(index, 0, "the file is empty");
	Buffer buffer = ReadBuffer(index, 0);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool good = page_is(page, IvfPageKind::meta);
	meta = *page_meta(page);
	UnlockReleaseBuffer(buffer);
	if (!good)
		pg::report_corrupt(index, 0, "not a metapage of a vecdb ivf index");
	if (!meta_is_sealed(meta))
		pg::report_corrupt(index, 0, "checksum of the metapage does not match");
	IvfShape shape;
	/* The length after the copy: the metapage may name a block that was added a moment ago. */
	core::Status status = check_meta(meta, RelationGetNumberOfBlocks(index), shape);
	if (status.code == core::Code::corrupt)
		pg::report_corrupt(index, 0, status.message);
	pg::report(status);
}

/* n floats from consecutive vector pages, in context. what: of the messages. */
static float *
load_floats(Relation index, MemoryContext context, BlockNumber first, Size n, const char *what)
{
	constexpr Size kPerPage = kPageBodyBytes / sizeof(float);
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	if ((n + kPerPage - 1) / kPerPage > blocks - first)
		pg::report_corrupt(index, first, psprintf("%s reaches beyond the end of the file", what));
	auto *floats = static_cast<float *>(MemoryContextAllocHuge(context, n * sizeof(float)));
	for (Size done = 0; done < n;)
	{
		CHECK_FOR_INTERRUPTS();
		BlockNumber blkno = first + static_cast<BlockNumber>(done / kPerPage);
		Buffer buffer = ReadBuffer(index, blkno);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		bool good = page_is(page, IvfPageKind::vector);
		bool sound = page_trailer(page)->crc == body_crc(page);
		Size here = n - done < kPerPage ? n - done : kPerPage;
		memcpy(floats + done, PageGetContents(page), here * sizeof(float));
		UnlockReleaseBuffer(buffer);
		if (!good)
			pg::report_corrupt(index, blkno, psprintf("not a page of %s", what));
		if (!sound)
			pg::report_corrupt(index, blkno, psprintf("checksum of %s does not match", what));
		for (Size i = done; i < done + here; i++)
		{
			if (!std::isfinite(floats[i]))
				pg::report_corrupt(index, blkno, psprintf("%s is not finite", what));
		}
		done += here;
	}
	return floats;
}

static void
fill_state(Relation index, IndexState *state, const IvfMeta &meta, MemoryContext context)
{
	state->context = context;
	state->meta = meta;
	state->metric = static_cast<Metric>(meta.metric);
	ListCodec &codec = state->codec;
	ivf_shape(row_dimensions(meta), core::layout::ivf_options(meta), codec.shape);
	core::lists::CodeSpace &space = codec.space;
	space.metric = state->metric;
	space.dimensions = row_dimensions(meta);
	space.code_dims = codec.shape.code_dims;
	if (meta.rotation_seed != 0)
	{
		auto *signs = static_cast<uint32 *>(MemoryContextAlloc(context, 4 * space.code_dims * sizeof(uint32)));
		space.rotation = core::quantizer::rotation_init(space.code_dims, meta.rotation_seed, signs);
	}
	if (meta.mean_block != kNoBlock)
	{
		float *mean = load_floats(index, context, meta.mean_block, space.dimensions, "the mean vector");
		double norm2 = 0;
		for (uint32 i = 0; i < space.dimensions; i++)
			norm2 += static_cast<double>(mean[i]) * mean[i];
		space.mean = mean;
		space.mean_norm = std::sqrt(norm2);
	}
	if (codec.shape.codes == Codes::sign)
		codec.deviation = core::lists::sign_deviation(codec.shape.sign_dims, space.code_dims);
	if (codec.shape.codes == Codes::pq4 || codec.shape.codes == Codes::pq8)
	{
		codec.deviation = std::bit_cast<float>(meta.code_deviation);
		codec.books.segments = meta.pq_segments;
		codec.books.bits = meta.pq_bits;
		codec.books.code_dims = space.code_dims;
		/* An index that began empty has none: the codes of its rows tell nothing, and all of them are looked at. */
		if (meta.codebook_block != kNoBlock)
			codec.books.vectors =
				load_floats(index, context, meta.codebook_block, codec.books.floats(), "the codebooks");
	}
	if (meta.sketch_dims != 0 && meta.sketch_dims < meta.dimensions)
		codec.folding = 1 / std::sqrt(static_cast<float>(meta.sketch_dims));
	state->directory = directory_shape(space.code_dims);
	state->hints.grow(context, RelationGetNumberOfBlocks(index));
}

IndexState *
index_state(Relation index, IvfMeta &meta)
{
	read_meta(index, meta);
	if (state_table == nullptr)
	{
		HASHCTL control;
		memset(&control, 0, sizeof control);
		control.keysize = sizeof(pg::RelFileKey);
		control.entrysize = sizeof(IndexState);
		state_table = hash_create("vecdb ivf indexes", 32, &control, HASH_ELEM | HASH_BLOBS);
	}
	pg::RelFileKey file = pg::relation_file(index);
	bool found;
	auto *state = static_cast<IndexState *>(hash_search(state_table, &file, HASH_FIND, &found));
	if (found && state->meta.build_id == meta.build_id)
	{
		state->hints.grow(state->context, RelationGetNumberOfBlocks(index));
		return state;
	}
	if (found)
	{
		/* The file number was used again within one transaction. A scan of the old contents may still hold the state. */
		MemoryContext old = state->context;
		hash_search(state_table, &file, HASH_REMOVE, nullptr);
		MemoryContextSetParent(old, TopTransactionContext);
	}
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "vecdb ivf index", ALLOCSET_SMALL_SIZES);
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
		too_many = true;
	return state;
}

/* No scan outlives its transaction, so entries can go now. Neither throws nor allocates. */
static void
forget_states(XactEvent event, void *)
{
	if (!too_many || state_table == nullptr || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT))
		return;
	HASH_SEQ_STATUS scan;
	hash_seq_init(&scan, state_table);
	while (auto *state = static_cast<IndexState *>(hash_seq_search(&scan)))
	{
		MemoryContext context = state->context;
		pg::RelFileKey file = state->file;
		hash_search(state_table, &file, HASH_REMOVE, nullptr);
		MemoryContextDelete(context);
	}
	too_many = false;
}

void
state_init()
{
	RegisterXactCallback(forget_states, nullptr);
}

}  // namespace vecdb::ivf
