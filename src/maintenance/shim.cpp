/* SPDX-License-Identifier: PostgreSQL
 * The one step of the script of extension "vector" (shim/): have vecdb created, and tie the two together.
 *
 * Regime: shell.
 * Why C:  clients say CREATE EXTENSION IF NOT EXISTS vector, without CASCADE, so "requires" in the control file would refuse
 *         them where vecdb is not there yet; and a script may not say CREATE EXTENSION, because the objects made in between
 *         would be taken for its own. Here the outer extension is set aside while the inner one is made.
 * Keeps:  an error needs no clean-up: whoever runs the outer script puts both variables back on the way out.
 */
#include "pg/postgres.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "executor/spi.h"
}

namespace
{

/* The schema of an extension. The table is small and has no syscache in all releases. */
Oid
schema_of(Relation extensions, Oid extension, HeapTuple *copy)
{
	ScanKeyData key;
	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(extension));
	SysScanDesc scan = systable_beginscan(extensions, ExtensionOidIndexId, true, nullptr, 1, &key);
	HeapTuple tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "could not find tuple for extension %u", extension);
	const Oid schema = reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple))->extnamespace;
	if (copy != nullptr)
		*copy = heap_copytuple(tuple);
	systable_endscan(scan);
	return schema;
}

void
create_vecdb(const char *schema)
{
	const Oid outer = CurrentExtensionObject;
	creating_extension = false;
	CurrentExtensionObject = InvalidOid;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	const char *statement = psprintf("CREATE EXTENSION vecdb WITH SCHEMA %s", quote_identifier(schema));
	if (SPI_execute(statement, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "\"%s\" failed", statement);
	SPI_finish();
	creating_extension = true;
	CurrentExtensionObject = outer;
}

}  // namespace

VECDB_FUNCTION(vecdb_shim_create)
{
	(void) fcinfo;
	if (!creating_extension || strcmp(get_extension_name(CurrentExtensionObject), "vector") != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("this function is for the installation script of extension \"vector\"")));

	const ObjectAddress shim = {ExtensionRelationId, CurrentExtensionObject, 0};
	ObjectAddress vecdb = {ExtensionRelationId, get_extension_oid("vecdb", true), 0};
	HeapTuple row = nullptr;
	Relation extensions = table_open(ExtensionRelationId, RowExclusiveLock);
	const Oid schema = schema_of(extensions, shim.objectId, &row);

	if (!OidIsValid(vecdb.objectId))
	{
		create_vecdb(get_namespace_name(schema));
		vecdb.objectId = get_extension_oid("vecdb", false);
		/* What the shim brought goes with it: DROP EXTENSION vector is then what it is with pgvector. Not INTERNAL, which would
		 * forbid DROP EXTENSION vecdb: pg_dump --clean drops that one first. */
		recordDependencyOn(&vecdb, &shim, DEPENDENCY_AUTO);
	}
	else
	{
		recordDependencyOn(&shim, &vecdb, DEPENDENCY_NORMAL);
		const Oid actual = schema_of(extensions, vecdb.objectId, nullptr);
		if (actual != schema)
		{
			/* Clients that ask the catalogue where the type is shall be told. */
			reinterpret_cast<Form_pg_extension>(GETSTRUCT(row))->extnamespace = actual;
			CatalogTupleUpdate(extensions, &row->t_self, row);
			changeDependencyFor(ExtensionRelationId, shim.objectId, NamespaceRelationId, schema, actual);
			ereport(WARNING,
					(errmsg("extension \"vector\" is in schema \"%s\", not \"%s\"", get_namespace_name(actual),
							get_namespace_name(schema)),
					 errdetail("Extension \"vecdb\", which has its types and operators, was created there before.")));
		}
	}
	table_close(extensions, RowExclusiveLock);
	PG_RETURN_VOID();
}
