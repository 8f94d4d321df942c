/* SPDX-License-Identifier: PostgreSQL
 * The grammar of filters: jsonb into a tree (docs/filters.md).
 *
 * Regime: shell.
 * Whatever is not in the grammar is refused by name and place: a key misspelt must not be a condition less.
 */
#include "api/filter_tree.hpp"

#include <algorithm>

extern "C" {
#include "mb/pg_wchar.h"
}

#include "vecdb/query/date_time.hpp"

namespace vecdb::api
{

/* Where the reader is: frames on the stack, the innermost first. */
struct Place
{
	const Place *up;
	std::string_view name;  // empty: an element
	int index;
};

struct FilterReader
{
	int conditions;
	int depth;
};

/* --- what went wrong, and where --- */

static void
append_clipped(StringInfo out, std::string_view text)
{
	constexpr int kLongest = 64;
	int bytes = static_cast<int>(text.size());
	int kept = pg_mbcliplen(text.data(), bytes, kLongest);
	appendBinaryStringInfo(out, text.data(), kept);
	if (kept < bytes)
		appendStringInfoString(out, "...");
}

static void
append_path(StringInfo out, const Place *at)
{
	if (at == nullptr)
		return;
	append_path(out, at->up);
	if (at->name.empty())
		appendStringInfo(out, "[%d]", at->index);
	else
	{
		if (out->len > 0)
			appendStringInfoChar(out, '.');
		append_clipped(out, at->name);
	}
}

static char *
path_of(const Place *at)
{
	StringInfoData out;
	initStringInfo(&out);
	append_path(&out, at);
	return out.len > 0 ? psprintf("at %s", out.data) : pstrdup("at the root of the filter");
}

static char *
clipped(std::string_view text)
{
	StringInfoData out;
	initStringInfo(&out);
	append_clipped(&out, text);
	return out.data;
}

[[noreturn]] static void
refuse(const Place *at, const char *message)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message), errdetail("%s", path_of(at))));
	pg_unreachable();
}

[[noreturn]] static void
refuse_key(const Place *at, std::string_view key, const char *known)
{
	Place here{at, key.empty() ? std::string_view("\"\"") : key, 0};
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown key \"%s\" in a filter", clipped(key)),
					errdetail("%s", path_of(&here)), errhint("Known here: %s.", known)));
	pg_unreachable();
}

[[noreturn]] static void
refuse_size(const Place *at, const char *what, int64 limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a filter cannot have more than " INT64_FORMAT " %s", limit, what), errdetail("%s", path_of(at))));
	pg_unreachable();
}

/* --- reading JSON --- */

static bool
is_object(const JsonbValue &value)
{
	return value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data);
}

static bool
is_array(const JsonbValue &value)
{
	return value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data);
}

static JsonbIterator *
open_container(const JsonbValue &value)
{
	JsonbIterator *it = JsonbIteratorInit(value.val.binary.data);
	JsonbValue begin;
	JsonbIteratorNext(&it, &begin, true);
	return it;
}

static bool
next_pair(JsonbIterator *&it, JsonbValue &key, JsonbValue &value)
{
	if (JsonbIteratorNext(&it, &key, true) != WJB_KEY)
		return false;
	JsonbIteratorNext(&it, &value, true);
	return true;
}

static bool
next_element(JsonbIterator *&it, JsonbValue &value)
{
	return JsonbIteratorNext(&it, &value, true) == WJB_ELEM;
}

static int
element_count(const JsonbValue &array)
{
	return static_cast<int>(JsonContainerSize(array.val.binary.data));
}

static bool
find_key(const JsonbValue &object, const char *name, JsonbValue &value)
{
	return getKeyJsonValueFromContainer(object.val.binary.data, name, static_cast<int>(strlen(name)), &value) !=
		   nullptr;
}

static const char *
kind_of(const JsonbValue &value)
{
	switch (value.type)
	{
		case jbvNull: return "null";
		case jbvString: return "a string";
		case jbvNumeric: return "a number";
		case jbvBool: return "a boolean";
		default: return is_array(value) ? "an array" : "an object";
	}
}

