/* SPDX-License-Identifier: PostgreSQL
 * Ranked lists of rows, and their fusion.
 *
 * Regime: shell.
 * Rows are told apart by their key columns, as the columns' own order has it: all lists are sorted by key once, which numbers the
 * rows for the core and settles ties.
 */
#include "api/fused.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace vecdb::api
{

using core::query::FusionList;
using core::query::FusionOptions;

template <class T>
static T *
allocate(int64 count)
{
	return static_cast<T *>(MemoryContextAllocHuge(CurrentMemoryContext, static_cast<Size>(count + 1) * sizeof(T)));
}

void
append_list_columns(StringInfo sql, const Target &target)
{
	appendStringInfoString(sql, target.key.select);
	for (int i = 0; i < target.key.count; i++)
		appendStringInfo(sql, ", %s", target.key.columns[i]);
}

static double
score_of_value(const Target &target, ScoreOf score_of, double value)
{
	double score = score_of == ScoreOf::metric  ? score_of_distance(target.metric, value)
				   : score_of == ScoreOf::minus ? 0 - value
												: value;
	/* Sums over a list want finite scores. */
	return std::clamp(score, -DBL_MAX, DBL_MAX);
}

RankedList
read_list(const Target &target, const ListEnd &end)
{
	TupleDesc columns = SPI_tuptable->tupdesc;
	int keys = target.key.count;
	auto most = static_cast<int64>(SPI_processed);
	RankedList list{allocate<ListRow>(most), 0};
	auto *key = allocate<Datum>(most * keys);
	for (int64 i = 0; i < most; i++)
	{
		HeapTuple tuple = SPI_tuptable->vals[i];
		bool is_null, has_key = true;
		ListRow row;
		row.id = heap_getattr(tuple, 1, columns, &is_null);
		row.key = key;
		for (int column = 0; column < keys; column++)
		{
			row.key[column] = heap_getattr(tuple, column + 2, columns, &is_null);
			has_key = has_key && !is_null;
		}
		double value = DatumGetFloat8(heap_getattr(tuple, keys + 2, columns, &is_null));
		if (is_null || std::isnan(value))
			break;
		row.score = score_of_value(target, end.score_of, value);
		if (end.has_threshold && !(row.score >= end.threshold))
			break;
		/* Only a view, of which a key column is taken on trust, can have a key that is NULL. */
		if ((end.without_zero && row.score == 0) || !has_key)
			continue;
		list.rows[list.count++] = row;
		key += keys;
	}
	return list;
}

KeyComparer
key_comparer(const Target &target)
{
	int count = target.key.count;
	KeyComparer comparer{count, allocate<FmgrInfo *>(count), allocate<Oid>(count)};
	for (int i = 0; i < count; i++)
	{
		TypeCacheEntry *type = lookup_type_cache(target.key.column_types[i], TYPECACHE_CMP_PROC_FINFO);
		if (!OidIsValid(type->cmp_proc))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_FUNCTION), errmsg("could not identify a comparison function for type %s",
																 format_type_be(target.key.column_types[i]))));
		comparer.compare[i] = &type->cmp_proc_finfo;
		HeapTuple column = SearchSysCache2(ATTNUM, ObjectIdGetDatum(target.relid), Int16GetDatum(target.key.attnos[i]));
		if (!HeapTupleIsValid(column))
			elog(ERROR, "cache lookup failed for column %d of relation %u", target.key.attnos[i], target.relid);
		comparer.collations[i] = reinterpret_cast<Form_pg_attribute>(GETSTRUCT(column))->attcollation;
		ReleaseSysCache(column);
	}
	return comparer;
}

int
compare_keys(const KeyComparer &comparer, const Datum *a, const Datum *b)
{
	for (int i = 0; i < comparer.count; i++)
	{
		int order = DatumGetInt32(FunctionCall2Coll(comparer.compare[i], comparer.collations[i], a[i], b[i]));
		if (order != 0)
			return order;
	}
	return 0;
}

/* A row's place in a list. */
struct Entry
{
	const ListRow *row;
	int32 list;
	int32 place;
	uint32 number;  // of the row among all, in order of keys
};

static int
by_key(const void *a, const void *b, void *comparer)
{
	CHECK_FOR_INTERRUPTS();
	auto *first = static_cast<const Entry *>(a), *second = static_cast<const Entry *>(b);
	int order = compare_keys(*static_cast<KeyComparer *>(comparer), first->row->key, second->row->key);
	if (order != 0)
		return order;
	return first->list != second->list    ? (first->list < second->list ? -1 : 1)
		   : first->place < second->place ? -1
										  : (first->place > second->place ? 1 : 0);
}

