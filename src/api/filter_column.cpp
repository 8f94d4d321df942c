/* SPDX-License-Identifier: PostgreSQL
 * Conditions on columns with a type of their own: compared as that type, by its operators, so that its indexes apply.
 *
 * Regime: shell.
 * Keeps:  the logic has two values: what cannot be of the column's type equals nothing in it, and is not an error.
 */
#include "api/filter_compile.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

extern "C" {
#include "catalog/pg_enum.h"
#include "utils/date.h"
#include "utils/geo_decls.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
}

#include "vecdb/query/date_time.hpp"

namespace vecdb::api
{

enum class TypeClass : uint8
{
	integer,
	numeric,
	real,
	boolean,
	text,
	uuid,
	date,
	timestamp,
	enumeration,
	point,
	tsvector,
	other,
};

static TypeClass
class_of(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID: return TypeClass::integer;
		case NUMERICOID: return TypeClass::numeric;
		case FLOAT4OID:
		case FLOAT8OID: return TypeClass::real;
		case BOOLOID: return TypeClass::boolean;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID: return TypeClass::text;
		case UUIDOID: return TypeClass::uuid;
		case DATEOID: return TypeClass::date;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID: return TypeClass::timestamp;
		case POINTOID: return TypeClass::point;
		case TSVECTOROID: return TypeClass::tsvector;
		default: break;
	}
	char category;
	bool preferred;
	get_type_category_preferred(type, &category, &preferred);
	/* Of an extension, citext for one: its input takes any string. */
	if (category == TYPCATEGORY_STRING && get_typtype(type) == TYPTYPE_BASE && type != CHAROID)
		return TypeClass::text;
	return get_typtype(type) == TYPTYPE_ENUM ? TypeClass::enumeration : TypeClass::other;
}

bool
is_known_type(Oid type)
{
	TypeClass type_class = class_of(type);
	return type_class < TypeClass::point;
}

/* --- a scalar as a value of the type --- */

static int64
integer_limit(Oid type, bool high)
{
	if (type == INT2OID)
		return high ? PG_INT16_MAX : PG_INT16_MIN;
	if (type == INT4OID)
		return high ? PG_INT32_MAX : PG_INT32_MIN;
	return high ? PG_INT64_MAX : PG_INT64_MIN;
}

static Datum
integer_datum(Oid type, int64 value)
{
	return type == INT2OID   ? Int16GetDatum(static_cast<int16>(value))
		   : type == INT4OID ? Int32GetDatum(static_cast<int32>(value))
							 : Int64GetDatum(value);
}

static bool
integer_value(Oid type, Numeric number, Datum &value)
{
	int beyond;
	int64 whole = floor_of(number, beyond);
	if (beyond != 0 || !is_integer(number) || whole < integer_limit(type, false) || whole > integer_limit(type, true))
		return false;
	value = integer_datum(type, whole);
	return true;
}

/* The nearest float, as the type's input would have it; infinite beyond its range. */
static Datum
real_datum(Oid type, Numeric number, double &real)
{
	if (type == FLOAT8OID)
	{
		real = double_of(number);
		return Float8GetDatum(real);
	}
	float nearest = strtof(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))), nullptr);
	real = nearest;
	return Float4GetDatum(nearest);
}

/* The text forms of uuid_in: hex digits, a hyphen allowed after every four, braces around. */
static bool
uuid_value(std::string_view text, Datum &value)
{
	if (text.size() > 2 && text.front() == '{')
	{
		if (text.back() != '}')
			return false;
		text = text.substr(1, text.size() - 2);
	}
	auto *uuid = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
	size_t at = 0;
	for (int i = 0; i < UUID_LEN; i++)
	{
		unsigned byte;
		if (at + 2 > text.size())
			return false;
		std::from_chars_result read = std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
		if (read.ec != std::errc() || read.ptr != text.data() + at + 2)
			return false;
		uuid->data[i] = static_cast<unsigned char>(byte);
		at += 2;
		if (at < text.size() && text[at] == '-' && i % 2 == 1 && i < UUID_LEN - 1)
			at++;
	}
	value = UUIDPGetDatum(uuid);
	return at == text.size();
}

static bool
enum_value(Oid type, std::string_view text, Datum &value)
{
	if (text.size() >= NAMEDATALEN)
		return false;
	HeapTuple tuple =
		SearchSysCache2(ENUMTYPOIDNAME, ObjectIdGetDatum(type), CStringGetDatum(pnstrdup(text.data(), text.size())));
	if (!HeapTupleIsValid(tuple))
		return false;
	auto form = reinterpret_cast<Form_pg_enum>(GETSTRUCT(tuple));
	value = ObjectIdGetDatum(form->oid);
	ReleaseSysCache(tuple);
	return true;
}

