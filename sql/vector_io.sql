-- Text and binary form of vector: what is accepted, and that what is printed reads back as the same bits.

-- spaces: around brackets, numbers and commas
SELECT '[1,2,3]'::vector, ' [ 1 ,2,  3 ] '::vector, E'\t[\n1\r,\x0b2\f]\n'::vector;

-- forms of a number: sign, no digit on one side of the point, exponent, hexadecimal
SELECT '[+1,-1,1.,.5,-.5,+.5]'::vector;
SELECT '[1e3,1E3,1e+3,1e-3,12.5e1,.5e1]'::vector;
SELECT '[0x10,0X1.8p1,-0x.8,0x1p-3]'::vector;
SELECT '[00012,0.10,1.0000000000000000000000000000001,100000000000000000000e-20]'::vector;

-- shortest form that reads back the same; fixed from 1e-4 to below 1e6, else scientific
SELECT '[0.1,0.3,1.23456789,16777216,123456,999999,1000000,1234567]'::vector;
SELECT '[0.001,0.0001,0.00001,1e-7,1e6,1e7,1e15,1e20]'::vector;
SELECT '[1e38,3.4028235e38,-3.4028235e38,1.17549435e-38,-1.5e-38]'::vector;
SELECT '[0,-0,0.0,-0.0,0e5,0e99999]'::vector;

-- one rounding: exactly between two floats goes to the even one, just above it goes up
SELECT '[16777217,16777219,16777217.0000000000000000001]'::vector;
SELECT '[1.00000005960464477539062,1.000000059604644775390625,1.00000005960464477539063]'::vector;
SELECT '[3.4028235677973365e38]'::vector;

-- underflow is silent: a denormal or a zero that keeps its sign
SELECT '[1e-45,1e-40,7.1e-46,7e-46,1e-46,-1e-46,1e-400,-1e-99999]'::vector;

-- errors of syntax
SELECT ''::vector;
SELECT ' '::vector;
SELECT '1,2'::vector;
SELECT '{1,2}'::vector;
SELECT '['::vector;
SELECT '[ '::vector;
SELECT '[1'::vector;
SELECT '[1,'::vector;
SELECT '[1,2'::vector;
SELECT '[,]'::vector;
SELECT '[,1]'::vector;
SELECT '[1,]'::vector;
SELECT '[1,,2]'::vector;
SELECT '[1, ,2]'::vector;
SELECT '[1 2]'::vector;
SELECT '[1;2]'::vector;
SELECT '[a]'::vector;
SELECT '[1a]'::vector;
SELECT '[1,2]]'::vector;
SELECT '[1,2] 3'::vector;
SELECT '[[1]]'::vector;
SELECT '[.]'::vector;
SELECT '[+]'::vector;
SELECT '[--1]'::vector;
SELECT '[+-1]'::vector;
SELECT '[- 1]'::vector;
SELECT '[1e]'::vector;
SELECT '[1e+]'::vector;
SELECT '[1.2.3]'::vector;
SELECT '[0x]'::vector;
SELECT '[0x1p]'::vector;
SELECT '[1_000]'::vector;
SELECT '["1"]'::vector;
SELECT '[null]'::vector;

-- errors of value; the first one decides
SELECT '[]'::vector;
SELECT '[ ]'::vector;
SELECT '[]x'::vector;
SELECT '[NaN]'::vector;
SELECT '[1,-nan]'::vector;
SELECT '[nan(1)]'::vector;
SELECT '[inf]'::vector;
SELECT '[-Infinity,1]'::vector;
SELECT '[+INFINITY]'::vector;
SELECT '[4e38]'::vector;
SELECT '[1,-4e38,2]'::vector;
SELECT '[3.4028236e38]'::vector;
SELECT '[1e400]'::vector;
SELECT '[-1e99999999999]'::vector;
SELECT '[0x1p128]'::vector;
SELECT '[1e39x'::vector;
SELECT '[infx'::vector;

-- up to 16000 elements
SELECT vector_dims(('[' || repeat('1,', 15999) || '1]')::vector);
SELECT ('[' || repeat('1,', 16000) || '1]')::vector;

-- what is printed reads back as the same bits
SELECT count(*) AS tried, count(*) FILTER (WHERE vector_send(v::text::vector) = vector_send(v)) AS same
FROM (
    SELECT ARRAY[(((i * 7919) % 1000003 - 500000) / 7.0 * power(10::float8, i % 76 - 44))::real]::vector AS v
    FROM generate_series(1, 5000) i
) t;

-- binary form: dimensions, unused, elements, all big-endian
SELECT vector_send('[1,-2.5,0]');
SELECT vector_send('[-0]');

-- a vector is stored in 4 * dimensions + 8 bytes
SELECT pg_column_size('[1,2,3]'::vector), pg_column_size(array_fill(1, ARRAY[768])::vector);
