/* SPDX-License-Identifier: PostgreSQL
 * The one file that knows hnswlib: HnswBuilder on top of it.
 *
 * Regime: core. No exception leaves; a thread that fails records the reason and stops all others.
 * Written to Debian's hnswlib 0.6.2.
 */
#include "vecdb/graph/hnsw_builder.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

#include "vecdb/base/random.hpp"
#include "vecdb/graph/code_distance.hpp"
#include "vecdb/graph/levels.hpp"
#include "vecdb/layout/hnsw_page.hpp"

namespace vecdb::core::graph
{

namespace
{

constexpr std::size_t kBatchRows = 4096;

/* A node's data inside hnswlib: parameters, then code_dims bytes. */
struct CodeHead
{
	float scale, bias, norm2;
	std::int32_t sum;
};

struct SpaceParameters
{
	distance::Metric metric;
	std::size_t n;
	const distance::Kernels *kernels;
};

float
distance_of_codes(const void *a, const void *b, const void *parameters)
{
	const auto &p = *static_cast<const SpaceParameters *>(parameters);
	CodeHead x, y;
	std::memcpy(&x, a, sizeof x);
	std::memcpy(&y, b, sizeof y);
	const CodeView u{static_cast<const std::uint8_t *>(a) + sizeof x, x.scale, x.bias, x.norm2, x.sum};
	const CodeView v{static_cast<const std::uint8_t *>(b) + sizeof y, y.scale, y.bias, y.norm2, y.sum};
	float d = code_distance(*p.kernels, p.metric, u, v, p.n);
	/* Overflow of huge values: equally far, never NaN, which would break the heaps. */
	return std::fabs(d) < 1e37f ? d : d < 0 ? -1e37f : 1e37f;
}

class CodeSpace : public hnswlib::SpaceInterface<float>
{
public:
	CodeSpace(distance::Metric metric, std::size_t n) : parameters_{metric, n, &distance::kernels()}
	{
	}
	size_t
	get_data_size() override
	{
		return sizeof(CodeHead) + parameters_.n;
	}
	hnswlib::DISTFUNC<float>
	get_dist_func() override
	{
		return distance_of_codes;
	}
	void *
	get_dist_func_param() override
	{
		return &parameters_;
	}

private:
	SpaceParameters parameters_;
};

/*
 * hnswlib's graph with an insertion of its own. hnswlib gives a node only the links that the neighbourhood rule keeps. In
 * tight clusters the rule keeps none that leads out, so that whole clusters are lost to a search. Here a node that the
 * rule leaves with less than half of its links takes the nearest of those passed over as well (the paper's
 * keepPrunedConnections), and so does a full list that is pruned. More would cost compact searches visits for little. Levels come from outside (hnswlib's generator is shared by threads without a lock), and
 * there is no map of labels.
 */
class Graph : public hnswlib::HierarchicalNSW<float>
{
public:
	using Base = hnswlib::HierarchicalNSW<float>;
	using Near = std::pair<float, hnswlib::tableint>;

	Graph(hnswlib::SpaceInterface<float> *space, std::size_t capacity, std::size_t m, std::size_t ef_construction)
		: Base(space, capacity, m, ef_construction)
	{
	}

	void
	insert(const void *data, hnswlib::labeltype label, int level)
	{
		hnswlib::tableint id;
		{
			std::lock_guard<std::mutex> guard(cur_element_count_guard_);
			if (cur_element_count >= max_elements_)
				throw std::runtime_error("the graph is full");
			id = static_cast<hnswlib::tableint>(cur_element_count++);
			element_levels_[id] = 0;  // until its lists exist: the destructor looks
		}
		std::memset(data_level0_memory_ + id * size_data_per_element_, 0, size_data_per_element_);
		std::memcpy(getExternalLabeLp(id), &label, sizeof label);
		std::memcpy(getDataByInternalId(id), data, data_size_);
		if (level > 0)
		{
			std::size_t bytes = size_links_per_element_ * static_cast<std::size_t>(level) + 1;
			linkLists_[id] = static_cast<char *>(std::calloc(bytes, 1));
			if (linkLists_[id] == nullptr)
				throw std::bad_alloc();
			element_levels_[id] = level;
		}
		std::unique_lock<std::mutex> top(global);
		const int top_level = maxlevel_;
		hnswlib::tableint current = enterpoint_node_;
		if (top_level < 0)
		{
			enterpoint_node_ = id;
			maxlevel_ = level;
			return;
		}
		if (level <= top_level)
			top.unlock();
		descend(data, level, top_level, current);
		for (int layer = std::min(level, top_level); layer >= 0; layer--)
			current = connect(data, id, searchBaseLayer(current, data, layer), layer);
		if (level > top_level)
		{
			enterpoint_node_ = id;
			maxlevel_ = level;
		}
	}

private:
	float
	distance_to(const void *data, hnswlib::tableint id) const
	{
		return fstdistfunc_(data, getDataByInternalId(id), dist_func_param_);
	}

