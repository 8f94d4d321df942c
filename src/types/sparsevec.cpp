/* SPDX-License-Identifier: PostgreSQL
 * Type sparsevec: text and binary input and output, type modifier, and the checks its functions share.
 *
 * Regime: shell.
 */
#include "types/sparsevec.hpp"

namespace vecdb
{
inline namespace types
{

void
check_sparse_dimension(int32 dim)
{
	if (dim < 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("sparsevec must have at least 1 dimension")));
	if (dim > kMaxSparseDimensions)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("sparsevec cannot have more than %d dimensions", kMaxSparseDimensions)));
}

void
check_same_sparse_dimensions(int32 a, int32 b)
{
	if (a != b)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("different sparsevec dimensions %d and %d", a, b)));
}

void
check_sparse_nonzero(int nnz)
{
	if (nnz > kMaxSparseNonzero)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("sparsevec cannot have more than %d non-zero elements", kMaxSparseNonzero)));
}

}  // namespace types
}  // namespace vecdb
