/* SPDX-License-Identifier: PostgreSQL
 * Regime: shell.
 */
#include "api/filter_reader.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace vecdb::api
{

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

char *
path_of(const Place *at)
{
	StringInfoData out;
	initStringInfo(&out);
	append_path(&out, at);
	return out.len > 0 ? psprintf("at %s", out.data) : pstrdup("at the root of the filter");
}

char *
clipped(std::string_view text)
{
	StringInfoData out;
	initStringInfo(&out);
	append_clipped(&out, text);
	return out.data;
}

void
refuse(const Place *at, const char *message)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message), errdetail("%s", path_of(at))));
	pg_unreachable();
}

void
refuse_key(const Place *at, std::string_view key, const char *known)
{
	Place here{at, key.empty() ? std::string_view("\"\"") : key, 0};
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown key \"%s\" in a filter", clipped(key)),
					errdetail("%s", path_of(&here)), errhint("Known here: %s.", known)));
	pg_unreachable();
}

void
refuse_size(const Place *at, const char *what, int64 limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a filter cannot have more than " INT64_FORMAT " %s", limit, what), errdetail("%s", path_of(at))));
	pg_unreachable();
}

/* --- reading JSON --- */

bool
is_object(const JsonbValue &value)
{
	return value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data);
}

bool
is_array(const JsonbValue &value)
{
	return value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data);
}

JsonbIterator *
open_container(const JsonbValue &value)
{
	JsonbIterator *it = JsonbIteratorInit(value.val.binary.data);
	JsonbValue begin;
	JsonbIteratorNext(&it, &begin, true);
	return it;
}

bool
next_pair(JsonbIterator *&it, JsonbValue &key, JsonbValue &value)
{
	if (JsonbIteratorNext(&it, &key, true) != WJB_KEY)
		return false;
	JsonbIteratorNext(&it, &value, true);
	return true;
}

bool
next_element(JsonbIterator *&it, JsonbValue &value)
{
	return JsonbIteratorNext(&it, &value, true) == WJB_ELEM;
}

int
element_count(const JsonbValue &array)
{
	return static_cast<int>(JsonContainerSize(array.val.binary.data));
}

bool
find_key(const JsonbValue &object, const char *name, JsonbValue &value)
{
	return getKeyJsonValueFromContainer(object.val.binary.data, name, static_cast<int>(strlen(name)), &value) !=
		   nullptr;
}

const char *
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

void
need_object(const JsonbValue &value, const Place *at)
{
	if (!is_object(value))
		refuse(at, psprintf("a filter has %s where an object belongs", kind_of(value)));
}

std::string_view
need_string(const JsonbValue &value, const Place *at)
{
	if (value.type != jbvString)
		refuse(at, psprintf("a filter has %s where a string belongs", kind_of(value)));
	return string_of(value);
}

Numeric
need_number(const JsonbValue &value, const Place *at)
{
	if (value.type != jbvNumeric)
		refuse(at, psprintf("a filter has %s where a number belongs", kind_of(value)));
	return value.val.numeric;
}

int64
need_count(const JsonbValue &value, const Place *at)
{
	Numeric number = need_number(value, at);
	int beyond;
	int64 count = floor_of(number, beyond);
	if (!is_integer(number) || count < 0)
		refuse(at, "a count in a filter must be an integer that is not negative");
	return count;
}

FilterNode *
new_node(FilterKind kind)
{
	auto *node = static_cast<FilterNode *>(palloc0(sizeof(FilterNode)));
	node->kind = kind;
	return node;
}

/* --- fields --- */

FieldKey
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

}  // namespace vecdb::api
