-- The query API: what its functions share, and search.

CREATE FUNCTION vecdb.rows_of_k(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_rows_of_k' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.rows_of_k(internal) IS 'planner support of the functions of the query API: they return k rows';

CREATE FUNCTION vecdb.search(rel regclass, vec name, key anycompatible, query vector, k integer DEFAULT 10,
		skip integer DEFAULT 0, filter jsonb DEFAULT NULL, score_threshold float8 DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE(id anycompatible, distance float8, score float8, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_search' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 SUPPORT vecdb.rows_of_k;
COMMENT ON FUNCTION vecdb.search(regclass, name, anycompatible, vector, integer, integer, jsonb, float8, jsonb) IS
	'the k rows nearest to a vector, nearest first: key, distance, score, rank. The type of key says which key: NULL::bigint, a composite type, the table''s row type';
