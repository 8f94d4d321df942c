-- Indexes on expressions, as users of pgvector have them: halfvec of a vector column, its signs as bits, its first dimensions;
-- and the outer query that orders the candidates again by the column itself. The planner takes them, with its own estimates.
SET client_min_messages = warning;
SET jit = off;

-- 3,000 rows of 96 dimensions in 30 groups: the first dimensions and the signs say much about the rest
CREATE FUNCTION pg_temp.row_of(seed int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(((hashint4(seed % 30 * 1024 + d) & 65535) / 65536.0 - 0.5 + ((hashint4(seed * 1024 + d) & 65535) / 65536.0 - 0.5) * 0.8)::float4)::vector
    FROM generate_series(1, 96) d $$;
CREATE TABLE doc (id int PRIMARY KEY, embedding vector(96));
INSERT INTO doc SELECT i, pg_temp.row_of(i) FROM generate_series(1, 3000) i;
INSERT INTO doc VALUES (0, NULL), (-1, array_fill(0, '{96}')::vector);
ANALYZE doc;

-- Which index a query takes, whether the candidates come in order, and whether the ten rows of the outer order are those that the
-- same query gives without the index, but for one in twenty, over 20 queries.
CREATE FUNCTION pg_temp.try(expression text, op text, query text, outer_op text, candidates int) RETURNS TABLE (index_used text, sorted bool, recall_ok bool)
LANGUAGE plpgsql AS $$
DECLARE
    plan json; q vector; d float8[]; ids int[]; exact int[]; hits int := 0;
    inner_ text := format('SELECT id, embedding, %s %s %s AS d FROM doc ORDER BY %1$s %2$s %3$s LIMIT %4$s', expression, op, query, candidates);
    outer_ text := format('SELECT id FROM (%s) s ORDER BY embedding %s $1 LIMIT 10', inner_, outer_op);
    exact_ text := format('SELECT id FROM (SELECT id, embedding FROM doc ORDER BY (%s %s %s) + 0 LIMIT %s) s ORDER BY embedding %s $1 LIMIT 10', expression, op, query, candidates, outer_op);
BEGIN
    sorted := true;
    FOR q IN SELECT pg_temp.row_of(5000 + i) FROM generate_series(1, 20) i LOOP
        EXECUTE 'EXPLAIN (FORMAT json) ' || replace(outer_, '$1', quote_literal(q) || '::vector') INTO plan;
        index_used := coalesce((regexp_match(plan::text, '"Index Name": "(\w+)"'))[1], 'none');
        EXECUTE format('SELECT array_agg(d) FROM (%s) s', inner_) INTO d USING q;
        sorted := sorted AND cardinality(d) = candidates AND d = (SELECT array_agg(x ORDER BY x) FROM unnest(d) x);
        EXECUTE format('SELECT array_agg(id) FROM (%s) s', outer_) INTO ids USING q;
        EXECUTE format('SELECT array_agg(id) FROM (%s) s', exact_) INTO exact USING q;
        hits := hits + (SELECT count(*) FROM unnest(ids) i WHERE i = ANY (exact));
    END LOOP;
    recall_ok := hits >= 190;
    RETURN NEXT;
END $$;

-- half precision
CREATE INDEX doc_half_hnsw ON doc USING hnsw ((embedding::halfvec(96)) halfvec_cosine_ops);
EXPLAIN (COSTS OFF) SELECT id FROM doc ORDER BY embedding::halfvec(96) <=> (SELECT embedding FROM doc WHERE id = 7)::halfvec(96) LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM (SELECT id, embedding FROM doc ORDER BY embedding::halfvec(96) <=> (SELECT embedding FROM doc WHERE id = 7)::halfvec(96) LIMIT 20) s
    ORDER BY embedding <=> (SELECT embedding FROM doc WHERE id = 7) LIMIT 5;
SELECT * FROM pg_temp.try('embedding::halfvec(96)', '<=>', '$1::halfvec(96)', '<=>', 20);
-- another number of dimensions, or the column itself, is another expression
EXPLAIN (COSTS OFF) SELECT id FROM doc ORDER BY embedding <=> (SELECT embedding FROM doc WHERE id = 7) LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM doc ORDER BY embedding::halfvec(96) <-> (SELECT embedding FROM doc WHERE id = 7)::halfvec(96) LIMIT 5;
DROP INDEX doc_half_hnsw;
CREATE INDEX doc_half_ivf ON doc USING ivfflat ((embedding::halfvec(96)) halfvec_l2_ops) WITH (lists = 20);
SELECT * FROM pg_temp.try('embedding::halfvec(96)', '<->', '$1::halfvec(96)', '<->', 20);
DROP INDEX doc_half_ivf;
CREATE INDEX doc_half_ivf ON doc USING ivf ((embedding::halfvec(96)) halfvec_ip_ops);
SELECT * FROM pg_temp.try('embedding::halfvec(96)', '<#>', '$1::halfvec(96)', '<#>', 20);
DROP INDEX doc_half_ivf;

-- the first dimensions
CREATE INDEX doc_sub_hnsw ON doc USING hnsw ((subvector(embedding, 1, 48)::vector(48)) vector_l2_ops);
SELECT * FROM pg_temp.try('subvector(embedding, 1, 48)::vector(48)', '<->', 'subvector($1::vector, 1, 48)', '<->', 50);
DROP INDEX doc_sub_hnsw;
CREATE INDEX doc_sub_ivf ON doc USING ivfflat ((subvector(embedding, 1, 48)::vector(48)) vector_cosine_ops) WITH (lists = 20);
SELECT * FROM pg_temp.try('subvector(embedding, 1, 48)::vector(48)', '<=>', 'subvector($1::vector, 1, 48)', '<=>', 50);
DROP INDEX doc_sub_ivf;
CREATE INDEX doc_sub_half ON doc USING hnsw ((subvector(embedding, 1, 48)::halfvec(48)) halfvec_l1_ops);
SELECT * FROM pg_temp.try('subvector(embedding, 1, 48)::halfvec(48)', '<+>', 'subvector($1::vector, 1, 48)::halfvec(48)', '<+>', 50);
DROP INDEX doc_sub_half;

-- signs
CREATE INDEX doc_bit_ivf ON doc USING ivfflat ((binary_quantize(embedding)::bit(96)) bit_hamming_ops) WITH (lists = 20);
EXPLAIN (COSTS OFF) SELECT id FROM (SELECT id, embedding FROM doc ORDER BY binary_quantize(embedding)::bit(96) <~> binary_quantize((SELECT embedding FROM doc WHERE id = 7)) LIMIT 20) s
    ORDER BY embedding <=> (SELECT embedding FROM doc WHERE id = 7) LIMIT 5;
SELECT * FROM pg_temp.try('binary_quantize(embedding)::bit(96)', '<~>', 'binary_quantize($1::vector)', '<=>', 200);
DROP INDEX doc_bit_ivf;
CREATE INDEX doc_bit_hnsw ON doc USING hnsw ((binary_quantize(embedding)::bit(96)) bit_hamming_ops);
SELECT * FROM pg_temp.try('binary_quantize(embedding)::bit(96)', '<~>', 'binary_quantize($1::vector)', '<=>', 50);
DROP INDEX doc_bit_hnsw;
CREATE INDEX doc_bit_hnsw ON doc USING hnsw ((binary_quantize(embedding::halfvec(96))::bit(96)) bit_jaccard_ops);
SELECT * FROM pg_temp.try('binary_quantize(embedding::halfvec(96))::bit(96)', '<%>', 'binary_quantize($1::vector)', '<=>', 50);
DROP INDEX doc_bit_hnsw;

-- rows that come, change and go
CREATE INDEX doc_half_hnsw ON doc USING hnsw ((embedding::halfvec(96)) halfvec_l2_ops);
CREATE INDEX doc_half_ivf ON doc USING ivf ((embedding::halfvec(96)) halfvec_l2_ops) WITH (quantizer = rabitq, rerank = heap);
CREATE INDEX doc_sub_ivf ON doc USING ivf ((subvector(embedding, 1, 48)::vector(48)) vector_l2_ops);
DELETE FROM doc WHERE id % 3 = 0;
UPDATE doc SET embedding = pg_temp.row_of(id + 10000) WHERE id % 3 = 1;
INSERT INTO doc SELECT i, pg_temp.row_of(i) FROM generate_series(3001, 3600) i;
VACUUM doc;
SELECT c.*, i FROM unnest('{doc_half_hnsw,doc_half_ivf,doc_sub_ivf}'::regclass[]) i, vecdb.check_index(i) c;
SELECT relname, recall >= 0.95 AS recall_ok FROM pg_class, vecdb.check_recall(pg_class.oid::regclass, 20) WHERE relname IN ('doc_half_hnsw', 'doc_half_ivf', 'doc_sub_ivf') ORDER BY 1;
DROP INDEX doc_half_hnsw, doc_sub_ivf;
-- rows whose exact distance comes out of the table
SELECT * FROM pg_temp.try('embedding::halfvec(96)', '<->', '$1::halfvec(96)', '<->', 20);
-- values that the expression refuses
INSERT INTO doc VALUES (9999, array_fill(70000, '{96}')::vector);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON doc USING hnsw ((embedding::halfvec) halfvec_l2_ops);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON doc USING hnsw ((embedding::halfvec(95)) halfvec_l2_ops);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE doc;
