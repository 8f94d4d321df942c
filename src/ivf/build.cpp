/* SPDX-License-Identifier: PostgreSQL
 * ambuild: all rows into lists at once. The leader (this backend) reads the table and writes the pages, threads do the rest.
 *
 * Regime: shell. The leader alone talks to PostgreSQL; the threads live in ListBuilder and are joined before any error leaves
 * (PG_FINALLY).
 * Memory: rows as float32, what there is by row and the centres are counted against maintenance_work_mem; what goes beyond lies in a
 *         temporary file that is mapped (storage/build_aid.hpp). There is no limit to rows or lists.
 * WAL:    pages are logged whole, a batch at a time (log_newpage_range), the metapage last.
 * Blocks: metapage | mean | codebooks | lists | directory. The pages of a list are neighbours.
 */
#include "ivf/handler.hpp"
#include "ivf/insert.hpp"
#include "ivf/module.hpp"
#include "ivf/state.hpp"

#include <algorithm>
#include <bit>

#include <sys/resource.h>

extern "C" {
#include "portability/instr_time.h"
}

#include "pg/context.hpp"
#include "pg/report.hpp"
#include "storage/build_aid.hpp"
#include "types/indexed.hpp"
#include "vecdb/lists/list_builder.hpp"
#include "vecdb/lists/sparse_meter.hpp"

namespace vecdb::ivf
{

using namespace core::layout;
using core::lists::ListBuilder;
using core::lists::ListPhase;
using core::lists::PageBatch;

/* Rows that the mean is taken from, about, and the blocks that they come from; with fewer than kEnough, or few blocks, the whole
 * table is read first. */
constexpr uint32 kMeanRows = 2048, kEnough = 256;
constexpr BlockNumber kMeanBlocks = 256, kFewBlocks = 16;
/* Of memory that the leader does not see: images of pages, what threads work with. */
constexpr Size kOtherBytes = 12 * 1024 * 1024;
/* Fixed, so that two builds of the same rows agree. */
constexpr uint64 kRotationSeed = 0x7665636462303032;

struct BuildState
{
	Relation heap;
	Relation index;
	IndexInfo *info;
	IvfMeta meta;
	core::lists::ListCodec codec;
	MemoryContext context;  // of the build
	MemoryContext row;      // reset for each row
	ListBuilder *builder;
	/* Of sparse vectors: finds what is near the queries, as sketches do not tell it. */
	core::lists::SparseMeter *meter;
	bool looking;
	float *sketch;
	Size used, allowed;
	storage::SpillFile spill;
	uint32 sampled_of_block, block_limit;
	float *codebooks;
	instr_time started;
	double heap_tuples;
};

/* Seconds since the build began and of all threads' CPU, for who asks what takes so long. */
static void
note_time(const BuildState *b, const char *done)
{
	instr_time now;
	struct rusage used;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, b->started);
	getrusage(RUSAGE_SELF, &used);
	double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
				 1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	ereport(DEBUG1, (errmsg_internal("ivf build: %s after %.3f s, CPU of the backend %.3f s", done,
									 INSTR_TIME_GET_DOUBLE(now), cpu)));
}

/* --- start --- */

