-- Btree order of vector: sorting, DISTINCT, unique indexes, merge joins.
SET enable_seqscan = off;
SET enable_bitmapscan = off;

CREATE TABLE btree_t (id int, v vector);
INSERT INTO btree_t VALUES (1, '[1,2,3]'), (2, '[1,2]'), (3, '[0,9,9]'), (4, '[1,2,3]'), (5, NULL), (6, '[2]'), (7, '[-1]'), (8, '[1,2,3,4]');
CREATE INDEX btree_t_v ON btree_t (v);
ANALYZE btree_t;

EXPLAIN (COSTS OFF) SELECT id FROM btree_t WHERE v = '[1,2,3]';
SELECT id FROM btree_t WHERE v = '[1,2,3]' ORDER BY id;
SELECT id, v FROM btree_t WHERE v > '[1,2]' ORDER BY v, id;
SELECT id, v FROM btree_t WHERE v <= '[1,2]' ORDER BY v DESC, id;
SELECT id, v FROM btree_t WHERE v >= '[1,2]' AND v < '[1,2,4]' ORDER BY v, id;
SELECT id, v FROM btree_t WHERE v IS NULL;
EXPLAIN (COSTS OFF) SELECT v FROM btree_t ORDER BY v;
SELECT v FROM btree_t ORDER BY v;
SELECT v FROM btree_t ORDER BY v DESC NULLS LAST;
SELECT DISTINCT v FROM btree_t ORDER BY v;
SELECT v, count(*) FROM btree_t GROUP BY v ORDER BY v;
SELECT a.id, b.id FROM btree_t a JOIN btree_t b ON a.v = b.v WHERE a.id <> b.id ORDER BY 1, 2;

-- 0 and -0 are one value
CREATE UNIQUE INDEX btree_t_u ON btree_t (v) WHERE id > 100;
INSERT INTO btree_t VALUES (101, '[0]');
INSERT INTO btree_t VALUES (102, '[-0]');
INSERT INTO btree_t VALUES (102, '[0,0]') ON CONFLICT DO NOTHING;
SELECT id, v FROM btree_t WHERE id > 100 ORDER BY id;

-- a larger set sorts the same with and without the index
CREATE TABLE btree_big AS SELECT i AS id, ARRAY[(i * 37) % 101, (i * 11) % 13, i % 3]::vector AS v FROM generate_series(1, 2000) i;
CREATE INDEX ON btree_big (v);
SET enable_sort = off;
CREATE TEMP TABLE by_index AS SELECT v FROM btree_big ORDER BY v;
SET enable_sort = on;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SELECT count(*) FROM (
    SELECT row_number() OVER () AS n, v FROM (SELECT v FROM btree_big ORDER BY v::real[]) s
) a JOIN (SELECT row_number() OVER () AS n, v FROM by_index) b USING (n) WHERE a.v = b.v;

DROP TABLE btree_t, btree_big, by_index;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_indexscan;
RESET enable_indexonlyscan;
RESET enable_sort;
