/* SPDX-License-Identifier: PostgreSQL
 * ambuild: code the rows, link them with threads, write the graph out in one go.
 *
 * Regime: shell. The leader (this backend) alone talks to PostgreSQL; the threads live in GraphBuilder and are joined
 * before any error leaves (PG_FINALLY).
 * Memory: rows are held as codes, and links beside them, by the builder; TID and hash here, all counted against
 *         maintenance_work_mem. What goes beyond lies in a temporary file that is mapped (spill): the second code plane
 *         first, which only the writing of pages reads, then codes and links. There is no limit to the rows.
 * WAL:    pages are filled unlogged, then logged whole (log_newpage_range).
 * Blocks: metapage | mean | upper layers | base layer | duplicates | details. Nodes lie in the builder's order, so that
 *         neighbours share pages.
 */
#include "hnsw/chains.hpp"
#include "hnsw/handler.hpp"
#include "hnsw/insert.hpp"
#include "hnsw/module.hpp"
#include "hnsw/pending.hpp"

#include <algorithm>
#include <cmath>

extern "C" {
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
}

#include "pg/context.hpp"
#include "pg/report.hpp"
#include "storage/build_aid.hpp"
#include "types/indexed.hpp"
#include "vecdb/graph/graph_builder.hpp"
#include "vecdb/quantizer/origin.hpp"
#include "vecdb/quantizer/scalar.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;
using core::graph::BuildPhase;
using core::graph::GraphBuilder;
using core::graph::RowKind;
using core::quantizer::Sq8;

/* Rows that the mean is taken from, at most, and their memory; and the blocks that they come from. */
constexpr uint32 kMeanRows = 2048;
constexpr Size kMeanBytes = 16 * 1024 * 1024;
constexpr BlockNumber kMeanBlocks = 256;
constexpr uint32 kChunkRows = 4096;
/*
 * Candidates beyond ef_construction. pgvector fills every lane of a node, which costs its searches a page visit each; here
 * nodes keep the lanes that the rule asks for, out of a longer list.
 */
constexpr int kExtraConstruction = 64;
/* Fixed, so that two builds of the same rows agree. */
constexpr uint64 kRotationSeed = 0x7665636462303031;

/* What the leader keeps of rows, by ordinal of the builder. */
struct RowChunk
{
	ItemPointerData tids[kChunkRows];
	uint32 duplicates[kChunkRows];  // head of a list in BuildState::duplicates, or kInvalidId
};

struct DuplicateRow
{
	ItemPointerData tid;
	uint32 next;
};

struct HashEntry
{
	uint32 hash;
	uint32 ordinal;  // kInvalidId: empty
};

struct BuildState
{
	Relation heap;
	Relation index;
	IndexInfo *info;
	HnswOptions options;
	IndexState *state;      // this build's own until the graph is written
	MemoryContext context;  // of the build
	MemoryContext row;      // reset for each row
	GraphBuilder *builder;
	float *scratch;
	CodedVector coded;

	/* The rows that the mean is taken from: of a spread of blocks, else the first. */
	float *held;
	ItemPointerData *held_tids;
	uint32 held_count, held_limit;
	uint32 held_of_block, block_limit;
	bool mean_known;

	/* Memory: bytes in use, bytes allowed, and the file for the rest. */
	Size used, allowed;
	double expected_rows;
	bool extra_in_file;
	storage::SpillFile spill;

	RowChunk **chunks;
	uint32 chunk_capacity;
	uint32 rows;  // nodes given to the builder
	DuplicateRow *duplicates;
	uint32 duplicate_count, duplicate_capacity;
	uint64 *rows_of_blocks;  // sparse: how many rows have a code of so many blocks
	HashEntry *hash;
	uint32 hash_mask;

	LaneImage *image;  // of the slot being written
	instr_time started;
	double heap_tuples;
	int64 index_tuples;
};

static RowChunk *
chunk_of(const BuildState *b, uint32 ordinal)
{
	return b->chunks[ordinal / kChunkRows];
}

/* --- start --- */

static void
check_options(const BuildState *b, Oid type_oid, int dimensions)
{
	const storage::OpclassInfo *opclass = opclass_info(b->index);
	auto type = static_cast<ElementType>(opclass->element_type);
	/* Of bit strings, those of one length alone. */
	if (type_oid == VARBITOID)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("type not supported for hnsw index")));
	if (dimensions < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("column does not have dimensions")));
	if (b->options.ef_construction < 2 * b->options.m)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("ef_construction must be greater than or equal to 2 * m")));
	if (b->options.layout == static_cast<int>(Layout::fused) &&
		opclass_info(b->index)->metric == static_cast<uint8>(Metric::l1))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("layout \"fused\" is not supported for L1 distance"),
				 errdetail("Codes of neighbors estimate distances that a rotation leaves alone.")));
	if (is_exact(type) && b->options.layout == static_cast<int>(Layout::fused))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("layout \"fused\" is not supported for type %s", format_type_be(type_oid)),
						errdetail("Codes of neighbors estimate distances of vectors whose elements are all stored.")));
	if (is_exact(type) && b->options.precision != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("precision is not supported for type %s", format_type_be(type_oid)),
						errdetail("The index stores values of this type as they are.")));
	HnswShape shape;
	if (!hnsw_shape(static_cast<uint32>(dimensions), shape_options(b->options, type), shape))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("column cannot have more than %u dimensions for hnsw index", max_dimensions(type))));
}

