/* SPDX-License-Identifier: PostgreSQL
 * A filter's tree into a condition on the row t: what its clauses are in SQL, and which column a key is.
 *
 * Regime: shell.
 * Keeps:  the logic has two values. A condition may be NULL for false; a negation is (...) IS NOT TRUE, and nothing else is wrapped, since
 *         (...) IS TRUE would keep indexes from use.
 * Safety: the text holds names from the catalog and what this code spells; the filter's strings and numbers are values.
 */
#include "api/filter_compile.hpp"

#include <algorithm>

extern "C" {
#include "catalog/pg_attribute.h"
}

#include "api/key.hpp"

namespace vecdb::api
{

/* --- values --- */

void
append_value(FilterCompiler &c, Oid type, Datum value)
{
	if (c.values != nullptr)
	{
		appendStringInfo(c.sql, "$%d", add_value(*c.values, type, value));
		return;
	}
	Oid output;
	bool is_varlena;
	getTypeOutputInfo(type, &output, &is_varlena);
	appendStringInfo(c.sql, "%s::%s", quote_literal_cstr(OidOutputFunctionCall(output, value)),
					 format_type_extended(type, -1, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
}

void
append_text_value(FilterCompiler &c, std::string_view text)
{
	append_value(c, TEXTOID, PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))));
}

/* --- columns --- */

static AttrNumber
column_named(const FilterCompiler &c, std::string_view name)
{
	if (name.empty() || name.size() >= NAMEDATALEN)
		return 0;
	AttrNumber attno = get_attnum(c.target->relid, pnstrdup(name.data(), name.size()));
	return attno > 0 ? attno : static_cast<AttrNumber>(0);
}

/* The column payload, else the only one of type jsonb; 0 where there is none. */
static AttrNumber
usual_payload(const FilterCompiler &c)
{
	AttrNumber attno = column_named(c, "payload");
	if (attno > 0 && getBaseType(get_atttype(c.target->relid, attno)) == JSONBOID)
		return attno;
	Relation relation = relation_open(c.target->relid, NoLock);
	TupleDesc desc = RelationGetDescr(relation);
	int found = 0;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		if (!column->attisdropped && getBaseType(column->atttypid) == JSONBOID)
		{
			attno = column->attnum;
			found++;
		}
	}
	relation_close(relation, NoLock);
	return found == 1 ? attno : static_cast<AttrNumber>(0);
}

static AttrNumber
payload_of(FilterCompiler &c, const FieldKey &key)
{
	const char *named = c.target->payload_column;
	if (!c.payload_sought)
	{
		c.payload = named != nullptr ? column_named(c, named) : usual_payload(c);
		c.payload_sought = true;
	}
	const char *relation = get_rel_name(c.target->relid);
	if (named != nullptr && c.payload == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", named, relation)));
	if (c.payload == 0)
	{
		int bytes = static_cast<int>(key.steps[0].name.size());
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						pnstrdup(key.steps[0].name.data(), static_cast<Size>(std::min(bytes, NAMEDATALEN))), relation),
				 errdetail("A filter names it, and there is no jsonb column of which it could be a field."),
				 errhint("Name the column of fields payload, or say which it is in params, as in {\"payload_column\": "
						 "\"data\"}.")));
	}
	return c.payload;
}

FieldColumn
find_field(FilterCompiler &c, const FieldKey &key)
{
	FieldColumn field{};
	field.attno = column_named(c, key.steps[0].name);
	field.is_payload = field.attno == 0;
	if (field.is_payload)
		field.attno = payload_of(c, key);
	int own = field.is_payload ? 0 : 1;
	field.steps = key.steps + own;
	field.step_count = key.count - own;
	field.name = get_attname(c.target->relid, field.attno, false);
	field.expression = column_reference(field.name);
	int32 typmod;
	get_atttypetypmodcoll(c.target->relid, field.attno, &field.type, &typmod, &field.collation);
	field.type = getBaseType(field.type);
	field.element = get_element_type(field.type);
	field.element_type = OidIsValid(field.element) ? getBaseType(field.element) : InvalidOid;
	if (field.is_payload && field.type != JSONBOID && field.type != JSONOID)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" is of type %s, not jsonb", field.name, format_type_be(field.type))));
	return field;
}

/* --- conditions on the row --- */

/* The columns of the primary key. */
static Key
primary_key(const FilterCompiler &c)
{
	if (c.target->key.count > 0)
		return c.target->key;
	Key key{};
	Relation relation = relation_open(c.target->relid, NoLock);
	RelationGetIndexList(relation);
	Oid oid = relation->rd_pkindex;
	if (!OidIsValid(oid))
		ereport(ERROR, (errcode(ERRCODE_INVALID_FOREIGN_KEY),
						errmsg("relation \"%s\" has no primary key for the ids of a filter",
							   RelationGetRelationName(relation)),
						errhint("Add a primary key, or filter by a column.")));
	Relation index = index_open(oid, AccessShareLock);
	key.count = index->rd_index->indnkeyatts;
	key.attnos = static_cast<AttrNumber *>(palloc(sizeof(AttrNumber) * key.count));
	key.columns = static_cast<const char **>(palloc(sizeof(char *) * key.count));
	key.column_types = static_cast<Oid *>(palloc(sizeof(Oid) * key.count));
	for (int i = 0; i < key.count; i++)
	{
		key.attnos[i] = index->rd_index->indkey.values[i];
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(relation), key.attnos[i] - 1);
		key.columns[i] = column_reference(NameStr(column->attname));
		key.column_types[i] = column->atttypid;
	}
	index_close(index, AccessShareLock);
	relation_close(relation, NoLock);
	return key;
}

