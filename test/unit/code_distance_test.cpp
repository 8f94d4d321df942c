/* SPDX-License-Identifier: PostgreSQL
 * Distances on codes: the interval of operator_interval holds what the SQL operator computes, for every metric, instruction
 * set, dimension and shape of data. A value outside it is "index returned tuples in wrong order" to a user.
 *
 * The pipeline is that of the shell: to_code_space and scores of src/hnsw/store.cpp, and the operators of
 * src/types/distances.cpp, done again here with the core's calls.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "vecdb/distance/kernels.hpp"
#include "vecdb/graph/code_distance.hpp"
#include "vecdb/graph/exact_order.hpp"
#include "vecdb/quantizer/rotation.hpp"
#include "vecdb/quantizer/scalar.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::graph;
using distance::Kernels;
using distance::Metric;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Metric kMetrics[] = {Metric::l2, Metric::inner_product, Metric::cosine, Metric::l1};

using Vector = std::vector<float>;

double
norm_of(const Vector &v)
{
	double sum = 0;
	for (float x : v)
		sum += static_cast<double>(x) * x;
	return std::sqrt(sum);
}

/* What an index keeps of its code space (IndexState in the shell). */
struct Space
{
	Metric metric;
	std::size_t n, padded;
	Vector mean;
	double mean_norm = 0;
	std::vector<std::uint32_t> signs;
	quantizer::Rotation rotation = {};

	Space(Metric metric_, std::size_t n_) : metric(metric_), n(n_), padded(quantizer::padded_dimensions(n_))
	{
		if (metric == Metric::l1)
			return;
		signs.resize(4 * padded);
		rotation = quantizer::rotation_init(padded, 4711, signs.data());
	}

	/* As the build does: only where a common offset does not change the distance, and only if finite. */
	void
	centre(const std::vector<Vector> &rows)
	{
		mean.clear();
		mean_norm = 0;
		if (metric != Metric::l2 && metric != Metric::cosine)
			return;
		std::vector<double> sum(n);
		for (const Vector &v : rows)
		{
			double scale = metric == Metric::cosine ? 1 / norm_of(v) : 1;
			for (std::size_t i = 0; i < n; i++)
				sum[i] += scale * v[i];
		}
		Vector m(n);
		for (std::size_t i = 0; i < n; i++)
		{
			m[i] = static_cast<float>(sum[i] / static_cast<double>(rows.size()));
			if (!(std::fabs(m[i]) < 1e30f))
				return;
		}
		mean = m;
		mean_norm = norm_of(m);
	}

	Vector
	transform(const Vector &v) const
	{
		Vector out(padded);
		double length = norm_of(v);
		for (std::size_t i = 0; i < n; i++)
		{
			out[i] = metric != Metric::cosine ? v[i] : length > 0 ? static_cast<float>(v[i] / length) : 0.0f;
			if (!mean.empty())
				out[i] -= mean[i];
		}
		if (!signs.empty())
			quantizer::rotate(rotation, out.data());
		return out;
	}
};

struct Row
{
	quantizer::Sq8 sq8;
	std::vector<std::uint8_t> code, residual;
	double norm;

	Row(const Space &space, const Vector &v) : code(space.padded), residual(space.padded)
	{
		Vector x = space.transform(v);
		auto kind = space.metric == Metric::l1 ? quantizer::ErrorNorm::absolute_sum : quantizer::ErrorNorm::euclidean;
		sq8 = quantizer::sq8_encode(x.data(), space.padded, kind, code.data(), residual.data());
		norm = std::sqrt(static_cast<double>(sq8.norm2));
	}
};

struct Query
{
	Vector q;
	std::vector<std::int16_t> codes;
	CodeQuery code;

	Query(const Space &space, const Vector &v) : q(space.transform(v)), codes(space.padded)
	{
		code = make_code_query(space.metric, quantizer::sq8_query(q.data(), space.padded, codes.data()), space.n,
							   norm_of(v), space.mean_norm);
	}
};

