-- Public and support functions of vector.

SELECT l2_distance('[0,0]'::vector, '[3,4]'), inner_product('[1,2]'::vector, '[3,4]'), cosine_distance('[1,0]'::vector, '[0,1]'), l1_distance('[0,0]'::vector, '[3,4]');
SELECT vector_l2_squared_distance('[0,0]', '[3,4]'), vector_negative_inner_product('[1,2]', '[3,4]');
SELECT vector_spherical_distance('[1,0]', '[0,1]'), vector_spherical_distance('[1,0]', '[1,0]'), vector_spherical_distance('[1,0]', '[-1,0]'), vector_spherical_distance('[2,0]', '[2,0]'), vector_spherical_distance('[2,0]', '[-2,0]');
SELECT vector_l2_squared_distance('[1]', '[1,2]');
SELECT vector_negative_inner_product('[1]', '[1,2]');
SELECT vector_spherical_distance('[1]', '[1,2]');

SELECT vector_dims('[1]'::vector), vector_dims('[1,2,3]'::vector), vector_dims(array_fill(0, ARRAY[16000])::vector);

-- the norm is kept in double
SELECT vector_norm('[3,4]'), vector_norm('[0,0]'), vector_norm('[-2]'), vector_norm('[1,1,1,1,1,1,1,1,1]');
SELECT vector_norm('[3e37,4e37]')::real, vector_norm('[1.5e38,1.5e38,-1.5e38,1.5e38]')::real, vector_norm('[3e-38,4e-38]')::real;

SELECT l2_normalize('[3,4]'::vector), l2_normalize('[0,-0.1]'::vector), l2_normalize('[0,0]'::vector), l2_normalize('[5]'::vector);
SELECT l2_normalize('[3e38]'::vector), l2_normalize('[3e38,-3e38]'::vector), l2_normalize('[1e-45]'::vector);
SELECT round(vector_norm(l2_normalize(array_agg(i)::vector))::numeric, 6) FROM generate_series(1, 1000) i;

-- one bit an element: greater than 0
SELECT binary_quantize('[1]'::vector), binary_quantize('[0]'::vector), binary_quantize('[-0]'::vector), binary_quantize('[1e-45,-1e-45]'::vector);
SELECT binary_quantize('[1,0,-1,2,0.1,-0.1,3,4]'::vector), binary_quantize('[1,0,-1,2,0.1,-0.1,3,4,5]'::vector), binary_quantize('[-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,1]'::vector);
SELECT binary_quantize('[1,-1,1]'::vector)::bit(3), length(binary_quantize(array_fill(1, ARRAY[16000])::vector)), bit_count(binary_quantize(array_fill(1, ARRAY[16000])::vector));

-- subvector(v, start, count): positions from 1, clipped like substring
SELECT subvector('[1,2,3,4,5]'::vector, 1, 3), subvector('[1,2,3,4,5]'::vector, 3, 2), subvector('[1,2,3,4,5]'::vector, 5, 1), subvector('[1,2,3,4,5]'::vector, 1, 5);
SELECT subvector('[1,2,3,4,5]'::vector, 0, 3), subvector('[1,2,3,4,5]'::vector, -1, 3), subvector('[1,2,3,4,5]'::vector, 4, 100), subvector('[1,2,3,4,5]'::vector, -10, 100);
SELECT subvector('[1,2,3,4,5]'::vector, 2, 2147483647), subvector('[1,2,3,4,5]'::vector, -2147483644, 2147483647);
SELECT subvector('[1,2,3]'::vector, 1, 0);
SELECT subvector('[1,2,3]'::vector, 1, -1);
SELECT subvector('[1,2,3]'::vector, 2, -2147483648);
SELECT subvector('[1,2,3]'::vector, 4, 1);
SELECT subvector('[1,2,3]'::vector, -2, 3);
SELECT subvector('[1,2,3]'::vector, 2147483647, 2147483647);
SELECT subvector('[1,2,3]'::vector, -2147483648, 2147483647);

-- the same on values stored in the row with a short header, in the row, and outside it
CREATE TABLE fn_t (n int, v vector);
INSERT INTO fn_t SELECT n, (SELECT array_agg(i)::vector FROM generate_series(1, n) i) FROM unnest(ARRAY[3, 29, 30, 300, 3000, 16000]) n;
SELECT n, vector_dims(v), subvector(v, n - 1, 2), subvector(v, n - 1, 100), vector_dims(subvector(v, 2, n)), round(vector_norm(v)::numeric, 2),
       length(binary_quantize(v)), subvector(l2_normalize(v), n, 1) FROM fn_t ORDER BY n;
SELECT n, subvector(v, 1000, 3), subvector(v, 1000, 1000) = (SELECT array_agg(i)::vector FROM generate_series(1000, 1999) i) FROM fn_t WHERE n >= 3000 ORDER BY n;
-- and compressed
ALTER TABLE fn_t ALTER v SET STORAGE extended;
UPDATE fn_t SET v = array_fill(7, ARRAY[n])::vector;
SELECT n, vector_dims(v), subvector(v, n - 1, 9), v <-> v AS l2, v = array_fill(7, ARRAY[n])::vector AS eq FROM fn_t ORDER BY n;
DROP TABLE fn_t;
