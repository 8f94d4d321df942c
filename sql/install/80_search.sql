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

-- A function of its own: with two that only differ in the type of query, a literal '[1,2,3]' would be of neither.
CREATE FUNCTION vecdb.search_sparse(rel regclass, vec name, key anycompatible, query sparsevec, k integer DEFAULT 10,
		skip integer DEFAULT 0, filter jsonb DEFAULT NULL, score_threshold float8 DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE(id anycompatible, distance float8, score float8, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_search_sparse' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000 SUPPORT vecdb.rows_of_k;
COMMENT ON FUNCTION vecdb.search_sparse(regclass, name, anycompatible, sparsevec, integer, integer, jsonb, float8, jsonb) IS
	'vecdb.search with a sparse vector as the query: of more than 16000 dimensions, too';

CREATE FUNCTION vecdb.search_batch(rel regclass, vec name, key anycompatible, queries vector[], k integer DEFAULT 10,
		skip integer DEFAULT 0, filters jsonb[] DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE(query_no integer, id anycompatible, distance float8, score float8, rank bigint)
	AS 'MODULE_PATHNAME', 'vecdb_search_batch' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 1000 SUPPORT vecdb.rows_of_k;
COMMENT ON FUNCTION vecdb.search_batch(regclass, name, anycompatible, vector[], integer, integer, jsonb[], jsonb) IS
	'vecdb.search for each of several queries, in one statement: query_no counts from 1. One filter for all, or one for each';
