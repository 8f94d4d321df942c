/* SPDX-License-Identifier: PostgreSQL
 * The SQL type sparsevec as the shell sees it: datum <-> SparseVector, the checks that many callers share.
 *
 * Regime: shell.
 * Memory: new values live in the current memory context. A SparseView points into the datum it was made from.
 */
#pragma once

#include "types/vector.hpp"

namespace vecdb
{

inline namespace types
{

constexpr int kMaxSparseDimensions = VECDB_SPARSEVEC_MAX_DIMENSIONS;
constexpr int kMaxSparseNonzero = VECDB_SPARSEVEC_MAX_NONZERO;

static_assert(offsetof(SparseVector, dim) == 4 && offsetof(SparseVector, nnz) == 8 &&
			  offsetof(SparseVector, unused) == 12 && offsetof(SparseVector, indices) == 16);

inline Size
sparsevec_size_bytes(int nnz)
{
	return offsetof(SparseVector, indices) + static_cast<Size>(nnz) * (sizeof(int32) + sizeof(float));
}

inline float *
sparsevec_values(SparseVector *vector)
{
	return reinterpret_cast<float *>(vector->indices + vector->nnz);
}

/* The value, 4-byte header, aligned. A copy only where the datum is packed or toasted. */
inline SparseVector *
sparsevec_from_datum(Datum datum)
{
	return reinterpret_cast<SparseVector *>(PG_DETOAST_DATUM(datum));
}

inline SparseVector *
sparsevec_arg(FunctionCallInfo fcinfo, int argument)
{
	return sparsevec_from_datum(PG_GETARG_DATUM(argument));
}

/* Indices and values are the caller's to set. */
inline SparseVector *
new_sparsevec(int dim, int nnz)
{
	Size size_bytes = sparsevec_size_bytes(nnz);
	auto *vector = static_cast<SparseVector *>(palloc(size_bytes));
	SET_VARSIZE(vector, size_bytes);
	vector->dim = dim;
	vector->nnz = nnz;
	vector->unused = 0;
	return vector;
}

/*
 * A value to read and no more. Values under 127 bytes are stored with a 1-byte header, so indices and values may be
 * unaligned: hand them to distance kernels or memcpy, do not index them where the platform minds.
 */
struct SparseView
{
	int32 dim;
	int32 nnz;
	const int32 *indices;
	const float *values;
};

inline SparseView
sparse_view(Datum datum)
{
	auto *packed = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
	if (unlikely(VARATT_IS_EXTERNAL(packed) || VARATT_IS_COMPRESSED(packed)))
		packed = pg_detoast_datum(packed);
	const char *data = VARDATA_ANY(packed);
	int32 head[2];
	std::memcpy(head, data, sizeof head);
	const char *indices = data + 12;
	return SparseView{head[0], head[1], reinterpret_cast<const int32 *>(indices),
					  reinterpret_cast<const float *>(indices + static_cast<Size>(head[1]) * sizeof(int32))};
}

/* Dimensions: of a toasted value only the first bytes are fetched. */
inline int32
sparsevec_datum_dimensions(Datum datum)
{
	auto *packed = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
	if (unlikely(VARATT_IS_EXTERNAL(packed) || VARATT_IS_COMPRESSED(packed)))
		packed = PG_DETOAST_DATUM_SLICE(datum, 0, sizeof(int32));
	int32 dim;
	std::memcpy(&dim, VARDATA_ANY(packed), sizeof dim);
	return dim;
}

/* 22000 below 1 dimension, 54000 above the limit. */
inline void
check_sparse_dimension(int32 dim)
{
	check_dimensions("sparsevec", dim, kMaxSparseDimensions);
}

/* 22000 unless a and b are equal. */
inline void
check_same_sparse_dimensions(int32 a, int32 b)
{
	check_equal_dimensions("sparsevec", a, b);
}

/* 54000 above the limit. */
void check_sparse_nonzero(int nnz);

/* 22000 where a value is NaN or infinite. */
void check_sparse_values(const float *values, int nnz);

}  // namespace types
}  // namespace vecdb
