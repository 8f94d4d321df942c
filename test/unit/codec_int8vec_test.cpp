/* SPDX-License-Identifier: PostgreSQL
 * Text and wire form of an int8vec: every element there and back, strtol as the oracle, every error.
 */
#include "vecdb/codec/int8vec.hpp"
#include "vecdb/codec/vector_wire.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::codec;

struct Parsed
{
	Status status;
	std::vector<int> x;
	std::string quoted;
};

/* From a buffer of exactly the text's size, so that a sanitizer sees a read past it. */
Parsed
parse(const std::string &text)
{
	static std::array<std::int8_t, kMaxVectorElements> out;
	auto copy = std::make_unique<char[]>(text.size());
	std::copy(text.begin(), text.end(), copy.get());
	ParsedVector parsed;
	Status status = parse_int8vec_text(std::span<const char>(copy.get(), text.size()), out, parsed);
	Parsed result{status, {}, std::string(parsed.quoted)};
	if (status.ok())
		result.x.assign(out.begin(), out.begin() + parsed.dims);
	return result;
}

std::string
print(const std::vector<std::int8_t> &x)
{
	auto out = std::make_unique<char[]>(int8vec_text_bound(static_cast<int>(x.size())));
	std::size_t length = print_int8vec_text(x, out.get());
	EXPECT_EQ(out[length], '\0');
	return std::string(out.get(), length);
}

TEST(Int8vecText, EveryElementThereAndBack)
{
	std::vector<std::int8_t> all;
	for (int value = -128; value <= 127; value++)
	{
		all.push_back(static_cast<std::int8_t>(value));
		std::string text = "[" + std::to_string(value) + "]";
		EXPECT_EQ(print({static_cast<std::int8_t>(value)}), text);
		EXPECT_EQ(parse(text).x, std::vector<int>{value});
	}
	Parsed parsed = parse(print(all));
	ASSERT_TRUE(parsed.status.ok());
	EXPECT_EQ(parsed.x, std::vector<int>(all.begin(), all.end()));
	/* The longest text fits its bound exactly. */
	EXPECT_EQ(print(std::vector<std::int8_t>(16000, -128)).size() + 2, int8vec_text_bound(16000));
}

TEST(Int8vecText, SpacesSignsAndZeros)
{
	EXPECT_EQ(parse(" \t\n[ 1 ,\v-2,\f+3\r] ").x, (std::vector<int>{1, -2, 3}));
	EXPECT_EQ(parse("[-0,+0,007,-0000000000000000000000128]").x, (std::vector<int>{0, 0, 7, -128}));
}

TEST(Int8vecText, NumbersAgreeWithStrtol)
{
	std::mt19937_64 random{1};
	for (int i = 0; i < 20000; i++)
	{
		std::string number;
		if (random() % 3 == 0)
			number += random() % 2 == 0 ? '-' : '+';
		for (std::size_t digits = 1 + random() % (random() % 10 == 0 ? 40 : 4); digits > 0; digits--)
			number += static_cast<char>('0' + random() % 10);
		errno = 0;
		long value = std::strtol(number.c_str(), nullptr, 10);
		Parsed parsed = parse("[" + number + "]");
		if (value < -128 || value > 127)
		{
			EXPECT_EQ(parsed.status.code, Code::out_of_range) << number;
			EXPECT_EQ(parsed.quoted, number);
		}
		else
			EXPECT_EQ(parsed.x, std::vector<int>{static_cast<int>(value)}) << number;
	}
}

TEST(Int8vecText, SyntaxErrorsQuoteTheWholeText)
{
	struct Case
	{
		const char *text, *detail;
	};
	const char *begin = "Vector contents must start with \"[\".", *junk = "Junk after closing right brace.";
	for (Case c : std::vector<Case>{
			 {"", begin},     {"  ", begin}, {"1,2", begin}, {"{1:2}/3", begin}, {"[", ""},     {"[1", ""},
			 {"[1,", ""},     {"[1,]", ""},  {"[,1]", ""},   {"[1,,2]", ""},     {"[1 2]", ""}, {"[-]", ""},
			 {"[+-1]", ""},   {"[- 1]", ""}, {"[1.0]", ""},  {"[1.]", ""},       {"[1e1]", ""}, {"[0x1]", ""},
			 {"[300.5]", ""}, {"[300", ""},  {"[NaN]", ""},  {"[Infinity]", ""}, {"[one]", ""}, {"[1]2", junk},
			 {"[1],", junk},  {"[1]]", junk}})
	{
		Parsed parsed = parse(c.text);
		EXPECT_EQ(parsed.status.code, Code::invalid_text) << c.text;
		EXPECT_EQ(std::string(parsed.status.message),
				  "invalid input syntax for type int8vec: \"" + std::string(c.text) + "\"");
		EXPECT_STREQ(parsed.status.detail, c.detail) << c.text;
		EXPECT_EQ(parsed.quoted, c.text);
	}
}

TEST(Int8vecText, ValueErrors)
{
	EXPECT_STREQ(parse("[1,128]").status.message, "\"128\" is out of range for type int8vec");
	EXPECT_STREQ(parse("[-129 ]").status.message, "\"-129\" is out of range for type int8vec");
	EXPECT_STREQ(parse("[+4294967297]").status.message, "\"+4294967297\" is out of range for type int8vec");
	EXPECT_EQ(parse("[" + std::string(5000, '9') + "]").quoted, std::string(5000, '9'));
	EXPECT_STREQ(parse("[]").status.message, "int8vec must have at least 1 dimension");
	EXPECT_STREQ(parse("[ ]").status.message, "int8vec must have at least 1 dimension");
}

TEST(Int8vecText, At16000ElementsItEnds)
{
	std::string most = "[";
	for (int i = 1; i < 16000; i++)
		most += "1,";
	EXPECT_EQ(parse(most + "1]").x.size(), 16000u);
	Parsed parsed = parse(most + "1,1]");
	EXPECT_EQ(parsed.status.code, Code::limit_exceeded);
	EXPECT_STREQ(parsed.status.message, "int8vec cannot have more than 16000 dimensions");
}

TEST(Int8vecWire, EveryByteThereAndBack)
{
	std::vector<std::int8_t> x;
	for (int value = -128; value <= 127; value++)
		x.push_back(static_cast<std::int8_t>(value));
	std::vector<std::uint8_t> bytes(kVectorWireHeaderBytes + x.size());
	encode_int8vec_wire(x, 0, bytes);
	EXPECT_EQ((std::vector<std::uint8_t>{1, 0, 0, 0, 0x80, 0x81}),
			  std::vector<std::uint8_t>(bytes.begin(), bytes.begin() + 6));
	int dims;
	ASSERT_TRUE(decode_vector_wire_header(bytes, 256, dims, "int8vec").ok());
	std::vector<std::int8_t> back(static_cast<std::size_t>(dims));
	ASSERT_TRUE(decode_int8vec_wire_elements(std::span(bytes).subspan(kVectorWireHeaderBytes), back).ok());
	EXPECT_EQ(back, x);
	back.push_back(0);
	EXPECT_STREQ(decode_int8vec_wire_elements(std::span(bytes).subspan(kVectorWireHeaderBytes), back).message,
				 "insufficient data left in message");
}

}  // namespace
