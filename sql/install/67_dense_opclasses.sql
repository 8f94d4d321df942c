-- Operator classes of hnsw, ivf and ivfflat for the dense types beside vector; as in pgvector, none is the default.

-- halfvec

CREATE FUNCTION vecdb.hnsw_halfvec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_halfvec_l2_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_halfvec_l2_support(internal) IS 'operator class information for hnsw: halfvec, L2 distance';
CREATE FUNCTION vecdb.hnsw_halfvec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_halfvec_ip_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_halfvec_ip_support(internal) IS 'operator class information for hnsw: halfvec, inner product';
CREATE FUNCTION vecdb.hnsw_halfvec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_halfvec_cosine_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_halfvec_cosine_support(internal) IS 'operator class information for hnsw: halfvec, cosine distance';
CREATE FUNCTION vecdb.hnsw_halfvec_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_halfvec_l1_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_halfvec_l1_support(internal) IS 'operator class information for hnsw: halfvec, L1 distance';
CREATE FUNCTION vecdb.ivf_halfvec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_halfvec_l2_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_halfvec_l2_support(internal) IS 'operator class information for ivf: halfvec, L2 distance';
CREATE FUNCTION vecdb.ivf_halfvec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_halfvec_ip_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_halfvec_ip_support(internal) IS 'operator class information for ivf: halfvec, inner product';
CREATE FUNCTION vecdb.ivf_halfvec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_halfvec_cosine_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_halfvec_cosine_support(internal) IS 'operator class information for ivf: halfvec, cosine distance';
CREATE FUNCTION vecdb.ivf_halfvec_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_halfvec_l1_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_halfvec_l1_support(internal) IS 'operator class information for ivf: halfvec, L1 distance';

CREATE OPERATOR CLASS halfvec_l2_ops FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_l2_squared_distance(halfvec, halfvec),
	FUNCTION 3 vecdb.hnsw_halfvec_l2_support(internal);
COMMENT ON OPERATOR CLASS halfvec_l2_ops USING hnsw IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS halfvec_ip_ops FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 3 vecdb.hnsw_halfvec_ip_support(internal);
COMMENT ON OPERATOR CLASS halfvec_ip_ops USING hnsw IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS halfvec_cosine_ops FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 2 l2_norm(halfvec),
	FUNCTION 3 vecdb.hnsw_halfvec_cosine_support(internal);
COMMENT ON OPERATOR CLASS halfvec_cosine_ops USING hnsw IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS halfvec_l1_ops FOR TYPE halfvec USING hnsw AS
	OPERATOR 1 <+> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(halfvec, halfvec),
	FUNCTION 3 vecdb.hnsw_halfvec_l1_support(internal);
COMMENT ON OPERATOR CLASS halfvec_l1_ops USING hnsw IS 'order by L1 distance (<+>)';

CREATE OPERATOR CLASS halfvec_l2_ops FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_l2_squared_distance(halfvec, halfvec),
	FUNCTION 3 l2_distance(halfvec, halfvec),
	FUNCTION 5 vecdb.ivf_halfvec_l2_support(internal);
COMMENT ON OPERATOR CLASS halfvec_l2_ops USING ivf IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS halfvec_ip_ops FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 3 halfvec_spherical_distance(halfvec, halfvec),
	FUNCTION 4 l2_norm(halfvec),
	FUNCTION 5 vecdb.ivf_halfvec_ip_support(internal);
COMMENT ON OPERATOR CLASS halfvec_ip_ops USING ivf IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS halfvec_cosine_ops FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 2 l2_norm(halfvec),
	FUNCTION 3 halfvec_spherical_distance(halfvec, halfvec),
	FUNCTION 4 l2_norm(halfvec),
	FUNCTION 5 vecdb.ivf_halfvec_cosine_support(internal);
COMMENT ON OPERATOR CLASS halfvec_cosine_ops USING ivf IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS halfvec_l1_ops FOR TYPE halfvec USING ivf AS
	OPERATOR 1 <+> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(halfvec, halfvec),
	FUNCTION 5 vecdb.ivf_halfvec_l1_support(internal);
COMMENT ON OPERATOR CLASS halfvec_l1_ops USING ivf IS 'order by L1 distance (<+>)';

