/* SPDX-License-Identifier: PostgreSQL
 * The SQL type halfvec as the shell sees it: as types/vector.hpp, with elements of half precision.
 *
 * Regime: shell.
 * Memory: new values live in the current memory context. A HalfvecView points into the datum it was made from.
 */
#pragma once

#include "types/vector.hpp"

namespace vecdb
{

inline namespace types
{

static_assert(offsetof(HalfVector, dim) == 4 && offsetof(HalfVector, unused) == 6 && offsetof(HalfVector, x) == 8);

/* Elements that are widened to floats at a time. */
constexpr int kHalfChunk = 256;

inline Size
halfvec_size_bytes(int dim)
{
	return offsetof(HalfVector, x) + static_cast<Size>(dim) * sizeof(uint16);
}

/* The value, 4-byte header, aligned. A copy only where the datum is packed or toasted. */
inline HalfVector *
halfvec_from_datum(Datum datum)
{
	return reinterpret_cast<HalfVector *>(PG_DETOAST_DATUM(datum));
}

inline HalfVector *
halfvec_arg(FunctionCallInfo fcinfo, int argument)
{
	return halfvec_from_datum(PG_GETARG_DATUM(argument));
}

/* All elements 0. */
inline HalfVector *
new_halfvec(int dim)
{
	Size size_bytes = halfvec_size_bytes(dim);
	auto *vector = static_cast<HalfVector *>(palloc0(size_bytes));
	SET_VARSIZE(vector, size_bytes);
	vector->dim = static_cast<int16>(dim);
	return vector;
}

/* A value to read and no more: x may be unaligned. */
struct HalfvecView
{
	int dim;
	const uint16 *x;
};

inline HalfvecView
halfvec_view(Datum datum)
{
	auto *packed = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
	if (unlikely(VARATT_IS_EXTERNAL(packed) || VARATT_IS_COMPRESSED(packed)))
		packed = pg_detoast_datum(packed);
	const char *data = VARDATA_ANY(packed);
	int16 dim;
	std::memcpy(&dim, data, sizeof dim);
	return HalfvecView{dim, reinterpret_cast<const uint16 *>(data + 4)};
}

/* Dimensions, read from the size of the value: never detoasts. */
inline int
halfvec_datum_dimensions(Datum datum)
{
	Size data_bytes = toast_raw_datum_size(datum) - VARHDRSZ;
	return static_cast<int>((data_bytes - 4) / sizeof(uint16));
}

/* 22000 below 1 dimension, 54000 above the limit. */
inline void
check_halfvec_dimension(int dim)
{
	check_dimensions("halfvec", dim, kMaxVectorDimensions);
}

/* 22000 unless a and b are equal. */
inline void
check_same_halfvec_dimensions(int a, int b)
{
	check_equal_dimensions("halfvec", a, b);
}

/* Rounds to nearest. 22003 for what is finite and beyond the range of a half, then 22000 for NaN and infinity. */
void halves_from_floats(const float *x, int dim, uint16 *out);

}  // namespace types
}  // namespace vecdb
