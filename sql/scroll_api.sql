-- vecdb.scroll: pages by keyset, against ORDER BY; cursors that are foreign or forged; what a walk is promised.

CREATE FUNCTION scr_error(statement text) RETURNS TABLE (state text, message text, detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT 'ok', '', '';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT;
END $$;
-- all ids of a walk in pages of k, by the arguments given as text
CREATE FUNCTION scr_walk(rel regclass, witness text, k int, more text DEFAULT '') RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := '{}';
    page text[];
    place text;
BEGIN
    LOOP
        EXECUTE format('SELECT array_agg(id::text ORDER BY n), (array_agg(cursor ORDER BY n DESC))[1]
                        FROM vecdb.scroll($1, NULL::%s, $2, $3 %s) WITH ORDINALITY AS s(id, order_value, cursor, n)', witness, more)
        INTO page, place USING rel, k, place;
        ids := ids || page;
        EXIT WHEN coalesce(cardinality(page), 0) < k;
        IF cardinality(ids) > 100000 THEN RAISE 'endless'; END IF;
    END LOOP;
    RETURN ids;
END $$;
-- the same by one statement
CREATE FUNCTION scr_oracle(rel regclass, witness text, sort text, filter text DEFAULT 'true') RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    ids text[];
BEGIN
    EXECUTE format('SELECT array_agg((%s)::text ORDER BY %s) FROM %s t WHERE %s', witness, sort, rel, filter) INTO ids;
    RETURN coalesce(ids, '{}');
END $$;

-- --- the key ---
CREATE TYPE scr_mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN scr_price AS numeric CHECK (VALUE <> 13);
CREATE TABLE scr (id int PRIMARY KEY, i int, f float8, n scr_price, c text COLLATE "C", d text, w varchar(10), z timestamptz, p interval,
    b boolean, u uuid, e scr_mood, a int[], y bytea, j jsonb, k json, o real, payload jsonb, not_null int NOT NULL);
INSERT INTO scr
SELECT s, CASE WHEN h % 7 <> 0 THEN h % 5 END, (ARRAY[h % 9 / 8.0, 'NaN', 'inf', '-inf', NULL, 1/3.0])[1 + h % 6], nullif(h % 11, 0) / 7.0,
    (ARRAY['a', 'B', 'b', 'A', '', 'é', NULL])[1 + h % 7], (ARRAY['a', 'B', 'b', 'A', '', 'a b', 'ab', NULL])[1 + h / 7 % 8],
    chr(65 + h % 26), '2024-02-03 04:05:06.789+00'::timestamptz + (h % 50) * interval '7 hours 1 microsecond',
    (h % 40) * interval '1 month 2 days -03:04:05', nullif(h % 3, 0)::boolean, md5((h % 60)::text)::uuid,
    (ARRAY['sad', 'ok', 'happy', NULL])[1 + h % 4]::scr_mood, (ARRAY['{}', '{1,NULL}', '{1,2}', '{NULL}', '{0}'])[1 + h % 5]::int[],
    decode(md5((h % 30)::text), 'hex'), (ARRAY['1', '"x"', 'null', '[1]', '{"a":1}', 'true', '2.50', '[]', '"X"', '{}', '-1e10', NULL])[1 + h % 12]::jsonb,
    '1', (h % 13) / 3.0::real,
    CASE h % 4 WHEN 0 THEN '{}' WHEN 1 THEN jsonb_build_object('g', h % 6, 'deep', jsonb_build_object('er', jsonb_build_array(h % 3)))
        WHEN 2 THEN jsonb_build_object('g', chr(65 + h % 5), 'odd.key"''\', h % 3) END, h % 3
FROM (SELECT s, hashint4(s) & 65535 AS h FROM generate_series(1, 300) s) g;
SELECT id, order_value FROM vecdb.scroll('scr', NULL::int, 3);
SELECT id, order_value FROM vecdb.scroll('scr', NULL::int, 3, descending => true);
SELECT id FROM vecdb.scroll('scr', NULL::int, 2, (SELECT cursor FROM vecdb.scroll('scr', NULL::int, 2) OFFSET 1));
SELECT k, scr_walk('scr', 'int', k) = scr_oracle('scr', 'id', 'id') AS up,
    scr_walk('scr', 'int', k, ', descending => true') = scr_oracle('scr', 'id', 'id DESC') AS down
FROM unnest('{1,7,100,299,300,301,5000}'::int[]) k;
-- int2, int4 and int8 stand for each other; the answer is of the argument's type
SELECT pg_typeof(id), count(*) FROM vecdb.scroll('scr', NULL::bigint) GROUP BY 1;
SELECT pg_typeof(id), count(*) FROM vecdb.scroll('scr', NULL::smallint, 5) GROUP BY 1;
SELECT (id).id, (id).w = chr(65 + (hashint4((id).id) & 65535) % 26) AS whole FROM vecdb.scroll('scr', NULL::scr, 2, order_by => 'id');
-- NULL is the default; named, swapped and skipped arguments
SELECT count(*) FROM vecdb.scroll('scr', NULL::int, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT id FROM vecdb.scroll(descending => true, k => 2, key => NULL::int, rel => 'scr');

-- --- order by a column: ties end in the key, rows without a value come last, descending turns both round ---
CREATE FUNCTION scr_orders(columns text[], k int) RETURNS TABLE (order_by text, up boolean, down boolean) LANGUAGE sql AS $$
    SELECT c, scr_walk('scr', 'int', k, format(', order_by => %L', c)) = scr_oracle('scr', 'id', format('%I NULLS LAST, id', c)),
        scr_walk('scr', 'int', k, format(', order_by => %L, descending => true', c)) = scr_oracle('scr', 'id', format('%I DESC NULLS LAST, id DESC', c))
    FROM unnest(columns) c $$;
SELECT * FROM scr_orders('{id,i,f,n,c,d,w,z,p,b,u,e,a,y,j,o,not_null}', 17);
SELECT * FROM scr_orders('{i}', 1) UNION ALL SELECT * FROM scr_orders('{i,f,d,j}', 1000);
-- pages that end where the values do, and where the rows do
CREATE TABLE scr_edge (id int PRIMARY KEY, o int);
INSERT INTO scr_edge SELECT i, CASE WHEN i <= 6 THEN i % 2 END FROM generate_series(1, 12) i;
SELECT k, scr_walk('scr_edge', 'int', k, ', order_by => ''o''') AS up, scr_walk('scr_edge', 'int', k, ', order_by => ''o'', descending => true') AS down
FROM unnest('{3,6,12}'::int[]) k;
SELECT id, order_value FROM vecdb.scroll('scr_edge', NULL::int, 4, (SELECT cursor FROM vecdb.scroll('scr_edge', NULL::int, 5, order_by => 'o') OFFSET 4), order_by => 'o');
-- with an index all pages are read from it, wherever they are
CREATE INDEX scr_i ON scr (i, id);
CREATE INDEX scr_g ON scr ((payload -> 'g'), id);
SELECT * FROM scr_orders('{i}', 7);

-- --- order by a field of the payload: as jsonb orders, so null, strings, numbers, booleans, arrays, objects ---
SELECT f, scr_walk('scr', 'int', 13, format(', order_by => %L', f)) = scr_oracle('scr', 'id', format('(%s) NULLS LAST, id', s)) AS up,
    scr_walk('scr', 'int', 13, format(', order_by => %L, descending => true', f)) = scr_oracle('scr', 'id', format('(%s) DESC NULLS LAST, id DESC', s)) AS down
FROM (VALUES ('g', $$payload -> 'g'$$), ('payload.g', $$payload -> 'g'$$), ('deep.er', $$payload -> 'deep' -> 'er'$$),
    ('deep', $$payload -> 'deep'$$), ('nowhere', 'NULL::int'), ('j.a', $$j -> 'a'$$)) v(f, s);
SELECT DISTINCT ON (jsonb_typeof(order_value)) jsonb_typeof(order_value), order_value
FROM vecdb.scroll('scr', NULL::int, 1000, order_by => 'j') WITH ORDINALITY ORDER BY jsonb_typeof(order_value), ordinality;

-- --- filters: the cursor belongs to one ---
SELECT scr_walk('scr', 'int', 4, $$, filter => '{"must": [{"key": "i", "match": {"value": 3}}]}'$$) = scr_oracle('scr', 'id', 'id', 'i = 3') AS key,
    scr_walk('scr', 'int', 4, $$, filter => '{"must_not": [{"key": "i", "match": {"value": 3}}]}', order_by => 'd'$$)
        = scr_oracle('scr', 'id', 'd NULLS LAST, id', 'i IS DISTINCT FROM 3') AS column,
    scr_walk('scr', 'int', 4, $$, filter => '{"must": [{"key": "g", "match": {"any": [1, 2, "B"]}}]}', order_by => 'g', descending => true$$)
        = scr_oracle('scr', 'id', 'payload -> ''g'' DESC, id DESC', 'payload -> ''g'' IN (''1'', ''2'', ''"B"'')') AS payload,
    scr_walk('scr', 'int', 4, $$, filter => '{}'$$) = scr_oracle('scr', 'id', 'id') AS empty;
SELECT count(*) FROM vecdb.scroll('scr', NULL::int, filter => '{"must": [{"key": "i", "match": {"value": -3}}]}');
-- 1 is 1.0 in jsonb: the same filter
SELECT count(*) FROM vecdb.scroll('scr', NULL::int, 5, (SELECT min(cursor) FROM vecdb.scroll('scr', NULL::int, 1, filter => '{"must": [{"key": "i", "match": {"value": 1}}]}')),
    filter => '{"must": [{"key": "i", "match": {"value": 1.0}}]}');

-- --- other keys: composite, uuid, text with a collation, a schema and names that need quotes ---
CREATE SCHEMA "scr S";
CREATE TABLE "scr S"."T ""x""" ("a b" text COLLATE "C", "B" int, c uuid UNIQUE NOT NULL, "d'e" text, payload jsonb, PRIMARY KEY ("a b", "B"));
INSERT INTO "scr S"."T ""x""" SELECT (ARRAY['a', 'B', 'b', 'A', ''])[1 + s % 5], s, md5(s::text)::uuid, nullif(s % 3, 0)::text FROM generate_series(1, 50) s;
CREATE TYPE scr_key AS ("a b" text, "B" int);
CREATE TYPE scr_yek AS ("B" bigint, "a b" text);
SELECT scr_walk('"scr S"."T ""x"""', 'scr_key', 3) = scr_oracle('"scr S"."T ""x"""', 'ROW("a b", "B")', '"a b", "B"') AS key,
    scr_walk('"scr S"."T ""x"""', 'scr_yek', 3, ', descending => true') = scr_oracle('"scr S"."T ""x"""', 'ROW("B", "a b")', '"B" DESC, "a b" DESC') AS key_turned_round,
    scr_walk('"scr S"."T ""x"""', 'scr_key', 3, $$, order_by => '"d''e"'$$) = scr_oracle('"scr S"."T ""x"""', 'ROW("a b", "B")', '"d''e" NULLS LAST, "a b", "B"') AS ordered,
    scr_walk('"scr S"."T ""x"""', 'uuid', 3, $$, params => '{"key_column": "c"}'$$) = scr_oracle('"scr S"."T ""x"""', 'c', 'c') AS uuid;
CREATE TABLE scr_text (t text COLLATE "C" PRIMARY KEY, d text);
INSERT INTO scr_text SELECT CASE WHEN s % 3 = 0 THEN upper(md5(s::text)) ELSE md5(s::text) END, (ARRAY['x', 'Y', 'y', E'tab\there', 'quote"''\'])[1 + s % 5] FROM generate_series(1, 60) s;
SELECT scr_walk('scr_text', 'text', 7) = scr_oracle('scr_text', 't', 't') AS key, scr_walk('scr_text', 'varchar', 7, ', order_by => ''d''') = scr_oracle('scr_text', 't', 'd, t') AS ordered;
-- a key whose order finds equal what its index tells apart
CREATE COLLATION scr_any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE scr_case (t text COLLATE scr_any_case NOT NULL, o int);
CREATE UNIQUE INDEX ON scr_case (t COLLATE "C");
INSERT INTO scr_case SELECT CASE WHEN s & 1 > 0 THEN 'A' ELSE 'a' END || CASE WHEN s & 2 > 0 THEN 'B' ELSE 'b' END || CASE WHEN s & 4 > 0 THEN 'C' ELSE 'c' END || s / 8, s % 2 FROM generate_series(0, 39) s;
SELECT k, scr_walk('scr_case', 'text', k, ', params => ''{"key_column": "t"}''') = scr_oracle('scr_case', 't', 't, t COLLATE "C"') AS key,
    scr_walk('scr_case', 'text', k, ', params => ''{"key_column": "t"}'', order_by => ''o'', descending => true') = scr_oracle('scr_case', 't', 'o DESC, t DESC, t COLLATE "C" DESC') AS ordered
FROM unnest('{1,3,7}'::int[]) k;
-- partitions, a materialised view (whose key may be NULL there: such rows have no place)
CREATE TABLE scr_part (id int, o int, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE scr_part_0 PARTITION OF scr_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE scr_part_1 (o int, id int NOT NULL);
ALTER TABLE scr_part ATTACH PARTITION scr_part_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO scr_part SELECT i, i % 4 FROM generate_series(1, 40) i;
CREATE MATERIALIZED VIEW scr_mat AS SELECT nullif(id, 7) AS id, o FROM scr_part;
CREATE UNIQUE INDEX ON scr_mat (id);
SELECT scr_walk('scr_part', 'int', 6, ', order_by => ''o'', descending => true') = scr_oracle('scr_part', 'id', 'o DESC, id DESC') AS partitions,
    scr_walk('scr_mat', 'int', 6, ', order_by => ''o'', params => ''{"key_column": "id"}''') = scr_oracle('scr_mat', 'id', 'o, id', 'id IS NOT NULL') AS materialised;
CREATE TABLE scr_empty (id int PRIMARY KEY);
SELECT * FROM vecdb.scroll('scr_empty', NULL::int);
SELECT * FROM vecdb.scroll('scr_empty', NULL::int, order_by => 'id', descending => true);

-- --- a cursor is good in any session of any settings, for any page size ---
CREATE TABLE scr_cursors AS SELECT 'z' AS o, id, cursor FROM vecdb.scroll('scr', NULL::int, 150, order_by => 'z') UNION ALL
    SELECT 'p', id, cursor FROM vecdb.scroll('scr', NULL::int, 150, order_by => 'p') UNION ALL SELECT 'f', id, cursor FROM vecdb.scroll('scr', NULL::int, 150, order_by => 'f');
CREATE FUNCTION scr_next() RETURNS TABLE (o text, id int, next int) LANGUAGE sql AS
$$ SELECT c.o, c.id, (SELECT s.id FROM vecdb.scroll('scr', NULL::int, 1, c.cursor, order_by => c.o) s) FROM scr_cursors c $$;
CREATE TABLE scr_nexts AS SELECT * FROM scr_next();
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SET timezone = 'Asia/Kathmandu';
SET extra_float_digits = -10;
SELECT count(*) AS differ FROM scr_next() a JOIN scr_nexts b USING (o, id) WHERE a.next IS DISTINCT FROM b.next;
-- numbers are written in full; the settings stay as they were
SELECT count(*) AS differ FROM scr_cursors a, vecdb.scroll('scr', NULL::int, 150, order_by => 'f') b WHERE a.o = 'f' AND a.id = b.id AND a.cursor <> b.cursor;
SHOW datestyle;
SHOW extra_float_digits;
RESET ALL;

-- --- foreign cursors ---
CREATE TABLE scr_twin (LIKE scr INCLUDING ALL);
SELECT cursor AS own FROM vecdb.scroll('scr', NULL::int, 1) \gset
SELECT cursor AS ordered FROM vecdb.scroll('scr', NULL::int, 1, order_by => 'i') \gset
SELECT cursor AS filtered FROM vecdb.scroll('scr', NULL::int, 1, filter => '{"must": [{"key": "i", "match": {"value": 3}}]}') \gset
SELECT count(*) FROM vecdb.scroll('scr', NULL::int, 5, :'own');
SELECT * FROM scr_error(format($$SELECT vecdb.scroll('scr_twin', NULL::int, 5, %L)$$, :'own'));
SELECT call, state FROM unnest(ARRAY[
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, descending => true)$$, :'own'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, order_by => 'i')$$, :'own'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, order_by => 'id')$$, :'own'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, '{"must": [{"key": "i", "match": {"value": 3}}]}')$$, :'own'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L)$$, :'ordered'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, order_by => 'o')$$, :'ordered'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, order_by => 'i', descending => true)$$, :'ordered'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L)$$, :'filtered'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, '{"must": [{"key": "i", "match": {"value": 4}}]}')$$, :'filtered'),
    format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, '{"must": [{"key": "i", "match": {"value": 3}}]}')$$, :'filtered')]) WITH ORDINALITY c(text, n),
    LATERAL (SELECT regexp_replace(text, '''A[^'']*''', '...') AS call, (scr_error(text)).state) e ORDER BY n;

