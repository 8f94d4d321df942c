/* SPDX-License-Identifier: PostgreSQL
 * The query API: what its functions cost over the SQL that they stand for.
 *
 * Regime: client program.
 * Things to compare take turns, each for a part of a second; a figure is the median of its turns, a difference or ratio
 * the median over pairs of neighbouring turns.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "facts.hpp"
#include "postgres.hpp"
#include "target.hpp"

namespace vecdb::client
{

namespace
{

constexpr std::size_t kBatch = 100;

/* One of the things compared: run(i) asks query i. */
struct Contender
{
	std::string name;
	std::string fact;
	std::function<void(std::size_t)> run;
	double queries = 1;             // that a run asks
	std::vector<double> wall, cpu;  // us a query
};

struct Bench
{
	Connection c;
	Facts facts;
	std::vector<std::string> queries;  // encoded
	int repeat;
	double seconds;
	std::size_t next = 0;
};

void
take_turn(Bench &b, Contender &contender)
{
	Undisturbed undisturbed({b.c.pid()});
	double cpu = b.c.backend_cpu(), start = now_seconds();
	std::size_t n = 0;
	for (; n == 0 || now_seconds() - start < b.seconds; n++)
		contender.run(b.next++ % b.queries.size());
	double asked = static_cast<double>(n) * contender.queries;
	contender.wall.push_back(1e6 * (now_seconds() - start) / asked);
	contender.cpu.push_back(1e6 * (b.c.backend_cpu() - cpu) / asked);
}

/* Median over turns of f(a's time, b's time). */
double
paired(const std::vector<double> &a, const std::vector<double> &b, double (*f)(double, double))
{
	std::vector<double> values;
	for (std::size_t i = 0; i < a.size(); i++)
		values.push_back(f(a[i], b[i]));
	return median(values);
}

double
difference(double a, double b)
{
	return a - b;
}

double
quotient(double a, double b)
{
	return a / b;
}

/* All against the first. */
void
compete(Bench &b, std::vector<Contender> contenders)
{
	for (Contender &contender : contenders)
		for (std::size_t i = 0; i < 20; i++)
			contender.run(i % b.queries.size());
	for (int r = 0; r < b.repeat; r++)
		for (Contender &contender : contenders)
			take_turn(b, contender);
	const Contender &first = contenders.front();
	for (const Contender &x : contenders)
	{
		printf("  %-52s %8.1f us %8.1f us CPU", x.name.c_str(), median(x.wall), median(x.cpu));
		b.facts.add("vecdb", x.fact + "_us", median(x.wall));
		if (&x != &first)
		{
			double over = paired(x.wall, first.wall, difference), share = paired(x.wall, first.wall, quotient);
			printf("  %+8.1f us  %5.2fx  (CPU %+.1f us, %.2fx)", over, share, paired(x.cpu, first.cpu, difference),
				   paired(x.cpu, first.cpu, quotient));
			b.facts.add("vecdb", x.fact + "_over_us", over);
			b.facts.add("vecdb", x.fact + "_ratio", share);
		}
		printf("\n");
	}
	printf("\n");
	fflush(stdout);
}

const char *kPlain = "SELECT id, v <=> $1 FROM items ORDER BY v <=> $1 LIMIT 10";
const char *kSearch = "SELECT id, distance FROM vecdb.search('items', 'v', NULL::integer, $1)";

Contender
prepared(Bench &b, const std::string &name, const std::string &fact, const std::string &statement,
		 const std::string &sql)
{
	b.c.prepare_also(statement, sql, {b.c.vector_type()});
	return {name, fact, [&b, statement](std::size_t q) { b.c.search(statement, b.queries[q], nullptr); }, 1, {}, {}};
}

Contender
unprepared(Bench &b, const std::string &name, const std::string &fact, const std::string &sql)
{
	unsigned type = b.c.vector_type();
	return {name, fact, [&b, sql, type](std::size_t q) { b.c.search_once(sql, type, b.queries[q]); }, 1, {}, {}};
}

void
searches(Bench &b)
{
	compete(b, {prepared(b, "ORDER BY ... LIMIT 10, prepared", "plain_prepared", "plain", kPlain),
				prepared(b, "vecdb.search, prepared", "search_prepared", "search", kSearch)});
	compete(b, {unprepared(b, "ORDER BY ... LIMIT 10, planned each time", "plain_once", kPlain),
				unprepared(b, "vecdb.search, planned each time", "search_once", kSearch)});
}

/* The queries [first, first + kBatch), around the end, as a value of type vector[]. */
std::string
encode_batch(const Bench &b, std::size_t first, unsigned vector_type)
{
	auto put = [](std::string &out, std::uint32_t v) {
		for (int shift = 24; shift >= 0; shift -= 8)
			out.push_back(static_cast<char>(v >> shift));
	};
	std::string out;
	for (std::uint32_t head : {1u, 0u, static_cast<std::uint32_t>(vector_type), static_cast<std::uint32_t>(kBatch), 1u})
		put(out, head);
	for (std::size_t i = 0; i < kBatch; i++)
	{
		const std::string &query = b.queries[(first + i) % b.queries.size()];
		put(out, static_cast<std::uint32_t>(query.size()));
		out += query;
	}
	return out;
}

