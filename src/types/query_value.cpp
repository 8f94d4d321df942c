/* SPDX-License-Identifier: PostgreSQL
 * Type vecdb.query: builders, text and binary input and output, and scores.
 *
 * Regime: shell.
 * Memory: a score allocates nothing unless an argument is toasted.
 * Keeps:  a query that leaves here has passed check_head; its examples are finite, and of unit length under cosine.
 */
#include "types/query_value.hpp"

#include <algorithm>
#include <cfloat>
#include <span>

#include "pg/report.hpp"
#include "vecdb/codec/vector_text.hpp"
#include "vecdb/distance/kernels.hpp"

namespace vecdb
{
inline namespace types
{

using core::distance::kernels;
using core::distance::Metric;
using core::query::Form;
using core::query::Kind;
using core::query::QueryHead;

static_assert(offsetof(QueryHead, version) == VARHDRSZ);

/* --- names --- */

Kind
parse_strategy(const char *name)
{
	Kind kind;
	if (!core::query::strategy_by_name(name, kind))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized strategy: \"%s\"", name),
						errhint("Strategies are average_vector, best_score and sum_scores.")));
	return kind;
}

Metric
parse_metric(const char *name)
{
	Metric metric;
	if (!core::query::metric_by_name(name, metric))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unrecognized metric: \"%s\"", name),
						errhint("Metrics are cosine, inner_product (dot), l2 (euclidean) and l1 (manhattan).")));
	return metric;
}

/* --- builders --- */

static Size
example_bytes(const IndexedValue &v)
{
	if (v.type == ElementType::sparse)
		return sizeof(int32) + static_cast<Size>(v.count) * (sizeof(int32) + sizeof(float));
	return static_cast<Size>(v.dimensions) * sizeof(float);
}

static void
report_zero_example()
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("an example cannot be a zero vector under metric cosine")));
}

/* Writes the example; returns the place behind it. */
static char *
put_example(Metric metric, const IndexedValue &v, char *out)
{
	auto *values = reinterpret_cast<float *>(out);
	auto count = static_cast<Size>(v.dimensions);
	if (v.type == ElementType::sparse)
	{
		count = static_cast<Size>(v.count);
		memcpy(out, &v.count, sizeof(int32));
		if (count > 0)
			memcpy(out + sizeof(int32), v.elements, count * (sizeof(int32) + sizeof(float)));
		values = reinterpret_cast<float *>(out + sizeof(int32) + count * sizeof(int32));
	}
	else
		indexed_row(v, values);
	if (metric == Metric::cosine && !core::query::make_unit(values, count))
		report_zero_example();
	return reinterpret_cast<char *>(values + count);
}

/* Checks the examples of both sides, and a target unless it is 0; returns their bytes. dims: of the first. */
static Size
check_examples(ElementType type, Datum target, const Examples &positive, const Examples &negative, int *dims)
{
	Size bytes = 0;
	*dims = 0;
	for (int i = target == 0 ? 0 : -1; i < positive.count + negative.count; i++)
	{
		Datum value = i < 0 ? target : i < positive.count ? positive.values[i] : negative.values[i - positive.count];
		IndexedValue v = indexed_value(value, type);
		if (*dims == 0)
			*dims = v.dimensions;
		check_same_indexed_dimensions(*dims, v.dimensions, type);
		bytes += example_bytes(v);
	}
	if (*dims == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a query must have at least one example")));
	return bytes;
}

static QueryHead *
new_query(Kind kind, Metric metric, ElementType type, int dims, int positives, int negatives, Size bytes)
{
	if (static_cast<uint64>(positives) + static_cast<uint64>(negatives) > core::query::kMaxExamples)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a query cannot have more than %u examples", core::query::kMaxExamples),
						errhint("Strategy average_vector takes any number of examples.")));
	Size size_bytes = sizeof(QueryHead) + bytes;
	auto *head = static_cast<QueryHead *>(palloc(size_bytes));
	*head = QueryHead{};
	SET_VARSIZE(head, size_bytes);
	head->version = core::query::kQueryVersion;
	head->kind = static_cast<uint8>(kind);
	head->metric = static_cast<uint8>(metric);
	head->form = static_cast<uint8>(type == ElementType::sparse ? Form::sparse : Form::dense);
	head->dims = dims;
	head->positives = positives;
	head->negatives = negatives;
	head->scale = 1;
	return head;
}

