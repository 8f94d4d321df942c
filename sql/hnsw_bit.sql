-- Access method hnsw on core bit strings: Hamming and Jaccard distance.
SET enable_seqscan = off;
SET jit = off;

-- a few rows; one that comes after the build; NULL is left out
CREATE TABLE hb_small (val bit(3));
INSERT INTO hb_small VALUES (B'000'), (B'100'), (B'111'), (NULL);
CREATE INDEX hb_small_hamming ON hb_small USING hnsw (val bit_hamming_ops);
INSERT INTO hb_small VALUES (B'110');
EXPLAIN (COSTS OFF) SELECT * FROM hb_small ORDER BY val <~> B'111';
SELECT val, val <~> B'111' AS d FROM hb_small ORDER BY val <~> B'111';
SELECT count(*) FROM (SELECT * FROM hb_small ORDER BY val <~> (SELECT NULL::bit)) t;
SELECT * FROM hb_small ORDER BY val <~> B'1111';
DROP INDEX hb_small_hamming;
CREATE INDEX hb_small_jaccard ON hb_small USING hnsw (val bit_jaccard_ops);
SELECT val, val <%> B'111' AS d FROM hb_small ORDER BY val <%> B'111';
-- without a common bit all are equally far
SELECT count(*), min(d), max(d) FROM (SELECT val <%> B'000' AS d FROM hb_small ORDER BY val <%> B'000') t;
TRUNCATE hb_small;
SELECT * FROM hb_small ORDER BY val <%> B'111';
DROP TABLE hb_small;

-- what cannot be indexed
CREATE TABLE hb_any (val varbit(70000), free "bit", wide bit(64001));
CREATE INDEX ON hb_any USING hnsw (val bit_hamming_ops);
CREATE INDEX ON hb_any USING hnsw (free bit_hamming_ops);
CREATE INDEX ON hb_any USING hnsw (wide bit_hamming_ops);
CREATE INDEX ON hb_any USING hnsw ((val::bit(64001)) bit_jaccard_ops);
CREATE INDEX ON hb_any USING hnsw ((val::bit(64000)));
CREATE INDEX ON hb_any USING hnsw ((val::bit(64)) bit_hamming_ops) WITH (layout = fused);
CREATE INDEX ON hb_any USING hnsw ((val::bit(64)) bit_hamming_ops) WITH (precision = 8);
CREATE INDEX ON hb_any USING hnsw ((val::bit(64)) bit_hamming_ops) WITH (m = 16, ef_construction = 31);
CREATE INDEX ON hb_any USING hnsw ((val::bit(64)) bit_hamming_ops) WITH (layout = compact, m = 2, ef_construction = 4);
DROP TABLE hb_any;

-- For each query: the first 300 rows are in the order of the operator, and their distances are what it says; of all rows (the last of
-- which may come late) each comes once.
CREATE FUNCTION hb_disorder(rows_of regclass, operator text, queries text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE wrong bigint := 0; lost bigint := 0; n bigint; m bigint; q text;
BEGIN
    FOREACH q IN ARRAY queries LOOP
        EXECUTE format($q$
            WITH first AS MATERIALIZED (SELECT id, v %1$s %3$L AS d FROM %2$s ORDER BY v %1$s %3$L LIMIT 300),
                 whole AS MATERIALIZED (SELECT id, v %1$s %3$L AS d FROM %2$s ORDER BY v %1$s %3$L),
                 exact AS MATERIALIZED (SELECT id, (v %1$s %3$L) + 0 AS d FROM %2$s WHERE v IS NOT NULL)
            SELECT (SELECT count(*) FROM (SELECT d, lag(d) OVER () AS before FROM first) t WHERE before > d)
                       + (SELECT count(*) FROM first LEFT JOIN exact USING (id) WHERE first.d IS DISTINCT FROM exact.d),
                   (SELECT count(*) FROM whole FULL JOIN exact USING (id) WHERE whole.d IS DISTINCT FROM exact.d)
                       + (SELECT count(*) - count(DISTINCT id) FROM whole)
                   $q$, operator, rows_of, q) INTO n, m;
        wrong := wrong + n;
        lost := lost + m;
    END LOOP;
    RETURN format('%s out of order, %s lost', wrong, lost);
END $$;

-- 3,000 rows around 25 strings, an eighth of the bits differs; a tenth of them equal to others; NULLs
CREATE FUNCTION hb_row(i bigint) RETURNS bit(128) LANGUAGE sql IMMUTABLE
    AS $$ SELECT ('x' || md5('centre' || i % 25))::bit(128)
                 # (('x' || md5('a' || i))::bit(128) & ('x' || md5('b' || i))::bit(128) & ('x' || md5('c' || i))::bit(128)) $$;
CREATE TABLE hb_rows (id int, v bit(128));
INSERT INTO hb_rows SELECT i, CASE WHEN i % 10 = 0 THEN hb_row(i % 100) WHEN i % 97 <> 0 THEN hb_row(i) END FROM generate_series(1, 3000) i;
CREATE TABLE hb_queries AS SELECT array_agg(q::text) AS q FROM (VALUES (hb_row(3)), (hb_row(111111)), (~hb_row(4)), (B'1'::bit(128)), (B'0'::bit(128))) t(q);

CREATE FUNCTION hb_report(index regclass, operator text) RETURNS TABLE (problems bigint, disorder text, recall_ok bool) LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM vecdb.check_index(index)), hb_disorder('hb_rows', operator, q), (SELECT recall >= 0.97 FROM vecdb.check_recall(index, 50))
    FROM hb_queries $$;

