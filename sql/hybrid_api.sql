-- vecdb.hybrid_search: golden values, an exact oracle in SQL for each fusion, what is refused

-- six digits: kernels round in their own order
SET extra_float_digits = -9;

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;

-- lists D = x .9, y .8, z .4 and S = y 12, w 6, x 3; z has no term of the query
CREATE TABLE golden (id text PRIMARY KEY, v vector(1), s sparsevec(2));
INSERT INTO golden VALUES ('x', '[0.9]', '{1:3}/2'), ('y', '[0.8]', '{1:12}/2'), ('z', '[0.4]', '{2:1}/2'), ('w', NULL, '{1:6}/2');
CREATE FUNCTION pg_temp.golden(fusion text, fusion_params jsonb DEFAULT NULL, k int DEFAULT 10, skip int DEFAULT 0)
RETURNS TABLE (id text, score numeric, rank bigint, leg_ranks int[], leg_scores numeric[]) LANGUAGE sql AS $$
    SELECT h.id, round(h.score::numeric, 6), h.rank, h.leg_ranks, (SELECT array_agg(round(s::numeric, 4)) FROM unnest(h.leg_scores) s)
    FROM vecdb.hybrid_search('golden', NULL::text, '[{"type": "dense", "column": "v", "query": [1], "params": {"metric": "dot"}},
        {"type": "sparse", "column": "s", "query": {"indices": [0], "values": [1]}}]', fusion, k, skip, fusion_params => fusion_params) h $$;
SELECT * FROM pg_temp.golden('rrf');
SELECT * FROM pg_temp.golden('RRF', '{"k": 1}');
SELECT * FROM pg_temp.golden('rrf', '{"weights": [0.7, 0.3]}');
SELECT * FROM pg_temp.golden('rrf', '{"weights": [3, 1], "k": 1, "weight_mode": "qdrant"}');
SELECT * FROM pg_temp.golden('relative score');
SELECT * FROM pg_temp.golden('RelativeScoreFusion', '{"alpha": 0.7}');
SELECT * FROM pg_temp.golden('relative_score', '{"weights": [0, 2]}');
SELECT * FROM pg_temp.golden('dbsf');
SELECT * FROM pg_temp.golden('product');
SELECT * FROM pg_temp.golden('distribution-based', '{"normalize": false}');
-- pages; alpha is the dense leg's wherever it stands; weights of legs; NULL is the default
SELECT id, rank FROM pg_temp.golden('rrf', k => 2, skip => 1);
SELECT id, rank FROM pg_temp.golden('rrf', k => 2, skip => 4);
SELECT id, round(score::numeric, 6) AS score FROM vecdb.hybrid_search('golden', NULL::text, fusion => 'relative_score', legs =>
    '[{"type": "sparse", "column": "s", "query": "{1:1}/2"}, {"type": "dense", "column": "v", "query": "[1]", "params": {"metric": "dot"}}]');
SELECT id, round(score::numeric, 6) AS score FROM vecdb.hybrid_search('golden', NULL::text, k => NULL, skip => NULL, fusion => NULL, filter => NULL, params => NULL,
    legs => '[{"type": "dense", "column": "v", "query": [1], "weight": 0.7, "params": {"metric": "dot"}}, {"type": "sparse", "column": "s", "query": "{1:1}/2", "weight": 0.3}]');
-- one leg; a leg without rows; none at all
SELECT id, score, leg_ranks FROM vecdb.hybrid_search('golden', NULL::text, '[{"type": "sparse", "column": "s", "query": "{2:-1}/2"}]', 'relative_score');
SELECT id, score, leg_ranks FROM vecdb.hybrid_search('golden', NULL::text,
    '[{"type": "sparse", "column": "s", "query": "{}/2"}, {"type": "dense", "column": "v", "query": [1], "params": {"metric": "l2"}}]', 'dbsf') ORDER BY id;
SELECT count(*) FROM vecdb.hybrid_search('golden', NULL::text, '[{"type": "sparse", "column": "s", "query": "{}/2"}]', 'product');
-- the golden lists with indexes
CREATE INDEX ON golden USING hnsw (v vector_ip_ops);
CREATE INDEX ON golden USING hnsw (s sparsevec_ip_ops);
SET enable_seqscan = off;
SELECT id, round(score::numeric, 6) AS score FROM vecdb.hybrid_search('golden', NULL::text,
    '[{"type": "dense", "column": "v", "query": [1]}, {"type": "sparse", "column": "s", "query": "{1:1}/2"}]', 'dbsf');