static bool
text_value(Oid type, std::string_view text, Datum &value)
{
	if (type == TEXTOID || type == VARCHAROID || type == BPCHAROID)
	{
		value = PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
		return true;
	}
	if (type == NAMEOID && text.size() >= NAMEDATALEN)
		return false;
	Oid input, parameter;
	getTypeInputInfo(type, &input, &parameter);
	value = OidInputFunctionCall(input, pnstrdup(text.data(), text.size()), parameter, -1);
	return true;
}

constexpr int64 kDay = USECS_PER_DAY;

static int64
floor_day(int64 time)
{
	return time / kDay - (time % kDay < 0);
}

static bool
string_value(Oid type, std::string_view text, Datum &value)
{
	int64 time;
	switch (class_of(type))
	{
		case TypeClass::text: return text_value(type, text, value);
		case TypeClass::uuid: return uuid_value(text, value);
		case TypeClass::enumeration: return enum_value(type, text, value);
		case TypeClass::date:
			if (!core::query::parse_date_time(text, time) || time % kDay != 0)
				return false;
			value = DateADTGetDatum(static_cast<DateADT>(time / kDay));
			return true;
		case TypeClass::timestamp:
			if (!core::query::parse_date_time(text, time))
				return false;
			value = TimestampTzGetDatum(time);
			return true;
		default: return false;
	}
}

bool
scalar_value(Oid type, const JsonbValue &scalar, Datum &value)
{
	if (scalar.type == jbvString)
		return string_value(type, string_of(scalar), value);
	if (scalar.type == jbvBool)
	{
		value = BoolGetDatum(scalar.val.boolean);
		return type == BOOLOID;
	}
	if (scalar.type != jbvNumeric)
		return false;
	double real;
	switch (class_of(type))
	{
		case TypeClass::integer: return integer_value(type, scalar.val.numeric, value);
		case TypeClass::numeric: value = NumericGetDatum(scalar.val.numeric); return true;
		case TypeClass::real: value = real_datum(type, scalar.val.numeric, real); return !std::isinf(real);
		default: return false;
	}
}

/* --- bounds --- */

static const char *const kOperators[kBounds] = {">", ">=", "<", "<="};

static void
append_bound(FilterCompiler &c, const char *expression, int bound, Oid type, Datum value)
{
	appendStringInfo(c.sql, " AND %s OPERATOR(pg_catalog.%s) ", expression, kOperators[bound]);
	append_value(c, type, value);
}

/* Of an integer type: false where no value of it can hold. A bound that all hold is left out. */
static bool
append_integer_bound(FilterCompiler &c, const char *expression, Oid type, int bound, Numeric number)
{
	int beyond;
	bool from_floor = bound == kGt || bound == kLte;
	int64 whole = from_floor ? floor_of(number, beyond) : ceil_of(number, beyond);
	int64 low = integer_limit(type, false), high = integer_limit(type, true);
	/* x > 2.5 is x > 2, x >= 2.5 is x >= 3, x < 2.5 is x < 3, x <= 2.5 is x <= 2. */
	bool below = beyond < 0 || whole<low, above = beyond> 0 || whole > high;
	bool lower = bound == kGt || bound == kGte;
	if (lower ? above || (bound == kGt && whole == high) : below || (bound == kLt && whole == low))
		return false;
	if (lower ? below || (bound == kGte && whole == low) : above || (bound == kLte && whole == high))
		return true;
	append_bound(c, expression, bound, type, integer_datum(type, whole));
	return true;
}

static void
append_real_bound(FilterCompiler &c, const char *expression, Oid type, int bound, Numeric number, BoundUse use)
{
	double real;
	Datum value = real_datum(type, number, real);
	/* Only an infinity of the column is beyond a number that is beyond the type. */
	bool lower = bound == kGt || bound == kGte;
	if (std::isinf(real))
		bound = real > 0 ? (lower ? kGte : kLt) : (lower ? kGt : kLte);
	if (use == BoundUse::implied)
		bound = lower ? kGte : kLte;
	append_bound(c, expression, bound, type, value);
}

bool
append_number_bounds(FilterCompiler &c, const char *expression, Oid type, const FilterNode &node, BoundUse use)
{
	for (int bound = 0; bound < kBounds; bound++)
	{
		Numeric number = node.numbers[bound];
		if (number == nullptr)
			continue;
		switch (class_of(type))
		{
			case TypeClass::integer:
				if (!append_integer_bound(c, expression, type, bound, number))
					return false;
				break;
			case TypeClass::real: append_real_bound(c, expression, type, bound, number, use); break;
			default: append_bound(c, expression, bound, NUMERICOID, NumericGetDatum(number)); break;
		}
	}
	return true;
}

