/* SPDX-License-Identifier: PostgreSQL
 * Best-first search in a proximity graph as a resumable stream of scored nodes.
 *
 * Regime: core template; runs in shell frames, so everything is plain data over a Memory handle.
 * Source: the layer search of HNSW (Malkov, Yashunin 2016, algorithm 2). Difference: nothing is thrown away.
 * Nodes beyond the threshold stay in the pool, so that a larger ef goes on where the last one stopped.
 *
 * The pool is a bucket queue: kBuckets linear ranges of distance, a bitmap of those with unexpanded nodes, and
 * counts of live nodes from which the threshold (the distance of the ef-th best) follows. Insert and pop are O(1);
 * a sorted array costs 2-3.5 times the whole search.
 *
 * Store: trivially destructible, with
 *   unsigned neighbors(std::uint32_t id, std::uint32_t *out)          ids of its out-links, at most max_lanes
 *   void score(const std::uint32_t *ids, unsigned n, Scored *out)     id, distance, error of each, in any order;
 *                                                                    error < 0: a way point only (dead); distance
 *                                                                    NaN: no such node
 *   void prefetch(std::uint32_t id)                                   will be expanded next
 *   void poll()                                                       called between expansions, no lock held
 * Any of these may leave by longjmp.
 */
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "vecdb/base/memory.hpp"
#include "vecdb/base/visited_set.hpp"

namespace vecdb::core::graph
{

/* A store may say that a search is to end with what it has: bool halted(). */
template <class Store>
bool
is_halted(Store &store)
{
	if constexpr (requires { store.halted(); })
		return store.halted();
	else
		return false;
}

struct Scored
{
	float distance;
	float error;
	std::uint32_t id;
	std::int32_t next;
};

struct BeamSearch
{
	static constexpr int kBuckets = 1024;
	static constexpr unsigned kMaxLanes = 256;
	static constexpr unsigned kBeam = 2;
	static constexpr unsigned kWave = 4;  // of run_estimates
	static constexpr std::uint32_t kWide = 8192;
	static constexpr float kFarthest = 1e37f;  // all beyond count as this far: sums and differences below stay finite
	static constexpr std::int32_t kEnd = -1, kExpanded = -2, kTaken = -3, kFar = -4;

	Memory memory;
	VisitedSet visited;
	Scored *entries;
	std::uint32_t count, capacity;
	std::uint32_t ef;
	std::uint32_t live_linked;  // live nodes in buckets 0..last
	std::uint32_t expansions, scored;
	Scored *results;  // of run_estimates: nodes seen, dead ones too
	std::uint32_t result_count, result_capacity;
	int last;  // bucket of the ef-th best; kBuckets - 1 while there are fewer
	float lo, hi, inverse_step, nearest;
	std::int32_t head[kBuckets];
	std::uint32_t live[kBuckets];
	std::uint64_t bitmap[kBuckets / 64];
	std::uint32_t summary;

	bool
	init(Memory mem, std::uint32_t ef_hint) noexcept
	{
		memory = mem;
		capacity = ef_hint * 32 < 4096 ? 4096 : ef_hint * 32;
		results = nullptr;
		result_count = result_capacity = 0;
		lo = hi = inverse_step = 0;  // for reset_near()
		entries = memory.array<Scored>(capacity);
		return entries != nullptr && visited.init(memory, 1024);
	}

	void
	reset(std::uint32_t new_ef) noexcept
	{
		visited.clear();
		count = 0;
		ef = new_ef;
		expansions = scored = 0;
		result_count = 0;
		lo = hi = 0;
		nearest = std::numeric_limits<float>::infinity();
		clear_buckets();
	}

	/* As reset(), for a search like the last one: its range of distances will do. */
	void
	reset_near(std::uint32_t new_ef) noexcept
	{
		float old_lo = lo, old_hi = hi;
		reset(new_ef);
		lo = old_lo;
		hi = old_hi;
	}

	void
	clear_buckets() noexcept
	{
		std::memset(head, 0xff, sizeof head);
		std::memset(live, 0, sizeof live);
		std::memset(bitmap, 0, sizeof bitmap);
		summary = 0;
		live_linked = 0;
		last = kBuckets - 1;
	}

