-- A row that the caller may not see is a row that is not there: each function, by a role under a policy and through a view with
-- security_barrier, answers as over a table that has the visible rows alone.
SET jit = off;
SELECT setseed(.5);
CREATE TABLE sec_all (id bigint PRIMARY KEY, tenant int NOT NULL, color text, price int, v vector(4), words tsvector, payload jsonb);
INSERT INTO sec_all
SELECT i, i % 3, (ARRAY['red', 'green', 'blue'])[1 + (random() * 2)::int], (random() * 50)::int,
    ARRAY[random() - .5, random() - .5, random() - .5, random() - .5]::vector, to_tsvector('simple', 'w' || i % 7 || ' all'), jsonb_build_object('n', i % 10)
FROM generate_series(1, 900) i;
CREATE TABLE sec_mine (LIKE sec_all INCLUDING ALL);
INSERT INTO sec_mine SELECT * FROM sec_all WHERE tenant = 1;
CREATE VIEW sec_view WITH (security_barrier) AS SELECT * FROM sec_all WHERE tenant = 1;
CREATE ROLE sec_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON sec_all, sec_mine TO sec_user;
GRANT SELECT ON sec_view TO sec_user;
ALTER TABLE sec_all ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON sec_all TO sec_user USING (tenant = 1);

-- %1$s: the relation, %2$s: params
CREATE TABLE sec_call (call text);
GRANT SELECT ON sec_call TO sec_user;
INSERT INTO sec_call VALUES
    ($$search(%1$s, 'v', NULL::bigint, '[1,0,0,0]', k => 400%2$s)$$), ($$search(%1$s, 'v', NULL::bigint, '[1,0,0,0]', skip => 3, filter => '{"must": [{"key": "color", "match": {"value": "red"}}]}'%2$s)$$),
    ($$search(%1$s, 'v', NULL::bigint, '[1,0,0,0]', k => 400, score_threshold => 0%2$s)$$), ($$search_batch(%1$s, 'v', NULL::bigint, '{"[1,0,0,0]", "[0,1,1,0]"}', k => 20%2$s)$$),
    ($$recommend(%1$s, 'v', ARRAY[1, 4], ARRAY[7], k => 400%2$s)$$), ($$recommend(%1$s, 'v', ARRAY[1, 4], ARRAY[7], 'best_score', k => 400%2$s)$$),
    ($$recommend(%1$s, 'v', ARRAY[1, 4], ARRAY[7], 'sum_scores', k => 400%2$s)$$), ($$discover(%1$s, 'v', 1, ARRAY[[4, 7], [10, 13]], k => 400%2$s)$$),
    ($$context_search(%1$s, 'v', ARRAY[[4, 7], [10, 13]], k => 400%2$s)$$), ($$mmr_search(%1$s, 'v', NULL::bigint, '[1,0,0,0]', k => 30, candidates => 100%2$s)$$),
    ($$search_groups(%1$s, 'v', NULL::bigint, '[1,0,0,0]', 'color', group_size => 50%2$s)$$), ($$search_groups(%1$s, 'v', NULL::bigint, '[1,0,0,0]', 'n', groups => 20, group_size => 5%2$s)$$),
    ($$hybrid_search(%1$s, NULL::bigint, '[{"type": "dense", "column": "v", "query": [1, 0, 0, 0]}, {"type": "fts", "column": "words", "query": "w3", "config": "simple"}]', k => 400%2$s)$$),
    ($$facet(%1$s, 'color'%2$s)$$), ($$facet(%1$s, 'n', filter => '{"must": [{"key": "price", "range": {"gt": 10}}]}'%2$s)$$), ($$facet(%1$s, 'tenant'%2$s)$$),
    ($$count(%1$s%2$s)$$), ($$count(%1$s, '{"must_not": [{"key": "n", "match": {"value": 3}}]}'%2$s)$$), ($$count(%1$s, '{"must": [{"has_id": [1, 2, 3, 4]}]}'%2$s)$$),
    ($$sample(%1$s, NULL::bigint, k => 400, seed => .3%2$s)$$);
