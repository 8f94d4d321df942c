/* SPDX-License-Identifier: PostgreSQL
 * vecdb.collection_info: what a table with vectors holds, counted.
 *
 * Regime: shell.
 * What is known without reading the table comes from the view vecdb.collections, which shows a caller what he may read. Rows are
 * counted by a statement of the caller, so that policies of rows hold.
 */
#include "pg/postgres.hpp"

extern "C" {
#include "executor/spi.h"
}

#include "api/names.hpp"
#include "api/ranked.hpp"

namespace vecdb::api
{

static void
select(const char *sql)
{
	int result = SPI_execute(sql, true, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

enum Column
{
	kVectorColumn,
	kType,
	kDimensions,
	kMetric,
	kIndexes,
	kRows,
	kVectors,
	kIndexed,
	kPending,
	kTableBytes,
	kIndexBytes,
	kManaged,
	kColumns,
};

/* Of the view, under the numbers of the result; rows to pending stay to be counted. */
static constexpr char kKnown[] =
	"SELECT vector_column, type, dimensions, metric, indexes, 0::pg_catalog.int8, 0::pg_catalog.int8, "
	"0::pg_catalog.int8, 0::pg_catalog.int8, table_bytes, index_bytes, managed "
	"FROM vecdb.collections WHERE collection::pg_catalog.oid OPERATOR(pg_catalog.=) "
	"%u::pg_catalog.oid ORDER BY vector_column";

/* Fills in rows to pending. */
static void
count_rows(Oid relid, Datum *values, const bool *nulls)
{
	const char *vec = psprintf("t.%s", quote_identifier(NameStr(*DatumGetName(values[kVectorColumn]))));
	bool has_index = ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(values[kIndexes])),
									ARR_DIMS(DatumGetArrayTypeP(values[kIndexes]))) > 0;
	bool cosine = !nulls[kMetric] && strcmp(TextDatumGetCString(values[kMetric]), "cosine") == 0;
	/* The cosine distance of zero from itself is NaN. */
	const char *can_be_indexed =
		cosine ? psprintf("(%s OPERATOR(%s.<=>) %s) OPERATOR(pg_catalog.<>) 'NaN'::pg_catalog.float8", vec,
						  extension_names().quoted_schema, vec)
			   : psprintf("%s IS NOT NULL", vec);
	select(psprintf("SELECT pg_catalog.count(*), pg_catalog.count(%s), pg_catalog.count(*) FILTER (WHERE %s) FROM %s t",
					vec, has_index ? can_be_indexed : "false",
					quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid))));
	int64 counts[3];
	for (int i = 0; i < 3; i++)
	{
		bool isnull;
		counts[i] = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull));
	}
	values[kRows] = Int64GetDatum(counts[0]);
	values[kVectors] = Int64GetDatum(counts[1]);
	values[kIndexed] = Int64GetDatum(counts[2]);
	values[kPending] = Int64GetDatum(counts[0] - counts[2]);
}

[[noreturn]] static void
report_no_vectors(Oid relid)
{
	const char *name = get_rel_name(relid);
	if (name == nullptr)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relid)));
	if (pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relid)), name);
	ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table with a vector column", name),
					errdetail("Views and partitions are not listed in vecdb.collections.")));
	pg_unreachable();
}

}  // namespace vecdb::api

using namespace vecdb;

VECDB_FUNCTION(vecdb_collection_info)
{
	using namespace api;
	Oid relid = DatumGetObjectId(required_argument(fcinfo, 0, "rel"));
	InitMaterializedSRF(fcinfo, 0);
	auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
	SPI_connect();
	select(psprintf(kKnown, relid));
	SPITupleTable *known = SPI_tuptable;
	if (known->numvals == 0)
		report_no_vectors(relid);
	for (uint64 i = 0; i < known->numvals; i++)
	{
		Datum values[kColumns];
		bool nulls[kColumns];
		heap_deform_tuple(known->vals[i], known->tupdesc, values, nulls);
		count_rows(relid, values, nulls);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	SPI_finish();
	return Datum{0};
}
