-- vecdb.search_groups: agreement with an oracle in plain SQL, keys of all types, limits, errors, privileges.
SET client_min_messages = warning;
SET jit = off;
SET statement_timeout = 30000;

-- Runs a statement that must fail, and says how.
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', sqlstate || ': ' || sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;

-- 1. Small enough to read: two groups of two. Row 5 has no color.
CREATE TABLE small (id int PRIMARY KEY, color text, v vector(2));
INSERT INTO small VALUES (1, 'red', '[1,0]'), (2, 'blue', '[1,.1]'), (3, 'red', '[1,.2]'), (4, 'green', '[1,.3]'), (5, NULL, '[1,.01]'), (6, 'red', '[1,.05]'),
	(7, 'blue', '[0,1]'), (8, 'blue', NULL);
SELECT group_key, group_rank, id, round(distance::numeric, 6) AS distance, round(score::numeric, 6) AS score, rank
	FROM vecdb.search_groups('small', 'v', NULL::int, '[1,0]', 'color', 2, 2);
SELECT group_key, group_rank, id, rank FROM vecdb.search_groups('small', 'v', NULL::int, '[1,0]', 'color');

-- 2. The oracle: all rows in order, a row in the group of each element once, the groups by their first rows.
CREATE TABLE points (id bigint PRIMARY KEY, v vector(3), h halfvec(3), i int8vec(3), s sparsevec(3), color text, n int, at timestamptz, tags text[],
                     u uuid, f float8, payload jsonb);
INSERT INTO points
	SELECT n, v::vector, v::vector::halfvec, v::vector::int8vec, v::vector::sparsevec, (ARRAY['red', 'green', 'blue', NULL])[n % 4 + 1], n * 31 % 37,
	       timestamptz '2026-01-01 UTC' + n % 5 * interval '1 day', (ARRAY['{a}', '{b,c}', '{c,a,c}', '{}', NULL])[n % 5 + 1]::text[],
	       ('00000000-0000-0000-0000-' || lpad((n % 6)::text, 12, '0'))::uuid, n % 3 / 2.0,
	       (ARRAY['{"k": "x"}', '{"k": 1}', '{"k": 1.0}', '{"k": ["x", "y", "x", 2]}', '{"k": true}', '{"k": null}', '{}', '{"k": {"a": 1}}',
	              '{"k": []}', '{"k": [["x"], {"y": 1}, null, "z"]}', '{"k": "1"}']::jsonb[])[n % 11 + 1] || jsonb_build_object('deep', jsonb_build_object('n', n % 7))
	FROM (SELECT n, CASE WHEN n % 50 = 0 THEN NULL
	                     ELSE format('[%s,%s,%s]', (n * 7919 + 13) % 5 - 2, (n * 104729 + 7) / 11 % 5 - 2, (n * 1299709) / 17 % 5 - 2) END AS v
	      FROM generate_series(1, 300) n) x;

