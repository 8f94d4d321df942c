/* SPDX-License-Identifier: PostgreSQL
 * What the parts of the check of an ivf index share. check_ivf.cpp tells the whole; nobody else includes this.
 *
 * Regime: shell.
 */
#pragma once

#include "ivf/state.hpp"
#include "maintenance/check.hpp"

namespace vecdb::maintenance
{

enum IvfCheckName : int
{
	kIvfMetapage,
	kIvfPage,
	kIvfOwner,
	kIvfDirectory,
	kIvfList,
	kIvfSlot,
	kIvfChecksum,
	kIvfCode,
	kIvfMissingRow,
	kIvfRepeatedRow,
	kIvfExtraRow,
	kIvfWrongVector,
	kIvfChecks,
};

/* A list page as the first pass has seen it. */
struct ListNote
{
	BlockNumber block;
	core::layout::ListHeader header;
	uint32 list;  // index in IvfCheck::lists once the list's chain has led here
};
constexpr uint32 kNoList = UINT32_MAX;

/* A list that the directory names. */
struct ListEntry
{
	BlockNumber head;
	BlockNumber page;  // of the directory
	uint32 lane;
	uint32 list_id;
};

struct LaneRow
{
	uint64 tid;
	BlockNumber page;
	uint32 lane;
};

template <class T>
struct Items
{
	T *items;
	Size count, capacity;

	T *
	begin() const
	{
		return items;
	}
	T *
	end() const
	{
		return items + count;
	}

	void
	push(const T &item)
	{
		if (count == capacity)
		{
			capacity = capacity == 0 ? 256 : capacity * 2;
			Size bytes = capacity * sizeof(T);
			items = static_cast<T *>(items == nullptr ? palloc(bytes) : repalloc_huge(items, bytes));
		}
		items[count++] = item;
	}
};

struct IvfCheck
{
	OwnIndex own;
	Relation index;
	ReturnSetInfo *result;
	bool heap_rows;
	uint32 counts[kIvfChecks];
	ivf::IvfMeta meta;
	ivf::IvfShape shape, directory;
	BlockNumber blocks;
	uint8 *kinds;        // of pages: IvfPageKind, 0 where a page is empty or told of already
	BlockNumber *owner;  // slot pages: what their trailer says
	uint8 *named;        // bitmap: a page of a list or the directory names this slot page
	Items<ListNote> pages;
	Items<ListEntry> lists;
	Items<BlockNumber> chain;  // pages of lists, list by list
	Items<LaneRow> rows;       // by TID, when sorted
	BufferAccessStrategy strategy;
	char *page;              // a copy of the page looked at
	uint8 *slot;             // and of a slot
	ivf::IndexState *state;  // null: the codes are not looked at
	/* Vectors of code_dims floats each. */
	float *centre, *x, *v, *residual, *scratch;
	core::lists::CodedRow expected;
	MemoryContext row_context;
};

void pg_attribute_printf(4, 5) ivf_problem(IvfCheck *c, IvfCheckName name, int64 blkno, const char *format, ...);

ListNote *list_note(const IvfCheck *c, BlockNumber blkno);

/* Copies a page to c->page. */
void copy_ivf_page(IvfCheck *c, BlockNumber blkno);

/* check_ivf_rows.cpp */

/*
 * The slot of a lane of the list page in c->page to c->slot, checked. False, told: there is none, or it is damaged.
 * owner: block of that page.
 */
bool read_slot(IvfCheck *c, const ivf::IvfShape &shape, BlockNumber owner, uint32 lane, core::layout::RowTid tid);

/* Lanes of all lists: their slots and codes; notes the rows. */
void check_lanes(IvfCheck *c);

/* TIDs that are there twice; with heap_rows, the rows of the table. */
void check_ivf_rows(IvfCheck *c);

}  // namespace vecdb::maintenance
