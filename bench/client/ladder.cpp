/* SPDX-License-Identifier: PostgreSQL
 * Speed against recall: see ladder.hpp.
 *
 * Regime: client program.
 */
#include "ladder.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace vecdb::client
{

namespace
{

constexpr std::size_t kPageQueries = 60;

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

double
logit(double p)
{
	p = std::min(std::max(p, 1e-6), 1 - 1e-6);
	return std::log(p / (1 - p));
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

}  // namespace

const Point *
Subject::default_point() const
{
	for (const Point &p : points)
		if (p.effort == 0)
			return &p;
	return nullptr;
}

void
measure_recall_and_pages(Subject &s, const Dataset &data, const Exact &exact, const std::vector<std::string> &queries,
						 int effort)
{
	std::vector<std::vector<std::int32_t>> found(queries.size());
	Point p;
	p.effort = effort;
	std::vector<int> backends;
	for (const Connection &c : s.connections)
		backends.push_back(c.pid());
	Undisturbed undisturbed(std::move(backends));
	if (s.yardstick)
	{
		s.yardstick->set_effort(static_cast<std::size_t>(effort));
		for (std::size_t q = 0; q < queries.size(); q++)
			found[q] = s.yardstick->search(q, kNeighbors);
	}
	else
	{
		for (Connection &c : s.connections)
		{
			/* Of a small table a wide search may cost more than reading it all: the index is what is measured. */
			c.exec("SET enable_seqscan = off; " + s.target.set_effort(effort));
			c.prepare("search", search_sql(data.distance), {c.vector_type()});
		}
		for (std::size_t q = 0; q < queries.size(); q++)
			s.connections[q % 2].search("search", queries[q], &found[q]);
		std::size_t sample = std::min(kPageQueries, queries.size());
		for (std::size_t q = 0; q < sample; q++)
			p.pages += pages_touched(s.connections.front(), data, q) / static_cast<double>(sample);
	}
	p.recall = exact.recall(found);
	s.points.push_back(p);
}

void
measure_speed(Subject &s, const std::vector<std::string> &queries, double seconds)
{
	for (std::size_t n : {std::size_t{1}, std::size_t{2}})
	{
		Load load = s.yardstick ? s.yardstick->run_load(n, queries.size(), kNeighbors, seconds)
								: run_load(s.connections, n, "search", queries, seconds);
		Point &p = s.points.back();
		(n == 1 ? p.qps1 : p.qps2).push_back(load.qps);
		if (n == 1)
			p.cpu.push_back(load.cpu_us);
	}
}

void
check_plan(Subject &s, Distance distance)
{
	if (s.connections.empty())
		return;
	std::string plan = s.connections.front().lines("EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v " +
												   std::string(distance_operator(distance)) +
												   " (SELECT v FROM items LIMIT 1) LIMIT 10");
	if (plan.find("items_v") == std::string::npos)
		printf("\n  WARNING: %s did not use its index:\n%s", s.name.c_str(), plan.c_str());
}

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
	const Point *below = nullptr;
	for (const Point &p : s.points)
	{
		if (p.effort == 0)
			continue;
		if (p.recall < recall)
		{
			below = &p;
			continue;
		}
		if (below == nullptr)
			return {figure(p), '>'};
		double a = logit(below->recall), b = logit(p.recall);
		double t = b > a ? (logit(recall) - a) / (b - a) : 1;
		double low = std::max(figure(*below), 1e-9), high = std::max(figure(p), 1e-9);
		return {std::exp((1 - t) * std::log(low) + t * std::log(high)), '='};
	}
	return {0, '-'};
}

void
print_ladder(const std::vector<Subject> &subjects, const char *effort_name)
{
	printf("\n  %-22s %7s %9s %12s %12s %13s %12s\n", "", effort_name, "recall@10", "QPS 1 client", "QPS 2 clients",
		   "CPU us/query", "pages/query");
	for (const Subject &s : subjects)
		for (const Point &p : s.points)
			printf("  %-22s %7s %9.4f %12.0f %12.0f %13.0f %12.1f\n", s.name.c_str(),
				   p.effort > 0 ? std::to_string(p.effort).c_str() : "default", p.recall, median(p.qps1),
				   median(p.qps2), median(p.cpu), p.pages);
}

void
print_equal_recall(const std::vector<Subject> &subjects)
{
	printf("\n  at equal recall (interpolated; > the least effort finds more already; - not reached)\n  %-22s", "");
	for (const Column &c : kColumns)
		printf(" %11s", c.name);
	printf("\n");
	for (const Subject &s : subjects)
	{
		if (s.points.empty())
			continue;
		printf("  %-22s", s.name.c_str());
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
	fflush(stdout);
}

void
write_csv(const std::string &path, const std::string &dataset, std::span<const Subject> subjects)
{
	FILE *f = fopen(path.c_str(), "w");
	if (f == nullptr)
		throw std::runtime_error("cannot write " + path);
	fprintf(f,
			"dataset,subject,build_seconds,build_cpu_seconds,build_memory_mb,index_mb,effort,recall,qps_1,qps_2,cpu_us,"
			"pages\n");
	for (const Subject &s : subjects)
		for (const Point &p : s.points)
			fprintf(f, "%s,%s,%.2f,%.2f,%.1f,%.1f,%d,%.5f,%.1f,%.1f,%.1f,%.1f\n", dataset.c_str(), s.name.c_str(),
					s.build.seconds, s.build.cpu, s.build.memory_mb, s.build.index_mb, p.effort, p.recall,
					median(p.qps1), median(p.qps2), median(p.cpu), p.pages);
	fclose(f);
}

bool
read_csv(const std::string &path, Subject &s)
{
	std::ifstream file(path);
	for (std::string line; std::getline(file, line);)
	{
		std::vector<std::string> fields;
		std::istringstream rest(line);
		for (std::string field; std::getline(rest, field, ',');)
			fields.push_back(field);
		if (fields.size() != 12 || fields[1] != s.name)
			continue;
		Point p;
		p.effort = std::stoi(fields[6]);
		p.recall = std::stod(fields[7]);
		p.qps1 = {std::stod(fields[8])};
		p.qps2 = {std::stod(fields[9])};
		p.cpu = {std::stod(fields[10])};
		p.pages = std::stod(fields[11]);
		s.points.push_back(std::move(p));
	}
	s.kept = s.done = !s.points.empty();
	return s.kept;
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
				facts.add(s.name, c.fact, a.value, s.kept && a.relation == '=' ? 'k' : a.relation);
		}
		for (const Point &p : s.points)
			if (p.effort > 0)
				facts.add(s.name, "recall_ef_" + std::to_string(p.effort), p.recall);
		if (const Point *p = s.default_point())
		{
			facts.add(s.name, "default_recall", p->recall);
			facts.add(s.name, "default_qps1", median(p->qps1));
			facts.add(s.name, "default_qps2", median(p->qps2));
			facts.add(s.name, "default_cpu", median(p->cpu));
		}
	}
}

}  // namespace vecdb::client
