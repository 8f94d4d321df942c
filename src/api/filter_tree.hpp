/* SPDX-License-Identifier: PostgreSQL
 * A filter as a tree, between its JSON and what is made of it: a condition in SQL, or a judgement of a document.
 *
 * Regime: shell.
 * Memory: a tree points into the jsonb that it was read from.
 */
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "utils/jsonb.h"
}

#include <string_view>

#include "vecdb/query/field_path.hpp"
#include "vecdb/query/geo.hpp"

namespace vecdb::api
{

using core::query::GeoPoint;
using core::query::PathStep;

constexpr int kMaxFilterDepth = 64;          // filters in filters
constexpr int kMaxFilterConditions = 10000;  // in all
constexpr int kMaxFilterSet = 100000;        // values of one any, except or has_id
constexpr int kMaxPathSteps = 64;
constexpr int kMaxKeyBytes = 10000;
constexpr int kMaxPolygonPoints = 10000;

enum class FilterKind : uint8
{
	/* --- of children --- */
	all,
	any,
	at_least,  // `least` of them
	negation,  // of the only one
	/* --- of a field --- */
	one_of,      // values: any
	not_one_of,  // values: except
	contains,    // words: text
	contains_any,
	phrase,
	prefix,
	number_range,
	time_range,
	values_count,
	geo_radius,
	geo_box,
	geo_polygon,
	is_empty,
	is_null,
	nested,  // the only child holds for an element of the field
	/* --- of the row --- */
	has_id,
	has_vector,
	slice,
};

enum Bound
{
	kGt,
	kGte,
	kLt,
	kLte,
	kBounds,
};

struct FieldKey
{
	std::string_view text;
	PathStep *steps;
	int count;
};

struct GeoRing
{
	GeoPoint *points;
	int count;
};

struct FilterNode
{
	FilterKind kind;
	int child_count;
	FilterNode **children;
	FieldKey key;
	JsonbValue source;   // the condition's object
	JsonbValue *values;  // sorted by compare_scalars; as given for has_id
	int value_count;
	std::string_view words;    // of the text kinds; the name of has_vector
	std::string_view config;   // text search configuration: empty where not named
	Numeric numbers[kBounds];  // null: no such bound
	int64 times[kBounds];      // microseconds since 2000 UTC
	bool has_time[kBounds];
	int64 low, high;         // values_count: both inclusive
	int64 least;             // at_least; slice: index
	int64 total;             // slice
	GeoPoint place, corner;  // center; top left and bottom right
	double metres;
	GeoRing *rings;  // the first is the exterior
	int ring_count;
};

/* Raises 22023 and 54000 with the path of the bad node in DETAIL. A tree without children: the filter asks nothing. */
FilterNode *read_filter(Jsonb *filter);

/* A key alone, under the same rules. */
FieldKey read_field_key(const char *path);

/* By type, then value; numbers by value, strings by bytes. Only of scalars. */
int compare_scalars(const JsonbValue &a, const JsonbValue &b);

/* Is the scalar among the node's values? */
bool is_listed(const FilterNode &node, const JsonbValue &value);

/* {lon, lat} of an object; false where it is none. */
bool read_place(JsonbContainer *object, GeoPoint &place);

double double_of(Numeric number);  // infinite beyond the range

/* The integer that the number is, or next below or above; clamped to int8, `beyond` says so: -1 below, 1 above. */
int64 floor_of(Numeric number, int &beyond);
int64 ceil_of(Numeric number, int &beyond);
bool is_integer(Numeric number);

inline std::string_view
string_of(const JsonbValue &value)
{
	return std::string_view(value.val.string.val, static_cast<size_t>(value.val.string.len));
}

}  // namespace vecdb::api
