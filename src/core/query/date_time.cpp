/* SPDX-License-Identifier: PostgreSQL
 * Regime: core.
 */
#include "vecdb/query/date_time.hpp"

namespace vecdb::core::query
{

static bool
is_digit(char c) noexcept
{
	return c >= '0' && c <= '9';
}

/* Takes exactly `digits` digits off the front. */
static bool
take_number(std::string_view &text, std::size_t digits, int &value) noexcept
{
	if (text.size() < digits)
		return false;
	value = 0;
	for (std::size_t i = 0; i < digits; i++)
	{
		if (!is_digit(text[i]))
			return false;
		value = value * 10 + (text[i] - '0');
	}
	text.remove_prefix(digits);
	return true;
}

static bool
take(std::string_view &text, char c) noexcept
{
	if (text.empty() || text.front() != c)
		return false;
	text.remove_prefix(1);
	return true;
}

/* Days from 2000-01-01 of a day in the proleptic Gregorian calendar. */
static std::int64_t
day_number(int year, int month, int day) noexcept
{
	/* A year that begins in March ends with the leap day. */
	std::int64_t y = year - (month <= 2);
	std::int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	constexpr std::int64_t kFirst = 730425;  // the same sum for 2000-01-01
	return days - kFirst;
}

static bool
take_date(std::string_view &text, std::int64_t &days) noexcept
{
	int year, month, day;
	if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) || !take(text, '-') ||
		!take_number(text, 2, day))
		return false;
	constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (year < 1 || month < 1 || month > 12 || day < 1)
		return false;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (day > kDays[month - 1] + (leap && month == 2))
		return false;
	days = day_number(year, month, day);
	return true;
}

/* Microseconds of 12:30[:45[.123456]]; a leap second is the first of the next minute. */
static bool
take_time(std::string_view &text, std::int64_t &microseconds) noexcept
{
	int hour, minute, second = 0, fraction = 0;
	if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute))
		return false;
	if (take(text, ':'))
	{
		if (!take_number(text, 2, second))
			return false;
		if (take(text, '.'))
		{
			if (text.empty() || !is_digit(text.front()))
				return false;
			for (int unit = 100000; !text.empty() && is_digit(text.front()); unit /= 10, text.remove_prefix(1))
				fraction += unit * (text.front() - '0');
		}
	}
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	microseconds = ((hour * 60 + minute) * std::int64_t{60} + second) * 1000000 + fraction;
	return true;
}

/* Minutes east of UTC. */
static bool
take_zone(std::string_view &text, int &minutes) noexcept
{
	minutes = 0;
	if (text.empty() || take(text, 'Z') || take(text, 'z'))
		return true;
	int sign = text.front() == '-' ? -1 : 1;
	int hour, minute = 0;
	if ((!take(text, '+') && !take(text, '-')) || !take_number(text, 2, hour))
		return false;
	if (!text.empty())
	{
		take(text, ':');
		if (!take_number(text, 2, minute))
			return false;
	}
	if (hour > 23 || minute > 59)
		return false;
	minutes = sign * (hour * 60 + minute);
	return true;
}

bool
parse_date_time(std::string_view text, std::int64_t &microseconds) noexcept
{
	constexpr std::int64_t kDay = 86400000000, kMinute = 60000000;
	std::int64_t days, time = 0;
	int zone = 0;
	if (!take_date(text, days))
		return false;
	if (!text.empty())
	{
		if (!take(text, 'T') && !take(text, 't') && !take(text, ' '))
			return false;
		if (!take_time(text, time) || !take_zone(text, zone) || !text.empty())
			return false;
	}
	microseconds = days * kDay + time - zone * kMinute;
	return true;
}

}  // namespace vecdb::core::query
