/* SPDX-License-Identifier: PostgreSQL
 * Distance functions of the vector types: <->, <#>, <=>, <+> and the forms that operator classes use.
 *
 * Regime: shell.
 * Memory: nothing is allocated unless an argument is toasted; values with a short header are read in place.
 */
#include "types/vector.hpp"

#include "vecdb/distance/kernels.hpp"

using namespace vecdb;
using core::distance::kernels;

namespace
{

struct Operands
{
	const float *a;
	const float *b;
	Size n;
};

inline Operands
operands(FunctionCallInfo fcinfo)
{
	VectorView a = vector_view(PG_GETARG_DATUM(0));
	VectorView b = vector_view(PG_GETARG_DATUM(1));
	if (unlikely(a.dim != b.dim))
		check_same_dimensions(a.dim, b.dim);
	return Operands{a.x, b.x, static_cast<Size>(a.dim)};
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

/*
 * The cosine of vectors whose float32 sums of squares lose digits (all elements tiny) or overflow. Indexes compute theirs on
 * normalised vectors, and the executor compares both: noise here would be "index returned tuples in wrong order".
 */
[[gnu::noinline]] double
cosine_in_double(const Operands &v)
{
	double ab = 0, aa = 0, bb = 0;
	for (Size i = 0; i < v.n; i++)
	{
		double a = v.a[i], b = v.b[i];
		ab += a * b;
		aa += a * a;
		bb += b * b;
	}
	return ab / (std::sqrt(aa) * std::sqrt(bb));
}

}  // namespace

VECDB_FUNCTION(vecdb_l2_distance_vector)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(std::sqrt(static_cast<double>(kernels().l2_squared(v.a, v.b, v.n))));
}

VECDB_FUNCTION(vecdb_vector_l2_squared_distance)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().l2_squared(v.a, v.b, v.n)));
}

VECDB_FUNCTION(vecdb_inner_product_vector)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().inner_product(v.a, v.b, v.n)));
}

VECDB_FUNCTION(vecdb_vector_negative_inner_product)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(-static_cast<double>(kernels().inner_product(v.a, v.b, v.n)));
}

/* A zero vector has no direction: 0 / 0 gives NaN, which sorts last. */
VECDB_FUNCTION(vecdb_cosine_distance_vector)
{
	Operands v = operands(fcinfo);
	core::distance::FourFloats parts = kernels().cosine_sums(v.a, v.b, v.n);
	double norms = std::sqrt(static_cast<double>(parts[1]) * static_cast<double>(parts[2]));
	double cosine = static_cast<double>(parts[0]) / norms;
	/* NaN stays, as in pgvector; it sorts last and so disturbs no order. */
	if (unlikely(!(parts[1] > 1e-30f && parts[2] > 1e-30f && parts[1] < 1e37f && parts[2] < 1e37f)) &&
		!std::isnan(cosine))
		cosine = cosine_in_double(v);
	PG_RETURN_FLOAT8(1.0 - clamp_cosine(cosine));
}

VECDB_FUNCTION(vecdb_l1_distance_vector)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().l1(v.a, v.b, v.n)));
}

/* The angle is a metric, 1 - cos is not; k-means on the sphere needs one. Takes its arguments for unit vectors. */
VECDB_FUNCTION(vecdb_vector_spherical_distance)
{
	Operands v = operands(fcinfo);
	double cosine = clamp_cosine(static_cast<double>(kernels().inner_product(v.a, v.b, v.n)));
	PG_RETURN_FLOAT8(std::acos(cosine) / M_PI);
}
