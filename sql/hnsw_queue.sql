-- Rows of one statement are linked together: who may see them does, and what is taken back leaves nothing.

CREATE FUNCTION hnsw_queue_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 2147483647) % 1000)::vector FROM generate_series(1, dims) d $$;

-- rows, check_index has nothing to tell, a scan to the end gives each row once
CREATE FUNCTION hnsw_queue_state(tab regclass, OUT rows bigint, OUT sound bool, OUT complete bool) LANGUAGE plpgsql AS $$
DECLARE ix regclass := (SELECT indexrelid FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam
    WHERE indrelid = tab AND amname = 'hnsw');
BEGIN
    EXECUTE format('SELECT count(e) FROM %s', tab) INTO rows;
    SET LOCAL enable_seqscan = off;
    EXECUTE format('SELECT array_agg(id ORDER BY id) IS NOT DISTINCT FROM (SELECT array_agg(id ORDER BY id) FROM %1$s WHERE e IS NOT NULL)
        FROM (SELECT id FROM %1$s ORDER BY e <-> %2$L) s', tab, hnsw_queue_v(0, 8)) INTO complete;
    SET LOCAL enable_seqscan = on;
    SELECT count(*) = 0 INTO sound FROM vecdb.check_index(ix);
END $$;

CREATE TABLE hnsw_q (id int, e vector(8));
CREATE INDEX hnsw_q_i ON hnsw_q USING hnsw (e vector_l2_ops) WITH (layout = fused);
SHOW vecdb.queue_inserts;

-- --- seen by the same session, by other transactions after the commit ---

INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1, 1500) i;
SELECT * FROM hnsw_queue_state('hnsw_q');
BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1501, 2000) i;
SET LOCAL enable_seqscan = off;
SELECT count(*) FROM (SELECT id FROM hnsw_q ORDER BY e <-> hnsw_queue_v(1700, 8)) s;
SELECT id FROM hnsw_q ORDER BY e <-> hnsw_queue_v(1700, 8) LIMIT 1;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(2001, 2100) i;
SELECT count(*) FROM vecdb.check_index('hnsw_q_i');
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q');

-- --- taken back ---

BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(3001, 3200) i;
ROLLBACK;
SELECT * FROM hnsw_queue_state('hnsw_q');
BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(3001, 3050) i;
SAVEPOINT a;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(4001, 4050) i;
SAVEPOINT b;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(4101, 4150) i;
RELEASE b;
ROLLBACK TO a;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(3051, 3100) i;
SAVEPOINT c;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(3101, 3150) i;
RELEASE c;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q');
-- a wrong row takes the statement back
INSERT INTO hnsw_q SELECT i, CASE WHEN i < 150 THEN hnsw_queue_v(i, 8) ELSE '[1]' END FROM generate_series(1, 200) i;
DO $$ BEGIN
    FOR n IN 1 .. 4 LOOP
        BEGIN
            INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(5000 + 50 * n, 5039 + 50 * n) i;
            IF n % 2 = 0 THEN
                RAISE EXCEPTION 'back';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
    END LOOP;
END $$;
SELECT * FROM hnsw_queue_state('hnsw_q');
-- in an error that is caught, rows of before stay
BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(6001, 6100) i;
SAVEPOINT a;
SELECT 1 / 0;
ROLLBACK TO a;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q');

-- --- the index or its table goes or is made anew in the same transaction ---

BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(7001, 7100) i;
SAVEPOINT a;
REINDEX INDEX hnsw_q_i;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(7101, 7200) i;
ROLLBACK TO a;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q');
BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(7101, 7200) i;
REINDEX INDEX hnsw_q_i;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(7201, 7300) i;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q');
BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(7301, 7400) i;
SAVEPOINT a;
TRUNCATE hnsw_q;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1, 100) i;
SELECT * FROM hnsw_queue_state('hnsw_q');
ROLLBACK TO a;
SELECT * FROM hnsw_queue_state('hnsw_q');
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q');
BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(7401, 7500) i;
SAVEPOINT a;
DROP INDEX hnsw_q_i;
ROLLBACK TO a;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q');
BEGIN;
CREATE TABLE hnsw_q2 (id int, e vector(8));
CREATE INDEX hnsw_q2_i ON hnsw_q2 USING hnsw (e vector_l2_ops) WITH (layout = fused);
INSERT INTO hnsw_q2 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1, 300) i;
TRUNCATE hnsw_q2;
INSERT INTO hnsw_q2 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1, 200) i;
SELECT * FROM hnsw_queue_state('hnsw_q2');
INSERT INTO hnsw_q2 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(201, 300) i;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q2');
BEGIN;
INSERT INTO hnsw_q2 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(301, 400) i;
TRUNCATE hnsw_q2;
INSERT INTO hnsw_q2 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1, 100) i;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q2');
BEGIN;
INSERT INTO hnsw_q2 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(101, 200) i;
DROP INDEX hnsw_q2_i;
COMMIT;
BEGIN;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(7501, 7600) i;
ALTER TABLE hnsw_q ALTER COLUMN id TYPE bigint;
INSERT INTO hnsw_q SELECT i, hnsw_queue_v(i, 8) FROM generate_series(7601, 7700) i;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q');
BEGIN;
INSERT INTO hnsw_q2 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(201, 300) i;
DROP TABLE hnsw_q2;
COMMIT;

