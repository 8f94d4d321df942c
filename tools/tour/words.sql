-- SPDX-License-Identifier: PostgreSQL
-- The query API on English words (table words: id by frequency, embedding of 100 dimensions, payload with the word).
\set QUIET on
\pset footer off
\pset pager off
\timing off
SET client_min_messages = warning;
SET hnsw.ef_search = 100;
CREATE INDEX IF NOT EXISTS words_word ON words ((payload ->> 'word'));
CREATE OR REPLACE VIEW word AS SELECT id, payload ->> 'word' AS word FROM words;
CREATE OR REPLACE FUNCTION ids(VARIADIC list text[]) RETURNS bigint[] LANGUAGE sql STABLE AS
	$$ SELECT array_agg((SELECT w.id FROM words w WHERE w.payload ->> 'word' = l.word LIMIT 1) ORDER BY l.n) FROM unnest(list) WITH ORDINALITY l(word, n) $$;
ANALYZE words;
\set ECHO queries
\timing on

\echo
\echo '--- Nearest to "coffee":'
SELECT string_agg(word, ', ' ORDER BY r.rank) AS words FROM vecdb.recommend('words', 'embedding', ids('coffee'), '{}', k => 10) r JOIN word USING (id);

\echo
\echo '--- Analogies: recommend by average is 2 avg(positive) - avg(negative), here a + b - c'
SELECT label AS "like - unlike", (SELECT string_agg(word, ', ' ORDER BY r.rank) FROM vecdb.recommend('words', 'embedding', positive, negative, k => 4) r JOIN word USING (id)) AS words
FROM (VALUES ('king + woman - man', ids('king', 'woman'), ids('man')),
             ('paris + germany - france', ids('paris', 'germany'), ids('france')),
             ('walking + swam - walked', ids('walking', 'swam'), ids('walked')),
             ('bigger + cold - big', ids('bigger', 'cold'), ids('big'))) a(label, positive, negative);

\echo
\echo '--- What else is an apple? By the strategies, without and with "not like microsoft":'
SELECT strategy, coalesce('not ' || unlike, '') AS unlike, (SELECT string_agg(word, ', ' ORDER BY r.rank)
    FROM vecdb.recommend('words', 'embedding', ids('apple'), CASE WHEN unlike IS NULL THEN '{}' ELSE ids(unlike) END, strategy, k => 8) r JOIN word USING (id)) AS words
FROM unnest(ARRAY['average_vector', 'best_score', 'sum_scores']) strategy, (VALUES (NULL), ('microsoft')) u(unlike);

\echo
\echo '--- Discover: which of two meanings? Near the word, rather like this than like that'
SELECT target, this || ' > ' || that AS side, (SELECT string_agg(word, ', ' ORDER BY d.rank)
    FROM vecdb.discover('words', 'embedding', (ids(target))[1], ARRAY[ids(this, that)], k => 8) d JOIN word USING (id)) AS words
FROM (VALUES ('python', 'software', 'snake'), ('python', 'snake', 'software'), ('mouse', 'computer', 'animal'), ('mouse', 'animal', 'computer'),
             ('jaguar', 'car', 'cat'), ('jaguar', 'cat', 'car')) a(target, this, that);

\echo
\echo '--- MMR: "java", nearest and diverse'
SELECT diversity, (SELECT string_agg(word, ', ' ORDER BY m.rank) FROM vecdb.mmr_search('words', 'embedding', NULL::bigint, w.embedding, k => 10,
    diversity => d.diversity, candidates => 100) m JOIN word USING (id)) AS words
FROM words w, (VALUES (0), (0.5)) d(diversity) WHERE w.payload ->> 'word' = 'java';

\echo
\echo '--- Filter: near "happy", words that begin with "un"'
SELECT string_agg(word, ', ' ORDER BY s.rank) AS words
FROM words w, vecdb.search('words', 'embedding', NULL::bigint, w.embedding, k => 8, filter => '{"must": [{"key": "word", "match": {"prefix": "un"}}]}') s
JOIN word USING (id) WHERE w.payload ->> 'word' = 'happy';

\echo
\echo '--- Recall of the best 10, over 100 words'
SELECT recall, round(mean_index_ms::numeric, 2) AS index_ms, round(mean_exact_ms::numeric, 2) AS exact_ms FROM vecdb.check_recall('words_embedding_idx', 100, 10);