/* A weighted sum of examples: elements in double, of sparse ones those that are not 0. */
struct Sum
{
	int dims;
	int count;       // of elements
	int32 *indices;  // null where dense
	double *values;
	double norm;
	bool fits;  // as an example: elements are finite floats, not too many
};

struct SparseTerm
{
	int32 index;
	double value;
};

/* Of weight * (sum of positive) - (another weight) * (sum of negative). Under cosine each is made a unit vector first. */
static Sum
weighted_sum(Metric metric, ElementType type, int dims, const Examples &positive, double positive_weight,
			 const Examples &negative, double negative_weight)
{
	Sum sum{dims, dims, nullptr, nullptr, 0, true};
	bool sparse = type == ElementType::sparse;
	Size terms = 0, most = static_cast<Size>(dims) * sizeof(float);
	int n = positive.count + negative.count;
	if (sparse)
	{
		most = 0;
		for (int i = 0; i < n; i++)
		{
			Datum value = i < positive.count ? positive.values[i] : negative.values[i - positive.count];
			IndexedValue v = indexed_value(value, type);
			terms += static_cast<Size>(v.count);
			most = std::max(most, example_bytes(v));
		}
	}
	auto *all = sparse ? static_cast<SparseTerm *>(
							 MemoryContextAllocHuge(CurrentMemoryContext, (terms + 1) * sizeof(SparseTerm)))
					   : nullptr;
	if (!sparse)
		sum.values = static_cast<double *>(palloc0(static_cast<Size>(dims) * sizeof(double)));
	char *example = static_cast<char *>(palloc(most));
	terms = 0;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		bool raises = i < positive.count;
		double weight = raises ? positive_weight : -negative_weight;
		IndexedValue v = indexed_value(raises ? positive.values[i] : negative.values[i - positive.count], type);
		put_example(metric, v, example);
		if (!sparse)
		{
			auto *x = reinterpret_cast<const float *>(example);
			for (int j = 0; j < dims; j++)
				sum.values[j] += weight * static_cast<double>(x[j]);
			continue;
		}
		auto *indices = reinterpret_cast<const int32 *>(example + sizeof(int32));
		auto *x = reinterpret_cast<const float *>(indices + v.count);
		for (int j = 0; j < v.count; j++)
			all[terms++] = SparseTerm{indices[j], weight * static_cast<double>(x[j])};
	}
	pfree(example);
	if (sparse)
	{
		/* By value too: sums come out the same whatever the order of the examples. */
		std::sort(all, all + terms, [](const SparseTerm &a, const SparseTerm &b) noexcept {
			return a.index != b.index ? a.index < b.index : a.value < b.value;
		});
		sum.indices = static_cast<int32 *>(MemoryContextAllocHuge(CurrentMemoryContext, (terms + 1) * sizeof(int32)));
		sum.values = static_cast<double *>(MemoryContextAllocHuge(CurrentMemoryContext, (terms + 1) * sizeof(double)));
		sum.count = 0;
		for (Size i = 0; i < terms;)
		{
			int32 index = all[i].index;
			double value = 0;
			for (; i < terms && all[i].index == index; i++)
				value += all[i].value;
			if (static_cast<float>(value) == 0.0f)
				continue;
			sum.indices[sum.count] = index;
			sum.values[sum.count++] = value;
		}
		pfree(all);
		sum.fits = sum.count <= kMaxSparseNonzero;
	}
	double norm2 = 0;
	for (int i = 0; i < sum.count; i++)
	{
		norm2 += sum.values[i] * sum.values[i];
		sum.fits = sum.fits && std::fabs(sum.values[i]) <= static_cast<double>(FLT_MAX);
	}
	sum.norm = std::sqrt(norm2);
	return sum;
}

