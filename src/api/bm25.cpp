/* SPDX-License-Identifier: PostgreSQL
 * Texts as sparse vectors of BM25 weights; how rare the terms of a query are; dense vectors made sparse.
 *
 * Regime: shell.
 * A lexeme's dimension is core::query::term_dimension. Two lexemes that share one add up: at a million distinct lexemes, one in a
 * thousand does.
 */
#include "api/bm25.hpp"

extern "C" {
#include "tsearch/ts_type.h"
#include "tsearch/ts_utils.h"
}

#include <algorithm>
#include <cmath>

#include "types/sparsevec.hpp"
#include "vecdb/query/fusion.hpp"

namespace vecdb::api
{

using core::query::Bm25;

struct Term
{
	int32 dimension;
	double weight;  // of a document, first the number of times that it is there
};

static int
term_count(TSVector document, WordEntry *entry)
{
	return entry->haspos ? std::max<int>(POSDATALEN(document, entry), 1) : 1;
}

/* Terms in ascending order of dimensions. Of terms of one dimension `add` tells whether the weights add up or the first counts. */
static SparseVector *
sparsevec_of_terms(Term *terms, int count, bool add)
{
	std::sort(terms, terms + count, [](const Term &a, const Term &b) {
		return a.dimension != b.dimension ? a.dimension < b.dimension : a.weight < b.weight;
	});
	int distinct = 0;
	for (int i = 0; i < count; i++)
	{
		if (distinct > 0 && terms[distinct - 1].dimension == terms[i].dimension)
			terms[distinct - 1].weight += add ? terms[i].weight : 0;
		else if (static_cast<float>(terms[i].weight) != 0)
			terms[distinct++] = terms[i];
	}
	check_sparse_nonzero(distinct);
	SparseVector *vector = new_sparsevec(kMaxSparseDimensions, distinct);
	float *values = sparsevec_values(vector);
	for (int i = 0; i < distinct; i++)
	{
		vector->indices[i] = terms[i].dimension;
		values[i] = static_cast<float>(terms[i].weight);
	}
	return vector;
}

static SparseVector *
document_vector(TSVector document, const Bm25 &constants)
{
	WordEntry *entries = ARRPTR(document);
	const char *lexemes = STRPTR(document);
	auto *terms = static_cast<Term *>(palloc((document->size + 1) * sizeof(Term)));
	double length = 0;
	for (int i = 0; i < document->size; i++)
	{
		terms[i].dimension = core::query::term_dimension(std::string_view(lexemes + entries[i].pos, entries[i].len));
		terms[i].weight = term_count(document, &entries[i]);
		length += terms[i].weight;
	}
	for (int i = 0; i < document->size; i++)
		terms[i].weight = core::query::bm25_weight(terms[i].weight, length, constants);
	return sparsevec_of_terms(terms, document->size, true);
}

static SparseVector *
query_vector(TSVector query)
{
	WordEntry *entries = ARRPTR(query);
	const char *lexemes = STRPTR(query);
	auto *terms = static_cast<Term *>(palloc((query->size + 1) * sizeof(Term)));
	for (int i = 0; i < query->size; i++)
		terms[i] = Term{core::query::term_dimension(std::string_view(lexemes + entries[i].pos, entries[i].len)), 1};
	return sparsevec_of_terms(terms, query->size, false);
}

static TSVector
tsvector_of_text(Datum text, Oid config)
{
	return DatumGetTSVector(DirectFunctionCall2(to_tsvector_byid, ObjectIdGetDatum(config), text));
}

Datum
bm25_query_of_text(Datum text, Oid config)
{
	return PointerGetDatum(query_vector(tsvector_of_text(text, config)));
}

/* The constants, from argument `first` on. */
static Bm25
constants_of(FunctionCallInfo fcinfo, int first)
{
	constexpr double kMost = 1e6;
	Bm25 constants;
	constants.k1 = static_cast<double>(PG_GETARG_FLOAT4(first));
	constants.b = PG_GETARG_FLOAT8(first + 1);
	constants.average_length = PG_GETARG_FLOAT8(first + 2);
	if (!(constants.k1 >= 0 && constants.k1 <= kMost))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("k1 must be between 0 and 1000000")));
	if (!(constants.b >= 0 && constants.b <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("b must be between 0 and 1")));
	if (!(constants.average_length > 0) || std::isinf(constants.average_length))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("average_length must be a finite number above 0")));
	return constants;
}

