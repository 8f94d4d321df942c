/* SPDX-License-Identifier: PostgreSQL
 * Indexes side by side on one data set: build time, size, and speed against recall over a ladder of ef_search.
 *
 * Regime: client program.
 * Fair: same rows, same m and ef_construction, same memory and workers for the build, same prepared statement with binary
 * parameter and results. Timed runs of the targets alternate, and a figure is the median of its runs, so that a busy moment
 * of the machine cannot favour one. Recall comes from a pass of its own over all queries, which also warms up.
 */
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
#include "facts.hpp"
#include "hnswlib_yardstick.hpp"
#include "postgres.hpp"
#include "target.hpp"

namespace vecdb::client
{

namespace
{

constexpr std::size_t kNeighbors = 10;

/* A point of the ladder. */
struct Point
{
	int ef = 0;
	double recall = 0;
	double pages = 0;  // of index, table and TOAST that a query touches
	std::vector<double> qps1, qps2, cpu;
};

struct Subject
{
	std::string name;
	std::vector<Connection> connections;  // none: hnswlib
	IndexBuild build;
	std::vector<Point> points;
	bool done = false;  // recall so high that more ef_search tells nothing
};

constexpr double kHighEnough = 0.9975;
constexpr std::size_t kPageQueries = 60;

void
prepare(Subject &s, const Dataset &data, int ef)
{
	for (Connection &c : s.connections)
	{
		/* Of a small table a wide search may cost more than reading it all: the index is what is measured. */
		c.exec("SET enable_seqscan = off; SET hnsw.ef_search = " + std::to_string(ef));
		c.prepare("search", search_sql(data.distance), {c.vector_type()});
	}
}

/* Buffers that the executor counts, whether they were in memory or not. */
double
pages_touched(Connection &c, const Dataset &data, std::size_t query)
{
	std::string text = "[";
	for (std::size_t j = 0; j < data.queries.dims; j++)
	{
		char value[32];
		snprintf(value, sizeof value, j > 0 ? ",%.9g" : "%.9g", static_cast<double>(data.queries.row(query)[j]));
		text += value;
	}
	std::string plan = c.value("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE search('" + text + "]')");
	double pages = 0;
	for (const char *name : {"\"Shared Hit Blocks\": ", "\"Shared Read Blocks\": "})
	{
		/* The first is of the topmost node, which counts for all below it. */
		std::size_t at = plan.find(name);
		if (at != std::string::npos)
			pages += std::stod(plan.substr(at + strlen(name), 20));
	}
	return pages;
}

/* A figure at a recall by interpolation between the two points around it: its logarithm over the logit of recall. */
struct AtRecall
{
	double value = 0;
	char relation = ' ';  // '>': even the smallest ef_search finds more; '-': the ladder does not reach it
};

double
logit(double p)
{
	p = std::min(std::max(p, 1e-6), 1 - 1e-6);
	return std::log(p / (1 - p));
}

using Figure = double (*)(const Point &);

double
qps1_of(const Point &p)
{
	return median(p.qps1);
}

double
qps2_of(const Point &p)
{
	return median(p.qps2);
}

double
cpu_of(const Point &p)
{
	return median(p.cpu);
}

double
pages_of(const Point &p)
{
	return p.pages;
}

AtRecall
at_recall(const Subject &s, double recall, Figure figure)
{
	const std::vector<Point> &p = s.points;
	if (p.empty() || p.back().recall < recall)
		return {0, '-'};
	if (p.front().recall >= recall)
		return {figure(p.front()), '>'};
	for (std::size_t i = 1; i < p.size(); i++)
		if (p[i].recall >= recall)
		{
			double a = logit(p[i - 1].recall), b = logit(p[i].recall);
			double t = b > a ? (logit(recall) - a) / (b - a) : 1;
			double low = std::max(figure(p[i - 1]), 1e-9), high = std::max(figure(p[i]), 1e-9);
			return {std::exp((1 - t) * std::log(low) + t * std::log(high)), '='};
		}
	return {0, '-'};
}

struct Column
{
	const char *name;
	const char *fact;
	double recall;
	Figure figure;
};

/* What is compared at equal recall. */
constexpr Column kColumns[] = {{"QPS1@.95", "qps1_95", 0.95, qps1_of}, {"QPS2@.95", "qps2_95", 0.95, qps2_of},
							   {"us CPU@.95", "cpu_95", 0.95, cpu_of}, {"pages@.95", "pages_95", 0.95, pages_of},
							   {"QPS1@.99", "qps1_99", 0.99, qps1_of}, {"QPS2@.99", "qps2_99", 0.99, qps2_of},
							   {"us CPU@.99", "cpu_99", 0.99, cpu_of}, {"pages@.99", "pages_99", 0.99, pages_of}};

void
print_ladder(const std::vector<Subject> &subjects)
{
	printf("\n  %-16s %5s %9s %12s %12s %13s %12s\n", "", "ef", "recall@10", "QPS 1 client", "QPS 2 clients",
		   "CPU us/query", "pages/query");
	for (const Subject &s : subjects)
		for (const Point &p : s.points)
			printf("  %-16s %5d %9.4f %12.0f %12.0f %13.0f %12.1f\n", s.name.c_str(), p.ef, p.recall, median(p.qps1),
				   median(p.qps2), median(p.cpu), p.pages);
}

void
print_equal_recall(const std::vector<Subject> &subjects)
{
	printf("\n  at equal recall (interpolated; > the least ef_search finds more already; - not reached)\n  %-16s", "");
	for (const Column &c : kColumns)
		printf(" %11s", c.name);
	printf("\n");
	for (const Subject &s : subjects)
	{
		printf("  %-16s", s.name.c_str());
		for (const Column &c : kColumns)
		{
			AtRecall a = at_recall(s, c.recall, c.figure);
			if (a.relation == '-' || a.value < 1e-6)
				printf(" %11s", "-");
			else
				printf(" %c%10.0f", a.relation == '>' ? '>' : ' ', a.value);
		}
		printf("\n");
	}
}

void
write_csv(const std::string &path, const std::string &dataset, const std::vector<Subject> &subjects)
{
	FILE *f = fopen(path.c_str(), "w");
	if (f == nullptr)
		throw std::runtime_error("cannot write " + path);
	fprintf(
		f,
		"dataset,subject,build_seconds,build_cpu_seconds,build_memory_mb,index_mb,ef_search,recall,qps_1,qps_2,cpu_us,"
		"pages\n");
	for (const Subject &s : subjects)
		for (const Point &p : s.points)
			fprintf(f, "%s,%s,%.2f,%.2f,%.1f,%.1f,%d,%.5f,%.1f,%.1f,%.1f,%.1f\n", dataset.c_str(), s.name.c_str(),
					s.build.seconds, s.build.cpu, s.build.memory_mb, s.build.index_mb, p.ef, p.recall, median(p.qps1),
					median(p.qps2), median(p.cpu), p.pages);
	fclose(f);
}

void
add_facts(Facts &facts, const std::vector<Subject> &subjects)
{
	for (const Subject &s : subjects)
	{
		facts.add_build(s.name, s.build);
		for (const Column &c : kColumns)
		{
			AtRecall a = at_recall(s, c.recall, c.figure);
			if (a.relation != '-' && a.value > 1e-6)
				facts.add(s.name, c.fact, a.value, a.relation);
		}
		for (const Point &p : s.points)
			facts.add(s.name, "recall_ef_" + std::to_string(p.ef), p.recall);
	}
}

}  // namespace

int
compare(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "fashion"), options.get("data", ""),
								static_cast<std::size_t>(options.number("rows", 0)));
	std::string set = options.get("set", "set");
	double seconds = options.number("seconds", 1);
	int repeat = static_cast<int>(options.number("repeat", 3));
	printf("\n== %s: %s, %zu rows, %zu dimensions, %s; m = %s, ef_construction = %s\n", set.c_str(), data.name.c_str(),
		   data.base.rows, data.base.dims, data.distance == Distance::l2 ? "L2" : "cosine",
		   options.get("m", "16").c_str(), options.get("ef-construction", "64").c_str());
	fflush(stdout);

	std::string cache = options.get("cache", "");
	Exact exact(data, static_cast<std::size_t>(options.number("queries", 1000)), kNeighbors, cache);
	std::vector<std::string> queries = encode_rows(data.queries, exact.query_count());
	std::vector<Subject> subjects;
	print_build_head();
	for (const Target &target : parse_targets(options))
	{
		Subject s;
		s.name = target.name;
		s.build = prepare_database(target, set, data, options);
		s.connections = connect(target.database(set), 2);
		print_build(s.name, s.build);
		subjects.push_back(std::move(s));
	}
	std::unique_ptr<HnswlibYardstick> yardstick;
	if (options.get("hnswlib", "yes") == "yes")
	{
		/* Its graph changes as seldom as a peer's index. */
		yardstick = std::make_unique<HnswlibYardstick>(data, static_cast<int>(options.number("m", 16)),
													   static_cast<int>(options.number("ef-construction", 64)), 2,
													   options.get("keep", "none") == "none" ? "" : cache);
		Subject s;
		s.name = "(hnswlib)";
		s.build.seconds = yardstick->build_seconds();
		s.build.cpu = yardstick->build_cpu();
		s.build.index_mb = yardstick->megabytes();
		s.build.kept = yardstick->kept();
		print_build(s.name, s.build);
		subjects.push_back(std::move(s));
	}

	for (const std::string &item : options.list("ef", "10,20,40,80,120,200,400,800"))
	{
		int ef = std::stoi(item);
		for (Subject &s : subjects)
		{
			if (s.done)
				continue;
			std::vector<std::vector<std::int32_t>> found(queries.size());
			Point p;
			p.ef = ef;
			if (!s.connections.empty())
			{
				prepare(s, data, ef);
				for (std::size_t q = 0; q < queries.size(); q++)
					s.connections[q % 2].search("search", queries[q], &found[q]);
				std::size_t sample = std::min(kPageQueries, queries.size());
				for (std::size_t q = 0; q < sample; q++)
					p.pages += pages_touched(s.connections.front(), data, q) / static_cast<double>(sample);
			}
			else
			{
				yardstick->set_ef(static_cast<std::size_t>(ef));
				for (std::size_t q = 0; q < queries.size(); q++)
					found[q] = yardstick->search(q, kNeighbors);
			}
			p.recall = exact.recall(found);
			s.points.push_back(p);
		}
		for (int r = 0; r < repeat; r++)
			for (Subject &s : subjects)
				for (std::size_t n : {std::size_t{1}, std::size_t{2}})
				{
					if (s.done)
						continue;
					Load load = !s.connections.empty() ? run_load(s.connections, n, "search", queries, seconds)
													   : yardstick->run_load(n, queries.size(), kNeighbors, seconds);
					Point &p = s.points.back();
					(n == 1 ? p.qps1 : p.qps2).push_back(load.qps);
					if (n == 1)
						p.cpu.push_back(load.cpu_us);
				}
		for (Subject &s : subjects)
			s.done = s.done || s.points.back().recall >= kHighEnough;
	}
	for (Subject &s : subjects)
		if (!s.connections.empty())
		{
			std::string plan = s.connections.front().lines("EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v " +
														   std::string(distance_operator(data.distance)) +
														   " (SELECT v FROM items LIMIT 1) LIMIT 10");
			if (plan.find("items_v") == std::string::npos)
				printf("\n  WARNING: %s did not use its index:\n%s", s.name.c_str(), plan.c_str());
		}
	print_ladder(subjects);
	print_equal_recall(subjects);
	if (!options.get("csv", "").empty())
		write_csv(options.get("csv", ""), data.name, subjects);
	Facts facts(options, "compare", set);
	add_facts(facts, subjects);
	return 0;
}

}  // namespace vecdb::client
