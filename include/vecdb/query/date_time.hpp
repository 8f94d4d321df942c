/* SPDX-License-Identifier: PostgreSQL
 * Date-times of filters: RFC 3339 and the shorter forms that Qdrant takes, whatever the server's DateStyle and TimeZone.
 *
 * Regime: core.
 * 2024-01-31 | 2024-01-31[T ]12:30[:45[.123456]] [Z | +02 | +0200 | +02:00]; without a zone it is UTC. Digits after microseconds are cut.
 */
#pragma once

#include <cstdint>
#include <string_view>

namespace vecdb::core::query
{

/* Microseconds since 2000-01-01 00:00 UTC, as PostgreSQL counts. False: no date-time. Years 1 to 9999. */
bool parse_date_time(std::string_view text, std::int64_t &microseconds) noexcept;

}  // namespace vecdb::core::query