void
batches(Bench &b)
{
	unsigned type = b.c.vector_type();
	auto array_type = static_cast<unsigned>(std::stoul(b.c.value("SELECT 'vector[]'::regtype::oid")));
	std::vector<std::string> batches;
	for (std::size_t first = 0; first < b.queries.size(); first += kBatch)
		batches.push_back(encode_batch(b, first, type));
	b.c.prepare_also("batch", "SELECT query_no, id, distance FROM vecdb.search_batch('items', 'v', NULL::integer, $1)",
					 {array_type});
	b.c.prepare_also(
		"lateral",
		"SELECT q.n, s.* FROM unnest($1) WITH ORDINALITY q (v, n), LATERAL (SELECT id, items.v <=> q.v FROM "
		"items ORDER BY items.v <=> q.v LIMIT 10) s",
		{array_type});
	Contender lateral{"unnest, LATERAL (ORDER BY ... LIMIT 10), prepared",
					  "batch_lateral",
					  [&b, batches](std::size_t q) { b.c.search("lateral", batches[q % batches.size()], nullptr); },
					  static_cast<double>(kBatch),
					  {},
					  {}};
	Contender batch{"vecdb.search_batch of 100, prepared",
					"batch",
					[&b, batches](std::size_t q) { b.c.search("batch", batches[q % batches.size()], nullptr); },
					static_cast<double>(kBatch),
					{},
					{}};
	compete(b, {batch, lateral,
				prepared(b, "ORDER BY ... LIMIT 10, prepared, one by one", "batch_plain_prepared", "plain", kPlain),
				unprepared(b, "ORDER BY ... LIMIT 10, planned, one by one", "batch_plain_once", kPlain)});
}

void
filters(Bench &b)
{
	for (const char *condition : {"bucket = 3", "bucket < 50"})
	{
		std::string where = condition;
		std::string filter = where == "bucket = 3" ? R"({"must": [{"key": "bucket", "match": {"value": 3}}]})"
												   : R"({"must": [{"key": "bucket", "range": {"lt": 50}}]})";
		std::string fact = where == "bucket = 3" ? "filter_1" : "filter_50";
		compete(b, {unprepared(b, "WHERE " + where + " ORDER BY ... LIMIT 10, planned", fact + "_where",
							   "SELECT id, v <=> $1 FROM items WHERE " + where + " ORDER BY v <=> $1, id LIMIT 10"),
					unprepared(b, "vecdb.search, the same as filter", fact,
							   "SELECT id, distance FROM vecdb.search('items', 'v', NULL::integer, $1, filter => '" +
								   filter + "')")});
	}
}

void
recommends(Bench &b)
{
	if (b.c.value("SELECT 1 FROM pg_proc WHERE proname = 'recommend' AND pronamespace = 'vecdb'::regnamespace").empty())
		return;
	std::size_t rows = static_cast<std::size_t>(b.c.number("SELECT max(id) FROM items"));
	std::string modulo = " % " + std::to_string(rows);
	std::string positive = "ARRAY[$1, ($1 + 7)" + modulo + "]", negative = "ARRAY[($1 + 13)" + modulo + "]";
	b.c.prepare_also("lookups", "SELECT v FROM items WHERE id = ANY (" + positive + " || " + negative + ")", {23});
	b.c.prepare_also("recommend",
					 "SELECT id, distance FROM vecdb.recommend('items', 'v', " + positive + ", " + negative + ")",
					 {23});
	auto ask = [&b, rows](const char *statement) {
		return [&b, rows, statement](std::size_t q) {
			auto id = static_cast<std::uint32_t>(q * 7919 % rows);
			std::string wire;
			for (int shift = 24; shift >= 0; shift -= 8)
				wire.push_back(static_cast<char>(id >> shift));
			b.c.search(statement, wire, nullptr);
		};
	};
	compete(b, {prepared(b, "vecdb.search, prepared", "search_example", "search", kSearch),
				{"vecdb.recommend, average of 2 rows against 1", "recommend", ask("recommend"), 1, {}, {}},
				{"the vectors of 3 rows by key, prepared", "lookups", ask("lookups"), 1, {}, {}}});
}