void
append_time_bounds(FilterCompiler &c, const char *expression, const FilterNode &node)
{
	for (int bound = 0; bound < kBounds; bound++)
		if (node.has_time[bound])
			append_bound(c, expression, bound, TIMESTAMPTZOID, TimestampTzGetDatum(node.times[bound]));
}

/* A date is its midnight: d > noon of a day is d > that day, d >= noon is d >= the next. */
static void
append_date_bounds(FilterCompiler &c, const char *expression, Oid type, const FilterNode &node)
{
	for (int bound = 0; bound < kBounds; bound++)
	{
		int64 time = node.times[bound];
		if (!node.has_time[bound])
			continue;
		if (type != DATEOID)
		{
			append_bound(c, expression, bound, type, TimestampTzGetDatum(time));
			continue;
		}
		bool from_floor = bound == kGt || bound == kLte;
		int64 day = floor_day(time) + (!from_floor && floor_day(time) * kDay != time);
		append_bound(c, expression, bound, DATEOID, DateADTGetDatum(static_cast<DateADT>(day)));
	}
}

static void
append_range(FilterCompiler &c, const char *expression, Oid type, const FilterNode &node)
{
	TypeClass type_class = class_of(type);
	bool number = type_class == TypeClass::integer || type_class == TypeClass::numeric || type_class == TypeClass::real;
	bool time = type_class == TypeClass::date || type_class == TypeClass::timestamp;
	int begin = c.sql->len;
	appendStringInfo(c.sql, "%s IS NOT NULL", expression);
	int condition = c.sql->len;
	bool possible = node.kind == FilterKind::number_range ? number : time || type_class == TypeClass::text;
	if (possible && number)
		possible = append_number_bounds(c, expression, type, node, BoundUse::exact);
	else if (possible && time)
		append_date_bounds(c, expression, type, node);
	else if (possible)
		append_time_bounds(c, psprintf("vecdb.datetime(pg_catalog.to_jsonb(%s))", expression), node);
	if (!possible)
	{
		c.sql->len = begin;
		appendStringInfoString(c.sql, "false");
		return;
	}
	/* Bounds say more than IS NOT NULL. */
	constexpr int kAnd = 5;
	if (c.sql->len > condition)
	{
		memmove(c.sql->data + begin, c.sql->data + condition + kAnd,
				static_cast<size_t>(c.sql->len - condition - kAnd) + 1);
		c.sql->len -= condition + kAnd - begin;
	}
}

/* --- equality --- */

const char *
equality_of(Oid type)
{
	Oid op = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("type %s has no equality for filters", format_type_be(type))));
	auto form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
	const char *spelled =
		psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return spelled;
}

/* The node's values that can be of the type; returns their number. */
static int
values_of(Oid type, const FilterNode &node, Datum *&values)
{
	values = static_cast<Datum *>(palloc(sizeof(Datum) * (node.value_count + 1)));
	int count = 0;
	for (int i = 0; i < node.value_count; i++)
		count += scalar_value(type, node.values[i], values[count]);
	return count;
}

static Datum
array_of(Oid element, Datum *values, int count)
{
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(element, &length, &by_value, &align);
	return PointerGetDatum(construct_array(values, count, element, length, by_value, align));
}

static void
append_one_of(FilterCompiler &c, const char *expression, Oid type, const FilterNode &node)
{
	Datum *values;
	int count = values_of(type, node, values);
	if (count == 0)
	{
		appendStringInfoString(c.sql, "false");
		return;
	}
	Oid asked = asked_type(type);
	appendStringInfo(c.sql, "%s %s ", expression, equality_of(asked));
	if (count == 1)
		append_value(c, asked, values[0]);
	else
	{
		appendStringInfoString(c.sql, "ANY (");
		append_value(c, get_array_type(asked), array_of(asked, values, count));
		appendStringInfoChar(c.sql, ')');
	}
}

static void
append_not_one_of(FilterCompiler &c, const char *expression, Oid type, const FilterNode &node)
{
	Datum *values;
	int count = values_of(type, node, values);
	appendStringInfo(c.sql, "%s IS NOT NULL", expression);
	if (count == 0)
		return;
	Oid asked = asked_type(type);
	appendStringInfo(c.sql, " AND NOT (%s %s ANY (", expression, equality_of(asked));
	append_value(c, get_array_type(asked), array_of(asked, values, count));
	appendStringInfoString(c.sql, "))");
}

