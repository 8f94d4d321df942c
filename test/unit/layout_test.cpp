/* SPDX-License-Identifier: PostgreSQL
 * On-disk layout: geometry for all dimensions and m, checks of damaged pages, and the byte tables of the format's page.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "vecdb/layout/hnsw_page.hpp"
#include "vecdb/layout/ivf_page.hpp"

namespace
{

using namespace vecdb::core;
using namespace vecdb::core::layout;

constexpr Layout kLayouts[] = {Layout::compact, Layout::fused};

void
check_shape(std::uint32_t dims, int m, int precision, Layout layout)
{
	HnswShape s;
	ASSERT_TRUE(hnsw_shape(dims, {m, precision, layout, 0}, s));
	/* The metapage keeps what was chosen; from that the shape must be the same. */
	HnswShape again;
	ASSERT_TRUE(hnsw_shape(dims, {m, precision, layout, s.sign_dims}, again));
	EXPECT_TRUE(again.sign_dims == s.sign_dims && again.self_dims == s.self_dims && again.slot_bytes == s.slot_bytes &&
				again.detail_pages == s.detail_pages);
	EXPECT_EQ(s.dimensions, dims);
	EXPECT_EQ(s.code_dims % 16, 0u);
	EXPECT_TRUE(s.code_dims >= dims && s.code_dims < dims + 16);
	EXPECT_EQ(s.lanes, 2u * static_cast<unsigned>(m));
	EXPECT_GE(s.slots_per_page, 1u);

	/* Parts in order, without overlap, aligned for what they hold. */
	EXPECT_EQ(s.lanes_offset, sizeof(NodeHeader) + s.self_dims);
	EXPECT_EQ(s.self_dims % 16, 0u);
	EXPECT_EQ(s.self_dims + s.tail_bytes, s.code_dims);
	EXPECT_EQ(s.residual_dims, precision == 16 ? s.code_dims : 0);
	/* Only what cannot do otherwise goes into pages of its own. */
	if (m == 16 && dims <= (layout == Layout::fused ? 7328u : 7968u))
		EXPECT_EQ(s.tail_bytes, 0u);
	EXPECT_EQ(s.lanes_offset % 4, 0u);
	EXPECT_GE(s.lanes_bytes, 4 * s.lanes);
	EXPECT_LE(s.lanes_offset + s.lanes_bytes, s.slot_bytes);
	if (layout == Layout::fused)
	{
		EXPECT_GE(s.blocks * 32, s.lanes);
		EXPECT_EQ(s.block_offset, s.lanes_offset + 4 * s.lanes);
		EXPECT_EQ(s.block_offset % 2, 0u);
		EXPECT_EQ(s.sign_dims % 16, 0u);
		EXPECT_TRUE(s.sign_dims >= 16 && s.sign_dims <= s.code_dims);
		EXPECT_EQ(s.block_bytes, 128 + 4 * s.sign_dims);
		EXPECT_LE(s.block_offset + s.blocks * s.block_bytes, s.slot_bytes);
	}
	else
		EXPECT_EQ(s.sign_dims, 0u);
	/* The first and the last slot. */
	EXPECT_GE(s.first_slot, kPageHeaderBytes);
	EXPECT_EQ(s.first_slot % 8, 0u);
	EXPECT_EQ(s.slot_bytes % 8, 0u);
	EXPECT_LE(s.first_slot + s.slots_per_page * s.slot_bytes, kPageBytes - kPageTrailerBytes);
	/* The sizes of the metapage's fields. */
	EXPECT_LE(s.slot_bytes, 65535u);
	EXPECT_LE(s.slots_per_page, 65535u);
	EXPECT_GE(s.duplicates_per_slot(), 1u);
	EXPECT_LE(s.duplicates_per_slot(), 255u);
	EXPECT_LE(sizeof(NodeHeader) + s.duplicates_per_slot() * kTidBytes, s.slot_bytes);
	std::uint32_t content = s.tail_bytes + s.residual_dims;
	if (content == 0)
		EXPECT_TRUE(s.detail_bytes == 0 && s.details_per_page == 0 && s.detail_pages == 0);
	else
	{
		EXPECT_GE(s.details_per_page, 1u);
		EXPECT_TRUE(s.detail_pages == 1 || (s.detail_pages <= kMaxDetailPages && s.details_per_page == 1));
		EXPECT_LE(s.detail_offset(s.details_per_page - 1) + s.detail_bytes, kPageBytes - kPageTrailerBytes);
		std::uint32_t sum = 0;
		for (std::uint32_t part = 0; part < s.detail_pages; part++)
		{
			EXPECT_EQ(sum, part * kPartBytes);
			EXPECT_TRUE(s.part_bytes(part) > 0 && s.part_bytes(part) % 16 == 0);
			EXPECT_LE(s.part_bytes(part) + 4, s.detail_bytes);
			sum += s.part_bytes(part);
		}
		EXPECT_EQ(sum, content);
		EXPECT_LE(s.tail_parts(), s.detail_pages);
		std::uint32_t id = 5 * s.details_per_page, pages = s.detail_pages;
		EXPECT_TRUE(valid_detail(id, s, 5 + pages));
		EXPECT_FALSE(valid_detail(id, s, 4 + pages));
		EXPECT_FALSE(valid_detail(s.details_per_page - 1, s, 100));
		EXPECT_FALSE(valid_detail(kInvalidId, s, 0xFFFFFFFFu));
	}
	/* Ids there and back. */
	std::uint32_t blocks = 1000;
	for (std::uint32_t block : {1u, 2u, 999u})
		for (std::uint32_t slot : {0u, s.slots_per_page / 2, s.slots_per_page - 1})
		{
			std::uint32_t id = block * s.slots_per_page + slot;
			EXPECT_EQ(s.block_of(id), block);
			EXPECT_EQ(s.slot_offset(id), s.first_slot + slot * s.slot_bytes);
			EXPECT_TRUE(valid_id(id, s, blocks));
		}
	EXPECT_FALSE(valid_id(s.slots_per_page - 1, s, blocks));
	EXPECT_FALSE(valid_id(blocks * s.slots_per_page, s, blocks));
	EXPECT_FALSE(valid_id(kInvalidId, s, 0xFFFFFFFFu));
}

