/* SPDX-License-Identifier: PostgreSQL
 * Bit strings in lists: code space, slots and distances against counting bit by bit.
 */
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "vecdb/layout/ivf_page.hpp"
#include "vecdb/lists/list_codec.hpp"
#include "vecdb/lists/list_query.hpp"

namespace
{

using namespace vecdb::core;
using distance::Metric;
using lists::as_row;

using Bits = std::vector<std::uint8_t>;

bool
bit(const Bits &b, std::size_t i)
{
	return (b[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* As PostgreSQL keeps them: bits past the last are 0. */
Bits
random_bits(std::size_t n, std::mt19937_64 &random, unsigned density)
{
	Bits b((n + 7) / 8);
	for (std::size_t i = 0; i < n; i++)
		if (random() % 8 < density)
			b[i / 8] = static_cast<std::uint8_t>(b[i / 8] | 0x80 >> i % 8);
	return b;
}

double
wanted(Metric metric, const Bits &a, const Bits &b, std::size_t n)
{
	unsigned different = 0, both = 0, either = 0;
	for (std::size_t i = 0; i < n; i++)
	{
		different += bit(a, i) != bit(b, i);
		both += bit(a, i) && bit(b, i);
		either += bit(a, i) || bit(b, i);
	}
	if (metric == Metric::hamming)
		return different;
	return both == 0 ? 1.0 : 1.0 - static_cast<double>(both) / either;
}

/* Keeps what a query allocates, and frees it with itself. */
class Arena
{
public:
	Memory
	memory()
	{
		return Memory{[](void *self, std::size_t bytes) noexcept -> void * {
						  auto &blocks = static_cast<Arena *>(self)->blocks_;
						  return blocks
							  .emplace_back(std::make_unique<std::max_align_t[]>(bytes / sizeof(std::max_align_t) + 1))
							  .get();
					  },
					  [](void *, void *) noexcept {}, this};
	}

private:
	std::vector<std::unique_ptr<std::max_align_t[]>> blocks_;
};

class ListBitsTest : public testing::TestWithParam<std::size_t>
{};

TEST_P(ListBitsTest, SlotsGiveTheOperatorsDistance)
{
	const std::size_t n = GetParam();
	std::mt19937_64 random{n};
	for (Metric metric : {Metric::hamming, Metric::jaccard})
	{
		layout::IvfOptions options{};
		ASSERT_EQ(layout::resolve_options(options, metric, 16, true), nullptr);
		lists::ListCodec codec{};
		ASSERT_TRUE(layout::ivf_shape(static_cast<std::uint32_t>(n), options, codec.shape));
		ASSERT_EQ(codec.shape.slots, layout::Slots::bits);
		const std::size_t padded = codec.shape.code_dims;
		std::vector<std::uint32_t> signs(4 * padded);
		codec.space.metric = metric;
		codec.space.dimensions = static_cast<std::uint32_t>(n);
		codec.space.code_dims = codec.shape.code_dims;
		codec.space.rotation = quantizer::rotation_init(padded, 42, signs.data());

		std::vector<float> centre(padded), x(padded), scratch(2 * padded);
		Bits query = random_bits(n, random, 4);
		Arena arena;
		lists::ListQuery q{};
		ASSERT_TRUE(lists::init_query(q, codec, as_row(query.data()), 3, arena.memory()));
		lists::open_list(q, centre.data(), true);
		for (unsigned density = 0; density <= 8; density += 2)
		{
			Bits row = random_bits(n, random, density);
			double want = wanted(metric, query, row, n);
			double norm;
			lists::to_code_space(codec.space, as_row(row.data()), x.data(), &norm);
			EXPECT_NEAR(norm * norm, wanted(Metric::hamming, row, Bits(row.size()), n), 1e-6 * static_cast<double>(n));
			if (metric == Metric::hamming)
			{
				double squares = 0;
				for (std::size_t i = 0; i < padded; i++)
					squares += (static_cast<double>(x[i]) - q.x[i]) * (static_cast<double>(x[i]) - q.x[i]);
				EXPECT_NEAR(squares, want, 1e-5 * static_cast<double>(n));
			}
			std::vector<std::uint8_t> slot(codec.shape.slot_bytes, 0xAA);
			lists::CodedRow out{};
			out.slot = slot.data();
			lists::encode_row(codec, centre.data(), true, as_row(row.data()), x.data(), layout::make_tid(7, 3), out,
							  scratch.data());
			layout::SlotHeader header;
			std::memcpy(&header, slot.data(), sizeof header);
			EXPECT_EQ(header.crc, lists::slot_crc(codec.shape, slot.data()));
			EXPECT_EQ(header.tid, layout::make_tid(7, 3));
			lists::Score score = lists::score_slot(q, slot.data());
			EXPECT_EQ(score.distance, static_cast<float>(want));
			EXPECT_EQ(score.error, 0);
			EXPECT_EQ(lists::upper_bound(q, score), score.distance);
			graph::Interval exact = lists::slot_interval(q, slot.data());
			EXPECT_EQ(exact.lower, want);
			EXPECT_EQ(exact.upper, want);
			graph::Interval near = lists::score_interval(q, score);
			EXPECT_LE(near.lower, want);
			EXPECT_GE(near.upper, want);
			if (metric == Metric::hamming)
			{
				EXPECT_EQ(near.lower, near.upper);
			}
		}
	}
}

INSTANTIATE_TEST_SUITE_P(Lengths, ListBitsTest,
						 testing::Values(1, 3, 8, 15, 16, 17, 63, 64, 65, 100, 128, 768, 1000, 1536, 4099, 64000));

TEST(ListBitsOptionsTest, OtherQuantizersAreForVectors)
{
	using layout::IvfOptions, layout::Quantizer, layout::Rerank;
	IvfOptions o{Quantizer::rabitq, Rerank::automatic, 0, 4};
	EXPECT_STREQ(layout::resolve_options(o, Metric::hamming, 64, false), "quantizer must be none for bit strings");
	o = IvfOptions{Quantizer::automatic, Rerank::heap, 0, 4};
	EXPECT_STREQ(layout::resolve_options(o, Metric::jaccard, 64, false), "rerank must be none for bit strings");
	o = IvfOptions{Quantizer::none, Rerank::none, 0, 4};
	EXPECT_EQ(layout::resolve_options(o, Metric::jaccard, 64, true), nullptr);
	EXPECT_EQ(o.quantizer, Quantizer::bit);
}

}  // namespace
