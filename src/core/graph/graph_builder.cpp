/* SPDX-License-Identifier: PostgreSQL
 * The bulk build: rows, layers, samples, reachability and the order of nodes; the links are LayerLinker's.
 *
 * Regime: core. No exception leaves.
 */
#include "vecdb/graph/graph_builder.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <new>
#include <numeric>

#include "layer_linker.hpp"
#include "vecdb/base/random.hpp"
#include "vecdb/base/workers.hpp"
#include "vecdb/graph/levels.hpp"
#include "vecdb/layout/hnsw_page.hpp"

namespace vecdb::core::graph
{

namespace
{

/* Links of nested samples, a quarter of the rows each, are what early inserts leave in an incremental graph: ways out of
 * a dense region. */
constexpr double kSampleShare = 4;
constexpr std::uint32_t kLeastSample = 64;
/* On squared distances. */
constexpr float kFillAlpha = 1.2f;
/* Reached nodes around a lost one that are compared. */
constexpr std::size_t kNearby = 512;

/* A list of lists: `most` lanes a node. */
struct Lists
{
	std::uint32_t nodes, most;
	std::uint32_t *links;  // stride apart
	std::size_t stride;
	std::uint8_t *count;

	std::uint32_t *
	of(std::uint32_t node) const noexcept
	{
		return links + node * stride;
	}
};

/* Makes every node reachable from `entry`. between(a, b): distance. */
template <class Between>
class Connector
{
public:
	Connector(Workers &workers, Lists lists, Between between) : workers_(workers), lists_(lists), between_(between)
	{
		reached_.assign(lists.nodes, false);
		seen_.assign(lists.nodes, 0);
	}

	void
	connect(std::uint32_t entry)
	{
		spread(entry);
		for (std::uint32_t node = 0; node < lists_.nodes; node++)
		{
			if (reached_[node])
				continue;
			workers_.poll();
			hook_in(node, anchor_of(node));
			spread(node);
		}
	}

private:
	/* Marks everything that start reaches. */
	void
	spread(std::uint32_t start)
	{
		constexpr std::size_t kPoll = 65536;
		queue_.clear();
		queue_.push_back(start);
		reached_[start] = true;
		for (std::size_t i = 0; i < queue_.size(); i++)
		{
			if (i % kPoll == kPoll - 1)
				workers_.poll();
			const std::uint32_t *lanes = lists_.of(queue_[i]);
			for (std::uint32_t j = 0; j < lists_.count[queue_[i]]; j++)
				if (!reached_[lanes[j]])
				{
					reached_[lanes[j]] = true;
					queue_.push_back(lanes[j]);
				}
		}
	}

	/*
	 * A reached node near a lost one, with a free lane if one of those looked at has: among nodes that its links lead to and
	 * among its neighbours by number, further and further away. One reached node at least exists.
	 */
	std::uint32_t
	anchor_of(std::uint32_t node)
	{
		std::uint32_t best[2] = {layout::kInvalidId, layout::kInvalidId};  // with room; any
		float best_distance[2] = {0, 0};
		stamp_++;
		auto consider = [&](std::uint32_t id) {
			if (seen_[id] == stamp_)
				return false;
			seen_[id] = stamp_;
			if (!reached_[id])
				return true;
			float d = between_(node, id);
			for (int k = lists_.count[id] < lists_.most ? 0 : 1; k < 2; k++)
				if (best[k] == layout::kInvalidId || d < best_distance[k])
				{
					best[k] = id;
					best_distance[k] = d;
				}
			return true;
		};
		queue_.clear();
		queue_.push_back(node);
		seen_[node] = stamp_;
		for (std::size_t i = 0; i < queue_.size() && queue_.size() < kNearby; i++)
			for (std::uint32_t j = 0; j < lists_.count[queue_[i]]; j++)
				if (std::uint32_t to = lists_.of(queue_[i])[j]; consider(to))
					queue_.push_back(to);
		for (std::uint32_t step = 1; step < lists_.nodes; step++)
		{
			if (step > kNearby / 4 && best[1] != layout::kInvalidId)
				break;
			if (step <= node)
				consider(node - step);
			if (step < lists_.nodes - node)
				consider(node + step);
		}
		/* A full one that is much nearer is the better way in. */
		if (best[0] != layout::kInvalidId && !(best_distance[0] > 4 * best_distance[1]))
			return best[0];
		return best[1];
	}

