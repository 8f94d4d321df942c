-- The bulk build of ivf and ivfflat: what is refused, which rows are in, as many lists as asked for.
SET enable_seqscan = off;
SET client_min_messages = warning;

-- what cannot be built
CREATE TABLE ivf_bad (v vector);
CREATE INDEX ON ivf_bad USING ivfflat (v vector_l2_ops);
CREATE INDEX ON ivf_bad USING ivf (v vector_l2_ops);
DROP TABLE ivf_bad;
CREATE TABLE ivf_bad (v vector(8));
CREATE INDEX ON ivf_bad USING ivf (v vector_l1_ops) WITH (quantizer = rabitq);
CREATE INDEX ON ivf_bad USING ivf (v vector_l2_ops) WITH (quantizer = sq8, rerank = half);
DROP TABLE ivf_bad;

-- pgvector's: a list for each row
CREATE TABLE ivf_rows (v vector(3));
INSERT INTO ivf_rows VALUES ('[0,0,0]'), ('[1,2,3]'), ('[1,1,1]'), (NULL);
CREATE INDEX ivf_rows_index ON ivf_rows USING ivfflat (v vector_l2_ops) WITH (lists = 3);
SET ivfflat.probes = 1;
SELECT * FROM ivf_rows WHERE v IS NOT NULL ORDER BY v <-> '[3,3,3]' LIMIT 1;
SET ivfflat.probes = 3;
SELECT * FROM ivf_rows ORDER BY v <-> '[3,3,3]';
RESET ivfflat.probes;
-- zero vectors have no direction
CREATE INDEX ivf_rows_cosine ON ivf_rows USING ivf (v vector_cosine_ops) WITH (lists = 7);
SELECT * FROM ivf_rows ORDER BY v <=> '[1,1,1]';
DROP TABLE ivf_rows;

-- nothing to build from; rows come later
CREATE TABLE ivf_empty (v vector(3));
CREATE INDEX ON ivf_empty USING ivf (v vector_l2_ops) WITH (lists = 10);
SELECT * FROM ivf_empty ORDER BY v <-> '[1,2,3]';
INSERT INTO ivf_empty VALUES ('[1,2,3]'), ('[4,5,6]');
SELECT * FROM ivf_empty ORDER BY v <-> '[1,2,3]';
DROP TABLE ivf_empty;

-- every quantizer and metric: all rows, the first ten are the nearest, and in order
CREATE TABLE ivf_many (id int, v vector(24));
INSERT INTO ivf_many SELECT i, (SELECT array_agg(sin(i * j * 0.37 + j) + (i % 10) * cos(j)) FROM generate_series(1, 24) j)::vector
	FROM generate_series(1, 3000) i;
ANALYZE ivf_many;
CREATE FUNCTION ivf_try(options text, opclass text, operator text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	nearest int[];
	found int[];
	total int;
	sorted bool;
	query vector := (SELECT v FROM ivf_many WHERE id = 777);
BEGIN
	SET LOCAL enable_seqscan = on;
	EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM ivf_many ORDER BY v %s $1, id LIMIT 10) x', operator)
		INTO nearest USING query;
	SET LOCAL enable_seqscan = off;
	EXECUTE format('CREATE INDEX ivf_many_index ON ivf_many USING %s (v %s) %s', split_part(options, ' ', 1), opclass,
				   substr(options, strpos(options || ' ', ' ')));
	EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM ivf_many ORDER BY v %s $1 LIMIT 10) x', operator)
		INTO found USING query;
	EXECUTE format('SELECT bool_and(d >= before - 1e-9) FROM (SELECT d, coalesce(lag(d) OVER (), d) AS before FROM
		(SELECT v %s $1 AS d FROM ivf_many ORDER BY v %s $1 LIMIT 10) x) y', operator, operator) INTO sorted USING query;
	EXECUTE format('SELECT count(*) FROM (SELECT id FROM ivf_many ORDER BY v %s $1) x', operator) INTO total USING query;
	DROP INDEX ivf_many_index;
	RETURN format('%s %s: %s rows, sorted %s, %s', options, opclass, total, sorted, CASE WHEN
		(SELECT count(*) FROM unnest(found) f WHERE f = ANY (nearest)) >= 9 THEN 'near' ELSE found::text || nearest::text END);
END $$;
SELECT ivf_try(o, 'vector_' || c || '_ops', CASE c WHEN 'l2' THEN '<->' WHEN 'ip' THEN '<#>' ELSE '<=>' END)
	FROM unnest(ARRAY['l2', 'ip', 'cosine']) c, unnest(ARRAY['ivf', 'ivfflat', 'ivf WITH (quantizer = rabitq4)',
		'ivf WITH (quantizer = sq8)', 'ivf WITH (quantizer = pq)', 'ivf WITH (quantizer = half, lists = 30)',
		'ivf WITH (rerank = heap)', 'ivf WITH (rerank = half)', 'ivfflat WITH (lists = 100)']) o;
SELECT ivf_try(o, 'vector_l1_ops', '<+>') FROM unnest(ARRAY['ivf', 'ivfflat', 'ivf WITH (quantizer = half)']) o;

-- rows in a file beside: the same index
SET maintenance_work_mem = '1MB';
SELECT ivf_try('ivf', 'vector_l2_ops', '<->');
SELECT ivf_try('ivfflat WITH (lists = 1000)', 'vector_cosine_ops', '<=>');
RESET maintenance_work_mem;

-- the same rows, the same index, but for the number that tells one build from another (in the metapage)
CREATE INDEX ivf_a ON ivf_many USING ivf (v vector_l2_ops);
SET max_parallel_maintenance_workers = 0;
CREATE INDEX ivf_b ON ivf_many USING ivf (v vector_l2_ops);
SELECT pg_relation_size('ivf_a') = pg_relation_size('ivf_b') AS same_size;
DROP TABLE ivf_many;
DROP FUNCTION ivf_try;

-- unlogged, partial, expression
CREATE UNLOGGED TABLE ivf_some (id int, a float4[]);
INSERT INTO ivf_some SELECT i, ARRAY[i % 17, i % 5, i % 3] FROM generate_series(1, 500) i;
CREATE INDEX ON ivf_some USING ivf ((a::vector(3)) vector_l2_ops) WHERE id % 2 = 0;
SELECT count(*) FROM (SELECT id FROM ivf_some WHERE id % 2 = 0 ORDER BY a::vector(3) <-> '[1,1,1]') x;
DROP TABLE ivf_some;
