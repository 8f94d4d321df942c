/* SPDX-License-Identifier: PostgreSQL
 * Clients that write: see writes.hpp.
 *
 * Regime: client program.
 */
#include "writes.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

namespace vecdb::client
{

void
drop_database(const std::string &database)
{
	Connection("postgres").exec("DROP DATABASE IF EXISTS " + database);
}

void
copy_database(const std::string &from, const std::string &to)
{
	drop_database(to);
	Connection("postgres").exec("CREATE DATABASE " + to + " TEMPLATE " + from + " STRATEGY file_copy");
}

void
prewarm(Connection &c)
{
	if (c.number("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_prewarm'") == 0)
		return;
	c.exec("CREATE EXTENSION IF NOT EXISTS pg_prewarm");
	c.exec("SELECT pg_prewarm('items_v'), pg_prewarm('items')");
}

Inserted
insert_rows(std::vector<Connection> &connections, std::size_t clients, const Matrix &m, std::size_t first,
			std::size_t count, double seconds)
{
	for (std::size_t c = 0; c < clients; c++)
	{
		connections[c].exec("SET synchronous_commit = off");
		connections[c].prepare("insert", "INSERT INTO items (id, v) VALUES ($1, $2)",
							   {23, connections[c].vector_type()});
	}
	std::vector<std::string> rows;
	for (std::size_t i = 0; i < count; i++)
		rows.push_back(encode_vector(m.row(first + i), m.dims));
	std::atomic<std::size_t> next{0}, done{0};
	std::vector<std::exception_ptr> errors(clients);
	Inserted result;
	double cpu = 0;
	for (std::size_t c = 0; c < clients; c++)
		cpu -= connections[c].backend_cpu();
	double start = now_seconds();
	std::vector<std::thread> threads;
	for (std::size_t c = 0; c < clients; c++)
		threads.emplace_back([&, c] {
			try
			{
				while (now_seconds() - start < seconds)
				{
					std::size_t i = next++;
					if (i >= count)
						break;
					connections[c].insert("insert", static_cast<std::int32_t>(first + i), rows[i]);
					done++;
				}
			}
			catch (...)
			{
				errors[c] = std::current_exception();
			}
		});
	for (std::thread &t : threads)
		t.join();
	result.seconds = now_seconds() - start;
	for (std::size_t c = 0; c < clients; c++)
	{
		if (errors[c])
			std::rethrow_exception(errors[c]);
		cpu += connections[c].backend_cpu();
	}
	result.rows = done;
	result.cpu_us = 1e6 * cpu / static_cast<double>(std::max<std::size_t>(result.rows, 1));
	return result;
}

WalMeter::WalMeter(Connection &c) : c_(c)
{
	c_.exec("CHECKPOINT");
	if (c_.number("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_walinspect'") > 0)
	{
		c_.exec("CREATE EXTENSION IF NOT EXISTS pg_walinspect");
		inspect_ = true;
	}
	start_ = c_.value("SELECT pg_current_wal_insert_lsn()");
}

void
WalMeter::add(Facts &facts, const std::string &target, const std::string &prefix, std::size_t rows)
{
	auto n = static_cast<double>(std::max<std::size_t>(rows, 1));
	std::string end = c_.value("SELECT pg_current_wal_insert_lsn()");
	facts.add(target, prefix + "_wal_bytes", c_.number("SELECT '" + end + "'::pg_lsn - '" + start_ + "'::pg_lsn") / n);
	if (!inspect_)
		return;
	c_.exec("SET synchronous_commit = on; CREATE TABLE flush_wal (); DROP TABLE flush_wal");
	facts.add(target, prefix + "_wal_records_bytes",
			  c_.number("SELECT sum(record_size) FROM pg_get_wal_stats('" + start_ + "', '" + end + "', false)") / n);
}

void
measure_recall(Connection &c, const Dataset &data, const Exact &exact, const Target &target,
			   const std::vector<std::string> &ladder, Facts &facts, const std::string &prefix)
{
	std::vector<std::string> queries = encode_rows(data.queries, exact.query_count());
	c.exec("SET enable_seqscan = off");
	for (const std::string &effort : ladder)
	{
		c.exec(target.set_effort(std::stoi(effort)));
		c.prepare("search", search_sql(data.distance), {c.vector_type()});
		std::vector<std::vector<std::int32_t>> found(queries.size());
		double cpu = c.backend_cpu();
		for (std::size_t q = 0; q < queries.size(); q++)
			c.search("search", queries[q], &found[q]);
		cpu = c.backend_cpu() - cpu;
		facts.add(target.name, prefix + "_recall_ef_" + effort, exact.recall(found));
		facts.add(target.name, prefix + "_cpu_us_ef_" + effort, 1e6 * cpu / static_cast<double>(queries.size()));
	}
	c.exec("RESET enable_seqscan");
}

}  // namespace vecdb::client
