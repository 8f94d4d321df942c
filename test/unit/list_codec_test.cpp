/* SPDX-License-Identifier: PostgreSQL
 * Rows as lanes and slots: factors against their definition in long double, blocks through any history of factors, errors that
 * bound, estimates without bias and within what deviation_of_e promises.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "vecdb/base/half.hpp"
#include "vecdb/base/workers.hpp"
#include "vecdb/distance/kernels.hpp"
#include "vecdb/lists/list_codec.hpp"
#include "vecdb/quantizer/sign_codes.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::lists;
using layout::BlockHeader;
using layout::Codes;
using layout::IvfOptions;
using layout::Quantizer;
using layout::Rerank;
using layout::SlotHeader;
using layout::Slots;

using Floats = std::vector<float>;
using Bytes = std::vector<std::uint8_t>;

std::size_t
nibble_or_byte(const IvfShape &shape, const std::uint8_t *block, std::uint32_t s, std::uint32_t lane)
{
	const std::uint8_t *codes = block + shape.codes_offset;
	return shape.codes == Codes::pq8 ? codes[32 * s + lane] : codes[16 * s + lane % 16] >> lane / 16 * 4 & 15;
}

/* A codec with all that it points to. */
struct TestCodec
{
	ListCodec codec = {};
	std::vector<std::uint32_t> signs;
	Floats mean, vectors;
	float deviation = 0;
	std::uint32_t d, n;  // dimensions, padded

	TestCodec(Metric metric, std::uint32_t dims, IvfOptions options, bool with_mean = false)
		: d(dims), n((dims + 15) / 16 * 16)
	{
		EXPECT_EQ(layout::resolve_options(options, metric, n, false), nullptr);
		EXPECT_TRUE(layout::ivf_shape(dims, options, codec.shape));
		codec.space.metric = metric;
		codec.space.dimensions = d;
		codec.space.code_dims = n;
		if (metric != Metric::l1)
		{
			signs.resize(4 * n);
			codec.space.rotation = quantizer::rotation_init(n, 77, signs.data());
		}
		if (with_mean)
		{
			mean.assign(d, 0.5f);
			codec.space.mean = mean.data();
		}
		codec.books.segments = options.pq_segments;
		codec.books.bits = options.pq_bits;
		codec.books.code_dims = n;
	}

	bool
	coded_by_product() const
	{
		return codec.shape.codes == Codes::pq4 || codec.shape.codes == Codes::pq8;
	}

	/* Residuals as those of the test to come. */
	void
	train(const std::vector<Floats> &residuals)
	{
		vectors.resize(codec.books.floats());
		codec.books.vectors = vectors.data();
		std::vector<const float *> rows;
		for (const Floats &r : residuals)
			rows.push_back(r.data());
		struct Job
		{
			Workers workers;
			quantizer::ProductTraining training;
			TestCodec *self;
		} job;
		job.training = {rows.data(), static_cast<std::uint32_t>(rows.size()), 5};
		job.self = this;
		ASSERT_TRUE(job.workers.start(1).ok());
		ASSERT_TRUE(job.workers
						.run(
							[](void *argument) {
								auto *j = static_cast<Job *>(argument);
								check(quantizer::product_train(j->workers, j->training, j->self->codec.books,
															   j->self->vectors.data(), &j->self->deviation));
							},
							&job)
						.ok());
		while (!job.workers.wait_idle(100))
			;
		job.workers.stop();
	}
};

struct TestRow
{
	Bytes codes, slot;
	CodedRow row = {};

	explicit TestRow(const IvfShape &shape) : codes(shape.segments), slot(shape.slot_bytes)
	{
		row.codes = codes.data();
		row.slot = slot.data();
	}

	SlotHeader
	header() const
	{
		SlotHeader h;
		std::memcpy(&h, slot.data(), sizeof h);
		return h;
	}
};

Floats
normals(std::mt19937_64 &random, std::size_t n, float scale = 1.0f)
{
	std::normal_distribution<float> normal;
	Floats v(n);
	for (float &x : v)
		x = scale * normal(random);
	return v;
}

long double
dot(const Floats &a, const Floats &b, std::size_t n)
{
	long double sum = 0;
	for (std::size_t i = 0; i < n; i++)
		sum += static_cast<long double>(a[i]) * b[i];
	return sum;
}

