/* SPDX-License-Identifier: PostgreSQL
 * Many rows into the graph at once: a page that gets several back-links is changed once.
 *
 * Regime: shell.
 * Locks:  graph lock in share mode from the first search to the last back-link; pages as in link.cpp.
 * Order:  rows of upper layers first, one by one. Then all others are searched for, each among the graph and the rows before
 *         it in the batch, so that they see each other as if they had come one after the other. Then their nodes are
 *         written, with links out; then the back-links, by page.
 * Keeps:  each row gets a link from a node that was there or from a row before it, so all can be reached.
 */
#include "hnsw/batch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hnsw/descend.hpp"
#include "storage/wal.hpp"
#include "vecdb/graph/select_neighbors.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;
using core::graph::BeamSearch;
using core::graph::code_distance;
using core::graph::CodeView;
using core::graph::Scored;

/* Comparing each row with those before it must not cost more than its search. */
constexpr uint32 kMostElements = 2 << 20;
constexpr uint32 kMostRows = 8192;
constexpr uint32 kLeastRows = 64;

/* The node is one of the batch: its id is the number of the row. */
constexpr uint64 kOwn = uint64{1} << 32;

struct Backlink
{
	uint64 node;  // an id; or kOwn + row until the nodes are written
	uint32 row;
};

struct BatchRow
{
	ItemPointerData tid;
	core::quantizer::Sq8 sq8;
	int32 sum;
	uint32 id;     // once written
	uint32 equal;  // the row of the batch with the same vector, or kInvalidId
	bool done;     // has joined a node of the graph
	bool linked;
	uint32 first, count;  // its links among Batch::links
};

struct Batch
{
	Linker *linker;
	const IndexState *state;
	MemoryContext context;
	BatchRow *rows;
	uint32 count;
	uint8 *codes, *residuals, *luts;
	CodeView *views;
	Size lut_bytes;
	core::quantizer::SignQuery *signs;
	Backlink *links;
	uint32 link_count;
};

static Size
lut_size(const IndexState *state)
{
	return MAXALIGN(core::quantizer::sign_lut_bytes(state->shape.sign_dims));
}

uint32
batch_rows(const IndexState *state, Size memory)
{
	const HnswShape &shape = state->shape;
	Size row = shape.dimensions * sizeof(float) + 2 * shape.code_dims + lut_size(state) + sizeof(BatchRow) + 64 +
			   state->meta.m * sizeof(Backlink);
	Size rows = std::min<Size>(memory / row, kMostElements / shape.code_dims);
	return static_cast<uint32>(std::clamp<Size>(rows, kLeastRows, kMostRows));
}

static const CodeView &
view_of(const Batch *b, uint32 row)
{
	return b->views[row];
}

static CodedVector
coded_of(const Batch *b, uint32 row)
{
	const BatchRow &r = b->rows[row];
	Size at = static_cast<Size>(row) * b->state->shape.code_dims;
	return CodedVector{r.sq8, r.sum, b->codes + at, b->residuals == nullptr ? nullptr : b->residuals + at};
}

struct Near
{
	uint64 node;
	float distance;
};

static bool
nearer(const Near &a, const Near &b) noexcept
{
	return a.distance != b.distance ? a.distance < b.distance : a.node < b.node;
}

static bool
same_row(const Batch *b, uint32 one, uint32 other)
{
	CodedVector x = coded_of(b, one), y = coded_of(b, other);
	uint32 n = b->state->shape.code_dims;
	return x.sq8.scale == y.sq8.scale && x.sq8.bias == y.sq8.bias && x.sq8.refined_error == y.sq8.refined_error &&
		   memcmp(x.code, y.code, n) == 0 && (x.residual == nullptr || memcmp(x.residual, y.residual, n) == 0);
}

/* Rows before this one that are as near as the candidates; appends them. */
static uint32
rows_before(Batch *b, uint32 row, Near *near, uint32 n, uint32 ef)
{
	const core::distance::Kernels &k = *b->linker->store.kernels;
	CodeView own = view_of(b, row);
	float limit = n < ef ? std::numeric_limits<float>::infinity() : near[n - 1].distance;
	for (uint32 i = 0; i < row; i++)
	{
		float d = code_distance(k, b->state->metric, own, b->views[i], b->state->shape.code_dims);
		if (d < limit && !b->rows[i].done && b->rows[i].equal == kInvalidId)
			near[n++] = Near{kOwn + i, d};
	}
	return n;
}

