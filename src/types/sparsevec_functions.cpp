/* SPDX-License-Identifier: PostgreSQL
 * Functions and operators of sparsevec: distances, functions of one value, order.
 *
 * Regime: shell.
 * Memory: distances read values in place, packed ones too. Detoasted copies of comparisons are freed here, since a btree
 *         build or a sort calls them in a long-lived context.
 */
#include "types/sparsevec.hpp"

#include "vecdb/distance/kernels.hpp"

using namespace vecdb;
using core::distance::kernels;
using core::distance::SparseRow;

namespace
{

/* --- distances --- */

struct Operands
{
	SparseRow a;
	SparseRow b;
};

inline SparseRow
row_of(const SparseView &v)
{
	return SparseRow{v.indices, v.values, static_cast<Size>(v.nnz)};
}

inline Operands
operands(FunctionCallInfo fcinfo)
{
	SparseView a = sparse_view(PG_GETARG_DATUM(0));
	SparseView b = sparse_view(PG_GETARG_DATUM(1));
	if (unlikely(a.dim != b.dim))
		check_same_sparse_dimensions(a.dim, b.dim);
	return Operands{row_of(a), row_of(b)};
}

inline float
float_at(const float *p, Size i)
{
	float x;
	std::memcpy(&x, p + i, sizeof x);
	return x;
}

inline int32
index_at(const int32 *p, Size i)
{
	int32 x;
	std::memcpy(&x, p + i, sizeof x);
	return x;
}

/* In double, where no square of a float is lost. */
double
sum_of_squares(const float *x, Size n)
{
	double sums[4] = {0, 0, 0, 0};
	for (Size i = 0; i < n; i++)
	{
		double value = static_cast<double>(float_at(x, i));
		sums[i % 4] += value * value;
	}
	return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* As cosine_in_double of distances.cpp, and for its reason. */
[[gnu::noinline]] double
cosine_in_double(const Operands &v)
{
	double ab = 0;
	Size i = 0, j = 0;
	while (i < v.a.n && j < v.b.n)
	{
		int32 a = index_at(v.a.indices, i), b = index_at(v.b.indices, j);
		if (a == b)
			ab += static_cast<double>(float_at(v.a.values, i)) * static_cast<double>(float_at(v.b.values, j));
		i += a <= b ? 1 : 0;
		j += b <= a ? 1 : 0;
	}
	return ab / (std::sqrt(sum_of_squares(v.a.values, v.a.n)) * std::sqrt(sum_of_squares(v.b.values, v.b.n)));
}

/* Rounding may leave a cosine a little outside [-1, 1]. NaN stays NaN. */
inline double
clamp_cosine(double cosine)
{
	if (cosine > 1.0)
		return 1.0;
	if (cosine < -1.0)
		return -1.0;
	return cosine;
}

/* --- order: as if every element were there, then the one of fewer dimensions first --- */

int
compare(const SparseVector *a, const SparseVector *b)
{
	const auto *x = reinterpret_cast<const float *>(a->indices + a->nnz);
	const auto *y = reinterpret_cast<const float *>(b->indices + b->nnz);
	int common = a->nnz < b->nnz ? a->nnz : b->nnz;
	for (int i = 0; i < common; i++)
	{
		/* What the other has at the smaller index is 0. */
		if (a->indices[i] < b->indices[i])
			return x[i] < 0.0f ? -1 : 1;
		if (a->indices[i] > b->indices[i])
			return y[i] < 0.0f ? 1 : -1;
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	if (a->nnz > common && a->indices[common] < b->dim)
		return x[common] < 0.0f ? -1 : 1;
	if (b->nnz > common && b->indices[common] < a->dim)
		return y[common] < 0.0f ? 1 : -1;
	return (a->dim > b->dim) - (a->dim < b->dim);
}

int
compare_arguments(FunctionCallInfo fcinfo)
{
	SparseVector *a = sparsevec_arg(fcinfo, 0);
	SparseVector *b = sparsevec_arg(fcinfo, 1);
	int result = compare(a, b);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return result;
}

/* Values of different size differ, and the size is known without detoasting. */
bool
arguments_equal(FunctionCallInfo fcinfo)
{
	if (toast_raw_datum_size(PG_GETARG_DATUM(0)) != toast_raw_datum_size(PG_GETARG_DATUM(1)))
		return false;
	return compare_arguments(fcinfo) == 0;
}

}  // namespace

VECDB_FUNCTION(vecdb_l2_distance_sparsevec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(std::sqrt(static_cast<double>(kernels().sparse_l2_squared(v.a, v.b))));
}

VECDB_FUNCTION(vecdb_sparsevec_l2_squared_distance)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().sparse_l2_squared(v.a, v.b)));
}

