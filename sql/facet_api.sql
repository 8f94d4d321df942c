-- vecdb.facet against GROUP BY: columns, arrays, fields of the payload; filters; k; sampled answers.

CREATE FUNCTION fac_error(statement text) RETURNS TABLE (state text, message text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT 'ok', '';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN NEXT;
END $$;
CREATE TYPE fac_mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN fac_tags AS text[];
CREATE TABLE fac (id int PRIMARY KEY, i int, t text, b boolean, m fac_mood, n numeric, z timestamptz, a text[], d fac_tags, aa int[][], j jsonb, x json, p point, pp point[], payload jsonb);
INSERT INTO fac
SELECT s, CASE WHEN h % 9 <> 0 THEN h % 6 - 2 END, (ARRAY['red', 'green', 'Blue', '', NULL])[1 + h % 5], nullif(h % 3, 0)::boolean,
    (ARRAY['sad', 'ok', 'happy', NULL])[1 + h % 4]::fac_mood, (h % 3) / 2.0, '2024-01-01 00:00+00'::timestamptz + h % 3 * interval '1 day',
    (ARRAY['{}', '{a}', '{a,a,b}', '{b,NULL,c}', '{NULL}', NULL])[1 + h % 6]::text[], (ARRAY['{x}', '{x,y}', NULL])[1 + h % 3]::text[],
    (ARRAY['{{1,2},{2,3}}', '{3}'])[1 + h % 2]::int[], (ARRAY['1', '"1"', 'null', '[1,1,"1",null,[2]]', '[]', '{"k":1}', '1.0', NULL, 'true'])[1 + h % 9]::jsonb,
    (ARRAY['1', '"a"', '[1,2,2]'])[1 + h % 3]::json, point(h % 2, 0), ARRAY[point(h % 2, 0), point(0, 0)],
    CASE h % 4 WHEN 0 THEN '{}' WHEN 1 THEN jsonb_build_object('c', h % 5, 'tags', jsonb_build_array(h % 3, h % 2, 'z'), 'deep', jsonb_build_object('er', h % 2))
        WHEN 2 THEN jsonb_build_object('c', chr(97 + h % 3), 'tags', h % 3, 'deep', jsonb_build_array(jsonb_build_object('er', h % 3), jsonb_build_object('er', 0)))
        ELSE jsonb_build_object('c', NULL, 'tags', '[]'::jsonb) END
FROM (SELECT s, hashint4(s) & 65535 AS h FROM generate_series(1, 500) s) g;

-- each row once for a value; commonest first, ties by value; 1 and 1.0 are one value of jsonb, spelled as either
CREATE FUNCTION fac_same(field text, oracle text, filter jsonb DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    same boolean;
BEGIN
    EXECUTE format('SELECT (SELECT array_agg(row(f.value, f.count)) FROM vecdb.facet(''fac'', $1, 1000, $2) f) =
        (SELECT array_agg(row(to_jsonb(v), n)) FROM (SELECT v, count(DISTINCT id) AS n FROM (%s) o WHERE v IS NOT NULL GROUP BY v ORDER BY 2 DESC, v) g)', oracle) INTO same USING field, filter;
    RETURN same;
END $$;
SELECT c, fac_same(c, format('SELECT id, %I AS v FROM fac', c)) FROM unnest('{i,t,b,m,n,z}'::text[]) c
UNION ALL SELECT c, fac_same(c, format('SELECT id, unnest(%I) AS v FROM fac', c)) FROM unnest('{a,d,aa}'::text[]) c;
SELECT f, fac_same(f, format($$SELECT id, e AS v FROM fac, jsonb_array_elements(CASE jsonb_typeof(%s) WHEN 'array' THEN %1$s ELSE jsonb_build_array(%1$s) END) e WHERE e <> 'null'$$, e))
FROM (VALUES ('j', 'j'), ('x', 'x::jsonb'), ('p', 'to_jsonb(p)'), ('pp', 'to_jsonb(pp)'), ('c', $$(payload -> 'c')$$), ('payload.tags', $$(payload -> 'tags')$$), ('deep.er', $$(payload -> 'deep' -> 'er')$$), ('payload', 'payload')) v(f, e);
SELECT * FROM vecdb.facet('fac', 't');
SELECT * FROM vecdb.facet('fac', 'a');
SELECT * FROM vecdb.facet('fac', 'tags');
SELECT * FROM vecdb.facet('fac', 'deep[].er');
SELECT * FROM vecdb.facet('fac', 'nowhere');
-- k cuts after the order; NULL is the default; named arguments
SELECT * FROM vecdb.facet('fac', 'id', 3);
SELECT count(*) FROM vecdb.facet('fac', 'id', NULL, NULL, NULL, NULL);
SELECT * FROM vecdb.facet(k => 1, field => 'm', rel => 'fac');
-- filters
SELECT fac_same('i', 'SELECT id, i AS v FROM fac WHERE t = ''red''', '{"must": [{"key": "t", "match": {"value": "red"}}]}') AS column,
    fac_same('c', 'SELECT id, payload -> ''c'' AS v FROM fac WHERE payload -> ''c'' IN (''1'', ''"b"'')', '{"must": [{"key": "c", "match": {"any": [1, "b"]}}]}') AS payload,
    fac_same('a', 'SELECT id, unnest(a) AS v FROM fac WHERE NOT b OR b IS NULL', '{"must_not": [{"key": "b", "match": {"value": true}}]}') AS negative;
SELECT * FROM vecdb.facet('fac', 'i', filter => '{"must": [{"key": "t", "match": {"value": "nothing"}}]}');
-- a payload column by name
ALTER TABLE fac RENAME payload TO "pay load";
SELECT * FROM vecdb.facet('fac', 'deep.er', params => '{"payload_column": "pay load"}');
ALTER TABLE fac RENAME "pay load" TO payload;

-- --- not exact: a small table is counted all the same; of a large one a sample of pages, the same in each call ---
SELECT bool_and(e::text = s::text) FROM vecdb.facet('fac', 'i') WITH ORDINALITY e(v, n, o) JOIN vecdb.facet('fac', 'i', exact => false) WITH ORDINALITY s(v, n, o) USING (o);
CREATE TABLE fac_large AS SELECT (hashint4(i) & 65535) % 10 AS v FROM generate_series(1, 400000) i;
ANALYZE fac_large;
SELECT count(*), bool_and(abs(e.count - s.count) < 0.1 * e.count) AS near, bool_and(e.count = s.count) AS equal
FROM vecdb.facet('fac_large', 'v') e FULL JOIN vecdb.facet('fac_large', 'v', exact => false) s USING (value);
SELECT count(*) FROM (SELECT * FROM vecdb.facet('fac_large', 'v', exact => false) EXCEPT SELECT * FROM vecdb.facet('fac_large', 'v', exact => false)) x;
CREATE VIEW fac_view AS SELECT * FROM fac;
SELECT count(*) FROM vecdb.facet('fac_view', 't', exact => false);

-- --- refused; policies ---
SELECT call, e.* FROM unnest(ARRAY[$$SELECT vecdb.facet(NULL, 't')$$, $$SELECT vecdb.facet('fac', NULL)$$, $$SELECT vecdb.facet('fac', 't', 0)$$, $$SELECT vecdb.facet('no_such', 't')$$]) WITH ORDINALITY c(call, n), fac_error(call) e ORDER BY n;
SELECT call, e.state FROM unnest(ARRAY[$$SELECT vecdb.facet('fac', '')$$, $$SELECT vecdb.facet('fac_large', 'w')$$, $$SELECT vecdb.facet('fac_large', 'v) FROM fac; --')$$,
    $$SELECT vecdb.facet('fac', 't', filter => '[]')$$, $$SELECT vecdb.facet('fac', 't', params => '{"k": 1}')$$]) WITH ORDINALITY c(call, n), fac_error(call) e ORDER BY n;
CREATE ROLE fac_role;
SET ROLE fac_role;
SELECT * FROM fac_error($$SELECT vecdb.facet('fac', 't')$$);
RESET ROLE;
GRANT SELECT ON fac TO fac_role;
ALTER TABLE fac ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON fac TO fac_role USING (t = 'red');
SET ROLE fac_role;
SELECT value FROM vecdb.facet('fac', 't');
SELECT value FROM vecdb.facet('fac', 't', exact => false);
RESET ROLE;
DROP TABLE fac, fac_large CASCADE;
DROP DOMAIN fac_tags;
DROP TYPE fac_mood;
DROP FUNCTION fac_error, fac_same;
DROP ROLE fac_role;
