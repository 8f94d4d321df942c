-- Access methods ivf and ivfflat as the catalogue and clients see them.

SELECT amname, amtype, amhandler FROM pg_am WHERE amname LIKE 'ivf%' ORDER BY 1;

-- operator classes of vector and bit: pgvector's for ivfflat, and L1 and Jaccard; the same for ivf (other types: their own tests)
SELECT amname, opcname, opcdefault, opcintype::regtype, amvalidate(c.oid) AS valid
FROM pg_opclass c JOIN pg_am am ON am.oid = opcmethod WHERE amname LIKE 'ivf%' AND opcintype IN ('vector'::regtype, 'bit'::regtype) ORDER BY 1, 2;
SELECT f.opfname, amopstrategy, amopopr::regoperator, amoppurpose, s.opfname AS sort, count(*) AS methods
FROM pg_amop o JOIN pg_opfamily f ON f.oid = amopfamily JOIN pg_am am ON am.oid = amopmethod
JOIN pg_opfamily s ON s.oid = amopsortfamily WHERE amname LIKE 'ivf%' AND amoplefttype IN ('vector'::regtype, 'bit'::regtype) GROUP BY 1, 2, 3, 4, s.opfname ORDER BY 1, 2;
SELECT opfname, amprocnum, amproc::regprocedure, count(*) AS methods
FROM pg_amproc p JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am am ON am.oid = f.opfmethod
WHERE amname LIKE 'ivf%' AND amproclefttype IN ('vector'::regtype, 'bit'::regtype) GROUP BY 1, 2, 3 ORDER BY 1, 2;

-- what the methods can do
SELECT am.amname, p AS property, pg_indexam_has_property(am.oid, p)
FROM pg_am am, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include']) p
WHERE amname LIKE 'ivf%' ORDER BY 1, 2;
CREATE TABLE ivf_cat (id int, e vector(3), f vector);
CREATE INDEX ivf_cat_e ON ivf_cat USING ivf (e);
SELECT p AS property, pg_index_has_property('ivf_cat_e', p)
FROM unnest(ARRAY['clusterable', 'index_scan', 'bitmap_scan', 'backward_scan']) p ORDER BY 1;
SELECT p AS property, pg_index_column_has_property('ivf_cat_e', 1, p)
FROM unnest(ARRAY['asc', 'desc', 'nulls_first', 'orderable', 'distance_orderable', 'returnable', 'search_array', 'search_nulls']) p ORDER BY 1;
CREATE UNIQUE INDEX ON ivf_cat USING ivfflat (e);
CREATE INDEX ON ivf_cat USING ivfflat (e, e);
CREATE INDEX ON ivf_cat USING ivfflat (e) INCLUDE (id);
CREATE INDEX ON ivf_cat USING ivfflat (e DESC);
CREATE INDEX ON ivf_cat USING ivfflat (id);
-- the definition as it was given
CREATE INDEX ivf_cat_flat ON ivf_cat USING ivfflat (e vector_cosine_ops) WITH (lists = 100);
SELECT pg_get_indexdef('ivf_cat_e'::regclass), pg_get_indexdef('ivf_cat_flat'::regclass);
SELECT reloptions FROM pg_class WHERE oid = 'ivf_cat_flat'::regclass;

-- --- operator classes that are none: amvalidate says why ---
CREATE OPERATOR CLASS ivf_cat_bad_ops FOR TYPE vector USING ivf AS
    OPERATOR 1 <-> (vector, vector) FOR ORDER BY float_ops,
    FUNCTION 1 vector_dims(vector);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'ivf_cat_bad_ops';
CREATE INDEX ON ivf_cat USING ivf (e ivf_cat_bad_ops);
DROP OPERATOR FAMILY ivf_cat_bad_ops USING ivf CASCADE;
CREATE OPERATOR CLASS ivf_cat_bad_ops FOR TYPE vector USING ivfflat AS
    OPERATOR 1 = (vector, vector),
    FUNCTION 1 l2_distance(vector, vector),
    FUNCTION 5 vecdb.ivf_vector_l2_support(internal);
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'ivf_cat_bad_ops';
DROP OPERATOR FAMILY ivf_cat_bad_ops USING ivfflat CASCADE;

DROP TABLE ivf_cat;
