/* SPDX-License-Identifier: PostgreSQL
 * Brute force in tiles that stay in the cache, one share of the queries for each core.
 *
 * Regime: client program.
 */
#include "exact.hpp"

#include <algorithm>
#include <cmath>
#include <thread>

#include "vecdb/distance/kernels.hpp"

namespace vecdb::client
{

namespace
{

constexpr std::size_t kQueryTile = 16;
constexpr std::size_t kRowTile = 64;

void
normalize(Matrix &m)
{
	const auto &kernels = core::distance::kernels();
	for (std::size_t i = 0; i < m.rows; i++)
	{
		float norm = std::sqrt(kernels.inner_product(m.row(i), m.row(i), m.dims));
		for (std::size_t j = 0; norm > 0 && j < m.dims; j++)
			m.row(i)[j] /= norm;
	}
}

}  // namespace

float
Exact::distance(std::size_t query, std::size_t row) const
{
	const auto &kernels = core::distance::kernels();
	const float *q = queries_.row(query), *v = base_.row(row);
	return metric_ == Distance::l2 ? kernels.l2_squared(q, v, base_.dims) : -kernels.inner_product(q, v, base_.dims);
}

Exact::Exact(const Dataset &data, std::size_t query_count, std::size_t k)
	: base_(data.base), queries_(data.queries), metric_(data.distance),
	  query_count_(std::min(query_count, data.queries.rows)), k_(std::min(k, data.base.rows)), kth_(query_count_)
{
	if (metric_ == Distance::cosine)
	{
		normalize(base_);
		normalize(queries_);
	}
	std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
	std::vector<std::thread> workers;
	for (std::size_t t = 0; t < threads; t++)
		workers.emplace_back([this, t, threads] {
			for (std::size_t first = t * kQueryTile; first < query_count_; first += threads * kQueryTile)
			{
				std::size_t last = std::min(first + kQueryTile, query_count_);
				std::vector<std::vector<float>> nearest(last - first);  // heaps, greatest on top
				for (std::size_t row = 0; row < base_.rows; row += kRowTile)
					for (std::size_t q = first; q < last; q++)
					{
						std::vector<float> &heap = nearest[q - first];
						for (std::size_t i = row; i < std::min(row + kRowTile, base_.rows); i++)
						{
							float d = distance(q, i);
							if (heap.size() == k_)
							{
								if (d >= heap.front())
									continue;
								std::pop_heap(heap.begin(), heap.end());
								heap.pop_back();
							}
							heap.push_back(d);
							std::push_heap(heap.begin(), heap.end());
						}
					}
				for (std::size_t q = first; q < last; q++)
					kth_[q] = nearest[q - first].front();
			}
		});
	for (std::thread &w : workers)
		w.join();
}

double
Exact::recall(std::size_t query, const std::vector<std::int32_t> &found) const
{
	std::vector<std::int32_t> distinct(found);
	std::sort(distinct.begin(), distinct.end());
	distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
	std::size_t right = 0;
	for (std::int32_t row : distinct)
		right += row >= 0 && static_cast<std::size_t>(row) < base_.rows &&
				 distance(query, static_cast<std::size_t>(row)) <= kth_[query];
	return static_cast<double>(std::min(right, k_)) / static_cast<double>(k_);
}

double
Exact::recall(const std::vector<std::vector<std::int32_t>> &found) const
{
	double sum = 0;
	for (std::size_t q = 0; q < query_count_; q++)
		sum += recall(q, found[q]);
	return sum / static_cast<double>(query_count_);
}

}  // namespace vecdb::client
