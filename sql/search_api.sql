-- vecdb.search, search_sparse, search_batch; and what all functions of the query API share: targets, keys, parameters
\set SHOW_CONTEXT never
CREATE SCHEMA search_api;
SET search_path = search_api, public;
SET jit = off;

-- what a statement raises
CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || SQLERRM || CASE WHEN hint <> '' THEN ' HINT: ' || hint ELSE '' END;
END $$;

-- small whole numbers: many ties at each distance
CREATE TABLE items (id bigint PRIMARY KEY, v vector(4), h halfvec(4), i int8vec(4), s sparsevec(4), n int, label text);
INSERT INTO items (id, v, n, label)
    SELECT g, ARRAY[(g * 7919 % 101) % 4, (g * 104729 % 103) % 4, (g * 1299709 % 107) % 3, 1 + g % 2]::vector(4), g % 10, 'row ' || g
    FROM generate_series(1, 600) g ORDER BY g * 7919 % 601;
UPDATE items SET h = v, i = v::int8vec(4), s = v;
ANALYZE items;

-- oracle: every metric and type of column; distance, score, rank, ties by the key
CREATE FUNCTION disagreements(rel text, indexes text[] DEFAULT NULL) RETURNS TABLE(col text, metric text, asked bigint, wrong bigint)
LANGUAGE plpgsql AS $$
DECLARE
    op text;
    sim text;
    query text;
    literal text;
    found bigint;
    k int;
    skip int;
    params jsonb;
BEGIN
    FOREACH col IN ARRAY ARRAY['v', 'h', 'i', 's'] LOOP
        FOR metric, op, sim IN VALUES ('l2', '<->', '0 - round((d * d)::numeric, 9)::float8'), ('dot', '<#>', '0 - d'), ('cosine', '<=>', '1 - d'), ('l1', '<+>', '0 - d') LOOP
            CONTINUE WHEN NOT col || ' ' || metric = ANY (indexes);
            asked := 0;
            wrong := 0;
            params := jsonb_build_object('metric', metric, 'exact', indexes IS NULL, 'ef_search', 600);
            FOR k, skip, query IN VALUES (1, 0, '[1,2,0,1]'), (10, 0, '[0,1,2,2]'), (10, 17, '[3,0,1,1]'), (1000, 0, '[1,1,1,1]'), (7, 599, '[2,2,1,1]') LOOP
                literal := format('%L::public.vector::public.%s', query, (SELECT t.typname FROM pg_attribute a, pg_type t WHERE a.attrelid = rel::regclass AND attname = col AND t.oid = atttypid));
                EXECUTE format($q$
                    WITH want AS (SELECT id, d AS distance, %1$s AS score, row_number() OVER (ORDER BY d, id) AS rank
                                  FROM (SELECT id, %2$I OPERATOR(public.%3$s) %9$s AS d FROM %5$s) x ORDER BY d, id LIMIT %6$s OFFSET %7$s),
                         got AS (SELECT * FROM vecdb.search(%5$L, %2$L, NULL::bigint, %4$L, k => %6$s, skip => %7$s, params => %8$L))
                    SELECT count(*) FROM want FULL JOIN got USING (id, distance, score, rank)
                    WHERE want.* IS NULL OR got.* IS NULL$q$, sim, col, op, query, rel, k, skip, params, literal) INTO found;
                asked := asked + 1;
                wrong := wrong + found;
            END LOOP;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END $$;
SELECT metric, count(*) AS columns, sum(asked) AS asked, sum(wrong) AS wrong FROM disagreements('items') GROUP BY metric ORDER BY metric;
-- the same through an index, which is told more than it needs to look at
SET vecdb.build_seed = 1;
CREATE TABLE indexed (LIKE items INCLUDING ALL);
INSERT INTO indexed SELECT * FROM items;
CREATE INDEX ON indexed USING hnsw (v vector_l2_ops);
CREATE INDEX ON indexed USING hnsw (h halfvec_cosine_ops);
CREATE INDEX ON indexed USING ivf (i int8vec_ip_ops);
CREATE INDEX ON indexed USING hnsw (s sparsevec_l1_ops);
ANALYZE indexed;
SET enable_seqscan = off;
SET vecdb.ivf_probes = 1000;
SELECT col, metric, asked, wrong FROM disagreements('indexed', '{v l2,h cosine,i dot,s l1}') ORDER BY col;
RESET vecdb.ivf_probes;
RESET enable_seqscan;

