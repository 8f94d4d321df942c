-- COPY of vectors, as text and as binary.

CREATE TABLE copy_a (id int, v vector, w vector(3));
INSERT INTO copy_a VALUES (1, '[0,-0,1e-45]', '[1,2,3]'), (2, NULL, '[3.4028235e38,-1.5,0.1]'), (3, '[1]', NULL);
INSERT INTO copy_a SELECT n, (SELECT array_agg(i / 7.0)::vector FROM generate_series(1, n) i), NULL FROM unnest(ARRAY[29, 30, 768, 16000]) n;
CREATE TABLE copy_b (LIKE copy_a);

COPY (SELECT id, v, w FROM copy_a WHERE id <= 3 ORDER BY id) TO STDOUT;
COPY copy_b FROM STDIN;
1	[0,-0,1e-45]	[1,2,3]
2	\N	[3.4028235e38,-1.5,0.1]
\.
SELECT * FROM copy_b ORDER BY id;

COPY copy_b (id, w) FROM STDIN;
4	[1,2]
\.
COPY copy_b (id, w) FROM STDIN;
4	[1,2,x]
\.
COPY copy_b (id, w) FROM STDIN WITH (FORMAT csv);
5,"[7,8,9]"
\.
SELECT id, w FROM copy_b WHERE id > 3;

-- binary out and in again: the same bits
TRUNCATE copy_b;
SELECT current_setting('data_directory') || '/vector_copy.bin' AS file \gset
COPY copy_a TO :'file' WITH (FORMAT binary);
COPY copy_b FROM :'file' WITH (FORMAT binary);
SELECT count(*) AS rows, count(*) FILTER (WHERE vector_send(a.v) IS NOT DISTINCT FROM vector_send(b.v) AND vector_send(a.w) IS NOT DISTINCT FROM vector_send(b.w)) AS same
FROM copy_a a JOIN copy_b b USING (id);

-- binary input that is damaged: each file is one row with one column of the bytes given
CREATE TABLE copy_bad (v vector);
CREATE TABLE copy_bad3 (v vector(3));
CREATE FUNCTION pg_temp.binary_input(data bytea, target text DEFAULT 'copy_bad') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    file text := current_setting('data_directory') || '/vector_copy.bin';
    image bytea := '\x5047434f50590aff0d0a00'::bytea || '\x0000000000000000'::bytea || '\x0001'::bytea || int4send(length(data)) || data || '\xffff'::bytea;
    object oid := lo_from_bytea(0, image);
BEGIN
    PERFORM lo_export(object, file);
    PERFORM lo_unlink(object);
    EXECUTE format('COPY %I FROM %L WITH (FORMAT binary)', target, file);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT pg_temp.binary_input('\x000100003f800000');
SELECT pg_temp.binary_input('\x');
SELECT pg_temp.binary_input('\x00');
SELECT pg_temp.binary_input('\x0001');
SELECT pg_temp.binary_input('\x00010000');
SELECT pg_temp.binary_input('\x000100003f8000');
SELECT pg_temp.binary_input('\x000200003f800000');
SELECT pg_temp.binary_input('\x000100003f80000000');
SELECT pg_temp.binary_input('\x000100003f8000003f800000');
SELECT pg_temp.binary_input('\x00000000');
SELECT pg_temp.binary_input('\xffff0000');
SELECT pg_temp.binary_input('\x80000000');
SELECT pg_temp.binary_input('\x3e810000');
SELECT pg_temp.binary_input('\x3e800000');
SELECT pg_temp.binary_input('\x000100013f800000');
SELECT pg_temp.binary_input('\x0001ffff3f800000');
SELECT pg_temp.binary_input('\x000100007fc00000');
SELECT pg_temp.binary_input('\x000100007f800000');
SELECT pg_temp.binary_input('\x00010000ff800000');
SELECT pg_temp.binary_input('\x000200003f8000007fa00000');
SELECT pg_temp.binary_input('\x000100003f800000', 'copy_bad3');
SELECT pg_temp.binary_input('\x000300003f8000004000000040400000', 'copy_bad3');
SELECT pg_temp.binary_input(vector_send(array_fill(1, ARRAY[16000])::vector));
SELECT vector_dims(v), subvector(v, 1, 1) FROM copy_bad ORDER BY 1;
SELECT v FROM copy_bad3;

DROP FUNCTION pg_temp.binary_input(bytea, text);
COPY (SELECT 1) TO PROGRAM 'cat > /dev/null; rm -f vector_copy.bin';
DROP TABLE copy_a, copy_b, copy_bad, copy_bad3;