/* The SQL operator. */
double
operator_value(const Kernels &k, Metric metric, const Vector &a, const Vector &b)
{
	switch (metric)
	{
		case Metric::l2: return std::sqrt(static_cast<double>(k.l2_squared(a.data(), b.data(), a.size())));
		case Metric::inner_product: return -static_cast<double>(k.inner_product(a.data(), b.data(), a.size()));
		case Metric::l1: return static_cast<double>(k.l1(a.data(), b.data(), a.size()));
		case Metric::cosine:
		case Metric::hamming:
		case Metric::jaccard: break;
	}
	float parts[3];
	k.cosine_parts(a.data(), b.data(), a.size(), parts);
	double norms = std::sqrt(static_cast<double>(parts[1]) * static_cast<double>(parts[2]));
	double cosine = static_cast<double>(parts[0]) / norms;
	if (!(parts[1] > 1e-30f && parts[2] > 1e-30f && parts[1] < 1e37f && parts[2] < 1e37f) && !std::isnan(cosine))
	{
		double ab = 0;
		for (std::size_t i = 0; i < a.size(); i++)
			ab += static_cast<double>(a[i]) * b[i];
		cosine = ab / (norm_of(a) * norm_of(b));
	}
	return 1.0 - (cosine > 1.0 ? 1.0 : cosine < -1.0 ? -1.0 : cosine);
}

Interval
refined_interval(const Kernels &k, const Query &q, const Row &row, bool residual)
{
	float d = refined_distance(k, q.code, row.code.data(), residual ? row.residual.data() : nullptr, row.sq8.scale,
							   row.sq8.bias);
	Interval i =
		operator_interval(q.code, d, residual ? row.sq8.refined_error : row.sq8.error, row.norm + row.sq8.error, false);
	return ExactOrder::sane(i, q.code.metric);
}

/* A score, then what ExactOrder::add makes of it. */
Interval
coarse_interval(const Kernels &k, const Query &q, const Row &row)
{
	Scored s = {};
	score_code(k, q.code, row.code.data(), row.sq8.scale, row.sq8.bias, row.sq8.norm2, row.sq8.error, s.distance,
			   s.error);
	ExactOrder order;
	order.init(malloc_memory());
	EXPECT_TRUE(order.add(q.code, &s, 1));
	Interval i = order.pending[0].interval;
	order.memory.release(order.pending);
	return i;
}

struct Data
{
	std::string name;
	std::vector<Vector> rows;
	bool centred = true;
};

std::vector<Data>
data_sets(std::size_t n, std::uint64_t seed)
{
	std::mt19937_64 random(seed);
	std::normal_distribution<float> normal;
	std::uniform_real_distribution<float> unit(-1.0f, 1.0f);
	std::vector<Data> all;
	auto add = [&](const char *name, const std::function<float(std::size_t, std::size_t)> &element) {
		for (bool centred : {true, false})
		{
			Data d{std::string(name).append(centred ? "" : " (not centred)"), {}, centred};
			for (std::size_t row = 0; row < 8; row++)
			{
				Vector v(n);
				for (std::size_t i = 0; i < n; i++)
					v[i] = element(row, i);
				d.rows.push_back(v);
			}
			/* Equal, opposite and nearly equal ones among them. */
			d.rows[6] = d.rows[0];
			d.rows[7] = d.rows[1];
			for (std::size_t i = 0; i < n; i++)
				d.rows[5][i] = -d.rows[0][i];
			d.rows[7][n / 2] = std::nextafter(d.rows[7][n / 2], 1e38f);
			all.push_back(d);
		}
	};
	add("normal", [&](std::size_t, std::size_t) { return normal(random); });
	add("1000 +- 1", [&](std::size_t, std::size_t) { return 1000 + unit(random); });
	add("1e6 +- 1", [&](std::size_t, std::size_t) { return 1e6f + unit(random); });
	add("far from its mean",
		[&](std::size_t row, std::size_t) { return row < 4 ? unit(random) : 3e4f + unit(random); });
	add("positive", [&](std::size_t, std::size_t) { return std::exp(2 * normal(random)); });
	add("sparse", [&](std::size_t row, std::size_t i) { return (i * 7 + row) % 23 == 0 ? normal(random) : 0.0f; });
	add("unit axes", [&](std::size_t row, std::size_t i) { return i == row % n ? 1.0f : 0.0f; });
	add("constant", [&](std::size_t row, std::size_t) { return 0.1f * static_cast<float>(row + 1); });
	add("one outlier", [&](std::size_t row, std::size_t i) { return i == row % n ? 1e6f : normal(random); });
	add("binary", [&](std::size_t, std::size_t) { return unit(random) > 0 ? 1.0f : 0.0f; });
	add("bytes", [&](std::size_t, std::size_t) { return std::floor(128 + 127 * unit(random)); });
	add("close together",
		[&](std::size_t, std::size_t i) { return static_cast<float>(i % 13) + 1e-5f * unit(random); });
	add("1e-10", [&](std::size_t, std::size_t) { return unit(random) * 1e-10f; });
	add("1e-18", [&](std::size_t, std::size_t) { return unit(random) * 1e-18f; });
	add("1e-22: squares are denormal", [&](std::size_t, std::size_t) { return unit(random) * 1e-22f; });
	add("1e-22 on one axis", [&](std::size_t row, std::size_t i) { return i == row % n ? 1e-22f : 0.0f; });
	add("1e-40", [&](std::size_t, std::size_t) { return unit(random) * 1e-40f; });
	add("1e18", [&](std::size_t, std::size_t) { return unit(random) * 1e18f; });
	add("1e19: squares overflow", [&](std::size_t, std::size_t) { return unit(random) * 1e19f; });
	add("1e19 and constant", [&](std::size_t row, std::size_t) { return 1e19f * static_cast<float>(row + 1); });
	add("3e38", [&](std::size_t, std::size_t) { return unit(random) * 3e38f; });
	add("mixed sizes", [&](std::size_t row, std::size_t) {
		return unit(random) * (row % 3 == 0 ? 1e-12f : row % 3 == 1 ? 1.0f : 1e12f);
	});
	return all;
}

