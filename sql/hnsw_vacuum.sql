-- VACUUM of hnsw indexes: dead rows go, slots are used again, the graph stays whole. vecdb.check_index returns no row for
-- a sound index; it compares with the table's rows too.
SET enable_seqscan = off;
SET hnsw.ef_search = 200;
CREATE FUNCTION vacuum_vector(i int) RETURNS vector LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg((hashint4(i * 31 + j) % 1000) / 1000.0 ORDER BY j)::vector FROM generate_series(1, 8) j $$;
CREATE TABLE vacuum_t (id int PRIMARY KEY, v vector(8), n int DEFAULT 0);
INSERT INTO vacuum_t SELECT i, vacuum_vector(i) FROM generate_series(1, 1000) i;
CREATE INDEX vacuum_i ON vacuum_t USING hnsw (v vector_l2_ops);
SELECT * FROM vecdb.check_index('vacuum_i');

-- a deleted row does not come back, neither as a result nor when its slot is used again
DELETE FROM vacuum_t WHERE id % 2 = 0;
VACUUM vacuum_t;
SELECT * FROM vecdb.check_index('vacuum_i');
SELECT count(*), count(*) FILTER (WHERE id % 2 = 0) AS even FROM (SELECT id FROM vacuum_t ORDER BY v <-> vacuum_vector(2)) x;
INSERT INTO vacuum_t SELECT i, vacuum_vector(i) FROM generate_series(2, 1000, 2) i;
SELECT * FROM vecdb.check_index('vacuum_i');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM vacuum_t ORDER BY v <-> vacuum_vector(2)) x;

-- every row finds itself
SELECT count(*) FROM vacuum_t t WHERE id <> (SELECT id FROM vacuum_t ORDER BY v <-> t.v LIMIT 1);

-- rounds of deletes and inserts do not make the index grow
CREATE TABLE vacuum_size AS SELECT pg_relation_size('vacuum_i') AS bytes;
DELETE FROM vacuum_t WHERE id % 3 = 0;
VACUUM vacuum_t;
INSERT INTO vacuum_t SELECT i, vacuum_vector(i) FROM generate_series(3, 1000, 3) i;
DELETE FROM vacuum_t WHERE id % 3 = 1;
VACUUM vacuum_t;
INSERT INTO vacuum_t SELECT i, vacuum_vector(i) FROM generate_series(1, 1000, 3) i;
SELECT * FROM vecdb.check_index('vacuum_i');
SELECT pg_relation_size('vacuum_i') <= bytes * 1.1 AS same_size FROM vacuum_size;

-- everything goes, the entry point too; then rows come back
DELETE FROM vacuum_t;
VACUUM vacuum_t;
SELECT * FROM vecdb.check_index('vacuum_i');
SELECT count(*) FROM (SELECT id FROM vacuum_t ORDER BY v <-> vacuum_vector(2)) x;
INSERT INTO vacuum_t SELECT i, vacuum_vector(i) FROM generate_series(1, 500) i;
SELECT * FROM vecdb.check_index('vacuum_i');
SELECT count(*) FROM (SELECT id FROM vacuum_t ORDER BY v <-> vacuum_vector(2)) x;

-- rows that end up in no visible state: aborted inserts
BEGIN;
INSERT INTO vacuum_t SELECT i, vacuum_vector(i) FROM generate_series(501, 700) i;
ROLLBACK;
SELECT * FROM vecdb.check_index('vacuum_i');
VACUUM vacuum_t;
SELECT * FROM vecdb.check_index('vacuum_i');
SELECT count(*) FROM (SELECT id FROM vacuum_t ORDER BY v <-> vacuum_vector(600)) x;
DROP TABLE vacuum_t, vacuum_size;

