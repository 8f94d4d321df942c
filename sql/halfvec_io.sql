-- Type halfvec: text, binary, typmod, storage, and what is refused.
SELECT '[1,2,3]'::halfvec, ' [ 1,  -2 ,  3.  ] '::halfvec, '[1.23456,0.1,1e-8,-1e-8]'::halfvec, '[0x1p-3,6e-8,65504]'::halfvec;
SELECT '[65519,-65519]'::halfvec;

-- short header, in line, out of line
CREATE TABLE half_t (id int, v halfvec);
INSERT INTO half_t SELECT n, array_agg(i % 3 + 0.5 * n)::halfvec FROM unnest(ARRAY[1, 2, 3, 5, 8, 60, 61, 62, 63, 100, 2000, 16000]) n, generate_series(1, n) i GROUP BY n;
SELECT id, vector_dims(v), pg_column_size(v) FROM half_t ORDER BY id;
SELECT count(*) FROM half_t WHERE v::text::halfvec = v;
SELECT halfvec_send('[1,-2,0.5]'::halfvec);
SELECT typlen, typbyval, typtype, typcategory, typalign, typstorage FROM pg_type WHERE oid = 'halfvec'::regtype;

-- errors, with SQLSTATE
\set VERBOSITY sqlstate
SELECT '[65520]'::halfvec;
SELECT '[hello]'::halfvec;
SELECT '[NaN]'::halfvec;
SELECT '[]'::halfvec;
SELECT array_fill(0, ARRAY[16001])::halfvec;
SELECT '[1,2]'::halfvec(3);
SELECT '[1]'::halfvec(0);
SELECT '[1]'::halfvec + '[1,2]';
SELECT '[65504]'::halfvec + '[65504]';
\set VERBOSITY default
SELECT '[65520,-65520]'::halfvec;
SELECT '[4e38,1]'::halfvec;
SELECT '[hello,1]'::halfvec;
SELECT '[NaN,1]'::halfvec;
SELECT '[1,-Infinity]'::halfvec;
SELECT ''::halfvec;
SELECT '1,2'::halfvec;
SELECT '[1,2'::halfvec;
SELECT '[1,2]3'::halfvec;
SELECT '[1,,2]'::halfvec;
SELECT '[ ]'::halfvec;
SELECT array_fill(0, ARRAY[16001])::halfvec;
SELECT ('[' || repeat('1,', 16000) || '1]')::halfvec;

-- typmod
SELECT '[1,2,3]'::halfvec(3), format_type('halfvec'::regtype, 3);
SELECT '[1,2,3]'::halfvec(2);
SELECT '[1,2,3]'::halfvec(3, 2);
SELECT '[1,2,3]'::halfvec(0);
SELECT '[1,2,3]'::halfvec(16001);
CREATE TABLE half_3 (v halfvec(3));
INSERT INTO half_3 VALUES ('[1,2,3]'), (NULL);
INSERT INTO half_3 VALUES ('[1,2]');
INSERT INTO half_3 VALUES (ARRAY[1, 2]);
INSERT INTO half_3 VALUES ('[1,2]'::vector);
SELECT * FROM half_3;

-- binary out and in again: the same bits
CREATE TABLE half_copy (LIKE half_t);
SELECT current_setting('data_directory') || '/halfvec_copy.bin' AS file \gset
COPY half_t TO :'file' WITH (FORMAT binary);
COPY half_copy FROM :'file' WITH (FORMAT binary);
SELECT count(*), count(*) FILTER (WHERE halfvec_send(a.v) <> halfvec_send(b.v)) AS different FROM half_t a JOIN half_copy b USING (id);
CREATE TABLE half_wrong (id int, v halfvec(7));
COPY half_wrong FROM :'file' WITH (FORMAT binary);
DROP TABLE half_copy, half_wrong;

-- the wire form is pgvector's
CREATE TABLE half_wire (hex text);
INSERT INTO half_wire SELECT encode(halfvec_send(v), 'hex') FROM half_t WHERE id <= 3 ORDER BY id;
SELECT * FROM half_wire;
DROP TABLE half_t, half_3, half_wire;
