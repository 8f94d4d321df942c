/* SPDX-License-Identifier: PostgreSQL
 * Element-wise arithmetic on vectors: + - * and concatenation.
 *
 * Regime: shell.
 * Memory: one new vector a call; within an aggregate, + adds to its own transition value instead.
 * Speed:  each loop folds its range check into one flag without a branch, so that it vectorises.
 */
#include "types/vector.hpp"

#include <bit>

using namespace vecdb;

namespace
{

inline uint32
is_infinite(float value)
{
	return (std::bit_cast<uint32>(value) & 0x7fffffffu) == 0x7f800000u ? 1u : 0u;
}

inline uint32
is_zero(float value)
{
	return value == 0.0f ? 1u : 0u;
}

uint32
add_elements(const float *a, const float *b, float *result, int n)
{
	uint32 overflow = 0;
	for (int i = 0; i < n; i++)
	{
		float value = a[i] + b[i];
		overflow |= is_infinite(value);
		result[i] = value;
	}
	return overflow;
}

uint32
subtract_elements(const float *__restrict a, const float *__restrict b, float *__restrict result, int n)
{
	uint32 overflow = 0;
	for (int i = 0; i < n; i++)
	{
		float value = a[i] - b[i];
		overflow |= is_infinite(value);
		result[i] = value;
	}
	return overflow;
}

uint32
multiply_elements(const float *__restrict a, const float *__restrict b, float *__restrict result, int n,
				  uint32 &underflow)
{
	uint32 overflow = 0;
	uint32 vanished = 0;
	for (int i = 0; i < n; i++)
	{
		float value = a[i] * b[i];
		overflow |= is_infinite(value);
		vanished |= is_zero(value) & (is_zero(a[i]) ^ 1u) & (is_zero(b[i]) ^ 1u);
		result[i] = value;
	}
	underflow = vanished;
	return overflow;
}

}  // namespace

/* Also the transition and combine function of sum(vector). */
VECDB_FUNCTION(vecdb_vector_add)
{
	Vector *a = vector_arg(fcinfo, 0);
	Vector *b = vector_arg(fcinfo, 1);
	check_same_dimensions(a->dim, b->dim);
	/*
	 * A plain aggregate owns its transition value. A window aggregate does too, but hands it out as the result of
	 * one row and goes on adding for the next, so there it must not change.
	 */
	bool in_place = AggCheckCallContext(fcinfo, nullptr) == AGG_CONTEXT_AGGREGATE;
	Vector *result = in_place ? a : new_vector_uninitialized(a->dim);
	if (add_elements(a->x, b->x, result->x, a->dim) != 0)
		float_overflow_error();
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_sub)
{
	const Vector *a = vector_arg(fcinfo, 0);
	const Vector *b = vector_arg(fcinfo, 1);
	check_same_dimensions(a->dim, b->dim);
	Vector *result = new_vector_uninitialized(a->dim);
	if (subtract_elements(a->x, b->x, result->x, a->dim) != 0)
		float_overflow_error();
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_mul)
{
	const Vector *a = vector_arg(fcinfo, 0);
	const Vector *b = vector_arg(fcinfo, 1);
	check_same_dimensions(a->dim, b->dim);
	Vector *result = new_vector_uninitialized(a->dim);
	uint32 underflow;
	uint32 overflow = multiply_elements(a->x, b->x, result->x, a->dim, underflow);
	if (overflow != 0 || underflow != 0)
	{
		/* The first element that is out of range decides. */
		for (int i = 0; i < a->dim; i++)
		{
			if (is_infinite(result->x[i]))
				float_overflow_error();
			if (result->x[i] == 0.0f && a->x[i] != 0.0f && b->x[i] != 0.0f)
				float_underflow_error();
		}
	}
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_concat)
{
	const Vector *a = vector_arg(fcinfo, 0);
	const Vector *b = vector_arg(fcinfo, 1);
	int dim = a->dim + b->dim;
	check_dimension(dim);
	Vector *result = new_vector_uninitialized(dim);
	std::memcpy(result->x, a->x, static_cast<Size>(a->dim) * sizeof(float));
	std::memcpy(result->x + a->dim, b->x, static_cast<Size>(b->dim) * sizeof(float));
	PG_RETURN_POINTER(result);
}
