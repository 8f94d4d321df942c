/* SPDX-License-Identifier: PostgreSQL
 * Scalars of JSON: order, membership, numbers as machine numbers.
 *
 * Regime: shell.
 */
#include "api/filter_tree.hpp"

#include <algorithm>
#include <cstdlib>

namespace vecdb::api
{

static int
numeric_order(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

int
compare_scalars(const JsonbValue &a, const JsonbValue &b)
{
	if (a.type != b.type)
		return a.type < b.type ? -1 : 1;
	switch (a.type)
	{
		case jbvString: return string_of(a).compare(string_of(b));
		case jbvNumeric: return numeric_order(a.val.numeric, b.val.numeric);
		case jbvBool: return static_cast<int>(a.val.boolean) - static_cast<int>(b.val.boolean);
		default: return 0;
	}
}

bool
is_listed(const FilterNode &node, const JsonbValue &value)
{
	int low = 0, high = node.value_count;
	while (low < high)
	{
		int middle = (low + high) / 2;
		int order = compare_scalars(node.values[middle], value);
		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

double
double_of(Numeric number)
{
	char *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	double value = strtod(text, nullptr);
	pfree(text);
	return value;
}

static int64
whole_of(Numeric number, PGFunction round, int &beyond)
{
	Numeric whole = DatumGetNumeric(DirectFunctionCall1(round, NumericGetDatum(number)));
	beyond = numeric_order(whole, int64_to_numeric(PG_INT64_MAX)) > 0   ? 1
			 : numeric_order(whole, int64_to_numeric(PG_INT64_MIN)) < 0 ? -1
																		: 0;
	if (beyond != 0)
		return beyond > 0 ? PG_INT64_MAX : PG_INT64_MIN;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(whole)));
}

int64
floor_of(Numeric number, int &beyond)
{
	return whole_of(number, numeric_floor, beyond);
}

int64
ceil_of(Numeric number, int &beyond)
{
	return whole_of(number, numeric_ceil, beyond);
}

bool
is_integer(Numeric number)
{
	return numeric_order(number, DatumGetNumeric(DirectFunctionCall1(numeric_floor, NumericGetDatum(number)))) == 0;
}

static bool
read_degrees(JsonbContainer *object, const char *name, double &degrees)
{
	JsonbValue value;
	if (getKeyJsonValueFromContainer(object, name, static_cast<int>(strlen(name)), &value) == nullptr ||
		value.type != jbvNumeric)
		return false;
	degrees = double_of(value.val.numeric);
	return true;
}

bool
read_place(JsonbContainer *object, GeoPoint &place)
{
	return read_degrees(object, "lon", place.lon) && read_degrees(object, "lat", place.lat) &&
		   core::query::is_place(place);
}

}  // namespace vecdb::api
