/* SPDX-License-Identifier: PostgreSQL
 * aminsert: one row into the list whose centre is nearest.
 *
 * Regime: shell.
 * Locks:  the list's in share mode, from before its head is looked at until the row is in; nothing else waits behind it.
 *         The reorganisation lock to make the first list.
 */
#include "ivf/insert.hpp"

#include <cmath>

#include "ivf/directory.hpp"
#include "ivf/handler.hpp"
#include "ivf/pages.hpp"
#include "ivf/split.hpp"
#include "pg/report.hpp"
#include "types/indexed.hpp"
#include "vecdb/quantizer/sparse_sketch.hpp"

namespace vecdb::ivf
{

using core::layout::RowTid;
using core::lists::CodedRow;

const float *
coded_form(const IndexedValue &value, uint32 row_dims, float *buffer)
{
	if (value.type != ElementType::sparse)
		return buffer == nullptr ? indexed_row_in_place(value) : indexed_row_in_place(value, buffer);
	if (buffer == nullptr)
		buffer = static_cast<float *>(palloc(row_dims * sizeof(float)));
	core::quantizer::sparse_sketch(sparse_row(value), static_cast<uint32>(value.dimensions), row_dims, buffer);
	return buffer;
}

bool
indexable_row(const IndexState *state, Datum value, bool isnull, float *v)
{
	if (isnull)
		return false;
	uint32 n = state->meta.dimensions;
	auto type = static_cast<ElementType>(state->meta.element_type);
	IndexedValue row = indexed_value(value, type);
	check_indexed_dimensions(row, n);
	if (type == ElementType::sparse)
	{
		if (state->metric == Metric::cosine && indexed_is_zero(row))
			return false;
		coded_form(row, row_dimensions(state->meta), v);
		return true;
	}
	indexed_row(row, v);
	if (state->metric != Metric::cosine)
		return true;
	double norm2 = 0;
	for (uint32 i = 0; i < n; i++)
		norm2 += static_cast<double>(v[i]) * v[i];
	if (norm2 == 0)
		return false;
	double inverse = 1 / std::sqrt(norm2);
	for (uint32 i = 0; i < n; i++)
		v[i] = static_cast<float>(v[i] * inverse);
	return true;
}

CodedRow
new_coded_row(const IvfShape &shape)
{
	CodedRow row{};
	if (shape.segments > 0)
		row.codes = static_cast<uint8 *>(palloc0(shape.segments));
	if (shape.slot_bytes > 0)
		row.slot = static_cast<uint8 *>(palloc0(shape.slot_bytes));
	return row;
}

/* What an insert needs of memory: made for a row, gone with its context. */
struct Inserter
{
	Relation index;
	Relation heap;
	IndexState *state;
	float *v, *x, *centre, *scratch;
	CodedRow row;
};

/* The row is the first: a list of its own, with it in the middle. False: there is a list by now. */
static bool
begin_lists(const Inserter &in, const RowTid &tid)
{
	lock_reorganisation(in.index);
	IvfMeta meta;
	read_meta(in.index, meta);
	bool first = meta.list_count == 0;
	if (first)
	{
		CodedRow row = in.row;
		core::lists::encode_row(in.state->codec, in.x, false, in.v, in.x, tid, row, in.scratch);
		make_list(in.index, in.state, in.x, false, 0, &row, &tid, 1);
	}
	unlock_reorganisation(in.index);
	return first;
}

/* Times that others may take away the one list there is, between our looks. */
constexpr uint32 kMostLookups = 100;

static void
insert_row(const Inserter &in, const RowTid &tid)
{
	IvfMeta meta;
	/* A list that goes takes its row of the directory along, in one record: what is named and not open twice is damage. */
	uint32 version = 0;
	bool was_closed = false;
	uint32 lookups = 0;
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		NearList near;
		if (was_closed)
		{
			read_meta(in.index, meta);
			version = meta.directory_version;
		}
		if (!nearest_list(in.index, in.state, in.x, near, in.centre))
		{
			if (begin_lists(in, tid))
				return;
			if (++lookups > kMostLookups)
				pg::report_corrupt(in.index, 0, "the directory has lost its lists");
			continue;
		}
		/*
		 * Between the two looks the list may have gone, but its pages stay what they are: this statement's snapshot is older
		 * than the end of the list.
		 */
		lock_list(in.index, near.head, ShareLock);
		bool own_table;
		uint32 begun = 0;
		bool open = open_list(in.index, in.state, near.head, own_table);
		if (open)
		{
			CodedRow row = in.row;
			core::lists::encode_row(in.state->codec, in.centre, own_table, in.v, in.x, tid, row, in.scratch);
			begun = add_rows(in.index, in.state, in.state->codec.shape, near.head, &row, &tid, 1);
		}
		unlock_list(in.index, near.head, ShareLock);
		if (begun > 0)
			split_if_large(in.index, in.state, in.heap, near.head);
		if (open)
			return;
		if (was_closed)
		{
			read_meta(in.index, meta);
			if (meta.directory_version == version)
				pg::report_corrupt(in.index, near.head, "the directory names what is no list");
		}
		was_closed = true;
	}
}

bool
ivf_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap, IndexUniqueCheck, bool,
		   IndexInfo *)
{
	IvfMeta meta;
	IndexState *state = index_state(index, meta);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb ivf row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	uint32 dims = state->codec.shape.code_dims;
	auto *floats = static_cast<float *>(palloc(5 * static_cast<Size>(dims) * sizeof(float)));
	Inserter in{index, heap, state, floats, floats + dims, floats + 2 * dims, floats + 3 * dims, {}};
	if (indexable_row(state, values[0], isnull[0], in.v))
	{
		in.row = new_coded_row(state->codec.shape);
		core::lists::to_code_space(state->codec.space, in.v, in.x, nullptr);
		insert_row(in, row_tid(*tid));
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return false;
}

}  // namespace vecdb::ivf