CREATE OPERATOR CLASS halfvec_l2_ops FOR TYPE halfvec USING ivfflat AS
	OPERATOR 1 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_l2_squared_distance(halfvec, halfvec),
	FUNCTION 3 l2_distance(halfvec, halfvec),
	FUNCTION 5 vecdb.ivf_halfvec_l2_support(internal);
COMMENT ON OPERATOR CLASS halfvec_l2_ops USING ivfflat IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS halfvec_ip_ops FOR TYPE halfvec USING ivfflat AS
	OPERATOR 1 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 3 halfvec_spherical_distance(halfvec, halfvec),
	FUNCTION 4 l2_norm(halfvec),
	FUNCTION 5 vecdb.ivf_halfvec_ip_support(internal);
COMMENT ON OPERATOR CLASS halfvec_ip_ops USING ivfflat IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS halfvec_cosine_ops FOR TYPE halfvec USING ivfflat AS
	OPERATOR 1 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 halfvec_negative_inner_product(halfvec, halfvec),
	FUNCTION 2 l2_norm(halfvec),
	FUNCTION 3 halfvec_spherical_distance(halfvec, halfvec),
	FUNCTION 4 l2_norm(halfvec),
	FUNCTION 5 vecdb.ivf_halfvec_cosine_support(internal);
