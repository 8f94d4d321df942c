/* SPDX-License-Identifier: PostgreSQL
 * Dissolving lists: split, merge, give a new centre. All of them are one step.
 *
 * Regime: shell.
 * Step:   none, one or some new lists are made from the rows of the old one; each of its rows goes to the nearest of the new ones and of
 *         those around; the old one leaves the directory.
 * Locks:  the reorganisation lock, and the old list's exclusively from before its rows are read until it is out of the
 *         directory: no row gets lost in between. Lists that receive rows: shared, one after the other.
 * Rows:   from the table, exact, so that codes of codes never lose more. A row that is dead to everybody is left behind.
 * Crash, cancel: at any point the old list is in the directory with all of its rows, or it is not needed any more. Rows that
 *         were added to other lists before are there twice, which scans do not mind and vacuum removes together.
 * Why no row of other lists is moved: see README.md.
 */
#include "ivf/split.hpp"

#include <algorithm>
#include <cmath>

#include "ivf/directory.hpp"
#include "ivf/heap_vector.hpp"
#include "ivf/insert.hpp"
#include "ivf/pages.hpp"
#include "pg/context.hpp"
#include "pg/report.hpp"
#include "vecdb/base/random.hpp"
#include "vecdb/cluster/few_means.hpp"
#include "vecdb/distance/kernels.hpp"
#include "vecdb/lists/row_set.hpp"

namespace vecdb::ivf
{

using namespace core::layout;
using core::lists::CodedRow;

/* A list that is split becomes so many: more, and rows would be written less often, but lists would be less even. */
constexpr uint32 kPieces = 3;
/* Lists around an old one that its rows may go to. */
constexpr uint32 kNeighbours = 48;
/* Rows of a large list that are held at a time, and rows that are coded at a time. */
constexpr Size kChunkBytes = 8 << 20;
constexpr uint32 kLeastChunk = 256;
constexpr uint32 kCodedAtOnce = 64;
/* Rows that the new centres are found from, at most. */
constexpr uint32 kSampleRows = 1024;
/* A list's mean is this much away from its centre, relative to the rows' own mean square distance: it gets a new centre. */
constexpr double kDrift = 0.01;
/* Lists that tidy may dissolve in one run: so many, or this share of all. */
constexpr uint32 kTidyLists = 256;
constexpr uint32 kTidyShare = 2;

/* Rows that a list is meant for in an index with that many lists: the inverse of choose_lists. */
static double
target_rows(uint32 lists)
{
	return kRowsPerList * (lists > 16384 ? lists / 16384.0 : 1.0);
}

/* Lists that the index may have beyond those that it has. */
static uint32
lists_to_come(const IvfMeta &meta)
{
	uint32 most = meta.lists_wanted == 0 ? static_cast<uint32>(kMaxLists) : meta.lists_wanted;
	return meta.list_count < most ? most - meta.list_count : 0;
}

/* Of that many lists: is this one to be split? The second condition keeps those that could not be from being tried at each row. */
static bool
too_large(const ListExtent &extent, double target)
{
	return extent.rows > 1.5 * target && extent.rows > 1.25 * extent.made;
}

/* What a step works with; all memory is in `context`, which is reset after it. */
struct Reorganiser
{
	Relation index;
	IndexState *state;
	HeapVectors *heap;
	MemoryContext context;
};

/* Rows of the list in code space, as far as they were fetched. */
struct Chunk
{
	float *v;  // d floats a row; only where slots keep the rows themselves
	float *x;  // D floats a row
	RowTid *tids;
	uint32 rows;
	uint32 capacity;
};

struct Target
{
	BlockNumber head;  // InvalidBlockNumber: still to be made
	const float *centre;
	bool own_table;
	uint32 rows;
	double distance2;
};

/* Lists that rows of the old one may go to: new ones in front. */
struct Targets
{
	Target lists[kNeighbours + kPieces];
	uint32 count;
	uint32 fresh;
};

static float *
palloc_floats(Size n)
{
	return static_cast<float *>(MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(float)));
}

