-- hnsw indexes of type int8vec: operator classes, errors, limits. What they find: index_types.
SET client_min_messages = warning;
SELECT amname, opcname, opcdefault, opcintype::regtype, amvalidate(c.oid) AS valid
FROM pg_opclass c JOIN pg_am am ON am.oid = opcmethod WHERE amname LIKE 'hnsw%' AND opcintype = 'int8vec'::regtype ORDER BY 1, 2;
SELECT opfname, amopopr::regoperator, amoppurpose, count(*) AS methods FROM pg_amop o JOIN pg_opfamily f ON f.oid = amopfamily JOIN pg_am am ON am.oid = amopmethod
WHERE amname LIKE 'hnsw%' AND amoplefttype = 'int8vec'::regtype GROUP BY 1, 2, 3 ORDER BY 1, 2;
SELECT opfname, amprocnum, amproc::regprocedure, count(*) AS methods FROM pg_amproc p JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am am ON am.oid = f.opfmethod
WHERE amname LIKE 'hnsw%' AND amproclefttype = 'int8vec'::regtype GROUP BY 1, 2, 3 ORDER BY 1, 2;
SELECT p.proname, p.provolatile, p.proisstrict, p.proparallel, obj_description(p.oid, 'pg_proc') IS NOT NULL AS commented
FROM pg_proc p WHERE proname LIKE 'hnsw\_int8vec\_%' ORDER BY 1;

-- three rows and their order; NULL and, for cosine, zero are left out
CREATE TABLE t (id int, e int8vec(3));
INSERT INTO t VALUES (1, '[0,0,0]'), (2, '[1,2,3]'), (3, '[1,1,1]'), (4, NULL);
SET enable_seqscan = off;
CREATE INDEX t_e ON t USING hnsw (e int8vec_l2_ops);
SELECT id, e <-> '[3,3,3]' AS d FROM t ORDER BY e <-> '[3,3,3]';
DROP INDEX t_e;
CREATE INDEX t_e ON t USING hnsw (e int8vec_ip_ops);
SELECT id, e <#> '[3,3,3]' AS d FROM t ORDER BY e <#> '[3,3,3]';
DROP INDEX t_e;
CREATE INDEX t_e ON t USING hnsw (e int8vec_cosine_ops);
SELECT id, e <=> '[3,3,3]' AS d FROM t ORDER BY e <=> '[3,3,3]';
DROP INDEX t_e;
CREATE INDEX t_e ON t USING hnsw (e int8vec_l1_ops);
SELECT id, e <+> '[3,3,3]' AS d FROM t ORDER BY e <+> '[3,3,3]';
DROP INDEX t_e;
-- a query that is NULL, or zero, orders nothing
CREATE INDEX t_e ON t USING hnsw (e int8vec_l2_ops);
SELECT count(*) FROM (SELECT FROM t ORDER BY e <-> NULL::int8vec) s;
SELECT count(*) FROM (SELECT FROM t ORDER BY e <-> (SELECT NULL::int8vec)) s;
SELECT id FROM t ORDER BY e <-> '[1,2]' LIMIT 1;
\echo :LAST_ERROR_SQLSTATE
SELECT id FROM t ORDER BY e <-> (SELECT '[1,2,3,4]'::int8vec) LIMIT 1;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO t VALUES (5, '[1,2]');
\echo :LAST_ERROR_SQLSTATE
TRUNCATE t;
SELECT count(*) FROM (SELECT FROM t ORDER BY e <-> '[3,3,3]') s;
INSERT INTO t VALUES (6, '[7,8,9]');
SELECT id FROM t ORDER BY e <-> '[3,3,3]';
SELECT e::text FROM t ORDER BY e <-> '[3,3,3]';
DROP TABLE t;

-- no dimensions; other types' classes; no class by default
CREATE TABLE t (id int, e int8vec, v vector(3), r real[]);
CREATE INDEX ON t USING hnsw (e int8vec_l2_ops);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON t USING hnsw (e vector_l2_ops);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON t USING hnsw (v int8vec_l2_ops);
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON t USING hnsw ((e::int8vec(3)));
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ON t USING hnsw ((e::int8vec(3)) int8vec_l2_ops);
INSERT INTO t (id, e) VALUES (1, '[1,2,3]');
INSERT INTO t (id, e) VALUES (2, '[1,2,3,4]');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE t;

-- as many dimensions as the type has: built, inserted, and the nearest found
CREATE TABLE t (id int, e int8vec(16000));
INSERT INTO t SELECT i, array_agg((hashint4(i * 16000 + d) & 31) - 15)::int8vec FROM generate_series(1, 12) i, generate_series(1, 16000) d GROUP BY i;
CREATE INDEX t_e ON t USING hnsw (e int8vec_cosine_ops);
INSERT INTO t SELECT i, array_agg((hashint4(i * 16000 + d) & 31) - 15)::int8vec FROM generate_series(13, 20) i, generate_series(1, 16000) d GROUP BY i;
SELECT (SELECT array_agg(id) FROM (SELECT id FROM t ORDER BY e <=> (SELECT e FROM t WHERE id = 15)) s) =
    (SELECT array_agg(id ORDER BY (e <=> (SELECT e FROM t WHERE id = 15)) + 0) FROM t) AS same;
SELECT * FROM vecdb.check_index('t_e');
SELECT samples, recall FROM vecdb.check_recall('t_e', 5, 3);
SELECT metric, dimensions, rows FROM vecdb.index_info('t_e');
DROP TABLE t;
