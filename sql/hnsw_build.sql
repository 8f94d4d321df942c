-- CREATE INDEX ... USING hnsw: operator classes, options, what is refused, and every kind of table and index.

-- integers from a hash, so that distances are exact and the data the same everywhere
CREATE FUNCTION hnsw_build_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 2147483647) % 100)::vector FROM generate_series(1, dims) d $$;

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;

-- sound: check_index has nothing to tell. good_recall: at least 0.95 of 20 rows' 10 nearest at ef_search 100. rows: in a
-- scan of the index to its end. (By id: PostgreSQL 15.18 gives a wrong ctid for rows that it has reordered.)
CREATE FUNCTION pg_temp.state_of(index regclass, tab regclass, op text, q vector,
        OUT sound bool, OUT good_recall bool, OUT rows bigint, OUT distinct_rows bigint) LANGUAGE plpgsql AS $$
DECLARE plan text;
BEGIN
    SELECT count(*) = 0 INTO sound FROM vecdb.check_index(index);
    SET LOCAL hnsw.ef_search = 100;
    SELECT recall >= 0.95 INTO good_recall FROM vecdb.check_recall(index, 20);
    SET LOCAL enable_seqscan = off;
    FOR plan IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT id FROM %s ORDER BY e %s %L', tab, op, q) LOOP
        IF plan NOT LIKE '%Index Scan using ' || index || ' on%' AND plan NOT LIKE '%Order By:%' THEN
            RAISE 'not a scan of %: %', index, plan;
        END IF;
    END LOOP;
    EXECUTE format('SELECT count(*), count(DISTINCT c) FROM (SELECT id c FROM %s ORDER BY e %s %L) s', tab, op, q)
        INTO rows, distinct_rows;
    SET LOCAL enable_seqscan = on;
    SET LOCAL hnsw.ef_search = 40;
END $$;

-- --- operator classes and options ---

CREATE TABLE hnsw_b (id int, e vector(3));
INSERT INTO hnsw_b SELECT i, hnsw_build_v(i, 3) FROM generate_series(1, 500) i;

CREATE INDEX hnsw_b_i ON hnsw_b USING hnsw (e vector_l2_ops);
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');
DROP INDEX hnsw_b_i;
CREATE INDEX hnsw_b_i ON hnsw_b USING hnsw (e vector_ip_ops) WITH (m = 8, ef_construction = 100);
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<#>', '[1,2,3]');
DROP INDEX hnsw_b_i;
CREATE INDEX hnsw_b_i ON hnsw_b USING hnsw (e vector_cosine_ops) WITH (precision = 8);
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<=>', '[1,2,3]');
DROP INDEX hnsw_b_i;
CREATE INDEX hnsw_b_i ON hnsw_b USING hnsw (e vector_l1_ops) WITH (layout = compact, precision = 16, m = 5);
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<+>', '[1,2,3]');
\d hnsw_b_i
DROP INDEX hnsw_b_i;
CREATE INDEX hnsw_b_i ON hnsw_b USING hnsw (e vector_l2_ops) WITH (layout = auto, m = 2, ef_construction = 4);
SELECT sound, rows, distinct_rows FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');
DROP INDEX hnsw_b_i;
CREATE INDEX hnsw_b_i ON hnsw_b USING hnsw (e vector_l2_ops) WITH (m = 100, ef_construction = 1000);
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');

-- changed options hold after the next REINDEX; until then the index is as it was built
ALTER INDEX hnsw_b_i SET (m = 4, ef_construction = 20, precision = 8);
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');
INSERT INTO hnsw_b SELECT i, hnsw_build_v(i, 3) FROM generate_series(501, 520) i;
SELECT pg_relation_size('hnsw_b_i') AS size_before \gset
REINDEX INDEX hnsw_b_i;
SELECT pg_relation_size('hnsw_b_i') < :size_before AS smaller;
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');
ALTER INDEX hnsw_b_i RESET (m, ef_construction, precision);
REINDEX INDEX hnsw_b_i;
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');

-- --- what is refused ---

