-- Golden values of recommend, discover and context, to 1e-5: by operator <*> over each type, by the functions, without and with each index.
SET extra_float_digits = 0;
SET jit = off;

CREATE TABLE expected_score (query text, metric text, id text, score float8);
INSERT INTO expected_score VALUES
    ('average', 'cosine', 'c', .412168), ('average', 'cosine', 'e', -.976187), ('average', 'dot', 'c', .76), ('average', 'dot', 'e', -1.8),
    ('average', 'l2', 'c', -2.88), ('average', 'l2', 'e', -8),
    ('best', 'cosine', 'c', .744898), ('best', 'cosine', 'e', -.5), ('best', 'dot', 'c', .744898), ('best', 'dot', 'e', -.5),
    ('best', 'l2', 'c', .462963), ('best', 'l2', 'e', -.166667),
    ('worst', 'cosine', 'a', -.5), ('worst', 'cosine', 'b', -.6875), ('worst', 'cosine', 'c', -.722222), ('worst', 'cosine', 'e', -.5),
    ('worst', 'dot', 'a', -.5), ('worst', 'dot', 'b', -.6875), ('worst', 'dot', 'c', -.722222), ('worst', 'dot', 'e', -.5),
    ('worst', 'l2', 'a', -.166667), ('worst', 'l2', 'b', -.277778), ('worst', 'l2', 'c', -.357143), ('worst', 'l2', 'e', -.166667),
    ('sum', 'cosine', 'c', .76), ('sum', 'cosine', 'e', -1.8), ('sum', 'dot', 'c', .76), ('sum', 'dot', 'e', -1.8),
    ('sum', 'l2', 'c', -.48), ('sum', 'l2', 'e', -5.6),
    ('discover', 'cosine', 'c', -.255102), ('discover', 'cosine', 'e', -.722222), ('discover', 'dot', 'c', -.255102), ('discover', 'dot', 'e', -.722222),
    ('discover', 'l2', 'c', -.537037), ('discover', 'l2', 'e', -.891304),
    ('context', 'cosine', 'b', 0), ('context', 'cosine', 'c', -.166667), ('context', 'cosine', 'e', -.5),
    ('context', 'dot', 'b', 0), ('context', 'dot', 'c', -.166667), ('context', 'dot', 'e', -.5),
    ('context', 'l2', 'b', 0), ('context', 'l2', 'c', -.285714), ('context', 'l2', 'e', -.666667);

-- the rows, and the same times five (whole numbers) in the types whose elements are not float32
CREATE TABLE golden (id text PRIMARY KEY, v vector(2), h halfvec(2), s sparsevec(2), b int8vec(2));
INSERT INTO golden SELECT id, v::vector, (v::vector * '[5,5]')::halfvec, (v::vector * '[5,5]')::sparsevec, (v::vector * '[5,5]')::real[]::int[]::vector::int8vec
FROM (VALUES ('a', '[1,0]'), ('b', '[.8,.6]'), ('c', '[.6,.8]'), ('d', '[0,1]'), ('e', '[-1,0]')) r(id, v);
TABLE golden;

-- builders by type: prefix of their names, column
CREATE FUNCTION golden_query(prefix text, col text, query text, metric text) RETURNS vecdb.query LANGUAGE plpgsql AS $$
DECLARE
    result vecdb.query;
    list text := 'ARRAY(SELECT ' || col || ' FROM golden WHERE id = ANY (%L) ORDER BY id)';
    ab text := format(list, '{a,b}'); a text := format(list, '{a}'); d text := format(list, '{d}'); none text := format(list, '{}');
    target text := '(SELECT ' || col || ' FROM golden WHERE id = ''b'')';
