/* SPDX-License-Identifier: PostgreSQL
 * Functions and operators of int8vec: distances, functions of one value, arithmetic, order, quantization.
 *
 * Regime: shell.
 * Exact:  sums of 16000 products of two elements, or of squared differences, fit 32 bits; a distance is rounded only by the
 *         root or the division that ends it, in double precision.
 * Memory: detoasted copies of comparisons are freed here, since a btree build or a sort calls them in a long-lived context.
 */
#include "types/int8vec.hpp"

#include "types/bit.hpp"
#include "types/halfvec.hpp"
#include "vecdb/distance/kernels.hpp"

using namespace vecdb;
using core::distance::kernels;

namespace
{

static_assert(255ll * 255 * kMaxVectorDimensions < (1ll << 31));

/* --- distances --- */

struct Operands
{
	const int8 *a;
	const int8 *b;
	Size n;
};

inline Operands
operands(FunctionCallInfo fcinfo)
{
	Int8View a = int8_view(PG_GETARG_DATUM(0));
	Int8View b = int8_view(PG_GETARG_DATUM(1));
	if (unlikely(a.dim != b.dim))
		check_same_int8vec_dimensions(a.dim, b.dim);
	return Operands{a.x, b.x, static_cast<Size>(a.dim)};
}

/* NaN where one of the two has no direction. */
inline double
cosine(const Operands &v)
{
	int32 parts[3];
	kernels().cosine_parts_i8(v.a, v.b, v.n, parts);
	double x = static_cast<double>(parts[0]) / std::sqrt(static_cast<double>(parts[1]) * static_cast<double>(parts[2]));
	if (x > 1.0)
		return 1.0;
	if (x < -1.0)
		return -1.0;
	return x;
}

/* --- arithmetic --- */

/* result[i] = operation(a[i], b[i]). */
template <class Operation>
Int8Vector *
combine(FunctionCallInfo fcinfo, Operation operation)
{
	Operands v = operands(fcinfo);
	Int8Vector *result = new_int8vec(static_cast<int>(v.n));
	bool overflow = false;
	for (Size i = 0; i < v.n; i++)
	{
		int value = operation(static_cast<int>(v.a[i]), static_cast<int>(v.b[i]));
		auto element = static_cast<int8>(value);
		overflow |= element != value;
		result->x[i] = element;
	}
	if (overflow)
		float_overflow_error();
	return result;
}

/* --- order --- */

int
compare(const Int8Vector *a, const Int8Vector *b)
{
	int common = a->dim < b->dim ? a->dim : b->dim;
	for (int i = 0; i < common; i++)
	{
		if (a->x[i] != b->x[i])
			return a->x[i] < b->x[i] ? -1 : 1;
	}
	return (a->dim > b->dim) - (a->dim < b->dim);
}

int
compare_arguments(FunctionCallInfo fcinfo)
{
	Int8Vector *a = int8vec_arg(fcinfo, 0);
	Int8Vector *b = int8vec_arg(fcinfo, 1);
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

/* --- quantization --- */

/* The scale of a call; 22023 unless it is finite. */
double
scale_arg(FunctionCallInfo fcinfo, int argument)
{
	auto scale = static_cast<double>(PG_GETARG_FLOAT4(argument));
	if (!std::isfinite(scale))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("scale must be finite")));
	return scale;
}

/* A product of two floats is exact in double precision: only the rounding to an integer, ties to even, loses anything. */
void
quantize(const float *x, int n, double scale, int8 *out)
{
	for (int i = 0; i < n; i++)
	{
		double value = static_cast<double>(x[i]) * scale;
		value = value < 127.0 ? value : 127.0;
		value = value > -128.0 ? value : -128.0;
		out[i] = static_cast<int8>(std::lrint(value));
	}
}

}  // namespace

VECDB_FUNCTION(vecdb_l2_distance_int8vec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(std::sqrt(static_cast<double>(kernels().l2_squared_i8(v.a, v.b, v.n))));
}

VECDB_FUNCTION(vecdb_int8vec_l2_squared_distance)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().l2_squared_i8(v.a, v.b, v.n)));
}

VECDB_FUNCTION(vecdb_inner_product_int8vec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().inner_product_i8(v.a, v.b, v.n)));
}

VECDB_FUNCTION(vecdb_int8vec_negative_inner_product)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(-static_cast<double>(kernels().inner_product_i8(v.a, v.b, v.n)));
}

VECDB_FUNCTION(vecdb_cosine_distance_int8vec)
{
	PG_RETURN_FLOAT8(1.0 - cosine(operands(fcinfo)));
}

VECDB_FUNCTION(vecdb_l1_distance_int8vec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().l1_i8(v.a, v.b, v.n)));
}

