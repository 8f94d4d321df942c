/* SPDX-License-Identifier: PostgreSQL
 * Page visits of the HNSW search.
 *
 * Regime: shell.
 * Locks:  one share-locked page at a time.
 * A visit costs memory latency, not instructions: the buffer is found by hint (ReadRecentBuffer: no hash lookup), and
 * the descriptor and the slot's lines of the visits to come are prefetched through the same hint.
 * A hint may be stale at any time: nothing but a prefetch looks at it without the pin.
 */
#include "hnsw/store.hpp"
#include "hnsw/chains.hpp"
#include "hnsw/details.hpp"
#include "hnsw/lanes.hpp"
#include "hnsw/scorer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

extern "C" {
#include "port/pg_crc32c.h"
}

#include "pg/report.hpp"
#include "vecdb/quantizer/scalar.hpp"

namespace vecdb::hnsw
{

using core::graph::BeamSearch;
using core::graph::CodeQuery;
using core::graph::Interval;
using core::graph::kFarthest;
using core::graph::Scored;
using core::layout::is_exact;
using core::layout::kSparseBlockBytes;

/* Of the visits of one batch, so many are brought in ahead of the one being scored, so many lines each. */
constexpr unsigned kBatch = 128;
constexpr unsigned kAhead = 4;
constexpr uint32 kLinesAhead = 16;
constexpr uint32 kNodeLinesAhead = 48;

void
to_code_space(const IndexState *state, const float *v, float *out, double *norm)
{
	uint32 n = state->shape.dimensions, padded = state->shape.code_dims;
	if (state->metric == Metric::cosine || norm != nullptr)
	{
		double norm2 = 0;
		for (uint32 i = 0; i < n; i++)
			norm2 += static_cast<double>(v[i]) * v[i];
		double length = std::sqrt(norm2);
		if (norm != nullptr)
			*norm = length;
		if (state->metric == Metric::cosine)
		{
			for (uint32 i = 0; i < n; i++)
				out[i] = length > 0 ? static_cast<float>(v[i] / length) : 0.0f;
			v = out;
		}
	}
	if (state->mean != nullptr)
		for (uint32 i = 0; i < n; i++)
			out[i] = v[i] - state->mean[i];
	else if (v != out)
		memcpy(out, v, n * sizeof(float));
	for (uint32 i = n; i < padded; i++)
		out[i] = 0;
	if (state->rotation.signs != nullptr)
		core::quantizer::rotate(state->rotation, out);
}

/* What the codes of an index of that type are. */
static ElementType
element_type(const IndexState *state)
{
	return state->shape.element_type;
}

const float *
make_sparse_row(const IndexState *state, const SparseView &v)
{
	double norm2 = 0;
	for (int i = 0; i < v.nnz; i++)
	{
		float x;
		memcpy(&x, v.values + i, sizeof x);
		norm2 += static_cast<double>(x) * x;
	}
	auto *row = static_cast<SparseRow *>(palloc0(sizeof(SparseRow)));
	row->norm = std::sqrt(norm2);
	auto count = static_cast<Size>(v.nnz);
	row->blocks = core::quantizer::sparse_blocks(count);
	row->code = static_cast<uint8 *>(palloc(static_cast<Size>(row->blocks) * kSparseBlockBytes + 1));
	bool unit = state->metric == Metric::cosine && row->norm > 0;
	row->sq8 = core::graph::encode_sparse(v.indices, v.values, count, unit ? row->norm : 1, row->code);
	return as_row(row);
}

void
allocate_coded(const IndexState *state, CodedVector &coded)
{
	coded.residual = nullptr;
	if (state->shape.sparse())
	{
		coded.code = nullptr;  // that of the row
		return;
	}
	coded.code = static_cast<uint8 *>(palloc(state->shape.code_dims));
	coded.residual = state->meta.precision == 16 ? static_cast<uint8 *>(palloc(state->shape.code_dims)) : nullptr;
}

void
encode_vector(const IndexState *state, const float *v, float *scratch, CodedVector &coded)
{
	switch (element_type(state))
	{
		case ElementType::bit:
			coded.sq8 =
				core::graph::encode_bits(reinterpret_cast<const uint8 *>(v), state->shape.dimensions, coded.code);
			coded.sum = 0;
			return;
		case ElementType::sparse:
		{
			const SparseRow *row = sparse_row(v);
			coded.sq8 = row->sq8;
			coded.sum = static_cast<int32>(row->blocks);
			coded.code = row->code;
			return;
		}
		case ElementType::float32:
		case ElementType::half:
		case ElementType::int8: break;
	}
	to_code_space(state, v, scratch, nullptr);
	coded.sq8 = core::quantizer::sq8_encode(scratch, state->shape.code_dims,
											state->metric == Metric::l1 ? core::quantizer::ErrorNorm::absolute_sum
																		: core::quantizer::ErrorNorm::euclidean,
											coded.code, coded.residual);
	coded.sum = core::graph::code_sum(coded.code, state->shape.code_dims);
}

static CodeQuery *
exact_query(const IndexState *state, const uint8 *code, uint32 blocks, double norm)
{
	const HnswShape &shape = state->shape;
	auto *query = static_cast<CodeQuery *>(palloc(sizeof(CodeQuery)));
	if (!shape.sparse())
	{
		*query = core::graph::make_bit_query(core::distance::kernels(), state->metric, code, shape.code_dims);
		return query;
	}
	void *memory = palloc(core::quantizer::sparse_query_bytes(blocks, shape.dimensions));
	*query = core::graph::make_sparse_query(
		state->metric, core::quantizer::sparse_query(code, blocks, shape.dimensions, memory), norm);
	return query;
}

CodeQuery *
exact_node_query(Relation index, const IndexState *state, uint32 id, const NodeCopy &node)
{
	const HnswShape &shape = state->shape;
	auto blocks = static_cast<uint32>(node.sum);
	if (shape.sparse() && !core::quantizer::sparse_valid(node.code, blocks, shape.dimensions))
		pg::report_corrupt(index, shape.block_of(id), "the code of a node is not that of a sparse vector");
	return exact_query(state, node.code, blocks, 0);
}

CodeQuery *
make_query(const IndexState *state, const float *v)
{
	if (element_type(state) == ElementType::sparse)
		return exact_query(state, sparse_row(v)->code, sparse_row(v)->blocks, sparse_row(v)->norm);
	if (element_type(state) == ElementType::bit)
	{
		auto *code = static_cast<uint8 *>(palloc(state->shape.code_dims));
		core::graph::encode_bits(reinterpret_cast<const uint8 *>(v), state->shape.dimensions, code);
		return exact_query(state, code, 0, 0);
	}
	uint32 n = state->shape.code_dims;
	auto *q = static_cast<float *>(palloc(n * sizeof(float)));
	auto *codes = static_cast<int16 *>(palloc(n * sizeof(int16)));
	double norm;
	to_code_space(state, v, q, &norm);
	auto *query = static_cast<CodeQuery *>(palloc(sizeof(CodeQuery)));
	*query = core::graph::make_code_query(state->metric, core::quantizer::sq8_query(q, n, codes),
										  state->shape.dimensions, norm, state->mean_norm);
	return query;
}

uint32
node_crc(const NodeHeader *node, const HnswShape &shape, uint32 id)
{
	NodeHeader head = *node;
	pg_crc32c crc;
	head.crc = 0;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, &id, sizeof id);
	if (head.state == static_cast<uint8>(NodeState::duplicate))
		COMP_CRC32C(crc, reinterpret_cast<const char *>(node + 1), head.lane_count * core::layout::kTidBytes);
	else
	{
		head.lane_count = 0;
		head.add_exponent = head.mul_exponent = 0;
		COMP_CRC32C(crc, reinterpret_cast<const char *>(node + 1), shape.self_dims);
	}
	COMP_CRC32C(crc, &head, offsetof(NodeHeader, crc));
	FIN_CRC32C(crc);
	return crc;
}

