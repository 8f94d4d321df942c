-- Layout fused: what hnsw_order and hnsw_insert ask of every index, where the way through the graph is another.

CREATE FUNCTION hnsw_fused_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 2147483647) % 10)::vector FROM generate_series(1, dims) d $$;
CREATE TABLE hnsw_f (id int PRIMARY KEY, e vector(8));

-- rows: of the table that the index holds, sound: check_index has nothing to tell, complete: a scan to the end gives each row once,
-- sorted: the nearest 500 at ef_search 10 (the nearer half of fewer) come in order, good_recall: of 10 at ef_search 100
CREATE FUNCTION pg_temp.state_of(index regclass, op text, OUT rows bigint, OUT sound bool, OUT complete bool, OUT sorted bool,
        OUT good_recall bool) LANGUAGE plpgsql AS $$
DECLARE got int[]; d float8[];
BEGIN
    EXECUTE CASE op WHEN '<=>' THEN 'SELECT count(*) FROM hnsw_f WHERE vector_norm(e) > 0' ELSE 'SELECT count(e) FROM hnsw_f' END INTO rows;
    SELECT count(*) = 0 INTO sound FROM vecdb.check_index(index);
    SET LOCAL enable_seqscan = off;
    SET LOCAL hnsw.ef_search = 10;
    EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM hnsw_f ORDER BY e %s %L) s', op, '[1,2,3,4,5,6,7,8]') INTO got;
    complete := coalesce(cardinality(got), 0) = rows AND rows = (SELECT count(DISTINCT i) FROM unnest(got) i);
    EXECUTE format('SELECT array_agg(d) FROM (SELECT e %1$s %2$L AS d FROM hnsw_f ORDER BY e %1$s %2$L LIMIT %3$s) s', op, '[1,2,3,4,5,6,7,8]',
        least(500, (rows + 1) / 2)) INTO d;
    sorted := d IS NOT DISTINCT FROM (SELECT array_agg(x ORDER BY x) FROM unnest(d) x);
    SET LOCAL enable_seqscan = on;
    SET LOCAL hnsw.ef_search = 100;
    SELECT coalesce(recall, 1) >= 0.95 INTO good_recall FROM vecdb.check_recall(index, 30);
END $$;

CREATE FUNCTION pg_temp.life_of(class text, op text, options text) RETURNS TABLE (what text, rows bigint, sound bool, complete bool, sorted bool,
        good_recall bool) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE hnsw_f;
    EXECUTE format('CREATE INDEX hnsw_f_i ON hnsw_f USING hnsw (e vector_%s_ops) WITH (layout = fused, %s)', class, options);
    RETURN QUERY SELECT 'empty', s.* FROM pg_temp.state_of('hnsw_f_i', op) s;
    INSERT INTO hnsw_f VALUES (1, '[1,2,3,4,5,6,7,8]');
    RETURN QUERY SELECT 'one row', s.* FROM pg_temp.state_of('hnsw_f_i', op) s;
    INSERT INTO hnsw_f VALUES (2, NULL), (3, '[1,2,3,4,5,6,7,8]'), (4, '[0,0,0,0,0,0,0,0]');
    RETURN QUERY SELECT 'equal, NULL, zero', s.* FROM pg_temp.state_of('hnsw_f_i', op) s;
    FOR i IN 5 .. 300 LOOP INSERT INTO hnsw_f VALUES (i, hnsw_fused_v(i, 8)); END LOOP;
    INSERT INTO hnsw_f SELECT i, hnsw_fused_v(i, 8) FROM generate_series(301, 1200) i;
    INSERT INTO hnsw_f SELECT i, '[9,9,9,9,9,9,9,9]' FROM generate_series(1201, 1700) i;
    RETURN QUERY SELECT 'inserted', s.* FROM pg_temp.state_of('hnsw_f_i', op) s;
    DELETE FROM hnsw_f WHERE id % 3 = 0;
    RETURN QUERY SELECT 'deleted', s.* FROM pg_temp.state_of('hnsw_f_i', op) s;
    UPDATE hnsw_f SET e = hnsw_fused_v(id + 5000, 8) WHERE id % 4 = 0;
    RETURN QUERY SELECT 'updated', s.* FROM pg_temp.state_of('hnsw_f_i', op) s;
    REINDEX INDEX hnsw_f_i;
    RETURN QUERY SELECT 'built', s.* FROM pg_temp.state_of('hnsw_f_i', op) s;
    DROP INDEX hnsw_f_i;
END $$;

SELECT * FROM pg_temp.life_of('l2', '<->', 'precision = 16');
SELECT * FROM pg_temp.life_of('ip', '<#>', 'precision = 8, m = 24');
SELECT * FROM pg_temp.life_of('cosine', '<=>', 'm = 6, ef_construction = 24');

-- slots used again
CREATE INDEX hnsw_f_i ON hnsw_f USING hnsw (e vector_l2_ops) WITH (layout = fused, m = 20);
DELETE FROM hnsw_f WHERE id % 5 < 3;
VACUUM hnsw_f;
SELECT * FROM pg_temp.state_of('hnsw_f_i', '<->');
INSERT INTO hnsw_f SELECT i, hnsw_fused_v(i, 8) FROM generate_series(20001, 20500) i;
SELECT * FROM pg_temp.state_of('hnsw_f_i', '<->');
DELETE FROM hnsw_f;
VACUUM hnsw_f;
SELECT * FROM pg_temp.state_of('hnsw_f_i', '<->');
INSERT INTO hnsw_f SELECT i, hnsw_fused_v(i, 8) FROM generate_series(1, 300) i;
SELECT * FROM pg_temp.state_of('hnsw_f_i', '<->');

-- there are no estimates for L1
CREATE INDEX ON hnsw_f USING hnsw (e vector_l1_ops) WITH (layout = fused);
\echo :LAST_ERROR_SQLSTATE
SELECT pg_index_column_has_property('hnsw_f_i', 1, 'distance_orderable');

DROP TABLE hnsw_f;
DROP FUNCTION hnsw_fused_v;