-- the cursor names the relation
CREATE FUNCTION sec_answer(call text, rel text, params text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
    EXECUTE 'SELECT coalesce(jsonb_agg(to_jsonb(r) - ''cursor''), ''[]'') FROM (SELECT * FROM vecdb.' || format(call, quote_literal(rel), CASE WHEN params <> '' THEN ', params => ' || quote_literal(params) ELSE '' END) || ') r' INTO answer;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE FUNCTION sec_differences() RETURNS TABLE (call text, through text, got text, wanted text) LANGUAGE sql AS $$
    SELECT c.call, t.through, left(a.got, 100), left(a.wanted, 100)
    FROM (TABLE sec_call UNION ALL SELECT 'scroll(%1$s, NULL::bigint, k => 400, order_by => ''price''%2$s)') c,
        (VALUES ('sec_all', ''), ('sec_all', '{"exact": true}'), ('sec_view', '{"key_column": "id"}')) t(through, params),
        LATERAL (SELECT sec_answer(c.call, t.through, t.params) AS got, sec_answer(c.call, 'sec_mine', t.params) AS wanted) a
    WHERE a.got IS DISTINCT FROM a.wanted
        -- ids of a filter are those of a primary key
        AND NOT (c.call LIKE 'count%has_id%' AND t.through = 'sec_view')
        -- the same seed draws the same of other rows only where the keys are read the same way
        AND NOT (c.call LIKE 'sample%' AND (SELECT count(*) = 300 AND bool_and((x->>'id')::int % 3 = 1) FROM jsonb_array_elements(CASE WHEN a.got LIKE '[%' THEN a.got::jsonb ELSE '[]' END) x)) $$;
-- the answers are not empty, nor errors
SELECT call, sec_answer(call, 'sec_mine') FROM sec_call WHERE sec_answer(call, 'sec_mine') !~ '^\[.+\]$';

SET ROLE sec_user;
SELECT count(*) FROM sec_all;
SELECT * FROM sec_differences();
RESET ROLE;
-- with indexes, walked as far as the policy needs
CREATE INDEX ON sec_all USING hnsw (v vector_cosine_ops);
CREATE INDEX ON sec_mine USING hnsw (v vector_cosine_ops);
CREATE INDEX ON sec_all (price, id);
CREATE INDEX ON sec_all USING gin (payload jsonb_path_ops);
ANALYZE sec_all, sec_mine;
SET ROLE sec_user;
SELECT * FROM sec_differences();
SET enable_seqscan = off;
SELECT * FROM sec_differences();
RESET enable_seqscan;

-- a hidden example, a hidden row among those to delete or to write: as if there were none
SELECT sec_answer('recommend(%1$s, ''v'', ARRAY[2], ''{}'')', 'sec_all') = sec_answer('recommend(%1$s, ''v'', ARRAY[2], ''{}'')', 'sec_mine') AS alike,
    sec_answer('recommend(%1$s, ''v'', ARRAY[2], ''{}'')', 'sec_all') AS hidden;
SELECT sec_answer('discover(%1$s, ''v'', 1, ARRAY[[4, 3]])', 'sec_all') = sec_answer('discover(%1$s, ''v'', 1, ARRAY[[4, 3]])', 'sec_mine') AS alike;
SELECT sec_answer('recommend(%1$s, ''v'', ARRAY[2], ''{}'', lookup_rel => ''sec_all'', lookup_vec => ''v'')', 'sec_mine') AS lookup;
SELECT vecdb.delete_points('sec_all', ARRAY[1, 2, 3, 4]::bigint[]) AS deleted;
-- the policy speaks where a hidden row stands in the way
SELECT left(sec_answer('upsert(%1$s, ''v'', ARRAY[2]::bigint[], ''{"[1,1,1,1]"}''::vector[])', 'sec_all'), 5) AS state;
-- an estimate under a policy tells no more than the plan does
SELECT vecdb.count('sec_all', exact => false) BETWEEN 0 AND 900 AS estimate;
RESET ROLE;
SELECT array_agg(id ORDER BY id) AS still_there FROM sec_all WHERE id <= 5;
DROP VIEW sec_view;
DROP TABLE sec_all, sec_mine, sec_call;
DROP FUNCTION sec_answer, sec_differences;
DROP ROLE sec_user;

-- Operators of others do not come between: not before pg_catalog, nor by an exact match of types where pg_catalog has none.
CREATE SCHEMA captured;
CREATE FUNCTION captured.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR captured.= (LEFTARG = text, RIGHTARG = text, FUNCTION = captured.never);
CREATE FUNCTION public.captured(regclass, int4) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'captured'; END $$;
CREATE OPERATOR public.= (LEFTARG = regclass, RIGHTARG = int4, FUNCTION = public.captured);
CREATE TABLE capture (id int PRIMARY KEY, v vector(2), payload jsonb);
INSERT INTO capture VALUES (1, '[1,2]', '{"a": [1, 2]}');
SELECT vector_column, rows FROM vecdb.collection_info('capture');
SET search_path = captured, pg_catalog, public;
SELECT value, count FROM vecdb.facet('public.capture', 'a');
SELECT id, payload FROM vecdb.query('public.capture', '{"query": [1, 2], "with_payload": true}');
RESET search_path;
-- A key that is cut off by a cast would name other rows.
CREATE TABLE padded (id char(4) PRIMARY KEY, v vector(2));
INSERT INTO padded VALUES ('a', '[1,0]'), ('ab', '[0,1]'), ('ac', '[1,1]');
SELECT vecdb.delete_points('padded', '{a}'::bpchar[]);
SELECT id FROM vecdb.scroll('padded', NULL::bpchar);
-- Samples stay samples below an ordered scan, and a condition that no row meets stays one.
CREATE TABLE sampled (id int PRIMARY KEY, v vector(2));
INSERT INTO sampled SELECT i, format('[%s,1]', i)::vector FROM generate_series(1, 2000) i;
CREATE INDEX ON sampled USING hnsw (v vector_l2_ops);
SET enable_sort = off;
SET enable_seqscan = off;
SELECT count(*) < 500 AS sampled FROM (SELECT id FROM sampled TABLESAMPLE bernoulli (10) REPEATABLE (1) ORDER BY v <-> '[1,1]', id) s;
SELECT id FROM sampled WHERE false ORDER BY v <-> '[1,1]', id LIMIT 3;
RESET enable_sort;
RESET enable_seqscan;
DROP TABLE capture, padded, sampled;
DROP SCHEMA captured CASCADE;
DROP FUNCTION public.captured CASCADE;
