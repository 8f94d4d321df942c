/* SPDX-License-Identifier: PostgreSQL
 * Keys: from the type of an argument to columns of the relation, and from ids to a condition on them.
 *
 * Regime: shell.
 * Keeps:  a key identifies a row: its columns hold a primary key, or a valid, immediate, non-partial unique index over
 *         columns that are not null. Views and foreign tables have none that can be looked up: there params.key_column
 *         is trusted.
 */
#include "api/key.hpp"

extern "C" {
#include "parser/parse_coerce.h"
}

#include "api/names.hpp"
#include "api/statement.hpp"

namespace vecdb::api
{

static constexpr const char *kTypeHint = "Write the argument with its type, as in NULL::bigint or '{1,2}'::bigint[].";

const char *
column_reference(const char *name)
{
	return psprintf("t.%s", quote_identifier(name));
}

AttrNumber
find_column(Relation relation, const char *name)
{
	TupleDesc columns = RelationGetDescr(relation);
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return column->attnum;
	}
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("column \"%s\" of relation \"%s\" does not exist", name,
															  RelationGetRelationName(relation))));
	pg_unreachable();
}

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* Values of one are values of the other: the same type, a domain over it, integers, varchar and text. */
static bool
is_same_key_type(Oid column, Oid witness)
{
	column = getBaseType(column);
	witness = getBaseType(witness);
	return column == witness || (is_integer(column) && is_integer(witness)) ||
		   (IsBinaryCoercible(column, witness) && IsBinaryCoercible(witness, column));
}

static void
check_key_type(Relation relation, Form_pg_attribute column, Oid witness)
{
	if (!is_same_key_type(column->atttypid, witness))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("key column \"%s\" of relation \"%s\" is of type %s, not %s", NameStr(column->attname),
						RelationGetRelationName(relation), format_type_be(column->atttypid), format_type_be(witness)),
				 errhint("%s", kTypeHint)));
}

static bool
is_not_null(Relation relation, AttrNumber attno)
{
	return attno > 0 && TupleDescAttr(RelationGetDescr(relation), attno - 1)->attnotnull;
}

/*
 * Whether index, of the relation, allows no two rows that agree in the columns. Columns of a materialised view are never
 * marked NOT NULL: what its index says is all there is.
 */
static bool
is_unique_index_over(Relation relation, Oid index, const AttrNumber *attnos, int count)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return false;
	auto form = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
	bool covered = form->indisunique && form->indimmediate && form->indisvalid && form->indisready &&
				   heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
	for (int i = 0; covered && i < form->indnkeyatts; i++)
	{
		AttrNumber attno = form->indkey.values[i];
		covered = is_not_null(relation, attno) || (attno > 0 && relation->rd_rel->relkind == RELKIND_MATVIEW);
		bool found = false;
		for (int j = 0; j < count; j++)
			found = found || attnos[j] == attno;
		covered = covered && found;
	}
	ReleaseSysCache(tuple);
	return covered;
}

static bool
has_looked_up_keys(Relation relation)
{
	char kind = relation->rd_rel->relkind;
	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_MATVIEW;
}

static bool
is_unique_over(Relation relation, const AttrNumber *attnos, int count)
{
	List *indexes = RelationGetIndexList(relation);
	bool covered = false;
	ListCell *cell;
	foreach (cell, indexes)
		covered = covered || is_unique_index_over(relation, lfirst_oid(cell), attnos, count);
	list_free(indexes);
	return covered;
}

[[noreturn]] static void
report_no_key(Relation relation, const char *what)
{
	const char *name = RelationGetRelationName(relation);
	bool table = has_looked_up_keys(relation);
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_FOREIGN_KEY), errmsg("relation \"%s\" has no unique key over %s", name, what),
		 table ? errhint("Add a primary key, or name a column with a unique index by key_column in params, or several "
						 "by a composite type as the key, whose attributes have their names.")
			   : errhint("Name a column that is unique by key_column in params.")));
	pg_unreachable();
}

static void
allocate_columns(Key &key, int count)
{
	key.count = count;
	key.attnos = static_cast<AttrNumber *>(palloc(static_cast<Size>(count) * sizeof(AttrNumber)));
	key.column_types = static_cast<Oid *>(palloc(static_cast<Size>(count) * sizeof(Oid)));
	key.id_types = static_cast<Oid *>(palloc(static_cast<Size>(count) * sizeof(Oid)));
	key.columns = static_cast<const char **>(palloc(static_cast<Size>(count) * sizeof(const char *)));
}

