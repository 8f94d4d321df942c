-- What an ordered scan of an hnsw index returns, against exact answers.

-- 1,000 rows of 8 small integers: distances are exact in float8, many are equal
CREATE FUNCTION hnsw_order_v(seed int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 2147483647) % 10)::vector FROM generate_series(1, 8) d $$;
CREATE TABLE hnsw_o (id int PRIMARY KEY, e vector(8));
INSERT INTO hnsw_o SELECT i, hnsw_order_v(i) FROM generate_series(1, 1000) i;
CREATE TABLE hnsw_o_q (id int, q vector(8));
INSERT INTO hnsw_o_q SELECT i, hnsw_order_v(5000 + i) FROM generate_series(1, 20) i;
ANALYZE hnsw_o, hnsw_o_q;

-- Runs the query of one order with and without the index, with "lim" rows, for each of the 20 query vectors.
-- rows: returned (of all queries), twice: rows that came more than once, sorted: no distance is less than the one before,
-- true_distance: each is what the operator says, recall: share that is not farther than the last row of the exact answer.
CREATE FUNCTION pg_temp.compare(op text, lim int, OUT rows bigint, OUT twice bigint, OUT sorted bool, OUT true_distance bool,
        OUT recall numeric) LANGUAGE plpgsql AS $$
DECLARE
    r record; ids int[]; d float8[]; exact float8[]; check_d float8[]; query text; plan text; hits bigint := 0;
BEGIN
    rows := 0; twice := 0; sorted := true; true_distance := true;
    query := format('SELECT array_agg(id), array_agg(d) FROM (SELECT id, e %s $1 AS d FROM hnsw_o ORDER BY e %s $1 LIMIT %s) s', op, op,
                    coalesce(lim::text, 'ALL'));
    FOR r IN SELECT q FROM hnsw_o_q ORDER BY id LOOP
        SET LOCAL enable_indexscan = off;
        SET LOCAL enable_seqscan = on;
        EXECUTE query INTO ids, exact USING r.q;
        SET LOCAL enable_indexscan = on;
        SET LOCAL enable_seqscan = off;
        EXECUTE query INTO ids, d USING r.q;
        rows := rows + cardinality(ids);
        twice := twice + cardinality(ids) - (SELECT count(DISTINCT i) FROM unnest(ids) i);
        sorted := sorted AND d = (SELECT array_agg(x ORDER BY x) FROM unnest(d) x);
        EXECUTE format('SELECT array_agg(e %s $1 ORDER BY n) FROM unnest($2) WITH ORDINALITY u(id, n) JOIN hnsw_o USING (id)', op)
            INTO check_d USING r.q, ids;
        true_distance := true_distance AND check_d = d;
        hits := hits + (SELECT count(*) FROM unnest(d) x WHERE x <= exact[cardinality(exact)]);
    END LOOP;
    recall := round(hits::numeric / rows, 2);
END $$;

-- --- each metric and precision: 10 rows, 500 rows past ef_search, and all rows ---

CREATE FUNCTION pg_temp.all_limits(op text, precision_ int) RETURNS TABLE (operator text, bits int, lim text, rows bigint, twice bigint, sorted bool,
        true_distance bool, recall_ok bool) LANGUAGE plpgsql AS $$
DECLARE class text := CASE op WHEN '<->' THEN 'l2' WHEN '<#>' THEN 'ip' WHEN '<=>' THEN 'cosine' ELSE 'l1' END;
BEGIN
    EXECUTE format('CREATE INDEX hnsw_o_i ON hnsw_o USING hnsw (e vector_%s_ops) WITH (precision = %s)', class, precision_);
    SET LOCAL hnsw.ef_search = 40;
    RETURN QUERY SELECT op, precision_, 'LIMIT 10', c.rows, c.twice, c.sorted, c.true_distance, c.recall >= 0.95 FROM pg_temp.compare(op, 10) c;
    SET LOCAL hnsw.ef_search = 10;
    RETURN QUERY SELECT op, precision_, 'LIMIT 500, ef_search 10', c.rows, c.twice, c.sorted, c.true_distance, c.recall >= 0.95 FROM pg_temp.compare(op, 500) c;
    -- of all rows a few may come late: "sorted" is asserted without them
    SET LOCAL hnsw.ef_search = 1;
    RETURN QUERY SELECT op, precision_, 'all, ef_search 1', c.rows, c.twice, NULL::bool, c.true_distance, c.recall = 1 FROM pg_temp.compare(op, NULL) c;
    RETURN QUERY SELECT op, precision_, 'LIMIT 900, ef_search 1', c.rows, c.twice, c.sorted, c.true_distance, c.recall >= 0.95 FROM pg_temp.compare(op, 900) c;
    SET LOCAL hnsw.iterative_scan = relaxed_order;
    RETURN QUERY SELECT op, precision_, 'all, relaxed_order', c.rows, c.twice, NULL::bool, c.true_distance, c.recall = 1 FROM pg_temp.compare(op, NULL) c;
    -- strict_order leaves late rows out; 19001 stands for any number above 19,000
    SET LOCAL hnsw.iterative_scan = strict_order;
    RETURN QUERY SELECT op, precision_, 'all, strict_order', CASE WHEN c.rows > 19000 THEN 19001 ELSE c.rows END, c.twice, c.sorted,
        c.true_distance, c.recall = 1 FROM pg_temp.compare(op, NULL) c;
    SET LOCAL hnsw.iterative_scan = off;
    DROP INDEX hnsw_o_i;
