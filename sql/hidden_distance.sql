-- The distance of ORDER BY is left out of plans where nothing reads it, and nothing else changes.
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_incremental_sort = off;
SET enable_bitmapscan = off;
SET max_parallel_workers_per_gather = 0;

-- all distances to [n + 0.2, 0, 0] differ
CREATE TABLE hidden_t (id int NOT NULL, v vector(3), w vector(3));
INSERT INTO hidden_t SELECT i, ARRAY[i, 0, 0]::vector, ARRAY[0, i, 0]::vector FROM generate_series(1, 100) i;
CREATE INDEX hidden_t_v ON hidden_t USING hnsw (v vector_l2_ops);
CREATE INDEX hidden_t_w ON hidden_t USING hnsw (((w * '[2,2,2]')::vector(3)) vector_l2_ops);
CREATE UNIQUE INDEX hidden_t_id ON hidden_t (id);
CREATE TABLE hidden_q (id int NOT NULL, v vector(3));
INSERT INTO hidden_q SELECT i, ARRAY[i * 10 + 0.2, 0, 0]::vector FROM generate_series(1, 3) i;
CREATE TABLE hidden_p (id int, part int, v vector(3)) PARTITION BY LIST (part);
CREATE TABLE hidden_p1 PARTITION OF hidden_p FOR VALUES IN (1);
CREATE TABLE hidden_p2 PARTITION OF hidden_p FOR VALUES IN (2);
INSERT INTO hidden_p SELECT i, i % 2 + 1, ARRAY[i, 0, 0]::vector FROM generate_series(1, 100) i;
CREATE INDEX hidden_p_v ON hidden_p USING hnsw (v vector_l2_ops);
ANALYZE hidden_t, hidden_q, hidden_p;
SET hnsw.ef_search = 200;

-- plans
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3;
SET vecdb.strip_hidden_distance = off;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3;
RESET vecdb.strip_hidden_distance;
EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM hidden_t ORDER BY v <-> '[10.2,0,0]';
EXPLAIN (VERBOSE, COSTS OFF)
SELECT q.id, t.id FROM hidden_q q, LATERAL (SELECT id FROM hidden_t ORDER BY v <-> q.v LIMIT 2) t;

-- stays: asked for, WITH TIES, row locks, several keys, partitions
EXPLAIN (VERBOSE, COSTS OFF) SELECT id, v <-> '[10.2,0,0]' FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM hidden_t ORDER BY v <-> '[10.2,0,0]' FETCH FIRST 3 ROWS WITH TIES;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3 FOR UPDATE;
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM hidden_p ORDER BY v <-> '[10.2,0,0]' LIMIT 3;

-- the distance function is not called for rows that leave (the index has its own)
BEGIN;
SET LOCAL track_functions = 'all';
SELECT id FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3;
SELECT coalesce(pg_stat_get_xact_function_calls('l2_distance(vector,vector)'::regprocedure), 0) AS calls;
SET LOCAL vecdb.strip_hidden_distance = off;
SELECT id FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3;
SELECT coalesce(pg_stat_get_xact_function_calls('l2_distance(vector,vector)'::regprocedure), 0) AS calls;
COMMIT;

