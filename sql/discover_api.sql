-- vecdb.discover, vecdb.discover_vectors, vecdb.context_search: golden values, agreement with an oracle in plain SQL, errors, privileges.
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

-- 1. Golden values of Qdrant's formulas: target b, pair (a, d).
CREATE TABLE gold (name text PRIMARY KEY, v vector(2));
INSERT INTO gold VALUES ('a', '[1,0]'), ('b', '[.8,.6]'), ('c', '[.6,.8]'), ('d', '[0,1]'), ('e', '[-1,0]');

CREATE FUNCTION pg_temp.gold() RETURNS TABLE(query text, metric text, answer text) LANGUAGE sql AS $$
	SELECT 'discover', m, (SELECT string_agg(id || ' ' || round(score::numeric, 6), ', ' ORDER BY rank)
	                       FROM vecdb.discover('gold', 'v', 'b'::text, '{{a,d}}', params => jsonb_build_object('metric', m)))
	FROM unnest('{cosine,dot,l2}'::text[]) m
	UNION ALL
	SELECT 'context', m, (SELECT string_agg(id || ' ' || round(score::numeric, 6), ', ' ORDER BY rank)
	                      FROM vecdb.context_search('gold', 'v', '{{a,d}}'::text[], params => jsonb_build_object('metric', m)))
	FROM unnest('{cosine,dot,l2}'::text[]) m
	UNION ALL
	SELECT 'no pairs', m, (SELECT string_agg(id || ' ' || round(score::numeric, 6), ', ' ORDER BY rank)
	                       FROM vecdb.discover('gold', 'v', 'b'::text, '{}', params => jsonb_build_object('metric', m)))
	FROM unnest('{cosine,dot,l2}'::text[]) m
$$;
SELECT * FROM pg_temp.gold() ORDER BY query, metric;
CREATE TABLE gold_exact AS SELECT * FROM pg_temp.gold();
-- With an index of the metric the same.
SET enable_seqscan = off;
CREATE INDEX gold_index ON gold USING hnsw (v vector_cosine_ops);
SELECT * FROM pg_temp.gold() EXCEPT SELECT * FROM gold_exact;
DROP INDEX gold_index;
CREATE INDEX gold_index ON gold USING hnsw (v vector_l2_ops);
SELECT * FROM pg_temp.gold() EXCEPT SELECT * FROM gold_exact;
DROP INDEX gold_index;
CREATE INDEX gold_index ON gold USING ivf (v vector_ip_ops) WITH (lists = 2);
SET ivfflat.probes = 2;
SELECT * FROM pg_temp.gold() EXCEPT SELECT * FROM gold_exact;
DROP INDEX gold_index;
RESET enable_seqscan;
RESET ivfflat.probes;
-- distance is minus the score; vectors exclude nothing.
SELECT id, round(distance::numeric, 6) AS distance, round(score::numeric, 6) AS score, rank
	FROM vecdb.discover_vectors('gold', 'v', NULL::text, '[.8,.6]', '{"[1,0]"}', '{"[0,1]"}');
-- A pair of equal members tells nothing.
SELECT id, round(score::numeric, 6) AS score FROM vecdb.discover('gold', 'v', 'b'::text, '{{a,d},{d,d}}');
SELECT id, score::real AS score FROM vecdb.context_search('gold', 'v', '{{a,a}}'::text[], params => '{"metric": "l2"}');

-- 2. The oracle: the formulas over float8 arrays. Two sets of vectors: few whole numbers, with ties of all kinds, and others.
CREATE TABLE points (id bigint PRIMARY KEY, v vector(3), i int8vec(3), s sparsevec(3), r vector(3), h halfvec(3), color text);
INSERT INTO points
	SELECT n, v::vector, v::vector::int8vec, v::vector::sparsevec, r::halfvec::vector, r::halfvec, (ARRAY['red', 'green', 'blue'])[n % 3 + 1]
	FROM (SELECT n, CASE WHEN n % 50 = 0 THEN NULL
	                     ELSE format('[%s,%s,%s]', (n * 7919 + 13) % 5 - 2, (n * 104729 + 7) / 11 % 5 - 2, (n * 1299709) / 17 % 5 - 2) END AS v,
	             CASE WHEN n % 50 = 0 THEN NULL ELSE format('[%s,%s,%s]', sin(n), sin(n * 2.1 + 1), cos(n * 1.7)) END AS r
	      FROM generate_series(1, 400) n) x;

