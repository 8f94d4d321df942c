/* SPDX-License-Identifier: PostgreSQL
 * Functions of one vector: dimensions, norm, normalising, part of it, its signs as bits.
 *
 * Regime: shell.
 */
#include "types/vector.hpp"

#include "types/bit.hpp"

using namespace vecdb;

namespace
{

/* In double: the square of a large float does not fit one. Four sums, so that it vectorises. */
double
norm(const float *x, int n)
{
	double sums[4] = {0.0, 0.0, 0.0, 0.0};
	int i = 0;
	for (; i + 4 <= n; i += 4)
	{
		for (int j = 0; j < 4; j++)
		{
			double value = static_cast<double>(x[i + j]);
			sums[j] += value * value;
		}
	}
	for (; i < n; i++)
		sums[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
	return std::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

/* The first element is the highest bit of the first byte; bits past the last element are 0. */
void
pack_signs(const float *x, int n, uint8 *bits)
{
	int i = 0;
	for (; i + 8 <= n; i += 8)
	{
		uint32 byte = 0;
		for (uint32 j = 0; j < 8; j++)
			byte |= (x[i + j] > 0.0f ? 0x80u : 0u) >> j;
		bits[i / 8] = static_cast<uint8>(byte);
	}
	uint32 last = 0;
	for (int j = 0; i + j < n; j++)
		last |= (x[i + j] > 0.0f ? 0x80u : 0u) >> j;
	if (i < n)
		bits[i / 8] = static_cast<uint8>(last);
}

}  // namespace

VECDB_FUNCTION(vecdb_vector_dims_vector)
{
	PG_RETURN_INT32(vector_datum_dimensions(PG_GETARG_DATUM(0)));
}

VECDB_FUNCTION(vecdb_vector_norm)
{
	const Vector *v = vector_arg(fcinfo, 0);
	PG_RETURN_FLOAT8(norm(v->x, v->dim));
}

VECDB_FUNCTION(vecdb_l2_normalize_vector)
{
	const Vector *v = vector_arg(fcinfo, 0);
	double length = norm(v->x, v->dim);
	Vector *result = new_vector(v->dim);
	if (length > 0.0)
	{
		/* No overflow: an element is never longer than the whole, but for rounding. */
		for (int i = 0; i < v->dim; i++)
			result->x[i] = static_cast<float>(static_cast<double>(v->x[i]) / length);
	}
	PG_RETURN_POINTER(result);
}

/*
 * Elements start .. start + count - 1, clipped to those that exist; position 1 is the first. The storage is not
 * compressed, so from a toasted value only the pages that hold them are read.
 */
VECDB_FUNCTION(vecdb_subvector_vector)
{
	Datum value = PG_GETARG_DATUM(0);
	int64 first = PG_GETARG_INT32(1);
	int64 past = first + PG_GETARG_INT32(2);
	int dim = vector_datum_dimensions(value);
	if (first < 1)
		first = 1;
	if (past > dim + 1)
		past = dim + 1;
	int count = past > first ? static_cast<int>(past - first) : 0;
	check_dimension(count);

	Size count_bytes = static_cast<Size>(count) * sizeof(float);
	Size offset_bytes = offsetof(Vector, x) - VARHDRSZ + static_cast<Size>(first - 1) * sizeof(float);
	Vector *result = new_vector_uninitialized(count);
	if (VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
	{
		struct varlena *slice =
			PG_DETOAST_DATUM_SLICE(value, static_cast<int32>(offset_bytes), static_cast<int32>(count_bytes));
		std::memcpy(result->x, VARDATA_ANY(slice), count_bytes);
	}
	else
		std::memcpy(result->x, VARDATA_ANY(PG_DETOAST_DATUM_PACKED(value)) + offset_bytes, count_bytes);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_binary_quantize_vector)
{
	const Vector *v = vector_arg(fcinfo, 0);
	VarBit *result = new_bit(v->dim);
	pack_signs(v->x, v->dim, VARBITS(result));
	PG_RETURN_VARBIT_P(result);
}
