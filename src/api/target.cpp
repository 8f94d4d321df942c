/* SPDX-License-Identifier: PostgreSQL
 * What a function of the query API works on, resolved from the catalog and kept for the next call.
 *
 * Regime: shell.
 * Keeps:  the relation is locked before anything about it is believed; what was resolved before holds until an
 *         invalidation message says otherwise. Privileges are never kept: they are looked up at each call.
 * Memory: a caller's Target is a copy in its own memory context: what is kept may go while the caller runs.
 */
#include "api/target.hpp"

#include <cmath>

extern "C" {
#include "parser/parse_coerce.h"
#include "utils/inval.h"
}

#include "api/key.hpp"
#include "api/names.hpp"
#include "api/statement.hpp"
#include "pg/compat.hpp"

namespace vecdb::api
{

constexpr int kKeptTargets = 64;

static int guc_max_k = 1000000;

/* What a Target is resolved from. */
struct Request
{
	Oid relid;
	Oid witness;
	bool has_metric;
	Metric metric;
	const char *vec;         // null: no vector is needed
	const char *key_column;  // null: the primary key
};

struct KeptTarget
{
	MemoryContext context;  // null: the place is free
	uint64 used;            // clock of the last use
	Oid witness_relation;   // of a composite witness
	Request request;
	Target target;
};

static KeptTarget kept[kKeptTargets];
static uint64 clock_ticks;
static uint64 invalidations;

static void
forget(KeptTarget &entry)
{
	MemoryContext context = entry.context;
	entry.context = nullptr;
	MemoryContextDelete(context);
}

static void
forget_relation(Datum, Oid relid)
{
	invalidations++;
	for (KeptTarget &entry : kept)
	{
		if (entry.context != nullptr &&
			(!OidIsValid(relid) || entry.request.relid == relid || entry.witness_relation == relid))
			forget(entry);
	}
}

static void
forget_all(Datum, int, uint32)
{
	forget_relation(Datum{0}, InvalidOid);
}

static bool
same_text(const char *a, const char *b)
{
	return a == nullptr || b == nullptr ? a == b : strcmp(a, b) == 0;
}

static KeptTarget *
find_kept(const Request &request)
{
	for (KeptTarget &entry : kept)
	{
		const Request &other = entry.request;
		if (entry.context != nullptr && other.relid == request.relid && other.witness == request.witness &&
			other.has_metric == request.has_metric && (!other.has_metric || other.metric == request.metric) &&
			same_text(other.vec, request.vec) && same_text(other.key_column, request.key_column))
			return &entry;
	}
	return nullptr;
}

static const char *
copy_text(const char *text)
{
	return text == nullptr ? nullptr : pstrdup(text);
}

/* All that it points to in the current context. */
static Target
copy_target(const Target &from)
{
	Target to = from;
	to.relation = copy_text(from.relation);
	to.vec = copy_text(from.vec);
	to.distance = copy_text(from.distance);
	to.scored_distance = copy_text(from.scored_distance);
	Key &key = to.key;
	auto count = static_cast<Size>(key.count);
	if (count > 0)
	{
		key.attnos = static_cast<AttrNumber *>(palloc(count * sizeof(AttrNumber)));
		key.column_types = static_cast<Oid *>(palloc(count * sizeof(Oid)));
		key.id_types = static_cast<Oid *>(palloc(count * sizeof(Oid)));
		key.columns = static_cast<const char **>(palloc(count * sizeof(const char *)));
		memcpy(key.id_types, from.key.id_types, count * sizeof(Oid));
		memcpy(key.attnos, from.key.attnos, count * sizeof(AttrNumber));
		memcpy(key.column_types, from.key.column_types, count * sizeof(Oid));
		for (Size i = 0; i < count; i++)
			key.columns[i] = copy_text(from.key.columns[i]);
	}
	key.select = copy_text(from.key.select);
	key.order = copy_text(from.key.order);
	return to;
}

static void
keep(const Request &request, const Target &target, Oid witness_relation)
{
	KeptTarget *place = kept;
	for (KeptTarget &entry : kept)
	{
		if (place->context != nullptr && (entry.context == nullptr || entry.used < place->used))
			place = &entry;
	}
	if (place->context != nullptr)
		forget(*place);
	MemoryContext context = AllocSetContextCreate(CacheMemoryContext, "vecdb target", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	place->request = request;
	place->request.vec = copy_text(request.vec);
	place->request.key_column = copy_text(request.key_column);
	place->target = copy_target(target);
	place->used = ++clock_ticks;
	place->witness_relation = witness_relation;
	place->context = context;
	MemoryContextSwitchTo(old);
}

/* The metric by which an index of column attno orders; false where it is none of ours or not valid. */
static bool
index_metric(const TypeNames &names, Oid index, AttrNumber attno, Metric &metric)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return false;
	auto form = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
	Oid opclass = InvalidOid;
	if (form->indisvalid && form->indkey.values[0] == attno)
	{
		bool is_null;
		Datum classes = SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indclass, &is_null);
		opclass = reinterpret_cast<oidvector *>(DatumGetPointer(classes))->values[0];
	}
	ReleaseSysCache(tuple);
	if (!OidIsValid(opclass))
		return false;
	/* The first strategy of our classes is their distance; of all others it is no operator of ours. */
	Oid ordering = get_opfamily_member(get_opclass_family(opclass), names.type, names.type, 1);
	for (int m = static_cast<int>(Metric::l2); OidIsValid(ordering) && m <= static_cast<int>(Metric::l1); m++)
	{
		if (names.distances[m] == ordering)
		{
			metric = static_cast<Metric>(m);
			return true;
		}
	}
	return false;
}