static Chunk
new_chunk(const IndexState *state, uint32 rows)
{
	Size dims = state->codec.shape.code_dims;
	Size fit = kChunkBytes / (2 * dims * sizeof(float));
	Chunk chunk{};
	chunk.capacity = rows < fit ? rows : static_cast<uint32>(fit);
	if (chunk.capacity < kLeastChunk)
		chunk.capacity = kLeastChunk;
	chunk.x = palloc_floats(chunk.capacity * dims);
	chunk.v = palloc_floats(chunk.capacity * dims);
	chunk.tids = static_cast<RowTid *>(palloc(chunk.capacity * sizeof(RowTid)));
	return chunk;
}

/* Fetches tids[first], tids[first + step], ... until the chunk is full or all are done; returns the next to fetch. */
static uint32
fetch_rows(Reorganiser &r, const RowTid *tids, uint32 n, uint32 first, uint32 step, Chunk &chunk)
{
	Size dims = r.state->codec.shape.code_dims;
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf row", ALLOCSET_DEFAULT_SIZES);
	chunk.rows = 0;
	uint32 i = first;
	for (; i < n && chunk.rows < chunk.capacity; i += step)
	{
		CHECK_FOR_INTERRUPTS();
		Datum value;
		float *v = chunk.v + chunk.rows * dims;
		MemoryContext old = MemoryContextSwitchTo(row);
		bool indexed = fetch_heap_value(r.heap, tids[i], &value) && indexable_row(r.state, value, false, v);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
		if (!indexed)
			continue;
		core::lists::to_code_space(r.state->codec.space, v, chunk.x + chunk.rows * dims, nullptr);
		chunk.tids[chunk.rows++] = tids[i];
	}
	MemoryContextDelete(row);
	return i;
}

static float *
mean_of(const Chunk &chunk, uint32 dims)
{
	auto *sums = static_cast<double *>(palloc0(dims * sizeof(double)));
	float *mean = palloc_floats(dims);
	for (uint32 i = 0; i < chunk.rows; i++)
		for (uint32 k = 0; k < dims; k++)
			sums[k] += chunk.x[static_cast<Size>(i) * dims + k];
	for (uint32 k = 0; k < dims; k++)
		mean[k] = static_cast<float>(sums[k] / chunk.rows);
	pfree(sums);
	return mean;
}

/* The lists around `near` that take rows, without the one at `without`. */
static void
add_neighbours(Reorganiser &r, const float *near, BlockNumber without, Targets &targets)
{
	uint32 dims = r.state->codec.shape.code_dims;
	NearList *lists;
	uint32 n = near_lists(r.index, r.state, near, false, kNeighbours + 1, &lists);
	for (uint32 i = 0; i < n && i <= kNeighbours && targets.count < targets.fresh + kNeighbours; i++)
	{
		Target target{lists[i].head, palloc_floats(dims), false, 0, 0};
		if (target.head == without || !lists[i].exact)
			continue;
		if (!read_centre(r.index, r.state, lists[i], const_cast<float *>(target.centre)) ||
			!open_list(r.index, r.state, target.head, target.own_table))
			pg::report_corrupt(r.index, target.head, "the directory names what is no list");
		targets.lists[targets.count++] = target;
	}
	pfree(lists);
}

/* of[i] = the target that is nearest to row i. */
static void
assign(const IndexState *state, const Chunk &chunk, Targets &targets, uint8 *of)
{
	const core::distance::Kernels &kernels = core::distance::kernels();
	auto distance = state->metric == Metric::l1 ? kernels.l1 : kernels.l2_squared;
	uint32 dims = state->codec.shape.code_dims;
	for (uint32 i = 0; i < chunk.rows; i++)
	{
		const float *x = chunk.x + static_cast<Size>(i) * dims;
		float best = 0;
		for (uint32 t = 0; t < targets.count; t++)
		{
			float d = distance(x, targets.lists[t].centre, dims);
			if (t > 0 && !(d < best))
				continue;
			best = d;
			of[i] = static_cast<uint8>(t);
		}
		targets.lists[of[i]].rows++;
		targets.lists[of[i]].distance2 += best;
	}
}

