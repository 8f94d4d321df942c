/* SPDX-License-Identifier: PostgreSQL
 * Text and wire form of a vector: strtof as the oracle for numbers, round trips, every error.
 */
#include "vecdb/codec/vector_text.hpp"
#include "vecdb/codec/vector_wire.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
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
	std::vector<float> x;
	std::string quoted;
};

/* From a buffer of exactly the text's size, so that a sanitizer sees a read past it. */
Parsed
parse(const std::string &text)
{
	static std::array<float, kMaxVectorElements> out;
	auto copy = std::make_unique<char[]>(text.size());
	std::copy(text.begin(), text.end(), copy.get());
	ParsedVector parsed;
	Parsed result;
	result.status = parse_vector_text(std::span<const char>(copy.get(), text.size()), out, parsed);
	if (result.status.ok())
		result.x.assign(out.begin(), out.begin() + parsed.dims);
	else
		result.quoted = std::string(parsed.quoted);
	return result;
}

std::size_t
print_float(float value, char *out)
{
	return static_cast<std::size_t>(std::to_chars(out, out + 15, value).ptr - out);
}

std::string
print(const std::vector<float> &x)
{
	std::string out(vector_text_bound(static_cast<int>(x.size())), '?');
	out.resize(print_vector_text(x, out.data(), print_float));
	return out;
}

std::uint32_t
bits(float value)
{
	return std::bit_cast<std::uint32_t>(value);
}

/* What strtof makes of one number: the kind of the outcome, and the value. */
Code
reference(const std::string &number, float &value)
{
	char *end;
	errno = 0;
	value = std::strtof(number.c_str(), &end);
	if (end == number.c_str())
		return Code::invalid_text;
	if (errno == ERANGE && std::isinf(value))
		return Code::out_of_range;
	if (!std::isfinite(value))
		return Code::invalid_data;
	return *end == '\0' ? Code::ok : Code::invalid_text;
}

void
expect_as_strtof(const std::string &number)
{
	float value;
	Code code = reference(number, value);
	Parsed parsed = parse("[" + number + "]");
	EXPECT_EQ(parsed.status.code, code) << number << ": " << parsed.status.message;
	if (code == Code::ok && parsed.status.ok())
	{
		EXPECT_EQ(bits(parsed.x[0]), bits(value)) << number;
	}
}

TEST(VectorText, SpacesAroundTokens)
{
	EXPECT_EQ(parse("[1,2,3]").x, (std::vector<float>{1, 2, 3}));
	EXPECT_EQ(parse(" \t\n\r\v\f[ 1 ,\t2\n,\v3 ] ").x, (std::vector<float>{1, 2, 3}));
}

TEST(VectorText, NumbersAgreeWithStrtof)
{
	for (const char *number : {"1",
							   "+1",
							   "-1",
							   "1.",
							   ".5",
							   "+.5",
							   "00012",
							   "1e5",
							   "1E-5",
							   "0x1",
							   "0X1.8p-2",
							   "0x.8",
							   "0x1p-149",
							   "0x1p-151",
							   "0x1p127",
							   "0x1p128",
							   "0x0p9999",
							   "-0",
							   "0e99999",
							   "1e38",
							   "4e38",
							   "-4e38",
							   "1e400",
							   "1e-400",
							   "1e-45",
							   "7e-46",
							   "7.1e-46",
							   "16777217",
							   "16777219",
							   "1.17549435e-38",
							   "3.4028235677973366e38",
							   "3.4028235677973365e38",
							   "1e99999999999999999999",
							   "1e-99999999999999999999",
							   "100000000000000000000000000000e-20",
							   "0.00000000000000000000000000000000000000000000000000000000001e60",
							   "0x1.fffffefp127",
							   "0x1.ffffffp127",
							   "0x123456789abcdef0123p-40",
							   "-",
							   "+",
							   ".",
							   "e",
							   "1e",
							   "1e+",
							   "1.2.3",
							   "--1",
							   "+-1",
							   "0x",
							   "0x.",
							   "0x1p",
							   "inf",
							   "-Infinity",
							   "infinit",
							   "nan",
							   "-NaN",
							   "nan(12)",
							   "in",
							   "na",
							   "1a",
							   "1_0",
							   "1d3",
							   "1f"})
		expect_as_strtof(number);
}

