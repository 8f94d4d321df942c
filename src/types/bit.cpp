/* SPDX-License-Identifier: PostgreSQL
 * Distance functions of core bit strings: <~> and <%>.
 *
 * Regime: shell.
 * Memory: nothing is allocated unless an argument is toasted; values with a short header are read in place.
 */
#include "types/bit.hpp"

#include "vecdb/distance/kernels.hpp"

using namespace vecdb;
using core::distance::kernels;

namespace
{

struct Operands
{
	const uint8 *a;
	const uint8 *b;
	Size bytes;
};

inline Operands
operands(FunctionCallInfo fcinfo)
{
	BitView a = bit_view(PG_GETARG_DATUM(0));
	BitView b = bit_view(PG_GETARG_DATUM(1));
	if (unlikely(a.length != b.length))
		check_same_bit_lengths(a.length, b.length);
	return Operands{a.bytes, b.bytes, a.size_bytes()};
}

}  // namespace

namespace vecdb
{

inline namespace types
{

void
check_same_bit_lengths(uint32 a, uint32 b)
{
	if (a != b)
		ereport(ERROR, errcode(ERRCODE_DATA_EXCEPTION), errmsg("different bit lengths %u and %u", a, b));
}

}  // namespace types
}  // namespace vecdb

VECDB_FUNCTION(vecdb_hamming_distance)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().hamming(v.a, v.b, v.bytes)));
}

/* No common bit is as far as can be: so are two strings of zeros, and empty ones. */
VECDB_FUNCTION(vecdb_jaccard_distance)
{
	Operands v = operands(fcinfo);
	std::uint64_t parts[2];
	kernels().jaccard_parts(v.a, v.b, v.bytes, parts);
	PG_RETURN_FLOAT8(parts[0] == 0 ? 1.0 : 1.0 - static_cast<double>(parts[0]) / static_cast<double>(parts[1]));
}
