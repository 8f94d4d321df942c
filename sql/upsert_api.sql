-- vecdb.upsert and upsert_rows.

CREATE FUNCTION ups_error(statement text) RETURNS TABLE (state text, message text, detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT 'ok', '', '';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT;
END $$;

-- --- insert, update, the last of equal keys; keys in order ---
CREATE TABLE ups (id int PRIMARY KEY, v vector(2), payload jsonb, n int DEFAULT 7);
SELECT * FROM vecdb.upsert('ups', 'v', '{3,1,3}'::int[], '{"[1,2]","[3,4]","[5,6]"}');
SELECT * FROM ups ORDER BY id;
SELECT * FROM vecdb.upsert('ups', 'v', '{3,2,1}'::bigint[], '{"[7,8]","[9,9]","[0,1]"}', ARRAY['{"a": 1}', NULL, '{"b": 2}']::jsonb[]);
-- without payloads these stay
SELECT * FROM vecdb.upsert('ups', 'v', '{3}'::smallint[], '{"[0,0]"}');
SELECT * FROM ups ORDER BY id;
SELECT * FROM vecdb.upsert(payloads => '{"{}"}', vectors => '{"[5,5]"}', ids => '{4}'::int[], vec => 'v', rel => 'ups', payload_column => 'payload');
SELECT * FROM vecdb.upsert('ups', 'v', '{}', '{}');
SELECT * FROM vecdb.upsert('ups', 'v', '{}'::int[], '{}', '{}');
-- many, with duplicates: as one after another
CREATE TABLE ups_in AS SELECT n, (hashint4(n) & 65535) % 400 AS id, ARRAY[n, -n]::vector AS v, jsonb_build_object('n', n) AS p FROM generate_series(1, 1000) n;
SELECT count(*), count(*) FILTER (WHERE inserted) AS inserted FROM vecdb.upsert('ups', 'v', (SELECT array_agg(id ORDER BY n) FROM ups_in), (SELECT array_agg(v ORDER BY n) FROM ups_in), (SELECT array_agg(p ORDER BY n) FROM ups_in));
SELECT count(*), bool_and(i.v = u.v AND i.p = u.payload) FROM ups u JOIN (SELECT DISTINCT ON (id) * FROM ups_in ORDER BY id, n DESC) i USING (id);

-- --- every type of vectors: cast, dimensions checked, the bad element named ---
CREATE TABLE ups_types (id int PRIMARY KEY, v vector, h halfvec(3), s sparsevec(3), b int8vec(3), t text, j jsonb, k jsonb, x json);
SELECT * FROM vecdb.upsert('ups_types', 'v', '{1,2}'::int[], '{"[1,2,3]","[1]"}');
SELECT * FROM vecdb.upsert('ups_types', 'h', '{1}'::int[], '{"[1,2,3.00001]"}');
SELECT * FROM vecdb.upsert('ups_types', 's', '{1}'::int[], '{"[1,0,3]"}');
SELECT * FROM vecdb.upsert('ups_types', 'b', '{1}'::int[], '{"[1,-7,127]"}');
SELECT v, h, s, b FROM ups_types ORDER BY id;
SELECT c, e.* FROM unnest('{v,h,s,b}'::text[]) c, ups_error(format($$SELECT vecdb.upsert('ups_types', %L, '{1,2,3}'::int[], '{"[1,2,3]","[1,2]","[1,2,3]"}')$$, c)) e ORDER BY c;
SELECT vecdb.upsert('ups_types', 'h', '{1,2}'::int[], '{"[1,2,3]","[1,2,70000]"}');
SELECT vecdb.upsert('ups_types', 'b', '{1,2}'::int[], '{"[1,2,3]","[1,2,128]"}');
-- payloads: the column named; "payload"; the only one of type jsonb
SELECT call, e.* FROM unnest(ARRAY[$$SELECT vecdb.upsert('ups_types', 'h', '{1}'::int[], '{"[1,2,3]"}', '{"{}"}')$$, $$SELECT vecdb.upsert('ups_types', 'h', '{1}'::int[], '{"[1,2,3]"}', '{"{}"}', 'k')$$,
    $$SELECT vecdb.upsert('ups_types', 'h', '{1}'::int[], '{"[1,2,3]"}', '{"{}"}', 'x')$$, $$SELECT vecdb.upsert('ups_types', 'h', '{1}'::int[], '{"[1,2,3]"}', '{"{}"}', 'no_such')$$,
    $$SELECT vecdb.upsert('ups_types', 'h', '{1}'::int[], '{"[1,2,3]"}', '{"{}"}', 'k = ''1''; --')$$]) WITH ORDINALITY c(call, n), ups_error(call) e ORDER BY n;

-- --- refused ---
SELECT call, e.* FROM unnest(ARRAY[
    $$SELECT vecdb.upsert('ups', 'v', '{1,2}'::int[], '{"[1,2]"}')$$, $$SELECT vecdb.upsert('ups', 'v', '{1}'::int[], '{"[1,2]"}', '{}')$$,
    $$SELECT vecdb.upsert('ups', 'v', '{1,NULL}'::int[], '{"[1,2]","[1,2]"}')$$, $$SELECT vecdb.upsert('ups', 'v', '{1,2}'::int[], '{"[1,2]",NULL}')$$,
    $$SELECT vecdb.upsert(NULL, 'v', '{1}'::int[], '{"[1,2]"}')$$, $$SELECT vecdb.upsert('ups', NULL, '{1}'::int[], '{"[1,2]"}')$$,
    $$SELECT vecdb.upsert('ups', 'v', NULL::int[], '{"[1,2]"}')$$, $$SELECT vecdb.upsert('ups', 'v', '{1}'::int[], NULL)$$,
    $$SELECT vecdb.upsert('ups', 'v', '{1}', '{"[1,2]"}')$$, $$SELECT vecdb.upsert('ups', 'v', '{a}'::text[], '{"[1,2]"}')$$,
    $$SELECT vecdb.upsert('ups', 'v', '{9999999999}'::bigint[], '{"[1,2]"}')$$, $$SELECT vecdb.upsert('ups', 'w', '{1}'::int[], '{"[1,2]"}')$$,
    $$SELECT vecdb.upsert('ups', 'n', '{1}'::int[], '{"[1,2]"}')$$, $$SELECT vecdb.upsert('no_such', 'v', '{1}'::int[], '{"[1,2]"}')$$,
    $$SELECT vecdb.upsert('ups', 'v', ARRAY[NULL::ups], '{"[1,2]"}')$$, $$SELECT vecdb.upsert('ups', 'v', ARRAY[ROW(1,NULL,NULL,1)::ups], '{"[1,2]"}')$$,
    $$SELECT vecdb.upsert('ups_in', 'v', '{1}'::int[], '{"[1,2]"}')$$]) WITH ORDINALITY c(call, n), ups_error(call) e ORDER BY n;
-- nothing of a call that failed is there
SELECT count(*) FROM ups WHERE id = 9999;
SELECT state FROM ups_error($$SELECT vecdb.upsert('ups', 'v', '{9999,9998}'::int[], '{"[1,2]","[1]"}')$$);
SELECT count(*) FROM ups WHERE id > 9000;

-- --- keys of several columns, uuid, text that compares by another collation; names that need quotes; partitions ---
CREATE TYPE ups_key AS ("k B" text, a int);
CREATE TABLE "ups ""T" (a int, "k B" text, "the v" vector(2), "pay load" jsonb, PRIMARY KEY (a, "k B"));
SELECT * FROM vecdb.upsert('"ups ""T"', 'the v', ARRAY[('x', 2), ('x', 1), ('it''s', 2), ('x', 2)]::ups_key[], '{"[1,1]","[2,2]","[3,3]","[4,4]"}', '{"1","2","3","4"}');
SELECT * FROM vecdb.upsert('"ups ""T"', 'the v', ARRAY[('x', 2), ('y', 9)]::ups_key[], '{"[5,5]","[6,6]"}');
SELECT * FROM "ups ""T" ORDER BY 1, 2;
CREATE COLLATION ups_any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE ups_case (t text COLLATE ups_any_case PRIMARY KEY, v vector(2));
SELECT * FROM vecdb.upsert('ups_case', 'v', '{a,B,A,b}'::text[], '{"[1,1]","[2,2]","[3,3]","[4,4]"}');
SELECT * FROM vecdb.upsert('ups_case', 'v', '{A,c}'::text[], '{"[5,5]","[6,6]"}');
SELECT * FROM ups_case ORDER BY 1;
CREATE TABLE ups_part (id uuid, v vector(2), PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE ups_part_0 PARTITION OF ups_part FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE ups_part_1 (v vector(2), gone int, id uuid NOT NULL);
ALTER TABLE ups_part_1 DROP COLUMN gone;
ALTER TABLE ups_part ATTACH PARTITION ups_part_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT inserted, count(*) FROM vecdb.upsert('ups_part', 'v', (SELECT array_agg(md5(i::text)::uuid) FROM generate_series(1, 20) i), (SELECT array_agg(ARRAY[i, i]::vector) FROM generate_series(1, 20) i)) GROUP BY 1;
SELECT inserted, count(*) FROM vecdb.upsert('ups_part', 'v', (SELECT array_agg(md5(i::text)::uuid) FROM generate_series(11, 30) i), (SELECT array_agg(ARRAY[i, i]::vector) FROM generate_series(11, 30) i)) GROUP BY 1 ORDER BY 1;

-- --- as with plain SQL: triggers, generated and identity columns, constraints, policies, privileges ---
CREATE TABLE ups_plain (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v vector(2) NOT NULL, payload jsonb DEFAULT '{"by": "default"}', norm float8 GENERATED ALWAYS AS (vector_norm(v)) STORED,
    touched text, CHECK (vector_norm(v) < 100));
CREATE FUNCTION ups_touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 5 THEN RETURN NULL; END IF; NEW.touched := TG_OP; RETURN NEW; END $$;
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON ups_plain FOR EACH ROW EXECUTE FUNCTION ups_touch();
SELECT * FROM vecdb.upsert('ups_plain', 'v', '{1,5,2}'::int[], '{"[3,4]","[1,1]","[6,8]"}');
SELECT * FROM vecdb.upsert('ups_plain', 'v', '{2}'::int[], '{"[0,1]"}');
SELECT * FROM ups_plain ORDER BY id;
SELECT state FROM ups_error($$SELECT vecdb.upsert('ups_plain', 'v', '{3}'::int[], '{"[300,4]"}')$$);
CREATE TABLE ups_always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v vector(2));
SELECT state FROM ups_error($$SELECT vecdb.upsert('ups_always', 'v', '{3}'::int[], '{"[300,4]"}')$$);
CREATE ROLE ups_role;
GRANT SELECT, INSERT ON ups_plain TO ups_role;
SET ROLE ups_role;
SELECT state, message FROM ups_error($$SELECT vecdb.upsert('ups_plain', 'v', '{3}'::int[], '{"[3,4]"}')$$);
SELECT state, message FROM ups_error($$SELECT vecdb.upsert_rows('ups_plain', '{"id": 3, "v": [3,4]}')$$);
SELECT state, message FROM ups_error($$SELECT vecdb.upsert('ups', 'v', '{3}'::int[], '{"[3,4]"}')$$);
RESET ROLE;
GRANT UPDATE ON ups_plain TO ups_role;
ALTER TABLE ups_plain ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON ups_plain TO ups_role USING (id >= 2) WITH CHECK (id >= 2 AND id < 10);
SET ROLE ups_role;
SELECT * FROM vecdb.upsert('ups_plain', 'v', '{2,3}'::int[], '{"[1,2]","[3,4]"}');
SELECT state FROM ups_error($$SELECT vecdb.upsert('ups_plain', 'v', '{1}'::int[], '{"[3,4]"}')$$);
SELECT state FROM ups_error($$SELECT vecdb.upsert('ups_plain', 'v', '{10}'::int[], '{"[3,4]"}')$$);
RESET ROLE;

-- --- upsert_rows: objects by names of columns, as one after another ---
CREATE TABLE ups_rows (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v vector(2), "Odd ""n" text DEFAULT 'none', j jsonb, a int[], s sparsevec(3));
SELECT vecdb.upsert_rows('ups_rows', '[{"id": 10, "v": [1,2]}, {"id": 11, "v": "[3,4]", "j": {"x": [1, null]}, "a": [1,2], "s": "{1:2}/3"}, {"id": 10, "Odd \"n": "ten"}, {"v": [9,9]}, {"id": 10, "v": [5,5]}, {"id": 10, "v": [6,6]}]');
SELECT * FROM ups_rows ORDER BY id;
SELECT vecdb.upsert_rows('ups_rows', '{"id": 11, "j": null, "Odd \"n": null}');
SELECT vecdb.upsert_rows('ups_rows', '[{"id": 12}, {"id": 10}]'), vecdb.upsert_rows('ups_rows', '[]') AS none;
SELECT * FROM ups_rows ORDER BY id;
SELECT vecdb.upsert_rows('"ups ""T"', '[{"a": 1, "k B": "x", "pay load": [1]}, {"k B": "new", "a": 1}]');
SELECT * FROM "ups ""T" WHERE a = 1 ORDER BY 2;
-- a row without its key is a new one, and never in place of another
INSERT INTO ups_rows (id) SELECT generate_series(2, 5);
SELECT state FROM ups_error($$SELECT vecdb.upsert_rows('ups_rows', '[{"v": [8,8]}]')$$);
-- the same as a loop, on random rows of random columns
CREATE TABLE ups_loop (id int PRIMARY KEY, a int, b int, c text);
CREATE TABLE ups_batch (LIKE ups_loop INCLUDING ALL);
CREATE TABLE ups_objects AS SELECT n, jsonb_strip_nulls(jsonb_build_object('id', h % 20, 'a', CASE WHEN h % 3 > 0 THEN n END, 'b', CASE WHEN h / 8 % 2 > 0 THEN n END, 'c', CASE WHEN n > 250 THEN n::text END)) AS o
    FROM (SELECT n, hashint4(n) & 65535 AS h FROM generate_series(1, 300) n) g;
SELECT count(vecdb.upsert_rows('ups_loop', o)) FROM (SELECT o FROM ups_objects ORDER BY n) s;
SELECT vecdb.upsert_rows('ups_batch', (SELECT jsonb_agg(o ORDER BY n) FROM ups_objects)) BETWEEN 20 AND 300 AS written;
SELECT count(*), (SELECT count(*) FROM (SELECT * FROM ups_loop EXCEPT SELECT * FROM ups_batch) d) AS differ FROM ups_batch;
SELECT call, e.* FROM unnest(ARRAY[$$SELECT vecdb.upsert_rows('ups_rows', '[{"id": 1, "no_such": 1}]')$$, $$SELECT vecdb.upsert_rows('ups_rows', '[{"id": 1}, 2]')$$, $$SELECT vecdb.upsert_rows('ups_rows', '[{"id": 1}, {}]')$$,
    $$SELECT vecdb.upsert_rows('ups_rows', '"x"')$$, $$SELECT vecdb.upsert_rows('ups_rows', '[[]]')$$, $$SELECT vecdb.upsert_rows('ups_rows', '[{"id": 1, "v": [1,2,3]}]')$$, $$SELECT vecdb.upsert_rows('ups_rows', '[{"id": "one"}]')$$,
    $$SELECT vecdb.upsert_rows('ups_rows', '[{"id": 1, "v) VALUES (1); --": 1}]')$$, $$SELECT vecdb.upsert_rows('ups_rows', '[{"id": 1, "ctid": "(0,1)"}]')$$,
    $$SELECT vecdb.upsert_rows('ups_rows', NULL)$$, $$SELECT vecdb.upsert_rows(NULL, '[]')$$, $$SELECT vecdb.upsert_rows('ups_in', '[{"id": 1}]')$$]) WITH ORDINALITY c(call, n), ups_error(call) e ORDER BY n;

DROP TABLE ups, ups_in, ups_types, "ups ""T", ups_case, ups_part, ups_plain, ups_always, ups_rows, ups_loop, ups_batch, ups_objects;
DROP COLLATION ups_any_case;
DROP TYPE ups_key;
DROP FUNCTION ups_error, ups_touch;
DROP ROLE ups_role;
