/* SPDX-License-Identifier: PostgreSQL
 * Exact nearest neighbours by brute force, and recall against them.
 *
 * Regime: client program. Uses the kernels of src/core/distance.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dataset.hpp"

namespace vecdb::client
{

class Exact
{
public:
	/* Finds the k nearest rows of each of the first query_count queries, with all cores. The answers are kept in a file of
	 * directory cache, and come from there the next time; an empty name means no cache. */
	Exact(const Dataset &data, std::size_t query_count, std::size_t k, const std::string &cache = "");

	/* The same, of the rows that live marks; the others are as if deleted. Not cached. */
	Exact(const Dataset &data, std::size_t query_count, std::size_t k, const std::vector<bool> &live);

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

	/* Local intrinsic dimension around the queries: the maximum likelihood estimate from the distances of the k nearest,
	 * mean over the queries. What makes data hard for a graph, more than its dimensions. */
	double intrinsic_dimension() const;

private:
	float distance(std::size_t query, std::size_t row) const;
	void find(const std::vector<bool> *live);
	float
	kth(std::size_t query) const
	{
		return nearest_[query * k_ + k_ - 1];
	}

	Matrix base_;  // under cosine: scaled to length 1, zero vectors left as they are
	Matrix queries_;
	Distance metric_;
	std::size_t query_count_;
	std::size_t k_;
	std::vector<float> nearest_;  // distances of the k nearest of each query, ascending
};

}  // namespace vecdb::client
