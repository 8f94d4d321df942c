/* SPDX-License-Identifier: PostgreSQL
 * Reading the directory: all lists by estimate, the nearest by their centres.
 *
 * Regime: shell.
 * Locks:  one share-locked page at a time.
 * Keeps:  what is returned is one state of the directory: its version is read before and after, and a change in
 *         between begins the reading anew.
 */
#include "ivf/directory.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pg/report.hpp"
#include "vecdb/lists/list_codec.hpp"
#include "vecdb/quantizer/sign_codes.hpp"

namespace vecdb::ivf
{

using namespace core::layout;
using core::quantizer::SignQuery;

/* A directory that is read this often in vain must be damaged. */
constexpr int kRestarts = 100;
/* Where distances overflow. */
constexpr float kNoEstimate = 3e38f;

/* Of the metapage, by hint and without its checksum: index_state has looked at that. */
static uint32
directory_version(Relation index, IndexState *state, BlockNumber &head, uint32 *lists = nullptr)
{
	Buffer buffer = state->hints.visit(index, 0);
	const IvfMeta *meta = page_meta(BufferGetPage(buffer));
	uint32 version = meta->directory_version;
	head = meta->directory;
	if (lists != nullptr)
		*lists = meta->list_count;
	UnlockReleaseBuffer(buffer);
	return version;
}

uint8 *
slot_at(Relation index, IndexState *state, const IvfShape &shape, BlockNumber block, uint32 lane, Buffer &buffer,
		uint8 *scratch)
{
	/* Longer than a page: the parts are put together, and the last page stays pinned. */
	Buffer list = state->hints.visit(index, block);
	Page page = BufferGetPage(list);
	BlockNumber blocks = RelationGetNumberOfBlocks(index);
	uint32 parts[kMaxSlotParts];
	bool good = page_is(page, IvfPageKind::list) && lane < shape.lanes_per_page;
	if (good)
		memcpy(parts, slot_blocks(page) + shape.slot_page_of(lane), shape.pages_per_slot * sizeof(uint32));
	UnlockReleaseBuffer(list);
	for (uint32 i = 0; i < shape.pages_per_slot; i++)
	{
		if (!good || parts[i] == 0 || parts[i] >= blocks)
		{
			/* Replay may have given the page away. */
			if (RecoveryInProgress())
			{
				buffer = state->hints.visit(index, 0);
				return nullptr;
			}
			pg::report_corrupt(index, block, "invalid address of a slot page");
		}
		buffer = state->hints.visit(index, parts[i]);
		page = BufferGetPage(buffer);
		good = page_is(page, IvfPageKind::slots);
		uint32 done = i * kSlotPartBytes;
		uint32 n = shape.slot_bytes - done < kSlotPartBytes ? shape.slot_bytes - done : kSlotPartBytes;
		memcpy(scratch + done, page + kPageHeaderBytes, n);
		if (i + 1 < shape.pages_per_slot)
			UnlockReleaseBuffer(buffer);
	}
	return good ? scratch : nullptr;
}

/*
 * The centre of a list in its slot: pinned and locked in buffer, or copied to scratch. Null: it is no longer there. buffer may be that of the
 * centre before, which is let go unless this one lies there too.
 */
static const float *
centre_at(Relation index, IndexState *state, const NearList &list, Buffer &buffer, uint8 *scratch)
{
	const IvfShape &shape = state->directory;
	const uint8 *slot;
	bool same = BufferIsValid(buffer) && shape.pages_per_slot == 1 && BufferGetBlockNumber(buffer) == list.slot_block;
	if (BufferIsValid(buffer) && !same)
		UnlockReleaseBuffer(buffer);
	if (shape.pages_per_slot > 1)
		slot = slot_at(index, state, shape, list.block, list.lane, buffer, scratch);
	else
	{
		if (!same)
			buffer = state->hints.visit(index, list.slot_block);
		Page page = BufferGetPage(buffer);
		slot = page_is(page, IvfPageKind::slots) ? reinterpret_cast<const uint8 *>(page) + shape.slot_offset(list.lane)
												 : nullptr;
	}
	if (slot == nullptr)
		return nullptr;
	const auto *header = reinterpret_cast<const SlotHeader *>(slot);
	if (tid_block(header->tid) != list.head)
		return nullptr;
	return reinterpret_cast<const float *>(slot + sizeof(SlotHeader));
}

/*
 * One pass over the directory's pages. Reader: ready() before a page is locked, block() for each block with lists, done() with no lock
 * held again.
 */
template <class Reader>
static void
walk_directory(Relation index, IndexState *state, BlockNumber head, Reader &reader)
{
	const IvfShape &shape = state->directory;
	BlockNumber blkno = head;
	BlockNumber length = 0;
	for (uint32 pages = 0; blkno != kNoBlock; pages++)
	{
		CHECK_FOR_INTERRUPTS();
		if (blkno >= length)
			length = RelationGetNumberOfBlocks(index);
		if (blkno == 0 || blkno >= length || pages >= length)
			pg::report_corrupt(index, blkno, "the directory's chain leads astray");
		reader.ready();
		Buffer buffer = state->hints.visit(index, blkno);
		Page page = BufferGetPage(buffer);
		const ListHeader *header = list_header(page);
		bool good = page_is(page, IvfPageKind::list) && (header->flags & kListDirectory) != 0 &&
					header->blocks <= shape.blocks_per_page;
		for (uint32 b = 0; good && b < header->blocks; b++)
			if (core::lists::block_header(list_block(page, shape, b))->live != 0)
				reader.block(page, blkno, b);
		BlockNumber next = header->next;
		UnlockReleaseBuffer(buffer);
		if (!good)
			pg::report_corrupt(index, blkno, "not a page of the directory");
		reader.done(blkno, length);
		blkno = next;
	}
}

static NearList
list_at(const IvfShape &shape, Page page, BlockNumber blkno, uint32 block, uint32 lane, float distance)
{
	const RowTid *tids = core::lists::block_tids(shape, list_block(page, shape, block));
	uint32 at = block * kLanes + lane;
	uint32 slot_block = shape.pages_per_slot == 1 ? slot_blocks(page)[shape.slot_page_of(at)] : 0;
	return NearList{distance, tid_block(tids[lane]), at, blkno, slot_block, false};
}

static void
check_blocks(Relation index, BlockNumber blkno, const NearList *lists, uint32 n)
{
	BlockNumber length = RelationGetNumberOfBlocks(index);
	for (uint32 i = 0; i < n; i++)
		if (lists[i].head >= length || lists[i].slot_block >= length)
			pg::report_corrupt(index, blkno, "the directory names a block that does not exist");
}

/* An entry a list, by estimate. */
struct Estimates
{
	Relation index;
	const IndexState *state;
	const SignQuery &query;
	float g;
	bool by_product;
	NearList *lists;
	uint32 count, capacity;
	uint32 checked;
	BlockNumber greatest;  // block that those behind `checked` name

