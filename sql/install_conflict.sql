-- CREATE EXTENSION vecdb stops where pgvector's names are taken, and says so; it stays out of the way of others.
SELECT current_database() AS here \gset
CREATE DATABASE regress_vecdb_install TEMPLATE template0;
\c regress_vecdb_install
\set SHOW_CONTEXT never

-- pgvector itself: an extension of that name with a type, wherever that is
CREATE SCHEMA theirs;
CREATE TYPE theirs.vector AS (x real, y real);
ALTER EXTENSION plpgsql ADD TYPE theirs.vector;
UPDATE pg_extension SET extname = 'vector' WHERE extname = 'plpgsql';
CREATE EXTENSION vecdb;
\echo :LAST_ERROR_SQLSTATE
ALTER EXTENSION vector DROP TYPE theirs.vector;
DROP SCHEMA theirs CASCADE;
-- an extension of that name without types: as the shim is
CREATE EXTENSION vecdb;
DROP EXTENSION vecdb;
UPDATE pg_extension SET extname = 'plpgsql' WHERE extname = 'vector';

-- a type of that name where ours is to be
CREATE TYPE vector AS (x real, y real);
CREATE EXTENSION vecdb;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM pg_namespace WHERE nspname = 'vecdb';

-- a base type of that name anywhere
CREATE SCHEMA elsewhere;
CREATE TYPE elsewhere.vector;
CREATE FUNCTION elsewhere.vector_in(cstring) RETURNS elsewhere.vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION elsewhere.vector_out(elsewhere.vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE elsewhere.vector (INPUT = elsewhere.vector_in, OUTPUT = elsewhere.vector_out, LIKE = text);
CREATE SCHEMA ours;
CREATE EXTENSION vecdb SCHEMA ours;
\echo :LAST_ERROR_SQLSTATE
SET client_min_messages = warning;
DROP TYPE elsewhere.vector CASCADE;
RESET client_min_messages;

-- an access method
CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER bthandler;
CREATE EXTENSION vecdb SCHEMA ours;
\echo :LAST_ERROR_SQLSTATE
DROP ACCESS METHOD hnsw;

-- a composite type in another schema is no conflict
CREATE EXTENSION vecdb SCHEMA ours;
SELECT '(1,2)'::vector, '[1,2]'::ours.vector, '[0,0]'::ours.vector OPERATOR(ours.<->) '[3,4]';
SELECT has_schema_privilege('public', 'vecdb', 'USAGE') AS usage, has_schema_privilege('public', 'vecdb', 'CREATE') AS create, obj_description('vecdb'::regnamespace) AS comment;

-- and dropping it leaves nothing behind
DROP EXTENSION vecdb;
SELECT count(*) FROM pg_namespace WHERE nspname = 'vecdb';
SELECT count(*) FROM pg_proc WHERE pronamespace = 'ours'::regnamespace;

\c :here
DROP DATABASE regress_vecdb_install;
