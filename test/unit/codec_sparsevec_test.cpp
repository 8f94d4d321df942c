/* SPDX-License-Identifier: PostgreSQL
 * Text and wire form of a sparse vector: round trips, order, every error and which of several comes first.
 */
#include "vecdb/codec/float_text.hpp"
#include "vecdb/codec/sparsevec_text.hpp"
#include "vecdb/codec/sparsevec_wire.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::codec;

using Elements = std::vector<std::pair<std::int32_t, float>>;

struct Parsed
{
	Status status;
	std::int32_t dims;
	Elements elements;
	std::string quoted;
};

/* From a buffer of exactly the text's size, so that a sanitizer sees a read past it. */
Parsed
parse(const std::string &text, std::int32_t expected = -1)
{
	static std::array<SparseElement, kMaxSparseElements> out;
	auto copy = std::make_unique<char[]>(text.size());
	std::copy(text.begin(), text.end(), copy.get());
	ParsedSparsevec parsed;
	Parsed result;
	result.status = parse_sparsevec_text(std::span<const char>(copy.get(), text.size()), expected, out, parsed);
	result.dims = parsed.dims;
	if (result.status.ok())
		for (int i = 0; i < parsed.count; i++)
			result.elements.emplace_back(out[static_cast<std::size_t>(i)].index,
										 out[static_cast<std::size_t>(i)].value);
	else
		result.quoted = std::string(parsed.quoted);
	return result;
}

std::string
print(std::int32_t dims, const Elements &elements)
{
	std::vector<std::int32_t> indices;
	std::vector<float> values;
	for (const auto &[index, value] : elements)
	{
		indices.push_back(index);
		values.push_back(value);
	}
	std::size_t bound = sparsevec_text_bound(static_cast<int>(elements.size()));
	auto out = std::make_unique<char[]>(bound);
	std::size_t length = print_sparsevec_text(
		dims, std::span<const std::int32_t>(indices), std::span<const float>(values), out.get(),
		[](float value, char *to) { return static_cast<std::size_t>(std::to_chars(to, to + 15, value).ptr - to); });
	EXPECT_LT(length, bound);
	EXPECT_EQ(out[length], '\0');
	return std::string(out.get(), length);
}

/* "code message|detail" of a refusal. */
std::string
refusal(const std::string &text, std::int32_t expected = -1)
{
	Parsed parsed = parse(text, expected);
	if (parsed.status.ok())
		return "accepted";
	std::string detail = parsed.status.detail;
	return std::string(parsed.status.message) + (detail.empty() ? "" : " | " + detail);
}

std::string
syntax(const std::string &text, const std::string &detail = "")
{
	return "invalid input syntax for type sparsevec: \"" + text + "\"" + (detail.empty() ? "" : " | " + detail);
}

TEST(SparsevecText, Elements)
{
	EXPECT_EQ(parse("{1:1.5,3:-2}/5").elements, (Elements{{0, 1.5f}, {2, -2.0f}}));
	EXPECT_EQ(parse("{1:1.5,3:-2}/5").dims, 5);
	EXPECT_EQ(parse(" \t\n\r\v\f{ 1 : 1.5 ,\t3\n:\v-2 } / 5 ").elements, (Elements{{0, 1.5f}, {2, -2.0f}}));
	EXPECT_EQ(parse("{}/1000000000").dims, 1000000000);
	EXPECT_EQ(parse("{ }/7").elements, Elements{});
	EXPECT_EQ(parse("{+1:+1,0003:0x1p-3,1000000000:1e-45}/+1000000000").elements,
			  (Elements{{0, 1.0f}, {2, 0.125f}, {999999999, std::numeric_limits<float>::denorm_min()}}));
}

TEST(SparsevecText, AnyOrderAndZerosLeftOut)
{
	EXPECT_EQ(parse("{5:5,1:1,3:3,2:0,4:-0}/5").elements, (Elements{{0, 1.0f}, {2, 3.0f}, {4, 5.0f}}));
	/* Left out before positions are looked at. */
	EXPECT_EQ(parse("{9:0,1:1,1:0,-7:0e9}/5").elements, (Elements{{0, 1.0f}}));
	std::mt19937 random(7);
	Elements want;
	for (std::int32_t i = 0; i < 5000; i++)
		want.emplace_back(i * 3, static_cast<float>(i + 1));
	Elements shuffled = want;
	std::shuffle(shuffled.begin(), shuffled.end(), random);
	EXPECT_EQ(parse(print(20000, shuffled)).elements, want);
}