	/* Links anchor to node, which nothing has led to. Where anchor is full, node takes over its farthest lane. */
	void
	hook_in(std::uint32_t node, std::uint32_t anchor)
	{
		std::uint32_t *lanes = lists_.of(anchor);
		std::uint8_t &n = lists_.count[anchor];
		if (n < lists_.most)
		{
			lanes[n++] = node;
			return;
		}
		std::uint32_t farthest = 0;
		float most = between_(anchor, lanes[0]);
		for (std::uint32_t j = 1; j < n; j++)
			if (float d = between_(anchor, lanes[j]); d > most)
			{
				most = d;
				farthest = j;
			}
		std::uint32_t moved = lanes[farthest];
		lanes[farthest] = node;
		std::uint32_t *own = lists_.of(node);
		std::uint8_t &own_count = lists_.count[node];
		if (std::find(own, own + own_count, moved) != own + own_count)
			return;
		/* Nothing has been reached through node yet, so none of its lanes is needed. */
		if (own_count < lists_.most)
			own_count++;
		own[own_count - 1] = moved;
	}

	Workers &workers_;
	Lists lists_;
	Between between_;
	std::vector<bool> reached_;
	std::vector<std::uint32_t> seen_;
	std::uint32_t stamp_ = 0;
	std::vector<std::uint32_t> queue_;
};

}  // namespace

struct GraphBuilder::Impl
{
	BuilderOptions options;
	RowStore store;
	Workers workers;
	std::atomic<BuildPhase> phase{BuildPhase::loading};
	std::atomic<std::uint64_t> done{0};
	std::uint32_t page_slots = 0;
	bool linked = false;
	bool by_product = false;  // inner product of rows whose norms differ

	std::vector<Mapping> extra;  // by ordinal, as many rows each as a chunk of the store
	Mapping list_memory;
	Edge *edges = nullptr;  // after merging: lists
	std::vector<std::uint8_t> degrees;
	std::vector<SampleLinks> layers;  // from layer 1 on
	std::uint32_t entry = 0;
	/* place -> position and back; empty: the same. */
	std::vector<std::uint32_t> order, place;

	explicit Impl(const BuilderOptions &o) : options(o), store(o.kind, o.metric, o.code_dims, o.dimensions, o.seed)
	{
	}

	std::uint32_t
	base_lanes() const noexcept
	{
		return static_cast<std::uint32_t>(2 * options.m);
	}

	std::uint64_t
	bits_of(std::uint32_t ordinal) const noexcept
	{
		return splitmix64(options.seed + 0x5851f42d4c957f2du * (static_cast<std::uint64_t>(ordinal) + 1));
	}
	/* In (0, 1]; row `ordinal` belongs to the share s of all where it is at most s. */
	double
	chance(std::uint32_t ordinal) const noexcept
	{
		return unit_open(bits_of(ordinal));
	}
	std::uint32_t
	level_of(std::uint32_t ordinal) const noexcept
	{
		return graph::level_of(bits_of(ordinal), options.m);
	}

	std::uint8_t *
	extra_of(std::uint32_t ordinal) const noexcept
	{
		return static_cast<std::uint8_t *>(extra[ordinal / RowStore::kChunkRows].get()) +
			   static_cast<std::size_t>(ordinal % RowStore::kChunkRows) * options.extra_bytes;
	}

