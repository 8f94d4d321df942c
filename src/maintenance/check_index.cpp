/* SPDX-License-Identifier: PostgreSQL
 * vecdb.check_index(): is an index what it should be? One row for each thing that is not. Here hnsw; ivf: check_ivf.cpp.
 *
 * Regime: shell.
 * Locks:  ShareLock on table and index to the end of the transaction: reads go on, writes and vacuum wait.
 * Memory: a byte a slot and 4 bytes a node; with heap_rows 16 bytes a row more.
 * What is sound: DEAD slots and links to them (a vacuum was interrupted), slots of duplicates that no chain leads to and
 * nodes that nothing leads to (an insert was interrupted), as long as no visible row depends on them. Upper nodes that
 * nothing leads to cost a little speed and are not told.
 */
#include "hnsw/chains.hpp"
#include "hnsw/insert.hpp"
#include "maintenance/check.hpp"

#include <algorithm>
#include <cmath>

#include "pg/report.hpp"

namespace vecdb::maintenance
{

using namespace core::layout;
using core::graph::BeamSearch;
using hnsw::IndexState;

enum CheckName : int
{
	kMetapage,
	kPage,
	kNode,
	kChecksum,
	kDetail,
	kLink,
	kLaneCode,
	kLevel,
	kChain,
	kUnreachable,
	kMissingRow,
	kRepeatedRow,
	kExtraRow,
	kWrongVector,
	kChecks,
};

static const char *const check_names[kChecks] = {
	"metapage", "page",  "node",        "checksum",    "detail",       "link",      "lane_code",
	"level",    "chain", "unreachable", "missing_row", "repeated_row", "extra_row", "wrong_vector"};

/* What a slot is, by id: state in the upper three bits, level below; reached is one of them. */
constexpr uint8 kLevelMask = 0x1f;
constexpr uint8 kStateShift = 5;
constexpr uint8 kReached = 0x80;
static_assert(kMaxLevel <= kLevelMask);

struct IndexedRow
{
	uint64 tid;
	uint32 id;
};

struct Check
{
	OwnIndex own;
	Relation index;
	ReturnSetInfo *result;
	uint32 counts[kChecks];
	HnswMeta meta;
	HnswShape shape;
	BlockNumber blocks;
	uint8 *slots;
	uint64 slot_count;
	uint8 *below;    // bitmap of slots: an upper slot stands on it
	uint8 *details;  // bitmap of detail slots: in use
	uint64 used;     // live and dead nodes
	bool heap_rows;
	IndexedRow *rows;  // by TID, when sorted
	Size row_count, row_capacity;
	char *page;  // a copy of the page looked at
	BufferAccessStrategy strategy;
	IndexState *state;
	hnsw::PageStore store;
	MemoryContext row_context;
	uint8 *code;             // of a node
	hnsw::LaneImage *image;  // layout fused: lanes as they should be; null: not compared
};

static void pg_attribute_printf(4, 5) problem(Check *c, CheckName name, int64 blkno, const char *format, ...)
{
	if (c->counts[name]++ >= kMaxRows)
		return;
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	put_problem(c->result, check_names[name], blkno, text);
}

static bool
get_bit(const uint8 *bits, uint64 i)
{
	return (bits[i / 8] >> (i % 8) & 1) != 0;
}

static void
set_bit(uint8 *bits, uint64 i)
{
	bits[i / 8] = static_cast<uint8>(bits[i / 8] | 1 << (i % 8));
}

static void *
huge(Size bytes)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static NodeState
state_of(const Check *c, uint32 id)
{
	return static_cast<NodeState>(c->slots[id] >> kStateShift & 3);
}

static uint32
level_of(const Check *c, uint32 id)
{
	return c->slots[id] & kLevelMask;
}

static bool
is_node(const Check *c, uint32 id, uint32 level)
{
	return (state_of(c, id) == NodeState::live || state_of(c, id) == NodeState::dead) && level_of(c, id) == level;
}

/* Copies a page to c->page. */
static void
copy_page(Check *c, BlockNumber blkno)
{
	CHECK_FOR_INTERRUPTS();
	Buffer buffer = ReadBufferExtended(c->index, MAIN_FORKNUM, blkno, RBM_NORMAL, c->strategy);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(c->page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
}

/* --- metapage and pages --- */

static bool
check_metapage(Check *c)
{
	c->blocks = RelationGetNumberOfBlocks(c->index);
	if (c->blocks == 0)
	{
		problem(c, kMetapage, 0, "the file is empty");
		return false;
	}
	copy_page(c, 0);
	if (!hnsw::page_is(c->page, PageKind::meta))
	{
		problem(c, kMetapage, 0, "not a metapage of a vecdb hnsw index");
		return false;
	}
	c->meta = *hnsw::page_meta(c->page);
	if (!hnsw::meta_is_sealed(c->meta))
	{
		problem(c, kMetapage, 0, "checksum of the metapage does not match");
		return false;
	}
	core::Status status = check_meta(c->meta, c->blocks, c->shape);
	if (!status.ok())
	{
		problem(c, kMetapage, 0, "%s", status.message);
		return false;
	}
	bool plain = is_exact(c->shape.element_type) || c->meta.metric == static_cast<uint8>(hnsw::Metric::l1);
	if (plain != (c->meta.rotation_seed == 0))
		problem(c, kMetapage, 0, "rotation does not fit the metric");
	return true;
}

/* Node pages return true; what is wrong with others is told. */
static bool
check_page_kind(Check *c, BlockNumber blkno)
{
	bool mean = c->meta.mean_pages != 0 && blkno >= c->meta.mean_block &&
				blkno < c->meta.mean_block + c->meta.mean_pages;
	if (PageIsNew(c->page))
	{
		if (mean)
			problem(c, kPage, blkno, "a page of the mean vector is empty");
		return false;
	}
	auto header = reinterpret_cast<PageHeader>(c->page);
	if (header->pd_special != BLCKSZ - kPageTrailerBytes || header->pd_upper != header->pd_special ||
		header->pd_lower < kPageHeaderBytes || header->pd_lower > header->pd_upper)
		problem(c, kPage, blkno, "invalid page header");
	else if (std::any_of(c->page + header->pd_lower, c->page + header->pd_upper,
						 [](char b) noexcept { return b != 0; }))
		problem(c, kPage, blkno, "data where the page should be empty");
	if (hnsw::page_is(c->page, PageKind::mean))
	{
		if (!mean)
			problem(c, kPage, blkno, "a page of the mean vector out of its place");
		return false;
	}
	if (mean || (!hnsw::page_is(c->page, PageKind::node) && !hnsw::page_is(c->page, PageKind::detail)))
	{
		problem(c, kPage, blkno, "unexpected kind of page: %u", hnsw::page_trailer(c->page)->kind);
		return false;
	}
	if (hnsw::page_is(c->page, PageKind::detail))
	{
		if (hnsw::page_trailer(c->page)->used > c->shape.details_per_page)
			problem(c, kPage, blkno, "invalid number of details: %u", hnsw::page_trailer(c->page)->used);
		return false;
	}
	return true;
}

/* --- slots by themselves --- */

static void
check_slot(Check *c, uint32 id, const NodeHeader *node)
{
	BlockNumber blkno = c->shape.block_of(id);
	const char *fault = check_node(*node, c->shape);
	if (fault != nullptr)
	{
		problem(c, kNode, blkno, "slot %u: %s", id, fault);
		return;
	}
	auto state = static_cast<NodeState>(node->state);
	if (state == NodeState::free)
		return;
	c->slots[id] = static_cast<uint8>(node->state << kStateShift);
	if (node->crc != hnsw::node_crc(node, c->shape, id))
		problem(c, kChecksum, blkno, "slot %u: checksum does not match", id);
	if (state == NodeState::duplicate)
		return;
	c->used++;
	c->slots[id] = static_cast<uint8>(c->slots[id] | node->level);
	uint32 limit = node->level == 0 ? c->shape.lanes : c->meta.m;
	if (node->lane_count > limit)
		problem(c, kNode, blkno, "slot %u: %u links on level %u, at most %u are allowed", id, node->lane_count,
				node->level, limit);
	if (node->level > 0)
	{
		if (node->tid_offset != 0 || (node->duplicates != kInvalidId && c->shape.tail_bytes == 0))
			problem(c, kNode, blkno, "slot %u: an upper node has a row", id);
		return;
	}
	if (state == NodeState::live && node->tid_offset == 0 && node->duplicates == kInvalidId)
		problem(c, kNode, blkno, "slot %u: a base node has no row", id);
}

static void
check_part(Check *c, uint32 id, CodeDetail detail, uint32 part)
{
	BlockNumber blkno = c->shape.detail_block_of(detail.id) + part;
	Buffer buffer = ReadBuffer(c->index, blkno);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool kind = hnsw::page_is(page, PageKind::detail);
	bool given_out = detail.id % c->shape.details_per_page < hnsw::page_trailer(page)->used;
	bool matches = hnsw::part_matches(page, c->shape, detail, part);
	UnlockReleaseBuffer(buffer);
	if (!kind)
		problem(c, kDetail, blkno, "slot %u: its detail lies on a page of another kind", id);
	else if (!given_out)
		problem(c, kDetail, blkno, "slot %u: its detail was never given out", id);
	else if (!matches)
		problem(c, kChecksum, blkno, "slot %u: checksum of its detail does not match", id);
}

/*
 * The chain of a sparse code: from the base slot all of it, whose links are no other node's; from an upper slot those that its
 * code needs.
 */
static void
check_chain_links(Check *c, uint32 id, const NodeHeader *node)
{
	const HnswShape &shape = c->shape;
	bool base = node->level == 0;
	CodeDetail link = code_detail(*node);
	uint32 wanted = shape.chain_links(shape.code_bytes(*node)), ordinal = 0;
	BlockNumber blkno = shape.block_of(id);
	for (; base ? link.id != kInvalidId : ordinal < wanted; ordinal++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!valid_detail(link.id, shape, c->blocks))
		{
			problem(c, kDetail, blkno, "slot %u: invalid address of link %u of its code", id, ordinal);
			return;
		}
		if (base && (get_bit(c->details, link.id) || ordinal == kMaxChainLinks))
		{
			problem(c, kDetail, blkno, "slot %u: link %u of its code belongs to another node too", id, ordinal);
			return;
		}
		if (!base && !get_bit(c->details, link.id))
		{
			problem(c, kDetail, blkno, "slot %u: the rest of its code is in no base node's detail", id);
			return;
		}
		set_bit(c->details, link.id);
		BlockNumber at = shape.detail_block_of(link.id);
		Buffer buffer = ReadBuffer(c->index, at);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		bool kind = hnsw::page_is(page, PageKind::detail);
		bool given_out = link.id % shape.details_per_page < hnsw::page_trailer(page)->used;
		bool matches = ordinal >= wanted || hnsw::link_matches(page, shape, link, ordinal);
		uint32 next = hnsw::next_link(page, shape, link.id);
		UnlockReleaseBuffer(buffer);
		if (!kind || !given_out)
		{
			problem(c, kDetail, at,
					kind ? "slot %u: its detail was never given out"
						 : "slot %u: its detail lies on a page of another kind",
					id);
			return;
		}
		if (!matches)
			problem(c, kChecksum, at, "slot %u: checksum of its detail does not match", id);
		link.id = next;
	}
	if (ordinal < wanted)
		problem(c, kDetail, blkno, "slot %u: its code ends after %u of %u links", id, ordinal, wanted);
}

static void
check_detail(Check *c, uint32 id, const NodeHeader *node)
{
	BlockNumber blkno = c->shape.block_of(id);
	if (c->shape.sparse())
	{
		if (c->shape.detail_bytes != 0 && check_node(*node, c->shape) == nullptr)
			check_chain_links(c, id, node);
		return;
	}
	if (c->shape.detail_bytes == 0)
	{
		if (node->link != kInvalidId)
			problem(c, kDetail, blkno, "slot %u: a detail where the index has none", id);
		return;
	}
	if (!valid_detail(node->link, c->shape, c->blocks))
	{
		problem(c, kDetail, blkno, "slot %u: invalid detail address", id);
		return;
	}
	for (uint32 part = 0; part < c->shape.detail_pages; part++)
	{
		if (get_bit(c->details, node->link + part))
			problem(c, kDetail, blkno, "slot %u: its detail belongs to another node too", id);
		set_bit(c->details, node->link + part);
		check_part(c, id, code_detail(*node), part);
	}
}

static void
check_slots(Check *c)
{
	c->slot_count = static_cast<uint64>(c->blocks) * c->shape.slots_per_page;
	c->slots = static_cast<uint8 *>(huge(c->slot_count + 1));
	c->below = static_cast<uint8 *>(huge(c->slot_count / 8 + 1));
	c->details = static_cast<uint8 *>(huge(static_cast<uint64>(c->blocks) * c->shape.details_per_page / 8 + 1));
	for (BlockNumber blkno = 1; blkno < c->blocks; blkno++)
	{
		copy_page(c, blkno);
		if (!check_page_kind(c, blkno))
			continue;
		for (uint32 i = 0; i < c->shape.slots_per_page; i++)
		{
			uint32 id = blkno * c->shape.slots_per_page + i;
			const NodeHeader *node = hnsw::slot_header(c->page, c->shape, id);
			check_slot(c, id, node);
			/* A dead one (vacuum was interrupted) can still have upper slots with the rest of their codes there. */
			if (is_node(c, id, 0) && (state_of(c, id) == NodeState::live || c->shape.tail_bytes != 0))
				check_detail(c, id, node);
		}
	}
}

/* --- what slots say of each other --- */

static void
check_links(Check *c, uint32 id, const NodeHeader *node, const uint32 *lanes)
{
	BlockNumber blkno = c->shape.block_of(id);
	for (uint32 i = 0; i < node->lane_count; i++)
	{
		if (!valid_id(lanes[i], c->shape, c->blocks))
			problem(c, kLink, blkno, "slot %u: link to the invalid address %u", id, lanes[i]);
		else if (lanes[i] == id)
			problem(c, kLink, blkno, "slot %u: link to itself", id);
		else if (!is_node(c, lanes[i], node->level))
			problem(c, kLink, blkno, "slot %u: link to slot %u, which is no node of level %u", id, lanes[i],
					node->level);
		else if (std::find(lanes, lanes + i, lanes[i]) != lanes + i)
			problem(c, kLink, blkno, "slot %u: two links to slot %u", id, lanes[i]);
	}
}

/* One 16-bit factor of a lane against what it should be. error: what rounding can add up to. */
static bool
factor_is(uint16 stored, float scale, float expected, float error)
{
	float value;
	core::distance::kernels().f16_to_f32(&stored, &value, 1);
	value *= scale;
	float allowed = std::fabs(expected) / 256 + error;
	/* Near 3e38 sums overflow: then nothing can be told. */
	return std::fabs(value - expected) <= allowed || !std::isfinite(expected) || !std::isfinite(allowed);
}

static float
greatest(const float *values, uint32 n)
{
	float most = 0;
	for (uint32 i = 0; i < n; i++)
		most = std::fmax(most, std::fabs(values[i]));
	return most;
}

/*
 * Are the signs of a lane what they should be? Where a difference is as small as the rounding of the decoded codes
 * (which differs by instruction set) its sign can be either. c->image->node holds the node decoded.
 */
static bool
same_signs(Check *c, const uint8 *a, const uint8 *b, uint32 lane, uint32 neighbor)
{
	const HnswShape &shape = c->shape;
	int shift = lane < 16 ? 0 : 4;
	bool decoded = false;
	for (uint32 segment = 0; segment < shape.sign_dims / 4; segment++)
	{
		int different = (a[16 * segment + lane % 16] ^ b[16 * segment + lane % 16]) >> shift & 15;
		for (uint32 j = 0; j < 4 && different != 0; j++)
		{
			if ((different >> j & 1) == 0)
				continue;
			if (!decoded)
			{
				hnsw::NodeCopy &copy = c->image->copy;
				if (!c->store.load(neighbor, copy))
					return true;
				core::quantizer::Sq8 sq8{copy.header.scale, copy.header.bias, copy.header.norm2, 0, 0};
				core::quantizer::sq8_decode(sq8, copy.code, nullptr, shape.code_dims, c->image->neighbor);
				decoded = true;
			}
			float u = c->image->node[4 * segment + j], v = c->image->neighbor[4 * segment + j];
			if (std::fabs(u - v) > 1e-5f * (std::fabs(c->image->copy.header.bias) + std::fabs(u) + std::fabs(v)))
				return false;
		}
	}
	return true;
}

/* The whole code of a node to c->code. False, told: the detail of an upper node is not that of its base node. */
static bool
read_code(Check *c, uint32 id, const NodeHeader *node)
{
	memcpy(c->code, hnsw::slot_code(node), c->shape.self_dims);
	if (c->shape.tail_bytes == 0)
		return true;
	if (valid_detail(code_detail(*node).id, c->shape, c->blocks) &&
		hnsw::read_detail(c->store, *node, c->code, nullptr, true))
		return true;
	problem(c, kDetail, c->shape.block_of(id), "slot %u: the rest of its code is that of another node", id);
	return false;
}

/*
 * Layout fused: the code of a lane follows from the codes of the two nodes. Neither changes while both live, and a slot
 * is not used again before every live lane to it has gone: lanes to live nodes must match, but for rounding:
 * sums differ by instruction set, and factors are packed anew with each lane.
 */
static void
check_lane_codes(Check *c, uint32 id, NodeHeader *node)
{
	const HnswShape &shape = c->shape;
	const uint32 *lanes = hnsw::slot_lanes(node, shape);
	uint32 ids[BeamSearch::kMaxLanes];
	for (uint32 i = 0; i < node->lane_count; i++)
	{
		bool live = valid_id(lanes[i], shape, c->blocks) && state_of(c, lanes[i]) == NodeState::live &&
					level_of(c, lanes[i]) == node->level;
		ids[i] = live ? lanes[i] : id;
	}
	if (!read_code(c, id, node))
		return;
	core::graph::CodeView view{c->code, node->scale, node->bias, node->norm2, 0};
	hnsw::fill_image(c->store, view, ids, node->lane_count, c->image);
	const hnsw::LaneImage &image = *c->image;
	float add_scale = hnsw::factor_scale(node->add_exponent), mul_scale = hnsw::factor_scale(node->mul_exponent);
	/* Of the factors of one node, small ones have the rounding of the greatest. */
	float add_error = std::ldexp(greatest(image.add, image.count), -20);
	float mul_error = std::ldexp(greatest(image.mul, image.count), -20);
	float norm = std::sqrt(static_cast<float>(shape.sign_dims) * node->norm2);
	for (uint32 i = 0; i < node->lane_count; i++)
	{
		if (ids[i] != lanes[i])
			continue;
		const uint32 lane = i % core::quantizer::kBlockLanes;
		uint32 offset = shape.block_offset + i / core::quantizer::kBlockLanes * shape.block_bytes;
		const uint8 *stored = reinterpret_cast<const uint8 *>(node) + offset;
		const uint8 *expected = image.bytes + (offset - shape.lanes_offset);
		const auto *factors = reinterpret_cast<const uint16 *>(stored);
		const char *fault = nullptr;
		if (!same_signs(c, stored + 4 * core::quantizer::kBlockLanes, expected + 4 * core::quantizer::kBlockLanes, lane,
						lanes[i]))
			fault = "code";
		else if (!factor_is(factors[lane], add_scale, image.add[i],
							add_error + std::ldexp(std::fabs(image.mul[i]) * norm, -12)) ||
				 !factor_is(factors[core::quantizer::kBlockLanes + lane], mul_scale, image.mul[i], mul_error))
			fault = "factors";
		if (fault != nullptr)
			problem(c, kLaneCode, shape.block_of(id), "slot %u: wrong %s with the link to slot %u", id, fault,
					lanes[i]);
	}
}

static void
check_level(Check *c, uint32 id, const NodeHeader *node)
{
	BlockNumber blkno = c->shape.block_of(id);
	if (!valid_id(node->link, c->shape, c->blocks) || !is_node(c, node->link, node->level - 1u))
		problem(c, kLevel, blkno, "slot %u of level %u does not stand on a node of the level below", id, node->level);
	else if (get_bit(c->below, node->link))
		problem(c, kLevel, blkno, "slot %u of level %u stands on a slot that carries another", id, node->level);
	else
		set_bit(c->below, node->link);
	if (c->shape.tail_bytes == 0)
		return;
	if (c->shape.sparse())
	{
		check_chain_links(c, id, node);
		return;
	}
	CodeDetail detail = code_detail(*node);
	if (!valid_detail(detail.id, c->shape, c->blocks) || !get_bit(c->details, detail.id))
		problem(c, kDetail, blkno, "slot %u: the rest of its code is in no base node's detail", id);
	else
		check_part(c, id, detail, 0);
}

static void
add_row(Check *c, uint64 tid, uint32 id)
{
	if (!c->heap_rows)
		return;
	if (c->row_count == c->row_capacity)
	{
		c->row_capacity = c->row_capacity == 0 ? 4096 : c->row_capacity * 2;
		Size bytes = c->row_capacity * sizeof(IndexedRow);
		c->rows = static_cast<IndexedRow *>(c->rows == nullptr ? palloc(bytes) : repalloc_huge(c->rows, bytes));
	}
	c->rows[c->row_count++] = IndexedRow{tid, id};
}

static uint64
tid_number(ItemPointerData tid)
{
	return static_cast<uint64>(ItemPointerGetBlockNumberNoCheck(&tid)) << 16 | ItemPointerGetOffsetNumberNoCheck(&tid);
}

static void
check_chain(Check *c, uint32 owner, uint32 head)
{
	BlockNumber blkno = c->shape.block_of(owner);
	uint32 height = UINT32_MAX;
	for (uint32 id = head; id != kInvalidId;)
	{
		CHECK_FOR_INTERRUPTS();
		if (!valid_id(id, c->shape, c->blocks) || state_of(c, id) != NodeState::duplicate)
		{
			problem(c, kChain, blkno, "slot %u: its chain of duplicates leads to slot %u, which is none", owner, id);
			return;
		}
		Buffer buffer = ReadBuffer(c->index, c->shape.block_of(id));
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		NodeHeader *slot = hnsw::slot_header(BufferGetPage(buffer), c->shape, id);
		NodeHeader header = *slot;
		if (header.link == owner && header.lane_count <= c->shape.duplicates_per_slot())
			for (uint32 i = 0; i < header.lane_count; i++)
				add_row(c, tid_number(hnsw::slot_duplicates(slot)[i]), owner);
		UnlockReleaseBuffer(buffer);
		if (header.link != owner)
		{
			problem(c, kChain, c->shape.block_of(id), "slot %u is in the chain of slot %u but belongs to slot %u", id,
					owner, header.link);
			return;
		}
		if (chain_height(header) >= height)
		{
			problem(c, kChain, c->shape.block_of(id), "slot %u is not lower than the one before it in its chain", id);
			return;
		}
		height = chain_height(header);
		id = header.duplicates;
	}
}

static void
check_relations(Check *c)
{
	for (BlockNumber blkno = 1; blkno < c->blocks; blkno++)
	{
		copy_page(c, blkno);
		if (!hnsw::page_is(c->page, PageKind::node))
			continue;
		for (uint32 i = 0; i < c->shape.slots_per_page; i++)
		{
			uint32 id = blkno * c->shape.slots_per_page + i;
			NodeHeader *node = hnsw::slot_header(c->page, c->shape, id);
			/* Dead slots may lead anywhere: nothing leads to them once a vacuum has ended. */
			if (state_of(c, id) != NodeState::live || check_node(*node, c->shape) != nullptr)
				continue;
			check_links(c, id, node, hnsw::slot_lanes(node, c->shape));
			if (c->image != nullptr)
				check_lane_codes(c, id, node);
			if (node->level > 0)
			{
				check_level(c, id, node);
				continue;
			}
			if (node->tid_offset != 0)
				add_row(c, tid_number(hnsw::unpack_tid(hnsw::pack_tid(*node))), id);
			if (node->duplicates != kInvalidId)
				check_chain(c, id, node->duplicates);
		}
	}
	if (c->rows != nullptr)
		std::sort(c->rows, c->rows + c->row_count, [](const IndexedRow &a, const IndexedRow &b) noexcept {
			return a.tid != b.tid ? a.tid < b.tid : a.id < b.id;
		});
}

/* --- reachability --- */

/* Header and links of a node of the level; false where there is none. */
static bool
read_links(Check *c, uint32 id, uint32 level, NodeHeader &header, uint32 *lanes)
{
	if (!valid_id(id, c->shape, c->blocks) || !is_node(c, id, level))
		return false;
	Buffer buffer = ReadBuffer(c->index, c->shape.block_of(id));
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	NodeHeader *node = hnsw::slot_header(BufferGetPage(buffer), c->shape, id);
	header = *node;
	bool good = check_node(header, c->shape) == nullptr;
	if (good)
		memcpy(lanes, hnsw::slot_lanes(node, c->shape), header.lane_count * sizeof(uint32));
	UnlockReleaseBuffer(buffer);
	return good;
}

/* Marks what can be reached on each layer: on an upper one from all that lead down to it, on the base from one node. */
static void
mark_reachable(Check *c)
{
	if (c->meta.entry_id == kInvalidId)
		return;
	if (!is_node(c, c->meta.entry_id, c->meta.entry_level))
	{
		problem(c, kLevel, c->shape.block_of(c->meta.entry_id), "the entry point is no node of level %u",
				c->meta.entry_level);
		return;
	}
	auto *queue = static_cast<uint32 *>(huge((c->used + 1) * sizeof(uint32)));
	uint32 lanes[BeamSearch::kMaxLanes];
	NodeHeader header;
	uint64 count = 1;
	queue[0] = c->meta.entry_id;
	c->slots[queue[0]] |= kReached;
	uint32 entry = c->meta.entry_id;
	for (uint32 level = c->meta.entry_level;; level--)
	{
		for (uint64 i = 0; i < count; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (!read_links(c, queue[i], level, header, lanes))
				continue;
			for (uint32 k = 0; k < header.lane_count; k++)
				if (valid_id(lanes[k], c->shape, c->blocks) && is_node(c, lanes[k], level) &&
					(c->slots[lanes[k]] & kReached) == 0)
				{
					c->slots[lanes[k]] |= kReached;
					queue[count++] = lanes[k];
				}
		}
		if (level == 0)
			break;
		uint64 next = 0;
		for (uint64 i = 0; i < count; i++)
		{
			bool is_entry = queue[i] == entry;
			if (!read_links(c, queue[i], level, header, lanes) || !valid_id(header.link, c->shape, c->blocks) ||
				!is_node(c, header.link, level - 1))
				continue;
			if (is_entry)
				entry = header.link;
			/* A scan to the end starts from the entry point's base node. */
			if ((level > 1 || is_entry) && (c->slots[header.link] & kReached) == 0)
			{
				c->slots[header.link] |= kReached;
				queue[next++] = header.link;
			}
		}
		count = next;
	}
	pfree(queue);
}

static void
check_reachable(Check *c)
{
	mark_reachable(c);
	for (uint64 id = 0; id < c->slot_count; id++)
	{
		auto slot = static_cast<uint32>(id);
		if (state_of(c, slot) != NodeState::live || (c->slots[slot] & kReached) != 0)
			continue;
		/* With the heap at hand only nodes of visible rows are told, see check_row. */
		if (level_of(c, slot) == 0 && !c->heap_rows)
			problem(c, kUnreachable, c->shape.block_of(slot), "slot %u: no way leads to this base node", slot);
	}
}

/* --- rows of the table --- */

/* Exact codes are those of the rows, to the last bit. The store has just read the node's. */
static void
check_exact(Check *c, const float *v, uint32 id, ItemPointer tid, const core::graph::Interval &interval)
{
	const hnsw::NodeCopy &node = c->store.exact;
	uint32 bytes = c->shape.code_bytes(node.header);
	bool sparse = c->shape.sparse();
	if (sparse && !core::quantizer::sparse_valid(node.code, static_cast<uint32>(node.sum), c->shape.dimensions))
		problem(c, kNode, c->shape.block_of(id), "slot %u: its code is not that of a sparse vector", id);
	hnsw::CodedVector coded;
	hnsw::allocate_coded(c->state, coded);
	hnsw::encode_vector(c->state, v, nullptr, coded);
	bool same = coded.sum == node.sum && memcmp(coded.code, node.code, bytes) == 0 &&
				coded.sq8.norm2 == node.header.norm2 && interval.lower <= interval.upper;
	if (!same)
		problem(c, kWrongVector, c->shape.block_of(id), "slot %u: not the vector of row (%u,%u)", id,
				ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid));
}