TEST(VectorText, RandomNumbersAgreeWithStrtof)
{
	std::mt19937_64 random(20240611);
	char text[128];
	for (int i = 0; i < 300000; i++)
	{
		float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
		float next = std::nextafterf(value, 0.0f);
		if (!std::isfinite(value))
			continue;
		double middle = (static_cast<double>(value) + static_cast<double>(next)) / 2;
		switch (i % 6)
		{
			case 0: std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value)); break;
			case 1: std::snprintf(text, sizeof text, "%.17g", middle); break;
			case 2:
				std::snprintf(text, sizeof text, "%.25g", std::nextafter(middle, random() % 2 ? 1e300 : -1e300));
				break;
			case 3:
				std::snprintf(text, sizeof text, "%.*f", static_cast<int>(random() % 25),
							  std::ldexp(static_cast<double>(static_cast<std::int32_t>(random())), -31));
				break;
			case 4:
				std::snprintf(text, sizeof text, "%llue%d",
							  static_cast<unsigned long long>(random() >> (random() % 60)),
							  static_cast<int>(random() % 110) - 70);
				break;
			case 5: std::snprintf(text, sizeof text, "%a", static_cast<double>(value)); break;
		}
		expect_as_strtof(text);
	}
}

/* Half of the smallest denormal is a tie and goes to 0; anything above it goes up (glibc 2.36 says 0 there). */
TEST(VectorText, HexadecimalIsRoundedOnce)
{
	EXPECT_EQ(bits(parse("[0x1p-150]").x.at(0)), 0u);
	EXPECT_EQ(bits(parse("[0x1.0000000000000000000001p-150]").x.at(0)), 1u);
	EXPECT_EQ(parse("[0x1.000001p0]").x.at(0), 1.0f);
	EXPECT_EQ(bits(parse("[0x1.00000100000000000000001p0]").x.at(0)), bits(1.0f) + 1);
	EXPECT_EQ(parse("[0x1.000003p0]").x.at(0), std::bit_cast<float>(bits(1.0f) + 2));
}

TEST(VectorText, WhatIsPrintedReadsBack)
{
	std::mt19937_64 random(7);
	std::vector<float> x;
	while (x.size() < 5000)
	{
		float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
		if (std::isfinite(value))
			x.push_back(value);
	}
	for (float value : {0.0f, -0.0f, std::numeric_limits<float>::max(), std::numeric_limits<float>::min(),
						std::numeric_limits<float>::denorm_min()})
		x.push_back(value);
	std::string text = print(x);
	EXPECT_EQ(text.c_str()[text.size()], '\0');
	std::vector<float> back = parse(text).x;
	ASSERT_EQ(back.size(), x.size());
	for (std::size_t i = 0; i < x.size(); i++)
		EXPECT_EQ(bits(back[i]), bits(x[i]));
}

TEST(VectorText, SyntaxErrorsQuoteTheWholeText)
{
	for (const char *text :
		 {"", " ", "1,2", "[", "[ ", "[1", "[1,", "[,]", "[1,]", "[1,,2]", "[1 2]", "[a]", "[1a]", "[[1]]"})
	{
		Parsed parsed = parse(text);
		EXPECT_EQ(parsed.status.code, Code::invalid_text) << text;
		EXPECT_EQ(parsed.quoted, text);
		EXPECT_EQ(parsed.status.message, "invalid input syntax for type vector: \"" + std::string(text) + "\"");
	}
	EXPECT_STREQ(parse("x").status.detail, "Vector contents must start with \"[\".");
	EXPECT_STREQ(parse("[1]]").status.detail, "Junk after closing right brace.");
	EXPECT_STREQ(parse("[1").status.detail, "");
	std::string nul("[1,\0002]", 7);
	EXPECT_EQ(parse(nul).status.code, Code::invalid_text);

	std::string text = "[" + std::string(1000, ' ') + "x]";
	Parsed parsed = parse(text);
	EXPECT_EQ(parsed.quoted, text);
	EXPECT_LT(std::string(parsed.status.message).size(), sizeof parsed.status.message);
}

