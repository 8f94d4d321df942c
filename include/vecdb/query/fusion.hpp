/* SPDX-License-Identifier: PostgreSQL
 * Several ranked lists made one: reciprocal ranks, normalised scores and their sums or products; decays.
 *
 * Regime: core. Pure arithmetic in double precision; nothing allocates, the caller owns all scratch.
 * Source: docs/hybrid.md gives the formulas and says where Qdrant 1.19 and the d-vecDB guide differ from each other.
 * Scores are better the larger they are; a rank counts from 1.
 */
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vecdb::core::query
{

enum class FusionMethod : std::uint8_t
{
	rrf,             // sum of weight / (k + rank)
	relative_score,  // weighted sum of scores brought to [0, 1] by the least and the largest of a list
	dbsf,            // weighted sum of scores measured from mean - 3 deviations, in units of 6: not clamped
	product,         // product of scores; a row has to be in every list
};

enum class WeightMode : std::uint8_t
{
	linear,  // weight / (k + rank)
	qdrant,  // 1 / (k + rank / weight): a weight compresses ranks
};

/* Any case, words apart or joined by '_', '-' or nothing. "distribution-based" is the d-vecDB guide's name of its product. */
bool parse_fusion_method(std::string_view name, FusionMethod &method) noexcept;

/* What a row of this rank adds. rank >= 1, k >= 0, weight >= 0 (0 adds 0). */
double rrf_term(std::int64_t rank, double k, double weight, WeightMode mode) noexcept;

/* Where and how wide a list's scores lie. */
struct Spread
{
	double scale;  // all are divided by it, so that nothing overflows
	double low;    // of scaled scores: minmax the least, dbsf the mean - 3 deviations
	double width;  // 0: the scores are equal (dbsf: or there is one only)
};

/* Of finite scores; an empty list has no spread (any). */
Spread minmax_spread(std::span<const double> scores) noexcept;
Spread dbsf_spread(std::span<const double> scores) noexcept;

/* 1 where all scores are equal. */
double minmax_normalized(double score, const Spread &spread) noexcept;

/* 0.5 where all scores are equal. */
double dbsf_normalized(double score, const Spread &spread) noexcept;

struct FusionList
{
	std::span<const std::uint32_t> rows;  // numbers of rows, best first, none twice
	std::span<const double> scores;       // finite
	double weight;
};

struct FusionOptions
{
	FusionMethod method = FusionMethod::rrf;
	WeightMode weight_mode = WeightMode::linear;
	double k = 60;          // rrf
	bool normalize = true;  // product: scores brought to [0, 1] first
};

/*
 * Sets fused[row] to the score of each row and found[row] to the number of lists that it is in. product: rows that are not in every list are
 * out of the answer, whatever their fused score. False, with the list and its place: a product of raw scores met a negative one.
 */
bool fuse(std::span<const FusionList> lists, const FusionOptions &options, std::span<double> fused,
		  std::span<std::uint32_t> found, std::size_t &bad_list, std::size_t &bad_place) noexcept;

/* 1 at the target, midpoint at a distance of scale. scale > 0, 0 < midpoint < 1. */
double exp_decay(double x, double target, double scale, double midpoint) noexcept;
double gauss_decay(double x, double target, double scale, double midpoint) noexcept;
double linear_decay(double x, double target, double scale, double midpoint) noexcept;

/* --- weights of terms in texts --- */

/* MurmurHash3, 32 bits, for x86, by Austin Appleby (public domain). */
std::uint32_t murmur3_32(std::string_view bytes, std::uint32_t seed) noexcept;

/* The dimension of a term, 0 to 999,999,999: the absolute value of its hash as a signed number, modulo 1,000,000,000. */
std::int32_t term_dimension(std::string_view term) noexcept;

struct Bm25
{
	double k1 = 1.2;              // how soon more of the same stops counting
	double b = 0.75;              // how much of a text's length is held against it
	double average_length = 256;  // in terms
};

/* Of a term that is count times in a text of length terms. */
double bm25_weight(double count, double length, const Bm25 &constants) noexcept;

/* Of a term that is in `containing` of `documents`: always above 0. */
double bm25_idf(double documents, double containing) noexcept;

}  // namespace vecdb::core::query
