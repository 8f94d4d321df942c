/* SPDX-License-Identifier: PostgreSQL
 * Brute force in tiles that stay in the cache, one share of the queries for each core.
 *
 * Regime: client program.
 */
#include "exact.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
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

Exact::Exact(const Dataset &data, std::size_t query_count, std::size_t k, const std::string &cache)
	: base_(data.base), queries_(data.queries), metric_(data.distance),
	  query_count_(std::min(query_count, data.queries.rows)), k_(std::min(k, data.base.rows))
{
	if (metric_ == Distance::cosine)
	{
		normalize(base_);
		normalize(queries_);
	}
	std::string path;
	if (!cache.empty())
	{
		char name[100];
		snprintf(name, sizeof name, "/%s-%016llx-%zu-%zu", data.name.c_str(),
				 static_cast<unsigned long long>(fingerprint(data)), query_count_, k_);
		path = cache + name + ".truth";
		std::ifstream file(path, std::ios::binary);
		nearest_.resize(query_count_ * k_);
		auto bytes = static_cast<std::streamsize>(nearest_.size() * sizeof(float));
		if (file.read(reinterpret_cast<char *>(nearest_.data()), bytes))
			return;
	}
	find(nullptr);
	if (path.empty())
		return;
	std::ofstream(path + ".new", std::ios::binary)
		.write(reinterpret_cast<const char *>(nearest_.data()),
			   static_cast<std::streamsize>(nearest_.size() * sizeof(float)));
	rename((path + ".new").c_str(), path.c_str());
}

Exact::Exact(const Dataset &data, std::size_t query_count, std::size_t k, const std::vector<bool> &live)
	: base_(data.base), queries_(data.queries), metric_(data.distance),
	  query_count_(std::min(query_count, data.queries.rows)), k_(std::min(k, data.base.rows))
{
	if (metric_ == Distance::cosine)
	{
		normalize(base_);
		normalize(queries_);
	}
	find(&live);
}

void
Exact::find(const std::vector<bool> *live)
{
	nearest_.assign(query_count_ * k_, 0);
	std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
	std::vector<std::thread> workers;
	for (std::size_t t = 0; t < threads; t++)
		workers.emplace_back([this, t, threads, live] {
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
							if (live != nullptr && !(*live)[i])
								continue;
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
				{
					std::vector<float> &heap = nearest[q - first];
					std::sort(heap.begin(), heap.end());
					std::copy(heap.begin(), heap.end(), &nearest_[q * k_]);
				}
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
				 distance(query, static_cast<std::size_t>(row)) <= kth(query);
	return static_cast<double>(std::min(right, k_)) / static_cast<double>(k_);
}

double
Exact::intrinsic_dimension() const
{
	double sum = 0;
	std::size_t used = 0;
	for (std::size_t q = 0; q < query_count_; q++)
	{
		/* Of -inner product of unit vectors, the squared distance is 2 + 2d. */
		auto radius = [&](std::size_t i) {
			double d = nearest_[q * k_ + i];
			return std::sqrt(std::max(0.0, metric_ == Distance::l2 ? d : 2 + 2 * d));
		};
		double far = radius(k_ - 1), logs = 0;
		std::size_t n = 0;
		for (std::size_t i = 0; i + 1 < k_; i++)
			if (radius(i) > 0 && far > 0)
			{
				logs += std::log(far / radius(i));
				n++;
			}
		if (logs > 0)
		{
			sum += static_cast<double>(n) / logs;
			used++;
		}
	}
	return used > 0 ? sum / static_cast<double>(used) : 0;
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