CREATE FUNCTION pg_temp.floats(x vector) RETURNS float8[] LANGUAGE sql IMMUTABLE STRICT AS 'SELECT x::real[]::float8[]';

CREATE FUNCTION pg_temp.sg(x float8) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT 0.5 * (x / (1 + abs(x)) + 1)';

/*
 * What is wrong with an answer, given what each row scores by the oracle: which place has not the score that it should, which row not
 * the score that it has, what is out of order. Rows of equal scores are told apart by what the function says: sums round.
 */
CREATE TYPE pg_temp.scored AS (id bigint, distance float8, score float8, rank bigint);
CREATE FUNCTION pg_temp.faults(answer pg_temp.scored[], ids bigint[], scores float8[], k int, skip int)
RETURNS SETOF text LANGUAGE sql AS $$
	WITH truth AS (SELECT id, score, row_number() OVER (ORDER BY score DESC, id) AS place FROM unnest(ids, scores) u(id, score)
	               WHERE score IS NOT NULL),
	     a AS (SELECT *, lag(score) OVER w AS score_before, lag(id) OVER w AS id_before, row_number() OVER w AS n
	           FROM unnest(answer) WINDOW w AS (ORDER BY rank))
	SELECT format('%s rows instead of %s', count(*), least(k, greatest(0, (SELECT count(*) FROM truth) - skip))) FROM a
	HAVING count(*) <> least(k, greatest(0, (SELECT count(*) FROM truth) - skip))
	UNION ALL SELECT format('rank %s: score %s, not %s', a.rank, a.score, t.score) FROM a JOIN truth t ON t.place = a.rank
	WHERE NOT abs(a.score - t.score) < 1e-5 * greatest(1, abs(t.score))
	UNION ALL SELECT format('id %s: score %s, not %s', a.id, a.score, t.score) FROM a LEFT JOIN truth t USING (id)
	WHERE (abs(a.score - t.score) < 1e-5 * greatest(1, abs(t.score))) IS NOT TRUE
	UNION ALL SELECT format('rank %s of row %s', rank, n) FROM a WHERE rank <> n + skip
	UNION ALL SELECT format('order at %s', rank) FROM a
	WHERE score_before < score OR (score_before = score AND id_before >= id)
$$;

-- target NULL: of context_search.
CREATE TABLE questions (q int, target bigint, context bigint[], k int, skip int, filter jsonb, red bool);
INSERT INTO questions VALUES
	(1, 1, '{}', 10, 0, NULL, false), (2, 2, '{{3,4}}', 25, 0, NULL, false), (3, 7, '{{7,4},{5,6},{8,9}}', 7, 3, NULL, false),
	(4, 2, '{{4,5},{6,7}}', 500, 0, NULL, false), (5, NULL, '{{5,6}}', 40, 0, NULL, false), (6, NULL, '{{8,9},{1,2},{3,4}}', 500, 0, NULL, false),
	(7, 1, '{{8,3}}', 12, 2, '{"must": [{"key": "color", "match": {"value": "red"}}]}', true),
	(8, NULL, '{{4,5},{6,7}}', 20, 5, '{"must": [{"key": "color", "match": {"value": "red"}}]}', true);
