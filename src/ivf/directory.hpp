/* SPDX-License-Identifier: PostgreSQL
 * Which lists are near: the directory as scans and inserts read it.
 *
 * Regime: shell.
 */
#pragma once

#include "ivf/state.hpp"

namespace vecdb::ivf
{

struct NearList
{
	float
		distance;  // of the centre, as the metric orders: squared L2 (cosine too), negative inner product, L1; an estimate unless `exact`
	BlockNumber head;
	uint32 lane;             // where its slot is: lane of the directory page below
	BlockNumber block;       // list page of the directory
	BlockNumber slot_block;  // its slot page, where a slot is not longer than a page
	bool exact;
};

/*
 * A slot longer than a page, put together in scratch (slot_bytes): of lane `lane` of list page `block`. Its last page comes back pinned and
 * share-locked in buffer, for the caller to release. Null: not a slot page.
 */
uint8 *slot_at(Relation index, IndexState *state, const IvfShape &shape, BlockNumber block, uint32 lane, Buffer &buffer,
			   uint8 *scratch);

/*
 * All lists, the `exact` nearest first and in exact order, the others behind by estimate (unordered). x: query or row in code space
 * (D floats); cosine and L2 order by distance of centres. by_product: order by inner product (queries of that metric; rows are assigned by
 * distance for every metric but L1). Returns their number; *lists is in the current context. Reads one state of the directory.
 */
uint32 near_lists(Relation index, IndexState *state, const float *x, bool by_product, uint32 exact, NearList **lists);

/*
 * All lists, in no order, with the centre of each for the caller to look at: one state of the directory. begin is called with their number
 * whenever the reading begins (anew), take for each with its page locked: it may not raise.
 */
struct CentreReader
{
	void *self;
	void (*begin)(void *self, uint32 lists);
	void (*take)(void *self, uint32 list, const float *centre);
};
uint32 read_centres(Relation index, IndexState *state, const CentreReader &reader, NearList **lists);

/* The one list that a row in code space belongs to, and its centre (D floats); false: there is no list. */
bool nearest_list(Relation index, IndexState *state, const float *x, NearList &list, float *centre);

/* Copies the centre of a list (D floats). False: it is no longer there. */
bool read_centre(Relation index, IndexState *state, const NearList &list, float *centre);

}  // namespace vecdb::ivf
