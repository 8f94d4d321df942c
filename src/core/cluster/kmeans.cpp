/* SPDX-License-Identifier: PostgreSQL
 * Two-level k-means (Lloyd) on a sample, assignment of all rows, and the splitting of large clusters.
 *
 * Regime: core.
 * Why two levels: comparing n rows with n / 256 centroids is quadratic. A row looks at the cells' centroids and at the
 * clusters of its nearest three cells.
 */
#include "vecdb/cluster/kmeans.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "vecdb/base/random.hpp"
#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::cluster
{

namespace
{

constexpr std::size_t kPanel = 16;
constexpr float kNever = 1e30f;
constexpr std::uint32_t kSamplePerCell = 128;
/* Fewer clusters than this are found in one level. */
constexpr std::uint32_t kFewClusters = 64;
constexpr std::size_t kCellsOfARow = 3;
/* Rows are compared with panels this many at a time. */
constexpr std::size_t kRowsAtOnce = 192;
/* Centroids near a cluster are looked for in the nearest cells alone where there are more than these. */
constexpr std::size_t kManyClusters = 8192;

/* Rows that a thread holds as floats: 8 MB of them. */
std::size_t
chunk_rows(std::size_t dims)
{
	return std::clamp<std::size_t>((2u << 20) / dims, 64, 2048);
}

/* The `most` least of scores[0..n), ascending. */
void
least(const float *scores, std::size_t n, std::uint32_t *ids, std::size_t most)
{
	float best[kCellsOfARow];
	std::fill(best, best + most, INFINITY);
	std::fill(ids, ids + most, 0);
	for (std::size_t i = 0; i < n; i++)
	{
		if (!(scores[i] < best[most - 1]))
			continue;
		std::size_t j = most - 1;
		for (; j > 0 && best[j - 1] > scores[i]; j--)
		{
			best[j] = best[j - 1];
			ids[j] = ids[j - 1];
		}
		best[j] = scores[i];
		ids[j] = static_cast<std::uint32_t>(i);
	}
}

/* Rows of a sample, spread over all: the i-th of `count`. */
std::uint32_t
sample_row(std::uint32_t i, std::uint32_t count, std::uint32_t rows, std::uint64_t seed)
{
	std::uint64_t begin = static_cast<std::uint64_t>(i) * rows / count;
	std::uint64_t end = (static_cast<std::uint64_t>(i) + 1) * rows / count;
	return static_cast<std::uint32_t>(begin + splitmix64(seed + i) % std::max<std::uint64_t>(end - begin, 1));
}

/* Points in memory. */
struct Points
{
	std::vector<float> values;
	std::vector<const float *> rows;

	void
	load(const RowSource &source, const std::uint32_t *ids, std::size_t count)
	{
		rows.resize(count);
		if (!source.in_place)
			values.resize(count * source.dims);
		for (std::size_t i = 0; i < count; i++)
			rows[i] = source.load(source.self, ids[i], source.in_place ? nullptr : values.data() + i * source.dims);
	}
};

/* Each row's nearest centroid of panels. */
void
nearest_of(const Panels &panels, const float *const *rows, std::size_t count, std::uint32_t *out,
		   std::vector<float> &scores)
{
	scores.resize(kRowsAtOnce * panels.padded());
	for (std::size_t first = 0; first < count; first += kRowsAtOnce)
	{
		std::size_t n = std::min(kRowsAtOnce, count - first);
		panels.score(rows + first, n, scores.data());
		for (std::size_t i = 0; i < n; i++)
			least(scores.data() + i * panels.padded(), panels.count(), out + first + i, 1);
	}
}

/*
 * Lloyd's iterations from a spread of the points: k centroids, k <= points. parallel: the loop may be split over the
 * workers.
 */
void
lloyd(Workers &workers, bool parallel, const Points &points, std::size_t dims, std::size_t k, std::uint32_t rounds,
	  std::uint64_t seed, float *centroids)
{
	const std::size_t n = points.rows.size();
	std::vector<float> scores;
	for (std::size_t i = 0; i < k; i++)
	{
		std::uint32_t row = sample_row(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(k),
									   static_cast<std::uint32_t>(n), seed);
		std::copy_n(points.rows[row], dims, centroids + i * dims);
	}
	std::vector<std::uint32_t> assigned(n), size(k);
	std::vector<double> sums(k * dims);
	Panels panels;
	for (std::uint32_t round = 0; round < rounds; round++)
	{
		workers.poll();
		panels.pack(centroids, k, dims, dims);
		if (parallel)
			workers.parallel(n, kRowsAtOnce, [&](std::size_t begin, std::size_t end, unsigned) {
				std::vector<float> own;
				nearest_of(panels, points.rows.data() + begin, end - begin, assigned.data() + begin, own);
			});
		else
			nearest_of(panels, points.rows.data(), n, assigned.data(), scores);
		std::fill(size.begin(), size.end(), 0);
		std::fill(sums.begin(), sums.end(), 0.0);
		for (std::size_t i = 0; i < n; i++)
		{
			size[assigned[i]]++;
			double *sum = sums.data() + assigned[i] * dims;
			const float *x = points.rows[i];
			for (std::size_t j = 0; j < dims; j++)
				sum[j] += static_cast<double>(x[j]);
		}
		for (std::size_t c = 0; c < k; c++)
		{
			float *centroid = centroids + c * dims;
			/* An empty cluster starts again from some point. */
			if (size[c] == 0)
				std::copy_n(points.rows[splitmix64(seed ^ (c * 77 + round)) % n], dims, centroid);
			else
				for (std::size_t j = 0; j < dims; j++)
					centroid[j] = static_cast<float>(sums[c * dims + j] / size[c]);
		}
	}
}

/*
 * Clusters for each cell, by its share of the sample (cell c has first[c + 1] - first[c] rows of it), at least one and no more
 * than rows. exact: `wanted` in all, if there are that many rows and cells.
 */
std::vector<std::uint32_t>
share_out(const std::vector<std::uint32_t> &first, std::uint32_t wanted, bool exact)
{
	const auto cells = static_cast<std::uint32_t>(first.size() - 1);
	const std::uint32_t sample = first[cells];
	std::vector<std::uint32_t> share(cells);
	std::vector<std::pair<double, std::uint32_t>> rest(cells);  // less than it should have
	auto members = [&](std::uint32_t c) { return std::max<std::uint32_t>(first[c + 1] - first[c], 1); };
	std::uint64_t sum = 0;
	for (std::uint32_t c = 0; c < cells; c++)
	{
		const double ideal = static_cast<double>(wanted) * (first[c + 1] - first[c]) / sample;
		share[c] = std::clamp<std::uint32_t>(static_cast<std::uint32_t>(std::lround(ideal)), 1, members(c));
		rest[c] = {share[c] - ideal, c};
		sum += share[c];
	}
	if (!exact)
		return share;
	std::sort(rest.begin(), rest.end());
	for (bool moved = true; sum < wanted && moved;)
	{
		moved = false;
		for (std::size_t i = 0; i < cells && sum < wanted; i++)
			if (std::uint32_t c = rest[i].second; share[c] < members(c))
			{
				share[c]++;
				sum++;
				moved = true;
			}
	}
	for (bool moved = true; sum > wanted && moved;)
	{
		moved = false;
		for (std::size_t i = cells; i-- > 0 && sum > wanted;)
			if (std::uint32_t c = rest[i].second; share[c] > 1)
			{
				share[c]--;
				sum--;
				moved = true;
			}
	}
	return share;
}

}  // namespace

template <class Get>
void
Panels::pack_with(Get &&get, std::size_t count, std::size_t dims)
{
	count_ = count;
	dims_ = dims;
	const std::size_t padded = (count + kPanel - 1) / kPanel * kPanel;
	panels_.assign(padded * dims, 0.0f);
	norms_.assign(padded, kNever);
	for (std::size_t i = 0; i < count; i++)
	{
		const float *v = get(i);
		float *panel = panels_.data() + i / kPanel * kPanel * dims + i % kPanel;
		float norm = 0;
		for (std::size_t j = 0; j < dims; j++)
		{
			panel[j * kPanel] = v[j];
			norm += v[j] * v[j];
		}
		norms_[i] = norm;
	}
}

void
Panels::pack(const float *vectors, std::size_t count, std::size_t dims, std::size_t stride)
{
	pack_with([&](std::size_t i) { return vectors + i * stride; }, count, dims);
}

void
Panels::pack_some(const float *vectors, const std::uint32_t *ids, std::size_t count, std::size_t dims)
{
	pack_with([&](std::size_t i) { return vectors + ids[i] * dims; }, count, dims);
}

void
Panels::products(const float *const *rows, std::size_t count, float *out) const
{
	const distance::Kernels &k = distance::kernels();
	for (std::size_t first = 0; first < padded(); first += kPanel)
		k.dot_panel(rows, count, panels_.data() + first * dims_, dims_, out + first, padded());
}

void
Panels::score(const float *const *rows, std::size_t count, float *out) const
{
	products(rows, count, out);
	for (std::size_t r = 0; r < count; r++)
		for (std::size_t i = 0; i < padded(); i++)
		{
			float &x = out[r * padded() + i];
			x = norms_[i] - 2 * x;
		}
}

void
Clusters::train(Workers &workers, const RowSource &source, const KmeansOptions &options)
{
	dims_ = source.dims;
	const bool exact = options.clusters > 0;
	const std::uint32_t wanted =
		exact ? std::min(options.clusters, source.rows)
			  : std::max<std::uint32_t>((source.rows + options.rows_per_cluster / 2) / options.rows_per_cluster, 1);
	const std::uint32_t cells =
		wanted < kFewClusters ? wanted
							  : static_cast<std::uint32_t>(std::lround(0.8 * std::sqrt(static_cast<double>(wanted))));
	const std::uint32_t coarse_sample =
		std::min(source.rows, cells * std::max(kSamplePerCell, cells == wanted ? options.sample_per_cluster : 0));
	std::vector<std::uint32_t> ids(coarse_sample);
	for (std::uint32_t i = 0; i < coarse_sample; i++)
		ids[i] = sample_row(i, coarse_sample, source.rows, options.seed);
	{
		Points points;
		points.load(source, ids.data(), ids.size());
		coarse_.resize(cells * dims_);
		lloyd(workers, true, points, dims_, cells, options.iterations, options.seed, coarse_.data());
	}
	cell_end_.clear();
	if (cells == wanted)
	{
		centroids_.assign(coarse_.begin(), coarse_.end());
		for (std::uint32_t i = 0; i < cells; i++)
			cell_end_.push_back(i + 1);
		return;
	}

	/* A larger sample, by cells. */
	const auto sample = static_cast<std::uint32_t>(
		std::min<std::uint64_t>(source.rows, static_cast<std::uint64_t>(wanted) * options.sample_per_cluster));
	std::vector<std::uint32_t> rows(sample), cell(sample);
	for (std::uint32_t i = 0; i < sample; i++)
		rows[i] = sample_row(i, sample, source.rows, options.seed + 1);
	Panels panels;
	panels.pack(coarse_.data(), cells, dims_, dims_);
	workers.parallel(sample, chunk_rows(dims_), [&](std::size_t begin, std::size_t end, unsigned) {
		Points points;
		std::vector<float> scores;
		points.load(source, rows.data() + begin, end - begin);
		nearest_of(panels, points.rows.data(), end - begin, cell.data() + begin, scores);
	});
	std::vector<std::uint32_t> first(cells + 1), sorted(sample);
	for (std::uint32_t c : cell)
		first[c + 1]++;
	for (std::uint32_t c = 0; c < cells; c++)
		first[c + 1] += first[c];
	{
		std::vector<std::uint32_t> at(first.begin(), first.end() - 1);
		for (std::uint32_t i = 0; i < sample; i++)
			sorted[at[cell[i]]++] = rows[i];
	}
	const std::vector<std::uint32_t> share = share_out(first, wanted, exact);
	for (std::uint32_t c = 0, end = 0; c < cells; c++)
		cell_end_.push_back(end += share[c]);
	centroids_.resize(cell_end_.back() * dims_);
	workers.parallel(cells, 1, [&](std::size_t c, std::size_t, unsigned) {
		const std::uint32_t members = first[c + 1] - first[c];
		float *found = centroids_.data() + (cell_end_[c] - share[c]) * dims_;
		/* No cell is without a cluster: the assignment looks into every one. */
		if (members == 0)
		{
			std::copy_n(coarse_.data() + c * dims_, dims_, found);
			return;
		}
		Points points;
		points.load(source, sorted.data() + first[c], members);
		lloyd(workers, false, points, dims_, share[c], options.iterations, options.seed + c, found);
	});
}

void
Clusters::assign(Workers &workers, const RowSource &source, std::atomic<std::uint64_t> *assigned,
				 std::uint32_t *assignment) const
{
	const std::size_t cells = cell_end_.size();
	Panels coarse;
	coarse.pack(coarse_.data(), cells, dims_, dims_);
	const bool one_level = cells == count();
	std::vector<Panels> fine;
	fine.reserve(cells);
	for (std::size_t c = 0; c < (one_level ? 0 : cells); c++)
	{
		std::uint32_t begin = c == 0 ? 0 : cell_end_[c - 1];
		fine.emplace_back(memory_);
		fine[c].pack(centroid(begin), cell_end_[c] - begin, dims_, dims_);
	}
	const std::size_t chunk = chunk_rows(dims_);
	workers.parallel(source.rows, chunk, [&](std::size_t begin, std::size_t end, unsigned) {
		const std::size_t n = end - begin;
		if (assigned != nullptr)
			assigned->fetch_add(n, std::memory_order_relaxed);
		std::vector<std::uint32_t> ids(n);
		for (std::size_t i = 0; i < n; i++)
			ids[i] = static_cast<std::uint32_t>(begin + i);
		Points points;
		points.load(source, ids.data(), n);
		std::vector<float> scores;
		if (one_level)
		{
			nearest_of(coarse, points.rows.data(), n, assignment + begin, scores);
			return;
		}
		std::vector<std::vector<std::uint32_t>> members(cells);
		scores.resize(kRowsAtOnce * coarse.padded());
		const std::size_t looked_at = std::min(kCellsOfARow, cells);
		for (std::size_t first = 0; first < n; first += kRowsAtOnce)
		{
			std::size_t some = std::min(kRowsAtOnce, n - first);
			coarse.score(points.rows.data() + first, some, scores.data());
			for (std::size_t i = 0; i < some; i++)
			{
				std::uint32_t nearest_cells[kCellsOfARow];
				least(scores.data() + i * coarse.padded(), cells, nearest_cells, looked_at);
				for (std::size_t j = 0; j < looked_at; j++)
					members[nearest_cells[j]].push_back(static_cast<std::uint32_t>(first + i));
			}
		}
		std::vector<float> best(n, INFINITY);
		std::vector<const float *> rows(kRowsAtOnce);
		for (std::size_t i = 0; i < n; i++)
			assignment[begin + i] = 0;
		for (std::size_t c = 0; c < cells; c++)
		{
			const std::uint32_t base = c == 0 ? 0 : cell_end_[c - 1];
			if (scores.size() < kRowsAtOnce * fine[c].padded())
				scores.resize(kRowsAtOnce * fine[c].padded());
			for (std::size_t first = 0; first < members[c].size(); first += kRowsAtOnce)
			{
				std::size_t some = std::min(kRowsAtOnce, members[c].size() - first);
				for (std::size_t i = 0; i < some; i++)
					rows[i] = points.rows[members[c][first + i]];
				fine[c].score(rows.data(), some, scores.data());
				for (std::size_t i = 0; i < some; i++)
				{
					std::uint32_t id;
					const float *row_scores = scores.data() + i * fine[c].padded();
					least(row_scores, fine[c].count(), &id, 1);
					std::uint32_t row = members[c][first + i];
					if (row_scores[id] < best[row])
					{
						best[row] = row_scores[id];
						assignment[begin + row] = base + id;
					}
				}
			}
		}
	});
}

void
Clusters::split_large(Workers &workers, const RowSource &source, const KmeansOptions &options,
					  std::uint32_t *assignment)
{
	const std::uint32_t k = count();
	std::vector<std::uint32_t> size(k);
	for (std::uint32_t row = 0; row < source.rows; row++)
		size[assignment[row]]++;
	std::vector<std::uint32_t> large, number(k, 0);
	for (std::uint32_t c = 0; c < k; c++)
		if (size[c] > options.most_rows)
		{
			number[c] = static_cast<std::uint32_t>(large.size());
			large.push_back(c);
		}
	if (large.empty())
		return;
	std::vector<std::vector<std::uint32_t>> members(large.size());
	for (std::uint32_t row = 0; row < source.rows; row++)
		if (size[assignment[row]] > options.most_rows)
			members[number[assignment[row]]].push_back(row);

	/* Parts of each, in place of its number: part[row] counts from 0. */
	std::vector<std::vector<float>> parts(large.size());
	std::vector<std::uint32_t> part(source.rows);
	for (std::size_t i = 0; i < large.size(); i++)
	{
		const std::vector<std::uint32_t> &rows = members[i];
		const auto n = static_cast<std::uint32_t>(rows.size());
		const std::uint32_t pieces = (n + options.rows_per_cluster - 1) / options.rows_per_cluster;
		const std::uint32_t sample = std::min(n, pieces * options.sample_per_cluster);
		std::vector<std::uint32_t> ids(sample);
		for (std::uint32_t j = 0; j < sample; j++)
			ids[j] = rows[sample_row(j, sample, n, options.seed)];
		std::vector<float> centroids(pieces * dims_);
		{
			Points points;
			points.load(source, ids.data(), sample);
			lloyd(workers, true, points, dims_, pieces, options.iterations, options.seed + i, centroids.data());
		}
		Panels panels;
		panels.pack(centroids.data(), pieces, dims_, dims_);
		std::vector<std::uint32_t> where(n), piece_size(pieces), next_part(pieces), filled(pieces);
		workers.parallel(n, kRowsAtOnce, [&](std::size_t begin, std::size_t end, unsigned) {
			Points points;
			std::vector<float> scores;
			points.load(source, rows.data() + begin, end - begin);
			nearest_of(panels, points.rows.data(), end - begin, where.data() + begin, scores);
		});
		/* What is as large still cannot be told apart: cut by number. */
		for (std::uint32_t j = 0; j < n; j++)
		{
			std::uint32_t piece = where[j];
			if (piece_size[piece]++ == 0 || filled[piece] == options.most_rows)
			{
				next_part[piece] = static_cast<std::uint32_t>(parts[i].size() / dims_);
				filled[piece] = 0;
				parts[i].insert(parts[i].end(), centroids.begin() + static_cast<std::ptrdiff_t>(piece * dims_),
								centroids.begin() + static_cast<std::ptrdiff_t>((piece + 1) * dims_));
			}
			filled[piece]++;
			part[rows[j]] = next_part[piece];
		}
	}
	std::size_t total = k - large.size();
	for (const std::vector<float> &some : parts)
		total += some.size() / dims_;
	std::pmr::vector<float> all(memory_);
	all.reserve(total * dims_);
	std::vector<std::uint32_t> first(k);
	std::size_t cell = 0;
	for (std::uint32_t c = 0; c < k; c++)
	{
		first[c] = static_cast<std::uint32_t>(all.size() / dims_);
		if (size[c] > options.most_rows)
			all.insert(all.end(), parts[number[c]].begin(), parts[number[c]].end());
		else
			all.insert(all.end(), centroid(c), centroid(c) + dims_);
		if (c + 1 == cell_end_[cell])
			cell_end_[cell++] = static_cast<std::uint32_t>(all.size() / dims_);
	}
	for (std::uint32_t row = 0; row < source.rows; row++)
		assignment[row] = first[assignment[row]] + (size[assignment[row]] > options.most_rows ? part[row] : 0);
	centroids_ = std::move(all);
}

Status
Clusters::find(Workers &workers, const RowSource &source, const KmeansOptions &options) noexcept
{
	return guarded([&] { train(workers, source, options); });
}

Status
Clusters::place(Workers &workers, const RowSource &source, const KmeansOptions &options,
				std::uint32_t *assignment) noexcept
{
	return guarded([&] {
		assign(workers, source, options.assigned, assignment);
		if (options.clusters == 0)
			split_large(workers, source, options, assignment);
	});
}

Status
Clusters::build(Workers &workers, const RowSource &source, const KmeansOptions &options,
				std::uint32_t *assignment) noexcept
{
	Status status = find(workers, source, options);
	return status.ok() ? place(workers, source, options, assignment) : status;
}

Status
Clusters::nearest(Workers &workers, bool by_product, std::uint32_t most, std::uint32_t *out) const noexcept
{
	auto score = [by_product](const Panels &panels, const float *const *rows, std::size_t count, float *scores) {
		if (!by_product)
			return panels.score(rows, count, scores);
		panels.products(rows, count, scores);
		for (std::size_t i = 0; i < count * panels.padded(); i++)
			scores[i] = -scores[i];
	};
	return guarded([&] {
		const std::uint32_t k = count();
		const std::size_t cells = cell_end_.size();
		/* Cells by distance from each cell, where comparing all with all would be too much. */
		const bool by_cells = k > kManyClusters && cells > 16;
		Panels coarse, all;
		if (by_cells)
			coarse.pack(coarse_.data(), cells, dims_, dims_);
		else
			all.pack(centroids_.data(), k, dims_, dims_);
		auto pick = [&](const float *scores, const std::vector<std::uint32_t> *ids, std::uint32_t self,
						std::vector<std::pair<float, std::uint32_t>> &near) {
			const std::size_t n = ids != nullptr ? ids->size() : k;
			near.resize(n);
			for (std::uint32_t i = 0; i < n; i++)
			{
				std::uint32_t id = ids != nullptr ? (*ids)[i] : i;
				near[i] = {id == self ? -INFINITY : scores[i], id};
			}
			std::partial_sort(near.begin(), near.begin() + most, near.end());
			for (std::uint32_t i = 0; i < most; i++)
				out[static_cast<std::size_t>(self) * most + i] = near[i].second;
		};
		constexpr std::size_t kAtOnce = 16;
		if (!by_cells)
		{
			workers.parallel(k, kAtOnce, [&](std::size_t begin, std::size_t end, unsigned) {
				std::vector<float> scores(kAtOnce * all.padded());
				std::vector<std::pair<float, std::uint32_t>> near;
				const float *rows[kAtOnce];
				for (std::size_t i = begin; i < end; i++)
					rows[i - begin] = centroid(static_cast<std::uint32_t>(i));
				score(all, rows, end - begin, scores.data());
				for (std::size_t i = begin; i < end; i++)
					pick(scores.data() + (i - begin) * all.padded(), nullptr, static_cast<std::uint32_t>(i), near);
			});
			return;
		}
		workers.parallel(cells, 1, [&](std::size_t cell, std::size_t, unsigned) {
			std::vector<float> scores(coarse.padded());
			const float *row = coarse_.data() + cell * dims_;
			score(coarse, &row, 1, scores.data());
			std::vector<std::pair<float, std::uint32_t>> near;
			for (std::uint32_t i = 0; i < cells; i++)
				near.emplace_back(i == cell ? -INFINITY : scores[i], i);
			std::sort(near.begin(), near.end());
			std::vector<std::uint32_t> ids;
			for (std::size_t i = 0; i < cells && (i < 8 || ids.size() < 12 * static_cast<std::size_t>(most)); i++)
			{
				std::uint32_t c = near[i].second;
				for (std::uint32_t j = c == 0 ? 0 : cell_end_[c - 1]; j < cell_end_[c]; j++)
					ids.push_back(j);
			}
			Panels some;
			some.pack_some(centroids_.data(), ids.data(), ids.size(), dims_);
			scores.resize(some.padded());
			for (std::uint32_t j = cell == 0 ? 0 : cell_end_[cell - 1]; j < cell_end_[cell]; j++)
			{
				workers.poll();
				row = centroid(j);
				score(some, &row, 1, scores.data());
				pick(scores.data(), &ids, j, near);
			}
		});
	});
}

}  // namespace vecdb::core::cluster