static void
need_object(const JsonbValue &value, const Place *at)
{
	if (!is_object(value))
		refuse(at, psprintf("a filter has %s where an object belongs", kind_of(value)));
}

static std::string_view
need_string(const JsonbValue &value, const Place *at)
{
	if (value.type != jbvString)
		refuse(at, psprintf("a filter has %s where a string belongs", kind_of(value)));
	return string_of(value);
}

static Numeric
need_number(const JsonbValue &value, const Place *at)
{
	if (value.type != jbvNumeric)
		refuse(at, psprintf("a filter has %s where a number belongs", kind_of(value)));
	return value.val.numeric;
}

static int64
need_count(const JsonbValue &value, const Place *at)
{
	Numeric number = need_number(value, at);
	int beyond;
	int64 count = floor_of(number, beyond);
	if (!is_integer(number) || count < 0)
		refuse(at, "a count in a filter must be an integer that is not negative");
	return count;
}

static FilterNode *
new_node(FilterKind kind)
{
	auto *node = static_cast<FilterNode *>(palloc0(sizeof(FilterNode)));
	node->kind = kind;
	return node;
}

/* --- fields --- */

static FieldKey
read_key(const JsonbValue &value, const Place *at)
{
	FieldKey key{};
	key.text = need_string(value, at);
	if (key.text.size() > kMaxKeyBytes)
		refuse_size(at, "bytes in a key", kMaxKeyBytes);
	PathStep steps[kMaxPathSteps];
	core::query::FieldPath path = core::query::parse_field_path(key.text, steps);
	if (path.error == core::query::PathError::too_long)
		refuse_size(at, "steps in a key", kMaxPathSteps);
	if (path.error != core::query::PathError::none)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("key \"%s\" is no path", clipped(key.text)),
						errdetail("%s, byte %u", path_of(at), path.at + 1),
						errhint("Write a.b, a[0].b, a[].b, or \"a.b\" in quotes for a name with a dot or bracket.")));
	key.count = static_cast<int>(path.count);
	key.steps = static_cast<PathStep *>(palloc(sizeof(PathStep) * path.count));
	memcpy(key.steps, steps, sizeof(PathStep) * path.count);
	return key;
}

FieldKey
read_field_key(const char *path)
{
	JsonbValue value;
	value.type = jbvString;
	value.val.string.val = const_cast<char *>(path);
	value.val.string.len = static_cast<int>(strlen(path));
	Place at{nullptr, path, 0};
	return read_key(value, &at);
}

/* Sorted, each value once. */
static void
sort_values(FilterNode *node)
{
	std::sort(node->values, node->values + node->value_count,
			  [](const JsonbValue &a, const JsonbValue &b) { return compare_scalars(a, b) < 0; });
	JsonbValue *end = std::unique(node->values, node->values + node->value_count,
								  [](const JsonbValue &a, const JsonbValue &b) { return compare_scalars(a, b) == 0; });
	node->value_count = static_cast<int>(end - node->values);
}

static void
need_scalar(const JsonbValue &value, const Place *at)
{
	if (value.type == jbvBinary)
		refuse(at, "a value to match must be a string, a number or a boolean");
	if (value.type == jbvNull)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a filter cannot match null"),
						errdetail("%s", path_of(at)),
						errhint("Use {\"is_null\": {\"key\": ...}} or {\"is_empty\": {\"key\": ...}}.")));
}

static void
read_values(FilterNode *node, const JsonbValue &array, const Place *at)
{
	if (!is_array(array))
		refuse(at, "values in a filter must be an array");
	int count = element_count(array);
	if (count > kMaxFilterSet)
		refuse_size(at, "values in a set", kMaxFilterSet);
	node->values = static_cast<JsonbValue *>(palloc(sizeof(JsonbValue) * (count + 1)));
	JsonbIterator *it = open_container(array);
	while (next_element(it, node->values[node->value_count]))
	{
		Place here{at, {}, node->value_count};
		if (node->kind != FilterKind::has_id)
			need_scalar(node->values[node->value_count], &here);
		node->value_count++;
	}
	if (node->kind != FilterKind::has_id)
		sort_values(node);
}

