-- The catalogue of type vector against the contract with pgvector's clients. Each query lists what differs: no rows.
\pset null '-'

SELECT typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typalign, typstorage, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript
FROM pg_type WHERE oid = 'vector'::regtype;

-- functions: name and arguments, result, value function or not
CREATE TEMP TABLE expected_function (signature text, result text);
INSERT INTO expected_function VALUES
    ('vector_in(cstring,oid,integer)', 'vector'), ('vector_out(vector)', 'cstring'), ('vector_typmod_in(cstring[])', 'integer'),
    ('vector_recv(internal,oid,integer)', 'vector'), ('vector_send(vector)', 'bytea'),
    ('l2_distance(vector,vector)', 'double precision'), ('inner_product(vector,vector)', 'double precision'),
    ('cosine_distance(vector,vector)', 'double precision'), ('l1_distance(vector,vector)', 'double precision'),
    ('vector_dims(vector)', 'integer'), ('vector_norm(vector)', 'double precision'), ('l2_normalize(vector)', 'vector'),
    ('binary_quantize(vector)', 'bit'), ('subvector(vector,integer,integer)', 'vector'),
    ('vector_add(vector,vector)', 'vector'), ('vector_sub(vector,vector)', 'vector'), ('vector_mul(vector,vector)', 'vector'),
    ('vector_concat(vector,vector)', 'vector'),
    ('vector_lt(vector,vector)', 'boolean'), ('vector_le(vector,vector)', 'boolean'), ('vector_eq(vector,vector)', 'boolean'),
    ('vector_ne(vector,vector)', 'boolean'), ('vector_ge(vector,vector)', 'boolean'), ('vector_gt(vector,vector)', 'boolean'),
    ('vector_cmp(vector,vector)', 'integer'),
    ('vector_l2_squared_distance(vector,vector)', 'double precision'), ('vector_negative_inner_product(vector,vector)', 'double precision'),
    ('vector_spherical_distance(vector,vector)', 'double precision'),
    ('vector_accum(double precision[],vector)', 'double precision[]'), ('vector_avg(double precision[])', 'vector'),
    ('vector_combine(double precision[],double precision[])', 'double precision[]'),
    ('vector(vector,integer,boolean)', 'vector'), ('array_to_vector(integer[],integer,boolean)', 'vector'),
    ('array_to_vector(real[],integer,boolean)', 'vector'), ('array_to_vector(double precision[],integer,boolean)', 'vector'),
    ('array_to_vector(numeric[],integer,boolean)', 'vector'), ('vector_to_float4(vector,integer,boolean)', 'real[]');

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
    ('<#>', 'double precision', 'vector_negative_inner_product', '<#>', NULL, NULL, NULL),
    ('<=>', 'double precision', 'cosine_distance', '<=>', NULL, NULL, NULL),
    ('<+>', 'double precision', 'l1_distance', '<+>', NULL, NULL, NULL),
    ('+', 'vector', 'vector_add', '+', NULL, NULL, NULL),
    ('-', 'vector', 'vector_sub', NULL, NULL, NULL, NULL),
    ('*', 'vector', 'vector_mul', '*', NULL, NULL, NULL),
    ('||', 'vector', 'vector_concat', NULL, NULL, NULL, NULL),
    ('<', 'boolean', 'vector_lt', '>', '>=', 'scalarltsel', 'scalarltjoinsel'),
    ('<=', 'boolean', 'vector_le', '>=', '>', 'scalarlesel', 'scalarlejoinsel'),
    ('=', 'boolean', 'vector_eq', '=', '<>', 'eqsel', 'eqjoinsel'),
    ('<>', 'boolean', 'vector_ne', '<>', '=', 'eqsel', 'eqjoinsel'),
    ('>=', 'boolean', 'vector_ge', '<=', '<', 'scalargesel', 'scalargejoinsel'),
    ('>', 'boolean', 'vector_gt', '<', '<=', 'scalargtsel', 'scalargtjoinsel');
