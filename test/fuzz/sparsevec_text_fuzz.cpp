/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the text form of a sparse vector: any bytes are parsed or refused; what was parsed, printed and parsed again has the
 * same bits.
 */
#include "vecdb/codec/sparsevec_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
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
	static std::array<SparseElement, kMaxSparseElements> first, second;
	/* The first byte: what dimensions are asked for. */
	if (size == 0)
		return 0;
	std::int32_t expected = data[0] < 128 ? -1 : data[0] - 127;
	const char *text = reinterpret_cast<const char *>(data + 1);
	size--;
	ParsedSparsevec parsed;
	Status status = parse_sparsevec_text(std::span<const char>(text, size), expected, first, parsed);
	require(std::strlen(status.message) < sizeof status.message);
	if (!status.ok())
	{
		require(status.message[0] != '\0' && status.code != Code::internal);
		require(parsed.quoted.empty() ||
				(parsed.quoted.data() >= text && parsed.quoted.data() + parsed.quoted.size() <= text + size));
		return 0;
	}
	require(parsed.dims >= 1 && parsed.dims <= kMaxSparseDimensions && (expected == -1 || expected == parsed.dims));
	require(parsed.count >= 0 && parsed.count <= kMaxSparseElements && parsed.count <= parsed.dims);
	auto count = static_cast<std::size_t>(parsed.count);
	auto indices = std::make_unique<std::int32_t[]>(count);
	auto values = std::make_unique<float[]>(count);
	for (std::size_t i = 0; i < count; i++)
	{
		indices[i] = first[i].index;
		values[i] = first[i].value;
		require(indices[i] >= 0 && indices[i] < parsed.dims && (i == 0 || indices[i] > indices[i - 1]));
		require(std::isfinite(values[i]) && values[i] != 0.0f);
	}

	/* To the exact size, so that the sanitizer sees a byte too many. */
	auto output = std::make_unique<char[]>(sparsevec_text_bound(parsed.count));
	std::size_t length = print_sparsevec_text(
		parsed.dims, std::span<const std::int32_t>(indices.get(), count), std::span<const float>(values.get(), count),
		output.get(),
		[](float value, char *out) { return static_cast<std::size_t>(std::to_chars(out, out + 15, value).ptr - out); });
	require(length < sparsevec_text_bound(parsed.count) && output[length] == '\0');
	ParsedSparsevec again;
	require(parse_sparsevec_text(std::span<const char>(output.get(), length), parsed.dims, second, again).ok());
	require(again.dims == parsed.dims && again.count == parsed.count);
	require(std::memcmp(first.data(), second.data(), count * sizeof(SparseElement)) == 0);
	return 0;
}