PageStore
open_store(Relation index, IndexState *state, const CodeQuery *query)
{
	PageStore store;
	store.index = index;
	store.state = state;
	store.kernels = &core::distance::kernels();
	store.query = query;
	store.scorer = nullptr;
	store.budget = nullptr;
	store.ticks = 0;
	store.layer = 0;
	store.blocks = RelationGetNumberOfBlocks(index);
	store.scratch = nullptr;
	memset(static_cast<void *>(&store.exact), 0, sizeof store.exact);
	if (is_exact(state->shape.element_type))
		allocate_code(state->shape, CurrentMemoryContext, store.exact);
	else
		store.scratch = static_cast<uint8 *>(palloc(2 * state->shape.code_dims));
	store.counters = ScanCounters{0, 0, 0};
	return store;
}

void
PageStore::check_id(uint32 id, BlockNumber from)
{
	if (likely(core::layout::valid_id(id, state->shape, blocks)))
		return;
	/* Another backend may have extended the index since. */
	blocks = RelationGetNumberOfBlocks(index);
	if (!core::layout::valid_id(id, state->shape, blocks))
		pg::report_corrupt(index, from, "invalid neighbor address");
}

Buffer
PageStore::visit(BlockNumber blkno, int lock)
{
	int32 hint = blkno < state->hint_blocks ? state->hints[blkno] : 0;
	Buffer buffer;
	counters.visits++;
	if (hint > 0 && hint <= NBuffers && !pg::buffer_looks_cold(hint) && pg::read_recent_buffer(index, blkno, hint))
		buffer = hint;
	else
	{
		counters.hint_misses++;
		buffer = ReadBuffer(index, blkno);
		if (blkno < state->hint_blocks)
			state->hints[blkno] = buffer;
	}
	LockBuffer(buffer, lock);
	return buffer;
}

