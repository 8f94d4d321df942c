/* SPDX-License-Identifier: PostgreSQL
 * Nodes scored against examples (scorer.hpp).
 *
 * Regime: shell.
 * Locks:  what takes a node's header is called with its page share-locked.
 */
#include "hnsw/scorer.hpp"
#include "hnsw/details.hpp"
#include "hnsw/lanes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pg/report.hpp"
#include "vecdb/graph/exact_order.hpp"
#include "vecdb/query/steer.hpp"

namespace vecdb::hnsw
{

using core::graph::BeamSearch;
using core::graph::CodeQuery;
using core::graph::CodeView;
using core::graph::ExactOrder;
using core::graph::Interval;
using core::graph::Scored;
using core::quantizer::kBlockLanes;
using core::quantizer::SignQuery;
using core::query::ScoreInterval;

template <class T>
static T *
array_of(uint32 count)
{
	return static_cast<T *>(MemoryContextAllocHuge(CurrentMemoryContext, static_cast<Size>(count) * sizeof(T)));
}

static float
distance_between(const CodeQuery &a, const CodeQuery &b)
{
	return std::sqrt(core::distance::kernels().l2_squared(a.q, b.q, a.n));
}

/*
 * The error of an estimate is the factor of the lane's code times what of the query the code does not show: of a difference of two queries,
 * their distance. So much of the product is doubted. (GloVe-100, 100k rows, recall@10 of discover: .93 with none, .98 with .6, .97 with 1.)
 */
constexpr float kDoubt = 0.6f;

/* How far apart the members of each pair are; of best_score one number, the mean over some of its positive and negative examples. */
static void
measure_margins(Scorer &scorer)
{
	const core::query::Formula &f = scorer.formula;
	scorer.margins = array_of<float>(f.positives + 1);
	scorer.margins[0] = 0;
	switch (f.kind)
	{
		case core::query::Kind::best_score:
			if (f.positives == 0 || f.negatives == 0)
				return;
			for (uint32 i = 0; i < f.positives || i < f.negatives; i++)
				scorer.margins[0] +=
					distance_between(*scorer.queries[i % f.positives], *scorer.queries[f.positives + i % f.negatives]);
			scorer.margins[0] *= kDoubt / static_cast<float>(std::max(f.positives, f.negatives));
			return;
		case core::query::Kind::discover:
		case core::query::Kind::context:
			for (uint32 i = 0; i < f.positives; i++)
			{
				uint32 first = f.kind == core::query::Kind::discover ? 1 + 2 * i : 2 * i;
				scorer.margins[i] = kDoubt * distance_between(*scorer.queries[first], *scorer.queries[first + 1]);
			}
			return;
		case core::query::Kind::average:
		case core::query::Kind::sum_scores: return;
	}
}

Scorer *
make_scorer(const IndexState *state, const QueryValue &query)
{
	const HnswShape &shape = state->shape;
	auto *scorer = static_cast<Scorer *>(palloc0(sizeof(Scorer)));
	scorer->formula = query.formula;
	scorer->count = query.count;
	scorer->foreign = query.metric != state->metric;
	if (scorer->foreign)
		return scorer;
	scorer->scale = state->metric == Metric::cosine ? 1 : 0;
	scorer->queries = array_of<CodeQuery *>(query.count);
	scorer->signs = shape.blocks != 0 ? array_of<SignQuery>(query.count) : nullptr;
	scorer->graph = array_of<float>(query.count);
	scorer->similarities = array_of<float>(query.count * kBlockLanes);
	scorer->bounds = array_of<ScoreInterval>(query.count);
	if (core::layout::is_exact(shape.element_type) || shape.tail_bytes != 0)
		allocate_code(shape, CurrentMemoryContext, scorer->copy);
	const char *at = query.examples;
	for (uint32 i = 0; i < query.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		IndexedValue v = next_example(query, at);
		const auto *indices = static_cast<const int32 *>(v.elements);
		const float *row = query.sparse
							   ? make_sparse_row(state, SparseView{v.dimensions, v.count, indices,
																   reinterpret_cast<const float *>(indices + v.count)})
							   : static_cast<const float *>(v.elements);
		scorer->queries[i] = make_query(state, row);
		if (scorer->signs != nullptr)
		{
			auto *lut = static_cast<uint8 *>(palloc(core::quantizer::sign_lut_bytes(shape.sign_dims)));
			scorer->signs[i] = core::quantizer::sign_query(scorer->queries[i]->q, shape.sign_dims, lut);
		}
	}
	if (scorer->signs != nullptr)
		measure_margins(*scorer);
	return scorer;
}

/* The node's code, copied where it does not lie in the slot in one piece. */
static CodeView
code_of(PageStore &store, const NodeHeader *node)
{
	const HnswShape &shape = store.state->shape;
	if (likely(!shape.sparse() && shape.tail_bytes == 0))
		return CodeView{slot_code(node), node->scale, node->bias, node->norm2, 0};
	NodeCopy &copy = store.scorer->copy;
	if (shape.sparse() && core::layout::code_blocks(*node) > shape.code_dims / core::layout::kSparseBlockBytes)
		pg::report_corrupt(store.index, 0, "invalid code length");
	copy.header = *node;
	copy_code(store, node, copy, false);
	return copy.view();
}

static float
steered(const PageStore &store, const float *similarities)
{
	float d;
	core::query::steer(store.scorer->formula, store.scorer->scale, similarities, 1, 1, nullptr, &d);
	return std::fabs(d) < BeamSearch::kFarthest ? d : BeamSearch::kFarthest;
}

void
score_by_examples(PageStore &store, const NodeHeader *node, Scored &out)
{
	Scorer &scorer = *store.scorer;
	out.error = 0;
	out.distance = 0;
	if (scorer.foreign)
		return;
	CodeView code = code_of(store, node);
	for (uint32 i = 0; i < scorer.count; i++)
		scorer.graph[i] = core::graph::query_distance(*store.kernels, *scorer.queries[i], code);
	memcpy(scorer.similarities, scorer.graph, scorer.count * sizeof(float));
	core::query::graph_similarities(store.state->metric, scorer.similarities, scorer.count);
	if (scorer.scale == 0)
	{
		float sum = 0;
		for (uint32 i = 0; i < scorer.count; i++)
			sum += std::fabs(scorer.similarities[i]);
		sum /= static_cast<float>(scorer.count);
		scorer.scale = sum > 1e-30f && sum < 1e30f ? sum : 1;
	}
	out.distance = steered(store, scorer.similarities);
}

void
estimate_by_examples(PageStore &store, const NodeHeader *node, float threshold, Scored *out, unsigned &n)
{
	const HnswShape &shape = store.state->shape;
	Scorer &scorer = *store.scorer;
	constexpr float kAll = std::numeric_limits<float>::infinity();
	const uint32 *lanes = slot_lanes(node, shape);
	const auto *block = reinterpret_cast<const uint8 *>(node) + shape.block_offset;
	float add_scale = factor_scale(node->add_exponent), mul_scale = factor_scale(node->mul_exponent);
	float estimates[kBlockLanes], noise[kBlockLanes];
	/* Squared distances are off by twice what products are; similarities of cosine are half of them. */
	float noise_scale = std::fabs(mul_scale) * (store.state->metric == Metric::cosine ? 0.5f : 1.0f);
	for (uint32 first = 0; first < node->lane_count; first += kBlockLanes, block += shape.block_bytes)
	{
		const auto *factors = reinterpret_cast<const uint16 *>(block);
		for (uint32 i = 0; i < scorer.count; i++)
		{
			const SignQuery &signs = scorer.signs[i];
			(void) store.kernels->fast_scan(block + 4 * kBlockLanes, signs.lut, signs.segments, factors,
											factors + kBlockLanes, add_scale, mul_scale, scorer.graph[i], signs.step,
											signs.bias, kAll, scorer.similarities + i * kBlockLanes);
		}
		core::query::graph_similarities(store.state->metric, scorer.similarities, scorer.count * kBlockLanes);
		store.kernels->f16_to_f32(factors + kBlockLanes, noise, kBlockLanes);
		for (float &x : noise)
			x = std::fabs(x) * noise_scale;
		core::query::Doubt doubt{scorer.margins, noise};
		core::query::steer(scorer.formula, scorer.scale, scorer.similarities, kBlockLanes, kBlockLanes, &doubt,
						   estimates);
		uint32 used = std::min(node->lane_count - first, kBlockLanes);
		for (uint32 lane = 0; lane < used; lane++)
		{
			/* What is no number is far, and a way to what is not. */
			float d = std::fabs(estimates[lane]) < BeamSearch::kFarthest ? estimates[lane] : BeamSearch::kFarthest;
			if (!(d < threshold))
				continue;
			out[n].id = lanes[first + lane];
			out[n].distance = d;
			out[n++].error = 0;
		}
	}
}

static ScoreInterval
similarity_bounds(Metric metric, Interval distance)
{
	distance = ExactOrder::sane(distance, metric);
	/* float32 has overflowed where the score is worked out in double. */
	if (!std::isfinite(distance.lower) || !std::isfinite(distance.middle) || !std::isfinite(distance.upper))
		return ScoreInterval{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
	return core::query::similarity_bounds(metric, distance.lower, distance.upper);
}

/* Of the bounds in scorer. middle is no better known than that it lies between: nothing is certain where it matters. */
static Interval
distance_bounds(const Scorer &scorer)
{
	ScoreInterval score = core::query::score_interval(scorer.formula, scorer.bounds);
	/* 0 minus: no minus zero. */
	Interval r{0.0 - score.upper, 0, 0.0 - score.lower};
	r.middle = std::isinf(r.lower) || std::isinf(r.upper) ? (std::isinf(r.lower) ? r.upper : r.lower)
														  : r.lower + (r.upper - r.lower) / 2;
	return r;
}

static Interval
nothing_known()
{
	constexpr double kInfinity = std::numeric_limits<double>::infinity();
	return Interval{-kInfinity, 0, kInfinity};
}

Interval
refine_by_examples(const PageStore &store, const uint8 *code, const uint8 *residual, const NodeHeader &node,
				   double error)
{
	const Scorer &scorer = *store.scorer;
	if (scorer.foreign)
		return nothing_known();
	double norm = std::sqrt(static_cast<double>(node.norm2)) + static_cast<double>(node.error);
	for (uint32 i = 0; i < scorer.count; i++)
	{
		const CodeQuery &query = *scorer.queries[i];
		double d = static_cast<double>(
			core::graph::refined_distance(*store.kernels, query, code, residual, node.scale, node.bias));
		scorer.bounds[i] =
			similarity_bounds(query.metric, core::graph::operator_interval(query, d, error, norm, false));
	}
	return distance_bounds(scorer);
}

Interval
refine_exact_by_examples(const PageStore &store, const NodeCopy &node)
{
	const Scorer &scorer = *store.scorer;
	if (scorer.foreign)
		return nothing_known();
	for (uint32 i = 0; i < scorer.count; i++)
		scorer.bounds[i] = similarity_bounds(
			scorer.queries[i]->metric, core::graph::exact_interval(*store.kernels, *scorer.queries[i], node.view()));
	return distance_bounds(scorer);
}

/* As ExactOrder::add has it, with the node's norm at hand. */
static Interval
coarse_interval(const CodeQuery &query, float d, const NodeHeader *node)
{
	float distance, error;
	core::graph::finish_score(query, d, node->norm2, node->error, distance, error);
	auto middle = static_cast<double>(distance), width = static_cast<double>(error);
	if (query.metric == Metric::inner_product)
		return Interval{middle - width, middle, middle + width};
	return core::graph::operator_interval(query, middle, width, query.norm + std::sqrt(std::fabs(middle)), true);
}

bool
bounds_by_examples(PageStore &store, uint32 id, Interval &out)
{
	const HnswShape &shape = store.state->shape;
	Scorer &scorer = *store.scorer;
	out = nothing_known();
	if (scorer.foreign)
		return true;
	BlockNumber blkno = shape.block_of(id);
	Buffer buffer = store.visit(blkno);
	Page page = BufferGetPage(buffer);
	const NodeHeader *node = slot_header(page, shape, id);
	const char *fault = page_is(page, PageKind::node) ? core::layout::check_node(*node, shape) : "not a node page";
	bool good = fault == nullptr && node->level == 0 && node->state == static_cast<uint8>(NodeState::live);
	if (good)
	{
		CodeView code = code_of(store, node);
		for (uint32 i = 0; i < scorer.count; i++)
		{
			const CodeQuery &query = *scorer.queries[i];
			float d = core::graph::query_distance(*store.kernels, query, code);
			scorer.bounds[i] = similarity_bounds(query.metric, coarse_interval(query, d, node));
		}
	}
	UnlockReleaseBuffer(buffer);
	if (fault != nullptr)
		pg::report_corrupt(store.index, blkno, fault);
	if (good)
		out = distance_bounds(scorer);
	return good;
}

}  // namespace vecdb::hnsw
