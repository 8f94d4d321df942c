/* SPDX-License-Identifier: PostgreSQL
 * The pure parts of filters: keys, date-times, places.
 */
#include "vecdb/query/date_time.hpp"
#include "vecdb/query/field_path.hpp"
#include "vecdb/query/geo.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

using namespace vecdb::core::query;

static std::string
spelled(std::string_view text)
{
	PathStep steps[4];
	FieldPath path = parse_field_path(text, steps);
	if (path.error != PathError::none)
		return (path.error == PathError::syntax ? "syntax " : "too long ") + std::to_string(path.at);
	std::string out;
	for (std::uint32_t i = 0; i < path.count; i++)
	{
		if (steps[i].kind == PathStep::Kind::name)
			out += '<' + std::string(steps[i].name) + '>';
		else
			out += steps[i].kind == PathStep::Kind::all ? "[*]" : '[' + std::to_string(steps[i].index) + ']';
	}
	return out;
}

TEST(FieldPath, Steps)
{
	EXPECT_EQ(spelled("a"), "<a>");
	EXPECT_EQ(spelled("a.b[0][].c"), "too long 9");
	EXPECT_EQ(spelled("a.b[0].c"), "<a><b>[0]<c>");
	EXPECT_EQ(spelled("a[][2147483647]"), "<a>[*][2147483647]");
	EXPECT_EQ(spelled("\"we.ird[]\".b"), "<we.ird[]><b>");
	EXPECT_EQ(spelled("\"\""), "<>");
	EXPECT_EQ(spelled("$ @'b"), "<$ @'b>");
	EXPECT_EQ(spelled("a\"b"), "<a\"b>");
}

TEST(FieldPath, WhatIsNone)
{
	for (std::string_view text : {"", ".", "a.", ".a", "a..b", "[0]", "[]", "a[", "a[1", "a[x]", "a[-1]", "a]", "\"a",
								  "\"a\"b", "a[2147483648]", "a[99999999999999999999]", "a[0]b", "a[] "})
		EXPECT_EQ(spelled(text).substr(0, 6), "syntax") << text;
	EXPECT_EQ(spelled("a..b"), "syntax 2");
}

static std::int64_t
time_of(std::string_view text)
{
	std::int64_t time = -1;
	return parse_date_time(text, time) ? time : INT64_MIN;
}

TEST(DateTime, Forms)
{
	constexpr std::int64_t kSecond = 1000000, kDay = 86400 * kSecond;
	EXPECT_EQ(time_of("2000-01-01"), 0);
	EXPECT_EQ(time_of("2000-03-01"), 60 * kDay);
	EXPECT_EQ(time_of("1970-01-01T00:00:00Z"), -10957 * kDay);
	EXPECT_EQ(time_of("1999-12-31T23:59"), -60 * kSecond);
	EXPECT_EQ(time_of("2000-01-01 00:00:01.5"), kSecond * 3 / 2);
	EXPECT_EQ(time_of("2000-01-01T00:00:00.0000019Z"), 1);
	EXPECT_EQ(time_of("2000-01-01T02:00:00+02:00"), 0);
	EXPECT_EQ(time_of("2000-01-01T02:00:00+0200"), 0);
	EXPECT_EQ(time_of("1999-12-31T20:30-0330"), 0);
	EXPECT_EQ(time_of("2000-01-01T00:00:60Z"), 60 * kSecond);
	EXPECT_EQ(time_of("0001-01-01"), -730119 * kDay);
	for (std::string_view text : {"",
								  "2000",
								  "2000-13-01",
								  "2000-00-01",
								  "2001-02-29",
								  "1900-02-29",
								  "2000-01-00",
								  "2000-01-01T",
								  "2000-01-01T1",
								  "2000-01-01T24:00",
								  "2000-01-01T00:60",
								  "2000-01-01T00:00:61",
								  "2000-01-01T00:00:00.",
								  "2000-01-01T00:00:00+",
								  "2000-01-01T00:00:00+24",
								  "2000-01-01T00:00Zx",
								  "+2000-01-01",
								  "2000-01-01X00:00",
								  "0000-01-01",
								  "20000-01-01"})
		EXPECT_EQ(time_of(text), INT64_MIN) << text;
}

TEST(DateTime, EveryDay)
{
	constexpr std::int64_t kDay = 86400000000;
	constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	std::int64_t expected = time_of("1890-01-01");
	for (int year = 1890; year < 2110; year++)
		for (int month = 1; month <= 12; month++)
		{
			bool leap = month == 2 && year % 4 == 0 && year != 1900 && year != 2100;
			for (int day = 1; day <= kDays[month - 1] + leap; day++, expected += kDay)
			{
				char text[40];
				std::snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
				ASSERT_EQ(time_of(text), expected) << text;
			}
		}
}