TEST(SparsevecText, SyntaxErrors)
{
	const std::string start = "Vector contents must start with \"{\".", end = "Unexpected end of input.",
					  junk = "Junk after closing.";
	for (const char *text : {"", " ", "1", "[1]", "}", "a{1:1}/1"})
		EXPECT_EQ(refusal(text), syntax(text, start)) << text;
	for (const char *text : {"{}", "{1:1}", "{1:1} ", "{1:1}}", "{} x", "{1:1}5"})
		EXPECT_EQ(refusal(text), syntax(text, end)) << text;
	for (const char *text : {"{}/1a", "{}/1 2", "{}/1.5", "{}/1e3", "{}/0x10"})
		EXPECT_EQ(refusal(text), syntax(text, junk)) << text;
	for (const char *text :
		 {"{",         "{ ",        "{:",           "{,",       "{1",        "{1:",       "{1:1",
		  "{1:1,",     "{:}/1",     "{,}/1",        "{1,}/1",   "{:1}/1",    "{1:}/1",    "{1a:1}/1",
		  "{1:1a}/1",  "{1:1,}/1",  "{1:1,,2:1}/2", "{1::1}/1", "{1:1:1}/1", "{1.5:1}/1", "{0x1:1}/1",
		  "{--1:1}/1", "{1:--1}/1", "{1:.}/1",      "{}/",      "{}/ ",      "{}/a",      "{}/-",
		  "{}/+-1",    "{1 2:3}/5", "{1:1 2:2}/5"})
		EXPECT_EQ(refusal(text), syntax(text)) << text;
}

TEST(SparsevecText, ValuesThatAreRefused)
{
	EXPECT_EQ(refusal("{1:nan}/1"), "NaN not allowed in sparsevec");
	EXPECT_EQ(refusal("{1:-NaN(7)}/1"), "NaN not allowed in sparsevec");
	EXPECT_EQ(refusal("{1:-inf}/1"), "infinite value not allowed in sparsevec");
	EXPECT_EQ(refusal("{1:Infinityx}/1"), "infinite value not allowed in sparsevec");
	for (const char *number : {"4e38", "-4e38", "1e400", "0x1p128", "1e-46", "-1e-46", "1e-400", "0x1p-160",
							   "0.00000000000000000000000000000000000000000000000000000000000001"})
		EXPECT_EQ(refusal(std::string("{2:1,1: ") + number + " }/2"),
				  std::string("\"") + number + "\" is out of range for type sparsevec");
	EXPECT_EQ(parse("{1:7.1e-46,2:1e-45}/2").elements.size(), 2u);  // denormals are no underflow
	EXPECT_EQ(parse("{1:0e-999,2:0x0p-999,3:0.000}/3").elements.size(), 0u);
}

TEST(SparsevecText, QuotesAllOfALongText)
{
	std::string text = "{1:1," + std::string(5000, ' ') + "x";
	EXPECT_EQ(parse(text).quoted, text);
	std::string number = "1" + std::string(400, '0');
	EXPECT_EQ(parse("{1:" + number + "}/1").quoted, number);
}

TEST(SparsevecText, DimensionsAndPositions)
{
	for (const char *dims : {"0", "-1", "-2147483649", "-99999999999999999999"})
		EXPECT_EQ(refusal(std::string("{9:9}/") + dims), "sparsevec must have at least 1 dimension");
	for (const char *dims : {"1000000001", "2147483648", "99999999999999999999"})
		EXPECT_EQ(refusal(std::string("{0:9}/") + dims), "sparsevec cannot have more than 1000000000 dimensions");
	for (const char *position : {"0", "-1", "3", "2147483647", "2147483648", "-2147483648", "-2147483649",
								 "99999999999999999999", "-99999999999999999999"})
		EXPECT_EQ(refusal(std::string("{") + position + ":1}/2"), "sparsevec index out of bounds") << position;
	EXPECT_EQ(refusal("{1:1,1:1}/2"), "sparsevec indices must not contain duplicates");
	EXPECT_EQ(refusal("{2:1,1:2,2:3}/2"), "sparsevec indices must not contain duplicates");
	EXPECT_EQ(parse("{1:1}/2", 2).dims, 2);
	EXPECT_EQ(refusal("{1:1}/2", 3), "expected 3 dimensions, not 2");
	EXPECT_EQ(parse("{1:1}/0").status.code, Code::invalid_data);
	EXPECT_EQ(parse("{}/1000000001").status.code, Code::limit_exceeded);
}

