/* SPDX-License-Identifier: PostgreSQL
 * Reading and writing details (details.hpp).
 *
 * Regime: shell.
 * Locks:  see details.hpp; each part is share-locked for a copy or a sum.
 * A search reads codes without their checksums, as it does in the slot: a wrong one leads astray and no further. They are
 * checked before a row leaves. The upper slots of a dead node can outlive its base slot, then the detail is another's.
 */
#include "hnsw/details.hpp"
#include "hnsw/scorer.hpp"

#include <cmath>

extern "C" {
#include "port/pg_crc32c.h"
}

#include "pg/report.hpp"

namespace vecdb::hnsw
{

using core::graph::Interval;
using core::graph::Scored;
using core::layout::CodeDetail;
using core::layout::kPartBytes;

/* From byte `first` of the content on, as long as code lasts, then the residual. */
static void
copy_content(const HnswShape &shape, const uint8 *code, const uint8 *residual, uint32 first, uint32 bytes, uint8 *out)
{
	if (first < shape.tail_bytes)
	{
		uint32 n = shape.tail_bytes - first < bytes ? shape.tail_bytes - first : bytes;
		memcpy(out, code + shape.self_dims + first, n);
		first += n;
		out += n;
		bytes -= n;
	}
	if (bytes > 0)
		memcpy(out, residual + (first - shape.tail_bytes), bytes);
}

static uint32
part_crc(const uint8 *bytes, uint32 n, CodeDetail detail, uint32 part)
{
	pg_crc32c crc;
	uint32 address = detail.id + part;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes, n);
	COMP_CRC32C(crc, &detail.generation, sizeof detail.generation);
	COMP_CRC32C(crc, &address, sizeof address);
	FIN_CRC32C(crc);
	return crc;
}

void
put_part(Page page, const HnswShape &shape, CodeDetail detail, uint32 part, const uint8 *code, const uint8 *residual)
{
	uint32 n = shape.part_bytes(part);
	use_page(page, shape.detail_offset(detail.id) + n + 4);
	auto *bytes = reinterpret_cast<uint8 *>(page + shape.detail_offset(detail.id));
	copy_content(shape, code, residual, part * kPartBytes, n, bytes);
	uint32 crc = part_crc(bytes, n, detail, part);
	memcpy(bytes + n, &crc, sizeof crc);
	uint32 ordinal = detail.id % shape.details_per_page + 1;
	if (page_trailer(page)->used < ordinal)
		page_trailer(page)->used = static_cast<uint16>(ordinal);
}

bool
part_matches(Page page, const HnswShape &shape, CodeDetail detail, uint32 part)
{
	const auto *bytes = reinterpret_cast<const uint8 *>(page + shape.detail_offset(detail.id));
	uint32 n = shape.part_bytes(part), stored;
	memcpy(&stored, bytes + n, sizeof stored);
	return stored == part_crc(bytes, n, detail, part);
}

/* The page of one part, share-locked. XX002 where it cannot be one. */
static Buffer
visit_part(PageStore &store, CodeDetail detail, uint32 part)
{
	const HnswShape &shape = store.state->shape;
	if (unlikely(!core::layout::valid_detail(detail.id, shape, store.blocks)))
	{
		/* Another backend may have extended the index since. */
		store.blocks = RelationGetNumberOfBlocks(store.index);
		if (!core::layout::valid_detail(detail.id, shape, store.blocks))
			pg::report_corrupt(store.index, 0, "invalid detail address");
	}
	BlockNumber blkno = shape.detail_block_of(detail.id) + part;
	Buffer buffer = store.visit(blkno);
	if (!page_is(BufferGetPage(buffer), PageKind::detail))
	{
		UnlockReleaseBuffer(buffer);
		pg::report_corrupt(store.index, blkno, "not a detail page");
	}
	return buffer;
}

bool
read_detail(PageStore &store, const NodeHeader &node, uint8 *code, uint8 *residual, bool verify)
{
	const HnswShape &shape = store.state->shape;
	CodeDetail detail = core::layout::code_detail(node);
	uint32 parts = residual != nullptr ? shape.detail_pages : shape.tail_parts();
	bool good = true;
	for (uint32 part = 0; part < parts && good; part++)
	{
		Buffer buffer = visit_part(store, detail, part);
		Page page = BufferGetPage(buffer);
		good = !verify || part_matches(page, shape, detail, part);
		const auto *bytes = reinterpret_cast<const uint8 *>(page + shape.detail_offset(detail.id));
		uint32 first = part * kPartBytes, end = first + shape.part_bytes(part);
		uint32 split = shape.tail_bytes < first ? first : shape.tail_bytes < end ? shape.tail_bytes : end;
		memcpy(code + shape.self_dims + first, bytes, split - first);
		if (residual != nullptr && split < end)
			memcpy(residual + (split - shape.tail_bytes), bytes + (split - first), end - split);
		UnlockReleaseBuffer(buffer);
	}
	return good;
}

