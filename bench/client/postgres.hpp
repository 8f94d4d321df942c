/* SPDX-License-Identifier: PostgreSQL
 * The server as quickstart and bench see it: one connection, binary COPY, prepared nearest-neighbour searches, and the
 * time that clients and backends spend.
 *
 * Regime: client program; failures are std::runtime_error with the server's message.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataset.hpp"

struct pg_conn;
struct pg_result;

namespace vecdb::client
{

/* The binary form of type vector on the wire. */
std::string encode_vector(const float *values, std::size_t dims);

std::vector<std::string> encode_rows(const Matrix &m, std::size_t count);

class Connection
{
public:
	/* To a database of the server that PGHOST and PGPORT name. */
	explicit Connection(const std::string &database);

	void exec(const std::string &sql);

	/* First column of the first row; empty when there is none. */
	std::string value(const std::string &sql);
	double number(const std::string &sql);

	/* First column of all rows, one line each. */
	std::string lines(const std::string &sql);

	/* Copies rows [first, last): (id, [label,] vector); id = first_id + position. labels may be null. */
	void copy_rows(const std::string &target, const Matrix &m, const std::uint8_t *labels, std::size_t first,
				   std::size_t last, std::size_t first_id);

	/* sql: one parameter of type vector, first result column int4. */
	void prepare(const std::string &name, const std::string &sql, const std::vector<unsigned> &types);

	/* Beside those that are there. */
	void prepare_also(const std::string &name, const std::string &sql, const std::vector<unsigned> &types);

	/* Parsed and planned for this once, with one parameter in binary. */
	void search_once(const std::string &sql, unsigned type, const std::string &encoded);

	/* Runs it with an encoded vector; binary both ways. ids may be null. */
	void search(const std::string &name, const std::string &encoded, std::vector<std::int32_t> *ids);

	/* INSERT with ($1 int4, $2 vector). */
	void insert(const std::string &name, std::int32_t id, const std::string &encoded);

	/* Seconds of CPU that the backend's first thread has used, to the nanosecond. */
	double backend_cpu() const;

	/* Seconds of CPU of the backend with all its threads and of processes that worked for it and have ended, in ticks of
	 * 10 ms. Only differences mean anything, and only while no other backend of the server ends. */
	double total_cpu() const;

	int
	pid() const
	{
		return pid_;
	}

	unsigned vector_type();

private:
	struct Closer
	{
		void operator()(pg_conn *c) const;
	};
	struct Clearer
	{
		void operator()(pg_result *r) const;
	};
	using Result = std::unique_ptr<pg_result, Clearer>;
	Result check(pg_result *result, const std::string &what) const;

	std::unique_ptr<pg_conn, Closer> connection_;
	int pid_ = 0;
};

struct Load
{
	double qps = 0;
	double mean_ms = 0;
	double cpu_us = 0;  // of the backends, a query
};

/* Runs the prepared search of each connection in a thread of its own for some seconds. */
Load run_load(std::vector<Connection> &connections, std::size_t clients, const std::string &name,
			  const std::vector<std::string> &queries, double seconds);

double now_seconds();

/* While it lives, this thread, threads begun by it and some processes are not disturbed by what else the machine does, if they may
 * be so: real-time scheduling with the priority of environment variable BENCH_PRIORITY. Without it, or the right to it, nothing happens. */
class Undisturbed
{
public:
	explicit Undisturbed(std::vector<int> pids = {});
	~Undisturbed();
	Undisturbed(const Undisturbed &) = delete;
	Undisturbed &operator=(const Undisturbed &) = delete;

private:
	std::vector<int> pids_;
};

}  // namespace vecdb::client
