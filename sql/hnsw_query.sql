-- Scans of hnsw by <*>: the same rows in the same order as without an index, for every kind, metric, type and layout.
SET max_parallel_workers_per_gather = 0;
SET client_min_messages = warning;

-- golden values with an index
CREATE TABLE golden (id text, v vector(2));
INSERT INTO golden VALUES ('a', '[1,0]'), ('b', '[.8,.6]'), ('c', '[.6,.8]'), ('d', '[0,1]'), ('e', '[-1,0]');
CREATE INDEX ON golden USING hnsw (v vector_cosine_ops);
CREATE INDEX ON golden USING hnsw (v vector_ip_ops);
CREATE INDEX ON golden USING hnsw (v vector_l2_ops);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM golden ORDER BY v <*> vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'best_score', 'l2');
SELECT id, round(-(v <*> q)::numeric, 6) AS best FROM golden, vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'best_score', 'l2') q ORDER BY v <*> vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'best_score', 'l2');
SELECT id, round(-(v <*> vecdb.discover_query('[.8,.6]', '{"[1,0]"}', '{"[0,1]"}'))::numeric, 6) AS discover FROM golden ORDER BY v <*> vecdb.discover_query('[.8,.6]', '{"[1,0]"}', '{"[0,1]"}');
SELECT id, round(-(v <*> vecdb.context_query('{"[1,0]"}', '{"[0,1]"}', 'dot'))::numeric, 6) AS context FROM golden WHERE id NOT IN ('a', 'b') ORDER BY v <*> vecdb.context_query('{"[1,0]"}', '{"[0,1]"}', 'dot') LIMIT 1;
SELECT id, round(-(v <*> vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'sum_scores', 'l2'))::numeric, 6) AS sum FROM golden ORDER BY v <*> vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'sum_scores', 'l2');
SELECT id, round(-(v <*> vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}'))::numeric, 6) AS average FROM golden ORDER BY v <*> vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}');
-- the commuted operator too
EXPLAIN (COSTS OFF) SELECT id FROM golden ORDER BY vecdb.recommend_query('{"[1,0]"}', '{"[0,1]"}', 'best_score') <*> v LIMIT 1;

-- random rows and questions (recall on more of them: test/t/040_query_recall.pl)
CREATE TABLE items (id int PRIMARY KEY, v vector(8), h halfvec(8), i int8vec(8), s sparsevec(8), part int);
SELECT setseed(.5);
INSERT INTO items SELECT n, v, v, (SELECT array_agg(round(x * 100)) FROM unnest(v::real[]) x)::real[]::vector::int8vec, v::sparsevec, n % 10
FROM (SELECT n, (SELECT array_agg(random() * 2 - 1) FROM generate_series(1, 8) j WHERE n = n)::real[]::vector v FROM generate_series(1, 2500) n) x;
CREATE TABLE asked AS SELECT kind, n, (SELECT array_agg(v ORDER BY md5(id || kind || n)) FROM (SELECT * FROM items ORDER BY md5(id || kind || n) LIMIT 2 + n % 3) x) AS pos,
 (SELECT array_agg(v) FROM (SELECT * FROM items ORDER BY md5(n || kind || id) LIMIT 2 + n % 3) x) AS neg
FROM unnest('{best_score,sum_scores,discover,context}'::text[]) kind, generate_series(1, 8) n;
CREATE FUNCTION make(kind text, metric text, pos vector[], neg vector[]) RETURNS vecdb.query LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind WHEN 'discover' THEN vecdb.discover_query(pos[1], pos[2:], neg[2:], metric) WHEN 'context' THEN vecdb.context_query(pos, neg, metric)
 ELSE vecdb.recommend_query(pos, neg, kind, metric) END $$;
CREATE FUNCTION make_sparse(kind text, metric text, pos sparsevec[], neg sparsevec[]) RETURNS vecdb.query LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind WHEN 'discover' THEN vecdb.sparsevec_discover_query(pos[1], pos[2:], neg[2:], metric) WHEN 'context' THEN vecdb.sparsevec_context_query(pos, neg, metric)
 ELSE vecdb.sparsevec_recommend_query(pos, neg, kind, metric) END $$;
