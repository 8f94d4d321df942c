-- Columns with a type of their own: what they are compared as, which indexes serve, who may.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE TYPE filter_color AS ENUM ('red', 'green');
CREATE TYPE filter_place AS (lon float8, lat float8, name text);
CREATE DOMAIN filter_price AS numeric CHECK (VALUE >= 0);
CREATE TABLE filter_items (id bigint PRIMARY KEY, city text, n int, price filter_price, r real, d8 float8, ok bool, at timestamptz, ts timestamp, d date, u uuid,
	color filter_color, code char(4), tags text[], names varchar(10)[], days date[], loc point, place filter_place, meta jsonb, raw json, body text,
	words tsvector GENERATED ALWAYS AS (to_tsvector('english', coalesce(body, ''))) STORED, v vector(2), "we.ird $1" int, payload jsonb);
INSERT INTO filter_items VALUES
	(1, 'Berlin', 1, 2.50, 0.1, 0.1, true, '2024-01-01 12:00+00', '2024-01-01 12:00', '2024-01-01', '550e8400-e29b-41d4-a716-446655440000', 'red', 'ab', '{a,b}', '{x}', '{2024-01-01}',
		'(13.4, 52.5)', '(13.4,52.5,Mitte)', '{"k": [1, 2]}', '{"k": 1}', '100% of fast cars', DEFAULT, '[1,2]', 5, '{"k": 1}'),
	(2, 'Rome', 2147483647, 0, 'Infinity', 'Infinity', false, '2024-01-02 00:00+00', '2024-01-02', '2024-01-02', '550e8400-e29b-41d4-a716-446655440001', 'green', 'abc', '{}', '{NULL}', '{}',
		'(12.5, 41.9)', '(12.5,41.9,)', '{}', '[]', 'a car, faster', DEFAULT, NULL, NULL, '{}');
