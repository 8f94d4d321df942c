-- Distances of core bit strings: Hamming and Jaccard.
SELECT '111'::bit(3) <~> '111' AS "0", '111'::bit(3) <~> '110' AS "1", '111'::bit(3) <~> '100' AS "2", '111'::bit(3) <~> '000' AS "3";
SELECT hamming_distance('10101010101010101010', '01010101010101010101');
SELECT '1111'::bit(4) <%> '1111' AS same, '1111'::bit(4) <%> '1110' AS quarter, '1100'::bit(4) <%> '1000' AS half, '1111'::bit(4) <%> '0000' AS none, '1100'::bit(4) <%> '0011' AS apart;
SELECT jaccard_distance('10101010101010101010', '01010101010101010101');

-- no bit at all is no common bit
SELECT hamming_distance('', ''), jaccard_distance('', ''), jaccard_distance('000', '000');

-- varbit is the same value; what counts is the length, not the declared one
SELECT hamming_distance('111', '000'::varbit(4)), jaccard_distance('1110', '0110'::varbit(5)), '111'::varbit <~> '101'::varbit AS varbits;

-- lengths must agree
\set VERBOSITY sqlstate
SELECT hamming_distance('111', '00');
SELECT jaccard_distance('1111', '000');
\set VERBOSITY default
SELECT hamming_distance('111', '00');
SELECT hamming_distance('111', '0000'::varbit(4));
SELECT jaccard_distance('1111', '000');
SELECT jaccard_distance('1111', '00000'::varbit(5));
SELECT hamming_distance(NULL, '111'), jaccard_distance('111', NULL);

-- lengths up to 700 against counting the characters
CREATE FUNCTION bit_text(length int, step int) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT string_agg(CASE WHEN (i::bigint * i + i / 3) % step < 2 THEN '1' ELSE '0' END, '' ORDER BY i) FROM generate_series(1, length) i $$;
SELECT count(*), count(*) FILTER (WHERE a::bit varying <~> b::bit varying <> different) AS hamming_wrong,
       count(*) FILTER (WHERE a::bit varying <%> b::bit varying <> CASE WHEN both_set = 0 THEN 1 ELSE 1 - both_set::float8 / either_set END) AS jaccard_wrong
FROM generate_series(1, 700) n, bit_text(n, 3) a, bit_text(n, 5) b,
     LATERAL (SELECT count(*) FILTER (WHERE substr(a, i, 1) <> substr(b, i, 1)) AS different,
                     count(*) FILTER (WHERE substr(a, i, 1) = '1' AND substr(b, i, 1) = '1') AS both_set,
                     count(*) FILTER (WHERE '1' IN (substr(a, i, 1), substr(b, i, 1))) AS either_set
              FROM generate_series(1, n) i) t
WHERE n <= 200 OR n % 29 = 0;

-- the same through stored values: short header, in line, compressed, out of line
CREATE TABLE bit_t (n int, b varbit);
INSERT INTO bit_t SELECT n, bit_text(n, 5)::varbit FROM unnest(ARRAY[1, 8, 100, 1000, 10000, 64000, 200000]) n;
ALTER TABLE bit_t ALTER b SET STORAGE external;
INSERT INTO bit_t SELECT n + 1, bit_text(n + 1, 5)::varbit FROM unnest(ARRAY[1000, 64000]) n;
SELECT n, b <~> b AS zero, b <~> ~b AS all_bits, b <%> ~b AS one, b <~> set_bit(set_bit(b, 0, 1 - get_bit(b, 0)), n - 1, 1 - get_bit(b, n - 1)) AS two FROM bit_t WHERE n > 1 ORDER BY n;

-- a query, and what vector gives
CREATE TABLE bit_items (id int, code bit(8));
INSERT INTO bit_items SELECT i, i::bit(8) FROM generate_series(0, 255) i;
SELECT id, code, code <~> B'10110001' AS hamming FROM bit_items ORDER BY code <~> B'10110001', id LIMIT 10;
SELECT id, code, round((code <%> B'10110001')::numeric, 4) AS jaccard FROM bit_items ORDER BY code <%> B'10110001', id LIMIT 10;
SELECT binary_quantize('[1,-2,3,0,5]'::vector)::bit(5) <~> binary_quantize('[1,2,3,4,-5]'::vector)::bit(5) AS hamming;
INSERT INTO bit_items VALUES (256, B'1');

-- the catalogue, as pgvector's
SELECT p.oid::regprocedure, prorettype::regtype, provolatile, proisstrict, proparallel, obj_description(p.oid, 'pg_proc')
FROM pg_proc p WHERE proname IN ('hamming_distance', 'jaccard_distance') ORDER BY proname;
SELECT o.oid::regoperator, oprresult::regtype, oprcode, oprcom::regoperator, oprnegate, oprrest, obj_description(o.oid, 'pg_operator')
FROM pg_operator o WHERE oprname IN ('<~>', '<%>') ORDER BY oprname DESC;

-- long strings cost more; those out of line most
CREATE TABLE bit_wide (a bit(64), b bit(8000), c bit(64000));
CREATE FUNCTION sort_cost(code text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM bit_wide ORDER BY ' || code INTO plan;
    RETURN (plan->0->'Plan'->>'Total Cost')::numeric;
END $$;
SELECT sort_cost('a <~> a') < sort_cost('b <~> b') AS longer, 5 * sort_cost('b <~> b') < sort_cost('c <~> c') AS out_of_line;

DROP FUNCTION sort_cost(text);
DROP TABLE bit_t, bit_items, bit_wide;
DROP FUNCTION bit_text(int, int);