-- --- forged ones: no token, a token cut or changed, a token with a right checksum over what is not of its types ---
CREATE FUNCTION scr_checksum(bytes bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    hash bigint := 0;
    product numeric;
BEGIN
    FOR i IN 0 .. length(bytes) - 1 LOOP
        hash := hash # -3750763034362895579 # get_byte(bytes, i);
        product := mod(CASE WHEN hash < 0 THEN hash + 18446744073709551616 ELSE hash END * 1099511628211, 18446744073709551616);
        hash := CASE WHEN product >= 9223372036854775808 THEN product - 18446744073709551616 ELSE product END;
        hash := hash # ((hash >> 29) & 34359738367);
    END LOOP;
    hash := hash # ((hash >> 32) & 4294967295);
    RETURN decode(string_agg(lpad(to_hex((hash >> (8 * i)) & 255), 2, '0'), '' ORDER BY i), 'hex') FROM generate_series(0, 3) i;
END $$;
CREATE FUNCTION scr_bytes(cursor text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
$$ SELECT decode(translate(cursor, '-_', '+/') || repeat('=', -length(cursor) & 3), 'base64') $$;
CREATE FUNCTION scr_text_of(bytes bytea) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT rtrim(translate(encode(bytes, 'base64'), E'+/\n', '-_'), '=') $$;
-- the scope and flags of a cursor with other values
CREATE FUNCTION scr_forge(cursor text, forged bytea[], flags int DEFAULT NULL) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT scr_text_of(body || scr_checksum(body)) FROM (SELECT set_byte(substring(scr_bytes(cursor) FOR 10), 1, coalesce(flags, get_byte(scr_bytes(cursor), 1)))
        || set_byte('\x00', 0, cardinality(forged)) || coalesce((SELECT string_agg(set_byte('\x00', 0, length(v)) || v, '' ORDER BY n) FROM unnest(forged) WITH ORDINALITY u(v, n)), '') AS body) b $$;
SELECT scr_forge(:'own', ARRAY['1'::bytea]) = :'own' AS same;
SELECT id FROM vecdb.scroll('scr', NULL::int, 1, scr_forge(:'own', ARRAY['41'::bytea]));
SELECT what, e.* FROM (VALUES ('empty', ''), ('words', 'next page, please'), ('SQL', '1); DROP TABLE scr; --'), ('cut', left(:'own', -1)), ('longer', :'own' || 'A'),
    ('base64 with padding', :'own' || '='), ('zeros', repeat('A', 30)), ('long', repeat('A', 5000000)),
    ('value', scr_forge(:'own', ARRAY['forty-one'::bytea])), ('value out of range', scr_forge(:'own', ARRAY['99999999999'::bytea])),
    ('SQL value', scr_forge(:'own', ARRAY['1); DROP TABLE scr; --'::bytea])), ('no value', scr_forge(:'own', '{}'::bytea[])),
    ('two values', scr_forge(:'own', ARRAY['1', '2']::bytea[])), ('not text', scr_forge(:'own', ARRAY['\xff31'::bytea])), ('a zero', scr_forge(:'own', ARRAY['\x3100'::bytea])),
    ('no order', scr_forge(:'own', ARRAY['1'::bytea], 1)), ('flags', scr_forge(:'own', ARRAY['1'::bytea], 4))) v(what, cursor),
    LATERAL scr_error(format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L)$$, cursor)) e;