/* The direction that a row's codes stand for. */
Floats
direction(const ListCodec &codec, const Bytes &codes)
{
	Floats y(codec.shape.code_dims);
	if (codec.shape.codes == Codes::sign)
		for (std::size_t i = 0; i < codec.shape.sign_dims; i++)
			y[i] = codes[i / 4] >> i % 4 & 1 ? 1.0f : -1.0f;
	else
		quantizer::product_decode(codec.books, codes.data(), y.data());
	return y;
}

constexpr Metric kMetrics[] = {Metric::l2, Metric::inner_product, Metric::cosine, Metric::l1};
constexpr Metric kCoded[] = {Metric::l2, Metric::inner_product, Metric::cosine};
constexpr IvfOptions kCodings[] = {
	{Quantizer::rabitq, Rerank::none, 0, 0}, {Quantizer::pq, Rerank::none, 0, 4}, {Quantizer::pq, Rerank::none, 0, 8}};
const RowTid kTid = layout::make_tid(0x12345678, 9);

TEST(ListCodec, CodeSpaceKeepsDistances)
{
	std::mt19937_64 random(1);
	for (Metric metric : kMetrics)
		for (std::uint32_t d : {1u, 16u, 100u, 769u})
		{
			TestCodec t(metric, d, {Quantizer::none, Rerank::none, 0, 0}, metric != Metric::inner_product);
			Floats a = normals(random, d, 3), b = normals(random, d), x(t.n), y(t.n);
			double norm;
			to_code_space(t.codec.space, a.data(), x.data(), &norm);
			to_code_space(t.codec.space, b.data(), y.data(), nullptr);
			EXPECT_NEAR(norm, std::sqrt(static_cast<double>(dot(a, a, d))), 1e-6 * norm);
			double la = metric == Metric::cosine ? norm : 1;
			double lb = metric == Metric::cosine ? std::sqrt(static_cast<double>(dot(b, b, d))) : 1;
			double want = 0, got = 0;
			for (std::size_t i = 0; i < d; i++)
				want += std::pow(a[i] / la - b[i] / lb, 2);
			for (std::size_t i = 0; i < t.n; i++)
				got += std::pow(static_cast<double>(x[i]) - y[i], 2);
			EXPECT_NEAR(got, want, 1e-5 * want + 1e-9) << d;
			/* In place. */
			Floats again(t.n);
			std::copy(a.begin(), a.end(), again.begin());
			to_code_space(t.codec.space, again.data(), again.data(), nullptr);
			EXPECT_EQ(again, x);
		}
}

TEST(ListCodec, FactorsAreTheirDefinition)
{
	std::mt19937_64 random(2);
	for (Metric metric : kCoded)
		for (IvfOptions coding : kCodings)
			for (std::uint32_t d : {16u, 100u, 128u, 784u, 3000u})
				for (float scale : {1.0f, 1e-4f, 1e-14f, 1e-17f, 1e6f, 1e15f})
					for (bool own : {false, true})
					{
						TestCodec t(metric, d, coding);
						if (t.coded_by_product())
						{
							std::vector<Floats> sample;
							for (int i = 0; i < 40; i++)
								sample.push_back(normals(random, t.n, scale));
							t.train(sample);
						}
						Floats c = normals(random, t.n, 2 * scale), x = normals(random, t.n, scale), r(t.n);
						for (std::size_t i = 0; i < t.n; i++)
						{
							x[i] += c[i];
							r[i] = x[i] - c[i];
						}
						Floats scratch(2 * t.n);
						TestRow row(t.codec.shape);
						encode_row(t.codec, c.data(), own, nullptr, x.data(), kTid, row.row, scratch.data());
						Floats y = direction(t.codec, row.codes), u = own ? Floats(t.n) : c;
						if (t.codec.shape.codes == Codes::sign)
							for (std::size_t i = 0; i < t.codec.shape.sign_dims; i++)
								ASSERT_EQ(y[i] > 0, !std::signbit(r[i]));
						long double rr = dot(r, r, t.n), yr = dot(y, r, t.n), yu = dot(y, u, t.n), ru = dot(r, u, t.n);
						long double rho = rr / yr;
						bool ip = metric == Metric::inner_product;
						long double add = ip ? rho * yu - ru : rr + 2 * rho * yu, mul = ip ? -rho : -2 * rho;
						long double size = rr + std::fabs(rho) * std::sqrt(dot(y, y, t.n) * dot(u, u, t.n)) +
										   std::sqrt(rr * dot(u, u, t.n));
						if (!(yr > 0))
							continue;
						ASSERT_LE(std::fabs(row.row.add - add), 3e-5L * size + 1e-37L) << d << ' ' << scale;
						ASSERT_LE(std::fabs(row.row.mul - mul), 1e-4L * std::fabs(mul)) << d << ' ' << scale;
						ASSERT_LE(row.row.mul, 0);
					}
}