static void
set_geometry(HnswMeta &meta, const HnswShape &shape)
{
	meta.dimensions = shape.dimensions;
	meta.code_dims = shape.code_dims;
	meta.lanes = static_cast<uint16>(shape.lanes);
	meta.slot_bytes = static_cast<uint16>(shape.slot_bytes);
	meta.slots_per_page = static_cast<uint16>(shape.slots_per_page);
	meta.first_slot = static_cast<uint16>(shape.first_slot);
	meta.details_per_page = static_cast<uint16>(shape.details_per_page);
	meta.sign_dims = static_cast<uint16>(shape.sign_dims);
	meta.self_dims = static_cast<uint16>(shape.self_dims);
}

/* The metapage of an index without rows. */
static void
fill_meta(Relation index, const HnswOptions &options, HnswMeta &meta)
{
	const storage::OpclassInfo *opclass = opclass_info(index);
	int dimensions = TupleDescAttr(RelationGetDescr(index), 0)->atttypmod;
	auto type = static_cast<ElementType>(opclass->element_type);
	HnswShape shape;
	hnsw_shape(static_cast<uint32>(dimensions), shape_options(options, type), shape);
	memset(&meta, 0, sizeof meta);
	meta.magic = kHnswMagic;
	meta.version = kHnswVersion;
	meta.min_reader_version = kHnswMinReaderVersion;
	set_geometry(meta, shape);
	meta.metric = opclass->metric;
	meta.layout = static_cast<uint8>(options.layout);
	meta.precision = static_cast<uint8>(options.precision);
	meta.element_type = opclass->element_type;
	meta.m = static_cast<uint16>(options.m);
	meta.ef_construction = static_cast<uint16>(options.ef_construction);
	bool plain = is_exact(type) || opclass->metric == static_cast<uint8>(Metric::l1);
	meta.rotation_seed = plain ? 0 : kRotationSeed;
	if (!pg_strong_random(&meta.build_id, sizeof meta.build_id))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	meta.entry_id = kInvalidId;
}

/* This build's state before anything is on disk. */
static IndexState *
make_state(const HnswMeta &meta)
{
	auto *state = static_cast<IndexState *>(palloc0(sizeof(IndexState)));
	state->meta = meta;
	state->metric = static_cast<Metric>(meta.metric);
	hnsw_shape(meta.dimensions, core::layout::shape_options(meta), state->shape);
	if (meta.rotation_seed != 0)
	{
		auto *signs = static_cast<uint32 *>(palloc(4 * state->shape.code_dims * sizeof(uint32)));
		state->rotation = core::quantizer::rotation_init(state->shape.code_dims, meta.rotation_seed, signs);
	}
	return state;
}

/* --- memory, and the file beyond it --- */

/* Bytes of the leader and of the builder that grow with the rows and cannot go into the file. */
static Size
resident_bytes(const BuildState *b, double rows)
{
	Size leader = sizeof(RowChunk) / kChunkRows + 3 * sizeof(HashEntry) + sizeof(uint32);
	return static_cast<Size>(rows) * leader + b->builder->other_bytes(static_cast<uint64>(rows)) +
		   b->duplicate_count * sizeof(DuplicateRow);
}

static GraphBuilder::Source
find_memory(BuildState *b, Size bytes, uint32 rows)
{
	if (b->used + bytes + resident_bytes(b, rows) > b->allowed)
		return storage::spill(b->spill, bytes);
	b->used += bytes;
	return GraphBuilder::Source{-1, 0};
}

static void
add_room(BuildState *b)
{
	uint32 rows = b->rows + b->builder->room_rows();
	GraphBuilder::Source extra{-1, 0};
	if (b->coded.residual != nullptr)
		extra = b->extra_in_file ? storage::spill(b->spill, b->builder->extra_room_bytes())
								 : find_memory(b, b->builder->extra_room_bytes(), rows);
	/* Within the file nothing follows what is in memory: the plane is read by ordinal, in no order. */
	b->extra_in_file |= extra.file >= 0;
	GraphBuilder::Source room = find_memory(b, b->builder->room_bytes(), rows);
	pg::report(b->builder->add_room(room, extra));
}

