/* SPDX-License-Identifier: PostgreSQL
 * The nearest rows of some sparse rows, exactly, found while all rows pass by once: what the lists of their sketches are measured
 * against (ListBuilder::use_queries).
 *
 * Regime: core. One thread. Public functions are noexcept and return Status; memory is bounded whatever the rows are.
 */
#pragma once

#include <cstdint>

#include "vecdb/base/status.hpp"
#include "vecdb/distance/kernels.hpp"
#include "vecdb/distance/metric.hpp"
#include "vecdb/layout/ivf_page.hpp"

namespace vecdb::core::lists
{

class SparseMeter
{
public:
	static constexpr std::uint32_t kQueries = 96;
	static constexpr std::uint32_t kNear = 10;

	SparseMeter() noexcept = default;
	~SparseMeter();
	SparseMeter(const SparseMeter &) = delete;
	SparseMeter &operator=(const SparseMeter &) = delete;

	Status start(distance::Metric metric, std::uint64_t seed) noexcept;
	/* Each row of a sample, once; number: of the builder. Some of them become queries: copies are kept. */
	Status offer(layout::RowTid name, const distance::SparseRow &row, std::uint32_t number) noexcept;
	/* The sample was not enough: begin again. */
	void forget() noexcept;
	/* Prepares the queries; fewer where they are long. From now on they can be asked for. */
	Status begin() noexcept;
	std::uint32_t queries() const noexcept;
	/* The builder's numbers of the queries: queries() of them. */
	const std::uint32_t *numbers() const noexcept;
	/* Each row of the index, once. */
	void look(layout::RowTid name, const distance::SparseRow &row) noexcept;
	/* The nearest rows of each query, kNear for each; those of a query that has fewer are padded with itself. */
	const layout::RowTid *nearest() const noexcept;

private:
	struct Impl;
	Impl *impl_ = nullptr;
};

}  // namespace vecdb::core::lists
