/* SPDX-License-Identifier: PostgreSQL
 * GraphBuilder on bit strings and sparse rows: the graph is sound, the same with any number of threads, and a search finds
 * what a comparison with all rows finds, as well as in hnswlib's graph.
 */
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "unit/hnswlib_oracle.hpp"
#include "vecdb/base/random.hpp"
#include "vecdb/graph/code_distance.hpp"
#include "vecdb/graph/graph_builder.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::graph;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

using Random = std::mt19937_64;

double
cpu_seconds()
{
	rusage use;
	getrusage(RUSAGE_SELF, &use);
	return static_cast<double>(use.ru_utime.tv_sec) + 1e-6 * static_cast<double>(use.ru_utime.tv_usec);
}

struct Row
{
	std::vector<std::uint8_t> code;
	quantizer::Sq8 factors;
	std::int32_t sum;

	CodeView
	view() const
	{
		return CodeView{code.data(), factors.scale, factors.bias, factors.norm2, sum};
	}
};

using SparseValues = std::vector<std::pair<std::int32_t, float>>;

Row
sparse_row(SparseValues values, bool unit_length)
{
	std::sort(values.begin(), values.end());
	values.erase(std::unique(values.begin(), values.end(), [](auto &a, auto &b) { return a.first == b.first; }),
				 values.end());
	std::vector<std::int32_t> indices;
	std::vector<float> floats;
	double norm2 = 0;
	for (auto [i, x] : values)
	{
		indices.push_back(i);
		floats.push_back(x);
		norm2 += static_cast<double>(x) * x;
	}
	Row row;
	row.sum = static_cast<std::int32_t>(quantizer::sparse_blocks(values.size()));
	row.code.resize(static_cast<std::size_t>(row.sum) * quantizer::kSparseBlockBytes);
	row.factors = encode_sparse(indices.data(), floats.data(), values.size(),
								unit_length && norm2 > 0 ? std::sqrt(norm2) : 1, row.code.data());
	return row;
}

Row
bit_row(const std::vector<std::uint8_t> &bytes, std::size_t bits)
{
	Row row;
	row.sum = 0;
	row.code.resize(bit_code_bytes(bits));
	row.factors = encode_bits(bytes.data(), bits, row.code.data());
	return row;
}

/* A query with the memory that it needs. */
struct Query
{
	std::vector<std::uint64_t> memory;
	CodeQuery query;

	Query(const Row &row, Metric metric, std::uint32_t dims, std::size_t code_bytes)
	{
		if (distance::of_bits(metric))
		{
			query = make_bit_query(distance::kernels(), metric, row.code.data(), code_bytes);
			return;
		}
		auto blocks = static_cast<std::uint32_t>(row.sum);
		memory.resize(quantizer::sparse_query_bytes(blocks, dims) / 8 + 1);
		query = make_sparse_query(metric, quantizer::sparse_query(row.code.data(), blocks, dims, memory.data()),
								  std::sqrt(row.factors.norm2));
	}
};

/* hnswlib on the same distances: its data are numbers of rows. */
class RowSpace : public hnswlib::SpaceInterface<float>
{
public:
	RowSpace(const std::vector<Row> &rows, Metric metric, std::size_t code_bytes)
		: rows_(rows), metric_(metric), code_bytes_(code_bytes)
	{
	}
	size_t
	get_data_size() override
	{
		return sizeof(std::uint32_t);
	}
	hnswlib::DISTFUNC<float>
	get_dist_func() override
	{
		return [](const void *a, const void *b, const void *self) {
			const auto &space = *static_cast<const RowSpace *>(self);
			return code_distance(distance::kernels(), space.metric_, space.row(a).view(), space.row(b).view(),
								 space.code_bytes_);
		};
	}
	void *
	get_dist_func_param() override
	{
		return this;
	}

private:
	const Row &
	row(const void *number) const
	{
		return rows_[*static_cast<const std::uint32_t *>(number)];
	}
	const std::vector<Row> &rows_;
	Metric metric_;
	std::size_t code_bytes_;
};

