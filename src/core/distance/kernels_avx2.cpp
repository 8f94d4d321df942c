/* SPDX-License-Identifier: PostgreSQL
 * Kernels for AVX2 with FMA and F16C. Compiled with these flags, exports kernels_avx2 only.
 *
 * Regime: core.
 */
#if defined(__x86_64__)

#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "compile this file with -mavx2 -mfma -mf16c"
#endif

#include "avx2.hpp"

namespace vecdb::core::distance
{

constinit const Kernels kernels_avx2 = simd::make_table<Avx2>("avx2");

}  // namespace vecdb::core::distance

#endif
