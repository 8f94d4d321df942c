-- vecdb.count, sample, delete_points, expire_rows.

CREATE FUNCTION row_error(statement text) RETURNS TABLE (state text, message text, detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT 'ok', '', '';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT;
END $$;
CREATE TABLE rws (id int PRIMARY KEY, i int, payload jsonb) WITH (autovacuum_enabled = off);
INSERT INTO rws SELECT s, nullif((hashint4(s) & 65535) % 7, 0), jsonb_build_object('g', s % 5) FROM generate_series(1, 3000) s;
ANALYZE rws;

-- --- count ---
SELECT vecdb.count('rws'), vecdb.count('rws', '{}') AS empty, vecdb.count('rws', NULL, NULL, NULL) AS nulls,
    vecdb.count('rws', '{"must": [{"key": "g", "match": {"value": 3}}]}') AS payload,
    vecdb.count('rws', '{"must_not": [{"key": "i", "match": {"value": 3}}]}') = (SELECT count(*) FROM rws WHERE i IS DISTINCT FROM 3) AS negative,
    vecdb.count(exact => true, filter => '{"must": [{"key": "i", "range": {"gt": 3}}]}', rel => 'rws') = (SELECT count(*) FROM rws WHERE i > 3) AS named;
-- expected by the planner, whose sample was the whole table here
SELECT vecdb.count('rws', exact => false),
    vecdb.count('rws', '{"must": [{"key": "i", "match": {"value": 3}}]}', false) BETWEEN (SELECT 0.9 * count(*) FROM rws WHERE i = 3) AND (SELECT 1.1 * count(*) FROM rws WHERE i = 3) AS near;
-- statistics grow old; a table that is small is counted
INSERT INTO rws SELECT s, -1, '{}' FROM generate_series(3001, 3010) s;
SELECT vecdb.count('rws', '{"must": [{"key": "i", "match": {"value": -1}}]}', false) AS not_known_yet, vecdb.count('rws', '{"must": [{"key": "i", "match": {"value": -1}}]}') AS exact;
DELETE FROM rws WHERE id > 3000;
CREATE TABLE row_small (id int PRIMARY KEY);
SELECT vecdb.count('row_small', exact => false);
INSERT INTO row_small SELECT generate_series(1, 9);
SELECT vecdb.count('row_small', exact => false);
CREATE TABLE row_part (id int, x timestamptz, v vector(2), PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE row_part_1 PARTITION OF row_part FOR VALUES FROM (0) TO (3000);
CREATE TABLE row_part_2 PARTITION OF row_part FOR VALUES FROM (3000) TO (10000);
INSERT INTO row_part SELECT s, CASE s % 4 WHEN 0 THEN now() - interval '1 day' WHEN 1 THEN now() + interval '1 day' WHEN 2 THEN 'infinity' END FROM generate_series(0, 4999) s;
ANALYZE row_part;
SELECT vecdb.count('row_part'), vecdb.count('row_part', exact => false);
CREATE VIEW row_view AS SELECT * FROM rws;
SELECT vecdb.count('row_view'), e.* FROM row_error($$SELECT vecdb.count('row_view', exact => false)$$) e;
CREATE MATERIALIZED VIEW row_mat AS SELECT * FROM rws;
ANALYZE row_mat;
SELECT vecdb.count('row_mat'), vecdb.count('row_mat', exact => false);

-- --- sample: k of the rows, each once ---
SELECT count(*), count(DISTINCT id), bool_and(id BETWEEN 1 AND 3000) FROM vecdb.sample('rws', NULL::int, 100);
SELECT count(*), count(DISTINCT id) FROM vecdb.sample('rws', NULL::int, 5000);
SELECT count(*) FROM vecdb.sample('rws', NULL::int);
SELECT count(*), bool_and(i = 3) FROM vecdb.sample('rws', NULL::rws, 50, '{"must": [{"key": "i", "match": {"value": 3}}]}');
-- others in each call, the same ones for a seed, wherever the rows lie
SELECT array_agg(id) <> (SELECT array_agg(id) FROM vecdb.sample('rws', NULL::int, 20)) AS others FROM vecdb.sample('rws', NULL::int, 20);
CREATE TABLE row_sampled AS SELECT id, ordinality FROM vecdb.sample('rws', NULL::int, 20, seed => 0.5) WITH ORDINALITY;
UPDATE rws SET i = i WHERE id % 3 = 0;
VACUUM FULL rws;
SELECT array_agg(id) = (SELECT array_agg(id ORDER BY ordinality) FROM row_sampled) AS same FROM vecdb.sample('rws', NULL::int, 20, seed => 0.5);
SELECT array_agg(id) <> (SELECT array_agg(id ORDER BY ordinality) FROM row_sampled) AS others FROM vecdb.sample('rws', NULL::int, 20, seed => 0.25);
SELECT array_agg(a.id) = (SELECT array_agg(id) FROM vecdb.sample('rws', NULL::int, 20, seed => '-0')) AS same FROM vecdb.sample('rws', NULL::int, 20, seed => 0) a;
-- fewer of the same seed are the first of them
SELECT array_agg(id) = (SELECT array_agg(id ORDER BY ordinality) FROM row_sampled WHERE ordinality <= 5) AS first FROM vecdb.sample('rws', NULL::int, 5, seed => 0.5);
-- each row, each pair of rows and each place as often as any other: chi-squared of 2000 samples of 3 out of 9 rows, below what fair ones
-- hardly ever exceed
CREATE TABLE row_picks AS SELECT s, p.id, p.n FROM generate_series(1, 2000) s, vecdb.sample('row_small', NULL::int, 3, seed => s) WITH ORDINALITY p(id, n);
SELECT sum((n - 2000 / 3.0) ^ 2 / (2000 / 3.0)) < 31.8 * 6 / 9 AS rows FROM (SELECT count(*) AS n FROM row_picks GROUP BY id) c;
SELECT sum((n - 6000 / 36.0) ^ 2 / (6000 / 36.0)) < 73 AS pairs FROM (SELECT count(*) AS n FROM row_picks a JOIN row_picks b USING (s) WHERE a.id < b.id GROUP BY a.id, b.id) c;
SELECT n, sum((c - 2000 / 9.0) ^ 2 / (2000 / 9.0)) < 31.8 AS places FROM (SELECT n, count(*) AS c FROM row_picks GROUP BY n, id) c GROUP BY n ORDER BY n;
-- keys of several columns, and of types that cannot be hashed
CREATE TABLE row_two (a text, b uuid, PRIMARY KEY (a, b));
INSERT INTO row_two SELECT s % 3, md5(s::text)::uuid FROM generate_series(1, 30) s;
CREATE TYPE row_key AS (a text, b uuid);
SELECT count(DISTINCT (a, b)), min(a), max(a) FROM vecdb.sample('row_two', NULL::row_key, 20, seed => 1);
CREATE TABLE row_bits (b bit(8) PRIMARY KEY);
INSERT INTO row_bits SELECT i::bit(8) FROM generate_series(0, 255) i;
SELECT count(DISTINCT id) FROM vecdb.sample('row_bits', NULL::bit, 20, seed => 1);
SELECT count(*) FROM vecdb.sample('row_part', NULL::int, 20);
SELECT call, e.state, e.message FROM unnest(ARRAY[$$SELECT vecdb.sample('rws', NULL::int, 5, seed => 'NaN')$$, $$SELECT vecdb.sample('rws', NULL::int, 5, seed => '-inf')$$,
    $$SELECT vecdb.sample('rws', NULL::int, 0)$$, $$SELECT vecdb.sample(NULL, NULL::int)$$, $$SELECT vecdb.sample('row_view', NULL::int)$$, $$SELECT vecdb.sample('rws', NULL::uuid)$$,
    $$SELECT vecdb.count(NULL)$$, $$SELECT vecdb.count('no_such')$$]) WITH ORDINALITY c(call, n), row_error(call) e ORDER BY n;

-- --- delete_points: keys of no row are no error ---
SELECT vecdb.delete_points('rws', '{1,2,2,99999}'::int[]), vecdb.delete_points('rws', '{3,4}'::bigint[]), vecdb.delete_points('rws', ARRAY[]::int[]) AS none, vecdb.delete_points('rws', '{}') AS literal;
SELECT vecdb.count('rws'), min(id) FROM rws;
SELECT vecdb.delete_points('row_two', ARRAY[('1', md5('1')::uuid), ('1', md5('2')::uuid)]::row_key[]), vecdb.count('row_two');
SELECT vecdb.delete_points('row_part', ids => '{10,4000}'::int[]), vecdb.count('row_part');
SELECT vecdb.delete_points('rws', ARRAY[9999999999]::bigint[]) AS too_large_for_int;
SELECT call, e.state, e.message FROM unnest(ARRAY[$$SELECT vecdb.delete_points('rws', '{1,NULL}'::int[])$$, $$SELECT vecdb.delete_points('rws', NULL::int[])$$, $$SELECT vecdb.delete_points(NULL, '{1}'::int[])$$,
    $$SELECT vecdb.delete_points('rws', '{1}')$$, $$SELECT vecdb.delete_points('rws', '{a}'::text[])$$, $$SELECT vecdb.delete_points('row_view', '{1}'::int[])$$]) WITH ORDINALITY c(call, n), row_error(call) e ORDER BY n;

-- --- expire_rows: what is due, a transaction a batch ---
CALL vecdb.expire_rows('row_part', 'x', 100);
SELECT count(*), count(*) FILTER (WHERE x <= now()) AS due, count(*) FILTER (WHERE x IS NULL) AS never FROM row_part;
CALL vecdb.expire_rows('row_part', 'x');
-- the very second is due
BEGIN;
INSERT INTO row_part VALUES (4000, now()), (4004, now() + interval '1 hour');
COMMIT;
CALL vecdb.expire_rows(batch => 1, col => 'x', rel => 'row_part');
SELECT count(*) FROM row_part WHERE id IN (4000, 4004);
-- batches are committed each by itself: what fails takes back its own
CREATE FUNCTION row_stop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.id = 2500 THEN RAISE 'not this one'; END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER t BEFORE DELETE ON row_part FOR EACH ROW EXECUTE FUNCTION row_stop();
UPDATE row_part SET x = now() WHERE id BETWEEN 2001 AND 2900 AND id % 2 = 0;
INSERT INTO row_part VALUES (2500, now()) ON CONFLICT (id) DO UPDATE SET x = now();
CALL vecdb.expire_rows('row_part', 'x', 50);
SELECT count(*) BETWEEN 1 AND 176 AS some_left, count(*) FILTER (WHERE id = 2500) AS that_one FROM row_part WHERE x <= now();
DROP TRIGGER t ON row_part;
CALL vecdb.expire_rows('row_part', 'x', 50);
SELECT count(*) FROM row_part WHERE x <= now();
-- from a procedure, where that may commit
DO $$ DECLARE n bigint; BEGIN CALL vecdb.expire_rows('row_part', 'x', 10, n); RAISE NOTICE '% rows', n; END $$;
BEGIN;
CALL vecdb.expire_rows('row_part', 'x');
ROLLBACK;
SELECT state, message FROM row_error($$CALL vecdb.expire_rows('row_part', 'x')$$);
CREATE TABLE "row ""T" (id int, "e x" timestamptz);
INSERT INTO "row ""T" SELECT i, now() FROM generate_series(1, 10) i;
CALL vecdb.expire_rows('"row ""T"', 'e x');
CALL vecdb.expire_rows('rws', 'i');
CALL vecdb.expire_rows('rws', 'x; DROP TABLE rws');
CALL vecdb.expire_rows('rws', NULL);
CALL vecdb.expire_rows(NULL, 'x');
CALL vecdb.expire_rows('row_part', 'x', 0);
CALL vecdb.expire_rows('row_view', 'i');

-- --- privileges and policies: what is hidden is not there ---
CREATE ROLE row_role;
SET ROLE row_role;
SELECT call, e.state FROM unnest(ARRAY[$$SELECT vecdb.count('rws')$$, $$SELECT vecdb.count('rws', exact => false)$$, $$SELECT vecdb.sample('rws', NULL::int)$$, $$SELECT vecdb.delete_points('rws', '{7}'::int[])$$]) WITH ORDINALITY c(call, n), row_error(call) e ORDER BY n;
CALL vecdb.expire_rows('row_part', 'x');
RESET ROLE;
GRANT SELECT ON rws, row_part TO row_role;
SET ROLE row_role;
SELECT state, message FROM row_error($$SELECT vecdb.delete_points('rws', '{7}'::int[])$$);
CALL vecdb.expire_rows('row_part', 'x');
RESET ROLE;
GRANT DELETE ON rws, row_part TO row_role;
ALTER TABLE rws ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON rws TO row_role USING (id % 10 = 0);
SET ROLE row_role;
SELECT vecdb.count('rws'), vecdb.count('rws', exact => false) < 1000 AS estimated, vecdb.delete_points('rws', '{10,11,20}'::int[]) AS deleted;
SELECT bool_and(id % 10 = 0), count(*) FROM vecdb.sample('rws', NULL::int, 1000);
CALL vecdb.expire_rows('row_part', 'x');
RESET ROLE;
SELECT count(*) FROM rws WHERE id IN (10, 11, 20);

DROP MATERIALIZED VIEW row_mat;
DROP VIEW row_view;
DROP TABLE rws, row_small, row_part, row_sampled, row_picks, row_two, row_bits, "row ""T";
DROP TYPE row_key;
DROP FUNCTION row_error, row_stop;
DROP ROLE row_role;
