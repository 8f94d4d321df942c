/* SPDX-License-Identifier: PostgreSQL
 * What the parts of the filter compiler share.
 *
 * Regime: shell.
 * Every append_* writes one boolean expression, whole enough to stand in AND, OR and NOT, which is NULL or false where it does not hold.
 */
#pragma once

#include "api/filter.hpp"
#include "api/filter_tree.hpp"

namespace vecdb::api
{

struct FilterCompiler
{
	StringInfo sql;
	const Target *target;
	Values *values;      // null: values are written as literals
	AttrNumber payload;  // 0: not looked for, or none
	bool payload_sought;
	List *index_expressions;  // of valid, complete indexes: once they were asked for
	bool indexes_sought;
};

/* A key of a filter in the relation. */
struct FieldColumn
{
	const char *name;
	const char *expression;  // "t.price"
	Oid type;                // of the column, domains removed
	Oid element;             // of an array's elements, as declared; else InvalidOid
	Oid element_type;        // the same, domains removed
	Oid collation;
	AttrNumber attno;
	bool is_payload;        // the key is a field of the payload column, not the column itself
	const PathStep *steps;  // below the column
	int step_count;
};

FieldColumn find_field(FilterCompiler &c, const FieldKey &key);

/* $n, or the value as a literal. */
void append_value(FilterCompiler &c, Oid type, Datum value);
void append_text_value(FilterCompiler &c, std::string_view text);

/* --- filter_column.cpp: columns with a type of their own --- */

/* False: the type has no form of this condition, and the column is to be read as a document. */
bool append_column_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node);

/* A scalar as a value of a type (domains removed); false where it cannot be one, or the type is none of those that are known. */
bool scalar_value(Oid type, const JsonbValue &scalar, Datum &value);
bool is_known_type(Oid type);

/* "OPERATOR(schema.=)" of the type's default class. */
const char *equality_of(Oid type);

/* What equality with a column of the type is asked by: varchar has none of its own. */
inline Oid
asked_type(Oid type)
{
	return type == VARCHAROID ? TEXTOID : type;
}

/* "expression >= $1 AND ...": for machine integers and floats bounds are what the number comes to. False: never true. */
enum class BoundUse : uint8
{
	exact,
	implied,  // may hold more often: of a rounded expression
};
bool append_number_bounds(FilterCompiler &c, const char *expression, Oid type, const FilterNode &node, BoundUse use);
void append_time_bounds(FilterCompiler &c, const char *expression, const FilterNode &node);

/* --- filter_text.cpp --- */

/* On an expression of type text, or of tsvector. */
void append_text_condition(FilterCompiler &c, const char *expression, const FilterNode &node);
void append_tsvector_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node);

/* --- filter_document.cpp: fields of jsonb --- */

void append_document_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node);

/* The field as an expression of type jsonb; with a [] on its way an array of what is found, NULL where nothing is. */
void append_document_field(FilterCompiler &c, const FieldColumn &field);

/* --- filter_index.cpp --- */

/* The condition as one on an expression that an index has; false: there is none such. */
bool append_proven_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node);

/* Appends " AND ..." of conditions on expressions of indexes, that follow from the condition. */
void append_implied_conditions(FilterCompiler &c, const FieldColumn &field, const FilterNode &node);

}  // namespace vecdb::api
