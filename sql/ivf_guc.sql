-- Settings ivfflat.* and vecdb.ivf_probes: defaults, ranges, messages.

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END $$;

-- a setting may be made before the library is loaded, which then looks at it
SET ivfflat.probes = 77;
SET ivfflat.iterative_scan = strict_order;
SET ivfflat.no_such_setting = 1;
SELECT '[1]'::vector;
SHOW ivfflat.probes;
RESET ALL;

SELECT name, setting, vartype, context, min_val, max_val, enumvals, reset_val FROM pg_settings
WHERE name LIKE 'ivf%' OR name = 'vecdb.ivf_probes' ORDER BY name COLLATE "C";

\x on
SELECT s AS statement, e.* FROM unnest(ARRAY[
    'SET ivfflat.probes = 0',
    'SET ivfflat.probes = 32769',
    'SET ivfflat.probes = many',
    'SET ivfflat.iterative_scan = on',
    'SET ivfflat.max_probes = 0',
    'SET ivfflat.max_probes = 32769',
    'SET vecdb.ivf_probes = -1',
    'SET vecdb.ivf_probes = 32769',
    'SET ivfflat.prboes = 10',
    'SET ivf.probes = 10',
    'SET ivfflat.probes = 1',
    'SET ivfflat.probes = 32768',
    'SET ivfflat.iterative_scan = off',
    'SET ivfflat.iterative_scan = Relaxed_Order',
    'SET ivfflat.max_probes = 1',
    'SET ivfflat.max_probes = 32768',
    'SET vecdb.ivf_probes = 0',
    'SET vecdb.ivf_probes = 32768'
]) s, pg_temp.error_of(s) e;
\x off
RESET ALL;

-- --- who has set ivfflat.probes: an index goes by it only where somebody did ---

CREATE TABLE ivf_g (e vector(2)) WITH (autovacuum_enabled = off);
INSERT INTO ivf_g SELECT ('[' || i % 200 || ',' || i / 200 || ']')::vector FROM generate_series(0, 19999) i;
CREATE INDEX ivf_g_e ON ivf_g USING ivfflat (e) WITH (lists = 100);
CREATE FUNCTION pg_temp.probes() RETURNS text LANGUAGE sql AS
$$ SELECT CASE (parameters->'probes')::int WHEN 1 THEN '1' WHEN 77 THEN '77' WHEN 88 THEN '88' ELSE 'measured' END
   FROM vecdb.index_info('ivf_g_e') $$;
SELECT pg_temp.probes();
SET ivfflat.probes = 1;
SELECT pg_temp.probes();
RESET ivfflat.probes;
SELECT pg_temp.probes();
SET ivfflat.probes = 77;
SELECT pg_temp.probes();
SET ivfflat.probes TO DEFAULT;
SELECT pg_temp.probes();
BEGIN;
SET LOCAL ivfflat.probes = 77;
SAVEPOINT s;
SET ivfflat.probes = 88;
SELECT pg_temp.probes();
ROLLBACK TO s;
SELECT pg_temp.probes();
COMMIT;
SELECT pg_temp.probes();
CREATE FUNCTION ivf_g_f() RETURNS text LANGUAGE plpgsql SET ivfflat.probes = 88 AS $$ BEGIN RETURN pg_temp.probes(); END $$;
SELECT ivf_g_f(), pg_temp.probes();
DROP FUNCTION ivf_g_f;
-- a database's setting is somebody's
SELECT current_database() AS here \gset
ALTER DATABASE :"here" SET ivfflat.probes = 1;
\c
SELECT (parameters->'probes')::int AS probes FROM vecdb.index_info('ivf_g_e');
SET ivfflat.probes = 88;
RESET ivfflat.probes;
SELECT (parameters->'probes')::int AS probes FROM vecdb.index_info('ivf_g_e');
ALTER DATABASE :"here" RESET ivfflat.probes;
\c
SELECT (parameters->'probes')::int > 1 AS measured FROM vecdb.index_info('ivf_g_e');
-- vecdb.ivf_probes comes first; there are no more lists than there are
SET ivfflat.probes = 77;
SET vecdb.ivf_probes = 88;
SELECT (parameters->'probes')::int AS probes FROM vecdb.index_info('ivf_g_e');
SET vecdb.ivf_probes = 1000;
SELECT (parameters->'probes')::int AS probes FROM vecdb.index_info('ivf_g_e');
RESET vecdb.ivf_probes;
SELECT (parameters->'probes')::int AS probes FROM vecdb.index_info('ivf_g_e');
-- any user may set them
CREATE ROLE ivf_guc_role;
SET ROLE ivf_guc_role;
SET ivfflat.probes = 7;
SET vecdb.ivf_probes = 7;
RESET ROLE;
DROP ROLE ivf_guc_role;
DROP TABLE ivf_g;