TEST(Layout, ShapesFitForAllDimensions)
{
	for (Layout layout : kLayouts)
		for (int m : {2, 3, 16, 17, 48, 100})
			for (int precision : {8, 16})
				for (std::uint32_t dims = 1; dims <= kMaxDimensions; dims += dims < 300 || dims % 16 == 0 ? 1 : 15)
				{
					check_shape(dims, m, precision, layout);
					if (testing::Test::HasFailure())
						FAIL() << "dimensions " << dims << " m " << m << " precision " << precision << " layout "
							   << static_cast<int>(layout);
				}
	HnswShape s;
	for (Layout layout : kLayouts)
		for (std::uint32_t dims : {0u, 16001u, 65536u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFF0u, 0xFFFFFFFFu})
			EXPECT_FALSE(hnsw_shape(dims, {16, 16, layout, 0}, s)) << dims;
}

HnswMeta
good_meta(std::uint32_t dims, int m, int precision, Layout layout)
{
	HnswShape s;
	EXPECT_TRUE(hnsw_shape(dims, {m, precision, layout, 0}, s));
	HnswMeta meta;
	std::memset(&meta, 0, sizeof meta);
	meta.magic = kHnswMagic;
	meta.version = kHnswVersion;
	meta.min_reader_version = kHnswMinReaderVersion;
	meta.dimensions = dims;
	meta.code_dims = s.code_dims;
	meta.metric = 1;
	meta.layout = static_cast<std::uint8_t>(layout);
	meta.precision = static_cast<std::uint8_t>(precision);
	meta.element_type = 1;
	meta.m = static_cast<std::uint16_t>(m);
	meta.ef_construction = kDefaultEfConstruction;
	meta.lanes = static_cast<std::uint16_t>(s.lanes);
	meta.slot_bytes = static_cast<std::uint16_t>(s.slot_bytes);
	meta.slots_per_page = static_cast<std::uint16_t>(s.slots_per_page);
	meta.first_slot = static_cast<std::uint16_t>(s.first_slot);
	meta.details_per_page = static_cast<std::uint16_t>(s.details_per_page);
	meta.mean_pages = static_cast<std::uint16_t>((dims * 4 + kPageBodyBytes - 1) / kPageBodyBytes);
	meta.mean_block = 1;
	meta.entry_id = 10 * s.slots_per_page;
	meta.entry_level = 2;
	meta.open_detail_block = 12;
	meta.open_node_block = 11;
	meta.sign_dims = static_cast<std::uint16_t>(s.sign_dims);
	meta.self_dims = static_cast<std::uint16_t>(s.self_dims);
	return meta;
}

TEST(Layout, AcceptsGoodMetapagesAndTheirExtremes)
{
	HnswShape s;
	for (Layout layout : kLayouts)
		for (int precision : {8, 16})
			for (std::uint32_t dims : {1u, 16u, 100u, 768u, 2038u, 2039u, 4000u, 7969u, 16000u})
			{
				HnswMeta meta = good_meta(dims, 16, precision, layout);
				EXPECT_TRUE(check_meta(meta, 13, s).ok()) << dims << check_meta(meta, 13, s).message;
				meta.entry_id = kInvalidId;
				meta.mean_pages = 0;
				meta.mean_block = 0;
				meta.open_detail_block = meta.open_node_block = 0;
				EXPECT_TRUE(check_meta(meta, 1, s).ok()) << "empty";
			}
	/* A version that we can still read. */
	HnswMeta meta = good_meta(100, 16, 16, Layout::compact);
	meta.version = 9;
	EXPECT_TRUE(check_meta(meta, 13, s).ok());
}

TEST(Layout, RejectsEachDamagedField)
{
	struct Damage
	{
		const char *name;
		std::function<void(HnswMeta &)> apply;
		Code code = Code::corrupt;
	};
	const Damage damages[] = {
		{"magic", [](auto &m) { m.magic ^= 1; }},
		{"min_reader_version", [](auto &m) { m.min_reader_version = kHnswVersion + 1; }, Code::limit_exceeded},
		{"dimensions", [](auto &m) { m.dimensions += 16; }},
		{"dimensions 0", [](auto &m) { m.dimensions = 0; }},
		{"dimensions huge", [](auto &m) { m.dimensions = 0xFFFFFFFFu; }},
		{"dimensions that wrap",
		 [](auto &m) {
			 m.dimensions = 0xFFFFFFF8u;
			 m.code_dims = 0;
		 }},
		{"code_dims", [](auto &m) { m.code_dims += 16; }},
		{"metric 0", [](auto &m) { m.metric = 0; }},
		{"metric 5", [](auto &m) { m.metric = 5; }},
		{"layout 0", [](auto &m) { m.layout = 0; }},
		{"layout 3", [](auto &m) { m.layout = 3; }},
		{"layout other", [](auto &m) { m.layout = static_cast<std::uint8_t>(3 - m.layout); }},
		{"precision", [](auto &m) { m.precision = 12; }},
		{"precision 8", [](auto &m) { m.precision = 8; }},
		{"element_type 0", [](auto &m) { m.element_type = 0; }},
		{"element_type 6", [](auto &m) { m.element_type = 6; }},
		{"element_type sparse", [](auto &m) { m.element_type = 3; }},
		{"element_type bit", [](auto &m) { m.element_type = 4; }},
		{"m 0",
		 [](auto &m) {
			 m.m = 0;
			 m.lanes = 0;
		 }},
		{"m 1",
		 [](auto &m) {
			 m.m = 1;
			 m.lanes = 2;
		 }},
		{"m 101",
		 [](auto &m) {
			 m.m = 101;
			 m.lanes = 202;
		 }},
		{"m other",
		 [](auto &m) {
			 m.m = 50;
			 m.lanes = 100;
		 }},
		{"ef_construction 3", [](auto &m) { m.ef_construction = 3; }},
		{"ef_construction 1001", [](auto &m) { m.ef_construction = 1001; }},
		{"lanes", [](auto &m) { m.lanes++; }},
		{"slot_bytes", [](auto &m) { m.slot_bytes = static_cast<std::uint16_t>(m.slot_bytes + 8); }},
		{"slots_per_page", [](auto &m) { m.slots_per_page++; }},
		{"slots_per_page 0", [](auto &m) { m.slots_per_page = 0; }},
		{"first_slot", [](auto &m) { m.first_slot = 0; }},
		{"details_per_page", [](auto &m) { m.details_per_page++; }},
		{"details_per_page 0", [](auto &m) { m.details_per_page = 0; }},
		{"mean_pages", [](auto &m) { m.mean_pages = static_cast<std::uint16_t>(m.mean_pages + 1); }},
		{"mean_block 0", [](auto &m) { m.mean_block = 0; }},
		{"mean_block at the end", [](auto &m) { m.mean_block = 13; }},
		{"mean_block runs over the end", [](auto &m) { m.mean_block = 12; }},
		{"mean_block huge", [](auto &m) { m.mean_block = 0xFFFFFFFFu; }},
		{"entry_id on the metapage", [](auto &m) { m.entry_id = 0; }},
		{"entry_id behind the end", [](auto &m) { m.entry_id = 13u * m.slots_per_page; }},
		{"entry_id huge", [](auto &m) { m.entry_id = 0xFFFFFFFEu; }},
		{"entry_level", [](auto &m) { m.entry_level = kMaxLevel + 1; }},
		{"open_detail_block", [](auto &m) { m.open_detail_block = 13; }},
		{"open_node_block", [](auto &m) { m.open_node_block = 0xFFFFFFFFu; }},
		{"self_dims", [](auto &m) { m.self_dims = static_cast<std::uint16_t>(m.self_dims - 16); }},
		{"sign_dims", [](auto &m) { m.sign_dims = static_cast<std::uint16_t>(m.sign_dims + 16); }},
	};
	for (Layout layout : kLayouts)
		for (const Damage &damage : damages)
		{
			HnswShape s;
			HnswMeta meta = good_meta(2500, 16, 16, layout);
			ASSERT_EQ(meta.mean_pages, 2);
			ASSERT_TRUE(check_meta(meta, 13, s).ok());
			damage.apply(meta);
			Status status = check_meta(meta, 13, s);
			EXPECT_EQ(status.code, damage.code) << damage.name;
			EXPECT_NE(status.message[0], '\0') << damage.name;
		}
}