/* Searches for a row; its links go to b->links. In linker->context. */
static void
place_row(Batch *b, Inserter *inserter, const float *v, uint32 row, Near *near)
{
	Linker *linker = b->linker;
	const IndexState *state = b->state;
	const HnswShape &shape = state->shape;
	BatchRow &r = b->rows[row];
	uint32 ef = state->meta.ef_construction;
	CodedVector coded = coded_of(b, row);
	encode_vector(state, v, inserter->scratch, coded);
	r.sq8 = coded.sq8;
	r.sum = coded.sum;
	b->views[row] = CodeView{coded.code, r.sq8.scale, r.sq8.bias, r.sq8.norm2, r.sum};
	linker->store.query = make_query(state, v);
	b->signs[row] = core::quantizer::sign_query(linker->store.query->q, shape.sign_dims, b->luts + row * b->lut_bytes);
	linker->store.signs = b->signs[row];

	Candidates candidates = search_base(linker, ef);
	uint32 same = equal_node(linker, candidates, coded);
	if (same != kInvalidId && add_duplicate(linker, same, &r.tid))
	{
		r.done = true;
		return;
	}
	uint32 n = 0;
	for (; n < candidates.count; n++)
		near[n] = Near{candidates.ids[n], candidates.distances[n]};
	n = rows_before(b, row, near, n, ef);
	if (n > ef)
		std::nth_element(near, near + ef, near + n, nearer);
	n = std::min(n, ef);
	std::sort(near, near + n, nearer);
	for (uint32 i = 0; i < n && i < 4 && r.equal == kInvalidId; i++)
		if (near[i].node >= kOwn && same_row(b, row, static_cast<uint32>(near[i].node - kOwn)))
			r.equal = static_cast<uint32>(near[i].node - kOwn);
	if (r.equal != kInvalidId)
		return;

	auto *copies = static_cast<NodeCopy *>(MemoryContextAllocZero(linker->context, (n + 1) * sizeof(NodeCopy)));
	auto *distances = static_cast<float *>(MemoryContextAlloc(linker->context, (n + 1) * sizeof(float)));
	for (uint32 i = 0; i < n; i++)
		distances[i] = near[i].distance;
	auto code_of = [&](uint32 i) -> CodeView {
		if (near[i].node >= kOwn)
			return view_of(b, static_cast<uint32>(near[i].node - kOwn));
		NodeCopy &copy = copies[i];
		if (copy.code == nullptr)
		{
			allocate_code(shape, linker->context, copy);
			if (!linker->store.load(static_cast<uint32>(near[i].node), copy))
				memset(copy.code, 0, copy.room);
		}
		return copy.view();
	};
	uint32 kept[BeamSearch::kMaxLanes];
	r.first = b->link_count;
	r.count = core::graph::select_neighbors(
		distances, n, state->meta.m, link_alpha(state),
		[&](uint32 i, uint32 j) {
			return code_distance(*linker->store.kernels, state->metric, code_of(i), code_of(j), shape.code_dims);
		},
		kept);
	for (uint32 i = 0; i < r.count; i++)
		b->links[b->link_count++] = Backlink{near[kept[i]].node, row};
}

/* The nodes of all rows, each with its links out, which lead to nodes written before. */
static void
write_rows(Batch *b)
{
	Linker *linker = b->linker;
	uint32 lanes[BeamSearch::kMaxLanes];
	for (uint32 row = 0; row < b->count; row++)
	{
		BatchRow &r = b->rows[row];
		if (r.done || r.equal != kInvalidId)
			continue;
		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < r.count; i++)
		{
			Backlink &link = b->links[r.first + i];
			if (link.node >= kOwn)
				link.node = b->rows[link.node - kOwn].id;
			lanes[i] = static_cast<uint32>(link.node);
		}
		fill_image(linker->store, view_of(b, row), lanes, r.count, linker->image);
		CodedVector coded = coded_of(b, row);
		NewNode node{};
		node.state = static_cast<uint8>(NodeState::live);
		node.level = 0;
		node.tid = &r.tid;
		node.duplicates = kInvalidId;
		node.link = kInvalidId;
		node.coded = &coded;
		node.lanes = linker->image;
		r.id = write_new_node(linker->index, linker->state, node);
	}
}

/* Back-links by page. */
static void
write_backlinks(Batch *b)
{
	Linker *linker = b->linker;
	const HnswShape &shape = b->state->shape;
	auto *order = static_cast<Backlink *>(
		MemoryContextAllocHuge(b->context, (static_cast<Size>(b->link_count) + 1) * sizeof(Backlink)));
	memcpy(order, b->links, b->link_count * sizeof(Backlink));
	std::sort(order, order + b->link_count, [](const Backlink &x, const Backlink &y) noexcept {
		return x.node != y.node ? x.node < y.node : x.row < y.row;
	});
	PageLink page_links[kPageLinks];
	bool linked[kPageLinks];
	for (uint32 i = 0; i < b->link_count;)
	{
		CHECK_FOR_INTERRUPTS();
		BlockNumber blkno = shape.block_of(static_cast<uint32>(order[i].node));
		uint32 n = 0;
		for (;
			 n < kPageLinks && i + n < b->link_count && shape.block_of(static_cast<uint32>(order[i + n].node)) == blkno;
			 n++)
		{
			uint32 row = order[i + n].row;
			page_links[n] = PageLink{static_cast<uint32>(order[i + n].node),
									 LaneTarget{b->rows[row].id, view_of(b, row), &b->signs[row]}};
		}
		add_page_links(linker, blkno, page_links, n, linked);
		for (uint32 k = 0; k < n; k++)
			b->rows[order[i + k].row].linked |= linked[k];
		i += n;
		MemoryContextReset(linker->context);
	}
}

