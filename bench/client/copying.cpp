/* SPDX-License-Identifier: PostgreSQL
 * COPY and single rows into an indexed table, of few rows and of a million, beside the same table without an index: rows a second, and
 * the WAL of the index set against that of the rows themselves.
 *
 * Regime: client program. synchronous_commit is off, as in inserts.cpp.
 */
#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "facts.hpp"
#include "postgres.hpp"
#include "target.hpp"
#include "writes.hpp"

namespace vecdb::client
{

namespace
{

constexpr std::size_t kFew = 1000, kCopied = 50000, kSingles = 3000, kWarm = 200;

/* What one target does with one table; prefix tells the table. */
void
measure(std::vector<Connection> &clients, const Target &t, const Dataset &data, std::size_t table_rows,
		const std::string &prefix, Facts &facts)
{
	Connection &c = clients.front();
	std::size_t at = table_rows;
	insert_rows(clients, 2, data.base, at, kWarm, 60);
	at += kWarm;
	{
		WalMeter wal(c);
		Inserted r = insert_rows(clients, 1, data.base, at, kSingles, 12);
		at += kSingles;
		facts.add(t.name, prefix + "_single_rows_s", static_cast<double>(r.rows) / r.seconds);
		facts.add(t.name, prefix + "_single_cpu_us", r.cpu_us);
		wal.add(facts, t.name, prefix + "_single", r.rows);
	}
	{
		WalMeter wal(c);
		double cpu = c.backend_cpu(), start = now_seconds();
		{
			Undisturbed undisturbed({c.pid()});
			c.copy_rows("items (id, v)", data.base, nullptr, at, at + kCopied, at);
		}
		at += kCopied;
		facts.add(t.name, prefix + "_copy_rows_s", kCopied / (now_seconds() - start));
		facts.add(t.name, prefix + "_copy_cpu_us", 1e6 * (c.backend_cpu() - cpu) / kCopied);
		wal.add(facts, t.name, prefix + "_copy", kCopied);
	}
	{
		double start = now_seconds();
		std::exception_ptr error;
		{
			Undisturbed undisturbed({clients[0].pid(), clients[1].pid()});
			std::thread other([&] {
				try
				{
					clients[1].copy_rows("items (id, v)", data.base, nullptr, at, at + kCopied / 2, at);
				}
				catch (...)
				{
					error = std::current_exception();
				}
			});
			std::exception_ptr mine;
			try
			{
				c.copy_rows("items (id, v)", data.base, nullptr, at + kCopied / 2, at + kCopied, at + kCopied / 2);
			}
			catch (...)
			{
				mine = std::current_exception();
			}
			other.join();
			error = error ? error : mine;
		}
		if (error)
			std::rethrow_exception(error);
		facts.add(t.name, prefix + "_copy2_rows_s", kCopied / (now_seconds() - start));
	}
}

}  // namespace

int
copying(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "synth:1110000x128"), options.get("data", ""), 0);
	std::string set = options.get("set", "set");
	std::size_t needed = kWarm + kSingles + 2 * kCopied;
	if (data.base.rows < needed + kFew)
		throw std::runtime_error("copying: too few rows");
	std::size_t many = data.base.rows - needed;
	printf("\n== COPY and single rows into indexed tables: %s, tables of %zu and %zu rows\n", data.name.c_str(), kFew,
		   many);
	fflush(stdout);
	Facts facts(options, "copying", set);
	for (const Target &t : parse_targets(options))
		facts.measure(t, [&] {
			std::string database = t.database(set + "_copying");
			create_database(t, database);
			{
				std::vector<Connection> clients = connect(database, 2);
				for (Connection &c : clients)
					c.exec("SET synchronous_commit = off");
				Connection &c = clients.front();
				load_items(c, data, kFew);
				if (t.method != "none")
					create_index(c, t, data.distance, options);
				measure(clients, t, data, kFew, "few", facts);
				load_items(c, data, many);
				if (t.method != "none")
					facts.add_build(t.name, create_index(c, t, data.distance, options), "many_build");
				measure(clients, t, data, many, "many", facts);
			}
			drop_database(database);
		});
	facts.print();
	return 0;
}

}  // namespace vecdb::client