/* The metapage of an index without rows. Errors for what cannot be built. */
static void
fill_meta(Relation index, IvfMeta &meta)
{
	const char *am = is_flat(index) ? "ivfflat" : "ivf";
	const storage::OpclassInfo *opclass = opclass_info(index);
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(index), 0);
	int dimensions = column->atttypmod;
	bool bits = opclass->element_type == static_cast<uint8>(ElementType::bit);
	/* varbit is coercible to bit, but its values have any length up to the limit. */
	if (bits && column->atttypid != BITOID)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("type not supported for %s index", am)));
	if (dimensions < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("column does not have dimensions")));
	auto columns = static_cast<uint32>(dimensions);
	auto metric = static_cast<Metric>(opclass->metric);
	const bool sparse = opclass->element_type == static_cast<uint8>(ElementType::sparse);
	uint32 row_dims = sparse ? sketch_dimensions(columns) : columns;
	IvfOptions options = effective_options(index, metric, (row_dims + 15) / 16 * 16, sparse);
	uint32 most = bits ? kMaxBits : sparse ? core::layout::kMaxSparseDimensions : kMaxDimensions;
	IvfShape shape;
	if (columns > most || !ivf_shape(row_dims, options, shape))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("column cannot have more than %u dimensions for %s index", most, am)));
	memset(&meta, 0, sizeof meta);
	meta.magic = kIvfMagic;
	meta.version = kIvfVersion;
	meta.min_reader_version = kIvfMinReaderVersion;
	meta.dimensions = columns;
	meta.sketch_dims = sparse ? row_dims : 0;
	meta.metric = opclass->metric;
	meta.element_type = opclass->element_type;
	meta.quantizer = static_cast<uint8>(options.quantizer);
	meta.rerank = static_cast<uint8>(options.rerank);
	meta.pq_segments = static_cast<uint16>(options.pq_segments);
	meta.pq_bits = static_cast<uint8>(options.pq_bits);
	meta.lists_wanted = static_cast<uint32>(given_options(index).lists);
	meta.rotation_seed = metric == Metric::l1 ? 0 : kRotationSeed;
	if (!pg_strong_random(&meta.build_id, sizeof meta.build_id))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	meta.mean_block = meta.codebook_block = kNoBlock;
	meta.directory = 1;
	meta.directory_version = 1;
	meta.next_list_id = 1;
}

static void
fill_codec(BuildState *b)
{
	const IvfMeta &meta = b->meta;
	core::lists::ListCodec &codec = b->codec;
	ivf_shape(row_dimensions(meta), ivf_options(meta), codec.shape);
	codec.space.metric = static_cast<Metric>(meta.metric);
	codec.space.dimensions = row_dimensions(meta);
	codec.space.code_dims = codec.shape.code_dims;
	if (meta.rotation_seed != 0)
	{
		auto *signs = static_cast<uint32 *>(palloc(4 * codec.shape.code_dims * sizeof(uint32)));
		codec.space.rotation = core::quantizer::rotation_init(codec.shape.code_dims, meta.rotation_seed, signs);
	}
	if (codec.shape.codes == Codes::pq4 || codec.shape.codes == Codes::pq8)
	{
		codec.books.segments = meta.pq_segments;
		codec.books.bits = meta.pq_bits;
		codec.books.code_dims = codec.shape.code_dims;
		b->codebooks = static_cast<float *>(palloc_extended(codec.books.floats() * sizeof(float), MCXT_ALLOC_HUGE));
	}
}

static void
start_builder(BuildState *b)
{
	core::lists::ListBuilderOptions options{};
	options.codec = b->codec;
	options.directory = directory_shape(b->codec.shape.code_dims);
	options.wanted = b->meta.lists_wanted;
	options.threads = storage::build_threads(b->heap);
	options.seed = kRotationSeed + static_cast<uint64>(storage::guc_build_seed);
	options.memory = static_cast<Size>(maintenance_work_mem) * 1024;
	options.sketches = b->meter != nullptr;
	b->allowed = options.memory - std::min(options.memory / 2, kOtherBytes);
	ereport(DEBUG1, (errmsg_internal("using %u build threads", options.threads)));
	pg::report(b->builder->start(options));
	auto row_bytes =
		static_cast<double>(indexed_value_bytes(b->meta.dimensions, static_cast<ElementType>(b->meta.element_type)));
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL,
								 static_cast<int64>(storage::expected_rows(b->heap, row_bytes)));
}

static core::MemorySource
find_memory(BuildState *b, Size bytes)
{
	if (b->used + bytes > b->allowed)
		return storage::spill(b->spill, bytes);
	b->used += bytes;
	return core::MemorySource{-1, 0};
}

/* --- rows in --- */

static void
add_value(BuildState *b, Datum value, bool isnull, ItemPointer tid)
{
	if (isnull)
		return;
	auto type = static_cast<ElementType>(b->meta.element_type);
	IndexedValue v = indexed_value(value, type);
	check_indexed_dimensions(v, b->meta.dimensions);
	if (b->codec.space.metric == Metric::cosine && indexed_is_zero(v))
		return;
	if (!b->builder->has_room())
		pg::report(b->builder->add_room(find_memory(b, b->builder->room_bytes())));
	RowTid name = make_tid(ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid));
	if (b->meter != nullptr && b->looking)
		b->meter->look(name, sparse_row(v));
	else if (b->meter != nullptr)
		pg::report(b->meter->offer(name, sparse_row(v), b->builder->rows()));
	b->builder->append(coded_form(v, row_dimensions(b->meta), b->sketch), name);
}

