/* SPDX-License-Identifier: PostgreSQL
 * The binary wire form of a sparse vector.
 *
 * Regime: core.
 */
#include "vecdb/codec/sparsevec_wire.hpp"

#include <bit>
#include <cstring>

#include "vecdb/codec/sparsevec_text.hpp"
#include "vecdb/codec/vector_text.hpp"

namespace vecdb::core::codec
{

namespace
{

std::uint32_t
swap_to_host(std::uint32_t big_endian) noexcept
{
	if constexpr (std::endian::native == std::endian::little)
		return __builtin_bswap32(big_endian);
	else
		return big_endian;
}

std::uint32_t
get(const std::uint8_t *bytes, std::size_t i) noexcept
{
	std::uint32_t word;
	std::memcpy(&word, bytes + i * sizeof word, sizeof word);
	return swap_to_host(word);
}

void
put(std::uint8_t *bytes, std::size_t i, std::uint32_t word) noexcept
{
	word = swap_to_host(word);
	std::memcpy(bytes + i * sizeof word, &word, sizeof word);
}

Status
cut_short() noexcept
{
	return Status::error(Code::invalid_data, "insufficient data left in message");
}

}  // namespace

Status
decode_sparsevec_wire_header(std::span<const std::uint8_t> bytes, std::int32_t expected_dims, std::int32_t &dims,
							 int &count) noexcept
{
	dims = count = 0;
	if (bytes.size() < kSparsevecWireHeaderBytes)
		return cut_short();
	auto claimed_dims = static_cast<std::int32_t>(get(bytes.data(), 0));
	auto claimed_count = static_cast<std::int32_t>(get(bytes.data(), 1));
	auto unused = static_cast<std::int32_t>(get(bytes.data(), 2));
	Status status = check_sparse_dimensions(claimed_dims);
	if (!status.ok())
		return status;
	if (claimed_count < 0)
		return Status::error(Code::invalid_data, "sparsevec cannot have negative number of elements");
	if (claimed_count > kMaxSparseElements)
		return Status::error(Code::limit_exceeded, "sparsevec cannot have more than %d non-zero elements",
							 kMaxSparseElements);
	if (claimed_count > claimed_dims)
		return Status::error(Code::limit_exceeded, "sparsevec cannot have more elements than dimensions");
	if (expected_dims != -1 && expected_dims != claimed_dims)
		return Status::error(Code::invalid_data, "expected %d dimensions, not %d", expected_dims, claimed_dims);
	if (unused != 0)
		return Status::error(Code::invalid_data, "expected unused to be 0, not %d", unused);
	dims = claimed_dims;
	count = claimed_count;
	return Status::success();
}

Status
decode_sparsevec_wire_indices(std::span<const std::uint8_t> bytes, std::int32_t dims,
							  std::span<std::int32_t> out) noexcept
{
	if (bytes.size() / sizeof(std::int32_t) < out.size())
		return cut_short();
	std::int32_t previous = -1;
	for (std::size_t i = 0; i < out.size(); i++)
	{
		auto index = static_cast<std::int32_t>(get(bytes.data(), i));
		if (index <= previous || index >= dims)
			return check_sparse_index(index, previous, dims);
		out[i] = previous = index;
	}
	return Status::success();
}

Status
decode_sparsevec_wire_values(std::span<const std::uint8_t> bytes, std::span<float> out) noexcept
{
	if (bytes.size() / sizeof(float) < out.size())
		return cut_short();
	bool zero = false;
	for (std::size_t i = 0; i < out.size(); i++)
	{
		out[i] = std::bit_cast<float>(get(bytes.data(), i));
		zero |= out[i] == 0.0f;
	}
	if (!zero)
		return check_sparse_values(out);
	/* The first that is wrong decides. */
	for (std::size_t i = 0; i < out.size(); i++)
	{
		Status status = check_sparse_values(out.subspan(i, 1));
		if (!status.ok())
			return status;
		if (out[i] == 0.0f)
			break;
	}
	return Status::error(Code::invalid_data, "binary representation of sparsevec cannot contain zero values");
}

void
encode_sparsevec_wire(std::int32_t dims, std::int32_t unused, std::span<const std::int32_t> indices,
					  std::span<const float> values, std::span<std::uint8_t> out) noexcept
{
	std::uint8_t *to = out.data();
	put(to, 0, static_cast<std::uint32_t>(dims));
	put(to, 1, static_cast<std::uint32_t>(indices.size()));
	put(to, 2, static_cast<std::uint32_t>(unused));
	to += kSparsevecWireHeaderBytes;
	for (std::size_t i = 0; i < indices.size(); i++)
		put(to, i, static_cast<std::uint32_t>(indices[i]));
	to += indices.size() * sizeof(std::int32_t);
	for (std::size_t i = 0; i < indices.size(); i++)
		put(to, i, std::bit_cast<std::uint32_t>(values[i]));
}

Status
check_sparse_values(std::span<const float> values) noexcept
{
	return check_finite(values, "sparsevec");
}

}  // namespace vecdb::core::codec
