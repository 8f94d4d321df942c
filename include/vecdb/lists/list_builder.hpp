/* SPDX-License-Identifier: PostgreSQL
 * Builds all lists of an index at once, with threads: k-means, assignment, codes, images of the pages.
 *
 * Regime: core. One caller ("leader") appends rows, starts the steps, polls and writes the pages out; the threads compute, touch
 * nothing of PostgreSQL, block all signals and stop at their own edge on an exception, which status() then reports.
 * Memory: rows as float32, and what else grows with rows or lists, in memory or, where the leader says so, in a file of the
 *         leader's that is mapped; two buffers of page images.
 * Keeps:  the same rows, options and machine give the same pages, with any number of threads.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include "vecdb/base/mapping.hpp"
#include "vecdb/base/status.hpp"
#include "vecdb/layout/ivf_page.hpp"
#include "vecdb/lists/list_codec.hpp"

namespace vecdb::core::lists
{

struct ListBuilderOptions
{
	ListCodec codec;       // without mean and codebooks' vectors; what it points to outlives the builder
	IvfShape directory;    // directory_shape
	std::uint32_t wanted;  // lists, exactly so many if there is any row; 0: as many as suit
	unsigned threads;      // at least 1
	std::uint64_t seed;
	std::size_t memory;  // that the leader means to use: rows come in chunks of a sixteenth of it at most
	bool sketches;       // rows stand for others: the leader tells what is near, by use_queries and use_nearest
};

enum class ListPhase : std::uint8_t
{
	loading,
	clustering,
	assigning,
	encoding,
};

/* Consecutive pages of the index, whole but for the page header: there the first two bytes are where the page's contents
 * end (pd_lower), and the others 0. */
struct PageBatch
{
	const std::uint8_t *images;  // 8192 bytes each
	std::uint32_t first_block;
	std::uint32_t pages;  // 0: there are no more
	std::uint64_t rows;   // in all batches so far
};

class ListBuilder
{
public:
	ListBuilder() noexcept = default;
	~ListBuilder();
	ListBuilder(const ListBuilder &) = delete;
	ListBuilder &operator=(const ListBuilder &) = delete;

	/* Allocates and starts the threads. */
	Status start(const ListBuilderOptions &options) noexcept;

	/* --- rows in --- */

	/* Room for room_rows() more rows: room_bytes(). */
	std::uint32_t room_rows() const noexcept;
	std::size_t room_bytes() const noexcept;
	Status add_room(MemorySource source) noexcept;
	bool has_room() const noexcept;
	/* Copies v, dimensions floats (not zero for cosine), of bit strings as_row(bytes); has_room() must hold. */
	void append(const float *v, RowTid tid) noexcept;
	std::uint32_t rows() const noexcept;
	/* What was appended was a sample: room stays. */
	void forget_rows() noexcept;
	/* The origin of the rows so far (quantizer/origin.hpp): dimensions floats. found: false where it is to be zero. Before
	 * set_mean. */
	Status find_mean(float *mean, double *norm, bool *found) const noexcept;
	/* mean: outlives the builder, or null. From now on rows are brought into code space as they come. Some of those that there are now
	 * are the queries by which probes() is measured. */
	Status set_mean(const float *mean, double norm) noexcept;
	/* With `sketches`: the queries by which probes() is measured, rows by number; before set_mean. And the near[] rows of each of them, in
	 * order, before cluster(). */
	Status use_queries(const std::uint32_t *numbers, std::uint32_t count) noexcept;
	Status use_nearest(const RowTid *rows, std::uint32_t of_each) noexcept;
	/* Gives the threads rows to bring into code space if there are many and they have nothing to do. */
	Status convert_some() noexcept;

	/* --- lists --- */

	/* Bytes that cluster() wants: by row, and for centres. */
	std::size_t row_bytes() const noexcept;
	std::size_t centre_bytes() const noexcept;
	/* Starts the work, once, after set_mean. codebooks: room for books.floats() where the shape has product codes. */
	Status cluster(MemorySource rows, MemorySource centres, float *codebooks) noexcept;
	/* Waits up to milliseconds; true: the threads have nothing to do. */
	bool wait_idle(int milliseconds) noexcept;
	ListPhase phase() const noexcept;
	/* Rows that have found their list. */
	std::uint64_t assigned() const noexcept;
	/* Makes threads stop within some milliseconds and joins them. Called by the destructor too. */
	void stop() noexcept;
	/* First error of a thread. */
	Status status() const noexcept;

	/* --- pages: lists from first_block on, then the directory; all after cluster() --- */

	Status lay_out(std::uint32_t first_block) noexcept;
	/* Starts to fill the next batch while the leader writes the one that batch() gave. False: there is none. */
	bool begin_batch(Status &status) noexcept;
	/* The one that was begun last; when idle. */
	PageBatch batch() const noexcept;

	/* --- after the last batch --- */

	std::uint32_t lists() const noexcept;
	std::uint32_t directory_block() const noexcept;
	std::uint64_t blocks() const noexcept;  // of the index
	float deviation() const noexcept;       // ListCodec::deviation, where codebooks have been trained
	/*
	 * How many of the nearest lists hold kProbeRecalls[i] of the ten nearest of rows of a sample, the rows themselves not counted. False:
	 * too few rows to tell.
	 */
	bool probes(std::uint32_t out[4]) const noexcept;

private:
	struct Impl;
	Impl *impl_ = nullptr;
};

}  // namespace vecdb::core::lists
