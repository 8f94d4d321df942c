/* SPDX-License-Identifier: PostgreSQL
 * Kernels for 64-bit ARM. NEON is part of its baseline, so no flags; exports kernels_neon only.
 *
 * Regime: core.
 */
#if defined(__aarch64__)

#include "neon.hpp"

namespace vecdb::core::distance
{

constinit const Kernels kernels_neon = simd::make_table<Neon>("neon");

}  // namespace vecdb::core::distance

#endif
