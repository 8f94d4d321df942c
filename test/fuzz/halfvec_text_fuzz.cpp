/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the text form of a halfvec: any bytes are parsed or refused; what was parsed rounds to finite halves, and those,
 * printed and parsed again, are the same halves.
 */
#include "vecdb/codec/vector_text.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "vecdb/codec/vector_wire.hpp"
#include "vecdb/distance/kernels.hpp"

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
	static std::array<float, kMaxVectorElements> x;
	static std::array<std::uint16_t, kMaxVectorElements> first;
	static std::array<std::uint16_t, kMaxVectorElements> second;
	const distance::Kernels &k = distance::kernels();
	const char *text = reinterpret_cast<const char *>(data);
	ParsedVector parsed;
	Status status = parse_vector_text(std::span<const char>(text, size), x, parsed, kHalfvecText);
	require(std::strlen(status.message) < sizeof status.message);
	if (!status.ok())
	{
		require(status.message[0] != '\0');
		require(parsed.quoted.empty() ||
				(parsed.quoted.data() >= text && parsed.quoted.data() + parsed.quoted.size() <= text + size));
		return 0;
	}
	require(parsed.dims >= 1 && parsed.dims <= kMaxVectorElements);
	std::size_t dims = static_cast<std::size_t>(parsed.dims);
	k.f32_to_f16(x.data(), first.data(), dims);
	require(check_finite_halves(std::span(first.data(), dims)).ok());

	/* To the exact size, so that the sanitizer sees a byte too many. */
	k.f16_to_f32(first.data(), x.data(), dims);
	auto output = std::make_unique<char[]>(vector_text_bound(parsed.dims));
	std::size_t length = print_vector_text(std::span(x.data(), dims), output.get(), [](float value, char *out) {
		return static_cast<std::size_t>(std::to_chars(out, out + 15, value).ptr - out);
	});
	ParsedVector again;
	require(parse_vector_text(std::span<const char>(output.get(), length), x, again, kHalfvecText).ok());
	require(again.dims == parsed.dims);
	k.f32_to_f16(x.data(), second.data(), dims);
	require(std::memcmp(first.data(), second.data(), dims * sizeof(std::uint16_t)) == 0);
	return 0;
}