/* Where the queries were not known before all rows were read: once more, to find what is near them. */
static void
look_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	auto *b = static_cast<BuildState *>(arg);
	(void) index;
	(void) alive;
	if (isnull[0])
		return;
	MemoryContext old = MemoryContextSwitchTo(b->row);
	IndexedValue v = indexed_value(values[0], static_cast<ElementType>(b->meta.element_type));
	if (b->codec.space.metric != Metric::cosine || !indexed_is_zero(v))
		b->meter->look(make_tid(ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid)), sparse_row(v));
	MemoryContextSwitchTo(old);
	MemoryContextReset(b->row);
}

static void
build_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	auto *b = static_cast<BuildState *>(arg);
	(void) index;
	(void) alive;
	MemoryContext old = MemoryContextSwitchTo(b->row);
	add_value(b, values[0], isnull[0], tid);
	MemoryContextSwitchTo(old);
	MemoryContextReset(b->row);
	constexpr uint32 kReport = 1024;
	if (b->builder->rows() % kReport == 0)
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, b->builder->rows());
		pg::report(b->builder->convert_some());
	}
}

static void
sample_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	auto *b = static_cast<BuildState *>(arg);
	(void) index;
	(void) alive;
	if (b->sampled_of_block == b->block_limit)
		return;
	uint32 before = b->builder->rows();
	MemoryContext old = MemoryContextSwitchTo(b->row);
	add_value(b, values[0], isnull[0], tid);
	MemoryContextSwitchTo(old);
	MemoryContextReset(b->row);
	b->sampled_of_block += b->builder->rows() - before;
}

static bool
may_have_origin(const BuildState *b)
{
	Metric metric = b->codec.space.metric;
	return metric != Metric::l1 && metric != Metric::inner_product;
}

/* The origin of codes from the rows that the builder has; for metrics that may have one. */
static void
take_mean(BuildState *b)
{
	if (b->meter != nullptr)
	{
		pg::report(b->meter->begin());
		pg::report(b->builder->use_queries(b->meter->numbers(), b->meter->queries()));
		b->looking = true;
	}
	if (!may_have_origin(b))
	{
		pg::report(b->builder->set_mean(nullptr, 0));
		return;
	}
	auto *mean = static_cast<float *>(palloc(row_dimensions(b->meta) * sizeof(float)));
	double norm = 0;
	bool found;
	pg::report(b->builder->find_mean(mean, &norm, &found));
	if (found)
	{
		b->codec.space.mean = mean;
		b->codec.space.mean_norm = norm;
	}
	pg::report(b->builder->set_mean(b->codec.space.mean, b->codec.space.mean_norm));
}

/* The mean, and queries, from a spread of blocks, so that the threads have work while the table is read. A table may be sorted,
 * and its first rows far from the others. False: too few blocks, or too few rows in them. */
static bool
take_sample(BuildState *b)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(b->heap);
	BlockNumber visits = std::min(blocks, kMeanBlocks);
	if (blocks < kFewBlocks)
		return false;
	b->block_limit = (kMeanRows + visits - 1) / visits;
	for (BlockNumber i = 0; i < visits; i++)
	{
		CHECK_FOR_INTERRUPTS();
		auto block = static_cast<BlockNumber>(static_cast<uint64>(blocks) * i / visits);
		b->sampled_of_block = 0;
		table_index_build_range_scan(b->heap, b->index, b->info, false, false, false, block, 1, sample_callback, b,
									 nullptr);
	}
	bool enough = b->builder->rows() >= kEnough;
	if (enough)
		take_mean(b);
	b->builder->forget_rows();
	if (b->meter != nullptr && !enough)
		b->meter->forget();
	return enough;
}

static void
read_table(BuildState *b)
{
	bool known = take_sample(b);
	b->heap_tuples = table_index_build_scan(b->heap, b->index, b->info, true, true, build_callback, b, nullptr);
	if (!known)
		take_mean(b);
	if (!known && b->meter != nullptr)
		table_index_build_scan(b->heap, b->index, b->info, true, false, look_callback, b, nullptr);
	if (b->meter != nullptr)
		pg::report(b->builder->use_nearest(b->meter->nearest(), core::lists::SparseMeter::kNear));
}