/*
 * Begin to bring in the line at p. A prefetch instruction is dropped where its page misses the TLB, which on 4 kB pages
 * most do (measured: 220 ns a visit left of the miss), so this is a load; several of them overlap. The value is not
 * used, so it does not matter who writes there.
 */
static inline uint32
touch(const char *p)
{
	return static_cast<unsigned char>(*static_cast<const volatile char *>(p));
}

/* p, known to the processor only when `touched` has arrived: a prefetch through it cannot run ahead of the TLB. */
static inline const char *
after(const char *p, uint32 touched)
{
	uint32 zero;
	__asm__("" : "=r"(zero) : "0"(0));
	return p + (touched & zero);
}

/*
 * Where a page probably lies, through the hint only; null without one. Not to be trusted without the pin. Begins to bring in
 * the buffer's descriptor.
 */
static inline const char *
guess_page(const IndexState *state, BlockNumber blkno)
{
	int32 hint = blkno < state->hint_blocks ? state->hints[blkno] : 0;
	if (hint <= 0 || hint > NBuffers)
		return nullptr;
	/* Read without a lock: a wrong answer costs a prefetch. */
	BlockNumber holds = *static_cast<const volatile BlockNumber *>(&GetBufferDescriptor(hint - 1)->tag.blockNum);
	return holds == blkno ? BufferBlocks + static_cast<Size>(hint - 1) * BLCKSZ : nullptr;
}

static inline const char *
guess_address(const IndexState *state, uint32 id)
{
	const char *page = guess_page(state, state->shape.block_of(id));
	return page == nullptr ? nullptr : page + state->shape.slot_offset(id);
}

/* For a page without a good hint: renews it, or, where the page is not in shared buffers, begins to read it from disk. */
static pg_noinline void
begin_read(PageStore &store, BlockNumber blkno)
{
	if (blkno >= store.blocks)
		return;
	store.counters.hint_misses++;
	PrefetchBufferResult result = PrefetchBuffer(store.index, MAIN_FORKNUM, blkno);
	if (BufferIsValid(result.recent_buffer) && blkno < store.state->hint_blocks)
		store.state->hints[blkno] = result.recent_buffer;
}

static inline void
prefetch_lines(const char *p, uint32 lines)
{
	for (uint32 i = 0; i < lines; i++)
		__builtin_prefetch(p + i * 64);
}

void
PageStore::prefetch(uint32 id) const
{
	const HnswShape &shape = state->shape;
	const char *slot = guess_address(state, id);
	if (slot == nullptr)
		return;
	touch(slot);
	prefetch_lines(slot + shape.lanes_offset, (shape.lanes * 4 + 63) / 64);
}

