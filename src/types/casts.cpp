/* SPDX-License-Identifier: PostgreSQL
 * Casts between arrays and vectors, and between the vector types.
 *
 * Regime: shell.
 */
#include "types/halfvec.hpp"
#include "types/int8vec.hpp"
#include "types/sparsevec.hpp"
#include "vecdb/distance/kernels.hpp"

using namespace vecdb;

namespace
{

/* The one dimension of an array without nulls. */
int
array_dimensions(ArrayType *array)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
	return ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
}

float
numeric_as(Datum number, float)
{
	return DatumGetFloat4(DirectFunctionCall1(numeric_float4, number));
}

double
numeric_as(Datum number, double)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, number));
}

/* Elements as floats or doubles: integer[], real[], double precision[] and numeric[] are told apart by the array's element type. */
template <class T>
void
array_elements(ArrayType *array, int dim, T *x)
{
	/* Without nulls, elements of a fixed length stand side by side, each aligned. */
	const char *data = ARR_DATA_PTR(array);
	switch (ARR_ELEMTYPE(array))
	{
		case INT4OID:
			for (int i = 0; i < dim; i++)
				x[i] = static_cast<T>(reinterpret_cast<const int32 *>(data)[i]);
			break;
		case FLOAT4OID:
			for (int i = 0; i < dim; i++)
				x[i] = static_cast<T>(reinterpret_cast<const float4 *>(data)[i]);
			break;
		case FLOAT8OID:
			for (int i = 0; i < dim; i++)
				x[i] = static_cast<T>(reinterpret_cast<const float8 *>(data)[i]);
			break;
		case NUMERICOID:
		{
			Datum *elements;
			int count;
			deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
			for (int i = 0; i < count; i++)
				x[i] = numeric_as(elements[i], T());
			pfree(elements);
			break;
		}
		default: ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("unsupported array type")));
	}
}

/* A real[] or integer[] of that many elements, all 0. */
ArrayType *
new_array(int dim, Oid element_type)
{
	static_assert(sizeof(float4) == sizeof(int32));
	Size size_bytes = ARR_OVERHEAD_NONULLS(1) + static_cast<Size>(dim) * sizeof(float4);
	auto *result = static_cast<ArrayType *>(palloc0(size_bytes));
	SET_VARSIZE(result, size_bytes);
	result->ndim = 1;
	result->dataoffset = 0;
	result->elemtype = element_type;
	ARR_DIMS(result)[0] = dim;
	ARR_LBOUND(result)[0] = 1;
	return result;
}

/* Those of x that are not 0. NaN is one of them. */
SparseVector *
sparsevec_from_floats(const float *x, int dim)
{
	int nnz = 0;
	for (int i = 0; i < dim; i++)
		nnz += x[i] != 0.0f ? 1 : 0;
	check_sparse_nonzero(nnz);
	SparseVector *result = new_sparsevec(dim, nnz);
	float *values = sparsevec_values(result);
	int written = 0;
	for (int i = 0; written < nnz; i++)
	{
		result->indices[written] = i;
		values[written] = x[i];
		written += x[i] != 0.0f ? 1 : 0;
	}
	return result;
}

/* An index out of bounds would write past the result: a datum is checked when it comes in, but also read from disk. */
void
check_sparse_indices(const SparseVector *v)
{
	for (int i = 0; i < v->nnz; i++)
		if (v->indices[i] < 0 || v->indices[i] >= v->dim)
			ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("sparsevec index out of bounds")));
}

int
print_shortest(float x, char *out)
{
	return float_to_shortest_decimal_buf(x, out);
}

int
print_shortest(double x, char *out)
{
	return double_to_shortest_decimal_buf(x, out);
}

[[noreturn]] [[gnu::cold]] [[gnu::noinline]] void
refuse_int8_element(double x, const char *number)
{
	if (std::isnan(x))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("NaN not allowed in int8vec")));
	if (std::isinf(x))
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("infinite value not allowed in int8vec")));
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("\"%s\" is out of range for type int8vec", number)));
	pg_unreachable();
}

/* Rounds to the nearest integer, ties to even. 22003 for what is finite and beyond -128..127, 22000 for NaN and infinity. */
template <class T>
void
int8s_from(const T *x, int dim, int8 *out)
{
	for (int i = 0; i < dim; i++)
	{
		/* -128.5 goes to the even -128, 127.5 to the even 128. */
		if (unlikely(!(x[i] >= static_cast<T>(-128.5) && x[i] < static_cast<T>(127.5))))
		{
			char number[DOUBLE_SHORTEST_DECIMAL_LEN];
			print_shortest(x[i], number);
			refuse_int8_element(static_cast<double>(x[i]), number);
		}
		out[i] = static_cast<int8>(std::lrint(x[i]));
	}
}

}  // namespace

