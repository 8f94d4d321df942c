-- Access methods ivf and ivfflat on core bit strings: Hamming and Jaccard.
SET enable_seqscan = off;
SET jit = off;

-- pgvector's own use
CREATE TABLE bit_small (val bit(3));
INSERT INTO bit_small VALUES (B'000'), (B'100'), (B'111'), (NULL);
CREATE INDEX ON bit_small USING ivfflat (val bit_hamming_ops) WITH (lists = 1);
INSERT INTO bit_small VALUES (B'110');
EXPLAIN (COSTS OFF) SELECT * FROM bit_small ORDER BY val <~> B'111';
SELECT * FROM bit_small ORDER BY val <~> B'111';
SELECT count(*) FROM (SELECT * FROM bit_small ORDER BY val <~> (SELECT NULL::bit)) t;
SELECT * FROM bit_small ORDER BY val <~> B'1111';
DROP TABLE bit_small;

-- what cannot be indexed; varbit can by a cast
CREATE TABLE bit_any (val varbit(70000), wide bit(64001));
CREATE INDEX ON bit_any USING ivfflat (val bit_hamming_ops) WITH (lists = 1);
CREATE INDEX ON bit_any USING ivf (val bit_jaccard_ops);
CREATE INDEX ON bit_any USING ivfflat (wide bit_hamming_ops);
CREATE INDEX ON bit_any USING ivf ((val::bit(64001)) bit_hamming_ops);
CREATE INDEX ON bit_any USING ivfflat ((val::bit(3)) bit_hamming_ops) WITH (lists = 1);
INSERT INTO bit_any SELECT i::bit(3) FROM generate_series(0, 7) i;
SELECT val FROM bit_any ORDER BY val::bit(3) <~> B'111', val LIMIT 4;
CREATE INDEX ON bit_any USING ivf ((val::bit(3)) bit_hamming_ops) WITH (quantizer = rabitq);
CREATE INDEX ON bit_any USING ivf ((val::bit(3)) bit_hamming_ops) WITH (rerank = heap);
CREATE INDEX ON bit_any USING ivf ((val::bit(3)) bit_hamming_ops) WITH (quantizer = none);
CREATE INDEX ON bit_any USING ivf ((val::bit(3)));
DROP TABLE bit_any;

-- 5000 rows around 25 strings; an eighth of the bits differs
CREATE FUNCTION bit_row(i bigint) RETURNS bit(128) LANGUAGE sql IMMUTABLE
    AS $$ SELECT ('x' || md5('centre' || i % 25))::bit(128)
                 # (('x' || md5('a' || i))::bit(128) & ('x' || md5('b' || i))::bit(128) & ('x' || md5('c' || i))::bit(128)) $$;
CREATE TABLE bit_rows (id int, v bit(128));
INSERT INTO bit_rows SELECT i, bit_row(i) FROM generate_series(1, 5000) i;
CREATE INDEX bit_hamming ON bit_rows USING ivf (v bit_hamming_ops);
CREATE INDEX bit_jaccard ON bit_rows USING ivfflat (v bit_jaccard_ops);
EXPLAIN (COSTS OFF) SELECT id FROM bit_rows ORDER BY v <~> bit_row(7) LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM bit_rows ORDER BY v <%> bit_row(7) LIMIT 3;
SELECT id, v <~> bit_row(7) AS distance FROM bit_rows ORDER BY v <~> bit_row(7) LIMIT 1;
SELECT method, metric, dimensions, rows, storage FROM vecdb.index_info('bit_hamming');
SELECT method, metric, dimensions, rows, storage FROM vecdb.index_info('bit_jaccard');
SELECT recall >= 0.9 AS hamming FROM vecdb.check_recall('bit_hamming');
SELECT recall >= 0.9 AS jaccard FROM vecdb.check_recall('bit_jaccard');

-- with all lists the order is that of the operator, for each of the rows
CREATE FUNCTION disorder(operator text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE wrong bigint := 0; n bigint; query bit(128);
BEGIN
    FOREACH query IN ARRAY ARRAY[bit_row(3), bit_row(111111), ~bit_row(4), B'1'::bit(128), B'0'::bit(128)] LOOP
        EXECUTE format($q$
            WITH by_index AS MATERIALIZED (SELECT v %1$s $1 AS d FROM bit_rows ORDER BY v %1$s $1),
                 numbered AS (SELECT d, row_number() OVER () AS r FROM by_index),
                 sorted AS (SELECT v %1$s $1 AS d, row_number() OVER (ORDER BY (v %1$s $1) + 0) AS r FROM bit_rows)
            SELECT count(*) FROM numbered FULL JOIN sorted USING (r) WHERE numbered.d IS DISTINCT FROM sorted.d $q$, operator)
        INTO n USING query;
        wrong := wrong + n;
    END LOOP;
    RETURN wrong;
END $$;
SET vecdb.ivf_probes = 32768;
SELECT disorder('<~>') AS hamming, disorder('<%>') AS jaccard;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM bit_rows ORDER BY v <~> bit_row(5)) t;

