-- Functions, operators, order and casts of sparsevec.

-- distances; what one side lacks is 0
SELECT '{1:1,3:2}/4'::sparsevec <-> '{1:1,2:3,3:-2}/4' AS l2, '{1:1,3:2}/4'::sparsevec <#> '{1:1,2:3,3:-2}/4' AS ip,
       '{1:1,3:2}/4'::sparsevec <=> '{1:2,3:4}/4' AS cosine, '{1:1,3:2}/4'::sparsevec <+> '{1:1,2:3,3:-2}/4' AS l1;
SELECT l2_distance(a, b), inner_product(a, b), cosine_distance(a, b), l1_distance(a, b), sparsevec_l2_squared_distance(a, b), sparsevec_negative_inner_product(a, b)
FROM (VALUES ('{}/2'::sparsevec, '{1:3,2:4}/2'::sparsevec), ('{1:3,2:4}/2', '{}/2'), ('{1:3}/2', '{2:4}/2'), ('{1:1}/1000000000', '{1000000000:-1}/1000000000'), ('{}/1', '{}/1'),
             ('{1:3e38}/1', '{1:3e38}/1'), ('{1:3e38}/1', '{1:-3e38}/1'), ('{1:3e38,2:1}/2', '{2:1}/2'), ('{1:1e-30}/1', '{1:1e-30}/1'), ('{1:1e-30,2:1e-30}/2', '{1:1}/2')) v(a, b);
SELECT '{1:1}/2'::sparsevec <-> '{1:1}/1';
SELECT '{1:1}/2'::sparsevec <#> '{1:1}/1';
SELECT '{1:1}/2'::sparsevec <=> '{1:1}/1';
SELECT '{1:1}/2'::sparsevec <+> '{1:1}/1';

-- as the same vectors written out in full: all lengths, short headers and toasted ones, of whole numbers, so exactly
CREATE TABLE sparse_f AS
    SELECT n, k, CASE WHEN n = 0 THEN '{}/16000' ELSE
        ('{' || (SELECT string_agg(p || ':' || (p * 7 + k) % 5 - 2, ',' ORDER BY p) FROM (SELECT DISTINCT 1 + (i * (3 + 2 * k) + i * i % (5 + k)) % 16000 AS p FROM generate_series(1, n) i) x) || '}/16000') END::sparsevec AS v
    FROM unnest(ARRAY[0, 1, 3, 14, 16, 30, 64, 100, 300, 2000, 9000]) n, generate_series(1, 2) k;
