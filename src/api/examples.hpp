/* SPDX-License-Identifier: PostgreSQL
 * Examples of a query: the vectors of rows that are named by their keys, or vectors given as such.
 *
 * Regime: shell.
 * Memory: vectors are copies in the current memory context, not toasted.
 */
#pragma once

#include "api/ranked.hpp"
#include "types/query_value.hpp"

namespace vecdb::api
{

/* Where the rows are that ids name. */
struct ExampleSource
{
	Target target;
	bool excluded;  // from the answer, because they are rows of the relation that is searched
};

/*
 * The arguments lookup_rel and lookup_vec, either or both NULL: then the relation (and column) that is searched. Ids are of target's
 * key type.
 */
ExampleSource open_example_source(FunctionCallInfo fcinfo, int lookup_rel, const Target &target, const char *vec,
								  const SearchParams &params);

/* Ids, or vectors, of an array argument, which must not be NULL, nor an element of it (22004). */
struct Elements
{
	Datum *values;
	int count;
};
Elements elements_argument(FunctionCallInfo fcinfo, int argument, const char *name);

/* The same for pairs: an array of shape n x 2, else 22023. The elements are in order: better, worse, better, ... */
Elements pairs_argument(FunctionCallInfo fcinfo, int argument, const char *name);

/* The vectors of the rows with these ids, in this order, an id as often as it is there. P0002 where one has none that can be seen. */
Datum *read_examples(const ExampleSource &source, const Elements &ids);

/* A condition on t: "none of these rows". Null where all may be in the answer. */
const char *exclude_examples(const ExampleSource &source, const Target &target, const Elements *lists, int list_count,
							 Values &values);

/* Vectors of type vector as examples for target's column: as they are, or of type sparsevec where that is. */
ElementType example_type(const Target &target);
Datum *example_vectors(const Target &target, const Elements &vectors);

/* Puts the rows that score best by the query (of type vecdb.query) into result. Between SPI_connect and SPI_finish. */
void put_scored_rows(ReturnSetInfo *result, const Target &target, const PageRequest &page, Datum query,
					 const char *condition, Values &values);

}  // namespace vecdb::api
