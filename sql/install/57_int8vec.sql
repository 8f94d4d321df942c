-- type int8vec: as vector, with signed integers of 8 bits for elements. pgvector has none.
-- There is no l2_normalize(int8vec): unit vectors have fractions. A call finds l2_normalize(vector) by the implicit cast.

CREATE TYPE int8vec;

CREATE FUNCTION int8vec_in(cstring, oid, integer) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_in';
COMMENT ON FUNCTION int8vec_in(cstring, oid, integer) IS 'text input';

CREATE FUNCTION int8vec_out(int8vec) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_out';
COMMENT ON FUNCTION int8vec_out(int8vec) IS 'text output';

CREATE FUNCTION int8vec_typmod_in(cstring[]) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_typmod_in';
COMMENT ON FUNCTION int8vec_typmod_in(cstring[]) IS 'type modifier input';

CREATE FUNCTION int8vec_recv(internal, oid, integer) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_recv';
COMMENT ON FUNCTION int8vec_recv(internal, oid, integer) IS 'binary input';

CREATE FUNCTION int8vec_send(int8vec) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_send';
COMMENT ON FUNCTION int8vec_send(int8vec) IS 'binary output';

CREATE TYPE int8vec (
    INPUT = int8vec_in,
    OUTPUT = int8vec_out,
    TYPMOD_IN = int8vec_typmod_in,
    RECEIVE = int8vec_recv,
    SEND = int8vec_send,
    STORAGE = external
);
COMMENT ON TYPE int8vec IS 'vector of signed 8-bit integers (-128 to 127), 1 to 16000 dimensions';

-- public functions