/* --- codes that are exact: bit strings, sparse vectors --- */

void
check_exact_shape(const HnswShape &s, std::uint32_t dims, int m)
{
	EXPECT_EQ(s.dimensions, dims);
	EXPECT_EQ(s.residual_dims + s.blocks + s.sign_dims, 0u);
	EXPECT_EQ(s.lanes, 2u * static_cast<unsigned>(m));
	EXPECT_EQ(s.lanes_bytes, 4 * s.lanes);
	EXPECT_EQ(s.lanes_offset, sizeof(NodeHeader) + s.self_dims);
	EXPECT_EQ(s.self_dims + s.tail_bytes, s.code_dims);
	EXPECT_GE(s.slots_per_page, 1u);
	EXPECT_LE(s.lanes_offset + s.lanes_bytes, s.slot_bytes);
	EXPECT_LE(s.first_slot + s.slots_per_page * s.slot_bytes, kPageBytes - kPageTrailerBytes);
	EXPECT_EQ(s.tail_bytes == 0, s.details_per_page == 0);
	EXPECT_TRUE(s.details_per_page == 0 ||
				s.detail_offset(s.details_per_page - 1) + s.detail_bytes <= kPageBytes - kPageTrailerBytes);
	EXPECT_LE(s.slot_bytes, 65535u);
}

HnswMeta
exact_meta(const HnswShape &s, int m, int metric)
{
	HnswMeta meta;
	std::memset(&meta, 0, sizeof meta);
	meta.magic = kHnswMagic;
	meta.version = kHnswVersion;
	meta.min_reader_version = kHnswMinReaderVersion;
	meta.dimensions = s.dimensions;
	meta.code_dims = s.code_dims;
	meta.metric = static_cast<std::uint8_t>(metric);
	meta.layout = static_cast<std::uint8_t>(Layout::compact);
	meta.element_type = static_cast<std::uint8_t>(s.element_type);
	meta.m = static_cast<std::uint16_t>(m);
	meta.ef_construction = kDefaultEfConstruction;
	meta.lanes = static_cast<std::uint16_t>(s.lanes);
	meta.slot_bytes = static_cast<std::uint16_t>(s.slot_bytes);
	meta.slots_per_page = static_cast<std::uint16_t>(s.slots_per_page);
	meta.first_slot = static_cast<std::uint16_t>(s.first_slot);
	meta.details_per_page = static_cast<std::uint16_t>(s.details_per_page);
	meta.self_dims = static_cast<std::uint16_t>(s.self_dims);
	meta.entry_id = kInvalidId;
	return meta;
}

TEST(Layout, BitShapesFitForAllLengths)
{
	HnswShape s;
	for (int m : {2, 16, 100})
		for (std::uint32_t bits = 1; bits <= kMaxBits; bits += bits < 300 || bits % 128 == 0 ? 1 : 127)
		{
			ASSERT_TRUE(hnsw_shape(bits, {m, 0, Layout::compact, 0, ElementType::bit}, s)) << bits;
			check_exact_shape(s, bits, m);
			EXPECT_EQ(s.code_dims % 16, 0u);
			EXPECT_TRUE(s.code_dims * 8 >= bits && s.code_dims * 8 < bits + 128);
			HnswShape again;
			EXPECT_TRUE(check_meta(exact_meta(s, m, 5), 1, again).ok());
			EXPECT_TRUE(check_meta(exact_meta(s, m, 6), 1, again).ok());
			EXPECT_EQ(check_meta(exact_meta(s, m, 1), 1, again).code, Code::corrupt);
			ASSERT_FALSE(testing::Test::HasFailure()) << bits << " bits, m " << m;
		}
	EXPECT_FALSE(hnsw_shape(kMaxBits + 1, {16, 0, Layout::compact, 0, ElementType::bit}, s));
	EXPECT_FALSE(hnsw_shape(64, {16, 16, Layout::compact, 0, ElementType::bit}, s));
	EXPECT_FALSE(hnsw_shape(64, {16, 0, Layout::fused, 0, ElementType::bit}, s));
}

