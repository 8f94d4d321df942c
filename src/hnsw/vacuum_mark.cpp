/* SPDX-License-Identifier: PostgreSQL
 * Steps 1 to 3 of a vacuum: dead rows, emptied chains of equal rows, upper slots of dead nodes.
 *
 * Regime: shell.
 */
#include "hnsw/vacuum.hpp"

#include <algorithm>

#include "pg/report.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;

/* Page visits under one hold of the exclusive graph lock. */
constexpr int kChainSteps = 64;

/*
 * Asks about a row, once only: CREATE INDEX CONCURRENTLY takes down what it is asked about. Nothing but new rows can come
 * to the page before it is locked again, so those known to be gone are met in the same order then.
 */
static void
ask(Vacuum *v, ItemPointerData tid)
{
	if (!v->callback(&tid, v->callback_state))
		return;
	if (v->gone_count == v->gone_capacity)
	{
		v->gone_capacity = v->gone_capacity == 0 ? 64 : v->gone_capacity * 2;
		Size bytes = v->gone_capacity * sizeof(ItemPointerData);
		v->gone = static_cast<ItemPointerData *>(v->gone == nullptr ? palloc(bytes) : repalloc(v->gone, bytes));
	}
	v->gone[v->gone_count++] = tid;
}

static bool
row_is_dead(Vacuum *v, ItemPointerData tid)
{
	bool dead = v->gone_met < v->gone_count && ItemPointerEquals(&tid, &v->gone[v->gone_met]);
	if (dead)
	{
		v->gone_met++;
		v->stats->tuples_removed += 1;
	}
	else
		v->stats->num_index_tuples += 1;
	return dead;
}

static void
mark_base(Vacuum *v, Editor &editor, const NodeHeader *node, uint32 id)
{
	bool has_row = node->tid_offset != 0 && !row_is_dead(v, unpack_tid(pack_tid(*node)));
	if (has_row || (node->tid_offset == 0 && node->duplicates != kInvalidId))
		return;
	NodeHeader *slot = editor.slot(v->state->shape, id);
	set_tid(slot, nullptr);
	if (node->duplicates == kInvalidId)
	{
		slot->state = raw(NodeState::dead);
		set_dead(v, id);
	}
	seal(slot, v->state->shape, id);
}

static void
mark_duplicates(Vacuum *v, Editor &editor, NodeHeader *node, uint32 id)
{
	const HnswShape &shape = v->state->shape;
	uint32 kept = 0;
	for (uint32 i = 0; i < node->lane_count; i++)
	{
		ItemPointerData tid = slot_duplicates(node)[i];
		if (row_is_dead(v, tid))
			continue;
		if (kept != i)
			slot_duplicates(editor.slot(shape, id))[kept] = tid;
		kept++;
	}
	if (kept != node->lane_count)
	{
		NodeHeader *slot = editor.slot(shape, id);
		slot->lane_count = static_cast<uint8>(kept);
		seal(slot, shape, id);
	}
	if (kept == 0)
		v->emptied.push(SlotPair{id, node->link});
}

/* Returns the number of free slots. */
static uint32
mark_slots(Vacuum *v, Editor &editor, BlockNumber blkno)
{
	const HnswShape &shape = v->state->shape;
	Page page = BufferGetPage(editor.buffer);
	uint32 free_slots = 0;
	for (uint32 i = 0; i < shape.slots_per_page; i++)
	{
		uint32 id = blkno * shape.slots_per_page + i;
		NodeHeader *node = slot_header(page, shape, id);
		const char *fault = check_node(*node, shape);
		if (fault != nullptr)
			pg::report_corrupt(v->index, blkno, fault);
		switch (static_cast<NodeState>(node->state))
		{
			case NodeState::free: free_slots++; break;
			case NodeState::dead:
				set_dead(v, id);
				v->leftover = true;
				break;
			case NodeState::duplicate: mark_duplicates(v, editor, node, id); break;
			case NodeState::live:
				if (node->level == 0)
					mark_base(v, editor, node, id);
				else
					v->uppers[node->level].push(SlotPair{id, node->link});
				break;
		}
	}
	return free_slots;
}

/* Asks about the rows of a page. True: there is something to change; most pages have no dead row. */
static bool
ask_page(Vacuum *v, Page page, BlockNumber blkno)
{
	const HnswShape &shape = v->state->shape;
	bool rowless = false;
	v->gone_count = v->gone_met = 0;
	for (uint32 i = 0; i < shape.slots_per_page; i++)
	{
		NodeHeader *node = slot_header(page, shape, blkno * shape.slots_per_page + i);
		if (check_node(*node, shape) != nullptr)
			continue;  // mark_slots reports it
		if (is_state(node, NodeState::live) && node->level == 0)
		{
			if (node->tid_offset != 0)
				ask(v, unpack_tid(pack_tid(*node)));
			else
				rowless = rowless || node->duplicates == kInvalidId;
		}
		else if (is_state(node, NodeState::duplicate))
			for (uint32 k = 0; k < node->lane_count; k++)
				ask(v, slot_duplicates(node)[k]);
	}
	return v->gone_count > 0 || rowless;
}

