/* SPDX-License-Identifier: PostgreSQL
 * vecdb.time_budget_ms: the time that an ordered scan may look for rows.
 *
 * Regime: shell.
 */
#include "storage/time_budget.hpp"

namespace vecdb::storage
{

int guc_time_budget_ms = 0;

void
begin_time_budget(TimeBudget &budget)
{
	budget.milliseconds = guc_time_budget_ms;
	budget.used_up = false;
	if (budget.milliseconds > 0)
		INSTR_TIME_SET_CURRENT(budget.begun);
	else
		INSTR_TIME_SET_ZERO(budget.begun);
}

bool
time_is_up(TimeBudget &budget)
{
	if (likely(budget.milliseconds == 0) || budget.used_up)
		return budget.used_up;
	instr_time now;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, budget.begun);
	if (INSTR_TIME_GET_MILLISEC(now) < budget.milliseconds)
		return false;
	budget.used_up = true;
	ereport(NOTICE,
			(errmsg("the time budget of a scan is used up"), errdetail("It returns the rows that it has found so far."),
			 errhint("vecdb.time_budget_ms is %d.", budget.milliseconds)));
	return true;
}

}  // namespace vecdb::storage
