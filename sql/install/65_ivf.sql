-- Access methods ivf and ivfflat, and their operator classes for vector.

CREATE FUNCTION ivfhandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'vecdb_ivfhandler' LANGUAGE C;
COMMENT ON FUNCTION ivfhandler(internal) IS 'handler of the ivf index access method';
CREATE FUNCTION ivfflathandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'vecdb_ivfflathandler' LANGUAGE C;
COMMENT ON FUNCTION ivfflathandler(internal) IS 'handler of the ivfflat index access method';

CREATE ACCESS METHOD ivf TYPE INDEX HANDLER ivfhandler;
COMMENT ON ACCESS METHOD ivf IS 'inverted lists of coded vectors: approximate nearest neighbors in exact order, small and quick to build';
CREATE ACCESS METHOD ivfflat TYPE INDEX HANDLER ivfflathandler;
COMMENT ON ACCESS METHOD ivfflat IS 'inverted lists of whole vectors: ivf under the name of pgvector, and with its default';

CREATE FUNCTION vecdb.ivf_vector_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_vector_l2_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_vector_l2_support(internal) IS 'operator class information for ivf: vector, L2 distance';
CREATE FUNCTION vecdb.ivf_vector_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_vector_ip_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_vector_ip_support(internal) IS 'operator class information for ivf: vector, inner product';
CREATE FUNCTION vecdb.ivf_vector_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_vector_cosine_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_vector_cosine_support(internal) IS 'operator class information for ivf: vector, cosine distance';
CREATE FUNCTION vecdb.ivf_vector_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_vector_l1_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_vector_l1_support(internal) IS 'operator class information for ivf: vector, L1 distance';

CREATE OPERATOR CLASS vector_l2_ops DEFAULT FOR TYPE vector USING ivf AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_squared_distance(vector, vector),
	FUNCTION 3 l2_distance(vector, vector),
	FUNCTION 5 vecdb.ivf_vector_l2_support(internal);
COMMENT ON OPERATOR CLASS vector_l2_ops USING ivf IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING ivf AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 3 vector_spherical_distance(vector, vector),
	FUNCTION 4 vector_norm(vector),
	FUNCTION 5 vecdb.ivf_vector_ip_support(internal);
COMMENT ON OPERATOR CLASS vector_ip_ops USING ivf IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS vector_cosine_ops FOR TYPE vector USING ivf AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 2 vector_norm(vector),
	FUNCTION 3 vector_spherical_distance(vector, vector),
	FUNCTION 4 vector_norm(vector),
	FUNCTION 5 vecdb.ivf_vector_cosine_support(internal);
COMMENT ON OPERATOR CLASS vector_cosine_ops USING ivf IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS vector_l1_ops FOR TYPE vector USING ivf AS
	OPERATOR 1 <+> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(vector, vector),
	FUNCTION 5 vecdb.ivf_vector_l1_support(internal);
COMMENT ON OPERATOR CLASS vector_l1_ops USING ivf IS 'order by L1 distance (<+>)';

CREATE OPERATOR CLASS vector_l2_ops DEFAULT FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_squared_distance(vector, vector),
	FUNCTION 3 l2_distance(vector, vector),
	FUNCTION 5 vecdb.ivf_vector_l2_support(internal);
COMMENT ON OPERATOR CLASS vector_l2_ops USING ivfflat IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 3 vector_spherical_distance(vector, vector),
	FUNCTION 4 vector_norm(vector),
	FUNCTION 5 vecdb.ivf_vector_ip_support(internal);
COMMENT ON OPERATOR CLASS vector_ip_ops USING ivfflat IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS vector_cosine_ops FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 2 vector_norm(vector),
	FUNCTION 3 vector_spherical_distance(vector, vector),
	FUNCTION 4 vector_norm(vector),
	FUNCTION 5 vecdb.ivf_vector_cosine_support(internal);
COMMENT ON OPERATOR CLASS vector_cosine_ops USING ivfflat IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS vector_l1_ops FOR TYPE vector USING ivfflat AS
	OPERATOR 1 <+> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(vector, vector),
	FUNCTION 5 vecdb.ivf_vector_l1_support(internal);
COMMENT ON OPERATOR CLASS vector_l1_ops USING ivfflat IS 'order by L1 distance (<+>)';

-- bit strings; as in pgvector, none is the default

CREATE FUNCTION vecdb.ivf_bit_hamming_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_bit_hamming_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_bit_hamming_support(internal) IS 'operator class information for ivf: bit, Hamming distance';
CREATE FUNCTION vecdb.ivf_bit_jaccard_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_ivf_bit_jaccard_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.ivf_bit_jaccard_support(internal) IS 'operator class information for ivf: bit, Jaccard distance';

CREATE OPERATOR CLASS bit_hamming_ops FOR TYPE bit USING ivf AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 hamming_distance(bit, bit),
	FUNCTION 3 hamming_distance(bit, bit),
	FUNCTION 5 vecdb.ivf_bit_hamming_support(internal);
COMMENT ON OPERATOR CLASS bit_hamming_ops USING ivf IS 'order by Hamming distance (<~>)';

CREATE OPERATOR CLASS bit_jaccard_ops FOR TYPE bit USING ivf AS
	OPERATOR 1 <%> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 jaccard_distance(bit, bit),
	FUNCTION 5 vecdb.ivf_bit_jaccard_support(internal);
COMMENT ON OPERATOR CLASS bit_jaccard_ops USING ivf IS 'order by Jaccard distance (<%>)';

CREATE OPERATOR CLASS bit_hamming_ops FOR TYPE bit USING ivfflat AS
	OPERATOR 1 <~> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 hamming_distance(bit, bit),
	FUNCTION 3 hamming_distance(bit, bit),
	FUNCTION 5 vecdb.ivf_bit_hamming_support(internal);
COMMENT ON OPERATOR CLASS bit_hamming_ops USING ivfflat IS 'order by Hamming distance (<~>)';

CREATE OPERATOR CLASS bit_jaccard_ops FOR TYPE bit USING ivfflat AS
	OPERATOR 1 <%> (bit, bit) FOR ORDER BY float_ops,
	FUNCTION 1 jaccard_distance(bit, bit),
	FUNCTION 5 vecdb.ivf_bit_jaccard_support(internal);
COMMENT ON OPERATOR CLASS bit_jaccard_ops USING ivfflat IS 'order by Jaccard distance (<%>)';