-- the statement, and that the index serves it although ties go by the key
SET client_min_messages = log;
SET vecdb.log_generated_sql = on;
SELECT id, rank FROM vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,1]', k => 2, skip => 1, filter => '{"must": {"key": "n", "range": {"lt": 5}}}');
RESET vecdb.log_generated_sql;
RESET client_min_messages;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT t.id, t.v <-> '[1,2,0,1]' FROM indexed t ORDER BY t.v <-> '[1,2,0,1]', t.id LIMIT 3;
EXPLAIN (COSTS OFF) SELECT t.id FROM indexed t ORDER BY + (t.v <-> '[1,2,0,1]'), t.id LIMIT 3;
-- not where the distance is not the first
EXPLAIN (COSTS OFF) SELECT t.id FROM indexed t ORDER BY t.n, t.v <-> '[1,2,0,1]' LIMIT 3;
SELECT id, distance, score FROM vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,1]', k => 3, params => '{"exact": true}');
RESET enable_seqscan;
EXPLAIN SELECT * FROM vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,1]', k => 7);
EXPLAIN SELECT * FROM vecdb.search_batch('indexed', 'v', NULL::bigint, '{"[1,2,0,1]","[1,2,0,1]"}', k => 7);

-- the metric: of the index, of params, of two indexes
SELECT distance, score FROM vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,5]', k => 1);
SELECT distance, score FROM vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,5]', k => 1, params => '{"metric": "Manhattan"}');
SELECT distance, score FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 1);
CREATE INDEX indexed_v_ip ON indexed USING hnsw (v vector_ip_ops);
SELECT try($$SELECT vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,1]')$$);
SELECT count(*) FROM vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,1]', params => '{"metric": "euclid"}');
DROP INDEX indexed_v_ip;
SELECT distance FROM vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,5]', k => 1);

-- k, skip, rank, threshold
SELECT id, rank FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', 2, 10, NULL, NULL, '{"metric": "l2"}');
SELECT count(*), min(score) FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 600, score_threshold => -2, params => '{"metric": "l2"}');
SELECT count(*), -max(round(((v <-> '[1,2,0,1]') ^ 2)::numeric, 9)) AS min FROM items WHERE round(((v <-> '[1,2,0,1]') ^ 2)::numeric, 9) <= 2;
SELECT count(*), max(rank) FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 600, skip => 10, score_threshold => -2, params => '{"metric": "l2"}');
SELECT count(*) FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', score_threshold => 1.5);
SELECT count(*) FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', score_threshold => 'NaN');
SELECT count(*) FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 10000);

-- notation: by name, in another order, with arguments left out; NULL is the default
SELECT id FROM vecdb.search(rel => 'items', vec => 'v', key => NULL::bigint, k => 2, query => '[1,2,0,1]');
-- PostgreSQL takes the third argument as it is written for the one that says the type
SELECT id FROM vecdb.search(query => '[1,2,0,1]', key => NULL::bigint, vec => 'v', rel => 'items', k => 2);
SELECT id FROM vecdb.search('items', 'v', NULL::bigint, params => '{"metric": "l2"}', query => '[1,2,0,1]', k => 2);
SELECT count(*) FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', NULL, NULL, NULL, NULL, NULL);
SELECT count(*) FROM vecdb.search('items', 'v', 1::bigint, (SELECT v FROM items WHERE id = 1), params => '{"metric": null, "ef_search": null}');
SELECT (vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 1)).id;
SELECT q.n, count(s.id) FROM (VALUES (1, '[1,2,0,1]'::vector), (2, '[0,0,0,1]')) q(n, v), LATERAL vecdb.search('items', 'v', NULL::bigint, q.v, k => 3) s GROUP BY q.n ORDER BY q.n;

