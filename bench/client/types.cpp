/* SPDX-License-Identifier: PostgreSQL
 * The types beside each other: distance functions call by call, exact searches of a table in line, text input.
 *
 * Regime: client program.
 * Every figure is CPU time of the backend, the least of runs that alternate between the targets: what else the machine does, its memory
 * above all, can only add. Both hold the same values: vecdb makes
 * them, the peer reads them from its binary COPY.
 */
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "facts.hpp"
#include "postgres.hpp"
#include "target.hpp"

namespace vecdb::client
{

namespace
{

struct Subject
{
	std::string name;
	std::unique_ptr<Connection> connection;
};

/* A type, and what of it is compared. own: pgvector has none; it is set beside vecdb's vector instead. */
struct Case
{
	std::string type;
	int size;  // dimensions, bits, elements that are not 0
	std::string name;
};

constexpr const char *kOperators[] = {"<->", "<#>", "<=>", "<+>"};
constexpr const char *kFunctions[] = {"l2_distance", "inner_product", "cosine_distance", "l1_distance"};

class Comparison
{
public:
	Comparison(std::vector<Subject> subjects, Facts &facts, int repeat)
		: subjects_(std::move(subjects)), facts_(facts), repeat_(repeat)
	{
	}

	std::vector<Subject> &
	subjects()
	{
		return subjects_;
	}

	/* One figure: measure(connection) in each target by turns. at_least: how many times the peer's speed is asked for. */
	template <class Measure>
	void
	row(const std::string &what, double at_least, Measure measure)
	{
		std::vector<std::vector<double>> runs(subjects_.size());
		for (int r = 0; r < repeat_; r++)
			for (std::size_t i = 0; i < subjects_.size(); i++)
				runs[i].push_back(measure(*subjects_[i].connection));
		std::vector<double> least;
		for (auto &r : runs)
			least.push_back(*std::min_element(r.begin(), r.end()));
		print(what, least, at_least);
		for (std::size_t i = 0; i < subjects_.size(); i++)
			facts_.add(subjects_[i].name, what, least[i]);
	}

	/* Figures of the first target alone, one against the other. */
	template <class Measure, class Other>
	void
	own_row(const std::string &what, double at_least, Measure measure, Other other)
	{
		std::vector<double> mine, others;
		for (int r = 0; r < repeat_; r++)
		{
			mine.push_back(measure(*subjects_.front().connection));
			others.push_back(other(*subjects_.front().connection));
		}
		double least = *std::min_element(mine.begin(), mine.end()),
			   other_least = *std::min_element(others.begin(), others.end());
		print(what, {least, other_least}, at_least);
		facts_.add(subjects_.front().name, what, least);
		facts_.add(subjects_.front().name + " vector", what, other_least);
	}

private:
	static void
	print(const std::string &what, const std::vector<double> &values, double at_least)
	{
		printf("  %-44s", what.c_str());
		for (double v : values)
			printf(" %11.1f", v);
		if (values.size() > 1)
		{
			double ratio = values.back() / values.front();
			printf(" %8.2fx", ratio);
			if (at_least > 0)
				printf("  at least %.0fx: %s", at_least, ratio >= at_least ? "yes" : "NO");
		}
		printf("\n");
		fflush(stdout);
	}

