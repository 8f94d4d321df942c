/* SPDX-License-Identifier: PostgreSQL
 * The value of the SQL type vecdb.query: a head and the examples behind it; its text and its wire form.
 *
 * Regime: core. Parsing and decoding are total: any bytes give a value or a Status, and nothing past the span is read.
 * Text:   JSON; {"kind":"best_score","metric":"cosine","positive":[[1,0]],"negative":[]}. Keys may come in any order. average has
 *         "vector"; discover "target" and "pairs", [[positive,negative],...]; context "pairs"; sum_scores a "scale" too where it is not 1.
 *         Sparse examples are strings: "{1:0.5}/3".
 * Wire:   uint8 version, kind, metric, form; int32 dims, positives, negatives; float64 scale; then the examples: float32 elements,
 *         or int32 count, int32 indices from 0, float32 values; big-endian.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vecdb/base/status.hpp"
#include "vecdb/distance/metric.hpp"
#include "vecdb/query/score.hpp"

namespace vecdb::core::query
{

/* Stored: never renumber. */
enum class Form : std::uint8_t
{
	dense = 1,   // dims float32 elements
	sparse = 2,  // int32 count, then so many indices from 0, ascending, then so many values
};

constexpr std::uint8_t kQueryVersion = 1;
constexpr std::uint32_t kMaxExamples = 4096;

/* As a varlena of the server begins, uncompressed. Under cosine the examples are of unit length. */
struct QueryHead
{
	std::uint32_t varlena;  // the server's
	std::uint8_t version;
	std::uint8_t kind;    // Kind
	std::uint8_t metric;  // distance::Metric, of floats
	std::uint8_t form;    // Form
	std::int32_t dims;
	std::int32_t positives;  // as in Formula
	std::int32_t negatives;
	std::int32_t unused;  // 0
	double scale;
};

static_assert(sizeof(QueryHead) == 32 && offsetof(QueryHead, dims) == 8 && offsetof(QueryHead, scale) == 24);

inline Formula
formula_of(const QueryHead &head) noexcept
{
	return Formula{static_cast<Kind>(head.kind), static_cast<std::uint32_t>(head.positives),
				   static_cast<std::uint32_t>(head.negatives), head.scale};
}

/* One example, where it lies. */
struct Example
{
	std::int32_t count;           // elements, of sparse ones those that are not 0
	const std::int32_t *indices;  // null where dense
	const float *values;
	const char *next;  // the one behind it
};

inline Example
example_at(const QueryHead &head, const char *at) noexcept
{
	if (static_cast<Form>(head.form) == Form::dense)
		return Example{head.dims, nullptr, reinterpret_cast<const float *>(at),
					   at + static_cast<std::size_t>(head.dims) * sizeof(float)};
	std::int32_t count;
	__builtin_memcpy(&count, at, sizeof count);
	const auto *indices = reinterpret_cast<const std::int32_t *>(at + sizeof count);
	const auto *values = reinterpret_cast<const float *>(indices + count);
	return Example{count, indices, values, reinterpret_cast<const char *>(values + count)};
}

/* invalid_data (or limit_exceeded) unless kind, metric, form, dimensions and counts go together. */
Status check_head(const QueryHead &head) noexcept;

/* In any case: cosine; dot, ip, inner_product; l2, euclid, euclidean; l1, manhattan. */
bool metric_by_name(std::string_view name, distance::Metric &metric) noexcept;

/* average_vector, best_score, sum_scores; nullptr-terminated C strings are for messages. */
bool strategy_by_name(std::string_view name, Kind &kind) noexcept;

/* Makes x of length 1; false where it is 0. What is of that length already, but for rounding, stays as it is. */
bool make_unit(float *x, std::size_t n) noexcept;

/* --- text --- */

/* Bytes of examples that a text of so many bytes can have. */
constexpr std::size_t
query_data_bound(std::size_t text_bytes) noexcept
{
	return 2 * text_bytes + 64;
}

/*
 * examples: 4-byte aligned, query_data_bound(text.size()) bytes; used: those that were written. Errors: invalid_text, or those of
 * the types' own parsers.
 */
Status parse_query_text(std::string_view text, QueryHead &head, std::span<char> examples, std::size_t &used) noexcept;

/* Bytes that hold the text of a value with so many bytes of examples, with the terminating zero. */
constexpr std::size_t
query_text_bound(std::size_t example_bytes, std::uint32_t examples) noexcept
{
	return 160 + 5 * example_bytes + 64 * static_cast<std::size_t>(examples);
}

/* Zero-terminated; returns the length. */
std::size_t print_query_text(const QueryHead &head, const char *examples, char *out) noexcept;

/* --- wire --- */

constexpr std::size_t kQueryWireHeadBytes = 24;

/* Bytes that are missing, or that nothing asked for, are errors too. examples: 4-byte aligned, as many bytes as bytes has. */
Status decode_query_wire(std::span<const std::uint8_t> bytes, QueryHead &head, std::span<char> examples,
						 std::size_t &used) noexcept;

/* out: kQueryWireHeadBytes and as many bytes as the examples have. */
void encode_query_wire(const QueryHead &head, const char *examples, std::uint8_t *out) noexcept;

}  // namespace vecdb::core::query
