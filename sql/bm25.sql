-- Texts as BM25 vectors, made in the server

-- golden: a term that is twice in a document of the average length 5 weighs 1.375
SELECT vecdb.bm25_vector(to_tsvector('simple', 'a b c a d'), average_length => 5) AS vector;
SELECT vecdb.bm25_vector('a b c a d', 'simple', average_length => 5)
     = vecdb.bm25_vector(to_tsvector('simple', 'a b c a d'), average_length => 5) AS same;
SELECT vecdb.bm25_query_vector('a d e a', 'simple') AS query,
       vecdb.bm25_query_vector(to_tsvector('simple', 'a d e a')) = vecdb.bm25_query_vector('a d e a', 'simple') AS same;
-- the dimension: |murmur3-32| modulo 1e9; "test" hashes to 0xba6bd213, -1167338989 as a signed number
SELECT vecdb.bm25_query_vector('test', 'simple');
-- nothing to weigh
SELECT vecdb.bm25_vector('', 'simple') AS empty, vecdb.bm25_query_vector('the', 'english') AS stopword,
       vecdb.bm25_vector(NULL, 'simple') IS NULL AS of_null;
-- a lexeme without positions counts once
SELECT vecdb.bm25_vector(strip(to_tsvector('simple', 'a a b')), k1 => 1, b => 0)
     = vecdb.bm25_vector(to_tsvector('simple', 'a b'), k1 => 1, b => 0) AS stripped;
-- the stems of a configuration
SELECT vecdb.bm25_vector('running runs', 'english') = vecdb.bm25_vector('run run', 'simple') AS stems;
-- tsvector keeps up to 256 positions of a lexeme: what is more does not count
SELECT vecdb.bm25_vector(repeat('a ', 1000), 'simple', b => 0) = vecdb.bm25_vector(repeat('a ', 256), 'simple', b => 0) AS capped;
-- two lexemes of one dimension add up; in a query they are one
SELECT vecdb.bm25_query_vector('t9224', 'simple') = vecdb.bm25_query_vector('t55226', 'simple') AS one_dimension,
       vecdb.bm25_vector('t9224 t55226', 'simple', k1 => 1, b => 0) AS document, vecdb.bm25_query_vector('t9224 t55226', 'simple') AS query;

-- scores of documents against the formula, over all pairs
CREATE TABLE docs (id int PRIMARY KEY, body text, tsv tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,
    terms sparsevec GENERATED ALWAYS AS (vecdb.bm25_vector(to_tsvector('simple', body), average_length => 8)) STORED);
SELECT setseed(.3);
INSERT INTO docs SELECT i, (SELECT string_agg('w' || (random() * random() * 30)::int, ' ') FROM generate_series(1, 3 + i % 10) WHERE i > 0)
FROM generate_series(1, 200) i;
INSERT INTO docs VALUES (0, '');
CREATE VIEW expected AS
SELECT d.id, q.query, sum(n * (1.2 + 1) / (n + 1.2 * (1 - .75 + .75 * len / 8.0))) AS score
FROM (SELECT id, lexeme, array_length(positions, 1) AS n,
             (SELECT sum(array_length(positions, 1)) FROM unnest(tsv)) AS len FROM docs, unnest(tsv)) d
JOIN (VALUES ('w0 w1'), ('w3'), ('w7 w20 w29'), ('w2 w2')) AS q(query) ON d.lexeme = ANY (string_to_array(q.query, ' '))
GROUP BY d.id, q.query;
SELECT q.query, count(*) FILTER (WHERE abs(coalesce(e.score, 0) + (d.terms <#> vecdb.bm25_query_vector(q.query, 'simple'))) > 1e-5) AS wrong,
       count(e.score) > 5 AS some
FROM docs d CROSS JOIN (SELECT DISTINCT query FROM expected) q LEFT JOIN expected e ON e.id = d.id AND e.query = q.query
GROUP BY q.query ORDER BY q.query;

-- idf: n documents, df with the term
CREATE TABLE thousand (terms sparsevec);
INSERT INTO thousand SELECT vecdb.bm25_query_vector('all' || CASE WHEN i <= 10 THEN ' ten' ELSE '' END, 'simple') FROM generate_series(1, 1000) i;
CREATE FUNCTION weight(sparsevec, text) RETURNS numeric LANGUAGE sql AS
    $$SELECT round((-($1 <#> vecdb.bm25_query_vector($2, 'simple')))::numeric, 6)$$;
SELECT weight(q, 'ten') AS df10, weight(q, 'none') AS df0, weight(q, 'all') AS df1000
FROM (SELECT vecdb.bm25_idf(terms, vecdb.bm25_query_vector('ten none all', 'simple')) AS q FROM thousand) t;
-- documents that are NULL do not count; the weights of the query do
INSERT INTO thousand SELECT NULL FROM generate_series(1, 500);
SELECT weight(vecdb.bm25_idf(terms, '{167338990:2}/1000000000'), 'test') AS twice FROM thousand;
SELECT vecdb.bm25_idf(terms, '{1:1}/1000000000') AS no_rows FROM thousand WHERE false;
SELECT vecdb.bm25_idf(terms, NULL) AS no_query FROM thousand;
SELECT vecdb.bm25_idf(terms, '{}/1000000000') AS no_terms FROM thousand;
-- the same from workers
CREATE TABLE many AS SELECT terms FROM docs, generate_series(1, 50);
ALTER TABLE many SET (parallel_workers = 2);
SELECT vecdb.bm25_idf(terms, vecdb.bm25_query_vector('w0 w5 w25', 'simple')) AS one FROM many \gset
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT vecdb.bm25_idf(terms, '{1:1}/1000000000') FROM many;
SELECT vecdb.bm25_idf(terms, vecdb.bm25_query_vector('w0 w5 w25', 'simple')) = :'one' AS same FROM many;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;

-- dense to sparse: strictly above
SELECT vecdb.to_sparse('[0.5,-1,0,2,0.25]', .25) AS quarter, vecdb.to_sparse('[0.5,-1,0,2]') AS above_0, vecdb.to_sparse('[0.5,-1,0,2]', -2) AS not_0,
       vecdb.to_sparse('[1,2]', 5) AS none, vecdb.to_sparse('[1,2]', 'Infinity') AS infinity, vecdb.to_sparse(NULL, 1) IS NULL AS of_null;

-- refused
\set VERBOSITY sqlstate
SELECT vecdb.bm25_vector('a', 'simple', k1 => -1);
SELECT vecdb.bm25_vector('a', 'simple', k1 => 'NaN');
SELECT vecdb.bm25_vector('a', 'simple', b => 1.1);
SELECT vecdb.bm25_vector('a', 'simple', b => 'NaN');
SELECT vecdb.bm25_vector('a', 'simple', average_length => 0);
SELECT vecdb.bm25_vector('a', 'simple', average_length => 'Infinity');
SELECT vecdb.bm25_vector('a', 'no_such_config');
SELECT vecdb.to_sparse('[1]', 'NaN');
SELECT vecdb.bm25_idf(terms, '{1:1}/5') FROM thousand;
SELECT vecdb.bm25_idf(terms, '{1:3e38}/1000000000') FROM thousand;
-- more lexemes than a sparsevec holds
SELECT vecdb.bm25_vector(string_agg('t' || i, ' '), 'simple') FROM generate_series(1, 16100) i;
\set VERBOSITY default

DROP FUNCTION weight;
DROP VIEW expected;
DROP TABLE docs, thousand, many;