struct Build
{
	BuilderOptions options{};
	std::vector<Row> rows;  // and queries behind them
	std::size_t count = 0;
	int file = -1;
	GraphBuilder builder;

	Build(RowKind kind, Metric metric, std::uint32_t dims)
	{
		options.kind = kind;
		options.metric = metric;
		options.code_dims = kind == RowKind::bits ? static_cast<std::uint32_t>(bit_code_bytes(dims)) : 0;
		options.dimensions = dims;
		options.m = 16;
		options.ef_construction = 64;
		options.threads = 2;
		options.seed = 42;
	}

	GraphBuilder::Source
	memory(std::size_t bytes)
	{
		static std::uint64_t end = 0;
		std::uint64_t offset = end;
		if (file < 0)
			return {-1, 0};
		end += (bytes + 65535) / 65536 * 65536;
		EXPECT_EQ(ftruncate(file, static_cast<off_t>(end)), 0);
		return {file, offset};
	}

	void
	run(std::size_t n)
	{
		count = n;
		ASSERT_TRUE(builder.start(options).ok());
		for (std::size_t i = 0; i < n; i++)
		{
			const Row &row = rows[i];
			if (!builder.has_room())
				ASSERT_TRUE(builder.add_room(memory(builder.room_bytes()), {-1, 0}).ok());
			if (!builder.has_code_room(row.code.size()))
				ASSERT_TRUE(builder.add_code_room(memory(builder.code_room_bytes())).ok());
			auto ordinal = builder.append(row.factors, row.sum, row.code.data(), nullptr);
			ASSERT_EQ(ordinal, i);
			ASSERT_EQ(builder.appended_sum(ordinal), row.sum);
			ASSERT_TRUE(std::equal(row.code.begin(), row.code.end(), builder.appended_code(ordinal)));
		}
		ASSERT_TRUE(builder.link(memory(builder.list_bytes(n)), 8).ok());
		while (!builder.wait_idle(20))
			;
		Status s = builder.status();
		ASSERT_TRUE(s.ok()) << s.message;
		EXPECT_EQ(builder.done(), n);
	}

	std::vector<std::uint32_t>
	links(std::uint32_t node, std::uint32_t layer) const
	{
		std::vector<std::uint32_t> out(2 * static_cast<std::size_t>(options.m));
		out.resize(builder.links(node, layer, out.data()));
		return out;
	}

	void
	check() const
	{
		ASSERT_EQ(builder.count(), count);
		std::vector<int> seen(count);
		for (std::uint32_t node = 0; node < count; node++)
		{
			std::uint32_t ordinal = builder.ordinal(node);
			ASSERT_LT(ordinal, count);
			ASSERT_EQ(++seen[ordinal], 1);
			ASSERT_EQ(builder.sum(node), rows[ordinal].sum);
			ASSERT_TRUE(std::equal(rows[ordinal].code.begin(), rows[ordinal].code.end(), builder.code(node)));
			ASSERT_EQ(builder.sq8(node).norm2, rows[ordinal].factors.norm2);
		}
		if (count == 0)
			return;
		for (std::uint32_t layer = 0; layer <= builder.level(builder.entry()); layer++)
		{
			std::vector<bool> reached(count);
			std::vector<std::uint32_t> queue{builder.entry()};
			reached[builder.entry()] = true;
			for (std::size_t i = 0; i < queue.size(); i++)
				for (std::uint32_t to : links(queue[i], layer))
				{
					ASSERT_LT(to, count);
					ASSERT_NE(to, queue[i]);
					ASSERT_GE(builder.level(to), layer);
					if (!reached[to])
					{
						reached[to] = true;
						queue.push_back(to);
					}
				}
			for (std::uint32_t node = 0; node < count; node++)
				if (builder.level(node) >= layer)
					ASSERT_TRUE(reached[node]) << node << " layer " << layer;
		}
	}