/* One example, of unit length under cosine: the sum has a direction then. */
static QueryHead *
query_of_sum(Kind kind, Metric metric, ElementType type, const Sum &sum)
{
	auto count = static_cast<Size>(sum.count);
	Size bytes = count * sizeof(float);
	if (sum.indices != nullptr)
		bytes += sizeof(int32) + count * sizeof(int32);
	QueryHead *head = new_query(kind, metric, type, sum.dims, 1, 0, bytes);
	char *out = reinterpret_cast<char *>(head + 1);
	if (sum.indices != nullptr)
	{
		memcpy(out, &sum.count, sizeof(int32));
		memcpy(out + sizeof(int32), sum.indices, count * sizeof(int32));
		out += sizeof(int32) + count * sizeof(int32);
	}
	auto *values = reinterpret_cast<float *>(out);
	double factor = metric == Metric::cosine ? 1 / sum.norm : 1;
	for (Size i = 0; i < count; i++)
		values[i] = static_cast<float>(sum.values[i] * factor);
	return head;
}

/* What is left where unit vectors cancel: the rounding of their elements, and no direction. */
constexpr double kNoDirection = 1e-6;

static Datum
average_query(Metric metric, ElementType type, int dims, const Examples &positive, const Examples &negative)
{
	if (positive.count == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("strategy average_vector needs at least one positive example")));
	double to = (negative.count > 0 ? 2.0 : 1.0) / positive.count;
	double from = negative.count > 0 ? 1.0 / negative.count : 0;
	Sum sum = weighted_sum(metric, type, dims, positive, to, negative, from);
	if (metric == Metric::cosine && sum.norm < kNoDirection)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the average of the examples is zero, which has no direction under metric cosine")));
	if (!sum.fits && sum.indices != nullptr)
		check_sparse_nonzero(sum.count);
	if (!sum.fits)
		float_overflow_error();
	return PointerGetDatum(query_of_sum(Kind::average, metric, type, sum));
}

/*
 * Sums of inner products are products with the sum, and so are those of cosines: one example stands for all, and the scale is the length
 * that it has lost. Null where the sum is no example, or too short beside its terms to be exact.
 */
static QueryHead *
reduced_query(Metric metric, ElementType type, int dims, const Examples &positive, const Examples &negative)
{
	if (metric != Metric::cosine && metric != Metric::inner_product)
		return nullptr;
	Sum sum = weighted_sum(metric, type, dims, positive, 1, negative, 1);
	if (!sum.fits || (metric == Metric::cosine && sum.norm < 0.01))
		return nullptr;
	QueryHead *head = query_of_sum(Kind::sum_scores, metric, type, sum);
	if (metric == Metric::cosine)
		head->scale = sum.norm;
	return head;
}

/* Bit for bit, and not zero: what is no example under cosine is refused elsewhere. */
static bool
same_example(ElementType type, Datum a, Datum b)
{
	IndexedValue x = indexed_value(a, type), y = indexed_value(b, type);
	Size bytes = type == ElementType::sparse ? static_cast<Size>(x.count) * (sizeof(int32) + sizeof(float))
											 : indexed_value_bytes(static_cast<uint32>(x.dimensions), type);
	return x.dimensions == y.dimensions && x.count == y.count && memcmp(x.elements, y.elements, bytes) == 0 &&
		   !indexed_is_zero(x);
}

/* For best_score: leaves out positives that are negatives too, as no row is nearer to one than to the other. */
static void
drop_contradicted(ElementType type, Examples &positive, const Examples &negative)
{
	auto *p = static_cast<Datum *>(palloc(static_cast<Size>(positive.count + 1) * sizeof(Datum)));
	int count = 0;
	for (int i = 0; i < positive.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		bool contradicted = false;
		for (int j = 0; j < negative.count && !contradicted; j++)
			contradicted = same_example(type, positive.values[i], negative.values[j]);
		if (!contradicted)
			p[count++] = positive.values[i];
	}
	positive = Examples{p, count};
}

Datum
make_recommend_query(Kind strategy, Metric metric, ElementType type, Examples positive, Examples negative)
{
	int dims;
	Size bytes = check_examples(type, 0, positive, negative, &dims);
	if (strategy == Kind::average)
		return average_query(metric, type, dims, positive, negative);
	QueryHead *head = strategy == Kind::sum_scores ? reduced_query(metric, type, dims, positive, negative) : nullptr;
	if (head != nullptr)
		return PointerGetDatum(head);
	if (strategy == Kind::best_score)
	{
		drop_contradicted(type, positive, negative);
		bytes = check_examples(type, 0, positive, negative, &dims);
	}
	head = new_query(strategy, metric, type, dims, positive.count, negative.count, bytes);
	char *out = reinterpret_cast<char *>(head + 1);
	for (int i = 0; i < positive.count; i++)
		out = put_example(metric, indexed_value(positive.values[i], type), out);
	for (int i = 0; i < negative.count; i++)
		out = put_example(metric, indexed_value(negative.values[i], type), out);
	return PointerGetDatum(head);
}