CREATE TEMP VIEW actual_operator AS
    SELECT o.oprname::text AS name, format_type(o.oprresult, NULL) AS result, p.proname::text AS code, c.oprname::text AS commutator, n.oprname::text AS negator,
           r.proname::text AS restrict_estimator, j.proname::text AS join_estimator
    FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
    LEFT JOIN pg_operator c ON c.oid = o.oprcom AND c.oprleft = o.oprright AND c.oprright = o.oprleft
    LEFT JOIN pg_operator n ON n.oid = o.oprnegate AND n.oprleft = o.oprleft AND n.oprright = o.oprright
    LEFT JOIN pg_proc r ON r.oid = o.oprrest LEFT JOIN pg_proc j ON j.oid = o.oprjoin
    WHERE o.oprleft = 'vector'::regtype AND o.oprright = 'vector'::regtype AND NOT o.oprcanmerge AND NOT o.oprcanhash;
(SELECT 'missing' AS what, * FROM (TABLE expected_operator EXCEPT TABLE actual_operator) m)
UNION ALL (SELECT 'surplus', * FROM (TABLE actual_operator EXCEPT TABLE expected_operator) s) ORDER BY 1, 2;

-- casts between vector and core types, or itself
CREATE TEMP TABLE expected_cast (source text, target text, function text, context "char", method "char");
INSERT INTO expected_cast VALUES
    ('vector', 'vector', 'vector', 'i', 'f'), ('vector', 'real[]', 'vector_to_float4', 'i', 'f'),
    ('integer[]', 'vector', 'array_to_vector', 'a', 'f'), ('real[]', 'vector', 'array_to_vector', 'a', 'f'),
    ('double precision[]', 'vector', 'array_to_vector', 'a', 'f'), ('numeric[]', 'vector', 'array_to_vector', 'a', 'f');
CREATE TEMP VIEW actual_cast AS
    SELECT format_type(castsource, NULL) AS source, format_type(casttarget, NULL) AS target, proname::text AS function, castcontext AS context, castmethod AS method
    FROM pg_cast JOIN pg_proc p ON p.oid = castfunc
    WHERE 'vector'::regtype IN (castsource, casttarget)
      AND (castsource < 16384 OR castsource = 'vector'::regtype) AND (casttarget < 16384 OR casttarget = 'vector'::regtype);
(SELECT 'missing' AS what, * FROM (TABLE expected_cast EXCEPT TABLE actual_cast) m)
UNION ALL (SELECT 'surplus', * FROM (TABLE actual_cast EXCEPT TABLE expected_cast) s) ORDER BY 1, 2, 3;

-- aggregates
SELECT a.aggfnoid::regprocedure, format_type(p.prorettype, NULL) AS result, p.proparallel AS parallel, aggkind AS kind, aggtransfn AS transition, aggfinalfn AS final, aggcombinefn AS combine,
       format_type(aggtranstype, NULL) AS state, agginitval AS initial
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid WHERE p.proargtypes[0] = 'vector'::regtype ORDER BY 1;

-- btree operator class
SELECT opcname, opcdefault, amvalidate(c.oid) AS valid FROM pg_opclass c JOIN pg_am am ON am.oid = opcmethod WHERE opcintype = 'vector'::regtype AND amname = 'btree';
SELECT amopstrategy, amopopr::regoperator, amoppurpose FROM pg_amop JOIN pg_am am ON am.oid = amopmethod WHERE amoplefttype = 'vector'::regtype AND amname = 'btree' ORDER BY 1;
SELECT amprocnum, amproc FROM pg_amproc p JOIN pg_opfamily f ON f.oid = amprocfamily JOIN pg_am am ON am.oid = f.opfmethod WHERE amproclefttype = 'vector'::regtype AND amname = 'btree' ORDER BY 1;

-- every object of the extension has a comment, but for array types and operator families made on the side
SELECT pg_describe_object(classid, objid, 0) AS without_comment
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname IN ('vecdb', 'vector')
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.classid <> 'pg_opfamily'::regclass
  AND NOT EXISTS (SELECT FROM pg_type t WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typelem <> 0 OR t.typrelid <> 0))
  AND obj_description(d.objid, d.classid::regclass::name) IS NULL
ORDER BY 1;

\pset null ''
DROP VIEW actual_operator, actual_cast;
DROP TABLE expected_function, expected_operator, expected_cast;
