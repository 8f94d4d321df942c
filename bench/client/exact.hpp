/* SPDX-License-Identifier: PostgreSQL
 * Exact nearest neighbours by brute force, and recall against them.
 *
 * Regime: client program. Uses the kernels of src/core/distance.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataset.hpp"

namespace vecdb::client
{

class Exact
{
public:
	/* Finds the k nearest rows of each of the first query_count queries, with all cores. */
	Exact(const Dataset &data, std::size_t query_count, std::size_t k);

	std::size_t
	k() const
	{
		return k_;
	}
	std::size_t
	query_count() const
	{
		return query_count_;
	}

	/* Share of the k nearest that found holds (row numbers; each counts once). A row as near as the k-th is right too. */
	double recall(std::size_t query, const std::vector<std::int32_t> &found) const;

	/* Mean over all queries. */
	double recall(const std::vector<std::vector<std::int32_t>> &found) const;

private:
	float distance(std::size_t query, std::size_t row) const;

	Matrix base_;  // under cosine: scaled to length 1, zero vectors left as they are
	Matrix queries_;
	Distance metric_;
	std::size_t query_count_;
	std::size_t k_;
	std::vector<float> kth_;  // distance of the k-th nearest
};

}  // namespace vecdb::client