TEST(Layout, SparseShapesFitForAllDimensionsAndSizes)
{
	HnswShape s;
	for (int m : {2, 16, 100})
		for (std::uint32_t dims : {1u, 16u, 17u, 100u, 129u, 16000u, 30522u, kMaxSparseDimensions})
			for (std::uint32_t self = 0; self <= sparse_room(1, m); self += kSparseBlockBytes)
			{
				ASSERT_TRUE(hnsw_shape(dims, {m, 0, Layout::compact, 0, ElementType::sparse, self}, s));
				check_exact_shape(s, dims, m);
				EXPECT_EQ(s.code_dims, (std::min(dims, kMaxNonzero) + 15) / 16 * 128);
				EXPECT_EQ(s.self_dims, std::min(self == 0 ? kDefaultSparseSelf : self, s.code_dims));
				if (s.tail_bytes != 0)
				{
					EXPECT_EQ(s.details_per_page, 9u);
				}
				/* Each code has its place, and no link more than it needs. */
				for (std::uint32_t bytes = 0; bytes <= s.code_dims; bytes += kSparseBlockBytes)
				{
					std::uint32_t links = s.chain_links(bytes);
					EXPECT_GE(s.self_dims + links * kLinkBytes, bytes);
					EXPECT_TRUE(links == 0 || s.self_dims + (links - 1) * kLinkBytes < bytes);
				}
				EXPECT_LE(2 * s.chain_links(s.code_dims), kMaxChainLinks);
				HnswMeta meta = exact_meta(s, m, 4);
				HnswShape again;
				EXPECT_TRUE(check_meta(meta, 1, again).ok());
				EXPECT_TRUE(again.self_dims == s.self_dims && again.slot_bytes == s.slot_bytes);
				meta.self_dims = static_cast<std::uint16_t>(meta.self_dims + 16);
				EXPECT_EQ(check_meta(meta, 1, again).code, Code::corrupt);
				meta.self_dims = 0;
				EXPECT_EQ(check_meta(meta, 1, again).ok(), s.self_dims == 0);
				ASSERT_FALSE(testing::Test::HasFailure()) << dims << " dimensions, m " << m << " self " << self;
			}
	EXPECT_FALSE(hnsw_shape(kMaxSparseDimensions + 1, {16, 0, Layout::compact, 0, ElementType::sparse}, s));
	EXPECT_FALSE(hnsw_shape(kMaxSparseDimensions, {16, 0, Layout::compact, 0, ElementType::sparse, 8192}, s));
	for (int slots = 1; slots < 40; slots++)
	{
		std::uint32_t room = sparse_room(static_cast<std::uint32_t>(slots), 16);
		if (room == 0)
			continue;
		ASSERT_TRUE(hnsw_shape(kMaxSparseDimensions, {16, 0, Layout::compact, 0, ElementType::sparse, room}, s));
		EXPECT_GE(s.slots_per_page, static_cast<std::uint32_t>(slots));
	}
}

TEST(Layout, SlotsFitMostSparseRows)
{
	constexpr std::uint32_t kMost = 1000;
	auto share_beyond = [](const std::vector<std::uint64_t> &rows, std::uint32_t self) {
		std::uint64_t beyond = 0, all = 0;
		for (std::uint32_t blocks = 0; blocks <= kMost; blocks++)
		{
			all += rows[blocks];
			beyond += blocks * kSparseBlockBytes > self ? rows[blocks] : 0;
		}
		return static_cast<double>(beyond) / static_cast<double>(all);
	};
	auto chosen = [](const std::vector<std::uint64_t> &rows, int m) {
		std::uint32_t self = choose_sparse_self(rows.data(), kMost, m);
		HnswShape s;
		EXPECT_TRUE(hnsw_shape(kMaxSparseDimensions, {m, 0, Layout::compact, 0, ElementType::sparse, self}, s)) << self;
		EXPECT_EQ(s.self_dims, self);
		return self;
	};
	for (int m : {2, 16, 48, 100})
	{
		/* Rows of one length have room in their slots while that wastes no page. */
		for (std::uint32_t blocks : {1u, 2u, 5u, 8u, 13u, 20u})
		{
			std::vector<std::uint64_t> rows(kMost + 1);
			rows[blocks] = 1000;
			EXPECT_EQ(share_beyond(rows, chosen(rows, m)), 0) << blocks << " blocks, m " << m;
		}
		/* Most rows of about 8 blocks, a few of hundreds: those do not decide. */
		std::vector<std::uint64_t> rows(kMost + 1);
		for (std::uint32_t blocks = 4; blocks <= 12; blocks++)
			rows[blocks] = blocks <= 8 ? 1000 * (blocks - 3) : 1000 * (13 - blocks);
		for (std::uint32_t blocks = 100; blocks <= kMost; blocks += 100)
			rows[blocks] = 50;
		EXPECT_LT(share_beyond(rows, chosen(rows, m)), 0.2) << m;
		EXPECT_LT(chosen(rows, m), 24 * kSparseBlockBytes) << m;
		/* None, and only the longest: whatever it is, it is a slot. */
		chosen(std::vector<std::uint64_t>(kMost + 1), m);
		std::vector<std::uint64_t> longest(kMost + 1);
		longest[kMost] = 7;
		chosen(longest, m);
	}
}

TEST(Layout, LengthsOfSparseCodesAreChecked)
{
	HnswShape s;
	ASSERT_TRUE(hnsw_shape(100, {16, 0, Layout::compact, 0, ElementType::sparse}, s));
	NodeHeader node;
	std::memset(static_cast<void *>(&node), 0, sizeof node);
	node.state = static_cast<std::uint8_t>(NodeState::live);
	for (std::uint32_t blocks : {0u, 1u, 7u})
	{
		set_code_blocks(node, blocks);
		EXPECT_EQ(code_blocks(node), blocks);
		EXPECT_EQ(check_node(node, s), nullptr) << blocks;
		EXPECT_EQ(s.code_bytes(node), 128 * blocks);
	}
	for (std::uint32_t blocks : {8u, 0x7F800001u, 0x80000000u, 0xFFFFFFFFu})
	{
		set_code_blocks(node, blocks);
		EXPECT_NE(check_node(node, s), nullptr) << blocks;
	}
}

TEST(Layout, RejectsDamagedNodes)
{
	HnswShape s;
	ASSERT_TRUE(hnsw_shape(100, {16, 16, Layout::compact, 0}, s));
	NodeHeader node;
	std::memset(static_cast<void *>(&node), 0, sizeof node);
	EXPECT_EQ(check_node(node, s), nullptr) << "a page of zeros is a page of free slots";
	node.state = static_cast<std::uint8_t>(NodeState::live);
	node.lane_count = 32;
	node.level = kMaxLevel;
	EXPECT_EQ(check_node(node, s), nullptr);
	node.lane_count = 33;
	EXPECT_NE(check_node(node, s), nullptr);
	node.lane_count = 32;
	node.level = kMaxLevel + 1;
	EXPECT_NE(check_node(node, s), nullptr);
	node.level = 0;
	for (int state = 4; state < 256; state++)
	{
		node.state = static_cast<std::uint8_t>(state);
		EXPECT_NE(check_node(node, s), nullptr) << state;
	}
	node.state = static_cast<std::uint8_t>(NodeState::duplicate);
	node.lane_count = static_cast<std::uint8_t>(s.duplicates_per_slot());
	EXPECT_EQ(check_node(node, s), nullptr);
	node.lane_count++;
	EXPECT_NE(check_node(node, s), nullptr);
}

