/* SPDX-License-Identifier: PostgreSQL
 * vecdb.time_budget_ms: the time after which an ordered scan looks no further for rows, and returns what it has.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "portability/instr_time.h"
}

namespace vecdb::storage
{

extern int guc_time_budget_ms;  // 0: none

/* Of one scan. */
struct TimeBudget
{
	instr_time begun;
	int milliseconds;  // 0: no limit
	bool used_up;
};

/* When a scan starts. */
void begin_time_budget(TimeBudget &budget);

/*
 * Asked before a search is widened, and now and then while one runs: whether it is to end with what it has. The first time that it is, a
 * NOTICE says so.
 */
bool time_is_up(TimeBudget &budget);

}  // namespace vecdb::storage
