/* SPDX-License-Identifier: PostgreSQL
 * Sketches of sparse vectors.
 *
 * Regime: core.
 */
#include "vecdb/quantizer/sparse_sketch.hpp"

#include <algorithm>
#include <cstring>

namespace vecdb::core::quantizer
{

void
sparse_sketch(const distance::SparseRow &row, std::uint32_t dimensions, std::uint32_t sketch_dims, float *out) noexcept
{
	constexpr float kMost = 3e38f;
	std::fill(out, out + sketch_dims, 0.0f);
	const auto *indices = reinterpret_cast<const char *>(row.indices);
	const auto *values = reinterpret_cast<const char *>(row.values);
	for (std::size_t i = 0; i < static_cast<std::size_t>(row.n); i++)
	{
		std::uint32_t index;
		float x;
		std::memcpy(&index, indices + i * sizeof index, sizeof index);
		std::memcpy(&x, values + i * sizeof x, sizeof x);
		if (index >= dimensions)
			continue;
		SketchPlace place{index, false};
		if (dimensions > sketch_dims)
			place = sketch_place(kSketchSeed, index, sketch_dims);
		float &sum = out[place.at];
		sum = std::clamp(sum + (place.negative ? -x : x), -kMost, kMost);
	}
}

}  // namespace vecdb::core::quantizer
