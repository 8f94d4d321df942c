/* SPDX-License-Identifier: PostgreSQL
 * Queries that must read from disk. bench/run starts the server with small shared buffers and drops the caches of the
 * operating system, if it may, before it calls this for one target.
 *
 * Regime: client program.
 * One pass over the queries, each asked once: caches start empty, or, with --forget=each, the kernel's are emptied before every query. ef_search
 * (or probes) is the one that reaches the recall asked for in
 * the table that compare left, by interpolation; the recall that it really had is told.
 */
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
#include "facts.hpp"
#include "postgres.hpp"
#include "target.hpp"

namespace vecdb::client
{

namespace
{

/* A slow disk ends the run earlier. */
constexpr double kSeconds = 60;
constexpr std::size_t kFewest = 50;

/* ef_search or probes at a recall, from the facts of compare. */
int
effort_at(const std::vector<Fact> &facts, const std::string &part, const std::string &set, const Target &target,
		  double recall)
{
	std::map<int, double> ladder;
	for (const Fact &f : facts)
		if (f.part == part && f.set == set && f.target == target.name && f.figure.compare(0, 10, "recall_ef_") == 0)
			ladder[std::stoi(f.figure.substr(10))] = f.value;
	auto logit = [](double p) { return std::log(std::max(p, 1e-6) / std::max(1 - p, 1e-6)); };
	int low_ef = 0;
	double low = 0;
	for (auto [ef, r] : ladder)
	{
		if (r >= recall)
		{
			if (low_ef == 0)
				return ef;
			double t = (logit(recall) - logit(low)) / std::max(logit(r) - logit(low), 1e-9);
			return static_cast<int>(std::ceil(std::exp((1 - t) * std::log(low_ef) + t * std::log(ef))));
		}
		low_ef = ef;
		low = r;
	}
	if (ladder.empty())
		throw std::runtime_error("disk: compare was not run for " + target.name + " on " + set);
	printf("  %s never reaches recall %.2f on %s: with the most that was tried\n", target.name.c_str(), recall,
		   set.c_str());
	return low_ef;
}

/* Bytes that the backend had the kernel fetch from the device. */
double
device_bytes(int pid)
{
	std::ifstream io("/proc/" + std::to_string(pid) + "/io");
	for (std::string name; io >> name;)
	{
		double value = 0;
		io >> value;
		if (name == "read_bytes:")
			return value;
	}
	return 0;
}

/* The files of the table, its TOAST and its indexes, by segments. */
std::vector<std::string>
files_of(Connection &c)
{
	std::istringstream names(c.lines("SELECT current_setting('data_directory') || '/' || pg_relation_filepath(x) FROM "
									 "(SELECT 'items'::regclass AS x "
									 "UNION SELECT 'items_v'::regclass UNION SELECT reltoastrelid::regclass FROM "
									 "pg_class WHERE oid = 'items'::regclass "
									 "AND reltoastrelid <> 0 UNION SELECT i.indexrelid::regclass FROM pg_index i JOIN "
									 "pg_class t ON t.reltoastrelid = "
									 "i.indrelid WHERE t.oid = 'items'::regclass) r"));
	std::vector<std::string> files;
	for (std::string name; std::getline(names, name);)
		for (int segment = 0;; segment++)
		{
			std::string file = segment > 0 ? name + "." + std::to_string(segment) : name;
			if (access(file.c_str(), R_OK) != 0)
				break;
			files.push_back(file);
		}
	return files;
}

/* The kernel need not keep it in memory. Pages that were not written back yet stay. */
void
forget(const std::string &file)
{
	int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

}  // namespace

int
disk(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "glove"), options.get("data", ""),
								static_cast<std::size_t>(options.number("rows", 0)));
	std::string set = options.get("set", "set");
	Target target = parse_targets(options).front();
	double recall = options.number("recall", 0.95);
	/* Of graphs the part is "compare", of the others "ivf". A peer's may be of an earlier run. */
	std::string ladder_part = target.method == "hnsw" ? "compare" : "ivf";
	std::vector<Fact> known = read_facts(options.get("facts", ""));
	if (options.get("keep", "none") != "none")
	{
		std::vector<Fact> kept = Facts(options, ladder_part, set).kept(target);
		known.insert(known.begin(), kept.begin(), kept.end());
	}
	int ef = effort_at(known, ladder_part, set, target, recall);
	bool each = options.get("forget", "once") == "each";
	Exact exact(data, static_cast<std::size_t>(options.number("queries", 1000)), 10, options.get("cache", ""));
	auto count =
		std::min<std::size_t>(exact.query_count(), static_cast<std::size_t>(options.number("cold-queries", 300)));
	std::vector<std::string> queries = encode_rows(data.queries, count);

	std::vector<Connection> one = connect(target.database(set), 1);
	Connection &c = one.front();
	c.exec(target.set_effort(ef));
	c.prepare("search", search_sql(data.distance), {c.vector_type()});
	/* The catalogue is not what is measured. */
	c.search("search", queries[0], nullptr);
	auto reads = [&](const char *columns) {
		return c.number(
			std::string("SELECT ") + columns +
			" FROM pg_statio_user_indexes i JOIN pg_statio_user_tables t USING (relid) WHERE i.relname = 'items'");
	};
	c.exec("SELECT pg_stat_force_next_flush()");
	double index_before = reads("i.idx_blks_read");
	double all_before = reads("t.heap_blks_read + t.idx_blks_read + coalesce(t.toast_blks_read + t.tidx_blks_read, 0)");
	double device = device_bytes(c.pid()), cpu = c.backend_cpu();
	std::vector<std::string> files = each ? files_of(c) : std::vector<std::string>{};
	std::vector<double> times;
	double right = 0;
	double begun = now_seconds();
	for (std::size_t q = 1; q < count && (q < kFewest || now_seconds() - begun < kSeconds); q++)
	{
		if (each)
			for (const std::string &file : files)
				forget(file);
		std::vector<std::int32_t> ids;
		double start = now_seconds();
		c.search("search", queries[q], &ids);
		times.push_back(1000 * (now_seconds() - start));
		right += exact.recall(q, ids);
	}
	auto n = static_cast<double>(times.size());
	device = device_bytes(c.pid()) - device;
	cpu = c.backend_cpu() - cpu;
	c.exec("SELECT pg_stat_force_next_flush()");
	std::string name = target.name;
	Facts facts(options, options.get("part", "disk"), set);
	facts.add(name, "ef_search", ef);
	facts.add(name, "recall", right / n);
	facts.add(name, "index_reads", (reads("i.idx_blks_read") - index_before) / n);
	facts.add(
		name, "all_reads",
		(reads("t.heap_blks_read + t.idx_blks_read + coalesce(t.toast_blks_read + t.tidx_blks_read, 0)") - all_before) /
			n);
	facts.add(name, "device_kb", device / 1024 / n);
	facts.add(name, "cpu_us", 1e6 * cpu / n);
	double sum = 0;
	for (double t : times)
		sum += t;
	facts.add(name, "mean_ms", sum / n);
	std::sort(times.begin(), times.end());
	facts.add(name, "p50_ms", times[times.size() / 2]);
	facts.add(name, "p99_ms", times[times.size() * 99 / 100]);
	facts.add(name, "shared_buffers_mb",
			  c.number("SELECT setting::float8 * 8192 / 1e6 FROM pg_settings WHERE name = 'shared_buffers'"));
	facts.print();
	return 0;
}

}  // namespace vecdb::client