/* Rows that a list has already: a reorganisation that did not end has added them. */
struct Present
{
	uint64 *tids;  // sorted
	uint32 count;

	bool
	has(const RowTid &tid) const
	{
		return std::binary_search(tids, tids + count, core::lists::row_key(tid));
	}
};

static Present
rows_present(Reorganiser &r, BlockNumber head)
{
	ListExtent extent;
	RowTid *tids;
	if (!list_extent(r.index, r.state, head, extent, &tids))
		pg::report_corrupt(r.index, head, "the directory names what is no list");
	auto *numbers =
		static_cast<uint64 *>(MemoryContextAllocHuge(CurrentMemoryContext, (extent.rows + 1) * sizeof(uint64)));
	for (uint32 i = 0; i < extent.rows; i++)
		numbers[i] = core::lists::row_key(tids[i]);
	pfree(tids);
	std::sort(numbers, numbers + extent.rows);
	return Present{numbers, extent.rows};
}

/* Adds the chunk's rows to the lists that `of` says. */
static void
distribute(Reorganiser &r, const Chunk &chunk, const Targets &targets, const uint8 *of)
{
	const IvfShape &shape = r.state->codec.shape;
	Size dims = shape.code_dims;
	CodedRow rows[kCodedAtOnce];
	RowTid tids[kCodedAtOnce];
	for (CodedRow &row : rows)
		row = new_coded_row(shape);
	float *scratch = palloc_floats(2 * dims);
	for (uint32 t = 0; t < targets.count; t++)
	{
		const Target &target = targets.lists[t];
		bool locked = false;
		Present present{};
		for (uint32 i = 0, n = 0; i < chunk.rows; i++)
		{
			if (of[i] == t && t >= targets.fresh && present.tids == nullptr)
				present = rows_present(r, target.head);
			if (of[i] == t && !present.has(chunk.tids[i]))
			{
				core::lists::encode_row(r.state->codec, target.centre, target.own_table, chunk.v + i * dims,
										chunk.x + i * dims, chunk.tids[i], rows[n], scratch);
				tids[n++] = chunk.tids[i];
			}
			if (n == 0 || (n < kCodedAtOnce && i + 1 < chunk.rows))
				continue;
			if (!locked)
				lock_list(r.index, target.head, ShareLock);
			locked = true;
			add_rows(r.index, r.state, shape, target.head, rows, tids, n);
			n = 0;
		}
		if (locked)
			unlock_list(r.index, target.head, ShareLock);
		if (present.tids != nullptr)
			pfree(present.tids);
	}
}

/* New lists for the targets that have none yet; sample: rows that were counted, of `rows` that will come. */
static void
make_targets(Reorganiser &r, Targets &targets, uint32 sample, uint32 rows)
{
	for (uint32 t = 0; t < targets.fresh; t++)
	{
		Target &target = targets.lists[t];
		float residual2 = target.rows > 0 ? static_cast<float>(target.distance2 / target.rows) : 0;
		uint32 dims = r.state->codec.shape.code_dims;
		double norm2 = static_cast<double>(core::distance::kernels().inner_product(target.centre, target.centre, dims));
		target.own_table = core::lists::wants_own_table(r.state->codec.shape, norm2, static_cast<double>(residual2));
		auto expected = static_cast<uint32>(static_cast<uint64>(target.rows) * rows / (sample > 0 ? sample : 1));
		target.head = make_empty_list(r.index, r.state, target.centre, target.own_table, residual2, expected);
	}
}

enum class Wanted
{
	split,     // some new lists
	recentre,  // one, if the rows have drifted
	merge,     // none
};