RESET enable_seqscan;

-- random rows with ties, all fusions, against SQL
SELECT setseed(.25);
CREATE TABLE items (id int PRIMARY KEY, e vector(3), h halfvec(3), s sparsevec(20), body text,
    tsv tsvector GENERATED ALWAYS AS (to_tsvector('english', body)) STORED,
    terms sparsevec GENERATED ALWAYS AS (vecdb.bm25_vector(to_tsvector('english', body), average_length => 6)) STORED);
INSERT INTO items
SELECT i, e, e, s::vector(20)::sparsevec, body FROM (
    SELECT i, ARRAY[(random() * 6)::int - 3, (random() * 6)::int - 3, 1]::vector(3) AS e,
           (SELECT array_agg(CASE WHEN random() < .2 THEN (random() * 4)::int ELSE 0 END) FROM generate_series(1, 20) WHERE i > 0)::vector(20) AS s,
           (SELECT string_agg((ARRAY['fast', 'slow', 'index', 'vector', 'search', 'car'])[1 + (random() * random() * 6)::int], ' ')
            FROM generate_series(1, 2 + i % 7)) AS body
    FROM generate_series(1, 400) i) t;
UPDATE items SET e = NULL, h = NULL WHERE id % 17 = 0;
ALTER TABLE items ADD even boolean GENERATED ALWAYS AS (id % 2 = 0) STORED, ADD note text GENERATED ALWAYS AS (CASE WHEN body LIKE '%car%' THEN 'car' END) STORED;

