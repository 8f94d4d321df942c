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
#include "vecdb/layout/ivf_page.hpp"

namespace vecdb::core::lists
{

using layout::RowTid;

class ProbeMeter
{
public:
	static constexpr std::uint32_t kQueries = 96;

	/* queries: count of them (at most kQueries), dims floats each; names: of the rows that they are. */
	void start(unsigned workers, distance::Metric metric, std::size_t dims, std::vector<float> &&queries,
			   std::vector<RowTid> &&names);
	/* Rows by number from `first` on, and what they are called. */
	void look(unsigned worker, const float *const *rows, const RowTid *names, std::uint32_t first, std::size_t count);
	/* The same without looking: a row that is near a query. Not from several threads. */
	void note(std::size_t query, std::uint32_t row);
	const RowTid &
	name(std::size_t query) const
	{
		return names_[query];
	}
	/* centres: as many floats each as a row; lists of them; list_of: by row. False: nothing to tell. */
	bool finish(Workers &workers, const float *centres, std::uint32_t lists, const std::uint32_t *list_of);

	const std::uint32_t *
	probes() const noexcept
	{
		return probes_;
	}

private:
	static constexpr std::uint32_t kNear = 10;
	static constexpr std::size_t kRowsAtOnce = 64;

	struct Near
	{
		float distance;
		std::uint32_t row;

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
	static void keep(Found &found, std::size_t query, const Near &near);

	distance::Metric metric_{};
	std::size_t dims_ = 0;
	std::vector<RowTid> names_;
	std::vector<float> queries_;
	cluster::Panels panels_;
	std::vector<Found> found_;
	std::uint32_t probes_[4] = {};
};

}  // namespace vecdb::core::lists