class CodeDistanceTest : public testing::TestWithParam<std::size_t>
{};

TEST_P(CodeDistanceTest, IntervalsHoldTheOperatorsValue)
{
	std::size_t n = GetParam();
	const Kernels *tables[8];
	std::size_t table_count = distance::available_kernels(tables);
	for (Metric metric : kMetrics)
	{
		Space space(metric, n);
		for (const Data &data : data_sets(n, 1000 + n))
		{
			SCOPED_TRACE(std::string(distance::metric_name(metric)).append(", ").append(data.name));
			space.centre(data.centred ? data.rows : std::vector<Vector>{Vector(n, 0.0f)});
			if (!data.centred)
				space.mean.clear(), space.mean_norm = 0;
			int failures = 0;
			std::vector<Row> rows;
			for (const Vector &v : data.rows)
				rows.emplace_back(space, v);
			for (std::size_t qi = 0; qi<data.rows.size(); qi += n> 1000 ? 5 : 1)
			{
				Query q(space, data.rows[qi]);
				for (std::size_t ri = 0; ri < rows.size(); ri++)
				{
					/* A zero vector has no cosine and is in no index. */
					if (metric == Metric::cosine && (norm_of(data.rows[qi]) == 0 || norm_of(data.rows[ri]) == 0))
						continue;
					for (std::size_t t = 0; t < table_count; t++)
					{
						const Kernels &k = *tables[t];
						double value = operator_value(k, metric, data.rows[qi], data.rows[ri]);
						auto check = [&](const char *form, Interval i) {
							ASSERT_TRUE(i.lower <= i.middle && i.middle <= i.upper)
								<< form << i.lower << " " << i.middle << " " << i.upper;
							/* NaN sorts after everything: no lower bound is above it, and no upper bound is asked for. */
							if (std::isnan(value) || (i.lower <= value && value <= i.upper) || ++failures > 3)
								return;
							ADD_FAILURE() << form << " " << k.isa << " query " << qi << " row " << ri << ": " << value
										  << " not in [" << i.lower << ", " << i.upper << "], middle " << i.middle;
						};
						check("refined", refined_interval(k, q, rows[ri], true));
						check("eight bits", refined_interval(k, q, rows[ri], false));
						Interval coarse = coarse_interval(k, q, rows[ri]);
						coarse.upper = kInfinity;  // the search relies on its lower bound alone
						check("coarse", coarse);
					}
				}
			}
		}
	}
}

INSTANTIATE_TEST_SUITE_P(Dimensions, CodeDistanceTest, testing::Values(1, 2, 3, 15, 16, 17, 100, 128, 784, 1536, 7000));

