/* SPDX-License-Identifier: PostgreSQL
 * Scans by <*>: nodes scored against the examples of a query, and bounds of their scores.
 *
 * Regime: shell.
 * The graph is walked with the score (Scored::distance is what query/steer.hpp makes of it, Scored::error says no more than dead or
 * alive); links are the metric's. In what order rows leave follows from bounds, worked out anew for those that are found.
 */
#pragma once

#include "hnsw/store.hpp"

#include "types/query_value.hpp"

namespace vecdb::hnsw
{

struct Scorer
{
	core::query::Formula formula;
	uint32 count;  // of examples
	bool foreign;  // another metric than the index's: nothing is known of any row's score
	float scale;   // of similarities, from the first node scored; 0 before
	core::graph::CodeQuery **queries;
	core::quantizer::SignQuery *signs;  // layout fused
	float *graph;                       // graph distances of the node scored last
	float *similarities;                // kBlockLanes for each example
	core::query::ScoreInterval *bounds;
	float *margins;  // layout fused: how far examples that are compared with each other are apart (query::Doubt)
	NodeCopy copy;   // of a code that does not lie in the slot in one piece
};

/* In the current context, in which all of it stays. 42804, 22000 where the query is of another type or shape. */
Scorer *make_scorer(const IndexState *state, const QueryValue &query);

/* As score() and refine() of a plain query, in distances by <*>. The caller holds the node's page. */
void score_by_examples(PageStore &store, const NodeHeader *node, core::graph::Scored &out);

/* Layout fused: estimates of the neighbours of the node just scored. */
void estimate_by_examples(PageStore &store, const NodeHeader *node, float threshold, core::graph::Scored *out,
						  unsigned &n);

/* From a code, with its residual if that is not null. */
core::graph::Interval refine_by_examples(const PageStore &store, const uint8 *code, const uint8 *residual,
										 const NodeHeader &node, double error);
core::graph::Interval refine_exact_by_examples(const PageStore &store, const NodeCopy &node);

/* Bounds from the slot's code alone. False: no node of the base layer (any more). */
bool bounds_by_examples(PageStore &store, uint32 id, core::graph::Interval &out);

}  // namespace vecdb::hnsw
