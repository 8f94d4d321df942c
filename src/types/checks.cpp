/* SPDX-License-Identifier: PostgreSQL
 * The messages of checks.hpp: pgvector's, letter for letter.
 *
 * Regime: shell.
 */
#include "types/checks.hpp"

#include "pg/report.hpp"

namespace vecdb
{
inline namespace types
{

void
check_dimensions(const char *type, int dim, int most)
{
	if (dim < 1)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("%s must have at least 1 dimension", type)));
	if (dim > most)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("%s cannot have more than %d dimensions", type, most)));
}

void
check_equal_dimensions(const char *type, int a, int b)
{
	if (a != b)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("different %s dimensions %d and %d", type, a, b)));
}

void
check_expected_dimensions(int32 typmod, int dim)
{
	if (typmod != -1 && typmod != dim)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION), errmsg("expected %d dimensions, not %d", typmod, dim)));
}

Datum
dimensions_typmod(FunctionCallInfo fcinfo, const char *type, int most)
{
	int count;
	const int32 *modifiers = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &count);
	if (count != 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid type modifier")));
	if (modifiers[0] < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("dimensions for type %s must be at least 1", type)));
	if (modifiers[0] > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("dimensions for type %s cannot exceed %d", type, most)));
	PG_RETURN_INT32(modifiers[0]);
}

void
report_text_error(const char *type, const core::Status &status, std::string_view quoted)
{
	auto length = static_cast<int>(quoted.size());
	if (status.code == core::Code::invalid_text)
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid input syntax for type %s: \"%.*s\"", type, length, quoted.data()),
						status.detail[0] != '\0' ? errdetail("%s", status.detail) : 0));
	if (status.code == core::Code::out_of_range)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("\"%.*s\" is out of range for type %s", length, quoted.data(), type)));
	pg::report(status);
}

}  // namespace types
}  // namespace vecdb
