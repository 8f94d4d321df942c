-- What a scan is said to cost, and which plan that leads to.

SET max_parallel_workers_per_gather = 0;
SET effective_cache_size = '1GB';
SET jit = off;

CREATE FUNCTION hnsw_cost_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg((hashint4(seed * 1024 + d) & 2147483647) % 1000)::vector FROM generate_series(1, dims) d $$;

-- scan: how the plan reads its tables
CREATE FUNCTION pg_temp.scan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        line := substring(line FROM '(Merge Append|Sort$|Seq Scan.*|Index Scan.*|Bitmap Index Scan.*|Index Only Scan.*)');
        IF line IS NOT NULL THEN RETURN NEXT line; END IF;
    END LOOP;
END $$;

CREATE TABLE hnsw_c (id int PRIMARY KEY, tenant int, plain int, half boolean, e vector(8));
INSERT INTO hnsw_c SELECT i, i % 1000, i % 1000, i % 2 = 0, hnsw_cost_v(i, 8) FROM generate_series(1, 20000) i;
CREATE INDEX hnsw_c_e ON hnsw_c USING hnsw (e vector_l2_ops);
CREATE INDEX hnsw_c_tenant ON hnsw_c (tenant);
CREATE TABLE hnsw_c300 (id int, e vector(8));
INSERT INTO hnsw_c300 SELECT id, e FROM hnsw_c WHERE id <= 300;
CREATE INDEX hnsw_c300_e ON hnsw_c300 USING hnsw (e vector_l2_ops);
VACUUM ANALYZE hnsw_c, hnsw_c300;

-- --- the limit ---
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 100$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 15000$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c ORDER BY e <-> '[1,2,3,4,5,6,7,8]'$$);
-- a few hundred rows
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c300 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);

-- --- a condition ---
-- most rows pass; few pass and another index finds them; few pass and no index does
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c WHERE tenant > 200 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c WHERE tenant = 7 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c WHERE tenant IN (7, 8) ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c WHERE half ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c WHERE plain = 7 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);

-- a partial index is not dearer for what it leaves out
CREATE INDEX hnsw_c_some ON hnsw_c USING hnsw (e vector_l2_ops) WHERE plain < 100;
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c WHERE plain < 100 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 50$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
DROP INDEX hnsw_c_some;

-- --- prepared statements settle on a generic plan ---
PREPARE hnsw_c_q(vector) AS SELECT id FROM hnsw_c ORDER BY e <-> $1 LIMIT 3;
EXECUTE hnsw_c_q('[1,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE hnsw_c_q('[2,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE hnsw_c_q('[3,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE hnsw_c_q('[4,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE hnsw_c_q('[5,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE hnsw_c_q('[6,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE hnsw_c_q('[7,2,3,4,5,6,7,8]') \g /dev/null
SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'hnsw_c_q';
SELECT * FROM pg_temp.scan($$EXECUTE hnsw_c_q('[1]')$$);
DEALLOCATE hnsw_c_q;

-- --- other shapes of queries ---
CREATE TABLE hnsw_c_parts (id int, part int, e vector(8)) PARTITION BY LIST (part);
CREATE TABLE hnsw_c_part1 PARTITION OF hnsw_c_parts FOR VALUES IN (1);
CREATE TABLE hnsw_c_part2 PARTITION OF hnsw_c_parts FOR VALUES IN (2);
INSERT INTO hnsw_c_parts SELECT id, 1 + id % 2, e FROM hnsw_c WHERE id <= 10000;
CREATE INDEX hnsw_c_parts_e ON hnsw_c_parts USING hnsw (e vector_l2_ops);
VACUUM ANALYZE hnsw_c_parts;
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c_parts ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM hnsw_c_parts ORDER BY e <-> '[1,2,3,4,5,6,7,8]'$$);
-- each row's neighbours
SELECT * FROM pg_temp.scan($$SELECT q.id, n.id FROM hnsw_c300 q, LATERAL
    (SELECT id FROM hnsw_c ORDER BY e <-> q.e LIMIT 3) n$$);
-- neighbours, with what else is known of them
SELECT * FROM pg_temp.scan($$SELECT a.id, b.tenant FROM hnsw_c a JOIN hnsw_c b USING (id) ORDER BY a.e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
-- groups of the nearest, and of all
SELECT * FROM pg_temp.scan($$SELECT tenant, count(*) FROM
    (SELECT tenant FROM hnsw_c ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 20) s GROUP BY tenant ORDER BY tenant$$);
SELECT * FROM pg_temp.scan($$SELECT DISTINCT tenant FROM hnsw_c WHERE e <-> '[1,2,3,4,5,6,7,8]' < 5$$);
SELECT * FROM pg_temp.scan($$SELECT half, min(e <-> '[1,2,3,4,5,6,7,8]') FROM hnsw_c GROUP BY half ORDER BY 2 LIMIT 1$$);

-- --- vectors stored out of line ---
CREATE FUNCTION pg_temp.cost(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan->0->'Plan'->>'Total Cost';
END $$;
CREATE TABLE hnsw_c_out (id int, e vector(700));
INSERT INTO hnsw_c_out SELECT i, hnsw_cost_v(i, 700) FROM generate_series(1, 300) i;
CREATE TABLE hnsw_c_in (id int, e vector(700));
ALTER TABLE hnsw_c_in ALTER e SET STORAGE PLAIN;
INSERT INTO hnsw_c_in SELECT * FROM hnsw_c_out;
ANALYZE hnsw_c_out, hnsw_c_in;
SELECT pg_temp.cost($$SELECT e <-> '[1]' FROM hnsw_c_out$$) > 10 * pg_temp.cost($$SELECT id FROM hnsw_c_out$$) AS out_of_line,
    pg_temp.cost($$SELECT e <-> '[1]' FROM hnsw_c_in$$) < 2 * pg_temp.cost($$SELECT id FROM hnsw_c_in$$) AS in_line,
    pg_temp.cost($$SELECT l1_distance(e, '[1]') FROM hnsw_c_out$$) = pg_temp.cost($$SELECT e <-> '[1]' FROM hnsw_c_out$$) AS as_function;

DROP TABLE hnsw_c, hnsw_c300, hnsw_c_parts, hnsw_c_out, hnsw_c_in;
DROP FUNCTION hnsw_cost_v;
