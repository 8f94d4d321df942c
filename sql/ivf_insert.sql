-- Rows that come and go after CREATE INDEX: lists begin, grow, split, merge.

CREATE FUNCTION ivf_insert_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 2147483647) % 100 + (seed % 7) * 150)::vector FROM generate_series(1, dims) d $$;

-- sound: check_index has nothing to tell; complete: a scan of the index to its end gives each row of the table once;
-- exact: with all lists, the first ten are those of a sequential scan
CREATE FUNCTION pg_temp.state_of(tab regclass, OUT rows bigint, OUT sound bool, OUT complete bool, OUT exact bool) LANGUAGE plpgsql AS $$
DECLARE index regclass := (SELECT indexrelid FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam
    WHERE indrelid = tab AND amname IN ('ivf', 'ivfflat'));
    dims int := (SELECT atttypmod FROM pg_attribute WHERE attrelid = tab AND attname = 'e');
BEGIN
    EXECUTE format('SELECT count(e) FROM %s', tab) INTO rows;
    SELECT count(*) = 0 INTO sound FROM vecdb.check_index(index);
    SET LOCAL enable_seqscan = off;
    EXECUTE format('SELECT array_agg(id ORDER BY id) IS NOT DISTINCT FROM (SELECT array_agg(id ORDER BY id) FROM %1$s WHERE e IS NOT NULL)
        FROM (SELECT id FROM %1$s ORDER BY e <-> %2$L) s', tab, ivf_insert_v(0, dims)) INTO complete;
    SET LOCAL vecdb.ivf_probes = 32768;
    EXECUTE format('SELECT (SELECT array_agg(d) FROM (SELECT e <-> %2$L AS d FROM %1$s ORDER BY e <-> %2$L LIMIT 10) s) IS NOT DISTINCT FROM
        (SELECT array_agg(d) FROM (SELECT e <-> %2$L AS d FROM %1$s WHERE e IS NOT NULL ORDER BY (e <-> %2$L) + 0 LIMIT 10) s)',
        tab, ivf_insert_v(12345, dims)) INTO exact;
END $$;

CREATE FUNCTION pg_temp.lists_of(tab regclass) RETURNS int LANGUAGE sql AS
$$ SELECT lists FROM pg_index, vecdb.index_info(indexrelid) WHERE indrelid = tab AND indexrelid::regclass::text ~ 'e_idx' $$;

-- --- from an empty table ---

CREATE TABLE ivf_i (id int PRIMARY KEY, e vector(12), note text);
CREATE INDEX ON ivf_i USING ivf (e vector_l2_ops);
SELECT * FROM pg_temp.state_of('ivf_i');
INSERT INTO ivf_i VALUES (1, '[1,2,3,4,5,6,7,8,9,10,11,12]');
SELECT * FROM pg_temp.state_of('ivf_i');
INSERT INTO ivf_i VALUES (2, NULL), (3, '[1,2,3,4,5,6,7,8,9,10,11,12]'), (4, '[0,0,0,0,0,0,0,0,0,0,0,0]');
SELECT * FROM pg_temp.state_of('ivf_i');
SELECT pg_temp.lists_of('ivf_i');
INSERT INTO ivf_i SELECT i, ivf_insert_v(i, 12) FROM generate_series(5, 1000) i;
DO $$ BEGIN FOR i IN 1001 .. 2000 LOOP INSERT INTO ivf_i VALUES (i, ivf_insert_v(i, 12)); END LOOP; END $$;
SELECT * FROM pg_temp.state_of('ivf_i');
SELECT pg_temp.lists_of('ivf_i') BETWEEN 5 AND 20 AS lists;
-- a wrong row is refused, and nothing of it stays
INSERT INTO ivf_i VALUES (2001, '[1,2,3]');
INSERT INTO ivf_i VALUES (2001, ivf_insert_v(1, 12)), (1, ivf_insert_v(1, 12));
SELECT * FROM pg_temp.state_of('ivf_i');
-- a row is found as soon as its transaction sees it; what is rolled back is not
BEGIN;
INSERT INTO ivf_i VALUES (3001, '[9,9,9,9,9,9,9,9,9,9,9,9]');
SAVEPOINT s;
INSERT INTO ivf_i SELECT i, ivf_insert_v(i, 12) FROM generate_series(3002, 4000) i;
ROLLBACK TO s;
SET LOCAL enable_seqscan = off;
SELECT id FROM ivf_i ORDER BY e <-> '[9,9,9,9,9,9,9,9,9,9,9,9]' LIMIT 1;
COMMIT;
SELECT * FROM pg_temp.state_of('ivf_i');
-- ON CONFLICT, UPDATE of the vector and of something else
INSERT INTO ivf_i VALUES (3001, NULL) ON CONFLICT (id) DO UPDATE SET note = 'again';
INSERT INTO ivf_i SELECT i, ivf_insert_v(i, 12) FROM generate_series(1900, 2300) i ON CONFLICT DO NOTHING;
UPDATE ivf_i SET note = 'n' WHERE id < 500;
UPDATE ivf_i SET e = ivf_insert_v(id + 7, 12) WHERE id % 4 = 0;
SELECT * FROM pg_temp.state_of('ivf_i');
-- few are left: their lists merge, in one VACUUM or some
DELETE FROM ivf_i WHERE id % 10 <> 1;
VACUUM ivf_i;
VACUUM ivf_i;
SELECT * FROM pg_temp.state_of('ivf_i');
SELECT pg_temp.lists_of('ivf_i') <= 4 AS merged;
DELETE FROM ivf_i;
VACUUM ivf_i;
SELECT pg_temp.lists_of('ivf_i');
INSERT INTO ivf_i SELECT i, ivf_insert_v(i, 12) FROM generate_series(1, 500) i;
SELECT * FROM pg_temp.state_of('ivf_i');
TRUNCATE ivf_i;
INSERT INTO ivf_i SELECT i, ivf_insert_v(i, 12) FROM generate_series(1, 500) i;
SELECT * FROM pg_temp.state_of('ivf_i');
DROP TABLE ivf_i;

-- --- rows that nothing tells apart, and a number of lists that was asked for ---

CREATE TABLE ivf_same (id serial, e vector(3));
CREATE INDEX ON ivf_same USING ivf (e vector_l2_ops);
INSERT INTO ivf_same (e) SELECT '[1,2,3]' FROM generate_series(1, 1500);
SELECT * FROM pg_temp.state_of('ivf_same');
SELECT pg_temp.lists_of('ivf_same');
INSERT INTO ivf_same (e) SELECT ('[1,2,' || 100 + i || ']')::vector FROM generate_series(1, 1500) i;
VACUUM ivf_same;
SELECT * FROM pg_temp.state_of('ivf_same');
SELECT pg_temp.lists_of('ivf_same') > 2 AS split;
DROP TABLE ivf_same;

CREATE TABLE ivf_three (id serial, e vector(3));
CREATE INDEX ON ivf_three USING ivf (e vector_l2_ops) WITH (lists = 3);
INSERT INTO ivf_three (e) SELECT ivf_insert_v(i, 3) FROM generate_series(1, 3000) i;
VACUUM ivf_three;
SELECT * FROM pg_temp.state_of('ivf_three');
SELECT pg_temp.lists_of('ivf_three');
DROP TABLE ivf_three;

-- --- every quantizer, every metric; whole pages a slot; expressions, predicates ---

CREATE FUNCTION pg_temp.grow(class text, options text, dims int, rows int, OUT sound bool, OUT complete bool, OUT split bool) LANGUAGE plpgsql AS $$
DECLARE operator text := CASE WHEN class ~ 'ip' THEN '<#>' WHEN class ~ 'cosine' THEN '<=>' WHEN class ~ 'l1' THEN '<+>' ELSE '<->' END;
BEGIN
    EXECUTE format('CREATE TABLE ivf_g (id serial, e vector(%s)); CREATE INDEX ivf_g_e_idx ON ivf_g USING ivf (e %s) WITH (%s)', dims, class, options);
    INSERT INTO ivf_g (e) SELECT ivf_insert_v(i, dims) FROM generate_series(1, rows) i;
    DELETE FROM ivf_g WHERE id % 50 = 0;
    INSERT INTO ivf_g (e) SELECT ivf_insert_v(i, dims) FROM generate_series(rows + 1, rows + 50) i;
    SELECT count(*) = 0 INTO sound FROM vecdb.check_index('ivf_g_e_idx');
    SET LOCAL enable_seqscan = off;
    EXECUTE format('SELECT count(DISTINCT id) = (SELECT count(*) FROM ivf_g) AND count(DISTINCT id) = count(id)
        FROM (SELECT id FROM ivf_g ORDER BY e %s ivf_insert_v(0, %s)) s', operator, dims) INTO complete;
    split := pg_temp.lists_of('ivf_g') > 1;
    DROP TABLE ivf_g;
END $$;
SELECT o.option, c.class, g.* FROM unnest(ARRAY['quantizer = rabitq', 'quantizer = rabitq, rerank = half', 'quantizer = rabitq, rerank = heap', 'quantizer = rabitq, rerank = none',
    'quantizer = rabitq4', 'quantizer = rabitq4, rerank = none', 'quantizer = pq', 'quantizer = pq, pq_bits = 8', 'quantizer = sq8', 'quantizer = half', 'quantizer = none']) WITH ORDINALITY o(option, n),
    unnest(ARRAY['vector_l2_ops', 'vector_ip_ops', 'vector_cosine_ops', 'vector_l1_ops']) WITH ORDINALITY c(class, m),
    pg_temp.grow(c.class, o.option, 20, 900) g
    WHERE c.class <> 'vector_l1_ops' OR o.option !~ 'rabitq|pq' ORDER BY n, m;
-- a slot as long as some pages, and a centre in the directory too
SELECT * FROM pg_temp.grow('vector_l2_ops', 'quantizer = sq8', 9000, 420);
SELECT * FROM pg_temp.grow('vector_l2_ops', 'quantizer = half', 2100, 500);
SELECT * FROM pg_temp.grow('vector_l2_ops', 'quantizer = none', 4100, 420);

CREATE TABLE ivf_expr (id serial, a real[], keep bool);
CREATE INDEX ivf_expr_e_idx ON ivf_expr USING ivf ((a::vector(6)) vector_l2_ops) WHERE keep;
INSERT INTO ivf_expr (a, keep) SELECT ivf_insert_v(i, 6)::real[], i % 5 <> 0 FROM generate_series(1, 1500) i;
SELECT * FROM vecdb.check_index('ivf_expr_e_idx');
SELECT lists > 1 AS split, rows FROM vecdb.index_info('ivf_expr_e_idx');
UPDATE ivf_expr SET a = ivf_insert_v(id + 1, 6)::real[] WHERE id % 3 = 0;
VACUUM ivf_expr;
SELECT * FROM vecdb.check_index('ivf_expr_e_idx');
DROP TABLE ivf_expr;

-- bits, a temporary table, an unlogged one, partitions
CREATE TEMP TABLE ivf_bits (id serial, e bit(64));
CREATE INDEX ivf_bits_e_idx ON ivf_bits USING ivf (e bit_hamming_ops);
INSERT INTO ivf_bits (e) SELECT (hashint8extended(i, 1)::bit(64) & hashint8extended(i % 3, 2)::bit(64)) FROM generate_series(1, 1500) i;
SELECT * FROM vecdb.check_index('ivf_bits_e_idx');
SELECT lists > 1 AS split, rows FROM vecdb.index_info('ivf_bits_e_idx');
DROP TABLE ivf_bits;
CREATE UNLOGGED TABLE ivf_unlogged (id serial, e vector(4));
CREATE INDEX ivf_unlogged_e_idx ON ivf_unlogged USING ivf (e vector_l2_ops);
INSERT INTO ivf_unlogged (e) SELECT ivf_insert_v(i, 4) FROM generate_series(1, 800) i;
SELECT * FROM pg_temp.state_of('ivf_unlogged');
DROP TABLE ivf_unlogged;
CREATE TABLE ivf_part (id serial, e vector(4)) PARTITION BY RANGE (id);
CREATE TABLE ivf_part1 PARTITION OF ivf_part FOR VALUES FROM (1) TO (600);
CREATE TABLE ivf_part2 PARTITION OF ivf_part DEFAULT;
CREATE INDEX ON ivf_part USING ivfflat (e vector_l2_ops);
INSERT INTO ivf_part (e) SELECT ivf_insert_v(i, 4) FROM generate_series(1, 1400) i;
SELECT * FROM pg_temp.state_of('ivf_part1');
SELECT * FROM pg_temp.state_of('ivf_part2');
DROP TABLE ivf_part;
DROP FUNCTION ivf_insert_v;