TEST(ListCodec, AnyFiniteRowGivesFiniteFactors)
{
	std::mt19937_64 random(3);
	const float values[] = {0.0f, -0.0f, 1e-45f, 1e-38f, -1e-30f, 1.0f, -1e19f, 1e30f, 3.4e38f, -3.4e38f};
	for (Metric metric : kMetrics)
		for (Quantizer quantizer : {Quantizer::rabitq, Quantizer::rabitq4, Quantizer::sq8, Quantizer::half})
			for (int round = 0; round < 300; round++)
			{
				if (metric == Metric::l1 && (quantizer == Quantizer::rabitq || quantizer == Quantizer::rabitq4))
					continue;
				TestCodec t(metric, 32, {quantizer, Rerank::automatic, 0, 0});
				Floats c(32), x(32), scratch(64), decoded(32);
				float same = values[random() % 10], other = values[random() % 10];
				for (std::size_t i = 0; i < 32; i++)
				{
					c[i] = round % 3 == 0 ? values[random() % 10] : same;
					x[i] = round % 3 == 0 ? values[random() % 10] : round % 3 == 1 ? same : i % 2 == 0 ? other : same;
				}
				TestRow row(t.codec.shape);
				encode_row(t.codec, c.data(), round % 2 != 0, nullptr, x.data(), kTid, row.row, scratch.data());
				ASSERT_TRUE(std::isfinite(row.row.add));
				ASSERT_TRUE(std::isfinite(row.row.mul));
				SlotHeader h = row.header();
				ASSERT_FALSE(std::isnan(h.error) || std::isnan(h.norm2));
				ASSERT_TRUE(std::isfinite(h.scale) && std::isfinite(h.bias));
				decode_slot(t.codec.shape, row.slot.data(), decoded.data());
				long double error = 0;
				for (std::size_t i = 0; i < 32; i++)
				{
					ASSERT_TRUE(std::isfinite(decoded[i]));
					long double e = std::fabs(static_cast<long double>(x[i]) - c[i] - decoded[i]);
					error += metric == Metric::l1 ? e : e * e;
				}
				ASSERT_LE(metric == Metric::l1 ? error : std::sqrt(error), h.error);
			}
}

/* The centre itself: no code, but everything is 0. */
TEST(ListCodec, ARowOnItsCentreIsExact)
{
	std::mt19937_64 random(4);
	for (Metric metric : kCoded)
		for (Quantizer quantizer : {Quantizer::rabitq, Quantizer::rabitq4})
		{
			TestCodec t(metric, 64, {quantizer, Rerank::automatic, 0, 0});
			Floats c = normals(random, 64), scratch(128), decoded(64);
			TestRow row(t.codec.shape);
			encode_row(t.codec, c.data(), false, nullptr, c.data(), kTid, row.row, scratch.data());
			EXPECT_EQ(row.row.add, 0);
			EXPECT_EQ(row.row.mul, 0);
			decode_slot(t.codec.shape, row.slot.data(), decoded.data());
			for (float x : decoded)
				EXPECT_NEAR(x, 0, 1e-25);
			EXPECT_LE(row.header().error, 1e-25);
		}
}

