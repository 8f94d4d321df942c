/* SPDX-License-Identifier: PostgreSQL
 * Kernels for AVX-512 with VNNI. Compiled with these flags, exports kernels_avx512vnni only.
 *
 * Regime: core.
 */
#if defined(__x86_64__)

#if !defined(__AVX512VNNI__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) || !defined(__AVX512VL__)
#error "compile this file with -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx512vnni -mavx2 -mfma -mf16c"
#endif

#include "avx512vnni.hpp"

namespace vecdb::core::distance
{

constinit const Kernels kernels_avx512vnni = simd::make_table<Avx512Vnni>("avx512vnni");

}  // namespace vecdb::core::distance

#endif