CREATE TABLE similarities AS
	WITH vectors AS (SELECT 'v' AS data, id, pg_temp.floats(v) AS f FROM points WHERE v IS NOT NULL UNION ALL SELECT 'r', id, pg_temp.floats(r) FROM points WHERE r IS NOT NULL),
	     sums AS (SELECT e.data, e.id AS example, x.id, sum(a * b) AS ab, sum(a * a) AS aa, sum(b * b) AS bb, sum((a - b) * (a - b)) AS l2, sum(abs(a - b)) AS l1
	              FROM vectors e JOIN vectors x USING (data), unnest(e.f, x.f) u(a, b)
	              WHERE e.id IN (SELECT unnest(context) FROM questions UNION SELECT target FROM questions) GROUP BY 1, 2, 3)
	SELECT data, m AS metric, example, id, CASE m WHEN 'cosine' THEN ab / nullif(sqrt(aa) * sqrt(bb), 0) WHEN 'ip' THEN ab WHEN 'l2' THEN -l2 ELSE -l1 END AS s
	FROM sums, unnest('{cosine,ip,l2,l1}'::text[]) m
	-- Whole numbers have equal cosines that rounding tells apart.
	WHERE (data, m) <> ('v', 'cosine');
CREATE INDEX ON similarities (example, data, metric, id);
ANALYZE similarities;
CREATE TABLE truth AS
	WITH pairs AS (SELECT p.data, p.metric, q, p.id, sum(sign(p.s - n.s)) AS zone,
	                      sum(least(p.s - n.s - 2 ^ -23, 0) / (1 + abs(least(p.s - n.s - 2 ^ -23, 0)))) AS loss
	               FROM questions CROSS JOIN LATERAL generate_series(1, array_length(context, 1)) c
	                    JOIN similarities p ON p.example = context[c][1]
	                    JOIN similarities n ON n.example = context[c][2] AND n.id = p.id AND n.metric = p.metric AND n.data = p.data
	               GROUP BY 1, 2, 3, 4),
	     scores AS (SELECT data, metric, q, t.id, coalesce(zone, 0) + pg_temp.sg(t.s) AS score
	                FROM questions JOIN similarities t ON t.example = target LEFT JOIN pairs USING (data, metric, q, id)
	                UNION ALL SELECT data, metric, q, id, loss FROM pairs JOIN questions USING (q) WHERE target IS NULL)
	SELECT data, metric, q, array_agg(id) AS ids, array_agg(score) AS scores
	FROM scores JOIN questions USING (q) JOIN points USING (id)
	WHERE id <> ALL (context) AND id IS DISTINCT FROM target AND (NOT red OR color = 'red') GROUP BY 1, 2, 3;
SELECT data, metric, count(*), sum(cardinality(ids)) FROM truth GROUP BY 1, 2 ORDER BY 1, 2;

