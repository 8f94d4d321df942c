/* SPDX-License-Identifier: PostgreSQL
 * hnswlib in this process: see hnswlib_yardstick.hpp. Compiled for this machine's own instruction set.
 *
 * Regime: client program.
 */
#include "hnswlib_yardstick.hpp"

#include <atomic>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wreorder"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

namespace vecdb::client
{

namespace
{

constexpr std::size_t kPadding = 16;

class HnswlibYardstick final : public Yardstick
{
public:
	HnswlibYardstick(const Dataset &data, int m, int ef_construction, unsigned threads, const std::string &cache)
	{
		const Matrix &base = data.base;
		std::size_t dims = (base.dims + kPadding - 1) / kPadding * kPadding;
		auto row = [&](std::size_t i) { return prepared(base.row(i), base.dims, dims, data.distance); };
		if (data.distance == Distance::l2)
			space_ = std::make_unique<hnswlib::L2Space>(dims);
		else
			space_ = std::make_unique<hnswlib::InnerProductSpace>(dims);
		queries_.rows = data.queries.rows;
		queries_.dims = dims;
		for (std::size_t i = 0; i < data.queries.rows; i++)
		{
			std::vector<float> q = prepared(data.queries.row(i), base.dims, dims, data.distance);
			queries_.values.insert(queries_.values.end(), q.begin(), q.end());
		}
		std::string path;
		if (!cache.empty())
		{
			char name[100];
			snprintf(name, sizeof name, "/%s-%016llx-%d-%d-%u", data.name.c_str(),
					 static_cast<unsigned long long>(fingerprint(data)), m, ef_construction, threads);
			path = cache + name + ".hnswlib";
			if (std::ifstream(path + ".cost") >> seconds_ >> cpu_)
			{
				graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), path);
				kept_ = true;
				return;
			}
		}
		double start = now_seconds(), cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
		graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space_.get(), base.rows, static_cast<std::size_t>(m),
																   static_cast<std::size_t>(ef_construction));
		std::atomic<std::size_t> next{1};
		graph_->addPoint(row(0).data(), 0);
		std::vector<std::thread> workers;
		for (unsigned t = 0; t < threads; t++)
			workers.emplace_back([&] {
				for (std::size_t i = next++; i < base.rows; i = next++)
					graph_->addPoint(row(i).data(), i);
			});
		for (std::thread &w : workers)
			w.join();
		seconds_ = now_seconds() - start;
		cpu_ = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		if (path.empty())
			return;
		graph_->saveIndex(path);
		std::ofstream(path + ".cost") << seconds_ << ' ' << cpu_ << '\n';
	}

	void
	set_effort(std::size_t effort) override
	{
		graph_->setEf(effort);
	}

	std::vector<std::int32_t>
	search(std::size_t query, std::size_t k) const override
	{
		auto found = graph_->searchKnn(queries_.row(query), k);
		std::vector<std::int32_t> ids;
		for (; !found.empty(); found.pop())
			ids.push_back(static_cast<std::int32_t>(found.top().second));
		return ids;
	}

	double
	megabytes() const override
	{
		/* Vectors, links and labels of the base layer; upper layers add some per cent. */
		return static_cast<double>(graph_->cur_element_count * graph_->size_data_per_element_) / 1e6;
	}

private:
	Matrix queries_;
	std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
	std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
};

}  // namespace

std::unique_ptr<Yardstick>
make_hnswlib_yardstick(const Dataset &data, int m, int ef_construction, unsigned threads, const std::string &cache)
{
	return std::make_unique<HnswlibYardstick>(data, m, ef_construction, threads, cache);
}

}  // namespace vecdb::client
