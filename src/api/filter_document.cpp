/* SPDX-License-Identifier: PostgreSQL
 * Conditions on fields of a document, as jsonpath.
 *
 * Regime: shell.
 * The paths are strict: a plain key does not look into arrays on its way, and a value or the elements of an array that is the value are
 * spelled out. What is missing on the way is unknown, which is not true; a negation is written as !exists(@ ? (...)), which is never
 * unknown. Equality so written is served by GIN indexes of both classes.
 * Safety: strings enter as JSON strings, escaped; the path as a whole is a value of the statement.
 */
#include "api/filter_compile.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
#include "utils/json.h"
}

namespace vecdb::api
{

/* More values than these: a search of the sorted set by matches() is faster than alternatives one by one. */
constexpr int kMostAlternatives = 500;
constexpr size_t kLongestPattern = 1000;  // a regular expression, if only of plain characters

/* --- what jsonpath cannot say --- */

static bool
is_expressible(const FilterNode &node)
{
	check_stack_depth();
	switch (node.kind)
	{
		case FilterKind::time_range:
		case FilterKind::geo_radius:
		case FilterKind::geo_box:
		case FilterKind::geo_polygon: return false;
		case FilterKind::at_least:
			if (node.least > 1 && node.least < node.child_count)
				return false;
			break;
		case FilterKind::one_of:
		case FilterKind::not_one_of: return node.value_count <= kMostAlternatives;
		case FilterKind::contains:
		case FilterKind::contains_any:
		case FilterKind::phrase: return node.words.size() <= kLongestPattern && node.config.empty();
		default: break;
	}
	for (int i = 0; i < node.child_count; i++)
		if (!is_expressible(*node.children[i]))
			return false;
	return true;
}

/* --- one value, as @ --- */

static void
append_string(StringInfo out, std::string_view text)
{
	escape_json(out, pnstrdup(text.data(), text.size()));
}

static char *
number_text(Numeric number)
{
	return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
}

static void
append_scalar(StringInfo out, const JsonbValue &value)
{
	if (value.type == jbvString)
		append_string(out, string_of(value));
	else if (value.type == jbvBool)
		appendStringInfoString(out, value.val.boolean ? "true" : "false");
	else
		appendStringInfoString(out, number_text(value.val.numeric));
}

/* In halves, as append_joined. */
static void
append_alternatives(StringInfo out, const JsonbValue *values, int count)
{
	if (count == 1)
	{
		appendStringInfoString(out, "@ == ");
		append_scalar(out, values[0]);
		return;
	}
	appendStringInfoChar(out, '(');
	append_alternatives(out, values, count / 2);
	appendStringInfoString(out, " || ");
	append_alternatives(out, values + count / 2, count - count / 2);
	appendStringInfoChar(out, ')');
}

static void
append_pattern(StringInfo out, std::string_view text)
{
	if (text.empty())
	{
		appendStringInfoString(out, "@.type() == \"string\"");
		return;
	}
	appendStringInfoString(out, "@ like_regex ");
	append_string(out, text);
	appendStringInfoString(out, " flag \"q\"");
}

static void
append_never(StringInfo out)
{
	appendStringInfoString(out, "!exists(@)");
}

static void
append_patterns(StringInfo out, std::string_view words)
{
	constexpr const char *kBlank = " \t\n\v\f\r";
	const char *between = "";
	for (size_t begin = words.find_first_not_of(kBlank); begin != std::string_view::npos;)
	{
		size_t end = words.find_first_of(kBlank, begin);
		appendStringInfoString(out, between);
		append_pattern(out, words.substr(begin, end - begin));
		between = " || ";
		begin = words.find_first_not_of(kBlank, end);
	}
	if (*between == '\0')
		append_never(out);
}

/* The predicate on a value that is no array, or on an element. */
static void
append_element_predicate(StringInfo out, const FilterNode &node)
{
	static const char *const kOperators[kBounds] = {">", ">=", "<", "<="};
	const char *between = "";
	switch (node.kind)
	{
		case FilterKind::one_of:
			if (node.value_count == 0)
				append_never(out);
			else
				append_alternatives(out, node.values, node.value_count);
			return;
		case FilterKind::not_one_of:
			appendStringInfoString(out, "@ != null");
			if (node.value_count > 0)
			{
				appendStringInfoString(out, " && !exists(@ ? (");
				append_alternatives(out, node.values, node.value_count);
				appendStringInfoString(out, "))");
			}
			return;
		case FilterKind::contains: append_pattern(out, node.words); return;
		case FilterKind::contains_any: append_patterns(out, node.words); return;
		case FilterKind::phrase:
			if (node.words.empty())
				append_never(out);
			else
				append_pattern(out, node.words);
			return;
		case FilterKind::prefix:
			appendStringInfoString(out, "@ starts with ");
			append_string(out, node.words);
			return;
		case FilterKind::number_range:
			/* A comparison with a number is unknown for all that is none. */
			for (int i = 0; i < kBounds; i++)
			{
				if (node.numbers[i] == nullptr)
					continue;
				appendStringInfo(out, "%s@ %s %s", between, kOperators[i], number_text(node.numbers[i]));
				between = " && ";
			}
			if (*between == '\0')
				appendStringInfoString(out, "@.type() == \"number\"");
			return;
		default: break;
	}
	elog(ERROR, "unexpected condition of a filter: %d", static_cast<int>(node.kind));
}

/* The predicate on a value, whose elements count where it is an array. */
static void
append_value_predicate(StringInfo out, const FilterNode &node)
{
	switch (node.kind)
	{
		case FilterKind::is_null: appendStringInfoString(out, "@ == null"); return;
		case FilterKind::is_empty:  // of the contrary
			appendStringInfoString(out, "@ != null && (@.type() != \"array\" || @.size() > 0)");
			return;
		case FilterKind::values_count:
		{
			const char *zero = node.low <= 0 && node.high >= 0 ? "@ == null" : "!exists(@)";
			const char *one = node.low <= 1 && node.high >= 1 ? "(@ != null && @.type() != \"array\")" : "!exists(@)";
			appendStringInfo(out,
							 "%s || %s || (@.type() == \"array\" && @.size() >= " INT64_FORMAT
							 " && @.size() <= " INT64_FORMAT ")",
							 zero, one, node.low, node.high);
			return;
		}
		default: break;
	}
	appendStringInfoString(out, node.kind == FilterKind::not_one_of ? "(@.type() != \"array\" && " : "(");
	append_element_predicate(out, node);
	appendStringInfoString(out, ") || exists(@[*] ? (");
	append_element_predicate(out, node);
	appendStringInfoString(out, "))");
}

/* --- ways to a value --- */

static void
append_step(StringInfo out, const PathStep &step)
{
	switch (step.kind)
	{
		case PathStep::Kind::name:
			appendStringInfoChar(out, '.');
			append_string(out, step.name);
			break;
		case PathStep::Kind::element: appendStringInfo(out, "[%d]", step.index); break;
		case PathStep::Kind::all: appendStringInfoString(out, "[*]"); break;
	}
}

/* Steps up to a [*] are one path: what is missing after it must not end the walk over the other elements. */
static int
append_open_path(StringInfo out, const PathStep *steps, int count)
{
	int open = 0;
	for (int i = 0; i < count; open++)
	{
		appendStringInfoString(out, "exists(@");
		do
			append_step(out, steps[i]);
		while (steps[i++].kind != PathStep::Kind::all && i < count);
		appendStringInfoString(out, " ? (");
	}
	return open;
}

static void
append_close_path(StringInfo out, int open)
{
	while (open-- > 0)
		appendStringInfoString(out, "))");
}

static void append_predicate(StringInfo out, const FilterNode &node, const PathStep *steps, int count);

/* In halves: the path's depth is bounded, as the parser's stack wants it. */
static void
append_joined(StringInfo out, FilterNode *const *children, int count, const char *between)
{
	appendStringInfoChar(out, '(');
	if (count == 1)
		append_predicate(out, *children[0], children[0]->key.steps, children[0]->key.count);
	else
	{
		append_joined(out, children, count / 2, between);
		appendStringInfoString(out, between);
		append_joined(out, children + count / 2, count - count / 2, between);
	}
	appendStringInfoChar(out, ')');
}

static void
append_children(StringInfo out, const FilterNode &node, const char *between)
{
	if (node.child_count == 0)
		appendStringInfoString(out, "exists(@)");
	else
		append_joined(out, node.children, node.child_count, between);
}

/* A predicate on @, from where steps lead to the field. */
static void
append_predicate(StringInfo out, const FilterNode &node, const PathStep *steps, int count)
{
	check_stack_depth();
	switch (node.kind)
	{
		case FilterKind::all: append_children(out, node, " && "); return;
		case FilterKind::any: append_children(out, node, " || "); return;
		case FilterKind::at_least:
			if (node.least > node.child_count)
				append_never(out);
			else
				append_children(out, node, node.least == 1 ? " || " : " && ");
			return;
		case FilterKind::negation:
			appendStringInfoString(out, "!exists(@ ? ");
			append_children(out, node, "");
			appendStringInfoChar(out, ')');
			return;
		case FilterKind::has_id:
		case FilterKind::has_vector:
		case FilterKind::slice: append_never(out); return;
		default: break;
	}
	if (node.kind == FilterKind::values_count && node.low <= 0 && node.high >= 0)
	{
		appendStringInfoString(out, "!exists(@ ? (");
		int open = append_open_path(out, steps, count);
		appendStringInfoString(out, "exists(@)");
		append_close_path(out, open);
		appendStringInfoString(out, ")) || ");
	}
	if (node.kind == FilterKind::is_empty)
		appendStringInfoString(out, "!exists(@ ? (");
	int open = append_open_path(out, steps, count);
	if (node.kind == FilterKind::nested)
	{
		bool all = count > 0 && steps[count - 1].kind == PathStep::Kind::all;
		appendStringInfoString(out, all ? "@.type() == \"object\" && (" : "exists(@[*] ? (@.type() == \"object\" && (");
		append_predicate(out, *node.children[0], nullptr, 0);
		appendStringInfoString(out, all ? ")" : ")))");
	}
	else
		append_value_predicate(out, node);
	append_close_path(out, open);
	if (node.kind == FilterKind::is_empty)
		appendStringInfoString(out, "))");
}

/* The common case reads better, and runs a little faster, when the way is walked first. */
static bool
is_plain_way(const FieldColumn &field, const FilterNode &node)
{
	for (int i = 0; i < field.step_count; i++)
		if (field.steps[i].kind == PathStep::Kind::all)
			return false;
	return node.kind != FilterKind::is_empty && node.kind != FilterKind::values_count &&
		   node.kind != FilterKind::nested;
}

static char *
jsonpath_of(const FieldColumn &field, const FilterNode &node)
{
	StringInfoData out;
	initStringInfo(&out);
	appendStringInfoString(&out, "strict $");
	bool plain = is_plain_way(field, node);
	for (int i = 0; plain && i < field.step_count; i++)
		append_step(&out, field.steps[i]);
	appendStringInfoString(&out, " ? (");
	append_predicate(&out, node, field.steps, plain ? 0 : field.step_count);
	appendStringInfoChar(&out, ')');
	return out.data;
}

/* --- the condition --- */

static void
append_document(FilterCompiler &c, const FieldColumn &field)
{
	if (field.type == JSONBOID)
		appendStringInfoString(c.sql, field.expression);
	else if (field.type == JSONOID)
		appendStringInfo(c.sql, "(%s)::pg_catalog.jsonb", field.expression);
	else
		appendStringInfo(c.sql, "pg_catalog.to_jsonb(%s)", field.expression);
}

/* vecdb.matches over a document in which the key means what it means here. */
static void
append_matches(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	appendStringInfoString(c.sql, "vecdb.matches(");
	if (field.is_payload)
		append_document(c, field);
	else
	{
		appendStringInfoString(c.sql, "pg_catalog.jsonb_build_object(");
		append_text_value(c, field.name);
		appendStringInfo(c.sql, ", %s)", field.expression);
	}
	appendStringInfoString(c.sql, ", ");
	JsonbParseState *state = nullptr;
	JsonbValue key, source = node.source;
	key.type = jbvString;
	key.val.string.val = const_cast<char *>("must");
	key.val.string.len = 4;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, &source);
	append_value(c, JSONBOID, PointerGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr))));
	appendStringInfoChar(c.sql, ')');
}