TEST(SparsevecText, WhichErrorComesFirst)
{
	EXPECT_EQ(refusal("{9:nan,1:4e38}/0x"), "NaN not allowed in sparsevec");
	EXPECT_EQ(refusal("{9:4e38,1:nan}/0x"), "\"4e38\" is out of range for type sparsevec");
	EXPECT_EQ(refusal("{9:1,9:1}/0"), "sparsevec must have at least 1 dimension");
	EXPECT_EQ(refusal("{9:1,9:1}/3", 5), "expected 5 dimensions, not 3");
	EXPECT_EQ(refusal("{9:1,2:1,2:1}/3"), "sparsevec indices must not contain duplicates");
	EXPECT_EQ(refusal("{9:1,9:1,2:1}/3"), "sparsevec index out of bounds");
	EXPECT_EQ(refusal("{2:1,2:1,0:1}/3"), "sparsevec index out of bounds");
}

TEST(SparsevecText, ElementsAreCountedByCommas)
{
	const std::string limit = "sparsevec cannot have more than 16000 non-zero elements";
	std::string zeros = "{1:0";
	for (int i = 1; i < kMaxSparseElements; i++)
		zeros += ",1:0";
	EXPECT_EQ(parse(zeros + "}/1").elements.size(), 0u);
	EXPECT_EQ(refusal(zeros + ",1:0}/1"), limit);
	EXPECT_EQ(parse(zeros + ",1:0}/1").status.code, Code::limit_exceeded);
	EXPECT_EQ(refusal(std::string(kMaxSparseElements, ',')), limit);
	EXPECT_EQ(refusal(std::string(kMaxSparseElements - 1, ',')),
			  syntax(std::string(kMaxSparseElements - 1, ',')).substr(0, sizeof(Status::message) - 1) +
				  " | Vector contents must start with \"{\".");
	Elements most;
	for (std::int32_t i = 0; i < kMaxSparseElements; i++)
		most.emplace_back(i * 1000, -1.17549435e-38f);
	EXPECT_EQ(parse(print(1000000000, most)).elements, most);
}

TEST(SparsevecText, WhatIsPrintedReadsBack)
{
	std::mt19937_64 random(7);
	Elements elements;
	std::int32_t index = -1;
	while (elements.size() < 8000)
	{
		float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
		if (!std::isfinite(value) || value == 0.0f)
			continue;
		elements.emplace_back(index += 1 + static_cast<std::int32_t>(random() % 100000), value);
	}
	Parsed back = parse(print(1000000000, elements));
	EXPECT_EQ(back.elements, elements);
	EXPECT_EQ(back.dims, 1000000000);
}

TEST(SparsevecText, WholeNumbersArePrintedWithoutAPoint)
{
	for (std::size_t n : {1u, 15u, 16u, 17u, 40u})
		for (std::size_t other : {n, std::size_t{0}, n / 2})
		{
			Elements elements;
			std::string want = "{";
			for (std::size_t i = 0; i < n; i++)
			{
				auto whole = static_cast<std::int32_t>(i * i * i * 17 % 999999 + 1) * (i % 3 == 0 ? -1 : 1);
				elements.emplace_back(static_cast<std::int32_t>(i * 7), i == other ? 1e6f : static_cast<float>(whole));
				want += std::to_string(i * 7 + 1) + ":" + (i == other ? "1e+06" : std::to_string(whole)) + ",";
			}
			want.back() = '}';
			EXPECT_EQ(print(1000, elements), want + "/1000");
		}
}

TEST(SparsevecText, Printed)
{
	EXPECT_EQ(print(5, {}), "{}/5");
	EXPECT_EQ(print(1000000000, {{0, 1.0f}, {9, -25.0f}, {99999998, 0.5f}, {99999999, 999999.0f}, {999999999, -1.0f}}),
			  "{1:1,10:-25,99999999:0.5,100000000:999999,1000000000:-1}/1000000000");
}

/* The digits of std::to_chars in scientific form, which are the shortest, save where only the end of the interval is
 * shorter; the form is PostgreSQL's, that of %g. All floats were compared with the server's printer once. */
