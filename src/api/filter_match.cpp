/* SPDX-License-Identifier: PostgreSQL
 * vecdb.matches(doc, filter): a filter judged on a document, without SQL.
 *
 * Regime: shell.
 * The oracle of the compiler in tests, and what compiled conditions call for what jsonpath cannot say: date-times, places, counts of
 * conditions within nested. The filter's tree is kept between calls for as long as the filter stays the same.
 */
#include "api/filter_tree.hpp"

#include "vecdb/query/date_time.hpp"

namespace vecdb::api
{

using Test = bool (*)(const FilterNode &node, const JsonbValue &value);

static bool
is_array(const JsonbValue &value)
{
	return value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data);
}

static bool
is_object(const JsonbValue &value)
{
	return value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data);
}

/* Does test hold for an element of the array? */
static bool
any_element(const JsonbValue &array, const FilterNode &node, Test test)
{
	JsonbIterator *it = JsonbIteratorInit(array.val.binary.data);
	JsonbValue element;
	JsonbIteratorNext(&it, &element, true);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
		if (test(node, element))
			return true;
	return false;
}

/* Does test hold for a value that the path leads to? */
static bool
any_value(const JsonbValue &value, const PathStep *steps, int count, const FilterNode &node, Test test)
{
	if (count == 0)
		return test(node, value);
	JsonbValue next;
	switch (steps->kind)
	{
		case PathStep::Kind::name:
			return is_object(value) &&
				   getKeyJsonValueFromContainer(value.val.binary.data, steps->name.data(),
												static_cast<int>(steps->name.size()), &next) != nullptr &&
				   any_value(next, steps + 1, count - 1, node, test);
		case PathStep::Kind::element:
		{
			if (!is_array(value))
				return false;
			JsonbValue *element =
				getIthJsonbValueFromContainer(value.val.binary.data, static_cast<uint32>(steps->index));
			return element != nullptr && any_value(*element, steps + 1, count - 1, node, test);
		}
		case PathStep::Kind::all: break;
	}
	if (!is_array(value))
		return false;
	JsonbIterator *it = JsonbIteratorInit(value.val.binary.data);
	JsonbIteratorNext(&it, &next, true);
	while (JsonbIteratorNext(&it, &next, true) == WJB_ELEM)
		if (any_value(next, steps + 1, count - 1, node, test))
			return true;
	return false;
}

/* --- one value --- */

static bool
contains_word(std::string_view text, std::string_view words)
{
	constexpr const char *kBlank = " \t\n\v\f\r";
	for (size_t begin = words.find_first_not_of(kBlank); begin != std::string_view::npos;)
	{
		size_t end = words.find_first_of(kBlank, begin);
		if (text.find(words.substr(begin, end - begin)) != std::string_view::npos)
			return true;
		begin = words.find_first_not_of(kBlank, end);
	}
	return false;
}

static bool
holds_number(const FilterNode &node, Numeric number)
{
	for (int i = 0; i < kBounds; i++)
	{
		if (node.numbers[i] == nullptr)
			continue;
		int order =
			DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(number), NumericGetDatum(node.numbers[i])));
		if (!(i == kGt ? order > 0 : i == kGte ? order >= 0 : i == kLt ? order < 0 : order <= 0))
			return false;
	}
	return true;
}

static bool
holds_time(const FilterNode &node, int64 time)
{
	return (!node.has_time[kGt] || time > node.times[kGt]) && (!node.has_time[kGte] || time >= node.times[kGte]) &&
		   (!node.has_time[kLt] || time < node.times[kLt]) && (!node.has_time[kLte] || time <= node.times[kLte]);
}

static bool
holds_place(const FilterNode &node, GeoPoint place)
{
	if (node.kind == FilterKind::geo_radius)
		return core::query::geo_distance(node.place, place) < node.metres;
	if (node.kind == FilterKind::geo_box)
		return core::query::in_box(place, node.place, node.corner);
	for (int i = 0; i < node.ring_count; i++)
	{
		std::span<const GeoPoint> ring(node.rings[i].points, static_cast<size_t>(node.rings[i].count));
		if (i == 0 ? !core::query::in_ring(place, ring)
				   : core::query::in_ring(place, ring) || core::query::on_ring(place, ring))
			return false;
	}
	return true;
}

/* A value, or an element of an array that is the value. */
static bool
holds_element(const FilterNode &node, const JsonbValue &value)
{
	int64 time;
	GeoPoint place;
	bool string = value.type == jbvString;
	switch (node.kind)
	{
		case FilterKind::one_of: return value.type != jbvBinary && value.type != jbvNull && is_listed(node, value);
		case FilterKind::not_one_of:
			return value.type != jbvNull && (value.type == jbvBinary || !is_listed(node, value));
		case FilterKind::contains: return string && string_of(value).find(node.words) != std::string_view::npos;
		case FilterKind::contains_any: return string && contains_word(string_of(value), node.words);
		case FilterKind::phrase:
			return string && !node.words.empty() && string_of(value).find(node.words) != std::string_view::npos;
		case FilterKind::prefix: return string && string_of(value).starts_with(node.words);
		case FilterKind::number_range: return value.type == jbvNumeric && holds_number(node, value.val.numeric);
		case FilterKind::time_range:
			return string && core::query::parse_date_time(string_of(value), time) && holds_time(node, time);
		case FilterKind::geo_radius:
		case FilterKind::geo_box:
		case FilterKind::geo_polygon:
			return is_object(value) && read_place(value.val.binary.data, place) && holds_place(node, place);
		default: break;
	}
	elog(ERROR, "unexpected condition of a filter: %d", static_cast<int>(node.kind));
	return false;
}

