-- When the planner takes an ivf index, and when not.

SET max_parallel_workers_per_gather = 0;
SET effective_cache_size = '1GB';
SET jit = off;

CREATE FUNCTION ivf_plan_v(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
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

-- remake: the index with another quantizer
CREATE FUNCTION pg_temp.remake(q text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP INDEX ivf_p_e;
    EXECUTE 'CREATE INDEX ivf_p_e ON ivf_p USING ivf (e vector_l2_ops) WITH (quantizer = ' || q || ')';
END $$;

CREATE TABLE ivf_p (id int PRIMARY KEY, tenant int, plain int, half boolean, e vector(8));
INSERT INTO ivf_p SELECT i, i % 1000, i % 1000, i % 2 = 0, ivf_plan_v(i, 8) FROM generate_series(1, 20000) i;
CREATE INDEX ivf_p_e ON ivf_p USING ivf (e vector_l2_ops);
CREATE INDEX ivf_p_tenant ON ivf_p (tenant);
CREATE TABLE ivf_p300 (id int, e vector(8));
INSERT INTO ivf_p300 SELECT id, e FROM ivf_p WHERE id <= 300;
CREATE INDEX ivf_p300_e ON ivf_p300 USING ivf (e vector_l2_ops);
VACUUM ANALYZE ivf_p, ivf_p300;

-- --- the limit ---
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 100$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 15000$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]'$$);
-- a few rows
CREATE TABLE ivf_p40 (id int, e vector(8));
INSERT INTO ivf_p40 SELECT id, e FROM ivf_p WHERE id <= 40;
CREATE INDEX ivf_p40_e ON ivf_p40 USING ivf (e vector_l2_ops);
VACUUM ANALYZE ivf_p40;
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p40 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);

-- --- a condition ---
-- most rows pass; few pass and another index finds them; few pass and no index does
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p WHERE tenant > 200 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p WHERE tenant = 7 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p WHERE tenant IN (7, 8) ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p WHERE half ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p WHERE plain = 7 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);

-- a partial index is not dearer for what it leaves out
CREATE INDEX ivf_p_some ON ivf_p USING ivf (e vector_l2_ops) WHERE plain < 100;
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p WHERE plain < 100 ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 50$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
DROP INDEX ivf_p_some;

