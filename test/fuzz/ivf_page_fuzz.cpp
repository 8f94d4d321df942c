/* SPDX-License-Identifier: PostgreSQL
 * Fuzz the pages of an ivf index: whatever the bytes, a metapage is refused or gives shapes of lists and directory in which every
 * block, lane and slot of a list page that passes its check lies inside its page (a heap block of 8 KB, guarded by ASan);
 * slots of any bytes are decoded, blocks of any bytes take rows, and what was put there is there.
 *
 * Input: byte 0: 0 = a raw metapage follows (128 bytes), else one is made from 8 bytes of options; then the page.
 */
#include "vecdb/layout/ivf_page.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "vecdb/lists/list_codec.hpp"

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

/* A metapage that agrees with itself, from a few bytes, so that the fuzzer gets past the options. */
static IvfMeta
made_meta(const std::uint8_t *b)
{
	IvfMeta meta;
	std::memset(static_cast<void *>(&meta), 0, sizeof meta);
	meta.magic = kIvfMagic;
	meta.version = meta.min_reader_version = 1;
	meta.dimensions = static_cast<std::uint32_t>(b[0] | b[1] << 8) % 64010;
	meta.metric = static_cast<std::uint8_t>(1 + b[2] % 6);
	meta.element_type = 1;
	IvfOptions options{static_cast<Quantizer>(b[3] % 8), static_cast<Rerank>(b[4] % 5), b[5], b[6] & 1 ? 8u : 4u};
	bool flat = (b[6] & 2) != 0;
	if (resolve_options(options, static_cast<distance::Metric>(meta.metric), (meta.dimensions + 15) / 16 * 16, flat) ==
		nullptr)
	{
		meta.quantizer = static_cast<std::uint8_t>(options.quantizer);
		meta.rerank = static_cast<std::uint8_t>(options.rerank);
		meta.pq_segments = static_cast<std::uint16_t>(options.pq_segments);
		meta.pq_bits = static_cast<std::uint8_t>(options.pq_bits);
	}
	meta.mean_block = meta.codebook_block = kNoBlock;
	meta.directory = 1;
	return meta;
}

static std::unique_ptr<unsigned char[]>
page_of(const std::uint8_t *data, std::size_t size)
{
	auto page = std::make_unique<unsigned char[]>(kPageBytes);
	std::memset(page.get(), 0, kPageBytes);
	std::memcpy(page.get() + kPageHeaderBytes, data, std::min<std::size_t>(size, kPageBytes - kPageHeaderBytes));
	return page;
}

/* The page taken as a slot page: the slot of the lane, all of its parts from there. */
static void
read_slot(const unsigned char *page, const IvfShape &s, std::uint32_t lane)
{
	std::vector<std::uint8_t> slot(s.slot_bytes + 16);
	for (std::uint32_t part = 0, done = 0; part < s.pages_per_slot; part++)
	{
		std::uint32_t bytes = std::min(s.slot_bytes - done, kSlotPartBytes);
		require(s.slot_offset(lane) + bytes <= kPageBytes - kPageTrailerBytes);
		std::memcpy(slot.data() + done, page + s.slot_offset(lane), bytes);
		done += bytes;
	}
	sink += lists::slot_crc(s, slot.data());
	if (s.slots == Slots::float32 || s.slots == Slots::bits)
		return;
	std::vector<float> residual(s.code_dims);
	lists::decode_slot(s, slot.data(), residual.data());
	touch(reinterpret_cast<unsigned char *>(residual.data()), residual.size() * sizeof(float));
}

/* A row into a lane of a block of any bytes: its TID and codes are there, and those of all other lanes stay. */
static void
write_lane(unsigned char *page, const IvfShape &s, std::uint32_t block, const unsigned char *from)
{
	std::uint8_t *at = page + s.block_offset(block);
	std::vector<std::uint8_t> before(at, at + s.block_bytes), codes(s.segments + 1, from[0]);
	lists::CodedRow row{static_cast<float>(from[1]) * 1e30f, -1.0f / static_cast<float>(1 + from[2]), codes.data(),
						nullptr};
	std::uint32_t lane = from[3] % kLanes;
	RowTid tid = make_tid(77, 5);
	if (s.codes != Codes::pq8)
		for (std::uint8_t &code : codes)
			code &= 15;
	std::uint32_t live = lists::block_header(at)->live;
	lists::put_lane(s, at, lane, row, tid);
	require(lists::block_header(at)->live == (live | 1u << lane));
	require(lists::block_tids(s, at)[lane] == tid);
	for (std::uint32_t i = 0; i < kLanes; i++)
		require(i == lane || std::memcmp(lists::block_tids(s, at) + i,
										 before.data() + s.tids_offset + i * sizeof(RowTid), sizeof(RowTid)) == 0);
	for (std::uint32_t segment = 0; segment < s.segments; segment++)
	{
		const std::uint8_t *now = at + s.codes_offset, *was = before.data() + s.codes_offset;
		if (s.codes == Codes::pq8)
			for (std::uint32_t i = 0; i < kLanes; i++)
				require(now[segment * kLanes + i] == (i == lane ? codes[0] : was[segment * kLanes + i]));
		else
			for (std::uint32_t i = 0; i < kLanes; i++)
			{
				std::uint32_t byte = segment * 16 + i % 16;
				require((now[byte] >> i / 16 * 4 & 15) == (i == lane ? codes[0] : was[byte] >> i / 16 * 4 & 15));
			}
	}
}

static void
read_list_page(const std::uint8_t *data, std::size_t size, const IvfShape &s)
{
	require(s.blocks_per_page > 0 && s.first_block >= kPageHeaderBytes + sizeof(ListHeader) + 4 * s.slot_pages);
	auto page = page_of(data, size);
	ListHeader header;
	std::memcpy(static_cast<void *>(&header), page.get() + kPageHeaderBytes, sizeof header);
	touch(page.get() + kPageHeaderBytes + sizeof header, 4 * s.slot_pages);
	if (check_list_header(header, s) != nullptr)
		return;
	for (std::uint32_t b = 0; b < header.blocks; b++)
	{
		require(s.block_offset(b) % 16 == 0 && s.block_offset(b) + s.block_bytes <= kPageBytes - kPageTrailerBytes);
		touch(page.get() + s.block_offset(b), s.block_bytes);
		if (b == 0 && s.slots != Slots::none)
			for (std::uint32_t lane = 0; lane < kLanes; lane += 31)
			{
				require(s.slot_page_of(lane) + s.pages_per_slot <= s.slot_pages);
				read_slot(page.get(), s, lane);
			}
	}
	if (s.slots != Slots::none)
		require(s.slot_page_of(s.lanes_per_page - 1) + s.pages_per_slot <= s.slot_pages);
	if (size >= 4)
		write_lane(page.get(), s, s.blocks_per_page - 1, data);
}

extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size < 16)
		return 0;
	IvfMeta meta;
	std::uint32_t blocks = 2 + data[1] % 64u;
	std::size_t used = 16;
	if (data[0] == 0)
	{
		if (size < 2 + sizeof meta)
			return 0;
		std::memcpy(static_cast<void *>(&meta), data + 2, sizeof meta);
		used = 2 + sizeof meta;
	}
	else
		meta = made_meta(data + 2);
	IvfShape s;
	Status status = check_meta(meta, blocks, s);
	require(status.ok() == (status.message[0] == '\0'));
	if (!status.ok())
		return 0;
	read_list_page(data + used, size - used, s);
	read_list_page(data + used, size - used, directory_shape(s.code_dims));
	return 0;
}