-- what a key may be: integers for each other
SELECT pg_typeof(id), id FROM vecdb.search('items', 'v', NULL::int, '[1,2,0,1]', k => 1);
SELECT pg_typeof(id), id FROM vecdb.search('items', 'v', NULL::smallint, '[1,2,0,1]', k => 1);
INSERT INTO items (id, v) VALUES (40000, '[9,9,9,9]'), (5000000000, '[99,99,99,99]');
SELECT id FROM vecdb.search('items', 'v', NULL::bigint, '[99,99,99,99]', k => 2, params => '{"metric": "l2"}');
SELECT try($$SELECT id FROM vecdb.search('items', 'v', NULL::int, '[99,99,99,99]', k => 1, params => '{"metric": "l2"}')$$);
SELECT try($$SELECT id FROM vecdb.search('items', 'v', NULL::smallint, '[9,9,9,9]', k => 1, params => '{"metric": "l2"}')$$);
-- only rows of the answer count
SELECT count(*) FROM vecdb.search('items', 'v', NULL::smallint, '[1,2,0,1]', k => 5);
DELETE FROM items WHERE id > 600;
-- a row
SELECT * FROM vecdb.search('items', 'v', NULL::items, '[1,2,0,1]', k => 1);
SELECT (s.id).label, (s.id).v, rank FROM vecdb.search('items', 'v', NULL::items, '[1,2,0,1]', k => 2) s;
-- a composite type that names columns of the key, and one that may be NULL
CREATE TYPE id_n AS (n int, id int);
SELECT id, (id).n FROM vecdb.search('items', 'v', NULL::id_n, '[1,2,0,1]', k => 2);
CREATE DOMAIN item_id AS bigint CHECK (VALUE > 0);
SELECT pg_typeof(id), id FROM vecdb.search('items', 'v', NULL::item_id, '[1,2,0,1]', k => 1);
-- text, varchar, uuid
CREATE TABLE by_text (id text PRIMARY KEY, v vector(2));
INSERT INTO by_text VALUES ('b', '[1,1]'), ('a', '[1,1]'), ('x', '[1,0]'), ('it''s "x"', '[0,1]');
SELECT id, score FROM vecdb.search('by_text', 'v', NULL::text, '[1,1]', params => '{"metric": "dot"}') ORDER BY rank;
SELECT id FROM vecdb.search('by_text', 'v', NULL, '[1,1]', k => 1);
CREATE TABLE by_varchar (id varchar(20) PRIMARY KEY, v vector(2));
INSERT INTO by_varchar VALUES ('b', '[1,1]'), ('a', '[1,1]');
SELECT pg_typeof(id), id FROM vecdb.search('by_varchar', 'v', NULL::text, '[1,1]');
SELECT pg_typeof(id), id FROM vecdb.search('by_varchar', 'v', NULL::varchar, '[1,1]');
CREATE TABLE by_uuid (id uuid PRIMARY KEY, v vector(2));
INSERT INTO by_uuid SELECT ('00000000-0000-0000-0000-00000000000' || g)::uuid, '[1,1]' FROM generate_series(1, 3) g;
SELECT id FROM vecdb.search('by_uuid', 'v', NULL::uuid, '[1,1]', k => 2);
-- a key of two columns
CREATE TABLE by_two (tenant int, code text, v vector(2), PRIMARY KEY (tenant, code));
INSERT INTO by_two VALUES (2, 'a', '[1,1]'), (1, 'b', '[1,1]'), (1, 'a', '[1,1]'), (1, 'c', '[1,0]');
CREATE TYPE two_id AS (tenant int, code text);
CREATE TYPE two_di AS (code text, tenant int);
CREATE TYPE one_of_two AS (tenant int);
CREATE TYPE none_of_two AS (tenant int, what text);
CREATE TYPE wrong_of_two AS (tenant text, code text);
SELECT id, (id).code, rank FROM vecdb.search('by_two', 'v', NULL::two_id, '[1,1]');
SELECT id, rank FROM vecdb.search('by_two', 'v', NULL::two_di, '[1,1]', k => 3);
SELECT id, rank FROM vecdb.search('by_two', 'v', NULL::by_two, '[1,1]', k => 3);
SELECT try($$SELECT vecdb.search('by_two', 'v', NULL::int, '[1,1]')$$);
SELECT try($$SELECT vecdb.search('by_two', 'v', NULL::one_of_two, '[1,1]')$$);
SELECT try($$SELECT vecdb.search('by_two', 'v', NULL::none_of_two, '[1,1]')$$);
SELECT try($$SELECT vecdb.search('by_two', 'v', NULL::wrong_of_two, '[1,1]')$$);
SELECT try($$SELECT vecdb.search('by_two', 'v', ROW(1, 'a'), '[1,1]')$$);
SELECT try($$SELECT vecdb.search('by_two', 'v', NULL::int, '[1,1]', params => '{"key_column": "code"}')$$);
-- a type that changes while the session knows it
ALTER TYPE one_of_two ADD ATTRIBUTE code text;
SELECT id FROM vecdb.search('by_two', 'v', NULL::one_of_two, '[1,1]', k => 1);
-- wrong types
SELECT try($$SELECT vecdb.search('items', 'v', NULL, '[1,2,0,1]')$$);
SELECT try($$SELECT vecdb.search('items', 'v', NULL::uuid, '[1,2,0,1]')$$);
SELECT try($$SELECT vecdb.search('items', 'v', NULL::numeric, '[1,2,0,1]')$$);
SELECT try($$SELECT vecdb.search('by_text', 'v', NULL::bigint, '[1,1]')$$);
-- keys that are none, and those that params.key_column names
CREATE TABLE keyless (id int, a int NOT NULL, b int NOT NULL, c int NOT NULL, d int NOT NULL, v vector(2));
INSERT INTO keyless SELECT g, g, g, g, g, '[1,1]' FROM generate_series(1, 3) g;
CREATE UNIQUE INDEX ON keyless (id);
CREATE UNIQUE INDEX ON keyless (b) WHERE b > 0;
ALTER TABLE keyless ADD UNIQUE (c) DEFERRABLE;
CREATE UNIQUE INDEX ON keyless (d) INCLUDE (a);
CREATE UNIQUE INDEX ON keyless ((a + 1));
SELECT try($$SELECT vecdb.search('keyless', 'v', NULL::int, '[1,1]')$$);
SELECT c AS column, try(format($$SELECT vecdb.search('keyless', 'v', NULL::int, '[1,1]', params => '{"key_column": "%s"}')$$, c))
    FROM unnest(ARRAY['id', 'a', 'b', 'c', 'd', 'e', 'ctid']) c;
