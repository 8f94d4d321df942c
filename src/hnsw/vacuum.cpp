/* SPDX-License-Identifier: PostgreSQL
 * ambulkdelete and amvacuumcleanup: take dead rows out, mend the graph around them, give their slots back.
 *
 * Regime: shell.
 * Steps:  1 mark      block order: dead TIDs go; base nodes without rows become DEAD (still way points)
 *         2 chains    emptied `duplicate` slots are unhooked and freed; nodes whose chain has emptied become DEAD
 *         3 uppers    the slots of dead nodes on upper layers become DEAD, layer by layer
 *           barrier   inserts that may still link to what is now DEAD are waited for; later ones see DEAD
 *         4 connect   what cannot be reached from the new entry point over live nodes alone is linked from what can
 *         5 entry     the entry point moves to a live node
 *         6 mend      block order: live nodes with a lane to a dead one get new lanes; a live lane goes only where one
 *                     that stays leads to the same node, so that after step 4 nothing depends on the dead any more
 *         7 relink    nodes that lost their last in-link, or most lanes, are searched for and linked again; not before
 *                     step 6 has ended, which would prune the new links away
 *         8 connect   once more, for what inserts did meanwhile
 *           barrier   inserts that may have seen a dead way point are waited for
 *         9 free      DEAD -> FREE
 * Crash:  every change is one page and one record, and after each of them every live node can be reached. Marks outlive a crash or a cancel: the next vacuum takes DEAD slots
 *         into its dead set. A slot is freed only when no live node, chain or entry point leads to it.
 * Locks:  pages one at a time. The graph lock, exclusive: for a moment at the barriers, and for a few page visits at a
 *         time over chain surgery, which so has no inserter beside it. Nothing is locked at a delay point.
 * Scans:  are not waited for. They check each slot they come to; a TID they have copied is of a row that their snapshot
 *         does not see, since the heap lets go of it only after this vacuum.
 * Memory: six bits a slot, 8 bytes for each upper slot, 8 for each emptied slot of duplicates.
 */
#include "hnsw/handler.hpp"
#include "hnsw/repair.hpp"
#include "hnsw/insert.hpp"

#include <algorithm>

#include "pg/report.hpp"
#include "storage/wal.hpp"

namespace vecdb::hnsw
{

using namespace core::layout;
using core::graph::BeamSearch;
using storage::PageChange;

/* Page visits under one hold of the exclusive graph lock. */
constexpr int kChainSteps = 64;

struct SlotPair
{
	uint32 id;
	uint32 to;  // upper slot: the slot below; emptied duplicate slot: its owner
};

struct SlotPairs
{
	SlotPair *items;
	Size count, capacity;

	void
	push(const SlotPair &pair)
	{
		if (count == capacity)
		{
			capacity = capacity == 0 ? 256 : capacity * 2;
			items = static_cast<SlotPair *>(items == nullptr ? palloc(capacity * sizeof(SlotPair))
															 : repalloc_huge(items, capacity * sizeof(SlotPair)));
		}
		items[count++] = pair;
	}
};

struct Vacuum
{
	IndexVacuumInfo *info;
	IndexBulkDeleteResult *stats;
	IndexBulkDeleteCallback callback;
	void *callback_state;
	Relation index;
	IndexState *state;
	BlockNumber blocks;  // when it began
	Bitmap dead;         // slots to be freed
	BlockNumber reach;   // blocks at the barrier: those of live and linked
	Bitmap live;         // slots seen live after the barrier
	Bitmap linked;       // slots that a live one links to
	Bitmap node_pages;   // blocks
	uint64 dead_count;
	bool leftover;  // an earlier vacuum was interrupted
	SlotPairs uppers[kMaxLevel + 1];
	SlotPairs emptied;
	int chain_steps;
};

static constexpr uint8
raw(NodeState state)
{
	return static_cast<uint8>(state);
}

static bool
is_state(const NodeHeader *node, NodeState state)
{
	return node->state == raw(state);
}

static void
set_dead(Vacuum *v, uint32 id)
{
	if (!v->dead.test(id))
		v->dead_count++;
	v->dead.set(id);
}

/* A page in block order, with vacuum's ring of buffers. */
static Buffer
read_block(Vacuum *v, BlockNumber blkno, int mode)
{
	Buffer buffer = ReadBufferExtended(v->index, MAIN_FORKNUM, blkno, RBM_NORMAL, v->info->strategy);
	LockBuffer(buffer, mode);
	return buffer;
}

/* One page being changed: the record begins with the first change. */
struct Editor
{
	Relation index;
	Buffer buffer;
	PageChange change;
	Page copy;

