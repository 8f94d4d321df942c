/* SPDX-License-Identifier: PostgreSQL
 * Fashion-MNIST from files to answers: load, index, measure, show one search. What tools/quickstart prints.
 *
 * Regime: client program.
 */
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "commands.hpp"
#include "dataset.hpp"
#include "exact.hpp"
#include "postgres.hpp"

namespace vecdb::client
{

namespace
{

constexpr std::size_t kQueries = 2000;
constexpr std::size_t kNeighbors = 10;
constexpr std::size_t kSide = 28;
constexpr double kSeconds = 1.5;
const char *const kClasses[] = {"T-shirt", "trouser", "pullover", "dress", "coat",
								"sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
/* What a catalogue would say of an image: how bright it is, and its class. For search by words. */
const char *const kWords = "to_tsvector('english', CASE WHEN vector_norm(embedding) > 3700 THEN 'bright ' WHEN "
						   "vector_norm(embedding) < 2500 THEN 'dark ' "
						   "ELSE 'grey ' END || (ARRAY['t-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', "
						   "'shirt', 'sneaker', 'bag', "
						   "'ankle boot'])[label + 1])";
const char *const kSearch = "SELECT id FROM images ORDER BY embedding <-> $1 LIMIT 10";

void
create_tables(Connection &c)
{
	c.exec("DROP TABLE IF EXISTS images, queries, classes");
	c.exec("CREATE TABLE classes (label smallint PRIMARY KEY, name text NOT NULL)");
	for (std::size_t i = 0; i < std::size(kClasses); i++)
		c.exec("INSERT INTO classes VALUES (" + std::to_string(i) + ", '" + kClasses[i] + "')");
	for (const char *table : {"images", "queries"})
		c.exec(std::string("CREATE TABLE ") + table +
			   " (id integer PRIMARY KEY, label smallint NOT NULL, embedding vector(784) NOT NULL)");
	c.exec(std::string("ALTER TABLE images ADD words tsvector GENERATED ALWAYS AS (") + kWords + ") STORED");
}

void
print_line(const std::string &name, double recall, const Load &load)
{
	printf("  %-34s %9.4f %11.0f %10.3f\n", name.c_str(), recall, load.qps, load.mean_ms);
	fflush(stdout);
}

/* A character for two pixels, one above the other; empty lines are left out. */
void
print_image(const float *pixels)
{
	static const char shades[] = " .:-=+*#%@";
	for (std::size_t y = 0; y < kSide; y += 2)
	{
		if (std::all_of(pixels + y * kSide, pixels + (y + 2) * kSide, [](float p) { return p == 0; }))
			continue;
		std::string line = "    ";
		for (std::size_t x = 0; x < kSide; x++)
		{
			float grey = (pixels[y * kSide + x] + pixels[(y + 1) * kSide + x]) / 2;
			line += shades[static_cast<std::size_t>(grey * 9.99f / 255)];
		}
		printf("%s\n", line.c_str());
	}
}

/* Recall and speed for each value of a setting. */
void
ladder(std::vector<Connection> &one, const Exact &exact, const std::vector<std::string> &queries,
	   const std::string &setting, const std::vector<int> &values, int usual)
{
	Connection &c = one.front();
	for (int value : values)
	{
		std::string name = setting + " = " + std::to_string(value);
		c.exec("SET " + name);
		c.prepare("search", kSearch, {c.vector_type()});
		std::vector<std::vector<std::int32_t>> found(queries.size());
		for (std::size_t q = 0; q < queries.size(); q++)
			c.search("search", queries[q], &found[q]);
		Load load = run_load(one, 1, "search", queries, kSeconds);
		print_line(name + (value == usual ? " (default)" : ""), exact.recall(found), load);
	}
	c.exec("RESET " + setting);
}

void
measure(std::vector<Connection> &one, const Dataset &data, const Exact &exact)
{
	std::vector<std::string> queries = encode_rows(data.queries, exact.query_count());
	Connection &c = one.front();
	unsigned type = c.vector_type();

	printf("\nThe %zu images nearest to a test image, one client over a Unix socket; recall over %zu test images:\n",
		   kNeighbors, exact.query_count());
	printf("  %-34s %9s %11s %10s\n", "", "recall@10", "queries/s", "ms/query");

	c.exec("SET enable_indexscan = off");
	c.prepare("exact", kSearch, {type});
	std::vector<std::int32_t> ids;
	double right = 0;
	const std::size_t sample = 20;
	for (std::size_t q = 0; q < sample; q++)
	{
		c.search("exact", queries[q], &ids);
		right += exact.recall(q, ids);
	}
	print_line("exact: no index", right / sample, run_load(one, 1, "exact", queries, kSeconds));
	c.exec("RESET enable_indexscan");

	ladder(one, exact, queries, "hnsw.ef_search", {10, 20, 40, 100, 200}, 40);
}

/* The same with the ivf index. The other one is dropped for as long as that takes: the planner may like it better. */
void
measure_ivf(std::vector<Connection> &one, const Dataset &data, const Exact &exact)
{
	Connection &c = one.front();
	double start = now_seconds();
	c.exec("CREATE INDEX images_embedding_ivf ON images USING ivf (embedding vector_l2_ops)");
	printf("\n  build  CREATE INDEX ... USING ivf   %6.1f s   index %4.0f MB\n", now_seconds() - start,
		   c.number("SELECT pg_relation_size('images_embedding_ivf')") / 1e6);
	std::vector<std::string> queries = encode_rows(data.queries, exact.query_count());
	c.exec("BEGIN");
	c.exec("DROP INDEX images_embedding");
	ladder(one, exact, queries, "vecdb.ivf_probes", {0, 4, 16}, 0);
	c.exec("ROLLBACK");
}

void
show_one_search(Connection &c, const Dataset &data)
{
	constexpr std::size_t query = 0;
	printf("\nOne search: test image %zu, of class \"%s\"\n\n", query, kClasses[data.query_labels[query]]);
	print_image(data.queries.row(query));
	std::string sql =
		"SELECT '  image ' || lpad(i.id::text, 5) || '   distance ' || "
		"lpad(round((i.embedding <-> q.embedding)::numeric, 1)::text, 7) || '   ' || c.name "
		"FROM queries q CROSS JOIN LATERAL (SELECT * FROM images ORDER BY embedding <-> q.embedding LIMIT 10) i "
		"JOIN classes c ON c.label = i.label WHERE q.id = " +
		std::to_string(query) + " ORDER BY i.embedding <-> q.embedding";
	printf("\n  its ten nearest of %zu images:\n%s", data.base.rows, c.lines(sql).c_str());
}

}  // namespace

int
quickstart(const Options &options)
{
	Dataset data = load_fashion_mnist(options.get("data", "/usr/share/datasets/fashion-mnist"));
	std::vector<Connection> one;
	one.emplace_back(options.get("database", "quickstart"));
	Connection &c = one.front();

	printf("%zu images of %zu x %zu pixels: vectors of %zu dimensions; %zu test images to search with\n\n",
		   data.base.rows, kSide, kSide, data.base.dims, data.queries.rows);
	create_tables(c);
	double start = now_seconds();
	c.copy_rows("images (id, label, embedding)", data.base, data.base_labels.data(), 0, data.base.rows, 0);
	c.copy_rows("queries (id, label, embedding)", data.queries, data.query_labels.data(), 0, data.queries.rows, 0);
	printf("  load   COPY ... (FORMAT BINARY)     %6.1f s   table %4.0f MB\n", now_seconds() - start,
		   c.number("SELECT pg_total_relation_size('images')") / 1e6);
	fflush(stdout);
	c.exec("VACUUM ANALYZE images");
	c.exec("ANALYZE queries");
	start = now_seconds();
	c.exec("CREATE INDEX images_embedding ON images USING hnsw (embedding vector_l2_ops)");
	printf("  build  CREATE INDEX ... USING hnsw  %6.1f s   index %4.0f MB\n", now_seconds() - start,
		   c.number("SELECT pg_relation_size('images_embedding')") / 1e6);
	fflush(stdout);

	Exact exact(data, kQueries, kNeighbors);
	measure(one, data, exact);
	measure_ivf(one, data, exact);
	show_one_search(c, data);
	return 0;
}

}  // namespace vecdb::client
