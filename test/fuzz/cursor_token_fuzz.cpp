/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the cursor of scroll: any bytes are a token or none; a token prints as it was read. The first byte says whether the rest is
 * the text of a token or the bytes of one, to which the right checksum and digits are added so that the fuzzer comes past them.
 */
#include "vecdb/codec/cursor_token.hpp"

#include <cstdlib>
#include <memory>
#include <string>

using namespace vecdb::core::codec;

static void
require(bool condition)
{
	if (!condition)
		std::abort();
}

static std::string
forge(std::string bytes)
{
	std::uint64_t hash = 0;
	for (char c : bytes)
	{
		auto byte = static_cast<std::uint8_t>(c);
		hash = cursor_hash(hash, {&byte, 1});
	}
	auto sum = static_cast<std::uint32_t>(hash ^ hash >> 32);
	for (int i = 0; i < 4; i++)
		bytes += static_cast<char>(sum >> (8 * i));
	const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	std::string text;
	unsigned held = 0;
	int bits = 0;
	for (char c : bytes)
	{
		held = (held << 8 | static_cast<unsigned char>(c)) & 0xffff;
		for (bits += 8; bits >= 6;)
		{
			bits -= 6;
			text += digits[held >> bits & 63];
		}
	}
	if (bits > 0)
		text += digits[held << (6 - bits) & 63];
	return text;
}

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size == 0)
		return 0;
	std::string rest(reinterpret_cast<const char *>(data) + 1, size - 1);
	std::string text = data[0] % 2 == 0 ? rest : forge(rest);
	auto copy = std::make_unique<char[]>(text.size());
	auto buffer = std::make_unique<char[]>(text.size());
	text.copy(copy.get(), text.size());
	CursorToken token;
	if (!parse_cursor_token(std::span<const char>(copy.get(), text.size()), std::span<char>(buffer.get(), text.size()),
							token))
		return 0;
	require(token.count >= 0 && token.count <= kMaxCursorValues);
	for (int i = 0; i < token.count; i++)
	{
		require(token.values[i].data() >= buffer.get() &&
				token.values[i].data() + token.values[i].size() <= buffer.get() + text.size());
		require(token.values[i].find('\0') == std::string_view::npos);
	}
	std::size_t bytes = cursor_token_bytes(token);
	require(bytes == text.size());
	auto again = std::make_unique<char[]>(bytes);
	print_cursor_token(token, std::span<char>(again.get(), bytes));
	require(std::string_view(again.get(), bytes) == text);
	return 0;
}
