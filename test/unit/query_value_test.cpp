/* SPDX-License-Identifier: PostgreSQL
 * Text and wire form of query values: what is printed reads back the same; what is not a query is refused.
 */
#include "vecdb/query/value.hpp"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace vecdb::core;
using namespace vecdb::core::query;
using vecdb::core::distance::Metric;

namespace
{

struct Value
{
	QueryHead head;
	std::vector<float> words;  // 4-byte aligned
	std::size_t used;
	Status status;

	const char *
	examples() const
	{
		return reinterpret_cast<const char *>(words.data());
	}
};

Value
parse(const std::string &text)
{
	Value v;
	v.words.resize(query_data_bound(text.size()) / 4 + 1);
	v.status = parse_query_text(
		text, v.head, std::span(reinterpret_cast<char *>(v.words.data()), query_data_bound(text.size())), v.used);
	return v;
}

std::string
print(const Value &v)
{
	std::string out(query_text_bound(v.used, example_count(formula_of(v.head))), '\0');
	out.resize(print_query_text(v.head, v.examples(), out.data()));
	return out;
}

std::string
wire(const Value &v)
{
	std::string out(kQueryWireHeadBytes + v.used, '\0');
	encode_query_wire(v.head, v.examples(), reinterpret_cast<std::uint8_t *>(out.data()));
	return out;
}

Value
decode(const std::string &bytes)
{
	Value v;
	v.words.resize(bytes.size() / 4 + 1);
	v.status = decode_query_wire(std::span(reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size()), v.head,
								 std::span(reinterpret_cast<char *>(v.words.data()), bytes.size()), v.used);
	return v;
}

const char *const kTexts[] = {
	R"({"kind":"average","metric":"l2","vector":[1,-2.5,3e+30]})",
	R"({"kind":"best_score","metric":"cosine","positive":[[1,0],[0,1]],"negative":[]})",
	R"({"kind":"best_score","metric":"l1","positive":[],"negative":[[1,0]]})",
	R"({"kind":"sum_scores","metric":"cosine","scale":1.25,"positive":[[0,1]],"negative":[]})",
	R"({"kind":"discover","metric":"inner_product","target":[1,2],"pairs":[[[1,0],[0,1]],[[3,4],[5,6]]]})",
	R"({"kind":"discover","metric":"l2","target":[1,2],"pairs":[]})",
	R"({"kind":"context","metric":"l2","pairs":[["{}/7","{2:1.5,7:-3}/7"]]})",
};

}  // namespace

TEST(QueryValue, TextReadsBack)
{
	for (const char *text : kTexts)
	{
		Value v = parse(text);
		ASSERT_TRUE(v.status.ok()) << text << ": " << v.status.message << " " << v.status.detail;
		EXPECT_EQ(print(v), text);
	}
}

TEST(QueryValue, WireReadsBack)
{
	for (const char *text : kTexts)
	{
		Value v = parse(text);
		std::string bytes = wire(v);
		Value again = decode(bytes);
		ASSERT_TRUE(again.status.ok()) << text << ": " << again.status.message;
		EXPECT_EQ(print(again), text);
		EXPECT_EQ(wire(again), bytes);
		for (std::size_t n = 0; n < bytes.size(); n++)
			EXPECT_FALSE(decode(bytes.substr(0, n)).status.ok()) << text << " cut at " << n;
		EXPECT_FALSE(decode(bytes + "x").status.ok());
	}
}

TEST(QueryValue, KeysInAnyOrderAndSpace)
{
	Value v = parse(" { \"vector\" : [ 1 , 2 ] , \"metric\" : \"Euclidean\", \"kind\":\"average\" } ");
	ASSERT_TRUE(v.status.ok()) << v.status.detail;
	EXPECT_EQ(print(v), R"({"kind":"average","metric":"l2","vector":[1,2]})");
}

TEST(QueryValue, UnitLengthUnderCosine)
{
	Value v = parse(R"({"kind":"average","metric":"cosine","vector":[3,4]})");
	ASSERT_TRUE(v.status.ok());
	EXPECT_EQ(print(v), R"({"kind":"average","metric":"cosine","vector":[0.6,0.8]})");
	EXPECT_EQ(print(parse(print(v))), print(v));
}

TEST(QueryValue, WhatIsNoQueryIsRefused)
{
	const char *const texts[] = {
		"",
		"{",
		"{}",
		"[]",
		"null",
		"{\"kind\"}",
		R"({"kind":"average"})",
		R"({"kind":1,"metric":"l2"})",
		R"({"kind":"average","metric":"l2"})",
		R"({"kind":"average","metric":"l2","vector":[1,2]} x)",
		R"({"kind":"average","metric":"l2","vector":[1,2],"vector":[1,2]})",
		R"({"kind":"average","metric":"l2","vector":[1,2],"scale":2})",
		R"({"kind":"average","metric":"hamming","vector":[1,2]})",
		R"({"kind":"average","metric":"l2","vector":[]})",
		R"({"kind":"average","metric":"l2","vector":[nan]})",
		R"({"kind":"average","metric":"l2","vector":[1,2)",
		R"({"kind":"average","metric":"cosine","vector":[0,0]})",
		R"({"kind":"best_score","metric":"l2","positive":[],"negative":[]})",
		R"({"kind":"best_score","metric":"l2","positive":[[1]],"negative":[[1,2]]})",
		R"({"kind":"best_score","metric":"l2","positive":[[1]],"negative":["{}/1"]})",
		R"({"kind":"best_score","metric":"l2","positive":[[1],],"negative":[]})",
		R"({"kind":"best_score","metric":"l2","positive":[[1]][],"negative":[]})",
		R"({"kind":"sum_scores","metric":"l2","scale":0,"positive":[[1]],"negative":[]})",
		R"({"kind":"sum_scores","metric":"l2","scale":-1,"positive":[[1]],"negative":[]})",
		R"({"kind":"sum_scores","metric":"l2","scale":nan,"positive":[[1]],"negative":[]})",
		R"({"kind":"context","metric":"l2","pairs":[]})",
		R"({"kind":"context","metric":"l2","pairs":[[[1]]]})",
		R"({"kind":"context","metric":"l2","pairs":[[[1],[2],[3]]]})",
		R"({"kind":"context","metric":"l2","pairs":[[1],[2]]})",
	};
	for (const char *text : texts)
		EXPECT_FALSE(parse(text).status.ok()) << text;
}

TEST(QueryValue, TooManyExamples)
{
	std::string list = "[1]";
	for (std::uint32_t i = 0; i < kMaxExamples; i++)
		list += ",[1]";
	Value v = parse(R"({"kind":"best_score","metric":"l2","positive":[)" + list + R"(],"negative":[]})");
	EXPECT_EQ(v.status.code, Code::limit_exceeded);
	list.resize(list.size() - 4);
	v = parse(R"({"kind":"best_score","metric":"l2","positive":[)" + list + R"(],"negative":[]})");
	EXPECT_TRUE(v.status.ok());
	v = parse(R"({"kind":"best_score","metric":"l2","positive":[)" + list + R"(],"negative":[[1]]})");
	EXPECT_EQ(v.status.code, Code::limit_exceeded);
}