VECDB_FUNCTION(vecdb_bm25_vector_tsvector)
{
	Bm25 constants = constants_of(fcinfo, 1);
	PG_RETURN_POINTER(document_vector(PG_GETARG_TSVECTOR(0), constants));
}

VECDB_FUNCTION(vecdb_bm25_vector_text)
{
	Bm25 constants = constants_of(fcinfo, 2);
	PG_RETURN_POINTER(document_vector(tsvector_of_text(PG_GETARG_DATUM(0), PG_GETARG_OID(1)), constants));
}

VECDB_FUNCTION(vecdb_bm25_query_vector_tsvector)
{
	PG_RETURN_POINTER(query_vector(PG_GETARG_TSVECTOR(0)));
}

VECDB_FUNCTION(vecdb_bm25_query_vector_text)
{
	return bm25_query_of_text(PG_GETARG_DATUM(0), PG_GETARG_OID(1));
}

/* --- how rare the terms of a query are: aggregate bm25_idf --- */

struct TermCounts
{
	int64 documents;
	int32 dim;
	int32 count;  // terms of the query
	int32 *dimensions;
	float *weights;
	int64 *containing;  // documents that have the term
};

static TermCounts *
new_term_counts(MemoryContext context, int32 dim, int32 count)
{
	auto *counts = static_cast<TermCounts *>(MemoryContextAllocZero(context, sizeof(TermCounts)));
	counts->dim = dim;
	counts->count = count;
	counts->dimensions = static_cast<int32 *>(MemoryContextAllocZero(context, (count + 1) * sizeof(int32)));
	counts->weights = static_cast<float *>(MemoryContextAllocZero(context, (count + 1) * sizeof(float)));
	counts->containing = static_cast<int64 *>(MemoryContextAllocZero(context, (count + 1) * sizeof(int64)));
	return counts;
}

static int32
index_at(const SparseView &view, int32 place)
{
	int32 index;
	std::memcpy(&index, view.indices + place, sizeof index);
	return index;
}

static void
count_terms(TermCounts &counts, const SparseView &document)
{
	int32 place = 0;
	for (int32 term = 0; term < counts.count; term++)
	{
		int32 low = place, high = document.nnz;
		while (low < high)
		{
			int32 middle = low + (high - low) / 2;
			if (index_at(document, middle) < counts.dimensions[term])
				low = middle + 1;
			else
				high = middle;
		}
		place = low;
		if (place < document.nnz && index_at(document, place) == counts.dimensions[term])
			counts.containing[term]++;
	}
	counts.documents++;
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "a step of aggregate bm25_idf was called outside one");
	return context;
}

VECDB_FUNCTION(vecdb_bm25_idf_step)
{
	MemoryContext context = aggregate_context(fcinfo);
	auto *counts = PG_ARGISNULL(0) ? nullptr : static_cast<TermCounts *>(static_cast<void *>(PG_GETARG_POINTER(0)));
	if (counts == nullptr && !PG_ARGISNULL(2))
	{
		SparseView query = sparse_view(PG_GETARG_DATUM(2));
		counts = new_term_counts(context, query.dim, query.nnz);
		std::memcpy(counts->dimensions, query.indices, query.nnz * sizeof(int32));
		std::memcpy(counts->weights, query.values, query.nnz * sizeof(float));
	}
	if (counts != nullptr && !PG_ARGISNULL(1))
	{
		SparseView document = sparse_view(PG_GETARG_DATUM(1));
		check_same_sparse_dimensions(document.dim, counts->dim);
		count_terms(*counts, document);
	}
	if (counts == nullptr)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(counts);
}

