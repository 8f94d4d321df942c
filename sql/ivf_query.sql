-- ORDER BY column <*> query through ivf and ivfflat: the rows and the order of a sort, for all kinds, metrics and types.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS vecdb;
RESET client_min_messages;
SET jit = off;

-- the same numbers everywhere; vectors of few kinds
CREATE FUNCTION h(a int, b int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
	$$ SELECT (hashint8extended(a, b) % 100000) / 50000.0 $$;
CREATE FUNCTION vec(seed int, d int) RETURNS vector LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(public.h(seed, i) + 2 * public.h(seed % 7, 1000 + i))::public.vector FROM generate_series(1, d) i $$;
CREATE FUNCTION vecs(VARIADIC seeds int[]) RETURNS vector[] LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(public.vec(s, 12) ORDER BY o) FROM unnest(seeds) WITH ORDINALITY u(s, o) $$;

-- golden values, without an index and with one
CREATE TABLE golden (id text, v vector(2));
INSERT INTO golden VALUES ('a', '[1,0]'), ('b', '[.8,.6]'), ('c', '[.6,.8]'), ('d', '[0,1]'), ('e', '[-1,0]');
CREATE TABLE asked (name text, metric text, q vecdb.query);
INSERT INTO asked
	SELECT k.name, m, k.q FROM unnest('{cosine,inner_product,l2,l1}'::text[]) m, LATERAL (VALUES
		('average', vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'average_vector', m)),
		('best', vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'best_score', m)),
		('best of none', vecdb.recommend_query('{}', '{"[0,1]","[.8,.6]"}', 'best_score', m)),
		('sum', vecdb.recommend_query('{"[1,0]","[.8,.6]"}', '{"[0,1]"}', 'sum_scores', m)),
		('discover', vecdb.discover_query('[.8,.6]', '{"[1,0]"}', '{"[0,1]"}', m)),
		('discover without pairs', vecdb.discover_query('[.8,.6]', '{}', '{}', m)),
		('context', vecdb.context_query('{"[1,0]"}', '{"[0,1]"}', m))) k(name, q);