/* The node's interval of distances must hold the distance of the row's vector to itself. */
static void
check_vector(Check *c, const float *v, uint32 id, ItemPointer tid)
{
	uint64 payload;
	core::graph::Interval interval{};
	c->store.query = hnsw::make_query(c->state, v);
	if (!c->store.refine(id, interval, payload))
		return;
	double expected = 0;
	if (is_exact(c->shape.element_type))
	{
		check_exact(c, v, id, tid, interval);
		return;
	}
	if (c->state->metric == hnsw::Metric::inner_product)
		for (uint32 i = 0; i < c->shape.dimensions; i++)
			expected -= static_cast<double>(v[i]) * v[i];
	if (!(interval.lower <= expected && expected <= interval.upper))
		problem(c, kWrongVector, c->shape.block_of(id), "slot %u: not the vector of row (%u,%u)", id,
				ItemPointerGetBlockNumber(tid), ItemPointerGetOffsetNumber(tid));
}

static void
check_row(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool alive, void *arg)
{
	(void) index;
	(void) alive;
	auto *c = static_cast<Check *>(arg);
	MemoryContext old = MemoryContextSwitchTo(c->row_context);
	const float *v = hnsw::indexable_vector(c->state, values[0], isnull[0]);
	uint64 wanted = tid_number(*tid);
	const IndexedRow *rows = c->rows, *end = rows + c->row_count;
	const IndexedRow *row =
		std::lower_bound(rows, end, wanted, [](const IndexedRow &a, uint64 b) noexcept { return a.tid < b; });
	bool found = row != end && row->tid == wanted;
	uint32 heap_blkno = ItemPointerGetBlockNumber(tid);
	uint32 offset = ItemPointerGetOffsetNumber(tid);
	if (v == nullptr)
	{
		if (found)
			problem(c, kExtraRow, c->shape.block_of(row->id), "slot %u: row (%u,%u) should not be in the index",
					row->id, heap_blkno, offset);
	}
	else if (!found)
		problem(c, kMissingRow, -1, "row (%u,%u) of the table is not in the index", heap_blkno, offset);
	else
	{
		if (row + 1 != end && row[1].tid == wanted)
			problem(c, kRepeatedRow, c->shape.block_of(row->id), "slot %u: row (%u,%u) is in slot %u too", row->id,
					heap_blkno, offset, row[1].id);
		if ((c->slots[row->id] & kReached) == 0)
			problem(c, kUnreachable, c->shape.block_of(row->id), "slot %u: no way leads to row (%u,%u)", row->id,
					heap_blkno, offset);
		if (c->counts[kChecksum] + c->counts[kDetail] + c->counts[kNode] == 0)
			check_vector(c, v, row->id, tid);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(c->row_context);
}

static void
open_index(Check *c)
{
	HnswMeta meta;
	c->state = hnsw::index_state(c->index, meta);
	c->store = hnsw::open_store(c->index, c->state, nullptr);
}

static void
check_rows(Check *c)
{
	open_index(c);
	c->row_context = AllocSetContextCreate(CurrentMemoryContext, "vecdb check row", ALLOCSET_DEFAULT_SIZES);
	/* Not the transaction's snapshot, which may be older than the index. */
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	IndexInfo *info = BuildIndexInfo(c->index);
	scan_indexed_rows(c->own, info, snapshot, check_row, c);
	UnregisterSnapshot(snapshot);
}

static void
run(Check *c)
{
	c->index = c->own.index;
	c->page = static_cast<char *>(palloc(BLCKSZ));
	c->strategy = GetAccessStrategy(BAS_BULKREAD);
	if (!check_metapage(c))
		return;
	check_slots(c);
	/* Only codes that are what they were tell anything of each other. */
	if (c->shape.blocks != 0 && c->counts[kPage] + c->counts[kNode] + c->counts[kChecksum] + c->counts[kDetail] == 0)
	{
		open_index(c);
		c->image = hnsw::make_lane_image(c->state);
		c->code = static_cast<uint8 *>(palloc(c->shape.code_dims));
	}
	check_relations(c);
	check_reachable(c);
	if (c->heap_rows && c->counts[kPage] == 0)
		check_rows(c);
	for (int i = 0; i < kChecks; i++)
	{
		uint32 hidden = c->counts[i] > kMaxRows ? c->counts[i] - kMaxRows : 0;
		if (hidden == 0)
			continue;
		c->counts[i] = 0;
		problem(c, static_cast<CheckName>(i), -1, "and %u more", hidden);
	}
}

}  // namespace vecdb::maintenance

using namespace vecdb;

VECDB_FUNCTION(vecdb_check_index)
{
	InitMaterializedSRF(fcinfo, 0);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb check index", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *c = static_cast<maintenance::Check *>(palloc0(sizeof(maintenance::Check)));
	c->result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	c->heap_rows = PG_GETARG_BOOL(1);
	c->own = maintenance::open_own_index(PG_GETARG_OID(0), ShareLock);
	if (c->own.method == maintenance::Method::hnsw)
		maintenance::run(c);
	else
		maintenance::check_ivf(c->own, c->result, c->heap_rows);
	maintenance::close_own_index(c->own);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return Datum{0};
}