CREATE TABLE hnsw_b_any (a vector, i int, v vector(3), w vector(3), big vector(16000));
\pset null '-'
\x on
SELECT s AS statement, e.* FROM unnest(ARRAY[
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (m = 1)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (m = 101)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (m = many)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (ef_construction = 3)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (ef_construction = 1001)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (m = 16, ef_construction = 31)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (m = 33)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (layout = loose)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (precision = 12)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (lists = 10)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) WITH (fillfactor = 70)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (a vector_l2_ops)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw ((a || v) vector_l2_ops)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (i vector_l2_ops)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops, w vector_l2_ops)$$,
    $$CREATE UNIQUE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops) INCLUDE (i)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops DESC)$$,
    $$CREATE INDEX ON hnsw_b_any USING hnsw (v vector_l2_ops NULLS FIRST)$$,
    $$ALTER INDEX hnsw_b_i SET (m = 1)$$,
    $$ALTER INDEX hnsw_b_i SET (lists = 1)$$,
    $$CLUSTER hnsw_b USING hnsw_b_i$$,
    $$ALTER TABLE hnsw_b_any ADD EXCLUDE USING hnsw (v vector_l2_ops WITH <->)$$
]) s, pg_temp.error_of(s) e;
\x off
-- nothing is left of them
SELECT count(*) FROM pg_index WHERE indrelid = 'hnsw_b_any'::regclass;
-- as many dimensions as the type has, at every m (sql/hnsw_wide.sql has more)
CREATE INDEX ON hnsw_b_any USING hnsw (big vector_l2_ops);
CREATE INDEX ON hnsw_b_any USING hnsw (big vector_l2_ops) WITH (m = 100, ef_construction = 200, layout = fused);
DROP TABLE hnsw_b_any;

-- --- rows that are not indexed; empty tables ---

CREATE TABLE hnsw_b_null (id int, e vector(3));
CREATE INDEX hnsw_b_null_i ON hnsw_b_null USING hnsw (e vector_cosine_ops);
SELECT * FROM pg_temp.state_of('hnsw_b_null_i', 'hnsw_b_null', '<=>', '[1,2,3]');
REINDEX INDEX hnsw_b_null_i;
INSERT INTO hnsw_b_null VALUES (1, NULL), (2, '[0,0,0]'), (3, '[1,1,1]'), (4, '[-0,0,0]'), (5, '[3,-4,0]'), (6, '[1e-30,0,0]');
SELECT sound, rows, distinct_rows FROM pg_temp.state_of('hnsw_b_null_i', 'hnsw_b_null', '<=>', '[1,1,1]');
REINDEX INDEX hnsw_b_null_i;
SELECT sound, rows, distinct_rows FROM pg_temp.state_of('hnsw_b_null_i', 'hnsw_b_null', '<=>', '[1,1,1]');
-- a zero vector has a place under the other metrics
CREATE INDEX hnsw_b_null_l2 ON hnsw_b_null USING hnsw (e vector_l2_ops);
SELECT sound, rows, distinct_rows FROM pg_temp.state_of('hnsw_b_null_l2', 'hnsw_b_null', '<->', '[1,1,1]');
DROP TABLE hnsw_b_null;
-- nothing but rows that are not indexed
CREATE TABLE hnsw_b_null (e vector(3), id int GENERATED ALWAYS AS IDENTITY);
INSERT INTO hnsw_b_null SELECT NULL FROM generate_series(1, 100);
CREATE INDEX hnsw_b_null_i ON hnsw_b_null USING hnsw (e vector_l2_ops);
SELECT * FROM pg_temp.state_of('hnsw_b_null_i', 'hnsw_b_null', '<->', '[1,2,3]');
DROP TABLE hnsw_b_null;

-- --- extreme values ---

CREATE TABLE hnsw_b_ext (e vector(2), id int GENERATED ALWAYS AS IDENTITY);
INSERT INTO hnsw_b_ext VALUES ('[3e38,3e38]'), ('[-3e38,3e38]'), ('[1e-45,0]'), ('[0,0]'), ('[1,1]'), ('[1e20,1]'), ('[-1e19,1e19]');
CREATE INDEX hnsw_b_ext_l2 ON hnsw_b_ext USING hnsw (e vector_l2_ops);
SELECT sound, rows, distinct_rows FROM pg_temp.state_of('hnsw_b_ext_l2', 'hnsw_b_ext', '<->', '[1,1]');
DROP INDEX hnsw_b_ext_l2;
CREATE INDEX hnsw_b_ext_l1 ON hnsw_b_ext USING hnsw (e vector_l1_ops) WITH (precision = 8);
SELECT sound, rows, distinct_rows FROM pg_temp.state_of('hnsw_b_ext_l1', 'hnsw_b_ext', '<+>', '[3e38,-3e38]');
DROP TABLE hnsw_b_ext;

-- --- kinds of tables and indexes ---

