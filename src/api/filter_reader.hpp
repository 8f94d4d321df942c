/* SPDX-License-Identifier: PostgreSQL
 * What the readers of a filter's JSON share: values of the right kind, keys, and what is wrong where.
 *
 * Regime: shell.
 */
#pragma once

#include "api/filter_tree.hpp"

namespace vecdb::api
{

/* Where a reader is: frames on the stack, the innermost first. */
struct Place
{
	const Place *up;
	std::string_view name;  // empty: an element
	int index;
};

/* "at must[2].range.gt"; names are clipped. */
char *path_of(const Place *at);
char *clipped(std::string_view text);

/* 22023, 22023, 54000. */
[[noreturn]] void refuse(const Place *at, const char *message);
[[noreturn]] void refuse_key(const Place *at, std::string_view key, const char *known);
[[noreturn]] void refuse_size(const Place *at, const char *what, int64 limit);

bool is_object(const JsonbValue &value);
bool is_array(const JsonbValue &value);

/* Of an object or an array, without what is within its values. */
JsonbIterator *open_container(const JsonbValue &value);
bool next_pair(JsonbIterator *&it, JsonbValue &key, JsonbValue &value);
bool next_element(JsonbIterator *&it, JsonbValue &value);
int element_count(const JsonbValue &array);
bool find_key(const JsonbValue &object, const char *name, JsonbValue &value);

/* 22023 for a value of another kind. */
void need_object(const JsonbValue &value, const Place *at);
std::string_view need_string(const JsonbValue &value, const Place *at);
Numeric need_number(const JsonbValue &value, const Place *at);
int64 need_count(const JsonbValue &value, const Place *at);

FilterNode *new_node(FilterKind kind);
FieldKey read_key(const JsonbValue &value, const Place *at);

/* --- filter_predicates.cpp --- */

/* An array of scalars, of any values for has_id. */
void read_values(FilterNode *node, const JsonbValue &array, const Place *at);

/* {"key": ..., "match": ...} and its like. */
FilterNode *read_field(const JsonbValue &condition, const Place *at);

}  // namespace vecdb::api