SELECT count(*) AS pairs, count(*) FILTER (WHERE (a.v <-> b.v) <> (a.v::vector <-> b.v::vector)) AS l2, count(*) FILTER (WHERE (a.v <#> b.v) <> (a.v::vector <#> b.v::vector)) AS ip,
       count(*) FILTER (WHERE (a.v <+> b.v) <> (a.v::vector <+> b.v::vector)) AS l1, count(*) FILTER (WHERE (a.v <=> b.v) <> (a.v::vector <=> b.v::vector)) AS cosine,
       count(*) FILTER (WHERE sparsevec_cmp(a.v, b.v) <> vector_cmp(a.v::vector, b.v::vector)) AS cmp
FROM sparse_f a, sparse_f b;
SELECT count(*) FILTER (WHERE l2_norm(v) <> vector_norm(v::vector)) AS norm, count(*) FILTER (WHERE l2_normalize(v)::vector <> l2_normalize(v::vector)) AS normalize,
       count(*) FILTER (WHERE v::vector::sparsevec <> v) AS back, count(*) FILTER (WHERE v::halfvec::sparsevec <> v) AS by_half FROM sparse_f;
DROP TABLE sparse_f;

-- norm
SELECT l2_norm('{1:3,2:4}/2'::sparsevec), l2_norm('{}/2'::sparsevec), l2_norm('{1:3e37,2:4e37}/2'::sparsevec)::real, l2_norm('{1:1e-45}/1'::sparsevec)::real;
SELECT l2_normalize('{1:3,2:4}/2'::sparsevec), l2_normalize('{}/2'::sparsevec), l2_normalize('{2:1e-45}/2'::sparsevec), l2_normalize('{1:3e38,2:1e-37,9:-3e38}/9'::sparsevec);

-- order: element by element, then the one of fewer dimensions
SELECT a, b, sparsevec_cmp(a, b), a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt
FROM (VALUES ('{1:1,2:2}/3'::sparsevec, '{1:1,2:2}/3'::sparsevec), ('{1:1}/3', '{1:1,2:2}/3'), ('{1:1}/3', '{1:1,2:-2}/3'), ('{2:1}/3', '{1:1}/3'), ('{2:1}/3', '{1:-1}/3'), ('{}/3', '{3:1}/3'),
             ('{1:1}/2', '{1:1}/3'), ('{1:1}/2', '{1:1,3:-5}/3'), ('{1:1,3:-5}/3', '{1:1}/2'), ('{1:1,2:1}/2', '{1:1}/3')) v(a, b);
CREATE TABLE sparse_b (v sparsevec);
INSERT INTO sparse_b VALUES ('{1:1,2:2,3:3}/3'), ('{1:1,2:2}/2'), ('{1:1,2:2,3:4}/3'), ('{2:-1}/2'), ('{}/1'), (NULL);
CREATE INDEX ON sparse_b (v);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT * FROM sparse_b WHERE v = '{1:1,2:2,3:3}/3';
EXPLAIN (COSTS OFF) SELECT * FROM sparse_b WHERE v < '{1:1,2:2,3:3}/3' ORDER BY v;
SELECT * FROM sparse_b WHERE v < '{1:1,2:2,3:3}/3' ORDER BY v;
SELECT * FROM sparse_b ORDER BY v DESC NULLS LAST;
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT DISTINCT v FROM (TABLE sparse_b UNION ALL TABLE sparse_b) t ORDER BY v;
CREATE UNIQUE INDEX ON sparse_b (v);
INSERT INTO sparse_b VALUES ('{2:2,1:1,3:0}/3'), ('{1:1,2:2}/2');
DROP TABLE sparse_b;

-- casts: which are made by themselves
SELECT '[0,1.5,0,-2]'::vector::sparsevec, '[0,1.5,0,-2]'::halfvec::sparsevec, '{2:1.5,4:-2}/4'::sparsevec::vector, '{2:1.5,4:-2}/4'::sparsevec::halfvec;
SELECT ARRAY[1,0,2]::sparsevec, ARRAY[0,1.5,0]::real[]::sparsevec, ARRAY[0,1e-50,-1e-3]::float8[]::sparsevec, ARRAY[0.0,-0.25]::numeric[]::sparsevec, '{}/5'::sparsevec::vector;
SELECT '[1,2]'::vector <-> '{1:4,2:6}/2'::sparsevec AS vector, '[1,2]'::halfvec <-> '{1:4,2:6}/2'::sparsevec AS halfvec;
SELECT '[0,1]'::vector::sparsevec(2), '[0,1]'::halfvec::sparsevec(2), ARRAY[0,1]::sparsevec(2), '{2:1}/2'::sparsevec::vector(2), '{2:1}/2'::sparsevec::halfvec(2);
SELECT '[0,1]'::vector::sparsevec(3);
SELECT '[0,1]'::halfvec::sparsevec(3);
SELECT ARRAY[0,1]::sparsevec(3);
SELECT '{2:1}/2'::sparsevec::vector(3);
SELECT '{2:1}/2'::sparsevec::halfvec(3);
SELECT '{}/16001'::sparsevec::vector;
SELECT '{}/16001'::sparsevec::halfvec;
SELECT '{1:65520}/1'::sparsevec::halfvec;
SELECT '{}'::int[]::sparsevec;
SELECT ARRAY[[1,2],[3,4]]::sparsevec;
SELECT ARRAY[1,NULL]::sparsevec;
SELECT ARRAY['NaN'::real]::sparsevec;
SELECT ARRAY[1e300]::float8[]::sparsevec;
SELECT ARRAY[1e40]::numeric[]::sparsevec;
SELECT ARRAY[1e-60]::numeric[]::sparsevec;
SELECT array_fill(1, ARRAY[16001])::sparsevec;
SELECT (array_fill(0, ARRAY[100000]) || array_fill(1, ARRAY[3]))::sparsevec;
CREATE TABLE sparse_c (v vector, h halfvec, s sparsevec);
INSERT INTO sparse_c VALUES ('{1:1}/2'::sparsevec, '{1:1}/2'::sparsevec, ARRAY[0, 1]);
INSERT INTO sparse_c SELECT s, s, v FROM sparse_c;
SELECT * FROM sparse_c;
SELECT '{1:1}/2'::sparsevec::real[];
DROP TABLE sparse_c;
