/* SPDX-License-Identifier: PostgreSQL
 * Ranges over fields of a document by an index on an expression such as ((payload->>'price')::numeric).
 *
 * Regime: shell.
 * Keeps:  an index never changes an answer. Its expression may be evaluated for any row: the index, valid and of all rows, proves that
 *         it raises for none. So it also proves that no array is stored there, of which an element could hold what the array as a whole
 *         does not; then the condition on the expression is the condition. Where the expression rounds (floats), it only follows from the
 *         condition, and stands beside it.
 */
#include "api/filter_compile.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
#include "utils/ruleutils.h"
}

namespace vecdb::api
{

/* A partitioned table's indexes leave out its foreign tables. */
static bool
has_foreign_part(Oid relid)
{
	ListCell *cell;
	foreach (cell, find_all_inheritors(relid, NoLock, nullptr))
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE)
			return true;
	return false;
}

/* Expressions of the indexes that hold every row that any snapshot of ours can see. */
static void
seek_indexes(FilterCompiler &c)
{
	c.indexes_sought = true;
	bool partitioned = c.target->relkind == RELKIND_PARTITIONED_TABLE;
	/* Rows of children are not in indexes of the parent. */
	if (!partitioned && (c.target->relkind == RELKIND_VIEW || has_subclass(c.target->relid)))
		return;
	Relation relation = relation_open(c.target->relid, NoLock);
	ListCell *cell;
	foreach (cell, RelationGetIndexList(relation))
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		Form_pg_index form = index->rd_index;
		if (form->indisvalid && form->indisready && !form->indcheckxmin && RelationGetIndexPredicate(index) == NIL)
			c.index_expressions = list_concat(c.index_expressions, RelationGetIndexExpressions(index));
		index_close(index, AccessShareLock);
	}
	relation_close(relation, NoLock);
	if (partitioned && c.index_expressions != NIL && has_foreign_part(c.target->relid))
		c.index_expressions = NIL;
}

static Node *
without_relabel(Node *node)
{
	while (node != nullptr && IsA(node, RelabelType))
		node = reinterpret_cast<Node *>(castNode(RelabelType, node)->arg);
	return node;
}

static bool
is_text(Node *node, std::string_view text)
{
	if (!IsA(node, Const) || castNode(Const, node)->constisnull || castNode(Const, node)->consttype != TEXTOID)
		return false;
	struct varlena *value = PG_DETOAST_DATUM_PACKED(castNode(Const, node)->constvalue);
	return text == std::string_view(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/* Of an operator or a function of two arguments. */
static bool
is_call(Node *node, Oid function, Node *&left, Node *&right)
{
	List *arguments = nullptr;
	if (IsA(node, OpExpr) && castNode(OpExpr, node)->opfuncid == function)
		arguments = castNode(OpExpr, node)->args;
	else if (IsA(node, FuncExpr) && castNode(FuncExpr, node)->funcid == function)
		arguments = castNode(FuncExpr, node)->args;
	if (list_length(arguments) != 2)
		return false;
	left = static_cast<Node *>(linitial(arguments));
	right = static_cast<Node *>(lsecond(arguments));
	return true;
}

/* doc -> 'a' -> 'b' for the field a.b; the last by `last`, -> or ->>. */
static bool
is_way(Node *node, const FieldColumn &field, Oid last)
{
	Oid function = last;
	for (int i = field.step_count; i-- > 0; function = F_JSONB_OBJECT_FIELD)
	{
		Node *left, *right;
		if (field.steps[i].kind != PathStep::Kind::name || !is_call(node, function, left, right) ||
			!is_text(without_relabel(right), field.steps[i].name))
			return false;
		node = without_relabel(left);
	}
	return IsA(node, Var) && castNode(Var, node)->varattno == field.attno;
}

/* The type as which the expression holds the field's number; InvalidOid where it is another expression. */
static Oid
number_type(Node *node, const FieldColumn &field, BoundUse &use)
{
	use = BoundUse::exact;
	if (IsA(node, CoerceViaIO))
	{
		auto *cast = castNode(CoerceViaIO, node);
		Oid type = cast->resulttype;
		if (type == FLOAT8OID || type == FLOAT4OID)
			use = BoundUse::implied;
		else if (type != NUMERICOID && type != INT8OID && type != INT4OID && type != INT2OID)
			return InvalidOid;
		return is_way(without_relabel(reinterpret_cast<Node *>(cast->arg)), field, F_JSONB_OBJECT_FIELD_TEXT)
				   ? type
				   : InvalidOid;
	}
	if (!IsA(node, FuncExpr) || list_length(castNode(FuncExpr, node)->args) != 1)
		return InvalidOid;
	auto *call = castNode(FuncExpr, node);
	if (call->funcid != F_NUMERIC_JSONB && call->funcid != F_FLOAT8_JSONB)
		return InvalidOid;
	if (call->funcid == F_FLOAT8_JSONB)
		use = BoundUse::implied;
	return is_way(static_cast<Node *>(linitial(call->args)), field, F_JSONB_OBJECT_FIELD) ? call->funcresulttype
																						  : InvalidOid;
}

static bool
is_datetime_of(Node *node, const FieldColumn &field)
{
	if (!IsA(node, FuncExpr) || list_length(castNode(FuncExpr, node)->args) != 1)
		return false;
	auto *call = castNode(FuncExpr, node);
	Oid schema = get_func_namespace(call->funcid);
	const char *name = get_func_name(call->funcid);
	const char *schema_name = OidIsValid(schema) ? get_namespace_name(schema) : nullptr;
	return name != nullptr && strcmp(name, "datetime") == 0 && schema_name != nullptr &&
		   strcmp(schema_name, "vecdb") == 0 &&
		   is_way(static_cast<Node *>(linitial(call->args)), field, F_JSONB_OBJECT_FIELD);
}

static char *
spelled(FilterCompiler &c, Node *expression)
{
	List *context = deparse_context_for("t", c.target->relid);
	return psprintf("(%s)", deparse_expression(expression, context, true, false));
}

/* "expression = ANY (numbers)"; false where none of them can be of the type. All values are numbers. */
static void
append_numbers(FilterCompiler &c, const char *expression, Oid type, const FilterNode &node)
{
	auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * (node.value_count + 1)));
	int count = 0;
	for (int i = 0; i < node.value_count; i++)
		count += scalar_value(type, node.values[i], values[count]);
	if (count == 0)
	{
		appendStringInfoString(c.sql, " AND false");
		return;
	}
	appendStringInfo(c.sql, " AND %s OPERATOR(pg_catalog.=) ANY (", expression);
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(type, &length, &by_value, &align);
	append_value(c, get_array_type(type),
				 PointerGetDatum(construct_array(values, count, type, length, by_value, align)));
	appendStringInfoChar(c.sql, ')');
}

