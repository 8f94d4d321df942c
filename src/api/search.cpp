/* SPDX-License-Identifier: PostgreSQL
 * vecdb.search() and vecdb.search_sparse(): the rows nearest to a vector.
 *
 * Regime: shell.
 */
#include "api/ranked.hpp"

namespace vecdb::api
{

/* rel, vec, key, query of that type, and the arguments of a PageRequest. */
static Datum
search(FunctionCallInfo fcinfo, ElementType type)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, 0, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, 1, "vec")));
	Datum query = required_argument(fcinfo, 3, "query");
	PageRequest page = read_page(fcinfo, 4);
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, vec, argument_type(fcinfo, 2, "key"), page.params);
	Values values;
	init_values(values);
	Ranking ranking{};
	ranking.query = add_value(values, target.vec_type, query_for_column(target, query, type));
	put_ranked_rows(result, target, page, ranking, values);
	SPI_finish();
	return Datum{0};
}

}  // namespace vecdb::api

using namespace vecdb;

VECDB_FUNCTION(vecdb_search)
{
	return api::search(fcinfo, ElementType::float32);
}

VECDB_FUNCTION(vecdb_search_sparse)
{
	return api::search(fcinfo, ElementType::sparse);
}