VECDB_FUNCTION(vecdb_array_to_vector)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int32 typmod = PG_GETARG_INT32(1);
	int dim = array_dimensions(array);
	check_dimension(dim);
	check_expected_dimensions(typmod, dim);
	Vector *result = new_vector_uninitialized(dim);
	array_elements(array, dim, result->x);
	check_elements(result->x, dim);
	PG_FREE_IF_COPY(array, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_array_to_halfvec)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int32 typmod = PG_GETARG_INT32(1);
	int dim = array_dimensions(array);
	check_halfvec_dimension(dim);
	check_expected_dimensions(typmod, dim);
	auto *x = static_cast<float *>(palloc(static_cast<Size>(dim) * sizeof(float)));
	array_elements(array, dim, x);
	HalfVector *result = new_halfvec(dim);
	halves_from_floats(x, dim, result->x);
	pfree(x);
	PG_FREE_IF_COPY(array, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_to_float4)
{
	Vector *v = vector_arg(fcinfo, 0);
	ArrayType *result = new_array(v->dim, FLOAT4OID);
	std::memcpy(ARR_DATA_PTR(result), v->x, static_cast<Size>(v->dim) * sizeof(float4));
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_ARRAYTYPE_P(result);
}

VECDB_FUNCTION(vecdb_halfvec_to_float4)
{
	HalfVector *v = halfvec_arg(fcinfo, 0);
	ArrayType *result = new_array(v->dim, FLOAT4OID);
	core::distance::kernels().f16_to_f32(v->x, reinterpret_cast<float *>(ARR_DATA_PTR(result)),
										 static_cast<Size>(v->dim));
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_ARRAYTYPE_P(result);
}

VECDB_FUNCTION(vecdb_vector_to_halfvec)
{
	Vector *v = vector_arg(fcinfo, 0);
	int32 typmod = PG_GETARG_INT32(1);
	check_halfvec_dimension(v->dim);
	check_expected_dimensions(typmod, v->dim);
	HalfVector *result = new_halfvec(v->dim);
	halves_from_floats(v->x, v->dim, result->x);
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_to_vector)
{
	HalfVector *v = halfvec_arg(fcinfo, 0);
	int32 typmod = PG_GETARG_INT32(1);
	check_dimension(v->dim);
	check_expected_dimensions(typmod, v->dim);
	Vector *result = new_vector_uninitialized(v->dim);
	core::distance::kernels().f16_to_f32(v->x, result->x, static_cast<Size>(v->dim));
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_array_to_sparsevec)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int32 typmod = PG_GETARG_INT32(1);
	int dim = array_dimensions(array);
	check_sparse_dimension(dim);
	check_expected_dimensions(typmod, dim);
	auto *x = static_cast<float *>(palloc(static_cast<Size>(dim) * sizeof(float)));
	array_elements(array, dim, x);
	SparseVector *result = sparsevec_from_floats(x, dim);
	check_sparse_values(sparsevec_values(result), result->nnz);
	pfree(x);
	PG_FREE_IF_COPY(array, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_to_sparsevec)
{
	Vector *v = vector_arg(fcinfo, 0);
	int32 typmod = PG_GETARG_INT32(1);
	check_sparse_dimension(v->dim);
	check_expected_dimensions(typmod, v->dim);
	SparseVector *result = sparsevec_from_floats(v->x, v->dim);
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_to_sparsevec)
{
	HalfVector *v = halfvec_arg(fcinfo, 0);
	int32 typmod = PG_GETARG_INT32(1);
	check_sparse_dimension(v->dim);
	check_expected_dimensions(typmod, v->dim);
	auto *x = static_cast<float *>(palloc(static_cast<Size>(v->dim) * sizeof(float)));
	core::distance::kernels().f16_to_f32(v->x, x, static_cast<Size>(v->dim));
	SparseVector *result = sparsevec_from_floats(x, v->dim);
	pfree(x);
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_sparsevec_to_vector)
{
	SparseVector *v = sparsevec_arg(fcinfo, 0);
	int32 typmod = PG_GETARG_INT32(1);
	check_dimension(v->dim);
	check_expected_dimensions(typmod, v->dim);
	check_sparse_indices(v);
	const float *values = sparsevec_values(v);
	Vector *result = new_vector(v->dim);
	for (int i = 0; i < v->nnz; i++)
		result->x[v->indices[i]] = values[i];
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_sparsevec_to_halfvec)
{
	SparseVector *v = sparsevec_arg(fcinfo, 0);
	int32 typmod = PG_GETARG_INT32(1);
	check_halfvec_dimension(v->dim);
	check_expected_dimensions(typmod, v->dim);
	check_sparse_indices(v);
	auto *halves = static_cast<uint16 *>(palloc(static_cast<Size>(v->nnz) * sizeof(uint16)));
	halves_from_floats(sparsevec_values(v), v->nnz, halves);
	HalfVector *result = new_halfvec(v->dim);
	for (int i = 0; i < v->nnz; i++)
		result->x[v->indices[i]] = halves[i];
	pfree(halves);
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_POINTER(result);
}

