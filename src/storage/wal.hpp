/* SPDX-License-Identifier: PostgreSQL
 * Changing index pages: the one border to WAL. Generic WAL records today; nothing must be preloaded.
 *
 * Regime: shell.
 * Use: the caller holds each buffer exclusively; begin, take page images with page(), change those, finish.
 * An ERROR in between leaves the pages as they were. At most 4 buffers a record.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::storage
{

struct PageChange
{
	GenericXLogState *state;

	static PageChange
	begin(Relation index)
	{
		return PageChange{GenericXLogStart(index)};
	}

	/* A working copy of the buffer's page. fresh: the page is initialised here, log all of it. */
	Page
	page(Buffer buffer, bool fresh = false)
	{
		return GenericXLogRegisterBuffer(state, buffer, fresh ? GENERIC_XLOG_FULL_IMAGE : 0);
	}

	void
	finish()
	{
		GenericXLogFinish(state);
	}

	void
	abandon()
	{
		GenericXLogAbort(state);
	}
};

}  // namespace vecdb::storage