void
append_document_field(FilterCompiler &c, const FieldColumn &field)
{
	bool many = false;
	for (int i = 0; i < field.step_count; i++)
		many |= field.steps[i].kind == PathStep::Kind::all;
	if (many)
	{
		StringInfoData path;
		initStringInfo(&path);
		appendStringInfoString(&path, "lax $");
		for (int i = 0; i < field.step_count; i++)
			append_step(&path, field.steps[i]);
		appendStringInfoString(c.sql, "(SELECT f.found FROM pg_catalog.jsonb_path_query_array(");
		append_document(c, field);
		appendStringInfoString(c.sql, ", ");
		append_value(c, JSONPATHOID, DirectFunctionCall1(jsonpath_in, CStringGetDatum(path.data)));
		appendStringInfoString(c.sql,
							   ") AS f(found) WHERE pg_catalog.jsonb_array_length(f.found) OPERATOR(pg_catalog.>) 0)");
		return;
	}
	appendStringInfoChar(c.sql, '(');
	append_document(c, field);
	for (int i = 0; i < field.step_count; i++)
	{
		appendStringInfoString(c.sql, " OPERATOR(pg_catalog.->) ");
		if (field.steps[i].kind == PathStep::Kind::name)
			append_text_value(c, field.steps[i].name);
		else
			append_value(c, INT4OID, Int32GetDatum(field.steps[i].index));
	}
	appendStringInfoChar(c.sql, ')');
}