struct NamedKind
{
	const char *name;
	FilterKind kind;
};

static const NamedKind kMatches[] = {
	{"value", FilterKind::one_of},          {"any", FilterKind::one_of},
	{"except", FilterKind::not_one_of},     {"text", FilterKind::contains},
	{"text_any", FilterKind::contains_any}, {"phrase", FilterKind::phrase},
	{"prefix", FilterKind::prefix},
};

static FilterNode *
read_match(const JsonbValue &match, const Place *at)
{
	static const char *const kKnown = "value, any, except, text, text_any, phrase, prefix, config";
	need_object(match, at);
	FilterNode *node = nullptr;
	std::string_view config;
	JsonbIterator *it = open_container(match);
	JsonbValue key, value;
	while (next_pair(it, key, value))
	{
		std::string_view name = string_of(key);
		Place here{at, name, 0};
		if (name == "config")
		{
			config = need_string(value, &here);
			continue;
		}
		const NamedKind *found = nullptr;
		for (const NamedKind &m : kMatches)
			if (name == m.name)
				found = &m;
		if (found == nullptr)
			refuse_key(at, name, kKnown);
		if (value.type == jbvNull && name != "value")
			continue;
		if (node != nullptr)
			refuse(at, "a match in a filter must say one thing");
		node = new_node(found->kind);
		if (name == "value")
		{
			need_scalar(value, &here);
			node->values = static_cast<JsonbValue *>(palloc(sizeof(JsonbValue)));
			node->values[node->value_count++] = value;
		}
		else if (name == "any" || name == "except")
			read_values(node, value, &here);
		else
			node->words = need_string(value, &here);
	}
	if (node == nullptr)
		refuse(at, "a match in a filter must have one of value, any, except, text, text_any, phrase and prefix");
	bool words = node->kind == FilterKind::contains || node->kind == FilterKind::contains_any ||
				 node->kind == FilterKind::phrase;
	if (!config.empty() && !words)
		refuse(at, "a match in a filter has a config only with text, text_any or phrase");
	node->config = config;
	return node;
}

static const char *const kBoundNames[kBounds] = {"gt", "gte", "lt", "lte"};

static int
bound_of(std::string_view name, const Place *at)
{
	for (int i = 0; i < kBounds; i++)
		if (name == kBoundNames[i])
			return i;
	refuse_key(at, name, "gt, gte, lt, lte");
}

static FilterNode *
read_range(const JsonbValue &range, const Place *at)
{
	need_object(range, at);
	FilterNode *node = new_node(FilterKind::number_range);
	bool numbers = false, times = false;
	JsonbIterator *it = open_container(range);
	JsonbValue key, value;
	while (next_pair(it, key, value))
	{
		int bound = bound_of(string_of(key), at);
		Place here{at, string_of(key), 0};
		if (value.type == jbvNull)
			continue;
		if (value.type == jbvString)
		{
			times = node->has_time[bound] = true;
			if (!core::query::parse_date_time(string_of(value), node->times[bound]))
				ereport(
					ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a filter has \"%s\" where a number or a date-time belongs", clipped(string_of(value))),
					 errdetail("%s", path_of(&here)),
					 errhint("Write date-times as 2024-01-31T12:30:00Z, 2024-01-31T12:30:00+02:00 or 2024-01-31.")));
		}
		else
		{
			numbers = true;
			node->numbers[bound] = need_number(value, &here);
		}
	}
	if (numbers && times)
		refuse(at, "a range in a filter must be of numbers or of date-times, not both");
	if (times)
		node->kind = FilterKind::time_range;
	return node;
}

