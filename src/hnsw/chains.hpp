/* SPDX-License-Identifier: PostgreSQL
 * Chains: where the code of a sparse vector goes on that has no room in its slot. Links of one size on detail pages.
 *
 * Regime: shell.
 * Locks:  node page, then one detail page at a time, held while the next link lies on it too. Links are written while the page
 *         of their base slot is held exclusively and the slot is free, so whoever holds the page and sees a node sees
 *         links that fit it.
 * Keeps:  a base slot that was given a chain keeps it for life, and it never gets shorter: whoever comes late, from an upper slot
 *         of a node that is gone, finds links enough, if of another node.
 */
#pragma once

#include "hnsw/store.hpp"

namespace vecdb::hnsw
{

/* Ids of the links of a chain, in their order. */
struct Chain
{
	uint32 count;
	uint32 ids[core::layout::kMaxChainLinks];
};

/*
 * Copies what of a code of so many bytes lies behind its first self_dims ones to the same place in code. The caller holds the
 * node's page. False: a checksum does not match, looked at only to verify.
 */
bool read_chain(PageStore &store, const NodeHeader &node, uint32 bytes, uint8 *code, bool verify);

/* score_code() for a sparse code wherever it lies. The caller holds the node's page. */
void score_sparse(PageStore &store, const NodeHeader *node, core::graph::Scored &out);

/* The chain from link `head` on, to its end. XX002 where it does not lead to one. */
void find_chain(Relation index, const HnswShape &shape, uint32 head, Chain &chain);

/*
 * Takes so many links that belong to nobody yet and appends them to `reserved`; each is a chain of its own. Locks the metapage,
 * so the caller holds no page.
 */
void reserve_links(Relation index, const HnswShape &shape, uint32 count, Chain &reserved);

/*
 * Writes a code behind its first self_dims bytes into the first links, and makes what lies behind the first `sound` ones (which
 * are hooked together already) one chain with them. The caller holds the page of the base slot, which is free.
 */
void write_chain(Relation index, const HnswShape &shape, const Chain &chain, uint32 sound, uint32 generation,
				 const uint8 *code, uint32 bytes);

/* Puts link number `ordinal` of a chain on its page (locked, the copy to be changed). */
void put_link(Page page, const HnswShape &shape, core::layout::CodeDetail link, uint32 ordinal, uint32 next,
			  const uint8 *code, uint32 bytes);

/* Is the link whole, and that of the very node that it was written for? */
bool link_matches(Page page, const HnswShape &shape, core::layout::CodeDetail link, uint32 ordinal);

/* The link after this one, or kInvalidId. */
uint32 next_link(Page page, const HnswShape &shape, uint32 id);

}  // namespace vecdb::hnsw