CREATE UNLOGGED TABLE hnsw_b_u (e vector(3), id int GENERATED ALWAYS AS IDENTITY);
INSERT INTO hnsw_b_u SELECT e FROM hnsw_b;
CREATE INDEX hnsw_b_u_i ON hnsw_b_u USING hnsw (e vector_l2_ops);
INSERT INTO hnsw_b_u SELECT e FROM hnsw_b LIMIT 10;
SELECT * FROM pg_temp.state_of('hnsw_b_u_i', 'hnsw_b_u', '<->', '[1,2,3]');
ALTER TABLE hnsw_b_u SET LOGGED;
SELECT * FROM pg_temp.state_of('hnsw_b_u_i', 'hnsw_b_u', '<->', '[1,2,3]');
ALTER TABLE hnsw_b_u SET UNLOGGED;
SELECT * FROM pg_temp.state_of('hnsw_b_u_i', 'hnsw_b_u', '<->', '[1,2,3]');
TRUNCATE hnsw_b_u;
SELECT * FROM pg_temp.state_of('hnsw_b_u_i', 'hnsw_b_u', '<->', '[1,2,3]');
INSERT INTO hnsw_b_u SELECT e FROM hnsw_b LIMIT 10;
SELECT * FROM pg_temp.state_of('hnsw_b_u_i', 'hnsw_b_u', '<->', '[1,2,3]');
DROP TABLE hnsw_b_u;

CREATE TEMP TABLE hnsw_b_t (e vector(3), id int GENERATED ALWAYS AS IDENTITY) ON COMMIT DELETE ROWS;
CREATE INDEX hnsw_b_t_i ON hnsw_b_t USING hnsw (e vector_l2_ops);
BEGIN;
INSERT INTO hnsw_b_t SELECT e FROM hnsw_b;
SELECT * FROM pg_temp.state_of('hnsw_b_t_i', 'hnsw_b_t', '<->', '[1,2,3]');
COMMIT;
SELECT * FROM pg_temp.state_of('hnsw_b_t_i', 'hnsw_b_t', '<->', '[1,2,3]');
DROP TABLE hnsw_b_t;

-- created and filled in one transaction; the table rewritten
BEGIN;
CREATE TABLE hnsw_b_x (e vector(3), id int GENERATED ALWAYS AS IDENTITY);
INSERT INTO hnsw_b_x SELECT e FROM hnsw_b;
CREATE INDEX hnsw_b_x_i ON hnsw_b_x USING hnsw (e vector_l2_ops);
INSERT INTO hnsw_b_x SELECT e FROM hnsw_b LIMIT 10;
SAVEPOINT s;
TRUNCATE hnsw_b_x;
SELECT * FROM pg_temp.state_of('hnsw_b_x_i', 'hnsw_b_x', '<->', '[1,2,3]');
ROLLBACK TO s;
SELECT * FROM pg_temp.state_of('hnsw_b_x_i', 'hnsw_b_x', '<->', '[1,2,3]');
COMMIT;
VACUUM FULL hnsw_b_x;
SELECT * FROM pg_temp.state_of('hnsw_b_x_i', 'hnsw_b_x', '<->', '[1,2,3]');
ALTER TABLE hnsw_b_x ALTER e TYPE vector(3) USING e * '[2,2,2]';
SELECT * FROM pg_temp.state_of('hnsw_b_x_i', 'hnsw_b_x', '<->', '[1,2,3]');
ALTER TABLE hnsw_b_x ALTER e TYPE vector(2) USING subvector(e, 1, 2);
SELECT * FROM pg_temp.state_of('hnsw_b_x_i', 'hnsw_b_x', '<->', '[1,2]');
DROP TABLE hnsw_b_x;

