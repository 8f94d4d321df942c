-- one entry point for gateways that speak Qdrant's JSON

CREATE FUNCTION vecdb.query(rel regclass, request jsonb)
    RETURNS TABLE (id jsonb, score double precision, rank bigint, payload jsonb)
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 AS 'MODULE_PATHNAME', 'vecdb_query';
COMMENT ON FUNCTION vecdb.query(regclass, jsonb) IS
    'answers the body of Qdrant''s POST /collections/{name}/points/query from a table: query, prefetch, fusion, filter, limit, offset, ...; docs/gateway.md';
