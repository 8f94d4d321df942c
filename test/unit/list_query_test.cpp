/* SPDX-License-Identifier: PostgreSQL
 * Queries against lists: whatever the magnitudes, the intervals hold what the SQL operator computes.
 *
 * Regime: test.
 */
#include "vecdb/lists/list_query.hpp"

#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "vecdb/distance/kernels.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::layout;
using namespace vecdb::core::lists;

using Floats = std::vector<float>;

struct Index
{
	ListCodec codec{};
	std::vector<std::uint32_t> signs;
	Floats mean;

	Index(Metric metric, std::uint32_t d, IvfOptions options, const Floats &origin) : mean(origin)
	{
		std::uint32_t n = (d + 15) / 16 * 16;
		EXPECT_EQ(resolve_options(options, metric, n, false), nullptr);
		EXPECT_TRUE(ivf_shape(d, options, codec.shape));
		codec.space.metric = metric;
		codec.space.dimensions = d;
		codec.space.code_dims = n;
		if (metric != Metric::l1)
		{
			signs.resize(4 * n);
			codec.space.rotation = quantizer::rotation_init(n, 99, signs.data());
		}
		if (!mean.empty())
		{
			codec.space.mean = mean.data();
			codec.space.mean_norm = norm(mean);
		}
		codec.deviation = sign_deviation(codec.shape.sign_dims, n);
	}

	static double
	norm(const Floats &v)
	{
		double sum = 0;
		for (float x : v)
			sum += static_cast<double>(x) * x;
		return std::sqrt(sum);
	}

	Floats
	transform(const Floats &v) const
	{
		Floats x(codec.space.code_dims);
		to_code_space(codec.space, v.data(), x.data(), nullptr);
		return x;
	}
};

/* Memory of one query, given back at its end. */
struct Arena
{
	std::vector<void *> blocks;

	~Arena()
	{
		for (void *block : blocks)
			std::free(block);
	}

	Memory
	memory()
	{
		return Memory{[](void *self, std::size_t bytes) noexcept -> void * {
						  void *block = std::malloc(bytes);
						  static_cast<Arena *>(self)->blocks.push_back(block);
						  return block;
					  },
					  [](void *, void *) noexcept {}, this};
	}
};

/* What the SQL operator says. */
double
operator_value(Metric metric, const Floats &a, const Floats &b)
{
	const distance::Kernels &k = distance::kernels();
	switch (metric)
	{
		case Metric::l2: return std::sqrt(static_cast<double>(k.l2_squared(a.data(), b.data(), a.size())));
		case Metric::inner_product: return -static_cast<double>(k.inner_product(a.data(), b.data(), a.size()));
		case Metric::l1: return static_cast<double>(k.l1(a.data(), b.data(), a.size()));
		default: break;
	}
	float parts[3];
	k.cosine_parts(a.data(), b.data(), a.size(), parts);
	double cosine = static_cast<double>(parts[0]) /
					std::sqrt(static_cast<double>(parts[1]) * static_cast<double>(parts[2]));
	return 1.0 - (cosine > 1.0 ? 1.0 : cosine < -1.0 ? -1.0 : cosine);
}

float
magnitude(std::mt19937_64 &random, int kind)
{
	std::uniform_real_distribution<float> exponent(-4, 4);
	switch (kind)
	{
		case 0: return 1;
		case 1: return random() % 5 == 0 ? 0.0f : 1.0f;
		case 2: return std::pow(10.0f, exponent(random));
		case 3: return random() % 10 == 0 ? 1e6f : 1.0f;
		default: return 1e-3f;
	}
}

Floats
draw(std::mt19937_64 &random, std::uint32_t d, float scale, float shift)
{
	std::uniform_real_distribution<float> uniform(-0.5f, 0.5f);
	Floats v(d);
	for (float &x : v)
		x = shift + scale * uniform(random);
	return v;
}

TEST(ListQuery, IntervalsHoldTheOperatorsDistance)
{
	std::mt19937_64 random(11);
	for (Metric metric : {Metric::l2, Metric::cosine, Metric::inner_product, Metric::l1})
		for (Quantizer quantizer : {Quantizer::rabitq, Quantizer::sq8, Quantizer::half, Quantizer::none})
			for (std::uint32_t d : {16u, 100u})
				for (int kind = 0; kind < 5; kind++)
					for (int centred = 0; centred < 2; centred++)
					{
						if (metric == Metric::l1 && quantizer == Quantizer::rabitq)
							continue;
						bool shifted = metric != Metric::inner_product && metric != Metric::cosine && centred == 1;
						Index index(metric, d, IvfOptions{quantizer, Rerank::automatic, 0, 0},
									shifted ? draw(random, d, 3, 0.1f) : Floats());
						std::vector<std::uint8_t> codes(index.codec.shape.segments + 1),
							slot(index.codec.shape.slot_bytes);
						for (int round = 0; round < 300; round++)
						{
							Floats v = draw(random, d, magnitude(random, kind), 0);
							Floats q = round % 3 == 0 ? v : draw(random, d, magnitude(random, kind), 0);
							Floats near_centre = round % 4 == 0 ? v : draw(random, d, magnitude(random, kind), 0);
							if (metric == Metric::cosine && (Index::norm(v) == 0 || Index::norm(q) == 0))
								continue;
							Floats x = index.transform(v), centre = index.transform(near_centre), scratch(2 * x.size());
							Floats unit = v;
							if (metric == Metric::cosine)
								for (float &e : unit)
									e = static_cast<float>(e / Index::norm(v));
							bool own = round % 2 == 1;
							CodedRow row{0, 0, codes.data(), slot.data()};
							encode_row(index.codec, centre.data(), own, unit.data(), x.data(), make_tid(1, 1), row,
									   scratch.data());
							ListQuery query;
							Arena arena;
							ASSERT_TRUE(init_query(query, index.codec, q.data(), 2, arena.memory()));
							open_list(query, centre.data(), own);
							Score score = score_slot(query, slot.data());
							graph::Interval coarse = score_interval(query, score);
							graph::Interval fine = slot_interval(query, slot.data());
							double truth = operator_value(metric, q, v);
							for (bool exact : {false, true})
							{
								const graph::Interval &i = exact ? fine : coarse;
								ASSERT_TRUE(i.lower <= truth && truth <= i.upper)
									<< i.lower << ' ' << truth << ' ' << i.upper << ' ' << distance::metric_name(metric)
									<< " quantizer " << static_cast<int>(quantizer) << " d " << d << " kind " << kind
									<< " round " << round << " own " << own << (exact ? " fine" : " coarse");
							}
							/* What the threshold is made of holds the same distance. */
							double graph = metric == Metric::l2       ? truth * truth
										   : metric == Metric::cosine ? 2 * truth
																	  : truth;
							double upper = static_cast<double>(upper_bound(query, score));
							ASSERT_GE(upper + 1e-5 * std::fabs(upper) + 1e-6, graph)
								<< distance::metric_name(metric) << " quantizer " << static_cast<int>(quantizer)
								<< " kind " << kind;
						}
					}
}

}  // namespace
