/* SPDX-License-Identifier: PostgreSQL
 * On-disk layout of the HNSW access method: metapage, node slots, detail slots, mean vector pages.
 *
 * Regime: core (no PostgreSQL header; storage/ asserts that the constants match BLCKSZ and friends).
 * Everything read from a page is input: use the check functions below before trusting a field.
 *
 * A page is  24 bytes page header | body (8152 bytes) | 16 bytes PageTrailer.
 *   block 0       HnswMeta
 *   kind node     fixed array of node slots, `slot_bytes` apart, the first at `first_slot`
 *   kind detail   fixed array of detail slots, or one part of a longer detail: the rest of a self code that has no room
 *                 in the slot, then the second code plane (residual of SQ8); a CRC behind each part.
 *                 sparse: links of chains, each next (u32) | kLinkBytes of the code | CRC
 *   kind mean     float32 elements of the mean vector, 2038 a page, in consecutive blocks
 * Node id = block * slots_per_page + slot: the exact address. Detail ids the same way.
 *
 * Node slot:  NodeHeader (48) | self code (its first self_dims bytes) | neighbour ids (lanes x u32) | neighbour codes.
 * The self code is SQ8 of the rotated vector; of a bit string its bytes; of a sparse vector blocks (sparse_code.hpp).
 * The last part is empty in layout `compact`. Layout `fused` keeps there, for each 32 lanes, f_add[32] and f_mul[32] as
 * f16 (to be scaled by 2^add_exponent, 2^mul_exponent of the header) and a block of sign codes (quantizer/sign_codes.hpp).
 */
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "vecdb/base/status.hpp"
#include "vecdb/distance/metric.hpp"

