/* SPDX-License-Identifier: PostgreSQL
 * The binary wire form of a vector.
 *
 * Regime: core.
 */
#include "vecdb/codec/vector_wire.hpp"

#include <bit>
#include <cstring>

#include "vecdb/base/half.hpp"
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
decode_vector_wire_header(std::span<const std::uint8_t> bytes, int expected_dims, int &dims, const char *type) noexcept
{
	dims = 0;
	if (bytes.size() < kVectorWireHeaderBytes)
		return Status::error(Code::invalid_data, "insufficient data left in message");
	int claimed = bytes[0] * 256 + bytes[1];
	int unused = bytes[2] * 256 + bytes[3];
	if (claimed < 1)
		return Status::error(Code::invalid_data, "%s must have at least 1 dimension", type);
	if (claimed > kMaxVectorElements)
		return Status::error(Code::limit_exceeded, "%s cannot have more than %d dimensions", type, kMaxVectorElements);
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
encode_vector_wire_header(std::size_t dims, std::uint16_t unused, std::span<std::uint8_t> out) noexcept
{
	std::uint8_t *to = out.data();
	to[0] = static_cast<std::uint8_t>(dims >> 8);
	to[1] = static_cast<std::uint8_t>(dims & 0xff);
	to[2] = static_cast<std::uint8_t>(unused >> 8);
	to[3] = static_cast<std::uint8_t>(unused & 0xff);
}

void
encode_vector_wire(std::span<const float> x, std::uint16_t unused, std::span<std::uint8_t> out) noexcept
{
	std::uint8_t *to = out.data();
	encode_vector_wire_header(x.size(), unused, out);
	to += kVectorWireHeaderBytes;
	for (std::size_t i = 0; i < x.size(); i++)
	{
		std::uint32_t bits = swap_to_host(std::bit_cast<std::uint32_t>(x[i]));
		std::memcpy(to + i * 4, &bits, 4);
	}
}

Status
check_finite_halves(std::span<const std::uint16_t> x) noexcept
{
	for (std::uint16_t half : x)
	{
		unsigned magnitude = half & 0x7fffu;
		if (magnitude > kHalfInfinity)
			return Status::error(Code::invalid_data, "NaN not allowed in halfvec");
		if (magnitude == kHalfInfinity)
			return Status::error(Code::invalid_data, "infinite value not allowed in halfvec");
	}
	return Status::success();
}

Status
decode_halfvec_wire_elements(std::span<const std::uint8_t> bytes, std::span<std::uint16_t> out) noexcept
{
	if (bytes.size() / sizeof(std::uint16_t) < out.size())
		return Status::error(Code::invalid_data, "insufficient data left in message");
	const std::uint8_t *from = bytes.data();
	for (std::size_t i = 0; i < out.size(); i++)
		out[i] = static_cast<std::uint16_t>(from[2 * i] << 8 | from[2 * i + 1]);
	return check_finite_halves(out);
}

void
encode_halfvec_wire(std::span<const std::uint16_t> x, std::uint16_t unused, std::span<std::uint8_t> out) noexcept
{
	std::uint8_t *to = out.data();
	encode_vector_wire_header(x.size(), unused, out);
	to += kVectorWireHeaderBytes;
	for (std::size_t i = 0; i < x.size(); i++)
	{
		to[2 * i] = static_cast<std::uint8_t>(x[i] >> 8);
		to[2 * i + 1] = static_cast<std::uint8_t>(x[i] & 0xff);
	}
}

}  // namespace vecdb::core::codec
