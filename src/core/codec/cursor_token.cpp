/* SPDX-License-Identifier: PostgreSQL
 * The cursor of vecdb.scroll, printed and read.
 *
 * Regime: core.
 */
#include "vecdb/codec/cursor_token.hpp"

#include <array>
#include <cstring>

namespace vecdb::core::codec
{

namespace
{

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kAmongNulls = 1;
constexpr std::size_t kHeaderBytes = 1 + 1 + 8 + 1;
constexpr std::size_t kChecksumBytes = 4;
constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256>
digit_values()
{
	std::array<std::int8_t, 256> values{};
	for (auto &value : values)
		value = -1;
	for (std::int8_t i = 0; i < 64; i++)
		values[static_cast<unsigned char>(kDigits[i])] = i;
	return values;
}

constexpr std::array<std::int8_t, 256> kDigitValues = digit_values();

constexpr std::size_t
length_bytes(std::size_t length)
{
	std::size_t bytes = 1;
	while (length >= 0x80)
	{
		length >>= 7;
		bytes++;
	}
	return bytes;
}

/* Bytes of the token before they become text; 0 where it cannot be one. */
std::size_t
binary_bytes(const CursorToken &token)
{
	if (token.count < 0 || token.count > kMaxCursorValues)
		return 0;
	std::size_t bytes = kHeaderBytes + kChecksumBytes;
	for (int i = 0; i < token.count; i++)
	{
		std::string_view value = token.values[i];
		if (value.size() > kMaxCursorValueBytes || value.find('\0') != std::string_view::npos)
			return 0;
		bytes += length_bytes(value.size()) + value.size();
	}
	return bytes <= kMaxCursorBytes / 4 * 3 ? bytes : 0;
}

/* Digits of base64 as bytes come; sums them up on the way. */
class Printer
{
public:
	explicit Printer(char *out) noexcept : out_(out)
	{
	}

	void
	put(std::uint8_t byte) noexcept
	{
		hash_ = cursor_hash(hash_, {&byte, 1});
		emit(byte);
	}

	void
	put(std::string_view bytes) noexcept
	{
		for (char c : bytes)
			put(static_cast<std::uint8_t>(c));
	}

	void
	finish() noexcept
	{
		auto sum = static_cast<std::uint32_t>(hash_ ^ hash_ >> 32);
		for (int i = 0; i < 4; i++)
			emit(static_cast<std::uint8_t>(sum >> (8 * i)));
		if (held_bits_ > 0)
			*out_++ = kDigits[held_ << (6 - held_bits_) & 63];
	}

private:
	void
	emit(std::uint8_t byte) noexcept
	{
		held_ = (held_ << 8 | byte) & 0xffff;
		held_bits_ += 8;
		while (held_bits_ >= 6)
		{
			held_bits_ -= 6;
			*out_++ = kDigits[held_ >> held_bits_ & 63];
		}
	}

	char *out_;
	std::uint32_t held_ = 0;
	int held_bits_ = 0;
	std::uint64_t hash_ = 0;
};

/* Digits to bytes; the number of bytes, or 0 for what no printer writes. */
std::size_t
read_digits(std::span<const char> text, char *out)
{
	std::uint32_t held = 0;
	int held_bits = 0;
	std::size_t bytes = 0;
	for (char c : text)
	{
		int digit = kDigitValues[static_cast<unsigned char>(c)];
		if (digit < 0)
			return 0;
		held = (held << 6 | static_cast<std::uint32_t>(digit)) & 0xffff;
		held_bits += 6;
		if (held_bits < 8)
			continue;
		held_bits -= 8;
		out[bytes++] = static_cast<char>(held >> held_bits & 0xff);
	}
	/* A digit that gave no bit, or bits that no printer sets. */
	return held_bits < 6 && (held & ((1U << held_bits) - 1)) == 0 ? bytes : 0;
}

struct Reader
{
	const char *at;
	const char *end;

	bool
	byte(std::uint8_t &value) noexcept
	{
		if (at == end)
			return false;
		value = static_cast<std::uint8_t>(*at++);
		return true;
	}

	bool
	value(std::string_view &value) noexcept
	{
		std::size_t length = 0;
		std::uint8_t part = 0x80;
		for (int shift = 0; (part & 0x80) != 0; shift += 7)
		{
			if (shift > 21 || !byte(part) || (shift > 0 && part == 0))
				return false;
			length |= static_cast<std::size_t>(part & 0x7f) << shift;
		}
		if (length > kMaxCursorValueBytes || length > static_cast<std::size_t>(end - at))
			return false;
		value = std::string_view(at, length);
		at += length;
		return value.find('\0') == std::string_view::npos;
	}
};

}  // namespace

std::uint64_t
cursor_hash(std::uint64_t hash, std::span<const std::uint8_t> bytes) noexcept
{
	/* FNV-1a with the bits folded back, as its low bits alone see little of the high ones. */
	hash ^= 0xcbf29ce484222325U;
	for (std::uint8_t byte : bytes)
	{
		hash = (hash ^ byte) * 0x100000001b3U;
		hash ^= hash >> 29;
	}
	return hash;
}

std::size_t
cursor_token_bytes(const CursorToken &token) noexcept
{
	return (binary_bytes(token) * 4 + 2) / 3;
}

void
print_cursor_token(const CursorToken &token, std::span<char> out) noexcept
{
	Printer printer(out.data());
	printer.put(kVersion);
	printer.put(token.among_nulls ? kAmongNulls : 0);
	for (int i = 0; i < 8; i++)
		printer.put(static_cast<std::uint8_t>(token.scope >> (8 * i)));
	printer.put(static_cast<std::uint8_t>(token.count));
	for (int i = 0; i < token.count; i++)
	{
		std::size_t length = token.values[i].size();
		for (; length >= 0x80; length >>= 7)
			printer.put(static_cast<std::uint8_t>(length | 0x80));
		printer.put(static_cast<std::uint8_t>(length));
		printer.put(token.values[i]);
	}
	printer.finish();
}

bool
parse_cursor_token(std::span<const char> text, std::span<char> buffer, CursorToken &token) noexcept
{
	token = CursorToken{};
	if (text.size() > kMaxCursorBytes || buffer.size() < text.size())
		return false;
	std::size_t bytes = read_digits(text, buffer.data());
	if (bytes < kHeaderBytes + kChecksumBytes)
		return false;
	Reader reader{buffer.data(), buffer.data() + bytes - kChecksumBytes};
	std::uint64_t hash = 0;
	for (const char *at = reader.at; at < reader.end; at++)
	{
		auto byte = static_cast<std::uint8_t>(*at);
		hash = cursor_hash(hash, {&byte, 1});
	}
	auto sum = static_cast<std::uint32_t>(hash ^ hash >> 32);
	for (int i = 0; i < 4; i++)
		if (static_cast<std::uint8_t>(reader.end[i]) != static_cast<std::uint8_t>(sum >> (8 * i)))
			return false;

	std::uint8_t version = 0, flags = 0, part = 0, count = 0;
	if (!reader.byte(version) || version != kVersion || !reader.byte(flags) || (flags & ~kAmongNulls) != 0)
		return false;
	for (int i = 0; i < 8; i++)
	{
		if (!reader.byte(part))
			return false;
		token.scope |= static_cast<std::uint64_t>(part) << (8 * i);
	}
	if (!reader.byte(count) || count > kMaxCursorValues)
		return false;
	token.among_nulls = flags != 0;
	token.count = count;
	for (int i = 0; i < token.count; i++)
		if (!reader.value(token.values[i]))
			return false;
	return reader.at == reader.end;
}

}  // namespace vecdb::core::codec
