-- Storage parameters of ivf and ivfflat: defaults, ranges, what goes together.

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END $$;

SET client_min_messages = warning;
CREATE TABLE ivf_o (e vector(20)) WITH (autovacuum_enabled = off);
INSERT INTO ivf_o SELECT array_agg((hashint4(i * 32 + d) & 1023) / 1024.0)::vector FROM generate_series(1, 300) i, generate_series(1, 20) d GROUP BY i;

-- --- what is not given is chosen ---
CREATE FUNCTION pg_temp.chosen(method text, class text, options text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('CREATE INDEX ivf_o_i ON ivf_o USING %s (e %s) %s', method, class, 'WITH (' || nullif(options, '') || ')');
    SELECT i.storage || ' ' || (parameters - '{probes,measured_probes,splits,format,quantizer,rerank}'::text[])::text INTO result FROM vecdb.index_info('ivf_o_i') i;
    DROP INDEX ivf_o_i;
    RETURN result;
END $$;
SELECT m AS method, c AS class, pg_temp.chosen(m, c)
FROM unnest('{ivf,ivfflat}'::text[]) m, unnest('{vector_l2_ops,vector_ip_ops,vector_cosine_ops,vector_l1_ops}'::text[]) c;

-- --- every value ---
SELECT o AS options, pg_temp.chosen('ivf', 'vector_l2_ops', o) FROM unnest(ARRAY[
    'quantizer = auto', 'quantizer = rabitq', 'quantizer = rabitq, rerank = half', 'quantizer = rabitq, rerank = heap',
    'quantizer = rabitq, rerank = none', 'quantizer = rabitq4', 'quantizer = rabitq4, rerank = heap', 'quantizer = sq8', 'quantizer = half',
    'quantizer = none', 'quantizer = pq', 'quantizer = pq, pq_bits = 8', 'quantizer = pq, pq_segments = 4, rerank = heap',
    'quantizer = pq, pq_segments = 3', 'lists = 1', 'lists = 7, quantizer = sq8', 'lists = 0', 'rerank = heap']) o;
SELECT pg_temp.chosen('ivfflat', 'vector_l2_ops', 'quantizer = rabitq, lists = 3');
SELECT pg_temp.chosen('ivf', 'vector_l1_ops', 'quantizer = half');

-- --- what is no value, and what does not go together ---
\x on
SELECT o AS options, e.* FROM unnest(ARRAY['lists = -1', 'lists = 32769', 'lists = some', 'quantizer = bit', 'quantizer = rabitq8', 'rerank = yes',
    'pq_bits = 5', 'pq_segments = 449', 'pq_segments = 8', 'quantizer = pq, pq_segments = 64', 'quantizer = pq, pq_bits = 8, pq_segments = 300',
    'quantizer = none, rerank = sq8', 'quantizer = rabitq4, rerank = half', 'm = 16']) o,
    pg_temp.error_of('CREATE INDEX ON ivf_o USING ivf (e vector_l2_ops) WITH (' || o || ')') e;
SELECT o AS options, e.* FROM unnest(ARRAY['quantizer = rabitq', 'quantizer = rabitq4', 'quantizer = pq']) o,
    pg_temp.error_of('CREATE INDEX ON ivf_o USING ivf (e vector_l1_ops) WITH (' || o || ')') e;
\x off

-- --- columns that cannot be indexed ---
CREATE TABLE ivf_o2 (f vector, e vector(3));
CREATE INDEX ON ivf_o2 USING ivfflat (f);
CREATE INDEX ON ivf_o2 USING ivf (f);
CREATE INDEX ON ivf_o2 USING ivf ((f::vector(3)));

-- --- options take effect when the index is made; later changes wait for REINDEX ---
CREATE INDEX ivf_o_i ON ivf_o USING ivf (e) WITH (quantizer = sq8, lists = 3);
SELECT storage, lists FROM vecdb.index_info('ivf_o_i');
ALTER INDEX ivf_o_i SET (quantizer = half, lists = 5);
SELECT storage, lists FROM vecdb.index_info('ivf_o_i');
REINDEX INDEX ivf_o_i;
SELECT storage, lists FROM vecdb.index_info('ivf_o_i');
ALTER INDEX ivf_o_i RESET (quantizer, lists);
SELECT reloptions FROM pg_class WHERE oid = 'ivf_o_i'::regclass;
ALTER INDEX ivf_o_i SET (lists = 32769);

DROP TABLE ivf_o, ivf_o2;
