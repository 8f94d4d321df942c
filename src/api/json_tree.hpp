/* SPDX-License-Identifier: PostgreSQL
 * An argument of type jsonb as a tree that knows where each value stands, for errors that say so.
 *
 * Regime: shell.
 * Memory: the tree lives in the current memory context and points into the jsonb that it was read from.
 */
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace vecdb::api
{

enum class JsonKind : uint8
{
	null,
	boolean,
	number,
	string,
	array,
	object,
};

struct JsonNode
{
	JsonKind kind;
	const JsonNode *parent;  // null: the root, whose key is the argument's name
	const char *key;         // of a field; null: an element
	int place;               // of an element
	JsonbValue value;
	const char *text;  // of a string
	int count;         // of an array or object
	JsonNode *children;
};

JsonNode *read_json(Jsonb *json, const char *argument);

/* "legs[0].query" */
const char *json_path(const JsonNode *node);

/* 22023 (or as given), with the path in DETAIL. */
[[noreturn]] void report_json(const JsonNode *node, const char *message,
							  int sqlstate = ERRCODE_INVALID_PARAMETER_VALUE);

/* The field; null where there is none or it is JSON's null. */
const JsonNode *json_field(const JsonNode *object, const char *key);

/* The field, be it null. */
const JsonNode *json_field_or_null(const JsonNode *object, const char *key);

/* 22023 for a field that is not in keys, which ends with a null pointer. Given 0A000, that, but not for a field that is null. */
void check_json_keys(const JsonNode *object, const char *const *keys, int sqlstate = ERRCODE_INVALID_PARAMETER_VALUE);

/* What the node has to be: 22023 where it is not. */
void check_json_kind(const JsonNode *node, JsonKind kind);
double json_double(const JsonNode *node);  // finite
int64 json_integer(const JsonNode *node, int64 least, int64 most);
bool json_boolean(const JsonNode *node);
const char *json_string(const JsonNode *node);

/* A value of its own. */
Jsonb *json_value(const JsonNode *node);

/* A scalar as SQL would print it: 1.5, true, text as it is. */
const char *json_scalar_text(const JsonNode *node);

/* An array of numbers as "[1,2]". */
const char *json_numbers_text(const JsonNode *node);

}  // namespace vecdb::api