/* At most kSampleRows of the rows: evenly, as those that came together may be alike. */
static const float *
thin_out(const Chunk &chunk, uint32 dims, uint32 &n)
{
	n = chunk.rows;
	if (n <= kSampleRows)
		return chunk.x;
	float *rows = palloc_floats(static_cast<Size>(kSampleRows) * dims);
	for (uint32 i = 0; i < kSampleRows; i++)
		memcpy(rows + static_cast<Size>(i) * dims,
			   chunk.x + static_cast<Size>(static_cast<uint64>(i) * chunk.rows / kSampleRows) * dims,
			   dims * sizeof(float));
	n = kSampleRows;
	return rows;
}

/* Sets targets.fresh and the centres of new lists. False: nothing is to be done. */
static bool
choose_centres(Reorganiser &r, const Chunk &sample, BlockNumber head, Wanted wanted, Targets &targets)
{
	const IndexState *state = r.state;
	uint32 dims = state->codec.shape.code_dims;
	bool absolute = state->metric == Metric::l1;
	if (wanted == Wanted::merge)
		return true;
	if (wanted == Wanted::split)
	{
		IvfMeta meta;
		read_meta(r.index, meta);
		uint32 pieces = lists_to_come(meta) + 1 < kPieces ? lists_to_come(meta) + 1 : kPieces;
		float *centres = palloc_floats(static_cast<Size>(pieces) * dims);
		uint32 n;
		const float *rows = thin_out(sample, dims, n);
		int found = core::cluster::few_means(rows, n, dims, static_cast<int>(pieces), absolute, core::splitmix64(head),
											 centres, pg::context_memory(CurrentMemoryContext));
		if (found < 0)
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
		if (found < 2)
			return false;
		for (; targets.fresh < static_cast<uint32>(found); targets.fresh++)
			targets.lists[targets.fresh] =
				Target{InvalidBlockNumber, centres + static_cast<Size>(targets.fresh) * dims, false, 0, 0};
		targets.count = targets.fresh;
		return true;
	}
	const float *mean = mean_of(sample, dims);
	float *centre = palloc_floats(dims);
	NearList place;
	if (!find_list(r.index, r.state, head, place) || !read_centre(r.index, r.state, place, centre))
		pg::report_corrupt(r.index, head, "a list is not in the directory");
	const core::distance::Kernels &kernels = core::distance::kernels();
	double spread = 0;
	for (uint32 i = 0; i < sample.rows; i++)
		spread += kernels.l2_squared(sample.x + static_cast<Size>(i) * dims, mean, dims);
	if (kernels.l2_squared(mean, centre, dims) <= kDrift * spread / sample.rows)
		return false;
	targets.lists[0] = Target{InvalidBlockNumber, mean, false, 0, 0};
	targets.count = targets.fresh = 1;
	return true;
}

/* Caller holds the reorganisation lock and the list's exclusively. False: the list stays as it is. */
static bool
dissolve_locked(Reorganiser &r, BlockNumber head, Wanted wanted)
{
	uint32 dims = r.state->codec.shape.code_dims;
	ListExtent extent;
	RowTid *tids;
	if (!list_extent(r.index, r.state, head, extent, &tids))
		return false;
	Chunk chunk = new_chunk(r.state, extent.rows);
	bool whole = extent.rows <= chunk.capacity;
	uint32 step = whole ? 1 : (extent.rows + chunk.capacity - 1) / chunk.capacity;
	fetch_rows(r, tids, extent.rows, 0, step, chunk);
	Targets targets{};
	if (chunk.rows > 0)
	{
		if (!choose_centres(r, chunk, head, wanted, targets))
		{
			set_made(r.index, r.state, head, extent.rows);
			return false;
		}
		add_neighbours(r, mean_of(chunk, dims), head, targets);
	}
	/* The last list takes the rows to come, even if it has none. */
	if (targets.count == 0)
	{
		IvfMeta meta;
		read_meta(r.index, meta);
		if (chunk.rows > 0 || !whole || meta.list_count < 2)
			return false;
	}
	auto *of = static_cast<uint8 *>(palloc(chunk.capacity));
	assign(r.state, chunk, targets, of);
	make_targets(r, targets, chunk.rows, extent.rows);
	if (whole)
		distribute(r, chunk, targets, of);
	for (uint32 next = 0; !whole && next < extent.rows;)
	{
		next = fetch_rows(r, tids, extent.rows, next, 1, chunk);
		assign(r.state, chunk, targets, of);
		distribute(r, chunk, targets, of);
	}
	drop_list(r.index, r.state, head);
	return true;
}