	void
	ready()
	{
		const uint32 more = state->directory.lanes_per_page;
		if (count + more <= capacity)
			return;
		capacity = std::max(capacity + capacity / 2, state->meta.list_count) + more;
		lists = lists == nullptr
					? static_cast<NearList *>(palloc(capacity * sizeof(NearList)))
					: static_cast<NearList *>(repalloc_huge(lists, static_cast<Size>(capacity) * sizeof(NearList)));
	}

	void
	block(Page page, BlockNumber blkno, uint32 b)
	{
		const IvfShape &shape = state->directory;
		const uint8 *block = list_block(page, shape, b);
		const BlockHeader *h = core::lists::block_header(block);
		float est[kLanes];
		/* |x - c|^2 = |c|^2 + |x|^2 - 2 <x, c>, the last from the code; for products only that counts. */
		core::distance::kernels().fast_scan(
			block + shape.codes_offset, query.lut, query.segments, h->add, h->mul, by_product ? 0.0f : h->add_scale,
			by_product ? h->mul_scale * 0.5f : h->mul_scale, g, query.step, query.bias, 0.0f, est);
		for (uint32 live = h->live; live != 0; live &= live - 1)
		{
			auto lane = static_cast<uint32>(__builtin_ctz(live));
			float distance = std::isfinite(est[lane]) ? est[lane] : kNoEstimate;
			const NearList &list = lists[count++] = list_at(shape, page, blkno, b, lane, distance);
			greatest = std::max({greatest, list.head, list.slot_block});
		}
	}

