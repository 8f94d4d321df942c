-- type sparsevec: the elements other than 0 of a vector of many dimensions

CREATE TYPE sparsevec;

CREATE FUNCTION sparsevec_in(cstring, oid, integer) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_in';
COMMENT ON FUNCTION sparsevec_in(cstring, oid, integer) IS 'text input';

CREATE FUNCTION sparsevec_out(sparsevec) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_out';
COMMENT ON FUNCTION sparsevec_out(sparsevec) IS 'text output';

CREATE FUNCTION sparsevec_typmod_in(cstring[]) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_typmod_in';
COMMENT ON FUNCTION sparsevec_typmod_in(cstring[]) IS 'type modifier input';

CREATE FUNCTION sparsevec_recv(internal, oid, integer) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_recv';
COMMENT ON FUNCTION sparsevec_recv(internal, oid, integer) IS 'binary input';

CREATE FUNCTION sparsevec_send(sparsevec) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_send';
COMMENT ON FUNCTION sparsevec_send(sparsevec) IS 'binary output';

CREATE TYPE sparsevec (
    INPUT = sparsevec_in,
    OUTPUT = sparsevec_out,
    TYPMOD_IN = sparsevec_typmod_in,
    RECEIVE = sparsevec_recv,
    SEND = sparsevec_send,
    STORAGE = external
);
COMMENT ON TYPE sparsevec IS 'sparse vector of float32 elements, 1 to 1000000000 dimensions, up to 16000 of them not 0';

-- public functions

