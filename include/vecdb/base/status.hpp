/* SPDX-License-Identifier: PostgreSQL
 * The one error value of the pure core: a code, a message and a detail, as plain data.
 *
 * Regime: core. Trivially destructible, so a shell frame may hold one across an ereport.
 * The shell turns it into an ereport in pg/report.cpp; `code` picks the SQLSTATE there.
 */
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <type_traits>

namespace vecdb::core
{

enum class Code : std::uint8_t
{
	ok,
	out_of_memory,   // 53200
	cancelled,       // 57014, raised by CHECK_FOR_INTERRUPTS in the shell
	invalid_text,    // 22P02 invalid_text_representation
	out_of_range,    // 22003 numeric_value_out_of_range
	invalid_data,    // 22000 data_exception
	limit_exceeded,  // 54000 program_limit_exceeded
	corrupt,         // XX002 index_corrupted
	internal,        // XX000
};

struct Status
{
	Code code;
	char message[240];
	char detail[160];

	bool
	ok() const noexcept
	{
		return code == Code::ok;
	}

	static Status
	success() noexcept
	{
		Status s;
		s.code = Code::ok;
		s.message[0] = s.detail[0] = '\0';
		return s;
	}

	/* printf-style message, cut at the size of the field. */
	[[gnu::format(printf, 2, 3)]] static Status
	error(Code code, const char *format, ...) noexcept
	{
		Status s = success();
		s.code = code;
		va_list args;
		va_start(args, format);
		std::vsnprintf(s.message, sizeof s.message, format, args);
		va_end(args);
		return s;
	}

	static Status
	out_of_memory() noexcept
	{
		return error(Code::out_of_memory, "out of memory");
	}

	/* The same status with a DETAIL (a full sentence). */
	Status
	with_detail(const char *text) const noexcept
	{
		Status s = *this;
		std::snprintf(s.detail, sizeof s.detail, "%s", text);
		return s;
	}
};

static_assert(std::is_trivially_destructible_v<Status> && std::is_trivially_copyable_v<Status>);

}  // namespace vecdb::core
