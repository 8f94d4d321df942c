/* SPDX-License-Identifier: PostgreSQL
 * Indexes side by side on one data set: build time, size, and speed against recall over a ladder of ef_search or probes.
 *
 * Regime: client program.
 * Fair: same rows, same memory and workers for the build, same prepared statement with binary parameter and results; graphs have the
 * same m and ef_construction. Timed runs of the targets alternate, and a figure is the median of its runs, so that a busy moment
 * of the machine cannot favour one. Recall comes from a pass of its own over all queries, which also warms up.
 */
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
#include "facts.hpp"
#include "faiss_yardstick.hpp"
#include "hnswlib_yardstick.hpp"
#include "ladder.hpp"
#include "target.hpp"
#include "yardstick.hpp"

namespace vecdb::client
{

namespace
{

/* A library, built or from its file. Null where this program was built without it. */
std::unique_ptr<Yardstick>
make_yardstick(const Target &target, const Dataset &data, const Options &options)
{
	/* Its index changes as seldom as a peer's. */
	std::string cache = options.get("keep", "none") == "none" ? "" : options.get("cache", "");
	if (target.method == "hnswlib")
		return make_hnswlib_yardstick(data, static_cast<int>(options.number("m", 16)),
									  static_cast<int>(options.number("ef-construction", 64)), 2, cache);
	std::string factory = target.parameter("factory", "IVF1024/Flat");
	for (char &c : factory)
		c = c == '/' ? ',' : c;
	return make_faiss_yardstick(data, factory, std::stof(target.parameter("refine", "1")), 2, cache);
}

/* false: there is no such thing here. */
bool
make_ready(Subject &s, const std::string &set, const Dataset &data, const Options &options)
{
	if (!s.target.library())
	{
		s.build = prepare_database(s.target, set, data, options);
		s.connections = connect(s.target.database(set), 2);
		return true;
	}
	s.yardstick = make_yardstick(s.target, data, options);
	if (!s.yardstick)
		return false;
	s.build.seconds = s.yardstick->build_seconds();
	s.build.cpu = s.yardstick->build_cpu();
	s.build.index_mb = s.yardstick->megabytes();
	s.build.kept = s.yardstick->kept();
	return true;
}

}  // namespace

int
compare(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "fashion"), options.get("data", ""),
								static_cast<std::size_t>(options.number("rows", 0)));
	std::string set = options.get("set", "set"), part = options.get("part", "compare");
	double seconds = options.number("seconds", 1), high_enough = options.number("high-enough", 0.9975);
	int repeat = static_cast<int>(options.number("repeat", 3));
	bool graphs = part == "compare";
	std::string shape =
		graphs ? "; m = " + options.get("m", "16") + ", ef_construction = " + options.get("ef-construction", "64") : "";
	printf("\n== %s: %s, %zu rows, %zu dimensions, %s%s\n", set.c_str(), data.name.c_str(), data.base.rows,
		   data.base.dims, data.distance == Distance::l2 ? "L2" : "cosine", shape.c_str());
	fflush(stdout);

	Exact exact(data, static_cast<std::size_t>(options.number("queries", 1000)), kNeighbors, options.get("cache", ""));
	std::vector<std::string> queries = encode_rows(data.queries, exact.query_count());
	std::string cache = options.get("cache", "");
	auto kept_csv = [&](const Subject &s) {
		return cache + "/" + part + "-" + set + "-" + data.name + "-" + s.name + ".csv";
	};
	std::vector<Subject> subjects;
	print_build_head();
	for (const Target &target : parse_targets(options))
	{
		Subject s;
		s.name = target.name;
		s.target = target;
		if (!make_ready(s, set, data, options))
		{
			printf("  %s is left out: this program was built without it\n", s.name.c_str());
			continue;
		}
		print_build(s.name, s.build);
		if (target.peer() && options.get("peers", "measured") == "kept" && !cache.empty() && read_csv(kept_csv(s), s))
			printf("  %s: speed and recall as measured in an earlier run\n", s.name.c_str());
		subjects.push_back(std::move(s));
	}
	/* What was built elsewhere, for the sake of its costs alone. */
	std::vector<Subject> others;
	for (const std::string &name : options.list("builds-of", ""))
	{
		Subject s;
		s.name = name;
		s.target.name = name;
		s.target.method = "hnsw";
		if (std::optional<IndexBuild> kept = kept_build(s.target, set, data, options))
		{
			s.build = *kept;
			print_build(name + ", hnsw", s.build);
			others.push_back(std::move(s));
		}
		else
			printf("  %s: no hnsw index of this set: the part \"%s\" makes one\n", name.c_str(), set.c_str());
	}
	for (const std::string &item : options.list("ef", "10,20,40,80,120,200,400,800"))
	{
		int effort = std::stoi(item);
		std::vector<Subject *> now;
		for (Subject &s : subjects)
			if (!s.done && (effort > 0 || s.target.has_default()))
			{
				measure_recall_and_pages(s, data, exact, queries, effort);
				now.push_back(&s);
			}
		for (int r = 0; r < repeat; r++)
			for (Subject *s : now)
				measure_speed(*s, queries, seconds);
		for (Subject *s : now)
			s->done = effort > 0 && s->points.back().recall >= high_enough;
	}
	for (Subject &s : subjects)
		check_plan(s, data.distance);
	print_ladder(subjects, graphs ? "ef" : "probes");
	print_equal_recall(subjects);
	if (!options.get("csv", "").empty())
		write_csv(options.get("csv", ""), data.name, subjects);
	for (const Subject &s : subjects)
		if (s.target.peer() && !s.kept && !cache.empty())
			write_csv(kept_csv(s), data.name, {&s, 1});
	Facts facts(options, part, set);
	add_facts(facts, subjects);
	add_facts(facts, others);
	/* Part disk may want to know them in a run without this part. */
	for (const Subject &s : subjects)
		facts.keep(s.target);
	return 0;
}

}  // namespace vecdb::client
