/* SPDX-License-Identifier: PostgreSQL
 * How high a node of the hierarchical graph reaches.
 *
 * Regime: core.
 */
#pragma once

#include <cmath>
#include <cstdint>

#include "vecdb/base/random.hpp"
#include "vecdb/layout/hnsw_page.hpp"

namespace vecdb::core::graph
{

/*
 * The level that 64 random bits stand for: level n has 1 / (4m)^n of the nodes (Malkov, Yashunin 2016, section 4, with m_L =
 * 1 / ln(4m)). The paper's 1 / ln(m) is made for searches that begin the base layer at one node; these begin it at eight, for
 * which a layer 1 of 1/64 of the nodes does as well, and costs a quarter of the slots.
 */
inline std::uint32_t
level_of(std::uint64_t bits, int m) noexcept
{
	double level = -std::log(unit_open(bits)) / std::log(4.0 * m);
	return level < layout::kMaxLevel ? static_cast<std::uint32_t>(level) : layout::kMaxLevel;
}

}  // namespace vecdb::core::graph
