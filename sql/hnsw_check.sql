-- vecdb.check_index, check_recall and build_info: what they return, whom they refuse.
\set VERBOSITY sqlstate
CREATE TABLE check_t (id int PRIMARY KEY, v vector(4), keep boolean);
INSERT INTO check_t SELECT i, ARRAY[i, i * i % 97, i % 7, 1]::vector, i % 4 <> 0 FROM generate_series(1, 500) i;
INSERT INTO check_t VALUES (1001, NULL, true), (1002, '[0,0,0,0]', true);
CREATE INDEX check_l2 ON check_t USING hnsw (v vector_l2_ops);
CREATE INDEX check_cosine ON check_t USING hnsw (v vector_cosine_ops) WHERE keep;

-- a sound index: no row
SELECT * FROM vecdb.check_index('check_l2');
SELECT * FROM vecdb.check_index('check_cosine');
SELECT * FROM vecdb.check_index('check_l2', false);
SELECT * FROM vecdb.check_index(NULL);

-- also in the transaction that changes it
BEGIN;
INSERT INTO check_t VALUES (2001, '[1,2,3,4]', true);
DELETE FROM check_t WHERE id = 5;
SELECT * FROM vecdb.check_index('check_l2');
-- writes wait for it, reads do not
SELECT mode FROM pg_locks WHERE relation = 'check_t'::regclass AND pid = pg_backend_pid() AND mode = 'ShareLock';
ROLLBACK;

-- with all rows in reach of ef_search the answers are exact
SET hnsw.ef_search = 1000;
SELECT samples, k, recall, mean_index_ms >= 0 AS index_ms, mean_exact_ms >= 0 AS exact_ms FROM vecdb.check_recall('check_l2');
SELECT samples, k, recall FROM vecdb.check_recall('check_cosine', 20, 3);
SELECT samples, k, recall FROM vecdb.check_recall('check_l2', samples => 10000, k => 1000);
RESET hnsw.ef_search;
CREATE TABLE check_empty (v vector(4));
CREATE INDEX check_empty_i ON check_empty USING hnsw (v vector_l2_ops);
SELECT * FROM vecdb.check_index('check_empty_i');
SELECT * FROM vecdb.check_recall('check_empty_i');

-- equal rows are no misses
INSERT INTO check_empty SELECT '[1,2,3,4]' FROM generate_series(1, 100);
SELECT samples, k, recall FROM vecdb.check_recall('check_empty_i');
SELECT * FROM vecdb.check_index('check_empty_i');

SELECT * FROM vecdb.check_recall('check_l2', 0);
SELECT * FROM vecdb.check_recall('check_l2', 10001);
SELECT * FROM vecdb.check_recall('check_l2', 1, 0);
SELECT * FROM vecdb.check_recall('check_l2', 1, 1001);

-- only hnsw indexes
SELECT * FROM vecdb.check_index('check_t');
SELECT * FROM vecdb.check_index('check_t_pkey');
SELECT * FROM vecdb.check_recall('check_t_pkey');
SELECT * FROM vecdb.check_index(0);
CREATE TABLE check_p (id int, v vector(4)) PARTITION BY RANGE (id);
CREATE TABLE check_p1 PARTITION OF check_p FOR VALUES FROM (0) TO (100);
CREATE INDEX check_p_i ON check_p USING hnsw (v vector_l2_ops);
\set VERBOSITY default
SELECT * FROM vecdb.check_index('check_p_i');
SELECT * FROM vecdb.check_index('check_p1_v_idx');
SELECT * FROM vecdb.check_index('check_t_pkey');
\set VERBOSITY sqlstate

-- only the owner
CREATE ROLE regress_vecdb_check;
GRANT SELECT ON check_t TO regress_vecdb_check;
SET ROLE regress_vecdb_check;
SELECT * FROM vecdb.check_index('check_l2');
SELECT * FROM vecdb.check_recall('check_l2');
SELECT count(*) > 0 AS information FROM vecdb.build_info();
RESET ROLE;

-- code of an index runs as the table's owner, not as the caller
CREATE FUNCTION check_whoami(vector) RETURNS vector LANGUAGE plpgsql IMMUTABLE AS
$$ BEGIN IF current_user <> 'regress_vecdb_check' AND current_setting('vecdb_check.armed', true) = 'yes' THEN
	RAISE EXCEPTION 'runs as %', current_user; END IF; RETURN $1; END $$;
CREATE INDEX check_expression ON check_empty USING hnsw ((check_whoami(v)::vector(4)) vector_l2_ops);
GRANT CREATE ON SCHEMA public TO regress_vecdb_check;
ALTER TABLE check_empty OWNER TO regress_vecdb_check;
SET vecdb_check.armed = 'yes';
SELECT * FROM vecdb.check_index('check_expression');
SELECT samples FROM vecdb.check_recall('check_expression');
RESET vecdb_check.armed;

SELECT name FROM vecdb.build_info();
SELECT value = extversion AS same_version FROM vecdb.build_info(), pg_extension WHERE name = 'version' AND extname = 'vecdb';
DROP TABLE check_t, check_empty, check_p;
DROP FUNCTION check_whoami(vector);
REVOKE CREATE ON SCHEMA public FROM regress_vecdb_check;
DROP ROLE regress_vecdb_check;
