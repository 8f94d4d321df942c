/* SPDX-License-Identifier: PostgreSQL
 * Clients that write: rows one by one from several connections; copies of a database; recall of what an index finds.
 *
 * Regime: client program.
 */
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "exact.hpp"
#include "facts.hpp"
#include "postgres.hpp"
#include "target.hpp"

namespace vecdb::client
{

/* A database with the same files as another, to be spoilt. Nobody may be connected to the other. */
void copy_database(const std::string &from, const std::string &to);
void drop_database(const std::string &database);

/* Index and table into shared buffers, where extension pg_prewarm is there. */
void prewarm(Connection &c);

struct Inserted
{
	std::size_t rows = 0;
	double seconds = 0;
	double cpu_us = 0;  // of the backends, a row
};

/* Rows [first, first + count) of m into items, each a statement and a transaction of its own, shared among the first clients
 * connections; stops after some seconds if they are not yet all in. A row's id is its number. */
Inserted insert_rows(std::vector<Connection> &connections, std::size_t clients, const Matrix &m, std::size_t first,
					 std::size_t count, double seconds);

/* Recall of the ten nearest at each effort (see Target), as facts prefix_recall_ef_N, and CPU as prefix_cpu_us_ef_N. */
void measure_recall(Connection &c, const Dataset &data, const Exact &exact, const Target &target,
					const std::vector<std::string> &ladder, Facts &facts, const std::string &prefix);

/* WAL of a stretch of work: all of it, and without images of whole pages. */
class WalMeter
{
public:
	explicit WalMeter(Connection &c);

	/* Bytes a row since then, as facts prefix_wal_bytes and prefix_wal_records_bytes. */
	void add(Facts &facts, const std::string &target, const std::string &prefix, std::size_t rows);

private:
	Connection &c_;
	std::string start_;
	bool inspect_ = false;
};

}  // namespace vecdb::client
