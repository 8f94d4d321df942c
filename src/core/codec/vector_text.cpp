/* SPDX-License-Identifier: PostgreSQL
 * Parse the text form of a vector.
 *
 * Regime: core.
 */
#include "vecdb/codec/vector_text.hpp"

#include <algorithm>
#include <cmath>

#include "number.hpp"

namespace vecdb::core::codec
{

namespace
{

Status
syntax_error(std::span<const char> text, ParsedVector &parsed, const TextType &type) noexcept
{
	parsed.quoted = std::string_view(text.data(), text.size());
	return Status::error(Code::invalid_text, "invalid input syntax for type %s: \"%.*s\"", type.name,
						 static_cast<int>(std::min<std::size_t>(text.size(), sizeof(Status::message))), text.data());
}

Status
number_error(NumberKind kind, std::span<const char> text, const char *begin, const char *end, ParsedVector &parsed,
			 const TextType &type) noexcept
{
	switch (kind)
	{
		case NumberKind::overflow:
			parsed.quoted = std::string_view(begin, static_cast<std::size_t>(end - begin));
			return Status::error(Code::out_of_range, "\"%.*s\" is out of range for type %s",
								 static_cast<int>(std::min<std::size_t>(parsed.quoted.size(), sizeof(Status::message))),
								 begin, type.name);
		case NumberKind::nan: return Status::error(Code::invalid_data, "NaN not allowed in %s", type.name);
		case NumberKind::infinite:
			return Status::error(Code::invalid_data, "infinite value not allowed in %s", type.name);
		case NumberKind::finite:
		case NumberKind::none: break;
	}
	return syntax_error(text, parsed, type);
}

}  // namespace

Status
parse_vector_text(std::span<const char> text, std::span<float, kMaxVectorElements> out, ParsedVector &parsed,
				  const TextType &type) noexcept
{
	parsed = ParsedVector{0, {}};
	const char *end = text.data() + text.size();
	const char *p = skip_spaces(text.data(), end);
	if (p == end || *p != '[')
		return syntax_error(text, parsed, type).with_detail("Vector contents must start with \"[\".");
	p = skip_spaces(p + 1, end);
	if (p != end && *p == ']')
		return Status::error(Code::invalid_data, "%s must have at least 1 dimension", type.name);

	float *x = out.data();
	int dims = 0;
	for (;;)
	{
		if (dims == kMaxVectorElements)
			return Status::error(Code::limit_exceeded, "%s cannot have more than %d dimensions", type.name,
								 kMaxVectorElements);
		p = skip_spaces(p, end);
		Number number = parse_number(p, end);
		if (std::fabs(number.value) >= type.overflow && number.kind == NumberKind::finite)
			number.kind = NumberKind::overflow;
		if (number.kind != NumberKind::finite)
			return number_error(number.kind, text, p, number.end, parsed, type);
		x[dims++] = number.value;
		p = number.end;
		if (p != end && *p == ',')
		{
			p++;
			continue;
		}
		p = skip_spaces(p, end);
		if (p == end || (*p != ',' && *p != ']'))
			return syntax_error(text, parsed, type);
		if (*p++ == ']')
			break;
	}
	if (skip_spaces(p, end) != end)
		return syntax_error(text, parsed, type).with_detail("Junk after closing right brace.");
	parsed.dims = dims;
	return Status::success();
}

Status
check_finite(std::span<const float> x, const char *type) noexcept
{
	if (all_finite(x))
		return Status::success();
	for (float value : x)
	{
		if (std::isnan(value))
			return Status::error(Code::invalid_data, "NaN not allowed in %s", type);
		if (std::isinf(value))
			break;
	}
	return Status::error(Code::invalid_data, "infinite value not allowed in %s", type);
}

}  // namespace vecdb::core::codec