TEST(Layout, FieldsWithTwoUsesRoundTrip)
{
	NodeHeader node;
	std::memset(static_cast<void *>(&node), 0, sizeof node);
	EXPECT_EQ(bound_detail(node), 0u);
	for (std::uint32_t x : {0u, 1u, 0x7F800001u, 0x7FC00000u, 0xFFC12345u, 0x80000000u, 0xFFFFFFFFu, 0x12345678u})
	{
		/* Through memory, as on a page: no float register may quiet a signalling NaN. */
		set_bound_detail(node, x);
		std::uint32_t bits;
		std::memcpy(&bits, reinterpret_cast<const char *>(&node) + offsetof(NodeHeader, refined_error), sizeof bits);
		EXPECT_EQ(bits, x);
		EXPECT_EQ(bound_detail(node), x);
		set_chain_height(node, x);
		EXPECT_EQ(chain_height(node), x);
		node.level = 1;
		set_upper_detail(node, CodeDetail{x, ~x});
		EXPECT_TRUE(code_detail(node).id == x && code_detail(node).generation == ~x);
		node.level = 0;
		node.link = x;
		node.generation = x + 1;
		EXPECT_TRUE(code_detail(node).id == x && code_detail(node).generation == x + 1);
	}
}

/* --- ivf --- */

constexpr IvfOptions kIvfOptions[] = {
	{Quantizer::rabitq, Rerank::none, 0, 0},  {Quantizer::rabitq, Rerank::sq8, 0, 0},
	{Quantizer::rabitq, Rerank::half, 0, 0},  {Quantizer::rabitq, Rerank::heap, 0, 0},
	{Quantizer::rabitq4, Rerank::none, 0, 0}, {Quantizer::sq8, Rerank::none, 0, 0},
	{Quantizer::half, Rerank::none, 0, 0},    {Quantizer::none, Rerank::none, 0, 0},
	{Quantizer::bit, Rerank::none, 0, 0},     {Quantizer::pq, Rerank::none, 0, 4},
	{Quantizer::pq, Rerank::sq8, 0, 4},       {Quantizer::pq, Rerank::half, 0, 8},
	{Quantizer::pq, Rerank::heap, 0, 8},
};

void
check_ivf_shape(const IvfShape &s, std::uint32_t dims)
{
	EXPECT_EQ(s.dimensions, dims);
	EXPECT_EQ(s.code_dims, (dims + 15) / 16 * 16);
	/* A block: parts in order, aligned for what they hold. */
	const bool coded = s.codes != Codes::none;
	EXPECT_EQ(s.tids_offset, coded ? sizeof(BlockHeader) : kBareBlockHeaderBytes);
	EXPECT_EQ(s.codes_offset, s.tids_offset + kLanes * sizeof(RowTid));
	EXPECT_EQ(s.codes_offset % 16, 0u);
	EXPECT_EQ(s.block_bytes % 16, 0u);
	EXPECT_EQ(s.block_bytes - s.codes_offset, s.segments * (s.codes == Codes::pq8 ? 32u : 16u));
	EXPECT_EQ(s.segments > 0, coded);
	if (s.codes == Codes::sign || s.codes == Codes::pq4)
		EXPECT_EQ(s.segments % 4, 0u);
	EXPECT_EQ(s.sign_dims, s.codes == Codes::sign ? 4 * s.segments : 0);
	EXPECT_EQ(s.sign_dims % 16, 0u);
	/* The list page. */
	EXPECT_GE(s.blocks_per_page, 1u);
	EXPECT_EQ(s.lanes_per_page, kLanes * s.blocks_per_page);
	EXPECT_EQ(s.first_block % 16, 0u);
	EXPECT_GE(s.first_block, kPageHeaderBytes + sizeof(ListHeader) + 4 * s.slot_pages);
	EXPECT_LE(s.block_offset(s.blocks_per_page - 1) + s.block_bytes, kPageBytes - kPageTrailerBytes);
	/* The slots of all lanes: each its own place, within what the list page can point to. */
	if (s.slots == Slots::none)
	{
		EXPECT_EQ(s.slot_bytes + s.slots_per_page + s.pages_per_slot + s.slot_pages, 0u);
		return;
	}
	EXPECT_EQ(s.slot_bytes % 4, 0u);
	EXPECT_GT(s.slot_bytes, sizeof(SlotHeader));
	EXPECT_GE(s.slots_per_page, 1u);
	EXPECT_TRUE(s.slots_per_page == 1 || s.pages_per_slot == 1);
	EXPECT_GE(s.pages_per_slot * kSlotPartBytes, s.slot_bytes);
	EXPECT_LT((s.pages_per_slot - 1) * kSlotPartBytes, s.slot_bytes);
	const std::uint32_t last = s.lanes_per_page - 1;
	EXPECT_EQ(s.slot_page_of(last) + s.pages_per_slot, s.slot_pages);
	for (std::uint32_t lane : {0u, 1u, s.slots_per_page - 1, s.slots_per_page, last})
	{
		if (lane > last)
			continue;
		EXPECT_EQ(s.slot_page_of(lane), lane / s.slots_per_page * s.pages_per_slot);
		EXPECT_EQ(s.slot_offset(lane) % 4, 0u);
		if (s.pages_per_slot == 1)
			EXPECT_LE(s.slot_offset(lane) + s.slot_bytes, kPageBytes - kPageTrailerBytes);
		else
			EXPECT_EQ(s.slot_offset(lane), kPageHeaderBytes);
	}
}