static bool
dissolve(Reorganiser &r, BlockNumber head, Wanted wanted)
{
	MemoryContext old = MemoryContextSwitchTo(r.context);
	lock_list(r.index, head, ExclusiveLock);
	bool done = dissolve_locked(r, head, wanted);
	unlock_list(r.index, head, ExclusiveLock);
	MemoryContextSwitchTo(old);
	MemoryContextReset(r.context);
	return done;
}

static Reorganiser
begin_reorganising(Relation index, IndexState *state, Relation heap)
{
	HeapVectors *vectors = open_heap_vectors(index, heap, nullptr);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf split", ALLOCSET_DEFAULT_SIZES);
	return Reorganiser{index, state, vectors, context};
}

static void
end_reorganising(Reorganiser &r)
{
	close_heap_vectors(r.heap);
	MemoryContextDelete(r.context);
}

void
split_if_large(Relation index, IndexState *state, Relation heap, BlockNumber head)
{
	IvfMeta meta;
	read_meta(index, meta);
	double target = target_rows(meta.list_count);
	ListExtent extent;
	if (lists_to_come(meta) == 0 || !list_extent(index, state, head, extent, nullptr) || !too_large(extent, target) ||
		!try_lock_reorganisation(index))
		return;
	Reorganiser r = begin_reorganising(index, state, heap);
	dissolve(r, head, Wanted::split);
	end_reorganising(r);
	unlock_reorganisation(index);
}

/* One list, as it is now. Returns whether it was dissolved. */
static bool
tidy_list(Reorganiser &r, BlockNumber head)
{
	IvfMeta meta;
	read_meta(r.index, meta);
	double target = target_rows(meta.list_count);
	ListExtent extent;
	if (!list_extent(r.index, r.state, head, extent, nullptr))
		return false;
	if (lists_to_come(meta) > 0 && too_large(extent, target))
		return dissolve(r, head, Wanted::split);
	/* With a number of lists that was asked for, small ones may be meant. */
	if (extent.rows == 0 || (meta.lists_wanted == 0 && extent.rows < 0.25 * target))
		return meta.list_count > 1 && dissolve(r, head, Wanted::merge);
	if (std::fabs(static_cast<double>(extent.rows) - extent.made) > 0.25 * extent.made)
		return dissolve(r, head, Wanted::recentre);
	return false;
}

void
ivf_tidy(Relation index)
{
	IvfMeta meta;
	IndexState *state = index_state(index, meta);
	if (meta.list_count == 0)
		return;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf tidy", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *origin = static_cast<float *>(palloc0(state->codec.shape.code_dims * sizeof(float)));
	NearList *lists;
	uint32 n = near_lists(index, state, origin, false, 1, &lists);
	uint32 most = n / kTidyShare > kTidyLists ? n / kTidyShare : kTidyLists;
	Reorganiser r = begin_reorganising(index, state, nullptr);
	for (uint32 i = 0, done = 0; i < n && done < most; i++)
	{
		pg::vacuum_delay_point_compat();
		lock_reorganisation(index);
		done += tidy_list(r, lists[i].head);
		unlock_reorganisation(index);
	}
	end_reorganising(r);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

}  // namespace vecdb::ivf
