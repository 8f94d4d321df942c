-- When the planner takes an hnsw index, and when not.

CREATE FUNCTION hnsw_plan_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 2147483647) % 100)::vector FROM generate_series(1, dims) d $$;

-- the same plans whatever the server's settings
SET max_parallel_workers_per_gather = 0;
SET effective_cache_size = '1GB';
SET jit = off;

-- plan: the nodes of a plan from the top
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        -- what PostgreSQL 17 and 18 print in another way
        CONTINUE WHEN line LIKE '%Disabled:%';
        line := replace(replace(replace(line, ' (returns $0)', ''), '(InitPlan 1).col1', 'InitPlan 1'), '$0', 'InitPlan 1');
        RETURN NEXT regexp_replace(line, '''\[[0-9,]*\]''', '''[...]''');
    END LOOP;
END $$;

CREATE TABLE hnsw_p3 (id int PRIMARY KEY, grp int, e vector(3));
INSERT INTO hnsw_p3 SELECT i, i % 10, hnsw_plan_v(i, 3) FROM generate_series(1, 3000) i;
CREATE TABLE hnsw_p128 (id int PRIMARY KEY, grp int, e vector(128));
INSERT INTO hnsw_p128 SELECT i, i % 10, hnsw_plan_v(i, 128) FROM generate_series(1, 2000) i;
CREATE INDEX hnsw_p3_l2 ON hnsw_p3 USING hnsw (e vector_l2_ops);
CREATE INDEX hnsw_p128_l2 ON hnsw_p128 USING hnsw (e vector_l2_ops);
CREATE INDEX hnsw_p128_cos ON hnsw_p128 USING hnsw (e vector_cosine_ops);
CREATE INDEX hnsw_p128_grp ON hnsw_p128 (grp);
VACUUM ANALYZE hnsw_p3, hnsw_p128;

-- --- chosen: an order by the operator of the class, and a limit ---

SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p3 ORDER BY e <-> '[1,2,3]' LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e <=> hnsw_plan_v(5, 128) LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id, e <-> '[1,2,3]' AS d FROM hnsw_p3 ORDER BY d LIMIT 1$$);
-- operands the other way round, with a parameter, with an offset, from a subquery
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p3 ORDER BY '[1,2,3]' <-> e LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e <-> (SELECT e FROM hnsw_p128 WHERE id = 7) LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 10 OFFSET 20$$);
SELECT * FROM pg_temp.plan($$SELECT q.id, n.id FROM hnsw_p128 q CROSS JOIN LATERAL
    (SELECT id FROM hnsw_p128 ORDER BY e <-> q.e LIMIT 3) n WHERE q.id = 1$$);
PREPARE hnsw_plan_q(vector) AS SELECT id FROM hnsw_p128 ORDER BY e <-> $1 LIMIT 10;
SET plan_cache_mode = force_generic_plan;
SELECT * FROM pg_temp.plan($$EXECUTE hnsw_plan_q('[1]')$$);
RESET plan_cache_mode;
DEALLOCATE hnsw_plan_q;
-- a filter that most rows pass
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 WHERE id > 100 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 10$$);

-- --- not chosen ---

-- no order
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT count(e) FROM hnsw_p128$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 WHERE e <-> hnsw_plan_v(5, 128) < 10$$);
-- all rows
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p3 ORDER BY e <-> '[1,2,3]'$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128)$$);
-- farthest first
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128) DESC LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128) ASC NULLS FIRST LIMIT 10$$);
-- an operator of another class; an expression of the distance; another order first
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e <#> hnsw_plan_v(5, 128) LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY (e <-> hnsw_plan_v(5, 128)) + 1 LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 ORDER BY e LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p3 ORDER BY grp, e <-> '[1,2,3]' LIMIT 10$$);
-- two columns of the same row have no query vector
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p3 ORDER BY e <-> e LIMIT 10$$);
-- a filter that few rows pass, with an index of its own
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 WHERE id = 5 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 10$$);
SELECT * FROM pg_temp.plan($$SELECT id FROM hnsw_p128 WHERE id BETWEEN 5 AND 9 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 10$$);
CREATE TABLE hnsw_p_small (e vector(3));
INSERT INTO hnsw_p_small SELECT hnsw_plan_v(i, 3) FROM generate_series(1, 5) i;
CREATE INDEX ON hnsw_p_small USING hnsw (e vector_l2_ops);
ANALYZE hnsw_p_small;
-- without an order it cannot be forced either
SET enable_seqscan = off;
SELECT * FROM pg_temp.plan($$SELECT count(*) FROM hnsw_p_small$$);
SELECT count(*) FROM hnsw_p_small;
RESET enable_seqscan;

-- a larger ef_search costs more, a larger limit too; both stay finite
CREATE FUNCTION pg_temp.cost(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan->0->'Plan'->>'Total Cost';
END $$;
SELECT pg_temp.cost($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 10$$) AS cost_10 \gset
SELECT pg_temp.cost($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 50$$) > :cost_10 AS more_rows_cost_more;
SELECT pg_temp.cost($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 3$$) AS cost_3 \gset
SET hnsw.ef_search = 5;
SELECT pg_temp.cost($$SELECT id FROM hnsw_p128 ORDER BY e <-> hnsw_plan_v(5, 128) LIMIT 3$$) < :cost_3 AS less_search_costs_less;

DROP TABLE hnsw_p3, hnsw_p128, hnsw_p_small;
DROP FUNCTION hnsw_plan_v;