	unsigned int *
	lanes_at(hnswlib::tableint id, int layer) const
	{
		return layer == 0 ? get_linklist0(id) : get_linklist(id, layer);
	}

	/* Greedily to the nearest node of the layer above `level`. */
	void
	descend(const void *data, int level, int top_level, hnswlib::tableint &current)
	{
		float best = distance_to(data, current);
		for (int layer = top_level; layer > level; layer--)
			for (bool moved = true; moved;)
			{
				moved = false;
				std::unique_lock<std::mutex> lock(link_list_locks_[current]);
				unsigned int *list = lanes_at(current, layer);
				const unsigned n = getListCount(list);
				for (unsigned i = 1; i <= n; i++)
				{
					float d = distance_to(data, list[i]);
					if (d < best)
					{
						best = d;
						current = list[i];
						moved = true;
					}
				}
			}
	}

	/*
	 * near: ascending. Moves those that the rule keeps to the front, at most `most`, then the nearest of the others up
	 * to `fill` in all; returns their number.
	 */
	std::size_t
	choose(std::vector<Near> &near, std::size_t most, std::size_t fill) const
	{
		std::vector<Near> passed;
		std::size_t count = 0, i = 0;
		for (; i < near.size() && count < most; i++)
		{
			bool shadowed = false;
			for (std::size_t k = 0; k < count && !shadowed; k++)
				shadowed = distance_to(getDataByInternalId(near[k].second), near[i].second) < near[i].first;
			if (shadowed)
				passed.push_back(near[i]);
			else
				near[count++] = near[i];
		}
		for (const Near &other : passed)
			if (count < fill)
				near[count++] = other;
		return count;
	}

	template <class Queue>
	hnswlib::tableint
	connect(const void *data, hnswlib::tableint id, Queue found, int layer)
	{
		std::vector<Near> near(found.size());
		for (std::size_t i = near.size(); i-- > 0; found.pop())
			near[i] = found.top();
		/* Another thread may have linked to this node already. */
		near.erase(std::remove_if(near.begin(), near.end(), [id](const Near &n) { return n.second == id; }),
				   near.end());
		if (near.empty())
			return enterpoint_node_;
		const hnswlib::tableint nearest = near[0].second;
		near.resize(choose(near, M_, M_ / 2));
		{
			std::lock_guard<std::mutex> guard(link_list_locks_[id]);
			unsigned int *list = lanes_at(id, layer);
			const std::size_t limit = layer == 0 ? maxM0_ : maxM_;
			/* What other threads have put there stays. */
			std::size_t n = getListCount(list);
			for (std::size_t i = 0; i < near.size() && n < limit; i++)
				if (std::find(list + 1, list + 1 + n, near[i].second) == list + 1 + n)
					list[++n] = near[i].second;
			setListCount(list, static_cast<unsigned short>(n));
		}
		for (const Near &other : near)
			link_back(data, id, other, layer);
		return nearest;
	}

	void
	link_back(const void *data, hnswlib::tableint id, const Near &other, int layer)
	{
		const std::size_t limit = layer == 0 ? maxM0_ : maxM_;
		std::lock_guard<std::mutex> guard(link_list_locks_[other.second]);
		unsigned int *list = lanes_at(other.second, layer);
		const std::size_t n = getListCount(list);
		if (std::find(list + 1, list + 1 + n, id) != list + 1 + n)
			return;
		if (n < limit)
		{
			list[n + 1] = id;
			setListCount(list, static_cast<unsigned short>(n + 1));
			return;
		}
		std::vector<Near> near;
		near.reserve(n + 1);
		near.emplace_back(other.first, id);
		for (std::size_t i = 1; i <= n; i++)
			near.emplace_back(distance_to(getDataByInternalId(other.second), list[i]), list[i]);
		(void) data;
		std::sort(near.begin(), near.end());
		const std::size_t count = choose(near, limit, std::max<std::size_t>(limit / 2, 1));
		for (std::size_t i = 0; i < count; i++)
			list[i + 1] = near[i].second;
		setListCount(list, static_cast<unsigned short>(count));
	}
};

}  // namespace

struct HnswBuilder::Impl
{
	/* One thread's work on empty lanes. Reads the graph as it was, writes to `filled`. */
	struct LaneFiller
	{
		Impl &impl;
		std::vector<std::uint32_t> mark;  // node -> last node that it was a candidate of, + 1
		std::vector<std::pair<float, std::uint32_t>> near;
		std::vector<std::uint32_t> kept;

