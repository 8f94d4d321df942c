-- vecdb.index_advice, vecdb.prewarm.

CREATE TABLE adv (id int PRIMARY KEY, e vector(16), big vector(1000)) WITH (autovacuum_enabled = off);
INSERT INTO adv SELECT i, (SELECT array_agg((hashint4(i * 16 + d) & 1023) / 1024.0) FROM generate_series(1, 16) d)::vector FROM generate_series(1, 4000) i;
UPDATE adv SET big = array_fill(id, '{1000}')::vector WHERE id <= 50;
CREATE INDEX adv_hnsw ON adv USING hnsw (e vector_cosine_ops) WITH (m = 4, ef_construction = 20);
CREATE INDEX adv_ivf ON adv USING ivf (e vector_l2_ops) WITH (lists = 20);
-- nothing stands out
SELECT * FROM vecdb.index_advice('adv_hnsw') UNION ALL SELECT * FROM vecdb.index_advice('adv_ivf');
-- the same twice; another metric, condition or expression is another index
CREATE INDEX adv_twin ON adv USING hnsw (e vector_cosine_ops) WITH (m = 8);
CREATE INDEX adv_part ON adv USING hnsw (e vector_cosine_ops) WHERE id < 10;
CREATE INDEX adv_half ON adv USING hnsw ((e::halfvec(16)) halfvec_cosine_ops);
SELECT c.relname, a.description, a.statement FROM pg_class c, vecdb.index_advice(c.oid) a
WHERE c.relname LIKE 'adv\_%' AND c.relam <> 403 AND recommendation_type = 'drop_index' ORDER BY 1;
DROP INDEX adv_twin, adv_part, adv_half;
-- rows that are gone; VACUUM, as told, and a rebuild
DELETE FROM adv WHERE id % 4 > 0;
SELECT pg_stat_force_next_flush();
SELECT recommendation_type, description ~ '^about 3[0-9]{3} of 4[0-9]{3} rows are dead' AS rows, statement FROM vecdb.index_advice('adv_hnsw');
VACUUM adv;
SELECT recommendation_type, description ~ '^[0-9]+ of [0-9]+ places' AS places, statement FROM vecdb.index_advice('adv_hnsw') WHERE recommendation_type IN ('vacuum_table', 'rebuild_index');
REINDEX INDEX CONCURRENTLY public.adv_hnsw;
SELECT count(*) FROM vecdb.index_advice('adv_hnsw') WHERE recommendation_type IN ('vacuum_table', 'rebuild_index');
-- a build that did not end
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'adv_ivf'::regclass;
SELECT recommendation_type, description, statement FROM vecdb.index_advice('adv_ivf') WHERE recommendation_type = 'rebuild_index';
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'adv_ivf'::regclass;
SELECT * FROM vecdb.index_advice(NULL);
SELECT * FROM vecdb.index_advice('adv_pkey');
SELECT * FROM vecdb.index_advice('adv');

-- --- pages into memory: of an index; of a table with its indexes of vecdb and its TOAST ---
SELECT vecdb.prewarm('adv_hnsw') = pg_relation_size('adv_hnsw') / 8192 AS index,
    vecdb.prewarm('adv') = (pg_relation_size('adv') + pg_relation_size('adv_hnsw') + pg_relation_size('adv_ivf') + pg_relation_size(reltoastrelid)) / 8192 AS everything,
    pg_relation_size(reltoastrelid) > 0 AS has_toast, vecdb.prewarm('adv_pkey') = pg_relation_size('adv_pkey') / 8192 AS others
FROM pg_class WHERE oid = 'adv'::regclass;
CREATE VIEW adv_view AS SELECT * FROM adv;
SELECT vecdb.prewarm('adv_view');
SELECT vecdb.prewarm(NULL) IS NULL AS nothing;
CREATE ROLE adv_role;
SET ROLE adv_role;
SELECT vecdb.prewarm('adv_hnsw');
SELECT vecdb.prewarm('adv');
SELECT vecdb.index_advice('adv_hnsw');
RESET ROLE;
GRANT SELECT ON adv TO adv_role;
SET ROLE adv_role;
SELECT vecdb.prewarm('adv_hnsw') > 0 AS may;
RESET ROLE;
DROP TABLE adv CASCADE;
DROP ROLE adv_role;
