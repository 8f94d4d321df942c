-- vecdb.query: Qdrant's JSON against the functions of the query API, and against the golden values

-- six digits: kernels round in their own order
SET extra_float_digits = -9;

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;

-- the golden rows
CREATE TABLE golden (id text PRIMARY KEY, v vector(2), payload jsonb);
INSERT INTO golden VALUES ('a', '[1,0]', '{"n": 1}'), ('b', '[.8,.6]', '{"n": 2}'), ('c', '[.6,.8]', '{"n": 3, "tags": ["x", "y"]}'),
    ('d', '[0,1]', '{}'), ('e', '[-1,0]', NULL);
CREATE FUNCTION pg_temp.q(request jsonb, OUT id text, OUT score numeric, OUT rank bigint) RETURNS SETOF record LANGUAGE sql AS
    $$SELECT id #>> '{}', round(score::numeric, 6), rank FROM vecdb.query('golden', request)$$;
SELECT * FROM pg_temp.q('{"query": [1, 0]}');
SELECT * FROM pg_temp.q('{"query": {"nearest": [1, 0]}, "limit": 2, "offset": 1}');
-- by id: the row itself is not in the answer
SELECT * FROM pg_temp.q('{"query": "a", "limit": 2}');
SELECT * FROM pg_temp.q('{"query": {"nearest": "a"}, "score_threshold": 0.59}');
SELECT * FROM pg_temp.q('{"query": {"recommend": {"positive": ["a", "b"], "negative": ["d"]}}}');
SELECT * FROM pg_temp.q('{"query": {"recommend": {"positive": ["a", "b"], "negative": ["d"], "strategy": "best_score"}}}');
SELECT * FROM pg_temp.q('{"query": {"recommend": {"negative": ["d"], "strategy": "best_score"}}}');
SELECT * FROM pg_temp.q('{"query": {"recommend": {"positive": ["a", [0.8, 0.6]], "negative": [[0, 1]], "strategy": "sum_scores"}}, "params": {"metric": "dot"}}');
SELECT * FROM pg_temp.q('{"query": {"discover": {"target": "b", "context": [{"positive": "a", "negative": "d"}]}}}');
SELECT * FROM pg_temp.q('{"query": {"discover": {"target": [0.8, 0.6], "context": {"positive": [1, 0], "negative": [0, 1]}}}}');
SELECT * FROM pg_temp.q('{"query": {"discover": {"target": "b", "context": null}}, "limit": 1}');
SELECT * FROM pg_temp.q('{"query": {"context": {"positive": [1, 0], "negative": [0, 1]}}}');
SELECT * FROM pg_temp.q('{"query": {"recommend": {"positive": ["a", "b"], "negative": ["d"]}}, "params": {"metric": "l2"}}');
-- no query: by key; order, sample
SELECT * FROM pg_temp.q('{}');
SELECT * FROM pg_temp.q('{"query": {"order_by": "n"}}');
SELECT * FROM pg_temp.q('{"query": {"order_by": {"key": "n", "direction": "desc", "start_from": 2}}, "limit": 1}');
SELECT * FROM pg_temp.q('{"query": {"order_by": {"key": "id", "direction": "desc"}}, "limit": 2}');
SELECT count(DISTINCT id), min(rank), max(rank) FROM pg_temp.q('{"query": {"sample": "random"}, "limit": 4}');
-- filters and payloads
SELECT * FROM vecdb.query('golden', '{"query": [1, 0], "filter": {"must": [{"key": "n", "range": {"gte": 2}}]}, "with_payload": true}');
SELECT id, payload FROM vecdb.query('golden', '{"with_payload": ["tags"]}');
SELECT id, payload FROM vecdb.query('golden', '{"with_payload": {"exclude": ["n"]}}');
SELECT id, payload FROM vecdb.query('golden', '{"with_payload": {"include": ["n", "tags"], "exclude": ["n"]}, "limit": 3}');
SELECT id, payload FROM vecdb.query('golden', '{"with_payload": false, "with_vector": false, "with_vectors": null, "shard_key": null, "limit": 1}');

