/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the binary form of an int8vec: any bytes are decoded or refused; what was decoded encodes to the same bytes.
 */
#include "vecdb/codec/int8vec.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>

#include "vecdb/codec/vector_wire.hpp"

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
	int dims;
	if (!decode_vector_wire_header(bytes, -1, dims, "int8vec").ok())
		return 0;
	require(dims >= 1 && dims <= kMaxVectorElements);
	std::size_t count = static_cast<std::size_t>(dims);
	auto x = std::make_unique<std::int8_t[]>(count);
	std::span<std::int8_t> elements(x.get(), count);
	if (!decode_int8vec_wire_elements(bytes.subspan(kVectorWireHeaderBytes), elements).ok())
		return 0;
	std::size_t size_bytes = kVectorWireHeaderBytes + elements.size_bytes();
	require(size_bytes <= size);
	auto again = std::make_unique<std::uint8_t[]>(size_bytes);
	encode_int8vec_wire(elements, 0, std::span(again.get(), size_bytes));
	require(std::memcmp(again.get(), data, size_bytes) == 0);
	return 0;
}