/*
 * Leaves out pairs of an example with itself: in discover they say nothing, in context the same of each row (about 1e-7 of the
 * score). Bounds, which know nothing of one similarity from the other, would doubt every row. Where no other is left, they stay.
 */
static void
drop_equal_pairs(Kind kind, ElementType type, Examples &positive, Examples &negative)
{
	auto *p = static_cast<Datum *>(palloc(static_cast<Size>(positive.count + 1) * sizeof(Datum)));
	auto *n = static_cast<Datum *>(palloc(static_cast<Size>(positive.count + 1) * sizeof(Datum)));
	int count = 0;
	for (int i = 0; i < positive.count; i++)
	{
		if (same_example(type, positive.values[i], negative.values[i]))
			continue;
		p[count] = positive.values[i];
		n[count++] = negative.values[i];
	}
	if (count == 0 && kind == Kind::context)
		return;
	positive = Examples{p, count};
	negative = Examples{n, count};
}

/* target: 0 for a query of kind context. */
static Datum
pairs_query(Kind kind, Metric metric, ElementType type, Datum target, Examples positive, Examples negative)
{
	if (positive.count != negative.count)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a query of pairs must have as many positive examples as negative ones"),
						errdetail("There are %d positive and %d negative examples.", positive.count, negative.count)));
	int dims;
	Size bytes = check_examples(type, target, positive, negative, &dims);
	drop_equal_pairs(kind, type, positive, negative);
	bytes = check_examples(type, target, positive, negative, &dims);
	QueryHead *head = new_query(kind, metric, type, dims, positive.count, negative.count, bytes);
	char *out = reinterpret_cast<char *>(head + 1);
	if (target != 0)
		out = put_example(metric, indexed_value(target, type), out);
	for (int i = 0; i < positive.count; i++)
	{
		out = put_example(metric, indexed_value(positive.values[i], type), out);
		out = put_example(metric, indexed_value(negative.values[i], type), out);
	}
	return PointerGetDatum(head);
}

Datum
make_discover_query(Metric metric, ElementType type, Datum target, Examples positive, Examples negative)
{
	return pairs_query(Kind::discover, metric, type, target, positive, negative);
}

Datum
make_context_query(Metric metric, ElementType type, Examples positive, Examples negative)
{
	return pairs_query(Kind::context, metric, type, 0, positive, negative);
}

/* --- scores --- */

QueryValue
query_value(Datum query)
{
	auto *head = reinterpret_cast<const QueryHead *>(PG_DETOAST_DATUM(query));
	QueryValue q;
	q.head = head;
	q.formula = core::query::formula_of(*head);
	q.metric = static_cast<Metric>(head->metric);
	q.sparse = static_cast<Form>(head->form) == Form::sparse;
	q.dimensions = head->dims;
	q.count = core::query::example_count(q.formula);
	q.examples = reinterpret_cast<const char *>(head + 1);
	return q;
}

IndexedValue
next_example(const QueryValue &query, const char *&at)
{
	core::query::Example e = core::query::example_at(*query.head, at);
	at = e.next;
	if (query.sparse)
		return IndexedValue{ElementType::sparse, query.dimensions, e.indices, e.count};
	return IndexedValue{ElementType::float32, query.dimensions, e.values, 0};
}

void
check_query_type(const QueryValue &query, ElementType type)
{
	if (query.sparse == (type == ElementType::sparse) && type != ElementType::bit)
		return;
	ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
					errmsg("a query of %s examples does not fit %s values", query.sparse ? "sparse" : "dense",
						   query.sparse ? "dense" : "sparse"),
					errhint("Queries for type sparsevec are made by sparsevec_recommend_query, "
							"sparsevec_discover_query and sparsevec_context_query.")));
}

