-- Access method hnsw on sparse vectors.
SET enable_seqscan = off;
SET jit = off;

-- a few rows, the empty vector, NULL; one that comes after the build
CREATE TABLE hs_small (val sparsevec(3));
INSERT INTO hs_small VALUES ('{}/3'), ('{1:1,2:2,3:3}/3'), ('{1:1,2:1,3:1}/3'), (NULL);
CREATE INDEX hs_small_l2 ON hs_small USING hnsw (val sparsevec_l2_ops);
INSERT INTO hs_small VALUES ('{1:1,2:2,3:4}/3');
EXPLAIN (COSTS OFF) SELECT * FROM hs_small ORDER BY val <-> '{1:3,2:3,3:3}/3';
SELECT * FROM hs_small ORDER BY val <-> '{1:3,2:3,3:3}/3';
SELECT count(*) FROM (SELECT * FROM hs_small ORDER BY val <-> (SELECT NULL::sparsevec)) t;
SELECT * FROM hs_small ORDER BY val <-> '{1:1}/4';
DROP INDEX hs_small_l2;
CREATE INDEX hs_small_ip ON hs_small USING hnsw (val sparsevec_ip_ops);
SELECT val, val <#> '{1:3,2:3,3:3}/3' AS d FROM hs_small ORDER BY val <#> '{1:3,2:3,3:3}/3';
DROP INDEX hs_small_ip;
CREATE INDEX hs_small_l1 ON hs_small USING hnsw (val sparsevec_l1_ops);
SELECT val, val <+> '{1:3,2:3,3:3}/3' AS d FROM hs_small ORDER BY val <+> '{1:3,2:3,3:3}/3';
DROP INDEX hs_small_l1;
-- cosine: without the empty vector, also of those that come later
CREATE INDEX hs_small_cosine ON hs_small USING hnsw (val sparsevec_cosine_ops);
INSERT INTO hs_small VALUES ('{}/3'), ('{3:2}/3');
SELECT val, round((val <=> '{1:3,2:3,3:3}/3')::numeric, 6) AS d FROM hs_small ORDER BY val <=> '{1:3,2:3,3:3}/3';
SELECT count(*) FROM (SELECT * FROM hs_small ORDER BY val <=> '{}/3') t;
SELECT count(*) FROM (SELECT * FROM hs_small ORDER BY val <=> (SELECT NULL::sparsevec)) t;
SELECT * FROM vecdb.check_index('hs_small_cosine');
TRUNCATE hs_small;
SELECT * FROM hs_small ORDER BY val <=> '{1:3,2:3,3:3}/3';
DROP TABLE hs_small;

-- what cannot be indexed
CREATE TABLE hs_any (free sparsevec, val sparsevec(5), v vector(3));
CREATE INDEX ON hs_any USING hnsw (free sparsevec_l2_ops);
CREATE INDEX ON hs_any USING hnsw (val);
CREATE INDEX ON hs_any USING hnsw (val vector_l2_ops);
CREATE INDEX ON hs_any USING hnsw (val sparsevec_l2_ops) WITH (layout = fused);
CREATE INDEX ON hs_any USING hnsw (val sparsevec_l2_ops) WITH (precision = 16);
CREATE INDEX ON hs_any USING hnsw (val sparsevec_l2_ops) WITH (m = 16, ef_construction = 31);
CREATE INDEX ON hs_any USING hnsw ((free::sparsevec(7)) sparsevec_l1_ops);
CREATE INDEX ON hs_any USING hnsw ((v::sparsevec(3)) sparsevec_l2_ops) WITH (layout = compact);
INSERT INTO hs_any VALUES ('{1:1}/7', '{}/5', '[1,0,2]'), ('{2:1}/7', '{}/5', '[0,0,2]');
INSERT INTO hs_any VALUES ('{1:1}/8', NULL, NULL);
SELECT v FROM hs_any ORDER BY v::sparsevec(3) <-> '{3:2}/3';
DROP TABLE hs_any;

