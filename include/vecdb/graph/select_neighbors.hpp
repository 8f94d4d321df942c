/* SPDX-License-Identifier: PostgreSQL
 * The relative-neighbourhood rule: which candidates become links of a node.
 *
 * Regime: core template; plain data.
 * Source: HNSW (Malkov, Yashunin 2016, algorithm 4, without its two extensions); the rule of hnswlib: a candidate is
 * kept when it is nearer to the node than to every neighbour kept before it (alpha > 1 in squared distance keeps more).
 */
#pragma once

#include <cstdint>

#include "vecdb/distance/metric.hpp"

namespace vecdb::core::graph
{

/*
 * distances[i]: of candidate i to the node, ascending. between(i, j): graph distance of two candidates, may load
 * what it needs. Writes the indexes kept (ascending) to kept, at most limit; returns their number.
 * shadowed by a kept one when alpha * between < distance: for inner product (distances may be negative) alpha is 1.
 */
template <class Between>
std::uint32_t
select_neighbors(const float *distances, std::uint32_t n, std::uint32_t limit, float alpha, Between &&between,
				 std::uint32_t *kept)
{
	std::uint32_t count = 0;
	for (std::uint32_t i = 0; i < n && count < limit; i++)
	{
		bool shadowed = false;
		for (std::uint32_t j = 0; j < count && !shadowed; j++)
			shadowed = alpha * between(i, kept[j]) < distances[i];
		if (!shadowed)
			kept[count++] = i;
	}
	return count;
}

}  // namespace vecdb::core::graph
