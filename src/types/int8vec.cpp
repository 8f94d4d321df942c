/* SPDX-License-Identifier: PostgreSQL
 * Type int8vec: text and binary input and output, type modifier, and the checks its functions share.
 *
 * Regime: shell.
 * Keeps:  an int8vec that leaves here has 1 to 16000 dimensions and unused = 0.
 */
#include "types/int8vec.hpp"

namespace vecdb
{
inline namespace types
{

void
check_int8vec_dimension(int dim)
{
	if (dim < 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("int8vec must have at least 1 dimension")));
	if (dim > kMaxVectorDimensions)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("int8vec cannot have more than %d dimensions", kMaxVectorDimensions)));
}

void
check_same_int8vec_dimensions(int a, int b)
{
	if (a != b)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("different int8vec dimensions %d and %d", a, b)));
}

}  // namespace types
}  // namespace vecdb