TEST(Layout, IvfShapesFitForAllDimensions)
{
	for (IvfOptions options : kIvfOptions)
	{
		const bool bits = options.quantizer == Quantizer::bit;
		const std::uint32_t most = bits ? 64000 : kMaxDimensions;
		for (std::uint32_t dims = 1; dims <= most; dims += dims < 300 || dims % 16 == 0 ? 1 : 15)
		{
			IvfOptions resolved = options;
			const std::uint32_t padded = (dims + 15) / 16 * 16;
			auto metric = bits ? distance::Metric::hamming : distance::Metric::l2;
			ASSERT_EQ(resolve_options(resolved, metric, padded, false), nullptr);
			IvfShape s;
			ASSERT_TRUE(ivf_shape(dims, resolved, s)) << dims;
			check_ivf_shape(s, dims);
			const bool reranked = resolved.rerank == Rerank::sq8 || resolved.rerank == Rerank::half;
			EXPECT_EQ(s.slots != Slots::none, resolved.quantizer >= Quantizer::half || reranked ||
												  resolved.quantizer == Quantizer::sq8 ||
												  resolved.quantizer == Quantizer::rabitq4);
			if (testing::Test::HasFailure())
				FAIL() << "dimensions " << dims << " quantizer " << static_cast<int>(options.quantizer) << " rerank "
					   << static_cast<int>(options.rerank);
		}
	}
	for (std::uint32_t dims = 16; dims <= 64000; dims += 16)
	{
		IvfShape s = directory_shape(dims);
		check_ivf_shape(s, dims);
		EXPECT_EQ(s.slots, Slots::float32);
		EXPECT_EQ(s.slot_bytes, sizeof(SlotHeader) + 4 * dims);
		ASSERT_FALSE(testing::Test::HasFailure()) << dims;
	}
}

TEST(Layout, IvfOptionsAreChosen)
{
	auto resolve = [](IvfOptions o, distance::Metric metric, std::uint32_t dims, bool flat) {
		const char *wrong = resolve_options(o, metric, dims, flat);
		EXPECT_EQ(wrong, nullptr);
		return o;
	};
	const IvfOptions none = {Quantizer::automatic, Rerank::automatic, 0, 4};
	using distance::Metric;
	EXPECT_EQ(resolve(none, Metric::l2, 128, false).quantizer, Quantizer::rabitq);
	EXPECT_EQ(resolve(none, Metric::l2, 128, false).rerank, Rerank::sq8);
	EXPECT_EQ(resolve(none, Metric::l1, 128, false).quantizer, Quantizer::sq8);
	EXPECT_EQ(resolve(none, Metric::l1, 128, false).rerank, Rerank::none);
	EXPECT_EQ(resolve(none, Metric::l2, 128, true).quantizer, Quantizer::none);
	EXPECT_EQ(resolve(none, Metric::hamming, 128, true).quantizer, Quantizer::bit);
	/* Nothing is kept of options that do not count. */
	EXPECT_EQ(resolve({Quantizer::sq8, Rerank::heap, 7, 8}, Metric::l2, 128, false).pq_segments, 0u);
	EXPECT_EQ(resolve({Quantizer::sq8, Rerank::heap, 7, 8}, Metric::l2, 128, false).pq_bits, 0u);

	EXPECT_EQ(resolve({Quantizer::pq, Rerank::automatic, 0, 4}, Metric::l2, 112, false).pq_segments, 28u);
	EXPECT_EQ(resolve({Quantizer::pq, Rerank::automatic, 0, 8}, Metric::l2, 112, false).pq_segments, 14u);
	EXPECT_EQ(resolve({Quantizer::pq, Rerank::automatic, 9, 4}, Metric::l2, 112, false).pq_segments, 12u);
	EXPECT_EQ(resolve({Quantizer::pq, Rerank::automatic, 9, 8}, Metric::l2, 112, false).pq_segments, 9u);
	EXPECT_EQ(resolve({Quantizer::pq, Rerank::automatic, 0, 4}, Metric::l2, 16000, false).pq_segments, kMaxPq4Segments);
	EXPECT_EQ(resolve({Quantizer::pq, Rerank::automatic, 0, 8}, Metric::l2, 16000, false).pq_segments, kMaxPq8Segments);

	auto fails = [](IvfOptions o, distance::Metric metric) {
		return resolve_options(o, metric, 112, false) != nullptr;
	};
	for (Quantizer q : {Quantizer::rabitq, Quantizer::rabitq4, Quantizer::pq})
		EXPECT_TRUE(fails({q, Rerank::automatic, 0, 4}, Metric::l1));
	for (Quantizer q : {Quantizer::rabitq4, Quantizer::sq8, Quantizer::half, Quantizer::none})
	{
		EXPECT_TRUE(fails({q, Rerank::sq8, 0, 4}, Metric::l2));
		EXPECT_TRUE(fails({q, Rerank::half, 0, 4}, Metric::l2));
		EXPECT_FALSE(fails({q, Rerank::heap, 0, 4}, Metric::l2));
	}
	EXPECT_TRUE(fails({Quantizer::pq, Rerank::automatic, 113, 8}, Metric::l2));
	EXPECT_TRUE(fails({Quantizer::pq, Rerank::automatic, 460, 4}, Metric::l2));
	EXPECT_TRUE(fails({Quantizer::rabitq, Rerank::automatic, 0, 4}, Metric::hamming));
	EXPECT_TRUE(fails({Quantizer::automatic, Rerank::sq8, 0, 4}, Metric::hamming));
}

IvfMeta
good_ivf_meta(IvfOptions options)
{
	EXPECT_EQ(resolve_options(options, distance::Metric::l2, 112, false), nullptr);
	IvfMeta meta = {};
	meta.magic = kIvfMagic;
	meta.version = kIvfVersion;
	meta.min_reader_version = kIvfMinReaderVersion;
	meta.dimensions = 100;
	meta.metric = 1;
	meta.element_type = 1;
	meta.quantizer = static_cast<std::uint8_t>(options.quantizer);
	meta.rerank = static_cast<std::uint8_t>(options.rerank);
	meta.pq_segments = static_cast<std::uint16_t>(options.pq_segments);
	meta.pq_bits = static_cast<std::uint8_t>(options.pq_bits);
	meta.mean_block = kNoBlock;
	meta.codebook_block = options.quantizer == Quantizer::pq ? 3 : kNoBlock;
	meta.directory = 1;
	return meta;
}

