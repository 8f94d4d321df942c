-- vecdb.time_budget_ms: an index scan whose time is up says so once, and ends with the rows that it has; answers that are ready in time do not change.
CREATE TABLE budget (id int PRIMARY KEY, e vector(16));
INSERT INTO budget SELECT i, (SELECT array_agg((hashint4(i * 64 + d) & 2147483647) % 1000)::vector FROM generate_series(1, 16) d) FROM generate_series(1, 8000) i;
CREATE INDEX budget_hnsw ON budget USING hnsw (e vector_l2_ops);
ANALYZE budget;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET enable_seqscan = off;
SET enable_sort = off;

SHOW vecdb.time_budget_ms;
SET vecdb.time_budget_ms = -1;
SET vecdb.time_budget_ms = 1;
SELECT count(*) BETWEEN 1 AND 7999 AS cut_short FROM (SELECT id FROM budget ORDER BY e <-> array_fill(500, '{16}')::vector LIMIT 8000) s;
SELECT count(*) BETWEEN 1 AND 7999 AS cut_short FROM vecdb.search('budget', 'e', NULL::int, array_fill(500, '{16}')::vector, k => 8000);
-- enough time: all rows
SET vecdb.time_budget_ms = '1h';
SELECT count(*) FROM (SELECT id FROM budget ORDER BY e <-> array_fill(500, '{16}')::vector LIMIT 8000) s;
RESET vecdb.time_budget_ms;
SELECT count(*) FROM vecdb.search('budget', 'e', NULL::int, array_fill(500, '{16}')::vector, k => 8000);

-- ivf
DROP INDEX budget_hnsw;
CREATE INDEX budget_ivf ON budget USING ivf (e vector_l2_ops);
SET vecdb.time_budget_ms = 1;
SELECT count(*) BETWEEN 0 AND 7999 AS cut_short FROM (SELECT id FROM budget ORDER BY e <-> array_fill(500, '{16}')::vector LIMIT 8000) s;
RESET vecdb.time_budget_ms;
SELECT count(*) FROM (SELECT id FROM budget ORDER BY e <-> array_fill(500, '{16}')::vector LIMIT 8000) s;
RESET enable_seqscan;
RESET enable_sort;
RESET max_parallel_workers_per_gather;
DROP TABLE budget;
