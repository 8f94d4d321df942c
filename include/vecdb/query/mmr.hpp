/* SPDX-License-Identifier: PostgreSQL
 * Maximal marginal relevance: rows that are near a query and unlike one another, one at a time.
 *
 * Regime: core.
 * Source: the rule of Qdrant 1.19 (docs/mmr-and-groups.md): first the most relevant, then always the candidate of the largest
 *         lambda * relevance - (1 - lambda) * (similarity to the most similar row chosen before), lambda = 1 - diversity.
 * Of equals the one that comes first among the candidates is taken, so these come in a total order: nearest first, then by key.
 */
#pragma once

namespace vecdb::core::query
{

/* Chooses among candidates 0 .. count - 1; both arrays are the caller's. The caller tells the similarities, so it may stop between two. */
class MmrChoice
{
public:
	/* relevance: to the query, no NaN. likeness: room for count numbers. lambda in [0, 1]. */
	MmrChoice(int count, const double *relevance, double *likeness, double lambda) noexcept;

	/* The next choice, or -1 when all are chosen. Before it is called again, note() is to tell how alike the rest is to this one. */
	int next() noexcept;

	bool chosen(int candidate) const noexcept;

	/* The similarity of a candidate that is not chosen yet to the last choice. */
	void note(int candidate, double similarity) noexcept;

private:
	int count_;
	int taken_ = 0;
	const double *relevance_;
	double *likeness_;  // to the most similar chosen row; NaN: chosen itself
	double lambda_;
};

}  // namespace vecdb::core::query
