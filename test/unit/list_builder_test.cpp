/* SPDX-License-Identifier: PostgreSQL
 * ListBuilder: every row is in one lane of one list with the slot that belongs to it, pages hold together, as many lists as were asked
 * for, the same pages with any number of threads, and the probes that it measures are what counting says.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "vecdb/lists/list_builder.hpp"
#include "vecdb/quantizer/rotation.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::layout;
using distance::Metric;
using lists::ListBuilder;
using lists::ListBuilderOptions;
using lists::ListCodec;

struct Wanted
{
	Metric metric = Metric::l2;
	Quantizer quantizer = Quantizer::rabitq;
	Rerank rerank = Rerank::automatic;
	std::uint32_t dims = 20, wanted = 0;
	unsigned threads = 2;
	bool mean = true;
};

constexpr std::uint32_t kFirstBlock = 7;

struct Built
{
	ListCodec codec;
	IvfShape directory;
	std::vector<std::uint32_t> signs;
	std::vector<float> mean, codebooks;
	std::vector<std::uint8_t> pages;  // from kFirstBlock on
	std::uint32_t lists = 0, directory_block = 0, probes[4] = {};
	bool measured = false;

	const std::uint8_t *
	page(std::uint32_t block) const
	{
		EXPECT_GE(block, kFirstBlock);
		EXPECT_LT((block - kFirstBlock + 1) * std::size_t{kPageBytes}, pages.size() + 1);
		return pages.data() + (block - kFirstBlock) * std::size_t{kPageBytes};
	}
	template <class T>
	T
	at(const std::uint8_t *p) const
	{
		T value;
		std::memcpy(&value, p, sizeof value);
		return value;
	}
};

/* rows: of dims floats, or of bytes for bits. */
Built
build(const Wanted &s, const std::vector<std::vector<float>> &rows)
{
	Built b{};
	IvfOptions options{s.quantizer, s.rerank, 0, 4};
	const std::uint32_t code_dims = (s.dims + 15) / 16 * 16;
	const char *wrong = resolve_options(options, s.metric, code_dims, false);
	EXPECT_EQ(wrong, nullptr);
	EXPECT_TRUE(ivf_shape(s.dims, options, b.codec.shape));
	b.directory = directory_shape(code_dims);
	b.codec.space.metric = s.metric;
	b.codec.space.dimensions = s.dims;
	b.codec.space.code_dims = code_dims;
	if (s.metric != Metric::l1)
	{
		b.signs.resize(4 * code_dims);
		b.codec.space.rotation = quantizer::rotation_init(code_dims, 99, b.signs.data());
	}
	b.codec.books.segments = options.pq_segments;
	b.codec.books.bits = options.pq_bits;
	b.codec.books.code_dims = code_dims;
	b.codebooks.resize(options.pq_segments > 0 ? b.codec.books.floats() : 0);

	ListBuilder builder;
	ListBuilderOptions o{};
	o.codec = b.codec;
	o.directory = b.directory;
	o.wanted = s.wanted;
	o.threads = s.threads;
	o.seed = 5;
	o.memory = 1 << 20;
	EXPECT_TRUE(builder.start(o).ok());
	auto append = [&](std::size_t i) {
		if (!builder.has_room())
			EXPECT_TRUE(builder.add_room(MemorySource{-1, 0}).ok());
		builder.append(rows[i].data(),
					   make_tid(static_cast<std::uint32_t>(i / 100), static_cast<std::uint16_t>(i % 100 + 1)));
	};
	if (s.mean && (s.metric == Metric::l2 || s.metric == Metric::cosine))
	{
		for (std::size_t i = 0; i < rows.size(); i += 7)
			append(i);
		b.mean.resize(s.dims);
		bool found;
		double norm = 0;
		EXPECT_TRUE(builder.find_mean(b.mean.data(), &norm, &found).ok());
		if (found)
		{
			b.codec.space.mean = b.mean.data();
			b.codec.space.mean_norm = norm;
		}
		EXPECT_TRUE(builder.set_mean(b.codec.space.mean, b.codec.space.mean_norm).ok());
		builder.forget_rows();
	}
	const bool known = !b.mean.empty();
	for (std::size_t i = 0; i < rows.size(); i++)
	{
		append(i);
		EXPECT_TRUE(builder.convert_some().ok());
	}
	if (!known)
		EXPECT_TRUE(builder.set_mean(nullptr, 0).ok());
	EXPECT_EQ(builder.rows(), rows.size());
	EXPECT_TRUE(builder.cluster(MemorySource{-1, 0}, MemorySource{-1, 0}, b.codebooks.data()).ok());
	while (!builder.wait_idle(10))
		;
	EXPECT_TRUE(builder.status().ok()) << builder.status().message;
	EXPECT_EQ(builder.assigned(), rows.size());
	b.codec.books.vectors = b.codebooks.empty() ? nullptr : b.codebooks.data();
	b.codec.deviation = builder.deviation();
	EXPECT_TRUE(builder.lay_out(kFirstBlock).ok());
	Status status;
	std::uint64_t loaded = 0;
	while (builder.begin_batch(status))
	{
		while (!builder.wait_idle(10))
			;
		EXPECT_TRUE(builder.status().ok()) << builder.status().message;
		lists::PageBatch batch = builder.batch();
		EXPECT_EQ(batch.first_block, kFirstBlock + b.pages.size() / kPageBytes);
		b.pages.insert(b.pages.end(), batch.images, batch.images + batch.pages * std::size_t{kPageBytes});
		loaded = batch.rows;
	}
	EXPECT_TRUE(status.ok());
	EXPECT_EQ(loaded, rows.size());
	EXPECT_EQ(builder.blocks(), kFirstBlock + b.pages.size() / kPageBytes);
	b.lists = builder.lists();
	b.directory_block = builder.directory_block();
	b.measured = builder.probes(b.probes);
	return b;
}

