-- The table of errors in docs/query-api.md: each case by each function that can meet it. Listed are those with another SQLSTATE: none.

CREATE TABLE err (id bigint PRIMARY KEY, v vector(2), s sparsevec(9), t text, words tsvector, price int, payload jsonb);
INSERT INTO err SELECT i, ARRAY[i, 1]::vector, ('{1:' || i || '}/9')::sparsevec, 'x' || i, to_tsvector('simple', 'w' || i), i, '{"a": 1}' FROM generate_series(1, 9) i;
INSERT INTO err (id, v) VALUES (10, NULL), (40000, '[1,1]');
CREATE TABLE err_two (a int, b text, v vector(2), PRIMARY KEY (a, b));
CREATE TABLE err_none (id bigint, v vector(2));
CREATE TABLE err_metrics (id bigint PRIMARY KEY, v vector(2));
CREATE INDEX ON err_metrics USING hnsw (v vector_l2_ops);
CREATE INDEX ON err_metrics USING hnsw (v vector_ip_ops);

CREATE FUNCTION err_state(call text, OUT state text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT count(*) FROM vecdb.' || call;
    state := 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
END $$;

CREATE TABLE err_case (wanted text, call text);
-- functions that take k: each with %s for more arguments
CREATE TABLE err_call (call text, has_skip boolean, has_threshold boolean);
INSERT INTO err_call VALUES
    ($$search('err', 'v', NULL::bigint, '[1,2]'%s)$$, true, true), ($$search_batch('err', 'v', NULL::bigint, '{"[1,2]"}'%s)$$, true, false),
    ($$search_sparse('err', 's', NULL::bigint, '{1:1}/9'%s)$$, true, true),
    ($$recommend('err', 'v', ARRAY[1], ARRAY[2]%s)$$, true, true), ($$recommend_vectors('err', 'v', NULL::bigint, '{"[1,2]"}'%s)$$, true, true),
    ($$discover('err', 'v', 1, ARRAY[[2, 3]]%s)$$, true, true), ($$discover_vectors('err', 'v', NULL::bigint, '[1,2]', '{}', '{}'%s)$$, true, true),
    ($$context_search('err', 'v', ARRAY[[2, 3]]%s)$$, true, true), ($$mmr_search('err', 'v', NULL::bigint, '[1,2]'%s)$$, false, false),
    ($$hybrid_search('err', NULL::bigint, '[{"type": "dense", "column": "v", "query": [1, 2]}]'%s)$$, true, false),
    ($$scroll('err', NULL::bigint%s)$$, false, false), ($$facet('err', 't'%s)$$, false, false), ($$sample('err', NULL::bigint%s)$$, false, false);
INSERT INTO err_case
    SELECT '22023', format(call, ', k => 0') FROM err_call UNION ALL SELECT '22023', format(call, ', k => -1') FROM err_call
    UNION ALL SELECT '54000', format(call, ', k => 2000000000') FROM err_call
    UNION ALL SELECT '22023', format(call, ', skip => -1') FROM err_call WHERE has_skip
    UNION ALL SELECT 'none', format(call, ', k => NULL') FROM err_call
    -- filters; search_batch has several
    UNION ALL SELECT state, format(call, format(CASE WHEN call LIKE 'search_batch%' THEN ', filters => ARRAY[%L]::jsonb[]' ELSE ', filter => %L' END, filter))
    FROM err_call, (VALUES ('22023', '{"muss": []}'), ('22023', '{"must": [{"key": "price"}]}'), ('22023', '[]'), ('22023', '{"must": [{"key": "price", "range": {"gt": "x"}}]}'),
        ('none', '{"must": []}')) f(state, filter)
    UNION ALL SELECT '22P02', format(call, CASE WHEN call LIKE 'search_batch%' THEN ', filters => ARRAY[''{''::jsonb]' ELSE ', filter => ''{''' END) FROM err_call
    UNION ALL SELECT '54000', format(call, format(CASE WHEN call LIKE 'search_batch%' THEN ', filters => ARRAY[%L]::jsonb[]' ELSE ', filter => %L' END,
        repeat('{"must": ', 100) || '{}' || repeat('}', 100))) FROM err_call
    -- params
    UNION ALL SELECT '22023', format(call, ', params => ''{"metrik": "l2"}''') FROM err_call WHERE call NOT LIKE 'sample%'
    UNION ALL SELECT '22023', format(call, ', params => ''[]''') FROM err_call;
-- unknown relations, columns, types of columns and keys; no key
INSERT INTO err_case
    SELECT '42P01', replace(format(call, ''), $$'err'$$, $$'err_nowhere'$$) FROM err_call
    UNION ALL SELECT '42703', replace(format(call, ''), $$'v'$$, $$'nix'$$) FROM err_call WHERE call LIKE $$%'v'%$$
    UNION ALL SELECT '42703', replace(format(call, ''), $$'v'$$, $$'ctid'$$) FROM err_call WHERE call LIKE $$%'v'%$$
    UNION ALL SELECT '42804', replace(format(call, ''), $$'v'$$, $$'t'$$) FROM err_call WHERE call LIKE $$%'v'%$$
    UNION ALL SELECT '42804', replace(format(call, ''), 'NULL::bigint', 'NULL::uuid') FROM err_call WHERE call LIKE '%NULL::bigint%'
    UNION ALL SELECT '42830', replace(format(call, ''), $$'err'$$, $$'err_none'$$) FROM err_call WHERE call NOT LIKE 'facet%' AND call NOT LIKE 'search_sparse%' AND call NOT LIKE 'hybrid%'
    UNION ALL SELECT '22023', replace(format(call, ''), $$'err'$$, $$'err_metrics'$$) FROM err_call
        WHERE call ~ '^(search|search_batch|recommend|recommend_vectors|discover|discover_vectors|context_search|mmr_search)\('
    -- a NULL where there is no default
    UNION ALL SELECT '22004', replace(format(call, ''), $$'err'$$, 'NULL') FROM err_call
    UNION ALL SELECT '22004', replace(format(call, ''), $$'v'$$, 'NULL') FROM err_call WHERE call LIKE $$%'v'%$$ AND call NOT LIKE 'hybrid%';
INSERT INTO err_case VALUES
    -- dimensions, elements
    ('22000', $$search('err', 'v', NULL::bigint, '[1,2,3]')$$), ('22000', $$recommend_vectors('err', 'v', NULL::bigint, '{"[1,2,3]"}')$$),
    ('22000', $$mmr_search('err', 'v', NULL::bigint, '[1]')$$), ('22000', $$search_groups('err', 'v', NULL::bigint, '[1]', 't')$$),
    ('22000', $$discover_vectors('err', 'v', NULL::bigint, '[1,2]', '{"[1,2]"}', '{"[1]"}')$$), ('22000', $$search_batch('err', 'v', NULL::bigint, '{"[1,2]", "[1]"}')$$),
    ('22000', $$upsert('err', 'v', ARRAY[1], '{"[1,2,3]"}'::vector[])$$), ('22000', $$search('err', 'v', NULL::bigint, '[NaN,1]')$$),
    ('22000', $$search('err', 'v', NULL::bigint, '[Infinity,1]')$$),
    -- zero under cosine
    ('22023', $$recommend_vectors('err', 'v', NULL::bigint, '{"[0,0]"}')$$), ('22023', $$recommend_vectors('err', 'v', NULL::bigint, '{"[1,0]", "[-1,0]"}')$$),
    -- NULLs in arrays and for queries
    ('22004', $$search('err', 'v', NULL::bigint, NULL)$$), ('22004', $$search_batch('err', 'v', NULL::bigint, '{NULL}')$$), ('22004', $$recommend('err', 'v', ARRAY[NULL, 1]::bigint[], '{}')$$),
    ('22004', $$recommend('err', 'v', NULL::bigint[], '{}')$$), ('22004', $$recommend_vectors('err', 'v', NULL::bigint, '{NULL}')$$), ('22004', $$discover('err', 'v', NULL::bigint, ARRAY[[1, 2]])$$),
    ('22004', $$discover('err', 'v', 1, ARRAY[[1, NULL]])$$), ('22004', $$hybrid_search('err', NULL::bigint, NULL)$$), ('22004', $$delete_points('err', ARRAY[NULL, 1]::bigint[])$$),
    ('22004', $$upsert('err', 'v', ARRAY[NULL]::bigint[], '{"[1,2]"}'::vector[])$$), ('22004', $$search_groups('err', 'v', NULL::bigint, '[1,2]', NULL)$$), ('22004', $$facet('err', NULL)$$),
    -- shapes of arrays, choices
    ('22023', $$recommend('err', 'v', '{}'::bigint[], '{}')$$), ('22023', $$recommend('err', 'v', '{}'::bigint[], ARRAY[1])$$), ('22023', $$recommend('err', 'v', ARRAY[1], '{}', 'median')$$),
    ('none', $$recommend('err', 'v', '{}'::bigint[], ARRAY[1], 'best_score')$$), ('22023', $$context_search('err', 'v', ARRAY[1, 2])$$), ('22023', $$context_search('err', 'v', ARRAY[[1, 2, 3]])$$),
    ('22023', $$discover('err', 'v', 1, ARRAY[[2], [3]])$$), ('22023', $$mmr_search('err', 'v', NULL::bigint, '[1,2]', diversity => 1.5)$$), ('22023', $$mmr_search('err', 'v', NULL::bigint, '[1,2]', diversity => -0.1)$$),
    ('22023', $$mmr_search('err', 'v', NULL::bigint, '[1,2]', diversity => 'NaN')$$), ('22023', $$search_groups('err', 'v', NULL::bigint, '[1,2]', 't', groups => 0)$$),
    ('22023', $$search_groups('err', 'v', NULL::bigint, '[1,2]', 't', group_size => 0)$$), ('22023', $$search('err', 'v', NULL::bigint, '[1,2]', params => '{"metric": "angle"}')$$),
    ('22023', $$hybrid_search('err', NULL::bigint, '[{"type": "dense", "column": "v", "query": [1, 2]}]', 'mean')$$),
    ('22023', $$hybrid_search('err', NULL::bigint, '[{"type": "dense", "column": "v", "query": [1, 2]}]', 'relative_score', fusion_params => '{"alpha": 2}')$$),
    ('22023', $$hybrid_search('err', NULL::bigint, '[{"type": "dense", "column": "v", "query": [1, 2]}]', fusion_params => '{"weights": [1, 2]}')$$),
    ('22023', $$hybrid_search('err', NULL::bigint, '[{"type": "densest", "column": "v", "query": [1, 2]}]')$$), ('22023', $$hybrid_search('err', NULL::bigint, '{}')$$),
    ('42703', $$hybrid_search('err', NULL::bigint, '[{"type": "dense", "column": "nix", "query": [1, 2]}]')$$),
    ('42804', $$hybrid_search('err', NULL::bigint, '[{"type": "dense", "column": "t", "query": [1, 2]}]')$$),
    ('2202E', $$search_batch('err', 'v', NULL::bigint, '{"[1,2]", "[2,3]", "[3,4]"}', filters => ARRAY['{}', '{}']::jsonb[])$$),
    ('2202E', $$upsert('err', 'v', ARRAY[1, 2], '{"[1,2]"}'::vector[])$$), ('2202E', $$upsert('err', 'v', ARRAY[1], '{"[1,2]"}'::vector[], ARRAY['{}', '{}']::jsonb[])$$),
    -- cursors
    ('22023', $$scroll('err', NULL::bigint, after => 'x')$$), ('22023', $$scroll('err', NULL::bigint, after => '')$$),
    ('22023', $$scroll('err', NULL::bigint, after => (SELECT min(cursor) FROM vecdb.scroll('err', NULL::bigint)), descending => true)$$),
    ('22023', $$scroll('err', NULL::bigint, after => (SELECT min(cursor) FROM vecdb.scroll('err', NULL::bigint)), filter => '{"must": [{"key": "price", "range": {"gt": 2}}]}')$$),
    ('none', $$scroll('err', NULL::bigint, after => (SELECT min(cursor) FROM vecdb.scroll('err', NULL::bigint)))$$),
    -- rows and their vectors that are not there
    ('P0002', $$recommend('err', 'v', ARRAY[1, 99], '{}')$$), ('P0002', $$recommend('err', 'v', ARRAY[10], '{}')$$), ('P0002', $$recommend('err', 'v', ARRAY[1], ARRAY[99])$$),
    ('P0002', $$discover('err', 'v', 99, ARRAY[[1, 2]])$$), ('P0002', $$discover('err', 'v', 1, ARRAY[[1, 99]])$$), ('P0002', $$context_search('err', 'v', ARRAY[[1, 10]])$$),
    ('P0002', $$query('err', '{"query": 99, "using": "v"}')$$), ('none', $$delete_points('err', ARRAY[99])$$),
    -- keys
    ('42804', $$recommend('err', 'v', ARRAY['a'], '{}')$$), ('22003', $$search('err', 'v', NULL::smallint, '[1,2]', k => 20)$$),
    ('42830', $$search('err_two', 'v', NULL::int, '[1,2]')$$), ('42703', $$search('err', 'v', NULL::bigint, '[1,2]', params => '{"key_column": "nix"}')$$),
    ('42830', $$search('err', 'v', NULL::text, '[1,2]', params => '{"key_column": "t"}')$$),
    -- the gateway
    ('0A000', $$query('err', '{"query": {"formula": {}}, "using": "v"}')$$), ('22023', $$query('err', '{"query": {"nearest": true}, "using": "v"}')$$), ('22023', $$query('err', '[]')$$),
    ('42703', $$query('err', '{"query": [1, 2], "using": "nix"}')$$), ('22P02', $$query('err', '{"query": "abc", "using": "v"}')$$),
    -- collections
    ('42P07', $$create_collection('err', 2)$$), ('22023', $$create_collection('err_new', 2, 'angle')$$), ('42P01', $$drop_collection('err_nowhere')$$), ('42P01', $$count('err_nowhere')$$),
    ('42P01', $$collection_info('err_nowhere')$$), ('22P02', $$search('err', 'v', NULL::bigint, 'x')$$);
SELECT count(*) AS cases FROM err_case;
SELECT c.wanted, e.state, e.message, c.call FROM err_case c, err_state(c.call) e WHERE e.state <> c.wanted ORDER BY c.call;

-- privileges: a role without SELECT is refused by each, before it learns anything
CREATE ROLE err_nobody;
GRANT EXECUTE ON FUNCTION err_state TO err_nobody;
CREATE TABLE err_call_all AS SELECT format(call, '') AS call FROM err_call
    UNION ALL VALUES ($$search_groups('err', 'v', NULL::bigint, '[1,2]', 't')$$), ($$count('err')$$), ($$count('err', exact => false)$$), ($$facet('err', 'nix')$$),
        ($$filter_sql('err', '{"must": [{"key": "nix", "match": {"value": 1}}]}')$$), ($$collection_info('err')$$), ($$upsert('err', 'v', ARRAY[1], '{"[1,2]"}'::vector[])$$),
        ($$upsert_rows('err', '[{"id": 1}]')$$), ($$delete_points('err', ARRAY[1])$$), ($$query('err', '{"query": [1, 2], "using": "v"}')$$), ($$search('err', 'nix', NULL::uuid, '[1]')$$);
GRANT SELECT ON err_call_all TO err_nobody;
SET ROLE err_nobody;
SELECT e.state, e.message, c.call FROM err_call_all c, err_state(c.call) e WHERE e.state <> '42501' ORDER BY c.call;
RESET ROLE;

DROP TABLE err, err_two, err_none, err_metrics, err_case, err_call, err_call_all;
DROP FUNCTION err_state;
DROP ROLE err_nobody;