	void
	done(BlockNumber blkno, BlockNumber &length)
	{
		/* The length may be out of date; one look at it serves all. */
		if (greatest >= length)
		{
			check_blocks(index, blkno, lists + checked, count - checked);
			length = RelationGetNumberOfBlocks(index);
		}
		checked = count;
		greatest = 0;
	}
};

/* Centres that are measured rather than estimated, whatever the estimates are worth: so many floats. */
constexpr Size kCheapFloats = 64 * 1024;

static inline bool
all_cheap(const IvfShape &shape, uint32 lists)
{
	return static_cast<Size>(lists) * shape.code_dims <= kCheapFloats;
}

/* The estimate that `wanted` of the lists do not lie beyond. */
static float
least_estimates(const NearList *lists, uint32 n, uint32 wanted)
{
	if (wanted >= n)
		return std::numeric_limits<float>::infinity();
	auto *sorted = static_cast<float *>(palloc(n * sizeof(float)));
	for (uint32 i = 0; i < n; i++)
		sorted[i] = lists[i].distance;
	std::nth_element(sorted, sorted + wanted, sorted + n);
	float limit = sorted[wanted];
	pfree(sorted);
	return limit;
}

/* Exact distances; lists that have one come in front. */
struct Measure
{
	Relation index;
	IndexState *state;
	const core::distance::Kernels &kernels;
	const float *x;
	bool by_product;
	uint8 *scratch;
	NearList *lists;
	uint32 count;
	uint32 found;
	double squared_errors;  // of their estimates

	/* Of those whose estimate does not lie beyond limit. False: one of them has gone meanwhile. */
	bool
	until(float limit)
	{
		const uint32 dims = state->directory.code_dims;
		Buffer buffer = InvalidBuffer;
		bool good = true;
		/* In the order of their addresses. */
		for (uint32 i = found; i < count && good; i++)
		{
			if (!(lists[i].distance <= limit))
				continue;
			const float *centre = centre_at(index, state, lists[i], buffer, scratch);
			good = centre != nullptr;
			if (!good)
				break;
			float d = state->metric == Metric::l1 ? kernels.l1(x, centre, dims)
					  : by_product                ? -kernels.inner_product(x, centre, dims)
												  : kernels.l2_squared(x, centre, dims);
			/* Sorting needs numbers. */
			if (std::isnan(d))
				d = kNoEstimate;
			double error = static_cast<double>(d) - static_cast<double>(lists[i].distance);
			squared_errors += error * error;
			lists[i].distance = d;
			lists[i].exact = true;
			std::swap(lists[i], lists[found]);
			found++;
		}
		if (BufferIsValid(buffer))
			UnlockReleaseBuffer(buffer);
		return good;
	}

	/*
	 * Of which estimates on can no list be among the `wanted` nearest? How far they are off is seen in those that were measured: by more than
	 * a little where few dimensions or centres to one side of zero make all codes alike.
	 */
	float
	doubtful(uint32 wanted) const
	{
		constexpr double kDeviations = 2;
		if (found == 0 || wanted == 0)
			return -std::numeric_limits<float>::infinity();
		wanted = std::min(wanted, found);
		float last = least_estimates(lists, found, wanted - 1);
		auto limit = static_cast<float>(static_cast<double>(last) +
										kDeviations * std::sqrt(squared_errors / static_cast<double>(found)));
		return std::isfinite(limit) ? limit : std::numeric_limits<float>::infinity();
	}
};

uint32
near_lists(Relation index, IndexState *state, const float *x, bool by_product, uint32 exact, NearList **out)
{
	const IvfShape &shape = state->directory;
	const core::distance::Kernels &kernels = core::distance::kernels();
	const uint32 dims = shape.code_dims;
	const bool l1 = state->metric == Metric::l1;
	auto *lut = static_cast<uint8 *>(palloc(core::quantizer::sign_lut_bytes(shape.sign_dims)));
	SignQuery query = core::quantizer::sign_query(x, shape.sign_dims, lut);
	float g = by_product ? 0 : kernels.inner_product(x, x, dims);
	uint8 *scratch = shape.pages_per_slot > 1 ? static_cast<uint8 *>(palloc(shape.slot_bytes)) : nullptr;
	NearList *lists = nullptr;
	uint32 capacity = 0;
	for (int restarts = 0;;)
	{
		BlockNumber head;
		uint32 version = directory_version(index, state, head);
		Estimates all{index, state, query, g, by_product, lists, 0, capacity, 0, 0};
		walk_directory(index, state, head, all);
		lists = all.lists;
		capacity = all.capacity;
		uint32 n = all.count;
		bool again = false;
		if (n > 0)
		{
			/* As many as make half as many more; then those that estimates may have put too far. L1 has none. */
			uint32 looked_at = l1 || all_cheap(shape, n) ? n : exact + exact / 2 + 12;
			Measure measure{index, state, kernels, x, by_product, scratch, lists, n, 0, 0};
			again = !measure.until(least_estimates(lists, n, looked_at));
			if (!again && measure.found < n)
				again = !measure.until(measure.doubtful(exact));
			uint32 found = measure.found;
			auto nearer = [](const NearList &a, const NearList &b) noexcept {
				return a.distance != b.distance ? a.distance < b.distance : a.head < b.head;
			};
			if (exact < found)
				std::nth_element(lists, lists + exact, lists + found, nearer);
			std::sort(lists, lists + (exact < found ? exact : found), nearer);
		}
		BlockNumber same_head;
		bool same = directory_version(index, state, same_head) == version;
		if (!again && same)
		{
			pfree(lut);
			if (scratch != nullptr)
				pfree(scratch);
			*out = lists;
			return n;
		}
		/* While it changes, others get on; what does not fit together without a change is damage. */
		if (same && ++restarts > kRestarts)
			pg::report_corrupt(index, head, "a centre of the directory does not belong to its list");
	}
}

/* An entry a list, without looking at codes. */
struct Entries
{
	const IndexState *state;
	Relation index;
	NearList *lists;
	uint32 count, capacity;
	uint32 checked;

