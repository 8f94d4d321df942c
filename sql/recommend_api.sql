-- vecdb.recommend and vecdb.recommend_vectors: golden values, agreement with an oracle in plain SQL, errors, privileges.
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

-- 1. Golden values of Qdrant's formulas: rows a .. e, P = {a, b}, N = {d}.
CREATE TABLE gold (name text PRIMARY KEY, v vector(2));
INSERT INTO gold VALUES ('a', '[1,0]'), ('b', '[.8,.6]'), ('c', '[.6,.8]'), ('d', '[0,1]'), ('e', '[-1,0]');

CREATE FUNCTION pg_temp.gold() RETURNS TABLE(metric text, strategy text, answer text) LANGUAGE sql AS $$
	SELECT m, s, (SELECT string_agg(id || ' ' || round(score::numeric, 6), ', ' ORDER BY rank)
	              FROM vecdb.recommend('gold', 'v', '{a,b}'::text[], '{d}', s, params => jsonb_build_object('metric', m)))
	FROM unnest('{cosine,dot,l2}'::text[]) m, unnest('{average_vector,best_score,sum_scores}'::text[]) s
	UNION ALL
	SELECT m, 'best_score, negative only', (SELECT string_agg(id || ' ' || round(score::numeric, 6), ', ' ORDER BY rank)
	              FROM vecdb.recommend('gold', 'v', '{}', '{d}'::text[], 'best_score', params => jsonb_build_object('metric', m)))
	FROM unnest('{cosine,dot,l2}'::text[]) m
$$;
SELECT * FROM pg_temp.gold() ORDER BY strategy, metric;
CREATE TABLE gold_exact AS SELECT * FROM pg_temp.gold();
-- With an index of the metric the same.
CREATE INDEX gold_index ON gold USING hnsw (v vector_cosine_ops);
SET enable_seqscan = off;
SELECT * FROM pg_temp.gold() EXCEPT SELECT * FROM gold_exact;
DROP INDEX gold_index;
CREATE INDEX gold_index ON gold USING hnsw (v vector_ip_ops);
SELECT * FROM pg_temp.gold() EXCEPT SELECT * FROM gold_exact;
DROP INDEX gold_index;
CREATE INDEX gold_index ON gold USING ivf (v vector_l2_ops) WITH (lists = 2);
SET ivfflat.probes = 2;
SELECT * FROM pg_temp.gold() EXCEPT SELECT * FROM gold_exact;
RESET enable_seqscan;
RESET ivfflat.probes;
DROP INDEX gold_index;
-- distance: the operator's with average_vector, minus the score otherwise. An id twice counts twice.
SELECT id, round(distance::numeric, 6) AS distance, round(score::numeric, 6) AS score, rank
	FROM vecdb.recommend('gold', 'v', '{a,b}'::text[], '{d}', params => '{"metric": "l2"}');
SELECT id, round(distance::numeric, 6) AS distance, round(score::numeric, 6) AS score, rank
	FROM vecdb.recommend('gold', 'v', '{a,a,b}'::text[], '{d,d}', 'sum_scores', params => '{"metric": "dot"}');