/* Unlike that of the other types, not for unit vectors alone: of integers there are hardly any. */
VECDB_FUNCTION(vecdb_int8vec_spherical_distance)
{
	PG_RETURN_FLOAT8(std::acos(cosine(operands(fcinfo))) / M_PI);
}

VECDB_FUNCTION(vecdb_vector_dims_int8vec)
{
	PG_RETURN_INT32(int8vec_datum_dimensions(PG_GETARG_DATUM(0)));
}

VECDB_FUNCTION(vecdb_l2_norm_int8vec)
{
	Int8View v = int8_view(PG_GETARG_DATUM(0));
	PG_RETURN_FLOAT8(std::sqrt(static_cast<double>(kernels().inner_product_i8(v.x, v.x, static_cast<Size>(v.dim)))));
}

/* As vecdb_subvector_vector: from a toasted value only the pages that hold the elements are read. */
VECDB_FUNCTION(vecdb_subvector_int8vec)
{
	Datum value = PG_GETARG_DATUM(0);
	int64 first = PG_GETARG_INT32(1);
	int64 past = first + PG_GETARG_INT32(2);
	int dim = int8vec_datum_dimensions(value);
	if (first < 1)
		first = 1;
	if (past > dim + 1)
		past = dim + 1;
	int count = past > first ? static_cast<int>(past - first) : 0;
	check_int8vec_dimension(count);

	Size offset_bytes = offsetof(Int8Vector, x) - VARHDRSZ + static_cast<Size>(first - 1);
	Int8Vector *result = new_int8vec(count);
	if (VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
	{
		struct varlena *slice = PG_DETOAST_DATUM_SLICE(value, static_cast<int32>(offset_bytes), count);
		std::memcpy(result->x, VARDATA_ANY(slice), static_cast<Size>(count));
	}
	else
		std::memcpy(result->x, VARDATA_ANY(PG_DETOAST_DATUM_PACKED(value)) + offset_bytes, static_cast<Size>(count));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_binary_quantize_int8vec)
{
	Int8View v = int8_view(PG_GETARG_DATUM(0));
	VarBit *result = new_bit(v.dim);
	for (int i = 0; i < v.dim; i++)
	{
		if (v.x[i] > 0)
			VARBITS(result)[i / 8] = static_cast<bits8>(VARBITS(result)[i / 8] | 0x80 >> i % 8);
	}
	PG_RETURN_VARBIT_P(result);
}

VECDB_FUNCTION(vecdb_quantize_int8_vector)
{
	const Vector *v = vector_arg(fcinfo, 0);
	double scale = scale_arg(fcinfo, 1);
	Int8Vector *result = new_int8vec(v->dim);
	quantize(v->x, v->dim, scale, result->x);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_quantize_int8_halfvec)
{
	HalfvecView v = halfvec_view(PG_GETARG_DATUM(0));
	double scale = scale_arg(fcinfo, 1);
	Int8Vector *result = new_int8vec(v.dim);
	for (int i = 0; i < v.dim; i += kHalfChunk)
	{
		float x[kHalfChunk];
		int n = v.dim - i < kHalfChunk ? v.dim - i : kHalfChunk;
		kernels().f16_to_f32(v.x + i, x, static_cast<Size>(n));
		quantize(x, n, scale, result->x + i);
	}
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_int8vec_add)
{
	PG_RETURN_POINTER(combine(fcinfo, [](int a, int b) { return a + b; }));
}

VECDB_FUNCTION(vecdb_int8vec_sub)
{
	PG_RETURN_POINTER(combine(fcinfo, [](int a, int b) { return a - b; }));
}

VECDB_FUNCTION(vecdb_int8vec_mul)
{
	PG_RETURN_POINTER(combine(fcinfo, [](int a, int b) { return a * b; }));
}

VECDB_FUNCTION(vecdb_int8vec_concat)
{
	Int8View a = int8_view(PG_GETARG_DATUM(0));
	Int8View b = int8_view(PG_GETARG_DATUM(1));
	check_int8vec_dimension(a.dim + b.dim);
	Int8Vector *result = new_int8vec(a.dim + b.dim);
	std::memcpy(result->x, a.x, static_cast<Size>(a.dim));
	std::memcpy(result->x + a.dim, b.x, static_cast<Size>(b.dim));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_int8vec_lt)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

VECDB_FUNCTION(vecdb_int8vec_le)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

VECDB_FUNCTION(vecdb_int8vec_eq)
{
	PG_RETURN_BOOL(arguments_equal(fcinfo));
}

VECDB_FUNCTION(vecdb_int8vec_ne)
{
	PG_RETURN_BOOL(!arguments_equal(fcinfo));
}

VECDB_FUNCTION(vecdb_int8vec_ge)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

VECDB_FUNCTION(vecdb_int8vec_gt)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

VECDB_FUNCTION(vecdb_int8vec_cmp)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}
