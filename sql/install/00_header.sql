-- Refuse to mix with pgvector: both define the same names, and their index formats differ.
DO $check$
DECLARE
    conflict text;
BEGIN
    -- The shim (shim/vector.control) has that name too, but no type.
    IF EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
               WHERE e.extname = 'vector' AND d.deptype = 'e'
                 AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass) THEN
        conflict := 'extension "vector" is installed in this database';
    ELSE
        -- A leftover base type anywhere would be ambiguous; any other type only where ours is to be created.
        SELECT pg_catalog.format('type "%s.vector" already exists', n.nspname) INTO conflict
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typname = 'vector' AND (t.typtype = 'b' OR n.oid = '@extschema@'::pg_catalog.regnamespace)
        ORDER BY n.nspname LIMIT 1;
        IF conflict IS NULL THEN
            SELECT pg_catalog.format('access method "%s" already exists', amname) INTO conflict
            FROM pg_catalog.pg_am WHERE amname IN ('hnsw', 'ivfflat', 'ivf')
            ORDER BY amname LIMIT 1;
        END IF;
    END IF;
    IF conflict IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_object',
            MESSAGE = 'cannot create extension vecdb: ' || conflict,
            DETAIL = 'vecdb provides the types, operators and access methods of pgvector under the same names.',
            HINT = 'Create vecdb in another database and move the tables there with pg_dump or logical replication, see docs/migrate-from-pgvector.md.';
    END IF;
END
$check$;

CREATE SCHEMA vecdb;
COMMENT ON SCHEMA vecdb IS 'vecdb: query API and operations';
GRANT USAGE ON SCHEMA vecdb TO PUBLIC;

