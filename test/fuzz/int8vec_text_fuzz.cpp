/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the text form of an int8vec: any bytes are parsed or refused; what was parsed, printed and parsed again is equal.
 */
#include "vecdb/codec/int8vec.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace vecdb::core;
using namespace vecdb::core::codec;

static void
require(bool condition)
{
	if (!condition)
		std::abort();
}

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	static std::array<std::int8_t, kMaxVectorElements> first;
	static std::array<std::int8_t, kMaxVectorElements> second;
	const char *text = reinterpret_cast<const char *>(data);
	ParsedVector parsed;
	Status status = parse_int8vec_text(std::span<const char>(text, size), first, parsed);
	require(std::strlen(status.message) < sizeof status.message);
	if (!status.ok())
	{
		require(status.message[0] != '\0');
		require(parsed.quoted.empty() ||
				(parsed.quoted.data() >= text && parsed.quoted.data() + parsed.quoted.size() <= text + size));
		return 0;
	}
	require(parsed.dims >= 1 && parsed.dims <= kMaxVectorElements);
	std::span<const std::int8_t> x(first.data(), static_cast<std::size_t>(parsed.dims));

	/* To the exact size, so that the sanitizer sees a byte too many. */
	auto output = std::make_unique<char[]>(int8vec_text_bound(parsed.dims));
	std::size_t length = print_int8vec_text(x, output.get());
	ParsedVector again;
	require(parse_int8vec_text(std::span<const char>(output.get(), length), second, again).ok());
	require(again.dims == parsed.dims);
	require(std::memcmp(first.data(), second.data(), x.size()) == 0);
	return 0;
}
