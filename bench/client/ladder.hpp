/* SPDX-License-Identifier: PostgreSQL
 * Speed against recall: what is measured at each rung, and figures at equal recall.
 *
 * Regime: client program.
 */
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "exact.hpp"
#include "facts.hpp"
#include "postgres.hpp"
#include "target.hpp"
#include "yardstick.hpp"

namespace vecdb::client
{

constexpr std::size_t kNeighbors = 10;

/* A rung. effort is ef_search or the lists that a query looks at; 0 is what the index takes by itself. */
struct Point
{
	int effort = 0;
	double recall = 0;
	double pages = 0;  // of index, table and TOAST that a query touches
	std::vector<double> qps1, qps2, cpu;
};

struct Subject
{
	std::string name;
	Target target;
	std::vector<Connection> connections;   // none: a library
	std::unique_ptr<Yardstick> yardstick;  // the library
	IndexBuild build;
	std::vector<Point> points;
	bool kept = false;  // the points are of an earlier run
	bool done = false;  // recall so high that more effort tells nothing

	const Point *default_point() const;
};

/* Adds a point: recall over all queries, which also warms up, and pages. */
void measure_recall_and_pages(Subject &s, const Dataset &data, const Exact &exact,
							  const std::vector<std::string> &queries, int effort);

/* Another timed run at the last point: one client, then two. */
void measure_speed(Subject &s, const std::vector<std::string> &queries, double seconds);

/* Says so where the index is not used. */
void check_plan(Subject &s, Distance distance);

/* A figure at a recall by interpolation between the two points around it: its logarithm over the logit of recall. */
struct AtRecall
{
	double value = 0;
	char relation = ' ';  // '>': even the least effort finds more; '-': the ladder does not reach it
};

using Figure = double (*)(const Point &);
double qps1_of(const Point &p);
double qps2_of(const Point &p);
double cpu_of(const Point &p);
double pages_of(const Point &p);

AtRecall at_recall(const Subject &s, double recall, Figure figure);

void print_ladder(const std::vector<Subject> &subjects, const char *effort_name);
void print_equal_recall(const std::vector<Subject> &subjects);
void write_csv(const std::string &path, const std::string &dataset, std::span<const Subject> subjects);
/* The points of a subject in a CSV that write_csv has left; false: it has none. */
bool read_csv(const std::string &path, Subject &s);
void add_facts(Facts &facts, const std::vector<Subject> &subjects);

}  // namespace vecdb::client