	bool
	full() const noexcept
	{
		return live_linked >= ef;
	}

	int
	bucket(float distance) const noexcept
	{
		float b = (distance - lo) * inverse_step;
		return b <= 0 ? 0 : b >= static_cast<float>(kBuckets - 1) ? kBuckets - 1 : static_cast<int>(b);
	}

	/* Above all that lies in buckets 0..last, whatever the roundings in bucket() and here: a rebuild up to it keeps them. */
	float
	threshold() const noexcept
	{
		if (!full())
			return std::numeric_limits<float>::infinity();
		return lo + static_cast<float>(last + 1) / inverse_step + 4 * 0x1p-23f * (std::fabs(lo) + std::fabs(hi));
	}

	void
	link(std::int32_t i) noexcept
	{
		Scored &e = entries[i];
		int b = bucket(e.distance);
		if (b > last)
		{
			if (e.next > kExpanded)
				e.next = kFar;
			return;
		}
		if (e.next != kExpanded && e.next != kTaken)
		{
			e.next = head[b];
			head[b] = i;
			bitmap[b >> 6] |= std::uint64_t{1} << (b & 63);
			summary |= 1u << (b >> 6);
		}
		if (e.error < 0)
			return;
		live[b]++;
		live_linked++;
		while (last > 0 && live_linked - live[last] >= ef)
			live_linked -= live[last--];
	}

	/* Narrower buckets would be below the resolution of float. */
	float
	least_step() const noexcept
	{
		return (std::fabs(hi) + std::fabs(lo)) * 1e-7f + 1e-37f;
	}

	/*
	 * Would the buckets up to the threshold do with a quarter of the range? Not only where the threshold lies low: all distances
	 * can lie far from lo (inner products with a common offset), in so few buckets that the threshold tells none apart.
	 */
	bool
	too_coarse() const noexcept
	{
		return (last < kBuckets / 4 || live_linked / 2 > ef) && full() && 4 * (threshold() - nearest) < hi - lo &&
			   hi - lo > 2 * kBuckets * least_step();
	}

	/* Spread [new_lo, new_hi) over the buckets and link everything again; what lies beyond stays far. */
	void
	rebuild(float new_lo, float new_hi) noexcept
	{
		lo = new_lo;
		hi = new_hi;
		float step = (hi - lo) / static_cast<float>(kBuckets);
		float least = least_step();
		if (!(step > least))
		{
			step = least;
			hi = lo + step * static_cast<float>(kBuckets);
		}
		inverse_step = 1 / step;
		clear_buckets();
		for (std::uint32_t i = 0; i < count; i++)
		{
			Scored &e = entries[i];
			if (e.next > kExpanded)
				e.next = kFar;
			if (e.distance < hi)
				link(static_cast<std::int32_t>(i));
		}
	}

	/* False: no memory. */
	bool
	insert(const Scored &node) noexcept
	{
		if (count == capacity)
		{
			Scored *bigger = memory.array<Scored>(static_cast<std::size_t>(capacity) * 2);
			if (bigger == nullptr || capacity > (1u << 30))
				return false;
			std::memcpy(bigger, entries, count * sizeof *entries);
			memory.release(entries);
			entries = bigger;
			capacity *= 2;
		}
		std::int32_t i = static_cast<std::int32_t>(count++);
		entries[i] = node;
		entries[i].next = kFar;
		float distance = node.distance;
		if (!(std::fabs(distance) < kFarthest))
			entries[i].distance = distance = distance < 0 ? -kFarthest : kFarthest;
		if (distance < nearest)
			nearest = distance;
		if (i == 0 && !(lo <= distance && distance < hi))
		{
			float size = std::fabs(distance);
			rebuild(distance - size, distance + 0.75f * size);
		}
		else if (distance >= hi)
		{
			if (!full())
				rebuild(lo, lo + 2 * (distance - lo));
		}
		else if (distance < lo)
		{
			float top = full() ? threshold() : hi;
			rebuild(distance - 0.25f * (top - distance), top);
		}
		else
		{
			link(i);
			if (too_coarse())
			{
				float top = threshold();
				rebuild(nearest - 1e-3f * (top - nearest), top);
			}
		}
		return true;
	}