TEST(ListCodec, SlotErrorsAreHardAndTight)
{
	std::mt19937_64 random(5);
	struct Kind
	{
		Quantizer quantizer;
		double relative;  // of the residual's norm, normal elements
	};
	for (Metric metric : kMetrics)
		for (Kind kind : {Kind{Quantizer::sq8, 0.003}, {Quantizer::half, 5e-4}, {Quantizer::rabitq4, 0.2}})
			for (std::uint32_t d : {16u, 112u, 128u, 768u, 2000u})
				for (float scale : {1.0f, 1e-3f, 1e-9f, 1e-25f, 1e5f, 1e12f, 1e25f})
				{
					if (metric == Metric::l1 && kind.quantizer == Quantizer::rabitq4)
						continue;
					TestCodec t(metric, d, {kind.quantizer, Rerank::none, 0, 0});
					Floats c = normals(random, t.n, scale), x = normals(random, t.n, scale), scratch(2 * t.n), got(t.n);
					for (std::size_t i = 0; i < t.n; i++)
						x[i] += c[i];
					TestRow row(t.codec.shape);
					encode_row(t.codec, c.data(), false, nullptr, x.data(), kTid, row.row, scratch.data());
					decode_slot(t.codec.shape, row.slot.data(), got.data());
					long double squares = 0, sum = 0, norm2 = 0, length2 = 0, length = 0;
					for (std::size_t i = 0; i < t.n; i++)
					{
						long double r = static_cast<long double>(x[i]) - c[i], e = r - got[i];
						squares += e * e;
						sum += std::fabs(e);
						length2 += r * r;
						length += std::fabs(r);
						norm2 += static_cast<long double>(got[i]) * got[i];
					}
					bool l1 = metric == Metric::l1;
					long double error = l1 ? sum : std::sqrt(squares), whole = l1 ? length : std::sqrt(length2);
					SlotHeader h = row.header();
					ASSERT_LE(error, h.error) << d << ' ' << scale;
					float bound = decoded_error(t.codec.shape, row.slot.data());
					ASSERT_LE(error, bound) << d << ' ' << scale;
					ASSERT_LE(bound, error * 1.01L + (kind.quantizer == Quantizer::sq8 ? 3e-5L : 1e-6L) * whole)
						<< d << ' ' << scale;
					if (kind.quantizer == Quantizer::sq8)
						ASSERT_GT(h.error, 2 * bound) << d << ' ' << scale;
					ASSERT_LE(error, kind.relative * whole) << d << ' ' << scale;
					if (norm2 < 1e37L && norm2 > 1e-30L && kind.quantizer != Quantizer::sq8)
						ASSERT_LE(std::fabs(h.norm2 - norm2), 1e-5L * norm2);
					ASSERT_EQ(h.tid, kTid);
				}
}

/* Decoded 4-bit residuals: <decoded, r> = |r|^2, which makes what is estimated by them unbiased. */
TEST(ListCodec, FourBitSlotsHaveTheUnbiasedLength)
{
	std::mt19937_64 random(6);
	for (std::uint32_t d : {16u, 128u, 1536u})
	{
		TestCodec t(Metric::l2, d, {Quantizer::rabitq4, Rerank::none, 0, 0});
		double relative = 0;
		for (int i = 0; i < 50; i++)
		{
			Floats c(t.n), x = normals(random, t.n), scratch(2 * t.n), got(t.n);
			TestRow row(t.codec.shape);
			encode_row(t.codec, c.data(), false, nullptr, x.data(), kTid, row.row, scratch.data());
			decode_slot(t.codec.shape, row.slot.data(), got.data());
			double rr = static_cast<double>(dot(x, x, t.n));
			EXPECT_NEAR(static_cast<double>(dot(x, got, t.n)), rr, 1e-5 * rr);
			double e = row.header().error;
			EXPECT_NEAR(row.header().norm2, rr + e * e, 1e-4 * rr);
			relative += e * e / rr / 50;
		}
		EXPECT_LT(relative, d < 100 ? 0.008 : 0.0125) << d;
	}
}

