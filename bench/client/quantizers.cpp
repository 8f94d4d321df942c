/* SPDX-License-Identifier: PostgreSQL
 * Codecs of one access method side by side: bytes, build, recall and speed, as they are by default and at equal recall.
 *
 * Regime: client program.
 * One table serves all: an index after the other, since what is compared differs by more than a busy machine does.
 */
#include <cstdio>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
#include "facts.hpp"
#include "ladder.hpp"
#include "target.hpp"

namespace vecdb::client
{

namespace
{

/* With these probes and more. */
constexpr double kHighEnough = 0.96;

std::string
text(AtRecall a)
{
	return a.relation == '-' ? "-" : (a.relation == '>' ? ">" : "") + std::to_string(static_cast<int>(a.value));
}

}  // namespace

int
quantizers(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "fashion"), options.get("data", ""),
								static_cast<std::size_t>(options.number("rows", 0)));
	std::string set = options.get("set", "set");
	double seconds = options.number("seconds", 1);
	int repeat = static_cast<int>(options.number("repeat", 3));
	printf("\n== quantizers: %s, %zu rows, %zu dimensions, %s\n", data.name.c_str(), data.base.rows, data.base.dims,
		   data.distance == Distance::l2 ? "L2" : "cosine");
	Exact exact(data, static_cast<std::size_t>(options.number("queries", 1000)), kNeighbors, options.get("cache", ""));
	std::vector<std::string> queries = encode_rows(data.queries, exact.query_count());
	Facts facts(options, "quantizers", set);
	Target table;
	table.name = "vecdb_quantizers";
	std::string database = table.database(set);
	create_database(table, database);
	{
		Connection c(database);
		load_items(c, data, data.base.rows);
	}
	printf("\n  %-30s %8s %8s %10s | %9s %8s %8s | %10s %10s\n", "", "bytes/row", "build s", "build CPU",
		   "default:", "QPS 2", "CPU us", "QPS2@.90", "QPS2@.95");
	std::vector<Subject> subjects;
	for (const Target &target : parse_targets(options))
	{
		Subject s;
		s.name = target.name;
		s.target = target;
		try
		{
			Connection c(database);
			c.exec("DROP INDEX IF EXISTS items_v");
			s.build = create_index(c, target, data.distance, options);
		}
		catch (const std::exception &e)
		{
			printf("  %-30s %s\n", s.name.c_str(), e.what());
			continue;
		}
		s.connections = connect(database, 2);
		for (const std::string &item : options.list("ef", "0,1,2,4,8,16,32,64,128,256"))
		{
			measure_recall_and_pages(s, data, exact, queries, std::stoi(item));
			for (int r = 0; r < repeat; r++)
				measure_speed(s, queries, seconds);
			if (item != "0" && s.points.back().recall >= kHighEnough)
				break;
		}
		check_plan(s, data.distance);
		s.connections.clear();
		double bytes = s.build.index_mb * 1e6 / static_cast<double>(data.base.rows);
		facts.add(s.name, "bytes_per_row", bytes);
		facts.add(s.name, "qps2_90", at_recall(s, 0.90, qps2_of).value);
		const Point *p = s.default_point();
		Point none;
		if (p == nullptr)
			p = &none;
		printf("  %-30s %8.1f %8.2f %10.2f | %9.4f %8.0f %8.0f | %10s %10s\n", s.name.c_str(), bytes, s.build.seconds,
			   s.build.cpu, p->recall, median(p->qps2), median(p->cpu), text(at_recall(s, 0.90, qps2_of)).c_str(),
			   text(at_recall(s, 0.95, qps2_of)).c_str());
		fflush(stdout);
		subjects.push_back(std::move(s));
	}
	print_ladder(subjects, "probes");
	if (!options.get("csv", "").empty())
		write_csv(options.get("csv", ""), data.name, subjects);
	add_facts(facts, subjects);
	return 0;
}

}  // namespace vecdb::client
