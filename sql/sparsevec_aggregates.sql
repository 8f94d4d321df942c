-- avg(sparsevec) and sum(sparsevec).

CREATE TABLE sparse_a (g int, v sparsevec);
INSERT INTO sparse_a VALUES (1, '{1:1,3:3}/1000000000'), (1, '{3:5,1000000000:7}/1000000000'), (1, NULL), (2, '{2:-10}/1000000000'), (3, NULL);
SELECT avg(v), sum(v) FROM sparse_a;
SELECT g, avg(v), sum(v), count(v) FROM sparse_a GROUP BY g ORDER BY g;
SELECT g, avg(v), sum(v) FROM sparse_a GROUP BY ROLLUP (g) ORDER BY g;
SELECT avg(v), sum(v) FROM sparse_a WHERE false;
SELECT avg(v) FILTER (WHERE g = 1), sum(v) FILTER (WHERE g = 2), sum(DISTINCT v) FROM sparse_a;

-- as window functions: each row keeps its own result
SELECT g, v, sum(v) OVER (ORDER BY g, v ROWS UNBOUNDED PRECEDING) AS s, avg(v) OVER (ORDER BY g, v ROWS UNBOUNDED PRECEDING) AS a FROM sparse_a ORDER BY g, v;
SELECT g, sum(v) OVER (ORDER BY g, v ROWS 1 PRECEDING) AS s FROM sparse_a ORDER BY g, v;

-- the rows themselves do not change
SELECT * FROM sparse_a ORDER BY g, v;

-- sums are kept in double; what comes to 0 is left out
SELECT sum(v), avg(v) FROM (VALUES ('{1:1,2:1e30}/2'::sparsevec), ('{1:-1,2:1}/2'), ('{2:-1e30}/2')) t(v);
SELECT sum(v), avg(v) FROM (VALUES ('{1:1e-45}/1'::sparsevec), ('{}/1'), ('{}/1')) t(v);
SELECT avg(v) FROM (VALUES ('{1:3e38}/1'::sparsevec), ('{1:3e38}/1')) t(v);
SELECT sum(v) FROM (VALUES ('{1:3e38}/1'::sparsevec), ('{1:3e38}/1')) t(v);
SELECT sum(v) FROM (VALUES ('{1:1}/1'::sparsevec), ('{1:1}/2')) t(v);
SELECT avg(v) FROM (VALUES ('{1:1}/1'::sparsevec), ('{1:1}/2')) t(v);

-- up to 16000 elements, and no more
CREATE TABLE sparse_n AS SELECT i AS id, ('{' || (SELECT string_agg(i * 1000 + j || ':' || j, ',') FROM generate_series(1, 1000) j) || '}/20000')::sparsevec AS v FROM generate_series(0, 16) i;
SELECT l1_distance(sum(v), '{}/20000'), l1_distance(avg(v), '{}/20000') FROM sparse_n WHERE id < 16;
\set VERBOSITY sqlstate
SELECT sum(v) FROM sparse_n;
\set VERBOSITY default
SELECT sum(v) FROM sparse_n;
SELECT avg(v) FROM sparse_n;
-- more indices on the way than the result has
SELECT l1_distance(sum(v), '{}/20000') FROM (SELECT v FROM sparse_n UNION ALL SELECT ('{' || (SELECT string_agg(j || ':' || -j, ',') FROM generate_series(1, 1000) j) || '}/20000')::sparsevec) t;
DROP TABLE sparse_n;

-- in parallel: as without, also where a worker, or all of them, see no row
CREATE TABLE sparse_p AS SELECT i AS id, ('{' || 1 + i * 37 % 500 || ':' || i % 10 + 1 || ',' || 501 + i * 11 % 700 || ':' || -1 - i % 3 || '}/1000000')::sparsevec AS v FROM generate_series(1, 10000) i;
ALTER TABLE sparse_p SET (parallel_workers = 2);
ANALYZE sparse_p;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE sparse_alone AS SELECT sum(v) AS s, avg(v) AS a FROM sparse_p;
RESET max_parallel_workers_per_gather;
SELECT l1_distance(s, '{}/1000000'), inner_product(s, '{1:1,2:1}/1000000') FROM sparse_alone;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT sum(v), avg(v) FROM sparse_p;
SELECT sum(v) = (SELECT s FROM sparse_alone) AS sum_same, avg(v) = (SELECT a FROM sparse_alone) AS avg_same FROM sparse_p;
SELECT avg(v), sum(v) FROM sparse_p WHERE id = 5000;
SELECT avg(v), sum(v) FROM sparse_p WHERE id < 0;
-- groups of rows, hashed
SELECT count(*), count(DISTINCT s) FROM (SELECT id % 100, sum(v) AS s FROM sparse_p GROUP BY 1) t;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE sparse_p, sparse_alone, sparse_a;

-- their functions take no state from SQL
SELECT sparsevec_sum(NULL);
SELECT sparsevec_serialize(NULL);
