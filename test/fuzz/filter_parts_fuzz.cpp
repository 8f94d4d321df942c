/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the pure parsers of filters: any bytes are a key, or a date-time, or refused; names lie within the text.
 */
#include "vecdb/query/date_time.hpp"
#include "vecdb/query/field_path.hpp"

#include <cstdlib>
#include <memory>
#include <cstring>

using namespace vecdb::core::query;

static void
require(bool condition)
{
	if (!condition)
		std::abort();
}

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	/* To the exact size, so that the sanitizer sees a byte too many. */
	auto copy = std::make_unique<char[]>(size);
	if (size > 0)
		std::memcpy(copy.get(), data, size);
	std::string_view text(copy.get(), size);
	PathStep steps[8];
	FieldPath path = parse_field_path(text, steps);
	require(path.count <= 8 && path.at <= size);
	if (path.error == PathError::none)
	{
		require(path.count > 0 && steps[0].kind == PathStep::Kind::name);
		for (std::uint32_t i = 0; i < path.count; i++)
		{
			if (steps[i].kind == PathStep::Kind::name)
				require(steps[i].name.data() >= text.data() &&
						steps[i].name.data() + steps[i].name.size() <= text.data() + size);
			require(steps[i].index >= 0);
		}
	}
	std::int64_t time;
	if (parse_date_time(text, time))
		require(size >= 10 && time > -63113990400000000 - 86400000000 && time < 252455615999999999 + 86400000001);
	return 0;
}