-- equal vectors share a node: chains of rows lose members at both ends and in the middle
CREATE TABLE vacuum_d (id int, v vector(8));
CREATE INDEX vacuum_d_i ON vacuum_d USING hnsw (v vector_l2_ops);
INSERT INTO vacuum_d SELECT i, vacuum_vector(i % 3) FROM generate_series(1, 900) i;
SELECT * FROM vecdb.check_index('vacuum_d_i');
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM vacuum_d ORDER BY v <-> vacuum_vector(1)) x;
-- the first row of each vector, and all of one vector but a single row in its middle
DELETE FROM vacuum_d WHERE id <= 3 OR (id % 3 = 1 AND id <> 451);
VACUUM vacuum_d;
SELECT * FROM vecdb.check_index('vacuum_d_i');
SELECT id % 3 AS vector, count(*), count(DISTINCT id)
	FROM (SELECT id FROM vacuum_d ORDER BY v <-> vacuum_vector(1)) x GROUP BY 1 ORDER BY 1;
SELECT id FROM vacuum_d ORDER BY v <-> vacuum_vector(1) LIMIT 1;
INSERT INTO vacuum_d SELECT i, vacuum_vector(i % 3) FROM generate_series(901, 1200) i;
SELECT * FROM vecdb.check_index('vacuum_d_i');
-- a whole vector goes, and comes again
DELETE FROM vacuum_d WHERE id % 3 = 2;
VACUUM vacuum_d;
SELECT * FROM vecdb.check_index('vacuum_d_i');
INSERT INTO vacuum_d SELECT i, vacuum_vector(2) FROM generate_series(1201, 1210) i;
SELECT * FROM vecdb.check_index('vacuum_d_i');
SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM vacuum_d ORDER BY v <-> vacuum_vector(2) LIMIT 10) x;
DROP TABLE vacuum_d;

-- updates of other columns: the new version is found, the old one gone, whatever the metric and the kind of index
CREATE TABLE vacuum_u (id int PRIMARY KEY, v vector(8), n int DEFAULT 0);
CREATE INDEX ON vacuum_u (n);
INSERT INTO vacuum_u SELECT i, vacuum_vector(i) FROM generate_series(1, 300) i;
CREATE INDEX vacuum_ip ON vacuum_u USING hnsw (v vector_ip_ops) WITH (m = 4, ef_construction = 16);
CREATE INDEX vacuum_cosine ON vacuum_u USING hnsw (v vector_cosine_ops) WITH (precision = '8');
CREATE INDEX vacuum_l1 ON vacuum_u USING hnsw (v vector_l1_ops);
CREATE INDEX vacuum_partial ON vacuum_u USING hnsw (v vector_l2_ops) WHERE id % 2 = 0;
CREATE INDEX vacuum_expression ON vacuum_u USING hnsw ((subvector(v, 1, 4)::vector(4)) vector_l2_ops);
UPDATE vacuum_u SET n = n + 1;
UPDATE vacuum_u SET n = n + 1 WHERE id <= 200;
DELETE FROM vacuum_u WHERE id <= 100;
VACUUM vacuum_u;
UPDATE vacuum_u SET n = n + 1, v = vacuum_vector(-id) WHERE id <= 150;
UPDATE vacuum_u SET v = NULL WHERE id > 290;
SELECT i, c.* FROM (VALUES ('vacuum_ip'), ('vacuum_cosine'), ('vacuum_l1'), ('vacuum_partial'), ('vacuum_expression')) x(i),
	vecdb.check_index(i::regclass) c;
VACUUM vacuum_u;
SELECT i, c.* FROM (VALUES ('vacuum_ip'), ('vacuum_cosine'), ('vacuum_l1'), ('vacuum_partial'), ('vacuum_expression')) x(i),
	vecdb.check_index(i::regclass) c;
-- the planner's row count of an index is that of its rows
SELECT relname, reltuples FROM pg_class WHERE relname IN ('vacuum_ip', 'vacuum_partial') ORDER BY 1;
-- nothing to remove, no index cleanup, an empty index
VACUUM (INDEX_CLEANUP off) vacuum_u;
VACUUM (FREEZE) vacuum_u;
TRUNCATE vacuum_u;
VACUUM vacuum_u;
SELECT i, c.* FROM (VALUES ('vacuum_ip'), ('vacuum_cosine')) x(i), vecdb.check_index(i::regclass) c;
DROP TABLE vacuum_u;
DROP FUNCTION vacuum_vector(int);
