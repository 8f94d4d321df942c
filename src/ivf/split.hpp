/* SPDX-License-Identifier: PostgreSQL
 * Lists are made anew where they are too large, too small or no longer where their rows are.
 *
 * Regime: shell.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::ivf
{

/* At the end of a VACUUM: some lists a run. Takes the reorganisation lock as it needs it. */
void ivf_tidy(Relation index, IndexVacuumInfo *info);

}  // namespace vecdb::ivf