namespace vecdb::core::layout
{

constexpr std::uint32_t kPageBytes = 8192;
constexpr std::uint32_t kPageHeaderBytes = 24;
constexpr std::uint32_t kPageTrailerBytes = 16;
constexpr std::uint32_t kPageBodyBytes = kPageBytes - kPageHeaderBytes - kPageTrailerBytes;

constexpr std::uint32_t kHnswMagic = 0x76644831;  // "vdH1"
/* Version 1: first release. A reader accepts an index whose min_reader_version is at most kHnswVersion. */
constexpr std::uint16_t kHnswVersion = 1;
constexpr std::uint16_t kHnswMinReaderVersion = 1;
constexpr std::uint16_t kHnswPageId = 0xFD48;  // last two bytes of each page, for tools outside

constexpr std::uint32_t kInvalidId = 0xFFFFFFFFu;

constexpr std::uint32_t kMaxDimensions = 16000;  // as of the type vector
constexpr std::uint32_t kMaxBits = 64000;
constexpr std::uint32_t kMaxSparseDimensions = 1000000000;  // as of the type sparsevec
constexpr std::uint32_t kMaxNonzero = 16000;                // of a sparse vector, as of the type
/* A block of a sparse code: so many elements, index and value each. */
constexpr std::uint32_t kSparseBlockElements = 16;
constexpr std::uint32_t kSparseBlockBytes = 8 * kSparseBlockElements;
/* Bytes of a sparse code in a link of its chain: nine links a page. */
constexpr std::uint32_t kLinkBytes = 7 * kSparseBlockBytes;
/* In the slot, of an index of sparse vectors that was begun empty. */
constexpr std::uint32_t kDefaultSparseSelf = 8 * kSparseBlockBytes;
/* No chain is longer: that of the longest code, and as much again for links taken in vain. */
constexpr std::uint32_t kMaxChainLinks = 2 * (kMaxNonzero / kSparseBlockElements * kSparseBlockBytes / kLinkBytes + 1);
/* A detail longer than a page lies in consecutive blocks, this much of it in each but the last. */
constexpr std::uint32_t kPartBytes = (kPageBodyBytes - 4) / 16 * 16;
constexpr std::uint32_t kMaxDetailPages = (2 * kMaxDimensions + kPartBytes - 1) / kPartBytes;

constexpr int kMinM = 2;
constexpr int kMaxM = 100;
constexpr int kDefaultM = 16;
constexpr int kMinEfConstruction = 4;
constexpr int kMaxEfConstruction = 1000;
constexpr int kDefaultEfConstruction = 64;
constexpr int kMaxLevel = 31;

enum class PageKind : std::uint16_t
{
	meta = 1,
	node = 2,
	detail = 3,
	mean = 4,
};

struct PageTrailer
{
	std::uint16_t kind;   // PageKind
	std::uint16_t used;   // detail: slots handed out; node: 0
	std::uint32_t crc;    // mean pages: CRC-32C of the body
	std::uint32_t owner;  // ivf, slot pages: block of the list page that names it; else 0
	std::uint16_t reserved2;
	std::uint16_t page_id;  // kHnswPageId
};
static_assert(sizeof(PageTrailer) == kPageTrailerBytes && std::has_unique_object_representations_v<PageTrailer>);

enum class Layout : std::uint8_t
{
	compact = 1,
	fused = 2,
};

/* The type of the indexed column. */
enum class ElementType : std::uint8_t
{
	float32 = 1,
	half = 2,    // halfvec: a row is its float32 elements
	sparse = 3,  // sparsevec
	bit = 4,     // core type bit
	int8 = 5,    // int8vec: a row is its float32 elements
};

struct HnswMeta
{
	std::uint32_t magic;
	std::uint16_t version;             // that wrote it
	std::uint16_t min_reader_version;  // that can read it
	std::uint32_t dimensions;          // of the column
	std::uint32_t code_dims;           // padded: bytes of a self code; sparse: of the longest that there can be
	std::uint8_t metric;               // distance::Metric
	std::uint8_t layout;               // Layout
	std::uint8_t precision;            // 8 or 16 bits an element; 0: codes are exact (bit, sparse)
	std::uint8_t element_type;         // ElementType
	std::uint16_t m;
	std::uint16_t ef_construction;
	std::uint16_t lanes;  // neighbour ids in a slot: 2 * m
	std::uint16_t slot_bytes;
	std::uint16_t slots_per_page;
	std::uint16_t first_slot;        // byte offset in the page
	std::uint16_t details_per_page;  // 0 without a second plane
	std::uint16_t mean_pages;        // 0: the mean is zero
	std::uint32_t mean_block;        // first of mean_pages consecutive blocks
	std::uint64_t rotation_seed;     // 0: not rotated (L1)
	std::uint64_t build_id;          // random; tells a cached copy from a new index in the same file
	std::uint64_t rows_at_build;
	std::uint32_t build_milliseconds;
	std::uint32_t entry_id;  // top-level slot of the entry point; kInvalidId: empty graph
	std::uint32_t entry_level;
	std::uint32_t open_detail_block;  // detail page with room, 0: none yet
	std::uint32_t open_node_block;    // node page to try first on insert, 0: none yet
	std::uint16_t sign_dims;          // layout fused: dimensions of the neighbour codes; 0 else
	std::uint16_t self_dims;  // bytes of a self code that lie in the slot; the rest of code_dims are in the detail
	std::uint32_t crc;        // CRC-32C of all before it; stays here in later versions
	std::uint32_t reserved1;
};
static_assert(sizeof(HnswMeta) == 96 && offsetof(HnswMeta, crc) == 88 && offsetof(HnswMeta, rotation_seed) == 40 &&
			  offsetof(HnswMeta, entry_id) == 68 && std::has_unique_object_representations_v<HnswMeta>);

enum class NodeState : std::uint8_t
{
	free = 0,  // all-zero pages are pages of free slots
	live = 1,
	dead = 2,       // its rows are gone; still a way point until vacuum has unlinked it
	duplicate = 3,  // holds more TIDs of a node with an equal vector
};

struct NodeHeader
{
	std::uint8_t state;          // NodeState
	std::uint8_t level;          // 0 = base layer; a node of level n has one slot on each layer 0..n
	std::uint8_t lane_count;     // neighbour ids in use, first ones first; duplicate: TIDs in use
	std::uint8_t flags;          // 0
	std::uint32_t generation;    // grows when a slot is used again
	std::uint16_t tid_block_hi;  // tid_block: duplicate: its height in the chain, see chain_height
	std::uint16_t tid_block_lo;
	std::uint16_t tid_offset;  // 0: no TID (upper layer, or the row is gone)
	std::int8_t add_exponent;  // layout fused: of its factors; 0 else. Not covered by crc, like lane_count
	std::int8_t mul_exponent;
	std::uint32_t duplicates;  // slot id of the next `duplicate` slot, or kInvalidId; upper layer: see code_detail
	std::uint32_t link;        // layer 0: detail id or kInvalidId; upper: slot id one layer below; duplicate: owner
	float scale;               // sparse: see code_blocks
	float bias;
	float norm2;  // of the code; bit: bits set
	float error;
	float refined_error;  // upper layer, duplicate: see bound_detail
	std::uint32_t crc;    // CRC-32C of the slot's id, the header up to here (lane_count, exponents as 0) and the code
};
static_assert(sizeof(NodeHeader) == 48 && offsetof(NodeHeader, tid_block_hi) == 8 &&
			  offsetof(NodeHeader, scale) == 24 && offsetof(NodeHeader, crc) == 44);

constexpr std::uint32_t kTidBytes = 6;

/*
 * A slot of duplicates is higher than the next one in its chain, and what is hooked in later is higher than what was
 * there, so a reader that finds its next slot used for something else can begin again and skip what it has read.
 */
inline std::uint32_t
chain_height(const NodeHeader &node) noexcept
{
	return static_cast<std::uint32_t>(node.tid_block_hi) << 16 | node.tid_block_lo;
}

inline void
set_chain_height(NodeHeader &node, std::uint32_t height) noexcept
{
	node.tid_block_hi = static_cast<std::uint16_t>(height >> 16);
	node.tid_block_lo = static_cast<std::uint16_t>(height & 0xffff);
}

/*
 * A slot that was once a base node keeps its detail slot for life. While it serves as something else, the detail id is
 * kept in the bits of refined_error, which only base nodes need. 0: none.
 */
inline std::uint32_t
bound_detail(const NodeHeader &node) noexcept
{
	return std::bit_cast<std::uint32_t>(node.refined_error);
}

inline void
set_bound_detail(NodeHeader &node, std::uint32_t detail) noexcept
{
	node.refined_error = std::bit_cast<float>(detail);
}

/*
 * Where the rest of a node's code lies, if it has no room in the slot: in the detail of its base slot, which the upper
 * slots share. These keep its id in `duplicates` and the base slot's generation in the bits of tid_block.
 */
struct CodeDetail
{
	std::uint32_t id;
	std::uint32_t generation;
};

inline CodeDetail
code_detail(const NodeHeader &node) noexcept
{
	return node.level == 0 ? CodeDetail{node.link, node.generation} : CodeDetail{node.duplicates, chain_height(node)};
}

inline void
set_upper_detail(NodeHeader &node, CodeDetail detail) noexcept
{
	node.duplicates = detail.id;
	set_chain_height(node, detail.generation);
}

/* Blocks of a sparse code: scale and bias are those of SQ8 alone, so the number lies in the bits of scale. */
inline std::uint32_t
code_blocks(const NodeHeader &node) noexcept
{
	return std::bit_cast<std::uint32_t>(node.scale);
}

inline void
set_code_blocks(NodeHeader &node, std::uint32_t blocks) noexcept
{
	node.scale = std::bit_cast<float>(blocks);
	node.bias = 0;
}

inline bool
is_exact(ElementType type) noexcept
{
	return type == ElementType::bit || type == ElementType::sparse;
}

inline std::uint32_t
max_dimensions(ElementType type) noexcept
{
	return type == ElementType::bit ? kMaxBits : type == ElementType::sparse ? kMaxSparseDimensions : kMaxDimensions;
}

/* The geometry that follows from the options: computed once, kept in the metapage, checked on read. */
struct HnswShape
{
	ElementType element_type;
	std::uint32_t dimensions;
	std::uint32_t code_dims;
	std::uint32_t self_dims;      // of the code, so many in the slot
	std::uint32_t tail_bytes;     // the others, in the detail; 0 where the code has room
	std::uint32_t residual_dims;  // code_dims at precision 16, else 0
	std::uint32_t lanes;
	std::uint32_t lanes_offset;  // of the neighbour ids, from the slot's start
	std::uint32_t lanes_bytes;   // ids and neighbour codes
	std::uint32_t blocks;        // layout fused: blocks of 32 lanes; 0 else
	std::uint32_t block_offset;  // of the first block, from the slot's start
	std::uint32_t block_bytes;   // 64 f_add, 64 f_mul, 4 * sign_dims
	std::uint32_t sign_dims;
	std::uint32_t slot_bytes;
	std::uint32_t slots_per_page;
	std::uint32_t first_slot;
	std::uint32_t detail_bytes;  // with its CRC; 0: there are none. In several pages: of a full one
	std::uint32_t details_per_page;
	std::uint32_t detail_pages;  // 1, or more consecutive ones a detail