TEST(Layout, IvfMetapagesAreChecked)
{
	constexpr std::uint32_t kBlocks = 10;
	IvfShape s;
	for (IvfOptions options : kIvfOptions)
		if (options.quantizer != Quantizer::bit)
		{
			IvfMeta good = good_ivf_meta(options);
			EXPECT_TRUE(check_meta(good, kBlocks, s).ok()) << static_cast<int>(options.quantizer);
			check_ivf_shape(s, 100);
		}
	auto code = [&](IvfOptions options, auto damage) {
		IvfMeta meta = good_ivf_meta(options);
		damage(meta);
		return check_meta(meta, kBlocks, s).code;
	};
	const IvfOptions plain = kIvfOptions[0], pq4 = {Quantizer::pq, Rerank::none, 0, 4},
					 pq8 = {Quantizer::pq, Rerank::none, 0, 8};
	EXPECT_EQ(code(plain, [](IvfMeta &m) { m.magic++; }), Code::corrupt);
	EXPECT_EQ(code(plain, [](IvfMeta &m) { m.min_reader_version = kIvfVersion + 1; }), Code::limit_exceeded);
	EXPECT_EQ(code(plain, [](IvfMeta &m) { m.version = kIvfVersion + 1; }), Code::ok);
	for (std::uint32_t dims : {0u, 64001u, 0x80000000u, 0xffffffffu})
		EXPECT_EQ(code(plain, [dims](IvfMeta &m) { m.dimensions = dims; }), Code::corrupt);
	for (int metric : {0, 7, 255})
		EXPECT_EQ(code(plain, [metric](IvfMeta &m) { m.metric = static_cast<std::uint8_t>(metric); }), Code::corrupt);
	for (int quantizer : {0, 8, 255})
		EXPECT_EQ(code(plain, [quantizer](IvfMeta &m) { m.quantizer = static_cast<std::uint8_t>(quantizer); }),
				  Code::corrupt);
	for (std::uint32_t block : {0u, kBlocks, kNoBlock})
		EXPECT_EQ(code(plain, [block](IvfMeta &m) { m.directory = block; }), Code::corrupt);
	EXPECT_EQ(code(plain, [](IvfMeta &m) { m.mean_block = kBlocks; }), Code::corrupt);
	EXPECT_EQ(code(plain, [](IvfMeta &m) { m.mean_block = kBlocks - 1; }), Code::ok);
	EXPECT_EQ(code(pq4, [](IvfMeta &m) { m.codebook_block = kBlocks; }), Code::corrupt);
	for (int bits : {0, 1, 5, 16})
		EXPECT_EQ(code(pq4, [bits](IvfMeta &m) { m.pq_bits = static_cast<std::uint8_t>(bits); }), Code::corrupt);
	for (int segments : {0, 3, 30, 116, 65535})
		EXPECT_EQ(code(pq4, [segments](IvfMeta &m) { m.pq_segments = static_cast<std::uint16_t>(segments); }),
				  Code::corrupt)
			<< segments;
	for (int segments : {0, 113, 65535})
		EXPECT_EQ(code(pq8, [segments](IvfMeta &m) { m.pq_segments = static_cast<std::uint16_t>(segments); }),
				  Code::corrupt)
			<< segments;
	const IvfOptions heap = {Quantizer::rabitq, Rerank::heap, 0, 0};
	auto sparse = [](std::uint32_t dimensions, std::uint32_t sketch) {
		return [=](IvfMeta &m) {
			m.element_type = static_cast<std::uint8_t>(ElementType::sparse);
			m.dimensions = dimensions;
			m.sketch_dims = sketch;
		};
	};
	EXPECT_EQ(code(heap, sparse(1000000000, kSketchDims)), Code::ok);
	EXPECT_EQ(s.code_dims, kSketchDims);
	EXPECT_EQ(code(heap, sparse(5, 5)), Code::ok);
	EXPECT_EQ(code(heap, sparse(1000000001, kSketchDims)), Code::corrupt);
	EXPECT_EQ(code(heap, sparse(30000, 0)), Code::corrupt);
	EXPECT_EQ(code(heap, sparse(30000, 30000)), Code::corrupt);
	EXPECT_EQ(code(plain, sparse(30000, kSketchDims)), Code::corrupt);
	EXPECT_EQ(code(heap, [](IvfMeta &m) { m.sketch_dims = 100; }), Code::corrupt);
	IvfShape shape;
	ASSERT_TRUE(ivf_shape(100, plain, shape));
	ListHeader h = {};
	h.blocks = static_cast<std::uint16_t>(shape.blocks_per_page);
	EXPECT_EQ(check_list_header(h, shape), nullptr);
	h.blocks++;
	EXPECT_NE(check_list_header(h, shape), nullptr);
}

TEST(Layout, NumberOfListsGrowsWithRows)
{
	EXPECT_EQ(choose_lists(0), 1u);
	EXPECT_EQ(choose_lists(kRowsPerList), 1u);
	EXPECT_EQ(choose_lists(1000 * kRowsPerList), 1000u);
	std::uint32_t before = 0;
	for (std::uint64_t rows = 1; rows < 1ull << 40; rows = rows * 5 / 4 + 1)
	{
		std::uint32_t lists = choose_lists(rows);
		EXPECT_GE(lists, before);
		before = lists;
	}
	/* A quarter of a billion rows: four times as many for sixteen times the rows. */
	EXPECT_NEAR(choose_lists(std::uint64_t{16384} * kRowsPerList * 16), 4 * 16384, 1);
}

TEST(Layout, RowTidsRoundTrip)
{
	for (std::uint32_t block : {0u, 1u, 65535u, 65536u, 0x12345678u, 0xfffffffeu})
	{
		RowTid tid = make_tid(block, 291);
		EXPECT_EQ(tid_block(tid), block);
		EXPECT_EQ(tid.offset, 291);
		EXPECT_EQ(tid, make_tid(block, 291));
		EXPECT_FALSE(tid == make_tid(block, 292));
	}
}

struct Field
{
	std::size_t offset, bytes;
	std::string name;
};

struct Table
{
	const char *name;
	std::size_t bytes;
	std::vector<Field> fields;
};

#define FIELD(type, field) \
	Field \
	{ \
		offsetof(type, field), sizeof(type::field), #field \
	}