void
scrolls(Bench &b, std::size_t rows)
{
	if (b.c.value("SELECT 1 FROM pg_proc WHERE proname = 'scroll' AND pronamespace = 'vecdb'::regnamespace").empty())
		return;
	b.c.exec("CREATE TABLE many (id integer PRIMARY KEY, label text)");
	b.c.exec("INSERT INTO many SELECT i, 'row ' || i FROM generate_series(1, " + std::to_string(rows) + ") i");
	b.c.exec("VACUUM ANALYZE many");
	b.c.exec("SELECT vecdb.scroll('many', NULL::integer, k => 1000)");  // warms up
	std::vector<double> pages, cpu;
	std::string cursor;
	std::size_t seen = 0;
	{
		Undisturbed undisturbed({b.c.pid()});
		for (bool more = true; more;)
		{
			std::string sql =
				"SELECT count(*) || ' ' || coalesce((array_agg(s.cursor ORDER BY s.id DESC))[1], '') FROM "
				"vecdb.scroll('many', NULL::integer, k => 1000, after => " +
				(cursor.empty() ? std::string("NULL") : "'" + cursor + "'") + ") s";
			double before = b.c.backend_cpu(), start = now_seconds();
			std::string answer = b.c.value(sql);
			pages.push_back(1e6 * (now_seconds() - start));
			cpu.push_back(1e6 * (b.c.backend_cpu() - before));
			std::size_t count = std::stoul(answer);
			cursor = answer.substr(answer.find(' ') + 1);
			seen += count;
			more = count == 1000;
		}
	}
	auto slowest = std::max_element(pages.begin(), pages.end()) - pages.begin();
	/* The last page may be short. */
	pages.pop_back();
	cpu.pop_back();
	auto tenth = static_cast<std::ptrdiff_t>(cpu.size() / 10 + 1);
	double first = median({cpu.begin(), cpu.begin() + tenth}), last = median({cpu.end() - tenth, cpu.end()});
	double middle = median(pages), middle_cpu = median(cpu);
	std::sort(pages.begin(), pages.end());
	std::sort(cpu.begin(), cpu.end());
	printf("  vecdb.scroll of %zu rows, %zu pages of 1000: median %.0f us (%.0f us CPU; first tenth %.0f, last tenth "
		   "%.0f)\n"
		   "    slowest (page %td) %.0f us, %.2fx the median (CPU %.0f us, %.2fx); 99th percentile %.0f us\n\n",
		   seen, pages.size(), middle, middle_cpu, first, last, slowest + 1, pages.back(), pages.back() / middle,
		   cpu.back(), cpu.back() / middle_cpu, pages[pages.size() * 99 / 100]);
	b.facts.add("vecdb", "scroll_rows", static_cast<double>(seen));
	b.facts.add("vecdb", "scroll_page_us", middle);
	b.facts.add("vecdb", "scroll_last_to_first", last / first);
	b.facts.add("vecdb", "scroll_slowest_ratio", pages.back() / middle);
	b.facts.add("vecdb", "scroll_slowest_cpu_ratio", cpu.back() / middle_cpu);
	b.c.exec("DROP TABLE many");
}

}  // namespace

int
api(const Options &options)
{
	std::size_t rows = static_cast<std::size_t>(options.number("api-rows", 100000));
	Dataset data = load_dataset(options.get("dataset", "glove"), options.get("data", ""), 0);
	rows = std::min(rows, data.base.rows);
	Target target = parse_targets(options).front();
	std::string database = target.database("api");
	bool kept = options.get("keep", "none") == "all" &&
				!Connection("postgres").value("SELECT 1 FROM pg_database WHERE datname = '" + database + "'").empty();
	if (!kept)
		create_database(target, database);
	Bench b{Connection(database),
			Facts(options, "api", options.get("set", "glove")),
			{},
			static_cast<int>(options.number("repeat", 5)),
			options.number("seconds", 1) / 2};
	if (!kept)
	{
		load_items(b.c, data, rows);
		/* bucket: of a hundred, one a row. */
		b.c.exec("CREATE TABLE with_bucket AS SELECT id, v, id * 7919 % 100 AS bucket FROM items; DROP TABLE items; "
				 "ALTER TABLE with_bucket RENAME TO items; ALTER TABLE items ADD PRIMARY KEY (id); "
				 "CREATE INDEX ON items (bucket)");
		create_index(b.c, target, data.distance, options);
		b.c.exec("VACUUM ANALYZE items");
	}
	b.queries = encode_rows(data.queries, static_cast<std::size_t>(options.number("queries", 1000)));
	printf("\n== query API, %s, %zu rows of %zu dimensions, hnsw, ef_search 40, k 10, one client, Unix socket\n\n"
		   "  a query: wall time, CPU time of the backend; over the first line of each group\n\n",
		   data.name.c_str(), rows, data.base.dims);
	for (const std::string &what : options.list("what", "search,batch,filter,recommend,scroll"))
	{
		if (what == "search")
			searches(b);
		else if (what == "batch")
			batches(b);
		else if (what == "filter")
			filters(b);
		else if (what == "recommend")
			recommends(b);
		else if (what == "scroll")
			scrolls(b, static_cast<std::size_t>(options.number("scroll-rows", 1000000)));
	}
	return 0;
}

}  // namespace vecdb::client
