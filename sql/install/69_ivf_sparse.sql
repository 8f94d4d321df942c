-- Operator classes of ivf and ivfflat for sparsevec. There is none for L1 distance: sketches do not tell it.

CREATE FUNCTION vecdb.ivf_sparsevec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_sparsevec_l2_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_sparsevec_l2_support(internal) IS 'operator class information for ivf: sparsevec, L2 distance';
CREATE FUNCTION vecdb.ivf_sparsevec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_sparsevec_ip_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_sparsevec_ip_support(internal) IS 'operator class information for ivf: sparsevec, inner product';
CREATE FUNCTION vecdb.ivf_sparsevec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_sparsevec_cosine_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_sparsevec_cosine_support(internal) IS 'operator class information for ivf: sparsevec, cosine distance';

CREATE OPERATOR CLASS sparsevec_l2_ops FOR TYPE sparsevec USING ivf AS
	OPERATOR 1 <-> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_l2_squared_distance(sparsevec, sparsevec),
	FUNCTION 5 vecdb.ivf_sparsevec_l2_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_l2_ops USING ivf IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS sparsevec_ip_ops FOR TYPE sparsevec USING ivf AS
	OPERATOR 1 <#> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_negative_inner_product(sparsevec, sparsevec),
	FUNCTION 5 vecdb.ivf_sparsevec_ip_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_ip_ops USING ivf IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS sparsevec_cosine_ops FOR TYPE sparsevec USING ivf AS
	OPERATOR 1 <=> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 cosine_distance(sparsevec, sparsevec),
	FUNCTION 5 vecdb.ivf_sparsevec_cosine_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_cosine_ops USING ivf IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS sparsevec_l2_ops FOR TYPE sparsevec USING ivfflat AS
	OPERATOR 1 <-> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_l2_squared_distance(sparsevec, sparsevec),
	FUNCTION 5 vecdb.ivf_sparsevec_l2_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_l2_ops USING ivfflat IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS sparsevec_ip_ops FOR TYPE sparsevec USING ivfflat AS
	OPERATOR 1 <#> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_negative_inner_product(sparsevec, sparsevec),
	FUNCTION 5 vecdb.ivf_sparsevec_ip_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_ip_ops USING ivfflat IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS sparsevec_cosine_ops FOR TYPE sparsevec USING ivfflat AS
	OPERATOR 1 <=> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 cosine_distance(sparsevec, sparsevec),
	FUNCTION 5 vecdb.ivf_sparsevec_cosine_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_cosine_ops USING ivfflat IS 'order by cosine distance (<=>)';
