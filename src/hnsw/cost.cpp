/* SPDX-License-Identifier: PostgreSQL
 * amcostestimate: what the planner is told about an HNSW scan. The model and its figures: README.md, "What a scan is said
 * to cost".
 *
 * Regime: shell.
 * Keeps:  the estimate depends on the index, statistics and settings, never on the query vector, so that a prepared
 *         statement settles on a generic plan (by <*> on the metric and the number of examples of the query, where it is known); nothing in it takes longer for a larger index (the metapage is read once
 *         a relcache entry).
 */
#include "hnsw/handler.hpp"
#include "hnsw/module.hpp"
#include "hnsw/state.hpp"

#include <algorithm>
#include <cmath>

#include "pg/plan_cost.hpp"
#include "storage/access_method.hpp"
#include "types/query_value.hpp"

namespace vecdb::hnsw
{

namespace
{

/* Measured microseconds, all cached. */
constexpr double kVisit = 0.2;             // a page visit and what is done with the node
constexpr double kEstimate = 0.01;         // and, fused, with each lane
constexpr double kFusedHops = 30;          // beyond the candidates
constexpr double kVisitPerKb = 0.12;       // for each kB of the node that is read
constexpr double kWidened = 0.2;           // more after the first run: all seen so far is gone through again
constexpr double kQuery = 10;              // a scan's beginning
constexpr double kQueryPerElement = 0.02;  // rotating and coding the query, a dimension
constexpr double kFreshLanes = 0.8;        // of the first hops, and how that goes on; see visits()
constexpr double kFreshPower = 0.85;
constexpr double kUpperVisits = 200;  // on the way down, compact
constexpr double kUpperHops = 75;     // the same, fused
constexpr double kReturned = 0.5;     // refining a row and giving it its place
constexpr double kExample = 0.25;     // of a visit, more for each example of a query by <*>

/* Of an index that is none (hypothetical). */
constexpr double kUnknownDimensions = 100;

/* Slots up to which an index is searched whole (scan.cpp). */
constexpr double kSearchedWhole = 1024;

/* Of a query whose code is exact: it is as good as not made ready. */
constexpr double kExactElements = 50;

/* Share of rows whose distance the executor computes again. */
constexpr double kRechecked16 = 0.05;
constexpr double kRechecked8 = 0.9;

/* What of an index's shape the estimate needs; kept in rd_amcache. */
struct CostShape
{
	double dimensions;
	double lanes;
	double node_kb;  // read at a visit
	bool fused;
	bool precise;
	Metric metric;
};

}  // namespace

static CostShape
shape_of(Oid indexid)
{
	Relation index = index_open(indexid, NoLock);
	if (index->rd_amcache == nullptr)
	{
		HnswMeta meta;
		HnswShape shape;
		read_meta(index, meta);
		core::layout::hnsw_shape(meta.dimensions, core::layout::shape_options(meta), shape);
		auto *kept = static_cast<CostShape *>(MemoryContextAlloc(index->rd_indexcxt, sizeof(CostShape)));
		kept->fused = shape.blocks != 0;
		kept->precise = meta.precision != 8;
		kept->metric = static_cast<Metric>(meta.metric);
		kept->dimensions = is_exact(shape.element_type) ? kExactElements : shape.dimensions;
		kept->lanes = shape.lanes;
		kept->node_kb = (kept->fused ? shape.slot_bytes
									 : sizeof(NodeHeader) + (shape.sparse() ? shape.self_dims : shape.code_dims)) /
						1024.0;
		index->rd_amcache = kept;
	}
	CostShape shape = *static_cast<CostShape *>(index->rd_amcache);
	index_close(index, NoLock);
	return shape;
}

/* Of a query by <*>, as far as it is known: how many examples it has, 0 where no search can answer it. Of other orders 1. */
static double
examples_of(const IndexPath *path, Metric metric)
{
	constexpr double kUnknownExamples = 4;
	auto *order = static_cast<Node *>(linitial(path->indexorderbys));
	if (!IsA(order, OpExpr) || list_length(reinterpret_cast<OpExpr *>(order)->args) != 2)
		return 1;
	auto *op = reinterpret_cast<OpExpr *>(order);
	if (storage::order_strategy(op->opno, path->indexinfo->opfamily[0]) != storage::kQueryStrategy)
		return 1;
	auto *argument = static_cast<Node *>(lsecond(op->args));
	if (!IsA(argument, Const) || reinterpret_cast<Const *>(argument)->constisnull)
		return kUnknownExamples;
	QueryValue query = query_value(reinterpret_cast<Const *>(argument)->constvalue);
	if (query.metric != metric || core::query::is_farthest_first(query.formula, metric))
		return 0;
	return core::query::is_nearest_search(query.formula) ? 1 : query.count;
}

/* Page visits of a search that finds that many candidates among rows, first of them in its first run. */
static double
visits(const CostShape &shape, double candidates, double first, double rows)
{
	/* A visit a hop. A wider search begins with the nodes seen so far once more (widen_estimates). */
	if (shape.fused)
	{
		double hops = std::min(rows, kFusedHops + 1.6 * candidates);
		return kUpperHops + hops * (candidates > first ? 2 : 1);
	}
	/*
	 * A visit a hop for the links, and one for each node seen for the first time. Of the lanes of a hop the fewer are new the more
	 * nodes have been seen: measured on both data sets, from 14 hops to 2600, the number seen grows with this power.
	 */
	double hops = std::min(rows, 4 + candidates);
	double scored = rows * (1 - std::exp(-kFreshLanes * shape.lanes * std::pow(hops, kFreshPower) / rows));
	return kUpperVisits + hops + scored;
}

/* Candidates found by the time that row leaves: the look-ahead grows fourfold when half of it has left (widen() of scan.cpp). */
static double
look_ahead(double row, double rows)
{
	double ef = guc_ef_search;
	if (rows <= kSearchedWhole && guc_iterative_scan == kIterativeOff)
		return std::max(ef, rows);
	return row <= ef ? ef : std::max(ef, 4 * row);
}

void
hnsw_cost_estimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost, Cost *total_cost,
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