static FilterNode *
read_values_count(const JsonbValue &range, const Place *at)
{
	need_object(range, at);
	FilterNode *node = new_node(FilterKind::values_count);
	node->high = PG_INT64_MAX;
	JsonbIterator *it = open_container(range);
	JsonbValue key, value;
	while (next_pair(it, key, value))
	{
		int bound = bound_of(string_of(key), at);
		Place here{at, string_of(key), 0};
		if (value.type == jbvNull)
			continue;
		int64 count = need_count(value, &here);
		if (bound == kGt && count == PG_INT64_MAX)
			node->high = -1;  // more than can be
		else if (bound == kGt || bound == kGte)
			node->low = std::max(node->low, count + (bound == kGt));
		else
			node->high = std::min(node->high, count - (bound == kLt));
	}
	return node;
}

static GeoPoint
need_place(const JsonbValue &value, const Place *at)
{
	need_object(value, at);
	JsonbIterator *it = open_container(value);
	JsonbValue key, degrees;
	while (next_pair(it, key, degrees))
	{
		Place here{at, string_of(key), 0};
		if (string_of(key) != "lon" && string_of(key) != "lat")
			refuse_key(at, string_of(key), "lon, lat");
		need_number(degrees, &here);
	}
	GeoPoint place;
	if (!read_place(value.val.binary.data, place))
		refuse(at, "a place in a filter must have lon from -180 to 180 and lat from -90 to 90");
	return place;
}

static FilterNode *
read_geo_radius(const JsonbValue &circle, const Place *at)
{
	need_object(circle, at);
	FilterNode *node = new_node(FilterKind::geo_radius);
	bool center = false, radius = false;
	JsonbIterator *it = open_container(circle);
	JsonbValue key, value;
	while (next_pair(it, key, value))
	{
		std::string_view name = string_of(key);
		Place here{at, name, 0};
		if (name == "center")
		{
			node->place = need_place(value, &here);
			center = true;
		}
		else if (name == "radius")
		{
			node->metres = double_of(need_number(value, &here));
			radius = true;
		}
		else
			refuse_key(at, name, "center, radius");
	}
	if (!center || !radius)
		refuse(at, "a geo_radius in a filter must have center and radius");
	return node;
}

static FilterNode *
read_geo_box(const JsonbValue &box, const Place *at)
{
	need_object(box, at);
	FilterNode *node = new_node(FilterKind::geo_box);
	bool top_left = false, bottom_right = false;
	JsonbIterator *it = open_container(box);
	JsonbValue key, value;
	while (next_pair(it, key, value))
	{
		std::string_view name = string_of(key);
		Place here{at, name, 0};
		if (name == "top_left")
		{
			node->place = need_place(value, &here);
			top_left = true;
		}
		else if (name == "bottom_right")
		{
			node->corner = need_place(value, &here);
			bottom_right = true;
		}
		else
			refuse_key(at, name, "top_left, bottom_right");
	}
	if (!top_left || !bottom_right)
		refuse(at, "a geo_bounding_box in a filter must have top_left and bottom_right");
	return node;
}

static GeoRing
read_ring(const JsonbValue &line, const Place *at)
{
	need_object(line, at);
	GeoRing ring{};
	JsonbIterator *it = open_container(line);
	JsonbValue key, value;
	while (next_pair(it, key, value))
	{
		Place here{at, string_of(key), 0};
		if (string_of(key) != "points")
			refuse_key(at, string_of(key), "points");
		if (!is_array(value))
			refuse(&here, "points in a filter must be an array");
		if (element_count(value) > kMaxPolygonPoints)
			refuse_size(&here, "points in a polygon", kMaxPolygonPoints);
		ring.points = static_cast<GeoPoint *>(palloc(sizeof(GeoPoint) * (element_count(value) + 1)));
		JsonbIterator *points = open_container(value);
		JsonbValue point;
		while (next_element(points, point))
		{
			Place element{&here, {}, ring.count};
			ring.points[ring.count++] = need_place(point, &element);
		}
	}
	if (ring.count < 4)
		refuse(at, "a polygon in a filter must have rings of at least 4 points");
	const GeoPoint &first = ring.points[0], &last = ring.points[ring.count - 1];
	if (first.lon != last.lon || first.lat != last.lat)
		refuse(at, "a polygon in a filter must have rings whose last point is the first");
	return ring;
}