/* The part of an id that is column i of the key: an id of several columns is an array or an object of them. */
static bool
id_part(const FilterCompiler &c, const Key &key, const JsonbValue &id, int i, JsonbValue &part)
{
	if (key.count == 1)
	{
		part = id;
		return id.type != jbvBinary;
	}
	if (id.type != jbvBinary)
		return false;
	JsonbContainer *container = id.val.binary.data;
	if (static_cast<int>(JsonContainerSize(container)) != key.count)
		return false;
	if (JsonContainerIsArray(container))
	{
		part = *getIthJsonbValueFromContainer(container, static_cast<uint32>(i));
		return true;
	}
	const char *name = get_attname(c.target->relid, key.attnos[i], false);
	return getKeyJsonValueFromContainer(container, name, static_cast<int>(strlen(name)), &part) != nullptr;
}

/* As scalar_value; for other types by the type's input, which may raise. */
static bool
id_value(Oid type, const JsonbValue &part, Datum &value)
{
	if (is_known_type(type) || part.type != jbvString)
		return scalar_value(type, part, value);
	Oid input, parameter;
	getTypeInputInfo(type, &input, &parameter);
	value = OidInputFunctionCall(input, pnstrdup(part.val.string.val, static_cast<Size>(part.val.string.len)),
								 parameter, -1);
	return true;
}

static void
append_array(FilterCompiler &c, Oid type, Datum *values, int count)
{
	Oid asked = asked_type(type);
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(asked, &length, &by_value, &align);
	append_value(c, get_array_type(asked),
				 PointerGetDatum(construct_array(values, count, asked, length, by_value, align)));
}

static void
append_has_id(FilterCompiler &c, const FilterNode &node)
{
	Key key = primary_key(c);
	auto **values = static_cast<Datum **>(palloc(sizeof(Datum *) * key.count));
	auto *types = static_cast<Oid *>(palloc(sizeof(Oid) * key.count));
	for (int i = 0; i < key.count; i++)
	{
		values[i] = static_cast<Datum *>(palloc(sizeof(Datum) * (node.value_count + 1)));
		types[i] = getBaseType(key.column_types[i]);
	}
	int count = 0;
	for (int v = 0; v < node.value_count; v++)
	{
		bool possible = true;
		JsonbValue part;
		for (int i = 0; i < key.count && possible; i++)
			possible = id_part(c, key, node.values[v], i, part) && id_value(types[i], part, values[i][count]);
		count += possible;
	}
	if (count == 0)
	{
		appendStringInfoString(c.sql, "false");
		return;
	}
	if (key.count == 1)
	{
		appendStringInfo(c.sql, "(%s %s ANY (", key.columns[0], equality_of(asked_type(types[0])));
		append_array(c, types[0], values[0], count);
		appendStringInfoString(c.sql, "))");
		return;
	}
	appendStringInfoString(c.sql, "(EXISTS (SELECT FROM ROWS FROM (");
	for (int i = 0; i < key.count; i++)
	{
		appendStringInfoString(c.sql, i == 0 ? "pg_catalog.unnest(" : ", pg_catalog.unnest(");
		append_array(c, types[i], values[i], count);
		appendStringInfoChar(c.sql, ')');
	}
	appendStringInfoString(c.sql, ") AS i(");
	for (int i = 0; i < key.count; i++)
		appendStringInfo(c.sql, i == 0 ? "k%d" : ", k%d", i);
	appendStringInfoString(c.sql, ") WHERE ");
	for (int i = 0; i < key.count; i++)
		appendStringInfo(c.sql, "%s%s %s i.k%d", i == 0 ? "" : " AND ", key.columns[i],
						 equality_of(asked_type(types[i])), i);
	appendStringInfoString(c.sql, "))");
}

static void
append_has_vector(FilterCompiler &c, const FilterNode &node)
{
	const char *vec = c.target->vec;
	if (!node.words.empty())
	{
		AttrNumber attno = column_named(c, node.words);
		if (attno == 0)
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
							errmsg("column \"%s\" of relation \"%s\" does not exist",
								   pnstrdup(node.words.data(), std::min<Size>(node.words.size(), NAMEDATALEN)),
								   get_rel_name(c.target->relid)),
							errdetail("A filter asks for its vector by has_vector.")));
		vec = column_reference(get_attname(c.target->relid, attno, false));
	}
	if (vec == nullptr)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("has_vector in a filter must name a column here")));
	appendStringInfo(c.sql, "(%s IS NOT NULL)", vec);
}

