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
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
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
	std::vector<double> qps1, qps2, cpu;
};

struct Subject
{
	std::string name;
	double build_seconds = 0;
	double megabytes = 0;
	std::vector<Point> points;
};

const char *
opclass(Distance d)
{
	return d == Distance::l2 ? "vector_l2_ops" : "vector_cosine_ops";
}

std::string
search_sql(Distance d)
{
	return std::string("SELECT id FROM items ORDER BY v ") + (d == Distance::l2 ? "<->" : "<=>") + " $1 LIMIT " +
		   std::to_string(kNeighbors);
}

void
build(Target &t, const Dataset &data, const Options &options, Subject &subject)
{
	Connection &c = t.first();
	/* parallel_workers: the planner would count only the short main part of a table whose vectors are TOASTed. */
	c.exec("CREATE TABLE items (id integer NOT NULL, v vector(" + std::to_string(data.base.dims) +
		   ") NOT NULL) WITH (parallel_workers = 2)");
	c.copy_rows("items (id, v)", data.base, nullptr, 0, data.base.rows, 0);
	c.exec("VACUUM ANALYZE items");
	c.exec("CHECKPOINT");
	c.exec("SET maintenance_work_mem = '2GB'; SET max_parallel_maintenance_workers = 2");
	double start = now_seconds();
	c.exec(std::string("CREATE INDEX items_v ON items USING hnsw (v ") + opclass(data.distance) + ") WITH (m = " +
		   options.get("m", "16") + ", ef_construction = " + options.get("ef-construction", "64") + t.with + ")");
	subject.build_seconds = now_seconds() - start;
	subject.megabytes = c.number("SELECT pg_relation_size('items_v')") / 1e6;
	c.exec("CHECKPOINT");
}

void
prepare(Target &t, const Dataset &data, int ef)
{
	for (Connection &c : t.connections)
	{
		c.exec("SET hnsw.ef_search = " + std::to_string(ef));
		c.prepare("search", search_sql(data.distance), {c.vector_type()});
	}
}

/* QPS at a recall by interpolation between the two points around it: log QPS over the logit of recall. */
struct AtRecall
{
	double qps = 0;
	char relation = ' ';  // '>': even the smallest ef_search finds more; '-': the ladder does not reach it
};

double
logit(double p)
{
	p = std::min(std::max(p, 1e-6), 1 - 1e-6);
	return std::log(p / (1 - p));
}

AtRecall
qps_at(const Subject &s, double recall, std::vector<double> Point::*qps)
{
	const std::vector<Point> &p = s.points;
	if (p.empty() || p.back().recall < recall)
		return {0, '-'};
	if (p.front().recall >= recall)
		return {median(p.front().*qps), '>'};
	for (std::size_t i = 1; i < p.size(); i++)
		if (p[i].recall >= recall)
		{
			double a = logit(p[i - 1].recall), b = logit(p[i].recall);
			double t = b > a ? (logit(recall) - a) / (b - a) : 1;
			return {std::exp((1 - t) * std::log(median(p[i - 1].*qps)) + t * std::log(median(p[i].*qps))), ' '};
		}
	return {0, '-'};
}

void
print_ladder(const std::vector<Subject> &subjects, std::size_t clients)
{
	printf("\n  %-14s %5s %9s %12s %12s %13s %12s\n", "", "ef", "recall@10", "QPS 1 client",
		   ("QPS " + std::to_string(clients) + " clients").c_str(), "backend us/q", "ms/q 1 client");
	for (const Subject &s : subjects)
		for (const Point &p : s.points)
			printf("  %-14s %5d %9.4f %12.0f %12.0f %13.0f %12.3f\n", s.name.c_str(), p.ef, p.recall, median(p.qps1),
				   median(p.qps2), median(p.cpu), 1000 / median(p.qps1));
}

void
print_equal_recall(const std::vector<Subject> &subjects, std::size_t clients)
{
	printf("\n  at equal recall (interpolated; > the least ef_search finds more already, so a ratio ~ is not at equal "
		   "recall; "
		   "- not reached)\n");
	printf("  %-14s", "");
	for (double recall : {0.95, 0.99})
		for (std::size_t c : {std::size_t{1}, clients})
			printf("  %12s", ("QPS" + std::to_string(c) + " @ ." + (recall < 0.97 ? "95" : "99")).c_str());
	printf("\n");
	for (const Subject &s : subjects)
	{
		printf("  %-14s", s.name.c_str());
		for (double recall : {0.95, 0.99})
			for (auto qps : {&Point::qps1, &Point::qps2})
			{
				AtRecall a = qps_at(s, recall, qps);
				if (a.relation == '-')
					printf("  %12s", "-");
				else
					printf(" %c%12.0f", a.relation, a.qps);
			}
		printf("\n");
	}
	/* Everything against the one named pgvector. */
	auto base = std::find_if(subjects.begin(), subjects.end(), [](const Subject &s) { return s.name == "pgvector"; });
	if (base == subjects.end())
		return;
	for (const Subject &s : subjects)
	{
		if (&s == &*base)
			continue;
		printf("  %-14s", (s.name + "/pgv").c_str());
		for (double recall : {0.95, 0.99})
			for (auto qps : {&Point::qps1, &Point::qps2})
			{
				AtRecall a = qps_at(s, recall, qps), b = qps_at(*base, recall, qps);
				if (a.relation == '-' || b.relation == '-')
					printf("  %12s", "-");
				else
					printf(" %c%11.2fx", a.relation == '>' || b.relation == '>' ? '~' : ' ', a.qps / b.qps);
			}
		printf("   build %.2fx as fast, size %.2fx\n", base->build_seconds / s.build_seconds,
			   s.megabytes / base->megabytes);
	}
}

