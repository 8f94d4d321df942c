/* SPDX-License-Identifier: PostgreSQL
 * vecdb.index_info(): what an index is and what is in it, one row for an index of any method of ours.
 *
 * Regime: shell.
 * Reads every page once, in block order, with a share lock for the moment: rows and lists that change meanwhile are counted
 * as they were when their page was read.
 * Locks:  AccessShareLock on table and index.
 */
#include "maintenance/own_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "hnsw/handler.hpp"
#include "hnsw/module.hpp"
#include "hnsw/state.hpp"
#include "ivf/module.hpp"
#include "ivf/state.hpp"
#include "pg/report.hpp"
#include "types/indexed.hpp"

namespace vecdb::maintenance
{

using namespace core::layout;

struct Info
{
	const char *method;
	uint8 metric;
	uint32 dimensions;
	uint8 element_type;
	uint64 rows;
	uint64 live, dead, reusable;  // slots
	BlockNumber blocks, free_pages;
	const char *storage;
	bool has_lists;
	uint32 lists;
	double list_min, list_max, list_sum, list_squares;  // rows
	uint32 build_milliseconds;
	StringInfoData parameters;  // JSON object without its braces
};

/* Calls visit(page, blkno) for each page but the metapage and those never used, share-locked. */
template <class Visit>
static void
visit_pages(Relation index, Info &info, Visit visit)
{
	BufferAccessStrategy strategy = GetAccessStrategy(BAS_BULKREAD);
	info.blocks = RelationGetNumberOfBlocks(index);
	for (BlockNumber blkno = 1; blkno < info.blocks; blkno++)
	{
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = ReadBufferExtended(index, MAIN_FORKNUM, blkno, RBM_NORMAL, strategy);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		const char *fault = nullptr;
		if (PageIsNew(page))
			info.free_pages++;
		else
			fault = visit(page, blkno);
		UnlockReleaseBuffer(buffer);
		if (fault != nullptr)
			pg::report_corrupt(index, blkno, fault);
	}
	FreeAccessStrategy(strategy);
}

static void pg_attribute_printf(3, 4) parameter(Info &info, const char *name, const char *format, ...)
{
	char text[64];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	appendStringInfo(&info.parameters, "%s\"%s\": %s", info.parameters.len > 0 ? ", " : "", name, text);
}

/* --- hnsw --- */

static const char *
count_nodes(Page page, const HnswShape &shape, Info &info)
{
	if (hnsw::page_is(page, PageKind::detail) || hnsw::page_is(page, PageKind::mean))
		return nullptr;
	if (!hnsw::page_is(page, PageKind::node))
		return "unexpected kind of page";
	for (uint32 i = 0; i < shape.slots_per_page; i++)
	{
		auto *node = reinterpret_cast<const NodeHeader *>(page + shape.first_slot + i * shape.slot_bytes);
		const char *fault = check_node(*node, shape);
		if (fault != nullptr)
			return fault;
		switch (static_cast<NodeState>(node->state))
		{
			case NodeState::free: info.reusable++; break;
			case NodeState::dead: info.dead++; break;
			case NodeState::live:
				info.live++;
				info.rows += node->level == 0 && node->tid_offset != 0 ? 1 : 0;
				break;
			case NodeState::duplicate:
				info.live++;
				info.rows += node->lane_count;
				break;
		}
	}
	return nullptr;
}

static void
look_into_hnsw(Relation index, Info &info)
{
	hnsw::HnswMeta meta;
	hnsw::read_meta(index, meta);
	HnswShape shape;
	hnsw_shape(meta.dimensions, shape_options(meta), shape);
	visit_pages(index, info, [&](Page page, BlockNumber) { return count_nodes(page, shape, info); });
	info.metric = meta.metric;
	info.dimensions = meta.dimensions;
	info.element_type = meta.element_type;
	info.build_milliseconds = meta.build_milliseconds;
	bool fused = meta.layout == static_cast<uint8>(Layout::fused);
	bool exact = is_exact(static_cast<ElementType>(meta.element_type));
	info.storage = exact ? "compact, exact" : psprintf("%s, %u bits", fused ? "fused" : "compact", meta.precision);
	parameter(info, "m", "%u", meta.m);
	parameter(info, "ef_construction", "%u", meta.ef_construction);
	parameter(info, "layout", "\"%s\"", fused ? "fused" : "compact");
	if (!exact)
		parameter(info, "precision", "%u", meta.precision);
	if (fused)
		parameter(info, "code_dims", "%u", meta.sign_dims);
	parameter(info, "ef_search", "%d", hnsw::guc_ef_search);
	parameter(info, "rows_at_build", UINT64_FORMAT, meta.rows_at_build);
	parameter(info, "format", "%u", meta.version);
}

/* --- ivf, ivfflat --- */

/* The lists by the block of their first page. */
struct Lists
{
	uint32 *rows;
	uint16 *flags;  // ListFlags of the first page
	BlockNumber blocks;
	uint64 lanes;  // on pages of rows, used or not
};

static const char *
count_lanes(Page page, BlockNumber blkno, const IvfShape &rows, const IvfShape &directory, Lists &lists, Info &info)
{
	if (ivf::page_is(page, IvfPageKind::free))
	{
		info.free_pages++;
		return nullptr;
	}
	if (ivf::page_is(page, IvfPageKind::slots) || ivf::page_is(page, IvfPageKind::vector))
		return nullptr;
	if (!ivf::page_is(page, IvfPageKind::list))
		return "unexpected kind of page";
	const ListHeader *header = ivf::list_header(page);
	bool is_directory = (header->flags & kListDirectory) != 0;
	const IvfShape &shape = is_directory ? directory : rows;
	const char *fault = check_list_header(*header, shape);
	if (fault != nullptr)
		return fault;
	if (header->head == blkno)
		lists.flags[blkno] = static_cast<uint16>(header->flags | kListHead);
	uint32 live = 0;
	for (uint32 i = 0; i < header->blocks; i++)
	{
		auto *block = reinterpret_cast<const BlockHeader *>(page + shape.block_offset(i));
		live += static_cast<uint32>(std::popcount(block->live));
	}
	if (is_directory)
		return nullptr;
	/* Of a list that has come meanwhile. */
	if (header->head >= lists.blocks)
		return nullptr;
	lists.rows[header->head] += live;
	lists.lanes += header->blocks * kLanes;
	return nullptr;
}

static const char *
quantizer_name(uint8 quantizer)
{
	switch (static_cast<Quantizer>(quantizer))
	{
		case Quantizer::automatic: return "auto";
		case Quantizer::rabitq: return "rabitq";
		case Quantizer::rabitq4: return "rabitq4";
		case Quantizer::sq8: return "sq8";
		case Quantizer::pq: return "pq";
		case Quantizer::half: return "half";
		case Quantizer::none: return "none";
		case Quantizer::bit: return "bit";
	}
	return "unknown";
}

static const char *
rerank_name(uint8 rerank)
{
	switch (static_cast<Rerank>(rerank))
	{
		case Rerank::automatic: return "auto";
		case Rerank::none: return "none";
		case Rerank::sq8: return "sq8";
		case Rerank::half: return "half";
		case Rerank::heap: return "heap";
	}
	return "unknown";
}

static void
add_up_lists(const Lists &lists, Info &info)
{
	info.has_lists = true;
	uint64 in_lists = 0, gone = 0;
	for (BlockNumber i = 0; i < lists.blocks; i++)
	{
		bool head = (lists.flags[i] & kListHead) != 0;
		if (!head || (lists.flags[i] & kListGone) != 0)
		{
			gone += lists.rows[i];
			continue;
		}
		if ((lists.flags[i] & kListDirectory) != 0)
			continue;
		double n = lists.rows[i];
		info.list_min = info.lists == 0 ? n : std::min(info.list_min, n);
		info.list_max = std::max(info.list_max, n);
		info.list_sum += n;
		info.list_squares += n * n;
		in_lists += lists.rows[i];
		info.lists++;
	}
	info.rows = info.live = in_lists;
	info.dead = gone;
	info.reusable = lists.lanes - in_lists - gone;
}

static void
look_into_ivf(Relation index, Info &info)
{
	ivf::IvfMeta meta;
	ivf::read_meta(index, meta);
	IvfShape shape;
	ivf_shape(row_dimensions(meta), core::layout::ivf_options(meta), shape);
	IvfShape directory = directory_shape(shape.code_dims);
	Lists lists{};
	lists.blocks = RelationGetNumberOfBlocks(index);
	constexpr int kHow = MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO;
	lists.rows =
		static_cast<uint32 *>(MemoryContextAllocExtended(CurrentMemoryContext, lists.blocks * sizeof(uint32), kHow));
	lists.flags =
		static_cast<uint16 *>(MemoryContextAllocExtended(CurrentMemoryContext, lists.blocks * sizeof(uint16), kHow));
	visit_pages(index, info, [&](Page page, BlockNumber blkno) {
		return blkno < lists.blocks ? count_lanes(page, blkno, shape, directory, lists, info) : nullptr;
	});
	add_up_lists(lists, info);
	info.metric = meta.metric;
	info.dimensions = meta.dimensions;
	info.element_type = meta.element_type;
	info.build_milliseconds = meta.build_milliseconds;
	const char *quantizer = quantizer_name(meta.quantizer);
	bool reranks = meta.rerank != static_cast<uint8>(Rerank::none);
	info.storage = reranks ? psprintf("%s, rerank %s", quantizer, rerank_name(meta.rerank)) : quantizer;
	parameter(info, "lists", "%u", meta.lists_wanted);
	parameter(info, "quantizer", "\"%s\"", quantizer);
	parameter(info, "rerank", "\"%s\"", rerank_name(meta.rerank));
	if (meta.quantizer == static_cast<uint8>(Quantizer::pq))
	{
		parameter(info, "pq_segments", "%u", meta.pq_segments);
		parameter(info, "pq_bits", "%u", meta.pq_bits);
	}
	parameter(info, "probes", "%u", ivf::wanted_probes(meta));
	if (meta.trained_lists != 0)
		parameter(info, "measured_probes", "[%u, %u, %u, %u]", meta.probes[0], meta.probes[1], meta.probes[2],
				  meta.probes[3]);
	parameter(info, "rows_at_build", UINT64_FORMAT, meta.rows_at_build);
	parameter(info, "splits", "%u", meta.splits);
	parameter(info, "format", "%u", meta.version);
}

static Datum
result_row(FunctionCallInfo fcinfo, Info &info)
{
	constexpr int kColumns = 19;
	TupleDesc desc;
	if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE || desc->natts != kColumns)
		elog(ERROR, "return type of index_info is not the one it was created with");
	double bytes = static_cast<double>(info.blocks) * BLCKSZ;
	double a_row = info.rows > 0 ? bytes / static_cast<double>(info.rows) : 0;
	auto type = static_cast<ElementType>(info.element_type);
	/* Values of sparse vectors have lengths of their own, which are not asked for. */
	bool no_ratio = info.rows == 0 || type == ElementType::sparse;
	double value_bytes = static_cast<double>(indexed_value_bytes(info.dimensions, type));
	double mean = info.lists > 0 ? info.list_sum / info.lists : 0;
	double variance = info.lists > 0 ? std::max(0.0, info.list_squares / info.lists - mean * mean) : 0;
	Datum values[kColumns];
	bool nulls[kColumns] = {};
	int n = 0;
	auto put = [&](Datum value, bool isnull = false) {
		nulls[n] = isnull;
		values[n++] = value;
	};
	auto put_count = [&](uint64 count) { put(Int64GetDatum(static_cast<int64>(count))); };
	put(CStringGetTextDatum(info.method));
	put(CStringGetTextDatum(core::distance::metric_name(static_cast<core::distance::Metric>(info.metric))));
	put(Int32GetDatum(static_cast<int32>(info.dimensions)));
	put_count(info.rows);
	put_count(info.live);
	put_count(info.dead);
	put_count(info.reusable);
	put_count(info.free_pages);
	put(CStringGetTextDatum(info.storage));
	put_count(static_cast<uint64>(info.blocks) * BLCKSZ);
	put(Float8GetDatum(a_row), info.rows == 0);
	put(Float8GetDatum(no_ratio ? 0 : value_bytes / a_row), no_ratio);
	put(Int32GetDatum(static_cast<int32>(info.lists)), !info.has_lists);
	put(Int64GetDatum(static_cast<int64>(info.list_min)), info.lists == 0);
	put(Float8GetDatum(mean), info.lists == 0);
	put(Int64GetDatum(static_cast<int64>(info.list_max)), info.lists == 0);
	put(Float8GetDatum(mean > 0 ? std::sqrt(variance) / mean : 0), info.lists == 0);
	put(Float8GetDatum(info.build_milliseconds / 1000.0));
	const char *json = psprintf("{%s}", info.parameters.data);
	put(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	Assert(n == kColumns);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

}  // namespace vecdb::maintenance

using namespace vecdb;

VECDB_FUNCTION(vecdb_index_info)
{
	maintenance::OwnIndex own =
		maintenance::open_own_index(PG_GETARG_OID(0), AccessShareLock, maintenance::Viewer::monitor);
	maintenance::Info info{};
	initStringInfo(&info.parameters);
	info.method = maintenance::method_name(own.index, own.method);
	if (own.method == maintenance::Method::hnsw)
		maintenance::look_into_hnsw(own.index, info);
	else
		maintenance::look_into_ivf(own.index, info);
	maintenance::close_own_index(own);
	PG_RETURN_DATUM(maintenance::result_row(fcinfo, info));
}
