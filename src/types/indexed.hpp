/* SPDX-License-Identifier: PostgreSQL
 * Values of an indexed column, of whatever type, in the one form in which indexes hand rows on: floats, or a bit
 * string's bytes.
 *
 * Regime: shell.
 * Memory: an IndexedValue points into the datum it was made from; making one allocates only where that is toasted.
 */
#pragma once

#include "types/bit.hpp"
#include "types/halfvec.hpp"
#include "types/int8vec.hpp"
#include "types/sparsevec.hpp"
#include "types/vector.hpp"

#include "vecdb/layout/hnsw_page.hpp"
#include "vecdb/lists/list_codec.hpp"

namespace vecdb
{

inline namespace types
{

using core::layout::ElementType;

/* A value to read and no more. The elements may be unaligned: for indexed_row and its siblings. */
struct IndexedValue
{
	ElementType type;
	int dimensions;  // of a bit string: bits
	const void *elements;
	int count;  // of a sparse vector, whose elements are indices and then values: its non-zeros; else 0
};

inline IndexedValue
indexed_value(Datum datum, ElementType type)
{
	switch (type)
	{
		case ElementType::half:
		{
			HalfvecView v = halfvec_view(datum);
			return IndexedValue{type, v.dim, v.x, 0};
		}
		case ElementType::int8:
		{
			Int8View v = int8_view(datum);
			return IndexedValue{type, v.dim, v.x, 0};
		}
		case ElementType::bit:
		{
			BitView v = bit_view(datum);
			return IndexedValue{type, static_cast<int>(v.length), v.bytes, 0};
		}
		case ElementType::sparse:
		{
			SparseView v = sparse_view(datum);
			return IndexedValue{type, v.dim, v.indices, v.nnz};
		}
		case ElementType::float32: break;
	}
	VectorView v = vector_view(datum);
	return IndexedValue{type, v.dim, v.x, 0};
}

/* Detoasts where need be. */
inline int
indexed_dimensions(Datum datum, ElementType type)
{
	return indexed_value(datum, type).dimensions;
}

/* Bytes of a row as indexes hand it on; of sparse vectors a guess. */
inline Size
indexed_bytes(uint32 dimensions, ElementType type)
{
	constexpr Size kUsualSparse = 16 + 100 * (sizeof(int32) + sizeof(float));
	return type == ElementType::sparse ? kUsualSparse
		   : type == ElementType::bit  ? (static_cast<Size>(dimensions) + 7) / 8
									   : dimensions * sizeof(float);
}

/* Bytes of a value's elements as the column stores them. */
inline Size
indexed_value_bytes(uint32 dimensions, ElementType type)
{
	return type == ElementType::half   ? dimensions * sizeof(uint16)
		   : type == ElementType::int8 ? dimensions
									   : indexed_bytes(dimensions, type);
}

/* Copies the row to out, indexed_bytes of the value's dimensions. Neither allocates nor raises. */
void indexed_row(const IndexedValue &value, float *out);

/* The row where it lies, if it lies there as a row; else a copy in buffer. */
const float *indexed_row_in_place(const IndexedValue &value, float *buffer);

/* The same with a buffer of the current memory context, if one is needed. */
const float *indexed_row_in_place(const IndexedValue &value);

/* All elements are 0: not indexed under cosine. */
bool indexed_is_zero(const IndexedValue &value);

/* 22000 unless the value has the dimensions of the index. */
void check_indexed_dimensions(const IndexedValue &value, uint32 dimensions);

/* 22000 unless a value of a elements can be compared with one of b. */
void check_same_indexed_dimensions(int a, int b, ElementType type);

}  // namespace types
}  // namespace vecdb
