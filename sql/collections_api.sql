-- Collections: create_collection, drop_collection, collection_info, views collections and stats, version().

CREATE FUNCTION col_error(statement text) RETURNS TABLE (state text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT 'ok', '', '', '';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END $$;
SELECT vecdb.version() = (SELECT value FROM vecdb.build_info() WHERE name = 'version') AS version;

-- --- what is made is an ordinary table ---
SELECT vecdb.create_collection('col_items', 3);
\d col_items
SELECT tgname, tgfoid::regprocedure FROM pg_trigger WHERE tgrelid = 'col_items'::regclass;
-- every type, metric, index, key; named notation in any order
SELECT vecdb.create_collection('col_half', 8, index => 'ivf', lists => 4, type => 'halfvec', metric => 'l2', key_type => 'uuid');
SELECT vecdb.create_collection('col_sparse', 1000, 'dot', 'sparsevec', m => 8, ef_construction => 40);
SELECT vecdb.create_collection('col_int8', 4, 'l1', 'int8vec', 'none', key_type => 'text');
SELECT vecdb.create_collection('col_opt', 16, 'euclid', index => 'ivf', options => '{"quantizer": "sq8", "lists": 7}');
SELECT indrelid::regclass AS collection, replace(pg_get_indexdef(indexrelid), 'public.', '') AS index
FROM pg_index WHERE indrelid::regclass::text LIKE 'col\_%' ORDER BY 1, 2;
SELECT attrelid::regclass AS collection, format_type(atttypid, atttypmod) AS key, pg_get_expr(adbin, adrelid) AS by_default, attidentity
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attname = 'id' AND attrelid::regclass::text LIKE 'col\_%' ORDER BY 1;

-- --- names: as regclass reads them; what looks like SQL stays a name ---
CREATE SCHEMA "col S";
SELECT vecdb.create_collection('"col S"."x""; DROP TABLE col_items; --"', 2);
SELECT vecdb.create_collection('COL_Folded', 2);
SELECT schema_name, table_name FROM vecdb.collections WHERE table_name LIKE 'x%' OR table_name LIKE '%olded';
SELECT * FROM col_error($$SELECT vecdb.create_collection('col x; DROP TABLE col_items', 2)$$);
SELECT * FROM col_error($$SELECT vecdb.create_collection('', 2)$$);
SELECT state FROM col_error($$SELECT vecdb.create_collection('no_such_schema.x', 2)$$);
SELECT state FROM col_error($$SELECT vecdb.create_collection('other_db.public.x', 2)$$);
-- the first schema of the path, though a temporary table of the name hides it
CREATE TEMP TABLE col_hidden (a int);
SELECT vecdb.create_collection('col_hidden', 2);
DROP TABLE pg_temp.col_hidden;

-- --- refused ---
SELECT * FROM col_error($$SELECT vecdb.create_collection('col_items', 3)$$);
SELECT state FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, 'angle')$$);
SELECT * FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, type => 'text')$$);
SELECT * FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, index => 'btree')$$);
SELECT * FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, key_type => 'int); --')$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 0)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', -5)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 100000)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, m => 100000)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, index => 'ivf', m => 16)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, index => 'none', m => 16)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, options => '{"m) ; DROP TABLE col_items; --": 1}')$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, options => '{"m": "1); DROP TABLE col_items; --"}')$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, options => '{"m": [1]}')$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, options => '[1]')$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, options => '3')$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection(NULL, 3)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', NULL)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, metric => NULL)$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('col_bad', 3, key_type => NULL)$$);
-- nothing is left of what failed
SELECT to_regclass('col_bad');

