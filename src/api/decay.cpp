/* SPDX-License-Identifier: PostgreSQL
 * Decays: 1 at a target, less the farther away, for scores made of a similarity and an age, a price, a distance.
 *
 * Regime: shell.
 */
#include "pg/postgres.hpp"

#include <cmath>

#include "vecdb/query/fusion.hpp"

namespace vecdb::api
{

using Decay = double (*)(double, double, double, double) noexcept;

static Datum
decay(FunctionCallInfo fcinfo, Decay of)
{
	double x = PG_GETARG_FLOAT8(0), target = PG_GETARG_FLOAT8(1), scale = PG_GETARG_FLOAT8(2);
	double midpoint = PG_GETARG_FLOAT8(3);
	if (!std::isfinite(target))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("target must be finite")));
	if (!(scale > 0) || std::isinf(scale))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("scale must be a finite number above 0")));
	if (!(midpoint > 0 && midpoint < 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("midpoint must be between 0 and 1"),
						errdetail("It is the value at a distance of scale from the target.")));
	PG_RETURN_FLOAT8(of(x, target, scale, midpoint));
}

VECDB_FUNCTION(vecdb_exp_decay)
{
	return decay(fcinfo, core::query::exp_decay);
}

VECDB_FUNCTION(vecdb_gauss_decay)
{
	return decay(fcinfo, core::query::gauss_decay);
}

VECDB_FUNCTION(vecdb_linear_decay)
{
	return decay(fcinfo, core::query::linear_decay);
}

}  // namespace vecdb::api