-- expressions
CREATE TABLE hnsw_b_e (id int, a real[], x vector);
INSERT INTO hnsw_b_e SELECT id, e::real[], e FROM hnsw_b;
CREATE INDEX hnsw_b_e_a ON hnsw_b_e USING hnsw ((a::vector(3)) vector_l2_ops);
CREATE INDEX hnsw_b_e_x ON hnsw_b_e USING hnsw ((x::vector(3)) vector_cosine_ops) WHERE id <= 100;
CREATE INDEX hnsw_b_e_s ON hnsw_b_e USING hnsw ((subvector(x, 1, 2)::vector(2)) vector_l1_ops);
SELECT i, (SELECT count(*) FROM vecdb.check_index(i)) FROM unnest('{hnsw_b_e_a,hnsw_b_e_x,hnsw_b_e_s}'::regclass[]) i;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_b_e ORDER BY a::vector(3) <-> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_b_e WHERE id <= 100 ORDER BY x::vector(3) <=> '[1,2,3]' LIMIT 5;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_b_e ORDER BY subvector(x, 1, 2)::vector(2) <+> '[1,2]' LIMIT 5;
-- the partial index is of no use to a query that wants more
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_b_e WHERE id <= 101 ORDER BY x::vector(3) <=> '[1,2,3]' LIMIT 5;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hnsw_b_e ORDER BY a::vector(3) <-> '[1,2,3]') s;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hnsw_b_e WHERE id <= 100 ORDER BY x::vector(3) <=> '[1,2,3]') s;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hnsw_b_e ORDER BY subvector(x, 1, 2)::vector(2) <+> '[1,2]') s;
RESET enable_seqscan;
INSERT INTO hnsw_b_e VALUES (1000, '{1,2}', '[1,2,3]');
INSERT INTO hnsw_b_e VALUES (50, '{1,2,3}', '[1,2]');
SELECT i, (SELECT count(*) FROM vecdb.check_index(i)) FROM unnest('{hnsw_b_e_a,hnsw_b_e_x,hnsw_b_e_s}'::regclass[]) i;
DROP TABLE hnsw_b_e;

-- partitions: an index on the parent, also for partitions to come
CREATE TABLE hnsw_b_p (id int, e vector(3)) PARTITION BY RANGE (id);
CREATE TABLE hnsw_b_p1 PARTITION OF hnsw_b_p FOR VALUES FROM (0) TO (200);
CREATE TABLE hnsw_b_p2 PARTITION OF hnsw_b_p FOR VALUES FROM (200) TO (400);
INSERT INTO hnsw_b_p SELECT id, e FROM hnsw_b WHERE id < 400;
CREATE INDEX hnsw_b_p_i ON hnsw_b_p USING hnsw (e vector_l2_ops) WITH (m = 6);
CREATE TABLE hnsw_b_p3 PARTITION OF hnsw_b_p FOR VALUES FROM (400) TO (1000);
INSERT INTO hnsw_b_p SELECT id, e FROM hnsw_b WHERE id >= 400;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM hnsw_b_p ORDER BY e <-> '[50,50,50]' LIMIT 20;
SELECT count(*), count(DISTINCT id), array_agg(d) = (SELECT array_agg(d) FROM (SELECT e <-> '[50,50,50]' AS d FROM hnsw_b ORDER BY 1) x)
    AS like_exact FROM (SELECT id, e <-> '[50,50,50]' AS d FROM hnsw_b_p ORDER BY e <-> '[50,50,50]') s;
RESET enable_seqscan;
SELECT relid::regclass, (SELECT count(*) FROM vecdb.check_index(relid)) AS faults FROM pg_partition_tree('hnsw_b_p_i') WHERE isleaf ORDER BY 1;
UPDATE hnsw_b_p SET id = id + 400 WHERE id < 100;
SELECT relid::regclass, (SELECT count(*) FROM vecdb.check_index(relid)) AS faults FROM pg_partition_tree('hnsw_b_p_i') WHERE isleaf ORDER BY 1;
DROP TABLE hnsw_b_p;

-- --- REINDEX, CONCURRENTLY, DROP ---

REINDEX TABLE hnsw_b;
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');
REINDEX INDEX CONCURRENTLY hnsw_b_i;
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');
REINDEX TABLE CONCURRENTLY hnsw_b;
SELECT * FROM pg_temp.state_of('hnsw_b_i', 'hnsw_b', '<->', '[1,2,3]');
DROP INDEX CONCURRENTLY hnsw_b_i;
CREATE INDEX CONCURRENTLY hnsw_b_c ON hnsw_b USING hnsw (e vector_l2_ops);
SELECT * FROM pg_temp.state_of('hnsw_b_c', 'hnsw_b', '<->', '[1,2,3]');
SELECT indexrelid::regclass, indisvalid, indisready FROM pg_index WHERE indrelid = 'hnsw_b'::regclass;
DELETE FROM hnsw_b WHERE id % 2 = 0;
REINDEX INDEX CONCURRENTLY hnsw_b_c;
SELECT * FROM pg_temp.state_of('hnsw_b_c', 'hnsw_b', '<->', '[1,2,3]');
DROP INDEX hnsw_b_c;