SELECT id FROM vecdb.search('keyless', 'v', NULL::int, '[1,1]', k => 2, params => '{"key_column": "d"}');
SELECT id FROM vecdb.search('keyless', 'v', NULL::keyless, '[1,1]', k => 1, params => '{"key_column": "d"}');
SELECT try($$SELECT vecdb.search('keyless', 'v', NULL::keyless, '[1,1]')$$);

-- arguments
SELECT try($$SELECT vecdb.search(NULL, 'v', NULL::bigint, '[1,2,0,1]')$$);
SELECT try($$SELECT vecdb.search('items', NULL, NULL::bigint, '[1,2,0,1]')$$);
SELECT try($$SELECT vecdb.search('items', 'v', NULL::bigint, NULL)$$);
SELECT try($$SELECT vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 0)$$);
SELECT try($$SELECT vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 2147483647)$$);
SELECT try($$SELECT vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', skip => -1)$$);
SELECT count(*) FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', skip => 2147483647);
SET vecdb.max_k = 5;
SELECT try($$SELECT vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 6)$$);
RESET vecdb.max_k;
SELECT try($$SELECT vecdb.search('items', 'v', NULL::bigint, '[1,2,0]')$$);
SELECT try($$SELECT vecdb.search('items', c, NULL::bigint, '[1,2,0,1]') $$ || '') AS no_such_column_name;
SELECT c AS column, try(format('SELECT vecdb.search(''items'', %L, NULL::bigint, ''[1,2,0,1]'')', c))
    FROM unnest(ARRAY['nothing', 'V', 'n', 'ctid', 'label', 'v"; DROP TABLE items; --']) c;
SELECT try($$SELECT vecdb.search('nothing', 'v', NULL::bigint, '[1,2,0,1]')$$);
SELECT try($$SELECT vecdb.search(1::regclass, 'v', NULL::bigint, '[1,2,0,1]')$$);
SELECT try($$SELECT vecdb.search('items_pkey', 'v', NULL::bigint, '[1,2,0,1]')$$);
SELECT p AS params, try(format('SELECT vecdb.search(''items'', ''v'', NULL::bigint, ''[1,2,0,1]'', params => %L)', p))
    FROM unnest(ARRAY['[]', '3', '{"metrics": "l2"}', '{"metric": "far"}', '{"metric": 1}', '{"exact": "yes"}', '{"ef_search": "10"}', '{"ef_search": 0}',
        '{"ef_search": 1.5}', '{"ef_search": 1e30}', '{"ef_search": 100000}', '{"probes": true}', '{"key_column": ["id"]}', '{"payload_column": 1}', '{"metric": "l2"']) p;
-- settings last for the call
SELECT count(*) FROM vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,1]', params => '{"ef_search": 77, "probes": 5}');
SHOW hnsw.ef_search;
SHOW vecdb.ivf_probes;
SELECT try($$SELECT vecdb.search('indexed', 'v', NULL::bigint, '[1,2,0,1]', params => '{"ef_search": 77, "probes": 100000000}')$$);
SHOW hnsw.ef_search;

-- rows without a distance are none of the answer: NULL, zero vectors under cosine
CREATE TABLE gaps (id int PRIMARY KEY, v vector(2));
INSERT INTO gaps VALUES (1, NULL), (2, '[0,0]'), (3, '[1,0]'), (4, NULL), (5, '[0,1]');
SELECT * FROM vecdb.search('gaps', 'v', NULL::int, '[1,0]');
SELECT * FROM vecdb.search('gaps', 'v', NULL::int, '[1,0]', params => '{"metric": "l2"}');
SELECT * FROM vecdb.search('gaps', 'v', NULL::int, '[0,0]');
CREATE TABLE empty (id int PRIMARY KEY, v vector(2));
SELECT * FROM vecdb.search('empty', 'v', NULL::int, '[1,0]');
SELECT try($$SELECT vecdb.search('empty', 'v', NULL::int, '[1,0,0]')$$);
CREATE TABLE anything (id int PRIMARY KEY, v vector);
INSERT INTO anything VALUES (1, '[1,2,3]');
SELECT try($$SELECT vecdb.search('anything', 'v', NULL::int, '[1,0]')$$);

