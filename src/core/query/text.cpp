/* SPDX-License-Identifier: PostgreSQL
 * The text form of a query value.
 *
 * Regime: core.
 */
#include "vecdb/query/value.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "vecdb/codec/sparsevec_text.hpp"
#include "vecdb/codec/vector_text.hpp"

namespace vecdb::core::query
{

using distance::Metric;

namespace
{

/* Where values of the object's keys lie in the text; null where a key is missing. */
struct Object
{
	std::string_view kind, metric, scale, vector, target, positive, negative, pairs;
};

constexpr const char *kKindNames[] = {"", "average", "best_score", "sum_scores", "discover", "context"};

class Scanner
{
public:
	explicit Scanner(std::string_view text) noexcept : p(text.data()), end(text.data() + text.size())
	{
	}

	void
	skip_space() noexcept
	{
		while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
			p++;
	}

	/* The next byte that is no space, if it is c, is taken. */
	bool
	take(char c) noexcept
	{
		skip_space();
		if (p == end || *p != c)
			return false;
		p++;
		return true;
	}

	bool
	at_end() noexcept
	{
		skip_space();
		return p == end;
	}

	/* What is between quotes. No escapes: no text of ours has any. */
	bool
	string(std::string_view &out) noexcept
	{
		if (!take('"'))
			return false;
		const char *begin = p;
		while (p < end && *p != '"')
		{
			if (*p == '\\')
				return false;
			p++;
		}
		if (p == end)
			return false;
		out = std::string_view(begin, static_cast<std::size_t>(p - begin));
		p++;
		return true;
	}

