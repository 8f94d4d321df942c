/* SPDX-License-Identifier: PostgreSQL
 * hnswlib as a yardstick of graphs.
 *
 * Regime: client program.
 */
#pragma once

#include <memory>
#include <string>

#include "dataset.hpp"
#include "yardstick.hpp"

namespace vecdb::client
{

/* Builds with threads. Vectors are padded with zeros to a multiple of 16, for which alone the library has its AVX kernels. The graph
 * is kept in a file of directory cache for the next time; an empty name means no cache. */
std::unique_ptr<Yardstick> make_hnswlib_yardstick(const Dataset &data, int m, int ef_construction, unsigned threads,
												  const std::string &cache);

}  // namespace vecdb::client