	NodeHeader *
	slot(const HnswShape &shape, uint32 id)
	{
		if (copy == nullptr)
		{
			change = PageChange::begin(index);
			copy = change.page(buffer);
		}
		return slot_header(copy, shape, id);
	}
	void
	finish()
	{
		if (copy != nullptr)
			change.finish();
		UnlockReleaseBuffer(buffer);
	}
};

static Editor
edit(Relation index, Buffer buffer)
{
	return Editor{index, buffer, PageChange{nullptr}, nullptr};
}

static Editor
edit_slot(Vacuum *v, uint32 id)
{
	Buffer buffer = ReadBuffer(v->index, v->state->shape.block_of(id));
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	return edit(v->index, buffer);
}

static bool
row_is_dead(Vacuum *v, ItemPointerData tid)
{
	bool dead = v->callback(&tid, v->callback_state);
	if (dead)
		v->stats->tuples_removed += 1;
	else
		v->stats->num_index_tuples += 1;
	return dead;
}

/* --- 1 mark --- */

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

static void
mark_page(Vacuum *v, BlockNumber blkno)
{
	Buffer buffer = read_block(v, blkno, BUFFER_LOCK_EXCLUSIVE);
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

static NodeHeader
read_header(Vacuum *v, uint32 id)
{
	const HnswShape &shape = v->state->shape;
	Buffer buffer = ReadBuffer(v->index, shape.block_of(id));
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	NodeHeader header;
	memset(static_cast<void *>(&header), 0, sizeof header);
	if (page_is(page, PageKind::node))
		header = *slot_header(page, shape, id);
	UnlockReleaseBuffer(buffer);
	return header;
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

static void
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

static void
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

/* --- 5 entry --- */

/* A live slot of the highest layer that has one. False: nothing lives. Caller holds the entry lock. */
static bool
choose_entry(Vacuum *v, uint32 &id, uint32 &level)
{
	const HnswShape &shape = v->state->shape;
	for (level = kMaxLevel; level > 0; level--)
		for (Size i = 0; i < v->uppers[level].count; i++)
		{
			id = v->uppers[level].items[i].id;
			if (v->dead.test(id))
				continue;
			NodeHeader slot = read_header(v, id);
			if (is_state(&slot, NodeState::live) && slot.level == level)
				return true;
		}
	BlockNumber blocks = RelationGetNumberOfBlocks(v->index);
	for (BlockNumber blkno = 1; blkno < blocks; blkno++)
	{
		if (blkno < v->blocks && !v->node_pages.test(blkno))
			continue;
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		bool found = false;
		for (uint32 i = 0; i < shape.slots_per_page && !found && page_is(page, PageKind::node); i++)
		{
			id = blkno * shape.slots_per_page + i;
			const NodeHeader *slot = slot_header(page, shape, id);
			found = is_state(slot, NodeState::live) && slot->level == 0;
		}
		UnlockReleaseBuffer(buffer);
		if (found)
			return true;
	}
	return false;
}

/* The entry point, or a live slot to take its place. False: nothing lives. */
static bool
new_entry(Vacuum *v, uint32 &id, uint32 &level)
{
	HnswMeta meta;
	read_meta(v->index, meta);
	id = meta.entry_id;
	level = meta.entry_level;
	return id != kInvalidId && (!v->dead.test(id) || choose_entry(v, id, level));
}

/* found: id and level are what new_entry has found, and all is linked from there. */
static void
move_entry(Vacuum *v, bool found, uint32 id, uint32 level)
{
	HnswMeta meta;
	read_meta(v->index, meta);
	if (meta.entry_id == kInvalidId || !v->dead.test(meta.entry_id))
		return;
	lock_entry(v->index);
	read_meta(v->index, meta);
	if (meta.entry_id != kInvalidId && v->dead.test(meta.entry_id))
	{
		/*
		 * Where nothing lives, an inserter that has met dead nodes only waits for the entry lock, and then makes its own
		 * node the entry point.
		 */
		if (found || choose_entry(v, id, level))
			set_entry(v->index, id, level);
		else
			set_entry(v->index, kInvalidId, 0);
	}
	unlock_entry(v->index);
}

/* Waits for the inserts under way. */
static void
barrier(Vacuum *v)
{
	lock_graph(v->index, ExclusiveLock);
	unlock_graph(v->index, ExclusiveLock);
}

/* --- 6 mend --- */

static void
relink(Vacuum *v, Linker *linker, uint32 id)
{
	pg::vacuum_delay_point_compat();
	CHECK_FOR_INTERRUPTS();
	lock_graph(v->index, ShareLock);
	relink_node(linker, id);
	unlock_graph(v->index, ShareLock);
}

static void
mend_slots(Vacuum *v, Repairer *repairer, Page page, BlockNumber blkno, SlotPairs &weak)
{
	const HnswShape &shape = v->state->shape;
	for (uint32 i = 0; i < shape.slots_per_page; i++)
	{
		uint32 id = blkno * shape.slots_per_page + i;
		NodeHeader *node = slot_header(page, shape, id);
		const char *fault = check_node(*node, shape);
		if (fault != nullptr)
			pg::report_corrupt(v->index, blkno, fault);
		if (!is_state(node, NodeState::live))
			continue;
		v->live.set(id);
		const uint32 *lanes = slot_lanes(node, shape);
		uint32 count = node->lane_count;
		bool hurt = false;
		for (uint32 k = 0; k < count && !hurt; k++)
			hurt = v->dead.test(lanes[k]);
		uint32 mended[BeamSearch::kMaxLanes];
		if (hurt)
		{
			pg::vacuum_delay_point_compat();
			uint32 was;
			count = repair_node(repairer, id, mended, was);
			lanes = mended;
			hurt = count < was;
		}
		/* Upper nodes mended by a vacuum that was interrupted no longer show it. */
		if (count < v->state->meta.m / 2u && (hurt || (v->leftover && node->level > 0)))
			weak.push(SlotPair{id, 0});
		for (uint32 k = 0; k < count; k++)
			v->linked.set(lanes[k]);
	}
}

static void
mend_graph(Vacuum *v, Repairer *repairer, SlotPairs &weak)
{
	char *page = static_cast<char *>(palloc(BLCKSZ));
	/* Later blocks too: inserts under way at the first barrier may have linked to dead nodes from there. */
	BlockNumber blocks = RelationGetNumberOfBlocks(v->index);
	for (BlockNumber blkno = 1; blkno < blocks; blkno++)
	{
		if (blkno < v->blocks && !v->node_pages.test(blkno))
			continue;
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
		memcpy(page, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		if (page_is(page, PageKind::node))
			mend_slots(v, repairer, page, blkno, weak);
	}
	pfree(page);
}

/* --- 7 relink --- */

static void
relink_nodes(Vacuum *v, Linker *linker, const SlotPairs &weak)
{
	for (Size i = 0; i < weak.count; i++)
	{
		relink(v, linker, weak.items[i].id);
		v->linked.set(weak.items[i].id);
	}
	HnswMeta meta;
	read_meta(v->index, meta);
	for (uint64 word = 0; word <= v->live.bits / 64; word++)
	{
		uint64 lonely = v->live.words[word] & ~v->linked.words[word];
		for (; lonely != 0; lonely &= lonely - 1)
		{
			auto id = static_cast<uint32>(word * 64 + static_cast<uint64>(__builtin_ctzll(lonely)));
			if (id != meta.entry_id)
				relink(v, linker, id);
		}
	}
}

/* --- 4 and 8 connect --- */

static bool
any_bit(const Bitmap &bits, uint64 first, uint32 n)
{
	bool any = false;
	for (uint32 i = 0; i < n && !any; i++)
		any = bits.test(first + i);
	return any;
}

/* Follows the links of the pending slots of one page, again and again while they stay on it. */
static void
spread_page(Vacuum *v, BlockNumber blkno, Bitmap &reached, Bitmap &pending)
{
	const HnswShape &shape = v->state->shape;
	uint64 first = static_cast<uint64>(blkno) * shape.slots_per_page;
	Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
	Page page = BufferGetPage(buffer);
	bool good = page_is(page, PageKind::node);
	do
	{
		for (uint32 i = 0; i < shape.slots_per_page; i++)
		{
			if (!pending.test(first + i))
				continue;
			pending.clear(first + i);
			NodeHeader *node = slot_header(page, shape, static_cast<uint32>(first + i));
			if (!good || !is_state(node, NodeState::live) || check_node(*node, shape) != nullptr)
				continue;
			const uint32 *lanes = slot_lanes(node, shape);
			for (uint32 k = 0; k < node->lane_count; k++)
				if (!reached.test(lanes[k]))
				{
					reached.set(lanes[k]);
					pending.set(lanes[k]);
				}
		}
	} while (any_bit(pending, first, shape.slots_per_page));
	UnlockReleaseBuffer(buffer);
}

/* Sweeps over the pages in block order until nothing new is reached: two or three do, mostly. */
static void
spread(Vacuum *v, Bitmap &reached, Bitmap &pending)
{
	uint32 slots = v->state->shape.slots_per_page;
	for (bool more = true; more;)
	{
		more = false;
		for (BlockNumber blkno = 1; blkno < v->reach; blkno++)
		{
			if (!any_bit(pending, static_cast<uint64>(blkno) * slots, slots))
				continue;
			pg::vacuum_delay_point_compat();
			CHECK_FOR_INTERRUPTS();
			spread_page(v, blkno, reached, pending);
			more = true;
		}
	}
}

/* The same from one slot on, page by page as the links lead. */
static void
spread_from(Vacuum *v, uint32 id, Bitmap &reached, SlotPairs &stack)
{
	const HnswShape &shape = v->state->shape;
	reached.set(id);
	stack.push(SlotPair{id, 0});
	while (stack.count > 0)
	{
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		uint32 here = stack.items[--stack.count].id;
		Buffer buffer = ReadBuffer(v->index, shape.block_of(here));
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		NodeHeader *node = slot_header(BufferGetPage(buffer), shape, here);
		uint32 lanes[BeamSearch::kMaxLanes];
		uint32 count = is_state(node, NodeState::live) && check_node(*node, shape) == nullptr ? node->lane_count : 0;
		memcpy(lanes, slot_lanes(node, shape), count * sizeof(uint32));
		UnlockReleaseBuffer(buffer);
		for (uint32 k = 0; k < count; k++)
			if (lanes[k] < reached.bits && !reached.test(lanes[k]))
			{
				reached.set(lanes[k]);
				stack.push(SlotPair{lanes[k], 0});
			}
	}
}

/* What lives now. */
static void
collect_live(Vacuum *v)
{
	const HnswShape &shape = v->state->shape;
	v->reach = RelationGetNumberOfBlocks(v->index);
	uint64 slots = static_cast<uint64>(v->reach) * shape.slots_per_page;
	v->live.init(slots);
	v->linked.init(slots);
	for (BlockNumber blkno = 1; blkno < v->reach; blkno++)
	{
		if (blkno < v->blocks && !v->node_pages.test(blkno))
			continue;
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = read_block(v, blkno, BUFFER_LOCK_SHARE);
		Page page = BufferGetPage(buffer);
		for (uint32 i = 0; i < shape.slots_per_page && page_is(page, PageKind::node); i++)
			if (is_state(slot_header(page, shape, blkno * shape.slots_per_page + i), NodeState::live))
				v->live.set(static_cast<uint64>(blkno) * shape.slots_per_page + i);
		UnlockReleaseBuffer(buffer);
	}
}

/*
 * On each layer, every node is to be reached over live ones from the slot of entry_id: links alone, however many, can
 * form islands when rows come and go in clusters. Paths through nodes inserted meanwhile are not seen; that costs a link
 * too many.
 */
static void
connect_graph(Vacuum *v, Linker *linker, uint32 entry_id, uint32 entry_level)
{
	Bitmap reached, pending;
	reached.init(v->live.bits);
	pending.init(v->live.bits);
	linker->store.layer = entry_level;
	for (uint32 id = entry_id; id != kInvalidId;)
	{
		reached.set(id);
		pending.set(id);
		/* Inserted meanwhile, so that it has no bit: begin with its neighbours. */
		if (id >= reached.bits)
		{
			SlotPairs stack{};
			spread_from(v, id, reached, stack);
		}
		id = linker->store.layer == 0 ? kInvalidId : slot_below(linker->store, id);
	}
	spread(v, reached, pending);
	SlotPairs stack{};
	for (uint64 word = 0; word <= v->live.bits / 64; word++)
		for (;;)
		{
			uint64 lost = v->live.words[word] & ~reached.words[word];
			if (lost == 0)
				break;
			auto id = static_cast<uint32>(word * 64 + static_cast<uint64>(__builtin_ctzll(lost)));
			pg::vacuum_delay_point_compat();
			CHECK_FOR_INTERRUPTS();
			lock_graph(v->index, ShareLock);
			reconnect_node(linker, id, &reached);
			unlock_graph(v->index, ShareLock);
			spread_from(v, id, reached, stack);
		}
}

/* --- 9 free --- */

static void
free_dead_slots(Vacuum *v)
{
	const HnswShape &shape = v->state->shape;
	for (BlockNumber blkno = 1; blkno < v->blocks; blkno++)
	{
		uint64 first = static_cast<uint64>(blkno) * shape.slots_per_page;
		if (!any_bit(v->dead, first, shape.slots_per_page))
			continue;
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		Buffer buffer = read_block(v, blkno, BUFFER_LOCK_EXCLUSIVE);
		Page page = BufferGetPage(buffer);
		Editor editor = edit(v->index, buffer);
		uint32 used = 0;
		for (uint32 i = 0; i < shape.slots_per_page; i++)
		{
			auto id = static_cast<uint32>(first + i);
			const NodeHeader *now = slot_header(page, shape, id);
			if (v->dead.test(id) && is_state(now, NodeState::dead))
				make_free(editor.slot(shape, id));
			else
				used += is_state(now, NodeState::free) ? 0 : 1;
		}
		editor.finish();
		RecordPageWithFreeSpace(v->index, blkno, kFsmHasSlots);
		if (used == 0)
			v->stats->pages_free++;
	}
}

static void
bulk_delete(Vacuum *v)
{
	HnswMeta meta;
	v->state = index_state(v->index, meta);
	v->blocks = RelationGetNumberOfBlocks(v->index);
	uint64 slots = static_cast<uint64>(v->blocks) * v->state->shape.slots_per_page;
	v->dead.init(slots);
	v->node_pages.init(v->blocks);

	for (BlockNumber blkno = 1; blkno < v->blocks; blkno++)
	{
		pg::vacuum_delay_point_compat();
		CHECK_FOR_INTERRUPTS();
		mark_page(v, blkno);
	}
	clean_chains(v);
	for (uint32 level = 1; level <= kMaxLevel; level++)
		mark_upper_layer(v, level);
	if (v->dead_count == 0)
		return;
	barrier(v);

	Linker *linker = make_linker(v->index, v->state);
	Repairer *repairer = make_repairer(linker, &v->dead);
	collect_live(v);
	uint32 entry_id, entry_level;
	bool found = new_entry(v, entry_id, entry_level);
	if (found)
		connect_graph(v, linker, entry_id, entry_level);
	move_entry(v, found, entry_id, entry_level);
	SlotPairs weak{};
	mend_graph(v, repairer, weak);
	relink_nodes(v, linker, weak);
	if (new_entry(v, entry_id, entry_level))
		connect_graph(v, linker, entry_id, entry_level);
	barrier(v);
	free_dead_slots(v);
}

IndexBulkDeleteResult *
hnsw_bulk_delete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
				 void *callback_state)
{
	if (stats == nullptr)
		stats = static_cast<IndexBulkDeleteResult *>(palloc0(sizeof(IndexBulkDeleteResult)));
	/* Counted anew in every round of a vacuum; what was removed adds up. */
	stats->num_index_tuples = 0;
	stats->pages_free = 0;
	stats->estimated_count = false;

	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vecdb hnsw vacuum", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	auto *v = static_cast<Vacuum *>(palloc0(sizeof(Vacuum)));
	v->info = info;
	v->stats = stats;
	v->callback = callback;
	v->callback_state = callback_state;
	v->index = info->index;
	bulk_delete(v);
	FreeSpaceMapVacuum(info->index);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	return stats;
}

IndexBulkDeleteResult *
hnsw_vacuum_cleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	/* Nothing was deleted, so nothing was counted: the planner's estimate from the heap is as good. */
	if (info->analyze_only || stats == nullptr)
		return stats;
	stats->num_pages = RelationGetNumberOfBlocks(info->index);
	/* Rows that came or went behind the counting pass can show as more rows than the heap has. */
	if (!info->estimated_count && stats->num_index_tuples > info->num_heap_tuples)
		stats->num_index_tuples = info->num_heap_tuples;
	return stats;
}

}  // namespace vecdb::hnsw
