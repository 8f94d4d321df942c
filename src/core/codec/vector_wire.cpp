/* SPDX-License-Identifier: PostgreSQL
 * The binary wire form of a vector.
 *
 * Regime: core.
 */
#include "vecdb/codec/vector_wire.hpp"

#include <bit>
#include <cstring>

#include "vecdb/codec/vector_text.hpp"

namespace vecdb::core::codec
{

static std::uint32_t
swap_to_host(std::uint32_t big_endian) noexcept
{
	if constexpr (std::endian::native == std::endian::little)
		return __builtin_bswap32(big_endian);
	else
		return big_endian;
}

Status
decode_vector_wire_header(std::span<const std::uint8_t> bytes, int expected_dims, int &dims) noexcept
{
	dims = 0;
	if (bytes.size() < kVectorWireHeaderBytes)
		return Status::error(Code::invalid_data, "insufficient data left in message");
	int claimed = bytes[0] * 256 + bytes[1];
	int unused = bytes[2] * 256 + bytes[3];
	if (claimed < 1)
		return Status::error(Code::invalid_data, "vector must have at least 1 dimension");
	if (claimed > kMaxVectorElements)
		return Status::error(Code::limit_exceeded, "vector cannot have more than %d dimensions", kMaxVectorElements);
	if (expected_dims != -1 && expected_dims != claimed)
		return Status::error(Code::invalid_data, "expected %d dimensions, not %d", expected_dims, claimed);
	if (unused != 0)
		return Status::error(Code::invalid_data, "expected unused to be 0, not %d", unused);
	dims = claimed;
	return Status::success();
}

Status
decode_vector_wire_elements(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept
{
	if (bytes.size() / sizeof(float) < out.size())
		return Status::error(Code::invalid_data, "insufficient data left in message");
	const std::uint8_t *from = bytes.data();
	float *to = out.data();
	for (std::size_t i = 0; i < out.size(); i++)
	{
		std::uint32_t bits;
		std::memcpy(&bits, from + i * 4, 4);
		bits = swap_to_host(bits);
		std::memcpy(to + i, &bits, 4);
	}
	return check_finite(out);
}

void
encode_vector_wire(std::span<const float> x, std::uint16_t unused, std::span<std::uint8_t> out) noexcept
{
	std::uint8_t *to = out.data();
	to[0] = static_cast<std::uint8_t>(x.size() >> 8);
	to[1] = static_cast<std::uint8_t>(x.size() & 0xff);
	to[2] = static_cast<std::uint8_t>(unused >> 8);
	to[3] = static_cast<std::uint8_t>(unused & 0xff);
	to += kVectorWireHeaderBytes;
	for (std::size_t i = 0; i < x.size(); i++)
	{
		std::uint32_t bits = swap_to_host(std::bit_cast<std::uint32_t>(x[i]));
		std::memcpy(to + i * 4, &bits, 4);
	}
}

}  // namespace vecdb::core::codec
