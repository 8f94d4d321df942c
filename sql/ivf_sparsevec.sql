-- Access methods ivf and ivfflat on sparsevec: L2, inner product, cosine; rows are coded by sketches and compared in the table.
SET enable_seqscan = off;
SET jit = off;

-- few rows: all lists, the operator's order
CREATE TABLE sp_small (val sparsevec(3));
INSERT INTO sp_small VALUES ('{}/3'), ('{1:1,2:2,3:3}/3'), ('{1:1,2:1,3:1}/3'), (NULL);
CREATE INDEX sp_small_l2 ON sp_small USING ivfflat (val sparsevec_l2_ops) WITH (lists = 1);
INSERT INTO sp_small VALUES ('{1:1,2:2,3:4}/3');
EXPLAIN (COSTS OFF) SELECT * FROM sp_small ORDER BY val <-> '{1:3,2:3,3:3}/3';
SELECT * FROM sp_small ORDER BY val <-> '{1:3,2:3,3:3}/3';
SELECT count(*) FROM (SELECT * FROM sp_small ORDER BY val <-> (SELECT NULL::sparsevec)) t;
SELECT count(*) FROM sp_small;
SELECT * FROM sp_small ORDER BY val <-> '{1:1}/4';
DROP INDEX sp_small_l2;
CREATE INDEX sp_small_ip ON sp_small USING ivf (val sparsevec_ip_ops);
SELECT * FROM sp_small ORDER BY val <#> '{1:3,2:3,3:3}/3';
DROP INDEX sp_small_ip;
-- a row of norm 0 has no direction: not in the index
CREATE INDEX sp_small_cosine ON sp_small USING ivfflat (val sparsevec_cosine_ops) WITH (lists = 1);
SELECT * FROM sp_small ORDER BY val <=> '{1:3,2:3,3:3}/3';
SELECT count(*) FROM (SELECT * FROM sp_small ORDER BY val <=> '{}/3') t;
SELECT count(*) FROM (SELECT * FROM sp_small ORDER BY val <=> (SELECT NULL::sparsevec)) t;
TRUNCATE sp_small;
INSERT INTO sp_small VALUES ('{3:7}/3');
SELECT * FROM sp_small ORDER BY val <=> '{1:3,2:3,3:3}/3';

-- what cannot be had, and what can
CREATE TABLE sp_any (val sparsevec, wide sparsevec(1000000000));
CREATE INDEX ON sp_any USING ivf (val sparsevec_l2_ops);
CREATE INDEX ON sp_any USING ivf (wide sparsevec_l1_ops);
CREATE INDEX ON sp_any USING ivf (wide);
CREATE INDEX ON sp_any USING ivf (wide sparsevec_l2_ops) WITH (quantizer = none);
CREATE INDEX ON sp_any USING ivf (wide sparsevec_l2_ops) WITH (quantizer = pq);
CREATE INDEX ON sp_any USING ivf (wide sparsevec_l2_ops) WITH (rerank = sq8);
CREATE INDEX ON sp_any USING ivf (wide sparsevec_l2_ops) WITH (quantizer = rabitq, rerank = heap);
INSERT INTO sp_any (wide) VALUES ('{1:1,1000000000:2}/1000000000'), ('{1000000000:3.4e38}/1000000000'), ('{999999999:-3.4e38,1000000000:3.4e38}/1000000000');
SELECT wide FROM sp_any ORDER BY wide <-> '{1000000000:2}/1000000000';
SELECT count(*) FROM vecdb.check_index('sp_any_wide_idx');
DROP TABLE sp_any;

-- Terms as of a learned encoder: a subject's own and any others, by a Zipf law over 30,000; skewed weights
CREATE FUNCTION sp_u(a bigint, b bigint) RETURNS float8 LANGUAGE sql IMMUTABLE
    AS 'SELECT ((hashint8extended(a, b) >> 12) & 1048575) / 1048576.0::float8';