-- the lists of each leg, in full
CREATE FUNCTION pg_temp.lists(q vector, sq sparsevec, tq text, depth int) RETURNS TABLE (leg int, id int, score float8, rank bigint) LANGUAGE sql AS $$
    SELECT leg, id, score, row_number() OVER (PARTITION BY leg ORDER BY rank) FROM (SELECT leg, id, score, row_number() OVER (PARTITION BY leg ORDER BY score DESC NULLS LAST, id) AS rank FROM (
        SELECT 1 AS leg, id, -(e <#> q) AS score FROM items
        UNION ALL SELECT 2, id, -(s <#> sq) FROM items
        UNION ALL SELECT 3, id, -(terms <#> vecdb.bm25_query_vector(tq, 'english')) FROM items
        UNION ALL SELECT 4, id, ts_rank_cd(tsv, websearch_to_tsquery('english', tq)) FROM items WHERE tsv @@ websearch_to_tsquery('english', tq)
        UNION ALL SELECT 5, id, -((h <-> q::halfvec) ^ 2) FROM items) t
    WHERE score IS NOT NULL) r WHERE rank <= depth AND (leg NOT IN (2, 3) OR score <> 0) $$;
CREATE FUNCTION pg_temp.oracle(fusion text, q vector, sq sparsevec, tq text, depth int) RETURNS TABLE (id int, score float8, rank bigint, ranks int[]) LANGUAGE sql AS $$
    WITH l AS (SELECT * FROM pg_temp.lists(q, sq, tq, depth)),
    s AS (SELECT leg, count(*) AS n, min(score) AS least, max(score) AS largest, avg(score) AS mean, stddev_samp(score) AS sd FROM l GROUP BY leg),
    f AS (SELECT id, sum(CASE fusion
              WHEN 'rrf' THEN 1 / (60::float8 + rank)
              WHEN 'relative_score' THEN .2::float8 * coalesce((score - least) / nullif(largest - least, 0), 1)
              WHEN 'dbsf' THEN coalesce((score - (mean - 3 * sd)) / nullif(6 * sd, 0), .5) END) AS sum,
              CASE WHEN count(*) < 5 THEN NULL WHEN bool_or(score = least AND least < largest) THEN 0
                   ELSE exp(sum(ln(coalesce(nullif((score - least) / nullif(largest - least, 0), 0), 1)))) END AS product,
              array_agg(rank::int ORDER BY leg) AS ranks
          FROM l JOIN s USING (leg) GROUP BY id)
    SELECT id, score, row_number() OVER (ORDER BY round(score::numeric, 9) DESC, id), ranks
    FROM (SELECT id, CASE fusion WHEN 'product' THEN product ELSE sum END AS score, ranks FROM f) t WHERE score IS NOT NULL $$;
CREATE FUNCTION pg_temp.fused(fusion text, q vector, sq sparsevec, tq text, depth int, k int DEFAULT 1000, skip int DEFAULT 0)
RETURNS TABLE (id int, score float8, rank bigint, ranks int[]) LANGUAGE sql AS $$
    SELECT id, score, rank, array_remove(leg_ranks, NULL) FROM vecdb.hybrid_search('items', NULL::int, jsonb_build_array(
        jsonb_build_object('type', 'dense', 'column', 'e', 'query', q::text::jsonb, 'k', depth, 'params', '{"metric": "dot"}'::jsonb),
        jsonb_build_object('type', 'sparse', 'column', 's', 'query', sq, 'k', depth),
        jsonb_build_object('type', 'bm25', 'column', 'terms', 'query', tq, 'k', depth, 'config', 'english'),
        jsonb_build_object('type', 'fts', 'column', 'tsv', 'query', tq, 'k', depth, 'config', 'english'),
        jsonb_build_object('type', 'dense', 'column', 'h', 'query', q::text, 'k', depth, 'params', '{"metric": "l2"}'::jsonb)), fusion, k, skip) $$;
-- every fusion: the same rows, scores, ranks in legs; best first, equal ones by key
CREATE TABLE queries AS SELECT row_number() OVER () AS n, * FROM (VALUES
    ('[1,2,1]'::vector, '{1:1,5:2}/20'::sparsevec, 'fast'), ('[-1,0,3]', '{2:1,3:-1}/20', 'index vector'), ('[0,0,0]', '{20:1}/20', 'car or slow')) t(q, sq, tq);
SELECT fusion, depth, count(*) > 0 AS rows, count(*) FILTER (WHERE id IS NULL OR oid IS NULL) AS missing,
       count(*) FILTER (WHERE abs(score - oscore) > 1e-6 * (1 + abs(oscore))) AS scores_wrong, count(*) FILTER (WHERE ranks <> oranks) AS ranks_wrong,
       count(*) FILTER (WHERE oscore > before_oscore + 1e-9 OR score > before OR (score = before AND id < before_id)) AS places_wrong,
       count(*) FILTER (WHERE score = before) > 10 AS ties
FROM (SELECT *, lag(score) OVER w AS before, lag(oscore) OVER w AS before_oscore, lag(id) OVER w AS before_id
      FROM unnest('{rrf,relative_score,dbsf,product}'::text[]) fusion, unnest('{400,100}'::int[]) depth, queries,
           LATERAL (SELECT * FROM pg_temp.fused(fusion, q, sq, tq, depth) f FULL JOIN pg_temp.oracle(fusion, q, sq, tq, depth) o ON f.id = o.id)
               AS j(id, score, rank, ranks, oid, oscore, orank, oranks)
      WINDOW w AS (PARTITION BY fusion, depth, n ORDER BY rank)) t
GROUP BY fusion, depth ORDER BY fusion, depth;
-- pages put together are the whole
SELECT fusion, bool_and(a.id = b.id AND a.score = b.score) AND count(*) = 30 AS same
FROM unnest('{rrf,dbsf}'::text[]) fusion, generate_series(0, 2) page,
     LATERAL pg_temp.fused(fusion, '[1,2,1]', '{1:1}/20', 'fast', 200, 10, page * 10) a JOIN LATERAL pg_temp.fused(fusion, '[1,2,1]', '{1:1}/20', 'fast', 200, 30) b ON b.rank = a.rank
GROUP BY fusion;

-- a leg looks 4 * (k + skip) rows deep, 100 at least
SELECT k, skip, (SELECT count(*) FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "dense", "column": "e", "query": [1,1,1]}]', k => k, skip => skip)) AS rows
FROM (VALUES (10, 0), (200, 0), (20, 0), (30, 70), (10, 95), (30, 370)) t(k, skip);

-- full text: a text column by its configuration, and the index over the expression
CREATE INDEX items_body ON items USING gin (to_tsvector('english', body));
SELECT setseed(.5);
INSERT INTO items (id, body) SELECT 1000 + i, 'filler ' || i FROM generate_series(1, 3000) i;
ANALYZE items;
SELECT count(*) = 40 AS found, bool_and(a.id = b.id AND a.score = b.score) AS same
FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "fts", "column": "body", "query": "car", "config": "english"}]', k => 40) a
JOIN vecdb.hybrid_search('items', NULL::int, '[{"type": "fts", "column": "tsv", "query": "car", "config": "pg_catalog.english"}]', k => 40) b USING (rank);
SELECT id FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "fts", "column": "body", "query": "\"filler 7\"", "config": "english"}]');
SELECT pg_stat_get_xact_numscans('items_body'::regclass) > 0 AS index_used
FROM (SELECT count(*) FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "fts", "column": "body", "query": "car", "config": "english"}]') OFFSET 0) t;
-- stop words only: no rows, and PostgreSQL's notice
SELECT count(*) FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "fts", "column": "tsv", "query": "the", "config": "english"}]');

