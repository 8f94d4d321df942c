/* SPDX-License-Identifier: PostgreSQL
 * The limits of the statements that started last, one an index.
 *
 * Regime: shell.
 */
#include "storage/row_limit.hpp"

namespace vecdb::storage
{

struct RowLimit
{
	Oid index;
	uint64 rows;
};

constexpr int kLimits = 8;
static RowLimit limits[kLimits];
static int next_limit;

void
set_row_limit(Oid index, uint64 rows)
{
	for (RowLimit &limit : limits)
		if (limit.index == index)
		{
			limit.rows = rows;
			return;
		}
	if (rows == 0)
		return;
	limits[next_limit] = RowLimit{index, rows};
	next_limit = (next_limit + 1) % kLimits;
}

void
forget_row_limits()
{
	for (RowLimit &limit : limits)
		limit.rows = 0;
}

uint64
row_limit(Oid index)
{
	for (const RowLimit &limit : limits)
		if (limit.index == index)
			return limit.rows;
	return 0;
}

}  // namespace vecdb::storage