static void
append_slice(FilterCompiler &c, const FilterNode &node)
{
	Key key = primary_key(c);
	appendStringInfoString(c.sql, "(pg_catalog.abs(pg_catalog.mod(pg_catalog.hashtextextended(");
	for (int i = 0; i < key.count; i++)
		appendStringInfo(c.sql,
						 i == 0 ? "%s::pg_catalog.text"
								: " OPERATOR(pg_catalog.||) '/' OPERATOR(pg_catalog.||) %s::pg_catalog.text",
						 key.columns[i]);
	appendStringInfoString(c.sql, ", 0), ");
	append_value(c, INT8OID, Int64GetDatum(node.total));
	appendStringInfoString(c.sql, ")) OPERATOR(pg_catalog.=) ");
	append_value(c, INT8OID, Int64GetDatum(node.least));
	appendStringInfoChar(c.sql, ')');
}

/* --- clauses --- */

static void append_node(FilterCompiler &c, const FilterNode &node);

static void
append_joined(FilterCompiler &c, const FilterNode &node, const char *word)
{
	if (node.child_count == 0)
	{
		appendStringInfoString(c.sql, node.kind == FilterKind::any ? "false" : "true");
		return;
	}
	appendStringInfoChar(c.sql, '(');
	for (int i = 0; i < node.child_count; i++)
	{
		appendStringInfoString(c.sql, i > 0 ? word : "");
		append_node(c, *node.children[i]);
	}
	appendStringInfoChar(c.sql, ')');
}

static void
append_at_least(FilterCompiler &c, const FilterNode &node)
{
	if (node.least > node.child_count)
		appendStringInfoString(c.sql, "false");
	else if (node.least == 1)
		append_joined(c, node, " OR ");
	else if (node.least == node.child_count)
		append_joined(c, node, " AND ");
	else
	{
		/* An array, since a sum of thousands would be as deep as it is long. */
		appendStringInfoString(c.sql, "(pg_catalog.cardinality(pg_catalog.array_positions(ARRAY[");
		for (int i = 0; i < node.child_count; i++)
		{
			appendStringInfoString(c.sql, i > 0 ? ", " : "");
			append_node(c, *node.children[i]);
		}
		appendStringInfo(c.sql, "], true)) OPERATOR(pg_catalog.>=) " INT64_FORMAT ")", node.least);
	}
}

static void
append_node(FilterCompiler &c, const FilterNode &node)
{
	check_stack_depth();
	switch (node.kind)
	{
		case FilterKind::all: append_joined(c, node, " AND "); return;
		case FilterKind::any: append_joined(c, node, " OR "); return;
		case FilterKind::at_least: append_at_least(c, node); return;
		case FilterKind::negation:
			appendStringInfoChar(c.sql, '(');
			append_node(c, *node.children[0]);
			appendStringInfoString(c.sql, " IS NOT TRUE)");
			return;
		case FilterKind::has_id: append_has_id(c, node); return;
		case FilterKind::has_vector: append_has_vector(c, node); return;
		case FilterKind::slice: append_slice(c, node); return;
		default: break;
	}
	FieldColumn field = find_field(c, node.key);
	if (field.is_payload || field.type == JSONBOID || field.type == JSONOID || !append_column_condition(c, field, node))
		append_document_condition(c, field, node);
}

/* In a context of its own: of the compiler's garbage only values may stay. */
static bool
append_compiled(StringInfo sql, const Target &target, Jsonb *filter, Values *values)
{
	if (filter == nullptr)
		return false;
	FilterNode *root = read_filter(filter);
	if (root->child_count == 0)
		return false;
	FilterCompiler c{};
	c.sql = sql;
	c.target = &target;
	c.values = values;
	append_node(c, *root);
	return true;
}

bool
append_filter(StringInfo sql, const Target &target, Jsonb *filter, Values &values)
{
	return append_compiled(sql, target, filter, &values);
}

/* --- fields as expressions --- */

bool
append_field(StringInfo sql, const Target &target, const char *path, Values &values, Oid *type)
{
	FilterCompiler c{};
	c.sql = sql;
	c.target = &target;
	c.values = &values;
	FieldKey key = read_field_key(path);
	FieldColumn field = find_field(c, key);
	if (field.step_count == 0)
	{
		appendStringInfoString(sql, field.expression);
		*type = get_atttype(target.relid, field.attno);
		return false;
	}
	*type = JSONBOID;
	append_document_field(c, field);
	return true;
}

}  // namespace vecdb::api

using namespace vecdb;

VECDB_FUNCTION(vecdb_filter_sql)
{
	api::Target target = api::open_target(PG_GETARG_OID(0), nullptr, InvalidOid, api::read_params(nullptr));
	StringInfoData sql;
	initStringInfo(&sql);
	if (!api::append_compiled(&sql, target, PG_GETARG_JSONB_P(1), nullptr))
		appendStringInfoString(&sql, "true");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(sql.data, sql.len));
}
