/* SPDX-License-Identifier: PostgreSQL
 * The legs of a hybrid search: lists of rows by vectors, by terms, by full text; each a statement of its own.
 *
 * Regime: shell.
 */
#pragma once

#include "api/fused.hpp"
#include "api/json_tree.hpp"

namespace vecdb::api
{

/* What all legs share. */
struct LegContext
{
	Oid relid;
	Oid witness;
	Jsonb *filter;  // of all legs; null: none
	SearchParams params;
	int64 depth;  // of a leg that does not say
};

enum class LegType : uint8
{
	dense,
	sparse,
	bm25,
	fts,
};

struct Leg
{
	const JsonNode *at;
	LegType type;
	const char *column;
	const JsonNode *query;
	int64 depth;
	bool has_weight;
	double weight;
	Jsonb *filter;
	const char *config;  // null: the session's
	bool idf;
	bool has_threshold;
	double threshold;
	SearchParams params;
};

/* 22023 with the path for what is not a leg. */
Leg read_leg(const JsonNode *node, const LegContext &context);

/* Between SPI_connect and SPI_finish. */
RankedList run_leg(const Leg &leg, const LegContext &context);

/* [1,2] or "[1,2]" as a value of type vector. */
Datum vector_of_json(const JsonNode *node);

/* A query of JSON as a value of the target's column: [1,2], "[1,2]"; sparse: "{1:2}/3", {"indices": [], "values": []}. */
Datum query_of_json(const JsonNode *node, const Target &target);

/* "SELECT id, key columns, order FROM relation AS t WHERE conditions ORDER BY order, key LIMIT depth". conditions: empty: none. */
struct ListStatement
{
	const char *order;  // an expression over t: the list's last column
	bool descending;
	const char *conditions;
	int64 depth;
};
RankedList run_list(const Target &target, const ListStatement &statement, const ListEnd &end,
					const SearchParams &params, Values &values);

}  // namespace vecdb::api