static Form_pg_attribute
set_column(Key &key, int i, Relation relation, AttrNumber attno)
{
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), attno - 1);
	key.attnos[i] = attno;
	key.column_types[i] = key.id_types[i] = column->atttypid;
	key.columns[i] = column_reference(NameStr(column->attname));
	return column;
}

/* The columns of the primary key; those of none, where there is none or it may be violated for a while. */
static void
take_primary_key(Key &key, Relation relation)
{
	List *indexes = RelationGetIndexList(relation);
	list_free(indexes);
	Oid index = relation->rd_pkindex;
	allocate_columns(key, 0);
	if (!OidIsValid(index))
		return;
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return;
	auto form = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
	if (form->indimmediate && form->indisvalid)
	{
		allocate_columns(key, form->indnkeyatts);
		for (int i = 0; i < key.count; i++)
			set_column(key, i, relation, form->indkey.values[i]);
	}
	ReleaseSysCache(tuple);
}

/* key.columns from params.key_column where that is given: a promise, where it cannot be looked up. */
static void
take_key_column(Key &key, Relation relation, const char *key_column)
{
	AttrNumber attno = find_column(relation, key_column);
	allocate_columns(key, 1);
	set_column(key, 0, relation, attno);
	if (has_looked_up_keys(relation) && !is_unique_over(relation, key.attnos, 1))
		report_no_key(relation, psprintf("column \"%s\"", key_column));
}

const char *
column_as(const char *column, Oid type, Oid wanted)
{
	return type == wanted ? column : psprintf("(%s)::%s", column, qualified_type(wanted));
}

static void
resolve_scalar(Key &key, Relation relation, const char *key_column)
{
	key.shape = KeyShape::scalar;
	if (key_column != nullptr)
		take_key_column(key, relation, key_column);
	else
		take_primary_key(key, relation);
	if (key.count != 1)
		report_no_key(relation, "one column");
	check_key_type(relation, TupleDescAttr(RelationGetDescr(relation), key.attnos[0] - 1), key.type);
	key.id_types[0] = key.type;
	key.select = column_as(key.columns[0], key.column_types[0], key.type);
}

static void
resolve_row(Key &key, Relation relation, const char *key_column)
{
	key.shape = KeyShape::row;
	if (key_column != nullptr)
		take_key_column(key, relation, key_column);
	else
		take_primary_key(key, relation);
	if (key.count == 0)
		report_no_key(relation, "its rows");
	/* With parentheses and a cast this is the row, not a column of that name, and is not taken apart. */
	key.select = psprintf("(t.*)::%s", qualified_type(key.type));
}

static void
resolve_composite(Key &key, Relation relation, TupleDesc attributes)
{
	key.shape = KeyShape::composite;
	int live = 0;
	for (int i = 0; i < attributes->natts; i++)
		live += TupleDescAttr(attributes, i)->attisdropped ? 0 : 1;
	allocate_columns(key, live);
	StringInfoData row;
	initStringInfo(&row);
	int count = 0;
	for (int i = 0; i < attributes->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(attributes, i);
		if (attribute->attisdropped)
			continue;
		AttrNumber attno = find_column(relation, NameStr(attribute->attname));
		Form_pg_attribute column = set_column(key, count, relation, attno);
		check_key_type(relation, column, attribute->atttypid);
		if (!column->attnotnull && relation->rd_rel->relkind != RELKIND_MATVIEW)
			ereport(ERROR, (errcode(ERRCODE_INVALID_FOREIGN_KEY),
							errmsg("key column \"%s\" of relation \"%s\" may be null", NameStr(column->attname),
								   RelationGetRelationName(relation)),
							errhint("Declare it NOT NULL, or leave it out of type %s.", format_type_be(key.type))));
		key.id_types[count] = attribute->atttypid;
		appendStringInfo(&row, "%s%s", count == 0 ? "" : ", ",
						 column_as(key.columns[count], column->atttypid, attribute->atttypid));
		count++;
	}
	if (count == 0 || !has_looked_up_keys(relation) || !is_unique_over(relation, key.attnos, count))
		report_no_key(relation, psprintf("the attributes of type %s", format_type_be(key.type)));
	key.select = psprintf("ROW(%s)::%s", row.data, qualified_type(key.type));
}

static const char *
key_order(const Key &key)
{
	StringInfoData order;
	initStringInfo(&order);
	for (int i = 0; i < key.count; i++)
		appendStringInfo(&order, "%s%s", i == 0 ? "" : ", ", key.columns[i]);
	return order.data;
}