-- a build that fails leaves neither index nor file, and the session goes on
CREATE FUNCTION hnsw_build_trap(i int, v vector) RETURNS vector LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN IF i = 401 THEN RAISE 'row %', i; END IF; RETURN v; END $$;
CREATE INDEX hnsw_b_f ON hnsw_b USING hnsw ((hnsw_build_trap(id, e)::vector(3)) vector_l2_ops);
SELECT to_regclass('hnsw_b_f');
CREATE INDEX CONCURRENTLY hnsw_b_f ON hnsw_b USING hnsw ((hnsw_build_trap(id, e)::vector(3)) vector_l2_ops);
SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 'hnsw_b'::regclass;
DROP INDEX hnsw_b_f;

-- --- thousands of equal rows ---

CREATE TABLE hnsw_b_dup (id int, e vector(3));
INSERT INTO hnsw_b_dup SELECT i, CASE WHEN i <= 3000 THEN '[1,2,3]' ELSE hnsw_build_v(i % 50, 3) END FROM generate_series(1, 4000) i;
CREATE INDEX hnsw_b_dup_i ON hnsw_b_dup USING hnsw (e vector_l2_ops);
SELECT * FROM pg_temp.state_of('hnsw_b_dup_i', 'hnsw_b_dup', '<->', '[1,2,3]');
SELECT pg_relation_size('hnsw_b_dup_i') < 200000 AS small;
SET enable_seqscan = off;
SELECT count(*), count(DISTINCT id), min(d), max(d) FROM (SELECT id, e <-> '[1,2,3]' AS d FROM hnsw_b_dup ORDER BY e <-> '[1,2,3]' LIMIT 3000) s;
RESET enable_seqscan;
INSERT INTO hnsw_b_dup SELECT i, '[1,2,3]' FROM generate_series(4001, 6000) i;
SELECT * FROM pg_temp.state_of('hnsw_b_dup_i', 'hnsw_b_dup', '<->', '[1,2,3]');
DELETE FROM hnsw_b_dup WHERE id % 3 <> 0;
VACUUM hnsw_b_dup;
SELECT * FROM pg_temp.state_of('hnsw_b_dup_i', 'hnsw_b_dup', '<->', '[1,2,3]');
DROP TABLE hnsw_b_dup;
-- and nothing else but equal rows
CREATE TABLE hnsw_b_dup AS SELECT i AS id, '[7,7]'::vector(2) AS e FROM generate_series(1, 2500) i;
CREATE INDEX hnsw_b_dup_i ON hnsw_b_dup USING hnsw ((e::vector(2)) vector_cosine_ops);
SELECT sound, good_recall FROM pg_temp.state_of('hnsw_b_dup_i', 'hnsw_b_dup', '<=>', '[1,2]');
DELETE FROM hnsw_b_dup;
VACUUM hnsw_b_dup;
SELECT sound FROM pg_temp.state_of('hnsw_b_dup_i', 'hnsw_b_dup', '<=>', '[1,2]');
DROP TABLE hnsw_b_dup;

-- --- past maintenance_work_mem: a notice, and an index as good as any ---

CREATE TABLE hnsw_b_mem (e vector(64), id int GENERATED ALWAYS AS IDENTITY);
INSERT INTO hnsw_b_mem SELECT hnsw_build_v(i, 64) FROM generate_series(1, 3500) i;
SET maintenance_work_mem = '1MB';
SET client_min_messages = warning;
CREATE INDEX hnsw_b_mem_i ON hnsw_b_mem USING hnsw (e vector_l2_ops) WITH (m = 8, ef_construction = 32);
RESET client_min_messages;
RESET maintenance_work_mem;
SELECT sound, rows, distinct_rows FROM pg_temp.state_of('hnsw_b_mem_i', 'hnsw_b_mem', '<->', hnsw_build_v(1, 64));
DROP TABLE hnsw_b_mem;

-- --- operator classes: what the catalog says, and amvalidate ---

SELECT opcname, opcdefault, amvalidate(c.oid) FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE amname = 'hnsw' AND opcintype = 'vector'::regtype ORDER BY 1;
SELECT p, pg_indexam_has_property(a.oid, p) FROM pg_am a,
    unnest('{can_order,can_unique,can_multi_col,can_exclude,can_include,bogus}'::text[]) p WHERE amname = 'hnsw';
CREATE INDEX hnsw_b_i ON hnsw_b USING hnsw (e vector_l2_ops);
SELECT p, pg_index_column_has_property('hnsw_b_i'::regclass, 1, p) FROM
    unnest('{asc,orderable,returnable,search_array,search_nulls}'::text[]) p;

DROP TABLE hnsw_b;
DROP FUNCTION hnsw_build_trap, hnsw_build_v;
