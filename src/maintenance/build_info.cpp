/* SPDX-License-Identifier: PostgreSQL
 * vecdb.build_info(): what is running, for bug reports.
 *
 * Regime: shell.
 */
#include "pg/postgres.hpp"

#include "vecdb/distance/kernels.hpp"
#include "vecdb/layout/hnsw_page.hpp"
#include "vecdb/layout/ivf_page.hpp"

using namespace vecdb;

VECDB_FUNCTION(vecdb_build_info)
{
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	const char *const rows[][2] = {
		{"version", VECDB_VERSION},
		{"instruction set", core::distance::kernels().isa},
		{"compiler", __VERSION__},
		{"postgresql", PG_VERSION},
		{"hnsw page format", psprintf("%u", core::layout::kHnswVersion)},
		{"hnsw page format, oldest readable by", psprintf("%u", core::layout::kHnswMinReaderVersion)},
		{"ivf page format", psprintf("%u", core::layout::kIvfVersion)},
		{"ivf page format, oldest readable by", psprintf("%u", core::layout::kIvfMinReaderVersion)},
	};
	for (const auto &row : rows)
	{
		Datum values[2] = {CStringGetTextDatum(row[0]), CStringGetTextDatum(row[1])};
		bool nulls[2] = {false, false};
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return Datum{0};
}
