-- Operator classes of hnsw for core bit strings.

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