		explicit LaneFiller(Impl &owner) : impl(owner)
		{
		}
		void fill(std::uint32_t node);
	};

	BuilderOptions options;
	std::unique_ptr<CodeSpace> space;
	std::unique_ptr<Graph> graph;
	std::size_t node_bytes = 0;

	/* Two batches: the leader fills one while the threads link the other. */
	std::vector<char> filling, working;
	std::size_t filling_rows = 0, working_rows = 0;
	std::uint32_t filling_first = 0, working_first = 0;

	std::vector<std::thread> threads;
	std::mutex mutex;
	std::condition_variable work_ready, work_done;
	std::uint64_t work_number = 0;
	unsigned running = 0;
	bool quit = false;
	std::atomic<std::size_t> next_row{0};
	std::atomic<std::uint64_t> done{0};
	std::atomic<bool> stopping{false};
	Status failure = Status::success();

	/* fill_lanes(): what the threads are at, and the new lists, maxM0_ + 1 words a node, count first. */
	bool filling_lanes = false;
	bool to_the_brim = false;
	std::vector<std::uint32_t> filled;

	/* finish(): place -> internal id and back. */
	std::vector<std::uint32_t> order, place;

	int
	level_of(std::uint32_t ordinal) const
	{
		return static_cast<int>(
			graph::level_of(splitmix64(options.seed + 0x5851f42d4c957f2du * (ordinal + 1)), options.m));
	}

	void
	link_row(std::size_t row)
	{
		std::uint32_t ordinal = working_first + static_cast<std::uint32_t>(row);
		graph->insert(working.data() + row * node_bytes, ordinal, level_of(ordinal));
		done.fetch_add(1, std::memory_order_relaxed);
	}

	void
	fail(const Status &status) noexcept
	{
		std::lock_guard<std::mutex> guard(mutex);
		if (failure.ok())
			failure = status;
		stopping.store(true);
	}

	/* Runs f; an exception becomes a Status. */
	template <class F>
	Status
	guarded(F &&f) noexcept
	{
		try
		{
			f();
			return Status::success();
		}
		catch (const std::bad_alloc &)
		{
			return Status::out_of_memory();
		}
		catch (const std::system_error &e)
		{
			/* A thread that could not be started had no memory for its stack, or no place among the user's processes. */
			if (e.code() == std::errc::resource_unavailable_try_again || e.code() == std::errc::not_enough_memory)
				return Status::out_of_memory();
			return Status::error(Code::internal, "graph build failed: %s", e.what());
		}
		catch (const std::exception &e)
		{
			if (std::strncmp(e.what(), "Not enough memory", 17) == 0)
				return Status::out_of_memory();
			return Status::error(Code::internal, "graph build failed: %s", e.what());
		}
		catch (...)
		{
			return Status::error(Code::internal, "graph build failed");
		}
	}

	void
	work() noexcept
	{
		std::uint64_t seen = 0;
		std::unique_lock<std::mutex> lock(mutex);
		for (;;)
		{
			work_ready.wait(lock, [&] { return quit || work_number != seen; });
			if (quit)
				return;
			seen = work_number;
			lock.unlock();
			Status status = guarded([&] {
				LaneFiller filler(*this);
				for (;;)
				{
					std::size_t row = next_row.fetch_add(1, std::memory_order_relaxed);
					if (row >= working_rows || stopping.load(std::memory_order_relaxed))
						break;
					if (filling_lanes)
						filler.fill(static_cast<std::uint32_t>(row));
					else
						link_row(row);
				}
			});
			if (!status.ok())
				fail(status);
			lock.lock();
			if (--running == 0)
				work_done.notify_all();
		}
	}