/* --- places --- */

static Datum
polygon_datum(const GeoRing &ring)
{
	Size bytes = offsetof(POLYGON, p) + sizeof(Point) * static_cast<Size>(ring.count);
	auto *polygon = static_cast<POLYGON *>(palloc0(bytes));
	SET_VARSIZE(polygon, bytes);
	polygon->npts = ring.count;
	polygon->boundbox = BOX{{ring.points[0].lon, ring.points[0].lat}, {ring.points[0].lon, ring.points[0].lat}};
	BOX &box = polygon->boundbox;
	for (int i = 0; i < ring.count; i++)
	{
		polygon->p[i] = Point{ring.points[i].lon, ring.points[i].lat};
		box.low = Point{std::min(box.low.x, polygon->p[i].x), std::min(box.low.y, polygon->p[i].y)};
		box.high = Point{std::max(box.high.x, polygon->p[i].x), std::max(box.high.y, polygon->p[i].y)};
	}
	return PointerGetDatum(polygon);
}

static void
append_float(FilterCompiler &c, double value)
{
	append_value(c, FLOAT8OID, Float8GetDatum(value));
}

/* What a GiST index on the points serves: a box around all that can hold. */
static void
append_around(FilterCompiler &c, const char *expression, GeoPoint low, GeoPoint high)
{
	auto *box = static_cast<BOX *>(palloc(sizeof(BOX)));
	*box = BOX{{high.lon, high.lat}, {low.lon, low.lat}};
	appendStringInfo(c.sql, "%s OPERATOR(pg_catalog.<@) ", expression);
	append_value(c, BOXOID, PointerGetDatum(box));
	appendStringInfoString(c.sql, " AND ");
}

static void
append_place(FilterCompiler &c, const char *expression, const FilterNode &node)
{
	GeoPoint low, high;
	const char *lon_lat = psprintf("(%s)[0], (%s)[1]", expression, expression);
	if (node.kind == FilterKind::geo_radius)
	{
		core::query::box_around(node.place, node.metres, low, high);
		append_around(c, expression, low, high);
		appendStringInfo(c.sql, "vecdb.geo_distance(%s, ", lon_lat);
		append_float(c, node.place.lon);
		appendStringInfoString(c.sql, ", ");
		append_float(c, node.place.lat);
		appendStringInfoString(c.sql, ") OPERATOR(pg_catalog.<) ");
		append_float(c, node.metres);
	}
	else if (node.kind == FilterKind::geo_box)
	{
		bool across = node.place.lon > node.corner.lon;
		append_around(c, expression,
					  GeoPoint{across ? -180 : node.place.lon, std::min(node.corner.lat, node.place.lat)},
					  GeoPoint{across ? 180 : node.corner.lon, std::max(node.corner.lat, node.place.lat)});
		appendStringInfo(c.sql, "vecdb.geo_in_box(%s", lon_lat);
		for (double degrees : {node.place.lon, node.place.lat, node.corner.lon, node.corner.lat})
		{
			appendStringInfoString(c.sql, ", ");
			append_float(c, degrees);
		}
		appendStringInfoChar(c.sql, ')');
	}
	else
	{
		Datum exterior = polygon_datum(node.rings[0]);
		const BOX &around = reinterpret_cast<POLYGON *>(DatumGetPointer(exterior))->boundbox;
		append_around(c, expression, GeoPoint{around.low.x, around.low.y}, GeoPoint{around.high.x, around.high.y});
		auto *holes = static_cast<Datum *>(palloc(sizeof(Datum) * node.ring_count));
		for (int i = 1; i < node.ring_count; i++)
			holes[i - 1] = polygon_datum(node.rings[i]);
		appendStringInfo(c.sql, "vecdb.geo_in_polygon(%s, ", lon_lat);
		append_value(c, POLYGONOID, exterior);
		appendStringInfoString(c.sql, ", ");
		append_value(c, get_array_type(POLYGONOID), array_of(POLYGONOID, holes, node.ring_count - 1));
		appendStringInfoChar(c.sql, ')');
	}
}

/* --- one value of the type: the column, or an element of it --- */

