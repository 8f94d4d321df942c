-- halfvec: distances, functions, operators, casts, aggregates.

-- distances
SELECT '[0,0]'::halfvec <-> '[3,4]' AS l2, '[1,2]'::halfvec <#> '[3,4]' AS ip, '[1,1]'::halfvec <=> '[-3,-3]' AS cosine, '[0,0]'::halfvec <+> '[3,4]' AS l1;
SELECT l2_distance('[0,0]'::halfvec, '[3,4]'), inner_product('[1,2]'::halfvec, '[3,4]'), cosine_distance('[1,0]'::halfvec, '[0,2]'), l1_distance('[1,2]'::halfvec, '[3,5]'),
       halfvec_l2_squared_distance('[0,0]', '[3,4]'), halfvec_negative_inner_product('[1,2]', '[3,4]'), halfvec_spherical_distance('[1,0]', '[0,1]');
SELECT '[0,0]'::halfvec <=> '[1,2]' AS no_direction, inner_product('[65504]'::halfvec, '[65504]') AS large, '[6e-8]'::halfvec <=> '[6e-8]' AS tiny, '[65504,65504]'::halfvec <=> '[65504,65504]' AS huge;
SELECT '[1]'::halfvec <-> '[1,2]';
SELECT '[1]'::halfvec <#> '[1,2]';
SELECT '[1]'::halfvec <=> '[1,2]';
SELECT '[1]'::halfvec <+> '[1,2]';