END $$;

SELECT * FROM pg_temp.all_limits('<->', 16);
SELECT * FROM pg_temp.all_limits('<->', 8);
SELECT * FROM pg_temp.all_limits('<#>', 16);
SELECT * FROM pg_temp.all_limits('<#>', 8);
SELECT * FROM pg_temp.all_limits('<=>', 16);
SELECT * FROM pg_temp.all_limits('<=>', 8);
SELECT * FROM pg_temp.all_limits('<+>', 16);
SELECT * FROM pg_temp.all_limits('<+>', 8);

-- --- limits of an iterative scan ---

CREATE INDEX hnsw_o_l2 ON hnsw_o USING hnsw (e vector_l2_ops);
CREATE INDEX hnsw_o_cos ON hnsw_o USING hnsw (e vector_cosine_ops);
SET enable_seqscan = off;
SET hnsw.iterative_scan = strict_order;
SET hnsw.max_scan_tuples = 1;
SELECT count(*) < 1000 AS ended_early FROM (SELECT id FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]') s;
-- off: no such limit
SET hnsw.iterative_scan = off;
SELECT count(*) < 1000 AS ended_early FROM (SELECT id FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]') s;
RESET hnsw.max_scan_tuples;

-- --- special queries ---

-- NULL and, under cosine, the zero vector order nothing: all rows come, in any order
SELECT count(*), count(DISTINCT id), count(d) FROM (SELECT id, e <-> NULL AS d FROM hnsw_o ORDER BY e <-> NULL) s;
SELECT count(*), count(DISTINCT id), count(d) FROM
    (SELECT id, e <-> (SELECT q FROM hnsw_o_q WHERE id < 0) AS d FROM hnsw_o ORDER BY e <-> (SELECT q FROM hnsw_o_q WHERE id < 0)) s;
SELECT count(*), count(DISTINCT id), min(d), max(d) FROM
    (SELECT id, e <=> '[0,0,0,0,0,0,0,0]' AS d FROM hnsw_o ORDER BY e <=> '[0,0,0,0,0,0,0,0]') s;
-- wrong dimensions
SELECT id FROM hnsw_o ORDER BY e <-> '[1,2,3]' LIMIT 5;
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM hnsw_o ORDER BY e <=> (SELECT '[1,2,3,4,5,6,7,8,9]'::vector) LIMIT 5;
\echo :LAST_ERROR_SQLSTATE
-- the row itself comes first
SELECT count(*) FROM hnsw_o_q q, LATERAL (SELECT id FROM hnsw_o WHERE id = q.id) o,
    LATERAL (SELECT e <-> (SELECT e FROM hnsw_o WHERE id = o.id) AS d FROM hnsw_o ORDER BY e <-> (SELECT e FROM hnsw_o WHERE id = o.id) LIMIT 1) n
    WHERE n.d = 0;

-- --- clauses around the scan ---

-- filters that let few rows through, or none: all that match come, in order
EXPLAIN (COSTS OFF) SELECT e <-> '[1,2,3,4,5,6,7,8]' AS d FROM hnsw_o WHERE id % 100 = 7 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 20;
SELECT array_agg(d) = (SELECT array_agg(e <-> '[1,2,3,4,5,6,7,8]' ORDER BY e <-> '[1,2,3,4,5,6,7,8]') FROM hnsw_o WHERE id % 100 = 7) AS exact, count(*)
    FROM (SELECT e <-> '[1,2,3,4,5,6,7,8]' AS d FROM hnsw_o WHERE id % 100 = 7 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 20) s;
SELECT count(*) FROM (SELECT FROM hnsw_o WHERE id % 1000 = 1 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 20) s;
SELECT count(*) FROM (SELECT FROM hnsw_o WHERE id % 7 = 8 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 20) s;
-- a bound on the distance
SELECT count(*) = (SELECT count(*) FROM hnsw_o WHERE e <-> '[1,2,3,4,5,6,7,8]' < 9 AND id > 0) AS same
    FROM (SELECT FROM hnsw_o WHERE e <-> '[1,2,3,4,5,6,7,8]' < 9 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 1000) s;
