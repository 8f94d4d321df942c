/* SPDX-License-Identifier: PostgreSQL
 * Values of an indexed column, of whatever type, in the one form in which indexes hand rows on.
 *
 * Regime: shell.
 */
#pragma once

#include "types/bit.hpp"
#include "types/vector.hpp"

#include "vecdb/layout/hnsw_page.hpp"
#include "vecdb/lists/list_codec.hpp"

namespace vecdb
{

inline namespace types
{

using core::layout::ElementType;

/* Points into the datum where that is not toasted. A bit string has its bytes at x: core::lists::as_row. */
inline VectorView
indexed_view(Datum datum, ElementType type)
{
	if (type != ElementType::bit)
		return vector_view(datum);
	BitView bits = bit_view(datum);
	return VectorView{static_cast<int>(bits.length), core::lists::as_row(bits.bytes)};
}

/* 22000 unless a value of a elements can be compared with one of b. */
inline void
check_same_indexed_dimensions(int a, int b, ElementType type)
{
	if (type == ElementType::bit)
		check_same_bit_lengths(static_cast<uint32>(a), static_cast<uint32>(b));
	else
		check_same_dimensions(a, b);
}

/* Bytes of a row as indexes hand it on. */
inline Size
indexed_bytes(uint32 dimensions, ElementType type)
{
	return type == ElementType::bit ? (static_cast<Size>(dimensions) + 7) / 8 : dimensions * sizeof(float);
}

}  // namespace types
}  // namespace vecdb