std::vector<Table>
tables()
{
	return {
		{"PageTrailer",
		 sizeof(PageTrailer),
		 {FIELD(PageTrailer, kind), FIELD(PageTrailer, used), FIELD(PageTrailer, crc), FIELD(PageTrailer, owner),
		  FIELD(PageTrailer, reserved2), FIELD(PageTrailer, page_id)}},
		{"HnswMeta",
		 sizeof(HnswMeta),
		 {FIELD(HnswMeta, magic),
		  FIELD(HnswMeta, version),
		  FIELD(HnswMeta, min_reader_version),
		  FIELD(HnswMeta, dimensions),
		  FIELD(HnswMeta, code_dims),
		  FIELD(HnswMeta, metric),
		  FIELD(HnswMeta, layout),
		  FIELD(HnswMeta, precision),
		  FIELD(HnswMeta, element_type),
		  FIELD(HnswMeta, m),
		  FIELD(HnswMeta, ef_construction),
		  FIELD(HnswMeta, lanes),
		  FIELD(HnswMeta, slot_bytes),
		  FIELD(HnswMeta, slots_per_page),
		  FIELD(HnswMeta, first_slot),
		  FIELD(HnswMeta, details_per_page),
		  FIELD(HnswMeta, mean_pages),
		  FIELD(HnswMeta, mean_block),
		  FIELD(HnswMeta, rotation_seed),
		  FIELD(HnswMeta, build_id),
		  FIELD(HnswMeta, rows_at_build),
		  FIELD(HnswMeta, build_milliseconds),
		  FIELD(HnswMeta, entry_id),
		  FIELD(HnswMeta, entry_level),
		  FIELD(HnswMeta, open_detail_block),
		  FIELD(HnswMeta, open_node_block),
		  FIELD(HnswMeta, sign_dims),
		  FIELD(HnswMeta, self_dims),
		  FIELD(HnswMeta, crc),
		  FIELD(HnswMeta, reserved1)}},
		{"NodeHeader",
		 sizeof(NodeHeader),
		 {FIELD(NodeHeader, state), FIELD(NodeHeader, level), FIELD(NodeHeader, lane_count), FIELD(NodeHeader, flags),
		  FIELD(NodeHeader, generation), FIELD(NodeHeader, tid_block_hi), FIELD(NodeHeader, tid_block_lo),
		  FIELD(NodeHeader, tid_offset), FIELD(NodeHeader, add_exponent), FIELD(NodeHeader, mul_exponent),
		  FIELD(NodeHeader, duplicates), FIELD(NodeHeader, link), FIELD(NodeHeader, scale), FIELD(NodeHeader, bias),
		  FIELD(NodeHeader, norm2), FIELD(NodeHeader, error), FIELD(NodeHeader, refined_error),
		  FIELD(NodeHeader, crc)}},
		{"IvfMeta",
		 sizeof(IvfMeta),
		 {FIELD(IvfMeta, magic),
		  FIELD(IvfMeta, version),
		  FIELD(IvfMeta, min_reader_version),
		  FIELD(IvfMeta, dimensions),
		  FIELD(IvfMeta, metric),
		  FIELD(IvfMeta, element_type),
		  FIELD(IvfMeta, quantizer),
		  FIELD(IvfMeta, rerank),
		  FIELD(IvfMeta, pq_segments),
		  FIELD(IvfMeta, pq_bits),
		  FIELD(IvfMeta, reserved1),
		  FIELD(IvfMeta, lists_wanted),
		  FIELD(IvfMeta, rotation_seed),
		  FIELD(IvfMeta, build_id),
		  FIELD(IvfMeta, mean_block),
		  FIELD(IvfMeta, codebook_block),
		  FIELD(IvfMeta, directory),
		  FIELD(IvfMeta, directory_version),
		  FIELD(IvfMeta, list_count),
		  FIELD(IvfMeta, next_list_id),
		  FIELD(IvfMeta, rows_at_build),
		  FIELD(IvfMeta, build_milliseconds),
		  FIELD(IvfMeta, trained_lists),
		  FIELD(IvfMeta, probes),
		  FIELD(IvfMeta, splits),
		  FIELD(IvfMeta, code_deviation),
		  FIELD(IvfMeta, sketch_dims),
		  FIELD(IvfMeta, reserved2),
		  FIELD(IvfMeta, crc)}},
		{"ListHeader",
		 sizeof(ListHeader),
		 {FIELD(ListHeader, list_id), FIELD(ListHeader, next), FIELD(ListHeader, head), FIELD(ListHeader, insert_block),
		  FIELD(ListHeader, flags), FIELD(ListHeader, blocks), FIELD(ListHeader, residual2), FIELD(ListHeader, rows),
		  FIELD(ListHeader, reserved), FIELD(ListHeader, gone_xid)}},
		{"BlockHeader",
		 sizeof(BlockHeader),
		 {FIELD(BlockHeader, live), FIELD(BlockHeader, add_scale), FIELD(BlockHeader, mul_scale),
		  FIELD(BlockHeader, reserved), FIELD(BlockHeader, add), FIELD(BlockHeader, mul)}},
		{"SlotHeader",
		 sizeof(SlotHeader),
		 {FIELD(SlotHeader, scale), FIELD(SlotHeader, bias), FIELD(SlotHeader, norm2), FIELD(SlotHeader, error),
		  FIELD(SlotHeader, centre_product), FIELD(SlotHeader, crc), FIELD(SlotHeader, tid),
		  FIELD(SlotHeader, refined)}},
	};
}

/* docs/internals/on-disk-format.md has each field at its place, and no others. */
TEST(Layout, FormatPageHasTheSameBytes)
{
	std::filesystem::path page = std::filesystem::path(__FILE__).parent_path() /
								 "../../docs/internals/on-disk-format.md";
	std::ifstream file(page);
	ASSERT_TRUE(file.good()) << page;
	std::stringstream text;
	text << file.rdbuf();
	for (const Table &table : tables())
	{
		SCOPED_TRACE(table.name);
		std::string title = std::string("### `")
								.append(table.name)
								.append("`: ")
								.append(std::to_string(table.bytes))
								.append(" bytes\n");
		std::size_t start = text.str().find(title);
		ASSERT_NE(start, std::string::npos) << "no heading " << title;
		std::istringstream lines(text.str().substr(start + title.size()));
		std::vector<Field> documented;
		std::string line;
		while (std::getline(lines, line) && line.rfind("#", 0) != 0)
		{
			std::size_t offset, bytes;
			char name[64];
			if (std::sscanf(line.c_str(), "| %zu | %zu | `%63[a-z0-9_]` |", &offset, &bytes, name) == 3)
				documented.push_back(Field{offset, bytes, name});
		}
		ASSERT_EQ(documented.size(), table.fields.size());
		std::size_t end = 0;
		for (std::size_t i = 0; i < documented.size(); i++)
		{
			EXPECT_EQ(documented[i].name, table.fields[i].name);
			EXPECT_EQ(documented[i].offset, table.fields[i].offset) << documented[i].name;
			EXPECT_EQ(documented[i].bytes, table.fields[i].bytes) << documented[i].name;
			/* No padding between fields, so this list has them all. */
			EXPECT_EQ(table.fields[i].offset, end) << table.fields[i].name;
			end += table.fields[i].bytes;
		}
		EXPECT_EQ(end, table.bytes);
	}
}

}  // namespace