/* What float32 sums have lost to overflow or underflow, in double. */
[[gnu::noinline]] static double
similarity_in_double(Metric metric, const float *a, const float *b, Size n)
{
	double ab = 0, aa = 0, bb = 0, l2 = 0, l1 = 0;
	for (Size i = 0; i < n; i++)
	{
		double x = static_cast<double>(a[i]);
		float stored;
		memcpy(&stored, b + i, sizeof stored);
		double y = static_cast<double>(stored);
		ab += x * y;
		aa += x * x;
		bb += y * y;
		l2 += (x - y) * (x - y);
		l1 += std::fabs(x - y);
	}
	switch (metric)
	{
		case Metric::cosine: return ab / (std::sqrt(aa) * std::sqrt(bb));
		case Metric::inner_product: return ab;
		case Metric::l1: return -l1;
		case Metric::l2:
		case Metric::hamming:
		case Metric::jaccard: break;  // bits have no queries by example
	}
	return -l2;
}

/* Rounding may leave a cosine a little outside [-1, 1]. NaN stays NaN. */
static double
clamp_cosine(double cosine)
{
	return cosine > 1.0 ? 1.0 : cosine < -1.0 ? -1.0 : cosine;
}

/* As the distance functions of the type compute it: what indexes know of those holds here too. */
static double
dense_similarity(Metric metric, const float *example, const float *row, Size n)
{
	double s = 0;
	switch (metric)
	{
		case Metric::cosine:
		{
			core::distance::FourFloats parts = kernels().cosine_sums(example, row, n);
			s = static_cast<double>(parts[0]) /
				std::sqrt(static_cast<double>(parts[1]) * static_cast<double>(parts[2]));
			if (unlikely(!(parts[2] > 1e-30f && parts[2] < 1e37f)))
				s = similarity_in_double(metric, example, row, n);
			return clamp_cosine(s);
		}
		case Metric::inner_product: s = static_cast<double>(kernels().inner_product(example, row, n)); break;
		case Metric::l1: s = -static_cast<double>(kernels().l1(example, row, n)); break;
		case Metric::l2:
		case Metric::hamming:
		case Metric::jaccard: s = -static_cast<double>(kernels().l2_squared(example, row, n)); break;
	}
	return likely(std::isfinite(s)) ? s : similarity_in_double(metric, example, row, n);
}

[[gnu::noinline]] static double
sparse_similarity_in_double(Metric metric, const core::distance::SparseRow &a, const core::distance::SparseRow &b)
{
	double ab = 0, aa = 0, bb = 0, l2 = 0, l1 = 0;
	Size i = 0, j = 0;
	while (i < a.n || j < b.n)
	{
		int32 p = INT32_MAX, q = INT32_MAX;
		float x = 0, y = 0;
		if (i < a.n)
			memcpy(&p, a.indices + i, sizeof p);
		if (j < b.n)
			memcpy(&q, b.indices + j, sizeof q);
		if (p <= q)
			memcpy(&x, a.values + i++, sizeof x);
		if (q <= p)
			memcpy(&y, b.values + j++, sizeof y);
		double u = static_cast<double>(x), v = static_cast<double>(y);
		ab += u * v;
		aa += u * u;
		bb += v * v;
		l2 += (u - v) * (u - v);
		l1 += std::fabs(u - v);
	}
	switch (metric)
	{
		case Metric::cosine: return ab / (std::sqrt(aa) * std::sqrt(bb));
		case Metric::inner_product: return ab;
		case Metric::l1: return -l1;
		case Metric::l2:
		case Metric::hamming:
		case Metric::jaccard: break;
	}
	return -l2;
}

static double
sparse_similarity(Metric metric, const core::distance::SparseRow &example, const core::distance::SparseRow &row)
{
	double s = 0;
	switch (metric)
	{
		case Metric::cosine:
		{
			float ab = kernels().sparse_inner_product(example, row);
			float aa = kernels().inner_product(example.values, example.values, example.n);
			float bb = kernels().inner_product(row.values, row.values, row.n);
			s = static_cast<double>(ab) / std::sqrt(static_cast<double>(aa) * static_cast<double>(bb));
			if (unlikely(!(bb > 1e-30f && bb < 1e37f)))
				s = sparse_similarity_in_double(metric, example, row);
			return clamp_cosine(s);
		}
		case Metric::inner_product: s = static_cast<double>(kernels().sparse_inner_product(example, row)); break;
		case Metric::l1: s = -static_cast<double>(kernels().sparse_l1(example, row)); break;
		case Metric::l2:
		case Metric::hamming:
		case Metric::jaccard: s = -static_cast<double>(kernels().sparse_l2_squared(example, row)); break;
	}
	return likely(std::isfinite(s)) ? s : sparse_similarity_in_double(metric, example, row);
}

