/* SPDX-License-Identifier: PostgreSQL
 * Parse the text form of a sparse vector.
 *
 * Regime: core.
 * Keeps:  of several errors the one that pgvector reports: too many commas, then from left to right, then the number of
 *         dimensions, then positions in ascending order.
 */
#include "vecdb/codec/sparsevec_text.hpp"

#include "number.hpp"

namespace vecdb::core::codec
{

namespace
{

int
quoted_length(std::size_t length) noexcept
{
	return static_cast<int>(std::min<std::size_t>(length, sizeof(Status::message)));
}

Status
syntax_error(std::span<const char> text, ParsedSparsevec &parsed) noexcept
{
	parsed.quoted = std::string_view(text.data(), text.size());
	return Status::error(Code::invalid_text, "invalid input syntax for type sparsevec: \"%.*s\"",
						 quoted_length(text.size()), text.data());
}

Status
number_error(NumberKind kind, std::span<const char> text, const char *begin, const char *end,
			 ParsedSparsevec &parsed) noexcept
{
	switch (kind)
	{
		case NumberKind::overflow:
			parsed.quoted = std::string_view(begin, static_cast<std::size_t>(end - begin));
			return Status::error(Code::out_of_range, "\"%.*s\" is out of range for type sparsevec",
								 quoted_length(parsed.quoted.size()), begin);
		case NumberKind::nan: return Status::error(Code::invalid_data, "NaN not allowed in sparsevec");
		case NumberKind::infinite: return Status::error(Code::invalid_data, "infinite value not allowed in sparsevec");
		case NumberKind::finite:
		case NumberKind::none: break;
	}
	return syntax_error(text, parsed);
}

/* p: after the opening brace. Sets p past the closing one. */
Status
parse_elements(std::span<const char> text, const char *&p, SparseElement *out, ParsedSparsevec &parsed,
			   bool &ascending) noexcept
{
	const char *end = text.data() + text.size();
	std::int32_t last = INT32_MIN;
	int count = 0;
	p = skip_spaces(p, end);
	if (p != end && *p == '}')
	{
		p++;
		return Status::success();
	}
	for (;;)
	{
		p = skip_spaces(p, end);
		std::int32_t position;
		const char *after = parse_integer(p, end, position);
		if (after == p)
			return syntax_error(text, parsed);
		p = after;
		if (p == end || *p != ':')
		{
			p = skip_spaces(p, end);
			if (p == end || *p != ':')
				return syntax_error(text, parsed);
		}
		p = skip_spaces(p + 1, end);

		Number number = parse_number(p, end);
		if (number.underflow)
			number.kind = NumberKind::overflow;
		if (number.kind != NumberKind::finite)
			return number_error(number.kind, text, p, number.end, parsed);
		p = number.end;
		if (number.value != 0.0f)
		{
			/* The comma count bounds this; the codec does not rest on it. */
			if (count == kMaxSparseElements)
				return Status::error(Code::internal, "too many elements");
			std::int32_t index = position == INT32_MIN ? position : position - 1;
			ascending &= index > last;
			last = index;
			out[count++] = SparseElement{index, number.value};
			parsed.count = count;
		}

		if (p != end && *p == ',')
		{
			p++;
			continue;
		}
		p = skip_spaces(p, end);
		if (p == end || (*p != ',' && *p != '}'))
			return syntax_error(text, parsed);
		if (*p++ == '}')
			return Status::success();
	}
}

/* n < 10^8 as eight digits of a byte each, the first in the lowest byte. Two, four, then eight quotients at once. */
inline std::uint64_t
digits_of(std::uint32_t n) noexcept
{
	std::uint64_t fours = static_cast<std::uint64_t>(n % 10000) << 32 | n / 10000;
	std::uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x7f0000007f);
	std::uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
	std::uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000f000f000f000f);
	return tens | (twos - 10 * tens) << 8;
}

}  // namespace

Status
check_sparse_dimensions(std::int32_t dims) noexcept
{
	if (dims < 1)
		return Status::error(Code::invalid_data, "sparsevec must have at least 1 dimension");
	if (dims > kMaxSparseDimensions)
		return Status::error(Code::limit_exceeded, "sparsevec cannot have more than %d dimensions",
							 kMaxSparseDimensions);
	return Status::success();
}

Status
check_sparse_index(std::int32_t index, std::int32_t previous, std::int32_t dims) noexcept
{
	if (index < 0 || index >= dims)
		return Status::error(Code::invalid_data, "sparsevec index out of bounds");
	if (index < previous)
		return Status::error(Code::invalid_data, "sparsevec indices must be in ascending order");
	if (index == previous)
		return Status::error(Code::invalid_data, "sparsevec indices must not contain duplicates");
	return Status::success();
}

