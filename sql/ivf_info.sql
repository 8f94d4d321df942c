-- vecdb.index_info: what an index is and holds. check_recall of ivf by probes.

CREATE FUNCTION ivf_i_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 1023) / 1024.0 + seed % 16)::vector FROM generate_series(1, dims) d $$;
-- vacuum may make and dissolve lists: only when it is told to here
CREATE TABLE ivf_i (id int PRIMARY KEY, e vector(24)) WITH (autovacuum_enabled = off);
INSERT INTO ivf_i SELECT i, ivf_i_v(i, 24) FROM generate_series(1, 5000) i;
CREATE INDEX ivf_i_ivf ON ivf_i USING ivf (e) WITH (lists = 20);
CREATE INDEX ivf_i_flat ON ivf_i USING ivfflat (e vector_cosine_ops) WITH (lists = 30);
CREATE INDEX ivf_i_hnsw ON ivf_i USING hnsw (e vector_ip_ops);
CREATE INDEX ivf_i_l1 ON ivf_i USING hnsw (e vector_l1_ops) WITH (precision = 8, m = 8);

-- --- what it is ---
SELECT c.relname, method, metric, dimensions, storage, rows, live_slots >= rows AS live, dead_slots, lists
FROM pg_class c, vecdb.index_info(c.oid) WHERE relname LIKE 'ivf_i_%' AND relam <> 403 ORDER BY 1;
SELECT c.relname, parameters - '{code_dims,probes,measured_probes}'::text[] AS parameters
FROM pg_class c, vecdb.index_info(c.oid) WHERE relname LIKE 'ivf_i_%' AND relam <> 403 ORDER BY 1;
-- sizes and rates belong together
SELECT c.relname, index_bytes = pg_relation_size(c.oid) AS bytes, bytes_per_vector = index_bytes::float8 / rows AS a_row,
    abs(compression_ratio * bytes_per_vector - 4 * dimensions) < 1e-9 AS ratio, build_seconds BETWEEN 0 AND 600 AS build
FROM pg_class c, vecdb.index_info(c.oid) WHERE relname LIKE 'ivf_i_%' AND relam <> 403 ORDER BY 1;
-- lists and their balance
SELECT c.relname, list_rows_min <= list_rows_avg AND list_rows_avg <= list_rows_max AS ordered, list_rows_avg * lists = rows AS add_up,
    list_rows_cv BETWEEN 0 AND 2 AS cv
FROM pg_class c, vecdb.index_info(c.oid) WHERE relname LIKE 'ivf_i_%' AND relam <> 403 ORDER BY 1;
-- settings in force
SET ivfflat.probes = 3;
SET hnsw.ef_search = 99;
SELECT c.relname, parameters->'probes' AS probes, parameters->'ef_search' AS ef_search
FROM pg_class c, vecdb.index_info(c.oid) WHERE relname LIKE 'ivf_i_%' AND relam <> 403 ORDER BY 1;
RESET ivfflat.probes;
RESET hnsw.ef_search;

-- --- rows that come and go ---
INSERT INTO ivf_i SELECT i, ivf_i_v(i, 24) FROM generate_series(5001, 5100) i;
INSERT INTO ivf_i VALUES (6001, NULL);
INSERT INTO ivf_i VALUES (6002, (SELECT array_agg(0) FROM generate_series(1, 24))::vector);
SELECT c.relname, rows FROM pg_class c, vecdb.index_info(c.oid) WHERE relname LIKE 'ivf_i_%' AND relam <> 403 ORDER BY 1;
DELETE FROM ivf_i WHERE id BETWEEN 1001 AND 2000;
VACUUM ivf_i;
SELECT c.relname, rows, reusable_slots >= 900 AS reusable FROM pg_class c, vecdb.index_info(c.oid) WHERE relname LIKE 'ivf_i_%' AND relam <> 403 ORDER BY 1;

-- --- none, and none yet ---
CREATE TABLE ivf_i_empty (e vector(3));
CREATE INDEX ivf_i_none ON ivf_i_empty USING ivf (e);
SELECT method, rows, bytes_per_vector, compression_ratio, lists, list_rows_min, list_rows_avg, list_rows_max, list_rows_cv FROM vecdb.index_info('ivf_i_none');
CREATE UNLOGGED TABLE ivf_i_unlogged (e vector(3));
CREATE INDEX ivf_i_u ON ivf_i_unlogged USING ivfflat (e);
INSERT INTO ivf_i_unlogged VALUES ('[1,2,3]'), ('[1,2,4]');
SELECT method, rows, lists, list_rows_min, list_rows_avg, list_rows_max, list_rows_cv FROM vecdb.index_info('ivf_i_u');
SELECT vecdb.index_info(NULL);

-- --- what is none of ours, and who may look ---
SELECT vecdb.index_info('ivf_i_pkey');
SELECT vecdb.index_info('ivf_i');
SELECT vecdb.index_info('no_such_index');
CREATE TABLE ivf_i_parts (id int, e vector(3)) PARTITION BY LIST (id);
CREATE INDEX ivf_i_parts_e ON ivf_i_parts USING ivf (e);
SELECT vecdb.index_info('ivf_i_parts_e');
CREATE ROLE ivf_i_user;
CREATE ROLE ivf_i_monitor IN ROLE pg_monitor;
SET ROLE ivf_i_user;
SELECT vecdb.index_info('ivf_i_ivf');
SET ROLE ivf_i_monitor;
SELECT rows FROM vecdb.index_info('ivf_i_ivf');
-- code of the owner's expressions runs in check_recall, so that is for the owner alone
SELECT * FROM vecdb.check_recall('ivf_i_ivf');
RESET ROLE;
DROP ROLE ivf_i_user;
DROP ROLE ivf_i_monitor;

-- --- check_recall by probes: all lists find all; fewer find fewer ---
SET vecdb.ivf_probes = 20;
SELECT samples, k, recall = 1 AS all_found FROM vecdb.check_recall('ivf_i_ivf', 50, 5);
SET vecdb.ivf_probes = 30;
SELECT samples, k, recall = 1 AS all_found FROM vecdb.check_recall('ivf_i_flat', 50, 5);
SET vecdb.ivf_probes = 1;
SELECT recall < 1 AS some_missed FROM vecdb.check_recall('ivf_i_ivf', 50, 100);
RESET vecdb.ivf_probes;
SELECT recall > 0.9 AS enough FROM vecdb.check_recall('ivf_i_ivf', 50, 10);
SELECT recall > 0.9 AS enough FROM vecdb.check_recall('ivf_i_flat', 50, 10);
SELECT samples, recall FROM vecdb.check_recall('ivf_i_none');

-- --- what a scan did ---
SET enable_seqscan = off;
SET enable_sort = off;
SET vecdb.ivf_probes = 4;
SELECT count(*) FROM (SELECT id FROM ivf_i ORDER BY e <-> ivf_i_v(7, 24) LIMIT 5) s;
SELECT index, probes, lists >= 4 AS lists, rows_returned >= 5 AS rows, codes > 0 AS codes, heap_rows, passes >= 1 AS passes FROM vecdb.last_ivf_scan_stats();

DROP TABLE ivf_i, ivf_i_empty, ivf_i_unlogged, ivf_i_parts;
DROP FUNCTION ivf_i_v;
