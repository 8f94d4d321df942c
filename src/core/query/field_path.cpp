/* SPDX-License-Identifier: PostgreSQL
 * Regime: core.
 */
#include "vecdb/query/field_path.hpp"

namespace vecdb::core::query
{

static bool
is_digit(char c) noexcept
{
	return c >= '0' && c <= '9';
}

/* The bytes of a name at text[at], quotes included; 0 where there is none. */
static std::size_t
name_bytes(std::string_view text, std::size_t at) noexcept
{
	if (at < text.size() && text[at] == '"')
	{
		std::size_t end = text.find('"', at + 1);
		return end == std::string_view::npos ? 0 : end + 1 - at;
	}
	std::size_t end = text.find_first_of(".[]", at);
	return (end == std::string_view::npos ? text.size() : end) - at;
}

/* The bytes of [] or [index] at text[at], 0 where it is neither. */
static std::size_t
index_bytes(std::string_view text, std::size_t at, PathStep &step) noexcept
{
	std::size_t i = at + 1;
	std::int64_t index = 0;
	for (; i < text.size() && is_digit(text[i]); i++)
	{
		index = index * 10 + (text[i] - '0');
		if (index > INT32_MAX)
			return 0;
	}
	if (i >= text.size() || text[i] != ']')
		return 0;
	step = PathStep{i == at + 1 ? PathStep::Kind::all : PathStep::Kind::element, static_cast<std::int32_t>(index), {}};
	return i + 1 - at;
}

FieldPath
parse_field_path(std::string_view text, std::span<PathStep> steps) noexcept
{
	FieldPath path{PathError::none, 0, 0};
	std::size_t at = 0;
	do
	{
		PathStep step{};
		std::size_t bytes;
		if (path.count > 0 && text[at] == '[')
			bytes = index_bytes(text, at, step);
		else
		{
			if (path.count > 0 && text[at++] != '.')
				bytes = 0;
			else
				bytes = name_bytes(text, at);
			bool quoted = bytes > 0 && text[at] == '"';
			step.kind = PathStep::Kind::name;
			step.name = quoted ? text.substr(at + 1, bytes - 2) : text.substr(at, bytes);
		}
		if (bytes == 0 || path.count >= steps.size())
		{
			path.error = bytes == 0 ? PathError::syntax : PathError::too_long;
			path.at = static_cast<std::uint32_t>(at);
			return path;
		}
		steps[path.count++] = step;
		at += bytes;
	} while (at < text.size());
	return path;
}

}  // namespace vecdb::core::query