static void
add_code_room(BuildState *b)
{
	pg::report(b->builder->add_code_room(find_memory(b, b->builder->code_room_bytes(), b->rows)));
}

static void
start_builder(BuildState *b)
{
	core::graph::BuilderOptions options;
	options.metric = b->state->metric;
	options.kind = b->state->shape.sparse()                           ? RowKind::sparse
				   : b->state->shape.element_type == ElementType::bit ? RowKind::bits
																	  : RowKind::sq8;
	options.code_dims = b->state->shape.distance_bytes();
	options.dimensions = b->state->shape.dimensions;
	options.m = b->options.m;
	options.ef_construction = b->options.ef_construction + kExtraConstruction;
	options.threads = storage::build_threads(b->heap);
	options.seed = kRotationSeed + static_cast<uint64>(storage::guc_build_seed);
	options.extra_bytes = b->coded.residual != nullptr ? b->state->shape.code_dims : 0;
	options.to_the_brim = b->state->shape.blocks != 0;
	double rows = storage::expected_rows(
		b->heap, static_cast<double>(indexed_value_bytes(b->state->shape.dimensions,
														 static_cast<ElementType>(b->state->meta.element_type))));
	b->expected_rows = rows;
	ereport(DEBUG1, (errmsg_internal("using %u build threads", options.threads)));
	pg::report(b->builder->start(options));
	b->allowed = static_cast<Size>(maintenance_work_mem) * 1024;
	double row_bytes = static_cast<double>(b->builder->room_bytes() + b->builder->extra_room_bytes()) /
					   b->builder->room_rows();
	if (b->state->shape.sparse())
		row_bytes += b->state->shape.self_dims;
	double expected = rows * row_bytes +
					  static_cast<double>(b->builder->list_bytes(static_cast<uint64>(rows)) + resident_bytes(b, rows));
	b->extra_in_file = expected > static_cast<double>(b->allowed);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, static_cast<int64>(rows));
}

static void
wait_for_threads(BuildState *b)
{
	int64 phase = 0, reported = -1;
	bool idle = false;
	while (!idle)
	{
		idle = b->builder->wait_idle(20);
		CHECK_FOR_INTERRUPTS();
		int64 now = b->builder->phase() == BuildPhase::clustering ? kPhaseClustering : kPhaseLinking;
		if (now != phase)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, phase = now);
		int64 done = static_cast<int64>(b->builder->done());
		if (done != reported)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, reported = done);
	}
	pg::report(b->builder->status());
}

/* --- rows in --- */

static void
grow_hash(BuildState *b)
{
	uint32 old_size = b->hash == nullptr ? 0 : b->hash_mask + 1;
	uint32 size = old_size == 0 ? 16384 : old_size * 2;
	auto *fresh = static_cast<HashEntry *>(MemoryContextAllocHuge(b->context, size * sizeof(HashEntry)));
	for (uint32 i = 0; i < size; i++)
		fresh[i].ordinal = kInvalidId;
	for (uint32 i = 0; i < old_size; i++)
	{
		if (b->hash[i].ordinal == kInvalidId)
			continue;
		uint32 p = b->hash[i].hash & (size - 1);
		while (fresh[p].ordinal != kInvalidId)
			p = (p + 1) & (size - 1);
		fresh[p] = b->hash[i];
	}
	if (b->hash != nullptr)
		pfree(b->hash);
	b->hash = fresh;
	b->hash_mask = size - 1;
}

/* The ordinal of a row with an equal vector, or kInvalidId after ordinal b->rows has been noted for it. */
static uint32
find_equal(BuildState *b, const float *v)
{
	if (b->hash == nullptr || b->rows / 2 * 3 > b->hash_mask)
		grow_hash(b);
	const HnswShape &shape = b->state->shape;
	uint32 bytes = shape.sparse() ? static_cast<uint32>(b->coded.sum) * kSparseBlockBytes : shape.code_dims;
	uint32 hash = is_exact(shape.element_type) ? hash_bytes(b->coded.code, static_cast<int>(bytes))
											   : hash_bytes(reinterpret_cast<const unsigned char *>(v),
															static_cast<int>(shape.dimensions * sizeof(float)));
	uint32 p = hash & b->hash_mask;
	while (b->hash[p].ordinal != kInvalidId)
	{
		uint32 other = b->hash[p].ordinal;
		if (b->hash[p].hash == hash && b->builder->appended_sum(other) == b->coded.sum &&
			memcmp(&b->builder->appended(other), &b->coded.sq8, sizeof(Sq8)) == 0 &&
			memcmp(b->builder->appended_code(other), b->coded.code, bytes) == 0)
			return other;
		p = (p + 1) & b->hash_mask;
	}
	b->hash[p] = HashEntry{hash, b->rows};
	return kInvalidId;
}