BEGIN
    EXECUTE 'SELECT vecdb.' || prefix || CASE query
        WHEN 'average' THEN format('recommend_query(%s, %s, %L', ab, d, 'average_vector')
        WHEN 'best' THEN format('recommend_query(%s, %s, %L', ab, d, 'best_score')
        WHEN 'worst' THEN format('recommend_query(%s, %s, %L', none, d, 'best_score')
        WHEN 'sum' THEN format('recommend_query(%s, %s, %L', ab, d, 'sum_scores')
        WHEN 'discover' THEN format('discover_query(%s, %s, %s', target, a, d)
        ELSE format('context_query(%s, %s', a, d) END || format(', metric => %L)', metric) INTO result;
    RETURN result;
END $$;

CREATE TABLE golden_queries AS
SELECT query, metric, golden_query('', 'v', query, metric) AS v, golden_query('halfvec_', 'h', query, metric) AS h, golden_query('sparsevec_', 's', query, metric) AS s,
       golden_query('int8vec_', 'b', query, metric) AS b, golden_query('', 'h::vector', query, metric) AS whole
FROM unnest('{average,best,worst,sum,discover,context}'::text[]) query, unnest('{cosine,dot,l2,l1}'::text[]) metric;

-- rows that differ: none. The whole numbers have the golden scores under cosine alone; under the others, those of their values as vector
SELECT e.*, -(g.v <*> q.v) AS got
FROM expected_score e JOIN golden g USING (id) JOIN golden_queries q USING (query, metric) WHERE abs(e.score + (g.v <*> q.v)) > 1e-5;
SELECT e.*, -(g.h <*> q.h) AS half, -(g.s <*> q.s) AS sparse, -(g.b <*> q.b) AS bytes
FROM expected_score e JOIN golden g USING (id) JOIN golden_queries q USING (query, metric)
WHERE e.metric = 'cosine' AND greatest(abs(e.score + (g.h <*> q.h)), abs(e.score + (g.s <*> q.s)), abs(e.score + (g.b <*> q.b))) > 1e-5;
SELECT q.query, q.metric, g.id, w.score, -(g.h <*> q.h) AS half, -(g.s <*> q.s) AS sparse, -(g.b <*> q.b) AS bytes
FROM golden g CROSS JOIN golden_queries q CROSS JOIN LATERAL (SELECT -(g.h::vector <*> q.whole) AS score) w
WHERE greatest(abs(w.score + (g.h <*> q.h)), abs(w.score + (g.s <*> q.s)), abs(w.score + (g.b <*> q.b))) > 1e-5 * (1 + abs(w.score));
-- the commutator, and the query as text and back
SELECT count(*) FROM golden g, golden_queries q
WHERE (g.v <*> q.v) IS DISTINCT FROM (q.v <*> g.v) OR (g.v <*> q.v) IS DISTINCT FROM (g.v <*> q.v::text::vecdb.query)
    OR (g.s <*> q.s) IS DISTINCT FROM (q.s <*> g.s) OR (g.s <*> q.s) IS DISTINCT FROM (g.s <*> q.s::text::vecdb.query);

-- by the functions: ids of examples are not in the answer, all others are, best first
CREATE FUNCTION golden_rows(query text, metric text) RETURNS TABLE (id text, score float8, distance float8, rank bigint) LANGUAGE plpgsql AS $$
DECLARE params jsonb := jsonb_build_object('metric', metric);
BEGIN
    RETURN QUERY EXECUTE 'SELECT id, score, distance, rank FROM vecdb.' || CASE query
        WHEN 'average' THEN $q$recommend('golden', 'v', ARRAY['a', 'b'], ARRAY['d'], params => $1)$q$
        WHEN 'best' THEN $q$recommend('golden', 'v', ARRAY['a', 'b'], ARRAY['d'], 'best_score', params => $1)$q$
        WHEN 'worst' THEN $q$recommend('golden', 'v', '{}'::text[], ARRAY['d'], 'best_score', params => $1)$q$
        WHEN 'sum' THEN $q$recommend('golden', 'v', ARRAY['a', 'b'], ARRAY['d'], 'sum_scores', params => $1)$q$
        WHEN 'discover' THEN $q$discover('golden', 'v', 'b'::text, ARRAY[['a', 'd']], params => $1)$q$
        ELSE $q$context_search('golden', 'v', ARRAY[['a', 'd']], params => $1)$q$ END USING params;
