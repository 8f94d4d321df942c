/* SPDX-License-Identifier: PostgreSQL
 * A library in this process, without a server: how fast it answers the same queries.
 *
 * Regime: client program.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "postgres.hpp"

namespace vecdb::client
{

class Yardstick
{
public:
	virtual ~Yardstick() = default;

	/* What trades speed for recall: ef_search, or the lists that a query looks at. */
	virtual void set_effort(std::size_t effort) = 0;
	/* May be called by several threads at once. */
	virtual std::vector<std::int32_t> search(std::size_t query, std::size_t k) const = 0;
	virtual double megabytes() const = 0;

	/* Searches by so many threads at once for some seconds. */
	Load run_load(std::size_t threads, std::size_t queries, std::size_t k, double seconds) const;

	double
	build_seconds() const
	{
		return seconds_;
	}
	double
	build_cpu() const
	{
		return cpu_;
	}
	/* Built in an earlier run. */
	bool
	kept() const
	{
		return kept_;
	}

protected:
	double seconds_ = 0;
	double cpu_ = 0;
	bool kept_ = false;
};

double cpu_seconds(clockid_t clock);

/* The row with zeros up to dims; under cosine scaled to length 1. */
std::vector<float> prepared(const float *row, std::size_t dims, std::size_t padded, Distance metric);

}  // namespace vecdb::client
