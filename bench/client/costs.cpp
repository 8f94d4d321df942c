/* SPDX-License-Identifier: PostgreSQL
 * Single costs side by side: text input, sequential scans by operator, inserts into an indexed table, vacuum.
 *
 * Regime: client program.
 * Scans and text input are measured as CPU time of the backend, in alternating runs, median; the rest as wall time, once,
 * with synchronous_commit off so that the disk's flushes do not hide the index's work.
 */
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "postgres.hpp"
#include "target.hpp"

namespace vecdb::client
{

namespace
{

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
cpu_of(std::vector<Target> &targets, const std::string &sql, int repeat)
{
	std::vector<std::vector<double>> runs(targets.size());
	for (int r = 0; r < repeat; r++)
		for (std::size_t i = 0; i < targets.size(); i++)
		{
			Connection &c = targets[i].first();
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
text_input(std::vector<Target> &targets, int repeat)
{
	/* The column of a subquery with OFFSET 0 is not folded, so each row parses the text again. */
	constexpr int kDims = 768, kRows = 3000;
	std::string text = "(SELECT '[' || string_agg(((i * 7919 % 20011) / 10007.0 - 1)::real::text, ',') || ']' AS s "
					   "FROM generate_series(1, " +
					   std::to_string(kDims) + ") i OFFSET 0)";
	std::string sql = "SELECT count(t.s::vector) FROM " + text + " t, generate_series(1, " + std::to_string(kRows) +
					  ")";
	std::vector<double> seconds = cpu_of(targets, sql, repeat);
	for (double &s : seconds)
		s *= 1e6 / kRows;
	print_row({"text input, 768 dimensions", "us a vector", seconds, true});
}

void
scans(std::vector<Target> &targets, const Dataset &data, int repeat)
{
	std::size_t rows = std::min<std::size_t>(data.base.rows, 30000);
	for (Target &t : targets)
	{
		Connection &c = t.first();
		c.exec("CREATE TABLE scanned (id integer, v vector(" + std::to_string(data.base.dims) + "))");
		/* Inline: the operator is to be measured, not TOAST. */
		c.exec("ALTER TABLE scanned ALTER v SET STORAGE PLAIN");
		c.copy_rows("scanned", data.base, nullptr, 0, rows, 0);
		c.exec("VACUUM ANALYZE scanned");
	}
	for (const char *operation : {"<->", "<#>", "<=>", "<+>"})
	{
		std::string sql = std::string("SELECT sum(v ") + operation + " (SELECT v FROM scanned LIMIT 1)) FROM scanned";
		std::vector<double> seconds = cpu_of(targets, sql, repeat);
		for (double &s : seconds)
			s *= 1e9 / static_cast<double>(rows);
		print_row({"sequential scan, v " + std::string(operation) + " q, " + std::to_string(data.base.dims) + " dims",
				   "ns a row", seconds, true});
	}
	for (Target &t : targets)
		t.first().exec("DROP TABLE scanned");
}

void
churn(std::vector<Target> &targets, const Dataset &data, const Options &options)
{
	std::size_t rows = std::min<std::size_t>(data.base.rows / 2, 30000);
	std::size_t singles = std::min<std::size_t>(rows / 10, 2000), copied = std::min<std::size_t>(rows / 5, 5000);
	const char *ops = data.distance == Distance::l2 ? "vector_l2_ops" : "vector_cosine_ops";
	Row insert{"INSERT, one row each", "rows/s", {}, false}, wal{"  its WAL", "bytes a row", {}, true},
		copy{"COPY into the indexed table", "rows/s", {}, false}, copy_wal{"  its WAL", "bytes a row", {}, true},
		vacuum{"VACUUM after deleting 20%", "s", {}, true}, size{"index after all that", "MB", {}, true};
	for (Target &t : targets)
	{
		Connection &c = t.first();
		c.exec("CREATE TABLE churned (id integer, v vector(" + std::to_string(data.base.dims) + "))");
		c.exec("SET synchronous_commit = off");
		c.copy_rows("churned", data.base, nullptr, 0, rows, 0);
		c.exec(std::string("CREATE INDEX churned_v ON churned USING hnsw (v ") + ops + ") WITH (m = " +
			   options.get("m", "16") + ", ef_construction = " + options.get("ef-construction", "64") + t.with + ")");
		c.exec("CHECKPOINT");
		c.prepare("insert", "INSERT INTO churned VALUES ($1, $2)", {23, c.vector_type()});
		std::string lsn = c.value("SELECT pg_current_wal_insert_lsn()");
		auto wal_since = [&](std::size_t n) {
			return c.number("SELECT pg_current_wal_insert_lsn() - '" + lsn + "'::pg_lsn") / static_cast<double>(n);
		};
		std::size_t at = rows;
		std::vector<std::string> encoded;
		for (std::size_t i = 0; i < singles; i++)
			encoded.push_back(encode_vector(data.base.row(at + i), data.base.dims));
		double start = now_seconds();
		for (std::size_t i = 0; i < singles; i++)
			c.insert("insert", static_cast<std::int32_t>(at + i), encoded[i]);
		insert.values.push_back(static_cast<double>(singles) / (now_seconds() - start));
		wal.values.push_back(wal_since(singles));
		at += singles;
		lsn = c.value("SELECT pg_current_wal_insert_lsn()");
		start = now_seconds();
		c.copy_rows("churned", data.base, nullptr, at, at + copied, at);
		copy.values.push_back(static_cast<double>(copied) / (now_seconds() - start));
		copy_wal.values.push_back(wal_since(copied));
		c.exec("DELETE FROM churned WHERE id % 5 = 0");
		start = now_seconds();
		c.exec("VACUUM churned");
		vacuum.values.push_back(now_seconds() - start);
		size.values.push_back(c.number("SELECT pg_relation_size('churned_v')") / 1e6);
		c.exec("DROP TABLE churned; RESET synchronous_commit");
	}
	for (const Row &row : {insert, wal, copy, copy_wal, vacuum, size})
		print_row(row);
}

}  // namespace

int
costs(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "fashion"), options.get("data", ""));
	std::vector<Target> targets = open_targets(options, 1);
	int repeat = static_cast<int>(options.number("repeat", 3));
	printf("\n== single costs, %s\n\n  %-38s", data.name.c_str(), "");
	for (const Target &t : targets)
		printf(" %13s", t.name.c_str());
	printf("\n");
	text_input(targets, repeat);
	scans(targets, data, repeat);
	churn(targets, data, options);
	return 0;
}

}  // namespace vecdb::client