TEST(ListCodec, WholeVectorsAndBitsAreKeptAsTheyAre)
{
	std::mt19937_64 random(7);
	for (std::uint32_t d : {1u, 15u, 100u, 3000u})
	{
		TestCodec t(Metric::l2, d, {Quantizer::none, Rerank::none, 0, 0});
		Floats v = normals(random, d), x(t.n), scratch(2 * t.n);
		TestRow row(t.codec.shape);
		encode_row(t.codec, x.data(), false, v.data(), x.data(), kTid, row.row, scratch.data());
		EXPECT_EQ(std::memcmp(row.slot.data() + sizeof(SlotHeader), v.data(), d * sizeof(float)), 0);
		EXPECT_EQ(row.header().error, 0);
		EXPECT_EQ(row.header().scale, 1);
		EXPECT_NEAR(row.header().norm2, static_cast<double>(dot(v, v, d)), 1e-5 * d);
		EXPECT_EQ(row.header().crc, slot_crc(t.codec.shape, row.slot.data()));

		TestCodec b(Metric::l2, d, {Quantizer::bit, Rerank::none, 0, 0});
		Bytes bits((d + 7) / 8);
		for (std::uint8_t &byte : bits)
			byte = static_cast<std::uint8_t>(random());
		TestRow coded(b.codec.shape);
		std::fill(coded.slot.begin(), coded.slot.end(), std::uint8_t{0xaa});
		encode_row(b.codec, nullptr, false, reinterpret_cast<const float *>(bits.data()), nullptr, kTid, coded.row,
				   scratch.data());
		EXPECT_EQ(std::memcmp(coded.slot.data() + sizeof(SlotHeader), bits.data(), bits.size()), 0);
		for (std::size_t i = sizeof(SlotHeader) + bits.size(); i < coded.slot.size(); i++)
			EXPECT_EQ(coded.slot[i], 0);
		EXPECT_EQ(coded.header().crc, slot_crc(b.codec.shape, coded.slot.data()));
	}
}

TEST(ListCodec, ChecksumSeesEveryByte)
{
	std::mt19937_64 random(8);
	TestCodec t(Metric::l2, 100, {Quantizer::sq8, Rerank::none, 0, 0});
	Floats c(t.n), x = normals(random, t.n), scratch(2 * t.n);
	TestRow row(t.codec.shape);
	encode_row(t.codec, c.data(), false, nullptr, x.data(), kTid, row.row, scratch.data());
	std::uint32_t good = slot_crc(t.codec.shape, row.slot.data());
	EXPECT_EQ(good, row.header().crc);
	for (std::size_t i = 0; i < row.slot.size(); i++)
	{
		row.slot[i] ^= 0x10;
		bool own = i >= offsetof(SlotHeader, crc) && i < offsetof(SlotHeader, crc) + 4;
		EXPECT_EQ(slot_crc(t.codec.shape, row.slot.data()) == good, own) << i;
		row.slot[i] ^= 0x10;
	}
}

TEST(ListCodec, LanesLieWhereTheFormatSays)
{
	std::mt19937_64 random(9);
	for (IvfOptions coding : {kCodings[0], kCodings[1], kCodings[2], IvfOptions{Quantizer::sq8, Rerank::none, 0, 0}})
	{
		TestCodec t(Metric::l2, 128, coding);
		const IvfShape &shape = t.codec.shape;
		Bytes block(shape.block_bytes), codes(shape.segments * 32);
		for (std::uint8_t &b : codes)
			b = static_cast<std::uint8_t>(random() & (shape.codes == Codes::pq8 ? 255 : 15));
		std::uint32_t live = 0;
		for (std::uint32_t i = 0; i < 32; i++)
		{
			std::uint32_t lane = i * 13 % 32;
			CodedRow row = {1.0f + static_cast<float>(lane), -0.5f * static_cast<float>(lane),
							codes.data() + lane * shape.segments, nullptr};
			put_lane(shape, block.data(), lane, row, layout::make_tid(lane, 7));
			live |= 1u << lane;
			ASSERT_EQ(block_header(block.data())->live, live);
		}
		const BlockHeader *h = block_header(block.data());
		for (std::uint32_t lane = 0; lane < 32; lane++)
		{
			EXPECT_EQ(block_tids(shape, block.data())[lane], layout::make_tid(lane, 7));
			for (std::uint32_t s = 0; s < shape.segments; s++)
				ASSERT_EQ(nibble_or_byte(shape, block.data(), s, lane), codes[lane * shape.segments + s]);
			if (shape.codes == Codes::none)
				continue;
			EXPECT_EQ(h->add_scale * half_to_float(h->add[lane]), 1.0f + static_cast<float>(lane));
			EXPECT_EQ(h->mul_scale * half_to_float(h->mul[lane]), -0.5f * static_cast<float>(lane));
		}
	}
}

/* One factor's history in a block: what was put, and how far from it the lane may be. */
struct History
{
	float put[32] = {};
	double allowed[32] = {};

