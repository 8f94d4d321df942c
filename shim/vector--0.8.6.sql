\echo Use "CREATE EXTENSION vector" to load this file. \quit

-- Creates vecdb in the schema of this extension where it is not there yet. The extension itself has no objects.
CREATE FUNCTION @extschema@.vecdb_shim_create() RETURNS void LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'vecdb_shim_create';
SELECT @extschema@.vecdb_shim_create();
DROP FUNCTION @extschema@.vecdb_shim_create();
