/* SPDX-License-Identifier: PostgreSQL
 * One of the things compared: a database in which an extension with type vector and access method hnsw is installed.
 *
 * Regime: client program.
 */
#pragma once

#include <string>
#include <vector>

#include "commands.hpp"
#include "postgres.hpp"

namespace vecdb::client
{

struct Target
{
	std::string name;
	std::string with;                     // further storage parameters, ", precision = 8"
	std::vector<Connection> connections;  // kept, so that backends stay warm

	Connection &
	first()
	{
		return connections.front();
	}
};

/* --targets=NAME[:param=value[;param=value]],...: creates database bench_NAME with the extension and opens clients. */
std::vector<Target> open_targets(const Options &options, std::size_t clients);

/* Median; values need not be sorted. */
double median(std::vector<double> values);

}  // namespace vecdb::client
