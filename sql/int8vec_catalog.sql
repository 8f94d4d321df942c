-- The catalogue of type int8vec: that of halfvec, less l2_normalize. Each query lists what differs: no rows.
\pset null '-'

SELECT typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign, typstorage, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript
FROM pg_type WHERE oid = 'int8vec'::regtype;

-- functions: name and arguments, result, value function or not
CREATE TEMP TABLE expected_function (signature text, result text);
INSERT INTO expected_function VALUES
    ('int8vec_in(cstring,oid,integer)', 'int8vec'), ('int8vec_out(int8vec)', 'cstring'), ('int8vec_typmod_in(cstring[])', 'integer'),
    ('int8vec_recv(internal,oid,integer)', 'int8vec'), ('int8vec_send(int8vec)', 'bytea'),
    ('l2_distance(int8vec,int8vec)', 'double precision'), ('inner_product(int8vec,int8vec)', 'double precision'),
    ('cosine_distance(int8vec,int8vec)', 'double precision'), ('l1_distance(int8vec,int8vec)', 'double precision'),
    ('vector_dims(int8vec)', 'integer'), ('l2_norm(int8vec)', 'double precision'),
    ('binary_quantize(int8vec)', 'bit'), ('subvector(int8vec,integer,integer)', 'int8vec'),
    ('int8vec_add(int8vec,int8vec)', 'int8vec'), ('int8vec_sub(int8vec,int8vec)', 'int8vec'), ('int8vec_mul(int8vec,int8vec)', 'int8vec'),
    ('int8vec_concat(int8vec,int8vec)', 'int8vec'),
    ('int8vec_lt(int8vec,int8vec)', 'boolean'), ('int8vec_le(int8vec,int8vec)', 'boolean'), ('int8vec_eq(int8vec,int8vec)', 'boolean'),
    ('int8vec_ne(int8vec,int8vec)', 'boolean'), ('int8vec_ge(int8vec,int8vec)', 'boolean'), ('int8vec_gt(int8vec,int8vec)', 'boolean'),
    ('int8vec_cmp(int8vec,int8vec)', 'integer'),
    ('int8vec_l2_squared_distance(int8vec,int8vec)', 'double precision'), ('int8vec_negative_inner_product(int8vec,int8vec)', 'double precision'),
    ('int8vec_spherical_distance(int8vec,int8vec)', 'double precision'),
    ('int8vec_accum(double precision[],int8vec)', 'double precision[]'), ('int8vec_avg(double precision[])', 'vector'), ('int8vec_sum(double precision[])', 'vector'),
    ('int8vec_combine(double precision[],double precision[])', 'double precision[]'),
    ('int8vec(int8vec,integer,boolean)', 'int8vec'), ('vector_to_int8vec(vector,integer,boolean)', 'int8vec'), ('int8vec_to_vector(int8vec,integer,boolean)', 'vector'),
    ('halfvec_to_int8vec(halfvec,integer,boolean)', 'int8vec'), ('int8vec_to_halfvec(int8vec,integer,boolean)', 'halfvec'), ('int8vec_to_int4(int8vec,integer,boolean)', 'integer[]'),
    ('vecdb.quantize_int8(vector,real)', 'int8vec'), ('vecdb.quantize_int8(halfvec,real)', 'int8vec'), ('array_to_int8vec(integer[],integer,boolean)', 'int8vec'),
    ('array_to_int8vec(real[],integer,boolean)', 'int8vec'), ('array_to_int8vec(double precision[],integer,boolean)', 'int8vec'),
    ('array_to_int8vec(numeric[],integer,boolean)', 'int8vec'), ('int8vec_to_float4(int8vec,integer,boolean)', 'real[]');

SELECT e.signature, e.result, p.prorettype::regtype, p.provolatile, p.proisstrict, p.proparallel, p.proretset, p.prosecdef, p.proleakproof, l.lanname
FROM expected_function e
LEFT JOIN pg_proc p ON p.oid = to_regprocedure(e.signature)
LEFT JOIN pg_language l ON l.oid = p.prolang
WHERE (p.prorettype::regtype::text, p.provolatile, p.proisstrict, p.proparallel, p.proretset, p.prosecdef, p.proleakproof, l.lanname)
      IS DISTINCT FROM (e.result, 'i'::"char", true, 's'::"char", false, false, false, 'c'::name)
ORDER BY 1;

-- operators
CREATE TEMP TABLE expected_operator (name text, result text, code text, commutator text, negator text, restrict_estimator text, join_estimator text);
INSERT INTO expected_operator VALUES
    ('<->', 'double precision', 'l2_distance', '<->', NULL, NULL, NULL),
    ('<#>', 'double precision', 'int8vec_negative_inner_product', '<#>', NULL, NULL, NULL),
    ('<=>', 'double precision', 'cosine_distance', '<=>', NULL, NULL, NULL),
    ('<+>', 'double precision', 'l1_distance', '<+>', NULL, NULL, NULL),
    ('+', 'int8vec', 'int8vec_add', '+', NULL, NULL, NULL),
    ('-', 'int8vec', 'int8vec_sub', NULL, NULL, NULL, NULL),
    ('*', 'int8vec', 'int8vec_mul', '*', NULL, NULL, NULL),
    ('||', 'int8vec', 'int8vec_concat', NULL, NULL, NULL, NULL),
    ('<', 'boolean', 'int8vec_lt', '>', '>=', 'scalarltsel', 'scalarltjoinsel'),
    ('<=', 'boolean', 'int8vec_le', '>=', '>', 'scalarlesel', 'scalarlejoinsel'),
    ('=', 'boolean', 'int8vec_eq', '=', '<>', 'eqsel', 'eqjoinsel'),
    ('<>', 'boolean', 'int8vec_ne', '<>', '=', 'eqsel', 'eqjoinsel'),
    ('>=', 'boolean', 'int8vec_ge', '<=', '<', 'scalargesel', 'scalargejoinsel'),
    ('>', 'boolean', 'int8vec_gt', '<', '<=', 'scalargtsel', 'scalargtjoinsel');