static Metric
resolve_metric(Relation relation, const TypeNames &names, AttrNumber attno)
{
	List *indexes = RelationGetIndexList(relation);
	bool found = false;
	Metric metric = Metric::cosine;
	ListCell *cell;
	foreach (cell, indexes)
	{
		Metric other;
		if (!index_metric(names, lfirst_oid(cell), attno, other))
			continue;
		if (found && other != metric)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("indexes of column \"%s\" order by different metrics, %s and %s",
								   NameStr(TupleDescAttr(RelationGetDescr(relation), attno - 1)->attname),
								   core::distance::metric_name(metric), core::distance::metric_name(other)),
							errhint("Say which to use in params, as in {\"metric\": \"%s\"}.",
									core::distance::metric_name(metric))));
		metric = other;
		found = true;
	}
	list_free(indexes);
	return metric;
}

static void
resolve_vector(Target &target, Relation relation, const Request &request)
{
	const Names &names = extension_names();
	target.vec_attno = find_column(relation, request.vec);
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), target.vec_attno - 1);
	target.vec_typmod = column->atttypmod;
	target.vec_type = getBaseTypeAndTypmod(column->atttypid, &target.vec_typmod);
	if (!element_type_of(names, target.vec_type, target.element))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" of relation \"%s\" is of type %s, not a vector type", request.vec,
							   RelationGetRelationName(relation), format_type_be(column->atttypid)),
						errhint("The vector types are vector, halfvec, int8vec and sparsevec.")));
	const TypeNames &type = names.elements[static_cast<int>(target.element)];
	const char *reference = column_reference(NameStr(column->attname));
	target.vec = column->atttypid == target.vec_type
					 ? reference
					 : psprintf("(%s)::%s", reference, format_type_be_qualified(target.vec_type));
	target.metric = request.has_metric ? request.metric : resolve_metric(relation, type, target.vec_attno);
	if (!OidIsValid(type.distances[static_cast<int>(target.metric)]))
		elog(ERROR, "no operator %s for type %u", metric_operator(target.metric), target.vec_type);
	target.distance = psprintf("OPERATOR(%s.%s)", names.quoted_schema, metric_operator(target.metric));
	target.query_type = names.query_type;
	if (OidIsValid(type.scored))
		target.scored_distance =
			psprintf("OPERATOR(%s.<*>)", quote_identifier(get_namespace_name(names.scored_schema)));
}

static void
check_kind(Relation relation)
{
	switch (relation->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_MATVIEW:
		case RELKIND_VIEW:
		case RELKIND_FOREIGN_TABLE: return;
		default:
			ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
							errmsg("\"%s\" is not a table or view", RelationGetRelationName(relation))));
	}
}

static Target
resolve(const Request &request)
{
	Relation relation = relation_open(request.relid, NoLock);
	check_kind(relation);
	Target target{};
	target.relid = request.relid;
	target.relkind = relation->rd_rel->relkind;
	target.relation = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
												 RelationGetRelationName(relation));
	if (request.vec != nullptr)
		resolve_vector(target, relation, request);
	if (OidIsValid(request.witness))
		target.key = resolve_key(relation, request.witness, request.key_column);
	relation_close(relation, NoLock);
	return target;
}

/* 42P01. What has an OID may be gone by the time that it is locked. */
static void
lock_relation(Oid relid)
{
	LockRelationOid(relid, AccessShareLock);
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		return;
	UnlockRelationOid(relid, AccessShareLock);
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relid)));
}

/* 42501 for who may read none of it: not even what it consists of is told. */
static bool
check_relation_privileges(Oid relid)
{
	Oid user = GetUserId();
	Oid schema = get_rel_namespace(relid);
	AclResult result = pg::schema_privilege(schema, ACL_USAGE);
	if (result != ACLCHECK_OK)
		aclcheck_error(result, OBJECT_SCHEMA, get_namespace_name(schema));
	if (pg_class_aclcheck(relid, user, ACL_SELECT) == ACLCHECK_OK)
		return true;
	result = pg_attribute_aclcheck_all(relid, user, ACL_SELECT, ACLMASK_ANY);
	if (result != ACLCHECK_OK)
		aclcheck_error(result, get_relkind_objtype(get_rel_relkind(relid)), get_rel_name(relid));
	return false;
}