VECDB_FUNCTION(vecdb_bm25_idf_combine)
{
	MemoryContext context = aggregate_context(fcinfo);
	auto *to = PG_ARGISNULL(0) ? nullptr : static_cast<TermCounts *>(static_cast<void *>(PG_GETARG_POINTER(0)));
	auto *from = PG_ARGISNULL(1) ? nullptr : static_cast<TermCounts *>(static_cast<void *>(PG_GETARG_POINTER(1)));
	if (from != nullptr)
	{
		if (to == nullptr)
		{
			to = new_term_counts(context, from->dim, from->count);
			std::memcpy(to->dimensions, from->dimensions, from->count * sizeof(int32));
			std::memcpy(to->weights, from->weights, from->count * sizeof(float));
		}
		to->documents += from->documents;
		for (int32 term = 0; term < std::min(to->count, from->count); term++)
			to->containing[term] += from->containing[term];
	}
	if (to == nullptr)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(to);
}

VECDB_FUNCTION(vecdb_bm25_idf_serialize)
{
	aggregate_context(fcinfo);
	auto *counts = static_cast<TermCounts *>(static_cast<void *>(PG_GETARG_POINTER(0)));
	StringInfoData out;
	pq_begintypsend(&out);
	pq_sendint64(&out, counts->documents);
	pq_sendint32(&out, counts->dim);
	pq_sendint32(&out, counts->count);
	for (int32 term = 0; term < counts->count; term++)
	{
		pq_sendint32(&out, counts->dimensions[term]);
		pq_sendfloat4(&out, counts->weights[term]);
		pq_sendint64(&out, counts->containing[term]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

VECDB_FUNCTION(vecdb_bm25_idf_deserialize)
{
	aggregate_context(fcinfo);
	bytea *serialized = PG_GETARG_BYTEA_PP(0);
	StringInfoData in;
	initStringInfo(&in);
	appendBinaryStringInfo(&in, VARDATA_ANY(serialized), static_cast<int>(VARSIZE_ANY_EXHDR(serialized)));
	int64 documents = pq_getmsgint64(&in);
	auto dim = static_cast<int32>(pq_getmsgint(&in, 4));
	auto count = static_cast<int32>(pq_getmsgint(&in, 4));
	TermCounts *counts = new_term_counts(CurrentMemoryContext, dim, count);
	counts->documents = documents;
	for (int32 term = 0; term < count; term++)
	{
		counts->dimensions[term] = static_cast<int32>(pq_getmsgint(&in, 4));
		counts->weights[term] = pq_getmsgfloat4(&in);
		counts->containing[term] = pq_getmsgint64(&in);
	}
	pq_getmsgend(&in);
	PG_RETURN_POINTER(counts);
}

VECDB_FUNCTION(vecdb_bm25_idf_final)
{
	aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	auto *counts = static_cast<TermCounts *>(static_cast<void *>(PG_GETARG_POINTER(0)));
	SparseVector *weighted = new_sparsevec(counts->dim, counts->count);
	float *values = sparsevec_values(weighted);
	for (int32 term = 0; term < counts->count; term++)
	{
		double idf = core::query::bm25_idf(static_cast<double>(counts->documents),
										   static_cast<double>(counts->containing[term]));
		weighted->indices[term] = counts->dimensions[term];
		values[term] = static_cast<float>(counts->weights[term] * idf);
	}
	/* A weight can leave float32's range at either end only if the query's was there: such a query is refused, not stored. */
	check_sparse_values(values, counts->count);
	int32 kept = 0;
	for (int32 term = 0; term < counts->count; term++)
		kept += values[term] != 0;
	if (kept < counts->count)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("a weight of the query is too small")));
	PG_RETURN_POINTER(weighted);
}

/* --- dense to sparse --- */

VECDB_FUNCTION(vecdb_to_sparse)
{
	Vector *dense = vector_arg(fcinfo, 0);
	double threshold = PG_GETARG_FLOAT8(1);
	if (std::isnan(threshold))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("threshold must be a number")));
	int kept = 0;
	for (int i = 0; i < dense->dim; i++)
		kept += dense->x[i] > threshold && dense->x[i] != 0;
	check_sparse_nonzero(kept);
	SparseVector *sparse = new_sparsevec(dense->dim, kept);
	float *values = sparsevec_values(sparse);
	for (int i = 0, place = 0; i < dense->dim; i++)
		if (dense->x[i] > threshold && dense->x[i] != 0)
		{
			sparse->indices[place] = i;
			values[place++] = dense->x[i];
		}
	PG_RETURN_POINTER(sparse);
}

}  // namespace vecdb::api
