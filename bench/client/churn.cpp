/* SPDX-License-Identifier: PostgreSQL
 * What deletes and inserts do to an index: time of VACUUM, and recall at the same ef_search of an index built at once, of one
 * filled row by row, and of one in which a fifth of the rows is replaced by new ones, several times over.
 *
 * Regime: client program.
 * Always beside it: an index built at once on the very rows that are there in the end.
 */
#include <algorithm>
#include <cstdio>
#include <stdexcept>
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

/* Which fifth of the rows goes in a round: a hash, so that they lie anywhere. */
bool
falls(std::size_t id, std::size_t round)
{
	std::uint64_t h = (id + 1) * 0x9E3779B97F4A7C15ull + round * 0xBF58476D1CE4E5B9ull;
	h = (h ^ h >> 31) * 0x94D049BB133111EBull;
	return (h >> 33) % 5 == 0;
}

std::size_t
delete_fifth(Connection &c, std::vector<bool> &live, std::size_t round)
{
	std::string ids;
	std::size_t n = 0;
	for (std::size_t i = 0; i < live.size(); i++)
		if (live[i] && falls(i, round))
		{
			live[i] = false;
			ids += (n++ > 0 ? "," : "") + std::to_string(i);
		}
	c.exec("DELETE FROM items WHERE id = ANY ('{" + ids + "}'::integer[])");
	return n;
}

struct Cost
{
	double seconds = 0;
	double cpu = 0;
};

Cost
vacuum(Connection &c)
{
	Cost cost;
	double cpu = c.total_cpu(), start = now_seconds();
	c.exec("VACUUM items");
	cost.seconds = now_seconds() - start;
	cost.cpu = c.total_cpu() - cpu;
	return cost;
}

/* Builds the index of the rows that are there anew. */
void
fresh_index(Connection &c, const Target &t, const Dataset &data, const Exact &exact, const Options &options,
			Facts &facts, const std::string &prefix)
{
	c.exec("DROP INDEX items_v");
	facts.add_build(t.name, create_index(c, t, data.distance, options), prefix + "_build");
	measure_recall(c, data, exact, t, options.list("recall-ef", "20,40,100,200,400"), facts, prefix);
}

void
measure_vacuum(const Target &t, const std::string &set, const Dataset &data, const Options &options, Facts &facts)
{
	std::string scratch = t.database(set + "_vacuum");
	copy_database(t.database(set), scratch);
	{
		std::vector<Connection> clients = connect(scratch, 1);
		Connection &c = clients.front();
		prewarm(c);
		std::vector<bool> live(data.base.rows, true);
		std::size_t deleted = delete_fifth(c, live, 1);
		c.exec("CHECKPOINT");
		std::string lsn = c.value("SELECT pg_current_wal_insert_lsn()");
		Cost cost = vacuum(c);
		facts.add(t.name, "deleted_rows", static_cast<double>(deleted));
		facts.add(t.name, "vacuum_seconds", cost.seconds);
		facts.add(t.name, "vacuum_cpu", cost.cpu);
		facts.add(t.name, "vacuum_wal_mb",
				  c.number("SELECT pg_current_wal_insert_lsn() - '" + lsn + "'::pg_lsn") / 1e6);
		facts.add(t.name, "index_mb_after", c.number("SELECT pg_relation_size('items_v')") / 1e6);
		Exact exact(data, 1000, 10, live);
		measure_recall(c, data, exact, t, options.list("recall-ef", "20,40,100,200,400"), facts, "vacuumed");
		fresh_index(c, t, data, exact, options, facts, "fresh");
	}
	drop_database(scratch);
}

void
measure_histories(const Target &t, const std::string &set, const Dataset &data, std::size_t table_rows,
				  std::size_t rounds, const Options &options, Facts &facts)
{
	std::string scratch = t.database(set + "_histories");
	create_database(t, scratch);
	{
		std::vector<Connection> clients = connect(scratch, 2);
		Connection &c = clients.front();
		std::vector<std::string> ladder = options.list("recall-ef", "20,40,100,200,400");
		std::vector<bool> live(data.base.rows, false);
		std::fill(live.begin(), live.begin() + static_cast<std::ptrdiff_t>(table_rows), true);
		Exact first(data, 1000, 10, live);
		load_items(c, data, table_rows);
		facts.add_build(t.name, create_index(c, t, data.distance, options), "bulk_build");
		measure_recall(c, data, first, t, ladder, facts, "bulk");

		c.exec("TRUNCATE items");
		Inserted filled = insert_rows(clients, 2, data.base, 0, table_rows, 3600);
		facts.add(t.name, "filled_rows_s", static_cast<double>(filled.rows) / filled.seconds);
		facts.add(t.name, "filled_cpu_us", filled.cpu_us);
		facts.add(t.name, "filled_index_mb", c.number("SELECT pg_relation_size('items_v')") / 1e6);
		measure_recall(c, data, first, t, ladder, facts, "filled");

		std::size_t at = table_rows;
		double seconds = 0;
		for (std::size_t round = 1; round <= rounds; round++)
		{
			std::size_t n = std::min(delete_fifth(c, live, round), data.base.rows - at);
			seconds += vacuum(c).seconds;
			insert_rows(clients, 2, data.base, at, n, 3600);
			std::fill(live.begin() + static_cast<std::ptrdiff_t>(at),
					  live.begin() + static_cast<std::ptrdiff_t>(at + n), true);
			at += n;
		}
		facts.add(t.name, "churned_vacuum_seconds", seconds);
		facts.add(t.name, "churned_index_mb", c.number("SELECT pg_relation_size('items_v')") / 1e6);
		Exact last(data, 1000, 10, live);
		measure_recall(c, data, last, t, ladder, facts, "churned");
		fresh_index(c, t, data, last, options, facts, "rebuilt");
	}
	drop_database(scratch);
}

}  // namespace

int
churn(const Options &options)
{
	std::string set = options.get("set", "set");
	bool histories = options.get("what", "vacuum") == "histories";
	/* Histories begin with some of the rows, whatever the set has, since the others come in later. */
	auto rows = static_cast<std::size_t>(histories ? options.number("history-rows", 20000) : options.number("rows", 0));
	auto rounds = static_cast<std::size_t>(options.number("rounds", 3));
	Dataset data = load_dataset(options.get("dataset", "fashion"), options.get("data", ""), histories ? 0 : rows);
	if (histories && (rows == 0 || rows + rows * rounds / 5 > data.base.rows))
		throw std::runtime_error("churn: too few rows are left to insert");
	printf("\n== %s: %s, %zu rows; m = %s, ef_construction = %s\n",
		   histories ? "indexes built at once, filled row by row, and after churn" : "delete a fifth, VACUUM",
		   data.name.c_str(), histories ? rows : data.base.rows, options.get("m", "16").c_str(),
		   options.get("ef-construction", "64").c_str());
	if (histories)
		printf("   churn: %zu rounds of: delete a fifth, VACUUM, insert as many new rows one by one\n", rounds);
	fflush(stdout);
	Facts facts(options, histories ? "histories" : "vacuum", set);
	for (const Target &t : parse_targets(options))
		facts.measure(t, [&] {
			if (histories)
				measure_histories(t, set, data, rows, rounds, options, facts);
			else
			{
				facts.add_build(t.name, prepare_database(t, set, data, options));
				measure_vacuum(t, set, data, options, facts);
			}
		});
	facts.print();
	return 0;
}

}  // namespace vecdb::client