-- every length up to 100, stored with a short header or in line, as float32 of the same values
CREATE TABLE half_t (n int, a halfvec, b halfvec);
INSERT INTO half_t SELECT n, array_agg((i * n) % 11 - 5)::halfvec, array_agg((i * 3) % 7 - 3.5)::halfvec FROM generate_series(1, 100) n, generate_series(1, n) i GROUP BY n;
INSERT INTO half_t SELECT n, array_agg((i * n) % 11 - 5)::halfvec, array_agg((i * 3) % 7 - 3.5)::halfvec FROM unnest(ARRAY[1000, 5000, 16000]) n, generate_series(1, n) i GROUP BY n;
SELECT count(*), count(*) FILTER (WHERE a <-> b <> a::vector <-> b::vector) AS l2, count(*) FILTER (WHERE a <#> b <> a::vector <#> b::vector) AS ip,
       count(*) FILTER (WHERE abs((a <=> b) - (a::vector <=> b::vector)) > 1e-6) AS cosine, count(*) FILTER (WHERE a <+> b <> a::vector <+> b::vector) AS l1,
       count(*) FILTER (WHERE l2_norm(a) <> vector_norm(a::vector)) AS norm, count(*) FILTER (WHERE binary_quantize(a) <> binary_quantize(a::vector)) AS bits,
       count(*) FILTER (WHERE (a + b)::vector <> a::vector + b::vector OR (a - b)::vector <> a::vector - b::vector OR (a * b)::vector <> a::vector * b::vector) AS arithmetic,
       count(*) FILTER (WHERE halfvec_cmp(a, b) <> vector_cmp(a::vector, b::vector)) AS cmp
FROM half_t;
SELECT n, l2_norm(l2_normalize(a)) BETWEEN 0.998 AND 1.002 AS unit FROM half_t WHERE n IN (7, 64, 16000) ORDER BY n;

-- functions of one value
SELECT vector_dims('[1,2,3]'::halfvec), l2_norm('[3,4]'::halfvec), l2_normalize('[3,4]'::halfvec), l2_normalize('[0,0]'::halfvec), l2_normalize('[65504]'::halfvec);
SELECT binary_quantize('[1,0,-1,0.1,-0,6e-8]'::halfvec), subvector('[1,2,3,4,5]'::halfvec, 2, 3), subvector('[1,2,3,4,5]'::halfvec, -1, 3), subvector('[1,2,3,4,5]'::halfvec, 3, 2147483647);
SELECT subvector('[1,2,3]'::halfvec, 4, 1);
SELECT vector_dims(subvector(a, 100, 50)), subvector(a, 15999, 9) FROM half_t WHERE n = 16000;

-- arithmetic
SELECT '[1,2,3]'::halfvec + '[4,5,6]' AS sum, '[1,2,3]'::halfvec - '[4,5,7]' AS difference, '[1,2,3]'::halfvec * '[4,5,-6]' AS product, '[1,2]'::halfvec || '[3]' AS concatenation;
SELECT '[65519]'::halfvec + '[65519]';
SELECT '[-65519]'::halfvec - '[65519]';
SELECT '[65519]'::halfvec * '[65519]';
SELECT '[1e-7]'::halfvec * '[1e-7]';
SELECT '[0,1]'::halfvec * '[1e-7,1e-7]';
SELECT '[1,2]'::halfvec + '[3]';
SELECT '[1,2]'::halfvec - '[3]';
SELECT '[1,2]'::halfvec * '[3]';
SELECT array_fill(0, ARRAY[16000])::halfvec || '[1]';

-- comparison and btree
SELECT a, b, a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, halfvec_cmp(a, b) AS cmp
FROM (VALUES ('[1,2]'::halfvec, '[1,2]'::halfvec), ('[1,2]', '[1,3]'), ('[1,2]', '[1,2,0]'), ('[-0]', '[0]'), ('[-1]', '[1]'), ('[6e-8]', '[-6e-8]')) t (a, b);
CREATE TABLE half_key (v halfvec(2) PRIMARY KEY);
INSERT INTO half_key VALUES ('[2,1]'), ('[1,2]'), ('[1,1]');
INSERT INTO half_key VALUES ('[1,2]');
SELECT * FROM half_key ORDER BY v DESC;
SELECT count(DISTINCT v) FROM (VALUES ('[1]'::halfvec), ('[1]'), ('[2]')) t (v);

-- casts
SELECT ARRAY[1,2,3]::halfvec, ARRAY[1.5,2]::real[]::halfvec, ARRAY[1.5,2]::float8[]::halfvec, ARRAY[1.5,2]::numeric[]::halfvec, '[1.5,2]'::halfvec::real[], '[1.1]'::vector::halfvec, '[1.1]'::halfvec::vector;
SELECT '[1,2]'::vector::halfvec(3);
SELECT '[1,2]'::halfvec::vector(3);
SELECT '[65520]'::vector::halfvec;
SELECT ARRAY[65520]::halfvec;
SELECT ARRAY[1e39]::float8[]::halfvec;
SELECT ARRAY['NaN']::real[]::halfvec;
SELECT ARRAY[1, NULL]::halfvec;
SELECT ARRAY[[1]]::halfvec;
SELECT ARRAY[]::real[]::halfvec;
SELECT '[1,2]'::vector <-> '[1,2]'::halfvec AS mixed;

-- aggregates
SELECT avg(v), sum(v) FROM unnest(ARRAY['[1,2,3]'::halfvec, '[3,5,7]', NULL]) v;
SELECT avg(v), sum(v) FROM unnest(ARRAY[]::halfvec[]) v;
SELECT avg(v) FROM unnest(ARRAY['[65504]'::halfvec, '[65504]']) v;
SELECT sum(v) FROM unnest(ARRAY['[65504]'::halfvec, '[65504]']) v;
SELECT avg(v) FROM unnest(ARRAY['[1,2]'::halfvec, '[3]']) v;
SELECT sum(v) OVER (ORDER BY i) FROM (VALUES (1, '[1,2]'::halfvec), (2, '[3,4]'), (3, '[5,6]')) t (i, v);
SELECT halfvec_avg('{2,2,4,6}'), halfvec_accum('{0}', '[1,2,3]'), halfvec_combine('{1,1,2}', '{2,3,4}'), halfvec_avg('{0}');
SELECT halfvec_avg('{{2,2,4,6}}');
SELECT halfvec_accum('{0,0}', '[1,2,3]');
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT vector_dims(avg(a)), vector_dims(sum(b)) FROM half_t WHERE n = 16000;
DROP TABLE half_t, half_key;