	std::vector<std::vector<std::uint32_t>>
	picture() const
	{
		std::vector<std::vector<std::uint32_t>> all(count);
		for (std::uint32_t node = 0; node < count; node++)
			for (std::uint32_t layer = 0; layer <= builder.level(node); layer++)
				for (std::uint32_t to : links(node, layer))
					all[builder.ordinal(node)].push_back(builder.ordinal(to));
		return all;
	}

	float
	distance(const CodeQuery &q, std::uint32_t node) const
	{
		CodeView v{builder.code(node), 0, 0, builder.sq8(node).norm2, builder.sum(node)};
		return query_distance(distance::kernels(), q, v);
	}

	/* Distances of the ef nearest that a search finds; scored: how many it has looked at. */
	std::vector<std::pair<float, std::uint32_t>>
	search(const CodeQuery &q, std::size_t ef, std::size_t &scored) const
	{
		std::uint32_t current = builder.entry();
		float best = distance(q, current);
		for (std::uint32_t layer = builder.level(current); layer > 0; layer--)
			for (bool moved = true; moved;)
			{
				moved = false;
				for (std::uint32_t to : links(current, layer))
				{
					scored++;
					if (float d = distance(q, to); d < best)
					{
						best = d;
						current = to;
						moved = true;
					}
				}
			}
		using Near = std::pair<float, std::uint32_t>;
		std::vector<bool> seen(count);
		std::priority_queue<Near> found;
		std::priority_queue<Near, std::vector<Near>, std::greater<>> open;
		found.emplace(best, current);
		open.emplace(best, current);
		seen[current] = true;
		while (!open.empty() && (found.size() < ef || open.top().first <= found.top().first))
		{
			std::uint32_t node = open.top().second;
			open.pop();
			for (std::uint32_t to : links(node, 0))
			{
				if (seen[to])
					continue;
				seen[to] = true;
				float d = distance(q, to);
				scored++;
				if (found.size() < ef || d < found.top().first)
				{
					open.emplace(d, to);
					found.emplace(d, to);
					if (found.size() > ef)
						found.pop();
				}
			}
		}
		std::vector<Near> all;
		for (; !found.empty(); found.pop())
			all.push_back(found.top());
		std::reverse(all.begin(), all.end());
		return all;
	}
};

struct Figures
{
	double ours = 0, hnswlib = 0;
	double scored = 0;
	double seconds = 0, hnswlib_seconds = 0;
};

/* Recall@10 by distance: what is as near as the tenth counts. */
Figures
figures(const Build &b, std::size_t ef, bool with_hnswlib)
{
	constexpr std::size_t k = 10;
	const distance::Kernels &kernels = distance::kernels();
	Figures f;
	RowSpace space(b.rows, b.options.metric, b.options.code_dims);
	std::unique_ptr<hnswlib::HierarchicalNSW<float>> theirs;
	if (with_hnswlib)
	{
		double start = cpu_seconds();
		theirs = std::make_unique<hnswlib::HierarchicalNSW<float>>(&space, b.count,
																   static_cast<std::size_t>(b.options.m),
																   static_cast<std::size_t>(b.options.ef_construction));
		for (std::uint32_t i = 0; i < b.count; i++)
			theirs->addPoint(&i, i);
		theirs->setEf(ef);
		f.hnswlib_seconds = cpu_seconds() - start;
	}
	const std::size_t queries = b.rows.size() - b.count;
	for (std::size_t i = 0; i < queries; i++)
	{
		const Row &row = b.rows[b.count + i];
		Query q(row, b.options.metric, b.options.dimensions, b.options.code_dims);
		std::vector<double> exact(b.count);
		for (std::size_t r = 0; r < b.count; r++)
			exact[r] = exact_interval(kernels, q.query, b.rows[r].view()).middle;
		std::vector<double> sorted = exact;
		std::nth_element(sorted.begin(), sorted.begin() + k - 1, sorted.end());
		const double limit = sorted[k - 1] + 1e-6 * std::fabs(sorted[k - 1]);
		std::size_t scored = 0;
		auto found = b.search(q.query, ef, scored);
		f.scored += static_cast<double>(scored);
		for (std::size_t j = 0; j < std::min(k, found.size()); j++)
			f.ours += exact[b.builder.ordinal(found[j].second)] <= limit;
		if (!with_hnswlib)
			continue;
		auto number = static_cast<std::uint32_t>(b.count + i);
		for (auto result = theirs->searchKnn(&number, k); !result.empty(); result.pop())
			f.hnswlib += exact[result.top().second] <= limit;
	}
	f.ours /= static_cast<double>(queries * k);
	f.hnswlib /= static_cast<double>(queries * k);
	f.scored /= static_cast<double>(queries);
	return f;
}

