/* SPDX-License-Identifier: PostgreSQL
 * The one file that knows hnswlib: HnswBuilder on top of it.
 *
 * Regime: core. No exception leaves; a thread that fails records the reason and stops all others.
 * Written to Debian's hnswlib 0.6.2. Levels are drawn here and passed in, as hnswlib's own generator is shared by its threads
 * without a lock (it is still called for nodes of level 0, where mult_ = 0 makes its result 0).
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
	CodeSpace(distance::Metric metric, std::size_t n) : parameters_{metric, n, &distance::kernels()} {}
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

using Graph = hnswlib::HierarchicalNSW<float>;

}  // namespace

struct HnswBuilder::Impl
{
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

	/* finish(): place -> internal id and back. */
	std::vector<std::uint32_t> order, place;

	int
	level_of(std::uint32_t ordinal) const
	{
		double u = unit_open(splitmix64(options.seed + 0x5851f42d4c957f2du * (ordinal + 1)));
		double level = -std::log(u) / std::log(static_cast<double>(options.m));
		return level < layout::kMaxLevel ? static_cast<int>(level) : layout::kMaxLevel;
	}

	void
	link_row(std::size_t row)
	{
		std::uint32_t ordinal = working_first + static_cast<std::uint32_t>(row);
		graph->addPoint(working.data() + row * node_bytes, ordinal, level_of(ordinal));
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
				for (;;)
				{
					std::size_t row = next_row.fetch_add(1, std::memory_order_relaxed);
					if (row >= working_rows || stopping.load(std::memory_order_relaxed))
						break;
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
		impl.graph->mult_ = 0;
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
	return impl_->work_done.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return impl_->running == 0; });
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
HnswBuilder::finish(std::uint32_t page_slots) noexcept
{
	Impl &impl = *impl_;
	if (impl.graph->cur_element_count == 0)
		return Status::success();
	return impl.guarded([&] {
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
