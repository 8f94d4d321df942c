-- Random documents and random filters: the compiled condition, with and without indexes, gives the rows for which
-- vecdb.matches holds; over columns the same as over the same data as JSON.
\set ECHO none
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET jit = off;

CREATE SCHEMA filter_oracle;
SET search_path = filter_oracle, public;

CREATE FUNCTION pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE
	AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;

CREATE FUNCTION scalar() RETURNS jsonb LANGUAGE sql VOLATILE
	AS $$ SELECT pick('1', '2', '2', '2.0', '2.5', '-1', '1e3', '"x"', '"x"', '"xy z"', '"2"', '""', 'true', 'false',
		'"2024-01-01"', '"2024-01-01T12:00:00+02:00"', '"2024-01-02T00:00:00Z"')::jsonb $$;

CREATE FUNCTION value(depth int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	kind float8 := random();
BEGIN
	IF kind < 0.6 OR depth <= 0 THEN
		RETURN CASE WHEN random() < 0.12 THEN 'null' ELSE scalar() END;
	ELSIF kind < 0.85 THEN
		RETURN (SELECT coalesce(jsonb_agg(value(depth - 1)), '[]') FROM generate_series(1, floor(random() * 4)::int));
	ELSIF kind < 0.9 THEN
		RETURN jsonb_build_object('lon', floor(random() * 20) - 10, 'lat', floor(random() * 20) - 10);
	END IF;
	RETURN (SELECT coalesce(jsonb_object_agg(pick('a', 'b', 'c'), value(depth - 1)), '{}') FROM generate_series(1, 1 + floor(random() * 3)::int));
END $$;

CREATE FUNCTION document() RETURNS jsonb LANGUAGE sql VOLATILE
	AS $$ SELECT jsonb_object_agg(k, value(2)) FROM unnest('{a,b,c,d}'::text[]) AS k WHERE random() < 0.8 $$;

CREATE FUNCTION key() RETURNS text LANGUAGE sql VOLATILE
	AS $$ SELECT pick('a', 'b', 'c', 'd', 'a', 'b', 'c', 'd', 'a', 'b', 'a.b', 'a[]', 'a[].b', 'b[0]', 'c[1].a', 'a.b[]', 'a[].b[].c', '"d".a', 'none') $$;

CREATE FUNCTION bounds(bound text) RETURNS jsonb LANGUAGE sql VOLATILE
	AS $$ SELECT coalesce(jsonb_object_agg(k, CASE bound WHEN 'number' THEN pick('0', '1', '2', '2.25', '-5', '1000', '0.1')::jsonb
			WHEN 'count' THEN pick('0', '1', '2', '3')::jsonb
			ELSE to_jsonb(pick('2024-01-01', '2024-01-01T10:00Z', '2023-12-31 23:59:59.5', '2024-01-02')) END), '{}')
		FROM unnest('{gt,gte,lt,lte}'::text[]) AS k WHERE random() < 0.3 $$;

CREATE FUNCTION condition(depth int, keys text[] DEFAULT NULL) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	k text := CASE WHEN keys IS NULL THEN key() ELSE pick(VARIADIC keys) END;
	kind float8 := random();
	word jsonb := to_jsonb(pick('x', 'y', 'xy', ' z', 'x q', '', '2'));
BEGIN
	IF depth > 0 AND kind < 0.15 THEN
		RETURN filter(depth - 1, keys);
	ELSIF depth > 0 AND kind < 0.3 AND keys IS NULL THEN
		RETURN jsonb_build_object('nested', jsonb_build_object('key', k, 'filter', filter(depth - 1)));
	ELSIF kind < 0.34 THEN
		RETURN jsonb_build_object('is_empty', jsonb_build_object('key', k));
	ELSIF kind < 0.38 THEN
		RETURN jsonb_build_object('is_null', jsonb_build_object('key', k));
	ELSIF kind < 0.42 THEN
		RETURN jsonb_build_object('key', k, pick('is_empty', 'is_null'), random() < 0.5);
	ELSIF kind < 0.58 THEN
		RETURN jsonb_build_object('key', k, 'match', jsonb_build_object('value', scalar()));
	ELSIF kind < 0.65 THEN
		RETURN jsonb_build_object('key', k, 'match', jsonb_build_object(pick('any', 'except'),
			(SELECT coalesce(jsonb_agg(scalar()), '[]') FROM generate_series(1, floor(random() * 5)::int))));
	ELSIF kind < 0.75 THEN
		RETURN jsonb_build_object('key', k, 'match', jsonb_build_object(pick('text', 'text_any', 'phrase', 'prefix'), word));
	ELSIF kind < 0.85 THEN
		RETURN jsonb_build_object('key', k, 'range', bounds(pick('number', 'number', 'time')));
	ELSIF kind < 0.92 THEN
		RETURN jsonb_build_object('key', k, 'values_count', bounds('count'));
	ELSIF kind < 0.97 THEN
		RETURN jsonb_build_object('key', k, 'geo_radius', jsonb_build_object('center', '{"lon": 0, "lat": 0}'::jsonb,
			'radius', floor(random() * 1000000)));
	END IF;
	RETURN jsonb_build_object('key', k, 'geo_bounding_box', '{"top_left": {"lon": -5, "lat": 6}, "bottom_right": {"lon": 6, "lat": -5}}'::jsonb);
END $$;

CREATE FUNCTION filter(depth int, keys text[] DEFAULT NULL) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	f jsonb := '{}';
	clause text;
BEGIN
	FOREACH clause IN ARRAY '{must,should,must_not}'::text[] LOOP
		IF random() < (CASE clause WHEN 'should' THEN 0.6 ELSE 0.3 END) THEN
			f := f || jsonb_build_object(clause, CASE WHEN random() < 0.2 THEN condition(depth, keys)
				ELSE (SELECT coalesce(jsonb_agg(condition(depth, keys)), '[]') FROM generate_series(1, (CASE clause WHEN 'should' THEN 5 ELSE 2.3 END * random())::int)) END);
		END IF;
	END LOOP;
	IF random() < 0.15 THEN
		f := f || jsonb_build_object('min_should', jsonb_build_object('min_count', 1 + floor(random() * 3),
			'conditions', (SELECT jsonb_agg(condition(depth, keys)) FROM generate_series(1, 1 + floor(random() * 3)::int))));
	END IF;
	RETURN f;
END $$;

-- Over documents. n rows in all three ways, by each of the filters.
CREATE TABLE docs (id int PRIMARY KEY, payload jsonb NOT NULL);
SELECT setseed(0.42);
INSERT INTO docs SELECT i, coalesce(document(), '{}') FROM generate_series(1, 120) AS i;
INSERT INTO docs VALUES (121, '[]'), (122, '3'), (123, '"x"'), (124, 'null'), (125, '[{"a": 2}, 2]');
CREATE TABLE filters AS SELECT i AS id, filter(2) AS filter FROM generate_series(1, 600) AS i;

-- The rows of a statement, as this test compares them.
CREATE FUNCTION rows_of(condition text, relation regclass) RETURNS int[] LANGUAGE plpgsql STABLE AS $$
DECLARE
	found int[];
BEGIN
	EXECUTE format('SELECT array_agg(t.id ORDER BY t.id) FROM %s AS t WHERE %s', relation, condition) INTO found;
	RETURN found;
END $$;

CREATE TABLE expected AS SELECT f.id, f.filter, vecdb.filter_sql('docs', f.filter) AS condition,
		(SELECT array_agg(d.id ORDER BY d.id) FROM docs AS d WHERE vecdb.matches(d.payload, f.filter)) AS ids FROM filters AS f;

\set ECHO queries
-- What is compared is not trivial.
SELECT count(*) AS filters, count(*) FILTER (WHERE cardinality(ids) BETWEEN 1 AND 124) > 180 AS some,
	count(DISTINCT ids) > 120 AS different, sum(cardinality(ids)) > 5000 AS rows FROM expected;

-- Without an index.
SELECT count(*) AS wrong, min(filter::text) FROM expected WHERE rows_of(condition, 'docs') IS DISTINCT FROM ids;
SELECT count(*) AS wrong, min(filter::text) FROM expected AS e
	WHERE rows_of('(' || condition || ') IS NOT TRUE', 'docs') IS DISTINCT FROM
		(SELECT array_agg(d.id ORDER BY d.id) FROM docs AS d WHERE NOT d.id = ANY (coalesce(e.ids, '{}')));

-- With GIN indexes of both classes.
SET enable_seqscan = off;
CREATE INDEX docs_path ON docs USING gin (payload jsonb_path_ops);
SELECT count(*) AS wrong, min(filter::text) FROM expected WHERE rows_of(condition, 'docs') IS DISTINCT FROM ids;
DROP INDEX docs_path;
CREATE INDEX docs_ops ON docs USING gin (payload);
SELECT count(*) AS wrong, min(filter::text) FROM expected WHERE rows_of(condition, 'docs') IS DISTINCT FROM ids;
DROP INDEX docs_ops;

-- With indexes on expressions, over documents that they allow.
CREATE TABLE flat (id int PRIMARY KEY, payload jsonb);
INSERT INTO flat SELECT i, (jsonb_build_object('a', pick('1', '2', '2.25', '-5', '0.1', '"2"', '2.0', 'null', NULL)::jsonb,
		'b', jsonb_build_object('c', pick('1', '2', '"2"', '1000', NULL)::jsonb), 'd', pick('2024-01-01', '2024-01-01T10:00:00Z', 'x', NULL)))
	FROM generate_series(1, 200) AS i;
CREATE INDEX ON flat (((payload ->> 'a')::numeric));
CREATE INDEX ON flat (((payload ->> 'a')::float8));
CREATE INDEX ON flat (((payload -> 'b' ->> 'c')::int));
CREATE INDEX ON flat (((payload -> 'b' ->> 'c')::bigint));
CREATE INDEX ON flat (vecdb.datetime(payload -> 'd'));
CREATE TABLE expected_flat AS
	SELECT f.filter, vecdb.filter_sql('flat', f.filter) AS condition,
		(SELECT array_agg(d.id ORDER BY d.id) FROM flat AS d WHERE vecdb.matches(d.payload, f.filter)) AS ids
	FROM (SELECT filter(1, '{a,b.c,d,a,b.c,d}') FROM generate_series(1, 300)) AS f(filter);
SELECT count(*) AS wrong, min(filter::text) FROM expected_flat WHERE rows_of(condition, 'flat') IS DISTINCT FROM ids;
SELECT count(*) > 30 AS by_expression FROM expected_flat WHERE condition ~ 'payload ->|datetime';
RESET enable_seqscan;

-- Over columns. A date-time has one form as a column and many as a string: it is compared by ranges only.
CREATE TYPE mood AS ENUM ('x', 'y', 'xy z');
CREATE DOMAIN whole AS int;
CREATE TABLE cols (id int PRIMARY KEY, i int, l bigint, s smallint, w whole, q numeric, r float8, f real, b bool, x text, v varchar(20), m mood,
	xs text[], ns int[], qs numeric[], bs bool[]);
INSERT INTO cols SELECT i, pick('0', '1', '2', '-1', NULL)::int, pick('0', '1000', '2', NULL)::bigint, pick('3', '2', NULL)::smallint,
		pick('3', '2', NULL)::whole, pick('0', '2.5', '2', NULL)::numeric, pick('2.25', '2.5', '2', NULL)::float8, pick('2.5', '2.25', '-1', NULL)::real,
		pick('t', 'f', NULL)::bool, pick('x', 'y', 'xy z', '2', '', NULL), pick('x', 'y', '2', '', NULL), pick('x', 'y', 'xy z', NULL)::mood,
		pick('{}', '{x}', '{x,y}', '{NULL,xy z}', NULL)::text[], pick('{}', '{1,2}', '{NULL,3}', '{2}', NULL)::int[],
		pick('{2.5,0}', '{2}', '{NULL}')::numeric[], pick('{t}', '{t,f}', '{NULL}')::bool[]
	FROM generate_series(1, 150) AS i;
CREATE TABLE expected_cols AS
	SELECT f.filter, vecdb.filter_sql('cols', f.filter) AS condition,
		(SELECT array_agg(d.id ORDER BY d.id) FROM cols AS d WHERE vecdb.matches(to_jsonb(d), f.filter)) AS ids
	FROM (SELECT filter(1, '{i,l,s,w,q,r,f,b,x,v,m,xs,ns,qs,bs,xs[],ns[0],x.y}') FROM generate_series(1, 500)) AS f(filter);
SELECT count(*) AS wrong, min(filter::text) FROM expected_cols WHERE rows_of(condition, 'cols') IS DISTINCT FROM ids;
SELECT count(*) AS wrong, min(filter::text) FROM expected_cols AS e
	WHERE rows_of('(' || condition || ') IS NOT TRUE', 'cols') IS DISTINCT FROM
		(SELECT array_agg(d.id ORDER BY d.id) FROM cols AS d WHERE NOT d.id = ANY (coalesce(e.ids, '{}')));

-- And with indexes on them.
CREATE INDEX ON cols (i); CREATE INDEX ON cols (l); CREATE INDEX ON cols (q); CREATE INDEX ON cols (r); CREATE INDEX ON cols (x);
CREATE INDEX ON cols (x text_pattern_ops); CREATE INDEX ON cols (m); CREATE INDEX ON cols (b);
CREATE INDEX ON cols USING gin (xs); CREATE INDEX ON cols USING gin (ns); CREATE INDEX ON cols USING gin (qs);
SET enable_seqscan = off;
SELECT count(*) AS wrong, min(filter::text) FROM expected_cols WHERE rows_of(condition, 'cols') IS DISTINCT FROM ids;
RESET enable_seqscan;

SET client_min_messages = error;
DROP SCHEMA filter_oracle CASCADE;