static void
check_column_privilege(const Target &target, AttrNumber attno)
{
	AclResult result = pg_attribute_aclcheck(target.relid, attno, GetUserId(), ACL_SELECT);
	if (result != ACLCHECK_OK)
		aclcheck_error_col(result, OBJECT_COLUMN, get_rel_name(target.relid), get_attname(target.relid, attno, false));
}

static void
check_column_privileges(const Target &target)
{
	if (target.vec_attno != 0)
		check_column_privilege(target, target.vec_attno);
	for (int i = 0; i < target.key.count; i++)
		check_column_privilege(target, target.key.attnos[i]);
}

Target
open_target(Oid relid, const char *vec, Oid witness, const SearchParams &params)
{
	lock_relation(relid);
	bool whole = check_relation_privileges(relid);
	Request request{relid, witness, params.has_metric, params.metric, vec, params.key_column};
	Target target;
	KeptTarget *entry = find_kept(request);
	if (entry != nullptr)
	{
		entry->used = ++clock_ticks;
		target = copy_target(entry->target);
	}
	else
	{
		uint64 seen = invalidations;
		target = resolve(request);
		Oid witness_relation = OidIsValid(witness) ? get_typ_typrelid(getBaseType(witness)) : InvalidOid;
		if (seen == invalidations)
			keep(request, target, witness_relation);
	}
	if (!whole)
		check_column_privileges(target);
	target.exact = params.exact;
	target.payload_column = params.payload_column;
	return target;
}

/* An operator in between that no index knows. */
static const char *
index_guard(const Target &target)
{
	return target.exact ? "OPERATOR(pg_catalog.+) " : "";
}

void
append_distance(StringInfo sql, const Target &target, const char *query)
{
	appendStringInfo(sql, "%s(%s %s %s)", index_guard(target), target.vec, target.distance, query);
}

void
append_distance(StringInfo sql, const Target &target, int n)
{
	append_distance(sql, target, psprintf("$%d", n));
}

void
append_scored_distance(StringInfo sql, const Target &target, int n)
{
	if (target.scored_distance == nullptr)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("type %s has no operator <*>", format_type_be(target.vec_type))));
	appendStringInfo(sql, "%s(%s %s $%d)", index_guard(target), target.vec, target.scored_distance, n);
}

double
score_of_distance(Metric metric, double distance)
{
	switch (metric)
	{
		case Metric::cosine: return 1 - distance;
		case Metric::l2:
		{
			/* Kernels add squares up as float: where the distance is the root of one, that, not 2.0000000000000004. */
			double square = distance * distance;
			double sum = static_cast<double>(static_cast<float>(square));
			return 0 - (std::sqrt(sum) == distance ? sum : square);  // never -0
		}
		default: return 0 - distance;
	}
}

double
distance_of_score(Metric metric, double score)
{
	switch (metric)
	{
		case Metric::cosine: return 1 - score;
		case Metric::l2: return score <= 0 ? std::sqrt(-score) : get_float8_nan();
		default: return 0 - score;
	}
}

Datum
query_for_column(const Target &target, Datum query, ElementType type)
{
	if (target.element != type)
	{
		Oid function;
		CoercionPathType path = find_coercion_pathway(
			target.vec_type, extension_names().elements[static_cast<int>(type)].type, COERCION_EXPLICIT, &function);
		if (path != COERCION_PATH_FUNC)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("a query of type %s cannot be compared with column \"%s\" of type %s",
							format_type_be(extension_names().elements[static_cast<int>(type)].type),
							get_attname(target.relid, target.vec_attno, false), format_type_be(target.vec_type))));
		query = OidFunctionCall3(function, query, Int32GetDatum(-1), BoolGetDatum(true));
	}
	if (target.vec_typmod >= 0)
		check_same_indexed_dimensions(target.vec_typmod, indexed_dimensions(query, target.element), target.element);
	return query;
}

void
check_page(int64 k, int64 skip)
{
	if (k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("k must be at least 1, not " INT64_FORMAT, k)));
	if (k > guc_max_k)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("k cannot be more than %d, not " INT64_FORMAT, guc_max_k, k),
						errhint("The limit is vecdb.max_k.")));
	if (skip < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("skip must be at least 0, not " INT64_FORMAT, skip)));
}

void
report_null_argument(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" must not be null", name)));
	pg_unreachable();
}

void
target_init()
{
	DefineCustomIntVariable("vecdb.max_k", "Sets the largest k of the functions of the query API.",
							"A guard of the server's memory and time against a client's slip.", &guc_max_k, 1000000, 1,
							INT_MAX, PGC_SUSET, 0, nullptr, nullptr, nullptr);
	names_init();
	CacheRegisterRelcacheCallback(forget_relation, Datum{0});
	CacheRegisterSyscacheCallback(INDEXRELID, forget_all, Datum{0});
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_all, Datum{0});
	CacheRegisterSyscacheCallback(TYPEOID, forget_all, Datum{0});
}

}  // namespace vecdb::api
