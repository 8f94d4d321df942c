/* SPDX-License-Identifier: PostgreSQL
 * The graph on pages as the search templates want it: visits by hint, scoring in place, refinement.
 *
 * Regime: shell. PageStore is plain data; every member function may ereport.
 * Locks:  one share-locked page at a time, released before anything that can be long.
 */
#pragma once

#include "hnsw/state.hpp"
#include "storage/time_budget.hpp"
#include "types/sparsevec.hpp"

#include "vecdb/graph/beam_search.hpp"
#include "vecdb/graph/code_distance.hpp"
#include "vecdb/quantizer/sign_codes.hpp"

namespace vecdb::hnsw
{

using core::layout::ElementType;

/* A vector in code space, coded: what a node slot and its detail slot hold. */
struct CodedVector
{
	core::quantizer::Sq8 sq8;
	int32 sum;        // of the code bytes; sparse: blocks
	uint8 *code;      // code_dims bytes; sparse: those blocks
	uint8 *residual;  // code_dims bytes, or null at precision 8
};

/*
 * Rows are handed on as floats, `dimensions` of them. Those of bit strings are their bytes, and those of sparse vectors this,
 * which as_row() and sparse_row() turn to and fro.
 */
struct SparseRow
{
	core::quantizer::Sq8 sq8;
	uint32 blocks;
	double norm;  // of the value, before it was made a unit vector for cosine
	uint8 *code;
};

inline const float *
as_row(const SparseRow *row)
{
	return reinterpret_cast<const float *>(row);
}

inline const SparseRow *
sparse_row(const float *v)
{
	return reinterpret_cast<const SparseRow *>(v);
}

/* The row of a sparse vector, in the current context. */
const float *make_sparse_row(const IndexState *state, const SparseView &v);

/*
 * Centre, normalise (cosine) and rotate v (state->shape.dimensions floats) into out (code_dims floats).
 * norm: the Euclidean norm of v before all that, or null.
 */
void to_code_space(const IndexState *state, const float *v, float *out, double *norm);

/* Allocates coded's planes in the current context. */
void allocate_coded(const IndexState *state, CodedVector &coded);

/* scratch: code_dims floats; not looked at where codes are exact. */
void encode_vector(const IndexState *state, const float *v, float *scratch, CodedVector &coded);

/* A query in the current context; v: a row, which a query of a sparse vector points into. */
core::graph::CodeQuery *make_query(const IndexState *state, const float *v);

/* Neighbours, header and code of one node, copied. */
struct NodeCopy
{
	NodeHeader header;
	int32 sum;      // of the code bytes; sparse: blocks; bit: 0
	uint8 *code;    // of the caller: allocate_code(). Sparse: load() makes room for what it finds
	uint32 room;    // bytes there
	uint32 *lanes;  // shape.lanes ids of the caller, or null