static void
append_scalar_condition(FilterCompiler &c, const char *expression, Oid type, const FilterNode &node)
{
	TypeClass type_class = class_of(type);
	switch (node.kind)
	{
		case FilterKind::one_of: append_one_of(c, expression, type, node); return;
		case FilterKind::not_one_of: append_not_one_of(c, expression, type, node); return;
		case FilterKind::number_range:
		case FilterKind::time_range: append_range(c, expression, type, node); return;
		case FilterKind::contains:
		case FilterKind::contains_any:
		case FilterKind::phrase:
		case FilterKind::prefix:
			if (type == TEXTOID || type == VARCHAROID)
				append_text_condition(c, expression, node);
			else if (type_class == TypeClass::text || type_class == TypeClass::uuid ||
					 type_class == TypeClass::enumeration)
				append_text_condition(c, psprintf("(%s)::pg_catalog.text", expression), node);
			else
				appendStringInfoString(c.sql, "false");
			return;
		case FilterKind::geo_radius:
		case FilterKind::geo_box:
		case FilterKind::geo_polygon:
			if (type_class == TypeClass::point)
				append_place(c, expression, node);
			else
				appendStringInfoString(c.sql, "false");
			return;
		default: break;
	}
	elog(ERROR, "unexpected condition of a filter: %d", static_cast<int>(node.kind));
}

static void
append_count(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	bool zero = node.low <= 0 && node.high >= 0, one = node.low <= 1 && node.high >= 1;
	if (OidIsValid(field.element))
		appendStringInfo(c.sql,
						 "COALESCE(pg_catalog.cardinality(%s), 0) OPERATOR(pg_catalog.>=) " INT64_FORMAT
						 " AND COALESCE(pg_catalog.cardinality(%s), 0) OPERATOR(pg_catalog.<=) " INT64_FORMAT,
						 field.expression, node.low, field.expression, node.high);
	else if (zero != one)
		appendStringInfo(c.sql, "%s IS %s", field.expression, zero ? "NULL" : "NOT NULL");
	else
		appendStringInfoString(c.sql, zero ? "true" : "false");
}

static void
append_array_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	Datum *values;
	if (node.kind == FilterKind::one_of)
	{
		int count = values_of(field.element_type, node, values);
		if (count == 0)
		{
			appendStringInfoString(c.sql, "false");
			return;
		}
		appendStringInfo(c.sql, "%s OPERATOR(pg_catalog.&&) ", field.expression);
		append_value(c, field.type, array_of(field.element, values, count));
		return;
	}
	appendStringInfo(c.sql, "EXISTS (SELECT FROM pg_catalog.unnest(%s) AS e(v) WHERE ", field.expression);
	append_scalar_condition(c, "e.v", field.element_type, node);
	appendStringInfoChar(c.sql, ')');
}

/* Substrings are of bytes, which a collation that holds different strings for equal does not look for. */
static const char *
text_expression(const FieldColumn &field, const FilterNode &node)
{
	bool substring = node.kind == FilterKind::contains || node.kind == FilterKind::contains_any ||
					 node.kind == FilterKind::phrase || node.kind == FilterKind::prefix;
	if (!substring || !node.config.empty() || !OidIsValid(field.collation) ||
		get_collation_isdeterministic(field.collation))
		return field.expression;
	return psprintf("(%s COLLATE pg_catalog.\"C\")", field.expression);
}

bool
append_column_condition(FilterCompiler &c, const FieldColumn &field, const FilterNode &node)
{
	bool array = OidIsValid(field.element);
	Oid type = array ? field.element_type : field.type;
	TypeClass type_class = class_of(type);
	bool whole = field.step_count == 0;
	bool elements = array && field.step_count == 1 && field.steps[0].kind == PathStep::Kind::all;
	if (type_class == TypeClass::other || node.kind == FilterKind::nested)
		return false;
	bool of_row = node.kind == FilterKind::is_null || node.kind == FilterKind::is_empty ||
				  node.kind == FilterKind::values_count;
	if (!whole && (!elements || of_row))
		return false;
	appendStringInfoChar(c.sql, '(');
	if (node.kind == FilterKind::is_null || (node.kind == FilterKind::is_empty && !array))
		appendStringInfo(c.sql, "%s IS NULL", field.expression);
	else if (node.kind == FilterKind::is_empty)
		appendStringInfo(c.sql, "%s IS NULL OR pg_catalog.cardinality(%s) OPERATOR(pg_catalog.=) 0", field.expression,
						 field.expression);
	else if (node.kind == FilterKind::values_count)
		append_count(c, field, node);
	else if (type_class == TypeClass::tsvector)
		append_tsvector_condition(c, field, node);
	else if (array)
		append_array_condition(c, field, node);
	else
		append_scalar_condition(c, text_expression(field, node), type, node);
	appendStringInfoChar(c.sql, ')');
	return true;
}

}  // namespace vecdb::api