/* --- data --- */

using MakeRow = std::function<Row(Random &)>;

std::vector<std::uint8_t>
random_bits(Random &random, std::size_t bits, double share = 0.5)
{
	std::vector<std::uint8_t> bytes((bits + 7) / 8);
	for (std::size_t i = 0; i < bits; i++)
		if (std::uniform_real_distribution<>()(random) < share)
			bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | 0x80 >> i % 8);
	return bytes;
}

MakeRow
uniform_bits(std::size_t bits)
{
	return [=](Random &random) { return bit_row(random_bits(random, bits), bits); };
}

/* Some centres, of which a row differs in up to a fifth of the bits, each row to its own degree. */
MakeRow
clustered_bits(std::size_t bits, std::size_t centres, double share = 0.5)
{
	Random random(5);
	std::vector<std::vector<std::uint8_t>> all;
	for (std::size_t i = 0; i < centres; i++)
		all.push_back(random_bits(random, bits, share));
	return [=](Random &r) {
		auto bytes = all[r() % centres];
		double noise = 0.2 * std::uniform_real_distribution<>()(r) * 2 * share;
		auto flips = random_bits(r, bits, noise);
		for (std::size_t i = 0; i < bytes.size(); i++)
			bytes[i] ^= flips[i];
		return bit_row(bytes, bits);
	};
}

/* Signs of random projections of few latent dimensions: what binary_quantize makes of embeddings. */
MakeRow
latent_bits(std::size_t bits, std::size_t latent)
{
	Random random(6);
	std::normal_distribution<float> normal;
	std::vector<float> planes(bits * latent);
	for (float &x : planes)
		x = normal(random);
	return [=](Random &r) mutable {
		std::vector<float> z(latent);
		for (float &x : z)
			x = normal(r);
		std::vector<std::uint8_t> bytes((bits + 7) / 8);
		for (std::size_t i = 0; i < bits; i++)
		{
			float sum = 0;
			for (std::size_t j = 0; j < latent; j++)
				sum += planes[i * latent + j] * z[j];
			if (sum > 0)
				bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | 0x80 >> i % 8);
		}
		return bit_row(bytes, bits);
	};
}

/*
 * Terms by Zipf's law over a vocabulary, weights that fall off; rows of a topic share terms, as those of a learned sparse
 * encoder do.
 */
MakeRow
splade(std::uint32_t dims, std::size_t least, std::size_t most, std::size_t topics, bool unit_length)
{
	return [=](Random &random) {
		std::uniform_real_distribution<> uniform;
		const std::size_t n = least + random() % (most - least + 1);
		Random topic(random() % topics + 1000), other(random() % topics + 1000);
		SparseValues values;
		auto term = [&](Random &r) {
			/* Rank by an inverse power, then spread over the indices. */
			double rank = std::exp(std::uniform_real_distribution<>()(r) * std::log(static_cast<double>(dims)));
			return static_cast<std::int32_t>(splitmix64(static_cast<std::uint64_t>(rank)) % dims);
		};
		for (std::size_t i = 0; i < n; i++)
		{
			double where = uniform(random);
			std::int32_t index = where < 0.5 ? term(topic) : where < 0.7 ? term(other) : term(random);
			values.emplace_back(index, static_cast<float>(std::exp(0.7 * std::normal_distribution<>()(random))));
		}
		return sparse_row(values, unit_length);
	};
}