static void
report_negative(int list, double score)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a product of raw scores needs scores from 0 on"),
					errdetail("List %d has a row of score %g.", list + 1, score),
					errhint("Leave normalize at true, which brings the scores of each list to 0 to 1 first.")));
}

/* All rows of all lists in order of keys, numbered. */
static Entry *
number_rows(const KeyComparer &comparer, const RankedList *lists, int list_count, int64 total, int &row_count)
{
	auto *entries = allocate<Entry>(total);
	Entry *entry = entries;
	for (int list = 0; list < list_count; list++)
		for (int place = 0; place < lists[list].count; place++)
			*entry++ = Entry{&lists[list].rows[place], list, place, 0};
	qsort_arg(entries, static_cast<size_t>(total), sizeof(Entry), by_key, const_cast<KeyComparer *>(&comparer));
	row_count = 0;
	for (int64 i = 0; i < total; i++)
	{
		if (i == 0 || compare_keys(comparer, entries[i - 1].row->key, entries[i].row->key) != 0)
			row_count++;
		entries[i].number = static_cast<uint32>(row_count - 1);
	}
	return entries;
}

constexpr uint32 kRepeated = PG_UINT32_MAX;

/* Takes repeated rows out of the list and its numbers. */
static void
compact(RankedList &list, uint32 *numbers)
{
	int kept = 0;
	for (int place = 0; place < list.count; place++)
		if (numbers[place] != kRepeated)
		{
			list.rows[kept] = list.rows[place];
			numbers[kept++] = numbers[place];
		}
	list.count = kept;
}

FusedRow *
fuse_lists(const KeyComparer &comparer, RankedList *lists, const double *weights, int list_count,
		   const FusionOptions &options, int *count)
{
	int64 total = 0;
	for (int list = 0; list < list_count; list++)
		total += lists[list].count;
	int row_count;
	Entry *entries = number_rows(comparer, lists, list_count, total, row_count);

	auto *rows = allocate<FusedRow>(row_count);
	auto *ranks = static_cast<int32 *>(MemoryContextAllocExtended(
		CurrentMemoryContext, static_cast<Size>(row_count + 1) * static_cast<Size>(list_count) * sizeof(int32),
		MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	auto *numbers = allocate<uint32>(total);
	auto **starts = allocate<uint32 *>(list_count);
	int64 start = 0;
	for (int list = 0; list < list_count; list++)
	{
		starts[list] = numbers + start;
		start += lists[list].count;
	}
	for (int64 i = 0; i < total; i++)
	{
		const Entry &at = entries[i];
		rows[at.number] = FusedRow{at.row->id, at.row->key, 0, ranks + static_cast<Size>(at.number) * list_count};
		bool repeated = i > 0 && entries[i - 1].number == at.number && entries[i - 1].list == at.list;
		starts[at.list][at.place] = repeated ? kRepeated : at.number;
	}

	auto *fusion_lists = allocate<FusionList>(list_count);
	auto *scores = allocate<double>(total);
	for (int list = 0; list < list_count; list++)
	{
		compact(lists[list], starts[list]);
		auto length = static_cast<std::size_t>(lists[list].count);
		fusion_lists[list] = FusionList{{starts[list], length}, {scores, length}, weights[list]};
		for (int place = 0; place < lists[list].count; place++)
		{
			*scores++ = lists[list].rows[place].score;
			rows[starts[list][place]].ranks[list] = place + 1;
		}
	}

	auto *fused = allocate<double>(row_count);
	auto *found = allocate<uint32>(row_count);
	std::size_t bad_list = 0, bad_place = 0;
	auto length = static_cast<std::size_t>(row_count);
	if (!core::query::fuse({fusion_lists, static_cast<std::size_t>(list_count)}, options, {fused, length},
						   {found, length}, bad_list, bad_place))
		report_negative(static_cast<int>(bad_list), fusion_lists[bad_list].scores[bad_place]);

	bool everywhere = options.method == core::query::FusionMethod::product;
	int kept = 0;
	for (int row = 0; row < row_count; row++)
		if (!everywhere || found[row] == static_cast<uint32>(list_count))
		{
			rows[kept] = rows[row];
			rows[kept++].score = fused[row];
		}
	/* Ranks lie in order of keys. */
	std::sort(rows, rows + kept, [](const FusedRow &a, const FusedRow &b) {
		return a.score != b.score ? a.score > b.score : a.ranks < b.ranks;
	});
	*count = kept;
	return rows;
}

}  // namespace vecdb::api