CREATE FUNCTION answers(metric text) RETURNS TABLE (name text, answer text) LANGUAGE plpgsql AS $$
DECLARE a record;
BEGIN
	FOR a IN SELECT * FROM asked WHERE asked.metric = answers.metric ORDER BY asked.name LOOP
		name := a.name;
		EXECUTE format('SELECT string_agg(id || '' '' || round(-d::numeric, 5), '', '') FROM
			(SELECT id, v <*> %L::vecdb.query d FROM golden ORDER BY v <*> %1$L::vecdb.query, id) x', a.q) INTO answer;
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TABLE expected AS SELECT m AS metric, a.* FROM unnest('{cosine,inner_product,l2,l1}'::text[]) m, answers(m) a;
SELECT * FROM expected WHERE metric = 'cosine' ORDER BY 2;
SET enable_seqscan = off;
CREATE FUNCTION wrong_answers(metric text, am text, options text) RETURNS SETOF text LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	EXECUTE format('CREATE INDEX golden_i ON golden USING %s (v vector_%s_ops) %s', am,
		CASE wrong_answers.metric WHEN 'inner_product' THEN 'ip' ELSE wrong_answers.metric END, options);
	RETURN QUERY SELECT e.metric || ' ' || am || ' ' || options || ': ' || a.name || ': ' || a.answer
		FROM answers(wrong_answers.metric) a JOIN expected e ON e.metric = wrong_answers.metric AND e.name = a.name WHERE a.answer <> e.answer;
	DROP INDEX golden_i;
END $$;
SELECT w FROM unnest('{cosine,inner_product,l2}'::text[]) m, unnest('{"",WITH (rerank = heap),WITH (quantizer = sq8),WITH (quantizer = half),WITH (quantizer = none),WITH (quantizer = rabitq4)}'::text[]) o, wrong_answers(m, 'ivf', o) w;
SELECT w FROM unnest('{cosine,inner_product,l2,l1}'::text[]) m, wrong_answers(m, 'ivfflat', '') w;
CREATE INDEX golden_i ON golden USING ivf (v vector_cosine_ops);
EXPLAIN (COSTS OFF) SELECT id FROM golden ORDER BY v <*> '{"kind":"context","metric":"cosine","pairs":[[[1,0],[0,1]]]}' LIMIT 2;
-- an index of another metric is of no use
EXPLAIN (COSTS OFF) SELECT id FROM golden ORDER BY v <*> '{"kind":"context","metric":"l2","pairs":[[[1,0],[0,1]]]}' LIMIT 2;
-- nor is one that has two orders to follow
EXPLAIN (COSTS OFF) SELECT id FROM golden ORDER BY v <*> '{"kind":"context","metric":"cosine","pairs":[[[1,0],[0,1]]]}', v <=> '[0,1]' LIMIT 2;
-- and gives the right rows where it is not known before
SET plan_cache_mode = force_generic_plan;
PREPARE by_query(vecdb.query) AS SELECT id, round((v <*> $1)::numeric, 5) FROM golden ORDER BY v <*> $1 LIMIT 3;
EXPLAIN (COSTS OFF) EXECUTE by_query(NULL);
SELECT q AS l2 FROM asked WHERE name = 'best' AND metric = 'l2' \gset
SELECT q AS cosine FROM asked WHERE name = 'best' AND metric = 'cosine' \gset
EXECUTE by_query(:'l2');
EXECUTE by_query(:'cosine');
EXECUTE by_query(NULL);
-- what does not fit
EXECUTE by_query(vecdb.context_query('{"[1,0,0]"}', '{"[0,1,0]"}'));
EXECUTE by_query(vecdb.sparsevec_context_query('{"{1:1}/2"}', '{"{2:1}/2"}'));
RESET plan_cache_mode;

-- many rows: the whole stream is the sort, row for row; some lists give a part of it in its order
CREATE TABLE many AS SELECT i AS id, CASE WHEN i % 500 = 3 THEN NULL WHEN i % 50 = 7 THEN vec(i % 40, 12) ELSE vec(i, 12) END::vector(12) AS v FROM generate_series(1, 1200) i;
ALTER TABLE many ADD h halfvec(12), ADD b int8vec(12), ADD s sparsevec(12);
UPDATE many SET h = v::halfvec, b = (SELECT array_agg((x * 20)::int ORDER BY o) FROM unnest(v::real[]) WITH ORDINALITY u(x, o))::int8vec, s = v::sparsevec;
CREATE FUNCTION questions(m text) RETURNS TABLE (name text, q vecdb.query) LANGUAGE sql AS $$
	VALUES ('average', vecdb.recommend_query(vecs(1, 2), vecs(3), 'average_vector', m)),
		('best', vecdb.recommend_query(vecs(1, 9, 2), vecs(3, 4), 'best_score', m)),
		('best of none', vecdb.recommend_query('{}', vecs(3, 4), 'best_score', m)),
		('sum', vecdb.recommend_query(vecs(1, 9), vecs(3, 4), 'sum_scores', m)),
		('sum, more negative', vecdb.recommend_query(vecs(1), vecs(3, 4), 'sum_scores', m)),
		('discover', vecdb.discover_query(vec(5, 12), vecs(1, 2), vecs(3, 4), m)),
		('discover itself', vecdb.discover_query(vec(7, 12), vecs(7, 2), vecs(3, 7), m)),
		('context', vecdb.context_query(vecs(1, 2, 6), vecs(3, 4, 5), m)) $$;
CREATE FUNCTION sparse(VARIADIC seeds int[]) RETURNS sparsevec[] LANGUAGE sql IMMUTABLE AS
	$$ SELECT array_agg(v::sparsevec) FROM unnest(vecs(VARIADIC seeds)) v $$;
CREATE FUNCTION sparse_questions(m text) RETURNS TABLE (name text, q vecdb.query) LANGUAGE sql AS $$
	VALUES ('average', vecdb.sparsevec_recommend_query(sparse(1, 2), sparse(3), 'average_vector', m)),
		('best', vecdb.sparsevec_recommend_query(sparse(1, 9, 2), sparse(3, 4), 'best_score', m)),
		('sum', vecdb.sparsevec_recommend_query(sparse(1, 9), sparse(3, 4), 'sum_scores', m)),
		('discover', vecdb.sparsevec_discover_query((sparse(5))[1], sparse(1, 2), sparse(3, 4), m)),
		('context', vecdb.sparsevec_context_query(sparse(1, 2, 6), sparse(3, 4, 5), m)) $$;
CREATE FUNCTION ids(col text, q text, tail text) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE r int[];
BEGIN
	EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM many WHERE %I IS NOT NULL ORDER BY %1$I <*> %s, id %s) x', col, q, tail) INTO r;
	RETURN r;