SELECT what, e.* FROM (VALUES ('right', scr_forge(:'ordered', ARRAY['3', '1']::bytea[])), ('among nulls', scr_forge(:'ordered', ARRAY['1'::bytea], 1)),
    ('among nulls with a value', scr_forge(:'ordered', ARRAY['3', '1']::bytea[], 1)), ('no key', scr_forge(:'ordered', ARRAY['3'::bytea]))) v(what, cursor),
    LATERAL scr_error(format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, order_by => 'i')$$, cursor)) e;
-- of a domain: its check is about rows, not about places between them
SELECT state FROM scr_error(format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, order_by => 'n')$$, (SELECT scr_forge(cursor, ARRAY['13', '1']::bytea[]) FROM vecdb.scroll('scr', NULL::int, 1, order_by => 'n'))));
SELECT state, detail FROM scr_error(format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, order_by => 'e')$$, (SELECT scr_forge(cursor, ARRAY['angry', '1']::bytea[]) FROM vecdb.scroll('scr', NULL::int, 1, order_by => 'e'))));
SELECT state, detail FROM scr_error(format($$SELECT vecdb.scroll('scr', NULL::int, 5, %L, order_by => 'g')$$, (SELECT scr_forge(cursor, ARRAY['{"a', '1']::bytea[]) FROM vecdb.scroll('scr', NULL::int, 1, order_by => 'g'))));