static void
add_row(BuildState *b, const float *v, ItemPointer tid)
{
	encode_vector(b->state, v, b->scratch, b->coded);
	uint32 equal = find_equal(b, v);
	if (equal != kInvalidId)
	{
		if (b->duplicate_count == b->duplicate_capacity)
		{
			uint32 capacity = b->duplicate_capacity == 0 ? 1024 : b->duplicate_capacity * 2;
			Size bytes = capacity * sizeof(DuplicateRow);
			b->duplicates = static_cast<DuplicateRow *>(b->duplicates == nullptr
															? MemoryContextAllocHuge(b->context, bytes)
															: repalloc_huge(b->duplicates, bytes));
			b->duplicate_capacity = capacity;
		}
		uint32 &head = chunk_of(b, equal)->duplicates[equal % kChunkRows];
		b->duplicates[b->duplicate_count] = DuplicateRow{*tid, head};
		head = b->duplicate_count++;
		b->index_tuples++;
		return;
	}
	if (!b->builder->has_room())
		add_room(b);
	if (b->rows_of_blocks != nullptr)
	{
		auto blocks = static_cast<uint32>(b->coded.sum);
		if (!b->builder->has_code_room(static_cast<Size>(blocks) * kSparseBlockBytes))
			add_code_room(b);
		b->rows_of_blocks[blocks]++;
	}
	if (b->rows % kChunkRows == 0)
	{
		uint32 chunk_number = b->rows / kChunkRows;
		if (chunk_number == b->chunk_capacity)
		{
			uint32 capacity = chunk_number == 0 ? 64 : chunk_number * 2;
			Size bytes = capacity * sizeof(RowChunk *);
			b->chunks = static_cast<RowChunk **>(b->chunks == nullptr ? MemoryContextAlloc(b->context, bytes)
																	  : repalloc_huge(b->chunks, bytes));
			b->chunk_capacity = capacity;
		}
		b->chunks[chunk_number] = static_cast<RowChunk *>(MemoryContextAllocHuge(b->context, sizeof(RowChunk)));
	}
	RowChunk *chunk = chunk_of(b, b->rows);
	uint32 i = b->rows % kChunkRows;
	chunk->tids[i] = *tid;
	chunk->duplicates[i] = kInvalidId;
	uint32 ordinal = b->builder->append(b->coded.sq8, b->coded.sum, b->coded.code, b->coded.residual);
	Assert(ordinal == b->rows);
	(void) ordinal;
	b->rows++;
	b->index_tuples++;
}

static void
set_mean(BuildState *b)
{
	IndexState *state = b->state;
	uint32 n = state->shape.dimensions, rows = b->held_count;
	b->mean_known = true;
	if (rows == 0 || !is_centred(state))
		return;
	auto *scratch = static_cast<double *>(palloc(2 * rows * sizeof(double)));
	auto **held = static_cast<const float **>(palloc(rows * sizeof(float *)));
	for (uint32 row = 0; row < rows; row++)
		held[row] = b->held + static_cast<Size>(row) * n;
	auto *mean = static_cast<float *>(palloc(n * sizeof(float)));
	double norm;
	if (core::quantizer::trimmed_mean(held, rows, n, state->metric == Metric::cosine, scratch, mean, &norm))
	{
		state->mean = mean;
		state->mean_norm = norm;
	}
	pfree(held);
	pfree(scratch);
}

/* The rows held back go in. */
static void
release_held(BuildState *b)
{
	set_mean(b);
	for (uint32 row = 0; row < b->held_count; row++)
		add_row(b, b->held + static_cast<Size>(row) * b->state->shape.dimensions, &b->held_tids[row]);
	pfree(b->held);
	b->held = nullptr;
}

static void
hold_row(BuildState *b, const float *v, ItemPointer tid)
{
	uint32 n = b->state->shape.dimensions;
	memcpy(b->held + static_cast<Size>(b->held_count) * n, v, n * sizeof(float));
	b->held_tids[b->held_count++] = *tid;
}

static void
sample_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	auto *b = static_cast<BuildState *>(arg);
	(void) index;
	(void) alive;
	if (b->held_of_block == b->block_limit || b->held_count == b->held_limit)
		return;
	MemoryContext old = MemoryContextSwitchTo(b->row);
	const float *v = indexable_vector(b->state, values[0], isnull[0]);
	if (v != nullptr)
	{
		hold_row(b, v, tid);
		b->held_of_block++;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(b->row);
}

/*
 * The mean of a spread of blocks. A table may be sorted, and its first rows far from the others. Few blocks, or too few rows in
 * them: the first rows must do.
 */
