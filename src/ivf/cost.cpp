/* SPDX-License-Identifier: PostgreSQL
 * amcostestimate: what the planner is told about an ivf scan.
 *
 * Regime: shell.
 * Keeps:  the estimate depends on the index, statistics and settings, never on the query vector, so that a prepared
 *         statement settles on a generic plan; of the index, the metapage alone is read. Of a vecdb.query its metric and how many examples
 *         it has are looked at where it is known: an index of another metric knows nothing of its order.
 */
#include "ivf/handler.hpp"
#include "ivf/module.hpp"
#include "ivf/state.hpp"

#include <algorithm>
#include <cmath>

#include "pg/plan_cost.hpp"
#include "types/query_value.hpp"

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
constexpr double kExample = 0.01;   // bounding a row's score by its distance from one of several examples
constexpr double kReturned = 0.5;   // giving a row its place

/*
 * With codes, rows that are compared by their slots, and rows fetched from the table (rerank = heap): of a pass that looks
 * for so many, growing with these powers. Measured on GloVe, where codes tell least.
 */
constexpr double kCompare = 100;
constexpr double kComparePower = 0.6;
constexpr double kFetched = 12;
constexpr double kFetchedPower = 0.83;

/* Examples of a query that is not known yet. */
constexpr double kUsualExamples = 4;

/* The first pass where LIMIT is not known, and what each further one looks for more (scan.cpp). */
constexpr double kFirstRows = 20;
constexpr double kWiden = 5;

/* Of an index that is none (hypothetical). */
constexpr double kUnknownDimensions = 100;

/* Share of rows whose distance the executor computes again. */
constexpr double kRecheckedHalf = 0.05;  // and float32, which is rounded otherwise
constexpr double kRecheckedSq8 = 0.9;

/* What of an index the estimate needs. */
struct CostShape
{
	IvfMeta meta;
	IvfShape rows;
	IvfShape directory;
	double lists;
	double probes;
	double max_probes;
	double examples;   // that rows are compared with: 1 for a vector
	double rechecked;  // share of the rows returned
	bool from_heap;    // rows leave in the order of the table's vectors
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
	shape.meta = meta;
	shape.examples = 1;
	ivf_shape(row_dimensions(meta), core::layout::ivf_options(meta), shape.rows);
	shape.directory = directory_shape(shape.rows.code_dims);
	shape.lists = std::max(static_cast<double>(meta.list_count), 1.0);
	shape.probes = wanted_probes(meta);
	shape.max_probes = max_probes(meta);
	shape.from_heap = meta.rerank == static_cast<uint8>(Rerank::heap);
	switch (shape.rows.slots)
	{
		case Slots::none:
		case Slots::bits: shape.rechecked = 0; break;
		case Slots::half:
		case Slots::float32: shape.rechecked = kRecheckedHalf; break;
		default: shape.rechecked = kRecheckedSq8; break;
	}
	if (shape.from_heap)
		shape.rechecked = 0;
	return shape;
}

namespace
{

struct Work
{
	double microseconds;
	double pages;
};

}  // namespace

/* What is known of a vecdb.query. False: it is of another metric, so that all rows would leave, to be sorted. */
static bool
look_at_query(PlannerInfo *root, const IndexPath *path, CostShape &shape)
{
	auto *order = static_cast<OpExpr *>(linitial(path->indexorderbys));
	if (!IsA(order, OpExpr) || list_length(order->args) != 2)
		return true;
	int strategy;
	Oid left, right;
	get_op_opfamily_properties(order->opno, path->indexinfo->opfamily[0], true, &strategy, &left, &right);
	if (strategy != storage::kQueryStrategy)
		return true;
	shape.examples = kUsualExamples;
	auto *query = reinterpret_cast<Const *>(estimate_expression_value(root, static_cast<Node *>(lsecond(order->args))));
	bool same = true;
	if (IsA(query, Const) && !query->constisnull)
	{
		QueryValue value = query_value(query->constvalue);
		shape.examples = value.count;
		same = value.metric == static_cast<Metric>(shape.meta.metric);
	}
	shape.probes = wanted_probes(shape.meta, static_cast<uint32>(shape.examples));
	return same;
}

