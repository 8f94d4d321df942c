/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the binary form of a sparse vector: any bytes are decoded or refused; what was decoded encodes to the same bytes.
 */
#include "vecdb/codec/sparsevec_wire.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "vecdb/codec/sparsevec_text.hpp"

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
	std::span<const std::uint8_t> bytes(data, size);
	std::int32_t dims;
	int claimed;
	if (!decode_sparsevec_wire_header(bytes, -1, dims, claimed).ok())
		return 0;
	require(dims >= 1 && dims <= kMaxSparseDimensions && claimed >= 0 && claimed <= dims &&
			claimed <= kMaxSparseElements);
	auto count = static_cast<std::size_t>(claimed);
	auto x = std::make_unique<std::int32_t[]>(count);
	auto y = std::make_unique<float[]>(count);
	std::span<std::int32_t> indices(x.get(), count);
	std::span<float> values(y.get(), count);
	bytes = bytes.subspan(kSparsevecWireHeaderBytes);
	if (!decode_sparsevec_wire_indices(bytes, dims, indices).ok())
		return 0;
	if (!decode_sparsevec_wire_values(bytes.subspan(indices.size_bytes()), values).ok())
		return 0;
	for (std::size_t i = 0; i < count; i++)
	{
		require(indices[i] >= 0 && indices[i] < dims && (i == 0 || indices[i] > indices[i - 1]));
		require(std::isfinite(values[i]) && values[i] != 0.0f);
	}
	std::size_t size_bytes = kSparsevecWireHeaderBytes + indices.size_bytes() + values.size_bytes();
	require(size_bytes <= size);
	auto again = std::make_unique<std::uint8_t[]>(size_bytes);
	encode_sparsevec_wire(dims, 0, indices, values, std::span(again.get(), size_bytes));
	require(std::memcmp(again.get(), data, size_bytes) == 0);
	return 0;
}