TEST(VectorText, ValueErrors)
{
	EXPECT_STREQ(parse("[]").status.message, "vector must have at least 1 dimension");
	EXPECT_STREQ(parse("[ ]").status.message, "vector must have at least 1 dimension");
	EXPECT_STREQ(parse("[1,nan").status.message, "NaN not allowed in vector");
	EXPECT_STREQ(parse("[-INF]").status.message, "infinite value not allowed in vector");
	EXPECT_STREQ(parse("[1,-4e38 ,x").status.message, "\"-4e38\" is out of range for type vector");
	EXPECT_EQ(parse("[+1e999,x").quoted, "+1e999");
	EXPECT_EQ(parse("[]").status.code, Code::invalid_data);
}

TEST(VectorText, At16000ElementsItEnds)
{
	std::string text = "[1";
	for (int i = 1; i < kMaxVectorElements; i++)
		text += ",1";
	EXPECT_EQ(parse(text + "]").x.size(), static_cast<std::size_t>(kMaxVectorElements));
	Parsed parsed = parse(text + ",x");
	EXPECT_EQ(parsed.status.code, Code::limit_exceeded);
	EXPECT_STREQ(parsed.status.message, "vector cannot have more than 16000 dimensions");
}

TEST(VectorWire, RoundTrip)
{
	std::vector<float> x{1.0f, -2.5f, -0.0f, std::numeric_limits<float>::denorm_min(),
						 std::numeric_limits<float>::max()};
	std::vector<std::uint8_t> wire(kVectorWireHeaderBytes + 4 * x.size());
	encode_vector_wire(x, 0, wire);
	EXPECT_EQ((std::vector<std::uint8_t>(wire.begin(), wire.begin() + 8)),
			  (std::vector<std::uint8_t>{0, 5, 0, 0, 0x3f, 0x80, 0, 0}));
	int dims;
	ASSERT_TRUE(decode_vector_wire_header(wire, -1, dims).ok());
	ASSERT_EQ(dims, 5);
	std::vector<float> back(5);
	ASSERT_TRUE(decode_vector_wire_elements(std::span(wire).subspan(kVectorWireHeaderBytes), back).ok());
	for (std::size_t i = 0; i < x.size(); i++)
		EXPECT_EQ(bits(back[i]), bits(x[i]));
}

TEST(VectorWire, Errors)
{
	int dims;
	auto header = [&dims](std::vector<std::uint8_t> bytes, int expected = -1) {
		return std::string(decode_vector_wire_header(bytes, expected, dims).message);
	};
	EXPECT_EQ(header({0, 1, 0}), "insufficient data left in message");
	EXPECT_EQ(header({}), "insufficient data left in message");
	EXPECT_EQ(header({0, 0, 0, 0}), "vector must have at least 1 dimension");
	EXPECT_EQ(header({0x80, 0, 0, 0}), "vector cannot have more than 16000 dimensions");
	EXPECT_EQ(header({0x3e, 0x81, 0, 0}), "vector cannot have more than 16000 dimensions");
	EXPECT_EQ(header({0, 2, 0, 1}, 3), "expected 3 dimensions, not 2");
	EXPECT_EQ(header({0, 2, 0, 1}, 2), "expected unused to be 0, not 1");
	EXPECT_EQ(header({0, 2, 0, 0}, 2), "");
	EXPECT_EQ(dims, 2);

	float out[2];
	auto elements = [&out](std::vector<std::uint8_t> bytes) {
		return std::string(decode_vector_wire_elements(bytes, out).message);
	};
	EXPECT_EQ(elements({0, 0, 0, 0, 0, 0, 0}), "insufficient data left in message");
	EXPECT_EQ(elements({0, 0, 0, 0, 0x7f, 0xc0, 0, 0}), "NaN not allowed in vector");
	EXPECT_EQ(elements({0, 0, 0, 0, 0xff, 0x80, 0, 0}), "infinite value not allowed in vector");
	EXPECT_EQ(elements({0x7f, 0x80, 0, 0, 0x7f, 0xc0, 0, 0}), "infinite value not allowed in vector");
	EXPECT_EQ(elements({0x7f, 0x7f, 0xff, 0xff, 0, 0, 0, 1}), "");
}

