/* SPDX-License-Identifier: PostgreSQL
 * The grammar of filters: jsonb into a tree (docs/filters.md).
 *
 * Regime: shell.
 * Whatever is not in the grammar is refused by name and place: a key misspelt must not be a condition less.
 */
#include "api/filter_reader.hpp"

namespace vecdb::api
{

struct FilterReader
{
	int conditions;
	int depth;
};

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
