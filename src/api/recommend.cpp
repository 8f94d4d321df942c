/* SPDX-License-Identifier: PostgreSQL
 * vecdb.recommend(), vecdb.recommend_vectors(): rows near some examples and far from others.
 *
 * Regime: shell.
 */
#include "api/examples.hpp"

namespace vecdb::api
{

using core::query::Kind;

namespace recommend
{

enum Argument : int
{
	kRel,
	kVec,
	kPositive,
	kNegative,
	kStrategy,
	kPage,
	kLookupRel = kPage + 5,
};

}  // namespace recommend

namespace recommend_vectors
{

enum Argument : int
{
	kRel,
	kVec,
	kKey,
	kPositive,
	kNegative,
	kStrategy,
	kPage,
};

}  // namespace recommend_vectors

static Kind
strategy_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? Kind::average : parse_strategy(text_to_cstring(PG_GETARG_TEXT_PP(argument)));
}

/* Before anything is looked up: an empty array has no type that could be wrong. */
static void
check_example_counts(Kind strategy, int positive, int negative)
{
	if (positive > 0 || (negative > 0 && strategy != Kind::average))
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					negative == 0 ? errmsg("recommend needs at least one example")
								  : errmsg("strategy average_vector needs at least one positive example"),
					negative == 0 ? 0 : errhint("Strategies best_score and sum_scores take negative examples alone.")));
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_recommend)
{
	using namespace vecdb::api::recommend;
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, kVec, "vec")));
	Elements ids[] = {elements_argument(fcinfo, kPositive, "positive"),
					  elements_argument(fcinfo, kNegative, "negative")};
	Kind strategy = strategy_argument(fcinfo, kStrategy);
	PageRequest page = read_page(fcinfo, kPage);
	check_example_counts(strategy, ids[0].count, ids[1].count);
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target =
		open_target(relid, vec, get_element_type(argument_type(fcinfo, kPositive, "positive")), page.params);
	ExampleSource source = open_example_source(fcinfo, kLookupRel, target, vec, page.params);
	Datum *positive = read_examples(source, ids[0]), *negative = read_examples(source, ids[1]);
	Datum query = make_recommend_query(strategy, target.metric, source.target.element, Examples{positive, ids[0].count},
									   Examples{negative, ids[1].count});
	Values values;
	init_values(values);
	put_scored_rows(result, target, page, query, exclude_examples(source, target, ids, 2, values), values);
	SPI_finish();
	return Datum{0};
}

VECDB_FUNCTION(vecdb_recommend_vectors)
{
	using namespace vecdb::api::recommend_vectors;
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, kVec, "vec")));
	Elements positive = elements_argument(fcinfo, kPositive, "positive");
	Elements negative = PG_ARGISNULL(kNegative) ? Elements{nullptr, 0}
												: elements_argument(fcinfo, kNegative, "negative");
	Kind strategy = strategy_argument(fcinfo, kStrategy);
	PageRequest page = read_page(fcinfo, kPage);
	check_example_counts(strategy, positive.count, negative.count);
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, vec, argument_type(fcinfo, kKey, "key"), page.params);
	Datum query = make_recommend_query(strategy, target.metric, example_type(target),
									   Examples{example_vectors(target, positive), positive.count},
									   Examples{example_vectors(target, negative), negative.count});
	Values values;
	init_values(values);
	put_scored_rows(result, target, page, query, nullptr, values);
	SPI_finish();
	return Datum{0};
}