TEST(Geo, Distance)
{
	EXPECT_EQ(geo_distance({3, 4}, {3, 4}), 0);
	EXPECT_NEAR(geo_distance({0, 0}, {180, 0}), kEarthRadius * std::acos(-1.0), 1e-6);
	EXPECT_NEAR(geo_distance({0, 90}, {77, -90}), kEarthRadius * std::acos(-1.0), 1e-6);
	EXPECT_NEAR(geo_distance({179.5, 0}, {-179.5, 0}), kEarthRadius * std::acos(-1.0) / 180, 1e-6);
}

TEST(Geo, BoxAroundHoldsAllThatIsNear)
{
	std::mt19937 random(42);
	std::uniform_real_distribution<double> lon(-180, 180), lat(-90, 90), log_radius(0, 17);
	int inside = 0, tight = 0;
	for (int i = 0; i < 200000; i++)
	{
		GeoPoint center{lon(random), lat(random)}, low, high;
		double metres = std::exp(log_radius(random));
		tight += box_around(center, metres, low, high);
		/* A place near the circle. */
		double scale = metres / kEarthRadius * 60;
		GeoPoint p{center.lon +
					   (lon(random) / 180) * scale / std::max(0.01, std::cos(center.lat * 0.017453292519943295)),
				   center.lat + lat(random) / 90 * scale};
		if (!is_place(p) || geo_distance(center, p) >= metres)
			continue;
		inside++;
		ASSERT_TRUE(p.lon >= low.lon && p.lon <= high.lon && p.lat >= low.lat && p.lat <= high.lat)
			<< center.lon << ' ' << center.lat << ' ' << metres << ' ' << p.lon << ' ' << p.lat;
	}
	EXPECT_GT(inside, 20000);
	EXPECT_GT(tight, 50000);
}

/* By the angles that the edges turn as seen from the place. */
static bool
winds_around(GeoPoint p, const std::vector<GeoPoint> &ring)
{
	double turn = 0;
	for (std::size_t i = 0; i < ring.size(); i++)
	{
		GeoPoint a = ring[i], b = ring[(i + 1) % ring.size()];
		double x1 = a.lon - p.lon, y1 = a.lat - p.lat, x2 = b.lon - p.lon, y2 = b.lat - p.lat;
		turn += std::atan2(x1 * y2 - x2 * y1, x1 * x2 + y1 * y2);
	}
	return std::abs(turn) > 1;
}

TEST(Geo, RingAgainstAngles)
{
	std::mt19937 random(7);
	std::uniform_real_distribution<double> radius(1, 5), place(-5, 5);
	int inside = 0;
	for (int trial = 0; trial < 2000; trial++)
	{
		std::vector<GeoPoint> ring;
		for (int i = 0; i < 9; i++)
		{
			double angle = i * 0.69813170079773179, r = radius(random);
			ring.push_back({r * std::cos(angle), r * std::sin(angle)});
		}
		for (int i = 0; i < 20; i++)
		{
			GeoPoint p{place(random), place(random)};
			bool expected = winds_around(p, ring);
			inside += expected;
			ASSERT_EQ(in_ring(p, ring), expected);
		}
		std::vector<GeoPoint> closed = ring;
		closed.push_back(ring[0]);
		ASSERT_TRUE(in_ring({0, 0}, closed));
		ASSERT_FALSE(in_ring(ring[3], closed));
		ASSERT_TRUE(on_ring(ring[3], closed));
	}
	EXPECT_GT(inside, 5000);
}

TEST(Geo, RingOfWholeNumbers)
{
	const GeoPoint ring[] = {{0, 0}, {4, 0}, {4, 4}, {2, 2}, {0, 4}, {0, 0}};
	EXPECT_TRUE(in_ring({1, 1}, ring));
	EXPECT_TRUE(in_ring({2, 1}, ring));   // level with no corner, below one
	EXPECT_FALSE(in_ring({2, 2}, ring));  // a corner
	EXPECT_FALSE(in_ring({2, 3}, ring));
	EXPECT_FALSE(in_ring({2, 0}, ring));  // an edge
	EXPECT_FALSE(in_ring({5, 2}, ring));
	EXPECT_TRUE(in_ring({1, 2}, ring));  // level with a corner
}

TEST(Geo, Box)
{
	EXPECT_TRUE(in_box({1, 1}, {0, 2}, {2, 0}));
	EXPECT_FALSE(in_box({0, 1}, {0, 2}, {2, 0}));
	EXPECT_FALSE(in_box({1, 2}, {0, 2}, {2, 0}));
	EXPECT_TRUE(in_box({-179, 1}, {170, 2}, {-170, 0}));
	EXPECT_FALSE(in_box({0, 1}, {170, 2}, {-170, 0}));
}