void
score_long(PageStore &store, const NodeHeader *node, Scored &out)
{
	const HnswShape &shape = store.state->shape;
	const core::graph::CodeQuery &query = *store.query;
	CodeDetail detail = core::layout::code_detail(*node);
	core::graph::PartialScore sum{};
	core::graph::add_part(*store.kernels, query, reinterpret_cast<const uint8 *>(node + 1), 0, shape.self_dims,
						  node->scale, node->bias, sum);
	for (uint32 first = 0; first < shape.tail_bytes; first += kPartBytes)
	{
		uint32 part = first / kPartBytes;
		uint32 n = shape.tail_bytes - first < kPartBytes ? shape.tail_bytes - first : kPartBytes;
		Buffer buffer = visit_part(store, detail, part);
		const auto *bytes = reinterpret_cast<const uint8 *>(BufferGetPage(buffer) + shape.detail_offset(detail.id));
		core::graph::add_part(*store.kernels, query, bytes, shape.self_dims + first, n, node->scale, node->bias, sum);
		UnlockReleaseBuffer(buffer);
	}
	core::graph::finish_score(query, core::graph::distance_of(query, sum, node->scale, node->bias, node->norm2),
							  node->norm2, node->error, out.distance, out.error);
}

bool
same_residual(PageStore &store, const NodeHeader &node, const uint8 *residual)
{
	const HnswShape &shape = store.state->shape;
	CodeDetail detail = core::layout::code_detail(node);
	bool same = true;
	for (uint32 part = shape.tail_bytes / kPartBytes; part < shape.detail_pages && same; part++)
	{
		Buffer buffer = visit_part(store, detail, part);
		const auto *bytes = reinterpret_cast<const uint8 *>(BufferGetPage(buffer) + shape.detail_offset(detail.id));
		uint32 first = part * kPartBytes, end = first + shape.part_bytes(part);
		uint32 split = shape.tail_bytes < first ? first : shape.tail_bytes;
		same = memcmp(bytes + (split - first), residual + (split - shape.tail_bytes), end - split) == 0;
		UnlockReleaseBuffer(buffer);
	}
	return same;
}

bool
PageStore::refine_long(uint32 id, Interval &out, uint64 &payload)
{
	const HnswShape &shape = state->shape;
	BlockNumber blkno = shape.block_of(id);
	Buffer buffer = visit(blkno);
	Page page = BufferGetPage(buffer);
	const NodeHeader *slot = slot_header(page, shape, id);
	const char *fault = page_is(page, PageKind::node) ? core::layout::check_node(*slot, shape)
						: PageIsNew(page)             ? nullptr
													  : "not a node page";
	/* Gone, or the slot is used again by a node of an upper layer. */
	bool used = fault == nullptr && !PageIsNew(page) && slot->state == static_cast<uint8>(NodeState::live) &&
				slot->level == 0;
	if (used && slot->crc != node_crc(slot, shape, id))
		fault = "checksum of a node does not match";
	else if (used && slot->tid_offset == 0 && slot->duplicates == kInvalidId)
		fault = "a base node has no row";
	NodeHeader node = *slot;
	uint8 *residual = shape.residual_dims != 0 ? scratch + shape.code_dims : nullptr;
	bool is_exact = core::layout::is_exact(shape.element_type);
	if (used && fault == nullptr && is_exact)
	{
		exact.header = node;
		if (!copy_code(*this, slot, exact, true))
			fault = "checksum of a node's detail does not match";
	}
	else if (used && fault == nullptr)
	{
		memcpy(scratch, slot_code(slot), shape.self_dims);
		if (!read_detail(*this, node, scratch, residual, true))
			fault = "checksum of a node's detail does not match";
	}
	UnlockReleaseBuffer(buffer);
	if (fault != nullptr)
		pg::report_corrupt(index, blkno, fault);
	if (!used)
		return false;
	payload = pack_tid(node);
	if (is_exact)
	{
		out = scorer != nullptr ? refine_exact_by_examples(*this, exact)
								: core::graph::exact_interval(*kernels, *query, exact.view());
		return true;
	}
	if (scorer != nullptr)
	{
		out = refine_by_examples(*this, scratch, residual, node,
								 static_cast<double>(residual != nullptr ? node.refined_error : node.error));
		return true;
	}
	/* norm2 is that of the 8-bit code; the 16-bit one is no longer than this. */
	double norm = std::sqrt(static_cast<double>(node.norm2)) + static_cast<double>(node.error);
	float d = core::graph::refined_distance(*kernels, *query, scratch, residual, node.scale, node.bias);
	out = core::graph::operator_interval(*query, d, residual != nullptr ? node.refined_error : node.error, norm, false);
	return true;
}

}  // namespace vecdb::hnsw