/* Appends " AND ..." on the expression, which follows from the condition. */
static void
append_number_condition(FilterCompiler &c, Node *expression, Oid type, const FilterNode &node, BoundUse use)
{
	if (node.kind == FilterKind::one_of)
		append_numbers(c, spelled(c, expression), type, node);
	else if (!append_number_bounds(c, spelled(c, expression), type, node, use))
		appendStringInfoString(c.sql, " AND false");
}

static bool
is_of_numbers(const FilterNode &node)
{
	if (node.kind == FilterKind::number_range)
	{
		for (Numeric bound : node.numbers)
			if (bound != nullptr)
				return true;
		return false;
	}
	if (node.kind != FilterKind::one_of)
		return false;
	for (int i = 0; i < node.value_count; i++)
		if (node.values[i].type != jbvNumeric)
			return false;
	return node.value_count > 0;
}

static List *
index_expressions(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	bool time = false;
	for (bool bound : node.has_time)
		time |= bound;
	if (field.type != JSONBOID || field.step_count == 0 || (!time && !is_of_numbers(node)))
		return NIL;
	if (!c.indexes_sought)
		seek_indexes(c);
	return c.index_expressions;
}

bool
append_proven_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	ListCell *cell;
	foreach (cell, index_expressions(c, field, node))
	{
		auto *expression = static_cast<Node *>(lfirst(cell));
		if (node.kind == FilterKind::time_range)
		{
			if (!is_datetime_of(expression, field))
				continue;
			appendStringInfoString(c.sql, "true");
			append_time_bounds(c, spelled(c, expression), node);
			return true;
		}
		BoundUse use;
		Oid type = number_type(expression, field, use);
		if (!OidIsValid(type) || use != BoundUse::exact)
			continue;
		/* What the index leaves open: a string that reads like a number. */
		appendStringInfoString(c.sql, "pg_catalog.jsonb_typeof(");
		append_document_field(c, field);
		appendStringInfoString(c.sql, ") OPERATOR(pg_catalog.<>) 'string'");
		append_number_condition(c, expression, type, node, use);
		return true;
	}
	return false;
}

void
append_implied_conditions(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	ListCell *cell;
	foreach (cell, index_expressions(c, field, node))
	{
		BoundUse use;
		auto *expression = static_cast<Node *>(lfirst(cell));
		Oid type = number_type(expression, field, use);
		if (OidIsValid(type))
			append_number_condition(c, expression, type, node, use);
	}
}

}  // namespace vecdb::api