-- names that would like to be more
CREATE TABLE "a"";drop" ("id"";x" int PRIMARY KEY, "v""; --" vector(2), t int, q int, d int, r int);
INSERT INTO "a"";drop" SELECT g, ARRAY[g, 1]::vector, g, g, g, g FROM generate_series(1, 3) g;
SELECT id FROM vecdb.search('"a"";drop"', 'v"; --', NULL::int, '[1,1]', k => 2);
SELECT (id)."v""; --", (id).t FROM vecdb.search('"a"";drop"', 'v"; --', NULL::"a"";drop", '[1,1]', k => 1);
SELECT query_no, id FROM vecdb.search_batch('"a"";drop"', 'v"; --', NULL::"a"";drop", '{"[1,1]"}', k => 1);
-- an element of a schema that is not in search_path, and operators that are
CREATE SCHEMA evil;
CREATE FUNCTION evil.wrong(vector, vector) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil ran'; END $$;
CREATE FUNCTION evil.wrong(bigint, bigint) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil ran'; END $$;
CREATE FUNCTION evil.wrong(float8) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil ran'; END $$;
CREATE FUNCTION evil.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil ran'; END $$;
CREATE OPERATOR evil.<=> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = evil.wrong);
CREATE OPERATOR evil.<-> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = evil.wrong);
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.wrong);
CREATE OPERATOR evil.+ (RIGHTARG = float8, FUNCTION = evil.wrong);
SET search_path = evil, search_api, pg_catalog, public;
SELECT id FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 1);
SELECT id FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 1, params => '{"metric": "l2", "exact": true}');
SELECT id FROM vecdb.search_batch('items', 'v', NULL::bigint, '{"[1,2,0,1]"}', k => 1);
SET search_path = pg_temp;
SELECT id FROM vecdb.search('search_api.items', 'v', NULL::bigint, '[1,2,0,1]', k => 1);
SET search_path = search_api, public;
DROP SCHEMA evil CASCADE;