	std::vector<Subject> subjects_;
	Facts &facts_;
	int repeat_;
};

std::string
quoted(const std::string &s)
{
	return "'" + s + "'";
}

/* The first target makes the rows, and all read them from the same binary COPY, since tables that were filled in another way lie otherwise in
 * memory: datum and wire formats are equal. */
void
make_table(std::vector<Subject> &subjects, const std::string &name, const std::string &columns,
		   const std::string &query)
{
	Connection &first = *subjects.front().connection;
	first.exec("SELECT setseed(0.5)");
	std::string file = first.value("SELECT current_setting('data_directory')") + "/bench_types.bin";
	first.exec("COPY (" + query + ") TO " + quoted(file) + " WITH (FORMAT binary)");
	for (Subject &s : subjects)
	{
		Connection &c = *s.connection;
		c.exec("CREATE UNLOGGED TABLE " + name + " (" + columns + ")");
		c.exec("COPY " + name + " FROM " + quoted(file) + " WITH (FORMAT binary)");
		c.exec("VACUUM ANALYZE " + name);
	}
}

std::string
dense_values(int dims, int rows)
{
	return "SELECT i, array_agg((random() * 2 - 1)::real) AS v FROM generate_series(1, " + std::to_string(rows) +
		   ") i, generate_series(1, " + std::to_string(dims) + ") j GROUP BY i";
}

/* Indices of 30,522 (the vocabulary of BERT, whose tokens SPLADE weighs), the low ones more often than the high. */
std::string
sparse_values(int elements, int rows)
{
	return "SELECT i, '{' || string_agg(k || ':' || (random() + 0.01)::real, ',') || '}/30522' AS v FROM "
		   "generate_series(1, " +
		   std::to_string(rows) +
		   ") i, LATERAL (SELECT DISTINCT 1 + floor(30522 * power(random() + i * 0, 2))::int AS k " +
		   "FROM generate_series(1, " + std::to_string(elements) + ")) j GROUP BY i";
}

std::string
bit_values(int bits, int rows)
{
	return "SELECT i, string_agg((random() < 0.5)::int::text, '') AS v FROM generate_series(1, " +
		   std::to_string(rows) + ") i, generate_series(1, " + std::to_string(bits) + ") j GROUP BY i";
}

/* --- functions: nanoseconds a call, by the module of bench/server --- */

double
call(Connection &c, const std::string &function, const std::string &type, const std::string &a, const std::string &b,
	 int calls)
{
	return c.number("SELECT bench_calls('" + function + "(" + type + "," + type + ")'::regprocedure, (SELECT v FROM " +
					a + " ORDER BY i LIMIT 1), (SELECT array_agg(v ORDER BY i) FROM " + b + " WHERE i > 1), " +
					std::to_string(calls) + ")");
}

void
functions(Comparison &comparison)
{
	std::vector<Subject> &subjects = comparison.subjects();
	printf("\nfunctions, ns a call (detoasted values in cache; the call itself, some 3 ns, is in it)\n");
	for (int dims : {128, 768, 1536})
	{
		std::string n = std::to_string(dims);
		make_table(subjects, "f_vector_" + n, "i int, v vector",
				   "SELECT i, v::vector FROM (" + dense_values(dims, 9) + ") s");
		make_table(subjects, "f_halfvec_" + n, "i int, v halfvec",
				   "SELECT i, v::halfvec FROM (" + dense_values(dims, 9) + ") s");
	}
	for (const char *type : {"vector", "halfvec"})
		for (int dims : {128, 768, 1536})
			for (const char *function : kFunctions)
			{
				std::string table = std::string("f_") + type + "_" + std::to_string(dims);
				comparison.row(std::string(function) + "(" + type + "), " + std::to_string(dims), 1,
							   [&](Connection &c) { return call(c, function, type, table, table, 3000000 / dims); });
			}
	for (int bits : {128, 768, 1024, 1536, 64000})
	{
		std::string table = "f_bit_" + std::to_string(bits);
		make_table(subjects, table, "i int, v bit(" + std::to_string(bits) + ")",
				   "SELECT i, v::bit(" + std::to_string(bits) + ") FROM (" + bit_values(bits, 3) + ") s");
		for (const char *function : {"hamming_distance", "jaccard_distance"})
			comparison.row(std::string(function) + "(bit), " + std::to_string(bits), 1, [&](Connection &c) {
				return call(c, function, "bit", table, table, bits > 10000 ? 10000 : 100000);
			});
	}
	/* Many rows: branches on a few would soon be foreseen, as those of a table never are. */
	for (int elements : {24, 128, 1000})
		make_table(subjects, "f_sparsevec_" + std::to_string(elements), "i int, v sparsevec",
				   "SELECT i, v::sparsevec FROM (" + sparse_values(elements, elements < 1000 ? 1025 : 129) + ") s");
	for (auto [few, many] : {std::pair(24, 24), {24, 128}, {128, 128}, {24, 1000}, {128, 1000}, {1000, 1000}})
		for (const char *function : kFunctions)
			comparison.row(std::string(function) + "(sparsevec), " + std::to_string(few) + " x " + std::to_string(many),
						   2, [&, few = few, many = many](Connection &c) {
							   return call(c, function, "sparsevec", "f_sparsevec_" + std::to_string(few),
										   "f_sparsevec_" + std::to_string(many), 3000000 / (few + many + 100));
						   });
	printf("\nfunctions of int8vec, which pgvector has not, beside the same of vecdb's own vector, ns a call\n");
	for (int dims : {128, 768, 1536})
	{
		std::string n = std::to_string(dims);
		subjects.front().connection->exec("CREATE TABLE f_int8vec_" + n +
										  " AS SELECT i, vecdb.quantize_int8(v, 127) AS v FROM f_vector_" + n);
		for (const char *function : kFunctions)
			comparison.own_row(
				std::string(function) + "(int8vec), " + n, 1,
				[&](Connection &c) {
					return call(c, function, "int8vec", "f_int8vec_" + n, "f_int8vec_" + n, 3000000 / dims);
				},
				[&](Connection &c) {
					return call(c, function, "vector", "f_vector_" + n, "f_vector_" + n, 3000000 / dims);
				});
	}
}

/* --- exact searches: nanoseconds a row --- */

void
scans(Comparison &comparison, int rows)
{
	std::vector<Subject> &subjects = comparison.subjects();
	const int distinct = std::min(rows, 5000);
	printf("\nORDER BY v <op> q LIMIT 10 of %d rows in line, no index, ns a row\n", rows);
	auto repeated = [&](const std::string &values, const std::string &type) {
		return "SELECT s.i + " + std::to_string(distinct) + " * k, s.v::" + type + " FROM (" + values +
			   ") s, generate_series(0, " + std::to_string(rows / distinct - 1) + ") k";
	};
	auto search = [&](const std::string &table, const std::string &operation) {
		std::string sql = "SELECT i FROM " + table + " ORDER BY v " + operation + " (SELECT v FROM " + table +
						  " LIMIT 1) LIMIT 10";
		return [sql, rows](Connection &c) {
			double before = c.backend_cpu();
			c.exec(sql);
			return (c.backend_cpu() - before) * 1e9 / rows;
		};
	};
	struct Table
	{
		const char *type;
		int size;
		std::string values;
	};
	for (const Table &t :
		 {Table{"vector", 128, dense_values(128, distinct)}, Table{"vector", 384, dense_values(384, distinct)},
		  Table{"halfvec", 128, dense_values(128, distinct)}, Table{"halfvec", 768, dense_values(768, distinct)},
		  Table{"sparsevec", 128, sparse_values(128, distinct)}, Table{"bit", 1024, bit_values(1024, distinct)}})
	{
		std::string type = t.type, table = "s_" + type + "_" + std::to_string(t.size);
		if (type == "bit")
			type += "(" + std::to_string(t.size) + ")";
		make_table(subjects, table, "i int, v " + type, repeated(t.values, type));
		for (Subject &s : subjects)
			if (s.connection->number("SELECT count(*) FROM " + table) != rows ||
				s.connection->number("SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = '" + table +
									 "'::regclass") != 0)
				throw std::runtime_error("rows of " + table + " are missing or out of line");
		for (const char *operation : kOperators)
			if (type[0] != 'b')
				comparison.row(std::string(t.type) + " " + operation + ", " + std::to_string(t.size), 1,
							   search(table, operation));
		for (const char *operation : {"<~>", "<%>"})
			if (type[0] == 'b')
				comparison.row(std::string(t.type) + " " + operation + ", " + std::to_string(t.size), 1,
							   search(table, operation));
		if (table == "s_vector_128" || table == "s_vector_384")
		{
			std::string int8 = "s_int8vec_" + std::to_string(t.size);
			subjects.front().connection->exec("CREATE UNLOGGED TABLE " + int8 +
											  " AS SELECT i, vecdb.quantize_int8(v, 127) AS v FROM " + table);
			subjects.front().connection->exec("VACUUM ANALYZE " + int8);
			for (const char *operation : kOperators)
				comparison.own_row("int8vec " + std::string(operation) + ", " + std::to_string(t.size) +
									   " (beside own vector)",
								   1, search(int8, operation), search(table, operation));
		}
	}
}

/* --- text input: microseconds a value --- */

void
text_input(Comparison &comparison)
{
	printf("\ntext to value (SELECT count(text::type)), us a value\n");
	struct Text
	{
		const char *type;
		int size;
		std::string value;
	};
	for (const Text &t :
		 {Text{"vector", 128, "'[' || string_agg(((j * 7919 % 20011) / 10007.0 - 1)::real::text, ',') || ']'"},
		  Text{"vector", 768, "'[' || string_agg(((j * 7919 % 20011) / 10007.0 - 1)::real::text, ',') || ']'"},
		  Text{"halfvec", 128, "'[' || string_agg(((j * 7919 % 20011) / 10007.0 - 1)::real::text, ',') || ']'"},
		  Text{"halfvec", 768, "'[' || string_agg(((j * 7919 % 20011) / 10007.0 - 1)::real::text, ',') || ']'"},
		  Text{"sparsevec", 128,
			   "'{' || string_agg(j * 211 || ':' || ((j * 7919 % 20011) / 10007.0)::real::text, ',') || '}/30522'"}})
	{
		const int rows = t.size > 200 ? 1000 : 5000;
		/* The column of a subquery with OFFSET 0 is not folded, so each row parses the text again. */
		std::string sql = std::string("SELECT count(t.s::") + t.type + ") FROM (SELECT " + t.value +
						  " AS s FROM generate_series(1, " + std::to_string(t.size) +
						  ") j OFFSET 0) t, generate_series(1, " + std::to_string(rows) + ")";
		comparison.row(std::string(t.type) + ", " + std::to_string(t.size), 3, [&](Connection &c) {
			double before = c.backend_cpu();
			c.exec(sql);
			return (c.backend_cpu() - before) * 1e6 / rows;
		});
	}
}

}  // namespace

int
types(const Options &options)
{
	std::vector<Subject> subjects;
	std::string names;
	for (const Target &t : parse_targets(options))
	{
		/* Options of an index do not matter here: vecdb once. */
		if (!t.peer() && !subjects.empty())
			continue;
		create_database(t, t.database("types"));
		subjects.push_back({t.name, std::make_unique<Connection>(t.database("types"))});
		Connection &c = *subjects.back().connection;
		c.exec("SET max_parallel_workers_per_gather = 0");
		c.exec("SET jit = off");
		c.exec("CREATE FUNCTION bench_calls(regprocedure, anyelement, anyarray, bigint) RETURNS float8 LANGUAGE C "
			   "STRICT AS 'bench_calls'");
		char name[32];
		snprintf(name, sizeof name, " %11.11s", t.name.c_str());
		names += name;
	}
	printf("\n== types\n\n  %-44s%s\n", "", names.c_str());
	Facts facts(options, "types", "types");
	std::vector<int> backends;
	for (Subject &s : subjects)
		backends.push_back(s.connection->pid());
	Undisturbed undisturbed(backends);
	Comparison comparison(std::move(subjects), facts, static_cast<int>(options.number("repeat", 5)));
	std::string what = options.get("what", "functions,scans,text");
	if (what.find("functions") != std::string::npos)
		functions(comparison);
	if (what.find("scans") != std::string::npos)
		scans(comparison, static_cast<int>(options.number("scan-rows", 100000)));
	if (what.find("text") != std::string::npos)
		text_input(comparison);
	return 0;
}

}  // namespace vecdb::client
