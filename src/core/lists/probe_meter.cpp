/* SPDX-License-Identifier: PostgreSQL
 * The measurement of probe_meter.hpp.
 *
 * Regime: core.
 */
#include "probe_meter.hpp"

#include <algorithm>
#include <cmath>

#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::lists
{

void
ProbeMeter::start(unsigned workers, distance::Metric metric, std::size_t dims, std::vector<float> &&queries,
				  std::vector<RowTid> &&names)
{
	metric_ = metric;
	dims_ = dims;
	queries_ = std::move(queries);
	names_ = std::move(names);
	panels_.pack(queries_.data(), names_.size(), dims_, dims_);
	found_.resize(workers);
	for (Found &found : found_)
	{
		found.near.assign(names_.size() * kNear, Near{INFINITY, 0});
		found.worst.assign(panels_.padded(), INFINITY);
		std::fill(found.worst.begin() + static_cast<std::ptrdiff_t>(names_.size()), found.worst.end(), -INFINITY);
		found.scores.resize(kRowsAtOnce * panels_.padded());
	}
}

/* out[r * padded + q]: what orders rows for query q. */
void
ProbeMeter::score(const float *const *rows, std::size_t count, float *out) const
{
	const distance::Kernels &k = distance::kernels();
	const std::size_t padded = panels_.padded();
	if (metric_ == distance::Metric::l1)
	{
		for (std::size_t r = 0; r < count; r++)
			for (std::size_t q = 0; q < names_.size(); q++)
				out[r * padded + q] = k.l1(rows[r], queries_.data() + q * dims_, dims_);
		return;
	}
	panels_.products(rows, count, out);
	const bool by_product = metric_ == distance::Metric::inner_product;
	for (std::size_t r = 0; r < count; r++)
	{
		const float norm2 = by_product ? 0 : k.inner_product(rows[r], rows[r], dims_);
		const float factor = by_product ? -1 : -2;
		float *scores = out + r * padded;
		for (std::size_t q = 0; q < padded; q++)
			scores[q] = norm2 + factor * scores[q];
	}
}

void
ProbeMeter::keep(Found &found, std::size_t query, const Near &near)
{
	Near *list = found.near.data() + query * kNear;
	if (!(near < list[kNear - 1]))
		return;
	std::size_t j = kNear - 1;
	for (; j > 0 && near < list[j - 1]; j--)
		list[j] = list[j - 1];
	list[j] = near;
	found.worst[query] = list[kNear - 1].distance;
}

void
ProbeMeter::note(std::size_t query, std::uint32_t row)
{
	/* Only whether they are among the nearest counts: by their numbers they stay in one order. */
	keep(found_[0], query, Near{0, row});
}

void
ProbeMeter::look(unsigned worker, const float *const *rows, const RowTid *names, std::uint32_t first_row,
				 std::size_t count)
{
	if (names_.empty())
		return;
	Found &found = found_[worker];
	const std::size_t padded = panels_.padded();
	constexpr std::size_t kStep = 16;
	for (std::size_t first = 0; first < count; first += kRowsAtOnce)
	{
		const std::size_t n = std::min(kRowsAtOnce, count - first);
		score(rows + first, n, found.scores.data());
		for (std::size_t r = 0; r < n; r++)
		{
			const float *scores = found.scores.data() + r * padded;
			for (std::size_t q = 0; q < padded; q += kStep)
			{
				int any = 0;
				for (std::size_t j = 0; j < kStep; j++)
					any |= scores[q + j] <= found.worst[q + j];
				for (std::size_t j = 0; any != 0 && j < kStep; j++)
					if (scores[q + j] <= found.worst[q + j] && !(names[first + r] == names_[q + j]))
						keep(found, q + j, Near{scores[q + j], first_row + static_cast<std::uint32_t>(first + r)});
			}
		}
	}
}

bool
ProbeMeter::finish(Workers &workers, const float *centres, std::uint32_t lists, const std::uint32_t *list_of)
{
	if (names_.empty())
		return false;
	const std::size_t padded = panels_.padded();
	std::vector<Near> all;
	std::vector<std::vector<Near>> nearest(names_.size());
	for (std::size_t q = 0; q < names_.size(); q++)
	{
		all.clear();
		for (const Found &found : found_)
			for (std::size_t j = 0; j < kNear; j++)
				if (const Near &near = found.near[q * kNear + j]; near.distance < INFINITY)
					all.push_back(near);
		std::sort(all.begin(), all.end());
		all.resize(std::min<std::size_t>(all.size(), kNear));
		nearest[q] = all;
	}
	/* Ranks of the lists: how many centres are nearer than the one of a row that was found. */
	std::vector<float> distances(static_cast<std::size_t>(lists) * padded);
	workers.parallel(lists, 1024, [&](std::size_t begin, std::size_t end, unsigned) {
		const float *rows[kRowsAtOnce];
		for (std::size_t first = begin; first < end; first += kRowsAtOnce)
		{
			const std::size_t n = std::min(kRowsAtOnce, end - first);
			for (std::size_t i = 0; i < n; i++)
				rows[i] = centres + (first + i) * dims_;
			score(rows, n, distances.data() + first * padded);
		}
	});
	std::vector<std::uint32_t> ranks(names_.size() * kNear, lists);
	workers.parallel(names_.size(), 1, [&](std::size_t q, std::size_t, unsigned) {
		for (std::size_t j = 0; j < nearest[q].size(); j++)
		{
			const float own = distances[list_of[nearest[q][j].row] * padded + q];
			std::uint32_t rank = 0;
			for (std::uint32_t list = 0; list < lists; list++)
				rank += distances[list * padded + q] < own ? 1 : 0;
			ranks[q * kNear + j] = rank;
		}
	});
	std::sort(ranks.begin(), ranks.end());
	ranks.erase(std::lower_bound(ranks.begin(), ranks.end(), lists), ranks.end());
	if (ranks.empty())
		return false;
	for (int i = 0; i < 4; i++)
	{
		auto share = static_cast<double>(layout::kProbeRecalls[i]) * static_cast<double>(ranks.size());
		auto at = static_cast<std::size_t>(std::ceil(share)) - 1;
		probes_[i] = ranks[std::min(at, ranks.size() - 1)] + 1;
	}
	return true;
}

}  // namespace vecdb::core::lists
