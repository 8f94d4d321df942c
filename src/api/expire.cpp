/* SPDX-License-Identifier: PostgreSQL
 * vecdb.expire_rows(): deletes the rows whose time has come, a transaction a batch.
 *
 * Regime: shell.
 * The table is read once: a cursor finds the rows that had expired when the call began, and stays open over the commits. A row is
 * deleted by its place and only if it is expired still, as VACUUM may have given the place to another since.
 */
#include "api/rows.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "utils/portal.h"
}

namespace vecdb::api
{

enum ExpireArgument
{
	kRel,
	kCol,
	kBatch,
};

static void
check_may_commit(FunctionCallInfo fcinfo)
{
	if (fcinfo->context != nullptr && IsA(fcinfo->context, CallContext) &&
		!reinterpret_cast<CallContext *>(fcinfo->context)->atomic)
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
					errmsg("expire_rows cannot run inside a transaction block"),
					errdetail("It commits after each batch of rows."),
					errhint("CALL it by itself, outside of a transaction and of functions.")));
}

/* "t.expires_at". */
static const char *
time_column(const Target &target, const char *name)
{
	AttrNumber attno = get_attnum(target.relid, name);
	if (attno <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", name, get_rel_name(target.relid))));
	Oid type = get_atttype(target.relid, attno);
	if (getBaseType(type) != TIMESTAMPTZOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, not timestamp with time zone", name, format_type_be(type))));
	return psprintf("t.%s", quote_identifier(name));
}

/* The places of the rows fetched last. */
static Datum
fetched_places()
{
	auto *places = static_cast<Datum *>(palloc(static_cast<Size>(SPI_tuptable->numvals) * sizeof(Datum)));
	for (uint64 i = 0; i < SPI_tuptable->numvals; i++)
	{
		bool isnull;
		places[i] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
	}
	return PointerGetDatum(construct_array(places, static_cast<int>(SPI_tuptable->numvals), TIDOID,
										   sizeof(ItemPointerData), false, TYPALIGN_SHORT));
}

static int64
expire_rows(const Target &target, const char *column, int32 batch)
{
	constexpr Oid kTidArray = 1010;
	Datum now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	StatementOptions options;
	options.read_only = false;
	Values found;
	init_values(found);
	(void) add_value(found, TIMESTAMPTZOID, now);
	Portal portal = open_statement(
		psprintf("SELECT t.ctid FROM %s AS t WHERE %s OPERATOR(pg_catalog.<=) $1", target.relation, column), found,
		options);
	PinPortal(portal);
	const char *deletion =
		psprintf("DELETE FROM %s AS t WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1) AND %s OPERATOR(pg_catalog.<=) $2",
				 target.relation, column);
	int64 deleted = 0;
	MemoryContext batch_context =
		AllocSetContextCreate(CurrentMemoryContext, "batch of expire_rows", ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, batch);
		if (SPI_processed == 0)
			break;
		bool more = SPI_processed == static_cast<uint64>(batch);
		MemoryContext before = MemoryContextSwitchTo(batch_context);
		Values values;
		init_values(values);
		(void) add_value(values, kTidArray, fetched_places());
		(void) add_value(values, TIMESTAMPTZOID, now);
		SPI_freetuptable(SPI_tuptable);
		run_statement(deletion, values, options);
		deleted += static_cast<int64>(SPI_processed);
		MemoryContextSwitchTo(before);
		MemoryContextReset(batch_context);
		if (!more)
			break;
		/* What the cursor has still to find is put aside first. */
		SPI_commit();
		SPI_start_transaction();
	}
	UnpinPortal(portal);
	SPI_cursor_close(portal);
	SPI_commit();
	SPI_start_transaction();
	return deleted;
}

}  // namespace vecdb::api

using namespace vecdb;
using namespace vecdb::api;

VECDB_FUNCTION(vecdb_expire_rows)
{
	Oid relid = DatumGetObjectId(required_argument(fcinfo, kRel, "rel"));
	const char *name = NameStr(*DatumGetName(required_argument(fcinfo, kCol, "col")));
	int32 batch = PG_ARGISNULL(kBatch) ? 1000 : PG_GETARG_INT32(kBatch);
	if (batch < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch must be at least 1, not %d", batch)));
	check_may_commit(fcinfo);
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	Target target = open_target(relid, nullptr, InvalidOid, read_params(nullptr));
	if (target.relkind != RELKIND_RELATION && target.relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a table", get_rel_name(relid))));
	/* Also where no row is due. */
	if (pg_class_aclcheck(relid, GetUserId(), ACL_DELETE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(target.relkind), get_rel_name(relid));
	int64 deleted = expire_rows(target, time_column(target, name), batch);
	SPI_finish();
	TupleDesc desc;
	if (get_call_result_type(fcinfo, nullptr, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type of expire_rows is not the one it was created with");
	Datum value = Int64GetDatum(deleted);
	bool isnull = false;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), &value, &isnull)));
}
