/* SPDX-License-Identifier: PostgreSQL
 * Databases of the things compared: see target.hpp.
 *
 * Regime: client program.
 */
#include "target.hpp"

#include <algorithm>

namespace vecdb::client
{

std::vector<Target>
open_targets(const Options &options, std::size_t clients)
{
	std::vector<Target> targets;
	for (const std::string &item : options.list("targets", "vecdb"))
	{
		std::size_t colon = item.find(':');
		Target t;
		t.name = item.substr(0, colon);
		if (colon != std::string::npos)
			for (char c : "," + item.substr(colon + 1))
				t.with += c == ';' ? ',' : c;
		std::string database = "bench_" + t.name;
		{
			Connection admin("postgres");
			admin.exec("DROP DATABASE IF EXISTS " + database);
			admin.exec("CREATE DATABASE " + database);
		}
		{
			Connection c(database);
			c.exec(t.name.compare(0, 8, "pgvector") == 0 ? "CREATE EXTENSION vector" : "CREATE EXTENSION vecdb");
		}
		for (std::size_t i = 0; i < clients; i++)
		{
			t.connections.emplace_back(database);
			t.connections.back().exec("SET max_parallel_workers_per_gather = 0; SET jit = off");
		}
		targets.push_back(std::move(t));
	}
	return targets;
}

double
median(std::vector<double> values)
{
	std::sort(values.begin(), values.end());
	std::size_t n = values.size();
	return n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace vecdb::client
