/* SPDX-License-Identifier: PostgreSQL
 * Functions and operators of halfvec: distances, functions of one value, arithmetic, order.
 *
 * Regime: shell.
 * Speed:  distances read halves in place; all else widens kHalfChunk elements at a time to floats on the stack.
 * Memory: detoasted copies of comparisons are freed here, since a btree build or a sort calls them in a long-lived context.
 */
#include "types/halfvec.hpp"

#include "types/bit.hpp"
#include "vecdb/base/half.hpp"
#include "vecdb/codec/vector_text.hpp"
#include "vecdb/distance/kernels.hpp"

using namespace vecdb;
using core::distance::kernels;

namespace
{

/* --- distances --- */

struct Operands
{
	const uint16 *a;
	const uint16 *b;
	Size n;
};

inline Operands
operands(FunctionCallInfo fcinfo)
{
	HalfvecView a = halfvec_view(PG_GETARG_DATUM(0));
	HalfvecView b = halfvec_view(PG_GETARG_DATUM(1));
	if (unlikely(a.dim != b.dim))
		check_same_halfvec_dimensions(a.dim, b.dim);
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

/* --- chunks of floats --- */

struct Chunk
{
	float x[kHalfChunk];
};

inline int
chunk_length(int dim, int done)
{
	return dim - done < kHalfChunk ? dim - done : kHalfChunk;
}

inline void
widen(const uint16 *halves, int n, Chunk &out)
{
	kernels().f16_to_f32(halves, out.x, static_cast<Size>(n));
}

double
norm(const HalfVector *v)
{
	double sum = 0;
	Chunk chunk;
	for (int i = 0; i < v->dim; i += kHalfChunk)
	{
		int n = chunk_length(v->dim, i);
		widen(v->x + i, n, chunk);
		double sums[4] = {0, 0, 0, 0};
		for (int j = 0; j < n; j++)
			sums[j % 4] += static_cast<double>(chunk.x[j]) * static_cast<double>(chunk.x[j]);
		sum += (sums[0] + sums[1]) + (sums[2] + sums[3]);
	}
	return std::sqrt(sum);
}

/* --- arithmetic --- */

inline bool
overflows(float x)
{
	return std::fabs(x) >= core::codec::kHalfvecText.overflow;
}

inline bool
is_zero(uint16 half)
{
	return (half & 0x7fffu) == 0;
}

/* result[i] = operation(a[i], b[i]), rounded twice: to a float, and to a half. result may be a. */
template <class Operation>
void
combine(const HalfVector *a, const HalfVector *b, uint16 *result, bool check_underflow, Operation operation)
{
	Chunk x, y;
	for (int i = 0; i < a->dim; i += kHalfChunk)
	{
		int n = chunk_length(a->dim, i);
		widen(a->x + i, n, x);
		widen(b->x + i, n, y);
		bool overflow = false;
		for (int j = 0; j < n; j++)
		{
			float value = operation(x.x[j], y.x[j]);
			overflow |= overflows(value);
			x.x[j] = value;
		}
		uint16 halves[kHalfChunk];
		kernels().f32_to_f16(x.x, halves, static_cast<Size>(n));
		/* The first element that is out of range decides. */
		for (int j = 0; (overflow || check_underflow) && j < n; j++)
		{
			if (overflows(x.x[j]))
				float_overflow_error();
			if (check_underflow && is_zero(halves[j]) && !is_zero(a->x[i + j]) && !is_zero(b->x[i + j]))
				float_underflow_error();
		}
		std::memcpy(result + i, halves, static_cast<Size>(n) * sizeof(uint16));
	}
}

/* --- order --- */

int
compare(const HalfVector *a, const HalfVector *b)
{
	int common = a->dim < b->dim ? a->dim : b->dim;
	for (int i = 0; i < common; i++)
	{
		if (a->x[i] == b->x[i])
			continue;
		float x = core::half_to_float(a->x[i]), y = core::half_to_float(b->x[i]);
		/* NaN cannot be stored, and -0 equals 0. */
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a->dim > b->dim) - (a->dim < b->dim);
}

int
compare_arguments(FunctionCallInfo fcinfo)
{
	HalfVector *a = halfvec_arg(fcinfo, 0);
	HalfVector *b = halfvec_arg(fcinfo, 1);
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

VECDB_FUNCTION(vecdb_l2_distance_halfvec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(std::sqrt(static_cast<double>(kernels().l2_squared_f16(v.a, v.b, v.n))));
}

VECDB_FUNCTION(vecdb_halfvec_l2_squared_distance)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().l2_squared_f16(v.a, v.b, v.n)));
}

VECDB_FUNCTION(vecdb_inner_product_halfvec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().inner_product_f16(v.a, v.b, v.n)));
}

VECDB_FUNCTION(vecdb_halfvec_negative_inner_product)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(-static_cast<double>(kernels().inner_product_f16(v.a, v.b, v.n)));
}

/* A zero vector has no direction: 0 / 0 gives NaN, which sorts last. Sums of squares of halves fit a float at both ends. */
VECDB_FUNCTION(vecdb_cosine_distance_halfvec)
{
	Operands v = operands(fcinfo);
	float parts[3];
	kernels().cosine_parts_f16(v.a, v.b, v.n, parts);
	double norms = std::sqrt(static_cast<double>(parts[1]) * static_cast<double>(parts[2]));
	PG_RETURN_FLOAT8(1.0 - clamp_cosine(static_cast<double>(parts[0]) / norms));
}

VECDB_FUNCTION(vecdb_l1_distance_halfvec)
{
	Operands v = operands(fcinfo);
	PG_RETURN_FLOAT8(static_cast<double>(kernels().l1_f16(v.a, v.b, v.n)));
}

