/* SPDX-License-Identifier: PostgreSQL
 * How many lists hold the nearest rows: some rows are queries, all rows pass by, and what is nearest to each query stays.
 *
 * Regime: core. Private to src/core/lists. Functions throw; look() is called by several threads, each with its own number.
 * Keeps:  the same counts whatever thread sees which rows.
 */
#pragma once

#include <cstdint>
#include <vector>

#include "vecdb/base/workers.hpp"
#include "vecdb/cluster/kmeans.hpp"
#include "vecdb/distance/metric.hpp"

namespace vecdb::core::lists
{

class ProbeMeter
{
public:
	/* Queries: rows of the source, as it gives them. */
	void start(Workers &workers, distance::Metric metric, const cluster::RowSource &source, std::uint64_t seed);
	/* count rows, source.dims floats each, of one list. */
	void look(unsigned worker, const float *const *rows, const std::uint32_t *ids, std::uint32_t list,
			  std::size_t count);
	/* centres: as many floats each as a row; lists of them. False: nothing to tell. */
	bool finish(Workers &workers, const float *centres, std::uint32_t lists);

	const std::uint32_t *
	probes() const noexcept
	{
		return probes_;
	}

private:
	static constexpr std::uint32_t kQueries = 128, kNear = 10;
	static constexpr std::size_t kRowsAtOnce = 64;

	struct Near
	{
		float distance;
		std::uint32_t row, list;

		bool
		operator<(const Near &other) const noexcept
		{
			return distance != other.distance ? distance < other.distance : row < other.row;
		}
	};
	/* What a thread has found: for each query the nearest, in order, and how far the last of them is. */
	struct Found
	{
		std::vector<Near> near;
		std::vector<float> worst;
		std::vector<float> scores;
	};

	void score(const float *const *rows, std::size_t count, float *out) const;
	void keep(Found &found, std::size_t query, const Near &near);

	distance::Metric metric_{};
	std::size_t dims_ = 0;
	std::vector<std::uint32_t> ids_;
	std::vector<float> queries_;
	cluster::Panels panels_;
	std::vector<Found> found_;
	std::uint32_t probes_[4] = {};
};

}  // namespace vecdb::core::lists
