/* SPDX-License-Identifier: PostgreSQL
 * Order of vectors: element by element as arrays are, then the one with fewer elements first.
 *
 * Regime: shell.
 * Memory: detoasted copies are freed here, since a btree build or a sort calls these in a long-lived context.
 */
#include "types/vector.hpp"

using namespace vecdb;

namespace
{

int
compare(const Vector *a, const Vector *b)
{
	int common = a->dim < b->dim ? a->dim : b->dim;
	for (int i = 0; i < common; i++)
	{
		/* NaN cannot be stored, and -0 equals 0. */
		if (a->x[i] != b->x[i])
			return a->x[i] < b->x[i] ? -1 : 1;
	}
	return (a->dim > b->dim) - (a->dim < b->dim);
}

int
compare_arguments(FunctionCallInfo fcinfo)
{
	Vector *a = vector_arg(fcinfo, 0);
	Vector *b = vector_arg(fcinfo, 1);
	int result = compare(a, b);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

/* Values of different size differ, and the size is known without detoasting. */
bool
arguments_equal(FunctionCallInfo fcinfo)
{
	if (toast_raw_datum_size(PG_GETARG_DATUM(0)) != toast_raw_datum_size(PG_GETARG_DATUM(1)))
		return false;
	return compare_arguments(fcinfo) == 0;
}

}  // namespace

VECDB_FUNCTION(vecdb_vector_lt)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

VECDB_FUNCTION(vecdb_vector_le)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

VECDB_FUNCTION(vecdb_vector_eq)
{
	PG_RETURN_BOOL(arguments_equal(fcinfo));
}

VECDB_FUNCTION(vecdb_vector_ne)
{
	PG_RETURN_BOOL(!arguments_equal(fcinfo));
}

VECDB_FUNCTION(vecdb_vector_ge)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

VECDB_FUNCTION(vecdb_vector_gt)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

VECDB_FUNCTION(vecdb_vector_cmp)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}
