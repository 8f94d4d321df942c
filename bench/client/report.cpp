/* SPDX-License-Identifier: PostgreSQL
 * The table at the end: each of the project's targets, what vecdb and the peer did, the ratio, and whether it is met.
 *
 * Regime: client program.
 * Only what was measured has a line. A figure that a relation other than '=' marks is shown with that mark.
 */
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "commands.hpp"
#include "facts.hpp"

namespace vecdb::client
{

namespace
{

const std::string kOurs = "vecdb", kCompact = "vecdb_compact", kPeer = "pgvector", kLibrary = "(hnswlib)";
/* Of IVF; the peer's with the lists that serve it best, and with those that its manual names. */
const std::string kIvf = "vecdb_ivf", kIvfHeap = "vecdb_ivf_heap", kIvfPeer = "pgvector_ivf",
				  kIvfAdvised = "pgvector_ivf_advised", kIvfLibrary = "(faiss)";

/* Of a difference of two recalls, over a thousand queries. */
constexpr double kChance = 0.001;

struct Line
{
	std::string figure, target, ours, peer, ratio, met;
};

class Table
{
public:
	explicit Table(const std::vector<Fact> &facts)
	{
		for (const Fact &f : facts)
			values_[f.part + "/" + f.set + "/" + f.target + "/" + f.figure] = f;
	}

	const Fact *
	find(const std::string &part, const std::string &set, const std::string &target, const std::string &figure) const
	{
		auto found = values_.find(part + "/" + set + "/" + target + "/" + figure);
		return found == values_.end() ? nullptr : &found->second;
	}

	/* Least over all recalls at the same ef_search of ours less the other's, over the facts prefix + ef. */
	void
	recall_line(const std::string &what, const std::string &part, const std::string &set, const std::string &target_a,
				const std::string &prefix_a, const std::string &target_b, const std::string &prefix_b, double tolerance,
				const std::string &goal)
	{
		double worst = 1;
		std::string at, a_text, b_text;
		for (int ef = 1; ef <= 2000; ef++)
		{
			const Fact *a = find(part, set, target_a, prefix_a + std::to_string(ef));
			const Fact *b = find(part, set, target_b, prefix_b + std::to_string(ef));
			if (a == nullptr || b == nullptr || a->value - b->value >= worst)
				continue;
			worst = a->value - b->value;
			at = std::to_string(ef);
			a_text = number(a->value, "%.4f");
			b_text = number(b->value, "%.4f");
		}
		if (!at.empty())
			lines_.push_back({what + ", worst at ef " + at, goal, a_text, b_text, number(worst, "%+.4f"),
							  worst >= -tolerance ? "yes" : "no"});
	}

	/* Ours may be a little below the other. */
	void
	difference_line(const std::string &what, const Fact *ours, const Fact *other, double tolerance)
	{
		if (ours == nullptr || other == nullptr)
			return;
		double difference = ours->value - other->value;
		lines_.push_back({what, "within " + number(tolerance, "%.3g"), marked(*ours, "%.4f"), marked(*other, "%.4f"),
						  number(difference, "%+.4f"), difference >= -tolerance ? "yes" : "no"});
	}

	/* The ratio counts in our favour: more is better for a speed, for a cost the peer's over ours. */
	void
	ratio_line(const std::string &what, const Fact *ours, const Fact *peer, bool less_is_better, double least,
			   const char *format)
	{
		if (ours == nullptr || peer == nullptr || ours->value <= 0 || peer->value <= 0)
			return;
		double ratio = less_is_better ? peer->value / ours->value : ours->value / peer->value;
		lines_.push_back({what, least > 0 ? "at least " + number(least, "%.3g") + "x" : "-", marked(*ours, format),
						  marked(*peer, format), number(ratio, "%.2fx"),
						  least <= 0       ? "-"
						  : ratio >= least ? "yes"
										   : "no"});
	}

	/* At least so many. */
	void
	least_line(const std::string &what, const Fact *ours, double least, const char *format)
	{
		if (ours != nullptr)
			lines_.push_back({what, "at least " + number(least, format), marked(*ours, format), "-", "-",
							  ours->value >= least ? "yes" : "no"});
	}

