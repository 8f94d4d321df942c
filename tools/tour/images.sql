-- SPDX-License-Identifier: PostgreSQL
-- The query API on the images that tools/quickstart loads: each statement, what it returns, and how long it took.
\set QUIET on
\pset footer off
\pset pager off
\timing off
SET client_min_messages = warning;
CREATE OR REPLACE VIEW named AS SELECT id, name FROM images JOIN classes USING (label);
CREATE INDEX IF NOT EXISTS images_label ON images (label);
CREATE INDEX IF NOT EXISTS images_words ON images USING gin (words);
ANALYZE images (label, words);
-- The first three images of some classes are the examples.
SELECT array_agg(id ORDER BY id) FILTER (WHERE label = 6) AS shirts, array_agg(id ORDER BY id) FILTER (WHERE label = 2) AS pullovers,
	min(id) FILTER (WHERE label = 9) AS boot, max(id) FILTER (WHERE label = 9) AS other_boot, min(id) FILTER (WHERE label = 7) AS sneaker
FROM (SELECT id, label, row_number() OVER (PARTITION BY label ORDER BY id) AS n FROM images) s WHERE n <= 3 \gset
\set ECHO queries
\timing on

\echo
\echo '--- Filter: test image 0 is an ankle boot. The nearest images that are none:'
SELECT s.rank, s.id, n.name, round(s.distance) AS distance
FROM vecdb.search('images', 'embedding', NULL::int, (SELECT embedding FROM queries WHERE id = 0), k => 5,
                  filter => '{"must_not": [{"key": "label", "match": {"value": 9}}]}') s JOIN named n USING (id) ORDER BY s.rank;

\echo
\echo '--- Groups: the four classes that come nearest to it, the best two of each:'
SELECT g.group_rank, n.name, g.rank, g.id, round(g.distance) AS distance
FROM vecdb.search_groups('images', 'embedding', NULL::int, (SELECT embedding FROM queries WHERE id = 0), 'label', groups => 4, group_size => 2) g
JOIN named n USING (id) ORDER BY g.group_rank, g.rank;

\echo
\echo '--- Recommend: like these three shirts. Of what class are the 300 best?'
SELECT n.name, count(*), min(r.rank) AS best_rank
FROM vecdb.recommend('images', 'embedding', :'shirts'::int[], '{}', k => 300) r JOIN named n USING (id) GROUP BY 1 ORDER BY 2 DESC;
\echo '--- The same, but not like these three pullovers:'
SELECT n.name, count(*), min(r.rank) AS best_rank
FROM vecdb.recommend('images', 'embedding', :'shirts'::int[], :'pullovers'::int[], k => 300) r JOIN named n USING (id) GROUP BY 1 ORDER BY 2 DESC;

\echo
\echo '--- Discover: near this ankle boot. Of what class are the 300 nearest?'
SELECT n.name, count(*) FROM vecdb.discover('images', 'embedding', :boot, '{}'::int[], k => 300) d JOIN named n USING (id) GROUP BY 1 ORDER BY 2 DESC;
\echo '--- The same, but rather like that sneaker than like that other boot:'
SELECT n.name, count(*) FROM vecdb.discover('images', 'embedding', :boot, ARRAY[[:sneaker, :other_boot]], k => 300) d
JOIN named n USING (id) GROUP BY 1 ORDER BY 2 DESC;

\echo
\echo '--- MMR: five images near test image 1, a pullover, and unlike one another:'
SELECT m.rank, m.id, n.name, round(m.distance) AS distance
FROM vecdb.mmr_search('images', 'embedding', NULL::int, (SELECT embedding FROM queries WHERE id = 1), k => 5, diversity => 0.7, candidates => 200) m
JOIN named n USING (id) ORDER BY m.rank;