	core::graph::CodeView
	view() const
	{
		return core::graph::CodeView{code, header.scale, header.bias, header.norm2, sum};
	}
};

/* Room for a code of the index; for one of a sparse vector that has room in a slot. */
inline void
allocate_code(const HnswShape &shape, MemoryContext context, NodeCopy &copy)
{
	copy.room = shape.sparse() ? shape.self_dims : shape.code_dims;
	copy.code = static_cast<uint8 *>(MemoryContextAlloc(context, copy.room));
}

/* A node as a query, in the current context, as long as the copy stays. Codes are exact; XX002 where it has none. */
core::graph::CodeQuery *exact_node_query(Relation index, const IndexState *state, uint32 id, const NodeCopy &node);

/* TID of a row as one number: block << 16 | offset, with the bit of "the node has duplicates" above. */
constexpr uint64 kHasDuplicates = uint64{1} << 48;

inline uint64
pack_tid(const NodeHeader &node)
{
	return static_cast<uint64>(node.tid_block_hi) << 32 | static_cast<uint64>(node.tid_block_lo) << 16 |
		   node.tid_offset | (node.duplicates != kInvalidId ? kHasDuplicates : 0);
}

inline ItemPointerData
unpack_tid(uint64 packed)
{
	ItemPointerData tid;
	tid.ip_blkid.bi_hi = static_cast<uint16>(packed >> 32);
	tid.ip_blkid.bi_lo = static_cast<uint16>(packed >> 16);
	tid.ip_posid = static_cast<OffsetNumber>(packed & 0xffff);
	return tid;
}

inline NodeHeader *
slot_header(Page page, const HnswShape &shape, uint32 id)
{
	return reinterpret_cast<NodeHeader *>(page + shape.slot_offset(id));
}

/* The first self_dims bytes of the code. */
inline uint8 *
slot_code(NodeHeader *node)
{
	return reinterpret_cast<uint8 *>(node + 1);
}

inline const uint8 *
slot_code(const NodeHeader *node)
{
	return reinterpret_cast<const uint8 *>(node + 1);
}

inline uint32 *
slot_lanes(NodeHeader *node, const HnswShape &shape)
{
	return reinterpret_cast<uint32 *>(reinterpret_cast<char *>(node) + shape.lanes_offset);
}

inline const uint32 *
slot_lanes(const NodeHeader *node, const HnswShape &shape)
{
	return slot_lanes(const_cast<NodeHeader *>(node), shape);
}

/* The body of a `duplicate` slot: TIDs of 6 bytes each. */
inline ItemPointerData *
slot_duplicates(NodeHeader *node)
{
	return reinterpret_cast<ItemPointerData *>(node + 1);
}

/* CRC-32C of what must not change unnoticed: the address, header without lane_count, and the code (or the TIDs). */
uint32 node_crc(const NodeHeader *node, const HnswShape &shape, uint32 id);

struct ScanCounters
{
	uint64 visits;
	uint64 hint_misses;
	uint64 estimates;  // by neighbours' codes
};

struct Scorer;

struct PageStore
{
	Relation index;
	IndexState *state;
	const core::distance::Kernels *kernels;
	const core::graph::CodeQuery *query;  // null where only copies are read
	Scorer *scorer;                       // scan by <*>: scores instead of distances to the query; else null
	core::quantizer::SignQuery signs;     // layout fused: the query for sign codes
	uint32 layer;                         // being searched: slots of other layers are no nodes to it
	BlockNumber blocks;                   // length of the index when the operation began, grown when needed
	uint8 *scratch;                       // two planes of code_dims bytes, for refine
	NodeCopy exact;                       // the same where codes are exact
	ScanCounters counters;
	storage::TimeBudget *budget;  // of a scan; else null
	uint32 ticks;

	/* --- the concept of BeamSearch --- */
	unsigned neighbors(uint32 id, uint32 *out);
	void score(const uint32 *ids, unsigned n, core::graph::Scored *out);
	void prefetch(uint32 id) const;
	/* Layout fused: begin to fetch nodes that are expanded next; one visit for a node and estimates of its neighbours. */
	void bring(const uint32 *ids, unsigned n);
	void expand(uint32 id, float threshold, core::graph::Scored &self, core::graph::Scored *out, unsigned &n);
	void
	poll()
	{
		CHECK_FOR_INTERRUPTS();
	}
	/* Is the search to end with what it has? */
	bool
	halted()
	{
		return unlikely(budget != nullptr && budget->milliseconds > 0) && ++ticks % 16 == 0 &&
			   storage::time_is_up(*budget);
	}

	/* Scores the nodes of this layer on a page of any kind; their number, at most shape.slots_per_page. */
	unsigned score_page(BlockNumber blkno, core::graph::Scored *out);

	/* Begin to fetch what refine() of these base nodes, scored a moment ago, will read. */
	void bring_details(const uint32 *ids, unsigned n);

	/* --- the concept of ExactOrder --- */
	bool refine(uint32 id, core::graph::Interval &out, uint64 &payload);
	/* The same where the code goes on in the detail, or is exact (details.cpp). */
	bool refine_long(uint32 id, core::graph::Interval &out, uint64 &payload);
	/* Whose distances they are: what they can be. Those by <*> can be anything. */
	Metric
	metric() const
	{
		return scorer != nullptr ? Metric::inner_product : state->metric;
	}

	/* Copies a node; false: the slot is free. */
	bool load(uint32 id, NodeCopy &copy);

	/*
	 * First slot of the chain of rows with an equal vector, or kInvalidId (also when the node is gone). generation: of
	 * the node, 0 where the caller does not know it yet.
	 */
	uint32 duplicates_of(uint32 id, uint32 &generation);

	/* The page of block blkno, pinned and locked; by hint where there is one. */
	Buffer visit(BlockNumber blkno, int lock = BUFFER_LOCK_SHARE);

	/* XX002 unless id is the address of a node slot. */
	void check_id(uint32 id, BlockNumber from);
};

/* Layout fused: prepares store.signs from its query, in the current context. */
void prepare_signs(PageStore &store);

PageStore open_store(Relation index, IndexState *state, const core::graph::CodeQuery *query);

}  // namespace vecdb::hnsw
