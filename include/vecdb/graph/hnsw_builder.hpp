/* SPDX-License-Identifier: PostgreSQL
 * Build an HNSW graph over SQ8 codes in memory with threads: hnswlib behind a noexcept interface.
 *
 * Regime: core. One caller ("leader") fills batches and polls; the threads compute, touch nothing of PostgreSQL, block all
 * signals and stop at their own edge on an exception, which status() then reports.
 * Source: hnswlib 0.6.2 (Malkov, Yashunin 2016). Distances are taken on the codes, a quarter of the memory
 * traffic of float32; the graph is as good, since the search will see codes too.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/base/status.hpp"
#include "vecdb/distance/metric.hpp"
#include "vecdb/quantizer/scalar.hpp"

namespace vecdb::core::graph
{

struct BuilderOptions
{
	distance::Metric metric;
	std::uint32_t code_dims;
	int m;
	int ef_construction;
	unsigned threads;       // at least 1
	std::uint64_t seed;     // of the levels: node i of a build has the same level in every build
	std::size_t rows_hint;  // expected rows; more are fine
};

class HnswBuilder
{
public:
	HnswBuilder() noexcept = default;
	~HnswBuilder();
	HnswBuilder(const HnswBuilder &) = delete;
	HnswBuilder &operator=(const HnswBuilder &) = delete;

	/* Allocates and starts the threads. */
	Status start(const BuilderOptions &options) noexcept;

	/* Room in the batch being filled: copies code (code_dims bytes). Returns the node's ordinal (0, 1, ...). */
	std::uint32_t append(const quantizer::Sq8 &sq8, std::int32_t sum, const std::uint8_t *code) noexcept;
	bool batch_full() const noexcept;

	/* Waits up to milliseconds; true: the threads have nothing to do. */
	bool wait_idle(int milliseconds) noexcept;

	/* Hands the filled batch to the threads. Only when idle. */
	Status submit() noexcept;

	/* Rows that the threads have linked. */
	std::uint64_t done() const noexcept;

	/* Makes threads stop after the node they are at and joins them. Called by the destructor too. */
	void stop() noexcept;

	/* First error of a thread. */
	Status status() const noexcept;

	/* Bytes that a node takes in memory here, all included, about. */
	std::size_t bytes_per_node() const noexcept;

	/*
	 * After the last batch is idle: hands the threads the job of filling empty lanes of the base layer with links to
	 * neighbours of neighbours, by the neighbourhood rule at alpha 1.2 (squared distance), then, with to_the_brim, the
	 * nearest. Wait for idle again before finish().
	 */
	Status fill_lanes(bool to_the_brim) noexcept;

	/*
	 * After the last batch is idle: links nodes that nothing reaches (each layer, from the entry point), and computes an
	 * order in which neighbours lie close, page_slots at a time.
	 */
	Status finish(std::uint32_t page_slots) noexcept;

	/* --- the finished graph; nodes are numbered by their place in the order of finish() --- */
	std::uint32_t count() const noexcept;
	std::uint32_t ordinal(std::uint32_t node) const noexcept;
	std::uint32_t level(std::uint32_t node) const noexcept;
	const std::uint8_t *code(std::uint32_t node) const noexcept;
	/* out: 2m (layer 0) or m node numbers. */
	std::uint32_t links(std::uint32_t node, std::uint32_t layer, std::uint32_t *out) const noexcept;
	std::uint32_t entry() const noexcept;  // of a graph with count() > 0

private:
	struct Impl;
	Impl *impl_ = nullptr;
};

}  // namespace vecdb::core::graph
