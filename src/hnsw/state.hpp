/* SPDX-License-Identifier: PostgreSQL
 * What a backend keeps of an index between calls: everything in the metapage that never changes, the
 * expanded rotation, the mean vector, and a hint for each block where its buffer was last seen.
 *
 * Regime: shell.
 * Memory: entries live in TopMemoryContext, keyed by the relation's file; freed at the end of a transaction only,
 * so a pointer stays good within one. A REINDEX makes a new file; `build_id` tells a file number used again.
 */
#pragma once

#include "pg/compat.hpp"

#include "vecdb/distance/metric.hpp"
#include "vecdb/layout/hnsw_page.hpp"
#include "vecdb/quantizer/rotation.hpp"

namespace vecdb::hnsw
{

using core::distance::Metric;
using core::layout::HnswMeta;
using core::layout::HnswShape;
using core::layout::kInvalidId;
using core::layout::NodeHeader;
using core::layout::NodeState;
using core::layout::PageKind;
using core::layout::PageTrailer;

struct IndexState
{
	pg::RelFileKey file;  // hash key
	HnswMeta meta;        // as first read: use only fields that never change
	HnswShape shape;
	Metric metric;
	core::quantizer::Rotation rotation;  // signs == null: not rotated
	float *mean;                         // dimensions floats, or null: zero
	double mean_norm;
	int32 *hints;  // block -> Buffer, 0: not known
	BlockNumber hint_blocks;
	MemoryContext context;  // owns all of the above
	bool stale;             // forget at the end of the transaction
};

/* Are codes taken from an origin in the middle of the rows? */
inline bool
is_centred(const IndexState *state)
{
	return !is_exact(state->shape.element_type) && (state->metric == Metric::l2 || state->metric == Metric::cosine);
}

/* Reads and checks the metapage (share lock for the moment), copies it to meta. XX002 where it is damaged. */
void read_meta(Relation index, HnswMeta &meta);

/* The cached state of index; meta receives the metapage as it is now. */
IndexState *index_state(Relation index, HnswMeta &meta);

/* The metapage's contents in a page image. */
inline HnswMeta *
page_meta(Page page)
{
	return reinterpret_cast<HnswMeta *>(PageGetContents(page));
}

inline PageTrailer *
page_trailer(Page page)
{
	return reinterpret_cast<PageTrailer *>(page + core::layout::kPageBytes - core::layout::kPageTrailerBytes);
}

/* Checksums of the metapage, after every change, and of a mean page's body. */
void seal_meta(HnswMeta *meta);
bool meta_is_sealed(const HnswMeta &meta);
uint32 body_crc(Page page);

/* An empty page of that kind; pd_lower is set to the end of the body so that WAL keeps all of it. */
void init_page(Page page, PageKind kind);

/* The same for a page that is filled bit by bit: what lies behind pd_lower is zero and left out of WAL. */
void init_unused_page(Page page, PageKind kind);

/* Call before something is written in front of byte `end` of the page. */
inline void
use_page(Page page, uint32 end)
{
	if (reinterpret_cast<PageHeader>(page)->pd_lower < end)
		reinterpret_cast<PageHeader>(page)->pd_lower = static_cast<LocationIndex>(end);
}

/* Is page an initialised page of that kind? (An all-zero page is not.) */
inline bool
page_is(Page page, PageKind kind)
{
	const PageTrailer *trailer = page_trailer(page);
	return trailer->page_id == core::layout::kHnswPageId && trailer->kind == static_cast<uint16>(kind);
}

/* Called by module_init: forgets stale entries at the end of transactions. */
void state_init();

}  // namespace vecdb::hnsw