/* A pass over so many lists, for so many rows. */
static Work
pass(const CostShape &shape, double lists, double rows_a_list, double wanted)
{
	double seen = lists * rows_a_list;
	double list_pages = lists * std::ceil(rows_a_list / shape.rows.lanes_per_page);
	double slot_pages = seen / std::max(1u, shape.rows.slots_per_page) * std::max(1u, shape.rows.pages_per_slot);
	Work w{lists * kList, list_pages};
	double slot_bytes = kSlotPerByte * shape.rows.slot_bytes;
	if (shape.rows.codes == Codes::none)
	{
		w.microseconds += seen * (kCompared + slot_bytes) * shape.examples;
		w.pages += slot_pages;
	}
	else
	{
		double blocks = lists * std::ceil(rows_a_list / kLanes);
		w.microseconds += blocks * (kBlock + kPerSegment * shape.rows.segments) * shape.examples;
		if (shape.examples > 1)
			w.microseconds += seen * kExample * shape.examples;
		if (shape.rows.slots != Slots::none)
		{
			double compared = std::min(seen, kCompare * std::pow(wanted, kComparePower));
			w.microseconds += compared * (kSlot + slot_bytes) * shape.examples;
			w.pages += std::min(slot_pages, compared * shape.rows.pages_per_slot);
		}
	}
	double centres = shape.examples > 1 ? shape.lists * shape.examples : std::min(shape.lists, 1.5 * lists + 32);
	w.microseconds += std::ceil(shape.lists / kLanes) * (kBlock + kPerSegment * shape.directory.segments) +
					  centres * (kSlot + kSlotPerByte * shape.directory.slot_bytes);
	w.pages += std::ceil(shape.lists / shape.directory.lanes_per_page) +
			   std::min(centres, shape.lists / shape.directory.slots_per_page) * shape.directory.pages_per_slot;
	w.microseconds += w.pages * kPage;
	return w;
}

/* All passes until so many rows have left, with the first one that looks for first; as widen() of scan.cpp. */
static Work
passes(const CostShape &shape, double row, double first, double rows)
{
	double rows_a_list = std::max(1.0, rows / shape.lists);
	double lists = shape.probes, wanted = first;
	Work all = pass(shape, lists, rows_a_list, wanted);
	while (wanted < row || (lists < shape.lists && lists * rows_a_list < row))
	{
		wanted *= kWiden;
		if (wanted * 4 > lists * rows_a_list)
			lists = std::min(shape.lists, lists * 2);
		Work w = pass(shape, lists, rows_a_list, wanted);
		all.microseconds += w.microseconds;
		all.pages = std::max(all.pages, w.pages);
	}
	return all;
}

/* The scan is told LIMIT where nothing comes between (search/row_limit.cpp). */
static bool
limit_is_told(const PlannerInfo *root, const IndexPath *path)
{
	return root->limit_tuples >= 0 && path->path.parent->baserestrictinfo == NIL && path->path.param_info == nullptr &&
		   bms_membership(root->all_baserels) == BMS_SINGLETON;
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
	if (list_length(path->indexorderbys) != 1)
	{
		/* Cannot run without an order, and knows of one alone: never choose it. */
		*startup_cost = *total_cost = get_float8_infinity();
		return;
	}

	CostShape shape = shape_of(info);
	if (!look_at_query(root, path, shape))
	{
		/* Finite: a sort by a further column takes differences, and a cost of NaN would win over everything. */
		constexpr double kNeverChosen = 1e30;
		*startup_cost = *total_cost = kNeverChosen;
		return;
	}
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
		row = std::min(row, std::max(1.0, std::max(shape.probes, shape.max_probes) * rows / shape.lists));

	double random_page_cost, sequential_page_cost;
	get_tablespace_page_costs(info->reltablespace, &random_page_cost, &sequential_page_cost);

	/* Its part of the cache, shared with the tables of the query; what is not there is read at random. */
	double index_pages = std::max(static_cast<double>(info->pages), 1.0);
	double all_pages = index_pages + std::max(root->total_table_pages, static_cast<double>(rel->pages));
	double missing = 1 - std::min(1.0, effective_cache_size / all_pages);
	QualCost order_cost;
	cost_qual_eval(&order_cost, path->indexorderbys, root);
	double rate = pg::exchange_rate(root, rel, order_cost.per_tuple, random_page_cost, sequential_page_cost);

	double look_ahead = limit_is_told(root, path) ? row + row / 8 + 2 : kFirstRows;
	Work first = passes(shape, 1, look_ahead, rows), last = passes(shape, row, look_ahead, rows);
	double first_pages = std::min(first.pages, index_pages), row_pages = std::min(last.pages, index_pages);
	if (loop_count > 1)
	{
		/* Pages that one round has read are there for the next. */
		first_pages = std::min(first_pages, index_pages / loop_count);
		row_pages = std::min(row_pages, index_pages / loop_count);
	}
	double fetched = 0;
	if (shape.from_heap)
		fetched = shape.rows.slots == Slots::none ? std::min(rows, kFetched * std::pow(row, kFetchedPower)) : row;
	double startup = (kQuery + kQueryPerElement * shape.rows.dimensions + first.microseconds) * rate +
					 missing * first_pages * random_page_cost + order_cost.startup;
	double until_row = startup + (last.microseconds - first.microseconds) * rate +
					   missing * (row_pages - first_pages) * random_page_cost +
					   fetched * (pg::kHeapRow * rate + order_cost.per_tuple) +
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