static void
sample_mean(BuildState *b)
{
	constexpr uint32 kEnough = 256;
	BlockNumber blocks = RelationGetNumberOfBlocks(b->heap);
	BlockNumber visits = std::min(blocks, kMeanBlocks);
	if (blocks < 16 || !is_centred(b->state))
		return;
	b->block_limit = (b->held_limit + visits - 1) / visits;
	for (BlockNumber i = 0; i < visits; i++)
	{
		CHECK_FOR_INTERRUPTS();
		auto block = static_cast<BlockNumber>(static_cast<uint64>(blocks) * i / visits);
		b->held_of_block = 0;
		table_index_build_range_scan(b->heap, b->index, b->info, false, false, false, block, 1, sample_callback, b,
									 nullptr);
	}
	if (b->held_count >= kEnough)
		set_mean(b);
	b->held_count = 0;
}

/* --- pages out --- */

struct PageFiller
{
	Relation index;
	PageKind kind;
	Buffer buffer;  // locked, or InvalidBuffer
};

static Page
next_page(PageFiller &filler)
{
	if (BufferIsValid(filler.buffer))
		UnlockReleaseBuffer(filler.buffer);
	CHECK_FOR_INTERRUPTS();
	filler.buffer = pg::extend_relation(filler.index);
	Page page = BufferGetPage(filler.buffer);
	init_page(page, filler.kind);
	MarkBufferDirty(filler.buffer);
	return page;
}

static void
end_pages(PageFiller &filler)
{
	if (BufferIsValid(filler.buffer))
		UnlockReleaseBuffer(filler.buffer);
	filler.buffer = InvalidBuffer;
}

static void
write_mean(BuildState *b, HnswMeta &meta)
{
	const IndexState *state = b->state;
	if (state->mean == nullptr)
		return;
	PageFiller filler{b->index, PageKind::mean, InvalidBuffer};
	uint32 per_page = kPageBodyBytes / sizeof(float);
	for (uint32 done = 0; done < meta.dimensions; done += per_page)
	{
		Page page = next_page(filler);
		if (done == 0)
			meta.mean_block = BufferGetBlockNumber(filler.buffer);
		meta.mean_pages++;
		uint32 n = meta.dimensions - done < per_page ? meta.dimensions - done : per_page;
		memcpy(PageGetContents(page), state->mean + done, n * sizeof(float));
		page_trailer(page)->crc = body_crc(page);
	}
	end_pages(filler);
}

static void
write_meta_page(Relation index, ForkNumber fork, const HnswMeta &meta)
{
	Buffer buffer = ReadBufferExtended(
		index, fork, fork == INIT_FORKNUM || RelationGetNumberOfBlocks(index) == 0 ? P_NEW : 0, RBM_NORMAL, nullptr);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	START_CRIT_SECTION();
	Page page = BufferGetPage(buffer);
	init_page(page, PageKind::meta);
	*page_meta(page) = meta;
	seal_meta(page_meta(page));
	MarkBufferDirty(buffer);
	if (fork == INIT_FORKNUM)
		log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buffer);
}

/* Where the graph's slots lie: everything follows from three block numbers. */
struct SlotMap
{
	const HnswShape *shape;
	uint32 *upper_first;  // node -> place of its slot on layer 1 among the upper slots
	uint32 *chain_first;  // sparse: node -> its first link among all links
	BlockNumber upper_block, base_block, detail_block;
	BlockNumber duplicate_block;

	uint32
	base_id(uint32 node) const
	{
		return base_block * shape->slots_per_page + node;
	}
	uint32
	detail_id(uint32 node) const
	{
		if (shape->sparse())
			return chain_first[node] == chain_first[node + 1]
					   ? kInvalidId
					   : detail_block * shape->details_per_page + chain_first[node];
		return detail_block * shape->details_per_page + node * shape->detail_pages;
	}
	uint32
	slot_id(uint32 node, uint32 layer) const
	{
		return layer == 0 ? base_id(node) : upper_block * shape->slots_per_page + upper_first[node] + layer - 1;
	}
};

static core::graph::CodeView
code_of(const BuildState *b, uint32 node)
{
	const Sq8 &sq8 = b->builder->sq8(node);
	return core::graph::CodeView{b->builder->code(node), sq8.scale, sq8.bias, sq8.norm2, b->builder->sum(node)};
}

