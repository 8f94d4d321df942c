/* SPDX-License-Identifier: PostgreSQL
 * The trimmed mean of quantizer/origin.hpp.
 *
 * Regime: core.
 */
#include "vecdb/quantizer/origin.hpp"

#include <algorithm>
#include <cmath>

namespace vecdb::core::quantizer
{

bool
trimmed_mean(const float *const *rows, std::uint32_t count, std::uint32_t n, bool unit_length, double *scratch,
			 float *mean, double *norm) noexcept
{
	const std::uint32_t cut = count / 16;
	double *scales = scratch, *column = scratch + count;
	for (std::uint32_t row = 0; row < count; row++)
	{
		double length2 = 0;
		for (std::uint32_t i = 0; i < n; i++)
			length2 += static_cast<double>(rows[row][i]) * static_cast<double>(rows[row][i]);
		scales[row] = unit_length ? 1 / std::sqrt(length2) : 1;
	}
	double norm2 = 0;
	bool finite = true;
	for (std::uint32_t i = 0; i < n; i++)
	{
		for (std::uint32_t row = 0; row < count; row++)
			column[row] = scales[row] * static_cast<double>(rows[row][i]);
		std::nth_element(column, column + cut, column + count);
		std::nth_element(column + cut, column + count - 1 - cut, column + count);
		double sum = 0;
		for (std::uint32_t row = cut; row < count - cut; row++)
			sum += column[row];
		mean[i] = static_cast<float>(sum / (count - 2 * cut));
		norm2 += static_cast<double>(mean[i]) * static_cast<double>(mean[i]);
		finite &= std::isfinite(mean[i]) && std::fabs(mean[i]) < 1e30f;
	}
	*norm = std::sqrt(norm2);
	return finite;
}

}  // namespace vecdb::core::quantizer
