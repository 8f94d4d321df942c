/* SPDX-License-Identifier: PostgreSQL
 * Databases of the things compared: see target.hpp.
 *
 * Regime: client program.
 */
#include "target.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace vecdb::client
{

namespace
{

/* Private memory of a process in MB. */
double
private_memory(int pid)
{
	std::ifstream status("/proc/" + std::to_string(pid) + "/status");
	std::string line;
	while (std::getline(status, line))
		if (line.compare(0, 8, "RssAnon:") == 0)
			return std::stod(line.substr(8)) / 1024;
	return 0;
}

/* MB of the dynamic shared memory that a process has mapped: files of /dev/shm or pg_dynshmem, by dynamic_shared_memory_type. */
double
mapped_segments(int pid)
{
	std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
	std::set<std::string> files;
	for (std::string line; std::getline(maps, line);)
		for (const char *name : {"/dev/shm/PostgreSQL.", "/pg_dynshmem/mmap."})
			if (line.find(name) != std::string::npos)
				files.insert(line.substr(line.find('/')));
	double bytes = 0;
	for (const std::string &file : files)
	{
		struct stat s;
		if (stat(file.c_str(), &s) == 0)
			bytes += 512.0 * static_cast<double>(s.st_blocks);
	}
	return bytes / 1e6;
}

std::vector<int>
children_of(int pid)
{
	std::string process = "/proc/" + std::to_string(pid);
	std::ifstream file(process + "/task/" + std::to_string(pid) + "/children");
	std::vector<int> children;
	for (int child; file >> child;)
		children.push_back(child);
	return children;
}

int
parent_of(int pid)
{
	std::ifstream status("/proc/" + std::to_string(pid) + "/status");
	std::string line;
	while (std::getline(status, line))
		if (line.compare(0, 5, "PPid:") == 0)
			return std::stoi(line.substr(5));
	return 0;
}

/* Looks ten times a second at how much memory a backend and the workers that appear meanwhile hold. */
class MemoryWatch
{
public:
	explicit MemoryWatch(const Connection &c)
		: backend_(c.pid()), server_(parent_of(backend_)), before_(children_of(server_))
	{
		idle_ = now();
		thread_ = std::thread([this] {
			while (!stop_)
			{
				peak_ = std::max(peak_, now());
				std::this_thread::sleep_for(std::chrono::milliseconds(100));
			}
		});
	}

	~MemoryWatch()
	{
		if (thread_.joinable())
			finish();
	}

	double
	finish()
	{
		stop_ = true;
		thread_.join();
		return std::max(0.0, peak_ - idle_);
	}

private:
	double
	now() const
	{
		double sum = private_memory(backend_) + mapped_segments(backend_);
		for (int child : children_of(server_))
			if (std::find(before_.begin(), before_.end(), child) == before_.end())
				sum += private_memory(child);
		return sum;
	}

	int backend_;
	int server_;
	std::vector<int> before_;
	double idle_ = 0;
	double peak_ = 0;
	std::atomic<bool> stop_{false};
	std::thread thread_;
};

double
load_average()
{
	double load = 0;
	std::ifstream("/proc/loadavg") >> load;
	return load;
}

}  // namespace

bool
Target::peer() const
{
	return name.compare(0, 5, "vecdb") != 0;
}

std::string
Target::database(const std::string &set) const
{
	return "bench_" + name + "_" + set;
}

std::string
Target::parameter(const std::string &parameter_name, const std::string &otherwise) const
{
	std::size_t at = with.find(", " + parameter_name + "=");
	if (at == std::string::npos)
		return otherwise;
	at += parameter_name.size() + 3;
	return with.substr(at, with.find(',', at) - at);
}

bool
Target::library() const
{
	return method == "hnswlib" || method == "faiss";
}

bool
Target::has_default() const
{
	return !peer() && method != "hnsw";
}

std::string
Target::set_effort(int effort) const
{
	const char *setting = method == "hnsw" ? "hnsw.ef_search" : peer() ? "ivfflat.probes" : "vecdb.ivf_probes";
	return std::string("SET ") + setting + " = " + std::to_string(effort);
}

std::vector<Target>
parse_targets(const Options &options)
{
	std::vector<Target> targets;
	for (const std::string &item : options.list("targets", "vecdb"))
	{
		std::size_t colon = item.find(':');
		Target t;
		t.name = item.substr(0, colon);
		t.method = "hnsw";
		std::string rest = colon == std::string::npos ? "" : item.substr(colon + 1);
		while (!rest.empty())
		{
			std::size_t end = rest.find(';');
			std::string parameter = rest.substr(0, end);
			if (parameter.compare(0, 6, "using=") == 0)
				t.method = parameter.substr(6);
			else
				t.with += ", " + parameter;
			rest = end == std::string::npos ? "" : rest.substr(end + 1);
		}
		targets.push_back(std::move(t));
	}
	return targets;
}

void
create_database(const Target &target, const std::string &database)
{
	{
		Connection admin("postgres");
		admin.exec("DROP DATABASE IF EXISTS " + database);
		admin.exec("CREATE DATABASE " + database);
	}
	Connection c(database);
	c.exec(target.peer() ? "CREATE EXTENSION vector" : "CREATE EXTENSION vecdb");
}

std::vector<Connection>
connect(const std::string &database, std::size_t clients)
{
	std::vector<Connection> connections;
	for (std::size_t i = 0; i < clients; i++)
	{
		connections.emplace_back(database);
		connections.back().exec("SET max_parallel_workers_per_gather = 0; SET jit = off");
	}
	return connections;
}

const char *
opclass(Distance d)
{
	return d == Distance::l2 ? "vector_l2_ops" : "vector_cosine_ops";
}

const char *
distance_operator(Distance d)
{
	return d == Distance::l2 ? "<->" : "<=>";
}

std::string
search_sql(Distance d)
{
	return std::string("SELECT id FROM items ORDER BY v ") + distance_operator(d) + " $1 LIMIT 10";
}

void
load_items(Connection &c, const Dataset &data, std::size_t rows)
{
	/* parallel_workers: the planner would count only the short main part of a table whose vectors are TOASTed. */
	c.exec("DROP TABLE IF EXISTS items");
	c.exec("CREATE TABLE items (id integer NOT NULL, v vector(" + std::to_string(data.base.dims) +
		   ") NOT NULL) WITH (parallel_workers = 2)");
	{
		Undisturbed undisturbed({c.pid()});
		c.copy_rows("items (id, v)", data.base, nullptr, 0, rows, 0);
	}
	c.exec("VACUUM ANALYZE items");
	c.exec("CHECKPOINT");
}

namespace
{

/* What stands in WITH. */
std::string
parameters(const Target &target, const Options &options)
{
	std::string with = target.with;
	if (target.method == "hnsw")
		with = ", m = " + options.get("m", "16") + ", ef_construction = " + options.get("ef-construction", "64") + with;
	return with.empty() ? "" : with.substr(2);
}

}  // namespace

IndexBuild
create_index(Connection &c, const Target &target, Distance distance, const Options &options, const std::string &memory)
{
	IndexBuild b;
	c.exec("SET maintenance_work_mem = '" + memory + "'; SET max_parallel_maintenance_workers = 2");
	MemoryWatch watch(c);
	double cpu = c.total_cpu(), start = now_seconds();
	std::string with = parameters(target, options);
	{
		Undisturbed undisturbed({c.pid()});
		c.exec("CREATE INDEX items_v ON items USING " + target.method + " (v " + opclass(distance) + ")" +
			   (with.empty() ? "" : " WITH (" + with + ")"));
	}
	b.seconds = now_seconds() - start;
	b.memory_mb = watch.finish();
	/* The server counts a worker only once it has waited for it. */
	std::this_thread::sleep_for(std::chrono::milliseconds(200));
	b.cpu = c.total_cpu() - cpu;
	b.index_mb = c.number("SELECT pg_relation_size('items_v')") / 1e6;
	b.load = load_average();
	c.exec("CHECKPOINT");
	return b;
}

namespace
{

/* What an index is made of and how. */
std::string
origin(const Target &target, const Dataset &data, const Options &options)
{
	std::ostringstream how;
	how << data.name << ' ' << data.base.rows << ' ' << fingerprint(data);
	if (target.method == "hnsw")
		how << " m=" << options.get("m", "16") << " efc=" << options.get("ef-construction", "64") << target.with;
	else
		how << ' ' << target.method << target.with;
	return how.str();
}

}  // namespace

std::optional<IndexBuild>
kept_build(const Target &target, const std::string &set, const Dataset &data, const Options &options)
{
	std::string database = target.database(set);
	Connection admin("postgres");
	if (admin.number("SELECT count(*) FROM pg_database WHERE datname = '" + database + "'") == 0)
		return {};
	Connection c(database);
	if (c.number("SELECT count(*) FROM pg_class WHERE relname = 'bench_build'") == 0 ||
		c.value("SELECT how FROM bench_build") != origin(target, data, options))
		return {};
	IndexBuild b;
	b.seconds = c.number("SELECT seconds FROM bench_build");
	b.cpu = c.number("SELECT cpu FROM bench_build");
	b.memory_mb = c.number("SELECT memory_mb FROM bench_build");
	b.index_mb = c.number("SELECT index_mb FROM bench_build");
	b.load = c.number("SELECT load FROM bench_build");
	b.kept = true;
	return b;
}

IndexBuild
prepare_database(const Target &target, const std::string &set, const Dataset &data, const Options &options)
{
	std::string keep = options.get("keep", "none");
	if (keep == "all" || (keep == "peers" && target.peer()))
		if (std::optional<IndexBuild> kept = kept_build(target, set, data, options))
			return *kept;
	std::string database = target.database(set);
	create_database(target, database);
	Connection c(database);
	load_items(c, data, data.base.rows);
	IndexBuild b = create_index(c, target, data.distance, options);
	char values[200];
	snprintf(values, sizeof values, "%.3f, %.2f, %.1f, %.3f, %.2f", b.seconds, b.cpu, b.memory_mb, b.index_mb, b.load);
	c.exec("CREATE TABLE bench_build (how text, seconds float8, cpu float8, memory_mb float8, index_mb float8, load "
		   "float8, "
		   "made timestamptz DEFAULT now())");
	c.exec("INSERT INTO bench_build VALUES ('" + origin(target, data, options) + "', " + values + ")");
	return b;
}

void
print_build_head()
{
	printf("\n  %-22s %10s %10s %12s %10s\n", "", "build s", "CPU s", "memory MB", "index MB");
}

void
print_build(const std::string &name, const IndexBuild &b)
{
	printf("  %-22s %10.1f %10.1f %12.0f %10.1f   load %.1f%s\n", name.c_str(), b.seconds, b.cpu, b.memory_mb,
		   b.index_mb, b.load, b.kept ? "   (built in an earlier run)" : "");
	fflush(stdout);
}

double
median(std::vector<double> values)
{
	std::sort(values.begin(), values.end());
	std::size_t n = values.size();
	return n == 0 ? 0 : n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace vecdb::client
