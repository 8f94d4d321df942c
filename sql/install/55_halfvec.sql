-- type halfvec: as vector, with elements of half precision

CREATE TYPE halfvec;

CREATE FUNCTION halfvec_in(cstring, oid, integer) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_in';
COMMENT ON FUNCTION halfvec_in(cstring, oid, integer) IS 'text input';

CREATE FUNCTION halfvec_out(halfvec) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_out';
COMMENT ON FUNCTION halfvec_out(halfvec) IS 'text output';

CREATE FUNCTION halfvec_typmod_in(cstring[]) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_typmod_in';
COMMENT ON FUNCTION halfvec_typmod_in(cstring[]) IS 'type modifier input';

CREATE FUNCTION halfvec_recv(internal, oid, integer) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_recv';
COMMENT ON FUNCTION halfvec_recv(internal, oid, integer) IS 'binary input';

CREATE FUNCTION halfvec_send(halfvec) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_send';
COMMENT ON FUNCTION halfvec_send(halfvec) IS 'binary output';

CREATE TYPE halfvec (
    INPUT = halfvec_in,
    OUTPUT = halfvec_out,
    TYPMOD_IN = halfvec_typmod_in,
    RECEIVE = halfvec_recv,
    SEND = halfvec_send,
    STORAGE = external
);
COMMENT ON TYPE halfvec IS 'vector of half-precision elements, 1 to 16000 dimensions';

-- public functions