-- idf: as aggregate bm25_idf has it
SELECT a.id = b.id AND abs(a.score - b.score) < 1e-9 AS same
FROM (SELECT leg_scores[1] AS score, id, rank FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "bm25", "column": "terms", "query": "car slow filler", "config": "english", "idf": true}]', k => 5)) a
JOIN (SELECT -(terms <#> (SELECT vecdb.bm25_idf(terms, vecdb.bm25_query_vector('car slow filler', 'english')) FROM items)) AS score, id,
             row_number() OVER (ORDER BY terms <#> (SELECT vecdb.bm25_idf(terms, vecdb.bm25_query_vector('car slow filler', 'english')) FROM items), id) AS rank FROM items) b USING (rank)
ORDER BY rank;

-- a bm25 leg by the words' index: the same list from the rows that have one of the words
SELECT count(*) = 100 AS full, bool_and(a.id = b.id AND a.score = b.score AND a.leg_scores = b.leg_scores) AS same
FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "bm25", "column": "terms", "query": "cars slowly searching", "config": "english"}]', k => 100) a
FULL JOIN vecdb.hybrid_search('items', NULL::int, '[{"type": "bm25", "column": "terms", "query": "cars slowly searching", "config": "english",
    "filter": {"must": {"key": "tsv", "match": {"text_any": "cars slowly searching", "config": "english"}}}}]', k => 100) b USING (rank);

-- thresholds of legs are inclusive
SELECT id, leg_scores FROM vecdb.hybrid_search('golden', NULL::text, '[{"type": "sparse", "column": "s", "query": "{1:1}/2", "score_threshold": 6}]');

-- indexes serve the legs
CREATE INDEX items_e ON items USING hnsw (e vector_cosine_ops);
SET enable_seqscan = off;
SELECT id, round(score::numeric, 6) AS score FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "dense", "column": "e", "query": [1,2,1]}]', k => 3);
SELECT index, rows_returned >= 100 AS deep, ef_search, current_setting('hnsw.ef_search') AS after FROM vecdb.last_scan_stats();
SELECT id FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "dense", "column": "e", "query": [1,2,1], "params": {"ef_search": 7}}]', k => 1);
SELECT ef_search, current_setting('hnsw.ef_search') AS after FROM vecdb.last_scan_stats();
RESET enable_seqscan;

-- filters: of all legs, and of one
SELECT count(*) > 20 AS some, bool_and(i.id % 2 = 0 AND (h.leg_ranks[2] IS NULL OR i.body LIKE '%car%')) AS filtered, count(h.leg_ranks[2]) > 5 AS of_leg
FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "dense", "column": "e", "query": [1,2,1]}, {"type": "dense", "column": "h", "query": [2,1,1], "filter": {"must": {"key": "note", "match": {"value": "car"}}}}]',
    k => 60, filter => '{"must": {"key": "even", "match": {"value": true}}}') h JOIN items i USING (id);
SELECT state, detail FROM pg_temp.error_of($$SELECT * FROM vecdb.hybrid_search('items', NULL::int, '[{"type": "dense", "column": "e", "query": [1,2,1], "filter": {"must": 1}}]')$$);

-- keys: composite, rows, another column
CREATE TABLE pairs (a int, b text COLLATE "C", v vector(1), PRIMARY KEY (b, a));
CREATE TYPE pair AS (b text, a int);
INSERT INTO pairs VALUES (1, 'x', '[1]'), (2, 'x', '[1]'), (1, 'a', '[2]'), (9, 'B', '[1]');
SELECT (id).a, (id).b, score FROM vecdb.hybrid_search('pairs', NULL::pair, '[{"type": "dense", "column": "v", "query": [1], "params": {"metric": "dot"}},
    {"type": "dense", "column": "v", "query": [1], "params": {"metric": "l1"}}]', 'rrf', fusion_params => '{"weights": [1, 0]}');
