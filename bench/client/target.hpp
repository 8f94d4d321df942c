/* SPDX-License-Identifier: PostgreSQL
 * One of the things compared: an extension with type vector, one of its access methods, and options of the index.
 *
 * Regime: client program.
 */
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "postgres.hpp"

namespace vecdb::client
{

struct Target
{
	std::string name;
	std::string with;    // storage parameters, ", precision = 8"
	std::string method;  // hnsw, ivf, ivfflat; hnswlib, faiss: libraries

	std::string parameter(const std::string &name, const std::string &otherwise) const;
	bool library() const;
	/* Knows by itself how many lists to look at. */
	bool has_default() const;

	/* Not vecdb: its indexes outlive a new build of vecdb (--keep). */
	bool peer() const;
	/* What trades speed for recall: ef_search, or how many lists a query looks at (0: the default). */
	std::string set_effort(int effort) const;
	std::string database(const std::string &set) const;
};

/* --targets=NAME[:param=value[;param=value]],... The pseudo-parameter using names the access method: hnsw if it is not there. */
std::vector<Target> parse_targets(const Options &options);

/* An empty database with the target's extension, replacing what is there. */
void create_database(const Target &target, const std::string &database);

/* Connections for measuring, in a database that is there. */
std::vector<Connection> connect(const std::string &database, std::size_t clients);

const char *opclass(Distance d);
const char *distance_operator(Distance d);

/* The statement that everything times: ten nearest of table items. */
std::string search_sql(Distance d);

/* What a CREATE INDEX cost. */
struct IndexBuild
{
	double seconds = 0;
	double cpu = 0;        // seconds, of the backend with its threads and workers
	double memory_mb = 0;  // most at any time: private memory of backend and workers, and dynamic shared memory
	double index_mb = 0;
	double load = 0;    // of the machine, mean of the minute in which it ended
	bool kept = false;  // measured in an earlier run
};

/* Table items (id integer, v vector) with the first rows of data, without an index. */
void load_items(Connection &c, const Dataset &data, std::size_t rows);

/* Index items_v on items with the target's own options, and with --m and --ef-construction if it is a graph. */
IndexBuild create_index(Connection &c, const Target &target, Distance distance, const Options &options,
						const std::string &memory = "2GB");

/* The target's database of a set, with table and index. Where --keep allows and one made in the same way from the same data is
 * there, that one, with the figures of then. */
IndexBuild prepare_database(const Target &target, const std::string &set, const Dataset &data, const Options &options);

/* The figures of a kept index, if one made in the same way from the same data is there. */
std::optional<IndexBuild> kept_build(const Target &target, const std::string &set, const Dataset &data,
									 const Options &options);

void print_build_head();
void print_build(const std::string &name, const IndexBuild &build);

/* Median; values need not be sorted. */
double median(std::vector<double> values);

}  // namespace vecdb::client