unsigned
PageStore::neighbors(uint32 id, uint32 *out)
{
	const HnswShape &shape = state->shape;
	BlockNumber blkno = shape.block_of(id);
	Buffer buffer = visit(blkno);
	Page page = BufferGetPage(buffer);
	NodeHeader *node = slot_header(page, shape, id);
	const char *fault = page_is(page, PageKind::node) ? core::layout::check_node(*node, shape) : "not a node page";
	unsigned n = 0;
	/* A slot can be used again for another layer while a search holds its id. */
	if (fault == nullptr && node->level == layer &&
		(node->state == static_cast<uint8>(NodeState::live) || node->state == static_cast<uint8>(NodeState::dead)))
	{
		n = node->lane_count;
		memcpy(out, slot_lanes(node, shape), n * sizeof(uint32));
	}
	UnlockReleaseBuffer(buffer);
	if (fault != nullptr)
		pg::report_corrupt(index, blkno, fault);
	for (unsigned i = 0; i < n; i++)
		check_id(out[i], blkno);
	return n;
}

/* What the search needs of the node in a slot; distance NaN: not a node of this layer (any more). */
static inline void
score_slot(PageStore &store, const NodeHeader *node, Scored &out)
{
	const CodeQuery &query = *store.query;
	uint8 node_state = node->state;
	if (node->level != store.layer ||
		(node_state != static_cast<uint8>(NodeState::live) && node_state != static_cast<uint8>(NodeState::dead)))
	{
		out.distance = std::numeric_limits<float>::quiet_NaN();
		out.error = -1;
		return;
	}
	if (unlikely(store.scorer != nullptr))
		score_by_examples(store, node, out);
	else if (unlikely(store.state->shape.sparse()))
		score_sparse(store, node, out);
	else if (unlikely(store.state->shape.tail_bytes != 0))
		score_long(store, node, out);
	else
		core::graph::score_code(*store.kernels, query, slot_code(node), node->scale, node->bias, node->norm2,
								node->error, out.distance, out.error);
	if (node_state == static_cast<uint8>(NodeState::dead))
		out.error = -1;
}

unsigned
PageStore::score_page(BlockNumber blkno, Scored *out)
{
	const HnswShape &shape = state->shape;
	Buffer buffer = visit(blkno);
	Page page = BufferGetPage(buffer);
	const char *fault = nullptr;
	unsigned n = 0;
	if (page_is(page, PageKind::node))
		for (uint32 i = 0; i < shape.slots_per_page && fault == nullptr; i++)
		{
			out[n].id = blkno * shape.slots_per_page + i;
			const NodeHeader *node = slot_header(page, shape, out[n].id);
			fault = core::layout::check_node(*node, shape);
			score_slot(*this, node, out[n]);
			if (!std::isnan(out[n].distance))
				n++;
		}
	else if (!PageIsNew(page) && !page_is(page, PageKind::detail) && !page_is(page, PageKind::mean))
		fault = "not a page of this index";
	UnlockReleaseBuffer(buffer);
	if (fault != nullptr)
		pg::report_corrupt(index, blkno, fault);
	return n;
}