-- --- rows: keys come by themselves or are given, timestamps are kept ---
INSERT INTO col_items (embedding) VALUES ('[1,2,3]'), ('[3,2,1]'), ('[0,0,0]'), (NULL);
INSERT INTO col_items VALUES (77, '[1,1,1]', '{"tag": "x"}');
INSERT INTO col_half (embedding) SELECT array_fill(i, '{8}')::vector FROM generate_series(1, 3) i;
SELECT count(DISTINCT id) AS uuids FROM col_half;
SELECT id, payload, created_at = updated_at AS same FROM col_items ORDER BY id;
SELECT pg_sleep(0.01);
UPDATE col_items SET payload = '{"tag": "y"}' WHERE id = 77;
SELECT id, updated_at > created_at AS later FROM col_items ORDER BY id;
-- without that column the trigger lets rows be
ALTER TABLE col_items RENAME updated_at TO touched;
UPDATE col_items SET payload = '{}' WHERE id = 1 RETURNING touched = created_at AS untouched;
ALTER TABLE col_items RENAME touched TO updated_at;
-- the trigger is for this use alone
CREATE TABLE col_other (a int, updated_at text);
CREATE TRIGGER t BEFORE INSERT ON col_other FOR EACH ROW EXECUTE FUNCTION vecdb.collection_touch();
SELECT * FROM col_error('INSERT INTO col_other VALUES (1)');
DROP TRIGGER t ON col_other;
CREATE TRIGGER t BEFORE UPDATE ON col_other FOR EACH ROW EXECUTE FUNCTION vecdb.collection_touch();
INSERT INTO col_other VALUES (1, 'never');
UPDATE col_other SET a = 2 RETURNING *;
SELECT state FROM col_error('SELECT vecdb.collection_touch()');

-- --- looking at them ---
ANALYZE col_items, col_half;
SELECT table_name, vector_column, type, dimensions, metric, indexes, rows_estimate, table_bytes > 0 AS has_table,
    index_bytes > 0 AS has_indexes, managed
FROM vecdb.collections WHERE table_name LIKE 'col\_%' ORDER BY 1;
SELECT i.vector_column, type, dimensions, metric, indexes, rows, vectors, indexed, pending, managed,
    table_bytes = pg_table_size('col_items') AS bytes, index_bytes = pg_indexes_size('col_items') AS indexes FROM vecdb.collection_info('col_items') i;
-- tables made by hand: several columns, indexes that differ, on expressions, none; partitions are part of their table
CREATE TABLE col_hand (a int, u vector(2), "V w" vector, h halfvec(4), n int);
CREATE INDEX col_hand_u1 ON col_hand USING hnsw (u vector_l2_ops);
CREATE INDEX col_hand_u2 ON col_hand USING hnsw (u vector_cosine_ops);
CREATE INDEX col_hand_e ON col_hand USING hnsw (("V w"::halfvec(3)) halfvec_ip_ops);
CREATE INDEX col_hand_n ON col_hand (n, u);
ALTER TABLE col_hand ADD COLUMN gone vector(3);
ALTER TABLE col_hand DROP COLUMN gone;
INSERT INTO col_hand VALUES (1, '[0,0]', '[1,2,3]', NULL), (2, '[1,1]', NULL, NULL), (3, NULL, NULL, NULL);
CREATE TABLE col_part (id int, v vector(2)) PARTITION BY RANGE (id);
CREATE TABLE col_part_1 PARTITION OF col_part FOR VALUES FROM (0) TO (10);
CREATE TABLE col_part_2 PARTITION OF col_part FOR VALUES FROM (10) TO (20);
CREATE INDEX col_part_i ON col_part USING hnsw (v vector_ip_ops);
INSERT INTO col_part SELECT i, '[1,2]' FROM generate_series(0, 19) i;
CREATE MATERIALIZED VIEW col_mat AS SELECT * FROM col_part;
CREATE VIEW col_view AS SELECT * FROM col_part;
ANALYZE col_hand, col_part, col_mat;
SELECT table_name, vector_column, type, dimensions, metric, indexes, rows_estimate, table_bytes > 0 AS has_table, managed
FROM vecdb.collections WHERE table_name LIKE ANY ('{col\_hand%,col\_part%,col\_mat,col\_view}') ORDER BY 1, 2;
SELECT vector_column, metric, indexes, rows, vectors, indexed, pending FROM vecdb.collection_info('col_hand');
SELECT vector_column, metric, rows, vectors, indexed, pending, table_bytes =
    pg_table_size('col_part_1') + pg_table_size('col_part_2') AS bytes FROM vecdb.collection_info('col_part');