static FilterNode *
read_geo_polygon(const JsonbValue &polygon, const Place *at)
{
	need_object(polygon, at);
	FilterNode *node = new_node(FilterKind::geo_polygon);
	JsonbValue holes, exterior, key, value;
	bool has_holes = false, has_exterior = false;
	JsonbIterator *it = open_container(polygon);
	while (next_pair(it, key, value))
	{
		std::string_view name = string_of(key);
		Place here{at, name, 0};
		if (name == "exterior")
		{
			exterior = value;
			has_exterior = true;
		}
		else if (name != "interiors")
			refuse_key(at, name, "exterior, interiors");
		else if (value.type != jbvNull)
		{
			if (!is_array(value))
				refuse(&here, "interiors in a filter must be an array");
			holes = value;
			has_holes = true;
		}
	}
	if (!has_exterior)
		refuse(at, "a geo_polygon in a filter must have an exterior");
	int count = has_holes ? element_count(holes) : 0;
	if (count > kMaxPolygonPoints)
		refuse_size(at, "holes in a polygon", kMaxPolygonPoints);
	node->rings = static_cast<GeoRing *>(palloc(sizeof(GeoRing) * (count + 1)));
	Place outside{at, "exterior", 0};
	node->rings[node->ring_count++] = read_ring(exterior, &outside);
	if (!has_holes)
		return node;
	Place inside{at, "interiors", 0};
	it = open_container(holes);
	while (next_element(it, value))
	{
		Place here{&inside, {}, node->ring_count - 1};
		node->rings[node->ring_count++] = read_ring(value, &here);
	}
	return node;
}

/* is_empty and is_null beside a key: true, or the contrary. */
static FilterNode *
read_flag(FilterKind kind, const JsonbValue &value, const FieldKey &key, const Place *at)
{
	if (value.type != jbvBool)
		refuse(at, "is_empty and is_null beside a key must be booleans");
	FilterNode *node = new_node(kind);
	node->key = key;
	if (value.val.boolean)
		return node;
	FilterNode *negation = new_node(FilterKind::negation);
	negation->children = static_cast<FilterNode **>(palloc(sizeof(FilterNode *)));
	negation->children[negation->child_count++] = node;
	return negation;
}

static FilterNode *
read_field(const JsonbValue &condition, const Place *at)
{
	static const char *const kKnown =
		"key, match, range, geo_radius, geo_bounding_box, geo_polygon, values_count, is_empty, is_null";
	JsonbValue key, value;
	find_key(condition, "key", value);
	Place key_place{at, "key", 0};
	FieldKey field = read_key(value, &key_place);
	FilterNode *node = nullptr;
	JsonbIterator *it = open_container(condition);
	while (next_pair(it, key, value))
	{
		std::string_view name = string_of(key);
		Place here{at, name, 0};
		FilterNode *(*read)(const JsonbValue &, const Place *) = name == "match"              ? read_match
																 : name == "range"            ? read_range
																 : name == "geo_radius"       ? read_geo_radius
																 : name == "geo_bounding_box" ? read_geo_box
																 : name == "geo_polygon"      ? read_geo_polygon
																 : name == "values_count"     ? read_values_count
																							  : nullptr;
		bool flag = name == "is_empty" || name == "is_null";
		if (name == "key" || (value.type == jbvNull && (read != nullptr || flag)))
			continue;
		if (read == nullptr && !flag)
			refuse_key(at, name, kKnown);
		if (node != nullptr)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("a condition of a filter must say one thing of its key"),
							errdetail("%s", path_of(&here)), errhint("Write two conditions in must.")));
		if (flag)
			node = read_flag(name == "is_empty" ? FilterKind::is_empty : FilterKind::is_null, value, field, &here);
		else
			node = read(value, &here);
	}
	if (node == nullptr)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a condition of a filter says nothing of its key"),
				 errdetail("%s", path_of(at)), errhint("Known here: %s.", kKnown)));
	node->key = field;
	return node;
}

/* --- conditions and filters --- */

static FilterNode *read_object(FilterReader &reader, const JsonbValue &filter, const Place *at);