CREATE FUNCTION l2_distance(halfvec, halfvec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_l2_distance_halfvec';
COMMENT ON FUNCTION l2_distance(halfvec, halfvec) IS 'L2 (Euclidean) distance';

CREATE FUNCTION inner_product(halfvec, halfvec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_inner_product_halfvec';
COMMENT ON FUNCTION inner_product(halfvec, halfvec) IS 'inner (dot) product';

CREATE FUNCTION cosine_distance(halfvec, halfvec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_cosine_distance_halfvec';
COMMENT ON FUNCTION cosine_distance(halfvec, halfvec) IS '1 - cosine similarity; NaN when one halfvec is zero';

CREATE FUNCTION l1_distance(halfvec, halfvec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_l1_distance_halfvec';
COMMENT ON FUNCTION l1_distance(halfvec, halfvec) IS 'L1 (Manhattan) distance';

CREATE FUNCTION vector_dims(halfvec) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_dims_halfvec';
COMMENT ON FUNCTION vector_dims(halfvec) IS 'number of elements';

CREATE FUNCTION l2_norm(halfvec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_l2_norm_halfvec';
COMMENT ON FUNCTION l2_norm(halfvec) IS 'L2 norm';

CREATE FUNCTION l2_normalize(halfvec) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_l2_normalize_halfvec';
COMMENT ON FUNCTION l2_normalize(halfvec) IS 'the halfvec scaled to L2 norm 1; a zero halfvec stays zero';

CREATE FUNCTION binary_quantize(halfvec) RETURNS bit
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_binary_quantize_halfvec';
COMMENT ON FUNCTION binary_quantize(halfvec) IS 'one bit an element: 1 where it is greater than 0';

CREATE FUNCTION subvector(halfvec, integer, integer) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_subvector_halfvec';
COMMENT ON FUNCTION subvector(halfvec, integer, integer) IS 'elements from position (1 is the first) on, up to count of them';

-- implementations of operators

CREATE FUNCTION halfvec_add(halfvec, halfvec) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_add';
COMMENT ON FUNCTION halfvec_add(halfvec, halfvec) IS 'implementation of the + operator';

CREATE FUNCTION halfvec_sub(halfvec, halfvec) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_sub';
COMMENT ON FUNCTION halfvec_sub(halfvec, halfvec) IS 'implementation of the - operator';

CREATE FUNCTION halfvec_mul(halfvec, halfvec) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_mul';
COMMENT ON FUNCTION halfvec_mul(halfvec, halfvec) IS 'implementation of the * operator';

CREATE FUNCTION halfvec_concat(halfvec, halfvec) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_concat';
COMMENT ON FUNCTION halfvec_concat(halfvec, halfvec) IS 'implementation of the || operator';

CREATE FUNCTION halfvec_lt(halfvec, halfvec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_lt';
COMMENT ON FUNCTION halfvec_lt(halfvec, halfvec) IS 'implementation of the < operator';

CREATE FUNCTION halfvec_le(halfvec, halfvec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_le';
COMMENT ON FUNCTION halfvec_le(halfvec, halfvec) IS 'implementation of the <= operator';

CREATE FUNCTION halfvec_eq(halfvec, halfvec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_eq';
COMMENT ON FUNCTION halfvec_eq(halfvec, halfvec) IS 'implementation of the = operator';

CREATE FUNCTION halfvec_ne(halfvec, halfvec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_ne';
COMMENT ON FUNCTION halfvec_ne(halfvec, halfvec) IS 'implementation of the <> operator';

CREATE FUNCTION halfvec_ge(halfvec, halfvec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_ge';
COMMENT ON FUNCTION halfvec_ge(halfvec, halfvec) IS 'implementation of the >= operator';

CREATE FUNCTION halfvec_gt(halfvec, halfvec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_gt';
COMMENT ON FUNCTION halfvec_gt(halfvec, halfvec) IS 'implementation of the > operator';

CREATE FUNCTION halfvec_cmp(halfvec, halfvec) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_cmp';
COMMENT ON FUNCTION halfvec_cmp(halfvec, halfvec) IS 'btree comparison: -1, 0 or 1';

-- support functions of operator classes

CREATE FUNCTION halfvec_l2_squared_distance(halfvec, halfvec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_halfvec_l2_squared_distance';
COMMENT ON FUNCTION halfvec_l2_squared_distance(halfvec, halfvec) IS 'L2 distance squared';

CREATE FUNCTION halfvec_negative_inner_product(halfvec, halfvec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_halfvec_negative_inner_product';
COMMENT ON FUNCTION halfvec_negative_inner_product(halfvec, halfvec) IS 'implementation of the <#> operator';

CREATE FUNCTION halfvec_spherical_distance(halfvec, halfvec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_halfvec_spherical_distance';
COMMENT ON FUNCTION halfvec_spherical_distance(halfvec, halfvec) IS 'angle between two unit halfvecs, divided by pi';

-- aggregate support

CREATE FUNCTION halfvec_accum(double precision[], halfvec) RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_accum';
COMMENT ON FUNCTION halfvec_accum(double precision[], halfvec) IS 'transition function of avg';

CREATE FUNCTION halfvec_avg(double precision[]) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_avg';
COMMENT ON FUNCTION halfvec_avg(double precision[]) IS 'final function of avg';

CREATE FUNCTION halfvec_combine(double precision[], double precision[]) RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_combine';
COMMENT ON FUNCTION halfvec_combine(double precision[], double precision[]) IS 'combine function of avg';

-- casts

CREATE FUNCTION halfvec(halfvec, integer, boolean) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec';
COMMENT ON FUNCTION halfvec(halfvec, integer, boolean) IS 'check a halfvec against its type modifier';

CREATE FUNCTION array_to_halfvec(integer[], integer, boolean) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_halfvec';
COMMENT ON FUNCTION array_to_halfvec(integer[], integer, boolean) IS 'convert integer[] to halfvec';

CREATE FUNCTION array_to_halfvec(real[], integer, boolean) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_halfvec';
COMMENT ON FUNCTION array_to_halfvec(real[], integer, boolean) IS 'convert real[] to halfvec';

CREATE FUNCTION array_to_halfvec(double precision[], integer, boolean) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_halfvec';
COMMENT ON FUNCTION array_to_halfvec(double precision[], integer, boolean) IS 'convert double precision[] to halfvec';

CREATE FUNCTION array_to_halfvec(numeric[], integer, boolean) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_halfvec';
COMMENT ON FUNCTION array_to_halfvec(numeric[], integer, boolean) IS 'convert numeric[] to halfvec';

CREATE FUNCTION halfvec_to_float4(halfvec, integer, boolean) RETURNS real[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_to_float4';
COMMENT ON FUNCTION halfvec_to_float4(halfvec, integer, boolean) IS 'convert halfvec to real[]';

-- distances

CREATE OPERATOR <-> (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = l2_distance,
    COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (halfvec, halfvec) IS 'L2 (Euclidean) distance';

CREATE OPERATOR <#> (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_negative_inner_product,
    COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (halfvec, halfvec) IS 'inner product, negated so that the nearest is the smallest';

CREATE OPERATOR <=> (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = cosine_distance,
    COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (halfvec, halfvec) IS 'cosine distance';

CREATE OPERATOR <+> (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = l1_distance,
    COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (halfvec, halfvec) IS 'L1 (Manhattan) distance';

-- arithmetic

CREATE OPERATOR + (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_add,
    COMMUTATOR = +
);
COMMENT ON OPERATOR + (halfvec, halfvec) IS 'element-wise sum';

CREATE OPERATOR - (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_sub
);
COMMENT ON OPERATOR - (halfvec, halfvec) IS 'element-wise difference';

CREATE OPERATOR * (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_mul,
    COMMUTATOR = *
);
COMMENT ON OPERATOR * (halfvec, halfvec) IS 'element-wise product';

CREATE OPERATOR || (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_concat
);
COMMENT ON OPERATOR || (halfvec, halfvec) IS 'concatenation';

-- comparison: element by element, then the shorter first

CREATE OPERATOR < (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (halfvec, halfvec) IS 'less than';

CREATE OPERATOR <= (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (halfvec, halfvec) IS 'less than or equal';

CREATE OPERATOR = (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (halfvec, halfvec) IS 'equal';

CREATE OPERATOR <> (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (halfvec, halfvec) IS 'not equal';

CREATE OPERATOR >= (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (halfvec, halfvec) IS 'greater than or equal';

CREATE OPERATOR > (
    LEFTARG = halfvec, RIGHTARG = halfvec, FUNCTION = halfvec_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (halfvec, halfvec) IS 'greater than';

CREATE OPERATOR CLASS halfvec_ops DEFAULT FOR TYPE halfvec USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 halfvec_cmp(halfvec, halfvec);
COMMENT ON OPERATOR CLASS halfvec_ops USING btree IS 'order of halfvecs by element, for sorting, DISTINCT and unique indexes';

CREATE CAST (halfvec AS halfvec) WITH FUNCTION halfvec(halfvec, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (halfvec AS halfvec) IS 'check of the number of dimensions';

CREATE CAST (halfvec AS real[]) WITH FUNCTION halfvec_to_float4(halfvec, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (halfvec AS real[]) IS 'the elements as an array';

CREATE CAST (integer[] AS halfvec) WITH FUNCTION array_to_halfvec(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS halfvec) IS 'one-dimensional array without nulls to halfvec';

CREATE CAST (real[] AS halfvec) WITH FUNCTION array_to_halfvec(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS halfvec) IS 'one-dimensional array without nulls to halfvec';

CREATE CAST (double precision[] AS halfvec) WITH FUNCTION array_to_halfvec(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS halfvec) IS 'one-dimensional array without nulls to halfvec';

CREATE CAST (numeric[] AS halfvec) WITH FUNCTION array_to_halfvec(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS halfvec) IS 'one-dimensional array without nulls to halfvec';

CREATE AGGREGATE avg(halfvec) (
    SFUNC = halfvec_accum,
    STYPE = double precision[],
    FINALFUNC = halfvec_avg,
    COMBINEFUNC = halfvec_combine,
    INITCOND = '{0}',
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(halfvec) IS 'element-wise mean of all input halfvecs';

CREATE AGGREGATE sum(halfvec) (
    SFUNC = halfvec_add,
    STYPE = halfvec,
    COMBINEFUNC = halfvec_add,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(halfvec) IS 'element-wise sum of all input halfvecs';

-- casts between vector and halfvec: the narrower one by itself, as pgvector has it

CREATE FUNCTION vector_to_halfvec(vector, integer, boolean) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_to_halfvec';
COMMENT ON FUNCTION vector_to_halfvec(vector, integer, boolean) IS 'convert vector to halfvec';

CREATE FUNCTION halfvec_to_vector(halfvec, integer, boolean) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_to_vector';
COMMENT ON FUNCTION halfvec_to_vector(halfvec, integer, boolean) IS 'convert halfvec to vector';

CREATE CAST (vector AS halfvec) WITH FUNCTION vector_to_halfvec(vector, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (vector AS halfvec) IS 'elements rounded to half precision; an error where one is out of its range';

CREATE CAST (halfvec AS vector) WITH FUNCTION halfvec_to_vector(halfvec, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (halfvec AS vector) IS 'the same elements';
