/* SPDX-License-Identifier: PostgreSQL
 * Texts as sparse vectors of BM25 weights, made in the server.
 *
 * Regime: shell.
 * Memory: new values live in the current memory context.
 */
#pragma once

#include "pg/postgres.hpp"

namespace vecdb::api
{

/* bm25_query_vector(text, regconfig): weight 1 for each distinct lexeme. */
Datum bm25_query_of_text(Datum text, Oid config);

}  // namespace vecdb::api
