/* SPDX-License-Identifier: PostgreSQL
 * Type vector: text and binary input and output, type modifier, and the checks its functions share.
 *
 * Regime: shell.
 * Keeps:  a vector that leaves here has 1 to 16000 dimensions, unused = 0, and only finite elements.
 */
#include "types/vector.hpp"

#include <span>

#include "pg/report.hpp"
#include "vecdb/codec/vector_text.hpp"
#include "vecdb/codec/vector_wire.hpp"

namespace vecdb
{
inline namespace types
{

static_assert(core::codec::kMaxVectorElements == kMaxVectorDimensions);

void
check_elements(const float *x, int dim)
{
	pg::report(core::codec::check_finite(std::span(x, static_cast<std::size_t>(dim))));
}

}  // namespace types
}  // namespace vecdb

using namespace vecdb;

VECDB_FUNCTION(vecdb_vector_in)
{
	const char *literal = PG_GETARG_CSTRING(0);
	int32 typmod = PG_GETARG_INT32(2);
	float x[kMaxVectorDimensions];
	core::codec::ParsedVector parsed;
	core::Status status =
		core::codec::parse_vector_text(std::span(literal, std::strlen(literal)), std::span(x), parsed);
	if (!status.ok())
		report_text_error("vector", status, parsed.quoted);
	check_expected_dimensions(typmod, parsed.dims);
	Vector *result = new_vector_uninitialized(parsed.dims);
	std::memcpy(result->x, x, static_cast<Size>(parsed.dims) * sizeof(float));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_out)
{
	Vector *vector = vector_arg(fcinfo, 0);
	static_assert(FLOAT_SHORTEST_DECIMAL_LEN <= 16);
	char *output = static_cast<char *>(palloc(core::codec::vector_text_bound(vector->dim)));
	core::codec::print_vector_text(std::span(vector->x, static_cast<Size>(vector->dim)), output,
								   float_to_shortest_decimal_bufn);
	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_CSTRING(output);
}

VECDB_FUNCTION(vecdb_vector_typmod_in)
{
	return dimensions_typmod(fcinfo, "vector", kMaxVectorDimensions);
}

VECDB_FUNCTION(vecdb_vector_recv)
{
	auto *message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	int32 typmod = PG_GETARG_INT32(2);
	int dim;
	/* pq_getmsgbytes raises where the message is too short, before anything of that size is allocated. */
	auto *bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, core::codec::kVectorWireHeaderBytes));
	pg::report(
		core::codec::decode_vector_wire_header(std::span(bytes, core::codec::kVectorWireHeaderBytes), typmod, dim));
	Size size_bytes = static_cast<Size>(dim) * sizeof(float);
	bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, static_cast<int>(size_bytes)));
	Vector *result = new_vector_uninitialized(dim);
	pg::report(core::codec::decode_vector_wire_elements(std::span(bytes, size_bytes),
														std::span(result->x, static_cast<Size>(dim))));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_vector_send)
{
	Vector *vector = vector_arg(fcinfo, 0);
	Size dims = static_cast<Size>(vector->dim);
	Size size_bytes = core::codec::kVectorWireHeaderBytes + dims * sizeof(float);
	auto *result = static_cast<bytea *>(palloc(VARHDRSZ + size_bytes));
	SET_VARSIZE(result, VARHDRSZ + size_bytes);
	core::codec::encode_vector_wire(std::span(vector->x, dims), static_cast<uint16>(vector->unused),
									std::span(reinterpret_cast<uint8 *>(VARDATA(result)), size_bytes));
	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_BYTEA_P(result);
}

/* Coercion to a type modifier: the dimensions are known from the size, so the value itself is passed on as it is. */
VECDB_FUNCTION(vecdb_vector)
{
	Datum value = PG_GETARG_DATUM(0);
	int32 typmod = PG_GETARG_INT32(1);
	if (typmod != -1)
		check_expected_dimensions(typmod, vector_datum_dimensions(value));
	PG_RETURN_DATUM(value);
}