SELECT id FROM vecdb.hybrid_search('pairs', NULL::pairs, '[{"type": "dense", "column": "v", "query": [1], "params": {"metric": "dot"}}]', 'dbsf');
CREATE VIEW twice AS SELECT id, v FROM golden UNION ALL SELECT id, v FROM golden WHERE id = 'x';
SELECT id, score, leg_ranks FROM vecdb.hybrid_search('twice', NULL::text, '[{"type": "dense", "column": "v", "query": [1], "params": {"metric": "dot"}}]', params => '{"key_column": "id"}');

-- refused
CREATE FUNCTION pg_temp.refused(legs text, fusion text DEFAULT 'rrf', fusion_params text DEFAULT NULL, rest text DEFAULT '') RETURNS TABLE (state text, message text, detail text) LANGUAGE sql AS $$
    SELECT * FROM pg_temp.error_of(format('SELECT * FROM vecdb.hybrid_search(''golden'', NULL::text, %L, %L, fusion_params => %L %s)', legs, fusion, fusion_params, rest)) $$;
\set dense '{"type":"dense","column":"v","query":[1],"params":{"metric":"dot"}}'
\set sparse '{"type":"sparse","column":"s","query":"{1:1}/2"}'
SELECT r.* FROM unnest(ARRAY[NULL, '[]', '{}', '1', '[1]', '[{}]', '[{"type": "vector"}]', '[{"type": 1}]', '[{"type": "dense"}]',
    '[{"type": "dense", "column": "v"}]', '[{"type": "dense", "column": "v", "query": null}]', '[{"type": "dense", "column": "v", "query": 1}]',
    '[{"type": "dense", "column": "v", "query": {"indices": [], "values": []}}]',
    '[{"type": "dense", "column": "v", "query": []}]', '[{"type": "dense", "column": "v", "query": ["1"]}]', '[{"type": "dense", "column": "v", "query": [1, 2]}]',
    '[{"type": "dense", "column": "v", "query": "[NaN]"}]', '[{"type": "dense", "column": "v", "query": "1); DROP TABLE golden"}]',
    '[{"type": "dense", "column": "none", "query": [1]}]', '[{"type": "dense", "column": "v\" OR true --", "query": [1]}]', '[{"type": "dense", "column": "id", "query": [1]}]',
    '[{"type": "dense", "column": "s", "query": [1]}]', '[{"type": "sparse", "column": "v", "query": [1]}]', '[{"type": "dense", "column": "ctid", "query": [1]}]',
    '[{"type": "sparse", "column": "s", "query": {"indices": [0]}}]', '[{"type": "sparse", "column": "s", "query": {"indices": [0, 0], "values": [1, 1]}}]',
    '[{"type": "sparse", "column": "s", "query": {"indices": [2], "values": [1]}}]', '[{"type": "sparse", "column": "s", "query": {"indices": [0], "values": [1], "extra": 1}}]',
    '[{"type": "sparse", "column": "s", "query": {"indices": [0.5], "values": [1]}}]', '[{"type": "sparse", "column": "s", "query": {"indices": [0], "values": [1, 2]}}]',
    '[{"type": "sparse", "column": "s", "query": "{1:1}/3"}]', '[{"type": "sparse", "column": "s", "query": "{1:1}/2", "params": {"metric": "l2"}}]',
    '[{"type": "sparse", "column": "s", "query": "{1:1}/2", "config": "english"}]', '[{"type": "dense", "column": "v", "query": [1], "idf": true}]',
    '[{"type": "dense", "column": "v", "query": [1], "sql": "DROP TABLE golden"}]', '[{"type": "dense", "column": "v", "query": [1], "k": 0}]',
    '[{"type": "dense", "column": "v", "query": [1], "k": 1.5}]', '[{"type": "dense", "column": "v", "query": [1], "k": 1e9}]', '[{"type": "dense", "column": "v", "query": [1], "k": 1e400}]',
    '[{"type": "dense", "column": "v", "query": [1], "weight": -1}]', '[{"type": "dense", "column": "v", "query": [1], "weight": "1"}]', '[{"type": "dense", "column": "v", "query": [1], "params": {"ef": 1}}]',
    '[{"type": "dense", "column": "v", "query": [1], "params": {"key_column": "id"}}]',
    '[{"type": "fts", "column": "id", "query": "a", "config": "none"}]', '[{"type": "fts", "column": "id", "query": "a", "config": "a.b.c.d"}]', '[{"type": "fts", "column": "v", "query": "a"}]',
    '[{"type": "fts", "column": "id", "query": [1]}]', '[{"type": "fts", "column": "none", "query": "a"}]', '[{"type": "bm25", "column": "s", "query": "a"}]', '[{"type": "bm25", "column": "v", "query": "a"}]']) legs,
    LATERAL pg_temp.refused(legs) r;
