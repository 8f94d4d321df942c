-- Type vecdb.query: golden values, an oracle in plain SQL for all types and metrics, text and binary form, errors.
SET extra_float_digits = 0;
-- errors: SQLSTATE, message, detail and hint
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
 EXECUTE statement;
 RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
 GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
 RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

-- golden values of docs/query-operator.md
CREATE TABLE golden_rows (id text PRIMARY KEY, v vector(2));
INSERT INTO golden_rows VALUES ('a', '[1,0]'), ('b', '[.8,.6]'), ('c', '[.6,.8]'), ('d', '[0,1]'), ('e', '[-1,0]');
CREATE TABLE golden (what text, id text, cosine float8, dot float8, l2 float8);
INSERT INTO golden VALUES
 ('average', 'c', .412168, .76, -2.88), ('average', 'e', -.976187, -1.8, -8),
 ('best_score', 'c', .744898, .744898, .462963), ('best_score', 'e', -.5, -.5, -.166667),
 ('negative only', 'a', -.5, -.5, -.166667), ('negative only', 'b', -.6875, -.6875, -.277778),
 ('negative only', 'c', -.722222, -.722222, -.357143), ('negative only', 'e', -.5, -.5, -.166667),
 ('sum_scores', 'c', .76, .76, -.48), ('sum_scores', 'e', -1.8, -1.8, -5.6),
 ('discover', 'c', -.255102, -.255102, -.537037), ('discover', 'e', -.722222, -.722222, -.891304),
 ('context', 'b', 0, 0, 0), ('context', 'c', -.166667, -.166667, -.285714), ('context', 'e', -.5, -.5, -.666667);
CREATE FUNCTION golden_query(what text, metric text) RETURNS vecdb.query LANGUAGE sql IMMUTABLE AS $$
SELECT CASE what
 WHEN 'average' THEN vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', metric => metric)
 WHEN 'negative only' THEN vecdb.recommend_query('{}', '{"[0,1]"}', 'best_score', metric)
 WHEN 'discover' THEN vecdb.discover_query('[.8,.6]', '{"[1,0]"}', '{"[0,1]"}', metric)
 WHEN 'context' THEN vecdb.context_query('{"[1,0]"}', '{"[0,1]"}', metric)
 ELSE vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', what, metric) END $$;
SELECT what, id, bool_and(abs(CASE metric WHEN 'cosine' THEN cosine WHEN 'dot' THEN dot ELSE l2 END + (v <*> golden_query(what, metric))) < 1e-5) AS good, count(*)
FROM golden JOIN golden_rows USING (id), unnest('{cosine,dot,l2}'::text[]) metric GROUP BY 1, 2 ORDER BY 1, 2;
SELECT id, round(-(v <*> golden_query('discover', 'l1'))::numeric, 6) AS discover, round(-(v <*> golden_query('best_score', 'l1'))::numeric, 6) AS best FROM golden_rows ORDER BY 1;

-- the same by an oracle, for every type, kind and metric, on random values, some of them equal
SELECT setseed(.25);
CREATE TABLE dense_rows AS
 SELECT i AS id, (SELECT array_agg(round((random() * 6 - 3)::numeric)) FROM generate_series(1, 5) j WHERE i = i)::real[] AS x FROM generate_series(1, 40) i;
