/* SPDX-License-Identifier: PostgreSQL
 * What the bulk builds of all access methods need: how many threads, how many rows to expect, a file for what memory does not
 * hold.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "storage/fd.h"
}

#include "vecdb/base/mapping.hpp"

namespace vecdb::storage
{

extern int guc_build_seed;  // vecdb.build_seed

/* Threads that a build of this table may use, at least 1: as many as the planner would give workers. */
unsigned build_threads(Relation heap);

/* Rows of the table as last counted; never counted: a guess from its size, for rows whose vector is that long. */
double expected_rows(Relation heap, double vector_bytes);

/* A temporary file to be mapped. All zero: none yet. */
struct SpillFile
{
	File file;
	uint64 bytes;
};

/* Room in the file: bytes that exist, so that writing to the mapping cannot fail for want of space. */
core::MemorySource spill(SpillFile &spill, Size bytes);

void close_spill(SpillFile &spill);

}  // namespace vecdb::storage