void
PageStore::score(const uint32 *ids, unsigned n, Scored *out)
{
	const HnswShape &shape = state->shape;
	uint32 lines = (static_cast<uint32>(sizeof(NodeHeader)) + shape.self_dims + 63) / 64;
	if (lines > kLinesAhead)
		lines = kLinesAhead;
	/* In the order of their addresses: nodes on one page (neighbours often share one) cost one visit. */
	for (unsigned i = 0; i < n; i++)
		out[i].id = ids[i];
	std::sort(out, out + n, [](const Scored &a, const Scored &b) noexcept { return a.id < b.id; });
	const char *slots[kBatch];
	for (unsigned i = 0; i < n && i < kBatch; i++)
	{
		slots[i] = guess_address(state, out[i].id);
		if (slots[i] != nullptr)
			touch(slots[i]);
		else if (i == 0 || shape.block_of(out[i].id) != shape.block_of(out[i - 1].id))
			begin_read(*this, shape.block_of(out[i].id));
	}
	for (unsigned i = 0; i < n && i < kAhead; i++)
		if (slots[i] != nullptr)
			prefetch_lines(slots[i], lines);
	Buffer buffer = InvalidBuffer;
	BlockNumber blkno = InvalidBlockNumber;
	for (unsigned i = 0; i < n; i++)
	{
		if (i + kAhead < n && i + kAhead < kBatch && slots[i + kAhead] != nullptr)
			prefetch_lines(slots[i + kAhead], lines);
		BlockNumber next = shape.block_of(out[i].id);
		if (next != blkno)
		{
			if (BufferIsValid(buffer))
				UnlockReleaseBuffer(buffer);
			blkno = next;
			buffer = visit(blkno);
		}
		/* The kind of the page stands at its end, a cache miss away: whoever expands or refines the node looks at it. */
		score_slot(*this, slot_header(BufferGetPage(buffer), shape, out[i].id), out[i]);
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
}

void
prepare_signs(PageStore &store)
{
	uint32 dims = store.state->shape.sign_dims;
	auto *lut = static_cast<uint8 *>(palloc(core::quantizer::sign_lut_bytes(dims)));
	store.signs = core::quantizer::sign_query(store.query->q, dims, lut);
}

/*
 * The visits of a wave wait for memory together: first all touch what the TLB must know (a slot may lie on two 4 kB
 * pages), then, for a prefetch is dropped while that is not so, all lines.
 */
void
PageStore::bring(const uint32 *ids, unsigned n)
{
	const HnswShape &shape = state->shape;
	uint32 bytes = shape.lanes_offset + shape.lanes_bytes;
	uint32 lines = (bytes + 63) / 64 < kNodeLinesAhead ? (bytes + 63) / 64 : kNodeLinesAhead;
	const char *slots[BeamSearch::kWave];
	for (unsigned i = 0; i < n; i++)
	{
		slots[i] = guess_address(state, ids[i]);
		if (slots[i] != nullptr)
		{
			uint32 touched = touch(slots[i]) | touch(slots[i] + bytes - 1);
			slots[i] = after(slots[i], touched);
		}
		else
			begin_read(*this, shape.block_of(ids[i]));
	}
	for (unsigned i = 0; i < n; i++)
		if (slots[i] != nullptr)
			prefetch_lines(slots[i], lines);
}

void
PageStore::bring_details(const uint32 *ids, unsigned n)
{
	constexpr unsigned kMost = 16;
	const HnswShape &shape = state->shape;
	const char *details[kMost];
	if (shape.detail_bytes == 0)
		return;
	n = n < kMost ? n : kMost;
	for (unsigned i = 0; i < n; i++)
	{
		/* The link is read without a pin: whatever it says decides about a prefetch only. */
		const char *slot = guess_address(state, ids[i]);
		details[i] = nullptr;
		if (slot == nullptr)
			continue;
		uint32 detail = *static_cast<const volatile uint32 *>(&reinterpret_cast<const NodeHeader *>(slot)->link);
		if (detail == kInvalidId)
			continue;
		const char *page = guess_page(state, shape.detail_block_of(detail));
		if (page == nullptr)
		{
			begin_read(*this, shape.detail_block_of(detail));
			continue;
		}
		details[i] = page + shape.detail_offset(detail);
		details[i] = after(details[i], touch(details[i]));
	}
	for (unsigned i = 0; i < n; i++)
		if (details[i] != nullptr)
			prefetch_lines(details[i],
						   (shape.detail_bytes + 63) / 64 < kLinesAhead ? (shape.detail_bytes + 63) / 64 : kLinesAhead);
}

void
PageStore::expand(uint32 id, float threshold, Scored &self, Scored *out, unsigned &n)
{
	const HnswShape &shape = state->shape;
	BlockNumber blkno = shape.block_of(id);
	Buffer buffer = visit(blkno);
	Page page = BufferGetPage(buffer);
	NodeHeader *node = slot_header(page, shape, id);
	const char *fault = core::layout::check_node(*node, shape);
	n = 0;
	self.id = id;
	self.distance = std::numeric_limits<float>::quiet_NaN();
	if (fault == nullptr)
		score_slot(*this, node, self);
	/*
	 * The trailer lies in a cache line of its own, which cost a sixth of a query. What is no node page hardly looks
	 * like a node; where it does, nothing leaves without its checksum (refine).
	 */
	if (std::isnan(self.distance) && !page_is(page, PageKind::node))
		fault = "not a node page";
	if (!std::isnan(self.distance))
		counters.estimates += node->lane_count;
	if (!std::isnan(self.distance) && unlikely(scorer != nullptr))
		estimate_by_examples(*this, node, threshold, out, n);
	else if (!std::isnan(self.distance))
	{
		const uint32 *lanes = slot_lanes(node, shape);
		const auto *block = reinterpret_cast<const uint8 *>(node) + shape.block_offset;
		float add_scale = factor_scale(node->add_exponent), mul_scale = factor_scale(node->mul_exponent);
		float estimates[core::quantizer::kBlockLanes];
		for (uint32 first = 0; first < node->lane_count;
			 first += core::quantizer::kBlockLanes, block += shape.block_bytes)
		{
			const auto *factors = reinterpret_cast<const uint16 *>(block);
			uint32 near = kernels->fast_scan(block + 4 * core::quantizer::kBlockLanes, signs.lut, signs.segments,
											 factors, factors + core::quantizer::kBlockLanes, add_scale, mul_scale,
											 self.distance, signs.step, signs.bias, threshold, estimates);
			uint32 used = node->lane_count - first;
			if (used < core::quantizer::kBlockLanes)
				near &= (1u << used) - 1;
			for (; near != 0; near &= near - 1)
			{
				uint32 lane = static_cast<uint32>(__builtin_ctz(near));
				out[n].id = lanes[first + lane];
				out[n].distance = std::fabs(estimates[lane]) < kFarthest ? estimates[lane] : kFarthest;
				out[n++].error = 0;
			}
		}
	}
	UnlockReleaseBuffer(buffer);
	if (fault != nullptr)
		pg::report_corrupt(index, blkno, fault);
	for (unsigned i = 0; i < n; i++)
		check_id(out[i].id, blkno);
}

bool
copy_code(PageStore &store, const NodeHeader *node, NodeCopy &copy, bool verify)
{
	const HnswShape &shape = store.state->shape;
	uint32 bytes = shape.code_bytes(*node);
	if (unlikely(bytes > copy.room))
	{
		copy.code = static_cast<uint8 *>(repalloc(copy.code, bytes));
		copy.room = bytes;
	}
	memcpy(copy.code, slot_code(node), shape.slot_code_bytes(*node));
	bool good = true;
	if (shape.sparse())
		good = bytes <= shape.self_dims || read_chain(store, *node, bytes, copy.code, verify);
	else if (unlikely(shape.tail_bytes != 0))
		good = read_detail(store, *node, copy.code, nullptr, verify);
	copy.sum = shape.sparse()                           ? static_cast<int32>(core::layout::code_blocks(*node))
			   : shape.element_type == ElementType::bit ? 0
														: core::graph::code_sum(copy.code, shape.code_dims);
	return good;
}

bool
PageStore::load(uint32 id, NodeCopy &copy)
{
	const HnswShape &shape = state->shape;
	BlockNumber blkno = shape.block_of(id);
	Buffer buffer = visit(blkno);
	Page page = BufferGetPage(buffer);
	NodeHeader *node = slot_header(page, shape, id);
	const char *fault = page_is(page, PageKind::node) ? core::layout::check_node(*node, shape)
						: PageIsNew(page)             ? nullptr
													  : "not a node page";
	bool used =
		fault == nullptr && !PageIsNew(page) &&
		(node->state == static_cast<uint8>(NodeState::live) || node->state == static_cast<uint8>(NodeState::dead));
	if (used)
	{
		copy.header = *node;
		copy_code(*this, node, copy, false);
		if (copy.lanes != nullptr)
			memcpy(copy.lanes, slot_lanes(node, shape), node->lane_count * sizeof(uint32));
	}
	UnlockReleaseBuffer(buffer);
	if (fault != nullptr)
		pg::report_corrupt(index, blkno, fault);
	if (!used)
		return false;
	if (copy.lanes != nullptr)
		for (unsigned i = 0; i < copy.header.lane_count; i++)
			check_id(copy.lanes[i], blkno);
	return true;
}

uint32
PageStore::duplicates_of(uint32 id, uint32 &generation)
{
	BlockNumber blkno = state->shape.block_of(id);
	Buffer buffer = visit(blkno);
	Page page = BufferGetPage(buffer);
	if (unlikely(!page_is(page, PageKind::node)))
		pg::report_corrupt(index, blkno, "not a node page");
	const NodeHeader *node = slot_header(page, state->shape, id);
	bool same = node->state == static_cast<uint8>(NodeState::live) &&
				(generation == 0 || node->generation == generation);
	generation = node->generation;
	uint32 chain = same ? node->duplicates : kInvalidId;
	UnlockReleaseBuffer(buffer);
	return chain;
}

bool
PageStore::refine(uint32 id, Interval &out, uint64 &payload)
{
	const HnswShape &shape = state->shape;
	if (unlikely(shape.tail_bytes != 0 || is_exact(shape.element_type)))
		return refine_long(id, out, payload);
	for (int attempt = 0; attempt < 3; attempt++)
	{
		NodeCopy copy;
		copy.code = scratch;
		copy.room = shape.code_dims;
		copy.lanes = nullptr;
		if (!load(id, copy))
			return false;
		const NodeHeader &node = copy.header;
		/* Gone, or the slot is used again by a node of an upper layer. */
		if (node.state != static_cast<uint8>(NodeState::live) || node.level != 0)
			return false;
		BlockNumber blkno = shape.block_of(id);
		/* The copy has the code elsewhere: check it as it would lie in the slot. */
		pg_crc32c crc;
		NodeHeader head = node;
		head.crc = 0;
		head.lane_count = 0;
		head.add_exponent = head.mul_exponent = 0;
		INIT_CRC32C(crc);
		COMP_CRC32C(crc, &id, sizeof id);
		COMP_CRC32C(crc, scratch, shape.code_dims);
		COMP_CRC32C(crc, &head, offsetof(NodeHeader, crc));
		FIN_CRC32C(crc);
		if (crc != node.crc)
			pg::report_corrupt(index, blkno, "checksum of a node does not match");
		if (node.tid_offset == 0 && node.duplicates == kInvalidId)
			pg::report_corrupt(index, blkno, "a base node has no row");
		payload = pack_tid(node);
		/* norm2 is that of the 8-bit code; the 16-bit one is no longer than this. */
		double norm = std::sqrt(static_cast<double>(node.norm2)) + static_cast<double>(node.error);
		if (shape.detail_bytes == 0)
		{
			if (unlikely(scorer != nullptr))
			{
				out = refine_by_examples(*this, scratch, nullptr, node, static_cast<double>(node.error));
				return true;
			}
			float d = core::graph::refined_distance(*kernels, *query, scratch, nullptr, node.scale, node.bias);
			out = core::graph::operator_interval(*query, d, node.error, norm, false);
			return true;
		}
		if (!core::layout::valid_detail(node.link, shape, blocks) &&
			!core::layout::valid_detail(node.link, shape, blocks = RelationGetNumberOfBlocks(index)))
			pg::report_corrupt(index, blkno, "invalid detail address");
		BlockNumber detail_blkno = shape.detail_block_of(node.link);
		Buffer buffer = visit(detail_blkno);
		Page page = BufferGetPage(buffer);
		bool good = page_is(page, PageKind::detail);
		bool matches = false;
		float d = 0;
		if (good)
		{
			const auto *residual = reinterpret_cast<const uint8 *>(page + shape.detail_offset(node.link));
			matches = part_matches(page, shape, core::layout::code_detail(node), 0);
			if (matches && scorer == nullptr)
				d = core::graph::refined_distance(*kernels, *query, scratch, residual, node.scale, node.bias);
			else if (matches)
				memcpy(scratch + shape.code_dims, residual, shape.code_dims);  // many examples: not under the lock
		}
		UnlockReleaseBuffer(buffer);
		if (!good)
			pg::report_corrupt(index, detail_blkno, "not a detail page");
		if (matches)
		{
			out = scorer != nullptr ? refine_by_examples(*this, scratch, scratch + shape.code_dims, node,
														 static_cast<double>(node.refined_error))
									: core::graph::operator_interval(*query, d, node.refined_error, norm, false);
			return true;
		}
		/* The slot may have been given to another row in between: then its generation has changed. */
		NodeCopy again;
		again.code = scratch;
		again.room = shape.code_dims;
		again.lanes = nullptr;
		if (!load(id, again) || again.header.generation != node.generation)
			return false;
		if (attempt == 2)
			pg::report_corrupt(index, detail_blkno, "checksum of a node's detail does not match");
	}
	return false;
}

}  // namespace vecdb::hnsw
