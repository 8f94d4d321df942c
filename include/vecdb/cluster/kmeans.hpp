/* SPDX-License-Identifier: PostgreSQL
 * K-means in two levels: coarse cells, and clusters in each. Near clusters have near numbers.
 *
 * Regime: core. Inside a job of Workers; the same result with any number of threads.
 * Memory: the centroids twice (4 bytes an element), a sample's rows one cell at a time. Rows are read through RowSource, so
 *         that they may be codes.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vecdb/base/status.hpp"
#include "vecdb/base/workers.hpp"

namespace vecdb::core::cluster
{

struct RowSource
{
	/* Writes row's floats (dims of them, finite) to out. Called by several threads. */
	void (*load)(const void *self, std::uint32_t row, float *out) noexcept;
	const void *self;
	std::uint32_t rows;
	std::size_t dims;
};

/* Centroids as Kernels::dot_panel wants them. */
class Panels
{
public:
	/* count vectors of dims floats, stride apart. */
	void pack(const float *vectors, std::size_t count, std::size_t dims, std::size_t stride);
	/* vectors[ids[i]] in place of vectors[i]. */
	void pack_some(const float *vectors, const std::uint32_t *ids, std::size_t count, std::size_t dims);
	/* out[r * padded() + k] = |centroid k|^2 - 2 <rows[r], centroid k>; 1e30 and more where k >= count(). */
	void score(const float *const *rows, std::size_t count, float *out) const;
	/* out[r * padded() + k] = <rows[r], centroid k>; anything where k >= count(). */
	void products(const float *const *rows, std::size_t count, float *out) const;

	std::size_t
	count() const noexcept
	{
		return count_;
	}
	std::size_t
	padded() const noexcept
	{
		return norms_.size();
	}

private:
	template <class Get>
	void pack_with(Get &&get, std::size_t count, std::size_t dims);

	std::size_t count_ = 0, dims_ = 0;
	std::vector<float> panels_, norms_;
};

struct KmeansOptions
{
	std::uint32_t rows_per_cluster;  // on average
	std::uint32_t most_rows;         // a cluster with more is split, at last by no reason but its size
	std::uint64_t seed;
};

class Clusters
{
public:
	/* Finds centroids from a sample, then out[row] = cluster of row, for all rows. */
	Status build(Workers &workers, const RowSource &source, const KmeansOptions &options,
				 std::uint32_t *assignment) noexcept;

	std::uint32_t
	count() const noexcept
	{
		return static_cast<std::uint32_t>(centroids_.size() / dims_);
	}
	const float *
	centroid(std::uint32_t cluster) const noexcept
	{
		return centroids_.data() + cluster * dims_;
	}
	/* All centroids, one after the other. */
	const float *
	centroids() const noexcept
	{
		return centroids_.data();
	}
	/* out[i * most + j]: the j-th nearest of the others to cluster i (by_product: with the largest inner product), itself
	 * first; most <= count(). */
	Status nearest(Workers &workers, bool by_product, std::uint32_t most, std::uint32_t *out) const noexcept;

private:
	void train(Workers &workers, const RowSource &source, const KmeansOptions &options);
	void assign(Workers &workers, const RowSource &source, std::uint32_t *assignment) const;
	void split_large(Workers &workers, const RowSource &source, const KmeansOptions &options,
					 std::uint32_t *assignment);

	std::size_t dims_ = 1;
	std::vector<float> coarse_;            // centroids of the cells
	std::vector<std::uint32_t> cell_end_;  // cell -> end of its clusters
	std::vector<float> centroids_;
};

}  // namespace vecdb::core::cluster
