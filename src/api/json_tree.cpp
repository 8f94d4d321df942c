/* SPDX-License-Identifier: PostgreSQL
 * An argument of type jsonb as a tree that knows where each value stands.
 *
 * Regime: shell.
 */
#include "api/json_tree.hpp"

#include <cmath>
#include <cstring>

namespace vecdb::api
{

static void
read_node(JsonNode *node, const JsonbValue &value)
{
	check_stack_depth();
	node->value = value;
	switch (value.type)
	{
		case jbvNull: node->kind = JsonKind::null; return;
		case jbvBool: node->kind = JsonKind::boolean; return;
		case jbvNumeric: node->kind = JsonKind::number; return;
		case jbvString:
			node->kind = JsonKind::string;
			node->text = pnstrdup(value.val.string.val, value.val.string.len);
			return;
		case jbvBinary: break;
		default: elog(ERROR, "unexpected type of jsonb value %d", static_cast<int>(value.type));
	}
	JsonbContainer *container = value.val.binary.data;
	bool object = JsonContainerIsObject(container);
	node->kind = object ? JsonKind::object : JsonKind::array;
	node->count = static_cast<int>(JsonContainerSize(container));
	node->children = static_cast<JsonNode *>(
		MemoryContextAllocHuge(CurrentMemoryContext, (static_cast<Size>(node->count) + 1) * sizeof(JsonNode)));
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbValue part;
	const char *key = nullptr;
	int place = 0;
	for (;;)
	{
		JsonbIteratorToken token = JsonbIteratorNext(&iterator, &part, true);
		if (token == WJB_DONE)
			break;
		if (token == WJB_KEY)
			key = pnstrdup(part.val.string.val, part.val.string.len);
		else if (token == WJB_ELEM || token == WJB_VALUE)
		{
			JsonNode *child = &node->children[place];
			std::memset(child, 0, sizeof *child);
			child->parent = node;
			child->key = object ? key : nullptr;
			child->place = place++;
			read_node(child, part);
		}
	}
}

JsonNode *
read_json(Jsonb *json, const char *argument)
{
	auto *root = static_cast<JsonNode *>(palloc0(sizeof(JsonNode)));
	root->key = argument;
	JsonbValue value;
	if (JB_ROOT_IS_SCALAR(json))
		JsonbExtractScalar(&json->root, &value);
	else
	{
		value.type = jbvBinary;
		value.val.binary.data = &json->root;
		value.val.binary.len = static_cast<int>(VARSIZE(json) - VARHDRSZ);
	}
	read_node(root, value);
	return root;
}

static void
append_path(StringInfo path, const JsonNode *node)
{
	if (node->parent == nullptr)
		appendStringInfoString(path, node->key);
	else
	{
		append_path(path, node->parent);
		if (node->key != nullptr)
			appendStringInfo(path, ".%s", node->key);
		else
			appendStringInfo(path, "[%d]", node->place);
	}
}

const char *
json_path(const JsonNode *node)
{
	StringInfoData path;
	initStringInfo(&path);
	append_path(&path, node);
	return path.data;
}

void
report_json(const JsonNode *node, const char *message, int sqlstate)
{
	ereport(ERROR, (errcode(sqlstate), errmsg("%s", message), errdetail("At %s.", json_path(node))));
	pg_unreachable();
}

const JsonNode *
json_field_or_null(const JsonNode *object, const char *key)
{
	if (object->kind == JsonKind::object)
		for (int i = 0; i < object->count; i++)
			if (strcmp(object->children[i].key, key) == 0)
				return &object->children[i];
	return nullptr;
}

const JsonNode *
json_field(const JsonNode *object, const char *key)
{
	const JsonNode *field = json_field_or_null(object, key);
	return field != nullptr && field->kind != JsonKind::null ? field : nullptr;
}

void
check_json_keys(const JsonNode *object, const char *const *keys, int sqlstate)
{
	check_json_kind(object, JsonKind::object);
	for (int i = 0; i < object->count; i++)
	{
		/* Of what is not supported, null asks nothing. */
		bool known = sqlstate == ERRCODE_FEATURE_NOT_SUPPORTED && object->children[i].kind == JsonKind::null;
		for (const char *const *key = keys; *key != nullptr; key++)
			known = known || strcmp(*key, object->children[i].key) == 0;
		if (known)
			continue;
		StringInfoData list;
		initStringInfo(&list);
		for (const char *const *key = keys; *key != nullptr; key++)
			appendStringInfo(&list, "%s%s", key == keys ? "" : ", ", *key);
		ereport(ERROR, (errcode(sqlstate),
						sqlstate == ERRCODE_FEATURE_NOT_SUPPORTED
							? errmsg("key \"%s\" is not supported", object->children[i].key)
							: errmsg("there is no key \"%s\"", object->children[i].key),
						errdetail("At %s.", json_path(&object->children[i])), errhint("Keys here: %s.", list.data)));
	}
}

void
check_json_kind(const JsonNode *node, JsonKind kind)
{
	static const char *const kWanted[] = {"null", "true or false", "a number", "a string", "an array", "an object"};
	if (node->kind != kind)
		report_json(node, psprintf("%s is wanted", kWanted[static_cast<int>(kind)]));
}

double
json_double(const JsonNode *node)
{
	check_json_kind(node, JsonKind::number);
	double number =
		DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(node->value.val.numeric)));
	if (!std::isfinite(number))
		report_json(node, "the number is out of range");
	return number;
}

int64
json_integer(const JsonNode *node, int64 least, int64 most)
{
	double number = json_double(node);
	if (number != std::floor(number))
		report_json(node, "a whole number is wanted");
	if (number < static_cast<double>(least) || number > static_cast<double>(most))
		report_json(node, psprintf("a number between " INT64_FORMAT " and " INT64_FORMAT " is wanted", least, most));
	return static_cast<int64>(number);
}

bool
json_boolean(const JsonNode *node)
{
	check_json_kind(node, JsonKind::boolean);
	return node->value.val.boolean;
}

const char *
json_string(const JsonNode *node)
{
	check_json_kind(node, JsonKind::string);
	return node->text;
}

Jsonb *
json_value(const JsonNode *node)
{
	JsonbValue value = node->value;
	return JsonbValueToJsonb(&value);
}

const char *
json_scalar_text(const JsonNode *node)
{
	switch (node->kind)
	{
		case JsonKind::string: return node->text;
		case JsonKind::boolean: return node->value.val.boolean ? "true" : "false";
		case JsonKind::number:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(node->value.val.numeric)));
		default: report_json(node, "a number or a string is wanted");
	}
}

const char *
json_numbers_text(const JsonNode *node)
{
	check_json_kind(node, JsonKind::array);
	StringInfoData text;
	initStringInfo(&text);
	for (int i = 0; i < node->count; i++)
	{
		check_json_kind(&node->children[i], JsonKind::number);
		appendStringInfo(&text, "%c%s", i == 0 ? '[' : ',', json_scalar_text(&node->children[i]));
	}
	appendStringInfoString(&text, node->count == 0 ? "[]" : "]");
	return text.data;
}

}  // namespace vecdb::api
