/* SPDX-License-Identifier: PostgreSQL
 * The cursor of scroll: there and back, one form for one token, and what is refused.
 */
#include "vecdb/codec/cursor_token.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace
{

using namespace vecdb::core::codec;

struct Parsed
{
	bool ok;
	std::uint64_t scope;
	bool among_nulls;
	std::vector<std::string> values;
	bool operator==(const Parsed &) const = default;
};

CursorToken
token_of(const Parsed &parsed)
{
	CursorToken token{parsed.scope, parsed.among_nulls, static_cast<int>(parsed.values.size()), {}};
	std::copy(parsed.values.begin(), parsed.values.end(), token.values);
	return token;
}

std::string
print(const CursorToken &token)
{
	std::size_t bytes = cursor_token_bytes(token);
	auto out = std::make_unique<char[]>(bytes);
	print_cursor_token(token, std::span<char>(out.get(), bytes));
	return std::string(out.get(), bytes);
}

/* From buffers of exactly the text's size, so that a sanitizer sees a byte too many. */
Parsed
parse(const std::string &text)
{
	auto copy = std::make_unique<char[]>(text.size());
	auto buffer = std::make_unique<char[]>(text.size());
	std::copy(text.begin(), text.end(), copy.get());
	CursorToken token;
	bool ok = parse_cursor_token(std::span<const char>(copy.get(), text.size()),
								 std::span<char>(buffer.get(), text.size()), token);
	Parsed parsed{ok, token.scope, token.among_nulls, {}};
	if (ok)
		for (int i = 0; i < token.count; i++)
			parsed.values.emplace_back(token.values[i]);
	return parsed;
}

TEST(CursorToken, ThereAndBack)
{
	std::mt19937_64 random(1);
	for (int round = 0; round < 2000; round++)
	{
		Parsed want{true, random(), random() % 2 == 0, {}};
		for (std::size_t i = random() % 5; i > 0; i--)
		{
			std::string value;
			std::size_t length = random() % (round % 100 == 0 ? 40000 : 40);
			for (std::size_t j = 0; j < length; j++)
				value += static_cast<char>(random() % 255 + 1);
			want.values.push_back(value);
		}
		std::string text = print(token_of(want));
		EXPECT_EQ(parse(text), want);
	}
	Parsed most{true, 0, true, std::vector<std::string>(kMaxCursorValues, "x")};
	EXPECT_EQ(parse(print(token_of(most))), most);
}

TEST(CursorToken, TextIsOfDigitsThatNeedNoEscape)
{
	std::string text = print(token_of(Parsed{true, ~std::uint64_t{0}, false, {"\xff\xfe\xfb", "a/b+c"}}));
	EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
			  std::string::npos);
}

TEST(CursorToken, EveryCutAndEveryWrongDigitIsSeen)
{
	std::string text = print(token_of(Parsed{true, 0x1234567890abcdefU, false, {"2024-01-01 00:00:00+00", "17"}}));
	ASSERT_TRUE(parse(text).ok);
	for (std::size_t length = 0; length < text.size(); length++)
		EXPECT_FALSE(parse(text.substr(0, length)).ok) << length;
	for (std::size_t i = 0; i < text.size(); i++)
		for (int c = 0; c < 256; c++)
			if (c != static_cast<unsigned char>(text[i]))
			{
				std::string other = text;
				other[i] = static_cast<char>(c);
				EXPECT_FALSE(parse(other).ok) << i << " " << c;
			}
	EXPECT_FALSE(parse(text + "A").ok);
	EXPECT_FALSE(parse(text + "=").ok);
	EXPECT_FALSE(parse(text + text).ok);
}

/* A token with a right checksum around any bytes: what a forger would send. */
std::string
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
	for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 6)
	{
		int digit = 0;
		for (std::size_t b = bit; b < bit + 6; b++)
			digit = digit * 2 +
					(b < bytes.size() * 8 ? static_cast<unsigned char>(bytes[b / 8]) >> (7 - b % 8) & 1 : 0);
		text += digits[digit];
	}
	return text;
}

TEST(CursorToken, Forged)
{
	const std::string head = std::string("\1\0", 2) + "scope678";
	EXPECT_EQ(parse(forge(head + "\1\2ab")), (Parsed{true, 0x38373665706f6373U, false, {"ab"}}));
	EXPECT_TRUE(parse(forge(head + std::string("\0", 1))).ok);
	EXPECT_FALSE(parse(forge(std::string("\2\0", 2) + "scope678" + "\1\2ab")).ok) << "version";
	EXPECT_FALSE(parse(forge(std::string("\1\2", 2) + "scope678" + "\1\2ab")).ok) << "flag";
	EXPECT_FALSE(parse(forge(head)).ok) << "no count";
	EXPECT_FALSE(parse(forge(head + "\1\3ab")).ok) << "longer than there is";
	EXPECT_FALSE(parse(forge(head + "\1\2abc")).ok) << "more than said";
	EXPECT_FALSE(parse(forge(head + "\2\2ab")).ok) << "a value too few";
	EXPECT_FALSE(parse(forge(head + "\1\2a" + std::string("\0", 1))).ok) << "a zero";
	EXPECT_FALSE(parse(forge(head + "\1\x82" + std::string("\0", 1) + "ab")).ok)
		<< "a length in more bytes than it needs";
	EXPECT_FALSE(parse(forge(head + "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff")).ok) << "length";
	EXPECT_FALSE(parse(forge(head + "\1\xff\xff\xff\x7f")).ok) << "length";
	EXPECT_FALSE(
		parse(forge(head + std::string(1, kMaxCursorValues + 1) + std::string(kMaxCursorValues + 1, '\0'))).ok);
	EXPECT_FALSE(parse(forge("")).ok);
	EXPECT_FALSE(parse("").ok);
}

TEST(CursorToken, TooLargeToPrint)
{
	std::string large(kMaxCursorValueBytes, 'x');
	EXPECT_NE(cursor_token_bytes(token_of(Parsed{true, 0, false, {large}})), 0U);
	std::string larger = large + "x";
	EXPECT_EQ(cursor_token_bytes(token_of(Parsed{true, 0, false, {larger}})), 0U);
	EXPECT_EQ(cursor_token_bytes(token_of(Parsed{true, 0, false, {large, large, large, large}})), 0U);
	EXPECT_EQ(cursor_token_bytes(token_of(Parsed{true, 0, false, {std::string("a\0b", 3)}})), 0U);
	CursorToken many{};
	many.count = kMaxCursorValues + 1;
	EXPECT_EQ(cursor_token_bytes(many), 0U);
}

TEST(CursorToken, HashesOfNeighboursDiffer)
{
	std::vector<std::uint64_t> hashes;
	for (std::uint32_t i = 0; i < 10000; i++)
	{
		std::uint8_t bytes[4] = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8), 0, 0};
		hashes.push_back(cursor_hash(0, bytes));
	}
	std::sort(hashes.begin(), hashes.end());
	EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

}  // namespace