	void
	note(std::uint32_t live, std::uint32_t lane, float x)
	{
		put[lane] = x;
		double most = 0;
		for (std::uint32_t l = 0; l < 32; l++)
			if (live >> l & 1)
				most = std::max(most, std::fabs(static_cast<double>(put[l])));
		/* Half a unit of ten bits, and what counts for nothing beside the greatest; later ones may cost another share of theirs. */
		allowed[lane] = std::fabs(static_cast<double>(x)) * 0x1.01p-11;
		for (std::uint32_t l = 0; l < 32; l++)
			allowed[l] = std::max(allowed[l], std::fabs(static_cast<double>(put[l])) * 0x1.01p-11 + most * 0x1p-27) +
						 0x1p-149;
	}
};

TEST(ListCodec, BlocksHoldFactorsOfAnyMagnitude)
{
	std::mt19937_64 random(10);
	std::uniform_real_distribution<double> uniform;
	TestCodec t(Metric::l2, 16, kCodings[0]);
	const IvfShape &shape = t.codec.shape;
	Bytes codes(shape.segments);
	for (int kind = 0; kind < 6; kind++)
		for (int round = 0; round < 200; round++)
		{
			Bytes block(shape.block_bytes, round % 2 == 0 ? 0 : 0xff);
			auto *h = block_header(block.data());
			h->live = 0;
			History add, mul;
			double base = uniform(random) * 60 - 30;
			auto draw = [&](double spread) {
				if (random() % 16 == 0)
					return 0.0f;
				double exponent = kind == 0   ? base
								  : kind == 1 ? uniform(random) * 60 - 30
								  : kind == 2 ? base + (random() % 10 == 0 ? 12 : 0)
								  : kind == 3 ? base - (random() % 10 == 0 ? 12 : 0)
								  : kind == 4 ? base + uniform(random) * 8
											  : (random() % 2 == 0 ? 38 : -44);
				double x = std::pow(10.0, exponent) * (1 + spread * uniform(random));
				x = std::min(x, 3e38);
				return static_cast<float>(random() % 2 == 0 ? x : -x);
			};
			for (int step = 0; step < 100; step++)
			{
				auto lane = static_cast<std::uint32_t>(random() % 32);
				CodedRow row = {draw(1), draw(1), codes.data(), nullptr};
				put_lane(shape, block.data(), lane, row, kTid);
				add.note(h->live, lane, row.add);
				mul.note(h->live, lane, row.mul);
				for (std::uint32_t l = 0; l < 32; l++)
				{
					if ((h->live >> l & 1) == 0)
						continue;
					double a = static_cast<double>(h->add_scale) * half_to_float(h->add[l]);
					double m = static_cast<double>(h->mul_scale) * half_to_float(h->mul[l]);
					ASSERT_NEAR(a, add.put[l], add.allowed[l]) << kind << ' ' << step << ' ' << l;
					ASSERT_NEAR(m, mul.put[l], mul.allowed[l]) << kind << ' ' << step << ' ' << l;
				}
				int exponent;
				ASSERT_EQ(std::frexp(h->add_scale, &exponent), 0.5f);
				ASSERT_EQ(std::frexp(h->mul_scale, &exponent), 0.5f);
				if (random() % 3 == 0)
					h->live &= ~(1u << random() % 32);
			}
		}
}

/* Whatever a damaged block says, its rows are put somewhere. */
TEST(ListCodec, DamagedBlocksTakeRows)
{
	std::mt19937_64 random(11);
	TestCodec t(Metric::l2, 16, kCodings[0]);
	Bytes codes(t.codec.shape.segments);
	for (int round = 0; round < 2000; round++)
	{
		Bytes block(t.codec.shape.block_bytes);
		for (std::uint8_t &b : block)
			b = static_cast<std::uint8_t>(random());
		CodedRow row = {1e3f, -1e-3f, codes.data(), nullptr};
		auto lane = static_cast<std::uint32_t>(random() % 32);
		put_lane(t.codec.shape, block.data(), lane, row, kTid);
		EXPECT_TRUE(block_header(block.data())->live >> lane & 1);
	}
}

/* --- estimates --- */

struct Figures
{
	double bias = 0, squares = 0;  // of errors in deviations
	std::size_t above = 0, count = 0;