-- kinds of relations: partitioned, materialised, views, temporary, inherited
CREATE TABLE parts (id int, region int, v vector(2), PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (region int NOT NULL, v vector(2), id int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
INSERT INTO parts SELECT g, 1 + g % 2, ARRAY[g % 5, 1]::vector FROM generate_series(1, 40) g;
CREATE INDEX ON parts USING hnsw (v vector_l2_ops);
ANALYZE parts;
CREATE TYPE part_id AS (id int, region int);
SELECT id, distance, rank FROM vecdb.search('parts', 'v', NULL::part_id, '[3,1]', k => 4);
SELECT (id).region, (id).v FROM vecdb.search('parts', 'v', NULL::parts, '[3,1]', k => 2);
SELECT (id).region, (id).v FROM vecdb.search('parts_2', 'v', NULL::parts_2, '[3,1]', k => 1);
SELECT try($$SELECT vecdb.search('parts', 'v', NULL::int, '[3,1]')$$);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT t.id FROM parts t ORDER BY t.v <-> '[3,1]', t.id, t.region LIMIT 4;
SELECT id, distance, rank FROM vecdb.search('parts', 'v', NULL::part_id, '[3,1]', k => 4);
RESET enable_seqscan;
CREATE MATERIALIZED VIEW kept AS SELECT id, v FROM items WHERE n < 5;
SELECT try($$SELECT vecdb.search('kept', 'v', NULL::bigint, '[1,2,0,1]', params => '{"key_column": "id"}')$$);
CREATE UNIQUE INDEX ON kept (id);
SELECT id FROM vecdb.search('kept', 'v', NULL::bigint, '[1,2,0,1]', k => 2, params => '{"key_column": "id"}');
CREATE VIEW seen AS SELECT id, v, label FROM items WHERE n = 3;
SELECT try($$SELECT vecdb.search('seen', 'v', NULL::bigint, '[1,2,0,1]')$$);
SELECT id, rank FROM vecdb.search('seen', 'v', NULL::bigint, '[1,2,0,1]', k => 2, params => '{"key_column": "id"}');
SELECT (id).label FROM vecdb.search('seen', 'v', NULL::seen, '[1,2,0,1]', k => 2, params => '{"key_column": "id"}');
CREATE TEMP TABLE passing (id int PRIMARY KEY, v vector(2));
INSERT INTO passing VALUES (1, '[1,1]');
SELECT id FROM vecdb.search('passing', 'v', NULL::int, '[1,1]');
DROP TABLE passing;
CREATE TEMP TABLE passing (v vector(2), id int PRIMARY KEY);
INSERT INTO passing VALUES ('[1,1]', 2);
SELECT id FROM vecdb.search('passing', 'v', NULL::int, '[1,1]');
CREATE DOMAIN embedding AS vector(2);
CREATE TABLE of_domain (id int PRIMARY KEY, v embedding);
INSERT INTO of_domain VALUES (1, '[1,1]'), (2, '[2,0]');
SELECT * FROM vecdb.search('of_domain', 'v', NULL::int, '[2,1]');
SELECT try($$SELECT vecdb.search('of_domain', 'v', NULL::int, '[2,1,3]')$$);

-- what is known of a table follows its changes
CREATE TABLE moving (id int PRIMARY KEY, v vector(2), w vector(2));
INSERT INTO moving VALUES (1, '[1,1]', '[0,9]'), (2, '[2,2]', '[1,1]');
SELECT id, distance FROM vecdb.search('moving', 'v', NULL::int, '[1,1]', k => 1, params => '{"metric": "l2"}');
ALTER TABLE moving RENAME v TO old_v;
SELECT try($$SELECT vecdb.search('moving', 'v', NULL::int, '[1,1]', k => 1, params => '{"metric": "l2"}')$$);
ALTER TABLE moving RENAME w TO v;
SELECT id, distance FROM vecdb.search('moving', 'v', NULL::int, '[1,1]', k => 1, params => '{"metric": "l2"}');
ALTER TABLE moving DROP COLUMN v;
SELECT try($$SELECT vecdb.search('moving', 'v', NULL::int, '[1,1]', k => 1, params => '{"metric": "l2"}')$$);
ALTER TABLE moving RENAME old_v TO v;
ALTER TABLE moving ALTER id TYPE bigint;
SELECT id FROM vecdb.search('moving', 'v', NULL::int, '[1,1]', k => 1, params => '{"metric": "l2"}');
ALTER TABLE moving DROP CONSTRAINT moving_pkey;
SELECT try($$SELECT vecdb.search('moving', 'v', NULL::int, '[1,1]', k => 1, params => '{"metric": "l2"}')$$);
ALTER TABLE moving ADD PRIMARY KEY (id);
ALTER TABLE moving RENAME TO moved;
SELECT id FROM vecdb.search('moved', 'v', NULL::int, '[1,1]', k => 1, params => '{"metric": "l2"}');
ALTER TABLE moved ALTER v TYPE halfvec(2);
SELECT id FROM vecdb.search('moved', 'v', NULL::int, '[1,1]', k => 1, params => '{"metric": "l2"}');
-- more statements than are kept; plans of the caller that are kept for good
SELECT count(*), sum(n) FROM (SELECT k, (SELECT count(*) FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => k)) AS n FROM generate_series(1, 200) k) x WHERE n = k;
PREPARE p(vector, int) AS SELECT id, rank FROM vecdb.search('items', 'v', NULL::bigint, $1, k => $2);
EXECUTE p('[1,2,0,1]', 2);
SET plan_cache_mode = force_generic_plan;
EXECUTE p('[1,2,0,1]', 1);
EXECUTE p('[0,0,0,1]', 2);
DISCARD PLANS;
EXECUTE p('[1,2,0,1]', 1);
RESET plan_cache_mode;
DEALLOCATE p;
-- after an error in the middle, and within a transaction that saw one
BEGIN;
SAVEPOINT s;
SELECT vecdb.search('items', 'v', NULL::bigint, '[1,2,0]');
ROLLBACK TO s;
INSERT INTO items (id, v) VALUES (601, '[50,50,50,50]');
SELECT id FROM vecdb.search('items', 'v', NULL::bigint, '[50,50,50,50]', k => 1, params => '{"metric": "l2"}');
-- the caller's snapshot: a row of the same command is not there yet
WITH new AS (INSERT INTO items (id, v) VALUES (602, '[60,60,60,60]') RETURNING id)
    SELECT new.id AS inserted, s.id AS nearest FROM new, vecdb.search('items', 'v', NULL::bigint, '[60,60,60,60]', k => 1, params => '{"metric": "l2"}') s;
SELECT id FROM vecdb.search('items', 'v', NULL::bigint, '[60,60,60,60]', k => 1, params => '{"metric": "l2"}');
ROLLBACK;
DECLARE c CURSOR WITH HOLD FOR SELECT id FROM vecdb.search('items', 'v', NULL::bigint, '[1,2,0,1]', k => 3);
FETCH 2 FROM c;
CLOSE c;

-- privileges and row security: plans are shared by roles, what they may see is not
CREATE ROLE search_api_reader;
CREATE ROLE search_api_other;
CREATE TABLE secret (id int PRIMARY KEY, owner text, v vector(2), note text);
INSERT INTO secret VALUES (1, 'search_api_reader', '[1,1]', 'a'), (2, 'search_api_other', '[1,1]', 'b'), (3, 'search_api_reader', '[1,0]', 'c');
SELECT id FROM vecdb.search('secret', 'v', NULL::int, '[1,1]');
SELECT 'secret'::regclass::oid AS secret \gset
SET ROLE search_api_reader;
SELECT id FROM vecdb.search(:secret, 'v', NULL::int, '[1,1]');
RESET ROLE;
GRANT USAGE ON SCHEMA search_api TO search_api_reader, search_api_other;
SET ROLE search_api_reader;
SELECT try($$SELECT vecdb.search('secret', 'v', NULL::int, '[1,1]')$$);
SELECT try($$SELECT vecdb.search('secret', 'nothing', NULL::int, '[1,1]')$$);
RESET ROLE;
GRANT SELECT (id, v) ON secret TO search_api_reader;
SET ROLE search_api_reader;
SELECT id FROM vecdb.search('secret', 'v', NULL::int, '[1,1]');
SELECT try($$SELECT vecdb.search('secret', 'v', NULL::secret, '[1,1]')$$);
SELECT try($$SELECT vecdb.search('secret', 'v', NULL::int, '[1,1]', filter => '{"must": {"key": "note", "match": {"value": "a"}}}')$$);
RESET ROLE;
REVOKE SELECT (id) ON secret FROM search_api_reader;
SET ROLE search_api_reader;
SELECT try($$SELECT vecdb.search('secret', 'v', NULL::int, '[1,1]')$$);
RESET ROLE;
GRANT SELECT ON secret TO search_api_reader, search_api_other;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
SELECT id FROM vecdb.search('secret', 'v', NULL::int, '[1,1]');
SET ROLE search_api_reader;
SELECT id FROM vecdb.search('secret', 'v', NULL::int, '[1,1]');
SET ROLE search_api_other;
SELECT id FROM vecdb.search('secret', 'v', NULL::int, '[1,1]');
SELECT query_no, id FROM vecdb.search_batch('secret', 'v', NULL::int, '{"[1,1]","[1,0]"}');
SET row_security = off;
SELECT try($$SELECT vecdb.search('secret', 'v', NULL::int, '[1,1]')$$);
RESET row_security;
SET ROLE search_api_reader;
SELECT id FROM vecdb.search('secret', 'v', NULL::int, '[1,1]');
RESET ROLE;
SELECT id FROM vecdb.search('secret', 'v', NULL::int, '[1,1]');
-- a policy that searches by itself, with as many statements as are kept
CREATE FUNCTION nearest_few(n int) RETURNS int[] LANGUAGE sql STABLE AS
    $$ SELECT array_agg(id::int) FROM vecdb.search('search_api.items', 'v', NULL::bigint, '[1,2,0,1]', k => n) $$;
CREATE POLICY searching ON secret FOR SELECT TO search_api_other USING ((SELECT count(*) FROM generate_series(1, 150) g WHERE cardinality(search_api.nearest_few(g)) = g) = 150);
GRANT SELECT ON items TO search_api_other;
SET ROLE search_api_other;
SELECT id FROM vecdb.search('secret', 'v', NULL::int, '[1,1]');
RESET ROLE;
-- a view that is a barrier stays one
CREATE VIEW behind WITH (security_barrier) AS SELECT id, v FROM secret WHERE note <> 'a';
GRANT SELECT ON behind TO search_api_reader;
REVOKE ALL ON secret FROM search_api_reader;
SET ROLE search_api_reader;
SELECT id FROM vecdb.search('behind', 'v', NULL::int, '[1,1]', params => '{"key_column": "id"}');
SELECT try($$SELECT vecdb.search('secret', 'v', NULL::int, '[1,1]')$$);
RESET ROLE;

-- batches: as many single searches
CREATE TABLE queries AS SELECT n, ARRAY[n % 4, n % 3, n % 5, 1]::vector AS v,
        CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '{"must": {"key": "n", "match": {"value": 3}}}' ELSE '{"must": {"key": "n", "range": {"lt": 4}}}' END::jsonb AS f
    FROM generate_series(1, 12) n;
CREATE FUNCTION batch_wrong(rel regclass, vec name, k int, skip int, each bool) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM
        (SELECT * FROM vecdb.search_batch(rel, vec, NULL::bigint, (SELECT array_agg(q.v ORDER BY q.n) FROM search_api.queries q), k, skip,
                CASE WHEN each THEN (SELECT array_agg(q.f ORDER BY q.n) FROM search_api.queries q) END)) got
        FULL JOIN (SELECT q.n AS query_no, s.* FROM search_api.queries q, vecdb.search(rel, vec, NULL::bigint, q.v, k, skip, CASE WHEN each THEN q.f END) s) want
        USING (query_no, id, distance, score, rank) WHERE got.* IS NULL OR want.* IS NULL $$;
SELECT rel, batch_wrong(rel, 'v', 10, 0, false), batch_wrong(rel, 'v', 7, 5, true), batch_wrong(rel, 's', 1, 0, true) FROM (VALUES ('items'::regclass), ('indexed')) x(rel);
SELECT query_no, rank, id FROM vecdb.search_batch('items', 'v', NULL::bigint, '{"[1,2,0,1]","[0,0,0,1]"}', k => 2);
-- slices
SELECT count(*), sum(rank) FROM vecdb.search_batch('items', 'v', NULL::bigint, (SELECT array_agg('[1,2,0,1]'::vector) FROM generate_series(1, 5)), k => 30000, filters => ARRAY['{"must": {"key": "n", "match": {"value": 3}}}'::jsonb]);
SELECT count(*) FROM vecdb.search_batch('items', 'v', NULL::bigint, '{}');
SELECT count(*) FROM vecdb.search_batch('items', 'v', NULL::bigint, '{}', filters => '{}');
SELECT query_no, id, rank FROM vecdb.search_batch('gaps', 'v', NULL::int, '{"[0,0]","[1,0]"}');
SELECT try($$SELECT vecdb.search_batch('items', 'v', NULL::bigint, NULL)$$);
SELECT try($$SELECT vecdb.search_batch('items', 'v', NULL::bigint, '{"[1,2,0,1]",NULL}')$$);
SELECT try($$SELECT vecdb.search_batch('items', 'v', NULL::bigint, '{"[1,2,0,1]","[1,2]"}')$$);
SELECT try($$SELECT vecdb.search_batch('items', 'v', NULL::bigint, '{"[1,2,0,1]","[1,2,0,1]","[1,2,0,1]"}', filters => '{"{}","{}"}')$$);
SELECT try($$SELECT vecdb.search_batch('items', 'v', NULL::bigint, '{"[1,2,0,1]"}', k => 0)$$);
SELECT try($$SELECT vecdb.search_batch('items', 'v', NULL::bigint, '{"[1,2,0,1]"}', params => '{"k": 0}')$$);

-- sparse queries: of more dimensions than a vector has; a literal is a vector to the one function, sparse to the other
CREATE TABLE words (id int PRIMARY KEY, s sparsevec(100000));
INSERT INTO words VALUES (1, '{5:1,99999:2}/100000'), (2, '{5:3}/100000'), (3, '{7:1}/100000');
SELECT id, score FROM vecdb.search_sparse('words', 's', NULL::int, '{5:1,99999:1}/100000', params => '{"metric": "dot"}');
SELECT try($$SELECT vecdb.search('words', 's', NULL::int, '[1,2]')$$);
SELECT id FROM vecdb.search_sparse('items', 'v', NULL::bigint, '{1:1,2:2,4:1}/4', k => 2);
SELECT id FROM vecdb.search_sparse('items', 'v', NULL::bigint, '[1,2,0,1]'::vector, k => 2);
SELECT try($$SELECT vecdb.search_sparse('items', 'v', NULL::bigint, NULL)$$);
SELECT try($$SELECT vecdb.search('items', 'i', NULL::bigint, '[300,0,0,0]')$$);

-- ids of every shape, few and many: deleted, and left out as examples
CREATE TABLE two (tenant int, code varchar(9), v vector(2), PRIMARY KEY (tenant, code));
INSERT INTO two SELECT g % 7, 'c' || g, ARRAY[g % 11, 1]::vector FROM generate_series(1, 300) g;
CREATE TYPE wide_id AS (tenant bigint, code text);
CREATE TYPE small_di AS (code text, tenant smallint);
BEGIN;
SELECT vecdb.delete_points('two', ARRAY[(1, 'c1'), (2, 'c2'), (9, 'c9'), (100000000000, 'c1')]::wide_id[]);
SELECT vecdb.delete_points('two', (SELECT array_agg((code, tenant)::small_di) FROM two WHERE length(code) < 4));
SELECT count(*), min(length(code)) FROM two;
SELECT vecdb.delete_points('two', (SELECT array_agg(t ORDER BY code) FROM two t WHERE tenant = 3)), (SELECT count(*) FROM two WHERE tenant = 3);
SELECT count(*) FROM two WHERE tenant = 3;
ROLLBACK;
SELECT try($$SELECT vecdb.delete_points('two', ARRAY[(1, 'c1'), (NULL, 'c2')]::wide_id[])$$);
SELECT try($$SELECT vecdb.delete_points('two', ARRAY[(1, 'c1'), NULL]::wide_id[])$$);
SELECT (SELECT count(*) FROM vecdb.recommend('two', 'v', (SELECT array_agg((code, tenant)::small_di) FROM two WHERE tenant < 2), '{}'::small_di[], k => 1000)) AS recommended, count(*) FROM two WHERE tenant >= 2;
SELECT vecdb.delete_points('by_varchar', ARRAY['a', 'c7']), vecdb.delete_points('by_varchar', ARRAY['b', 'c7']::varchar[]);
CREATE TABLE by_small (id smallint PRIMARY KEY, v vector(2));
INSERT INTO by_small SELECT g, '[1,1]' FROM generate_series(1, 5) g;
SELECT vecdb.delete_points('by_small', ARRAY[1, 100000]), vecdb.delete_points('by_small', ARRAY[2, 1000000000000000000]), vecdb.delete_points('by_small', '{}'::int[]);
SELECT try($$SELECT vecdb.delete_points('by_small', '{1,2}')$$);

RESET search_path;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA search_api CASCADE;
DROP ROLE search_api_reader, search_api_other;
