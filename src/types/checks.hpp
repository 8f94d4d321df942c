/* SPDX-License-Identifier: PostgreSQL
 * What the vector types refuse in the same words: dimensions, type modifiers, text. `type` is the name in the message.
 *
 * Regime: shell.
 */
#pragma once

#include <string_view>

#include "pg/postgres.hpp"

#include "vecdb/base/status.hpp"

namespace vecdb
{

inline namespace types
{

/* 22000 below 1 dimension, 54000 above most. */
void check_dimensions(const char *type, int dim, int most);

/* 22000 unless a and b are equal. */
void check_equal_dimensions(const char *type, int a, int b);

/* 22000 unless typmod is -1 or equals dim. */
void check_expected_dimensions(int32 typmod, int dim);

/* Body of a type's typmod_in: the one modifier, 22023 unless it is of 1 to most dimensions. */
Datum dimensions_typmod(FunctionCallInfo fcinfo, const char *type, int most);

/* Of status, not ok, of the text parser: 22P02, 22003 (both quote the input in full; a Status would cut it) or as it says. */
void report_text_error(const char *type, const core::Status &status, std::string_view quoted);

}  // namespace types
}  // namespace vecdb
