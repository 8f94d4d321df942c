/* SPDX-License-Identifier: PostgreSQL
 * The key of a filter's condition: a.b, a[0].b, a[].b, "with.dots".b
 *
 * Regime: core.
 * A bare name is any run of characters but . [ ] that does not begin with a quote; a quoted name ends at the next quote, and nothing is
 * escaped in it. Names are slices of the text.
 */
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vecdb::core::query
{

struct PathStep
{
	enum class Kind : std::uint8_t
	{
		name,     // .name
		element,  // [index]
		all,      // []
	};
	Kind kind;
	std::int32_t index;
	std::string_view name;
};

enum class PathError : std::uint8_t
{
	none,
	syntax,
	too_long,  // more steps than there is room for
};

struct FieldPath
{
	PathError error;
	std::uint32_t count;  // of steps: the first is a name
	std::uint32_t at;     // where the text went wrong, in bytes
};

FieldPath parse_field_path(std::string_view text, std::span<PathStep> steps) noexcept;

}  // namespace vecdb::core::query