CREATE INDEX hb_hamming ON hb_rows USING hnsw (v bit_hamming_ops);
SELECT * FROM hb_report('hb_hamming', '<~>');
SELECT method, metric, dimensions, rows, dead_slots, storage, parameters - 'ef_search' AS parameters FROM vecdb.index_info('hb_hamming');
SELECT id, v <~> hb_row(7) AS d FROM hb_rows ORDER BY v <~> hb_row(7) LIMIT 1;
SELECT index, rows_returned, stop_reason FROM vecdb.last_scan_stats();
-- the distances are exact, so no row is computed again
SELECT rechecked FROM vecdb.last_scan_stats();
DROP INDEX hb_hamming;
CREATE INDEX hb_jaccard ON hb_rows USING hnsw (v bit_jaccard_ops);
SELECT * FROM hb_report('hb_jaccard', '<%>');
DROP INDEX hb_jaccard;

-- begun empty: inserts, deletes, vacuum, inserts again
CREATE TABLE hb_source AS SELECT * FROM hb_rows;
TRUNCATE hb_rows;
CREATE INDEX hb_hamming ON hb_rows USING hnsw (v bit_hamming_ops) WITH (m = 8);
INSERT INTO hb_rows SELECT * FROM hb_source ORDER BY id;
SELECT * FROM hb_report('hb_hamming', '<~>');
DELETE FROM hb_rows WHERE id % 3 = 0;
VACUUM hb_rows;
SELECT * FROM hb_report('hb_hamming', '<~>');
INSERT INTO hb_rows SELECT * FROM hb_source WHERE id % 3 = 0;
UPDATE hb_rows SET v = ~v WHERE id % 100 = 1;
SELECT * FROM hb_report('hb_hamming', '<~>');
DROP INDEX hb_hamming;
TRUNCATE hb_rows;
CREATE INDEX hb_jaccard ON hb_rows USING hnsw (v bit_jaccard_ops);
INSERT INTO hb_rows SELECT * FROM hb_source ORDER BY id;
SELECT * FROM hb_report('hb_jaccard', '<%>');

-- iterative scans: a condition that few rows pass
SET hnsw.ef_search = 10;
SET hnsw.iterative_scan = strict_order;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hb_rows WHERE id % 50 = 7 ORDER BY v <%> hb_row(7) LIMIT 20) t;
SET hnsw.iterative_scan = relaxed_order;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hb_rows WHERE id % 50 = 7 ORDER BY v <%> hb_row(7) LIMIT 20) t;
SET hnsw.max_scan_tuples = 100;
SELECT count(*) < 60 AS few FROM (SELECT id FROM hb_rows WHERE id % 50 = 7 ORDER BY v <%> hb_row(7)) t;
RESET hnsw.max_scan_tuples;
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;
DROP TABLE hb_rows, hb_source;

-- the longest strings there are: codes that go on beside their slots
CREATE FUNCTION hb_wide(i int) RETURNS bit(64000) LANGUAGE sql IMMUTABLE
    AS $$ SELECT string_agg(('x' || md5((i % 7) || '.' || CASE WHEN k % 9 = 0 THEN i ELSE 0 END || '.' || k))::bit(128)::text, '' ORDER BY k)::bit(64000)
          FROM generate_series(1, 500) k $$;
CREATE TABLE hb_wide (id int, v bit(64000));
INSERT INTO hb_wide SELECT i, hb_wide(i) FROM generate_series(1, 60) i;
CREATE INDEX hb_wide_i ON hb_wide USING hnsw (v bit_hamming_ops);
CREATE INDEX hb_wide_m ON hb_wide USING hnsw (v bit_jaccard_ops) WITH (m = 48, ef_construction = 96);
INSERT INTO hb_wide SELECT i, hb_wide(i) FROM generate_series(61, 90) i;
DELETE FROM hb_wide WHERE id % 4 = 0;
VACUUM hb_wide;
INSERT INTO hb_wide SELECT i, hb_wide(i) FROM generate_series(91, 100) i;
SELECT * FROM vecdb.check_index('hb_wide_i');
SELECT * FROM vecdb.check_index('hb_wide_m');
SELECT hb_disorder('hb_wide', '<~>', ARRAY[hb_wide(3)::text, hb_wide(1003)::text]);
SELECT hb_disorder('hb_wide', '<%>', ARRAY[hb_wide(3)::text, hb_wide(1003)::text]);
DROP TABLE hb_wide;

-- bits of vectors, with the nearest 20 sorted by the vectors themselves
CREATE TABLE hb_v (id int, v vector(32));
INSERT INTO hb_v SELECT i, array_agg(((hashint4(i % 40 * 100 + d) & 255) - 128 + (hashint4(i * 100 + d) & 31))::real ORDER BY d)::vector(32)
    FROM generate_series(1, 1000) i, generate_series(1, 32) d GROUP BY i;
CREATE INDEX hb_v_bits ON hb_v USING hnsw ((binary_quantize(v)::bit(32)) bit_hamming_ops);
EXPLAIN (COSTS OFF)
SELECT id FROM (SELECT id, v FROM hb_v ORDER BY binary_quantize(v)::bit(32) <~> binary_quantize((SELECT v FROM hb_v WHERE id = 7))::bit(32) LIMIT 20) t
    ORDER BY v <=> (SELECT v FROM hb_v WHERE id = 7) LIMIT 3;
SELECT id FROM (SELECT id, v FROM hb_v ORDER BY binary_quantize(v)::bit(32) <~> binary_quantize((SELECT v FROM hb_v WHERE id = 7))::bit(32) LIMIT 20) t
    ORDER BY v <=> (SELECT v FROM hb_v WHERE id = 7) LIMIT 1;
SELECT * FROM vecdb.check_index('hb_v_bits');
DROP TABLE hb_v;
DROP FUNCTION hb_row, hb_wide, hb_report, hb_disorder;
DROP TABLE hb_queries;