TEST(FloatText, ShortestDigitsThatReadBack)
{
	std::mt19937_64 random(13);
	std::vector<float> values = {1.0f,
								 -1.0f,
								 0.5f,
								 0.1f,
								 3.0f,
								 16777216.0f,
								 999999.0f,
								 999999.94f,
								 1e6f,
								 1e-4f,
								 9.9999994e-5f,
								 0.0f,
								 -0.0f,
								 123456.7f,
								 1e-45f,
								 1.17549435e-38f,
								 1.17549421e-38f,
								 3.4028235e38f,
								 2.5e-5f,
								 8388608.0f,
								 33554432.0f};
	while (values.size() % kTextBlock != 0 || values.size() < 200000)
	{
		float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
		if (values.size() % 3 == 0)
			value =
				std::ldexp(static_cast<float>(static_cast<std::int32_t>(random())), -static_cast<int>(random() % 40));
		if (values.size() % 3 == 1)
			value = static_cast<float>(static_cast<std::int32_t>(random() % 2000001) - 1000000) / 1000.0f;
		if (std::isfinite(value))
			values.push_back(value);
	}
	FloatDigits digits;
	for (std::size_t i = 0; i < values.size(); i++)
	{
		if (i % kTextBlock == 0)
			float_digits(values.data() + i, digits);
		char out[kFloatTextRoom], shortest[32];
		std::string text(out, put_float(out, values[i], digits, i % kTextBlock));
		ASSERT_LE(text.size(), 15u);
		ASSERT_EQ(std::bit_cast<std::uint32_t>(std::strtof(text.c_str(), nullptr)),
				  std::bit_cast<std::uint32_t>(values[i]))
			<< text;
		/* Digits alone, without zeros at either end. */
		auto digits_of = [](const std::string &number) {
			std::string found;
			for (char c : number.substr(0, number.find('e')))
				if (c >= '0' && c <= '9')
					found += c;
			found.erase(0, std::min(found.find_first_not_of('0'), found.size()));
			found.erase(found.find_last_not_of('0') + 1);
			return found;
		};
		std::string want(shortest,
						 std::to_chars(shortest, shortest + 32, values[i], std::chars_format::scientific).ptr);
		ASSERT_LE(digits_of(want).size(), digits_of(text).size()) << text;
		double magnitude = std::fabs(std::strtod(text.c_str(), nullptr));
		ASSERT_EQ(text.find('e') != std::string::npos, magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e6))
			<< text;
	}
}

TEST(FloatText, SuccessorsOfIntegers)
{
	std::mt19937_64 random(17);
	std::vector<std::int32_t> n = {0,         8,         9,         98,         99,   99999998, 99999999,
								   100000000, 999999998, 999999999, 1000000000, 9998, 9999};
	while (n.size() % kTextBlock != 0 || n.size() < 100000)
		n.push_back(static_cast<std::int32_t>((random() >> 33) >> (random() % 31)) % 1000000001);
	IntegerDigits digits;
	for (std::size_t i = 0; i < n.size(); i++)
	{
		if (i % kTextBlock == 0)
			successor_digits(n.data() + i, digits);
		char out[16];
		ASSERT_EQ(std::string(out, put_integer(out, digits, i % kTextBlock)), std::to_string(n[i] + 1));
	}
}

TEST(SparsevecText, IntegersAreThoseOfTheLibrary)
{
	std::mt19937_64 random(11);
	auto expect_printed = [](std::int32_t n) {
		char out[16];
		ASSERT_EQ(std::string(out, print_integer(n, out)), std::to_string(n));
	};
	for (std::int32_t n : {0, 1, -1, 9, 10, 99, 100, 99999999, 100000000, 999999999, 1000000000, INT32_MAX, INT32_MIN})
		expect_printed(n);
	for (std::int32_t n = 0; n < 20000; n++)
		expect_printed(n);
	for (int i = 0; i < 200000; i++)
		expect_printed(static_cast<std::int32_t>(random()) >> (random() % 32));
}

/* --- wire --- */

std::vector<std::uint8_t>
wire(std::int32_t dims, std::int32_t count, std::int32_t unused, const std::vector<std::int32_t> &indices,
	 const std::vector<float> &values)
{
	std::vector<std::uint8_t> bytes;
	auto put = [&](std::uint32_t word) {
		for (int shift = 24; shift >= 0; shift -= 8)
			bytes.push_back(static_cast<std::uint8_t>(word >> shift));
	};
	for (std::int32_t word : {dims, count, unused})
		put(static_cast<std::uint32_t>(word));
	for (std::int32_t index : indices)
		put(static_cast<std::uint32_t>(index));
	for (float value : values)
		put(std::bit_cast<std::uint32_t>(value));
	return bytes;
}

