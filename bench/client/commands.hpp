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

/* What a data set is like: see describe.cpp. */
int describe(const Options &options);

/* Recall, speed, build time and size of several servers' indexes side by side: see compare.cpp. */
int compare(const Options &options);

/* Text input and sequential scans side by side: see costs.cpp. */
int costs(const Options &options);

/* Every type: functions call by call, exact searches, text input, side by side: see types.cpp. */
int types(const Options &options);

/* Rows into an indexed table, one by one and many at once; a build with little memory: see inserts.cpp. */
int inserts(const Options &options);

/* COPY into indexed tables of 128 dimensions, and the WAL of it: see copying.cpp. */
int copying(const Options &options);

/* Codecs of an access method, a row each: see quantizers.cpp. */
int quantizers(const Options &options);

/* Rows of kinds that an index was not built on: see drift.cpp. */
int drift(const Options &options);

/* Delete and VACUUM; what an index filled by inserts and one after churn find: see churn.cpp. */
int churn(const Options &options);

/* Pages read by queries that meet a cold cache: see disk.cpp. */
int disk(const Options &options);

/* Functions of the query API beside the SQL that they stand for: see api.cpp. */
int api(const Options &options);

/* All figures against the project's targets: see report.cpp. */
int report(const Options &options);

}  // namespace vecdb::client