static void
write_slot(const BuildState *b, const SlotMap &map, Page page, uint32 node, uint32 layer, uint32 duplicates)
{
	const HnswShape &shape = *map.shape;
	uint32 ordinal = b->builder->ordinal(node);
	RowChunk *chunk = chunk_of(b, ordinal);
	const Sq8 &sq8 = b->builder->sq8(node);
	uint32 id = map.slot_id(node, layer);
	NodeHeader *slot = slot_header(page, shape, id);
	slot->state = static_cast<uint8>(NodeState::live);
	slot->level = static_cast<uint8>(layer);
	slot->generation = 1;
	set_tid(slot, layer == 0 ? &chunk->tids[ordinal % kChunkRows] : nullptr);
	slot->duplicates = layer == 0 ? duplicates : kInvalidId;
	slot->link = layer > 0 ? map.slot_id(node, layer - 1) : shape.detail_bytes != 0 ? map.detail_id(node) : kInvalidId;
	if (layer > 0 && shape.tail_bytes != 0)
		set_upper_detail(*slot, CodeDetail{map.detail_id(node), 1});
	slot->scale = sq8.scale;
	slot->bias = sq8.bias;
	slot->norm2 = sq8.norm2;
	slot->error = sq8.error;
	slot->refined_error = layer == 0 ? sq8.refined_error : 0;
	if (shape.sparse())
		set_code_blocks(*slot, static_cast<uint32>(b->builder->sum(node)));
	memcpy(slot_code(slot), b->builder->code(node), shape.slot_code_bytes(*slot));
	uint32 lanes[core::graph::BeamSearch::kMaxLanes];
	uint32 ids[core::graph::BeamSearch::kMaxLanes];
	core::graph::CodeView codes[core::graph::BeamSearch::kMaxLanes];
	uint32 n = b->builder->links(node, layer, lanes);
	for (uint32 i = 0; i < n; i++)
	{
		ids[i] = map.slot_id(lanes[i], layer);
		codes[i] = code_of(b, lanes[i]);
	}
	fill_image_from(b->state, code_of(b, node), ids, codes, n, b->image);
	put_lanes(slot, shape, b->image);
	seal(slot, shape, id);
}

static void
write_upper_slots(const BuildState *b, const SlotMap &map)
{
	PageFiller filler{b->index, PageKind::node, InvalidBuffer};
	Page page = nullptr;
	uint32 done = 0;
	for (uint32 node = 0; node < b->builder->count(); node++)
		for (uint32 layer = 1; layer <= b->builder->level(node); layer++)
		{
			if (done++ % map.shape->slots_per_page == 0)
				page = next_page(filler);
			write_slot(b, map, page, node, layer, kInvalidId);
		}
	end_pages(filler);
}

static void
write_base_slots(const BuildState *b, const SlotMap &map)
{
	const HnswShape &shape = *map.shape;
	PageFiller filler{b->index, PageKind::node, InvalidBuffer};
	Page page = nullptr;
	uint32 duplicate_id = map.duplicate_block * shape.slots_per_page;
	for (uint32 node = 0; node < b->builder->count(); node++)
	{
		if (node % shape.slots_per_page == 0)
		{
			page = next_page(filler);
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, node);
		}
		uint32 ordinal = b->builder->ordinal(node), chain = kInvalidId, rows = 0;
		for (uint32 d = chunk_of(b, ordinal)->duplicates[ordinal % kChunkRows]; d != kInvalidId;
			 d = b->duplicates[d].next)
			rows++;
		if (rows > 0)
		{
			chain = duplicate_id;
			duplicate_id += (rows + shape.duplicates_per_slot() - 1) / shape.duplicates_per_slot();
		}
		write_slot(b, map, page, node, 0, chain);
	}
	end_pages(filler);
}

/* The chains of rows with equal vectors, in the order in which write_base_slots gave them out. */
static void
write_duplicates(const BuildState *b, const SlotMap &map)
{
	const HnswShape &shape = *map.shape;
	if (b->duplicate_count == 0)
		return;
	PageFiller filler{b->index, PageKind::node, InvalidBuffer};
	Page page = nullptr;
	uint32 id = map.duplicate_block * shape.slots_per_page;
	for (uint32 node = 0; node < b->builder->count(); node++)
	{
		uint32 ordinal = b->builder->ordinal(node);
		uint32 head = chunk_of(b, ordinal)->duplicates[ordinal % kChunkRows], rows = 0;
		for (uint32 d = head; d != kInvalidId; d = b->duplicates[d].next)
			rows++;
		uint32 height = (rows + shape.duplicates_per_slot() - 1) / shape.duplicates_per_slot();
		for (uint32 d = head; d != kInvalidId; height--)
		{
			if (id % shape.slots_per_page == 0)
				page = next_page(filler);
			NodeHeader *slot = slot_header(page, shape, id);
			slot->state = static_cast<uint8>(NodeState::duplicate);
			slot->generation = 1;
			slot->link = map.base_id(node);
			set_chain_height(*slot, height);
			uint32 n = 0;
			for (; d != kInvalidId && n < shape.duplicates_per_slot(); d = b->duplicates[d].next)
				slot_duplicates(slot)[n++] = b->duplicates[d].tid;
			slot->lane_count = static_cast<uint8>(n);
			slot->duplicates = d != kInvalidId ? id + 1 : kInvalidId;
			seal(slot, shape, id);
			id++;
		}
	}
	end_pages(filler);
}