CREATE FUNCTION sp_row(i bigint, subjects int) RETURNS sparsevec LANGUAGE sql IMMUTABLE AS $$
    SELECT ('{' || string_agg(t || ':' || w, ',' ORDER BY t) || '}/30000')::sparsevec FROM (
        SELECT t, max(w) AS w FROM (
            SELECT 1 + floor(30000 ^ sp_u(i % subjects, j))::int % 30000 AS t,
                round(((0.1 + 1.5 * sp_u(i % subjects, 500 + j) ^ 3) * exp(0.8 * (sp_u(i, 900 + j) - 0.5)))::numeric, 3) AS w
            FROM generate_series(1, (30 + 60 * sp_u(i, 7))::int) j WHERE sp_u(i, 300 + j) < 0.7
            UNION ALL
            SELECT 1 + floor(30000 ^ sp_u(i, 2000 + j))::int % 30000, round((0.05 + 0.5 * sp_u(i, 3000 + j) ^ 3)::numeric, 3)
            FROM generate_series(1, 10) j) x GROUP BY t) y $$;
CREATE TABLE sp_rows (id int, v sparsevec(30000));
INSERT INTO sp_rows SELECT i, sp_row(i, 300) FROM generate_series(1, 6000) i;
CREATE INDEX sp_l2 ON sp_rows USING ivf (v sparsevec_l2_ops);
CREATE INDEX sp_ip ON sp_rows USING ivf (v sparsevec_ip_ops);
CREATE INDEX sp_cosine ON sp_rows USING ivfflat (v sparsevec_cosine_ops);
SELECT method, metric, dimensions, rows, storage, lists > 16 AS some_lists, bytes_per_vector < 300 AS small FROM vecdb.index_info('sp_l2');
SELECT method, metric, dimensions, rows, storage FROM vecdb.index_info('sp_cosine');
SELECT i, count(*) FROM unnest(ARRAY['sp_l2', 'sp_ip', 'sp_cosine']) i, vecdb.check_index(i) GROUP BY 1;
-- rows of the table, and queries that are none, by default settings; fewer rows are compared than there are
CREATE FUNCTION sp_recall(operator text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE found bigint := 0; n bigint; q sparsevec;
BEGIN
    FOR i IN 1..40 LOOP
        q := sp_row(100000 + i * 7, 300);
        EXECUTE format($q$
            WITH near AS MATERIALIZED (SELECT v %1$s $1 AS d FROM sp_rows ORDER BY v %1$s $1 LIMIT 10),
                 exact AS MATERIALIZED (SELECT (v %1$s $1) + 0 AS d FROM sp_rows ORDER BY 1 LIMIT 10)
            SELECT count(*) FROM (SELECT d, lag(d) OVER () AS before FROM near) x
            WHERE d <= (SELECT max(d) FROM exact) AND (before <= d OR before IS NULL) $q$, operator) INTO n USING q;
        found := found + n;
    END LOOP;
    RETURN found / 400.0;
END $$;
SELECT sp_recall('<->') >= 0.9 AS l2, sp_recall('<#>') >= 0.9 AS ip, sp_recall('<=>') >= 0.9 AS cosine;
SELECT i, recall >= 0.9 AS good FROM unnest(ARRAY['sp_l2', 'sp_ip', 'sp_cosine']) i, vecdb.check_recall(i, 50, 10);

-- with all lists every row comes, once, and in the operator's order but for the few that bounds were wrong of: they come last
CREATE FUNCTION sp_disorder(operator text, query sparsevec) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
    EXECUTE format($q$
        WITH by_index AS MATERIALIZED (SELECT id, v %1$s $1 AS d FROM sp_rows ORDER BY v %1$s $1),
             numbered AS (SELECT id, d, lag(d) OVER () AS before FROM by_index)
        SELECT format('%%s rows, %%s ids, in order %%s', count(*), count(DISTINCT id), count(*) FILTER (WHERE before > d) < 60) FROM numbered $q$, operator)
    INTO answer USING query;
    RETURN answer;
END $$;
SET vecdb.ivf_probes = 32768;
SELECT o, sp_disorder(o, q) FROM unnest(ARRAY['<->', '<#>', '<=>']) o, (VALUES (sp_row(100007, 300)), ('{5:1}/30000')) x (q);
RESET vecdb.ivf_probes;

-- rows go and come; lists are split
DELETE FROM sp_rows WHERE id % 3 = 0;
VACUUM sp_rows;
INSERT INTO sp_rows SELECT i, sp_row(i, 300) FROM generate_series(6001, 9000) i;
VACUUM sp_rows;
SELECT i, count(*) FROM unnest(ARRAY['sp_l2', 'sp_ip', 'sp_cosine']) i, vecdb.check_index(i) GROUP BY 1;
SELECT i, recall >= 0.9 AS good FROM unnest(ARRAY['sp_l2', 'sp_ip', 'sp_cosine']) i, vecdb.check_recall(i, 50, 10);

-- an index begun empty grows to the same
CREATE TABLE sp_grown (id int, v sparsevec(30000));
CREATE INDEX sp_grown_i ON sp_grown USING ivf (v sparsevec_cosine_ops);
INSERT INTO sp_grown SELECT * FROM sp_rows;
VACUUM sp_grown;
SELECT lists > 16 AS some_lists, rows FROM vecdb.index_info('sp_grown_i');
SELECT count(*) FROM vecdb.check_index('sp_grown_i');
SELECT recall >= 0.9 AS good FROM vecdb.check_recall('sp_grown_i', 50, 10);
-- the planner takes the index for the nearest, not for all
ANALYZE sp_grown;
RESET enable_seqscan;
EXPLAIN (COSTS OFF) SELECT id FROM sp_grown ORDER BY v <=> '{1:1}/30000' LIMIT 10;
EXPLAIN (COSTS OFF) SELECT id FROM sp_grown ORDER BY v <=> '{1:1}/30000';
SET enable_seqscan = off;

-- short rows of few dimensions are their own sketches; rows longer than a page
CREATE TABLE sp_short (id int, v sparsevec(40));
INSERT INTO sp_short SELECT i, (SELECT ('{' || string_agg(k || ':' || 1 + round(sp_u(i, k)::numeric, 2), ',' ORDER BY k) || '}/40')::sparsevec
    FROM generate_series(1, 40) k WHERE sp_u(i, 100 + k) < 0.2 OR k = 1 + i % 40) FROM generate_series(1, 5000) i;
CREATE INDEX sp_short_l2 ON sp_short USING ivf (v sparsevec_l2_ops);
CREATE INDEX sp_short_ip ON sp_short USING ivf (v sparsevec_ip_ops);
CREATE INDEX sp_short_cosine ON sp_short USING ivf (v sparsevec_cosine_ops);
SELECT i, recall >= 0.9 AS good FROM unnest(ARRAY['sp_short_l2', 'sp_short_ip', 'sp_short_cosine']) i, vecdb.check_recall(i, 50, 10);
CREATE TABLE sp_long (id int, v sparsevec(100000));
INSERT INTO sp_long SELECT i, (SELECT ('{' || string_agg(k || ':' || 1 + sp_u(i / 8, k), ',' ORDER BY k) || '}/100000')::sparsevec
    FROM generate_series(1 + i % 7, 42000, 20) k) FROM generate_series(1, 60) i;
CREATE INDEX sp_long_i ON sp_long USING ivf (v sparsevec_cosine_ops) WITH (lists = 5);
SELECT recall FROM vecdb.check_recall('sp_long_i', 20, 5);
SELECT count(*) FROM vecdb.check_index('sp_long_i');
DROP TABLE sp_small, sp_rows, sp_grown, sp_short, sp_long;
DROP FUNCTION sp_row, sp_u, sp_recall, sp_disorder;