-- mmr: points p q r s t
CREATE TABLE points (id int PRIMARY KEY, name text, v vector(2));
INSERT INTO points VALUES (1, 'p', '[1,.1]'), (2, 'q', '[.98,.2]'), (3, 'r', '[.7,.7]'), (4, 's', '[.1,1]'), (5, 't', '[.95,-.3]');
SELECT diversity, string_agg(payload ->> 'name', ' ' ORDER BY rank) AS selected, array_agg(round(score::numeric, 6) ORDER BY rank) AS scores
FROM unnest('{0,0.3,0.5,0.8,1}'::float8[]) diversity,
     vecdb.query('points', jsonb_build_object('query', jsonb_build_object('nearest', '[1, 0]'::jsonb, 'mmr', jsonb_build_object('diversity', diversity)), 'with_payload', true, 'limit', 5))
GROUP BY diversity ORDER BY diversity;
SELECT id, rank FROM vecdb.query('points', '{"query": {"nearest": 1, "mmr": {"candidates_limit": 5}}, "limit": 2, "offset": 1, "filter": {"must_not": {"has_id": [4]}}}');

SELECT id, rank FROM vecdb.query('points', '{"prefetch": {"query": [0, 1], "limit": 3}, "query": {"nearest": 1, "mmr": {"diversity": 1}}, "limit": 3}');
SELECT id, rank FROM vecdb.query('points', '{"prefetch": {"query": [0, 1], "filter": {"must": {"has_id": [0]}}}, "query": {"nearest": [1, 0], "mmr": {}}}');

-- fusion: lists D = x .9, y .8, z .4 and S = y 12, w 6, x 3, with Qdrant's constants
CREATE TABLE lists (id text PRIMARY KEY, v vector(1), s sparsevec(2), h halfvec(1), tag text);
INSERT INTO lists VALUES ('x', '[0.9]', '{1:3}/2', '[1]', 'one'), ('y', '[0.8]', '{1:12}/2', '[2]', 'two'), ('z', '[0.4]', '{2:1}/2', '[3]', 'one'), ('w', NULL, '{1:6}/2', '[4]', NULL);
CREATE FUNCTION pg_temp.fused(query jsonb, rest jsonb DEFAULT '{}', OUT id text, OUT score numeric, OUT rank bigint) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT id #>> '{}', round(score::numeric, 6), rank FROM vecdb.query('lists', rest || jsonb_build_object('query', query, 'prefetch',
        '[{"query": [1], "using": "v", "params": {"metric": "dot"}}, {"query": {"indices": [0], "values": [1]}, "using": "s"}]'::jsonb))$$;
SELECT * FROM pg_temp.fused('{"fusion": "rrf"}');
SELECT * FROM pg_temp.fused('{"rrf": {}}', '{"limit": 2, "offset": 1}');
SELECT * FROM pg_temp.fused('{"rrf": {"k": 2, "weights": [3, 1]}}');
SELECT * FROM pg_temp.fused('{"rrf": {"k": 61}}');
SELECT * FROM pg_temp.fused('{"fusion": "dbsf"}', '{"score_threshold": 0.463}');
-- the request's filter holds for its prefetches
SELECT * FROM pg_temp.fused('{"fusion": "rrf"}', '{"filter": {"must": [{"key": "tag", "match": {"value": "one"}}]}}');
-- a query over prefetches scores their rows anew
SELECT id, score FROM vecdb.query('lists', '{"prefetch": {"query": {"indices": [0], "values": [1]}, "using": "s", "limit": 2}, "query": [1], "using": "h", "params": {"metric": "dot"}}');
SELECT id, score FROM vecdb.query('lists', '{"prefetch": [{"query": [1], "using": "v", "limit": 1, "params": {"metric": "dot"}}, {"prefetch": {"query": {"sample": "random"}},
    "query": {"fusion": "rrf"}, "filter": {"must_not": [{"has_id": ["x", "y"]}]}}], "query": {"order_by": {"key": "h"}}}') ORDER BY id;