	/* What an index adds to a cost of the table, against that cost. */
	void
	added_line(const std::string &what, const Fact *with, const Fact *without, double most, const char *format)
	{
		if (with == nullptr || without == nullptr || without->value <= 0)
			return;
		double added = with->value - without->value, ratio = added / without->value;
		lines_.push_back({what, "at most " + number(most, "%.3g") + "x", number(added, format),
						  marked(*without, format), number(ratio, "%.2fx"), ratio <= most ? "yes" : "no"});
	}

	/* Ours may be at most so many times the other. */
	void
	at_most_line(const std::string &what, const Fact *ours, const Fact *peer, double most, const char *format)
	{
		if (ours == nullptr || peer == nullptr || peer->value <= 0)
			return;
		double ratio = ours->value / peer->value;
		lines_.push_back({what, "at most " + number(most, "%.3g") + "x", marked(*ours, format), marked(*peer, format),
						  number(ratio, "%.2fx"), ratio <= most ? "yes" : "no"});
	}

	void
	absolute_line(const std::string &what, const Fact *ours, const Fact *peer, double most, const char *format)
	{
		if (ours == nullptr)
			return;
		lines_.push_back({what, "at most " + number(most, format), marked(*ours, format),
						  peer != nullptr ? marked(*peer, format) : "-",
						  peer != nullptr && ours->value > 0 ? number(peer->value / ours->value, "%.2fx") : "-",
						  ours->value <= most ? "yes" : "no"});
	}

	void
	print() const
	{
		printf("\n== against the targets (> at more than that recall; * from an earlier run)\n\n");
		printf("  %-78s %-16s %12s %12s %9s  %s\n", "figure", "target", "vecdb", "peer", "ratio", "met");
		for (const Line &l : lines_)
			printf("  %-78s %-16s %12s %12s %9s  %s\n", l.figure.c_str(), l.target.c_str(), l.ours.c_str(),
				   l.peer.c_str(), l.ratio.c_str(), l.met.c_str());
	}

	void
	write_markdown(const std::string &path) const
	{
		std::ofstream file(path);
		file << "| figure | target | vecdb | peer | ratio | met |\n|---|---|---|---|---|---|\n";
		for (const Line &l : lines_)
			file << "| " << l.figure << " | " << l.target << " | " << l.ours << " | " << l.peer << " | " << l.ratio
				 << " | " << (l.met == "no" ? "**no**" : l.met) << " |\n";
		if (!file)
			throw std::runtime_error("cannot write " + path);
	}

private:
	static std::string
	number(double v, const char *format)
	{
		char text[64];
		snprintf(text, sizeof text, format, v);
		return text;
	}

	static std::string
	marked(const Fact &f, const char *format)
	{
		return (f.relation == '>' ? "> " : "") + number(f.value, format) + (f.relation == 'k' ? "*" : "");
	}