static bool
holds_value(const FilterNode &node, const JsonbValue &value)
{
	return is_array(value) ? any_element(value, node, holds_element) : holds_element(node, value);
}

static bool
is_there(const FilterNode &, const JsonbValue &)
{
	return true;
}

static bool
is_null_value(const FilterNode &, const JsonbValue &value)
{
	return value.type == jbvNull;
}

static bool
is_not_empty(const FilterNode &, const JsonbValue &value)
{
	return value.type != jbvNull && !(is_array(value) && JsonContainerSize(value.val.binary.data) == 0);
}

static bool
holds_count(const FilterNode &node, const JsonbValue &value)
{
	int64 count = value.type == jbvNull ? 0 : is_array(value) ? JsonContainerSize(value.val.binary.data) : 1;
	return count >= node.low && count <= node.high;
}

/* --- a document --- */

static bool judge(const FilterNode &node, const JsonbValue &document, bool inside);

static bool
judge_element(const FilterNode &node, const JsonbValue &element)
{
	return is_object(element) && judge(*node.children[0], element, true);
}

static bool
judge_nested(const FilterNode &node, const JsonbValue &document)
{
	PathStep steps[kMaxPathSteps + 1];
	int count = node.key.count;
	memcpy(steps, node.key.steps, sizeof(PathStep) * count);
	if (steps[count - 1].kind != PathStep::Kind::all)
		steps[count++] = PathStep{PathStep::Kind::all, 0, {}};
	return any_value(document, steps, count, node, judge_element);
}

static bool
judge(const FilterNode &node, const JsonbValue &document, bool inside)
{
	check_stack_depth();
	auto any = [&](Test test) { return any_value(document, node.key.steps, node.key.count, node, test); };
	int64 held = 0;
	switch (node.kind)
	{
		case FilterKind::all:
			for (int i = 0; i < node.child_count; i++)
				if (!judge(*node.children[i], document, inside))
					return false;
			return true;
		case FilterKind::any:
			for (int i = 0; i < node.child_count; i++)
				if (judge(*node.children[i], document, inside))
					return true;
			return false;
		case FilterKind::at_least:
			for (int i = 0; i < node.child_count && held < node.least; i++)
				held += judge(*node.children[i], document, inside);
			return held >= node.least;
		case FilterKind::negation: return !judge(*node.children[0], document, inside);
		case FilterKind::values_count: return any(holds_count) || (node.low <= 0 && node.high >= 0 && !any(is_there));
		case FilterKind::is_empty: return !any(is_not_empty);
		case FilterKind::is_null: return any(is_null_value);
		case FilterKind::nested: return judge_nested(node, document);
		case FilterKind::has_id:
		case FilterKind::has_vector:
		case FilterKind::slice:
			if (!inside)
				ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
								errmsg("a document has no %s", node.kind == FilterKind::has_vector ? "vector" : "id"),
								errdetail("has_id, has_vector and slice are conditions on rows of a relation.")));
			return false;
		default: break;
	}
	if (!node.config.empty())
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a text search configuration does not apply to fields of a document"),
						errhint("Match a column of type text or tsvector.")));
	return any(holds_value);
}

/* The tree of the last filter. */
struct KeptFilter
{
	MemoryContext context;
	struct varlena *filter;
	FilterNode *tree;
};

static const FilterNode *
kept_tree(FmgrInfo *function, struct varlena *filter)
{
	auto *kept = static_cast<KeptFilter *>(function->fn_extra);
	if (kept == nullptr)
	{
		kept = static_cast<KeptFilter *>(MemoryContextAllocZero(function->fn_mcxt, sizeof(KeptFilter)));
		kept->context = AllocSetContextCreate(function->fn_mcxt, "vecdb filter", ALLOCSET_SMALL_SIZES);
		function->fn_extra = kept;
	}
	if (kept->tree != nullptr && VARSIZE_ANY(kept->filter) == VARSIZE_ANY(filter) &&
		memcmp(kept->filter, filter, VARSIZE_ANY(filter)) == 0)
		return kept->tree;
	kept->tree = nullptr;
	MemoryContextReset(kept->context);
	MemoryContext old = MemoryContextSwitchTo(kept->context);
	kept->filter = static_cast<struct varlena *>(palloc(VARSIZE_ANY(filter)));
	memcpy(kept->filter, filter, VARSIZE_ANY(filter));
	kept->tree = read_filter(reinterpret_cast<Jsonb *>(kept->filter));
	MemoryContextSwitchTo(old);
	return kept->tree;
}

}  // namespace vecdb::api

using namespace vecdb;

VECDB_FUNCTION(vecdb_matches)
{
	Jsonb *document = PG_GETARG_JSONB_P(0);
	struct varlena *filter = PG_DETOAST_DATUM(PG_GETARG_DATUM(1));
	JsonbValue root;
	root.type = jbvBinary;
	root.val.binary.data = &document->root;
	root.val.binary.len = static_cast<int>(VARSIZE_ANY_EXHDR(document));
	if (JB_ROOT_IS_SCALAR(document))
		JsonbExtractScalar(&document->root, &root);
	PG_RETURN_BOOL(api::judge(*api::kept_tree(fcinfo->flinfo, filter), root, false));
}