	void
	ready()
	{
		const uint32 more = state->directory.lanes_per_page;
		if (count + more <= capacity)
			return;
		capacity = std::max(capacity + capacity / 2, state->meta.list_count) + more;
		lists = lists == nullptr
					? static_cast<NearList *>(palloc(capacity * sizeof(NearList)))
					: static_cast<NearList *>(repalloc_huge(lists, static_cast<Size>(capacity) * sizeof(NearList)));
	}

	void
	block(Page page, BlockNumber blkno, uint32 b)
	{
		const IvfShape &shape = state->directory;
		for (uint32 live = core::lists::block_header(list_block(page, shape, b))->live; live != 0; live &= live - 1)
			lists[count++] = list_at(shape, page, blkno, b, static_cast<uint32>(__builtin_ctz(live)), 0);
	}

	void
	done(BlockNumber blkno, BlockNumber &)
	{
		check_blocks(index, blkno, lists + checked, count - checked);
		checked = count;
	}
};

uint32
read_centres(Relation index, IndexState *state, const CentreReader &reader, NearList **lists)
{
	const IvfShape &shape = state->directory;
	uint8 *scratch = shape.pages_per_slot > 1 ? static_cast<uint8 *>(palloc(shape.slot_bytes)) : nullptr;
	Entries all{state, index, nullptr, 0, 0, 0};
	for (int restarts = 0;;)
	{
		BlockNumber head, same_head;
		uint32 version = directory_version(index, state, head);
		all.count = all.checked = 0;
		walk_directory(index, state, head, all);
		reader.begin(reader.self, all.count);
		Buffer buffer = InvalidBuffer;
		bool again = false;
		for (uint32 i = 0; i < all.count && !again; i++)
		{
			const float *centre = centre_at(index, state, all.lists[i], buffer, scratch);
			again = centre == nullptr;
			if (!again)
				reader.take(reader.self, i, centre);
		}
		if (BufferIsValid(buffer))
			UnlockReleaseBuffer(buffer);
		bool same = directory_version(index, state, same_head) == version;
		if (!again && same)
		{
			*lists = all.lists;
			return all.count;
		}
		if (same && ++restarts > kRestarts)
			pg::report_corrupt(index, head, "a centre of the directory does not belong to its list");
	}
}

bool
read_centre(Relation index, IndexState *state, const NearList &list, float *centre)
{
	const IvfShape &shape = state->directory;
	uint8 *scratch = shape.pages_per_slot > 1 ? static_cast<uint8 *>(palloc(shape.slot_bytes)) : nullptr;
	Buffer buffer = InvalidBuffer;
	const float *at = centre_at(index, state, list, buffer, scratch);
	if (at != nullptr)
		memcpy(centre, at, shape.code_dims * sizeof(float));
	UnlockReleaseBuffer(buffer);
	if (scratch != nullptr)
		pfree(scratch);
	return at != nullptr;
}

/*
 * The lists with the least estimates, in no order. For an insert: a quarter of the time of near_lists, as most lists are never looked at
 * one by one.
 */
struct Shortlist
{
	static constexpr uint32 kMost = 32;
	const IvfShape &shape;
	const SignQuery &query;
	float g;
	float limit;  // what does not lie below it has no place
	uint32 count;
	uint32 last;  // of a full one: the one with the greatest
	NearList lists[kMost];

	void
	take(const NearList &list)
	{
		lists[count < kMost ? count++ : last] = list;
		if (count < kMost)
			return;
		last = 0;
		for (uint32 i = 1; i < kMost; i++)
			if (lists[i].distance > lists[last].distance)
				last = i;
		limit = lists[last].distance;
	}

