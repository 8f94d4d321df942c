/* SPDX-License-Identifier: PostgreSQL
 * hnswlib in this process, without a server: how fast the well-known library answers the same queries.
 *
 * Regime: client program.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "postgres.hpp"

namespace vecdb::client
{

class HnswlibYardstick
{
public:
	/* Builds with threads. Vectors are padded with zeros to a multiple of 16, for which alone the library has its AVX kernels.
	 * The graph is kept in a file of directory cache for the next time; an empty name means no cache. */
	HnswlibYardstick(const Dataset &data, int m, int ef_construction, unsigned threads, const std::string &cache);
	~HnswlibYardstick();

	void set_ef(std::size_t ef);
	std::vector<std::int32_t> search(std::size_t query, std::size_t k) const;
	Load run_load(std::size_t clients, std::size_t queries, std::size_t k, double seconds) const;

	double build_seconds() const;
	double build_cpu() const;
	bool kept() const;
	double megabytes() const;

private:
	struct Impl;
	std::unique_ptr<Impl> impl_;
};

}  // namespace vecdb::client
