/* SPDX-License-Identifier: PostgreSQL
 * A few centres for the rows of one list: Lloyd's iterations from several starts.
 *
 * Regime: core.
 * Why several starts: on GloVe, loaded from a shifted distribution, lists split from one start need some percent more rows scanned for
 *         the same recall.
 */
#include "vecdb/cluster/few_means.hpp"

#include <algorithm>
#include <cstring>

#include "vecdb/base/random.hpp"
#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::cluster
{

namespace
{

constexpr int kStarts = 4;
constexpr int kIterations = 8;

struct Work
{
	const float *rows;
	std::size_t n, dims;
	int wanted;
	float (*distance)(const float *, const float *, std::size_t) noexcept;
	float *least;  // of each row, to the centres chosen so far
	double *sums;  // wanted * dims
	std::size_t *counts;

	const float *
	row(std::size_t i) const noexcept
	{
		return rows + i * dims;
	}
};

/* Rows as centres, each with a chance that grows with its distance to those before. Returns how many: fewer where all others are equal to one. */
int
choose_start(const Work &work, std::uint64_t &seed, float *centres) noexcept
{
	seed = splitmix64(seed);
	std::memcpy(centres, work.row(seed % work.n), work.dims * sizeof(float));
	for (int k = 1; k < work.wanted; k++)
	{
		const float *last = centres + static_cast<std::size_t>(k - 1) * work.dims;
		double total = 0;
		for (std::size_t i = 0; i < work.n; i++)
		{
			float d = work.distance(last, work.row(i), work.dims);
			total += work.least[i] = k == 1 ? d : std::min(work.least[i], d);
		}
		if (!(total > 0))
			return k;
		seed = splitmix64(seed);
		double left = static_cast<double>(seed >> 11) * 0x1p-53 * total;
		std::size_t chosen = 0;
		for (std::size_t i = 0; i < work.n && left >= 0; i++)
			if (work.least[i] > 0)
			{
				chosen = i;
				left -= work.least[i];
			}
		std::memcpy(centres + static_cast<std::size_t>(k) * work.dims, work.row(chosen), work.dims * sizeof(float));
	}
	return work.wanted;
}

/* Rows to their centres: counts and sums of each. Returns the sum of distances. */
double
assign(const Work &work, const float *centres, int count) noexcept
{
	double total = 0;
	std::fill_n(work.sums, static_cast<std::size_t>(count) * work.dims, 0.0);
	std::fill_n(work.counts, count, std::size_t{0});
	for (std::size_t i = 0; i < work.n; i++)
	{
		const float *row = work.row(i);
		std::size_t nearest = 0;
		float least = work.distance(centres, row, work.dims);
		for (int k = 1; k < count; k++)
		{
			float d = work.distance(centres + static_cast<std::size_t>(k) * work.dims, row, work.dims);
			if (d < least)
			{
				least = d;
				nearest = static_cast<std::size_t>(k);
			}
		}
		total += least;
		work.counts[nearest]++;
		double *sum = work.sums + nearest * work.dims;
		for (std::size_t j = 0; j < work.dims; j++)
			sum[j] += row[j];
	}
	return total;
}

void
move_centres(const Work &work, float *centres, int count) noexcept
{
	for (std::size_t k = 0; k < static_cast<std::size_t>(count); k++)
		for (std::size_t j = 0; work.counts[k] > 0 && j < work.dims; j++)
			centres[k * work.dims + j] =
				static_cast<float>(work.sums[k * work.dims + j] / static_cast<double>(work.counts[k]));
}

/* Without those that are nearest to no row, counted by assign(). */
int
drop_empty(const Work &work, float *centres, int count) noexcept
{
	std::size_t kept = 0;
	for (std::size_t k = 0; k < static_cast<std::size_t>(count); k++)
		if (work.counts[k] > 0)
			std::memmove(centres + kept++ * work.dims, centres + k * work.dims, work.dims * sizeof(float));
	return static_cast<int>(kept);
}

int
find(const Work &work, std::uint64_t seed, float *tried, float *centres) noexcept
{
	double best = -1;
	int best_count = 0;
	for (int start = 0; start < kStarts; start++)
	{
		int count = choose_start(work, seed, tried);
		for (int i = 0; i < kIterations; i++)
		{
			assign(work, tried, count);
			move_centres(work, tried, count);
		}
		double total = assign(work, tried, count);
		count = drop_empty(work, tried, count);
		if (count < 2 || (best >= 0 && !(total < best)))
			continue;
		best = total;
		best_count = count;
		std::memcpy(centres, tried, static_cast<std::size_t>(count) * work.dims * sizeof(float));
	}
	return best_count;
}

}  // namespace

int
few_means(const float *rows, std::size_t n, std::size_t dims, int wanted, bool absolute, std::uint64_t seed,
		  float *centres, Memory memory) noexcept
{
	if (n < 2 || wanted < 2)
		return 0;
	const distance::Kernels &kernels = distance::kernels();
	Work work{rows, n, dims, wanted, absolute ? kernels.l1 : kernels.l2_squared, nullptr, nullptr, nullptr};
	const std::size_t floats = static_cast<std::size_t>(wanted) * dims;
	work.least = memory.array<float>(n);
	work.sums = memory.array<double>(floats);
	work.counts = memory.array<std::size_t>(static_cast<std::size_t>(wanted));
	auto *tried = memory.array<float>(floats);
	int found = -1;
	if (work.least != nullptr && work.sums != nullptr && work.counts != nullptr && tried != nullptr)
		found = find(work, seed, tried, centres);
	memory.release(work.least);
	memory.release(work.sums);
	memory.release(work.counts);
	memory.release(tried);
	return found;
}

}  // namespace vecdb::core::cluster