	int
	first_bucket() const noexcept
	{
		if (summary == 0)
			return kBuckets;
		int word = __builtin_ctz(summary);
		return word * 64 + __builtin_ctzll(bitmap[word]);
	}

	/* The nearest unexpanded node within the threshold (to the width of a bucket). */
	bool
	pop(std::uint32_t &id) noexcept
	{
		int b = first_bucket();
		if (b > last || b >= kBuckets)
			return false;
		Scored &e = entries[head[b]];
		id = e.id;
		head[b] = e.next;
		e.next = kExpanded;
		if (head[b] < 0)
		{
			bitmap[b >> 6] &= ~(std::uint64_t{1} << (b & 63));
			if (bitmap[b >> 6] == 0)
				summary &= ~(1u << (b >> 6));
		}
		return true;
	}

	bool
	peek(std::uint32_t &id) const noexcept
	{
		int b = first_bucket();
		if (b > last || b >= kBuckets)
			return false;
		id = entries[head[b]].id;
		return true;
	}

	/* Go on with a larger ef: bring far nodes back in. */
	void
	widen(std::uint32_t new_ef) noexcept
	{
		if (new_ef <= ef)
			return;
		ef = new_ef;
		float top = nearest;
		for (std::uint32_t i = 0; i < count; i++)
			if (entries[i].distance > top)
				top = entries[i].distance;
		if (count > 0)
			rebuild(nearest - 1e-3f * (top - nearest), top + 1e-3f * (top - nearest) + 1e-30f);
		if (too_coarse())
		{
			top = threshold();
			rebuild(nearest - 1e-3f * (top - nearest), top);
		}
	}

	/* Score an entry point. False: no memory. */
	template <class Store>
	bool
	add_entry(Store &store, std::uint32_t id)
	{
		int fresh = visited.add(id);
		if (fresh <= 0)
			return fresh == 0;
		Scored s;
		s.id = id;
		store.score(&id, 1, &s);
		scored++;
		return std::isnan(s.distance) || insert(s);
	}

	/* A start for run() whose neighbours are looked at whatever its distance. False: no memory. */
	template <class Store>
	bool
	expand_scored_entry(Store &store, std::uint32_t id)
	{
		std::uint32_t ids[kMaxLanes];
		if (!add_entry(store, id))
			return false;
		unsigned n = store.neighbors(id, ids);
		for (unsigned i = 0; i < n; i++)
			if (!add_entry(store, ids[i]))
				return false;
		return true;
	}

	/*
	 * Expand until no unexpanded node is within the threshold. False: no memory. kBeam nodes are expanded together, so
	 * that the reads of their neighbours overlap; a beam of 2-4 costs no more expansions.
	 */
	template <class Store>
	bool
	run(Store &store)
	{
		static_assert(std::is_trivially_destructible_v<Store>);
		std::uint32_t nodes[kBeam];
		std::uint32_t ids[kBeam * kMaxLanes];
		Scored found[kBeam * kMaxLanes];
		while (!is_halted(store) && pop(nodes[0]))
		{
			unsigned popped = 1;
			while (popped < kBeam && pop(nodes[popped]))
				store.prefetch(nodes[popped++]);
			store.poll();
			unsigned fresh = 0;
			for (unsigned p = 0; p < popped; p++)
			{
				unsigned end = fresh + store.neighbors(nodes[p], ids + fresh);
				for (unsigned i = fresh; i < end; i++)
				{
					int is_new = visited.add(ids[i]);
					if (is_new < 0)
						return false;
					if (is_new > 0)
						ids[fresh++] = ids[i];
				}
			}
			expansions += popped;
			std::uint32_t ahead;
			if (peek(ahead))
				store.prefetch(ahead);
			store.score(ids, fresh, found);
			scored += fresh;
			for (unsigned i = 0; i < fresh; i++)
				if (!std::isnan(found[i].distance) && !insert(found[i]))
					return false;
		}
		return true;
	}

