/* SPDX-License-Identifier: PostgreSQL
 * Conditions of a filter on a field: match, range, places, counts.
 *
 * Regime: shell.
 */
#include "api/filter_reader.hpp"

#include <algorithm>

#include "vecdb/query/date_time.hpp"

namespace vecdb::api
{

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

void
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

FilterNode *
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

}  // namespace vecdb::api
