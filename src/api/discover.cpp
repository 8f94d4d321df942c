/* SPDX-License-Identifier: PostgreSQL
 * vecdb.discover(), vecdb.discover_vectors(), vecdb.context_search(): rows on the better side of pairs of examples.
 *
 * Regime: shell.
 */
#include "api/examples.hpp"

namespace vecdb::api
{

namespace discover
{

enum Argument : int
{
	kRel,
	kVec,
	kTarget,
	kContext,
	kPage,
	kLookupRel = kPage + 5,
};

}  // namespace discover

namespace discover_vectors
{

enum Argument : int
{
	kRel,
	kVec,
	kKey,
	kTarget,
	kPositive,
	kNegative,
	kPage,
};

}  // namespace discover_vectors

namespace context_search
{

enum Argument : int
{
	kRel,
	kVec,
	kContext,
	kPage,
	kLookupRel = kPage + 5,
};

}  // namespace context_search

static Datum
target_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"target\" must not be null"),
						errhint("The form without a target is context_search.")));
	return PG_GETARG_DATUM(argument);
}

/* Both sides of pairs. */
struct Sides
{
	Examples positive, negative;
};

static Sides
sides_of_pairs(const Datum *vectors, int count)
{
	int pairs = count / 2;
	auto *positive = static_cast<Datum *>(palloc(static_cast<Size>(pairs + 1) * sizeof(Datum)));
	auto *negative = static_cast<Datum *>(palloc(static_cast<Size>(pairs + 1) * sizeof(Datum)));
	for (int i = 0; i < pairs; i++)
	{
		positive[i] = vectors[2 * i];
		negative[i] = vectors[2 * i + 1];
	}
	return Sides{Examples{positive, pairs}, Examples{negative, pairs}};
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_discover)
{
	using namespace vecdb::api::discover;
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, kVec, "vec")));
	Datum wanted = target_argument(fcinfo, kTarget);
	Elements ids[] = {Elements{&wanted, 1}, pairs_argument(fcinfo, kContext, "context")};
	PageRequest page = read_page(fcinfo, kPage);
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, vec, argument_type(fcinfo, kTarget, "target"), page.params);
	ExampleSource source = open_example_source(fcinfo, kLookupRel, target, vec, page.params);
	Datum *wanted_vector = read_examples(source, ids[0]);
	Sides sides = sides_of_pairs(read_examples(source, ids[1]), ids[1].count);
	Datum query =
		make_discover_query(target.metric, source.target.element, wanted_vector[0], sides.positive, sides.negative);
	Values values;
	init_values(values);
	put_scored_rows(result, target, page, query, exclude_examples(source, target, ids, 2, values), values);
	SPI_finish();
	return Datum{0};
}

VECDB_FUNCTION(vecdb_discover_vectors)
{
	using namespace vecdb::api::discover_vectors;
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, kVec, "vec")));
	Datum wanted = target_argument(fcinfo, kTarget);
	Elements positive = elements_argument(fcinfo, kPositive, "positive");
	Elements negative = elements_argument(fcinfo, kNegative, "negative");
	PageRequest page = read_page(fcinfo, kPage);
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, vec, argument_type(fcinfo, kKey, "key"), page.params);
	Datum *wanted_vector = example_vectors(target, Elements{&wanted, 1});
	Datum query = make_discover_query(target.metric, example_type(target), wanted_vector[0],
									  Examples{example_vectors(target, positive), positive.count},
									  Examples{example_vectors(target, negative), negative.count});
	Values values;
	init_values(values);
	put_scored_rows(result, target, page, query, nullptr, values);
	SPI_finish();
	return Datum{0};
}

VECDB_FUNCTION(vecdb_context_search)
{
	using namespace vecdb::api::context_search;
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *vec = NameStr(*DatumGetName(required_argument(fcinfo, kVec, "vec")));
	Elements ids = pairs_argument(fcinfo, kContext, "context");
	PageRequest page = read_page(fcinfo, kPage);
	if (ids.count == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("context_search needs at least one pair")));
	ReturnSetInfo *result = begin_rows(fcinfo);
	SPI_connect();
	Target target = open_target(relid, vec, get_element_type(argument_type(fcinfo, kContext, "context")), page.params);
	ExampleSource source = open_example_source(fcinfo, kLookupRel, target, vec, page.params);
	Sides sides = sides_of_pairs(read_examples(source, ids), ids.count);
	Datum query = make_context_query(target.metric, source.target.element, sides.positive, sides.negative);
	Values values;
	init_values(values);
	put_scored_rows(result, target, page, query, exclude_examples(source, target, &ids, 1, values), values);
	SPI_finish();
	return Datum{0};
}
