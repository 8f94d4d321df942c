/* SPDX-License-Identifier: PostgreSQL
 * avg over vectors, halfvecs and int8vecs: transition, combine (one for all) and final function. sum is the + of the type;
 * that of int8vec, which would overflow, has avg's state and ends as a vector.
 *
 * Regime: shell.
 * State:  float8[]: the number of rows, then the sum of each element. One element alone: nothing seen yet.
 * Memory: an aggregate's own state is updated in place; a caller from SQL gets a new array.
 */
#include "types/halfvec.hpp"
#include "types/int8vec.hpp"
#include "vecdb/distance/kernels.hpp"

using namespace vecdb;

namespace
{

struct State
{
	ArrayType *array;
	float8 *count;
	float8 *sums;
	int dim;  // 0: nothing seen yet
};

State
view_state(ArrayType *array)
{
	auto *values = reinterpret_cast<float8 *>(ARR_DATA_PTR(array));
	return State{array, values, values + 1, ARR_DIMS(array)[0] - 1};
}

/* Anyone can call these functions with any array. */
State
checked_state(FunctionCallInfo fcinfo, int argument, const char *caller)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] < 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != FLOAT8OID)
		elog(ERROR, "%s: expected state array", caller);
	return view_state(array);
}

/* Sums not set. */
State
new_state(int dim)
{
	Size size_bytes = ARR_OVERHEAD_NONULLS(1) + static_cast<Size>(dim + 1) * sizeof(float8);
	auto *array = static_cast<ArrayType *>(palloc(size_bytes));
	SET_VARSIZE(array, size_bytes);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = FLOAT8OID;
	ARR_DIMS(array)[0] = dim + 1;
	ARR_LBOUND(array)[0] = 1;
	return view_state(array);
}

/* to = a + b, without a branch on overflow so that it vectorises; to may be a. */
template <class T>
void
add_sums(float8 *to, const float8 *a, const T *b, int n)
{
	bool overflow = false;
	for (int i = 0; i < n; i++)
	{
		float8 sum = a[i] + static_cast<float8>(b[i]);
		overflow |= std::fabs(sum) == HUGE_VAL;
		to[i] = sum;
	}
	if (overflow)
		float_overflow_error();
}

}  // namespace

VECDB_FUNCTION(vecdb_vector_accum)
{
	State old = checked_state(fcinfo, 0, "vector_accum");
	const Vector *v = vector_arg(fcinfo, 1);
	if (old.dim == 0)
	{
		State state = new_state(v->dim);
		*state.count = *old.count + 1.0;
		for (int i = 0; i < v->dim; i++)
			state.sums[i] = static_cast<float8>(v->x[i]);
		PG_RETURN_ARRAYTYPE_P(state.array);
	}
	check_expected_dimensions(old.dim, v->dim);
	State state = AggCheckCallContext(fcinfo, nullptr) ? old : new_state(old.dim);
	*state.count = *old.count + 1.0;
	add_sums(state.sums, old.sums, v->x, old.dim);
	PG_RETURN_ARRAYTYPE_P(state.array);
}

VECDB_FUNCTION(vecdb_halfvec_accum)
{
	State old = checked_state(fcinfo, 0, "halfvec_accum");
	const HalfVector *v = halfvec_arg(fcinfo, 1);
	const core::distance::Kernels &k = core::distance::kernels();
	bool first = old.dim == 0;
	if (!first)
		check_expected_dimensions(old.dim, v->dim);
	State state = !first && AggCheckCallContext(fcinfo, nullptr) ? old : new_state(v->dim);
	*state.count = *old.count + 1.0;
	for (int i = 0; i < v->dim; i += kHalfChunk)
	{
		float x[kHalfChunk];
		int n = v->dim - i < kHalfChunk ? v->dim - i : kHalfChunk;
		k.f16_to_f32(v->x + i, x, static_cast<Size>(n));
		if (first)
			for (int j = 0; j < n; j++)
				state.sums[i + j] = static_cast<float8>(x[j]);
		else
			add_sums(state.sums + i, old.sums + i, x, n);
	}
	PG_RETURN_ARRAYTYPE_P(state.array);
}

