-- Every message of type vector with its SQLSTATE, detail and hint: clients match on them.

CREATE FUNCTION pg_temp.error_of(statement text, OUT state text, OUT message text, OUT detail text, OUT hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    message := 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
END $$;

\pset null '-'
\x on
SELECT s AS statement, e.* FROM unnest(ARRAY[
    -- operands
    $$SELECT '[1,2]'::vector <-> '[1]'$$,
    $$SELECT '[1,2]'::vector <#> '[1]'$$,
    $$SELECT '[1,2]'::vector <=> '[1]'$$,
    $$SELECT '[1,2]'::vector <+> '[1]'$$,
    $$SELECT '[1,2]'::vector + '[1]'$$,
    $$SELECT vector_l2_squared_distance('[1,2]', '[1]')$$,
    $$SELECT vector_spherical_distance('[1,2]', '[1]')$$,
    $$SELECT sum(v) FROM unnest('{"[1,2]","[1]"}'::vector[]) v$$,
    -- value against type modifier
    $$SELECT '[1,2]'::vector(3)$$,
    $$SELECT ARRAY[1,2]::vector(3)$$,
    $$SELECT avg(v) FROM unnest('{"[1,2]","[1]"}'::vector[]) v$$,
    -- size
    $$SELECT '[]'::vector$$,
    $$SELECT '{}'::int[]::vector$$,
    $$SELECT subvector('[1,2]'::vector, 3, 1)$$,
    $$SELECT vector_avg('{1}')$$,
    $$SELECT ('[' || repeat('1,', 16000) || '1]')::vector$$,
    $$SELECT array_fill(1, ARRAY[16001])::vector$$,
    $$SELECT array_fill(1, ARRAY[16000])::vector || '[1]'$$,
    -- value
    $$SELECT '[NaN]'::vector$$,
    $$SELECT '[Infinity]'::vector$$,
    $$SELECT '{NaN}'::real[]::vector$$,
    $$SELECT '{Infinity}'::real[]::vector$$,
    $$SELECT '{4e38}'::float8[]::vector$$,
    $$SELECT '{4e38}'::numeric[]::vector$$,
    $$SELECT '[1,-4e38]'::vector$$,
    -- syntax
    $$SELECT '1,2'::vector$$,
    $$SELECT '[1,2]]'::vector$$,
    $$SELECT '[1,2'::vector$$,
    $$SELECT '[1,]'::vector$$,
    $$SELECT '[hello]'::vector$$,
    -- type modifier
    $$SELECT '[1]'::vector(1, 2)$$,
    $$SELECT '[1]'::vector(0)$$,
    $$SELECT '[1]'::vector(16001)$$,
    $$CREATE TEMP TABLE errors_t (v vector(-1))$$,
    -- arrays
    $$SELECT '{{1}}'::int[]::vector$$,
    $$SELECT '{NULL}'::int[]::vector$$,
    -- arithmetic
    $$SELECT '[3e38]'::vector + '[3e38]'$$,
    $$SELECT '[3e38]'::vector - '[-3e38]'$$,
    $$SELECT '[3e38]'::vector * '[3e38]'$$,
    $$SELECT '[1e-30]'::vector * '[1e-30]'$$,
    -- aggregate state
    $$SELECT vector_accum('{}', '[1]')$$,
    $$SELECT vector_combine('{0}', '{NULL}')$$,
    $$SELECT vector_avg('{{1}}')$$,
    $$SELECT vector_accum('{1,Infinity}', '[1]')$$,
    $$SELECT vector_combine('{1,1.7e308}', '{1,1.7e308}')$$
]) WITH ORDINALITY t(s, n), LATERAL pg_temp.error_of(s) e ORDER BY n;
\x off
\pset null ''

-- the message quotes the whole input, however long
SELECT length(message), right(message, 12) FROM pg_temp.error_of('SELECT ''[' || repeat('1.25,', 2000) || 'x]''::vector');
SELECT length(message), left(message, 12), right(message, 35) FROM pg_temp.error_of('SELECT ''[' || repeat('9', 500) || ']''::vector');

-- an array of a type that has no cast
SELECT (e).message FROM (SELECT pg_temp.error_of('SELECT ARRAY[1,2]::smallint[]::vector') AS e) t;

DROP FUNCTION pg_temp.error_of(text);