	/* A value, whole: a string with its quotes, an array with its brackets, or what goes up to the next , ] or }. */
	bool
	value(std::string_view &out) noexcept
	{
		skip_space();
		const char *begin = p;
		std::string_view ignored;
		std::size_t depth = 0;
		do
		{
			if (p == end)
				return false;
			if (*p == '"')
			{
				if (!string(ignored))
					return false;
				continue;
			}
			if (*p == '[')
				depth++;
			else if (*p == ']' || *p == '}' || *p == ',')
			{
				if (depth == 0)
					break;
				if (*p == ']')
					depth--;
			}
			p++;
		} while (depth > 0 || (p < end && *begin != '[' && *begin != '"'));
		out = std::string_view(begin, static_cast<std::size_t>(p - begin));
		return !out.empty();
	}

private:
	const char *p;
	const char *end;
};

Status
bad_text(const char *detail) noexcept
{
	return Status::error(Code::invalid_text, "invalid input syntax for type vecdb.query").with_detail(detail);
}

bool
unquoted(std::string_view &text) noexcept
{
	Scanner scanner(text);
	return scanner.string(text) && scanner.at_end();
}

Status
split(std::string_view text, Object &object) noexcept
{
	Scanner scanner(text);
	if (!scanner.take('{'))
		return bad_text("A query is written as a JSON object.");
	bool first = true;
	while (!scanner.take('}'))
	{
		std::string_view key, value;
		if (!first && !scanner.take(','))
			return bad_text("Keys of a query are separated by commas.");
		if (!scanner.string(key) || !scanner.take(':') || !scanner.value(value))
			return bad_text("A query has keys with values.");
		first = false;
		struct
		{
			const char *name;
			std::string_view *value;
		} keys[] = {{"kind", &object.kind},         {"metric", &object.metric}, {"scale", &object.scale},
					{"vector", &object.vector},     {"target", &object.target}, {"positive", &object.positive},
					{"negative", &object.negative}, {"pairs", &object.pairs}};
		std::string_view *place = nullptr;
		for (const auto &known : keys)
			if (key == known.name)
				place = known.value;
		if (place == nullptr)
			return bad_text("A query has a key that is not known.");
		if (place->data() != nullptr)
			return bad_text("A query has a key twice.");
		*place = value;
	}
	if (!scanner.at_end())
		return bad_text("There is text behind the query.");
	return Status::success();
}

/* Where examples go, one behind the other. */
struct Examples
{
	QueryHead &head;
	std::span<char> out;
	std::size_t &used;
};

/* The first example decides form and dimensions. */
Status
same_shape(QueryHead &head, Form form, std::int32_t dims) noexcept
{
	if (head.form == 0)
	{
		head.form = static_cast<std::uint8_t>(form);
		head.dims = dims;
	}
	if (head.form != static_cast<std::uint8_t>(form))
		return bad_text("Examples are all arrays or all strings.");
	if (head.dims != dims)
		return Status::error(Code::invalid_data, "different %s dimensions %d and %d",
							 form == Form::dense ? "vector" : "sparsevec", head.dims, dims);
	return Status::success();
}

Status
append_values(Examples &to, const float *values, std::size_t count) noexcept
{
	auto *out = reinterpret_cast<float *>(to.out.data() + to.used);
	if (count > 0)
		std::memcpy(out, values, count * sizeof *values);
	if (static_cast<Metric>(to.head.metric) == Metric::cosine && !make_unit(out, count))
		return bad_text("An example cannot be zero under cosine.");
	to.used += count * sizeof *values;
	return Status::success();
}

/* Not inlined: the array is 64 kB of stack. */
[[gnu::noinline]] Status
append_dense(Examples &to, std::string_view text) noexcept
{
	float x[codec::kMaxVectorElements];
	codec::ParsedVector parsed;
	Status status = codec::parse_vector_text(text, x, parsed);
	if (!status.ok())
		return status;
	status = same_shape(to.head, Form::dense, parsed.dims);
	if (!status.ok())
		return status;
	auto count = static_cast<std::size_t>(parsed.dims);
	if (to.out.size() - to.used < count * sizeof(float))
		return Status::error(Code::internal, "no room for the examples of a query");
	return append_values(to, x, count);
}

[[gnu::noinline]] Status
append_sparse(Examples &to, std::string_view text) noexcept
{
	codec::SparseElement elements[codec::kMaxSparseElements];
	codec::ParsedSparsevec parsed;
	if (!unquoted(text))
		return bad_text("An example is an array of numbers, or a string.");
	Status status = codec::parse_sparsevec_text(text, -1, elements, parsed);
	if (!status.ok())
		return status;
	status = same_shape(to.head, Form::sparse, parsed.dims);
	if (!status.ok())
		return status;
	auto count = static_cast<std::size_t>(parsed.count);
	if (to.out.size() - to.used < sizeof(std::int32_t) + count * (sizeof(std::int32_t) + sizeof(float)))
		return Status::error(Code::internal, "no room for the examples of a query");
	std::int32_t stored = parsed.count;
	std::memcpy(to.out.data() + to.used, &stored, sizeof stored);
	to.used += sizeof stored;
	auto *indices = reinterpret_cast<std::int32_t *>(to.out.data() + to.used);
	auto *values = reinterpret_cast<float *>(indices + count);
	for (std::size_t i = 0; i < count; i++)
	{
		indices[i] = elements[i].index;
		values[i] = elements[i].value;
	}
	to.used += count * sizeof *indices;
	if (static_cast<Metric>(to.head.metric) == Metric::cosine && !make_unit(values, count))
		return bad_text("An example cannot be zero under cosine.");
	to.used += count * sizeof *values;
	return Status::success();
}

Status
append(Examples &to, std::string_view text) noexcept
{
	return text.front() == '[' ? append_dense(to, text) : append_sparse(to, text);
}

/* [example, ...] or, depth 2, [[positive, negative], ...]. count: of the outer ones. */
Status
append_array(Examples &to, std::string_view text, int depth, std::int32_t &count) noexcept
{
	Scanner scanner(text);
	count = 0;
	if (!scanner.take('['))
		return bad_text("Examples are given as an array.");
	if (scanner.take(']'))
		return scanner.at_end() ? Status::success() : bad_text("Examples are given as an array.");
	do
	{
		std::string_view item;
		if (!scanner.value(item))
			return bad_text("Examples are given as an array.");
		if (static_cast<std::uint32_t>(count) == kMaxExamples)
			return Status::error(Code::limit_exceeded, "a query cannot have more than %d examples",
								 static_cast<int>(kMaxExamples));
		count++;
		std::int32_t pair = 2;
		Status status = depth == 1 ? append(to, item) : append_array(to, item, 1, pair);
		if (!status.ok())
			return status;
		if (pair != 2)
			return bad_text("A pair is an array of a positive and a negative example.");
	} while (scanner.take(','));
	if (!scanner.take(']') || !scanner.at_end())
		return bad_text("Examples are given as an array.");
	return Status::success();
}

Status
append_examples(Examples &to, const Object &object) noexcept
{
	QueryHead &head = to.head;
	auto kind = static_cast<Kind>(head.kind);
	bool lists = kind == Kind::best_score || kind == Kind::sum_scores;
	bool pairs = kind == Kind::discover || kind == Kind::context;
	auto given = [](std::string_view value) noexcept { return value.data() != nullptr; };
	if (given(object.vector) != (kind == Kind::average) || given(object.target) != (kind == Kind::discover) ||
		given(object.positive) != lists || given(object.negative) != lists || given(object.pairs) != pairs ||
		(given(object.scale) && kind != Kind::sum_scores))
		return bad_text("A query has the keys of its kind, and no others.");
	Status status = Status::success();
	if (kind == Kind::average)
	{
		head.positives = 1;
		return append(to, object.vector);
	}
	if (kind == Kind::discover)
		status = append(to, object.target);
	if (status.ok() && pairs)
	{
		status = append_array(to, object.pairs, 2, head.positives);
		head.negatives = head.positives;
	}
	if (status.ok() && lists)
		status = append_array(to, object.positive, 1, head.positives);
	if (status.ok() && lists)
		status = append_array(to, object.negative, 1, head.negatives);
	return status;
}

/* --- printing --- */

struct Printer
{
	char *p;

