/* SPDX-License-Identifier: PostgreSQL
 * libpq underneath: see postgres.hpp.
 *
 * Regime: client program.
 */
#include "postgres.hpp"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

namespace vecdb::client
{

namespace
{

void
put16(std::string &out, std::uint16_t v)
{
	v = htons(v);
	out.append(reinterpret_cast<const char *>(&v), 2);
}

void
put32(std::string &out, std::uint32_t v)
{
	v = htonl(v);
	out.append(reinterpret_cast<const char *>(&v), 4);
}

struct ProcessTimes
{
	int parent = 0;
	double own = 0;       // all threads, also those that have ended
	double children = 0;  // that have ended and were waited for
};

/* Seconds, in ticks of 10 ms. */
ProcessTimes
process_times(int pid)
{
	ProcessTimes times;
	FILE *f = fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r");
	if (f == nullptr)
		return times;
	char line[1024];
	std::size_t n = fread(line, 1, sizeof line - 1, f);
	fclose(f);
	line[n] = '\0';
	/* The command's name may hold spaces: count from its closing parenthesis. */
	const char *p = strrchr(line, ')');
	unsigned long long user = 0, system = 0;
	long long child_user = 0, child_system = 0;
	if (p == nullptr || sscanf(p + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld", &times.parent,
							   &user, &system, &child_user, &child_system) != 5)
		return times;
	auto tick = static_cast<double>(sysconf(_SC_CLK_TCK));
	times.own = static_cast<double>(user + system) / tick;
	times.children = static_cast<double>(child_user + child_system) / tick;
	return times;
}

}  // namespace

std::string
encode_vector(const float *values, std::size_t dims)
{
	std::string out;
	out.reserve(4 + 4 * dims);
	put16(out, static_cast<std::uint16_t>(dims));
	put16(out, 0);
	for (std::size_t i = 0; i < dims; i++)
	{
		std::uint32_t bits;
		memcpy(&bits, &values[i], 4);
		put32(out, bits);
	}
	return out;
}

std::vector<std::string>
encode_rows(const Matrix &m, std::size_t count)
{
	std::vector<std::string> rows;
	for (std::size_t i = 0; i < count && i < m.rows; i++)
		rows.push_back(encode_vector(m.row(i), m.dims));
	return rows;
}

void
Connection::Closer::operator()(pg_conn *c) const
{
	PQfinish(c);
}

void
Connection::Clearer::operator()(pg_result *r) const
{
	PQclear(r);
}

Connection::Connection(const std::string &database)
	: connection_(PQconnectdb(("dbname='" + database + "' application_name=vecdb-client").c_str()))
{
	if (PQstatus(connection_.get()) != CONNECTION_OK)
		throw std::runtime_error(std::string("cannot connect: ") + PQerrorMessage(connection_.get()));
	pid_ = PQbackendPID(connection_.get());
	exec("SET client_min_messages = warning");
}

Connection::Result
Connection::check(pg_result *result, const std::string &what) const
{
	Result r(result);
	ExecStatusType status = PQresultStatus(r.get());
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
		throw std::runtime_error(what.substr(0, 200) + ": " + PQerrorMessage(connection_.get()));
	return r;
}

void
Connection::exec(const std::string &sql)
{
	check(PQexec(connection_.get(), sql.c_str()), sql);
}

std::string
Connection::value(const std::string &sql)
{
	Result r = check(PQexec(connection_.get(), sql.c_str()), sql);
	return PQntuples(r.get()) > 0 ? PQgetvalue(r.get(), 0, 0) : "";
}

double
Connection::number(const std::string &sql)
{
	return std::stod("0" + value(sql));
}

std::string
Connection::lines(const std::string &sql)
{
	Result r = check(PQexec(connection_.get(), sql.c_str()), sql);
	std::string out;
	for (int i = 0; i < PQntuples(r.get()); i++)
		out += std::string(PQgetvalue(r.get(), i, 0)) + "\n";
	return out;
}

unsigned
Connection::vector_type()
{
	return static_cast<unsigned>(std::stoul(value("SELECT 'vector'::regtype::oid")));
}

void
Connection::copy_rows(const std::string &target, const Matrix &m, const std::uint8_t *labels, std::size_t first,
					  std::size_t last, std::size_t first_id)
{
	std::string sql = "COPY " + target + " FROM STDIN (FORMAT BINARY)";
	check(PQexec(connection_.get(), sql.c_str()), sql);
	std::string buffer("PGCOPY\n\377\r\n\0", 11);
	put32(buffer, 0);
	put32(buffer, 0);
	for (std::size_t i = first; i < last; i++)
	{
		put16(buffer, labels != nullptr ? 3 : 2);
		put32(buffer, 4);
		put32(buffer, static_cast<std::uint32_t>(first_id + i - first));
		if (labels != nullptr)
		{
			put32(buffer, 2);
			put16(buffer, labels[i]);
		}
		put32(buffer, static_cast<std::uint32_t>(4 + 4 * m.dims));
		buffer += encode_vector(m.row(i), m.dims);
		if (buffer.size() > (1 << 18))
		{
			if (PQputCopyData(connection_.get(), buffer.data(), static_cast<int>(buffer.size())) != 1)
				throw std::runtime_error(std::string("COPY: ") + PQerrorMessage(connection_.get()));
			buffer.clear();
		}
	}
	put16(buffer, 0xffff);
	if (PQputCopyData(connection_.get(), buffer.data(), static_cast<int>(buffer.size())) != 1 ||
		PQputCopyEnd(connection_.get(), nullptr) != 1)
		throw std::runtime_error(std::string("COPY: ") + PQerrorMessage(connection_.get()));
	check(PQgetResult(connection_.get()), sql);
	while (pg_result *rest = PQgetResult(connection_.get()))
		PQclear(rest);
}

void
Connection::prepare(const std::string &name, const std::string &sql, const std::vector<unsigned> &types)
{
	exec("DEALLOCATE ALL");
	check(PQprepare(connection_.get(), name.c_str(), sql.c_str(), static_cast<int>(types.size()), types.data()), sql);
}

void
Connection::prepare_also(const std::string &name, const std::string &sql, const std::vector<unsigned> &types)
{
	if (value("SELECT 1 FROM pg_prepared_statements WHERE name = '" + name + "'").empty())
		check(PQprepare(connection_.get(), name.c_str(), sql.c_str(), static_cast<int>(types.size()), types.data()),
			  sql);
}

void
Connection::search_once(const std::string &sql, unsigned type, const std::string &encoded)
{
	const char *values[] = {encoded.data()};
	const int lengths[] = {static_cast<int>(encoded.size())};
	const int formats[] = {1};
	check(PQexecParams(connection_.get(), sql.c_str(), 1, &type, values, lengths, formats, 1), sql);
}

void
Connection::search(const std::string &name, const std::string &encoded, std::vector<std::int32_t> *ids)
{
	const char *values[] = {encoded.data()};
	const int lengths[] = {static_cast<int>(encoded.size())};
	const int formats[] = {1};
	Result r = check(PQexecPrepared(connection_.get(), name.c_str(), 1, values, lengths, formats, 1), name);
	if (ids == nullptr)
		return;
	ids->clear();
	for (int i = 0; i < PQntuples(r.get()); i++)
	{
		std::uint32_t id;
		memcpy(&id, PQgetvalue(r.get(), i, 0), 4);
		ids->push_back(static_cast<std::int32_t>(ntohl(id)));
	}
}

void
Connection::insert(const std::string &name, std::int32_t id, const std::string &encoded)
{
	std::uint32_t wire = htonl(static_cast<std::uint32_t>(id));
	const char *values[] = {reinterpret_cast<const char *>(&wire), encoded.data()};
	const int lengths[] = {4, static_cast<int>(encoded.size())};
	const int formats[] = {1, 1};
	check(PQexecPrepared(connection_.get(), name.c_str(), 2, values, lengths, formats, 1), name);
}

double
Connection::backend_cpu() const
{
	unsigned long long nanoseconds = 0;
	if (FILE *f = fopen(("/proc/" + std::to_string(pid_) + "/schedstat").c_str(), "r"))
	{
		int read = fscanf(f, "%llu", &nanoseconds);
		fclose(f);
		if (read == 1 && nanoseconds > 0)
			return static_cast<double>(nanoseconds) / 1e9;
	}
	/* Kernels without it count ticks of 10 ms. */
	return process_times(pid_).own;
}

double
Connection::total_cpu() const
{
	ProcessTimes backend = process_times(pid_);
	return backend.own + process_times(backend.parent).children;
}

double
now_seconds()
{
	return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

namespace
{

void
schedule(int pid, int priority)
{
	sched_param p{};
	p.sched_priority = priority;
	sched_setscheduler(pid, priority > 0 ? SCHED_RR : SCHED_OTHER, &p);
}

}  // namespace

Undisturbed::Undisturbed(std::vector<int> pids)
{
	const char *priority = getenv("BENCH_PRIORITY");
	if (priority == nullptr || atoi(priority) <= 0)
		return;
	pids_ = std::move(pids);
	pids_.push_back(0);
	for (int pid : pids_)
		schedule(pid, atoi(priority));
}

Undisturbed::~Undisturbed()
{
	for (int pid : pids_)
		schedule(pid, 0);
}

Load
run_load(std::vector<Connection> &connections, std::size_t clients, const std::string &name,
		 const std::vector<std::string> &queries, double seconds)
{
	std::atomic<bool> go{false};
	std::vector<std::size_t> done(clients, 0);
	std::vector<std::exception_ptr> errors(clients);
	double cpu = 0;
	std::vector<int> backends;
	for (std::size_t c = 0; c < clients; c++)
	{
		cpu -= connections[c].backend_cpu();
		backends.push_back(connections[c].pid());
	}
	Undisturbed undisturbed(std::move(backends));
	double start = 0;
	std::vector<std::thread> threads;
	for (std::size_t c = 0; c < clients; c++)
		threads.emplace_back([&, c] {
			try
			{
				while (!go.load(std::memory_order_acquire))
					std::this_thread::yield();
				std::size_t n = 0;
				for (std::size_t q = c * queries.size() / clients; n == 0 || now_seconds() - start < seconds; n++)
				{
					connections[c].search(name, queries[q], nullptr);
					q = q + 1 == queries.size() ? 0 : q + 1;
				}
				done[c] = n;
			}
			catch (...)
			{
				errors[c] = std::current_exception();
			}
		});
	start = now_seconds();
	go.store(true, std::memory_order_release);
	for (std::thread &t : threads)
		t.join();
	double elapsed = now_seconds() - start;
	Load load;
	std::size_t total = 0;
	for (std::size_t c = 0; c < clients; c++)
	{
		if (errors[c])
			std::rethrow_exception(errors[c]);
		total += done[c];
		cpu += connections[c].backend_cpu();
	}
	load.qps = static_cast<double>(total) / elapsed;
	load.mean_ms = 1000 * static_cast<double>(clients) / load.qps;
	load.cpu_us = 1e6 * cpu / static_cast<double>(total);
	return load;
}

}  // namespace vecdb::client