std::string
decode(const std::vector<std::uint8_t> &message, std::int32_t expected = -1, Elements *elements = nullptr)
{
	std::span<const std::uint8_t> bytes(message);
	std::int32_t dims;
	int count;
	Status status = decode_sparsevec_wire_header(bytes, expected, dims, count);
	if (!status.ok())
		return status.message;
	bytes = bytes.subspan(kSparsevecWireHeaderBytes);
	std::vector<std::int32_t> indices(static_cast<std::size_t>(count));
	std::vector<float> values(indices.size());
	status = decode_sparsevec_wire_indices(bytes, dims, indices);
	if (!status.ok())
		return status.message;
	status = decode_sparsevec_wire_values(bytes.subspan(indices.size() * 4), values);
	if (!status.ok())
		return status.message;
	std::vector<std::uint8_t> again(message.size());
	encode_sparsevec_wire(dims, 0, indices, values, again);
	EXPECT_EQ(again, message);
	for (std::size_t i = 0; elements != nullptr && i < indices.size(); i++)
		elements->emplace_back(indices[i], values[i]);
	return "";
}

TEST(SparsevecWire, RoundTrip)
{
	Elements elements;
	EXPECT_EQ(decode(wire(5, 2, 0, {0, 4}, {1.5f, -1e-45f}), 5, &elements), "");
	EXPECT_EQ(elements, (Elements{{0, 1.5f}, {4, -1e-45f}}));
	EXPECT_EQ(decode(wire(1000000000, 0, 0, {}, {})), "");
	EXPECT_EQ(decode(wire(1000000000, 1, 0, {999999999}, {3e38f})), "");
}

TEST(SparsevecWire, Errors)
{
	EXPECT_EQ(decode(wire(0, -1, 1, {}, {})), "sparsevec must have at least 1 dimension");
	EXPECT_EQ(decode(wire(-5, 0, 0, {}, {})), "sparsevec must have at least 1 dimension");
	EXPECT_EQ(decode(wire(1000000001, 0, 0, {}, {})), "sparsevec cannot have more than 1000000000 dimensions");
	EXPECT_EQ(decode(wire(5, -1, 1, {}, {})), "sparsevec cannot have negative number of elements");
	EXPECT_EQ(decode(wire(5, 16001, 1, {}, {})), "sparsevec cannot have more than 16000 non-zero elements");
	EXPECT_EQ(decode(wire(5, 6, 1, {}, {}), 4), "sparsevec cannot have more elements than dimensions");
	EXPECT_EQ(decode(wire(5, 0, 1, {}, {}), 4), "expected 4 dimensions, not 5");
	EXPECT_EQ(decode(wire(5, 0, -3, {}, {})), "expected unused to be 0, not -3");
	EXPECT_EQ(decode(wire(5, 1, 0, {5}, {1})), "sparsevec index out of bounds");
	EXPECT_EQ(decode(wire(5, 1, 0, {-1}, {1})), "sparsevec index out of bounds");
	EXPECT_EQ(decode(wire(5, 2, 0, {2, 1}, {1, 1})), "sparsevec indices must be in ascending order");
	EXPECT_EQ(decode(wire(5, 2, 0, {2, 2}, {1, 1})), "sparsevec indices must not contain duplicates");
	EXPECT_EQ(decode(wire(5, 2, 0, {1, 2}, {INFINITY, NAN})), "infinite value not allowed in sparsevec");
	EXPECT_EQ(decode(wire(5, 2, 0, {1, 2}, {NAN, INFINITY})), "NaN not allowed in sparsevec");
	const std::string zero = "binary representation of sparsevec cannot contain zero values";
	EXPECT_EQ(decode(wire(5, 2, 0, {1, 2}, {0, NAN})), zero);
	EXPECT_EQ(decode(wire(5, 2, 0, {1, 2}, {NAN, 0})), "NaN not allowed in sparsevec");
	EXPECT_EQ(decode(wire(5, 1, 0, {1}, {-0.0f})), zero);
	std::vector<std::uint8_t> message = wire(5, 2, 0, {1, 2}, {1, 2});
	for (std::size_t cut = 0; cut < message.size(); cut++)
		EXPECT_EQ(decode({message.begin(), message.begin() + static_cast<std::ptrdiff_t>(cut)}),
				  "insufficient data left in message");
}

}  // namespace