END $$;
CREATE FUNCTION golden_differences(of_metric text) RETURNS TABLE (query text, metric text, id text, wanted float8, got float8, place bigint, rank bigint) LANGUAGE sql AS $$
    SELECT e.query, e.metric, coalesce(e.id, r.id), e.score, r.score, e.place, r.rank
    FROM (SELECT DISTINCT query, metric FROM expected_score WHERE metric = of_metric) k
    CROSS JOIN LATERAL (SELECT *, rank() OVER (ORDER BY score DESC, id) AS place FROM expected_score s WHERE (s.query, s.metric) = (k.query, k.metric)) e
    FULL JOIN (SELECT k2.query, k2.metric, r2.* FROM (SELECT DISTINCT query, metric FROM expected_score WHERE metric = of_metric) k2 CROSS JOIN LATERAL golden_rows(k2.query, k2.metric) r2) r
        ON (r.query, r.metric, r.id) = (e.query, e.metric, e.id)
    WHERE r.score IS NULL OR e.score IS NULL OR abs(e.score - r.score) > 1e-5 OR e.place <> r.rank $$;
SELECT d.* FROM unnest('{cosine,dot,l2}'::text[]) m, golden_differences(m) d;

-- with each index of each metric, by the operator and by the functions
CREATE FUNCTION golden_index(method text, metric text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan text; line text; wrong bigint;
BEGIN
    EXECUTE format('CREATE INDEX golden_v ON golden USING %I (v %I)', method, 'vector_' || CASE metric WHEN 'dot' THEN 'ip' ELSE metric END || '_ops');
    plan := '';
    FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT id FROM golden ORDER BY v <*> %L::vecdb.query', golden_query('', 'v', 'best', metric)) LOOP
        plan := plan || line;
    END LOOP;
    EXECUTE format($q$SELECT count(*) FROM (SELECT DISTINCT query FROM expected_score) k CROSS JOIN LATERAL (
            SELECT array_agg(id ORDER BY g.v <*> q.v, id) AS wanted FROM golden g, golden_queries q WHERE (q.query, q.metric) = (k.query, %1$L)) w
        CROSS JOIN LATERAL golden_order(k.query, %1$L) g WHERE g <> w.wanted$q$, metric) INTO wrong;
    SELECT wrong + count(*) INTO wrong FROM golden_differences(metric);
    DROP INDEX golden_v;
    RETURN format('%s, %s: %s wrong%s', method, metric, wrong, CASE WHEN plan !~ 'golden_v' THEN ', index not used: ' || plan END);
END $$;
-- the query is a constant here, as an index wants it; equal scores are put in order of the key
CREATE FUNCTION golden_order(query text, metric text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE result text[];
BEGIN
    EXECUTE format('SELECT array_agg(id ORDER BY d, id) FROM (SELECT id, v <*> %1$L::vecdb.query AS d FROM golden ORDER BY v <*> %1$L::vecdb.query LIMIT 5) s',
        golden_query('', 'v', query, metric)) INTO result;
    RETURN result;
END $$;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT golden_index(method, metric) FROM unnest('{hnsw,ivf}'::text[]) method, unnest('{cosine,dot,l2}'::text[]) metric;

RESET enable_seqscan;
RESET enable_sort;

-- builders of each type, and what they refuse
SELECT vecdb.recommend_query(ARRAY['[1,2]', '[3,4]']::vector[], metric => 'l2') AS vector,
       vecdb.halfvec_recommend_query(ARRAY['[1,2]']::halfvec[], ARRAY['[0,.5]']::halfvec[], metric => 'l2') AS halfvec;
SELECT vecdb.int8vec_recommend_query(ARRAY['[1,2]']::int8vec[], strategy => 'sum_scores', metric => 'l1') AS int8vec,
       vecdb.sparsevec_recommend_query('{}', ARRAY['{1:2}/9']::sparsevec[], 'best_score', 'dot') AS sparsevec;
SELECT vecdb.discover_query('[1,2]', ARRAY['[3,4]']::vector[], ARRAY['[5,6]']::vector[], 'l2') AS vector, vecdb.halfvec_discover_query('[1,2]', '{}', '{}', 'l1') AS halfvec;
SELECT vecdb.int8vec_discover_query('[1,2]', '{}', '{}', 'dot') AS int8vec, vecdb.sparsevec_discover_query('{1:2}/9', '{}', '{}', 'IP') AS sparsevec;
SELECT vecdb.context_query(ARRAY['[3,4]']::vector[], ARRAY['[5,6]']::vector[], 'l2') AS vector, vecdb.halfvec_context_query(ARRAY['[3,4]']::halfvec[], ARRAY['[5,6]']::halfvec[], 'euclid') AS halfvec;
SELECT vecdb.int8vec_context_query(ARRAY['[3,4]']::int8vec[], ARRAY['[5,6]']::int8vec[], 'manhattan') AS int8vec,
       vecdb.sparsevec_context_query(ARRAY['{1:2}/9']::sparsevec[], ARRAY['{2:1}/9']::sparsevec[]) AS sparsevec;
CREATE FUNCTION golden_error(expression text, OUT state text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT ' || expression;
    state := 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END $$;
SELECT expression, e.* FROM unnest(ARRAY[
    $$vecdb.recommend_query('{}')$$, $$vecdb.recommend_query('{}', '{"[1,2]"}')$$, $$vecdb.recommend_query('{}', '{}', 'best_score')$$,
    $$vecdb.recommend_query('{"[1,2]"}', '{}', 'median')$$, $$vecdb.recommend_query('{"[1,2]"}', '{}', metric => 'angle')$$,
    $$vecdb.recommend_query(NULL)$$, $$vecdb.recommend_query('{NULL}')$$, $$vecdb.recommend_query('{"[1,2]"}', NULL)$$,
    $$vecdb.recommend_query('{"[1,2]"}', strategy => NULL)$$, $$vecdb.recommend_query('{"[1,2]"}', metric => NULL)$$,
    $$vecdb.recommend_query('{"[1,2]", "[1,2,3]"}')$$, $$vecdb.recommend_query('{"[1,2]"}', '{"[1,2,3]"}', 'best_score')$$,
    $$vecdb.recommend_query('{"[0,0]"}')$$, $$vecdb.recommend_query('{"[1,0]", "[-1,0]"}')$$, $$vecdb.recommend_query('{"[0,0]"}', metric => 'l2')$$,
    $$vecdb.recommend_query('{"[1,2]"}') <*> '[1,2,3]'::vector$$, $$vecdb.recommend_query('{"[1,2]"}') <*> '[1,2]'::halfvec$$,
    $$vecdb.discover_query(NULL, '{}', '{}')$$, $$vecdb.discover_query('[1,2]', '{"[1,2]"}', '{}')$$, $$vecdb.discover_query('[1,2]', '{"[1,2,3]"}', '{"[1,2]"}')$$,
    $$vecdb.context_query('{}', '{}')$$, $$vecdb.context_query('{"[1,2]"}', '{"[1,2]", "[3,4]"}')$$,
    $$'{}'::vecdb.query$$, $$'x'::vecdb.query$$, $$'{"kind": "best_score", "metric": "l2", "positive": [], "negative": []}'::vecdb.query$$]) expression,
    golden_error(expression) e;
DROP FUNCTION golden_error;
DROP TABLE golden, golden_queries, expected_score CASCADE;
DROP FUNCTION golden_query, golden_rows, golden_differences, golden_index, golden_order;