/* Not inlined: the arrays are 96 kB of stack. */
[[gnu::noinline]] static double
score_of_row(const QueryValue &query, const float *row, const core::distance::SparseRow &sparse)
{
	double similarities[core::query::kMaxExamples + 1];
	const char *at = query.examples;
	for (uint32 i = 0; i < query.count; i++)
	{
		core::query::Example e = core::query::example_at(*query.head, at);
		at = e.next;
		similarities[i] =
			query.sparse
				? sparse_similarity(query.metric,
									core::distance::SparseRow{e.indices, e.values, static_cast<Size>(e.count)}, sparse)
				: dense_similarity(query.metric, e.values, row, static_cast<Size>(query.dimensions));
	}
	return core::query::score(query.formula, similarities);
}

[[gnu::noinline]] static double
score_of_converted(const QueryValue &query, const IndexedValue &value)
{
	float row[kMaxVectorDimensions];
	indexed_row(value, row);
	return score_of_row(query, row, core::distance::SparseRow{});
}

double
query_score(const QueryValue &query, const IndexedValue &value)
{
	check_query_type(query, value.type);
	check_same_indexed_dimensions(value.dimensions, query.dimensions, value.type);
	if (value.type == ElementType::float32)
		return score_of_row(query, static_cast<const float *>(value.elements), core::distance::SparseRow{});
	if (value.type != ElementType::sparse)
		return score_of_converted(query, value);
	const auto *indices = static_cast<const int32 *>(value.elements);
	return score_of_row(query, nullptr,
						core::distance::SparseRow{indices, reinterpret_cast<const float *>(indices + value.count),
												  static_cast<Size>(value.count)});
}

double
query_score(Datum query, const IndexedValue &value)
{
	return query_score(query_value(query), value);
}

}  // namespace types
}  // namespace vecdb

using namespace vecdb;
using core::query::QueryHead;

/* --- input and output --- */

VECDB_FUNCTION(vecdb_query_in)
{
	const char *literal = PG_GETARG_CSTRING(0);
	Size length = strlen(literal);
	Size room = core::query::query_data_bound(length);
	if (room > MaxAllocSize - sizeof(QueryHead))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("text of a query is too long")));
	auto *head = static_cast<QueryHead *>(palloc(sizeof(QueryHead) + room));
	Size used;
	pg::report(core::query::parse_query_text(std::string_view(literal, length), *head,
											 std::span(reinterpret_cast<char *>(head + 1), room), used));
	SET_VARSIZE(head, sizeof(QueryHead) + used);
	PG_RETURN_POINTER(head);
}

VECDB_FUNCTION(vecdb_query_out)
{
	QueryValue query = query_value(PG_GETARG_DATUM(0));
	Size bytes = VARSIZE(query.head) - sizeof(QueryHead);
	char *out = static_cast<char *>(palloc(core::query::query_text_bound(bytes, query.count)));
	core::query::print_query_text(*query.head, query.examples, out);
	PG_RETURN_CSTRING(out);
}

VECDB_FUNCTION(vecdb_query_recv)
{
	auto *message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
	int left = message->len - message->cursor;
	auto *bytes = reinterpret_cast<const uint8 *>(pq_getmsgbytes(message, left));
	auto room = static_cast<Size>(left);
	auto *head = static_cast<QueryHead *>(palloc(sizeof(QueryHead) + room));
	Size used;
	core::Status status = core::query::decode_query_wire(std::span(bytes, room), *head,
														 std::span(reinterpret_cast<char *>(head + 1), room), used);
	if (status.code == core::Code::invalid_data)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid binary form of type vecdb.query"), errdetail("%s", status.message)));
	pg::report(status);
	SET_VARSIZE(head, sizeof(QueryHead) + used);
	PG_RETURN_POINTER(head);
}