END $$;
CREATE FUNCTION differences(col text, opclass text, metric text, am text, options text, tail text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE x record; sorted int[]; scanned int[]; literal text;
BEGIN
	EXECUTE format('CREATE INDEX many_i ON many USING %s (%I %I) %s', am, col, opclass, options);
	FOR x IN SELECT * FROM questions(metric) WHERE col <> 's' UNION ALL SELECT * FROM sparse_questions(metric) WHERE col = 's' LOOP
		literal := quote_literal(x.q) || '::vecdb.query';
		SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off;
		sorted := ids(col, literal, tail);
		SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on;
		scanned := ids(col, literal, tail);
		IF sorted IS DISTINCT FROM scanned THEN
			RETURN NEXT format('%s %s %s: %s', am, opclass, options, x.name);
		END IF;
	END LOOP;
	DROP INDEX many_i;
END $$;
SELECT d FROM unnest('{vector_cosine_ops,vector_ip_ops,vector_l2_ops}'::text[], '{cosine,dot,l2}'::text[]) u(c, m), unnest('{"",WITH (quantizer = sq8)}'::text[]) o, differences('v', c, m, 'ivf', o) d;
SELECT d FROM unnest('{vector_cosine_ops,vector_ip_ops,vector_l2_ops,vector_l1_ops}'::text[], '{cosine,dot,l2,l1}'::text[]) u(c, m), differences('v', c, m, 'ivfflat', 'WITH (lists = 12)') d;
SELECT d FROM unnest('{halfvec_cosine_ops,halfvec_ip_ops,halfvec_l2_ops,halfvec_l1_ops}'::text[], '{cosine,dot,l2,l1}'::text[]) u(c, m), unnest('{ivf,ivfflat}'::text[]) a, differences('h', c, m, a, '') d;
SELECT d FROM unnest('{int8vec_cosine_ops,int8vec_ip_ops,int8vec_l2_ops,int8vec_l1_ops}'::text[], '{cosine,dot,l2,l1}'::text[]) u(c, m), unnest('{ivf,ivfflat}'::text[]) a, differences('b', c, m, a, '') d;
-- where codes alone choose the rows that are fetched, their bounds hold nearly always
SELECT d FROM unnest('{vector_cosine_ops,vector_ip_ops,vector_l2_ops}'::text[], '{cosine,dot,l2}'::text[]) u(c, m), differences('v', c, m, 'ivf', 'WITH (rerank = heap)', 'LIMIT 20') d;
SELECT d FROM unnest('{sparsevec_cosine_ops,sparsevec_ip_ops,sparsevec_l2_ops}'::text[], '{cosine,dot,l2}'::text[]) u(c, m), differences('s', c, m, 'ivf', '', 'LIMIT 20') d;
-- a stream that goes on over passes, and settings
CREATE INDEX many_i ON many USING ivf (v vector_cosine_ops) WITH (lists = 60);
CREATE FUNCTION in_order(text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE ok bool;
BEGIN
	EXECUTE format('SELECT bool_and(d >= before) FROM (SELECT d, lag(d, 1, d) OVER () before FROM (%s) x) y', $1) INTO ok;
	RETURN ok;
END $$;
SELECT q AS best FROM questions('cosine') WHERE name = 'best' \gset
SELECT q AS discover FROM questions('cosine') WHERE name = 'discover' \gset
SELECT count(*), in_order($$SELECT v <*> '$$ || :'best' || $$' d FROM many WHERE id % 9 = 0 ORDER BY v <*> '$$ || :'best' || $$' LIMIT 100$$)
	FROM (SELECT 1 FROM many WHERE id % 9 = 0 ORDER BY v <*> :'best' LIMIT 100) x;
-- an iterative scan ends at max_probes
SET vecdb.ivf_probes = 2;
SET ivfflat.iterative_scan = relaxed_order;
SET ivfflat.max_probes = 2;
SELECT count(*) < 800 AS fewer, count(*) > 10 AS some FROM (SELECT 1 FROM many ORDER BY v <*> :'discover') x;
RESET ivfflat.max_probes;
RESET ivfflat.iterative_scan;
SELECT count(*) FROM (SELECT 1 FROM many ORDER BY v <*> :'discover') x;
RESET vecdb.ivf_probes;
-- a scan for each of several queries, and a cursor
SELECT o, (SELECT id FROM many ORDER BY v <*> q LIMIT 1 OFFSET 3) = (ids('v', quote_literal(q) || '::vecdb.query', 'LIMIT 4'))[4] AS same
	FROM (SELECT o, vecdb.recommend_query(vecs(o, o + 1), vecs(o + 2), 'best_score') q FROM generate_series(20, 24) o) x ORDER BY o;
BEGIN;
DECLARE c CURSOR FOR SELECT v <*> :'discover' AS d FROM many ORDER BY v <*> :'discover';
MOVE 1100 IN c;
FETCH 1 FROM c;
ROLLBACK;
-- nothing there yet
CREATE TABLE nothing (v vector(12));
CREATE INDEX ON nothing USING ivf (v vector_cosine_ops);
SELECT * FROM nothing ORDER BY v <*> :'best' LIMIT 1;
DROP TABLE golden, asked, expected, many, nothing;
DROP FUNCTION h, vec, vecs, sparse, sparse_questions, answers, wrong_answers, questions, ids, differences, in_order;
