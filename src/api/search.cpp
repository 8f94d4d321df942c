/* SPDX-License-Identifier: PostgreSQL
 * vecdb.search(), vecdb.search_batch(): the rows nearest to a vector.
 *
 * Regime: shell.
 */
#include "api/ranked.hpp"

namespace vecdb::api
{

/* Arguments of vecdb.search. */
enum Argument : int
{
	kRel,
	kVec,
	kKey,
	kQuery,
	kPage,
};

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_search)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, kVec, "vec")));
	Datum query = required_argument(fcinfo, kQuery, "query");
	PageRequest page = read_page(fcinfo, kPage);
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, vec, argument_type(fcinfo, kKey, "key"), page.params);
	Values values;
	init_values(values);
	Ranking ranking{};
	ranking.query = add_value(values, target.vec_type, query_for_column(target, query));
	put_ranked_rows(result, target, page, ranking, values);
	SPI_finish();
	return Datum{0};
}