-- --- what is promised: a row that is there and unchanged for the whole walk comes exactly once ---
CREATE TABLE scr_move (id int PRIMARY KEY, o int);
CREATE INDEX ON scr_move (o, id);
INSERT INTO scr_move SELECT i, i % 10 FROM generate_series(1, 400) i;
CREATE FUNCTION scr_moving(order_by text, k int) RETURNS TABLE (seen bigint, twice bigint, missing bigint) LANGUAGE plpgsql AS $$
DECLARE
    place text;
    page int[];
    ids int[] := '{}';
    step int := 0;
BEGIN
    LOOP
        SELECT array_agg(s.id), (array_agg(s.cursor))[cardinality(array_agg(s.id))] INTO page, place FROM vecdb.scroll('scr_move', NULL::int, k, place, order_by => scr_moving.order_by) s;
        ids := ids || page;
        EXIT WHEN coalesce(cardinality(page), 0) < k;
        step := step + 1;
        -- the rows of even ids come, go and change all the while, the last of the page among them
        DELETE FROM scr_move m WHERE m.id = page[k] AND m.id % 2 = 0;
        DELETE FROM scr_move m WHERE m.id % 2 = 0 AND hashint4(m.id + step) % 7 = 0;
        UPDATE scr_move m SET o = (m.o + step) % 10 WHERE m.id % 2 = 0 AND hashint4(m.id # step) % 5 = 0;
        INSERT INTO scr_move SELECT 1000 * step + 2 * i, i FROM generate_series(1, 10) i WHERE step < 20;
    END LOOP;
    RETURN QUERY SELECT count(*), (SELECT count(*) FROM (SELECT u FROM unnest(ids) u WHERE u % 2 = 1 GROUP BY u HAVING count(*) > 1) d),
        (SELECT count(*) FROM generate_series(1, 400, 2) i WHERE i <> ALL (ids)) FROM unnest(ids) u WHERE u % 2 = 1;
END $$;
SELECT * FROM scr_moving(NULL, 9);
TRUNCATE scr_move;
INSERT INTO scr_move SELECT i, i % 10 FROM generate_series(1, 400) i;
SELECT * FROM scr_moving('o', 9);

-- --- what a page costs: as many buffers at the end as at the start ---
CREATE TABLE scr_large (id int PRIMARY KEY, o int, payload jsonb);
INSERT INTO scr_large SELECT i, hashint4(i) % 1000, jsonb_build_object('g', hashint4(i) % 1000) FROM generate_series(1, 30000) i;
CREATE INDEX ON scr_large (o, id);
CREATE INDEX ON scr_large ((payload -> 'g'), id);
VACUUM ANALYZE scr_large;
CREATE FUNCTION scr_buffers(place text, more text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    FOR i IN 1 .. 2 LOOP
        EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM vecdb.scroll(''scr_large'', NULL::int, 50, %L %s)', place, more) INTO plan;
    END LOOP;
    RETURN (plan #>> '{0,Plan,Shared Hit Blocks}')::int + (plan #>> '{0,Plan,Shared Read Blocks}')::int;
END $$;
CREATE TABLE scr_places AS SELECT more, n, cursor FROM (VALUES (''), (', descending => true'), (', order_by => ''o'''), (', order_by => ''o'', descending => true'), (', order_by => ''g''')) v(more),
    LATERAL (SELECT * FROM vecdb.scroll('scr_large', NULL::int, 30000, order_by => substring(more FROM '''(.)'''), descending => more ~ 'desc') WITH ORDINALITY s(id, o, cursor, n)) s
    WHERE n IN (1000, 15000, 29900);
-- a page by o reads a page of the table for each of its 50 rows
SELECT more, bool_and(buffers < CASE WHEN more ~ 'order' THEN 120 ELSE 30 END) AS few, max(buffers) - min(buffers) < 20 AS steady
FROM (SELECT more, scr_buffers(cursor, more) AS buffers FROM scr_places) b GROUP BY 1 ORDER BY 1;

-- --- refused ---
CREATE VIEW scr_view AS SELECT * FROM scr;
CREATE TABLE scr_no_key (id int);
SELECT call, state, message FROM unnest(ARRAY[
    $$SELECT vecdb.scroll(NULL, NULL::int)$$, $$SELECT vecdb.scroll('scr', NULL::int, 0)$$, $$SELECT vecdb.scroll('scr', NULL::int, -1)$$,
    $$SELECT vecdb.scroll('scr', NULL::int, 2000000000)$$, $$SELECT vecdb.scroll('scr', NULL::text)$$, $$SELECT vecdb.scroll('scr', NULL)$$,
    $$SELECT vecdb.scroll('scr_view', NULL::int)$$, $$SELECT vecdb.scroll('scr_no_key', NULL::int)$$, $$SELECT vecdb.scroll('no_such', NULL::int)$$,
    $$SELECT vecdb.scroll('scr', NULL::int, order_by => 'k')$$, $$SELECT vecdb.scroll('scr', NULL::int, params => '{"limit": 3}')$$]) WITH ORDINALITY c(call, n), LATERAL scr_error(call) ORDER BY n;
SELECT call, state FROM unnest(ARRAY[
    $$SELECT vecdb.scroll('scr', NULL::int, order_by => '')$$, $$SELECT vecdb.scroll('scr_text', NULL::text, order_by => 'no_such')$$,
    $$SELECT vecdb.scroll('scr_text', NULL::text, order_by => 'd; DROP TABLE scr')$$, $$SELECT vecdb.scroll('scr_text', NULL::text, order_by => 'd DESC')$$,
    $$SELECT vecdb.scroll('scr', NULL::int, filter => '{"nust": []}')$$]) WITH ORDINALITY c(call, n), LATERAL scr_error(call) ORDER BY n;
SELECT count(*) FROM vecdb.scroll('scr_view', NULL::int, params => '{"key_column": "id"}');

-- --- privileges and policies ---
CREATE ROLE scr_role;
SET ROLE scr_role;
SELECT * FROM scr_error($$SELECT vecdb.scroll('scr', NULL::int)$$);
RESET ROLE;
GRANT SELECT ON scr, scr_cursors TO scr_role;
ALTER TABLE scr ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON scr TO scr_role USING (id % 10 = 0);
SET ROLE scr_role;
SELECT scr_walk('scr', 'int', 4) = (SELECT array_agg((10 * i)::text ORDER BY i) FROM generate_series(1, 30) i) AS only_own;
-- the cursor of a row that is hidden is a place like any other
SELECT id FROM vecdb.scroll('scr', NULL::int, 2, :'own');
RESET ROLE;

DROP VIEW scr_view;
DROP MATERIALIZED VIEW scr_mat;
DROP TABLE scr, scr_edge, scr_text, scr_case, scr_part, scr_empty, scr_cursors, scr_nexts, scr_twin, scr_move, scr_large, scr_places, scr_no_key CASCADE;
DROP SCHEMA "scr S" CASCADE;
DROP TYPE scr_mood, scr_key, scr_yek;
DROP DOMAIN scr_price;
DROP COLLATION scr_any_case;
DROP FUNCTION scr_error, scr_walk, scr_oracle, scr_orders, scr_next, scr_checksum, scr_bytes, scr_text_of, scr_forge, scr_moving, scr_buffers;
DROP ROLE scr_role;