CREATE FUNCTION l2_distance(int8vec, int8vec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_l2_distance_int8vec';
COMMENT ON FUNCTION l2_distance(int8vec, int8vec) IS 'L2 (Euclidean) distance';

CREATE FUNCTION inner_product(int8vec, int8vec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_inner_product_int8vec';
COMMENT ON FUNCTION inner_product(int8vec, int8vec) IS 'inner (dot) product';

CREATE FUNCTION cosine_distance(int8vec, int8vec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_cosine_distance_int8vec';
COMMENT ON FUNCTION cosine_distance(int8vec, int8vec) IS '1 - cosine similarity; NaN when one int8vec is zero';

CREATE FUNCTION l1_distance(int8vec, int8vec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_l1_distance_int8vec';
COMMENT ON FUNCTION l1_distance(int8vec, int8vec) IS 'L1 (Manhattan) distance';

CREATE FUNCTION vector_dims(int8vec) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_dims_int8vec';
COMMENT ON FUNCTION vector_dims(int8vec) IS 'number of elements';

CREATE FUNCTION l2_norm(int8vec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_l2_norm_int8vec';
COMMENT ON FUNCTION l2_norm(int8vec) IS 'L2 norm';

CREATE FUNCTION binary_quantize(int8vec) RETURNS bit
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_binary_quantize_int8vec';
COMMENT ON FUNCTION binary_quantize(int8vec) IS 'one bit an element: 1 where it is greater than 0';

CREATE FUNCTION subvector(int8vec, integer, integer) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_subvector_int8vec';
COMMENT ON FUNCTION subvector(int8vec, integer, integer) IS 'elements from position (1 is the first) on, up to count of them';

-- implementations of operators

CREATE FUNCTION int8vec_add(int8vec, int8vec) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_add';
COMMENT ON FUNCTION int8vec_add(int8vec, int8vec) IS 'implementation of the + operator';

CREATE FUNCTION int8vec_sub(int8vec, int8vec) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_sub';
COMMENT ON FUNCTION int8vec_sub(int8vec, int8vec) IS 'implementation of the - operator';

CREATE FUNCTION int8vec_mul(int8vec, int8vec) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_mul';
COMMENT ON FUNCTION int8vec_mul(int8vec, int8vec) IS 'implementation of the * operator';

CREATE FUNCTION int8vec_concat(int8vec, int8vec) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_concat';
COMMENT ON FUNCTION int8vec_concat(int8vec, int8vec) IS 'implementation of the || operator';

CREATE FUNCTION int8vec_lt(int8vec, int8vec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_lt';
COMMENT ON FUNCTION int8vec_lt(int8vec, int8vec) IS 'implementation of the < operator';

CREATE FUNCTION int8vec_le(int8vec, int8vec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_le';
COMMENT ON FUNCTION int8vec_le(int8vec, int8vec) IS 'implementation of the <= operator';

CREATE FUNCTION int8vec_eq(int8vec, int8vec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_eq';
COMMENT ON FUNCTION int8vec_eq(int8vec, int8vec) IS 'implementation of the = operator';

CREATE FUNCTION int8vec_ne(int8vec, int8vec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_ne';
COMMENT ON FUNCTION int8vec_ne(int8vec, int8vec) IS 'implementation of the <> operator';

CREATE FUNCTION int8vec_ge(int8vec, int8vec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_ge';
COMMENT ON FUNCTION int8vec_ge(int8vec, int8vec) IS 'implementation of the >= operator';

CREATE FUNCTION int8vec_gt(int8vec, int8vec) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_gt';
COMMENT ON FUNCTION int8vec_gt(int8vec, int8vec) IS 'implementation of the > operator';

CREATE FUNCTION int8vec_cmp(int8vec, int8vec) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_cmp';
COMMENT ON FUNCTION int8vec_cmp(int8vec, int8vec) IS 'btree comparison: -1, 0 or 1';

-- support functions of operator classes

CREATE FUNCTION int8vec_l2_squared_distance(int8vec, int8vec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_int8vec_l2_squared_distance';
COMMENT ON FUNCTION int8vec_l2_squared_distance(int8vec, int8vec) IS 'L2 distance squared';

CREATE FUNCTION int8vec_negative_inner_product(int8vec, int8vec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_int8vec_negative_inner_product';
COMMENT ON FUNCTION int8vec_negative_inner_product(int8vec, int8vec) IS 'implementation of the <#> operator';

CREATE FUNCTION int8vec_spherical_distance(int8vec, int8vec) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_int8vec_spherical_distance';
COMMENT ON FUNCTION int8vec_spherical_distance(int8vec, int8vec) IS 'angle between two int8vecs, divided by pi';

-- aggregate support

CREATE FUNCTION int8vec_accum(double precision[], int8vec) RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_accum';
COMMENT ON FUNCTION int8vec_accum(double precision[], int8vec) IS 'transition function of avg and sum';

CREATE FUNCTION int8vec_avg(double precision[]) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_avg';
COMMENT ON FUNCTION int8vec_avg(double precision[]) IS 'final function of avg';

CREATE FUNCTION int8vec_sum(double precision[]) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_sum';
COMMENT ON FUNCTION int8vec_sum(double precision[]) IS 'final function of sum';

CREATE FUNCTION int8vec_combine(double precision[], double precision[]) RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_combine';
COMMENT ON FUNCTION int8vec_combine(double precision[], double precision[]) IS 'combine function of avg and sum';

-- casts

CREATE FUNCTION int8vec(int8vec, integer, boolean) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec';
COMMENT ON FUNCTION int8vec(int8vec, integer, boolean) IS 'check a int8vec against its type modifier';

CREATE FUNCTION array_to_int8vec(integer[], integer, boolean) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_int8vec';
COMMENT ON FUNCTION array_to_int8vec(integer[], integer, boolean) IS 'convert integer[] to int8vec';

CREATE FUNCTION array_to_int8vec(real[], integer, boolean) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_int8vec';
COMMENT ON FUNCTION array_to_int8vec(real[], integer, boolean) IS 'convert real[] to int8vec';

CREATE FUNCTION array_to_int8vec(double precision[], integer, boolean) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_int8vec';
COMMENT ON FUNCTION array_to_int8vec(double precision[], integer, boolean) IS 'convert double precision[] to int8vec';

CREATE FUNCTION array_to_int8vec(numeric[], integer, boolean) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_int8vec';
COMMENT ON FUNCTION array_to_int8vec(numeric[], integer, boolean) IS 'convert numeric[] to int8vec';

CREATE FUNCTION int8vec_to_float4(int8vec, integer, boolean) RETURNS real[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_to_float4';
COMMENT ON FUNCTION int8vec_to_float4(int8vec, integer, boolean) IS 'convert int8vec to real[]';

-- distances

CREATE OPERATOR <-> (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = l2_distance,
    COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (int8vec, int8vec) IS 'L2 (Euclidean) distance';

CREATE OPERATOR <#> (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_negative_inner_product,
    COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (int8vec, int8vec) IS 'inner product, negated so that the nearest is the smallest';

CREATE OPERATOR <=> (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = cosine_distance,
    COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (int8vec, int8vec) IS 'cosine distance';

CREATE OPERATOR <+> (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = l1_distance,
    COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (int8vec, int8vec) IS 'L1 (Manhattan) distance';

-- arithmetic

CREATE OPERATOR + (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_add,
    COMMUTATOR = +
);
COMMENT ON OPERATOR + (int8vec, int8vec) IS 'element-wise sum; an error where it is beyond -128 to 127';

CREATE OPERATOR - (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_sub
);
COMMENT ON OPERATOR - (int8vec, int8vec) IS 'element-wise difference; an error where it is beyond -128 to 127';

CREATE OPERATOR * (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_mul,
    COMMUTATOR = *
);
COMMENT ON OPERATOR * (int8vec, int8vec) IS 'element-wise product; an error where it is beyond -128 to 127';

CREATE OPERATOR || (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_concat
);
COMMENT ON OPERATOR || (int8vec, int8vec) IS 'concatenation';

-- comparison: element by element, then the shorter first

CREATE OPERATOR < (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (int8vec, int8vec) IS 'less than';

CREATE OPERATOR <= (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (int8vec, int8vec) IS 'less than or equal';

CREATE OPERATOR = (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (int8vec, int8vec) IS 'equal';

CREATE OPERATOR <> (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR <> (int8vec, int8vec) IS 'not equal';

CREATE OPERATOR >= (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (int8vec, int8vec) IS 'greater than or equal';

CREATE OPERATOR > (
    LEFTARG = int8vec, RIGHTARG = int8vec, FUNCTION = int8vec_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (int8vec, int8vec) IS 'greater than';

CREATE OPERATOR CLASS int8vec_ops DEFAULT FOR TYPE int8vec USING btree AS
    OPERATOR 1 <,
    OPERATOR 2 <=,
    OPERATOR 3 =,
    OPERATOR 4 >=,
    OPERATOR 5 >,
    FUNCTION 1 int8vec_cmp(int8vec, int8vec);
COMMENT ON OPERATOR CLASS int8vec_ops USING btree IS 'order of int8vecs by element, for sorting, DISTINCT and unique indexes';

CREATE CAST (int8vec AS int8vec) WITH FUNCTION int8vec(int8vec, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (int8vec AS int8vec) IS 'check of the number of dimensions';

CREATE CAST (int8vec AS real[]) WITH FUNCTION int8vec_to_float4(int8vec, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (int8vec AS real[]) IS 'the elements as an array';

CREATE CAST (integer[] AS int8vec) WITH FUNCTION array_to_int8vec(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS int8vec) IS 'one-dimensional array without nulls to int8vec';

CREATE CAST (real[] AS int8vec) WITH FUNCTION array_to_int8vec(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS int8vec) IS 'one-dimensional array without nulls to int8vec';

CREATE CAST (double precision[] AS int8vec) WITH FUNCTION array_to_int8vec(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS int8vec) IS 'one-dimensional array without nulls to int8vec';

CREATE CAST (numeric[] AS int8vec) WITH FUNCTION array_to_int8vec(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS int8vec) IS 'one-dimensional array without nulls to int8vec';

-- Means of integers have fractions and sums soon leave -128 to 127: both are vectors.

CREATE AGGREGATE avg(int8vec) (
    SFUNC = int8vec_accum,
    STYPE = double precision[],
    FINALFUNC = int8vec_avg,
    COMBINEFUNC = int8vec_combine,
    INITCOND = '{0}',
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(int8vec) IS 'element-wise mean of all input int8vecs, a vector';

CREATE AGGREGATE sum(int8vec) (
    SFUNC = int8vec_accum,
    STYPE = double precision[],
    FINALFUNC = int8vec_sum,
    COMBINEFUNC = int8vec_combine,
    INITCOND = '{0}',
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(int8vec) IS 'element-wise sum of all input int8vecs, a vector: summed exactly, rounded once';

-- casts between int8vec and the other types. Only the one to vector is made unasked: two would leave a call with
-- candidates for both vector and halfvec undecided.

CREATE FUNCTION int8vec_to_vector(int8vec, integer, boolean) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_to_vector';
COMMENT ON FUNCTION int8vec_to_vector(int8vec, integer, boolean) IS 'convert int8vec to vector';

CREATE CAST (int8vec AS vector) WITH FUNCTION int8vec_to_vector(int8vec, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (int8vec AS vector) IS 'the same elements';

CREATE FUNCTION vector_to_int8vec(vector, integer, boolean) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_to_int8vec';
COMMENT ON FUNCTION vector_to_int8vec(vector, integer, boolean) IS 'convert vector to int8vec';

CREATE CAST (vector AS int8vec) WITH FUNCTION vector_to_int8vec(vector, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (vector AS int8vec) IS 'elements rounded to the nearest integer, ties to even; an error where one is beyond -128 to 127';

CREATE FUNCTION int8vec_to_halfvec(int8vec, integer, boolean) RETURNS halfvec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_to_halfvec';
COMMENT ON FUNCTION int8vec_to_halfvec(int8vec, integer, boolean) IS 'convert int8vec to halfvec';

CREATE CAST (int8vec AS halfvec) WITH FUNCTION int8vec_to_halfvec(int8vec, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (int8vec AS halfvec) IS 'the same elements';

CREATE FUNCTION halfvec_to_int8vec(halfvec, integer, boolean) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_halfvec_to_int8vec';
COMMENT ON FUNCTION halfvec_to_int8vec(halfvec, integer, boolean) IS 'convert halfvec to int8vec';

CREATE CAST (halfvec AS int8vec) WITH FUNCTION halfvec_to_int8vec(halfvec, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (halfvec AS int8vec) IS 'elements rounded to the nearest integer, ties to even; an error where one is beyond -128 to 127';

CREATE FUNCTION int8vec_to_int4(int8vec, integer, boolean) RETURNS integer[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_int8vec_to_int4';
COMMENT ON FUNCTION int8vec_to_int4(int8vec, integer, boolean) IS 'convert int8vec to integer[]';

CREATE CAST (int8vec AS integer[]) WITH FUNCTION int8vec_to_int4(int8vec, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (int8vec AS integer[]) IS 'the elements as an array';

-- the lossy way from floats

CREATE FUNCTION vecdb.quantize_int8(v vector, scale real) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_quantize_int8_vector';
COMMENT ON FUNCTION vecdb.quantize_int8(vector, real) IS 'each element times scale, exactly, then rounded to the nearest integer (ties to even), then cut to -128..127';

CREATE FUNCTION vecdb.quantize_int8(v halfvec, scale real) RETURNS int8vec
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_quantize_int8_halfvec';
COMMENT ON FUNCTION vecdb.quantize_int8(halfvec, real) IS 'each element times scale, exactly, then rounded to the nearest integer (ties to even), then cut to -128..127';
