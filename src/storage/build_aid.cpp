/* SPDX-License-Identifier: PostgreSQL
 * Threads, expectations and the temporary file of a bulk build.
 *
 * Regime: shell.
 */
#include "storage/build_aid.hpp"

#include <algorithm>

#include <fcntl.h>

extern "C" {
#include "commands/tablespace.h"
}

namespace vecdb::storage
{

int guc_build_seed = 0;

unsigned
build_threads(Relation heap)
{
	int workers = RelationGetParallelWorkers(heap, max_parallel_maintenance_workers);
	if (workers > max_parallel_maintenance_workers)
		workers = max_parallel_maintenance_workers;
	return workers > 1 ? static_cast<unsigned>(workers) : 1;
}

double
expected_rows(Relation heap, double vector_bytes)
{
	double rows = heap->rd_rel->reltuples;
	if (rows < 0)
		rows = static_cast<double>(RelationGetNumberOfBlocks(heap)) * (BLCKSZ / (40.0 + vector_bytes) + 1);
	return rows;
}

core::MemorySource
spill(SpillFile &spill, Size bytes)
{
	constexpr uint64 kAlignment = 65536, kPiece = 64 * 1024 * 1024;
	if (spill.file == 0)
	{
		PrepareTempTablespaces();
		spill.file = OpenTemporaryFile(false);
	}
	uint64 offset = spill.bytes;
	spill.bytes += (bytes + kAlignment - 1) / kAlignment * kAlignment;
	/* The last byte first: this is what counts against temp_file_limit. */
	char zero = 0;
	if (FileWrite(spill.file, &zero, 1, static_cast<off_t>(spill.bytes - 1), WAIT_EVENT_BUFFILE_WRITE) != 1)
		ereport(ERROR,
				(errcode_for_file_access(), errmsg("could not write to file \"%s\": %m", FilePathName(spill.file))));
	for (uint64 done = offset; done < spill.bytes;)
	{
		CHECK_FOR_INTERRUPTS();
		uint64 piece = std::min(kPiece, spill.bytes - done);
		int error = posix_fallocate(FileGetRawDesc(spill.file), static_cast<off_t>(done), static_cast<off_t>(piece));
		if (error == EINTR)
			continue;
		if (error != 0)
		{
			errno = error;
			ereport(ERROR,
					(errcode_for_file_access(), errmsg("could not extend file \"%s\": %m", FilePathName(spill.file)),
					 errhint("Increase maintenance_work_mem, or free space for temporary files.")));
		}
		done += piece;
	}
	return core::MemorySource{FileGetRawDesc(spill.file), offset};
}

void
close_spill(SpillFile &spill)
{
	if (spill.file != 0)
		FileClose(spill.file);
	spill = SpillFile{};
}

}  // namespace vecdb::storage
