/* SPDX-License-Identifier: PostgreSQL
 * Type sparsevec: text and binary input and output, type modifier, and the checks its functions share.
 *
 * Regime: shell.
 * Keeps:  a sparsevec that leaves here has 1 to 10^9 dimensions, unused = 0, and at most 16000 elements by ascending index,
 *         each finite and not 0.
 */
#include "types/sparsevec.hpp"

#include <span>

#include "pg/report.hpp"
#include "vecdb/codec/sparsevec_text.hpp"
#include "vecdb/codec/sparsevec_wire.hpp"

static_assert(vecdb::kMaxSparseDimensions == vecdb::core::codec::kMaxSparseDimensions &&
			  vecdb::kMaxSparseNonzero == vecdb::core::codec::kMaxSparseElements);

namespace vecdb
{
inline namespace types
{

void
check_sparse_nonzero(int nnz)
{
	if (nnz > kMaxSparseNonzero)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("sparsevec cannot have more than %d non-zero elements", kMaxSparseNonzero)));
}

void
check_sparse_values(const float *values, int nnz)
{
	pg::report(core::codec::check_sparse_values(std::span(values, static_cast<Size>(nnz))));
}

}  // namespace types
}  // namespace vecdb

using namespace vecdb;

VECDB_FUNCTION(vecdb_sparsevec_in)
{
	const char *literal = PG_GETARG_CSTRING(0);
	int32 typmod = PG_GETARG_INT32(2);
	core::codec::SparseElement elements[kMaxSparseNonzero];
	core::codec::ParsedSparsevec parsed;
	core::Status status = core::codec::parse_sparsevec_text(std::span(literal, std::strlen(literal)), typmod,
															std::span(elements), parsed);
	if (!status.ok())
		report_text_error("sparsevec", status, parsed.quoted);
	SparseVector *result = new_sparsevec(parsed.dims, parsed.count);
	float *values = sparsevec_values(result);
	for (int i = 0; i < parsed.count; i++)
	{
		result->indices[i] = elements[i].index;
		values[i] = elements[i].value;
	}
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_sparsevec_out)
{
	SparseVector *vector = sparsevec_arg(fcinfo, 0);
	auto nnz = static_cast<Size>(vector->nnz);
	char *output = static_cast<char *>(palloc(core::codec::sparsevec_text_bound(vector->nnz)));
	core::codec::print_sparsevec_text(vector->dim, std::span(vector->indices, nnz),
									  std::span(sparsevec_values(vector), nnz), output, float_to_shortest_decimal_bufn);
	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_CSTRING(output);
}

VECDB_FUNCTION(vecdb_sparsevec_typmod_in)
{
	return dimensions_typmod(fcinfo, "sparsevec", kMaxSparseDimensions);
}

VECDB_FUNCTION(vecdb_sparsevec_recv)
{
	auto *message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	int32 typmod = PG_GETARG_INT32(2);
	int32 dim;
	int nnz;
	auto *bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, core::codec::kSparsevecWireHeaderBytes));
	pg::report(core::codec::decode_sparsevec_wire_header(std::span(bytes, core::codec::kSparsevecWireHeaderBytes),
														 typmod, dim, nnz));
	auto count = static_cast<Size>(nnz);
	Size size_bytes = count * sizeof(int32);
	bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, static_cast<int>(size_bytes)));
	SparseVector *result = new_sparsevec(dim, nnz);
	pg::report(core::codec::decode_sparsevec_wire_indices(std::span(bytes, size_bytes), dim,
														  std::span(result->indices, count)));
	bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, static_cast<int>(size_bytes)));
	pg::report(core::codec::decode_sparsevec_wire_values(std::span(bytes, size_bytes),
														 std::span(sparsevec_values(result), count)));
	PG_RETURN_POINTER(result);
}

VECDB_FUNCTION(vecdb_sparsevec_send)
{
	SparseVector *vector = sparsevec_arg(fcinfo, 0);
	auto nnz = static_cast<Size>(vector->nnz);
	Size size_bytes = core::codec::kSparsevecWireHeaderBytes + nnz * (sizeof(int32) + sizeof(float));
	auto *result = static_cast<bytea *>(palloc(VARHDRSZ + size_bytes));
	SET_VARSIZE(result, VARHDRSZ + size_bytes);
	core::codec::encode_sparsevec_wire(vector->dim, vector->unused, std::span(vector->indices, nnz),
									   std::span(sparsevec_values(vector), nnz),
									   std::span(reinterpret_cast<uint8 *>(VARDATA(result)), size_bytes));
	PG_FREE_IF_COPY(vector, 0);
	PG_RETURN_BYTEA_P(result);
}

/* Coercion to a type modifier: the value itself is passed on as it is. */
VECDB_FUNCTION(vecdb_sparsevec)
{
	Datum value = PG_GETARG_DATUM(0);
	int32 typmod = PG_GETARG_INT32(1);
	if (typmod != -1)
		check_expected_dimensions(typmod, sparsevec_datum_dimensions(value));
	PG_RETURN_DATUM(value);
}