-- --- prepared statements settle on a generic plan ---
PREPARE ivf_p_q(vector) AS SELECT id FROM ivf_p ORDER BY e <-> $1 LIMIT 3;
EXECUTE ivf_p_q('[1,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE ivf_p_q('[2,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE ivf_p_q('[3,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE ivf_p_q('[4,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE ivf_p_q('[5,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE ivf_p_q('[6,2,3,4,5,6,7,8]') \g /dev/null
EXECUTE ivf_p_q('[7,2,3,4,5,6,7,8]') \g /dev/null
SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'ivf_p_q';
SELECT * FROM pg_temp.scan($$EXECUTE ivf_p_q('[1]')$$);
DEALLOCATE ivf_p_q;

-- --- other shapes of queries ---
CREATE TABLE ivf_p_parts (id int, part int, e vector(8)) PARTITION BY LIST (part);
CREATE TABLE ivf_p_part1 PARTITION OF ivf_p_parts FOR VALUES IN (1);
CREATE TABLE ivf_p_part2 PARTITION OF ivf_p_parts FOR VALUES IN (2);
INSERT INTO ivf_p_parts SELECT id, 1 + id % 2, e FROM ivf_p WHERE id <= 10000;
CREATE INDEX ivf_p_parts_e ON ivf_p_parts USING ivf (e vector_l2_ops);
VACUUM ANALYZE ivf_p_parts;
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p_parts ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p_parts ORDER BY e <-> '[1,2,3,4,5,6,7,8]'$$);
-- each row's neighbours
SELECT * FROM pg_temp.scan($$SELECT q.id, n.id FROM ivf_p300 q, LATERAL
    (SELECT id FROM ivf_p ORDER BY e <-> q.e LIMIT 3) n$$);
-- neighbours, with what else is known of them
SELECT * FROM pg_temp.scan($$SELECT a.id, b.tenant FROM ivf_p a JOIN ivf_p b USING (id) ORDER BY a.e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
-- groups of the nearest, and of all
SELECT * FROM pg_temp.scan($$SELECT tenant, count(*) FROM
    (SELECT tenant FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 20) s GROUP BY tenant ORDER BY tenant$$);
SELECT * FROM pg_temp.scan($$SELECT DISTINCT tenant FROM ivf_p WHERE e <-> '[1,2,3,4,5,6,7,8]' < 5$$);
SELECT * FROM pg_temp.scan($$SELECT half, min(e <-> '[1,2,3,4,5,6,7,8]') FROM ivf_p GROUP BY half ORDER BY 2 LIMIT 1$$);

-- --- what it cannot do ---
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' DESC LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT id FROM ivf_p ORDER BY e <#> '[1,2,3,4,5,6,7,8]' LIMIT 10$$);
SELECT * FROM pg_temp.scan($$SELECT count(e) FROM ivf_p$$);
-- without an order it cannot be forced either
SET enable_seqscan = off;
SELECT * FROM pg_temp.scan($$SELECT count(*) FROM ivf_p300$$);
RESET enable_seqscan;

-- --- the distance that only orders is not computed ---
CREATE FUNCTION pg_temp.computed(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE line text; n bigint := 0;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
        n := n + (line ~ 'Output:.*<->')::int;
    END LOOP;
    RETURN n;
END $$;
SELECT pg_temp.computed($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$) AS hidden,
    pg_temp.computed($$SELECT id, e <-> '[1,2,3,4,5,6,7,8]' FROM ivf_p ORDER BY 2 LIMIT 10$$) > 0 AS asked_for;

-- --- more lists, more rows: more cost ---
CREATE FUNCTION pg_temp.cost(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan->0->'Plan'->>'Total Cost';
END $$;
SELECT pg_temp.cost($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$) AS cost_10 \gset
SELECT pg_temp.cost($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 100$$) > :cost_10 AS more_rows_cost_more;
SET ivfflat.probes = 1;
SELECT pg_temp.cost($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$) < :cost_10 AS fewer_lists_cost_less;
SET ivfflat.probes = 1000;
SET enable_seqscan = off;
SELECT pg_temp.cost($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$) > :cost_10 AS more_lists_cost_more;
RESET enable_seqscan;
RESET ivfflat.probes;
-- each way to keep rows has its price, and none is chosen against
SELECT q AS quantizer, pg_temp.cost($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$) < 300 AS cheap
FROM unnest(ARRAY['rabitq', 'rabitq4', 'sq8', 'pq', 'half', 'none']) q,
    LATERAL (SELECT pg_temp.remake(q)) made;

-- an index of both kinds: which it is, is a matter of cost alone
CREATE INDEX ivf_p_hnsw ON ivf_p USING hnsw (e vector_l2_ops);
SELECT count(*) FROM pg_temp.scan($$SELECT id FROM ivf_p ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$) scan WHERE scan LIKE 'Index Scan using ivf_p_%';
-- an index that nobody has looked at yet
CREATE TABLE ivf_p_new (e vector(8));
CREATE INDEX ON ivf_p_new USING ivf (e);
SET enable_seqscan = off;
SELECT pg_temp.cost($$SELECT e FROM ivf_p_new ORDER BY e <-> '[1,2,3,4,5,6,7,8]' LIMIT 10$$) BETWEEN 0 AND 10000 AS finite;
RESET enable_seqscan;

DROP TABLE ivf_p, ivf_p40, ivf_p300, ivf_p_parts, ivf_p_new;
DROP FUNCTION ivf_plan_v;