Key
resolve_key(Relation relation, Oid witness, const char *key_column)
{
	Key key{};
	key.type = witness;
	if (!has_looked_up_keys(relation) && key_column == nullptr)
		report_no_key(relation, "any column");
	Oid base = getBaseType(witness);
	if (base == RECORDOID)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a key must not be of type record"),
						errhint("Create a composite type whose attributes have the names of the key columns, and cast "
								"the argument to it.")));
	if (base == relation->rd_rel->reltype)
		resolve_row(key, relation, key_column);
	else if (get_typtype(base) == TYPTYPE_COMPOSITE && key_column == nullptr)
	{
		TupleDesc attributes = lookup_rowtype_tupdesc(base, -1);
		resolve_composite(key, relation, attributes);
		ReleaseTupleDesc(attributes);
	}
	else
		resolve_scalar(key, relation, key_column);
	key.order = key_order(key);
	return key;
}

/* Of a condition "column = value": the operator, spelled with its schema, and casts where it takes other types. */
struct Equality
{
	const char *spelled;
	const char *column_cast, *value_cast;  // "::text" or ""
	const char *array_cast;                // of an array of values
};

static Equality
equality_of(Oid declared, Oid value)
{
	Oid column = getBaseType(declared);
	Equality equality{"OPERATOR(pg_catalog.=)", "", "", ""};
	/* Between integers of different sizes pg_catalog has them all, and indexes know them. */
	if (is_integer(column))
		return equality;
	Oid operator_oid = lookup_type_cache(column, TYPECACHE_EQ_OPR)->eq_opr;
	if (!OidIsValid(operator_oid))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("could not identify an equality operator for type %s", format_type_be(column))));
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator_oid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator_oid);
	auto form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
	const char *schema = get_namespace_name(form->oprnamespace);
	equality.spelled = psprintf("OPERATOR(%s.%s)", quote_identifier(schema), NameStr(form->oprname));
	if (!IsPolymorphicType(form->oprleft) && form->oprleft != RECORDOID)
	{
		equality.column_cast = psprintf("::%s", qualified_type(form->oprleft));
		if (form->oprright != value)
		{
			equality.value_cast = psprintf("::%s", qualified_type(form->oprright));
			equality.array_cast = psprintf("::%s[]", qualified_type(form->oprright));
		}
	}
	else if (declared != column || getBaseType(value) != value)
	{
		equality.column_cast = equality.value_cast = psprintf("::%s", qualified_type(column));
		equality.array_cast = psprintf("::%s[]", qualified_type(column));
	}
	ReleaseSysCache(tuple);
	return equality;
}

[[noreturn]] static void
report_null_id()
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("array of ids must not contain nulls")));
	pg_unreachable();
}

static bool
may_be_null(const Target &target)
{
	return target.relkind != RELKIND_RELATION && target.relkind != RELKIND_PARTITIONED_TABLE;
}

/* Of ids with attributes: their values by column of the key. */
struct IdColumns
{
	int rows;
	Oid *types;      // of the attributes
	Datum **values;  // [column][row]
};

/* The attributes of type that name the columns of the key, which the key's resolution has found all there. */
static void
find_attributes(const Target &target, TupleDesc attributes, int *places)
{
	const Key &key = target.key;
	int next = 0;
	for (int i = 0; i < attributes->natts && next < key.count; i++)
	{
		/* A composite key's columns are its attributes in order; a row's attributes are the columns themselves. */
		if (key.shape == KeyShape::composite && !TupleDescAttr(attributes, i)->attisdropped)
			places[next++] = i;
	}
	for (int i = 0; key.shape == KeyShape::row && i < key.count; i++)
		places[i] = key.attnos[i] - 1;
}

static IdColumns
split_ids(const Target &target, Datum *elements, int count)
{
	const Key &key = target.key;
	TupleDesc attributes = lookup_rowtype_tupdesc(getBaseType(key.type), -1);
	auto *places = static_cast<int *>(palloc0(static_cast<Size>(key.count) * sizeof(int)));
	find_attributes(target, attributes, places);
	IdColumns ids{count, static_cast<Oid *>(palloc(static_cast<Size>(key.count) * sizeof(Oid))),
				  static_cast<Datum **>(palloc(static_cast<Size>(key.count) * sizeof(Datum *)))};
	for (int c = 0; c < key.count; c++)
	{
		ids.types[c] = TupleDescAttr(attributes, places[c])->atttypid;
		ids.values[c] = static_cast<Datum *>(palloc(static_cast<Size>(count + 1) * sizeof(Datum)));
	}
	auto *values = static_cast<Datum *>(palloc(static_cast<Size>(attributes->natts) * sizeof(Datum)));
	auto *nulls = static_cast<bool *>(palloc(static_cast<Size>(attributes->natts) * sizeof(bool)));
	for (int r = 0; r < count; r++)
	{
		HeapTupleHeader header = DatumGetHeapTupleHeader(elements[r]);
		HeapTupleData tuple{};
		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		tuple.t_data = header;
		heap_deform_tuple(&tuple, attributes, values, nulls);
		for (int c = 0; c < key.count; c++)
		{
			if (nulls[places[c]])
				report_null_id();
			ids.values[c][r] = values[places[c]];
		}
	}
	ReleaseTupleDesc(attributes);
	return ids;
}

