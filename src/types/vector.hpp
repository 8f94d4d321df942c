/* SPDX-License-Identifier: PostgreSQL
 * The SQL type vector as the shell sees it: datum <-> Vector, the checks that many callers share.
 *
 * Regime: shell.
 * Memory: new vectors live in the current memory context. A VectorView points into the datum it was made from.
 */
#pragma once

#include "pg/postgres.hpp"
#include "types/checks.hpp"

extern "C" {
#include "access/detoast.h"
#if __has_include("varatt.h")
#include "varatt.h"  // its own header since 16
#endif
}

#include <cmath>
#include <cstddef>
#include <cstring>

#include "vecdb/extension.h"

namespace vecdb
{

/* Inline: callers in vecdb::hnsw and its siblings name these without a prefix. */
inline namespace types
{

constexpr int kMaxVectorDimensions = VECDB_VECTOR_MAX_DIMENSIONS;

static_assert(offsetof(Vector, dim) == 4 && offsetof(Vector, unused) == 6 && offsetof(Vector, x) == 8);

inline Size
vector_size_bytes(int dim)
{
	return offsetof(Vector, x) + static_cast<Size>(dim) * sizeof(float);
}

/* The value, 4-byte header, aligned. A copy only where the datum is packed or toasted. */
inline Vector *
vector_from_datum(Datum datum)
{
	return reinterpret_cast<Vector *>(PG_DETOAST_DATUM(datum));
}

inline Vector *
vector_arg(FunctionCallInfo fcinfo, int argument)
{
	return vector_from_datum(PG_GETARG_DATUM(argument));
}

/* All elements 0. */
inline Vector *
new_vector(int dim)
{
	Size size_bytes = vector_size_bytes(dim);
	auto *vector = static_cast<Vector *>(palloc0(size_bytes));
	SET_VARSIZE(vector, size_bytes);
	vector->dim = static_cast<int16>(dim);
	return vector;
}

/* Elements not set: for callers that write every one before anything can be read. */
inline Vector *
new_vector_uninitialized(int dim)
{
	Size size_bytes = vector_size_bytes(dim);
	auto *vector = static_cast<Vector *>(palloc(size_bytes));
	SET_VARSIZE(vector, size_bytes);
	vector->dim = static_cast<int16>(dim);
	vector->unused = 0;
	return vector;
}

/*
 * A value to read and no more. Values under 127 bytes are stored with a 1-byte header, so x may be unaligned:
 * hand it to distance kernels or memcpy, do not index it where the platform minds.
 */
struct VectorView
{
	int dim;
	const float *x;
};

inline VectorView
vector_view(Datum datum)
{
	auto *packed = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
	if (unlikely(VARATT_IS_EXTERNAL(packed) || VARATT_IS_COMPRESSED(packed)))
		packed = pg_detoast_datum(packed);
	const char *data = VARDATA_ANY(packed);
	int16 dim;
	std::memcpy(&dim, data, sizeof dim);
	return VectorView{dim, reinterpret_cast<const float *>(data + 4)};
}

/* Dimensions, read from the size of the value: never detoasts. */
inline int
vector_datum_dimensions(Datum datum)
{
	Size data_bytes = toast_raw_datum_size(datum) - VARHDRSZ;
	return static_cast<int>((data_bytes - 4) / sizeof(float));
}

/* 22000 below 1 dimension, 54000 above the limit. */
inline void
check_dimension(int dim)
{
	check_dimensions("vector", dim, kMaxVectorDimensions);
}

/* 22000 unless a and b are equal. */
inline void
check_same_dimensions(int a, int b)
{
	check_equal_dimensions("vector", a, b);
}

/* 22000 where x holds a NaN or an infinity. */
void check_elements(const float *x, int dim);

}  // namespace types
}  // namespace vecdb
