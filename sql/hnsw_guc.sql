-- Settings hnsw.*: defaults, ranges, messages.

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END $$;

-- a setting may be made before the library is loaded, which then looks at it
SET hnsw.ef_search = 77;
SET hnsw.iterative_scan = sometimes;
SET hnsw.no_such_setting = 1;
SELECT '[1]'::vector;
SHOW hnsw.ef_search;
RESET ALL;

SELECT name, setting, vartype, context, min_val, max_val, enumvals, reset_val FROM pg_settings WHERE name LIKE 'hnsw.%' ORDER BY name COLLATE "C";

\x on
SELECT s AS statement, e.* FROM unnest(ARRAY[
    'SET hnsw.ef_search = 0',
    'SET hnsw.ef_search = 1001',
    'SET hnsw.ef_search = many',
    'SET hnsw.iterative_scan = on',
    'SET hnsw.max_scan_tuples = 0',
    'SET hnsw.max_scan_tuples = 2147483648',
    'SET hnsw.scan_mem_multiplier = 0.9',
    'SET hnsw.scan_mem_multiplier = 1001',
    'SET hnsw.ef_serach = 100',
    'SET hnsw.ef_search = 1',
    'SET hnsw.ef_search = 1000',
    'SET hnsw.iterative_scan = off',
    'SET hnsw.iterative_scan = relaxed_order',
    'SET hnsw.iterative_scan = Strict_Order',
    'SET hnsw.max_scan_tuples = 1',
    'SET hnsw.max_scan_tuples = 2147483647',
    'SET hnsw.scan_mem_multiplier = 1',
    'SET hnsw.scan_mem_multiplier = 2.5'
]) s, pg_temp.error_of(s) e;
\x off

SELECT name, setting FROM pg_settings WHERE name LIKE 'hnsw.%' ORDER BY name COLLATE "C";
RESET ALL;
SELECT name, setting FROM pg_settings WHERE name LIKE 'hnsw.%' ORDER BY name COLLATE "C";

-- any user may set them, also for one transaction, function or role
CREATE ROLE hnsw_guc_role;
SET ROLE hnsw_guc_role;
BEGIN;
SET LOCAL hnsw.ef_search = 7;
SHOW hnsw.ef_search;
COMMIT;
SHOW hnsw.ef_search;
RESET ROLE;
DROP ROLE hnsw_guc_role;
CREATE FUNCTION hnsw_guc_f() RETURNS text LANGUAGE sql SET hnsw.ef_search = 9 AS $$ SELECT current_setting('hnsw.ef_search') $$;
SELECT hnsw_guc_f(), current_setting('hnsw.ef_search');
DROP FUNCTION hnsw_guc_f;
