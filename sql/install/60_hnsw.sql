-- Access method hnsw and its operator classes for vector.

CREATE FUNCTION hnswhandler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'vecdb_hnswhandler' LANGUAGE C;
COMMENT ON FUNCTION hnswhandler(internal) IS 'handler of the hnsw index access method';

CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER hnswhandler;
COMMENT ON ACCESS METHOD hnsw IS 'hierarchical navigable small world graph: approximate nearest neighbors, in exact order';

CREATE FUNCTION vecdb.hnsw_vector_l2_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_vector_l2_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_vector_l2_support(internal) IS 'operator class information for hnsw: vector, L2 distance';
CREATE FUNCTION vecdb.hnsw_vector_ip_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_vector_ip_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_vector_ip_support(internal) IS 'operator class information for hnsw: vector, inner product';
CREATE FUNCTION vecdb.hnsw_vector_cosine_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_vector_cosine_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_vector_cosine_support(internal) IS 'operator class information for hnsw: vector, cosine distance';
CREATE FUNCTION vecdb.hnsw_vector_l1_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'vecdb_hnsw_vector_l1_support' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION vecdb.hnsw_vector_l1_support(internal) IS 'operator class information for hnsw: vector, L1 distance';

CREATE OPERATOR CLASS vector_l2_ops FOR TYPE vector USING hnsw AS
	OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_l2_squared_distance(vector, vector),
	FUNCTION 3 vecdb.hnsw_vector_l2_support(internal);
COMMENT ON OPERATOR CLASS vector_l2_ops USING hnsw IS 'order by L2 distance (<->)';

CREATE OPERATOR CLASS vector_ip_ops FOR TYPE vector USING hnsw AS
	OPERATOR 1 <#> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 3 vecdb.hnsw_vector_ip_support(internal);
COMMENT ON OPERATOR CLASS vector_ip_ops USING hnsw IS 'order by negative inner product (<#>)';

CREATE OPERATOR CLASS vector_cosine_ops FOR TYPE vector USING hnsw AS
	OPERATOR 1 <=> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 vector_negative_inner_product(vector, vector),
	FUNCTION 2 vector_norm(vector),
	FUNCTION 3 vecdb.hnsw_vector_cosine_support(internal);
COMMENT ON OPERATOR CLASS vector_cosine_ops USING hnsw IS 'order by cosine distance (<=>)';

CREATE OPERATOR CLASS vector_l1_ops FOR TYPE vector USING hnsw AS
	OPERATOR 1 <+> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 2 <*> (vector, vecdb.query) FOR ORDER BY float_ops,
	FUNCTION 1 l1_distance(vector, vector),
	FUNCTION 3 vecdb.hnsw_vector_l1_support(internal);
COMMENT ON OPERATOR CLASS vector_l1_ops USING hnsw IS 'order by L1 distance (<+>)';
