/* SPDX-License-Identifier: PostgreSQL
 * New rows into an indexed table: one by one from one and two clients, and by COPY; and a build with a quarter of the memory.
 *
 * Regime: client program.
 * synchronous_commit is off, so that the disk's flushes do not hide the index's work. Each target works on a copy of the
 * database that compare uses. WAL is counted from a checkpoint on, so that it holds the full image of each page touched
 * first; beside it what the records alone take.
 */
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
#include "facts.hpp"
#include "postgres.hpp"
#include "target.hpp"
#include "writes.hpp"

namespace vecdb::client
{

namespace
{

/* Rows of a client, one by one; a slow one stops after some seconds. */
constexpr std::size_t kSingles = 3500;
constexpr double kSingleSeconds = 12;

void
measure(const Target &t, const std::string &set, const Dataset &data, std::size_t table_rows, const Options &options,
		Facts &facts)
{
	std::string scratch = t.database(set + "_inserts");
	copy_database(t.database(set), scratch);
	{
		std::vector<Connection> clients = connect(scratch, 2);
		Connection &c = clients.front();
		prewarm(c);
		std::size_t at = table_rows, fresh = data.base.rows - table_rows;
		/* 20,000 into 300,000; a smaller table, for a quick look, gets fewer. */
		std::size_t copied = std::min({fresh * 2 / 3, table_rows / 15, std::size_t{20000}});
		std::size_t singles = std::min<std::size_t>((fresh - copied - 100) / 3, kSingles);
		insert_rows(clients, 2, data.base, at, 100, kSingleSeconds);  // warms up
		at += 100;
		for (std::size_t n : {std::size_t{1}, std::size_t{2}})
		{
			std::string prefix = "insert" + std::to_string(n);
			std::size_t offered = singles * n;
			WalMeter wal(c);
			Inserted r = insert_rows(clients, n, data.base, at, offered, kSingleSeconds);
			at += offered;
			facts.add(t.name, prefix + "_rows_s", static_cast<double>(r.rows) / r.seconds);
			facts.add(t.name, prefix + "_cpu_us", r.cpu_us);
			wal.add(facts, t.name, prefix, r.rows);
		}
		{
			WalMeter wal(c);
			double cpu = c.total_cpu(), start = now_seconds();
			c.exec("SET synchronous_commit = off");
			c.copy_rows("items (id, v)", data.base, nullptr, at, at + copied, at);
			facts.add(t.name, "copy_rows_s", static_cast<double>(copied) / (now_seconds() - start));
			facts.add(t.name, "copy_cpu_us", 1e6 * (c.total_cpu() - cpu) / static_cast<double>(copied));
			wal.add(facts, t.name, "copy", copied);
		}
		facts.add(t.name, "index_mb_after", c.number("SELECT pg_relation_size('items_v')") / 1e6);
		/* What went in is found as well as the rest. */
		std::string known = c.lines("SELECT id FROM items ORDER BY id");
		std::vector<bool> live(data.base.rows, false);
		for (std::size_t p = 0; p < known.size(); p = known.find('\n', p) + 1)
			live[std::stoul(known.substr(p, 12))] = true;
		Exact exact(data, 500, 10, live);
		std::vector<std::string> efforts = options.list("recall-ef", "40,100,200,400");
		measure_recall(c, data, exact, t, t.has_default() ? std::vector<std::string>{"0"} : efforts, facts,
					   "after_inserts");
	}
	drop_database(scratch);
}

/* Builds anew with a quarter of the memory that the first build took. */
void
small_memory(const Target &t, const std::string &set, const Dataset &data, const IndexBuild &full,
			 const Options &options, Facts &facts)
{
	std::string scratch = t.database(set + "_memory");
	copy_database(t.database(set), scratch);
	{
		Connection c(scratch);
		Exact exact(data, 500, 10, options.get("cache", ""));
		std::vector<std::string> ladder = options.list("recall-ef", "40,100,200,400");
		measure_recall(c, data, exact, t, ladder, facts, "full_memory");
		int quarter = std::max(2, static_cast<int>(full.memory_mb / 4));
		c.exec("DROP INDEX items_v");
		IndexBuild b = create_index(c, t, data.distance, options, std::to_string(quarter) + "MB");
		facts.add(t.name, "quarter_of_mb", full.memory_mb);
		facts.add(t.name, "full_seconds", full.seconds);
		facts.add(t.name, "full_cpu", full.cpu);
		facts.add_build(t.name, b, "quarter");
		measure_recall(c, data, exact, t, ladder, facts, "quarter");
	}
	drop_database(scratch);
}

}  // namespace

int
inserts(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "glove"), options.get("data", ""), 0);
	std::string set = options.get("set", "set");
	auto table_rows = static_cast<std::size_t>(options.number("rows", 300000));
	if (table_rows + 1000 > data.base.rows)
		throw std::runtime_error("inserts: too few rows are left to insert");
	/* The database must be the one of compare: of the first rows alone. */
	Dataset first = load_dataset(options.get("dataset", "glove"), options.get("data", ""), table_rows);
	bool memory = options.get("what", "inserts") == "memory";
	printf("\n== %s: %s, table of %zu rows; m = %s, ef_construction = %s\n",
		   memory ? "a build with a quarter of the memory" : "inserts of new rows", data.name.c_str(), table_rows,
		   options.get("m", "16").c_str(), options.get("ef-construction", "64").c_str());
	fflush(stdout);
	Facts facts(options, memory ? "memory" : "inserts", set);
	for (const Target &t : parse_targets(options))
	{
		/* A peer that runs out of memory inserts the rest one by one: that takes an hour and is no news. */
		if (memory && t.peer())
			continue;
		facts.measure(t, [&] {
			IndexBuild full = prepare_database(t, set, first, options);
			if (memory)
				small_memory(t, set, first, full, options, facts);
			else
				measure(t, set, data, table_rows, options, facts);
		});
	}
	facts.print();
	return 0;
}

}  // namespace vecdb::client