	void
	ready()
	{
	}

	void
	block(Page page, BlockNumber blkno, uint32 b)
	{
		const uint8 *block = list_block(page, shape, b);
		const BlockHeader *h = core::lists::block_header(block);
		float est[kLanes];
		uint32 near = h->live & core::distance::kernels().fast_scan(
									block + shape.codes_offset, query.lut, query.segments, h->add, h->mul, h->add_scale,
									h->mul_scale, g, query.step, query.bias, limit, est);
		for (; near != 0; near &= near - 1)
		{
			auto lane = static_cast<uint32>(__builtin_ctz(near));
			if (est[lane] < limit)
				take(list_at(shape, page, blkno, b, lane, est[lane]));
		}
	}

	void
	done(BlockNumber, BlockNumber &)
	{
	}
};

/* The nearest of the short list, and its centre. False: one of them has gone meanwhile. sure: what is not on it is hardly nearer. */
static bool
nearest_of(Relation index, IndexState *state, const float *x, const Shortlist &near, NearList &list, float *centre,
		   bool &sure)
{
	const IvfShape &shape = state->directory;
	const core::distance::Kernels &kernels = core::distance::kernels();
	uint8 *scratch = shape.pages_per_slot > 1 ? static_cast<uint8 *>(palloc(shape.slot_bytes)) : nullptr;
	Buffer buffer = InvalidBuffer;
	bool good = true, found = false;
	double squared_errors = 0;
	for (uint32 i = 0; i < near.count && good; i++)
	{
		const float *at = centre_at(index, state, near.lists[i], buffer, scratch);
		good = at != nullptr;
		float distance = good ? kernels.l2_squared(x, at, shape.code_dims) : 0;
		double error = static_cast<double>(distance) - static_cast<double>(near.lists[i].distance);
		squared_errors += error * error;
		if (good && (!found || distance < list.distance))
		{
			found = true;
			list = near.lists[i];
			list.distance = distance;
			list.exact = true;
			memcpy(centre, at, shape.code_dims * sizeof(float));
		}
	}
	if (BufferIsValid(buffer))
		UnlockReleaseBuffer(buffer);
	if (scratch != nullptr)
		pfree(scratch);
	sure = near.count < Shortlist::kMost ||
		   static_cast<double>(list.distance) + std::sqrt(squared_errors / near.count) <=
			   static_cast<double>(near.limit);
	return good;
}

/* By estimates; which of lists that are nearly as near a row goes to does not matter. False: those do not tell. */
static bool
nearest_by_estimate(Relation index, IndexState *state, const float *x, NearList &list, float *centre)
{
	const IvfShape &shape = state->directory;
	auto *lut = static_cast<uint8 *>(palloc(core::quantizer::sign_lut_bytes(shape.sign_dims)));
	SignQuery query = core::quantizer::sign_query(x, shape.sign_dims, lut);
	float g = core::distance::kernels().inner_product(x, x, shape.code_dims);
	bool good = false;
	for (int restart = 0; restart < kRestarts && !good; restart++)
	{
		BlockNumber head;
		uint32 lists;
		Shortlist near{state->directory, query, g, std::numeric_limits<float>::infinity(), 0, 0, {}};
		directory_version(index, state, head, &lists);
		if (all_cheap(state->directory, lists))
			break;
		walk_directory(index, state, head, near);
		check_blocks(index, head, near.lists, near.count);
		if (near.count == 0)
			break;
		bool sure;
		good = nearest_of(index, state, x, near, list, centre, sure);
		if (good && !sure)
		{
			good = false;
			break;
		}
	}
	pfree(lut);
	return good;
}

bool
nearest_list(Relation index, IndexState *state, const float *x, NearList &list, float *centre)
{
	constexpr uint32 kExact = 1;
	if (state->metric != Metric::l1 && nearest_by_estimate(index, state, x, list, centre))
		return true;
	for (int restart = 0; restart < kRestarts; restart++)
	{
		NearList *lists = nullptr;
		uint32 n = near_lists(index, state, x, false, kExact, &lists);
		bool good = false;
		if (n > 0)
		{
			list = lists[0];
			good = read_centre(index, state, list, centre);
		}
		if (lists != nullptr)
			pfree(lists);
		if (n == 0)
			return false;
		if (good)
			return true;
	}
	pg::report_corrupt(index, 0, "a centre of the directory does not belong to its list");
	return false;
}

}  // namespace vecdb::ivf
