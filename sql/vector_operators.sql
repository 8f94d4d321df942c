-- Operators of vector: distances, arithmetic, comparison.

-- distances
SELECT '[0,0]'::vector <-> '[3,4]', '[1,2,3]'::vector <-> '[1,2,3]', '[-1]'::vector <-> '[1]';
SELECT '[1,2]'::vector <#> '[3,4]', '[1,2]'::vector <#> '[-3,-4]', '[1,0]'::vector <#> '[0,1]';
SELECT '[1,0]'::vector <=> '[0,2]', '[1,1]'::vector <=> '[2,2]', '[1,1]'::vector <=> '[-3,-3]';
SELECT '[0,0]'::vector <+> '[3,4]', '[1,2,3]'::vector <+> '[1,2,3]', '[-1]'::vector <+> '[1]';

-- no direction, no cosine; NaN sorts last
SELECT '[0,0]'::vector <=> '[1,2]', '[1,2]'::vector <=> '[0,0]', '[0]'::vector <=> '[0]';
SELECT v FROM unnest('{"[0,0]","[-1,0]","[1,0]","[0,1]"}'::vector[]) v ORDER BY v <=> '[1,0]';

-- rounding never leaves [0, 2]
SELECT bool_and(d >= 0 AND d < 1e-6) FROM (SELECT ARRAY[i, i * 0.1, 3]::vector <=> ARRAY[i * 7, i * 0.7, 21]::vector AS d FROM generate_series(1, 1000) i) t;
SELECT bool_and(d <= 2 AND d > 2 - 1e-6) FROM (SELECT ARRAY[i, i * 0.1, 3]::vector <=> ARRAY[i * -7, i * -0.7, -21]::vector AS d FROM generate_series(1, 1000) i) t;

-- sums are kept in float32: a large result is infinity
SELECT '[3e38]'::vector <-> '[-3e38]', '[3e38]'::vector <#> '[3e38]', '[3e38]'::vector <+> '[-3e38]', '[3e38]'::vector <=> '[3e38]';

-- every length up to 70, integers, so that the exact result is known
SELECT n FROM (
    SELECT n, array_agg(i)::vector AS a, array_agg(2 * i + 1)::vector AS b,
           sum((i + 1) * (i + 1)) AS l2, sum(i * (2 * i + 1)) AS ip, sum(i + 1) AS l1
    FROM generate_series(1, 70) n, LATERAL generate_series(1, n) i GROUP BY n
) t
WHERE vector_l2_squared_distance(a, b) <> l2 OR a <-> b <> sqrt(l2::float8) OR a <#> b <> -ip OR a <+> b <> l1
   OR inner_product(a, b) <> ip;

-- the same through stored values: short header, in line, toasted
CREATE TABLE op_t (n int, v vector);
INSERT INTO op_t SELECT n, (SELECT array_agg((i * n) % 11 - 5)::vector FROM generate_series(1, n) i) FROM unnest(ARRAY[1, 2, 3, 5, 8, 29, 30, 31, 400, 3000, 16000]) n;
SELECT a.n, pg_column_size(a.v), a.v <-> b.v AS l2, a.v <#> b.v AS ip, a.v <+> b.v AS l1, round((a.v <=> b.v)::numeric, 6) AS cosine
FROM op_t a, LATERAL (SELECT (SELECT array_agg((i * 3) % 7 - 3)::vector FROM generate_series(1, a.n) i) AS v) b ORDER BY a.n;
SELECT n, v <-> v, v = v, v < v FROM op_t ORDER BY n;

-- arithmetic
SELECT '[1,2,3]'::vector + '[4,5,6]', '[1,2,3]'::vector - '[4,5,7]', '[1,2,3]'::vector * '[4,5,-6]';
SELECT '[1,2]'::vector || '[3]', '[1]'::vector || '[2,3]';
SELECT '[1,2,3,4,5,6,7,8,9]'::vector + '[9,8,7,6,5,4,3,2,1]', '[1,2,3,4,5]'::vector * '[0,-0,0,1,0]';
SELECT '[3e38]'::vector + '[1e38]';
SELECT '[1,1,1,1,-3e38,1]'::vector - '[1,1,1,1,3e38,1]';
SELECT '[1e38,1]'::vector * '[10,1]';
SELECT '[1e-38,1]'::vector * '[1e-38,1]';
SELECT '[1,1e-38,1e38]'::vector * '[1,1e-38,1e38]';
SELECT '[1,1e38,1e-38]'::vector * '[1,1e38,1e-38]';
SELECT '[1e-20,0]'::vector * '[1e-20,5]';
SELECT vector_dims(array_fill(1, ARRAY[8000])::vector || array_fill(1, ARRAY[8000])::vector);
SELECT array_fill(1, ARRAY[8000])::vector || array_fill(1, ARRAY[8001])::vector;

-- both sides must have the same dimensions, except in || and comparison
SELECT '[1,2]'::vector <-> '[1]';
SELECT '[1,2]'::vector <#> '[1,2,3]';
SELECT '[1]'::vector <=> '[1,2]';
SELECT '[1,2]'::vector <+> '[1]';
SELECT '[1,2]'::vector + '[1]';
SELECT '[1,2]'::vector - '[1]';
SELECT '[1,2]'::vector * '[1]';

-- comparison: by element, then by length
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, vector_cmp(a, b) AS cmp
FROM (VALUES ('[1,2,3]'::vector, '[1,2,3]'::vector), ('[1,2,3]', '[1,2,4]'), ('[1,2,4]', '[1,2,3]'), ('[1,2]', '[1,2,0]'), ('[1,2,0]', '[1,2]'),
             ('[2]', '[1,9,9]'), ('[1,9,9]', '[2]'), ('[0]', '[-0]'), ('[-1]', '[1]'), ('[1e-45]', '[0]')) t(a, b);

-- NULL in, NULL out
SELECT NULL::vector <-> '[1]' IS NULL, '[1]'::vector + NULL IS NULL, NULL::vector = NULL IS NULL;

DROP TABLE op_t;
