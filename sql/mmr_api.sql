-- vecdb.mmr_search: golden orders, agreement with an oracle in plain SQL, errors.
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

-- 1. Golden orders of Qdrant's rule, by diversity = 1 - lambda; scores are those of the search.
CREATE TABLE gold (name text PRIMARY KEY, v vector(2));
INSERT INTO gold VALUES ('p', '[1,.1]'), ('q', '[.98,.2]'), ('r', '[.7,.7]'), ('s', '[.1,1]'), ('t', '[.95,-.3]');
CREATE FUNCTION pg_temp.gold() RETURNS TABLE(diversity float8, answer text) LANGUAGE sql AS $$
	SELECT d, (SELECT string_agg(id || ' ' || round(score::numeric, 6), ', ' ORDER BY rank)
	           FROM vecdb.mmr_search('gold', 'v', NULL::text, '[1,0]', diversity => d))
	FROM unnest('{0,.3,.5,.8,1}'::float8[]) d
$$;
SELECT * FROM pg_temp.gold();
CREATE INDEX ON gold USING hnsw (v vector_cosine_ops);
SET enable_seqscan = off;
SELECT * FROM pg_temp.gold() WHERE diversity IN (0, .5, 1);
RESET enable_seqscan;
-- Candidates and k leave rows out: s is not among the three nearest, so it cannot be chosen.
SELECT id, round(distance::numeric, 6) AS distance, rank FROM vecdb.mmr_search('gold', 'v', ''::text, '[1,0]', k => 3, diversity => .8, candidates => 3);
SELECT id, rank FROM vecdb.mmr_search('gold', 'v', ''::text, '[1,0]', 2, 1);

-- 2. The oracle: the rule over the operators, a choice a step. Rows of whole numbers, with many ties.
CREATE TABLE points (id int PRIMARY KEY, v vector(3), h halfvec(3), i int8vec(3), s sparsevec(3), color text);
INSERT INTO points
	SELECT n, v::vector, v::vector::halfvec, v::vector::int8vec, v::vector::sparsevec, (ARRAY['red', 'green', 'blue'])[n % 3 + 1]
	FROM (SELECT n, CASE WHEN n % 50 = 0 THEN NULL
	                     ELSE format('[%s,%s,%s]', (n * 7919 + 13) % 5 - 2, (n * 104729 + 7) / 11 % 5 - 2, (n * 1299709) / 17 % 5 - 2) END AS v
	      FROM generate_series(1, 200) n) x;