-- distances of the first rows; the query is a constant of the statement
CREATE FUNCTION answer(col text, q vecdb.query, k int, exact bool, condition text DEFAULT 'true') RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE r float8[];
BEGIN
 PERFORM set_config('enable_indexscan', CASE WHEN exact THEN 'off' ELSE 'on' END, true), set_config('enable_seqscan', CASE WHEN exact THEN 'on' ELSE 'off' END, true);
 EXECUTE format('SELECT array_agg(d) FROM (SELECT %1$I <*> $1 AS d FROM items WHERE %2$s ORDER BY %1$I <*> $1 LIMIT %3$s) x', col, condition, k) INTO r USING q;
 RETURN r;
END $$;
CREATE INDEX items_cosine ON items USING hnsw (v vector_cosine_ops) WITH (m = 16, ef_construction = 64);
-- the share of rows that are as good as the worst of the exact answer
CREATE FUNCTION recall(exact float8[], found float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
SELECT count(*) FILTER (WHERE d <= exact[cardinality(exact)] + 1e-7) / cardinality(exact)::float8 FROM unnest(found) d $$;
SELECT kind, avg(recall(answer('v', q, 3, true), answer('v', q, 3, false))) >= .9 AS good, avg(recall(answer('v', q, 10, true, 'part < 3'), answer('v', q, 10, false, 'part < 3'))) >= .9 AS filtered
FROM (SELECT kind, make(kind, 'cosine', pos, neg) q FROM asked) x GROUP BY 1 ORDER BY 1;

-- every metric, layout, precision and type; all rows come, in exact order but for what is found too late
CREATE INDEX items_l2 ON items USING hnsw (v vector_l2_ops);
CREATE INDEX items_ip ON items USING hnsw (v vector_ip_ops) WITH (precision = 8);
CREATE INDEX items_l1 ON items USING hnsw (v vector_l1_ops);
CREATE INDEX items_h ON items USING hnsw (h halfvec_cosine_ops) WITH (layout = compact);
CREATE INDEX items_i ON items USING hnsw (i int8vec_l2_ops);
CREATE INDEX items_s_ip ON items USING hnsw (s sparsevec_ip_ops);
CREATE INDEX items_s_l2 ON items USING hnsw (s sparsevec_l2_ops);
CREATE INDEX items_s_l1 ON items USING hnsw (s sparsevec_l1_ops);
CREATE TABLE cases AS
 SELECT col, metric, kind, n, CASE col WHEN 's' THEN make_sparse(kind, metric, pos::sparsevec[], neg::sparsevec[]) ELSE make(kind, metric, p, m) END AS q
 FROM (VALUES ('v', 'l2', 1), ('v', 'dot', 1), ('v', 'l1', 1), ('h', 'cosine', 1), ('i', 'l2', 100), ('s', 'dot', 1), ('s', 'l2', 1), ('s', 'l1', 1)) c (col, metric, size), asked,
 LATERAL (SELECT (SELECT array_agg((SELECT array_agg(x * size) FROM unnest(e::real[]) x)::real[]::vector) FROM unnest(pos) e) p, (SELECT array_agg((SELECT array_agg(x * size) FROM unnest(e::real[]) x)::real[]::vector) FROM unnest(neg) e) m) scaled
 WHERE n <= 4;
SELECT col, metric, count(*), avg(recall(answer(col, q, 10, true), answer(col, q, 10, false))) >= .95 AS good FROM cases GROUP BY 1, 2 ORDER BY 1, 2;
-- how many of all rows lie before a nearer one, and whether the rows are those of the table
CREATE FUNCTION walk(col text, q vecdb.query) RETURNS text LANGUAGE sql AS $$
SELECT CASE WHEN count(*) FILTER (WHERE d < before) > 5 THEN 'out of order: ' || count(*) FILTER (WHERE d < before) ELSE 'in order' END ||
 CASE WHEN array_agg(d ORDER BY d) = (SELECT array_agg(d ORDER BY d) FROM unnest(answer(col, q, 6000, true)) d) THEN ', complete' ELSE ', others' END
FROM (SELECT d, lag(d) OVER (ORDER BY place) AS before FROM unnest(answer(col, q, 6000, false)) WITH ORDINALITY u(d, place)) x $$;
SELECT col, metric, walk(col, q), count(*) FROM cases WHERE n = 3 AND kind IN ('best_score', 'discover') GROUP BY 1, 2, 3 ORDER BY 1, 2;
SELECT kind, walk('v', make(kind, 'cosine', pos, neg)) FROM asked WHERE n = 2 ORDER BY 1;

-- what no search answers is not planned with an index: another metric, or farthest first; scans that meet it all the same are right
SET enable_seqscan = on;
DROP INDEX items_l1;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <*> vecdb.recommend_query('{"[1,0,0,0,0,0,0,0]"}', '{"[0,1,0,0,0,0,0,0]"}', 'best_score', 'l1') LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <*> vecdb.recommend_query('{}', '{"[0,1,0,0,0,0,0,0]"}', 'best_score', 'l2') LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM items ORDER BY v <*> vecdb.recommend_query('{"[1,0,0,0,0,0,0,0]"}', '{"[0,1,0,0,0,0,0,0]"}', 'best_score', 'l2') LIMIT 3;
SET enable_seqscan = off;
SET plan_cache_mode = force_generic_plan;
PREPARE nearest (vecdb.query) AS SELECT id FROM items ORDER BY v <*> $1 LIMIT 5;
EXPLAIN (COSTS OFF) EXECUTE nearest (vecdb.recommend_query('{"[1,0,0,0,0,0,0,0]"}', '{"[0,1,0,0,0,0,0,0]"}', 'best_score', 'l1'));
CREATE TABLE foreign_metric AS EXECUTE nearest (vecdb.recommend_query('{"[1,0,0,0,0,0,0,0]"}', '{"[0,1,0,0,0,0,0,0]"}', 'best_score', 'l1'));
CREATE TABLE farthest AS EXECUTE nearest (vecdb.recommend_query('{}', '{"[0,1,0,0,0,0,0,0]"}', 'best_score', 'l1'));
SELECT array_agg(id) = (SELECT array_agg(id) FROM (SELECT id FROM items ORDER BY (v <*> vecdb.recommend_query('{"[1,0,0,0,0,0,0,0]"}', '{"[0,1,0,0,0,0,0,0]"}', 'best_score', 'l1')) + 0 LIMIT 5) x) AS foreign_metric FROM foreign_metric;
SELECT array_agg(id) = (SELECT array_agg(id) FROM (SELECT id FROM items ORDER BY (v <*> vecdb.recommend_query('{}', '{"[0,1,0,0,0,0,0,0]"}', 'best_score', 'l1')) + 0 LIMIT 5) x) AS farthest FROM farthest;
RESET plan_cache_mode;

-- rescans: a query for each row of another table; NULL among them
SELECT n, count(id), bool_and(d IS NULL OR p IS NULL OR d >= p) AS in_order FROM
 (SELECT n, id, d, lag(d) OVER (PARTITION BY n ORDER BY place) p FROM (SELECT n, CASE WHEN n <> 3 THEN make('discover', 'cosine', pos, neg) END q FROM asked WHERE kind = 'discover' AND n <= 4) a,
  LATERAL (SELECT id, v <*> q AS d, row_number() OVER () place FROM (SELECT id, v FROM items ORDER BY v <*> q LIMIT 7) t) l) x GROUP BY 1 ORDER BY 1;
-- a cursor goes on; the ORDER BY goes on past every ef
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM items ORDER BY v <*> vecdb.context_query('{"[1,0,0,0,0,0,0,0]"}', '{"[0,1,0,0,0,0,0,0]"}');
MOVE 1000 IN c;
MOVE 1499 IN c;
MOVE 5 IN c;
COMMIT;

-- equal vectors share a node; deleted rows are gone, before and after vacuum
INSERT INTO items SELECT 10000 + n, '[1,2,3,4,5,6,7,8]', '[1,2,3,4,5,6,7,8]', '[1,2,3,4,5,6,7,8]', '{1:1,2:2,3:3,4:4,5:5,6:6,7:7,8:8}/8', 99 FROM generate_series(1, 300) n;
CREATE FUNCTION chain(col text, q vecdb.query) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
 EXECUTE format('SELECT format(''%%s rows, %%s of them of the chain'', count(*), count(*) FILTER (WHERE part = 99)) FROM (SELECT part FROM items ORDER BY %I <*> $1 LIMIT 200) x', col) INTO r USING q;
 RETURN r;
END $$;
SELECT chain('v', vecdb.recommend_query('{"[1,2,3,4,5,6,7,8]","[1,2,3,4,5,6,7,8.5]"}', '{"[-1,2,3,4,5,6,7,8]"}', 'best_score')), chain('v', vecdb.recommend_query('{"[1,2,3,4,5,6,7,8]"}', metric => 'l2')),
 chain('s', vecdb.sparsevec_discover_query('{1:1,2:2,3:3,4:4,5:5,6:6,7:7,8:8}/8', '{"{1:1}/8"}', '{"{1:-1}/8"}', 'l2'));
DELETE FROM items WHERE part = 99 AND id > 10100;
SELECT chain('v', vecdb.recommend_query('{"[1,2,3,4,5,6,7,8]","[1,2,3,4,5,6,7,8.5]"}', '{"[-1,2,3,4,5,6,7,8]"}', 'best_score'));
VACUUM items;
SELECT chain('v', vecdb.recommend_query('{"[1,2,3,4,5,6,7,8]","[1,2,3,4,5,6,7,8.5]"}', '{"[-1,2,3,4,5,6,7,8]"}', 'best_score'));
SELECT kind, walk('v', make(kind, 'l2', pos, neg)) AS after_vacuum FROM asked WHERE n = 5 ORDER BY 1;

-- many examples
SELECT avg(recall(answer('v', make(kind, 'cosine', p, m), 10, true), answer('v', make(kind, 'cosine', p, m), 10, false))) >= .9 AS many_examples
FROM (SELECT array_agg(v) p FROM items WHERE id <= 100) a, (SELECT array_agg(v) m FROM items WHERE id BETWEEN 101 AND 200) b, unnest('{best_score,sum_scores,discover,context}'::text[]) kind;

-- iterative_scan keeps to its limits; the time budget is a setting
SET hnsw.iterative_scan = strict_order;
SET hnsw.max_scan_tuples = 100;
SELECT count(*) BETWEEN 40 AND 400 AS limited FROM (SELECT id FROM items ORDER BY v <*> vecdb.discover_query('[1,0,0,0,0,0,0,0]', '{"[1,1,0,0,0,0,0,0]"}', '{"[0,1,0,0,0,0,0,0]"}')) x;
RESET hnsw.iterative_scan;
RESET hnsw.max_scan_tuples;
SHOW vecdb.time_budget_ms;
SET vecdb.time_budget_ms = -1;
SET vecdb.time_budget_ms = '1h';
SELECT count(*) FROM (SELECT id FROM items ORDER BY v <*> vecdb.discover_query('[1,0,0,0,0,0,0,0]', '{"[1,1,0,0,0,0,0,0]"}', '{"[0,1,0,0,0,0,0,0]"}')) x;
RESET vecdb.time_budget_ms;

-- empty index, NULL query, errors
CREATE TABLE nothing (v vector(3), s sparsevec(3));
CREATE INDEX ON nothing USING hnsw (v vector_cosine_ops);
CREATE INDEX ON nothing USING hnsw (s sparsevec_l2_ops);
SELECT * FROM nothing ORDER BY v <*> vecdb.recommend_query('{"[1,0,0]"}', '{"[0,0,1]"}', 'best_score');
INSERT INTO nothing VALUES ('[1,2,3]', '{1:1}/3'), (NULL, NULL), ('[0,0,0]', '{}/3');
SELECT v FROM nothing ORDER BY v <*> vecdb.recommend_query('{"[1,0,0]"}', '{"[0,0,1]"}', 'best_score');
SELECT v FROM nothing ORDER BY v <*> NULL::vecdb.query;
SELECT v FROM nothing ORDER BY v <*> vecdb.recommend_query('{"[1,0]"}', '{"[0,1]"}', 'best_score');
SELECT v FROM nothing ORDER BY v <*> vecdb.recommend_query('{"[1,0]"}');
SELECT v FROM nothing ORDER BY v <*> vecdb.sparsevec_recommend_query('{"{1:1}/3"}');
SELECT s FROM nothing ORDER BY s <*> vecdb.recommend_query('{"[1,0,0]"}', metric => 'l2');
SELECT s FROM nothing ORDER BY s <*> vecdb.sparsevec_recommend_query('{"{1:1}/4"}', '{"{1:2}/4"}', 'sum_scores', 'l2');

DROP TABLE golden, items, asked, cases, foreign_metric, farthest, nothing;
DROP FUNCTION make, make_sparse, answer, recall, walk, chain;