/* --- lists --- */

static void
wait_for_threads(BuildState *b)
{
	int64 phase = 0, reported = -1;
	while (!b->builder->wait_idle(20))
	{
		CHECK_FOR_INTERRUPTS();
		int64 now = b->builder->phase() == ListPhase::clustering ? kPhaseKmeans : kPhaseAssign;
		if (now != phase && phase != 0)
			note_time(b, "centres found");
		if (now != phase)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, phase = now);
		int64 done = static_cast<int64>(b->builder->assigned());
		if (done != reported)
			pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, reported = done);
	}
	CHECK_FOR_INTERRUPTS();
	pg::report(b->builder->status());
}

static void
make_lists(BuildState *b)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseKmeans);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL, b->builder->rows());
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, 0);
	core::MemorySource rows = find_memory(b, b->builder->row_bytes());
	core::MemorySource centres = find_memory(b, b->builder->centre_bytes());
	pg::report(b->builder->cluster(rows, centres, b->codebooks));
	wait_for_threads(b);
}

/* --- pages out --- */

/* floats in consecutive vector pages; the first one's block. */
static BlockNumber
write_floats(Relation index, const float *floats, Size n)
{
	constexpr Size kPerPage = kPageBodyBytes / sizeof(float);
	BlockNumber first = InvalidBlockNumber;
	for (Size done = 0; done < n; done += kPerPage)
	{
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = pg::extend_relation(index);
		if (done == 0)
			first = BufferGetBlockNumber(buffer);
		Page page = BufferGetPage(buffer);
		init_page(page, IvfPageKind::vector);
		memcpy(PageGetContents(page), floats + done, std::min(kPerPage, n - done) * sizeof(float));
		page_trailer(page)->crc = body_crc(page);
		MarkBufferDirty(buffer);
		UnlockReleaseBuffer(buffer);
	}
	return first;
}

static void
write_meta_page(Relation index, ForkNumber fork, const IvfMeta &meta)
{
	Buffer buffer = ReadBufferExtended(
		index, fork, fork == INIT_FORKNUM || RelationGetNumberOfBlocks(index) == 0 ? P_NEW : 0, RBM_NORMAL, nullptr);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	START_CRIT_SECTION();
	Page page = BufferGetPage(buffer);
	init_page(page, IvfPageKind::meta);
	*page_meta(page) = meta;
	seal_meta(page_meta(page));
	MarkBufferDirty(buffer);
	if (fork == INIT_FORKNUM)
		log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buffer);
}

static void
log_pages(Relation index, BlockNumber first, BlockNumber end)
{
	if (RelationNeedsWAL(index))
		log_newpage_range(index, MAIN_FORKNUM, first, end, true);
}

static void
write_batch(BuildState *b, const PageBatch &batch)
{
	for (uint32 i = 0; i < batch.pages; i++)
	{
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = pg::extend_relation(b->index);
		Assert(BufferGetBlockNumber(buffer) == batch.first_block + i);
		Page page = BufferGetPage(buffer);
		const uint8 *image = batch.images + static_cast<Size>(i) * BLCKSZ;
		init_page(page, IvfPageKind::list);
		memcpy(page + kPageHeaderBytes, image + kPageHeaderBytes, BLCKSZ - kPageHeaderBytes);
		uint16 end;
		memcpy(&end, image, sizeof end);
		reinterpret_cast<PageHeader>(page)->pd_lower = end;
		MarkBufferDirty(buffer);
		UnlockReleaseBuffer(buffer);
	}
	log_pages(b->index, batch.first_block, batch.first_block + batch.pages);
}

static void
write_lists(BuildState *b)
{
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, kPhaseLoad);
	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, 0);
	pg::report(b->builder->lay_out(RelationGetNumberOfBlocks(b->index)));
	core::Status status;
	bool more = b->builder->begin_batch(status);
	while (more)
	{
		pg::report(status);
		while (!b->builder->wait_idle(20))
			CHECK_FOR_INTERRUPTS();
		pg::report(b->builder->status());
		PageBatch batch = b->builder->batch();
		more = b->builder->begin_batch(status);
		write_batch(b, batch);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, static_cast<int64>(batch.rows));
	}
	pg::report(status);
}