	void
	add(double error, double deviation)
	{
		bias += error / deviation;
		squares += error * error / (deviation * deviation);
		above += error > 1.9 * deviation;
		count++;
	}
};

/* Rows around centres, and queries of which each is nearer to one of them; all of it in blocks, scored as a scan does. */
Figures
estimate(Metric metric, std::uint32_t d, IvfOptions options, bool own, std::mt19937_64 &random)
{
	constexpr std::uint32_t kQueries = 24, kLists = 12;
	const distance::Kernels &k = distance::kernels();
	TestCodec t(metric, d, options);
	const IvfShape &shape = t.codec.shape;
	auto place = [&](const Floats &centre, float spread) {
		Floats v = normals(random, d, spread), x(t.n);
		for (std::size_t i = 0; i < d; i++)
			v[i] += centre[i];
		to_code_space(t.codec.space, v.data(), x.data(), nullptr);
		return x;
	};
	auto list_centre = [&](const Floats &centre) {
		Floats c(t.n);
		to_code_space(t.codec.space, centre.data(), c.data(), nullptr);
		if (metric == Metric::cosine)
			for (float &e : c)
				e *= 0.8f;
		return c;
	};
	if (t.coded_by_product())
	{
		std::vector<Floats> sample;
		for (std::uint32_t i = 0; i < 8u << options.pq_bits; i++)
		{
			Floats centre = normals(random, d), c = list_centre(centre), x = place(centre, 0.7f);
			for (std::size_t j = 0; j < t.n; j++)
				x[j] -= c[j];
			sample.push_back(x);
		}
		t.train(sample);
	}
	const float deviation = t.coded_by_product() ? t.deviation : sign_deviation(shape.sign_dims, shape.code_dims);
	Figures figures;
	Bytes lut(16 * shape.segments + 64);
	Floats table(256 * shape.segments), scratch(2 * t.n);
	for (std::uint32_t l = 0; l < kLists; l++)
	{
		Floats centre = normals(random, d), c = list_centre(centre);
		Bytes block(shape.block_bytes);
		std::vector<Floats> rows;
		for (std::uint32_t lane = 0; lane < 32; lane++)
		{
			rows.push_back(place(centre, 0.7f));
			TestRow row(shape);
			encode_row(t.codec, c.data(), own, nullptr, rows.back().data(), kTid, row.row, scratch.data());
			put_lane(shape, block.data(), lane, row.row, kTid);
		}
		const BlockHeader *h = block_header(block.data());
		for (std::uint32_t i = 0; i < kQueries; i++)
		{
			Floats q = place(centre, i % 2 == 0 ? 0.7f : 1.5f), p(t.n), asked = q;
			for (std::size_t j = 0; j < t.n; j++)
				p[j] = q[j] - c[j];
			const bool ip = metric == Metric::inner_product;
			if (own && !ip)
				asked = p;
			/* What the error comes from. */
			const Floats &of = own && ip ? q : p;
			float length = std::sqrt(static_cast<float>(dot(of, of, t.n)));
			float g = static_cast<float>(ip ? -dot(q, c, t.n) : dot(p, p, t.n));
			float est[32], step = 0;
			if (shape.codes == Codes::pq8)
			{
				quantizer::product_table(t.codec.books, asked.data(), table.data());
				k.table_scan(block.data() + shape.codes_offset, table.data(), shape.segments, h->add, h->mul,
							 h->add_scale, h->mul_scale, g, 0, 0, est);
			}
			else
			{
				quantizer::SignQuery s =
					shape.codes == Codes::sign
						? quantizer::sign_query(asked.data(), shape.sign_dims, lut.data())
						: quantizer::product_query(t.codec.books, asked.data(), lut.data(), table.data());
				step = s.step;
				k.fast_scan(block.data() + shape.codes_offset, s.lut, s.segments, h->add, h->mul, h->add_scale,
							h->mul_scale, g, s.step, s.bias, 0, est);
			}
			float of_e = deviation_of_e(deviation, length, step, shape.segments);
			for (std::uint32_t lane = 0; lane < 32; lane++)
			{
				long double truth = 0;
				for (std::size_t j = 0; j < t.n; j++)
				{
					long double a = q[j], b = rows[lane][j];
					truth += ip ? -a * b : (a - b) * (a - b);
				}
				float mul = h->mul_scale * half_to_float(h->mul[lane]);
				figures.add(static_cast<double>(est[lane] - truth), estimate_error(of_e, mul));
			}
		}
	}
	return figures;
}