	/*
	 * The same for a store whose nodes hold codes of their neighbours: one visit tells a node's own distance and estimates of
	 * its neighbours', so the pool holds estimates, a node may be in it several times, and only popped nodes have been
	 * seen. (Marking a node when it is inserted would keep a better estimate from bringing it forward: nearly twice the hops.)
	 * Neighbours beyond the threshold are not kept; widen_estimates() reads them again.
	 * Nodes are expanded in waves, so that their reads overlap: four together need no more expansions than one at a time.
	 * Store: void bring(const std::uint32_t *ids, unsigned n)     these at most kWave nodes come next: begin to fetch them
	 *        void expand(std::uint32_t id, float threshold, Scored &self, Scored *out, unsigned &n)
	 *        self as by score(); out: neighbours with an estimate below threshold.
	 */
	template <class Store>
	bool
	run_estimates(Store &store)
	{
		static_assert(std::is_trivially_destructible_v<Store>);
		Scored found[kMaxLanes];
		std::uint32_t wave[kWave];
		for (;;)
		{
			unsigned n = 0;
			std::uint32_t id;
			if (is_halted(store))
				return true;
			while (n < kWave && pop(id))
			{
				int is_new = visited.add(id);
				if (is_new < 0)
					return false;
				if (is_new > 0)
					wave[n++] = id;
			}
			if (n == 0)
				return true;
			store.bring(wave, n);
			for (unsigned i = 0; i < n; i++)
				if (!expand_one(store, wave[i], found))
					return false;
		}
	}

	/* A start for run_estimates whose distance is known. False: no memory. */
	bool
	add_known_entry(std::uint32_t id, float distance) noexcept
	{
		return insert(Scored{distance, 0, id, 0});
	}

	/* A start for run_estimates. False: no memory. */
	template <class Store>
	bool
	add_estimate_entry(Store &store, std::uint32_t id)
	{
		Scored s;
		s.id = id;
		store.score(&id, 1, &s);
		if (std::isnan(s.distance))
			return true;
		s.error = 0;
		return insert(s);
	}

	/* A start for run_estimates that is expanded whatever its distance. False: no memory. */
	template <class Store>
	bool
	expand_entry(Store &store, std::uint32_t id)
	{
		int fresh = visited.add(id);
		if (fresh <= 0)
			return fresh == 0;
		Scored found[kMaxLanes];
		return expand_one(store, id, found);
	}

	/* The nearest nodes that run() has seen, nearest first; their number. Spoils the search: only reset() may follow. */
	std::uint32_t
	nearest_entries(std::uint32_t most, std::uint32_t *out) noexcept
	{
		std::uint32_t n = count < most ? count : most;
		std::partial_sort(entries, entries + n, entries + count, [](const Scored &a, const Scored &b) noexcept {
			return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
		});
		for (std::uint32_t i = 0; i < n; i++)
			out[i] = entries[i].id;
		return n;
	}

	/* The nearest nodes that run_estimates() has seen, nearest first; their number. */
	std::uint32_t
	nearest_results(std::uint32_t most, Scored *out) const noexcept
	{
		std::uint32_t n = result_count < most ? result_count : most;
		std::partial_sort_copy(results, results + result_count, out, out + n,
							   [](const Scored &a, const Scored &b) noexcept {
								   return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
							   });
		return n;
	}

	/* Has run_estimates() seen all that can be reached? A pool that never filled up has turned nothing away. */
	bool
	exhausted_estimates() const noexcept
	{
		return !full();
	}

	template <class Store>
	bool
	expand_one(Store &store, std::uint32_t id, Scored *found)
	{
		Scored self;
		unsigned n = 0;
		store.poll();
		store.expand(id, threshold(), self, found, n);
		expansions++;
		scored++;
		if (std::isnan(self.distance))
			return true;
		if (!keep_result(self))
			return false;
		/* In a wide search most neighbours have been seen: keep the pool short. */
		bool wide = ef > kWide;
		for (unsigned i = 0; i < n; i++)
			if (!(wide && visited.contains(found[i].id)) && !insert(found[i]))
				return false;
		return true;
	}