static void
write_index(BuildState *b)
{
	IvfMeta &meta = b->meta;
	write_meta_page(b->index, MAIN_FORKNUM, meta);
	if (b->codec.space.mean != nullptr)
		meta.mean_block = write_floats(b->index, b->codec.space.mean, row_dimensions(meta));
	if (b->codebooks != nullptr && b->builder->rows() > 0)
	{
		meta.codebook_block = write_floats(b->index, b->codebooks, b->codec.books.floats());
		meta.code_deviation = std::bit_cast<uint32>(b->builder->deviation());
	}
	log_pages(b->index, 1, RelationGetNumberOfBlocks(b->index));
	write_lists(b);
	const ListBuilder *builder = b->builder;
	meta.directory = builder->directory_block();
	meta.list_count = builder->lists();
	meta.next_list_id = meta.list_count + 1;
	meta.rows_at_build = builder->rows();
	if (builder->probes(meta.probes))
		meta.trained_lists = meta.list_count;
	instr_time elapsed;
	INSTR_TIME_SET_CURRENT(elapsed);
	INSTR_TIME_SUBTRACT(elapsed, b->started);
	meta.build_milliseconds = static_cast<uint32>(INSTR_TIME_GET_MILLISEC(elapsed));
	write_meta_page(b->index, MAIN_FORKNUM, meta);
	log_pages(b->index, 0, 1);
}

IndexBuildResult *
ivf_build(Relation heap, Relation index, IndexInfo *info)
{
	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));
	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf build", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *b = static_cast<BuildState *>(palloc0(sizeof(BuildState)));
	INSTR_TIME_SET_CURRENT(b->started);
	b->heap = heap;
	b->index = index;
	b->info = info;
	b->context = context;
	b->row = AllocSetContextCreate(context, "vecdb ivf build row", ALLOCSET_DEFAULT_SIZES);
	fill_meta(index, b->meta);
	fill_codec(b);
	b->builder = pg::own_in_context<ListBuilder>(context);
	if (b->meta.sketch_dims != 0)
	{
		b->sketch = static_cast<float *>(palloc(b->meta.sketch_dims * sizeof(float)));
		b->meter = pg::own_in_context<core::lists::SparseMeter>(context);
		pg::report(b->meter->start(b->codec.space.metric, kRotationSeed));
	}

	PG_TRY();
	{
		start_builder(b);
		note_time(b, "started");
		read_table(b);
		note_time(b, "table read");
		make_lists(b);
		note_time(b, "lists made");
		write_index(b);
		note_time(b, "pages written");
	}
	PG_FINALLY();
	{
		b->builder->stop();
	}
	PG_END_TRY();

	storage::close_spill(b->spill);
	auto heap_tuples = b->heap_tuples;
	auto index_tuples = static_cast<double>(b->builder->rows());
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	auto *result = static_cast<IndexBuildResult *>(palloc(sizeof(IndexBuildResult)));
	result->heap_tuples = heap_tuples;
	result->index_tuples = index_tuples;
	return result;
}

/* The init fork of an unlogged index: a metapage and an empty directory. */
void
ivf_build_empty(Relation index)
{
	IvfMeta meta;
	fill_meta(index, meta);
	write_meta_page(index, INIT_FORKNUM, meta);
	IvfShape shape = directory_shape((row_dimensions(meta) + 15) / 16 * 16);
	Buffer buffer = ReadBufferExtended(index, INIT_FORKNUM, P_NEW, RBM_NORMAL, nullptr);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	START_CRIT_SECTION();
	Page page = BufferGetPage(buffer);
	init_page(page, IvfPageKind::list);
	reinterpret_cast<PageHeader>(page)->pd_lower = static_cast<LocationIndex>(shape.first_block);
	ListHeader *header = list_header(page);
	header->next = kNoBlock;
	header->head = header->insert_block = meta.directory;
	header->flags = kListHead | kListDirectory;
	MarkBufferDirty(buffer);
	log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buffer);
}

char *
ivf_build_phase_name(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE: return pstrdup("initializing");
		case kPhaseKmeans: return pstrdup("performing k-means");
		case kPhaseAssign: return pstrdup("assigning tuples");
		case kPhaseLoad: return pstrdup("loading tuples");
		default: return nullptr;
	}
}

}  // namespace vecdb::ivf
