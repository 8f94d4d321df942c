/* SPDX-License-Identifier: PostgreSQL
 * Pages of lists: allocate, chain, add rows, take rows away.
 *
 * Regime: shell.
 * Locks:  list page, then slot page; directory page, then its slot page, then the metapage; see README.md.
 */
#pragma once

#include "ivf/directory.hpp"
#include "ivf/state.hpp"

namespace vecdb::ivf
{

/* A new page of the index, exclusively locked and not initialised: from the free space map, else at the end of the file. */
Buffer new_page(Relation index);

/* Heavyweight locks, see README.md. */
inline void
lock_list(Relation index, BlockNumber head, LOCKMODE mode)
{
	LockPage(index, head, mode);
}
inline void
unlock_list(Relation index, BlockNumber head, LOCKMODE mode)
{
	UnlockPage(index, head, mode);
}
void lock_reorganisation(Relation index);
bool try_lock_reorganisation(Relation index);
void unlock_reorganisation(Relation index);

/* The page's header, if it is a page of the list at head; null else. */
const ListHeader *list_page_of(Page page, const IvfShape &shape, BlockNumber head);

/* Is block a list's head that takes rows? own_table receives whether its rows are coded so. Caller holds the list's lock. */
bool open_list(Relation index, IndexState *state, BlockNumber block, bool &own_table);

/*
 * Adds n rows, coded for that list, to the chain at head. Caller holds the list's lock (or is its only user) and has seen
 * that it is not gone. One WAL record a list page with up to three slot pages. Returns how many blocks of lanes the list has grown by.
 */
uint32 add_rows(Relation index, IndexState *state, const IvfShape &shape, BlockNumber head,
				const core::lists::CodedRow *rows, const core::layout::RowTid *tids, uint32 n);

/* A list without rows yet; `expected` of them, with that mean residual2, are about to come. Else as make_list. */
BlockNumber make_empty_list(Relation index, IndexState *state, const float *centre, bool own_table, float residual2,
							uint32 expected);

/* A new list: its centre (D floats) goes into the directory. rows are the first ones, coded for it. Caller holds the reorganisation lock.
 * Returns its head block. One WAL record makes the list, its rows come after. */
BlockNumber make_list(Relation index, IndexState *state, const float *centre, bool own_table, float residual2,
					  const core::lists::CodedRow *rows, const core::layout::RowTid *tids, uint32 n);

/* Takes the list at head out of the directory and marks its head page as gone. Caller holds the reorganisation lock and the list's. */
void drop_list(Relation index, IndexState *state, BlockNumber head);

/* What the pages of a list say. */
struct ListExtent
{
	uint32 rows;   // lanes that are live
	uint32 pages;  // of the chain, without slot pages
	uint32 made;   // rows when the list was made, or looked at by tidy
	bool own_table;
};

/* False: block is not the head of a list that takes rows. tids: null, or receives the rows (in the current context). */
bool list_extent(Relation index, IndexState *state, BlockNumber head, ListExtent &extent, core::layout::RowTid **tids);

/* Notes in the head how many rows a list has that was found to be as it should. */
void set_made(Relation index, IndexState *state, BlockNumber head, uint32 rows);

/* Finds the list's row of the directory; false: there is none. Caller holds the reorganisation lock. */
bool find_list(Relation index, IndexState *state, BlockNumber head, NearList &place);

/* The metapage, exclusively locked. */
Buffer lock_meta(Relation index);

}  // namespace vecdb::ivf