-- how often a plan has the distance among its outputs
CREATE FUNCTION hidden_outputs(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    line text;
    n int := 0;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
        IF line ~ 'Output:.*<->' THEN
            n := n + 1;
        END IF;
    END LOOP;
    RETURN n;
END $$;
-- the rows of a statement in their order, its changes undone; not as a subquery, which would be another plan
CREATE FUNCTION hidden_rows(query text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    r record;
    result text[] := '{}';
BEGIN
    BEGIN
        FOR r IN EXECUTE query LOOP
            result := result || r::text;
        END LOOP;
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
    RETURN result;
END $$;
CREATE TABLE hidden_shapes (n serial, query text);
CREATE FUNCTION hidden_compare() RETURNS TABLE (shape text, distance text, row_count int, same bool)
LANGUAGE plpgsql AS $$
DECLARE
    on_rows text[];
    off_rows text[];
    outputs_on int;
    outputs_off int;
    expanded text;
BEGIN
    FOR shape IN SELECT query FROM hidden_shapes ORDER BY n LOOP
        expanded := replace(shape, '@', 'ORDER BY v <-> ''[10.2,0,0]''');
        SET LOCAL vecdb.strip_hidden_distance = off;
        outputs_off := hidden_outputs(expanded);
        off_rows := hidden_rows(expanded);
        SET LOCAL vecdb.strip_hidden_distance = on;
        outputs_on := hidden_outputs(expanded);
        on_rows := hidden_rows(expanded);
        distance := CASE WHEN outputs_off = 0 THEN 'none' WHEN outputs_on = 0 THEN 'gone' WHEN outputs_on = outputs_off THEN 'stays' ELSE 'partly' END;
        row_count := cardinality(on_rows);
        same := on_rows = off_rows;
        RETURN NEXT;
    END LOOP;
END $$;

-- @ stands for ORDER BY v <-> '[10.2,0,0]'
INSERT INTO hidden_shapes (query) VALUES
    ('SELECT id FROM hidden_t @'),
    ('SELECT id FROM hidden_t @ LIMIT 3'),
    ('SELECT id FROM hidden_t @ LIMIT 3 OFFSET 2'),
    ('SELECT id FROM hidden_t @ LIMIT 0'),
    ('SELECT * FROM hidden_t @ LIMIT 3'),
    ('SELECT hidden_t FROM hidden_t @ LIMIT 3'),
    ('SELECT v, id, ctid, tableoid::regclass FROM hidden_t @ LIMIT 3'),
    ('SELECT 1 FROM hidden_t @ LIMIT 3'),
    ('SELECT FROM hidden_t @ LIMIT 3'),
    ('SELECT id FROM hidden_t WHERE id % 2 = 0 @ LIMIT 3'),
    ('SELECT id FROM hidden_t WHERE v <-> ''[10.2,0,0]'' < 2 @ LIMIT 10'),
    ('SELECT id FROM hidden_t ORDER BY ''[10.2,0,0]'' <-> v LIMIT 3'),
    ('SELECT id FROM hidden_t ORDER BY v <-> (SELECT v FROM hidden_q WHERE id = 2) LIMIT 3'),
    ('SELECT id FROM hidden_t ORDER BY (w * ''[2,2,2]'')::vector(3) <-> ''[0,20.2,0]'' LIMIT 3'),
    ('SELECT id FROM hidden_t WHERE current_user = session_user @ LIMIT 3'),
    ('SELECT id FROM hidden_t WHERE current_user <> session_user @ LIMIT 3'),
    ('SELECT t.id, q.id FROM hidden_t t, hidden_q q WHERE t.id % 3 = q.id ORDER BY (w * ''[2,2,2]'')::vector(3) <-> ''[0,20.2,0]'' LIMIT 3'),
    -- the user reads it
    ('SELECT id, v <-> ''[10.2,0,0]'' AS d FROM hidden_t ORDER BY d LIMIT 3'),
    ('SELECT v <-> ''[10.2,0,0]'' AS d FROM hidden_t ORDER BY d LIMIT 3'),
    ('SELECT id, (v <-> ''[10.2,0,0]'') * 2 AS d2 FROM hidden_t @ LIMIT 3'),
    ('SELECT id, d FROM (SELECT id, v <-> ''[10.2,0,0]'' AS d FROM hidden_t ORDER BY d LIMIT 3) s'),
    ('SELECT id FROM (SELECT id, v <-> ''[10.2,0,0]'' AS d FROM hidden_t ORDER BY d LIMIT 5) s WHERE d < 1'),
    ('SELECT id FROM (SELECT id, v <-> ''[10.2,0,0]'' AS d FROM hidden_t ORDER BY d LIMIT 3) s'),
    -- the plan reads it
    ('SELECT id FROM hidden_t @ FETCH FIRST 3 ROWS WITH TIES'),
    ('SELECT id FROM hidden_t @, id LIMIT 3'),
    ('SELECT id FROM hidden_t @ DESC LIMIT 3'),
    ('SELECT id FROM hidden_p @ LIMIT 5'),
    ('SELECT DISTINCT ON (v <-> ''[10.2,0,0]'') id FROM hidden_t @ LIMIT 3'),
    ('SELECT id FROM hidden_t @ LIMIT 3 FOR UPDATE'),
    ('SELECT id, row_number() OVER (@) FROM hidden_t @ LIMIT 3'),
    -- one partition
    ('SELECT id FROM hidden_p WHERE part = 1 @ LIMIT 3'),
    -- subqueries
    ('SELECT * FROM (SELECT id FROM hidden_t @) s LIMIT 3'),
    ('SELECT id + 1 FROM (SELECT id FROM hidden_t @ LIMIT 5) s'),
    ('SELECT id FROM (SELECT id FROM hidden_t @ LIMIT 5) s WHERE id > 10'),
    ('SELECT s FROM (SELECT id FROM hidden_t @ LIMIT 3) s'),
    ('SELECT count(*) FROM (SELECT id FROM hidden_t @ LIMIT 3) s'),
    ('SELECT sum(id) FROM (SELECT id FROM hidden_t @ LIMIT 3) s GROUP BY id % 2 HAVING count(*) > 1'),
    ('SELECT id FROM (SELECT id FROM hidden_t @ LIMIT 3) s ORDER BY id'),
    ('SELECT id, row_number() OVER () FROM (SELECT id FROM hidden_t @ LIMIT 3) s'),
    ('(SELECT id FROM hidden_t @ LIMIT 3) UNION ALL (SELECT id FROM hidden_t @ LIMIT 2)'),
    ('SELECT id FROM ((SELECT id FROM hidden_t @ LIMIT 3) UNION (SELECT id FROM hidden_t @ LIMIT 2)) s ORDER BY id'),
    ('WITH c AS MATERIALIZED (SELECT id FROM hidden_t @ LIMIT 3) SELECT a.id, b.id FROM c a, c b'),
    ('WITH c AS MATERIALIZED (SELECT id FROM hidden_t @ LIMIT 3) SELECT c FROM c'),
    ('WITH c AS (SELECT id FROM hidden_t @ LIMIT 3) SELECT * FROM c'),
    ('WITH RECURSIVE r AS ((SELECT id FROM hidden_t @ LIMIT 2) UNION ALL SELECT id + 1 FROM r WHERE id < 13) SELECT * FROM r'),
    ('SELECT ARRAY(SELECT id FROM hidden_t @ LIMIT 3)'),
    ('SELECT (SELECT id FROM hidden_t @ LIMIT 1)'),
    ('SELECT id FROM hidden_q WHERE id * 10 IN (SELECT id FROM hidden_t @ LIMIT 3)'),
    ('SELECT id FROM hidden_q WHERE id * 10 NOT IN (SELECT id FROM hidden_t @ LIMIT 3) ORDER BY id'),
    ('SELECT id FROM hidden_q WHERE (id * 10, v) = ANY (SELECT id, v + ''[0.2,0,0]'' FROM hidden_t @ LIMIT 3)'),
    ('SELECT q.id, (SELECT t.id FROM hidden_t t ORDER BY t.v <-> q.v LIMIT 1) FROM hidden_q q ORDER BY q.id'),
    ('SELECT q.id, ARRAY(SELECT t.id FROM hidden_t t ORDER BY t.v <-> q.v LIMIT 2) FROM hidden_q q ORDER BY q.id'),
    -- joins
    ('SELECT t.id, q.id FROM hidden_t t, hidden_q q WHERE t.id % 3 = q.id ORDER BY t.v <-> ''[10.2,0,0]'' LIMIT 3'),
    ('SELECT t.id, q.id FROM hidden_t t LEFT JOIN hidden_q q ON t.id % 3 = q.id ORDER BY t.v <-> ''[10.2,0,0]'' LIMIT 3'),
    ('SELECT q.id, s.id FROM hidden_q q, LATERAL (SELECT id FROM hidden_t t ORDER BY t.v <-> q.v LIMIT 2) s'),
    ('SELECT q.id, s.id FROM hidden_q q, LATERAL (SELECT id FROM hidden_t t ORDER BY t.v <-> q.v LIMIT 4) s WHERE s.id % 2 = 0'),
    ('SELECT q.id, s.id, s.d FROM hidden_q q, LATERAL (SELECT id, t.v <-> q.v AS d FROM hidden_t t ORDER BY t.v <-> q.v LIMIT 2) s'),
    ('SELECT q.id, s FROM hidden_q q LEFT JOIN LATERAL (SELECT id FROM hidden_t t ORDER BY t.v <-> q.v LIMIT 2) s ON s.id > 10'),
    ('SELECT t.id, s.id FROM (SELECT id FROM hidden_t @ LIMIT 3) s JOIN hidden_t t ON t.id = s.id + 1'),
    ('SELECT q.id, s.id FROM (SELECT id FROM hidden_t @ LIMIT 3) s FULL JOIN hidden_q q ON q.id * 10 = s.id ORDER BY 1, 2'),
    -- data modification
    ('WITH i AS (INSERT INTO hidden_q SELECT id + 1000, v FROM hidden_t @ LIMIT 2 RETURNING id, v) SELECT * FROM i'),
    ('WITH u AS (UPDATE hidden_q q SET v = s.v FROM (SELECT id, v FROM hidden_t @ LIMIT 3) s WHERE q.id * 10 = s.id RETURNING q.*) SELECT * FROM u'),
    ('WITH d AS (DELETE FROM hidden_p WHERE id IN (SELECT id + 80 FROM hidden_t @ LIMIT 3) RETURNING id) SELECT id FROM d ORDER BY id');
BEGIN;
SELECT * FROM hidden_compare();
-- other ways to join the same
SET LOCAL enable_nestloop = off;
SET LOCAL enable_mergejoin = off;
SELECT * FROM hidden_compare() WHERE NOT same;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = on;
SELECT * FROM hidden_compare() WHERE NOT same;
ROLLBACK;

-- tables that the scan does not own: the same shapes without an index of ours
BEGIN;
DROP INDEX hidden_t_v, hidden_p_v;
SELECT count(*) FROM hidden_compare() WHERE distance NOT IN ('stays', 'none') OR NOT same;
ROLLBACK;

-- an ordered scan of another access method is left alone
CREATE TABLE hidden_gist (id int, p point);
INSERT INTO hidden_gist SELECT i, point(i, 0) FROM generate_series(1, 100) i;
CREATE INDEX hidden_gist_p ON hidden_gist USING gist (p);
EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM hidden_gist ORDER BY p <-> '(10.2,0)' LIMIT 3;
SELECT id FROM hidden_gist ORDER BY p <-> '(10.2,0)' LIMIT 3;

-- prepared statements, custom and generic
PREPARE hidden_s (vector, int) AS SELECT id FROM hidden_t ORDER BY v <-> $1 LIMIT $2;
SET plan_cache_mode = force_custom_plan;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE hidden_s ('[10.2,0,0]', 3);
EXECUTE hidden_s ('[10.2,0,0]', 3);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE hidden_s ('[10.2,0,0]', 3);
EXECUTE hidden_s ('[10.2,0,0]', 3);
EXECUTE hidden_s ('[20.2,0,0]', 2);
CREATE TABLE hidden_made AS EXECUTE hidden_s ('[10.2,0,0]', 2);
SELECT * FROM hidden_made;
RESET plan_cache_mode;
DEALLOCATE hidden_s;

-- cursors
BEGIN;
DECLARE c CURSOR FOR SELECT id, v FROM hidden_t ORDER BY v <-> '[10.2,0,0]';
FETCH 2 FROM c;
FETCH 1 FROM c;
DECLARE s SCROLL CURSOR FOR SELECT id FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3;
FETCH ALL FROM s;
FETCH BACKWARD 2 FROM s;
FETCH ABSOLUTE 1 FROM s;
DECLARE h CURSOR WITH HOLD FOR SELECT * FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3;
FETCH 1 FROM h;
FETCH 1 FROM c;
UPDATE hidden_t SET w = '[0,0,7]' WHERE CURRENT OF c;
SELECT id FROM hidden_t WHERE w = '[0,0,7]';
COMMIT;
FETCH ALL FROM h;
CLOSE h;
UPDATE hidden_t SET w = ARRAY[0, id, 0]::vector WHERE w = '[0,0,7]';

-- functions, COPY, tables and views from it
CREATE FUNCTION hidden_sql(q vector) RETURNS SETOF int LANGUAGE sql STABLE AS
$$ SELECT id FROM hidden_t ORDER BY v <-> q LIMIT 3 $$;
SELECT hidden_sql('[10.2,0,0]');
SELECT * FROM hidden_sql('[10.2,0,0]');
CREATE FUNCTION hidden_sql_row(q vector) RETURNS hidden_t LANGUAGE sql VOLATILE AS
$$ SELECT * FROM hidden_t ORDER BY v <-> q LIMIT 1 $$;
SELECT hidden_sql_row('[10.2,0,0]');
CREATE FUNCTION hidden_plpgsql(q vector) RETURNS int LANGUAGE plpgsql AS
$$ BEGIN RETURN (SELECT id FROM hidden_t ORDER BY v <-> q LIMIT 1); END $$;
SELECT hidden_plpgsql(v) FROM hidden_q ORDER BY id;
COPY (SELECT id, v FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3) TO STDOUT;
CREATE MATERIALIZED VIEW hidden_mv AS SELECT * FROM hidden_t ORDER BY v <-> '[10.2,0,0]' LIMIT 3;
SELECT * FROM hidden_mv;
INSERT INTO hidden_made SELECT id FROM hidden_t ORDER BY v <-> '[30.2,0,0]' LIMIT 2;
SELECT * FROM hidden_made;

-- a value that is stored out of line comes out whole
CREATE TABLE hidden_toast (id int, v vector);
ALTER TABLE hidden_toast ALTER v SET STORAGE EXTERNAL;
INSERT INTO hidden_toast
SELECT i, (SELECT array_agg(CASE WHEN j = 1 THEN i ELSE 0 END ORDER BY j) FROM generate_series(1, 1500) j)::vector FROM generate_series(1, 20) i;
CREATE INDEX hidden_toast_v ON hidden_toast USING hnsw ((v::vector(1500)) vector_l2_ops);
SELECT hidden_outputs('SELECT * FROM hidden_toast ORDER BY v::vector(1500) <-> (SELECT v + v FROM hidden_toast WHERE id = 3) LIMIT 2');
SELECT id, vector_dims(v), vector_norm(v) FROM hidden_toast ORDER BY v::vector(1500) <-> (SELECT v + v FROM hidden_toast WHERE id = 3) LIMIT 1;
CREATE TABLE hidden_copy AS SELECT * FROM hidden_toast ORDER BY v::vector(1500) <-> (SELECT v + v FROM hidden_toast WHERE id = 3) LIMIT 1;
INSERT INTO hidden_copy SELECT * FROM hidden_toast ORDER BY v::vector(1500) <-> (SELECT v + v FROM hidden_toast WHERE id = 4) LIMIT 1;
DROP TABLE hidden_toast;
SELECT id, vector_dims(v), vector_norm(v) FROM hidden_copy;

-- the setting
SHOW vecdb.strip_hidden_distance;
SELECT short_desc, context, vartype FROM pg_settings WHERE name = 'vecdb.strip_hidden_distance';
SET vecdb.no_such_setting = 1;

DROP MATERIALIZED VIEW hidden_mv;
DROP FUNCTION hidden_sql, hidden_sql_row, hidden_plpgsql, hidden_compare, hidden_rows, hidden_outputs;
DROP TABLE hidden_t, hidden_q, hidden_p, hidden_gist, hidden_made, hidden_copy, hidden_shapes;
