/* SPDX-License-Identifier: PostgreSQL
 * Scans in the order of operator <*>: minus the score of rows for a vecdb.query of several examples.
 *
 * Regime: shell.
 * Way:    each example has its own ListQuery, so codes and slots bound the distance of a row to each of them as in any scan. As a score never
 *         falls when what raises it comes nearer (query/score.hpp), these bounds bound it, and the scan goes on with bounds of minus the score in the
 *         place of distances.
 * Memory: what one pass needs in so->pass_context, the examples in so->context.
 */
#include "ivf/scan.hpp"

#include <cmath>
#include <limits>

#include "ivf/insert.hpp"
#include "pg/context.hpp"

namespace vecdb::ivf
{

using core::query::ScoreInterval;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/* More of them would take more time and memory than a table is worth: the executor sorts. */
constexpr uint32 kMostExamples = 512;
constexpr Size kMostFloats = 1 << 20;

void
begin_query(IndexScanDesc scan, ScanOpaque *so)
{
	const IvfMeta &meta = so->state->meta;
	const auto type = static_cast<ElementType>(meta.element_type);
	const uint32 row_dims = row_dimensions(meta);
	so->asked = query_value(scan->orderByData[0].sk_argument);
	const QueryValue &asked = so->asked;
	check_query_type(asked, type);
	check_same_indexed_dimensions(static_cast<int>(meta.dimensions), asked.dimensions, type);
	so->without_order = so->null_order = false;
	if (asked.metric != so->state->metric || asked.count > kMostExamples ||
		static_cast<Size>(asked.count) * so->state->codec.shape.code_dims > kMostFloats)
	{
		so->every_row = true;
		so->by_score = false;
		begin_vector(so, static_cast<float *>(palloc0(row_dims * sizeof(float))));
		return;
	}
	const char *at = asked.examples;
	if (core::query::is_nearest_search(asked.formula))
	{
		begin_vector(so, coded_form(next_example(asked, at), row_dims, nullptr));
		return;
	}
	so->query_count = asked.count;
	so->queries = static_cast<ListQuery *>(palloc0(asked.count * sizeof(ListQuery)));
	for (uint32 e = 0; e < asked.count; e++)
		if (!core::lists::init_query(so->queries[e], so->state->codec,
									 coded_form(next_example(asked, at), row_dims, nullptr), 0,
									 pg::context_memory(so->context)))
			out_of_memory();
	so->examples = static_cast<Examples *>(palloc(sizeof(Examples)));
	so->examples->similarities = static_cast<ScoreInterval *>(palloc(asked.count * sizeof(ScoreInterval)));
	so->examples->middles = static_cast<double *>(palloc(asked.count * sizeof(double)));
	so->examples->best = static_cast<float *>(palloc(asked.count * kLanes * sizeof(float)));
	so->examples->middles_count = core::lists::only_estimates(so->state->codec.shape);
	so->examples->lower = static_cast<float *>(palloc(asked.count * kLanes * sizeof(float)));
}

Interval
value_of_distance(const ScanOpaque *so, Interval distance)
{
	if (!so->by_score)
		return distance;
	const Metric metric = so->asked.metric;
	ScoreInterval similarity = core::query::similarity_bounds(metric, distance.lower, distance.upper);
	ScoreInterval score = core::query::score_interval(so->asked.formula, &similarity);
	double middle = core::query::similarity_of(metric, distance.middle);
	return Interval{-score.upper, -core::query::score(so->asked.formula, &middle), -score.lower};
}

/* Of the similarities to all examples. */
static Interval
value_of(const ScanOpaque *so)
{
	const core::query::Formula &formula = so->asked.formula;
	ScoreInterval score = core::query::score_interval(formula, so->examples->similarities);
	/* A row is let go by it only where its codes are all there is to go by. */
	double middle = so->examples->middles_count ? -core::query::score(formula, so->examples->middles) : -score.upper;
	Interval value{-score.upper, middle, -score.lower};
	if (!(middle >= value.lower && middle <= value.upper))
		value.middle = std::isfinite(value.lower) ? value.lower : value.upper;
	return value;
}

/* Similarities of graph distances: linear in all metrics. */
static inline ScoreInterval
similarities_between(Metric metric, double least, double most)
{
	if (metric == Metric::inner_product)
		return ScoreInterval{-most, -least};
	least = least > 0 ? least : 0;
	most = most > 0 ? most : 0;
	return metric == Metric::cosine ? ScoreInterval{1 - most / 2, 1 - least / 2} : ScoreInterval{-most, -least};
}

static void
set_similarity(ScanOpaque *so, uint32 e, double least, double middle, double most)
{
	so->examples->similarities[e] = similarities_between(so->state->metric, least, most);
	so->examples->middles[e] = similarities_between(so->state->metric, middle, middle).lower;
}

/* The bounds of one lane, after scan_block for all examples. */
static Interval
bound_lane(ScanOpaque *so, uint32 lane, float mul)
{
	for (uint32 e = 0; e < so->query_count; e++)
	{
		float lower = so->examples->lower[e * kLanes + lane];
		/* Codes that could not be scanned tell nothing. */
		if (!std::isfinite(lower))
		{
			so->examples->similarities[e] = ScoreInterval{-kInfinity, kInfinity};
			so->examples->middles[e] = 0;
			continue;
		}
		core::lists::Estimate d = core::lists::lane_estimate(so->queries[e], lower, mul);
		set_similarity(so, e, static_cast<double>(d.lower), static_cast<double>(d.distance),
					   static_cast<double>(d.distance) + static_cast<double>(d.error));
	}
	return value_of(so);
}

/* For each lane the similarity to example e that does most for its score. Not of sketches, whose bounds widen with the distance. */
static void
best_similarities(const ScanOpaque *so, uint32 e, const float *mul, float *best)
{
	const ListQuery &q = so->queries[e];
	const float *lower = so->examples->lower + e * kLanes;
	const bool raises = core::query::raises(so->asked.formula, e);
	const float twice = raises ? 0.0f : 2.0f, least = so->state->metric == Metric::inner_product ? -3e38f : 0.0f;
	const float slope = so->state->metric == Metric::cosine ? 0.5f : 1.0f,
				start = so->state->metric == Metric::cosine ? 1.0f : 0.0f;
	for (uint32 lane = 0; lane < kLanes; lane++)
	{
		float d = lower[lane] + twice * (mul[lane] * q.bound_bias + q.shift);
		best[lane] = start - slope * (d > least ? d : least);
	}
	for (uint32 lane = 0; lane < kLanes; lane++)
		if (!std::isfinite(lower[lane]) || !std::isfinite(best[lane]))
			best[lane] = raises ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
}

/* Lanes whose best score may be below the threshold: one formula a lane, where all but few are far. */
static uint32
hopeful_lanes(ScanOpaque *so, uint32 live, const float *mul)
{
	float *best = so->examples->best;
	for (uint32 e = 0; e < so->query_count; e++)
		best_similarities(so, e, mul, best + e * kLanes);
	uint32 hopeful = 0;
	for (uint32 left = live; left != 0; left &= left - 1)
	{
		auto lane = static_cast<uint32>(__builtin_ctz(left));
		for (uint32 e = 0; e < so->query_count; e++)
			so->examples->middles[e] = static_cast<double>(best[e * kLanes + lane]);
		if (!(-core::query::score(so->asked.formula, so->examples->middles) >= so->threshold))
			hopeful |= 1u << lane;
	}
	return hopeful;
}

uint32
bound_block(ScanOpaque *so, const uint8 *block, uint32 live, Interval *values)
{
	const IvfShape &shape = so->state->codec.shape;
	if (shape.codes == Codes::none)
	{
		for (uint32 left = live; left != 0; left &= left - 1)
			values[__builtin_ctz(left)] = Interval{-kInfinity, 0, kInfinity};
		return live;
	}
	const BlockHeader *h = core::lists::block_header(block);
	float mul[kLanes];
	so->queries->kernels->f16_to_f32(h->mul, mul, kLanes);
	for (uint32 lane = 0; lane < kLanes; lane++)
		mul[lane] = std::fabs(mul[lane] * h->mul_scale);
	for (uint32 e = 0; e < so->query_count; e++)
		core::lists::scan_block(so->queries[e], block, std::numeric_limits<float>::infinity(),
								so->examples->lower + e * kLanes);
	const bool full = so->nearest_count == so->look_ahead;
	if (full && so->state->codec.folding == 0)
		live = hopeful_lanes(so, live, mul);
	uint32 near = 0;
	for (uint32 left = live; left != 0; left &= left - 1)
	{
		auto lane = static_cast<uint32>(__builtin_ctz(left));
		values[lane] = bound_lane(so, lane, mul[lane]);
		if (!full || values[lane].lower < so->threshold)
			near |= 1u << lane;
	}
	return near;
}

Interval
coarse_value(ScanOpaque *so, const uint8 *slot)
{
	const bool estimates = core::lists::only_estimates(so->state->codec.shape);
	for (uint32 e = 0; e < so->query_count; e++)
	{
		Score s = core::lists::score_slot(so->queries[e], slot);
		if (estimates)
		{
			auto d = static_cast<double>(s.distance), error = static_cast<double>(s.error);
			set_similarity(so, e, d - error, d, d + error);
			continue;
		}
		Interval d = core::lists::score_interval(so->queries[e], s);
		so->examples->similarities[e] = core::query::similarity_bounds(so->asked.metric, d.lower, d.upper);
		so->examples->middles[e] = core::query::similarity_of(so->asked.metric, d.middle);
	}
	return value_of(so);
}

Interval
fine_value(ScanOpaque *so, const uint8 *slot)
{
	for (uint32 e = 0; e < so->query_count; e++)
	{
		Interval d = core::lists::slot_interval(so->queries[e], slot);
		so->examples->similarities[e] = core::query::similarity_bounds(so->asked.metric, d.lower, d.upper);
		so->examples->middles[e] = core::query::similarity_of(so->asked.metric, d.middle);
	}
	return value_of(so);
}

/* --- which lists --- */

/* Distances of all centres to all examples, a list's together. */
struct CentreDistances
{
	const ScanOpaque *so;
	float *distances;
	uint32 lists;