CREATE FUNCTION pg_temp.compare(data text, col name, metrics text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s %s %s: %s', col, metric, q, f)
	FROM truth t JOIN questions USING (q),
	     LATERAL (SELECT coalesce(array_agg((id, distance, score, rank)::pg_temp.scored), '{}') AS answer
	              FROM (SELECT * FROM vecdb.discover('points', col, target, context, k, skip, filter, params => jsonb_build_object('metric', metric))
	                    WHERE target IS NOT NULL
	                    UNION ALL
	                    SELECT * FROM vecdb.context_search('points', col, context, k, skip, filter, params => jsonb_build_object('metric', metric))
	                    WHERE target IS NULL) r) a,
	     LATERAL pg_temp.faults(answer, ids, scores, k, skip) f
	WHERE metric = ANY (metrics) AND t.data = $1
$$;
-- No row: no fault.
SELECT * FROM pg_temp.compare('v', 'v', '{ip,l2,l1}');
SELECT * FROM pg_temp.compare('v', 'i', '{ip,l2,l1}');
SELECT * FROM pg_temp.compare('v', 's', '{ip,l2,l1}');
SELECT * FROM pg_temp.compare('r', 'r', '{cosine,ip,l2,l1}');
SELECT * FROM pg_temp.compare('r', 'h', '{cosine,ip,l2,l1}');

-- The same with indexes that see all these rows.
SET hnsw.ef_search = 400;
SET enable_seqscan = off;
CREATE INDEX points_v ON points USING hnsw (v vector_l2_ops);
CREATE INDEX points_i ON points USING hnsw (i int8vec_ip_ops);
CREATE INDEX points_s ON points USING hnsw (s sparsevec_l1_ops);
CREATE INDEX points_r ON points USING hnsw (r vector_cosine_ops);
CREATE INDEX points_h ON points USING hnsw (h halfvec_cosine_ops);
SELECT * FROM pg_temp.compare('v', 'v', '{ip,l2}');
SELECT * FROM pg_temp.compare('v', 'i', '{ip}');
SELECT * FROM pg_temp.compare('v', 's', '{l1}');
SELECT * FROM pg_temp.compare('r', 'r', '{cosine,l2}');
SELECT * FROM pg_temp.compare('r', 'h', '{cosine}');
DROP INDEX points_v, points_i, points_s, points_r, points_h;
CREATE INDEX points_v ON points USING ivf (v vector_l2_ops) WITH (lists = 4);
CREATE INDEX points_h ON points USING ivf (h halfvec_cosine_ops) WITH (lists = 4);
SET ivfflat.probes = 4;
SELECT * FROM pg_temp.compare('v', 'v', '{l2}');
SELECT * FROM pg_temp.compare('r', 'h', '{cosine}');
DROP INDEX points_v, points_h;
RESET ALL;
SET client_min_messages = warning;
SET jit = off;
SET statement_timeout = 30000;

-- 3. Arguments. Pages of an answer in which all tie go on where the last ended.
SELECT count(*), count(DISTINCT id), min(score), max(score) FROM generate_series(0, 150, 50) skip,
	LATERAL vecdb.context_search('points', 'v', ARRAY[[1, 86]], k => 50, skip => skip, params => '{"metric": "l2"}');
SELECT id, rank FROM vecdb.discover(rel => 'points', vec => 'r', target => 2::bigint, context => ARRAY[[3, 4]], params => NULL, k => 3);
-- The threshold parts the zones: better than even.
SELECT count(*), min(floor(score)) FROM vecdb.discover('points', 'r', 2, ARRAY[[3, 4], [5, 6]], k => 400, score_threshold => 0);
-- Vectors agree with ids.
SELECT count(*) FROM vecdb.discover('points', 's', 2, ARRAY[[3, 4], [5, 6]], k => 400, params => '{"metric": "ip"}') a
	JOIN vecdb.discover_vectors('points', 's', NULL::int, (SELECT v FROM points WHERE id = 2), ARRAY(SELECT v FROM points WHERE id IN (3, 5) ORDER BY id),
	                            ARRAY(SELECT v FROM points WHERE id IN (4, 6) ORDER BY id), k => 400, params => '{"metric": "ip"}') b USING (id, score);
-- Without pairs the order is that of a search.
SELECT count(*) FROM vecdb.discover_vectors('points', 'r', NULL::int, '[1,2,3]', '{}', '{}', k => 400)
	JOIN vecdb.search('points', 'r', NULL::int, '[1,2,3]', 400) USING (id, rank);
-- Examples from another table, of composite keys.
CREATE TABLE users (a int, b text, v vector(3), PRIMARY KEY (a, b));
INSERT INTO users VALUES (1, 'x', '[1,1,0]'), (1, 'y', '[0,1,1]');
CREATE TABLE items (a int, b text, v vector(3), PRIMARY KEY (a, b));
INSERT INTO items SELECT id, 'x', v FROM points;
CREATE TYPE user_key AS (a int, b text);
SELECT id, rank FROM vecdb.context_search('items', 'v', ARRAY[[(1, 'x')::user_key, (1, 'y')::user_key]], k => 2, lookup_rel => 'users');
SELECT id, rank FROM vecdb.discover('items', 'v', (1, 'x')::user_key, ARRAY[[(1, 'x')::user_key, (1, 'y')::user_key]], k => 2, lookup_rel => 'users');

-- 4. Errors.
SELECT pg_temp.error_of(format('SELECT * FROM vecdb.%s', a)) FROM unnest(ARRAY[
	$$discover('points', 'v', NULL::bigint, '{{1,2}}')$$,
	$$discover('points', 'v', 1::bigint, NULL)$$,
	$$discover('points', 'v', 1::bigint, '{1,2}')$$,
	$$discover('points', 'v', 1::bigint, '{{1,2,3}}')$$,
	$$discover('points', 'v', 1::bigint, '{{{1,2}}}')$$,
	$$discover('points', 'v', 1::bigint, '{{1,NULL}}')$$,
	$$discover('points', 'v', 1::bigint, '{{1,999}}')$$,
	$$discover('points', 'v', 999::bigint, '{{1,2}}')$$,
	$$discover('points', 'v', 50::bigint, '{{1,2}}')$$,
	$$discover('points', 'v', 'one', '{{1,2}}')$$,
	$$discover('points', 'v', 1::bigint, '{{1,2}}', k => 0)$$,
	$$discover('points', 'v', 1::bigint, '{{1,2}}', lookup_rel => 'users')$$,
	$$discover('points', 'v', 22::bigint, '{{1,21}}')$$,
	$$discover(NULL, 'v', 1::bigint, '{{1,2}}')$$,
	$$discover('points', 'color', 1::bigint, '{{1,2}}')$$,
	$$discover_vectors('points', 'v', 1, NULL, '{}', '{}')$$,
	$$discover_vectors('points', 'v', 1, '[1,2,3]', '{"[1,2,3]"}', '{}')$$,
	$$discover_vectors('points', 'v', 1, '[1,2,3]', NULL, '{}')$$,
	$$discover_vectors('points', 'v', 1, '[1,2,3]', '{NULL}', '{"[1,2,3]"}')$$,
	$$discover_vectors('points', 'v', 1, '[1,2]', '{}', '{}')$$,
	$$discover_vectors('points', 'v', 1, '[1,2,3]', '{"[1,2]"}', '{"[1,2]"}')$$,
	$$discover_vectors('points', 'v', 1, '[0,0,0]', '{}', '{}')$$,
	$$context_search('points', 'v', '{}'::bigint[])$$,
	$$context_search('points', 'v', '{{1,2}}')$$,
	$$context_search('points', 'v', NULL::bigint[])$$,
	$$context_search('points', 'v', ARRAY[1, 2])$$,
	$$context_search('points', 'v', ARRAY[[1], [2]])$$,
	$$context_search('points', 'v', ARRAY[[1, 2]], params => '{"metric": "hamming"}')$$]) a;

-- 5. Privileges: what is hidden is missing.
CREATE ROLE discover_reader;
CREATE TABLE secrets (id int PRIMARY KEY, owner text, v vector(2));
INSERT INTO secrets VALUES (1, 'discover_reader', '[1,0]'), (2, 'discover_reader', '[1,1]'), (3, 'other', '[1,.1]'), (4, 'discover_reader', '[0,1]');
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets USING (owner = current_user);
GRANT SELECT ON secrets TO discover_reader;
SELECT array_agg(id ORDER BY rank) FROM vecdb.discover('secrets', 'v', 1, '{}'::int[]);
SET ROLE discover_reader;
SELECT array_agg(id ORDER BY rank) FROM vecdb.discover('secrets', 'v', 1, '{}'::int[]);
SELECT array_agg(id ORDER BY rank) FROM vecdb.context_search('secrets', 'v', ARRAY[[1, 4]]);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.discover('secrets', 'v', 3, '{}'::int[])$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.context_search('secrets', 'v', ARRAY[[1, 3]])$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.discover('points', 'v', 1, '{}'::int[])$$);
RESET ROLE;
DROP TABLE secrets, users, items, gold, gold_exact, points, questions, similarities, truth;
DROP TYPE user_key;
DROP ROLE discover_reader;
