/* SPDX-License-Identifier: PostgreSQL
 * Requests in Qdrant's JSON (POST /collections/.../points/query), for gateways: how a request becomes a list of rows.
 *
 * Regime: shell.
 */
#pragma once

#include "api/fused.hpp"
#include "api/json_tree.hpp"

namespace vecdb::api
{

struct Gateway
{
	Oid relid;
	Oid witness;          // the key column's type; of keys of several columns the row type
	SearchParams params;  // of the request: key_column, payload_column
	Target target;        // without a vector
	KeyComparer comparer;
};

/* The page of a request, before it is cut: a row's rank is its place + 1. */
struct GatewayPage
{
	int64 limit, offset;
	RankedList list;
};

Gateway open_gateway(Oid relid, const JsonNode *request);

/* Appends an expression of type jsonb: the id of the row t, a scalar or an object of the key's columns. */
void append_json_id(StringInfo sql, const Target &target);

/* An array of the rows' ids, for append_key_in. */
Datum ids_of_rows(const Gateway &gateway, const ListRow *rows, int count);

/* Runs the request. 22023, 0A000 with the path in DETAIL. Between SPI_connect and SPI_finish. */
GatewayPage run_request(const Gateway &gateway, const JsonNode *request);

}  // namespace vecdb::api
