-- public functions

CREATE FUNCTION vecdb.distance_cost(internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_distance_cost';
COMMENT ON FUNCTION vecdb.distance_cost(internal) IS 'planner support of the distance functions: what a call costs, with vectors stored out of line';

CREATE FUNCTION l2_distance(vector, vector) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_l2_distance_vector';
COMMENT ON FUNCTION l2_distance(vector, vector) IS 'L2 (Euclidean) distance';

CREATE FUNCTION inner_product(vector, vector) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_inner_product_vector';
COMMENT ON FUNCTION inner_product(vector, vector) IS 'inner (dot) product';

CREATE FUNCTION cosine_distance(vector, vector) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_cosine_distance_vector';
COMMENT ON FUNCTION cosine_distance(vector, vector) IS '1 - cosine similarity; NaN when one vector is zero';

CREATE FUNCTION l1_distance(vector, vector) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_l1_distance_vector';
COMMENT ON FUNCTION l1_distance(vector, vector) IS 'L1 (Manhattan) distance';

CREATE FUNCTION vector_dims(vector) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_dims_vector';
COMMENT ON FUNCTION vector_dims(vector) IS 'number of elements';

CREATE FUNCTION vector_norm(vector) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_norm';
COMMENT ON FUNCTION vector_norm(vector) IS 'L2 norm';

CREATE FUNCTION l2_normalize(vector) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_l2_normalize_vector';
COMMENT ON FUNCTION l2_normalize(vector) IS 'the vector scaled to L2 norm 1; a zero vector stays zero';

CREATE FUNCTION binary_quantize(vector) RETURNS bit
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_binary_quantize_vector';
COMMENT ON FUNCTION binary_quantize(vector) IS 'one bit an element: 1 where it is greater than 0';

CREATE FUNCTION subvector(vector, integer, integer) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_subvector_vector';
COMMENT ON FUNCTION subvector(vector, integer, integer) IS 'elements from position (1 is the first) on, up to count of them';

-- implementations of operators

CREATE FUNCTION vector_add(vector, vector) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_add';
COMMENT ON FUNCTION vector_add(vector, vector) IS 'implementation of the + operator';

CREATE FUNCTION vector_sub(vector, vector) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_sub';
COMMENT ON FUNCTION vector_sub(vector, vector) IS 'implementation of the - operator';

CREATE FUNCTION vector_mul(vector, vector) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_mul';
COMMENT ON FUNCTION vector_mul(vector, vector) IS 'implementation of the * operator';

CREATE FUNCTION vector_concat(vector, vector) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_concat';
COMMENT ON FUNCTION vector_concat(vector, vector) IS 'implementation of the || operator';

CREATE FUNCTION vector_lt(vector, vector) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_lt';
COMMENT ON FUNCTION vector_lt(vector, vector) IS 'implementation of the < operator';

CREATE FUNCTION vector_le(vector, vector) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_le';
COMMENT ON FUNCTION vector_le(vector, vector) IS 'implementation of the <= operator';

CREATE FUNCTION vector_eq(vector, vector) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_eq';
COMMENT ON FUNCTION vector_eq(vector, vector) IS 'implementation of the = operator';

CREATE FUNCTION vector_ne(vector, vector) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_ne';
COMMENT ON FUNCTION vector_ne(vector, vector) IS 'implementation of the <> operator';

CREATE FUNCTION vector_ge(vector, vector) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_ge';
COMMENT ON FUNCTION vector_ge(vector, vector) IS 'implementation of the >= operator';

CREATE FUNCTION vector_gt(vector, vector) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_gt';
COMMENT ON FUNCTION vector_gt(vector, vector) IS 'implementation of the > operator';

CREATE FUNCTION vector_cmp(vector, vector) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_cmp';
COMMENT ON FUNCTION vector_cmp(vector, vector) IS 'btree comparison: -1, 0 or 1';

-- support functions of operator classes

CREATE FUNCTION vector_l2_squared_distance(vector, vector) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_vector_l2_squared_distance';
COMMENT ON FUNCTION vector_l2_squared_distance(vector, vector) IS 'L2 distance squared';

CREATE FUNCTION vector_negative_inner_product(vector, vector) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_vector_negative_inner_product';
COMMENT ON FUNCTION vector_negative_inner_product(vector, vector) IS 'implementation of the <#> operator';

CREATE FUNCTION vector_spherical_distance(vector, vector) RETURNS float8
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT vecdb.distance_cost AS 'MODULE_PATHNAME', 'vecdb_vector_spherical_distance';
COMMENT ON FUNCTION vector_spherical_distance(vector, vector) IS 'angle between two unit vectors, divided by pi';

-- aggregate support

CREATE FUNCTION vector_accum(double precision[], vector) RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_accum';
COMMENT ON FUNCTION vector_accum(double precision[], vector) IS 'transition function of avg';

CREATE FUNCTION vector_avg(double precision[]) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_avg';
COMMENT ON FUNCTION vector_avg(double precision[]) IS 'final function of avg';

CREATE FUNCTION vector_combine(double precision[], double precision[]) RETURNS double precision[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_combine';
COMMENT ON FUNCTION vector_combine(double precision[], double precision[]) IS 'combine function of avg';

-- casts

CREATE FUNCTION vector(vector, integer, boolean) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector';
COMMENT ON FUNCTION vector(vector, integer, boolean) IS 'check a vector against its type modifier';

CREATE FUNCTION array_to_vector(integer[], integer, boolean) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_vector';
COMMENT ON FUNCTION array_to_vector(integer[], integer, boolean) IS 'convert integer[] to vector';

CREATE FUNCTION array_to_vector(real[], integer, boolean) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_vector';
COMMENT ON FUNCTION array_to_vector(real[], integer, boolean) IS 'convert real[] to vector';

CREATE FUNCTION array_to_vector(double precision[], integer, boolean) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_vector';
COMMENT ON FUNCTION array_to_vector(double precision[], integer, boolean) IS 'convert double precision[] to vector';

CREATE FUNCTION array_to_vector(numeric[], integer, boolean) RETURNS vector
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_array_to_vector';
COMMENT ON FUNCTION array_to_vector(numeric[], integer, boolean) IS 'convert numeric[] to vector';

CREATE FUNCTION vector_to_float4(vector, integer, boolean) RETURNS real[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'vecdb_vector_to_float4';
COMMENT ON FUNCTION vector_to_float4(vector, integer, boolean) IS 'convert vector to real[]';

