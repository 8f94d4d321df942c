/* SPDX-License-Identifier: PostgreSQL
 * Several ranked lists made one; decays; weights of terms.
 *
 * Regime: core.
 */
#include "vecdb/query/fusion.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace vecdb::core::query
{

bool
parse_fusion_method(std::string_view name, FusionMethod &method) noexcept
{
	struct Name
	{
		const char *text;
		FusionMethod method;
	};
	static constexpr Name kNames[] = {
		{"rrf", FusionMethod::rrf},
		{"reciprocalrankfusion", FusionMethod::rrf},
		{"rankedfusion", FusionMethod::rrf},
		{"relativescore", FusionMethod::relative_score},
		{"relativescorefusion", FusionMethod::relative_score},
		{"dbsf", FusionMethod::dbsf},
		{"distributionbasedscorefusion", FusionMethod::dbsf},
		{"product", FusionMethod::product},
		{"distributionbased", FusionMethod::product},
	};
	char letters[40];
	std::size_t count = 0;
	for (char c : name)
	{
		if (c == '_' || c == '-' || c == ' ')
			continue;
		if (count == sizeof letters - 1)
			return false;
		letters[count++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
	}
	for (const Name &known : kNames)
		if (std::string_view(letters, count) == known.text)
		{
			method = known.method;
			return true;
		}
	return false;
}

double
rrf_term(std::int64_t rank, double k, double weight, WeightMode mode) noexcept
{
	if (weight <= 0)
		return 0;
	double place = static_cast<double>(rank);
	return mode == WeightMode::linear ? weight / (k + place) : 1 / (k + place / weight);
}

/* The largest magnitude: scores divided by it lie in [-1, 1]. */
static double
magnitude(std::span<const double> scores) noexcept
{
	double largest = 0;
	for (double score : scores)
		largest = std::max(largest, std::fabs(score));
	/* Below the normal numbers a quotient would lose its digits or overflow. */
	return largest >= 2.3e-308 ? largest : 1;
}

Spread
minmax_spread(std::span<const double> scores) noexcept
{
	if (scores.empty())
		return Spread{1, 0, 0};
	double scale = magnitude(scores);
	auto [least, largest] = std::minmax_element(scores.begin(), scores.end());
	double low = *least / scale;
	return Spread{scale, low, *largest > *least ? *largest / scale - low : 0};
}

Spread
dbsf_spread(std::span<const double> scores) noexcept
{
	auto count = static_cast<double>(scores.size());
	if (scores.size() < 2 || std::equal(scores.begin() + 1, scores.end(), scores.begin()))
		return Spread{1, 0, 0};
	double scale = magnitude(scores);
	double sum = 0;
	for (double score : scores)
		sum += score / scale;
	double mean = sum / count, squares = 0;
	for (double score : scores)
		squares += (score / scale - mean) * (score / scale - mean);
	double deviation = std::sqrt(squares / (count - 1));
	return Spread{scale, mean - 3 * deviation, 6 * deviation};
}

double
minmax_normalized(double score, const Spread &spread) noexcept
{
	return spread.width > 0 ? (score / spread.scale - spread.low) / spread.width : 1;
}

double
dbsf_normalized(double score, const Spread &spread) noexcept
{
	return spread.width > 0 ? (score / spread.scale - spread.low) / spread.width : 0.5;
}

bool
fuse(std::span<const FusionList> lists, const FusionOptions &options, std::span<double> fused,
	 std::span<std::uint32_t> found, std::size_t &bad_list, std::size_t &bad_place) noexcept
{
	bool multiply = options.method == FusionMethod::product;
	std::fill(fused.begin(), fused.end(), multiply ? 1.0 : 0.0);
	std::fill(found.begin(), found.end(), 0u);
	for (std::size_t list = 0; list < lists.size(); list++)
	{
		const FusionList &from = lists[list];
		Spread spread = options.method == FusionMethod::dbsf ? dbsf_spread(from.scores) : minmax_spread(from.scores);
		for (std::size_t place = 0; place < from.rows.size(); place++)
		{
			std::uint32_t row = from.rows[place];
			double score = from.scores[place];
			found[row]++;
			switch (options.method)
			{
				case FusionMethod::rrf:
					fused[row] +=
						rrf_term(static_cast<std::int64_t>(place) + 1, options.k, from.weight, options.weight_mode);
					break;
				case FusionMethod::relative_score: fused[row] += from.weight * minmax_normalized(score, spread); break;
				case FusionMethod::dbsf: fused[row] += from.weight * dbsf_normalized(score, spread); break;
				case FusionMethod::product:
					if (!options.normalize && score < 0)
					{
						bad_list = list;
						bad_place = place;
						return false;
					}
					fused[row] *= options.normalize ? minmax_normalized(score, spread) : score;
					break;
			}
		}
	}
	return true;
}

double
exp_decay(double x, double target, double scale, double midpoint) noexcept
{
	return std::exp(std::log(midpoint) / scale * std::fabs(x - target));
}

double
gauss_decay(double x, double target, double scale, double midpoint) noexcept
{
	double distance = std::fabs(x - target) / scale;
	return std::exp(std::log(midpoint) * distance * distance);
}

double
linear_decay(double x, double target, double scale, double midpoint) noexcept
{
	double left = 1 - (1 - midpoint) / scale * std::fabs(x - target);
	return left < 0 ? 0 : left;  // NaN stays NaN
}

std::uint32_t
murmur3_32(std::string_view bytes, std::uint32_t seed) noexcept
{
	constexpr std::uint32_t kFirst = 0xcc9e2d51u, kSecond = 0x1b873593u;
	auto mix = [](std::uint32_t word) { return std::rotl(word * kFirst, 15) * kSecond; };
	std::uint32_t hash = seed;
	std::size_t place = 0;
	for (; place + 4 <= bytes.size(); place += 4)
	{
		std::uint32_t word = 0;
		for (std::size_t i = 0; i < 4; i++)
			word |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[place + i])) << (8 * i);
		hash = std::rotl(hash ^ mix(word), 13) * 5 + 0xe6546b64u;
	}
	if (place < bytes.size())
	{
		std::uint32_t word = 0;
		for (std::size_t i = 0; place + i < bytes.size(); i++)
			word |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[place + i])) << (8 * i);
		hash ^= mix(word);
	}
	hash ^= static_cast<std::uint32_t>(bytes.size());
	hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
	hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
	return hash ^ (hash >> 16);
}

std::int32_t
term_dimension(std::string_view term) noexcept
{
	constexpr std::uint32_t kDimensions = 1000000000;
	std::uint32_t hash = murmur3_32(term, 0);
	if (hash > 0x7fffffffu)
		hash = 0u - hash;
	return static_cast<std::int32_t>(hash % kDimensions);
}

double
bm25_weight(double count, double length, const Bm25 &constants) noexcept
{
	double norm = constants.k1 * (1 - constants.b + constants.b * length / constants.average_length);
	return count * (constants.k1 + 1) / (count + norm);
}

double
bm25_idf(double documents, double containing) noexcept
{
	return std::log((documents - containing + 0.5) / (containing + 0.5) + 1);
}

}  // namespace vecdb::core::query
