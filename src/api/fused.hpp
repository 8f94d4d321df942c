/* SPDX-License-Identifier: PostgreSQL
 * Ranked lists of rows of one target, read from statements, and what fusion makes of them.
 *
 * Regime: shell.
 * Memory: rows point into results of SPI, so all of it lives until SPI_finish.
 */
#pragma once

#include "api/statement.hpp"
#include "api/target.hpp"
#include "vecdb/query/fusion.hpp"

namespace vecdb::api
{

struct ListRow
{
	Datum id;    // of type target.key.type
	Datum *key;  // the key columns
	double score;
};

/* Best first. */
struct RankedList
{
	ListRow *rows;
	int count;
};

/* How a statement's last column becomes a score. */
enum class ScoreOf : uint8
{
	metric,  // a distance of the target's metric
	minus,   // minus the score, as <*> has it
	itself,
};

struct ListEnd
{
	ScoreOf score_of;
	bool has_threshold;  // rows of less than the threshold end the list
	double threshold;
	bool without_zero;  // rows of score 0 are left out
};

/* "id, key columns": what a statement that read_list() reads begins its select list with; one more column follows. */
void append_list_columns(StringInfo sql, const Target &target);

/* Of SPI_tuptable. A value that is NULL or NaN ends the list. */
RankedList read_list(const Target &target, const ListEnd &end);

/* How the key columns order. */
struct KeyComparer
{
	int count;
	FmgrInfo **compare;
	Oid *collations;
};

KeyComparer key_comparer(const Target &target);

int compare_keys(const KeyComparer &comparer, const Datum *a, const Datum *b);

struct FusedRow
{
	Datum id;
	Datum *key;
	double score;
	int32 *ranks;  // in each list, from 1; 0: not there
};

/*
 * By score, best first, then by key. Of rows that have one key in a list (a view's may) all but the first are taken out of it.
 * 22023 where raw scores to be multiplied are negative.
 */
FusedRow *fuse_lists(const KeyComparer &comparer, RankedList *lists, const double *weights, int list_count,
					 const core::query::FusionOptions &options, int *count);

}  // namespace vecdb::api
