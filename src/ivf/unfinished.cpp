/* SPDX-License-Identifier: PostgreSQL
 * Verbs that nobody has written yet. Whoever writes one deletes it here; the file goes with the last.
 *
 * Regime: shell.
 */
#include "ivf/handler.hpp"

namespace vecdb::ivf
{

[[noreturn]] static void
unfinished(const char *verb)
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("ivf: %s is not implemented yet", verb)));
	pg_unreachable();
}

/* build.cpp */
IndexBuildResult *
ivf_build(Relation, Relation, IndexInfo *)
{
	unfinished("build");
}

void
ivf_build_empty(Relation)
{
	unfinished("build empty");
}

char *
ivf_build_phase_name(int64)
{
	return nullptr;
}

}  // namespace vecdb::ivf
