/* SPDX-License-Identifier: PostgreSQL
 * What the cost estimates of ordered index scans share: microseconds into the planner's units, and the rows that a query
 * wants.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::pg
{

/* Microseconds for a row of the table at a random place, cached. */
constexpr double kHeapRow = 0.6;

/*
 * Units of cost for a microsecond. The planner has two rates: a row at a random place costs random_page_cost, cached or not,
 * twenty times what the same time costs in a sequential scan. A scan is told in the coin of what it competes with:
 * another index where a condition has one, else a scan and sort of the whole table. distance: of one row, in units.
 */
double exchange_rate(PlannerInfo *root, RelOptInfo *rel, Cost distance, double random_page_cost,
					 double sequential_page_cost);

/* Rows that the query wants of this table after all conditions; all where it does not say. */
double wanted_rows(const PlannerInfo *root, double passing);

}  // namespace vecdb::pg