-- --- who looks while the statement runs ---

CREATE TABLE hnsw_q3 (id int PRIMARY KEY, e vector(8), found int);
CREATE INDEX ON hnsw_q3 USING hnsw (e vector_l2_ops) WITH (layout = fused);
CREATE FUNCTION hnsw_queue_look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.found := (SELECT count(*) FROM (SELECT id FROM hnsw_q3 ORDER BY e <-> NEW.e) s);
    RETURN NEW;
END $$;
CREATE TRIGGER hnsw_q3_look BEFORE INSERT ON hnsw_q3 FOR EACH ROW EXECUTE FUNCTION hnsw_queue_look();
SET enable_seqscan = off;
INSERT INTO hnsw_q3 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1, 60) i;
SELECT count(*), sum(found), max(found) FROM hnsw_q3;
DROP TRIGGER hnsw_q3_look ON hnsw_q3;
-- a cursor sees what was there when it was opened
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM hnsw_q3 ORDER BY e <-> hnsw_queue_v(0, 8);
FETCH 1 FROM c;
INSERT INTO hnsw_q3 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(61, 200) i;
MOVE FORWARD ALL FROM c;
SELECT count(*) FROM (SELECT id FROM hnsw_q3 ORDER BY e <-> hnsw_queue_v(0, 8)) s;
COMMIT;
-- a cursor on an index that was empty
CREATE TABLE hnsw_q4 (id int PRIMARY KEY, e vector(8));
CREATE INDEX ON hnsw_q4 USING hnsw (e vector_l2_ops) WITH (layout = fused);
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM hnsw_q4 ORDER BY e <-> hnsw_queue_v(0, 8);
FETCH 1 FROM c;
INSERT INTO hnsw_q4 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1, 50) i;
FETCH 1 FROM c;
COMMIT;
SELECT * FROM hnsw_queue_state('hnsw_q4');
RESET enable_seqscan;
-- conflicts, updates, equal rows
INSERT INTO hnsw_q3 SELECT i, hnsw_queue_v(i + 1, 8) FROM generate_series(101, 300) i ON CONFLICT (id) DO NOTHING;
INSERT INTO hnsw_q3 SELECT i, hnsw_queue_v(i + 1, 8) FROM generate_series(201, 400) i ON CONFLICT (id) DO UPDATE SET e = excluded.e;
UPDATE hnsw_q3 SET e = hnsw_queue_v(id + 2, 8) WHERE id % 2 = 0;
SELECT * FROM hnsw_queue_state('hnsw_q3');
INSERT INTO hnsw_q3 SELECT i, hnsw_queue_v(i % 7, 8) FROM generate_series(1001, 1400) i;
INSERT INTO hnsw_q3 SELECT i, NULL FROM generate_series(1501, 1520) i;
SELECT * FROM hnsw_queue_state('hnsw_q3');
BEGIN;
INSERT INTO hnsw_q3 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(2001, 2100) i;
DELETE FROM hnsw_q3 WHERE id BETWEEN 2001 AND 2050;
COMMIT;
VACUUM hnsw_q3;
SELECT * FROM hnsw_queue_state('hnsw_q3');

-- --- a common offset, as of places on a map, in an index made on an empty table ---

