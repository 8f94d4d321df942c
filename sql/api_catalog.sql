-- The query API as the catalogue has it: names and defaults of arguments, columns of answers, volatility, parallel safety, comments, privileges.

CREATE TEMP VIEW member AS
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'vecdb'
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e';
CREATE TEMP VIEW function AS
    SELECT p.* FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

-- what users call: as docs/query-api.md has it
\pset format unaligned
SELECT format('%s%s(%s)%s  %s, parallel %s%s', CASE p.prokind WHEN 'w' THEN 'window ' WHEN 'a' THEN 'aggregate ' WHEN 'p' THEN 'procedure ' END, p.proname,
        replace(replace(pg_get_function_arguments(p.oid), 'double precision', 'float8'), 'character varying', 'varchar'),
        ' ' || replace(pg_get_function_result(p.oid), 'double precision', 'float8'),
        CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
        CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END, CASE WHEN p.proisstrict THEN ', strict' END) AS function
FROM function p
WHERE pronamespace = 'vecdb'::regnamespace AND proname !~ '_(support|in|out|recv|send|step|combine|serialize|deserialize|final)$'
    AND NOT 'internal'::regtype = ANY (proargtypes)
ORDER BY p.proname COLLATE "C", pg_get_function_arguments(p.oid) COLLATE "C";
\pset format aligned

-- what follows lists what is wrong: no rows
-- a function that runs as its owner, changes settings (but for a path that keeps others out), claims to be leakproof, or is in a language that is not trusted to stay
SELECT oid::regprocedure FROM function WHERE prosecdef OR proconfig <> '{"search_path=pg_catalog, pg_temp"}' OR proleakproof
    OR prolang NOT IN (SELECT oid FROM pg_language WHERE lanname IN ('c', 'sql', 'internal'));
-- one that may not be called by all but is not said to be, or has an argument without a name
SELECT oid::regprocedure, proacl FROM function WHERE proacl IS NOT NULL AND NOT has_function_privilege('pg_monitor', oid, 'EXECUTE');
SELECT oid::regprocedure FROM function p
WHERE pronamespace = 'vecdb'::regnamespace AND proname !~ '_(support|in|out|recv|send|step|combine|serialize|deserialize|final)$'
    AND prokind <> 'a' AND prorettype <> 'trigger'::regtype AND proname NOT IN ('query_distance')
    AND NOT 'internal'::regtype = ANY (proargtypes) AND pronargs > 0 AND (proargnames IS NULL OR '' = ANY (proargnames));
-- an argument that cannot be reached by its name: a reserved word
SELECT DISTINCT p.proname, a.name FROM function p, unnest(p.proargnames) a(name) JOIN pg_get_keywords() k ON k.word = a.name
WHERE p.pronamespace = 'vecdb'::regnamespace AND k.catcode = 'R' AND a.name NOT IN ('left', 'right');
-- a set of rows without an estimate of their number; a function over a relation that claims to be immutable
SELECT oid::regprocedure, prorows FROM function WHERE pronamespace = 'vecdb'::regnamespace AND proretset AND provolatile = 'i';
SELECT oid::regprocedure FROM function WHERE 'regclass'::regtype = ANY (proargtypes) AND (provolatile = 'i' OR proparallel = 's');
-- an operator whose function is not the extension's, or that is in another schema than the types
SELECT o.oid::regoperator FROM pg_operator o JOIN member m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
WHERE o.oprcode NOT IN (SELECT oid FROM function) OR o.oprnamespace <> (SELECT extnamespace FROM pg_extension WHERE extname = 'vecdb');
-- something without a comment (types of arrays and of views have none)
SELECT pg_describe_object(classid, objid, 0) AS without_comment FROM member
WHERE classid NOT IN ('pg_opfamily'::regclass, 'pg_rewrite'::regclass)
    AND NOT EXISTS (SELECT FROM pg_type t WHERE classid = 'pg_type'::regclass AND t.oid = objid AND (t.typelem <> 0 OR t.typrelid <> 0))
    AND coalesce(obj_description(objid, classid::regclass::name), '') = '';
-- something in schema vecdb that is not the extension's, or the other way round
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'vecdb'::regnamespace AND p.oid NOT IN (SELECT oid FROM function);
SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'vecdb'::regnamespace AND c.relkind <> 'i'
    AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid) AND c.reltype NOT IN
    (SELECT objid FROM member WHERE classid = 'pg_type'::regclass);

-- anyone may look into the schema and make nothing in it; views are for all to read and for none to change
CREATE ROLE api_catalog_nobody;
SELECT has_schema_privilege('api_catalog_nobody', 'vecdb', 'USAGE') AS usage, has_schema_privilege('api_catalog_nobody', 'vecdb', 'CREATE') AS makes;
SELECT c.relname, has_table_privilege('api_catalog_nobody', c.oid, 'SELECT') AS reads, has_table_privilege('api_catalog_nobody', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS writes
FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid ORDER BY 1;
SELECT count(*) FILTER (WHERE NOT has_function_privilege('api_catalog_nobody', oid, 'EXECUTE')) AS not_for_all FROM function;
DROP ROLE api_catalog_nobody;
DROP VIEW function, member;