CREATE FUNCTION l2_distance(sparsevec, sparsevec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_l2_distance_sparsevec';
COMMENT ON FUNCTION l2_distance(sparsevec, sparsevec) IS 'L2 (Euclidean) distance';

CREATE FUNCTION inner_product(sparsevec, sparsevec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_inner_product_sparsevec';
COMMENT ON FUNCTION inner_product(sparsevec, sparsevec) IS 'inner (dot) product';

CREATE FUNCTION cosine_distance(sparsevec, sparsevec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_cosine_distance_sparsevec';
COMMENT ON FUNCTION cosine_distance(sparsevec, sparsevec) IS '1 - cosine similarity; NaN when one sparsevec is zero';

CREATE FUNCTION l1_distance(sparsevec, sparsevec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_l1_distance_sparsevec';
COMMENT ON FUNCTION l1_distance(sparsevec, sparsevec) IS 'L1 (Manhattan) distance';

CREATE FUNCTION l2_norm(sparsevec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_l2_norm_sparsevec';
COMMENT ON FUNCTION l2_norm(sparsevec) IS 'L2 norm';

CREATE FUNCTION l2_normalize(sparsevec) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_l2_normalize_sparsevec';
COMMENT ON FUNCTION l2_normalize(sparsevec) IS 'the sparsevec scaled to L2 norm 1; a zero sparsevec stays zero';

-- implementations of operators

CREATE FUNCTION sparsevec_lt(sparsevec, sparsevec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_lt';
COMMENT ON FUNCTION sparsevec_lt(sparsevec, sparsevec) IS 'implementation of the < operator';

CREATE FUNCTION sparsevec_le(sparsevec, sparsevec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_le';
COMMENT ON FUNCTION sparsevec_le(sparsevec, sparsevec) IS 'implementation of the <= operator';

CREATE FUNCTION sparsevec_eq(sparsevec, sparsevec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_eq';
COMMENT ON FUNCTION sparsevec_eq(sparsevec, sparsevec) IS 'implementation of the = operator';

CREATE FUNCTION sparsevec_ne(sparsevec, sparsevec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_ne';
COMMENT ON FUNCTION sparsevec_ne(sparsevec, sparsevec) IS 'implementation of the <> operator';

CREATE FUNCTION sparsevec_ge(sparsevec, sparsevec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_ge';
COMMENT ON FUNCTION sparsevec_ge(sparsevec, sparsevec) IS 'implementation of the >= operator';

CREATE FUNCTION sparsevec_gt(sparsevec, sparsevec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_gt';
COMMENT ON FUNCTION sparsevec_gt(sparsevec, sparsevec) IS 'implementation of the > operator';

CREATE FUNCTION sparsevec_cmp(sparsevec, sparsevec) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_cmp';
COMMENT ON FUNCTION sparsevec_cmp(sparsevec, sparsevec) IS 'btree comparison: -1, 0 or 1';

-- support functions of operator classes

CREATE FUNCTION sparsevec_l2_squared_distance(sparsevec, sparsevec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_sparsevec_l2_squared_distance';
COMMENT ON FUNCTION sparsevec_l2_squared_distance(sparsevec, sparsevec) IS 'L2 distance squared';

CREATE FUNCTION sparsevec_negative_inner_product(sparsevec, sparsevec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_sparsevec_negative_inner_product';
COMMENT ON FUNCTION sparsevec_negative_inner_product(sparsevec, sparsevec) IS 'implementation of the <#> operator';

-- casts

CREATE FUNCTION sparsevec(sparsevec, integer, boolean) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec';
COMMENT ON FUNCTION sparsevec(sparsevec, integer, boolean) IS 'check a sparsevec against its type modifier';

CREATE FUNCTION array_to_sparsevec(integer[], integer, boolean) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_sparsevec';
COMMENT ON FUNCTION array_to_sparsevec(integer[], integer, boolean) IS 'convert integer[] to sparsevec';

CREATE FUNCTION array_to_sparsevec(real[], integer, boolean) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_sparsevec';
COMMENT ON FUNCTION array_to_sparsevec(real[], integer, boolean) IS 'convert real[] to sparsevec';

CREATE FUNCTION array_to_sparsevec(double precision[], integer, boolean) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_sparsevec';
COMMENT ON FUNCTION array_to_sparsevec(double precision[], integer, boolean) IS 'convert double precision[] to sparsevec';

CREATE FUNCTION array_to_sparsevec(numeric[], integer, boolean) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_sparsevec';
COMMENT ON FUNCTION array_to_sparsevec(numeric[], integer, boolean) IS 'convert numeric[] to sparsevec';

-- distances

CREATE OPERATOR <-> (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = l2_distance,
    COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (sparsevec, sparsevec) IS 'L2 (Euclidean) distance';

CREATE OPERATOR <#> (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_negative_inner_product,
    COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (sparsevec, sparsevec) IS 'inner product, negated so that the nearest is the smallest';

CREATE OPERATOR <=> (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = cosine_distance,
    COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (sparsevec, sparsevec) IS 'cosine distance';

CREATE OPERATOR <+> (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = l1_distance,
    COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (sparsevec, sparsevec) IS 'L1 (Manhattan) distance';

-- comparison: element by element, then the shorter first

CREATE OPERATOR < (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (sparsevec, sparsevec) IS 'less than';

CREATE OPERATOR <= (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (sparsevec, sparsevec) IS 'less than or equal';

CREATE OPERATOR = (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (sparsevec, sparsevec) IS 'equal';

CREATE OPERATOR <> (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (sparsevec, sparsevec) IS 'not equal';

CREATE OPERATOR >= (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (sparsevec, sparsevec) IS 'greater than or equal';

CREATE OPERATOR > (
    LEFTARG = sparsevec, RIGHTARG = sparsevec, FUNCTION = sparsevec_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (sparsevec, sparsevec) IS 'greater than';

CREATE OPERATOR CLASS sparsevec_ops DEFAULT FOR TYPE sparsevec USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 sparsevec_cmp(sparsevec, sparsevec);
COMMENT ON OPERATOR CLASS sparsevec_ops USING btree IS 'order of sparsevecs by element, for sorting, DISTINCT and unique indexes';

CREATE CAST (sparsevec AS sparsevec) WITH FUNCTION sparsevec(sparsevec, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (sparsevec AS sparsevec) IS 'check of the number of dimensions';

CREATE CAST (integer[] AS sparsevec) WITH FUNCTION array_to_sparsevec(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS sparsevec) IS 'one-dimensional array without nulls to sparsevec';

CREATE CAST (real[] AS sparsevec) WITH FUNCTION array_to_sparsevec(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS sparsevec) IS 'one-dimensional array without nulls to sparsevec';

CREATE CAST (double precision[] AS sparsevec) WITH FUNCTION array_to_sparsevec(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS sparsevec) IS 'one-dimensional array without nulls to sparsevec';

CREATE CAST (numeric[] AS sparsevec) WITH FUNCTION array_to_sparsevec(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS sparsevec) IS 'one-dimensional array without nulls to sparsevec';

-- casts between the vector types: the narrower one by itself, as pgvector has it

CREATE FUNCTION vector_to_sparsevec(vector, integer, boolean) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_to_sparsevec';
COMMENT ON FUNCTION vector_to_sparsevec(vector, integer, boolean) IS 'convert vector to sparsevec';

CREATE FUNCTION sparsevec_to_vector(sparsevec, integer, boolean) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_to_vector';
COMMENT ON FUNCTION sparsevec_to_vector(sparsevec, integer, boolean) IS 'convert sparsevec to vector';

CREATE FUNCTION halfvec_to_sparsevec(halfvec, integer, boolean) RETURNS sparsevec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_to_sparsevec';
COMMENT ON FUNCTION halfvec_to_sparsevec(halfvec, integer, boolean) IS 'convert halfvec to sparsevec';

CREATE FUNCTION sparsevec_to_halfvec(sparsevec, integer, boolean) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_to_halfvec';
COMMENT ON FUNCTION sparsevec_to_halfvec(sparsevec, integer, boolean) IS 'convert sparsevec to halfvec';

CREATE CAST (vector AS sparsevec) WITH FUNCTION vector_to_sparsevec(vector, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (vector AS sparsevec) IS 'the elements other than 0';

CREATE CAST (sparsevec AS vector) WITH FUNCTION sparsevec_to_vector(sparsevec, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (sparsevec AS vector) IS 'all elements; an error above 16000 dimensions';

CREATE CAST (halfvec AS sparsevec) WITH FUNCTION halfvec_to_sparsevec(halfvec, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (halfvec AS sparsevec) IS 'the elements other than 0';

CREATE CAST (sparsevec AS halfvec) WITH FUNCTION sparsevec_to_halfvec(sparsevec, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (sparsevec AS halfvec) IS 'all elements, rounded to half precision; an error where one is out of its range, and above 16000 dimensions';

-- aggregates (pgvector has none): the state grows with the indices seen, not with the dimensions

CREATE FUNCTION sparsevec_accum(internal, sparsevec) RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_accum';
COMMENT ON FUNCTION sparsevec_accum(internal, sparsevec) IS 'transition function of avg and sum';

CREATE FUNCTION sparsevec_combine(internal, internal) RETURNS internal
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_combine';
COMMENT ON FUNCTION sparsevec_combine(internal, internal) IS 'combine function of avg and sum';

CREATE FUNCTION sparsevec_serialize(internal) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_serialize';
COMMENT ON FUNCTION sparsevec_serialize(internal) IS 'state of avg and sum, for the leader of parallel workers';

CREATE FUNCTION sparsevec_deserialize(bytea, internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_deserialize';
COMMENT ON FUNCTION sparsevec_deserialize(bytea, internal) IS 'state of avg and sum, from a parallel worker';

CREATE FUNCTION sparsevec_avg(internal) RETURNS sparsevec
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_avg';
COMMENT ON FUNCTION sparsevec_avg(internal) IS 'final function of avg';

CREATE FUNCTION sparsevec_sum(internal) RETURNS sparsevec
    LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_sparsevec_sum';
COMMENT ON FUNCTION sparsevec_sum(internal) IS 'final function of sum';

CREATE AGGREGATE avg(sparsevec) (
    SFUNC = sparsevec_accum,
    STYPE = internal,
    SSPACE = 4096,
    FINALFUNC = sparsevec_avg,
    COMBINEFUNC = sparsevec_combine,
    SERIALFUNC = sparsevec_serialize,
    DESERIALFUNC = sparsevec_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(sparsevec) IS 'element-wise mean of all input sparsevecs';

CREATE AGGREGATE sum(sparsevec) (
    SFUNC = sparsevec_accum,
    STYPE = internal,
    SSPACE = 4096,
    FINALFUNC = sparsevec_sum,
    COMBINEFUNC = sparsevec_combine,
    SERIALFUNC = sparsevec_serialize,
    DESERIALFUNC = sparsevec_deserialize,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(sparsevec) IS 'element-wise sum of all input sparsevecs';