struct Lane
{
	RowTid tid;
	std::vector<std::uint8_t> slot;
};

/* All lanes of the chain at head, in order; checks what holds a chain together. */
std::vector<Lane>
read_chain(const Built &b, const IvfShape &shape, std::uint32_t head, std::uint32_t id, ListHeader &first)
{
	std::vector<Lane> lanes;
	std::uint32_t last = head;
	for (std::uint32_t block = head; block != kNoBlock;)
	{
		const std::uint8_t *page = b.page(block);
		auto header = b.at<ListHeader>(page + kPageHeaderBytes);
		auto trailer = b.at<PageTrailer>(page + kPageBytes - kPageTrailerBytes);
		EXPECT_EQ(trailer.kind, static_cast<std::uint16_t>(IvfPageKind::list));
		EXPECT_EQ(trailer.page_id, kIvfPageId);
		EXPECT_EQ(header.head, head);
		EXPECT_EQ(header.list_id, id);
		EXPECT_EQ(b.at<std::uint16_t>(page), shape.block_offset(header.blocks));
		if (block == head)
			first = header;
		EXPECT_EQ((header.flags & kListHead) != 0, block == head);
		std::map<std::uint32_t, std::uint32_t> ends;
		for (std::uint32_t lane = 0; lane < header.blocks * kLanes; lane++)
		{
			const std::uint8_t *bytes = page + shape.block_offset(lane / kLanes);
			if ((lists::block_header(bytes)->live >> lane % kLanes & 1) == 0)
				continue;
			Lane found{lists::block_tids(shape, bytes)[lane % kLanes], {}};
			for (std::uint32_t part = 0; shape.slots != Slots::none && part < shape.pages_per_slot; part++)
			{
				auto slot_block = b.at<std::uint32_t>(page + kPageHeaderBytes + sizeof header +
													  4 * (shape.slot_page_of(lane) + part));
				const std::uint8_t *slot_page = b.page(slot_block);
				auto slot_trailer = b.at<PageTrailer>(slot_page + kPageBytes - kPageTrailerBytes);
				EXPECT_EQ(slot_trailer.kind, static_cast<std::uint16_t>(IvfPageKind::slots));
				EXPECT_EQ(slot_trailer.owner, block);
				std::uint32_t n = std::min(kSlotPartBytes, shape.slot_bytes - part * kSlotPartBytes);
				const std::uint8_t *slot = slot_page + shape.slot_offset(lane);
				found.slot.insert(found.slot.end(), slot, slot + n);
				ends[slot_block] = shape.slot_offset(lane) + n;
			}
			if (shape.slots != Slots::none)
			{
				auto slot = b.at<SlotHeader>(found.slot.data());
				EXPECT_TRUE(slot.tid == found.tid);
				EXPECT_EQ(slot.crc, lists::slot_crc(shape, found.slot.data()));
			}
			lanes.push_back(found);
		}
		for (auto [slot_block, end] : ends)
			EXPECT_EQ(b.at<std::uint16_t>(b.page(slot_block)), end);
		last = block;
		block = header.next;
	}
	EXPECT_EQ(first.insert_block, last);
	return lanes;
}

