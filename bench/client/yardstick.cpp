/* SPDX-License-Identifier: PostgreSQL
 * What the libraries that serve as yardsticks have in common: see yardstick.hpp.
 *
 * Regime: client program.
 */
#include "yardstick.hpp"

#include <atomic>
#include <cmath>
#include <ctime>
#include <numeric>
#include <thread>

namespace vecdb::client
{

double
cpu_seconds(clockid_t clock)
{
	timespec t;
	clock_gettime(clock, &t);
	return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

std::vector<float>
prepared(const float *row, std::size_t dims, std::size_t padded, Distance metric)
{
	std::vector<float> v(row, row + dims);
	double norm = 0;
	for (float x : v)
		norm += static_cast<double>(x) * x;
	if (metric == Distance::cosine && norm > 0)
		for (float &x : v)
			x = static_cast<float>(x / std::sqrt(norm));
	v.resize(padded);
	return v;
}

Load
Yardstick::run_load(std::size_t clients, std::size_t queries, std::size_t k, double seconds) const
{
	std::atomic<std::size_t> done{0};
	std::vector<double> cpu(clients, 0);
	Undisturbed undisturbed;
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

}  // namespace vecdb::client
