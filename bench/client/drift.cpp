/* SPDX-License-Identifier: PostgreSQL
 * Rows of a kind that the index has never seen: built on some rows, loaded with ten times as many from elsewhere, vacuumed; beside a
 * fresh index of all.
 *
 * Regime: client program.
 * Elsewhere: with classes, the rows of all but the first class; without, those farther along a fixed direction of space. Queries are
 * those of the whole.
 */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
#include "facts.hpp"
#include "ladder.hpp"
#include "target.hpp"
#include "writes.hpp"

namespace vecdb::client
{

namespace
{

constexpr std::size_t kTimes = 10;

/* Sorts the rows so that the first are those to train with, and the rest are of other kinds, in no order. The number of the first. */
std::size_t
split(Dataset &data)
{
	const Matrix &m = data.base;
	std::vector<std::size_t> order(m.rows);
	std::iota(order.begin(), order.end(), std::size_t{0});
	std::vector<double> key(m.rows);
	std::size_t first = m.rows / (kTimes + 1);
	if (!data.base_labels.empty())
	{
		for (std::size_t i = 0; i < m.rows; i++)
			key[i] = data.base_labels[i];
		first = static_cast<std::size_t>(std::count(data.base_labels.begin(), data.base_labels.end(), 0));
	}
	else
		for (std::size_t i = 0; i < m.rows; i++)
		{
			double along = 0, norm = 0;
			for (std::size_t j = 0; j < m.dims; j++)
			{
				double x = m.row(i)[j];
				along += j * 2654435761u >> 7 & 1 ? x : -x;
				norm += x * x;
			}
			key[i] = data.distance == Distance::cosine && norm > 0 ? along / std::sqrt(norm) : along;
		}
	std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key[a] < key[b]; });
	auto hash = [](std::size_t i) { return (i + 1) * 0x9E3779B97F4A7C15ull; };
	std::sort(order.begin() + static_cast<std::ptrdiff_t>(first), order.end(),
			  [&](std::size_t a, std::size_t b) { return hash(a) < hash(b); });
	Matrix sorted;
	sorted.rows = m.rows;
	sorted.dims = m.dims;
	sorted.values.reserve(m.values.size());
	for (std::size_t i : order)
		sorted.values.insert(sorted.values.end(), m.row(i), m.row(i) + m.dims);
	data.base = std::move(sorted);
	data.base_labels.clear();
	data.name += "-drift";
	return first;
}

void
measure(const std::string &database, const Target &t, const Dataset &data, const Exact &exact,
		const std::vector<std::string> &queries, const Options &options, const std::string &when,
		std::vector<Subject> &subjects, Facts &facts)
{
	Subject s;
	s.name = t.name + " " + when;
	s.target = t;
	s.connections = connect(database, 2);
	s.build.index_mb = s.connections.front().number("SELECT pg_relation_size('items_v')") / 1e6;
	for (const std::string &item : options.list("ef", "0,2,4,8,16,32"))
	{
		int effort = std::stoi(item);
		if (effort == 0 && !t.has_default())
			continue;
		measure_recall_and_pages(s, data, exact, queries, effort);
		measure_speed(s, queries, options.number("seconds", 1));
		std::string at = effort > 0 ? std::to_string(effort) : "default";
		facts.add(t.name, when + "_recall_ef_" + at, s.points.back().recall);
		facts.add(t.name, when + "_pages_ef_" + at, s.points.back().pages);
		facts.add(t.name, when + "_cpu_us_ef_" + at, median(s.points.back().cpu));
	}
	facts.add(t.name, when + "_index_mb", s.build.index_mb);
	check_plan(s, data.distance);
	s.connections.clear();
	subjects.push_back(std::move(s));
}

}  // namespace

int
drift(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "glove"), options.get("data", ""),
								static_cast<std::size_t>(options.number("rows", 0)));
	std::size_t first = split(data);
	std::string set = options.get("set", "set");
	printf("\n== drift: %s, an index of %zu rows, then %zu of other kinds by COPY, then VACUUM\n", data.name.c_str(),
		   first, data.base.rows - first);
	fflush(stdout);
	Exact exact(data, static_cast<std::size_t>(options.number("queries", 1000)), kNeighbors, options.get("cache", ""));
	std::vector<std::string> queries = encode_rows(data.queries, exact.query_count());
	Facts facts(options, "drift", set);
	std::vector<Subject> subjects;
	for (const Target &t : parse_targets(options))
		facts.measure(t, [&] {
			std::string database = t.database(set + "_drift");
			create_database(t, database);
			{
				Connection c(database);
				load_items(c, data, first);
				facts.add_build(t.name, create_index(c, t, data.distance, options), "trained_build");
				c.exec("SET synchronous_commit = off");
				double cpu = c.total_cpu(), start = now_seconds();
				c.copy_rows("items (id, v)", data.base, nullptr, first, data.base.rows, first);
				auto n = static_cast<double>(data.base.rows - first);
				facts.add(t.name, "copy_rows_s", n / (now_seconds() - start));
				facts.add(t.name, "copy_cpu_us", 1e6 * (c.total_cpu() - cpu) / n);
			}
			measure(database, t, data, exact, queries, options, "loaded", subjects, facts);
			for (const char *when : {"vacuumed", "vacuumed_again"})
			{
				/* One that has nothing to do with drift does not get better by another. */
				if (t.peer() && when[8] != '\0')
					continue;
				{
					/* The server counts a backend that has ended a little later. */
					std::this_thread::sleep_for(std::chrono::milliseconds(300));
					Connection c(database);
					double cpu = c.total_cpu(), start = now_seconds();
					c.exec("VACUUM ANALYZE items");
					facts.add(t.name, std::string(when) + "_seconds", now_seconds() - start);
					facts.add(t.name, std::string(when) + "_cpu", c.total_cpu() - cpu);
				}
				measure(database, t, data, exact, queries, options, when, subjects, facts);
			}
			{
				Connection c(database);
				c.exec("DROP INDEX items_v");
				facts.add_build(t.name, create_index(c, t, data.distance, options), "fresh_build");
			}
			measure(database, t, data, exact, queries, options, "fresh", subjects, facts);
			drop_database(database);
		});
	print_ladder(subjects, "probes");
	facts.print();
	return 0;
}

}  // namespace vecdb::client
