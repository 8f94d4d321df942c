-- Type sparsevec: text, binary, typmod, storage, and what is refused.
SELECT '{1:1.5,3:-2}/5'::sparsevec, ' { 1 : 1.5 ,  3:-2.  } / 5 '::sparsevec, '{}/1000000000'::sparsevec, '{1000000000:1}/1000000000'::sparsevec;
SELECT '{1:1.23456,2:0.1,3:1e-8,4:-1e-5,5:0.0001,6:3.4028235e38,7:1e-45,8:0x1p-3,9:16777217}/9'::sparsevec;
SELECT '{1:100,2:-99999,3:999999,4:1000000,5:-1e6,6:123456.7,7:999999.5}/7'::sparsevec;

-- any order; zeros are left out
SELECT '{5:5,1:1,3:3}/5'::sparsevec, '{1:0,2:1,3:-0}/3'::sparsevec, '{9:0,1:1}/3'::sparsevec;

-- short header, in line, out of line, the most there can be
CREATE TABLE sparse_t (id int, v sparsevec);
INSERT INTO sparse_t SELECT n, ('{' || coalesce(string_agg(i * 7 || ':' || (i % 5 + 1) * 0.5 - 10, ',' ORDER BY i), '') || '}/200000')::sparsevec
    FROM unnest(ARRAY[0, 1, 2, 13, 14, 15, 16, 100, 2000, 16000]) n LEFT JOIN LATERAL generate_series(1, n) i ON true GROUP BY n;
SELECT id, pg_column_size(v), l1_distance(v, '{}/200000') FROM sparse_t ORDER BY id;
SELECT count(*) FROM sparse_t WHERE v::text::sparsevec = v;
SELECT sparsevec_send('{1:1,3:-2,4:0.5}/6'::sparsevec), sparsevec_send('{}/3'::sparsevec);

-- errors: syntax
\set VERBOSITY default
SELECT '{1:hello,2:1}/2'::sparsevec;
SELECT ''::sparsevec;
SELECT '[1,2]'::sparsevec;
SELECT '{'::sparsevec;
SELECT '{1'::sparsevec;
SELECT '{1:1'::sparsevec;
SELECT '{1:1,'::sparsevec;
SELECT '{1:1,}/1'::sparsevec;
SELECT '{:1}/1'::sparsevec;
SELECT '{1:}/1'::sparsevec;
SELECT '{1.5:1}/1'::sparsevec;
SELECT '{1:1x}/1'::sparsevec;
SELECT '{1:1 2:1}/2'::sparsevec;
SELECT '{1:1}'::sparsevec;
SELECT '{1:1}/'::sparsevec;
SELECT '{1:1}/x'::sparsevec;
SELECT '{1:1}/1a'::sparsevec;

-- errors: values
SELECT '{1:NaN,2:1}/2'::sparsevec;
SELECT '{1:1,2:-Infinity}/2'::sparsevec;
SELECT '{1:4e38,2:1}/2'::sparsevec;
SELECT '{1: -1e-46 ,2:1}/2'::sparsevec;

-- errors: positions and dimensions
SELECT '{0:1}/1'::sparsevec;
SELECT '{2:1}/1'::sparsevec;
SELECT '{-2147483649:1}/1'::sparsevec;
SELECT '{2147483648:1}/1'::sparsevec;
SELECT '{1:1,2:1,1:1}/2'::sparsevec;
SELECT '{}/0'::sparsevec;
SELECT '{}/1000000001'::sparsevec;
SELECT '{}/9223372036854775808'::sparsevec;
SELECT ('{1:0' || repeat(',1:0', 15999) || '}/1')::sparsevec;
SELECT ('{1:0' || repeat(',1:0', 16000) || '}/1')::sparsevec;

-- the same with their SQLSTATE
\set VERBOSITY sqlstate
SELECT '{1:1'::sparsevec;
SELECT '{1:NaN}/1'::sparsevec;
SELECT '{1:4e38}/1'::sparsevec;
SELECT '{2:1}/1'::sparsevec;
SELECT '{1:1,1:1}/1'::sparsevec;
SELECT '{}/0'::sparsevec;
SELECT '{}/1000000001'::sparsevec;
SELECT ('{1:0' || repeat(',1:0', 16000) || '}/1')::sparsevec;
SELECT '{}/3'::sparsevec(2);
SELECT '{}/3'::sparsevec(0);
SELECT '{}/2'::sparsevec <-> '{}/3';
\set VERBOSITY default

-- typmod
SELECT '{1:1}/3'::sparsevec(3), format_type('sparsevec'::regtype, 1000000000);
SELECT '{1:1}/3'::sparsevec(2);
SELECT '{1:1}/3'::sparsevec(3, 2);
SELECT '{1:1}/3'::sparsevec('a');
SELECT '{1:1}/3'::sparsevec(0);
SELECT '{1:1}/3'::sparsevec(1000000001);
CREATE TABLE sparse_3 (v sparsevec(3));
INSERT INTO sparse_3 VALUES ('{1:1,3:3}/3'), (NULL);
INSERT INTO sparse_3 VALUES ('{1:1}/2');
INSERT INTO sparse_3 VALUES (ARRAY[1, 2]);
INSERT INTO sparse_3 VALUES ('[1,2]'::vector);
INSERT INTO sparse_3 VALUES (ARRAY[1, 0, 2]), ('[0,5,0]'::vector), ('[0,0,6]'::halfvec);
SELECT * FROM sparse_3;
-- from values out of line, which are looked at without being fetched whole
ALTER TABLE sparse_t ALTER v TYPE sparsevec(200000);
ALTER TABLE sparse_t ALTER v TYPE sparsevec(200001);

