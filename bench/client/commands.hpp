/* SPDX-License-Identifier: PostgreSQL
 * What main() can be asked to do.
 *
 * Regime: client program.
 */
#pragma once

#include <map>
#include <string>
#include <vector>

namespace vecdb::client
{

/* --name=value arguments. */
class Options
{
public:
	Options(int argc, char **argv);

	std::string get(const std::string &name, const std::string &otherwise) const;
	double number(const std::string &name, double otherwise) const;
	/* Comma-separated. */
	std::vector<std::string> list(const std::string &name, const std::string &otherwise) const;

private:
	std::map<std::string, std::string> values_;
};

/* Fashion-MNIST in a new database: see quickstart.cpp. */
int quickstart(const Options &options);

/* Recall, speed, build time and size of several servers' indexes side by side: see compare.cpp. */
int compare(const Options &options);

/* Single costs side by side: text input, scans, inserts, vacuum: see costs.cpp. */
int costs(const Options &options);

}  // namespace vecdb::client