INSERT INTO filter_items (id) VALUES (3);
CREATE FUNCTION ids(filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found int[];
BEGIN
	EXECUTE 'SELECT array_agg(id ORDER BY id) FROM filter_items AS t WHERE ' || vecdb.filter_sql('filter_items', filter) INTO found;
	RETURN found;
END $$;
CREATE FUNCTION ids_of(conditions text[]) RETURNS TABLE (condition text, ids text) LANGUAGE sql AS $$
	SELECT c, ids(jsonb_build_object('must', c::jsonb)) FROM unnest(conditions) AS c $$;

-- Equality is the type's: 2.0 is 2; what cannot be of the type is in no row.
SELECT * FROM ids_of(ARRAY['{"key": "city", "match": {"value": "Rome"}}', '{"key": "city", "match": {"value": 5}}', '{"key": "n", "match": {"value": 1.0}}', '{"key": "n", "match": {"value": 1.5}}', '{"key": "n", "match": {"value": "1"}}',
	'{"key": "n", "match": {"value": "abc"}}', '{"key": "n", "match": {"value": 1e400}}', '{"key": "n", "match": {"any": [1, "x", 2147483647, 9999999999, true]}}', '{"key": "n", "match": {"any": ["x"]}}', '{"key": "n", "match": {"except": ["x"]}}', '{"key": "n", "match": {"except": [1]}}',
	'{"key": "n", "match": {"except": []}}', '{"key": "price", "match": {"value": 2.5}}', '{"key": "r", "match": {"value": 0.1}}', '{"key": "d8", "match": {"value": 0.1}}', '{"key": "d8", "match": {"value": 1e400}}', '{"key": "d8", "match": {"value": 1e-400}}',
	'{"key": "ok", "match": {"value": true}}', '{"key": "ok", "match": {"value": "t"}}', '{"key": "u", "match": {"value": "{550E8400E29B41D4A716446655440000}"}}', '{"key": "u", "match": {"value": "550e8400-e29b"}}', '{"key": "u", "match": {"any": ["no", "550e8400-e29b-41d4-a716-446655440001"]}}',
	'{"key": "color", "match": {"value": "red"}}', '{"key": "color", "match": {"value": "blue"}}', '{"key": "color", "match": {"except": ["blue", "red"]}}', '{"key": "code", "match": {"value": "ab"}}', '{"key": "at", "match": {"value": "2024-01-02"}}', '{"key": "d", "match": {"value": "2024-01-02T00:00+00:00"}}',
	'{"key": "d", "match": {"value": "2024-01-02T01:00Z"}}', '{"key": "d", "match": {"value": 5}}', '{"key": "\"we.ird $1\"", "match": {"value": 5}}', '{"key": "ctid", "match": {"value": "(0,1)"}}']);
-- Ranges: bounds are what they are in the type.
SELECT * FROM ids_of(ARRAY['{"key": "n", "range": {"gt": 0.5}}', '{"key": "n", "range": {"gte": 1, "lte": 1.9}}', '{"key": "n", "range": {"gt": 2147483646.5}}', '{"key": "n", "range": {"gt": 2147483647}}', '{"key": "n", "range": {"lt": 1e30, "gt": -1e30}}', '{"key": "n", "range": {"gt": 1e30}}',
	'{"key": "n", "range": {}}', '{"key": "n", "range": {"gt": "2024-01-01"}}', '{"key": "price", "range": {"lte": 2.5}}', '{"key": "r", "range": {"gt": 0.1}}', '{"key": "r", "range": {"gte": 0.1}}', '{"key": "d8", "range": {"gt": 1e400}}', '{"key": "d8", "range": {"lte": 1e400}}', '{"key": "city", "range": {"gt": 1}}',
	'{"key": "at", "range": {"gte": "2024-01-01T12:00:00Z", "lt": "2024-01-02T09:00+09:00"}}', '{"key": "ts", "range": {"gt": "2024-01-01T12:00"}}', '{"key": "d", "range": {"gt": "2024-01-01T12:00"}}', '{"key": "d", "range": {"gte": "2024-01-01T12:00"}}', '{"key": "d", "range": {"lt": "2024-01-01T12:00"}}', '{"key": "d", "range": {"lte": "2024-01-01"}}', '{"key": "d", "range": {"gt": 3}}']);
-- Arrays: any element.
SELECT * FROM ids_of(ARRAY['{"key": "tags", "match": {"value": "b"}}', '{"key": "tags[]", "match": {"any": ["b", 5]}}', '{"key": "tags", "match": {"except": ["a"]}}', '{"key": "tags[1]", "match": {"value": "b"}}', '{"key": "names", "match": {"any": ["x", "yyyyyyyyyyyyyyyyyyy"]}}', '{"key": "names", "match": {"except": []}}', '{"key": "days", "range": {"gte": "2024-01-01"}}', '{"key": "tags", "match": {"prefix": "b"}}',
	'{"is_empty": {"key": "tags"}}', '{"is_null": {"key": "tags"}}', '{"is_null": {"key": "names[]"}}', '{"key": "tags", "values_count": {"lt": 1}}', '{"key": "tags", "values_count": {"gte": 1, "lt": 3}}', '{"key": "n", "values_count": {"gte": 1}}', '{"is_empty": {"key": "n"}}', '{"key": "n", "is_null": false}', '{"is_null": {"key": "meta"}}', '{"is_empty": {"key": "meta"}}', '{"is_empty": {"key": "meta.k"}}', '{"is_null": {"key": "meta.k"}}']);
-- Places: points, composites, jsonb.
SELECT * FROM ids_of(ARRAY['{"key": "loc", "geo_radius": {"center": {"lon": 13.4, "lat": 52.5}, "radius": 1}}', '{"key": "loc", "geo_radius": {"center": {"lon": 13, "lat": 52}, "radius": 1200000}}', '{"key": "place", "geo_radius": {"center": {"lon": 13, "lat": 52}, "radius": 100000}}',
	'{"key": "loc", "geo_bounding_box": {"top_left": {"lon": 13, "lat": 53}, "bottom_right": {"lon": 14, "lat": 52}}}', '{"key": "loc", "geo_bounding_box": {"top_left": {"lon": 13.4, "lat": 53}, "bottom_right": {"lon": 14, "lat": 52}}}', '{"key": "loc", "geo_polygon": {"exterior": {"points": [{"lon": 12, "lat": 41}, {"lon": 13, "lat": 41}, {"lon": 13, "lat": 43}, {"lon": 12, "lat": 41}]}}}',
	'{"key": "n", "geo_radius": {"center": {"lon": 13, "lat": 52}, "radius": 100000}}', '{"key": "place.name", "match": {"value": "Mitte"}}', '{"key": "loc", "match": {"value": "x"}}']);
-- Text: substrings, or words where there is a configuration: the condition's, the column's, the session's.
SELECT * FROM ids_of(ARRAY['{"key": "body", "match": {"text": "0% o"}}', '{"key": "body", "match": {"text": "FAST"}}', '{"key": "body", "match": {"text_any": "zz fast"}}', '{"key": "body", "match": {"phrase": "fast cars"}}', '{"key": "body", "match": {"prefix": "a c"}}', '{"key": "body", "match": {"text": "car fasted", "config": "english"}}', '{"key": "body", "match": {"text": "Cars", "config": "simple"}}',
	'{"key": "words", "match": {"text": "cars fast"}}', '{"key": "words", "match": {"phrase": "fast car"}}', '{"key": "words", "match": {"text_any": "zebra faster"}}', '{"key": "words", "match": {"text": "Cars", "config": "simple"}}', '{"key": "color", "match": {"prefix": "gr"}}', '{"key": "n", "match": {"text": "1"}}']);
SELECT ids('{"must": {"key": "words", "match": {"text": "the of"}}}');
SELECT ids('{"must": {"key": "words", "match": {"prefix": "the"}}}');
SELECT ids('{"must": {"key": "body", "match": {"text": "the", "config": "klingon"}}}');
-- Fields: of the column that the key begins with, else of the payload.
SELECT * FROM ids_of(ARRAY['{"key": "k", "match": {"value": 1}}', '{"key": "payload.k", "match": {"value": 1}}', '{"key": "meta.k", "match": {"value": 2}}', '{"key": "meta.k[0]", "match": {"value": 2}}', '{"key": "raw.k", "range": {"gte": 1}}', '{"key": "raw", "values_count": {"lt": 1}}', '{"is_empty": {"key": "raw"}}', '{"nested": {"key": "meta", "filter": {}}}']);
-- The row: ids of any type of key, vectors, slices that are a partition.
SELECT * FROM ids_of(ARRAY['{"has_id": [1, 3, 3, "x", 99999999999999999999, 2.5]}', '{"has_id": []}', '{"has_vector": "v"}', '{"slice": {"total": 1, "index": 0}}']);
SELECT sum(cardinality(ids(jsonb_build_object('must', jsonb_build_object('slice', jsonb_build_object('total', 3, 'index', i))))::int[])) FROM generate_series(0, 2) AS i;
SELECT ids('{"must": {"has_vector": "none"}}');
SELECT ids('{"must": {"has_vector": ""}}');
CREATE TABLE filter_pairs (a int, b text, u uuid, PRIMARY KEY (a, b));
INSERT INTO filter_pairs SELECT a, chr(64 + b), NULL FROM generate_series(1, 3) AS a, generate_series(1, 3) AS b;
SELECT vecdb.filter_sql('filter_pairs', '{"must": {"has_id": [[1, "A"], {"a": 2, "b": "C"}, [3], "x", [1, 2], {"a": 1}]}}') AS condition \gset
SELECT :'condition' AS condition;
SELECT a, b FROM filter_pairs AS t WHERE :condition ORDER BY 1, 2;
-- Without a jsonb column a key must be a column; without a key there are no ids.
SELECT vecdb.filter_sql('filter_pairs', '{"must": {"key": "none", "match": {"value": 1}}}');
CREATE TABLE filter_bare (x int, one jsonb, two jsonb);
SELECT vecdb.filter_sql('filter_bare', '{"must": {"key": "none", "match": {"value": 1}}}');
SELECT vecdb.filter_sql('filter_bare', '{"must": {"has_id": [1]}}');
ALTER TABLE filter_bare DROP two;
SELECT vecdb.filter_sql('filter_bare', '{"must": {"key": "none", "match": {"value": 1}}}');
SELECT vecdb.filter_sql(0, '{}');

-- The functions: values of the filter are values of the statement, so the indexes serve as with constants.
CREATE TABLE filter_plan AS SELECT i AS id, ('[' || i || ',1]')::vector(2) AS v, i % 1000 AS n, 'c' || i % 1000 AS city, ARRAY['t' || i % 1000] AS tags,
	jsonb_build_object('n', i % 1000, 'city', 'c' || i % 1000, 'price', i % 1000 + 0.5, 'when', '2024-01-01'::timestamp + i % 1000 * interval '1 day') AS payload FROM generate_series(1, 20000) AS i;
ALTER TABLE filter_plan ADD PRIMARY KEY (id);
CREATE INDEX filter_plan_n ON filter_plan (n);
CREATE INDEX filter_plan_city ON filter_plan (city);
CREATE INDEX filter_plan_tags ON filter_plan USING gin (tags);
CREATE INDEX filter_plan_payload ON filter_plan USING gin (payload jsonb_path_ops);
CREATE INDEX filter_plan_price ON filter_plan (((payload ->> 'price')::numeric));
CREATE INDEX filter_plan_int ON filter_plan (((payload ->> 'n')::bigint));
CREATE INDEX filter_plan_when ON filter_plan (vecdb.datetime(payload -> 'when'));
ANALYZE filter_plan;
CREATE FUNCTION plan_of(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	nodes text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) SELECT id FROM filter_plan AS t WHERE ' || condition LOOP
		IF line ~ 'Scan' THEN nodes := concat_ws(', ', nullif(nodes, ''), substring(line FROM '(?:Seq|Index|Bitmap).*$')); END IF;
	END LOOP;
	RETURN replace(nodes, ' on filter_plan t', '');
END $$;
SELECT f, plan_of(vecdb.filter_sql('filter_plan', jsonb_build_object('must', f::jsonb))) FROM unnest(ARRAY[
	'{"key": "n", "match": {"value": 7}}', '{"key": "n", "range": {"gte": 6.5, "lt": 8}}', '{"key": "n", "match": {"any": [7, 8, "x"]}}', '{"key": "city", "match": {"value": "c7"}}', '{"key": "tags", "match": {"any": ["t7", "t8"]}}', '{"has_id": [7, 8]}',
	'{"key": "payload.city", "match": {"value": "c7"}}', '{"key": "payload.city", "match": {"any": ["c7", "c8"]}}', '{"should": [{"key": "n", "match": {"value": 7}}, {"key": "payload.city", "match": {"value": "c7"}}]}', '{"key": "price", "range": {"gte": 7, "lt": 8}}',
	'{"key": "price", "match": {"value": 7.5}}', '{"key": "payload.n", "range": {"gt": 6.5, "lte": 7.5}}', '{"key": "when", "range": {"gte": "2024-02-01", "lt": "2024-02-02T00:00:00Z"}}', '{"must": [{"key": "n", "match": {"value": 7}}], "must_not": [{"key": "city", "match": {"value": "c8"}}]}']) AS f;
-- Places by a GiST index are the places without it, at the poles and the antimeridian too.
CREATE TABLE filter_places AS SELECT i AS id, point((i * 7919 % 3600) / 10.0 - 180, (i * 104729 % 1801) / 10.0 - 90) AS p FROM generate_series(1, 20000) AS i;
CREATE INDEX ON filter_places USING gist (p);
ANALYZE filter_places;
CREATE FUNCTION places(filter jsonb) RETURNS TABLE (indexed bigint, judged bigint, plan text) LANGUAGE plpgsql AS $$
DECLARE
	condition text := vecdb.filter_sql('filter_places', filter);
BEGIN
	EXECUTE 'EXPLAIN (COSTS OFF) SELECT FROM filter_places AS t WHERE ' || condition INTO plan;
	plan := substring(plan FROM '^\w+');
	EXECUTE 'SELECT count(*) FROM filter_places AS t WHERE ' || condition INTO indexed;
	SELECT count(*) INTO judged FROM filter_places AS t WHERE vecdb.matches(jsonb_build_object('p', jsonb_build_object('lon', t.p[0], 'lat', t.p[1])), filter);
	RETURN NEXT;
END $$;
SET enable_seqscan = off;
SELECT lon, lat, radius, p.* FROM (VALUES (0, 0, 500000), (179.9, 10, 500000), (-180, -45, 300000), (30, 89.5, 400000), (30, -90, 300000), (10, 20, 0), (100, 85, 700000), (5, 5, 30000000)) AS v(lon, lat, radius),
	LATERAL places(jsonb_build_object('must', jsonb_build_object('key', 'p', 'geo_radius', jsonb_build_object('center', jsonb_build_object('lon', lon, 'lat', lat), 'radius', radius)))) AS p;
SELECT p.* FROM places('{"must": {"key": "p", "geo_bounding_box": {"top_left": {"lon": 175, "lat": 20}, "bottom_right": {"lon": -170, "lat": -5}}}}') AS p;
SELECT p.* FROM places('{"must": {"key": "p", "geo_polygon": {"exterior": {"points": [{"lon": 0, "lat": 0}, {"lon": 30, "lat": 10}, {"lon": 10, "lat": 40}, {"lon": 0, "lat": 0}]}, "interiors": [{"points": [{"lon": 10, "lat": 10}, {"lon": 15, "lat": 10}, {"lon": 12, "lat": 18}, {"lon": 10, "lat": 10}]}]}}}') AS p;
RESET enable_seqscan;

-- An index on an expression counts only when it is of all rows and proves what it must.
SELECT vecdb.filter_sql('filter_plan', '{"must": {"key": "price", "range": {"gt": 7}}}');
DROP INDEX filter_plan_price;
CREATE INDEX filter_plan_price ON filter_plan (((payload ->> 'price')::numeric)) WHERE id > 0;
SELECT vecdb.filter_sql('filter_plan', '{"must": {"key": "price", "range": {"gt": 7}}}');
DROP INDEX filter_plan_price;
CREATE INDEX filter_plan_price ON filter_plan ((payload ->> 'price'));
SELECT vecdb.filter_sql('filter_plan', '{"must": {"key": "price", "range": {"gt": 7}}}');
DROP INDEX filter_plan_price;
CREATE INDEX filter_plan_price ON filter_plan (((payload ->> 'price')::float8));
CREATE TABLE filter_child () INHERITS (filter_plan);
INSERT INTO filter_child (id, payload) VALUES (0, '{"price": [8]}');
SELECT vecdb.filter_sql('filter_plan', '{"must": {"key": "price", "range": {"gt": 7}}}');
DROP TABLE filter_child;

-- A float rounds: beside it the exact condition decides, and its own must not leave a row out.
CREATE TABLE filter_float (id int, payload jsonb);
INSERT INTO filter_float VALUES (1, '{"a": 0.1}'), (2, '{"a": 0.10000000000000000001}'), (3, '{"a": "0.2"}');
CREATE INDEX ON filter_float (((payload ->> 'a')::float8));
SELECT vecdb.filter_sql('filter_float', '{"must": {"key": "a", "range": {"gt": 0.1}}}') AS over,
	vecdb.filter_sql('filter_float', '{"must": {"key": "a", "range": {"lt": 0.10000000000000000001}}}') AS under,
	vecdb.filter_sql('filter_float', '{"must": {"key": "a", "match": {"value": 0.10000000000000000001}}}') AS equal \gset
SELECT id, :over AS over, :under AS under, :equal AS equal FROM filter_float AS t ORDER BY id;
SELECT :'over' ~ 'float8|double' AS by_index;

-- The plan of a filter is the plan of the same WHERE.
CREATE FUNCTION plan_lines(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT plan_lines('SELECT id FROM filter_plan AS t WHERE n = 7 AND city = ''c7'' ORDER BY v <-> ''[1,1]'' LIMIT 5') = plan_lines(format(
	'SELECT id FROM filter_plan AS t WHERE %s ORDER BY v <-> ''[1,1]'' LIMIT 5', vecdb.filter_sql('filter_plan', '{"must": [{"key": "n", "match": {"value": 7}}, {"key": "city", "match": {"value": "c7"}}]}'))) AS same;

-- Privileges and row security are the invoker's.
CREATE ROLE regress_filter_reader;
SET ROLE regress_filter_reader;
SELECT vecdb.filter_sql('filter_items', '{}');
RESET ROLE;
GRANT SELECT ON filter_items TO regress_filter_reader;
ALTER TABLE filter_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY filter_one ON filter_items USING (id = 1);
SET ROLE regress_filter_reader;
SELECT ids('{"should": [{"has_id": [1, 2]}, {"key": "n", "range": {"gt": 0}}]}');
RESET ROLE;

-- Names of a caller's schema do not get in between.
CREATE SCHEMA filter_trap;
CREATE FUNCTION filter_trap.yes(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION filter_trap.yes(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR filter_trap.= (FUNCTION = filter_trap.yes, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR filter_trap.= (FUNCTION = filter_trap.yes, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR filter_trap.> (FUNCTION = filter_trap.yes, LEFTARG = int, RIGHTARG = int);
CREATE FUNCTION filter_trap.cardinality(anyarray) RETURNS int LANGUAGE sql AS 'SELECT 5';
CREATE FUNCTION filter_trap.to_jsonb(anyelement) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
SET search_path = filter_trap, pg_catalog, public;
SELECT * FROM ids_of(ARRAY['{"key": "city", "match": {"value": "Oslo"}}', '{"key": "n", "match": {"value": 3}}', '{"key": "n", "range": {"gt": 2147483646, "lt": 5}}', '{"key": "tags", "values_count": {"gt": 4}}', '{"key": "tags[0]", "match": {"value": "a"}}']);
SELECT vecdb.filter_sql('public.filter_pairs', '{"must": {"has_id": [[1, "Z"], [2, "B"]]}}') AS condition \gset
SELECT a, b FROM public.filter_pairs AS t WHERE :condition ORDER BY 1, 2;
RESET search_path;

SET client_min_messages = error;
DROP SCHEMA filter_trap CASCADE;
DROP FUNCTION ids_of, ids(jsonb), plan_of, plan_lines, places;
DROP TABLE filter_float, filter_places, filter_items, filter_pairs, filter_bare, filter_plan;
DROP TYPE filter_color, filter_place;
DROP DOMAIN filter_price;
DROP ROLE regress_filter_reader;
