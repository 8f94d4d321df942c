/* SPDX-License-Identifier: PostgreSQL
 * The core type bit (and varbit, which is the same datum) as the shell sees it.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/detoast.h"
#include "utils/varbit.h"
#if __has_include("varatt.h")
#include "varatt.h"  // its own header since 16
#endif
}

#include <cstring>

namespace vecdb
{

inline namespace types
{

/* A value to read and no more: points into the datum where that is not toasted. The first bit is the highest of the first byte;
 * bits past the last are 0. */
struct BitView
{
	uint32 length;  // bits
	const uint8 *bytes;

	Size
	size_bytes() const
	{
		return (static_cast<Size>(length) + 7) / 8;
	}
};

inline BitView
bit_view(Datum datum)
{
	auto *packed = reinterpret_cast<struct varlena *>(DatumGetPointer(datum));
	if (unlikely(VARATT_IS_EXTERNAL(packed) || VARATT_IS_COMPRESSED(packed)))
		packed = pg_detoast_datum(packed);
	const char *data = VARDATA_ANY(packed);
	uint32 length;
	std::memcpy(&length, data, sizeof length);
	return BitView{length, reinterpret_cast<const uint8 *>(data + sizeof length)};
}

/* All bits 0. */
inline VarBit *
new_bit(int length)
{
	Size size_bytes = VARBITTOTALLEN(length);
	auto *bit = static_cast<VarBit *>(palloc0(size_bytes));
	SET_VARSIZE(bit, size_bytes);
	VARBITLEN(bit) = length;
	return bit;
}

/* 22000 unless a and b are equal. */
void check_same_bit_lengths(uint32 a, uint32 b);

}  // namespace types
}  // namespace vecdb