/* The condition's only key: other keys are refused. */
static JsonbValue
only_key(const JsonbValue &object, const char *name, const Place *at)
{
	JsonbValue key, value, found{};
	JsonbIterator *it = open_container(object);
	while (next_pair(it, key, value))
	{
		if (string_of(key) != name)
			refuse_key(at, string_of(key), name);
		found = value;
	}
	if (JsonContainerSize(object.val.binary.data) == 0)
		refuse(at, psprintf("a filter has an empty object where %s belongs", name));
	return found;
}

static FilterNode *
read_nested(FilterReader &reader, const JsonbValue &nested, const Place *at)
{
	need_object(nested, at);
	JsonbValue key, value, name, filter;
	/* Without a key it is a filter in a filter, as d-vecDB writes it. */
	if (!find_key(nested, "key", name))
		return read_object(reader, nested, at);
	Place key_place{at, "key", 0}, filter_place{at, "filter", 0};
	FilterNode *node = new_node(FilterKind::nested);
	node->key = read_key(name, &key_place);
	JsonbIterator *it = open_container(nested);
	while (next_pair(it, key, value))
		if (string_of(key) != "key" && string_of(key) != "filter")
			refuse_key(at, string_of(key), "key, filter");
	if (!find_key(nested, "filter", filter))
		refuse(at, "a nested condition of a filter must have a filter");
	node->children = static_cast<FilterNode **>(palloc(sizeof(FilterNode *)));
	node->children[node->child_count++] = read_object(reader, filter, &filter_place);
	return node;
}

static FilterNode *
read_slice(const JsonbValue &slice, const Place *at)
{
	need_object(slice, at);
	FilterNode *node = new_node(FilterKind::slice);
	bool index = false;
	JsonbIterator *it = open_container(slice);
	JsonbValue key, value;
	while (next_pair(it, key, value))
	{
		Place here{at, string_of(key), 0};
		if (string_of(key) == "total")
			node->total = need_count(value, &here);
		else if (string_of(key) == "index")
		{
			node->least = need_count(value, &here);
			index = true;
		}
		else
			refuse_key(at, string_of(key), "total, index");
	}
	if (!index || node->total < 1 || node->least >= node->total)
		refuse(at, "a slice in a filter must have a total of at least 1 and an index below it");
	return node;
}

static FilterNode *
read_condition(FilterReader &reader, const JsonbValue &condition, const Place *at)
{
	need_object(condition, at);
	if (++reader.conditions > kMaxFilterConditions)
		refuse_size(at, "conditions", kMaxFilterConditions);
	JsonbValue value;
	FilterNode *node;
	if (find_key(condition, "key", value))
		node = read_field(condition, at);
	else if (find_key(condition, "is_empty", value) || find_key(condition, "is_null", value))
	{
		bool empty = find_key(condition, "is_empty", value);
		const char *name = empty ? "is_empty" : "is_null";
		Place here{at, name, 0}, key_place{&here, "key", 0};
		JsonbValue object = only_key(condition, name, at);
		need_object(object, &here);
		node = new_node(empty ? FilterKind::is_empty : FilterKind::is_null);
		node->key = read_key(only_key(object, "key", &here), &key_place);
	}
	else if (find_key(condition, "has_id", value))
	{
		Place here{at, "has_id", 0};
		node = new_node(FilterKind::has_id);
		read_values(node, only_key(condition, "has_id", at), &here);
	}
	else if (find_key(condition, "has_vector", value))
	{
		Place here{at, "has_vector", 0};
		node = new_node(FilterKind::has_vector);
		node->words = need_string(only_key(condition, "has_vector", at), &here);
	}
	else if (find_key(condition, "nested", value))
	{
		Place here{at, "nested", 0};
		node = read_nested(reader, only_key(condition, "nested", at), &here);
	}
	else if (find_key(condition, "slice", value))
	{
		Place here{at, "slice", 0};
		node = read_slice(only_key(condition, "slice", at), &here);
	}
	else
		return read_object(reader, condition, at);
	node->source = condition;
	return node;
}