	void
	put(std::string_view text) noexcept
	{
		std::memcpy(p, text.data(), text.size());
		p += text.size();
	}

	template <class Float>
	void
	put_number(Float x) noexcept
	{
		/* The shortest that reads back as x has at most 24 characters. */
		p = std::to_chars(p, p + 32, x).ptr;
	}

	void
	put_example(const QueryHead &head, const char *&at) noexcept
	{
		Example e = example_at(head, at);
		at = e.next;
		put(e.indices == nullptr ? "[" : "\"{");
		for (std::int32_t i = 0; i < e.count; i++)
		{
			if (i > 0)
				put(",");
			if (e.indices != nullptr)
			{
				p = codec::print_integer(e.indices[i] + 1, p);
				put(":");
			}
			put_number(e.values[i]);
		}
		if (e.indices == nullptr)
			return put("]");
		put("}/");
		p = codec::print_integer(head.dims, p);
		put("\"");
	}

	void
	put_list(const QueryHead &head, const char *&at, std::int32_t count) noexcept
	{
		put("[");
		for (std::int32_t i = 0; i < count; i++)
		{
			if (i > 0)
				put(",");
			put_example(head, at);
		}
		put("]");
	}
};

}  // namespace

Status
parse_query_text(std::string_view text, QueryHead &head, std::span<char> examples, std::size_t &used) noexcept
{
	used = 0;
	head = QueryHead{};
	head.version = kQueryVersion;
	head.scale = 1;
	Object object{};
	Status status = split(text, object);
	if (!status.ok())
		return status;
	if (object.kind.data() == nullptr || object.metric.data() == nullptr)
		return bad_text("A query has a kind and a metric.");
	if (!unquoted(object.kind) || !unquoted(object.metric))
		return bad_text("Kind and metric of a query are strings.");
	for (std::uint8_t kind = 1; kind < std::size(kKindNames); kind++)
		if (object.kind == kKindNames[kind])
			head.kind = kind;
	if (head.kind == 0)
		return bad_text("The kind of a query is average, best_score, sum_scores, discover or context.");
	Metric metric;
	if (!metric_by_name(object.metric, metric))
		return bad_text("The metric of a query is cosine, dot, l2 or l1.");
	head.metric = static_cast<std::uint8_t>(metric);
	if (object.scale.data() != nullptr)
	{
		while (!object.scale.empty() && std::strchr(" \t\r\n", object.scale.back()) != nullptr)
			object.scale.remove_suffix(1);
		const char *end = object.scale.data() + object.scale.size();
		std::from_chars_result parsed = std::from_chars(object.scale.data(), end, head.scale);
		if (parsed.ec != std::errc() || parsed.ptr != end)
			return bad_text("The scale of a query is a number.");
	}
	Examples to{head, examples, used};
	status = append_examples(to, object);
	if (!status.ok())
		return status;
	if (head.form == 0)
		return bad_text("A query has at least one example.");
	status = check_head(head);
	if (status.code == Code::invalid_data)
		return bad_text(status.message);
	return status;
}

std::size_t
print_query_text(const QueryHead &head, const char *examples, char *out) noexcept
{
	Printer printer{out};
	auto kind = static_cast<Kind>(head.kind);
	printer.put("{\"kind\":\"");
	printer.put(kKindNames[head.kind]);
	printer.put("\",\"metric\":\"");
	printer.put(distance::metric_name(static_cast<Metric>(head.metric)));
	printer.put("\"");
	if (head.scale != 1)
	{
		printer.put(",\"scale\":");
		printer.put_number(head.scale);
	}
	switch (kind)
	{
		case Kind::average:
			printer.put(",\"vector\":");
			printer.put_example(head, examples);
			break;
		case Kind::best_score:
		case Kind::sum_scores:
			printer.put(",\"positive\":");
			printer.put_list(head, examples, head.positives);
			printer.put(",\"negative\":");
			printer.put_list(head, examples, head.negatives);
			break;
		case Kind::discover:
			printer.put(",\"target\":");
			printer.put_example(head, examples);
			[[fallthrough]];
		case Kind::context:
			printer.put(",\"pairs\":[");
			for (std::int32_t i = 0; i < head.positives; i++)
			{
				if (i > 0)
					printer.put(",");
				printer.put_list(head, examples, 2);
			}
			printer.put("]");
			break;
	}
	printer.put("}");
	*printer.p = '\0';
	return static_cast<std::size_t>(printer.p - out);
}

}  // namespace vecdb::core::query
