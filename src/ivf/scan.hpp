/* SPDX-License-Identifier: PostgreSQL
 * What a scan keeps, and what scans of one vector and of several examples (examples.cpp) have in common.
 *
 * Regime: shell.
 */
#pragma once

#include "ivf/directory.hpp"
#include "ivf/heap_vector.hpp"
#include "ivf/scan_stats.hpp"

#include <algorithm>

#include "storage/time_budget.hpp"
#include "types/query_value.hpp"
#include "vecdb/graph/exact_order.hpp"
#include "vecdb/lists/list_query.hpp"
#include "vecdb/lists/row_set.hpp"

namespace vecdb::ivf
{

using namespace core::layout;
using core::graph::ExactOrder;
using core::graph::Interval;
using core::graph::LateRows;
using core::graph::OrderedNode;
using core::lists::ListQuery;
using core::lists::ListView;
using core::lists::RowSet;
using core::lists::Score;

/* A row that may be among the nearest. */
struct Candidate
{
	RowTid tid;
	uint32 view;             // of its list: index into so->views
	BlockNumber list_block;  // its list page, and its lane there
	uint32 lane;
	BlockNumber slot_block;  // slots not longer than a page; 0 where there are none
	double
		lower;  // graph distance: of scan_block; with the slot read, what the score leaves possible. Of examples minus the score
	union
	{
		Score score;     // of one vector
		Interval value;  // of examples: minus the score
	};
};

struct Candidates
{
	Candidate *rows;
	uint32 count, capacity;
};

/* A query with more than one example, or one that is to be far. */
struct Examples
{
	core::query::ScoreInterval *similarities;  // room for one of each
	double *middles;                           // the same
	bool middles_count;
	float *lower;  // kLanes of each
	float *best;   // the same
};

struct ScanOpaque
{
	MemoryContext context, pass_context;
	bool started;
	bool without_order;  // the query is NULL, or zero under cosine: any order is right
	bool null_order;
	bool ended;
	bool complete;  // nothing that the lists of this pass hold was left out
	Relation index;
	IndexState *state;
	const float *v;      // of one vector
	ListQuery *queries;  // one, or one an example, in the order of the formula
	uint32 query_count;
	bool by_score;  // the order is that of minus the score for a vecdb.query:
	QueryValue asked;
	Examples *examples;  // null: as the distance to one vector
	bool every_row;      // nothing here bounds its score: all rows leave, to be ordered by the executor
	storage::TimeBudget budget;
	ExactOrder order;
	RowSet left;
	HeapVectors *heap;  // rerank = heap
	Relation table;
	Snapshot snapshot;
	HeapVectors *arbiter;  // of examples: opened when slots leave open on which side of a jump of the score rows are
	bool by_operator;      // rows are compared by the operator's function:
	FmgrInfo distance;
	Datum value;  // the query
	float *heap_row;
	double horizon;  // operator's units: what was left out of this pass is not nearer than this
	uint32 look_ahead;
	uint32 probes;      // lists of this pass
	uint32 max_probes;  // of an iterative scan, by ivfflat.max_probes
	uint32 lists;       // in all
	uint64 lanes;       // rows scanned in this pass
	uint64 returned;
	BlockNumber length;  // of the index, when it was last asked for
	/* --- of this pass --- */
	Candidates found;
	Candidates batch[2];  // rows of the page before, and of this one: their slots are on the way into the caches
	ListView *views;
	uint32 view_count, view_capacity;
	uint32 open_view;  // of queries, a multiple of their number; kNoBlock: none
	bool diff_kept;    // the queries' diff belongs to a view: the next list needs its own
	double *nearest;   // heap of the look_ahead least upper bounds
	uint32 nearest_count, nearest_capacity;
	double threshold;
	bool left_out;
	bool again;      // what was read is no one state of the index: look again
	uint8 *scratch;  // a slot
	ScanStats stats;
};

inline const IvfShape &
shape_of(const ScanOpaque *so)
{
	return so->state->codec.shape;
}

/* --- rows that may be near --- */

/* Room for so many more: before a page is locked. */
inline void
reserve(Candidates &c, uint32 rows)
{
	if (c.capacity - c.count >= rows)
		return;
	uint32 more = std::max(c.count + rows, c.capacity == 0 ? 256 : 2 * c.capacity);
	c.rows = static_cast<Candidate *>(c.rows == nullptr
										  ? palloc(more * sizeof(Candidate))
										  : repalloc_huge(c.rows, static_cast<Size>(more) * sizeof(Candidate)));
	c.capacity = more;
}

inline Candidate *
add_candidate(Candidates &c)
{
	Assert(c.count < c.capacity);
	return &c.rows[c.count++];
}

/* Room for so many more rows that may be among the nearest: before their slots are locked. */
inline void
reserve_found(ScanOpaque *so, uint32 rows)
{
	reserve(so->found, rows);
	uint32 needed = std::min(so->look_ahead, so->nearest_count + rows);
	if (so->nearest_capacity >= needed)
		return;
	so->nearest_capacity = std::max(needed, 2 * so->nearest_capacity);
	so->nearest =
		static_cast<double *>(repalloc_huge(so->nearest, static_cast<Size>(so->nearest_capacity) * sizeof(double)));
}

inline bool
has_left(const ScanOpaque *so, const RowTid &tid)
{
	return so->left.used > 0 && so->left.contains(core::lists::row_key(tid));
}

/* A row whose distance is at most `upper`: what lies beyond the look_ahead-th of these is left out. */
inline void
count_upper(ScanOpaque *so, double upper)
{
	if (so->nearest_count < so->look_ahead)
	{
		Assert(so->nearest_count < so->nearest_capacity);
		so->nearest[so->nearest_count++] = upper;
		std::push_heap(so->nearest, so->nearest + so->nearest_count);
		if (so->nearest_count == so->look_ahead)
			so->threshold = so->nearest[0];
	}
	else if (upper < so->nearest[0])
	{
		std::pop_heap(so->nearest, so->nearest + so->nearest_count);
		so->nearest[so->nearest_count - 1] = upper;
		std::push_heap(so->nearest, so->nearest + so->nearest_count);
		so->threshold = so->nearest[0];
	}
}

/* Is what lies at least so far not among the nearest? As long as there are fewer than are looked for, everything is: also what
 * overflows, or is no number. */
inline bool
is_beyond(const ScanOpaque *so, double lower)
{
	return so->nearest_count == so->look_ahead && !(lower < so->threshold);
}

void out_of_memory();

/* Brings the comparison back to the list of that view. */
inline void
use_view(ScanOpaque *so, uint32 view)
{
	if (so->open_view == view)
		return;
	for (uint32 e = 0; e < so->query_count; e++)
		core::lists::open_view(so->queries[e], so->views[view + e]);
	so->open_view = view;
}

/* The query is one vector: in row form, kept by the caller. */
void begin_vector(ScanOpaque *so, const float *v);

/* --- several examples (examples.cpp) --- */

/* Takes the query of strategy 2 in. */
void begin_query(IndexScanDesc scan, ScanOpaque *so);

/* What codes tell of the live lanes of a block, against the list that is open: values[lane]. Returns those whose bound is below the threshold. */
uint32 bound_block(ScanOpaque *so, const uint8 *block, uint32 live, Interval *values);

/* From a slot: as the codes in it allow at once, and as exactly as it allows. */
Interval coarse_value(ScanOpaque *so, const uint8 *slot);
Interval fine_value(ScanOpaque *so, const uint8 *slot);

/* The lists to look into, in order: the return value is their number. `all` receives that of all lists. */
uint32 lists_of_examples(ScanOpaque *so, uint32 probes, NearList **lists, uint32 &all);

/* A distance of the operator as minus the score, where the query is as one vector. */
Interval value_of_distance(const ScanOpaque *so, Interval distance);

}  // namespace vecdb::ivf