void
mark_page(Vacuum *v, BlockNumber blkno)
{
	Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool fresh = PageIsNew(page);
	if (!fresh && !page_is(page, PageKind::node))
	{
		bool known = page_is(page, PageKind::detail) || page_is(page, PageKind::mean);
		UnlockReleaseBuffer(buffer);
		if (!known)
			pg::report_corrupt(v->index, blkno, "not a page of a vecdb hnsw index");
		return;
	}
	if (!fresh && ask_page(v, page, blkno))
	{
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	}
	v->node_pages.set(blkno);
	uint32 free_slots = v->state->shape.slots_per_page;
	Editor editor = edit(v->index, buffer);
	if (!fresh)
		free_slots = mark_slots(v, editor, blkno);
	editor.finish();
	/* The map is not WAL-logged: also slots freed long ago are made known again. */
	if (free_slots > 0)
		RecordPageWithFreeSpace(v->index, blkno, kFsmHasSlots);
	if (free_slots == v->state->shape.slots_per_page)
		v->stats->pages_free++;
}

/* --- 2 chains --- */

/* A short hold of the graph lock, renewed now and then. True: it was let go in between. */
static bool
chain_step(Vacuum *v)
{
	if (++v->chain_steps < kChainSteps)
		return false;
	v->chain_steps = 0;
	unlock_graph(v->index, ExclusiveLock);
	pg::vacuum_delay_point_compat();
	CHECK_FOR_INTERRUPTS();
	lock_graph(v->index, ExclusiveLock);
	return true;
}

static void
free_duplicate_slot(Vacuum *v, uint32 id)
{
	Editor editor = edit_slot(v, id);
	make_free(editor.slot(v->state->shape, id));
	editor.finish();
	RecordPageWithFreeSpace(v->index, v->state->shape.block_of(id), kFsmHasSlots);
}

/* Hooks the slot `empty` out of the chain: `before` (the owner, or a slot of its chain) leads to `next` from now on. */
static void
unhook(Vacuum *v, uint32 before, uint32 next)
{
	const HnswShape &shape = v->state->shape;
	Editor editor = edit_slot(v, before);
	NodeHeader *slot = editor.slot(shape, before);
	slot->duplicates = next;
	/* In the same record, since a live node without any row must never be seen. */
	if (next == kInvalidId && is_state(slot, NodeState::live) && slot->tid_offset == 0)
	{
		slot->state = raw(NodeState::dead);
		set_dead(v, before);
	}
	seal(slot, shape, before);
	editor.finish();
}

/*
 * Removes the empty slots of owner's chain. Caller holds the graph lock, exclusive. False: the chain is damaged, so
 * that nothing can be said of slots that were not met.
 */
static bool
clean_chain(Vacuum *v, uint32 owner)
{
	const HnswShape &shape = v->state->shape;
	if (!valid_id(owner, shape, v->blocks) || read_header(v, owner).state != raw(NodeState::live))
		return true;
	uint32 before = owner;
	uint64 met = 0;
	for (;;)
	{
		/* `before` has rows or is the owner, so it stays where it is while the lock is let go. */
		chain_step(v);
		uint32 id = read_header(v, before).duplicates;
		if (id == kInvalidId)
			return true;
		if (!valid_id(id, shape, RelationGetNumberOfBlocks(v->index)) || ++met > v->dead.bits)
			return false;
		NodeHeader slot = read_header(v, id);
		if (!is_state(&slot, NodeState::duplicate) || slot.link != owner)
			return false;
		if (slot.lane_count > 0)
		{
			before = id;
			continue;
		}
		unhook(v, before, slot.duplicates);
		free_duplicate_slot(v, id);
	}
}

void
clean_chains(Vacuum *v)
{
	SlotPairs &emptied = v->emptied;
	if (emptied.count == 0)
		return;
	std::sort(emptied.items, emptied.items + emptied.count,
			  [](const SlotPair &a, const SlotPair &b) noexcept { return a.to != b.to ? a.to < b.to : a.id < b.id; });
	lock_graph(v->index, ExclusiveLock);
	v->chain_steps = 0;
	for (Size i = 0; i < emptied.count;)
	{
		uint32 owner = emptied.items[i].to;
		bool sound = clean_chain(v, owner);
		for (; i < emptied.count && emptied.items[i].to == owner; i++)
		{
			/* What the chain does not lead to is left over from an insert that did not end. */
			chain_step(v);
			NodeHeader slot = read_header(v, emptied.items[i].id);
			if (sound && is_state(&slot, NodeState::duplicate) && slot.link == owner && slot.lane_count == 0)
				free_duplicate_slot(v, emptied.items[i].id);
		}
	}
	unlock_graph(v->index, ExclusiveLock);
}

/* --- 3 uppers --- */

void
mark_upper_layer(Vacuum *v, uint32 level)
{
	const HnswShape &shape = v->state->shape;
	const SlotPairs &slots = v->uppers[level];
	for (Size i = 0; i < slots.count;)
	{
		BlockNumber blkno = shape.block_of(slots.items[i].id);
		Size end = i;
		bool any = false;
		for (; end < slots.count && shape.block_of(slots.items[end].id) == blkno; end++)
			any |= v->dead.test(slots.items[end].to);
		if (any)
		{
			pg::vacuum_delay_point_compat();
			CHECK_FOR_INTERRUPTS();
			Editor editor = edit_slot(v, slots.items[i].id);
			for (Size k = i; k < end; k++)
			{
				const SlotPair &pair = slots.items[k];
				const NodeHeader *now = slot_header(BufferGetPage(editor.buffer), shape, pair.id);
				if (!v->dead.test(pair.to) || !is_state(now, NodeState::live) || now->level != level ||
					now->link != pair.to)
					continue;
				NodeHeader *slot = editor.slot(shape, pair.id);
				slot->state = raw(NodeState::dead);
				seal(slot, shape, pair.id);
				set_dead(v, pair.id);
			}
			editor.finish();
		}
		i = end;
	}
}

}  // namespace vecdb::hnsw