/* Takes its arguments for unit vectors. */
VECDB_FUNCTION(vecdb_halfvec_spherical_distance)
{
	Operands v = operands(fcinfo);
	double cosine = clamp_cosine(static_cast<double>(kernels().inner_product_f16(v.a, v.b, v.n)));
	PG_RETURN_FLOAT8(std::acos(cosine) / M_PI);
}

VECDB_FUNCTION(vecdb_vector_dims_halfvec)
{
	PG_RETURN_INT32(halfvec_datum_dimensions(PG_GETARG_DATUM(0)));
}

VECDB_FUNCTION(vecdb_l2_norm_halfvec)
{
	PG_RETURN_FLOAT8(norm(halfvec_arg(fcinfo, 0)));
}

VECDB_FUNCTION(vecdb_l2_normalize_halfvec)
{
	const HalfVector *v = halfvec_arg(fcinfo, 0);
	double length = norm(v);
	HalfVector *result = new_halfvec(v->dim);
	Chunk chunk;
	for (int i = 0; length > 0.0 && i < v->dim; i += kHalfChunk)
	{
		int n = chunk_length(v->dim, i);
		widen(v->x + i, n, chunk);
		for (int j = 0; j < n; j++)
			chunk.x[j] = static_cast<float>(static_cast<double>(chunk.x[j]) / length);
		kernels().f32_to_f16(chunk.x, result->x + i, static_cast<Size>(n));
	}
	PG_RETURN_POINTER(result);
}

/* As vecdb_subvector_vector: from a toasted value only the pages that hold the elements are read. */
VECDB_FUNCTION(vecdb_subvector_halfvec)
{
	Datum value = PG_GETARG_DATUM(0);
	int64 first = PG_GETARG_INT32(1);
	int64 past = first + PG_GETARG_INT32(2);
	int dim = halfvec_datum_dimensions(value);
	if (first < 1)
		first = 1;
	if (past > dim + 1)
		past = dim + 1;
	int count = past > first ? static_cast<int>(past - first) : 0;
	check_halfvec_dimension(count);

	Size count_bytes = static_cast<Size>(count) * sizeof(uint16);
	Size offset_bytes = offsetof(HalfVector, x) - VARHDRSZ + static_cast<Size>(first - 1) * sizeof(uint16);
	HalfVector *result = new_halfvec(count);
	if (VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
	{
		struct varlena *slice =
			PG_DETOAST_DATUM_SLICE(value, static_cast<int32>(offset_bytes), static_cast<int32>(count_bytes));
		std::memcpy(result->x, VARDATA_ANY(slice), count_bytes);
	}
	else
		std::memcpy(result->x, VARDATA_ANY(PG_DETOAST_DATUM_PACKED(value)) + offset_bytes, count_bytes);
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_binary_quantize_halfvec)
{
	const HalfVector *v = halfvec_arg(fcinfo, 0);
	VarBit *result = new_bit(v->dim);
	for (int i = 0; i < v->dim; i++)
	{
		/* Greater than 0: sign clear, magnitude not 0. */
		if (v->x[i] != 0 && v->x[i] < 0x8000u)
			VARBITS(result)[i / 8] = static_cast<bits8>(VARBITS(result)[i / 8] | 0x80 >> i % 8);
	}
	PG_RETURN_VARBIT_P(result);
}

/* Also the transition and combine function of sum(halfvec): see vecdb_vector_add. */
VECDB_FUNCTION(vecdb_halfvec_add)
{
	HalfVector *a = halfvec_arg(fcinfo, 0);
	const HalfVector *b = halfvec_arg(fcinfo, 1);
	check_same_halfvec_dimensions(a->dim, b->dim);
	bool in_place = AggCheckCallContext(fcinfo, nullptr) == AGG_CONTEXT_AGGREGATE;
	HalfVector *result = in_place ? a : new_halfvec(a->dim);
	combine(a, b, result->x, false, [](float x, float y) { return x + y; });
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_sub)
{
	const HalfVector *a = halfvec_arg(fcinfo, 0);
	const HalfVector *b = halfvec_arg(fcinfo, 1);
	check_same_halfvec_dimensions(a->dim, b->dim);
	HalfVector *result = new_halfvec(a->dim);
	combine(a, b, result->x, false, [](float x, float y) { return x - y; });
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_mul)
{
	const HalfVector *a = halfvec_arg(fcinfo, 0);
	const HalfVector *b = halfvec_arg(fcinfo, 1);
	check_same_halfvec_dimensions(a->dim, b->dim);
	HalfVector *result = new_halfvec(a->dim);
	combine(a, b, result->x, true, [](float x, float y) { return x * y; });
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_concat)
{
	const HalfVector *a = halfvec_arg(fcinfo, 0);
	const HalfVector *b = halfvec_arg(fcinfo, 1);
	int dim = a->dim + b->dim;
	check_halfvec_dimension(dim);
	HalfVector *result = new_halfvec(dim);
	std::memcpy(result->x, a->x, static_cast<Size>(a->dim) * sizeof(uint16));
	std::memcpy(result->x + a->dim, b->x, static_cast<Size>(b->dim) * sizeof(uint16));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_lt)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

VECDB_FUNCTION(vecdb_halfvec_le)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

VECDB_FUNCTION(vecdb_halfvec_eq)
{
	PG_RETURN_BOOL(arguments_equal(fcinfo));
}

VECDB_FUNCTION(vecdb_halfvec_ne)
{
	PG_RETURN_BOOL(!arguments_equal(fcinfo));
}

VECDB_FUNCTION(vecdb_halfvec_ge)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

VECDB_FUNCTION(vecdb_halfvec_gt)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

VECDB_FUNCTION(vecdb_halfvec_cmp)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}
