/* SPDX-License-Identifier: PostgreSQL
 * K-means in two levels: coarse cells, and clusters in each. Near clusters have near numbers.
 *
 * Regime: core. Inside a job of Workers; the same result with any number of threads.
 * Memory: the centroids twice (4 bytes an element; three times while large clusters are split), taken from the resource that the
 *         caller names; a sample's rows one cell at a time, unless they can be used where they are. Rows are read through
 *         RowSource, so that they may be codes.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "vecdb/base/status.hpp"
#include "vecdb/base/workers.hpp"

namespace vecdb::core::cluster
{

struct RowSource
{
	/* The row's floats (dims of them, finite): where they are, or written to out. Called by several threads. */
	const float *(*load)(const void *self, std::uint32_t row, float *out) noexcept;
	const void *self;
	std::uint32_t rows;
	std::size_t dims;
	bool in_place = false;  // every row is where it is: out may be null
};

/* Centroids as Kernels::dot_panel wants them. */
class Panels
{
public:
	explicit Panels(std::pmr::memory_resource *memory = std::pmr::new_delete_resource()) : panels_(memory)
	{
	}
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
	std::pmr::vector<float> panels_;
	std::vector<float> norms_;
};

struct KmeansOptions
{
	std::uint32_t rows_per_cluster;  // on average
	std::uint32_t most_rows;         // a cluster with more is split, at last by no reason but its size
	std::uint64_t seed;
	/* So many clusters, at most as many as rows: rows_per_cluster and most_rows do not count. 0: as those say. */
	std::uint32_t clusters = 0;
	std::uint32_t sample_per_cluster = 32;  // rows that a centroid is found from, on average
	std::uint32_t iterations = 6;
	std::atomic<std::uint64_t> *assigned = nullptr;  // counts rows as they find their cluster
};

class Clusters
{
public:
	/* memory: for what is as large as the centroids; asked by one thread at a time. */
	explicit Clusters(std::pmr::memory_resource *memory = std::pmr::new_delete_resource()) noexcept
		: memory_(memory), centroids_(memory)
	{
	}

	/* Finds centroids from a sample, then out[row] = cluster of row, for all rows. */
	Status build(Workers &workers, const RowSource &source, const KmeansOptions &options,
				 std::uint32_t *assignment) noexcept;
	/* The two steps of it. */
	Status find(Workers &workers, const RowSource &source, const KmeansOptions &options) noexcept;
	Status place(Workers &workers, const RowSource &source, const KmeansOptions &options,
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
	/* The same, for a caller that has better ones. */
	float *
	centroids() noexcept
	{
		return centroids_.data();
	}
	/* out[i * most + j]: the j-th nearest of the others to cluster i (by_product: with the largest inner product), itself
	 * first; most <= count(). */
	Status nearest(Workers &workers, bool by_product, std::uint32_t most, std::uint32_t *out) const noexcept;

private:
	void train(Workers &workers, const RowSource &source, const KmeansOptions &options);
	void assign(Workers &workers, const RowSource &source, std::atomic<std::uint64_t> *assigned,
				std::uint32_t *assignment) const;
	void split_large(Workers &workers, const RowSource &source, const KmeansOptions &options,
					 std::uint32_t *assignment);

	std::pmr::memory_resource *memory_;
	std::size_t dims_ = 1;
	std::vector<float> coarse_;            // centroids of the cells
	std::vector<std::uint32_t> cell_end_;  // cell -> end of its clusters
	std::pmr::vector<float> centroids_;
};

}  // namespace vecdb::core::cluster
