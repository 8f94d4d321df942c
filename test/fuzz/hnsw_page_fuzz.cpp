/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the pages of an hnsw index: whatever the bytes, a metapage is refused or gives a geometry in which every slot,
 * lane, TID, block and detail that passes its check lies inside the page (a heap block of 8 KB, guarded by ASan).
 *
 * Input: byte 0: 0 = a raw metapage follows (88 bytes), else one is made from 8 bytes of options; then the page.
 */
#include "vecdb/layout/hnsw_page.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace vecdb::core;
using namespace vecdb::core::layout;

static void
require(bool condition)
{
	if (!condition)
		std::abort();
}

static unsigned sink;

static void
touch(const unsigned char *from, std::size_t bytes)
{
	for (std::size_t i = 0; i < bytes; i++)
		sink += from[i];
}

/* A metapage that agrees with itself, from a few bytes, so that the fuzzer gets past the geometry. */
static HnswMeta
made_meta(const std::uint8_t *b)
{
	HnswMeta meta;
	std::memset(&meta, 0, sizeof meta);
	meta.magic = kHnswMagic;
	meta.version = meta.min_reader_version = 1;
	meta.dimensions = static_cast<std::uint32_t>(b[0] | b[1] << 8) % 16010;
	meta.layout = static_cast<std::uint8_t>(1 + b[2] % 2);
	meta.precision = b[2] & 2 ? 16 : 8;
	meta.metric = static_cast<std::uint8_t>(1 + b[3] % 4);
	meta.element_type = static_cast<std::uint8_t>(1 + b[3] / 4 % 5);
	auto type = static_cast<ElementType>(meta.element_type);
	if (is_exact(type))
	{
		meta.layout = static_cast<std::uint8_t>(Layout::compact);
		meta.precision = 0;
		meta.dimensions *= 1u + b[5] * 256u;
	}
	if (type == ElementType::bit)
		meta.metric = static_cast<std::uint8_t>(5 + b[3] % 2);
	if (type == ElementType::sparse)
		meta.self_dims = static_cast<std::uint16_t>(b[6] % 64 * kSparseBlockBytes);
	meta.m = static_cast<std::uint16_t>(2 + b[4] % 99);
	meta.ef_construction = 64;
	HnswShape s;
	if (hnsw_shape(meta.dimensions, shape_options(meta), s))
	{
		meta.code_dims = s.code_dims;
		meta.lanes = static_cast<std::uint16_t>(s.lanes);
		meta.slot_bytes = static_cast<std::uint16_t>(s.slot_bytes);
		meta.slots_per_page = static_cast<std::uint16_t>(s.slots_per_page);
		meta.first_slot = static_cast<std::uint16_t>(s.first_slot);
		meta.details_per_page = static_cast<std::uint16_t>(s.details_per_page);
		meta.sign_dims = static_cast<std::uint16_t>(s.sign_dims);
		meta.self_dims = static_cast<std::uint16_t>(s.self_dims);
	}
	meta.entry_id = kInvalidId;
	return meta;
}

static void
read_slot(const unsigned char *page, const HnswShape &s, std::uint32_t slot, std::uint32_t blocks)
{
	const unsigned char *at = page + s.slot_offset(s.slots_per_page + slot);
	require(reinterpret_cast<std::uintptr_t>(at) % alignof(NodeHeader) == 0);
	NodeHeader node;
	std::memcpy(static_cast<void *>(&node), at, sizeof node);
	if (check_node(node, s) != nullptr)
		return;
	if (node.state == static_cast<std::uint8_t>(NodeState::duplicate))
	{
		touch(at + sizeof node, node.lane_count * kTidBytes);
		NodeHeader copy = node;
		set_chain_height(copy, chain_height(node));
		require(std::memcmp(&copy, &node, sizeof copy) == 0);
		return;
	}
	touch(at + sizeof node, s.self_dims);
	require(s.code_bytes(node) <= s.code_dims && s.slot_code_bytes(node) <= s.self_dims);
	require(s.slot_code_bytes(node) + s.chain_links(s.code_bytes(node)) * kLinkBytes >= s.code_bytes(node) ||
			!s.sparse());
	for (std::uint32_t i = 0; i < node.lane_count; i++)
	{
		std::uint32_t id;
		std::memcpy(&id, at + s.lanes_offset + 4 * i, sizeof id);
		if (!valid_id(id, s, blocks))
			continue;
		require(s.block_of(id) > 0 && s.block_of(id) < blocks);
		touch(page + s.slot_offset(id), s.slot_bytes);
	}
	for (std::uint32_t block = 0; block < s.blocks; block++)
		touch(at + s.block_offset + block * s.block_bytes, s.block_bytes);
	CodeDetail detail = code_detail(node);
	if (!valid_detail(detail.id, s, blocks))
		return;
	require(s.detail_block_of(detail.id) + s.detail_pages <= blocks);
	for (std::uint32_t part = 0; part < s.detail_pages; part++)
		touch(page + s.detail_offset(detail.id), s.sparse() ? s.detail_bytes : s.part_bytes(part) + 4);
}

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size < 16)
		return 0;
	HnswMeta meta;
	std::uint32_t blocks = 1 + data[1] % 64u;
	std::size_t used = 16;
	if (data[0] == 0)
	{
		if (size < 2 + sizeof meta)
			return 0;
		std::memcpy(&meta, data + 2, sizeof meta);
		used = 2 + sizeof meta;
	}
	else
		meta = made_meta(data + 2);
	HnswShape s;
	Status status = check_meta(meta, blocks, s);
	require(status.ok() == (status.message[0] == '\0'));
	if (!status.ok())
		return 0;
	require(s.slots_per_page > 0 && s.first_slot >= kPageHeaderBytes);
	require(meta.mean_pages == 0 || meta.mean_block + meta.mean_pages <= blocks);

	auto page = std::make_unique<unsigned char[]>(kPageBytes);
	std::memset(page.get(), 0, kPageBytes);
	std::memcpy(page.get() + kPageHeaderBytes, data + used,
				std::min<std::size_t>(size - used, kPageBytes - kPageHeaderBytes));
	PageTrailer trailer;
	std::memcpy(&trailer, page.get() + kPageBytes - kPageTrailerBytes, sizeof trailer);
	sink += trailer.kind;
	for (std::uint32_t slot = 0; slot < s.slots_per_page; slot++)
		read_slot(page.get(), s, slot, blocks);
	return 0;
}