SELECT id, score FROM vecdb.query('lists', '{"prefetch": {"filter": {"must": {"has_id": []}}}, "query": {"recommend": {"positive": ["x"]}}, "using": "h"}');
-- examples of another table
SELECT id, round(score::numeric, 6) AS score FROM vecdb.query('golden', '{"query": {"recommend": {"positive": ["x"]}}, "lookup_from": {"collection": "others", "vector": "w"}, "limit": 2}');
CREATE TABLE others (id text PRIMARY KEY, w halfvec(2), v vector(2));
INSERT INTO others VALUES ('x', '[0,-2]', '[0,1]'), ('a', '[-3,0]', NULL);
SELECT id, round(score::numeric, 6) AS score FROM vecdb.query('golden', '{"query": {"recommend": {"positive": ["x"]}}, "lookup_from": {"collection": "public.others", "vector": "w"}, "limit": 2}');
SELECT id, round(score::numeric, 6) AS score FROM vecdb.query('golden', '{"query": "a", "lookup_from": {"collection": "others", "vector": "w"}}');
SELECT id, round(score::numeric, 6) AS score FROM vecdb.query('golden', '{"query": "x", "lookup_from": {"collection": "others"}, "limit": 1, "using": "v"}');

-- the same as the functions, on random rows with ties, with and without index
SELECT setseed(.7);
CREATE TABLE items (id bigint PRIMARY KEY, e vector(3), color text, price int, attributes jsonb, doc tsvector, made date DEFAULT '2026-01-02');
INSERT INTO items SELECT i, ARRAY[(random() * 8)::int - 4, (random() * 8)::int - 4, (random() * 8)::int - 4.5]::vector(3), (ARRAY['red', 'green', 'blue'])[1 + i % 3], i % 50,
    jsonb_build_object('size', i % 7, 'color', 'hidden by the column'), to_tsvector('simple', 'word') FROM generate_series(1, 3000) i;
CREATE FUNCTION pg_temp.same(request jsonb, statement text, OUT rows bigint, OUT same boolean) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT count(*), bool_and(a.id IS NOT DISTINCT FROM to_jsonb(b.id) AND abs(a.score - b.score) < 1e-9) FROM vecdb.query(''items'', %L) a FULL JOIN (%s) b USING (rank)', request, statement)
    INTO rows, same;
END $$;
CREATE TABLE requests (n int, request jsonb, statement text);
INSERT INTO requests VALUES
(1, '{"query": [1, 2, 3], "limit": 20}', $$SELECT * FROM vecdb.search('items', 'e', NULL::bigint, '[1,2,3]', 20)$$),
(2, '{"query": [1, 2, 3], "limit": 20, "offset": 7, "filter": {"must": {"key": "color", "match": {"value": "red"}}}, "params": {"metric": "euclid"}}',
    $$SELECT * FROM vecdb.search('items', 'e', NULL::bigint, '[1,2,3]', 20, 7, '{"must": {"key": "color", "match": {"value": "red"}}}', params => '{"metric": "l2"}')$$),
