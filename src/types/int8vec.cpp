/* SPDX-License-Identifier: PostgreSQL
 * Type int8vec: text and binary input and output, type modifier.
 *
 * Regime: shell.
 * Keeps:  an int8vec that leaves here has 1 to 16000 dimensions and unused = 0.
 */
#include "types/int8vec.hpp"

#include <span>

#include "pg/report.hpp"
#include "vecdb/codec/int8vec.hpp"
#include "vecdb/codec/vector_wire.hpp"

using namespace vecdb;

VECDB_FUNCTION(vecdb_int8vec_in)
{
	const char *literal = PG_GETARG_CSTRING(0);
	int32 typmod = PG_GETARG_INT32(2);
	int8 x[kMaxVectorDimensions];
	core::codec::ParsedVector parsed;
	core::Status status =
		core::codec::parse_int8vec_text(std::span(literal, std::strlen(literal)), std::span(x), parsed);
	if (!status.ok())
		report_text_error("int8vec", status, parsed.quoted);
	check_expected_dimensions(typmod, parsed.dims);
	Int8Vector *result = new_int8vec(parsed.dims);
	std::memcpy(result->x, x, static_cast<Size>(parsed.dims));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_int8vec_out)
{
	Int8View v = int8_view(PG_GETARG_DATUM(0));
	char *output = static_cast<char *>(palloc(core::codec::int8vec_text_bound(v.dim)));
	core::codec::print_int8vec_text(std::span(v.x, static_cast<Size>(v.dim)), output);
	PG_RETURN_CSTRING(output);
}

VECDB_FUNCTION(vecdb_int8vec_typmod_in)
{
	return dimensions_typmod(fcinfo, "int8vec", kMaxVectorDimensions);
}

VECDB_FUNCTION(vecdb_int8vec_recv)
{
	auto *message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	int32 typmod = PG_GETARG_INT32(2);
	int dim;
	auto *bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, core::codec::kVectorWireHeaderBytes));
	pg::report(core::codec::decode_vector_wire_header(std::span(bytes, core::codec::kVectorWireHeaderBytes), typmod,
													  dim, "int8vec"));
	auto size_bytes = static_cast<Size>(dim);
	bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, dim));
	Int8Vector *result = new_int8vec(dim);
	pg::report(
		core::codec::decode_int8vec_wire_elements(std::span(bytes, size_bytes), std::span(result->x, size_bytes)));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_int8vec_send)
{
	Int8Vector *vector = int8vec_arg(fcinfo, 0);
	auto dims = static_cast<Size>(vector->dim);
	Size size_bytes = core::codec::kVectorWireHeaderBytes + dims;
	auto *result = static_cast<bytea *>(palloc(VARHDRSZ + size_bytes));
	SET_VARSIZE(result, VARHDRSZ + size_bytes);
	core::codec::encode_int8vec_wire(std::span(vector->x, dims), static_cast<uint16>(vector->unused),
									 std::span(reinterpret_cast<uint8 *>(VARDATA(result)), size_bytes));
	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_BYTEA_P(result);
}

/* Coercion to a type modifier: the dimensions are known from the size, so the value itself is passed on as it is. */
VECDB_FUNCTION(vecdb_int8vec)
{
	Datum value = PG_GETARG_DATUM(0);
	int32 typmod = PG_GETARG_INT32(1);
	if (typmod != -1)
		check_expected_dimensions(typmod, int8vec_datum_dimensions(value));
	PG_RETURN_DATUM(value);
}
