/* SPDX-License-Identifier: PostgreSQL
 * The statement of mmr_search and search_groups.
 *
 * Regime: shell.
 */
#include "api/nearest.hpp"

#include "api/filter.hpp"

namespace vecdb::api
{

IdMaker
append_nearest_select(StringInfo sql, const Target &target, const PageRequest &page, Datum query, const char *more,
					  const char *condition, Values &values, StatementOptions &options)
{
	StringInfoData distance, filter;
	initStringInfo(&distance);
	initStringInfo(&filter);
	append_distance(&distance, target, add_value(values, target.vec_type, query_for_column(target, query)));
	appendStringInfoString(sql, "SELECT ");
	IdMaker ids = append_id_columns(sql, target);
	appendStringInfo(sql, "%s, %s FROM %s AS t", distance.data, more, target.relation);
	bool filtered = page.filter != nullptr && append_filter(&filter, target, page.filter, values);
	if (filtered || condition != nullptr)
	{
		appendStringInfo(sql, " WHERE %s%s%s", filtered ? filter.data : "",
						 filtered && condition != nullptr ? " AND " : "", condition != nullptr ? condition : "");
		options.plan = PlanChoice::custom;
	}
	appendStringInfo(sql, " ORDER BY %s, %s", distance.data, target.key.order);
	options.variant = settings_variant(page.params);
	return ids;
}

}  // namespace vecdb::api