SELECT r.* FROM (VALUES ('sum', NULL), ('rrf', '1'), ('rrf', '{"alpha": 0.5}'), ('rrf', '{"k": -1}'), ('rrf', '{"weights": [1]}'), ('rrf', '{"weights": [1, -1]}'),
    ('rrf', '{"weights": 1}'), ('rrf', '{"weight_mode": "cubic"}'), ('rrf', '{"unknown": 1}'), ('relative_score', '{"alpha": 1.1}'),
    ('relative_score', '{"alpha": 0.5, "weights": [1, 1]}'), ('product', '{"weights": [1, 1]}'), ('product', '{"normalize": 1}'), ('dbsf', '{"normalize": true}')) t(fusion, fusion_params),
    LATERAL pg_temp.refused('[' || :'dense' || ',' || :'sparse' || ']', fusion, fusion_params) r;
SELECT r.* FROM (VALUES (', k => 0'), (', skip => -1'), (', k => 2000000'), (', params => ''{"unknown": 1}''')) t(rest), LATERAL pg_temp.refused('[' || :'dense' || ']', 'rrf', NULL, rest) r;
-- scores below 0 are not multiplied
SELECT r.* FROM pg_temp.refused('[' || :'dense' || ',{"type": "sparse", "column": "s", "query": "{1:-1}/2"}]', 'product', '{"normalize": false}') r;
SELECT r.* FROM pg_temp.refused('[' || repeat(:'dense' || ',', 64) || :'dense' || ']') r;
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.hybrid_search(NULL, NULL::text, '[]')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.hybrid_search('golden', NULL::int, '[{"type": "dense", "column": "v", "query": [1]}]')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.hybrid_search(4294967295::oid, NULL::text, '[{"type": "dense", "column": "v", "query": [1]}]')$$);

-- privileges and row security: the caller's
CREATE ROLE regress_hybrid;
CREATE TABLE secret (id int PRIMARY KEY, owner text, v vector(1), body text, tsv tsvector);
INSERT INTO secret SELECT i, CASE i % 2 WHEN 0 THEN 'regress_hybrid' ELSE 'other' END, ARRAY[i]::vector, 'word ' || i, to_tsvector('simple', 'word ' || i) FROM generate_series(1, 6) i;
SET ROLE regress_hybrid;
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.hybrid_search('secret', NULL::int, '[{"type": "dense", "column": "v", "query": [1]}]')$$);
RESET ROLE;
GRANT SELECT (id, v) ON secret TO regress_hybrid;
SET ROLE regress_hybrid;
SELECT count(*) FROM vecdb.hybrid_search('secret', NULL::int, '[{"type": "dense", "column": "v", "query": [1]}]');
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.hybrid_search('secret', NULL::int, '[{"type": "fts", "column": "tsv", "query": "word"}]')$$);
RESET ROLE;
GRANT SELECT ON secret TO regress_hybrid;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
SET ROLE regress_hybrid;
SELECT id, leg_ranks FROM vecdb.hybrid_search('secret', NULL::int, '[{"type": "dense", "column": "v", "query": [6], "params": {"metric": "l2"}},
    {"type": "fts", "column": "tsv", "query": "word", "config": "simple"}]');
RESET ROLE;
-- operators and functions of a hostile search_path are not called
CREATE SCHEMA evil;
CREATE FUNCTION evil.ts_rank_cd(tsvector, tsquery) RETURNS float4 LANGUAGE sql AS 'SELECT 1 / 0';
CREATE FUNCTION evil.to_tsvector(regconfig, text) RETURNS tsvector LANGUAGE plpgsql AS 'BEGIN RAISE ''evil''; END';
SET search_path = evil, public, pg_catalog;
SELECT id FROM vecdb.hybrid_search('secret', NULL::int, '[{"type": "fts", "column": "body", "query": "word", "config": "simple"}]', k => 2);
RESET search_path;
DROP SCHEMA evil CASCADE;

DROP VIEW twice;
DROP TABLE golden, items, queries, pairs, secret;
DROP TYPE pair;
DROP ROLE regress_hybrid;