TEST(ListCodec, EstimatesAreUnbiasedAndWithinTheirDeviation)
{
	std::mt19937_64 random(12);
	for (IvfOptions coding : kCodings)
		for (Metric metric : kCoded)
			for (std::uint32_t d : {16u, 100u, 128u, 768u, 3000u})
				for (bool own : {false, true})
				{
					if (coding.pq_bits == 8 && d > 128)
						continue;
					Figures f = estimate(metric, d, coding, own, random);
					double n = static_cast<double>(f.count), bias = f.bias / n, rms = std::sqrt(f.squares / n);
					double covered = 1 - static_cast<double>(f.above) / n;
					std::printf("%-5s %-14s d=%-5u %s bias %+.3f rms %.3f below 1.9: %.4f\n",
								coding.quantizer == Quantizer::rabitq ? "sign"
								: coding.pq_bits == 4                 ? "pq4"
																	  : "pq8",
								metric_name(metric), d, own ? "own " : "    ", bias, rms, covered);
					/* Where |q| is what counts, the queries of a list err together: few independent samples. */
					EXPECT_LT(std::fabs(bias), own && metric == Metric::inner_product ? 0.2 : 0.08);
					EXPECT_GT(covered, 0.96);
					EXPECT_LT(rms, 1.1);
				}
}

TEST(ListCodec, DirectoryEstimatesDistancesOfCentres)
{
	std::mt19937_64 random(13);
	for (std::uint32_t n : {16u, 128u, 768u})
	{
		IvfShape shape = layout::directory_shape(n);
		Bytes block(shape.block_bytes), lut(quantizer::sign_lut_bytes(shape.sign_dims));
		std::vector<Floats> centres;
		Floats scratch(n), scales;
		for (std::uint32_t lane = 0; lane < 32; lane++)
		{
			centres.push_back(normals(random, n));
			TestRow row(shape);
			encode_centre(shape, centres.back().data(), layout::make_tid(lane, 1), row.row, scratch.data());
			put_lane(shape, block.data(), lane, row.row, layout::make_tid(lane, 1));
			EXPECT_EQ(std::memcmp(row.slot.data() + sizeof(SlotHeader), centres.back().data(), n * sizeof(float)), 0);
			EXPECT_EQ(row.header().crc, slot_crc(shape, row.slot.data()));
			EXPECT_EQ(row.header().tid, layout::make_tid(lane, 1));
		}
		const BlockHeader *h = block_header(block.data());
		Figures distances, products;
		for (int i = 0; i < 300; i++)
		{
			Floats q = normals(random, n);
			quantizer::SignQuery s = quantizer::sign_query(q.data(), shape.sign_dims, lut.data());
			float est[32], by_product[32], length2 = static_cast<float>(dot(q, q, n));
			const distance::Kernels &k = distance::kernels();
			k.fast_scan(block.data() + shape.codes_offset, s.lut, s.segments, h->add, h->mul, h->add_scale,
						h->mul_scale, length2, s.step, s.bias, 0, est);
			k.fast_scan(block.data() + shape.codes_offset, s.lut, s.segments, h->add, h->mul, 0, h->mul_scale / 2, 0,
						s.step, s.bias, 0, by_product);
			float of_e = deviation_of_e(sign_deviation(shape.sign_dims, n), std::sqrt(length2), s.step, s.segments);
			for (std::uint32_t l = 0; l < 32; l++)
			{
				float mul = h->mul_scale * half_to_float(h->mul[l]);
				auto product = static_cast<double>(dot(q, centres[l], n));
				auto length = static_cast<double>(dot(centres[l], centres[l], n));
				distances.add(est[l] - (length2 + length - 2 * product), estimate_error(of_e, mul));
				products.add(by_product[l] + product, estimate_error(of_e, mul / 2));
			}
		}
		for (const Figures &f : {distances, products})
		{
			EXPECT_LT(std::fabs(f.bias / static_cast<double>(f.count)), 0.1) << n;
			EXPECT_GT(1 - static_cast<double>(f.above) / static_cast<double>(f.count), 0.96) << n;
		}
	}
}

}  // namespace