/* Points in so many dimensions, none of which is 0 but for some. */
MakeRow
dense(std::uint32_t dims, bool unit_length)
{
	return [=](Random &random) {
		SparseValues values;
		for (std::uint32_t i = 0; i < dims; i++)
			if (random() % 10 != 0)
				values.emplace_back(static_cast<std::int32_t>(i), std::normal_distribution<float>()(random));
		return sparse_row(values, unit_length);
	};
}

struct Case
{
	std::string name;
	RowKind kind;
	std::vector<Metric> metrics;
	std::uint32_t dims;
	std::size_t rows;
	std::function<MakeRow(bool unit_length)> make;
	std::size_t ef;
	double least;  // recall
	bool hnswlib = true;
};

/* Rows without those that come twice, which share a node in an index. */
std::vector<Row>
distinct(std::vector<Row> rows)
{
	std::set<std::string> seen;
	std::vector<Row> some;
	for (Row &row : rows)
		if (seen.insert(std::string(row.code.begin(), row.code.end())).second)
			some.push_back(std::move(row));
	return some;
}

void
expect_recall(const Case &c, Metric metric)
{
	SCOPED_TRACE(c.name + ", " + distance::metric_name(metric));
	Build b(c.kind, metric, c.dims);
	MakeRow make = c.make(metric == Metric::cosine);
	Random random(3);
	const std::size_t n = kSanitized ? c.rows / 8 : c.rows, queries = kSanitized ? 10 : 50;
	for (std::size_t i = 0; i < n; i++)
		b.rows.push_back(make(random));
	b.rows = distinct(std::move(b.rows));
	const std::size_t kept = b.rows.size();
	for (std::size_t i = 0; i < queries; i++)
		b.rows.push_back(make(random));
	double start = cpu_seconds();
	b.run(kept);
	double seconds = cpu_seconds() - start;
	if (testing::Test::HasFailure())
		return;
	b.check();
	Figures f = figures(b, c.ef, c.hnswlib);
	EXPECT_GE(f.ours, c.least);
	EXPECT_GE(f.ours, f.hnswlib - 0.03);
	std::printf("%-20s %-14s %6zu rows: recall %.3f, %.0f rows scored, %.2f s of build; hnswlib %.3f, %.2f s\n",
				c.name.c_str(), distance::metric_name(metric), kept, f.ours, f.scored, seconds, f.hnswlib,
				f.hnswlib_seconds);
}

auto
always(MakeRow make)
{
	return [=](bool) { return make; };
}

TEST(GraphRows, RecallOfBits)
{
	std::vector<Case> cases;
	for (std::uint32_t dims : {64u, 256u, 1024u, 4096u})
	{
		if (kSanitized && dims > 256)
			break;
		std::string d = std::to_string(dims);
		/* Nearest neighbours among uniform bits are hardly nearer than all others: no graph finds them for little. */
		double least = dims == 64 ? 0.98 : dims == 256 ? 0.9 : 0.7;
		cases.push_back({"uniform " + d, RowKind::bits, {}, dims, 4000, always(uniform_bits(dims)), 200, least});
		cases.push_back(
			{"clustered " + d, RowKind::bits, {}, dims, 4000, always(clustered_bits(dims, 200)), 100, 0.97});
		cases.push_back(
			{"rare " + d, RowKind::bits, {}, dims, 4000, always(clustered_bits(dims, 200, 0.05)), 150, 0.95});
		cases.push_back({"latent " + d, RowKind::bits, {}, dims, 4000, always(latent_bits(dims, 24)), 100, 0.97});
	}
	cases.push_back({"clustered 64000", RowKind::bits, {}, 64000, 800, always(clustered_bits(64000, 30)), 100, 0.97});
	for (const Case &c : cases)
		for (Metric metric : {Metric::hamming, Metric::jaccard})
			expect_recall(c, metric);
}