	/*
	 * Neighbours by inner product are the same few long rows for all, and short ones would have no links in. So those are
	 * found by L2, and half of the lanes then go to neighbours by inner product (link_layer); of sparse rows, which are hubs less
	 * often, three quarters (recall at ef 20 of rows like SPLADE's: 0.95 instead of 0.92).
	 */
	Metric
	near_metric() const noexcept
	{
		return options.metric == Metric::inner_product ? Metric::l2 : options.metric;
	}

	std::uint32_t
	place_of(std::uint32_t position) const noexcept
	{
		return place.empty() ? position : place[position];
	}
	std::uint32_t
	position_of(std::uint32_t node) const noexcept
	{
		return order.empty() ? node : order[node];
	}

	LinkSettings settings(std::uint32_t rows, std::uint32_t lanes, bool base) const;
	void choose_unit();
	void link_layer(LayerLinker &linker, const LinkSettings &s, Edge *lists, std::atomic<std::uint64_t> *progress,
					const std::vector<SampleLinks> &samples);
	void permute(std::vector<std::uint32_t> &rows);
	SampleLinks link_some(std::vector<std::uint32_t> rows);
	std::vector<std::uint32_t> positions_below(double share) const;
	void run();
	void order_nodes();
};

LinkSettings
GraphBuilder::Impl::settings(std::uint32_t rows, std::uint32_t lanes, bool base) const
{
	LinkSettings s;
	s.lanes = lanes;
	/* More candidates in more dimensions, up to twice as many. */
	const double dims = std::clamp((static_cast<double>(store.dims()) - 128) / 384, 0.0, 1.0);
	s.candidates = static_cast<std::uint32_t>(std::max(options.ef_construction, 128) * (base ? 1 + dims : 1));
	s.candidates = std::max(s.candidates, 2 * lanes);
	/* 96 clusters up to 200,000 rows, 128 for a million. Too few do harm where much recall is asked for. */
	const double clusters = 96 + 32 * std::max(0.0, std::log(rows / 2e5) / std::log(5.0));
	s.scanned_rows = std::max(static_cast<std::uint32_t>(256 * clusters), 3 * s.candidates);
	/* Half of the base layer's lanes are for links in: more links out would turn those away. */
	s.forward_lanes = static_cast<std::uint32_t>(options.m);
	s.fill_alpha = kFillAlpha;
	s.least_lanes = options.to_the_brim ? lanes : lanes / 4;
	s.seed = options.seed;
	return s;
}

/* The unit of distances: the power of two that brings the largest element near 1. */
void
GraphBuilder::Impl::choose_unit()
{
	double most = 0;
	for (std::uint32_t row = 0; row < store.count(); row++)
	{
		if (options.kind == RowKind::bits)
			break;
		if (options.kind == RowKind::sparse)
		{
			most = std::max(most, static_cast<double>(store.largest(row)));
			continue;
		}
		const quantizer::Sq8 &s = store.head(row).sq8;
		double low = std::fabs(static_cast<double>(s.bias));
		double high = std::fabs(static_cast<double>(s.bias) + 255.0 * static_cast<double>(s.scale));
		most = std::max({most, low, high});
	}
	if (most > 0 && std::isfinite(most))
		store.set_unit(std::ldexp(1.0f, std::clamp(-std::ilogb(most), -126, 126)));
	workers.parallel(store.count(), 4096, [&](std::size_t begin, std::size_t end, unsigned) {
		for (std::size_t row = begin; row < end; row++)
			store.set_norm(static_cast<std::uint32_t>(row));
	});
	if (options.metric != Metric::inner_product)
		return;
	double sum = 0, squares = 0;
	for (std::uint32_t row = 0; row < store.count(); row++)
	{
		double norm = std::sqrt(static_cast<double>(std::max(store.head(row).norm2, 0.0f)));
		sum += norm;
		squares += norm * norm;
	}
	const double n = store.count(), mean = sum / n;
	constexpr double kSameNorm = 1e-4;  // variance against the square of the mean: norms within a percent
	by_product = squares / n - mean * mean > kSameNorm * mean * mean;
}

/* Fills lists as LayerLinker::merge does. */
void
GraphBuilder::Impl::link_layer(LayerLinker &linker, const LinkSettings &s, Edge *lists,
							   std::atomic<std::uint64_t> *progress, const std::vector<SampleLinks> &samples)
{
	if (!by_product)
	{
		linker.scan(lists, progress);
		linker.merge(lists, samples);
		return;
	}
	LinkSettings by_products = s;
	by_products.lanes = by_products.forward_lanes = options.kind == RowKind::sparse ? s.lanes * 3 / 4 : s.lanes / 2;
	by_products.fill_alpha = 0;
	by_products.least_lanes = 0;
	LayerLinker products(workers, store, Metric::inner_product, by_products);
	products.share(linker);
	std::vector<Edge> long_rows(static_cast<std::size_t>(linker.count()) * by_products.lanes);
	products.scan(long_rows.data(), nullptr);
	products.merge(long_rows.data(), {});
	linker.scan(lists, progress);
	linker.merge(lists, samples);
	workers.parallel(linker.count(), 1024, [&](std::size_t begin, std::size_t end, unsigned) {
		std::vector<std::uint32_t> all;
		for (auto i = static_cast<std::uint32_t>(begin); i < end; i++)
		{
			const std::uint32_t *first = LayerLinker::list_of(long_rows.data(), i, by_products.lanes);
			std::uint32_t *list = LayerLinker::list_of(lists, i, s.lanes);
			std::uint8_t &n = linker.link_count()[i];
			all.assign(first, first + products.link_count()[i]);
			const auto known = static_cast<std::ptrdiff_t>(all.size());
			for (std::uint32_t j = 0; j < n && all.size() < s.lanes; j++)
				if (std::find(all.begin(), all.begin() + known, list[j]) == all.begin() + known)
					all.push_back(list[j]);
			std::copy(all.begin(), all.end(), list);
			n = static_cast<std::uint8_t>(all.size());
		}
	});
}

/* Moves row rows[i] to place i, in place. */
void
GraphBuilder::Impl::permute(std::vector<std::uint32_t> &rows)
{
	std::vector<char> moving(store.stride());
	for (std::uint32_t i = 0; i < rows.size(); i++)
	{
		if (i % 4096 == 0)
			workers.poll();
		if (rows[i] == i)
			continue;
		std::memcpy(moving.data(), store.record(i), store.stride());
		std::uint32_t to = i, from;
		while ((from = std::exchange(rows[to], to)) != i)
		{
			std::memcpy(store.record(to), store.record(from), store.stride());
			to = from;
		}
		std::memcpy(store.record(to), moving.data(), store.stride());
	}
}

std::vector<std::uint32_t>
GraphBuilder::Impl::positions_below(double share) const
{
	std::vector<std::uint32_t> found;
	for (std::uint32_t i = 0; i < store.count(); i++)
		if (chance(store.head(i).ordinal) <= share)
			found.push_back(i);
	return found;
}

/* The links of a layer or sample. rows: ascending. */
SampleLinks
GraphBuilder::Impl::link_some(std::vector<std::uint32_t> rows)
{
	SampleLinks result;
	result.lanes = static_cast<std::uint32_t>(options.m);
	result.members = rows;
	const auto n = static_cast<std::uint32_t>(rows.size());
	result.links.resize(static_cast<std::size_t>(n) * result.lanes);
	result.count.resize(n);
	const LinkSettings s = settings(n, result.lanes, false);
	LayerLinker linker(workers, store, near_metric(), s);
	linker.cluster(rows);
	linker.use_rows(rows.data());
	std::vector<Edge> some(static_cast<std::size_t>(n) * result.lanes);
	link_layer(linker, s, some.data(), nullptr, {});
	std::vector<std::uint32_t> number(n);  // position in the linker -> member
	for (std::uint32_t i = 0; i < n; i++)
		number[i] = static_cast<std::uint32_t>(std::lower_bound(result.members.begin(), result.members.end(), rows[i]) -
											   result.members.begin());
	for (std::uint32_t i = 0; i < n; i++)
	{
		const std::uint32_t *list = LayerLinker::list_of(some.data(), i, result.lanes);
		result.count[number[i]] = linker.link_count()[i];
		for (std::uint32_t j = 0; j < linker.link_count()[i]; j++)
			result.links[static_cast<std::size_t>(number[i]) * result.lanes + j] = number[list[j]];
	}
	return result;
}

void
GraphBuilder::Impl::run()
{
	const std::uint32_t n = store.count();
	if (n == 0)
	{
		linked = true;
		return;
	}
	phase = BuildPhase::clustering;
	choose_unit();
	const LinkSettings s = settings(n, base_lanes(), true);
	LayerLinker base(workers, store, near_metric(), s);
	{
		std::vector<std::uint32_t> rows(n);
		std::iota(rows.begin(), rows.end(), 0);
		base.cluster(rows);
		permute(rows);
	}
	phase = BuildPhase::linking;

	/* Layers, then the samples that are none. Where 1 in 64 is on the next layer, every third sample is one. */
	std::uint32_t top = 0;
	for (std::uint32_t i = 0; i < n; i++)
	{
		std::uint32_t ordinal = store.head(i).ordinal, level = level_of(ordinal);
		if (i == 0 || level > top || (level == top && ordinal < store.head(entry).ordinal))
		{
			top = level;
			entry = i;
		}
	}
	std::vector<std::vector<std::uint32_t>> on_layer(top);
	for (std::uint32_t i = 0; i < n; i++)
		for (std::uint32_t level = level_of(store.head(i).ordinal), l = 0; l < level; l++)
			on_layer[l].push_back(i);
	for (std::uint32_t l = 0; l < top; l++)
		layers.push_back(link_some(std::move(on_layer[l])));
	std::vector<SampleLinks> samples;
	double share = 1 / kSampleShare;
	for (; share * n >= kLeastSample; share /= kSampleShare)
	{
		std::uint32_t same = 0;
		for (double part = 1.0; same < top && part > share; same++)
			part /= 4 * options.m;
		if (same > 0 && std::pow(4 * options.m, -static_cast<double>(same)) == share)
			samples.push_back(layers[same - 1]);
		else
			samples.push_back(link_some(positions_below(share)));
	}
	std::reverse(samples.begin(), samples.end());
	link_layer(base, s, edges, &done, samples);
	phase = BuildPhase::finishing;
	samples.clear();
	degrees = std::move(base.link_count());

	const std::size_t stride = base_lanes() * sizeof(Edge) / sizeof(std::uint32_t);
	Lists lists{n, base_lanes(), reinterpret_cast<std::uint32_t *>(edges), stride, degrees.data()};
	Connector(workers, lists, [&](std::uint32_t a, std::uint32_t b) {
		return store.between(options.metric, store.view(a), b);
	}).connect(entry);
	for (SampleLinks &layer : layers)
	{
		Lists some{static_cast<std::uint32_t>(layer.members.size()), layer.lanes, layer.links.data(), layer.lanes,
				   layer.count.data()};
		auto start = std::lower_bound(layer.members.begin(), layer.members.end(), entry) - layer.members.begin();
		Connector(workers, some, [&](std::uint32_t a, std::uint32_t b) {
			return store.between(options.metric, store.view(layer.members[a]), layer.members[b]);
		}).connect(static_cast<std::uint32_t>(start));
	}
	if (page_slots > 1)
		order_nodes();
	linked = true;
}

/* Pages of nodes that are near each other in the graph: each page is filled breadth-first from one seed, the next in the
 * order of clusters. */
void
GraphBuilder::Impl::order_nodes()
{
	const std::uint32_t n = store.count();
	order.clear();
	order.reserve(n);
	place.assign(n, layout::kInvalidId);
	for (std::uint32_t seed = 0; seed < n; seed++)
	{
		if (seed % 65536 == 0)
			workers.poll();
		if (place[seed] != layout::kInvalidId)
			continue;
		std::size_t at = order.size();
		const std::size_t page_end = std::min<std::size_t>(n, (at / page_slots + 1) * page_slots);
		auto put = [&](std::uint32_t id) {
			place[id] = static_cast<std::uint32_t>(order.size());
			order.push_back(id);
		};
		put(seed);
		for (; at < order.size() && order.size() < page_end; at++)
		{
			const std::uint32_t *list = LayerLinker::list_of(edges, order[at], base_lanes());
			for (std::uint32_t j = 0; j < degrees[order[at]] && order.size() < page_end; j++)
				if (place[list[j]] == layout::kInvalidId)
					put(list[j]);
		}
	}
}

GraphBuilder::~GraphBuilder()
{
	stop();
	delete impl_;
}

Status
GraphBuilder::start(const BuilderOptions &options) noexcept
{
	Status status = guarded([&] { impl_ = new Impl(options); });
	return status.ok() ? impl_->workers.start(std::max(options.threads, 1u)) : status;
}

std::uint32_t
GraphBuilder::room_rows() const noexcept
{
	return RowStore::kChunkRows;
}

std::size_t
GraphBuilder::room_bytes() const noexcept
{
	return impl_->store.chunk_bytes();
}

std::size_t
GraphBuilder::extra_room_bytes() const noexcept
{
	return static_cast<std::size_t>(RowStore::kChunkRows) * impl_->options.extra_bytes;
}

Status
GraphBuilder::add_room(Source rows, Source extra) noexcept
{
	return guarded([&] {
		Mapping chunk, extra_chunk;
		if (!chunk.map(rows.file, rows.offset, room_bytes()) ||
			(extra_room_bytes() > 0 && !extra_chunk.map(extra.file, extra.offset, extra_room_bytes())))
			throw std::bad_alloc();
		impl_->extra.push_back(std::move(extra_chunk));
		impl_->store.add_chunk(std::move(chunk));
	});
}

bool
GraphBuilder::has_room() const noexcept
{
	return impl_->store.has_room();
}

std::size_t
GraphBuilder::code_room_bytes() const noexcept
{
	return RowStore::kCodeChunkBytes;
}

Status
GraphBuilder::add_code_room(Source codes) noexcept
{
	return guarded([&] {
		Mapping chunk;
		if (!chunk.map(codes.file, codes.offset, code_room_bytes()))
			throw std::bad_alloc();
		impl_->store.add_code_chunk(std::move(chunk));
	});
}

bool
GraphBuilder::has_code_room(std::size_t bytes) const noexcept
{
	return impl_->store.has_code_room(bytes);
}

std::uint32_t
GraphBuilder::append(const quantizer::Sq8 &sq8, std::int32_t sum, const std::uint8_t *code,
					 const std::uint8_t *extra) noexcept
{
	std::uint32_t ordinal = impl_->store.append(sq8, sum, code);
	if (impl_->options.extra_bytes > 0)
		std::memcpy(impl_->extra_of(ordinal), extra, impl_->options.extra_bytes);
	return ordinal;
}

const quantizer::Sq8 &
GraphBuilder::appended(std::uint32_t ordinal) const noexcept
{
	return impl_->store.head(ordinal).sq8;
}

const std::uint8_t *
GraphBuilder::appended_code(std::uint32_t ordinal) const noexcept
{
	return impl_->store.code(ordinal);
}

std::int32_t
GraphBuilder::appended_sum(std::uint32_t ordinal) const noexcept
{
	return impl_->store.head(ordinal).sum;
}

std::uint32_t
GraphBuilder::rows() const noexcept
{
	return impl_->store.count();
}

std::size_t
GraphBuilder::list_bytes(std::uint64_t rows) const noexcept
{
	return static_cast<std::size_t>(std::max<std::uint64_t>(rows, 1)) * impl_->base_lanes() * sizeof(Edge);
}

std::size_t
GraphBuilder::other_bytes(std::uint64_t rows) const noexcept
{
	/* Codes for the scan with their factors, reverse links, samples with theirs, centroids, and a word or two a row. */
	const std::size_t dims = impl_->store.dims(), lanes = impl_->base_lanes();
	return static_cast<std::size_t>(rows) * (dims / 8 + 4 + lanes * 4 + lanes * 4 + dims / 32 + 32);
}

Status
GraphBuilder::link(Source lists, std::uint32_t page_slots) noexcept
{
	Impl &impl = *impl_;
	if (!impl.list_memory.map(lists.file, lists.offset, list_bytes(rows())))
		return Status::out_of_memory();
	impl.edges = static_cast<Edge *>(impl.list_memory.get());
	impl.page_slots = page_slots;
	return impl.workers.run([](void *self) { static_cast<Impl *>(self)->run(); }, impl_);
}

bool
GraphBuilder::wait_idle(int milliseconds) noexcept
{
	return impl_->workers.wait_idle(milliseconds);
}

BuildPhase
GraphBuilder::phase() const noexcept
{
	return impl_->phase.load(std::memory_order_relaxed);
}

std::uint64_t
GraphBuilder::done() const noexcept
{
	return impl_->done.load(std::memory_order_relaxed);
}

void
GraphBuilder::stop() noexcept
{
	if (impl_ != nullptr)
		impl_->workers.stop();
}

Status
GraphBuilder::status() const noexcept
{
	return impl_->workers.status();
}

std::uint32_t
GraphBuilder::count() const noexcept
{
	return impl_->linked ? impl_->store.count() : 0;
}

std::uint32_t
GraphBuilder::ordinal(std::uint32_t node) const noexcept
{
	return impl_->store.head(impl_->position_of(node)).ordinal;
}

std::uint32_t
GraphBuilder::level(std::uint32_t node) const noexcept
{
	return impl_->level_of(ordinal(node));
}

const std::uint8_t *
GraphBuilder::code(std::uint32_t node) const noexcept
{
	return impl_->store.code(impl_->position_of(node));
}

const quantizer::Sq8 &
GraphBuilder::sq8(std::uint32_t node) const noexcept
{
	return impl_->store.head(impl_->position_of(node)).sq8;
}

std::int32_t
GraphBuilder::sum(std::uint32_t node) const noexcept
{
	return impl_->store.head(impl_->position_of(node)).sum;
}

const std::uint8_t *
GraphBuilder::extra(std::uint32_t node) const noexcept
{
	return impl_->extra_of(ordinal(node));
}

std::uint32_t
GraphBuilder::links(std::uint32_t node, std::uint32_t layer, std::uint32_t *out) const noexcept
{
	const Impl &impl = *impl_;
	const std::uint32_t position = impl.position_of(node);
	if (layer == 0)
	{
		const std::uint32_t *list = LayerLinker::list_of(impl.edges, position, impl.base_lanes());
		for (std::uint32_t j = 0; j < impl.degrees[position]; j++)
			out[j] = impl.place_of(list[j]);
		return impl.degrees[position];
	}
	const SampleLinks &some = impl.layers[layer - 1];
	const auto i = static_cast<std::size_t>(std::lower_bound(some.members.begin(), some.members.end(), position) -
											some.members.begin());
	for (std::uint32_t j = 0; j < some.count[i]; j++)
		out[j] = impl.place_of(some.members[some.links[i * some.lanes + j]]);
	return some.count[i];
}

std::uint32_t
GraphBuilder::entry() const noexcept
{
	return impl_->place_of(impl_->entry);
}

}  // namespace vecdb::core::graph