/* One condition or an array of them, as children of node. */
static void
read_conditions(FilterReader &reader, FilterNode *node, const JsonbValue &value, const Place *at)
{
	if (!is_array(value))
	{
		node->children = static_cast<FilterNode **>(palloc(sizeof(FilterNode *)));
		node->children[node->child_count++] = read_condition(reader, value, at);
		return;
	}
	int count = element_count(value);
	if (count > kMaxFilterConditions)
		refuse_size(at, "conditions", kMaxFilterConditions);
	node->children = static_cast<FilterNode **>(palloc(sizeof(FilterNode *) * (count + 1)));
	JsonbIterator *it = open_container(value);
	JsonbValue element;
	while (next_element(it, element))
	{
		Place here{at, {}, node->child_count};
		node->children[node->child_count++] = read_condition(reader, element, &here);
	}
}

static FilterNode *
read_min_should(FilterReader &reader, const JsonbValue &value, const Place *at)
{
	need_object(value, at);
	FilterNode *node = new_node(FilterKind::at_least);
	bool conditions = false;
	JsonbIterator *it = open_container(value);
	JsonbValue key, part;
	while (next_pair(it, key, part))
	{
		Place here{at, string_of(key), 0};
		if (string_of(key) == "min_count")
			node->least = need_count(part, &here);
		else if (string_of(key) == "conditions")
		{
			read_conditions(reader, node, part, &here);
			conditions = true;
		}
		else
			refuse_key(at, string_of(key), "conditions, min_count");
	}
	if (!conditions || node->least < 1)
		refuse(at, "min_should in a filter must have conditions and a min_count of at least 1");
	return node;
}

static void
add_child(FilterNode *node, FilterNode *child)
{
	node->children = static_cast<FilterNode **>(
		node->children == nullptr ? palloc(sizeof(FilterNode *))
								  : repalloc(node->children, sizeof(FilterNode *) * (node->child_count + 1)));
	node->children[node->child_count++] = child;
}

static FilterNode *
read_object(FilterReader &reader, const JsonbValue &filter, const Place *at)
{
	check_stack_depth();
	need_object(filter, at);
	if (++reader.depth > kMaxFilterDepth)
		refuse_size(at, "filters within one another", kMaxFilterDepth);
	FilterNode *node = new_node(FilterKind::all);
	JsonbIterator *it = open_container(filter);
	JsonbValue key, value;
	while (next_pair(it, key, value))
	{
		std::string_view name = string_of(key);
		Place here{at, name, 0};
		bool must = name == "must", should = name == "should", must_not = name == "must_not";
		if (!must && !should && !must_not && name != "min_should")
			refuse_key(at, name,
					   "must, should, must_not, min_should; in a condition key, is_empty, is_null, has_id, has_vector, "
					   "nested, slice");
		if (value.type == jbvNull)
			continue;
		if (!must && !should && !must_not)
		{
			add_child(node, read_min_should(reader, value, &here));
			continue;
		}
		FilterNode *part = new_node(should ? FilterKind::any : FilterKind::all);
		read_conditions(reader, part, value, &here);
		if (should && part->child_count > 0)
			add_child(node, part);
		for (int i = 0; !should && i < part->child_count; i++)
		{
			FilterNode *child = part->children[i];
			if (must_not)
			{
				FilterNode *negation = new_node(FilterKind::negation);
				add_child(negation, child);
				child = negation;
			}
			add_child(node, child);
		}
	}
	reader.depth--;
	return node;
}

FilterNode *
read_filter(Jsonb *filter)
{
	FilterReader reader{};
	JsonbValue root;
	root.type = jbvBinary;
	root.val.binary.data = &filter->root;
	root.val.binary.len = static_cast<int>(VARSIZE_ANY_EXHDR(filter));
	if (JB_ROOT_IS_SCALAR(filter))
	{
		JsonbExtractScalar(&filter->root, &root);
		if (root.type == jbvNull)
			return new_node(FilterKind::all);
	}
	return read_object(reader, root, nullptr);
}

}  // namespace vecdb::api