/* Sums of integers: exact in a double up to 2^53, which 2^46 rows do not reach. */
VECDB_FUNCTION(vecdb_int8vec_accum)
{
	State old = checked_state(fcinfo, 0, "int8vec_accum");
	Int8View v = int8_view(PG_GETARG_DATUM(1));
	bool first = old.dim == 0;
	if (!first)
		check_expected_dimensions(old.dim, v.dim);
	State state = !first && AggCheckCallContext(fcinfo, nullptr) ? old : new_state(v.dim);
	*state.count = *old.count + 1.0;
	if (first)
		for (int i = 0; i < v.dim; i++)
			state.sums[i] = static_cast<float8>(v.x[i]);
	else
		add_sums(state.sums, old.sums, v.x, v.dim);
	PG_RETURN_ARRAYTYPE_P(state.array);
}

VECDB_FUNCTION(vecdb_vector_combine)
{
	State a = checked_state(fcinfo, 0, "vector_combine");
	State b = checked_state(fcinfo, 1, "vector_combine");
	bool in_aggregate = AggCheckCallContext(fcinfo, nullptr) != 0;
	float8 count = *a.count + *b.count;
	if (a.dim != 0 || b.dim != 0)
		check_dimension(a.dim != 0 ? a.dim : b.dim);
	if (a.dim == 0 || b.dim == 0)
	{
		/* A worker that saw no row changes nothing. */
		State seen = a.dim != 0 ? a : b;
		State state = in_aggregate && seen.array == a.array ? a : new_state(seen.dim);
		if (state.array != seen.array)
			std::memcpy(state.sums, seen.sums, static_cast<Size>(seen.dim) * sizeof(float8));
		*state.count = count;
		PG_RETURN_ARRAYTYPE_P(state.array);
	}
	check_expected_dimensions(a.dim, b.dim);
	State state = in_aggregate ? a : new_state(a.dim);
	*state.count = count;
	add_sums(state.sums, a.sums, b.sums, a.dim);
	PG_RETURN_ARRAYTYPE_P(state.array);
}

VECDB_FUNCTION(vecdb_vector_avg)
{
	State state = checked_state(fcinfo, 0, "vector_avg");
	if (*state.count == 0.0)
		PG_RETURN_NULL();
	check_dimension(state.dim);
	Vector *result = new_vector_uninitialized(state.dim);
	for (int i = 0; i < state.dim; i++)
		result->x[i] = static_cast<float>(state.sums[i] / *state.count);
	check_elements(result->x, state.dim);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_avg)
{
	State state = checked_state(fcinfo, 0, "halfvec_avg");
	if (*state.count == 0.0)
		PG_RETURN_NULL();
	check_halfvec_dimension(state.dim);
	auto *x = static_cast<float *>(palloc(static_cast<Size>(state.dim) * sizeof(float)));
	for (int i = 0; i < state.dim; i++)
		x[i] = static_cast<float>(state.sums[i] / *state.count);
	HalfVector *result = new_halfvec(state.dim);
	halves_from_floats(x, state.dim, result->x);
	pfree(x);
	PG_RETURN_POINTER(result);
}

/* As vecdb_vector_avg, of the sums themselves. */
VECDB_FUNCTION(vecdb_int8vec_sum)
{
	State state = checked_state(fcinfo, 0, "int8vec_sum");
	if (*state.count == 0.0)
		PG_RETURN_NULL();
	check_dimension(state.dim);
	Vector *result = new_vector_uninitialized(state.dim);
	for (int i = 0; i < state.dim; i++)
		result->x[i] = static_cast<float>(state.sums[i]);
	check_elements(result->x, state.dim);
	PG_RETURN_POINTER(result);
}