static BlockNumber
write_details(const BuildState *b, const SlotMap &map)
{
	const HnswShape &shape = *map.shape;
	if (shape.detail_bytes == 0 || b->builder->count() == 0)
		return 0;
	PageFiller filler{b->index, PageKind::detail, InvalidBuffer};
	Page page = nullptr;
	BlockNumber last = 0;
	for (uint32 node = 0; node < b->builder->count() && shape.sparse(); node++)
	{
		uint32 first = map.chain_first[node], links = map.chain_first[node + 1] - first;
		for (uint32 ordinal = 0; ordinal < links; ordinal++)
		{
			if ((first + ordinal) % shape.details_per_page == 0)
				page = next_page(filler);
			last = BufferGetBlockNumber(filler.buffer);
			uint32 id = map.detail_id(node) + ordinal;
			put_link(page, shape, CodeDetail{id, 1}, ordinal, ordinal + 1 < links ? id + 1 : kInvalidId,
					 b->builder->code(node), static_cast<uint32>(b->builder->sum(node)) * kSparseBlockBytes);
		}
	}
	for (uint32 node = 0; node < b->builder->count() && !shape.sparse(); node++)
	{
		const uint8 *residual = b->coded.residual != nullptr ? b->builder->extra(node) : nullptr;
		for (uint32 part = 0; part < shape.detail_pages; part++)
		{
			if (node % shape.details_per_page == 0)
				page = next_page(filler);
			if (part == 0)
				last = BufferGetBlockNumber(filler.buffer);
			put_part(page, shape, CodeDetail{map.detail_id(node), 1}, part, b->builder->code(node), residual);
		}
	}
	end_pages(filler);
	return last;
}

/* How much of a code a slot takes is known when all rows are. */
static void
choose_slot(BuildState *b)
{
	constexpr uint32 kEnough = 64;
	IndexState *state = b->state;
	if (b->rows_of_blocks == nullptr || b->rows < kEnough)
		return;
	ShapeOptions options = shape_options(state->meta);
	options.self_dims =
		choose_sparse_self(b->rows_of_blocks, state->shape.code_dims / kSparseBlockBytes, state->meta.m);
	hnsw_shape(state->meta.dimensions, options, state->shape);
	set_geometry(state->meta, state->shape);
}

/* Where the chains of all nodes begin among the links. */
static uint32 *
place_chains(const BuildState *b)
{
	uint32 count = b->builder->count(), links = 0;
	auto *first =
		static_cast<uint32 *>(MemoryContextAllocHuge(b->context, (static_cast<Size>(count) + 1) * sizeof(uint32)));
	for (uint32 node = 0; node < count; node++)
	{
		first[node] = links;
		links += b->state->shape.chain_links(static_cast<uint32>(b->builder->sum(node)) * kSparseBlockBytes);
	}
	first[count] = links;
	return first;
}

/* Links what is left, writes all pages and logs them. After this the index is whole. */
static void
write_graph(BuildState *b)
{
	const HnswShape &shape = b->state->shape;
	if (b->held != nullptr)
		release_held(b);
	choose_slot(b);
	if (b->hash != nullptr)
		pfree(b->hash);
	b->hash = nullptr;
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, b->rows);
	pg::report(b->builder->link(find_memory(b, b->builder->list_bytes(b->rows), b->rows),
								shape.blocks != 0 ? 0 : shape.slots_per_page));
	wait_for_threads(b);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseWriting);

	HnswMeta &meta = b->state->meta;
	write_meta_page(b->index, MAIN_FORKNUM, meta);
	write_mean(b, meta);

	uint32 count = b->builder->count();
	uint32 spp = shape.slots_per_page;
	SlotMap map;
	map.shape = &shape;
	map.upper_first =
		static_cast<uint32 *>(MemoryContextAllocHuge(b->context, (static_cast<Size>(count) + 1) * sizeof(uint32)));
	uint32 upper = 0, chains = 0;
	for (uint32 node = 0; node < count; node++)
	{
		map.upper_first[node] = upper;
		upper += b->builder->level(node);
		uint32 ordinal = b->builder->ordinal(node), rows = 0;
		for (uint32 d = chunk_of(b, ordinal)->duplicates[ordinal % kChunkRows]; d != kInvalidId;
			 d = b->duplicates[d].next)
			rows++;
		chains += (rows + shape.duplicates_per_slot() - 1) / shape.duplicates_per_slot();
	}
	map.chain_first = shape.sparse() ? place_chains(b) : nullptr;
	map.upper_block = 1 + meta.mean_pages;
	map.base_block = map.upper_block + (upper + spp - 1) / spp;
	map.duplicate_block = map.base_block + (count + spp - 1) / spp;
	map.detail_block = map.duplicate_block + (chains + spp - 1) / spp;

	write_upper_slots(b, map);
	Assert(RelationGetNumberOfBlocks(b->index) == map.base_block);
	write_base_slots(b, map);
	write_duplicates(b, map);
	Assert(RelationGetNumberOfBlocks(b->index) == map.detail_block);
	meta.open_detail_block = write_details(b, map);

	meta.rows_at_build = static_cast<uint64>(b->index_tuples);
	if (count > 0)
	{
		uint32 entry = b->builder->entry();
		meta.entry_level = b->builder->level(entry);
		meta.entry_id = map.slot_id(entry, meta.entry_level);
		meta.open_node_block = map.duplicate_block - 1;
	}
	instr_time elapsed;
	INSTR_TIME_SET_CURRENT(elapsed);
	INSTR_TIME_SUBTRACT(elapsed, b->started);
	meta.build_milliseconds = static_cast<uint32>(INSTR_TIME_GET_MILLISEC(elapsed));
	write_meta_page(b->index, MAIN_FORKNUM, meta);
	if (RelationNeedsWAL(b->index))
		log_newpage_range(b->index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(b->index), true);
}

