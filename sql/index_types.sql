-- Indexes of each type, method and metric: what they give, against a sequential scan. A type is some lines of the table type_case.
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_maintenance_workers = 0;

CREATE FUNCTION pg_temp.h(seed int, d int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (hashint4(seed * 1024 + d) & 65535) / 65536.0 - 0.5 $$;
CREATE FUNCTION pg_temp.floats(seed int, dims int, scale float8) RETURNS float4[] LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((scale * pg_temp.h(seed, d))::float4) FROM generate_series(1, dims) d $$;
CREATE FUNCTION pg_temp.ints(seed int, dims int, most int) RETURNS int[] LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(greatest(-128, least(127, round(2 * most * pg_temp.h(seed, d))))::int) FROM generate_series(1, dims) d $$;
CREATE FUNCTION pg_temp.bits(seed int, dims int, share float8) RETURNS varbit LANGUAGE sql IMMUTABLE AS
$$ SELECT string_agg(CASE WHEN pg_temp.h(seed, d) + 0.5 < share THEN '1' ELSE '0' END, '')::varbit FROM generate_series(1, dims) d $$;

-- make: row i; hnsw, ivf: options to try
CREATE TABLE type_case (n serial, name text, type text, dims int, make text, metrics text[], hnsw text[] DEFAULT '{""}', ivf text[] DEFAULT '{""}',
    floor float8 DEFAULT 0.9);
CREATE TABLE raw (id int, e text);
INSERT INTO type_case (name, type, dims, make, metrics, hnsw, ivf) VALUES
    ('usual', 'halfvec', 24, 'pg_temp.floats(i, 24, 2)', '{l2,ip,cosine,l1}', '{"",layout = compact,"layout = compact, precision = 8"}',
        '{"",quantizer = sq8,quantizer = half,quantizer = none,quantizer = pq,"quantizer = rabitq, rerank = heap"}');
INSERT INTO type_case (name, type, dims, make, metrics) VALUES
    ('tiny', 'halfvec', 24, 'pg_temp.floats(i, 24, 2e-6)', '{l2,ip,cosine,l1}'),
    ('any magnitude, zeros', 'halfvec', 24, 'pg_temp.floats(i, 24, CASE WHEN i % 50 = 0 THEN 0 ELSE 10.0 ^ (hashint4(i) % 5) END)', '{l2,ip,cosine}'),
    ('largest', 'halfvec', 4, 'pg_temp.floats(i, 4, 131000)', '{l2,ip,l1}'),
    ('one dimension', 'halfvec', 1, 'pg_temp.floats(i, 1, 100)', '{l2,l1}'),
    ('equal values', 'halfvec', 8, 'pg_temp.floats(i % 11, 8, 1)', '{l2,cosine,l1}'),
    ('not all', 'halfvec', 24, 'CASE WHEN i % 3 = 0 THEN pg_temp.floats(i, 24, 2) END', '{l2,cosine}');
INSERT INTO type_case (name, type, dims, make, metrics, hnsw, ivf) VALUES
    ('usual', 'int8vec', 24, 'pg_temp.ints(i, 24, 100)', '{l2,ip,cosine,l1}', '{"",layout = compact}', '{"",quantizer = sq8,quantizer = none,"quantizer = rabitq, rerank = heap"}');
INSERT INTO type_case (name, type, dims, make, metrics) VALUES
    ('small', 'int8vec', 12, 'pg_temp.ints(i, 12, CASE WHEN i % 50 = 0 THEN 0 ELSE 3 END)', '{l2,ip,cosine,l1}'),
    ('largest', 'int8vec', 200, 'array_fill(CASE WHEN i % 2 = 0 THEN 127 ELSE -128 END, ARRAY[190]) || pg_temp.ints(i, 10, 128)', '{l2,ip,cosine,l1}'),
    ('equal values', 'int8vec', 8, 'pg_temp.ints(i % 11, 8, 100)', '{l2,cosine,l1}'),
    ('not all', 'int8vec', 24, 'CASE WHEN i % 3 = 0 THEN pg_temp.ints(i, 24, 100) END', '{l2,cosine}');
INSERT INTO type_case (name, type, dims, make, metrics) VALUES
    ('usual', 'bit', 100, 'pg_temp.bits(i, 100, 0.5)', '{hamming,jaccard}'),
    ('few set', 'bit', 200, 'pg_temp.bits(i, 200, CASE WHEN i % 40 = 0 THEN 0 ELSE 0.05 END)', '{hamming,jaccard}'),
    ('equal values', 'bit', 20, 'pg_temp.bits(i % 11, 20, 0.5)', '{hamming,jaccard}'),
    ('one bit', 'bit', 1, 'pg_temp.bits(i, 1, 0.5)', '{hamming,jaccard}'),
    ('not all', 'bit', 64, 'CASE WHEN i % 3 = 0 THEN pg_temp.bits(i, 64, 0.5) END', '{hamming,jaccard}');
-- far queries of rows near to each other: no graph leads there
UPDATE type_case SET floor = 0 WHERE name ~ 'any magnitude';
-- bits that know nothing of each other
UPDATE type_case SET floor = 0.8 WHERE name = 'usual' AND type = 'bit';

-- The rows come out of one build, inserts, or both. Then over 5 queries (all rows: of one): all rows that the metric has come, each once, with the
-- operator's distance; the first 40 in order; of the ten nearest, as many as the case asks for. Null: so it is.
CREATE FUNCTION pg_temp.differs(op text, type text, rows bigint, floor float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE ids int[]; d float8[]; nearest float8[]; expected float8[]; again float8[]; plan text; hits int := 0; queries int := 0; q text;
BEGIN
    FOR q IN SELECT e FROM raw WHERE id > 1200 AND e IS NOT NULL ORDER BY id LIMIT 5 LOOP
        queries := queries + 1;
        EXECUTE format('SELECT array_agg(d) FROM (SELECT e %1$s %2$L AS d FROM o WHERE e IS NOT NULL ORDER BY (e %1$s %2$L) + 0 LIMIT 10) s', op, q) INTO expected;
        SET LOCAL enable_seqscan = off;
        SET LOCAL enable_sort = off;
        IF queries = 1 THEN
            EXECUTE format('EXPLAIN SELECT id FROM o ORDER BY e %s %L', op, q) INTO plan;
            EXECUTE format('SELECT array_agg(id), array_agg(d) FROM (SELECT id, e %1$s %2$L AS d FROM o ORDER BY e %1$s %2$L) s', op, q) INTO ids, d;
        END IF;
        EXECUTE format('SELECT array_agg(d) FROM (SELECT e %1$s %2$L AS d FROM o ORDER BY e %1$s %2$L LIMIT 40) s', op, q) INTO nearest;
        RESET enable_seqscan;
        RESET enable_sort;
        IF plan !~ 'Index Scan' THEN RETURN 'no index scan'; END IF;
        IF nearest <> (SELECT array_agg(x ORDER BY x) FROM unnest(nearest) x) THEN RETURN 'not in order'; END IF;
        hits := hits + (SELECT count(*) FROM unnest(nearest[1:10]) x WHERE x <= expected[10]);
        CONTINUE WHEN queries > 1;
        IF cardinality(ids) <> rows THEN RETURN format('%s rows, not %s', cardinality(ids), rows); END IF;
        IF (SELECT count(DISTINCT i) FROM unnest(ids) i) <> rows THEN RETURN 'a row twice'; END IF;
        EXECUTE format('SELECT array_agg(o.e %s %L ORDER BY n) FROM unnest($1) WITH ORDINALITY u (i, n) JOIN o ON o.id = u.i', op, q) INTO again USING ids;
        IF again <> d THEN RETURN 'not the distances'; END IF;
    END LOOP;
    RETURN CASE WHEN hits < 10 * floor * queries THEN format('recall %s', round(hits / 10.0 / queries, 2)) END;
EXCEPTION WHEN OTHERS THEN RETURN SQLERRM;
END $$;
SET vecdb.ivf_probes = 32768;
CREATE FUNCTION pg_temp.try(am text, which text) RETURNS TABLE (name text, indexes int, differs text) LANGUAGE plpgsql AS $$
DECLARE c type_case; m text; w text; op text; rows bigint; way int; found text;
BEGIN
    FOR c IN SELECT * FROM type_case t WHERE t.type = which ORDER BY n LOOP
        name := c.name; indexes := 0; differs := NULL;
        TRUNCATE raw;
        EXECUTE format('INSERT INTO raw SELECT i, (%s)::%s(%s)::text FROM generate_series(1, 1230) i', c.make, c.type, c.dims);
        FOREACH m IN ARRAY c.metrics LOOP
            op := CASE m WHEN 'l2' THEN '<->' WHEN 'ip' THEN '<#>' WHEN 'cosine' THEN '<=>' WHEN 'l1' THEN '<+>' WHEN 'hamming' THEN '<~>' ELSE '<%>' END;
            FOREACH w IN ARRAY CASE am WHEN 'hnsw' THEN c.hnsw ELSE c.ivf END LOOP
                CONTINUE WHEN m = 'l1' AND w ~ 'fused|rabitq|pq';
                FOR way IN 0..2 LOOP
                    CONTINUE WHEN way = 1 AND (w <> '' OR c.name <> 'usual');
                    DROP TABLE IF EXISTS o;
                    EXECUTE format('CREATE TABLE o (id int, e %s(%s))', c.type, c.dims);
                    EXECUTE format('INSERT INTO o SELECT id, e::%s(%s) FROM raw WHERE id <= %s', c.type, c.dims, CASE way WHEN 0 THEN 1200 WHEN 1 THEN 600 ELSE 0 END);
                    EXECUTE format('CREATE INDEX o_e ON o USING %s (e %s_%s_ops) %s', am, c.type, m, CASE WHEN w <> '' THEN 'WITH (' || w || ')' ELSE '' END);
                    EXECUTE format('INSERT INTO o SELECT id, e::%s(%s) FROM raw WHERE id > %s AND id <= 1200', c.type, c.dims, CASE way WHEN 0 THEN 1200 WHEN 1 THEN 600 ELSE 0 END);
                    indexes := indexes + 1;
                    EXECUTE format('SELECT count(*) FROM o WHERE e %s e IS NOT NULL AND (e %1$s e)::text <> ''NaN''', op) INTO rows;
                    found := pg_temp.differs(op, c.type, rows, CASE am WHEN 'hnsw' THEN c.floor ELSE 1 END);
                    found := coalesce(found, (SELECT string_agg(x::text, '; ') FROM vecdb.check_index('o_e') x));
                    differs := coalesce(differs, concat_ws(' ', m, w, (ARRAY['built', 'half built', 'inserted'])[way + 1]) || ': ' || found);
                END LOOP;
            END LOOP;
        END LOOP;
        RETURN NEXT;
    END LOOP;
END $$;
SELECT * FROM pg_temp.try('hnsw', 'halfvec');
SELECT * FROM pg_temp.try('ivf', 'halfvec');
SELECT * FROM pg_temp.try('hnsw', 'int8vec');
SELECT * FROM pg_temp.try('ivf', 'int8vec');
SELECT * FROM pg_temp.try('hnsw', 'bit');
SELECT * FROM pg_temp.try('ivf', 'bit');
DROP TABLE type_case, raw, o;
