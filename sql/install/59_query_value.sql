-- Type vecdb.query: what rows are scored by, made of examples; builders and operator <*>. docs/query-operator.md.

CREATE TYPE vecdb.query;

CREATE FUNCTION vecdb.query_in(cstring) RETURNS vecdb.query
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_query_in';
COMMENT ON FUNCTION vecdb.query_in(cstring) IS 'text input';

CREATE FUNCTION vecdb.query_out(vecdb.query) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_query_out';
COMMENT ON FUNCTION vecdb.query_out(vecdb.query) IS 'text output';

CREATE FUNCTION vecdb.query_recv(internal) RETURNS vecdb.query
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_query_recv';
COMMENT ON FUNCTION vecdb.query_recv(internal) IS 'binary input';

CREATE FUNCTION vecdb.query_send(vecdb.query) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_query_send';
COMMENT ON FUNCTION vecdb.query_send(vecdb.query) IS 'binary output';

CREATE TYPE vecdb.query (
    INPUT = vecdb.query_in,
    OUTPUT = vecdb.query_out,
    RECEIVE = vecdb.query_recv,
    SEND = vecdb.query_send,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE vecdb.query IS 'a query by examples, with its metric: made by recommend_query, discover_query and context_query';

-- Builders. One name for each type: of overloads, a call with literals alone could not choose.

CREATE FUNCTION vecdb.recommend_query(positive vector[], negative vector[] DEFAULT '{}', strategy text DEFAULT 'average_vector', metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_recommend_query';
COMMENT ON FUNCTION vecdb.recommend_query(vector[], vector[], text, text) IS 'query for rows near the positive examples and far from the negative ones; strategy average_vector, best_score or sum_scores';

CREATE FUNCTION vecdb.discover_query(target vector, positive vector[], negative vector[], metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_discover_query';
COMMENT ON FUNCTION vecdb.discover_query(vector, vector[], vector[], text) IS 'query for rows near the target, on the positive side of as many pairs (positive[i], negative[i]) as can be';

CREATE FUNCTION vecdb.context_query(positive vector[], negative vector[], metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_context_query';
COMMENT ON FUNCTION vecdb.context_query(vector[], vector[], text) IS 'query for rows on the positive side of all pairs (positive[i], negative[i])';

CREATE FUNCTION vecdb.halfvec_recommend_query(positive halfvec[], negative halfvec[] DEFAULT '{}', strategy text DEFAULT 'average_vector', metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_recommend_query';
COMMENT ON FUNCTION vecdb.halfvec_recommend_query(halfvec[], halfvec[], text, text) IS 'query for rows near the positive examples and far from the negative ones; strategy average_vector, best_score or sum_scores';

CREATE FUNCTION vecdb.halfvec_discover_query(target halfvec, positive halfvec[], negative halfvec[], metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_discover_query';
COMMENT ON FUNCTION vecdb.halfvec_discover_query(halfvec, halfvec[], halfvec[], text) IS 'query for rows near the target, on the positive side of as many pairs (positive[i], negative[i]) as can be';

CREATE FUNCTION vecdb.halfvec_context_query(positive halfvec[], negative halfvec[], metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_context_query';
COMMENT ON FUNCTION vecdb.halfvec_context_query(halfvec[], halfvec[], text) IS 'query for rows on the positive side of all pairs (positive[i], negative[i])';

CREATE FUNCTION vecdb.sparsevec_recommend_query(positive sparsevec[], negative sparsevec[] DEFAULT '{}', strategy text DEFAULT 'average_vector', metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_recommend_query';
COMMENT ON FUNCTION vecdb.sparsevec_recommend_query(sparsevec[], sparsevec[], text, text) IS 'query for rows near the positive examples and far from the negative ones; strategy average_vector, best_score or sum_scores';

CREATE FUNCTION vecdb.sparsevec_discover_query(target sparsevec, positive sparsevec[], negative sparsevec[], metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_discover_query';
COMMENT ON FUNCTION vecdb.sparsevec_discover_query(sparsevec, sparsevec[], sparsevec[], text) IS 'query for rows near the target, on the positive side of as many pairs (positive[i], negative[i]) as can be';

CREATE FUNCTION vecdb.sparsevec_context_query(positive sparsevec[], negative sparsevec[], metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_context_query';
COMMENT ON FUNCTION vecdb.sparsevec_context_query(sparsevec[], sparsevec[], text) IS 'query for rows on the positive side of all pairs (positive[i], negative[i])';

CREATE FUNCTION vecdb.int8vec_recommend_query(positive int8vec[], negative int8vec[] DEFAULT '{}', strategy text DEFAULT 'average_vector', metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_recommend_query';
COMMENT ON FUNCTION vecdb.int8vec_recommend_query(int8vec[], int8vec[], text, text) IS 'query for rows near the positive examples and far from the negative ones; strategy average_vector, best_score or sum_scores';

CREATE FUNCTION vecdb.int8vec_discover_query(target int8vec, positive int8vec[], negative int8vec[], metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_discover_query';
COMMENT ON FUNCTION vecdb.int8vec_discover_query(int8vec, int8vec[], int8vec[], text) IS 'query for rows near the target, on the positive side of as many pairs (positive[i], negative[i]) as can be';

CREATE FUNCTION vecdb.int8vec_context_query(positive int8vec[], negative int8vec[], metric text DEFAULT 'cosine') RETURNS vecdb.query
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_context_query';
COMMENT ON FUNCTION vecdb.int8vec_context_query(int8vec[], int8vec[], text) IS 'query for rows on the positive side of all pairs (positive[i], negative[i])';

-- Operator <*>: minus the score, so that the best row is the smallest.

CREATE FUNCTION vecdb.query_distance(vector, vecdb.query) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_query_distance_vector';
COMMENT ON FUNCTION vecdb.query_distance(vector, vecdb.query) IS 'minus the score of a value for a query by examples';

CREATE FUNCTION vecdb.query_distance(vecdb.query, vector) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_query_distance_from_vector';
COMMENT ON FUNCTION vecdb.query_distance(vecdb.query, vector) IS 'minus the score of a value for a query by examples';

CREATE OPERATOR <*> (
    LEFTARG = vector, RIGHTARG = vecdb.query, FUNCTION = vecdb.query_distance,
    COMMUTATOR = <*>
);
COMMENT ON OPERATOR <*> (vector, vecdb.query) IS 'minus the score of a value for a query by examples';

CREATE OPERATOR <*> (
    LEFTARG = vecdb.query, RIGHTARG = vector, FUNCTION = vecdb.query_distance,
    COMMUTATOR = <*>
);
COMMENT ON OPERATOR <*> (vecdb.query, vector) IS 'minus the score of a value for a query by examples';

CREATE FUNCTION vecdb.query_distance(halfvec, vecdb.query) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_query_distance_halfvec';
COMMENT ON FUNCTION vecdb.query_distance(halfvec, vecdb.query) IS 'minus the score of a value for a query by examples';

CREATE FUNCTION vecdb.query_distance(vecdb.query, halfvec) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_query_distance_from_halfvec';
COMMENT ON FUNCTION vecdb.query_distance(vecdb.query, halfvec) IS 'minus the score of a value for a query by examples';

CREATE OPERATOR <*> (
    LEFTARG = halfvec, RIGHTARG = vecdb.query, FUNCTION = vecdb.query_distance,
    COMMUTATOR = <*>
);
COMMENT ON OPERATOR <*> (halfvec, vecdb.query) IS 'minus the score of a value for a query by examples';

CREATE OPERATOR <*> (
    LEFTARG = vecdb.query, RIGHTARG = halfvec, FUNCTION = vecdb.query_distance,
    COMMUTATOR = <*>
);
COMMENT ON OPERATOR <*> (vecdb.query, halfvec) IS 'minus the score of a value for a query by examples';

CREATE FUNCTION vecdb.query_distance(sparsevec, vecdb.query) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_query_distance_sparsevec';
COMMENT ON FUNCTION vecdb.query_distance(sparsevec, vecdb.query) IS 'minus the score of a value for a query by examples';

CREATE FUNCTION vecdb.query_distance(vecdb.query, sparsevec) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_query_distance_from_sparsevec';
COMMENT ON FUNCTION vecdb.query_distance(vecdb.query, sparsevec) IS 'minus the score of a value for a query by examples';

CREATE OPERATOR <*> (
    LEFTARG = sparsevec, RIGHTARG = vecdb.query, FUNCTION = vecdb.query_distance,
    COMMUTATOR = <*>
);
COMMENT ON OPERATOR <*> (sparsevec, vecdb.query) IS 'minus the score of a value for a query by examples';

CREATE OPERATOR <*> (
    LEFTARG = vecdb.query, RIGHTARG = sparsevec, FUNCTION = vecdb.query_distance,
    COMMUTATOR = <*>
);
COMMENT ON OPERATOR <*> (vecdb.query, sparsevec) IS 'minus the score of a value for a query by examples';

CREATE FUNCTION vecdb.query_distance(int8vec, vecdb.query) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_query_distance_int8vec';
COMMENT ON FUNCTION vecdb.query_distance(int8vec, vecdb.query) IS 'minus the score of a value for a query by examples';

CREATE FUNCTION vecdb.query_distance(vecdb.query, int8vec) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_query_distance_from_int8vec';
COMMENT ON FUNCTION vecdb.query_distance(vecdb.query, int8vec) IS 'minus the score of a value for a query by examples';

CREATE OPERATOR <*> (
    LEFTARG = int8vec, RIGHTARG = vecdb.query, FUNCTION = vecdb.query_distance,
    COMMUTATOR = <*>
);
COMMENT ON OPERATOR <*> (int8vec, vecdb.query) IS 'minus the score of a value for a query by examples';

CREATE OPERATOR <*> (
    LEFTARG = vecdb.query, RIGHTARG = int8vec, FUNCTION = vecdb.query_distance,
    COMMUTATOR = <*>
);
COMMENT ON OPERATOR <*> (vecdb.query, int8vec) IS 'minus the score of a value for a query by examples';