void
write_csv(const std::string &path, const std::string &dataset, const std::vector<Subject> &subjects)
{
	FILE *f = fopen(path.c_str(), "w");
	if (f == nullptr)
		throw std::runtime_error("cannot write " + path);
	fprintf(f, "dataset,subject,build_seconds,index_mb,ef_search,recall,qps_1,qps_n,backend_us\n");
	for (const Subject &s : subjects)
		for (const Point &p : s.points)
			fprintf(f, "%s,%s,%.2f,%.1f,%d,%.5f,%.1f,%.1f,%.1f\n", dataset.c_str(), s.name.c_str(), s.build_seconds,
					s.megabytes, p.ef, p.recall, median(p.qps1), median(p.qps2), median(p.cpu));
	fclose(f);
}

}  // namespace

int
compare(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "fashion"), options.get("data", ""));
	auto clients = static_cast<std::size_t>(options.number("clients", 2));
	double seconds = options.number("seconds", 1.5);
	int repeat = static_cast<int>(options.number("repeat", 3));
	printf("\n== %s: %zu rows, %zu dimensions, %s; m = %s, ef_construction = %s\n", data.name.c_str(), data.base.rows,
		   data.base.dims, data.distance == Distance::l2 ? "L2" : "cosine", options.get("m", "16").c_str(),
		   options.get("ef-construction", "64").c_str());
	fflush(stdout);

	Exact exact(data, static_cast<std::size_t>(options.number("queries", 1000)), kNeighbors);
	std::vector<std::string> queries = encode_rows(data.queries, exact.query_count());
	std::vector<Target> targets = open_targets(options, clients);
	std::vector<Subject> subjects(targets.size());
	printf("\n  %-14s %10s %10s\n", "", "build s", "index MB");
	for (std::size_t i = 0; i < targets.size(); i++)
	{
		subjects[i].name = targets[i].name;
		build(targets[i], data, options, subjects[i]);
		printf("  %-14s %10.1f %10.1f\n", subjects[i].name.c_str(), subjects[i].build_seconds, subjects[i].megabytes);
		fflush(stdout);
	}
	std::unique_ptr<HnswlibYardstick> yardstick;
	if (options.get("hnswlib", "yes") == "yes")
	{
		yardstick = std::make_unique<HnswlibYardstick>(data, static_cast<int>(options.number("m", 16)),
													   static_cast<int>(options.number("ef-construction", 64)), 2);
		Subject s;
		s.name = "(hnswlib)";
		s.build_seconds = yardstick->build_seconds();
		s.megabytes = yardstick->megabytes();
		printf("  %-14s %10.1f %10.1f   in this process, vectors included\n", s.name.c_str(), s.build_seconds,
			   s.megabytes);
		fflush(stdout);
		subjects.push_back(s);
	}

	for (const std::string &item : options.list("ef", "10,20,40,80,120,200,400,800"))
	{
		int ef = std::stoi(item);
		for (std::size_t i = 0; i < subjects.size(); i++)
		{
			std::vector<std::vector<std::int32_t>> found(queries.size());
			if (i < targets.size())
			{
				prepare(targets[i], data, ef);
				for (std::size_t q = 0; q < queries.size(); q++)
					targets[i].connections[q % clients].search("search", queries[q], &found[q]);
			}
			else
			{
				yardstick->set_ef(static_cast<std::size_t>(ef));
				for (std::size_t q = 0; q < queries.size(); q++)
					found[q] = yardstick->search(q, kNeighbors);
			}
			Point p;
			p.ef = ef;
			p.recall = exact.recall(found);
			subjects[i].points.push_back(p);
		}
		for (int r = 0; r < repeat; r++)
			for (std::size_t i = 0; i < subjects.size(); i++)
				for (std::size_t n : {std::size_t{1}, clients})
				{
					Load load = i < targets.size() ? run_load(targets[i].connections, n, "search", queries, seconds)
												   : yardstick->run_load(n, queries.size(), kNeighbors, seconds);
					Point &p = subjects[i].points.back();
					(n == 1 ? p.qps1 : p.qps2).push_back(load.qps);
					if (n == 1)
						p.cpu.push_back(load.cpu_us);
				}
	}
	for (Target &t : targets)
	{
		Connection &c = t.first();
		std::string plan = c.lines("EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v " +
								   std::string(data.distance == Distance::l2 ? "<->" : "<=>") +
								   " (SELECT v FROM items LIMIT 1) LIMIT 10");
		if (plan.find("items_v") == std::string::npos)
			printf("\n  WARNING: %s did not use its index:\n%s", t.name.c_str(), plan.c_str());
	}
	print_ladder(subjects, clients);
	print_equal_recall(subjects, clients);
	if (!options.get("csv", "").empty())
		write_csv(options.get("csv", ""), data.name, subjects);
	return 0;
}

}  // namespace vecdb::client
