/* SPDX-License-Identifier: PostgreSQL
 * faiss as a yardstick of IVF.
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

/* An index of faiss's factory, "IVF1024,Flat"; refine: of an index that ends in RFlat, how many times the rows asked for are looked
 * at exactly. Kept in a file of directory cache as hnswlib's graph is. Null where this program was built without faiss. */
std::unique_ptr<Yardstick> make_faiss_yardstick(const Dataset &data, const std::string &factory, float refine,
												unsigned threads, const std::string &cache);

}  // namespace vecdb::client