	CostShape shape{kUnknownDimensions, 2.0 * core::layout::kDefaultM, 1, false, true, Metric::l2};
	if (!info->hypothetical)
		shape = shape_of(info->indexoid);
	double examples = examples_of(path, shape.metric);
	if (examples == 0 && !info->hypothetical)
	{
		/*
		 * The scan would read all rows and leave the order to the executor, and under cosine lack zero vectors. Finite, unlike above:
		 * a sort by a further column takes differences, and a cost of NaN would win over everything.
		 */
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
		row = std::min(row, static_cast<double>(std::max(guc_max_scan_tuples, guc_ef_search)));

	double random_page_cost, sequential_page_cost;
	get_tablespace_page_costs(info->reltablespace, &random_page_cost, &sequential_page_cost);

	/* Its part of the cache, shared with the tables of the query; what is not there is read at random. */
	double index_pages = std::max(static_cast<double>(info->pages), 1.0);
	double all_pages = index_pages + std::max(root->total_table_pages, static_cast<double>(rel->pages));
	double missing = 1 - std::min(1.0, effective_cache_size / all_pages);
	QualCost order_cost;
	cost_qual_eval(&order_cost, path->indexorderbys, root);
	double rate = pg::exchange_rate(root, rel, order_cost.per_tuple, random_page_cost, sequential_page_cost);
	double visit = (kVisit + kVisitPerKb * shape.node_kb + (shape.fused ? kEstimate * shape.lanes : 0)) * rate;
	if (examples > 1)
		visit *= 1 + kExample * examples;

	double first = look_ahead(1, rows);
	double first_visits = visits(shape, first, first, rows);
	double row_visits = visits(shape, look_ahead(row, rows), first, rows);
	double first_pages = std::min(first_visits, index_pages), row_pages = std::min(row_visits, index_pages);
	if (loop_count > 1)
	{
		/* Pages that one round has read are there for the next. */
		first_pages = std::min(first_pages, index_pages / loop_count);
		row_pages = std::min(row_pages, index_pages / loop_count);
	}
	double startup = (kQuery + kQueryPerElement * shape.dimensions) * rate + first_visits * visit +
					 missing * first_pages * random_page_cost + order_cost.startup;
	double until_row = startup + (row_visits - first_visits) * (visit + kWidened * rate) +
					   missing * (row_pages - first_pages) * random_page_cost +
					   row * (kReturned * rate + order_cost.per_tuple * (shape.precise ? kRechecked16 : kRechecked8));

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

}  // namespace vecdb::hnsw
