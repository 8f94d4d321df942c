/* SPDX-License-Identifier: PostgreSQL
 * Casts between arrays and vectors.
 *
 * Regime: shell.
 */
#include "types/vector.hpp"

using namespace vecdb;

/* integer[], real[], double precision[] and numeric[]: one C function, told apart by the array's element type. */
VECDB_FUNCTION(vecdb_array_to_vector)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int32 typmod = PG_GETARG_INT32(1);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("array must be 1-D")));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array must not contain nulls")));
	int dim = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	check_dimension(dim);
	check_expected_dimensions(typmod, dim);

	/* Without nulls, elements of a fixed length stand side by side, each aligned. */
	Vector *result = new_vector_uninitialized(dim);
	const char *data = ARR_DATA_PTR(array);
	switch (ARR_ELEMTYPE(array))
	{
		case INT4OID:
			for (int i = 0; i < dim; i++)
				result->x[i] = static_cast<float>(reinterpret_cast<const int32 *>(data)[i]);
			break;
		case FLOAT4OID: std::memcpy(result->x, data, static_cast<Size>(dim) * sizeof(float)); break;
		case FLOAT8OID:
			for (int i = 0; i < dim; i++)
				result->x[i] = static_cast<float>(reinterpret_cast<const float8 *>(data)[i]);
			break;
		case NUMERICOID:
		{
			Datum *elements;
			int count;
			deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
			for (int i = 0; i < count; i++)
				result->x[i] = DatumGetFloat4(DirectFunctionCall1(numeric_float4, elements[i]));
			pfree(elements);
			break;
		}
		default: ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("unsupported array type")));
	}
	check_elements(result->x, dim);
	PG_FREE_IF_COPY(array, 0);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_to_float4)
{
	Vector *v = vector_arg(fcinfo, 0);
	Size data_bytes = static_cast<Size>(v->dim) * sizeof(float4);
	Size size_bytes = ARR_OVERHEAD_NONULLS(1) + data_bytes;
	auto *result = static_cast<ArrayType *>(palloc0(size_bytes));
	SET_VARSIZE(result, size_bytes);
	result->ndim = 1;
	result->dataoffset = 0;
	result->elemtype = FLOAT4OID;
	ARR_DIMS(result)[0] = v->dim;
	ARR_LBOUND(result)[0] = 1;
	std::memcpy(ARR_DATA_PTR(result), v->x, data_bytes);
	PG_FREE_IF_COPY(v, 0);
	PG_RETURN_ARRAYTYPE_P(result);
}