CREATE FUNCTION similarity(a real[], b real[], metric text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
SELECT CASE metric WHEN 'cosine' THEN sum(x * y) / nullif(sqrt(sum(x * x)) * sqrt(sum(y * y)), 0) WHEN 'dot' THEN sum(x * y) WHEN 'l2' THEN -sum((x - y) ^ 2) ELSE -sum(abs(x - y)) END
FROM (SELECT x::float8, y::float8 FROM unnest(a, b) u(x, y)) u $$;
CREATE FUNCTION sg(x float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (x / (1 + abs(x)) + 1) / 2 $$;
CREATE TABLE examples AS
 SELECT c AS n, kind, metric,
  (SELECT array_agg(x::text ORDER BY id) FROM (SELECT * FROM dense_rows WHERE x <> '{0,0,0,0,0}' ORDER BY md5(id || 'p' || c) LIMIT 1 + c % 4) p)::text[] AS pos,
  (SELECT array_agg(x::text ORDER BY id) FROM (SELECT * FROM dense_rows WHERE x <> '{0,0,0,0,0}' ORDER BY md5(id || 'n' || c) LIMIT 1 + c % 4) p)::text[] AS neg
 FROM generate_series(1, 12) c, unnest('{best_score,sum_scores,discover,context}'::text[]) kind, unnest('{cosine,dot,l2,l1}'::text[]) metric;
CREATE FUNCTION oracle(kind text, metric text, pos text[], neg text[], x real[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
WITH p AS (SELECT i, similarity(e::real[], x, metric) s FROM unnest(pos) WITH ORDINALITY u(e, i)), n AS (SELECT i, similarity(e::real[], x, metric) s FROM unnest(neg) WITH ORDINALITY u(e, i))
SELECT CASE kind
 WHEN 'best_score' THEN (SELECT CASE WHEN a > b THEN sg(a) ELSE -sg(b) END FROM (SELECT (SELECT max(s) FROM p) a, (SELECT max(s) FROM n) b) m)
 WHEN 'sum_scores' THEN (SELECT sum(s) FROM p) - (SELECT sum(s) FROM n)
 WHEN 'discover' THEN (SELECT sg(s) FROM p WHERE i = 1) + (SELECT coalesce(sum(CASE WHEN abs(p.s - n.s) < 1e-6 THEN 0 ELSE sign(p.s - n.s) END), 0) FROM p JOIN n USING (i) WHERE i > 1)
 ELSE (SELECT sum(d / (1 + abs(d))) FROM (SELECT least(p.s - n.s - 2 ^ -23, 0) d FROM p JOIN n USING (i)) m) END $$;
CREATE FUNCTION make(kind text, metric text, pos vector[], neg vector[]) RETURNS vecdb.query LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind WHEN 'discover' THEN vecdb.discover_query(pos[1], pos[2:], neg[2:], metric) WHEN 'context' THEN vecdb.context_query(pos, neg, metric)
 ELSE vecdb.recommend_query(pos, neg, kind, metric) END $$;
CREATE FUNCTION make(kind text, metric text, pos halfvec[], neg halfvec[]) RETURNS vecdb.query LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind WHEN 'discover' THEN vecdb.halfvec_discover_query(pos[1], pos[2:], neg[2:], metric) WHEN 'context' THEN vecdb.halfvec_context_query(pos, neg, metric)
 ELSE vecdb.halfvec_recommend_query(pos, neg, kind, metric) END $$;
CREATE FUNCTION make(kind text, metric text, pos int8vec[], neg int8vec[]) RETURNS vecdb.query LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind WHEN 'discover' THEN vecdb.int8vec_discover_query(pos[1], pos[2:], neg[2:], metric) WHEN 'context' THEN vecdb.int8vec_context_query(pos, neg, metric)
 ELSE vecdb.int8vec_recommend_query(pos, neg, kind, metric) END $$;
CREATE FUNCTION make(kind text, metric text, pos sparsevec[], neg sparsevec[]) RETURNS vecdb.query LANGUAGE sql IMMUTABLE AS $$
SELECT CASE kind WHEN 'discover' THEN vecdb.sparsevec_discover_query(pos[1], pos[2:], neg[2:], metric) WHEN 'context' THEN vecdb.sparsevec_context_query(pos, neg, metric)
 ELSE vecdb.sparsevec_recommend_query(pos, neg, kind, metric) END $$;
CREATE TABLE queries AS
 SELECT n, kind, metric, pos, neg, make(kind, metric, p, m) AS vec, make(kind, metric, p::halfvec[], m::halfvec[]) AS half,
  make(kind, metric, p::int8vec[], m::int8vec[]) AS int8, make(kind, metric, p::sparsevec[], m::sparsevec[]) AS sparse
 FROM examples, LATERAL (SELECT (SELECT array_agg(e::real[]::vector ORDER BY i) FROM unnest(pos) WITH ORDINALITY u(e, i)) p, (SELECT array_agg(e::real[]::vector ORDER BY i) FROM unnest(neg) WITH ORDINALITY u(e, i)) m) a;
-- on a boundary (a tie but for rounding) the oracle's sums and ours may fall to different sides: those rows are left out, and counted
CREATE TABLE judged AS
 SELECT kind, metric, q.n, r.id, oracle(kind, metric, pos, neg, x) AS expected, x::vector <*> vec AS v, x::vector::halfvec <*> half AS h, x::vector::int8vec <*> int8 AS i, x::vector::sparsevec <*> sparse AS s, vec <*> x::vector AS c
 FROM queries q, dense_rows r WHERE x <> '{0,0,0,0,0}';
CREATE FUNCTION near(a float8, b float8) RETURNS bool LANGUAGE sql IMMUTABLE AS $$ SELECT abs(a + b) < 1e-5 * (1 + abs(a)) $$;
SELECT kind, metric, count(*) > 300 AS many, count(*) FILTER (WHERE NOT near(expected, v)) <= 6 AS vector, count(*) FILTER (WHERE NOT near(expected, h)) <= 6 AS halfvec,
 count(*) FILTER (WHERE NOT near(expected, i)) <= 6 AS int8vec, count(*) FILTER (WHERE NOT near(expected, s)) <= 6 AS sparsevec, bool_and(v = c) AS commuted
FROM judged GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM judged WHERE kind IN ('sum_scores', 'context') AND NOT (near(expected, v) AND near(expected, h) AND near(expected, i) AND near(expected, s));

-- average: unit vectors under cosine; toward the positives alone where there is no negative
SELECT vecdb.recommend_query('{"[2,0]","[0,3]"}'), vecdb.recommend_query('{"[2,0]","[0,3]"}', metric => 'l2');
SELECT vecdb.recommend_query('{"[2,0]","[0,3]"}', '{"[1,1]"}', metric => 'euclid'), vecdb.sparsevec_recommend_query('{"{1:2}/9","{7:3}/9"}', '{"{1:2,7:3}/9"}', metric => 'dot');
-- literals alone find their function; int8vec arrays are taken for vectors
SELECT '[1,0]'::vector <*> vecdb.context_query('{"[1,0]"}', '{"[0,1]"}') AS literal, vecdb.recommend_query(ARRAY['[3,4]'::int8vec]) AS implicit;
-- equality goes to the negative branch, and equal pairs are legal
SELECT '[1,0]'::vector <*> vecdb.recommend_query('{"[1,0]"}', '{"[1,0]"}', 'best_score') AS negative_branch,
 round(('[1,0]'::vector <*> vecdb.context_query('{"[1,0]"}', '{"[2,0]"}'))::numeric, 9) AS equal_pair, '[1,0]'::vector <*> vecdb.discover_query('[1,0]', '{"[0,1]"}', '{"[0,1]"}') AS tied;
-- a dense query fits every dense type
SELECT '[1,0]'::halfvec <*> q AS halfvec, '[1,0]'::int8vec <*> q AS int8vec FROM vecdb.recommend_query('{"[1,0]"}') q;
-- no direction, no score; what overflows in float32 does not here
SELECT '[0,0]'::vector <*> vecdb.recommend_query('{"[1,0]"}') AS nan, '[1e30,0]'::vector <*> vecdb.recommend_query('{"[-1e30,0]"}', metric => 'l2') AS huge, NULL::vector <*> vecdb.recommend_query('{"[1,0]"}') AS null;

-- text and binary form
SELECT vec::text::vecdb.query::text = vec::text AS text, vec::text::jsonb::text::vecdb.query::text = vec::text AS jsonb, sparse::text::vecdb.query::text = sparse::text AS sparse, count(*) FROM queries GROUP BY 1, 2, 3;
SELECT '/tmp/vecdb_query_' || pg_backend_pid() AS file \gset
\setenv FILE :file
CREATE TABLE binary_copy (a vecdb.query, b vecdb.query);
COPY (SELECT vec, sparse FROM queries ORDER BY n, kind, metric LIMIT 50) TO :'file' (FORMAT binary);
COPY binary_copy FROM :'file' (FORMAT binary);
\! rm -f "$FILE"
SELECT count(*) FROM binary_copy c JOIN queries q ON q.vec::text = c.a::text AND q.sparse::text = c.b::text;
SELECT '{"kind":"discover","metric":"Manhattan","target":[1,2],"pairs":[[[1,0],[0,1]]]}'::vecdb.query;
SELECT '{"pairs":[["{1:1}/3","{}/3"]],"metric":"l2","kind":"context"}'::vecdb.query;
SELECT '{"kind":"average","metric":"cosine","vector":[3,4]}'::vecdb.query AS unit;
SELECT count(DISTINCT pg_column_size(vec)) > 3 AS sizes FROM queries;
-- large values are compressed and kept out of line, and read back
CREATE TABLE kept (q vecdb.query);
INSERT INTO kept SELECT vecdb.recommend_query(array_agg(array_fill(i::real, ARRAY[2000])::vector), '{}', 'best_score', 'l2') FROM generate_series(1, 20) i;
SELECT array_fill(7::real, ARRAY[2000])::vector <*> q AS same_example FROM kept;

-- errors
SELECT error_of($$SELECT vecdb.recommend_query('{}')$$);
SELECT error_of($$SELECT vecdb.recommend_query('{}', '{"[1]"}')$$);
SELECT error_of($$SELECT vecdb.recommend_query('{"[1,0]"}', strategy => 'best')$$);
SELECT error_of($$SELECT vecdb.recommend_query('{"[1,0]"}', metric => 'jaccard')$$);
SELECT error_of($$SELECT vecdb.recommend_query('{"[1,0]","[1,0,0]"}')$$);
SELECT error_of($$SELECT vecdb.recommend_query('{"[1,0]","[0,0]"}')$$);
SELECT error_of($$SELECT vecdb.recommend_query('{"[1,0]",NULL}')$$);
SELECT error_of($$SELECT vecdb.recommend_query(NULL)$$);
SELECT error_of($$SELECT vecdb.recommend_query('{"[0.5,0.8660254]","[0.5,-0.8660254]"}', '{"[1,0]"}')$$);
SELECT error_of($$SELECT vecdb.recommend_query('{"[3e38]"}', '{"[-3e38]"}', metric => 'l2')$$);
SELECT error_of($$SELECT vecdb.recommend_query((SELECT array_agg('[1]'::vector) FROM generate_series(1, 4097)), strategy => 'best_score')$$);
SELECT error_of($$SELECT vecdb.context_query('{}', '{}')$$);
SELECT error_of($$SELECT vecdb.context_query('{"[1,0]"}', '{}')$$);
SELECT error_of($$SELECT vecdb.discover_query(NULL, '{}', '{}')$$);
SELECT error_of($$SELECT '[1,0,0]'::vector <*> vecdb.recommend_query('{"[1,0]"}')$$);
SELECT error_of($$SELECT '{1:1}/2'::sparsevec <*> vecdb.recommend_query('{"[1,0]"}')$$);
SELECT error_of($$SELECT '[1,0]'::vector <*> vecdb.sparsevec_recommend_query('{"{1:1}/2"}')$$);
SELECT error_of($$SELECT '{1:1}/3'::sparsevec <*> vecdb.sparsevec_recommend_query('{"{1:1}/2"}')$$);
SELECT error_of($$SELECT ''::vecdb.query$$);
SELECT error_of($$SELECT '{"kind":"average","metric":"l2","vector":[1,2],"more":1}'::vecdb.query$$);
SELECT error_of($$SELECT '{"kind":"average","metric":"l2","vector":[1,NaN]}'::vecdb.query$$);
SELECT error_of($$SELECT '{"kind":"average","metric":"l2","vector":[1,1e99]}'::vecdb.query$$);
SELECT error_of($$SELECT '{"kind":"sum_scores","metric":"l2","scale":1e999,"positive":[[1]],"negative":[]}'::vecdb.query$$);
SELECT error_of($$SELECT '{"kind":"context","metric":"l2","pairs":[[[1],[2],[3]]]}'::vecdb.query$$);
-- hostile bytes
CREATE TABLE hostile (q vecdb.query);
\! printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\034\001\001\001\001\0\0\0\001\0\0\0\002\0\0\0\0\077\360\0\0\0\0\0\0\077\200\0\0\377\377' > "$FILE"
SELECT error_of(format('COPY hostile FROM %L (FORMAT binary)', :'file'));
\! printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\034\001\001\001\001\177\377\377\377\0\0\0\001\0\0\0\0\077\360\0\0\0\0\0\0\077\200\0\0\377\377' > "$FILE"
SELECT error_of(format('COPY hostile FROM %L (FORMAT binary)', :'file'));
\! printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\001\0\0\0\034\001\001\001\001\0\0\0\001\0\0\0\001\0\0\0\0\077\360\0\0\0\0\0\0\177\300\0\0\377\377' > "$FILE"
SELECT error_of(format('COPY hostile FROM %L (FORMAT binary)', :'file'));
\! rm -f "$FILE"

-- immutable and parallel safe, all of it; each has its comment
SELECT count(*) FILTER (WHERE provolatile <> 'i') AS volatile, count(*) FILTER (WHERE proparallel <> 's') AS unsafe, count(*) FILTER (WHERE obj_description(oid, 'pg_proc') IS NULL) AS bare
FROM pg_proc WHERE pronamespace = 'vecdb'::regnamespace AND proname ~ '(_|^)(recommend|discover|context)_query$|^query_(distance|in|out|send|recv)$';
DROP TABLE golden_rows, golden, dense_rows, examples, queries, judged, binary_copy, kept, hostile;
DROP FUNCTION error_of, golden_query, similarity, sg, oracle, near, make(text, text, vector[], vector[]), make(text, text, halfvec[], halfvec[]), make(text, text, int8vec[], int8vec[]), make(text, text, sparsevec[], sparsevec[]);
