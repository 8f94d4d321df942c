/* SPDX-License-Identifier: PostgreSQL
 * The SQL type int8vec as the shell sees it: as types/vector.hpp, with signed elements of 8 bits.
 *
 * Regime: shell.
 * Memory: new values live in the current memory context. An Int8View points into the datum it was made from.
 */
#pragma once

#include "types/vector.hpp"

namespace vecdb
{

inline namespace types
{

static_assert(offsetof(Int8Vector, dim) == 4 && offsetof(Int8Vector, unused) == 6 && offsetof(Int8Vector, x) == 8);

inline Size
int8vec_size_bytes(int dim)
{
	return offsetof(Int8Vector, x) + static_cast<Size>(dim);
}

/* The value, 4-byte header, aligned. A copy only where the datum is packed or toasted. */
inline Int8Vector *
int8vec_from_datum(Datum datum)
{
	return reinterpret_cast<Int8Vector *>(PG_DETOAST_DATUM(datum));
}

inline Int8Vector *
int8vec_arg(FunctionCallInfo fcinfo, int argument)
{
	return int8vec_from_datum(PG_GETARG_DATUM(argument));
}

/* All elements 0. */
inline Int8Vector *
new_int8vec(int dim)
{
	Size size_bytes = int8vec_size_bytes(dim);
	auto *vector = static_cast<Int8Vector *>(palloc0(size_bytes));
	SET_VARSIZE(vector, size_bytes);
	vector->dim = static_cast<int16>(dim);
	return vector;
}

/* A value to read and no more. */
struct Int8View
{
	int dim;
	const int8 *x;
};

inline Int8View
int8_view(Datum datum)
{
	auto *packed = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
	if (unlikely(VARATT_IS_EXTERNAL(packed) || VARATT_IS_COMPRESSED(packed)))
		packed = pg_detoast_datum(packed);
	const char *data = VARDATA_ANY(packed);
	int16 dim;
	std::memcpy(&dim, data, sizeof dim);
	return Int8View{dim, reinterpret_cast<const int8 *>(data + 4)};
}

/* Dimensions, read from the size of the value: never detoasts. */
inline int
int8vec_datum_dimensions(Datum datum)
{
	return static_cast<int>(toast_raw_datum_size(datum) - offsetof(Int8Vector, x));
}

/* 22000 below 1 dimension, 54000 above the limit. */
inline void
check_int8vec_dimension(int dim)
{
	check_dimensions("int8vec", dim, kMaxVectorDimensions);
}

/* 22000 unless a and b are equal. */
inline void
check_same_int8vec_dimensions(int a, int b)
{
	check_equal_dimensions("int8vec", a, b);
}

}  // namespace types
}  // namespace vecdb
