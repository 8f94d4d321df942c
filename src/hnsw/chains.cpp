/* SPDX-License-Identifier: PostgreSQL
 * Reading and writing chains (chains.hpp).
 *
 * Regime: shell.
 * A search reads codes without their checksums: whatever the bytes, scoring them is safe, and a wrong code leads astray and no
 * further. Checksums are looked at before a row leaves. Where a chain leads is checked at every step.
 * WAL:    a record a page, the last links first: at any moment what hangs on the slot is a chain that ends. Links that a crash
 *         leaves without a chain are lost until REINDEX.
 */
#include "hnsw/chains.hpp"

extern "C" {
#include "port/pg_crc32c.h"
}

#include "hnsw/pages.hpp"
#include "pg/report.hpp"
#include "storage/wal.hpp"

namespace vecdb::hnsw
{

using core::layout::CodeDetail;
using core::layout::kLinkBytes;
using core::layout::kMaxChainLinks;
using core::layout::kSparseBlockBytes;
using storage::PageChange;

static_assert(kSparseBlockBytes == core::quantizer::kSparseBlockBytes &&
			  core::layout::kSparseBlockElements == core::quantizer::kSparseEntries);

/* --- one link --- */

static uint8 *
link_at(Page page, const HnswShape &shape, uint32 id)
{
	return reinterpret_cast<uint8 *>(page + shape.detail_offset(id));
}

static const uint8 *
link_code(Page page, const HnswShape &shape, uint32 id)
{
	return link_at(page, shape, id) + sizeof(uint32);
}

static uint32
link_crc(const uint8 *link, CodeDetail address, uint32 ordinal)
{
	pg_crc32c crc;
	INIT_CRC32C(crc);
	COMP_CRC32C(crc, link, sizeof(uint32) + kLinkBytes);
	COMP_CRC32C(crc, &address.generation, sizeof address.generation);
	COMP_CRC32C(crc, &address.id, sizeof address.id);
	COMP_CRC32C(crc, &ordinal, sizeof ordinal);
	FIN_CRC32C(crc);
	return crc;
}

uint32
next_link(Page page, const HnswShape &shape, uint32 id)
{
	uint32 next;
	memcpy(&next, link_at(page, shape, id), sizeof next);
	return next;
}

void
put_link(Page page, const HnswShape &shape, CodeDetail link, uint32 ordinal, uint32 next, const uint8 *code,
		 uint32 bytes)
{
	uint32 first = shape.self_dims + ordinal * kLinkBytes;
	uint32 n = bytes <= first ? 0 : bytes - first < kLinkBytes ? bytes - first : kLinkBytes;
	use_page(page, shape.detail_offset(link.id) + shape.detail_bytes);
	uint8 *at = link_at(page, shape, link.id);
	memcpy(at, &next, sizeof next);
	if (n > 0)
		memcpy(at + sizeof next, code + first, n);
	memset(at + sizeof next + n, 0, kLinkBytes - n);
	uint32 crc = link_crc(at, link, ordinal);
	memcpy(at + sizeof next + kLinkBytes, &crc, sizeof crc);
	uint32 place = link.id % shape.details_per_page + 1;
	if (page_trailer(page)->used < place)
		page_trailer(page)->used = static_cast<uint16>(place);
}

bool
link_matches(Page page, const HnswShape &shape, CodeDetail link, uint32 ordinal)
{
	const uint8 *at = link_at(page, shape, link.id);
	uint32 stored;
	memcpy(&stored, at + sizeof(uint32) + kLinkBytes, sizeof stored);
	return stored == link_crc(at, link, ordinal);
}

/* --- reading --- */

/* On the way along a chain: the page of the link last asked for, share-locked. */
struct Walk
{
	PageStore *store;
	Buffer buffer;
	BlockNumber blkno;
};

static Page
page_of_link(Walk &walk, uint32 id)
{
	PageStore &store = *walk.store;
	const HnswShape &shape = store.state->shape;
	if (unlikely(!core::layout::valid_detail(id, shape, store.blocks)))
	{
		/* Another backend may have extended the index since. */
		store.blocks = RelationGetNumberOfBlocks(store.index);
		if (!core::layout::valid_detail(id, shape, store.blocks))
			pg::report_corrupt(store.index, walk.blkno == InvalidBlockNumber ? 0 : walk.blkno,
							   "invalid address of a link of a code");
	}
	BlockNumber blkno = shape.detail_block_of(id);
	if (blkno != walk.blkno)
	{
		if (BufferIsValid(walk.buffer))
			UnlockReleaseBuffer(walk.buffer);
		walk.blkno = blkno;
		walk.buffer = store.visit(blkno);
		if (unlikely(!page_is(BufferGetPage(walk.buffer), PageKind::detail)))
		{
			UnlockReleaseBuffer(walk.buffer);
			pg::report_corrupt(store.index, blkno, "not a detail page");
		}
	}
	return BufferGetPage(walk.buffer);
}

static void
end_walk(Walk &walk)
{
	if (BufferIsValid(walk.buffer))
		UnlockReleaseBuffer(walk.buffer);
}

bool
read_chain(PageStore &store, const NodeHeader &node, uint32 bytes, uint8 *code, bool verify)
{
	const HnswShape &shape = store.state->shape;
	CodeDetail link = core::layout::code_detail(node);
	Walk walk{&store, InvalidBuffer, InvalidBlockNumber};
	bool good = true;
	uint32 links = shape.chain_links(bytes);
	for (uint32 ordinal = 0; ordinal < links && good; ordinal++)
	{
		Page page = page_of_link(walk, link.id);
		uint32 first = shape.self_dims + ordinal * kLinkBytes;
		good = !verify || link_matches(page, shape, link, ordinal);
		memcpy(code + first, link_code(page, shape, link.id), bytes - first < kLinkBytes ? bytes - first : kLinkBytes);
		link.id = next_link(page, shape, link.id);
	}
	end_walk(walk);
	return good;
}

void
score_sparse(PageStore &store, const NodeHeader *node, core::graph::Scored &out)
{
	const HnswShape &shape = store.state->shape;
	const core::graph::CodeQuery &query = *store.query;
	/* Not every visit has looked at the slot before (PageStore::score). */
	if (unlikely(core::layout::code_blocks(*node) > shape.code_dims / kSparseBlockBytes))
		pg::report_corrupt(store.index, shape.block_of(out.id), "invalid code length");
	uint32 bytes = shape.code_bytes(*node);
	core::graph::PartialScore sum{};
	core::graph::add_part(*store.kernels, query, slot_code(node), 0, shape.slot_code_bytes(*node), 0, 0, sum);
	if (bytes > shape.self_dims)
	{
		uint32 id = core::layout::code_detail(*node).id;
		Walk walk{&store, InvalidBuffer, InvalidBlockNumber};
		for (uint32 first = shape.self_dims; first < bytes; first += kLinkBytes)
		{
			Page page = page_of_link(walk, id);
			core::graph::add_part(*store.kernels, query, link_code(page, shape, id), first,
								  bytes - first < kLinkBytes ? bytes - first : kLinkBytes, 0, 0, sum);
			id = next_link(page, shape, id);
		}
		end_walk(walk);
	}
	core::graph::finish_score(query, core::graph::distance_of(query, sum, 0, 0, node->norm2), node->norm2, node->error,
							  out.distance, out.error);
}

/* --- writing --- */

static Buffer
lock_link_page(Relation index, BlockNumber blkno, int mode)
{
	Buffer buffer = ReadBuffer(index, blkno);
	LockBuffer(buffer, mode);
	if (!page_is(BufferGetPage(buffer), PageKind::detail))
	{
		UnlockReleaseBuffer(buffer);
		pg::report_corrupt(index, blkno, "not a detail page");
	}
	return buffer;
}

void
find_chain(Relation index, const HnswShape &shape, uint32 head, Chain &chain)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(index), blkno = InvalidBlockNumber;
	Buffer buffer = InvalidBuffer;
	chain.count = 0;
	for (uint32 id = head; id != kInvalidId;)
	{
		bool valid = core::layout::valid_detail(id, shape, blocks);
		if (!valid || chain.count == kMaxChainLinks)
		{
			if (BufferIsValid(buffer))
				UnlockReleaseBuffer(buffer);
			pg::report_corrupt(index, blkno == InvalidBlockNumber ? 0 : blkno,
							   valid ? "a chain of links has no end" : "invalid address of a link of a code");
		}
		if (shape.detail_block_of(id) != blkno)
		{
			if (BufferIsValid(buffer))
				UnlockReleaseBuffer(buffer);
			blkno = shape.detail_block_of(id);
			buffer = lock_link_page(index, blkno, BUFFER_LOCK_SHARE);
		}
		chain.ids[chain.count++] = id;
		id = next_link(BufferGetPage(buffer), shape, id);
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
}

void
reserve_links(Relation index, const HnswShape &shape, uint32 count, Chain &reserved)
{
	while (count > 0)
	{
		CHECK_FOR_INTERRUPTS();
		BlockNumber blkno = open_detail_page(index, shape);
		Buffer buffer = lock_link_page(index, blkno, BUFFER_LOCK_EXCLUSIVE);
		uint32 used = page_trailer(BufferGetPage(buffer))->used;
		if (used < shape.details_per_page)
		{
			PageChange change = PageChange::begin(index);
			Page page = change.page(buffer);
			for (; used < shape.details_per_page && count > 0; used++, count--)
			{
				uint32 id = blkno * shape.details_per_page + used;
				put_link(page, shape, CodeDetail{id, 0}, 0, kInvalidId, nullptr, 0);
				reserved.ids[reserved.count++] = id;
			}
			change.finish();
		}
		UnlockReleaseBuffer(buffer);
	}
}

void
write_chain(Relation index, const HnswShape &shape, const Chain &chain, uint32 sound, uint32 generation,
			const uint8 *code, uint32 bytes)
{
	uint32 links = chain.count > sound ? chain.count : shape.chain_links(bytes);
	while (links > 0)
	{
		BlockNumber blkno = shape.detail_block_of(chain.ids[links - 1]);
		Buffer buffer = lock_link_page(index, blkno, BUFFER_LOCK_EXCLUSIVE);
		PageChange change = PageChange::begin(index);
		Page page = change.page(buffer);
		for (; links > 0 && shape.detail_block_of(chain.ids[links - 1]) == blkno; links--)
		{
			uint32 ordinal = links - 1;
			uint32 next = links < chain.count ? chain.ids[links] : kInvalidId;
			put_link(page, shape, CodeDetail{chain.ids[ordinal], generation}, ordinal, next, code, bytes);
		}
		change.finish();
		UnlockReleaseBuffer(buffer);
	}
}

}  // namespace vecdb::hnsw
