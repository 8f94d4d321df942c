-- hybrid search: ranked lists made one, decays, texts as sparse vectors

CREATE FUNCTION vecdb.rrf_score(rank bigint, k double precision DEFAULT 60, weight double precision DEFAULT 1) RETURNS double precision
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_rrf_score';
COMMENT ON FUNCTION vecdb.rrf_score(bigint, double precision, double precision) IS
    'what a rank (from 1) adds to a row by reciprocal rank fusion, weight / (k + rank); 0 for a rank of NULL: a list that does not have the row';

CREATE FUNCTION vecdb.minmax_norm(score double precision) RETURNS double precision
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_minmax_norm';
COMMENT ON FUNCTION vecdb.minmax_norm(double precision) IS
    'window function: scores of the partition brought to [0, 1] by the least and the largest; 1 where all are equal; NULL and numbers that are not finite give NULL';

CREATE FUNCTION vecdb.dbsf_norm(score double precision) RETURNS double precision
    LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_dbsf_norm';
COMMENT ON FUNCTION vecdb.dbsf_norm(double precision) IS
    'window function: (score - (mean - 3 sd)) / (6 sd) over the partition, not clamped; 0.5 where all are equal; NULL and numbers that are not finite give NULL';

CREATE FUNCTION vecdb.exp_decay(x double precision, target double precision DEFAULT 0, scale double precision DEFAULT 1,
        midpoint double precision DEFAULT 0.5) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_exp_decay';
COMMENT ON FUNCTION vecdb.exp_decay(double precision, double precision, double precision, double precision) IS
    '1 at the target, midpoint at a distance of scale, exponentially less beyond';

CREATE FUNCTION vecdb.gauss_decay(x double precision, target double precision DEFAULT 0, scale double precision DEFAULT 1,
        midpoint double precision DEFAULT 0.5) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_gauss_decay';
COMMENT ON FUNCTION vecdb.gauss_decay(double precision, double precision, double precision, double precision) IS
    '1 at the target, midpoint at a distance of scale, by a bell curve';

CREATE FUNCTION vecdb.linear_decay(x double precision, target double precision DEFAULT 0, scale double precision DEFAULT 1,
        midpoint double precision DEFAULT 0.5) RETURNS double precision
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_linear_decay';
COMMENT ON FUNCTION vecdb.linear_decay(double precision, double precision, double precision, double precision) IS
    '1 at the target, midpoint at a distance of scale, by a straight line that ends at 0';

-- texts as sparse vectors

-- k1 is a real: were it double precision, a preferred type, bm25_vector('text', 'english') could mean either function
CREATE FUNCTION vecdb.bm25_vector(document tsvector, k1 real DEFAULT 1.2, b double precision DEFAULT 0.75,
        average_length double precision DEFAULT 256) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_vector_tsvector';
COMMENT ON FUNCTION vecdb.bm25_vector(tsvector, real, double precision, double precision) IS
    'BM25 weights of a document''s lexemes as a sparse vector of 1000000000 dimensions; average_length: lexemes of a usual document';

CREATE FUNCTION vecdb.bm25_vector(document text, config regconfig, k1 real DEFAULT 1.2, b double precision DEFAULT 0.75,
        average_length double precision DEFAULT 256) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_vector_text';
COMMENT ON FUNCTION vecdb.bm25_vector(text, regconfig, real, double precision, double precision) IS
    'bm25_vector of to_tsvector(config, document)';

CREATE FUNCTION vecdb.bm25_query_vector(query tsvector) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_query_vector_tsvector';
COMMENT ON FUNCTION vecdb.bm25_query_vector(tsvector) IS
    'a query for vectors of bm25_vector: weight 1 for each distinct lexeme; its inner product with a document is the BM25 score without idf';

CREATE FUNCTION vecdb.bm25_query_vector(query text, config regconfig) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_query_vector_text';
COMMENT ON FUNCTION vecdb.bm25_query_vector(text, regconfig) IS 'bm25_query_vector of to_tsvector(config, query)';

CREATE FUNCTION vecdb.bm25_idf_step(internal, sparsevec, sparsevec) RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_idf_step';
COMMENT ON FUNCTION vecdb.bm25_idf_step(internal, sparsevec, sparsevec) IS 'implementation of the aggregate bm25_idf';

CREATE FUNCTION vecdb.bm25_idf_combine(internal, internal) RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_idf_combine';
COMMENT ON FUNCTION vecdb.bm25_idf_combine(internal, internal) IS 'implementation of the aggregate bm25_idf';

CREATE FUNCTION vecdb.bm25_idf_serialize(internal) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_idf_serialize';
COMMENT ON FUNCTION vecdb.bm25_idf_serialize(internal) IS 'implementation of the aggregate bm25_idf';

CREATE FUNCTION vecdb.bm25_idf_deserialize(bytea, internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_idf_deserialize';
COMMENT ON FUNCTION vecdb.bm25_idf_deserialize(bytea, internal) IS 'implementation of the aggregate bm25_idf';

CREATE FUNCTION vecdb.bm25_idf_final(internal) RETURNS sparsevec
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_bm25_idf_final';
COMMENT ON FUNCTION vecdb.bm25_idf_final(internal) IS 'implementation of the aggregate bm25_idf';

CREATE AGGREGATE vecdb.bm25_idf(document sparsevec, query sparsevec) (
    SFUNC = vecdb.bm25_idf_step, STYPE = internal, FINALFUNC = vecdb.bm25_idf_final,
    COMBINEFUNC = vecdb.bm25_idf_combine, SERIALFUNC = vecdb.bm25_idf_serialize, DESERIALFUNC = vecdb.bm25_idf_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE vecdb.bm25_idf(sparsevec, sparsevec) IS
    'the query (of the first row) with each weight times ln((n - df + 0.5) / (df + 0.5) + 1): n documents, df of them with the dimension';

CREATE FUNCTION vecdb.to_sparse(dense vector, threshold double precision DEFAULT 0) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_to_sparse';
COMMENT ON FUNCTION vecdb.to_sparse(vector, double precision) IS 'the elements above the threshold (not equal to it) as a sparse vector';

-- several searches, one answer

CREATE FUNCTION vecdb.hybrid_search(rel regclass, key anycompatible, legs jsonb, fusion text DEFAULT 'rrf', k integer DEFAULT 10,
        skip integer DEFAULT 0, filter jsonb DEFAULT NULL, fusion_params jsonb DEFAULT NULL, params jsonb DEFAULT NULL)
    RETURNS TABLE (id anycompatible, score double precision, rank bigint, leg_ranks integer[], leg_scores double precision[])
    LANGUAGE C STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'vecdb_hybrid_search';
COMMENT ON FUNCTION vecdb.hybrid_search(regclass, anycompatible, jsonb, text, integer, integer, jsonb, jsonb, jsonb) IS
    'rows by several searches at once (legs: dense and sparse vectors, BM25, full text), fused by rrf, relative_score, dbsf or product; docs/hybrid.md';
