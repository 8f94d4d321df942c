/* SPDX-License-Identifier: PostgreSQL
 * The text and wire forms of an int8vec.
 *
 * Regime: core.
 */
#include "vecdb/codec/int8vec.hpp"

#include <algorithm>
#include <cstring>

#include "vecdb/codec/vector_wire.hpp"

namespace vecdb::core::codec
{

namespace
{

constexpr bool
is_space(char c) noexcept
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

constexpr unsigned
digit(char c) noexcept
{
	return static_cast<unsigned>(static_cast<unsigned char>(c)) - '0';
}

const char *
skip_spaces(const char *p, const char *end) noexcept
{
	while (p != end && is_space(*p))
		p++;
	return p;
}

/* What fits a message; parsed.quoted has all of it. */
int
cut(std::size_t length) noexcept
{
	return static_cast<int>(std::min<std::size_t>(length, sizeof(Status::message)));
}

Status
syntax_error(std::span<const char> text, ParsedVector &parsed) noexcept
{
	parsed.quoted = std::string_view(text.data(), text.size());
	return Status::error(Code::invalid_text, "invalid input syntax for type int8vec: \"%.*s\"", cut(text.size()),
						 text.data());
}

Status
range_error(const char *begin, const char *end, ParsedVector &parsed) noexcept
{
	parsed.quoted = std::string_view(begin, static_cast<std::size_t>(end - begin));
	return Status::error(Code::out_of_range, "\"%.*s\" is out of range for type int8vec", cut(parsed.quoted.size()),
						 begin);
}

}  // namespace

Status
parse_int8vec_text(std::span<const char> text, std::span<std::int8_t, kMaxVectorElements> out,
				   ParsedVector &parsed) noexcept
{
	parsed = ParsedVector{0, {}};
	const char *end = text.data() + text.size();
	const char *p = skip_spaces(text.data(), end);
	if (p == end || *p != '[')
		return syntax_error(text, parsed).with_detail("Vector contents must start with \"[\".");
	p = skip_spaces(p + 1, end);
	if (p != end && *p == ']')
		return Status::error(Code::invalid_data, "int8vec must have at least 1 dimension");

	std::int8_t *x = out.data();
	int dims = 0;
	for (;;)
	{
		if (dims == kMaxVectorElements)
			return Status::error(Code::limit_exceeded, "int8vec cannot have more than %d dimensions",
								 kMaxVectorElements);
		p = skip_spaces(p, end);
		const char *number = p;
		bool negative = p != end && *p == '-';
		if (p != end && (*p == '-' || *p == '+'))
			p++;
		const char *digits = p;
		unsigned magnitude = 0;
		for (; p != end && digit(*p) <= 9; p++)
			magnitude = std::min(magnitude * 10 + digit(*p), 1000u);
		const char *end_of_number = p;
		p = skip_spaces(p, end);
		if (end_of_number == digits || p == end || (*p != ',' && *p != ']'))
			return syntax_error(text, parsed);
		if (magnitude > (negative ? 128u : 127u))
			return range_error(number, end_of_number, parsed);
		int value = static_cast<int>(magnitude);
		x[dims++] = static_cast<std::int8_t>(negative ? -value : value);
		if (*p++ == ']')
			break;
	}
	if (skip_spaces(p, end) != end)
		return syntax_error(text, parsed).with_detail("Junk after closing right brace.");
	parsed.dims = dims;
	return Status::success();
}

std::size_t
print_int8vec_text(std::span<const std::int8_t> x, char *out) noexcept
{
	char *p = out;
	*p++ = '[';
	for (std::size_t i = 0; i < x.size(); i++)
	{
		if (i > 0)
			*p++ = ',';
		int value = x[i];
		if (value < 0)
			*p++ = '-';
		unsigned magnitude = static_cast<unsigned>(value < 0 ? -value : value);
		if (magnitude >= 100)
			*p++ = '1';
		if (magnitude >= 10)
			*p++ = static_cast<char>('0' + magnitude / 10 % 10);
		*p++ = static_cast<char>('0' + magnitude % 10);
	}
	*p++ = ']';
	*p = '\0';
	return static_cast<std::size_t>(p - out);
}

Status
decode_int8vec_wire_elements(std::span<const std::uint8_t> bytes, std::span<std::int8_t> out) noexcept
{
	if (bytes.size() < out.size())
		return Status::error(Code::invalid_data, "insufficient data left in message");
	if (!out.empty())
		std::memcpy(out.data(), bytes.data(), out.size());
	return Status::success();
}

void
encode_int8vec_wire(std::span<const std::int8_t> x, std::uint16_t unused, std::span<std::uint8_t> out) noexcept
{
	encode_vector_wire_header(x.size(), unused, out);
	if (!x.empty())
		std::memcpy(out.data() + kVectorWireHeaderBytes, x.data(), x.size());
}

}  // namespace vecdb::core::codec
