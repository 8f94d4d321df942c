/* SPDX-License-Identifier: PostgreSQL
 * The statements that the functions of the query API run: values beside the text, plans kept between calls.
 *
 * Regime: shell.
 * Safety: a statement's text holds identifiers from the catalog and names that this code spells, never a caller's
 *         string. Whatever a caller says becomes a value ($n).
 */
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace vecdb::api
{

/* Values of $1, $2, ... Grows in the memory context that it was made in. */
struct Values
{
	MemoryContext context;
	int count, capacity;
	Oid *types;
	Datum *values;
	char *nulls;  // as SPI wants them: 'n' or ' '
};

void init_values(Values &values);

/* Takes the value (by reference: it must outlive the statement) and returns n of its $n. */
int add_value(Values &values, Oid type, Datum value, bool is_null = false);

enum class PlanChoice : uint8
{
	reusable,  // values hardly change the plan: PostgreSQL may settle on a generic one
	custom,    // values decide (filters): planned anew for each call, as a statement with constants
};

struct StatementOptions
{
	PlanChoice plan = PlanChoice::reusable;
	bool read_only = true;    // with the caller's snapshot
	uint64 most_rows = 0;     // 0: all
	uint32 variant = 0;       // tells apart what is planned under other settings (settings_variant)
	bool fast_start = false;  // a portal of which only the first rows will be read, without a LIMIT to say so
};

/*
 * Runs one statement between SPI_connect and SPI_finish of the caller. The result is SPI_tuptable, SPI_processed rows.
 * Plans are kept for the session by text, types of values, options and the planner's switches (enable_indexscan, ...),
 * the 128 used last. vecdb.log_generated_sql logs the text.
 */
void run_statement(const char *sql, const Values &values, const StatementOptions &options);

/*
 * The same for reading row by row: a portal, to be fetched from with SPI_cursor_fetch and closed with SPI_cursor_close.
 */
Portal open_statement(const char *sql, const Values &values, const StatementOptions &options);

/* Defines vecdb.log_generated_sql. */
void statement_init();

}  // namespace vecdb::api
