-- Rows that come, change and go after CREATE INDEX.

CREATE FUNCTION hnsw_insert_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 2147483647) % 100)::vector FROM generate_series(1, dims) d $$;

-- sound: check_index has nothing to tell, complete: a scan of the index to its end gives each row of the table once,
-- good_recall: at least 0.95 of the 10 nearest of 30 rows at ef_search 100
CREATE FUNCTION pg_temp.state_of(tab regclass, OUT rows bigint, OUT sound bool, OUT complete bool, OUT good_recall bool) LANGUAGE plpgsql AS $$
DECLARE index regclass := (SELECT indexrelid FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam
    WHERE indrelid = tab AND amname = 'hnsw');
    dims int := (SELECT atttypmod FROM pg_attribute WHERE attrelid = tab AND attname = 'e');
BEGIN
    EXECUTE format('SELECT count(e) FROM %s', tab) INTO rows;
    SELECT count(*) = 0 INTO sound FROM vecdb.check_index(index);
    SET LOCAL enable_seqscan = off;
    EXECUTE format('SELECT array_agg(id ORDER BY id) IS NOT DISTINCT FROM (SELECT array_agg(id ORDER BY id) FROM %1$s WHERE e IS NOT NULL)
        FROM (SELECT id FROM %1$s ORDER BY e <-> %2$L) s', tab, hnsw_insert_v(0, dims)) INTO complete;
    SET LOCAL enable_seqscan = on;
    SET LOCAL hnsw.ef_search = 100;
    SELECT recall >= 0.95 INTO good_recall FROM vecdb.check_recall(index, 30);
END $$;

-- --- into an empty index, one by one and many at once, for both precisions ---

CREATE TABLE hnsw_i16 (id int PRIMARY KEY, e vector(5), note text);
CREATE INDEX ON hnsw_i16 USING hnsw (e vector_l2_ops);
CREATE TABLE hnsw_i8 (id int PRIMARY KEY, e vector(5), note text);
CREATE INDEX ON hnsw_i8 USING hnsw (e vector_l2_ops) WITH (precision = 8, m = 4, ef_construction = 40);
INSERT INTO hnsw_i16 VALUES (1, '[1,2,3,4,5]');
SELECT * FROM pg_temp.state_of('hnsw_i16');
INSERT INTO hnsw_i16 VALUES (2, NULL), (3, '[1,2,3,4,5]'), (4, '[0,0,0,0,0]');
SELECT * FROM pg_temp.state_of('hnsw_i16');
DO $$ BEGIN FOR i IN 5 .. 400 LOOP INSERT INTO hnsw_i16 VALUES (i, hnsw_insert_v(i, 5)); END LOOP; END $$;
SELECT * FROM pg_temp.state_of('hnsw_i16');
INSERT INTO hnsw_i16 SELECT i, hnsw_insert_v(i, 5) FROM generate_series(401, 1000) i;
SELECT * FROM pg_temp.state_of('hnsw_i16');
INSERT INTO hnsw_i8 SELECT * FROM hnsw_i16;
SELECT * FROM pg_temp.state_of('hnsw_i8');
-- a wrong row is refused, and nothing of it stays
INSERT INTO hnsw_i16 VALUES (2000, '[1,2,3]');
INSERT INTO hnsw_i16 VALUES (2001, '[1,2,3,4,5]'), (1, '[1,2,3,4,5]');
SELECT * FROM pg_temp.state_of('hnsw_i16');
-- COPY
COPY hnsw_i16 (id, e) FROM stdin;
1001	[1,1,1,1,1]
1002	\N
1003	[99,99,99,99,99]
\.
SELECT * FROM pg_temp.state_of('hnsw_i16');
-- a row is found as soon as its transaction sees it
SET enable_seqscan = off;
SELECT id, e <-> '[99,99,99,99,99]' AS d FROM hnsw_i16 ORDER BY e <-> '[99,99,99,99,99]' LIMIT 1;
RESET enable_seqscan;

-- --- ON CONFLICT, UPDATE, MERGE ---

INSERT INTO hnsw_i16 VALUES (1003, '[98,99,99,99,99]') ON CONFLICT DO NOTHING;
INSERT INTO hnsw_i16 VALUES (1003, '[97,99,99,99,99]'), (1004, '[3,2,1,0,0]') ON CONFLICT (id) DO UPDATE SET e = EXCLUDED.e;
SELECT id, e FROM hnsw_i16 WHERE id >= 1003 ORDER BY id;
SELECT * FROM pg_temp.state_of('hnsw_i16');
-- of a vector: the row leaves its old place; of another column: the entry stays good (HOT)
UPDATE hnsw_i16 SET e = hnsw_insert_v(id + 5000, 5) WHERE id % 4 = 0;
SELECT * FROM pg_temp.state_of('hnsw_i16');
VACUUM hnsw_i16;
SELECT * FROM pg_temp.state_of('hnsw_i16');
UPDATE hnsw_i16 SET note = 'a' WHERE id <= 100;
UPDATE hnsw_i16 SET note = 'b' WHERE id <= 50;
SELECT * FROM pg_temp.state_of('hnsw_i16');
SET enable_seqscan = off;
SELECT id, note FROM (SELECT id, note, e <-> '[1,2,3,4,5]' AS d FROM hnsw_i16 ORDER BY e <-> '[1,2,3,4,5]' LIMIT 2) s ORDER BY id;
RESET enable_seqscan;
UPDATE hnsw_i16 SET e = NULL WHERE id % 50 = 0;
UPDATE hnsw_i16 SET e = '[5,5,5,5,5]' WHERE e IS NULL;
SELECT * FROM pg_temp.state_of('hnsw_i16');

-- --- transactions ---

BEGIN;
INSERT INTO hnsw_i16 SELECT i, hnsw_insert_v(i, 5) FROM generate_series(3001, 3200) i;
SELECT * FROM pg_temp.state_of('hnsw_i16');
ROLLBACK;
SELECT * FROM pg_temp.state_of('hnsw_i16');
BEGIN;
SAVEPOINT a;
INSERT INTO hnsw_i16 SELECT i, hnsw_insert_v(i, 5) FROM generate_series(3001, 3100) i;
SAVEPOINT b;
DELETE FROM hnsw_i16 WHERE id < 100;
INSERT INTO hnsw_i16 SELECT i, hnsw_insert_v(i, 5) FROM generate_series(3101, 3200) i;
ROLLBACK TO b;
SELECT * FROM pg_temp.state_of('hnsw_i16');
RELEASE a;
COMMIT;
SELECT * FROM pg_temp.state_of('hnsw_i16');
-- an empty index that a rolled back row was the first of
CREATE TABLE hnsw_i_first (id int, e vector(2));
CREATE INDEX ON hnsw_i_first USING hnsw (e vector_l2_ops);
BEGIN;
INSERT INTO hnsw_i_first VALUES (1, '[1,1]'), (2, '[2,2]');
ROLLBACK;
SELECT * FROM pg_temp.state_of('hnsw_i_first');
INSERT INTO hnsw_i_first VALUES (3, '[3,3]');
SELECT * FROM pg_temp.state_of('hnsw_i_first');
VACUUM hnsw_i_first;
INSERT INTO hnsw_i_first VALUES (4, '[4,4]');
SELECT * FROM pg_temp.state_of('hnsw_i_first');
DELETE FROM hnsw_i_first;
VACUUM hnsw_i_first;
SELECT * FROM pg_temp.state_of('hnsw_i_first');
INSERT INTO hnsw_i_first SELECT i, hnsw_insert_v(i, 2) FROM generate_series(1, 50) i;
SELECT * FROM pg_temp.state_of('hnsw_i_first');
TRUNCATE hnsw_i_first;
INSERT INTO hnsw_i_first VALUES (5, '[5,5]');
SELECT * FROM pg_temp.state_of('hnsw_i_first');
DROP TABLE hnsw_i_first;

-- --- delete, vacuum, insert again ---

-- deleted rows do not come back, neither before nor after vacuum, not even as way points
DELETE FROM hnsw_i16 WHERE id % 2 = 0;
SELECT * FROM pg_temp.state_of('hnsw_i16');
VACUUM hnsw_i16;
SELECT * FROM pg_temp.state_of('hnsw_i16');
SELECT pg_relation_size(indexrelid) AS size_before FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE indrelid = 'hnsw_i16'::regclass AND NOT indisprimary \gset
INSERT INTO hnsw_i16 SELECT i, hnsw_insert_v(i, 5) FROM generate_series(10000, 10300) i;
SELECT * FROM pg_temp.state_of('hnsw_i16');
-- their slots are used again: two pages at most for nodes of other levels
SELECT pg_relation_size(indexrelid) <= :size_before + 16384 AS reused FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE indrelid = 'hnsw_i16'::regclass AND NOT indisprimary;
DELETE FROM hnsw_i8 WHERE id % 10 <> 3;
VACUUM hnsw_i8;
SELECT * FROM pg_temp.state_of('hnsw_i8');
INSERT INTO hnsw_i8 SELECT i, hnsw_insert_v(i, 5) FROM generate_series(10000, 10800) i;
SELECT * FROM pg_temp.state_of('hnsw_i8');
-- all rows, and the table is used again
DELETE FROM hnsw_i8;
SELECT * FROM pg_temp.state_of('hnsw_i8');
VACUUM hnsw_i8;
SELECT * FROM pg_temp.state_of('hnsw_i8');
INSERT INTO hnsw_i8 SELECT i, hnsw_insert_v(i, 5) FROM generate_series(1, 600) i;
SELECT * FROM pg_temp.state_of('hnsw_i8');
VACUUM (INDEX_CLEANUP off) hnsw_i8;
VACUUM (FREEZE) hnsw_i8;
SELECT * FROM pg_temp.state_of('hnsw_i8');

-- --- rows inserted one by one under each metric can all be reached ---

CREATE TABLE hnsw_i_all (id int, e vector(16));
CREATE INDEX hnsw_i_l2 ON hnsw_i_all USING hnsw (e vector_l2_ops) WITH (m = 3, ef_construction = 10);
CREATE INDEX hnsw_i_ip ON hnsw_i_all USING hnsw (e vector_ip_ops);
CREATE INDEX hnsw_i_cos ON hnsw_i_all USING hnsw (e vector_cosine_ops) WITH (m = 2, ef_construction = 4);
CREATE INDEX hnsw_i_l1 ON hnsw_i_all USING hnsw (e vector_l1_ops) WITH (m = 2, ef_construction = 4);
INSERT INTO hnsw_i_all SELECT i, hnsw_insert_v(i, 16) FROM generate_series(1, 1500) i;
SELECT i, count(c) AS faults FROM unnest('{hnsw_i_l2,hnsw_i_ip,hnsw_i_cos,hnsw_i_l1}'::regclass[]) i LEFT JOIN vecdb.check_index(i) c ON true GROUP BY i ORDER BY i;
DELETE FROM hnsw_i_all WHERE id % 3 = 1;
VACUUM hnsw_i_all;
INSERT INTO hnsw_i_all SELECT i, hnsw_insert_v(i, 16) FROM generate_series(2001, 2500) i;
SELECT i, count(c) AS faults FROM unnest('{hnsw_i_l2,hnsw_i_ip,hnsw_i_cos,hnsw_i_l1}'::regclass[]) i LEFT JOIN vecdb.check_index(i) c ON true GROUP BY i ORDER BY i;

DROP TABLE hnsw_i16, hnsw_i8, hnsw_i_all;
DROP FUNCTION hnsw_insert_v;
