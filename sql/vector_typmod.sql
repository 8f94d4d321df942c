-- The type modifier of vector is its number of dimensions.

CREATE TABLE typmod_t (a vector, b vector(3));
SELECT attname, format_type(atttypid, atttypmod), attstorage
FROM pg_attribute WHERE attrelid = 'typmod_t'::regclass AND attnum > 0 ORDER BY attnum;

INSERT INTO typmod_t VALUES ('[1]', '[1,2,3]'), ('[1,2,3,4]', NULL);
INSERT INTO typmod_t (b) VALUES ('[1,2]');
INSERT INTO typmod_t (b) VALUES ('[1,2,3,4]');
INSERT INTO typmod_t (b) SELECT a FROM typmod_t;
UPDATE typmod_t SET b = a;
SELECT * FROM typmod_t ORDER BY a;

-- coercion of a value, an array, a function's argument
SELECT '[1,2,3]'::vector(3), '[1,2,3]'::vector::vector(3);
SELECT '[1,2,3]'::vector(2);
SELECT '[1,2,3]'::vector::vector(4);
SELECT '{"[1,2]","[3,4]"}'::vector(2)[];
SELECT '{"[1,2]","[3]"}'::vector(2)[];
SELECT ARRAY[1,2]::vector(2);
SELECT ARRAY[1,2]::vector(3);
SELECT vector('[1,2]', 2, true);
SELECT vector('[1,2]', -1, false);
SELECT vector('[1,2]', 3, true);

-- values stored outside the row are checked by their size alone
CREATE TABLE typmod_big (a vector);
INSERT INTO typmod_big SELECT array_agg(i)::vector FROM generate_series(1, 3000) i;
SELECT vector_dims(a::vector(3000)) FROM typmod_big;
SELECT a::vector(2999) IS NULL FROM typmod_big;
ALTER TABLE typmod_big ALTER a TYPE vector(3000);
ALTER TABLE typmod_big ALTER a TYPE vector(10);
SELECT format_type(atttypid, atttypmod), attstorage FROM pg_attribute WHERE attrelid = 'typmod_big'::regclass AND attname = 'a';

-- limits
SELECT '[1]'::vector(0);
SELECT '[1]'::vector(-1);
SELECT '[1]'::vector(16001);
SELECT '[1]'::vector(1, 2);
SELECT '[1]'::vector('a');
SELECT '[1]'::vector(2147483648);
SELECT vector_dims(array_fill(0, ARRAY[16000])::vector(16000));
CREATE TABLE typmod_bad (a vector(0));
CREATE TABLE typmod_bad (a vector(16001));

DROP TABLE typmod_t, typmod_big;