/* Looks at all pages; sizes: rows of each list. */
void
check(const Wanted &s, const Built &b, const std::vector<std::vector<float>> &rows,
	  std::vector<std::uint32_t> *sizes = nullptr)
{
	ListHeader header{};
	std::vector<Lane> directory = read_chain(b, b.directory, b.directory_block, 0, header);
	ASSERT_EQ(directory.size(), b.lists);
	EXPECT_EQ(header.flags, kListHead | kListDirectory);
	std::set<std::size_t> seen;
	for (std::uint32_t list = 0; list < b.lists; list++)
	{
		std::vector<Lane> lanes = read_chain(b, b.codec.shape, tid_block(directory[list].tid), list + 1, header);
		EXPECT_EQ(header.rows, lanes.size());
		EXPECT_TRUE(std::isfinite(header.residual2));
		if (sizes != nullptr)
			sizes->push_back(static_cast<std::uint32_t>(lanes.size()));
		std::vector<float> c(b.codec.shape.code_dims), x(c.size()), r(c.size());
		std::memcpy(c.data(), directory[list].slot.data() + sizeof(SlotHeader), c.size() * sizeof(float));
		double spread = 0;
		for (const Lane &lane : lanes)
		{
			std::size_t i = tid_block(lane.tid) * std::size_t{100} + lane.tid.offset - 1;
			ASSERT_LT(i, rows.size());
			EXPECT_TRUE(seen.insert(i).second);
			lists::to_code_space(b.codec.space, rows[i].data(), x.data(), nullptr);
			for (std::size_t j = 0; j < c.size(); j++)
				spread += std::pow(static_cast<double>(x[j] - c[j]), 2) / static_cast<double>(lanes.size());
			if (b.codec.shape.slots == Slots::sq8 || b.codec.shape.slots == Slots::half)
			{
				lists::decode_slot(b.codec.shape, lane.slot.data(), r.data());
				double off = 0;
				for (std::size_t j = 0; j < c.size(); j++)
					off += std::pow(static_cast<double>(x[j] - c[j] - r[j]), 2);
				if (s.metric != Metric::l1)
					EXPECT_LE(std::sqrt(off), b.at<SlotHeader>(lane.slot.data()).error * 1.01 + 1e-5);
			}
			if (b.codec.shape.slots == Slots::float32 && s.metric != Metric::cosine)
				EXPECT_EQ(std::memcmp(lane.slot.data() + sizeof(SlotHeader), rows[i].data(), s.dims * sizeof(float)),
						  0);
		}
		EXPECT_NEAR(header.residual2, spread, 1e-3 * spread + 1e-4);
	}
	EXPECT_EQ(seen.size(), rows.size());
}