\echo
\echo '--- Hybrid: looks like test image 1, a pullover, and its words say "bright coat". leg_ranks: by looks, by words'
SELECT h.rank, h.id, n.name, h.leg_ranks, round(h.score::numeric, 3) AS score, i.words
FROM vecdb.hybrid_search('images', NULL::int, fusion => 'relative_score', fusion_params => '{"alpha": 0.5}', k => 5, legs => jsonb_build_array(
    jsonb_build_object('type', 'dense', 'column', 'embedding', 'k', 2000, 'query', (SELECT embedding::text FROM queries WHERE id = 1)),
    jsonb_build_object('type', 'fts', 'column', 'words', 'k', 2000, 'query', 'bright coat', 'config', 'english'))) h
JOIN named n USING (id) JOIN images i USING (id) ORDER BY h.rank;

\echo
\echo '--- Facet: the commonest classes of the first 1,000 images; and two counts'
SELECT f.value AS label, c.name, f.count
FROM vecdb.facet('images', 'label', k => 4, filter => '{"must": [{"key": "id", "range": {"lt": 1000}}]}') f JOIN classes c ON c.label = f.value::int
ORDER BY f.count DESC;
SELECT vecdb.count('images', '{"must": [{"key": "label", "match": {"any": [5, 7, 9]}}]}') AS shoes, vecdb.count('images', exact => false) AS about_all;

\echo
\echo '--- Scroll: a page of three bags, and the page behind it'
SELECT id, cursor FROM vecdb.scroll('images', NULL::int, k => 3, filter => '{"must": [{"key": "label", "match": {"value": 8}}]}');
\timing off
\set ECHO none
SELECT cursor FROM vecdb.scroll('images', NULL::int, k => 3, filter => '{"must": [{"key": "label", "match": {"value": 8}}]}') ORDER BY id DESC LIMIT 1 \gset
\set ECHO queries
\timing on
SELECT id, cursor FROM vecdb.scroll('images', NULL::int, k => 3, filter => '{"must": [{"key": "label", "match": {"value": 8}}]}', after => :'cursor');
\echo '--- and all 60,000 in pages of 10,000:'
WITH RECURSIVE page AS (
    SELECT 1 AS page, p.* FROM (SELECT count(*) AS rows, max(id) AS last_id, (array_agg(cursor ORDER BY id DESC))[1] AS cursor
                                FROM vecdb.scroll('images', NULL::int, k => 10000)) p
    UNION ALL
    SELECT page.page + 1, p.* FROM page, LATERAL (SELECT count(*), max(id), (array_agg(s.cursor ORDER BY id DESC))[1]
                                                  FROM vecdb.scroll('images', NULL::int, k => 10000, after => page.cursor) s) p
    WHERE page.rows = 10000)
SELECT page, rows, last_id FROM page;

\echo
\echo '--- How right is all this? The answers of the index beside those of reading every row: recall of the best 100'
SELECT what, round(avg((SELECT count(*) FROM unnest(found) f WHERE f = ANY (exact)) / 100.0), 3) AS recall FROM (
    SELECT 'search' AS what,
           ARRAY(SELECT id FROM vecdb.search('images', 'embedding', NULL::int, q.embedding, k => 100)) AS found,
           ARRAY(SELECT id FROM vecdb.search('images', 'embedding', NULL::int, q.embedding, k => 100, params => '{"exact": true}')) AS exact
    FROM queries q WHERE q.id < 5
    UNION ALL
    SELECT 'recommend ' || strategy,
           ARRAY(SELECT id FROM vecdb.recommend('images', 'embedding', :'shirts'::int[], :'pullovers'::int[], strategy, k => 100)),
           ARRAY(SELECT id FROM vecdb.recommend('images', 'embedding', :'shirts'::int[], :'pullovers'::int[], strategy, k => 100, params => '{"exact": true}'))
    FROM unnest(ARRAY['average_vector', 'best_score', 'sum_scores']) strategy
    UNION ALL
    SELECT 'discover',
           ARRAY(SELECT id FROM vecdb.discover('images', 'embedding', :boot, ARRAY[[:sneaker, :other_boot]], k => 100)),
           ARRAY(SELECT id FROM vecdb.discover('images', 'embedding', :boot, ARRAY[[:sneaker, :other_boot]], k => 100, params => '{"exact": true}'))) answers
GROUP BY what ORDER BY what DESC;
