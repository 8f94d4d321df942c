/* SPDX-License-Identifier: PostgreSQL
 * The datum layouts of vecdb's SQL types, for C code of other extensions. The only installed header.
 *
 * Regime: plain C, also read as C++. Expects postgres.h before it.
 * Keeps:  the layout equals pgvector's, so a heap page written by either is read by the other.
 */
#ifndef VECDB_EXTENSION_H
#define VECDB_EXTENSION_H

#define VECDB_VECTOR_MAX_DIMENSIONS 16000

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

#endif /* VECDB_EXTENSION_H */