VECDB_FUNCTION(vecdb_inner_product_sparsevec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().sparse_inner_product(v.a, v.b)));
}

VECDB_FUNCTION(vecdb_sparsevec_negative_inner_product)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(-static_cast<double>(kernels().sparse_inner_product(v.a, v.b)));
}

/* A zero vector has no direction: 0 / 0 gives NaN, which sorts last. */
VECDB_FUNCTION(vecdb_cosine_distance_sparsevec)
{
	Operands v = operands(fcinfo);
	float ab = kernels().sparse_inner_product(v.a, v.b);
	float aa = kernels().inner_product(v.a.values, v.a.values, v.a.n);
	float bb = kernels().inner_product(v.b.values, v.b.values, v.b.n);
	double cosine = static_cast<double>(ab) / std::sqrt(static_cast<double>(aa) * static_cast<double>(bb));
	/* NaN stays, as in pgvector; it sorts last and so disturbs no order. */
	if (unlikely(!(aa > 1e-30f && bb > 1e-30f && aa < 1e37f && bb < 1e37f)) && !std::isnan(cosine))
		cosine = cosine_in_double(v);
	PG_RETURN_FLOAT8(1.0 - clamp_cosine(cosine));
}

VECDB_FUNCTION(vecdb_l1_distance_sparsevec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().sparse_l1(v.a, v.b)));
}

VECDB_FUNCTION(vecdb_l2_norm_sparsevec)
{
	SparseView v = sparse_view(PG_GETARG_DATUM(0));
	PG_RETURN_FLOAT8(std::sqrt(sum_of_squares(v.values, static_cast<Size>(v.nnz))));
}

/* Elements that come to 0 by rounding are left out. */
VECDB_FUNCTION(vecdb_l2_normalize_sparsevec)
{
	SparseView v = sparse_view(PG_GETARG_DATUM(0));
	auto n = static_cast<Size>(v.nnz);
	double norm = std::sqrt(sum_of_squares(v.values, n));
	int nnz = 0;
	for (Size i = 0; i < n; i++)
		nnz += static_cast<float>(static_cast<double>(float_at(v.values, i)) / norm) != 0.0f ? 1 : 0;
	SparseVector *result = new_sparsevec(v.dim, nnz);
	float *values = sparsevec_values(result);
	int written = 0;
	for (Size i = 0; written < nnz; i++)
	{
		auto value = static_cast<float>(static_cast<double>(float_at(v.values, i)) / norm);
		if (value == 0.0f)
			continue;
		result->indices[written] = index_at(v.indices, i);
		values[written++] = value;
	}
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_sparsevec_lt)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

VECDB_FUNCTION(vecdb_sparsevec_le)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

VECDB_FUNCTION(vecdb_sparsevec_eq)
{
	PG_RETURN_BOOL(arguments_equal(fcinfo));
}

VECDB_FUNCTION(vecdb_sparsevec_ne)
{
	PG_RETURN_BOOL(!arguments_equal(fcinfo));
}

VECDB_FUNCTION(vecdb_sparsevec_ge)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

VECDB_FUNCTION(vecdb_sparsevec_gt)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

VECDB_FUNCTION(vecdb_sparsevec_cmp)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}
