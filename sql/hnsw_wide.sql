-- Vectors whose code does not fit into a slot: on both sides of the layout's borders, up to the 16,000 dimensions of the
-- type. Each index is built, inserted into, vacuumed and filled again; after each step it is sound and gives all rows in order.

-- small integers around one of five centres, so that distances are exact
CREATE FUNCTION hnsw_wide_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(-1 - seed % 5 * 65536 - d) & 15) + (hashint4(seed * 65536 + d) & 3))::vector FROM generate_series(1, dims) d $$;

CREATE TEMP TABLE cases AS
SELECT row_number() OVER () AS n, * FROM (VALUES
    (7968, 'l2', '<->', 'layout = compact'),
    (7969, 'l2', '<->', 'layout = compact'),
    (7969, 'ip', '<#>', 'layout = fused, precision = 8'),
    (8192, 'l2', '<->', 'layout = fused'),
    (8192, 'l1', '<+>', 'layout = compact, precision = 8'),
    (8193, 'cosine', '<=>', 'layout = compact'),
    (16000, 'l2', '<->', 'layout = compact'),
    (16000, 'cosine', '<=>', 'layout = compact, precision = 8'),
    (16000, 'l1', '<+>', 'layout = compact'),
    (16000, 'l2', '<->', 'layout = fused'),
    (16000, 'ip', '<#>', 'layout = fused'),
    (16000, 'cosine', '<=>', 'layout = fused, precision = 8'),
    (16000, 'l2', '<->', 'layout = fused, m = 100, ef_construction = 200')
) c(dims, metric, op, options);
CREATE TEMP TABLE rows AS SELECT dims, i, hnsw_wide_v(i, dims) AS e FROM generate_series(1, 41) i, (SELECT DISTINCT dims FROM cases) d;

CREATE FUNCTION pg_temp.state_of(n bigint, dims int, op text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE fault text; found int; different int; ordered bool; same bool; q vector;
BEGIN
    SELECT check_name || ': ' || detail INTO fault FROM vecdb.check_index(('hnsw_wide_i' || n)::regclass) LIMIT 1;
    IF fault IS NOT NULL THEN
        RETURN fault;
    END IF;
    SELECT e INTO q FROM rows WHERE rows.dims = state_of.dims AND i = 41;
    SET LOCAL enable_seqscan = off;
    EXECUTE format('SELECT count(*), count(DISTINCT id), bool_and(before <= d) FROM
        (SELECT id, d, lag(d) OVER () AS before FROM (SELECT id, e %s $1 AS d FROM hnsw_wide%s ORDER BY e %s $1) x) y', op, n, op)
        INTO found, different, ordered USING q;
    SET LOCAL enable_seqscan = on;
    EXECUTE format('SELECT count(*) = $1 FROM hnsw_wide%s', n) INTO same USING found;
    RETURN CASE WHEN same AND ordered AND found = different THEN 'well' ELSE format('%s rows, %s, ordered: %s', found, different, ordered) END;
END $$;

-- built: 25 rows and 5 equal ones
SELECT format('CREATE TABLE hnsw_wide%s AS SELECT i AS id, e::vector(%s) FROM rows WHERE dims = %s AND i <= 25', n, dims, dims),
    format('INSERT INTO hnsw_wide%s SELECT 50 + i, e FROM rows WHERE dims = %s AND i <= 5', n, dims),
    format('CREATE INDEX hnsw_wide_i%s ON hnsw_wide%s USING hnsw (e vector_%s_ops) WITH (%s)', n, n, metric, options) FROM cases
\gexec
SELECT dims, metric, options, pg_temp.state_of(n, dims, op) FROM cases ORDER BY n;

-- inserted: 10 rows, then 10 that equal one in the index each
SELECT format('INSERT INTO hnsw_wide%s SELECT i, e FROM rows WHERE dims = %s AND i BETWEEN 26 AND 35', n, dims),
    format('INSERT INTO hnsw_wide%s SELECT 60 + i, e FROM rows WHERE dims = %s AND i BETWEEN 21 AND 30', n, dims) FROM cases
\gexec
SELECT dims, metric, options, pg_temp.state_of(n, dims, op) FROM cases ORDER BY n;

-- vacuumed: two thirds are gone
SELECT format('DELETE FROM hnsw_wide%s WHERE id %% 3 > 0', n), format('VACUUM hnsw_wide%s', n) FROM cases
\gexec
SELECT dims, metric, options, pg_temp.state_of(n, dims, op) FROM cases ORDER BY n;

-- filled again, in slots of those that are gone
SELECT format('INSERT INTO hnsw_wide%s SELECT 100 + i, e FROM rows WHERE dims = %s AND i BETWEEN 26 AND 40', n, dims) FROM cases
\gexec
SELECT dims, metric, options, pg_temp.state_of(n, dims, op) FROM cases ORDER BY n;

SELECT format('DROP TABLE hnsw_wide%s', n) FROM cases
\gexec
DROP FUNCTION hnsw_wide_v;
