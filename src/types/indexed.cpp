/* SPDX-License-Identifier: PostgreSQL
 * Values of an indexed column as rows.
 *
 * Regime: shell.
 */
#include "types/indexed.hpp"

#include "vecdb/distance/kernels.hpp"

namespace vecdb
{
inline namespace types
{

void
indexed_row(const IndexedValue &value, float *out)
{
	auto n = static_cast<Size>(value.dimensions);
	switch (value.type)
	{
		case ElementType::half:
			core::distance::kernels().f16_to_f32(static_cast<const uint16 *>(value.elements), out, n);
			return;
		case ElementType::int8:
			core::distance::kernels().i8_to_f32(static_cast<const int8 *>(value.elements), out, n);
			return;
		case ElementType::float32:
		case ElementType::bit:
		case ElementType::sparse: break;
	}
	memcpy(out, value.elements, indexed_bytes(static_cast<uint32>(value.dimensions), value.type));
}

/* Is what the value has already a row that may be read as floats? */
static bool
lies_as_row(const IndexedValue &value)
{
	return (value.type == ElementType::float32 || value.type == ElementType::bit) &&
		   reinterpret_cast<uintptr_t>(value.elements) % alignof(float) == 0;
}

const float *
indexed_row_in_place(const IndexedValue &value, float *buffer)
{
	if (lies_as_row(value))
		return static_cast<const float *>(value.elements);
	indexed_row(value, buffer);
	return buffer;
}

const float *
indexed_row_in_place(const IndexedValue &value)
{
	if (lies_as_row(value))
		return static_cast<const float *>(value.elements);
	auto *row = static_cast<float *>(palloc(indexed_bytes(static_cast<uint32>(value.dimensions), value.type)));
	indexed_row(value, row);
	return row;
}

/* Are all n elements 0 but for the bits that do not count (of floats the sign)? */
template <class Bits>
static bool
is_zero(const void *elements, Size n, Bits mask)
{
	for (Size i = 0; i < n; i++)
	{
		Bits x;
		memcpy(&x, static_cast<const char *>(elements) + i * sizeof x, sizeof x);
		if ((x & mask) != 0)
			return false;
	}
	return true;
}

bool
indexed_is_zero(const IndexedValue &value)
{
	auto n = static_cast<Size>(value.dimensions);
	switch (value.type)
	{
		case ElementType::half: return is_zero<uint16>(value.elements, n, 0x7FFF);
		case ElementType::int8: return is_zero<uint8>(value.elements, n, 0xFF);
		case ElementType::bit: return is_zero<uint8>(value.elements, (n + 7) / 8, 0xFF);
		case ElementType::sparse:
			return is_zero<uint32>(static_cast<const int32 *>(value.elements) + value.count,
								   static_cast<Size>(value.count), 0x7FFFFFFF);
		case ElementType::float32: break;
	}
	return is_zero<uint32>(value.elements, n, 0x7FFFFFFF);
}

void
check_indexed_dimensions(const IndexedValue &value, uint32 dimensions)
{
	if (static_cast<uint32>(value.dimensions) != dimensions)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("expected %u dimensions, not %d", dimensions, value.dimensions)));
}

void
check_same_indexed_dimensions(int a, int b, ElementType type)
{
	switch (type)
	{
		case ElementType::half: check_same_halfvec_dimensions(a, b); return;
		case ElementType::int8: check_same_int8vec_dimensions(a, b); return;
		case ElementType::bit: check_same_bit_lengths(static_cast<uint32>(a), static_cast<uint32>(b)); return;
		case ElementType::sparse: check_same_sparse_dimensions(a, b); return;
		case ElementType::float32: break;
	}
	check_same_dimensions(a, b);
}

}  // namespace types
}  // namespace vecdb
