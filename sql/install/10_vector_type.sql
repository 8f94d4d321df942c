CREATE TYPE vector;

CREATE FUNCTION vector_in(cstring, oid, integer) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_in';
COMMENT ON FUNCTION vector_in(cstring, oid, integer) IS 'text input';

CREATE FUNCTION vector_out(vector) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_out';
COMMENT ON FUNCTION vector_out(vector) IS 'text output';

CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_typmod_in';
COMMENT ON FUNCTION vector_typmod_in(cstring[]) IS 'type modifier input';

CREATE FUNCTION vector_recv(internal, oid, integer) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_recv';
COMMENT ON FUNCTION vector_recv(internal, oid, integer) IS 'binary input';

CREATE FUNCTION vector_send(vector) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_send';
COMMENT ON FUNCTION vector_send(vector) IS 'binary output';

CREATE TYPE vector (
    INPUT = vector_in,
    OUTPUT = vector_out,
    TYPMOD_IN = vector_typmod_in,
    RECEIVE = vector_recv,
    SEND = vector_send,
    STORAGE = external
);
COMMENT ON TYPE vector IS 'vector of float32 elements, 1 to 16000 dimensions';

