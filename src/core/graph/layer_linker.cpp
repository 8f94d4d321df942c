/* SPDX-License-Identifier: PostgreSQL
 * Cluster scan: src/core/graph/layer_linker.hpp.
 *
 * Regime: core.
 * Why: a row's neighbours lie in few clusters, which all rows of a cluster scan together. Insertion into a graph reads ten
 * times as many codes, in random order.
 */
#include "layer_linker.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "vecdb/quantizer/sign_codes.hpp"

namespace vecdb::core::graph
{

namespace
{

using quantizer::kBlockLanes;

constexpr std::uint32_t kClusterRows = 256;
/* A cluster may grow to so many rows: what scans it pays for all. */
constexpr std::uint32_t kMostClusterRows = 3 * kClusterRows;
/* Codes of more dimensions cost more than they tell: half of them, from here on. */
constexpr std::size_t kAllScanDims = 400, kMostScanDims = 1536;
/* Tables of the rows scanned together: what stays in the second cache. */
constexpr std::size_t kTableBytes = 256 * 1024;

/* Orders as the floats do. */
std::uint32_t
sortable(float x) noexcept
{
	std::uint32_t bits;
	std::memcpy(&bits, &x, sizeof bits);
	return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

float
from_sortable(std::uint32_t key) noexcept
{
	std::uint32_t bits = (key & 0x80000000u) != 0 ? key & 0x7fffffffu : ~key;
	float x;
	std::memcpy(&x, &bits, sizeof x);
	return x;
}

std::uint64_t
key_of(float distance, std::uint32_t position) noexcept
{
	return static_cast<std::uint64_t>(sortable(distance)) << 32 | position;
}

std::uint32_t
position_of(std::uint64_t key) noexcept
{
	return static_cast<std::uint32_t>(key);
}

float
power_of_two_over(float most) noexcept
{
	return most > 0 ? std::ldexp(1.0f, std::clamp(std::ilogb(most) - 14, -100, 112)) : 1.0f;
}

struct StoreRows
{
	const RowStore *store;
	const std::uint32_t *rows;
};

const float *
load_row(const void *self, std::uint32_t i, float *out) noexcept
{
	const auto &source = *static_cast<const StoreRows *>(self);
	source.store->load(source.rows[i], out);
	return out;
}

}  // namespace

/* What a thread works with. */
struct LayerLinker::Scratch
{
	explicit Scratch(const RowStore &store) noexcept : self(store), candidate(store)
	{
	}