-- Vectors exclude nothing.
SELECT id, round(score::numeric, 6) AS score, rank
	FROM vecdb.recommend_vectors('gold', 'v', NULL::text, '{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'best_score');

-- 2. The oracle: the formulas over float8 arrays.
CREATE TABLE points (id bigint PRIMARY KEY, v vector(3), h halfvec(3), i int8vec(3), s sparsevec(3), color text, payload jsonb);
INSERT INTO points
	SELECT n, v::vector, v::vector::halfvec, v::vector::int8vec, v::vector::sparsevec, (ARRAY['red', 'green', 'blue'])[n % 3 + 1],
	       jsonb_build_object('n', n)
	FROM (SELECT n, CASE WHEN n % 50 = 0 THEN NULL
	                     -- Of 5 * 5 * 5 vectors many are there twice, and the zero vector is.
	                     ELSE format('[%s,%s,%s]', (n * 7919 + 13) % 5 - 2, (n * 104729 + 7) / 11 % 5 - 2, (n * 1299709) / 17 % 5 - 2) END AS v
	      FROM generate_series(1, 400) n) x;
SELECT count(*), count(DISTINCT v), count(*) FILTER (WHERE v = '[0,0,0]'), count(*) FILTER (WHERE v IS NULL) AS nulls FROM points;

CREATE FUNCTION pg_temp.floats(x vector) RETURNS float8[] LANGUAGE sql IMMUTABLE STRICT AS 'SELECT x::real[]::float8[]';

-- The similarity that Qdrant's formulas are about; NULL where there is none.
CREATE FUNCTION pg_temp.similarity(metric text, a float8[], b float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT CASE metric
		WHEN 'cosine' THEN sum(x * y) / nullif(sqrt(sum(x * x)) * sqrt(sum(y * y)), 0)
		WHEN 'ip' THEN sum(x * y)
		WHEN 'l2' THEN -sum((x - y) * (x - y))
		WHEN 'l1' THEN -sum(abs(x - y)) END
	FROM unnest(a, b) u(x, y)
$$;
CREATE FUNCTION pg_temp.sg(x float8) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS 'SELECT 0.5 * (x / (1 + abs(x)) + 1)';

-- Under cosine examples are brought to length 1 before they are averaged.
CREATE FUNCTION pg_temp.average(metric text, examples float8[][]) RETURNS float8[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(a ORDER BY d)
	FROM (SELECT d, avg(examples[e][d] / CASE metric WHEN 'cosine' THEN
	                    (SELECT sqrt(sum(examples[e][c] * examples[e][c])) FROM generate_series(1, array_length(examples, 2)) c)
	                    ELSE 1 END) AS a
	      FROM generate_series(1, array_length(examples, 1)) e, generate_series(1, array_length(examples, 2)) d GROUP BY d) x
$$;
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

-- Every combination against every column: metric, strategy, examples, skip and limit.
CREATE TABLE questions (q int, positive bigint[], negative bigint[], k int, skip int, filter jsonb, red bool);
INSERT INTO questions VALUES
	(1, '{1}', '{}', 10, 0, NULL, false), (2, '{1,2,3}', '{4}', 25, 0, NULL, false), (3, '{7,7,11}', '{13,17,19}', 7, 3, NULL, false),
	(4, '{22}', '{23,23}', 500, 0, NULL, false), (5, '{}', '{5,6}', 10, 0, NULL, false), (6, '{8,9}', '{}', 9, 390, NULL, false),
	(7, '{31,32}', '{33}', 12, 2, '{"must": [{"key": "color", "match": {"value": "red"}}]}', true);

-- What the rows score, worked out once: of all columns it is the same.
CREATE TABLE similarities AS
	WITH vectors AS (SELECT id, pg_temp.floats(v) AS f FROM points WHERE v IS NOT NULL),
	     sums AS (SELECT e.id AS example, x.id, sum(a * b) AS ab, sum(a * a) AS aa, sum(b * b) AS bb, sum((a - b) * (a - b)) AS l2, sum(abs(a - b)) AS l1
	              FROM vectors e, vectors x, unnest(e.f, x.f) u(a, b) WHERE e.id IN (SELECT unnest(positive || negative) FROM questions) GROUP BY 1, 2)
	SELECT m AS metric, example, id, CASE m WHEN 'cosine' THEN ab / nullif(sqrt(aa) * sqrt(bb), 0) WHEN 'ip' THEN ab WHEN 'l2' THEN -l2 ELSE -l1 END AS s
	FROM sums, unnest('{cosine,ip,l2,l1}'::text[]) m;
CREATE INDEX ON similarities (metric, example);
ANALYZE similarities;
CREATE TABLE leads AS
	SELECT m AS metric, q, CASE WHEN n IS NULL THEN pg_temp.average(m, p)
		ELSE (SELECT array_agg(2 * a - c ORDER BY o) FROM unnest(pg_temp.average(m, p), pg_temp.average(m, n)) WITH ORDINALITY u(a, c, o)) END AS v
	FROM unnest('{cosine,ip,l2,l1}'::text[]) m, questions,
	     LATERAL (SELECT array_agg(pg_temp.floats(x.v)) AS p FROM unnest(positive) e JOIN points x ON x.id = e) pp,
	     LATERAL (SELECT array_agg(pg_temp.floats(x.v)) AS n FROM unnest(negative) e JOIN points x ON x.id = e) nn
	WHERE positive <> '{}';
CREATE TABLE truth AS
	WITH sides AS (SELECT metric, q, x.id, max(x.s) FILTER (WHERE side = 1) AS best, max(x.s) FILTER (WHERE side = 2) AS worst,
	                      coalesce(sum(x.s) FILTER (WHERE side = 1), 0) - coalesce(sum(x.s) FILTER (WHERE side = 2), 0) AS total
	               FROM questions, LATERAL (SELECT unnest(positive), 1 UNION ALL SELECT unnest(negative), 2) e(example, side)
	                    JOIN similarities x USING (example)
	               GROUP BY 1, 2, 3 HAVING count(*) = count(x.s)),
	     scores AS (SELECT metric, q, id, 'sum_scores' AS strategy, total AS score FROM sides
	                UNION ALL SELECT metric, q, id, 'best_score',
	                                 CASE WHEN coalesce(best, '-infinity') > coalesce(worst, '-infinity') THEN pg_temp.sg(best) ELSE -pg_temp.sg(worst) END
	                FROM sides
	                UNION ALL SELECT metric, q, id, 'average_vector', pg_temp.similarity(metric, l.v, pg_temp.floats(x.v)) FROM leads l, points x
	                WHERE x.v IS NOT NULL)
	SELECT metric, strategy, q, array_agg(id) AS ids, array_agg(score) AS scores
	FROM scores JOIN questions USING (q) JOIN points USING (id)
	WHERE id <> ALL (positive || negative) AND (NOT red OR color = 'red') GROUP BY 1, 2, 3;
SELECT metric, strategy, count(*), sum(cardinality(ids)) FROM truth GROUP BY 1, 2 ORDER BY 1, 2;

CREATE FUNCTION pg_temp.compare(col name, metrics text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('%s %s %s %s: %s', col, metric, strategy, q, f)
	FROM truth JOIN questions USING (q),
	     LATERAL (SELECT coalesce(array_agg(r::pg_temp.scored), '{}') AS answer
	              FROM vecdb.recommend('points', col, positive, negative, strategy, k, skip, filter, params => jsonb_build_object('metric', metric)) r) a,
	     LATERAL pg_temp.faults(answer, ids, scores, k, skip) f
	WHERE metric = ANY (metrics)
$$;
-- No row: no fault. (A test of the test first: an answer that is wrong is seen.)
SELECT * FROM pg_temp.faults(ARRAY[(3, 0, 1, 1), (2, 0, 2, 2), (9, 0, 1, 3)]::pg_temp.scored[], '{1,2,3}', '{3,2,1}', 3, 0);
SELECT * FROM pg_temp.compare('v', '{cosine,ip,l2,l1}');
SELECT * FROM pg_temp.compare('h', '{cosine,ip,l2,l1}');
SELECT * FROM pg_temp.compare('i', '{cosine,ip,l2,l1}');
SELECT * FROM pg_temp.compare('s', '{cosine,ip,l2,l1}');

-- The same with indexes that see all these rows.
SET hnsw.ef_search = 400;
SET enable_seqscan = off;
CREATE INDEX points_v ON points USING hnsw (v vector_cosine_ops);
CREATE INDEX points_h ON points USING hnsw (h halfvec_l2_ops);
CREATE INDEX points_i ON points USING hnsw (i int8vec_ip_ops);
CREATE INDEX points_s ON points USING hnsw (s sparsevec_l1_ops);
SELECT * FROM pg_temp.compare('v', '{cosine,ip}');
SELECT * FROM pg_temp.compare('h', '{l2,cosine}');
SELECT * FROM pg_temp.compare('i', '{ip,l2}');
SELECT * FROM pg_temp.compare('s', '{l1,ip}');
DROP INDEX points_v, points_h, points_i, points_s;
CREATE INDEX points_v ON points USING ivf (v vector_l2_ops) WITH (lists = 4);
CREATE INDEX points_h ON points USING ivf (h halfvec_cosine_ops) WITH (lists = 4);
SET ivfflat.probes = 4;
SELECT * FROM pg_temp.compare('v', '{l2,l1}');
SELECT * FROM pg_temp.compare('h', '{cosine,ip}');
DROP INDEX points_v, points_h;
RESET ALL;
SET client_min_messages = warning;
SET jit = off;
SET statement_timeout = 30000;

-- 3. Arguments. By name in any order; NULL is the default of what has one.
SELECT id, rank FROM vecdb.recommend(vec => 'v', rel => 'points', negative => '{4}', positive => ARRAY[1::bigint, 2], k => 3, strategy => NULL);
SELECT id, rank FROM vecdb.recommend('points', 'v', ARRAY[1, 2], '{}', k => 2, skip => NULL, filter => NULL, params => NULL);
-- The threshold is inclusive, on the score, whatever the metric (-0.25 is -sg(-1)).
SELECT count(*), min(score) FROM vecdb.recommend('points', 'v', '{}', '{1}'::bigint[], 'best_score', 400, score_threshold => -0.25, params => '{"metric":"l2"}');
SELECT count(*) FILTER (WHERE score = -3), min(score) FROM vecdb.recommend('points', 'v', '{1}'::bigint[], '{}', 'sum_scores', 400, score_threshold => -3, params => '{"metric":"l1"}');
SELECT count(*) FROM vecdb.recommend('points', 'v', '{1}'::bigint[], '{}', k => 400, score_threshold => 'NaN');
-- Vectors agree with ids, but for the exclusion.
SELECT count(*) FROM vecdb.recommend('points', 'v', ARRAY[1, 2], ARRAY[3], 'best_score', 400) a
	JOIN vecdb.recommend_vectors('points', 'v', NULL::bigint, ARRAY(SELECT v FROM points WHERE id IN (1, 2)), ARRAY(SELECT v FROM points WHERE id = 3),
	                             'best_score', 400) b USING (id, score);
SELECT count(*) FILTER (WHERE a.score = b.score) FROM vecdb.recommend_vectors('points', 's', NULL::int, '{"[1,2,0]"}', k => 5) a
	JOIN vecdb.recommend_vectors('points', 'v', NULL::int, '{"[1,2,0]"}', k => 5) b USING (id);
-- One positive example is a search for it.
SELECT count(*) FROM vecdb.recommend('points', 'v', '{22}'::int[], '{}', k => 20) r JOIN vecdb.search('points', 'v', 1, (SELECT v FROM points WHERE id = 22), 40) s
	ON r.id = s.id AND abs(r.distance - s.distance) < 1e-6;

-- Keys: composite, uuid, text, another integer type; whole rows.
CREATE TABLE keyed (tenant int, n int, u uuid UNIQUE NOT NULL, v vector(2), PRIMARY KEY (tenant, n));
INSERT INTO keyed SELECT n % 2, n, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, format('[%s,1]', n)::vector FROM generate_series(1, 6) n;
CREATE TYPE keyed_key AS (tenant int, n int);
SELECT id, round(score::numeric, 4) AS score, rank FROM vecdb.recommend('keyed', 'v', ARRAY[(1, 1)::keyed_key], ARRAY[(0, 6)::keyed_key], k => 3);
SELECT id, rank FROM vecdb.recommend('keyed', 'v', '{00000000-0000-0000-0000-000000000002}'::uuid[], '{}', k => 2, params => '{"key_column": "u"}');
SELECT (id).n, (id).v, rank FROM vecdb.recommend('keyed', 'v', (SELECT array_agg(k) FROM keyed k WHERE n = 2), '{}', k => 2);
SELECT pg_typeof(id) FROM vecdb.recommend('points', 'v', '{1}'::smallint[], '{}', k => 1);

-- lookup_rel: examples from another table, of another column; what is found there is not excluded here.
CREATE TABLE users (id int PRIMARY KEY, taste vector(3), v vector(3), h halfvec(3), words sparsevec(3));
INSERT INTO users VALUES (1, '[1,1,0]', '[0,0,1]', '[1,1,0]', '{1:1}/3'), (2, '[0,1,1]', '[1,0,1]', '[0,1,1]', NULL);
SELECT id, round(score::numeric, 5) AS score FROM vecdb.recommend('points', 'v', '{1}'::bigint[], '{2}', k => 3, lookup_rel => 'users', lookup_vec => 'taste');
SELECT count(*) AS as_vectors FROM vecdb.recommend('points', 'v', '{1}'::bigint[], '{2}', k => 400, lookup_rel => 'users', lookup_vec => 'taste')
	JOIN vecdb.recommend_vectors('points', 'v', 1::bigint, '{"[1,1,0]"}', '{"[0,1,1]"}', k => 400) USING (id, distance, rank);
-- Without lookup_vec the column of that name; dense types go together.
SELECT count(*) FROM vecdb.recommend('points', 'v', '{1}'::bigint[], '{2}', k => 400, lookup_rel => 'users');
SELECT count(*) FROM vecdb.recommend('points', 'v', '{1}'::bigint[], '{2}', k => 400, lookup_rel => 'users', lookup_vec => 'h') a
	JOIN vecdb.recommend('points', 'v', '{1}'::bigint[], '{2}', k => 400, lookup_rel => 'users', lookup_vec => 'taste') b USING (id, rank);
-- The same table is no other one: excluded.
SELECT count(*) FILTER (WHERE id = 1) FROM vecdb.recommend('points', 'v', '{1}'::bigint[], '{}', k => 400, lookup_rel => 'points', lookup_vec => 'h');

-- Partitioned tables, and one without rows.
CREATE TABLE parts (id int PRIMARY KEY, v vector(3)) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (200);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (200) TO (1000);
INSERT INTO parts SELECT id, v FROM points;
SELECT count(*) FROM vecdb.recommend('parts', 'v', '{1,301}'::int[], '{7}', 'best_score', 400) a
	JOIN vecdb.recommend('points', 'v', '{1,301}'::int[], '{7}', 'best_score', 400) b USING (id, score, rank);
CREATE TABLE empty (id int PRIMARY KEY, v vector(3), s sparsevec(3));
SELECT * FROM vecdb.recommend_vectors('empty', 'v', NULL::int, '{"[1,2,3]"}');
SELECT * FROM vecdb.recommend_vectors('empty', 's', NULL::int, '{"[1,2,3]"}', strategy => 'best_score');

-- Prepared, with other examples each time.
PREPARE more_like(bigint[], bigint[]) AS SELECT array_agg(id ORDER BY rank) FROM vecdb.recommend('points', 'v', $1, $2, k => 3, params => '{"metric": "l2"}');
EXECUTE more_like('{1}', '{}');
EXECUTE more_like('{2,3}', '{1}');
EXECUTE more_like('{1}', '{}');

-- 4. Errors.
SELECT pg_temp.error_of(format('SELECT * FROM vecdb.recommend(%s)', a)) FROM unnest(ARRAY[
	$$'points', 'v', '{}', '{}'$$,
	$$'points', 'v', '{}'::bigint[], '{}'$$,
	$$'points', 'v', '{}'::bigint[], '{1}'$$,
	$$'points', 'v', '{1,999}'::bigint[], '{}'$$,
	$$'points', 'v', '{1}'::bigint[], '{50}'$$,
	$$'points', 'v', '{"it''s"}', '{}'$$,
	$$'points', 'v', '{1}', '{}'$$,
	$$'points', 'v', '{1}'::bigint[], NULL$$,
	$$'points', 'v', ARRAY[1, NULL], '{}'$$,
	$$NULL, 'v', ARRAY[1], '{}'$$,
	$$'points', NULL, ARRAY[1], '{}'$$,
	$$'nowhere', 'v', ARRAY[1], '{}'$$,
	$$'points', 'nothing', ARRAY[1], '{}'$$,
	$$'points', 'color', ARRAY[1], '{}'$$,
	$$'points', 'v', ARRAY[1], '{}', 'worst_score'$$,
	$$'points', 'v', ARRAY[1], '{}', k => 0$$,
	$$'points', 'v', ARRAY[1], '{}', skip => -1$$,
	$$'points', 'v', ARRAY[1], '{}', params => '{"metrik": "l2"}'$$,
	$$'points', 'v', ARRAY[1], '{}', lookup_rel => 'users', lookup_vec => 'words'$$,
	$$'points', 's', ARRAY[2], '{}', lookup_rel => 'users', lookup_vec => 'words'$$,
	$$'points', 'v', ARRAY[1], '{}', lookup_rel => 'keyed'$$,
	$$'keyed', 'v', ARRAY[1], '{}'$$,
	$$'keyed', 'v', ARRAY[ROW(1, 1)], '{}'$$,
	$$'gold', 'v', ARRAY[1], '{}'$$,
	$$'gold', 'v', '{"x'' OR true --"}', '{}'$$,
	$$'gold', 'v', '{zz}', '{a}', 'sum_scores'$$]) a;
-- 2 * avg(P) = avg(N) has no direction; nor has a zero vector. With other metrics all is well.
INSERT INTO gold VALUES ('z', '[0,0]');
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend_vectors('gold', 'v', 'a'::text, '{"[1,0]","[0,1]","[-1,0]","[0,-1]"}')$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend('gold', 'v', '{z}'::text[], '{a}', 'best_score')$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend_vectors('gold', 'v', 'a'::text, '{"[1,0]",NULL}')$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend_vectors('gold', 'v', 'a'::text, '{"[1,0,0]"}')$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend_vectors('gold', 'v', 'a'::text, '{"[1,0]","[1,0,0]"}', strategy => 'best_score')$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend_vectors('gold', 'v', 'a'::text, '{}')$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend_vectors('gold', 'v', 'a'::text, NULL)$$);
SELECT id, score FROM vecdb.recommend('gold', 'v', '{z}'::text[], '{}', k => 2, params => '{"metric": "l2"}');

-- 5. Privileges: what is hidden is missing, in the same words.
CREATE ROLE recommend_reader;
CREATE ROLE recommend_stranger;
CREATE TABLE secrets (id int PRIMARY KEY, owner text, v vector(2));
INSERT INTO secrets VALUES (1, 'recommend_reader', '[1,0]'), (2, 'recommend_reader', '[1,1]'), (3, 'other', '[1,.1]'), (4, 'recommend_reader', NULL);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets USING (owner = current_user);
GRANT SELECT ON secrets TO recommend_reader;
SELECT array_agg(id ORDER BY rank) FROM vecdb.recommend('secrets', 'v', ARRAY[1], '{}');
SET ROLE recommend_reader;
SELECT array_agg(id ORDER BY rank) FROM vecdb.recommend('secrets', 'v', ARRAY[1], '{}');
SELECT array_agg(id ORDER BY rank) FROM vecdb.recommend('secrets', 'v', ARRAY[1], '{}', 'best_score');
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend('secrets', 'v', ARRAY[3], '{}')$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend('secrets', 'v', ARRAY[4], '{}')$$);
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend('secrets', 'v', ARRAY[5], '{}')$$);
-- SELECT is needed on the table of the examples too.
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend('secrets', 'v', ARRAY[1], '{}', lookup_rel => 'users')$$);
SET ROLE recommend_stranger;
SELECT pg_temp.error_of($$SELECT * FROM vecdb.recommend('secrets', 'v', ARRAY[1], '{}')$$);
RESET ROLE;
DROP TABLE secrets, users, gold, gold_exact, points, questions, similarities, leads, truth, keyed, parts, empty;
DROP TYPE keyed_key;
DROP ROLE recommend_reader, recommend_stranger;