	/* An exactly scored node of run_estimates. next == kTaken: handed out. False: no memory. */
	bool
	keep_result(const Scored &self) noexcept
	{
		if (result_count == result_capacity)
		{
			std::uint32_t bigger_capacity = result_capacity == 0 ? 1024 : result_capacity * 2;
			Scored *bigger = memory.array<Scored>(bigger_capacity);
			if (bigger == nullptr)
				return false;
			if (result_count > 0)
				std::memcpy(bigger, results, result_count * sizeof *results);
			memory.release(results);
			results = bigger;
			result_capacity = bigger_capacity;
		}
		results[result_count] = self;
		results[result_count++].next = kExpanded;
		return true;
	}

	/*
	 * Go on with a larger ef: begin the pool anew with the neighbours of all nodes seen so far. Follow with run_estimates().
	 * False: no memory.
	 */
	template <class Store>
	bool
	widen_estimates(Store &store, std::uint32_t new_ef)
	{
		ef = new_ef;
		count = 0;
		nearest = std::numeric_limits<float>::infinity();
		lo = hi = 0;
		clear_buckets();
		Scored found[kMaxLanes];
		std::uint32_t seen = result_count;
		for (std::uint32_t i = 0; i < seen; i++)
		{
			if (i % kWave == 0)
			{
				if (is_halted(store))
					return true;
				std::uint32_t wave[kWave];
				unsigned ahead = 0;
				for (; ahead < kWave && i + ahead < seen; ahead++)
					wave[ahead] = results[i + ahead].id;
				store.bring(wave, ahead);
			}
			Scored self;
			unsigned n = 0;
			store.poll();
			store.expand(results[i].id, threshold(), self, found, n);
			for (unsigned k = 0; k < n; k++)
				if (!visited.contains(found[k].id) && !insert(found[k]))
					return false;
		}
		return true;
	}

	/*
	 * As take(), of run_estimates(): the live nodes not farther than the threshold, and beyond it as many as make at_least.
	 * (The threshold comes from estimates, in which near nodes count several times.) out: room for result_count.
	 */
	std::uint32_t
	take_results(Scored *out, std::uint32_t at_least) noexcept
	{
		std::uint32_t n = 0;
		for (std::uint32_t i = 0; i < result_count; i++)
		{
			Scored &r = results[i];
			if (r.next != kExpanded || r.error < 0)
				continue;
			out[n] = r;
			out[n++].next = static_cast<std::int32_t>(i);
		}
		float limit = threshold();
		Scored *end = std::partition(out, out + n, [limit](const Scored &r) noexcept { return r.distance <= limit; });
		auto within = static_cast<std::uint32_t>(end - out);
		if (within < at_least && within < n)
		{
			std::uint32_t more = at_least < n ? at_least : n;
			std::nth_element(end, out + more - 1, out + n,
							 [](const Scored &a, const Scored &b) noexcept { return a.distance < b.distance; });
			within = more;
		}
		for (std::uint32_t i = 0; i < within; i++)
		{
			results[out[i].next].next = kTaken;
			out[i].next = kTaken;
		}
		return within;
	}

	/*
	 * Moves the live nodes within the threshold that were not taken before to out (room for take_bound()),
	 * sorted by nothing. Call after run().
	 */
	std::uint32_t
	take(Scored *out) noexcept
	{
		std::uint32_t n = 0;
		for (std::uint32_t i = 0; i < count; i++)
		{
			Scored &e = entries[i];
			if (e.next != kExpanded || e.error < 0 || bucket(e.distance) > last)
				continue;
			e.next = kTaken;
			out[n++] = e;
		}
		return n;
	}

	std::uint32_t
	take_bound() const noexcept
	{
		return count;
	}

	/*
	 * Is there anything left that a larger ef could reach or take? Nodes expanded on the way to nearer ones count: they may
	 * lie beyond the threshold. Call after run() and take().
	 */
	bool
	exhausted() const noexcept
	{
		for (std::uint32_t i = 0; i < count; i++)
			if (entries[i].next != kTaken && !(entries[i].next == kExpanded && entries[i].error < 0))
				return false;
		return true;
	}
};

static_assert(std::is_trivially_destructible_v<BeamSearch>);

}  // namespace vecdb::core::graph
