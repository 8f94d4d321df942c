/* SPDX-License-Identifier: PostgreSQL
 * The metrics that an index can order by. Values are stored in index metapages: never renumber.
 *
 * Regime: core.
 */
#pragma once

#include <cstdint>

namespace vecdb::core::distance
{

enum class Metric : std::uint8_t
{
	l2 = 1,             // <->  sqrt(sum (a-b)^2)
	inner_product = 2,  // <#>  -sum a*b
	cosine = 3,         // <=>  1 - cos(a, b)
	l1 = 4,             // <+>  sum |a-b|
	hamming = 5,        // <~>  bits that differ
	jaccard = 6,        // <%>  1 - bits set in both / bits set in either; 1 where none is set in both
};

/* Of bit strings; rows are not floats there. */
inline bool
of_bits(Metric metric) noexcept
{
	return metric == Metric::hamming || metric == Metric::jaccard;
}

inline const char *
metric_name(Metric metric) noexcept
{
	switch (metric)
	{
		case Metric::l2: return "l2";
		case Metric::inner_product: return "inner_product";
		case Metric::cosine: return "cosine";
		case Metric::l1: return "l1";
		case Metric::hamming: return "hamming";
		case Metric::jaccard: return "jaccard";
	}
	return "unknown";
}

}  // namespace vecdb::core::distance