VECDB_FUNCTION(vecdb_query_send)
{
	QueryValue query = query_value(PG_GETARG_DATUM(0));
	Size size_bytes = core::query::kQueryWireHeadBytes + VARSIZE(query.head) - sizeof(QueryHead);
	auto *result = static_cast<bytea *>(palloc(VARHDRSZ + size_bytes));
	SET_VARSIZE(result, VARHDRSZ + size_bytes);
	core::query::encode_query_wire(*query.head, query.examples, reinterpret_cast<uint8 *>(VARDATA(result)));
	PG_RETURN_BYTEA_P(result);
}

/* --- builders --- */

/* An array of examples; 22004 for a NULL, as array or as element. */
static Examples
examples_arg(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" must not be null", name)));
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(argument);
	int16 length;
	bool by_value;
	char align;
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	Datum *values;
	bool *nulls;
	Examples examples;
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &values, &nulls, &examples.count);
	for (int i = 0; i < examples.count; i++)
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"%s\" must not contain nulls", name)));
	examples.values = values;
	return examples;
}

/* NULL: what the argument's default is. */
static const char *
name_arg(FunctionCallInfo fcinfo, int argument, const char *by_default)
{
	return PG_ARGISNULL(argument) ? by_default : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

static core::distance::Metric
metric_arg(FunctionCallInfo fcinfo, int argument)
{
	return parse_metric(name_arg(fcinfo, argument, "cosine"));
}

static Datum
recommend_query(FunctionCallInfo fcinfo, ElementType type)
{
	Examples positive = examples_arg(fcinfo, 0, "positive");
	Examples negative = PG_ARGISNULL(1) ? Examples{nullptr, 0} : examples_arg(fcinfo, 1, "negative");
	core::query::Kind strategy = parse_strategy(name_arg(fcinfo, 2, "average_vector"));
	return make_recommend_query(strategy, metric_arg(fcinfo, 3), type, positive, negative);
}

static Datum
discover_query(FunctionCallInfo fcinfo, ElementType type)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("argument \"target\" must not be null")));
	Examples positive = examples_arg(fcinfo, 1, "positive");
	Examples negative = examples_arg(fcinfo, 2, "negative");
	return make_discover_query(metric_arg(fcinfo, 3), type, PG_GETARG_DATUM(0), positive, negative);
}

static Datum
context_query(FunctionCallInfo fcinfo, ElementType type)
{
	Examples positive = examples_arg(fcinfo, 0, "positive");
	Examples negative = examples_arg(fcinfo, 1, "negative");
	return make_context_query(metric_arg(fcinfo, 2), type, positive, negative);
}

/* --- the operator --- */

/* 0 minus: the distance of a score of 0 is no minus zero. */
static Datum
query_distance(Datum value, Datum query, ElementType type)
{
	return Float8GetDatum(0.0 - query_score(query, indexed_value(value, type)));
}

#define VECDB_QUERY_FUNCTIONS(name, element) \
	VECDB_FUNCTION(vecdb_##name##recommend_query) \
	{ \
		return recommend_query(fcinfo, ElementType::element); \
	} \
	VECDB_FUNCTION(vecdb_##name##discover_query) \
	{ \
		return discover_query(fcinfo, ElementType::element); \
	} \
	VECDB_FUNCTION(vecdb_##name##context_query) \
	{ \
		return context_query(fcinfo, ElementType::element); \
	} \
	static_assert(true)

VECDB_QUERY_FUNCTIONS(, float32);
VECDB_QUERY_FUNCTIONS(halfvec_, half);
VECDB_QUERY_FUNCTIONS(sparsevec_, sparse);
VECDB_QUERY_FUNCTIONS(int8vec_, int8);

#define VECDB_QUERY_DISTANCE(name, element) \
	VECDB_FUNCTION(vecdb_query_distance_##name) \
	{ \
		return query_distance(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), ElementType::element); \
	} \
	VECDB_FUNCTION(vecdb_query_distance_from_##name) \
	{ \
		return query_distance(PG_GETARG_DATUM(1), PG_GETARG_DATUM(0), ElementType::element); \
	} \
	static_assert(true)

VECDB_QUERY_DISTANCE(vector, float32);
VECDB_QUERY_DISTANCE(halfvec, half);
VECDB_QUERY_DISTANCE(sparsevec, sparse);
VECDB_QUERY_DISTANCE(int8vec, int8);