-- For each query: the first 300 rows are in the order of the operator, and their distances are what it says; of all rows (the last of
-- which may come late) each comes once.
CREATE FUNCTION hs_disorder(rows_of regclass, operator text, queries sparsevec[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE wrong bigint := 0; lost bigint := 0; n bigint; m bigint; q sparsevec;
BEGIN
    FOREACH q IN ARRAY queries LOOP
        EXECUTE format($q$
            WITH first AS MATERIALIZED (SELECT id, v %1$s %3$L AS d FROM %2$s ORDER BY v %1$s %3$L LIMIT 300),
                 whole AS MATERIALIZED (SELECT id, v %1$s %3$L AS d FROM %2$s ORDER BY v %1$s %3$L),
                 exact AS MATERIALIZED (SELECT id, (v %1$s %3$L) + 0 AS d FROM %2$s WHERE v IS NOT NULL AND (%1$L <> '<=>' OR l2_norm(v) > 0))
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

-- 1,600 rows of about 30 non-zeros among 5,000 dimensions, half of them from one of 25 sets; each 40th has about 400; a tenth equal to
-- others; NULLs and empty ones. Small integers, so that many distances are equal.
CREATE FUNCTION hs_row(i int, dims int DEFAULT 5000, many int DEFAULT NULL) RETURNS sparsevec LANGUAGE sql IMMUTABLE AS $$
    SELECT ('{' || string_agg(k || ':' || w, ',' ORDER BY k) || '}/' || dims)::sparsevec
    FROM (SELECT 1 + (h & 2147483647) % dims AS k, max(1 + (h >> 8 & 3)) AS w
          FROM generate_series(1, coalesce(many, CASE WHEN i % 40 = 1 THEN 200 ELSE 10 + i % 11 END)) d,
               LATERAL (VALUES (hashint4(-(i % 25) * 4096 - d)), (hashint4(i * 4096 + d))) t(h) GROUP BY k) s $$;
CREATE TABLE hs_source (id int, v sparsevec(5000));
INSERT INTO hs_source SELECT i, CASE WHEN i % 10 = 0 THEN hs_row(i % 100) WHEN i % 97 = 0 THEN NULL WHEN i % 89 = 0 THEN '{}/5000' ELSE hs_row(i) END
    FROM generate_series(1, 1600) i;
CREATE TABLE hs_rows (id int, v sparsevec(5000));
CREATE TABLE hs_queries AS SELECT array_agg(q) AS q FROM (VALUES (hs_row(3)), (hs_row(111110)), (hs_row(41)), ('{1:1,5000:-2}/5000'::sparsevec)) t(q);
CREATE FUNCTION hs_report(index regclass, operator text) RETURNS TABLE (problems bigint, disorder text, recall_ok bool) LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM vecdb.check_index(index)), hs_disorder('hs_rows', operator, q), (SELECT recall >= 0.95 FROM vecdb.check_recall(index, 50))
    FROM hs_queries $$;

-- each class: built; then begun empty with inserts, deletes, vacuum, inserts again
CREATE FUNCTION hs_cycle(class text, operator text, options text DEFAULT '') RETURNS TABLE (step text, problems bigint, disorder text, recall_ok bool) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE hs_rows;
    INSERT INTO hs_rows SELECT * FROM hs_source ORDER BY id;
    EXECUTE format('CREATE INDEX hs_i ON hs_rows USING hnsw (v %s) %s', class, options);
    RETURN QUERY SELECT class || ' built', * FROM hs_report('hs_i', operator);
    TRUNCATE hs_rows;
    INSERT INTO hs_rows SELECT * FROM hs_source ORDER BY id % 7, id;
    RETURN QUERY SELECT class || ' inserted', * FROM hs_report('hs_i', operator);
    DROP INDEX hs_i;
END $$;
SELECT * FROM hs_cycle('sparsevec_l2_ops', '<->');
SELECT * FROM hs_cycle('sparsevec_ip_ops', '<#>');
SELECT * FROM hs_cycle('sparsevec_cosine_ops', '<=>', 'WITH (m = 24)');
SELECT * FROM hs_cycle('sparsevec_l1_ops', '<+>', 'WITH (m = 8)');

-- slots and chains are used again, also by longer and by shorter codes
CREATE INDEX hs_i ON hs_rows USING hnsw (v sparsevec_l2_ops);
SELECT method, metric, dimensions, rows, dead_slots, storage, compression_ratio, parameters - 'ef_search' AS parameters FROM vecdb.index_info('hs_i');
DELETE FROM hs_rows WHERE id % 3 = 0;
VACUUM hs_rows;
SELECT * FROM hs_report('hs_i', '<->');
INSERT INTO hs_rows SELECT id, hs_row(id + 7) FROM hs_source WHERE id % 3 = 0;
SELECT * FROM hs_report('hs_i', '<->');
UPDATE hs_rows SET v = hs_row(id * 40 + 1) WHERE id % 30 = 1;
DELETE FROM hs_rows WHERE id % 4 = 0;
VACUUM hs_rows;
INSERT INTO hs_rows SELECT id, hs_row(id * 40 + 1) FROM hs_source WHERE id % 40 = 0;
INSERT INTO hs_rows SELECT id, hs_row(id) FROM hs_source WHERE id % 4 = 0 AND id % 40 <> 0;
SELECT * FROM hs_report('hs_i', '<->');
DELETE FROM hs_rows;
VACUUM hs_rows;
SELECT * FROM vecdb.check_index('hs_i');
SELECT count(*) FROM (SELECT id FROM hs_rows ORDER BY v <-> hs_row(1)) t;
INSERT INTO hs_rows SELECT id, hs_row(id) FROM hs_source;
SELECT * FROM hs_report('hs_i', '<->');
DROP INDEX hs_i;

-- iterative scans: a condition that few rows pass
CREATE INDEX hs_i ON hs_rows USING hnsw (v sparsevec_cosine_ops);
SET hnsw.ef_search = 10;
SET hnsw.iterative_scan = strict_order;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hs_rows WHERE id % 50 = 7 ORDER BY v <=> hs_row(7) LIMIT 20) t;
SET hnsw.iterative_scan = relaxed_order;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM hs_rows WHERE id % 50 = 7 ORDER BY v <=> hs_row(7) LIMIT 20) t;
SET hnsw.max_scan_tuples = 50;
SELECT count(*) < 32 AS few FROM (SELECT id FROM hs_rows WHERE id % 50 = 7 ORDER BY v <=> hs_row(7)) t;
RESET hnsw.max_scan_tuples;
RESET hnsw.iterative_scan;
RESET hnsw.ef_search;
SELECT index, stop_reason FROM vecdb.last_scan_stats();
DROP TABLE hs_rows, hs_source;

