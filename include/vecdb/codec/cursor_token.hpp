/* SPDX-License-Identifier: PostgreSQL
 * The cursor of vecdb.scroll as text: where a walk stands, to be handed out and taken back.
 *
 * Regime: core. Reading is total: any bytes give a token or false, and nothing past the span is read.
 * Form:   base64url without padding of: version (1 byte), flags (1), scope (8, little-endian), number of values (1), the values
 *         (length as LEB128 of at most 4 bytes, then bytes without a zero), checksum of all before (4).
 * Keeps:  one form for one token: what reads well prints as it was. The checksum tells a token that was cut or mistyped. It is no
 *         signature: whoever reads a token must expect that its values were made up.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vecdb::core::codec
{

/* The order value and the columns of a key: INDEX_MAX_KEYS of them. */
constexpr int kMaxCursorValues = 33;
constexpr std::size_t kMaxCursorValueBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxCursorBytes = std::size_t{4} << 20;  // of a token as text

struct CursorToken
{
	std::uint64_t scope;  // what walk it belongs to: equal for equal relation, key, order and filter
	bool among_nulls;     // the order value is NULL: values are those of the key alone
	int count;
	std::string_view values[kMaxCursorValues];
};

/* A hash of bytes that goes on from another: for scopes. Not for secrets. */
std::uint64_t cursor_hash(std::uint64_t hash, std::span<const std::uint8_t> bytes) noexcept;

/* Bytes of the token as text, without a terminating zero; 0 where it is too large, has too many values or a value with a zero in it. */
std::size_t cursor_token_bytes(const CursorToken &token) noexcept;

/* Prints to out, of cursor_token_bytes(token) bytes, not 0. */
void print_cursor_token(const CursorToken &token, std::span<char> out) noexcept;

/* Values point into buffer, of text.size() bytes or more. False where the text is no token. */
bool parse_cursor_token(std::span<const char> text, std::span<char> buffer, CursorToken &token) noexcept;

}  // namespace vecdb::core::codec