	static void
	begin(void *self, uint32 lists)
	{
		auto *c = static_cast<CentreDistances *>(self);
		if (c->distances != nullptr)
			pfree(c->distances);
		c->lists = lists;
		c->distances = static_cast<float *>(MemoryContextAllocHuge(
			CurrentMemoryContext, (static_cast<Size>(lists) * c->so->query_count + 1) * sizeof(float)));
	}

	static void
	take(void *self, uint32 list, const float *centre)
	{
		auto *c = static_cast<CentreDistances *>(self);
		const core::distance::Kernels &k = *c->so->queries->kernels;
		const Size n = c->so->state->codec.shape.code_dims;
		float *out = c->distances + static_cast<Size>(list) * c->so->query_count;
		for (uint32 e = 0; e < c->so->query_count; e++)
		{
			const float *x = c->so->queries[e].x;
			float d = 0;
			switch (c->so->state->metric)
			{
				case Metric::inner_product: d = -k.inner_product(x, centre, n); break;
				case Metric::l1: d = k.l1(x, centre, n); break;
				default: d = k.l2_squared(x, centre, n); break;
			}
			out[e] = d;
		}
	}
};

struct RankedList
{
	double least;   // minus the score
	double middle;  // the same of the centre
	uint32 list;
};

/* Lists that are asked how far their rows lie from the centre. */
constexpr uint32 kSpreadOf = 16;

/* Mean square distance of rows to their centre, of the first of the lists that say. */
static double
spread_of_rows(ScanOpaque *so, const NearList *lists, const RankedList *ranked, uint32 n)
{
	double sum = 0;
	uint32 counted = 0;
	for (uint32 i = 0; i < n && i < kSpreadOf; i++)
	{
		Buffer buffer = so->state->hints.visit(so->index, lists[ranked[i].list].head);
		Page page = BufferGetPage(buffer);
		if (page_is(page, IvfPageKind::list) && std::isfinite(list_header(page)->residual2))
		{
			sum += static_cast<double>(list_header(page)->residual2);
			counted++;
		}
		UnlockReleaseBuffer(buffer);
	}
	return counted == 0 ? 0 : sum / counted;
}

/*
 * How far a row's distance to an example is from the centre's, for most rows of a list whose rows lie spread from the centre: the part of
 * that spread that points to the example, or away.
 */
static double
reach(const ScanOpaque *so, uint32 e, double distance, double spread)
{
	constexpr double kDeviations = 1.5;
	double of_one = kDeviations * std::sqrt(spread / static_cast<double>(so->state->codec.shape.dimensions));
	switch (so->state->metric)
	{
		case Metric::inner_product: return of_one * so->queries[e].x_norm;
		case Metric::l1: return of_one * std::sqrt(static_cast<double>(so->state->codec.shape.dimensions));
		default: return 2 * of_one * std::sqrt(distance > 0 ? distance : 0);
	}
}

/* By the least value that a row with such a spread around the centre may have; where that is the same, by the centre's. */
static void
rank_lists(ScanOpaque *so, const CentreDistances &centres, double spread, RankedList *ranked)
{
	const uint32 m = so->query_count;
	for (uint32 i = 0; i < centres.lists; i++)
	{
		for (uint32 e = 0; e < m; e++)
		{
			auto d = static_cast<double>(centres.distances[static_cast<Size>(i) * m + e]);
			double r = spread > 0 ? reach(so, e, d, spread) : 0;
			set_similarity(so, e, d - r, d, d + r);
		}
		Interval v = value_of(so);
		ranked[i] = RankedList{v.lower, -core::query::score(so->asked.formula, so->examples->middles), i};
	}
}

static bool
ranks_before(const RankedList &a, const RankedList &b)
{
	return a.least != b.least ? a.least < b.least : a.middle != b.middle ? a.middle < b.middle : a.list < b.list;
}

/* Numbers that sorting needs. */
static void
make_sortable(RankedList *ranked, uint32 n)
{
	for (uint32 i = 0; i < n; i++)
	{
		if (std::isnan(ranked[i].least))
			ranked[i].least = -kInfinity;
		if (std::isnan(ranked[i].middle))
			ranked[i].middle = kInfinity;
	}
}

/* The list whose centre is nearest to example e. */
static uint32
nearest_to(const CentreDistances &centres, uint32 examples, uint32 e)
{
	uint32 best = 0;
	for (uint32 i = 1; i < centres.lists; i++)
		if (centres.distances[static_cast<Size>(i) * examples + e] <
			centres.distances[static_cast<Size>(best) * examples + e])
			best = i;
	return best;
}

uint32
lists_of_examples(ScanOpaque *so, uint32 probes, NearList **out, uint32 &all)
{
	constexpr uint32 kNoPlace = ~0u;
	CentreDistances centres{so, nullptr, 0};
	NearList *lists;
	all = read_centres(so->index, so->state, CentreReader{&centres, CentreDistances::begin, CentreDistances::take},
					   &lists);
	auto *ranked = static_cast<RankedList *>(
		MemoryContextAllocHuge(CurrentMemoryContext, (static_cast<Size>(all) + 1) * sizeof(RankedList)));
	rank_lists(so, centres, 0, ranked);
	make_sortable(ranked, all);
	std::partial_sort(ranked, ranked + std::min(all, kSpreadOf), ranked + all, ranks_before);
	rank_lists(so, centres, spread_of_rows(so, lists, ranked, all), ranked);
	make_sortable(ranked, all);
	std::sort(ranked, ranked + all, ranks_before);

	auto *sorted = static_cast<NearList *>(
		MemoryContextAllocHuge(CurrentMemoryContext, (static_cast<Size>(all) + 1) * sizeof(NearList)));
	auto *place = static_cast<uint32 *>(palloc((static_cast<Size>(all) + 1) * sizeof(uint32)));
	for (uint32 i = 0; i < all; i++)
		place[ranked[i].list] = kNoPlace;
	uint32 n = 0;
	auto take = [&](uint32 list) noexcept {
		if (place[list] != kNoPlace)
			return;
		place[list] = n;
		sorted[n++] = lists[list];
	};
	for (uint32 i = 0; i < all && i < probes; i++)
		take(ranked[i].list);
	/* What raises the score is looked at where it is, whatever the rank: few lists may be wanted, and its own may not be one of them. */
	for (uint32 e = 0; e < so->query_count && all > 0; e++)
		if (core::query::raises(so->asked.formula, e))
			take(nearest_to(centres, so->query_count, e));
	*out = sorted;
	return n;
}

}  // namespace vecdb::ivf
