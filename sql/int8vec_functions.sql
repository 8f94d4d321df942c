-- int8vec: distances, functions, operators, casts, aggregates.

-- distances
SELECT '[0,0]'::int8vec <-> '[3,4]' AS l2, '[1,2]'::int8vec <#> '[3,4]' AS ip, '[1,1]'::int8vec <=> '[-3,-3]' AS cosine, '[0,0]'::int8vec <+> '[3,4]' AS l1;
SELECT l2_distance('[0,0]'::int8vec, '[3,4]'), inner_product('[1,2]'::int8vec, '[3,4]'), cosine_distance('[1,0]'::int8vec, '[0,2]'), l1_distance('[1,2]'::int8vec, '[3,5]'),
       int8vec_l2_squared_distance('[0,0]', '[3,4]'), int8vec_negative_inner_product('[1,2]', '[3,4]'), int8vec_spherical_distance('[3,0]', '[0,2]');
SELECT '[0,0]'::int8vec <=> '[1,2]' AS no_direction, '[-128]'::int8vec <-> '[127]' AS far, inner_product('[-128]'::int8vec, '[-128]') AS large, '[7,7]'::int8vec <=> '[3,3]' AS same_direction;
SELECT '[1]'::int8vec <-> '[1,2]';
SELECT '[1]'::int8vec <#> '[1,2]';
SELECT '[1]'::int8vec <=> '[1,2]';
SELECT '[1]'::int8vec <+> '[1,2]';

-- the largest sums there are, exactly
SELECT int8vec_l2_squared_distance(a, b) = 255 * 255 * 16000.0 AS l2, a <-> b = sqrt((255 * 255 * 16000)::float8) AS root, a <+> b = 255 * 16000 AS l1, inner_product(a, a) = 128 * 128 * 16000 AS product,
       a <#> b = 127 * 128 * 16000 AS negative, a <=> a AS same, l2_norm(a) = sqrt((128 * 128 * 16000)::float8) AS norm
FROM (SELECT array_fill(-128, ARRAY[16000])::int8vec AS a, array_fill(127, ARRAY[16000])::int8vec AS b) t;

