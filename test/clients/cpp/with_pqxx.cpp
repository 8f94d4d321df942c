/* SPDX-License-Identifier: PostgreSQL
 * libpqxx: parameters, prepared statements, COPY by stream_to and stream_from, transactions with subtransactions, cursors,
 * errors. And libpq beneath it for what libpqxx leaves out: parameters and results in binary. The rows are those of the
 * programs in other languages.
 */
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <libpq-fe.h>
#include <pqxx/pqxx>

namespace
{

constexpr int kRows = 300;
constexpr int kDims = 8;
constexpr int kSparseDims = 64;
constexpr int kBits = 64;
constexpr int kQuery = 1000;
constexpr int kNearest = 10;

const std::map<std::string, std::string> kOperator = {{"l2", "<->"}, {"ip", "<#>"},      {"cosine", "<=>"},
													  {"l1", "<+>"}, {"hamming", "<~>"}, {"jaccard", "<%>"}};
const std::map<char, std::string> kType = {{'v', "vector"}, {'h', "halfvec"}, {'s', "sparsevec"}, {'b', "bit"}};

struct Case
{
	std::string method; /* empty: no index */
	char column;
	std::string metric;

	std::string
	opclass() const
	{
		return kType.at(column) + "_" + metric + "_ops";
	}
};

std::vector<Case>
cases()
{
	std::vector<Case> all;
	for (const char *method : {"", "hnsw"})
	{
		for (char column : {'v', 'h', 's'})
			for (const char *metric : {"l2", "ip", "cosine", "l1"})
				all.push_back({method, column, metric});
		all.push_back({method, 'b', "hamming"});
		all.push_back({method, 'b', "jaccard"});
	}
	for (char column : {'v', 'h'})
		for (const char *metric : {"l2", "ip", "cosine"})
			all.push_back({"ivfflat", column, metric});
	all.push_back({"ivfflat", 'b', "hamming"});
	return all;
}

std::int64_t
scatter(std::int64_t row, std::int64_t column)
{
	std::int64_t x = (row * 40503 + column * 10007 + 17) % 65521;
	x = (x * x + 12345) % 65521;
	return (x * x + column) % 65521;
}

float
element(int row, int column)
{
	return static_cast<float>(scatter(row, column) % 127 - 63) / 8;
}

using Value = std::vector<float>;

/* Every value as its elements, those of a sparse one and of a bit string too. */
Value
value(char column, int row)
{
	Value x;
	if (column == 'b')
	{
		for (int i = 0; i < kBits; i++)
			x.push_back(static_cast<float>(scatter(row, i) >> 3 & 1));
	}
	else if (column == 's')
	{
		x.resize(kSparseDims);
		for (int k = 0; k < 5; k++)
			x[static_cast<std::size_t>((row * 7 + k * 11) % kSparseDims)] = element(row, k) == 0 ? 1 : element(row, k);
	}
	else
	{
		for (int i = 0; i < kDims; i++)
			x.push_back(element(row, i));
	}
	return x;
}

std::string
number(float x)
{
	char buffer[32];
	std::snprintf(buffer, sizeof buffer, "%g", static_cast<double>(x));
	return buffer;
}

std::string
text(char column, int row)
{
	const Value x = value(column, row);
	std::string out;
	for (std::size_t i = 0; i < x.size(); i++)
	{
		if (column == 'b')
			out += x[i] != 0 ? '1' : '0';
		else if (column != 's')
			out += (i == 0 ? "" : ",") + number(x[i]);
		else if (x[i] != 0)
			out += (out.empty() ? "" : ",") + std::to_string(i + 1) + ":" + number(x[i]);
	}
	if (column == 's')
		return "{" + out + "}/" + std::to_string(kSparseDims);
	return column == 'b' ? out : "[" + out + "]";
}

double
distance(const std::string &metric, const Value &a, const Value &b)
{
	double l2 = 0, l1 = 0, product = 0, aa = 0, bb = 0, differ = 0, any = 0;
	for (std::size_t i = 0; i < a.size(); i++)
	{
		const double x = a[i], y = b[i];
		l2 += (x - y) * (x - y);
		l1 += std::fabs(x - y);
		product += x * y;
		aa += x * x;
		bb += y * y;
		differ += x != y;
		any += x != 0 || y != 0;
	}
	if (metric == "l2")
		return std::sqrt(l2);
	if (metric == "l1")
		return l1;
	if (metric == "ip")
		return -product;
	if (metric == "cosine")
		return 1 - product / std::sqrt(aa * bb);
	if (metric == "hamming")
		return differ;
	return any == 0 ? 1 : 1 - product / any;
}

/* --- checks ------------------------------------------------------------------------------------------------------ */

int count = 0;
int failed = 0;

void
check(bool passed, const std::string &what, const std::string &detail = "")
{
	count++;
	failed += !passed;
	std::cout << (passed ? "ok " : "not ok ") << count << " - " << what;
	if (!passed && !detail.empty())
		std::cout << ": " << detail;
	std::cout << std::endl;
}

void
same(const std::string &got, const std::string &expected, const std::string &what)
{
	check(got == expected, what, "got " + got + ", expected " + expected);
}

bool
close(double a, double b)
{
	return std::fabs(a - b) <= 1e-5 * std::max(1.0, std::fabs(b));
}

std::vector<int>
stored_rows()
{
	std::vector<int> rows;
	for (int row = 0; row < kRows; row++)
		rows.push_back(row);
	return rows;
}

using Found = std::vector<std::pair<int, double>>;

/* Rows of equal distance may stand in any order. */
void
nearest(const Found &got, const Case &c, const std::string &what, const std::vector<int> &among = stored_rows())
{
	std::map<int, double> own;
	std::vector<double> best;
	for (int row : among)
	{
		own[row] = distance(c.metric, value(c.column, row), value(c.column, kQuery));
		best.push_back(own[row]);
	}
	std::sort(best.begin(), best.end());
	std::string wrong;
	std::set<int> seen;
	for (const auto &[id, given] : got)
	{
		const double nearest_left = best[std::min(seen.size(), best.size() - 1)];
		if (!seen.insert(id).second || own.count(id) == 0 || !close(given, own[id]) || !close(given, nearest_left))
			wrong += "row " + std::to_string(id) + " at " + std::to_string(given) + " in place of one at " +
					 std::to_string(nearest_left) + "; ";
	}
	if (got.size() != kNearest)
		wrong += std::to_string(got.size()) + " rows";
	check(wrong.empty(), what, wrong);
}

Found
rows_of(const pqxx::result &result)
{
	Found found;
	for (const auto &row : result)
		found.emplace_back(row[0].as<int>(), row[1].as<double>());
	return found;
}

std::string
question(const Case &c)
{
	const std::string distance_sql = std::string(1, c.column) + " " + kOperator.at(c.metric) + " $1";
	return "SELECT id, " + distance_sql + " FROM items ORDER BY " + distance_sql + " LIMIT 10";
}

std::string
line(const pqxx::row &row)
{
	std::string out;
	for (const auto &field : row)
		out += std::string(out.empty() ? "" : "\t") + field.c_str();
	return out;
}

std::string
expected_line(int row)
{
	return std::to_string(row) + "\t" + text('v', row) + "\t" + text('h', row) + "\t" + text('s', row) + "\t" +
		   text('b', row);
}

/* --- binary, through libpq ----------------------------------------------------------------------------------------- */

std::uint16_t
half_of(float x)
{
	/* Only for values that are exact and normal in half precision, as all of ours are, and zero. */
	const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
	if (x == 0)
		return 0;
	return static_cast<std::uint16_t>((bits >> 16 & 0x8000) | (((bits >> 23 & 0xff) - 112) << 10) |
									  (bits >> 13 & 0x3ff));
}

void
put(std::string &out, std::uint32_t x, int bytes)
{
	for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
		out += static_cast<char>(x >> shift & 0xff);
}

std::string
wire(char column, int row)
{
	const Value x = value(column, row);
	std::string out;
	if (column == 'b')
	{
		put(out, kBits, 4);
		for (std::size_t i = 0; i < x.size(); i += 8)
		{
			unsigned byte = 0;
			for (std::size_t j = 0; j < 8; j++)
				byte = byte << 1 | (x[i + j] != 0);
			put(out, byte, 1);
		}
	}
	else if (column == 's')
	{
		const auto filled =
			static_cast<std::uint32_t>(std::count_if(x.begin(), x.end(), [](float e) { return e != 0; }));
		put(out, kSparseDims, 4);
		put(out, filled, 4);
		put(out, 0, 4);
		for (std::size_t i = 0; i < x.size(); i++)
			if (x[i] != 0)
				put(out, static_cast<std::uint32_t>(i), 4);
		for (float e : x)
			if (e != 0)
				put(out, std::bit_cast<std::uint32_t>(e), 4);
	}
	else
	{
		put(out, kDims, 2);
		put(out, 0, 2);
		for (float e : x)
			put(out, column == 'h' ? half_of(e) : std::bit_cast<std::uint32_t>(e), column == 'h' ? 2 : 4);
	}
	return out;
}

void
binary()
{
	PGconn *connection = PQconnectdb("");
	PGresult *all =
		PQexecParams(connection, "SELECT v, h, s, b FROM items ORDER BY id", 0, nullptr, nullptr, nullptr, nullptr, 1);
	int wrong = PQntuples(all) == kRows ? 0 : 1;
	for (int row = 0; row < PQntuples(all); row++)
		for (int i = 0; i < 4; i++)
			wrong += std::string(PQgetvalue(all, row, i), static_cast<std::size_t>(PQgetlength(all, row, i))) !=
					 wire("vhsb"[i], row);
	PQclear(all);
	same(std::to_string(wrong), "0", "rows read back in binary, byte by byte");
	for (char column : {'v', 'h', 's', 'b'})
	{
		const std::string sent = wire(column, 42);
		const char *parameter = sent.data();
		const int length = static_cast<int>(sent.size()), format = 1;
		const std::string sql = std::string("SELECT id FROM items WHERE ") + column + " = $1";
		PGresult *found = PQexecParams(connection, sql.c_str(), 1, nullptr, &parameter, &length, &format, 0);
		same(PQntuples(found) == 1 ? PQgetvalue(found, 0, 0) : PQresultErrorMessage(found), "42",
			 kType.at(column) + " as a binary parameter");
		PQclear(found);
	}
	PQfinish(connection);
}

/* -------------------------------------------------------------------------------------------------------------------- */

std::string
refusal(pqxx::work &transaction, const std::string &sql)
{
	try
	{
		pqxx::subtransaction inner(transaction);
		inner.exec(sql);
	}
	catch (const pqxx::sql_error &error)
	{
		const std::string message = error.what();
		return error.sqlstate() + " " + message.substr(0, message.find('\n'));
	}
	return "nothing";
}

void
test()
{
	pqxx::connection connection;
	std::cout << "# libpqxx " << PQXX_VERSION << std::endl;
	{
		pqxx::work work(connection);
		work.exec("CREATE EXTENSION IF NOT EXISTS vector");
		work.exec("CREATE TABLE items (id int PRIMARY KEY, v vector(8), h halfvec(8), s sparsevec(64), b bit(64))");
		connection.prepare("insert", "INSERT INTO items VALUES ($1, $2, $3, $4, $5)");
		for (int row = 0; row < kRows / 2; row++)
			work.exec_prepared("insert", row, text('v', row), text('h', row), text('s', row), text('b', row));
		pqxx::stream_to stream(work, "items");
		for (int row = kRows / 2; row < kRows; row++)
			stream << std::make_tuple(row, text('v', row), text('h', row), text('s', row), text('b', row));
		stream.complete();
		work.commit();
	}
	{
		pqxx::work work(connection);
		int wrong = 0, row = 0;
		for (const auto &got : work.exec("SELECT * FROM items ORDER BY id"))
			wrong += line(got) != expected_line(row++);
		same(std::to_string(row) + " rows, " + std::to_string(wrong) + " wrong", "300 rows, 0 wrong", "rows read back");
		wrong = row = 0;
		pqxx::stream_from stream(work, "items");
		std::tuple<int, std::string, std::string, std::string, std::string> got;
		while (stream >> got)
		{
			const auto &[id, v, h, s, b] = got;
			wrong += std::to_string(id) + "\t" + v + "\t" + h + "\t" + s + "\t" + b != expected_line(id);
			row++;
		}
		stream.complete();
		same(std::to_string(row) + " rows, " + std::to_string(wrong) + " wrong", "300 rows, 0 wrong",
			 "rows read back by COPY");
	}
	binary();

	pqxx::nontransaction session(connection);
	for (const Case &c : cases())
	{
		const std::string name = c.method + c.column + c.metric;
		connection.prepare(name, question(c));
		if (c.method.empty())
		{
			nearest(rows_of(session.exec_prepared(name, text(c.column, kQuery))), c,
					kType.at(c.column) + " " + kOperator.at(c.metric) + " without an index");
			continue;
		}
		const std::string kind = c.method + " " + c.opclass();
		session.exec("SET enable_seqscan = off; SET hnsw.ef_search = 400; SET ivfflat.probes = 100");
		session.exec("CREATE INDEX items_index ON items USING " + c.method + " (" + c.column + " " + c.opclass() +
					 ") WITH (" + (c.method == "hnsw" ? "m = 16, ef_construction = 64" : "lists = 8") + ")");
		std::string plan;
		for (const auto &row : session.exec_params("EXPLAIN " + question(c), text(c.column, kQuery)))
			plan += std::string(row[0].c_str()) + "\n";
		check(plan.find("Index Scan using items_index ") != std::string::npos, kind + " is used", plan);
		nearest(rows_of(session.exec_prepared(name, text(c.column, kQuery))), c, kind + " answers");
		session.exec("DROP INDEX items_index");
	}
	session.exec("CREATE INDEX ON items USING hnsw (h halfvec_cosine_ops)");
	session.commit();

	const Case cosine{"hnsw", 'h', "cosine"};
	std::vector<int> with_query = stored_rows();
	with_query.push_back(kQuery);
	{
		pqxx::work work(connection);
		work.exec_params("INSERT INTO items (id, h) VALUES ($1, $2)", kQuery, text('h', kQuery));
		nearest(rows_of(work.exec_params(question(cosine), text('h', kQuery))), cosine,
				"a row of this transaction is found", with_query);
		same(refusal(work, "INSERT INTO items (id, h) VALUES (-1, '[1,2]')"),
			 "22000 ERROR:  expected 8 dimensions, not 2", "a vector too short is refused");
		same(refusal(work, "SELECT '[1,2]'::halfvec <-> '[1]'"), "22000 ERROR:  different halfvec dimensions 2 and 1",
			 "different dimensions are refused");
		work.abort();
	}
	pqxx::work work(connection);
	nearest(rows_of(work.exec_params(question(cosine), text('h', kQuery))), cosine, "it is gone after ROLLBACK");
	pqxx::stateless_cursor<pqxx::cursor_base::read_only, pqxx::cursor_base::owned> cursor(
		work, "SELECT id, h <=> '" + text('h', kQuery) + "' FROM items ORDER BY h <=> '" + text('h', kQuery) + "'",
		"near", false);
	Found found = rows_of(cursor.retrieve(0, 4));
	for (const auto &row : rows_of(cursor.retrieve(4, kNearest)))
		found.push_back(row);
	nearest(found, cosine, "a cursor fetches the nearest in two steps");
}

}  // namespace

int
main()
{
	try
	{
		test();
	}
	catch (const std::exception &error)
	{
		std::cout << "Bail out! " << error.what() << std::endl;
		return 2;
	}
	std::cout << "1.." << count << std::endl;
	return failed || !count ? 1 : 0;
}
