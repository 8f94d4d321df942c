/* SPDX-License-Identifier: PostgreSQL
 * Kernels for AVX-512 (F, BW, DQ, VL). Compiled with these flags, exports kernels_avx512 only.
 *
 * Regime: core.
 */
#if defined(__x86_64__)

#if !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) || !defined(__AVX512VL__)
#error "compile this file with -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx2 -mfma -mf16c"
#endif

#include "avx512.hpp"

namespace vecdb::core::distance
{

constinit const Kernels kernels_avx512 = simd::make_table<Avx512>("avx512");

}  // namespace vecdb::core::distance

#endif