-- the same when rows have come and gone
DELETE FROM bit_rows WHERE id % 3 = 0;
VACUUM bit_rows;
INSERT INTO bit_rows SELECT i, bit_row(i + 12) FROM generate_series(5001, 7000) i;
INSERT INTO bit_rows VALUES (9000, B'0'::bit(128)), (9001, ~B'0'::bit(128));
UPDATE bit_rows SET v = ~v WHERE id % 10 = 1;
SELECT disorder('<~>') AS hamming, disorder('<%>') AS jaccard;
SELECT * FROM vecdb.check_index('bit_hamming') UNION ALL SELECT * FROM vecdb.check_index('bit_jaccard');
RESET vecdb.ivf_probes;
SELECT recall >= 0.9 AS hamming FROM vecdb.check_recall('bit_hamming');

-- an index that begins empty grows its lists
TRUNCATE bit_rows;
INSERT INTO bit_rows SELECT i, bit_row(i) FROM generate_series(1, 3000) i;
SELECT rows, lists > 3 AS split FROM vecdb.index_info('bit_hamming');
SELECT rows, lists > 3 AS split FROM vecdb.index_info('bit_jaccard');
SET vecdb.ivf_probes = 32768;
SELECT disorder('<~>') AS hamming, disorder('<%>') AS jaccard;
RESET vecdb.ivf_probes;
SELECT * FROM vecdb.check_index('bit_hamming') UNION ALL SELECT * FROM vecdb.check_index('bit_jaccard');
DROP TABLE bit_rows;
DROP FUNCTION disorder(text);

-- the signs of vectors, as pgvector's users index them, and the vectors themselves after
CREATE TABLE bit_signs (id int, v vector(8));
INSERT INTO bit_signs SELECT i, ARRAY(SELECT (get_byte(decode(md5(i::text), 'hex'), j) - 128) FROM generate_series(0, 7) j)::vector FROM generate_series(1, 1000) i;
CREATE INDEX ON bit_signs USING ivf ((binary_quantize(v)::bit(8)) bit_hamming_ops);
EXPLAIN (COSTS OFF)
SELECT id FROM (SELECT id, v FROM bit_signs ORDER BY binary_quantize(v)::bit(8) <~> binary_quantize('[1,-2,3,-4,5,-6,7,-8]'::vector)::bit(8) LIMIT 50) t
ORDER BY v <=> '[1,-2,3,-4,5,-6,7,-8]' LIMIT 5;
SELECT id FROM (SELECT id, v FROM bit_signs ORDER BY binary_quantize(v)::bit(8) <~> binary_quantize('[1,-2,3,-4,5,-6,7,-8]'::vector)::bit(8) LIMIT 50) t
ORDER BY v <=> '[1,-2,3,-4,5,-6,7,-8]' LIMIT 1;
SELECT count(*) FROM vecdb.check_index('bit_signs_binary_quantize_idx');
DROP TABLE bit_signs;

-- the longest: slots and centres of several pages
CREATE TABLE bit_long (id int, v bit(64000));
CREATE INDEX bit_long_idx ON bit_long USING ivf (v bit_hamming_ops);
INSERT INTO bit_long SELECT i, repeat(bit_row(i)::text, 500)::bit(64000) FROM generate_series(1, 60) i;
SELECT id, v <~> repeat(bit_row(7)::text, 500)::bit(64000) AS distance FROM bit_long ORDER BY v <~> repeat(bit_row(7)::text, 500)::bit(64000) LIMIT 1;
REINDEX INDEX bit_long_idx;
SELECT id, v <~> repeat(bit_row(8)::text, 500)::bit(64000) AS distance FROM bit_long ORDER BY v <~> repeat(bit_row(8)::text, 500)::bit(64000) LIMIT 1;
SELECT * FROM vecdb.check_index('bit_long_idx');
DROP TABLE bit_long;
DROP FUNCTION bit_row(bigint);
