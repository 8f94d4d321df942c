/* SPDX-License-Identifier: PostgreSQL
 * Two centres for the rows of one list: Lloyd's iterations from several starts.
 *
 * Regime: core.
 * Why several starts and an eighth: on GloVe and Fashion-MNIST, loaded from a shifted distribution, lists made by these splits
 *         need as many rows scanned for a recall as lists of k-means over all rows; one start needs some percent more.
 */
#include "vecdb/cluster/two_means.hpp"

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
constexpr std::size_t kLeastShare = 8;

struct Work
{
	const float *rows;
	std::size_t n, dims;
	float (*distance)(const float *, const float *, std::size_t) noexcept;
	float *nearer;         // of each row: distance to the first centre less that to the second
	std::uint32_t *order;  // rows, those of the first centre in front
	double *sums;          // 2 * dims

	const float *
	row(std::size_t i) const noexcept
	{
		return rows + i * dims;
	}
};

/* A row, and another with a chance that grows with its distance. False: all rows are equal. */
bool
choose_start(const Work &work, std::uint64_t &seed, float *centres) noexcept
{
	seed = splitmix64(seed);
	const float *first = work.row(seed % work.n);
	double total = 0;
	for (std::size_t i = 0; i < work.n; i++)
		total += work.nearer[i] = work.distance(first, work.row(i), work.dims);
	if (!(total > 0))
		return false;
	seed = splitmix64(seed);
	double left = static_cast<double>(seed >> 11) * 0x1p-53 * total;
	std::size_t second = 0;
	for (std::size_t i = 0; i < work.n && left >= 0; i++)
		if (work.nearer[i] > 0)
		{
			second = i;
			left -= work.nearer[i];
		}
	std::memcpy(centres, first, work.dims * sizeof(float));
	std::memcpy(centres + work.dims, work.row(second), work.dims * sizeof(float));
	return true;
}

void
iterate(const Work &work, float *centres) noexcept
{
	std::size_t first = 0;
	for (std::size_t i = 0; i < work.n; i++)
	{
		float a = work.distance(centres, work.row(i), work.dims);
		float b = work.distance(centres + work.dims, work.row(i), work.dims);
		/* Both may have overflowed. */
		work.nearer[i] = a - b == a - b ? a - b : 0.0f;
		work.order[i] = static_cast<std::uint32_t>(i);
		first += a < b;
	}
	std::size_t least = std::max<std::size_t>(work.n / kLeastShare, 1);
	std::size_t cut = std::clamp(first, least, work.n - least);
	std::nth_element(work.order, work.order + cut, work.order + work.n,
					 [&](std::uint32_t a, std::uint32_t b) noexcept { return work.nearer[a] < work.nearer[b]; });
	std::fill_n(work.sums, 2 * work.dims, 0.0);
	for (std::size_t i = 0; i < work.n; i++)
	{
		double *sum = work.sums + (i < cut ? 0 : work.dims);
		const float *row = work.row(work.order[i]);
		for (std::size_t k = 0; k < work.dims; k++)
			sum[k] += row[k];
	}
	for (std::size_t k = 0; k < work.dims; k++)
	{
		centres[k] = static_cast<float>(work.sums[k] / static_cast<double>(cut));
		centres[work.dims + k] = static_cast<float>(work.sums[work.dims + k] / static_cast<double>(work.n - cut));
	}
}

Separation
separate(const Work &work, std::uint64_t seed, float *tried, float *centres) noexcept
{
	double best = -1;
	for (int start = 0; start < kStarts; start++)
	{
		if (!choose_start(work, seed, tried))
			return Separation::one;
		for (int i = 0; i < kIterations; i++)
			iterate(work, tried);
		double total = 0;
		for (std::size_t i = 0; i < work.n; i++)
			total += std::min(work.distance(tried, work.row(i), work.dims),
							  work.distance(tried + work.dims, work.row(i), work.dims));
		if (best >= 0 && !(total < best))
			continue;
		best = total;
		std::memcpy(centres, tried, 2 * work.dims * sizeof(float));
	}
	/* As the rows will be told apart: are there some on either side? */
	std::size_t first = 0;
	for (std::size_t i = 0; i < work.n; i++)
		first += work.distance(centres, work.row(i), work.dims) <
				 work.distance(centres + work.dims, work.row(i), work.dims);
	return first == 0 || first == work.n ? Separation::one : Separation::two;
}

}  // namespace

Separation
two_means(const float *rows, std::size_t n, std::size_t dims, bool absolute, std::uint64_t seed, float *centres,
		  Memory memory) noexcept
{
	if (n < 2)
		return Separation::one;
	const distance::Kernels &kernels = distance::kernels();
	Work work{rows, n, dims, absolute ? kernels.l1 : kernels.l2_squared, nullptr, nullptr, nullptr};
	work.nearer = memory.array<float>(n);
	work.order = memory.array<std::uint32_t>(n);
	work.sums = memory.array<double>(2 * dims);
	auto *tried = memory.array<float>(2 * dims);
	Separation result = Separation::no_memory;
	if (work.nearer != nullptr && work.order != nullptr && work.sums != nullptr && tried != nullptr)
		result = separate(work, seed, tried, centres);
	memory.release(work.nearer);
	memory.release(work.order);
	memory.release(work.sums);
	memory.release(tried);
	return result;
}

}  // namespace vecdb::core::cluster
