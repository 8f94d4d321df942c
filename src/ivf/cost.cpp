/* SPDX-License-Identifier: PostgreSQL
 * amcostestimate: what the planner is told about an ivf scan.
 *
 * Regime: shell.
 * Keeps:  the estimate depends on the index, statistics and settings, never on the query vector, so that a prepared
 *         statement settles on a generic plan; of the index, the metapage alone is read.
 */
#include "ivf/handler.hpp"
#include "ivf/module.hpp"
#include "ivf/state.hpp"

#include <algorithm>
#include <cmath>

#include "pg/plan_cost.hpp"

namespace vecdb::ivf
{

using namespace core::layout;

namespace
{

/* Measured microseconds, all cached. */
constexpr double kQuery = 10;              // a scan's beginning
constexpr double kQueryPerElement = 0.03;  // rotating the query and making its table, a dimension
constexpr double kPage = 0.2;              // a page visit
constexpr double kList = 0.5;              // a list's beginning
constexpr double kBlock = 0.05;            // 32 codes
constexpr double kPerSegment = 0.0008;     // and each part of them
constexpr double kSlot = 0.15;             // a row's slot, out of turn
constexpr double kSlotPerByte = 0.0002;
constexpr double kCompared = 0.02;  // a row's slot in turn, where there are no codes
constexpr double kReturned = 0.5;   // giving a row its place

/* Rows that codes let through to be compared: of those looked at, and for each row wanted. */
constexpr double kPassing = 0.01;
constexpr double kPassingPerRow = 3;

/* Of an index that is none (hypothetical). */
constexpr double kUnknownDimensions = 100;

/* Share of rows whose distance the executor computes again. */
constexpr double kRecheckedHalf = 0.05;
constexpr double kRecheckedSq8 = 0.9;

/* What of an index the estimate needs. */
struct CostShape
{
	IvfShape rows;
	IvfShape directory;
	double lists;
	double probes;
	double rechecked;  // share of the rows returned
	bool from_heap;    // rows are compared by the table's vectors
};

}  // namespace

static CostShape
shape_of(const IndexOptInfo *info)
{
	IvfMeta meta{};
	if (!info->hypothetical)
	{
		Relation index = index_open(info->indexoid, NoLock);
		read_meta(index, meta);
		index_close(index, NoLock);
	}
	else
	{
		meta.dimensions = static_cast<uint32>(kUnknownDimensions);
		meta.quantizer = static_cast<uint8>(Quantizer::rabitq);
		meta.rerank = static_cast<uint8>(Rerank::sq8);
		meta.list_count = choose_lists(static_cast<uint64>(std::max(info->tuples, 0.0)));
	}
	CostShape shape;
	ivf_shape(meta.dimensions, core::layout::ivf_options(meta), shape.rows);
	shape.directory = directory_shape(shape.rows.code_dims);
	shape.lists = std::max(static_cast<double>(meta.list_count), 1.0);
	shape.probes = wanted_probes(meta);
	shape.from_heap = shape.rows.codes != Codes::none && shape.rows.slots == Slots::none;
	switch (shape.rows.slots)
	{
		case Slots::half: shape.rechecked = kRecheckedHalf; break;
		case Slots::float32: shape.rechecked = 0; break;
		default: shape.rechecked = kRecheckedSq8; break;
	}
	return shape;
}

namespace
{

/* Until a certain row has left the index. */
struct Work
{
	double microseconds;
	double pages;
	double from_heap;  // rows of the table fetched to be compared
};

}  // namespace

/* rows: of the index. */
static Work
work(const CostShape &shape, double row, double rows)
{
	double rows_a_list = std::max(1.0, rows / shape.lists);
	/* What a row far down the order needs beyond the first lists: all of the lists where it may be. */
	double lists = std::min(shape.lists, shape.probes + 4 * row / rows_a_list);
	double seen = lists * rows_a_list;
	double blocks = lists * std::ceil(rows_a_list / kLanes);
	double pages = lists * std::ceil(rows_a_list / shape.rows.lanes_per_page);
	Work w{};
	w.microseconds = lists * kList;
	double slot = kSlot + kSlotPerByte * shape.rows.slot_bytes;
	if (shape.rows.codes == Codes::none)
	{
		w.microseconds += seen * (kCompared + kSlotPerByte * shape.rows.slot_bytes);
		pages += seen / std::max(1u, shape.rows.slots_per_page) * std::max(1u, shape.rows.pages_per_slot);
	}
	else
	{
		double passing = std::min(seen, kPassing * seen + kPassingPerRow * row);
		w.microseconds += blocks * (kBlock + kPerSegment * shape.rows.segments);
		if (shape.from_heap)
			w.from_heap = passing;
		else
		{
			w.microseconds += passing * slot;
			pages += std::min(passing, lists * rows_a_list / shape.rows.slots_per_page) * shape.rows.pages_per_slot;
		}
	}
	double centres = std::min(shape.lists, 2 * lists);
	double directory_blocks = std::ceil(shape.lists / kLanes);
	w.microseconds += directory_blocks * (kBlock + kPerSegment * shape.directory.segments) +
					  centres * (kSlot + kSlotPerByte * shape.directory.slot_bytes);
	pages += std::ceil(shape.lists / shape.directory.lanes_per_page) +
			 std::min(centres, shape.lists / shape.directory.slots_per_page) * shape.directory.pages_per_slot;
	w.microseconds += pages * kPage;
	w.pages = pages;
	return w;
}

void
ivf_cost_estimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost, Cost *total_cost,
				  Selectivity *selectivity, double *correlation, double *pages)
{
	IndexOptInfo *info = path->indexinfo;
	RelOptInfo *rel = info->rel;
	*correlation = 0;
	*pages = info->pages;
	*selectivity = 1;
	if (path->indexorderbys == NIL)
	{
		/* Cannot run without an order: never choose it. */
		*startup_cost = *total_cost = get_float8_infinity();
		return;
	}

	CostShape shape = shape_of(info);
	double rows = std::max(info->tuples, 1.0);
	double passing = std::max(path->path.param_info != nullptr ? path->path.param_info->ppi_rows : rel->rows, 1.0);
	/* A partial index holds less than the table, but all that its predicate, a part of the conditions, leaves. */
	if (info->indpred != NIL)
	{
		rows = std::max(rows, passing);
		*selectivity = std::min(1.0, rows / std::max(rel->tuples, 1.0));
	}
	passing = std::min(passing, rows);

	/* Rows that leave the index until the query has what it wants. */
	double row = std::min(rows, pg::wanted_rows(root, passing) * rows / passing);
	if (guc_iterative_scan != kIterativeOff)
		row = std::min(row,
					   std::max(1.0, std::max(shape.probes, static_cast<double>(guc_max_probes)) * rows / shape.lists));

	double random_page_cost, sequential_page_cost;
	get_tablespace_page_costs(info->reltablespace, &random_page_cost, &sequential_page_cost);

	/* Its part of the cache, shared with the tables of the query; what is not there is read at random. */
	double index_pages = std::max(static_cast<double>(info->pages), 1.0);
	double all_pages = index_pages + std::max(root->total_table_pages, static_cast<double>(rel->pages));
	double missing = 1 - std::min(1.0, effective_cache_size / all_pages);
	QualCost order_cost;
	cost_qual_eval(&order_cost, path->indexorderbys, root);
	double rate = pg::exchange_rate(root, rel, order_cost.per_tuple, random_page_cost, sequential_page_cost);

	Work first = work(shape, 1, rows), last = work(shape, row, rows);
	double first_pages = std::min(first.pages, index_pages), row_pages = std::min(last.pages, index_pages);
	if (loop_count > 1)
	{
		/* Pages that one round has read are there for the next. */
		first_pages = std::min(first_pages, index_pages / loop_count);
		row_pages = std::min(row_pages, index_pages / loop_count);
	}
	double heap_row = pg::kHeapRow * rate + order_cost.per_tuple;
	double startup = (kQuery + kQueryPerElement * shape.rows.dimensions + first.microseconds) * rate +
					 first.from_heap * heap_row + missing * first_pages * random_page_cost + order_cost.startup;
	double until_row = startup + (last.microseconds - first.microseconds) * rate +
					   (last.from_heap - first.from_heap) * heap_row +
					   missing * (row_pages - first_pages) * random_page_cost +
					   row * (kReturned * rate + order_cost.per_tuple * shape.rechecked);

	/*
	 * The server adds the rows of the table: the cost of fetching all, shared out among them, which is less for few of them than
	 * their visits cost in the coin of another index.
	 */
	double shared_out = index_pages_fetched(*selectivity * rel->tuples, rel->pages, info->pages, root) *
						random_page_cost / rows;
	until_row += row * std::max(0.0, pg::kHeapRow * rate - shared_out);

	/* It takes the share of (total - startup) that belongs to the rows wanted: there the estimate has to be right. */
	*startup_cost = startup;
	*total_cost = startup + (until_row - startup) * rows / row;
}

}  // namespace vecdb::ivf
