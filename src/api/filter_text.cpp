/* SPDX-License-Identifier: PostgreSQL
 * text, text_any, phrase and prefix on columns of type text and tsvector.
 *
 * Regime: shell.
 * Without a configuration a text column is searched for substrings, as Qdrant does without a full-text index. With one, and in a tsvector
 * column, words are matched. The configuration is the condition's, else the one in the column's generation expression, else
 * default_text_search_config.
 */
#include "api/filter_compile.hpp"

extern "C" {
#include "catalog/pg_ts_config.h"
#include "rewrite/rewriteHandler.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_type.h"
#include "tsearch/ts_utils.h"
#include "utils/varlena.h"
}

#include "pg/compat.hpp"

namespace vecdb::api
{

/* --- substrings --- */

static void
append_like(FilterCompiler &c, const char *expression, std::string_view text)
{
	StringInfoData pattern;
	initStringInfo(&pattern);
	appendStringInfoChar(&pattern, '%');
	for (char ch : text)
	{
		if (ch == '%' || ch == '_' || ch == '\\')
			appendStringInfoChar(&pattern, '\\');
		appendStringInfoChar(&pattern, ch);
	}
	appendStringInfoChar(&pattern, '%');
	appendStringInfo(c.sql, "%s OPERATOR(pg_catalog.~~) ", expression);
	append_text_value(c, std::string_view(pattern.data, static_cast<size_t>(pattern.len)));
}

static void
append_like_any(FilterCompiler &c, const char *expression, std::string_view words)
{
	constexpr const char *kBlank = " \t\n\v\f\r";
	const char *between = "";
	for (size_t begin = words.find_first_not_of(kBlank); begin != std::string_view::npos;)
	{
		size_t end = words.find_first_of(kBlank, begin);
		appendStringInfoString(c.sql, between);
		append_like(c, expression, words.substr(begin, end - begin));
		between = " OR ";
		begin = words.find_first_not_of(kBlank, end);
	}
	if (*between == '\0')
		appendStringInfoString(c.sql, "false");
}

/* --- words --- */

/* The configuration in to_tsvector('english', ...) of a generated column. */
static bool
find_configuration(Node *node, void *found)
{
	if (node == nullptr)
		return false;
	if (IsA(node, Const) && castNode(Const, node)->consttype == REGCONFIGOID && !castNode(Const, node)->constisnull)
	{
		*static_cast<Oid *>(found) = DatumGetObjectId(castNode(Const, node)->constvalue);
		return true;
	}
	return pg::walk_expression(node, find_configuration, found);
}

static Oid
named_configuration(std::string_view name)
{
	Oid config = get_ts_config_oid(
		textToQualifiedNameList(cstring_to_text_with_len(name.data(), static_cast<int>(name.size()))), true);
	if (!OidIsValid(config))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("text search configuration \"%.64s\" does not exist",
																  pnstrdup(name.data(), name.size()))));
	return config;
}

static Oid
column_configuration(FilterCompiler &c, const FieldColumn &field)
{
	Oid config = InvalidOid;
	Relation relation = relation_open(c.target->relid, NoLock);
	TupleDesc desc = RelationGetDescr(relation);
	if (TupleDescAttr(desc, field.attno - 1)->attgenerated != '\0')
		find_configuration(build_column_default(relation, field.attno), &config);
	relation_close(relation, NoLock);
	return OidIsValid(config) ? config : getTSCurrentConfig(true);
}

/* The words as a query; null where there is none among them. */
static TSQuery
query_of(Oid config, const FilterNode &node)
{
	Datum words = PointerGetDatum(cstring_to_text_with_len(node.words.data(), static_cast<int>(node.words.size())));
	PGFunction make = node.kind == FilterKind::phrase ? phraseto_tsquery_byid : plainto_tsquery_byid;
	TSQuery query = DatumGetTSQuery(DirectFunctionCall2(make, ObjectIdGetDatum(config), words));
	if (query->size == 0)
		return nullptr;
	for (int i = 0; node.kind == FilterKind::contains_any && i < query->size; i++)
	{
		QueryItem &item = GETQUERY(query)[i];
		if (item.type == QI_OPR && item.qoperator.oper == OP_AND)
			item.qoperator.oper = OP_OR;
	}
	return query;
}

static void
append_words(FilterCompiler &c, const char *tsvector, Oid config, const FilterNode &node)
{
	TSQuery query = query_of(config, node);
	if (query == nullptr)
	{
		appendStringInfoString(c.sql, "false");
		return;
	}
	appendStringInfo(c.sql, "%s OPERATOR(pg_catalog.@@) ", tsvector);
	append_value(c, TSQUERYOID, PointerGetDatum(query));
}

void
append_text_condition(FilterCompiler &c, const char *expression, const FilterNode &node)
{
	if (!node.config.empty())
	{
		Oid config = named_configuration(node.config);
		/* Spelled as a constant: the form of an index on to_tsvector('english', body). */
		append_words(c,
					 psprintf("pg_catalog.to_tsvector(%s::pg_catalog.regconfig, %s)",
							  quote_literal_cstr(psprintf("%u", config)), expression),
					 config, node);
		return;
	}
	switch (node.kind)
	{
		case FilterKind::contains_any: append_like_any(c, expression, node.words); return;
		case FilterKind::prefix:
			appendStringInfo(c.sql, "%s OPERATOR(pg_catalog.^@) ", expression);
			append_text_value(c, node.words);
			return;
		case FilterKind::phrase:
			if (node.words.empty())
			{
				appendStringInfoString(c.sql, "false");
				return;
			}
			break;
		default: break;
	}
	append_like(c, expression, node.words);
}

void
append_tsvector_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	switch (node.kind)
	{
		case FilterKind::contains:
		case FilterKind::contains_any:
		case FilterKind::phrase: break;
		default:
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("column \"%s\" of type tsvector takes only text, text_any and phrase in a filter",
								   field.name)));
	}
	Oid config = node.config.empty() ? column_configuration(c, field) : named_configuration(node.config);
	append_words(c, field.expression, config, node);
}

}  // namespace vecdb::api
