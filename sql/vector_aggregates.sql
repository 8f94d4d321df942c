-- avg(vector) and sum(vector).

CREATE TABLE agg_t (g int, v vector);
INSERT INTO agg_t VALUES (1, '[1,2,3]'), (1, '[3,5,7]'), (1, NULL), (2, '[10,20,30]'), (3, NULL);
SELECT avg(v), sum(v) FROM agg_t;
SELECT g, avg(v), sum(v), count(v) FROM agg_t GROUP BY g ORDER BY g;
SELECT g, avg(v), sum(v) FROM agg_t GROUP BY ROLLUP (g) ORDER BY g;
SELECT avg(v), sum(v) FROM agg_t WHERE false;
SELECT avg(v) FILTER (WHERE g = 1), sum(v) FILTER (WHERE g = 2), sum(DISTINCT v) FROM agg_t;

-- as window functions: each row keeps its own result
SELECT g, v, sum(v) OVER (ORDER BY g, v ROWS UNBOUNDED PRECEDING) AS s, avg(v) OVER (ORDER BY g, v ROWS UNBOUNDED PRECEDING) AS a FROM agg_t ORDER BY g, v;
SELECT array_agg(s) FROM (SELECT sum(v) OVER (ORDER BY g, v ROWS UNBOUNDED PRECEDING) AS s FROM agg_t) t;
SELECT g, sum(v) OVER (ORDER BY g, v ROWS 1 PRECEDING) AS s FROM agg_t ORDER BY g, v;

-- the rows themselves do not change
SELECT sum(v), avg(v), min(v::real[]) FROM agg_t;
SELECT * FROM agg_t ORDER BY g, v;
CREATE FUNCTION pg_temp.sum_twice(vector) RETURNS vector LANGUAGE plpgsql AS 'DECLARE s vector; BEGIN SELECT sum(x) INTO s FROM (VALUES ($1), ($1)) t(x); RETURN s; END';
SELECT v, pg_temp.sum_twice(v), v FROM agg_t ORDER BY g, v;

-- avg keeps sums in double, sum in float32
SELECT avg(v) FROM (VALUES ('[3e38]'::vector), ('[3e38]')) t(v);
SELECT sum(v) FROM (VALUES ('[3e38]'::vector), ('[3e38]')) t(v);
SELECT avg(v), sum(v) FROM (SELECT '[0.5,-1]'::vector AS v FROM generate_series(1, 1000)) t;
SELECT avg(v) FROM (VALUES ('[1,2]'::vector), ('[3]')) t(v);
SELECT sum(v) FROM (VALUES ('[1,2]'::vector), ('[3]')) t(v);

-- stored short, in line and toasted
TRUNCATE agg_t;
INSERT INTO agg_t SELECT n, (SELECT array_agg(i + k)::vector FROM generate_series(1, n) i) FROM unnest(ARRAY[3, 30, 3000]) n, generate_series(1, 5) k;
SELECT g, sum(v) = (SELECT array_agg(5 * i + 15)::vector FROM generate_series(1, g) i) AS sum_ok, avg(v) = (SELECT array_agg(i + 3)::vector FROM generate_series(1, g) i) AS avg_ok
FROM agg_t GROUP BY g ORDER BY g;

-- in parallel: also where a worker, or all of them, see no row
CREATE TABLE agg_par AS SELECT i AS id, ARRAY[i % 10, 1, -i % 7]::vector AS v FROM generate_series(1, 10000) i;
ALTER TABLE agg_par SET (parallel_workers = 2);
ANALYZE agg_par;
SELECT avg(v), sum(v) FROM agg_par;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM agg_par;
SELECT avg(v), sum(v) FROM agg_par;
SELECT avg(v), sum(v) FROM agg_par WHERE id = 5000;
SELECT avg(v), sum(v) FROM agg_par WHERE id < 0;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- the functions behind avg, called from SQL with anything
SELECT vector_accum('{0}', '[1,2,3]'), vector_accum('{0,0,0,0}', '[1,2,3]'), vector_accum('{5,1,2,3}', '[1,2,3]');
SELECT vector_accum('{5}', '[1]');
SELECT vector_accum('{0,0}', '[1,2,3]');
SELECT vector_accum('{{0}}', '[1]');
SELECT vector_accum('{NULL}', '[1]');
SELECT vector_accum('{}', '[1]');
SELECT vector_accum('{1,1.7e308}', '[1]');
SELECT vector_accum('{1,Infinity}', '[1]');
SELECT vector_combine('{1,2}', '{3,4}'), vector_combine('{0}', '{0}'), vector_combine('{0}', '{1,5}'), vector_combine('{1,5}', '{0}'), vector_combine('{2}', '{1,5}');
SELECT vector_combine('{1,2}', '{3,4,5}');
SELECT vector_combine('{{1,2}}', '{3,4}');
SELECT vector_combine('{1,2}', '{3,NULL}');
SELECT vector_combine('{}', '{0}');
SELECT vector_combine('{1,1.7e308}', '{1,1.7e308}');
SELECT vector_combine('{0}', array_fill(1::float8, ARRAY[16002]));
SELECT vector_combine(array_fill(1::float8, ARRAY[16002]), array_fill(1::float8, ARRAY[16002]));
SELECT vector_avg('{2,2,4,6}'), vector_avg('{0}'), vector_avg('{0,1,2}');
SELECT vector_avg('{1}');
SELECT vector_avg('{}');
SELECT vector_avg('{NULL,1}');
SELECT vector_avg('{{1,2}}');
SELECT vector_avg('{1,1e300}');
SELECT vector_avg('{1,NaN}');
SELECT vector_avg(array_fill(1::float8, ARRAY[16002]));

DROP TABLE agg_t, agg_par;
DROP FUNCTION pg_temp.sum_twice(vector);
