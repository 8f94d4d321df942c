/* SPDX-License-Identifier: PostgreSQL
 * Maximal marginal relevance, a choice a call.
 *
 * Regime: core.
 */
#include "vecdb/query/mmr.hpp"

#include <cmath>
#include <limits>

namespace vecdb::core::query
{

MmrChoice::MmrChoice(int count, const double *relevance, double *likeness, double lambda) noexcept
	: count_(count), relevance_(relevance), likeness_(likeness), lambda_(lambda)
{
	for (int i = 0; i < count; i++)
		likeness_[i] = -std::numeric_limits<double>::infinity();
}

bool
MmrChoice::chosen(int candidate) const noexcept
{
	return std::isnan(likeness_[candidate]);
}

int
MmrChoice::next() noexcept
{
	int best = -1;
	double best_gain = 0;
	for (int i = 0; i < count_; i++)
	{
		if (chosen(i))
			continue;
		/* The first by relevance alone, whatever lambda is. A factor of 0 leaves its side out even where that is infinite. */
		double gain = taken_ == 0 || lambda_ == 1 ? relevance_[i]
					  : lambda_ == 0              ? -likeness_[i]
												  : lambda_ * relevance_[i] - (1 - lambda_) * likeness_[i];
		if (best < 0 || gain > best_gain)
		{
			best = i;
			best_gain = gain;
		}
	}
	if (best >= 0)
	{
		likeness_[best] = std::numeric_limits<double>::quiet_NaN();
		taken_++;
	}
	return best;
}

void
MmrChoice::note(int candidate, double similarity) noexcept
{
	/* Written so that a NaN, which would read as "chosen", is not kept. */
	if (similarity > likeness_[candidate])
		likeness_[candidate] = similarity;
}

}  // namespace vecdb::core::query
