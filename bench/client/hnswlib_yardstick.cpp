/* SPDX-License-Identifier: PostgreSQL
 * hnswlib in this process: see hnswlib_yardstick.hpp. Compiled for this machine's own instruction set.
 *
 * Regime: client program.
 */
#include "hnswlib_yardstick.hpp"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <numeric>
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

struct HnswlibYardstick::Impl
{
	Matrix queries;
	std::unique_ptr<hnswlib::SpaceInterface<float>> space;
	std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
	double seconds = 0;
	double cpu = 0;
	bool kept = false;
};

namespace
{

constexpr std::size_t kPadding = 16;

std::vector<float>
prepared(const float *row, std::size_t dims, Distance metric)
{
	std::vector<float> v(row, row + dims);
	double norm = 0;
	for (float x : v)
		norm += static_cast<double>(x) * x;
	if (metric == Distance::cosine && norm > 0)
		for (float &x : v)
			x = static_cast<float>(x / std::sqrt(norm));
	v.resize((dims + kPadding - 1) / kPadding * kPadding);
	return v;
}

double
cpu_seconds(clockid_t clock)
{
	timespec t;
	clock_gettime(clock, &t);
	return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

}  // namespace

HnswlibYardstick::HnswlibYardstick(const Dataset &data, int m, int ef_construction, unsigned threads,
								   const std::string &cache)
	: impl_(std::make_unique<Impl>())
{
	Impl &impl = *impl_;
	const Matrix &base = data.base;
	std::size_t dims = (base.dims + kPadding - 1) / kPadding * kPadding;
	if (data.distance == Distance::l2)
		impl.space = std::make_unique<hnswlib::L2Space>(dims);
	else
		impl.space = std::make_unique<hnswlib::InnerProductSpace>(dims);
	impl.queries.rows = data.queries.rows;
	impl.queries.dims = dims;
	for (std::size_t i = 0; i < data.queries.rows; i++)
	{
		std::vector<float> q = prepared(data.queries.row(i), base.dims, data.distance);
		impl.queries.values.insert(impl.queries.values.end(), q.begin(), q.end());
	}
	std::string path;
	if (!cache.empty())
	{
		char name[100];
		snprintf(name, sizeof name, "/%s-%016llx-%d-%d-%u", data.name.c_str(),
				 static_cast<unsigned long long>(fingerprint(data)), m, ef_construction, threads);
		path = cache + name + ".hnswlib";
		if (std::ifstream(path + ".cost") >> impl.seconds >> impl.cpu)
		{
			impl.graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(impl.space.get(), path);
			impl.kept = true;
			return;
		}
	}
	double start = now_seconds(), cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
	impl.graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(
		impl.space.get(), base.rows, static_cast<std::size_t>(m), static_cast<std::size_t>(ef_construction));
	std::atomic<std::size_t> next{1};
	impl.graph->addPoint(prepared(base.row(0), base.dims, data.distance).data(), 0);
	std::vector<std::thread> workers;
	for (unsigned t = 0; t < threads; t++)
		workers.emplace_back([&] {
			for (std::size_t i = next++; i < base.rows; i = next++)
				impl.graph->addPoint(prepared(base.row(i), base.dims, data.distance).data(), i);
		});
	for (std::thread &w : workers)
		w.join();
	impl.seconds = now_seconds() - start;
	impl.cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	if (path.empty())
		return;
	impl.graph->saveIndex(path);
	std::ofstream(path + ".cost") << impl.seconds << ' ' << impl.cpu << '\n';
}

HnswlibYardstick::~HnswlibYardstick() = default;

void
HnswlibYardstick::set_ef(std::size_t ef)
{
	impl_->graph->setEf(ef);
}

std::vector<std::int32_t>
HnswlibYardstick::search(std::size_t query, std::size_t k) const
{
	auto found = impl_->graph->searchKnn(impl_->queries.row(query), k);
	std::vector<std::int32_t> ids;
	for (; !found.empty(); found.pop())
		ids.push_back(static_cast<std::int32_t>(found.top().second));
	return ids;
}

Load
HnswlibYardstick::run_load(std::size_t clients, std::size_t queries, std::size_t k, double seconds) const
{
	std::atomic<std::size_t> done{0};
	std::vector<double> cpu(clients, 0);
	double start = now_seconds();
	std::vector<std::thread> threads;
	for (std::size_t c = 0; c < clients; c++)
		threads.emplace_back([&, c] {
			std::size_t n = 0;
			double before = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
			for (std::size_t q = c * queries / clients; n == 0 || now_seconds() - start < seconds; n++)
			{
				search(q, k);
				q = q + 1 == queries ? 0 : q + 1;
			}
			done += n;
			cpu[c] = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - before;
		});
	for (std::thread &t : threads)
		t.join();
	Load load;
	load.qps = static_cast<double>(done) / (now_seconds() - start);
	load.mean_ms = 1000 * static_cast<double>(clients) / load.qps;
	load.cpu_us = 1e6 * std::accumulate(cpu.begin(), cpu.end(), 0.0) / static_cast<double>(done);
	return load;
}

double
HnswlibYardstick::build_seconds() const
{
	return impl_->seconds;
}

double
HnswlibYardstick::build_cpu() const
{
	return impl_->cpu;
}

bool
HnswlibYardstick::kept() const
{
	return impl_->kept;
}

double
HnswlibYardstick::megabytes() const
{
	/* Vectors, links and labels of the base layer; upper layers add some per cent. */
	return static_cast<double>(impl_->graph->cur_element_count * impl_->graph->size_data_per_element_) / 1e6;
}

}  // namespace vecdb::client
