/* SPDX-License-Identifier: PostgreSQL
 * hnswlib in this process, without a server: how fast the well-known library answers the same queries.
 *
 * Regime: client program.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataset.hpp"
#include "postgres.hpp"

namespace vecdb::client
{

class HnswlibYardstick
{
public:
	/* Builds with threads. */
	HnswlibYardstick(const Dataset &data, int m, int ef_construction, unsigned threads);
	~HnswlibYardstick();

	void set_ef(std::size_t ef);
	std::vector<std::int32_t> search(std::size_t query, std::size_t k) const;
	Load run_load(std::size_t clients, std::size_t queries, std::size_t k, double seconds) const;

	double build_seconds() const;
	double megabytes() const;

private:
	struct Impl;
	std::unique_ptr<Impl> impl_;
};

}  // namespace vecdb::client