/* All rows of a cube: most distances come many times. */
TEST(GraphRows, TiesOfBits)
{
	for (std::uint32_t dims : {4u, 8u, 12u})
		for (Metric metric : {Metric::hamming, Metric::jaccard})
			expect_recall(
				{"cube " + std::to_string(dims), RowKind::bits, {}, dims, 20000, always(uniform_bits(dims)), 100, 0.99},
				metric);
}

TEST(GraphRows, RecallOfSparse)
{
	const std::vector<Case> cases{
		{"splade",
		 RowKind::sparse,
		 {},
		 30000,
		 3000,
		 [](bool unit) { return splade(30000, 30, 300, 200, unit); },
		 100,
		 0.95},
		{"three dimensions", RowKind::sparse, {}, 3, 6000, [](bool unit) { return dense(3, unit); }, 100, 0.97},
		{"many non-zeros",
		 RowKind::sparse,
		 {},
		 100000,
		 400,
		 [](bool unit) { return splade(100000, 2000, 8000, 20, unit); },
		 100,
		 0.97,
		 false},
		{"1e9 dimensions",
		 RowKind::sparse,
		 {},
		 1000000000,
		 2000,
		 [](bool unit) { return splade(1000000000, 20, 100, 150, unit); },
		 100,
		 0.95},
	};
	for (const Case &c : cases)
		for (Metric metric : {Metric::l2, Metric::inner_product, Metric::cosine, Metric::l1})
			expect_recall(c, metric);
}

/* --- soundness --- */

using AnyMetric = std::pair<RowKind, Metric>;
const std::vector<AnyMetric> kAll{
	{RowKind::bits, Metric::hamming},  {RowKind::bits, Metric::jaccard}, {RowKind::sparse, Metric::l2},
	{RowKind::sparse, Metric::cosine}, {RowKind::sparse, Metric::l1},    {RowKind::sparse, Metric::inner_product},
};

TEST(GraphRows, GraphIsSoundForAllKindsOfData)
{
	const std::pair<const char *, std::function<SparseValues(Random &, std::size_t)>> sparse[] = {
		{"no element", [](Random &, std::size_t) { return SparseValues{}; }},
		{"all equal",
		 [](Random &, std::size_t) {
			 return SparseValues{{3, 1.0f}, {900, 2.0f}};
		 }},
		{"one element each",
		 [](Random &, std::size_t row) {
			 return SparseValues{{static_cast<std::int32_t>(row % 997), 1.0f}};
		 }},
		{"huge",
		 [](Random &r, std::size_t) {
			 return SparseValues{{static_cast<std::int32_t>(r() % 50), 3e38f}, {60, -3e38f}};
		 }},
		{"tiny",
		 [](Random &r, std::size_t) {
			 return SparseValues{{static_cast<std::int32_t>(r() % 50), 1e-40f}};
		 }},
		{"huge and tiny",
		 [](Random &r, std::size_t row) {
			 return SparseValues{{static_cast<std::int32_t>(r() % 50), row % 2 == 0 ? 1e38f : 1e-38f}};
		 }},
		{"lengths of all kinds",
		 [](Random &r, std::size_t row) {
			 SparseValues v;
			 for (std::size_t i = 0; i < row % 70; i++)
				 v.emplace_back(static_cast<std::int32_t>(r() % 1000), 1.0f + static_cast<float>(r() % 5));
			 return v;
		 }},
	};
	for (auto [kind, metric] : kAll)
		for (int data = 0; data < 7; data++)
		{
			SCOPED_TRACE(std::string(distance::metric_name(metric)) + ", " + sparse[data].first);
			Build b(kind, metric, 1000);
			b.options.m = data % 2 == 0 ? 2 : 8;
			b.options.ef_construction = 16;
			Random random(1);
			for (std::size_t row = 0; row < (kSanitized ? 200u : 700u); row++)
			{
				SparseValues values = sparse[data].second(random, row);
				if (kind == RowKind::sparse)
				{
					b.rows.push_back(sparse_row(values, metric == Metric::cosine));
					continue;
				}
				std::vector<std::uint8_t> bytes(125);
				for (auto [i, x] : values)
					bytes[static_cast<std::size_t>(i) / 8] |= static_cast<std::uint8_t>(1 << i % 8);
				b.rows.push_back(bit_row(bytes, 1000));
			}
			b.run(b.rows.size());
			b.check();
			if (HasFailure())
				return;
		}
}