static void
insert_base_rows(Inserter *inserter, Batch *b, const float *const *vectors)
{
	Linker *linker = b->linker;
	const HnswShape &shape = b->state->shape;
	Size planes = static_cast<Size>(b->count) * shape.code_dims;
	b->codes = static_cast<uint8 *>(MemoryContextAllocHuge(b->context, planes));
	b->residuals = b->state->meta.precision == 16 ? static_cast<uint8 *>(MemoryContextAllocHuge(b->context, planes))
												  : nullptr;
	b->views = static_cast<CodeView *>(MemoryContextAlloc(b->context, (b->count + 1) * sizeof(CodeView)));
	b->lut_bytes = lut_size(b->state);
	b->luts = static_cast<uint8 *>(MemoryContextAllocHuge(b->context, b->count * b->lut_bytes));
	b->signs = static_cast<core::quantizer::SignQuery *>(
		MemoryContextAlloc(b->context, b->count * sizeof(core::quantizer::SignQuery)));
	b->links = static_cast<Backlink *>(
		MemoryContextAllocHuge(b->context, (static_cast<Size>(b->count) * b->state->meta.m + 1) * sizeof(Backlink)));
	auto *near = static_cast<Near *>(MemoryContextAllocHuge(
		b->context, (static_cast<Size>(b->count) + b->state->meta.ef_construction + 1) * sizeof(Near)));

	for (uint32 row = 0; row < b->count; row++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(linker->context);
		place_row(b, inserter, vectors[row], row, near);
		MemoryContextReset(linker->context);
	}
	linker->store.query = nullptr;
	write_rows(b);
	write_backlinks(b);
	for (uint32 row = 0; row < b->count; row++)
	{
		BatchRow &r = b->rows[row];
		if (r.done)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (r.equal != kInvalidId)
		{
			/* A row with links: rows equal to it point to it, not to each other. */
			if (!add_duplicate(linker, b->rows[r.equal].id, &r.tid))
				insert_vector(inserter, linker->index, vectors[row], &r.tid);
			continue;
		}
		for (uint32 i = 0; i < r.count && !r.linked; i++)
			r.linked = add_backlink(linker, static_cast<uint32>(b->links[r.first + i].node), r.id, LinkForce::wanted);
		if (!r.linked)
			reconnect_node(linker, r.id, nullptr);
	}
}

static void
insert_batch(Inserter *inserter, Relation index, const float *vectors, const ItemPointerData *tids, uint32 count)
{
	Linker *linker = inserter->linker;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw batch", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Batch b{};
	b.linker = linker;
	b.state = linker->state;
	b.context = context;
	b.rows =
		static_cast<BatchRow *>(MemoryContextAllocHuge(context, (static_cast<Size>(count) + 1) * sizeof(BatchRow)));
	auto **base =
		static_cast<const float **>(MemoryContextAllocHuge(context, (static_cast<Size>(count) + 1) * sizeof(float *)));
	linker->index = index;
	linker->store.index = index;
	linker->own.id = kInvalidId;
	for (uint32 i = 0; i < count; i++)
	{
		ItemPointerData tid = tids[i];
		const float *v = vectors + static_cast<Size>(i) * linker->state->shape.dimensions;
		uint32 level = random_level(linker->state);
		HnswMeta meta;
		bool single = level > 0;
		if (i == 0 && !single)
		{
			read_meta(index, meta);
			single = meta.entry_id == kInvalidId;
		}
		if (single)
		{
			insert_leveled(inserter, index, v, &tid, level);
			continue;
		}
		BatchRow &r = b.rows[b.count];
		memset(static_cast<void *>(&r), 0, sizeof r);
		r.tid = tid;
		r.id = r.equal = kInvalidId;
		base[b.count++] = v;
	}
	lock_graph(index, ShareLock);
	insert_base_rows(inserter, &b, base);
	unlock_graph(index, ShareLock);
	linker->store.query = nullptr;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

void
insert_rows(Relation index, const float *vectors, const ItemPointerData *tids, uint32 count)
{
	HnswMeta meta;
	IndexState *state = index_state(index, meta);
	if (meta.entry_id == kInvalidId)
		state = centre_empty_index(index, state, vectors, count);
	/* Nobody changes the origin meanwhile. */
	lock_graph(index, ShareLock);
	state = index_state(index, meta);
	Inserter *inserter = make_inserter(index, state);
	insert_batch(inserter, index, vectors, tids, count);
	unlock_graph(index, ShareLock);
}

}  // namespace vecdb::hnsw