-- pages by OFFSET are those of one long answer
SELECT (SELECT array_agg(d) FROM (SELECT e <-> '[1,2,3,4,5,6,7,8]' AS d FROM hnsw_o ORDER BY 1 LIMIT 60) s)
    = (SELECT array_agg(d) FROM (SELECT e <-> '[1,2,3,4,5,6,7,8]' AS d FROM hnsw_o ORDER BY 1 LIMIT 20) s)
    || (SELECT array_agg(d) FROM (SELECT e <-> '[1,2,3,4,5,6,7,8]' AS d FROM hnsw_o ORDER BY 1 LIMIT 20 OFFSET 20) s)
    || (SELECT array_agg(d) FROM (SELECT e <-> '[1,2,3,4,5,6,7,8]' AS d FROM hnsw_o ORDER BY 1 LIMIT 20 OFFSET 40) s) AS pages_fit;
SELECT count(*) FROM (SELECT FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]' OFFSET 990) s;
SELECT count(*) FROM (SELECT FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]' OFFSET 1001) s;
-- ties sort by the next key only when asked to
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]', id LIMIT 30;
SELECT array_agg(id) = (SELECT array_agg(id ORDER BY e <-> '[1,2,3,4,5,6,7,8]', id) FROM hnsw_o) AS exact
    FROM (SELECT id FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]', id) s;
-- joins and LATERAL: a scan is started again for each outer row
EXPLAIN (COSTS OFF) SELECT q.id, n.id FROM hnsw_o_q q CROSS JOIN LATERAL (SELECT id FROM hnsw_o ORDER BY e <-> q.q LIMIT 50) n;
SELECT count(*), count(DISTINCT (q.id, n.id)) FROM hnsw_o_q q CROSS JOIN LATERAL (SELECT id FROM hnsw_o ORDER BY e <-> q.q LIMIT 50) n;
SELECT count(*), bool_and(n.d = n.again) FROM hnsw_o_q q CROSS JOIN LATERAL
    (SELECT o.id, o.e <-> q.q AS d, o.e <-> x.q AS again FROM hnsw_o o JOIN hnsw_o_q x ON x.id = q.id ORDER BY o.e <-> q.q LIMIT 10) n;
-- two scans of one index at a time
SELECT count(*) FROM (SELECT id FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 300) a
    JOIN (SELECT id FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 300) b USING (id);

-- --- cursors ---

BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT e <-> '[1,2,3,4,5,6,7,8]' AS d FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]';
CREATE TEMP TABLE hnsw_o_got (n serial, d float8);
CREATE FUNCTION pg_temp.fetch(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE c refcursor := 'c'; d float8;
BEGIN
    FOR i IN 1 .. n LOOP
        FETCH c INTO d;
        IF NOT FOUND THEN RETURN i - 1; END IF;
        INSERT INTO hnsw_o_got (d) VALUES (d);
    END LOOP;
    RETURN n;
END $$;
SELECT pg_temp.fetch(3);
SELECT pg_temp.fetch(500);
-- the cursor sees the rows of its time
INSERT INTO hnsw_o SELECT 2000 + i, '[1,2,3,4,5,6,7,8]' FROM generate_series(1, 50) i;
DELETE FROM hnsw_o WHERE id <= 500;
SELECT pg_temp.fetch(400);
SELECT pg_temp.fetch(1000);
SELECT pg_temp.fetch(1);
SELECT array_agg(d ORDER BY d) = (SELECT array_agg(d ORDER BY d) FROM (SELECT hnsw_order_v(i) <-> '[1,2,3,4,5,6,7,8]' AS d
    FROM generate_series(1, 1000) i) s) AS same_rows, count(*) FROM hnsw_o_got;
SELECT count(*) FROM (SELECT d, lag(d) OVER (ORDER BY n) AS before FROM hnsw_o_got WHERE n <= 900) s WHERE d < before;
FETCH BACKWARD 1 FROM c;
ROLLBACK;
-- a cursor that can go back
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT e <-> '[1,2,3,4,5,6,7,8]' AS d FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 5;
MOVE 5 IN c;
MOVE BACKWARD ALL IN c;
FETCH FIRST FROM c;
CLOSE c;
-- with hold
DECLARE c CURSOR WITH HOLD FOR SELECT id FROM hnsw_o ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 100;
COMMIT;
MOVE ALL IN c;
CLOSE c;

RESET enable_seqscan;
DROP TABLE hnsw_o, hnsw_o_q;
DROP FUNCTION hnsw_order_v;