-- every length up to 150, short header or in line, and out of line: against sums in bigint
CREATE TABLE int8_t (n int, a int8vec, b int8vec);
INSERT INTO int8_t SELECT n, array_agg((i * 37 + n) % 256 - 128)::int8vec, array_agg((i * i * 11 + n) % 256 - 128)::int8vec FROM generate_series(1, 150) n, generate_series(1, n) i GROUP BY n;
INSERT INTO int8_t SELECT n, array_agg((i * 37 + n) % 256 - 128)::int8vec, array_agg(((i::bigint * i * 11 + n) % 256 - 128)::int)::int8vec FROM unnest(ARRAY[1000, 5000, 16000]) n, generate_series(1, n) i GROUP BY n;
SELECT count(*), count(*) FILTER (WHERE a <-> b IS DISTINCT FROM sqrt(l2::float8)) AS l2, count(*) FILTER (WHERE a <#> b IS DISTINCT FROM -ip::float8) AS ip, count(*) FILTER (WHERE a <+> b IS DISTINCT FROM l1::float8) AS l1,
       count(*) FILTER (WHERE a <=> b IS DISTINCT FROM 1 - ip::float8 / sqrt(aa::float8 * bb::float8)) AS cosine, count(*) FILTER (WHERE l2_norm(a) IS DISTINCT FROM sqrt(aa::float8)) AS norm
FROM int8_t, LATERAL (SELECT sum((x - y) * (x - y)) AS l2, sum(x * y) AS ip, sum(abs(x - y)) AS l1, sum(x * x) AS aa, sum(y * y) AS bb FROM unnest(a::int[], b::int[]) u (x, y)) s;
-- and as vectors of the same values
SELECT count(*) FILTER (WHERE n < 500 AND a <-> b <> a::vector <-> b::vector) AS l2, count(*) FILTER (WHERE n < 500 AND a <#> b <> a::vector <#> b::vector) AS ip,
       count(*) FILTER (WHERE abs((a <=> b) - (a::vector <=> b::vector)) > 1e-6) AS cosine, count(*) FILTER (WHERE a <+> b <> a::vector <+> b::vector) AS l1,
       count(*) FILTER (WHERE binary_quantize(a) <> binary_quantize(a::vector)) AS bits, count(*) FILTER (WHERE int8vec_cmp(a, b) <> vector_cmp(a::vector, b::vector)) AS cmp,
       count(*) FILTER (WHERE (a || b)::vector <> a::vector || b::vector) AS concatenation,
       count(*) FILTER (WHERE subvector(a, 3, 50)::vector <> subvector(a::vector, 3, 50)) AS part, count(*) FILTER (WHERE a::vector::int8vec <> a OR a::halfvec::int8vec <> a OR a::int[]::int8vec <> a OR a::real[]::int8vec <> a) AS casts
FROM int8_t WHERE n BETWEEN 3 AND 5000;

-- functions of one value
SELECT vector_dims('[1,2,3]'::int8vec), l2_norm('[3,4]'::int8vec), binary_quantize('[1,0,-1,127,-128]'::int8vec), subvector('[1,2,3,4,5]'::int8vec, 2, 3), subvector('[1,2,3,4,5]'::int8vec, -1, 3), subvector('[1,2,3,4,5]'::int8vec, 3, 2147483647);
SELECT subvector('[1,2,3]'::int8vec, 4, 1);
SELECT vector_dims(subvector(a, 100, 50)), subvector(a, 15999, 9) = subvector((a::int[])[15999:16000]::int8vec, 1, 2) AS tail FROM int8_t WHERE n = 16000;
-- no function of its own: the vector's
SELECT l2_normalize('[3,4]'::int8vec), pg_typeof(l2_normalize('[3,4]'::int8vec));

-- arithmetic
SELECT '[1,2,3]'::int8vec + '[4,5,6]' AS sum, '[1,2,3]'::int8vec - '[4,5,7]' AS difference, '[1,2,3]'::int8vec * '[4,5,-6]' AS product, '[1,2]'::int8vec || '[3]' AS concatenation;
SELECT '[127,-128]'::int8vec + '[0,0]', '[-1,0]'::int8vec - '[127,127]', '[-128,64]'::int8vec * '[1,-2]';
SELECT '[127]'::int8vec + '[1]';
SELECT '[0,-128]'::int8vec - '[0,1]';
SELECT '[-128]'::int8vec * '[-1]';
SELECT '[1,2]'::int8vec + '[3]';
SELECT '[1,2]'::int8vec - '[3]';
SELECT '[1,2]'::int8vec * '[3]';
SELECT array_fill(0, ARRAY[16000])::int8vec || '[1]';

-- comparison and btree
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, int8vec_cmp(a, b) AS cmp
FROM (VALUES ('[1,2]'::int8vec, '[1,2]'::int8vec), ('[1,2]', '[1,3]'), ('[1,2]', '[1,2,0]'), ('[-1]', '[1]'), ('[127]', '[-128]'), ('[-128,5]', '[-127]')) t (a, b);
CREATE TABLE int8_key (v int8vec(2) PRIMARY KEY);
INSERT INTO int8_key VALUES ('[2,1]'), ('[1,2]'), ('[1,1]'), ('[-128,127]');
INSERT INTO int8_key VALUES ('[1,2]');
SELECT * FROM int8_key ORDER BY v DESC;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM int8_key WHERE v >= '[1,2]';
SELECT * FROM int8_key WHERE v >= '[1,2]';
RESET enable_seqscan;
SELECT count(DISTINCT v) FROM (VALUES ('[1]'::int8vec), ('[1]'), ('[2]')) t (v);

-- casts: to the nearest integer, ties to even; never cut
SELECT ARRAY[1,-128,127]::int8vec, ARRAY[1.5,2.5,-0.5,127.49]::real[]::int8vec, ARRAY[1.5,2.5,-128.5,0.4999999999999999]::float8[]::int8vec, ARRAY[1.5,2.5,-3.5]::numeric[]::int8vec;
SELECT '[1.5,2.5,-0.5,126.5,-128.5]'::vector::int8vec, '[1.5,2.5,-0.5,126.5,-128.5]'::halfvec::int8vec, '[1,-128,127]'::int8vec::vector, '[1,-128,127]'::int8vec::halfvec, '[1,-128,127]'::int8vec::real[], '[1,-128,127]'::int8vec::int[];
SELECT '[1,2]'::vector::int8vec(3);
SELECT '[1,2]'::halfvec::int8vec(3);
SELECT '[1,2]'::int8vec::vector(3);
SELECT '[1,2]'::int8vec::halfvec(3);
SELECT ARRAY[1,2]::int8vec(3);
SELECT '[127.5]'::vector::int8vec;
SELECT '[1,-128.51,NaN]'::vector::int8vec;
SELECT '[1,-128.51,3e38]'::vector::int8vec;
SELECT '[127.5]'::halfvec::int8vec;
SELECT ARRAY[1,128]::int8vec;
SELECT ARRAY[-2147483648]::int8vec;
SELECT ARRAY[1e300]::float8[]::int8vec;
SELECT ARRAY[1e300]::numeric[]::int8vec;
SELECT ARRAY[127.5]::numeric[]::int8vec;
SELECT ARRAY['NaN']::numeric[]::int8vec;
SELECT ARRAY['Infinity']::real[]::int8vec;
SELECT ARRAY[1, NULL]::int8vec;
SELECT ARRAY[[1]]::int8vec;
SELECT ARRAY[]::real[]::int8vec;
CREATE TABLE int8_assign (i int8vec, v vector, h halfvec, r real[], n int[]);
INSERT INTO int8_assign VALUES ('[1.5,2]'::vector, '[1,2]'::int8vec, '[3,4]'::int8vec, '[5,6]'::int8vec, '[7,8]'::int8vec), ('[2.5,3]'::halfvec, NULL, NULL, NULL, NULL), (ARRAY[1, 2], NULL, NULL, NULL, NULL);
TABLE int8_assign;
INSERT INTO int8_assign (i) VALUES ('[200]'::vector);

-- quantize_int8: the lossy way. The product is exact, rounds to even at ties, and is cut at the ends.
SELECT vecdb.quantize_int8('[0.5,-0.5,0.1,1,-1,2]'::vector, 127), vecdb.quantize_int8('[0.5,-0.5,1,-1,2,-2]'::halfvec, 100), vecdb.quantize_int8('[1,2,3,5]'::vector, 0.5), vecdb.quantize_int8('[1,-2]'::vector, -3), vecdb.quantize_int8('[3e38,-3e38]'::vector, 3e38), vecdb.quantize_int8('[1,2]'::vector, 0);
SELECT vecdb.quantize_int8('[127.5,127.4,-128.5,-128.6,126.5]'::vector, 1), vecdb.quantize_int8(v => '[1]'::vector, scale => 12.5);
SELECT vecdb.quantize_int8('[1]'::vector, 'NaN');
SELECT vecdb.quantize_int8('[1]'::halfvec, 'Infinity');
SELECT count(*) FILTER (WHERE vecdb.quantize_int8(a::vector, 1) <> a OR vecdb.quantize_int8(a::halfvec, 1) <> a) AS different FROM int8_t;

-- aggregates: vectors
SELECT avg(v), sum(v), pg_typeof(avg(v)), pg_typeof(sum(v)) FROM unnest(ARRAY['[1,2,127]'::int8vec, '[4,5,127]', NULL]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY[]::int8vec[]) v;
SELECT avg(v), sum(v) FROM (SELECT '[127,-128]'::int8vec AS v FROM generate_series(1, 200001)) t;
SELECT avg(v) FROM unnest(ARRAY['[1,2]'::int8vec, '[3]']) v;
SELECT sum(v) FROM unnest(ARRAY['[1,2]'::int8vec, '[3]']) v;
SELECT sum(v) OVER (ORDER BY i) FROM (VALUES (1, '[100,2]'::int8vec), (2, '[100,4]'), (3, '[100,6]')) t (i, v);
SELECT int8vec_avg('{2,2,4,6}'), int8vec_sum('{2,2,4,6}'), int8vec_accum('{0}', '[1,2,3]'), int8vec_accum('{1,1,1,1}', '[1,2,-3]'), int8vec_combine('{1,1,2}', '{2,3,4}'), int8vec_avg('{0}'), int8vec_sum('{0}');
SELECT int8vec_sum('{{2,2,4,6}}');
SELECT int8vec_accum('{0,0}', '[1,2,3]');
CREATE TABLE int8_many AS SELECT i, ARRAY[i % 256 - 128, i % 7, -(i % 100)]::int8vec AS v FROM generate_series(1, 20000) i;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v) FROM int8_many;
SELECT sum(v)::real[]::text = (SELECT array_agg(sum ORDER BY k)::text FROM (SELECT k, sum(x) FROM int8_many, unnest(v::int[]) WITH ORDINALITY u (x, k) GROUP BY k) s) AS sums,
       avg(v) = (SELECT array_agg(avg ORDER BY k)::vector FROM (SELECT k, avg(x) FROM int8_many, unnest(v::int[]) WITH ORDINALITY u (x, k) GROUP BY k) s) AS means
FROM int8_many;
SELECT avg(v), sum(v) FROM int8_many WHERE i < 0;
DROP TABLE int8_t, int8_key, int8_assign, int8_many;