SELECT * FROM col_error($$SELECT vecdb.collection_info('col_other')$$);
SELECT * FROM col_error($$SELECT vecdb.collection_info('col_view')$$);
SELECT state, message FROM col_error($$SELECT vecdb.collection_info(NULL)$$);
SELECT state FROM col_error($$SELECT vecdb.collection_info(1::oid)$$);
SELECT state FROM col_error($$SELECT vecdb.collection_info('no_such_table')$$);
-- totals
SELECT version = vecdb.version() AS version, uptime_seconds > 0 AS up, collections = (SELECT count(DISTINCT collection) FROM vecdb.collections) AS collections,
    vectors_estimate = (SELECT sum(rows_estimate) FROM vecdb.collections) AS vectors, collections_bytes < database_bytes AS less,
    shared_buffers_bytes = pg_size_bytes(current_setting('shared_buffers')) AS buffers
FROM vecdb.stats;

-- --- another role sees what it may read, and makes tables of its own ---
CREATE ROLE col_role;
GRANT CREATE ON SCHEMA public TO col_role;
GRANT SELECT ON col_items TO col_role;
GRANT SELECT (id, v) ON col_part TO col_role;
GRANT SELECT (a, h) ON col_hand TO col_role;
GRANT SELECT ON ALL TABLES IN SCHEMA "col S" TO col_role;
SET ROLE col_role;
SELECT collection, vector_column FROM vecdb.collections WHERE table_name ~ '^(col_|x)' ORDER BY 1, 2;
SELECT collections, vectors_estimate FROM vecdb.stats;
SELECT state, message FROM col_error($$SELECT vecdb.collection_info('col_half')$$);
SELECT vector_column, rows FROM vecdb.collection_info('col_hand');
SELECT state, message FROM col_error($$SELECT vecdb.drop_collection('col_items')$$);
SELECT state, message FROM col_error($$SELECT vecdb.create_collection('"col S".mine', 2)$$);
SELECT vecdb.create_collection('col_mine', 2);
SELECT vecdb.drop_collection('col_mine');
RESET ROLE;
-- rows that a policy hides are not counted
ALTER TABLE col_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON col_items TO col_role USING (id < 3);
SET ROLE col_role;
SELECT rows, vectors, indexed, pending FROM vecdb.collection_info('col_items');
RESET ROLE;

-- --- dropped is what create_collection made, under whatever name it has now ---
SELECT * FROM col_error($$SELECT vecdb.drop_collection('col_hand')$$);
SELECT * FROM col_error($$SELECT vecdb.drop_collection('col_other')$$);
SELECT * FROM col_error($$SELECT vecdb.drop_collection('col_view')$$);
SELECT * FROM col_error($$SELECT vecdb.drop_collection('pg_class')$$);
SELECT * FROM col_error($$SELECT vecdb.drop_collection('col_items_pkey')$$);
SELECT state, message FROM col_error($$SELECT vecdb.drop_collection('col_nothing')$$);
SELECT state, message FROM col_error($$SELECT vecdb.drop_collection(NULL)$$);
SELECT vecdb.drop_collection('col_nothing', if_exists => true);
SELECT vecdb.drop_collection('no_such_schema.col_nothing', true);
ALTER TABLE col_half RENAME TO col_renamed;
ALTER TABLE col_renamed SET SCHEMA "col S";
SELECT vecdb.drop_collection('"col S".col_renamed');
-- without its mark it is a table like others
DROP TRIGGER vecdb_collection ON col_opt;
SELECT state FROM col_error($$SELECT vecdb.drop_collection('col_opt')$$);
-- what hangs on it keeps it
CREATE VIEW col_on_items AS SELECT * FROM col_items;
SELECT state, message FROM col_error($$SELECT vecdb.drop_collection('col_items')$$);
DROP VIEW col_on_items;
SELECT vecdb.drop_collection(c) FROM unnest('{col_items,col_sparse,col_int8,col_folded,public.col_hidden}'::text[]) c;
SELECT vecdb.drop_collection(collection::text) FROM vecdb.collections WHERE schema_name = 'col S';
SELECT count(*) AS left FROM vecdb.collections WHERE managed;
-- read-only
SET default_transaction_read_only = on;
SELECT state FROM col_error($$SELECT vecdb.create_collection('col_bad', 2)$$);
RESET default_transaction_read_only;

DROP MATERIALIZED VIEW col_mat;
DROP VIEW col_view;
DROP TABLE col_opt, col_hand, col_other, col_part;
DROP SCHEMA "col S";
DROP FUNCTION col_error;
REVOKE CREATE ON SCHEMA public FROM col_role;
DROP ROLE col_role;
