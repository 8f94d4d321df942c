-- vecdb.last_scan_stats(): what the last index scan of the session did.

SET max_parallel_workers_per_gather = 0;
SET enable_seqscan = off;
SET enable_sort = off;

-- none yet
SELECT vecdb.last_scan_stats() IS NULL AS none;

CREATE TABLE scan_stats (id int PRIMARY KEY, e vector(8));
INSERT INTO scan_stats
    SELECT i, (SELECT array_agg((hashint4(i * 64 + d) & 2147483647) % 1000)::vector FROM generate_series(1, 8) d)
    FROM generate_series(1, 5000) i;
CREATE INDEX scan_stats_e ON scan_stats USING hnsw (e vector_l2_ops) WITH (layout = compact);
CREATE INDEX scan_stats_c ON scan_stats USING hnsw (e vector_cosine_ops) WITH (layout = fused);
ANALYZE scan_stats;

-- a limit
SELECT count(*) FROM (SELECT id FROM scan_stats ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10) s;
SELECT index, ef_search, rows_returned BETWEEN 10 AND 20 AS rows, hops BETWEEN 40 AND 1000 AS hops,
    pages > upper_pages AND upper_pages > 0 AS pages, buffer_lookups BETWEEN 0 AND pages AS lookups,
    codes BETWEEN hops AND 5000 AS codes, estimates, refined BETWEEN 10 AND 200 AS refined,
    rechecked <= rows_returned AS rechecked, widenings, memory_bytes > 1000 AS memory, stop_reason, milliseconds
    FROM vecdb.last_scan_stats();

-- of layout fused; with the time
SET track_io_timing = on;
SET hnsw.ef_search = 20;
SELECT count(*) FROM (SELECT id FROM scan_stats ORDER BY e <=> '[1,2,3,4,5,6,7,8]' LIMIT 1) s;
SELECT index, ef_search, rows_returned >= 1 AS rows, hops > 20 AS hops, codes >= hops AS codes, estimates > codes AS estimates,
    stop_reason, milliseconds > 0 AND milliseconds < 60000 AS milliseconds FROM vecdb.last_scan_stats();
RESET track_io_timing;

-- all rows
SELECT count(*) FROM (SELECT id FROM scan_stats ORDER BY e <-> '[1,2,3,4,5,6,7,8]') s;
SELECT rows_returned, hops >= 5000 AS hops, widenings > 2 AS widened, stop_reason FROM vecdb.last_scan_stats();

-- an iterative scan that ends at its limits
SET hnsw.iterative_scan = strict_order;
SET hnsw.max_scan_tuples = 500;
SELECT count(*) < 5000 AS some FROM (SELECT id FROM scan_stats ORDER BY e <-> '[1,2,3,4,5,6,7,8]') s;
SELECT rows_returned < 5000 AS some, stop_reason FROM vecdb.last_scan_stats();
SET hnsw.max_scan_tuples = 1000000;
SET work_mem = '64kB';
SELECT count(*) < 5000 AS some FROM (SELECT id FROM scan_stats ORDER BY e <-> '[1,2,3,4,5,6,7,8]') s;
SELECT rows_returned < 5000 AS some, stop_reason FROM vecdb.last_scan_stats();
RESET work_mem;
RESET hnsw.max_scan_tuples;
RESET hnsw.iterative_scan;

-- a scan that is still running, and one that an error ends
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM scan_stats ORDER BY e <-> '[1,2,3,4,5,6,7,8]';
MOVE 25 FROM c;
SELECT rows_returned >= 25 AS rows, stop_reason FROM vecdb.last_scan_stats();
SAVEPOINT s;
SELECT 1 / (id - id) FROM scan_stats ORDER BY e <=> '[1,2,3,4,5,6,7,8]' LIMIT 3;
ROLLBACK TO s;
SELECT index, stop_reason FROM vecdb.last_scan_stats();
COMMIT;
SELECT index, stop_reason FROM vecdb.last_scan_stats();

-- the last of many
SELECT count(*) FROM generate_series(1, 5) g,
    LATERAL (SELECT id FROM scan_stats ORDER BY e <-> ARRAY[g,2,3,4,5,6,7,8]::vector LIMIT 3) n;
SELECT index, rows_returned BETWEEN 3 AND 10 AS rows FROM vecdb.last_scan_stats();

-- nothing there
CREATE TABLE scan_stats_none (e vector(2));
CREATE INDEX ON scan_stats_none USING hnsw (e vector_l2_ops);
SELECT * FROM scan_stats_none ORDER BY e <-> '[1,2]';
SELECT index, rows_returned, hops, stop_reason FROM vecdb.last_scan_stats();

DROP TABLE scan_stats, scan_stats_none;