TEST(GraphRows, FewRows)
{
	for (auto [kind, metric] : kAll)
		for (std::size_t rows : {0u, 1u, 2u, 3u, 10u})
		{
			SCOPED_TRACE(rows);
			Build b(kind, metric, 20);
			Random random(1);
			MakeRow make = kind == RowKind::bits ? uniform_bits(20) : dense(20, metric == Metric::cosine);
			for (std::size_t i = 0; i < rows; i++)
				b.rows.push_back(make(random));
			b.run(rows);
			b.check();
		}
}

TEST(GraphRows, SameSeedSameGraphWithAnyThreadsAndAnyMemory)
{
	for (auto [kind, metric] : kAll)
	{
		SCOPED_TRACE(distance::metric_name(metric));
		std::FILE *file = std::tmpfile();
		ASSERT_NE(file, nullptr);
		const std::uint32_t dims = kind == RowKind::bits ? 2000 : 5000;
		Build one(kind, metric, dims), three(kind, metric, dims), mapped(kind, metric, dims), other(kind, metric, dims);
		one.options.threads = 1;
		three.options.threads = 3;
		mapped.file = fileno(file);
		other.options.seed = 43;
		for (Build *b : {&one, &three, &mapped, &other})
		{
			b->options.ef_construction = 16;
			MakeRow make = kind == RowKind::bits ? clustered_bits(dims, 50)
												 : splade(dims, 5, 60, 50, metric == Metric::cosine);
			Random random(2);
			for (std::size_t i = 0; i < (kSanitized ? 500u : 2000u); i++)
				b->rows.push_back(make(random));
			b->run(b->rows.size());
			b->check();
		}
		EXPECT_EQ(one.picture(), three.picture());
		EXPECT_EQ(one.picture(), mapped.picture());
		EXPECT_NE(one.picture(), other.picture());
		for (std::uint32_t node = 0; node < one.count; node++)
			ASSERT_EQ(one.builder.ordinal(node), three.builder.ordinal(node));
		std::fclose(file);
	}
}

/* Codes longer than all others go on in the next chunk. */
TEST(GraphRows, LongCodesFillChunks)
{
	Build b(RowKind::sparse, Metric::l2, 1000000);
	Random random(2);
	for (std::size_t i = 0; i < 80; i++)
	{
		std::vector<std::int32_t> indices(16000 - 7 * i);
		std::vector<float> values(indices.size(), static_cast<float>(i));
		for (std::size_t j = 0; j < indices.size(); j++)
			indices[j] = static_cast<std::int32_t>(j * 62 + random() % 62);
		Row row;
		row.sum = static_cast<std::int32_t>(quantizer::sparse_blocks(indices.size()));
		row.code.resize(static_cast<std::size_t>(row.sum) * quantizer::kSparseBlockBytes);
		row.factors = encode_sparse(indices.data(), values.data(), indices.size(), 1, row.code.data());
		b.rows.push_back(row);
	}
	b.run(b.rows.size());
	b.check();
}

}  // namespace
