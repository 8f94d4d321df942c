/* SPDX-License-Identifier: PostgreSQL
 * Fuzz both forms of a query value: any bytes are read or refused; what was read prints, and reads back, the same. The first
 * byte chooses the form.
 */
#include "vecdb/query/value.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace vecdb::core;
using namespace vecdb::core::query;

static void
require(bool condition)
{
	if (!condition)
		std::abort();
}

/* Of exact size, so that a byte too far is seen. */
struct Buffer
{
	explicit Buffer(std::size_t size) : size(size), bytes(new (std::align_val_t{8}) char[size])
	{
	}
	~Buffer()
	{
		operator delete[](bytes, std::align_val_t{8});
	}
	Buffer(const Buffer &) = delete;
	Buffer &operator=(const Buffer &) = delete;
	std::span<char>
	span()
	{
		return {bytes, size};
	}
	std::size_t size;
	char *bytes;
};

static void
check_examples(const QueryHead &head, const char *examples, std::size_t used)
{
	require(check_head(head).ok());
	const char *at = examples;
	for (std::uint32_t i = 0; i < example_count(formula_of(head)); i++)
	{
		Example e = example_at(head, at);
		require(e.count >= 0 && e.count <= head.dims && e.next <= examples + used);
		for (std::int32_t j = 0; j < e.count; j++)
		{
			require(std::isfinite(e.values[j]));
			require(e.indices == nullptr ||
					(e.indices[j] >= 0 && e.indices[j] < head.dims && (j == 0 || e.indices[j] > e.indices[j - 1])));
		}
		at = e.next;
	}
	require(at == examples + used);
}

static void
round_trip(const QueryHead &head, const char *examples, std::size_t used)
{
	check_examples(head, examples, used);
	Buffer text(query_text_bound(used, example_count(formula_of(head))));
	std::size_t length = print_query_text(head, examples, text.bytes);
	require(length < text.size);
	Buffer again(query_data_bound(length));
	QueryHead other;
	std::size_t other_used;
	require(parse_query_text(std::string_view(text.bytes, length), other, again.span(), other_used).ok());
	require(std::memcmp(&head, &other, sizeof head) == 0 && used == other_used);
	require(used == 0 || std::memcmp(examples, again.bytes, used) == 0);
	Buffer wire(kQueryWireHeadBytes + used);
	encode_query_wire(head, examples, reinterpret_cast<std::uint8_t *>(wire.bytes));
	Buffer third(wire.size);
	require(decode_query_wire(std::span(reinterpret_cast<std::uint8_t *>(wire.bytes), wire.size), other, third.span(),
							  other_used)
				.ok());
	require(std::memcmp(&head, &other, sizeof head) == 0 && used == other_used);
	require(used == 0 || std::memcmp(examples, third.bytes, used) == 0);
}

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size == 0)
		return 0;
	bool text = data[0] % 2 == 0;
	data++;
	size--;
	QueryHead head;
	std::size_t used;
	Buffer examples(text ? query_data_bound(size) : size);
	Status status = text ? parse_query_text(std::string_view(reinterpret_cast<const char *>(data), size), head,
											examples.span(), used)
						 : decode_query_wire(std::span(data, size), head, examples.span(), used);
	require(used <= examples.size);
	if (status.ok())
		round_trip(head, examples.bytes, used);
	return 0;
}