static Oid
array_type_of(Oid type)
{
	Oid array = get_array_type(type);
	if (!OidIsValid(array))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("could not find array type for data type %s", format_type_be(type))));
	return array;
}

static void
append_scalar_in(StringInfo sql, const Target &target, Datum ids, Values &values)
{
	const Key &key = target.key;
	Equality equality = equality_of(key.column_types[0], key.type);
	int n = add_value(values, array_type_of(key.type), ids);
	appendStringInfo(sql, "%s%s %s ANY ($%d%s)", key.columns[0], equality.column_cast, equality.spelled, n,
					 equality.array_cast);
}

/* A condition for each id: an index serves them, and as a filter they disturb no ordered scan. */
static void
append_ids_singly(StringInfo sql, const Target &target, const IdColumns &ids, Values &values)
{
	const Key &key = target.key;
	for (int r = 0; r < ids.rows; r++)
	{
		appendStringInfoString(sql, r == 0 ? "(" : " OR (");
		for (int c = 0; c < key.count; c++)
		{
			Equality equality = equality_of(key.column_types[c], ids.types[c]);
			int n = add_value(values, ids.types[c], ids.values[c][r]);
			appendStringInfo(sql, "%s%s%s %s $%d%s", c == 0 ? "" : " AND ", key.columns[c], equality.column_cast,
							 equality.spelled, n, equality.value_cast);
		}
		appendStringInfoChar(sql, ')');
	}
}

/* Many: joined with arrays, one a column. */
static void
append_ids_joined(StringInfo sql, const Target &target, const IdColumns &ids, Values &values)
{
	const Key &key = target.key;
	appendStringInfoString(sql, "EXISTS (SELECT 1 FROM ROWS FROM (");
	for (int c = 0; c < key.count; c++)
	{
		int16 length;
		bool by_value;
		char align;
		get_typlenbyvalalign(ids.types[c], &length, &by_value, &align);
		ArrayType *array = construct_array(ids.values[c], ids.rows, ids.types[c], length, by_value, align);
		int n = add_value(values, array_type_of(ids.types[c]), PointerGetDatum(array));
		appendStringInfo(sql, "%spg_catalog.unnest($%d)", c == 0 ? "" : ", ", n);
	}
	appendStringInfoString(sql, ") AS vecdb_ids (");
	for (int c = 0; c < key.count; c++)
		appendStringInfo(sql, "%sc%d", c == 0 ? "" : ", ", c);
	appendStringInfoString(sql, ") WHERE ");
	for (int c = 0; c < key.count; c++)
	{
		Equality equality = equality_of(key.column_types[c], ids.types[c]);
		appendStringInfo(sql, "%s%s%s %s vecdb_ids.c%d%s", c == 0 ? "" : " AND ", key.columns[c], equality.column_cast,
						 equality.spelled, c, equality.value_cast);
	}
	appendStringInfoChar(sql, ')');
}

void
append_key_in(StringInfo sql, const Target &target, Datum ids, bool negate, Values &values)
{
	constexpr int kSingly = 64;
	const Key &key = target.key;
	ArrayType *array = DatumGetArrayTypeP(ids);
	if (array_contains_nulls(array))
		report_null_id();
	int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (count == 0)
	{
		appendStringInfoString(sql, negate ? "(true)" : "(false)");
		return;
	}
	/* Where the key may be null, no id is its value. */
	bool nullable = negate && may_be_null(target);
	appendStringInfoString(sql, negate && !nullable ? "(NOT (" : "((");
	if (key.shape == KeyShape::scalar)
		append_scalar_in(sql, target, PointerGetDatum(array), values);
	else
	{
		int16 length;
		bool by_value;
		char align;
		Datum *elements;
		get_typlenbyvalalign(key.type, &length, &by_value, &align);
		deconstruct_array(array, key.type, length, by_value, align, &elements, nullptr, &count);
		IdColumns columns = split_ids(target, elements, count);
		if (count <= kSingly)
			append_ids_singly(sql, target, columns, values);
		else
			append_ids_joined(sql, target, columns, values);
	}
	appendStringInfoString(sql, nullable ? ") IS NOT TRUE)" : "))");
}

}  // namespace vecdb::api
