/* SPDX-License-Identifier: PostgreSQL
 * Build an HNSW graph over codes (of graph/code_distance.hpp) with threads, all rows at once, by cluster scan.
 *
 * Regime: core. One caller ("leader") appends rows, starts link() and polls; the threads compute, touch nothing of
 * PostgreSQL, block all signals and stop at their own edge on an exception, which status() then reports.
 * Memory: what grows with the rows lies in memory or, where the leader says so, in a file of the leader's that is mapped: rows
 *         and links are gone through in the order of clusters, so that the kernel may keep what it likes of it.
 * Keeps:  the same rows, options and machine give the same graph, with any number of threads.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/base/mapping.hpp"
#include "vecdb/base/status.hpp"
#include "vecdb/distance/metric.hpp"
#include "vecdb/graph/code_distance.hpp"
#include "vecdb/quantizer/scalar.hpp"

namespace vecdb::core::graph
{

struct BuilderOptions
{
	distance::Metric metric;
	std::uint32_t code_dims;  // bytes of a code; 0: sparse
	int m;
	int ef_construction;
	unsigned threads;           // at least 1
	std::uint64_t seed;         // of levels, samples and clusters
	std::uint32_t extra_bytes;  // kept for each row beside its code, and not looked at
	bool to_the_brim;           // empty lanes of the base layer cost a search nothing (layout fused), so all are filled
	RowKind kind = RowKind::sq8;
	std::uint32_t dimensions = 0;  // of bit strings and sparse rows
};

enum class BuildPhase : std::uint8_t
{
	loading,
	clustering,
	linking,
	finishing,
};

class GraphBuilder
{
public:
	GraphBuilder() noexcept = default;
	~GraphBuilder();
	GraphBuilder(const GraphBuilder &) = delete;
	GraphBuilder &operator=(const GraphBuilder &) = delete;

	/* Allocates and starts the threads. */
	Status start(const BuilderOptions &options) noexcept;

	/* --- rows in --- */

	using Source = MemorySource;
	/* Room for room_rows() more rows: room_bytes(), and extra_room_bytes() beside. */
	std::uint32_t room_rows() const noexcept;
	std::size_t room_bytes() const noexcept;
	std::size_t extra_room_bytes() const noexcept;
	Status add_room(Source rows, Source extra) noexcept;
	bool has_room() const noexcept;
	/* Of sparse rows the codes lie apart: room for them comes code_room_bytes() at a time, at least enough for any one code. */
	std::size_t code_room_bytes() const noexcept;
	Status add_code_room(Source codes) noexcept;
	/* Has a code of so many bytes room? Always true but of sparse rows. */
	bool has_code_room(std::size_t bytes) const noexcept;
	/* Copies code (code_dims bytes; sparse: sum blocks) and extra; has_room() and has_code_room() must hold. Returns the row's
	 * ordinal (0, 1, ...). */
	std::uint32_t append(const quantizer::Sq8 &sq8, std::int32_t sum, const std::uint8_t *code,
						 const std::uint8_t *extra) noexcept;
	/* Of a row appended; until link(). */
	const quantizer::Sq8 &appended(std::uint32_t ordinal) const noexcept;
	const std::uint8_t *appended_code(std::uint32_t ordinal) const noexcept;
	std::int32_t appended_sum(std::uint32_t ordinal) const noexcept;
	std::uint32_t rows() const noexcept;

	/* --- the graph --- */

	/* Bytes that link() wants for `rows` rows: for lists, which may lie in a file, and for the rest, which does not. */
	std::size_t list_bytes(std::uint64_t rows) const noexcept;
	std::size_t other_bytes(std::uint64_t rows) const noexcept;

	/* Starts the work, once. lists: list_bytes(rows()). page_slots: nodes of a page, or 0: nodes stay in the order of their
	 * clusters. */
	Status link(Source lists, std::uint32_t page_slots) noexcept;
	/* Waits up to milliseconds; true: the threads have nothing to do. */
	bool wait_idle(int milliseconds) noexcept;
	BuildPhase phase() const noexcept;
	/* Rows that have found their neighbours. */
	std::uint64_t done() const noexcept;
	/* Makes threads stop within some milliseconds and joins them. Called by the destructor too. */
	void stop() noexcept;
	/* First error of a thread. */
	Status status() const noexcept;

	/* --- the finished graph; neighbours have near numbers --- */

	std::uint32_t count() const noexcept;
	std::uint32_t ordinal(std::uint32_t node) const noexcept;
	std::uint32_t level(std::uint32_t node) const noexcept;
	const std::uint8_t *code(std::uint32_t node) const noexcept;
	const quantizer::Sq8 &sq8(std::uint32_t node) const noexcept;
	std::int32_t sum(std::uint32_t node) const noexcept;  // as appended
	const std::uint8_t *extra(std::uint32_t node) const noexcept;
	/* out: 2m (layer 0) or m node numbers. */
	std::uint32_t links(std::uint32_t node, std::uint32_t layer, std::uint32_t *out) const noexcept;
	std::uint32_t entry() const noexcept;  // of a graph with count() > 0

private:
	struct Impl;
	Impl *impl_ = nullptr;
};

}  // namespace vecdb::core::graph
