/* SPDX-License-Identifier: PostgreSQL
 * What a backend keeps of an ivf index between calls: everything in the metapage that never changes, the expanded
 * rotation, the mean, the codebooks, and a hint for each block where its buffer was last seen.
 *
 * Regime: shell.
 * Memory: entries live in TopMemoryContext, keyed by the relation's file; freed at the end of a transaction only,
 *         so a pointer stays good within one. A REINDEX makes a new file; `build_id` tells a file number used again.
 */
#pragma once

#include "pg/compat.hpp"

#include "storage/block_hints.hpp"
#include "vecdb/lists/list_codec.hpp"

namespace vecdb::ivf
{

using core::distance::Metric;
using core::layout::IvfMeta;
using core::layout::IvfPageKind;
using core::layout::IvfShape;
using core::layout::ListHeader;
using core::layout::PageTrailer;
using core::lists::ListCodec;

struct IndexState
{
	pg::RelFileKey file;  // hash key
	IvfMeta meta;         // as first read: use only fields that never change
	Metric metric;
	ListCodec codec;     // data rows: code space, shape, codebooks
	IvfShape directory;  // shape of the directory's pages
	storage::BlockHints hints;
	MemoryContext context;  // owns all of the above
};

/* Reads and checks the metapage (share lock for the moment), copies it to meta. XX002 where it is damaged. */
void read_meta(Relation index, IvfMeta &meta);

/* The cached state of index; meta receives the metapage as it is now. */
IndexState *index_state(Relation index, IvfMeta &meta);

inline IvfMeta *
page_meta(Page page)
{
	return reinterpret_cast<IvfMeta *>(PageGetContents(page));
}

inline PageTrailer *
page_trailer(Page page)
{
	return reinterpret_cast<PageTrailer *>(page + core::layout::kPageBytes - core::layout::kPageTrailerBytes);
}

void seal_meta(IvfMeta *meta);
bool meta_is_sealed(const IvfMeta &meta);

/* Checksum of a vector page's body, kept in its trailer. */
uint32 body_crc(Page page);

/* An empty page of that kind, zeroed; all of it goes to WAL. */
void init_page(Page page, IvfPageKind kind);

inline bool
page_is(Page page, IvfPageKind kind)
{
	const PageTrailer *trailer = page_trailer(page);
	return trailer->page_id == core::layout::kIvfPageId && trailer->kind == static_cast<uint16>(kind);
}

inline ListHeader *
list_header(Page page)
{
	return reinterpret_cast<ListHeader *>(PageGetContents(page));
}

/* Block numbers of the slot pages of a list page, shape.slot_pages of them; 0: not yet. */
inline uint32 *
slot_blocks(Page page)
{
	return reinterpret_cast<uint32 *>(list_header(page) + 1);
}

inline uint8 *
list_block(Page page, const IvfShape &shape, uint32 block)
{
	return reinterpret_cast<uint8 *>(page) + shape.block_offset(block);
}

/* Called by module_init. */
void state_init();

}  // namespace vecdb::ivf
