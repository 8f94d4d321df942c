/* SPDX-License-Identifier: PostgreSQL
 * Let found nodes leave in the exact order of their SQL distance, reading as few of them again as possible.
 *
 * Regime: core template (shell frames): plain data over a Memory handle.
 * Each node enters with a coarse interval that holds its true distance. The nearest by lower bound are refined
 * (16-bit code) until no unrefined node can be nearer than the best refined one. A node whose refined interval
 * meets no other's leaves as certain; the others leave with their lower bound, for the executor to recheck.
 *
 * Refiner: bool refine(std::uint32_t id, Interval &out, std::uint64_t &payload)   false: the node is gone
 *          Metric metric()
 * Both may leave by longjmp.
 *
 * Keeps: the values of successive rows do not decrease, but for rows found by a later, wider search that lie before
 * a row already returned. Those are kept aside and come last: late, never lost.
 */
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "vecdb/base/memory.hpp"
#include "vecdb/graph/beam_search.hpp"
#include "vecdb/graph/code_distance.hpp"

namespace vecdb::core::graph
{

struct OrderedNode
{
	Interval interval;
	std::uint64_t payload;
	std::uint32_t id;
	bool certain;  // its interval meets no other's: no recheck
	bool late;     // out of order
};

/* What happens to a row found after a farther one has left. */
enum class LateRows : std::uint8_t
{
	last,   // kept aside: comes when nothing else is left
	now,    // leaves at once, out of order
	never,  // dropped
};

struct ExactOrder
{
	struct Item
	{
		Interval interval;
		std::uint64_t payload;  // whatever refine() read with it
		std::uint32_t id;
	};

	Memory memory;
	Item *pending;  // coarse, sorted by descending lower bound: the nearest is the last
	Item *refined;  // binary heap, least lower bound first
	Item *late;
	std::uint32_t pending_count, pending_capacity;
	std::uint32_t refined_count, refined_capacity;
	std::uint32_t late_count, late_capacity, late_next;
	double last_value;
	double last_upper;
	std::uint64_t refinements;
	LateRows late_rows;
	bool estimates;  // coarse intervals are no bounds: they say in which order to refine, and no more

	void
	init(Memory mem) noexcept
	{
		late_rows = LateRows::last;
		estimates = false;
		memory = mem;
		pending = refined = late = nullptr;
		pending_capacity = refined_capacity = late_capacity = 0;
		reset();
	}

	void
	reset() noexcept
	{
		pending_count = refined_count = late_count = late_next = 0;
		last_value = last_upper = -std::numeric_limits<double>::infinity();
		refinements = 0;
	}

	bool
	reserve(Item *&items, std::uint32_t used, std::uint32_t &capacity, std::uint32_t wanted) noexcept
	{
		if (wanted <= capacity)
			return true;
		std::uint32_t bigger_capacity = wanted < 64 ? 64 : wanted + wanted / 2;
		Item *bigger = memory.array<Item>(bigger_capacity);
		if (bigger == nullptr)
			return false;
		if (used > 0)
			std::memcpy(static_cast<void *>(bigger), items, used * sizeof *items);
		memory.release(items);
		items = bigger;
		capacity = bigger_capacity;
		return true;
	}

	/* A bound that is no number (overflow, damaged factors) says nothing. */
	static Interval
	sane(Interval i, Metric metric) noexcept
	{
		if (i.lower <= i.upper && i.lower <= i.middle && i.middle <= i.upper)
			return i;
		double infinity = std::numeric_limits<double>::infinity();
		double low = metric == Metric::inner_product ? -infinity : 0.0;
		return Interval{low, std::isnan(i.middle) ? low : std::fmax(i.middle, low), infinity};
	}

	/* Both hold the distance. Successive lower bounds must not decrease because a better bound is lower than the first. */
	static Interval
	narrowed(Interval coarse, Interval fine) noexcept
	{
		Interval i{std::fmax(coarse.lower, fine.lower), fine.middle, std::fmin(coarse.upper, fine.upper)};
		if (!(i.lower <= i.upper))
			return fine;  // damaged factors
		i.middle = std::fmin(std::fmax(i.middle, i.lower), i.upper);
		return i;
	}

