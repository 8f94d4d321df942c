/* SPDX-License-Identifier: PostgreSQL
 * Queries that must read from disk. bench/run starts the server with small shared buffers and drops the caches of the
 * operating system, if it may, before it calls this for one target.
 *
 * Regime: client program.
 * One pass over the queries, each asked once: caches start empty. ef_search is the one that reaches the recall asked for in
 * the table that compare left, by interpolation; the recall that it really had is told.
 */
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
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

/* ef_search at a recall, from the facts of compare. */
int
ef_at(const std::vector<Fact> &facts, const std::string &set, const std::string &target, double recall)
{
	std::map<int, double> ladder;
	for (const Fact &f : facts)
		if (f.part == "compare" && f.set == set && f.target == target && f.figure.compare(0, 10, "recall_ef_") == 0)
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
	throw std::runtime_error("disk: " + target + " does not reach that recall on " + set + ", or compare was not run");
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

}  // namespace

int
disk(const Options &options)
{
	Dataset data = load_dataset(options.get("dataset", "glove"), options.get("data", ""),
								static_cast<std::size_t>(options.number("rows", 0)));
	std::string set = options.get("set", "set");
	Target target = parse_targets(options).front();
	double recall = options.number("recall", 0.95);
	int ef = ef_at(read_facts(options.get("facts", "")), set, target.name, recall);
	Exact exact(data, static_cast<std::size_t>(options.number("queries", 1000)), 10, options.get("cache", ""));
	auto count =
		std::min<std::size_t>(exact.query_count(), static_cast<std::size_t>(options.number("cold-queries", 300)));
	std::vector<std::string> queries = encode_rows(data.queries, count);

	std::vector<Connection> one = connect(target.database(set), 1);
	Connection &c = one.front();
	c.exec("SET hnsw.ef_search = " + std::to_string(ef));
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
	std::vector<double> times;
	double right = 0;
	double begun = now_seconds();
	for (std::size_t q = 1; q < count && (q < kFewest || now_seconds() - begun < kSeconds); q++)
	{
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
	Facts facts(options, "disk", set);
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