-- COPY as text, and as binary: the same bits
CREATE TABLE sparse_copy (LIKE sparse_t);
COPY (SELECT * FROM sparse_t WHERE id IN (0, 2) ORDER BY id) TO STDOUT;
COPY sparse_copy FROM STDIN;
1	{3:1,1:2}/200000
2	\N
\.
COPY sparse_copy FROM STDIN;
3	{1:1}/3
\.
SELECT * FROM sparse_copy ORDER BY id;
TRUNCATE sparse_copy;
SELECT current_setting('data_directory') || '/sparsevec_copy.bin' AS file \gset
COPY sparse_t TO :'file' WITH (FORMAT binary);
COPY sparse_copy FROM :'file' WITH (FORMAT binary);
SELECT count(*), count(*) FILTER (WHERE sparsevec_send(a.v) <> sparsevec_send(b.v)) AS different FROM sparse_t a JOIN sparse_copy b USING (id);

-- binary input that is damaged: each file is one row with one column of the bytes given
CREATE TABLE sparse_bad (v sparsevec);
CREATE TABLE sparse_bad7 (v sparsevec(7));
CREATE FUNCTION pg_temp.binary_input(dims int, nnz int, unused int, indices int[], vals real[], cut int DEFAULT 0, target text DEFAULT 'sparse_bad') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    file text := current_setting('data_directory') || '/sparsevec_copy.bin';
    data bytea := int4send(dims) || int4send(nnz) || int4send(unused);
    state text;
    message text;
    result text;
    i int;
BEGIN
    FOREACH i IN ARRAY indices LOOP data := data || int4send(i); END LOOP;
    FOR i IN 1..coalesce(array_length(vals, 1), 0) LOOP data := data || float4send(vals[i]); END LOOP;
    data := substr(data, 1, length(data) - cut);
    data := '\x5047434f50590aff0d0a00'::bytea || '\x0000000000000000'::bytea || '\x0001'::bytea || int4send(length(data)) || data || '\xffff'::bytea;
    PERFORM lo_from_bytea(424242, data);
    PERFORM lo_export(424242, file);
    PERFORM lo_unlink(424242);
    EXECUTE format('TRUNCATE %I', target);
    EXECUTE format('COPY %I FROM %L WITH (FORMAT binary)', target, file);
    EXECUTE format('SELECT v::text FROM %I', target) INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN state || ' ' || message;
END $$;
SELECT pg_temp.binary_input(5, 2, 0, '{0,4}', '{1.5,-1e-45}'), pg_temp.binary_input(1000000000, 1, 0, '{999999999}', '{3e38}'), pg_temp.binary_input(3, 0, 0, '{}', '{}');
SELECT pg_temp.binary_input(0, -1, 1, '{}', '{}');
SELECT pg_temp.binary_input(1000000001, 0, 0, '{}', '{}');
SELECT pg_temp.binary_input(5, -1, 1, '{}', '{}');
SELECT pg_temp.binary_input(20000, 16001, 1, '{}', '{}');
SELECT pg_temp.binary_input(2, 3, 1, '{0,1,2}', '{1,1,1}');
SELECT pg_temp.binary_input(5, 0, 1, '{}', '{}', 0, 'sparse_bad7');
SELECT pg_temp.binary_input(7, 0, 1, '{}', '{}', 0, 'sparse_bad7');
SELECT pg_temp.binary_input(5, 1, 0, '{5}', '{1}');
SELECT pg_temp.binary_input(5, 1, 0, '{-1}', '{1}');
SELECT pg_temp.binary_input(5, 2, 0, '{2,1}', '{1,1}');
SELECT pg_temp.binary_input(5, 2, 0, '{2,2}', '{1,1}');
SELECT pg_temp.binary_input(5, 2, 0, '{1,2}', '{NaN,1}');
SELECT pg_temp.binary_input(5, 2, 0, '{1,2}', '{1,-Infinity}');
SELECT pg_temp.binary_input(5, 2, 0, '{1,2}', '{1,0}');
SELECT pg_temp.binary_input(5, 2, 0, '{1,2}', '{1,1}', 1);
SELECT pg_temp.binary_input(5, 2, 0, '{1,2}', '{}');
SELECT pg_temp.binary_input(5, 2, 0, '{1,2}', '{1,1,1}');
SELECT pg_temp.binary_input(5, 2, 0, '{}', '{}', 8);
DROP TABLE sparse_t, sparse_3, sparse_copy, sparse_bad, sparse_bad7;