/* From double precision, so that elements of numeric[] and double precision[] are rounded once. */
VECDB_FUNCTION(vecdb_array_to_int8vec)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int32 typmod = PG_GETARG_INT32(1);
	int dim = array_dimensions(array);
	check_int8vec_dimension(dim);
	check_expected_dimensions(typmod, dim);
	auto *x = static_cast<double *>(palloc(static_cast<Size>(dim) * sizeof(double)));
	array_elements(array, dim, x);
	Int8Vector *result = new_int8vec(dim);
	int8s_from(x, dim, result->x);
	pfree(x);
	PG_FREE_IF_COPY(array, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_int8vec_to_float4)
{
	Int8View v = int8_view(PG_GETARG_DATUM(0));
	ArrayType *result = new_array(v.dim, FLOAT4OID);
	core::distance::kernels().i8_to_f32(v.x, reinterpret_cast<float *>(ARR_DATA_PTR(result)), static_cast<Size>(v.dim));
	PG_RETURN_ARRAYTYPE_P(result);
}

VECDB_FUNCTION(vecdb_int8vec_to_int4)
{
	Int8View v = int8_view(PG_GETARG_DATUM(0));
	ArrayType *result = new_array(v.dim, INT4OID);
	auto *elements = reinterpret_cast<int32 *>(ARR_DATA_PTR(result));
	for (int i = 0; i < v.dim; i++)
		elements[i] = v.x[i];
	PG_RETURN_ARRAYTYPE_P(result);
}

VECDB_FUNCTION(vecdb_int8vec_to_vector)
{
	Int8View v = int8_view(PG_GETARG_DATUM(0));
	int32 typmod = PG_GETARG_INT32(1);
	check_dimension(v.dim);
	check_expected_dimensions(typmod, v.dim);
	Vector *result = new_vector_uninitialized(v.dim);
	core::distance::kernels().i8_to_f32(v.x, result->x, static_cast<Size>(v.dim));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_to_int8vec)
{
	Vector *v = vector_arg(fcinfo, 0);
	int32 typmod = PG_GETARG_INT32(1);
	check_int8vec_dimension(v->dim);
	check_expected_dimensions(typmod, v->dim);
	Int8Vector *result = new_int8vec(v->dim);
	int8s_from(v->x, v->dim, result->x);
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_int8vec_to_halfvec)
{
	Int8View v = int8_view(PG_GETARG_DATUM(0));
	int32 typmod = PG_GETARG_INT32(1);
	const core::distance::Kernels &k = core::distance::kernels();
	check_halfvec_dimension(v.dim);
	check_expected_dimensions(typmod, v.dim);
	HalfVector *result = new_halfvec(v.dim);
	for (int i = 0; i < v.dim; i += kHalfChunk)
	{
		float x[kHalfChunk];
		Size n = static_cast<Size>(v.dim - i < kHalfChunk ? v.dim - i : kHalfChunk);
		k.i8_to_f32(v.x + i, x, n);
		k.f32_to_f16(x, result->x + i, n);
	}
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_to_int8vec)
{
	HalfvecView v = halfvec_view(PG_GETARG_DATUM(0));
	int32 typmod = PG_GETARG_INT32(1);
	check_int8vec_dimension(v.dim);
	check_expected_dimensions(typmod, v.dim);
	Int8Vector *result = new_int8vec(v.dim);
	for (int i = 0; i < v.dim; i += kHalfChunk)
	{
		float x[kHalfChunk];
		int n = v.dim - i < kHalfChunk ? v.dim - i : kHalfChunk;
		core::distance::kernels().f16_to_f32(v.x + i, x, static_cast<Size>(n));
		int8s_from(x, n, result->x + i);
	}
	PG_RETURN_POINTER(result);
}
