/* SPDX-License-Identifier: PostgreSQL
 * The kernel tables, one an instruction set: the only symbols that the per-ISA files export.
 *
 * Regime: core. Private to src/core/distance.
 * Keeps:  every table is constant-initialised, so it is ready before any constructor has run.
 */
#pragma once

#include "vecdb/distance/kernels.hpp"

namespace vecdb::core::distance
{

extern const Kernels kernels_scalar;
#if defined(__x86_64__)
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
extern const Kernels kernels_avx512vnni;
extern const Kernels kernels_avx512vpopcnt;
#endif
#if defined(__aarch64__)
extern const Kernels kernels_neon;
extern const Kernels kernels_neondot;
#endif

}  // namespace vecdb::core::distance