	std::uint32_t *
	lanes_of(std::uint32_t id, std::uint32_t layer) const
	{
		return layer == 0 ? graph->get_linklist0(id) : graph->get_linklist(id, static_cast<int>(layer));
	}

	std::uint32_t
	lane_count(std::uint32_t id, std::uint32_t layer) const
	{
		return graph->getListCount(lanes_of(id, layer));
	}

	std::uint32_t
	lane_limit(std::uint32_t layer) const
	{
		return static_cast<std::uint32_t>(layer == 0 ? graph->maxM0_ : graph->maxM_);
	}

	float
	distance_between(std::uint32_t a, std::uint32_t b) const
	{
		return graph->fstdistfunc_(graph->getDataByInternalId(a), graph->getDataByInternalId(b),
								   graph->dist_func_param_);
	}

	void spread(std::uint32_t start, std::uint32_t layer, std::vector<bool> &reached,
				std::vector<std::uint32_t> &queue) const;
	std::uint32_t find_anchor(std::uint32_t node, std::uint32_t layer, const std::vector<bool> &reached,
							  bool with_room) const;
	void hook_in(std::uint32_t node, std::uint32_t anchor, std::uint32_t layer);
	void connect_layer(std::uint32_t layer);
	void order_nodes(std::uint32_t page_slots);
};

void
HnswBuilder::Impl::LaneFiller::fill(std::uint32_t node)
{
	/* Two hops are hundreds of nodes; these many of them are looked at. */
	constexpr std::size_t kMostNear = 512;
	const Graph &links = *impl.graph;
	const std::size_t limit = links.maxM0_;
	std::uint32_t *out = impl.filled.data() + static_cast<std::size_t>(node) * (limit + 1);
	const std::uint32_t *own = impl.lanes_of(node, 0);
	const std::uint32_t count = impl.lane_count(node, 0);
	kept.assign(own + 1, own + 1 + count);
	if (mark.empty())
		mark.assign(links.cur_element_count, 0);
	if (count < limit)
	{
		near.clear();
		mark[node] = node + 1;
		for (std::uint32_t id : kept)
			mark[id] = node + 1;
		for (std::uint32_t i = 0; i < count && near.size() < kMostNear; i++)
		{
			const std::uint32_t *lanes = impl.lanes_of(kept[i], 0);
			const std::uint32_t n = impl.lane_count(kept[i], 0);
			for (std::uint32_t j = 1; j <= n; j++)
				if (mark[lanes[j]] != node + 1)
				{
					mark[lanes[j]] = node + 1;
					near.emplace_back(impl.distance_between(node, lanes[j]), lanes[j]);
				}
		}
		std::sort(near.begin(), near.end());
		const float alpha = impl.options.metric == distance::Metric::inner_product ? 1.0f : 1.2f;
		std::size_t shadowed = 0;  // those passed over move to the front of near
		for (std::size_t i = 0; i < near.size() && kept.size() < limit; i++)
		{
			bool shadow = false;
			for (std::size_t k = 0; k < kept.size() && !shadow; k++)
				shadow = alpha * impl.distance_between(kept[k], near[i].second) < near[i].first;
			if (shadow)
				near[shadowed++] = near[i];
			else
				kept.push_back(near[i].second);
		}
		for (std::size_t i = 0; impl.to_the_brim && i < shadowed && kept.size() < limit; i++)
			kept.push_back(near[i].second);
	}
	out[0] = static_cast<std::uint32_t>(kept.size());
	std::copy(kept.begin(), kept.end(), out + 1);
}

/* Marks everything that start reaches on the layer. */
void
HnswBuilder::Impl::spread(std::uint32_t start, std::uint32_t layer, std::vector<bool> &reached,
						  std::vector<std::uint32_t> &queue) const
{
	queue.clear();
	queue.push_back(start);
	reached[start] = true;
	for (std::size_t i = 0; i < queue.size(); i++)
	{
		const std::uint32_t *lanes = lanes_of(queue[i], layer);
		std::uint32_t n = graph->getListCount(const_cast<std::uint32_t *>(lanes));
		for (std::uint32_t j = 1; j <= n; j++)
			if (!reached[lanes[j]])
			{
				reached[lanes[j]] = true;
				queue.push_back(lanes[j]);
			}
	}
}

/* A reached node (with a free lane), near node: along node's own links if they lead there, else by comparison with all. */
std::uint32_t
HnswBuilder::Impl::find_anchor(std::uint32_t node, std::uint32_t layer, const std::vector<bool> &reached,
							   bool with_room) const
{
	constexpr std::size_t kNearby = 512;
	std::vector<std::uint32_t> near{node};
	std::uint32_t best = layout::kInvalidId;
	float best_distance = 0;
	auto consider = [&](std::uint32_t id) {
		if (!reached[id] || (with_room && lane_count(id, layer) >= lane_limit(layer)))
			return;
		float d = distance_between(node, id);
		if (best == layout::kInvalidId || d < best_distance)
		{
			best = id;
			best_distance = d;
		}
	};
	for (std::size_t i = 0; i < near.size() && near.size() < kNearby; i++)
	{
		const std::uint32_t *lanes = lanes_of(near[i], layer);
		std::uint32_t n = lane_count(near[i], layer);
		for (std::uint32_t j = 1; j <= n; j++)
			if (std::find(near.begin(), near.end(), lanes[j]) == near.end())
			{
				near.push_back(lanes[j]);
				consider(lanes[j]);
			}
		if (best != layout::kInvalidId)
			return best;
	}
	for (std::uint32_t id = 0; id < graph->cur_element_count; id++)
		if (graph->element_levels_[id] >= static_cast<int>(layer))
			consider(id);
	return best;
}

/* Links anchor to node, which nothing has led to. Where anchor is full, node takes over its farthest lane. */
void
HnswBuilder::Impl::hook_in(std::uint32_t node, std::uint32_t anchor, std::uint32_t layer)
{
	std::uint32_t *lanes = lanes_of(anchor, layer);
	std::uint32_t n = graph->getListCount(lanes);
	if (n < lane_limit(layer))
	{
		lanes[n + 1] = node;
		graph->setListCount(lanes, static_cast<unsigned short>(n + 1));
		return;
	}
	std::uint32_t farthest = 1;
	for (std::uint32_t j = 2; j <= n; j++)
		if (distance_between(anchor, lanes[j]) > distance_between(anchor, lanes[farthest]))
			farthest = j;
	std::uint32_t moved = lanes[farthest];
	lanes[farthest] = node;
	lanes = lanes_of(node, layer);
	n = graph->getListCount(lanes);
	if (std::find(lanes + 1, lanes + 1 + n, moved) != lanes + 1 + n)
		return;
	/* Nothing has been reached through node yet, so none of its lanes is needed. */
	if (n < lane_limit(layer))
		graph->setListCount(lanes, static_cast<unsigned short>(++n));
	lanes[n] = moved;
}

void
HnswBuilder::Impl::connect_layer(std::uint32_t layer)
{
	std::vector<bool> reached(graph->cur_element_count, false);
	std::vector<std::uint32_t> queue;
	spread(graph->enterpoint_node_, layer, reached, queue);
	for (std::uint32_t id = 0; id < graph->cur_element_count; id++)
	{
		if (reached[id] || graph->element_levels_[id] < static_cast<int>(layer))
			continue;
		std::uint32_t anchor = find_anchor(id, layer, reached, true);
		if (anchor == layout::kInvalidId)
			anchor = find_anchor(id, layer, reached, false);
		hook_in(id, anchor, layer);
		spread(id, layer, reached, queue);
	}
}

/* Pages of nodes that are near each other in the graph: each page is filled breadth-first from one seed. */
void
HnswBuilder::Impl::order_nodes(std::uint32_t page_slots)
{
	std::size_t n = graph->cur_element_count;
	order.clear();
	order.reserve(n);
	place.assign(n, layout::kInvalidId);
	std::vector<std::uint32_t> frontier{graph->enterpoint_node_}, local;
	std::size_t frontier_next = 0;
	std::uint32_t any = 0;
	auto put = [&](std::uint32_t id) {
		place[id] = static_cast<std::uint32_t>(order.size());
		order.push_back(id);
		local.push_back(id);
	};
	while (order.size() < n)
	{
		std::uint32_t seed = layout::kInvalidId;
		while (frontier_next < frontier.size() && seed == layout::kInvalidId)
		{
			std::uint32_t id = frontier[frontier_next++];
			if (place[id] == layout::kInvalidId)
				seed = id;
		}
		while (seed == layout::kInvalidId)
		{
			if (place[any] == layout::kInvalidId)
				seed = any;
			any++;
		}
		local.clear();
		put(seed);
		std::size_t page_end = std::min(n, order.size() - 1 + page_slots);
		for (std::size_t i = 0; i < local.size(); i++)
		{
			const std::uint32_t *lanes = lanes_of(local[i], 0);
			std::uint32_t count = lane_count(local[i], 0);
			for (std::uint32_t j = 1; j <= count; j++)
			{
				if (place[lanes[j]] != layout::kInvalidId)
					continue;
				if (order.size() < page_end)
					put(lanes[j]);
				else
					frontier.push_back(lanes[j]);
			}
		}
		/* The frontier holds ids many times over; drop what is behind. */
		if (frontier_next > (1u << 20) && frontier_next * 2 > frontier.size())
		{
			frontier.erase(frontier.begin(), frontier.begin() + static_cast<std::ptrdiff_t>(frontier_next));
			frontier_next = 0;
		}
	}
}

HnswBuilder::~HnswBuilder()
{
	stop();
	delete impl_;
}

Status
HnswBuilder::start(const BuilderOptions &options) noexcept
{
	impl_ = new (std::nothrow) Impl;
	if (impl_ == nullptr)
		return Status::out_of_memory();
	Impl &impl = *impl_;
	impl.options = options;
	/* A signal must not be handled on a thread: handlers belong to the leader. */
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	Status status = impl.guarded([&] {
		impl.space = std::make_unique<CodeSpace>(options.metric, options.code_dims);
		std::size_t capacity = std::max<std::size_t>(options.rows_hint + kBatchRows, 2 * kBatchRows);
		impl.graph = std::make_unique<Graph>(impl.space.get(), capacity, static_cast<std::size_t>(options.m),
											 static_cast<std::size_t>(options.ef_construction));
		impl.node_bytes = impl.space->get_data_size();
		impl.filling.resize(kBatchRows * impl.node_bytes);
		impl.working.resize(kBatchRows * impl.node_bytes);
		for (unsigned i = 0; i < options.threads; i++)
			impl.threads.emplace_back([&impl] { impl.work(); });
	});
	pthread_sigmask(SIG_SETMASK, &old, nullptr);
	return status;
}

std::uint32_t
HnswBuilder::append(const quantizer::Sq8 &sq8, std::int32_t sum, const std::uint8_t *code) noexcept
{
	Impl &impl = *impl_;
	char *node = impl.filling.data() + impl.filling_rows * impl.node_bytes;
	CodeHead head{sq8.scale, sq8.bias, sq8.norm2, sum};
	std::memcpy(node, &head, sizeof head);
	std::memcpy(node + sizeof head, code, impl.options.code_dims);
	return impl.filling_first + static_cast<std::uint32_t>(impl.filling_rows++);
}

bool
HnswBuilder::batch_full() const noexcept
{
	return impl_->filling_rows == kBatchRows;
}

bool
HnswBuilder::wait_idle(int milliseconds) noexcept
{
	std::unique_lock<std::mutex> lock(impl_->mutex);
	return impl_->work_done.wait_for(lock, std::chrono::milliseconds(milliseconds),
									 [&] { return impl_->running == 0; });
}

Status
HnswBuilder::submit() noexcept
{
	Impl &impl = *impl_;
	if (!impl.failure.ok() || impl.filling_rows == 0)
		return impl.failure;
	std::swap(impl.filling, impl.working);
	impl.working_rows = impl.filling_rows;
	impl.working_first = impl.filling_first;
	impl.filling_first += static_cast<std::uint32_t>(impl.filling_rows);
	impl.filling_rows = 0;
	std::size_t first = 0;
	Status status = impl.guarded([&] {
		std::size_t needed = impl.working_first + impl.working_rows;
		if (needed > impl.graph->max_elements_)
			impl.graph->resizeIndex(needed + needed / 2);
		/* The first node alone: hnswlib's threads need an entry point. */
		if (impl.working_first == 0)
			impl.link_row(first++);
	});
	if (!status.ok())
	{
		impl.fail(status);
		return status;
	}
	std::lock_guard<std::mutex> guard(impl.mutex);
	impl.next_row.store(first);
	impl.running = static_cast<unsigned>(impl.threads.size());
	impl.work_number++;
	impl.work_ready.notify_all();
	return Status::success();
}

std::uint64_t
HnswBuilder::done() const noexcept
{
	return impl_->done.load(std::memory_order_relaxed);
}

void
HnswBuilder::stop() noexcept
{
	if (impl_ == nullptr)
		return;
	impl_->stopping.store(true);
	{
		std::lock_guard<std::mutex> guard(impl_->mutex);
		impl_->quit = true;
		impl_->work_ready.notify_all();
	}
	for (std::thread &thread : impl_->threads)
		thread.join();
	impl_->threads.clear();
}

Status
HnswBuilder::status() const noexcept
{
	std::lock_guard<std::mutex> guard(impl_->mutex);
	return impl_->failure;
}

std::size_t
HnswBuilder::bytes_per_node() const noexcept
{
	const Graph &graph = *impl_->graph;
	/* Level-0 record, its mutex, list pointer, level, label map entry, visited marks; a fifteenth of an upper list. */
	return graph.size_data_per_element_ + sizeof(std::mutex) + sizeof(void *) + sizeof(int) + 56 +
		   2 * impl_->options.threads + graph.size_links_per_element_ / 15;
}

Status
HnswBuilder::fill_lanes(bool to_the_brim) noexcept
{
	Impl &impl = *impl_;
	const std::size_t nodes = impl.graph->cur_element_count;
	if (nodes == 0 || !impl.failure.ok())
		return impl.failure;
	Status status = impl.guarded([&] { impl.filled.resize(nodes * (impl.graph->maxM0_ + 1)); });
	if (!status.ok())
		return status;
	std::lock_guard<std::mutex> guard(impl.mutex);
	impl.filling_lanes = true;
	impl.to_the_brim = to_the_brim;
	impl.working_rows = nodes;
	impl.next_row.store(0);
	impl.running = static_cast<unsigned>(impl.threads.size());
	impl.work_number++;
	impl.work_ready.notify_all();
	return Status::success();
}

Status
HnswBuilder::finish(std::uint32_t page_slots) noexcept
{
	Impl &impl = *impl_;
	if (impl.graph->cur_element_count == 0)
		return Status::success();
	return impl.guarded([&] {
		if (!impl.filled.empty())
		{
			const std::size_t words = impl.graph->maxM0_ + 1;
			for (std::uint32_t id = 0; id < impl.graph->cur_element_count; id++)
			{
				const std::uint32_t *list = impl.filled.data() + id * words;
				std::uint32_t *lanes = impl.lanes_of(id, 0);
				impl.graph->setListCount(lanes, static_cast<unsigned short>(list[0]));
				std::copy(list + 1, list + 1 + list[0], lanes + 1);
			}
			impl.filled = std::vector<std::uint32_t>();
		}
		for (std::uint32_t layer = 0; layer <= static_cast<std::uint32_t>(impl.graph->maxlevel_); layer++)
			impl.connect_layer(layer);
		impl.order_nodes(page_slots);
	});
}

std::uint32_t
HnswBuilder::count() const noexcept
{
	return static_cast<std::uint32_t>(impl_->order.size());
}

std::uint32_t
HnswBuilder::ordinal(std::uint32_t node) const noexcept
{
	return static_cast<std::uint32_t>(impl_->graph->getExternalLabel(impl_->order[node]));
}

std::uint32_t
HnswBuilder::level(std::uint32_t node) const noexcept
{
	return static_cast<std::uint32_t>(impl_->graph->element_levels_[impl_->order[node]]);
}

const std::uint8_t *
HnswBuilder::code(std::uint32_t node) const noexcept
{
	return reinterpret_cast<const std::uint8_t *>(impl_->graph->getDataByInternalId(impl_->order[node])) +
		   sizeof(CodeHead);
}

std::uint32_t
HnswBuilder::links(std::uint32_t node, std::uint32_t layer, std::uint32_t *out) const noexcept
{
	const std::uint32_t *lanes = impl_->lanes_of(impl_->order[node], layer);
	std::uint32_t n = impl_->lane_count(impl_->order[node], layer);
	for (std::uint32_t i = 0; i < n; i++)
		out[i] = impl_->place[lanes[i + 1]];
	return n;
}

std::uint32_t
HnswBuilder::entry() const noexcept
{
	return impl_->place[impl_->graph->enterpoint_node_];
}

}  // namespace vecdb::core::graph
