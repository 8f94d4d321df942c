/* SPDX-License-Identifier: PostgreSQL
 * Type halfvec: text and binary input and output, type modifier, and the checks its functions share.
 *
 * Regime: shell.
 * Keeps:  a halfvec that leaves here has 1 to 16000 dimensions, unused = 0, and only finite elements.
 */
#include "types/halfvec.hpp"

#include <span>

#include "pg/report.hpp"
#include "vecdb/codec/vector_text.hpp"
#include "vecdb/codec/vector_wire.hpp"
#include "vecdb/distance/kernels.hpp"

namespace vecdb
{
inline namespace types
{

void
halves_from_floats(const float *x, int dim, uint16 *out)
{
	bool beyond = false, finite = true;
	for (int i = 0; i < dim; i++)
	{
		beyond |= std::fabs(x[i]) >= core::codec::kHalfvecText.overflow;  // infinity too
		finite &= x[i] == x[i];
	}
	if (unlikely(beyond || !finite))
	{
		for (int i = 0; i < dim; i++)
		{
			if (!std::isfinite(x[i]) || std::fabs(x[i]) < core::codec::kHalfvecText.overflow)
				continue;
			char number[FLOAT_SHORTEST_DECIMAL_LEN];
			float_to_shortest_decimal_buf(x[i], number);
			ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							errmsg("\"%s\" is out of range for type halfvec", number)));
		}
		pg::report(core::codec::check_finite(std::span(x, static_cast<Size>(dim)), "halfvec"));
	}
	core::distance::kernels().f32_to_f16(x, out, static_cast<Size>(dim));
}

}  // namespace types
}  // namespace vecdb

using namespace vecdb;

VECDB_FUNCTION(vecdb_halfvec_in)
{
	const char *literal = PG_GETARG_CSTRING(0);
	int32 typmod = PG_GETARG_INT32(2);
	float x[kMaxVectorDimensions];
	core::codec::ParsedVector parsed;
	core::Status status = core::codec::parse_vector_text(std::span(literal, std::strlen(literal)), std::span(x), parsed,
														 core::codec::kHalfvecText);
	if (!status.ok())
		report_text_error("halfvec", status, parsed.quoted);
	check_expected_dimensions(typmod, parsed.dims);
	HalfVector *result = new_halfvec(parsed.dims);
	core::distance::kernels().f32_to_f16(x, result->x, static_cast<Size>(parsed.dims));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_out)
{
	HalfVector *vector = halfvec_arg(fcinfo, 0);
	auto dims = static_cast<Size>(vector->dim);
	auto *x = static_cast<float *>(palloc(dims * sizeof(float)));
	core::distance::kernels().f16_to_f32(vector->x, x, dims);
	char *output = static_cast<char *>(palloc(core::codec::vector_text_bound(vector->dim)));
	core::codec::print_vector_text(std::span(x, dims), output, float_to_shortest_decimal_bufn);
	pfree(x);
	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_CSTRING(output);
}

VECDB_FUNCTION(vecdb_halfvec_typmod_in)
{
	return dimensions_typmod(fcinfo, "halfvec", kMaxVectorDimensions);
}

VECDB_FUNCTION(vecdb_halfvec_recv)
{
	auto *message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	int32 typmod = PG_GETARG_INT32(2);
	int dim;
	auto *bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, core::codec::kVectorWireHeaderBytes));
	pg::report(core::codec::decode_vector_wire_header(std::span(bytes, core::codec::kVectorWireHeaderBytes), typmod,
													  dim, "halfvec"));
	Size size_bytes = static_cast<Size>(dim) * sizeof(uint16);
	bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, static_cast<int>(size_bytes)));
	HalfVector *result = new_halfvec(dim);
	pg::report(core::codec::decode_halfvec_wire_elements(std::span(bytes, size_bytes),
														 std::span(result->x, static_cast<Size>(dim))));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_halfvec_send)
{
	HalfVector *vector = halfvec_arg(fcinfo, 0);
	auto dims = static_cast<Size>(vector->dim);
	Size size_bytes = core::codec::kVectorWireHeaderBytes + dims * sizeof(uint16);
	auto *result = static_cast<bytea *>(palloc(VARHDRSZ + size_bytes));
	SET_VARSIZE(result, VARHDRSZ + size_bytes);
	core::codec::encode_halfvec_wire(std::span(vector->x, dims), static_cast<uint16>(vector->unused),
									 std::span(reinterpret_cast<uint8 *>(VARDATA(result)), size_bytes));
	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_BYTEA_P(result);
}

/* Coercion to a type modifier: the dimensions are known from the size, so the value itself is passed on as it is. */
VECDB_FUNCTION(vecdb_halfvec)
{
	Datum value = PG_GETARG_DATUM(0);
	int32 typmod = PG_GETARG_INT32(1);
	if (typmod != -1)
		check_expected_dimensions(typmod, halfvec_datum_dimensions(value));
	PG_RETURN_DATUM(value);
}