COMMENT ON OPERATOR CLASS halfvec_cosine_ops USING ivfflat IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS halfvec_l1_ops FOR TYPE halfvec USING ivfflat AS
	OPERATOR 1 <+> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (halfvec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(halfvec, halfvec),
	FUNCTION 5 vecdb.ivf_halfvec_l1_support(internal);
COMMENT ON OPERATOR CLASS halfvec_l1_ops USING ivfflat IS 'order by L1 distance (<+>)';

-- int8vec

CREATE FUNCTION vecdb.hnsw_int8vec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_int8vec_l2_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_int8vec_l2_support(internal) IS 'operator class information for hnsw: int8vec, L2 distance';
CREATE FUNCTION vecdb.hnsw_int8vec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_int8vec_ip_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_int8vec_ip_support(internal) IS 'operator class information for hnsw: int8vec, inner product';
CREATE FUNCTION vecdb.hnsw_int8vec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_int8vec_cosine_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_int8vec_cosine_support(internal) IS 'operator class information for hnsw: int8vec, cosine distance';
CREATE FUNCTION vecdb.hnsw_int8vec_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_int8vec_l1_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_int8vec_l1_support(internal) IS 'operator class information for hnsw: int8vec, L1 distance';
CREATE FUNCTION vecdb.ivf_int8vec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_int8vec_l2_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_int8vec_l2_support(internal) IS 'operator class information for ivf: int8vec, L2 distance';
CREATE FUNCTION vecdb.ivf_int8vec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_int8vec_ip_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_int8vec_ip_support(internal) IS 'operator class information for ivf: int8vec, inner product';
CREATE FUNCTION vecdb.ivf_int8vec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_int8vec_cosine_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_int8vec_cosine_support(internal) IS 'operator class information for ivf: int8vec, cosine distance';
CREATE FUNCTION vecdb.ivf_int8vec_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_int8vec_l1_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_int8vec_l1_support(internal) IS 'operator class information for ivf: int8vec, L1 distance';

CREATE OPERATOR CLASS int8vec_l2_ops FOR TYPE int8vec USING hnsw AS
	OPERATOR 1 <-> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_l2_squared_distance(int8vec, int8vec),
	FUNCTION 3 vecdb.hnsw_int8vec_l2_support(internal);
COMMENT ON OPERATOR CLASS int8vec_l2_ops USING hnsw IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS int8vec_ip_ops FOR TYPE int8vec USING hnsw AS
	OPERATOR 1 <#> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_negative_inner_product(int8vec, int8vec),
	FUNCTION 3 vecdb.hnsw_int8vec_ip_support(internal);
COMMENT ON OPERATOR CLASS int8vec_ip_ops USING hnsw IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS int8vec_cosine_ops FOR TYPE int8vec USING hnsw AS
	OPERATOR 1 <=> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_negative_inner_product(int8vec, int8vec),
	FUNCTION 2 l2_norm(int8vec),
	FUNCTION 3 vecdb.hnsw_int8vec_cosine_support(internal);
COMMENT ON OPERATOR CLASS int8vec_cosine_ops USING hnsw IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS int8vec_l1_ops FOR TYPE int8vec USING hnsw AS
	OPERATOR 1 <+> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(int8vec, int8vec),
	FUNCTION 3 vecdb.hnsw_int8vec_l1_support(internal);
COMMENT ON OPERATOR CLASS int8vec_l1_ops USING hnsw IS 'order by L1 distance (<+>)';

CREATE OPERATOR CLASS int8vec_l2_ops FOR TYPE int8vec USING ivf AS
	OPERATOR 1 <-> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_l2_squared_distance(int8vec, int8vec),
	FUNCTION 3 l2_distance(int8vec, int8vec),
	FUNCTION 5 vecdb.ivf_int8vec_l2_support(internal);
COMMENT ON OPERATOR CLASS int8vec_l2_ops USING ivf IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS int8vec_ip_ops FOR TYPE int8vec USING ivf AS
	OPERATOR 1 <#> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_negative_inner_product(int8vec, int8vec),
	FUNCTION 3 int8vec_spherical_distance(int8vec, int8vec),
	FUNCTION 4 l2_norm(int8vec),
	FUNCTION 5 vecdb.ivf_int8vec_ip_support(internal);
COMMENT ON OPERATOR CLASS int8vec_ip_ops USING ivf IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS int8vec_cosine_ops FOR TYPE int8vec USING ivf AS
	OPERATOR 1 <=> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_negative_inner_product(int8vec, int8vec),
	FUNCTION 2 l2_norm(int8vec),
	FUNCTION 3 int8vec_spherical_distance(int8vec, int8vec),
	FUNCTION 4 l2_norm(int8vec),
	FUNCTION 5 vecdb.ivf_int8vec_cosine_support(internal);
COMMENT ON OPERATOR CLASS int8vec_cosine_ops USING ivf IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS int8vec_l1_ops FOR TYPE int8vec USING ivf AS
	OPERATOR 1 <+> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(int8vec, int8vec),
	FUNCTION 5 vecdb.ivf_int8vec_l1_support(internal);
COMMENT ON OPERATOR CLASS int8vec_l1_ops USING ivf IS 'order by L1 distance (<+>)';

CREATE OPERATOR CLASS int8vec_l2_ops FOR TYPE int8vec USING ivfflat AS
	OPERATOR 1 <-> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_l2_squared_distance(int8vec, int8vec),
	FUNCTION 3 l2_distance(int8vec, int8vec),
	FUNCTION 5 vecdb.ivf_int8vec_l2_support(internal);
COMMENT ON OPERATOR CLASS int8vec_l2_ops USING ivfflat IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS int8vec_ip_ops FOR TYPE int8vec USING ivfflat AS
	OPERATOR 1 <#> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_negative_inner_product(int8vec, int8vec),
	FUNCTION 3 int8vec_spherical_distance(int8vec, int8vec),
	FUNCTION 4 l2_norm(int8vec),
	FUNCTION 5 vecdb.ivf_int8vec_ip_support(internal);
COMMENT ON OPERATOR CLASS int8vec_ip_ops USING ivfflat IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS int8vec_cosine_ops FOR TYPE int8vec USING ivfflat AS
	OPERATOR 1 <=> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 int8vec_negative_inner_product(int8vec, int8vec),
	FUNCTION 2 l2_norm(int8vec),
	FUNCTION 3 int8vec_spherical_distance(int8vec, int8vec),
	FUNCTION 4 l2_norm(int8vec),
	FUNCTION 5 vecdb.ivf_int8vec_cosine_support(internal);
COMMENT ON OPERATOR CLASS int8vec_cosine_ops USING ivfflat IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS int8vec_l1_ops FOR TYPE int8vec USING ivfflat AS
	OPERATOR 1 <+> (int8vec, int8vec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (int8vec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(int8vec, int8vec),
	FUNCTION 5 vecdb.ivf_int8vec_l1_support(internal);
COMMENT ON OPERATOR CLASS int8vec_l1_ops USING ivfflat IS 'order by L1 distance (<+>)';
