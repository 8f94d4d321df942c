/* SPDX-License-Identifier: PostgreSQL
 * The extension's own types and operators: their OIDs, and how a statement spells them whatever the search_path.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

#include "types/indexed.hpp"
#include "vecdb/distance/metric.hpp"

namespace vecdb::api
{

using core::distance::Metric;

struct TypeNames
{
	Oid type;
	Oid distances[5];  // by Metric: l2, inner_product, cosine, l1; [0] is none
	Oid scored;        // <*> with vecdb.query
};

struct Names
{
	Oid schema;
	char quoted_schema[NAMEDATALEN * 2 + 3];
	Oid query_type;         // vecdb.query
	Oid scored_schema;      // of <*>
	TypeNames elements[6];  // by ElementType; bit has none
};

/* Looked up once; again after a change of types or schemas. Valid until the next call. */
const Names &extension_names();

/* The element type of one of our types; false for others. */
bool element_type_of(const Names &names, Oid type, ElementType &element);

/* "<->" and its like. */
const char *metric_operator(Metric metric);

/* Type as "schema.name", quoted. */
const char *qualified_type(Oid type);

/* Registers for invalidation. Call once from module_init. */
void names_init();

}  // namespace vecdb::api
