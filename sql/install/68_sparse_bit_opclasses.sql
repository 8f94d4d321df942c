-- Operator classes of hnsw for core bit strings and for sparse vectors.

CREATE FUNCTION vecdb.hnsw_bit_hamming_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_bit_hamming_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_bit_hamming_support(internal) IS 'operator class information for hnsw: bit, Hamming distance';
CREATE FUNCTION vecdb.hnsw_bit_jaccard_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_bit_jaccard_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_bit_jaccard_support(internal) IS 'operator class information for hnsw: bit, Jaccard distance';

CREATE OPERATOR CLASS bit_hamming_ops FOR TYPE bit USING hnsw AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 hamming_distance(bit, bit),
	FUNCTION 3 vecdb.hnsw_bit_hamming_support(internal);
COMMENT ON OPERATOR CLASS bit_hamming_ops USING hnsw IS 'order by Hamming distance (<~>)';

CREATE OPERATOR CLASS bit_jaccard_ops FOR TYPE bit USING hnsw AS
	OPERATOR 1 <%> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 jaccard_distance(bit, bit),
	FUNCTION 3 vecdb.hnsw_bit_jaccard_support(internal);
COMMENT ON OPERATOR CLASS bit_jaccard_ops USING hnsw IS 'order by Jaccard distance (<%>)';

-- Operator classes of hnsw for sparse vectors.

CREATE FUNCTION vecdb.hnsw_sparsevec_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_sparsevec_l2_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_sparsevec_l2_support(internal) IS 'operator class information for hnsw: sparsevec, L2 distance';
CREATE FUNCTION vecdb.hnsw_sparsevec_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_sparsevec_ip_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_sparsevec_ip_support(internal) IS 'operator class information for hnsw: sparsevec, inner product';
CREATE FUNCTION vecdb.hnsw_sparsevec_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_sparsevec_cosine_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_sparsevec_cosine_support(internal) IS 'operator class information for hnsw: sparsevec, cosine distance';
CREATE FUNCTION vecdb.hnsw_sparsevec_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_sparsevec_l1_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_sparsevec_l1_support(internal) IS 'operator class information for hnsw: sparsevec, L1 distance';

CREATE OPERATOR CLASS sparsevec_l2_ops FOR TYPE sparsevec USING hnsw AS
	OPERATOR 1 <-> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_l2_squared_distance(sparsevec, sparsevec),
	FUNCTION 3 vecdb.hnsw_sparsevec_l2_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_l2_ops USING hnsw IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS sparsevec_ip_ops FOR TYPE sparsevec USING hnsw AS
	OPERATOR 1 <#> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_negative_inner_product(sparsevec, sparsevec),
	FUNCTION 3 vecdb.hnsw_sparsevec_ip_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_ip_ops USING hnsw IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS sparsevec_cosine_ops FOR TYPE sparsevec USING hnsw AS
	OPERATOR 1 <=> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 sparsevec_negative_inner_product(sparsevec, sparsevec),
	FUNCTION 2 l2_norm(sparsevec),
	FUNCTION 3 vecdb.hnsw_sparsevec_cosine_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_cosine_ops USING hnsw IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS sparsevec_l1_ops FOR TYPE sparsevec USING hnsw AS
	OPERATOR 1 <+> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (sparsevec, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(sparsevec, sparsevec),
	FUNCTION 3 vecdb.hnsw_sparsevec_l1_support(internal);
COMMENT ON OPERATOR CLASS sparsevec_l1_ops USING hnsw IS 'order by L1 distance (<+>)';
