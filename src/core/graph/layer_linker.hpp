/* SPDX-License-Identifier: PostgreSQL
 * The links of one layer, by cluster scan: for every row, the rows of the clusters around it are scanned by one-bit codes,
 * the best are compared by their codes, and the neighbourhood rule picks among them.
 *
 * Regime: core. Private to src/core/graph; inside a job of Workers; throws. The same links with any number of threads.
 * Positions count rows in the order of their clusters.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "row_store.hpp"
#include "vecdb/base/workers.hpp"
#include "vecdb/cluster/kmeans.hpp"

namespace vecdb::core::graph
{

/* A candidate or a link, position `to`. */
struct Edge
{
	float distance;
	std::uint32_t to;
};

struct LinkSettings
{
	std::uint32_t lanes;          // most links of a row
	std::uint32_t forward_lanes;  // of these, most that it chooses itself by the rule
	std::uint32_t candidates;     // compared by their SQ8 codes
	std::uint32_t scanned_rows;   // compared by one-bit codes, about
	/* Lanes that the rule leaves empty take what it keeps at this factor on the (squared) distance; 0: they stay empty. */
	float fill_alpha;
	/* And the nearest up to so many lanes. */
	std::uint32_t least_lanes;
	std::uint64_t seed;
};

/* Links among some of the rows: an upper layer, or a sample. */
struct SampleLinks
{
	std::vector<std::uint32_t> members;  // positions, ascending
	std::uint32_t lanes = 0;
	std::vector<std::uint32_t> links;  // `lanes` of each member: numbers of members
	std::vector<std::uint8_t> count;
};

class LayerLinker
{
public:
	LayerLinker(Workers &workers, const RowStore &store, Metric metric, const LinkSettings &settings) noexcept
		: workers_(workers), store_(store), metric_(metric), settings_(settings)
	{
	}

	/* Finds the clusters of rows (of the store) and sorts rows by them. */
	void cluster(std::vector<std::uint32_t> &rows);
	/* The clusters and rows of another, before its scan(). */
	void share(const LayerLinker &other);
	/* From here on position i is row rows[i], or row i where rows is null. */
	void
	use_rows(const std::uint32_t *rows) noexcept
	{
		rows_ = rows;
	}
	std::uint32_t
	count() const noexcept
	{
		return first_.empty() ? 0 : first_.back();
	}
	std::uint32_t
	row(std::uint32_t position) const noexcept
	{
		return rows_ == nullptr ? position : rows_[position];
	}

	/* edges: count() * lanes. progress: counts rows done, may be null. */
	void scan(Edge *edges, std::atomic<std::uint64_t> *progress);
	/*
	 * Adds the reverse links and fills lanes. Turns edges into lists of positions in place: those of i at
	 * list(edges, i), link_count(i) of them. samples: the sparsest first.
	 */
	void merge(Edge *edges, const std::vector<SampleLinks> &samples);
	static std::uint32_t *
	list_of(Edge *edges, std::uint32_t position, std::uint32_t lanes) noexcept
	{
		return reinterpret_cast<std::uint32_t *>(edges + static_cast<std::size_t>(position) * lanes);
	}
	std::vector<std::uint8_t> &
	link_count() noexcept
	{
		return total_;
	}

private:
	struct Scratch;
	struct Piece
	{
		std::uint32_t cluster, begin, end;  // positions
	};

	std::vector<Scratch> make_scratch() const;
	void find_near();
	void encode();
	void scan_piece(const Piece &piece, Edge *edges, Scratch &s);
	void link_one(std::uint32_t position, Edge *edges, Scratch &s);
	void merge_one(std::uint32_t position, Edge *edges, const std::vector<SampleLinks> &samples, Scratch &s);
	std::uint32_t choose(const std::vector<Edge> &candidates, std::vector<std::uint8_t> &state, float alpha,
						 std::uint32_t most, Edge *kept, std::uint32_t have, Scratch &s) const;
	/* SQ8 codes of L1 rows are not rotated, and one-bit codes of them tell too little. */
	bool
	has_codes() const noexcept
	{
		return metric_ != Metric::l1 || store_.kind() != RowKind::sq8;
	}
	Metric
	scan_metric() const noexcept
	{
		return store_.kind() == RowKind::sq8 ? metric_ : Sketch::metric_of(metric_);
	}

	Workers &workers_;
	const RowStore &store_;
	const Metric metric_;
	const LinkSettings settings_;
	const std::uint32_t *rows_ = nullptr;

	cluster::Clusters clusters_;
	std::vector<std::uint32_t> first_;        // cluster -> first position; one more at the end
	std::vector<std::uint32_t> first_block_;  // the same for blocks of codes
	std::uint32_t near_count_ = 0;
	std::vector<std::uint32_t> near_;  // near_count_ clusters around each
	std::size_t scan_dims_ = 0, block_bytes_ = 0;
	std::vector<std::uint8_t> codes_;
	std::vector<std::uint16_t> factors_;  // of a block: 32 add, 32 mul
	std::vector<float> scales_;           // of a cluster: add, mul
	std::vector<std::uint8_t> strict_, total_;
	/* Reverse links: from in_[in_first_[i]] on those that lead to i; strict ones, then fillers. */
	std::vector<std::uint64_t> in_first_[2];
	std::vector<std::uint32_t> in_[2];
};

}  // namespace vecdb::core::graph