std::vector<std::vector<float>>
clustered(std::size_t n, std::size_t dims, std::size_t centers, float spread, float offset = 0)
{
	std::mt19937_64 random(11);
	std::normal_distribution<float> normal;
	std::vector<float> center(centers * dims);
	for (float &x : center)
		x = normal(random) + offset;
	std::vector<std::vector<float>> rows(n, std::vector<float>(dims));
	for (std::vector<float> &row : rows)
	{
		const std::size_t c = random() % centers;
		for (std::size_t j = 0; j < dims; j++)
			row[j] = center[c * dims + j] + spread * normal(random);
	}
	return rows;
}

TEST(ListBuilder, EveryRowIsInOneList)
{
	auto rows = clustered(3000, 20, 10, 0.3f, 2);
	for (Metric metric : {Metric::l2, Metric::cosine, Metric::inner_product, Metric::l1})
		for (Quantizer quantizer :
			 {Quantizer::rabitq, Quantizer::rabitq4, Quantizer::sq8, Quantizer::pq, Quantizer::half, Quantizer::none})
		{
			if (metric == Metric::l1 && quantizer != Quantizer::sq8 && quantizer != Quantizer::half &&
				quantizer != Quantizer::none)
				continue;
			SCOPED_TRACE(std::string(distance::metric_name(metric)) + " " +
						 std::to_string(static_cast<int>(quantizer)));
			Wanted s{metric, quantizer};
			Built b = build(s, rows);
			check(s, b, rows);
			EXPECT_GE(b.lists, 4u);
			EXPECT_TRUE(b.measured);
		}
}

TEST(ListBuilder, AsManyListsAsAskedFor)
{
	for (std::size_t n : {1u, 3u, 500u, 20000u})
		for (std::uint32_t wanted : {1u, 3u, 60u, 700u, 1500u})
		{
			SCOPED_TRACE(std::to_string(n) + " rows, " + std::to_string(wanted) + " lists");
			auto rows = clustered(n, 8, 40, 0.2f);
			Wanted s;
			s.dims = 8;
			s.wanted = wanted;
			Built b = build(s, rows);
			EXPECT_EQ(b.lists, wanted);
			std::vector<std::uint32_t> sizes;
			check(s, b, rows, &sizes);
			if (n == 3 && wanted == 3)
				EXPECT_EQ(sizes, (std::vector<std::uint32_t>{1, 1, 1}));
		}
}

TEST(ListBuilder, NoRowsNoLists)
{
	Wanted s;
	s.wanted = 10;
	Built b = build(s, {});
	EXPECT_EQ(b.lists, 0u);
	EXPECT_EQ(b.directory_block, kFirstBlock);
	EXPECT_EQ(b.pages.size(), std::size_t{kPageBytes});
	EXPECT_FALSE(b.measured);
	check(s, b, {});
}

/* One list of many pages: several extents; and slots longer than a page. */
TEST(ListBuilder, LongListsAndLongSlots)
{
	auto rows = clustered(30000, 24, 5, 0.2f);
	Wanted s;
	s.dims = 24;
	s.wanted = 1;
	Built b = build(s, rows);
	EXPECT_GT(b.pages.size() / kPageBytes, 260u);
	check(s, b, rows);
	rows = clustered(200, 5000, 5, 0.2f);
	s.dims = 5000;
	s.wanted = 3;
	s.quantizer = Quantizer::none;
	check(s, build(s, rows), rows);
	s.quantizer = Quantizer::half;
	s.wanted = 0;
	check(s, build(s, rows), rows);
}

TEST(ListBuilder, TheSamePagesWithAnyNumberOfThreads)
{
	auto rows = clustered(20000, 16, 100, 0.4f);
	for (Quantizer quantizer : {Quantizer::rabitq, Quantizer::pq, Quantizer::none})
	{
		Wanted s;
		s.dims = 16;
		s.quantizer = quantizer;
		s.threads = 1;
		Built one = build(s, rows);
		s.threads = 3;
		Built three = build(s, rows);
		EXPECT_TRUE(one.pages == three.pages);
		EXPECT_EQ(one.codebooks, three.codebooks);
		EXPECT_TRUE(std::equal(one.probes, one.probes + 4, three.probes));
	}
}

