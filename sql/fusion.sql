-- Fusion in plain SQL: terms of reciprocal ranks, scores normalised over a window, decays; golden values of docs/hybrid.md

-- lists D = x .9, y .8, z .4 and S = y 12, w 6, x 3
CREATE TABLE d (id text PRIMARY KEY, score float8);
CREATE TABLE s (id text PRIMARY KEY, score float8);
INSERT INTO d VALUES ('x', .9), ('y', .8), ('z', .4);
INSERT INTO s VALUES ('y', 12), ('w', 6), ('x', 3);

CREATE VIEW ranked AS
SELECT coalesce(a.id, b.id) AS id, a.rank AS d, b.rank AS s
FROM (SELECT id, row_number() OVER (ORDER BY score DESC) AS rank FROM d) a
FULL JOIN (SELECT id, row_number() OVER (ORDER BY score DESC) AS rank FROM s) b USING (id);

-- k = 1 gives Qdrant's default, which counts from 0
SELECT id, round((vecdb.rrf_score(d) + vecdb.rrf_score(s))::numeric, 6) AS k60,
       round((vecdb.rrf_score(d, 1) + vecdb.rrf_score(s, 1))::numeric, 6) AS qdrant,
       round((vecdb.rrf_score(d, weight => .7) + vecdb.rrf_score(s, weight => .3))::numeric, 6) AS weighted
FROM ranked ORDER BY id;
SELECT vecdb.rrf_score(NULL) AS absent, vecdb.rrf_score(1, NULL, NULL) = vecdb.rrf_score(1) AS defaults,
       vecdb.rrf_score(1, 0) AS k0, vecdb.rrf_score(5, weight => 0) AS weightless,
       vecdb.rrf_score(9223372036854775807) > 0 AS last;

WITH n AS (
    SELECT id, vecdb.dbsf_norm(score) OVER () AS dbsf, .7 * vecdb.minmax_norm(score) OVER () AS relative, score FROM d
    UNION ALL
    SELECT id, vecdb.dbsf_norm(score) OVER (), .3 * vecdb.minmax_norm(score) OVER (), score FROM s)
SELECT id, round(sum(dbsf)::numeric, 6) AS dbsf, round(sum(relative)::numeric, 6) AS relative FROM n GROUP BY id ORDER BY id;

-- equal scores, one row, no row, values without a place
SELECT vecdb.minmax_norm(v) OVER w AS minmax, round((vecdb.dbsf_norm(v) OVER w)::numeric, 6) AS dbsf, p, v
FROM (VALUES (1, 3::float8), (1, 3), (1, NULL), (2, -7), (3, NULL), (3, 'NaN'), (3, 'Infinity'), (3, 2), (3, 4), (4, NULL)) AS t(p, v)
WINDOW w AS (PARTITION BY p) ORDER BY p, v;
SELECT vecdb.minmax_norm(v) OVER () FROM (SELECT 1::float8 AS v WHERE false) t;
-- a frame and an order change nothing
SELECT bool_and(a = b AND abs(c - d) < 1e-12) FROM (
    SELECT vecdb.minmax_norm(v) OVER () AS a, vecdb.minmax_norm(v) OVER (ORDER BY v ROWS 1 PRECEDING) AS b,
           vecdb.dbsf_norm(v) OVER () AS c, vecdb.dbsf_norm(v) OVER (ORDER BY v DESC) AS d
    FROM generate_series(1, 100) AS v) t;
-- sizes that overflow a sum of squares
SELECT vecdb.minmax_norm(v) OVER () AS minmax, round((vecdb.dbsf_norm(v) OVER ())::numeric, 6) AS dbsf
FROM (VALUES (1.7e308::float8), (-1.7e308), (0)) AS t(v) ORDER BY 1;
-- against SQL's own aggregates, on random data with ties
SELECT setseed(.5);
CREATE TABLE r AS SELECT i, (random() * 5)::int AS p, round((random() * 20)::numeric)::float8 AS v FROM generate_series(1, 500) i;
SELECT count(*) FILTER (WHERE abs(minmax - expected_minmax) > 1e-12) AS minmax_wrong,
       count(*) FILTER (WHERE abs(dbsf - expected_dbsf) > 1e-12) AS dbsf_wrong, count(*), count(minmax) AS minmaxes, count(dbsf) AS dbsfs
FROM (SELECT vecdb.minmax_norm(v) OVER w AS minmax, vecdb.dbsf_norm(v) OVER w AS dbsf,
             (v - min(v) OVER w) / (max(v) OVER w - min(v) OVER w) AS expected_minmax,
             (v - (avg(v) OVER w - 3 * stddev_samp(v) OVER w)) / (6 * stddev_samp(v) OVER w) AS expected_dbsf
      FROM r WINDOW w AS (PARTITION BY p)) t;

-- decays
SELECT x, round(vecdb.exp_decay(x, 0, 10)::numeric, 6) AS exp, round(vecdb.gauss_decay(x, 0, 10)::numeric, 6) AS gauss,
       round(vecdb.linear_decay(x, 0, 10)::numeric, 6) AS linear
FROM unnest('{0,5,-10,10,20,100,Infinity,-Infinity}'::float8[]) AS x;
SELECT vecdb.exp_decay(1) AS exp, vecdb.gauss_decay(1) AS gauss, vecdb.linear_decay(1) AS linear,
       round(vecdb.linear_decay(13, target => 3, scale => 10, midpoint => .2)::numeric, 6) AS named, vecdb.exp_decay(NULL) AS of_null,
       vecdb.gauss_decay('NaN') AS of_nan;
-- the formulas
SELECT bool_and(abs(vecdb.exp_decay(x, 2, 3, .25) - exp(ln(.25) / 3 * abs(x - 2))) < 1e-14
    AND abs(vecdb.gauss_decay(x, 2, 3, .25) - exp(ln(.25) / 9 * (x - 2) ^ 2)) < 1e-14
    AND abs(vecdb.linear_decay(x, 2, 3, .25) - greatest(0, 1 - .75 / 3 * abs(x - 2))) < 1e-14)
FROM (SELECT i / 7.0::float8 AS x FROM generate_series(-70, 70) i) t;

-- refused
\set VERBOSITY sqlstate
SELECT vecdb.rrf_score(0);
SELECT vecdb.rrf_score(1, -1);
SELECT vecdb.rrf_score(1, 'NaN');
SELECT vecdb.rrf_score(1, 60, -1);
SELECT vecdb.rrf_score(1, 60, 'Infinity');
SELECT vecdb.exp_decay(1, scale => 0);
SELECT vecdb.gauss_decay(1, scale => 'NaN');
SELECT vecdb.linear_decay(1, scale => 'Infinity');
SELECT vecdb.exp_decay(1, target => 'NaN');
SELECT vecdb.exp_decay(1, midpoint => 0);
SELECT vecdb.gauss_decay(1, midpoint => 1);
SELECT vecdb.linear_decay(1, midpoint => 'NaN');
SELECT vecdb.minmax_norm(1);
\set VERBOSITY default
SELECT vecdb.exp_decay(1, midpoint => 1.5);

DROP VIEW ranked;
DROP TABLE d, s, r;