static void
build_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	auto *b = static_cast<BuildState *>(arg);
	(void) index;
	(void) alive;
	MemoryContext old = MemoryContextSwitchTo(b->row);
	const float *v = indexable_vector(b->state, values[0], isnull[0]);
	MemoryContextSwitchTo(b->context);
	if (v != nullptr)
	{
		if (b->mean_known)
			add_row(b, v, tid);
		else
		{
			hold_row(b, v, tid);
			if (b->held_count == b->held_limit)
				release_held(b);
		}
		constexpr int64 kReport = 1024;
		if (b->index_tuples % kReport == 0)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, b->index_tuples);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(b->row);
}

IndexBuildResult *
hnsw_build(Relation heap, Relation index, IndexInfo *info)
{
	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
	forget_pending(index);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw build", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *b = static_cast<BuildState *>(palloc0(sizeof(BuildState)));
	INSTR_TIME_SET_CURRENT(b->started);
	b->heap = heap;
	b->index = index;
	b->info = info;
	b->options = effective_options(index);
	b->context = context;
	b->row = AllocSetContextCreate(context, "vecdb hnsw build row", ALLOCSET_DEFAULT_SIZES);
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(index), 0);
	check_options(b, column->atttypid, column->atttypmod);
	HnswMeta meta;
	fill_meta(index, b->options, meta);
	b->state = make_state(meta);
	allocate_coded(b->state, b->coded);
	b->image = make_lane_image(b->state);
	b->mean_known = is_exact(b->state->shape.element_type);
	if (!b->mean_known)
	{
		b->scratch = static_cast<float *>(palloc(b->state->shape.code_dims * sizeof(float)));
		Size vector_bytes = b->state->shape.dimensions * sizeof(float);
		b->held_limit = static_cast<uint32>(std::min<Size>(kMeanRows, kMeanBytes / vector_bytes));
		b->held = static_cast<float *>(MemoryContextAllocHuge(context, b->held_limit * vector_bytes));
		b->held_tids = static_cast<ItemPointerData *>(palloc(b->held_limit * sizeof(ItemPointerData)));
	}
	if (b->state->shape.sparse())
		b->rows_of_blocks = static_cast<uint64 *>(palloc0((kMaxNonzero / kSparseBlockElements + 1) * sizeof(uint64)));
	b->builder = pg::own_in_context<GraphBuilder>(context);

	PG_TRY();
	{
		start_builder(b);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseLoading);
		sample_mean(b);
		if (b->mean_known && b->held != nullptr)
		{
			pfree(b->held);
			b->held = nullptr;
		}
		b->heap_tuples = table_index_build_scan(heap, index, info, true, true, build_callback, b, nullptr);
		write_graph(b);
	}
	PG_FINALLY();
	{
		b->builder->stop();
	}
	PG_END_TRY();

	storage::close_spill(b->spill);
	auto heap_tuples = b->heap_tuples;
	auto index_tuples = static_cast<double>(b->index_tuples);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	auto *result = static_cast<IndexBuildResult *>(palloc(sizeof(IndexBuildResult)));
	result->heap_tuples = heap_tuples;
	result->index_tuples = index_tuples;
	return result;
}

void
hnsw_build_empty(Relation index)
{
	HnswMeta meta;
	fill_meta(index, effective_options(index), meta);
	write_meta_page(index, INIT_FORKNUM, meta);
}

}  // namespace vecdb::hnsw