	std::map<std::string, Fact> values_;
	std::vector<Line> lines_;
};

/* What is asked of each set. */
struct SetGoals
{
	const char *set;
	const char *name;
	double speed;  // over pgvector
	double cpu;    // us a query
	const char *cpu_fact;
	double fused_size, compact_size;
};

constexpr SetGoals kSets[] = {{"glove", "GloVe-100", 20, 200, "cpu_95", 1.4, 0.5},
							  {"fashion", "Fashion-MNIST", 7, 110, "cpu_99", 0.7, 0.3},
							  {"synth128", "1M x 128", 20, 0, "", 1.4, 0.5},
							  {"synth768", "200k x 768", 12, 150, "cpu_95", 0.7, 0.3}};

/* What is asked of ivf on each set: 0 where nothing is. */
struct IvfGoals
{
	const char *set;
	const char *name;
	double speed;        // over pgvector's ivfflat
	double build;        // over that with the advised lists
	double build_graph;  // over pgvector's hnsw
	double size, size_heap;
};

constexpr IvfGoals kIvfSets[] = {{"glove", "GloVe-100", 20, 0, 0, 0, 0},
								 {"fashion", "Fashion-MNIST", 20, 0, 0, 0.3, 0.06},
								 {"synth128", "1M x 128", 0, 5, 25, 0, 0},
								 {"synth768", "200k x 768", 20, 5, 25, 0.3, 0.06}};

void
report_api(Table &t)
{
	auto get = [&](const std::string &figure) { return t.find("api", "glove", kOurs, figure); };
	t.absolute_line("vecdb.search, us over ORDER BY ... LIMIT, both prepared", get("search_prepared_over_us"), nullptr,
					60, "%.1f");
	t.absolute_line("the same, both planned each time", get("search_once_over_us"), nullptr, 60, "%.1f");
	t.least_line("search_batch of 100, speed against single statements, planned", get("batch_plain_once_ratio"), 1.5,
				 "%.2f");
	t.least_line("the same against prepared ones", get("batch_plain_prepared_ratio"), 1.5, "%.2f");
	t.absolute_line("filter of 1 % against the same WHERE, times", get("filter_1_ratio"), nullptr, 1.1, "%.2f");
	t.absolute_line("filter of 50 % against the same WHERE, times", get("filter_50_ratio"), nullptr, 1.1, "%.2f");
	t.absolute_line("recommend, average, against search, times (lookup of 3 examples included)", get("recommend_ratio"),
					nullptr, 1.3, "%.2f");
	t.absolute_line("scroll, slowest page against the median, times", get("scroll_slowest_ratio"), nullptr, 2, "%.2f");
	t.absolute_line("the same, CPU of the backend", get("scroll_slowest_cpu_ratio"), nullptr, 2, "%.2f");
}

void
report_ivf(Table &t)
{
	for (const IvfGoals &g : kIvfSets)
	{
		std::string name = std::string("ivf, ") + g.name;
		auto get = [&](const std::string &target, const std::string &figure) {
			return t.find("ivf", g.set, target, figure);
		};
		t.ratio_line(name + ": QPS, 2 clients, at recall .95, best ivfflat", get(kIvf, "qps2_95"),
					 get(kIvfPeer, "qps2_95"), false, g.speed, "%.0f");
		t.ratio_line(name + ": the same against faiss, 2 threads", get(kIvf, "qps2_95"), get(kIvfLibrary, "qps2_95"),
					 false, 2, "%.0f");
		t.ratio_line(name + ": the same, recall .99, best ivfflat", get(kIvf, "qps2_99"), get(kIvfPeer, "qps2_99"),
					 false, 0, "%.0f");
		t.ratio_line(name + ": server CPU us/query at .95", get(kIvf, "cpu_95"), get(kIvfPeer, "cpu_95"), true, 0,
					 "%.0f");
		t.ratio_line(name + ": pages/query at .95", get(kIvf, "pages_95"), get(kIvfPeer, "pages_95"), true, 0, "%.0f");
		for (const char *figure : {"build_seconds", "build_cpu"})
		{
			std::string unit = figure[6] == 's' ? "build s" : "build CPU s";
			t.ratio_line(name + ": " + unit + ", ivfflat of rows/1000 lists", get(kIvf, figure),
						 get(kIvfAdvised, figure), true, g.build, "%.1f");
			t.ratio_line(name + ": " + unit + ", best ivfflat", get(kIvf, figure), get(kIvfPeer, figure), true, 0,
						 "%.1f");
			t.ratio_line(name + ": " + unit + ", pgvector's hnsw", get(kIvf, figure), get(kPeer, figure), true,
						 g.build_graph, "%.1f");
		}
		if (g.size > 0)
		{
			t.at_most_line(name + ": index MB", get(kIvf, "build_index_mb"), get(kIvfAdvised, "build_index_mb"), g.size,
						   "%.1f");
			t.at_most_line(name + ": index MB, rerank = heap", get(kIvfHeap, "build_index_mb"),
						   get(kIvfAdvised, "build_index_mb"), g.size_heap, "%.1f");
		}
		t.least_line(name + ": recall by default", get(kIvf, "default_recall"), 0.95, "%.4f");
	}
	for (const char *clients : {"1", "2"})
	{
		std::string figure = std::string("insert") + clients;
		t.ratio_line("ivf: single-row inserts/s against pgvector's hnsw, clients: " + std::string(clients),
					 t.find("inserts", "glove", kIvf, figure + "_rows_s"),
					 t.find("inserts", "glove", kPeer, figure + "_rows_s"), false, 10, "%.0f");
		t.ratio_line("ivf: the same, server CPU us a row", t.find("inserts", "glove", kIvf, figure + "_cpu_us"),
					 t.find("inserts", "glove", kPeer, figure + "_cpu_us"), true, 10, "%.0f");
	}
	for (const char *table : {"few", "many"})
	{
		std::string into = std::string("ivf: 128 dimensions, table of ") + (table[0] == 'f' ? "1,000 rows" : "1M rows");
		std::string prefix = table;
		auto get = [&](const std::string &target, const std::string &figure) {
			return t.find("copying", "copying", target, prefix + figure);
		};
		t.least_line(into + ": COPY rows/s", get(kIvf, "_copy_rows_s"), 20000, "%.0f");
		t.least_line(into + ": COPY rows/s, two at once", get(kIvf, "_copy2_rows_s"), 20000, "%.0f");
		for (const char *what : {"_single", "_copy"})
			for (const char *wal : {"_wal_records_bytes", "_wal_bytes"})
				t.added_line(into + ": WAL that the index adds to " + (what[1] == 's' ? "a row's" : "a copied row's") +
								 (wal[5] == 'b' ? ", with page images" : ""),
							 get(kIvf, std::string(what) + wal), get("vecdb_heap", std::string(what) + wal), 1.5,
							 "%.0f");
	}
	for (const char *set : {"glove", "fashion"})
		for (const char *when : {"vacuumed", "vacuumed_again"})
		{
			std::string name = std::string("ivf, ") + (set[0] == 'g' ? "GloVe-100" : "Fashion-MNIST") +
							   ": recall after 10x other rows and " + (when[8] == '\0' ? "VACUUM" : "a second VACUUM");
			t.recall_line(name, "drift", set, kIvf, std::string(when) + "_recall_ef_", kIvf, "fresh_recall_ef_", 0.02,
						  "within 0.02");
			t.difference_line(name + ", by default",
							  t.find("drift", set, kIvf, std::string(when) + "_recall_ef_default"),
							  t.find("drift", set, kIvf, "fresh_recall_ef_default"), 0.02);
		}
	t.absolute_line("ivf, 1M x 128: cold query, ms; pgvector's hnsw", t.find("ivf_disk", "synth128", kIvf, "mean_ms"),
					t.find("ivf_disk", "synth128", kPeer, "mean_ms"), 20, "%.1f");
	t.ratio_line("ivf, 1M x 128: the same", t.find("ivf_disk", "synth128", kIvf, "mean_ms"),
				 t.find("ivf_disk", "synth128", kPeer, "mean_ms"), true, 5, "%.1f");
	t.ratio_line("ivf, 1M x 128: the same; pgvector's ivfflat", t.find("ivf_disk", "synth128", kIvf, "mean_ms"),
				 t.find("ivf_disk", "synth128", kIvfPeer, "mean_ms"), true, 0, "%.1f");
}

}  // namespace

int
report(const Options &options)
{
	Table t(read_facts(options.get("facts", "")));
	for (const SetGoals &g : kSets)
	{
		std::string name = g.name;
		auto get = [&](const std::string &target, const std::string &figure) {
			return t.find("compare", g.set, target, figure);
		};
		for (const char *recall : {"95", "99"})
		{
			std::string at = std::string(" at recall .") + recall;
			std::string figure = std::string("qps2_") + recall;
			t.ratio_line(name + ": QPS, 2 clients," + at, get(kOurs, figure), get(kPeer, figure), false, g.speed,
						 "%.0f");
			t.ratio_line(name + ": the same against hnswlib, 2 threads", get(kOurs, figure), get(kLibrary, figure),
						 false, 1, "%.0f");
		}
		if (g.cpu > 0)
			t.absolute_line(name + ": server CPU us/query at ." + (g.cpu_fact + 4), get(kOurs, g.cpu_fact),
							get(kPeer, g.cpu_fact), g.cpu, "%.0f");
		t.ratio_line(name + ": pages/query at .95", get(kOurs, "pages_95"), get(kPeer, "pages_95"), true, 10, "%.0f");
		t.recall_line(name + ": recall at the same ef_search, bulk-built", "compare", g.set, kOurs, "recall_ef_", kPeer,
					  "recall_ef_", kChance, "not below");
		t.at_most_line(name + ": index MB", get(kOurs, "build_index_mb"), get(kPeer, "build_index_mb"), g.fused_size,
					   "%.1f");
		t.at_most_line(name + ": index MB, compact, precision 8", get(kCompact, "build_index_mb"),
					   get(kPeer, "build_index_mb"), g.compact_size, "%.1f");
	}
	struct Build
	{
		const char *part, *set, *name;
	};
	for (const Build &b : {Build{"compare", "glove", "GloVe-100, ef_construction 200"},
						   Build{"vacuum", "fashion200", "Fashion-MNIST, ef_construction 200"}})
		for (const char *figure : {"build_seconds", "build_cpu"})
			t.ratio_line(std::string(b.name) + (figure[6] == 's' ? ": build s" : ": build CPU s"),
						 t.find(b.part, b.set, kOurs, figure), t.find(b.part, b.set, kPeer, figure), true, 8, "%.1f");
	t.at_most_line("build with a quarter of the memory, s", t.find("memory", "glove", kOurs, "quarter_seconds"),
				   t.find("memory", "glove", kOurs, "full_seconds"), 1.5, "%.1f");
	t.recall_line("its recall against the full build's", "memory", "glove", kOurs, "quarter_recall_ef_", kOurs,
				  "full_memory_recall_ef_", 0.005, "as good");
	for (const char *clients : {"1", "2"})
	{
		std::string figure = std::string("insert") + clients;
		t.ratio_line("single-row inserts/s, clients: " + std::string(clients),
					 t.find("inserts", "glove", kOurs, figure + "_rows_s"),
					 t.find("inserts", "glove", kPeer, figure + "_rows_s"), false, 6, "%.0f");
		t.ratio_line("the same, server CPU us a row", t.find("inserts", "glove", kOurs, figure + "_cpu_us"),
					 t.find("inserts", "glove", kPeer, figure + "_cpu_us"), true, 6, "%.0f");
	}
	for (const char *figure : {"insert1_wal_bytes", "insert1_wal_records_bytes"})
		t.at_most_line(std::string("WAL bytes an insert") + (figure[12] == 'r' ? ", without page images" : ""),
					   t.find("inserts", "glove", kOurs, figure), t.find("inserts", "glove", kPeer, figure), 1, "%.0f");
	t.ratio_line("COPY of new rows into 300,000, rows/s", t.find("inserts", "glove", kOurs, "copy_rows_s"),
				 t.find("inserts", "glove", kPeer, "copy_rows_s"), false, 10, "%.0f");
	t.ratio_line("the same, server CPU us a row", t.find("inserts", "glove", kOurs, "copy_cpu_us"),
				 t.find("inserts", "glove", kPeer, "copy_cpu_us"), true, 10, "%.0f");
	for (const char *figure : {"vacuum_seconds", "vacuum_cpu"})
		t.ratio_line(std::string("VACUUM after deleting 20%, ") + (figure[7] == 's' ? "s" : "CPU s"),
					 t.find("vacuum", "fashion200", kOurs, figure), t.find("vacuum", "fashion200", kPeer, figure), true,
					 10, "%.1f");
	t.recall_line("its recall against a fresh index", "vacuum", "fashion200", kOurs, "vacuumed_recall_ef_", kOurs,
				  "fresh_recall_ef_", 0.005, "within 0.005");
	for (const char *history : {"bulk", "filled", "churned"})
		t.recall_line(std::string("GloVe, recall at the same ef_search, ") + history, "histories", "glove", kOurs,
					  std::string(history) + "_recall_ef_", kPeer, std::string(history) + "_recall_ef_", kChance,
					  "not below");
	t.recall_line("churned against rebuilt", "histories", "glove", kOurs, "churned_recall_ef_", kOurs,
				  "rebuilt_recall_ef_", 0.005, "within 0.005");
	for (const SetGoals &g : kSets)
		t.ratio_line(std::string(g.name) + ": cold, small buffers, index reads/query",
					 t.find("disk", g.set, kOurs, "index_reads"), t.find("disk", g.set, kPeer, "index_reads"), true, 5,
					 "%.1f");
	report_api(t);
	report_ivf(t);
	t.print();
	if (!options.get("markdown", "").empty())
		t.write_markdown(options.get("markdown", ""));
	return 0;
}

}  // namespace vecdb::client
