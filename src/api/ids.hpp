/* SPDX-License-Identifier: PostgreSQL
 * Ids of the caller's type out of a statement's plain columns.
 *
 * Regime: shell.
 */
#pragma once

#include "api/target.hpp"

namespace vecdb::api
{

/* How to make an id of the columns of a row: a value, a composite value, a whole row. */
struct IdMaker
{
	int count;        // columns
	TupleDesc row;    // of a composite id; else null
	int *attributes;  // of row, by column
	Oid *from, *to;   // types of column and attribute
};

/* Appends the columns, each with ", " behind it. */
IdMaker append_id_columns(StringInfo sql, const Target &target);

/* first: the number of the first of the columns. 22003 where an integer is too great for the caller's type. */
Datum make_id(const IdMaker &maker, HeapTuple tuple, TupleDesc columns, int first, bool *is_null);

}  // namespace vecdb::api