CREATE TABLE hnsw_q5 (id int PRIMARY KEY, e vector(3));
CREATE INDEX ON hnsw_q5 USING hnsw (e vector_l2_ops) WITH (layout = fused);
CREATE TABLE hnsw_q6 (id int PRIMARY KEY, e vector(3));
CREATE INDEX ON hnsw_q6 USING hnsw (e vector_l2_ops) WITH (layout = compact);
INSERT INTO hnsw_q5 SELECT i, array[1000 + (hashint4(i) & 1023) / 1024.0, -500 + (hashint4(-i) & 1023) / 1024.0, 70]::vector
    FROM generate_series(1, 1200) i;
DO $$ BEGIN FOR i IN 1 .. 600 LOOP
    INSERT INTO hnsw_q6 SELECT * FROM hnsw_q5 WHERE id = i;
END LOOP; END $$;
SET hnsw.ef_search = 40;
SELECT recall >= 0.99 AS good FROM vecdb.check_recall('hnsw_q5_e_idx', 30);
SELECT recall >= 0.99 AS good FROM vecdb.check_recall('hnsw_q6_e_idx', 30);
SELECT count(*) FROM vecdb.check_index('hnsw_q5_e_idx');
SELECT count(*) FROM vecdb.check_index('hnsw_q6_e_idx');

-- --- more than the memory for it, over several partitions ---

CREATE TABLE hnsw_q7 (id int, e vector(200)) PARTITION BY HASH (id);
CREATE TABLE hnsw_q7_0 PARTITION OF hnsw_q7 FOR VALUES WITH (modulus 3, remainder 0);
CREATE TABLE hnsw_q7_1 PARTITION OF hnsw_q7 FOR VALUES WITH (modulus 3, remainder 1);
CREATE TABLE hnsw_q7_2 PARTITION OF hnsw_q7 FOR VALUES WITH (modulus 3, remainder 2);
CREATE INDEX ON hnsw_q7 USING hnsw (e vector_l2_ops) WITH (layout = fused, ef_construction = 32);
SET maintenance_work_mem = '1MB';
INSERT INTO hnsw_q7 SELECT i, hnsw_queue_v(i, 200) FROM generate_series(1, 1800) i;
SET enable_seqscan = off;
SELECT count(*) FROM (SELECT id FROM hnsw_q7 ORDER BY e <-> hnsw_queue_v(0, 200)) s;
RESET enable_seqscan;
SELECT sum((SELECT count(*) FROM vecdb.check_index(indexrelid))) FROM pg_index WHERE indrelid IN ('hnsw_q7_0'::regclass, 'hnsw_q7_1'::regclass, 'hnsw_q7_2'::regclass);
RESET maintenance_work_mem;

-- --- the file of an index is copied; a wild first row ---

SET allow_in_place_tablespaces = on;
CREATE TABLESPACE hnsw_queue_space LOCATION '';
CREATE TABLE hnsw_q8 (id int, e vector(8));
CREATE INDEX hnsw_q8_e ON hnsw_q8 USING hnsw (e vector_l2_ops);
BEGIN;
INSERT INTO hnsw_q8 SELECT i, CASE i WHEN 1 THEN array_fill(1e6, ARRAY[8])::vector ELSE hnsw_queue_v(i, 8) END
    FROM generate_series(1, 1500) i;
ALTER INDEX hnsw_q8_e SET TABLESPACE hnsw_queue_space;
INSERT INTO hnsw_q8 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(1501, 1600) i;
SAVEPOINT s;
ALTER INDEX hnsw_q8_e SET TABLESPACE pg_default;
SELECT recall >= 0.95 AS good FROM vecdb.check_recall('hnsw_q8_e', 30);
ROLLBACK TO s;
COMMIT;
SELECT check_name, count(*) FROM vecdb.check_index('hnsw_q8_e') WHERE check_name <> 'lane_code' GROUP BY 1;
SELECT recall >= 0.95 AS good FROM vecdb.check_recall('hnsw_q8_e', 30);
DROP TABLE hnsw_q8;
DROP TABLESPACE hnsw_queue_space;

SET vecdb.queue_inserts = off;
INSERT INTO hnsw_q4 SELECT i, hnsw_queue_v(i, 8) FROM generate_series(51, 100) i;
SELECT * FROM hnsw_queue_state('hnsw_q4');
DROP TABLE hnsw_q, hnsw_q3, hnsw_q4, hnsw_q5, hnsw_q6, hnsw_q7;
DROP FUNCTION hnsw_queue_look, hnsw_queue_state, hnsw_queue_v;
