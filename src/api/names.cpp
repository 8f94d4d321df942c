/* SPDX-License-Identifier: PostgreSQL
 * The extension's own types and operators.
 *
 * Regime: shell.
 * Found through pg_extension: the schema is where CREATE EXTENSION put it. Where a type of that schema, both operands
 * and the name of the operator agree, pg_operator has one row at most, so a statement that spells the schema can run no
 * other operator.
 */
#include "api/names.hpp"

extern "C" {
#include "catalog/pg_extension.h"
#include "utils/inval.h"
}

namespace vecdb::api
{

static Names current;
static bool is_current;
static uint64 invalidations;

static void
forget_names(Datum, int, uint32)
{
	is_current = false;
	invalidations++;
}

void
names_init()
{
	CacheRegisterSyscacheCallback(TYPEOID, forget_names, Datum{0});
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_names, Datum{0});
}

static Oid
extension_schema()
{
	Oid schema = InvalidOid;
	ScanKeyData key;
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("vecdb"));
	Relation catalog = table_open(ExtensionRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, ExtensionNameIndexId, true, nullptr, 1, &key);
	HeapTuple tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	if (!OidIsValid(schema))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("extension \"vecdb\" does not exist")));
	return schema;
}

static Oid
find_type(const char *name, Oid schema)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name), ObjectIdGetDatum(schema));
}

static Oid
find_operator(const char *name, Oid left, Oid right, Oid schema)
{
	return GetSysCacheOid4(OPERNAMENSP, Anum_pg_operator_oid, CStringGetDatum(name), ObjectIdGetDatum(left),
						   ObjectIdGetDatum(right), ObjectIdGetDatum(schema));
}

const char *
metric_operator(Metric metric)
{
	switch (metric)
	{
		case Metric::l2: return "<->";
		case Metric::inner_product: return "<#>";
		case Metric::cosine: return "<=>";
		case Metric::l1: return "<+>";
		case Metric::hamming: return "<~>";
		case Metric::jaccard: return "<%>";
	}
	return "";
}

const Names &
extension_names()
{
	if (is_current)
		return current;
	static const struct
	{
		ElementType element;
		const char *name;
	} types[] = {{ElementType::float32, "vector"},
				 {ElementType::half, "halfvec"},
				 {ElementType::sparse, "sparsevec"},
				 {ElementType::int8, "int8vec"}};
	uint64 seen = invalidations;
	Names names{};
	names.schema = extension_schema();
	const char *schema_name = get_namespace_name(names.schema);
	if (schema_name == nullptr)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_SCHEMA), errmsg("schema of extension \"vecdb\" does not exist")));
	strlcpy(names.quoted_schema, quote_identifier(schema_name), sizeof names.quoted_schema);
	Oid api_schema = get_namespace_oid("vecdb", true);
	names.query_type = OidIsValid(api_schema) ? find_type("query", api_schema) : InvalidOid;
	names.scored_schema = names.schema;
	for (const auto &type : types)
	{
		TypeNames &found = names.elements[static_cast<int>(type.element)];
		found.type = find_type(type.name, names.schema);
		if (!OidIsValid(found.type))
			continue;
		for (int metric = static_cast<int>(Metric::l2); metric <= static_cast<int>(Metric::l1); metric++)
			found.distances[metric] =
				find_operator(metric_operator(static_cast<Metric>(metric)), found.type, found.type, names.schema);
		if (!OidIsValid(names.query_type))
			continue;
		found.scored = find_operator("<*>", found.type, names.query_type, names.schema);
		if (!OidIsValid(found.scored))
		{
			found.scored = find_operator("<*>", found.type, names.query_type, api_schema);
			if (OidIsValid(found.scored))
				names.scored_schema = api_schema;
		}
	}
	current = names;
	/* A look-up may have taken in a message about what an earlier one had found. */
	is_current = seen == invalidations;
	return current;
}

bool
element_type_of(const Names &names, Oid type, ElementType &element)
{
	for (int i = 0; i < static_cast<int>(lengthof(names.elements)); i++)
	{
		if (OidIsValid(type) && names.elements[i].type == type)
		{
			element = static_cast<ElementType>(i);
			return true;
		}
	}
	return false;
}

const char *
qualified_type(Oid type)
{
	/* As "no modifier": a cast to character or bit would be one to a length of 1. */
	return format_type_extended(type, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

}  // namespace vecdb::api
