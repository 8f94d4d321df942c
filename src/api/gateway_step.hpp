/* SPDX-License-Identifier: PostgreSQL
 * One request or prefetch of the gateway: its settings, the vectors and ids that it names, the statement that it comes down to.
 *
 * Regime: shell.
 */
#pragma once

#include "api/examples.hpp"
#include "api/gateway.hpp"
#include "api/legs.hpp"

namespace vecdb::api
{

constexpr int kUnsupported = ERRCODE_FEATURE_NOT_SUPPORTED;

/* Filters of a request and of those around it. */
struct FilterChain
{
	Jsonb *filter;  // null: none
	const FilterChain *outer;
};

/* One request or prefetch. */
struct Step
{
	const Gateway *gateway;
	const JsonNode *node;
	FilterChain filters;
	SearchParams params;
	int64 depth;  // rows wanted
	bool has_threshold;
	double threshold;
	bool has_candidates;  // of prefetches: the answer is made of these
	const FusedRow *candidates;
	int candidate_count;
};

SearchParams step_params(const Gateway &gateway, const JsonNode *node);

/* By `using`, or the only vector column. */
Target open_vector(const Step &step);

/* A number or a string as the type's input function reads it. */
Datum value_of_scalar(const JsonNode *node, Oid type);

/* An object that has all columns of a key of several, and no other field. */
bool is_composite_id(const Gateway &gateway, const JsonNode *node);

/* The raw name of a key column. */
const char *key_name(const Target &target, int column);

/*
 * The rows that satisfy the step's filters and `more` (null: nothing), of its candidates if it has any, in this order. Keys alone are read: the
 * rows themselves come once, for the page.
 */
RankedList run_ordered(const Step &step, Target target, const char *order, bool descending, const char *more,
					   ScoreOf score_of, Values &values);

/* Vectors that a query names, all of one element type. */
struct QueryVectors
{
	ExampleSource source;
	ElementType element;  // of the values
	bool any_id;
	Elements ids;  // of those given as ids
};

/* 0A000, 22023 for what is neither vector nor id. */
QueryVectors query_vectors(const Step &step, const Target &target, const JsonNode *const *inputs, int count);
Datum read_vector(const Step &step, QueryVectors &vectors, const JsonNode *input);
Datum *read_vectors(const Step &step, QueryVectors &vectors, const JsonNode *const *inputs, int count);

/* A condition: none of the rows that the query names. Null: all may be in the answer. */
const char *exclude_ids(const Target &target, const QueryVectors &vectors, Values &values);

/* A dense value as one of type vector. */
Datum vector_of_value(ElementType element, Datum value);

/* A value of an element type as one of the column's. */
Datum value_for_column(const Target &target, ElementType element, Datum value);

/* Adds the elements of an array (null: none) to inputs; returns how many. */
int append_inputs(const JsonNode **inputs, const JsonNode *list);

}  // namespace vecdb::api