	std::uint32_t
	block_of(std::uint32_t id) const noexcept
	{
		return id / slots_per_page;
	}
	std::uint32_t
	slot_offset(std::uint32_t id) const noexcept
	{
		return first_slot + (id % slots_per_page) * slot_bytes;
	}
	std::uint32_t
	detail_block_of(std::uint32_t id) const noexcept
	{
		return id / details_per_page;
	}
	std::uint32_t
	detail_offset(std::uint32_t id) const noexcept
	{
		return kPageHeaderBytes + (id % details_per_page) * detail_bytes;
	}
	/* The content of a detail, in parts of a page each: the rest of the code, then the residual. */
	std::uint32_t
	part_bytes(std::uint32_t part) const noexcept
	{
		std::uint32_t left = tail_bytes + residual_dims - part * kPartBytes;
		return left < kPartBytes ? left : kPartBytes;
	}
	/* The first parts, which a search reads. */
	std::uint32_t
	tail_parts() const noexcept
	{
		return (tail_bytes + kPartBytes - 1) / kPartBytes;
	}
	/* Have nodes codes of their own length, which go on in chains? */
	bool
	sparse() const noexcept
	{
		return element_type == ElementType::sparse;
	}
	/* Bytes of the node's code, and of these in the slot. The node has passed check_node. */
	std::uint32_t
	code_bytes(const NodeHeader &node) const noexcept
	{
		return sparse() ? code_blocks(node) * kSparseBlockBytes : code_dims;
	}
	std::uint32_t
	slot_code_bytes(const NodeHeader &node) const noexcept
	{
		std::uint32_t n = code_bytes(node);
		return n < self_dims ? n : self_dims;
	}
	/* The size that code_distance() wants to know. */
	std::uint32_t
	distance_bytes() const noexcept
	{
		return sparse() ? 0 : code_dims;
	}
	/* Links of the chain that a sparse code of so many bytes needs. */
	std::uint32_t
	chain_links(std::uint32_t bytes) const noexcept
	{
		return bytes <= self_dims ? 0 : (bytes - self_dims + kLinkBytes - 1) / kLinkBytes;
	}
	/* TIDs that one `duplicate` slot holds. */
	std::uint32_t
	duplicates_per_slot() const noexcept
	{
		std::uint32_t n = (slot_bytes - static_cast<std::uint32_t>(sizeof(NodeHeader))) / kTidBytes;
		return n < 255 ? n : 255;
	}
};

/* What an index is made of, beside its dimensions; checked where options are read. */
struct ShapeOptions
{
	int m;
	int precision;  // 8 or 16; 0: codes are exact
	Layout layout;
	std::uint32_t sign_dims;  // layout fused: dimensions of the neighbour codes, 0: as many as pay
	ElementType element_type = ElementType::float32;
	std::uint32_t self_dims = 0;  // sparse: bytes of a code in the slot, 0: as of an index begun empty
};

/*
 * Dimensions of the neighbour codes of layout fused, or 0 where they do not fit a page. fixed: bytes of a slot without sign
 * codes; blocks: 32 lanes each. All of them up to 256; beyond that fewer bytes beat fewer hops (about 20 ns a cache line and
 * hop), so the fewest that gain a slot a page, and then what fills it. Not fewer than 0.28 of all, or, from 640 on, where
 * that would make an index larger than 0.7 of the vectors, 1/7.
 */
inline std::uint32_t
choose_sign_dims(std::uint32_t code_dims, std::uint32_t fixed, std::uint32_t blocks) noexcept
{
	auto fitting = [&](std::uint32_t slots) {
		std::uint32_t room = kPageBodyBytes / slots;
		std::uint32_t dims = room <= fixed ? 0 : (room - fixed) / (4 * blocks) / 16 * 16;
		return dims < code_dims ? dims : code_dims;
	};
	std::uint32_t least = code_dims;
	if (code_dims >= 640)
	{
		least = code_dims / 7;
		least = least < 128 ? 128 : least > 208 ? 208 : least;
	}
	else if (code_dims > 256)
	{
		least = code_dims * 28 / 100;
		least = least < 208 ? 208 : least > 304 ? 304 : least;
	}
	for (std::uint32_t slots = 16; slots > 1; slots--)
		if (fitting(slots) >= least)
			return fitting(slots);
	/* One slot a page: use it up. */
	return fitting(1) < 64 && fitting(1) < code_dims ? 0 : fitting(1);
}

/* Dimensions of the neighbour codes of nodes whose own code has no room beside them. */
constexpr std::uint32_t kLongSignDims = 512;

/*
 * A code too long for a slot: how many slots a page, and how much of the code in each? fixed: bytes of a slot without codes.
 * What counts is the pages a row takes, and a quarter of a page for each that a visit reads beside the slot's.
 */
inline void
split_code(HnswShape &shape, std::uint32_t fixed, std::uint32_t wanted_sign_dims) noexcept
{
	std::uint32_t least_cost = 0xFFFFFFFFu;
	std::uint32_t sign_dims = 0;
	if (shape.blocks != 0)
	{
		sign_dims = (kPageBodyBytes - fixed) / (4 * shape.blocks) / 16 * 16;
		std::uint32_t most = wanted_sign_dims != 0 ? wanted_sign_dims : kLongSignDims;
		sign_dims = sign_dims < most ? sign_dims : most;
		fixed += 4 * shape.blocks * sign_dims;
	}
	for (std::uint32_t slots = 1; slots <= kPageBodyBytes / fixed; slots++)
	{
		std::uint32_t self = (kPageBodyBytes / slots - fixed) / 16 * 16;
		std::uint32_t tail = self < shape.code_dims ? shape.code_dims - self : 0;
		std::uint32_t bytes = tail + shape.residual_dims;
		std::uint32_t cost = kPageBodyBytes / slots + (tail + kPartBytes - 1) / kPartBytes * (kPageBodyBytes / 4);
		if (bytes > kPartBytes)
			cost += (bytes + kPartBytes - 1) / kPartBytes * kPageBodyBytes;
		else if (bytes > 0)
			cost += kPageBodyBytes / (kPageBodyBytes / (bytes + 4));
		if (cost < least_cost)
		{
			least_cost = cost;
			shape.self_dims = shape.code_dims - tail;
		}
	}
	shape.sign_dims = sign_dims;
}

/* Bytes of the longest code of a type. */
inline std::uint32_t
longest_code(std::uint32_t dimensions, ElementType type) noexcept
{
	if (type == ElementType::bit)
		return ((dimensions + 7) / 8 + 15) / 16 * 16;
	if (type != ElementType::sparse)
		return (dimensions + 15) / 16 * 16;
	std::uint32_t nonzero = dimensions < kMaxNonzero ? dimensions : kMaxNonzero;
	return (nonzero + kSparseBlockElements - 1) / kSparseBlockElements * kSparseBlockBytes;
}

/* Most bytes of a sparse code that a slot has room for, with so many slots a page. */
inline std::uint32_t
sparse_room(std::uint32_t slots, int m) noexcept
{
	std::uint32_t fixed = static_cast<std::uint32_t>(sizeof(NodeHeader)) + 8 * static_cast<std::uint32_t>(m);
	std::uint32_t room = kPageBodyBytes / slots;
	return room <= fixed ? 0 : (room - fixed) / kSparseBlockBytes * kSparseBlockBytes;
}

/*
 * How much of a sparse code a slot takes, from how many rows have codes of each number of blocks: the bytes of a row's slot and
 * links are counted, and half a page for each page that a visit reads beside the slot's: twice of what split_code says, since long
 * rows are visited more often than others.
 */
inline std::uint32_t
choose_sparse_self(const std::uint64_t *rows_of_blocks, std::uint32_t most_blocks, int m) noexcept
{
	std::uint32_t best = kSparseBlockBytes;
	double least_cost = 1e300;
	for (std::uint32_t slots = 1; sparse_room(slots, m) > 0; slots++)
	{
		HnswShape shape{};
		shape.self_dims = sparse_room(slots, m);
		double cost = 0;
		for (std::uint32_t blocks = 0; blocks <= most_blocks; blocks++)
		{
			std::uint32_t links = shape.chain_links(blocks * kSparseBlockBytes);
			std::uint32_t pages = (links * (kLinkBytes + 8) + kPageBodyBytes - 1) / kPageBodyBytes;
			cost += static_cast<double>(rows_of_blocks[blocks]) *
					(kPageBodyBytes / slots + links * (kLinkBytes + 8) + pages * (kPageBodyBytes / 2));
		}
		if (cost < least_cost)
		{
			least_cost = cost;
			best = shape.self_dims;
		}
	}
	return best;
}

/* Fills shape; false for dimensions that the type does not have, and where no slot fits a page. */
inline bool
hnsw_shape(std::uint32_t dimensions, const ShapeOptions &options, HnswShape &shape) noexcept
{
	shape = HnswShape{};
	shape.element_type = options.element_type;
	if (dimensions == 0 || dimensions > max_dimensions(options.element_type) ||
		(is_exact(options.element_type) && (options.layout != Layout::compact || options.precision != 0)))
		return false;
	shape.dimensions = dimensions;
	shape.code_dims = longest_code(dimensions, options.element_type);
	shape.residual_dims = options.precision == 16 ? shape.code_dims : 0;
	shape.lanes = 2 * static_cast<std::uint32_t>(options.m);
	shape.lanes_bytes = 4 * shape.lanes;
	shape.blocks = options.layout == Layout::fused ? (shape.lanes + 31) / 32 : 0;

	/* The whole code in the slot, unless it has no room, or leaves the neighbours too little of what they could have. */
	std::uint32_t fixed = static_cast<std::uint32_t>(sizeof(NodeHeader)) + shape.lanes_bytes + 128 * shape.blocks;
	shape.self_dims = shape.code_dims;
	if (shape.sparse())
	{
		std::uint32_t self = options.self_dims != 0 ? options.self_dims : kDefaultSparseSelf;
		shape.self_dims = self < shape.code_dims ? self / kSparseBlockBytes * kSparseBlockBytes : shape.code_dims;
	}
	bool whole = shape.sparse() || fixed + shape.code_dims <= kPageBodyBytes;
	std::uint32_t wanted = (options.sign_dims + 15) / 16 * 16;
	wanted = wanted < shape.code_dims ? wanted : shape.code_dims;
	if (whole && shape.blocks != 0 && wanted != 0)
	{
		shape.sign_dims = wanted;
		whole = fixed + shape.code_dims + 4 * shape.blocks * wanted <= kPageBodyBytes;
	}
	else if (whole && shape.blocks != 0)
	{
		shape.sign_dims = choose_sign_dims(shape.code_dims, fixed + shape.code_dims, shape.blocks);
		whole = shape.sign_dims >= 128 || shape.sign_dims == shape.code_dims ||
				(shape.sign_dims != 0 && 2 * shape.sign_dims > (kPageBodyBytes - fixed) / (4 * shape.blocks));
	}
	if (!whole)
		split_code(shape, fixed, wanted);

	shape.tail_bytes = shape.code_dims - shape.self_dims;
	shape.lanes_offset = static_cast<std::uint32_t>(sizeof(NodeHeader)) + shape.self_dims;
	if (shape.blocks != 0)
	{
		shape.block_offset = shape.lanes_offset + shape.lanes_bytes;
		shape.block_bytes = 128 + 4 * shape.sign_dims;
		shape.lanes_bytes += shape.blocks * shape.block_bytes;
	}
	std::uint32_t bytes = shape.lanes_offset + shape.lanes_bytes;
	if (bytes > kPageBodyBytes)
		return false;
	shape.slots_per_page = kPageBodyBytes / bytes;
	shape.slot_bytes = bytes;
	shape.first_slot = kPageHeaderBytes;
	/* Cache-line alignment where it costs no slot. */
	std::uint32_t aligned = (bytes + 63) / 64 * 64;
	if (64 + aligned * shape.slots_per_page <= kPageBytes - kPageTrailerBytes)
	{
		shape.slot_bytes = aligned;
		shape.first_slot = 64;
	}
	std::uint32_t detail = shape.tail_bytes + shape.residual_dims;
	if (shape.sparse() && detail > 0)
	{
		/* A link each: next | part of the code | CRC. */
		shape.detail_pages = 1;
		shape.detail_bytes = kLinkBytes + 8;
		shape.details_per_page = kPageBodyBytes / shape.detail_bytes;
	}
	else if (detail > 0)
	{
		shape.detail_pages = (detail + kPartBytes - 1) / kPartBytes;
		shape.detail_bytes = (shape.detail_pages == 1 ? detail : kPartBytes) + 4;
		shape.details_per_page = kPageBodyBytes / shape.detail_bytes;
	}
	return true;
}

/* The number of coded dimensions is the index's own, whatever choose_sign_dims would say now. */
inline ShapeOptions
shape_options(const HnswMeta &meta) noexcept
{
	auto type = static_cast<ElementType>(meta.element_type);
	return ShapeOptions{meta.m,         meta.precision, static_cast<Layout>(meta.layout),
						meta.sign_dims, type,           type == ElementType::sparse ? meta.self_dims : 0u};
}

/* Is a metapage readable and consistent? `blocks` is the length of the relation. */
inline Status
check_meta(const HnswMeta &meta, std::uint32_t blocks, HnswShape &shape) noexcept
{
	if (meta.magic != kHnswMagic)
		return Status::error(Code::corrupt, "wrong magic number in metapage");
	if (meta.min_reader_version > kHnswVersion)
		return Status::error(Code::limit_exceeded, "index format version %u needs a newer vecdb", meta.version);
	if (meta.element_type < 1 || meta.element_type > 5)
		return Status::error(Code::corrupt, "invalid element type in metapage");
	auto type = static_cast<ElementType>(meta.element_type);
	if (is_exact(type) ? meta.precision != 0 : meta.precision != 8 && meta.precision != 16)
		return Status::error(Code::corrupt, "invalid precision in metapage");
	bool bits = type == ElementType::bit;
	if (meta.m < kMinM || meta.m > kMaxM || meta.lanes != 2 * meta.m || meta.metric < (bits ? 5 : 1) ||
		meta.metric > (bits ? 6 : 4) ||
		(meta.layout != static_cast<std::uint8_t>(Layout::compact) &&
		 meta.layout != static_cast<std::uint8_t>(Layout::fused)) ||
		meta.ef_construction < kMinEfConstruction || meta.ef_construction > kMaxEfConstruction ||
		meta.dimensions > max_dimensions(type))
		return Status::error(Code::corrupt, "invalid options in metapage");
	if (!hnsw_shape(meta.dimensions, shape_options(meta), shape) || shape.sign_dims != meta.sign_dims ||
		shape.slot_bytes != meta.slot_bytes || shape.slots_per_page != meta.slots_per_page ||
		shape.first_slot != meta.first_slot || shape.details_per_page != meta.details_per_page ||
		shape.code_dims != meta.code_dims || shape.self_dims != meta.self_dims)
		return Status::error(Code::corrupt, "inconsistent slot geometry in metapage");
	if (is_exact(type) && (meta.mean_pages != 0 || meta.rotation_seed != 0))
		return Status::error(Code::corrupt, "exact codes with a rotation or mean in metapage");
	std::uint32_t mean_pages = is_exact(type) ? 0 : (meta.dimensions * 4 + kPageBodyBytes - 1) / kPageBodyBytes;
	if (meta.mean_pages != 0 && (meta.mean_pages != mean_pages || meta.mean_block == 0 || meta.mean_block >= blocks ||
								 meta.mean_pages > blocks - meta.mean_block))
		return Status::error(Code::corrupt, "invalid mean vector address in metapage");
	if (meta.entry_id != kInvalidId &&
		(shape.block_of(meta.entry_id) == 0 || shape.block_of(meta.entry_id) >= blocks || meta.entry_level > kMaxLevel))
		return Status::error(Code::corrupt, "invalid entry point in metapage");
	if (meta.open_detail_block >= blocks || meta.open_node_block >= blocks)
		return Status::error(Code::corrupt, "invalid insert position in metapage");
	return Status::success();
}

/* Null when the slot's own bytes are consistent, else what is wrong. Neighbour ids are checked where they are used. */
inline const char *
check_node(const NodeHeader &node, const HnswShape &shape) noexcept
{
	if (node.state > static_cast<std::uint8_t>(NodeState::duplicate))
		return "invalid node state";
	if (node.state == static_cast<std::uint8_t>(NodeState::duplicate))
		return node.lane_count > shape.duplicates_per_slot() ? "invalid count of duplicates" : nullptr;
	if (node.lane_count > shape.lanes)
		return "invalid neighbor count";
	if (node.level > kMaxLevel)
		return "invalid node level";
	if (shape.sparse() && code_blocks(node) > shape.code_dims / kSparseBlockBytes)
		return "invalid code length";
	return nullptr;
}

/* Is id the address of a node slot in a relation of `blocks` blocks? */
inline bool
valid_id(std::uint32_t id, const HnswShape &shape, std::uint32_t blocks) noexcept
{
	/* block_of(id) without the division. */
	return id != kInvalidId && id >= shape.slots_per_page &&
		   id < static_cast<std::uint64_t>(blocks) * shape.slots_per_page;
}

/* Is id the address of a detail in a relation of `blocks` blocks? */
inline bool
valid_detail(std::uint32_t id, const HnswShape &shape, std::uint32_t blocks) noexcept
{
	if (id == kInvalidId || shape.details_per_page == 0)
		return false;
	std::uint32_t block = shape.detail_block_of(id);
	return block != 0 && block < blocks && shape.detail_pages <= blocks - block;
}

}  // namespace vecdb::core::layout