Status
parse_sparsevec_text(std::span<const char> text, std::int32_t expected_dims,
					 std::span<SparseElement, kMaxSparseElements> out, ParsedSparsevec &parsed) noexcept
{
	parsed = ParsedSparsevec{0, 0, {}};
	const char *end = text.data() + text.size();
	if (text.size() >= kMaxSparseElements &&
		std::count(text.data(), end, ',') >= static_cast<std::ptrdiff_t>(kMaxSparseElements))
		return Status::error(Code::limit_exceeded, "sparsevec cannot have more than %d non-zero elements",
							 kMaxSparseElements);

	const char *p = skip_spaces(text.data(), end);
	if (p == end || *p != '{')
		return syntax_error(text, parsed).with_detail("Vector contents must start with \"{\".");
	p++;
	bool ascending = true;
	Status status = parse_elements(text, p, out.data(), parsed, ascending);
	if (!status.ok())
		return status;

	p = skip_spaces(p, end);
	if (p == end || *p != '/')
		return syntax_error(text, parsed).with_detail("Unexpected end of input.");
	p = skip_spaces(p + 1, end);
	std::int32_t dims;
	const char *after = parse_integer(p, end, dims);
	if (after == p)
		return syntax_error(text, parsed);
	if (skip_spaces(after, end) != end)
		return syntax_error(text, parsed).with_detail("Junk after closing.");

	status = check_sparse_dimensions(dims);
	if (!status.ok())
		return status;
	if (expected_dims != -1 && expected_dims != dims)
		return Status::error(Code::invalid_data, "expected %d dimensions, not %d", expected_dims, dims);
	parsed.dims = dims;

	std::span<SparseElement> elements = out.first(static_cast<std::size_t>(parsed.count));
	if (!ascending)
		std::sort(elements.begin(), elements.end(),
				  [](const SparseElement &a, const SparseElement &b) { return a.index < b.index; });
	if (ascending && (elements.empty() || (elements.front().index >= 0 && elements.back().index < dims)))
		return Status::success();
	std::int32_t previous = -1;
	for (const SparseElement &element : elements)
	{
		status = check_sparse_index(element.index, previous, dims);
		if (!status.ok())
			return status;
		previous = element.index;
	}
	return Status::success();
}

char *
print_integer(std::int32_t n, char *out) noexcept
{
	std::uint32_t rest = static_cast<std::uint32_t>(n);
	if (n < 0)
	{
		*out++ = '-';
		rest = 0 - rest;
	}
	if (rest >= 100000000)
	{
		std::uint32_t high = rest / 100000000;
		rest %= 100000000;
		if (high >= 10)
			*out++ = static_cast<char>('0' + high / 10);
		*out++ = static_cast<char>('0' + high % 10);
		put_eight(out, digits_of(rest) + kEightZeros);
		return out + 8;
	}
	std::uint64_t digits = digits_of(rest);
	int leading = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;
	put_eight(out, (digits + kEightZeros) >> (8 * leading));
	return out + (8 - leading);
}

/* Word counts and the like: true when all kTextBlock floats are whole and below 10^6, and then digits has their magnitudes. */
static bool
whole_numbers(const float *x, IntegerDigits &digits) noexcept
{
	constexpr float kScientificFrom = 1e6f;
	std::int32_t before[kTextBlock];
	std::uint32_t others = 0;
	for (std::size_t i = 0; i < kTextBlock; i++)
	{
		float magnitude = std::fabs(x[i]) < kScientificFrom ? std::fabs(x[i]) : 0.5f;
		auto whole = static_cast<std::int32_t>(magnitude);
		others |= static_cast<float>(whole) != magnitude ? 1u : 0u;
		before[i] = whole - 1;
	}
	if (others == 0)
		successor_digits(before, digits);
	return others == 0;
}

char *
print_sparse_elements(std::span<const std::int32_t> indices, std::span<const float> values, char *out) noexcept
{
	FloatDigits numbers;
	IntegerDigits positions, counts;
	std::int32_t last_indices[kTextBlock] = {};
	float last_values[kTextBlock] = {};
	for (std::size_t done = 0; done < indices.size(); done += kTextBlock)
	{
		std::size_t count = std::min(kTextBlock, indices.size() - done);
		const std::int32_t *n = indices.data() + done;
		const float *x = values.data() + done;
		if (count < kTextBlock)
		{
			std::memcpy(last_indices, n, count * sizeof *n);
			std::memcpy(last_values, x, count * sizeof *x);
			n = last_indices;
			x = last_values;
		}
		successor_digits(n, positions);
		if (whole_numbers(x, counts))
		{
			for (std::size_t i = 0; i < count; i++)
			{
				out = put_integer(out, positions, i);
				*out++ = ':';
				*out = '-';
				out += std::bit_cast<std::uint32_t>(x[i]) >> 31;
				out = put_integer(out, counts, i);
				*out++ = ',';
			}
			continue;
		}
		float_digits(x, numbers);
		for (std::size_t i = 0; i < count; i++)
		{
			out = put_integer(out, positions, i);
			*out++ = ':';
			out = put_float(out, x[i], numbers, i);
			*out++ = ',';
		}
	}
	return out;
}

}  // namespace vecdb::core::codec
