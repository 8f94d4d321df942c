/* SPDX-License-Identifier: PostgreSQL
 * The datum layouts of vecdb's SQL types, for C code of other extensions. The only installed header.
 *
 * Regime: plain C, also read as C++. Expects postgres.h before it.
 * Keeps:  the layout equals pgvector's, so a heap page written by either is read by the other (it has no int8vec).
 */
#ifndef VECDB_EXTENSION_H
#define VECDB_EXTENSION_H

#define VECDB_VECTOR_MAX_DIMENSIONS 16000
#define VECDB_SPARSEVEC_MAX_DIMENSIONS 1000000000
#define VECDB_SPARSEVEC_MAX_NONZERO 16000

/* SQL type vector, detoasted: 8 + 4 * dim bytes, 4-byte aligned. */
typedef struct Vector
{
	int32 vl_len_; /* varlena header; read it with VARSIZE only */
	int16 dim;     /* 1 .. VECDB_VECTOR_MAX_DIMENSIONS */
	int16 unused;  /* 0 */
	float x[FLEXIBLE_ARRAY_MEMBER];
} Vector;

/* SQL type halfvec, detoasted: 8 + 2 * dim bytes, 4-byte aligned. The limits are those of Vector. */
typedef struct HalfVector
{
	int32 vl_len_;                   /* varlena header; read it with VARSIZE only */
	int16 dim;                       /* 1 .. VECDB_VECTOR_MAX_DIMENSIONS */
	int16 unused;                    /* 0 */
	uint16 x[FLEXIBLE_ARRAY_MEMBER]; /* IEEE 754 binary16 */
} HalfVector;

/* SQL type sparsevec, detoasted: 16 + 8 * nnz bytes, 4-byte aligned. Only elements other than 0 are kept. */
typedef struct SparseVector
{
	int32 vl_len_;                        /* varlena header; read it with VARSIZE only */
	int32 dim;                            /* 1 .. VECDB_SPARSEVEC_MAX_DIMENSIONS */
	int32 nnz;                            /* 0 .. VECDB_SPARSEVEC_MAX_NONZERO, at most dim */
	int32 unused;                         /* 0 */
	int32 indices[FLEXIBLE_ARRAY_MEMBER]; /* ascending, 0 .. dim - 1; float values[nnz] follow */
} SparseVector;

/* SQL type int8vec (vecdb's own), detoasted: 8 + dim bytes, 4-byte aligned. The limits are those of Vector. */
typedef struct Int8Vector
{
	int32 vl_len_; /* varlena header; read it with VARSIZE only */
	int16 dim;     /* 1 .. VECDB_VECTOR_MAX_DIMENSIONS */
	int16 unused;  /* 0 */
	int8 x[FLEXIBLE_ARRAY_MEMBER];
} Int8Vector;

#endif /* VECDB_EXTENSION_H */