	RowComparer self, candidate;
	std::vector<float> queries, products, norms, distances;
	std::vector<const float *> query_rows;
	std::vector<std::uint8_t> tables;
	std::vector<quantizer::SignQuery> sign;
	std::vector<std::vector<std::uint32_t>> scanning;  // near cluster -> queries
	/* query -> best so far, `limit` and a block more of each */
	std::vector<std::uint64_t> found;
	std::vector<std::uint32_t> found_count;
	std::vector<float> threshold;
	std::vector<std::pair<float, std::uint32_t>> by_distance;
	cluster::Panels panels;
	/* Of one row. */
	std::vector<std::uint64_t> keys;
	std::vector<Edge> candidates, kept;
	std::vector<std::uint8_t> state;
	std::vector<CodeView> kept_views;
	std::vector<std::uint32_t> kept_order;
	std::vector<std::uint32_t> ids;
};

void
LayerLinker::cluster(std::vector<std::uint32_t> &rows)
{
	StoreRows source{&store_, rows.data()};
	const auto n = static_cast<std::uint32_t>(rows.size());
	std::vector<std::uint32_t> assignment(n);
	check(clusters_.build(workers_, cluster::RowSource{load_row, &source, n, store_.dims()},
						  cluster::KmeansOptions{kClusterRows, kMostClusterRows, settings_.seed}, assignment.data()));
	const std::uint32_t k = clusters_.count();
	first_.assign(k + 1, 0);
	for (std::uint32_t c : assignment)
		first_[c + 1]++;
	for (std::uint32_t c = 0; c < k; c++)
		first_[c + 1] += first_[c];
	std::vector<std::uint32_t> at(first_.begin(), first_.end() - 1), sorted(n);
	for (std::uint32_t i = 0; i < n; i++)
		sorted[at[assignment[i]]++] = rows[i];
	rows = std::move(sorted);
}

void
LayerLinker::share(const LayerLinker &other)
{
	clusters_ = other.clusters_;
	first_ = other.first_;
	rows_ = other.rows_;
}

void
LayerLinker::find_near()
{
	const std::uint32_t k = clusters_.count();
	const std::uint32_t scanned = settings_.scanned_rows / kClusterRows;
	near_count_ = std::min(k, scanned + scanned / 2 + 2);
	near_.resize(static_cast<std::size_t>(k) * near_count_);
	check(clusters_.nearest(workers_, metric_ == Metric::inner_product, near_count_, near_.data()));
}

void
LayerLinker::encode()
{
	const std::uint32_t k = clusters_.count();
	const std::size_t dims = store_.dims();
	scan_dims_ = dims <= kAllScanDims || store_.kind() != RowKind::sq8
					 ? dims
					 : std::clamp(dims / 2 / 16 * 16, kAllScanDims, kMostScanDims);
	first_block_.assign(k + 1, 0);
	for (std::uint32_t c = 0; c < k; c++)
		first_block_[c + 1] = first_block_[c] + (first_[c + 1] - first_[c] + kBlockLanes - 1) / kBlockLanes;
	block_bytes_ = quantizer::sign_block_bytes(scan_dims_);
	codes_.assign(first_block_[k] * block_bytes_, 0);
	factors_.assign(static_cast<std::size_t>(first_block_[k]) * 2 * kBlockLanes, 0);
	scales_.assign(2 * static_cast<std::size_t>(k), 1.0f);
	const distance::Kernels &kernels = distance::kernels();
	workers_.parallel(k, 4, [&](std::size_t begin, std::size_t end, unsigned) {
		std::vector<float> row_values(dims), add, mul;
		for (std::size_t c = begin; c < end; c++)
		{
			const std::uint32_t n = first_[c + 1] - first_[c];
			const std::uint32_t lanes = (first_block_[c + 1] - first_block_[c]) * kBlockLanes;
			add.assign(lanes, 0.0f);
			mul.assign(lanes, 0.0f);
			float most_add = 0, most_mul = 0;
			for (std::uint32_t i = 0; i < n; i++)
			{
				store_.load(row(first_[c] + i), row_values.data());
				quantizer::SignFactors f = quantizer::encode_lane(
					scan_metric(), clusters_.centroid(static_cast<std::uint32_t>(c)), row_values.data(), dims,
					scan_dims_, codes_.data() + (first_block_[c] + i / kBlockLanes) * block_bytes_, i % kBlockLanes);
				add[i] = f.add;
				mul[i] = f.mul;
				most_add = std::max(most_add, std::fabs(f.add));
				most_mul = std::max(most_mul, std::fabs(f.mul));
			}
			scales_[2 * c] = power_of_two_over(most_add);
			scales_[2 * c + 1] = power_of_two_over(most_mul);
			for (std::uint32_t i = 0; i < lanes; i++)
			{
				add[i] /= scales_[2 * c];
				mul[i] /= scales_[2 * c + 1];
			}
			for (std::uint32_t b = 0; b < lanes; b += kBlockLanes)
			{
				std::uint16_t *out = factors_.data() +
									 (first_block_[c] + static_cast<std::size_t>(b / kBlockLanes)) * 2 * kBlockLanes;
				kernels.f32_to_f16(add.data() + b, out, kBlockLanes);
				kernels.f32_to_f16(mul.data() + b, out + kBlockLanes, kBlockLanes);
			}
		}
	});
}

/*
 * The neighbourhood rule on candidates (ascending), after those already kept; alpha scales the distance between two neighbours.
 * state[i]: 2 kept, 1 passed over. What blocked last is asked early: near candidates share it.
 */
std::uint32_t
LayerLinker::choose(const std::vector<Edge> &candidates, std::vector<std::uint8_t> &state, float alpha,
					std::uint32_t most, Edge *kept, std::uint32_t have, Scratch &s) const
{
	for (std::size_t i = 0; i < candidates.size() && have < most; i++)
	{
		if (state[i] == 2)
			continue;
		const Edge &c = candidates[i];
		const CodeView view = store_.view(row(c.to));
		s.candidate.set(view);
		bool shadowed = false;
		for (std::uint32_t j = 0; j < have && !shadowed; j++)
		{
			shadowed = alpha * s.candidate.to(metric_, s.kept_views[s.kept_order[j]]) < c.distance;
			if (shadowed && j > 0)
				std::swap(s.kept_order[j], s.kept_order[j / 2]);
		}
		state[i] = shadowed ? 1 : 2;
		if (shadowed)
			continue;
		kept[have] = c;
		s.kept_views[have] = view;
		s.kept_order[have] = have;
		have++;
	}
	return have;
}

std::vector<LayerLinker::Scratch>
LayerLinker::make_scratch() const
{
	std::vector<Scratch> scratch;
	scratch.reserve(workers_.count());
	for (unsigned i = 0; i < workers_.count(); i++)
		scratch.emplace_back(store_);
	return scratch;
}

/* s.keys: the best candidates by estimate. Leaves the forward links of position. */
void
LayerLinker::link_one(std::uint32_t position, Edge *edges, Scratch &s)
{
	s.self.set(store_.view(row(position)));
	constexpr std::size_t kAhead = 4;
	std::size_t n = 0;
	for (std::size_t i = 0; i < s.keys.size(); i++)
	{
		if (i + kAhead < s.keys.size())
			store_.prefetch(row(position_of(s.keys[i + kAhead])));
		std::uint32_t other = position_of(s.keys[i]);
		if (other != position)
			s.keys[n++] = key_of(s.self.to(metric_, store_.view(row(other))), other);
	}
	s.keys.resize(n);
	std::sort(s.keys.begin(), s.keys.end());
	s.candidates.resize(n);
	for (std::size_t i = 0; i < n; i++)
		s.candidates[i] = Edge{from_sortable(static_cast<std::uint32_t>(s.keys[i] >> 32)), position_of(s.keys[i])};
	s.state.assign(n, 0);
	Edge *out = edges + static_cast<std::size_t>(position) * settings_.lanes;
	std::uint32_t have = choose(s.candidates, s.state, 1.0f, settings_.forward_lanes, out, 0, s);
	strict_[position] = static_cast<std::uint8_t>(have);
	if (settings_.fill_alpha > 1)
		have = choose(s.candidates, s.state, settings_.fill_alpha, settings_.lanes, out, have, s);
	for (std::size_t i = 0; i < n && have < settings_.least_lanes; i++)
		if (s.state[i] != 2)
			out[have++] = s.candidates[i];
	total_[position] = static_cast<std::uint8_t>(have);
}

void
LayerLinker::scan_piece(const Piece &piece, Edge *edges, Scratch &s)
{
	const distance::Kernels &kernels = distance::kernels();
	const std::size_t dims = store_.dims();
	const std::uint32_t n = piece.end - piece.begin;
	const std::size_t wanted = settings_.candidates, limit = 2 * wanted + 256;
	const std::uint32_t *near = near_.data() + static_cast<std::size_t>(piece.cluster) * near_count_;
	const bool by_codes = has_codes();

	s.panels.pack_some(clusters_.centroids(), near, near_count_, dims);
	const std::size_t padded = s.panels.padded();
	s.queries.resize(n * dims);
	s.query_rows.resize(n);
	s.products.resize(n * padded);
	s.distances.resize(n * static_cast<std::size_t>(near_count_));
	s.tables.resize(n * quantizer::sign_lut_bytes(scan_dims_));
	s.sign.resize(n);
	s.threshold.assign(n, INFINITY);
	s.scanning.resize(near_count_);
	for (auto &list : s.scanning)
		list.clear();
	const std::size_t room = limit + std::max<std::size_t>(kBlockLanes, 1);
	s.found.resize(n * room);
	s.found_count.assign(n, 0);
	for (std::uint32_t i = 0; i < n; i++)
	{
		float *q = s.queries.data() + i * dims;
		store_.load(row(piece.begin + i), q);
		s.query_rows[i] = q;
	}
	const bool inner = metric_ == distance::Metric::inner_product;
	if (inner)
		s.panels.products(s.query_rows.data(), n, s.products.data());
	else
		s.panels.score(s.query_rows.data(), n, s.products.data());

	/* Which clusters each row scans: the nearest, until they hold enough rows. */
	for (std::uint32_t i = 0; i < n; i++)
	{
		const float norm2 = inner ? 0 : store_.loaded_norm2(row(piece.begin + i), s.query_rows[i]);
		float *g = s.distances.data() + static_cast<std::size_t>(i) * near_count_;
		s.by_distance.resize(near_count_);
		for (std::uint32_t k = 0; k < near_count_; k++)
		{
			float x = s.products[i * padded + k];
			g[k] = inner ? -x : x + norm2;
			s.by_distance[k] = {k == 0 ? -INFINITY : g[k], k};  // its own first
		}
		std::sort(s.by_distance.begin(), s.by_distance.end());
		std::uint32_t rows = 0;
		for (std::uint32_t k = 0; k < near_count_ && rows < settings_.scanned_rows; k++)
		{
			std::uint32_t c = s.by_distance[k].second;
			rows += first_[near[c] + 1] - first_[near[c]];
			s.scanning[c].push_back(i);
		}
		if (by_codes)
			s.sign[i] = quantizer::sign_query(s.query_rows[i], scan_dims_,
											  s.tables.data() + i * quantizer::sign_lut_bytes(scan_dims_));
	}

	/* Leaves the `wanted` best; what is no better than the next one is not kept from here on. */
	auto keep_best = [&](std::uint64_t *found, std::uint32_t &count, float &threshold) {
		std::nth_element(found, found + wanted, found + count);
		threshold = from_sortable(static_cast<std::uint32_t>(found[wanted] >> 32));
		count = static_cast<std::uint32_t>(wanted);
	};
	alignas(64) float estimates[kBlockLanes];
	for (std::uint32_t k = 0; k < near_count_; k++)
	{
		const std::uint32_t c = near[k], begin = first_[c], end = first_[c + 1];
		const std::uint32_t first_block = by_codes ? first_block_[c] : 0,
							last_block = by_codes ? first_block_[c + 1] : 0;
		const float add_scale = scales_.empty() ? 0 : scales_[2 * c],
					mul_scale = scales_.empty() ? 0 : scales_[2 * c + 1];
		for (std::uint32_t i : s.scanning[k])
		{
			std::uint64_t *found = s.found.data() + i * room;
			std::uint32_t count = s.found_count[i];
			float threshold = s.threshold[i];
			if (by_codes)
			{
				const quantizer::SignQuery q = s.sign[i];
				const float g = s.distances[static_cast<std::size_t>(i) * near_count_ + k];
				const std::uint8_t *codes = codes_.data() + first_block * block_bytes_;
				const std::uint16_t *f = factors_.data() + static_cast<std::size_t>(first_block) * 2 * kBlockLanes;
				std::uint32_t p = begin;
				for (std::uint32_t b = first_block; b < last_block;
					 b++, p += kBlockLanes, codes += block_bytes_, f += 2 * kBlockLanes)
				{
					std::uint32_t mask = kernels.fast_scan(codes, q.lut, q.segments, f, f + kBlockLanes, add_scale,
														   mul_scale, g, q.step, q.bias, threshold, estimates);
					if (end - p < kBlockLanes)
						mask &= (1u << (end - p)) - 1;
					for (; mask != 0; mask &= mask - 1)
					{
						auto lane = static_cast<std::uint32_t>(__builtin_ctz(mask));
						found[count++] = key_of(estimates[lane], p + lane);
					}
					if (count > limit)
						keep_best(found, count, threshold);
				}
			}
			else
			{
				s.self.set(store_.view(row(piece.begin + i)));
				for (std::uint32_t p = begin; p < end; p++)
				{
					float d = s.self.to(metric_, store_.view(row(p)));
					if (d < threshold)
						found[count++] = key_of(d, p);
					if (count > limit)
						keep_best(found, count, threshold);
				}
			}
			s.found_count[i] = count;
			s.threshold[i] = threshold;
		}
	}
	for (std::uint32_t i = 0; i < n; i++)
	{
		std::uint64_t *found = s.found.data() + i * room;
		if (s.found_count[i] > wanted)
			keep_best(found, s.found_count[i], s.threshold[i]);
		s.keys.assign(found, found + s.found_count[i]);
		link_one(piece.begin + i, edges, s);
	}
}

void
LayerLinker::scan(Edge *edges, std::atomic<std::uint64_t> *progress)
{
	find_near();
	if (has_codes())
		encode();
	strict_.assign(count(), 0);
	total_.assign(count(), 0);
	const auto at_once = static_cast<std::uint32_t>(
		std::clamp<std::size_t>(kTableBytes / std::max<std::size_t>(4 * scan_dims_, 1), 16, 128));
	std::vector<Piece> pieces;
	for (std::uint32_t c = 0; c < clusters_.count(); c++)
		for (std::uint32_t p = first_[c]; p < first_[c + 1]; p += at_once)
			pieces.push_back(Piece{c, p, std::min(first_[c + 1], p + at_once)});
	std::vector<Scratch> scratch = make_scratch();
	for (Scratch &s : scratch)
	{
		s.kept_views.resize(settings_.lanes);
		s.kept_order.resize(settings_.lanes);
	}
	workers_.parallel(pieces.size(), 1, [&](std::size_t i, std::size_t, unsigned worker) {
		scan_piece(pieces[i], edges, scratch[worker]);
		if (progress != nullptr)
			progress->fetch_add(pieces[i].end - pieces[i].begin, std::memory_order_relaxed);
	});
	codes_ = {};
	factors_ = {};
	near_ = {};
}

void
LayerLinker::merge_one(std::uint32_t position, Edge *edges, const std::vector<SampleLinks> &samples, Scratch &s)
{
	Edge *own = edges + static_cast<std::size_t>(position) * settings_.lanes;
	s.self.set(store_.view(row(position)));
	const std::uint32_t most = settings_.lanes;

	/* Links in and out that the rule asked for; then those that fill. */
	s.keys.clear();
	s.ids.clear();
	std::size_t firm = 0;
	for (int kind = 0; kind < 2; kind++)
	{
		const std::uint32_t from = kind == 0 ? 0 : strict_[position],
							to = kind == 0 ? strict_[position] : total_[position];
		const std::size_t known = s.ids.size();
		for (std::uint32_t j = from; j < to; j++)
		{
			if (std::find(s.ids.begin(), s.ids.begin() + static_cast<std::ptrdiff_t>(known), own[j].to) !=
				s.ids.begin() + static_cast<std::ptrdiff_t>(known))
				continue;
			s.ids.push_back(own[j].to);
			s.keys.push_back(key_of(own[j].distance, own[j].to));
		}
		/* A row is in each list once, and a link in can meet only those of before. */
		const auto met = static_cast<std::ptrdiff_t>(s.ids.size());
		for (std::uint64_t j = in_first_[kind][position]; j < in_first_[kind][position + 1]; j++)
		{
			std::uint32_t other = in_[kind][j];
			if (std::find(s.ids.begin(), s.ids.begin() + met, other) != s.ids.begin() + met)
				continue;
			s.ids.push_back(other);
			s.keys.push_back(key_of(s.self.to(metric_, store_.view(row(other))), other));
		}
		if (kind == 0)
			firm = s.keys.size();
	}
	auto to_candidates = [&](std::size_t n) {
		s.candidates.resize(n);
		for (std::size_t i = 0; i < n; i++)
			s.candidates[i] = Edge{from_sortable(static_cast<std::uint32_t>(s.keys[i] >> 32)), position_of(s.keys[i])};
	};
	std::sort(s.keys.begin(), s.keys.begin() + static_cast<std::ptrdiff_t>(firm));
	to_candidates(firm);
	std::uint32_t have = 0;
	if (firm <= most)
	{
		std::copy(s.candidates.begin(), s.candidates.end(), s.kept.begin());
		have = static_cast<std::uint32_t>(firm);
	}
	else
	{
		s.state.assign(firm, 0);
		have = choose(s.candidates, s.state, 1.0f, most, s.kept.data(), 0, s);
	}
	auto has = [&](std::uint32_t id) {
		for (std::uint32_t j = 0; j < have; j++)
			if (s.kept[j].to == id)
				return true;
		return false;
	};
	for (const SampleLinks &sample : samples)
	{
		auto member = std::lower_bound(sample.members.begin(), sample.members.end(), position);
		if (have == most || member == sample.members.end() || *member != position)
			continue;
		const std::size_t i = static_cast<std::size_t>(member - sample.members.begin());
		for (std::uint32_t j = 0; j < sample.count[i] && have < most; j++)
		{
			std::uint32_t other = sample.members[sample.links[i * sample.lanes + j]];
			if (!has(other))
				s.kept[have++] = Edge{0, other};
		}
	}
	if (have < most && settings_.fill_alpha > 0)
	{
		std::sort(s.keys.begin(), s.keys.end());
		to_candidates(s.keys.size());
		s.state.assign(s.keys.size(), 0);
		for (std::size_t i = 0; i < s.keys.size(); i++)
			if (has(s.candidates[i].to))
				s.state[i] = 2;
		if (settings_.fill_alpha > 1)
		{
			for (std::uint32_t j = 0; j < have; j++)
			{
				s.kept_views[j] = store_.view(row(s.kept[j].to));
				s.kept_order[j] = j;
			}
			have = choose(s.candidates, s.state, settings_.fill_alpha, most, s.kept.data(), have, s);
		}
		for (std::size_t i = 0; i < s.candidates.size() && have < settings_.least_lanes; i++)
			if (s.state[i] != 2)
				s.kept[have++] = s.candidates[i];
	}
	s.ids.resize(have);
	for (std::uint32_t j = 0; j < have; j++)
		s.ids[j] = s.kept[j].to;
	if (have > 0)
		std::memcpy(static_cast<void *>(own), s.ids.data(), have * sizeof(std::uint32_t));
	total_[position] = static_cast<std::uint8_t>(have);
}

void
LayerLinker::merge(Edge *edges, const std::vector<SampleLinks> &samples)
{
	const std::uint32_t n = count();
	const std::uint32_t most = settings_.lanes;
	constexpr std::uint32_t kPoll = 65536;
	for (int kind = 0; kind < 2; kind++)
	{
		auto &first = in_first_[kind];
		first.assign(static_cast<std::size_t>(n) + 1, 0);
		auto each = [&](auto &&f) {
			for (std::uint32_t i = 0; i < n; i++)
			{
				if (i % kPoll == 0)
					workers_.poll();
				const Edge *own = edges + static_cast<std::size_t>(i) * most;
				for (std::uint32_t j = kind == 0 ? 0 : strict_[i]; j < (kind == 0 ? strict_[i] : total_[i]); j++)
					f(i, own[j].to);
			}
		};
		each([&](std::uint32_t, std::uint32_t to) { first[to + 1]++; });
		for (std::uint32_t i = 0; i < n; i++)
			first[i + 1] += first[i];
		in_[kind].resize(first[n]);
		/* first[to] moves on to the end of its list; then the starts come back. */
		each([&](std::uint32_t from, std::uint32_t to) { in_[kind][first[to]++] = from; });
		for (std::uint32_t i = n; i > 0; i--)
			first[i] = first[i - 1];
		first[0] = 0;
	}
	std::vector<Scratch> scratch = make_scratch();
	for (Scratch &s : scratch)
	{
		s.kept_views.resize(most);
		s.kept_order.resize(most);
		s.kept.resize(most);
	}
	workers_.parallel(n, 256, [&](std::size_t begin, std::size_t end, unsigned worker) {
		for (std::size_t i = begin; i < end; i++)
			merge_one(static_cast<std::uint32_t>(i), edges, samples, scratch[worker]);
	});
	for (int kind = 0; kind < 2; kind++)
	{
		in_first_[kind] = {};
		in_[kind] = {};
	}
}

}  // namespace vecdb::core::graph
