-- Casts between arrays and vector.

SELECT ARRAY[1,2,3]::vector, ARRAY[1.5,2,3]::vector, ARRAY[1,2,3]::real[]::vector, ARRAY[1,2,3]::float8[]::vector, ARRAY[1,2,3]::numeric[]::vector;
SELECT '{1,-2,0.1}'::real[]::vector(3), '{1,-2,0.1}'::float8[]::vector(3), '{1,-2,0.1}'::numeric[]::vector(3), '{1,-2,3}'::int[]::vector(3);
SELECT '{16777217,2147483647,-2147483648}'::int[]::vector, '{0.1,1e-50,123456789.123}'::float8[]::vector, '{123456789.123,0.0000001,-5}'::numeric[]::vector;
SELECT '{1e-46,-1e-46}'::float8[]::vector;
SELECT '[5:7]={1,2,3}'::int[]::vector;
SELECT '{1,2,3}'::real[]::vector(2);

-- refused
SELECT '{}'::real[]::vector;
SELECT '{{1,2},{3,4}}'::real[]::vector;
SELECT '{{1}}'::int[]::vector;
SELECT '{NULL}'::real[]::vector;
SELECT '{1,NULL,2}'::int[]::vector;
SELECT '{NaN}'::real[]::vector;
SELECT '{NaN}'::float8[]::vector;
SELECT '{NaN}'::numeric[]::vector;
SELECT '{1,Infinity}'::real[]::vector;
SELECT '{-Infinity}'::float8[]::vector;
SELECT '{-Infinity}'::numeric[]::vector;
SELECT '{1,4e38}'::float8[]::vector;
SELECT '{1,4e38}'::numeric[]::vector;
SELECT array_agg(i)::vector FROM generate_series(1, 16001) i;
SELECT array_agg(i::numeric)::vector FROM generate_series(1, 16001) i;

-- an array that once held a null still has the flag, and is accepted
SELECT array_remove('{1,NULL,2}'::int[], NULL)::vector;

-- vector to array: implicit
SELECT '[1,-2,0.1]'::vector::real[], array_length('[1,2,3]'::vector::real[], 1), pg_typeof('[1]'::vector::real[]);
SELECT cardinality('[1,2,3]'::vector::real[]), ('[1,2,3]'::vector::real[])[2], array_lower('[1,2]'::vector::real[], 1);
CREATE FUNCTION pg_temp.takes_array(real[]) RETURNS real LANGUAGE sql AS 'SELECT $1[2]';
SELECT pg_temp.takes_array('[1,2,3]'::vector);
DROP FUNCTION pg_temp.takes_array(real[]);
SELECT vector_to_float4('[1,2]', -1, false), vector_to_float4('[1,2]', 7, true);
SELECT count(*) FROM unnest(array_fill(1, ARRAY[16000])::vector::real[]);

-- array to vector: on assignment, not in expressions
CREATE TABLE cast_t (v vector(2));
INSERT INTO cast_t VALUES (ARRAY[1,2]), (ARRAY[1.5,2]), ('{3,4}'::real[]), ('{5,6}'::float8[]), ('{7,8}'::numeric[]);
INSERT INTO cast_t VALUES (ARRAY[1,2,3]);
INSERT INTO cast_t VALUES (ARRAY['1','2']);
SELECT v FROM cast_t ORDER BY v;
SELECT '[1,2]'::vector <-> ARRAY[1,2];
SELECT '[1,2]'::vector <-> ARRAY[1,2]::vector;
DROP TABLE cast_t;

-- the functions themselves
SELECT array_to_vector(ARRAY[1,2], 2, true), array_to_vector(ARRAY[1,2]::float8[], -1, false);
SELECT array_to_vector(ARRAY[1,2], 3, true);

-- nothing about plain arrays changes
SELECT ARRAY[1,2] = ARRAY[1,2], ARRAY[1,2] || 3, ARRAY[1.0] < ARRAY[2.0];