/* --- halfvec: the same text and header, other limits and elements --- */

Status
parse_halfvec(const std::string &text)
{
	static std::array<float, kMaxVectorElements> out;
	ParsedVector parsed;
	return parse_vector_text(std::span<const char>(text.data(), text.size()), out, parsed, kHalfvecText);
}

TEST(HalfvecText, LimitsAndMessages)
{
	EXPECT_TRUE(parse_halfvec("[65519.9,-65519.9,1e-30]").ok());
	EXPECT_STREQ(parse_halfvec("[1,65520]").message, "\"65520\" is out of range for type halfvec");
	EXPECT_STREQ(parse_halfvec("[-65520.0]").message, "\"-65520.0\" is out of range for type halfvec");
	EXPECT_STREQ(parse_halfvec("[1e39]").message, "\"1e39\" is out of range for type halfvec");
	EXPECT_STREQ(parse_halfvec("[nan]").message, "NaN not allowed in halfvec");
	EXPECT_STREQ(parse_halfvec("[-inf]").message, "infinite value not allowed in halfvec");
	EXPECT_STREQ(parse_halfvec("[]").message, "halfvec must have at least 1 dimension");
	EXPECT_STREQ(parse_halfvec("[1").message, "invalid input syntax for type halfvec: \"[1\"");
}

TEST(HalfvecWire, EveryHalfThereAndBack)
{
	std::vector<std::uint16_t> x;
	for (unsigned h = 0; h < 0x10000; h++)
		if ((h & 0x7c00) != 0x7c00)
			x.push_back(static_cast<std::uint16_t>(h));
	x.resize(kMaxVectorElements * (x.size() / kMaxVectorElements));
	for (std::size_t first = 0; first < x.size(); first += kMaxVectorElements)
	{
		std::span<const std::uint16_t> part(x.data() + first, kMaxVectorElements);
		std::vector<std::uint8_t> bytes(kVectorWireHeaderBytes + 2 * part.size());
		encode_halfvec_wire(part, 0, bytes);
		int dims;
		ASSERT_TRUE(decode_vector_wire_header(bytes, -1, dims, "halfvec").ok());
		ASSERT_EQ(dims, kMaxVectorElements);
		std::vector<std::uint16_t> back(part.size());
		ASSERT_TRUE(decode_halfvec_wire_elements(std::span(bytes).subspan(kVectorWireHeaderBytes), back).ok());
		EXPECT_TRUE(std::equal(back.begin(), back.end(), part.begin()));
	}
}

TEST(HalfvecWire, Errors)
{
	int dims;
	std::vector<std::uint8_t> empty = {0, 0, 0, 0}, long_one = {0x3e, 0x81, 0, 0};
	EXPECT_STREQ(decode_vector_wire_header(empty, -1, dims, "halfvec").message,
				 "halfvec must have at least 1 dimension");
	EXPECT_STREQ(decode_vector_wire_header(long_one, -1, dims, "halfvec").message,
				 "halfvec cannot have more than 16000 dimensions");
	std::uint16_t out[2];
	auto elements = [&out](std::vector<std::uint8_t> bytes) {
		return std::string(decode_halfvec_wire_elements(bytes, out).message);
	};
	EXPECT_EQ(elements({0, 0, 0}), "insufficient data left in message");
	EXPECT_EQ(elements({0x7b, 0xff, 0x7e, 0}), "NaN not allowed in halfvec");
	EXPECT_EQ(elements({0xfc, 0, 0x7e, 0}), "infinite value not allowed in halfvec");
	EXPECT_EQ(elements({0x7b, 0xff, 0x80, 1}), "");
}

}  // namespace