(3, '{"query": {"recommend": {"positive": [5, 6], "negative": [7]}}, "params": {"metric": "dot"}}', $$SELECT * FROM vecdb.recommend('items', 'e', '{5,6}'::bigint[], '{7}'::bigint[], params => '{"metric": "dot"}')$$),
(4, '{"query": {"recommend": {"positive": [5, 6], "negative": [7], "strategy": "best_score"}}, "limit": 30}', $$SELECT * FROM vecdb.recommend('items', 'e', '{5,6}'::bigint[], '{7}'::bigint[], 'best_score', 30)$$),
(5, '{"query": {"recommend": {"positive": [5, 6], "negative": [7], "strategy": "sum_scores"}}, "score_threshold": 1.5}', $$SELECT * FROM vecdb.recommend('items', 'e', '{5,6}'::bigint[], '{7}'::bigint[], 'sum_scores', score_threshold => 1.5)$$),
(6, '{"query": {"discover": {"target": 5, "context": [{"positive": 6, "negative": 7}, {"positive": 8, "negative": 9}]}}}', $$SELECT * FROM vecdb.discover('items', 'e', 5::bigint, '{{6,7},{8,9}}'::bigint[])$$),
(7, '{"query": {"context": [{"positive": 6, "negative": 7}, {"positive": 8, "negative": 9}]}, "limit": 15}', $$SELECT * FROM vecdb.context_search('items', 'e', '{{6,7},{8,9}}'::bigint[], 15)$$),
(8, '{"query": {"nearest": [1, 2, 3], "mmr": {"diversity": 0.4, "candidates_limit": 50}}}', $$SELECT * FROM vecdb.mmr_search('items', 'e', NULL::bigint, '[1,2,3]', 10, 0.4, 50)$$),
(9, '{"prefetch": [{"query": [1, 2, 3], "limit": 40}, {"query": [3, 2, 1], "limit": 40, "filter": {"must": {"key": "size", "match": {"value": 3}}}}], "query": {"rrf": {"k": 61}}, "limit": 25}',
    $$SELECT * FROM vecdb.hybrid_search('items', NULL::bigint, '[{"type": "dense", "column": "e", "query": [1, 2, 3], "k": 40},
      {"type": "dense", "column": "e", "query": [3, 2, 1], "k": 40, "filter": {"must": {"key": "size", "match": {"value": 3}}}}]', k => 25)$$),
(10, '{"prefetch": [{"query": [1, 2, 3], "limit": 40}, {"query": [3, 2, 1], "limit": 40, "params": {"exact": true}}], "query": {"fusion": "dbsf"}, "limit": 25, "offset": 3, "filter": {"must_not": {"key": "price", "range": {"lt": 25}}}}',
    $$SELECT * FROM vecdb.hybrid_search('items', NULL::bigint, '[{"type": "dense", "column": "e", "query": [1, 2, 3], "k": 40}, {"type": "dense", "column": "e", "query": [3, 2, 1], "k": 40}]', 'dbsf', 25, 3,
      '{"must_not": {"key": "price", "range": {"lt": 25}}}')$$);
SELECT n, s.* FROM requests, LATERAL pg_temp.same(request, statement) s ORDER BY n;
CREATE INDEX ON items USING hnsw (e vector_cosine_ops) WITH (m = 16);
SET hnsw.ef_search = 1000;
SET enable_seqscan = off;
SELECT n, s.* FROM requests, LATERAL pg_temp.same(request, statement) s ORDER BY n;
RESET enable_seqscan;
RESET hnsw.ef_search;
-- the payload: columns other than key, vectors, full text; the fields of the only jsonb column below them
SELECT payload FROM vecdb.query('items', '{"limit": 1, "with_payload": true}');
SELECT payload FROM vecdb.query('items', '{"limit": 1, "with_payload": ["size", "price", "none"]}');

-- composite keys, uuids, dates, other columns, views
CREATE TABLE pairs (a int, "b b" text, v vector(1), note text, PRIMARY KEY ("b b", a));
INSERT INTO pairs VALUES (1, 'x', '[1]', 'n1'), (2, 'x', '[2]', 'n2'), (1, 'y', '[3]', NULL);
SELECT * FROM vecdb.query('pairs', '{"query": [1], "params": {"metric": "dot"}, "with_payload": true}');
SELECT id FROM vecdb.query('pairs', '{"query": {"a": 2, "b b": "x"}, "params": {"metric": "l2"}}');
SELECT id, score FROM vecdb.query('pairs', '{"query": {"recommend": {"positive": [{"a": 2, "b b": "x"}], "negative": [[1]], "strategy": "sum_scores"}}, "params": {"metric": "dot"}}');
SELECT id FROM vecdb.query('pairs', '{"query": {"nearest": {"a": 2, "b b": "x"}, "mmr": {}}, "filter": {"must": [{"has_id": [{"a": 2, "b b": "x"}, {"a": 1, "b b": "y"}]}]}}');
SELECT id FROM vecdb.query('pairs', '{"prefetch": {"query": [3], "limit": 2, "params": {"metric": "l2"}}, "query": {"nearest": [1], "mmr": {}}, "params": {"metric": "l2"}}');
SELECT id FROM vecdb.query('pairs', '{"prefetch": [{"query": [1], "limit": 2, "params": {"metric": "l2"}}], "query": {"order_by": {"key": "a", "direction": "desc"}}}');
CREATE TABLE uuids (id uuid PRIMARY KEY, v vector(1));
INSERT INTO uuids SELECT ('00000000-0000-0000-0000-00000000000' || i)::uuid, ARRAY[i]::vector FROM generate_series(1, 3) i;
SELECT id FROM vecdb.query('uuids', '{"query": "00000000-0000-0000-0000-000000000002", "params": {"metric": "l2"}}');
-- without "using": the only dense column, before sparse ones
CREATE TABLE named (id int PRIMARY KEY, s sparsevec(2), v vector(1), t sparsevec(3));
INSERT INTO named VALUES (1, '{1:1}/2', '[1]', '{1:1}/3'), (2, '{1:2}/2', '[-1]', '{2:1}/3');
SELECT id, score FROM vecdb.query('named', '{"query": [3]}');
SELECT id, score FROM vecdb.query('named', '{"query": 1, "using": "t"}');
ALTER TABLE named DROP v, DROP t;
SELECT id, score FROM vecdb.query('named', '{"query": {"indices": [0], "values": [2]}}');
DROP TABLE named;
-- names that want quoting; calls in a select list
CREATE TABLE "we""ird 't" ("i""d" int PRIMARY KEY, "v'""e c" vector(1), "te""xt" text, "p'a""y" jsonb);
INSERT INTO "we""ird 't" VALUES (1, '[1]', 'one word', '{"a''b": 1}'), (2, '[2]', 'two words', '{"a''b": 2}');
SELECT * FROM vecdb.query('"we""ird ''t"', '{"query": 1, "with_payload": true, "filter": {"must": {"key": "\"a''b\"", "match": {"value": 2}}}, "params": {"metric": "l2"}}');
SELECT vecdb.query('"we""ird ''t"', '{"query": {"order_by": {"key": "te\"xt", "direction": "desc"}}, "with_payload": ["a''b", "none''"]}');
SELECT (vecdb.hybrid_search('"we""ird ''t"', NULL::int, '[{"type": "dense", "column": "v''\"e c", "query": [1], "params": {"metric": "l2"}}, {"type": "fts", "column": "te\"xt", "query": "two", "config": "simple"}]')).*;
DROP TABLE "we""ird 't";
-- partitions, a materialised view
CREATE TABLE parts (id int PRIMARY KEY, v vector(1), n int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 (n int, v vector(1), id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (10) TO (20);
INSERT INTO parts SELECT i, ARRAY[i % 7]::vector, i % 3 FROM generate_series(1, 19) i;
SELECT id, score, payload FROM vecdb.query('parts', '{"query": {"recommend": {"positive": [6, 13], "strategy": "best_score"}}, "params": {"metric": "dot"}, "limit": 3, "with_payload": true}');
SELECT id, leg_ranks FROM vecdb.hybrid_search('parts', NULL::int, '[{"type": "dense", "column": "v", "query": [1], "params": {"metric": "dot"}}, {"type": "dense", "column": "v", "query": [3], "params": {"metric": "l2"}}]', k => 4);
CREATE MATERIALIZED VIEW kept AS SELECT id, v FROM parts WHERE n = 1;
CREATE UNIQUE INDEX ON kept (id);
SELECT id FROM vecdb.query('kept', '{"query": [0], "params": {"metric": "l2", "key_column": "id"}, "limit": 3}');
CREATE VIEW seen AS SELECT id AS key, v FROM golden WHERE id <> 'b';
SELECT id FROM vecdb.query('seen', '{"query": "a", "params": {"key_column": "key"}}');

-- refused
SELECT r.*, request FROM unnest(ARRAY[NULL, '1', '[]', '{"query": {}}', '{"query": {"formula": {}}}', '{"query": {"nearest": [1, 0], "formula": 1}}', '{"query": [[1, 0]]}', '{"query": true}', '{"query": [1, "0"]}',
    '{"query": [1]}', '{"query": "none"}', '{"query": {"text": "hello", "model": "m"}}', '{"query": {"nearest": {"image": "x"}}}', '{"query": {"fusion": "rrf"}}', '{"query": {"fusion": "sum"}, "prefetch": {}}',
    '{"query": {"fusion": 1}, "prefetch": {}}', '{"query": {"rrf": {"k": 0}}, "prefetch": {}}', '{"query": {"rrf": {"weights": [1, 2]}}, "prefetch": {}}', '{"query": {"rrf": {"k": 2, "alpha": 1}}, "prefetch": {}}',
    '{"query": {"fusion": "rrf"}, "prefetch": {}, "using": "v"}', '{"prefetch": {}}', '{"prefetch": {"limit": 0}, "query": [1, 0]}', '{"prefetch": {"offset": 1}, "query": [1, 0]}', '{"prefetch": 1, "query": [1, 0]}',
    '{"limit": 0}', '{"limit": 1.5}', '{"limit": 10000000}', '{"offset": -1}', '{"limit": "1"}', '{"score_threshold": "1"}', '{"with_vector": true}', '{"with_vectors": ["v"]}', '{"with_payload": 1}', '{"with_payload": ["a.b"]}',
    '{"with_payload": {"only": []}}', '{"group_by": "n"}', '{"shard_key": "a"}', '{"params": {"quantization": {"rescore": true}}}', '{"params": {"indexed_only": true}}', '{"query": [1, 0], "params": {"hnsw_ef": 0}}',
    '{"query": [1, 0], "params": {"metric": "cubic"}}', '{"query": [1, 0], "using": "none"}', '{"query": [1, 0], "using": "id"}', '{"query": {"recommend": {}}}', '{"query": {"recommend": {"negative": ["a"]}}}',
    '{"query": {"recommend": {"positive": "a"}}}', '{"query": {"recommend": {"positive": ["none"]}}}', '{"query": {"recommend": {"positive": ["a"], "strategy": "worst"}}}', '{"query": {"recommend": {"positive": [null]}}}',
    '{"query": {"discover": {"context": []}}}', '{"query": {"discover": {"target": "a", "context": [{"positive": "b"}]}}}', '{"query": {"context": []}}', '{"query": {"context": [1]}}',
    '{"query": {"order_by": {"direction": "up", "key": "n"}}}', '{"query": {"order_by": {}}}', '{"query": {"sample": "all"}}', '{"query": {"nearest": [1, 0], "mmr": {"diversity": 2}}}', '{"query": {"nearest": [1, 0], "mmr": {"lambda": 1}}}',
    '{"query": "a", "lookup_from": {"collection": "none"}}', '{"query": "a", "lookup_from": {"collection": "others", "vector": "none"}}',
    '{"query": "a", "lookup_from": {"collection": "others; DROP TABLE golden"}}', '{"query": "a'' OR true --"}', '{"query": {"a\" OR true": 1}}']) request,
    LATERAL pg_temp.error_of(format('SELECT * FROM vecdb.query(''golden'', %L)', request)) r;
SELECT state, detail FROM pg_temp.error_of($$SELECT * FROM vecdb.query('golden', '{"filter": {"must": [{"key": "n", "like": 1}]}}')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query(NULL, '{}')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('points', '{"query": "1; DROP TABLE points"}')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('points', '{"query": 1.5}')$$);
SELECT state, message, detail FROM pg_temp.error_of($$SELECT * FROM vecdb.query('points', '{"query": 99}')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('lists', '{"query": [1]}')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('seen', '{"query": [1, 0]}')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('pairs', '{"query": 1}')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('requests', '{}')$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('golden', ('{"query": [1, 0]' || repeat(', "prefetch": {"query": [1, 0]', 70) || repeat('}', 71))::jsonb)$$);
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('golden', jsonb_build_object('query', '[1, 0]'::jsonb, 'prefetch', (SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 65))))$$);

-- privileges and row security: a hidden row is a missing row, also as an example
CREATE ROLE regress_gateway;
SET ROLE regress_gateway;
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('golden', '{}')$$);
RESET ROLE;
GRANT SELECT (id, v) ON golden TO regress_gateway;
SET ROLE regress_gateway;
SELECT id FROM vecdb.query('golden', '{"query": "a", "limit": 2}');
SELECT state, message FROM pg_temp.error_of($$SELECT * FROM vecdb.query('golden', '{"with_payload": true}')$$);
RESET ROLE;
GRANT SELECT ON golden TO regress_gateway;
ALTER TABLE golden ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON golden USING (id IN ('a', 'c', 'e'));
SET ROLE regress_gateway;
SELECT id FROM vecdb.query('golden', '{"query": "a"}');
SELECT state, message, detail FROM pg_temp.error_of($$SELECT * FROM vecdb.query('golden', '{"query": "b"}')$$);
SELECT id, payload FROM vecdb.query('golden', '{"prefetch": {"query": [1, 0]}, "query": {"fusion": "rrf"}, "with_payload": true}');
RESET ROLE;

DROP VIEW seen;
DROP MATERIALIZED VIEW kept;
DROP TABLE golden, points, lists, others, items, requests, pairs, uuids, parts;
DROP ROLE regress_gateway;
