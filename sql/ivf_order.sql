-- A stream of an ivf index that looks into all lists has each row once, and in the order of a sequential scan, whatever the rows
-- are like and however they are coded.
SET client_min_messages = warning;
SET vecdb.ivf_probes = 32768;
SET jit = off;

CREATE FUNCTION pg_temp.h(seed int, d int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (hashint4(seed * 1024 + d) & 65535) / 65536.0 - 0.5 $$;
CREATE FUNCTION pg_temp.row_of(seed int, dims int, scale float8, shift float8) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((shift + scale * pg_temp.h(seed, d))::float4)::vector FROM generate_series(1, dims) d $$;

-- null: the index has all rows that the table gives, each once, and the same distances one after the other; else what differs
CREATE FUNCTION pg_temp.stream_differs(op text, query vector, rest text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    expected float8[]; got float8[]; ids int[]; plan text;
    select_ids text := format('SELECT array_agg(id), array_agg(d) FROM (SELECT id, e %1$s %2$L AS d FROM o ORDER BY e %1$s %2$L %3$s) s', op, query, rest);
BEGIN
    EXECUTE format('SELECT array_agg(d) FROM (SELECT e %1$s %2$L AS d FROM o WHERE e IS NOT NULL %4$s ORDER BY (e %1$s %2$L) + 0 %3$s) s', op, query, rest,
        CASE op WHEN '<=>' THEN 'AND vector_norm(e) > 0' ELSE '' END) INTO expected;
    SET LOCAL enable_seqscan = off;
    SET LOCAL enable_sort = off;
    EXECUTE 'EXPLAIN (FORMAT json) ' || select_ids INTO plan;
    EXECUTE select_ids INTO ids, got;
    RETURN CASE WHEN plan !~ 'Index Scan' THEN 'no index scan'
        WHEN cardinality(got) IS DISTINCT FROM cardinality(expected) THEN format('%s rows, not %s', cardinality(got), cardinality(expected))
        WHEN (SELECT count(DISTINCT i) FROM unnest(ids) i) <> cardinality(ids) THEN 'a row twice'
        WHEN got IS DISTINCT FROM expected THEN format('order: %s rows differ', (SELECT count(*) FROM unnest(got, expected) AS x (a, b) WHERE a IS DISTINCT FROM b)) END;
EXCEPTION WHEN OTHERS THEN RETURN SQLERRM;
END $$;

-- The rows of `raw`, in the table before the index is made or after.
CREATE TABLE raw (id int, e vector);
CREATE FUNCTION pg_temp.try(rows text, dims int, quantizers text[], metrics text[]) RETURNS TABLE (place text, differs text) LANGUAGE plpgsql AS $$
DECLARE q text; m text; op text; filled bool; query vector; rest text;
BEGIN
    TRUNCATE raw;
    EXECUTE 'INSERT INTO raw SELECT i, ' || rows;
    FOREACH m IN ARRAY metrics LOOP
        op := CASE m WHEN 'l2' THEN '<->' WHEN 'ip' THEN '<#>' WHEN 'cosine' THEN '<=>' ELSE '<+>' END;
        FOREACH q IN ARRAY quantizers LOOP
            CONTINUE WHEN m = 'l1' AND q ~ 'rabitq|pq';
            FOREACH filled IN ARRAY '{f,t}'::bool[] LOOP
                DROP TABLE IF EXISTS o;
                EXECUTE format('CREATE TABLE o (id int, e vector(%s))', dims);
                IF NOT filled THEN INSERT INTO o SELECT * FROM raw; END IF;
                EXECUTE format('CREATE INDEX o_e ON o USING ivf (e vector_%s_ops) WITH (quantizer = %s)', m, q);
                IF filled THEN INSERT INTO o SELECT * FROM raw; END IF;
                FOR query IN SELECT e FROM raw WHERE id = 63 LOOP
                    FOREACH rest IN ARRAY '{"", LIMIT 9 OFFSET 30}'::text[] LOOP
                        differs := pg_temp.stream_differs(op, query, rest);
                        place := concat_ws(' ', m, q, CASE WHEN filled THEN 'filled' ELSE 'built' END, rest);
                        IF differs IS NOT NULL THEN RETURN NEXT; END IF;
                    END LOOP;
                END LOOP;
                SELECT string_agg(c::text, '; ') INTO differs FROM vecdb.check_index('o_e') c;
                IF differs IS NOT NULL THEN RETURN NEXT; END IF;
            END LOOP;
        END LOOP;
    END LOOP;
END $$;

-- usual rows, two lists and more
SELECT * FROM pg_temp.try('pg_temp.row_of(i, 20, 1, i % 3 * 0.2) FROM generate_series(1, 450) i', 20,
    '{rabitq,sq8,pq,"pq, pq_bits = 8",half,none}', '{l2,ip,cosine,l1}');
SELECT * FROM pg_temp.try('pg_temp.row_of(i, 1, 1, 0) FROM generate_series(1, 150) i', 1, '{rabitq,sq8,pq,half,none}', '{l2,ip,l1}');
-- slots of several pages
SELECT * FROM pg_temp.try('pg_temp.row_of(i, 2500, 1, 0) FROM generate_series(1, 24) i', 2500, '{none}', '{l2}');
-- one row far from all others; rows in groups far apart; rows of any magnitude
SELECT * FROM pg_temp.try('pg_temp.row_of(i, 16, CASE i WHEN 150 THEN 1e6 ELSE 1 END, 0) FROM generate_series(1, 400) i', 16, '{rabitq,sq8}', '{l2,ip}');
SELECT * FROM pg_temp.try('pg_temp.row_of(i, 16, 1, i % 3 * 1e5) FROM generate_series(1, 150) i', 16, '{rabitq,half}', '{l2,ip}');
SELECT * FROM pg_temp.try('pg_temp.row_of(i, 16, 10.0 ^ (hashint4(i) % 8), 0) FROM generate_series(1, 400) i', 16, '{rabitq,sq8,half}', '{l2,ip}');
-- zero vectors, equal rows, NULL
SELECT * FROM pg_temp.try('CASE i % 5 WHEN 0 THEN pg_temp.row_of(0, 16, 0, 0) WHEN 1 THEN NULL WHEN 2 THEN pg_temp.row_of(1, 16, 1, 0) ELSE pg_temp.row_of(i, 16, 1, 0) END
    FROM generate_series(1, 400) i', 16, '{rabitq,sq8,half,none}', '{l2,cosine}');
-- squares that overflow float32, and squares that vanish in it
SELECT * FROM pg_temp.try('pg_temp.row_of(i, 16, 1e30, 0) FROM generate_series(1, 110) i', 16, '{rabitq,sq8,half,none}', '{l2}');
SELECT * FROM pg_temp.try('pg_temp.row_of(i, 16, 1e-30, 0) FROM generate_series(1, 110) i', 16, '{rabitq,half,none}', '{l2,ip}');

-- rerank = none gives estimates, so no order; all rows come, each once
CREATE TABLE n (id int, e vector(20));
INSERT INTO n SELECT i, pg_temp.row_of(i, 20, 1, 0) FROM generate_series(1, 700) i;
CREATE INDEX n_e ON n USING ivf (e vector_l2_ops) WITH (quantizer = rabitq, rerank = none);
SET enable_seqscan = off;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM n ORDER BY e <-> (SELECT e FROM n WHERE id = 3)) s;
-- of a query that is NULL, or zero under cosine
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM n ORDER BY e <-> NULL::vector) s;
CREATE INDEX n_c ON n USING ivf (e vector_cosine_ops);
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM n ORDER BY e <=> pg_temp.row_of(0, 20, 0, 0)) s;
DROP TABLE n, o, raw;