CREATE FUNCTION pg_temp.score(metric text, distance float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE metric WHEN 'cosine' THEN 1 - distance WHEN 'l2' THEN 0 - CASE WHEN sqrt((distance * distance)::real::float8) = distance THEN (distance * distance)::real ELSE distance * distance END
	       ELSE 0 - distance END
$$;
CREATE FUNCTION pg_temp.mmr(col text, metric text, query vector, k int, diversity float8, candidates int, red bool)
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
	chosen int[] := '{}';
	next int;
	op text := CASE metric WHEN 'cosine' THEN '<=>' WHEN 'ip' THEN '<#>' WHEN 'l2' THEN '<->' ELSE '<+>' END;
	typed text := format('$1::%s', (SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 'points'::regclass AND attname = col));
BEGIN
	CREATE TEMP TABLE c (place int, id int, s float8);
	EXECUTE format('INSERT INTO c SELECT row_number() OVER (ORDER BY d, id), id, pg_temp.score(%2$L, d)
	                FROM (SELECT id, %1$I %4$s %3$s AS d FROM points WHERE %1$I IS NOT NULL AND (NOT $2 OR color = ''red'')) x
	                WHERE d <> ''NaN'' ORDER BY d, id LIMIT $3', col, metric, typed, op) USING query, red, candidates;
	CREATE TEMP TABLE pair (a int, b int, s float8);
	EXECUTE format('INSERT INTO pair SELECT x.id, y.id, pg_temp.score(%2$L, x.%1$I %3$s y.%1$I)
	                FROM points x, points y WHERE x.id IN (SELECT id FROM c) AND y.id IN (SELECT id FROM c)', col, metric, op);
	WHILE cardinality(chosen) < k LOOP
		SELECT id INTO next FROM c WHERE id <> ALL (chosen)
		ORDER BY CASE WHEN chosen = '{}' THEN s
		              ELSE (1 - diversity) * s - (1 - (1 - diversity)) * (SELECT max(p.s) FROM pair p WHERE p.a = c.id AND p.b = ANY (chosen)) END DESC, place LIMIT 1;
		EXIT WHEN NOT FOUND;
		chosen := chosen || next;
	END LOOP;
	DROP TABLE c, pair;
	RETURN chosen;
END $$;
CREATE FUNCTION pg_temp.compare(col text, metrics text[]) RETURNS TABLE(fault text, answer int[], truth int[]) LANGUAGE sql AS $$
	SELECT * FROM (
		SELECT format('%s %s %s %s %s', col, m, k, diversity, candidates),
		       (SELECT coalesce(array_agg(id ORDER BY rank), '{}') FROM vecdb.mmr_search('points', col::name, NULL::int, '[1,-1,2]', k, diversity, candidates,
		              CASE WHEN red THEN '{"must": [{"key": "color", "match": {"value": "red"}}]}'::jsonb END,
		              jsonb_build_object('metric', m))) AS answer,
		       pg_temp.mmr(col, m, '[1,-1,2]', k, diversity, candidates, red) AS truth
		FROM unnest(metrics) m,
		     (VALUES (5, .5, 30, false), (12, .25, 40, false), (8, 1, 25, true), (3, 0, 10, false), (30, .75, 20, false)) v(k, diversity, candidates, red)) x
	WHERE answer <> truth
$$;
SELECT * FROM pg_temp.compare('v', '{cosine,ip,l2,l1}');
SELECT * FROM pg_temp.compare('h', '{ip,l2}');
SELECT * FROM pg_temp.compare('i', '{cosine,l2}');
SELECT * FROM pg_temp.compare('s', '{ip,l1}');
CREATE INDEX points_v ON points USING hnsw (v vector_l2_ops);
CREATE INDEX points_h ON points USING ivf (h halfvec_ip_ops) WITH (lists = 3);
SET enable_seqscan = off;
SET ivfflat.probes = 3;
SELECT * FROM pg_temp.compare('v', '{l2,ip}');
SELECT * FROM pg_temp.compare('h', '{ip}');
RESET enable_seqscan;
DROP INDEX points_v, points_h;
-- The answer holds each row once, with its own distance and score, and the first is the nearest.
SELECT count(*), count(DISTINCT id), bool_and(distance = (v <-> '[1,-1,2]')), bool_and(score = pg_temp.score('l2', distance)), min(rank), max(rank),
       min(distance) = min(distance) FILTER (WHERE rank = 1) AS nearest_first
	FROM vecdb.mmr_search('points', 'v', NULL::bigint, '[1,-1,2]', 40, params => '{"metric": "l2"}') JOIN points USING (id);
-- Diversity 0 is a search. By default there are 100 candidates, or four times k.
SELECT count(*) FROM vecdb.mmr_search('points', 'v', NULL::int, '[1,-1,2]', 50, 0) JOIN vecdb.search('points', 'v', NULL::int, '[1,-1,2]', 50) USING (id, distance, score, rank);
SELECT (SELECT array_agg(id ORDER BY rank) FROM vecdb.mmr_search('points', 'v', 1, '[1,-1,2]', 10, .9)) =
       (SELECT array_agg(id ORDER BY rank) FROM vecdb.mmr_search('points', 'v', 1, '[1,-1,2]', 10, .9, 100)) AS candidates_100,
       (SELECT array_agg(id ORDER BY rank) FROM vecdb.mmr_search('points', 'v', 1, '[1,-1,2]', 30, .9)) =
       (SELECT array_agg(id ORDER BY rank) FROM vecdb.mmr_search('points', 'v', 1, '[1,-1,2]', 30, .9, 120)) AS candidates_120;

-- 3. Arguments by name, NULL defaults, an empty table, other keys.
SELECT id, rank FROM vecdb.mmr_search(rel => 'points', vec => 'v', key => NULL::bigint, query => '[1,-1,2]', diversity => NULL, k => 3, candidates => NULL, filter => NULL, params => NULL);
CREATE TABLE empty (a uuid, b int, v vector(3), PRIMARY KEY (a, b));
SELECT * FROM vecdb.mmr_search('empty', 'v', NULL::empty, '[1,2,3]');
INSERT INTO empty VALUES ('00000000-0000-0000-0000-000000000001', 1, '[1,2,3]'), ('00000000-0000-0000-0000-000000000001', 2, '[3,2,1]');
SELECT id, rank FROM vecdb.mmr_search('empty', 'v', NULL::empty, '[1,2,3]');

-- 4. Errors.
SELECT pg_temp.error_of(format('SELECT * FROM vecdb.mmr_search(%s)', a)) FROM unnest(ARRAY[
	$$'points', 'v', 1, '[1,2,3]', diversity => 1.1$$,
	$$'points', 'v', 1, '[1,2,3]', diversity => -0.1$$,
	$$'points', 'v', 1, '[1,2,3]', diversity => 'NaN'$$,
	$$'points', 'v', 1, '[1,2,3]', k => 0$$,
	$$'points', 'v', 1, '[1,2,3]', candidates => 0$$,
	$$'points', 'v', 1, '[1,2,3]', candidates => 16385$$,
	$$'points', 'v', 1, '[1,2,3]', k => 16385$$,
	$$'points', 'v', 1, NULL$$,
	$$'points', 'v', 1, '[1,2]'$$,
	$$'points', 'v', 'x', '[1,2,3]'$$,
	$$'points', 'color', 1, '[1,2,3]'$$,
	$$'points', 'v', 1, '[1,2,3]', filter => '{"must": [{"key": 1}]}'$$]) a;
SELECT count(*) FROM vecdb.mmr_search('points', 'v', 1, '[1,2,3]', k => 16384, diversity => 0);

-- 5. Rows that are hidden are neither candidates nor compared with.
CREATE ROLE mmr_reader;
GRANT SELECT ON points TO mmr_reader;
ALTER TABLE points ENABLE ROW LEVEL SECURITY;
CREATE POLICY red ON points USING (color = 'red');
SET ROLE mmr_reader;
SELECT array_agg(id ORDER BY rank) AS red FROM vecdb.mmr_search('points', 'v', 1, '[1,-1,2]', 6);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.mmr_search('gold', 'v', 'x'::text, '[1,2]')$$);
RESET ROLE;
SELECT array_agg(id ORDER BY rank) AS red FROM vecdb.mmr_search('points', 'v', 1, '[1,-1,2]', 6, filter => '{"must": [{"key": "color", "match": {"value": "red"}}]}');
DROP TABLE gold, points, empty;
DROP ROLE mmr_reader;
