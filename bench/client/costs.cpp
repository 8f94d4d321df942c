/* SPDX-License-Identifier: PostgreSQL
 * Single costs side by side: text input, sequential scans by operator.
 *
 * Regime: client program.
 * CPU time of the backend, in alternating runs, median.
 */
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "facts.hpp"
#include "postgres.hpp"
#include "target.hpp"

namespace vecdb::client
{

namespace
{

struct Place
{
	std::string name;
	std::vector<Connection> connections;
};

struct Row
{
	std::string what;
	std::string unit;
	std::vector<double> values;  // one a target
	bool less_is_better;
};

void
print_row(const Row &row)
{
	printf("  %-38s", row.what.c_str());
	for (double v : row.values)
		printf(" %13.2f", v);
	printf("  %-12s", row.unit.c_str());
	if (row.values.size() > 1 && row.values.front() > 0 && row.values.back() > 0)
	{
		double ratio = row.values.front() / row.values.back();
		printf(" first is %.2fx %s", row.less_is_better ? 1 / ratio : ratio, "as good as last");
	}
	printf("\n");
	fflush(stdout);
}

/* CPU seconds of one statement in each target: runs of about half a second that alternate, median. */
std::vector<double>
cpu_of(std::vector<Place> &places, const std::string &sql, int repeat)
{
	std::vector<std::vector<double>> runs(places.size());
	for (int r = 0; r < repeat; r++)
		for (std::size_t i = 0; i < places.size(); i++)
		{
			Connection &c = places[i].connections.front();
			c.exec(sql);  // warms up
			double before = c.backend_cpu(), start = now_seconds();
			int n = 0;
			for (; n == 0 || now_seconds() - start < 0.5; n++)
				c.exec(sql);
			runs[i].push_back((c.backend_cpu() - before) / n);
		}
	std::vector<double> medians;
	for (auto &r : runs)
		medians.push_back(median(r));
	return medians;
}

void
text_input(std::vector<Place> &places, Facts &facts, int repeat)
{
	/* The column of a subquery with OFFSET 0 is not folded, so each row parses the text again. */
	constexpr int kDims = 768, kRows = 3000;
	std::string text = "(SELECT '[' || string_agg(((i * 7919 % 20011) / 10007.0 - 1)::real::text, ',') || ']' AS s "
					   "FROM generate_series(1, " +
					   std::to_string(kDims) + ") i OFFSET 0)";
	std::string sql = "SELECT count(t.s::vector) FROM " + text + " t, generate_series(1, " + std::to_string(kRows) +
					  ")";
	std::vector<double> seconds = cpu_of(places, sql, repeat);
	for (double &s : seconds)
		s *= 1e6 / kRows;
	print_row({"text input, 768 dimensions", "us a vector", seconds, true});
	for (std::size_t i = 0; i < places.size(); i++)
		facts.add(places[i].name, "text_input_us", seconds[i]);
}

void
scans(std::vector<Place> &places, Facts &facts, const Dataset &data, int repeat)
{
	std::size_t rows = std::min<std::size_t>(data.base.rows, 30000);
	for (Place &t : places)
	{
		Connection &c = t.connections.front();
		c.exec("CREATE TABLE scanned (id integer, v vector(" + std::to_string(data.base.dims) + "))");
		/* Inline: the operator is to be measured, not TOAST. */
		c.exec("ALTER TABLE scanned ALTER v SET STORAGE PLAIN");
		c.copy_rows("scanned", data.base, nullptr, 0, rows, 0);
		c.exec("VACUUM ANALYZE scanned");
	}
	for (const char *operation : {"<->", "<#>", "<=>", "<+>"})
	{
		std::string sql = std::string("SELECT sum(v ") + operation + " (SELECT v FROM scanned LIMIT 1)) FROM scanned";
		std::vector<double> seconds = cpu_of(places, sql, repeat);
		for (double &s : seconds)
			s *= 1e9 / static_cast<double>(rows);
		print_row({"sequential scan, v " + std::string(operation) + " q, " + std::to_string(data.base.dims) + " dims",
				   "ns a row", seconds, true});
		for (std::size_t i = 0; i < places.size(); i++)
			facts.add(places[i].name, std::string("scan ") + operation, seconds[i]);
	}
	for (Place &t : places)
		t.connections.front().exec("DROP TABLE scanned");
}

}  // namespace

int
costs(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "fashion"), options.get("data", ""), 0);
	std::vector<Place> places;
	printf("\n== single costs, %s\n\n  %-38s", data.name.c_str(), "");
	for (const Target &t : parse_targets(options))
	{
		/* Options of an index do not matter here: vecdb once. */
		if (!t.peer() && !places.empty())
			continue;
		create_database(t, t.database("costs"));
		places.push_back({t.name, connect(t.database("costs"), 1)});
		printf(" %13s", t.name.c_str());
	}
	printf("\n");
	Facts facts(options, "costs", "fashion");
	int repeat = static_cast<int>(options.number("repeat", 3));
	text_input(places, facts, repeat);
	scans(places, facts, data, repeat);
	return 0;
}

}  // namespace vecdb::client