	/* Nodes from BeamSearch::take. False: no memory. */
	bool
	add(const CodeQuery &query, const Scored *found, std::uint32_t n) noexcept
	{
		if (!reserve(pending, pending_count, pending_capacity, pending_count + n))
			return false;
		for (std::uint32_t i = 0; i < n; i++)
		{
			double d = static_cast<double>(found[i].distance);
			double error = static_cast<double>(found[i].error);
			Interval coarse;
			/* Inner product: the store has turned the error into one of the product (it knows the norm). What it made of it for
			 * other sparse rows, operator_interval knows. */
			if (query.metric == Metric::inner_product)
				coarse = Interval{d - error, d, d + error};
			else
				/* The code's own norm is not at hand, but |v| <= |q| + d. */
				coarse = operator_interval(query, d, error, query.norm + std::sqrt(std::fabs(d)), true);
			pending[pending_count++] = Item{sane(coarse, query.metric), 0, found[i].id};
		}
		sort_pending();
		return true;
	}

	/* Of equal lower bounds (plateaus of scores) the surer one comes first: what is on the plateau for certain. */
	void
	sort_pending() noexcept
	{
		std::sort(pending, pending + pending_count, [](const Item &a, const Item &b) noexcept {
			return a.interval.lower != b.interval.lower   ? a.interval.lower > b.interval.lower
				   : a.interval.upper != b.interval.upper ? a.interval.upper > b.interval.upper
														  : a.id > b.id;
		});
	}

	/* Forgets what has not left yet; the order of what comes goes on from what has. */
	void
	forget_pending() noexcept
	{
		pending_count = refined_count = 0;
	}

	/* Nodes whose intervals the caller has worked out, in the operator's units. False: no memory. */
	bool
	add_intervals(Metric metric, const Interval *intervals, const std::uint32_t *ids, std::uint32_t n) noexcept
	{
		if (!reserve(pending, pending_count, pending_capacity, pending_count + n))
			return false;
		for (std::uint32_t i = 0; i < n; i++)
			pending[pending_count++] = Item{sane(intervals[i], metric), 0, ids[i]};
		sort_pending();
		return true;
	}

	/* The ids that next() will refine first. */
	std::uint32_t
	nearest_pending(std::uint32_t *ids, std::uint32_t most) const noexcept
	{
		std::uint32_t n = pending_count < most ? pending_count : most;
		for (std::uint32_t i = 0; i < n; i++)
			ids[i] = pending[pending_count - 1 - i].id;
		return n;
	}

	static bool
	heap_after(const Item &a, const Item &b) noexcept
	{
		return a.interval.lower != b.interval.lower ? a.interval.lower > b.interval.lower
													: a.interval.upper > b.interval.upper;
	}

	/* The next node, or false: none is left of those added (out_of_memory tells the other reason). */
	template <class Refiner>
	bool
	next(Refiner &refiner, OrderedNode &out, bool &out_of_memory)
	{
		out_of_memory = false;
		for (;;)
		{
			while (pending_count > 0 &&
				   (refined_count == 0 || pending[pending_count - 1].interval.lower < refined[0].interval.upper))
			{
				if (!reserve(refined, refined_count, refined_capacity, refined_count + 1))
				{
					out_of_memory = true;
					return false;
				}
				Item item = pending[pending_count - 1];
				Interval coarse = item.interval;
				pending_count--;
				refinements++;
				if (!refiner.refine(item.id, item.interval, item.payload))
					continue;
				Interval fine = sane(item.interval, refiner.metric());
				item.interval = estimates ? fine : narrowed(coarse, fine);
				refined[refined_count++] = item;
				std::push_heap(refined, refined + refined_count, heap_after);
			}
			if (refined_count == 0)
				return false;
			std::pop_heap(refined, refined + refined_count, heap_after);
			Item best = refined[--refined_count];
			/* What may be nearer than a row that the executor has let go: that one was not farther than last_value. */
			if (best.interval.lower < last_value)
			{
				if (late_rows == LateRows::never)
					continue;
				if (late_rows == LateRows::now)
				{
					out = OrderedNode{best.interval, best.payload, best.id, true, true};
					return true;
				}
				if (!reserve(late, late_count, late_capacity, late_count + 1))
				{
					out_of_memory = true;
					return false;
				}
				late[late_count++] = best;
				continue;
			}
			bool alone = best.interval.lower >= last_upper &&
						 (refined_count == 0 || best.interval.upper <= refined[0].interval.lower);
			last_upper = std::max(last_upper, best.interval.upper);
			last_value = std::max(last_value, alone ? best.interval.middle : best.interval.lower);
			out = OrderedNode{best.interval, best.payload, best.id, alone, false};
			return true;
		}
	}

	/* The rows kept aside, when the stream has ended. */
	bool
	next_late(OrderedNode &out) noexcept
	{
		if (late_next == late_count)
			return false;
		const Item &item = late[late_next++];
		out = OrderedNode{item.interval, item.payload, item.id, true, true};
		return true;
	}
};

}  // namespace vecdb::core::graph