CREATE TEMP VIEW actual_operator AS
    SELECT o.oprname::text AS name, format_type(o.oprresult, NULL) AS result, p.proname::text AS code, c.oprname::text AS commutator, n.oprname::text AS negator,
           r.proname::text AS restrict_estimator, j.proname::text AS join_estimator
    FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
    LEFT JOIN pg_operator c ON c.oid = o.oprcom AND c.oprleft = o.oprright AND c.oprright = o.oprleft
    LEFT JOIN pg_operator n ON n.oid = o.oprnegate AND n.oprleft = o.oprleft AND n.oprright = o.oprright
    LEFT JOIN pg_proc r ON r.oid = o.oprrest LEFT JOIN pg_proc j ON j.oid = o.oprjoin
    WHERE o.oprleft = 'int8vec'::regtype AND o.oprright = 'int8vec'::regtype AND NOT o.oprcanmerge AND NOT o.oprcanhash;
(SELECT 'missing' AS what, * FROM (TABLE expected_operator EXCEPT TABLE actual_operator) m)
UNION ALL (SELECT 'surplus', * FROM (TABLE actual_operator EXCEPT TABLE expected_operator) s) ORDER BY 1, 2;

-- casts
CREATE TEMP TABLE expected_cast (source text, target text, function text, context "char", method "char");
INSERT INTO expected_cast VALUES
    ('int8vec', 'int8vec', 'int8vec', 'i', 'f'), ('int8vec', 'real[]', 'int8vec_to_float4', 'a', 'f'),
    ('integer[]', 'int8vec', 'array_to_int8vec', 'a', 'f'), ('real[]', 'int8vec', 'array_to_int8vec', 'a', 'f'),
    ('double precision[]', 'int8vec', 'array_to_int8vec', 'a', 'f'), ('numeric[]', 'int8vec', 'array_to_int8vec', 'a', 'f'),
    ('vector', 'int8vec', 'vector_to_int8vec', 'a', 'f'), ('int8vec', 'vector', 'int8vec_to_vector', 'i', 'f'),
    ('halfvec', 'int8vec', 'halfvec_to_int8vec', 'a', 'f'), ('int8vec', 'halfvec', 'int8vec_to_halfvec', 'a', 'f'), ('int8vec', 'integer[]', 'int8vec_to_int4', 'a', 'f');
CREATE TEMP VIEW actual_cast AS
    SELECT format_type(castsource, NULL) AS source, format_type(casttarget, NULL) AS target, proname::text AS function, castcontext AS context, castmethod AS method
    FROM pg_cast JOIN pg_proc p ON p.oid = castfunc
    WHERE 'int8vec'::regtype IN (castsource, casttarget);
(SELECT 'missing' AS what, * FROM (TABLE expected_cast EXCEPT TABLE actual_cast) m)
UNION ALL (SELECT 'surplus', * FROM (TABLE actual_cast EXCEPT TABLE expected_cast) s) ORDER BY 1, 2, 3;

-- aggregates
SELECT a.aggfnoid::regprocedure, format_type(p.prorettype, NULL) AS result, p.proparallel AS parallel, aggkind AS kind, aggtransfn AS transition, aggfinalfn AS final, aggcombinefn AS combine,
       format_type(aggtranstype, NULL) AS state, agginitval AS initial
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.proargtypes[0] = 'int8vec'::regtype ORDER BY 1;

-- btree operator class
SELECT opcname, opcdefault, amvalidate(c.oid) AS valid FROM pg_opclass c JOIN pg_am am ON am.oid = opcmethod WHERE opcintype = 'int8vec'::regtype AND amname = 'btree';
SELECT amopstrategy, amopopr::regoperator, amoppurpose FROM pg_amop JOIN pg_am am ON am.oid = amopmethod WHERE amoplefttype = 'int8vec'::regtype AND amname = 'btree' ORDER BY 1;
SELECT amprocnum, amproc FROM pg_amproc p JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am am ON am.oid = f.opfmethod WHERE amproclefttype = 'int8vec'::regtype AND amname = 'btree' ORDER BY 1;

\pset null ''
DROP VIEW actual_operator, actual_cast;
DROP TABLE expected_function, expected_operator, expected_cast;

-- every object of the type has a comment
SELECT pg_describe_object(classid, objid, 0) FROM (
    SELECT 'pg_proc'::regclass AS classid, p.oid AS objid FROM pg_proc p WHERE 'int8vec'::regtype = ANY (p.proargtypes::oid[]) OR p.prorettype = 'int8vec'::regtype
    UNION SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprleft = 'int8vec'::regtype
    UNION SELECT 'pg_cast'::regclass, oid FROM pg_cast WHERE 'int8vec'::regtype IN (castsource, casttarget)
    UNION SELECT 'pg_opclass'::regclass, oid FROM pg_opclass WHERE opcintype = 'int8vec'::regtype
    UNION SELECT 'pg_type'::regclass, 'int8vec'::regtype) o
WHERE obj_description(objid, classid::text::name) IS NULL;

-- distances tell the planner what they cost
SELECT count(*), bool_and(prosupport = 'vecdb.distance_cost'::regproc) FROM pg_proc WHERE pronargs = 2 AND proargtypes[0] = 'int8vec'::regtype AND proargtypes[1] = 'int8vec'::regtype AND prorettype = 'float8'::regtype;