CREATE FUNCTION pg_temp.score(metric text, distance float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE metric WHEN 'cosine' THEN 1 - distance WHEN 'l2' THEN 0 - CASE WHEN sqrt((distance * distance)::real::float8) = distance THEN (distance * distance)::real ELSE distance * distance END
	       ELSE 0 - distance END
$$;
CREATE TYPE pg_temp.hit AS (group_key jsonb, group_rank bigint, id bigint, distance float8, score float8, rank bigint);
CREATE FUNCTION pg_temp.truth(col text, metric text, query text, field text, groups int, size int, red bool) RETURNS SETOF pg_temp.hit
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($sql$
		WITH r AS (SELECT id, d, field, row_number() OVER (ORDER BY d, id) AS place
		           FROM (SELECT id, %1$I %2$s %3$L AS d, %4$s AS field FROM points WHERE %1$I IS NOT NULL AND (NOT %5$L OR color = 'red')) x
		           WHERE d <> 'NaN'),
		     e AS (SELECT DISTINCT ON (place, el) * FROM r,
		                  jsonb_array_elements(CASE jsonb_typeof(field) WHEN 'array' THEN field ELSE jsonb_build_array(field) END) WITH ORDINALITY u(el, o)
		           WHERE jsonb_typeof(el) IN ('string', 'number', 'boolean') ORDER BY place, el, o),
		     g AS (SELECT el, row_number() OVER (ORDER BY place, o) AS group_rank FROM (SELECT DISTINCT ON (el) * FROM e ORDER BY el, place, o) x)
		SELECT key, group_rank, id, d, pg_temp.score(%6$L, d), rank
		FROM (SELECT *, row_number() OVER (PARTITION BY e.el ORDER BY place) AS rank, g.el AS key FROM e JOIN g USING (el) WHERE group_rank <= %7$s) x
		WHERE rank <= %8$s $sql$,
		col, CASE metric WHEN 'cosine' THEN '<=>' WHEN 'ip' THEN '<#>' WHEN 'l2' THEN '<->' ELSE '<+>' END, query, field, red, metric, groups, size);
END $$;
CREATE FUNCTION pg_temp.compare(col text, metric text) RETURNS TABLE(fault text) LANGUAGE sql AS $$
	WITH c AS (SELECT * FROM (VALUES ('color', 'to_jsonb(color)', 2, 3, false), ('n', 'to_jsonb(n)', 5, 4, false), ('at', 'to_jsonb(at)', 10, 1, true),
	                                 ('tags', 'to_jsonb(tags)', 2, 200, false), ('u', 'to_jsonb(u)', 3, 3, true), ('f', 'to_jsonb(f)', 2, 5, false),
	                                 ('payload.k', 'payload->''k''', 3, 4, false), ('payload.k', 'payload->''k''', 40, 40, false), ('k', 'payload->''k''', 7, 2, true),
	                                 ('deep.n', 'payload#>''{deep,n}''', 4, 3, false), ('missing', 'payload->''missing''', 4, 3, false)) v(path, field, groups, size, red)),
	     a AS (SELECT c.*, (SELECT array_agg(x ORDER BY group_rank, rank) FROM vecdb.search_groups('points', col::name, NULL::bigint, '[1,-1,2]', path, groups, size,
	                           CASE WHEN red THEN '{"must": [{"key": "color", "match": {"value": "red"}}]}'::jsonb END, jsonb_build_object('metric', metric)) x) AS answer,
	                  (SELECT array_agg(x ORDER BY group_rank, rank) FROM pg_temp.truth(col, metric, '[1,-1,2]', field, groups, size, red) x) AS truth
	           FROM c)
	-- As text a number is told from a string; 1 and 1.0 are one number, which is shown as it is found first.
	SELECT format('%s %s %s %s %s', col, metric, path, answer, truth) FROM a WHERE answer::text IS DISTINCT FROM truth::text
$$;
SELECT cardinality(array_agg(x)) FROM pg_temp.truth('v', 'l2', '[1,-1,2]', 'payload->''k''', 40, 40, false) x;
SELECT m, f FROM unnest('{cosine,ip,l2,l1}'::text[]) m, pg_temp.compare('v', m) f;
SELECT * FROM pg_temp.compare('h', 'l2');
SELECT * FROM pg_temp.compare('i', 'ip');
CREATE INDEX points_v ON points USING hnsw (v vector_l2_ops);
CREATE INDEX points_h ON points USING ivf (h halfvec_ip_ops) WITH (lists = 3);
SET enable_seqscan = off;
SET enable_sort = off;
SET ivfflat.probes = 3;
SELECT * FROM pg_temp.compare('v', 'l2');
SELECT * FROM pg_temp.compare('h', 'ip');
-- Sparse queries are made of the vector.
SELECT count(*) FROM vecdb.search_groups('points', 's', NULL::bigint, '[1,-1,2]', 'color', 3, 5) a
	JOIN vecdb.search_groups('points', 'h', NULL::bigint, '[1,-1,2]', 'color', 3, 5, params => '{"metric": "cosine"}') b USING (group_key, group_rank, id, rank);

-- 3. Limits. Of an index so many rows are read; a plan that has all rows at hand gives all.
SET hnsw.max_scan_tuples = 8;
SELECT count(*) < 30, count(*) > 0 FROM vecdb.search_groups('points', 'v', NULL::bigint, '[1,-1,2]', 'n', 30, 1);
SELECT count(*) FROM vecdb.search_groups('points', 'v', NULL::bigint, '[1,-1,2]', 'n', 30, 1, params => '{"exact": true}');
RESET hnsw.max_scan_tuples;
SELECT count(*) FROM vecdb.search_groups('points', 'v', NULL::bigint, '[1,-1,2]', 'n', 30, 1);
SELECT count(*), count(DISTINCT group_rank), max(rank) FROM vecdb.search_groups('points', 'v', NULL::bigint, '[1,-1,2]', 'color', 100, 1000);
RESET enable_seqscan;
RESET enable_sort;

-- Groups of few rows, most of them far off: once the groups are known, their rows are found by their keys, whatever that limit.
CREATE TABLE chunks (id int PRIMARY KEY, doc int, name text, payload jsonb, v vector(3));
INSERT INTO chunks SELECT n, n % 700, 'doc ' || n % 700, jsonb_build_object('doc', n % 700, 'name', 'doc "' || n % 700), format('[%s,%s,%s]', sin(n), sin(n * 2.1 + 1), cos(n * 1.7))::vector
	FROM generate_series(1, 3000) n;
CREATE INDEX ON chunks USING hnsw (v vector_cosine_ops);
CREATE INDEX ON chunks (doc);
CREATE INDEX ON chunks (name);
CREATE INDEX ON chunks USING gin (payload jsonb_path_ops);
ANALYZE chunks;
SET hnsw.max_scan_tuples = 1000;
SET hnsw.ef_search = 300;
SELECT field, count(*), count(*) FILTER (WHERE e.id IS NOT NULL) AS exact
	FROM unnest('{doc,name,payload.doc,payload.name}'::text[]) field, vecdb.search_groups('chunks', 'v', 1, '[1,-1,2]', field, 3, 4) g
	     LEFT JOIN vecdb.search_groups('chunks', 'v', 1, '[1,-1,2]', 'doc', 3, 4, params => '{"exact": true}') e USING (group_rank, id, distance, rank)
	GROUP BY 1 ORDER BY 1;
-- A filter goes along.
SELECT group_key, id, rank FROM vecdb.search_groups('chunks', 'v', 1, '[1,-1,2]', 'doc', 2, 3, '{"must": [{"key": "id", "range": {"lte": 2000}}]}');
SELECT group_key, id, rank FROM vecdb.search_groups('chunks', 'v', 1, '[1,-1,2]', 'doc', 2, 3, '{"must": [{"key": "id", "range": {"lte": 2000}}]}', '{"exact": true}');
RESET hnsw.max_scan_tuples;
RESET hnsw.ef_search;

-- 4. Arguments by name, NULL defaults, other keys, an empty table, partitions.
SELECT group_key, id, rank FROM vecdb.search_groups(rel => 'points', vec => 'v', key => 1::bigint, query => '[1,-1,2]', group_size => 1, groups => NULL, group_by => 'color', filter => NULL);
CREATE TABLE parts (a int, b text, color text, v vector(3), PRIMARY KEY (a, b)) PARTITION BY LIST (b);
CREATE TABLE parts_x PARTITION OF parts FOR VALUES IN ('x');
CREATE TABLE parts_y PARTITION OF parts DEFAULT;
CREATE TYPE parts_key AS (a int, b text);
SELECT * FROM vecdb.search_groups('parts', 'v', NULL::parts_key, '[1,-1,2]', 'color');
INSERT INTO parts SELECT id, CASE WHEN id % 2 = 0 THEN 'x' ELSE 'y' END, color, v FROM points;
SELECT group_key, id, rank FROM vecdb.search_groups('parts', 'v', NULL::parts_key, '[1,-1,2]', 'color', 2, 2, params => '{"metric": "l2"}');
SELECT count(*) FROM vecdb.search_groups('parts', 'v', NULL::parts_key, '[1,-1,2]', 'color', 3, 20, params => '{"metric": "l2"}') p
	JOIN vecdb.search_groups('points', 'v', 1, '[1,-1,2]', 'color', 3, 20, params => '{"metric": "l2"}') q USING (group_key, group_rank, rank, distance);
SELECT group_key, (id).color, (id).id FROM vecdb.search_groups('small', 'v', NULL::small, '[1,0]', 'color', 1, 2);

-- 5. Errors.
SELECT pg_temp.error_of(format('SELECT * FROM vecdb.search_groups(%s)', a)) FROM unnest(ARRAY[
	$$'points', 'v', 1, '[1,2,3]', 'color', 0$$,
	$$'points', 'v', 1, '[1,2,3]', 'color', 1, 0$$,
	$$'points', 'v', 1, '[1,2,3]', 'color', 2000000000, 2000000000$$,
	$$'points', 'v', 1, '[1,2,3]', NULL$$,
	$$'points', 'v', 1, NULL, 'color'$$,
	$$'points', 'v', 1, '[1,2]', 'color'$$,
	$$'points', 'v', 1, '[1,2,3]', ''$$,
	$$'small', 'v', 1, '[1,2]', 'color; DROP TABLE points'$$,
	$$'small', 'v', 1, '[1,2]', 'hue'$$,
	$$'points', 'nope', 1, '[1,2,3]', 'color'$$,
	$$'points', 'v', 'x', '[1,2,3]', 'color'$$]) a;

-- 6. Rows that are hidden are in no group.
CREATE ROLE groups_reader;
GRANT SELECT ON points TO groups_reader;
ALTER TABLE points ENABLE ROW LEVEL SECURITY;
CREATE POLICY red ON points USING (color <> 'red');
SET ROLE groups_reader;
SELECT group_key, count(*) FROM vecdb.search_groups('points', 'v', 1, '[1,-1,2]', 'color', 5, 1000) GROUP BY 1 ORDER BY 1;
SELECT pg_temp.error_of($$SELECT * FROM vecdb.search_groups('small', 'v', 1, '[1,2]', 'color')$$);
RESET ROLE;
REVOKE ALL ON points FROM groups_reader;
GRANT SELECT (id, v) ON points TO groups_reader;
SET ROLE groups_reader;
SELECT pg_temp.error_of($$SELECT * FROM vecdb.search_groups('points', 'v', 1, '[1,2,3]', 'color')$$);
RESET ROLE;
DROP TABLE small, points, parts, chunks;
DROP TYPE parts_key;
DROP ROLE groups_reader;