void
append_document_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	if (!node.config.empty())
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a text search configuration does not apply to fields of a document"),
						errhint("Match a column of type text or tsvector.")));
	appendStringInfoChar(c.sql, '(');
	if (append_proven_condition(c, field, node))
	{
		appendStringInfoChar(c.sql, ')');
		return;
	}
	if (!is_expressible(node))
		append_matches(c, field, node);
	else
	{
		bool missing_holds = node.kind == FilterKind::is_empty ||
							 (node.kind == FilterKind::values_count && node.low <= 0 && node.high >= 0);
		if (node.kind == FilterKind::is_null && field.step_count == 0)
			appendStringInfo(c.sql, "%s IS NULL OR ", field.expression);
		if (missing_holds)
			appendStringInfoString(c.sql, "COALESCE(");
		append_document(c, field);
		if (missing_holds)
			appendStringInfoString(c.sql, ", 'null'::pg_catalog.jsonb)");
		appendStringInfoString(c.sql, " OPERATOR(pg_catalog.@?) ");
		append_value(c, JSONPATHOID, DirectFunctionCall1(jsonpath_in, CStringGetDatum(jsonpath_of(field, node))));
	}
	append_implied_conditions(c, field, node);
	appendStringInfoChar(c.sql, ')');
}

}  // namespace vecdb::api