/* A bound that held but was loose would send most rows to the heap again. */
TEST(CodeDistanceTightness, RefinedIntervalsOfNearNeighboursSeldomMeet)
{
	std::mt19937_64 random(99);
	std::normal_distribution<float> normal;
	for (std::size_t n : {128u, 784u, 1536u})
		for (Metric metric : kMetrics)
		{
			std::size_t count = n > 1000 ? 600 : 1500;
			std::vector<Vector> centres, rows, queries;
			for (int c = 0; c < 12; c++)
			{
				Vector v(n);
				for (float &x : v)
					x = normal(random) + 0.5f;
				centres.push_back(v);
			}
			/* As embeddings are: within a cluster 16 directions carry most of the variance. */
			std::vector<Vector> directions(16, Vector(n));
			for (Vector &d : directions)
				for (float &x : d)
					x = normal(random);
			auto draw = [&] {
				Vector v = centres[random() % centres.size()];
				for (const Vector &d : directions)
				{
					float weight = 0.15f * normal(random);
					for (std::size_t i = 0; i < n; i++)
						v[i] += weight * d[i];
				}
				for (float &x : v)
					x += 0.2f * normal(random);
				return v;
			};
			for (std::size_t i = 0; i < count; i++)
				rows.push_back(draw());
			for (int i = 0; i < 15; i++)
				queries.push_back(draw());
			Space space(metric, n);
			space.centre(rows);
			std::vector<Row> coded;
			for (const Vector &v : rows)
				coded.emplace_back(space, v);
			const Kernels &k = distance::kernels();
			int meeting[3] = {}, pairs = 0;
			for (const Vector &v : queries)
			{
				Query q(space, v);
				std::vector<std::pair<double, std::size_t>> exact;
				for (std::size_t i = 0; i < count; i++)
					exact.emplace_back(operator_value(k, metric, v, rows[i]), i);
				std::sort(exact.begin(), exact.end());
				for (std::size_t i = 0; i < 10; i++)
				{
					const Row &a = coded[exact[i].second], &b = coded[exact[i + 1].second];
					pairs++;
					meeting[0] += refined_interval(k, q, a, true).upper > refined_interval(k, q, b, true).lower;
					meeting[1] += refined_interval(k, q, a, false).upper > refined_interval(k, q, b, false).lower;
					meeting[2] += coarse_interval(k, q, a).upper > coarse_interval(k, q, b).lower;
				}
			}
			auto percent = [&](int x) { return 100.0 * x / pairs; };
			std::printf("%zu dimensions, %s: neighbours that meet: refined %.1f%%, eight bits %.1f%%, coarse %.1f%%\n",
						n, distance::metric_name(metric), percent(meeting[0]), percent(meeting[1]),
						percent(meeting[2]));
			EXPECT_LT(percent(meeting[0]), 5.0) << n << " " << distance::metric_name(metric);
		}
}

/* Node to node, and the two forms of query to node, are the same distance. */
TEST(CodeDistanceForms, AgreeWithTheDistanceOfDecodedVectors)
{
	std::mt19937_64 random(3);
	std::normal_distribution<float> normal;
	const Kernels *tables[8];
	std::size_t table_count = distance::available_kernels(tables);
	for (Metric metric : kMetrics)
		for (std::size_t n : {16u, 112u, 784u})
		{
			Space space(metric, n);
			for (int repeat = 0; repeat < 20; repeat++)
			{
				Vector a(n), b(n);
				for (std::size_t i = 0; i < n; i++)
				{
					a[i] = normal(random);
					b[i] = normal(random);
				}
				Row ra(space, a), rb(space, b);
				Vector da(n), db(n);
				quantizer::sq8_decode(ra.sq8, ra.code.data(), nullptr, n, da.data());
				quantizer::sq8_decode(rb.sq8, rb.code.data(), nullptr, n, db.data());
				double expected = 0;
				for (std::size_t i = 0; i < n; i++)
				{
					double x = da[i], y = db[i];
					expected += metric == Metric::inner_product ? -x * y
								: metric == Metric::l1          ? std::fabs(x - y)
																: (x - y) * (x - y);
				}
				CodeView va{ra.code.data(), ra.sq8.scale, ra.sq8.bias, ra.sq8.norm2, code_sum(ra.code.data(), n)};
				CodeView vb{rb.code.data(), rb.sq8.scale, rb.sq8.bias, rb.sq8.norm2, code_sum(rb.code.data(), n)};
				double tolerance = 2e-5 * (ra.sq8.norm2 + rb.sq8.norm2);
				for (std::size_t t = 0; t < table_count; t++)
				{
					EXPECT_NEAR(code_distance(*tables[t], metric, va, vb, n), expected, tolerance);
					EXPECT_NEAR(code_distance(*tables[t], metric, vb, va, n), expected, tolerance);
				}
				if (metric != Metric::inner_product)
					EXPECT_NEAR(code_distance(*tables[0], metric, va, va, n), 0, tolerance);
			}
		}
}

}  // namespace
