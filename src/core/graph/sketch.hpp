/* SPDX-License-Identifier: PostgreSQL
 * A short dense vector in place of a bit string or a sparse row: what a build clusters and scans.
 *
 * Regime: core. Private to src/core/graph; throws where it is made.
 * Bits: the vector of 0 and 1, so that the Hamming distance is the squared L2 distance; for Jaccard scaled to unit length, since the
 * product then grows with what two rows have in common. Sparse: the vector of values; for L1 their square roots with
 * the sign, so that two rows without a common element are apart by their L1 distance.
 * Beyond kSketchDims elements each is added, with a random sign, to one element of the sketch (feature hashing; Weinberger
 * et al. 2009): products stay right on average. Then all is rotated, so that one-bit codes of it tell much.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vecdb/graph/code_distance.hpp"
#include "vecdb/quantizer/rotation.hpp"

namespace vecdb::core::graph
{

class Sketch
{
public:
	/* code_bytes: of bit strings. */
	Sketch(RowKind kind, Metric metric, std::size_t code_bytes, std::uint32_t dimensions, std::uint64_t seed);
	Sketch(const Sketch &) = delete;
	Sketch &operator=(const Sketch &) = delete;

	std::size_t
	dims() const noexcept
	{
		return dims_;
	}
	/* The metric that orders sketches like the rows. */
	static Metric
	metric_of(Metric metric) noexcept
	{
		return metric == Metric::inner_product ? metric : Metric::l2;
	}
	/* out: dims() floats. unit: values are multiplied with it first. */
	void load(const CodeView &row, float unit, float *out) const noexcept;

private:
	void load_bits(const CodeView &row, float *out) const noexcept;
	void load_sparse(const CodeView &row, float unit, float *out) const noexcept;

	RowKind kind_;
	Metric metric_;
	bool folded_;
	std::size_t code_bytes_, dims_;
	std::uint64_t seed_;
	std::vector<std::uint8_t> flips_;  // bits: signs of the elements
	std::vector<float> offsets_;       // bits: of each element of the sketch, so that a 0 adds nothing
	std::vector<std::uint32_t> signs_;
	quantizer::Rotation rotation_{};
};

}  // namespace vecdb::core::graph