/* Rows that cannot be told apart, and values that floats hardly hold. */
TEST(ListBuilder, EqualAndExtremeRows)
{
	std::vector<std::vector<float>> rows(5000, std::vector<float>(16, 1.5f));
	Wanted s;
	s.dims = 16;
	std::vector<std::uint32_t> sizes;
	check(s, build(s, rows), rows, &sizes);
	EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()), 2u * kRowsPerList);
	for (std::size_t i = 0; i < rows.size(); i++)
		rows[i][i % 16] = i % 3 == 0 ? 1e30f : i % 3 == 1 ? -3e38f : 1e-40f;
	s.quantizer = Quantizer::none;
	s.metric = Metric::inner_product;
	Built b = build(s, rows);
	EXPECT_GE(b.lists, 1u);
}

TEST(ListBuilder, BitStrings)
{
	std::mt19937_64 random(2);
	std::vector<std::vector<float>> rows(4000, std::vector<float>(3));
	for (auto &row : rows)
	{
		std::uint8_t bytes[12] = {};
		for (int i = 0; i < 9; i++)
			bytes[i] = static_cast<std::uint8_t>(random() & random());
		bytes[8] &= 0xF0;
		std::memcpy(row.data(), bytes, sizeof bytes);
	}
	for (Metric metric : {Metric::hamming, Metric::jaccard})
	{
		Wanted s;
		s.metric = metric;
		s.dims = 68;
		s.quantizer = Quantizer::automatic;
		check(s, build(s, rows), rows);
	}
}

/* Well separated clusters of 300 rows: the nearest list holds all ten. One cloud: more lists are needed for more. */
TEST(ListBuilder, ProbesAreMeasured)
{
	Wanted s;
	s.dims = 16;
	std::mt19937_64 random(1);
	std::normal_distribution<float> normal;
	std::vector<std::vector<float>> rows(9000, std::vector<float>(16));
	for (std::size_t i = 0; i < rows.size(); i++)
		for (std::size_t j = 0; j < 16; j++)
			rows[i][j] = 0.01f * normal(random) + (i % 30 == j ? 50.0f : i % 30 == j + 15 ? -50.0f : 0.0f);
	s.wanted = 30;
	Built b = build(s, rows);
	ASSERT_TRUE(b.measured);
	for (std::uint32_t probes : b.probes)
		EXPECT_LE(probes, 3u);
	for (auto &row : rows)
		for (float &x : row)
			x = normal(random);
	s.wanted = 64;
	b = build(s, rows);
	ASSERT_TRUE(b.measured);
	EXPECT_GE(b.probes[0], 4u);
	EXPECT_TRUE(std::is_sorted(b.probes, b.probes + 4));
	EXPECT_LT(b.probes[0], b.probes[3]);
	EXPECT_LE(b.probes[3], 64u);
}

TEST(ListBuilder, StopEndsTheWork)
{
	auto rows = clustered(50000, 32, 10, 1.0f);
	Wanted s;
	ListBuilder builder;
	ListBuilderOptions o{};
	IvfOptions options{Quantizer::rabitq, Rerank::sq8, 0, 0};
	ASSERT_TRUE(ivf_shape(32, options, o.codec.shape));
	o.codec.space.metric = Metric::inner_product;
	o.codec.space.dimensions = o.codec.space.code_dims = 32;
	o.directory = directory_shape(32);
	o.threads = 2;
	o.memory = 64 << 20;
	ASSERT_TRUE(builder.start(o).ok());
	ASSERT_TRUE(builder.set_mean(nullptr, 0).ok());
	for (std::size_t i = 0; i < rows.size(); i++)
	{
		if (!builder.has_room())
			ASSERT_TRUE(builder.add_room(MemorySource{-1, 0}).ok());
		builder.append(rows[i].data(), RowTid{});
	}
	ASSERT_TRUE(builder.cluster(MemorySource{-1, 0}, MemorySource{-1, 0}, nullptr).ok());
	builder.stop();
	EXPECT_EQ(builder.status().code, Code::cancelled);
}

}  // namespace
