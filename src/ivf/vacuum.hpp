/* SPDX-License-Identifier: PostgreSQL
 * What the two parts of a vacuum share. vacuum.cpp tells the whole; nobody else includes this.
 *
 * Regime: shell.
 */
#pragma once

#include "ivf/pages.hpp"

namespace vecdb::ivf
{

/* A list page as the pass has seen it, the directory's among them. */
struct PageNote
{
	BlockNumber block;
	BlockNumber head;
	BlockNumber next;
	uint32 list_id;
	uint32 live;     // lanes with a row that stays
	uint32 removed;  // lanes that the pass has cleared
	uint16 flags;
	bool reached;  // from the head of its list, which is in the directory or gone
	bool freed;
};

/* A slot page that no list page read before it names. */
struct SlotNote
{
	BlockNumber block;
	BlockNumber owner;
};

template <class T>
struct Notes
{
	T *items;
	Size count, capacity;

	void
	push(const T &item)
	{
		if (count == capacity)
		{
			capacity = capacity == 0 ? 256 : capacity * 2;
			items = static_cast<T *>(items == nullptr ? palloc(capacity * sizeof(T))
													  : repalloc_huge(items, capacity * sizeof(T)));
		}
		items[count++] = item;
	}
};

struct Vacuum
{
	IndexVacuumInfo *info;
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;  // null: nothing is removed
	void *callback_state;
	Relation index;
	IndexState *state;
	BlockNumber directory;     // its head
	BlockNumber blocks;        // when the pass began
	uint8 *named;              // bit a block: a list page names it as a slot page
	Notes<PageNote> pages;     // in block order
	Notes<SlotNote> unnamed;   // candidates
	Notes<BlockNumber> heads;  // of the lists in the directory, in block order
	BlockNumber free_pages;
};

inline bool
is_named(const Vacuum *v, BlockNumber blkno)
{
	return (v->named[blkno / 8] >> (blkno % 8) & 1) != 0;
}

inline void
set_named(Vacuum *v, BlockNumber blkno)
{
	v->named[blkno / 8] = static_cast<uint8>(v->named[blkno / 8] | 1 << (blkno % 8));
}

inline const IvfShape &
shape_of(const Vacuum *v, uint16 flags)
{
	return (flags & core::layout::kListDirectory) != 0 ? v->state->directory : v->state->codec.shape;
}

/* A page with vacuum's ring of buffers. */
inline Buffer
read_block(Vacuum *v, BlockNumber blkno, int mode)
{
	Buffer buffer = ReadBufferExtended(v->index, MAIN_FORKNUM, blkno, RBM_NORMAL, v->info->strategy);
	LockBuffer(buffer, mode);
	return buffer;
}

/*
 * vacuum_pages.cpp: what follows from the notes of a whole pass. Sets insert_block back, frees the pages of lists that have
 * gone for all and those that a crash has left without an owner. Caller holds the reorganisation lock since before the pass.
 */
void settle_pages(Vacuum *v);

}  // namespace vecdb::ivf
