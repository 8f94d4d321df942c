/* SPDX-License-Identifier: PostgreSQL
 * Pieces to fuse ranked lists with in plain SQL: a term of reciprocal ranks, scores normalised over a window.
 *
 * Regime: shell.
 * A window function reads its whole partition at the first row and keeps two numbers; frames do not matter.
 */
#include "pg/postgres.hpp"

extern "C" {
#include "windowapi.h"
}

#include <cmath>

#include "vecdb/query/fusion.hpp"

namespace vecdb::api
{

using namespace core::query;

/* What a partition keeps: zeroed when it begins. */
struct PartitionSpread
{
	bool known;
	Spread spread;
};

using SpreadOf = Spread (*)(std::span<const double>) noexcept;
using NormalizedBy = double (*)(double, const Spread &) noexcept;

/* Scores that are NULL or not finite take no part. */
static Spread
partition_spread(WindowObject window, SpreadOf spread_of)
{
	int64 rows = WinGetPartitionRowCount(window);
	if (rows > PG_INT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("too many rows in a partition to normalize scores over")));
	auto *scores = static_cast<double *>(MemoryContextAllocHuge(CurrentMemoryContext, (rows + 1) * sizeof(double)));
	std::size_t count = 0;
	for (int64 row = 0; row < rows; row++)
	{
		bool is_null, is_out;
		Datum score =
			WinGetFuncArgInPartition(window, 0, static_cast<int>(row), WINDOW_SEEK_HEAD, false, &is_null, &is_out);
		if (!is_null && !is_out && std::isfinite(DatumGetFloat8(score)))
			scores[count++] = DatumGetFloat8(score);
	}
	Spread spread = spread_of(std::span<const double>(scores, count));
	pfree(scores);
	return spread;
}

static Datum
normalized(FunctionCallInfo fcinfo, SpreadOf spread_of, NormalizedBy normalized_by)
{
	WindowObject window = PG_WINDOW_OBJECT();
	auto *kept = static_cast<PartitionSpread *>(WinGetPartitionLocalMemory(window, sizeof(PartitionSpread)));
	if (!kept->known)
	{
		kept->spread = partition_spread(window, spread_of);
		kept->known = true;
	}
	bool is_null;
	double score = DatumGetFloat8(WinGetFuncArgCurrent(window, 0, &is_null));
	if (is_null || !std::isfinite(score))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(normalized_by(score, kept->spread));
}

static double
float_argument(FunctionCallInfo fcinfo, int argument, double default_value)
{
	return PG_ARGISNULL(argument) ? default_value : PG_GETARG_FLOAT8(argument);
}

VECDB_FUNCTION(vecdb_minmax_norm)
{
	return normalized(fcinfo, minmax_spread, minmax_normalized);
}

VECDB_FUNCTION(vecdb_dbsf_norm)
{
	return normalized(fcinfo, dbsf_spread, dbsf_normalized);
}

VECDB_FUNCTION(vecdb_rrf_score)
{
	double k = float_argument(fcinfo, 1, 60), weight = float_argument(fcinfo, 2, 1);
	if (!(k >= 0) || std::isinf(k))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("k must be a finite number from 0 on")));
	if (!(weight >= 0) || std::isinf(weight))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("weight must be a finite number from 0 on")));
	/* A row that a list does not have adds nothing: so a FULL JOIN of lists can be summed as it is. */
	if (PG_ARGISNULL(0))
		PG_RETURN_FLOAT8(0);
	int64 rank = PG_GETARG_INT64(0);
	if (rank < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rank must be at least 1")));
	PG_RETURN_FLOAT8(rrf_term(rank, k, weight, WeightMode::linear));
}

}  // namespace vecdb::api
