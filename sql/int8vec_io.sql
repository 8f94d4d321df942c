-- Type int8vec: text, binary, typmod, storage, and what is refused.
SELECT '[1,2,3]'::int8vec, ' [ 1,  -2 ,  +3 ] '::int8vec, '[-128,127,-0,007]'::int8vec;

-- short header, in line, out of line
CREATE TABLE int8_t (id int, v int8vec);
INSERT INTO int8_t SELECT n, array_agg((i * 7 + n) % 256 - 128)::int8vec FROM unnest(ARRAY[1, 2, 3, 5, 8, 118, 119, 120, 121, 1000, 4000, 16000]) n, generate_series(1, n) i GROUP BY n;
SELECT id, vector_dims(v), pg_column_size(v) FROM int8_t ORDER BY id;
SELECT count(*) FROM int8_t WHERE v::text::int8vec = v;
SELECT int8vec_send('[1,-2,127,-128]'::int8vec);
SELECT typlen, typbyval, typtype, typcategory, typalign, typstorage FROM pg_type WHERE oid = 'int8vec'::regtype;

-- errors, with SQLSTATE
\set VERBOSITY sqlstate
SELECT '[128]'::int8vec;
SELECT '[hello]'::int8vec;
SELECT '[1.5]'::int8vec;
SELECT '[]'::int8vec;
SELECT array_fill(0, ARRAY[16001])::int8vec;
SELECT '[1,2]'::int8vec(3);
SELECT '[1]'::int8vec(0);
SELECT '[1]'::int8vec + '[1,2]';
SELECT '[1]'::int8vec <-> '[1,2]';
SELECT '[127]'::int8vec + '[1]';
SELECT '[127.5]'::vector::int8vec;
SELECT '[-129]'::halfvec::int8vec;
SELECT ARRAY[128]::int8vec;
SELECT ARRAY['NaN']::real[]::int8vec;
SELECT ARRAY['-Infinity']::float8[]::int8vec;
SELECT ARRAY[1, NULL]::int8vec;
SELECT ARRAY[[1]]::int8vec;
SELECT ARRAY[]::real[]::int8vec;
SELECT subvector('[1,2,3]'::int8vec, 4, 1);
SELECT vecdb.quantize_int8('[1]'::vector, 'NaN');
\set VERBOSITY default
SELECT '[1,128]'::int8vec;
SELECT '[-129,1]'::int8vec;
SELECT '[+99999999999999999999]'::int8vec;
SELECT '[hello,1]'::int8vec;
SELECT '[1.0,1]'::int8vec;
SELECT '[1e1]'::int8vec;
SELECT '[NaN,1]'::int8vec;
SELECT ''::int8vec;
SELECT '1,2'::int8vec;
SELECT '{1:2}/3'::int8vec;
SELECT '[1,2'::int8vec;
SELECT '[1,2]3'::int8vec;
SELECT '[1,,2]'::int8vec;
SELECT '[1 2]'::int8vec;
SELECT '[-]'::int8vec;
SELECT '[ ]'::int8vec;
SELECT array_fill(0, ARRAY[16001])::int8vec;
SELECT ('[' || repeat('1,', 16000) || '1]')::int8vec;
SELECT vector_dims(('[' || repeat('-128,', 15999) || '1]')::int8vec);

-- typmod
SELECT '[1,2,3]'::int8vec(3), format_type('int8vec'::regtype, 3);
SELECT '[1,2,3]'::int8vec(2);
SELECT '[1,2,3]'::int8vec(3, 2);
SELECT '[1,2,3]'::int8vec(0);
SELECT '[1,2,3]'::int8vec(16001);
CREATE TABLE int8_3 (v int8vec(3));
INSERT INTO int8_3 VALUES ('[1,2,3]'), (NULL);
INSERT INTO int8_3 VALUES ('[1,2]');
INSERT INTO int8_3 VALUES (ARRAY[1, 2]);
INSERT INTO int8_3 VALUES ('[1,2]'::vector);
INSERT INTO int8_3 VALUES ('[1,2]'::halfvec);
INSERT INTO int8_3 VALUES (subvector('[1,2,3]'::int8vec, 1, 2));
SELECT * FROM int8_3;

-- binary out and in again: the same bytes
CREATE TABLE int8_copy (LIKE int8_t);
SELECT current_setting('data_directory') || '/int8vec_copy.bin' AS file \gset
COPY int8_t TO :'file' WITH (FORMAT binary);
COPY int8_copy FROM :'file' WITH (FORMAT binary);
SELECT count(*), count(*) FILTER (WHERE int8vec_send(a.v) <> int8vec_send(b.v)) AS different FROM int8_t a JOIN int8_copy b USING (id);
CREATE TABLE int8_wrong (id int, v int8vec(7));
COPY int8_wrong FROM :'file' WITH (FORMAT binary);
DROP TABLE int8_wrong;

-- what binary input refuses: a column of bytea has the frame of a column of int8vec
CREATE TABLE int8_bytes (v bytea);
CREATE TABLE int8_back (v int8vec);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    file text := current_setting('data_directory') || '/int8vec_bytes.bin';
BEGIN
    TRUNCATE int8_bytes, int8_back;
    INSERT INTO int8_bytes VALUES (bytes);
    EXECUTE format('COPY int8_bytes TO %L WITH (FORMAT binary)', file);
    EXECUTE format('COPY int8_back FROM %L WITH (FORMAT binary)', file);
    RETURN (SELECT v FROM int8_back);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT hex, pg_temp.receive(decode(hex, 'hex')) FROM (VALUES
    ('00030000017f80'), ('0003000001'), ('000300000102'), ('00030000010203ff'), ('00000000'), ('ffff0000'), ('3e810000'), ('0001000101'), ('0001'), ('')) t (hex);
DROP TABLE int8_t, int8_3, int8_copy, int8_bytes, int8_back;