-- the most non-zeros, the most dimensions; numbers at the ends of float4
CREATE TABLE hs_wide (id int, v sparsevec(1000000000));
INSERT INTO hs_wide SELECT i, hs_row(i, 1000000000, i * 360) FROM generate_series(1, 22) i;
INSERT INTO hs_wide VALUES (101, '{1:1e38,1000000000:-3e38}/1000000000'), (102, '{1:1e-45}/1000000000'), (103, '{1000000000:3e38}/1000000000'), (104, '{}/1000000000');
CREATE INDEX hs_wide_i ON hs_wide USING hnsw (v sparsevec_l1_ops);
CREATE INDEX hs_wide_ip ON hs_wide USING hnsw (v sparsevec_ip_ops);
INSERT INTO hs_wide SELECT i, hs_row(i, 1000000000, -i * 360) FROM generate_series(-22, -1) i;
DELETE FROM hs_wide WHERE id % 5 = 0;
VACUUM hs_wide;
INSERT INTO hs_wide SELECT 200 + i, hs_row(i, 1000000000, i * 360 + 80) FROM generate_series(12, 22) i;
SELECT max(length(v::text)) > 150000 AS many FROM hs_wide;
SELECT * FROM vecdb.check_index('hs_wide_i');
SELECT * FROM vecdb.check_index('hs_wide_ip');
SELECT hs_disorder('hs_wide', '<+>', ARRAY[hs_row(3, 1000000000, 7000), hs_row(7, 1000000000, 10), '{}/1000000000'::sparsevec]);
SELECT hs_disorder('hs_wide', '<#>', ARRAY[hs_row(3, 1000000000, 7000), hs_row(7, 1000000000, 10), '{}/1000000000'::sparsevec]);
DROP TABLE hs_wide;
DROP FUNCTION hs_row, hs_report, hs_cycle, hs_disorder;
DROP TABLE hs_queries;
