/* SPDX-License-Identifier: PostgreSQL
 * Stand-ins until their owners' files are here; weak, so that those win. To be deleted.
 *
 * Regime: shell.
 */
#include "api/filter.hpp"
#include "types/query_value.hpp"

namespace vecdb
{

inline namespace types
{

__attribute__((weak)) core::distance::Metric
parse_metric(const char *name)
{
	if (pg_strcasecmp(name, "cosine") == 0)
		return core::distance::Metric::cosine;
	if (pg_strcasecmp(name, "dot") == 0 || pg_strcasecmp(name, "ip") == 0 || pg_strcasecmp(name, "inner_product") == 0)
		return core::distance::Metric::inner_product;
	if (pg_strcasecmp(name, "l2") == 0 || pg_strcasecmp(name, "euclid") == 0 || pg_strcasecmp(name, "euclidean") == 0)
		return core::distance::Metric::l2;
	if (pg_strcasecmp(name, "l1") == 0 || pg_strcasecmp(name, "manhattan") == 0)
		return core::distance::Metric::l1;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no metric \"%s\"", name)));
	pg_unreachable();
}

}  // namespace types

namespace api
{

__attribute__((weak)) bool
append_filter(StringInfo, const Target &, Jsonb *, Values &)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("filters are not there yet")));
	pg_unreachable();
}

}  // namespace api
}  // namespace vecdb
