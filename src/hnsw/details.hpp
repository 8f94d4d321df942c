/* SPDX-License-Identifier: PostgreSQL
 * Details: what a node has beside its slot. The rest of a code that has no room in the slot, then the residual plane,
 * in one slot of a detail page or, where that is too small, in parts of a page each in consecutive blocks.
 *
 * Regime: shell.
 * Locks:  node page, then parts in ascending order, one part at a time. A base node's parts are written while its page
 *         is held exclusively and its slot is free, so whoever holds the page and sees a node sees parts that fit it.
 */
#pragma once

#include "hnsw/store.hpp"

namespace vecdb::hnsw
{

/* Puts one part of a detail on its page (locked, the copy to be changed). */
void put_part(Page page, const HnswShape &shape, core::layout::CodeDetail detail, uint32 part, const uint8 *code,
			  const uint8 *residual);

/* Is the part on this page whole, and that of the very node that it was written for? */
bool part_matches(Page page, const HnswShape &shape, core::layout::CodeDetail detail, uint32 part);

/*
 * Copies the content of a node's detail: what is missing in code (code_dims bytes), and the residual unless null. The
 * caller holds the node's page. False: a checksum does not match; checked only where the residual is wanted or verify.
 */
bool read_detail(PageStore &store, const NodeHeader &node, uint8 *code, uint8 *residual, bool verify);

/*
 * The code of a node (its page is held by the caller) into copy, wherever it lies. False: a checksum of what lies outside of the
 * slot does not match, looked at only to verify.
 */
bool copy_code(PageStore &store, const NodeHeader *node, NodeCopy &copy, bool verify);

/* score_code() for a node whose code goes on in its detail. The caller holds the node's page. */
void score_long(PageStore &store, const NodeHeader *node, core::graph::Scored &out);

/* Has the base node that residual? */
bool same_residual(PageStore &store, const NodeHeader &node, const uint8 *residual);

}  // namespace vecdb::hnsw
